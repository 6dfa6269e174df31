//! Datasets whose rows are pieces of a text: what a `text` line says, its columns, and the number of a character or word.
//!
//! How the file is read and numbered is in `crate::data::text`.

use std::path::Path;
use std::sync::Arc;

use super::read::{file_failed, located, report, unknown_option};
use super::{ColumnInfo, Content};
use crate::check::builtins::LARGEST;
use crate::check::decls::DataDecl;
use crate::check::lower::{Lower, R, Val};
use crate::check::messages;
use crate::data::{Tokens, Unit, read_text};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Ident, Text};

/// The columns that a text gives: a matrix with a row per piece, and a number.
pub(super) const COLUMNS: [&str; 2] = ["token", "vocabulary"];

const OPTIONS: [&str; 3] = ["unit", "length", "stride"];

/// Reads the file. Its `length` and `stride` may differ between cells and are looked at later.
pub(super) fn read(
    decl: &DataDecl,
    (path, options): (&Text, &[(Ident, Expr)]),
    data_folder: Option<&Path>,
    diags: &mut Diagnostics,
) -> R<Tokens> {
    if let Some((name, _)) = options.iter().find(|(name, _)| !OPTIONS.contains(&name.name.as_str())) {
        let alias = match name.name.as_str() {
            "units" | "by" | "tokenizer" | "level" => Some("unit"),
            "step" | "hop" | "shift" => Some("stride"),
            "len" | "size" | "window" | "context" => Some("length"),
            _ => None,
        };
        return report(diags, unknown_option(name, "text", &OPTIONS, alias));
    }
    let unit = match option(options, "unit") {
        None => {
            return report(diags, unsaid(path.span, "is this a text of characters or of words?", "unit", path.span.end(), ", unit = char"));
        }
        Some(e) => match &e.kind {
            ExprKind::Name(name) if name == "char" => Unit::Char,
            ExprKind::Name(name) if name == "word" => Unit::Word,
            other => {
                let d = Diagnostic::error("E0539", e.span, "`unit` is `char` or `word`").here("neither");
                let written = match other {
                    ExprKind::Name(name) | ExprKind::Text(name) => name.to_lowercase(),
                    _ => String::new(),
                };
                let near = if written.starts_with('w') { "word" } else { "char" };
                return report(diags, d.replace(e.span, near, format!("write `unit = {near}`")));
            }
        },
    };
    let full = located(decl, path, data_folder, diags)?;
    read_text(&full, &path.value, unit).or_else(|error| report(diags, file_failed(path, &[], None, &error)))
}

/// An option that must be there.
fn unsaid(path: Span, question: &str, name: &str, at: Span, edit: &str) -> Diagnostic {
    Diagnostic::error("E0540", path, question).here(format!("`{name}` is not said")).replace(at, edit, "say it")
}

fn option<'o>(options: &'o [(Ident, Expr)], name: &str) -> Option<&'o Expr> {
    options.iter().find(|(n, _)| n.name == name).map(|(_, e)| e)
}

/// The columns, and the number of rows: pieces of `length` units that begin `stride` units apart, as many as are whole.
pub(super) fn columns(lower: &mut Lower<'_>, text: &Tokens, path: &Text, options: &[(Ident, Expr)]) -> R<(Vec<ColumnInfo>, usize)> {
    let Some(e) = option(options, "length") else {
        let at = options.last().map_or(path.span, |(_, e)| e.span).end();
        return lower.fail(unsaid(path.span, "how many units of this text make a row?", "length", at, ", length = 16"));
    };
    let length = lower.whole(e, "`length`", 1.0)?;
    let stride = option(options, "stride").map_or(Ok(length), |e| lower.whole(e, "`stride`", 1.0))?;
    let have = text.codes.len();
    if length > have {
        let d = Diagnostic::error("E0541", e.span, format!("a row is longer than the whole text: {length} of {have}"));
        return lower.fail(d.here(format!("{length} units")).label(path.span, format!("{have} units")));
    }
    let rows = (have - length) / stride + 1;
    if rows.checked_mul(length).is_none_or(|count| count > LARGEST) {
        return lower.fail(messages::too_large(e.span, &[rows, length]));
    }
    let token = ndarray::Array2::from_shape_fn((rows, length), |(row, place)| f64::from(text.codes[row * stride + place])).into_dyn();
    let vocabulary = ndarray::arr0(text.labels.len() as f64).into_dyn();
    let made = COLUMNS.into_iter().zip([(token, true), (vocabulary, false)]);
    let column = |(name, (values, by_row)): (&str, _)| ColumnInfo {
        name: name.to_owned(),
        span: path.span,
        content: Content::Numbers { values: Arc::new(values), by_row },
        input: None,
    };
    Ok((made.map(column).collect(), rows))
}

/// `code("dog")`: the number of a unit in the text of this dataset, or of the file's.
pub(crate) fn code_of(lower: &mut Lower<'_>, label: &str, span: Span) -> R<Val> {
    let of = |data: &super::DataInfo| Some((data.name.name.clone(), data.text.clone()?));
    let own = lower.within_data.and_then(|data| lower.model.data.get(data.0 as usize)).and_then(of);
    let texts: Vec<(String, Arc<Tokens>)> = own.map_or_else(|| lower.model.data.iter().filter_map(of).collect(), |own| vec![own]);
    let Some((name, text)) = texts.first() else {
        let d = Diagnostic::error("E0544", span, "there is no text whose units have numbers").here("no dataset with `text`");
        return lower.fail(d.help("`code(c)` numbers the labels of a text column `c`"));
    };
    let find = |text: &Tokens| text.labels.binary_search_by(|have| have.as_str().cmp(label)).ok();
    if let Some((other, _)) = texts.iter().find(|(_, other)| find(other) != find(text)) {
        let d = Diagnostic::error("E0543", span, format!("`{name}` and `{other}` give this different numbers")).here("which text?");
        return lower.fail(d.help(format!("a line `it = code(\"{label}\")` in one of them: then `{name}.it` is its number")));
    }
    if let Some(code) = find(text) {
        return Ok(Val::Node(lower.model.graph.number(code as f64)));
    }
    let d = Diagnostic::error("E0542", span, format!("`{label}` does not occur in the text of `{name}`"));
    let d = d.here(format!("not among its {} units", text.labels.len()));
    match did_you_mean(label, text.labels.iter().map(String::as_str)).map(str::to_owned) {
        Some(near) => lower.fail(d.replace(span, crate::syntax::text(&near), format!("did you mean `{near}`?"))),
        None => lower.fail(d),
    }
}
