//! Dense linear algebra in a fixed order: solve, Cholesky, QR, symmetric eigenvalues, singular values. Matrices are slices, row by row.
//!
//! Textbook algorithms for sizes up to a few hundred; it has no blocking, no threads and no choice by CPU, so the bits are the same everywhere.

/// `a` of `rows` x `columns`, turned.
pub fn transpose(a: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|j| (0..rows).map(move |i| a[i * columns + j])).collect()
}

/// Solves `A X = B` for an `n` x `n` matrix and `m` right-hand sides (`B` is `n` x `m`) by LU decomposition with partial pivoting, the first of equal
/// pivots. `None` when a pivot is 0 or not a number.
pub fn solve(a: &[f64], b: &[f64], n: usize, m: usize) -> Option<Vec<f64>> {
    let mut a = a.to_vec();
    let mut x = b.to_vec();
    for k in 0..n {
        let size = |i: usize| a[i * n + k].abs();
        let pivot = (k + 1..n).fold(k, |best, i| if size(i) > size(best) { i } else { best });
        if size(pivot) == 0.0 || size(pivot).is_nan() {
            return None;
        }
        swap_rows(&mut a, n, k, pivot);
        swap_rows(&mut x, m, k, pivot);
        for i in k + 1..n {
            let factor = a[i * n + k] / a[k * n + k];
            subtract_row(&mut a, n, i, k, factor, k + 1);
            subtract_row(&mut x, m, i, k, factor, 0);
        }
    }
    for k in (0..n).rev() {
        for c in 0..m {
            x[k * m + c] /= a[k * n + k];
        }
        for i in 0..k {
            subtract_row(&mut x, m, i, k, a[i * n + k], 0);
        }
    }
    Some(x)
}

fn swap_rows(a: &mut [f64], columns: usize, i: usize, j: usize) {
    for c in 0..columns {
        a.swap(i * columns + c, j * columns + c);
    }
}

/// `row i -= factor * row k`, from a column on.
fn subtract_row(a: &mut [f64], columns: usize, i: usize, k: usize, factor: f64, from: usize) {
    for c in from..columns {
        a[i * columns + c] = (-factor).mul_add(a[k * columns + c], a[i * columns + c]);
    }
}

/// The lower triangle `L` with `L L^T = A`, from the lower triangle of a symmetric `n` x `n` matrix. `None` when `A` is not positive definite.
pub fn cholesky(a: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut l: Vec<f64> = vec![0.0; n * n];
    for j in 0..n {
        for i in j..n {
            let rest = (0..j).fold(a[i * n + j], |s: f64, k| (-l[i * n + k]).mul_add(l[j * n + k], s));
            if i > j {
                l[i * n + j] = rest / l[j * n + j];
            } else if rest > 0.0 && rest.is_finite() {
                l[j * n + j] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    Some(l)
}

/// Solves `L L^T X = B` from [`cholesky`] for `m` right-hand sides.
pub fn cholesky_solve(l: &[f64], b: &[f64], n: usize, m: usize) -> Vec<f64> {
    let mut x = b.to_vec();
    for c in 0..m {
        for i in 0..n {
            let rest = (0..i).fold(x[i * m + c], |s, k| (-l[i * n + k]).mul_add(x[k * m + c], s));
            x[i * m + c] = rest / l[i * n + i];
        }
        for i in (0..n).rev() {
            let rest = (i + 1..n).fold(x[i * m + c], |s, k| (-l[k * n + i]).mul_add(x[k * m + c], s));
            x[i * m + c] = rest / l[i * n + i];
        }
    }
    x
}

/// A matrix as an orthonormal one times a triangle.
#[derive(Debug, Clone)]
pub struct Qr {
    /// `rows` x `columns`, with orthonormal columns.
    pub q: Vec<f64>,
    /// `columns` x `columns`, zero below the diagonal.
    pub r: Vec<f64>,
}

/// The QR decomposition of a matrix with at least as many rows as columns, by Householder reflections.
pub fn qr(a: &[f64], rows: usize, columns: usize) -> Qr {
    let mut a = a.to_vec();
    let mut reflectors: Vec<Vec<f64>> = Vec::with_capacity(columns);
    for j in 0..columns {
        let mut v: Vec<f64> = (j..rows).map(|i| a[i * columns + j]).collect();
        let length = norm(&v);
        v[0] += if v[0] < 0.0 { -length } else { length };
        let scale = norm(&v);
        if scale > 0.0 {
            for x in &mut v {
                *x /= scale;
            }
        }
        for c in j..columns {
            reflect(&v, &mut a, columns, j, c);
        }
        reflectors.push(v);
    }
    let mut r = vec![0.0; columns * columns];
    let mut q = vec![0.0; rows * columns];
    for j in 0..columns {
        r[j * columns + j..(j + 1) * columns].copy_from_slice(&a[j * columns + j..(j + 1) * columns]);
        q[j * columns + j] = 1.0;
    }
    for (j, v) in reflectors.iter().enumerate().rev() {
        for c in 0..columns {
            reflect(v, &mut q, columns, j, c);
        }
    }
    Qr { q, r }
}

/// `(I - 2 v v^T)` applied to a column, from row `first` on.
fn reflect(v: &[f64], a: &mut [f64], columns: usize, first: usize, column: usize) {
    let at = |i: usize| (first + i) * columns + column;
    let along = (0..v.len()).fold(0.0, |s: f64, i| v[i].mul_add(a[at(i)], s));
    for i in 0..v.len() {
        a[at(i)] = (-2.0 * along).mul_add(v[i], a[at(i)]);
    }
}

/// The length of a vector, without overflow or underflow on the way.
pub fn norm(v: &[f64]) -> f64 {
    let largest = v.iter().fold(0.0, |m: f64, x| if x.is_nan() || x.abs() > m { x.abs() } else { m });
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let scale = power_of_two(largest);
    scale * v.iter().fold(0.0, |s: f64, x| (x / scale).mul_add(x / scale, s)).sqrt()
}

/// The power of two at or below a number: dividing by it rounds nothing.
fn power_of_two(x: f64) -> f64 {
    f64::from_bits(x.to_bits() & f64::INFINITY.to_bits()).max(f64::MIN_POSITIVE)
}

/// More sweeps than Jacobi's methods ever need: they converge quadratically, in fewer than 15.
const SWEEPS: usize = 60;

/// The cosine and sine of the rotation that makes `[[a, c], [c, b]]` diagonal.
fn rotation(a: f64, b: f64, c: f64) -> (f64, f64) {
    let zeta = (b - a) / (2.0 * c);
    let t = 1.0 / (zeta.abs() + zeta.mul_add(zeta, 1.0).sqrt());
    let t = if zeta < 0.0 { -t } else { t };
    let cos = 1.0 / t.mul_add(t, 1.0).sqrt();
    (cos, cos * t)
}

/// The eigenvalues of a symmetric matrix in ascending order, and the eigenvectors as the columns of an `n` x `n` matrix.
#[derive(Debug, Clone)]
pub struct Eigen {
    /// In ascending order.
    pub values: Vec<f64>,
    /// Column `j` belongs to `values[j]`.
    pub vectors: Vec<f64>,
}

/// The positive semidefinite matrix next to a square one in the sum of squares: of its symmetric part, the share of the positive
/// eigenvalues. An entry is the sum over these, ascending, one accumulator. All NaN when an entry is not finite.
pub fn psd_part(a: &[f64], n: usize) -> Vec<f64> {
    let symmetric: Vec<f64> = (0..n * n).map(|at| 0.5 * (a[at] + a[at % n * n + at / n])).collect();
    let Some(eigen) = symmetric_eigen(&symmetric, n) else { return vec![f64::NAN; n * n] };
    let entry = |i: usize, j: usize| {
        let parts = (0..n).filter(|&k| eigen.values[k] > 0.0);
        parts.fold(0.0, |sum: f64, k| (eigen.values[k] * eigen.vectors[i * n + k]).mul_add(eigen.vectors[j * n + k], sum))
    };
    // One triangle for both, so that the result is symmetric to the last bit.
    (0..n * n).map(|at| entry((at / n).max(at % n), (at / n).min(at % n))).collect()
}

/// Eigenvalues and eigenvectors of a symmetric `n` x `n` matrix by Jacobi's cyclic rotations. `None` when an entry is not finite.
pub fn symmetric_eigen(a: &[f64], n: usize) -> Option<Eigen> {
    if !a.iter().all(|x| x.is_finite()) {
        return None;
    }
    let mut a = a.to_vec();
    let mut vectors = vec![0.0; n * n];
    (0..n).for_each(|i| vectors[i * n + i] = 1.0);
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let (c, app, aqq) = (a[p * n + q], a[p * n + p], a[q * n + q]);
                if c.abs() <= f64::EPSILON / 4.0 * (app.abs() * aqq.abs()).sqrt() || c.abs() < f64::MIN_POSITIVE {
                    continue;
                }
                rotated = true;
                let (cos, sin) = rotation(app, aqq, c);
                for k in 0..n {
                    rotate(&mut a, k * n + p, k * n + q, cos, sin);
                }
                for k in 0..n {
                    rotate(&mut a, p * n + k, q * n + k, cos, sin);
                }
                (a[p * n + q], a[q * n + p]) = (0.0, 0.0);
                for k in 0..n {
                    rotate(&mut vectors, k * n + p, k * n + q, cos, sin);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[i * n + i].total_cmp(&a[j * n + j]));
    let values = order.iter().map(|&i| a[i * n + i]).collect();
    let columns = &order;
    let vectors = (0..n).flat_map(|k| columns.iter().map(move |&i| (k, i))).map(|(k, i)| vectors[k * n + i]).collect();
    Some(Eigen { values, vectors })
}

/// `(x, y) -> (c x - s y, s x + c y)`.
fn rotate(a: &mut [f64], x: usize, y: usize, cos: f64, sin: f64) {
    let (u, v) = (a[x], a[y]);
    a[x] = cos * u - sin * v;
    a[y] = sin * u + cos * v;
}

/// The singular values of a matrix in descending order, by Jacobi's one-sided rotations, each good to a few ulps of the largest. `None` when an entry is
/// not finite.
pub fn singular_values(a: &[f64], rows: usize, columns: usize) -> Option<Vec<f64>> {
    if !a.iter().all(|x| x.is_finite()) {
        return None;
    }
    // The shorter side becomes the vectors that are rotated; each is a row of `v`.
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut v = if rows <= columns { a.to_vec() } else { transpose(a, rows, columns) };
    let largest = v.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    if largest == 0.0 {
        return Some(vec![0.0; count]);
    }
    let scale = power_of_two(largest);
    for x in &mut v {
        *x /= scale;
    }
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for p in 0..count {
            for q in p + 1..count {
                let inner = |i: usize, j: usize| (0..length).fold(0.0, |s: f64, k| v[i * length + k].mul_add(v[j * length + k], s));
                let (c, app, aqq) = (inner(p, q), inner(p, p), inner(q, q));
                if c.abs() <= f64::EPSILON * (app * aqq).sqrt() || c.abs() < f64::MIN_POSITIVE {
                    continue;
                }
                rotated = true;
                let (cos, sin) = rotation(app, aqq, c);
                for k in 0..length {
                    rotate(&mut v, p * length + k, q * length + k, cos, sin);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    let mut values: Vec<f64> = v.chunks(length).map(|row| scale * norm(row)).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    Some(values)
}

/// The largest singular value of a matrix; NaN when an entry is not finite, 0 when there are none.
pub fn spectral_norm(a: &[f64], rows: usize, columns: usize) -> f64 {
    singular_values(a, rows, columns).map_or(f64::NAN, |values| values.first().copied().unwrap_or(0.0))
}
