//! Derivatives where a careless form cancels, overflows or saturates. The expected values are mpmath's, with 400 digits.

#![allow(clippy::excessive_precision, reason = "the digits are those that mpmath printed")]

use ndarray::{ArrayD, IxDyn};
use optrun::expr::diff::gradient;
use optrun::expr::graph::{Graph, Id};
use optrun::expr::op::{Op, Reduce, Unary};

use crate::{param, values};

#[test]
fn unary_slopes_keep_their_digits() {
    let near_one = 0.999_999_999_999_090_5; // 1 - 2^-40
    assert_eq!(1.0 - near_one, 1.0 / (1u64 << 40) as f64);
    for (op, order, at, expected) in [
        (Unary::Sigmoid, 1, -700.0, 9.8596765437597709e-305),
        (Unary::Sigmoid, 1, 40.0, 4.248354255291589e-18),
        (Unary::Sigmoid, 2, 40.0, -4.2483542552915889e-18),
        (Unary::Sigmoid, 2, 1e-9, -1.2500000000000001e-10),
        (Unary::Tanh, 1, 20.0, 1.6993417021166356e-17),
        (Unary::Tanh, 2, -20.0, 3.3986834042332711e-17),
        (Unary::Tanh, 2, 1e-9, -2.0000000000000001e-9),
        (Unary::Softplus, 1, -700.0, 9.8596765437597709e-305),
        (Unary::Softplus, 2, 40.0, 4.248354255291589e-18),
        (Unary::Expm1, 1, -40.0, 4.248354255291589e-18),
        (Unary::Erf, 1, 5.0, 1.5670866531017335e-11),
        (Unary::Erf, 2, 5.0, -1.5670866531017335e-10),
        (Unary::Acos, 1, near_one, -741455.20018963384),
        (Unary::Asin, 2, -near_one, -4.0761930704155676e+17),
        (Unary::Atan, 1, 1e100, 9.9999999999999997e-201),
        (Unary::Log1p, 1, -near_one, 1099511627776.0),
        (Unary::Tan, 1, 1.57, 1576948.2207973281),
        (Unary::Log10, 1, 1e-300, 4.3429448190325182e+299),
        (Unary::Log2, 1, 1e300, 1.4426950408889633e-300),
    ] {
        let mut graph = Graph::new();
        let x = param(&mut graph, &[]);
        let of = graph.unary(op, x);
        let slope = (0..order).fold(of, |of, _| gradient(&mut graph, of, &[x]).unwrap()[0]);
        let found = values(&graph, &[slope], &[ArrayD::from_elem(IxDyn(&[]), at)])[0].sum();
        assert!((found - expected).abs() <= 5e-15 * expected.abs(), "{op:?}, order {order} at {at}: {found:e} instead of {expected:e}");
    }
}

#[test]
fn exponentials_of_large_numbers_do_not_overflow() {
    let slope = |at: [f64; 2], build: fn(&mut Graph, Id) -> Id| {
        let mut graph = Graph::new();
        let x = param(&mut graph, &[2]);
        let node = build(&mut graph, x);
        let first = graph.add(Op::Slice { axis: 0, start: 0, step: 1, len: 1 }, &[node]);
        let of = graph.sum_all(first);
        let slope = gradient(&mut graph, of, &[x]).unwrap();
        values(&graph, &slope, &[ArrayD::from_shape_vec(IxDyn(&[2]), at.to_vec()).unwrap()])[0].iter().copied().collect::<Vec<f64>>()
    };
    let logsumexp = |graph: &mut Graph, x| {
        let sum = graph.reduce(Reduce::LogSumExp, 0, x);
        graph.add(Op::Expand(0), &[sum])
    };
    assert_eq!(slope([1000.0, 0.0], logsumexp), [1.0, 0.0]);
    assert_eq!(slope([-1000.0, -1000.0], logsumexp), [0.5, 0.5]);
    assert_eq!(slope([0.0, 1000.0], |graph, x| graph.add(Op::LogSoftmax(0), &[x])), [1.0, -1.0]);
    assert_eq!(slope([1000.0, 1000.0], |graph, x| graph.add(Op::Softmax(0), &[x])), [0.25, -0.25]);
}
