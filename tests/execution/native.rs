//! Machine code or not: no bit of a whole run differs.

use std::sync::Arc;

use optrun::compile::tape::Lanes;
use optrun::expr::graph::InputKind;
use optrun::expr::op::{Binary, Op, Unary};
use optrun::numeric::dispatch::Level;
use optrun::plan::unit::{Measure, Order, Pace, SweepPlan};
use optrun::results::{Fold, Status};
use optrun::run::Options;
use optrun::shape::Shape;

use crate::support::{Shorthand, batches, bowl, descend, line, momentum, slow, sweep};
use crate::{all_bits, annealed, bits, bowl_sweep, run};

/// Rates of which some are too large, at different steps.
const RATES: [f64; 11] = [1e-5, 1e-4, 3e-4, 1e-3, 2e-3, 0.011, 0.3, 1e-6, 2e-5, 1e3, 1e-4];

/// Single rows, momentum, a rate that falls, an event, and what is measured in the step.
fn rows(order: Order, pace: Pace) -> SweepPlan {
    let model = line();
    let starts = model.starts.clone();
    let (mut unit, gradients, numbers) = model.unit(&["lr", "beta"], 29 * 40 + 5);
    momentum(&mut unit, &gradients, numbers[0], numbers[1]);
    let graph = &mut unit.graph;
    let step = graph.input("t", InputKind::Step, Shape::scalar());
    let epoch = graph.input("epoch", InputKind::Epoch, Shape::scalar());
    (unit.step, unit.epoch) = (graph.as_input(step), graph.as_input(epoch));
    let half = graph.number(0.5);
    unit.states[0].next_epoch = Some(graph.mul_(half, unit.states[0].input));
    let root = graph.unary(Unary::Sqrt, step);
    let slower = graph.mul_(root, epoch);
    let rate = graph.div_(numbers[0], slower);
    for (slot, state) in unit.params.iter_mut().zip(&unit.states) {
        let change = graph.mul_(rate, state.next);
        slot.next = graph.sub_(slot.input, change);
    }
    batches(&mut unit, 1, false, order);
    let quantities = [
        ("loss on batch", Measure::Step(unit.loss)),
        ("rate", Measure::Step(rate)),
        ("b", Measure::Row(unit.params[0].input)),
        ("w", Measure::Row(unit.params[1].input)),
        ("t", Measure::Row(step)),
    ];
    let mut plan = with_rates(unit, &quantities, &starts);
    plan.pace = pace;
    plan.folds.push(Fold::AtStep { of: 3, step: 31 });
    plan
}

fn with_rates(unit: optrun::plan::unit::Unit, quantities: &[(&str, Measure)], starts: &[optrun::expr::eval::Tensor]) -> SweepPlan {
    let lanes: Vec<[f64; 2]> = RATES.iter().enumerate().map(|(i, &rate)| [rate, 0.1 * (i % 7) as f64]).collect();
    let lanes: Vec<&[f64]> = lanes.iter().map(|lane| &lane[..]).collect();
    sweep(unit, quantities, starts, &lanes)
}

/// No data: every point is recorded, with a rate that falls with a power of the step, and sines that are soon of large angles.
fn points() -> SweepPlan {
    let mut model = bowl();
    let starts = model.starts.clone();
    let graph = &mut model.graph;
    let [w1, w2] = [model.params[0].1, model.params[1].1];
    let product = graph.mul_(w1, w2);
    let square = graph.mul_(product, product);
    let (sine, soft) = (graph.unary(Unary::Sin, square), graph.unary(Unary::Softplus, product));
    let waves = graph.add_(sine, soft);
    model.loss = graph.add_(model.loss, waves);
    let (mut unit, gradients, numbers) = model.unit(&["lr", "beta"], 400);
    descend(&mut unit, &gradients, numbers[0]);
    let graph = &mut unit.graph;
    let step = graph.input("t", InputKind::Step, Shape::scalar());
    unit.step = graph.as_input(step);
    let base = graph.number(0.999);
    let power = graph.binary(Binary::Pow, base, step);
    let rate = graph.mul_(numbers[0], power);
    for (slot, &gradient) in unit.params.iter_mut().zip(&gradients) {
        let change = graph.mul_(rate, gradient);
        slot.next = graph.sub_(slot.input, change);
    }
    let norm = graph.binary(Binary::Maximum, gradients[0], gradients[1]);
    let quantities = [
        ("loss", Measure::Row(unit.loss)),
        ("rate", Measure::Step(rate)),
        ("slope", Measure::Step(norm)),
        ("w1", Measure::Row(unit.params[0].input)),
        ("2t", Measure::Row(graph.add_(step, step))),
    ];
    with_rates(unit, &quantities, &starts)
}

fn off() -> Options {
    Options { native: false, ..Options::default() }
}

#[test]
fn machine_code_changes_no_bit() {
    let orders: Vec<Vec<u32>> = (0..41).map(|epoch| (0..29).map(|i| (i * 12 + epoch) % 29).collect()).collect();
    // The last of these overflow within 20 steps.
    let lanes: Vec<[f64; 2]> = (0..19).map(|i| [format!("1e{}", i - 2).parse().unwrap(), 0.5]).collect();
    let lanes: Vec<&[f64]> = lanes.iter().map(|lane| &lane[..]).collect();
    let sweeps = [
        rows(Order::InOrder, Pace::Steps(1)),
        rows(Order::InOrder, Pace::Steps(50)),
        rows(Order::Shuffled(3), Pace::Epochs(1)),
        rows(Order::Given(Arc::new(orders)), Pace::Steps(7)),
        rows(Order::Drawn(5), Pace::Epochs(3)),
        points(),
        annealed(),
        bowl_sweep(&lanes),
    ];
    for (number, sweep) in sweeps.iter().enumerate() {
        let expected = run(sweep, &off());
        let diverged = expected.iter().filter(|run| run.status == Status::Diverged).count();
        assert!(sweep.cells.len() < 11 || diverged > 0, "sweep {number} is too tame");
        let expected = all_bits(&expected);
        for lanes in [None, Some(Lanes::One), Some(Lanes::Eight)] {
            for level in Level::available() {
                for threads in [1, 2] {
                    let found = all_bits(&run(sweep, &Options { native: true, lanes, level, threads, ..Options::default() }));
                    assert_eq!(found, expected, "sweep {number}, {lanes:?}, {level:?}, {threads} threads");
                }
            }
        }
    }
}

#[test]
fn machine_code_has_the_bits_of_the_slow_evaluator() {
    let sweep = points();
    let runs = run(&sweep, &Options { native: true, ..Options::default() });
    for cell in [0, 2, 4, 8, 10] {
        let expected = slow(&sweep, cell);
        for (found, expected) in runs[cell].trace.columns.iter().zip(expected) {
            assert_eq!(bits(found), bits(&expected[..found.len()]), "cell {cell}");
        }
    }
}

#[test]
fn a_far_angle_is_left_to_the_tape() {
    let mut model = bowl();
    let starts = model.starts.clone();
    let graph = &mut model.graph;
    let billions = graph.number(4e9);
    let far = graph.mul_(billions, model.params[0].1);
    let sine = graph.add(Op::Unary(Unary::Sin), &[far]);
    model.loss = graph.add_(model.loss, sine);
    let (mut unit, gradients, numbers) = model.unit(&["lr", "beta"], 300);
    // Downhill without the sine: its slope is large.
    let tenth = unit.graph.number(0.2);
    let slope = unit.graph.mul_(tenth, unit.params[0].input);
    descend(&mut unit, &[slope, gradients[1]], numbers[0]);
    let sweep = with_rates(unit.clone(), &[("loss", Measure::Row(unit.loss))], &starts);
    let expected = all_bits(&run(&sweep, &off()));
    assert_eq!(all_bits(&run(&sweep, &Options { native: true, ..Options::default() })), expected);
}
