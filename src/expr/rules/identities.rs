//! Rules that leave values as they are: neutral elements, signs, inverses, constants; and the few that assume something.
//!
//! Nothing here is about accuracy or arrays.

use super::pattern::{binary, either, is, unary};
use super::{Kind, Rule};
use crate::expr::eval::evaluate;
use crate::expr::graph::{Graph, Id};
use crate::expr::op::{Binary, Bits, Op, Unary};
use crate::shape::RowCounts;

/// The largest array that is computed ahead of the run and kept in the graph.
const FOLD_LIMIT: usize = 4096;

/// How many factors are looked at in search of a sign.
const DEPTH: usize = 8;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "constant", algebra: "an operation on numbers is its value", kind: Kind::Exact, apply: fold },
    Rule { name: "add zero", algebra: "x + 0 = x, x - 0 = x (up to the sign of a zero)", kind: Kind::Exact, apply: add_zero },
    Rule { name: "from zero", algebra: "0 - x = -x (up to the sign of a zero)", kind: Kind::Exact, apply: from_zero },
    Rule { name: "times one", algebra: "x*1 = x, x/1 = x, x*(-1) = -x, x/(-1) = -x", kind: Kind::Exact, apply: times_one },
    Rule { name: "simple power", algebra: "x^0 = 1, x^1 = x", kind: Kind::Exact, apply: simple_power },
    Rule { name: "square", algebra: "x^2 = x*x, rounded once", kind: Kind::Canonical, apply: power_two },
    Rule { name: "number first", algebra: "x*2 = 2*x", kind: Kind::Exact, apply: number_first },
    Rule { name: "double minus", algebra: "-(-x) = x", kind: Kind::Exact, apply: double_minus },
    Rule { name: "minus difference", algebra: "-(a - b) = b - a (up to the sign of a zero)", kind: Kind::Exact, apply: minus_difference },
    Rule {
        name: "add minus",
        algebra: "a + (-b) = a - b, (-a) + b = b - a, (-a) + (-b) = -(a + b), a + (-2) = a - 2",
        kind: Kind::Exact,
        apply: add_minus,
    },
    Rule {
        name: "subtract minus",
        algebra: "a - (-b) = a + b, (-a) - b = -(a + b), (-a) - (-b) = b - a",
        kind: Kind::Exact,
        apply: subtract_minus,
    },
    Rule {
        name: "minus in a product",
        algebra: "(-a)*b = -(a*b), a*(-b) = -(a*b), and so for a/b",
        kind: Kind::Exact,
        apply: minus_in_product,
    },
    Rule { name: "even", algebra: "f(-x) = f(x) for abs, square, cos and slopes; abs(x)^2 = x^2", kind: Kind::Exact, apply: even },
    Rule {
        name: "same branches",
        algebra: "where(c, a, a) = a, where(1, a, b) = a, where(0, a, b) = b",
        kind: Kind::Exact,
        apply: same_branches,
    },
    Rule { name: "reciprocal", algebra: "x^-1 = 1/x", kind: Kind::Canonical, apply: reciprocal },
    Rule {
        name: "half power",
        algebra: "x^0.5 = sqrt(x), which differs at -0 (-0 for 0) and -inf (nan for inf); not for powers of a norm, whose slope at 0 is 0",
        kind: Kind::Canonical,
        apply: half_power,
    },
];

pub(super) const ASSUMING: &[Rule] = &[
    Rule { name: "times zero", algebra: "x*0 = 0, for x finite", kind: Kind::Assuming, apply: times_zero },
    Rule { name: "minus itself", algebra: "x - x = 0, for x finite", kind: Kind::Assuming, apply: minus_itself },
    Rule { name: "over itself", algebra: "x/x = 1, for x finite and not 0", kind: Kind::Assuming, apply: over_itself },
    Rule { name: "exp of log", algebra: "exp(log(x)) = x, for x >= 0", kind: Kind::Assuming, apply: exp_of_log },
    Rule { name: "square of root", algebra: "sqrt(x)^2 = x, for x >= 0", kind: Kind::Assuming, apply: square_of_root },
    Rule { name: "root of square", algebra: "sqrt(x^2) = abs(x); the slope at 0 is then 0", kind: Kind::Assuming, apply: root_of_square },
];

/// A value in the shape of another node, if it is not larger.
pub(super) fn shaped(g: &mut Graph, value: Id, like: Id) -> Option<Id> {
    let shape = g.shape(like).clone();
    if *g.shape(value) == shape {
        return Some(value);
    }
    g.try_add(Op::Broadcast(shape), &[value]).ok()
}

fn fold(g: &mut Graph, id: Id) -> Option<Id> {
    let node = g.node(id);
    let known = |&arg: &Id| matches!(g.node(arg).op, Op::Const(_) | Op::Literal(_));
    // A repeated number stays one: it is smaller, and rules see through it.
    if node.args.is_empty() || !node.args.iter().all(known) || matches!(node.op, Op::Broadcast(_)) {
        return None;
    }
    let rows = RowCounts::default();
    if node.shape.has_rows() || rows.count(&node.shape)? > FOLD_LIMIT {
        return None;
    }
    let mut small = Graph::new();
    let args: Vec<Id> = node.args.iter().map(|&arg| small.add(g.node(arg).op.clone(), &[])).collect();
    let value = small.add(node.op.clone(), &args);
    let value = evaluate(&small, &[value], &|_| None, &rows).ok()?.pop()?;
    Some(g.literal(value.shape(), &value.iter().copied().collect::<Vec<f64>>()))
}

fn add_zero(g: &mut Graph, id: Id) -> Option<Id> {
    let sum = either(g, id, Binary::Add).find(|&(_, zero)| is(g, zero, 0.0));
    let (x, _) = sum.or_else(|| binary(g, id, Binary::Sub).filter(|&(_, zero)| is(g, zero, 0.0)))?;
    shaped(g, x, id)
}

fn from_zero(g: &mut Graph, id: Id) -> Option<Id> {
    let (zero, x) = binary(g, id, Binary::Sub)?;
    let minus = is(g, zero, 0.0).then(|| g.unary(Unary::Neg, x))?;
    shaped(g, minus, id)
}

fn times_one(g: &mut Graph, id: Id) -> Option<Id> {
    let one = |&(_, b): &(Id, Id)| is(g, b, 1.0) || is(g, b, -1.0);
    let (x, b) = either(g, id, Binary::Mul).find(one).or_else(|| binary(g, id, Binary::Div).filter(one))?;
    let x = if is(g, b, 1.0) { x } else { g.unary(Unary::Neg, x) };
    shaped(g, x, id)
}

fn number_first(g: &mut Graph, id: Id) -> Option<Id> {
    let (x, number) = binary(g, id, Binary::Mul)?;
    (g.as_const(number).is_some() && g.as_const(x).is_none()).then(|| g.binary(Binary::Mul, number, x))
}

fn simple_power(g: &mut Graph, id: Id) -> Option<Id> {
    let (x, power) = binary(g, id, Binary::Pow)?;
    if is(g, power, 0.0) {
        let one = g.number(1.0);
        shaped(g, one, id)
    } else if is(g, power, 1.0) {
        shaped(g, x, id)
    } else {
        None
    }
}

fn power_two(g: &mut Graph, id: Id) -> Option<Id> {
    let (x, power) = binary(g, id, Binary::Pow)?;
    let square = is(g, power, 2.0).then(|| g.unary(Unary::Square, x))?;
    shaped(g, square, id)
}

fn reciprocal(g: &mut Graph, id: Id) -> Option<Id> {
    let (x, power) = binary(g, id, Binary::Pow)?;
    if !is(g, power, -1.0) {
        return None;
    }
    let one = g.number(1.0);
    let over = g.binary(Binary::Div, one, x);
    shaped(g, over, id)
}

fn half_power(g: &mut Graph, id: Id) -> Option<Id> {
    let (x, power) = binary(g, id, Binary::Pow)?;
    if !is(g, power, 0.5) || unary(g, x, Unary::NormRoot).is_some() {
        return None;
    }
    let root = g.unary(Unary::Sqrt, x);
    shaped(g, root, id)
}

fn double_minus(g: &mut Graph, id: Id) -> Option<Id> {
    unary(g, unary(g, id, Unary::Neg)?, Unary::Neg)
}

fn minus_difference(g: &mut Graph, id: Id) -> Option<Id> {
    let (a, b) = binary(g, unary(g, id, Unary::Neg)?, Binary::Sub)?;
    Some(g.binary(Binary::Sub, b, a))
}

/// What a node is the opposite of: by its minus, or one on a factor, or by a negative number in front.
fn without_minus(g: &mut Graph, id: Id, depth: usize) -> Option<Id> {
    if let Some(x) = unary(g, id, Unary::Neg) {
        return Some(x);
    }
    if let Some(x) = g.as_const(id) {
        return (x < 0.0).then(|| g.number(-x));
    }
    let Op::Binary(op @ (Binary::Mul | Binary::Div)) = g.node(id).op else { return None };
    let (a, b) = binary(g, id, op).filter(|_| depth > 0)?;
    if let Some(a) = without_minus(g, a, depth - 1) {
        return Some(g.binary(op, a, b));
    }
    // A minus on a scalar factor of an array stays there, where it is cheap; here it can be taken away.
    let b = unary(g, b, Unary::Neg)?;
    Some(g.binary(op, a, b))
}

fn add_minus(g: &mut Graph, id: Id) -> Option<Id> {
    let (a, b) = binary(g, id, Binary::Add)?;
    if let (Some(a), Some(b)) = (unary(g, a, Unary::Neg), unary(g, b, Unary::Neg)) {
        let sum = g.binary(Binary::Add, a, b);
        return Some(g.unary(Unary::Neg, sum));
    }
    if let Some(b) = without_minus(g, b, DEPTH) {
        return Some(g.binary(Binary::Sub, a, b));
    }
    let a = without_minus(g, a, DEPTH)?;
    Some(g.binary(Binary::Sub, b, a))
}

fn subtract_minus(g: &mut Graph, id: Id) -> Option<Id> {
    let (a, b) = binary(g, id, Binary::Sub)?;
    let minus_a = unary(g, a, Unary::Neg);
    match (minus_a, without_minus(g, b, DEPTH)) {
        (Some(a), Some(b)) => Some(g.binary(Binary::Sub, b, a)),
        (None, Some(b)) => Some(g.binary(Binary::Add, a, b)),
        // The same work, but a minus at the outside may meet another.
        (Some(a), None) => {
            let sum = g.binary(Binary::Add, a, b);
            Some(g.unary(Unary::Neg, sum))
        }
        (None, None) => None,
    }
}

fn minus_in_product(g: &mut Graph, id: Id) -> Option<Id> {
    let Op::Binary(op @ (Binary::Mul | Binary::Div)) = g.node(id).op else { return None };
    let (a, b) = binary(g, id, op)?;
    // One number is cheaper to negate than an array.
    let outward = |g: &Graph, factor: Id| unary(g, factor, Unary::Neg).filter(|_| !g.shape(factor).is_scalar() || g.shape(id).is_scalar());
    let product = match (outward(g, a), outward(g, b)) {
        (Some(a), Some(b)) => return Some(g.binary(op, a, b)),
        (Some(a), None) => g.binary(op, a, b),
        (None, Some(b)) => g.binary(op, a, b),
        (None, None) => return None,
    };
    Some(g.unary(Unary::Neg, product))
}

fn even(g: &mut Graph, id: Id) -> Option<Id> {
    let Op::Unary(op) = g.node(id).op else { return None };
    let arg = g.node(id).args[0];
    let even = matches!(op, Unary::Abs | Unary::Square | Unary::Cos | Unary::ExpNegAbs | Unary::SigmoidSlope | Unary::TanhSlope);
    let x = unary(g, arg, Unary::Neg).filter(|_| even).or_else(|| unary(g, arg, Unary::Abs).filter(|_| op == Unary::Square))?;
    Some(g.unary(op, x))
}

fn same_branches(g: &mut Graph, id: Id) -> Option<Id> {
    if g.node(id).op != Op::Select {
        return None;
    }
    let [condition, a, b] = g.node(id).args[..] else { return None };
    let number = g.as_const(condition);
    let chosen = match number {
        _ if a == b => a,
        Some(0.0) => b,
        Some(_) => a,
        None => return None,
    };
    shaped(g, chosen, id)
}

fn times_zero(g: &mut Graph, id: Id) -> Option<Id> {
    either(g, id, Binary::Mul).find(|&(_, zero)| is(g, zero, 0.0))?;
    let zero = g.add(Op::Const(Bits::of(0.0)), &[]);
    shaped(g, zero, id)
}

fn minus_itself(g: &mut Graph, id: Id) -> Option<Id> {
    binary(g, id, Binary::Sub).filter(|(a, b)| a == b)?;
    let zero = g.number(0.0);
    shaped(g, zero, id)
}

fn over_itself(g: &mut Graph, id: Id) -> Option<Id> {
    binary(g, id, Binary::Div).filter(|(a, b)| a == b)?;
    let one = g.number(1.0);
    shaped(g, one, id)
}

fn exp_of_log(g: &mut Graph, id: Id) -> Option<Id> {
    unary(g, unary(g, id, Unary::Exp)?, Unary::Log)
}

fn square_of_root(g: &mut Graph, id: Id) -> Option<Id> {
    unary(g, unary(g, id, Unary::Square)?, Unary::Sqrt)
}

fn root_of_square(g: &mut Graph, id: Id) -> Option<Id> {
    let x = unary(g, unary(g, id, Unary::Sqrt)?, Unary::Square)?;
    Some(g.unary(Unary::Abs, x))
}
