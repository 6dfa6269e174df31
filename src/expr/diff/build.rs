//! The pieces that derivative rules are made of, and the masks that keep what `where` did not select out of a derivative.
//!
//! It knows no rules.
//!
//! A branch that is not selected has adjoint 0, but its local slopes may be infinite, and 0*inf is NaN. So an adjoint that came through a `where`
//! carries the condition as a mask, rules compute with the adjoint from before the selection, and the result is selected again:
//! `where(c, g*slope, 0)`, which also reads well. A mask that is a number goes through every operation; one with axes goes through elementwise
//! operations unchanged, and elsewhere an adjoint of exactly 0 is taken as not selected from there on. Products (`@`, `solve`) and `softmax` behind
//! such a mask are not guarded: there only values that are not finite could leak.

use super::super::graph::{Graph, Id, Node};
use super::super::op::{Binary, Op, Reduce, Unary};
use super::{NotDifferentiable, rules};
use crate::shape::Shape;

/// Where an adjoint is known to be 0 because nothing was selected there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mask {
    /// Nowhere.
    Open,
    /// Where this node is 0; it stretches to the shape of the adjoint.
    Node(Id),
    /// Where the adjoint itself is 0.
    Value,
}

/// The graph with the adjoint of one node at hand.
pub(super) struct Build<'g> {
    pub(super) graph: &'g mut Graph,
    /// The adjoint.
    full: Id,
    /// The adjoint as rules should use it: from before the selection when the result will be selected again.
    raw: Id,
    mask: Mask,
}

/// Operations whose share has the shape of the result, before it is summed to the shape of the argument.
fn is_elementwise(op: &Op) -> bool {
    matches!(op, Op::Unary(_) | Op::Binary(_) | Op::Select)
}

/// Operations whose slope is a finite constant, so that nothing can leak.
fn is_harmless(op: &Op) -> bool {
    matches!(op, Op::Unary(Unary::Neg) | Op::Binary(Binary::Add | Binary::Sub))
}

impl<'g> Build<'g> {
    pub(super) fn new(graph: &'g mut Graph, node: &Node, full: Id, mask: Mask) -> Self {
        let mut build = Build { graph, full, raw: full, mask };
        if !is_elementwise(&node.op) {
            return build;
        }
        if mask == Mask::Value && !is_harmless(&node.op) {
            let zero = build.number(0.0);
            build.mask = Mask::Node(build.binary(Binary::Ne, full, zero));
        }
        if let Mask::Node(condition) = build.mask
            && let Node { op: Op::Select, args, .. } = build.graph.node(full)
            && args[0] == condition
            && build.graph.as_const(args[2]) == Some(0.0)
        {
            let before = args[1];
            build.raw = if build.graph.shape(before).is_scalar() { before } else { build.graph.broadcast_to(before, &node.shape) };
        }
        build
    }

    /// What the adjoint of one argument receives, in the argument's shape.
    pub(super) fn share(&mut self, id: Id, node: &Node, position: usize) -> Result<(Id, Mask), NotDifferentiable> {
        let shape = self.graph.shape(node.args[position]).clone();
        if !is_elementwise(&node.op) {
            let share = rules::structural(self, id, node, position, self.full)?;
            return Ok(match self.mask {
                Mask::Node(condition) if self.graph.shape(condition).is_scalar() => (self.selected(condition, share, &shape), self.mask),
                Mask::Node(_) | Mask::Value => (share, Mask::Value),
                Mask::Open => (share, Mask::Open),
            });
        }
        let share = rules::elementwise(self, id, node, position, self.raw);
        let mask = if node.op == Op::Select { self.branch(node, position) } else { self.mask };
        let share = if let Mask::Node(condition) = mask { self.selected(condition, share, &node.shape) } else { share };
        let share = self.graph.broadcast_to(share, &node.shape);
        let summed = self.graph.sum_to(share, &shape);
        let mask = match mask {
            Mask::Node(condition) if shape != node.shape && !self.graph.shape(condition).is_scalar() => Mask::Value,
            mask => mask,
        };
        Ok((summed, mask))
    }

    /// Whether values of arguments could leak into a share along an axis.
    pub(super) fn is_masked(&self) -> bool {
        self.mask != Mask::Open
    }

    /// The mask behind one branch of a selection.
    fn branch(&mut self, node: &Node, position: usize) -> Mask {
        let mut condition = node.args[0];
        if self.graph.shape(condition).broadcast(&node.shape).as_ref() != Some(&node.shape) {
            // Stretching is not associative: one element goes with a vector, and that with a matrix, but one element not with a matrix.
            let first =
                self.graph.shape(condition).broadcast(self.graph.shape(node.args[1])).expect("internal: shapes were checked to stretch");
            condition = self.graph.broadcast_to(condition, &first);
            condition = self.graph.broadcast_to(condition, &node.shape);
        }
        let condition = if position == 1 { condition } else { self.not(condition) };
        match self.mask {
            Mask::Node(outer) if outer != condition => Mask::Node(self.binary(Binary::And, outer, condition)),
            _ => Mask::Node(condition),
        }
    }

    /// `where(condition, share, 0)` in a shape.
    fn selected(&mut self, condition: Id, share: Id, shape: &Shape) -> Id {
        let zero = self.number(0.0);
        let selected = self.select(condition, share, zero);
        self.graph.broadcast_to(selected, shape)
    }

    /// The mask of a sum of adjoints.
    pub(super) fn join(&mut self, a: Mask, b: Mask) -> Mask {
        match (a, b) {
            (a, b) if a == b => a,
            (Mask::Open, _) | (_, Mask::Open) => Mask::Open,
            (Mask::Node(a), Mask::Node(b)) => {
                let opposite = |graph: &Graph, a: Id, b: Id| graph.node(a).op == Op::Unary(Unary::Not) && graph.node(a).args[0] == b;
                if opposite(self.graph, a, b) || opposite(self.graph, b, a) {
                    Mask::Open
                } else if self.graph.shape(a) == self.graph.shape(b) {
                    Mask::Node(self.binary(Binary::Or, a, b))
                } else {
                    Mask::Value
                }
            }
            _ => Mask::Value,
        }
    }

    fn not(&mut self, condition: Id) -> Id {
        match self.graph.node(condition) {
            // As a mask, what `not` was taken of says the same: only whether it is 0 matters.
            Node { op: Op::Unary(Unary::Not), args, .. } => args[0],
            _ => self.unary(Unary::Not, condition),
        }
    }

    pub(super) fn number(&mut self, x: f64) -> Id {
        self.graph.number(x)
    }

    pub(super) fn unary(&mut self, op: Unary, a: Id) -> Id {
        self.graph.unary(op, a)
    }

    pub(super) fn binary(&mut self, op: Binary, a: Id, b: Id) -> Id {
        let a = self.unbroadcast(a, b);
        let b = self.unbroadcast(b, a);
        self.graph.binary(op, a, b)
    }

    /// What a node repeats, when the other operand alone makes the result as large.
    fn unbroadcast(&self, a: Id, other: Id) -> Id {
        let Node { op: Op::Broadcast(_), args, shape } = self.graph.node(a) else { return a };
        let other = self.graph.shape(other);
        let stretched = self.graph.shape(args[0]).broadcast(other);
        if stretched.is_some() && stretched == shape.broadcast(other) { args[0] } else { a }
    }

    pub(super) fn select(&mut self, condition: Id, yes: Id, no: Id) -> Id {
        let yes = self.unbroadcast(yes, condition);
        self.graph.add(Op::Select, &[condition, yes, no])
    }

    pub(super) fn add(&mut self, a: Id, b: Id) -> Id {
        let shape = self.graph.shape(a).clone();
        let sum = self.binary(Binary::Add, a, b);
        self.graph.broadcast_to(sum, &shape)
    }

    /// A product; 1 times a value is the value.
    pub(super) fn mul(&mut self, a: Id, b: Id) -> Id {
        let one = |build: &Self, a: Id, b: Id| {
            build.constant(a) == Some(1.0) && build.graph.shape(a).broadcast(build.graph.shape(b)).as_ref() == Some(build.graph.shape(b))
        };
        if one(self, a, b) {
            b
        } else if one(self, b, a) {
            a
        } else {
            self.binary(Binary::Mul, a, b)
        }
    }

    pub(super) fn times(&mut self, a: Id, factor: f64) -> Id {
        let factor = self.number(factor);
        self.mul(a, factor)
    }

    pub(super) fn div(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Div, a, b)
    }

    pub(super) fn neg(&mut self, a: Id) -> Id {
        self.unary(Unary::Neg, a)
    }

    pub(super) fn square(&mut self, a: Id) -> Id {
        self.unary(Unary::Square, a)
    }

    pub(super) fn plus(&mut self, a: Id, term: f64) -> Id {
        let term = self.number(term);
        self.binary(Binary::Add, a, term)
    }

    /// 1 where an element is exactly the number.
    pub(super) fn is(&mut self, a: Id, x: f64) -> Id {
        let x = self.number(x);
        self.binary(Binary::Eq, a, x)
    }

    /// The number that a node is, or repeats.
    pub(super) fn constant(&self, a: Id) -> Option<f64> {
        match self.graph.node(a) {
            Node { op: Op::Broadcast(_), args, .. } => self.graph.as_const(args[0]),
            _ => self.graph.as_const(a),
        }
    }

    pub(super) fn sum(&mut self, axis: usize, a: Id) -> Id {
        self.graph.reduce(Reduce::Sum, axis, a)
    }

    /// The transpose, not written twice.
    pub(super) fn transpose(&mut self, a: Id) -> Id {
        match self.graph.node(a) {
            Node { op: Op::Transpose, args, .. } => args[0],
            node if node.shape.rank() < 2 => a,
            _ => self.graph.add(Op::Transpose, &[a]),
        }
    }

    pub(super) fn matmul(&mut self, a: Id, b: Id) -> Id {
        self.graph.add(Op::MatMul, &[a, b])
    }

    /// `a[i]*b[j]`.
    pub(super) fn outer(&mut self, a: Id, b: Id) -> Id {
        let column = self.graph.add(Op::Expand(1), &[a]);
        let row = self.graph.add(Op::Expand(0), &[b]);
        self.graph.binary(Binary::Mul, column, row)
    }

    /// The result of a reduction, with the axis back in place as one of one element, so that it stretches along what was reduced.
    pub(super) fn lift(&mut self, a: Id, axis: usize) -> Id {
        match self.graph.node(a) {
            Node { op: Op::Broadcast(_), args, .. } if self.graph.shape(args[0]).is_scalar() => args[0],
            node if node.shape.is_scalar() => a,
            _ => self.graph.add(Op::Expand(axis), &[a]),
        }
    }
}
