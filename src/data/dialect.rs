//! Signs that a file is laid out otherwise than the spec says.
//!
//! It only tells: nothing is read in another way than was asked for.

use super::cells::{ColumnBuilder, parse_number};
use super::error::Hint;
use super::scan::Record;

/// Lines looked at for another delimiter.
const SAMPLE: usize = 100;
/// Characters that often divide cells.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Counts characters that might be the delimiter, line by line.
#[derive(Debug, Default)]
pub(super) struct Delimiters {
    lines: usize,
    /// How often each candidate stood on each line so far; `None` when that differs.
    per_line: [Option<usize>; CANDIDATES.len()],
}

impl Delimiters {
    /// Looks at one more line.
    pub(super) fn look(&mut self, record: &Record) {
        if self.lines == SAMPLE {
            return;
        }
        for (&candidate, known) in CANDIDATES.iter().zip(&mut self.per_line) {
            let here = record.cells().map(|cell| cell.bytes().filter(|&byte| byte == candidate).count()).sum();
            *known = if self.lines == 0 { Some(here) } else { known.filter(|&before| before == here) };
        }
        self.lines += 1;
    }

    /// The candidate that divides every line evenly.
    pub(super) fn hint(&self) -> Option<Hint> {
        let even = CANDIDATES.iter().zip(self.per_line).filter_map(|(&candidate, count)| Some((count.filter(|&n| n > 0)?, candidate)));
        even.max_by_key(|&(count, _)| count).map(|(per_line, candidate)| Hint::Delimiter { found: char::from(candidate), per_line })
    }
}

/// A header of nothing but numbers is a row of data.
pub(super) fn header_is_data(names: &[String]) -> Option<Hint> {
    let is_data = names.iter().all(|name| parse_number(name).is_some());
    is_data.then(|| Hint::HeaderIsData { cells: names.to_vec() })
}

/// A first row without a number, over columns whose other cells are numbers, is a header.
pub(super) fn first_row_is_header(first: &[String], columns: &[ColumnBuilder]) -> Option<Hint> {
    let no_number = first.iter().all(|cell| parse_number(cell).is_none());
    let over_numbers = columns
        .iter()
        .any(|column| column.numbers() > 0 && column.texts.as_ref().is_some_and(|texts| texts.count == 1 && texts.place.row == 1));
    (no_number && over_numbers).then(|| Hint::FirstRowIsHeader { cells: first.to_vec() })
}

/// Columns whose texts are numbers with a comma.
pub(super) fn decimal_commas(columns: &[ColumnBuilder]) -> impl Iterator<Item = Hint> {
    columns.iter().enumerate().filter_map(|(index, column)| {
        let commas = column.commas.as_ref()?;
        let texts = column.texts.as_ref()?;
        let most = commas.count * 2 > texts.count;
        most.then(|| Hint::DecimalComma { column: index, place: commas.place, text: commas.text.clone(), count: commas.count })
    })
}
