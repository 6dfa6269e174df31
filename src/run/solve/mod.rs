//! Runs that a solver moves: one cell at a time, from point to point, recorded like all others.
//!
//! Each solver is a file that says how to come from one point to the next, or why not. Its algebra is in one order, with no choice by
//! thread or CPU; losses and derivatives come from tapes.

mod backtracking;
mod lbfgs;
mod marquardt;
mod newton;
mod oracle;
mod proximal;
mod search;
mod simplex;

use std::sync::Arc;

use super::group::{Life, State};
use super::meter::Watch;
use super::update::store;
use crate::compile::tape::Lanes;
use crate::results::Status;
use crate::solvers::Method;
use oracle::Oracle;
pub(super) use oracle::Tapes;

/// All elements of all parameters that are moved.
type Vector = Vec<f64>;

/// A run ends: how, and why.
#[derive(Debug, Clone, PartialEq)]
struct End(Status, Arc<str>);

fn stopped(why: impl Into<Arc<str>>) -> End {
    End(Status::Stopped, why.into())
}

fn failed(why: impl Into<Arc<str>>) -> End {
    End(Status::Failed, why.into())
}

/// The loss is not finite where the run is.
fn diverged() -> End {
    End(Status::Diverged, "".into())
}

/// A differences of losses below this part of them is rounding.
const ROUNDING: f64 = 1.0 / (1u64 << 44) as f64;

/// How to get from one point to the next.
trait Solver {
    /// The next point, in the place of this one, or why there is none.
    fn next(&mut self, oracle: &mut Oracle, x: &mut Vector) -> Result<(), End>;
}

fn begin(method: Method, oracle: &Oracle) -> Box<dyn Solver> {
    match method {
        Method::Backtracking => Box::new(backtracking::Backtracking::new(oracle)),
        Method::Lbfgs => Box::new(lbfgs::Lbfgs::new(oracle)),
        Method::LevenbergMarquardt => Box::new(marquardt::Marquardt::new(oracle)),
        Method::NelderMead => Box::new(simplex::Simplex::new(oracle)),
        Method::Newton => Box::new(newton::Newton::new(oracle)),
        Method::Proximal => Box::new(proximal::Proximal::new(oracle)),
    }
}

impl State<'_> {
    /// From the start of a cell to its end.
    pub(super) fn solve(&mut self, watch: &mut Watch, tapes: &Tapes) {
        let (program, unit) = (self.program, self.unit);
        let Some(solve) = &unit.solve else { return };
        let cell = &self.sweep.cells[self.cell];
        let mut oracle = Oracle::new(tapes, unit, solve, cell);
        let mut x = oracle.start();
        let mut solver = begin(solve.solver.method, &oracle);
        let mut verdict = oracle.check().err();
        let asked = &program.recording.asked;
        let rows = program.shared && program.recording.rows && !program.by_rows;
        loop {
            if watch.rest() == 0 && watch.look(|| self.memory.octets()[program.step_loss][0]) {
                self.end_all(Status::Cut);
            } else if self.done >= unit.budget {
                self.end_all(Status::Done);
            }
            let before = x.clone();
            if !self.closing && verdict.is_none() {
                verdict = solver.next(&mut oracle, &mut x).err();
            }
            let spent = oracle.evaluations;
            let due = program.shared || self.done == self.next_row;
            let wanted = asked.get(self.next_asked) == Some(&self.done);
            if self.closing || verdict.is_some() {
                let errors = oracle.errors.take().unwrap_or_default();
                self.write(solve.moved, unit.params.len() + solve.moved, &errors);
            }
            self.verdict = verdict.take().map(|End(status, why)| (status, why));
            if self.closing || self.verdict.is_some() || self.done == 0 || wanted || (due && program.by_rows) {
                if self.closing || self.verdict.is_some() {
                    self.spent = Some(spent);
                }
                self.point(due, wanted);
                if !self.lives.contains(&Life::Running) {
                    return;
                }
                self.next_asked += usize::from(wanted);
            }
            self.step_measures(rows);
            self.spent = Some(spent);
            self.write(solve.moved, unit.params.len(), &before);
            self.write(solve.moved, 0, &x);
            self.done += 1;
            self.epochs += 1;
            watch.spend(1, 1);
            if !x.iter().all(|x| x.is_finite()) {
                verdict = Some(End(Status::Diverged, "the step is not finite".into()));
            }
        }
    }

    /// What is measured in a step, at the point where it begins.
    fn step_measures(&mut self, rows: bool) {
        let program = self.program;
        let fresh = std::mem::take(&mut self.fresh);
        if !fresh && (rows || !program.changes.holds.is_empty()) {
            self.show_clock();
            self.run_part(&program.step);
            if rows {
                self.recorder.trace(&program.recording, self.memory.numbers());
            }
        }
        store(self.level, self.memory.octets_mut(), &program.changes.holds, &None);
    }

    /// Puts numbers into the slots of so many parameters, or of states that belong to them, from a slot on.
    fn write(&mut self, count: usize, first: usize, values: &[f64]) {
        let sizes: Vec<usize> = self.sweep.cells[self.cell].starts.iter().take(count).map(ndarray::ArrayBase::len).collect();
        let mut values = values.iter();
        for (size, place) in sizes.into_iter().zip(first..) {
            let Some(&octet) = self.program.slots.get(place) else { return };
            for (element, &x) in (0..size).zip(values.by_ref()) {
                self.memory.numbers_mut()[octet * 8 + Lanes::One.place(element, 0)] = x;
            }
        }
    }
}

/// Sums of products, from the first to the last.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum: f64, (a, b)| a.mul_add(*b, sum))
}

/// `x + rate*d`.
fn moved(x: &[f64], rate: f64, d: &[f64]) -> Vector {
    x.iter().zip(d).map(|(x, d)| rate.mul_add(*d, *x)).collect()
}

/// The largest absolute value; NaN when there is one.
fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |m: f64, x| if x.is_nan() || x.abs() > m { x.abs() } else { m })
}

fn flat_enough(largest: f64, gtol: f64) -> End {
    stopped(format!("no element of the gradient is above {gtol:e} (the largest is {largest:.1e})"))
}

const NO_DECREASE: &str = "the line search found no decrease";
const AT_ROUNDING: &str = "the loss cannot fall by more than its rounding";
