//! What solvers look for in a loss: the squares that it is the sum of; the absolute values that stand beside a smooth part.
//!
//! It finds them by form: what is not written as such a sum (nor becomes one by taking factors and sums apart) is not found.

use super::diff::{depends, gradient};
use super::graph::{Graph, Id};
use super::op::{Binary, Op, Reduce, Unary};
use crate::shape::Shape;

/// Arrays whose squares, all summed, are the number `of`, up to what does not depend on `wrt`.
///
/// # Errors
/// The part that is no sum of squares.
pub fn squares(graph: &mut Graph, of: Id, wrt: &[Id]) -> Result<Vec<Id>, Id> {
    let mut found = Vec::new();
    // Terms still to be looked at: the sum over the elements of weight times node.
    let mut open = vec![Term { node: of, weight: None, minus: false }];
    while let Some(term) = open.pop() {
        if !feels(graph, term.node, wrt) {
            continue;
        }
        if let Some(root) = squared(graph, term.node) {
            // The square of a root is what stands under it.
            if let Op::Unary(Unary::NormRoot | Unary::Sqrt) = graph.node(root).op {
                open.push(Term { node: graph.node(root).args[0], ..term });
                continue;
            }
            let negative = term.weight.and_then(|weight| graph.as_const(weight)).is_some_and(|x| x < 0.0);
            if term.minus || negative {
                return Err(term.node);
            }
            found.push(match term.weight {
                None => root,
                Some(weight) => {
                    let scale = graph.unary(Unary::Sqrt, weight);
                    graph.binary(Binary::Mul, scale, root)
                }
            });
            continue;
        }
        let inner = term.inside(graph, wrt)?;
        open.extend(inner.into_iter().rev());
    }
    Ok(found)
}

/// The smooth part of the number `of`, and the weight of the absolute value of each element of each of `wrt` in the rest.
///
/// # Errors
/// The absolute value that is not one of elements of a parameter, or has a negative weight; nothing when there is none at all.
pub fn absolutes(graph: &mut Graph, of: Id, wrt: &[Id]) -> Result<(Id, Vec<Id>), Option<Id>> {
    let mut linear = Vec::new();
    let smooth = without(graph, Term { node: of, weight: None, minus: false }, wrt, &mut linear).map_err(Some)?;
    if linear.is_empty() {
        return Err(None);
    }
    let smooth = match smooth {
        Rest::Same => of,
        Rest::Nothing => graph.number(0.0),
        Rest::Other(id) => id,
    };
    let mut sum = linear[0];
    for &term in &linear[1..] {
        sum = graph.binary(Binary::Add, sum, term);
    }
    let weights = gradient(graph, sum, wrt).map_err(|why| Some(why.node))?;
    Ok((smooth, weights))
}

/// The sum over the elements of `weight * node`, or of minus that.
#[derive(Clone, Copy)]
struct Term {
    node: Id,
    /// A number, or an array in the shape of the node.
    weight: Option<Id>,
    minus: bool,
}

fn feels(graph: &Graph, node: Id, wrt: &[Id]) -> bool {
    wrt.iter().any(|&id| depends(graph, node, id))
}

/// `r` of `r^2`, `r*r` and `r @ r`.
fn squared(graph: &Graph, id: Id) -> Option<Id> {
    let node = graph.node(id);
    match (&node.op, &node.args[..]) {
        (Op::Unary(Unary::Square), &[r]) => Some(r),
        (Op::Binary(Binary::Pow), &[r, power]) if graph.as_const(power) == Some(2.0) => Some(r),
        (Op::Binary(Binary::Mul), &[a, b]) if a == b => Some(a),
        (Op::MatMul, &[a, b]) if a == b && node.shape.is_scalar() => Some(a),
        _ => None,
    }
}

impl Term {
    /// The terms that a sum, a difference, a multiple is made of.
    fn inside(self, graph: &mut Graph, wrt: &[Id]) -> Result<Vec<Term>, Id> {
        let node = graph.node(self.node).clone();
        let shape = node.shape.clone();
        Ok(match (&node.op, &node.args[..]) {
            (Op::Unary(Unary::Neg), &[a]) => vec![Term { node: a, minus: !self.minus, ..self }],
            (Op::Binary(op @ (Binary::Add | Binary::Sub)), &[a, b]) => {
                let (first, second) = (self.spread(graph, a, &shape), self.spread(graph, b, &shape));
                vec![first, Term { minus: second.minus != (*op == Binary::Sub), ..second }]
            }
            (Op::Binary(Binary::Mul), &[a, b]) if !feels(graph, a, wrt) => vec![self.times(graph, Binary::Mul, b, a, &shape)],
            (Op::Binary(Binary::Mul), &[a, b]) if !feels(graph, b, wrt) => vec![self.times(graph, Binary::Mul, a, b, &shape)],
            (Op::Binary(Binary::Div), &[a, b]) if !feels(graph, b, wrt) => vec![self.times(graph, Binary::Div, a, b, &shape)],
            (Op::Reduce(Reduce::Sum, axis), &[a]) => {
                let inner = graph.shape(a).clone();
                let weight = self.weight.map(|weight| {
                    if graph.shape(weight).is_scalar() {
                        return weight;
                    }
                    let weight = graph.add(Op::Expand(*axis), &[weight]);
                    graph.broadcast_to(weight, &inner)
                });
                vec![Term { node: a, weight, ..self }]
            }
            (Op::Broadcast(_), &[a]) => vec![self.spread(graph, a, &shape)],
            (Op::Expand(_) | Op::Squeeze(_) | Op::Transpose | Op::Reshape(_), &[a])
                if self.weight.is_none_or(|weight| graph.shape(weight).is_scalar()) =>
            {
                vec![Term { node: a, ..self }]
            }
            _ => return Err(self.node),
        })
    }

    /// The term of an argument that was repeated up to a shape.
    fn spread(self, graph: &mut Graph, node: Id, shape: &Shape) -> Term {
        let own = graph.shape(node).clone();
        if own == *shape {
            return Term { node, ..self };
        }
        let weight = self.weight.unwrap_or_else(|| graph.number(1.0));
        let weight = graph.broadcast_to(weight, shape);
        Term { node, weight: Some(graph.sum_to(weight, &own)), ..self }
    }

    /// The term of one factor, the other having gone into the weight.
    fn times(self, graph: &mut Graph, op: Binary, node: Id, factor: Id, shape: &Shape) -> Term {
        let weight = self.weight.unwrap_or_else(|| graph.number(1.0));
        let mut weight = if self.weight.is_none() && op == Binary::Mul { factor } else { graph.binary(op, weight, factor) };
        if graph.shape(node) != shape {
            weight = graph.broadcast_to(weight, shape);
        }
        Term { node, weight: Some(weight), ..self }.fit(graph)
    }

    /// The weight in the shape of the node, unless it is a number.
    fn fit(self, graph: &mut Graph) -> Term {
        let shape = graph.shape(self.node).clone();
        let weight = self.weight.map(|weight| {
            let own = graph.shape(weight).clone();
            if own.is_scalar() || own == shape {
                weight
            } else if own.rank() <= shape.rank() {
                graph.broadcast_to(weight, &shape)
            } else {
                graph.sum_to(weight, &shape)
            }
        });
        Term { weight, ..self }
    }
}

/// What is left of an expression without its absolute values.
#[derive(Clone, Copy)]
enum Rest {
    Same,
    Nothing,
    Other(Id),
}

/// Takes the absolute values of parameters out of a sum; what they weigh goes to `linear`, without the bars.
fn without(graph: &mut Graph, term: Term, wrt: &[Id], linear: &mut Vec<Id>) -> Result<Rest, Id> {
    if !has_absolute(graph, term.node, wrt) {
        return Ok(Rest::Same);
    }
    let node = graph.node(term.node).clone();
    if let (Op::Unary(Unary::Abs), &[inside]) = (&node.op, &node.args[..]) {
        let negative = term.weight.and_then(|weight| graph.as_const(weight)).is_some_and(|x| x < 0.0);
        if term.minus || negative || !is_part(graph, inside, wrt) {
            return Err(term.node);
        }
        let weighted = match term.weight {
            Some(weight) => graph.binary(Binary::Mul, weight, inside),
            None => inside,
        };
        linear.push(graph.sum_all(weighted));
        return Ok(Rest::Nothing);
    }
    // Absolute values inside of something else count as smooth.
    let Ok(inner) = term.inside(graph, wrt) else { return Ok(Rest::Same) };
    let mut args = node.args.clone();
    let mut gone = Vec::new();
    for term in inner {
        let rest = without(graph, term, wrt, linear)?;
        let place = node.args.iter().position(|&arg| arg == term.node);
        for arg in args.iter_mut().filter(|arg| **arg == term.node) {
            match rest {
                Rest::Same => {}
                Rest::Nothing => gone.extend(place),
                Rest::Other(id) => *arg = id,
            }
        }
    }
    Ok(match (&node.op, &gone[..]) {
        (_, []) if args == node.args => Rest::Same,
        (_, []) => Rest::Other(graph.add(node.op, &args)),
        (Op::Binary(op @ (Binary::Add | Binary::Sub)), &[place]) => {
            let kept = graph.broadcast_to(args[1 - place], &node.shape);
            Rest::Other(if *op == Binary::Sub && place == 0 { graph.unary(Unary::Neg, kept) } else { kept })
        }
        _ => Rest::Nothing,
    })
}

fn has_absolute(graph: &Graph, of: Id, wrt: &[Id]) -> bool {
    graph.reachable(&[of]).into_iter().any(|id| graph.node(id).op == Op::Unary(Unary::Abs) && feels(graph, id, wrt))
}

/// Whether an expression is some elements of a parameter, each once.
fn is_part(graph: &Graph, mut id: Id, wrt: &[Id]) -> bool {
    while !wrt.contains(&id) {
        let node = graph.node(id);
        match node.op {
            Op::Slice { .. } | Op::Squeeze(_) | Op::Expand(_) | Op::Transpose | Op::Reshape(_) => id = node.args[0],
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::eval::{Tensor, evaluate};
    use crate::expr::graph::InputKind;
    use crate::shape::RowCounts;

    fn value(graph: &Graph, id: Id, given: &[(Id, Vec<f64>)]) -> Vec<f64> {
        let input = |input| {
            let (id, values) = given.iter().find(|(id, _)| graph.as_input(*id) == Some(input))?;
            Tensor::from_shape_vec(RowCounts(Vec::new()).sizes(graph.shape(*id)), values.clone()).ok()
        };
        evaluate(graph, &[id], &input, &RowCounts(Vec::new())).unwrap()[0].iter().copied().collect()
    }

    #[test]
    fn squares_add_up_to_the_loss() {
        // 3*mean((w - u)^2) + (w@w - 2*(-(a - 1)^2))/4 + sum(u)
        let mut g = Graph::new();
        let w = g.input("w", InputKind::Param, Shape::fixed(&[3]));
        let u = g.input("u", InputKind::Hyper, Shape::fixed(&[3]));
        let a = g.input("a", InputKind::Param, Shape::scalar());
        let [one, two, three, four] = [1.0, 2.0, 3.0, 4.0].map(|x| g.number(x));
        let difference = g.binary(Binary::Sub, w, u);
        let square = g.unary(Unary::Square, difference);
        let sum = g.sum_all(square);
        let mean = g.binary(Binary::Div, sum, three);
        let first = g.binary(Binary::Mul, three, mean);
        let own = g.add(Op::MatMul, &[w, w]);
        let minus = g.binary(Binary::Sub, a, one);
        let power = g.binary(Binary::Pow, minus, two);
        let negative = g.unary(Unary::Neg, power);
        let twice = g.binary(Binary::Mul, negative, two);
        let inner = g.binary(Binary::Sub, own, twice);
        let second = g.binary(Binary::Div, inner, four);
        let both = g.binary(Binary::Add, first, second);
        let data = g.sum_all(u);
        let loss = g.binary(Binary::Add, both, data);
        let residuals = squares(&mut g, loss, &[w, a]).unwrap();
        assert_eq!(residuals.len(), 3);
        let given = [(w, vec![1.0, -2.0, 4.0]), (u, vec![0.5, 0.5, 0.5]), (a, vec![7.0])];
        let total: f64 = residuals.iter().flat_map(|&r| value(&g, r, &given)).map(|x| x * x).sum();
        let expected = value(&g, loss, &given)[0] - 1.5;
        assert!((total - expected).abs() < 1e-12 * expected, "{total} {expected}");
        // A difference of squares is no sum of squares; nor is an exponential.
        let other = g.unary(Unary::Square, a);
        let bad = g.binary(Binary::Sub, own, other);
        assert_eq!(squares(&mut g, bad, &[w, a]), Err(other));
        let exp = g.unary(Unary::Exp, a);
        let bad = g.binary(Binary::Add, own, exp);
        assert_eq!(squares(&mut g, bad, &[w, a]), Err(exp));
    }

    #[test]
    fn a_number_among_squares_counts_for_every_element() {
        // sum(w^2 + a^2) = sum(w^2) + 3 a^2
        let mut g = Graph::new();
        let w = g.input("w", InputKind::Param, Shape::fixed(&[3]));
        let a = g.input("a", InputKind::Param, Shape::scalar());
        let (squares_of_w, square_of_a) = (g.unary(Unary::Square, w), g.unary(Unary::Square, a));
        let sum = g.binary(Binary::Add, squares_of_w, square_of_a);
        let loss = g.sum_all(sum);
        let residuals = squares(&mut g, loss, &[w, a]).unwrap();
        let given = [(w, vec![1.0, 2.0, 3.0]), (a, vec![10.0])];
        let total: f64 = residuals.iter().flat_map(|&r| value(&g, r, &given)).map(|x| x * x).sum();
        assert!((total - 314.0).abs() < 1e-12);
    }

    #[test]
    fn absolute_values_are_taken_out() {
        // mean(w^2) + 0.5*(sum(abs(w[1:])) + 2*abs(a)), without a penalty of w[0]
        let mut g = Graph::new();
        let w = g.input("w", InputKind::Param, Shape::fixed(&[3]));
        let a = g.input("a", InputKind::Param, Shape::scalar());
        let [half, two, three] = [0.5, 2.0, 3.0].map(|x| g.number(x));
        let square = g.unary(Unary::Square, w);
        let sum = g.sum_all(square);
        let mean = g.binary(Binary::Div, sum, three);
        let rest = g.add(Op::Slice { axis: 0, start: 1, step: 1, len: 2 }, &[w]);
        let size = g.unary(Unary::Abs, rest);
        let first = g.sum_all(size);
        let size = g.unary(Unary::Abs, a);
        let second = g.binary(Binary::Mul, two, size);
        let both = g.binary(Binary::Add, first, second);
        let penalty = g.binary(Binary::Mul, half, both);
        let loss = g.binary(Binary::Add, mean, penalty);
        let (smooth, weights) = absolutes(&mut g, loss, &[w, a]).unwrap();
        assert_eq!(smooth, mean);
        let given = [(w, vec![1.0, 2.0, 3.0]), (a, vec![10.0])];
        assert_eq!(value(&g, weights[0], &given), [0.0, 0.5, 0.5]);
        assert_eq!(value(&g, weights[1], &given), [1.0]);
        assert_eq!(absolutes(&mut g, mean, &[w, a]), Err(None));
        let bad = g.binary(Binary::Sub, mean, penalty);
        assert!(absolutes(&mut g, bad, &[w, a]).is_err());
        let shifted = g.binary(Binary::Sub, a, two);
        let size = g.unary(Unary::Abs, shifted);
        let bad = g.binary(Binary::Add, mean, size);
        assert_eq!(absolutes(&mut g, bad, &[w, a]), Err(Some(size)));
    }
}
