//! The wording of diagnostics that several places need: shapes that do not fit, columns that are no numbers.
//!
//! It decides nothing; it only says what was found and expected.

use super::lower::{Content, DataInfo, Model};
use crate::diag::Diagnostic;
use crate::expr::diff::NotDifferentiable;
use crate::expr::graph::Id;
use crate::shape::{DataId, Dim, Shape};
use crate::source::Span;

/// Two values that do not broadcast.
pub(crate) fn shapes_differ(model: &Model, op: &str, a: (Id, Span), b: (Id, Span), op_span: Span) -> Diagnostic {
    let (sa, sb) = (model.graph.shape(a.0).clone(), model.graph.shape(b.0).clone());
    let (ta, tb) = (model.show(a.0), model.show(b.0));
    let two_datasets = sa.0.first() != sb.0.first() && matches!((sa.0.first(), sb.0.first()), (Some(Dim::Rows(_)), Some(Dim::Rows(_))));
    if two_datasets {
        let rows = |shape: &Shape| match shape.0.first() {
            Some(&Dim::Rows(DataId(d))) => format!("rows of `{}`", model.data[d as usize].name.name),
            _ => String::new(),
        };
        return Diagnostic::error("E0302", op_span, format!("`{op}`: rows of two datasets"))
            .here("rows of different data do not pair up")
            .label(a.1, format!("{ta}: {}", rows(&sa)))
            .label(b.1, format!("{tb}: {}", rows(&sb)));
    }
    let mut diagnostic = Diagnostic::error("E0301", op_span, format!("`{op}`: {ta} and {tb} do not go together"))
        .here("needs equal shapes, or a number")
        .label(a.1, ta)
        .label(b.1, tb);
    // A vector against a matrix: the vector goes with the last axis; with the first it needs `[:, None]`.
    let (vector, matrix, text) = if sa.rank() == 1 { (&sa, &sb, a.1) } else { (&sb, &sa, b.1) };
    if vector.rank() == 1 && matrix.rank() == 2 {
        if matrix.0[0] == vector.0[0] {
            diagnostic = diagnostic.replace(text.end(), "[:, None]", "a vector goes with the last axis of a matrix; make it a column");
        }
        if matrix.0[1] == Dim::Size(1) && matrix.0[0] == vector.0[0] {
            let other = if sa.rank() == 1 { b.1 } else { a.1 };
            diagnostic = diagnostic.replace(other.end(), "[:, 0]", "or make the column a vector");
        }
        if op == "*" && matrix.0[1] == vector.0[0] && sa.rank() == 2 {
            diagnostic = diagnostic.help("`*` is elementwise; the matrix product is `@`");
        }
    }
    if op == "*" && sa.rank() == 2 && sb.0.first() == sa.0.get(1) {
        diagnostic = diagnostic.replace(op_span, "@", "`*` is elementwise; the matrix product is `@`");
    }
    if sa.rank() == 2 && sb.rank() == 2 && sa.0[0] == sb.0[1] && sa.0[1] == sb.0[0] {
        diagnostic = diagnostic.replace(b.1.end(), ".T", "transpose one of them");
    }
    diagnostic
}

/// A product whose inner sizes differ.
pub(crate) fn product_differs(model: &Model, a: (Id, Span), b: (Id, Span), op_span: Span) -> Diagnostic {
    let (sa, sb) = (model.graph.shape(a.0).clone(), model.graph.shape(b.0).clone());
    let (ta, tb) = (model.show(a.0), model.show(b.0));
    if sa.is_scalar() || sb.is_scalar() {
        return Diagnostic::error("E0304", op_span, "`@` is the matrix product; a number multiplies with `*`")
            .here("one of them is a number")
            .label(a.1, ta)
            .label(b.1, tb)
            .replace(op_span, "*", "write");
    }
    if sa.rank() > 2 || sb.rank() > 2 {
        return Diagnostic::error("E0305", op_span, "`@` multiplies vectors and matrices")
            .here("more than two axes")
            .label(a.1, ta)
            .label(b.1, tb);
    }
    let inner = |dim: Option<&Dim>| dim.map_or(0, |&d| model.rows.of(d));
    let message = format!("`@`: the inner sizes differ, {} and {}", inner(sa.0.last()), inner(sb.0.first()));
    let mut diagnostic =
        Diagnostic::error("E0303", op_span, message).here("columns of the left meet rows of the right").label(a.1, ta).label(b.1, tb);
    if let (Some(left), Some(right)) = (written(model, a), written(model, b))
        && sb.rank() == 2
        && sb.0.last() == sa.0.first()
    {
        diagnostic = diagnostic.edits(vec![(a.1, right), (b.1, left)], "the other way round");
    }
    if sa.rank() == 2 && sa.0[0] == sb.0[0] {
        diagnostic = diagnostic.replace(a.1.end(), ".T", "transpose the left");
    } else if sb.rank() == 2 && sa.0.last() == sb.0.last() {
        diagnostic = diagnostic.replace(b.1.end(), ".T", "transpose the right");
    }
    diagnostic
}

/// The name by which a value is written at a place, if it is written as a name alone.
pub(crate) fn written(model: &Model, (id, span): (Id, Span)) -> Option<String> {
    let info = model.graph.input_info(model.graph.as_input(id)?);
    (info.name.len() == (span.hi - span.lo) as usize).then(|| info.name.clone())
}

/// A column used as numbers that is none.
pub(crate) fn column_not_numeric(data: &DataInfo, column: usize, span: Span) -> Diagnostic {
    let info = &data.columns[column];
    match &info.content {
        Content::Missing { missing, .. } => {
            let rows: Vec<String> = missing.iter().take(5).map(|row| (row + 1).to_string()).collect();
            let more = if missing.len() > 5 { ", .." } else { "" };
            let (entries, row) = if missing.len() == 1 { ("entry", "row") } else { ("entries", "rows") };
            let message = format!("`{}` has {} missing {entries}", info.name, missing.len());
            Diagnostic::error("E0505", span, message)
                .here(format!("missing in {row} {}{more}", rows.join(", ")))
                .label(data.name.span, "read here")
                .help(format!("in the dataset: `{0} = fill({0}, median({0}))`, or `drop missing`", info.name))
        }
        Content::Texts { values, mostly, missing, .. } => {
            if let Some((row, text, count)) = mostly {
                let message = if *count == 1 {
                    format!("column `{}` has a cell that is no number, in row {}", info.name, row + 1)
                } else {
                    format!("column `{}` has {count} cells that are no numbers, the first in row {}", info.name, row + 1)
                };
                return Diagnostic::error("E0508", span, message)
                    .here(format!("row {} has `{text}`", row + 1))
                    .label(data.name.span, "read here")
                    .help(format!("if `{text}` means that the value is missing, say `missing = \"{text}\"` in the csv line"));
            }
            let example = values.iter().enumerate().find(|(row, _)| !missing.contains(&(*row as u32))).map_or("", |(_, v)| v.as_str());
            Diagnostic::error("E0509", span, format!("column `{}` is text", info.name))
                .here(format!("such as `{example}`"))
                .label(data.name.span, "read here")
                .help(format!(
                    "`code({0})` numbers its labels, `onehot({0})` makes a column of each, `{0} == \"{example}\"` compares",
                    info.name
                ))
        }
        Content::Numbers { .. } | Content::Broken => {
            Diagnostic::error("E0509", span, format!("column `{}` cannot be used here", info.name))
        }
    }
}

/// An array beyond the limit.
pub(crate) fn too_large(span: Span, sizes: &[usize]) -> Diagnostic {
    let text: Vec<String> = sizes.iter().map(usize::to_string).collect();
    let bytes: f64 = sizes.iter().map(|&n| n as f64).product::<f64>() * 8.0;
    Diagnostic::error("E0343", span, format!("an array of {} would take {}", text.join(" x "), human_bytes(bytes)))
        .here(format!("the limit is {}", human_bytes((super::builtins::LARGEST * 8) as f64)))
}

/// A number of bytes in words.
pub(crate) fn human_bytes(bytes: f64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{value} bytes") } else { format!("{value:.1} {}", units[unit]) }
}

/// Something that has no derivative.
pub(crate) fn not_differentiable(model: &Model, why: &NotDifferentiable, span: Span) -> Diagnostic {
    let at = model.graph.span(why.node).unwrap_or(span);
    Diagnostic::error("E0350", at, format!("`{}` cannot be differentiated", why.op))
        .here("has no derivative")
        .label(span, "differentiated here")
}
