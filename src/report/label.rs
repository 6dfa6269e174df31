//! Words for values: numbers as people read them, the values of axes, names of cells.
//!
//! It knows no layout and no renderer.

use super::cells::{Place, Reader, Value, mentions};

/// Digits of a number that is read by people.
pub(super) const DIGITS: usize = 6;

/// A number with at most so many significant digits.
pub(super) fn significant(x: f64, digits: usize) -> String {
    written(x, &format!("{x:.*e}", digits.saturating_sub(1)))
}

/// The shortest text that reads back to the same number.
pub(super) fn shortest(x: f64) -> String {
    written(x, &format!("{x:e}"))
}

/// A number from its digits in scientific form: plain where that is not long.
fn written(x: f64, scientific: &str) -> String {
    if x.is_nan() {
        return "nan".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let digits = digits.trim_end_matches('0');
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if digits.is_empty() {
        return format!("{sign}0");
    }
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    if !(-5..16).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}e{exponent}");
    }
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    }
    if count <= exponent + 1 {
        return format!("{sign}{digits}{}", "0".repeat((exponent + 1 - count) as usize));
    }
    let (whole, part) = digits.split_at(exponent as usize + 1);
    format!("{sign}{whole}.{part}")
}

/// A number by a printf format.
pub(super) fn formatted(format: &str, x: f64) -> String {
    let _ = format;
    significant(x, DIGITS)
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
