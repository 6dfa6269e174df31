//! Findings about the loss: a sum where a mean is looked at, squashed logits, slopes without bound, saturation, units that are dead.
//!
//! Of rates see `rate`.

use ndarray::{ArrayD, Axis};

use super::calculus::{Point, flatten};
use super::case::{Case, Kind, largest_of};
use super::rate::tried;
use super::{Found, short};
use crate::check::decls::ValueKind;
use crate::check::draw;
use crate::check::lower::Val;
use crate::expr::diff;
use crate::expr::eval;
use crate::expr::graph::{Graph, Id};
use crate::expr::op::{Binary, InputId, Op, Reduce, Unary};
use crate::numeric::{elementary, linalg};
use crate::shape::Dim;
use crate::source::Span;

/// Where the loss is declared.
fn loss_span(case: &Case<'_>) -> Span {
    let name = case.loss_name().trim_start_matches('-');
    case.program.decls.values.get(name).map_or(case.spec.span, |value| value.name.span)
}

/// The loss is as many times a metric as there are rows, and the steps are in proportion to the gradient.
pub(super) fn sum_not_mean(case: &Case<'_>) -> Option<Found> {
    let (Kind::Proportional(factor), Some((_, rate))) = (case.kind, case.rate) else { return None };
    let model = &case.program.model;
    let name = case.loss_name().trim_start_matches('-');
    let Some(Val::Node(loss)) = model.names.get(name) else { return None };
    let starts = draw::usual_starts(case.program, model).ok()?;
    let rows: Vec<usize> = (0..model.rows.0.len()).map(|at| model.rows.0[at]).filter(|&n| n > 1).collect();
    for (other, value) in &model.names {
        let Val::Node(id) = value else { continue };
        let is_metric =
            matches!(case.program.decls.values.get(other).map(|v| &v.kind), Some(ValueKind::Metric { .. } | ValueKind::Loss { .. }));
        if other == name || !is_metric || !model.graph.shape(*id).is_scalar() {
            continue;
        }
        let ratio = |by: f64| -> Option<f64> {
            let inputs = |input: InputId| {
                let start = starts.iter().find(|(known, _)| *known == input).map(|(_, value)| value.mapv(|x| x + by * (1.0 + x.abs())));
                start.or_else(|| model.known.get(&input).map(|value| (**value).clone()))
            };
            let values = eval::evaluate(&model.graph, &[*loss, *id], &inputs, &model.rows).ok()?;
            Some(values[0].first()? / values[1].first()?)
        };
        let Some(ratios) = [0.0, 0.01, -0.02].into_iter().map(ratio).collect::<Option<Vec<f64>>>() else { continue };
        let Some(&n) = rows.iter().find(|&&n| ratios.iter().all(|r| (r - n as f64).abs() <= 1e-9 * n as f64)) else { continue };
        let sentence = format!(
            "`{name}` is minimized and `{other}` is {name}/{n}: the gradient is {n} times that of `{other}`, on which lr = {} acts like lr = {}",
            short(rate),
            short(rate * n as f64)
        );
        let mut found = Found::new(loss_span(case), sentence);
        found.evidence = vec![("ratio", n as f64), ("lr", rate), ("lr_of_mean", rate * n as f64), ("step_per_gradient", factor)];
        return Some(found);
    }
    None
}

/// What a node is a copy of, in another arrangement.
fn unarranged(graph: &Graph, mut id: Id) -> Id {
    while let Op::Transpose | Op::Expand(_) | Op::Squeeze(_) | Op::Reshape(_) | Op::Slice { .. } | Op::Broadcast(_) = graph.node(id).op {
        id = graph.node(id).args[0];
    }
    id
}

/// Numbers between two bounds go into a softmax, so that no probability comes near 1.
pub(super) fn squashed_logits(case: &Case<'_>) -> Option<Found> {
    let graph = &case.unit.graph;
    for id in graph.reachable(&[case.unit.loss]) {
        let node = graph.node(id);
        let (Op::Softmax(axis) | Op::LogSoftmax(axis) | Op::Reduce(Reduce::LogSumExp, axis)) = node.op else { continue };
        let arg = node.args[0];
        let inner = unarranged(graph, arg);
        if !case.unit.params.iter().any(|slot| diff::depends_differentiably(graph, inner, slot.input)) {
            continue;
        }
        let (function, width) = match graph.node(inner).op {
            Op::Unary(Unary::Sigmoid) => ("sigmoid", 1.0),
            Op::Unary(Unary::Tanh) => ("tanh", 2.0),
            Op::Softmax(_) => ("softmax", 1.0),
            _ => continue,
        };
        let classes = case.unit.rows.of(*graph.shape(arg).0.get(axis)?);
        if classes < 2 {
            continue;
        }
        let others = (classes - 1) as f64;
        let floor = elementary::log1p(others * elementary::exp(-width));
        let chance = elementary::ln(classes as f64);
        let sentence = format!(
            "what goes into the softmax is a {function} and spans at most {}: with {classes} classes no probability exceeds {}, and -log of it stays above {} (chance is {})",
            short(width),
            short(1.0 / (1.0 + others * elementary::exp(-width))),
            short(floor),
            short(chance)
        );
        let mut found = Found::new(graph.span(inner).or(graph.span(id)).unwrap_or_else(|| loss_span(case)), sentence);
        found.evidence = vec![("classes", classes as f64), ("span", width), ("floor", floor), ("chance", chance)];
        return Some(found);
    }
    None
}

/// A root of something that can be 0: the gradient grows without bound there, and the penalty is not convex.
pub(super) fn unbounded_slope(case: &Case<'_>) -> Option<Found> {
    let graph = &case.unit.graph;
    for id in graph.reachable(&[case.unit.loss]) {
        let node = graph.node(id);
        let root = match node.op {
            Op::Binary(Binary::Pow) => graph.as_const(node.args[1]).is_some_and(|p| p > 0.0 && p < 1.0),
            Op::Unary(Unary::Sqrt) => true,
            _ => false,
        };
        if !root {
            continue;
        }
        for (place, slot) in case.unit.params.iter().enumerate() {
            if !diff::depends_differentiably(graph, node.args[0], slot.input) {
                continue;
            }
            let scaled = |by: f64| -> Point {
                let start =
                    if largest_of(&case.start()[place]) == 0.0 { case.start()[place].mapv(|_| 1.0) } else { case.start()[place].clone() };
                let mut point = case.start().clone();
                point[place] = start.mapv(|x| x * by);
                point
            };
            let slope =
                |by: f64| -> Option<f64> { Some(linalg::norm(&flatten(&case.calculus.gradient(case.cell, &scaled(by))?[place..=place]))) };
            let value = |by: f64| -> Option<f64> { Some(case.calculus.values(&[id], case.cell, &scaled(by), &|_| None)?[0].sum()) };
            let (whole, near, nearer) = (slope(1.0)?, slope(1e-6)?, slope(1e-10)?);
            // A power p < 1 lets the slope grow by 1e4^(1 - p) between the two; what is smooth, or a norm, has the same slope at both.
            if !(near.is_finite() && nearer > 2.0 * near && near > 2.0 * whole) {
                continue;
            }
            let (one, half, none) = (value(1.0)?, value(0.5)?, value(0.0)?);
            let convex = half <= 0.5 * (one + none) * (1.0 + 1e-12);
            let shape = if convex {
                String::new()
            } else {
                format!(
                    "; nor is this convex: halfway to 0 it is {}, above {}, the mean of its ends",
                    short(half),
                    short(0.5 * (one + none))
                )
            };
            let sentence = format!(
                "the slope along `{}` has no bound at 0: the gradient is {} at the start, {} at 1e-6 of it and {} at 1e-10 of it, so that no rate is small enough there{shape}",
                slot.name,
                short(whole),
                short(near),
                short(nearer)
            );
            let mut found = Found::new(graph.span(id).unwrap_or_else(|| loss_span(case)), sentence);
            found.evidence = vec![
                ("slope", whole),
                ("slope_at_1e-6", near),
                ("slope_at_1e-10", nearer),
                ("halfway", half),
                ("mean_of_ends", 0.5 * (one + none)),
            ];
            return Some(found);
        }
    }
    None
}

/// The values at the end that go into functions of a kind, where there is one for each row.
fn into(case: &Case<'_>, wanted: impl Fn(Unary) -> bool) -> Vec<(Id, ArrayD<f64>)> {
    let graph = &case.unit.graph;
    let Some(end) = case.end() else { return Vec::new() };
    let felt = |id: Id| case.unit.params.iter().any(|slot| diff::depends_differentiably(graph, id, slot.input));
    let mut args: Vec<Id> = graph
        .reachable(&[case.unit.loss])
        .into_iter()
        .filter_map(|id| match graph.node(id).op {
            Op::Unary(op) if wanted(op) => Some(graph.node(id).args[0]),
            _ => None,
        })
        .filter(|&arg| graph.shape(arg).has_rows() && felt(arg))
        .collect();
    args.dedup();
    let values = case.calculus.values(&args, case.cell, &end, &|_| None).unwrap_or_default();
    args.into_iter().zip(values).collect()
}

/// A run at a tenth or a hundredth of the rate, if it ends lower.
fn slower(case: &Case<'_>) -> Option<(f64, super::case::Measured)> {
    let (_, rate) = case.rate?;
    let rates = [rate / 10.0, rate / 100.0];
    let trials = case.at_rates(&rates)?;
    let (rate, best) = rates.into_iter().zip(trials).min_by(|(_, a), (_, b)| a.end.total_cmp(&b.end))?;
    (best.end.is_finite() && best.end < case.run.end).then_some((rate, best))
}

/// Beyond this a sigmoid has a slope below 1e-6.
const FLAT: f64 = 13.8;

/// More than a fifth of the rows sit where the sigmoid is flat, and the loss has been above its start.
pub(super) fn saturated(case: &Case<'_>) -> Option<Found> {
    if case.run.highest <= case.run.start {
        return None;
    }
    let (_, z) = into(case, |op| matches!(op, Unary::Sigmoid | Unary::Softplus | Unary::ExpNegAbs)).into_iter().next()?;
    let share = z.iter().filter(|x| x.abs() > FLAT).count() as f64 / z.len().max(1) as f64;
    if share <= 0.2 {
        return None;
    }
    let largest = largest_of(&z);
    let (rate, trial) = slower(case)?;
    let sentence = format!(
        "at the end {} % of the values that go into the sigmoid are beyond {FLAT}, where its slope is below 1e-6 (the largest is {}): those rows have stopped to say how wrong they are, and the loss has been up to {}",
        short(100.0 * share),
        short(largest),
        short(case.run.highest)
    );
    let mut found = Found::new(case.rate_span(), sentence);
    found.evidence = vec![("share", share), ("largest", largest), ("highest", case.run.highest)];
    found.tried = Some(tried(case, rate, &trial));
    Some(found)
}

/// More than two fifths of the units of a layer are 0 in every row.
pub(super) fn dead_units(case: &Case<'_>) -> Option<Found> {
    for (id, z) in into(case, |op| op == Unary::Relu) {
        let shape = case.unit.graph.shape(id);
        let axis = shape.0.iter().position(|dim| matches!(dim, Dim::Rows(_)))?;
        let units = z.len() / z.shape()[axis].max(1);
        let dead = z.lanes(Axis(axis)).into_iter().filter(|lane| lane.iter().all(|&x| x <= 0.0)).count();
        let share = dead as f64 / units.max(1) as f64;
        if units < 2 || share <= 0.4 {
            continue;
        }
        let (rate, trial) = slower(case)?;
        let sentence = format!(
            "{dead} of {units} relu units are dead at the end: what goes into them is below 0 in every row, so that their gradient is 0 and they cannot come back"
        );
        let mut found = Found::new(case.rate_span(), sentence);
        found.evidence = vec![("dead", dead as f64), ("units", units as f64), ("share", share)];
        found.tried = Some(tried(case, rate, &trial));
        return Some(found);
    }
    None
}
