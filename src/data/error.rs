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

/// Advice: a sentence and, where typing helps, the option of the `csv` line to set and its value as it is written.
pub type Advice = (String, Option<(&'static str, String)>);

impl CsvError {
    /// The headline, about a file of that name.
    #[must_use]
    pub fn message(&self, file: &str) -> String {
        let place = |place: &Place| format!("row {} of `{file}` (line {})", place.row, place.line);
        match &self.kind {
            CsvErrorKind::Missing => format!("there is no file `{file}`"),
            CsvErrorKind::Directory => format!("`{file}` is a folder, not a file"),
            CsvErrorKind::NotAFile => format!("`{file}` is not a regular file"),
            CsvErrorKind::Unreadable(cause) => format!("`{file}` cannot be read: {cause}"),
            CsvErrorKind::Empty => format!("`{file}` is empty"),
            CsvErrorKind::NoRows => format!("`{file}` has a header but no rows"),
            CsvErrorKind::TooLarge { what, limit, line } => {
                let line = line.map_or(String::new(), |line| format!(" (line {line})"));
                format!("`{file}` has more than {limit} {}{line}", what.plural())
            }
            CsvErrorKind::NotUtf8 { byte, line, looks_like } => {
                let kind = looks_like.map_or(String::new(), |kind| format!("; it looks like {kind}"));
                format!("`{file}` is not UTF-8 text: byte {byte}, line {line}{kind}")
            }
            CsvErrorKind::RowLength { place: at, found, expected } => {
                format!("{} has {found} {}, the first line has {expected}", place(at), plural(*found, "cell"))
            }
            CsvErrorKind::OpenQuote { line, column } => {
                format!("a quote opens in line {line}, column {column} of `{file}` and never closes")
            }
            CsvErrorKind::AfterQuote { line, column } => {
                format!("text follows a closing quote in line {line}, column {column} of `{file}`")
            }
            CsvErrorKind::NameCount { found, named } => {
                let are = if *named == 1 { "is" } else { "are" };
                format!("`{file}` has {found} {}, {named} {are} named", plural(*found, "column"))
            }
            CsvErrorKind::SameName { name, first, second, from_spec: false } => {
                format!("columns {first} and {second} of `{file}` are both called `{name}`")
            }
            CsvErrorKind::SameName { name, first, second, from_spec: true } => {
                format!("columns {first} and {second} are both named `{name}`")
            }
            CsvErrorKind::Changed => format!("`{file}` was changed while it was read"),
        }
    }

    /// The part of the spec that it is about, if not the path: the names in `columns`, or an option of the `csv` line.
    #[must_use]
    pub fn option(&self) -> Option<&'static str> {
        let suspected = || self.hints.iter().find_map(|hint| hint.advice().1).map(|(option, _)| option);
        match &self.kind {
            CsvErrorKind::NameCount { .. } | CsvErrorKind::SameName { from_spec: true, .. } => suspected().or(Some("columns")),
            CsvErrorKind::RowLength { .. } | CsvErrorKind::SameName { .. } => suspected(),
            _ => None,
        }
    }

    /// What to do, likeliest first.
    #[must_use]
    pub fn helps(&self) -> Vec<Advice> {
        let mut helps: Vec<Advice> = self.hints.iter().map(Hint::advice).collect();
        let own = match &self.kind {
            CsvErrorKind::Missing | CsvErrorKind::Directory | CsvErrorKind::NotAFile => Some("paths start from the folder of the spec"),
            CsvErrorKind::NotUtf8 { .. } => Some("save the file in UTF-8"),
            CsvErrorKind::NoRows => {
                return vec![("if the only line is data, there is no header".to_owned(), Some(("header", "false".to_owned())))];
            }
            CsvErrorKind::RowLength { .. } if helps.is_empty() => Some("a cell that holds the delimiter stands in quotes: `\"a, b\"`"),
            CsvErrorKind::OpenQuote { .. } | CsvErrorKind::AfterQuote { .. } => {
                Some("a cell in quotes ends with a quote; a quote inside it is written twice: `\"5\"\" disk\"`")
            }
            CsvErrorKind::NameCount { .. } if helps.is_empty() => Some("name every column of the file, in its order"),
            CsvErrorKind::SameName { from_spec: false, .. } if helps.is_empty() => {
                Some("give the columns other names in a line `columns a, b, ..`, in the order of the file")
            }
            _ => None,
        };
        helps.extend(own.map(|text| (text.to_owned(), None)));
        helps
    }
}

impl Hint {
    /// What was noticed, and what to set because of it.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            Hint::HeaderIsData { cells } => {
                (format!("every cell of the header is a number ({}): there is none", few(cells)), Some(("header", "false".to_owned())))
            }
            Hint::FirstRowIsHeader { cells } => {
                (format!("row 1 is text over columns of numbers ({}): it is the header", few(cells)), Some(("header", "true".to_owned())))
            }
            Hint::Delimiter { found, per_line } => {
                let (shown, written) = match found {
                    '\t' => ("a tab".to_owned(), "\"\\t\"".to_owned()),
                    _ => (format!("`{found}`"), format!("\"{found}\"")),
                };
                let times = if *per_line == 1 { "once".to_owned() } else { format!("{per_line} times") };
                (format!("{shown} occurs {times} in each line"), Some(("delimiter", written)))
            }
            Hint::DecimalComma { column, place, text, count } => {
                let more = if *count > 1 { format!(" ({count} such cells)") } else { String::new() };
                let text = format!(
                    "`{text}` in row {}, column {}{more}: a decimal comma, or thousands? Numbers have a point",
                    place.row,
                    column + 1
                );
                (text, None)
            }
        }
    }
}

impl fmt::Display for CsvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(&self.file))
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

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// The first few cells as a message shows them.
fn few(cells: &[String]) -> String {
    let shown: Vec<String> = cells.iter().take(3).map(|cell| format!("`{cell}`")).collect();
    let rest = if cells.len() > 3 { ", ..." } else { "" };
    shown.join(", ") + rest
}
