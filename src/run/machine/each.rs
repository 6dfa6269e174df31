//! Elementwise instructions: one loop over octets for each operation.
//!
//! The arithmetic is in `octet`.

use super::octet::{self, Map1, Map2};
use super::view::{Any, Slot, View, load, store};
use crate::compile::tape::{Address, Operand};
use crate::dispatch;
use crate::expr::op::{Binary, Unary};
use crate::numeric::dispatch::Level;

dispatch! {
    /// One operand.
    pub(super) fn unary(view: &View, op: Unary, out: Address, a: Operand, n: usize) = unary_body;
    /// The arithmetic that programs are made of.
    fn usual(view: &View, op: Binary, out: Address, a: Operand, b: Operand, n: usize) = usual_body;
    /// The other operations of two operands.
    fn unusual(view: &View, op: Binary, out: Address, a: Operand, b: Operand, n: usize) = unusual_body;
    /// `where`, operands in the order condition, chosen, else.
    pub(super) fn select(view: &View, out: Address, operands: [Operand; 3], n: usize) = select_body;
}

/// Two operands.
#[inline]
pub(super) fn binary(level: Level, view: &View, op: Binary, out: Address, a: Operand, b: Operand, n: usize) {
    if matches!(op, Binary::Add | Binary::Div | Binary::Maximum | Binary::Minimum | Binary::Mul | Binary::Sub) {
        usual(level, view, op, out, a, b, n);
    } else {
        unusual(level, view, op, out, a, b, n);
    }
}

#[inline(always)]
fn apply1<F: Map1>(out: &[Slot], a: Any) {
    for (i, out) in out.iter().enumerate() {
        store(out, F::at(a.at(i)));
    }
}

/// A loop for each of the usual pairs of operands; the others are read one by one.
#[inline(always)]
fn apply2<F: Map2>(out: &[Slot], a: Any, b: Any) {
    match (a, b) {
        (Any::Octets(a), Any::Octets(b)) => {
            for ((out, a), b) in out.iter().zip(a).zip(b) {
                store(out, F::at(load(a), load(b)));
            }
        }
        (Any::Octets(a), Any::One(b)) => {
            for (out, a) in out.iter().zip(a) {
                store(out, F::at(load(a), b));
            }
        }
        (Any::One(a), Any::Octets(b)) => {
            for (out, b) in out.iter().zip(b) {
                store(out, F::at(a, load(b)));
            }
        }
        (Any::Octets(a), Any::Data(b)) => {
            for ((out, a), b) in out.iter().zip(a).zip(b) {
                store(out, F::at(load(a), *b));
            }
        }
        (Any::Data(a), Any::Octets(b)) => {
            for ((out, a), b) in out.iter().zip(a).zip(b) {
                store(out, F::at(*a, load(b)));
            }
        }
        (Any::Octets(a), Any::Each(b)) => {
            for ((out, a), b) in out.iter().zip(a).zip(b) {
                store(out, F::at(load(a), [*b; 8]));
            }
        }
        (Any::Each(a), Any::Octets(b)) => {
            for ((out, a), b) in out.iter().zip(a).zip(b) {
                store(out, F::at([*a; 8], load(b)));
            }
        }
        (a, b) => one_by_one::<F>(out, a, b),
    }
}

#[inline(always)]
fn one_by_one<F: Map2>(out: &[Slot], a: Any, b: Any) {
    for (i, out) in out.iter().enumerate() {
        store(out, F::at(a.at(i), b.at(i)));
    }
}

#[inline(always)]
fn unary_body(view: &View, op: Unary, out: Address, a: Operand, n: usize) {
    let n = n * view.outer;
    let (out, a) = (&view.octets(out)[..n], view.any(a, n));
    match op {
        Unary::Abs => apply1::<octet::Abs>(out, a),
        Unary::Ceil => apply1::<octet::Ceil>(out, a),
        Unary::Cos => apply1::<octet::Cos>(out, a),
        Unary::Exp => apply1::<octet::Exp>(out, a),
        Unary::Expm1 => apply1::<octet::Expm1>(out, a),
        Unary::Floor => apply1::<octet::Floor>(out, a),
        Unary::Log => apply1::<octet::Log>(out, a),
        Unary::Log10 => apply1::<octet::Log10>(out, a),
        Unary::Log1p => apply1::<octet::Log1p>(out, a),
        Unary::Log2 => apply1::<octet::Log2>(out, a),
        Unary::Neg => apply1::<octet::Neg>(out, a),
        Unary::NormRoot | Unary::Sqrt => apply1::<octet::Sqrt>(out, a),
        Unary::Not => apply1::<octet::Not>(out, a),
        Unary::Relu => apply1::<octet::Relu>(out, a),
        Unary::Round => apply1::<octet::Round>(out, a),
        Unary::Sigmoid => apply1::<octet::Sigmoid>(out, a),
        Unary::SigmoidSlope => apply1::<octet::SigmoidSlope>(out, a),
        Unary::Sign => apply1::<octet::Sign>(out, a),
        Unary::Sin => apply1::<octet::Sin>(out, a),
        Unary::Softplus => apply1::<octet::Softplus>(out, a),
        Unary::Square => apply1::<octet::Square>(out, a),
        Unary::Tanh => apply1::<octet::Tanh>(out, a),
        Unary::TanhSlope => apply1::<octet::TanhSlope>(out, a),
        Unary::Acos | Unary::Asin | Unary::Atan | Unary::Cosh | Unary::Erf | Unary::Sinh | Unary::Tan => {
            for (i, out) in out.iter().enumerate() {
                store(out, octet::rare1(op, a.at(i)));
            }
        }
    }
}

#[inline(always)]
fn usual_body(view: &View, op: Binary, out: Address, a: Operand, b: Operand, n: usize) {
    let n = n * view.outer;
    let (out, a, b) = (&view.octets(out)[..n], view.any(a, n), view.any(b, n));
    match op {
        Binary::Add => apply2::<octet::Add>(out, a, b),
        Binary::Div => apply2::<octet::Div>(out, a, b),
        Binary::Maximum => apply2::<octet::Maximum>(out, a, b),
        Binary::Minimum => apply2::<octet::Minimum>(out, a, b),
        Binary::Mul => apply2::<octet::Mul>(out, a, b),
        _ => apply2::<octet::Sub>(out, a, b),
    }
}

#[inline(always)]
fn unusual_body(view: &View, op: Binary, out: Address, a: Operand, b: Operand, n: usize) {
    let n = n * view.outer;
    let (out, a, b) = (&view.octets(out)[..n], view.any(a, n), view.any(b, n));
    match op {
        Binary::And => one_by_one::<octet::And>(out, a, b),
        Binary::Eq => one_by_one::<octet::Eq>(out, a, b),
        Binary::Le => one_by_one::<octet::Le>(out, a, b),
        Binary::Lt => one_by_one::<octet::Lt>(out, a, b),
        Binary::Ne => one_by_one::<octet::Ne>(out, a, b),
        Binary::Or => one_by_one::<octet::Or>(out, a, b),
        Binary::Pow => one_by_one::<octet::Pow>(out, a, b),
        Binary::Xlogy => one_by_one::<octet::Xlogy>(out, a, b),
        _ => {
            for (i, out) in out.iter().enumerate() {
                store(out, octet::rare2(op, a.at(i), b.at(i)));
            }
        }
    }
}

#[inline(always)]
fn select_body(view: &View, out: Address, operands: [Operand; 3], n: usize) {
    let n = n * view.outer;
    let [c, a, b] = operands.map(|operand| view.any(operand, n));
    for (i, out) in view.octets(out)[..n].iter().enumerate() {
        let (c, a, b) = (c.at(i), a.at(i), b.at(i));
        let mut chosen = [0.0; 8];
        for p in 0..8 {
            chosen[p] = if c[p] == 0.0 { b[p] } else { a[p] };
        }
        store(out, chosen);
    }
}
