//! `within 0..inf`, `within simplex`: the set that a parameter stays in, as the projection onto it.
//!
//! A projection is an expression of the parameter; it is put behind every update, and a start is compared with its own projection.
//!
//! - `a..b`: each entry is clipped.
//! - `ball(r)`: scaled down to length `r` where it is longer, all entries as one vector.
//! - `sphere`: scaled to length 1; the point 0, which has no nearest point, goes to the first axis.
//! - `simplex` (a vector): entries not below 0 whose sum is 1 (Duchi et al. 2008): with `c` the running sums of the entries in descending
//!   order, all entries less the largest of `(c[k] - 1)/(k + 1)`, cut off at 0.
//! - `psd` (a square matrix): of the symmetric part, the share of the positive eigenvalues.

use crate::check::decls::Value;
use crate::check::lower::{Lower, R};
use crate::diag::{Diagnostic, did_you_mean};
use crate::expr::graph::{Graph, Id};
use crate::expr::op::{Binary, Op, Reduce, Unary};
use crate::shape::{Dim, Shape};
use crate::source::Span;
use crate::syntax::ast::{Arg, Expr, ExprKind};
use crate::syntax::print;

/// The set that a parameter stays in.
#[derive(Debug, Clone)]
pub(crate) struct Within {
    pub(crate) span: Span,
    /// As it was written.
    pub(crate) text: String,
    /// The projection, in the parameter's input.
    pub(crate) projected: Id,
}

const SETS: [&str; 5] = ["a..b", "simplex", "sphere", "ball(r)", "psd"];

/// The set behind `within`, for a parameter whose input is `x`.
pub(crate) fn within(lower: &mut Lower<'_>, value: &Value, set: &Expr, x: Id) -> R<Within> {
    let shape = lower.model.graph.shape(x).clone();
    let found = lower.show(x);
    let name = &value.name;
    let needs = |wants: &str| {
        let d = Diagnostic::error("E0260", set.span, format!("`{}` is for {wants}; `{}` is {found}", print::expr(set), name.name));
        d.here(format!("not for {found}")).label(name.span, "the parameter")
    };
    let projected = match &set.kind {
        ExprKind::Range(low, high) => {
            let (a, b) = (bound(lower, low)?, bound(lower, high)?);
            if let (Some(a), Some(b)) =
                (lower.model.constant(a).and_then(|v| v.first().copied()), lower.model.constant(b).and_then(|v| v.first().copied()))
                && a > b
            {
                let d = Diagnostic::error("E0261", set.span, "no number is in this interval").here(format!("from {a} to {b}"));
                return lower.fail(d.replace(set.span, format!("{}..{}", print::expr(high), print::expr(low)), "write"));
            }
            let graph = &mut lower.model.graph;
            let mut value = x;
            for (op, end, open) in [(Binary::Maximum, a, f64::NEG_INFINITY), (Binary::Minimum, b, f64::INFINITY)] {
                if graph.as_const(end) != Some(open) {
                    let end = graph.broadcast_to(end, &shape);
                    value = graph.binary(op, value, end);
                }
            }
            value
        }
        ExprKind::Name(name) if name == "simplex" => {
            let [Dim::Size(n)] = shape.0[..] else { return lower.fail(needs("vectors")) };
            simplex(&mut lower.model.graph, x, n)
        }
        ExprKind::Name(name) if name == "sphere" => {
            if shape.is_scalar() {
                return lower.fail(needs("vectors and matrices"));
            }
            sphere(&mut lower.model.graph, x, &shape)
        }
        ExprKind::Name(name) if name == "psd" => match shape.0[..] {
            [a, b] if a == b => lower.model.graph.add(Op::PsdPart, &[x]),
            _ => return lower.fail(needs("square matrices")),
        },
        ExprKind::Call { name, args, .. } if name.name == "ball" => {
            let [Arg::Positional(radius)] = &args[..] else {
                return lower.fail(unknown(set));
            };
            let r = bound(lower, radius)?;
            if let Some(r) = lower.model.constant(r).and_then(|v| v.first().copied()).filter(|r| *r < 0.0) {
                return lower.fail(Diagnostic::error("E0262", radius.span, "the radius of a ball is not negative").here(format!("{r}")));
            }
            ball(&mut lower.model.graph, x, r, &shape)
        }
        _ => return lower.fail(unknown(set)),
    };
    Ok(Within { span: set.span, text: print::expr(set), projected })
}

/// An end of an interval, or a radius: a number that is known before the run.
fn bound(lower: &mut Lower<'_>, e: &Expr) -> R<Id> {
    let id = lower.scalar(e, "a bound")?;
    if lower.model.constant(id).is_none() {
        return lower.fail(crate::check::messages::not_known_before(e.span, "a bound"));
    }
    Ok(id)
}

fn unknown(set: &Expr) -> Diagnostic {
    let text = print::expr(set);
    let d = Diagnostic::error("E0263", set.span, format!("`{text}` is no set that a parameter can stay in"))
        .here(format!("there are {}", SETS.join(", ")));
    match did_you_mean(&text, ["simplex", "sphere", "psd"]) {
        Some(near) => d.replace(set.span, near, format!("did you mean `{near}`?")),
        None => d,
    }
}

/// The length of all entries as one vector.
fn length(graph: &mut Graph, x: Id) -> Id {
    let squares = graph.unary(Unary::Square, x);
    let sum = graph.sum_all(squares);
    graph.unary(Unary::NormRoot, sum)
}

fn ball(graph: &mut Graph, x: Id, r: Id, shape: &Shape) -> Id {
    let length = length(graph, x);
    let inside = graph.binary(Binary::Le, length, r);
    let scale = graph.binary(Binary::Div, r, length);
    let scale = graph.broadcast_to(scale, shape);
    let scaled = graph.binary(Binary::Mul, x, scale);
    let inside = graph.broadcast_to(inside, shape);
    graph.add(Op::Select, &[inside, x, scaled])
}

fn sphere(graph: &mut Graph, x: Id, shape: &Shape) -> Id {
    let length = length(graph, x);
    let zero = graph.number(0.0);
    let nowhere = graph.binary(Binary::Eq, length, zero);
    let nowhere = graph.broadcast_to(nowhere, shape);
    let wide = graph.broadcast_to(length, shape);
    let scaled = graph.binary(Binary::Div, x, wide);
    let sizes: Vec<usize> = shape.0.iter().map(|dim| if let Dim::Size(n) = dim { *n } else { 1 }).collect();
    let mut axis = vec![0.0; sizes.iter().product()];
    axis.iter_mut().take(1).for_each(|first| *first = 1.0);
    let first = graph.literal(&sizes, &axis);
    graph.add(Op::Select, &[nowhere, first, scaled])
}

fn simplex(graph: &mut Graph, x: Id, n: usize) -> Id {
    let shape = Shape::fixed(&[n]);
    let ascending = graph.add(Op::Sort(0), &[x]);
    let descending = graph.add(Op::Slice { axis: 0, start: n - 1, step: -1, len: n }, &[ascending]);
    let sums = graph.add(Op::Cumsum { axis: 0, reverse: false }, &[descending]);
    let one = graph.number(1.0);
    let one = graph.broadcast_to(one, &shape);
    let above = graph.binary(Binary::Sub, sums, one);
    let counts: Vec<f64> = (1..=n).map(|k| k as f64).collect();
    let counts = graph.literal(&[n], &counts);
    let thresholds = graph.binary(Binary::Div, above, counts);
    let threshold = graph.reduce(Reduce::Max, 0, thresholds);
    let threshold = graph.broadcast_to(threshold, &shape);
    let shifted = graph.binary(Binary::Sub, x, threshold);
    let zero = graph.number(0.0);
    let zero = graph.broadcast_to(zero, &shape);
    graph.binary(Binary::Maximum, shifted, zero)
}
