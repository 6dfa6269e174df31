//! Predicted classes against true ones: how often each was taken for which, and the scores that follow.
//!
//! It draws no picture and lays out no table.

use super::ask::Asked;
use super::cells::{Place, Reader};
use super::label::significant;
use crate::results::view::Judged;

/// The classes that occur in some runs, with their names.
pub(super) struct Classes {
    values: Vec<f64>,
    pub(super) names: Vec<String>,
}

/// What is needed to judge runs.
pub(super) struct Judge<'a, 'r> {
    predicted: Asked<'a, 'r>,
    actual: Asked<'a, 'r>,
    cells: usize,
}

/// The scores of one class, or their average.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scores {
    pub(super) precision: f64,
    pub(super) recall: f64,
    pub(super) f1: f64,
    /// Rows that are of this class.
    pub(super) support: f64,
}

impl<'a, 'r> Judge<'a, 'r> {
    pub(super) fn new(reader: &'a Reader<'r>, judged: &'a Judged, cells: &[Place]) -> Self {
        Judge { predicted: reader.ask(&judged.predicted, cells), actual: reader.ask(&judged.actual, cells), cells: cells.len() }
    }

    /// The pairs of true and predicted class of a run; rows without a class are left out.
    fn pairs(&self, place: Place) -> Vec<(f64, f64)> {
        let pairs = self.actual.at(place, self.cells).into_iter().zip(self.predicted.at(place, self.cells));
        pairs.filter(|(y, p)| y.is_finite() && p.is_finite()).collect()
    }

    /// The classes that occur in any of the runs.
    pub(super) fn classes(&self, reader: &Reader<'_>, judged: &Judged, cells: &[Place]) -> Classes {
        let mut values: Vec<f64> = Vec::new();
        for &place in cells {
            values.extend(self.pairs(place).into_iter().flat_map(|(y, p)| [y, p]));
            values.sort_by(f64::total_cmp);
            values.dedup();
        }
        let given = &judged.classes;
        // Names are those of 0, 1, ..; where other numbers stand for classes (-1 and 1), in their order.
        let counted = |x: &f64| x.fract() == 0.0 && *x >= 0.0 && *x < given.len() as f64;
        let names = if given.is_empty() {
            values.iter().map(|&x| significant(x, 6)).collect()
        } else if values.iter().all(counted) {
            values = (0..given.len()).map(|at| at as f64).collect();
            given.clone()
        } else if values.len() == given.len() {
            given.clone()
        } else {
            reader.warn(format!("`{}` has {} classes, and {} names are given", judged.actual.text, values.len(), given.len()));
            values.iter().map(|&x| significant(x, 6)).collect()
        };
        Classes { values, names }
    }

    /// How many rows of each true class (outer) were taken for which (inner).
    pub(super) fn counts(&self, classes: &Classes, place: Place) -> Vec<Vec<f64>> {
        let count = classes.values.len();
        let mut counts = vec![vec![0.0; count]; count];
        for (y, p) in self.pairs(place) {
            let at = |x: f64| classes.values.partition_point(|known| *known < x);
            if let Some(cell) = counts.get_mut(at(y)).and_then(|row| row.get_mut(at(p))) {
                *cell += 1.0;
            }
        }
        counts
    }
}

/// The share of rows whose class was found, and the scores of each class; what has no rows scores 0, as in scikit-learn.
pub(super) fn scores(counts: &[Vec<f64>]) -> (f64, Vec<Scores>) {
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let of = |class: usize| {
        let found = counts[class][class];
        let support: f64 = counts[class].iter().sum();
        let taken: f64 = counts.iter().map(|row| row[class]).sum();
        Scores { precision: share(found, taken), recall: share(found, support), f1: share(2.0 * found, taken + support), support }
    };
    let all: Vec<Scores> = (0..counts.len()).map(of).collect();
    let found: f64 = (0..counts.len()).map(|class| counts[class][class]).sum();
    (share(found, all.iter().map(|class| class.support).sum()), all)
}

/// The average of the scores of all classes, each with the weight given.
pub(super) fn average(all: &[Scores], weight: impl Fn(&Scores) -> f64) -> Scores {
    let total: f64 = all.iter().map(&weight).sum();
    let mean = |of: fn(&Scores) -> f64| if total > 0.0 { all.iter().map(|s| of(s) * weight(s)).sum::<f64>() / total } else { 0.0 };
    Scores {
        precision: mean(|s| s.precision),
        recall: mean(|s| s.recall),
        f1: mean(|s| s.f1),
        support: all.iter().map(|s| s.support).sum(),
    }
}
