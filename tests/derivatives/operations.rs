//! Every operation of the table, at random points, to third order.

use ndarray::ArrayD;
use optrun::expr::diff::gradient;
use optrun::expr::graph::{Graph, Id, InputKind};
use optrun::expr::op::{Binary, Op, Reduce, Unary};
use optrun::shape::{DataId, Dim, Shape};

use crate::complex::real;
use crate::evaluate::{evaluate, slopes};
use crate::{Points, assert_close, rows, values, weighted_sum};

type Builder = Box<dyn Fn(&mut Graph, &[Id]) -> Id>;

/// An expression of some inputs, and where its inputs are drawn from.
struct Case {
    name: String,
    inputs: Vec<(Shape, f64, f64)>,
    build: Builder,
}

fn case(name: impl Into<String>, inputs: &[(&[usize], f64, f64)], build: impl Fn(&mut Graph, &[Id]) -> Id + 'static) -> Case {
    let inputs = inputs.iter().map(|&(sizes, low, high)| (Shape::fixed(sizes), low, high)).collect();
    Case { name: name.into(), inputs, build: Box::new(build) }
}

/// One operation of inputs alone.
fn plain(op: Op, inputs: &[(&[usize], f64, f64)]) -> Case {
    case(format!("{op:?}"), inputs, move |graph, x| graph.add(op.clone(), x))
}

/// One operation of an input and an index.
fn indexed(op: Op, sizes: &[usize], index: &'static [f64]) -> Case {
    case(format!("{op:?}"), &[(sizes, -2.0, 2.0)], move |graph, x| {
        let index = graph.literal(&[index.len()], index);
        graph.add(op.clone(), &[x[0], index])
    })
}

/// Intervals on which an operation is smooth.
fn domain(op: Unary) -> &'static [(f64, f64)] {
    match op {
        Unary::Acos | Unary::Asin => &[(-0.95, 0.95)],
        Unary::Atan | Unary::Cos | Unary::Cosh | Unary::Exp | Unary::Sin | Unary::Sinh | Unary::Square | Unary::Neg => &[(-3.0, 3.0)],
        Unary::Abs | Unary::ExpNegAbs | Unary::Relu | Unary::Sign | Unary::Not => &[(-3.0, -0.1), (0.1, 3.0)],
        Unary::Ceil | Unary::Floor => &[(1.1, 1.9)],
        Unary::Round => &[(0.6, 1.4)],
        Unary::Expm1 => &[(-30.0, -20.0), (-1e-8, 1e-8), (-2.0, 2.0)],
        Unary::Log | Unary::Log10 | Unary::Log2 | Unary::Sqrt | Unary::NormRoot => &[(0.1, 5.0), (1e-20, 1e-18)],
        Unary::Log1p => &[(-0.9, 3.0), (-1e-9, 1e-9)],
        Unary::Sigmoid | Unary::Softplus | Unary::Tanh => &[(-3.0, -0.1), (0.1, 3.0), (-40.0, -30.0), (15.0, 18.0)],
        Unary::SigmoidSlope | Unary::TanhSlope => &[(-3.0, -0.5), (0.5, 3.0), (15.0, 18.0)],
        Unary::Erf | Unary::Tan => &[(-1.2, 1.2)],
    }
}

/// Intervals of the two arguments.
fn domain2(op: Binary) -> [(f64, f64); 2] {
    match op {
        Binary::Pow | Binary::Xlogy | Binary::Div => [(0.3, 2.0), (0.5, 3.0)],
        Binary::Mod => [(5.1, 5.9), (1.05, 1.25)],
        Binary::Add
        | Binary::And
        | Binary::Eq
        | Binary::Le
        | Binary::Lt
        | Binary::Maximum
        | Binary::Minimum
        | Binary::Mul
        | Binary::Ne
        | Binary::Or
        | Binary::Sub => [(-2.0, 2.0), (-2.0, 2.0)],
    }
}

fn reductions() -> Vec<Reduce> {
    // A new reduction does not compile here until it is listed, unless it has no derivative at all.
    let has_derivative = |op| match op {
        Reduce::ArgMax | Reduce::ArgMin | Reduce::LogSumExp | Reduce::Max | Reduce::Min | Reduce::Prod | Reduce::Sum | Reduce::SumLog1p => {
            true
        }
        Reduce::Median => false,
    };
    let all = [Reduce::ArgMax, Reduce::ArgMin, Reduce::LogSumExp, Reduce::Max, Reduce::Min, Reduce::Prod, Reduce::Sum, Reduce::SumLog1p];
    assert!(all.into_iter().all(has_derivative));
    all.to_vec()
}

fn cases() -> Vec<Case> {
    const VECTOR: (&[usize], f64, f64) = (&[5], -2.0, 2.0);
    const MATRIX: (&[usize], f64, f64) = (&[3, 4], -2.0, 2.0);
    const TENSOR: (&[usize], f64, f64) = (&[2, 3, 2], -2.0, 2.0);
    let mut cases = Vec::new();
    for op in Unary::ALL {
        cases.extend(domain(op).iter().map(|&(low, high)| plain(Op::Unary(op), &[(&[4], low, high)])));
    }
    for op in Binary::ALL {
        let [(a, b), (c, d)] = domain2(op);
        for (left, right) in [(&[3][..], &[3][..]), (&[2, 3], &[3]), (&[], &[2, 3]), (&[2, 1], &[1, 3]), (&[3], &[])] {
            cases.push(plain(Op::Binary(op), &[(left, a, b), (right, c, d)]));
        }
    }
    for op in reductions() {
        // The logarithm of a product wants factors above 0.
        let above = |(sizes, low, high)| if op == Reduce::SumLog1p { (sizes, 0.1, 0.9) } else { (sizes, low, high) };
        for (axis, input) in
            [(0, VECTOR), (0, MATRIX), (1, MATRIX), (1, TENSOR), (2, TENSOR), (0, (&[1], -2.0, 2.0)), (0, (&[2], -2.0, 2.0))]
        {
            cases.push(plain(Op::Reduce(op, axis), &[above(input)]));
        }
    }
    for (axis, input) in [(0, VECTOR), (0, MATRIX), (1, MATRIX), (1, TENSOR)] {
        cases.push(plain(Op::Softmax(axis), &[input]));
        cases.push(plain(Op::LogSoftmax(axis), &[input]));
        cases.extend([false, true].map(|reverse| plain(Op::Cumsum { axis, reverse }, &[input])));
        cases.push(plain(Op::ArgSort(axis), &[input]));
        cases.push(plain(Op::Expand(axis), &[input]));
    }
    let (square, two, four) = ((&[3, 3][..], -2.0, 2.0), (&[3, 2][..], -2.0, 2.0), (&[4][..], -2.0, 2.0));
    cases.extend([
        plain(Op::Sort(0), &[VECTOR]),
        plain(Op::Transpose, &[VECTOR]),
        plain(Op::Transpose, &[MATRIX]),
        plain(Op::Transpose, &[TENSOR]),
        plain(Op::Squeeze(1), &[(&[3, 1, 2], -2.0, 2.0)]),
        plain(Op::Broadcast(Shape::fixed(&[2, 3])), &[(&[], -2.0, 2.0)]),
        plain(Op::Broadcast(Shape::fixed(&[2, 3])), &[(&[3], -2.0, 2.0)]),
        plain(Op::Broadcast(Shape::fixed(&[2, 3])), &[(&[2, 1], -2.0, 2.0)]),
        plain(Op::Broadcast(Shape::fixed(&[4, 2, 3])), &[(&[3], -2.0, 2.0)]),
        plain(Op::Reshape(Shape::fixed(&[2, 6])), &[MATRIX]),
        plain(Op::Slice { axis: 1, start: 3, step: -2, len: 2 }, &[MATRIX]),
        plain(Op::Slice { axis: 0, start: 1, step: 2, len: 2 }, &[VECTOR]),
        plain(Op::Unslice { axis: 1, start: 6, step: -2, size: Dim::Size(7) }, &[MATRIX]),
        plain(Op::Concat(0), &[MATRIX, (&[2, 4], -2.0, 2.0), (&[0, 4], 0.0, 1.0)]),
        plain(Op::Concat(1), &[MATRIX]),
        plain(Op::MatMul, &[VECTOR, VECTOR]),
        plain(Op::MatMul, &[MATRIX, four]),
        plain(Op::MatMul, &[MATRIX, (&[4, 2], -2.0, 2.0)]),
        case("X.T @ r", &[MATRIX, (&[3], -2.0, 2.0)], |graph, x| {
            let transposed = graph.add(Op::Transpose, &x[..1]);
            graph.add(Op::MatMul, &[transposed, x[1]])
        }),
        case("A.T @ B", &[MATRIX, two], |graph, x| {
            let transposed = graph.add(Op::Transpose, &x[..1]);
            graph.add(Op::MatMul, &[transposed, x[1]])
        }),
        case("solve of a vector", &[square, (&[3], -2.0, 2.0)], solved),
        case("solve of a matrix", &[square, two], solved),
        indexed(Op::Gather(0), &[3, 2], &[2.0, 0.0, 2.0, 2.0]),
        indexed(Op::Gather(1), &[3, 2], &[1.0, 1.0, 0.0]),
        indexed(Op::ScatterAdd { axis: 0, size: Dim::Size(4) }, &[3, 2], &[3.0, 0.0, 3.0]),
        indexed(Op::ScatterAdd { axis: 1, size: Dim::Size(2) }, &[3, 2], &[1.0, 1.0]),
        indexed(Op::Pick, &[3, 2], &[1.0, 0.0, 1.0]),
        indexed(Op::Unpick(4), &[3], &[3.0, 0.0, 0.0]),
        plain(Op::OneHot(3), &[(&[4], 0.0, 0.0)]),
        plain(Op::Select, &[(&[2, 3], -1.0, 1.0), (&[2, 3], -2.0, 2.0), (&[2, 3], -2.0, 2.0)]),
        plain(Op::Select, &[(&[2, 1], 0.5, 1.0), (&[1, 3], -2.0, 2.0), (&[], -2.0, 2.0)]),
        plain(Op::Select, &[(&[3], -1.0, 1.0), (&[], -2.0, 2.0), (&[2, 3], -2.0, 2.0)]),
        plain(Op::Select, &[(&[1], 0.5, 1.0), (&[3], -2.0, 2.0), (&[2, 3], -2.0, 2.0)]),
        case("a condition of the variable", &[(&[2, 3], -2.0, 2.0), (&[3], 0.5, 2.0)], |graph, x| {
            let zero = graph.number(0.0);
            let positive = graph.binary(Binary::Lt, zero, x[0]);
            let (log, cube) = (graph.unary(Unary::Log, x[0]), graph.binary(Binary::Mul, x[0], x[1]));
            let log = graph.binary(Binary::Mul, log, x[1]);
            let squared = graph.unary(Unary::Square, cube);
            graph.add(Op::Select, &[positive, log, squared])
        }),
    ]);
    for exponent in [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 3.5] {
        cases.push(case(format!("x^{exponent}"), &[(&[4], 0.3, 2.0)], move |graph, x| {
            let exponent = graph.number(exponent);
            graph.binary(Binary::Pow, x[0], exponent)
        }));
    }
    let rows = Dim::Rows(DataId(0));
    let over_rows = |name: &str, shape: Vec<Dim>, build: fn(&mut Graph, &[Id]) -> Id| Case {
        name: name.to_string(),
        inputs: vec![(Shape(shape), -2.0, 2.0)],
        build: Box::new(build),
    };
    cases.push(over_rows("product over rows", vec![rows, Dim::Size(2)], |graph, x| graph.reduce(Reduce::Prod, 0, x[0])));
    cases.push(over_rows("squares of rows", vec![rows, Dim::Size(2)], |graph, x| graph.unary(Unary::Square, x[0])));
    cases.push(over_rows("mean over rows", vec![rows], |graph, x| {
        let (sum, count) = (graph.sum_all(x[0]), graph.extent(Dim::Rows(DataId(0))));
        let mean = graph.binary(Binary::Div, sum, count);
        graph.unary(Unary::Square, mean)
    }));
    cases
}

/// A diagonal that is added keeps the matrix away from singular ones.
fn solved(graph: &mut Graph, x: &[Id]) -> Id {
    let diagonal = graph.literal(&[3, 3], &[6.0, 0.0, 0.0, 0.0, 6.0, 0.0, 0.0, 0.0, 6.0]);
    let regular = graph.binary(Binary::Add, x[0], diagonal);
    graph.add(Op::Solve, &[regular, x[1]])
}

/// Numbers the operations, so that a new one does not compile here; its example belongs in `cases`.
fn number(op: &Op) -> Option<usize> {
    Some(match op {
        Op::Unary(op) => *op as usize,
        Op::Binary(op) => 100 + *op as usize,
        Op::Reduce(op, _) => 200 + *op as usize,
        Op::Select => 300,
        Op::Softmax(_) => 301,
        Op::LogSoftmax(_) => 302,
        Op::Cumsum { .. } => 303,
        Op::Sort(_) => 304,
        Op::ArgSort(_) => 305,
        Op::MatMul => 306,
        Op::Transpose => 307,
        Op::Expand(_) => 308,
        Op::Squeeze(_) => 309,
        Op::Broadcast(_) => 310,
        Op::Reshape(_) => 311,
        Op::Slice { .. } => 312,
        Op::Unslice { .. } => 313,
        Op::Concat(_) => 314,
        Op::Gather(_) => 315,
        Op::ScatterAdd { .. } => 316,
        Op::Pick => 317,
        Op::Unpick(_) => 318,
        Op::OneHot(_) => 319,
        Op::Solve => 320,
        // Nothing to differentiate, or nothing to compare with.
        Op::Const(_) | Op::Literal(_) | Op::Input(_) | Op::RowCount(_) | Op::SpectralNorm | Op::PsdPart => return None,
    })
}

#[test]
fn every_operation_to_third_order() {
    let mut seen = std::collections::BTreeSet::new();
    for case in cases() {
        for seed in 0..4 {
            let mut points = Points::new(seed);
            let mut graph = Graph::new();
            let wrt: Vec<Id> = case.inputs.iter().map(|(shape, ..)| graph.input("x", InputKind::Param, shape.clone())).collect();
            let at: Vec<ArrayD<f64>> =
                case.inputs.iter().map(|(shape, low, high)| points.array(&rows().sizes(shape), *low, *high)).collect();
            let node = (case.build)(&mut graph, &wrt);
            let complex: Vec<_> = at.iter().map(|x| x.mapv(real)).collect();
            let reference = evaluate(&graph, &[node], &complex, &rows())[0].mapv(|z| z.re);
            assert_close(&values(&graph, &[node], &at), &[reference], 1e-13, &format!("value of {}", case.name));
            seen.extend(graph.nodes().iter().filter_map(|node| number(&node.op)));
            let mut of = weighted_sum(&mut graph, node, &mut points);
            for (order, tolerance) in [(1, 1e-12), (2, 1e-10), (3, 1e-8)] {
                let slope = gradient(&mut graph, of, &wrt).unwrap();
                let what = format!("{}, seed {seed}, order {order}", case.name);
                assert_close(&values(&graph, &slope, &at), &slopes(&graph, of, &at, &rows()), tolerance, &what);
                let sums: Vec<Id> = slope.iter().map(|&slope| weighted_sum(&mut graph, slope, &mut points)).collect();
                of = sums.into_iter().reduce(|a, b| graph.binary(Binary::Add, a, b)).unwrap();
            }
        }
    }
    let unary = Unary::ALL.iter().map(|&op| Op::Unary(op));
    let binary = Binary::ALL.iter().map(|&op| Op::Binary(op));
    let reduce = reductions().into_iter().map(|op| Op::Reduce(op, 0));
    for op in unary.chain(binary).chain(reduce) {
        assert!(seen.contains(&number(&op).unwrap()), "no example of {op:?}");
    }
    for other in 300..=320 {
        assert!(seen.contains(&other), "no example of operation {other}");
    }
}
