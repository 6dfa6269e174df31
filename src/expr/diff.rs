//! Derivatives, graph to graph: the adjoints of reverse mode are ordinary nodes, so they can be differentiated again, rewritten and printed.
//!
//! It does not simplify; the forms that are numerically stable come from the rules, everything else is the rewriter's work.
//!
//! Two things are kept apart. An operation that is constant between jumps (`floor`, a comparison, an index) has the derivative zero and *cuts*
//! dependence, see [`cuts`]. An operation whose derivative has no rule (`median`) is an error, but only on a path that matters.

mod build;
mod rules;

use std::fmt;

use self::build::{Build, Mask};
use super::graph::{Graph, Id};
use super::op::{Binary, Op, Reduce, Unary};
use crate::shape::{Dim, Shape};

/// A path from the variable to the function passes an operation that has no derivative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotDifferentiable {
    /// The operation.
    pub node: Id,
    /// Its name as the language writes it.
    pub op: &'static str,
}

impl fmt::Display for NotDifferentiable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` has no derivative", self.op)
    }
}

impl std::error::Error for NotDifferentiable {}

/// Whether a small change of an argument changes the result by a derivative; if not, the operation is constant between jumps.
fn feels(op: &Op, position: usize) -> bool {
    match op {
        Op::Unary(Unary::Ceil | Unary::Floor | Unary::Not | Unary::Round | Unary::Sign)
        | Op::Binary(Binary::And | Binary::Eq | Binary::Le | Binary::Lt | Binary::Ne | Binary::Or)
        | Op::Reduce(Reduce::ArgMax | Reduce::ArgMin, _)
        | Op::ArgSort(_)
        | Op::OneHot(_) => false,
        Op::Select => position != 0,
        Op::Gather(_) | Op::ScatterAdd { .. } | Op::Pick | Op::Unpick(_) => position == 0,
        Op::Const(_)
        | Op::Literal(_)
        | Op::Input(_)
        | Op::RowCount(_)
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::Reduce(..)
        | Op::Softmax(_)
        | Op::LogSoftmax(_)
        | Op::Cumsum { .. }
        | Op::Sort(_)
        | Op::MatMul
        | Op::Transpose
        | Op::Expand(_)
        | Op::Squeeze(_)
        | Op::Broadcast(_)
        | Op::Reshape(_)
        | Op::Slice { .. }
        | Op::Unslice { .. }
        | Op::Concat(_)
        | Op::Solve
        | Op::SpectralNorm
        | Op::PsdPart => true,
    }
}

/// Which nodes up to `of` depend on one of `wrt`, along the arguments that `through` lets pass.
fn dependents(graph: &Graph, of: Id, wrt: &[Id], through: impl Fn(&Op, usize) -> bool) -> Vec<bool> {
    let mut depends = vec![false; of.index() + 1];
    for id in wrt.iter().filter(|id| **id <= of) {
        depends[id.index()] = true;
    }
    for (index, node) in graph.nodes()[..=of.index()].iter().enumerate() {
        depends[index] |= node.args.iter().enumerate().any(|(position, arg)| depends[arg.index()] && through(&node.op, position));
    }
    depends
}

/// Whether `of` is computed from `on` at all.
pub fn depends(graph: &Graph, of: Id, on: Id) -> bool {
    dependents(graph, of, &[on], |_, _| true)[of.index()]
}

/// Whether `of` is computed from `on` along a path on which small changes are felt.
pub fn depends_differentiably(graph: &Graph, of: Id, on: Id) -> bool {
    dependents(graph, of, &[on], feels)[of.index()]
}

/// The nodes that small changes of `wrt` reach, that `of` needs, and that do not pass them on: `argmax`, `floor`, a comparison, an index.
/// Children precede parents.
pub fn cuts(graph: &Graph, of: Id, wrt: &[Id]) -> Vec<Id> {
    let felt = dependents(graph, of, wrt, feels);
    let cut = |id: &Id| {
        let node = graph.node(*id);
        node.args.iter().enumerate().any(|(position, arg)| felt[arg.index()] && !feels(&node.op, position))
    };
    graph.reachable(&[of]).into_iter().filter(cut).collect()
}

/// The derivatives of the number `of` with respect to nodes of any kind, each in the shape of its node.
///
/// A node stands for itself: the derivative is with respect to everything that is computed *from that node*, and what the node was computed from
/// plays no part. It is zero where `of` does not depend on the node, or only across jumps.
///
/// # Errors
/// When `of` depends on one of the nodes through an operation without a derivative.
pub fn gradient(graph: &mut Graph, of: Id, wrt: &[Id]) -> Result<Vec<Id>, NotDifferentiable> {
    assert!(graph.shape(of).is_scalar(), "internal: the derivative of something that is no number");
    let active = dependents(graph, of, wrt, feels);
    let mut adjoints: Vec<Option<(Id, Mask)>> = vec![None; of.index() + 1];
    adjoints[of.index()] = Some((graph.number(1.0), Mask::Open));
    // What lies before the first variable cannot matter.
    let first = wrt.iter().map(|id| id.index()).min().unwrap_or(0);
    for index in (first..=of.index()).rev().filter(|&index| active[index]) {
        let Some((adjoint, mask)) = adjoints[index] else { continue };
        let id = Id(index as u32);
        let node = graph.node(id).clone();
        let before = graph.len();
        let mut build = Build::new(graph, &node, adjoint, mask);
        for (position, &arg) in node.args.iter().enumerate() {
            if active[arg.index()] && feels(&node.op, position) {
                let (share, mask) = build.share(id, &node, position)?;
                adjoints[arg.index()] = Some(match adjoints[arg.index()] {
                    None => (share, mask),
                    Some((sum, other)) => (build.add(sum, share), build.join(other, mask)),
                });
            }
        }
        if let Some(span) = graph.span(id) {
            (before..graph.len()).for_each(|new| graph.set_span(Id(new as u32), span));
        }
    }
    let zero = graph.number(0.0);
    Ok(wrt
        .iter()
        .map(|&id| {
            let shape = graph.shape(id).clone();
            let adjoint = adjoints.get(id.index()).copied().flatten();
            adjoint.map_or_else(|| graph.broadcast_to(zero, &shape), |(value, _)| value)
        })
        .collect())
}

/// The second derivatives of the number `of`: a number for a number, else a square matrix over the elements of `wrt`, row by row.
///
/// # Errors
/// When there is no derivative, or `wrt` has as many elements as a dataset has rows, so that the matrix has no fixed size.
pub fn hessian(graph: &mut Graph, of: Id, wrt: Id) -> Result<Id, NotDifferentiable> {
    let slope = gradient(graph, of, &[wrt])?[0];
    let shape = graph.shape(wrt).clone();
    if shape.is_scalar() {
        return Ok(gradient(graph, slope, &[wrt])?[0]);
    }
    let sizes: Option<Vec<usize>> = shape.0.iter().map(|dim| if let Dim::Size(n) = dim { Some(*n) } else { None }).collect();
    let n = sizes.ok_or(NotDifferentiable { node: wrt, op: "hessian" })?.iter().product::<usize>();
    let flat = Shape::fixed(&[n]);
    let flatten = |graph: &mut Graph, id: Id| if shape == flat { id } else { graph.add(Op::Reshape(flat.clone()), &[id]) };
    let slope = flatten(graph, slope);
    let mut rows = Vec::with_capacity(n);
    for i in 0..n {
        let element = graph.add(Op::Slice { axis: 0, start: i, step: 1, len: 1 }, &[slope]);
        let element = graph.add(Op::Squeeze(0), &[element]);
        let row = gradient(graph, element, &[wrt])?[0];
        let row = flatten(graph, row);
        rows.push(graph.add(Op::Expand(0), &[row]));
    }
    if rows.is_empty() {
        return Ok(graph.literal(&[0, 0], &[]));
    }
    Ok(graph.add(Op::Concat(0), &rows))
}
