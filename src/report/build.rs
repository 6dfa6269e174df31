//! Everything a file asks to see: its tables, figures and judged expectations, in its order.
//!
//! It writes no files and prints nothing.

use super::cells::Reader;
use super::expect::{CheckResult, judge};
use super::figure::Figure;
use super::plot::figure;
use super::table::{Table, table};
use crate::results::Results;
use crate::results::view::Views;

/// What is shown of the results.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// In the order of the file.
    pub tables: Vec<Table>,
    /// In the order of the file.
    pub figures: Vec<Figure>,
    /// In the order of the file.
    pub checks: Vec<CheckResult>,
    /// What the user should know about them.
    pub warnings: Vec<String>,
}

/// Evaluates all outputs and checks.
#[must_use]
pub fn build(views: &Views, results: &Results) -> Report {
    let reader = Reader::new(results);
    let tables = views.tables.iter().map(|view| table(&reader, view)).collect();
    let figures = views.plots.iter().map(|view| figure(&reader, view)).collect();
    let checks = views.expects.iter().map(|view| judge(&reader, view)).collect();
    Report { tables, figures, checks, warnings: reader.warnings() }
}
