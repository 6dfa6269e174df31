//! Derivatives against references that share nothing with the rules: complex steps, exact values at kinks, hand-derived formulas.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails by panicking, as the test does")]

mod complex;
mod evaluate;
mod extremes;
mod kinks;
mod operations;
mod random;
mod uses;

use ndarray::{ArrayD, IxDyn};
use optrun::expr::eval;
use optrun::expr::graph::{Graph, Id, InputKind};
use optrun::expr::op::{Binary, InputId, Op};
use optrun::expr::verify::verify;
use optrun::shape::{RowCounts, Shape};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The sizes of the one dataset that the tests know.
fn rows() -> RowCounts {
    RowCounts(vec![5])
}

/// Uniform numbers, the same in every run.
struct Points(ChaCha8Rng);

impl Points {
    fn new(seed: u64) -> Self {
        Points(ChaCha8Rng::seed_from_u64(seed))
    }

    fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn array(&mut self, sizes: &[usize], low: f64, high: f64) -> ArrayD<f64> {
        ArrayD::from_shape_simple_fn(IxDyn(sizes), || self.uniform(low, high))
    }
}

fn param(graph: &mut Graph, sizes: &[usize]) -> Id {
    let name = format!("x{}", graph.inputs().len());
    graph.input(name, InputKind::Param, Shape::fixed(sizes))
}

/// The values of nodes by the program's evaluator.
fn values(graph: &Graph, roots: &[Id], inputs: &[ArrayD<f64>]) -> Vec<ArrayD<f64>> {
    verify(graph).unwrap();
    eval::evaluate(graph, roots, &|InputId(i)| inputs.get(i as usize).cloned(), &rows()).unwrap()
}

/// A sum of a node's elements in which each has a weight of its own, so that no error can hide in a symmetry.
fn weighted_sum(graph: &mut Graph, node: Id, points: &mut Points) -> Id {
    let sizes = rows().sizes(graph.shape(node));
    let weighted = if graph.shape(node).has_rows() {
        // How many rows there are, a constant must not know: running sums weigh them by 5, 4, 3, 2, 1.
        graph.add(Op::Cumsum { axis: 0, reverse: false }, &[node])
    } else {
        let weights = graph.literal(&sizes, points.array(&sizes, 0.5, 2.0).as_slice().unwrap());
        graph.binary(Binary::Mul, node, weights)
    };
    graph.sum_all(weighted)
}

/// Asserts that arrays agree to a relative tolerance; what is far below the largest element is rounding.
fn assert_close(found: &[ArrayD<f64>], expected: &[ArrayD<f64>], tolerance: f64, what: &str) {
    let scale = expected.iter().flatten().fold(0.0f64, |scale, x| scale.max(x.abs()));
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.shape(), expected.shape(), "{what}");
        for (a, b) in found.iter().zip(expected) {
            let allowed = tolerance * (a.abs().max(b.abs()) + 1e-3 * scale);
            assert!((a - b).abs() <= allowed, "{what}: {a:e} instead of {b:e}\nall: {found}\nexpected: {expected}");
        }
    }
}
