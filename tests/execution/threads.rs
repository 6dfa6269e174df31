//! Rows of one cell on several threads, and columns read as bytes: the same bits, whatever the number of rows, threads, lanes, and passes
//! in a step.

use std::sync::Arc;

use optrun::compile::tape::Lanes;
use optrun::expr::graph::{Graph, InputKind};
use optrun::expr::op::{Binary, Op, Reduce, Unary};
use optrun::plan::unit::{Measure, Order, SweepPlan};
use optrun::run::Options;
use optrun::shape::{DataId, Dim, Shape};

use crate::support::{Model, ROWS, Shorthand, batches, logistic, momentum, slow, sweep, tensor};
use crate::{all_bits, bits, logistic_sweep, run};

/// A network with a hidden layer on so many rows, a penalty that needs a sum over all rows before a second pass, and a variance, for
/// which values with all rows are kept from one pass to the next.
fn tower(rows: usize) -> Model {
    let mut state = 12345_u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / f64::from(1 << 23) - 1.0
    };
    let x: Vec<f64> = (0..rows * 3).map(|_| next()).collect();
    let y: Vec<f64> = x.chunks(3).map(|x| if x[0] + 0.5 * x[1] > 0.1 * x[2] { 1.0 } else { 0.0 }).collect();
    let mut graph = Graph::new();
    let xs = graph.input("X", InputKind::Column(DataId(0)), Shape(vec![ROWS, Dim::Size(3)]));
    let ys = graph.input("y", InputKind::Column(DataId(0)), Shape(vec![ROWS]));
    let w = graph.input("W", InputKind::Param, Shape::fixed(&[3, 10]));
    let v = graph.input("v", InputKind::Param, Shape::fixed(&[10]));
    let u = graph.input("u", InputKind::Param, Shape::fixed(&[3]));
    let count = graph.extent(ROWS);
    // The network.
    let hidden = graph.add(Op::MatMul, &[xs, w]);
    let hidden = graph.unary(Unary::Tanh, hidden);
    let found = graph.add(Op::MatMul, &[hidden, v]);
    let residual = graph.sub_(found, ys);
    let square = graph.unary(Unary::Square, residual);
    let error = graph.sum_all(square);
    // A sum over rows inside another.
    let z = graph.add(Op::MatMul, &[xs, u]);
    let softplus = graph.unary(Unary::Softplus, z);
    let inner = graph.sum_all(softplus);
    let inner = graph.div_(inner, count);
    let scaled = graph.mul_(ys, inner);
    let outer = graph.unary(Unary::Tanh, scaled);
    let outer = graph.sum_all(outer);
    // The variance of z.
    let mean = graph.sum_all(z);
    let mean = graph.div_(mean, count);
    let apart = graph.sub_(z, mean);
    let variance = graph.unary(Unary::Square, apart);
    let variance = graph.sum_all(variance);
    let loss = graph.add_(error, outer);
    let loss = graph.sub_(loss, variance);
    let loss = graph.div_(loss, count);
    let columns =
        vec![(graph.as_input(xs).unwrap(), Arc::new(tensor(&[rows, 3], &x))), (graph.as_input(ys).unwrap(), Arc::new(tensor(&[rows], &y)))];
    let start = |n: i32| -> Vec<f64> { (0..n).map(|i| f64::from(i % 7 - 3) * 0.25).collect() };
    let starts = vec![tensor(&[3, 10], &start(30)), tensor(&[10], &start(10)), tensor(&[3], &start(3))];
    let params = [("W", w), ("v", v), ("u", u)].map(|(name, id)| (name.to_string(), id)).to_vec();
    Model { graph, rows, columns, params, starts, loss }
}

/// Momentum on the tower, everything recorded at each step; in batches, if a size is given.
fn climb(rows: usize, batch: Option<(usize, Order)>, rates: &[f64]) -> SweepPlan {
    let mut model = tower(rows);
    let mean = model.mean_loss();
    let starts = model.starts.clone();
    let (mut unit, gradients, numbers) = model.unit(&["lr", "beta"], 6);
    momentum(&mut unit, &gradients, numbers[0], numbers[1]);
    let mut quantities =
        vec![("loss", Measure::Row(mean)), ("W", Measure::Row(unit.params[0].input)), ("u", Measure::Row(unit.params[2].input))];
    if let Some((size, order)) = batch {
        batches(&mut unit, size, false, order);
        quantities.push(("loss on batch", Measure::Step(unit.loss)));
    }
    let lanes: Vec<[f64; 2]> = rates.iter().map(|&rate| [rate, 0.5]).collect();
    let lanes: Vec<&[f64]> = lanes.iter().map(|lane| &lane[..]).collect();
    sweep(unit, &quantities, &starts, &lanes)
}

#[test]
fn threads_share_the_rows_of_a_cell_without_changing_a_bit() {
    for rows in [1023, 1025, 2048, 3073, 4096, 4097, 9001] {
        for lanes in [Lanes::One, Lanes::Eight] {
            let sweep = climb(rows, None, &[0.01]);
            let alone = all_bits(&run(&sweep, &Options { lanes: Some(lanes), ..Options::default() }));
            for threads in [2, 3, 8] {
                let options = Options { threads, lanes: Some(lanes), share: Some(0), ..Options::default() };
                assert_eq!(all_bits(&run(&sweep, &options)), alone, "{rows} rows, {threads} threads, {lanes:?}");
            }
        }
    }
}

#[test]
fn threads_share_the_rows_of_a_batch_without_changing_a_bit() {
    for (size, order) in [(1500, Order::InOrder), (1504, Order::InOrder), (2500, Order::Shuffled(3)), (4100, Order::Drawn(5))] {
        // Eleven cells: eight side by side, and three one by one.
        let sweep = climb(5003, Some((size, order)), &[0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.11]);
        let alone = all_bits(&run(&sweep, &Options::default()));
        for threads in [2, 3, 8] {
            let options = Options { threads, share: Some(0), ..Options::default() };
            assert_eq!(all_bits(&run(&sweep, &options)), alone, "batches of {size}, {threads} threads");
        }
    }
}

#[test]
fn shared_rows_have_the_bits_of_the_slow_evaluator() {
    let sweep = climb(5000, None, &[0.01]);
    let options = Options { threads: 3, share: Some(0), ..Options::default() };
    let found = run(&sweep, &options);
    for (quantity, (found, expected)) in found[0].trace.columns.iter().zip(slow(&sweep, 0)).enumerate() {
        assert_eq!(bits(found), bits(&expected), "{}", sweep.quantities[quantity].text);
    }
}

#[test]
fn long_passes_are_shared_unasked() {
    let sweep = climb(40_000, None, &[0.01, 0.02]);
    let alone = all_bits(&run(&sweep, &Options::default()));
    for threads in [2, 3, 8] {
        assert_eq!(all_bits(&run(&sweep, &Options { threads, ..Options::default() })), alone, "{threads} threads");
    }
}

#[test]
fn columns_read_as_bytes_change_no_bit() {
    // The columns of the Wisconsin data are whole numbers up to 10; those of the tower are only in part.
    let small = Options { narrow: Some(0), ..Options::default() };
    let whole = Options { narrow: Some(usize::MAX), ..Options::default() };
    for (name, sweep) in [("logistic", logistic_sweep(&[1e-5, 3e-5], 20)), ("tower", climb(3000, None, &[0.01])), ("labels", labels())] {
        let expected = all_bits(&run(&sweep, &whole));
        assert!(all_bits(&run(&sweep, &small)) == expected, "{name}");
        for block in [8, 40, 1024] {
            let options = Options { block: Some(block), threads: 3, share: Some(0), ..small.clone() };
            assert!(all_bits(&run(&sweep, &options)) == expected, "{name}, block {block}");
        }
    }
    let found = run(&labels(), &small);
    for (quantity, (found, expected)) in found[0].trace.columns.iter().zip(slow(&labels(), 0)).enumerate() {
        assert!(bits(found) == bits(&expected), "quantity {quantity}");
    }
}

/// Logistic regression as it is planned: the loss with its choice between `1 - y` and `-y`, one logarithm for all rows, and a value with all
/// rows that is recorded; whole rows of data, too.
fn labels() -> SweepPlan {
    let Model { mut graph, rows, columns, params, starts, .. } = logistic();
    let input = |graph: &Graph, column: usize| {
        (0..4).map(optrun::expr::graph::Id).find(|&id| graph.as_input(id) == Some(columns[column].0)).unwrap()
    };
    let (xs, ys, w) = (input(&graph, 0), input(&graph, 1), params[0].1);
    let z = graph.add(Op::MatMul, &[xs, w]);
    let (zero, one) = (graph.number(0.0), graph.number(1.0));
    let positive = graph.binary(Binary::Lt, zero, z);
    let (right, left) = (graph.sub_(one, ys), graph.unary(Unary::Neg, ys));
    let slope = graph.add(Op::Select, &[positive, right, left]);
    let hinges = graph.add(Op::MatMul, &[z, slope]);
    let e = graph.unary(Unary::ExpNegAbs, z);
    let logs = graph.add(Op::Reduce(Reduce::SumLog1p, 0), &[e]);
    let loss = graph.add_(hinges, logs);
    let p = graph.unary(Unary::Sigmoid, z);
    let residual = graph.sub_(p, ys);
    let turned = graph.add(Op::Transpose, &[xs]);
    let gradient = graph.add(Op::MatMul, &[turned, residual]);
    let recorded = graph.mul_(ys, ys);
    let model = Model { graph, rows, columns: columns.clone(), params, starts: starts.clone(), loss };
    let (mut unit, _, numbers) = model.unit(&["lr", "beta"], 10);
    momentum(&mut unit, &[gradient], numbers[0], numbers[1]);
    let quantities =
        [("loss", Measure::Row(loss)), ("w", Measure::Row(unit.params[0].input)), ("y", Measure::Row(ys)), ("y^2", Measure::Row(recorded))];
    sweep(unit, &quantities, &starts, &[&[1e-4, 0.5]])
}
