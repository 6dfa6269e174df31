//! The same bits as the slow evaluator, and in any arrangement of lanes, threads, blocks and instructions.

use std::sync::Arc;

use optrun::compile::tape::Lanes;
use optrun::expr::graph::{Graph, InputKind};
use optrun::expr::op::Unary;
use optrun::numeric::dispatch::Level;
use optrun::numeric::random::Stream;
use optrun::plan::unit::{Measure, Noise, Order, Pace, SweepPlan};
use optrun::run::Options;
use optrun::shape::Shape;

use crate::support::{Model, Shorthand, batches, logistic, momentum, slow, sweep, tensor};
use crate::{all_bits, annealed, bits, close, logistic_sweep, run};

/// Minibatches of 32 with a short last one, momentum, an event, and what is measured in the step.
fn everything(order: Order, budget: u64, rates: &[f64]) -> SweepPlan {
    let mut model = logistic();
    let mean = model.mean_loss();
    let starts = model.starts.clone();
    let (mut unit, gradients, numbers) = model.unit(&["lr", "beta"], budget);
    momentum(&mut unit, &gradients, numbers[0], numbers[1]);
    let graph = &mut unit.graph;
    let step = graph.input("t", InputKind::Step, Shape::scalar());
    unit.step = graph.as_input(step);
    // The event forgets half of the velocity; the rate is divided by sqrt(t).
    let half = graph.number(0.5);
    unit.states[0].next_epoch = Some(graph.mul_(half, unit.states[0].input));
    let root = graph.unary(Unary::Sqrt, step);
    let rate = graph.div_(numbers[0], root);
    let change = graph.mul_(rate, unit.states[0].next);
    unit.params[0].next = graph.sub_(unit.params[0].input, change);
    let twice = graph.add_(step, step);
    batches(&mut unit, 32, false, order);
    let quantities = [
        ("loss", Measure::Row(mean)),
        ("loss on batch", Measure::Step(unit.loss)),
        ("rate", Measure::Step(rate)),
        ("2t", Measure::Row(twice)),
        ("w", Measure::Row(unit.params[0].input)),
    ];
    let lanes: Vec<[f64; 2]> = rates.iter().enumerate().map(|(i, &rate)| [rate, 0.1 * (i % 7) as f64]).collect();
    let lanes: Vec<&[f64]> = lanes.iter().map(|lane| &lane[..]).collect();
    sweep(unit, &quantities, &starts, &lanes)
}

const RATES: [f64; 11] = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1];

#[test]
fn runs_have_the_bits_of_the_slow_evaluator() {
    let orders: Vec<Vec<u32>> = (0..3).map(|epoch| (0..699).map(|i| (i * [100, 17, 523][epoch] + epoch as u32) % 699).collect()).collect();
    for sweep in [
        everything(Order::Given(Arc::new(orders)), 50, &RATES),
        everything(Order::InOrder, 30, &RATES),
        logistic_sweep(&RATES, 40),
        annealed(),
    ] {
        let runs = run(&sweep, &Options::default());
        for cell in [0, 1, 7, 8, 10].into_iter().filter(|&cell| cell < sweep.cells.len()) {
            let every = if sweep.pace == Pace::Epochs(1) { sweep.units[0].steps_per_epoch as usize } else { 1 };
            let expected = slow(&sweep, cell);
            for (quantity, (found, expected)) in runs[cell].trace.columns.iter().zip(expected).enumerate() {
                let width = sweep.quantities[quantity].len();
                let recorded: Vec<f64> = expected.chunks(width).step_by(every).flatten().copied().collect();
                assert_eq!(bits(found), bits(&recorded), "cell {cell}, {}", sweep.quantities[quantity].text);
            }
        }
    }
}

#[test]
fn nothing_but_the_plan_changes_a_bit() {
    for sweep in [everything(Order::Shuffled(7), 30, &RATES), everything(Order::Drawn(7), 10, &RATES), logistic_sweep(&RATES, 12)] {
        let expected = all_bits(&run(&sweep, &Options::default()));
        for threads in [2, 8] {
            assert_eq!(all_bits(&run(&sweep, &Options { threads, ..Options::default() })), expected, "{threads} threads");
        }
        for lanes in [Lanes::One, Lanes::Eight] {
            for block in [8, 40, 1024] {
                for level in Level::available() {
                    let options = Options { lanes: Some(lanes), block: Some(block), level, ..Options::default() };
                    assert_eq!(all_bits(&run(&sweep, &options)), expected, "{lanes:?}, block {block}, {level:?}");
                }
            }
        }
    }
}

#[test]
fn orders_belong_to_replicates_and_epochs() {
    let mut sweep = everything(Order::Shuffled(7), 66, &[1e-4; 4]);
    for (cell, replicate) in [0, 0, 1, 1].into_iter().enumerate() {
        Arc::make_mut(&mut sweep.designs)[cell].replicate = replicate;
        sweep.cells[cell].lane = vec![1e-4, 0.0];
    }
    let runs = run(&sweep, &Options::default());
    let trace = |cell: usize| bits(&runs[cell].trace.columns[4]);
    assert_eq!(trace(0), trace(1));
    assert_eq!(trace(2), trace(3));
    assert_ne!(trace(0), trace(2));
    // Each epoch has every row once: with the last batch short, the batch losses at the start sum up to 699 ln 2.
    let mut sweep = everything(Order::Cumulatively(3), 44, &[0.0]);
    sweep.cells[0].lane = vec![0.0, 0.0];
    let losses = run(&sweep, &Options::default())[0].trace.columns[1].clone();
    assert_eq!(losses.len(), 45);
    for epoch in [&losses[1..23], &losses[23..45]] {
        close(epoch.iter().sum(), 484.50987921140177, 1e-13);
    }
    assert!(losses[0].is_nan());
}

/// `w <- w - lr*(grad + z)` with a standard normal `z` for each entry and step, on `sum(w^2)`; eleven cells of four replicates.
fn noisy(width: usize, budget: u64) -> SweepPlan {
    let mut graph = Graph::new();
    let w = graph.input("w", InputKind::Param, Shape::fixed(&[width]));
    let square = graph.unary(Unary::Square, w);
    let loss = graph.sum_all(square);
    let starts = vec![tensor(&[width], &vec![1.0; width])];
    let model = Model { graph, rows: 0, columns: Vec::new(), params: vec![("w".to_string(), w)], starts, loss };
    let starts = model.starts.clone();
    let (mut unit, gradients, numbers) = model.unit(&["lr"], budget);
    let graph = &mut unit.graph;
    let z = graph.input("z of w", InputKind::Noise, Shape::fixed(&[width]));
    let pushed = graph.add_(gradients[0], z);
    let change = graph.mul_(numbers[0], pushed);
    unit.params[0].next = graph.sub_(unit.params[0].input, change);
    unit.noise = vec![Noise { name: "z of w".to_string(), input: graph.as_input(z).unwrap(), normal: true, seed: 5 }];
    let quantities = [("w", Measure::Row(unit.params[0].input)), ("z", Measure::Step(z))];
    let lanes: Vec<[f64; 1]> = RATES.iter().map(|&rate| [rate]).collect();
    let lanes: Vec<&[f64]> = lanes.iter().map(|lane| &lane[..]).collect();
    let mut sweep = sweep(unit, &quantities, &starts, &lanes);
    for (cell, design) in Arc::make_mut(&mut sweep.designs).iter_mut().enumerate() {
        design.replicate = cell % 4;
    }
    sweep
}

#[test]
fn noise_belongs_to_replicates_and_steps() {
    // The second plan has too many numbers for them to be kept from one group to the next.
    for (width, budget) in [(10, 40), (7001, 20)] {
        let sweep = noisy(width, budget);
        let runs = run(&sweep, &Options::default());
        for (cell, result) in runs.iter().enumerate() {
            let mut w = vec![1.0; width];
            for (step, (z, next)) in result.trace.columns[1].chunks(width).zip(result.trace.columns[0].chunks(width)).enumerate() {
                if step > 0 {
                    let mut stream = Stream::new(5, "noise", "z of w", &[cell as u64 % 4, step as u64]);
                    let expected: Vec<f64> = (0..width).map(|_| stream.normal()).collect();
                    assert!(bits(z) == bits(&expected), "cell {cell}, step {step}");
                    w.iter_mut().zip(z).for_each(|(w, z)| *w -= RATES[cell] * (2.0 * *w + z));
                }
                w.iter().zip(next).for_each(|(w, next)| close(*next, *w, 1e-12));
            }
        }
        let expected = all_bits(&runs);
        for (threads, lanes) in [(1, None), (3, None), (2, Some(Lanes::One)), (2, Some(Lanes::Eight))] {
            for level in Level::available() {
                let options = Options { threads, lanes, level, ..Options::default() };
                assert_eq!(all_bits(&run(&sweep, &options)), expected, "{threads} threads, {lanes:?}, {level:?}");
            }
        }
    }
}
