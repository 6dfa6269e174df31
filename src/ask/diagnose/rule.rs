//! Findings about rules, starts and endings: first steps, symmetry, what is not felt, a stop condition that is met at once.
//!
//! Of rates see `rate`.

use ndarray::{ArrayD, Axis};

use super::calculus::{Point, flatten};
use super::case::{Case, Kind, largest_of, measure};
use super::{Found, Tried, short};
use crate::numeric::linalg;
use crate::plan::unit::Cell;
use crate::results::Status;

/// How many steps on a constant gradient are looked at.
const FIRST: usize = 60;

/// On a constant gradient the first steps of the rule are more than twice as long as the rate.
pub(super) fn first_steps(case: &Case<'_>) -> Option<Found> {
    let (Kind::Equal(_), Some((_, rate))) = (case.kind, case.rate) else { return None };
    let start = case.start();
    let mut states = case.calculus.states(case.cell, start)?;
    let mut lengths = Vec::new();
    for t in 1..=FIRST.min(case.run.steps as usize) {
        let (next, after) = case.calculus.step(case.cell, start, &states, t as u64)?;
        let step = flatten(&next).into_iter().zip(flatten(start)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        lengths.push(step / rate);
        states = after;
    }
    let (at, longest) = lengths.iter().copied().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    if !(longest.is_finite() && longest > 2.0) {
        return None;
    }
    let head: Vec<String> = lengths.iter().take(3).map(|&x| short(x)).collect();
    let sentence = format!(
        "on a constant gradient the first steps of `{}` are {} times lr, at most {} (step {}): its running means are still near their start, and nothing corrects for that",
        case.design.rule,
        head.join(", "),
        short(longest),
        at + 1
    );
    let mut found = Found::new(case.rule_span(), sentence);
    found.evidence = vec![("first", lengths[0]), ("longest", longest), ("step", (at + 1) as f64)];
    Some(found)
}

/// Whether all columns of a matrix are the same.
fn same_columns(value: &ArrayD<f64>, slack: f64) -> bool {
    let scale = largest_of(value);
    let first = value.index_axis(Axis(1), 0);
    value.axis_iter(Axis(1)).all(|column| column.iter().zip(first.iter()).all(|(a, b)| (a - b).abs() <= slack * scale))
}

/// The columns of a matrix start equal, have equal gradients, and are equal at the end.
pub(super) fn symmetric(case: &Case<'_>) -> Option<Found> {
    let end = case.end()?;
    let grads = case.calculus.gradient(case.cell, case.start())?;
    let moved: Point = apart(case.start());
    let elsewhere = case.calculus.gradient(case.cell, &moved)?;
    let place = (0..end.len()).find(|&at| {
        let start = &case.start()[at];
        let matrix = start.ndim() == 2 && start.shape()[1] > 1 && start.shape()[0] > 0;
        matrix
            && same_columns(start, 0.0)
            && same_columns(&grads[at], 1e-12)
            && same_columns(&end[at], 1e-12)
            && largest_of(&elsewhere[at]) > 0.0
    })?;
    let mut starts = case.start().clone();
    starts[place].clone_from(&moved[place]);
    let trial = with_starts(case, starts)?;
    if trial.end >= case.run.end {
        return None;
    }
    let name = &case.unit.params[place].name;
    let columns = case.start()[place].shape()[1];
    let sentence = format!(
        "all {columns} columns of `{name}` start equal and have equal gradients: they are copies of each other at the end, too, after {} steps",
        case.run.steps
    );
    let mut found = Found::new(param_span(case, place), sentence);
    found.evidence = vec![("columns", columns as f64), ("steps", case.run.steps as f64)];
    found.tried = Some(Tried {
        change: format!("start `{name}` with columns that differ"),
        result: format!("`{}` ends at {} instead of {}", case.loss_name(), short(trial.end), short(case.run.end)),
    });
    Some(found)
}

/// Values of size 1 without pattern, in the same shapes.
fn apart(like: &Point) -> Point {
    let pattern = |i: usize| ((i * 7919 + 13) % 101) as f64 / 50.5 - 1.0;
    like.iter()
        .map(|value| {
            let list: Vec<f64> = value.iter().enumerate().map(|(i, x)| x + pattern(i)).collect();
            ArrayD::from_shape_vec(value.raw_dim(), list).unwrap_or_else(|_| value.clone())
        })
        .collect()
}

fn with_starts(case: &Case<'_>, starts: Point) -> Option<super::case::Measured> {
    let cell = Cell { starts: std::sync::Arc::new(starts), ..case.cell.clone() };
    measure(case.sweep, case.unit, vec![cell], case.design, case.budget, case.runner)?.pop()
}

fn param_span(case: &Case<'_>, place: usize) -> crate::source::Span {
    let name = &case.unit.params[place].name;
    case.program.declared.params.iter().find(|p| p.name == *name).map_or(case.spec.span, |p| p.span)
}

/// The gradient of a parameter is 0 wherever one looks, and it has not moved.
pub(super) fn unfelt(case: &Case<'_>) -> Option<Found> {
    let end = case.end()?;
    let here = case.calculus.gradient(case.cell, case.start())?;
    let there = case.calculus.gradient(case.cell, &apart(case.start()))?;
    let place = (0..end.len()).find(|&at| largest_of(&here[at]) == 0.0 && largest_of(&there[at]) == 0.0 && end[at] == case.start()[at])?;
    let name = &case.unit.params[place].name;
    let sentence = format!(
        "`{}` does not feel `{name}`: its gradient is 0 at the start and at a point far from it, and it is where it was after {} steps",
        case.loss_name(),
        case.run.steps
    );
    let mut found = Found::new(param_span(case, place), sentence);
    found.evidence = vec![("gradient", 0.0), ("steps", case.run.steps as f64)];
    Some(found)
}

/// The whole gradient is 0 at the start, and not elsewhere.
pub(super) fn flat_start(case: &Case<'_>) -> Option<Found> {
    let size = |point: &Point| -> Option<f64> { Some(linalg::norm(&flatten(&case.calculus.gradient(case.cell, point)?))) };
    let starts = apart(case.start());
    let (here, there) = (size(case.start())?, size(&starts)?);
    if !(there.is_finite() && here <= 1e-7 * there) || case.run.end < case.run.start {
        return None;
    }
    let trial = with_starts(case, starts)?;
    if trial.end.is_nan() || trial.end >= case.run.end {
        return None;
    }
    let sentence = format!(
        "the gradient of `{}` is {} at the start (elsewhere {}), so that nothing moves; the start is no minimum, for a run from another one ends lower",
        case.loss_name(),
        short(here),
        short(there)
    );
    let mut found = Found::new(param_span(case, 0), sentence);
    found.evidence = vec![("gradient", here), ("elsewhere", there)];
    found.tried = Some(Tried {
        change: "another start, with values between -1 and 1 added".to_string(),
        result: format!("`{}` ends at {} instead of {}", case.loss_name(), short(trial.end), short(case.run.end)),
    });
    Some(found)
}

/// The stop condition is met within two steps, and without it the loss goes on falling.
pub(super) fn stops_at_once(case: &Case<'_>) -> Option<Found> {
    let (condition, text) = case.spec.stop.as_ref()?;
    if case.run.status != Status::Stopped || case.run.steps > 2 || case.unit.solve.is_some() {
        return None;
    }
    let mut unit = case.unit.clone();
    unit.stop = None;
    unit.memos.clear();
    let trial = case.in_unit(&unit)?;
    let way = case.run.start - trial.end;
    if trial.end.is_nan() || way <= 0.0 || case.run.end - trial.end <= 0.1 * way {
        return None;
    }
    let sentence = format!(
        "the run stops after {} step{}, because `{text}` holds there; what is small is the step, not the distance to go",
        case.run.steps,
        if case.run.steps == 1 { "" } else { "s" }
    );
    let mut found = Found::new(condition.span, sentence);
    found.evidence = vec![("steps", case.run.steps as f64), ("end", case.run.end), ("without", trial.end)];
    found.tried = Some(Tried {
        change: "no stop condition".to_string(),
        result: format!(
            "`{}` falls to {} in {} steps, instead of {}",
            case.loss_name(),
            short(trial.end),
            trial.steps,
            short(case.run.end)
        ),
    });
    Some(found)
}
