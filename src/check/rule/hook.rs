//! What only rules know: reductions over all parameters, and gradients elsewhere.
//!
//! Everything else is lowered as anywhere.

use crate::check::lower::{Frame, Hook, Lower, R, Reported, Val};
use crate::check::messages;
use crate::diag::Diagnostic;
use crate::expr::graph::Id;
use crate::expr::op::{Binary, Op, Reduce};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind};
use std::cell::{Cell, RefCell};

/// What only rules know: reductions over all parameters, and gradients elsewhere.
pub(super) struct RuleHook {
    /// The names as each parameter sees them.
    pub(super) frames: RefCell<Vec<Frame>>,
    /// The parameter whose value is being computed.
    pub(super) at: Cell<usize>,
    /// Gradients evaluated elsewhere than at the start of the step.
    pub(super) looked: Cell<u64>,
    pub(super) params: Vec<(String, Id)>,
    pub(super) grads: Vec<Id>,
    /// The gradients over all training rows.
    pub(super) full: Vec<Id>,
}

impl RuleHook {
    /// Whether the lines of `each epoch` are lowered: they know no gradient of a step.
    fn at_end_of_epoch(&self) -> bool {
        !self.frames.borrow().iter().any(|f| f.names.contains_key("grad"))
    }

    /// The value of an expression as each parameter sees it.
    fn all(&self, lower: &mut Lower<'_>, e: &Expr) -> R<Vec<Id>> {
        let here = self.at.get();
        let frames = self.frames.borrow().clone();
        let mut list = Vec::new();
        for (place, frame) in frames.into_iter().enumerate() {
            self.at.set(place);
            let outer = std::mem::replace(&mut lower.frames, vec![frame]);
            let id = lower.node(e);
            lower.frames = outer;
            list.push(id);
        }
        self.at.set(here);
        list.into_iter().collect()
    }
}

impl Hook for RuleHook {
    fn ask(&self, lower: &mut Lower<'_>, e: &Expr) -> R<Option<Val>> {
        match &e.kind {
            ExprKind::Call { name, args, .. } if matches!(name.name.as_str(), "total" | "largest") => {
                let [crate::syntax::ast::Arg::Positional(inner)] = &args[..] else {
                    return lower.fail(messages::wrong_count(e.span, format!("`{}` takes one value", name.name)));
                };
                let list = self.all(lower, inner)?;
                let graph = &mut lower.model.graph;
                let (over, join) = if name.name == "total" { (Reduce::Sum, Binary::Add) } else { (Reduce::Max, Binary::Maximum) };
                let mut value: Option<Id> = None;
                for id in list {
                    let rank = graph.shape(id).rank();
                    let one = (0..rank).rev().fold(id, |v, axis| graph.reduce(over, axis, v));
                    value = Some(value.map_or(one, |v| graph.binary(join, v, one)));
                }
                value.map(|id| Some(Val::Node(id))).ok_or(Reported)
            }
            ExprKind::Grad { part: Some(part), .. } if part.name != "train" => {
                let d = Diagnostic::error("E0495", part.span, format!("a rule sees the training rows only, not `{}`", part.name));
                lower.fail(d.here("no rows to learn from").replace(part.span, "train", "write"))
            }
            ExprKind::Grad { part: None, at: Some(_) } if self.at_end_of_epoch() => lower.fail(no_batch(e.span)),
            ExprKind::Grad { part, at } => {
                let grads = if part.is_some() { &self.full } else { &self.grads };
                if self.at.get() == 0 && !self.at_end_of_epoch() {
                    self.looked.set(self.looked.get() + 1);
                }
                let Some(point) = at else { return Ok(Some(Val::Node(grads[self.at.get()]))) };
                let points = self.all(lower, point)?;
                let mut with = Vec::new();
                for ((_, param), id) in self.params.iter().zip(points) {
                    let shape = lower.model.graph.shape(*param).clone();
                    let Ok(id) = (if *lower.model.graph.shape(id) == shape {
                        Ok(id)
                    } else {
                        lower.model.graph.try_add(Op::Broadcast(shape), &[id])
                    }) else {
                        let found = lower.show(id);
                        return lower.fail(
                            Diagnostic::error("E0422", point.span, "the look-ahead point must have the parameter's shape").here(found),
                        );
                    };
                    with.push((*param, id));
                }
                let moved = lower.model.graph.substitute(grads, &with);
                Ok(Some(Val::Node(moved[self.at.get()])))
            }
            ExprKind::Name(name) if name == "grad" && self.at_end_of_epoch() => lower.fail(no_batch(e.span)),
            _ => Ok(None),
        }
    }
}

fn no_batch(span: Span) -> Diagnostic {
    let message = "at the end of an epoch there is no batch: `grad` belongs to a step";
    Diagnostic::error("E0418", span, message).here("not known here").help("`grad on train` is the gradient over all training rows")
}
