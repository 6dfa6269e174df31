//! The logistic loss and its residual in one loop: one exponential, one division and no logarithm for each number.
//!
//! What it stands for is in [`crate::compile::tape::Logistic`]; the bits are those of the instructions one after the other.

use super::Run;
use super::features::Features;
use super::view::{AnyMatrix, Data, Slot, Splat, View};
use crate::compile::tape::{Instr, Lanes, Logistic};
use crate::kernels;
use crate::numeric::elementary::generic::{exp_neg_abs, sigmoid_of};
use crate::numeric::elementary::number::Truth;
use crate::numeric::vector::Vector;

kernels! { Run = fn(View, Instr);
    /// The logistic loss.
    pub(super) fn logistic = logistic_body;
}

#[inline(always)]
fn logistic_body<V: Vector>(view: &View, instr: &Instr) {
    let Instr::Logistic(l) = instr else { unreachable!("internal: a logistic loss") };
    match (view.matrix(l.z), view.matrix(l.right), view.matrix(l.left), l.residual.map(|(_, y)| view.matrix(y))) {
        (AnyMatrix::Block(z), AnyMatrix::Data(right), AnyMatrix::Data(left), None) => {
            rows::<V, _, Data, false>(view, l, z, right, left, right);
        }
        (AnyMatrix::Block(z), AnyMatrix::Data(right), AnyMatrix::Data(left), Some(AnyMatrix::Data(y))) => {
            rows::<V, _, Data, true>(view, l, z, right, left, y);
        }
        (AnyMatrix::Block(z), AnyMatrix::Splat(right), AnyMatrix::Splat(left), None) => {
            rows::<V, _, Splat, false>(view, l, z, right, left, right);
        }
        (AnyMatrix::Block(z), AnyMatrix::Splat(right), AnyMatrix::Splat(left), Some(AnyMatrix::Splat(y))) => {
            rows::<V, _, Splat, true>(view, l, z, right, left, y);
        }
        (z, right, left, None) => rows::<V, _, _, false>(view, l, z, right, left, right),
        (z, right, left, Some(y)) => rows::<V, _, _, true>(view, l, z, right, left, y),
    }
}

/// The terms of an octet: what the products and the sums become, and the residual.
#[inline(always)]
fn terms<V: Vector, const RESIDUAL: bool>(z: V, [right, left, y]: [V; 3], (q, s): (V, V)) -> (V, V, V) {
    let e = exp_neg_abs(z);
    let slope = z.gt(0.0).select(right, left);
    let residual = if RESIDUAL { sigmoid_of(z, e) - y } else { z };
    (q.fma(e, q + e), z.fma(slope, s), residual)
}

#[inline(always)]
fn rows<V: Vector, Z: Features, D: Features, const RESIDUAL: bool>(view: &View, l: &Logistic, z: Z, right: D, left: D, y: D) {
    let out: &[Slot] = l.residual.map_or(&[], |(out, _)| &view.octets(out)[..view.outer]);
    let (logs, hinges) = (view.octets(l.logs), view.octets(l.hinges));
    let column = |column: D, outer: usize| column.take::<V, 1>(outer, 0)[0];
    if view.lanes == Lanes::One {
        let (mut q, mut s) = (V::load(&logs[0]), V::load(&hinges[0]));
        let full = view.rows / 8;
        for outer in 0..full {
            let data = [column(right, outer), column(left, outer), column(y, outer)];
            let (more, sum, residual) = terms::<V, RESIDUAL>(z.take::<V, 1>(outer, 0)[0], data, (q, s));
            (q, s) = (more, sum);
            if RESIDUAL {
                residual.store(&out[outer]);
            }
        }
        let valid = view.rows % 8;
        if valid > 0 {
            let data = [column(right, full), column(left, full), column(y, full)];
            let (more, sum, residual) = terms::<V, RESIDUAL>(z.take::<V, 1>(full, 0)[0], data, (q, s));
            (q, s) = (more.first(valid, q), sum.first(valid, s));
            if RESIDUAL {
                residual.store(&out[full]);
            }
        }
        q.store(&logs[0]);
        s.store(&hinges[0]);
    } else {
        for row in 0..view.rows {
            let (log, hinge) = (&logs[row % 8], &hinges[row % 8]);
            let data = [column(right, row), column(left, row), column(y, row)];
            let (q, s, residual) = terms::<V, RESIDUAL>(z.take::<V, 1>(row, 0)[0], data, (V::load(log), V::load(hinge)));
            q.store(log);
            s.store(hinge);
            if RESIDUAL {
                residual.store(&out[row]);
            }
        }
    }
}
