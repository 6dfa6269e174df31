//! Rules about products: numbers are multiplied ahead, and scalar factors stand outside of sums and matrix products, where they cost little.
//!
//! What a student writes stays as it is unless a step is saved.

use super::pattern::{binary, is_mean, opposite, unary};
use super::product::{MOST, Product, rebuilt};
use super::{Kind, Rule};
use crate::expr::graph::{Graph, Id};
use crate::expr::op::{Binary, Op, Reduce, Unary};
use crate::shape::{Dim, Shape};

pub(super) const RULES: &[Rule] = &[
    Rule { name: "slope of sigmoid", algebra: "sigmoid(z)*sigmoid(-z) = sigmoid'(z)", kind: Kind::Stable, apply: sigmoid_slope },
    Rule { name: "self product", algebra: "x*x = x^2", kind: Kind::Exact, apply: self_product },
    Rule { name: "equal factors", algebra: "x*y*y = x*y^2", kind: Kind::Canonical, apply: equal_factors },
    Rule {
        name: "numbers of a product",
        algebra: "2*(3*x) = 6*x, lambda/2*(2*w) = lambda*w, a*(1/b) = a/b",
        kind: Kind::Canonical,
        apply: numbers,
    },
    Rule { name: "number into where", algebra: "2*where(c, 0, x/2) = where(c, 0, x)", kind: Kind::Canonical, apply: number_into_where },
    Rule { name: "factors of a mean", algebra: "2*sum(x)/n = 2*mean(x)", kind: Kind::Canonical, apply: mean_of_product },
    Rule {
        name: "factor out of a sum",
        algebra: "sum(c*x) = c*sum(x) for a scalar c; also where(b, c*x, 0) = c*where(b, x, 0)",
        kind: Kind::Canonical,
        apply: out_of_linear,
    },
    Rule {
        name: "factor out of a product",
        algebra: "A @ (c*r) = c*(A @ r) for a scalar c, where the result is not larger",
        kind: Kind::Canonical,
        apply: out_of_matmul,
    },
    Rule { name: "factors of both", algebra: "(c*x)*(d*y) = (c*d)*(x*y) for scalars c, d", kind: Kind::Canonical, apply: out_of_both },
    Rule {
        name: "common factor",
        algebra: "c*x + c*y = c*(x + y) for a scalar c and arrays x, y",
        kind: Kind::Canonical,
        apply: common_factor,
    },
    Rule { name: "like terms", algebra: "2*x + 3*x = 5*x", kind: Kind::Canonical, apply: like_terms },
];

fn is_product(g: &Graph, id: Id) -> bool {
    matches!(g.node(id).op, Op::Binary(Binary::Mul | Binary::Div) | Op::Unary(Unary::Neg)) && !is_mean(g, id)
}

/// Replaces two factors by one.
fn merge(g: &mut Graph, id: Id, of: impl Fn(&mut Graph, Id, Id) -> Option<Id>) -> Option<Id> {
    binary(g, id, Binary::Mul).or_else(|| binary(g, id, Binary::Div))?;
    let mut product = Product::of(g, id);
    for i in 0..product.over.len() {
        for j in i + 1..product.over.len() {
            let (a, b) = (product.over[i], product.over[j]);
            if g.shape(a) == g.shape(b)
                && let Some(one) = of(g, a, b)
            {
                product.over[i] = one;
                product.over.remove(j);
                return rebuilt(g, product, id);
            }
        }
    }
    None
}

fn sigmoid_slope(g: &mut Graph, id: Id) -> Option<Id> {
    merge(g, id, |g, a, b| {
        let (x, y) = (unary(g, a, Unary::Sigmoid)?, unary(g, b, Unary::Sigmoid)?);
        // The plainer of the two arguments.
        let z = if unary(g, x, Unary::Neg).is_some() { y } else { x };
        opposite(g, x, y).then(|| g.unary(Unary::SigmoidSlope, z))
    })
}

fn self_product(g: &mut Graph, id: Id) -> Option<Id> {
    let (a, _) = binary(g, id, Binary::Mul).filter(|(a, b)| a == b)?;
    Some(g.unary(Unary::Square, a))
}

fn equal_factors(g: &mut Graph, id: Id) -> Option<Id> {
    merge(g, id, |g, a, b| (a == b).then(|| g.unary(Unary::Square, a)))
}

fn numbers(g: &mut Graph, id: Id) -> Option<Id> {
    if !is_product(g, id) {
        return None;
    }
    let mut product = Product::of(g, id);
    let mut short = product.clone();
    short.reduce_numbers();
    if short.length() >= product.written || !product.is_representable() {
        return None;
    }
    product.written = 0;
    rebuilt(g, product, id)
}

fn number_into_where(g: &mut Graph, id: Id) -> Option<Id> {
    let mut product = is_product(g, id).then(|| Product::of(g, id))?;
    if (product.factor.abs(), product.divisor) == (1.0, 1.0) {
        return None;
    }
    let (at, chosen) = product.over.iter().enumerate().find_map(|(at, &factor)| {
        let [_, zero, chosen] = g.node(factor).args[..] else { return None };
        (g.node(factor).op == Op::Select && g.as_const(zero) == Some(0.0)).then_some((at, chosen))
    })?;
    let mut inner = Product::of(g, chosen);
    // Only where there are numbers to meet.
    if (inner.factor.abs(), inner.divisor) == (1.0, 1.0) {
        return None;
    }
    inner.factor *= product.factor;
    inner.divisor *= product.divisor;
    (product.factor, product.divisor) = (1.0, 1.0);
    let chosen = rebuilt(g, inner, chosen)?;
    let args = [g.node(product.over[at]).args[0], g.node(product.over[at]).args[1], chosen];
    product.over[at] = g.add(Op::Select, &args);
    rebuilt(g, product, id)
}

fn mean_of_product(g: &mut Graph, id: Id) -> Option<Id> {
    if !is_product(g, id) || binary(g, id, Binary::Div).is_none() {
        return None;
    }
    let product = Product::of(g, id);
    // A sum over its count is a mean already; this is about a sum with other factors beside it.
    product.over.iter().any(|&sum| product.mean_of(g, sum).is_some()).then(|| rebuilt(g, product, id))?
}

/// Takes the scalar factors out of an array: what is left has the same shape.
fn strip(g: &mut Graph, id: Id, scale: &mut Product, inverted: bool, depth: usize) -> Id {
    if g.shape(id).is_scalar() || depth == 0 || scale.over.len() + scale.under.len() >= MOST {
        return id;
    }
    let is_scalar = |g: &Graph, id: Id| g.shape(id).is_scalar();
    if let Some(x) = unary(g, id, Unary::Neg) {
        scale.factor = -scale.factor;
        return strip(g, x, scale, inverted, depth - 1);
    }
    if g.node(id).op == Op::Select {
        return strip_choice(g, id, scale, inverted, depth);
    }
    let Op::Binary(op @ (Binary::Mul | Binary::Div | Binary::Xlogy)) = g.node(id).op else { return id };
    let [a, b] = g.node(id).args[..] else { return id };
    match op {
        Binary::Mul if is_scalar(g, a) => {
            scale.times(g, a, inverted);
            strip(g, b, scale, inverted, depth - 1)
        }
        Binary::Mul | Binary::Div if is_scalar(g, b) => {
            scale.times(g, b, inverted != (op == Binary::Div));
            strip(g, a, scale, inverted, depth - 1)
        }
        _ => {
            // Zero times infinity is zero in `Xlogy` whatever the scale.
            let left = if is_scalar(g, a) { a } else { strip(g, a, scale, inverted, depth - 1) };
            let right = match op {
                Binary::Xlogy => b,
                Binary::Div => strip(g, b, scale, !inverted, depth - 1),
                _ => strip(g, b, scale, inverted, depth - 1),
            };
            if (left, right) == (a, b) {
                id
            } else {
                g.try_add(Op::Binary(op), &[left, right]).ok().filter(|&new| g.shape(new) == g.shape(id)).unwrap_or(id)
            }
        }
    }
}

/// The same for `where(c, x, 0)` and `where(c, 0, x)`.
fn strip_choice(g: &mut Graph, id: Id, scale: &mut Product, inverted: bool, depth: usize) -> Id {
    let mut args = g.node(id).args.to_vec();
    let zero = |at: usize| g.as_const(args[at]) == Some(0.0);
    let at = match (zero(1), zero(2)) {
        (false, true) => 1,
        (true, false) => 2,
        _ => return id,
    };
    if !inverted && g.shape(args[at]).is_scalar() {
        if g.as_const(args[at]) == Some(1.0) {
            return id;
        }
        scale.times(g, args[at], false);
        args[at] = g.number(1.0);
    } else if !inverted {
        args[at] = strip(g, args[at], scale, false, depth - 1);
    }
    if args[..] == g.node(id).args[..] { id } else { g.add(Op::Select, &args) }
}

/// The scalar factors of an array and what is left, or `None` when there are none.
fn stripped(g: &mut Graph, id: Id) -> Option<(Product, Id)> {
    let mut scale = Product::one();
    let body = strip(g, id, &mut scale, false, MOST);
    let kept = body != id && !scale.is_one() && scale.is_representable() && g.shape(body) == g.shape(id);
    kept.then_some((scale, body))
}

fn scaled(g: &mut Graph, mut scale: Product, body: Id, id: Id) -> Option<Id> {
    scale.over.push(body);
    rebuilt(g, scale, id)
}

/// Whether an array of one shape has at most as many elements as one of another; rows are many.
fn not_larger(a: &Shape, b: &Shape) -> bool {
    let count = |shape: &Shape| shape.0.iter().fold(1f64, |n, dim| n * if let Dim::Size(k) = dim { *k as f64 } else { 1e5 });
    count(a) <= count(b)
}

fn out_of_linear(g: &mut Graph, id: Id) -> Option<Id> {
    let op = g.node(id).op.clone();
    let linear = matches!(
        op,
        Op::Reduce(Reduce::Sum, _)
            | Op::Cumsum { .. }
            | Op::Transpose
            | Op::Expand(_)
            | Op::Squeeze(_)
            | Op::Reshape(_)
            | Op::Slice { .. }
            | Op::Unslice { .. }
            | Op::Gather(_)
            | Op::ScatterAdd { .. }
            | Op::Pick
            | Op::Unpick(_)
    );
    let mut args = g.node(id).args.to_vec();
    if !linear || !not_larger(g.shape(id), g.shape(args[0])) {
        return None;
    }
    let (scale, body) = stripped(g, args[0])?;
    args[0] = body;
    let inner = g.add(op, &args);
    scaled(g, scale, inner, id)
}

fn out_of_matmul(g: &mut Graph, id: Id) -> Option<Id> {
    if g.node(id).op != Op::MatMul {
        return None;
    }
    let mut args = g.node(id).args.to_vec();
    let mut scale = Product::one();
    for arg in &mut args {
        if not_larger(g.shape(id), g.shape(*arg))
            && let Some((factors, body)) = stripped(g, *arg)
        {
            *arg = body;
            scale.factor *= factors.factor;
            scale.divisor *= factors.divisor;
            scale.over.extend(factors.over);
            scale.under.extend(factors.under);
        }
    }
    if args[..] == g.node(id).args[..] {
        return None;
    }
    let inner = g.add(Op::MatMul, &args);
    scaled(g, scale, inner, id)
}

fn out_of_both(g: &mut Graph, id: Id) -> Option<Id> {
    let Op::Binary(op @ (Binary::Mul | Binary::Div)) = g.node(id).op else { return None };
    let (a, b) = binary(g, id, op)?;
    let ((mut scale, x), (other, y)) = (stripped(g, a)?, stripped(g, b)?);
    if op == Binary::Mul {
        scale.factor *= other.factor;
        scale.divisor *= other.divisor;
        scale.over.extend(other.over);
        scale.under.extend(other.under);
    } else {
        scale.factor *= other.divisor;
        scale.divisor *= other.factor;
        scale.over.extend(other.under);
        scale.under.extend(other.over);
    }
    let inner = g.try_add(Op::Binary(op), &[x, y]).ok()?;
    scaled(g, scale, inner, id)
}

/// Takes what both lists have out of them.
fn common(a: &mut Vec<Id>, b: &mut Vec<Id>) -> Vec<Id> {
    let mut both = Vec::new();
    a.retain(|id| match b.iter().position(|other| other == id) {
        Some(place) => {
            both.push(b.remove(place));
            false
        }
        None => true,
    });
    both
}

fn common_factor(g: &mut Graph, id: Id) -> Option<Id> {
    let Op::Binary(op @ (Binary::Add | Binary::Sub)) = g.node(id).op else { return None };
    let (a, b) = binary(g, id, op)?;
    if g.shape(a).is_scalar() || g.shape(b).is_scalar() {
        return None;
    }
    let ((mut left, x), (mut right, y)) = (stripped(g, a)?, stripped(g, b)?);
    let mut shared =
        Product { over: common(&mut left.over, &mut right.over), under: common(&mut left.under, &mut right.under), ..Product::one() };
    if left.factor.abs() == right.factor.abs() && left.divisor == right.divisor {
        (shared.factor, shared.divisor) = (left.factor.abs(), left.divisor);
        (left.factor, left.divisor) = (left.factor.signum(), 1.0);
        (right.factor, right.divisor) = (right.factor.signum(), 1.0);
    }
    if shared.is_one() {
        return None;
    }
    left.over.push(x);
    right.over.push(y);
    let (x, y) = (left.build(g), right.build(g));
    let inner = g.try_add(Op::Binary(op), &[x, y]).ok()?;
    scaled(g, shared, inner, id)
}

fn like_terms(g: &mut Graph, id: Id) -> Option<Id> {
    let Op::Binary(op @ (Binary::Add | Binary::Sub)) = g.node(id).op else { return None };
    let (a, b) = binary(g, id, op)?;
    let (mut left, right) = (Product::of(g, a), Product::of(g, b));
    let same = |a: &[Id], b: &[Id]| common(&mut a.to_vec(), &mut b.to_vec()).len() == a.len() && a.len() == b.len();
    if left.over.is_empty() || left.divisor != right.divisor || !same(&left.over, &right.over) || !same(&left.under, &right.under) {
        return None;
    }
    left.factor += if op == Binary::Add { right.factor } else { -right.factor };
    rebuilt(g, left, id)
}
