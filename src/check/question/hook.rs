//! What names and calls mean in an output: facts of a run, axes, aggregations, quantities of the model.
//!
//! Folds over a run (`final`, `lowest`, ..) are in `fold`.

use super::fold::FOLDS;
use super::{Asker, Asking, Place, question};
use crate::check::decls::{RUN_NAMES, ValueKind, parts, walk};
use crate::check::lower::{Hook, Lower, R, Val};
use crate::check::program::Bind;
use crate::diag::Diagnostic;
use crate::expr::graph::InputKind;
use crate::results::Setting;
use crate::results::view::{Aggregate, FoldKind, Leaf, Over, Question, Selection};
use crate::shape::Shape;
use crate::syntax::ast::{Arg, Expr, ExprKind};
use std::cell::RefCell;
use std::rc::Rc;

/// The other functions about runs.
pub(super) const ACROSS: [&str; 3] = ["gap", "best_so_far", "cells"];

const STATISTICS: [(&str, Aggregate); 6] = [
    ("mean", Aggregate::Mean),
    ("median", Aggregate::Median),
    ("std", Aggregate::Std),
    ("min", Aggregate::Min),
    ("max", Aggregate::Max),
    ("sum", Aggregate::Sum),
];

/// The names that are known about every run.
const FACTS: [&str; 8] = ["step", "epoch", "steps", "epochs", "evaluations", "cell", "replicate", "fold"];

/// What expressions mean in outputs.
pub(super) struct RunHook {
    pub(super) shared: Rc<RefCell<Asking>>,
    pub(super) place: Place,
    /// In the order of the inputs of the question's graph.
    pub(super) leaves: RefCell<Vec<Leaf>>,
}

/// What an expression mentions.
#[derive(Default, Clone, Copy)]
pub(super) struct Mentions {
    /// Parameters, losses, metrics, lets, columns.
    pub(super) model: bool,
    /// Runs: folds, aggregations, facts of the run, axes.
    pub(super) run: bool,
    /// The arguments of an inlined function.
    pub(super) local: bool,
}

impl RunHook {
    pub(super) fn leaf(&self, lower: &mut Lower<'_>, leaf: Leaf, sizes: &[usize]) -> Val {
        let name = format!("leaf{}", self.leaves.borrow().len());
        self.leaves.borrow_mut().push(leaf);
        Val::Node(lower.model.graph.input(name, InputKind::Result, Shape::fixed(sizes)))
    }

    fn selected(&self, name: &str) -> bool {
        self.place.sweeps.iter().any(|s| s == name)
    }

    pub(super) fn mentions(&self, lower: &Lower<'_>, e: &Expr) -> Mentions {
        let mut found = Mentions::default();
        self.look(lower, e, &mut found, &mut Vec::new());
        found
    }

    fn look(&self, lower: &Lower<'_>, e: &Expr, found: &mut Mentions, through: &mut Vec<String>) {
        match &e.kind {
            ExprKind::Name(name) => {
                if through.is_empty() && lower.local(name).is_some() {
                    found.local = true;
                } else if FACTS.contains(&name.as_str()) || name == "status" || self.is_argument(name) {
                    found.run = true;
                } else if let Some(value) = lower.decls.value("", name) {
                    if matches!(value.kind, ValueKind::Hyper { .. }) { found.run = true } else { found.model = true }
                } else if self.shared.borrow().model.data.iter().any(|d| d.columns.iter().any(|c| c.name == *name)) {
                    found.model = true;
                }
                return;
            }
            ExprKind::Over { .. } => found.run = true,
            ExprKind::On { .. } => {
                found.model = true;
                return;
            }
            ExprKind::Call { name, args, .. } => {
                let over = args.iter().any(|a| matches!(a, Arg::Positional(Expr { kind: ExprKind::Over { .. }, .. })));
                if over
                    || FOLDS.contains(&name.name.as_str()) && lower.decls.function("", &name.name).is_none()
                    || ACROSS.contains(&name.name.as_str())
                {
                    found.run = true;
                    return;
                }
                if let Some(f) = lower.decls.function("", &name.name)
                    && !through.contains(&name.name)
                {
                    through.push(name.name.clone());
                    let exprs: Vec<&Expr> = match &f.body {
                        crate::syntax::ast::FnBody::Expr(e) => vec![e],
                        crate::syntax::ast::FnBody::Block { lets, value } => lets.iter().map(|(_, e)| e).chain([value]).collect(),
                    };
                    let formals: Vec<&str> = f.formals.iter().map(|f| f.name.name.as_str()).collect();
                    for e in exprs {
                        walk(e, &mut |e| {
                            if let ExprKind::Name(n) = &e.kind
                                && !formals.contains(&n.as_str())
                                && lower.decls.value("", n).is_some()
                            {
                                found.model = true;
                            }
                        });
                    }
                }
            }
            ExprKind::Field { base, .. } => {
                if let ExprKind::Name(name) = &base.kind {
                    let shared = self.shared.borrow();
                    if shared.model.data.iter().any(|d| d.name.name == *name) || lower.decls.rules.contains_key(name) {
                        found.model = true;
                        return;
                    }
                    if shared.sweeps.iter().any(|s| s.name == *name) {
                        found.run = true;
                        return;
                    }
                }
            }
            _ => {}
        }
        for part in parts(e) {
            self.look(lower, part, found, through);
        }
    }

    /// The hypers that the selected sweeps vary: cells that differ in them minimize different functions.
    fn swept_hypers(&self) -> Vec<String> {
        let shared = self.shared.borrow();
        let mut names: Vec<String> = Vec::new();
        for sweep in shared.sweeps.iter().filter(|s| self.selected(&s.name)) {
            for bind in sweep.axes.iter().flat_map(|a| a.points.iter().flatten()) {
                if let Bind::Named { name, hyper: true, .. } = bind
                    && !names.contains(name)
                {
                    names.push(name.clone());
                }
            }
            let apart = [("fold", sweep.judging.len() > 1), ("replicate", !sweep.redraw.is_empty())];
            for (name, _) in apart.into_iter().filter(|(_, apart)| *apart) {
                if !names.iter().any(|known| known == name) {
                    names.push(name.to_string());
                }
            }
        }
        names
    }

    /// Whether a name is an argument or a hyper that the selected sweeps set.
    pub(super) fn is_argument(&self, name: &str) -> bool {
        self.shared.borrow().sweeps.iter().filter(|s| self.selected(&s.name)).any(|s| s.axis_names().iter().any(|n| n == name))
    }

    /// `own.J`: the value and the sweep it is of.
    pub(super) fn of_sweep(&self, e: &Expr) -> (Expr, Option<String>) {
        if let ExprKind::Field { base, field } = &e.kind
            && let ExprKind::Name(name) = &base.kind
            && self.shared.borrow().sweeps.iter().any(|s| s.name == *name)
        {
            return (Expr { span: field.span, kind: ExprKind::Name(field.name.clone()) }, Some(name.clone()));
        }
        (e.clone(), None)
    }

    pub(super) fn inner(&self, lower: &mut Lower<'_>, e: &Expr) -> R<Box<Question>> {
        question(&self.shared, lower.decls, lower.diags, e, &self.place).map(Box::new)
    }
}

impl Hook for RunHook {
    fn ask(&self, lower: &mut Lower<'_>, e: &Expr) -> R<Option<Val>> {
        match &e.kind {
            ExprKind::Call { name, args, .. } if lower.decls.function("", &name.name).is_none() => {
                let text = name.name.as_str();
                if let Some((_, kind)) = STATISTICS.iter().find(|(n, _)| *n == text)
                    && let [Arg::Positional(Expr { kind: ExprKind::Over { value, axes }, .. })] = &args[..]
                {
                    let of = self.inner(lower, value)?;
                    let sizes = of.sizes.clone();
                    for axis in axes {
                        let asker = Asker { shared: self.shared.clone(), decls: lower.decls, diags: lower.diags };
                        if !asker.is_axis(&axis.name, &self.place.sweeps) {
                            let d = asker.no_axis(axis, &self.place.sweeps);
                            return lower.fail(d);
                        }
                    }
                    let over = if axes.is_empty() { Over::All } else { Over::Axes(axes.iter().map(|a| a.name.clone()).collect()) };
                    return Ok(Some(self.leaf(lower, Leaf::Aggregate { kind: *kind, of, over }, &sizes)));
                }
                if FOLDS.contains(&text) {
                    return self.fold_call(lower, e, text, args).map(Some);
                }
                match (text, &args[..]) {
                    ("gap", [Arg::Positional(inner)]) => {
                        let of = self.inner(lower, inner)?;
                        let (within, sizes) = (self.swept_hypers(), of.sizes.clone());
                        return Ok(Some(self.leaf(lower, Leaf::Gap { of, within }, &sizes)));
                    }
                    ("best_so_far", [Arg::Positional(inner)]) => {
                        let place = RunHook {
                            shared: self.shared.clone(),
                            place: Place { rows: false, ..self.place.clone() },
                            leaves: RefCell::default(),
                        };
                        let of = place.inner(lower, inner)?;
                        let sizes = of.sizes.clone();
                        return Ok(Some(self.leaf(lower, Leaf::BestSoFar { of }, &sizes)));
                    }
                    ("cells", []) => return Ok(Some(self.leaf(lower, Leaf::Cells, &[]))),
                    _ => {}
                }
            }
            ExprKind::Name(name) if lower.local(name).is_none() => {
                let leaf = match name.as_str() {
                    "step" => Some(Leaf::Step),
                    "epoch" => Some(Leaf::Epoch),
                    "steps" => Some(Leaf::Steps),
                    "epochs" => Some(Leaf::Epochs),
                    "evaluations" => Some(Leaf::Evaluations),
                    "cell" => Some(Leaf::Cell),
                    "replicate" => Some(Leaf::Replicate),
                    "fold" => Some(Leaf::Axis("fold".to_string())),
                    _ => None,
                };
                if let Some(leaf) = leaf {
                    return Ok(Some(self.leaf(lower, leaf, &[])));
                }
                if self.is_argument(name) {
                    let scheduled = {
                        let shared = self.shared.borrow();
                        let selected = shared.sweeps.iter().filter(|s| self.selected(&s.name));
                        selected.flat_map(|s| s.values_of(name)).any(|v| matches!(v, Setting::Text(_)))
                    };
                    if scheduled || self.place.rows && lower.decls.value("", name).is_none() {
                        return self.quantity(lower, e, None, None).map(Some);
                    }
                    return Ok(Some(self.leaf(lower, Leaf::Axis(name.clone()), &[])));
                }
                if let Some(&x) = self.shared.borrow().hypers.get(name) {
                    return Ok(Some(Val::Node(lower.model.graph.number(x))));
                }
                if RUN_NAMES.contains(&name.as_str()) && name != "loss" {
                    let d = Diagnostic::error("E0610", e.span, format!("`{name}` is no number here"))
                        .here("compared with `==`, or a column of its own");
                    return lower.fail(d);
                }
            }
            _ => {}
        }
        let mentions = self.mentions(lower, e);
        if mentions.model && !mentions.run && !mentions.local {
            return self.quantity(lower, e, None, None).map(Some);
        }
        if let ExprKind::Field { .. } = &e.kind {
            let (value, sweep) = self.of_sweep(e);
            if let Some(sweep) = sweep {
                return self
                    .quantity(lower, &value, Some(FoldKind::Final), Some(Selection { sweeps: vec![sweep], ..Selection::default() }))
                    .map(Some);
            }
        }
        Ok(None)
    }
}
