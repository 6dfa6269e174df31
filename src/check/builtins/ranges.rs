//! Built-in functions that make lists of numbers: `linspace`, `geomspace`, `arange`.
//!
//! Their values are fixed before running.

use super::{Call, limited};
use crate::check::lower::{Lower, R, Reported, Val};
use crate::diag::Diagnostic;
use crate::numeric::elementary;

fn spaced(lower: &mut Lower<'_>, call: &Call<'_>) -> R<(f64, f64, usize)> {
    let low = lower.constant(call.args[0], "the first value")?;
    let high = lower.constant(call.args[1], "the last value")?;
    let n = lower.whole(call.args[2], "the number of values", 1.0)?;
    limited(lower, call, &[n])?;
    Ok((low, high, n))
}

pub(super) fn vector(lower: &mut Lower<'_>, values: &[f64]) -> Val {
    Val::Node(lower.model.graph.literal(&[values.len()], values))
}

/// NumPy's `linspace`: `low + i*step`, the last value exactly `high`.
fn steps(low: f64, high: f64, n: usize) -> Vec<f64> {
    let step = (high - low) / (n.max(2) - 1) as f64;
    (0..n).map(|i| if i + 1 == n && n > 1 { high } else { low + i as f64 * step }).collect()
}

pub(super) fn linspace(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (low, high, n) = spaced(lower, call)?;
    Ok(vector(lower, &steps(low, high, n)))
}

pub(super) fn logspace(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (low, high, n) = spaced(lower, call)?;
    let values: Vec<f64> = steps(low, high, n).iter().map(|&x| elementary::pow(10.0, x)).collect();
    Ok(vector(lower, &values))
}

pub(super) fn geomspace(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (low, high, n) = spaced(lower, call)?;
    if low <= 0.0 || high <= 0.0 {
        let at = if low <= 0.0 { call.args[0] } else { call.args[1] };
        let diagnostic = Diagnostic::error("E0331", at.span, "`geomspace` takes the values themselves, which are positive")
            .here(format!("from {low} to {high}"));
        return lower.fail(diagnostic.replace(call.name.span, "logspace", "if these are powers of ten, write"));
    }
    let (a, b) = (elementary::log10(low), elementary::log10(high));
    let mut values: Vec<f64> = steps(a, b, n).iter().map(|&x| elementary::pow(10.0, x)).collect();
    values[0] = low;
    if n > 1 {
        values[n - 1] = high;
    }
    Ok(vector(lower, &values))
}

pub(super) fn arange(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let numbers = call.args.iter().map(|e| lower.constant(e, "a bound")).collect::<Vec<_>>().into_iter().collect::<R<Vec<f64>>>()?;
    let (start, stop, step) = match numbers[..] {
        [stop] => (0.0, stop, 1.0),
        [start, stop] => (start, stop, 1.0),
        [start, stop, step, ..] => (start, stop, step),
        [] => return Err(Reported),
    };
    let n = ((stop - start) / step).ceil();
    if step == 0.0 || !n.is_finite() || n < 1.0 {
        return lower.fail(Diagnostic::error("E0332", call.span, "this range is empty").here(format!("from {start} to {stop} by {step}")));
    }
    limited(lower, call, &[n as usize])?;
    let values: Vec<f64> = (0..n as usize).map(|i| start + i as f64 * step).collect();
    Ok(vector(lower, &values))
}
