//! Instructions that move elements: rearrangements, and what is chosen by an index.
//!
//! They compute nothing but the sums of what falls on one place.

use super::Run;
use super::view::{Any, AnyMatrix, Matrix, Sink, View, store as put};
use crate::compile::tape::{Instr, KEEP, Lanes, ZERO};
use crate::kernels;
use crate::numeric::vector::Vector;

kernels! { Run = fn(View, Instr);
    /// Rearranges features.
    pub(super) fn spread = spread_body;
    /// Copies rows of a column that is kept as bytes into the block.
    pub(super) fn widen = widen_body;
    /// Copies a block into a value with all rows.
    pub(super) fn store = store_body;
}

#[inline(always)]
fn spread_body<V: Vector>(view: &View, instr: &Instr) {
    let Instr::Spread { out, a, map } = instr else { unreachable!("internal: a rearrangement") };
    let sink = Sink::new(view, *out, map.len());
    match view.matrix(*a) {
        // The same in all rows.
        a @ (AnyMatrix::Scalars(_) | AnyMatrix::Octets(_)) => spread_rows(sink, a, map, view.outer),
        AnyMatrix::Block(a) => spread_rows(sink, a, map, view.outer),
        AnyMatrix::Data(a) => spread_rows(sink, a, map, view.outer),
        AnyMatrix::Splat(a) => spread_rows(sink, a, map, view.outer),
    }
}

#[inline(always)]
fn spread_rows(out: Sink, a: impl Matrix, map: &[u32], rows: usize) {
    for outer in 0..rows {
        for (feature, &from) in map.iter().enumerate() {
            match from {
                ZERO => out.put(outer, feature, [0.0; 8]),
                KEEP => {}
                _ => out.put(outer, feature, a.at(outer, from as usize)),
            }
        }
    }
}

#[inline(always)]
fn widen_body<V: Vector>(view: &View, instr: &Instr) {
    let Instr::Widen { out, a } = *instr else { unreachable!("internal: bytes") };
    let n = view.outer * a.width as usize;
    for (out, bytes) in view.octets(out)[..n].iter().zip(&view.bytes(a)[..n]) {
        V::widen(*bytes).store(out);
    }
}

#[inline(always)]
fn store_body<V: Vector>(view: &View, instr: &Instr) {
    let Instr::Store { out, a } = *instr else { unreachable!("internal: a copy") };
    let n = view.outer * out.width as usize;
    let (out, a) = (&view.stream(out)[..n], view.any(a, n));
    for (i, out) in out.iter().enumerate() {
        put(out, a.at(i));
    }
}

/// The index as a feature, if it is one.
#[inline(always)]
fn feature(index: f64, k: usize) -> Option<usize> {
    (index >= 0.0 && index < k as f64 && index.fract() == 0.0).then_some(index as usize)
}

/// The feature of each row that the index says.
pub(super) fn pick(view: &View, instr: &Instr) {
    let Instr::Pick { out, a, index, k } = *instr else { unreachable!("internal: a choice of features") };
    let k = k as usize;
    let (a, index) = (view.matrix(a), view.any(index, view.outer));
    for (outer, out) in view.octets(out)[..view.outer].iter().enumerate() {
        let index = index.at(outer);
        for p in 0..8 {
            out[p].set(feature(index[p], k).map_or(f64::NAN, |j| a.at(outer, j)[p]));
        }
    }
}

/// Zeros, and `a` or one where the index says.
pub(super) fn unpick(view: &View, instr: &Instr) {
    let Instr::Unpick { out, a, index, k } = *instr else { unreachable!("internal: a place for features") };
    let k = k as usize;
    let index = view.any(index, view.outer);
    let a = a.map_or(Any::One([1.0; 8]), |a| view.any(a, view.outer));
    for (outer, out) in view.octets(out)[..view.outer * k].chunks_exact(k.max(1)).enumerate() {
        let (index, a) = (index.at(outer), a.at(outer));
        for out in out {
            put(out, [0.0; 8]);
        }
        for p in 0..8 {
            if let Some(j) = feature(index[p], k) {
                out[j][p].set(a[p]);
            }
        }
    }
}

/// Rows of a value without rows, for each row the one that the index says.
pub(super) fn gather(view: &View, instr: &Instr) {
    let Instr::Gather { out, a, index, size, width } = *instr else { unreachable!("internal: rows by an index") };
    let (size, width) = (size as usize, width as usize);
    let (index, one) = (view.any(index, view.outer), view.lanes == Lanes::One);
    let out = &view.octets(out)[..view.outer * width];
    let numbers = if one { &view.scalars(a)[..size * width] } else { view.octets(a)[..size * width].as_flattened() };
    for outer in 0..view.outer {
        let (index, out) = (index.at(outer), &out[outer * width..][..width]);
        for p in 0..8 {
            let (first, step) = if one { (0, 1) } else { (p, 8) };
            match feature(index[p], size) {
                Some(row) => {
                    for (j, out) in out.iter().enumerate() {
                        out[p].set(numbers[first + (row * width + j) * step].get());
                    }
                }
                None => out.iter().for_each(|out| out[p].set(f64::NAN)),
            }
        }
    }
}

/// Adds features to the accumulators of the row that the index says. An index that is none spoils them all.
pub(super) fn scatter(view: &View, instr: &Instr) {
    let Instr::Scatter { acc, a, index, size } = *instr else { unreachable!("internal: places by an index") };
    let (size, width) = (size as usize, a.width as usize);
    let (a, index, one) = (view.matrix(a), view.any(index, view.outer), view.lanes == Lanes::One);
    let padded = if one { width.next_multiple_of(8) } else { width * 8 };
    let acc = &view.octets(acc).as_flattened()[..size * padded];
    for outer in 0..view.outer {
        let index = index.at(outer);
        for p in 0..if one { 8.min(view.rows - outer * 8) } else { 8 } {
            let (first, step) = if one { (0, 1) } else { (p, 8) };
            match feature(index[p], size) {
                Some(row) => {
                    for j in 0..width {
                        let place = &acc[row * padded + first + j * step];
                        place.set(place.get() + a.at(outer, j)[p]);
                    }
                }
                None => acc.iter().for_each(|x| x.set(f64::NAN)),
            }
        }
    }
}
