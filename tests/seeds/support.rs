//! What the seeds' tests share: running a spec in memory, its tables by column, and judging numbers by the seeds' rule.
//!
//! It knows no seed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use optrun::pipeline::{Failure, Limits, Outcome, RunOptions, prepare, run};
use serde_json::Value;

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Expected numbers.
pub(crate) fn expected(name: &str) -> Value {
    let path = root().join("tests/data/seeds").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

/// The text of a spec of the gallery.
pub(crate) fn gallery(name: &str) -> String {
    std::fs::read_to_string(root().join("specs").join(name)).expect("the gallery's spec")
}

/// The numbers of a list, as deep as it is.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().expect("a number")],
    }
}

/// The lists of a list.
pub(crate) fn lists(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().expect("a list").iter().map(numbers).collect()
}

/// The entries of a table by name.
pub(crate) fn entries(value: &Value) -> Vec<(&str, &Value)> {
    value.as_object().expect("an object").iter().map(|(name, value)| (name.as_str(), value)).collect()
}

/// A folder with a spec in it, and how to run it.
pub(crate) fn options(folder: &Path, text: &str) -> RunOptions {
    let spec = folder.join("spec.opt");
    std::fs::write(&spec, text).expect("the folder can be written");
    let data = Some(root().join("specs"));
    RunOptions { spec, data, only: Vec::new(), set: Vec::new(), threads: std::num::NonZeroUsize::new(2), limits: Limits::default() }
}

/// What the spec gives with the data of the gallery; it must be right.
pub(crate) fn run_text(text: &str) -> Outcome {
    run_in(&root().join("specs"), text)
}

/// What the spec gives with data of a folder; it must be right.
pub(crate) fn run_in(data: &Path, text: &str) -> Outcome {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = RunOptions { data: Some(data.to_owned()), ..options(folder.path(), text) };
    let prepared = prepare(&options).unwrap_or_else(|failure| panic!("{}", told(&failure)));
    run(&prepared.value, &|_| {}).unwrap_or_else(|failure| panic!("{}", told(&failure))).value
}

fn told(failure: &Failure) -> String {
    match failure {
        Failure::Spec { diagnostics, .. } => format!("{diagnostics:#?}"),
        Failure::Wrong(line) | Failure::Outside(line) => line.clone(),
    }
}

/// A csv file that the program wrote, by column.
pub(crate) struct Columns(BTreeMap<String, Vec<String>>);

impl Columns {
    /// The file of that name.
    pub(crate) fn of(outcome: &Outcome, name: &str) -> Columns {
        let file = outcome.artifacts.iter().find(|file| file.name == name).unwrap_or_else(|| panic!("there is no `{name}`"));
        let bytes = file.content.bytes();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let headings: Vec<String> = reader.headers().expect("headings").iter().map(str::to_owned).collect();
        let mut columns: Vec<Vec<String>> = vec![Vec::new(); headings.len()];
        for record in reader.records() {
            for (column, cell) in columns.iter_mut().zip(&record.expect("a row")) {
                column.push(cell.to_owned());
            }
        }
        Columns(headings.into_iter().zip(columns).collect())
    }

    /// The texts of a column.
    pub(crate) fn texts(&self, name: &str) -> &[String] {
        self.0.get(name).unwrap_or_else(|| panic!("there is no column `{name}` among {:?}", self.0.keys()))
    }

    /// The numbers of a column.
    pub(crate) fn numbers(&self, name: &str) -> Vec<f64> {
        self.texts(name).iter().map(|text| text.parse().expect("a number")).collect()
    }

    /// The elements `name[0]`, `name[1]`, ... of a row.
    pub(crate) fn vector(&self, name: &str, row: usize) -> Vec<f64> {
        (0..).map_while(|k| self.0.get(&format!("{name}[{k}]"))).map(|column| column[row].parse().expect("a number")).collect()
    }

    /// The elements `name[0,0]`, `name[0,1]`, ... of a row, one row of the matrix after the other.
    pub(crate) fn matrix(&self, name: &str, row: usize) -> Vec<f64> {
        let line = |i: usize| (0..).map_while(move |k| self.0.get(&format!("{name}[{i},{k}]")));
        (0..).map_while(|i| line(i).next().map(|_| line(i))).flatten().map(|column| column[row].parse().expect("a number")).collect()
    }

    /// The row in which the columns have these texts.
    pub(crate) fn row(&self, wanted: &[(&str, &str)]) -> usize {
        let rows = self.0.values().next().map_or(0, Vec::len);
        let mut found = (0..rows).filter(|&row| wanted.iter().all(|(name, text)| self.texts(name)[row] == *text));
        let row = found.next().unwrap_or_else(|| panic!("there is no row with {wanted:?}"));
        assert!(found.next().is_none(), "there are several rows with {wanted:?}");
        row
    }
}

/// How far a result may be from what is expected: `|got - want| <= absolute + relative*|want|`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tolerance {
    pub(crate) relative: f64,
    pub(crate) absolute: f64,
}

/// Both tolerances.
pub(crate) const fn within(relative: f64, absolute: f64) -> Tolerance {
    Tolerance { relative, absolute }
}

/// Nothing but the same number.
pub(crate) const EXACT: Tolerance = within(0.0, 0.0);

/// Compares many numbers and remembers the worst.
#[derive(Default)]
pub(crate) struct Judge {
    compared: usize,
    worst: f64,
    place: String,
    missed: usize,
}

impl Judge {
    /// Compares two numbers.
    pub(crate) fn see(&mut self, place: impl fmt::Display, got: f64, want: f64, tolerance: Tolerance) {
        let allowed = tolerance.absolute + tolerance.relative * want.abs();
        let off = (got - want).abs();
        let ratio = if off == 0.0 { 0.0 } else { off / allowed };
        self.compared += 1;
        // Not finite counts as missed, too.
        if !matches!(ratio.partial_cmp(&1.0), Some(std::cmp::Ordering::Less | std::cmp::Ordering::Equal)) {
            self.missed += 1;
        }
        if ratio.is_nan() || ratio > self.worst || self.place.is_empty() {
            self.worst = ratio;
            self.place = format!("{place}: {got} instead of {want}, allowed {allowed:e}");
        }
    }

    /// Compares two lists of the same length.
    pub(crate) fn all(&mut self, place: impl fmt::Display, got: &[f64], want: &[f64], tolerance: Tolerance) {
        assert_eq!(got.len(), want.len(), "{place}");
        for (k, (got, want)) in got.iter().zip(want).enumerate() {
            self.see(format_args!("{place} [{k}]"), *got, *want, tolerance);
        }
    }

    /// Every number is close enough, and there were as many as there should be.
    pub(crate) fn verdict(self, compared: usize) {
        let Judge { worst, place, missed, .. } = &self;
        assert_eq!(*missed, 0, "of {} numbers; the worst is off by {worst} times the tolerance at {place}", self.compared);
        assert_eq!(self.compared, compared, "numbers compared");
    }
}
