//! Reductions and scans along one axis, with their exact orders.
//!
//! It knows no products; those are in `product`.

use std::cmp::Ordering;

use ndarray::Axis;

use super::{Tensor, array};
use crate::expr::eval::elementwise::binary;
use crate::expr::op::{Binary, Reduce};
use crate::numeric::elementary::{exp, ln};
use crate::numeric::sums;

/// The sum along an axis: over axis 0 by [`sums::sum`], over other axes one accumulator that starts with the first element. 0 of nothing.
fn sum(axis: usize, x: &[f64]) -> f64 {
    if axis == 0 { sums::sum(x) } else { x.iter().copied().reduce(|s, x| s + x).unwrap_or(0.0) }
}

/// The largest, by `Maximum`; -inf of nothing.
fn max(x: &[f64]) -> f64 {
    x.iter().copied().reduce(|a, b| binary(Binary::Maximum, a, b)).unwrap_or(f64::NEG_INFINITY)
}

/// The index of the first element that no other exceeds; the first NaN if there is one. NaN of nothing.
fn arg_max(x: &[f64]) -> f64 {
    let better = |a: f64, b: f64| !a.is_nan() && (b.is_nan() || b > a);
    (0..x.len()).reduce(|best, i| if better(x[best], x[i]) { i } else { best }).map_or(f64::NAN, |i| i as f64)
}

fn negated(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| -x).collect()
}

/// The middle one in ascending order, or `(a + b)/2` of the two middle ones. NaN if one is, and of nothing.
fn median(x: &[f64]) -> f64 {
    if x.is_empty() || x.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    let order = order(x);
    let (low, high) = (x[order[(x.len() - 1) / 2]], x[order[x.len() / 2]]);
    if x.len() % 2 == 1 { low } else { low.midpoint(high) }
}

/// The largest and the sum of `exp(x - largest)`, in the order of a sum along the same axis.
fn scaled(axis: usize, x: &[f64]) -> (f64, f64) {
    let largest = max(x);
    (largest, sum(axis, &x.iter().map(|x| exp(x - largest)).collect::<Vec<_>>()))
}

/// `m + log(sum(exp(x - m)))` with the largest `m`; `m` itself when it is infinite, so that nothing but -inf gives -inf.
fn log_sum_exp(axis: usize, x: &[f64]) -> f64 {
    let (largest, total) = scaled(axis, x);
    if largest.is_infinite() { largest } else { largest + ln(total) }
}

/// A reduction; the axis disappears.
pub(super) fn reduce(op: Reduce, axis: usize, x: &Tensor) -> Tensor {
    let along = |lane: &[f64]| match op {
        Reduce::ArgMax => arg_max(lane),
        Reduce::ArgMin => arg_max(&negated(lane)),
        Reduce::LogSumExp => log_sum_exp(axis, lane),
        Reduce::Max => max(lane),
        Reduce::Median => median(lane),
        Reduce::Min => -max(&negated(lane)),
        // Ascending, from the first element; 1 of nothing.
        Reduce::Prod => lane.iter().copied().reduce(|p, x| p * x).unwrap_or(1.0),
        Reduce::Sum => sum(axis, lane),
        // In classes and chunks along every axis: only sums over rows are made into it.
        Reduce::SumLog1p => sums::sum_log1p(lane),
    };
    let mut sizes = x.shape().to_vec();
    sizes.remove(axis);
    let values = x.lanes(Axis(axis)).into_iter().map(|lane| along(&lane.to_vec())).collect();
    array(ndarray::IxDyn(&sizes), values)
}

/// Each lane along the axis replaced by a function of it, in the same shape.
fn each_lane(x: &Tensor, axis: usize, f: impl Fn(&[f64]) -> Vec<f64>) -> Tensor {
    let mut result = x.as_standard_layout().into_owned();
    for mut lane in result.lanes_mut(Axis(axis)) {
        let new = f(&lane.to_vec());
        lane.iter_mut().zip(new).for_each(|(old, new)| *old = new);
    }
    result
}

/// `exp(x - m)/s` with the largest `m` and the sum `s` of those exponentials.
pub(super) fn softmax(x: &Tensor, axis: usize) -> Tensor {
    each_lane(x, axis, |lane| {
        let (largest, total) = scaled(axis, lane);
        lane.iter().map(|x| exp(x - largest) / total).collect()
    })
}

/// `(x - m) - log(s)` with `m` and `s` as in [`softmax`].
pub(super) fn log_softmax(x: &Tensor, axis: usize) -> Tensor {
    each_lane(x, axis, |lane| {
        let (largest, total) = scaled(axis, lane);
        let log_total = ln(total);
        lane.iter().map(|x| (x - largest) - log_total).collect()
    })
}

/// Running sums from the first element upwards, or from the last downwards; one accumulator that starts with that element.
pub(super) fn cumsum(x: &Tensor, axis: usize, reverse: bool) -> Tensor {
    each_lane(x, axis, |lane| {
        let mut sums = lane.to_vec();
        if reverse {
            sums.reverse();
        }
        for i in 1..sums.len() {
            sums[i] += sums[i - 1];
        }
        if reverse {
            sums.reverse();
        }
        sums
    })
}

/// Ascending; NaN last, and equals (-0 and +0 too) in the order they had.
pub(super) fn sort(x: &Tensor, axis: usize) -> Tensor {
    each_lane(x, axis, |lane| order(lane).into_iter().map(|i| lane[i]).collect())
}

/// The indices of [`sort`].
pub(super) fn argsort(x: &Tensor, axis: usize) -> Tensor {
    each_lane(x, axis, |lane| order(lane).into_iter().map(|i| i as f64).collect())
}

fn order(x: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    // NaN is equal to NaN and above everything else, so this is a total preorder.
    order.sort_by(|&i, &j| x[i].partial_cmp(&x[j]).unwrap_or_else(|| x[i].is_nan().cmp(&x[j].is_nan()).then(Ordering::Equal)));
    order
}
