//! Whole runs: against the seeds' numbers, against the slow evaluator bit by bit, and against themselves in other arrangements.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod bits;
mod endings;
mod native;
mod seeds;
mod support;
mod threads;

use optrun::expr::graph::InputKind;
use optrun::expr::op::{Binary, Op, Unary};
use optrun::plan::unit::{Measure, Order, Pace, Slot, SweepPlan};
use optrun::results::{Run, Status};
use optrun::run::{Options, Silent, execute};
use optrun::shape::Shape;
use support::{Shorthand, batches, bowl, descend, line, logistic, momentum, plan, sweep};

/// A run with copies of all that was recorded.
pub(crate) struct Ran {
    pub(crate) id: usize,
    pub(crate) status: Status,
    pub(crate) reason: String,
    pub(crate) steps: u64,
    pub(crate) epochs: u64,
    pub(crate) evaluations: u64,
    pub(crate) folded: Vec<Vec<f64>>,
    pub(crate) trace: Rows,
}

/// Recorded rows: per traced quantity the elements of row 0, then of row 1, ...
#[derive(Debug, PartialEq, Default)]
pub(crate) struct Rows {
    pub(crate) steps: Vec<u64>,
    pub(crate) epochs: Vec<u64>,
    pub(crate) columns: Vec<Vec<f64>>,
}

pub(crate) fn run(sweep: &SweepPlan, options: &Options) -> Vec<Ran> {
    let results = execute(&plan(sweep.clone()), options, &Silent).expect("it runs");
    let [sweep] = &results.sweeps[..] else { panic!("one sweep") };
    let ran = |run: Run<'_>| Ran {
        id: run.id,
        status: run.status,
        reason: run.reason.to_string(),
        steps: run.steps,
        epochs: run.epochs,
        evaluations: run.evaluations,
        folded: (0..sweep.folds.len()).map(|fold| run.folded(fold).expect("a value").to_vec()).collect(),
        trace: Rows {
            steps: run.trace().steps().collect(),
            epochs: run.trace().epochs().collect(),
            columns: (0..sweep.traced.len()).map(|column| run.trace().column(column)).collect(),
        },
    };
    sweep.runs().map(ran).collect()
}

pub(crate) fn close(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * (1.0 + expected.abs()), "{found} is not {expected}");
}

pub(crate) fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }).collect()
}

/// Everything of a result, NaN made equal.
pub(crate) fn all_bits(runs: &[Ran]) -> Vec<(String, Vec<Vec<u64>>)> {
    let one = |run: &Ran| {
        let head = format!("{} {:?} {} {} {} {:?}", run.id, run.status, run.reason, run.steps, run.evaluations, run.trace.steps);
        (head, run.folded.iter().chain(&run.trace.columns).map(|values| bits(values)).collect())
    };
    runs.iter().map(one).collect()
}

pub(crate) fn bowl_sweep(lanes: &[&[f64]]) -> SweepPlan {
    let model = bowl();
    let starts = model.starts.clone();
    let (mut unit, gradients, numbers) = model.unit(&["lr", "beta"], 20);
    momentum(&mut unit, &gradients, numbers[0], numbers[1]);
    let quantities =
        [("w1", Measure::Row(unit.params[0].input)), ("w2", Measure::Row(unit.params[1].input)), ("bowl", Measure::Row(unit.loss))];
    sweep(unit, &quantities, &starts, lanes)
}

/// The rule of seed 001 with its event: `m` and `r` from 1, `rate` cut when the scale of the gradients has doubled.
pub(crate) fn annealed() -> SweepPlan {
    let model = line();
    let starts = model.starts.clone();
    let (mut unit, gradients, _) = model.unit(&[], 50 * 29);
    let graph = &mut unit.graph;
    let rate = graph.input("rate", InputKind::Shared, Shape::scalar());
    let best = graph.input("best", InputKind::Shared, Shape::scalar());
    let (one, kept_m, kept_r) = (graph.number(1.0), graph.number(0.9), graph.number(0.95));
    let tenth = graph.number(1.0 - 0.9);
    let mut level = None;
    for (slot, &gradient) in unit.params.iter_mut().zip(&gradients) {
        let m = graph.input("m", InputKind::State, Shape::scalar());
        let r = graph.input("r", InputKind::State, Shape::scalar());
        let (a, b) = (graph.mul_(kept_m, m), graph.mul_(tenth, gradient));
        let next_m = graph.add_(a, b);
        let square = graph.unary(Unary::Square, gradient);
        let share = graph.number(1.0 - 0.95);
        let (a, b) = (graph.mul_(kept_r, r), graph.mul_(share, square));
        let next_r = graph.add_(a, b);
        let root = graph.unary(Unary::Sqrt, next_r);
        let step = graph.mul_(rate, next_m);
        let step = graph.div_(step, root);
        slot.next = graph.sub_(slot.input, step);
        let scale = graph.unary(Unary::Sqrt, r);
        level = Some(level.map_or(scale, |sum| graph.add_(sum, scale)));
        unit.states.push(Slot { name: "m".into(), input: m, next: next_m, next_epoch: None });
        unit.states.push(Slot { name: "r".into(), input: r, next: next_r, next_epoch: None });
        unit.state_starts.extend([one, one]);
    }
    let level = level.expect("a level");
    let (two, four, first_best) = (graph.number(2.0), graph.number(4.0), graph.number(5500.0));
    let ratio = graph.div_(level, best);
    let doubled = graph.binary(Binary::Lt, two, ratio);
    let quarter = graph.div_(rate, four);
    let next_rate = graph.add(Op::Select, &[doubled, quarter, rate]);
    let next_best = graph.binary(Binary::Minimum, best, level);
    unit.states.push(Slot { name: "rate".into(), input: rate, next: rate, next_epoch: Some(next_rate) });
    unit.states.push(Slot { name: "best".into(), input: best, next: best, next_epoch: Some(next_best) });
    unit.state_starts.extend([one, first_best]);
    batches(&mut unit, 1, false, Order::InOrder);
    // A value with a number for each row can be recorded, too.
    let xs = optrun::expr::graph::Id(0);
    let line = unit.graph.mul_(unit.params[1].input, xs);
    let quantities = [("b", unit.params[0].input), ("w", unit.params[1].input), ("rate", rate), ("line", line)];
    let quantities = quantities.map(|(text, id)| (text, Measure::Row(id)));
    let mut sweep = sweep(unit, &quantities, &starts, &[&[]]);
    sweep.pace = Pace::Epochs(1);
    sweep
}

/// Logistic regression by gradient descent: the mean loss at each epoch.
pub(crate) fn logistic_sweep(rates: &[f64], epochs: u64) -> SweepPlan {
    let mut model = logistic();
    let mean = model.mean_loss();
    let starts = model.starts.clone();
    let (mut unit, gradients, numbers) = model.unit(&["lr"], epochs);
    descend(&mut unit, &gradients, numbers[0]);
    let rates: Vec<[f64; 1]> = rates.iter().map(|&rate| [rate]).collect();
    let lanes: Vec<&[f64]> = rates.iter().map(|rate| &rate[..]).collect();
    let quantities = [("log_loss", Measure::Row(mean)), ("w", Measure::Row(unit.params[0].input))];
    sweep(unit, &quantities, &starts, &lanes)
}
