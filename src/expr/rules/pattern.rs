//! Looking at nodes: the words that rules are written in.
//!
//! It makes no nodes.

use crate::expr::graph::{Graph, Id};
use crate::expr::op::{Binary, Op, Reduce, Unary};
use crate::expr::print::{is_count, reduced_whole};

/// The argument of a unary operation.
pub(super) fn unary(g: &Graph, id: Id, op: Unary) -> Option<Id> {
    let node = g.node(id);
    (node.op == Op::Unary(op)).then(|| node.args[0])
}

/// The arguments of a binary operation.
pub(super) fn binary(g: &Graph, id: Id, op: Binary) -> Option<(Id, Id)> {
    let node = g.node(id);
    (node.op == Op::Binary(op)).then(|| (node.args[0], node.args[1]))
}

/// The arguments of a binary operation, both ways round: for what commutes.
pub(super) fn either(g: &Graph, id: Id, op: Binary) -> impl Iterator<Item = (Id, Id)> + use<> {
    binary(g, id, op).into_iter().flat_map(|(a, b)| [(a, b), (b, a)])
}

/// The operand and axis of a reduction.
pub(super) fn reduce(g: &Graph, id: Id, op: Reduce) -> Option<(Id, usize)> {
    match g.node(id).op {
        Op::Reduce(o, axis) if o == op => Some((g.node(id).args[0], axis)),
        _ => None,
    }
}

/// Whether a node is this number, perhaps repeated. 0 is of either sign.
pub(super) fn is(g: &Graph, id: Id, x: f64) -> bool {
    let inner = if let Op::Broadcast(_) = g.node(id).op { g.node(id).args[0] } else { id };
    g.as_const(inner) == Some(x)
}

/// The argument of `exp` under a repetition along an axis, or of the node itself.
pub(super) fn expanded(g: &Graph, id: Id) -> Option<(Id, usize)> {
    match g.node(id).op {
        Op::Expand(axis) => Some((g.node(id).args[0], axis)),
        _ => None,
    }
}

/// Whether `b` is `-a` by its form, in the forms that the exact rules leave.
pub(super) fn opposite(g: &Graph, a: Id, b: Id) -> bool {
    if unary(g, a, Unary::Neg) == Some(b) || unary(g, b, Unary::Neg) == Some(a) {
        return true;
    }
    if let (Some((p, q)), Some((r, s))) = (binary(g, a, Binary::Sub), binary(g, b, Binary::Sub)) {
        return p == s && q == r;
    }
    let numbers = |a: Id, b: Id| g.as_const(a).zip(g.as_const(b)).is_some_and(|(x, y)| x == -y);
    [Binary::Mul, Binary::Div].into_iter().any(|op| {
        binary(g, a, op).zip(binary(g, b, op)).is_some_and(|((p, q), (r, s))| (q == s && numbers(p, r)) || (p == r && numbers(q, s)))
    })
}

/// Whether a node is a sum over the number of its terms.
pub(super) fn is_mean(g: &Graph, id: Id) -> bool {
    let Some((sum, count)) = binary(g, id, Binary::Div) else { return false };
    let Some((inner, axis)) = reduce(g, sum, Reduce::Sum) else { return false };
    let whole = reduced_whole(g, sum, Reduce::Sum, |_| false);
    whole.is_some_and(|x| is_count(g, count, &g.shape(x).0)) || is_count(g, count, &[g.shape(inner).0[axis]])
}
