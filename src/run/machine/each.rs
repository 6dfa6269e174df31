//! Elementwise instructions: one loop over octets for each operation.
//!
//! The arithmetic is in `octet`.

use super::octet::{self, Map1, Map2};
use super::view::{Slot, View, load, store};
use crate::compile::tape::{Address, Operand, Read, takes_column};
use crate::dispatch;
use crate::expr::op::{Binary, Unary};
use crate::numeric::Octet;
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
    if takes_column(op) {
        usual(level, view, op, out, a, b, n);
    } else {
        unusual(level, view, op, out, a, b, n);
    }
}

/// Octets in memory, or one octet for all: at a step of 1 or 0.
#[derive(Clone, Copy)]
struct Octets<'a>(&'a [Slot], usize);

impl Octets<'_> {
    #[inline(always)]
    fn at(self, i: usize) -> Octet {
        load(&self.0[i * self.1])
    }
}

/// The operand as octets. One for all stands in `room`, because the result may take its place. Columns are never operands here.
#[inline(always)]
fn octets<'a>(view: &View<'a>, operand: Operand, n: usize, room: &'a Slot) -> Octets<'a> {
    match operand.read {
        Read::Octets => Octets(&view.octets(operand.address)[..n], 1),
        Read::Stream => Octets(&view.stream(operand)[..n], 1),
        Read::Uniform => {
            store(room, load(&view.octets(operand.address)[0]));
            Octets(std::slice::from_ref(room), 0)
        }
        Read::Scalar | Read::Column | Read::Splat => {
            store(room, [view.scalars(operand.address)[0].get(); 8]);
            Octets(std::slice::from_ref(room), 0)
        }
    }
}

#[inline(always)]
fn apply1<F: Map1>(out: &[Slot], a: Octets) {
    for (i, out) in out.iter().enumerate() {
        store(out, F::at(a.at(i)));
    }
}

#[inline(always)]
fn apply2<F: Map2>(out: &[Slot], a: impl Fn(usize) -> Octet, b: impl Fn(usize) -> Octet) {
    for (i, out) in out.iter().enumerate() {
        store(out, F::at(a(i), b(i)));
    }
}

/// A loop for each kind of column at one side; the other side is in memory.
#[inline(always)]
fn with_columns<F: Map2>(view: &View, out: &[Slot], a: Operand, b: Operand, n: usize) {
    let rooms: [Slot; 2] = Default::default();
    match (a.read, b.read) {
        (Read::Column, _) => {
            let (a, b) = (&view.column(a)[..n], octets(view, b, n, &rooms[1]));
            apply2::<F>(out, |i| a[i], |i| b.at(i));
        }
        (Read::Splat, _) => {
            let (a, b) = (&view.column(a).as_flattened()[..n], octets(view, b, n, &rooms[1]));
            apply2::<F>(out, |i| [a[i]; 8], |i| b.at(i));
        }
        (_, Read::Column) => {
            let (a, b) = (octets(view, a, n, &rooms[0]), &view.column(b)[..n]);
            apply2::<F>(out, |i| a.at(i), |i| b[i]);
        }
        (_, Read::Splat) => {
            let (a, b) = (octets(view, a, n, &rooms[0]), &view.column(b).as_flattened()[..n]);
            apply2::<F>(out, |i| a.at(i), |i| [b[i]; 8]);
        }
        _ => {
            let (a, b) = (octets(view, a, n, &rooms[0]), octets(view, b, n, &rooms[1]));
            apply2::<F>(out, |i| a.at(i), |i| b.at(i));
        }
    }
}

#[inline(always)]
fn unary_body(view: &View, op: Unary, out: Address, a: Operand, n: usize) {
    let n = n * view.outer;
    let room = Slot::default();
    let (out, a) = (&view.octets(out)[..n], octets(view, a, n, &room));
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
    let out = &view.octets(out)[..n];
    match op {
        Binary::Add => with_columns::<octet::Add>(view, out, a, b, n),
        Binary::Div => with_columns::<octet::Div>(view, out, a, b, n),
        Binary::Mul => with_columns::<octet::Mul>(view, out, a, b, n),
        _ => with_columns::<octet::Sub>(view, out, a, b, n),
    }
}

#[inline(always)]
fn unusual_body(view: &View, op: Binary, out: Address, a: Operand, b: Operand, n: usize) {
    let n = n * view.outer;
    let rooms: [Slot; 2] = Default::default();
    let (out, a, b) = (&view.octets(out)[..n], octets(view, a, n, &rooms[0]), octets(view, b, n, &rooms[1]));
    let (a, b) = (|i| a.at(i), |i| b.at(i));
    match op {
        Binary::And => apply2::<octet::And>(out, a, b),
        Binary::Eq => apply2::<octet::Eq>(out, a, b),
        Binary::Le => apply2::<octet::Le>(out, a, b),
        Binary::Lt => apply2::<octet::Lt>(out, a, b),
        Binary::Maximum => apply2::<octet::Maximum>(out, a, b),
        Binary::Minimum => apply2::<octet::Minimum>(out, a, b),
        Binary::Ne => apply2::<octet::Ne>(out, a, b),
        Binary::Or => apply2::<octet::Or>(out, a, b),
        Binary::Pow => apply2::<octet::Pow>(out, a, b),
        Binary::Xlogy => apply2::<octet::Xlogy>(out, a, b),
        Binary::Add | Binary::Div | Binary::Mod | Binary::Mul | Binary::Sub => {
            for (i, out) in out.iter().enumerate() {
                store(out, octet::rare2(op, a(i), b(i)));
            }
        }
    }
}

#[inline(always)]
fn select_body(view: &View, out: Address, operands: [Operand; 3], n: usize) {
    let n = n * view.outer;
    let rooms: [Slot; 3] = Default::default();
    let [c, a, b] = [0, 1, 2].map(|i| octets(view, operands[i], n, &rooms[i]));
    for (i, out) in view.octets(out)[..n].iter().enumerate() {
        let (c, a, b) = (c.at(i), a.at(i), b.at(i));
        let mut chosen = [0.0; 8];
        for p in 0..8 {
            chosen[p] = if c[p] == 0.0 { b[p] } else { a[p] };
        }
        store(out, chosen);
    }
}
