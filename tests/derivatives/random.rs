//! Random graphs: whatever fits together in shape, differentiated twice.

use ndarray::ArrayD;
use optrun::expr::diff::gradient;
use optrun::expr::graph::{Graph, Id};
use optrun::expr::op::{Binary, Op, Reduce, Unary};
use optrun::shape::Shape;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::complex::real;
use crate::evaluate::{evaluate, slopes};
use crate::{Points, param, rows, values, weighted_sum};

/// Operations whose values stay moderate; those with kinks or poles have their own tests.
fn operations() -> Vec<Op> {
    let unary =
        [Unary::Sin, Unary::Tanh, Unary::Sigmoid, Unary::Softplus, Unary::Atan, Unary::Neg, Unary::Cos, Unary::Square, Unary::SigmoidSlope];
    let mut all: Vec<Op> = unary.into_iter().map(Op::Unary).collect();
    all.extend([Binary::Add, Binary::Sub, Binary::Mul, Binary::Maximum, Binary::Lt].map(Op::Binary));
    all.extend([0, 1].into_iter().flat_map(|axis| {
        [
            Op::Reduce(Reduce::Sum, axis),
            Op::Reduce(Reduce::LogSumExp, axis),
            Op::Reduce(Reduce::Prod, axis),
            Op::Softmax(axis),
            Op::LogSoftmax(axis),
            Op::Cumsum { axis, reverse: axis == 0 },
            Op::Expand(axis),
            Op::Squeeze(axis),
            Op::Concat(axis),
            Op::Slice { axis, start: 1, step: -1, len: 2 },
        ]
    }));
    all.extend([Op::MatMul, Op::Transpose, Op::Select, Op::Broadcast(Shape::fixed(&[2, 3])), Op::Reshape(Shape::fixed(&[6]))]);
    all
}

/// A graph of the operations that fit; its last node depends on all that were made from inputs.
fn build(choices: &[(prop::sample::Index, [prop::sample::Index; 3])]) -> (Graph, Vec<Id>, Id) {
    let mut graph = Graph::new();
    let inputs = vec![param(&mut graph, &[3]), param(&mut graph, &[2, 3]), param(&mut graph, &[]), param(&mut graph, &[3, 3])];
    let mut pool = inputs.clone();
    let operations = operations();
    for (op, args) in choices {
        let op = op.get(&operations).clone();
        let count = op.arity().unwrap_or(2);
        let mut args: Vec<Id> = args[..count].iter().map(|arg| *arg.get(&pool)).collect();
        if op == Op::Select {
            // Not a value that is zero but for rounding: there the choice jumps.
            let some = graph.number(0.4321);
            args[0] = graph.binary(Binary::Lt, args[0], some);
        }
        let short = matches!(op, Op::Slice { axis, .. } if rows().sizes(graph.shape(args[0])).get(axis).is_some_and(|&n| n < 2));
        if !short && let Ok(node) = graph.try_add(op, &args) {
            pool.push(node);
        }
    }
    let mut points = Points::new(17);
    let sums: Vec<Id> = pool.iter().map(|&node| weighted_sum(&mut graph, node, &mut points)).collect();
    let of = sums.into_iter().map(|sum| (sum, ())).fold(None, |total, (sum, ())| {
        let bounded = graph.unary(Unary::Tanh, sum);
        Some(total.map_or(bounded, |total| graph.binary(Binary::Add, total, bounded)))
    });
    (graph, inputs, of.unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]
    #[test]
    fn random_graphs(choices in prop::collection::vec(any::<(prop::sample::Index, [prop::sample::Index; 3])>(), 1..14), seed in 0u64..1000) {
        let (mut graph, wrt, mut of) = build(&choices);
        let mut points = Points::new(seed);
        let at: Vec<ArrayD<f64>> = wrt.iter().map(|&id| points.array(&rows().sizes(graph.shape(id)), -1.5, 1.5)).collect();
        for tolerance in [1e-10, 1e-8] {
            let slope = gradient(&mut graph, of, &wrt).unwrap();
            let expected = slopes(&graph, of, &at, &rows());
            let found = values(&graph, &slope, &at);
            // Rounding is relative to the largest intermediate value.
            let all: Vec<Id> = graph.reachable(&slope);
            let complex: Vec<_> = at.iter().map(|x| x.mapv(real)).collect();
            let scale = evaluate(&graph, &all, &complex, &rows()).iter().flatten().fold(1.0f64, |scale, z| scale.max(z.re.abs()));
            for (a, b) in found.iter().flatten().zip(expected.iter().flatten()) {
                prop_assert!((a - b).abs() <= tolerance * b.abs().max(1e-4 * scale), "{a:e} instead of {b:e}, scale {scale:e}");
            }
            let sums: Vec<Id> = slope.iter().map(|&slope| weighted_sum(&mut graph, slope, &mut points)).collect();
            of = sums.into_iter().reduce(|a, b| graph.binary(Binary::Add, a, b)).unwrap();
        }
    }
}
