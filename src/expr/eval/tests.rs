//! The values are those of definitions, NumPy or exact arithmetic; none was printed by the program.

use super::super::graph::InputKind;
use super::super::op::{Binary, Reduce, Unary};
use super::*;
use crate::shape::{DataId, Shape};

fn value(build: impl Fn(&mut Graph) -> Id) -> Vec<f64> {
    let mut graph = Graph::new();
    let root = build(&mut graph);
    evaluate(&graph, &[root], &|_| None, &RowCounts::default()).unwrap()[0].iter().copied().collect()
}

fn reduced(op: Reduce, axis: usize, sizes: &[usize], values: &[f64]) -> Vec<f64> {
    value(|graph| {
        let x = graph.literal(sizes, values);
        graph.reduce(op, axis, x)
    })
}

#[test]
fn a_sum_over_axis_0_has_eight_classes() {
    // 1 vanishes beside 1e16 in one class, and is kept in a class of its own: the sum of the classes 0 and 4 comes first.
    let mut x = [0.0; 16];
    (x[0], x[8], x[4]) = (1e16, 1.0, -1e16);
    assert_eq!(reduced(Reduce::Sum, 0, &[16], &x), [0.0]);
    (x[8], x[1]) = (0.0, 1.0);
    assert_eq!(reduced(Reduce::Sum, 0, &[16], &x), [1.0]);
    // (s0 + s4) + (s2 + s6): a 1 in class 2 meets class 6 before it meets class 0.
    let mut x = [0.0; 8];
    (x[0], x[2], x[6]) = (1e16, 1.0, -1e16);
    assert_eq!(reduced(Reduce::Sum, 0, &[8], &x), [0.0]);
    (x[4], x[2], x[6]) = (-1e16, 1.0, 0.0);
    assert_eq!(reduced(Reduce::Sum, 0, &[8], &x), [1.0]);
}

#[test]
fn chunks_are_combined_by_a_tree() {
    // Class 0 of chunks 0, 1, 2, 3: (c0 + c1) + (c2 + c3).
    let mut x = vec![0.0; 4096];
    (x[0], x[1024], x[2048], x[3072]) = (1e16, -1e16, 1.0, 1.0);
    assert_eq!(reduced(Reduce::Sum, 0, &[4096], &x), [2.0]);
    (x[0], x[1024], x[2048], x[3072]) = (1e16, 1.0, -1e16, 1.0);
    assert_eq!(reduced(Reduce::Sum, 0, &[4096], &x), [0.0]);
    // Three chunks: (c0 + c1) + c2.
    (x[0], x[1024], x[2048]) = (1.0, 1e16, -1e16);
    assert_eq!(reduced(Reduce::Sum, 0, &[3000], &x[..3000]), [0.0]);
}

#[test]
fn a_sum_over_another_axis_is_ascending() {
    let mut x = [0.0; 16];
    (x[0], x[1], x[2]) = (1e16, 1.0, -1e16);
    assert_eq!(reduced(Reduce::Sum, 1, &[1, 16], &x), [0.0]);
    assert_eq!(reduced(Reduce::Sum, 0, &[16, 1], &x), [0.0 + 1.0]);
    // From the first element, so that the sum of -0 is -0; eight classes begin at +0.
    assert!(reduced(Reduce::Sum, 1, &[1, 2], &[-0.0, -0.0])[0].is_sign_negative());
    assert!(reduced(Reduce::Sum, 0, &[2], &[-0.0, -0.0])[0].is_sign_positive());
    assert_eq!(reduced(Reduce::Sum, 1, &[2, 0], &[]), [0.0, 0.0]);
    assert_eq!(reduced(Reduce::Sum, 0, &[0, 2], &[]), [0.0, 0.0]);
}

#[test]
fn the_order_of_a_product_follows_from_the_transpose() {
    // 1e16*1 + 1*1 - 1e16*1, fused: ascending loses the 1; eight classes keep it in class 1 and lose it to neither.
    let row = [1e16, 1.0, -1e16];
    let ascending = value(|graph| {
        let (a, b) = (graph.literal(&[1, 3], &row), graph.literal(&[3], &[1.0; 3]));
        graph.add(Op::MatMul, &[a, b])
    });
    let classes = value(|graph| {
        let (a, b) = (graph.literal(&[3, 1], &row), graph.literal(&[3], &[1.0; 3]));
        let a = graph.add(Op::Transpose, &[a]);
        graph.add(Op::MatMul, &[a, b])
    });
    let dot = value(|graph| {
        let (a, b) = (graph.literal(&[3], &row), graph.literal(&[3], &[1.0; 3]));
        graph.add(Op::MatMul, &[a, b])
    });
    assert_eq!((&ascending[..], &classes[..], &dot[..]), (&[0.0][..], &[1.0][..], &[1.0][..]));
    // Matrix by matrix: chunks of 1,024 only behind a transpose.
    let mut x = vec![0.0; 2048];
    (x[0], x[1], x[1024], x[1025]) = (1e16, 1.0, 1.0, -1e16);
    let plain = value(|graph| {
        let (a, b) = (graph.literal(&[1, 2048], &x), graph.literal(&[2048, 1], &[1.0; 2048]));
        graph.add(Op::MatMul, &[a, b])
    });
    let chunked = value(|graph| {
        let (a, b) = (graph.literal(&[2048, 1], &x), graph.literal(&[2048, 1], &[1.0; 2048]));
        let a = graph.add(Op::Transpose, &[a]);
        graph.add(Op::MatMul, &[a, b])
    });
    // Ascending: every 1 is lost. Chunked: 1e16 and 1 - 1e16, which rounds to -1e16 + 0 or 2.
    assert_eq!(plain, [0.0]);
    assert_eq!(chunked, [1e16 + (1.0 - 1e16)]);
    // Fused: (1 + 2^-30)^2 - (1 + 2^-29) is 2^-60, which a rounded product loses.
    let half_power = |n: u64| 1.0 / (1u64 << n) as f64;
    let a = 1.0 + half_power(30);
    let fused = value(|graph| {
        let (x, y) = (graph.literal(&[1, 2], &[-(1.0 + half_power(29)), a]), graph.literal(&[2], &[1.0, a]));
        graph.add(Op::MatMul, &[x, y])
    });
    assert_eq!(fused, [half_power(60)]);
}

#[test]
fn products_begin_with_a_product_and_may_be_empty() {
    let product = |a: &[usize], b: &[usize], transposed: bool| {
        value(|graph| {
            let (x, y) = (graph.literal(a, &vec![-0.0; a.iter().product()]), graph.literal(b, &vec![1.0; b.iter().product()]));
            let x = if transposed { graph.add(Op::Transpose, &[x]) } else { x };
            graph.add(Op::MatMul, &[x, y])
        })
    };
    let signs = |values: Vec<f64>| values.iter().map(|x| x.is_sign_negative()).collect::<Vec<bool>>();
    // Eight classes begin at +0 instead.
    assert_eq!(signs(product(&[3], &[3], false)), [false]);
    assert_eq!(signs(product(&[3, 1], &[3], true)), [false]);
    assert_eq!(signs(product(&[1, 3], &[3], false)), [true]);
    assert_eq!(signs(product(&[1, 3], &[3, 2], false)), [true, true]);
    assert_eq!(signs(product(&[3, 1], &[3, 2], true)), [true, true]);
    assert_eq!(product(&[0], &[0], false), [0.0]);
    assert_eq!(product(&[2, 0], &[0], false), [0.0, 0.0]);
    assert_eq!(product(&[0, 2], &[0, 1], true), [0.0, 0.0]);
    assert!(product(&[2, 3], &[3, 0], false).is_empty());
}

#[test]
fn extremes_and_places() {
    let inf = f64::INFINITY;
    assert_eq!(reduced(Reduce::LogSumExp, 0, &[2], &[-inf, -inf]), [-inf]);
    assert_eq!(reduced(Reduce::LogSumExp, 0, &[2], &[1000.0, -inf]), [1000.0]);
    assert_eq!(reduced(Reduce::LogSumExp, 0, &[2], &[inf, 0.0]), [inf]);
    assert!(reduced(Reduce::Max, 0, &[3], &[1.0, f64::NAN, 2.0])[0].is_nan());
    assert!(reduced(Reduce::Min, 0, &[3], &[1.0, f64::NAN, 2.0])[0].is_nan());
    assert_eq!(reduced(Reduce::ArgMax, 0, &[4], &[1.0, 3.0, 3.0, 0.0]), [1.0]);
    assert_eq!(reduced(Reduce::ArgMin, 1, &[2, 3], &[1.0, 0.0, 0.0, 2.0, f64::NAN, 0.0]), [1.0, 1.0]);
    assert_eq!(reduced(Reduce::Median, 0, &[4], &[4.0, 1.0, 3.0, 2.0]), [2.5]);
    assert_eq!(reduced(Reduce::Prod, 1, &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), [6.0, 120.0]);
    for (x, y, expected) in [(-0.0, 0.0, 0.0f64), (0.0, -0.0, 0.0)] {
        assert_eq!(elementwise::binary(Binary::Maximum, x, y).to_bits(), expected.to_bits());
        assert_eq!(elementwise::binary(Binary::Minimum, x, y).to_bits(), (-expected).to_bits());
    }
    // As NumPy 2 answers.
    for (x, y, expected) in [(-7.0, 3.0, 2.0), (7.0, -3.0, -2.0), (-6.0, 3.0, 0.0), (5.5, 2.0, 1.5), (-1.0, inf, inf)] {
        assert_eq!(elementwise::binary(Binary::Mod, x, y), expected, "{x} mod {y}");
    }
    assert_eq!([0.5, 1.5, -2.5].map(|x| elementwise::unary(Unary::Round, x)), [0.0, 2.0, -2.0]);
    let matrix = |graph: &mut Graph| graph.literal(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let one = |op: Op| {
        value(|graph| {
            let x = matrix(graph);
            graph.add(op.clone(), &[x])
        })
    };
    let two = |op: Op, index: &[f64]| {
        value(|graph| {
            let (x, i) = (matrix(graph), graph.literal(&[index.len()], index));
            graph.add(op.clone(), &[x, i])
        })
    };
    assert_eq!(one(Op::Transpose), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(one(Op::Slice { axis: 1, start: 2, step: -2, len: 2 }), [3.0, 1.0, 6.0, 4.0]);
    assert_eq!(one(Op::Unslice { axis: 0, start: 2, step: -2, size: Dim::Size(3) }), [4.0, 5.0, 6.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
    assert_eq!(one(Op::Cumsum { axis: 1, reverse: true }), [6.0, 5.0, 3.0, 15.0, 11.0, 6.0]);
    assert_eq!(two(Op::Gather(1), &[2.0, 2.0, 0.0]), [3.0, 3.0, 1.0, 6.0, 6.0, 4.0]);
    assert_eq!(two(Op::ScatterAdd { axis: 1, size: Dim::Size(2) }, &[1.0, 1.0, 0.0]), [3.0, 3.0, 6.0, 9.0]);
    assert_eq!(two(Op::Pick, &[2.0, 0.0]), [3.0, 4.0]);
}

#[test]
fn inputs_are_checked_and_the_batch_gives_the_rows() {
    let mut graph = Graph::new();
    let rows = Dim::Rows(DataId(0));
    let x = graph.input("x", InputKind::Column(DataId(0)), Shape(vec![rows]));
    let count = graph.extent(rows);
    let total = graph.sum_all(x);
    let mean = graph.binary(Binary::Div, total, count);
    let give = |x: &[f64], n: usize| {
        let x = Tensor::from_shape_vec(IxDyn(&[x.len()]), x.to_vec()).unwrap();
        evaluate(&graph, &[mean], &|_| Some(x.clone()), &RowCounts(vec![n])).map(|v| v[0].sum())
    };
    assert_eq!(give(&[1.0, 2.0, 6.0], 3), Ok(3.0));
    assert_eq!(give(&[1.0, 2.0], 3), Err(EvalError::InputSizes { input: InputId(0), expected: vec![3], found: vec![2] }));
    assert_eq!(evaluate(&graph, &[mean], &|_| None, &RowCounts(vec![3])), Err(EvalError::MissingInput(InputId(0))));
    let index = graph.literal(&[1], &[1.5]);
    let picked = graph.add(Op::Gather(0), &[x, index]);
    let given = |_| Some(Tensor::zeros(IxDyn(&[3])));
    assert_eq!(evaluate(&graph, &[picked], &given, &RowCounts(vec![3])), Err(EvalError::Index { node: picked, value: 1.5 }));
    let slice = graph.add(Op::Slice { axis: 0, start: 2, step: 1, len: 2 }, &[x]);
    assert_eq!(evaluate(&graph, &[slice], &given, &RowCounts(vec![3])), Err(EvalError::Slice(slice)));
}

#[test]
fn the_first_node_that_is_not_finite_is_found() {
    let mut graph = Graph::new();
    let x = graph.literal(&[3], &[1.0, 0.0, 2.0]);
    let zero = graph.number(0.0);
    let log = graph.unary(Unary::Log, x);
    let unused = graph.unary(Unary::Log, zero);
    let positive = graph.binary(Binary::Lt, zero, x);
    let kept = graph.add(Op::Select, &[positive, log, zero]);
    let inf = graph.number(f64::INFINITY);
    let square = graph.unary(Unary::Square, log);
    let total = graph.sum_all(square);
    let masked = graph.add(Op::Select, &[positive, inf, total]);
    let kept = graph.sum_all(kept);
    let find =
        |root: Id| evaluate_all(&graph, &[root, unused], &|_| None, &RowCounts::default()).unwrap().first_not_finite(&graph, &[root]);
    assert_eq!(find(kept), None);
    assert_eq!(find(total), Some(log));
    assert_eq!(find(masked), Some(log));
}

#[test]
fn a_long_chain_neither_recurses_nor_keeps_everything() {
    let mut graph = Graph::new();
    let x = graph.input("x", InputKind::Param, Shape::scalar());
    let one = graph.number(1.0);
    let root = (0..100_000).fold(x, |sum, _| graph.binary(Binary::Add, sum, one));
    let values = run(&graph, &[root], &|_| Some(number(0.5)), &RowCounts::default(), true).unwrap();
    assert_eq!(values.get(root).unwrap().sum(), 100_000.5);
    assert_eq!(values.0.iter().flatten().count(), 1);
}

#[test]
fn systems_and_singular_values() {
    let solve = |a: &[f64], b: &[f64], sizes: &[usize]| {
        value(|graph| {
            let (a, b) = (graph.literal(&[2, 2], a), graph.literal(sizes, b));
            graph.add(Op::Solve, &[a, b])
        })
    };
    // 0 stands where a pivot should: rows must be exchanged.
    assert_eq!(solve(&[0.0, 2.0, 4.0, 8.0], &[6.0, 28.0], &[2]), [1.0, 3.0]);
    assert_eq!(solve(&[2.0, 0.0, 0.0, 4.0], &[2.0, 4.0, 8.0, 16.0], &[2, 2]), [1.0, 2.0, 2.0, 4.0]);
    assert!(solve(&[1.0, 2.0, 2.0, 4.0], &[1.0, 1.0], &[2]).iter().all(|x| x.is_nan()));
    let norm = |sizes: &[usize], a: &[f64]| {
        value(|graph| {
            let a = graph.literal(sizes, a);
            graph.add(Op::SpectralNorm, &[a])
        })[0]
    };
    // The singular values of ((3, 0), (4, 5)) are the roots of 45 and 5.
    assert!((norm(&[2, 2], &[3.0, 0.0, 4.0, 5.0]) - 45f64.sqrt()).abs() < 1e-14);
    assert!((norm(&[1, 3], &[2.0, 3.0, 6.0]) - 7.0).abs() < 1e-14);
    assert!(norm(&[1, 2], &[f64::NAN, 1.0]).is_nan());
}
