//! JSON values for `--format json`: tables, checks, sweeps. Numbers read back exactly; those that are not finite are strings.
//!
//! It does not put the document together.

use serde_json::{Map, Number, Value, json};

use super::{FlatValue, flatten};
use crate::diag::printable;
use crate::numeric::format::shortest;
use crate::report::expect::{CheckResult, Got, Kind};
use crate::report::table::Table;
use crate::results::{Fold, Setting, SweepResults};

/// The largest size up to which every whole number is a float.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// A number; `"nan"`, `"inf"` or `"-inf"` where JSON has none.
#[must_use]
pub fn number_json(x: f64) -> Value {
    if x.fract() == 0.0 && x.abs() < WHOLE && !(x == 0.0 && x.is_sign_negative()) {
        return Value::from(x as i64);
    }
    Number::from_f64(x).map_or_else(|| Value::from(shortest(x)), Value::Number)
}

/// `{ "columns": [..], "rows": [[..], ..] }`.
#[must_use]
pub fn table_json(table: &Table) -> Value {
    let flat = flatten(table);
    let value = |value: &FlatValue| match value {
        FlatValue::Nothing => Value::Null,
        FlatValue::Number(x) => number_json(*x),
        FlatValue::Text(text) => text_json(text),
    };
    let rows: Vec<Value> = flat.rows.iter().map(|row| row.iter().map(value).collect()).collect();
    let columns: Vec<Value> = flat.headings.iter().map(|heading| text_json(heading)).collect();
    json!({ "columns": columns, "rows": rows })
}

/// `{ "kind": "expect", "text": .., "passed": .., "got": .., "points": .., "line": .. }`; what a hidden check got is not in it.
#[must_use]
pub fn check_json(check: &CheckResult) -> Value {
    let got = match &check.got {
        Some(Got::Number(x)) => number_json(*x),
        Some(Got::Text(text)) => text_json(text),
        None => Value::Null,
    };
    let mut object = Map::new();
    object.insert("kind".to_owned(), Value::from(check.kind.keyword()));
    if let Kind::Claim(verdict) = check.kind {
        object.insert("verdict".to_owned(), Value::from(verdict));
    }
    object.insert("text".to_owned(), if check.hidden { Value::Null } else { text_json(&check.text) });
    object.insert("passed".to_owned(), Value::from(check.passed));
    object.insert("got".to_owned(), got);
    if let Some(points) = check.points {
        object.insert("points".to_owned(), number_json(points));
    }
    object.insert("line".to_owned(), Value::from(check.line));
    if !check.message.is_empty() {
        object.insert("message".to_owned(), text_json(&check.message));
    }
    Value::Object(object)
}

/// `{ "cells": [..] }`: a cell has its settings, how it ended, and the final values that were asked for.
#[must_use]
pub fn sweep_json(sweep: &SweepResults) -> Value {
    let cells = sweep.runs().map(|run| {
        let hyper = sweep.axes.iter().zip(run.settings).filter_map(|(axis, setting)| {
            let value = match setting {
                Setting::Blank => return None,
                Setting::Number(x) => number_json(*x),
                Setting::Text(text) => text_json(text),
            };
            Some((printable(axis), value))
        });
        let finals = sweep.folds.iter().enumerate().filter_map(|(at, fold)| {
            let Fold::Final(quantity) = fold else { return None };
            let quantity = sweep.quantities.get(*quantity)?;
            Some((printable(&quantity.text), nested(&quantity.sizes, run.folded(at)?)))
        });
        let mut cell = json!({
            "id": run.id,
            "optimizer": printable(run.optimizer),
            "loss": printable(run.loss),
            "hyper": hyper.collect::<Map<String, Value>>(),
            "replicate": run.replicate,
            "status": run.status.name(),
            "steps": run.steps,
            "epochs": run.epochs,
            "evaluations": run.evaluations,
            "reason": printable(run.reason),
            "final": finals.collect::<Map<String, Value>>(),
        });
        if let (Some(fold), Some(object)) = (run.fold, cell.as_object_mut()) {
            object.insert("fold".to_owned(), Value::from(fold));
        }
        cell
    });
    json!({ "cells": cells.collect::<Vec<Value>>() })
}

fn text_json(text: &str) -> Value {
    Value::from(printable(text))
}

/// Elements as lists in lists.
fn nested(sizes: &[usize], values: &[f64]) -> Value {
    match sizes {
        [] => values.first().map_or(Value::Null, |x| number_json(*x)),
        [_] => values.iter().map(|x| number_json(*x)).collect(),
        [_, inner @ ..] => values.chunks(inner.iter().product::<usize>().max(1)).map(|part| nested(inner, part)).collect(),
    }
}
