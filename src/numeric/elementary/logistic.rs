//! The functions around the logistic curve: sigmoid, softplus, tanh. All are stable over the whole line.
//!
//! They are made of `exp(-|x|)` and `log1p`, so a program that needs several of them can share those.

use super::exponential::{exp_below, expm1};
use super::logarithm::log1p_unit;
use super::number::{Number, Truth};

/// `e^-|x|`, the same bits as `exp` of it.
#[inline(always)]
pub fn exp_neg_abs<P: Number>(x: P) -> P {
    exp_below(-x.abs())
}

/// `1 / (1 + e^-x)`, at most 2 ulp, also far below zero.
#[inline(always)]
pub fn sigmoid<P: Number>(x: P) -> P {
    sigmoid_of(x, exp_neg_abs(x))
}

/// `sigmoid(x)` from `e = exp(-|x|)`.
#[inline(always)]
pub fn sigmoid_of<P: Number>(x: P, e: P) -> P {
    x.lt(0.0).select(e, P::splat(1.0)) / (e + 1.0)
}

/// `ln(1 + e^x)` as `max(x, 0) + log1p(exp(-|x|))`, at most 2 ulp.
#[inline(always)]
pub fn softplus<P: Number>(x: P) -> P {
    softplus_of(x, exp_neg_abs(x))
}

/// `softplus(x)` from `e = exp(-|x|)`.
#[inline(always)]
pub(super) fn softplus_of<P: Number>(x: P, e: P) -> P {
    x.at_least(0.0) + log1p_unit(e)
}

/// The hyperbolic tangent, at most 2 ulp. With `t = e^(2|x|) - 1` it is `t / (t + 2)`, and from `t = 2` on `1 - 2 / (t + 2)`, which rounds less.
#[inline(always)]
pub fn tanh<P: Number>(x: P) -> P {
    let t = expm1((x.abs() + x.abs()).at_most(44.0));
    let large = t.ge(2.0);
    let quotient = large.select(P::splat(2.0), t) / (t + 2.0);
    large.select(P::splat(1.0) - quotient, quotient).copysign(x)
}
