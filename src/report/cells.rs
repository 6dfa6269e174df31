//! The cells of all sweeps as outputs see them: the value of any axis, what tells cells apart, which belong together.
//!
//! It evaluates no question and makes no choice.

use std::cell::RefCell;
use std::cmp::Ordering;

use crate::results::{Results, Run, Setting, SweepResults};

/// A cell: indices into [`Results::sweeps`] and [`SweepResults::runs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) sweep: usize,
    pub(super) run: usize,
}

/// The value of a cell on an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'r> {
    Blank,
    Number(f64),
    Text(&'r str),
}

impl<'r> Value<'r> {
    /// Of a setting.
    pub(super) fn of(setting: &'r Setting) -> Self {
        match setting {
            Setting::Blank => Value::Blank,
            Setting::Number(x) => Value::Number(*x),
            Setting::Text(text) => Value::Text(text),
        }
    }

    /// The number, nan if it is none.
    pub(super) fn number(self) -> f64 {
        if let Value::Number(x) = self { x } else { f64::NAN }
    }

    /// Whether both are the same value; numbers to 1e-9 of the larger.
    pub(super) fn agrees(self, other: Value<'_>) -> bool {
        match (self, other) {
            (Value::Blank, Value::Blank) => true,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) || (a.is_nan() && b.is_nan()),
            _ => false,
        }
    }

    /// An order of all values in which equal ones are equal: blank, numbers by size, texts.
    pub(super) fn order(self, other: Value<'_>) -> Ordering {
        let rank = |value: Value<'_>| match value {
            Value::Blank => 0,
            Value::Number(_) => 1,
            Value::Text(_) => 2,
        };
        match (self, other) {
            (Value::Number(a), Value::Number(b)) if a == b => Ordering::Equal,
            (Value::Number(a), Value::Number(b)) => a.total_cmp(&b),
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            (a, b) => rank(a).cmp(&rank(b)),
        }
    }
}

/// What tells a cell apart, in an order that makes equal ones neighbours.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Identity<'r>(pub(super) Vec<(&'r str, Value<'r>)>);

impl Eq for Identity<'_> {}

impl Ord for Identity<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let pairs = self.0.iter().zip(&other.0);
        pairs
            .map(|((a, x), (b, y))| a.cmp(b).then_with(|| x.order(*y)))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| self.0.len().cmp(&other.0.len()))
    }
}

impl PartialOrd for Identity<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The results, with what was noticed while reading them.
pub(super) struct Reader<'r> {
    pub(super) results: &'r Results,
    /// Per sweep and axis: whether its values belong to the optimizer, so that they say nothing without it.
    nested: Vec<Vec<bool>>,
    warnings: RefCell<Vec<String>>,
}

impl<'r> Reader<'r> {
    pub(super) fn new(results: &'r Results) -> Self {
        let nested = results.sweeps.iter().map(|sweep| (0..sweep.axes.len()).map(|axis| is_nested(sweep, axis)).collect()).collect();
        Reader { results, nested, warnings: RefCell::default() }
    }

    /// Remembers something the user should know, once.
    pub(super) fn warn(&self, text: String) {
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&text) {
            warnings.push(text);
        }
    }

    pub(super) fn warnings(self) -> Vec<String> {
        self.warnings.into_inner()
    }

    pub(super) fn sweep(&self, place: Place) -> &'r SweepResults {
        &self.results.sweeps[place.sweep]
    }

    pub(super) fn run(&self, place: Place) -> Run<'r> {
        self.sweep(place).run(place.run)
    }

    /// All cells of a sweep.
    pub(super) fn all(&self, sweep: usize) -> impl Iterator<Item = Place> + use<'r> {
        (0..self.results.sweeps[sweep].len()).map(move |run| Place { sweep, run })
    }

    /// The sweeps that cells are from, in the order in which they come.
    pub(super) fn sweeps_of(cells: &[Place]) -> Vec<usize> {
        let mut sweeps = Vec::new();
        for place in cells {
            if sweeps.last() != Some(&place.sweep) && !sweeps.contains(&place.sweep) {
                sweeps.push(place.sweep);
            }
        }
        sweeps
    }

    /// The value of a cell on an axis of its sweep, or of a fact that every run has; blank if it has none.
    pub(super) fn value(&self, place: Place, axis: &str) -> Value<'r> {
        let (sweep, run) = (self.sweep(place), self.run(place));
        match axis {
            "sweep" => Value::Text(&sweep.name),
            "optimizer" => Value::Text(run.optimizer),
            "loss" => Value::Text(run.loss),
            "status" => Value::Text(run.status.name()),
            "reason" => Value::Text(run.reason),
            "cell" => Value::Number(run.id as f64),
            "replicate" => Value::Number(run.replicate as f64),
            "fold" => run.fold.map_or(Value::Blank, |fold| Value::Number(fold as f64)),
            "steps" | "step" => Value::Number(run.steps as f64),
            "epochs" | "epoch" => Value::Number(run.epochs as f64),
            "evaluations" => Value::Number(run.evaluations as f64),
            _ => sweep.axes.iter().position(|name| name == axis).and_then(|index| run.settings.get(index)).map_or(Value::Blank, Value::of),
        }
    }

    /// Everything on which these cells may differ: sweep, loss, optimizer and the axes of their sweeps, then replicate and fold.
    pub(super) fn axes(&self, cells: &[Place]) -> Vec<&'r str> {
        let mut axes: Vec<&'r str> = vec!["sweep", "loss", "optimizer"];
        for sweep in Self::sweeps_of(cells) {
            for axis in &self.results.sweeps[sweep].axes {
                if !axes.contains(&axis.as_str()) {
                    axes.push(axis);
                }
            }
        }
        axes.extend(["replicate", "fold"]);
        axes
    }

    /// Whether cells have different values on an axis.
    pub(super) fn differ(&self, cells: &[Place], axis: &str) -> bool {
        cells.split_first().is_some_and(|(&first, rest)| {
            let value = self.value(first, axis);
            rest.iter().any(|&place| !value.agrees(self.value(place, axis)))
        })
    }

    /// What is left of a cell's identity when some axes do not count. Without `optimizer`, the arguments that
    /// belong to an optimizer alone do not count either; a label that names an axis that does not count gives
    /// way to the name of the rule.
    pub(super) fn identity(&self, place: Place, except: &[&str]) -> Identity<'r> {
        let (sweep, run) = (self.sweep(place), self.run(place));
        let counts = |axis: &str| !except.contains(&axis);
        let mut parts: Vec<(&'r str, Value<'r>)> = Vec::with_capacity(sweep.axes.len() + 5);
        parts.extend(["sweep", "loss"].into_iter().filter(|axis| counts(axis)).map(|axis| (axis, self.value(place, axis))));
        if counts("optimizer") {
            let whole = !except.iter().any(|axis| mentions(run.optimizer, axis));
            parts.push(("optimizer", Value::Text(if whole { run.optimizer } else { run.rule })));
        }
        for (index, axis) in sweep.axes.iter().enumerate() {
            if counts(axis) && (counts("optimizer") || !self.nested[place.sweep][index]) {
                parts.push((axis, self.value(place, axis)));
            }
        }
        parts.extend(["replicate", "fold"].into_iter().filter(|axis| counts(axis)).map(|axis| (axis, self.value(place, axis))));
        Identity(parts)
    }

    /// Puts cells that have the same key together, in the order in which the keys first come.
    pub(super) fn group<K: Ord + Clone>(cells: &[Place], key: impl Fn(Place) -> K) -> Vec<(K, Vec<Place>)> {
        let mut index = std::collections::BTreeMap::new();
        let mut groups: Vec<(K, Vec<Place>)> = Vec::new();
        for &place in cells {
            let key = key(place);
            let at = *index.entry(key.clone()).or_insert(groups.len());
            if at == groups.len() {
                groups.push((key, Vec::new()));
            }
            groups[at].1.push(place);
        }
        groups
    }
}

/// Whether a label such as `momentum(beta = 0.5)` gives a value to an argument.
pub(super) fn mentions(label: &str, argument: &str) -> bool {
    label.match_indices(argument).any(|(at, _)| {
        let before = label[..at].chars().next_back();
        let after = label[at + argument.len()..].trim_start();
        before.is_some_and(|c| !c.is_alphanumeric() && c != '_') && after.starts_with('=') && !after.starts_with("==")
    })
}

/// Whether the values of an axis belong to the optimizer: some have no such argument, or carry it in their label,
/// or each has one value of its own.
fn is_nested(sweep: &SweepResults, axis: usize) -> bool {
    let mut own: Vec<(&str, Value<'_>)> = Vec::new();
    let mut one_each = true;
    for run in sweep.runs() {
        let value = run.settings.get(axis).map_or(Value::Blank, Value::of);
        if value == Value::Blank || mentions(run.optimizer, &sweep.axes[axis]) {
            return true;
        }
        match own.iter().find(|(label, _)| *label == run.optimizer) {
            Some((_, known)) => one_each &= known.agrees(value),
            None => own.push((run.optimizer, value)),
        }
    }
    one_each && own.iter().any(|(_, value)| !value.agrees(own[0].1))
}
