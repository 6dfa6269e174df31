//! Rows times a vector without rows: one number for each row.
//!
//! Products with matrices are in `product`.

use std::cell::Cell;

use super::Run;
use super::features::Features;
use super::view::{Block, Data, Slot, Splat, View};
use crate::compile::tape::{Instr, Lanes, Read};
use crate::kernels;
use crate::numeric::vector::{Vector, prefetch};

kernels! { Run = fn(View, Instr);
    /// `out = a @ w` with a vector `w`: one accumulator, ascending.
    pub(super) fn times = times_body;
}

/// Octets of a column that the second-level cache holds beside the rest. Beyond, the tiles of rows are too short for the CPU to see what comes next.
const CACHED: usize = 1 << 13;

/// How many octets of rows ahead a column is asked for: as long as memory takes to answer.
const AHEAD: usize = 64;

/// A column whose next rows are asked for while these are read.
#[derive(Clone, Copy)]
struct Ahead<'a>(Data<'a>);

impl Features for Ahead<'_> {
    #[inline(always)]
    fn take<V: Vector, const T: usize>(self, outer: usize, feature: usize) -> [V; T] {
        prefetch(self.0.0, (outer + AHEAD) * self.0.1 + feature);
        self.0.take(outer, feature)
    }
}

/// A vector without rows: a number for all rows of one lane, or an octet of lanes.
trait Elements: Copy {
    fn at<V: Vector>(self, element: usize) -> V;
}

impl Elements for &[Cell<f64>] {
    #[inline(always)]
    fn at<V: Vector>(self, element: usize) -> V {
        V::splat(self[element].get())
    }
}

impl Elements for &[Slot] {
    #[inline(always)]
    fn at<V: Vector>(self, element: usize) -> V {
        V::load(&self[element])
    }
}

#[inline(always)]
fn times_body<V: Vector>(view: &View, instr: &Instr) {
    let Instr::Times { out, a, w, k, .. } = *instr else { unreachable!("internal: a product with a vector") };
    let (out, w, k, width) = (&view.octets(out)[..view.outer], w.address, k as usize, a.width as usize);
    let block = || Block(if a.read == Read::Stream { view.stream(a) } else { view.octets(a.address) }, width);
    match (a.read, view.lanes) {
        (Read::Column, _) if view.columns[a.address.base as usize].octets().len() > CACHED => {
            rows::<V>(out, Ahead(Data(view.column(a), width)), &view.scalars(w)[..k], k);
        }
        (Read::Column, _) => rows::<V>(out, Data(view.column(a), width), &view.scalars(w)[..k], k),
        (Read::Splat, _) => rows::<V>(out, Splat(view.column(a), width), &view.octets(w)[..k], k),
        (_, Lanes::One) => rows::<V>(out, block(), &view.scalars(w)[..k], k),
        (_, Lanes::Eight) => rows::<V>(out, block(), &view.octets(w)[..k], k),
    }
}

/// Eight rows of octets at a time: enough sums to hide the latency of each.
#[inline(always)]
fn rows<V: Vector>(out: &[Slot], a: impl Features, w: impl Elements, k: usize) {
    let (eights, rest) = out.as_chunks::<8>();
    for (group, out) in eights.iter().enumerate() {
        tile::<V, 8>(out, a, w, k, 8 * group);
    }
    let first = 8 * eights.len();
    let (fours, rest) = if V::WIDE > 8 { rest.as_chunks::<4>() } else { (&[][..], rest) };
    for (group, out) in fours.iter().enumerate() {
        tile::<V, 4>(out, a, w, k, first + 4 * group);
    }
    let first = first + 4 * fours.len();
    for (row, out) in rest.iter().enumerate() {
        tile::<V, 1>(std::array::from_ref(out), a, w, k, first + row);
    }
}

#[inline(always)]
fn tile<V: Vector, const R: usize>(out: &[Slot; R], a: impl Features, w: impl Elements, k: usize, row: usize) {
    // The first product enters exactly: -0 + x is x, whatever x is.
    let mut z = [V::splat(if k == 0 { 0.0 } else { -0.0 }); R];
    for j in 0..k {
        let w = w.at::<V>(j);
        for r in 0..R {
            z[r] = a.take::<V, 1>(row + r, j)[0].fma(w, z[r]);
        }
    }
    for r in 0..R {
        z[r].store(&out[r]);
    }
}
