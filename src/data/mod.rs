//! Data files as plain columns, and texts as sequences: what stands in the cells, which are missing, what looks odd.
//!
//! It decides nothing about a spec: a text cell among numbers is told, not judged, because only the use of a column shows whether it is wrong.

mod cells;
pub mod csv;
mod dialect;
pub mod error;
mod input;
mod scan;
pub mod text;

pub use csv::{CsvOptions, Limits, read_csv};
pub use error::{Advice, CsvError, CsvErrorKind, Hint};
pub use text::{Tokens, Unit, read_text};

/// What was read from one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// In the order of the file; names are all different.
    pub columns: Vec<Column>,
    /// The number of rows, the header not counted; at least one.
    pub rows: usize,
    /// What looks like another layout than the one that was asked for.
    pub hints: Vec<Hint>,
    /// BLAKE3 of the file's bytes, in hexadecimal.
    pub bytes_hash: String,
}

impl Table {
    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// From the spec, the header (in NFKC, as names in a spec are), or `c0`, `c1`, ...
    pub name: String,
    /// A value per row.
    pub values: ColumnValues,
}

/// The cells of a column. `missing` has the indices, from 0 and ascending, of the empty or marked cells.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValues {
    /// Every cell that is not missing is a finite number; a missing one is nan here.
    Numbers {
        /// A number per row.
        values: Vec<f64>,
        /// Rows without one.
        missing: Vec<u32>,
    },
    /// Some cell is no number; a missing one is the empty text here.
    Texts {
        /// A text per row, without blanks at its ends.
        values: Vec<String>,
        /// Rows without one.
        missing: Vec<u32>,
        /// The texts in a column that is otherwise numeric.
        mostly_numeric: Option<Stray>,
    },
}

impl ColumnValues {
    /// The rows, from 0, whose cell is missing.
    #[must_use]
    pub fn missing(&self) -> &[u32] {
        match self {
            ColumnValues::Numbers { missing, .. } | ColumnValues::Texts { missing, .. } => missing,
        }
    }
}

/// Where a row stands, as a person counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The row of data, from 1; the header is no row.
    pub row: u64,
    /// The line of the file, from 1.
    pub line: u64,
}

/// Text cells where most cells are numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// The first.
    pub place: Place,
    /// Its text.
    pub text: String,
    /// How many there are.
    pub count: u64,
}

impl Stray {
    /// Whether the first text is one that spreadsheets and statisticians write where there is no value.
    #[must_use]
    pub fn looks_missing(&self) -> bool {
        const MARKS: [&str; 13] = ["?", "-", "--", ".", "*", "na", "n/a", "#n/a", "nan", "null", "none", "missing", "unknown"];
        MARKS.contains(&self.text.to_lowercase().as_str())
    }
}
