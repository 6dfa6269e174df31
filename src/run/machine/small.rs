//! Products of matrices without rows, as they stand or transposed.
//!
//! Every entry has its terms in the order that the instruction says; products with rows are in `product`.

use std::cell::Cell;

use super::Run;
use super::along::{Gathered, Octets, Products, accumulate};
use super::view::{Slot, View, store};
use crate::compile::tape::{Address, Instr, Lanes, Order, Weights};
use crate::kernels;
use crate::numeric::Octet;
use crate::numeric::sums::CHUNK;
use crate::numeric::vector::{Vector, spill};

kernels! { Run = fn(View, Instr);
    /// `a` (m by n) times `b` (n by p).
    pub(super) fn product = product_body;
}

/// Terms that are taken between two visits to the sums of an entry.
const STRETCH: usize = 128;

/// Room for a part of a matrix, where no octet lies across two cache lines.
#[repr(align(64))]
struct Room([[Octet; 2]; STRETCH]);

#[inline(always)]
fn product_body<V: Vector>(view: &View, instr: &Instr) {
    let Instr::Product { out, a, b, m, n, p, order } = *instr else { unreachable!("internal: a product") };
    let [m, n, p] = [m as usize, n as usize, p as usize];
    if order == Order::Classes || (order == Order::Chunks && n > CHUNK) {
        return by_parts(view, out, a, b, [m, n, p], order);
    }
    match view.lanes {
        Lanes::One => {
            let out = &view.scalars(out)[..m * p];
            let (a, b) = (Strided::of(view.scalars(a.address), a.turned, m, n), Strided::of(view.scalars(b.address), b.turned, n, p));
            // A single column is a row of the transposed product.
            if p == 1 { in_columns::<V>(out, b.flipped(), a.flipped(), [1, n, m]) } else { in_columns::<V>(out, a, b, [m, n, p]) }
        }
        Lanes::Eight => {
            let out = &view.octets(out)[..m * p];
            let (a, b) = (Strided::of(view.octets(a.address), a.turned, m, n), Strided::of(view.octets(b.address), b.turned, n, p));
            in_lanes::<V>(out, a, b, [m, n, p]);
        }
    }
}

/// A matrix without rows: element (i, j) is at `i*down + j*along`.
struct Strided<'a, E> {
    all: &'a [E],
    down: usize,
    along: usize,
}

impl<E> Clone for Strided<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Strided<'_, E> {}

impl<'a, E> Strided<'a, E> {
    #[inline(always)]
    fn of(all: &'a [E], turned: bool, rows: usize, columns: usize) -> Self {
        let (down, along) = if turned { (1, rows) } else { (columns, 1) };
        Strided { all, down, along }
    }

    #[inline(always)]
    fn flipped(self) -> Self {
        Strided { all: self.all, down: self.along, along: self.down }
    }

    #[inline(always)]
    fn at(&self, i: usize, j: usize) -> &'a E {
        &self.all[i * self.down + j * self.along]
    }
}

/// One lane: sixteen columns at a time, whose part of `b` is copied together first.
#[inline(always)]
fn in_columns<V: Vector>(out: &[Cell<f64>], a: Strided<Cell<f64>>, b: Strided<Cell<f64>>, [m, n, p]: [usize; 3]) {
    if n == 0 {
        for x in out {
            x.set(0.0);
        }
        return;
    }
    let mut room = Room([[[0.0; 8]; 2]; STRETCH]);
    let panel = &mut room.0;
    for first in (0..p).step_by(16) {
        let columns = 16.min(p - first);
        for start in (0..n).step_by(STRETCH) {
            let count = STRETCH.min(n - start);
            for (j, line) in panel[..count].iter_mut().enumerate() {
                let line = &mut line.as_flattened_mut()[..columns];
                if b.along == 1 {
                    for (y, x) in line.iter_mut().zip(&b.all[(start + j) * b.down + first..][..columns]) {
                        *y = x.get();
                    }
                } else {
                    for (c, y) in line.iter_mut().enumerate() {
                        *y = b.at(start + j, first + c).get();
                    }
                }
            }
            let mut row = 0;
            while row < m {
                let part = Part { row, start, first, columns, p };
                if V::MANY && row + 4 <= m {
                    part.add::<V, 4>(out, a, &panel[..count]);
                    row += 4;
                } else {
                    part.add::<V, 1>(out, a, &panel[..count]);
                    row += 1;
                }
            }
        }
    }
}

/// Some rows of a product, up to sixteen columns from `first` of `p`, and the terms from `start` on.
struct Part {
    row: usize,
    start: usize,
    first: usize,
    columns: usize,
    p: usize,
}

impl Part {
    #[inline(always)]
    fn add<V: Vector, const R: usize>(&self, out: &[Cell<f64>], a: Strided<Cell<f64>>, panel: &[[Octet; 2]]) {
        let mut z = [[V::splat(-0.0); 2]; R];
        let mut room = [[[0.0; 8]; 2]; R];
        if self.start > 0 {
            for r in 0..R {
                if let [low, high] = self.entries(out, r).as_chunks::<8>().0 {
                    z[r] = [V::load(low), V::load(high)];
                } else {
                    for (z, out) in room[r].as_flattened_mut().iter_mut().zip(self.entries(out, r)) {
                        *z = out.get();
                    }
                    z[r] = [V::read(&room[r][0]), V::read(&room[r][1])];
                }
            }
        }
        for (j, y) in panel.iter().enumerate() {
            let y = [V::read(&y[0]), V::read(&y[1])];
            for r in 0..R {
                let x = V::splat(a.at(self.row + r, self.start + j).get());
                for c in 0..2 {
                    z[r][c] = x.fma(y[c], z[r][c]);
                }
            }
        }
        for r in 0..R {
            if let [low, high] = self.entries(out, r).as_chunks::<8>().0 {
                z[r][0].store(low);
                z[r][1].store(high);
            } else {
                room[r] = [spill(z[r][0]), spill(z[r][1])];
                for (z, out) in room[r].as_flattened().iter().zip(self.entries(out, r)) {
                    out.set(*z);
                }
            }
        }
    }

    #[inline(always)]
    fn entries<'a>(&self, out: &'a [Cell<f64>], r: usize) -> &'a [Cell<f64>] {
        &out[(self.row + r) * self.p + self.first..][..self.columns]
    }
}

/// Eight lanes: four rows by four columns at a time.
#[inline(always)]
fn in_lanes<V: Vector>(out: &[Slot], a: Strided<Slot>, b: Strided<Slot>, [m, n, p]: [usize; 3]) {
    let mut row = 0;
    while row < m {
        let tall = V::MANY && row + 4 <= m;
        let mut column = 0;
        while column < p {
            match (tall, column + 4 <= p) {
                (true, true) => lane_tile::<V, 4, 4>(out, a, b, [row, column, n, p]),
                (true, false) => lane_tile::<V, 4, 1>(out, a, b, [row, column, n, p]),
                (false, true) => lane_tile::<V, 1, 4>(out, a, b, [row, column, n, p]),
                (false, false) => lane_tile::<V, 1, 1>(out, a, b, [row, column, n, p]),
            }
            column += if column + 4 <= p { 4 } else { 1 };
        }
        row += if tall { 4 } else { 1 };
    }
}

#[inline(always)]
fn lane_tile<V: Vector, const R: usize, const C: usize>(out: &[Slot], a: Strided<Slot>, b: Strided<Slot>, [row, column, n, p]: [usize; 4]) {
    let mut z = [[V::splat(if n == 0 { 0.0 } else { -0.0 }); C]; R];
    for j in 0..n {
        let mut y = [V::splat(0.0); C];
        for c in 0..C {
            y[c] = V::load(b.at(j, column + c));
        }
        for r in 0..R {
            let x = V::load(a.at(row + r, j));
            for c in 0..C {
                z[r][c] = x.fma(y[c], z[r][c]);
            }
        }
    }
    for r in 0..R {
        for c in 0..C {
            z[r][c].store(&out[(row + r) * p + column + c]);
        }
    }
}

/// Entries whose terms are added in classes, or in several chunks: eight rows at a time.
#[inline(always)]
fn by_parts(view: &View, out: Address, a: Weights, b: Weights, [m, n, p]: [usize; 3], order: Order) {
    match view.lanes {
        Lanes::One => {
            let out = &view.scalars(out)[..m * p];
            let (a, b) = (Strided::of(view.scalars(a.address), a.turned, m, n), Strided::of(view.scalars(b.address), b.turned, n, p));
            for row in (0..m).step_by(8) {
                let mut first = [0; 8];
                for r in 0..8 {
                    first[r] = (row + r).min(m - 1) * a.down;
                }
                let left = Gathered { numbers: a.all, first, step: a.along };
                for column in 0..p {
                    let right = Gathered { numbers: b.all, first: [column * b.along; 8], step: b.down };
                    let sum = accumulate(order, n, Products(left, right));
                    for r in 0..8.min(m - row) {
                        out[(row + r) * p + column].set(sum[r]);
                    }
                }
            }
        }
        Lanes::Eight => {
            let out = &view.octets(out)[..m * p];
            let (a, b) = (Strided::of(view.octets(a.address), a.turned, m, n), Strided::of(view.octets(b.address), b.turned, n, p));
            for row in 0..m {
                for column in 0..p {
                    let left = Octets(&a.all[row * a.down..], a.along);
                    let right = Octets(&b.all[column * b.along..], b.down);
                    store(&out[row * p + column], accumulate(order, n, Products(left, right)));
                }
            }
        }
    }
}
