//! Datasets: files and inline columns to arrays, and the functions that know what a column is.
//!
//! Reading files is `data`'s affair; here names, options and formulas of columns are checked.

use std::path::Path;
use std::sync::Arc;

use super::builtins::{self, Call};
use super::decls::{DataDecl, Decls, not_yet, path_refused};
use super::lower::{ColumnInfo, Content, DataInfo, Lower, Model, R, Reported, Val};
use super::messages;
use crate::data::{ColumnValues, CsvError, CsvErrorKind, CsvOptions, Table, read_csv};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::expr::graph::{Id, InputKind};
use crate::expr::op::{Binary, Op, Unary};
use crate::shape::{DataId, Dim, Shape};
use crate::source::{PathRefusal, Span, resolve_below};
use crate::syntax::ast::{DataLine, Expr, ExprKind, Ident, Text};

/// Reads and computes all datasets.
pub(crate) fn load(decls: &Decls, model: &mut Model, data_folder: Option<&Path>, diags: &mut Diagnostics) {
    for decl in &decls.datasets {
        let id = DataId(model.data.len() as u32);
        model.data.push(DataInfo { name: decl.name.clone(), columns: Vec::new(), file: None, unread: false });
        model.rows.0.push(0);
        one(decl, id, decls, model, data_folder, diags);
    }
}

fn one(decl: &DataDecl, id: DataId, decls: &Decls, model: &mut Model, data_folder: Option<&Path>, diags: &mut Diagnostics) {
    let mut rows: Option<(usize, Span)> = None;
    let mut names: Option<&[Ident]> = None;
    let mut csv: Option<(&Text, &[(Ident, Expr)])> = None;
    for line in &decl.lines {
        match line {
            DataLine::Csv { path, options } => {
                if let Some((first, _)) = csv {
                    diags.push(Diagnostic::error("E0524", path.span, "a dataset has one source").here("second").label(first.span, "first"));
                }
                csv = Some((path, options));
            }
            DataLine::Columns(list) => names = Some(list),
            DataLine::TextFile { path, .. } => diags.push(not_yet(path.span, "`text`")),
            DataLine::Rows(e) => diags.push(not_yet(e.span, "`rows` with drawn columns")),
            DataLine::Keep(e) => diags.push(not_yet(e.span, "`keep`")),
            DataLine::DropMissing(span) => diags.push(not_yet(*span, "`drop missing`")),
            DataLine::Split { span, .. } => diags.push(not_yet(*span, "`split`")),
            DataLine::Draw { draw, .. } => diags.push(not_yet(draw.span, "a drawn column")),
            DataLine::Column { .. } => {}
        }
    }
    if let Some((path, options)) = csv {
        if let Ok(table) = read(decl, path, options, names, data_folder, model, decls, diags) {
            for hint in &table.hints {
                let d = Diagnostic::warning("W0501", path.span, format!("`{}` may be laid out otherwise than the spec says", path.value));
                diags.push(advised(d, hint.advice(), path, options));
            }
            rows = Some((table.rows, path.span));
            model.rows.0[id.0 as usize] = table.rows;
            let hash = table.bytes_hash.clone();
            model.data[id.0 as usize].file = Some((path.value.clone(), hash));
            let columns = table.columns.into_iter().map(|column| ColumnInfo {
                name: column.name,
                span: path.span,
                content: content(column.values, id),
                input: None,
            });
            model.data[id.0 as usize].columns = columns.collect();
        } else {
            model.data[id.0 as usize].unread = true;
            // Names of columns that could not be read still stand for something.
            for line in &decl.lines {
                if let DataLine::Column { name, .. } = line {
                    broken(model, id, name);
                }
            }
            return;
        }
    } else if let Some(list) = names {
        let span = list.first().map_or(decl.span, |n| n.span);
        diags.push(Diagnostic::error("E0510", span, "`columns` names the columns of a file").here("no `csv` here"));
    }
    for line in &decl.lines {
        if let DataLine::Column { name, value } = line {
            column(id, name, value, decls, model, &mut rows, diags);
        }
    }
    if rows.is_none() && !diags.has_errors() {
        diags.push(
            Diagnostic::error("E0511", decl.name.span, format!("dataset `{}` has no rows", decl.name.name)).here("no column, no file"),
        );
    }
}

/// A column that could not be made: using it says nothing more.
fn broken(model: &mut Model, id: DataId, name: &Ident) {
    let info = ColumnInfo { name: name.name.clone(), span: name.span, content: Content::Broken, input: None };
    model.data[id.0 as usize].columns.push(info);
}

fn content(values: ColumnValues, id: DataId) -> Content {
    match values {
        ColumnValues::Numbers { values, missing } if missing.is_empty() => {
            Content::Numbers { values: Arc::new(ndarray::Array1::from(values).into_dyn()), shape: Shape(vec![Dim::Rows(id)]) }
        }
        ColumnValues::Numbers { values, missing } => Content::Missing { values, missing },
        ColumnValues::Texts { values, missing, mostly_numeric } => {
            let mostly = mostly_numeric.map(|stray| (stray.place.row as usize - 1, stray.text, stray.count as usize));
            Content::Texts { values, missing, mostly }
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "the parts of one csv line")]
fn read(
    decl: &DataDecl,
    path: &Text,
    options: &[(Ident, Expr)],
    names: Option<&[Ident]>,
    data_folder: Option<&Path>,
    model: &mut Model,
    decls: &Decls,
    diags: &mut Diagnostics,
) -> R<Table> {
    let mut settings = CsvOptions { columns: names.map(|list| list.iter().map(|n| n.name.clone()).collect()), ..CsvOptions::default() };
    for (name, value) in options {
        let text = |e: &Expr| match &e.kind {
            ExprKind::Text(text) => Some(vec![text.clone()]),
            ExprKind::List(items) => items.iter().map(|i| if let ExprKind::Text(t) = &i.kind { Some(t.clone()) } else { None }).collect(),
            _ => None,
        };
        match name.name.as_str() {
            "header" => settings.header = Lower::new(model, decls, diags).constant(value, "`header`")? != 0.0,
            "missing" => match text(value) {
                Some(marks) => settings.missing = marks,
                None => {
                    return report(
                        diags,
                        Diagnostic::error("E0512", value.span, "`missing` is a text, or a list of texts")
                            .here("not a text")
                            .help("such as `missing = \"?\"`"),
                    );
                }
            },
            "delimiter" => match text(value).as_deref() {
                Some([one]) if one.len() == 1 => settings.delimiter = one.as_bytes()[0],
                _ => {
                    return report(
                        diags,
                        Diagnostic::error("E0525", value.span, "`delimiter` is one character")
                            .here("not one character")
                            .help("such as `delimiter = \";\"`"),
                    );
                }
            },
            _ => {
                let known = ["header", "missing", "delimiter"];
                let mut d = Diagnostic::error("E0513", name.span, format!("`csv` has no `{}`", name.name))
                    .here("options: header, missing, delimiter");
                let alias = match name.name.as_str() {
                    "sep" | "separator" => Some("delimiter"),
                    "na_values" | "na" | "nan" => Some("missing"),
                    _ => None,
                };
                if let Some(near) = alias.or_else(|| did_you_mean(&name.name, known)) {
                    d = d.replace(name.span, near, format!("did you mean `{near}`?"));
                }
                return report(diags, d);
            }
        }
    }
    let folder = data_folder.filter(|folder| folder.join(&path.value).is_file()).unwrap_or(&decl.folder);
    let full = match resolve_below(folder, &path.value) {
        Ok(full) => full,
        // Folders and devices are told apart where the file is read.
        Err(why) => {
            let mut d = path_refused(path, why);
            if why == PathRefusal::Missing
                && let Some(near) = near_file(folder, &path.value)
            {
                d = d.replace(path.span, format!("\"{near}\""), format!("did you mean `{near}`?"));
            }
            return report(diags, d);
        }
    };
    read_csv(&full, &path.value, &settings).or_else(|error| report(diags, csv_failed(path, options, names, &error)))
}

fn report<T>(diags: &mut Diagnostics, diagnostic: Diagnostic) -> R<T> {
    diags.push(diagnostic);
    Err(Reported)
}

/// A file in the same folder whose name is near.
fn near_file(folder: &Path, written: &str) -> Option<String> {
    let path = Path::new(written);
    let inner = path.parent().filter(|p| p.components().all(|c| matches!(c, std::path::Component::Normal(_))))?;
    let wanted = path.file_name()?.to_str()?;
    let mut names: Vec<String> =
        std::fs::read_dir(folder.join(inner)).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    let part = |n: &&String| n.contains(wanted.split('.').next().unwrap_or(wanted));
    let near = did_you_mean(wanted, names.iter().map(String::as_str)).map(str::to_string).or_else(|| names.iter().find(part).cloned())?;
    Some(inner.join(near).to_str()?.to_string())
}

fn csv_failed(path: &Text, options: &[(Ident, Expr)], names: Option<&[Ident]>, error: &CsvError) -> Diagnostic {
    match error.kind {
        CsvErrorKind::Missing => return path_refused(path, PathRefusal::Missing),
        CsvErrorKind::Directory | CsvErrorKind::NotAFile => return path_refused(path, PathRefusal::NotAFile),
        _ => {}
    }
    let named = names.and_then(|list| list.last()).map(|n| n.span);
    let at = match error.option() {
        Some("columns") => named,
        Some(option) => place(options, option),
        None => None,
    };
    let code = match &error.kind {
        CsvErrorKind::NameCount { .. } | CsvErrorKind::SameName { from_spec: true, .. } => "E0502",
        CsvErrorKind::RowLength { .. } => "E0503",
        CsvErrorKind::NotUtf8 { .. } => "E0521",
        CsvErrorKind::Empty | CsvErrorKind::NoRows => "E0517",
        CsvErrorKind::TooLarge { .. } => "E0522",
        CsvErrorKind::SameName { .. } => "E0518",
        CsvErrorKind::Unreadable(_) | CsvErrorKind::Changed | CsvErrorKind::Missing | CsvErrorKind::Directory | CsvErrorKind::NotAFile => {
            "E0523"
        }
        CsvErrorKind::OpenQuote { .. } | CsvErrorKind::AfterQuote { .. } => "E0501",
    };
    let mut d = Diagnostic::error(code, at.unwrap_or(path.span), error.message(&path.value));
    if at.is_some() {
        d = d.label(path.span, "this file");
    }
    error.helps().into_iter().fold(d, |d, advice| advised(d, advice, path, options))
}

fn place(options: &[(Ident, Expr)], option: &str) -> Option<Span> {
    options.iter().find(|(name, _)| name.name == option).map(|(_, e)| e.span)
}

/// Advice from reading the file: an edit of the option it is about.
fn advised(d: Diagnostic, (text, edit): (String, Option<(&'static str, String)>), path: &Text, options: &[(Ident, Expr)]) -> Diagnostic {
    match edit {
        None => d.help(text),
        Some((option, value)) => match place(options, option) {
            Some(span) => d.replace(span, value, text),
            None => d.replace(path.span.end(), format!(", {option} = {value}"), text),
        },
    }
}

fn column(
    id: DataId,
    name: &Ident,
    value: &Expr,
    decls: &Decls,
    model: &mut Model,
    rows: &mut Option<(usize, Span)>,
    diags: &mut Diagnostics,
) {
    let Ok(content) = computed(id, name, value, decls, model, rows, diags) else {
        broken(model, id, name);
        return;
    };
    let info = ColumnInfo { name: name.name.clone(), span: name.span, content, input: None };
    let columns = &mut model.data[id.0 as usize].columns;
    match columns.iter_mut().find(|c| c.name == name.name) {
        // It replaces the file's column; on the right the name meant the file's.
        Some(old) if rows.is_some_and(|(_, span)| old.span == span) => *old = info,
        Some(old) => {
            let first = old.span;
            diags.push(messages::declared_twice(name.span, format!("column `{}` is declared twice", name.name), first));
        }
        None => columns.push(info),
    }
}

fn computed(
    id: DataId,
    name: &Ident,
    value: &Expr,
    decls: &Decls,
    model: &mut Model,
    rows: &mut Option<(usize, Span)>,
    diags: &mut Diagnostics,
) -> R<Content> {
    if let ExprKind::List(items) = &value.kind
        && let Some(texts) =
            items.iter().map(|i| if let ExprKind::Text(t) = &i.kind { Some(t.clone()) } else { None }).collect::<Option<Vec<String>>>()
        && !texts.is_empty()
    {
        agree(id, name, texts.len(), value.span, model, rows, diags)?;
        return Ok(Content::Texts { values: texts, missing: Vec::new(), mostly: None });
    }
    let mut lower = Lower::new(model, decls, diags);
    lower.within_data = Some(id);
    let node = match lower.value(value)? {
        Val::Column(data, column) => return Ok(lower.model.data[data.0 as usize].columns[column].content.clone()),
        other => lower.as_node(other, value)?,
    };
    let shape = lower.model.graph.shape(node).clone();
    let Some(array) = lower.model.constant(node) else {
        return lower.fail(
            Diagnostic::error("E0514", value.span, format!("column `{}` must be known before any run", name.name))
                .here("depends on a parameter or on the run"),
        );
    };
    let mut shape = shape;
    // Of an inline list the first axis is the rows.
    if let Some(Dim::Size(n)) = shape.0.first().copied()
        && rows.is_none_or(|(have, _)| have == n || shape.rank() == 1)
    {
        agree(id, name, n, value.span, model, rows, diags)?;
        shape.0[0] = Dim::Rows(id);
    }
    Ok(Content::Numbers { values: Arc::new(array), shape })
}

fn agree(
    id: DataId,
    name: &Ident,
    n: usize,
    span: Span,
    model: &mut Model,
    rows: &mut Option<(usize, Span)>,
    diags: &mut Diagnostics,
) -> R<()> {
    match *rows {
        None => {
            *rows = Some((n, span));
            model.rows.0[id.0 as usize] = n;
            Ok(())
        }
        Some((have, _)) if have == n => Ok(()),
        Some((have, first)) => report(
            diags,
            Diagnostic::error("E0504", span, format!("`{}` has {n} values, the dataset has {have} rows", name.name))
                .here(format!("{n} values"))
                .label(first, format!("{have} rows")),
        ),
    }
}

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
    let mut filled = values;
    for &row in &missing {
        filled[row as usize] = by;
    }
    let name = lower.model.data[data.0 as usize].columns[column].name.clone();
    let id = lower.model.graph.input(name, InputKind::Column(data), Shape(vec![Dim::Rows(data)]));
    if let Some(input) = lower.model.graph.as_input(id) {
        lower.model.known.insert(input, Arc::new(ndarray::Array1::from(filled).into_dyn()));
    }
    Ok(Val::Node(id))
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
    let mut labels: Vec<&String> = texts.iter().collect();
    labels.sort();
    labels.dedup();
    let numbers: Vec<f64> = texts.iter().map(|t| labels.binary_search(&t).unwrap_or(0) as f64).collect();
    let count = labels.len();
    let Val::Column(data, column) = value else { return Err(Reported) };
    let name = format!("code({})", lower.model.data[data.0 as usize].columns[column].name);
    let id = lower.model.graph.input(name, InputKind::Column(data), Shape(vec![Dim::Rows(data)]));
    if let Some(input) = lower.model.graph.as_input(id) {
        lower.model.known.insert(input, Arc::new(ndarray::Array1::from(numbers).into_dyn()));
    }
    Ok((id, count))
}
