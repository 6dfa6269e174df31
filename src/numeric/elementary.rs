//! Strict elementary functions: the same bits on every CPU, because they use only operations that IEEE 754 rounds exactly.
//!
//! Here they are functions of one number, anywhere. Programs run the texts that these are made of, [`generic`], in the registers of a CPU level
//! (`run::machine`) or as machine code (`native`): the same operations, hence the same bits.
//! It does not decide where they apply: whether `x^2` is a product is a rewrite rule's matter.

#![allow(clippy::inline_always, reason = "a body must be inlined into a function with target features to be compiled with them")]

mod exponential;
mod logarithm;
mod logistic;
pub mod number;
pub(crate) mod pack;
mod power;
mod trigonometric;

use super::dispatch::Level;
use pack::Pack;

/// The same functions of any kind of [`Number`](number::Number): what a code generator writes down.
pub mod generic {
    pub use super::exponential::{exp, expm1};
    pub use super::logarithm::{ln, log1p, log2, log10};
    pub use super::logistic::{exp_neg_abs, sigmoid, sigmoid_of, softplus, tanh};
    pub use super::power::pow;
    pub use super::trigonometric::{cos, sin};
}

macro_rules! forms {
    ($($(#[$meta:meta])* $name:ident = $function:path;)+) => {$(
        $(#[$meta])*
        pub fn $name(x: f64) -> f64 {
            #[inline(always)]
            fn one(x: f64) -> f64 {
                $function(Pack([x])).0[0]
            }
            crate::dispatch! { fn chosen(x: f64) -> f64 = one; }
            chosen(Level::current(), x)
        }
    )+};
}

forms! {
    /// `e^x`, at most 1 ulp from the correctly rounded value.
    exp = exponential::exp;
    /// `e^x - 1`, at most 2 ulp.
    expm1 = exponential::expm1;
    /// The natural logarithm, at most 1 ulp.
    ln = logarithm::ln;
    /// `ln(1 + x)`, at most 2 ulp.
    log1p = logarithm::log1p;
    /// The logarithm to base 2, at most 1 ulp; exact for powers of two.
    log2 = logarithm::log2;
    /// The logarithm to base 10, at most 1 ulp; exact for powers of ten.
    log10 = logarithm::log10;
    /// `e^-|x|`, the same bits as [`exp`] of it: what sigmoid and softplus share.
    exp_neg_abs = logistic::exp_neg_abs;
    /// `1 / (1 + e^-x)`, at most 2 ulp.
    sigmoid = logistic::sigmoid;
    /// `ln(1 + e^x)`, at most 2 ulp; the same bits as `max(x, 0) + log1p(exp(-|x|))`.
    softplus = logistic::softplus;
    /// The hyperbolic tangent, at most 2 ulp.
    tanh = logistic::tanh;
    /// The sine of an angle in radians, at most 2 ulp.
    sin = trigonometric::sin;
    /// The cosine of an angle in radians, at most 2 ulp.
    cos = trigonometric::cos;
}

/// `x^y` with the special values of C99, at most 2 ulp; a result that is exactly a double comes out exactly.
pub fn pow(x: f64, y: f64) -> f64 {
    #[inline(always)]
    fn one(x: f64, y: f64) -> f64 {
        power::pow(Pack([x]), Pack([y])).0[0]
    }
    crate::dispatch! { fn chosen(x: f64, y: f64) -> f64 = one; }
    chosen(Level::current(), x, y)
}

/// The square root, correctly rounded by the CPU; here so that all of these stand in one place.
#[inline(always)]
pub fn sqrt(x: f64) -> f64 {
    x.sqrt()
}

/// The natural logarithm rounded from a sum of two numbers: the correctly rounded one but for one argument in thousands. It is what the C library
/// of a notebook computes nearly always; [`ln`] is faster.
pub fn ln_rounded(x: f64) -> f64 {
    crate::dispatch! { fn chosen(x: f64) -> f64 = ln_rounded1; }
    chosen(Level::current(), x)
}

#[inline(always)]
fn ln_rounded1(x: f64) -> f64 {
    logarithm::ln_rounded(Pack([x])).0[0]
}

macro_rules! rare {
    ($($(#[$meta:meta])* $name:ident;)+) => {$(
        $(#[$meta])*
        pub fn $name(x: f64) -> f64 {
            libm::$name(x)
        }
    )+};
}

// Seldom used: plain Rust code of the pinned `libm` crate, one number at a time.
rare! {
    /// The tangent.
    tan;
    /// The inverse sine.
    asin;
    /// The inverse cosine.
    acos;
    /// The inverse tangent.
    atan;
    /// The hyperbolic sine.
    sinh;
    /// The hyperbolic cosine.
    cosh;
    /// The error function.
    erf;
}

/// The angle of the point `(x, y)`, between `-pi` and `pi`.
pub fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}
