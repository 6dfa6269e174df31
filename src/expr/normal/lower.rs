//! Nodes of the graph to normal forms.
//!
//! What is equal to what is in `algebra`, `functions` and `sums`.

use std::collections::BTreeMap;

use super::super::graph::{Graph, Id};
use super::super::op::{InputId, Op, Reduce};
use super::algebra::Work;
use super::ratio::Ratio;
use super::term::{Atom, Idx, Poly};
use crate::shape::{Dim, Shape};

/// What is known of the data beside their shapes.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Matrices of which each row has one 1 and zeros, and the column of numbers that says where, if there is one.
    pub onehots: BTreeMap<InputId, Option<InputId>>,
}

/// How much work one proof may be.
const FUEL: u64 = 400_000;

/// The normal forms of the nodes of a graph.
#[derive(Debug)]
pub struct Normal<'g> {
    graph: &'g Graph,
    facts: &'g Facts,
    work: Work,
    known: BTreeMap<Id, Option<Poly>>,
    /// The facts that were needed.
    pub used: Vec<InputId>,
}

impl<'g> Normal<'g> {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(graph: &'g Graph, facts: &'g Facts) -> Self {
        Normal { graph, facts, work: Work { fuel: FUEL, depth: 0, temps: 0 }, known: BTreeMap::new(), used: Vec::new() }
    }

    /// Whether two nodes of one shape are proved to have the same value. `false` says nothing.
    pub fn same(&mut self, a: Id, b: Id) -> bool {
        if self.graph.shape(a) != self.graph.shape(b) {
            return false;
        }
        self.difference(a, b).is_some_and(|d| d.is_zero())
    }

    fn difference(&mut self, a: Id, b: Id) -> Option<Poly> {
        let (left, right) = (self.form(a)?, self.form(b)?);
        let mut difference = left.plus(&right, Ratio::ONE.minus())?;
        // What stands below fraction bars is multiplied out, one after the other.
        for _ in 0..6 {
            let below = difference.0.keys().flatten().find(|(atom, e)| e.is_negative() && matches!(atom, Atom::Base(_) | Atom::Sum(..)));
            let Some((atom, _)) = below.cloned() else { break };
            let least = difference.0.keys().flatten().filter(|(a, _)| *a == atom).map(|(_, e)| e.floor()).min().unwrap_or(0);
            let by = self.work.product(vec![(atom, Ratio::whole(-least))])?;
            difference = self.work.mul(&difference, &by)?;
        }
        Some(difference)
    }

    /// The normal form of a node, if it has one that is not too large.
    pub fn form(&mut self, root: Id) -> Option<Poly> {
        for id in self.graph.reachable(&[root]) {
            if !self.known.contains_key(&id) {
                let form = self.one(id);
                self.known.insert(id, form);
            }
        }
        self.known.get(&root).cloned().flatten()
    }

    fn arg(&self, id: Id, position: usize) -> Option<Poly> {
        self.known.get(&self.graph.node(id).args[position]).cloned().flatten()
    }

    /// An argument at other indices, one for each of its axes.
    fn at(&mut self, id: Id, position: usize, list: &[Idx]) -> Option<Poly> {
        let form = self.arg(id, position)?;
        let arg = self.graph.node(id).args[position];
        let shape = self.graph.shape(arg).clone();
        let list: Vec<Idx> = list.iter().zip(&shape.0).map(|(&i, d)| if *d == Dim::Size(1) { Idx::At(0) } else { i }).collect();
        self.work.moved(&form, &|i| match i {
            Idx::Free(axis) => list.get(axis as usize).copied().unwrap_or(i),
            _ => i,
        })
    }

    /// An argument stretched to the shape of the result.
    fn stretched(&mut self, id: Id, position: usize) -> Option<Poly> {
        let rank = self.graph.shape(id).rank();
        let arg = self.graph.node(id).args[position];
        let own = self.graph.shape(arg).rank();
        let list: Vec<Idx> = (0..own).map(|axis| Idx::Free((axis + rank - own) as u32)).collect();
        self.at(id, position, &list)
    }

    fn sum_over(&mut self, p: &Poly, index: Idx, dim: Dim) -> Option<Poly> {
        if dim == Dim::Size(1) { Some(p.clone()) } else { self.work.sum(p, index, dim) }
    }

    /// The value of a column of numbers that says which column of a onehot is 1.
    fn onehot_column(&mut self, input: InputId, index: Idx) -> Option<Poly> {
        let known = self.facts.onehots.get(&input)?;
        if !self.used.contains(&input) {
            self.used.push(input);
        }
        Some(Poly::atom(Atom::Input(known.unwrap_or(input), vec![index])))
    }

    #[allow(clippy::too_many_lines, reason = "one arm for each operation")]
    fn one(&mut self, id: Id) -> Option<Poly> {
        self.work.spend(4)?;
        let node = self.graph.node(id).clone();
        let shape = node.shape.clone();
        let axes = axes(&shape);
        let arg_shape = |position: usize| self.graph.shape(node.args[position]).clone();
        match &node.op {
            Op::Const(bits) => bits.value().is_finite().then(|| Work::constant(bits.value())),
            Op::Literal(literal) => Some(Work::literal(literal, axes)),
            Op::Input(input) => {
                if let [row, column] = axes[..]
                    && self.facts.onehots.contains_key(input)
                {
                    let value = self.onehot_column(*input, row)?;
                    return Work::onehot(&value, column);
                }
                Some(Poly::atom(Atom::Input(*input, axes)))
            }
            Op::RowCount(data) => Some(Poly::atom(Atom::Rows(*data))),
            Op::Unary(op) => {
                let x = self.stretched(id, 0)?;
                self.work.unary(*op, &x)
            }
            Op::Binary(op) => {
                let (x, y) = (self.stretched(id, 0)?, self.stretched(id, 1)?);
                self.work.binary(*op, &x, &y)
            }
            Op::Select => {
                let (c, x, y) = (self.stretched(id, 0)?, self.stretched(id, 1)?, self.stretched(id, 2)?);
                self.work.select(&c, &x, &y)
            }
            Op::Broadcast(_) => self.stretched(id, 0),
            Op::Reduce(op @ (Reduce::Sum | Reduce::LogSumExp | Reduce::SumLog1p), axis) => {
                let temp = self.work.temp();
                let list = inserted(&axes, *axis, temp);
                let dim = arg_shape(0).0[*axis];
                let x = self.at(id, 0, &list)?;
                match op {
                    Reduce::LogSumExp => {
                        let exp = self.work.exp(&x)?;
                        let sum = self.sum_over(&exp, temp, dim)?;
                        self.work.log(&sum)
                    }
                    Reduce::SumLog1p => {
                        let log = self.work.log(&Poly::one().plus(&x, Ratio::ONE)?)?;
                        self.sum_over(&log, temp, dim)
                    }
                    _ => self.sum_over(&x, temp, dim),
                }
            }
            Op::Softmax(axis) | Op::LogSoftmax(axis) if shape.0[*axis] == Dim::Size(1) => {
                Some(if matches!(node.op, Op::Softmax(_)) { Poly::one() } else { Poly::zero() })
            }
            Op::Softmax(axis) | Op::LogSoftmax(axis) => {
                let x = self.arg(id, 0)?;
                let temp = self.work.temp();
                let exp = self.work.exp(&x)?;
                let there = self.work.moved(&exp, &|i| if i == axes[*axis] { temp } else { i })?;
                let sum = self.sum_over(&there, temp, shape.0[*axis])?;
                if matches!(node.op, Op::Softmax(_)) {
                    let below = self.work.pow(&sum, Ratio::ONE.minus())?;
                    self.work.mul(&exp, &below)
                } else {
                    let log = self.work.log(&sum)?;
                    x.plus(&log, Ratio::ONE.minus())
                }
            }
            Op::MatMul => {
                let (a, b) = (arg_shape(0).rank(), arg_shape(1).rank());
                let temp = self.work.temp();
                let dim = arg_shape(0).0[a - 1];
                let left: Vec<Idx> = if a == 1 { vec![temp] } else { vec![axes[0], temp] };
                let right: Vec<Idx> = if b == 1 { vec![temp] } else { vec![temp, axes[a - 1]] };
                let (x, y) = (self.at(id, 0, &left)?, self.at(id, 1, &right)?);
                let product = self.work.mul(&x, &y)?;
                self.sum_over(&product, temp, dim)
            }
            Op::Transpose => self.at(id, 0, &axes.iter().rev().copied().collect::<Vec<_>>()),
            Op::Expand(axis) => {
                let mut list = axes;
                list.remove(*axis);
                self.at(id, 0, &list)
            }
            Op::Squeeze(axis) => self.at(id, 0, &inserted(&axes, *axis, Idx::At(0))),
            Op::Slice { axis, start, step, len } => self.slice(id, &axes, *axis, (*start, *step, *len)),
            Op::Unslice { axis, start, step, .. } => {
                let Dim::Size(len) = arg_shape(0).0[*axis] else { return None };
                self.placed(id, 0, &axes, *axis, (*start, *step, len))
            }
            Op::Concat(axis) => self.concat(id, &axes, *axis),
            Op::Gather(axis) => {
                let temp = self.work.temp();
                let dim = arg_shape(0).0[*axis];
                let value = self.at(id, 1, &[axes[*axis]])?;
                let flag = Work::onehot(&value, temp)?;
                let mut list = axes;
                list[*axis] = temp;
                let x = self.at(id, 0, &list)?;
                let product = self.work.mul(&flag, &x)?;
                self.sum_over(&product, temp, dim)
            }
            Op::ScatterAdd { axis, .. } => {
                let temp = self.work.temp();
                let dim = arg_shape(0).0[*axis];
                let value = self.at(id, 1, &[temp])?;
                let flag = Work::onehot(&value, axes[*axis])?;
                let mut list = axes;
                list[*axis] = temp;
                let x = self.at(id, 0, &list)?;
                let product = self.work.mul(&flag, &x)?;
                self.sum_over(&product, temp, dim)
            }
            Op::Pick => {
                let temp = self.work.temp();
                let dim = arg_shape(0).0[1];
                let value = self.arg(id, 1)?;
                let flag = Work::onehot(&value, temp)?;
                let x = self.at(id, 0, &[axes[0], temp])?;
                let product = self.work.mul(&flag, &x)?;
                self.sum_over(&product, temp, dim)
            }
            Op::Unpick(_) => {
                let (x, value) = (self.at(id, 0, &[axes[0]])?, self.at(id, 1, &[axes[0]])?);
                let flag = Work::onehot(&value, axes[1])?;
                self.work.mul(&flag, &x)
            }
            Op::OneHot(_) => {
                let value = self.at(id, 0, &[axes[0]])?;
                Work::onehot(&value, axes[1])
            }
            Op::Reshape(_) => {
                let from = arg_shape(0);
                let long = |s: &Shape| s.0.iter().filter(|d| **d != Dim::Size(1)).copied().collect::<Vec<_>>();
                if long(&from) != long(&shape) {
                    return self.opaque(id, axes);
                }
                let mut there = axes.iter().zip(&shape.0).filter(|(_, d)| **d != Dim::Size(1)).map(|(i, _)| *i);
                let list: Vec<Idx> =
                    from.0.iter().map(|d| if *d == Dim::Size(1) { Idx::At(0) } else { there.next().unwrap_or(Idx::At(0)) }).collect();
                self.at(id, 0, &list)
            }
            Op::Reduce(..) | Op::Cumsum { .. } | Op::Sort(_) | Op::ArgSort(_) | Op::Solve | Op::SpectralNorm | Op::PsdPart => {
                self.opaque(id, axes)
            }
        }
    }

    /// An operation on whole arrays: equal when its arguments are.
    fn opaque(&mut self, id: Id, axes: Vec<Idx>) -> Option<Poly> {
        let node = self.graph.node(id).clone();
        let args: Option<Vec<Poly>> = (0..node.args.len()).map(|position| self.arg(id, position)).collect();
        Some(Poly::atom(Atom::Opaque(node.op, args?, axes)))
    }

    fn slice(&mut self, id: Id, axes: &[Idx], axis: usize, (start, step, len): (usize, isize, usize)) -> Option<Poly> {
        let dim = self.graph.shape(self.graph.node(id).args[0]).0[axis];
        let mut list = axes.to_vec();
        if dim == Dim::Size(len) && start == 0 && step == 1 {
            return self.at(id, 0, &list);
        }
        if len == 1 {
            list[axis] = Idx::At(start);
            return self.at(id, 0, &list);
        }
        let temp = self.work.temp();
        list[axis] = temp;
        let x = self.at(id, 0, &list)?;
        let place = Work::place(start, step, len, temp, axes[axis])?;
        let product = self.work.mul(&x, &place)?;
        self.sum_over(&product, temp, dim)
    }

    /// An argument put somewhere along an axis of the result, zeros elsewhere.
    fn placed(&mut self, id: Id, position: usize, axes: &[Idx], axis: usize, (start, step, len): (usize, isize, usize)) -> Option<Poly> {
        let mut list = axes.to_vec();
        let temp = if len == 1 { Idx::At(0) } else { self.work.temp() };
        list[axis] = temp;
        let x = self.at(id, position, &list)?;
        let place = Work::place(start, step, len, axes[axis], temp)?;
        let product = self.work.mul(&x, &place)?;
        self.sum_over(&product, temp, Dim::Size(len))
    }

    fn concat(&mut self, id: Id, axes: &[Idx], axis: usize) -> Option<Poly> {
        let args = self.graph.node(id).args.clone();
        let sizes: Vec<Dim> = args.iter().map(|&arg| self.graph.shape(arg).0[axis]).collect();
        if args.len() == 1 {
            return self.at(id, 0, axes);
        }
        if sizes.iter().all(|d| *d == Dim::Size(1))
            && let Some(form) = self.pattern(id, axes, axis)
        {
            return Some(form);
        }
        let (mut sum, mut start) = (Poly::zero(), 0);
        for (position, size) in sizes.iter().enumerate() {
            let Dim::Size(len) = size else { return None };
            let part = self.placed(id, position, axes, axis, (start, 1, *len))?;
            sum = sum.plus(&part, Ratio::ONE)?;
            start += len;
        }
        Some(sum)
    }

    /// Pieces of one element that are all the same but for their number: the number becomes an index.
    fn pattern(&mut self, id: Id, axes: &[Idx], axis: usize) -> Option<Poly> {
        let count = self.graph.node(id).args.len();
        let mut list = axes.to_vec();
        list[axis] = Idx::At(0);
        let last = self.at(id, count - 1, &list)?;
        let temp = self.work.temp();
        let general = self.work.moved(&last, &|i| if i == Idx::At(count - 1) { temp } else { i })?;
        for position in 0..count {
            let here = self.work.moved(&general, &|i| if i == temp { Idx::At(position) } else { i })?;
            if here != self.at(id, position, &list)? {
                return None;
            }
        }
        self.work.moved(&general, &|i| if i == temp { axes[axis] } else { i })
    }
}

/// The indices of the axes of a shape.
fn axes(shape: &Shape) -> Vec<Idx> {
    shape.0.iter().enumerate().map(|(axis, d)| if *d == Dim::Size(1) { Idx::At(0) } else { Idx::Free(axis as u32) }).collect()
}

fn inserted(list: &[Idx], at: usize, index: Idx) -> Vec<Idx> {
    let mut list: Vec<Idx> = list.to_vec();
    list.insert(at, index);
    list
}
