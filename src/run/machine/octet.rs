//! Arithmetic on eight numbers, in the definitions of [`crate::expr::eval::elementwise`].
//!
//! It knows no memory. What has no vector form here calls the scalar definition eight times.

use crate::expr::eval::elementwise;
use crate::expr::op::{Binary, Unary};
use crate::numeric::Octet;
use crate::numeric::elementary as e;

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
    (Cos, x, e::cos8(x)),
    (Exp, x, e::exp8(x)),
    (ExpNegAbs, x, e::exp_neg_abs8(x)),
    (Expm1, x, e::expm1_8(x)),
    (Floor, x, map(x, f64::floor)),
    (Log, x, e::ln8(x)),
    (Log10, x, e::log10_8(x)),
    (Log1p, x, e::log1p_8(x)),
    (Log2, x, e::log2_8(x)),
    (Neg, x, map(x, |x| -x)),
    (Not, x, map(x, |x| truth(x == 0.0))),
    (Relu, x, larger([0.0; 8], x)),
    (Round, x, map(x, f64::round_ties_even)),
    (Sigmoid, x, e::sigmoid8(x)),
    (SigmoidSlope, x, {
        let e = e::exp_neg_abs8(x);
        let d = map(e, |e| 1.0 + e);
        zip(e, d, |e, d| e / (d * d))
    }),
    (Sign, x, map(x, |x| if x.is_nan() { x } else { truth(x > 0.0) - truth(x < 0.0) })),
    (Sin, x, e::sin8(x)),
    (Softplus, x, e::softplus8(x)),
    (Sqrt, x, map(x, f64::sqrt)),
    (Square, x, zip(x, x, |a, b| a * b)),
    (Tanh, x, e::tanh8(x)),
    (TanhSlope, x, {
        let e = e::exp_neg_abs8(map(x, |x| 2.0 * x));
        let d = map(e, |e| 1.0 + e);
        zip(e, d, |e, d| 4.0 * e / (d * d))
    }),
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
    (Pow, a, b, e::pow8(a, b)),
    (SigmoidOf, z, e, e::sigmoid_of8(z, e)),
    (Sub, a, b, sub(a, b)),
    (Xlogy, a, b, {
        let product = zip(a, e::ln8(b), |a, l| a * l);
        zip(a, product, |a, product| if a == 0.0 { 0.0 } else { product })
    }),
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
