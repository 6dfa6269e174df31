//! Rules about the arrangement of elements: transposes, axes of one element, repetition.
//!
//! They move no factors: that is `scale`.

use super::identities::shaped;
use super::pattern::{is, reduce, unary};
use super::{Kind, Rule};
use crate::expr::graph::{Graph, Id};
use crate::expr::op::{Binary, Op, Reduce, Unary};
use crate::shape::{Dim, Shape};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "double transpose",
        algebra: "A.T.T = A, v.T = v (a product with a transpose adds in another order)",
        kind: Kind::Canonical,
        apply: double_transpose,
    },
    Rule {
        name: "transposed product",
        algebra: "(A.T @ B).T = B.T @ A, (A @ B.T).T = B @ A.T",
        kind: Kind::Canonical,
        apply: transposed_product,
    },
    Rule {
        name: "expand and squeeze",
        algebra: "an axis of one element made and taken away is no change",
        kind: Kind::Exact,
        apply: expand_squeeze,
    },
    Rule { name: "whole slice", algebra: "A[:] = A", kind: Kind::Exact, apply: whole_slice },
    Rule {
        name: "reduce one",
        algebra: "sum(x, axis) = x[.., 0] for an axis of one element, and so for max, min, prod",
        kind: Kind::Exact,
        apply: reduce_one,
    },
    Rule { name: "repeat twice", algebra: "repeating what is repeated is repeating", kind: Kind::Exact, apply: repeat_twice },
    Rule {
        name: "repetition outward",
        algebra: "f(repeat x) = repeat f(x); repeat x + y = x + y where y has the shape",
        kind: Kind::Exact,
        apply: repetition_outward,
    },
    Rule {
        name: "rearranged repetition",
        algebra: "an array of one number stays one when it is rearranged",
        kind: Kind::Exact,
        apply: rearranged_repetition,
    },
    Rule {
        name: "transposed repetition",
        algebra: "an array of one number is its transpose (a product with a transpose adds in another order)",
        kind: Kind::Canonical,
        apply: transposed_repetition,
    },
    Rule { name: "sum of a repetition", algebra: "sum(repeat x) = n*x, rounded once", kind: Kind::Canonical, apply: sum_of_repetition },
    Rule {
        name: "product with ones",
        algebra: "A @ (c*ones) = c*sum(A, last axis), A.T @ (c*ones) = c*sum(A, axis = 0)",
        kind: Kind::Canonical,
        apply: product_with_ones,
    },
    Rule {
        name: "sum of a transpose",
        algebra: "sum(A.T, axis = 0) = sum(A, axis = 1) and so on",
        kind: Kind::Canonical,
        apply: sum_of_transpose,
    },
    Rule { name: "rows of the identity", algebra: "sum(onehot(y, k), axis = 1) = 1", kind: Kind::Exact, apply: sum_of_onehot },
    Rule {
        name: "scattered constant",
        algebra: "c put in place y of each row is c*onehot(y, k)",
        kind: Kind::Canonical,
        apply: scattered_constant,
    },
    Rule {
        name: "pick",
        algebra: "sum(onehot(y, k)*A, axis = 1) = pick(A, y): what is not picked is not used",
        kind: Kind::Stable,
        apply: pick,
    },
];

fn double_transpose(g: &mut Graph, id: Id) -> Option<Id> {
    let x = transposed(g, id)?;
    if g.shape(x).rank() <= 1 { Some(x) } else { transposed(g, x) }
}

fn transposed(g: &Graph, id: Id) -> Option<Id> {
    (g.node(id).op == Op::Transpose).then(|| g.node(id).args[0])
}

fn transposed_product(g: &mut Graph, id: Id) -> Option<Id> {
    let product = transposed(g, id)?;
    if g.node(product).op != Op::MatMul || g.shape(product).rank() != 2 {
        return None;
    }
    let [a, b] = g.node(product).args[..] else { return None };
    // Only where a transpose goes away.
    transposed(g, a).or_else(|| transposed(g, b))?;
    let mut turn = |x: Id| transposed(g, x).unwrap_or_else(|| g.add(Op::Transpose, &[x]));
    let (left, right) = (turn(b), turn(a));
    Some(g.add(Op::MatMul, &[left, right]))
}

fn expand_squeeze(g: &mut Graph, id: Id) -> Option<Id> {
    let inner = *g.node(id).args.first()?;
    match (&g.node(id).op, &g.node(inner).op) {
        (Op::Expand(a), Op::Squeeze(b)) | (Op::Squeeze(a), Op::Expand(b)) if a == b => Some(g.node(inner).args[0]),
        _ => None,
    }
}

fn whole_slice(g: &mut Graph, id: Id) -> Option<Id> {
    let Op::Slice { step: 1, .. } = g.node(id).op else { return None };
    let x = g.node(id).args[0];
    (g.shape(x) == g.shape(id)).then_some(x)
}

fn reduce_one(g: &mut Graph, id: Id) -> Option<Id> {
    let Op::Reduce(Reduce::Sum | Reduce::Max | Reduce::Min | Reduce::Prod, axis) = g.node(id).op else { return None };
    let x = g.node(id).args[0];
    (g.shape(x).0[axis] == Dim::Size(1)).then(|| g.add(Op::Squeeze(axis), &[x]))
}

/// What is repeated.
fn repeated(g: &Graph, id: Id) -> Option<Id> {
    matches!(g.node(id).op, Op::Broadcast(_)).then(|| g.node(id).args[0])
}

/// The number an array is made of.
fn repeated_scalar(g: &Graph, id: Id) -> Option<Id> {
    repeated(g, id).filter(|&x| g.shape(x).is_scalar())
}

fn repeat_twice(g: &mut Graph, id: Id) -> Option<Id> {
    let x = repeated(g, id)?;
    if g.shape(x) == g.shape(id) {
        return Some(x);
    }
    let inner = repeated(g, x)?;
    shaped(g, inner, id)
}

fn repetition_outward(g: &mut Graph, id: Id) -> Option<Id> {
    let op = g.node(id).op.clone();
    if !matches!(op, Op::Unary(_) | Op::Binary(_) | Op::Select) {
        return None;
    }
    let args = g.node(id).args.to_vec();
    let bare: Vec<Id> = args.iter().map(|&arg| repeated(g, arg).unwrap_or(arg)).collect();
    if bare == args {
        return None;
    }
    if let Ok(inner) = g.try_add(op.clone(), &bare)
        && let Some(outer) = shaped(g, inner, id)
    {
        return Some(outer);
    }
    // Not all at once: then one, where the others have the shape.
    (0..args.len()).filter(|&at| bare[at] != args[at]).find_map(|at| {
        let mut some = args.clone();
        some[at] = bare[at];
        g.try_add(op.clone(), &some).ok().filter(|&new| g.shape(new) == g.shape(id))
    })
}

fn rearranged_repetition(g: &mut Graph, id: Id) -> Option<Id> {
    let keeps = matches!(g.node(id).op, Op::Expand(_) | Op::Squeeze(_) | Op::Slice { .. } | Op::Reshape(_) | Op::Gather(_) | Op::Pick);
    let x = keeps.then(|| repeated_scalar(g, g.node(id).args[0]))??;
    shaped(g, x, id)
}

fn transposed_repetition(g: &mut Graph, id: Id) -> Option<Id> {
    let x = repeated_scalar(g, transposed(g, id)?)?;
    shaped(g, x, id)
}

fn sum_of_repetition(g: &mut Graph, id: Id) -> Option<Id> {
    let (array, axis) = reduce(g, id, Reduce::Sum)?;
    let x = repeated(g, array)?;
    let (from, to) = (g.shape(x).clone(), g.shape(array).clone());
    // Which axis of `x` the reduced one is, if any.
    let own = (axis + from.rank()).checked_sub(to.rank());
    let count = g.extent(to.0[axis]);
    let part = match own {
        _ if from.is_scalar() => g.binary(Binary::Mul, count, x),
        None => g.binary(Binary::Mul, count, x),
        Some(own) if from.0[own] == Dim::Size(1) && to.0[axis] != Dim::Size(1) => {
            let squeezed = g.add(Op::Squeeze(own), &[x]);
            g.binary(Binary::Mul, count, squeezed)
        }
        Some(own) => g.reduce(Reduce::Sum, own, x),
    };
    shaped(g, part, id)
}

fn product_with_ones(g: &mut Graph, id: Id) -> Option<Id> {
    if g.node(id).op != Op::MatMul {
        return None;
    }
    let [a, b] = g.node(id).args[..] else { return None };
    let (matrix, number) = match (repeated_scalar(g, b), repeated_scalar(g, a)) {
        (Some(number), _) if g.shape(b).rank() == 1 => (a, number),
        (_, Some(number)) if g.shape(a).rank() == 1 && g.shape(b).rank() == 1 => (b, number),
        _ => return None,
    };
    let sum = match transposed(g, matrix) {
        Some(inner) if g.shape(inner).rank() == 2 => g.reduce(Reduce::Sum, 0, inner),
        _ => g.reduce(Reduce::Sum, g.shape(matrix).rank() - 1, matrix),
    };
    Some(g.binary(Binary::Mul, number, sum))
}

fn sum_of_transpose(g: &mut Graph, id: Id) -> Option<Id> {
    let (array, axis) = reduce(g, id, Reduce::Sum)?;
    let x = transposed(g, array).filter(|&x| g.shape(x).rank() == 2)?;
    Some(g.reduce(Reduce::Sum, 1 - axis, x))
}

fn sum_of_onehot(g: &mut Graph, id: Id) -> Option<Id> {
    let (array, axis) = reduce(g, id, Reduce::Sum)?;
    if axis != 1 || !matches!(g.node(array).op, Op::OneHot(_)) {
        return None;
    }
    let one = g.number(1.0);
    shaped(g, one, id)
}

fn scattered_constant(g: &mut Graph, id: Id) -> Option<Id> {
    let Op::Unpick(k) = g.node(id).op else { return None };
    let [value, index] = g.node(id).args[..] else { return None };
    let number = repeated_scalar(g, value)?;
    let onehot = g.add(Op::OneHot(k), &[index]);
    Some(g.binary(Binary::Mul, number, onehot))
}

fn pick(g: &mut Graph, id: Id) -> Option<Id> {
    let (product, axis) = reduce(g, id, Reduce::Sum)?;
    let (axis, shape): (usize, Shape) = (axis, g.shape(product).clone());
    if axis != 1 || shape.rank() != 2 {
        return None;
    }
    super::pattern::either(g, product, Binary::Mul).find_map(|(onehot, array)| {
        let plain = matches!(g.node(onehot).op, Op::OneHot(_)) && *g.shape(array) == shape && !is(g, array, 1.0);
        let index = plain.then(|| g.node(onehot).args[0])?;
        // A minus in front is left to the rules about signs.
        if unary(g, array, Unary::Neg).is_some() {
            return None;
        }
        g.try_add(Op::Pick, &[array, index]).ok()
    })
}
