//! The slow, obvious evaluator: it defines the value of every operation, to the last bit, and is what the fast executor is compared with.
//!
//! It is not for training loops: every node is one dense array, made anew.
//!
//! The order of every sum follows from the operation, its axis and, for a product, from whether the left operand is a `Transpose` node;
//! never from sizes, threads or the CPU. The definitions stand on the functions of the submodules.

mod arrange;
pub mod elementwise;
mod product;
mod reduce;

use std::fmt;

use ndarray::{ArrayD, IxDyn};

use super::graph::{Graph, Id, Node};
use super::op::{InputId, Op};
use crate::shape::{Dim, RowCounts};

/// A dense array of numbers, row by row. A number has no axes.
pub type Tensor = ArrayD<f64>;

/// Why a graph has no value. Numbers that are not finite are values.
#[derive(Debug, Clone, PartialEq)]
pub enum EvalError {
    /// Nobody gave this input.
    MissingInput(InputId),
    /// The input has other sizes than it was declared with.
    InputSizes {
        /// Which one.
        input: InputId,
        /// The sizes it should have.
        expected: Vec<usize>,
        /// The sizes it has.
        found: Vec<usize>,
    },
    /// An index that is not whole, negative or too large. The checker sees to it that data contain none.
    Index {
        /// The operation that takes it.
        node: Id,
        /// The index.
        value: f64,
    },
    /// A slice that reaches beyond its axis, as one of fixed length does in a minibatch that is shorter.
    Slice(Id),
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvalError::MissingInput(input) => write!(f, "input {} has no value", input.0),
            EvalError::InputSizes { input, expected, found } => write!(f, "input {} has sizes {found:?} instead of {expected:?}", input.0),
            EvalError::Index { node, value } => write!(f, "{value} is no index at node {}", node.0),
            EvalError::Slice(node) => write!(f, "the slice at node {} leaves its axis", node.0),
        }
    }
}

impl std::error::Error for EvalError {}

/// The values of nodes.
#[derive(Debug, Clone, Default)]
pub struct Values(Vec<Option<Tensor>>);

impl Values {
    /// The value of a node, if it was needed.
    pub fn get(&self, id: Id) -> Option<&Tensor> {
        self.0.get(id.index())?.as_ref()
    }

    fn has_not_finite(&self, id: Id) -> bool {
        self.get(id).is_some_and(|value| value.iter().any(|x| !x.is_finite()))
    }

    /// The first node that made a root not finite: it is not finite although what it uses is. `None` when the roots are finite.
    ///
    /// What `where` does not select is not used; a constant is blamed only when nothing else can be.
    pub fn first_not_finite(&self, graph: &Graph, roots: &[Id]) -> Option<Id> {
        let mut guilty = vec![false; self.0.len()];
        for root in roots {
            guilty[root.index()] = self.has_not_finite(*root);
        }
        let mut first: Option<Id> = None;
        for index in (0..guilty.len()).rev().filter(|&index| self.0[index].is_some()) {
            if !guilty[index] {
                continue;
            }
            let id = Id(index as u32);
            let node = graph.node(id);
            let mut inherited = false;
            for (position, &arg) in node.args.iter().enumerate() {
                if self.has_not_finite(arg) && self.uses_not_finite(node, position) {
                    guilty[arg.index()] = true;
                    inherited |= !matches!(graph.node(arg).op, Op::Const(_) | Op::Literal(_));
                }
            }
            let constant = matches!(node.op, Op::Const(_) | Op::Literal(_));
            if !inherited && (!constant || first.is_none()) {
                first = Some(id);
            }
        }
        first
    }

    fn uses_not_finite(&self, node: &Node, position: usize) -> bool {
        if node.op != Op::Select || position == 0 {
            return true;
        }
        let (Some(condition), Some(branch)) = (self.get(node.args[0]), self.get(node.args[position])) else { return true };
        let sizes = stretched(condition, branch);
        let (Some(condition), Some(branch)) = (condition.broadcast(sizes.clone()), branch.broadcast(sizes)) else { return true };
        condition.iter().zip(branch.iter()).any(|(&c, x)| !x.is_finite() && (c != 0.0) == (position == 1))
    }
}

/// The sizes two arrays stretch to together.
fn stretched(a: &Tensor, b: &Tensor) -> IxDyn {
    let rank = a.ndim().max(b.ndim());
    let size = |x: &Tensor, axis: usize| (axis + x.ndim()).checked_sub(rank).map_or(1, |at| x.shape()[at]);
    IxDyn(&(0..rank).map(|axis| if size(a, axis) == 1 { size(b, axis) } else { size(a, axis) }).collect::<Vec<_>>())
}

/// The values of the roots. What is no longer needed is freed on the way.
///
/// # Errors
/// When an input is missing or has other sizes than declared, or an index or a slice leaves its axis.
pub fn evaluate(
    graph: &Graph,
    roots: &[Id],
    inputs: &dyn Fn(InputId) -> Option<Tensor>,
    rows: &RowCounts,
) -> Result<Vec<Tensor>, EvalError> {
    let values = run(graph, roots, inputs, rows, true)?;
    Ok(roots.iter().map(|&root| values.get(root).expect("internal: a root was freed").clone()).collect())
}

/// The values of the roots and of everything they need.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_all(
    graph: &Graph,
    roots: &[Id],
    inputs: &dyn Fn(InputId) -> Option<Tensor>,
    rows: &RowCounts,
) -> Result<Values, EvalError> {
    run(graph, roots, inputs, rows, false)
}

fn run(graph: &Graph, roots: &[Id], inputs: &dyn Fn(InputId) -> Option<Tensor>, rows: &RowCounts, free: bool) -> Result<Values, EvalError> {
    let order = graph.reachable(roots);
    let mut uses = vec![0usize; graph.len()];
    for id in order.iter().flat_map(|&id| graph.node(id).args.iter()).chain(roots) {
        uses[id.index()] += 1;
    }
    let mut values = Values(vec![None; graph.len()]);
    for id in order {
        let node = graph.node(id);
        let args: Vec<&Tensor> = node.args.iter().map(|arg| values.get(*arg).expect("internal: a value was freed too early")).collect();
        let value = apply(graph, id, node, &args, inputs, rows)?;
        debug_assert_eq!(value.shape(), rows.sizes(&node.shape), "internal: value of another shape at {node:?}");
        values.0[id.index()] = Some(value);
        for arg in node.args.iter().filter(|_| free) {
            uses[arg.index()] -= 1;
            if uses[arg.index()] == 0 {
                values.0[arg.index()] = None;
            }
        }
    }
    Ok(values)
}

fn apply(
    graph: &Graph,
    id: Id,
    node: &Node,
    args: &[&Tensor],
    inputs: &dyn Fn(InputId) -> Option<Tensor>,
    rows: &RowCounts,
) -> Result<Tensor, EvalError> {
    let index = |value: f64| EvalError::Index { node: id, value };
    let outside = || EvalError::Slice(id);
    let sizes = IxDyn(&rows.sizes(&node.shape));
    Ok(match &node.op {
        Op::Const(bits) => number(bits.value()),
        Op::Literal(literal) => array(IxDyn(&literal.sizes), literal.values.iter().map(|bits| bits.value()).collect()),
        Op::Input(input) => {
            let value = inputs(*input).ok_or(EvalError::MissingInput(*input))?;
            let expected = rows.sizes(&graph.input_info(*input).shape);
            if value.shape() != expected {
                return Err(EvalError::InputSizes { input: *input, expected, found: value.shape().to_vec() });
            }
            value
        }
        Op::RowCount(data) => number(rows.of(Dim::Rows(*data)) as f64),
        Op::Unary(op) => args[0].mapv(|x| elementwise::unary(*op, x)),
        Op::Binary(op) => elementwise::zip(args[0], args[1], &sizes, |a, b| elementwise::binary(*op, a, b)),
        Op::Select => elementwise::select(args[0], args[1], args[2], &sizes),
        Op::Reduce(op, axis) => reduce::reduce(*op, *axis, args[0]),
        Op::Softmax(axis) => reduce::softmax(args[0], *axis),
        Op::LogSoftmax(axis) => reduce::log_softmax(args[0], *axis),
        Op::Cumsum { axis, reverse } => reduce::cumsum(args[0], *axis, *reverse),
        Op::Sort(axis) => reduce::sort(args[0], *axis),
        Op::ArgSort(axis) => reduce::argsort(args[0], *axis),
        Op::MatMul => {
            let transposed = graph.node(node.args[0]).op == Op::Transpose;
            product::matmul(args[0], args[1], transposed)
        }
        Op::Transpose => arrange::transpose(args[0]),
        Op::Expand(_) | Op::Squeeze(_) | Op::Reshape(_) => array(sizes, args[0].iter().copied().collect()),
        Op::Broadcast(_) => elementwise::stretch(args[0], &sizes),
        Op::Slice { axis, start, step, .. } => arrange::slice(args[0], *axis, *start, *step, &sizes).ok_or_else(outside)?,
        Op::Unslice { axis, start, step, .. } => arrange::unslice(args[0], *axis, *start, *step, &sizes).ok_or_else(outside)?,
        Op::Concat(axis) => arrange::concat(args, *axis),
        Op::Gather(axis) => arrange::gather(args[0], args[1], *axis).map_err(index)?,
        Op::ScatterAdd { axis, .. } => arrange::scatter_add(args[0], args[1], *axis, &sizes).map_err(index)?,
        Op::Pick => arrange::pick(args[0], args[1]).map_err(index)?,
        Op::Unpick(_) => arrange::unpick(args[0], args[1], &sizes).map_err(index)?,
        Op::OneHot(_) => arrange::unpick(&args[0].mapv(|_| 1.0), args[0], &sizes).map_err(index)?,
        Op::Solve => product::solve(args[0], args[1]),
        Op::SpectralNorm => number(product::spectral_norm(args[0])),
        Op::PsdPart => product::psd_part(args[0]),
    })
}

fn number(x: f64) -> Tensor {
    Tensor::from_elem(IxDyn(&[]), x)
}

fn array(sizes: IxDyn, values: Vec<f64>) -> Tensor {
    Tensor::from_shape_vec(sizes, values).expect("internal: as many values as the shape says")
}

#[cfg(test)]
mod tests;
