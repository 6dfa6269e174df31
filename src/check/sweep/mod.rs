//! Sweeps: what is minimized by which optimizers over which values, for how long.
//!
//! It resolves names and values; the product of the axes is taken in `plan`.

mod arguments;
mod axes;
mod extend;
mod folds;
mod optimizers;

use crate::check::decls::{Block, Decls, ValueKind, not_yet};
use crate::check::lower::{Lower, Model, R, Reported};
use crate::check::model::Declared;
use crate::check::program::{AxisSpec, BatchSpec, Bind, Budget, OptimizerSpec, Pace, SweepSpec};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::solvers::STEPS;
use crate::source::Span;
use crate::syntax::ast::{BatchOrder, Expr, ExprKind, RepeatCount, SweepLine, SweepLineKind};
use crate::syntax::print;
pub(crate) use arguments::{no_argument, words};
pub(crate) use axes::counters;
use extend::keys;
pub(crate) use extend::{extended, no_sweep};
use optimizers::optimizer_points;
use std::collections::BTreeMap;

/// What is needed to check a sweep.
pub(crate) struct Sweeps<'s> {
    pub(crate) model: &'s mut Model,
    pub(crate) decls: &'s Decls,
    pub(crate) declared: &'s Declared,
    pub(crate) diags: &'s mut Diagnostics,
}

impl Sweeps<'_> {
    fn fail<T>(&mut self, diagnostic: Diagnostic) -> R<T> {
        self.diags.push(diagnostic);
        Err(Reported)
    }

    /// Checks one sweep; nothing when it has errors.
    pub(crate) fn check(&mut self, sweep: &Block<SweepLine>) -> R<SweepSpec> {
        let before = self.diags.list.len();
        let lines = extended(self.decls, sweep, self.diags);
        if self.diags.list.len() > before {
            return Err(Reported);
        }
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        for line in &lines {
            for key in keys(line) {
                if let Some(first) = seen.insert(key.clone(), line.span) {
                    let message = if key == "steps" { "which one ends the run?".to_string() } else { format!("`{key}` is given twice") };
                    self.diags.push(Diagnostic::error("E0403", line.span, message).here("second").label(first, "first"));
                }
            }
        }
        let mut spec = SweepSpec {
            name: sweep.name.name.clone(),
            span: sweep.name.span,
            maximize: false,
            axes: Vec::new(),
            budget: Budget::Steps(0),
            batches: None,
            stop: None,
            repeat: 1,
            redraw: Vec::new(),
            judging: Vec::new(),
            pace: None,
            wants: Vec::new(),
            folds: Vec::new(),
        };
        let optimizers = self.optimizers(&lines, sweep);
        // Axes whose values are wrong: what they bind is not missing.
        let mut failed: Vec<&str> = Vec::new();
        let mut has_budget = false;
        let mut has_loss = false;
        // Where folds are mentioned, and those that are named.
        let (mut said, mut folds): (Option<Span>, Option<Vec<(usize, Span)>>) = (None, None);
        for line in &lines {
            match &line.kind {
                SweepLineKind::Minimize { maximize, loss, many, over } => {
                    has_loss = true;
                    spec.maximize = *maximize;
                    if let Some(name) = over.first() {
                        self.diags.push(not_yet(name.span, "`minimize .. over`"));
                    }
                    if let Ok(axis) = self.losses(loss, *many) {
                        spec.axes.push(axis);
                    }
                }
                SweepLineKind::Axis(axis) => match axis.name.name.as_str() {
                    "optimizer" => {
                        if let Ok(list) = &optimizers {
                            spec.axes.push(AxisSpec { points: list.iter().flat_map(|(o, points)| optimizer_points(o, points)).collect() });
                        }
                    }
                    "steps" | "epochs" => {
                        has_budget = true;
                        if axis.many {
                            self.diags.push(
                                Diagnostic::error("E0404", axis.name.span, format!("`{}` is one number", axis.name.name)).here("no axis"),
                            );
                        } else if let Ok(n) =
                            Lower::new(self.model, self.decls, self.diags).whole(&axis.values, &format!("`{}`", axis.name.name), 0.0)
                        {
                            spec.budget = if axis.name.name == "steps" { Budget::Steps(n as u64) } else { Budget::Epochs(n as u64) };
                        }
                    }
                    "fold" => {
                        said = Some(line.span);
                        folds = self.folds_said(axis).ok();
                    }
                    _ => match self.axis(axis, &optimizers) {
                        Ok(points) => {
                            spec.axes.push(AxisSpec { points: points.into_iter().map(|bind| vec![bind]).collect() });
                        }
                        Err(Reported) => failed.push(&axis.name.name),
                    },
                },
                SweepLineKind::Zip(list) => match self.zip(list, &optimizers, line.span) {
                    Ok(axis) => spec.axes.push(axis),
                    Err(Reported) => failed.extend(list.iter().map(|axis| axis.name.name.as_str())),
                },
                SweepLineKind::Batches { size, order, order_span, drop_last } => {
                    if *order == BatchOrder::Unsaid {
                        let d = Diagnostic::error("E0430", line.span, "in which order do the batches take the rows?").here("not said");
                        let mut shuffled = vec![(size.span.end(), " shuffled".to_string())];
                        if self.decls.rng.is_none() {
                            shuffled.insert(0, (Span { lo: 0, hi: 0, ..size.span }, "rng 1\n".to_string()));
                        }
                        self.diags.push(d.edits(shuffled, "a new order each epoch").replace(
                            size.span.end(),
                            " in order",
                            "the order of the file",
                        ));
                    }
                    spec.batches = Some(BatchSpec {
                        size: size.clone(),
                        order: order.clone(),
                        drop_last: *drop_last,
                        span: size.span.to(*order_span),
                    });
                }
                SweepLineKind::Record { pace, .. } => {
                    if let Some(pace) = pace {
                        let every = match &pace.every {
                            Some(e) => Lower::new(self.model, self.decls, self.diags).whole(e, "a pace", 1.0).map(|n| n as u64),
                            None => Ok(1),
                        };
                        if let Ok(every) = every {
                            spec.pace = Some(if pace.epochs { Pace::Epochs(every) } else { Pace::Steps(every) });
                        }
                    }
                }
                SweepLineKind::StopWhen(e) => spec.stop = Some((e.clone(), print::expr(e))),
                SweepLineKind::Repeat { count: RepeatCount::Times(e), redraw } => {
                    spec.redraw = self.redrawn(redraw);
                    if let Ok(n) = Lower::new(self.model, self.decls, self.diags).whole(e, "a number of replicates", 1.0) {
                        spec.repeat = n;
                    }
                }
                SweepLineKind::Repeat { count: RepeatCount::Folds(span), redraw } => {
                    said = Some(*span);
                    spec.redraw.extend(self.redrawn(redraw));
                }
                SweepLineKind::Sample { .. } => self.diags.push(not_yet(line.span, "`sample`")),
                SweepLineKind::SkipWhen(_) => self.diags.push(not_yet(line.span, "`skip when`")),
                SweepLineKind::Group { .. } => self.diags.push(not_yet(line.span, "`group`")),
                SweepLineKind::StartFrom { .. } => self.diags.push(not_yet(line.span, "`start from`")),
            }
        }
        if !has_loss {
            self.diags.push(
                Diagnostic::error("E0408", sweep.name.span, format!("sweep `{}` minimizes nothing", sweep.name.name))
                    .here("no line `minimize ..`"),
            );
        }
        let solver = |list: &[(OptimizerSpec, Vec<optimizers::Point>)]| -> Vec<String> {
            let stages = list.iter().flat_map(|(optimizer, _)| &optimizer.stages);
            stages.filter(|stage| self.decls.solvers.contains_key(&stage.rule)).map(|stage| stage.rule.clone()).collect()
        };
        let solvers = optimizers.as_ref().map(|list| solver(list)).unwrap_or_default();
        if let (Some(batches), Some(solver)) = (&spec.batches, solvers.first()) {
            let message = format!("`{solver}` sees all rows in every step");
            self.diags.push(
                Diagnostic::error("E0800", batches.span, message)
                    .here("batches")
                    .help("a sweep of its own, without batches, is as good for comparing"),
            );
        }
        // A solver ends by itself.
        if !has_budget && !solvers.is_empty() && optimizers.as_ref().is_ok_and(|list| list.len() == solvers.len()) {
            spec.budget = Budget::Steps(STEPS);
            has_budget = true;
        }
        // Among optimizers that are wrong there may be one that needs no number of steps.
        if !has_budget && (optimizers.is_ok() || self.decls.solvers.is_empty()) {
            let d = Diagnostic::error("E0409", sweep.name.span, format!("how long does sweep `{}` run?", sweep.name.name))
                .here("no `steps`, no `epochs`");
            let end = Span { lo: sweep.span.hi.saturating_sub(1), hi: sweep.span.hi.saturating_sub(1), ..sweep.span };
            self.diags.push(d.replace(end, "; steps = 100 ", "say it"));
        }
        spec.judging = self.judging(sweep, &spec.losses(), said, folds);
        if let Ok(list) = &optimizers {
            self.complete(&spec, list, &failed);
        }
        if self.diags.list[before..].iter().any(|d| d.severity == crate::diag::Severity::Error) { Err(Reported) } else { Ok(spec) }
    }

    fn losses(&mut self, loss: &Expr, many: bool) -> R<AxisSpec> {
        let list: Vec<&Expr> = match &loss.kind {
            ExprKind::List(items) if many => items.iter().collect(),
            _ => vec![loss],
        };
        let mut points = Vec::new();
        for e in list {
            let name = match &e.kind {
                ExprKind::Name(name) => name.clone(),
                ExprKind::Field { .. } => print::expr(e),
                _ => {
                    let d = Diagnostic::error("E0432", e.span, "what is minimized has a name").here("an expression");
                    return self.fail(d.help(format!("declare it: `loss J = {}`, and `minimize J`", print::expr(e))));
                }
            };
            match self.decls.value("", &name).map(|v| (&v.kind, v.name.span)) {
                Some((ValueKind::Loss { .. }, _)) => points.push(vec![Bind::Loss(name)]),
                Some((kind, span)) => {
                    let d = Diagnostic::error("E0433", e.span, format!("`{name}` is a {}, not a loss", kind.keyword())).here("no loss");
                    return self.fail(d.label(span, format!("declared here; write `loss {name} = ..` to minimize it")));
                }
                None => {
                    let losses: Vec<&str> = self
                        .decls
                        .values
                        .iter()
                        .filter(|(_, v)| matches!(v.kind, ValueKind::Loss { .. }))
                        .map(|(n, _)| n.as_str())
                        .collect();
                    let mut d = Diagnostic::error("E0434", e.span, format!("no loss is called `{name}`")).here(if losses.is_empty() {
                        "no loss is declared".to_string()
                    } else {
                        format!("losses: {}", losses.join(", "))
                    });
                    if let Some(near) = did_you_mean(&name, losses) {
                        d = d.replace(e.span, near, format!("did you mean `{near}`?"));
                    }
                    return self.fail(d);
                }
            }
        }
        Ok(AxisSpec { points })
    }
}
