//! Operations that move elements and compute nothing, or only add what falls on one place.
//!
//! It judges indices, and gives back the one that is wrong.

use ndarray::{Axis, IxDyn, concatenate};

use super::Tensor;

/// The order of the axes reversed.
pub(super) fn transpose(x: &Tensor) -> Tensor {
    x.t().as_standard_layout().into_owned()
}

/// The places `start, start + step, ..`, `len` of them, if all are below `size`.
fn places(start: usize, step: isize, len: usize, size: usize) -> Option<Vec<usize>> {
    let place = |k: usize| start.checked_add_signed(step.checked_mul(isize::try_from(k).ok()?)?).filter(|&at| at < size);
    (0..len).map(place).collect()
}

/// Elements along an axis; `None` when the axis is too short.
pub(super) fn slice(x: &Tensor, axis: usize, start: usize, step: isize, sizes: &IxDyn) -> Option<Tensor> {
    let places = places(start, step, sizes[axis], x.shape()[axis])?;
    Some(x.select(Axis(axis), &places))
}

/// The transpose of [`slice`]: zeros elsewhere. `None` when the axis is too short.
pub(super) fn unslice(x: &Tensor, axis: usize, start: usize, step: isize, sizes: &IxDyn) -> Option<Tensor> {
    let places = places(start, step, x.shape()[axis], sizes[axis])?;
    let mut result = Tensor::zeros(sizes.clone());
    for (from, &to) in places.iter().enumerate() {
        result.index_axis_mut(Axis(axis), to).assign(&x.index_axis(Axis(axis), from));
    }
    Some(result)
}

/// One after the other along an axis.
pub(super) fn concat(parts: &[&Tensor], axis: usize) -> Tensor {
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    concatenate(Axis(axis), &views).expect("internal: shapes were checked to fit").as_standard_layout().into_owned()
}

/// The indices as whole numbers below `size`, or the first that is none.
fn indices(index: &Tensor, size: usize) -> Result<Vec<usize>, f64> {
    let whole = |&x: &f64| if x >= 0.0 && x < size as f64 && x.fract() == 0.0 { Ok(x as usize) } else { Err(x) };
    index.iter().map(whole).collect()
}

/// `x[.., index, ..]`.
pub(super) fn gather(x: &Tensor, index: &Tensor, axis: usize) -> Result<Tensor, f64> {
    Ok(x.select(Axis(axis), &indices(index, x.shape()[axis])?))
}

/// The transpose of [`gather`]: from +0, each place receives its additions in ascending order of their position.
pub(super) fn scatter_add(x: &Tensor, index: &Tensor, axis: usize, sizes: &IxDyn) -> Result<Tensor, f64> {
    let mut result = Tensor::zeros(sizes.clone());
    for (from, to) in indices(index, sizes[axis])?.into_iter().enumerate() {
        let mut place = result.index_axis_mut(Axis(axis), to);
        place += &x.index_axis(Axis(axis), from);
    }
    Ok(result)
}

/// `x[i, y[i]]` in each row.
pub(super) fn pick(x: &Tensor, y: &Tensor) -> Result<Tensor, f64> {
    let values = indices(y, x.shape()[1])?.into_iter().enumerate().map(|(i, j)| x[[i, j]]).collect();
    Ok(super::array(IxDyn(y.shape()), values))
}

/// The transpose of [`pick`]: zeros elsewhere.
pub(super) fn unpick(x: &Tensor, y: &Tensor, sizes: &IxDyn) -> Result<Tensor, f64> {
    let mut result = Tensor::zeros(sizes.clone());
    for (i, j) in indices(y, sizes[1])?.into_iter().enumerate() {
        result[[i, j]] = x[[i]];
    }
    Ok(result)
}
