//! Products of rows of octets and a small matrix.
//!
//! Products without rows are in `small`, contractions over rows in `outer` and `rows`. Every entry has one accumulator and takes its terms in ascending order, so that the
//! shape of a tile never changes a bit; tiles are as large as the registers of a level allow, and nothing is packed or transposed beforehand.

use std::cell::Cell;

use super::Run;
use super::view::{Block, Data, Slot, Splat, View};
use crate::compile::tape::{Instr, Lanes, Read};
use crate::kernels;
use crate::numeric::Octet;
use crate::numeric::vector::{Vector, prefetch};

kernels! { Run = fn(View, Instr);
    /// Rows of octets times a small matrix of `k` by `m`.
    pub(super) fn times = times_body;
}

/// A line of a matrix: what one row of octets contributes.
trait Line: Copy {
    fn at<V: Vector>(&self, j: usize) -> V;
}

impl Line for &[Octet] {
    #[inline(always)]
    fn at<V: Vector>(&self, j: usize) -> V {
        V::read(&self[j])
    }
}

impl Line for &[Slot] {
    #[inline(always)]
    fn at<V: Vector>(&self, j: usize) -> V {
        V::load(&self[j])
    }
}

/// One row of a column, the same number for eight lanes.
#[derive(Clone, Copy)]
struct Each<'a>(&'a [Octet], usize);

impl Line for Each<'_> {
    #[inline(always)]
    fn at<V: Vector>(&self, j: usize) -> V {
        V::splat(self.0[j][self.1])
    }
}

/// A matrix line by line.
trait Lines: Copy {
    type Line: Line;
    fn line(&self, row: usize, k: usize) -> Self::Line;
}

impl<'a> Lines for Data<'a> {
    type Line = &'a [Octet];
    #[inline(always)]
    fn line(&self, row: usize, k: usize) -> &'a [Octet] {
        &self.0[row * self.1..][..k]
    }
}

impl<'a> Lines for Block<'a> {
    type Line = &'a [Slot];
    #[inline(always)]
    fn line(&self, row: usize, k: usize) -> &'a [Slot] {
        &self.0[row * self.1..][..k]
    }
}

impl<'a> Lines for Splat<'a> {
    type Line = Each<'a>;
    #[inline(always)]
    fn line(&self, row: usize, k: usize) -> Each<'a> {
        Each(&self.0[row / 8 * self.1..][..k], row % 8)
    }
}

/// Octets of a column that the second-level cache holds beside the rest. Beyond, the lines of a tile are too short for the CPU to see what comes next.
const CACHED: usize = 1 << 13;

/// How many octets of rows ahead a column is asked for: as long as memory takes to answer.
const AHEAD: usize = 64;

/// A column whose next rows are asked for while these are read.
#[derive(Clone, Copy)]
struct Ahead<'a>(Data<'a>);

/// A line, and what is to be asked for: the same feature so many numbers further.
#[derive(Clone, Copy)]
struct Asking<'a>(&'a [Octet], usize);

impl Line for Asking<'_> {
    #[inline(always)]
    fn at<V: Vector>(&self, j: usize) -> V {
        prefetch(self.0, self.1 + j);
        self.0.at(j)
    }
}

impl<'a> Lines for Ahead<'a> {
    type Line = Asking<'a>;
    #[inline(always)]
    fn line(&self, row: usize, k: usize) -> Asking<'a> {
        Asking(self.0.line(row, k), AHEAD * self.0.1)
    }
}

/// An element of a small matrix, for all numbers of an octet.
trait Element {
    fn eight<V: Vector>(&self) -> V;
}

impl Element for Cell<f64> {
    #[inline(always)]
    fn eight<V: Vector>(&self) -> V {
        V::splat(self.get())
    }
}

impl Element for Slot {
    #[inline(always)]
    fn eight<V: Vector>(&self) -> V {
        V::load(self)
    }
}

/// A small matrix of `k` by `m`, as it stands or as the transpose of what stands there.
trait Panels<'a, E>: Copy {
    /// What [`at`](Self::at) needs to know of some columns.
    fn columns<const C: usize>(&self, first: usize, k: usize) -> [&'a [E]; C];
    /// Some columns of a row.
    fn at<V: Vector, const C: usize>(&self, columns: &[&'a [E]; C], first: usize, j: usize) -> [V; C];
}

/// Row by row, so many columns.
struct Straight<'a, E>(&'a [E], usize);

/// Column by column.
struct Turned<'a, E>(&'a [E]);

impl<E> Clone for Straight<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Straight<'_, E> {}

impl<E> Clone for Turned<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Turned<'_, E> {}

impl<'a, E: Element> Panels<'a, E> for Straight<'a, E> {
    #[inline(always)]
    fn columns<const C: usize>(&self, _: usize, _: usize) -> [&'a [E]; C] {
        [&[]; C]
    }

    #[inline(always)]
    fn at<V: Vector, const C: usize>(&self, _: &[&'a [E]; C], first: usize, j: usize) -> [V; C] {
        let row = &self.0[j * self.1 + first..][..C];
        let mut out = [V::splat(0.0); C];
        for c in 0..C {
            out[c] = row[c].eight::<V>();
        }
        out
    }
}

impl<'a, E: Element> Panels<'a, E> for Turned<'a, E> {
    #[inline(always)]
    fn columns<const C: usize>(&self, first: usize, k: usize) -> [&'a [E]; C] {
        let mut columns: [&[E]; C] = [&[]; C];
        for c in 0..C {
            columns[c] = &self.0[(first + c) * k..][..k];
        }
        columns
    }

    #[inline(always)]
    fn at<V: Vector, const C: usize>(&self, columns: &[&'a [E]; C], _: usize, j: usize) -> [V; C] {
        let mut out = [V::splat(0.0); C];
        for c in 0..C {
            out[c] = columns[c][j].eight::<V>();
        }
        out
    }
}

#[inline(always)]
fn times_body<V: Vector>(view: &View, instr: &Instr) {
    let Instr::Times { out, a, w, k, m } = *instr else { unreachable!("internal: rows times a matrix") };
    let (k, m, width) = (k as usize, m as usize, a.width as usize);
    let out = &view.octets(out)[..view.outer * m];
    match (a.read, view.lanes) {
        (Read::Column, _) if view.columns[a.address.base as usize].octets().len() > CACHED => {
            either::<V, _>(out, Ahead(Data(view.column(a), width)), view.scalars(w.address), w.turned, k, m);
        }
        (Read::Column, _) => either::<V, _>(out, Data(view.column(a), width), view.scalars(w.address), w.turned, k, m),
        (Read::Splat, _) => either::<V, _>(out, Splat(view.column(a), width), view.octets(w.address), w.turned, k, m),
        (read, lanes) => {
            let a = Block(if read == Read::Stream { view.stream(a) } else { view.octets(a.address) }, width);
            match lanes {
                Lanes::One => either::<V, _>(out, a, view.scalars(w.address), w.turned, k, m),
                Lanes::Eight => either::<V, _>(out, a, view.octets(w.address), w.turned, k, m),
            }
        }
    }
}

/// The matrix as it stands, or as the transpose of what stands there.
#[inline(always)]
fn either<V: Vector, E: Element>(out: &[Slot], a: impl Lines, w: &[E], turned: bool, k: usize, m: usize) {
    if turned { tiles::<V, E>(out, a, Turned(w), k, m) } else { tiles::<V, E>(out, a, Straight(w, m), k, m) }
}

/// Four rows, or where registers are few one row, by four columns at a time; and what is left of both. A single column takes eight rows, so that
/// the latency of each sum is hidden.
#[inline(always)]
fn tiles<'a, V: Vector, E: 'a>(out: &[Slot], a: impl Lines, w: impl Panels<'a, E>, k: usize, m: usize) {
    let rows = out.len() / m.max(1);
    let mut column = 0;
    while column + 4 <= m {
        let mut row = 0;
        while V::MANY && row + 4 <= rows {
            tile::<V, E, 4, 4>(out, a, w, k, m, row, column);
            row += 4;
        }
        while row < rows {
            tile::<V, E, 1, 4>(out, a, w, k, m, row, column);
            row += 1;
        }
        column += 4;
    }
    while column < m {
        let mut row = 0;
        while row + 8 <= rows {
            tile::<V, E, 8, 1>(out, a, w, k, m, row, column);
            row += 8;
        }
        while row + 4 <= rows {
            tile::<V, E, 4, 1>(out, a, w, k, m, row, column);
            row += 4;
        }
        while row < rows {
            tile::<V, E, 1, 1>(out, a, w, k, m, row, column);
            row += 1;
        }
        column += 1;
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the innermost loop of a product: all of them are loop bounds")]
fn tile<'a, V: Vector, E: 'a, const R: usize, const C: usize>(
    out: &[Slot],
    a: impl Lines,
    w: impl Panels<'a, E>,
    k: usize,
    m: usize,
    row: usize,
    column: usize,
) {
    // The first product enters exactly: -0 + x is x, whatever x is.
    let mut z = [[V::splat(if k == 0 { 0.0 } else { -0.0 }); C]; R];
    let mut lines = [a.line(row, k); R];
    for r in 1..R {
        lines[r] = a.line(row + r, k);
    }
    let columns = w.columns::<C>(column, k);
    for j in 0..k {
        let y = w.at::<V, C>(&columns, column, j);
        for r in 0..R {
            let x = lines[r].at::<V>(j);
            for c in 0..C {
                z[r][c] = x.fma(y[c], z[r][c]);
            }
        }
    }
    for r in 0..R {
        let out = &out[(row + r) * m + column..][..C];
        for c in 0..C {
            z[r][c].store(&out[c]);
        }
    }
}
