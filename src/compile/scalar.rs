//! Elementwise operations as values of a chain, in the definitions of [`crate::expr::eval::elementwise`].
//!
//! What has no chain is refused.

use crate::expr::op::{Binary, Unary};
use crate::native::build::{Builder, Condition};
use crate::native::chain::{Compare, One, Two, Value};

/// An operation of one value.
pub(super) fn unary(b: &Builder, op: Unary, x: Value) -> Option<Value> {
    let zero = b.number(0.0);
    Some(match op {
        Unary::Abs => b.abs(x),
        Unary::Ceil => b.one(One::Ceil, x),
        Unary::Cos => b.cos(x),
        Unary::Exp => b.exp(x),
        Unary::ExpNegAbs => b.exp_neg_abs(x),
        Unary::Expm1 => b.expm1(x),
        Unary::Floor => b.one(One::Floor, x),
        Unary::Log => b.ln(x),
        Unary::Log10 => b.log10(x),
        Unary::Log1p => b.log1p(x),
        Unary::Log2 => b.log2(x),
        Unary::Neg => b.neg(x),
        Unary::NormRoot | Unary::Sqrt => b.one(One::Sqrt, x),
        Unary::Not => truth(b, b.compare(Compare::Equal, x, zero)),
        Unary::Relu => larger(b, zero, x),
        Unary::Round => b.one(One::Round, x),
        Unary::Sigmoid => b.sigmoid(x),
        Unary::SigmoidSlope => slope(b, 1.0, x),
        Unary::Sign => {
            let negative = b.select(b.compare(Compare::Less, x, zero), b.number(-1.0), zero);
            let sign = b.select(b.compare(Compare::Less, zero, x), b.number(1.0), negative);
            b.select(b.compare(Compare::Unordered, x, x), x, sign)
        }
        Unary::Sin => b.sin(x),
        Unary::Softplus => b.softplus(x),
        Unary::Square => b.mul(x, x),
        Unary::Tanh => b.tanh(x),
        Unary::TanhSlope => slope(b, 4.0, b.mul(b.number(2.0), x)),
        Unary::Acos | Unary::Asin | Unary::Atan | Unary::Cosh | Unary::Erf | Unary::Sinh | Unary::Tan => return None,
    })
}

/// `factor e/(1 + e)^2` with `e = exp(-|x|)`.
fn slope(b: &Builder, factor: f64, x: Value) -> Value {
    let e = b.exp_neg_abs(x);
    let d = b.add(b.number(1.0), e);
    b.div(b.mul(b.number(factor), e), b.mul(d, d))
}

/// An operation of two values.
pub(super) fn binary(b: &Builder, op: Binary, x: Value, y: Value) -> Option<Value> {
    Some(match op {
        Binary::Add => b.add(x, y),
        Binary::And => truth(b, b.both(b.is_true(x), b.is_true(y))),
        Binary::Div => b.div(x, y),
        Binary::Eq => truth(b, b.compare(Compare::Equal, x, y)),
        Binary::Le => truth(b, b.compare(Compare::AtMost, x, y)),
        Binary::Lt => truth(b, b.compare(Compare::Less, x, y)),
        Binary::Maximum => larger(b, x, y),
        Binary::Minimum => smaller(b, x, y),
        Binary::Mul => b.mul(x, y),
        Binary::Ne => truth(b, b.compare(Compare::Differs, x, y)),
        Binary::Or => truth(b, b.either(b.is_true(x), b.is_true(y))),
        Binary::Pow => b.pow(x, y),
        Binary::Sub => b.sub(x, y),
        Binary::Xlogy => {
            let zero = b.number(0.0);
            b.select(b.compare(Compare::Equal, x, zero), zero, b.mul(x, b.ln(y)))
        }
        Binary::Mod => return None,
    })
}

fn truth(b: &Builder, condition: Condition) -> Value {
    b.select(condition, b.number(1.0), b.number(0.0))
}

/// The larger; NaN if one is, and +0 above -0. Of two equal numbers `Max` takes the second, so both orders are asked, and zeros meet bit by bit.
pub(super) fn larger(b: &Builder, x: Value, y: Value) -> Value {
    either(b, x, y, Two::Max, Two::And)
}

/// The smaller, likewise.
pub(super) fn smaller(b: &Builder, x: Value, y: Value) -> Value {
    either(b, x, y, Two::Min, Two::Or)
}

fn either(b: &Builder, x: Value, y: Value, op: Two, meet: Two) -> Value {
    let both = b.two(meet, b.two(op, x, y), b.two(op, y, x));
    b.select(b.compare(Compare::Unordered, x, y), b.number(f64::NAN), both)
}

/// Whether a number is infinite.
pub(super) fn is_infinite(b: &Builder, x: Value) -> Condition {
    b.compare(Compare::Equal, b.abs(x), b.number(f64::INFINITY))
}
