//! Words for values: numbers as people read them, the values of axes, names of cells.
//!
//! It knows no layout and no renderer.

use super::cells::{Place, Reader, Value, mentions};
use crate::numeric::format::{printf, shortest};

/// Digits of a number that is read by people.
pub(super) const DIGITS: usize = 6;
/// Whole numbers below this are written with all their digits.
const WHOLE: f64 = 1e15;

/// A number with at most so many significant digits. Whole numbers keep all of theirs; others do not pretend to.
pub(super) fn significant(x: f64, digits: usize) -> String {
    if !x.is_finite() || (x.fract() == 0.0 && x.abs() < WHOLE) {
        return shortest(x);
    }
    let rounded = format!("{x:.*e}", digits.saturating_sub(1));
    let value: f64 = rounded.parse().unwrap_or(x);
    match rounded.split_once('e') {
        // Zeros in place of digits that were rounded away would look like digits.
        Some((mantissa, exponent)) if exponent.parse::<usize>().is_ok_and(|exponent| exponent >= digits) => {
            let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
            format!("{mantissa}e{exponent}")
        }
        _ => shortest(value),
    }
}

/// A number by a printf format; the checker has seen to it that it is one.
pub(super) fn formatted(format: &str, x: f64) -> String {
    printf(format, x).unwrap_or_else(|_| significant(x, DIGITS))
}

/// The value of an axis.
pub(super) fn value_text(value: Value<'_>) -> String {
    match value {
        Value::Blank => "-".to_owned(),
        Value::Number(x) => significant(x, DIGITS),
        Value::Text(text) => text.to_owned(),
    }
}

/// The values of several axes as one name: `momentum(beta = 0.5), lr = 0.6`. Blank ones, and those that the
/// optimizer's label has already, are left out.
pub(super) fn joined(pairs: &[(&str, Value<'_>)]) -> String {
    let optimizer = pairs.iter().find_map(|(name, value)| match value {
        Value::Text(text) if *name == "optimizer" => Some(*text),
        _ => None,
    });
    let said = |name: &str| optimizer.is_some_and(|label| mentions(label, name));
    let parts: Vec<String> = pairs
        .iter()
        .filter(|(name, value)| *value != Value::Blank && !said(name))
        .map(|(name, value)| match *name {
            "optimizer" | "loss" | "sweep" | "status" => value_text(*value),
            _ => format!("{name} = {}", value_text(*value)),
        })
        .collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(", ") }
}

/// A list in words: `a`, `a and b`, `a, b and c`.
pub(super) fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

impl Reader<'_> {
    /// A cell as messages name it: `cell 3 (gd, lr = 0.6)`.
    pub(super) fn cell_label(&self, place: Place) -> String {
        let (sweep, run) = (self.sweep(place), self.run(place));
        let mut names: Vec<&str> = sweep.varying.iter().map(String::as_str).collect();
        names.sort_by_key(|name| (*name != "optimizer", *name != "loss"));
        if sweep.replicates > 1 {
            names.push("replicate");
        }
        if run.fold.is_some() {
            names.push("fold");
        }
        let pairs: Vec<(&str, Value<'_>)> = names.into_iter().map(|name| (name, self.value(place, name))).collect();
        let of = if self.results.sweeps.len() > 1 { format!(" of `{}`", sweep.name) } else { String::new() };
        if pairs.is_empty() { format!("cell {}{of}", run.id) } else { format!("cell {}{of} ({})", run.id, joined(&pairs)) }
    }
}
