//! The conventions at kinks, one exact test for each row of the table in the manual, and what `where` does not select.

use ndarray::{ArrayD, IxDyn};
use optrun::expr::diff::{gradient, hessian};
use optrun::expr::graph::{Graph, Id};
use optrun::expr::op::{Binary, Op, Reduce, Unary};

use crate::{param, values};

const INF: f64 = f64::INFINITY;

/// The derivative of the sum of an expression of a vector, at a point.
fn slope_at(at: &[f64], build: impl Fn(&mut Graph, Id) -> Id) -> Vec<f64> {
    let mut graph = Graph::new();
    let x = param(&mut graph, &[at.len()]);
    let node = build(&mut graph, x);
    let of = graph.sum_all(node);
    let slope = gradient(&mut graph, of, &[x]).unwrap();
    let at = ArrayD::from_shape_vec(IxDyn(&[at.len()]), at.to_vec()).unwrap();
    values(&graph, &slope, &[at])[0].iter().copied().collect()
}

/// The derivatives of an expression of two numbers.
fn slopes_at(at: [f64; 2], build: impl Fn(&mut Graph, Id, Id) -> Id) -> [f64; 2] {
    let mut graph = Graph::new();
    let (x, y) = (param(&mut graph, &[]), param(&mut graph, &[]));
    let of = build(&mut graph, x, y);
    let slopes = gradient(&mut graph, of, &[x, y]).unwrap();
    let found = values(&graph, &slopes, &at.map(|x| ArrayD::from_elem(IxDyn(&[]), x)));
    [found[0].sum(), found[1].sum()]
}

fn norm(graph: &mut Graph, x: Id) -> Id {
    let square = graph.unary(Unary::Square, x);
    let sum = graph.sum_all(square);
    graph.unary(Unary::NormRoot, sum)
}

fn power(graph: &mut Graph, x: Id, exponent: f64) -> Id {
    let exponent = graph.number(exponent);
    graph.binary(Binary::Pow, x, exponent)
}

#[test]
fn relu_abs_and_sign_have_slope_0_at_0() {
    for op in [Unary::Relu, Unary::Abs, Unary::Sign] {
        assert_eq!(slope_at(&[0.0, -0.0], |graph, x| graph.unary(op, x)), [0.0, 0.0], "{op:?}");
    }
    assert_eq!(slope_at(&[-2.0, 3.0], |graph, x| graph.unary(Unary::Relu, x)), [0.0, 1.0]);
    assert_eq!(slope_at(&[-2.0, 3.0], |graph, x| graph.unary(Unary::Abs, x)), [-1.0, 1.0]);
}

#[test]
fn a_maximum_with_0_is_relu() {
    let with_zero = |first: bool| {
        slope_at(&[-1.0, 0.0, 1.0], move |graph, x| {
            let zero = graph.number(0.0);
            if first { graph.binary(Binary::Maximum, zero, x) } else { graph.binary(Binary::Maximum, x, zero) }
        })
    };
    assert_eq!(with_zero(true), [0.0, 0.0, 1.0]);
    assert_eq!(with_zero(false), [0.0, 0.0, 1.0]);
}

#[test]
fn ties_share_equally() {
    for op in [Binary::Maximum, Binary::Minimum] {
        assert_eq!(slopes_at([2.0, 2.0], |graph, x, y| graph.binary(op, x, y)), [0.5, 0.5]);
        assert_eq!(slopes_at([2.0, 2.0], |graph, x, _| graph.binary(op, x, x)), [1.0, 0.0]);
    }
    assert_eq!(slopes_at([1.0, 2.0], |graph, x, y| graph.binary(Binary::Maximum, x, y)), [0.0, 1.0]);
    assert_eq!(slopes_at([1.0, 2.0], |graph, x, y| graph.binary(Binary::Minimum, x, y)), [1.0, 0.0]);
    assert_eq!(slope_at(&[3.0, 1.0, 3.0, 3.0, 3.0], |graph, x| graph.reduce(Reduce::Max, 0, x)), [0.25, 0.0, 0.25, 0.25, 0.25]);
    assert_eq!(slope_at(&[3.0, 1.0, 3.0, 1.0], |graph, x| graph.reduce(Reduce::Min, 0, x)), [0.0, 0.5, 0.0, 0.5]);
}

#[test]
fn a_norm_and_its_powers_have_slope_0_at_0() {
    assert_eq!(slope_at(&[0.0, 0.0], norm), [0.0, 0.0]);
    assert_eq!(slope_at(&[0.0, -4.0], norm), [0.0, -1.0]);
    for exponent in [0.5, 0.1, 1.0, 1.5, 2.0, 3.0, -1.0] {
        let found = slope_at(&[0.0, 0.0], |graph, x| {
            let norm = norm(graph, x);
            power(graph, norm, exponent)
        });
        assert_eq!(found, [0.0, 0.0], "norm^{exponent}");
    }
    for op in [Unary::Sqrt, Unary::Square, Unary::Log] {
        let found = slope_at(&[0.0, 0.0], |graph, x| {
            let norm = norm(graph, x);
            graph.unary(op, norm)
        });
        assert_eq!(found, [0.0, 0.0], "{op:?} of norm");
    }
    // Row by row, as in `sum(norm(B, axis = 1)^0.5)`: d/dB |b|^0.5 = 0.5*|b|^-1.5*b, here |b| = 4.
    let rows = slope_at(&[0.0, 0.0, 0.0, 4.0], |graph, x| {
        let b = graph.add(Op::Reshape(optrun::shape::Shape::fixed(&[2, 2])), &[x]);
        let square = graph.unary(Unary::Square, b);
        let sums = graph.reduce(Reduce::Sum, 1, square);
        let norms = graph.unary(Unary::NormRoot, sums);
        power(graph, norms, 0.5)
    });
    assert_eq!(rows, [0.0, 0.0, 0.0, 0.25]);
}

#[test]
fn a_norm_at_0_has_no_second_slope_either() {
    for exponent in [1.0, 0.5] {
        let mut graph = Graph::new();
        let x = param(&mut graph, &[2]);
        let of = norm(&mut graph, x);
        let of = power(&mut graph, of, exponent);
        let second = hessian(&mut graph, of, x).unwrap();
        assert_eq!(values(&graph, &[second], &[ArrayD::zeros(IxDyn(&[2]))])[0], ArrayD::<f64>::zeros(IxDyn(&[2, 2])));
    }
}

#[test]
fn roots_of_anything_else_are_steep_at_0() {
    assert_eq!(slope_at(&[0.0], |graph, x| graph.unary(Unary::Sqrt, x)), [INF]);
    assert_eq!(slope_at(&[0.0], |graph, x| power(graph, x, 0.5)), [INF]);
    assert_eq!(slope_at(&[0.0], |graph, x| power(graph, x, 0.9)), [INF]);
    assert_eq!(slopes_at([0.0, 0.5], |graph, x, y| graph.binary(Binary::Pow, x, y)), [INF, 0.0]);
}

#[test]
fn powers_at_0() {
    assert_eq!(slope_at(&[0.0], |graph, x| power(graph, x, 0.0)), [0.0]);
    assert_eq!(slope_at(&[0.0], |graph, x| power(graph, x, 1.0)), [1.0]);
    assert_eq!(slope_at(&[0.0], |graph, x| power(graph, x, 2.0)), [0.0]);
    assert_eq!(slopes_at([0.0, 0.0], |graph, x, y| graph.binary(Binary::Pow, x, y))[0], 0.0);
    assert_eq!(slopes_at([0.0, 2.0], |graph, x, y| graph.binary(Binary::Pow, x, y)), [0.0, 0.0]);
}

#[test]
fn x_log_x_at_0() {
    assert_eq!(slope_at(&[0.0], |graph, x| graph.binary(Binary::Xlogy, x, x)), [-INF]);
    assert_eq!(slopes_at([0.0, 0.0], |graph, x, y| graph.binary(Binary::Xlogy, x, y)), [-INF, 0.0]);
    assert_eq!(slopes_at([0.0, 2.0], |graph, x, y| graph.binary(Binary::Xlogy, x, y))[1], 0.0);
    // The mixed second derivative of x*log(y) is 1/y, also where x is 0.
    let mut graph = Graph::new();
    let x = param(&mut graph, &[2]);
    let [a, b] = [0, 1].map(|start| {
        let part = graph.add(Op::Slice { axis: 0, start, step: 1, len: 1 }, &[x]);
        graph.add(Op::Squeeze(0), &[part])
    });
    let of = graph.binary(Binary::Xlogy, a, b);
    let second = hessian(&mut graph, of, x).unwrap();
    let at = ArrayD::from_shape_vec(IxDyn(&[2]), vec![0.0, 4.0]).unwrap();
    assert_eq!(values(&graph, &[second], &[at])[0].as_slice().unwrap(), [0.0, 0.25, 0.25, 0.0]);
}

#[test]
fn products_with_zeros() {
    let product = |at: &[f64]| slope_at(at, |graph, x| graph.reduce(Reduce::Prod, 0, x));
    assert_eq!(product(&[2.0, 3.0, 5.0]), [15.0, 10.0, 6.0]);
    assert_eq!(product(&[2.0, 0.0, 5.0]), [0.0, 10.0, 0.0]);
    assert_eq!(product(&[2.0, 0.0, 5.0, 0.0]), [0.0; 4]);
    // d2/dx1dx3 of x0*x1*x2*x3 is x0*x2, with both zero.
    let mut graph = Graph::new();
    let x = param(&mut graph, &[4]);
    let of = graph.reduce(Reduce::Prod, 0, x);
    let second = hessian(&mut graph, of, x).unwrap();
    let at = ArrayD::from_shape_vec(IxDyn(&[4]), vec![2.0, 0.0, 5.0, 0.0]).unwrap();
    let mut expected = [0.0; 16];
    (expected[4 + 3], expected[12 + 1]) = (10.0, 10.0);
    assert_eq!(values(&graph, &[second], &[at])[0].as_slice().unwrap(), expected);
}

#[test]
fn products_over_rows_with_zeros() {
    use optrun::expr::graph::InputKind;
    use optrun::shape::{DataId, Dim, Shape};
    let mut graph = Graph::new();
    let x = graph.input("x", InputKind::Column(DataId(0)), Shape(vec![Dim::Rows(DataId(0))]));
    let of = graph.reduce(Reduce::Prod, 0, x);
    let slope = gradient(&mut graph, of, &[x]).unwrap();
    for (at, expected) in [
        ([2.0, 3.0, 5.0, 1.0, 1.0], [15.0, 10.0, 6.0, 30.0, 30.0]),
        ([2.0, 0.0, 5.0, 1.0, 1.0], [0.0, 10.0, 0.0, 0.0, 0.0]),
        ([2.0, 0.0, 5.0, 0.0, 1.0], [0.0; 5]),
    ] {
        let at = ArrayD::from_shape_vec(IxDyn(&[5]), at.to_vec()).unwrap();
        assert_eq!(values(&graph, &slope, &[at])[0].as_slice().unwrap(), expected);
    }
}

#[test]
fn steps_have_slope_0() {
    for op in [Unary::Floor, Unary::Ceil, Unary::Round, Unary::Not] {
        assert_eq!(slope_at(&[1.0, 0.5, -0.5], |graph, x| graph.unary(op, x)), [0.0; 3]);
    }
}

/// `where(low < x, inside, outside)`.
fn where_above(graph: &mut Graph, low: f64, x: Id, inside: Id, outside: f64) -> Id {
    let (low, outside) = (graph.number(low), graph.number(outside));
    let condition = graph.binary(Binary::Lt, low, x);
    graph.add(Op::Select, &[condition, inside, outside])
}

#[test]
fn what_is_not_selected_does_not_enter() {
    let logs = |graph: &mut Graph, x| {
        let log = graph.unary(Unary::Log, x);
        where_above(graph, 0.0, x, log, 0.0)
    };
    assert_eq!(slope_at(&[-1.0, 0.0, 4.0], logs), [0.0, 0.0, 0.25]);
    for op in [Unary::Sqrt, Unary::Log, Unary::Log1p, Unary::Acos] {
        let chain = |graph: &mut Graph, x| {
            // Every local slope on the way is infinite or NaN at 0 and below.
            let root = graph.unary(Unary::Sqrt, x);
            let node = graph.unary(op, root);
            let scaled = graph.binary(Binary::Mul, node, root);
            let inverse = graph.binary(Binary::Div, scaled, x);
            let kept = where_above(graph, 0.0, x, inverse, 3.0);
            graph.unary(Unary::Square, kept)
        };
        assert_eq!(slope_at(&[0.0, -1.0], chain), [0.0, 0.0], "{op:?}");
        assert!(slope_at(&[0.25], chain)[0].abs() > 0.01, "{op:?}");
    }
}

#[test]
fn what_is_not_selected_does_not_overflow_into_it() {
    // where(x < 700, exp(x), 0) beyond 709, where exp is inf.
    let guarded = slope_at(&[800.0, 0.0], |graph, x| {
        let exp = graph.unary(Unary::Exp, x);
        let square = graph.unary(Unary::Square, exp);
        let limit = graph.number(700.0);
        let small = graph.binary(Binary::Lt, x, limit);
        let zero = graph.number(0.0);
        graph.add(Op::Select, &[small, square, zero])
    });
    assert_eq!(guarded, [0.0, 2.0]);
}

#[test]
fn the_mask_reaches_through_sums_and_shapes() {
    // where(s > 0, sum(log(x)), 0) of a number s: a mask that is a number passes everything.
    let scalar = |at: &[f64]| {
        slope_at(at, |graph, x| {
            let log = graph.unary(Unary::Log, x);
            let dot = graph.add(Op::MatMul, &[log, log]);
            let total = graph.sum_all(x);
            where_above(graph, 0.0, total, dot, 0.0)
        })
    };
    assert_eq!(scalar(&[0.0, 0.0]), [0.0, 0.0]);
    assert_eq!(scalar(&[1.0, 1.0]), [0.0, 0.0]);
    // where(a > 0, sum(sqrt(X), axis = 1), 0) row by row.
    let by_row = slope_at(&[0.0, 0.0, 4.0, 16.0], |graph, x| {
        let matrix = graph.add(Op::Reshape(optrun::shape::Shape::fixed(&[2, 2])), &[x]);
        let roots = graph.unary(Unary::Sqrt, matrix);
        let sums = graph.reduce(Reduce::Sum, 1, roots);
        let totals = graph.reduce(Reduce::Sum, 1, matrix);
        where_above(graph, 0.0, totals, sums, 0.0)
    });
    assert_eq!(by_row, [0.0, 0.0, 0.25, 0.125]);
    // Both branches use the value: nothing is masked there, and the slopes are those of the branch.
    let both = slope_at(&[-3.0, 5.0], |graph, x| {
        let (double, triple) = (graph.binary(Binary::Add, x, x), graph.unary(Unary::Square, x));
        let zero = graph.number(0.0);
        let condition = graph.binary(Binary::Lt, zero, x);
        graph.add(Op::Select, &[condition, double, triple])
    });
    assert_eq!(both, [-6.0, 2.0]);
}

#[test]
fn the_mask_reaches_through_reductions() {
    // where(s < 100, s, 0) row by row, with s = logsumexp(x, axis = 1): softmax of [inf, 0] is NaN. So is what stands beside inf in a product.
    for (op, expected) in [(Reduce::LogSumExp, [0.0, 0.0, 0.5, 0.5]), (Reduce::Prod, [0.0, 0.0, 1.0, 1.0])] {
        let found = slope_at(&[INF, 0.0, 1.0, 1.0], |graph, x| {
            let matrix = graph.add(Op::Reshape(optrun::shape::Shape::fixed(&[2, 2])), &[x]);
            let roots = graph.unary(Unary::Abs, matrix);
            let reduced = graph.reduce(op, 1, roots);
            let (limit, zero) = (graph.number(100.0), graph.number(0.0));
            let small = graph.binary(Binary::Lt, reduced, limit);
            graph.add(Op::Select, &[small, reduced, zero])
        });
        assert_eq!(found, expected, "{op:?}");
    }
}

#[test]
fn nested_selections() {
    // where(x > 0, where(x > 1, log(x - 1), sqrt(x)), 7).
    let nested = slope_at(&[-1.0, 0.0, 0.25, 1.0, 3.0], |graph, x| {
        let one = graph.number(1.0);
        let less = graph.binary(Binary::Sub, x, one);
        let (log, root) = (graph.unary(Unary::Log, less), graph.unary(Unary::Sqrt, x));
        let above = graph.binary(Binary::Lt, one, x);
        let inner = graph.add(Op::Select, &[above, log, root]);
        where_above(graph, 0.0, x, inner, 7.0)
    });
    assert_eq!(nested, [0.0, 0.0, 1.0, 0.5, 0.5]);
}
