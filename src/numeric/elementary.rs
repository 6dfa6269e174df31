//! Strict elementary functions: the same bits on every CPU, because they use only operations that IEEE 754 rounds exactly.
//!
//! Each comes in three forms with the same bits. `exp(x)` is for one number, anywhere. `exp8(x)` is for an [`Octet`] and `exp1(x)` for one number
//! inside a function that [`dispatch!`](crate::dispatch) compiled for a CPU level: both are inlined there and become vector instructions.
//! It does not decide where they apply: whether `x^2` is a product is a rewrite rule's matter.

#![allow(clippy::inline_always, reason = "a body must be inlined into a function with target features to be compiled with them")]

mod exponential;
mod logarithm;
mod logistic;
pub mod number;
mod pack;
mod power;
mod trigonometric;

use super::Octet;
use super::dispatch::Level;
use pack::Pack;

/// The same functions of any kind of [`Number`](number::Number): what a code generator writes down.
pub mod generic {
    pub use super::exponential::{exp, expm1};
    pub use super::logarithm::{ln, log1p, log2, log10};
    pub use super::logistic::{exp_neg_abs, sigmoid, softplus, tanh};
    pub use super::power::pow;
    pub use super::trigonometric::{cos, sin};
}

/// Keeps the compiler from turning a loop over octets by its side (the first lanes of eight octets, then the second ones, ..), which costs
/// gathers and three times the time. It is a fence for the optimiser and no instruction.
#[inline(always)]
fn one_octet_at_a_time() {
    std::hint::black_box(());
}

macro_rules! forms {
    ($($(#[$meta:meta])* $name:ident $one:ident $eight:ident = $function:path;)+) => {$(
        $(#[$meta])*
        pub fn $name(x: f64) -> f64 {
            crate::dispatch! { fn chosen(x: f64) -> f64 = $one; }
            chosen(Level::current(), x)
        }

        #[doc = concat!("[`", stringify!($name), "`] of one number, inlined.")]
        #[inline(always)]
        pub fn $one(x: f64) -> f64 {
            $function(Pack([x])).0[0]
        }

        #[doc = concat!("[`", stringify!($name), "`] of eight numbers, inlined.")]
        #[inline(always)]
        pub fn $eight(x: Octet) -> Octet {
            one_octet_at_a_time();
            $function(Pack(x)).0
        }
    )+};
}

forms! {
    /// `e^x`, at most 1 ulp from the correctly rounded value.
    exp exp1 exp8 = exponential::exp;
    /// `e^x - 1`, at most 2 ulp.
    expm1 expm1_1 expm1_8 = exponential::expm1;
    /// The natural logarithm, at most 1 ulp.
    ln ln1 ln8 = logarithm::ln;
    /// `ln(1 + x)`, at most 2 ulp.
    log1p log1p_1 log1p_8 = logarithm::log1p;
    /// The logarithm to base 2, at most 1 ulp; exact for powers of two.
    log2 log2_1 log2_8 = logarithm::log2;
    /// The logarithm to base 10, at most 1 ulp; exact for powers of ten.
    log10 log10_1 log10_8 = logarithm::log10;
    /// `e^-|x|`, the same bits as [`exp`] of it: what sigmoid and softplus share.
    exp_neg_abs exp_neg_abs1 exp_neg_abs8 = logistic::exp_neg_abs;
    /// `1 / (1 + e^-x)`, at most 2 ulp.
    sigmoid sigmoid1 sigmoid8 = logistic::sigmoid;
    /// `ln(1 + e^x)`, at most 2 ulp; the same bits as `max(x, 0) + log1p(exp(-|x|))`.
    softplus softplus1 softplus8 = logistic::softplus;
    /// `ln(sigmoid(x))`, at most 2 ulp; the same bits as `-softplus(-x)`.
    log_sigmoid log_sigmoid1 log_sigmoid8 = logistic::log_sigmoid;
    /// The hyperbolic tangent, at most 2 ulp.
    tanh tanh1 tanh8 = logistic::tanh;
    /// The sine of an angle in radians, at most 2 ulp.
    sin sin1 sin8 = trigonometric::sin;
    /// The cosine of an angle in radians, at most 2 ulp.
    cos cos1 cos8 = trigonometric::cos;
}

/// `x^y` with the special values of C99, at most 2 ulp; a result that is exactly a double comes out exactly.
pub fn pow(x: f64, y: f64) -> f64 {
    crate::dispatch! { fn chosen(x: f64, y: f64) -> f64 = pow1; }
    chosen(Level::current(), x, y)
}

/// [`pow`] of one number, inlined.
#[inline(always)]
pub fn pow1(x: f64, y: f64) -> f64 {
    power::pow(Pack([x]), Pack([y])).0[0]
}

/// [`pow`] of eight numbers, inlined.
#[inline(always)]
pub fn pow8(x: Octet, y: Octet) -> Octet {
    one_octet_at_a_time();
    // A loop and not a pack: this is too long a chain for the vectoriser of straight code, but not for that of loops.
    let mut out = [0.0; 8];
    for (i, lane) in out.iter_mut().enumerate() {
        *lane = pow1(x[i], y[i]);
    }
    out
}

/// [`sigmoid`] and [`softplus`] of eight numbers with one exponential, the same bits as each alone.
#[inline(always)]
pub fn sigmoid_and_softplus8(x: Octet) -> (Octet, Octet) {
    one_octet_at_a_time();
    let x = Pack(x);
    let e = logistic::exp_neg_abs(x);
    (logistic::sigmoid_of(x, e).0, logistic::softplus_of(x, e).0)
}

/// [`sigmoid`] from `e = exp_neg_abs(x)`, for programs that already have it: the same bits.
#[inline(always)]
pub fn sigmoid_of8(x: Octet, e: Octet) -> Octet {
    one_octet_at_a_time();
    logistic::sigmoid_of(Pack(x), Pack(e)).0
}

/// [`softplus`] from `e = exp_neg_abs(x)`: the same bits.
#[inline(always)]
pub fn softplus_of8(x: Octet, e: Octet) -> Octet {
    one_octet_at_a_time();
    logistic::softplus_of(Pack(x), Pack(e)).0
}

/// The square root, correctly rounded by the CPU; here so that all of these stand in one place.
#[inline(always)]
pub fn sqrt(x: f64) -> f64 {
    x.sqrt()
}

/// [`sqrt`] of eight numbers.
#[inline(always)]
pub fn sqrt8(x: Octet) -> Octet {
    x.map(f64::sqrt)
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
