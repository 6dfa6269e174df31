//! Findings about the rate: against the curvature, and against the distance to go.
//!
//! Each is told only when a run at another rate ended lower.

use super::calculus::{distance, flatten};
use super::case::{Case, Kind, Measured};
use super::{Found, Tried, short};
use crate::results::Status;

/// The best of several rates, if it ends lower than the run as written by more than a share of the way that it goes itself.
fn better(case: &Case<'_>, rates: &[f64], share: f64) -> Option<(f64, Measured)> {
    let trials = case.at_rates(rates)?;
    let ended = rates.iter().copied().zip(trials).filter(|(_, trial)| trial.end.is_finite() && trial.status != Status::Diverged);
    let (rate, best) = ended.min_by(|(_, a), (_, b)| a.end.total_cmp(&b.end))?;
    let way = case.run.start - best.end;
    let lower = !case.run.end.is_finite() || case.run.end - best.end > share * way;
    (way > 0.0 && lower).then_some((rate, best))
}

/// What a run at another rate showed, in words.
pub(super) fn tried(case: &Case<'_>, rate: f64, trial: &Measured) -> Tried {
    Tried {
        change: format!("lr = {}", short(rate)),
        result: format!(
            "`{}` ends at {} after {} steps, instead of {}",
            case.loss_name(),
            short(trial.end),
            trial.steps,
            short(case.run.end)
        ),
    }
}

/// The rate is above 2/L, where L is the largest curvature at the start, and the loss has risen.
pub(super) fn above_limit(case: &Case<'_>) -> Option<Found> {
    let rate = case.plain()?;
    let curvature = case.calculus.curvature(case.cell, case.start())?;
    let rises = case.run.status == Status::Diverged || case.run.highest > case.run.start;
    if curvature <= 0.0 || rate * curvature <= 2.0 || !rises {
        return None;
    }
    let limit = 2.0 / curvature;
    let (next, trial) = better(case, &[0.9 * limit, 0.5 * limit, 0.1 * limit], 0.0)?;
    let factor = 1.0 - rate * curvature;
    let sentence = format!(
        "lr = {} is above its limit 2/L = {}: the largest curvature of `{}` at the start is L = {}, and there a step multiplies that part of the error by {}",
        short(rate),
        short(limit),
        case.loss_name(),
        short(curvature),
        short(factor)
    );
    let mut found = Found::new(case.rate_span(), sentence);
    found.evidence = vec![("lr", rate), ("curvature", curvature), ("limit", limit), ("factor", factor)];
    found.tried = Some(tried(case, next, &trial));
    Some(found)
}

/// The rate is between 1.5/L and 2/L at the end, and the last steps turn around.
pub(super) fn overshoots(case: &Case<'_>) -> Option<Found> {
    let rate = case.plain()?;
    let (point, before) = (case.end()?, super::calculus::unflatten(&case.run.before, case.start())?);
    let curvature = case.calculus.curvature(case.cell, &point)?;
    let now = flatten(&case.calculus.gradient(case.cell, &point)?);
    let last = flatten(&case.calculus.gradient(case.cell, &before)?);
    let turned: f64 = now.iter().zip(&last).map(|(a, b)| a * b).sum();
    if !(1.5..2.0).contains(&(rate * curvature)) || turned >= 0.0 {
        return None;
    }
    let (next, trial) = better(case, &[1.0 / curvature], 1e-6)?;
    let factor = 1.0 - rate * curvature;
    let sentence = format!(
        "each step overshoots: along the largest curvature, L = {}, lr = {} multiplies the error by {}; 1/L = {} would make it 0",
        short(curvature),
        short(rate),
        short(factor),
        short(next)
    );
    let mut found = Found::new(case.rate_span(), sentence);
    found.evidence = vec![("lr", rate), ("curvature", curvature), ("factor", factor)];
    found.tried = Some(tried(case, next, &trial));
    Some(found)
}

/// The rate is below a hundredth of 1/L, and 1/L goes on by more than a tenth of the way.
pub(super) fn far_below(case: &Case<'_>) -> Option<Found> {
    let rate = case.plain()?;
    let curvature = case.calculus.curvature(case.cell, case.start())?;
    if curvature <= 0.0 || rate * curvature >= 0.01 {
        return None;
    }
    let (next, trial) = better(case, &[1.0 / curvature, 0.1 / curvature], 0.1)?;
    let steps = 1.0 / (rate * curvature);
    let sentence = format!(
        "lr = {} is {} times below the limit 2/L = {} (largest curvature L = {}): even the fastest part of the error needs {} steps to shrink by e",
        short(rate),
        short(2.0 / (curvature * rate)),
        short(2.0 / curvature),
        short(curvature),
        short(steps)
    );
    let mut found = Found::new(case.rate_span(), sentence);
    found.evidence = vec![("lr", rate), ("curvature", curvature), ("limit", 2.0 / curvature), ("steps", steps)];
    found.tried = Some(tried(case, next, &trial));
    Some(found)
}

/// A rule whose steps are about as long as the rate cannot get there: all steps together are less than a quarter of the way.
pub(super) fn reach(case: &Case<'_>) -> Option<Found> {
    let (Kind::Equal(_), Some((_, rate))) = (case.kind, case.rate) else { return None };
    let (next, trial) = better(case, &[10.0, 100.0, 1e3, 1e4].map(|by| by * rate), 0.5)?;
    let start = flatten(case.start());
    let (moved, wanted) = (distance(&case.run.point, &start), distance(&trial.point, &start));
    // All the steps that are planned, though fewer may have been run.
    let reach = rate * case.unit.budget as f64;
    if reach >= 0.25 * wanted {
        return None;
    }
    let sentence = format!(
        "a step of `{}` is about lr long, whatever the gradient: {} steps of {} reach {}; after {} of them the farthest parameter has moved {}, and {} in the trial",
        case.design.rule,
        case.unit.budget,
        short(rate),
        short(reach),
        case.run.steps,
        short(moved),
        short(wanted)
    );
    let mut found = Found::new(case.rate_span(), sentence);
    found.evidence = vec![("lr", rate), ("steps", case.unit.budget as f64), ("reach", reach), ("moved", moved), ("distance", wanted)];
    found.tried = Some(tried(case, next, &trial));
    Some(found)
}

/// A rule with steps of equal length ends in jumps from one side to the other.
pub(super) fn cycles(case: &Case<'_>) -> Option<Found> {
    let (Kind::Equal(_), Some((_, rate))) = (case.kind, case.rate) else { return None };
    let (point, before) = (case.end()?, super::calculus::unflatten(&case.run.before, case.start())?);
    let now = flatten(&case.calculus.gradient(case.cell, &point)?);
    let last = flatten(&case.calculus.gradient(case.cell, &before)?);
    let jumps = case.run.point.iter().zip(&case.run.before).map(|(a, b)| (a - b).abs());
    let (at, width) = jumps.enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    // A step of half to twice the rate is a whole one; a shorter one is a rule that slows down by itself.
    if now.get(at)? * last.get(at)? >= 0.0 || !(0.5 * rate..=2.0 * rate).contains(&width) {
        return None;
    }
    let (next, trial) = better(case, &[rate / 10.0], 1e-6)?;
    let sentence = format!(
        "the run ends in jumps: the last step went {} across the minimum and the gradient changed its sign; with a constant lr = {} the steps of `{}` do not get shorter",
        short(width),
        short(rate),
        case.design.rule
    );
    let mut found = Found::new(case.rate_span(), sentence);
    found.evidence = vec![("lr", rate), ("jump", width)];
    found.tried = Some(tried(case, next, &trial));
    Some(found)
}
