//! Poisson counts from uniform numbers, as NumPy's legacy generator makes them; both kinds of streams use it.
//!
//! It draws nothing itself.

use super::elementary::{exp, ln, sqrt};

/// A Poisson count from uniform numbers, or `None` when the mean is negative, not a number or above `1e15`.
pub(super) fn poisson(mean: f64, uniform: impl FnMut() -> f64) -> Option<f64> {
    if mean == 0.0 {
        Some(0.0)
    } else if mean > 0.0 && mean < 10.0 {
        Some(by_products(mean, uniform))
    } else if (10.0..=1e15).contains(&mean) {
        Some(by_rejection(mean, uniform))
    } else {
        None
    }
}

/// How many uniform numbers can be multiplied before the product is at most `exp(-mean)`.
fn by_products(mean: f64, mut uniform: impl FnMut() -> f64) -> f64 {
    let floor = exp(-mean);
    let mut product = 1.0;
    let mut count = 0.0;
    loop {
        product *= uniform();
        if product <= floor {
            return count;
        }
        count += 1.0;
    }
}

/// W. Hörmann, "The transformed rejection method for generating Poisson random variables" (1993), algorithm PTRS.
fn by_rejection(mean: f64, mut uniform: impl FnMut() -> f64) -> f64 {
    let log_mean = ln(mean);
    let b = 0.931 + 2.53 * sqrt(mean);
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let v_r = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let u = uniform() - 0.5;
        let v = uniform();
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
        if us >= 0.07 && v <= v_r {
            return k;
        }
        if k < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        if ln(v) + ln(inverse_alpha) - ln(a / (us * us) + b) <= -mean + k * log_mean - ln_gamma(k + 1.0) {
            return k;
        }
    }
}

/// The logarithm of the gamma function for a whole `x >= 1`: Stirling's series, from 7 on.
fn ln_gamma(x: f64) -> f64 {
    #[allow(clippy::excessive_precision, reason = "the coefficients as NumPy writes them")]
    const SERIES: [f64; 10] = [
        8.333333333333333e-02,
        -2.777777777777778e-03,
        7.936507936507937e-04,
        -5.952380952380952e-04,
        8.417508417508418e-04,
        -1.917526917526918e-03,
        6.410256410256410e-03,
        -2.955065359477124e-02,
        1.796443723688307e-01,
        -1.3924322169059e+00,
    ];
    const LN_2_PI: f64 = 1.8378770664093453;
    if x == 1.0 || x == 2.0 {
        return 0.0;
    }
    let steps = if x < 7.0 { 7.0 - x } else { 0.0 };
    let mut from = x + steps;
    let inverse_square = (1.0 / from) * (1.0 / from);
    let series = SERIES.iter().rev().copied().reduce(|sum, c| sum * inverse_square + c).unwrap_or(0.0);
    let mut value = series / from + 0.5 * LN_2_PI + (from - 0.5) * ln(from) - from;
    while from > x {
        value -= ln(from - 1.0);
        from -= 1.0;
    }
    value
}
