//! Functions on a grid, for contours and curves: a loss in one or two of its parameters, or a formula in new names.
//!
//! All other parameters stand at their start.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decls::{ValueKind, not_yet};
use super::lower::{Frame, Lower, R, Reported, Val};
use super::question::{Asker, Asking};
use crate::diag::Diagnostic;
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::op::{InputId, Op};
use crate::results::view::Field;
use crate::shape::{Dim, Shape};
use crate::syntax::ast::{Expr, ExprKind, IndexItem};
use crate::syntax::print;

/// The function `f` of the given variables and their intervals.
pub(crate) fn field(asker: &mut Asker<'_>, f: &Expr, vars: &[(&Expr, (f64, f64))]) -> R<Field> {
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
    let Asking { model, starts, .. } = &mut *shared;
    let root = {
        let mut lower = Lower::new(model, asker.decls, asker.diags);
        lower.frames.push(frame);
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
                list.iter().for_each(|(at, _)| values[*at] = 0.0);
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
    Ok(Field { text: print::expr(f), graph: Arc::new(graph), root, vars: list, fixed, leaves: Vec::new(), rows: model.rows.clone() })
}
