//! A text file into a sequence of numbered characters or words.
//!
//! It does not know rows: how a sequence is cut into them is said in the spec.

use std::path::Path;

use super::error::{CsvError, CsvErrorKind};
use super::input::Input;

/// The most bytes of a text.
const LARGEST_TEXT: u64 = 1 << 28;

/// What a text is a sequence of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Characters of Unicode; a line end is one.
    Char,
    /// What stands between blanks and line ends, as it is written.
    Word,
}

/// A text as numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// For each unit in the order of the text, its place among the labels.
    pub codes: Vec<u32>,
    /// The different units, sorted by their code points.
    pub labels: Vec<String>,
    /// BLAKE3 of the file's bytes, in hexadecimal.
    pub bytes_hash: String,
}

/// Reads a file; `name` is the path as the user wrote it.
///
/// # Errors
/// When it cannot be read, is no UTF-8, is too large or has none of the units.
pub fn read_text(path: &Path, name: &str, unit: Unit) -> Result<Tokens, CsvError> {
    let read = || {
        let mut input = Input::open(path, LARGEST_TEXT)?;
        let mut text = String::new();
        while let Some(piece) = input.next_piece()? {
            text.push_str(piece);
        }
        let tokens = number(&text.replace("\r\n", "\n"), unit, input.hash());
        if tokens.codes.is_empty() { Err(CsvErrorKind::Empty) } else { Ok(tokens) }
    };
    read().map_err(|kind| CsvError { file: name.to_owned(), kind, hints: Vec::new() })
}

fn number(text: &str, unit: Unit, bytes_hash: String) -> Tokens {
    let units: Vec<&str> = match unit {
        Unit::Char => text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]).collect(),
        Unit::Word => text.split_whitespace().collect(),
    };
    let mut labels = units.clone();
    labels.sort_unstable();
    labels.dedup();
    let code = |unit: &&str| labels.binary_search(unit).map_or(0, |at| at as u32);
    Tokens { codes: units.iter().map(code).collect(), labels: labels.iter().map(|&label| label.to_owned()).collect(), bytes_hash }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_numbered_in_sorted_order() {
        let chars = number("höhö\n", Unit::Char, String::new());
        assert_eq!((chars.codes, chars.labels.concat()), (vec![1, 2, 1, 2, 0], "\nhö".to_owned()));
        let words = number(" the dog\nthe  end.", Unit::Word, String::new());
        assert_eq!((words.codes, words.labels.join("|")), (vec![2, 0, 2, 1], "dog|end.|the".to_owned()));
    }
}
