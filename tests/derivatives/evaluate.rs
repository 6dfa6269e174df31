//! The values of a graph in complex numbers, for the method of the complex step: `f'(x) = Im f(x + ih)/h`.
//!
//! Written from the definitions of the operations alone. Whatever compares, compares real parts.

use ndarray::{Array2, ArrayD, Axis, IxDyn, Zip};
use optrun::expr::graph::{Graph, Id};
use optrun::expr::op::{Binary, Op, Reduce, Unary};
use optrun::shape::{Dim, RowCounts};

use crate::complex::{Complex, real};

type Values = ArrayD<Complex>;

fn truth(yes: bool) -> Complex {
    real(f64::from(u8::from(yes)))
}

fn unary(op: Unary, z: Complex) -> Complex {
    let x = z.re;
    match op {
        Unary::Abs => z.abs(),
        Unary::Acos => real(std::f64::consts::FRAC_PI_2) - z.asin(),
        Unary::Asin => z.asin(),
        Unary::Atan => z.atan(),
        Unary::Ceil => real(x.ceil()),
        Unary::Cos => z.cos(),
        Unary::Cosh => z.cosh(),
        Unary::Erf => z.erf(),
        Unary::Exp => z.exp(),
        Unary::Expm1 => z.expm1(),
        Unary::Floor => real(x.floor()),
        Unary::Log => z.ln(),
        Unary::Log10 => z.ln() / real(std::f64::consts::LN_10),
        Unary::Log1p => z.log1p(),
        Unary::Log2 => z.ln() / real(std::f64::consts::LN_2),
        Unary::Neg => -z,
        Unary::NormRoot | Unary::Sqrt => z.sqrt(),
        Unary::Not => truth(x == 0.0),
        Unary::Relu => {
            if x > 0.0 {
                z
            } else {
                real(0.0)
            }
        }
        Unary::Round => real(x.round_ties_even()),
        Unary::Sigmoid => z.sigmoid(),
        Unary::SigmoidSlope => {
            let e = (-z.abs()).exp();
            e / ((real(1.0) + e) * (real(1.0) + e))
        }
        Unary::ExpNegAbs => (-z.abs()).exp(),
        Unary::Sign => truth(x > 0.0) - truth(x < 0.0),
        Unary::Sin => z.sin(),
        Unary::Sinh => z.sinh(),
        Unary::Softplus => z.softplus(),
        Unary::Square => z * z,
        Unary::Tan => z.sin() / z.cos(),
        Unary::Tanh => z.tanh(),
        Unary::TanhSlope => {
            let e = (real(-2.0) * z.abs()).exp();
            real(4.0) * e / ((real(1.0) + e) * (real(1.0) + e))
        }
    }
}

fn binary(op: Binary, a: Complex, b: Complex) -> Complex {
    match op {
        Binary::Add => a + b,
        Binary::And => truth(a.re != 0.0 && b.re != 0.0),
        Binary::Div => a / b,
        Binary::Eq => truth(a.re == b.re),
        Binary::Le => truth(a.re <= b.re),
        Binary::Lt => truth(a.re < b.re),
        Binary::Maximum => {
            if a.re >= b.re {
                a
            } else {
                b
            }
        }
        Binary::Minimum => {
            if a.re <= b.re {
                a
            } else {
                b
            }
        }
        Binary::Mod => a - b * real((a.re / b.re).floor()),
        Binary::Mul => a * b,
        Binary::Ne => truth(a.re != b.re),
        Binary::Or => truth(a.re != 0.0 || b.re != 0.0),
        Binary::Pow => a.pow(b),
        Binary::Sub => a - b,
        Binary::Xlogy => {
            if a == real(0.0) {
                a
            } else {
                a * b.ln()
            }
        }
    }
}

fn total(x: &[Complex]) -> Complex {
    x.iter().fold(real(0.0), |sum, &x| sum + x)
}

fn largest(x: &[Complex]) -> f64 {
    x.iter().map(|x| x.re).fold(f64::NEG_INFINITY, f64::max)
}

fn exponentials(x: &[Complex]) -> Vec<Complex> {
    let shift = real(largest(x));
    x.iter().map(|&x| (x - shift).exp()).collect()
}

fn order(x: &[Complex]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&i, &j| x[i].re.total_cmp(&x[j].re));
    order
}

fn reduce(op: Reduce, x: &[Complex]) -> Complex {
    let first = |wanted: f64| x.iter().position(|x| x.re == wanted).unwrap();
    let smallest = x.iter().map(|x| x.re).fold(f64::INFINITY, f64::min);
    match op {
        Reduce::ArgMax => real(first(largest(x)) as f64),
        Reduce::ArgMin => real(first(smallest) as f64),
        Reduce::LogSumExp => real(largest(x)) + total(&exponentials(x)).ln(),
        Reduce::Max => x[first(largest(x))],
        Reduce::Median => {
            let order = order(x);
            (x[order[(x.len() - 1) / 2]] + x[order[x.len() / 2]]) / real(2.0)
        }
        Reduce::Min => x[first(smallest)],
        Reduce::Prod => x.iter().fold(real(1.0), |product, &x| product * x),
        Reduce::Sum => total(x),
        Reduce::SumLog1p => total(&x.iter().map(|&x| (real(1.0) + x).ln()).collect::<Vec<_>>()),
    }
}

fn each_lane(x: &Values, axis: usize, f: impl Fn(&[Complex]) -> Vec<Complex>) -> Values {
    let mut result = x.clone();
    for mut lane in result.lanes_mut(Axis(axis)) {
        let new = f(&lane.to_vec());
        lane.iter_mut().zip(new).for_each(|(old, new)| *old = new);
    }
    result
}

fn matrix(x: &Values) -> Array2<Complex> {
    x.clone().into_dimensionality().unwrap()
}

fn matmul(a: &Values, b: &Values) -> Values {
    let lift = |x: &Values, axis: usize| matrix(&if x.ndim() == 1 { x.clone().insert_axis(Axis(axis)) } else { x.clone() });
    let (left, right) = (lift(a, 0), lift(b, 1));
    let entry = |(i, j)| (0..right.nrows()).fold(real(0.0), |sum, k| sum + left[[i, k]] * right[[k, j]]);
    let mut product = Array2::from_shape_fn((left.nrows(), right.ncols()), entry).into_dyn();
    if b.ndim() == 1 {
        product = product.remove_axis(Axis(1));
    }
    if a.ndim() == 1 { product.remove_axis(Axis(0)) } else { product }
}

/// Gauss and Jordan, with the pivot of largest real part.
fn solve(a: &Values, b: &Values) -> Values {
    let mut a = matrix(a);
    let n = a.nrows();
    let mut x = matrix(&if b.ndim() == 1 { b.clone().insert_axis(Axis(1)) } else { b.clone() });
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| a[[i, k]].re.abs().total_cmp(&a[[j, k]].re.abs())).unwrap();
        for j in 0..n {
            a.swap([k, j], [pivot, j]);
        }
        for j in 0..x.ncols() {
            x.swap([k, j], [pivot, j]);
        }
        for i in (0..n).filter(|&i| i != k) {
            let factor = a[[i, k]] / a[[k, k]];
            for j in k..n {
                a[[i, j]] = a[[i, j]] - factor * a[[k, j]];
            }
            for j in 0..x.ncols() {
                x[[i, j]] = x[[i, j]] - factor * x[[k, j]];
            }
        }
    }
    Array2::from_shape_fn(x.dim(), |(i, j)| x[[i, j]] / a[[i, i]]).into_dyn().into_shape_with_order(IxDyn(b.shape())).unwrap()
}

fn whole(index: &Values) -> Vec<usize> {
    index.iter().map(|z| z.re as usize).collect()
}

fn places(start: usize, step: isize, len: usize) -> Vec<usize> {
    (0..len).map(|k| start.checked_add_signed(step * k.cast_signed()).unwrap()).collect()
}

/// The values of the roots. `inputs` are in the order they were declared.
pub(crate) fn evaluate(graph: &Graph, roots: &[Id], inputs: &[Values], rows: &RowCounts) -> Vec<Values> {
    let mut values: Vec<Option<Values>> = vec![None; graph.len()];
    for id in graph.reachable(roots) {
        let node = graph.node(id);
        let args: Vec<&Values> = node.args.iter().map(|arg| values[arg.index()].as_ref().unwrap()).collect();
        let sizes = IxDyn(&rows.sizes(&node.shape));
        let view = |x: usize| args[x].broadcast(sizes.clone()).unwrap();
        let number = |x: f64| Values::from_elem(IxDyn(&[]), real(x));
        let value = match &node.op {
            Op::Const(bits) => number(bits.value()),
            Op::Literal(literal) => Values::from_shape_vec(sizes, literal.values.iter().map(|x| real(x.value())).collect()).unwrap(),
            Op::Input(input) => inputs[input.0 as usize].clone(),
            Op::RowCount(data) => number(rows.of(Dim::Rows(*data)) as f64),
            Op::Unary(op) => args[0].mapv(|z| unary(*op, z)),
            Op::Binary(op) => Zip::from(view(0)).and(view(1)).map_collect(|&a, &b| binary(*op, a, b)),
            Op::Select => Zip::from(view(0)).and(view(1)).and(view(2)).map_collect(|&c, &a, &b| if c.re == 0.0 { b } else { a }),
            Op::Reduce(op, axis) => args[0].map_axis(Axis(*axis), |lane| reduce(*op, &lane.to_vec())),
            Op::Softmax(axis) => each_lane(args[0], *axis, |lane| {
                let e = exponentials(lane);
                e.iter().map(|&x| x / total(&e)).collect()
            }),
            Op::LogSoftmax(axis) => each_lane(args[0], *axis, |lane| {
                let log = reduce(Reduce::LogSumExp, lane);
                lane.iter().map(|&x| x - log).collect()
            }),
            Op::Cumsum { axis, reverse } => {
                each_lane(args[0], *axis, |lane| (0..lane.len()).map(|i| total(if *reverse { &lane[i..] } else { &lane[..=i] })).collect())
            }
            Op::Sort(axis) => each_lane(args[0], *axis, |lane| order(lane).iter().map(|&i| lane[i]).collect()),
            Op::ArgSort(axis) => each_lane(args[0], *axis, |lane| order(lane).iter().map(|&i| real(i as f64)).collect()),
            Op::MatMul => matmul(args[0], args[1]),
            Op::Transpose => args[0].t().to_owned(),
            Op::Expand(axis) => args[0].clone().insert_axis(Axis(*axis)),
            Op::Squeeze(axis) => args[0].clone().remove_axis(Axis(*axis)),
            Op::Reshape(_) => Values::from_shape_vec(sizes, args[0].iter().copied().collect()).unwrap(),
            Op::Broadcast(_) => view(0).to_owned(),
            Op::Slice { axis, start, step, len } => args[0].select(Axis(*axis), &places(*start, *step, *len)),
            Op::Unslice { axis, start, step, .. } => {
                let mut result = Values::from_elem(sizes, real(0.0));
                for (from, to) in places(*start, *step, args[0].shape()[*axis]).into_iter().enumerate() {
                    result.index_axis_mut(Axis(*axis), to).assign(&args[0].index_axis(Axis(*axis), from));
                }
                result
            }
            Op::Concat(axis) => ndarray::concatenate(Axis(*axis), &args.iter().map(|x| x.view()).collect::<Vec<_>>()).unwrap(),
            Op::Gather(axis) => args[0].select(Axis(*axis), &whole(args[1])),
            Op::ScatterAdd { axis, .. } => {
                let mut result = Values::from_elem(sizes, real(0.0));
                for (from, to) in whole(args[1]).into_iter().enumerate() {
                    Zip::from(result.index_axis_mut(Axis(*axis), to))
                        .and(args[0].index_axis(Axis(*axis), from))
                        .for_each(|place, &x| *place = *place + x);
                }
                result
            }
            Op::Pick => whole(args[1]).into_iter().enumerate().map(|(i, j)| args[0][[i, j]]).collect::<ndarray::Array1<_>>().into_dyn(),
            Op::Unpick(_) | Op::OneHot(_) => {
                let mut result = Values::from_elem(sizes, real(0.0));
                for (i, j) in whole(args[args.len() - 1]).into_iter().enumerate() {
                    result[[i, j]] = if args.len() == 2 { args[0][[i]] } else { real(1.0) };
                }
                result
            }
            Op::Solve => solve(args[0], args[1]),
            Op::SpectralNorm | Op::PsdPart => panic!("no complex form"),
        };
        values[id.index()] = Some(value);
    }
    roots.iter().map(|root| values[root.index()].clone().unwrap()).collect()
}

/// Derivatives of the number `of` with respect to every element of every input.
pub(crate) fn slopes(graph: &Graph, of: Id, inputs: &[ArrayD<f64>], rows: &RowCounts) -> Vec<ArrayD<f64>> {
    const STEP: f64 = 1e-30;
    let start: Vec<Values> = inputs.iter().map(|x| x.mapv(real)).collect();
    let slope = |which: usize, element: usize| {
        let mut moved = start.clone();
        moved[which].iter_mut().nth(element).unwrap().im = STEP;
        evaluate(graph, &[of], &moved, rows)[0].first().unwrap().im / STEP
    };
    (0..inputs.len())
        .map(|which| {
            ArrayD::from_shape_vec(inputs[which].raw_dim(), (0..inputs[which].len()).map(|element| slope(which, element)).collect())
                .unwrap()
        })
        .collect()
}
