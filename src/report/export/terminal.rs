//! Tables and checks as plain text for the terminal: numbers aligned at their points, no colours.
//!
//! It decides nothing about the table, and does not print.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table as Grid, Width, presets};
use unicode_width::UnicodeWidthStr as _;

use super::readable;
use crate::diag::printable;
use crate::report::expect::{CheckResult, Kind};
use crate::report::table::{CellValue, Table};

/// Rows of a long table that are printed at its start and at its end.
const ROWS: (usize, usize) = (30, 10);
/// Words wrap in columns of at least this width.
const WORDS: usize = 24;
/// Headings wrap where they are longer than this.
const HEADING: usize = 14;
/// The characters around a column: a blank on both sides and a line.
const AROUND: usize = 3;

/// The table with its caption and notes. Where it would be wider than `width` characters, words wrap; where that
/// does not suffice, the columns stand in several tables below one another, each with the first columns. Numbers
/// are never broken.
#[must_use]
pub fn table_text(table: &Table, width: Option<u16>) -> String {
    let shown: Vec<&Vec<CellValue>> = if table.rows.len() > ROWS.0 + ROWS.1 + 1 {
        table.rows[..ROWS.0].iter().chain(&table.rows[table.rows.len() - ROWS.1..]).collect()
    } else {
        table.rows.iter().collect()
    };
    let hidden = table.rows.len() - shown.len();
    let columns: Vec<Text> = (0..table.columns.len()).map(|at| Text::new(table, &shown, at)).collect();
    let caption = if table.caption.is_empty() { &table.name } else { &table.caption };
    let mut text = format!("{}\n", printable(caption));
    for block in blocks(table, &columns, width.map(usize::from)) {
        let mut grid = Grid::new();
        grid.load_style(presets::UTF8_FULL_CONDENSED);
        if let Some(width) = width {
            grid.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        grid.set_header(block.iter().map(|&at| columns[at].heading.clone()));
        for row in 0..shown.len() {
            if hidden > 0 && row == ROWS.0 {
                grid.add_row(block.iter().map(|_| "…".to_owned()));
            }
            grid.add_row(block.iter().map(|&at| columns[at].cells[row].clone()));
        }
        for (column, &at) in grid.column_iter_mut().zip(&block) {
            column.set_cell_alignment(if columns[at].words { CellAlignment::Left } else { CellAlignment::Right });
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed((columns[at].least + AROUND - 1) as u16)));
        }
        let _ = writeln!(text, "{grid}");
    }
    if hidden > 0 {
        let _ = writeln!(text, "{hidden} rows are not shown here; all are in the files");
    }
    for note in &table.notes {
        let _ = writeln!(text, "{}", printable(note));
    }
    text
}

/// Which columns stand in which table. The columns before the first group (or the first column) stand in all.
fn blocks(table: &Table, columns: &[Text], width: Option<usize>) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..columns.len()).collect();
    let size = |block: &[usize]| 1 + block.iter().map(|&at| columns[at].least + AROUND).sum::<usize>();
    let Some(width) = width.filter(|width| size(&all) > *width) else { return vec![all] };
    let keys = table.columns.iter().position(|column| !column.group.is_empty()).unwrap_or(1).min(columns.len());
    let mut blocks = Vec::new();
    let mut block: Vec<usize> = all[..keys].to_vec();
    for &at in &all[keys..] {
        if block.len() > keys && size(&block) + columns[at].least + AROUND > width {
            blocks.push(std::mem::replace(&mut block, all[..keys].to_vec()));
        }
        block.push(at);
    }
    blocks.push(block);
    blocks
}

/// One column as text.
struct Text {
    heading: String,
    cells: Vec<String>,
    /// Whether it has words, which may wrap.
    words: bool,
    /// The narrowest it can be.
    least: usize,
}

impl Text {
    fn new(table: &Table, shown: &[&Vec<CellValue>], at: usize) -> Text {
        let column = &table.columns[at];
        let title = printable(&column.title);
        let heading = if column.group.is_empty() { title } else { format!("{}\n{title}", printable(&column.group)) };
        let cells = aligned(table, shown, at);
        let words = shown.iter().any(|row| matches!(row.get(at), Some(CellValue::Text(_))));
        let lines = heading.lines().map(|line| line.width().min(HEADING));
        let longest = heading.split_whitespace().map(str::width).chain(lines).max().unwrap_or(0).min(WORDS);
        let widest = cells.iter().map(|cell| cell.width()).max().unwrap_or(0);
        let least = longest.max(if words { widest.min(WORDS) } else { widest });
        Text { heading, cells, words, least }
    }
}

/// The texts of one column. Numbers are padded so that their points stand below one another.
fn aligned(table: &Table, shown: &[&Vec<CellValue>], at: usize) -> Vec<String> {
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
    let sign = match (&check.kind, check.passed) {
        (Kind::Claim(verdict), _) if *verdict != "refuted" => verdict,
        (_, true) => "passed",
        (_, false) => "FAILED",
    };
    let text = if check.hidden { "a hidden check".to_owned() } else { format!("{} {}", check.kind.keyword(), printable(&check.text)) };
    let mut line = format!("{sign}  line {}: {text}{points}", check.line);
    if !check.message.is_empty() {
        let _ = write!(line, "\n        {}", printable(&check.message));
    }
    if let Some(hint) = check.hint.as_deref().filter(|_| !check.passed && !check.hidden) {
        let _ = write!(line, "\n        hint: {}", printable(hint));
    }
    line
}
