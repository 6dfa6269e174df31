//! The derivative rule of every operation, in numerically stable forms, with the conventions at kinks.
//!
//! It does not decide where rules apply, and shapes that stretched are summed elsewhere.

use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LN_10};

use super::super::graph::{Id, Node};
use super::super::op::{Binary, Op, Reduce, Unary};
use super::NotDifferentiable;
use super::build::Build;
use crate::shape::{Dim, Shape};

/// The share of one argument of an elementwise operation: `g` times the local slope, in the shape of the result or smaller.
pub(super) fn elementwise(b: &mut Build<'_>, at: Id, node: &Node, position: usize, g: Id) -> Id {
    match node.op {
        Op::Unary(op) => unary(b, op, node.args[0], at, g),
        Op::Binary(op) if position == 0 => left(b, op, node.args[0], node.args[1], g),
        Op::Binary(op) => right(b, op, node.args[0], node.args[1], at, g),
        // A branch receives everything where it is selected; the mask does the rest.
        Op::Select => g,
        _ => unreachable!("internal: not elementwise: {:?}", node.op),
    }
}

fn unary(b: &mut Build<'_>, op: Unary, x: Id, y: Id, g: Id) -> Id {
    match op {
        Unary::Abs => {
            let sign = b.unary(Unary::Sign, x);
            b.mul(g, sign)
        }
        Unary::Acos => {
            let root = one_minus_square_root(b, x);
            let share = b.div(g, root);
            b.neg(share)
        }
        Unary::Asin => {
            let root = one_minus_square_root(b, x);
            b.div(g, root)
        }
        Unary::Atan => {
            let square = b.square(x);
            let below = b.plus(square, 1.0);
            b.div(g, below)
        }
        Unary::Cos => {
            let sin = b.unary(Unary::Sin, x);
            let share = b.mul(g, sin);
            b.neg(share)
        }
        Unary::Cosh => slope(b, Unary::Sinh, x, g),
        Unary::Erf => {
            let square = b.square(x);
            let exponent = b.neg(square);
            let bell = b.unary(Unary::Exp, exponent);
            let slope = b.times(bell, FRAC_2_SQRT_PI);
            b.mul(g, slope)
        }
        Unary::Exp => b.mul(g, y),
        Unary::Expm1 => slope(b, Unary::Exp, x, g),
        Unary::ExpNegAbs => {
            let sign = b.unary(Unary::Sign, x);
            let share = b.mul(sign, y);
            let share = b.mul(g, share);
            b.neg(share)
        }
        Unary::Log => b.div(g, x),
        Unary::Log10 => {
            let scaled = b.times(x, LN_10);
            b.div(g, scaled)
        }
        Unary::Log1p => {
            let below = b.plus(x, 1.0);
            b.div(g, below)
        }
        Unary::Log2 => {
            let scaled = b.times(x, LN_2);
            b.div(g, scaled)
        }
        Unary::Neg => b.neg(g),
        // Whatever power of the norm was taken outside: at 0 its slope is 0.
        Unary::NormRoot => {
            let (at_zero, zero) = (b.is(y, 0.0), b.number(0.0));
            let half = b.times(g, 0.5);
            let share = b.div(half, y);
            b.select(at_zero, zero, share)
        }
        Unary::Relu => where_positive(b, x, g),
        Unary::Sigmoid => slope(b, Unary::SigmoidSlope, x, g),
        // s'' = s'*(1 - 2s), and 1 - 2s = -tanh(x/2) without cancellation.
        Unary::SigmoidSlope => {
            let half = b.times(x, 0.5);
            let tanh = b.unary(Unary::Tanh, half);
            let slope = b.mul(y, tanh);
            let share = b.mul(g, slope);
            b.neg(share)
        }
        Unary::Sin => slope(b, Unary::Cos, x, g),
        Unary::Sinh => slope(b, Unary::Cosh, x, g),
        Unary::Softplus => slope(b, Unary::Sigmoid, x, g),
        Unary::Sqrt => {
            let half = b.times(g, 0.5);
            b.div(half, y)
        }
        Unary::Square => {
            let twice = b.times(x, 2.0);
            b.mul(g, twice)
        }
        Unary::Tan => {
            let square = b.square(y);
            let slope = b.plus(square, 1.0);
            b.mul(g, slope)
        }
        Unary::Tanh => slope(b, Unary::TanhSlope, x, g),
        Unary::TanhSlope => {
            let tanh = b.unary(Unary::Tanh, x);
            let product = b.mul(tanh, y);
            let slope = b.times(product, -2.0);
            b.mul(g, slope)
        }
        Unary::Ceil | Unary::Floor | Unary::Not | Unary::Round | Unary::Sign => unreachable!("internal: {op:?} is constant between jumps"),
    }
}

/// `g` times a function of the argument that has a name of its own.
fn slope(b: &mut Build<'_>, op: Unary, x: Id, g: Id) -> Id {
    let slope = b.unary(op, x);
    b.mul(g, slope)
}

/// `sqrt((1 - x)*(1 + x))`, exact near the ends.
fn one_minus_square_root(b: &mut Build<'_>, x: Id) -> Id {
    let one = b.number(1.0);
    let (low, high) = (b.binary(Binary::Sub, one, x), b.plus(x, 1.0));
    let product = b.mul(low, high);
    b.unary(Unary::Sqrt, product)
}

fn where_positive(b: &mut Build<'_>, x: Id, g: Id) -> Id {
    let zero = b.number(0.0);
    let positive = b.binary(Binary::Lt, zero, x);
    b.select(positive, g, zero)
}

/// The share of `x` in `op(x, y)`.
fn left(b: &mut Build<'_>, op: Binary, x: Id, y: Id, g: Id) -> Id {
    match op {
        Binary::Add | Binary::Sub | Binary::Mod => g,
        Binary::Div => b.div(g, y),
        Binary::Maximum | Binary::Minimum => extreme(b, op, x, y, g),
        Binary::Mul => b.mul(g, y),
        Binary::Pow => power(b, x, y, g),
        Binary::Xlogy => slope(b, Unary::Log, y, g),
        Binary::And | Binary::Eq | Binary::Le | Binary::Lt | Binary::Ne | Binary::Or => {
            unreachable!("internal: {op:?} is constant between jumps")
        }
    }
}

/// The share of `y` in `at = op(x, y)`.
fn right(b: &mut Build<'_>, op: Binary, x: Id, y: Id, at: Id, g: Id) -> Id {
    match op {
        Binary::Add => g,
        Binary::Sub => b.neg(g),
        Binary::Div => {
            let slope = b.div(at, y);
            let share = b.mul(g, slope);
            b.neg(share)
        }
        Binary::Maximum | Binary::Minimum => extreme(b, op, y, x, g),
        // x - mod(x, y) is a whole multiple of y.
        Binary::Mod => {
            let rest = b.binary(Binary::Sub, x, at);
            let quotient = b.div(rest, y);
            let whole = b.unary(Unary::Round, quotient);
            let share = b.mul(g, whole);
            b.neg(share)
        }
        Binary::Mul => b.mul(g, x),
        // x^y*log(x), 0 where x^y is 0.
        Binary::Pow => {
            let slope = b.binary(Binary::Xlogy, at, x);
            b.mul(g, slope)
        }
        // x/y, 0 where both are 0: there the value is 0 for every y. Elsewhere nothing is selected, so that this can be differentiated again.
        Binary::Xlogy => {
            let (x_zero, y_zero, zero) = (b.is(x, 0.0), b.is(y, 0.0), b.number(0.0));
            let both = b.binary(Binary::And, x_zero, y_zero);
            let quotient = b.div(x, y);
            let slope = b.select(both, zero, quotient);
            b.mul(g, slope)
        }
        Binary::And | Binary::Eq | Binary::Le | Binary::Lt | Binary::Ne | Binary::Or => {
            unreachable!("internal: {op:?} is constant between jumps")
        }
    }
}

/// The share of `x` in `maximum(x, other)` or `minimum`: ties share equally. `maximum(0, x)` is `relu`.
fn extreme(b: &mut Build<'_>, op: Binary, x: Id, other: Id, g: Id) -> Id {
    if op == Binary::Maximum && b.constant(other) == Some(0.0) {
        return where_positive(b, x, g);
    }
    let wins = if op == Binary::Maximum { b.binary(Binary::Lt, other, x) } else { b.binary(Binary::Lt, x, other) };
    let (tie, zero, half) = (b.binary(Binary::Eq, x, other), b.number(0.0), b.times(g, 0.5));
    let shared = b.select(tie, half, zero);
    b.select(wins, g, shared)
}

/// The share of `x` in `x^y`: `y*x^(y - 1)`, and 0 for the exponent 0, also at 0.
fn power(b: &mut Build<'_>, x: Id, y: Id, g: Id) -> Id {
    let raised = |b: &mut Build<'_>, exponent: f64| {
        if exponent == 1.0 {
            x
        } else if exponent == 2.0 {
            b.square(x)
        } else {
            let exponent = b.number(exponent);
            b.binary(Binary::Pow, x, exponent)
        }
    };
    match b.constant(y) {
        Some(0.0) => b.number(0.0),
        Some(1.0) => g,
        Some(exponent) => {
            let power = raised(b, exponent - 1.0);
            let slope = b.times(power, exponent);
            b.mul(g, slope)
        }
        None => {
            let (none, zero, less) = (b.is(y, 0.0), b.number(0.0), b.plus(y, -1.0));
            let power = b.binary(Binary::Pow, x, less);
            let product = b.mul(y, power);
            let slope = b.select(none, zero, product);
            b.mul(g, slope)
        }
    }
}

/// The share of one argument of any other operation, in the argument's shape.
pub(super) fn structural(b: &mut Build<'_>, at: Id, node: &Node, position: usize, g: Id) -> Result<Id, NotDifferentiable> {
    let arg = node.args[position];
    let shape = b.graph.shape(arg).clone();
    let without = |op: &'static str| Err(NotDifferentiable { node: at, op });
    let with = |b: &mut Build<'_>, op: Op| b.graph.add(op, &[g]);
    Ok(match &node.op {
        Op::Reduce(op, axis) => return reduction(b, *op, *axis, arg, at, g),
        Op::Softmax(axis) => {
            let product = b.mul(g, at);
            let sum = b.sum(*axis, product);
            let mean = b.lift(sum, *axis);
            let deviation = b.binary(Binary::Sub, g, mean);
            b.mul(deviation, at)
        }
        Op::LogSoftmax(axis) => {
            let sum = b.sum(*axis, g);
            let sum = b.lift(sum, *axis);
            let softmax = b.graph.add(Op::Softmax(*axis), &[arg]);
            let product = b.mul(softmax, sum);
            b.binary(Binary::Sub, g, product)
        }
        Op::Cumsum { axis, reverse } => with(b, Op::Cumsum { axis: *axis, reverse: !reverse }),
        Op::Sort(0) if shape.rank() == 1 => {
            let order = b.graph.add(Op::ArgSort(0), &[arg]);
            b.graph.add(Op::ScatterAdd { axis: 0, size: shape.0[0] }, &[g, order])
        }
        Op::Sort(_) => return without("sort"),
        Op::MatMul => product(b, node, position, g),
        Op::Transpose => b.transpose(g),
        Op::Expand(axis) => with(b, Op::Squeeze(*axis)),
        Op::Squeeze(axis) => with(b, Op::Expand(*axis)),
        Op::Broadcast(_) => b.graph.sum_to(g, &shape),
        Op::Reshape(_) => with(b, Op::Reshape(shape)),
        Op::Slice { axis, start, step, .. } => with(b, Op::Unslice { axis: *axis, start: *start, step: *step, size: shape.0[*axis] }),
        Op::Unslice { axis, start, step, .. } => match shape.0[*axis] {
            Dim::Size(len) => with(b, Op::Slice { axis: *axis, start: *start, step: *step, len }),
            Dim::Rows(_) => return without("slice"),
        },
        Op::Concat(axis) => {
            let start: Option<usize> = node.args[..position].iter().map(|&arg| size(b.graph.shape(arg).0[*axis])).sum();
            match (start, shape.0[*axis]) {
                (Some(start), Dim::Size(len)) => with(b, Op::Slice { axis: *axis, start, step: 1, len }),
                // Rows are never put after anything.
                _ => g,
            }
        }
        Op::Gather(axis) => b.graph.add(Op::ScatterAdd { axis: *axis, size: shape.0[*axis] }, &[g, node.args[1]]),
        Op::ScatterAdd { axis, .. } => b.graph.add(Op::Gather(*axis), &[g, node.args[1]]),
        Op::Pick => match shape.0[1] {
            Dim::Size(k) => b.graph.add(Op::Unpick(k), &[g, node.args[1]]),
            Dim::Rows(_) => return without("pick"),
        },
        Op::Unpick(_) => b.graph.add(Op::Pick, &[g, node.args[1]]),
        Op::Solve => {
            let transposed = b.transpose(node.args[0]);
            let back = b.graph.add(Op::Solve, &[transposed, g]);
            if position == 1 {
                return Ok(back);
            }
            let share = if node.shape.rank() == 1 {
                b.outer(back, at)
            } else {
                let solution = b.transpose(at);
                b.matmul(back, solution)
            };
            b.neg(share)
        }
        Op::SpectralNorm => return without("norm(ord = 2)"),
        Op::PsdPart => return without("the projection onto psd"),
        Op::Const(_)
        | Op::Literal(_)
        | Op::Input(_)
        | Op::RowCount(_)
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::Select
        | Op::ArgSort(_)
        | Op::OneHot(_) => unreachable!("internal: no structural rule for {:?}", node.op),
    })
}

fn size(dim: Dim) -> Option<usize> {
    if let Dim::Size(n) = dim { Some(n) } else { None }
}

fn product(b: &mut Build<'_>, node: &Node, position: usize, g: Id) -> Id {
    let (x, y) = (node.args[0], node.args[1]);
    match (b.graph.shape(x).rank(), b.graph.shape(y).rank(), position) {
        (1, _, position) => b.mul(g, if position == 0 { y } else { x }),
        (_, 1, 0) => b.outer(g, y),
        (_, _, 0) => {
            let y = b.transpose(y);
            b.matmul(g, y)
        }
        _ => {
            let x = b.transpose(x);
            b.matmul(x, g)
        }
    }
}

fn reduction(b: &mut Build<'_>, op: Reduce, axis: usize, x: Id, at: Id, g: Id) -> Result<Id, NotDifferentiable> {
    let shape = b.graph.shape(x).clone();
    let spread = b.lift(g, axis);
    let share = match op {
        Reduce::Sum => return Ok(b.graph.broadcast_to(spread, &shape)),
        Reduce::SumLog1p => {
            let below = b.plus(x, 1.0);
            b.div(spread, below)
        }
        Reduce::LogSumExp => {
            let softmax = b.graph.add(Op::Softmax(axis), &[x]);
            b.mul(spread, softmax)
        }
        Reduce::Max | Reduce::Min => {
            let extreme = b.lift(at, axis);
            let tie = b.binary(Binary::Eq, x, extreme);
            let ties = b.sum(axis, tie);
            let ties = b.lift(ties, axis);
            let (each, zero) = (b.div(spread, ties), b.number(0.0));
            b.select(tie, each, zero)
        }
        Reduce::Prod => {
            let others = match shape.0[axis] {
                Dim::Size(n) => product_of_others(b, x, axis, n, &shape),
                Dim::Rows(_) => product_of_other_rows(b, x, at, axis),
            };
            b.mul(spread, others)
        }
        Reduce::Median => return Err(NotDifferentiable { node: at, op: op.name() }),
        Reduce::ArgMax | Reduce::ArgMin => unreachable!("internal: {op:?} is constant between jumps"),
    };
    if !b.is_masked() {
        return Ok(share);
    }
    let zero = b.number(0.0);
    let whole = b.graph.broadcast_to(spread, &shape);
    let felt = b.binary(Binary::Ne, whole, zero);
    Ok(b.select(felt, share, zero))
}

/// The product of all other elements, by running products from both ends: no division, so it is right with any number of zeros, and to any order.
/// A running product takes a step for each doubling of the reach.
fn product_of_others(b: &mut Build<'_>, x: Id, axis: usize, n: usize, shape: &Shape) -> Id {
    let one = b.number(1.0);
    // The elements moved by `by` places, up or down, with ones where nothing comes from.
    let moved = |b: &mut Build<'_>, x: Id, by: usize, up: bool| {
        let mut sizes = shape.clone();
        sizes.0[axis] = Dim::Size(by);
        let ones = b.graph.broadcast_to(one, &sizes);
        let rest = b.graph.add(Op::Slice { axis, start: if up { 0 } else { by }, step: 1, len: n - by }, &[x]);
        b.graph.add(Op::Concat(axis), &if up { [ones, rest] } else { [rest, ones] })
    };
    if n < 2 {
        return b.graph.broadcast_to(one, shape);
    }
    let [below, above] = [true, false].map(|up| {
        let mut running = moved(b, x, 1, up);
        let mut reach = 1;
        while reach < n - 1 {
            let further = moved(b, running, reach, up);
            running = b.mul(running, further);
            reach *= 2;
        }
        running
    });
    b.mul(below, above)
}

/// The product of all other rows, whose number is not fixed: by division, and where an element is 0 from the product of what is not 0.
/// Right with any number of zeros; its own derivative is right with at most one.
fn product_of_other_rows(b: &mut Build<'_>, x: Id, at: Id, axis: usize) -> Id {
    let (is_zero, one, zero) = (b.is(x, 0.0), b.number(1.0), b.number(0.0));
    let filled = b.select(is_zero, one, x);
    let rest = b.graph.reduce(Reduce::Prod, axis, filled);
    let zeros = b.sum(axis, is_zero);
    let single = b.is(zeros, 1.0);
    let alone = b.select(single, rest, zero);
    let (alone, whole) = (b.lift(alone, axis), b.lift(at, axis));
    let quotient = b.div(whole, x);
    b.select(is_zero, alone, quotient)
}
