//! `sin` and `cos`.
//!
//! Up to `2^30` the argument is reduced by `pi/2` in three parts, which is exact enough for every double in that range; beyond it, and for
//! infinities and NaN, the pinned `libm` crate answers, one lane at a time.

use super::exponential::ROUNDER;
use super::logarithm::two_sum;
use super::number::{Number, Truth, Word};

/// `pi/2` to 159 bits.
const HALF_PI: [f64; 3] = [std::f64::consts::FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591698e-33];
const LIMIT: f64 = 1073741824.0;

/// `(sin(r)/r - 1) / r^2` as a polynomial in `r^2`, to `2^-58`, the highest power first.
const SIN_TAIL: [f64; 6] = [
    1.5896827397485523e-10,
    -2.5050758645684298e-08,
    2.755731369519298e-06,
    -0.00019841269829816926,
    0.008333333333322425,
    -0.16666666666666632,
];
/// `(cos(r) - 1 + r^2/2) / r^4` as a polynomial in `r^2`, to `2^-64`.
const COS_TAIL: [f64; 6] = [
    -1.1359669885620942e-11,
    2.0875723685721875e-09,
    -2.75573143552587e-07,
    2.480158728949191e-05,
    -0.0013888888888874138,
    0.0416666666666666,
];

/// `x` less the nearest multiple of `pi/2`, and which quarter turn that was.
struct Turned<P: Number> {
    sin: P,
    cos: P,
    /// Whether sine and cosine change places.
    odd: P::Mask,
    /// The number of quarter turns in the low bits, as the sum of a whole number and `ROUNDER`.
    shifted: P,
}

#[inline(always)]
fn turn<P: Number>(x: P) -> Turned<P> {
    let shifted = x.fma_by(std::f64::consts::FRAC_2_PI, P::splat(ROUNDER));
    let n = shifted - ROUNDER;
    let exact = n.fma_by(-HALF_PI[0], x);
    let product = n * HALF_PI[1];
    let product_lo = n.fma_by(HALF_PI[1], -product) + n * HALF_PI[2];
    let (r, lost) = two_sum(exact, -product);
    let r_lo = lost - product_lo;

    let z = r * r;
    let sin = r + (r * z).fma(z.horner(SIN_TAIL), z.fma_by(-0.5, P::splat(1.0)) * r_lo);
    let half = z * 0.5;
    let near = -half + 1.0;
    let near_lo = (-near + 1.0) - half;
    let cos = near + (near_lo + (z * z).fma(z.horner(COS_TAIL), -(r * r_lo)));
    Turned { sin, cos, odd: shifted.to_bits().has(0), shifted }
}

/// The sine, at most 2 ulp.
#[inline(always)]
pub fn sin<P: Number>(x: P) -> P {
    let turned = turn(x);
    let value = negate_if(turned.shifted.to_bits().has(1), turned.odd.select(turned.cos, turned.sin));
    // Below 2^-26 the sine is its argument; this also keeps the sign of zero.
    let value = x.abs().lt(1.0 / 67108864.0).select(x, value);
    value.unless_beyond(x, LIMIT, libm::sin)
}

/// The cosine, at most 2 ulp.
#[inline(always)]
pub fn cos<P: Number>(x: P) -> P {
    let turned = turn(x);
    let negative = turned.shifted.to_bits().plus(1).has(1);
    let value = negate_if(negative, turned.odd.select(turned.sin, turned.cos));
    value.unless_beyond(x, LIMIT, libm::cos)
}

#[inline(always)]
fn negate_if<P: Number>(mask: P::Mask, x: P) -> P {
    mask.select(-x, x)
}
