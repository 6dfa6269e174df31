//! Random graphs: rewriting keeps values, is idempotent and deterministic, and the text reads back to the same bits.
//!
//! The graphs have scalars, vectors, matrices and columns; comparisons are between inputs only, so that no rounding decides a branch.

use std::cell::Cell;

use optrun::expr::diff::gradient;
use optrun::expr::eval::{Tensor, Values, evaluate, evaluate_all};
use optrun::expr::graph::{Graph, Id};
use optrun::expr::op::{Binary, InputId, Op, Reduce, Unary};
use optrun::expr::print::{Names, dump, formula};
use optrun::expr::rewrite::{Options, rewrite};
use optrun::expr::verify::verify;
use optrun::shape::RowCounts;
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{inputs, reader};

const ROWS: usize = 4;
const CONSTANTS: [f64; 8] = [0.0, 1.0, 2.0, -1.0, 0.5, -3.0, 0.1, 1.0];
// 2 is left out: `x^2` reads as a square, which is rounded once.
const POWERS: [f64; 5] = [1.0, 0.0, -1.0, 0.5, 3.0];

/// One choice: an operation and where its operands are.
type Step = (u8, u8, u8, u8);

/// The values of each shape, the newest last.
struct Pools([Vec<Id>; 4]);

impl Pools {
    fn pick(&self, pool: usize, at: u8) -> Id {
        // The newest are likelier, so that graphs grow deep.
        let pool = &self.0[pool];
        pool[pool.len() - 1 - usize::from(at) % pool.len().min(5)]
    }
}

/// A graph from choices, and its newest values. Without `division`, no sign of a zero can become the sign of an infinity.
fn grow(steps: &[Step], division: bool) -> (Graph, Vec<Id>) {
    let mut g = inputs();
    let named = |g: &mut Graph, names: &str| names.split(' ').map(|name| reader::read(g, name, &[])).collect::<Vec<Id>>();
    let mut pools = Pools([named(&mut g, "a b c"), named(&mut g, "w u"), named(&mut g, "A"), named(&mut g, "x y")]);
    let condition = reader::read(&mut g, "a < b", &[]);
    for &(op, shape, i, j) in steps {
        let pool = usize::from(shape) % 4;
        let (x, y) = (pools.pick(pool, i), pools.pick(pool, j));
        let scalar = pools.pick(0, j);
        let one = g.number(1.0);
        let (to, new) = match op % 30 {
            0 => (pool, g.binary(Binary::Add, x, y)),
            1 | 2 => (pool, g.binary(Binary::Sub, x, y)),
            3 | 4 => (pool, g.binary(Binary::Mul, x, y)),
            5 if division => (pool, g.binary(Binary::Div, x, y)),
            6 => (pool, g.binary(Binary::Mul, scalar, x)),
            7 if division => (pool, g.binary(Binary::Div, x, scalar)),
            8 | 9 => (pool, g.unary(Unary::Neg, x)),
            10 => (pool, g.unary(Unary::Sigmoid, x)),
            11 => (pool, g.unary([Unary::Exp, Unary::Tanh, Unary::Cos][usize::from(j) % 3], x)),
            12 => (pool, g.unary([Unary::Log, Unary::Softplus, Unary::Abs][usize::from(j) % 3], x)),
            13 => (pool, g.unary(Unary::Square, x)),
            14 => (0, g.sum_all(x)),
            15 => {
                let (matrix, vector) = (pools.pick(2, i), pools.pick(1, j));
                (1, g.add(Op::MatMul, &[matrix, vector]))
            }
            16 => {
                let matrix = pools.pick(2, i);
                (2, g.add(Op::Transpose, &[matrix]))
            }
            17 => {
                let (matrix, vector) = (pools.pick(2, i), pools.pick(1, j));
                let turned = g.add(Op::Transpose, &[matrix]);
                (1, g.add(Op::MatMul, &[turned, vector]))
            }
            18 => (pool, g.add(Op::Select, &[condition, x, y])),
            19 | 20 => {
                let number = g.number(CONSTANTS[usize::from(i) % CONSTANTS.len()]);
                let op = [Binary::Add, Binary::Sub, Binary::Mul][usize::from(j) % 3];
                (pool, if shape % 8 < 4 { g.binary(op, number, x) } else { g.binary(op, x, number) })
            }
            21 => {
                let shape = g.shape(x).clone();
                (pool, g.broadcast_to(scalar, &shape))
            }
            22 => {
                let vector = pools.pick(1, i);
                (1, g.add(Op::Softmax(0), &[vector]))
            }
            23 => {
                let (matrix, vector) = (pools.pick(2, i), pools.pick(1, j));
                let column = g.add(Op::Expand(usize::from(shape) % 2), &[vector]);
                (2, g.binary(Binary::Mul, matrix, column))
            }
            24 => {
                let matrix = pools.pick(2, i);
                (1, g.reduce(Reduce::Sum, usize::from(j) % 2, matrix))
            }
            25 => {
                let column = pools.pick(3, i);
                let (sum, count) = (g.sum_all(column), reader::read(&mut g, "rows(X)", &[]));
                (0, g.binary(Binary::Div, sum, count))
            }
            26 => {
                let exp = g.unary(Unary::Exp, x);
                (pool, g.binary(Binary::Add, one, exp))
            }
            27 if division => (pool, g.binary(Binary::Div, one, x)),
            28 => (pool, g.binary(Binary::Sub, one, x)),
            29 if division => {
                let power = g.number(POWERS[usize::from(j) % POWERS.len()]);
                (pool, g.binary(Binary::Pow, x, power))
            }
            _ => (pool, g.binary(Binary::Maximum, x, y)),
        };
        pools.0[to].push(new);
    }
    let roots = pools.0.iter().map(|pool| pool[pool.len() - 1]).collect();
    (g, roots)
}

/// Values of the inputs, from a list of numbers taken in turn.
fn given<'a>(g: &'a Graph, numbers: &'a [f64]) -> impl Fn(InputId) -> Option<Tensor> + 'a {
    move |input| {
        let sizes = RowCounts(vec![ROWS]).sizes(&g.input_info(input).shape);
        let start = input.0 as usize * 7;
        let values = (0..sizes.iter().product()).map(|at: usize| numbers[(start + at * 5) % numbers.len()]).collect();
        Tensor::from_shape_vec(ndarray::IxDyn(&sizes), values).ok()
    }
}

fn run(cases: u32, longest: usize, test: impl Fn(Vec<Step>, usize)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let strategy = (vec(any::<Step>(), 1..longest), 0..1000usize);
    let result = runner.run(&strategy, |(steps, seed)| {
        test(steps, seed);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn exact_rules_keep_every_value() {
    let special = [0.0, 1.0, -2.5, f64::INFINITY, 0.75, f64::NAN, -0.0, 3.0, f64::NEG_INFINITY, 1e-3, -1.0];
    run(1500, 25, |steps, seed| {
        let (mut g, roots) = grow(&steps, false);
        let (after, report) = rewrite(&mut g, &roots, &Options::EXACT);
        assert!(!report.cut);
        let numbers: Vec<f64> = (0..special.len()).map(|at| special[(at * (1 + seed % 10) + seed) % special.len()]).collect();
        let all: Vec<Id> = roots.iter().chain(&after).copied().collect();
        let values = evaluate(&g, &all, &given(&g, &numbers), &RowCounts(vec![ROWS])).expect("all inputs given");
        for (at, root) in roots.iter().enumerate() {
            let (old, new) = (&values[at], &values[at + roots.len()]);
            let same = old.iter().zip(new).all(|(x, y)| x == y || (x.is_nan() && y.is_nan()));
            assert!(same, "{old} became {new}: {}", formula(&g, *root, &Names::default()));
        }
    });
}

/// The largest magnitude in the values, unless some are not finite, too large, or so small that they are nothing but rounding.
fn magnitude(g: &Graph, roots: &[Id], values: &Values) -> Option<f64> {
    let mut largest = 1.0f64;
    for id in g.reachable(roots) {
        for x in values.get(id)? {
            if !x.is_finite() || x.abs() > 1e5 || (*x != 0.0 && x.abs() < 1e-5) {
                return None;
            }
            largest = largest.max(x.abs());
        }
    }
    Some(largest)
}

/// Positive and negative numbers of moderate size.
fn moderate(seed: usize) -> Vec<f64> {
    (0..31).map(|at| ((at * 37 + seed * 11) % 101) as f64 / 40.0 - 1.1).collect()
}

#[test]
fn rewriting_keeps_values_and_gradients() {
    let (compared, slopes) = (Cell::new(0), Cell::new(0));
    run(2500, 16, |steps, seed| {
        let (mut g, roots) = grow(&steps, true);
        let (after, report) = rewrite(&mut g, &roots, &Options::default());
        assert!(!report.cut);
        let numbers = moderate(seed);
        let rows = RowCounts(vec![ROWS]);
        let all: Vec<Id> = roots.iter().chain(&after).copied().collect();
        let values = evaluate_all(&g, &all, &given(&g, &numbers), &rows).expect("all inputs given");
        let Some(largest) = magnitude(&g, &roots, &values) else { return };
        let close = |old: &Tensor, new: &Tensor, scale: f64| old.iter().zip(new).all(|(x, y)| (x - y).abs() <= 1e-9 * scale);
        for (old, new) in roots.iter().zip(&after) {
            let (x, y) = (values.get(*old).expect("computed"), values.get(*new).expect("computed"));
            assert!(close(x, y, largest), "{x} became {y}: {}", formula(&g, *old, &Names::default()));
        }
        compared.set(compared.get() + 1);
        let wrt = ["a", "w", "A"].map(|name| reader::read(&mut g, name, &[]));
        let plain = gradient(&mut g, roots[0], &wrt).expect("differentiable");
        let derived = gradient(&mut g, after[0], &wrt).expect("differentiable");
        let (tidy, report) = rewrite(&mut g, &derived, &Options::default());
        assert!(!report.cut);
        let all: Vec<Id> = plain.iter().chain(&tidy).copied().collect();
        let values = evaluate_all(&g, &all, &given(&g, &numbers), &rows).expect("all inputs given");
        let Some(largest) = magnitude(&g, &plain, &values) else { return };
        for (old, new) in plain.iter().zip(&tidy) {
            let (x, y) = (values.get(*old).expect("computed"), values.get(*new).expect("computed"));
            assert!(close(x, y, largest * 10.0), "{x} became {y}: {}", formula(&g, roots[0], &Names::default()));
        }
        slopes.set(slopes.get() + 1);
    });
    assert!(compared.get() > 800 && slopes.get() > 500, "only {} and {} compared", compared.get(), slopes.get());
}

#[test]
fn rewriting_is_idempotent_and_deterministic() {
    run(1000, 40, |steps, _| {
        let (mut g, roots) = grow(&steps, true);
        let (after, report) = rewrite(&mut g, &roots, &Options::default());
        assert!(!report.cut);
        assert_eq!(verify(&g), Ok(()));
        let (again, report) = rewrite(&mut g, &after, &Options::default());
        assert_eq!((&again, report.firings.len()), (&after, 0));
        let (mut h, roots) = grow(&steps, true);
        let (other, _) = rewrite(&mut h, &roots, &Options::default());
        assert_eq!(dump(&g, &after), dump(&h, &other));
        for (root, image) in roots.iter().zip(&after) {
            assert_eq!(g.shape(*root), g.shape(*image));
        }
    });
}

#[test]
fn text_reads_back_to_the_same_bits() {
    run(1500, 25, |steps, seed| {
        let (mut g, mut roots) = grow(&steps, true);
        if seed % 2 == 0 {
            roots = rewrite(&mut g, &roots, &Options::default()).0;
        }
        for root in roots {
            let text = formula(&g, root, &Names::default());
            let mut names: Vec<(&str, Id)> = Vec::new();
            for (name, part) in &text.wheres {
                let id = reader::read(&mut g, part, &names);
                names.push((name, id));
            }
            let mut read = reader::read(&mut g, &text.text, &names);
            if seed % 2 == 0 {
                // `xlogy` and the slopes have no name in the language: they are what the rewriter makes of `a*log(b)` and so on.
                read = rewrite(&mut g, &[read], &Options::default()).0[0];
            }
            let shape = g.shape(root).clone();
            assert_eq!(*g.shape(read), shape, "{text}");
            let values = evaluate(&g, &[root, read], &given(&g, &moderate(seed)), &RowCounts(vec![ROWS])).expect("all inputs given");
            let same = values[0].iter().zip(&values[1]).all(|(x, y)| x == y || (x.is_nan() && y.is_nan()));
            assert!(same, "{} became {}: {text}", values[0], values[1]);
        }
    });
}
