//! Arrays of any numbers put in other places: lines along an axis, slices, products.
//!
//! It knows no operations of the graph.

use super::{Array, Number};

/// The values repeated up to sizes: the axes of an array are the last ones.
pub(super) fn stretch<N: Number>(a: &Array<N>, sizes: &[usize]) -> Vec<N> {
    if a.sizes == sizes {
        return a.values.clone();
    }
    let offset = sizes.len() - a.sizes.len();
    let total: usize = sizes.iter().product();
    (0..total)
        .map(|flat| {
            let place = coordinates(flat, sizes);
            let own: Vec<usize> = a.sizes.iter().enumerate().map(|(axis, &n)| if n == 1 { 0 } else { place[axis + offset] }).collect();
            a.values[flat_of(&own, &a.sizes)]
        })
        .collect()
}

fn coordinates(flat: usize, sizes: &[usize]) -> Vec<usize> {
    let mut rest = flat;
    let mut place = vec![0; sizes.len()];
    for axis in (0..sizes.len()).rev() {
        place[axis] = rest % sizes[axis];
        rest /= sizes[axis];
    }
    place
}

fn flat_of(place: &[usize], sizes: &[usize]) -> usize {
    place.iter().zip(sizes).fold(0, |flat, (i, n)| flat * n + i)
}

/// The lines along an axis, in the order of the result without it.
pub(super) fn lines<N: Number>(a: &Array<N>, axis: usize) -> Vec<Vec<N>> {
    let (outer, n, inner) = split(&a.sizes, axis);
    (0..outer * inner)
        .map(|line| {
            let (o, i) = (line / inner, line % inner);
            (0..n).map(|k| a.values[(o * n + k) * inner + i]).collect()
        })
        .collect()
}

fn split(sizes: &[usize], axis: usize) -> (usize, usize, usize) {
    (sizes[..axis].iter().product(), sizes[axis], sizes[axis + 1..].iter().product())
}

/// Every line along an axis replaced by another of the same length.
pub(super) fn along<N: Number>(a: &Array<N>, axis: usize, with: impl Fn(&[N]) -> Vec<N>) -> Array<N> {
    let (_, n, inner) = split(&a.sizes, axis);
    let mut values = a.values.clone();
    for (line, old) in lines(a, axis).iter().enumerate() {
        let (o, i) = (line / inner, line % inner);
        for (k, x) in with(old).into_iter().enumerate() {
            values[(o * n + k) * inner + i] = x;
        }
    }
    Array { sizes: a.sizes.clone(), values }
}

pub(super) fn matmul<N: Number>(a: &Array<N>, b: &Array<N>, sizes: Vec<usize>) -> Array<N> {
    let n = a.sizes.last().copied().unwrap_or(1);
    let m = a.values.len() / n.max(1);
    let p = b.values.len() / n.max(1);
    let mut values = Vec::with_capacity(m * p);
    for i in 0..m {
        for j in 0..p {
            values.push((0..n).fold(N::of(0.0), |sum, k| sum.add(a.values[i * n + k].mul(b.values[k * p + j]))));
        }
    }
    Array { sizes, values }
}

pub(super) fn transpose<N: Number>(a: &Array<N>) -> Array<N> {
    let sizes: Vec<usize> = a.sizes.iter().rev().copied().collect();
    let values = (0..a.values.len())
        .map(|flat| {
            let place: Vec<usize> = coordinates(flat, &sizes).into_iter().rev().collect();
            a.values[flat_of(&place, &a.sizes)]
        })
        .collect();
    Array { sizes, values }
}

fn stepped(start: usize, step: isize, k: usize) -> Option<usize> {
    start.checked_add_signed(step.checked_mul(isize::try_from(k).ok()?)?)
}

/// Elements taken along an axis by a function of their place.
fn taken<N: Number>(a: &Array<N>, axis: usize, sizes: &[usize], from: impl Fn(usize) -> Option<usize>) -> Option<Array<N>> {
    let values: Option<Vec<N>> = (0..sizes.iter().product())
        .map(|flat| {
            let mut place = coordinates(flat, sizes);
            place[axis] = from(place[axis]).filter(|&k| k < a.sizes[axis])?;
            Some(a.values[flat_of(&place, &a.sizes)])
        })
        .collect();
    Some(Array { sizes: sizes.to_vec(), values: values? })
}

/// Elements added along an axis to places given by a function, zeros elsewhere.
fn added<N: Number>(a: &Array<N>, axis: usize, sizes: &[usize], to: impl Fn(usize) -> Option<usize>) -> Option<Array<N>> {
    let mut values = vec![N::of(0.0); sizes.iter().product()];
    for (flat, &x) in a.values.iter().enumerate() {
        let mut place = coordinates(flat, &a.sizes);
        place[axis] = to(place[axis]).filter(|&k| k < sizes[axis])?;
        let at = flat_of(&place, sizes);
        values[at] = values[at].add(x);
    }
    Some(Array { sizes: sizes.to_vec(), values })
}

pub(super) fn slice<N: Number>(a: &Array<N>, axis: usize, start: usize, step: isize, sizes: &[usize]) -> Option<Array<N>> {
    taken(a, axis, sizes, |k| stepped(start, step, k))
}

pub(super) fn unslice<N: Number>(a: &Array<N>, axis: usize, start: usize, step: isize, sizes: &[usize]) -> Option<Array<N>> {
    added(a, axis, sizes, |k| stepped(start, step, k))
}

fn index<N: Number>(indices: &Array<N>, k: usize) -> Option<usize> {
    let x = indices.values.get(k)?.real();
    (x >= 0.0 && x.fract() == 0.0).then_some(x as usize)
}

pub(super) fn gather<N: Number>(a: &Array<N>, indices: &Array<N>, axis: usize, sizes: &[usize]) -> Option<Array<N>> {
    taken(a, axis, sizes, |k| index(indices, k))
}

pub(super) fn scatter_add<N: Number>(a: &Array<N>, indices: &Array<N>, axis: usize, sizes: &[usize]) -> Option<Array<N>> {
    added(a, axis, sizes, |k| index(indices, k))
}

pub(super) fn picked<N: Number>(a: &Array<N>, indices: &Array<N>) -> Option<Array<N>> {
    let k = a.sizes[1];
    let values: Option<Vec<N>> = (0..a.sizes[0]).map(|i| index(indices, i).filter(|&j| j < k).map(|j| a.values[i * k + j])).collect();
    Some(Array { sizes: vec![a.sizes[0]], values: values? })
}

pub(super) fn unpicked<N: Number>(g: &[N], indices: &Array<N>, k: usize) -> Option<Array<N>> {
    let mut values = vec![N::of(0.0); g.len() * k];
    for (i, &x) in g.iter().enumerate() {
        let j = index(indices, i).filter(|&j| j < k)?;
        values[i * k + j] = x;
    }
    Some(Array { sizes: vec![g.len(), k], values })
}

pub(super) fn concat<N: Number>(args: &[&Array<N>], axis: usize, sizes: &[usize]) -> Array<N> {
    let (outer, _, inner) = split(sizes, axis);
    let mut values = Vec::with_capacity(sizes.iter().product());
    for o in 0..outer {
        for a in args {
            let chunk = a.sizes[axis] * inner;
            values.extend_from_slice(&a.values[o * chunk..(o + 1) * chunk]);
        }
    }
    Array { sizes: sizes.to_vec(), values }
}

/// Gaussian elimination, the largest entry of a column first.
pub(super) fn solve<N: Number>(a: &Array<N>, b: &Array<N>) -> Option<Array<N>> {
    let n = a.sizes[0];
    let m = b.values.len() / n.max(1);
    let (mut left, mut right) = (a.values.clone(), b.values.clone());
    for k in 0..n {
        let largest = (k..n).max_by(|&i, &j| left[i * n + k].real().abs().total_cmp(&left[j * n + k].real().abs()))?;
        for j in 0..n {
            left.swap(k * n + j, largest * n + j);
        }
        for j in 0..m {
            right.swap(k * m + j, largest * m + j);
        }
        let pivot = left[k * n + k];
        for i in (0..n).filter(|&i| i != k) {
            let factor = left[i * n + k].div(pivot);
            for j in k..n {
                left[i * n + j] = left[i * n + j].sub(factor.mul(left[k * n + j]));
            }
            for j in 0..m {
                right[i * m + j] = right[i * m + j].sub(factor.mul(right[k * m + j]));
            }
        }
    }
    let values = (0..n * m).map(|at| right[at].div(left[(at / m) * n + at / m])).collect();
    Some(Array { sizes: b.sizes.clone(), values })
}
