//! Text of numbers, indices and slices.
//!
//! It knows no expressions.

use std::f64::consts::{E, PI};

use crate::shape::Dim;

/// From this length on a number is better written as an expression.
const MANY_DIGITS: usize = 12;

/// A number as the language writes it, in the fewest digits that read back to the same bits.
pub(super) fn number(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_string();
    }
    let text = format!("{x:?}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}

/// A number, or a short expression with its very bits such as `pi`, `2*pi` or `1/3` where its digits are many; and whether that is a
/// product or quotient. `free` says whether the name of a constant means the constant.
pub(super) fn number_or_expression(x: f64, free: impl Fn(&str) -> bool) -> (String, bool) {
    let is = |value: f64| value.to_bits() == x.to_bits();
    if let Some((name, _)) = [("pi", PI), ("e", E)].into_iter().find(|&(name, value)| is(value) && free(name)) {
        return (name.to_string(), false);
    }
    let text = number(x);
    if !x.is_finite() || text.len() < MANY_DIGITS {
        return (text, false);
    }
    let fraction = (2..=12u32).map(f64::from).find_map(|q| {
        let p = (x * q).round();
        (p.abs() < 1000.0 && is(p / q)).then(|| format!("{}/{}", number(p), number(q)))
    });
    let multiple = || {
        let k = (x / PI * 1e4).round() / 1e4;
        let quotient = (2..=6u32).map(f64::from).find(|q| is(PI / q)).map(|q| format!("pi/{}", number(q)));
        quotient.or_else(|| is(k * PI).then(|| format!("{}*pi", number(k)))).filter(|_| free("pi"))
    };
    fraction.or_else(multiple).map_or((text, false), |text| (text, true))
}

/// `[:, text]`: an index along one axis.
pub(super) fn index_text(axis: usize, rank: usize, text: &str) -> String {
    debug_assert!(axis < rank, "internal: axis {axis} of {rank}");
    let mut marks = vec![":"; axis];
    marks.push(text);
    format!("[{}]", marks.join(", "))
}

/// `start:stop:step`, with what NumPy lets one leave out left out.
pub(super) fn slice_text(start: usize, step: isize, len: usize, size: Dim) -> String {
    let size = if let Dim::Size(n) = size { Some(n) } else { None };
    // An empty slice of any step is an empty forward one.
    let step = if len == 0 { 1 } else { step };
    let stop = (start as i128) + (step as i128) * (len as i128);
    let step_text = if step == 1 { String::new() } else { format!(":{step}") };
    let (from_edge, to_edge) = if step > 0 {
        (start == 0, size.is_some_and(|n| stop >= n as i128) && len > 0)
    } else {
        (size.is_some_and(|n| start + 1 == n), stop < 0)
    };
    let start_text = if from_edge { String::new() } else { start.to_string() };
    let stop_text = if to_edge { String::new() } else { stop.to_string() };
    format!("{start_text}:{stop_text}{step_text}")
}
