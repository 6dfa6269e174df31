//! A column while it is read: numbers, as long as there is no text among them.
//!
//! It keeps no texts: a column that turns out to have some is read a second time.

use super::{Place, Stray};

/// What one column has had so far.
#[derive(Debug, Default)]
pub(super) struct ColumnBuilder {
    /// A number per row; nan where there is none.
    pub(super) values: Vec<f64>,
    /// Rows, from 0, that are empty or marked.
    pub(super) missing: Vec<u32>,
    /// The first text that is no number, and how many there are.
    pub(super) texts: Option<Stray>,
    /// The first text with one comma among digits, and how many there are.
    pub(super) commas: Option<Stray>,
}

impl ColumnBuilder {
    /// Adds the cell of the next row.
    pub(super) fn push(&mut self, cell: &str, place: Place, marks: &[String]) {
        if is_missing(cell, marks) {
            self.missing.push(u32::try_from(self.values.len()).expect("internal: rows are limited"));
            self.values.push(f64::NAN);
            return;
        }
        let number = parse_number(cell);
        if number.is_none() {
            count(&mut self.texts, cell, place);
            if has_decimal_comma(cell) {
                count(&mut self.commas, cell, place);
            }
        }
        self.values.push(number.unwrap_or(f64::NAN));
    }

    /// The number of cells that are numbers.
    pub(super) fn numbers(&self) -> u64 {
        (self.values.len() - self.missing.len()) as u64 - self.texts.as_ref().map_or(0, |texts| texts.count)
    }
}

fn count(first: &mut Option<Stray>, cell: &str, place: Place) {
    first.get_or_insert_with(|| Stray { place, text: cell.to_owned(), count: 0 }).count += 1;
}

/// Whether a cell has no value: empty, or one of the marks.
pub(super) fn is_missing(cell: &str, marks: &[String]) -> bool {
    cell.is_empty() || marks.iter().any(|mark| mark.trim() == cell)
}

/// A finite decimal number, correctly rounded. `nan`, `inf` and what overflows are no numbers: a spec says what they stand for.
pub(super) fn parse_number(cell: &str) -> Option<f64> {
    let first = cell.bytes().find(|byte| !matches!(byte, b'+' | b'-'))?;
    if !(first.is_ascii_digit() || first == b'.') {
        return None;
    }
    cell.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// `1,5`, `-0,25`, `1,234`: digits, one comma, digits.
fn has_decimal_comma(cell: &str) -> bool {
    let unsigned = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    unsigned.split_once(',').is_some_and(|(whole, fraction)| digits(whole) && digits(fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_finite_decimals() {
        for (cell, value) in [("0", 0.0), ("-1.5", -1.5), ("+2", 2.0), (".5", 0.5), ("1.", 1.0), ("1e-6", 1e-6), ("0.1", 0.1)] {
            assert_eq!(parse_number(cell), Some(value), "{cell}");
        }
        for cell in ["", "nan", "inf", "-inf", "+infinity", "1e999", "1,5", "1_000", "0x10", "1 2", "--1", "5%", "−5", "NA", "-", "."] {
            assert_eq!(parse_number(cell), None, "{cell}");
        }
    }

    #[test]
    fn commas_among_digits() {
        for (cell, is) in [("1,5", true), ("-0,25", true), ("1,234", true), ("1,2,3", false), (",5", false), ("a,b", false)] {
            assert_eq!(has_decimal_comma(cell), is, "{cell}");
        }
    }
}
