//! Sweeps: what is minimized by which optimizers over which values, for how long.
//!
//! It resolves names and values; the product of the axes is taken in `plan`.

use std::collections::BTreeMap;

use super::decls::{Block, Decls, Rule, ValueKind, not_yet, walk};
use super::lower::{Frame, Lower, Model, R, Reported, Val};
use super::model::Declared;
use super::program::{AxisSpec, AxisValue, BatchSpec, Bind, Budget, OptimizerSpec, Pace, StageSpec, SweepSpec};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::expr::graph::InputKind;
use crate::results::Setting;
use crate::shape::Shape;
use crate::source::Span;
use crate::syntax::ast::{
    Arg, Axis, BatchOrder, Expr, ExprKind, Ident, RepeatCount, RuleBody, RuleLine, RuleLineKind, SweepLine, SweepLineKind,
};
use crate::syntax::print;

/// The lines of a sweep with those of the sweeps that it extends: it replaces the items it names and adds the rest.
pub(crate) fn extended(decls: &Decls, sweep: &Block<SweepLine>, diags: &mut Diagnostics) -> Vec<SweepLine> {
    let mut chain = vec![sweep];
    while let Some(base) = &chain[chain.len() - 1].base {
        let Some(next) = decls.sweeps.iter().find(|s| s.name.name == base.name) else {
            let names: Vec<&str> = decls.sweeps.iter().map(|s| s.name.name.as_str()).collect();
            diags.push(no_sweep(base, &names));
            break;
        };
        if chain.iter().any(|s| s.name.name == next.name.name) {
            diags.push(Diagnostic::error("E0402", base.span, "sweeps extend each other in a circle").here("extends itself"));
            break;
        }
        chain.push(next);
    }
    let mut lines: Vec<SweepLine> = Vec::new();
    for sweep in chain.into_iter().rev() {
        let named: Vec<String> = sweep.lines.iter().flat_map(keys).collect();
        // What is replaced keeps its place, so that the order of the axes stays.
        let mut added: Vec<SweepLine> = Vec::new();
        for line in &sweep.lines {
            let mine = keys(line);
            match lines.iter().position(|old| !mine.is_empty() && keys(old).iter().any(|k| mine.contains(k))) {
                Some(at) if !added.contains(line) => lines[at] = line.clone(),
                _ => added.push(line.clone()),
            }
        }
        lines.retain(|old| sweep.lines.contains(old) || !keys(old).iter().any(|k| named.contains(k)));
        lines.extend(added);
    }
    lines
}

/// What a line settles.
fn keys(line: &SweepLine) -> Vec<String> {
    let axis = |axis: &Axis| if axis.name.name == "epochs" { "steps".to_string() } else { axis.name.name.clone() };
    match &line.kind {
        SweepLineKind::Minimize { .. } => vec!["minimize".to_string()],
        SweepLineKind::Axis(a) => vec![axis(a)],
        SweepLineKind::Zip(list) => list.iter().map(axis).collect(),
        SweepLineKind::Sample { draws, .. } => draws.iter().map(|(n, _)| n.name.clone()).collect(),
        SweepLineKind::Batches { .. } => vec!["batches".to_string()],
        SweepLineKind::Record { .. } => vec!["record".to_string()],
        SweepLineKind::StopWhen(_) => vec!["stop".to_string()],
        SweepLineKind::Repeat { .. } => vec!["repeat".to_string()],
        SweepLineKind::StartFrom { .. } => vec!["start".to_string()],
        SweepLineKind::SkipWhen(_) | SweepLineKind::Group { .. } => Vec::new(),
    }
}

/// A name that is no sweep.
pub(crate) fn no_sweep(name: &Ident, names: &[&str]) -> Diagnostic {
    let d = Diagnostic::error("E0401", name.span, format!("no sweep is called `{}`", name.name)).here(if names.is_empty() {
        "there are no sweeps".to_string()
    } else {
        format!("sweeps: {}", names.join(", "))
    });
    match did_you_mean(&name.name, names.iter().copied()) {
        Some(near) => d.replace(name.span, near, format!("did you mean `{near}`?")),
        None => d,
    }
}

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
            pace: None,
            wants: Vec::new(),
            folds: Vec::new(),
        };
        let optimizers = self.optimizers(&lines, sweep);
        let mut has_budget = false;
        let mut has_loss = false;
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
                    _ => {
                        if let Ok(points) = self.axis(axis, &optimizers) {
                            spec.axes.push(AxisSpec { points: points.into_iter().map(|bind| vec![bind]).collect() });
                        }
                    }
                },
                SweepLineKind::Zip(list) => {
                    if let Ok(axis) = self.zip(list, &optimizers, line.span) {
                        spec.axes.push(axis);
                    }
                }
                SweepLineKind::Batches { size, order, order_span, drop_last } => {
                    if *order == BatchOrder::Unsaid {
                        let d = Diagnostic::error("E0430", line.span, "in which order do the batches take the rows?").here("not said");
                        self.diags.push(d.replace(size.span.end(), " shuffled", "a new order each epoch").replace(
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
                    if let Some(name) = redraw.first() {
                        self.diags.push(not_yet(name.span, "`redraw`"));
                    }
                    if let Ok(n) = Lower::new(self.model, self.decls, self.diags).whole(e, "a number of replicates", 1.0) {
                        spec.repeat = n;
                    }
                }
                SweepLineKind::Repeat { count: RepeatCount::Folds(span), .. } => self.diags.push(not_yet(*span, "`repeat folds`")),
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
        if !has_budget {
            let d = Diagnostic::error("E0409", sweep.name.span, format!("how long does sweep `{}` run?", sweep.name.name))
                .here("no `steps`, no `epochs`");
            let end = Span { lo: sweep.span.hi.saturating_sub(1), hi: sweep.span.hi.saturating_sub(1), ..sweep.span };
            self.diags.push(d.replace(end, "; steps = 100 ", "say it"));
        }
        if let Ok(list) = &optimizers {
            self.complete(&spec, list);
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

    /// The optimizers of a sweep, each with the points of its own axes.
    fn optimizers(&mut self, lines: &[SweepLine], sweep: &Block<SweepLine>) -> R<Vec<(OptimizerSpec, Vec<Point>)>> {
        let axis = lines.iter().find_map(|line| match &line.kind {
            SweepLineKind::Axis(axis) if axis.name.name == "optimizer" => Some(axis),
            SweepLineKind::Zip(list) => list.iter().find(|a| a.name.name == "optimizer"),
            _ => None,
        });
        let Some(axis) = axis else {
            return self.fail(
                Diagnostic::error("E0435", sweep.name.span, format!("sweep `{}` has no optimizer", sweep.name.name))
                    .here("no line `optimizer = ..`"),
            );
        };
        let entries: Vec<&Expr> = match &axis.values.kind {
            ExprKind::List(items) if axis.many => items.iter().collect(),
            ExprKind::List(_) => {
                return self.fail(several(axis));
            }
            _ => vec![&axis.values],
        };
        let mut list = Vec::new();
        let mut ok = true;
        for e in entries {
            match self.optimizer(e) {
                Ok(one) => list.push(one),
                Err(Reported) => ok = false,
            }
        }
        if ok { Ok(list) } else { Err(Reported) }
    }

    /// `gd`, `adam(lr = 0.1, beta1 in [..])`, `clip_norm(limit = 1) |> adam`.
    fn optimizer(&mut self, e: &Expr) -> R<(OptimizerSpec, Vec<Point>)> {
        let parts: Vec<&Expr> = if let ExprKind::Pipe(parts) = &e.kind { parts.iter().collect() } else { vec![e] };
        let mut spec = OptimizerSpec { rule: String::new(), span: e.span, stages: Vec::new() };
        let mut points: Vec<Point> = vec![Vec::new()];
        for (place, part) in parts.iter().enumerate() {
            let (name, args): (Ident, &[Arg]) = match &part.kind {
                ExprKind::Name(name) => (Ident { name: name.clone(), span: part.span }, &[]),
                ExprKind::Field { .. } => (Ident { name: print::expr(part), span: part.span }, &[]),
                ExprKind::Call { name, args, .. } => (name.clone(), args),
                ExprKind::Text(text) => {
                    let d = Diagnostic::error("E0436", part.span, "an optimizer is a name, without quotes").here("a text");
                    return self.fail(d.replace(part.span, text.clone(), "write"));
                }
                _ => {
                    return self.fail(
                        Diagnostic::error("E0436", part.span, "an optimizer is a name, with arguments if need be")
                            .here("no name")
                            .help("such as `adam(lr = 0.01)`"),
                    );
                }
            };
            let Some(rule) = self.decls.rules.get(&name.name).cloned() else {
                let known: Vec<&str> =
                    self.decls.rules.keys().map(String::as_str).chain(crate::library::LIBRARY.iter().map(|f| f.name)).collect();
                let mut d = Diagnostic::error("E0437", name.span, format!("no optimizer is called `{}`", name.name)).here("not known");
                d = match did_you_mean(&name.name, known) {
                    Some(near) => {
                        let near = near.to_string();
                        d.replace(name.span, near.clone(), format!("did you mean `{near}`?"))
                    }
                    None => d.help("`optrun std` lists those that ship with the program"),
                };
                return self.fail(d);
            };
            if let RuleBody::Compose(inner) = &rule.body {
                return self.fail(not_yet(inner.span, "an optimizer declared as a chain of stages"));
            }
            let mut stage = StageSpec { rule: name.name.clone(), args: BTreeMap::new(), varying: Vec::new() };
            let mut ok = true;
            for arg in args {
                ok &= self.argument(arg, &rule, &name, place, &mut stage, &mut points).is_ok();
            }
            if !ok {
                return Err(Reported);
            }
            spec.stages.push(stage);
        }
        spec.rule = spec.stages.iter().map(|s| s.rule.as_str()).collect::<Vec<_>>().join(" |> ");
        Ok((spec, points))
    }

    fn argument(&mut self, arg: &Arg, rule: &Rule, name: &Ident, place: usize, stage: &mut StageSpec, points: &mut Vec<Point>) -> R<()> {
        let formals: Vec<&str> = rule.formals.iter().map(|f| f.name.name.as_str()).collect();
        let (given, e, many) = match arg {
            Arg::Positional(e) => {
                let next = rule.formals.iter().find(|f| !stage.args.contains_key(&f.name.name)).map_or("lr", |f| f.name.name.as_str());
                let d = Diagnostic::error("E0438", e.span, format!("the arguments of `{}` are always named", name.name))
                    .here("which one is it?");
                return self.fail(d.replace(
                    e.span,
                    format!("{next} = {}", print::expr(e)),
                    format!("`{}` has {}", name.name, formals.join(", ")),
                ));
            }
            Arg::Named(given, e) => (given, e, false),
            Arg::In(given, e) => (given, e, true),
        };
        if !formals.contains(&given.name.as_str()) {
            return self.fail(no_argument(&name.name, &formals, given, Some(e)));
        }
        if stage.args.contains_key(&given.name)
            || points.first().is_some_and(|p| p.iter().any(|(at, n, _)| *at == place && *n == given.name))
        {
            return self.fail(Diagnostic::error("E0220", given.span, format!("`{}` is given twice", given.name)).here("second"));
        }
        let values = self.values(e, many, given, &words(rule, &given.name))?;
        if many {
            stage.varying.push(given.name.clone());
            *points = points
                .iter()
                .flat_map(|point| {
                    values.iter().map(|value| {
                        let mut point = point.clone();
                        point.push((place, given.name.clone(), value.clone()));
                        point
                    })
                })
                .collect();
        } else if let Some(value) = values.into_iter().next() {
            stage.args.insert(given.name.clone(), value);
        }
        Ok(())
    }

    /// An axis that is no optimizer: an argument of every optimizer listed, or a hyper.
    fn axis(&mut self, axis: &Axis, optimizers: &R<Vec<(OptimizerSpec, Vec<Point>)>>) -> R<Vec<Bind>> {
        let name = &axis.name.name;
        if matches!(name.as_str(), "seed" | "random_state") {
            let d = Diagnostic::error("E0439", axis.name.span, "seeds are replications, not settings").here("no axis");
            return self.fail(d.help("`repeat 5` runs every cell with five draws"));
        }
        let hyper = self.declared.hypers.iter().find(|h| h.name == *name);
        let hyper_span = hyper.map(|h| h.span);
        let list = optimizers.as_ref().map_err(|_| Reported)?;
        let mut takers = Vec::new();
        let mut without = Vec::new();
        let mut allowed: Vec<String> = Vec::new();
        for (optimizer, _) in list {
            let mut takes = false;
            for stage in &optimizer.stages {
                let rule = &self.decls.rules[&stage.rule];
                if rule.formals.iter().any(|f| f.name.name == *name) {
                    takes = true;
                    allowed.extend(words(rule, name));
                    if stage.args.contains_key(name) || stage.varying.contains(name) {
                        let d = Diagnostic::error("E0440", axis.name.span, format!("`{}` already fixes `{name}`", stage.rule))
                            .here("given again");
                        return self.fail(d.label(optimizer.span, "fixed here"));
                    }
                }
            }
            if takes { takers.push(optimizer) } else { without.push(optimizer) }
        }
        match (hyper_span, takers.is_empty()) {
            (Some(span), false) => {
                let d = Diagnostic::error("E0441", axis.name.span, format!("`{name}` is a hyper and an argument of `{}`", takers[0].rule))
                    .here("which one?");
                return self.fail(d.label(span, "the hyper"));
            }
            (None, true) => {
                let formals: Vec<&str> = list
                    .iter()
                    .flat_map(|(o, _)| &o.stages)
                    .flat_map(|s| self.decls.rules[&s.rule].formals.iter().map(|f| f.name.name.as_str()))
                    .collect();
                let known: Vec<&str> = formals
                    .iter()
                    .copied()
                    .chain(self.declared.hypers.iter().map(|h| h.name.as_str()))
                    .chain(["steps", "epochs", "optimizer"])
                    .collect();
                let mut d =
                    Diagnostic::error("E0442", axis.name.span, format!("`{name}` is no argument of these optimizers and no `hyper`"))
                        .here("what varies here?");
                if let Some(value) = self.decls.value("", name) {
                    d = d.label(value.name.span, format!("a {}: only a `hyper` may vary", value.kind.keyword()));
                    if matches!(value.kind, ValueKind::Let { .. }) {
                        d = d.help(format!("declare it as `hyper {name} = ..`"));
                    }
                } else if let Some(near) = argument_alias(name, &formals).or_else(|| did_you_mean(name, known.iter().copied())) {
                    d = d.replace(axis.name.span, near, format!("did you mean `{near}`?"));
                }
                return self.fail(d);
            }
            (None, false) => {
                if let Some(optimizer) = without.first() {
                    let d = Diagnostic::error("E0443", axis.name.span, format!("`{}` has no `{name}`", optimizer.rule))
                        .here("every optimizer listed must take it");
                    return self.fail(
                        d.label(optimizer.span, format!("no `{name}`"))
                            .help(format!("give it to the others alone: `{}({name} in [..])`", takers[0].rule)),
                    );
                }
            }
            (Some(_), true) => {}
        }
        let values = self.values(&axis.values, axis.many, &axis.name, &allowed)?;
        if hyper_span.is_some()
            && let Some(bad) = values.iter().find(|v| !matches!(v.setting, Setting::Number(_)))
        {
            let d = Diagnostic::error("E0444", bad.expr.span, format!("a value of the hyper `{name}` is a number"))
                .here("changes during the run");
            return self.fail(d);
        }
        Ok(values.into_iter().map(|value| Bind::Named { name: name.clone(), hyper: hyper_span.is_some(), value }).collect())
    }

    fn zip(&mut self, list: &[Axis], optimizers: &R<Vec<(OptimizerSpec, Vec<Point>)>>, span: Span) -> R<AxisSpec> {
        let mut columns: Vec<Vec<Vec<Bind>>> = Vec::new();
        for axis in list {
            columns.push(if axis.name.name == "optimizer" {
                let all = optimizers.as_ref().map_err(|_| Reported)?;
                all.iter().flat_map(|(o, points)| optimizer_points(o, points)).collect()
            } else {
                self.axis(axis, optimizers)?.into_iter().map(|bind| vec![bind]).collect()
            });
        }
        let Some(length) = columns.first().map(Vec::len) else {
            return self.fail(Diagnostic::error("E0445", span, "an empty `zip`").here("no axis in it"));
        };
        for (axis, column) in list.iter().zip(&columns) {
            if column.len() != length {
                let message = format!(
                    "`zip` pairs lists of one length: `{}` has {length}, `{}` has {}",
                    list[0].name.name,
                    axis.name.name,
                    column.len()
                );
                let d = Diagnostic::error("E0406", axis.values.span, message).here(format!("{} values", column.len()));
                return self.fail(d.label(list[0].values.span, format!("{length} values")));
            }
        }
        let points = (0..length).map(|i| columns.iter().flat_map(|column| column[i].clone()).collect()).collect();
        Ok(AxisSpec { points })
    }

    /// The values on an axis.
    fn values(&mut self, e: &Expr, many: bool, name: &Ident, words: &[String]) -> R<Vec<AxisValue>> {
        if !many {
            if let ExprKind::List(_) = &e.kind {
                return self.fail(several(&Axis { name: name.clone(), values: e.clone(), many }));
            }
            return Ok(vec![self.axis_value(e, words)?]);
        }
        match &e.kind {
            ExprKind::List(items) => items.iter().map(|item| self.axis_value(item, words)).collect::<Vec<_>>().into_iter().collect(),
            ExprKind::Range(lo, hi) => {
                let d = Diagnostic::error("E0321", e.span, "an interval has no end of values").here("an interval, not a list");
                self.fail(d.replace(e.span, format!("geomspace({}, {}, 5)", print::expr(lo), print::expr(hi)), "a list of values"))
            }
            _ => {
                let mut lower = Lower::new(self.model, self.decls, self.diags);
                let id = lower.node(e)?;
                let rank = lower.model.graph.shape(id).rank();
                let Some(values) = lower.model.constant(id) else {
                    return lower.fail(
                        Diagnostic::error("E0312", e.span, "the values of an axis must be known before running")
                            .here("depends on a parameter"),
                    );
                };
                if rank != 1 {
                    let text = lower.show(id);
                    return lower.fail(Diagnostic::error("E0446", e.span, "the values of an axis are a list").here(text).replace(
                        e.span,
                        format!("[{}]", print::expr(e)),
                        "write",
                    ));
                }
                Ok(values
                    .iter()
                    .map(|&x| AxisValue { setting: Setting::Number(x), expr: Expr { span: e.span, kind: ExprKind::Number(x) } })
                    .collect())
            }
        }
    }

    /// One value: a number, a word of a convention, or a schedule.
    fn axis_value(&mut self, e: &Expr, words: &[String]) -> R<AxisValue> {
        if !words.is_empty() {
            if let ExprKind::Name(word) = &e.kind {
                if words.contains(word) {
                    return Ok(AxisValue { setting: Setting::Text(word.clone()), expr: e.clone() });
                }
                let mut d = Diagnostic::error("E0447", e.span, format!("no choice is called `{word}`"))
                    .here(format!("choices: {}", words.join(", ")));
                if let Some(near) = did_you_mean(word, words.iter().map(String::as_str)) {
                    d = d.replace(e.span, near, format!("did you mean `{near}`?"));
                }
                return self.fail(d);
            }
            let d = Diagnostic::error("E0447", e.span, "this argument is a choice between words")
                .here(format!("choices: {}", words.join(", ")));
            return self.fail(d);
        }
        let counters = counters(self.model);
        let mut lower = Lower::new(self.model, self.decls, self.diags);
        lower.frames.push(Frame {
            names: counters.iter().map(|(n, id)| ((*n).to_string(), Val::Node(*id))).collect(),
            sealed: false,
            what: "an argument",
        });
        let id = lower.scalar(e, "an argument of a rule")?;
        if lower.model.data_only(id)
            && let Some(value) = lower.model.constant(id).and_then(|v| v.first().copied())
        {
            return Ok(AxisValue { setting: Setting::Number(value), expr: e.clone() });
        }
        let depends = lower.model.graph.reachable(&[id]).into_iter().find_map(|node| {
            let input = lower.model.graph.as_input(node)?;
            let info = lower.model.graph.input_info(input);
            (info.kind == InputKind::Param).then(|| info.name.clone())
        });
        if let Some(param) = depends {
            let d = Diagnostic::error("E0448", e.span, format!("an argument of a rule cannot depend on the parameter `{param}`"))
                .here("changes with it");
            return lower.fail(d.help("it may use numbers, data, hypers, schedules, `t`, `epoch` and `steps`"));
        }
        Ok(AxisValue { setting: Setting::Text(print::expr(e)), expr: e.clone() })
    }

    /// Every argument of every rule has a value.
    fn complete(&mut self, spec: &SweepSpec, optimizers: &[(OptimizerSpec, Vec<Point>)]) {
        let bound: Vec<&str> = spec
            .axes
            .iter()
            .flat_map(|a| a.points.first().into_iter().flatten())
            .filter_map(|b| if let Bind::Named { name, hyper: false, .. } = b { Some(name.as_str()) } else { None })
            .collect();
        for (optimizer, _) in optimizers {
            for stage in &optimizer.stages {
                let rule = &self.decls.rules[&stage.rule];
                for formal in &rule.formals {
                    let name = &formal.name.name;
                    let given = formal.default.is_some()
                        || stage.args.contains_key(name)
                        || stage.varying.contains(name)
                        || bound.contains(&name.as_str());
                    if !given {
                        let message = format!("`{}` needs `{name}`", stage.rule);
                        let d = Diagnostic::error("E0405", optimizer.span, message)
                            .here("not given, here or in the sweep")
                            .label(formal.name.span, "has no default");
                        let at = optimizer.span;
                        let value = if name == "lr" { "0.1" } else { "1" };
                        let d = if stage.args.is_empty() && optimizer.stages.len() == 1 && stage.varying.is_empty() {
                            d.replace(at.end(), format!("({name} = {value})"), "give it a value")
                        } else {
                            let inside = Span { lo: at.hi.saturating_sub(1), hi: at.hi.saturating_sub(1), ..at };
                            d.replace(inside, format!(", {name} = {value}"), "give it a value")
                        };
                        self.diags.push(d);
                    }
                }
            }
        }
    }
}

/// A point of an optimizer's own axes: stage, argument, value.
pub(crate) type Point = Vec<(usize, String, AxisValue)>;

fn optimizer_points(optimizer: &OptimizerSpec, points: &[Point]) -> Vec<Vec<Bind>> {
    points
        .iter()
        .map(|point| {
            let mut one = optimizer.clone();
            for (stage, name, value) in point {
                one.stages[*stage].args.insert(name.clone(), value.clone());
            }
            vec![Bind::Optimizer(one)]
        })
        .collect()
}

fn several(axis: &Axis) -> Diagnostic {
    let d = Diagnostic::error("E0431", axis.values.span, "several values are given with `in`")
        .here("a list")
        .label(axis.name.span, "given with `=`");
    let between = Span { lo: axis.name.span.hi, hi: axis.values.span.lo, ..axis.name.span };
    d.replace(between, " in ", "write")
}

/// The words that a rule compares an argument with; empty when the argument is a number.
pub(crate) fn words(rule: &Rule, name: &str) -> Vec<String> {
    let Some(default) = rule.formals.iter().find(|f| f.name.name == name).and_then(|f| f.default.as_ref()) else { return Vec::new() };
    let ExprKind::Name(word) = &default.kind else { return Vec::new() };
    if super::builtins::constant(word).is_some() || rule.formals.iter().any(|f| f.name.name == *word) {
        return Vec::new();
    }
    let mut found = vec![word.clone()];
    let mut look = |e: &Expr| {
        walk(e, &mut |e| {
            if let ExprKind::Compare { left, right, .. } = &e.kind
                && let (ExprKind::Name(a), ExprKind::Name(b)) = (&left.kind, &right.kind)
            {
                for (x, y) in [(a, b), (b, a)] {
                    if x == name && !found.contains(y) {
                        found.push(y.clone());
                    }
                }
            }
        });
    };
    if let RuleBody::Lines(lines) = &rule.body {
        for e in rule_exprs(lines) {
            look(e);
        }
    }
    found
}

fn rule_exprs(lines: &[RuleLine]) -> Vec<&Expr> {
    lines
        .iter()
        .flat_map(|line| match &line.kind {
            RuleLineKind::State(list) | RuleLineKind::Shared(list) => list.iter().map(|(_, e)| e).collect(),
            RuleLineKind::Let(_, e) | RuleLineKind::Draw(_, e) | RuleLineKind::Update(_, e) | RuleLineKind::Report(e) => vec![e],
            RuleLineKind::When(c, lines) => std::iter::once(c).chain(rule_exprs(lines)).collect(),
            RuleLineKind::EachEpoch(lines) => rule_exprs(lines),
        })
        .collect()
}

/// What other libraries call an argument.
fn argument_alias<'f>(name: &str, formals: &[&'f str]) -> Option<&'f str> {
    const ALIASES: [(&str, &[&str]); 9] = [
        ("learning_rate", &["lr"]),
        ("step_size", &["lr"]),
        ("alpha", &["lr"]),
        ("eta", &["lr"]),
        ("rate", &["lr"]),
        ("epsilon", &["eps"]),
        ("momentum", &["beta", "gamma"]),
        ("rho", &["beta"]),
        ("gamma", &["beta"]),
    ];
    let (_, ours) = ALIASES.iter().find(|(theirs, _)| *theirs == name)?;
    formals.iter().copied().find(|f| ours.contains(f))
}

fn no_argument(rule: &str, formals: &[&str], given: &Ident, value: Option<&Expr>) -> Diagnostic {
    let message = format!("`{rule}` has no `{}`", given.name);
    let mut d = Diagnostic::error("E0442", given.span, message).here(if formals.is_empty() {
        "it has no arguments".to_string()
    } else {
        format!("it has {}", formals.join(", "))
    });
    // A tiny number in the place of something else is an epsilon.
    let tiny = value.is_some_and(|e| matches!(e.kind, ExprKind::Number(x) if x > 0.0 && x <= 1e-5)) && formals.contains(&"eps");
    let near = argument_alias(&given.name, formals).or(did_you_mean(&given.name, formals.iter().copied())).or(if tiny {
        Some("eps")
    } else {
        None
    });
    if let Some(near) = near {
        d = d.replace(given.span, near, format!("did you mean `{near}`?"));
    }
    d
}

/// The counters of a run as inputs of a graph, made once per model.
pub(crate) fn counters(model: &mut Model) -> [(&'static str, crate::expr::graph::Id); 3] {
    let mut find = |name: &'static str, kind: InputKind| {
        let known = (0..model.graph.inputs().len()).find(|&i| model.graph.inputs()[i].kind == kind);
        match known {
            Some(i) => model.graph.add(crate::expr::op::Op::Input(crate::expr::op::InputId(i as u32)), &[]),
            None => model.graph.input(name, kind, Shape::scalar()),
        }
    };
    [("t", find("t", InputKind::Step)), ("epoch", find("epoch", InputKind::Epoch)), ("steps", find("steps", InputKind::Steps))]
}
