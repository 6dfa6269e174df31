//! CSV as RFC 4180 has it: tables, a row per cell, and a row per recorded row of each run. Numbers read back exactly.
//!
//! A text that a spreadsheet would take for a formula is written with an apostrophe before it.

use std::io;

use super::{FlatValue, flatten};
use crate::diag::printable;
use crate::numeric::format::shortest;
use crate::report::table::Table;
use crate::results::{Fold, Results, Setting, SweepResults};

/// A table.
#[must_use]
pub fn table_csv(table: &Table) -> String {
    let flat = flatten(table);
    let rows = flat.rows.iter().map(|row| row.iter().map(field).collect());
    let headings = flat.headings.iter().map(|heading| guarded(heading)).collect();
    let mut bytes = Vec::new();
    let written = write(&mut bytes, std::iter::once(headings).chain(rows));
    debug_assert!(written.is_ok(), "internal: memory does not fail");
    String::from_utf8(bytes).unwrap_or_default()
}

/// A row per cell of every sweep: what was set, how it ended, and the final value of every quantity that was asked for.
///
/// # Errors
/// What the writer reports.
pub fn runs_csv(results: &Results, out: &mut dyn io::Write) -> io::Result<()> {
    let mut axes: Vec<&str> = Vec::new();
    let mut finals: Vec<String> = Vec::new();
    for sweep in &results.sweeps {
        axes.extend(sweep.axes.iter().map(String::as_str).filter(|axis| !axes.contains(axis)).collect::<Vec<_>>());
        let names = finals_of(sweep).into_iter().flat_map(|(_, names)| names);
        finals.extend(names.filter(|name| !finals.contains(name)).collect::<Vec<_>>());
    }
    let folds = results.sweeps.iter().flat_map(SweepResults::runs).any(|run| run.fold.is_some());
    let mut headings: Vec<String> = ["sweep", "cell", "optimizer", "loss"].map(str::to_owned).to_vec();
    headings.extend(axes.iter().map(|axis| guarded(axis)));
    headings.push("replicate".to_owned());
    headings.extend(folds.then(|| "fold".to_owned()));
    headings.extend(["status", "reason", "steps", "epochs", "evaluations"].map(str::to_owned));
    headings.extend(finals.iter().map(|name| guarded(name)));
    let rows = results.sweeps.iter().flat_map(|sweep| {
        let places: Vec<Option<usize>> = axes.iter().map(|axis| sweep.axes.iter().position(|own| own == axis)).collect();
        // Where each final value is: which fold, which element.
        let own: Vec<(String, usize, usize)> = finals_of(sweep)
            .into_iter()
            .flat_map(|(fold, names)| names.into_iter().enumerate().map(move |(element, name)| (name, fold, element)))
            .collect();
        let sources: Vec<Option<(usize, usize)>> =
            finals.iter().map(|name| own.iter().find(|known| known.0 == *name).map(|(_, fold, element)| (*fold, *element))).collect();
        sweep.runs().map(move |run| {
            let mut row = vec![guarded(&sweep.name), run.id.to_string(), guarded(run.optimizer), guarded(run.loss)];
            row.extend(places.iter().map(|place| place.and_then(|at| run.settings.get(at)).map(setting).unwrap_or_default()));
            row.push(run.replicate.to_string());
            row.extend(folds.then(|| run.fold.map(|fold| fold.to_string()).unwrap_or_default()));
            row.extend([run.status.name().to_owned(), guarded(run.reason)]);
            row.extend([run.steps, run.epochs, run.evaluations].map(|count| count.to_string()));
            row.extend(sources.iter().map(|source| {
                let value = source.and_then(|(fold, element)| run.folded(fold)?.get(element));
                value.map(|x| shortest(*x)).unwrap_or_default()
            }));
            row
        })
    });
    write(out, std::iter::once(headings).chain(rows))
}

/// A row per recorded row of every run of a sweep: cell, step, epoch, and the elements of what was recorded.
///
/// # Errors
/// What the writer reports.
pub fn trace_csv(sweep: &SweepResults, out: &mut dyn io::Write) -> io::Result<()> {
    let traced: Vec<&crate::results::Quantity> = sweep.traced.iter().filter_map(|&quantity| sweep.quantities.get(quantity)).collect();
    let mut headings: Vec<String> = ["cell", "step", "epoch"].map(str::to_owned).to_vec();
    headings.extend(traced.iter().flat_map(|quantity| quantity.element_names()).map(|name| guarded(&name)));
    let rows = sweep.runs().flat_map(|run| {
        let trace = run.trace();
        (0..trace.rows()).map(move |row| {
            let mut line = vec![run.id.to_string(), trace.step(row).to_string(), trace.epoch(row).to_string()];
            line.extend(trace.row(row).map(shortest));
            line
        })
    });
    write(out, std::iter::once(headings).chain(rows))
}

/// The final values that were folded: where they are and the names of their elements.
fn finals_of(sweep: &SweepResults) -> Vec<(usize, Vec<String>)> {
    let finals = sweep.folds.iter().enumerate().filter_map(|(at, fold)| match fold {
        Fold::Final(quantity) => Some((at, sweep.quantities.get(*quantity)?.element_names())),
        _ => None,
    });
    finals.collect()
}

fn setting(setting: &Setting) -> String {
    match setting {
        Setting::Blank => String::new(),
        Setting::Number(x) => shortest(*x),
        Setting::Text(text) => guarded(text),
    }
}

fn field(value: &FlatValue) -> String {
    match value {
        FlatValue::Nothing => String::new(),
        FlatValue::Number(x) => shortest(*x),
        FlatValue::Text(text) => guarded(text),
    }
}

/// A text that is neither a formula nor a control sequence.
fn guarded(text: &str) -> String {
    let text = printable(text);
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
}

fn write(out: &mut dyn io::Write, rows: impl Iterator<Item = Vec<String>>) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    for row in rows {
        writer.write_record(&row)?;
    }
    writer.flush()
}
