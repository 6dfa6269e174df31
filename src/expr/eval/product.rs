//! Products of matrices and vectors with their exact orders; linear systems.
//!
//! It knows no graphs: whether the left operand was written as a transpose is told to it.

use ndarray::{ArrayView1, Axis, Ix1, Ix2, IxDyn};

use super::reduce::{chunks, eight_classes, tree};
use super::{Tensor, array, number};

/// `a @ b`. Which order an entry is added up in:
///
/// - (n)·(n), and (m,n)·(n) with a transposed left side (the `X.T @ r` form): eight classes of fused multiply-adds, as sums over rows;
/// - (m,n)·(n) otherwise: `a0*b0`, then fused multiply-adds in ascending order;
/// - (m,n)·(n,p): the same; with a transposed left side for each chunk of 1,024 indices, the chunks combined by the binary tree.
pub(super) fn matmul(a: &Tensor, b: &Tensor, transposed: bool) -> Tensor {
    match (a.ndim(), b.ndim()) {
        (1, 1) => {
            let (a, b) = (vector(a), vector(b));
            number(classes(&a, &b))
        }
        (2, 1) => {
            let b = vector(b);
            let row = |row| if transposed { classes(&row, &b) } else { ascending(&row, &b, 0..b.len()) };
            let values: Vec<f64> = a.lanes(Axis(1)).into_iter().map(row).collect();
            array(IxDyn(&[values.len()]), values)
        }
        (2, 2) => {
            let sizes = [a.shape()[0], b.shape()[1]];
            let entry = |row: &ArrayView1<'_, f64>, column: &ArrayView1<'_, f64>| {
                if transposed {
                    let mut parts: Vec<f64> = chunks(b.shape()[0]).map(|chunk| ascending(row, column, chunk)).collect();
                    tree(&mut parts, |x, y| x + y).unwrap_or(0.0)
                } else {
                    ascending(row, column, 0..b.shape()[0])
                }
            };
            let columns = || b.lanes(Axis(0)).into_iter();
            let values = a.lanes(Axis(1)).into_iter().flat_map(|row| columns().map(move |column| entry(&row, &column))).collect();
            array(IxDyn(&sizes), values)
        }
        _ => unreachable!("internal: a product of other ranks"),
    }
}

fn vector(x: &Tensor) -> ArrayView1<'_, f64> {
    x.view().into_dimensionality::<Ix1>().expect("internal: a vector")
}

fn classes(a: &ArrayView1<'_, f64>, b: &ArrayView1<'_, f64>) -> f64 {
    eight_classes(b.len(), |s, i| a[i].mul_add(b[i], s))
}

fn ascending(a: &ArrayView1<'_, f64>, b: &ArrayView1<'_, f64>, mut range: std::ops::Range<usize>) -> f64 {
    let Some(first) = range.next() else { return 0.0 };
    range.fold(a[first] * b[first], |z, i| a[i].mul_add(b[i], z))
}

/// `x` with `a x = b`; all NaN when `a` is singular.
pub(super) fn solve(a: &Tensor, b: &Tensor) -> Tensor {
    let mut a = a.view().into_dimensionality::<Ix2>().expect("internal: a matrix").to_owned();
    let n = a.nrows();
    let columns = if b.ndim() == 1 { 1 } else { b.shape()[1] };
    let mut x = b.to_shape((n, columns)).expect("internal: as many rows").to_owned();
    for k in 0..n {
        let pivot = (k..n).reduce(|best, i| if a[[i, k]].abs() > a[[best, k]].abs() { i } else { best }).unwrap_or(k);
        if a[[pivot, k]] == 0.0 || a[[pivot, k]].is_nan() {
            return b.mapv(|_| f64::NAN);
        }
        for j in 0..n {
            a.swap([k, j], [pivot, j]);
        }
        for j in 0..columns {
            x.swap([k, j], [pivot, j]);
        }
        for i in k + 1..n {
            let factor = a[[i, k]] / a[[k, k]];
            for j in k + 1..n {
                a[[i, j]] = (-factor).mul_add(a[[k, j]], a[[i, j]]);
            }
            for j in 0..columns {
                x[[i, j]] = (-factor).mul_add(x[[k, j]], x[[i, j]]);
            }
        }
    }
    for j in 0..columns {
        for i in (0..n).rev() {
            let rest = (i + 1..n).fold(x[[i, j]], |rest, k| (-a[[i, k]]).mul_add(x[[k, j]], rest));
            x[[i, j]] = rest / a[[i, i]];
        }
    }
    array(IxDyn(b.shape()), x.iter().copied().collect())
}

/// The largest singular value, by one-sided Jacobi rotations of the columns until they are orthogonal.
pub(super) fn spectral_norm(a: &Tensor) -> f64 {
    let a = a.view().into_dimensionality::<Ix2>().expect("internal: a matrix");
    let mut columns: Vec<Vec<f64>> = a.columns().into_iter().map(|column| column.to_vec()).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).fold(0.0, |s: f64, (a, b)| a.mul_add(*b, s));
    for _ in 0..60 {
        let mut rotated = false;
        for i in 0..columns.len() {
            for j in i + 1..columns.len() {
                let (p, q, r) = (dot(&columns[i], &columns[i]), dot(&columns[j], &columns[j]), dot(&columns[i], &columns[j]));
                if r.abs() <= 1e-16 * (p * q).sqrt() {
                    continue;
                }
                rotated = true;
                let zeta = (q - p) / (2.0 * r);
                let t = 1.0f64.copysign(zeta) / (zeta.abs() + zeta.mul_add(zeta, 1.0).sqrt());
                let c = 1.0 / t.mul_add(t, 1.0).sqrt();
                let s = c * t;
                let (left, right) = columns.split_at_mut(j);
                for (x, y) in left[i].iter_mut().zip(right[0].iter_mut()) {
                    (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    columns.iter().map(|column| dot(column, column).sqrt()).fold(0.0, f64::max)
}
