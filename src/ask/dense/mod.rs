//! Values of graphs in other numbers than the machine's: twice the digits, and complex ones.
//!
//! It is slow, and independent of the evaluator that defines the values; it serves proofs and checks only.

mod arrange;
mod complex;
mod twice;

pub(super) use complex::Complex;
pub(super) use twice::Bounded;

use crate::expr::graph::{Graph, Id};
use crate::expr::op::{Binary, InputId, Op, Reduce, Unary};
use crate::shape::{Dim, RowCounts};

/// A kind of numbers.
pub(super) trait Number: Copy {
    fn of(x: f64) -> Self;
    /// The nearest real number.
    fn real(self) -> f64;
    fn add(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    fn neg(self) -> Self;
    fn exp(self) -> Self;
    fn ln(self) -> Self;
    fn sqrt(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    fn atan(self) -> Self;
    fn expm1(self) -> Self;
    fn ln_1p(self) -> Self;
    fn erf(self) -> Self;

    fn sub(self, other: Self) -> Self {
        self.add(other.neg())
    }

    /// A number that stands in a formula.
    fn constant(x: f64) -> Self {
        Self::of(x)
    }

    fn scale(self, by: f64) -> Self {
        self.mul(Self::of(by))
    }
}

/// An array.
#[derive(Debug, Clone)]
pub(super) struct Array<N> {
    pub(super) sizes: Vec<usize>,
    pub(super) values: Vec<N>,
}

impl<N: Number> Array<N> {
    pub(super) fn number(x: N) -> Self {
        Array { sizes: Vec::new(), values: vec![x] }
    }
}

/// The values of the roots; `None` when an operation has no values in these numbers, or an input has none.
pub(super) fn evaluate<N: Number>(
    graph: &Graph,
    roots: &[Id],
    inputs: &dyn Fn(InputId) -> Option<Array<N>>,
    rows: &RowCounts,
) -> Option<Vec<Array<N>>> {
    let mut values: Vec<Option<Array<N>>> = vec![None; graph.len()];
    for id in graph.reachable(roots) {
        let node = graph.node(id);
        let args: Option<Vec<&Array<N>>> = node.args.iter().map(|arg| values[arg.index()].as_ref()).collect();
        let value = apply(graph, id, &args?, inputs, rows)?;
        values[id.index()] = Some(value);
    }
    roots.iter().map(|root| values[root.index()].clone()).collect()
}

fn apply<N: Number>(
    graph: &Graph,
    id: Id,
    args: &[&Array<N>],
    inputs: &dyn Fn(InputId) -> Option<Array<N>>,
    rows: &RowCounts,
) -> Option<Array<N>> {
    let node = graph.node(id);
    let sizes = rows.sizes(&node.shape);
    let with = |values: Vec<N>| Some(Array { sizes: sizes.clone(), values });
    match &node.op {
        Op::Const(bits) => Some(Array::number(N::constant(bits.value()))),
        Op::Literal(literal) => with(literal.values.iter().map(|bits| N::constant(bits.value())).collect()),
        Op::Input(input) => inputs(*input).filter(|a| a.sizes == sizes),
        Op::RowCount(data) => Some(Array::number(N::of(rows.of(Dim::Rows(*data)) as f64))),
        Op::Unary(op) => with(args[0].values.iter().map(|&x| unary(*op, x)).collect()),
        Op::Binary(op) => {
            let (a, b) = (arrange::stretch(args[0], &sizes), arrange::stretch(args[1], &sizes));
            with(a.iter().zip(&b).map(|(&x, &y)| binary(*op, x, y)).collect())
        }
        Op::Select => {
            let [c, a, b] = [0, 1, 2].map(|position| arrange::stretch(args[position], &sizes));
            with((0..c.len()).map(|i| if c[i].real() == 0.0 { b[i] } else { a[i] }).collect())
        }
        Op::Broadcast(_) => with(arrange::stretch(args[0], &sizes)),
        Op::Reduce(op, axis) => {
            let values: Option<Vec<N>> = arrange::lines(args[0], *axis).into_iter().map(|line| reduce(*op, &line)).collect();
            with(values?)
        }
        Op::Softmax(axis) => Some(arrange::along(args[0], *axis, |line| {
            let total = log_sum_exp(line);
            line.iter().map(|x| x.sub(total).exp()).collect()
        })),
        Op::LogSoftmax(axis) => Some(arrange::along(args[0], *axis, |line| {
            let total = log_sum_exp(line);
            line.iter().map(|x| x.sub(total)).collect()
        })),
        Op::Cumsum { axis, reverse } => Some(arrange::along(args[0], *axis, |line| {
            let mut list = line.to_vec();
            for i in 1..list.len() {
                let (at, before) = if *reverse { (line.len() - 1 - i, line.len() - i) } else { (i, i - 1) };
                list[at] = list[at].add(list[before]);
            }
            list
        })),
        Op::Sort(axis) | Op::ArgSort(axis) => Some(arrange::along(args[0], *axis, |line| {
            let mut order: Vec<usize> = (0..line.len()).collect();
            order.sort_by(|&a, &b| line[a].real().total_cmp(&line[b].real()));
            let indices = matches!(node.op, Op::ArgSort(_));
            order.into_iter().map(|i| if indices { N::of(i as f64) } else { line[i] }).collect()
        })),
        Op::MatMul => Some(arrange::matmul(args[0], args[1], sizes)),
        Op::Transpose => Some(arrange::transpose(args[0])),
        Op::Expand(_) | Op::Squeeze(_) | Op::Reshape(_) => with(args[0].values.clone()),
        Op::Slice { axis, start, step, .. } => arrange::slice(args[0], *axis, *start, *step, &sizes),
        Op::Unslice { axis, start, step, .. } => arrange::unslice(args[0], *axis, *start, *step, &sizes),
        Op::Concat(axis) => Some(arrange::concat(args, *axis, &sizes)),
        Op::Gather(axis) => arrange::gather(args[0], args[1], *axis, &sizes),
        Op::ScatterAdd { axis, .. } => arrange::scatter_add(args[0], args[1], *axis, &sizes),
        Op::Pick => arrange::picked(args[0], args[1]),
        Op::Unpick(k) => arrange::unpicked(&args[0].values, args[1], *k),
        Op::OneHot(k) => arrange::unpicked(&vec![N::of(1.0); args[0].values.len()], args[0], *k),
        Op::Solve => arrange::solve(args[0], args[1]),
        Op::SpectralNorm | Op::PsdPart => None,
    }
}

fn log_sum_exp<N: Number>(line: &[N]) -> N {
    let largest = line.iter().map(|x| x.real()).fold(f64::NEG_INFINITY, f64::max);
    let sum = line.iter().fold(N::of(0.0), |sum, x| sum.add(x.sub(N::of(largest)).exp()));
    sum.ln().add(N::of(largest))
}

fn reduce<N: Number>(op: Reduce, line: &[N]) -> Option<N> {
    let best = |better: fn(f64, f64) -> bool| {
        let mut at = 0;
        for (i, x) in line.iter().enumerate() {
            if better(x.real(), line[at].real()) {
                at = i;
            }
        }
        at
    };
    let above: fn(f64, f64) -> bool = |a, b| a > b;
    let below: fn(f64, f64) -> bool = |a, b| a < b;
    Some(match op {
        Reduce::Sum => line.iter().fold(N::of(0.0), |sum, &x| sum.add(x)),
        Reduce::Prod => line.iter().fold(N::of(1.0), |product, &x| product.mul(x)),
        Reduce::Max => *line.get(best(above))?,
        Reduce::Min => *line.get(best(below))?,
        Reduce::ArgMax => N::of(best(above) as f64),
        Reduce::ArgMin => N::of(best(below) as f64),
        Reduce::LogSumExp => log_sum_exp(line),
        Reduce::SumLog1p => line.iter().fold(N::of(0.0), |sum, x| sum.add(x.ln_1p())),
        Reduce::Median => {
            let mut sorted = line.to_vec();
            sorted.sort_by(|a, b| a.real().total_cmp(&b.real()));
            let half = sorted.len() / 2;
            let upper = *sorted.get(half)?;
            if sorted.len() % 2 == 1 { upper } else { sorted[half - 1].add(upper).scale(0.5) }
        }
    })
}

fn flag<N: Number>(holds: bool) -> N {
    N::of(f64::from(u8::from(holds)))
}

fn sigmoid<N: Number>(x: N) -> N {
    let one = N::of(1.0);
    if x.real() < 0.0 {
        let e = x.exp();
        e.div(one.add(e))
    } else {
        one.div(one.add(x.neg().exp()))
    }
}

fn tanh<N: Number>(x: N) -> N {
    let e = x.scale(2.0).expm1();
    if x.real() > 20.0 { tanh(x.neg()).neg() } else { e.div(e.add(N::of(2.0))) }
}

fn size<N: Number>(x: N) -> N {
    if x.real() < 0.0 { x.neg() } else { x }
}

fn unary<N: Number>(op: Unary, x: N) -> N {
    let one = N::of(1.0);
    let real = x.real();
    match op {
        Unary::Abs => size(x),
        Unary::Neg => x.neg(),
        Unary::Square => x.mul(x),
        Unary::Exp => x.exp(),
        Unary::ExpNegAbs => size(x).neg().exp(),
        Unary::Expm1 => x.expm1(),
        Unary::Log => x.ln(),
        Unary::Log2 => x.ln().div(N::of(2.0).ln()),
        Unary::Log10 => x.ln().div(N::of(10.0).ln()),
        Unary::Log1p => x.ln_1p(),
        Unary::Sqrt | Unary::NormRoot => x.sqrt(),
        Unary::Sigmoid => sigmoid(x),
        Unary::SigmoidSlope => sigmoid(x).mul(sigmoid(x.neg())),
        Unary::Softplus => {
            if real > 0.0 {
                x.add(x.neg().exp().ln_1p())
            } else {
                x.exp().ln_1p()
            }
        }
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Tan => x.sin().div(x.cos()),
        Unary::Sinh => x.exp().sub(x.neg().exp()).scale(0.5),
        Unary::Cosh => x.exp().add(x.neg().exp()).scale(0.5),
        Unary::Tanh => tanh(x),
        Unary::TanhSlope => one.sub(tanh(x).mul(tanh(x))),
        Unary::Atan => x.atan(),
        // asin(x) = 2*atan(x/(1 + sqrt(1 - x^2)))
        Unary::Asin => x.div(one.add(one.sub(x.mul(x)).sqrt())).atan().scale(2.0),
        // acos(x) = 2*atan(sqrt((1 - x)/(1 + x)))
        Unary::Acos => one.sub(x).div(one.add(x)).sqrt().atan().scale(2.0),
        Unary::Erf => x.erf(),
        Unary::Relu => {
            if real > 0.0 {
                x
            } else {
                N::of(0.0)
            }
        }
        Unary::Sign => N::of(if real > 0.0 {
            1.0
        } else if real < 0.0 {
            -1.0
        } else {
            real
        }),
        Unary::Not => flag(real == 0.0),
        Unary::Ceil => N::of(real.ceil()),
        Unary::Floor => N::of(real.floor()),
        Unary::Round => N::of(real.round_ties_even()),
    }
}

fn power<N: Number>(x: N, y: N) -> N {
    let n = y.real();
    if n.fract() == 0.0 && n.abs() <= 64.0 && y.sub(N::of(n)).real() == 0.0 {
        let product = (0..n.abs() as usize).fold(N::of(1.0), |product, _| product.mul(x));
        return if n < 0.0 { N::of(1.0).div(product) } else { product };
    }
    if x.real() == 0.0 && n > 0.0 { N::of(0.0) } else { x.ln().mul(y).exp() }
}

fn binary<N: Number>(op: Binary, x: N, y: N) -> N {
    let (a, b) = (x.real(), y.real());
    match op {
        Binary::Add => x.add(y),
        Binary::Sub => x.sub(y),
        Binary::Mul => x.mul(y),
        Binary::Div => x.div(y),
        Binary::Pow => power(x, y),
        Binary::Xlogy => {
            if a == 0.0 {
                N::of(0.0).mul(x)
            } else {
                x.mul(y.ln())
            }
        }
        Binary::Maximum => {
            if a < b {
                y
            } else {
                x
            }
        }
        Binary::Minimum => {
            if b < a {
                y
            } else {
                x
            }
        }
        Binary::Mod => x.sub(y.mul(N::of((a / b).floor()))),
        Binary::And => flag(a != 0.0 && b != 0.0),
        Binary::Or => flag(a != 0.0 || b != 0.0),
        Binary::Eq => flag(a == b),
        Binary::Ne => flag(a != b),
        Binary::Le => flag(a <= b),
        Binary::Lt => flag(a < b),
    }
}
