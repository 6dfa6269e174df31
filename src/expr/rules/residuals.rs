//! Rules for what derivatives of likelihoods come down to: prediction less observation.
//!
//! They compare whole products of factors, so that weights and counts beside them do not matter.

use super::pattern::{binary, is, opposite, unary};
use super::product::{Product, rebuilt};
use super::{Kind, Rule};
use crate::expr::graph::{Graph, Id};
use crate::expr::op::{Binary, Op, Unary};

pub(super) const RULES: &[Rule] = &[Rule {
    name: "residual",
    algebra: "(1 - y)*sigmoid(z) - y*sigmoid(-z) = sigmoid(z) - y, since sigmoid(-z) = 1 - sigmoid(z); as exact beside 1, not beside a tiny residual",
    kind: Kind::Canonical,
    apply: residual,
}];

fn residual(g: &mut Graph, id: Id) -> Option<Id> {
    let (a, b, sign) = match (binary(g, id, Binary::Sub), binary(g, id, Binary::Add)) {
        (Some((a, b)), _) => (a, b, -1.0),
        (_, Some((a, b))) => (a, b, 1.0),
        _ => return None,
    };
    let (left, mut right) = (Product::of(g, a), Product::of(g, b));
    right.factor *= sign;
    matched(g, &left, &right, id).or_else(|| matched(g, &right, &left, id))
}

/// The residual if one side is `rest*(1 - y)*sigmoid(z)` and the other `-rest*y*sigmoid(-z)`.
fn matched(g: &mut Graph, miss: &Product, hit: &Product, id: Id) -> Option<Id> {
    if miss.factor != -hit.factor || miss.divisor != hit.divisor || miss.over.len() != hit.over.len() {
        return None;
    }
    let sigmoids = |g: &Graph, product: &Product| -> Vec<(usize, Id)> {
        product.over.iter().enumerate().filter_map(|(at, &factor)| unary(g, factor, Unary::Sigmoid).map(|z| (at, z))).collect()
    };
    for (at, z) in sigmoids(g, miss) {
        for (beside, w) in sigmoids(g, hit) {
            if !opposite(g, z, w) {
                continue;
            }
            for (place, &complement) in miss.over.iter().enumerate() {
                let Some(y) = binary(g, complement, Binary::Sub).filter(|&(one, _)| is(g, one, 1.0)).map(|(_, y)| y) else { continue };
                let Some(other) = hit.over.iter().position(|&factor| factor == y) else { continue };
                let without = |list: &[Id], i: usize, j: usize| {
                    let kept = list.iter().enumerate().filter(|&(k, _)| k != i && k != j).map(|(_, &factor)| factor);
                    kept.collect::<Vec<Id>>()
                };
                let (rest, same) = (without(&miss.over, at, place), without(&hit.over, beside, other));
                if place == at || other == beside || !equal(&rest, &same) || !equal(&miss.under, &hit.under) {
                    continue;
                }
                let mut product = miss.clone();
                product.factor = miss.factor.abs();
                let sides = if miss.factor < 0.0 { [y, miss.over[at]] } else { [miss.over[at], y] };
                let difference = g.try_add(Op::Binary(Binary::Sub), &sides).ok()?;
                product.over = rest;
                product.over.push(difference);
                return rebuilt(g, product, id);
            }
        }
    }
    None
}

/// Whether two lists hold the same, in any order.
fn equal(a: &[Id], b: &[Id]) -> bool {
    let sorted = |list: &[Id]| {
        let mut list = list.to_vec();
        list.sort_unstable();
        list
    };
    sorted(a) == sorted(b)
}
