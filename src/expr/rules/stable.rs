//! Rules that make values more accurate: formulas as they are written on paper, evaluated as they should be.
//!
//! They know the functions; what the differentiator makes of them is tidied by `residuals`.

use super::pattern::{binary, either, expanded, is, opposite, reduce, unary};
use super::{Kind, Rule};
use crate::expr::graph::{Graph, Id};
use crate::expr::op::{Binary, Op, Reduce, Unary};
use crate::shape::Shape;

pub(super) const RULES: &[Rule] = &[
    stable("one minus sigmoid", "1 - sigmoid(z) = sigmoid(-z): no cancellation", one_minus_sigmoid),
    stable(
        "sigmoid",
        "1/(1 + exp(-z)) = sigmoid(z), exp(z)/(1 + exp(z)) = sigmoid(z), a/(1 + exp(z)) = a*sigmoid(-z): no overflow",
        sigmoid,
    ),
    stable("tanh", "(exp(z) - exp(-z))/(exp(z) + exp(-z)) = tanh(z): no overflow", tanh),
    stable("slope of tanh", "1 - tanh(z)^2 = tanh'(z): no cancellation", tanh_slope),
    stable("log of sigmoid", "log(sigmoid(z)) = -softplus(-z): neither overflows nor becomes -inf", log_sigmoid),
    stable("log of exp", "log(exp(x)) = x: no overflow", log_exp),
    stable("log of a sum of exp", "log(sum(exp(x), axis)) = logsumexp(x, axis): no overflow", log_sum_exp),
    stable("log of a mean of exp", "log(mean(exp(x), axis)) = logsumexp(x, axis) - log(n): no overflow", log_mean_exp),
    stable("softmax", "exp(x)/sum(exp(x), axis) = softmax(x, axis): no overflow", softmax),
    stable(
        "shifted softmax",
        "softmax(x - c, axis) = softmax(x, axis) for c constant along the axis; and so for log_softmax",
        shifted_softmax,
    ),
    stable("log of softmax", "log(softmax(x, axis)) = log_softmax(x, axis): never -inf", log_softmax),
    stable("less its logsumexp", "x - logsumexp(x, axis) = log_softmax(x, axis)", less_logsumexp),
    stable(
        "log of a choice",
        "log(pick(p, y)) = pick(log(p), y) where log(p) has a stable form; and so for slices and indices",
        log_of_choice,
    ),
    stable("softplus", "log1p(exp(z)) = softplus(z): no overflow", softplus),
    stable("softplus less its argument", "softplus(z) - z = softplus(-z): no cancellation", softplus_less),
    stable("log1p", "log(1 + x) = log1p(x), log(1 - x) = log1p(-x): small x is not lost", log1p),
    stable("expm1", "exp(x) - 1 = expm1(x), 1 - exp(x) = -expm1(x): no cancellation", expm1),
    stable("one minus cos", "1 - cos(x) = 2*sin(x/2)^2: no cancellation", one_minus_cos),
    stable("norm squared", "norm(x)^2 = sum(x^2): no root", norm_squared),
    stable("0 log 0", "a*log(b) = 0 where a = 0, also where log(b) is -inf; for arrays, and for x*log(x)", xlogy),
];

const fn stable(name: &'static str, algebra: &'static str, apply: fn(&mut Graph, Id) -> Option<Id>) -> Rule {
    Rule { name, algebra, kind: Kind::Stable, apply }
}

/// `-x` without a second minus in front.
fn minus(g: &mut Graph, x: Id) -> Id {
    unary(g, x, Unary::Neg).unwrap_or_else(|| g.unary(Unary::Neg, x))
}

/// `x` of `1 + x`.
fn one_plus(g: &Graph, id: Id) -> Option<Id> {
    either(g, id, Binary::Add).find(|&(one, x)| is(g, one, 1.0) && g.shape(x) == g.shape(id)).map(|(_, x)| x)
}

/// `x` of `1 - x`.
fn one_minus(g: &Graph, id: Id) -> Option<Id> {
    binary(g, id, Binary::Sub).filter(|&(one, x)| is(g, one, 1.0) && g.shape(x) == g.shape(id)).map(|(_, x)| x)
}

/// `x` of `x - 1`, or of `x + (-1)`.
fn minus_one(g: &Graph, id: Id) -> Option<Id> {
    let difference = binary(g, id, Binary::Sub).filter(|&(_, one)| is(g, one, 1.0));
    let (x, _) = difference.or_else(|| either(g, id, Binary::Add).find(|&(_, one)| is(g, one, -1.0)))?;
    (g.shape(x) == g.shape(id)).then_some(x)
}

fn one_minus_sigmoid(g: &mut Graph, id: Id) -> Option<Id> {
    let reversed = minus_one(g, id);
    let z = unary(g, one_minus(g, id).or(reversed)?, Unary::Sigmoid)?;
    let z = minus(g, z);
    let complement = g.unary(Unary::Sigmoid, z);
    Some(if reversed.is_some() { g.unary(Unary::Neg, complement) } else { complement })
}

fn sigmoid(g: &mut Graph, id: Id) -> Option<Id> {
    let (a, b) = binary(g, id, Binary::Div)?;
    let u = unary(g, one_plus(g, b)?, Unary::Exp)?;
    if unary(g, a, Unary::Exp) == Some(u) {
        return Some(g.unary(Unary::Sigmoid, u));
    }
    let z = minus(g, u);
    let s = g.unary(Unary::Sigmoid, z);
    if is(g, a, 1.0) { Some(s) } else { Some(g.binary(Binary::Mul, a, s)) }
}

fn tanh(g: &mut Graph, id: Id) -> Option<Id> {
    let (a, b) = binary(g, id, Binary::Div)?;
    let (p, q) = binary(g, a, Binary::Sub)?;
    let same = either(g, b, Binary::Add).any(|sides| sides == (p, q));
    let (z, w) = (unary(g, p, Unary::Exp)?, unary(g, q, Unary::Exp)?);
    (same && opposite(g, z, w)).then(|| g.unary(Unary::Tanh, z))
}

fn tanh_slope(g: &mut Graph, id: Id) -> Option<Id> {
    let z = unary(g, unary(g, one_minus(g, id)?, Unary::Square)?, Unary::Tanh)?;
    Some(g.unary(Unary::TanhSlope, z))
}

fn log_sigmoid(g: &mut Graph, id: Id) -> Option<Id> {
    let z = unary(g, unary(g, id, Unary::Log)?, Unary::Sigmoid)?;
    let z = minus(g, z);
    let softplus = g.unary(Unary::Softplus, z);
    Some(g.unary(Unary::Neg, softplus))
}

fn log_exp(g: &mut Graph, id: Id) -> Option<Id> {
    unary(g, unary(g, id, Unary::Log)?, Unary::Exp)
}

/// `logsumexp(x)` for `sum(exp(x))`, along one axis or several.
fn log_of_sum(g: &mut Graph, sum: Id) -> Option<Id> {
    let mut axes = Vec::new();
    let mut inner = sum;
    while let Some((x, axis)) = reduce(g, inner, Reduce::Sum) {
        axes.push(axis);
        inner = x;
    }
    let x = unary(g, inner, Unary::Exp).filter(|_| !axes.is_empty())?;
    Some(axes.into_iter().rev().fold(x, |x, axis| g.reduce(Reduce::LogSumExp, axis, x)))
}

fn log_sum_exp(g: &mut Graph, id: Id) -> Option<Id> {
    let sum = unary(g, id, Unary::Log)?;
    log_of_sum(g, sum)
}

fn log_mean_exp(g: &mut Graph, id: Id) -> Option<Id> {
    let (sum, count) = binary(g, unary(g, id, Unary::Log)?, Binary::Div)?;
    if !g.shape(count).is_scalar() {
        return None;
    }
    let logsumexp = log_of_sum(g, sum)?;
    let log = g.unary(Unary::Log, count);
    Some(g.binary(Binary::Sub, logsumexp, log))
}

/// The reduction along an axis that a value constant along that axis comes from: `r[:, None]`, or `r` of a vector.
fn reduced_beside(g: &Graph, id: Id, op: Reduce, of: Id) -> Option<usize> {
    let (reduced, made) = match expanded(g, id) {
        Some((reduced, axis)) => (reduced, Some(axis)),
        None => (id, None),
    };
    let (x, axis) = reduce(g, reduced, op)?;
    let fits = made.map_or(g.shape(x).rank() == 1, |made| made == axis);
    (x == of && fits).then_some(axis)
}

fn softmax(g: &mut Graph, id: Id) -> Option<Id> {
    let (exp, sum) = binary(g, id, Binary::Div)?;
    let x = unary(g, exp, Unary::Exp)?;
    let axis = reduced_beside(g, sum, Reduce::Sum, exp)?;
    Some(g.add(Op::Softmax(axis), &[x]))
}

fn shifted_softmax(g: &mut Graph, id: Id) -> Option<Id> {
    let op = g.node(id).op.clone();
    let (Op::Softmax(axis) | Op::LogSoftmax(axis)) = op else { return None };
    let (x, c) = binary(g, g.node(id).args[0], Binary::Sub)?;
    let constant = g.shape(c).is_scalar() || expanded(g, c).is_some_and(|(_, made)| made == axis);
    (constant && g.shape(x) == g.shape(id)).then(|| g.add(op, &[x]))
}

fn log_softmax(g: &mut Graph, id: Id) -> Option<Id> {
    let softmax = unary(g, id, Unary::Log)?;
    let Op::Softmax(axis) = g.node(softmax).op else { return None };
    let x = g.node(softmax).args[0];
    Some(g.add(Op::LogSoftmax(axis), &[x]))
}

fn less_logsumexp(g: &mut Graph, id: Id) -> Option<Id> {
    let (x, sum) = binary(g, id, Binary::Sub)?;
    let axis = reduced_beside(g, sum, Reduce::LogSumExp, x)?;
    Some(g.add(Op::LogSoftmax(axis), &[x]))
}

fn log_of_choice(g: &mut Graph, id: Id) -> Option<Id> {
    let mut path = Vec::new();
    let mut inner = unary(g, id, Unary::Log)?;
    while matches!(
        g.node(inner).op,
        Op::Pick | Op::Slice { .. } | Op::Squeeze(_) | Op::Expand(_) | Op::Transpose | Op::Gather(_) | Op::Reshape(_)
    ) && path.len() < 8
    {
        path.push(inner);
        inner = g.node(inner).args[0];
    }
    let stable = matches!(g.node(inner).op, Op::Softmax(_) | Op::Unary(Unary::Sigmoid | Unary::Exp));
    if path.is_empty() || !stable {
        return None;
    }
    let mut value = g.unary(Unary::Log, inner);
    for step in path.into_iter().rev() {
        let (op, mut args) = (g.node(step).op.clone(), g.node(step).args.to_vec());
        args[0] = value;
        value = g.add(op, &args);
    }
    Some(value)
}

fn softplus(g: &mut Graph, id: Id) -> Option<Id> {
    let z = unary(g, unary(g, id, Unary::Log1p)?, Unary::Exp)?;
    Some(g.unary(Unary::Softplus, z))
}

fn softplus_less(g: &mut Graph, id: Id) -> Option<Id> {
    let (softplus, z) = binary(g, id, Binary::Sub)?;
    if unary(g, softplus, Unary::Softplus) != Some(z) {
        return None;
    }
    let z = minus(g, z);
    Some(g.unary(Unary::Softplus, z))
}

fn log1p(g: &mut Graph, id: Id) -> Option<Id> {
    let sum = unary(g, id, Unary::Log)?;
    if let Some(x) = one_plus(g, sum) {
        return Some(g.unary(Unary::Log1p, x));
    }
    let x = one_minus(g, sum)?;
    let x = minus(g, x);
    Some(g.unary(Unary::Log1p, x))
}

fn expm1(g: &mut Graph, id: Id) -> Option<Id> {
    if let Some(x) = minus_one(g, id).and_then(|exp| unary(g, exp, Unary::Exp)) {
        return Some(g.unary(Unary::Expm1, x));
    }
    let x = unary(g, one_minus(g, id)?, Unary::Exp)?;
    let expm1 = g.unary(Unary::Expm1, x);
    Some(g.unary(Unary::Neg, expm1))
}

fn one_minus_cos(g: &mut Graph, id: Id) -> Option<Id> {
    let x = unary(g, one_minus(g, id)?, Unary::Cos)?;
    let two = g.number(2.0);
    let half = g.binary(Binary::Div, x, two);
    let sin = g.unary(Unary::Sin, half);
    let square = g.unary(Unary::Square, sin);
    Some(g.binary(Binary::Mul, two, square))
}

fn norm_squared(g: &mut Graph, id: Id) -> Option<Id> {
    unary(g, unary(g, id, Unary::Square)?, Unary::NormRoot)
}

fn xlogy(g: &mut Graph, id: Id) -> Option<Id> {
    let shape: Shape = g.shape(id).clone();
    let fits = |g: &Graph, part: Id| *g.shape(part) == shape;
    let (a, log) = either(g, id, Binary::Mul).find(|&(a, log)| unary(g, log, Unary::Log).is_some() && fits(g, a) && fits(g, log))?;
    let b = unary(g, log, Unary::Log)?;
    // A scalar beside another is a coefficient, no weight that vanishes here and there.
    let weight = a == b || !shape.is_scalar();
    weight.then(|| g.binary(Binary::Xlogy, a, b))
}
