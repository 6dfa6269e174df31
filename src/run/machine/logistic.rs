//! The logistic loss and its residual in one loop: one exponential, one division and no logarithm for each number.
//!
//! What it stands for is in [`crate::compile::tape::Logistic`]; the bits are those of the instructions one after the other.

use super::Run;
use super::features::Features;
use super::view::{AnyMatrix, Block, Data, Slot, Splat, View};
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
    let y = l.residual.map(|(_, y)| view.matrix(y));
    let slopes = l.slopes.map(|slopes| slopes.map(|slope| view.matrix(slope)));
    match (view.matrix(l.z), slopes, y) {
        (AnyMatrix::Block(z), None, Some(AnyMatrix::Data(y))) => rows::<V, _, Data, _, true>(view, l, z, Labels, y),
        (AnyMatrix::Block(z), None, Some(AnyMatrix::Block(y))) => rows::<V, _, Block, _, true>(view, l, z, Labels, y),
        (AnyMatrix::Block(z), None, Some(AnyMatrix::Splat(y))) => rows::<V, _, Splat, _, true>(view, l, z, Labels, y),
        (AnyMatrix::Block(z), Some([AnyMatrix::Data(right), AnyMatrix::Data(left)]), None) => {
            rows::<V, _, Data, _, false>(view, l, z, Either(right, left), right);
        }
        (AnyMatrix::Block(z), Some([AnyMatrix::Data(right), AnyMatrix::Data(left)]), Some(AnyMatrix::Data(y))) => {
            rows::<V, _, Data, _, true>(view, l, z, Either(right, left), y);
        }
        (AnyMatrix::Block(z), Some([AnyMatrix::Splat(right), AnyMatrix::Splat(left)]), None) => {
            rows::<V, _, Splat, _, false>(view, l, z, Either(right, left), right);
        }
        (AnyMatrix::Block(z), Some([AnyMatrix::Splat(right), AnyMatrix::Splat(left)]), Some(AnyMatrix::Splat(y))) => {
            rows::<V, _, Splat, _, true>(view, l, z, Either(right, left), y);
        }
        (z, Some([right, left]), None) => rows::<V, _, _, _, false>(view, l, z, Either(right, left), right),
        (z, Some([right, left]), Some(y)) => rows::<V, _, _, _, true>(view, l, z, Either(right, left), y),
        (z, None, Some(y)) => rows::<V, _, _, _, true>(view, l, z, Labels, y),
        (_, None, None) => unreachable!("internal: a logistic loss without labels"),
    }
}

/// What `z` is multiplied by, to the right of 0 and to the left.
trait Slopes: Copy {
    fn at<V: Vector>(self, outer: usize, y: V) -> [V; 2];
}

/// `1 - y` and `-y`.
#[derive(Clone, Copy)]
struct Labels;

impl Slopes for Labels {
    #[inline(always)]
    fn at<V: Vector>(self, _: usize, y: V) -> [V; 2] {
        [V::splat(1.0) - y, -y]
    }
}

/// Two columns.
#[derive(Clone, Copy)]
struct Either<D>(D, D);

impl<D: Features> Slopes for Either<D> {
    #[inline(always)]
    fn at<V: Vector>(self, outer: usize, _: V) -> [V; 2] {
        [self.0.take::<V, 1>(outer, 0)[0], self.1.take::<V, 1>(outer, 0)[0]]
    }
}

/// The terms of an octet: what the products and the sums become, and the residual.
#[inline(always)]
fn terms<V: Vector, Z: Features, D: Features, S: Slopes, const RESIDUAL: bool>(
    z: Z,
    slopes: S,
    y: D,
    outer: usize,
    (q, s): (V, V),
) -> (V, V, V) {
    let (z, y) = (z.take::<V, 1>(outer, 0)[0], y.take::<V, 1>(outer, 0)[0]);
    let [right, left] = slopes.at::<V>(outer, y);
    let e = exp_neg_abs(z);
    let slope = z.gt(0.0).select(right, left);
    let residual = if RESIDUAL { sigmoid_of(z, e) - y } else { z };
    (q.fma(e, q + e), z.fma(slope, s), residual)
}

#[inline(always)]
fn rows<V: Vector, Z: Features, D: Features, S: Slopes, const RESIDUAL: bool>(view: &View, l: &Logistic, z: Z, slopes: S, y: D) {
    let out: &[Slot] = l.residual.map_or(&[], |(out, _)| &view.octets(out)[..view.outer]);
    let (logs, hinges) = (view.octets(l.logs), view.octets(l.hinges));
    if view.lanes == Lanes::One {
        let (mut q, mut s) = (V::load(&logs[0]), V::load(&hinges[0]));
        let full = view.rows / 8;
        for outer in 0..full {
            let (more, sum, residual) = terms::<V, Z, D, S, RESIDUAL>(z, slopes, y, outer, (q, s));
            (q, s) = (more, sum);
            if RESIDUAL {
                residual.store(&out[outer]);
            }
        }
        let valid = view.rows % 8;
        if valid > 0 {
            let (more, sum, residual) = terms::<V, Z, D, S, RESIDUAL>(z, slopes, y, full, (q, s));
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
            let (q, s, residual) = terms::<V, Z, D, S, RESIDUAL>(z, slopes, y, row, (V::load(log), V::load(hinge)));
            q.store(log);
            s.store(hinge);
            if RESIDUAL {
                residual.store(&out[row]);
            }
        }
    }
}
