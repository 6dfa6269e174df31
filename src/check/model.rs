//! Declared values to graph nodes, in the order in which they need each other.
//!
//! Datasets are read before (`data`); what sweeps do with the values is in `sweep`.

use std::sync::Arc;

use super::builtins::LARGEST;
use super::data::{self, Context, DataInfo, Table};
use super::decls::{DataDecl, Decls, Name, Value, ValueKind, line_exprs, needed_lets};
use super::draw::{self, Drawing, Numbers, Rng};
use super::lower::{Lower, Model, R, Reported, Val};
use super::messages;
use super::within::{self, Within};
use crate::diag::{Diagnostic, Diagnostics};
use crate::expr::graph::{Id, InputKind};
use crate::shape::Shape;
use crate::source::Span;
use crate::syntax::ast::{DataLine, Expr, Start, SweepLine, SweepLineKind};

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
    Draw(Drawing),
}

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

/// Computes all datasets and lowers all declared values, as they need each other.
pub(crate) fn declare(
    model: &mut Model,
    decls: &Decls,
    (tables, rng): (&[Table], Option<Rng>),
    context: &Context,
    diags: &mut Diagnostics,
) -> Declared {
    let mut declared = Declared::default();
    for (decl, table) in decls.datasets.iter().zip(tables) {
        model.rows.0.push(0);
        let text = table.text.clone();
        let (columns, parts) = (Vec::new(), Vec::new());
        model.data.push(DataInfo { name: decl.name.clone(), columns, unread: table.unread, parts, folds: None, text });
    }
    model.varies = varies(decls);
    model.generator = rng.and_then(|rng| rng.generator(context.replicate));
    let (sorted, circular) = decls.sorted(&data::holders(decls, tables), diags);
    for name in circular {
        match name {
            Name::Value(full) => {
                model.names.insert(full, Val::Broken);
            }
            Name::Dataset(name) => {
                model.data.iter_mut().filter(|d| d.name.name == name).for_each(|d| d.unread = true);
            }
        }
    }
    for name in &sorted {
        match name {
            Name::Dataset(name) => {
                let Some(place) = decls.datasets.iter().position(|d| d.name.name == *name) else { continue };
                data::compute(place, &tables[place], (decls, rng), model, context, diags);
            }
            Name::Value(full) => {
                let Some(value) = decls.values.get(full).filter(|_| !model.names.contains_key(full)) else { continue };
                let mut place = Place { model: &mut *model, decls, rng, context, declared: &mut declared, diags: &mut *diags };
                let lowered = place.one(full, value);
                model.names.insert(full.clone(), lowered.unwrap_or(Val::Broken));
            }
        }
    }
    // Parameters in the order declared, whatever needed them first.
    declared.params.sort_by_key(|p| decls.order.iter().position(|name| *name == p.name));
    declared.hypers.sort_by_key(|h| decls.order.iter().position(|name| *name == h.name));
    declared
}

/// Whether data may differ from cell to cell.
fn varies(decls: &Decls) -> bool {
    let folds = |line: &DataLine| matches!(line, DataLine::Split { parts, .. } if parts.iter().any(|(name, _)| name.name == "folds"));
    let redraws = |line: &SweepLine| matches!(&line.kind, SweepLineKind::Repeat { redraw, .. } if !redraw.is_empty());
    let numpy = decls.rng.as_ref().is_some_and(|(numpy, ..)| *numpy);
    numpy && decls.draws()
        || decls.datasets.iter().any(|d| d.lines.iter().any(folds))
        || decls.sweeps.iter().any(|s| s.lines.iter().any(redraws))
        || needed_lets(decls, |_| true).iter().any(|name| matches!(decls.values[name].kind, ValueKind::Hyper { .. }))
        || decls.values.values().any(|v| matches!(v.kind, ValueKind::Let { value: Start::Draw(_), .. }))
}

/// The hypers on which shapes of parameters, data and draws depend: cells that differ in them share nothing.
pub(crate) fn fixing_hypers(decls: &Decls) -> Vec<String> {
    let mut roots: Vec<(&str, &Expr)> = Vec::new();
    for value in decls.values.values() {
        let module = value.module.as_str();
        match &value.kind {
            ValueKind::Param { shape: Some(sizes), .. } => roots.extend(sizes.iter().map(|e| (module, e))),
            ValueKind::Let { shape, value: Start::Draw(e) } => roots.extend(shape.iter().flatten().chain([e]).map(|e| (module, e))),
            _ => {}
        }
    }
    roots.extend(decls.datasets.iter().flat_map(|d| d.lines.iter().flat_map(line_exprs)).map(|e| ("", e)));
    let is_hyper = |name: &String| matches!(decls.values[name].kind, ValueKind::Hyper { .. });
    let mut found: Vec<String> = roots.into_iter().flat_map(|(module, e)| decls.uses(module, e)).filter(is_hyper).collect();
    found.sort();
    found.dedup();
    found
}

/// Where declared values are lowered.
struct Place<'p> {
    model: &'p mut Model,
    decls: &'p Decls,
    rng: Option<Rng>,
    context: &'p Context,
    declared: &'p mut Declared,
    diags: &'p mut Diagnostics,
}

impl Place<'_> {
    fn one(&mut self, full: &str, value: &Value) -> R<Val> {
        let mut lower = Lower::new(self.model, self.decls, self.diags);
        lower.module.clone_from(&value.module);
        let name = &value.name;
        match &value.kind {
            ValueKind::Hyper { value: e } => {
                let written = lower.constant(e, "a `hyper`")?;
                let number = self.context.hypers.get(full).copied().unwrap_or(written);
                let id = lower.model.graph.input(full, InputKind::Hyper, Shape::scalar());
                if let Some(input) = lower.model.graph.as_input(id) {
                    lower.model.known.insert(input, Arc::new(ndarray::arr0(number).into_dyn()));
                }
                self.declared.hypers.push(HyperInfo { name: full.to_string(), span: name.span, id, value: number });
                Ok(Val::Node(id))
            }
            ValueKind::Let { value: Start::Draw(e), shape } => {
                let sizes = sizes(&mut lower, name.span, shape.as_deref())?.unwrap_or_default();
                let drawing = draw::distribution(&mut lower, e, &Shape::fixed(&sizes))?;
                let args: Option<Vec<_>> = drawing.args.iter().map(|&id| lower.model.constant(id)).collect();
                let Some(args) = args else {
                    return lower.fail(messages::not_known_before(e.span, "the distribution of a `let`"));
                };
                let kept = |d: &DataDecl| !self.context.redraw.contains(&d.name.name);
                let stays = needed_lets(self.decls, kept).iter().any(|n| n == full);
                let replicate = if stays { 0 } else { self.context.replicate };
                let mut numbers = Numbers::of(self.rng, &mut lower.model.generator, "let", full, replicate);
                let Some(values) = draw::drawn(drawing.draw, &args, &sizes, &mut numbers) else {
                    return lower.fail(draw::no_draw(name.span, draw::no_meaning(full)));
                };
                let id = lower.model.graph.input(full, InputKind::Drawn, Shape::fixed(&sizes));
                lower.model.graph.as_input(id).map(|input| lower.model.known.insert(input, Arc::new(values)));
                Ok(Val::Node(id))
            }
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
                let mut sizes = sizes(&mut lower, name.span, shape.as_deref())?;
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
                    Start::Draw(e) => {
                        ParamStart::Draw(draw::distribution(&mut lower, e, &Shape::fixed(sizes.as_deref().unwrap_or_default()))?)
                    }
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
                self.declared.params.push(ParamInfo { name: full.to_string(), span: name.span, id, sizes, start, within });
                Ok(Val::Node(id))
            }
        }
    }
}

/// The sizes that are written behind a name.
fn sizes(lower: &mut Lower<'_>, name: Span, shape: Option<&[Expr]>) -> R<Option<Vec<usize>>> {
    let Some(list) = shape else { return Ok(None) };
    let sizes = list.iter().map(|e| lower.whole(e, "a size", 1.0)).collect::<Vec<_>>().into_iter().collect::<R<Vec<usize>>>()?;
    let count = sizes.iter().try_fold(1usize, |n, &k| n.checked_mul(k));
    if count.is_none_or(|n| n > LARGEST) {
        let span = list.first().map_or(name, |e| e.span).to(list.last().map_or(name, |e| e.span));
        return lower.fail(messages::too_large(span, &sizes));
    }
    Ok(Some(sizes))
}
