//! What `--set NAME=VALUE` puts into a tree in place of what was written.
//!
//! It does not judge the value: it is checked like the text that it replaces, and errors point at the argument.

use super::ast::{Arg, Axis, Expr, ExprKind, File, Ident, ItemKind, RepeatCount, SweepLine, SweepLineKind};
use super::recover::parse_expr_after;
use crate::diag::{Diagnostics, did_you_mean};
use crate::source::{Sources, Span};

/// Why nothing was set.
#[derive(Debug)]
pub enum NotSet {
    /// There is nothing of that name, or it cannot be set: one line.
    Words(String),
    /// The value is no expression.
    Value(Diagnostics),
}

/// Sets a `hyper`, the seed of `rng`, or `SWEEP.LINE`.
///
/// # Errors
/// When there is nothing of that name, or the value is no expression.
pub fn set(sources: &mut Sources, file: &mut File, argument: &str) -> Result<(), NotSet> {
    let (left, right) = argument.split_once('=').unwrap_or((argument, ""));
    let name = left.trim();
    if name.is_empty() || right.trim().is_empty() {
        return words(format!("`--set {argument}` says no value; such as `--set lambda=0.1`, `--set fit.steps=100`"));
    }
    let id = sources.add(format!("--set {argument}"), "", argument, false);
    let value = parse_expr_after(sources, id, left.len() + 1).map_err(NotSet::Value)?;
    match name.split_once('.') {
        Some((sweep, line)) => {
            let named = |kind: &ItemKind| if let ItemKind::Sweep { name, .. } = kind { Some(name.name.clone()) } else { None };
            let known: Vec<String> = file.items.iter().filter_map(|item| named(&item.kind)).collect();
            let lines = file.items.iter_mut().find_map(|item| match &mut item.kind {
                ItemKind::Sweep { name, lines, .. } if name.name == sweep => Some(lines),
                _ => None,
            });
            let Some(lines) = lines else { return unknown(&format!("no sweep is called `{sweep}`"), sweep, &known) };
            let end = left.trim_end().len();
            set_line(lines, &Ident { name: line.to_owned(), span: Span::new(id, end - line.len(), end) }, value);
            Ok(())
        }
        None => set_name(file, name, value),
    }
}

fn words<T>(text: String) -> Result<T, NotSet> {
    Err(NotSet::Words(text))
}

fn unknown<T>(what: &str, name: &str, known: &[String]) -> Result<T, NotSet> {
    let help = match did_you_mean(name, known.iter().map(String::as_str)) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; there are {}", known.join(", ")),
    };
    words(format!("--set: {what}{help}"))
}

fn set_name(file: &mut File, name: &str, value: Expr) -> Result<(), NotSet> {
    let mut known = Vec::new();
    for item in &mut file.items {
        match &mut item.kind {
            ItemKind::Rng { numpy, seed } if name == "rng" => {
                match &value.kind {
                    ExprKind::Call { name, args, .. } if name.name == "numpy" && matches!(args[..], [Arg::Positional(_)]) => {
                        if let Some(Arg::Positional(own)) = args.first() {
                            (*numpy, *seed) = (true, own.clone());
                        }
                    }
                    _ => *seed = value,
                }
                return Ok(());
            }
            ItemKind::Hyper { name: own, value: old } => {
                if own.name == name {
                    *old = value;
                    return Ok(());
                }
                known.push(own.name.clone());
            }
            ItemKind::Param { name: own, .. } | ItemKind::Let { name: own, .. } if own.name == name => {
                return words(format!("--set: `{name}` is no `hyper`: a `param` or `let` cannot be set from outside"));
            }
            _ => {}
        }
    }
    if name == "rng" {
        return words("--set: this spec has no `rng` line".to_owned());
    }
    unknown(&format!("no `hyper` is called `{name}`"), name, &known)
}

/// Replaces the value of a line of a sweep, or adds the line.
fn set_line(lines: &mut Vec<SweepLine>, name: &Ident, value: Expr) {
    let many = matches!(value.kind, ExprKind::List(_));
    for line in lines.iter_mut() {
        match &mut line.kind {
            SweepLineKind::Axis(axis) if axis.name.name == name.name => {
                (axis.many, axis.values) = (many, value);
                return;
            }
            SweepLineKind::Zip(axes) => {
                if let Some(axis) = axes.iter_mut().find(|axis| axis.name.name == name.name) {
                    axis.values = value;
                    return;
                }
            }
            SweepLineKind::Batches { size, .. } if name.name == "batches" => {
                *size = value;
                return;
            }
            SweepLineKind::Repeat { count, .. } if name.name == "repeat" => {
                *count = RepeatCount::Times(value);
                return;
            }
            // The other way to say how long a run is.
            SweepLineKind::Axis(axis)
                if [("steps", "epochs"), ("epochs", "steps")].contains(&(axis.name.name.as_str(), name.name.as_str())) =>
            {
                *axis = Axis { name: name.clone(), values: value, many };
                return;
            }
            _ => {}
        }
    }
    lines.push(SweepLine { kind: SweepLineKind::Axis(Axis { name: name.clone(), values: value, many }), span: name.span });
}
