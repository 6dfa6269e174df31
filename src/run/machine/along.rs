//! Reductions and scans along an axis of features, for eight results at a time.
//!
//! Sums over rows are in `rows`.

use std::cell::Cell;
use std::marker::PhantomData;

use super::Run;
use super::octet::{add, fma, halving, larger, map, smaller, sub, zip};
use super::start_of;
use super::view::{AnyMatrix, Matrix, Slot, View, load, store};
use crate::compile::tape::{Address, Along, Instr, Lanes, Operand, Order};
use crate::kernels;
use crate::numeric::Octet;
use crate::numeric::dispatch::Level;
use crate::numeric::elementary::generic;
use crate::numeric::sums::{CHUNK, halve};
use crate::numeric::vector::{Vector, spill};

kernels! { Run = fn(View, Instr);
    fn sums = sums_body;
    fn exponentials = exponentials_body;
    fn others = others_body;
}

/// The code that reduces or scans the middle of three axes of features.
pub(super) fn along(along: Along, level: Level) -> Run {
    match along {
        Along::Sum => sums(level),
        Along::LogSumExp | Along::Softmax | Along::LogSoftmax => exponentials(level),
        _ => others(level),
    }
}

/// What the instruction says: the result, the operand, and the sizes before, along and after the axis.
fn parts(instr: &Instr) -> (Along, bool, Address, Operand, [usize; 3]) {
    let Instr::Along { along, classes, out, a, pre, n, post } = *instr else { unreachable!("internal: a reduction") };
    (along, classes, out, a, [pre as usize, n as usize, post as usize])
}

/// An elementary function of eight numbers, in registers.
#[inline(always)]
fn each<V: Vector>(f: fn(V) -> V, x: Octet) -> Octet {
    spill(f(V::read(&x)))
}

/// Eight lines of elements side by side.
pub(super) trait Lines: Copy {
    /// The elements number `i`.
    fn at(&self, i: usize) -> Octet;
}

/// Where eight results, or lines of results, go.
trait Ends: Lines {
    /// Puts the elements number `i`.
    fn put(&self, i: usize, x: Octet);
}

/// Octets of features, at a step.
#[derive(Clone, Copy)]
struct Features<'a> {
    a: AnyMatrix<'a>,
    outer: usize,
    first: usize,
    step: usize,
}

impl Lines for Features<'_> {
    #[inline(always)]
    fn at(&self, i: usize) -> Octet {
        self.a.at(self.outer, self.first + i * self.step)
    }
}

/// Octets in memory, at a step.
#[derive(Clone, Copy)]
pub(super) struct Octets<'a>(pub(super) &'a [Slot], pub(super) usize);

impl Lines for Octets<'_> {
    #[inline(always)]
    fn at(&self, i: usize) -> Octet {
        load(&self.0[i * self.1])
    }
}

impl Ends for Octets<'_> {
    #[inline(always)]
    fn put(&self, i: usize, x: Octet) {
        store(&self.0[i * self.1], x);
    }
}

/// Numbers in memory: eight lines that begin at `first` and go on at a step. Lines that are not there repeat the last.
#[derive(Clone, Copy)]
pub(super) struct Gathered<'a> {
    pub(super) numbers: &'a [Cell<f64>],
    pub(super) first: [usize; 8],
    pub(super) step: usize,
}

impl Lines for Gathered<'_> {
    #[inline(always)]
    fn at(&self, i: usize) -> Octet {
        let mut out = [0.0; 8];
        for p in 0..8 {
            out[p] = self.numbers[self.first[p] + i * self.step].get();
        }
        out
    }
}

impl Ends for Gathered<'_> {
    #[inline(always)]
    fn put(&self, i: usize, x: Octet) {
        // From the last to the first: among lines that repeat the last one they all have the same number.
        for p in 0..8 {
            self.numbers[self.first[p] + i * self.step].set(x[p]);
        }
    }
}

/// What is added up.
pub(super) trait Terms: Copy {
    /// `s` with term number `i`.
    fn add(&self, s: Octet, i: usize) -> Octet;
}

/// The elements.
#[derive(Clone, Copy)]
struct Plain<A>(A);

impl<A: Lines> Terms for Plain<A> {
    #[inline(always)]
    fn add(&self, s: Octet, i: usize) -> Octet {
        add(s, self.0.at(i))
    }
}

/// `exp(x - m)` of the elements.
#[derive(Clone, Copy)]
struct Exponentials<A, V>(A, Octet, PhantomData<V>);

impl<A: Lines, V: Vector> Terms for Exponentials<A, V> {
    #[inline(always)]
    fn add(&self, s: Octet, i: usize) -> Octet {
        add(s, each::<V>(generic::exp, sub(self.0.at(i), self.1)))
    }
}

/// Products of elements.
#[derive(Clone, Copy)]
pub(super) struct Products<A, B>(pub(super) A, pub(super) B);

impl<A: Lines, B: Lines> Terms for Products<A, B> {
    #[inline(always)]
    fn add(&self, s: Octet, i: usize) -> Octet {
        fma(self.0.at(i), self.1.at(i), s)
    }
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

/// The sum of `n` terms in one of the orders; 0 of nothing.
#[inline(always)]
pub(super) fn accumulate(order: Order, n: usize, terms: impl Terms) -> Octet {
    if n == 0 {
        return [0.0; 8];
    }
    let start = [start_of(order); 8];
    match order {
        Order::Ascending | Order::Places => ascending(start, 0, n, terms),
        Order::Chunks if n <= CHUNK => ascending(start, 0, n, terms),
        Order::Chunks => {
            let mut tree = Tree::new(start);
            for first in (0..n).step_by(CHUNK) {
                tree.push(ascending(start, first, n.min(first + CHUNK), terms), add);
            }
            tree.finish(add).unwrap_or(start)
        }
        Order::Classes if n <= CHUNK => halving(&classes(0, n, terms)),
        Order::Classes => {
            let mut tree = Tree::new([start; 8]);
            for first in (0..n).step_by(CHUNK) {
                tree.push(classes(first, n.min(first + CHUNK), terms), add_classes);
            }
            halving(&tree.finish(add_classes).unwrap_or([start; 8]))
        }
    }
}

#[inline(always)]
fn ascending(start: Octet, first: usize, end: usize, terms: impl Terms) -> Octet {
    let mut s = start;
    for i in first..end {
        s = terms.add(s, i);
    }
    s
}

/// The eight classes of a chunk, which begins at a multiple of 8.
#[inline(always)]
fn classes(first: usize, end: usize, terms: impl Terms) -> [Octet; 8] {
    let mut s = [[0.0; 8]; 8];
    for i in first..end {
        s[i % 8] = terms.add(s[i % 8], i);
    }
    s
}

#[inline(always)]
fn largest(n: usize, a: impl Lines) -> Octet {
    let mut m = [f64::NEG_INFINITY; 8];
    for i in 0..n {
        m = larger(m, a.at(i));
    }
    m
}

/// The index of the first element that none exceeds; the first NaN. With `sign` -1, of the first that exceeds none.
#[inline(always)]
fn arg_max(n: usize, a: impl Lines, sign: f64) -> Octet {
    if n == 0 {
        return [f64::NAN; 8];
    }
    let (mut best, mut place) = (map(a.at(0), |x| sign * x), [0.0; 8]);
    for i in 1..n {
        let x = map(a.at(i), |x| sign * x);
        for p in 0..8 {
            if !best[p].is_nan() && (x[p].is_nan() || x[p] > best[p]) {
                (best[p], place[p]) = (x[p], i as f64);
            }
        }
    }
    place
}

/// A reduction or scan of eight lines.
trait Work: Copy {
    /// Whether there are as many results as elements.
    const SCAN: bool;
    fn of<V: Vector>(&self, n: usize, a: impl Lines, to: impl Ends);
}

/// Carries out the work on all lines, eight at a time.
#[inline(always)]
fn walk<V: Vector, W: Work>(view: &View, out: Address, a: Operand, [pre, n, post]: [usize; 3], work: W) {
    let (lines, width) = (pre * post, if W::SCAN { n } else { 1 });
    if view.in_pass || view.lanes == Lanes::Eight {
        let (a, out) = (view.matrix(a), view.octets(out));
        for outer in 0..view.outer {
            for line in 0..lines {
                let (before, after) = (line / post, line % post);
                let from = Features { a, outer, first: before * n * post + after, step: post };
                let to = (outer * lines + before * post) * width + after;
                work.of::<V>(n, from, Octets(&out[to..], if W::SCAN { post } else { 1 }));
            }
        }
    } else {
        let (a, out) = (view.scalars(a.address), view.scalars(out));
        for first in (0..lines).step_by(8) {
            let (mut from, mut to) = ([0; 8], [0; 8]);
            for p in 0..8 {
                let line = (first + p).min(lines - 1);
                (from[p], to[p]) = (line / post * n * post + line % post, line / post * width * post + line % post);
            }
            let from = Gathered { numbers: a, first: from, step: post };
            work.of::<V>(n, from, Gathered { numbers: out, first: to, step: if W::SCAN { post } else { 1 } });
        }
    }
}

#[derive(Clone, Copy)]
struct Sum(Order);

impl Work for Sum {
    const SCAN: bool = false;
    #[inline(always)]
    fn of<V: Vector>(&self, n: usize, a: impl Lines, to: impl Ends) {
        to.put(0, accumulate(self.0, n, Plain(a)));
    }
}

fn order(by_classes: bool) -> Order {
    if by_classes { Order::Classes } else { Order::Ascending }
}

#[inline(always)]
fn sums_body<V: Vector>(view: &View, instr: &Instr) {
    let (_, by_classes, out, a, sizes) = parts(instr);
    if by_classes && !view.in_pass && view.lanes == Lanes::One && sizes[2] == 1 {
        return whole_octets(view, out, a, sizes[1]);
    }
    walk::<V, _>(view, out, a, sizes, Sum(order(by_classes)));
}

#[derive(Clone, Copy)]
struct LogSumExp(Order);

impl Work for LogSumExp {
    const SCAN: bool = false;
    #[inline(always)]
    fn of<V: Vector>(&self, n: usize, a: impl Lines, to: impl Ends) {
        let m = largest(n, a);
        let log = each::<V>(generic::ln, accumulate(self.0, n, Exponentials::<_, V>(a, m, PhantomData)));
        to.put(0, zip(m, log, |m, log| if m.is_infinite() { m } else { m + log }));
    }
}

#[derive(Clone, Copy)]
struct Softmax(Order);

impl Work for Softmax {
    const SCAN: bool = true;
    #[inline(always)]
    fn of<V: Vector>(&self, n: usize, a: impl Lines, to: impl Ends) {
        let m = largest(n, a);
        for i in 0..n {
            to.put(i, each::<V>(generic::exp, sub(a.at(i), m)));
        }
        let total = accumulate(self.0, n, Plain(to));
        for i in 0..n {
            to.put(i, zip(to.at(i), total, |e, total| e / total));
        }
    }
}

#[derive(Clone, Copy)]
struct LogSoftmax(Order);

impl Work for LogSoftmax {
    const SCAN: bool = true;
    #[inline(always)]
    fn of<V: Vector>(&self, n: usize, a: impl Lines, to: impl Ends) {
        let m = largest(n, a);
        let log = each::<V>(generic::ln, accumulate(self.0, n, Exponentials::<_, V>(a, m, PhantomData)));
        for i in 0..n {
            to.put(i, sub(sub(a.at(i), m), log));
        }
    }
}

#[inline(always)]
fn exponentials_body<V: Vector>(view: &View, instr: &Instr) {
    let (along, by_classes, out, a, sizes) = parts(instr);
    let order = order(by_classes);
    match along {
        Along::LogSumExp => walk::<V, _>(view, out, a, sizes, LogSumExp(order)),
        Along::Softmax => walk::<V, _>(view, out, a, sizes, Softmax(order)),
        _ => walk::<V, _>(view, out, a, sizes, LogSoftmax(order)),
    }
}

#[derive(Clone, Copy)]
struct Other(Along);

impl Work for Other {
    const SCAN: bool = false;
    #[inline(always)]
    fn of<V: Vector>(&self, n: usize, a: impl Lines, to: impl Ends) {
        let value = match self.0 {
            Along::ArgMax => arg_max(n, a, 1.0),
            Along::ArgMin => arg_max(n, a, -1.0),
            Along::Max => largest(n, a),
            Along::Min => {
                let mut m = [f64::INFINITY; 8];
                for i in 0..n {
                    m = smaller(m, a.at(i));
                }
                m
            }
            _ => {
                // Ascending, from the first element; 1 of nothing.
                let mut product = if n == 0 { [1.0; 8] } else { a.at(0) };
                for i in 1..n {
                    product = zip(product, a.at(i), |s, x| s * x);
                }
                product
            }
        };
        to.put(0, value);
    }
}

#[derive(Clone, Copy)]
struct Cumsum {
    reverse: bool,
}

impl Work for Cumsum {
    const SCAN: bool = true;
    #[inline(always)]
    fn of<V: Vector>(&self, n: usize, a: impl Lines, to: impl Ends) {
        let mut total = [-0.0; 8];
        for i in 0..n {
            let i = if self.reverse { n - 1 - i } else { i };
            total = add(total, a.at(i));
            to.put(i, total);
        }
    }
}

#[inline(always)]
fn others_body<V: Vector>(view: &View, instr: &Instr) {
    let (along, _, out, a, sizes) = parts(instr);
    match along {
        Along::Cumsum => walk::<V, _>(view, out, a, sizes, Cumsum { reverse: false }),
        Along::CumsumReverse => walk::<V, _>(view, out, a, sizes, Cumsum { reverse: true }),
        _ => walk::<V, _>(view, out, a, sizes, Other(along)),
    }
}

/// The sum of a vector of one lane: its octets are the classes.
#[inline(always)]
fn whole_octets(view: &View, out: Address, a: Operand, n: usize) {
    let (eights, rest) = view.scalars(a.address)[..n].as_chunks::<8>();
    let chunk = |first: usize| {
        let mut s = [0.0; 8];
        for eight in eights[first / 8..].iter().take(CHUNK / 8) {
            s = add(s, load(eight));
        }
        if n - first < CHUNK {
            for (s, x) in s.iter_mut().zip(rest) {
                *s += x.get();
            }
        }
        s
    };
    let sum = if n <= CHUNK {
        chunk(0)
    } else {
        let mut tree = Tree::new([0.0; 8]);
        for first in (0..n).step_by(CHUNK) {
            tree.push(chunk(first), add);
        }
        tree.finish(add).unwrap_or([0.0; 8])
    };
    view.scalars(out)[0].set(halve(&sum));
}
