//! Why a data file could not be read as asked, with the place and what was found there.
//!
//! It does not know the spec: the checker turns these into diagnostics that point at the characters which asked for the file.

use std::fmt;

use super::Place;

/// A refusal, and what else was noticed that may be its cause.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvError {
    /// The file as the user named it.
    pub file: String,
    /// What is wrong.
    pub kind: CsvErrorKind,
    /// What looks like another layout than the one that was asked for.
    pub hints: Vec<Hint>,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CsvErrorKind {
    /// There is no such file.
    Missing,
    /// It is a folder.
    Directory,
    /// It is a pipe, a device or a socket.
    NotAFile,
    /// The system refuses, with its words.
    Unreadable(String),
    /// It has no bytes, or blank lines only.
    Empty,
    /// It has a header and nothing below.
    NoRows,
    /// It exceeds a limit.
    TooLarge {
        /// Which.
        what: Size,
        /// The most that is allowed.
        limit: u64,
        /// The line at which it was exceeded, when it is about a line.
        line: Option<u64>,
    },
    /// Its bytes are no UTF-8.
    NotUtf8 {
        /// The first wrong byte, from 0.
        byte: u64,
        /// Its line, from 1.
        line: u64,
        /// What the file seems to be instead, such as `an Excel workbook`.
        looks_like: Option<&'static str>,
    },
    /// A row with fewer or more cells than the first line.
    RowLength {
        /// Where.
        place: Place,
        /// Its cells.
        found: usize,
        /// The cells of the first line.
        expected: usize,
    },
    /// A quoted cell that never ends.
    OpenQuote {
        /// The line with the opening quote.
        line: u64,
        /// The column, from 1.
        column: usize,
    },
    /// Characters between a closing quote and the next delimiter.
    AfterQuote {
        /// The line.
        line: u64,
        /// The column, from 1.
        column: usize,
    },
    /// The spec names another number of columns than the file has.
    NameCount {
        /// Columns in the file.
        found: usize,
        /// Names in the spec.
        named: usize,
    },
    /// Two columns have one name.
    SameName {
        /// The name.
        name: String,
        /// The first column that has it, from 1.
        first: usize,
        /// The second, from 1.
        second: usize,
        /// Whether the spec gave the names, not the header.
        from_spec: bool,
    },
    /// It was written to while being read.
    Changed,
}

/// What there is a limit on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Bytes of the file.
    Bytes,
    /// Rows.
    Rows,
    /// Columns.
    Columns,
    /// Rows times columns.
    Cells,
    /// Bytes of one cell.
    Cell,
}

/// A sign that the file is laid out otherwise than the spec says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// Every cell of the header is a number: `header = false` was probably meant.
    HeaderIsData {
        /// Its cells.
        cells: Vec<String>,
    },
    /// Row 1 is text over columns of numbers: `header = true` was probably meant.
    FirstRowIsHeader {
        /// Its cells.
        cells: Vec<String>,
    },
    /// Another character divides every line evenly.
    Delimiter {
        /// The character.
        found: char,
        /// How often it stands on each line.
        per_line: usize,
    },
    /// Cells such as `1,5` or `1,234`: a decimal comma, or thousands.
    DecimalComma {
        /// The column, from 0.
        column: usize,
        /// The first such cell.
        place: Place,
        /// Its text.
        text: String,
        /// How many there are in the column.
        count: u64,
    },
}

impl fmt::Display for CsvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = &self.file;
        match &self.kind {
            CsvErrorKind::Missing => write!(f, "there is no file `{file}`"),
            CsvErrorKind::Directory => write!(f, "`{file}` is a folder, not a file"),
            CsvErrorKind::NotAFile => write!(f, "`{file}` is not a regular file"),
            CsvErrorKind::Unreadable(cause) => write!(f, "`{file}` cannot be read: {cause}"),
            CsvErrorKind::Empty => write!(f, "`{file}` is empty"),
            CsvErrorKind::NoRows => write!(f, "`{file}` has a header but no rows"),
            CsvErrorKind::TooLarge { what, limit, line } => {
                write!(f, "`{file}` has more than {limit} {}", what.plural())?;
                line.map_or(Ok(()), |line| write!(f, " (line {line})"))
            }
            CsvErrorKind::NotUtf8 { byte, line, looks_like } => {
                write!(f, "`{file}` is not UTF-8 text: byte {byte}, line {line}")?;
                looks_like.map_or(Ok(()), |kind| write!(f, "; it looks like {kind}"))
            }
            CsvErrorKind::RowLength { place, found, expected } => {
                let cells = if *found == 1 { "cell" } else { "cells" };
                write!(f, "row {} of `{file}` (line {}) has {found} {cells}, the first line has {expected}", place.row, place.line)
            }
            CsvErrorKind::OpenQuote { line, column } => {
                write!(f, "a quote opens in line {line}, column {column} of `{file}` and never closes")
            }
            CsvErrorKind::AfterQuote { line, column } => {
                write!(f, "text follows a closing quote in line {line}, column {column} of `{file}`")
            }
            CsvErrorKind::NameCount { found, named } => {
                let columns = if *found == 1 { "column" } else { "columns" };
                let are = if *named == 1 { "is" } else { "are" };
                write!(f, "`{file}` has {found} {columns}, {named} {are} named")
            }
            CsvErrorKind::SameName { name, first, second, from_spec: false } => {
                write!(f, "columns {first} and {second} of `{file}` are both called `{name}`")
            }
            CsvErrorKind::SameName { name, first, second, from_spec: true } => {
                write!(f, "columns {first} and {second} are both named `{name}`")
            }
            CsvErrorKind::Changed => write!(f, "`{file}` was changed while it was read"),
        }
    }
}

impl std::error::Error for CsvError {}

impl Size {
    fn plural(self) -> &'static str {
        match self {
            Size::Bytes => "bytes",
            Size::Rows => "rows",
            Size::Columns => "columns",
            Size::Cells => "cells",
            Size::Cell => "bytes in one cell",
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hint::HeaderIsData { cells } => write!(f, "every cell of the header is a number ({})", few(cells)),
            Hint::FirstRowIsHeader { cells } => write!(f, "row 1 is text over columns of numbers ({})", few(cells)),
            Hint::Delimiter { found, per_line } => {
                let shown = if *found == '\t' { "a tab".to_owned() } else { format!("`{found}`") };
                match per_line {
                    1 => write!(f, "{shown} occurs once in each line"),
                    _ => write!(f, "{shown} occurs {per_line} times in each line"),
                }
            }
            Hint::DecimalComma { column, place, text, count } => {
                let more = if *count > 1 { format!(" ({count} such cells)") } else { String::new() };
                write!(f, "`{text}` in row {}, column {}{more}: a decimal comma, or thousands?", place.row, column + 1)
            }
        }
    }
}

/// The first few cells as a message shows them.
fn few(cells: &[String]) -> String {
    let shown: Vec<String> = cells.iter().take(3).map(|cell| format!("`{cell}`")).collect();
    let rest = if cells.len() > 3 { ", ..." } else { "" };
    shown.join(", ") + rest
}
