//! Elementwise instructions: one loop over octets for each operation.
//!
//! The arithmetic is in `octet`.

use super::Run;
use super::octet::{self, Function, Function2, Map1, Map2};
use super::view::{Slot, View, load, store};
use crate::compile::tape::{Instr, Operand, Read};
use crate::expr::op::{Binary, Unary};
use crate::kernels;
use crate::numeric::Octet;
use crate::numeric::dispatch::Level;
use crate::numeric::vector::Vector;

kernels! { Run = fn(View, Instr);
    fn unary_at<F: Map1> = unary_body;
    fn function_at<F: Function> = function_body;
    fn arithmetic_at<F: Map2> = arithmetic_body;
    fn binary_at<F: Map2> = binary_body;
    fn function2_at<F: Function2> = function2_body;
    /// `where`, operands in the order condition, chosen, else.
    pub(super) fn select = select_body;
}

/// Octets in memory, or one octet for all: at a step of 1 or 0.
#[derive(Clone, Copy)]
struct Octets<'a>(&'a [Slot], usize);

impl Octets<'_> {
    #[inline(always)]
    fn at(self, i: usize) -> Octet {
        load(&self.0[i * self.1])
    }

    #[inline(always)]
    fn get<V: Vector>(self, i: usize) -> V {
        V::load(&self.0[i * self.1])
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
fn unary_body<V: Vector, F: Map1>(view: &View, instr: &Instr) {
    let Instr::Unary { out, a, n, .. } = *instr else { unreachable!("internal: an operation of one operand") };
    let n = n as usize * view.outer;
    let room = Slot::default();
    apply1::<F>(&view.octets(out)[..n], octets(view, a, n, &room));
}

#[inline(always)]
fn function_body<V: Vector, F: Function>(view: &View, instr: &Instr) {
    let Instr::Unary { out, a, n, .. } = *instr else { unreachable!("internal: a function") };
    let n = n as usize * view.outer;
    let room = Slot::default();
    let (out, a) = (&view.octets(out)[..n], octets(view, a, n, &room));
    for i in 0..n {
        F::at(a.get::<V>(i)).store(&out[i]);
    }
}

#[inline(always)]
fn arithmetic_body<V: Vector, F: Map2>(view: &View, instr: &Instr) {
    let Instr::Binary { out, a, b, n, .. } = *instr else { unreachable!("internal: an operation of two operands") };
    let n = n as usize * view.outer;
    with_columns::<F>(view, &view.octets(out)[..n], a, b, n);
}

#[inline(always)]
fn binary_body<V: Vector, F: Map2>(view: &View, instr: &Instr) {
    let Instr::Binary { out, a, b, n, .. } = *instr else { unreachable!("internal: an operation of two operands") };
    let n = n as usize * view.outer;
    let rooms: [Slot; 2] = Default::default();
    let (a, b) = (octets(view, a, n, &rooms[0]), octets(view, b, n, &rooms[1]));
    apply2::<F>(&view.octets(out)[..n], |i| a.at(i), |i| b.at(i));
}

#[inline(always)]
fn function2_body<V: Vector, F: Function2>(view: &View, instr: &Instr) {
    let (Instr::Binary { out, a, b, n, .. } | Instr::SigmoidOf { out, z: a, e: b, n }) = *instr else {
        unreachable!("internal: a function of two")
    };
    let n = n as usize * view.outer;
    let rooms: [Slot; 2] = Default::default();
    let (out, a, b) = (&view.octets(out)[..n], octets(view, a, n, &rooms[0]), octets(view, b, n, &rooms[1]));
    for i in 0..n {
        F::at(a.get::<V>(i), b.get::<V>(i)).store(&out[i]);
    }
}

/// An operation that is done number by number.
fn rare_unary(view: &View, instr: &Instr) {
    let Instr::Unary { op, out, a, n } = *instr else { unreachable!("internal: an operation of one operand") };
    let n = n as usize * view.outer;
    let room = Slot::default();
    let a = octets(view, a, n, &room);
    for (i, out) in view.octets(out)[..n].iter().enumerate() {
        store(out, octet::rare1(op, a.at(i)));
    }
}

/// An operation that is done number by number.
fn rare_binary(view: &View, instr: &Instr) {
    let Instr::Binary { op, out, a, b, n } = *instr else { unreachable!("internal: an operation of two operands") };
    let n = n as usize * view.outer;
    let rooms: [Slot; 2] = Default::default();
    let (a, b) = (octets(view, a, n, &rooms[0]), octets(view, b, n, &rooms[1]));
    for (i, out) in view.octets(out)[..n].iter().enumerate() {
        store(out, octet::rare2(op, a.at(i), b.at(i)));
    }
}

/// The code of an operation of one operand.
pub(super) fn unary(op: Unary, level: Level) -> Run {
    match op {
        Unary::Abs => unary_at::<octet::Abs>(level),
        Unary::Ceil => unary_at::<octet::Ceil>(level),
        Unary::Cos => function_at::<octet::Cos>(level),
        Unary::Exp => function_at::<octet::Exp>(level),
        Unary::ExpNegAbs => function_at::<octet::ExpNegAbs>(level),
        Unary::Expm1 => function_at::<octet::Expm1>(level),
        Unary::Floor => unary_at::<octet::Floor>(level),
        Unary::Log => function_at::<octet::Log>(level),
        Unary::Log10 => function_at::<octet::Log10>(level),
        Unary::Log1p => function_at::<octet::Log1p>(level),
        Unary::Log2 => function_at::<octet::Log2>(level),
        Unary::Neg => unary_at::<octet::Neg>(level),
        Unary::NormRoot | Unary::Sqrt => unary_at::<octet::Sqrt>(level),
        Unary::Not => unary_at::<octet::Not>(level),
        Unary::Relu => unary_at::<octet::Relu>(level),
        Unary::Round => unary_at::<octet::Round>(level),
        Unary::Sigmoid => function_at::<octet::Sigmoid>(level),
        Unary::SigmoidSlope => function_at::<octet::SigmoidSlope>(level),
        Unary::Sign => unary_at::<octet::Sign>(level),
        Unary::Sin => function_at::<octet::Sin>(level),
        Unary::Softplus => function_at::<octet::Softplus>(level),
        Unary::Square => unary_at::<octet::Square>(level),
        Unary::Tanh => function_at::<octet::Tanh>(level),
        Unary::TanhSlope => function_at::<octet::TanhSlope>(level),
        Unary::Acos | Unary::Asin | Unary::Atan | Unary::Cosh | Unary::Erf | Unary::Sinh | Unary::Tan => rare_unary,
    }
}

/// The code of a sigmoid of a value whose `exp(-|z|)` is there.
pub(super) fn sigmoid_of(level: Level) -> Run {
    function2_at::<octet::SigmoidOf>(level)
}

/// The code of an operation of two operands; those that [`takes_column`](crate::compile::tape::takes_column) names read columns where they are.
pub(super) fn binary(op: Binary, level: Level) -> Run {
    match op {
        Binary::Add => arithmetic_at::<octet::Add>(level),
        Binary::Div => arithmetic_at::<octet::Div>(level),
        Binary::Mul => arithmetic_at::<octet::Mul>(level),
        Binary::Sub => arithmetic_at::<octet::Sub>(level),
        Binary::And => binary_at::<octet::And>(level),
        Binary::Eq => binary_at::<octet::Eq>(level),
        Binary::Le => binary_at::<octet::Le>(level),
        Binary::Lt => binary_at::<octet::Lt>(level),
        Binary::Maximum => binary_at::<octet::Maximum>(level),
        Binary::Minimum => binary_at::<octet::Minimum>(level),
        Binary::Ne => binary_at::<octet::Ne>(level),
        Binary::Or => binary_at::<octet::Or>(level),
        Binary::Pow => function2_at::<octet::Pow>(level),
        Binary::Xlogy => function2_at::<octet::Xlogy>(level),
        Binary::Mod => rare_binary,
    }
}

#[inline(always)]
fn select_body<V: Vector>(view: &View, instr: &Instr) {
    let Instr::Select { out, c, a, b, n } = *instr else { unreachable!("internal: a choice") };
    let n = n as usize * view.outer;
    let rooms: [Slot; 3] = Default::default();
    let (out, c) = (&view.octets(out)[..n], octets(view, c, n, &rooms[0]));
    // Both columns, as a choice between data has, or none is: other pairs are rare, as where one column is kept as bytes and one is not.
    let is_column = |operand: Operand| matches!(operand.read, Read::Column | Read::Splat);
    match (a.read, b.read) {
        (Read::Column, Read::Column) => {
            let (a, b) = (&view.column(a)[..n], &view.column(b)[..n]);
            choose(out, c, |i| a[i], |i| b[i]);
        }
        (Read::Splat, Read::Splat) => {
            let (a, b) = (&view.column(a).as_flattened()[..n], &view.column(b).as_flattened()[..n]);
            choose(out, c, |i| [a[i]; 8], |i| [b[i]; 8]);
        }
        _ if is_column(a) || is_column(b) => {
            let (a, b) = (view.any(a, n), view.any(b, n));
            choose(out, c, |i| a.at(i), |i| b.at(i));
        }
        _ => {
            let (a, b) = (octets(view, a, n, &rooms[1]), octets(view, b, n, &rooms[2]));
            choose(out, c, |i| a.at(i), |i| b.at(i));
        }
    }
}

#[inline(always)]
fn choose(out: &[Slot], c: Octets, a: impl Fn(usize) -> Octet, b: impl Fn(usize) -> Octet) {
    for (i, out) in out.iter().enumerate() {
        let (c, a, b) = (c.at(i), a(i), b(i));
        let mut chosen = [0.0; 8];
        for p in 0..8 {
            chosen[p] = if c[p] == 0.0 { b[p] } else { a[p] };
        }
        store(out, chosen);
    }
}
