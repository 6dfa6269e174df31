//! The wording of diagnostics that several places need: shapes that do not fit, columns that are no numbers.
//!
//! It decides nothing; it only says what was found and expected.

use super::data::{Content, DataInfo};
use super::lower::Model;
use crate::diag::{Diagnostic, did_you_mean};
use crate::expr::diff::NotDifferentiable;
use crate::expr::graph::Id;
use crate::shape::{DataId, Dim, Shape};
use crate::source::Span;
use crate::syntax::ast::Ident;

/// Two values that do not broadcast.
pub(crate) fn shapes_differ(model: &Model, op: &str, a: (Id, Span), b: (Id, Span), op_span: Span) -> Diagnostic {
    let (sa, sb) = (model.graph.shape(a.0).clone(), model.graph.shape(b.0).clone());
    let (ta, tb) = (model.show(a.0), model.show(b.0));
    let two_datasets = sa.0.first() != sb.0.first() && matches!((sa.0.first(), sb.0.first()), (Some(Dim::Rows(_)), Some(Dim::Rows(_))));
    if two_datasets {
        let rows = |shape: &Shape| match shape.0.first() {
            Some(&Dim::Rows(DataId(d))) => format!("rows of `{}`", model.name_of(DataId(d))),
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

/// `grad` without saying of what.
pub(crate) fn bare_gradient(span: Span) -> Diagnostic {
    Diagnostic::error("E0208", span, "`grad` alone is known only in an optimizer")
        .here("which gradient?")
        .help("elsewhere write `grad(total, w)`: of what, and with respect to what")
}

/// A schedule in a formula of the model.
pub(crate) fn schedule_as_value(name: &str, span: Span, declared: Span) -> Diagnostic {
    Diagnostic::error("E0217", span, format!("`{name}` is a schedule: it has a value at each step of a run"))
        .here("not in a formula of the model")
        .label(declared, "declared here")
        .help("a schedule is the value of an optimizer's argument, such as `lr`")
}

/// The code of a product whose inner sizes differ.
pub(crate) const INNER_SIZES: &str = "E0303";

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
        Diagnostic::error(INNER_SIZES, op_span, message).here("columns of the left meet rows of the right").label(a.1, ta).label(b.1, tb);
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

/// A column used as numbers that is none; nothing when that has been said already.
pub(crate) fn column_not_numeric(data: &DataInfo, column: usize, span: Span) -> Option<Diagnostic> {
    let info = &data.columns[column];
    let diagnostic = match &info.content {
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
                let d = Diagnostic::error("E0508", span, message).here(format!("row {} has `{text}`", row + 1));
                let help = format!("if `{text}` means that the value is missing, say `missing = \"{text}\"` in the csv line");
                return Some(d.label(data.name.span, "read here").help(help));
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
        Content::Numbers { .. } | Content::Broken => return None,
    };
    Some(diagnostic)
}

/// Labels some of which are missing (the first in this row, from 0), where each is needed.
pub(crate) fn labels_missing(column: &str, span: Span, count: usize, row: u32) -> Diagnostic {
    let message = format!("`{column}` has missing entries ({count}), the first in row {}", row + 1);
    Diagnostic::error("E0506", span, message).here("missing entries").help("`drop missing` leaves those rows out")
}

/// A second declaration of a name.
pub(crate) fn declared_twice(span: Span, message: String, first: Span) -> Diagnostic {
    Diagnostic::error("E0202", span, message).here("second").label(first, "first")
}

/// An argument that a call has twice.
pub(crate) fn given_twice(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("E0220", span, format!("argument `{name}` is given twice")).here("second")
}

/// A named argument that a function does not have.
pub(crate) fn no_such_argument(function: &str, given: &Ident) -> Diagnostic {
    Diagnostic::error("E0222", given.span, format!("`{function}` has no argument called `{}`", given.name)).here("no such argument")
}

/// Too few or too many arguments.
pub(crate) fn wrong_count(span: Span, message: String) -> Diagnostic {
    Diagnostic::error("E0224", span, message).here("here")
}

/// Something drawn in a file without a seed.
pub(crate) fn needs_seed(span: Span, which: &str) -> Diagnostic {
    let start = Span { lo: 0, hi: 0, ..span };
    let d = Diagnostic::error("E0230", span, "a file that draws needs a seed").here(format!("{which} with which seed?"));
    d.replace(start, "rng 1\n", "nothing random is hidden: name one")
}

/// An array where one number is needed.
pub(crate) fn not_one_number(span: Span, what: &str, shape: &str) -> Diagnostic {
    Diagnostic::error("E0311", span, format!("{what} is one number; this is {shape}")).here(shape)
}

/// A value that only a run knows, where it is needed before.
pub(crate) fn not_known_before(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error("E0312", span, format!("{what} must be known before running")).here("depends on a parameter or on the run")
}

/// A fraction, or too small a number, where things are counted.
pub(crate) fn not_whole(span: Span, what: &str, least: Option<f64>, found: f64) -> Diagnostic {
    let least = least.map(|n| format!(" of at least {n}")).unwrap_or_default();
    let found = crate::numeric::format::shortest(found);
    Diagnostic::error("E0313", span, format!("{what} must be a whole number{least}")).here(format!("this is {found}"))
}

/// `1..10` where a list is needed.
pub(crate) fn interval_not_list(span: Span) -> Diagnostic {
    Diagnostic::error("E0321", span, "an interval has no end of values").here("an interval, not a list")
}

/// A reduction of an array that needs to know the axis.
pub(crate) fn which_axis(function: &str, span: Span, shape: &str) -> Diagnostic {
    Diagnostic::error("E0323", span, format!("`{function}` of {shape}: along which axis?")).here(shape)
}

/// Something else where a matrix is needed.
pub(crate) fn needs_matrix(function: &str, span: Span, shape: &str) -> Diagnostic {
    Diagnostic::error("E0325", span, format!("`{function}` needs a matrix of fixed width")).here(shape)
}

/// A name that tells no cells apart.
pub(crate) fn no_axis(name: &Ident, known: &[String]) -> Diagnostic {
    let d =
        Diagnostic::error("E0602", name.span, format!("no axis is called `{}`", name.name)).here(format!("there are {}", known.join(", ")));
    match did_you_mean(&name.name, known.iter().map(String::as_str)) {
        Some(near) => d.replace(name.span, near, format!("did you mean `{near}`?")),
        None => d,
    }
}

/// A line of a table in a plot, or the other way about.
pub(crate) fn belongs_in(span: Span, right: &str, here: &str) -> Diagnostic {
    Diagnostic::error("E0619", span, format!("this belongs in a {right}")).here(format!("not in a {here}"))
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

/// A word that is none of the choices of an argument.
pub(crate) fn no_choice(word: &str, choices: &[String], span: Span) -> Diagnostic {
    let d = Diagnostic::error("E0447", span, format!("no choice is called `{word}`")).here(format!("choices: {}", choices.join(", ")));
    match did_you_mean(word, choices.iter().map(String::as_str)) {
        Some(near) => d.replace(span, near, format!("did you mean `{near}`?")),
        None => d,
    }
}
