//! The canonical order of every sum and contraction, as plain scalar code: what "the same bits" means.
//!
//! It is written to be read, not to be fast: the slow evaluator uses it, and the executor's vector code is tested against it. The executor shares
//! [`CHUNK`], [`halve`] and [`combine_chunks`].
//!
//! # The definition
//! - **Classes.** Index `i` of a summed axis belongs to class `i mod 8`. One octet holds the eight partial results.
//! - **Chunks.** A chunk is [`CHUNK`] consecutive indices, from the length of the axis alone; `CHUNK` is a multiple of 8. Chunks are what threads share.
//! - **In a chunk** every class starts at `+0` and takes its elements in ascending order.
//! - **Chunks** are combined class by class by the binary tree of [`combine_chunks`], classes by the halving of [`halve`].
//! - **Contraction over rows** (`dot`, `X^T r`): as a sum, each step a fused multiply-add.
//! - **Contraction over features** (`X @ w`): one accumulator, ascending, the first step a product and the others fused: [`along`].
//! - **Matrix products**: one accumulator per entry, ascending, fused; where the contracted axis is the row axis (leading axis of both
//!   operands, as in `X^T Y`), once per chunk, and the chunks by the tree: [`product_entry`] and [`product_entry_over_rows`].
//!
//! Which of them applies follows from the graph alone: never from the number of cells or threads, the memory layout or the CPU.

use super::Octet;
use super::elementary::log1p;

/// The number of consecutive indices whose partial results are kept together.
pub const CHUNK: usize = 1024;

/// The eight classes as one number, by halving: `((s0+s4)+(s2+s6)) + ((s1+s5)+(s3+s7))`.
#[inline]
pub fn halve(s: &Octet) -> f64 {
    ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

/// The partial results of all chunks as one, by a binary tree over the chunk numbers:
/// `for step = 1, 2, 4, ..: t[i] += t[i + step]` for every `i` that is a multiple of `2 step`, where `t[i + step]` exists.
/// Leaves the result in `partials[0]`, and returns it; zeros when there are no chunks.
pub fn combine_chunks(partials: &mut [Octet]) -> Octet {
    tree(partials, |a, b| {
        for (a, b) in a.iter_mut().zip(b) {
            *a += b;
        }
    });
    partials.first().copied().unwrap_or([0.0; 8])
}

/// [`combine_chunks`] for one number per chunk, as matrix products have.
pub fn combine_scalars(partials: &mut [f64]) -> f64 {
    tree(partials, |a, b| *a += b);
    partials.first().copied().unwrap_or(0.0)
}

/// The tree over chunk numbers, for partial results of any kind.
pub fn tree<T: Copy>(partials: &mut [T], mut add: impl FnMut(&mut T, T)) {
    let mut step = 1;
    while step < partials.len() {
        for i in (0..partials.len() - step).step_by(2 * step) {
            let other = partials[i + step];
            add(&mut partials[i], other);
        }
        step *= 2;
    }
}

/// The classes of every chunk of `n` indices: `start` everywhere, then `take(class, i)` for each index.
fn chunks(n: usize, mut take: impl FnMut(f64, usize) -> f64) -> Vec<Octet> {
    let mut partials = vec![[0.0; 8]; n.div_ceil(CHUNK)];
    for i in 0..n {
        let class = &mut partials[i / CHUNK][i % 8];
        *class = take(*class, i);
    }
    partials
}

/// The sum of `n` elements.
pub fn sum_of(n: usize, x: impl Fn(usize) -> f64) -> f64 {
    halve(&combine_chunks(&mut chunks(n, |s, i| s + x(i))))
}

/// The sum of a slice.
pub fn sum(x: &[f64]) -> f64 {
    sum_of(x.len(), |i| x[i])
}

/// The contraction of two vectors of `n` elements over the row axis.
pub fn dot_of(n: usize, a: impl Fn(usize) -> f64, b: impl Fn(usize) -> f64) -> f64 {
    halve(&combine_chunks(&mut chunks(n, |s, i| a(i).mul_add(b(i), s))))
}

/// The contraction of two slices, as long as the shorter one, over the row axis.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    dot_of(a.len().min(b.len()), |i| a[i], |i| b[i])
}

/// The sum of `log1p(e)` over `n` elements with `0 <= e <= 1`, by products: each class keeps `q` with `1 + q` the product of its `1 + e`,
/// as `q = fma(q, e, q + e)`, and takes one `log1p(q)` per chunk. A class has 128 elements in a chunk, so `1 + q <= 2^128`.
pub fn sum_log1p_of(n: usize, e: impl Fn(usize) -> f64) -> f64 {
    let mut partials = chunks(n, |q, i| {
        let e = e(i);
        q.mul_add(e, q + e)
    });
    for partial in &mut partials {
        *partial = partial.map(log1p);
    }
    halve(&combine_chunks(&mut partials))
}

/// [`sum_log1p_of`] a slice.
pub fn sum_log1p(e: &[f64]) -> f64 {
    sum_log1p_of(e.len(), |i| e[i])
}

/// The contraction of `d` features of one row with a vector: `z = x0 w0`, then `z = fma(xj, wj, z)`; 0 when there are none.
pub fn along(d: usize, x: impl Fn(usize) -> f64, w: impl Fn(usize) -> f64) -> f64 {
    if d == 0 {
        return 0.0;
    }
    (1..d).fold(x(0) * w(0), |z, j| x(j).mul_add(w(j), z))
}

/// `X @ w` for a row-major `X` of `w.len()` columns.
pub fn matvec(x: &[f64], w: &[f64]) -> Vec<f64> {
    let d = w.len().max(1);
    x.chunks_exact(d).map(|row| along(w.len(), |j| row[j], |j| w[j])).collect()
}

/// One entry of a matrix product over `n` terms `a(k) b(k)`: one accumulator from `+0`, ascending, fused.
pub fn product_entry(n: usize, a: impl Fn(usize) -> f64, b: impl Fn(usize) -> f64) -> f64 {
    (0..n).fold(0.0, |s, k| a(k).mul_add(b(k), s))
}

/// One entry of a matrix product whose contracted axis is the row axis: [`product_entry`] per chunk, the chunks by the tree.
pub fn product_entry_over_rows(n: usize, a: impl Fn(usize) -> f64, b: impl Fn(usize) -> f64) -> f64 {
    let mut partials = vec![0.0; n.div_ceil(CHUNK)];
    for k in 0..n {
        let s: &mut f64 = &mut partials[k / CHUNK];
        *s = a(k).mul_add(b(k), *s);
    }
    combine_scalars(&mut partials)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole numbers whose sums are exact in any order.
    fn whole(n: usize) -> Vec<f64> {
        (0..n).map(|i| (i * 37 % 101) as f64 - 50.0).collect()
    }

    #[test]
    fn exact_sums_come_out_at_every_length() {
        for n in (0..40).chain([1023, 1024, 1025, 2048, 3071, 5000, 9 * 1024 + 3]) {
            let x = whole(n);
            let y: Vec<f64> = x.iter().rev().copied().collect();
            assert_eq!(sum(&x), x.iter().sum::<f64>(), "sum of {n}");
            let want: f64 = x.iter().zip(&y).map(|(a, b)| a * b).sum();
            assert_eq!(dot(&x, &y), want, "dot of {n}");
            assert_eq!(product_entry(n, |k| x[k], |k| y[k]), want);
            assert_eq!(product_entry_over_rows(n, |k| x[k], |k| y[k]), want);
            assert_eq!(along(n, |k| x[k], |k| y[k]), want);
        }
    }

    #[test]
    fn the_order_is_the_documented_one() {
        // 2^53 absorbs a lone 1, so the result shows which elements met first.
        let big = 9007199254740992.0;
        // Class 0 holds big, 1, -big: the 1 is lost. In class 1 it survives.
        let mut x = vec![0.0; 24];
        (x[0], x[8], x[16]) = (big, 1.0, -big);
        assert_eq!(sum(&x), 0.0);
        (x[8], x[9]) = (0.0, 1.0);
        assert_eq!(sum(&x), 1.0);
        // Halving: s0 meets s4 before s2, and {0, 4, 2, 6} before {1, 5, 3, 7}.
        assert_eq!(halve(&[big, 0.0, 1.0, 0.0, -big, 0.0, 0.0, 0.0]), 1.0);
        assert_eq!(halve(&[big, 0.0, -big, 0.0, 1.0, 0.0, 0.0, 0.0]), 0.0);
        assert_eq!(halve(&[big, 1.0, -big, 0.0, 0.0, 0.0, 0.0, 0.0]), 1.0);
        assert_eq!(halve(&[big, -big, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]), 0.0);
        // The tree over five chunks: ((0+1)+(2+3))+4.
        assert_eq!(combine_scalars(&mut [big, -big, 1.0, 0.0, 0.0]), 1.0);
        assert_eq!(combine_scalars(&mut [big, 1.0, -big, 0.0, 0.0]), 0.0);
        assert_eq!(combine_scalars(&mut [big, 0.0, 0.0, -big, 1.0]), 1.0);
        assert_eq!(combine_scalars(&mut [big, 0.0, 0.0, 1.0, -big]), 0.0);
        // A new chunk starts anew at 1024.
        let mut x = vec![0.0; 2048];
        (x[0], x[1016], x[1024]) = (big, -big, 1.0);
        assert_eq!(sum(&x), 1.0);
        (x[0], x[1016], x[1024], x[1032]) = (big, 0.0, 1.0, -big);
        assert_eq!(sum(&x), 1.0);
    }

    #[test]
    fn contractions_are_fused() {
        // (1 + 2^-30)^2 - 1 - 2^-29 is 2^-60, which only a fused step keeps.
        let a = 1.0 + f64::powi_exact(-30);
        let (x, y) = ([-1.0 - f64::powi_exact(-29), a], [1.0, a]);
        assert_eq!(along(2, |i| x[i], |i| y[i]), f64::powi_exact(-60));
        assert_eq!(product_entry(2, |i| x[i], |i| y[i]), f64::powi_exact(-60));
        let mut long = ([0.0; 9], [0.0; 9]);
        (long.0[0], long.1[0], long.0[8], long.1[8]) = (x[0], y[0], x[1], y[1]);
        assert_eq!(dot(&long.0, &long.1), f64::powi_exact(-60));
    }

    /// `2^n` from its bits.
    trait PowerOfTwo {
        fn powi_exact(n: i64) -> f64;
    }
    impl PowerOfTwo for f64 {
        fn powi_exact(n: i64) -> f64 {
            f64::from_bits(((n + 1023) as u64) << 52)
        }
    }

    #[test]
    fn sums_of_log1p_keep_relative_accuracy() {
        // 3,000 ln 2 overflows as one product; tiny terms vanish beside 1.
        let n = 3000.0;
        assert!((sum_log1p(&vec![1.0; 3000]) / (n * std::f64::consts::LN_2) - 1.0).abs() < 1e-15);
        assert!((sum_log1p(&vec![1e-20; 3000]) / (n * 1e-20) - 1.0).abs() < 1e-14);
        let e: Vec<f64> = (1..=2000).map(|i| 1.0 / f64::from(i)).collect();
        // The product of (i + 1) / i for i up to 2000 is 2001; its logarithm from Python's math.log.
        assert!((sum_log1p(&e) - 7.601402334583733).abs() < 1e-13);
    }

    #[test]
    fn a_matrix_times_a_vector() {
        assert_eq!(matvec(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 10.0, 100.0]), [321.0, 654.0]);
        // A product of one term keeps the sign of zero: the accumulator does not start from +0.
        assert!(matvec(&[-0.0], &[1.0])[0].is_sign_negative());
    }
}
