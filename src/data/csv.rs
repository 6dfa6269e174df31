//! A csv file into a [`Table`], within limits.
//!
//! It does not choose the layout: the spec says header, delimiter and missing marks, and what contradicts them is told as a hint.

use std::collections::BTreeMap;
use std::path::Path;

use unicode_normalization::UnicodeNormalization;

use super::cells::{ColumnBuilder, is_missing};
use super::dialect::{Delimiters, decimal_commas, first_row_is_header, header_is_data};
use super::error::{CsvError, CsvErrorKind, Hint, Size};
use super::input::Input;
use super::scan::{Record, Scanner};
use super::{Column, ColumnValues, Place, Table};

/// What a spec says about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOptions {
    /// Whether the first line has names.
    pub header: bool,
    /// Texts that mean "no value", beside the empty cell.
    pub missing: Vec<String>,
    /// The character between cells: one ASCII character.
    pub delimiter: u8,
    /// Names in place of the header's.
    pub columns: Option<Vec<String>>,
    /// What is refused as too large.
    pub limits: Limits,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions { header: true, missing: Vec::new(), delimiter: b',', columns: None, limits: Limits::default() }
    }
}

/// The most that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: u64,
    /// Rows; at most `u32::MAX`.
    pub rows: u64,
    /// Columns.
    pub columns: u64,
    /// Rows times columns.
    pub cells: u64,
    /// Bytes of one cell.
    pub cell_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 1 << 30, rows: 1 << 27, columns: 100_000, cells: 1 << 27, cell_bytes: 1 << 20 }
    }
}

/// Reads a file; `name` is the path as the user wrote it. The file is read once, or twice if it has columns of text.
///
/// # Errors
/// When it cannot be read, is not as the options say, or exceeds a limit.
pub fn read_csv(path: &Path, name: &str, options: &CsvOptions) -> Result<Table, CsvError> {
    let mut reading = Reading::new(options);
    let table = reading.read_numbers(path).and_then(|hash| reading.finish(path, hash));
    table.map_err(|kind| {
        // Names that fit no line are the plainer mistake.
        let kind = if matches!(kind, CsvErrorKind::RowLength { .. }) { reading.name_count().unwrap_or(kind) } else { kind };
        // A wrong delimiter shows as rows of odd length or as a wrong number of columns.
        if matches!(kind, CsvErrorKind::RowLength { .. } | CsvErrorKind::NameCount { .. } | CsvErrorKind::SameName { .. }) {
            reading.hints.extend(reading.delimiters.hint());
        }
        CsvError { file: name.to_owned(), kind, hints: std::mem::take(&mut reading.hints) }
    })
}

/// A file while it is read.
struct Reading<'a> {
    options: &'a CsvOptions,
    delimiters: Delimiters,
    hints: Vec<Hint>,
    /// The first line's cells: the header, or row 1.
    first: Option<Vec<String>>,
    columns: Vec<ColumnBuilder>,
    rows: u64,
}

impl<'a> Reading<'a> {
    fn new(options: &'a CsvOptions) -> Self {
        Reading { options, delimiters: Delimiters::default(), hints: Vec::new(), first: None, columns: Vec::new(), rows: 0 }
    }

    /// Reads everything that is a number; gives the hash of the file.
    fn read_numbers(&mut self, path: &Path) -> Result<String, CsvErrorKind> {
        let options = self.options;
        scan_file(path, options, &mut |record| self.take(record))
    }

    /// Takes one line.
    fn take(&mut self, record: &Record) -> Result<(), CsvErrorKind> {
        self.delimiters.look(record);
        if self.first.is_none() {
            self.start(record);
            if self.options.header {
                return Ok(());
            }
        }
        let place = Place { row: self.rows + 1, line: record.line };
        if record.len() != self.columns.len() {
            return Err(CsvErrorKind::RowLength { place, found: record.len(), expected: self.columns.len() });
        }
        let limits = self.options.limits;
        for (what, found, limit) in
            [(Size::Rows, place.row, limits.rows), (Size::Cells, place.row * self.columns.len() as u64, limits.cells)]
        {
            if found > limit {
                return Err(CsvErrorKind::TooLarge { what, limit, line: Some(record.line) });
            }
        }
        for (cell, column) in record.cells().zip(&mut self.columns) {
            column.push(cell, place, &self.options.missing);
        }
        self.rows += 1;
        Ok(())
    }

    /// Takes the first line: it says how many columns there are.
    fn start(&mut self, record: &Record) {
        let cells: Vec<String> = record.cells().map(str::to_owned).collect();
        self.columns.resize_with(cells.len(), ColumnBuilder::default);
        if self.options.header {
            self.hints.extend(header_is_data(&cells));
        }
        self.first = Some(cells);
    }

    /// The refusal when the spec names another number of columns than there are.
    fn name_count(&self) -> Option<CsvErrorKind> {
        let (found, named) = (self.columns.len(), self.options.columns.as_ref()?.len());
        (named != found).then_some(CsvErrorKind::NameCount { found, named })
    }

    /// Names the columns, reads the texts, collects the hints.
    fn finish(&mut self, path: &Path, bytes_hash: String) -> Result<Table, CsvErrorKind> {
        let first = self.first.take().ok_or(CsvErrorKind::Empty)?;
        if self.rows == 0 {
            return Err(CsvErrorKind::NoRows);
        }
        let names = self.names(&first)?;
        if self.columns.len() == 1 {
            self.hints.extend(self.delimiters.hint());
        }
        if !self.options.header {
            self.hints.extend(first_row_is_header(&first, &self.columns));
        }
        self.hints.extend(decimal_commas(&self.columns));
        let mut texts = self.read_texts(path, &bytes_hash)?;
        let columns = std::mem::take(&mut self.columns);
        let columns = names.into_iter().zip(columns).enumerate().map(|(index, (name, column))| {
            let numbers = column.numbers();
            let ColumnBuilder { values, missing, texts: stray, .. } = column;
            let values = match texts.remove(&index) {
                None => ColumnValues::Numbers { values, missing },
                Some(values) => ColumnValues::Texts { values, missing, mostly_numeric: stray.filter(|stray| numbers > stray.count) },
            };
            Column { name, values }
        });
        let columns = columns.collect();
        Ok(Table { columns, rows: self.rows as usize, hints: std::mem::take(&mut self.hints), bytes_hash })
    }

    /// The names of the columns, all different.
    fn names(&self, first: &[String]) -> Result<Vec<String>, CsvErrorKind> {
        if let Some(kind) = self.name_count() {
            return Err(kind);
        }
        let from_spec = self.options.columns.is_some();
        let names: Vec<String> = match &self.options.columns {
            Some(names) => names.clone(),
            None if self.options.header => {
                // A column without a name in the header is called as if there were none.
                first
                    .iter()
                    .enumerate()
                    .map(|(index, name)| if name.is_empty() { format!("c{index}") } else { name.nfkc().collect() })
                    .collect()
            }
            None => (0..first.len()).map(|index| format!("c{index}")).collect(),
        };
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, name) in names.iter().enumerate() {
            if let Some(before) = seen.insert(name, index) {
                return Err(CsvErrorKind::SameName { name: name.clone(), first: before + 1, second: index + 1, from_spec });
            }
        }
        Ok(names)
    }

    /// Reads the file again for the columns that have texts.
    fn read_texts(&self, path: &Path, hash: &str) -> Result<BTreeMap<usize, Vec<String>>, CsvErrorKind> {
        let with_texts = self.columns.iter().enumerate().filter(|(_, column)| column.texts.is_some());
        let mut texts: BTreeMap<usize, Vec<String>> = with_texts.map(|(index, _)| (index, Vec::new())).collect();
        if texts.is_empty() {
            return Ok(texts);
        }
        let mut skip = self.options.header;
        let again = scan_file(path, self.options, &mut |record| {
            if std::mem::take(&mut skip) {
                return Ok(());
            }
            for (&index, values) in &mut texts {
                let cell = if index < record.len() { record.cell(index) } else { "" };
                values.push(if is_missing(cell, &self.options.missing) { String::new() } else { cell.to_owned() });
            }
            Ok(())
        })?;
        if again == hash { Ok(texts) } else { Err(CsvErrorKind::Changed) }
    }
}

/// Hands every record of a file to `each`; gives the hash of the bytes.
fn scan_file(
    path: &Path,
    options: &CsvOptions,
    each: &mut impl FnMut(&Record) -> Result<(), CsvErrorKind>,
) -> Result<String, CsvErrorKind> {
    let mut input = Input::open(path, options.limits.bytes)?;
    let mut scanner = Scanner::new(options.delimiter, options.limits);
    while let Some(piece) = input.next_piece()? {
        scanner.feed(piece, each)?;
    }
    scanner.finish(each)?;
    Ok(input.hash())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    fn read(bytes: &[u8], options: &CsvOptions) -> Result<Table, CsvError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.csv");
        fs::write(&path, bytes).unwrap();
        read_csv(&path, "f.csv", options)
    }

    fn bare() -> CsvOptions {
        CsvOptions { header: false, ..CsvOptions::default() }
    }

    fn error(bytes: &[u8], options: &CsvOptions) -> CsvError {
        read(bytes, options).unwrap_err()
    }

    fn numbers<'t>(table: &'t Table, name: &str) -> &'t [f64] {
        match &table.column(name).unwrap().values {
            ColumnValues::Numbers { values, .. } => values,
            ColumnValues::Texts { .. } => panic!("`{name}` is text"),
        }
    }

    fn specs_data(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/data").join(name)
    }

    #[test]
    fn wisconsin_has_699_rows_and_16_missing_nuclei() {
        let names = "id clump size shape adhesion epithelial nuclei chromatin nucleoli mitoses class";
        let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
        let options = CsvOptions { missing: vec!["?".to_owned()], columns: Some(names), ..bare() };
        let table = read_csv(&specs_data("breast-cancer-wisconsin.data"), "w", &options).unwrap();
        assert_eq!((table.rows, table.columns.len()), (699, 11));
        assert!(table.hints.is_empty(), "{:?}", table.hints);
        let missing = table.column("nuclei").unwrap().values.missing();
        assert_eq!((missing.len(), missing[0]), (16, 23));
        // The distribution that the file's own description gives: 458 benign (2), 241 malignant (4).
        let class = numbers(&table, "class");
        assert_eq!(class.iter().filter(|&&c| c == 2.0).count(), 458);
        assert_eq!(class.iter().filter(|&&c| c == 4.0).count(), 241);
    }

    #[test]
    fn an_undeclared_mark_is_told_and_left_to_the_use() {
        let table = read_csv(&specs_data("breast-cancer-wisconsin.data"), "w", &bare()).unwrap();
        let ColumnValues::Texts { values, missing, mostly_numeric } = &table.column("c6").unwrap().values else { panic!("text") };
        assert_eq!((values.len(), missing.len(), values[23].as_str()), (699, 0, "?"));
        let stray = mostly_numeric.as_ref().unwrap();
        assert_eq!(*stray, crate::data::Stray { place: Place { row: 24, line: 24 }, text: "?".to_owned(), count: 16 });
        assert!(stray.looks_missing());
    }

    #[test]
    fn wdbc_has_569_rows_of_31_numbers() {
        let path = specs_data("breast_cancer_wdbc.csv");
        let table = read_csv(&path, "w", &CsvOptions::default()).unwrap();
        assert_eq!((table.rows, table.columns.len()), (569, 31));
        assert_eq!(numbers(&table, "mean_radius")[..2], [17.99, 20.57]);
        assert_eq!(numbers(&table, "target").iter().sum::<f64>(), 357.0);
        assert_eq!(table.bytes_hash, blake3::hash(&fs::read(path).unwrap()).to_hex().to_string());
    }

    #[test]
    fn byte_order_mark_returns_quotes_and_names() {
        let table = read("\u{feff}\"a b\",θ,,ﬁt\r\n1,x,,4\r\n\r\n,\"y, z\",3,5\r\n".as_bytes(), &CsvOptions::default()).unwrap();
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["a b", "θ", "c2", "fit"]);
        assert_eq!(table.columns[0].values.missing(), [1]);
        assert_eq!(table.columns[2].values.missing(), [0]);
        let ColumnValues::Texts { values, mostly_numeric: None, .. } = &table.columns[1].values else { panic!("labels") };
        assert_eq!(values, &["x", "y, z"]);
    }

    #[test]
    fn what_is_no_table_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let options = CsvOptions::default();
        let refused = |path: &Path| read_csv(path, "data/x.csv", &options).unwrap_err().to_string();
        assert_eq!(refused(&folder.path().join("none.csv")), "there is no file `data/x.csv`");
        assert_eq!(refused(folder.path()), "`data/x.csv` is a folder, not a file");
        #[cfg(unix)]
        assert_eq!(refused(Path::new("/dev/zero")), "`data/x.csv` is not a regular file");
        let said = |bytes: &[u8]| error(bytes, &options).to_string();
        assert_eq!(said(b""), "`f.csv` is empty");
        assert_eq!(said(b"\xef\xbb\xbf\n\n"), "`f.csv` is empty");
        assert_eq!(said(b"a,b\n"), "`f.csv` has a header but no rows");
        assert_eq!(said(b"a,b\n1,2\n3\n"), "row 2 of `f.csv` (line 3) has 1 cell, the first line has 2");
        assert_eq!(said(b"a,b\n\n1,2,3\n"), "row 1 of `f.csv` (line 3) has 3 cells, the first line has 2");
        assert_eq!(said(b"a,b,a\n1,2,3\n"), "columns 1 and 3 of `f.csv` are both called `a`");
        assert_eq!(said(b"a,b\n1,\"2\n"), "a quote opens in line 2, column 2 of `f.csv` and never closes");
        assert_eq!(
            said(b"name\nok\ncaf\xe9\n"),
            "`f.csv` is not UTF-8 text: byte 11, line 3; it looks like text in an older encoding such as Latin-1"
        );
        assert_eq!(
            said(b"PK\x03\x04\x14\0"),
            "`f.csv` is not UTF-8 text: byte 0, line 1; it looks like an Excel workbook or a zip archive"
        );
    }

    #[test]
    fn a_character_cut_by_the_end_of_a_piece_is_whole() {
        for pad in (1 << 16) - 3..=1 << 16 {
            let text = format!("a\n{}€\n7\n", "x".repeat(pad - 2));
            let table = read(text.as_bytes(), &CsvOptions::default()).unwrap();
            assert_eq!(table.rows, 2, "{pad}");
            let cut = &text.as_bytes()[..=pad];
            let CsvErrorKind::NotUtf8 { byte, line, .. } = error(cut, &CsvOptions::default()).kind else { panic!("{pad}") };
            assert_eq!((byte, line), (pad as u64, 2));
        }
    }

    #[test]
    fn names_in_the_spec_must_fit() {
        let named = |names: &[&str]| CsvOptions { columns: Some(names.iter().map(|&n| n.to_owned()).collect()), ..bare() };
        let wrong = error(b"1,2,3\n4,5,6\n", &named(&["a", "b"]));
        assert_eq!((wrong.to_string(), wrong.hints.len()), ("`f.csv` has 3 columns, 2 are named".to_owned(), 0));
        assert_eq!(error(b"1,2\n", &named(&["a", "a"])).to_string(), "columns 1 and 2 are both named `a`");
        let wrong = error(b"1;2\n4;5\n", &named(&["a", "b"]));
        assert_eq!(wrong.to_string(), "`f.csv` has 1 column, 2 are named");
        assert_eq!(wrong.hints, [Hint::Delimiter { found: ';', per_line: 1 }]);
        assert_eq!(wrong.option(), Some("delimiter"));
        assert_eq!(wrong.helps(), [("`;` occurs once in each line".to_owned(), Some(("delimiter", "\";\"".to_owned())))]);
    }

    #[test]
    fn a_wrong_layout_is_guessed() {
        let hints = |bytes: &[u8], options: &CsvOptions| match read(bytes, options) {
            Ok(table) => table.hints,
            Err(error) => error.hints,
        };
        let all = CsvOptions::default();
        assert_eq!(hints(b"a\tb\tc\n1\t2\t3\n", &all), [Hint::Delimiter { found: '\t', per_line: 2 }]);
        assert_eq!(hints(b"a;b\n1,5;2\n3;4\n", &all), [Hint::Delimiter { found: ';', per_line: 1 }]);
        assert_eq!(hints(b"text\nno, it; is\nnot; so\n", &all), []);
        assert_eq!(hints(b"1,2\n3,4\n", &all), [Hint::HeaderIsData { cells: vec!["1".to_owned(), "2".to_owned()] }]);
        let doubled = error(b"1,1\n3,4\n", &all);
        assert_eq!((doubled.to_string(), doubled.option()), ("columns 1 and 2 of `f.csv` are both called `1`".to_owned(), Some("header")));
        let header = Hint::FirstRowIsHeader { cells: vec!["a".to_owned(), "b".to_owned()] };
        assert_eq!(hints(b"a,b\n3,x\n5,y\n", &bare()), [header]);
        assert_eq!(hints(b"a,b\nc,d\n", &bare()), [], "all text");
        let semicolon = CsvOptions { delimiter: b';', ..CsvOptions::default() };
        let comma = Hint::DecimalComma { column: 1, place: Place { row: 2, line: 3 }, text: "2,5".to_owned(), count: 1 };
        assert_eq!(hints(b"a;b\n1;2\n3;2,5\n", &semicolon), [comma]);
    }

    #[test]
    fn limits_hold() {
        let limits = Limits { bytes: 100, rows: 3, columns: 4, cells: 8, cell_bytes: 5 };
        let options = CsvOptions { limits, ..bare() };
        let beyond = |bytes: &[u8]| match error(bytes, &options).kind {
            CsvErrorKind::TooLarge { what, .. } => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(beyond(&[b'1'; 101]), Size::Bytes);
        assert_eq!(beyond(b"1\n2\n3\n4\n"), Size::Rows);
        assert_eq!(beyond(b"1,2,3,4,5\n"), Size::Columns);
        assert_eq!(beyond(b"1,2,3\n1,2,3\n1,2,3\n"), Size::Cells);
        assert_eq!(beyond(b"\"123456"), Size::Cell);
        assert!(read(b"12345,2\n3,4\n5,6\n", &options).is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_table_or_a_refusal(bytes in prop::collection::vec(any::<u8>(), 0..200), header: bool) {
            let _ = read(&bytes, &CsvOptions { header, ..CsvOptions::default() });
        }

        #[test]
        fn any_text_ends_in_a_table_or_a_refusal(text in "[0-9a-c,;\"\r\n\t.?é-]{0,80}", header: bool, delimiter in "[,;\t]") {
            let options = CsvOptions { header, delimiter: delimiter.as_bytes()[0], missing: vec!["?".to_owned()], ..CsvOptions::default() };
            if let Ok(table) = read(text.as_bytes(), &options) {
                for column in &table.columns {
                    let rows = match &column.values {
                        ColumnValues::Numbers { values, .. } => values.len(),
                        ColumnValues::Texts { values, .. } => values.len(),
                    };
                    prop_assert_eq!(rows, table.rows);
                }
            }
        }

        /// Any finite number that is written is read to the same bits.
        #[test]
        fn numbers_come_back(values in prop::collection::vec(any::<f64>().prop_filter("finite", |v| v.is_finite()), 1..20)) {
            let text = values.iter().map(|value| format!("{value:e}")).collect::<Vec<_>>().join("\n");
            let table = read(text.as_bytes(), &bare()).unwrap();
            let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(numbers(&table, "c0")), bits(&values));
        }
    }
}
