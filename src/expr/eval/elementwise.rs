//! Operations on single numbers, and how shapes stretch around them.
//!
//! It does not reduce anything.

use ndarray::{ArrayViewD, IxDyn, Zip};

use super::Tensor;
use crate::expr::op::{Binary, Unary};
use crate::numeric::elementary;

/// The value of an elementwise operation of one number.
pub fn unary(op: Unary, x: f64) -> f64 {
    match op {
        Unary::Abs => x.abs(),
        Unary::Acos => elementary::acos(x),
        Unary::Asin => elementary::asin(x),
        Unary::Atan => elementary::atan(x),
        Unary::Ceil => x.ceil(),
        Unary::Cos => elementary::cos(x),
        Unary::Cosh => elementary::cosh(x),
        Unary::Erf => elementary::erf(x),
        Unary::Exp => elementary::exp(x),
        Unary::ExpNegAbs => elementary::exp_neg_abs(x),
        Unary::Expm1 => elementary::expm1(x),
        Unary::Floor => x.floor(),
        Unary::Log => elementary::ln(x),
        Unary::Log10 => elementary::log10(x),
        Unary::Log1p => elementary::log1p(x),
        Unary::Log2 => elementary::log2(x),
        Unary::Neg => -x,
        Unary::NormRoot | Unary::Sqrt => x.sqrt(),
        Unary::Not => truth(x == 0.0),
        // NaN stays NaN, and -0 becomes +0.
        Unary::Relu => binary(Binary::Maximum, 0.0, x),
        Unary::Round => x.round_ties_even(),
        Unary::Sigmoid => elementary::sigmoid(x),
        Unary::SigmoidSlope => {
            let e = elementary::exp_neg_abs(x);
            let d = 1.0 + e;
            e / (d * d)
        }
        Unary::Sign => {
            if x.is_nan() {
                x
            } else {
                truth(x > 0.0) - truth(x < 0.0)
            }
        }
        Unary::Sin => elementary::sin(x),
        Unary::Sinh => elementary::sinh(x),
        Unary::Softplus => elementary::softplus(x),
        Unary::Square => x * x,
        Unary::Tan => elementary::tan(x),
        Unary::Tanh => elementary::tanh(x),
        Unary::TanhSlope => {
            let e = elementary::exp_neg_abs(2.0 * x);
            let d = 1.0 + e;
            4.0 * e / (d * d)
        }
    }
}

/// The value of an elementwise operation of two numbers.
///
/// `Maximum` and `Minimum` are NaN when one side is, and +0 counts as larger than -0, so that the order of the sides never matters.
/// `Mod` is NumPy's: exact, with the sign of `b`, also where it is 0. Everything but 0 is true, NaN included.
pub fn binary(op: Binary, a: f64, b: f64) -> f64 {
    match op {
        Binary::Add => a + b,
        Binary::And => truth(a != 0.0 && b != 0.0),
        Binary::Div => a / b,
        Binary::Eq => truth(a == b),
        Binary::Le => truth(a <= b),
        Binary::Lt => truth(a < b),
        Binary::Maximum => larger(a, b),
        Binary::Minimum => -larger(-a, -b),
        Binary::Mod => {
            let r = a % b;
            if r == 0.0 {
                r.copysign(b)
            } else if (r < 0.0) == (b < 0.0) {
                r
            } else {
                r + b
            }
        }
        Binary::Mul => a * b,
        Binary::Ne => truth(a != b),
        Binary::Or => truth(a != 0.0 || b != 0.0),
        Binary::Pow => elementary::pow(a, b),
        Binary::Sub => a - b,
        Binary::Xlogy => {
            if a == 0.0 {
                0.0
            } else {
                a * elementary::ln(b)
            }
        }
    }
}

fn truth(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a > b || (a == b && b.is_sign_negative()) {
        a
    } else {
        b
    }
}

/// An operation of two arrays that stretch to the same sizes.
pub(super) fn zip(a: &Tensor, b: &Tensor, sizes: &IxDyn, f: impl Fn(f64, f64) -> f64) -> Tensor {
    Zip::from(view(a, sizes)).and(view(b, sizes)).map_collect(|&a, &b| f(a, b)).as_standard_layout().into_owned()
}

/// `a` where the condition is not 0, else `b`.
pub(super) fn select(condition: &Tensor, a: &Tensor, b: &Tensor, sizes: &IxDyn) -> Tensor {
    Zip::from(view(condition, sizes))
        .and(view(a, sizes))
        .and(view(b, sizes))
        .map_collect(|&c, &a, &b| if c == 0.0 { b } else { a })
        .as_standard_layout()
        .into_owned()
}

/// The array repeated up to the sizes.
pub(super) fn stretch(a: &Tensor, sizes: &IxDyn) -> Tensor {
    view(a, sizes).as_standard_layout().into_owned()
}

fn view<'a>(a: &'a Tensor, sizes: &IxDyn) -> ArrayViewD<'a, f64> {
    a.broadcast(sizes.clone()).expect("internal: shapes were checked to stretch")
}
