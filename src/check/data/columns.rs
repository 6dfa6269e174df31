//! The functions that know what a column is: `fill`, `observed`, `standardize`, `code`.
//!
//! Where the columns come from is in `read` and `compute`.

use std::sync::Arc;

use super::Content;
use crate::check::builtins::{self, Call};
use crate::check::lower::{Lower, R, Reported, Val};
use crate::check::messages;
use crate::diag::Diagnostic;
use crate::expr::graph::Id;
use crate::expr::op::{Binary, Op, Unary};
use crate::syntax::ast::{Expr, ExprKind};

/// `fill(c, v)`.
pub(crate) fn fill(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let value = lower.value(call.args[0])?;
    let observed = std::mem::replace(&mut lower.observed, true);
    let by = lower.scalar(call.args[1], "what fills the gaps");
    lower.observed = observed;
    let by = by?;
    let (data, column) = match value {
        Val::Column(data, column) => (data, column),
        // Nothing is missing: filling changes nothing.
        Val::Node(id) => return Ok(Val::Node(id)),
        other => return lower.as_node(other, call.args[0]).map(Val::Node),
    };
    let Content::Missing { values, missing } = lower.model.data[data.0 as usize].columns[column].content.clone() else {
        return lower.as_node(Val::Column(data, column), call.args[0]).map(Val::Node);
    };
    let Some(by) = lower.model.constant(by).and_then(|v| v.first().copied()) else {
        return lower.fail(messages::not_known_before(call.args[1].span, "what fills the gaps"));
    };
    let mut filled = values.to_vec();
    for &row in &missing {
        filled[row as usize] = by;
    }
    let name = lower.model.data[data.0 as usize].columns[column].name.clone();
    Ok(Val::Node(lower.model.by_row(name, data, Arc::new(ndarray::Array1::from(filled).into_dyn()))))
}

/// `observed(c)`.
pub(crate) fn observed(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let before = std::mem::replace(&mut lower.observed, true);
    let value = lower.node(call.args[0]);
    lower.observed = before;
    value.map(Val::Node)
}

/// `standardize(X)`.
pub(crate) fn standardize(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let x = lower.node(call.args[0])?;
    let rank = lower.model.graph.shape(x).rank();
    if rank == 0 || rank > 2 {
        let shape = lower.show(x);
        return lower
            .fail(Diagnostic::error("E0352", call.args[0].span, "`standardize` needs a column or a matrix of columns").here(shape));
    }
    let mean = builtins::mean_of(lower, x, Some(0));
    let variance = builtins::variance_of(lower, x, Some(0));
    let std = lower.model.graph.unary(Unary::Sqrt, variance);
    if let Some(values) = lower.model.constant(std)
        && let Some(flat) = values.iter().position(|&s| s == 0.0)
    {
        let which = column_name(lower, call.args[0], flat).unwrap_or_else(|| format!("column {flat}"));
        let diagnostic = Diagnostic::error("E0515", call.args[0].span, format!("{which} is constant: its standard deviation is 0"))
            .here("cannot be standardized");
        return lower.fail(diagnostic.help("leave that column out"));
    }
    let (mean, std) = if rank == 2 {
        let graph = &mut lower.model.graph;
        (graph.add(Op::Expand(0), &[mean]), graph.add(Op::Expand(0), &[std]))
    } else {
        (mean, std)
    };
    let centred = lower.model.graph.binary(Binary::Sub, x, mean);
    Ok(Val::Node(lower.model.graph.binary(Binary::Div, centred, std)))
}

/// The name of the column at a place of `a..z`.
fn column_name(lower: &Lower<'_>, e: &Expr, place: usize) -> Option<String> {
    match &e.kind {
        ExprKind::Paren(inner) => column_name(lower, inner, place),
        ExprKind::Name(name) => Some(format!("`{name}`")),
        ExprKind::Range(lo, _) => {
            let ExprKind::Name(first) = &lo.kind else { return None };
            let data = lower.within_data?;
            let columns = &lower.model.data[data.0 as usize].columns;
            let start = columns.iter().position(|c| c.name == *first)?;
            columns.get(start + place).map(|c| format!("`{}`", c.name))
        }
        _ => None,
    }
}

/// The labels of a text column as numbers, and how many there are.
pub(crate) fn codes(lower: &mut Lower<'_>, e: &Expr) -> R<(Id, usize)> {
    let value = lower.value(e)?;
    let Some(texts) = builtins::text_column(lower, &value) else {
        let found = match value {
            Val::Node(id) => lower.show(id),
            _ => "not a text column".to_string(),
        };
        return lower.fail(
            Diagnostic::error("E0516", e.span, "labels are numbered for text columns")
                .here(found)
                .help("a column of numbers is its own code"),
        );
    };
    let Val::Column(data, column) = value else { return Err(Reported) };
    let info = &lower.model.data[data.0 as usize].columns[column];
    if let Content::Texts { missing, .. } = &info.content
        && let Some(&row) = missing.first()
    {
        let diagnostic = messages::labels_missing(&info.name, e.span, missing.len(), row);
        return lower.fail(diagnostic);
    }
    let mut labels: Vec<&String> = texts.iter().collect();
    labels.sort();
    labels.dedup();
    let numbers: Vec<f64> = texts.iter().map(|t| labels.binary_search(&t).unwrap_or(0) as f64).collect();
    let count = labels.len();
    let name = format!("code({})", lower.model.data[data.0 as usize].columns[column].name);
    Ok((lower.model.by_row(name, data, Arc::new(ndarray::Array1::from(numbers).into_dyn())), count))
}
