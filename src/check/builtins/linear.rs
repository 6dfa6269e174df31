//! Built-in functions of linear algebra and calculus: products, `solve`, triangles, `grad`, `hessian`.
//!
//! Derivatives are taken by `expr::diff`.

use super::{Call, limited, matrix, one, two};
use crate::check::lower::{Lower, R, Reported, Val};
use crate::check::messages;
use crate::diag::Diagnostic;
use crate::expr::diff;
use crate::expr::graph::Id;
use crate::expr::op::{Binary, Op};
use crate::shape::Dim;
use crate::source::Span;

pub(super) fn dot(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (a, b) = two(lower, call)?;
    lower.matmul((a, call.args[0].span), (b, call.args[1].span), call.span).map(Val::Node)
}

pub(super) fn eye(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let n = lower.whole(call.args[0], "the size", 1.0)?;
    limited(lower, call, &[n, n])?;
    let values: Vec<f64> = (0..n * n).map(|i| f64::from(u8::from(i / n == i % n))).collect();
    Ok(Val::Node(lower.model.graph.literal(&[n, n], &values)))
}

pub(super) fn grad(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (f, w) = two(lower, call)?;
    number_of(lower, f, call.args[0].span, "what `grad` differentiates")?;
    match diff::gradient(&mut lower.model.graph, f, &[w]) {
        Ok(mut list) => list.pop().map(Val::Node).ok_or(Reported),
        Err(why) => {
            let diagnostic = messages::not_differentiable(lower.model, &why, call.span);
            lower.fail(diagnostic)
        }
    }
}

pub(super) fn hessian(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (f, w) = two(lower, call)?;
    number_of(lower, f, call.args[0].span, "what `hessian` differentiates")?;
    if lower.model.graph.shape(w).rank() != 1 {
        let shape = lower.show(w);
        return lower.fail(Diagnostic::error("E0330", call.args[1].span, "`hessian` is taken with respect to a vector").here(shape));
    }
    match diff::hessian(&mut lower.model.graph, f, w) {
        Ok(id) => Ok(Val::Node(id)),
        Err(why) => {
            let diagnostic = messages::not_differentiable(lower.model, &why, call.span);
            lower.fail(diagnostic)
        }
    }
}

fn number_of(lower: &mut Lower<'_>, id: Id, span: Span, what: &str) -> R<()> {
    if lower.model.graph.shape(id).is_scalar() {
        return Ok(());
    }
    let shape = lower.show(id);
    lower.fail(messages::not_one_number(span, what, &shape))
}

pub(super) fn outer(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (a, b) = two(lower, call)?;
    for (id, e) in [(a, call.args[0]), (b, call.args[1])] {
        if lower.model.graph.shape(id).rank() != 1 {
            let shape = lower.show(id);
            return lower.fail(Diagnostic::error("E0339", e.span, "`outer` multiplies two vectors").here(shape));
        }
    }
    let column = lower.model.graph.add(Op::Expand(1), &[a]);
    let row = lower.model.graph.add(Op::Expand(0), &[b]);
    Ok(Val::Node(lower.model.graph.binary(Binary::Mul, column, row)))
}

pub(super) fn solve(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (a, b) = two(lower, call)?;
    if let Ok(id) = lower.model.graph.try_add(Op::Solve, &[a, b]) {
        Ok(Val::Node(id))
    } else {
        let (left, right) = (lower.show(a), lower.show(b));
        let diagnostic = Diagnostic::error("E0341", call.span, "`solve(A, b)` needs a square matrix and as many rows in `b`");
        lower.fail(diagnostic.label(call.args[0].span, left).label(call.args[1].span, right))
    }
}

pub(super) fn trace(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (a, shape) = matrix(lower, call)?;
    match shape.0[..] {
        [Dim::Size(n), Dim::Size(m)] if n == m => {
            let values: Vec<f64> = (0..n * n).map(|i| f64::from(u8::from(i / n == i % n))).collect();
            let mask = lower.model.graph.literal(&[n, n], &values);
            let zero = lower.model.graph.number(0.0);
            let diagonal = lower.model.graph.add(Op::Select, &[mask, a, zero]);
            Ok(Val::Node(lower.model.graph.sum_all(diagonal)))
        }
        _ => {
            let text = lower.show(a);
            lower.fail(Diagnostic::error("E0342", call.args[0].span, "`trace` needs a square matrix").here(text))
        }
    }
}

pub(super) fn transpose(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let a = one(lower, call)?;
    Ok(Val::Node(if lower.model.graph.shape(a).rank() < 2 { a } else { lower.model.graph.add(Op::Transpose, &[a]) }))
}

pub(super) fn triangle(lower: &mut Lower<'_>, call: &Call<'_>, low: bool) -> R<Val> {
    let (a, shape) = matrix(lower, call)?;
    if let [Dim::Size(n), Dim::Size(m)] = shape.0[..] {
        let values: Vec<f64> = (0..n * m).map(|i| f64::from(u8::from(if low { i % m <= i / m } else { i % m >= i / m }))).collect();
        let mask = lower.model.graph.literal(&[n, m], &values);
        let zero = lower.model.graph.number(0.0);
        Ok(Val::Node(lower.model.graph.add(Op::Select, &[mask, a, zero])))
    } else {
        let text = lower.show(a);
        lower.fail(messages::needs_matrix(&call.name.name, call.args[0].span, &text))
    }
}
