//! Products: rows times a small matrix, and small matrices with each other.
//!
//! Contractions over rows are in `rows`.

use std::cell::Cell;

use super::along::accumulate;
use super::octet::fma;
use super::view::{AnyMatrix, Block, Data, Matrix, Sink, Slot, Splat, View, load, store};
use crate::compile::tape::{Address, Lanes, Operand, Order, Read};
use crate::dispatch;
use crate::numeric::Octet;

dispatch! {
    /// Rows of octets times a small matrix of `k` by `m`.
    pub(super) fn times(view: &View, out: Address, a: Operand, w: Address, k: usize, m: usize) = times_body;
    /// `a` (m by n) times `b` (n by p), both without rows.
    pub(super) fn small(view: &View, out: Address, a: Address, b: Address, sizes: [usize; 3], order: Order) = small_body;
}

/// A small operand, element by element.
trait Small: Copy {
    fn at(&self, element: usize) -> Octet;
}

/// One lane: the same number eight times.
#[derive(Clone, Copy)]
struct Scalars<'a>(&'a [Cell<f64>]);

/// Eight lanes.
#[derive(Clone, Copy)]
struct Octets<'a>(&'a [Slot]);

impl Small for Scalars<'_> {
    #[inline(always)]
    fn at(&self, element: usize) -> Octet {
        [self.0[element].get(); 8]
    }
}

impl Small for Octets<'_> {
    #[inline(always)]
    fn at(&self, element: usize) -> Octet {
        load(&self.0[element])
    }
}

#[inline(always)]
fn times_body(view: &View, out: Address, a: Operand, w: Address, k: usize, m: usize) {
    let out = &view.octets(out)[..view.outer * m];
    let width = a.width as usize;
    match (a.read, view.lanes) {
        (Read::Column, _) => tiles(out, Data(view.column(a), width), Scalars(&view.scalars(w)[..k * m]), k, m),
        (Read::Splat, _) => tiles(out, Splat(view.column(a), width), Octets(&view.octets(w)[..k * m]), k, m),
        (read, lanes) => {
            let a = Block(if read == Read::Stream { view.stream(a) } else { view.octets(a.address) }, width);
            match lanes {
                Lanes::One => tiles(out, a, Scalars(&view.scalars(w)[..k * m]), k, m),
                Lanes::Eight => tiles(out, a, Octets(&view.octets(w)[..k * m]), k, m),
            }
        }
    }
}

/// Four rows of octets at a time for one column, else four columns at a time: enough independent sums to hide their latency.
#[inline(always)]
fn tiles(out: &[Slot], a: impl Matrix, w: impl Small, k: usize, m: usize) {
    let rows = out.len() / m.max(1);
    let mut column = 0;
    while column < m {
        let mut row = 0;
        if column + 4 <= m {
            while row < rows {
                tile::<1, 4>(out, a, w, k, m, row, column);
                row += 1;
            }
            column += 4;
        } else {
            while row + 4 <= rows {
                tile::<4, 1>(out, a, w, k, m, row, column);
                row += 4;
            }
            while row < rows {
                tile::<1, 1>(out, a, w, k, m, row, column);
                row += 1;
            }
            column += 1;
        }
    }
}

#[inline(always)]
fn tile<const R: usize, const C: usize>(out: &[Slot], a: impl Matrix, w: impl Small, k: usize, m: usize, row: usize, column: usize) {
    // The first product enters exactly: -0 + x is x, whatever x is.
    let mut z = [[[if k == 0 { 0.0 } else { -0.0 }; 8]; C]; R];
    for j in 0..k {
        for r in 0..R {
            let x = a.at(row + r, j);
            for c in 0..C {
                z[r][c] = fma(x, w.at(j * m + column + c), z[r][c]);
            }
        }
    }
    for r in 0..R {
        for c in 0..C {
            store(&out[(row + r) * m + column + c], z[r][c]);
        }
    }
}

#[inline(always)]
fn small_body(view: &View, out: Address, a: Address, b: Address, [m, n, p]: [usize; 3], order: Order) {
    let sink = Sink::new(view, out, m * p);
    let (a, b) = match view.lanes {
        Lanes::One => (AnyMatrix::Scalars(view.scalars(a)), AnyMatrix::Scalars(view.scalars(b))),
        Lanes::Eight => (AnyMatrix::Octets(view.octets(a)), AnyMatrix::Octets(view.octets(b))),
    };
    for row in 0..m {
        for column in 0..p {
            let step = |s: Octet, i: usize| fma(a.at(0, row * n + i), b.at(0, i * p + column), s);
            sink.put(0, row * p + column, accumulate(order, n, step));
        }
    }
}
