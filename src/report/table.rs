//! Tables as values: which rows and columns there are, and what stands in them.
//!
//! It writes no text but words for statuses; numbers stay numbers until `export` renders them.

mod classes;

use std::collections::BTreeMap;

use super::cells::{Place, Reader, Value};
use super::keys::{Channel, ReadyKey, absorbs, names, question_names, spread};
use super::label::{listed, value_text};
use super::statistics::{half_width, mean};
use crate::results::view::{FoldKind, Key, Leaf, Question, TableView};
use crate::results::{Quantity, Run, Status};

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The file name without its ending.
    pub name: String,
    /// Above it; may be empty.
    pub caption: String,
    /// Below it: what was averaged, what the marks mean.
    pub notes: Vec<String>,
    /// From left to right.
    pub columns: Vec<Column>,
    /// From top to bottom; as many values as columns.
    pub rows: Vec<Vec<CellValue>>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The values of the keys under `columns`, such as `gd, lr = 0.1`; empty if there are none.
    pub group: String,
    /// What it shows.
    pub title: String,
    /// printf format of its numbers; `None` leaves the number of digits to the renderer.
    pub format: Option<String>,
    /// Whether small numbers are written with a power of ten, as rates by decade are.
    pub decades: bool,
}

impl Column {
    /// Group and title in one line.
    #[must_use]
    pub fn heading(&self) -> String {
        if self.group.is_empty() { self.title.clone() } else { format!("{}: {}", self.group, self.title) }
    }
}

/// What stands in a cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum CellValue {
    /// There is no such run, or no such row.
    Blank,
    /// Words.
    Text(String),
    /// A number of one run.
    Number {
        /// It.
        value: f64,
        /// Whether the run diverged or rose.
        mark: Option<Mark>,
    },
    /// A mean over replicates.
    Estimate {
        /// The mean.
        mean: f64,
        /// Half the width of its 95 % interval.
        half_width: f64,
        /// Whether one of the runs diverged or rose.
        mark: Option<Mark>,
    },
    /// A condition that was never met.
    Never {
        /// In so many runs.
        missed: usize,
        /// Of so many.
        of: usize,
    },
}

/// A warning beside a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The run left the real numbers.
    Diverged,
    /// The loss ended above its start.
    Rising,
}

impl Mark {
    /// The sign that stands after the number.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Mark::Diverged => '†',
            Mark::Rising => '↑',
        }
    }

    /// In one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Mark::Diverged => "diverged",
            Mark::Rising => "rising",
        }
    }

    /// What the sign means.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Mark::Diverged => "diverged",
            Mark::Rising => "rising: the loss ended above its start",
        }
    }

    fn of(status: Status) -> Option<Mark> {
        match status {
            Status::Diverged => Some(Mark::Diverged),
            Status::Rising => Some(Mark::Rising),
            _ => None,
        }
    }
}

/// How one run ended: `done`, `diverged at step 37`.
#[must_use]
pub fn status_text(run: Run<'_>) -> String {
    if run.status == Status::Diverged { format!("diverged at step {}", run.steps) } else { run.status.name().to_owned() }
}

/// What one item under `show` needs.
struct Shown<'a, 'r> {
    key: ReadyKey<'a, 'r>,
    titles: Vec<String>,
    format: Option<String>,
    /// Whether a miss is said as `never`.
    steps_to: bool,
    /// Whether all replicates have the same value because it is made of all of them.
    single: bool,
    /// The value of each recorded row, where the table has a row for each.
    rows: BTreeMap<Place, Vec<f64>>,
}

/// The rows of a table that come from the recorded rows of runs.
#[derive(Clone, Copy, PartialEq)]
enum Pace {
    Step,
    Epoch,
}

/// The table of a view.
pub(super) fn table(reader: &Reader<'_>, view: &TableView) -> Table {
    if let Some((kind, judged)) = &view.classes {
        return classes::table(reader, view, *kind, judged);
    }
    let cells = reader.select(&view.selection);
    let pace = view.rows.iter().enumerate().find_map(|(at, key)| match key {
        Key::Axis(axis) if axis == "step" => Some((at, Pace::Step)),
        Key::Axis(axis) if axis == "epoch" => Some((at, Pace::Epoch)),
        _ => None,
    });
    let mut row_keys = view.rows.clone();
    if let Some((at, _)) = pace {
        row_keys.remove(at);
    }
    let further = further_axes(reader, view, &row_keys, &cells);
    let rows = Channel::new(reader, &row_keys, &further, &cells);
    let columns = Channel::new(reader, &view.columns, &[], &cells);
    let shown: Vec<Shown<'_, '_>> = view.show.iter().map(|item| shown(reader, view, item, &cells, pace.is_some())).collect();

    // Every row of the table: where it stands, its combination of values, and the recorded row.
    let mut lines: Vec<(Vec<usize>, usize, Option<u64>)> = Vec::new();
    for index in 0..rows.len() {
        match pace {
            None => lines.push((rows.ranks[index].clone(), index, None)),
            Some((at, pace)) => {
                let own = cells.iter().filter(|&&place| rows.index(place) == index);
                let mut times: Vec<u64> = own.flat_map(|&place| times(reader.run(place), pace)).collect();
                times.sort_unstable();
                times.dedup();
                lines.extend(times.into_iter().map(|time| {
                    let mut rank = rows.ranks[index].clone();
                    rank.insert(at.min(rank.len()), time as usize);
                    (rank, index, Some(time))
                }));
            }
        }
    }
    if row_keys.is_empty() {
        // Nothing says in which order: that of the plan.
        let first = |index: usize| cells.iter().position(|&place| rows.index(place) == index);
        let order: Vec<Option<usize>> = (0..rows.len()).map(first).collect();
        lines.sort_by_key(|line| (line.2, order[line.1]));
    } else {
        lines.sort();
    }
    if let Some(sort) = &view.sort {
        let asked = reader.ask(sort, &cells);
        let own = |index: usize| cells.iter().copied().filter(|&place| rows.index(place) == index).collect::<Vec<_>>();
        let key = |index: usize| mean(&own(index).into_iter().map(|place| asked.number(place, cells.len())).collect::<Vec<_>>());
        let keys: Vec<f64> = (0..rows.len()).map(key).collect();
        lines.sort_by(|a, b| keys[a.1].is_nan().cmp(&keys[b.1].is_nan()).then(keys[a.1].total_cmp(&keys[b.1])));
    }

    // Further axes that are shown anyway need no column of their own.
    let keyed: Vec<usize> =
        (0..rows.names.len()).filter(|&at| at < row_keys.len() || !shown.iter().any(|item| item.key.name() == rows.names[at])).collect();
    let mut headings: Vec<Column> =
        keyed.iter().map(|&at| Column { decades: rows.by_decades(at), ..Column::plain(rows.names[at]) }).collect();
    if let Some((at, pace)) = pace {
        headings.insert(at, Column::plain(if pace == Pace::Step { "step" } else { "epoch" }));
    }
    for group in 0..columns.len() {
        for item in &shown {
            headings.extend(item.titles.iter().map(|title| Column {
                group: if view.columns.is_empty() { String::new() } else { columns.label(group) },
                title: title.clone(),
                format: item.format.clone(),
                decades: false,
            }));
        }
    }

    let mut members: BTreeMap<(usize, usize), Vec<Place>> = BTreeMap::new();
    for &place in &cells {
        members.entry((rows.index(place), columns.index(place))).or_default().push(place);
    }
    let status_shown = shown.iter().any(|item| item.key.name() == "status");
    let mut body = Vec::with_capacity(lines.len());
    for (_, index, time) in lines {
        let mut line: Vec<CellValue> = keyed.iter().map(|&at| key_value(rows.tuples[index][at])).collect();
        if let (Some((at, _)), Some(time)) = (pace, time) {
            line.insert(at, CellValue::Number { value: time as f64, mark: None });
        }
        for group in 0..columns.len() {
            let own = members.get(&(index, group)).map_or(&[][..], Vec::as_slice);
            for item in &shown {
                line.extend(match (pace, time) {
                    (Some((_, pace)), Some(time)) => item.at_row(reader, own, pace, time),
                    _ => item.at_end(reader, own),
                });
            }
        }
        if status_shown {
            line.iter_mut().for_each(CellValue::unmark);
        }
        body.push(line);
    }
    let notes = notes(reader, &cells, &body);
    Table { name: view.name.clone(), caption: view.caption.clone(), notes, columns: headings, rows: body }
}

impl Column {
    fn plain(title: &str) -> Column {
        Column { group: String::new(), title: title.to_owned(), format: None, decades: false }
    }
}

impl CellValue {
    fn unmark(&mut self) {
        if let CellValue::Number { mark, .. } | CellValue::Estimate { mark, .. } = self {
            *mark = None;
        }
    }

    /// The warning beside it.
    #[must_use]
    pub fn mark(&self) -> Option<Mark> {
        match self {
            CellValue::Number { mark, .. } | CellValue::Estimate { mark, .. } => *mark,
            _ => None,
        }
    }
}

/// Facts about a run that do not tell it apart.
const OUTCOMES: [&str; 7] = ["status", "reason", "steps", "epochs", "evaluations", "step", "epoch"];

/// Axes on which cells differ that would share a row: they make rows, too, with a warning where nobody asked for it.
fn further_axes<'n, 'r: 'n>(reader: &Reader<'r>, view: &'n TableView, row_keys: &[Key], cells: &[Place]) -> Vec<&'n str> {
    let rows = Channel::new(reader, row_keys, &[], cells);
    let columns = Channel::new(reader, &view.columns, &[], cells);
    let groups = Reader::group(cells, |place| (rows.index(place), columns.index(place)));
    let keys = || view.rows.iter().chain(&view.columns).chain(view.show.iter().map(|(key, _)| key));
    let questions: Vec<&Question> =
        view.show.iter().filter_map(|(key, _)| if let Key::Question(question) = key { Some(question) } else { None }).collect();
    let shown: Vec<&'n str> = view
        .show
        .iter()
        .filter_map(|(key, _)| if let Key::Axis(axis) = key { Some(axis.as_str()) } else { None })
        .filter(|axis| !OUTCOMES.contains(axis))
        .collect();
    let counts = |axis: &&str| match *axis {
        "replicate" | "fold" => keys().any(|key| names(key, axis)),
        axis => questions.is_empty() || !questions.iter().all(|question| absorbs(question, axis)),
    };
    let others = reader.axes(cells).into_iter().filter(|axis| !shown.contains(axis)).filter(counts);
    let found = spread(reader, groups.into_iter().map(|(_, group)| group).collect(), shown.iter().copied().chain(others));
    let named = |axis: &str| {
        shown.contains(&axis) || matches!(axis, "replicate" | "fold") || questions.iter().any(|question| question_names(question, axis))
    };
    let unnamed: Vec<String> = found.iter().copied().filter(|axis| !named(axis)).map(|axis| format!("`{axis}`")).collect();
    if !unnamed.is_empty() && !view.rows.is_empty() {
        let verb = if unnamed.len() == 1 { "varies and is" } else { "vary and are" };
        reader.warn(format!("table `{}`: {} {verb} not named; there is a row for each value", view.name, listed(&unnamed)));
    }
    found
}

/// Makes an item under `show` ready.
fn shown<'a, 'r>(
    reader: &'a Reader<'r>,
    view: &'a TableView,
    (key, title): &'a (Key, Option<String>),
    cells: &[Place],
    traced: bool,
) -> Shown<'a, 'r> {
    let key = ReadyKey::new(reader, key, cells);
    let title = title.clone().unwrap_or_else(|| key.name().to_owned());
    let ReadyKey::Question(asked) = &key else {
        return Shown { titles: vec![title], format: None, steps_to: false, single: false, rows: BTreeMap::new(), key };
    };
    let question = asked.question;
    let root = question.graph.as_input(question.root).and_then(|input| question.leaves.get(input.0 as usize));
    let steps_to = matches!(root, Some(Leaf::Fold { fold: FoldKind::StepsTo, .. }));
    let count = matches!(
        root,
        Some(
            Leaf::Fold { fold: FoldKind::StepsTo | FoldKind::Count | FoldKind::SinceLowest, .. }
                | Leaf::Step
                | Leaf::Epoch
                | Leaf::Cell
                | Leaf::Replicate
                | Leaf::Steps
                | Leaf::Epochs
                | Leaf::Evaluations
                | Leaf::Cells
        )
    );
    let rows = if traced { cells.iter().map(|&place| (place, asked.rows(place, cells.len()))).collect() } else { BTreeMap::new() };
    Shown {
        titles: Quantity { text: title, sizes: question.sizes.clone() }.element_names(),
        format: if count { None } else { view.format.clone() },
        steps_to,
        single: absorbs(question, "replicate") && absorbs(question, "fold"),
        rows,
        key,
    }
}

impl Shown<'_, '_> {
    /// What stands in the columns of the item for runs that are one cell of the table.
    fn at_end(&self, reader: &Reader<'_>, own: &[Place]) -> Vec<CellValue> {
        if own.is_empty() {
            return vec![CellValue::Blank; self.titles.len()];
        }
        match &self.key {
            ReadyKey::Axis("status") => vec![CellValue::Text(statuses(reader, own))],
            ReadyKey::Axis(axis @ ("steps" | "epochs" | "evaluations")) => {
                let values: Vec<Vec<f64>> = own.iter().map(|&place| vec![reader.value(place, axis).number()]).collect();
                self.numbers(&values, None)
            }
            ReadyKey::Axis(axis) if reader.differ(own, axis) => {
                let mut texts: Vec<String> = own.iter().map(|&place| value_text(reader.value(place, axis))).collect();
                texts.sort();
                texts.dedup();
                vec![CellValue::Text(texts.join(", "))]
            }
            ReadyKey::Axis(axis) => vec![key_value(reader.value(own[0], axis))],
            ReadyKey::Question(asked) => {
                let values: Vec<Vec<f64>> = own.iter().map(|&place| asked.at(place, own.len())).collect();
                self.numbers(&values, marks(reader, own))
            }
        }
    }

    /// The same for one recorded row; the mark stands in the last one.
    fn at_row(&self, reader: &Reader<'_>, own: &[Place], pace: Pace, time: u64) -> Vec<CellValue> {
        let ReadyKey::Question(_) = &self.key else { return self.at_end(reader, own) };
        let width = self.titles.len();
        let mut values = Vec::new();
        let mut ended = Vec::new();
        for &place in own {
            let times = times(reader.run(place), pace);
            // Of the rows of one epoch the last.
            let after = times.partition_point(|&known| known <= time);
            if after == 0 || times[after - 1] != time {
                continue;
            }
            if after == times.len() {
                ended.push(place);
            }
            values.extend(self.rows.get(&place).and_then(|rows| rows.get((after - 1) * width..after * width)).map(<[f64]>::to_vec));
        }
        // What an update has (a rate, the loss on its batch) is not there before the first.
        if values.is_empty() || (time == 0 && values.iter().flatten().all(|x| x.is_nan())) {
            return vec![CellValue::Blank; width];
        }
        self.numbers(&values, marks(reader, &ended))
    }

    /// Numbers of replicates, element by element.
    fn numbers(&self, replicates: &[Vec<f64>], mark: Option<Mark>) -> Vec<CellValue> {
        let element = |at: usize| {
            let values: Vec<f64> = replicates.iter().filter_map(|values| values.get(at).copied()).collect();
            let missed = values.iter().filter(|x| x.is_infinite()).count();
            let alike = values.iter().all(|x| x.to_bits() == values[0].to_bits());
            match values[..] {
                [] => CellValue::Blank,
                _ if self.steps_to && missed > 0 => CellValue::Never { missed, of: values.len() },
                [value, ..] if self.single || alike => CellValue::Number { value, mark },
                _ => CellValue::Estimate { mean: mean(&values), half_width: half_width(&values), mark },
            }
        };
        (0..self.titles.len()).map(element).collect()
    }
}

fn times(run: Run<'_>, pace: Pace) -> Vec<u64> {
    if pace == Pace::Step { run.trace().steps().collect() } else { run.trace().epochs().collect() }
}

fn key_value(value: Value<'_>) -> CellValue {
    match value {
        Value::Blank => CellValue::Blank,
        Value::Number(value) => CellValue::Number { value, mark: None },
        Value::Text(text) => CellValue::Text(text.to_owned()),
    }
}

fn marks(reader: &Reader<'_>, cells: &[Place]) -> Option<Mark> {
    cells.iter().filter_map(|&place| Mark::of(reader.run(place).status)).min()
}

/// How several runs ended: `4 done, 1 diverged`.
fn statuses(reader: &Reader<'_>, cells: &[Place]) -> String {
    if let [place] = cells {
        return status_text(reader.run(*place));
    }
    let count = |status: Status| cells.iter().filter(|&&place| reader.run(place).status == status).count();
    let found: Vec<(Status, usize)> = Status::ALL.into_iter().map(|status| (status, count(status))).filter(|(_, n)| *n > 0).collect();
    match found[..] {
        [(status, _)] => status.name().to_owned(),
        _ => found.iter().map(|(status, n)| format!("{n} {}", status.name())).collect::<Vec<_>>().join(", "),
    }
}

/// What was averaged, and what the marks mean.
fn notes(reader: &Reader<'_>, cells: &[Place], body: &[Vec<CellValue>]) -> Vec<String> {
    let mut notes = Vec::new();
    if body.iter().flatten().any(|value| matches!(value, CellValue::Estimate { .. })) {
        let over: Vec<String> =
            ["replicate", "fold"].into_iter().filter(|axis| reader.differ(cells, axis)).map(|axis| format!("{axis}s")).collect();
        notes.push(format!(
            "m ± h: mean over {} and half its 95 % t interval",
            if over.is_empty() { "runs".to_owned() } else { listed(&over) }
        ));
    }
    for mark in [Mark::Diverged, Mark::Rising] {
        if body.iter().flatten().any(|value| value.mark() == Some(mark)) {
            notes.push(format!("{} {}", mark.sign(), mark.meaning()));
        }
    }
    notes
}
