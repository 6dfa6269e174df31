//! Rules that give expressions the form in which they are computed fastest, with the same accuracy.
//!
//! They apply when a unit is planned, after derivatives: what they make is not meant to be differentiated or read.

use super::pattern::{binary, either, is, opposite, reduce, unary};
use super::{Kind, Rule};
use crate::expr::graph::{Graph, Id};
use crate::expr::op::{Binary, Op, Reduce, Unary};
use crate::shape::Dim;

pub(super) const RULES: &[Rule] = &[Rule {
    name: "sum of softplus",
    algebra: "sum(y*softplus(-z) + (1 - y)*softplus(z)) = z @ where(0 < z, 1 - y, -y) + sum(log1p(exp(-abs(z)))), and so for softplus(z) - y*z: \
              one logarithm for many terms",
    kind: Kind::Fused,
    apply: sum_of_softplus,
}];

/// A term of a sum over rows that is logistic: its `z`, and `y` where there is one.
struct Logistic {
    z: Id,
    y: Option<Id>,
}

/// The terms of nested sums and differences with their signs: whether they are subtracted.
fn terms(g: &Graph, id: Id) -> Vec<(Id, bool)> {
    let mut found = Vec::new();
    let mut open = vec![(id, false)];
    while let Some((id, minus)) = open.pop() {
        if let Some((a, b)) = binary(g, id, Binary::Add) {
            open.extend([(b, minus), (a, minus)]);
        } else if let Some((a, b)) = binary(g, id, Binary::Sub) {
            open.extend([(b, !minus), (a, minus)]);
        } else if let Some(a) = unary(g, id, Unary::Neg) {
            open.push((a, !minus));
        } else {
            found.push((id, minus));
        }
    }
    found
}

/// `(a, z)` of `a*softplus(z)`.
fn weighted(g: &Graph, id: Id) -> Vec<(Id, Id)> {
    either(g, id, Binary::Mul).filter_map(|(a, s)| Some((a, unary(g, s, Unary::Softplus)?))).collect()
}

/// Whether `b` is `1 - a`.
fn complement(g: &Graph, a: Id, b: Id) -> bool {
    binary(g, b, Binary::Sub).is_some_and(|(one, x)| x == a && is(g, one, 1.0))
}

/// The first terms that are logistic together, by position, and what they are.
fn logistic(g: &Graph, terms: &[(Id, bool)]) -> Option<(Vec<usize>, Logistic)> {
    let plus = || terms.iter().enumerate().filter(|(_, (_, minus))| !minus).map(|(at, (id, _))| (at, *id));
    for (i, first) in plus() {
        for (j, second) in plus().filter(|(j, _)| *j != i) {
            for (y, minus_z) in weighted(g, first) {
                let found = weighted(g, second).into_iter().find(|&(other, z)| complement(g, y, other) && opposite(g, z, minus_z));
                if let Some((_, z)) = found {
                    return Some((vec![i, j], Logistic { z, y: Some(y) }));
                }
            }
        }
        if let Some(z) = unary(g, first, Unary::Softplus) {
            let factor = |id: Id| either(g, id, Binary::Mul).find(|&(_, other)| other == z).map(|(y, _)| y);
            let less = terms.iter().enumerate().find_map(|(j, &(id, minus))| factor(id).filter(|_| minus).map(|y| (j, y)));
            return Some(less.map_or((vec![i], Logistic { z, y: None }), |(j, y)| (vec![i, j], Logistic { z, y: Some(y) })));
        }
    }
    None
}

fn sum_of_softplus(g: &mut Graph, id: Id) -> Option<Id> {
    let (x, axis) = reduce(g, id, Reduce::Sum)?;
    let shape = g.shape(x).clone();
    if axis != 0 || !matches!(shape.0[..], [Dim::Rows(_)]) {
        return None;
    }
    let mut terms = terms(g, x);
    let (mut at, Logistic { z, y }) = logistic(g, &terms)?;
    if g.shape(z) != &shape {
        return None;
    }
    let zero = g.number(0.0);
    let right = g.binary(Binary::Lt, zero, z);
    let y = y.unwrap_or(zero);
    let one = g.number(1.0);
    let (rest, minus) = (g.binary(Binary::Sub, one, y), if is(g, y, 0.0) { zero } else { g.unary(Unary::Neg, y) });
    let slope = g.add(Op::Select, &[right, rest, minus]);
    let hinge = g.add(Op::MatMul, &[z, slope]);
    let e = g.unary(Unary::ExpNegAbs, z);
    let logs = g.reduce(Reduce::SumLog1p, 0, e);
    let mut sum = g.binary(Binary::Add, hinge, logs);
    at.sort_unstable();
    for at in at.into_iter().rev() {
        terms.remove(at);
    }
    for minus in [false, true] {
        let same = terms.iter().filter(|(_, sign)| *sign == minus).map(|(id, _)| *id).collect::<Vec<_>>();
        if let Some(other) = same.into_iter().reduce(|a, b| g.binary(Binary::Add, a, b)) {
            let other = g.broadcast_to(other, &shape);
            let other = g.reduce(Reduce::Sum, 0, other);
            sum = g.binary(if minus { Binary::Sub } else { Binary::Add }, sum, other);
        }
    }
    Some(sum)
}
