//! `exp` and `expm1`, and the exponential of a sum `hi + lo` that `pow` needs.
//!
//! All reduce `x = n ln 2 + r` with `|r| <= ln 2 / 2`; the polynomials are minimax (Remez) fits of `(e^r - 1 - r) / r^2`.

use super::number::{Number, Truth, Word};

/// `1.5 * 2^52`: adding it rounds a number below `2^51` to a whole one, which then stands in the low bits.
pub(super) const ROUNDER: f64 = 6755399441055744.0;
/// `ln 2` to 106 bits.
pub(super) const LN2_HI: f64 = std::f64::consts::LN_2;
/// What `LN2_HI` lacks.
pub(super) const LN2_LO: f64 = 2.3190468138462996e-17;
/// Above this `exp` overflows, below the other it is zero; between them the exponent stays within what two factors can scale.
const EXP_MAX: f64 = 710.0;
const EXP_MIN: f64 = -746.0;

/// `(e^r - 1 - r) / r^2` to `2^-58` of `e^r`, the highest power first.
const EXP_TAIL: [f64; 10] = [
    2.511788007230304e-08,
    2.763126593710449e-07,
    2.7557216234194515e-06,
    2.4801489980331233e-05,
    0.00019841269917463862,
    0.0013888888946981372,
    0.008333333333307168,
    0.04166666666651554,
    0.166666666666667,
    0.5000000000000012,
];

/// The same to `2^-61` of `e^r - 1`, the coefficients of even powers and those of odd powers.
const EXPM1_EVEN: [f64; 6] =
    [2.0924468195479392e-09, 2.755724266317826e-07, 2.480158736069616e-05, 0.0013888888888866746, 0.0416666666666667, 0.5];
const EXPM1_ODD: [f64; 5] =
    [2.510903350203566e-08, 2.755724421199159e-06, 0.0001984126988613149, 0.008333333333321626, 0.16666666666666677];

/// `x = n ln 2 + r`.
struct Reduced<P: Number> {
    /// `n + ROUNDER`: the whole number in the low bits.
    shifted: P,
    /// `n`.
    n: P,
    /// `x - n LN2_HI`, exact.
    high: P,
    /// `r` rounded.
    r: P,
}

impl<P: Number> Reduced<P> {
    #[inline(always)]
    fn of(x: P) -> Self {
        let shifted = x.fma_by(std::f64::consts::LOG2_E, P::splat(ROUNDER));
        let n = shifted - ROUNDER;
        let high = n.fma_by(-LN2_HI, x);
        let r = n.fma_by(-LN2_LO, high);
        Reduced { shifted, n, high, r }
    }

    /// What `r` lost by its rounding.
    #[inline(always)]
    fn lost(&self) -> P {
        self.n.fma_by(-LN2_LO, self.high - self.r)
    }

    /// `value * 2^n` for `-1100 < n < 1100`, rounded once: in two steps, because `2^n` itself may not be a normal number.
    #[inline(always)]
    fn scale(&self, value: P) -> P {
        let biased = self.shifted.to_bits().plus(2046u64.wrapping_sub(ROUNDER.to_bits()));
        let half = biased.shr(1).and(0x7ff);
        let rest = biased.minus(half);
        value * half.shl(52).to_pack() * rest.shl(52).to_pack()
    }
}

/// `e^x`, at most 1 ulp from the correctly rounded value.
#[inline(always)]
pub fn exp<P: Number>(x: P) -> P {
    exp_below(x.at_most(EXP_MAX))
}

/// `e^x` for `x <= EXP_MAX`.
#[inline(always)]
pub(super) fn exp_below<P: Number>(x: P) -> P {
    let reduced = Reduced::of(x.at_least(EXP_MIN));
    let one = P::splat(1.0);
    let tail = reduced.r.horner(EXP_TAIL);
    reduced.scale(tail.fma(reduced.r, one).fma(reduced.r, one))
}

/// `e^(hi + lo)` for `|lo|` below a few ulps of `hi`; what comes before the last rounding is good to about 0.1 ulp, so exact results are exact.
#[inline(always)]
pub(super) fn exp_sum<P: Number>(hi: P, lo: P) -> P {
    let clamped = hi.at_most(EXP_MAX).at_least(EXP_MIN);
    let lo = clamped.equals(hi).select(lo, P::splat(0.0));
    let reduced = Reduced::of(clamped);
    // `lo` may be many ulps of the result, so it has to go through the polynomial.
    let add = reduced.lost() + lo;
    let r = reduced.r + add;
    let rest = add - (r - reduced.r);
    let square = r * r;
    let tail = square.fma(r.horner_halves(square, EXPM1_EVEN, EXPM1_ODD), rest.fma(r, rest));
    let whole = r + 1.0;
    let carried = r - (whole - 1.0);
    reduced.scale(whole + (carried + tail))
}

/// `e^x - 1`, at most 2 ulp.
#[inline(always)]
pub fn expm1<P: Number>(x: P) -> P {
    let reduced = Reduced::of(x.at_most(EXP_MAX).at_least(-60.0));
    let r = reduced.r;
    let lost = reduced.lost();
    let square = r * r;
    // A difference and not a sum: the vectoriser tries both orders of a sum, and loses its way in this one.
    let part = r - square.fma(-r.horner_halves(square, EXPM1_EVEN, EXPM1_ODD), -lost);
    // Half of the power of two, because 2^1024 is not a number.
    let half = reduced.shifted.to_bits().plus(1022u64.wrapping_sub(ROUNDER.to_bits())).shl(52).to_pack();
    let value = half.fma(part, half - 0.5) * 2.0;
    x.abs().lt(f64::EPSILON / 4.0).select(x, value)
}
