//! `ln`, `log1p`, and the logarithm as a sum `hi + lo` for `pow`, `log2` and `log10`.
//!
//! All split `x = 2^k m` with `m` between `sqrt(1/2)` and `sqrt(2)` and use `ln m = 2 atanh(s)`, `s = f / (2 + f)`, `f = m - 1`;
//! the polynomials are minimax (Remez) fits in `s^2`.

use super::exponential::{LN2_HI, LN2_LO};
use super::number::{Number, Truth, Word};

/// The bits of `sqrt(1/2)`, the least `m`.
const M_MIN: u64 = 0x3fe6_a09e_667f_3bcd;
const MANTISSA: u64 = (1 << 52) - 1;
const TWO_54: f64 = 18014398509481984.0;
const TWO_52_BITS: u64 = 0x4330_0000_0000_0000;
const TWO_52: f64 = 4503599627370496.0;

/// `(2 atanh(s) - 2 s) / s^3` as a polynomial in `s^2`, to `2^-59` of the logarithm, the highest power first.
const ATANH_TAIL: [f64; 7] = [
    0.14795951597206675,
    0.15314050487596384,
    0.18183564323358892,
    0.222221985733468,
    0.2857142874238487,
    0.399999999994147,
    0.6666666666666734,
];

/// `((atanh(s) - s) / s^3 - 1/3) / s^2` as a polynomial in `s^2`, to `2^-80` of the logarithm.
const ATANH_FINE_TAIL: [f64; 9] = [
    0.05506644696913084,
    0.052114534464734526,
    0.05884336826418175,
    0.0666662021990859,
    0.07692308376575173,
    0.09090909084626765,
    0.11111111111145287,
    0.14285714285714188,
    0.2,
];
/// What the number nearest to 1/3 lacks.
const THIRD_LO: f64 = 1.850371707708594e-17;

/// `x = 2^k m` for `x > 0`: the exponent with 1023 added, in the bits, and `m`.
#[inline(always)]
fn split_normal<P: Number>(x: P) -> (P::Bits, P) {
    let moved = x.to_bits().plus(1.0f64.to_bits() - M_MIN);
    (moved.shr(52), moved.and(MANTISSA).plus(M_MIN).to_pack())
}

/// A small whole number in the bits as a float, less 1023.
#[inline(always)]
fn unbias<P: Number>(exponent: P::Bits) -> P {
    exponent.or(TWO_52_BITS).to_pack() - (TWO_52 + 1023.0)
}

/// `x = 2^k m` for any `x > 0`, subnormal numbers included.
#[inline(always)]
fn split<P: Number>(x: P) -> (P, P) {
    let small = x.lt(f64::MIN_POSITIVE);
    let (exponent, m) = split_normal(small.select(x * TWO_54, x));
    (unbias::<P>(exponent) - small.choose(54.0, 0.0), m)
}

/// `k ln 2 + ln(1 + f)`.
#[inline(always)]
fn assemble<P: Number>(k: P, f: P) -> P {
    let s = f / (f + 2.0);
    let z = s * s;
    let tail = z * z.horner(ATANH_TAIL);
    let half_square = f * f * 0.5;
    let small = (-s).fma(half_square + tail, half_square);
    k.fma_by(LN2_HI, f - k.fma_by(-LN2_LO, small))
}

/// The values of a logarithm where the formula does not hold: at 0, below 0, at infinity and NaN.
#[inline(always)]
fn at_edges<P: Number>(argument: P, value: P) -> P {
    let value = argument.lt(f64::INFINITY).select(value, argument);
    let value = argument.is(0.0).select(P::splat(f64::NEG_INFINITY), value);
    argument.lt(0.0).select(P::splat(f64::NAN), value)
}

/// `ln x`, at most 1 ulp from the correctly rounded value.
#[inline(always)]
pub fn ln<P: Number>(x: P) -> P {
    let (k, m) = split(x);
    at_edges(x, assemble(k, m - 1.0))
}

/// `ln x`, rounded from [`ln_sum`].
#[inline(always)]
pub(super) fn ln_rounded<P: Number>(x: P) -> P {
    at_edges(x, ln_sum(x).0)
}

/// `ln(1 + x)`, at most 2 ulp.
#[inline(always)]
pub fn log1p<P: Number>(x: P) -> P {
    let u = x + 1.0;
    let (exponent, m) = split_normal(u);
    // (1 + x) 2^-k - 1 with one rounding; where 2^-k is too small for that, the 1 does not matter.
    let inverse = P::Bits::splat(2046).minus(exponent).shl(52).to_pack();
    let f = u.gt(TWO_54 * 1024.0).select(m - 1.0, x.fma(inverse, inverse - 1.0));
    let value = at_edges(u, assemble(unbias(exponent), f));
    x.abs().lt(f64::EPSILON / 4.0).select(x, value)
}

/// `log1p(e)` for `0 <= e <= 1`, the same bits with less work.
#[inline(always)]
pub(super) fn log1p_unit<P: Number>(e: P) -> P {
    let upper = (e + 1.0).ge(std::f64::consts::SQRT_2);
    let f = upper.select(e.fma_by(0.5, P::splat(-0.5)), e);
    assemble(upper.choose(1.0, 0.0), f)
}

/// `ln x` for finite `x > 0` as `hi + lo`, good to about `2^-65`.
#[inline(always)]
pub(super) fn ln_sum<P: Number>(x: P) -> (P, P) {
    let (k, m) = split(x);
    let f = m - 1.0;
    // s = f / (2 + f), with the divisor and the quotient as sums.
    let divisor = f + 2.0;
    let divisor_lo = f - (divisor - 2.0);
    let inverse = P::splat(1.0) / divisor;
    let s = f * inverse;
    let s_lo = (-s).fma(divisor, f) - s * divisor_lo;
    let s_lo = s_lo * inverse;
    // z = s^2, and c = 1/3 + z * tail.
    let z = s * s;
    let z_lo = (s + s).fma(s_lo, s.fma(s, -z));
    let third = P::splat(1.0 / 3.0);
    let t = z * z.horner(ATANH_FINE_TAIL);
    let c = third + t;
    let c_lo = (t - (c - third)) + THIRD_LO;
    // g = z c, and ln m = 2 s + 2 s g.
    let g = z * c;
    let g_lo = z.fma(c_lo, z_lo.fma(c, z.fma(c, -g)));
    let s2 = s + s;
    let h = s2 * g;
    let h_lo = s2.fma(g_lo, (s_lo + s_lo).fma(g, s2.fma(g, -h)));
    // k ln 2 + 2 s + h, the large one first.
    let base = k * LN2_HI;
    let base_lo = k.fma_by(LN2_HI, -base) + k * LN2_LO;
    let (sum, sum_lo) = two_sum(base, s2);
    let (hi, hi_lo) = two_sum(sum, h);
    let lo = hi_lo + (sum_lo + (base_lo + (h_lo + (s_lo + s_lo))));
    let top = hi + lo;
    (top, lo - (top - hi))
}

/// `a + b` and what the rounding lost.
#[inline(always)]
pub(super) fn two_sum<P: Number>(a: P, b: P) -> (P, P) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// `1 / ln 2` and `1 / ln 10` as sums.
const LOG2_E: (f64, f64) = (std::f64::consts::LOG2_E, 2.0355273740931033e-17);
const LOG10_E: (f64, f64) = (std::f64::consts::LOG10_E, 1.098319650216765e-17);

#[inline(always)]
fn in_base<P: Number>(x: P, factor: (f64, f64)) -> P {
    let (hi, lo) = ln_sum(x);
    let product = hi * factor.0;
    let product_lo = hi.fma_by(factor.0, -product) + (hi * factor.1 + lo * factor.0);
    at_edges(x, product + product_lo)
}

/// The logarithm to base 2, at most 1 ulp; exact for powers of two.
#[inline(always)]
pub fn log2<P: Number>(x: P) -> P {
    in_base(x, LOG2_E)
}

/// The logarithm to base 10, at most 1 ulp; exact for powers of ten.
#[inline(always)]
pub fn log10<P: Number>(x: P) -> P {
    in_base(x, LOG10_E)
}
