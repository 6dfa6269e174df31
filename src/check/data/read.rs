//! The first stage of a dataset: files to tables, once.
//!
//! What the columns of a spec are made of is in `compute`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{ColumnInfo, Content, Table, text};
use crate::check::decls::{DataDecl, Decls, path_refused};
use crate::check::lower::{Lower, Model, R, Reported};
use crate::data::{ColumnValues, CsvError, CsvErrorKind, CsvOptions, read_csv};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::source::{PathRefusal, Span, resolve_below};
use crate::syntax::ast::{DataLine, Expr, ExprKind, Ident, Text};

/// Reads what the datasets have on disk, in the order declared.
pub(crate) fn read(decls: &Decls, data_folder: Option<&Path>, diags: &mut Diagnostics) -> Vec<Table> {
    decls.datasets.iter().map(|decl| table(decl, decls, data_folder, diags)).collect()
}

fn table(decl: &DataDecl, decls: &Decls, data_folder: Option<&Path>, diags: &mut Diagnostics) -> Table {
    let mut table = Table::default();
    let mut names: Option<&[Ident]> = None;
    let mut source: Option<(&Text, &[(Ident, Expr)])> = None;
    for line in &decl.lines {
        let span = match line {
            DataLine::Csv { path, .. } | DataLine::TextFile { path, .. } => path.span,
            DataLine::Rows(e) => e.span,
            DataLine::Columns(list) => {
                names = Some(list);
                continue;
            }
            _ => continue,
        };
        if let Some(first) = table.source {
            diags.push(Diagnostic::error("E0524", span, "a dataset has one source").here("second").label(first, "first"));
        }
        table.source = Some(span);
        match line {
            DataLine::Csv { path, options } => source = Some((path, options)),
            DataLine::TextFile { path, options } => match text::read(decl, (path, options), data_folder, diags) {
                Ok(tokens) => {
                    table.file = Some((path.value.clone(), tokens.bytes_hash.clone()));
                    table.text = Some(Arc::new(tokens));
                }
                Err(Reported) => table.unread = true,
            },
            _ => {}
        }
    }
    let Some((path, options)) = source else {
        if let Some(list) = names {
            let span = list.first().map_or(decl.span, |n| n.span);
            diags.push(Diagnostic::error("E0510", span, "`columns` names the columns of a file").here("no `csv` here"));
        }
        return table;
    };
    let Ok(read) = csv(decl, (path, options), names, data_folder, decls, diags) else {
        table.unread = true;
        return table;
    };
    for hint in &read.hints {
        let d = Diagnostic::warning("W0501", path.span, format!("`{}` may be laid out otherwise than the spec says", path.value));
        diags.push(advised(d, hint.advice(), path, options));
    }
    table.rows = Some(read.rows);
    table.file = Some((path.value.clone(), read.bytes_hash));
    let column = |c: crate::data::Column| ColumnInfo { name: c.name, span: path.span, content: content(c.values), input: None };
    table.columns = read.columns.into_iter().map(column).collect();
    table
}

fn content(values: ColumnValues) -> Content {
    match values {
        ColumnValues::Numbers { values, missing } if missing.is_empty() => {
            Content::Numbers { values: Arc::new(ndarray::Array1::from(values).into_dyn()), by_row: true }
        }
        ColumnValues::Numbers { values, missing } => Content::Missing { values: Arc::new(values), missing },
        ColumnValues::Texts { values, missing, mostly_numeric } => {
            let mostly = mostly_numeric.map(|stray| (stray.place.row as usize - 1, stray.text, stray.count as usize));
            Content::Texts { values: Arc::new(values), missing, mostly }
        }
    }
}

fn csv(
    decl: &DataDecl,
    (path, options): (&Text, &[(Ident, Expr)]),
    names: Option<&[Ident]>,
    data_folder: Option<&Path>,
    decls: &Decls,
    diags: &mut Diagnostics,
) -> R<crate::data::Table> {
    let mut settings = CsvOptions { columns: names.map(|list| list.iter().map(|n| n.name.clone()).collect()), ..CsvOptions::default() };
    for (name, value) in options {
        let text = |e: &Expr| match &e.kind {
            ExprKind::Text(text) => Some(vec![text.clone()]),
            ExprKind::List(items) => items.iter().map(|i| if let ExprKind::Text(t) = &i.kind { Some(t.clone()) } else { None }).collect(),
            _ => None,
        };
        match name.name.as_str() {
            "header" => settings.header = Lower::new(&mut Model::default(), decls, diags).constant(value, "`header`")? != 0.0,
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
                let alias = match name.name.as_str() {
                    "sep" | "separator" => Some("delimiter"),
                    "na_values" | "na" | "nan" => Some("missing"),
                    _ => None,
                };
                return report(diags, unknown_option(name, "csv", &["header", "missing", "delimiter"], alias));
            }
        }
    }
    let full = located(decl, path, data_folder, diags)?;
    read_csv(&full, &path.value, &settings).or_else(|error| report(diags, file_failed(path, options, names, &error)))
}

/// The file that a path means: in the data folder if it is there, else below the spec's own.
pub(super) fn located(decl: &DataDecl, path: &Text, data_folder: Option<&Path>, diags: &mut Diagnostics) -> R<PathBuf> {
    let folder = data_folder.filter(|folder| folder.join(&path.value).is_file()).unwrap_or(&decl.folder);
    match resolve_below(folder, &path.value) {
        Ok(full) => Ok(full),
        // Folders and devices are told apart where the file is read.
        Err(why) => {
            let mut d = path_refused(path, why);
            if why == PathRefusal::Missing
                && let Some(near) = near_file(folder, &path.value)
            {
                d = d.replace(path.span, format!("\"{near}\""), format!("did you mean `{near}`?"));
            }
            report(diags, d)
        }
    }
}

/// An option that a kind of file does not have.
pub(super) fn unknown_option(name: &Ident, kind: &str, known: &[&str], alias: Option<&str>) -> Diagnostic {
    let d =
        Diagnostic::error("E0513", name.span, format!("`{kind}` has no `{}`", name.name)).here(format!("options: {}", known.join(", ")));
    match alias.or_else(|| did_you_mean(&name.name, known.iter().copied())) {
        Some(near) => d.replace(name.span, near, format!("did you mean `{near}`?")),
        None => d,
    }
}

pub(super) fn report<T>(diags: &mut Diagnostics, diagnostic: Diagnostic) -> R<T> {
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

/// What is said of a file that could not be read.
pub(super) fn file_failed(path: &Text, options: &[(Ident, Expr)], names: Option<&[Ident]>, error: &CsvError) -> Diagnostic {
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
