//! `optrun diagnose`: why it does not go down. Each finding is computed, and each suggestion was tried.
//!
//! It measures by short runs that its caller makes for it, and judges one cell after the other; it knows no rule by name.

mod calculus;
mod case;
mod data;
mod loss;
mod rate;
mod rule;

use std::fmt::Write as _;

use serde_json::{Value, json};

use calculus::Calculus;
use case::{Case, kind, measure};

use super::grouped;
use crate::check::Program;
use crate::expr::graph::Id;
use crate::numeric::format::printf;
use crate::plan::unit::{Cell, Plan, SweepPlan, Unit};
use crate::results::{Results, Setting};
use crate::source::{Sources, Span};

/// A finding: what is computed and from when on it is told.
struct Finding {
    name: &'static str,
    /// What is computed.
    computes: &'static str,
    /// From when on it is told, and why from there.
    threshold: &'static str,
    find: fn(&Case<'_>) -> Option<Found>,
}

/// All findings, in the order in which they are told.
const FINDINGS: [Finding; 17] = [
    Finding {
        name: "sum_not_mean",
        computes: "the loss over each metric, at three points",
        threshold: "the same number of rows at all three, and steps in proportion to the gradient: others do not feel it",
        find: loss::sum_not_mean,
    },
    Finding {
        name: "rate_above_limit",
        computes: "the largest curvature L at the start, by power iteration on the Hessian",
        threshold: "lr > 2/L, where a quadratic diverges, and the loss has risen",
        find: rate::above_limit,
    },
    Finding {
        name: "overshoots",
        computes: "the largest curvature L at the end, and the gradients at the last two points",
        threshold: "lr between 1.5/L and 2/L, where a step turns the error around and keeps half of it or more",
        find: rate::overshoots,
    },
    Finding {
        name: "rate_far_below",
        computes: "the largest curvature L at the start",
        threshold: "lr < 0.01/L, and 1/L gets farther by more than a tenth of the way",
        find: rate::far_below,
    },
    Finding {
        name: "reach",
        computes: "steps times lr, for a rule whose steps do not depend on the size of the gradient",
        threshold: "less than a quarter of what the best of four larger rates moves",
        find: rate::reach,
    },
    Finding {
        name: "cycles",
        computes: "the last step and the gradients on both of its sides",
        threshold: "the gradient changes its sign, and the step is half to twice lr: a whole one",
        find: rate::cycles,
    },
    Finding {
        name: "first_steps",
        computes: "the first 60 steps of the rule on a constant gradient",
        threshold: "one of them above 2*lr: with bias correction they are about lr",
        find: rule::first_steps,
    },
    Finding {
        name: "feature_scales",
        computes: "standard deviations of the features, and the condition number with and without standardizing them",
        threshold: "scales a factor of 10 apart, a condition number that falls to a tenth, a run that gets farther by a hundredth of the way",
        find: data::feature_scales,
    },
    Finding {
        name: "dropped_rows",
        computes: "the rows beyond the last whole batch",
        threshold: "any: nothing else says that they are not used",
        find: data::dropped_rows,
    },
    Finding {
        name: "squashed_logits",
        computes: "the floor of -log(softmax) when its argument is the value of a bounded function",
        threshold: "any: the floor is above 0 whatever is learned",
        find: loss::squashed_logits,
    },
    Finding {
        name: "unbounded_slope",
        computes: "the gradient near 0 of what stands below a root, and the root halfway",
        threshold: "more than twice as steep at 1e-10 of the start as at 1e-6 of it: a norm has the same slope at both",
        find: loss::unbounded_slope,
    },
    Finding {
        name: "saturated",
        computes: "the share of values beyond 13.8 in a sigmoid at the end",
        threshold: "more than a fifth, after the loss has risen: a good fit saturates, too, but without rising",
        find: loss::saturated,
    },
    Finding {
        name: "dead_units",
        computes: "the share of relu units that are 0 in every row at the end",
        threshold: "more than two fifths: a few always are",
        find: loss::dead_units,
    },
    Finding {
        name: "symmetric_start",
        computes: "columns of a parameter at the start, of its gradient, and at the end",
        threshold: "all the same: then they stay the same for ever",
        find: rule::symmetric,
    },
    Finding {
        name: "flat_start",
        computes: "the gradient at the start and at another point",
        threshold: "1e-7 of the other, as it is 1e-9 beside a stationary point, and a run from the other point ends lower",
        find: rule::flat_start,
    },
    Finding {
        name: "unfelt_parameter",
        computes: "the gradient of a parameter at two points, and how far it moved",
        threshold: "exactly 0",
        find: rule::unfelt,
    },
    Finding {
        name: "stops_at_once",
        computes: "the same run without its stop condition",
        threshold: "stopped within two steps, and more than a tenth of the way is still to go",
        find: rule::stops_at_once,
    },
];

/// What a finding says about a cell.
struct Found {
    sentence: String,
    evidence: Vec<(&'static str, f64)>,
    span: Span,
    tried: Option<Tried>,
}

impl Found {
    fn new(span: Span, sentence: String) -> Self {
        Found { sentence, evidence: Vec::new(), span, tried: None }
    }
}

/// A suggestion that has been run.
struct Tried {
    change: String,
    result: String,
}

/// The findings, for a person and as a document.
#[derive(Debug)]
pub struct Diagnosis {
    /// For a person.
    pub text: String,
    /// `{ "findings": [{ "name", "sweep", "cells", "of", "sentence", "evidence", "line", "tried" }], "left_out": [] }`.
    pub json: Value,
}

/// The most cells of a sweep that are looked at.
const CELLS: usize = 12;

/// About how many numbers all runs of one cell's diagnosis may compute, and those that the slow evaluator may: a second or less each.
const RUN_WORK: u64 = 200_000_000;
const SLOW_WORK: u64 = 8_000_000;

/// Four significant digits.
fn short(x: f64) -> String {
    printf("%.4g", x).unwrap_or_else(|_| x.to_string())
}

/// A finding in some cells of a sweep.
struct Told {
    finding: &'static Finding,
    sweep: String,
    found: Found,
    /// The cells that have it, the one that it tells of first.
    cells: Vec<String>,
    of: usize,
}

/// Looks at each sweep of a plan. `runner` runs a plan.
#[must_use]
pub fn diagnose(program: &Program, plan: &Plan, sources: &Sources, runner: &dyn Fn(&Plan) -> Option<Results>) -> Diagnosis {
    let mut told: Vec<Told> = Vec::new();
    let mut left_out: Vec<String> = Vec::new();
    let cells: usize = plan.sweeps.iter().map(|sweep| sweep.cells.len().min(CELLS)).sum();
    for sweep in &plan.sweeps {
        one(program, sweep, cells.max(1), runner, &mut told, &mut left_out);
    }
    told.sort_by_key(|t| plan.sweeps.iter().position(|sweep| sweep.name == t.sweep));
    Diagnosis { text: text(&told, &left_out, sources), json: document(&told, &left_out, sources) }
}

fn one(
    program: &Program,
    sweep: &SweepPlan,
    cells: usize,
    runner: &dyn Fn(&Plan) -> Option<Results>,
    told: &mut Vec<Told>,
    left_out: &mut Vec<String>,
) {
    let Some(spec) = program.sweeps.iter().find(|spec| spec.name == sweep.name) else { return };
    if sweep.cells.len() > CELLS {
        left_out.push(format!("sweep `{}`: {CELLS} of its {} cells were looked at, the first", sweep.name, grouped(sweep.cells.len())));
    }
    let of = sweep.cells.len().min(CELLS);
    let mut own: Vec<Told> = Vec::new();
    let mut notes: Vec<String> = Vec::new();
    let mut known: Vec<(usize, Option<Calculus<'_>>)> = Vec::new();
    for (unit, design, cell) in sweep.planned().take(CELLS) {
        if !known.iter().any(|(at, _)| *at == design.unit) {
            known.push((design.unit, Calculus::of(unit)));
        }
        let label = label(sweep, design.optimizer.as_ref(), &design.settings);
        let Some((_, Some(calculus))) = known.iter().find(|(at, _)| *at == design.unit) else {
            notes.push(format!("sweep `{}`: its loss has no second derivative", sweep.name));
            continue;
        };
        let each = work(unit, &[unit.loss]);
        if each.saturating_mul(400) > SLOW_WORK.saturating_mul(CELLS as u64) / cells as u64 * 4 {
            notes.push(format!("sweep `{}`: its loss is too much work for the time there is", sweep.name));
            continue;
        }
        let steps = (RUN_WORK.saturating_mul(CELLS as u64) / (each.saturating_mul(4) * cells as u64)).clamp(50, 1_000_000);
        let budget = unit.budget.min(steps);
        if budget < unit.budget {
            notes.push(format!(
                "sweep `{}`: {} of its {} steps were run",
                sweep.name,
                grouped(budget as usize),
                grouped(unit.budget as usize)
            ));
        }
        let run = measure(sweep, unit, vec![cell.clone()], design, budget, runner).and_then(|mut list| list.pop());
        let Some(run) = run else {
            notes.push(format!("sweep `{}`: it cannot be run with the memory there is", sweep.name));
            continue;
        };
        let rate = rate(unit, cell);
        let kind = kind(unit, calculus, cell);
        let case = Case { program, spec, sweep, unit, design, cell, calculus, run, budget, kind, rate, runner };
        for finding in &FINDINGS {
            let Some(found) = (finding.find)(&case) else { continue };
            match own.iter_mut().find(|t| t.finding.name == finding.name) {
                Some(same) => same.cells.push(label.clone()),
                None => own.push(Told { finding, sweep: sweep.name.clone(), found, cells: vec![label.clone()], of }),
            }
        }
    }
    notes.dedup();
    left_out.extend(notes);
    own.sort_by_key(|t| FINDINGS.iter().position(|f| f.name == t.finding.name));
    told.extend(own);
}

/// The rate of a cell, where it is a number: what rules call `lr`.
fn rate(unit: &Unit, cell: &Cell) -> Option<(usize, f64)> {
    let mut places = unit.lane.iter().enumerate().filter(|(_, input)| unit.graph.input_info(**input).name == "lr");
    let (place, _) = places.next()?;
    let rate = cell.lane.get(place).copied().filter(|rate| rate.is_finite() && *rate > 0.0)?;
    places.next().is_none().then_some((place, rate))
}

/// About how many numbers one value takes.
fn work(unit: &Unit, roots: &[Id]) -> u64 {
    super::work(&unit.rows, &unit.graph, roots) as u64
}

/// A cell as a person would call it.
fn label(sweep: &SweepPlan, optimizer: &str, settings: &[Setting]) -> String {
    let shown: Vec<String> = sweep
        .axes
        .iter()
        .zip(settings)
        .filter(|(name, _)| sweep.varying.contains(name))
        .filter_map(|(name, setting)| match setting {
            Setting::Blank => None,
            Setting::Number(x) => Some(format!("{name} = {}", short(*x))),
            Setting::Text(text) => Some(format!("{name} = {text}")),
        })
        .collect();
    if shown.is_empty() { optimizer.to_string() } else { format!("{optimizer} with {}", shown.join(", ")) }
}

/// The first few.
fn list(cells: &[String]) -> String {
    let more = cells.len().saturating_sub(4);
    let first = cells.iter().take(4).cloned().collect::<Vec<_>>().join("; ");
    if more > 0 { format!("{first}; and {more} more") } else { first }
}

fn text(told: &[Told], left_out: &[String], sources: &Sources) -> String {
    let mut text = String::new();
    for t in told {
        let cells = if t.of == 1 { String::new() } else { format!(" · {} of {} cells: {}", t.cells.len(), t.of, list(&t.cells)) };
        let _ = writeln!(text, "{} · {}{cells}", t.sweep, t.finding.name);
        let about = if t.cells.len() > 1 { format!("{}: ", t.cells[0]) } else { String::new() };
        let _ = writeln!(text, "  {about}{}", t.found.sentence);
        let (line, _) = sources.line_column(t.found.span);
        let file = sources.file(t.found.span.file);
        let written = file.text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim();
        let _ = writeln!(text, "  line {line}   {written}");
        if let Some(tried) = &t.found.tried {
            let _ = writeln!(text, "  try   {}   tried: {}", tried.change, tried.result);
        }
        text.push('\n');
    }
    if told.is_empty() {
        let _ = writeln!(text, "nothing found: {} kinds of mistakes were looked for\n", FINDINGS.len());
    }
    for note in left_out {
        let _ = writeln!(text, "left out · {note}");
    }
    text
}

fn number(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { json!(crate::numeric::format::shortest(x)) }
}

fn document(told: &[Told], left_out: &[String], sources: &Sources) -> Value {
    let findings: Vec<Value> = told
        .iter()
        .map(|t| {
            let evidence: serde_json::Map<String, Value> =
                t.found.evidence.iter().map(|(name, x)| ((*name).to_string(), number(*x))).collect();
            let tried = t.found.tried.as_ref().map(|tried| json!({ "change": tried.change, "result": tried.result }));
            json!({
                "name": t.finding.name,
                "computes": t.finding.computes,
                "threshold": t.finding.threshold,
                "sweep": t.sweep,
                "cells": t.cells,
                "of": t.of,
                "sentence": t.found.sentence,
                "evidence": evidence,
                "line": sources.line_column(t.found.span).0,
                "tried": tried,
            })
        })
        .collect();
    json!({ "findings": findings, "left_out": left_out })
}
