//! Products of rows of octets and a small matrix.
//!
//! Products without rows are in `small`, contractions over rows in `outer` and `rows`. Every entry has one accumulator and takes its terms in ascending order, so that the
//! shape of a tile never changes a bit; tiles are as large as the registers of a level allow, and nothing is packed or transposed beforehand.

use std::cell::Cell;

use super::view::{Block, Data, Slot, Splat, View};
use crate::compile::tape::{Address, Lanes, Operand, Read, Weights};
use crate::dispatch_registers;
use crate::numeric::Octet;
use crate::numeric::register::Registers;

dispatch_registers! {
    /// Rows of octets times a small matrix of `k` by `m`.
    pub(super) fn times(view: &View, out: Address, a: Operand, w: Weights, k: usize, m: usize) = times_body;
}

/// A line of a matrix: what one row of octets contributes.
trait Line: Copy {
    fn at<S: Registers>(&self, s: S, j: usize) -> S::Eight;
}

impl Line for &[Octet] {
    #[inline(always)]
    fn at<S: Registers>(&self, s: S, j: usize) -> S::Eight {
        s.octet(&self[j])
    }
}

impl Line for &[Slot] {
    #[inline(always)]
    fn at<S: Registers>(&self, s: S, j: usize) -> S::Eight {
        s.load(&self[j])
    }
}

/// One row of a column, the same number for eight lanes.
#[derive(Clone, Copy)]
struct Each<'a>(&'a [Octet], usize);

impl Line for Each<'_> {
    #[inline(always)]
    fn at<S: Registers>(&self, s: S, j: usize) -> S::Eight {
        s.splat(self.0[j][self.1])
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

/// An element of a small matrix, for all numbers of an octet.
trait Element {
    fn eight<S: Registers>(&self, s: S) -> S::Eight;
}

impl Element for Cell<f64> {
    #[inline(always)]
    fn eight<S: Registers>(&self, s: S) -> S::Eight {
        s.splat(self.get())
    }
}

impl Element for Slot {
    #[inline(always)]
    fn eight<S: Registers>(&self, s: S) -> S::Eight {
        s.load(self)
    }
}

/// A small matrix of `k` by `m`, as it stands or as the transpose of what stands there.
trait Panels<'a, E>: Copy {
    /// What [`at`](Self::at) needs to know of some columns.
    fn columns<const C: usize>(&self, first: usize, k: usize) -> [&'a [E]; C];
    /// Some columns of a row.
    fn at<S: Registers, const C: usize>(&self, s: S, columns: &[&'a [E]; C], first: usize, j: usize) -> [S::Eight; C];
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
    fn at<S: Registers, const C: usize>(&self, s: S, _: &[&'a [E]; C], first: usize, j: usize) -> [S::Eight; C] {
        let row = &self.0[j * self.1 + first..][..C];
        let mut out = [s.splat(0.0); C];
        for c in 0..C {
            out[c] = row[c].eight(s);
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
    fn at<S: Registers, const C: usize>(&self, s: S, columns: &[&'a [E]; C], _: usize, j: usize) -> [S::Eight; C] {
        let mut out = [s.splat(0.0); C];
        for c in 0..C {
            out[c] = columns[c][j].eight(s);
        }
        out
    }
}

#[inline(always)]
fn times_body<S: Registers>(s: S, view: &View, out: Address, a: Operand, w: Weights, k: usize, m: usize) {
    let out = &view.octets(out)[..view.outer * m];
    let width = a.width as usize;
    match (a.read, view.lanes) {
        (Read::Column, _) => times_numbers(s, out, Data(view.column(a), width), view.scalars(w.address), w.turned, k, m),
        (Read::Splat, _) => times_octets(s, out, Splat(view.column(a), width), view.octets(w.address), w.turned, k, m),
        (read, lanes) => {
            let a = Block(if read == Read::Stream { view.stream(a) } else { view.octets(a.address) }, width);
            match lanes {
                Lanes::One => times_numbers(s, out, a, view.scalars(w.address), w.turned, k, m),
                Lanes::Eight => times_octets(s, out, a, view.octets(w.address), w.turned, k, m),
            }
        }
    }
}

#[inline(always)]
fn times_numbers<S: Registers>(s: S, out: &[Slot], a: impl Lines, w: &[Cell<f64>], turned: bool, k: usize, m: usize) {
    if turned { tiles(s, out, a, Turned(w), k, m) } else { tiles(s, out, a, Straight(w, m), k, m) }
}

#[inline(always)]
fn times_octets<S: Registers>(s: S, out: &[Slot], a: impl Lines, w: &[Slot], turned: bool, k: usize, m: usize) {
    if turned { tiles(s, out, a, Turned(w), k, m) } else { tiles(s, out, a, Straight(w, m), k, m) }
}

/// Four rows, or where registers are few one row, by four columns at a time; and what is left of both.
#[inline(always)]
fn tiles<'a, S: Registers, E: 'a>(s: S, out: &[Slot], a: impl Lines, w: impl Panels<'a, E>, k: usize, m: usize) {
    let rows = out.len() / m.max(1);
    let mut column = 0;
    while column + 4 <= m {
        let mut row = 0;
        while S::MANY && row + 4 <= rows {
            tile::<S, E, 4, 4>(s, out, a, w, k, m, row, column);
            row += 4;
        }
        while row < rows {
            tile::<S, E, 1, 4>(s, out, a, w, k, m, row, column);
            row += 1;
        }
        column += 4;
    }
    while column < m {
        let mut row = 0;
        while row + 4 <= rows {
            tile::<S, E, 4, 1>(s, out, a, w, k, m, row, column);
            row += 4;
        }
        while row < rows {
            tile::<S, E, 1, 1>(s, out, a, w, k, m, row, column);
            row += 1;
        }
        column += 1;
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the innermost loop of a product: all of them are loop bounds")]
fn tile<'a, S: Registers, E: 'a, const R: usize, const C: usize>(
    s: S,
    out: &[Slot],
    a: impl Lines,
    w: impl Panels<'a, E>,
    k: usize,
    m: usize,
    row: usize,
    column: usize,
) {
    // The first product enters exactly: -0 + x is x, whatever x is.
    let mut z = [[s.splat(if k == 0 { 0.0 } else { -0.0 }); C]; R];
    let mut lines = [a.line(row, k); R];
    for r in 1..R {
        lines[r] = a.line(row + r, k);
    }
    let columns = w.columns::<C>(column, k);
    for j in 0..k {
        let y = w.at(s, &columns, column, j);
        for r in 0..R {
            let x = lines[r].at(s, j);
            for c in 0..C {
                z[r][c] = s.fma(x, y[c], z[r][c]);
            }
        }
    }
    for r in 0..R {
        let out = &out[(row + r) * m + column..][..C];
        for c in 0..C {
            s.store(&out[c], z[r][c]);
        }
    }
}
