//! Text into records of cells: delimiters, quotes, line ends.
//!
//! It does not look at what a cell means. It is our own, and not the `csv` crate, for three things: a cell's length is bounded while it is read (an unclosed
//! quote would swallow the file), such a quote is an error with the line where it opens, and lines are counted over blank ones. A test compares the two.

use super::csv::Limits;
use super::error::{CsvErrorKind, Size};

/// One line of a table. Blanks at the ends of its cells are not part of them.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The line of the file at which it starts, from 1.
    pub(super) line: u64,
    text: String,
    ends: Vec<usize>,
}

impl Record {
    /// The number of cells.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cells.
    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|index| self.cell(index))
    }

    /// One cell.
    pub(super) fn cell(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.text[start..self.ends[index]].trim()
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }
}

/// Where in a cell the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the start of a line that has nothing yet.
    LineStart,
    /// Before a cell's first character that is not blank.
    CellStart,
    /// In a cell without quotes.
    Plain,
    /// In a quoted cell.
    Quoted,
    /// After a quote in a quoted cell: its end, or the first of two.
    Quote,
    /// Between the closing quote and the delimiter.
    Closed,
}

/// Reads text piece by piece.
pub(super) struct Scanner {
    delimiter: u8,
    limits: Limits,
    state: State,
    record: Record,
    /// The current line.
    line: u64,
    /// The line of the last opening quote.
    quote_line: u64,
    /// Whether the last byte was `\r`, so that `\n` belongs to it.
    after_return: bool,
}

impl Scanner {
    pub(super) fn new(delimiter: u8, limits: Limits) -> Self {
        Scanner { delimiter, limits, state: State::LineStart, record: Record::default(), line: 1, quote_line: 1, after_return: false }
    }

    /// Goes on with the next piece, calling `each` at the end of every record. Blank lines are none.
    pub(super) fn feed(&mut self, piece: &str, each: &mut impl FnMut(&Record) -> Result<(), CsvErrorKind>) -> Result<(), CsvErrorKind> {
        let bytes = piece.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            if std::mem::take(&mut self.after_return) && byte == b'\n' {
                at += 1;
                continue;
            }
            match self.state {
                State::Plain => {
                    let rest = &bytes[at..];
                    let run = rest.iter().position(|&b| b == self.delimiter || b == b'\n' || b == b'\r').unwrap_or(rest.len());
                    self.push(&piece[at..at + run])?;
                    at += run;
                    if at < bytes.len() {
                        self.end_of_cell(bytes[at], each)?;
                        at += 1;
                    }
                }
                State::Quoted => {
                    let rest = &bytes[at..];
                    let run = rest.iter().position(|&b| b == b'"').unwrap_or(rest.len());
                    self.line += piece[at..at + run].matches('\n').count() as u64;
                    self.push(&piece[at..at + run])?;
                    at += run;
                    if at < bytes.len() {
                        self.state = State::Quote;
                        at += 1;
                    }
                }
                State::Quote if byte == b'"' => {
                    self.push("\"")?;
                    self.state = State::Quoted;
                    at += 1;
                }
                State::LineStart | State::CellStart | State::Quote | State::Closed => {
                    at += 1;
                    if byte == self.delimiter || byte == b'\n' || byte == b'\r' {
                        self.end_of_cell(byte, each)?;
                    } else if byte == b' ' || byte == b'\t' {
                        // A line of blanks is a blank line, except that blanks after a quote close it.
                        if self.state == State::Quote {
                            self.state = State::Closed;
                        }
                    } else if matches!(self.state, State::Quote | State::Closed) {
                        return Err(CsvErrorKind::AfterQuote { line: self.line, column: self.record.len() + 1 });
                    } else {
                        self.start_line();
                        if byte == b'"' {
                            self.state = State::Quoted;
                            self.quote_line = self.line;
                        } else {
                            self.state = State::Plain;
                            at -= 1;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Ends the last line, which may have no line end.
    pub(super) fn finish(&mut self, each: &mut impl FnMut(&Record) -> Result<(), CsvErrorKind>) -> Result<(), CsvErrorKind> {
        match self.state {
            State::LineStart => Ok(()),
            State::Quoted => Err(CsvErrorKind::OpenQuote { line: self.quote_line, column: self.record.len() + 1 }),
            State::CellStart | State::Plain | State::Quote | State::Closed => self.end_of_cell(b'\n', each),
        }
    }

    /// A delimiter or a line end was read.
    fn end_of_cell(&mut self, byte: u8, each: &mut impl FnMut(&Record) -> Result<(), CsvErrorKind>) -> Result<(), CsvErrorKind> {
        if byte == self.delimiter {
            self.start_line();
            self.end_cell()?;
            self.state = State::CellStart;
            return Ok(());
        }
        if self.state != State::LineStart {
            self.end_cell()?;
            each(&self.record)?;
            self.record.clear();
            self.state = State::LineStart;
        }
        self.line += 1;
        self.after_return = byte == b'\r';
        Ok(())
    }

    fn start_line(&mut self) {
        if self.state == State::LineStart {
            self.record.line = self.line;
        }
    }

    fn end_cell(&mut self) -> Result<(), CsvErrorKind> {
        self.record.ends.push(self.record.text.len());
        self.within(Size::Columns, self.record.ends.len() as u64, self.limits.columns)
    }

    fn push(&mut self, run: &str) -> Result<(), CsvErrorKind> {
        let start = self.record.ends.last().copied().unwrap_or(0);
        self.within(Size::Cell, (self.record.text.len() - start + run.len()) as u64, self.limits.cell_bytes)?;
        self.record.text.push_str(run);
        Ok(())
    }

    fn within(&self, what: Size, found: u64, limit: u64) -> Result<(), CsvErrorKind> {
        if found <= limit { Ok(()) } else { Err(CsvErrorKind::TooLarge { what, limit, line: Some(self.record.line) }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The cells of a text that is fed in pieces of `size` bytes (at character boundaries).
    fn scan(text: &str, size: usize) -> Result<Vec<Vec<String>>, CsvErrorKind> {
        let mut scanner = Scanner::new(b',', Limits::default());
        let mut rows = Vec::new();
        let mut each = |record: &Record| {
            rows.push(record.cells().map(str::to_owned).collect());
            Ok(())
        };
        let mut rest = text;
        while !rest.is_empty() {
            let mut cut = size.min(rest.len());
            while !rest.is_char_boundary(cut) {
                cut += 1;
            }
            scanner.feed(&rest[..cut], &mut each)?;
            rest = &rest[cut..];
        }
        scanner.finish(&mut each)?;
        Ok(rows)
    }

    #[test]
    fn quotes_line_ends_and_blanks() {
        let text = " a , \"b,\"\"c\"\"\" ,\r\n\r\n   \n\"x\ny\",,\rlast,2,3";
        let expected = vec![vec!["a", "b,\"c\"", ""], vec!["x\ny", "", ""], vec!["last", "2", "3"]];
        for size in 1..text.len() {
            assert_eq!(scan(text, size).unwrap(), expected, "pieces of {size}");
        }
    }

    #[test]
    fn lines_are_counted_over_blank_lines_and_inside_quotes() {
        let mut scanner = Scanner::new(b',', Limits::default());
        let mut lines = Vec::new();
        let mut each = |record: &Record| {
            lines.push(record.line);
            Ok(())
        };
        scanner.feed("a\n\n\"b\nc\"\r\n\r\nd\re\n", &mut each).unwrap();
        scanner.finish(&mut each).unwrap();
        assert_eq!(lines, [1, 3, 6, 7]);
    }

    #[test]
    fn a_quote_that_never_closes_is_told_where_it_opens() {
        assert_eq!(scan("a,b\n1,\"2\n3,4\n", 100), Err(CsvErrorKind::OpenQuote { line: 2, column: 2 }));
        assert_eq!(scan("a,b\n\"1\"x,2\n", 100), Err(CsvErrorKind::AfterQuote { line: 2, column: 1 }));
    }

    proptest! {
        #[test]
        fn any_text_gives_the_same_in_any_pieces(text in "[a-c,\"\r\n \u{e9}]{0,60}", size in 1usize..20) {
            prop_assert_eq!(scan(&text, size), scan(&text, 1000));
        }

        /// What the `csv` crate writes is read back, and read as it reads it.
        #[test]
        fn agrees_with_the_csv_crate(rows in prop::collection::vec(prop::collection::vec("[a-z,\"\n;]{1,6}", 3), 1..6)) {
            let mut writer = ::csv::Writer::from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let trimmed: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| cell.trim().to_owned()).collect()).collect();
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).trim(::csv::Trim::All).from_reader(text.as_bytes());
            let read: Vec<Vec<String>> = reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
            prop_assert_eq!(&read, &trimmed);
            prop_assert_eq!(scan(&text, 7).unwrap(), read);
        }
    }
}
