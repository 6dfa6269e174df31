//! Built-in functions that reduce: means and variances, extremes, norms.
//!
//! How values are added in which order is decided where they run.

use super::{Call, axis, one, two};
use crate::check::lower::{Lower, R, Reported, Val};
use crate::check::messages;
use crate::diag::Diagnostic;
use crate::expr::graph::Id;
use crate::expr::op::{Binary, Op, Reduce, Unary};
use crate::source::Span;

pub(super) fn reduced(lower: &mut Lower<'_>, call: &Call<'_>, op: Reduce, a: Id) -> R<Id> {
    if let Some(axis) = axis(lower, call, a)? {
        return Ok(lower.model.graph.reduce(op, axis, a));
    }
    let rank = lower.model.graph.shape(a).rank();
    match (op, rank) {
        (Reduce::ArgMax | Reduce::ArgMin, 0) => Ok(lower.model.graph.number(0.0)),
        (_, 0) => Ok(a),
        (_, 1) => Ok(lower.model.graph.reduce(op, 0, a)),
        (Reduce::Sum | Reduce::Prod | Reduce::Max | Reduce::Min | Reduce::LogSumExp, _) => {
            Ok((0..rank).rev().fold(a, |value, axis| lower.model.graph.reduce(op, axis, value)))
        }
        _ => {
            let shape = lower.show(a);
            let diagnostic = messages::which_axis(&call.name.name, call.span, &shape);
            let end = call.args.last().map_or(call.span.end(), |e| e.span.end());
            lower.fail(diagnostic.replace(end, ", axis = 1", "of each row"))
        }
    }
}

pub(super) fn accuracy(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (a, b) = two(lower, call)?;
    let equal = lower.binary(Binary::Eq, (a, call.args[0].span), (b, call.args[1].span), call.span, "accuracy")?;
    Ok(Val::Node(mean_of(lower, equal, None)))
}

fn extreme(lower: &mut Lower<'_>, call: &Call<'_>, over: Reduce, pair: Binary) -> R<Val> {
    if call.args.len() == 1 {
        let a = one(lower, call)?;
        return reduced(lower, call, over, a).map(Val::Node);
    }
    let mut best: Option<(Id, Span)> = None;
    for e in &call.args {
        let id = lower.node(e)?;
        if !lower.model.graph.shape(id).is_scalar() {
            let shape = lower.show(id);
            let array = if over == Reduce::Max { "maximum" } else { "minimum" };
            let message = format!("`{}(a, b)` compares numbers; `{array}(A, B)` compares arrays entry by entry", call.name.name);
            let diagnostic = Diagnostic::error("E0333", e.span, message).here(shape).replace(call.name.span, array, "write");
            return lower.fail(diagnostic);
        }
        best = Some(match best {
            None => (id, e.span),
            Some((a, span)) => (lower.model.graph.binary(pair, a, id), span.to(e.span)),
        });
    }
    best.map(|(id, _)| Val::Node(id)).ok_or(Reported)
}

pub(super) fn maximum_of(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    extreme(lower, call, Reduce::Max, Binary::Maximum)
}

pub(super) fn minimum_of(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    extreme(lower, call, Reduce::Min, Binary::Minimum)
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Moment {
    Mean,
    Var,
    Std,
}

/// The mean along an axis, or of everything.
pub(crate) fn mean_of(lower: &mut Lower<'_>, a: Id, axis: Option<usize>) -> Id {
    let graph = &mut lower.model.graph;
    let shape = graph.shape(a).clone();
    match axis {
        Some(axis) => {
            let sum = graph.reduce(Reduce::Sum, axis, a);
            let n = graph.extent(shape.0[axis]);
            graph.binary(Binary::Div, sum, n)
        }
        None if shape.is_scalar() => a,
        None => {
            let sum = graph.sum_all(a);
            let extents: Vec<Id> = shape.0.iter().map(|&dim| graph.extent(dim)).collect();
            let n = extents[1..].iter().fold(extents[0], |n, &k| match (graph.as_const(n), graph.as_const(k)) {
                (Some(x), Some(y)) => graph.number(x * y),
                _ => graph.binary(Binary::Mul, n, k),
            });
            graph.binary(Binary::Div, sum, n)
        }
    }
}

/// A reduced value with its axis back, of one element, so that it goes with what it was reduced from.
fn kept(lower: &mut Lower<'_>, value: Id, axis: Option<usize>) -> Id {
    match axis {
        Some(axis) => lower.model.graph.add(Op::Expand(axis), &[value]),
        None => value,
    }
}

/// The variance along an axis, or of everything, with denominator n.
pub(crate) fn variance_of(lower: &mut Lower<'_>, a: Id, axis: Option<usize>) -> Id {
    let mean = mean_of(lower, a, axis);
    let axis_kept = axis.filter(|_| lower.model.graph.shape(a).rank() > 1);
    let mean = kept(lower, mean, axis_kept);
    let deviation = lower.model.graph.binary(Binary::Sub, a, mean);
    let square = lower.model.graph.unary(Unary::Square, deviation);
    mean_of(lower, square, axis)
}

pub(super) fn moments(lower: &mut Lower<'_>, call: &Call<'_>, moment: Moment) -> R<Val> {
    let a = one(lower, call)?;
    let axis = axis(lower, call, a)?;
    let id = match moment {
        Moment::Mean => mean_of(lower, a, axis),
        Moment::Var => variance_of(lower, a, axis),
        Moment::Std => {
            let variance = variance_of(lower, a, axis);
            lower.model.graph.unary(Unary::Sqrt, variance)
        }
    };
    Ok(Val::Node(id))
}

pub(super) fn norm(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let a = one(lower, call)?;
    let axis = axis(lower, call, a)?;
    let order = match call.option("ord") {
        Some(e) => Some((lower.constant(e, "the order of a norm")?, e.span)),
        None => None,
    };
    let rank = lower.model.graph.shape(a).rank();
    match order {
        Some((2.0, _)) if rank == 2 && axis.is_none() => Ok(Val::Node(lower.model.graph.add(Op::SpectralNorm, &[a]))),
        None | Some((2.0, _)) => {
            let square = lower.model.graph.unary(Unary::Square, a);
            let sum = match axis {
                Some(axis) => lower.model.graph.reduce(Reduce::Sum, axis, square),
                None => lower.model.graph.sum_all(square),
            };
            Ok(Val::Node(lower.model.graph.unary(Unary::NormRoot, sum)))
        }
        Some((1.0 | f64::INFINITY, _)) if rank == 1 || axis.is_some() => {
            let op = if order.is_some_and(|(p, _)| p == 1.0) { Reduce::Sum } else { Reduce::Max };
            let size = lower.model.graph.unary(Unary::Abs, a);
            Ok(Val::Node(lower.model.graph.reduce(op, axis.unwrap_or(0), size)))
        }
        Some((_, span)) => lower.fail(
            Diagnostic::error("E0334", span, "norms of this order are not there")
                .here("1, 2 or inf of a vector; 2 of a matrix (its largest singular value)"),
        ),
    }
}
