//! Tables and checks as plain text for the terminal: numbers aligned at their points, no colours.
//!
//! It decides nothing about the table, and does not print.

use comfy_table::{CellAlignment, ContentArrangement, Table as Grid, presets};
use unicode_width::UnicodeWidthStr as _;

use super::readable;
use crate::diag::printable;
use crate::report::expect::CheckResult;
use crate::report::table::{CellValue, Table};

/// Rows of a long table that are printed at its start and at its end.
const ROWS: (usize, usize) = (30, 10);

/// The table with its caption and notes; cells wrap where it would be wider than `width` characters.
#[must_use]
pub fn table_text(table: &Table, width: Option<u16>) -> String {
    let mut grid = Grid::new();
    grid.load_style(presets::UTF8_FULL_CONDENSED);
    if let Some(width) = width {
        grid.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    let shown: Vec<&Vec<CellValue>> = if table.rows.len() > ROWS.0 + ROWS.1 + 1 {
        table.rows[..ROWS.0].iter().chain(&table.rows[table.rows.len() - ROWS.1..]).collect()
    } else {
        table.rows.iter().collect()
    };
    let hidden = table.rows.len() - shown.len();
    let columns: Vec<Vec<String>> = (0..table.columns.len()).map(|at| column(table, &shown, at)).collect();
    grid.set_header(table.columns.iter().map(|column| {
        let title = printable(&column.title);
        if column.group.is_empty() { title } else { format!("{}\n{title}", printable(&column.group)) }
    }));
    for row in 0..shown.len() {
        if hidden > 0 && row == ROWS.0 {
            grid.add_row(columns.iter().map(|_| "…".to_owned()));
        }
        grid.add_row(columns.iter().map(|column| column[row].clone()));
    }
    for (at, column) in grid.column_iter_mut().enumerate() {
        let words = shown.iter().any(|row| matches!(row.get(at), Some(CellValue::Text(_))));
        column.set_cell_alignment(if words { CellAlignment::Left } else { CellAlignment::Right });
    }
    let caption = if table.caption.is_empty() { &table.name } else { &table.caption };
    let mut text = format!("{}\n{grid}\n", printable(caption));
    if hidden > 0 {
        text.push_str(&format!("{hidden} rows are not shown here; all are in the files\n"));
    }
    for note in &table.notes {
        text.push_str(&format!("{}\n", printable(note)));
    }
    text
}

/// The texts of one column. Numbers are padded so that their points stand below one another.
fn column(table: &Table, shown: &[&Vec<CellValue>], at: usize) -> Vec<String> {
    let texts: Vec<(String, bool)> = shown
        .iter()
        .map(|row| {
            let value = &row[at];
            let text = printable(&readable(value, &table.columns[at]));
            let mark = value.mark().map(|mark| format!(" {}", mark.sign())).unwrap_or_default();
            (text + &mark, matches!(value, CellValue::Number { .. } | CellValue::Estimate { .. }))
        })
        .collect();
    // What stands before the first point, and from it on.
    let split = |text: &str| {
        let first = text.find(" ±").unwrap_or(text.len());
        text[..first].find('.').unwrap_or_else(|| text[..first].find([' ', 'e']).unwrap_or(first))
    };
    let before = texts.iter().filter(|(_, number)| *number).map(|(text, _)| text[..split(text)].width()).max().unwrap_or(0);
    let after = texts.iter().filter(|(_, number)| *number).map(|(text, _)| text[split(text)..].width()).max().unwrap_or(0);
    texts
        .into_iter()
        .map(|(text, number)| {
            if !number {
                return text;
            }
            let (left, right) = text.split_at(split(&text));
            format!("{}{left}{right}{}", " ".repeat(before - left.width()), " ".repeat(after - right.width()))
        })
        .collect()
}

/// One check as a line: what was expected, and why it failed.
#[must_use]
pub fn check_text(check: &CheckResult) -> String {
    let points = check.points.map(|points| format!(" ({} points)", crate::report::label::significant(points, 6))).unwrap_or_default();
    let sign = if check.passed { "passed" } else { "FAILED" };
    let text = if check.hidden { "a hidden check".to_owned() } else { format!("expect {}", printable(&check.text)) };
    let mut line = format!("{sign}  line {}: {text}{points}", check.line);
    if !check.passed {
        line.push_str(&format!("\n        {}", printable(&check.message)));
        if let Some(hint) = check.hint.as_deref().filter(|_| !check.hidden) {
            line.push_str(&format!("\n        hint: {}", printable(hint)));
        }
    }
    line
}
