//! From a graph to a chain: every element of every small value is one value of its own, and a step is one straight line of operations.
//!
//! What it does not know, or what would be too long, it refuses: then there is the tape. The values are those of [`crate::expr::eval`], whose
//! orders of sums and products stand here once more, element by element.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fixed::Fixed;
use super::map::{self, Map, around, compose, features};
use super::scalar;
use super::tape::{KEEP, Lanes, ZERO};
use crate::expr::graph::{Graph, Id};
use crate::expr::op::{InputId, Op, Reduce};
use crate::native::build::Builder;
use crate::native::chain::{Chain, One, Op as Native, Slot, Value};
use crate::numeric::sums::CHUNK;
use crate::shape::{DataId, Dim, Shape};

/// The most operations of a chain, before what nobody needs is left out.
const MOST: usize = 4000;
/// The most elements of a value.
const WIDEST: usize = 128;

/// What one step does.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The expressions.
    pub graph: &'a Graph,
    /// What depends on data alone.
    pub fixed: &'a Fixed,
    /// The dataset of which each step sees one row.
    pub batch: Option<DataId>,
    /// The inputs in memory, and the octet where each lies.
    pub inputs: &'a [(InputId, usize)],
    /// The inputs that are numbers of the step, the same in all lanes.
    pub clock: &'a [InputId],
    /// How many runs go side by side.
    pub lanes: Lanes,
    /// The inputs that change, and their values after the step.
    pub slots: &'a [(Id, Id)],
    /// Values that the step leaves in memory, and the octets for them.
    pub kept: &'a [(Id, usize)],
    /// What is recorded.
    pub records: &'a [Record],
    /// What must be finite for the step to be stored.
    pub finite: &'a [Id],
}

/// What a step records.
#[derive(Debug, Clone, Copy)]
pub enum Record {
    /// A value of the step.
    Value(Id),
    /// What the step before left in memory: an index into [`Step::kept`].
    Kept(usize),
}

/// A step as a chain.
#[derive(Debug)]
pub struct Chained {
    /// The chain.
    pub chain: Chain,
    /// The numbers of its clock: expressions of the inputs of the clock alone.
    pub clock: Vec<Id>,
    /// The columns a row of which each step sees, as indices into [`Fixed::columns`], one after the other.
    pub columns: Vec<u32>,
}

struct Chaining<'a> {
    step: Step<'a>,
    builder: Builder,
    values: BTreeMap<Id, Arc<[Value]>>,
    /// Nodes that depend on the clock and on nothing else that changes.
    timed: Vec<bool>,
    slots: Vec<usize>,
    own: Vec<usize>,
    clock: Vec<Id>,
    columns: Vec<u32>,
    features: usize,
}

/// Writes a step as a chain, if it is small and has only operations that chains have.
#[must_use]
pub fn chain(step: &Step) -> Option<Chained> {
    let recorded = step.records.iter().filter_map(|record| if let Record::Value(id) = record { Some(id) } else { None });
    let kept = step.kept.iter().map(|(id, _)| id);
    let roots: Vec<Id> = step.slots.iter().map(|(_, next)| next).chain(recorded).chain(kept).chain(step.finite).copied().collect();
    let mut chaining = Chaining {
        step: *step,
        builder: Builder::new(),
        values: BTreeMap::new(),
        timed: vec![false; step.graph.len()],
        slots: Vec::new(),
        own: Vec::new(),
        clock: Vec::new(),
        columns: Vec::new(),
        features: 0,
    };
    let needed = step.graph.reachable(&roots);
    for &id in &needed {
        chaining.timed[id.index()] = chaining.depends_on_clock_alone(id);
    }
    for id in needed {
        if step.fixed.is_fixed(id) || chaining.is_of_clock(id) {
            continue;
        }
        let value = chaining.node(id)?;
        if chaining.builder.len() > MOST {
            return None;
        }
        chaining.values.insert(id, value);
    }
    chaining.finish()
}

impl Chaining<'_> {
    fn finish(mut self) -> Option<Chained> {
        let step = self.step;
        for &id in step.finite {
            for &value in &*self.elements(id)? {
                self.builder.must_be_finite(value);
            }
        }
        let mut records = Vec::new();
        for record in step.records {
            match *record {
                Record::Value(id) => records.extend_from_slice(&self.elements(id)?),
                Record::Kept(index) => {
                    let (id, octet) = step.kept[index];
                    let elements = features(self.shape(id));
                    records.extend_from_slice(&self.in_memory(octet, elements, true));
                }
            }
        }
        let mut changes: Vec<(usize, Id)> = Vec::new();
        for &(input, next) in step.slots.iter().filter(|(input, next)| input != next) {
            changes.push((self.octet(step.graph.as_input(input)?)?, next));
        }
        let mut slots = Vec::new();
        for (octet, next) in changes.into_iter().chain(step.kept.iter().map(|&(id, octet)| (octet, id))) {
            let next = self.elements(next)?;
            for (element, &next) in next.iter().enumerate() {
                let place = octet * 8 + step.lanes.place(element, 0);
                slots.push(Slot { place, next: self.builder.one(One::Copy, next) });
            }
        }
        // Slots in the order in which their values were met; those that nobody reads come last.
        let order = |slot: &Slot| self.slots.iter().position(|&place| place == slot.place).unwrap_or(usize::MAX);
        slots.sort_by_key(order);
        let (ops, check) = self.builder.finish();
        for slot in &mut slots {
            // Only the value of a slot may have to be moved out of the way.
            if let Native::One(One::Copy, from) = ops[slot.next as usize]
                && !matches!(ops[from as usize], Native::Slot(_))
            {
                slot.next = from;
            }
        }
        let (clock, features) = (self.clock.len(), self.features);
        let chain = Chain { ops, slots, own: self.own, records, check, clock, features };
        Some(Chained { chain, clock: self.clock, columns: self.columns })
    }

    fn shape(&self, id: Id) -> &Shape {
        self.step.graph.shape(id)
    }

    /// Whether a value is a few numbers: rows are those of the batch, of which there is one.
    fn is_small(&self, id: Id) -> bool {
        let shape = self.shape(id);
        shape.0.iter().all(|dim| if let Dim::Rows(data) = dim { Some(*data) == self.step.batch } else { true }) && features(shape) <= WIDEST
    }

    fn depends_on_clock_alone(&self, id: Id) -> bool {
        let node = self.step.graph.node(id);
        if let Op::Input(input) = node.op {
            return self.step.clock.contains(&input);
        }
        let timed = |arg: &Id| self.timed[arg.index()];
        node.args.iter().any(timed)
            && node.args.iter().all(|arg| timed(arg) || (self.step.fixed.is_fixed(*arg) && !self.shape(*arg).has_rows()))
    }

    /// Whether a value is a number of the clock.
    fn is_of_clock(&self, id: Id) -> bool {
        self.timed[id.index()] && self.shape(id).is_scalar()
    }

    fn octet(&self, input: InputId) -> Option<usize> {
        self.step.inputs.iter().find(|(known, _)| *known == input).map(|(_, octet)| *octet)
    }

    /// The elements of a node that was met before, or is fixed, or of the clock.
    fn elements(&mut self, id: Id) -> Option<Arc<[Value]>> {
        if let Some(known) = self.values.get(&id) {
            return Some(known.clone());
        }
        let elements: Arc<[Value]> = if self.is_of_clock(id) {
            self.clock.push(id);
            [self.builder.push(Native::Clock((self.clock.len() - 1) as u32))].into()
        } else {
            self.fixed(id)?
        };
        self.values.insert(id, elements.clone());
        Some(elements)
    }

    fn fixed(&mut self, id: Id) -> Option<Arc<[Value]>> {
        if !self.is_small(id) {
            return None;
        }
        let (base, map) = self.step.fixed.view(id);
        let source: Vec<Value> = if let Some(column) = self.step.fixed.column(base) {
            let count = self.step.fixed.columns()[column as usize].features;
            let first = self.columns.iter().position(|&known| known == column);
            let skipped = &self.columns[..first.unwrap_or(self.columns.len())];
            let start: usize = skipped.iter().map(|&column| self.step.fixed.columns()[column as usize].features).sum();
            if first.is_none() {
                self.columns.push(column);
                self.features += count;
            }
            (start..start + count).map(|feature| self.builder.push(Native::Row(feature as u32))).collect()
        } else {
            self.step.fixed.array(base)?.iter().map(|&x| self.builder.number(x)).collect()
        };
        Some(rearranged(&source, &map))
    }

    fn node(&mut self, id: Id) -> Option<Arc<[Value]>> {
        if !self.is_small(id) {
            return None;
        }
        let graph = self.step.graph;
        let node = graph.node(id);
        let shape = &node.shape;
        let mut args = Vec::with_capacity(node.args.len());
        for &arg in &node.args {
            args.push(self.elements(arg)?);
        }
        let stretched = |position: usize| rearranged(&args[position], &map::broadcast(graph.shape(node.args[position]), shape));
        let from = |position: usize| graph.shape(node.args[position]);
        let on_rows = |axis: usize| matches!(from(0).0[axis], Dim::Rows(_)) || matches!(shape.0.get(axis), Some(Dim::Rows(_)));
        let b = &self.builder;
        match &node.op {
            Op::Input(input) => self.input(id, *input),
            Op::RowCount(data) => (Some(*data) == self.step.batch).then(|| [b.number(1.0)].into()),
            Op::Unary(op) => args[0].iter().map(|&x| scalar::unary(b, *op, x)).collect(),
            Op::Binary(op) => stretched(0).iter().zip(&*stretched(1)).map(|(&x, &y)| scalar::binary(b, *op, x, y)).collect(),
            Op::Select => {
                let (condition, yes, no) = (stretched(0), stretched(1), stretched(2));
                Some((0..condition.len()).map(|i| b.select(b.is_true(condition[i]), yes[i], no[i])).collect())
            }
            Op::Reduce(op, axis) => each(&args[0], from(0), *axis, |lane| reduce(b, *op, *axis, lane).map(|value| vec![value])),
            Op::Softmax(axis) => each(&args[0], from(0), *axis, |lane| {
                let (largest, total) = scaled(b, *axis, lane)?;
                Some(lane.iter().map(|&x| b.div(b.exp(b.sub(x, largest)), total)).collect())
            }),
            Op::LogSoftmax(axis) => each(&args[0], from(0), *axis, |lane| {
                let (largest, total) = scaled(b, *axis, lane)?;
                let log = b.ln(total);
                Some(lane.iter().map(|&x| b.sub(b.sub(x, largest), log)).collect())
            }),
            Op::Cumsum { axis, reverse } => each(&args[0], from(0), *axis, |lane| {
                let mut sums = lane.to_vec();
                let turn = |sums: &mut Vec<Value>| {
                    if *reverse {
                        sums.reverse();
                    }
                };
                turn(&mut sums);
                for i in 1..sums.len() {
                    sums[i] = b.add(sums[i], sums[i - 1]);
                }
                turn(&mut sums);
                Some(sums)
            }),
            Op::MatMul => {
                let transposed = graph.node(node.args[0]).op == Op::Transpose;
                product(b, (&args[0], &map::sizes(from(0))), (&args[1], &map::sizes(from(1))), transposed)
            }
            Op::Transpose | Op::Expand(_) | Op::Squeeze(_) | Op::Broadcast(_) | Op::Reshape(_) | Op::Slice { .. } => {
                Some(rearranged(&args[0], &map::moves(&node.op, from(0), shape)?))
            }
            Op::Unslice { axis, start, step, .. } if !on_rows(*axis) => {
                let zero = b.number(0.0);
                match map::unslice(from(0), shape, *axis, *start, *step) {
                    None => Some(args[0].clone()),
                    Some(map) => Some(map.iter().map(|&from| if from == ZERO { zero } else { args[0][from as usize] }).collect()),
                }
            }
            Op::Concat(axis) if !on_rows(*axis) => {
                let mut whole = vec![Value::MAX; features(shape)];
                let mut first = 0;
                for (arg, &id) in args.iter().zip(&node.args) {
                    match map::part(graph.shape(id), shape, *axis, first) {
                        None => whole.copy_from_slice(arg),
                        Some(map) => {
                            let parts = whole.iter_mut().zip(&*map).filter(|(_, from)| **from != KEEP);
                            parts.for_each(|(to, &from)| *to = arg[from as usize]);
                        }
                    }
                    first += map::sizes(graph.shape(id))[*axis];
                }
                Some(whole.into())
            }
            Op::Const(_)
            | Op::Literal(_)
            | Op::Sort(_)
            | Op::ArgSort(_)
            | Op::Unslice { .. }
            | Op::Concat(_)
            | Op::Gather(_)
            | Op::ScatterAdd { .. }
            | Op::Pick
            | Op::Unpick(_)
            | Op::OneHot(_)
            | Op::Solve
            | Op::SpectralNorm => None,
        }
    }

    fn input(&mut self, id: Id, input: InputId) -> Option<Arc<[Value]>> {
        let octet = self.octet(input)?;
        let changes = self.step.slots.iter().any(|(slot, next)| *slot == id && slot != next);
        Some(self.in_memory(octet, features(self.step.graph.shape(id)), changes))
    }

    /// The elements of a value in memory, which steps change or not.
    fn in_memory(&mut self, octet: usize, elements: usize, changes: bool) -> Arc<[Value]> {
        let (list, op): (_, fn(u32) -> Native) = if changes { (&mut self.slots, Native::Slot) } else { (&mut self.own, Native::Own) };
        let mut values = Vec::with_capacity(elements);
        for element in 0..elements {
            list.push(octet * 8 + self.step.lanes.place(element, 0));
            values.push(self.builder.push(op((list.len() - 1) as u32)));
        }
        values.into()
    }
}

fn rearranged(source: &[Value], map: &Map) -> Arc<[Value]> {
    compose(map, &Some(source.into())).unwrap_or_default()
}

/// A function of each lane along an axis, with results side by side along it.
fn each(x: &[Value], shape: &Shape, axis: usize, mut f: impl FnMut(&[Value]) -> Option<Vec<Value>>) -> Option<Arc<[Value]>> {
    let (pre, n, post) = around(shape, axis);
    let mut results = Vec::with_capacity(pre * post);
    for (before, after) in (0..pre).flat_map(|before| (0..post).map(move |after| (before, after))) {
        let lane: Vec<Value> = (0..n).map(|i| x[(before * n + i) * post + after]).collect();
        results.push(f(&lane)?);
    }
    let length = results.first().map_or(0, Vec::len);
    let place = |flat: usize| results[flat / (length * post) * post + flat % post][flat / post % length];
    Some((0..pre * length * post).map(place).collect())
}

/// The sum along an axis, as the dense evaluator adds.
fn sum(b: &Builder, axis: usize, x: &[Value]) -> Value {
    if axis == 0 { by_classes(b, x.len(), |s, i| b.add(s, x[i]), |s| s) } else { ascending(b, x) }
}

fn ascending(b: &Builder, x: &[Value]) -> Value {
    x.iter().copied().reduce(|s, x| b.add(s, x)).unwrap_or_else(|| b.number(0.0))
}

/// Eight classes from +0, by halving; for at most one chunk.
fn by_classes(b: &Builder, n: usize, step: impl Fn(Value, usize) -> Value, close: impl Fn(Value) -> Value) -> Value {
    let mut s = [b.number(0.0); 8];
    for i in 0..n {
        s[i % 8] = step(s[i % 8], i);
    }
    let s = s.map(close);
    let four = [(0, 4), (2, 6), (1, 5), (3, 7)].map(|(i, j)| b.add(s[i], s[j]));
    b.add(b.add(four[0], four[1]), b.add(four[2], four[3]))
}

/// The largest and the sum of `exp(x - largest)`.
fn scaled(b: &Builder, axis: usize, x: &[Value]) -> Option<(Value, Value)> {
    let largest = x.iter().copied().reduce(|m, x| scalar::larger(b, m, x))?;
    let exponentials: Vec<Value> = x.iter().map(|&x| b.exp(b.sub(x, largest))).collect();
    Some((largest, sum(b, axis, &exponentials)))
}

fn reduce(b: &Builder, op: Reduce, axis: usize, x: &[Value]) -> Option<Value> {
    match op {
        Reduce::Sum => Some(sum(b, axis, x)),
        Reduce::SumLog1p if x.len() > CHUNK => None,
        Reduce::SumLog1p => Some(by_classes(b, x.len(), |q, i| b.fma(q, x[i], b.add(q, x[i])), |q| b.log1p(q))),
        Reduce::Max => x.iter().copied().reduce(|m, x| scalar::larger(b, m, x)),
        Reduce::Min => x.iter().copied().reduce(|m, x| scalar::smaller(b, m, x)),
        Reduce::Prod => x.iter().copied().reduce(|p, x| b.mul(p, x)),
        Reduce::LogSumExp => {
            let (largest, total) = scaled(b, axis, x)?;
            let infinite = scalar::is_infinite(b, largest);
            Some(b.select(infinite, largest, b.add(largest, b.ln(total))))
        }
        Reduce::ArgMax | Reduce::ArgMin | Reduce::Median => None,
    }
}

/// A product of matrices or vectors; each with its sizes.
fn product(b: &Builder, (x, left): (&[Value], &[usize]), (y, right): (&[Value], &[usize]), transposed: bool) -> Option<Arc<[Value]>> {
    let n = *left.last()?;
    let (rows, columns) = (x.len() / n.max(1), right.get(1).copied().unwrap_or(1));
    if n == 0 || n > CHUNK {
        return None;
    }
    let classes = left.len() == 1 || (right.len() == 1 && transposed);
    let entry = |row: usize, column: usize| {
        let (a, c) = (|i: usize| x[row * n + i], |i: usize| y[i * columns + column]);
        if classes {
            by_classes(b, n, |s, i| b.fma(a(i), c(i), s), |s| s)
        } else {
            (1..n).fold(b.mul(a(0), c(0)), |z, i| b.fma(a(i), c(i), z))
        }
    };
    Some((0..rows * columns).map(|flat| entry(flat / columns, flat % columns)).collect())
}
