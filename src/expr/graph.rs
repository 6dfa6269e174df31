//! The hash-consed graph: equal expressions are one node, and children precede parents.
//!
//! It does not simplify: what is added is what is there.

use std::collections::HashMap;

use super::op::{Binary, Bits, InputId, Literal, Op, Reduce, ShapeError, Unary};
use crate::shape::{DataId, Dim, Shape};
use crate::source::Span;

/// A node of a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u32);

impl Id {
    /// The index into [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What an input stands for; decides what it may be used for and how it prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InputKind {
    /// A column of a dataset; its first axis is the rows.
    Column(DataId),
    /// A value that was drawn before the run.
    Drawn,
    /// A parameter.
    Param,
    /// A `hyper`.
    Hyper,
    /// An argument of an update rule, a number of the cell.
    Arg,
    /// A state of an update rule, in the shape of one parameter.
    State,
    /// A state shared by all parameters.
    Shared,
    /// The number of the step, from 1.
    Step,
    /// The number of the epoch, from 1.
    Epoch,
    /// The number of steps planned.
    Steps,
    /// A value of a finished run: used in outputs only.
    Result,
}

/// A value from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// As it prints.
    pub name: String,
    /// What it is.
    pub kind: InputKind,
    /// Its shape.
    pub shape: Shape,
}

/// One operation with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What is done.
    pub op: Op,
    /// With what; all before this node.
    pub args: Box<[Id]>,
    /// The shape of the result.
    pub shape: Shape,
}

/// The expressions of one model or rule.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    memo: HashMap<(Op, Box<[Id]>), Id>,
    inputs: Vec<Input>,
    spans: Vec<Option<Span>>,
}

impl Graph {
    /// No nodes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All nodes, children before parents.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One node.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.index()]
    }

    /// The shape of a node.
    pub fn shape(&self, id: Id) -> &Shape {
        &self.nodes[id.index()].shape
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The inputs.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The facts of an input.
    pub fn input_info(&self, id: InputId) -> &Input {
        &self.inputs[id.0 as usize]
    }

    /// Declares an input and returns its node. Every call makes a new one.
    pub fn input(&mut self, name: impl Into<String>, kind: InputKind, shape: Shape) -> Id {
        let id = InputId(self.inputs.len() as u32);
        self.inputs.push(Input { name: name.into(), kind, shape: shape.clone() });
        self.insert(Op::Input(id), Box::new([]), shape)
    }

    /// The input a node is, if it is one.
    pub fn as_input(&self, id: Id) -> Option<InputId> {
        if let Op::Input(input) = self.node(id).op { Some(input) } else { None }
    }

    /// The number a node is, if it is one.
    pub fn as_const(&self, id: Id) -> Option<f64> {
        if let Op::Const(bits) = self.node(id).op { Some(bits.value()) } else { None }
    }

    /// Where in the text a node first came from.
    pub fn span(&self, id: Id) -> Option<Span> {
        self.spans[id.index()]
    }

    /// Says where a node came from, unless that is known.
    pub fn set_span(&mut self, id: Id, span: Span) {
        self.spans[id.index()].get_or_insert(span);
    }

    /// Adds an operation, or finds it.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn try_add(&mut self, op: Op, args: &[Id]) -> Result<Id, ShapeError> {
        debug_assert!(op.arity().is_none_or(|n| n == args.len()), "internal: {op:?} with {} arguments", args.len());
        let key: Box<[Id]> = args.into();
        if let Some(&id) = self.memo.get(&(op.clone(), key.clone())) {
            return Ok(id);
        }
        let shapes: Vec<&Shape> = args.iter().map(|&arg| self.shape(arg)).collect();
        let shape = op.shape(&shapes)?;
        Ok(self.insert(op, key, shape))
    }

    /// Adds an operation whose shapes are known to fit.
    pub fn add(&mut self, op: Op, args: &[Id]) -> Id {
        self.try_add(op, args).unwrap_or_else(|error| panic!("internal: shapes do not fit: {error:?}"))
    }

    fn insert(&mut self, op: Op, args: Box<[Id]>, shape: Shape) -> Id {
        let id = Id(self.nodes.len() as u32);
        self.memo.insert((op.clone(), args.clone()), id);
        self.nodes.push(Node { op, args, shape });
        self.spans.push(None);
        id
    }

    /// A number.
    pub fn number(&mut self, x: f64) -> Id {
        self.add(Op::Const(Bits::of(x)), &[])
    }

    /// An array of numbers, row by row.
    pub fn literal(&mut self, sizes: &[usize], values: &[f64]) -> Id {
        assert_eq!(sizes.iter().product::<usize>(), values.len(), "internal: literal of the wrong length");
        if sizes.is_empty() {
            return self.number(values[0]);
        }
        let literal = Literal { sizes: sizes.to_vec(), values: values.iter().map(|&x| Bits::of(x)).collect() };
        self.add(Op::Literal(std::sync::Arc::new(literal)), &[])
    }

    /// The number of elements along an axis, as a value that follows the batch.
    pub fn extent(&mut self, dim: Dim) -> Id {
        match dim {
            Dim::Size(n) => self.number(n as f64),
            Dim::Rows(data) => self.add(Op::RowCount(data), &[]),
        }
    }

    /// An elementwise operation of one value.
    pub fn unary(&mut self, op: Unary, a: Id) -> Id {
        self.add(Op::Unary(op), &[a])
    }

    /// An elementwise operation of two values.
    pub fn binary(&mut self, op: Binary, a: Id, b: Id) -> Id {
        self.add(Op::Binary(op), &[a, b])
    }

    /// A reduction along one axis.
    pub fn reduce(&mut self, op: Reduce, axis: usize, a: Id) -> Id {
        self.add(Op::Reduce(op, axis), &[a])
    }

    /// The sum over all axes, the last first.
    pub fn sum_all(&mut self, a: Id) -> Id {
        (0..self.shape(a).rank()).rev().fold(a, |sum, axis| self.reduce(Reduce::Sum, axis, sum))
    }

    /// A value repeated up to a shape; itself when it has that shape.
    pub fn broadcast_to(&mut self, a: Id, shape: &Shape) -> Id {
        if self.shape(a) == shape { a } else { self.add(Op::Broadcast(shape.clone()), &[a]) }
    }

    /// The transpose of broadcasting: sums over the axes along which a value of `shape` was repeated to become `a`.
    pub fn sum_to(&mut self, a: Id, shape: &Shape) -> Id {
        let from = self.shape(a).clone();
        if from == *shape {
            return a;
        }
        if shape.is_scalar() {
            return self.sum_all(a);
        }
        let mut sum = a;
        while self.shape(sum).rank() > shape.rank() {
            sum = self.reduce(Reduce::Sum, 0, sum);
        }
        for axis in (0..shape.rank()).rev() {
            if self.shape(sum).0[axis] != shape.0[axis] {
                let reduced = self.reduce(Reduce::Sum, axis, sum);
                sum = self.add(Op::Expand(axis), &[reduced]);
            }
        }
        sum
    }

    /// The nodes that the roots need, children before parents.
    pub fn reachable(&self, roots: &[Id]) -> Vec<Id> {
        let mut needed = vec![false; self.nodes.len()];
        for root in roots {
            needed[root.index()] = true;
        }
        for index in (0..self.nodes.len()).rev() {
            if needed[index] {
                for arg in &self.nodes[index].args {
                    needed[arg.index()] = true;
                }
            }
        }
        (0..self.nodes.len()).filter(|&index| needed[index]).map(|index| Id(index as u32)).collect()
    }

    /// Copies expressions with some nodes replaced: `with` maps nodes to what stands in their place.
    /// Shapes must agree. Nodes that do not change are not copied.
    pub fn substitute(&mut self, roots: &[Id], with: &[(Id, Id)]) -> Vec<Id> {
        let order = self.reachable(roots);
        let mut map: Vec<Option<Id>> = vec![None; self.nodes.len()];
        for &(from, to) in with {
            assert_eq!(self.shape(from), self.shape(to), "internal: substitution changes a shape");
            map[from.index()] = Some(to);
        }
        for id in order {
            if map[id.index()].is_some() {
                continue;
            }
            let node = self.nodes[id.index()].clone();
            let args: Vec<Id> = node.args.iter().map(|arg| map[arg.index()].unwrap_or(*arg)).collect();
            let new = if args[..] == node.args[..] {
                id
            } else {
                let new = self.add(node.op, &args);
                if let Some(span) = self.spans[id.index()] {
                    self.set_span(new, span);
                }
                new
            };
            map[id.index()] = Some(new);
        }
        roots.iter().map(|root| map[root.index()].unwrap_or(*root)).collect()
    }
}
