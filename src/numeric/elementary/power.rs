//! `x^y` for all doubles, whole exponents included: one definition, `exp(y ln |x|)` with the logarithm as a sum of two numbers.
//!
//! Special values are those of IEEE 754 and C99. A result that is exactly a double comes out exactly.

use super::exponential::exp_sum;
use super::logarithm::ln_sum;
use super::number::{Number, Truth, Word};

const TWO_52: f64 = 4503599627370496.0;

/// Where a number `>= 0` is whole.
#[inline(always)]
fn is_whole<P: Number>(y: P) -> P::Mask {
    y.ge(TWO_52) | ((y + TWO_52) - TWO_52).equals(y)
}

/// `x^y`, at most 1 ulp from the correctly rounded value, 2 where the result is subnormal.
#[inline(always)]
pub fn pow<P: Number>(x: P, y: P) -> P {
    let size = x.abs();
    let one = P::splat(1.0);
    let infinity = P::splat(f64::INFINITY);

    // ln |x|, with the limits at 0, infinity and NaN.
    let (ln, ln_lo) = ln_sum(size);
    let ordinary = size.gt(0.0) & size.lt(f64::INFINITY);
    let edge = size.is(0.0).select(-infinity, size);
    let ln = ordinary.select(ln, edge);
    let ln_lo = ordinary.select(ln_lo, P::splat(0.0));

    let product = y * ln;
    let product_lo = y.fma(ln, -product) + y * ln_lo;
    let value = exp_sum(product, product_lo);

    // (-1)^(+-inf) is 1, and so are 1^NaN and NaN^0.
    let value = size.is(1.0).select(y.equals(y).select(one, y), value);
    let whole = is_whole(y.abs());
    let odd = whole & !is_whole(y.abs() * 0.5);
    // The sign bit, so that -0 counts.
    let negative = x.to_bits().has(63);
    let value = (negative & odd).select(-value, value);
    let undefined = x.lt(0.0) & x.gt(f64::NEG_INFINITY) & !whole;
    let value = undefined.select(P::splat(f64::NAN), value);
    (y.is(0.0) | x.is(1.0)).select(one, value)
}
