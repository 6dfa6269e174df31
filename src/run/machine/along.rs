//! Reductions and scans along an axis of features.
//!
//! Sums over rows are in `rows`.

use super::octet::{add, halving, larger, map, smaller, sub, zip};
use super::start_of;
use super::view::{Matrix, Sink, View, load};
use crate::compile::tape::{Address, Along, Lanes, Operand, Order};
use crate::dispatch;
use crate::numeric::sums::{CHUNK, halve};
use crate::numeric::{Octet, elementary};

dispatch! {
    /// Reduces or scans the middle of three axes of features.
    pub(super) fn along(
        view: &View,
        along: Along,
        by_classes: bool,
        out: Address,
        a: Operand,
        sizes: [usize; 3],
    ) = along_body;
}

/// Results of chunks, combined by a binary tree as they come: a stack with at most one result for each power of two.
struct Tree<T> {
    stack: [T; 40],
    count: usize,
}

impl<T: Copy> Tree<T> {
    #[inline(always)]
    fn new(zero: T) -> Self {
        Tree { stack: [zero; 40], count: 0 }
    }

    #[inline(always)]
    fn push(&mut self, mut part: T, add: impl Fn(T, T) -> T) {
        let mut level = 0;
        while self.count >> level & 1 == 1 {
            part = add(self.stack[level], part);
            level += 1;
        }
        self.stack[level] = part;
        self.count += 1;
    }

    #[inline(always)]
    fn finish(self, add: impl Fn(T, T) -> T) -> Option<T> {
        let mut sum = None;
        for level in 0..40 {
            if self.count >> level & 1 == 1 {
                sum = Some(sum.map_or(self.stack[level], |right| add(self.stack[level], right)));
            }
        }
        sum
    }
}

#[inline(always)]
fn add_classes(a: [Octet; 8], b: [Octet; 8]) -> [Octet; 8] {
    let mut out = a;
    for p in 0..8 {
        out[p] = add(a[p], b[p]);
    }
    out
}

/// An accumulation over `0..n` in one of the orders, for each lane; 0 of nothing.
#[inline(always)]
pub(super) fn accumulate(order: Order, n: usize, step: impl Fn(Octet, usize) -> Octet) -> Octet {
    if n == 0 {
        return [0.0; 8];
    }
    let start = [[start_of(order); 8]; 8];
    let by_classes = order == Order::Classes;
    let mut tree = Tree::new(start);
    let mut s = start;
    for i in 0..n {
        if i > 0 && i % CHUNK == 0 && order != Order::Ascending {
            tree.push(s, add_classes);
            s = start;
        }
        let class = if by_classes { i % 8 } else { 0 };
        s[class] = step(s[class], i);
    }
    tree.push(s, add_classes);
    let s = tree.finish(add_classes).unwrap_or(start);
    if by_classes { halving(&s) } else { s[0] }
}

#[inline(always)]
fn largest(n: usize, get: impl Fn(usize) -> Octet) -> Octet {
    (0..n).fold([f64::NEG_INFINITY; 8], |m, i| larger(m, get(i)))
}

/// The index of the first element that none exceeds; the first NaN.
#[inline(always)]
fn arg_max(n: usize, get: impl Fn(usize) -> Octet) -> Octet {
    if n == 0 {
        return [f64::NAN; 8];
    }
    let (mut best, mut place) = (get(0), [0.0; 8]);
    for i in 1..n {
        let x = get(i);
        for p in 0..8 {
            if !best[p].is_nan() && (x[p].is_nan() || x[p] > best[p]) {
                (best[p], place[p]) = (x[p], i as f64);
            }
        }
    }
    place
}

#[inline(always)]
fn along_body(view: &View, along: Along, by_classes: bool, out: Address, a: Operand, [pre, n, post]: [usize; 3]) {
    if by_classes && along == Along::Sum && !view.in_pass && view.lanes == Lanes::One && post == 1 {
        return whole_octets(view, out, a, n);
    }
    let order = if by_classes { Order::Classes } else { Order::Ascending };
    let scan = matches!(along, Along::Softmax | Along::LogSoftmax | Along::Cumsum | Along::CumsumReverse);
    let exponential = matches!(along, Along::LogSumExp | Along::Softmax | Along::LogSoftmax);
    let a = view.matrix(a);
    let sink = Sink::new(view, out, if scan { pre * n * post } else { pre * post });
    for outer in 0..view.outer {
        for (before, after) in (0..pre).flat_map(|before| (0..post).map(move |after| (before, after))) {
            let place = |i: usize| (before * n + i) * post + after;
            let get = |i: usize| a.at(outer, place(i));
            let put = |x: Octet| sink.put(outer, before * post + after, x);
            let m = if exponential || along == Along::Max { largest(n, get) } else { [0.0; 8] };
            // The sum of the elements, or of `exp(x - m)`.
            let total = if exponential || along == Along::Sum {
                accumulate(order, n, |s, i| add(s, if exponential { elementary::exp8(sub(get(i), m)) } else { get(i) }))
            } else {
                [0.0; 8]
            };
            match along {
                Along::ArgMax => put(arg_max(n, get)),
                Along::ArgMin => put(arg_max(n, |i| map(get(i), |x| -x))),
                Along::Max => put(m),
                Along::Min => put((0..n).fold([f64::INFINITY; 8], |m, i| smaller(m, get(i)))),
                Along::Prod => put((1..n).fold(if n == 0 { [1.0; 8] } else { get(0) }, |m, i| zip(m, get(i), |m, x| m * x))),
                Along::Sum => put(total),
                Along::LogSumExp => put(zip(m, elementary::ln8(total), |m, log| if m.is_infinite() { m } else { m + log })),
                Along::Softmax => {
                    for i in 0..n {
                        let e = elementary::exp8(sub(get(i), m));
                        sink.put(outer, place(i), zip(e, total, |e, total| e / total));
                    }
                }
                Along::LogSoftmax => {
                    let log = elementary::ln8(total);
                    for i in 0..n {
                        sink.put(outer, place(i), sub(sub(get(i), m), log));
                    }
                }
                Along::Cumsum | Along::CumsumReverse => {
                    let mut total = [-0.0; 8];
                    for i in 0..n {
                        let i = if along == Along::Cumsum { i } else { n - 1 - i };
                        total = add(total, get(i));
                        sink.put(outer, place(i), total);
                    }
                }
            }
        }
    }
}

/// The sum of a vector of one lane: its octets are the classes.
#[inline(always)]
fn whole_octets(view: &View, out: Address, a: Operand, n: usize) {
    let mut tree = Tree::new([0.0; 8]);
    let slots = if a.address.element.is_multiple_of(8) { view.octets(a.address) } else { &[] };
    let numbers = view.scalars(a.address);
    let mut start = 0;
    while start < n {
        let end = n.min(start + CHUNK);
        let mut s = [0.0; 8];
        let mut i = start;
        while i + 8 <= end && !slots.is_empty() {
            s = add(s, load(&slots[i / 8]));
            i += 8;
        }
        while i < end {
            s[i % 8] += numbers[i].get();
            i += 1;
        }
        tree.push(s, add);
        start += CHUNK;
    }
    view.scalars(out)[0].set(tree.finish(add).map_or(0.0, |s| halve(&s)));
}
