//! Tables of predicted classes against true ones: scores of each class, or counts.
//!
//! It counts nothing itself.

use super::{CellValue, Column, Table, further_axes, key_value, marks, notes};
use crate::report::cells::{Place, Reader};
use crate::report::classes::{Classes, Judge, Scores, average, scores};
use crate::report::keys::Channel;
use crate::report::statistics::{half_width, mean};
use crate::results::view::{ClassTable, Judged, TableView};

/// How scores are written unless the table says otherwise.
const FORMAT: &str = "%.2f";

/// The table of a view that judges classes.
pub(super) fn table(reader: &Reader<'_>, view: &TableView, kind: ClassTable, judged: &Judged) -> Table {
    let cells = reader.select(&view.selection);
    let further = further_axes(reader, view, &view.rows, &cells);
    let rows = Channel::new(reader, &view.rows, &further, &cells);
    let judge = Judge::new(reader, judged, &cells);
    let classes = judge.classes(reader, judged, &cells);
    let mut columns: Vec<Column> =
        (0..rows.names.len()).map(|at| Column { decades: rows.by_decades(at), ..Column::plain(rows.names[at]) }).collect();
    columns.push(Column::plain(if kind == ClassTable::Report { "class" } else { "true class" }));
    let column = |title: &str, group: &str, format: Option<String>| Column {
        group: group.to_owned(),
        title: title.to_owned(),
        format,
        decades: false,
    };
    match kind {
        ClassTable::Report => {
            let format = Some(view.format.clone().unwrap_or_else(|| FORMAT.to_owned()));
            columns.extend(["precision", "recall", "f1"].map(|title| column(title, "", format.clone())));
            columns.push(column("support", "", None));
        }
        ClassTable::Confusion => columns.extend(classes.names.iter().map(|name| column(name, "predicted", view.format.clone()))),
    }
    let mut body = Vec::new();
    for index in 0..rows.len() {
        let own: Vec<Place> = cells.iter().copied().filter(|&place| rows.index(place) == index).collect();
        let keys: Vec<CellValue> = rows.tuples[index].iter().map(|&value| key_value(value)).collect();
        let lines = match kind {
            ClassTable::Report => report_lines(reader, &judge, &classes, &own),
            ClassTable::Confusion => confusion_lines(reader, &judge, &classes, &own),
        };
        body.extend(lines.into_iter().map(|line| keys.iter().cloned().chain(line).collect::<Vec<_>>()));
    }
    let notes = notes(reader, &cells, &body);
    Table { name: view.name.clone(), caption: view.caption.clone(), notes, columns, rows: body }
}

/// The values of several runs as one cell of the table.
fn entry(reader: &Reader<'_>, own: &[Place], values: &[f64]) -> CellValue {
    let mark = marks(reader, own);
    match values {
        [] => CellValue::Blank,
        [value, rest @ ..] if rest.iter().all(|x| x.to_bits() == value.to_bits()) => CellValue::Number { value: *value, mark },
        _ => CellValue::Estimate { mean: mean(values), half_width: half_width(values), mark },
    }
}

/// The accuracy of a run, and the scores of each class.
type Run = (f64, Vec<Scores>);

fn report_lines(reader: &Reader<'_>, judge: &Judge<'_, '_>, classes: &Classes, own: &[Place]) -> Vec<Vec<CellValue>> {
    let runs: Vec<Run> = own.iter().map(|&place| scores(&judge.counts(classes, place))).collect();
    let line = |name: &str, of: &dyn Fn(&Run) -> Scores| {
        let all: Vec<Scores> = runs.iter().map(of).collect();
        let column = |of: fn(&Scores) -> f64| entry(reader, own, &all.iter().map(of).collect::<Vec<_>>());
        vec![CellValue::Text(name.to_owned()), column(|s| s.precision), column(|s| s.recall), column(|s| s.f1), column(|s| s.support)]
    };
    let mut lines: Vec<Vec<CellValue>> = classes.names.iter().enumerate().map(|(at, name)| line(name, &|run| run.1[at])).collect();
    let mut accuracy = line("accuracy", &|run| Scores { f1: run.0, ..average(&run.1, |_| 1.0) });
    accuracy[1] = CellValue::Blank;
    accuracy[2] = CellValue::Blank;
    lines.push(accuracy);
    lines.push(line("macro avg", &|run| average(&run.1, |_| 1.0)));
    lines.push(line("weighted avg", &|run| average(&run.1, |s| s.support)));
    lines
}

fn confusion_lines(reader: &Reader<'_>, judge: &Judge<'_, '_>, classes: &Classes, own: &[Place]) -> Vec<Vec<CellValue>> {
    let runs: Vec<Vec<Vec<f64>>> = own.iter().map(|&place| judge.counts(classes, place)).collect();
    let line = |(y, name): (usize, &String)| {
        let count = |p: usize| entry(reader, own, &runs.iter().map(|counts| counts[y][p]).collect::<Vec<_>>());
        std::iter::once(CellValue::Text(name.clone())).chain((0..classes.names.len()).map(count)).collect()
    };
    classes.names.iter().enumerate().map(line).collect()
}
