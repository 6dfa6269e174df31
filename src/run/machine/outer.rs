//! Contractions over rows of all pairs of features, as in `X.T @ R`: one accumulator per pair, rows in ascending order.
//!
//! Chunks and the tree over them are in `rows`.

use super::Run;
use super::view::{AnyMatrix, Block, Data, Matrix, Slot, Splat, View};
use crate::compile::tape::{Instr, Lanes};
use crate::kernels;
use crate::numeric::Octet;
use crate::numeric::vector::Vector;

kernels! { Run = fn(View, Instr);
    /// Adds all products of a feature of `a` and one of `b`, in ascending order.
    pub(super) fn outer = outer_body;
}

#[inline(always)]
fn outer_body<V: Vector>(view: &View, instr: &Instr) {
    let Instr::Outer { acc, a, b } = *instr else { unreachable!("internal: products of features") };
    let (k, m) = (a.width as usize, b.width as usize);
    let acc = view.octets(acc);
    match (view.lanes, view.matrix(a), view.matrix(b)) {
        (Lanes::One, AnyMatrix::Data(a), AnyMatrix::Block(b)) => in_rows::<V>(view, acc, a, b, k, m),
        (Lanes::One, AnyMatrix::Block(a), AnyMatrix::Block(b)) => in_rows::<V>(view, acc, a, b, k, m),
        (Lanes::One, a, b) => in_rows::<V>(view, acc, a, b, k, m),
        (Lanes::Eight, AnyMatrix::Splat(a), AnyMatrix::Block(b)) => in_lanes::<V>(view, acc, a, b, k, m),
        (Lanes::Eight, AnyMatrix::Block(a), AnyMatrix::Block(b)) => in_lanes::<V>(view, acc, a, b, k, m),
        (Lanes::Eight, a, b) => in_lanes::<V>(view, acc, a, b, k, m),
    }
}

/// A matrix of single numbers.
trait Numbers: Matrix {
    /// One row of an octet of rows.
    fn number(&self, outer: usize, feature: usize, row: usize) -> f64;
}

impl Numbers for Data<'_> {
    #[inline(always)]
    fn number(&self, outer: usize, feature: usize, row: usize) -> f64 {
        self.0[outer * self.1 + feature][row]
    }
}

impl Numbers for Block<'_> {
    #[inline(always)]
    fn number(&self, outer: usize, feature: usize, row: usize) -> f64 {
        self.0[outer * self.1 + feature][row].get()
    }
}

impl Numbers for AnyMatrix<'_> {
    #[inline(always)]
    fn number(&self, outer: usize, feature: usize, row: usize) -> f64 {
        self.at(outer, feature)[row]
    }
}

/// Rows and octets of features that are turned at a time: they stay in the first-level cache while all of `a` goes by.
const TURNED: (usize, usize) = (64, 6);

/// Features turned: octets of features, row by row.
type Turned = [[Octet; TURNED.1]];

/// Room for them, where no octet lies across two cache lines.
#[repr(align(64))]
struct Room([[Octet; TURNED.1]; TURNED.0]);

/// One lane: octets of features of `b`, turned first so that an octet holds eight features of one row.
#[allow(clippy::large_stack_arrays, reason = "24 KiB, and the cache it is made for is the first")]
#[inline(always)]
fn in_rows<V: Vector>(view: &View, acc: &[Slot], a: impl Numbers, b: impl Numbers, k: usize, m: usize) {
    let wide = m.div_ceil(8);
    let mut room = Room([[[0.0; 8]; TURNED.1]; TURNED.0]);
    for first in (0..view.rows).step_by(TURNED.0) {
        let turned = &mut room.0[..TURNED.0.min(view.rows - first)];
        for octets in (0..wide).step_by(TURNED.1) {
            turn(turned, b, first / 8, octets * 8, m);
            let turned = &*turned;
            let end = wide.min(octets + TURNED.1);
            let mut j = 0;
            while j < k {
                let count = match k - j {
                    8.. if V::MANY => 8,
                    2.. => 2,
                    _ => 1,
                };
                let mut octet = octets;
                while octet < end {
                    let at = [first / 8, j, octet, octet - octets, wide];
                    match (count, end - octet) {
                        (8, 2..) => row_tile::<V, 8, 2>(acc, a, turned, at),
                        (8, _) => row_tile::<V, 8, 1>(acc, a, turned, at),
                        (2, 2..) => row_tile::<V, 2, 2>(acc, a, turned, at),
                        (2, _) => row_tile::<V, 2, 1>(acc, a, turned, at),
                        (_, 2..) => row_tile::<V, 1, 2>(acc, a, turned, at),
                        (_, _) => row_tile::<V, 1, 1>(acc, a, turned, at),
                    }
                    octet += 2;
                }
                j += count;
            }
        }
    }
}

/// Some octets of features from the first feature on, row by row.
#[inline(always)]
fn turn(turned: &mut Turned, b: impl Numbers, outer: usize, first: usize, m: usize) {
    for (o, eight) in turned.chunks_mut(8).enumerate() {
        let outer = outer + o;
        for (octet, from) in (first..m).step_by(8).take(TURNED.1).enumerate() {
            for (p, line) in eight.iter_mut().enumerate() {
                // All at once, which the compiler makes one octet of.
                if from + 8 <= m {
                    let x = |c: usize| b.number(outer, from + c, p);
                    line[octet] = [x(0), x(1), x(2), x(3), x(4), x(5), x(6), x(7)];
                } else {
                    for c in 0..m - from {
                        line[octet][c] = b.number(outer, from + c, p);
                    }
                }
            }
        }
    }
}

/// Adds all rows to the pairs of `J` features of `a` and `C` octets of features of `b`: from feature `j` and octet `octet` of `wide` on,
/// which is number `place` of those turned.
#[inline(always)]
fn row_tile<V: Vector, const J: usize, const C: usize>(
    acc: &[Slot],
    a: impl Numbers,
    turned: &Turned,
    [outer, j, octet, place, wide]: [usize; 5],
) {
    let mut z = [[V::splat(0.0); C]; J];
    for t in 0..J {
        let acc = &acc[(j + t) * wide + octet..][..C];
        for c in 0..C {
            z[t][c] = V::load(&acc[c]);
        }
    }
    for (o, eight) in turned.chunks(8).enumerate() {
        for (p, line) in eight.iter().enumerate() {
            let mut y = [V::splat(0.0); C];
            for c in 0..C {
                y[c] = V::read(&line[place + c]);
            }
            for t in 0..J {
                let x = V::splat(a.number(outer + o, j + t, p));
                for c in 0..C {
                    z[t][c] = x.fma(y[c], z[t][c]);
                }
            }
        }
    }
    for t in 0..J {
        let acc = &acc[(j + t) * wide + octet..][..C];
        for c in 0..C {
            z[t][c].store(&acc[c]);
        }
    }
}

/// An octet of a matrix, for eight lanes.
trait Octets: Matrix {
    fn eight<V: Vector>(&self, row: usize, feature: usize) -> V;
}

impl Octets for Block<'_> {
    #[inline(always)]
    fn eight<V: Vector>(&self, row: usize, feature: usize) -> V {
        V::load(&self.0[row * self.1 + feature])
    }
}

impl Octets for Splat<'_> {
    #[inline(always)]
    fn eight<V: Vector>(&self, row: usize, feature: usize) -> V {
        V::splat(self.0[row / 8 * self.1 + feature][row % 8])
    }
}

impl Octets for AnyMatrix<'_> {
    #[inline(always)]
    fn eight<V: Vector>(&self, row: usize, feature: usize) -> V {
        V::read(&self.at(row, feature))
    }
}

/// Eight lanes: four features of `a`, or where registers are few one, by four of `b` at a time.
#[inline(always)]
fn in_lanes<V: Vector>(view: &View, acc: &[Slot], a: impl Octets, b: impl Octets, k: usize, m: usize) {
    let mut j = 0;
    while j < k {
        let tall = V::MANY && j + 4 <= k;
        let mut c = 0;
        while c < m {
            match (tall, c + 4 <= m) {
                (true, true) => lane_tile::<V, 4, 4>(view, acc, a, b, [m, j, c]),
                (true, false) => lane_tile::<V, 4, 1>(view, acc, a, b, [m, j, c]),
                (false, true) => lane_tile::<V, 1, 4>(view, acc, a, b, [m, j, c]),
                (false, false) => lane_tile::<V, 1, 1>(view, acc, a, b, [m, j, c]),
            }
            c += if c + 4 <= m { 4 } else { 1 };
        }
        j += if tall { 4 } else { 1 };
    }
}

#[inline(always)]
fn lane_tile<V: Vector, const J: usize, const C: usize>(view: &View, acc: &[Slot], a: impl Octets, b: impl Octets, [m, j, c]: [usize; 3]) {
    let mut z = [[V::splat(0.0); C]; J];
    for t in 0..J {
        for u in 0..C {
            z[t][u] = V::load(&acc[(j + t) * m + c + u]);
        }
    }
    for row in 0..view.outer {
        let mut y = [V::splat(0.0); C];
        for u in 0..C {
            y[u] = b.eight::<V>(row, c + u);
        }
        for t in 0..J {
            let x = a.eight::<V>(row, j + t);
            for u in 0..C {
                z[t][u] = x.fma(y[u], z[t][u]);
            }
        }
    }
    for t in 0..J {
        for u in 0..C {
            z[t][u].store(&acc[(j + t) * m + c + u]);
        }
    }
}
