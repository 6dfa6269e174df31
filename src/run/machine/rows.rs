//! Contractions over rows: accumulators per chunk of 1,024 rows, the tree over chunks, and the last sum over classes.
//!
//! With one lane an accumulator is an octet of the eight classes; with eight lanes there is an octet per class.

use super::features::{Features, each};
use super::view::{AnyMatrix, Slot, View, load};
use super::{Around, Run, start_of};
use crate::compile::tape::{Instr, Lanes, Order, Section, Total};
use crate::kernels;
use crate::numeric::elementary::generic;
use crate::numeric::sums::halve;
use crate::numeric::vector::Vector;

kernels! { Run = fn(View, Instr);
    /// Adds the features of the block's rows, by classes.
    pub(super) fn sum = sum_body;
    /// Multiplies one plus each feature, less one, by classes.
    pub(super) fn log1p = log1p_body;
    /// Adds the features of `a` times the one feature of `b`, by classes.
    pub(super) fn dot = dot_body;
}

kernels! { Around = fn(View, Section);
    /// Sets the accumulators of the section to their start: those that run through all rows before the first row, those of a chunk before each.
    pub(super) fn clear = clear_body;
    /// Ends a chunk: takes the logarithms of its products.
    pub(super) fn close = close_body;
    /// Adds a finished chunk to the tree: a stack with at most one set of accumulators for each power of two.
    pub(super) fn carry = carry_body;
    /// Combines what is left of the tree.
    pub(super) fn settle = settle_body;
    /// Ends the pass: the results are written.
    pub(super) fn finish = finish_body;
}

#[inline(always)]
fn clear_body<V: Vector>(view: &View, section: &Section) {
    for total in &section.totals {
        if view.chunk == 0 || !total.order.through() {
            let start = V::splat(start_of(total.order));
            for slot in set(view, total, 0) {
                start.store(slot);
            }
        }
    }
}

#[inline(always)]
fn close_body<V: Vector>(view: &View, section: &Section) {
    for total in section.totals.iter().filter(|total| total.log1p) {
        for slot in set(view, total, 0) {
            generic::log1p(V::load(slot)).store(slot);
        }
    }
}

#[inline(always)]
fn carry_body<V: Vector>(view: &View, section: &Section) {
    for total in section.totals.iter().filter(|total| !total.order.through()) {
        let (current, mut level) = (set(view, total, 0), 0);
        while view.chunk >> level & 1 == 1 {
            for (right, left) in current.iter().zip(set(view, total, level + 1)) {
                (V::load(left) + V::load(right)).store(right);
            }
            level += 1;
        }
        for (to, from) in set(view, total, level + 1).iter().zip(current) {
            V::load(from).store(to);
        }
    }
}

#[inline(always)]
fn set<'a>(view: &View<'a>, total: &Total, number: usize) -> &'a [Slot] {
    let octets = total.octets as usize;
    &view.octets(total.acc)[number * octets..(number + 1) * octets]
}

#[inline(always)]
fn settle_body<V: Vector>(view: &View, section: &Section) {
    let chunks = view.chunk;
    for total in section.totals.iter().filter(|total| !total.order.through()) {
        let mut first = true;
        for level in (0..usize::BITS as usize).filter(|level| chunks >> level & 1 == 1) {
            for (right, left) in set(view, total, 0).iter().zip(set(view, total, level + 1)) {
                let left = V::load(left);
                (if first { left } else { left + V::load(right) }).store(right);
            }
            first = false;
        }
    }
}

#[inline(always)]
fn finish_body<V: Vector>(view: &View, section: &Section) {
    for total in &section.totals {
        let acc = set(view, total, 0);
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
                    let s: [V; 8] = each!(V, 8, p, V::load(&acc[p * rows + j]));
                    (((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))).store(out);
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
                    V::load(acc).store(out);
                }
            }
        }
    }
}

/// One more term for accumulators, from the row of octets.
trait Term: Copy {
    /// What all features of the row are multiplied by.
    type Factor<V: Vector>: Copy;
    fn factor<V: Vector>(self, outer: usize) -> Self::Factor<V>;
    fn add<V: Vector>(x: V, factor: Self::Factor<V>, s: V) -> V;
}

/// No second factor: a sum.
#[derive(Clone, Copy)]
struct Plain;

impl Term for Plain {
    type Factor<V: Vector> = ();
    #[inline(always)]
    fn factor<V: Vector>(self, _: usize) {}
    #[inline(always)]
    fn add<V: Vector>(x: V, (): (), s: V) -> V {
        s + x
    }
}

/// No second factor: a product of one plus each feature, less one.
#[derive(Clone, Copy)]
struct OnePlus;

impl Term for OnePlus {
    type Factor<V: Vector> = ();
    #[inline(always)]
    fn factor<V: Vector>(self, _: usize) {}
    #[inline(always)]
    fn add<V: Vector>(x: V, (): (), q: V) -> V {
        q.fma(x, q + x)
    }
}

impl<M: Features> Term for M {
    type Factor<V: Vector> = V;
    #[inline(always)]
    fn factor<V: Vector>(self, outer: usize) -> V {
        self.take::<V, 1>(outer, 0)[0]
    }
    #[inline(always)]
    fn add<V: Vector>(x: V, factor: V, s: V) -> V {
        x.fma(factor, s)
    }
}

#[inline(always)]
fn sum_body<V: Vector>(view: &View, instr: &Instr) {
    let Instr::Sum { acc, a } = *instr else { unreachable!("internal: a sum") };
    let (acc, k) = (view.octets(acc), a.width as usize);
    match view.matrix(a) {
        AnyMatrix::Block(m) => accumulate::<V, _, _>(view, acc, m, k, Plain),
        m => accumulate_seldom::<V, _>(view, acc, m, k, Plain),
    }
}

#[inline(always)]
fn log1p_body<V: Vector>(view: &View, instr: &Instr) {
    let Instr::Log1p { acc, a } = *instr else { unreachable!("internal: a product") };
    let (acc, k) = (view.octets(acc), a.width as usize);
    match view.matrix(a) {
        AnyMatrix::Block(m) => accumulate::<V, _, _>(view, acc, m, k, OnePlus),
        m => accumulate_seldom::<V, _>(view, acc, m, k, OnePlus),
    }
}

#[inline(always)]
fn dot_body<V: Vector>(view: &View, instr: &Instr) {
    let Instr::Dot { acc, a, b } = *instr else { unreachable!("internal: a contraction") };
    let (acc, k) = (view.octets(acc), a.width as usize);
    match (view.matrix(a), view.matrix(b)) {
        (AnyMatrix::Data(a), AnyMatrix::Block(b)) => accumulate::<V, _, _>(view, acc, a, k, b),
        (AnyMatrix::Splat(a), AnyMatrix::Block(b)) => accumulate::<V, _, _>(view, acc, a, k, b),
        (AnyMatrix::Block(a), AnyMatrix::Block(b)) => accumulate::<V, _, _>(view, acc, a, k, b),
        (a, b) => accumulate_seldom::<V, _>(view, acc, a, k, b),
    }
}

/// Adds the terms of a block to `k` accumulators, as many at a time as registers hold.
#[inline(always)]
fn accumulate<V: Vector, M: Features, F: Term>(view: &View, acc: &[Slot], a: M, k: usize, term: F) {
    let mut j = 0;
    while j < k {
        // Parts of nearly equal width: a narrow one at the end would wait for its own additions.
        let left = k - j;
        let fair = if left <= V::WIDE { left } else { left.div_ceil(left.div_ceil(V::WIDE)) };
        macro_rules! widths {
            ($($t:literal)+) => {
                match fair {
                    $($t.. if $t <= V::WIDE => {
                        features::<V, M, F, $t>(view, acc, a, k, j, term);
                        j += $t;
                    })+
                    _ => unreachable!("internal: a width between 1 and all registers"),
                }
            };
        }
        widths! { 16 15 12 10 8 6 5 4 3 2 1 }
    }
}

/// The same for operands that are seldom: one accumulator at a time.
#[inline(always)]
fn accumulate_seldom<V: Vector, F: Term>(view: &View, acc: &[Slot], a: AnyMatrix, k: usize, term: F) {
    for j in 0..k {
        features::<V, AnyMatrix, F, 1>(view, acc, a, k, j, term);
    }
}

#[inline(always)]
fn features<V: Vector, M: Features, F: Term, const T: usize>(view: &View, acc: &[Slot], a: M, k: usize, j: usize, term: F) {
    if view.lanes == Lanes::One {
        let acc = &acc[j..j + T];
        let mut s: [V; T] = each!(V, T, t, V::load(&acc[t]));
        let full = view.rows / 8;
        for outer in 0..full {
            let (x, factor) = (a.take::<V, T>(outer, j), term.factor::<V>(outer));
            for t in 0..T {
                s[t] = F::add(x[t], factor, s[t]);
            }
        }
        let valid = view.rows % 8;
        if valid > 0 {
            let (x, factor) = (a.take::<V, T>(full, j), term.factor::<V>(full));
            for t in 0..T {
                s[t] = F::add(x[t], factor, s[t]).first(valid, s[t]);
            }
        }
        for t in 0..T {
            s[t].store(&acc[t]);
        }
    } else {
        for p in 0..8.min(view.rows) {
            let acc = &acc[p * k + j..p * k + j + T];
            let mut s: [V; T] = each!(V, T, t, V::load(&acc[t]));
            for row in (p..view.rows).step_by(8) {
                let (x, factor) = (a.take::<V, T>(row, j), term.factor::<V>(row));
                for t in 0..T {
                    s[t] = F::add(x[t], factor, s[t]);
                }
            }
            for t in 0..T {
                s[t].store(&acc[t]);
            }
        }
    }
}
