//! Findings about the data: features of very different scales, rows that are left out.
//!
//! What looks odd in a file is told by `check`.

use std::collections::BTreeMap;

use ndarray::{ArrayD, Axis};

use super::calculus::Calculus;
use super::case::Case;
use super::{Found, Tried, short};
use crate::expr::diff;
use crate::expr::op::{InputId, Op};
use crate::plan::unit::Order;
use crate::shape::Dim;

/// A batch does not divide the rows, and what is left over is dropped.
pub(super) fn dropped_rows(case: &Case<'_>) -> Option<Found> {
    let batches = case.unit.batches.as_ref()?;
    let span = case.spec.batches.as_ref()?.span;
    let rows = case.unit.rows.of(Dim::Rows(batches.data));
    let left = rows.checked_rem(batches.size)?;
    if !batches.drop_last || left == 0 {
        return None;
    }
    let which = match batches.order {
        Order::InOrder => "always the same ones",
        Order::Given(_) | Order::Drawn(_) => return None,
        Order::Shuffled(_) | Order::Cumulatively(_) => "other ones each time, because of the shuffle",
    };
    let share = left as f64 / rows as f64;
    let sentence = format!(
        "{left} of {rows} rows ({} %) are left out in each epoch, {which}: {} batches of {} take {}",
        short(100.0 * share),
        rows / batches.size,
        batches.size,
        rows - left
    );
    let mut found = Found::new(span, sentence);
    found.evidence = vec![("left_out", left as f64), ("rows", rows as f64), ("share", share)];
    Some(found)
}

/// The mean and the standard deviation of each feature.
fn moments(column: &ArrayD<f64>) -> Vec<(f64, f64)> {
    let n = column.shape()[0].max(1) as f64;
    column
        .axis_iter(Axis(1))
        .map(|feature| {
            let mean = feature.sum() / n;
            (mean, (feature.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt())
        })
        .collect()
}

fn standardized(column: &ArrayD<f64>) -> ArrayD<f64> {
    let mut result = column.clone();
    for (mut feature, (mean, deviation)) in result.axis_iter_mut(Axis(1)).zip(moments(column)) {
        if deviation > 0.0 {
            feature.mapv_inplace(|x| (x - mean) / deviation);
        }
    }
    result
}

/// The most parameters for which all eigenvalues are computed.
const MOST: usize = 64;

/// The condition number: the largest eigenvalue over the smallest that is not 0 beside it.
fn condition(calculus: &Calculus<'_>, case: &Case<'_>) -> Option<(f64, f64)> {
    let values = calculus.eigenvalues(case.cell, case.start())?;
    let largest = values.iter().copied().fold(0.0, f64::max);
    let smallest = values.iter().copied().filter(|&x| x > 1e-12 * largest).fold(f64::INFINITY, f64::min);
    (largest > 0.0).then(|| (largest, largest / smallest))
}

/// Features whose scales are far apart make the condition number large, and standardized ones go farther in as many steps.
pub(super) fn feature_scales(case: &Case<'_>) -> Option<Found> {
    case.plain()?;
    let graph = &case.unit.graph;
    let elements: usize = case.start().iter().map(ArrayD::len).sum();
    if elements > MOST {
        return None;
    }
    let felt = |id| case.unit.params.iter().any(|slot| diff::depends_differentiably(graph, id, slot.input));
    let features: Vec<InputId> = graph
        .reachable(&[case.unit.loss])
        .into_iter()
        .filter(|&id| graph.node(id).op == Op::MatMul && felt(graph.node(id).args[1]))
        .filter_map(|id| graph.as_input(graph.node(id).args[0]))
        .collect();
    let (place, (input, column)) =
        case.unit.columns.iter().enumerate().find(|(_, (input, values))| features.contains(input) && values.ndim() == 2)?;
    let scales: Vec<f64> = moments(column).into_iter().map(|(_, deviation)| deviation).filter(|&d| d > 0.0).collect();
    let (low, high) = (scales.iter().copied().fold(f64::INFINITY, f64::min), scales.iter().copied().fold(0.0, f64::max));
    // The condition number grows like the square: a factor of 10 between scales is one of 100 there.
    if scales.len() < 2 || high < 10.0 * low {
        return None;
    }
    let (curvature, before) = condition(case.calculus, case)?;
    let mut unit = case.unit.clone();
    unit.columns[place].1 = std::sync::Arc::new(standardized(column));
    let mut calculus = Calculus::of(&unit)?;
    let columns: BTreeMap<InputId, ArrayD<f64>> = unit.columns.iter().map(|(input, values)| (*input, (**values).clone())).collect();
    calculus.with_columns(columns);
    let (flat, after) = condition(&calculus, case)?;
    if before < 10.0 * after {
        return None;
    }
    let (at, _) = case.rate?;
    let at_rate = |unit: &crate::plan::unit::Unit, rate: f64| {
        let mut cell = case.cell.clone();
        *cell.lane.get_mut(at)? = rate;
        super::case::measure(case.sweep, unit, vec![cell], case.design, case.budget, case.runner)?.pop()
    };
    // Each at the rate that suits it, so that only the scales make the difference.
    let (raw, even) = (at_rate(case.unit, 1.0 / curvature)?, at_rate(&unit, 1.0 / flat)?);
    let (best, way) = (raw.end.min(case.run.end), case.run.start - even.end);
    if even.end.is_nan() || way <= 0.0 || best - even.end <= 0.01 * way {
        return None;
    }
    let name = &graph.input_info(*input).name;
    let sentence = format!(
        "the columns of `{name}` have very different scales: the standard deviations span {} to {}, and the condition number of the Hessian at the start is {}; with `{name}` standardized it is {}",
        short(low),
        short(high),
        short(before),
        short(after)
    );
    let mut found = Found::new(case.rate_span(), sentence);
    found.evidence = vec![("smallest_scale", low), ("largest_scale", high), ("condition", before), ("standardized", after)];
    found.tried = Some(Tried {
        change: format!("standardize(..) for `{name}`, and lr = {}", short(1.0 / flat)),
        result: format!(
            "`{}` ends at {} after {} steps, instead of {} (and of {} as it is, with lr = 1/L = {})",
            case.loss_name(),
            short(even.end),
            even.steps,
            short(case.run.end),
            short(raw.end),
            short(1.0 / curvature)
        ),
    });
    Some(found)
}
