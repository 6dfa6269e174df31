//! Contractions over rows: accumulators per chunk of 1,024 rows, the tree over chunks, and the last sum over classes.
//!
//! With one lane an accumulator is an octet of the eight classes; with eight lanes there is an octet per class.

use super::octet::{add, fma, halving};
use super::start_of;
use super::view::{AnyMatrix, Matrix, Slot, View, load, store};
use crate::compile::tape::{Address, Lanes, Operand, Order, Section, Total};
use crate::dispatch;
use crate::numeric::Octet;
use crate::numeric::sums::halve;

dispatch! {
    /// Adds the features of the block's rows, by classes.
    pub(super) fn sum(view: &View, acc: Address, a: Operand) = sum_body;
    /// Adds the features of `a` times the one feature of `b`, by classes.
    pub(super) fn dot(view: &View, acc: Address, a: Operand, b: Operand) = dot_body;
}

/// Sets the accumulators of the section to their start: those that run through all rows, or those of a chunk.
pub(super) fn clear(view: &View, section: &Section, through: bool) {
    for total in &section.totals {
        if total.order.through() == through {
            for slot in &view.octets(total.acc)[..total.octets as usize] {
                store(slot, [start_of(total.order); 8]);
            }
        }
    }
}

/// Adds a finished chunk to the tree: a stack with at most one set of accumulators for each power of two.
pub(super) fn carry(view: &View, section: &Section, chunk: usize) {
    for total in section.totals.iter().filter(|total| !total.order.through()) {
        let (current, mut level) = (set(view, total, 0), 0);
        while chunk >> level & 1 == 1 {
            for (right, left) in current.iter().zip(set(view, total, level + 1)) {
                store(right, add(load(left), load(right)));
            }
            level += 1;
        }
        for (to, from) in set(view, total, level + 1).iter().zip(current) {
            store(to, load(from));
        }
    }
}

#[inline(always)]
fn set<'a>(view: &View<'a>, total: &Total, number: usize) -> &'a [Slot] {
    let octets = total.octets as usize;
    &view.octets(total.acc)[number * octets..(number + 1) * octets]
}

/// Ends the pass: what is left of the tree is combined, and the results are written.
pub(super) fn finish(view: &View, section: &Section, chunks: usize) {
    for total in &section.totals {
        let acc = set(view, total, 0);
        if chunks > 1 && !total.order.through() {
            let mut first = true;
            for level in (0..usize::BITS as usize).filter(|level| chunks >> level & 1 == 1) {
                for (right, left) in acc.iter().zip(set(view, total, level + 1)) {
                    store(right, if first { load(left) } else { add(load(left), load(right)) });
                }
                first = false;
            }
        }
        if total.out == total.acc {
            continue;
        }
        let (rows, columns) = (total.rows as usize, total.columns as usize);
        match (total.order, view.lanes) {
            (Order::Classes, Lanes::One) => {
                for (out, acc) in view.scalars(total.out).iter().zip(acc) {
                    out.set(halve(&load(acc)));
                }
            }
            (Order::Classes, Lanes::Eight) => {
                for (j, out) in view.octets(total.out)[..rows].iter().enumerate() {
                    let mut s = [[0.0; 8]; 8];
                    for p in 0..8 {
                        s[p] = load(&acc[p * rows + j]);
                    }
                    store(out, halving(&s));
                }
            }
            (_, Lanes::One) => {
                let padded = columns.next_multiple_of(8);
                for (row, out) in view.scalars(total.out)[..rows * columns].chunks_exact(columns.max(1)).enumerate() {
                    for (out, acc) in out.iter().zip(&acc.as_flattened()[row * padded..]) {
                        out.set(acc.get());
                    }
                }
            }
            (_, Lanes::Eight) => {
                for (out, acc) in view.octets(total.out).iter().zip(acc) {
                    store(out, load(acc));
                }
            }
        }
    }
}

/// The number `1`, for sums without a second factor.
#[derive(Clone, Copy)]
struct Nothing;

/// One more term for an accumulator.
trait Term: Copy {
    /// Adds `x` (of the row of octets) to `s`.
    fn add(self, x: Octet, outer: usize, s: Octet) -> Octet;
    /// The same for the first `valid` rows of the octet alone.
    fn add_some(self, x: Octet, outer: usize, s: Octet, valid: usize) -> Octet;
}

impl Term for Nothing {
    #[inline(always)]
    fn add(self, x: Octet, _: usize, s: Octet) -> Octet {
        add(s, x)
    }

    #[inline(always)]
    fn add_some(self, x: Octet, _: usize, s: Octet, valid: usize) -> Octet {
        some(s, add(s, x), valid)
    }
}

impl<M: Matrix> Term for M {
    #[inline(always)]
    fn add(self, x: Octet, outer: usize, s: Octet) -> Octet {
        fma(x, self.at(outer, 0), s)
    }

    #[inline(always)]
    fn add_some(self, x: Octet, outer: usize, s: Octet, valid: usize) -> Octet {
        some(s, fma(x, self.at(outer, 0), s), valid)
    }
}

/// The new values of the first rows, the old ones of the others.
#[inline(always)]
fn some(old: Octet, new: Octet, valid: usize) -> Octet {
    let mut out = old;
    for p in 0..8 {
        if p < valid {
            out[p] = new[p];
        }
    }
    out
}

#[inline(always)]
fn sum_body(view: &View, acc: Address, a: Operand) {
    match view.matrix(a) {
        AnyMatrix::Block(m) => accumulate(view, acc, m, a.width as usize, Nothing),
        m => accumulate(view, acc, m, a.width as usize, Nothing),
    }
}

#[inline(always)]
fn dot_body(view: &View, acc: Address, a: Operand, b: Operand) {
    let k = a.width as usize;
    match (view.matrix(a), view.matrix(b)) {
        (AnyMatrix::Data(a), AnyMatrix::Block(b)) => accumulate(view, acc, a, k, b),
        (AnyMatrix::Splat(a), AnyMatrix::Block(b)) => accumulate(view, acc, a, k, b),
        (AnyMatrix::Block(a), AnyMatrix::Block(b)) => accumulate(view, acc, a, k, b),
        (a, b) => accumulate(view, acc, a, k, b),
    }
}

/// Adds the terms of a block to `k` accumulators, a few at a time so that they stay in registers.
#[inline(always)]
fn accumulate(view: &View, acc: Address, a: impl Matrix, k: usize, term: impl Term) {
    let acc = view.octets(acc);
    let mut j = 0;
    while j < k {
        let step = match k - j {
            8.. => features::<8>(view, acc, a, k, j, term),
            4.. => features::<4>(view, acc, a, k, j, term),
            _ => features::<1>(view, acc, a, k, j, term),
        };
        j += step;
    }
}

#[inline(always)]
fn features<const T: usize>(view: &View, acc: &[Slot], a: impl Matrix, k: usize, j: usize, term: impl Term) -> usize {
    let mut s = [[0.0; 8]; T];
    if view.lanes == Lanes::One {
        for t in 0..T {
            s[t] = load(&acc[j + t]);
        }
        let full = view.rows / 8;
        for outer in 0..full {
            for t in 0..T {
                s[t] = term.add(a.at(outer, j + t), outer, s[t]);
            }
        }
        let valid = view.rows % 8;
        if valid > 0 {
            for t in 0..T {
                s[t] = term.add_some(a.at(full, j + t), full, s[t], valid);
            }
        }
        for t in 0..T {
            store(&acc[j + t], s[t]);
        }
    } else {
        for p in 0..8.min(view.rows) {
            for t in 0..T {
                s[t] = load(&acc[p * k + j + t]);
            }
            let mut row = p;
            while row < view.rows {
                for t in 0..T {
                    s[t] = term.add(a.at(row, j + t), row, s[t]);
                }
                row += 8;
            }
            for t in 0..T {
                store(&acc[p * k + j + t], s[t]);
            }
        }
    }
    T
}
