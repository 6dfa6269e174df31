//! Tables as Markdown (GitHub's dialect): numbers right, words left, everything escaped that Markdown or HTML would read.
//!
//! It decides nothing about the table.

use std::fmt::Write as _;

use super::readable;
use crate::diag::printable;
use crate::report::table::{CellValue, Table};

/// The table with its caption and notes.
#[must_use]
pub fn table_markdown(table: &Table) -> String {
    let mut text = String::new();
    if !table.caption.is_empty() {
        let _ = writeln!(text, "{}\n", escaped(&table.caption));
    }
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    text.push_str(&line(table.columns.iter().map(|column| escaped(&column.heading())).collect()));
    let numeric = |at: usize| !table.rows.iter().any(|row| matches!(row.get(at), Some(CellValue::Text(_))));
    text.push_str(&line((0..table.columns.len()).map(|at| if numeric(at) { "---:" } else { "---" }.to_owned()).collect()));
    for row in &table.rows {
        let cells = row.iter().zip(&table.columns).map(|(value, column)| {
            let mark = value.mark().map(|mark| format!(" {}", mark.sign())).unwrap_or_default();
            format!("{}{mark}", escaped(&readable(value, column)))
        });
        text.push_str(&line(cells.collect()));
    }
    for note in &table.notes {
        let _ = writeln!(text, "\n{}", escaped(note));
    }
    text
}

/// Text that neither Markdown nor HTML takes for markup. An underscore inside a word is none.
fn escaped(text: &str) -> String {
    let text = printable(text).replace('\n', " ");
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (at, &c) in characters.iter().enumerate() {
        let word = |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(|c| c.is_alphanumeric());
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '_' if word(at.checked_sub(1)) && word(Some(at + 1)) => out.push(c),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '~' | '#' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}
