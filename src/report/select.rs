//! The cells an output is about: sweeps, conditions, and the best values of an axis.
//!
//! It shows nothing.

use std::collections::BTreeSet;

use super::cells::{Identity, Place, Reader, Value};
use super::statistics::mean;
use crate::results::Status;
use crate::results::view::{BestView, Cond, Selection};

impl Reader<'_> {
    /// The selected cells, sweep by sweep as they were named, in plan order.
    pub(super) fn select(&self, selection: &Selection) -> Vec<Place> {
        let mut cells = Vec::new();
        for name in &selection.sweeps {
            match self.results.sweeps.iter().position(|sweep| sweep.name == *name) {
                Some(sweep) => cells.extend(self.all(sweep)),
                None => self.warn(format!("there are no results of the sweep `{name}`")),
            }
        }
        for condition in &selection.conditions {
            let mut kept = self.mask(condition, &cells).into_iter();
            cells.retain(|_| kept.next() == Some(true));
        }
        match &selection.best {
            Some(best) => self.best(best, &cells),
            None => cells,
        }
    }

    /// Which cells meet a condition.
    fn mask(&self, condition: &Cond, cells: &[Place]) -> Vec<bool> {
        let both = |a: &Cond, b: &Cond, join: fn(bool, bool) -> bool| {
            self.mask(a, cells).into_iter().zip(self.mask(b, cells)).map(|(a, b)| join(a, b)).collect()
        };
        match condition {
            Cond::And(a, b) => both(a, b, |a, b| a && b),
            Cond::Or(a, b) => both(a, b, |a, b| a || b),
            Cond::Not(a) => self.mask(a, cells).into_iter().map(|holds| !holds).collect(),
            Cond::Equals { axis, value, negated } => {
                let value = Value::of(value);
                let equals = |place: Place| {
                    let rule = axis == "optimizer" && Value::Text(self.run(place).rule) == value;
                    rule || self.value(place, axis).agrees(value)
                };
                cells.iter().map(|&place| equals(place) != *negated).collect()
            }
            Cond::Question(question) => {
                let asked = self.ask(question, cells);
                // A comparison with nan is false, and so is a value that is missing.
                let holds = |x: f64| x != 0.0 && !x.is_nan();
                cells.iter().map(|&place| asked.at(place, cells.len()).iter().all(|&x| holds(x))).collect()
            }
        }
    }

    /// Keeps, for every combination of the other axes, the cells whose values on these axes are best. What is
    /// compared is the mean over replicates and folds; where one diverged, the combination never wins.
    fn best(&self, best: &BestView, cells: &[Place]) -> Vec<Place> {
        let asked = self.ask(&best.by, cells);
        let mut except: Vec<&str> = best.axes.iter().map(String::as_str).collect();
        except.extend(["replicate", "fold"]);
        let others = |place: Place| {
            if best.axes.is_empty() { Identity(vec![("sweep", self.value(place, "sweep"))]) } else { self.identity(place, &except) }
        };
        let mut kept = BTreeSet::new();
        for (_, rivals) in Reader::group(cells, others) {
            let mut winner: Option<(f64, Vec<Place>)> = None;
            for (_, replicates) in Reader::group(&rivals, |place| self.identity(place, &["replicate", "fold"])) {
                if replicates.iter().any(|&place| self.run(place).status == Status::Diverged) {
                    continue;
                }
                let scores: Vec<f64> = replicates.iter().map(|&place| asked.number(place, cells.len())).collect();
                let score = if best.maximize { -mean(&scores) } else { mean(&scores) };
                if !score.is_nan() && winner.as_ref().is_none_or(|(lowest, _)| score < *lowest) {
                    winner = Some((score, replicates));
                }
            }
            if let Some((_, replicates)) = winner {
                kept.extend(replicates);
            } else {
                let count = rivals.len();
                self.warn(format!("none of {count} cells is best by `{}`: all diverged or have no such number", best.by.text));
            }
        }
        cells.iter().copied().filter(|place| kept.contains(place)).collect()
    }
}
