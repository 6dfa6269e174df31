//! Built-in functions that make, join, index and choose: `hstack`, `reshape`, `pick`, `where`.
//!
//! Indexing with brackets is in `check::index`.

use super::{Call, axis, limited, matrix, one, two};
use crate::check::data;
use crate::check::lower::{Lower, R, Val};
use crate::check::messages;
use crate::diag::Diagnostic;
use crate::expr::graph::Id;
use crate::expr::op::{Binary, Op, Unary};
use crate::shape::{Dim, Shape};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, UnaryOp};

pub(super) fn clip(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (x, low) = two(lower, call)?;
    let high = lower.node(call.args[2])?;
    let raised = lower.binary(Binary::Maximum, (x, call.args[0].span), (low, call.args[1].span), call.span, "clip")?;
    lower.binary(Binary::Minimum, (raised, call.args[0].span), (high, call.args[2].span), call.span, "clip").map(Val::Node)
}

pub(super) fn code(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    if let ExprKind::Text(label) = &call.args[0].kind {
        return data::code_of(lower, label, call.args[0].span);
    }
    data::codes(lower, call.args[0]).map(|(id, _)| Val::Node(id))
}

pub(super) fn rows(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let a = one(lower, call)?;
    match lower.model.graph.shape(a).0.first().copied() {
        Some(dim) => Ok(Val::Node(lower.model.graph.extent(dim))),
        None => lower.fail(Diagnostic::error("E0326", call.args[0].span, "a number has no rows").here("a scalar")),
    }
}

pub(super) fn cols(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (_, shape) = matrix(lower, call)?;
    Ok(Val::Node(lower.model.graph.extent(shape.0[1])))
}

pub(super) fn concat(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let nodes = call.args.iter().map(|e| lower.node(e)).collect::<Vec<_>>().into_iter().collect::<R<Vec<Id>>>()?;
    let at = axis(lower, call, nodes[0])?.unwrap_or(0);
    let parts: Vec<Id> = nodes
        .iter()
        .map(|&id| if lower.model.graph.shape(id).is_scalar() { lower.model.graph.add(Op::Expand(0), &[id]) } else { id })
        .collect();
    joined(lower, call, at, &parts)
}

fn joined(lower: &mut Lower<'_>, call: &Call<'_>, axis: usize, parts: &[Id]) -> R<Val> {
    if let Ok(id) = lower.model.graph.try_add(Op::Concat(axis), parts) {
        Ok(Val::Node(id))
    } else {
        let mut diagnostic = Diagnostic::error("E0327", call.span, format!("`{}`: these do not fit together", call.name.name));
        for (e, &id) in call.args.iter().zip(parts) {
            diagnostic = diagnostic.label(e.span, lower.show(id));
        }
        lower.fail(diagnostic)
    }
}

pub(super) fn hstack(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let nodes = call.args.iter().map(|e| lower.node(e)).collect::<Vec<_>>().into_iter().collect::<R<Vec<Id>>>()?;
    let height = nodes.iter().find_map(|&id| lower.model.graph.shape(id).0.first().copied());
    let Some(height) = height else {
        return lower.fail(Diagnostic::error("E0328", call.span, "`hstack` of numbers only: how many rows?").here("no column among them"));
    };
    let graph = &mut lower.model.graph;
    let parts: Vec<Id> = nodes
        .iter()
        .map(|&id| match graph.shape(id).rank() {
            0 => graph.broadcast_to(id, &Shape(vec![height, Dim::Size(1)])),
            1 => graph.add(Op::Expand(1), &[id]),
            _ => id,
        })
        .collect();
    joined(lower, call, 1, &parts)
}

pub(super) fn vstack(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let nodes = call.args.iter().map(|e| lower.node(e)).collect::<Vec<_>>().into_iter().collect::<R<Vec<Id>>>()?;
    let graph = &mut lower.model.graph;
    let parts: Vec<Id> = nodes.iter().map(|&id| if graph.shape(id).rank() == 1 { graph.add(Op::Expand(0), &[id]) } else { id }).collect();
    joined(lower, call, 0, &parts)
}

pub(super) fn differences(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let a = one(lower, call)?;
    let at = axis(lower, call, a)?.unwrap_or(0);
    let dim = lower.model.graph.shape(a).0.get(at).copied();
    match dim {
        Some(Dim::Size(n)) if n >= 1 => {
            let graph = &mut lower.model.graph;
            let late = graph.add(Op::Slice { axis: at, start: 1, step: 1, len: n - 1 }, &[a]);
            let early = graph.add(Op::Slice { axis: at, start: 0, step: 1, len: n - 1 }, &[a]);
            Ok(Val::Node(graph.binary(Binary::Sub, late, early)))
        }
        _ => {
            let shape = lower.show(a);
            lower.fail(Diagnostic::error("E0329", call.args[0].span, "`diff` needs an axis of fixed length").here(shape))
        }
    }
}

pub(super) fn filled(lower: &mut Lower<'_>, call: &Call<'_>, value: f64) -> R<Val> {
    let mut dims = Vec::new();
    for arg in &call.args {
        match &arg.kind {
            ExprKind::List(items) => {
                for item in items {
                    dims.push(extent(lower, item)?);
                }
            }
            _ => dims.push(extent(lower, arg)?),
        }
    }
    let shape = Shape(dims);
    let sizes = lower.model.rows.sizes(&shape);
    limited(lower, call, &sizes)?;
    let number = lower.model.graph.number(value);
    Ok(Val::Node(lower.model.graph.broadcast_to(number, &shape)))
}

/// The length of an axis: the rows of a dataset, or a number.
fn extent(lower: &mut Lower<'_>, e: &Expr) -> R<Dim> {
    let id = lower.scalar(e, "a size")?;
    match lower.model.graph.node(id).op {
        Op::RowCount(data) => Ok(Dim::Rows(data)),
        _ => lower.whole(e, "a size", 0.0).map(Dim::Size),
    }
}

pub(super) fn onehot(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let value = lower.value(call.args[0])?;
    let (y, labels) = if let Val::Column(..) = value {
        let (id, labels) = data::codes(lower, call.args[0])?;
        (id, Some(labels))
    } else {
        (lower.as_node(value, call.args[0])?, None)
    };
    let k = match (call.args.get(1), labels) {
        (Some(e), _) => lower.whole(e, "the number of classes", 1.0)?,
        (None, Some(labels)) => labels,
        (None, None) => {
            let largest = lower.model.constant(y).map_or(1.0, |labels| labels.iter().copied().fold(1.0, f64::max));
            let diagnostic = Diagnostic::error("E0335", call.span, "`onehot` needs the number of classes").here("how many?");
            return lower.fail(diagnostic.replace(
                call.args[0].span.end(),
                format!(", {}", largest + 1.0),
                format!("the largest label is {largest}; say"),
            ));
        }
    };
    indices(lower, y, call.args[0].span, k, "class")?;
    if let Ok(id) = lower.model.graph.try_add(Op::OneHot(k), &[y]) {
        Ok(Val::Node(id))
    } else {
        let shape = lower.show(y);
        lower.fail(Diagnostic::error("E0336", call.args[0].span, "`onehot` needs one class number per row").here(shape))
    }
}

/// Indices by data are whole numbers in 0..n, or an error that names the row.
pub(crate) fn indices(lower: &mut Lower<'_>, index: Id, span: Span, n: usize, what: &str) -> R<()> {
    let Some(parts) = lower.model.in_each_part(index) else {
        let diagnostic = Diagnostic::error("E0337", span, format!("a {what} number must come from the data"))
            .here("depends on a parameter or on the run");
        return lower.fail(diagnostic);
    };
    for (values, rows) in &parts {
        let wrong = |x: f64| x.fract() != 0.0 || x < 0.0 || x >= n as f64;
        if let Some((place, &x)) = values.iter().enumerate().find(|(_, x)| wrong(**x)) {
            let row = rows.as_ref().map_or(place, |rows| rows[place] as usize);
            let found = crate::numeric::format::shortest(x);
            let message = format!("row {} asks for {what} {found}, and there are 0 to {}", row + 1, n.saturating_sub(1));
            return lower.fail(Diagnostic::error("E0338", span, message).here(format!("row {} has {found}", row + 1)));
        }
    }
    Ok(())
}

pub(super) fn pick(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (a, y) = two(lower, call)?;
    let Some(Dim::Size(k)) = lower.model.graph.shape(a).0.get(1).copied() else {
        let shape = lower.show(a);
        return lower.fail(messages::needs_matrix("pick", call.args[0].span, &shape));
    };
    if let Ok(id) = lower.model.graph.try_add(Op::Pick, &[a, y]) {
        indices(lower, y, call.args[1].span, k, "column")?;
        Ok(Val::Node(id))
    } else {
        let diagnostic = messages::shapes_differ(lower.model, "pick", (a, call.args[0].span), (y, call.args[1].span), call.span);
        lower.fail(diagnostic)
    }
}

pub(super) fn reshape(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let a = one(lower, call)?;
    let sizes: Vec<&Expr> = if let ExprKind::List(items) = &call.args[1].kind { items.iter().collect() } else { vec![call.args[1]] };
    let sizes =
        sizes.into_iter().map(|e| if is_rest(e) { Ok(usize::MAX) } else { lower.whole(e, "a size", 1.0) }).collect::<R<Vec<usize>>>()?;
    let have = lower.model.rows.count(lower.model.graph.shape(a)).unwrap_or(usize::MAX);
    let known: usize = sizes.iter().filter(|&&n| n != usize::MAX).product();
    let sizes: Vec<usize> = sizes.into_iter().map(|n| if n == usize::MAX { have / known.max(1) } else { n }).collect();
    if let Ok(id) = lower.model.graph.try_add(Op::Reshape(Shape::fixed(&sizes)), &[a]) {
        Ok(Val::Node(id))
    } else {
        let shape = lower.show(a);
        let want: usize = sizes.iter().product();
        let message = if lower.model.graph.shape(a).has_rows() {
            "the row axis cannot be reshaped: a batch has another number of rows".to_string()
        } else {
            format!("{have} entries do not fill {want} places")
        };
        lower.fail(Diagnostic::error("E0340", call.args[1].span, message).here(format!("{want} places")).label(call.args[0].span, shape))
    }
}

/// `-1`: what is left.
fn is_rest(e: &Expr) -> bool {
    matches!(&e.kind, ExprKind::Unary { op: UnaryOp::Neg, arg, .. } if matches!(arg.kind, ExprKind::Number(x) if x == 1.0))
}

pub(super) fn select(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (c, a) = two(lower, call)?;
    let b = lower.node(call.args[2])?;
    if let Ok(id) = lower.model.graph.try_add(Op::Select, &[c, a, b]) {
        Ok(Val::Node(id))
    } else {
        let first = lower.model.graph.shape(c).broadcast(lower.model.graph.shape(a));
        let (x, y) = if first.is_none() {
            ((c, call.args[0].span), (a, call.args[1].span))
        } else {
            ((a, call.args[1].span), (b, call.args[2].span))
        };
        let diagnostic = messages::shapes_differ(lower.model, "where", x, y, call.span);
        lower.fail(diagnostic)
    }
}

pub(super) fn soft_threshold(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (x, t) = two(lower, call)?;
    let size = lower.model.graph.unary(Unary::Abs, x);
    let rest = lower.binary(Binary::Sub, (size, call.args[0].span), (t, call.args[1].span), call.span, "soft_threshold")?;
    let rest = lower.model.graph.unary(Unary::Relu, rest);
    let sign = lower.model.graph.unary(Unary::Sign, x);
    Ok(Val::Node(lower.model.graph.binary(Binary::Mul, sign, rest)))
}
