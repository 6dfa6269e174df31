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

/// Below this, numbers that stand beside smaller ones are written as those are.
const SMALL: f64 = 0.01;

/// Texts of values that stand beside one another, alike: beside `1e-5`, `0.0001` is `1e-4`.
pub(super) fn alike(texts: Vec<String>) -> Vec<String> {
    let number = |text: &String| text.parse::<f64>().ok();
    let small = |text: &String| text.contains("e-") && number(text).is_some();
    if !texts.iter().any(small) {
        return texts;
    }
    let rewritten = |text: String| match number(&text) {
        Some(x) => small_number(x).unwrap_or(text),
        None => text,
    };
    texts.into_iter().map(rewritten).collect()
}

/// A small number with a power of ten, as it is written beside smaller ones.
pub(super) fn small_number(x: f64) -> Option<String> {
    (x != 0.0 && x.abs() < SMALL).then(|| {
        let text = format!("{x:.*e}", DIGITS - 1);
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
        format!("{mantissa}e{exponent}")
    })
}

/// The values of several axes as one name: `momentum(beta = 0.5), lr = 0.6`. Blank ones, and those that the
/// optimizer's label has already, are left out.
pub(super) fn joined(pairs: &[(&str, Value<'_>)]) -> String {
    let texts: Vec<String> = pairs.iter().map(|(_, value)| value_text(*value)).collect();
    joined_texts(pairs, &texts)
}

/// The same with the texts of the values.
pub(super) fn joined_texts(pairs: &[(&str, Value<'_>)], texts: &[String]) -> String {
    let optimizer = pairs.iter().find_map(|(name, value)| match value {
        Value::Text(text) if *name == "optimizer" => Some(*text),
        _ => None,
    });
    let said = |name: &str| optimizer.is_some_and(|label| mentions(label, name));
    let parts: Vec<String> = pairs
        .iter()
        .zip(texts)
        .filter(|((name, value), _)| *value != Value::Blank && !said(name))
        .map(|((name, _), text)| match *name {
            "optimizer" | "loss" | "sweep" | "status" => text.clone(),
            _ => format!("{name} = {text}"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_by_decade_are_written_alike() {
        let texts = |values: &[f64]| alike(values.iter().map(|&x| value_text(Value::Number(x))).collect());
        assert_eq!(texts(&[1e-5, 1e-4, 3e-4, 1e-3, 1e-2]), ["1e-5", "1e-4", "3e-4", "1e-3", "0.01"]);
        assert_eq!(texts(&[1e-4, 1e-3]), ["0.0001", "0.001"]);
        assert_eq!(texts(&[-2.5e-3, 0.0, 1e-9, 1e6]), ["-2.5e-3", "0", "1e-9", "1000000"]);
        assert_eq!(alike(vec!["1e-5".into(), "gd".into(), "-".into()]), ["1e-5", "gd", "-"]);
    }
}
