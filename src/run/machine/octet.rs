//! Arithmetic on eight numbers, in the definitions of [`crate::expr::eval::elementwise`].
//!
//! It knows no memory. What has no vector form here calls the scalar definition eight times.

use crate::expr::eval::elementwise;
use crate::expr::op::{Binary, Unary};
use crate::numeric::Octet;
use crate::numeric::elementary::generic;
use crate::numeric::elementary::number::Truth;
use crate::numeric::vector::Vector;

#[inline(always)]
pub(super) fn map(a: Octet, f: impl Fn(f64) -> f64) -> Octet {
    let mut out = [0.0; 8];
    for p in 0..8 {
        out[p] = f(a[p]);
    }
    out
}

#[inline(always)]
pub(super) fn zip(a: Octet, b: Octet, f: impl Fn(f64, f64) -> f64) -> Octet {
    let mut out = [0.0; 8];
    for p in 0..8 {
        out[p] = f(a[p], b[p]);
    }
    out
}

/// `a*b + c`, rounded once.
#[inline(always)]
pub(super) fn fma(a: Octet, b: Octet, c: Octet) -> Octet {
    let mut out = [0.0; 8];
    for p in 0..8 {
        out[p] = a[p].mul_add(b[p], c[p]);
    }
    out
}

#[inline(always)]
pub(super) fn add(a: Octet, b: Octet) -> Octet {
    zip(a, b, |a, b| a + b)
}

#[inline(always)]
pub(super) fn sub(a: Octet, b: Octet) -> Octet {
    zip(a, b, |a, b| a - b)
}

#[inline(always)]
fn truth(yes: bool) -> f64 {
    if yes { 1.0 } else { 0.0 }
}

#[inline(always)]
fn larger1(a: f64, b: f64) -> f64 {
    let first = (a > b) | ((a == b) & b.is_sign_negative());
    let larger = if first { a } else { b };
    if a.is_nan() { a } else { larger }
}

/// The larger; NaN if one is, and +0 above -0.
#[inline(always)]
pub(super) fn larger(a: Octet, b: Octet) -> Octet {
    zip(a, b, larger1)
}

/// The smaller, likewise.
#[inline(always)]
pub(super) fn smaller(a: Octet, b: Octet) -> Octet {
    zip(a, b, |a, b| -larger1(-a, -b))
}

/// The sum of eight classes in the order of [`crate::numeric::sums::halve`], for each lane.
#[inline(always)]
pub(super) fn halving(s: &[Octet; 8]) -> Octet {
    add(add(add(s[0], s[4]), add(s[2], s[6])), add(add(s[1], s[5]), add(s[3], s[7])))
}

/// A function of one octet, as a type, so that it is inlined wherever it is used.
pub(super) trait Map1 {
    fn at(x: Octet) -> Octet;
}

/// A function of two octets.
pub(super) trait Map2 {
    fn at(a: Octet, b: Octet) -> Octet;
}

macro_rules! unaries {
    ($(($name:ident, $x:ident, $value:expr)),+ $(,)?) => {$(
        pub(super) struct $name;
        impl Map1 for $name {
            #[inline(always)]
            fn at($x: Octet) -> Octet {
                $value
            }
        }
    )+};
}

macro_rules! binaries {
    ($(($name:ident, $a:ident, $b:ident, $value:expr)),+ $(,)?) => {$(
        pub(super) struct $name;
        impl Map2 for $name {
            #[inline(always)]
            fn at($a: Octet, $b: Octet) -> Octet {
                $value
            }
        }
    )+};
}

unaries! {
    (Abs, x, map(x, f64::abs)),
    (Ceil, x, map(x, f64::ceil)),
    (Floor, x, map(x, f64::floor)),
    (Neg, x, map(x, |x| -x)),
    (Not, x, map(x, |x| truth(x == 0.0))),
    (Relu, x, larger([0.0; 8], x)),
    (Round, x, map(x, f64::round_ties_even)),
    (Sign, x, map(x, |x| if x.is_nan() { x } else { truth(x > 0.0) - truth(x < 0.0) })),
    (Sqrt, x, map(x, f64::sqrt)),
    (Square, x, zip(x, x, |a, b| a * b)),
}

binaries! {
    (Add, a, b, add(a, b)),
    (And, a, b, zip(a, b, |a, b| truth(a != 0.0) * truth(b != 0.0))),
    (Div, a, b, zip(a, b, |a, b| a / b)),
    (Eq, a, b, zip(a, b, |a, b| truth(a == b))),
    (Le, a, b, zip(a, b, |a, b| truth(a <= b))),
    (Lt, a, b, zip(a, b, |a, b| truth(a < b))),
    (Maximum, a, b, larger(a, b)),
    (Minimum, a, b, smaller(a, b)),
    (Mul, a, b, zip(a, b, |a, b| a * b)),
    (Ne, a, b, zip(a, b, |a, b| truth(a != b))),
    (Or, a, b, zip(a, b, |a, b| 1.0 - truth(a == 0.0) * truth(b == 0.0))),
    (Sub, a, b, sub(a, b)),
}

/// An elementary function, as a type.
pub(super) trait Function {
    fn at<V: Vector>(x: V) -> V;
}

macro_rules! functions {
    ($(($name:ident, $x:ident, $value:expr)),+ $(,)?) => {$(
        pub(super) struct $name;
        impl Function for $name {
            #[inline(always)]
            fn at<V: Vector>($x: V) -> V {
                $value
            }
        }
    )+};
}

functions! {
    (Cos, x, generic::cos(x)),
    (Exp, x, generic::exp(x)),
    (ExpNegAbs, x, generic::exp_neg_abs(x)),
    (Expm1, x, generic::expm1(x)),
    (Log, x, generic::ln(x)),
    (Log10, x, generic::log10(x)),
    (Log1p, x, generic::log1p(x)),
    (Log2, x, generic::log2(x)),
    (Sigmoid, x, generic::sigmoid(x)),
    (SigmoidSlope, x, slope(generic::exp_neg_abs(x), 1.0)),
    (Sin, x, generic::sin(x)),
    (Softplus, x, generic::softplus(x)),
    (Tanh, x, generic::tanh(x)),
    (TanhSlope, x, slope(generic::exp_neg_abs(x + x), 4.0)),
}

/// An elementary function of two octets, as a type.
pub(super) trait Function2 {
    fn at<V: Vector>(a: V, b: V) -> V;
}

pub(super) struct Pow;

impl Function2 for Pow {
    #[inline(always)]
    fn at<V: Vector>(a: V, b: V) -> V {
        generic::pow(a, b)
    }
}

pub(super) struct Xlogy;

impl Function2 for Xlogy {
    #[inline(always)]
    fn at<V: Vector>(a: V, b: V) -> V {
        a.is(0.0).select(V::splat(0.0), a * generic::ln(b))
    }
}

pub(super) struct SigmoidOf;

impl Function2 for SigmoidOf {
    #[inline(always)]
    fn at<V: Vector>(z: V, e: V) -> V {
        generic::sigmoid_of(z, e)
    }
}

/// `factor e/(1 + e)^2`.
#[inline(always)]
fn slope<V: Vector>(e: V, factor: f64) -> V {
    let d = e + 1.0;
    e * factor / (d * d)
}

/// A rare operation, number by number.
#[inline(never)]
pub(super) fn rare1(op: Unary, x: Octet) -> Octet {
    x.map(|x| elementwise::unary(op, x))
}

/// A rare operation, number by number.
#[inline(never)]
pub(super) fn rare2(op: Binary, a: Octet, b: Octet) -> Octet {
    std::array::from_fn(|p| elementwise::binary(op, a[p], b[p]))
}
