//! Declared values to graph nodes, in the order in which they need each other.
//!
//! Datasets are read before (`data`); what sweeps do with the values is in `sweep`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::builtins::LARGEST;
use super::decls::{Decls, Value, ValueKind, not_yet, walk};
use super::lower::{Lower, Model, R, Reported, Val};
use super::messages;
use super::within::{self, Within};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::expr::graph::{Id, InputKind};
use crate::shape::Shape;
use crate::source::Span;
use crate::syntax::ast::{Arg, Expr, ExprKind, Start};

/// A parameter of the model.
#[derive(Debug, Clone)]
pub(crate) struct ParamInfo {
    /// Full name.
    pub(crate) name: String,
    pub(crate) span: Span,
    /// Its input.
    pub(crate) id: Id,
    pub(crate) sizes: Vec<usize>,
    pub(crate) start: ParamStart,
    /// The set it stays in.
    pub(crate) within: Option<Within>,
}

/// Where a parameter starts.
#[derive(Debug, Clone)]
pub(crate) enum ParamStart {
    /// At a value: an expression in data and hypers.
    Value(Id),
    /// At a draw.
    Draw { draw: Draw, args: Vec<Id> },
}

/// The distributions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Draw {
    Normal,
    Uniform,
    LogUniform,
    Integers,
    Bernoulli,
    Poisson,
    Choice,
}

/// Name, number of arguments.
const DRAWS: [(&str, Draw, usize); 7] = [
    ("normal", Draw::Normal, 2),
    ("uniform", Draw::Uniform, 2),
    ("log_uniform", Draw::LogUniform, 2),
    ("integers", Draw::Integers, 2),
    ("bernoulli", Draw::Bernoulli, 1),
    ("poisson", Draw::Poisson, 1),
    ("choice", Draw::Choice, 1),
];

/// A `hyper`.
#[derive(Debug, Clone)]
pub(crate) struct HyperInfo {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) id: Id,
    pub(crate) value: f64,
}

/// The declared values as a model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Declared {
    pub(crate) params: Vec<ParamInfo>,
    pub(crate) hypers: Vec<HyperInfo>,
}

/// Lowers all declared values; `overrides` are values of hypers that fix shapes.
pub(crate) fn declare(model: &mut Model, decls: &Decls, overrides: &BTreeMap<String, f64>, diags: &mut Diagnostics) -> Declared {
    let mut declared = Declared::default();
    let (sorted, circular) = decls.sorted(diags);
    for full in circular {
        model.names.insert(full, Val::Broken);
    }
    for full in &sorted {
        if model.names.contains_key(full) {
            continue;
        }
        let Some(value) = decls.values.get(full) else { continue };
        let lowered = one(model, decls, full, value, overrides, &mut declared, diags);
        model.names.insert(full.clone(), lowered.unwrap_or(Val::Broken));
    }
    // Parameters in the order declared, whatever needed them first.
    declared.params.sort_by_key(|p| decls.order.iter().position(|name| *name == p.name));
    declared.hypers.sort_by_key(|h| decls.order.iter().position(|name| *name == h.name));
    declared
}

/// The hypers on which the shapes of parameters depend.
pub(crate) fn shape_hypers(decls: &Decls) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for value in decls.values.values() {
        let ValueKind::Param { shape: Some(sizes), .. } = &value.kind else { continue };
        let mut todo: Vec<(&str, &Expr)> = sizes.iter().map(|e| (value.module.as_str(), e)).collect();
        let mut seen: Vec<String> = Vec::new();
        while let Some((module, e)) = todo.pop() {
            walk(e, &mut |e| {
                if let ExprKind::Name(name) = &e.kind
                    && let Some(inner) = decls.value(module, name)
                {
                    let full = format!("{}{}", inner.module, inner.name.name);
                    if seen.contains(&full) {
                        return;
                    }
                    seen.push(full.clone());
                    if matches!(inner.kind, ValueKind::Hyper { .. }) {
                        found.push(full);
                    } else {
                        todo.extend(inner.kind.exprs().into_iter().map(|e| (inner.module.as_str(), e)));
                    }
                }
            });
        }
    }
    found.sort();
    found.dedup();
    found
}

fn one(
    model: &mut Model,
    decls: &Decls,
    full: &str,
    value: &Value,
    overrides: &BTreeMap<String, f64>,
    declared: &mut Declared,
    diags: &mut Diagnostics,
) -> R<Val> {
    let mut lower = Lower::new(model, decls, diags);
    lower.module.clone_from(&value.module);
    let name = &value.name;
    match &value.kind {
        ValueKind::Hyper { value: e } => {
            let written = lower.constant(e, "a `hyper`")?;
            let number = overrides.get(full).copied().unwrap_or(written);
            let id = lower.model.graph.input(full, InputKind::Hyper, Shape::scalar());
            if let Some(input) = lower.model.graph.as_input(id) {
                lower.model.known.insert(input, Arc::new(ndarray::arr0(number).into_dyn()));
            }
            declared.hypers.push(HyperInfo { name: full.to_string(), span: name.span, id, value: number });
            Ok(Val::Node(id))
        }
        ValueKind::Let { value: Start::Draw(e), .. } => lower.fail(not_yet(e.span, "a drawn `let`")),
        ValueKind::Let { value: Start::Missing, .. } => Err(Reported),
        ValueKind::Let { value: Start::Value(e), .. } => lower.value(e),
        ValueKind::Metric { value: e } => lower.node(e).map(Val::Node),
        ValueKind::Loss { value: e } => {
            let id = lower.node(e)?;
            if lower.model.graph.shape(id).is_scalar() {
                return Ok(Val::Node(id));
            }
            let shape = lower.show(id);
            let mut d = Diagnostic::error("E0353", e.span, format!("a loss is one number; `{}` is {shape}", name.name)).here(shape);
            let text = crate::syntax::print::expr(e);
            for f in ["mean", "sum"] {
                d = d.replace(e.span, format!("{f}({text})"), format!("take the {f}"));
            }
            lower.fail(d)
        }
        ValueKind::Param { shape, start, within } => {
            let mut sizes: Option<Vec<usize>> = match shape {
                None => None,
                Some(list) => {
                    let sizes =
                        list.iter().map(|e| lower.whole(e, "a size", 1.0)).collect::<Vec<_>>().into_iter().collect::<R<Vec<usize>>>()?;
                    let count = sizes.iter().try_fold(1usize, |n, &k| n.checked_mul(k));
                    if count.is_none_or(|n| n > LARGEST) {
                        let span = list.first().map_or(name.span, |e| e.span).to(list.last().map_or(name.span, |e| e.span));
                        let d = messages::too_large(span, &sizes);
                        return lower.fail(d);
                    }
                    Some(sizes)
                }
            };
            let start = match start {
                Start::Missing => {
                    let d = Diagnostic::error("E0231", name.span, format!("where does `{}` start?", name.name)).here("no start");
                    return lower.fail(d.replace(
                        shape.as_ref().and_then(|s| s.last()).map_or(name.span.end(), |e| Span {
                            lo: e.span.hi + 1,
                            hi: e.span.hi + 1,
                            ..e.span
                        }),
                        " = 0",
                        "say it",
                    ));
                }
                Start::Draw(e) => drawn(&mut lower, e)?,
                Start::Value(e) => {
                    let id = lower.node(e)?;
                    let found: Vec<usize> = lower.model.graph.shape(id).0.iter().map(|&dim| lower.model.rows.of(dim)).collect();
                    match &sizes {
                        None => sizes = Some(found),
                        Some(_) if found.is_empty() => {}
                        Some(wanted) if *wanted == found => {}
                        Some(wanted) => {
                            let (f, w) = (lower.show(id), lower.model.rows.show(&Shape::fixed(wanted)));
                            let d = Diagnostic::error("E0354", e.span, format!("`{}` is {w}, and its start {f}", name.name)).here(f);
                            return lower.fail(d.label(name.span, format!("declared {w}")));
                        }
                    }
                    let known = lower.model.graph.reachable(&[id]).iter().all(|&node| {
                        let input = lower.model.graph.as_input(node);
                        input.is_none_or(|input| lower.model.known.contains_key(&input))
                    });
                    if !known {
                        let d = Diagnostic::error("E0355", e.span, format!("the start of `{}` depends on a parameter", name.name))
                            .here("not known before the run");
                        return lower.fail(d);
                    }
                    ParamStart::Value(id)
                }
            };
            let sizes = sizes.unwrap_or_default();
            let id = lower.model.graph.input(full, InputKind::Param, Shape::fixed(&sizes));
            let within = match within {
                Some(set) => Some(within::within(&mut lower, value, set, id)?),
                None => None,
            };
            declared.params.push(ParamInfo { name: full.to_string(), span: name.span, id, sizes, start, within });
            Ok(Val::Node(id))
        }
    }
}

/// What other libraries call a distribution.
const ALIASES: [(&str, &str); 7] = [
    ("gaussian", "normal"),
    ("gauss", "normal"),
    ("randn", "normal"),
    ("rand", "uniform"),
    ("random", "uniform"),
    ("randint", "integers"),
    ("loguniform", "log_uniform"),
];

/// `normal(0, 1)` and the like as a start.
fn drawn(lower: &mut Lower<'_>, e: &Expr) -> R<ParamStart> {
    let (draw, args) = distribution(lower, e, true)?;
    Ok(ParamStart::Draw { draw, args })
}

/// A distribution and its arguments, which are numbers, or arrays where each element has its own.
pub(crate) fn distribution(lower: &mut Lower<'_>, e: &Expr, numbers: bool) -> R<(Draw, Vec<Id>)> {
    let ExprKind::Call { name, args, .. } = &e.kind else {
        return lower.fail(
            Diagnostic::error("E0232", e.span, "`~` draws from a distribution").here("no distribution").help("such as `~ normal(0, 1)`"),
        );
    };
    if name.name == "orthogonal" {
        return lower.fail(not_yet(e.span, "`orthogonal`"));
    }
    let Some((_, draw, count)) = DRAWS.iter().find(|(known, ..)| *known == name.name) else {
        let known: Vec<&str> = DRAWS.iter().map(|(n, ..)| *n).collect();
        let mut d = Diagnostic::error("E0236", name.span, format!("no distribution is called `{}`", name.name))
            .here(format!("there are {}", known.join(", ")));
        let alias = ALIASES.iter().find(|(theirs, _)| *theirs == name.name).map(|(_, ours)| *ours);
        if let Some(near) = alias.or_else(|| did_you_mean(&name.name, known)) {
            d = d.replace(name.span, near, format!("did you mean `{near}`?"));
        }
        return lower.fail(d);
    };
    if lower.decls.rng.is_none() {
        return lower.fail(messages::needs_seed(e.span, "drawn"));
    }
    let mut nodes = Vec::new();
    for arg in args {
        let Arg::Positional(e) = arg else {
            return lower.fail(
                Diagnostic::error("E0237", e.span, format!("the arguments of `{}` have no names", name.name))
                    .here("named, as in NumPy")
                    .help("they stand in order, such as `normal(0, 1)`: mean, standard deviation; `uniform(low, high)`"),
            );
        };
        let id = lower.node(e)?;
        let shape = lower.model.graph.shape(id).clone();
        let fits = if *draw == Draw::Choice { shape.rank() == 1 } else { shape.is_scalar() };
        if !fits && (numbers || *draw == Draw::Choice) {
            let text = lower.show(id);
            return lower.fail(Diagnostic::error("E0234", e.span, format!("`{}` takes numbers", name.name)).here(text));
        }
        nodes.push(id);
    }
    if nodes.len() != *count {
        let message = format!("`{}` takes {count} arguments, {} given", name.name, nodes.len());
        return lower.fail(Diagnostic::error("E0233", e.span, message).here("here"));
    }
    Ok((*draw, nodes))
}
