//! Functions on a grid, for contours and curves: a loss in one or two of its parameters, or a formula in new names.
//!
//! All other parameters stand at their start; inside `final(..)` at the end of each run.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::decls::{ValueKind, not_yet, parts};
use super::lower::{Frame, Hook, Lower, R, Reported, Val};
use super::program::{SweepSpec, WantExpr};
use super::question::{Asker, Asking};
use crate::diag::Diagnostic;
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::op::{InputId, Op};
use crate::results::Fold;
use crate::results::view::{Field, FoldKind, Leaf};
use crate::shape::{Dim, Shape};
use crate::syntax::ast::{Arg, Expr, ExprKind, IndexItem};
use crate::syntax::print;

/// Whether a function asks for the ends of runs.
pub(crate) fn asks_runs(f: &Expr) -> bool {
    is_final(f).is_some() || parts(f).into_iter().any(asks_runs)
}

/// What stands in `final(..)`.
fn is_final(e: &Expr) -> Option<&Expr> {
    match &e.kind {
        ExprKind::Call { name, args, .. } if name.name == "final" => match &args[..] {
            [Arg::Positional(inner)] => Some(inner),
            _ => None,
        },
        _ => None,
    }
}

/// `final(..)`: parameters are those at the end of a run, each an input of its own.
struct FinalHook {
    /// Hypers that the sweeps vary.
    swept: Vec<String>,
    ends: RefCell<Vec<(Id, InputKind, String, Id)>>,
}

impl Hook for FinalHook {
    fn ask(&self, lower: &mut Lower<'_>, e: &Expr) -> R<Option<Val>> {
        let Some(inner) = is_final(e).filter(|_| lower.decls.function("", "final").is_none()) else { return Ok(None) };
        let id = lower.node(inner)?;
        let graph = &mut lower.model.graph;
        let mut with = Vec::new();
        for node in graph.reachable(&[id]) {
            let Some(input) = graph.as_input(node) else { continue };
            let info = graph.input_info(input).clone();
            let varies = info.kind == InputKind::Param || (info.kind == InputKind::Hyper && self.swept.contains(&info.name));
            if !varies {
                continue;
            }
            let known = self.ends.borrow().iter().find(|(of, ..)| *of == node).map(|(.., end)| *end);
            let end = known.unwrap_or_else(|| {
                let end = graph.input(format!("final({})", info.name), InputKind::Result, info.shape.clone());
                self.ends.borrow_mut().push((node, info.kind, info.name.clone(), end));
                end
            });
            with.push((node, end));
        }
        Ok(Some(Val::Node(graph.substitute(&[id], &with)[0])))
    }
}

/// The function `f` of the given variables and their intervals, for the runs of these sweeps.
pub(crate) fn field(asker: &mut Asker<'_>, f: &Expr, vars: &[(&Expr, (f64, f64))], sweeps: &[String]) -> R<Field> {
    let shared = asker.shared.clone();
    let mut shared = shared.borrow_mut();
    let mut frame = Frame { what: "a curve", ..Frame::default() };
    // What replaces a parameter: the variables that are its entries.
    let mut entries: BTreeMap<String, Vec<(usize, Id)>> = BTreeMap::new();
    let mut list: Vec<(InputId, String, f64, f64)> = Vec::new();
    for (var, (lo, hi)) in vars {
        let text = print::expr(var);
        let node = shared.model.graph.input(text.clone(), InputKind::Arg, Shape::scalar());
        let Some(input) = shared.model.graph.as_input(node) else { return Err(Reported) };
        list.push((input, text, *lo, *hi));
        match &var.kind {
            ExprKind::Name(name) => {
                let param = asker.decls.value("", name).is_some_and(|v| matches!(v.kind, ValueKind::Param { .. }));
                if !param {
                    frame.names.insert(name.clone(), Val::Node(node));
                    continue;
                }
                let Some(Val::Node(id)) = shared.model.names.get(name).cloned() else { return Err(Reported) };
                if !shared.model.graph.shape(id).is_scalar() {
                    let shape = shared.model.show(id);
                    let axis = if vars.len() == 1 { "a curve runs over one number" } else { "a contour needs two numbers" };
                    let d = Diagnostic::error("E0627", var.span, format!("{axis}; `{name}` is {shape}")).here(shape);
                    asker.diags.push(d.replace(var.span, format!("{name}[0]"), "choose an entry"));
                    return Err(Reported);
                }
                entries.entry(name.clone()).or_default().push((0, node));
            }
            ExprKind::Index { base, items } => {
                let (ExprKind::Name(name), [IndexItem::At(index)]) = (&base.kind, &items[..]) else {
                    asker.diags.push(not_yet(var.span, "a variable that is no number and no entry of a vector"));
                    return Err(Reported);
                };
                let mut lower = Lower::new(&mut shared.model, asker.decls, asker.diags);
                lower.node(var)?;
                let Some(Val::Node(id)) = lower.model.names.get(name).cloned() else { return Err(Reported) };
                let at = lower.constant(index, "an index")?;
                let n = lower.model.rows.count(lower.model.graph.shape(id)).unwrap_or(0);
                let at = if at < 0.0 { at + n as f64 } else { at };
                entries.entry(name.clone()).or_default().push((at as usize, node));
            }
            _ => {
                asker.diags.push(Diagnostic::error("E0628", var.span, "a variable is a name or an entry of a vector").here("neither"));
                return Err(Reported);
            }
        }
    }
    let Asking { model, starts, sweeps: specs, .. } = &mut *shared;
    let axes = specs.iter().filter(|s| sweeps.contains(&s.name)).flat_map(SweepSpec::axis_names);
    let hook = Rc::new(FinalHook { swept: axes.collect(), ends: RefCell::default() });
    let root = {
        let mut lower = Lower::new(model, asker.decls, asker.diags);
        lower.frames.push(frame);
        lower.hook = Some(hook.clone());
        lower.scalar(f, "the function that is drawn")?
    };
    let mut graph: Graph = model.graph.clone();
    let mut with: Vec<(Id, Id)> = Vec::new();
    let mut fixed: Vec<(InputId, Arc<ndarray::ArrayD<f64>>)> = Vec::new();
    for node in model.graph.reachable(&[root]) {
        let Some(input) = model.graph.as_input(node) else { continue };
        if let Some(value) = model.known.get(&input) {
            fixed.push((input, value.clone()));
            continue;
        }
        let info = model.graph.input_info(input).clone();
        if info.kind != InputKind::Param {
            continue;
        }
        let start = starts.get(&info.name).cloned();
        match entries.get(&info.name) {
            Some(list) if info.shape.is_scalar() => with.push((node, list[0].1)),
            Some(list) => {
                let Some(start) = start else { return Err(Reported) };
                let mut values: Vec<f64> = start.iter().copied().collect();
                for (at, _) in list {
                    values[*at] = 0.0;
                }
                let mut vector = graph.literal(start.shape(), &values);
                for (at, var) in list {
                    let one = graph.add(Op::Expand(0), &[*var]);
                    let placed = graph.add(Op::Unslice { axis: 0, start: *at, step: 1, size: Dim::Size(values.len()) }, &[one]);
                    vector = graph.binary(crate::expr::op::Binary::Add, vector, placed);
                }
                with.push((node, vector));
            }
            None => fixed.push((input, Arc::new(start.ok_or(Reported)?))),
        }
    }
    let root = graph.substitute(&[root], &with)[0];
    let mut leaves = Vec::new();
    for (_, kind, name, end) in hook.ends.take() {
        let Some(input) = graph.as_input(end) else { continue };
        if kind == InputKind::Hyper {
            leaves.push((input, Leaf::Axis(name)));
            continue;
        }
        let sizes = model.rows.sizes(graph.shape(end));
        let of = WantExpr::Model(Expr { span: f.span, kind: ExprKind::Name(name.clone()) });
        for sweep in specs.iter_mut().filter(|s| sweeps.contains(&s.name)) {
            let at = sweep.want(&name, &of, &sizes, &[]);
            sweep.fold(Fold::Final(at));
        }
        leaves.push((input, Leaf::Fold { fold: FoldKind::Final, quantity: name, narrow: None }));
    }
    Ok(Field { text: print::expr(f), graph: Arc::new(graph), root, vars: list, fixed, leaves, rows: model.rows.clone() })
}
