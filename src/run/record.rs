//! What is kept of a run while it goes on: folds as single values, traces row by row.
//!
//! It evaluates nothing. Nothing is allocated after a recorder is made: traces reserve room for all their rows.

use crate::plan::unit::{Pace, SweepPlan};
use crate::results::{Fold, Trace};

/// Where the elements of each quantity stand in a row of values.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    starts: Vec<usize>,
}

impl Columns {
    /// One after the other.
    pub(super) fn of(sweep: &SweepPlan) -> Self {
        let mut starts = vec![0];
        for quantity in &sweep.quantities {
            starts.push(starts.last().copied().unwrap_or(0) + quantity.len());
        }
        Columns { starts }
    }

    /// Elements of all quantities.
    pub(super) fn width(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// The elements of a quantity.
    pub(super) fn range(&self, quantity: usize) -> std::ops::Range<usize> {
        self.starts[quantity]..self.starts[quantity + 1]
    }
}

/// A fold under way. Values are the elements of a quantity.
#[derive(Debug, Clone)]
enum Keep {
    /// The value itself, set at its time.
    Value(Vec<f64>),
    /// A window of the last rows, and how many rows there were.
    Window { rows: usize, values: Vec<f64>, count: usize },
    /// The lowest number so far, and what belongs to it.
    Lowest { lowest: f64, value: Vec<f64> },
    /// A count, or the first step.
    Number(f64),
    /// The last row's value and the one before it.
    Two { last: Vec<f64>, before: Vec<f64> },
}

/// One run's folds and trace.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    keeps: Vec<Keep>,
    trace: Trace,
    rows: u64,
}

/// Steps from one recorded row to the next.
pub(super) fn every(pace: Pace, steps_per_epoch: u64) -> u64 {
    match pace {
        Pace::Steps(n) => n.max(1),
        Pace::Epochs(n) => n.max(1).saturating_mul(steps_per_epoch.max(1)),
    }
}

/// The most rows a run can have.
pub(super) fn most_rows(pace: Pace, steps_per_epoch: u64, budget: u64) -> usize {
    (budget / every(pace, steps_per_epoch) + 2) as usize
}

impl Recorder {
    /// With room for so many rows.
    pub(super) fn new(sweep: &SweepPlan, rows: usize) -> Self {
        let len = |quantity: usize| sweep.quantities[quantity].len();
        let nan = |quantity: usize| vec![f64::NAN; len(quantity)];
        let keep = |fold: &Fold| match *fold {
            Fold::Final(q) | Fold::Start(q) | Fold::Lowest(q) | Fold::Highest(q) | Fold::AtStep { of: q, .. } => Keep::Value(nan(q)),
            Fold::Average { of, last } => {
                let kept = last.clamp(1, rows);
                Keep::Window { rows: kept, values: vec![0.0; kept * len(of)], count: 0 }
            }
            Fold::AtLowest { what, .. } => Keep::Lowest { lowest: f64::NAN, value: nan(what) },
            Fold::SinceLowest(_) => Keep::Lowest { lowest: f64::NAN, value: vec![0.0] },
            Fold::StepsTo(_) => Keep::Number(f64::INFINITY),
            Fold::Count(_) => Keep::Number(0.0),
            Fold::Previous(q) => Keep::Two { last: nan(q), before: nan(q) },
        };
        let mut trace = Trace::default();
        if !sweep.traced.is_empty() {
            trace.steps = Vec::with_capacity(rows);
            trace.epochs = Vec::with_capacity(rows);
            trace.columns = sweep.traced.iter().map(|&quantity| Vec::with_capacity(rows * len(quantity))).collect();
        }
        Recorder { keeps: sweep.folds.iter().map(keep).collect(), trace, rows: 0 }
    }

    /// The row of a step is recorded.
    pub(super) fn row(&mut self, sweep: &SweepPlan, columns: &Columns, step: u64, epoch: u64, values: &[f64]) {
        let value = |quantity: usize| &values[columns.range(quantity)];
        let holds = |quantity: usize| value(quantity).iter().any(|&x| x != 0.0);
        for (fold, keep) in sweep.folds.iter().zip(&mut self.keeps) {
            match (*fold, keep) {
                (Fold::Start(q), Keep::Value(kept)) if self.rows == 0 => kept.copy_from_slice(value(q)),
                (Fold::Final(q), Keep::Value(kept)) => kept.copy_from_slice(value(q)),
                (Fold::Lowest(q), Keep::Value(kept)) => better(kept, value(q), |new, old| new < old),
                (Fold::Highest(q), Keep::Value(kept)) => better(kept, value(q), |new, old| new > old),
                (Fold::Average { of, .. }, Keep::Window { rows, values, count }) => {
                    let (new, at) = (value(of), *count % *rows);
                    values[at * new.len()..(at + 1) * new.len()].copy_from_slice(new);
                    *count += 1;
                }
                (Fold::AtLowest { what, of }, Keep::Lowest { lowest, value: kept }) => {
                    let new = value(of).first().copied().unwrap_or(f64::NAN);
                    if new < *lowest || (lowest.is_nan() && !new.is_nan()) {
                        *lowest = new;
                        kept.copy_from_slice(value(what));
                    }
                }
                (Fold::SinceLowest(q), Keep::Lowest { lowest, value: since }) => {
                    let new = value(q).first().copied().unwrap_or(f64::NAN);
                    let lower = new < *lowest || (lowest.is_nan() && !new.is_nan());
                    if lower {
                        *lowest = new;
                    }
                    since[0] = if lower { 0.0 } else { since[0] + f64::from(u8::from(self.rows > 0)) };
                }
                (Fold::StepsTo(q), Keep::Number(first)) if first.is_infinite() && holds(q) => *first = step as f64,
                (Fold::Count(q), Keep::Number(count)) if holds(q) => *count += 1.0,
                (Fold::Previous(q), Keep::Two { last, before }) => {
                    before.copy_from_slice(last);
                    last.copy_from_slice(value(q));
                }
                _ => {}
            }
        }
        if !sweep.traced.is_empty() {
            self.trace.steps.push(step);
            self.trace.epochs.push(epoch);
            for (&quantity, column) in sweep.traced.iter().zip(&mut self.trace.columns) {
                column.extend_from_slice(value(quantity));
            }
        }
        self.rows += 1;
    }

    /// The values at a step that a fold asks for, recorded or not.
    pub(super) fn at_step(&mut self, sweep: &SweepPlan, columns: &Columns, step: u64, values: &[f64]) {
        for (fold, keep) in sweep.folds.iter().zip(&mut self.keeps) {
            if let (Fold::AtStep { of, step: asked }, Keep::Value(kept)) = (fold, keep)
                && *asked == step
            {
                kept.copy_from_slice(&values[columns.range(*of)]);
            }
        }
    }

    /// What was kept.
    pub(super) fn finish(self) -> (Vec<Vec<f64>>, Trace) {
        let folded = self.keeps.into_iter().map(|keep| match keep {
            Keep::Value(value) | Keep::Lowest { value, .. } => value,
            Keep::Number(x) => vec![x],
            Keep::Two { before, .. } => before,
            Keep::Window { rows, values, count } => {
                let width = values.len() / rows;
                let kept = count.min(rows);
                // The oldest first.
                let row = |i: usize| if count > rows { (count + i) % rows } else { i };
                let mean = |element: usize| (0..kept).map(|i| values[row(i) * width + element]).sum::<f64>() / kept as f64;
                (0..width).map(mean).collect()
            }
        });
        (folded.collect(), self.trace)
    }
}

/// Keeps what is better, element by element; NaN is passed over.
fn better(kept: &mut [f64], new: &[f64], better: impl Fn(f64, f64) -> bool) {
    for (kept, &new) in kept.iter_mut().zip(new) {
        if better(new, *kept) || (kept.is_nan() && !new.is_nan()) {
            *kept = new;
        }
    }
}
