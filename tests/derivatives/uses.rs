//! Derivatives as the language uses them: with respect to anything, of losses that people write, and what is said when there is none.

use std::time::Instant;

use ndarray::{ArrayD, IxDyn};
use optrun::expr::diff::{NotDifferentiable, cuts, depends, depends_differentiably, gradient, hessian};
use optrun::expr::graph::{Graph, Id, InputKind};
use optrun::expr::op::{Binary, Op, Reduce, Unary};
use optrun::expr::verify::verify;
use optrun::shape::{DataId, Dim, Shape};
use optrun::source::{FileId, Span};

use crate::evaluate::slopes;
use crate::{Points, assert_close, param, rows, values};

fn mul(graph: &mut Graph, a: Id, b: Id) -> Id {
    graph.binary(Binary::Mul, a, b)
}

/// `-sum(y*log(p) + (1 - y)*log(1 - p))` with `p = sigmoid(X @ w)`: the loss, `X`, `w`, `y` and `p`.
fn logistic(graph: &mut Graph) -> (Id, [Id; 4]) {
    let x = graph.input("X", InputKind::Column(DataId(0)), Shape(vec![Dim::Rows(DataId(0)), Dim::Size(3)]));
    let y = graph.input("y", InputKind::Column(DataId(0)), Shape(vec![Dim::Rows(DataId(0))]));
    let w = graph.input("w", InputKind::Param, Shape::fixed(&[3]));
    let z = graph.add(Op::MatMul, &[x, w]);
    let p = graph.unary(Unary::Sigmoid, z);
    let one = graph.number(1.0);
    let (q, v) = (graph.binary(Binary::Sub, one, p), graph.binary(Binary::Sub, one, y));
    let (log_p, log_q) = (graph.unary(Unary::Log, p), graph.unary(Unary::Log, q));
    let (a, b) = (mul(graph, y, log_p), mul(graph, v, log_q));
    let terms = graph.binary(Binary::Add, a, b);
    let sum = graph.sum_all(terms);
    (graph.unary(Unary::Neg, sum), [x, y, w, p])
}

fn logistic_data() -> Vec<ArrayD<f64>> {
    let mut points = Points::new(3);
    let y = ArrayD::from_shape_vec(IxDyn(&[5]), vec![0.0, 1.0, 1.0, 0.0, 1.0]).unwrap();
    vec![points.array(&[5, 3], -2.0, 2.0), y, points.array(&[3], -1.0, 1.0)]
}

#[test]
fn the_gradient_of_logistic_regression_is_the_one_in_the_books() {
    let mut graph = Graph::new();
    let (of, [x, y, w, p]) = logistic(&mut graph);
    let slope = gradient(&mut graph, of, &[w]).unwrap()[0];
    let r = graph.binary(Binary::Sub, p, y);
    let transposed = graph.add(Op::Transpose, &[x]);
    let book = graph.add(Op::MatMul, &[transposed, r]);
    let found = values(&graph, &[slope, book], &logistic_data());
    assert_close(&found[..1], &found[1..], 1e-12, "X.T @ (p - y)");
    // It has the form that is a contraction over rows.
    assert_eq!(graph.node(slope).op, Op::MatMul);
    assert_eq!(graph.node(slope).args[0], transposed);
    // The Hessian is X.T @ diag(p*(1 - p)) @ X.
    let second = hessian(&mut graph, of, w).unwrap();
    let one = graph.number(1.0);
    let q = graph.binary(Binary::Sub, one, p);
    let weight = mul(&mut graph, p, q);
    let weight = graph.add(Op::Expand(1), &[weight]);
    let weighted = mul(&mut graph, weight, x);
    let book = graph.add(Op::MatMul, &[transposed, weighted]);
    let found = values(&graph, &[second, book], &logistic_data());
    assert_close(&found[..1], &found[1..], 1e-12, "X.T @ diag(p*(1 - p)) @ X");
}

#[test]
fn with_respect_to_a_value_on_the_way() {
    let mut graph = Graph::new();
    let (of, [_, y, w, p]) = logistic(&mut graph);
    // d/dp of the loss is (p - y)/(p*(1 - p)), whatever p came from; asking for w too changes neither.
    let both = gradient(&mut graph, of, &[p, w]).unwrap();
    let alone = [gradient(&mut graph, of, &[p]).unwrap()[0], gradient(&mut graph, of, &[w]).unwrap()[0]];
    assert_eq!(both, alone);
    let one = graph.number(1.0);
    let (q, r) = (graph.binary(Binary::Sub, one, p), graph.binary(Binary::Sub, p, y));
    let below = mul(&mut graph, p, q);
    let book = graph.binary(Binary::Div, r, below);
    let found = values(&graph, &[both[0], book], &logistic_data());
    assert_close(&found[..1], &found[1..], 1e-12, "(p - y)/(p*(1 - p))");
}

#[test]
fn with_respect_to_a_slice() {
    // sum(X[:, 0]^2 * X[:, 1]): d/dX[:, 0] is 2*X[:, 0]*X[:, 1].
    let mut graph = Graph::new();
    let x = param(&mut graph, &[4, 2]);
    let [a, b] = [0, 1].map(|start| {
        let column = graph.add(Op::Slice { axis: 1, start, step: 1, len: 1 }, &[x]);
        graph.add(Op::Squeeze(1), &[column])
    });
    let square = graph.unary(Unary::Square, a);
    let product = mul(&mut graph, square, b);
    let of = graph.sum_all(product);
    let slope = gradient(&mut graph, of, &[a, x]).unwrap();
    let at = Points::new(1).array(&[4, 2], 1.0, 2.0);
    let found = values(&graph, &slope, std::slice::from_ref(&at));
    let expected = ArrayD::from_shape_fn(IxDyn(&[4]), |i| 2.0 * at[[i[0], 0]] * at[[i[0], 1]]);
    assert_close(&found[..1], &[expected], 1e-15, "2*X[:, 0]*X[:, 1]");
    assert_close(&found[1..], &slopes(&graph, of, &[at], &rows()), 1e-15, "X");
}

#[test]
fn what_does_not_matter_has_derivative_0_in_its_shape() {
    let mut graph = Graph::new();
    let (x, y) = (param(&mut graph, &[2, 3]), param(&mut graph, &[3]));
    let of = graph.sum_all(y);
    let median = graph.reduce(Reduce::Median, 0, x);
    let late = graph.sum_all(median);
    let slopes = gradient(&mut graph, of, &[x, y, of, late]).unwrap();
    let shapes: Vec<Shape> = slopes.iter().map(|&id| graph.shape(id).clone()).collect();
    assert_eq!(shapes, [Shape::fixed(&[2, 3]), Shape::fixed(&[3]), Shape::scalar(), Shape::scalar()]);
    let found = values(&graph, &slopes, &[ArrayD::zeros(IxDyn(&[2, 3])), ArrayD::zeros(IxDyn(&[3]))]);
    assert_eq!(found.iter().map(|x| x.sum()).collect::<Vec<f64>>(), [0.0, 3.0, 1.0, 0.0]);
}

#[test]
fn dependence_across_jumps_is_told_from_dependence() {
    let mut graph = Graph::new();
    let (w, x) = (param(&mut graph, &[3]), param(&mut graph, &[3]));
    let product = mul(&mut graph, w, x);
    let best = graph.reduce(Reduce::ArgMax, 0, product);
    let of = graph.unary(Unary::Square, best);
    assert!(depends(&graph, of, w));
    assert!(!depends_differentiably(&graph, of, w));
    assert_eq!(cuts(&graph, of, &[w]), [best]);
    let slope = gradient(&mut graph, of, &[w]).unwrap()[0];
    assert_eq!(graph.shape(slope), &Shape::fixed(&[3]));
    // An index cuts, what is indexed does not.
    let index = graph.unary(Unary::Round, w);
    let gathered = graph.add(Op::Gather(0), &[x, index]);
    let of = graph.sum_all(gathered);
    assert_eq!((depends_differentiably(&graph, of, w), depends_differentiably(&graph, of, x)), (false, true));
    assert_eq!(cuts(&graph, of, &[w, x]), [index]);
    assert!(cuts(&graph, of, &[x]).is_empty());
    assert!(!depends(&graph, best, of));
}

#[test]
fn what_has_no_derivative_is_named() {
    let mut graph = Graph::new();
    let (x, y) = (param(&mut graph, &[3, 3]), param(&mut graph, &[3]));
    let median = graph.reduce(Reduce::Median, 0, x);
    let spectral = graph.add(Op::SpectralNorm, &[x]);
    let sorted = graph.add(Op::Sort(1), &[x]);
    for (node, op) in [(median, "median"), (spectral, "norm(ord = 2)"), (sorted, "sort")] {
        let total = graph.sum_all(node);
        let others = graph.sum_all(y);
        let of = mul(&mut graph, total, others);
        assert_eq!(gradient(&mut graph, of, &[x]), Err(NotDifferentiable { node, op }));
        assert_eq!(hessian(&mut graph, of, x), Err(NotDifferentiable { node, op }));
        // It is a constant factor for anything else.
        let slope = gradient(&mut graph, of, &[y]).unwrap();
        assert_eq!(graph.shape(slope[0]), &Shape::fixed(&[3]));
    }
}

#[test]
fn adjoints_know_where_they_came_from() {
    let mut graph = Graph::new();
    let x = param(&mut graph, &[]);
    let sine = graph.unary(Unary::Sin, x);
    let of = graph.unary(Unary::Exp, sine);
    let (inner, outer) = (Span::new(FileId(0), 4, 10), Span::new(FileId(0), 0, 11));
    graph.set_span(sine, inner);
    graph.set_span(of, outer);
    gradient(&mut graph, of, &[x]).unwrap();
    let cosine = graph.unary(Unary::Cos, x);
    assert_eq!(graph.span(cosine), Some(inner));
}

#[test]
fn hessians_of_any_shape() {
    // Rosenbrock's valley at (-1.2, 1): second derivatives 1200*x^2 - 400*y + 2 = 1330, -400*x = 480, 200.
    let mut graph = Graph::new();
    let p = param(&mut graph, &[1, 2]);
    let [x, y] = [0, 1].map(|start| {
        let part = graph.add(Op::Slice { axis: 1, start, step: 1, len: 1 }, &[p]);
        graph.sum_all(part)
    });
    let (one, hundred, square) = (graph.number(1.0), graph.number(100.0), graph.unary(Unary::Square, x));
    let (a, b) = (graph.binary(Binary::Sub, one, x), graph.binary(Binary::Sub, y, square));
    let (a, b) = (graph.unary(Unary::Square, a), graph.unary(Unary::Square, b));
    let b = mul(&mut graph, hundred, b);
    let of = graph.binary(Binary::Add, a, b);
    let second = hessian(&mut graph, of, p).unwrap();
    let at = ArrayD::from_shape_vec(IxDyn(&[1, 2]), vec![-1.2, 1.0]).unwrap();
    let expected = ArrayD::from_shape_vec(IxDyn(&[2, 2]), vec![1330.0, 480.0, 480.0, 200.0]).unwrap();
    assert_close(&values(&graph, &[second], &[at]), &[expected], 1e-15, "Rosenbrock");
    let single = hessian(&mut graph, of, x).unwrap();
    assert!(graph.shape(single).is_scalar());
    let column = graph.input("c", InputKind::Column(DataId(0)), Shape(vec![Dim::Rows(DataId(0))]));
    let total = graph.sum_all(column);
    assert!(hessian(&mut graph, total, column).is_err());
}

#[test]
fn a_long_chain_is_differentiated_at_once() {
    let mut graph = Graph::new();
    let x = param(&mut graph, &[]);
    let half = graph.number(0.5);
    let of = (0..5_000).fold(x, |node, _| {
        let sine = graph.unary(Unary::Sin, node);
        graph.binary(Binary::Add, sine, half)
    });
    let begin = Instant::now();
    let slope = gradient(&mut graph, of, &[x]).unwrap();
    assert!(begin.elapsed().as_secs_f64() < 1.0, "{:?}", begin.elapsed());
    verify(&graph).unwrap();
    // Short of underflow the reference can follow: the same chain, 40 links long.
    let mut graph = Graph::new();
    let x = param(&mut graph, &[]);
    let half = graph.number(0.5);
    let of = (0..40).fold(x, |node, _| {
        let sine = graph.unary(Unary::Sin, node);
        graph.binary(Binary::Add, sine, half)
    });
    assert!(slope[0] > of);
    let slope = gradient(&mut graph, of, &[x]).unwrap();
    let at = [ArrayD::from_elem(IxDyn(&[]), 0.3)];
    assert_close(&values(&graph, &slope, &at), &slopes(&graph, of, &at, &rows()), 1e-12, "chain");
}
