//! Products of matrices and vectors, each in its canonical order; linear systems.
//!
//! It knows no graphs: whether the left operand was written as a transpose is told to it.

use ndarray::{ArrayView1, Axis, IxDyn};

use super::{Tensor, array};
use crate::numeric::{linalg, sums};

/// `a @ b`. Which order an entry is added up in:
///
/// - (n)·(n), and (m,n)·(n) with a transposed left side (the `X.T @ r` form): [`sums::dot`], eight classes of fused multiply-adds;
/// - (m,n)·(n) and (m,n)·(n,p) otherwise: [`sums::along`], `a0*b0`, then fused multiply-adds in ascending order;
/// - (m,n)·(n,p) with a transposed left side: that for each chunk of 1,024 indices, the chunks combined by the binary tree.
pub(super) fn matmul(a: &Tensor, b: &Tensor, transposed: bool) -> Tensor {
    let columns = b.lanes(Axis(0));
    let entry = |row: &ArrayView1<'_, f64>, column: &ArrayView1<'_, f64>| match (a.ndim(), b.ndim(), transposed) {
        (1, 1, _) | (2, 1, true) => sums::dot_of(column.len(), |i| row[i], |i| column[i]),
        (2, 2, true) => {
            let chunk = |start: usize| sums::along(sums::CHUNK.min(column.len() - start), |i| row[start + i], |i| column[start + i]);
            sums::combine_scalars(&mut (0..column.len()).step_by(sums::CHUNK).map(chunk).collect::<Vec<f64>>())
        }
        _ => sums::along(column.len(), |i| row[i], |i| column[i]),
    };
    let mut values = Vec::new();
    for row in a.lanes(Axis(a.ndim() - 1)) {
        values.extend(columns.clone().into_iter().map(|column| entry(&row, &column)));
    }
    let sizes: Vec<usize> = a.shape().iter().rev().skip(1).rev().chain(b.shape().iter().skip(1)).copied().collect();
    array(IxDyn(&sizes), values)
}

/// `x` with `a x = b`; all NaN when `a` is singular.
pub(super) fn solve(a: &Tensor, b: &Tensor) -> Tensor {
    let (n, columns) = (a.shape()[0], b.shape().get(1).copied().unwrap_or(1));
    let solution = linalg::solve(&plain(a), &plain(b), n, columns);
    array(IxDyn(b.shape()), solution.unwrap_or_else(|| vec![f64::NAN; b.len()]))
}

/// The largest singular value.
pub(super) fn spectral_norm(a: &Tensor) -> f64 {
    linalg::spectral_norm(&plain(a), a.shape()[0], a.shape()[1])
}

/// The positive semidefinite matrix next to a square one.
pub(super) fn psd_part(a: &Tensor) -> Tensor {
    array(IxDyn(a.shape()), linalg::psd_part(&plain(a), a.shape()[0]))
}

/// The elements row by row.
fn plain(a: &Tensor) -> Vec<f64> {
    a.iter().copied().collect()
}
