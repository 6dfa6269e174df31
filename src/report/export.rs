//! Tables and results as text for other programs and for people: what all renderers share.
//!
//! It evaluates nothing and writes no files.

mod csv;
mod json;
mod markdown;
mod terminal;

pub use self::csv::{runs_csv, table_csv, trace_csv};
pub use self::json::{check_json, number_json, sweep_json, table_json};
pub use self::markdown::table_markdown;
pub use self::terminal::{check_text, table_text};

use super::label::{formatted, significant};
use super::table::{CellValue, Column, Table};

/// Digits of the half width of an interval: more are noise.
const HALF_WIDTH_DIGITS: usize = 2;
/// Decimals behind which a mean is written with a power of ten.
const MOST_DECIMALS: usize = 9;
/// The same before the point.
const LARGEST_PLAIN: f64 = 1e6;

/// The text of a cell for people: six significant digits, or the format of the column.
fn readable(value: &CellValue, column: &Column) -> String {
    let number = |x: f64, digits: usize| match &column.format {
        Some(format) => formatted(format, x),
        None if column.decades => super::label::small_number(x).unwrap_or_else(|| significant(x, digits)),
        None => significant(x, digits),
    };
    match value {
        CellValue::Blank => String::new(),
        CellValue::Text(text) => text.clone(),
        CellValue::Number { value, .. } => number(*value, super::label::DIGITS),
        CellValue::Estimate { mean, half_width, .. } => match decimals(*half_width) {
            Some(decimals) if column.format.is_none() && mean.is_finite() => format!("{mean:.decimals$} ± {half_width:.decimals$}"),
            _ => format!("{} ± {}", number(*mean, super::label::DIGITS), number(*half_width, HALF_WIDTH_DIGITS)),
        },
        CellValue::Never { missed, of: 1 } if *missed == 1 => "never".to_owned(),
        CellValue::Never { missed, of } if missed == of => "never".to_owned(),
        CellValue::Never { missed, of } => format!("never in {missed} of {of}"),
    }
}

/// The decimals that a mean has when its half width has two digits (1.2e-3 has four decimals); `None` where that is no way to write it.
fn decimals(half_width: f64) -> Option<usize> {
    let text = format!("{half_width:.1e}");
    let (_, exponent) = text.split_once('e')?;
    let decimals = 1 - exponent.parse::<i32>().ok()?;
    usize::try_from(decimals.max(0)).ok().filter(|decimals| *decimals <= MOST_DECIMALS && half_width > 0.0 && half_width < LARGEST_PLAIN)
}

/// A table with whole columns of plain values, as programs read it: intervals get a column of their own, and so
/// does the status where a run diverged or rose and no column says it.
struct Flat {
    headings: Vec<String>,
    rows: Vec<Vec<FlatValue>>,
}

enum FlatValue {
    Nothing,
    Number(f64),
    Text(String),
}

fn flatten(table: &Table) -> Flat {
    let intervals: Vec<bool> =
        (0..table.columns.len()).map(|at| table.rows.iter().any(|row| matches!(row.get(at), Some(CellValue::Estimate { .. })))).collect();
    // Columns of one group are neighbours; after the last of each comes its status.
    let ends: Vec<bool> =
        (0..table.columns.len()).map(|at| table.columns.get(at + 1).is_none_or(|next| next.group != table.columns[at].group)).collect();
    let marked = |first: usize, last: usize| table.rows.iter().any(|row| row[first..=last].iter().any(|value| value.mark().is_some()));
    let mut headings = Vec::new();
    let mut plan: Vec<(usize, Option<usize>)> = Vec::new();
    let mut first = 0;
    for (at, column) in table.columns.iter().enumerate() {
        headings.push(column.heading());
        if intervals[at] {
            headings.push(format!("{} +-", column.heading()));
        }
        let status = (ends[at] && marked(first, at)).then_some(first);
        if status.is_some() {
            headings.push(Column { group: column.group.clone(), title: "status".to_owned(), format: None, decades: false }.heading());
        }
        plan.push((at, status));
        if ends[at] {
            first = at + 1;
        }
    }
    let row = |row: &Vec<CellValue>| {
        let mut flat = Vec::with_capacity(headings.len());
        for &(at, status) in &plan {
            let (value, interval) = match &row[at] {
                CellValue::Blank => (FlatValue::Nothing, None),
                CellValue::Text(text) => (FlatValue::Text(text.clone()), None),
                CellValue::Number { value, .. } => (FlatValue::Number(*value), None),
                CellValue::Estimate { mean, half_width, .. } => (FlatValue::Number(*mean), Some(*half_width)),
                CellValue::Never { .. } => (FlatValue::Number(f64::INFINITY), None),
            };
            flat.push(value);
            if intervals[at] {
                flat.push(interval.map_or(FlatValue::Nothing, FlatValue::Number));
            }
            if let Some(first) = status {
                let mark = row[first..=at].iter().filter_map(CellValue::mark).min();
                flat.push(mark.map_or(FlatValue::Nothing, |mark| FlatValue::Text(mark.word().to_owned())));
            }
        }
        flat
    };
    let rows = table.rows.iter().map(row).collect();
    Flat { headings, rows }
}
