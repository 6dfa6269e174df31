//! Quantities of the model in outputs: each is registered with the sweeps that must evaluate it.
//!
//! What is done with its values over a run is in `fold`.

use super::hook::RunHook;
use crate::check::lower::{Lower, R, Val};
use crate::check::program::WantExpr;
use crate::diag::{Diagnostic, did_you_mean};
use crate::expr::graph::{Graph, Id};
use crate::expr::op::{Binary, Op, Reduce, Unary};
use crate::results::Fold;
use crate::results::view::{FoldKind, Leaf, Selection};
use crate::solvers::STANDARD_ERROR;
use crate::syntax::ast::{Arg, Expr, ExprKind};
use crate::syntax::print;
use std::collections::BTreeSet;

impl RunHook {
    /// Registers a quantity with every selected sweep and gives its leaf.
    pub(super) fn quantity(&self, lower: &mut Lower<'_>, e: &Expr, fold: Option<FoldKind>, narrow: Option<Selection>) -> R<Val> {
        let (text, want, sizes) = self.evaluated(lower, e)?;
        let sweeps = narrow.as_ref().map_or_else(|| self.place.sweeps.clone(), |n| n.sweeps.clone());
        let rows = self.place.rows && fold.is_none();
        let fold = fold.unwrap_or(FoldKind::Final);
        let mut other = None;
        if let FoldKind::AtLowest(of) = &fold {
            other = Some(of.clone());
        }
        // Of other cells than those shown when it is narrowed.
        let only = if narrow.is_some() { &[] } else { &self.place.only[..] };
        let mut shared = self.shared.borrow_mut();
        for sweep in shared.sweeps.iter_mut().filter(|s| sweeps.contains(&s.name)) {
            let at = sweep.want(&text, &want, &sizes, only);
            if rows {
                sweep.wants[at].traced = true;
                continue;
            }
            let number = other.as_ref().and_then(|of| sweep.wants.iter().position(|w| w.text == *of));
            sweep.fold(match &fold {
                FoldKind::Final => Fold::Final(at),
                FoldKind::Start => Fold::Start(at),
                FoldKind::Lowest => Fold::Lowest(at),
                FoldKind::Highest => Fold::Highest(at),
                FoldKind::Average(last) => Fold::Average { of: at, last: *last },
                FoldKind::AtStep(step) => Fold::AtStep { of: at, step: *step },
                FoldKind::AtLowest(_) => Fold::AtLowest { what: at, of: number.unwrap_or(at) },
                FoldKind::StepsTo => Fold::StepsTo(at),
                FoldKind::Count => Fold::Count(at),
                FoldKind::SinceLowest => Fold::SinceLowest(at),
                FoldKind::Previous => Fold::Previous(at),
            });
        }
        drop(shared);
        let leaf = if rows { Leaf::Row { quantity: text } } else { Leaf::Fold { fold, quantity: text, narrow: narrow.map(Box::new) } };
        Ok(self.leaf(lower, leaf, &sizes))
    }

    /// What a quantity is: its text, how it is evaluated, its sizes.
    pub(super) fn evaluated(&self, lower: &mut Lower<'_>, e: &Expr) -> R<(String, WantExpr, Vec<usize>)> {
        match &e.kind {
            ExprKind::Paren(inner) => return self.evaluated(lower, inner),
            ExprKind::Name(name) if self.is_argument(name) && lower.decls.value("", name).is_none() => {
                return Ok((name.clone(), WantExpr::Argument(name.clone()), Vec::new()));
            }
            ExprKind::Field { base, field } => {
                if let ExprKind::Name(rule) = &base.kind
                    && let Some(declared) = lower.decls.rules.get(rule)
                {
                    let is_shared = crate::check::rule::shared_states(declared).contains(&field.name);
                    if is_shared {
                        return Ok((print::expr(e), WantExpr::State { rule: rule.clone(), state: field.name.clone() }, Vec::new()));
                    }
                    let states = crate::check::rule::shared_states(declared);
                    let mut d = Diagnostic::error("E0606", field.span, format!("`{rule}` has no shared state `{}`", field.name))
                        .here("a shared state can be asked for");
                    if let Some(near) = did_you_mean(&field.name, states.iter().map(String::as_str)) {
                        d = d.replace(field.span, near, format!("did you mean `{near}`?"));
                    }
                    return lower.fail(d);
                }
            }
            ExprKind::Call { name, args, .. } if name.name == STANDARD_ERROR => {
                if let Some(Arg::Positional(Expr { kind: ExprKind::Name(param), span })) = args.first() {
                    let sizes = {
                        let mut shared = self.shared.borrow_mut();
                        let mut inner = Lower::new(&mut shared.model, lower.decls, lower.diags);
                        let id = inner.node(&Expr { kind: ExprKind::Name(param.clone()), span: *span })?;
                        inner.model.rows.sizes(inner.model.graph.shape(id))
                    };
                    let want = WantExpr::State { rule: STANDARD_ERROR.to_string(), state: param.clone() };
                    return Ok((format!("{STANDARD_ERROR}({param})"), want, sizes));
                }
            }
            ExprKind::On { base, part } if part.name == "batch" => {
                let ExprKind::Name(name) = &base.kind else {
                    return lower.fail(
                        Diagnostic::error("E0607", base.span, "`on batch` is the loss that the step itself differentiated")
                            .here("a loss by its name"),
                    );
                };
                return Ok((format!("{name} on batch"), WantExpr::OnBatch(name.clone()), Vec::new()));
            }
            _ => {}
        }
        let mut shared = self.shared.borrow_mut();
        let mut inner = Lower::new(&mut shared.model, lower.decls, lower.diags);
        let id = inner.node(e)?;
        let sizes = inner.model.rows.sizes(inner.model.graph.shape(id));
        if sizes.iter().product::<usize>() > 1 << 20 {
            let text = inner.show(id);
            return inner
                .fail(Diagnostic::error("E0608", e.span, format!("this has {text} entries: too many for an output")).here("reduce it"));
        }
        let text = print::expr(e);
        if whole(&shared.model.graph, id) {
            shared.whole.insert(text.clone());
        }
        Ok((text, WantExpr::Model(e.clone()), sizes))
    }
}

/// Whether a value is made of whole numbers, so that it is exact.
fn whole(graph: &Graph, id: Id) -> bool {
    let mut known: BTreeSet<Id> = BTreeSet::new();
    for at in graph.reachable(&[id]) {
        let node = graph.node(at);
        let of_whole = match &node.op {
            Op::Const(x) => x.value().fract() == 0.0,
            Op::RowCount(_)
            | Op::ArgSort(_)
            | Op::Reduce(Reduce::ArgMax | Reduce::ArgMin, _)
            | Op::Unary(Unary::Not | Unary::Floor | Unary::Ceil | Unary::Round | Unary::Sign)
            | Op::Binary(Binary::And | Binary::Or | Binary::Eq | Binary::Ne | Binary::Le | Binary::Lt) => true,
            Op::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Maximum | Binary::Minimum)
            | Op::Unary(Unary::Neg | Unary::Abs | Unary::Square)
            | Op::Reduce(Reduce::Sum | Reduce::Max | Reduce::Min, _)
            | Op::Broadcast(_)
            | Op::Reshape(_)
            | Op::Transpose
            | Op::Slice { .. }
            | Op::Squeeze(_)
            | Op::Expand(_) => node.args.iter().all(|arg| known.contains(arg)),
            _ => false,
        };
        if of_whole {
            known.insert(at);
        }
    }
    known.contains(&id)
}
