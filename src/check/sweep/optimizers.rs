//! The optimizers of a sweep: which rules, in which stages, with which arguments.
//!
//! What a rule does is in `check::rule`.

use super::Sweeps;
use super::arguments::{no_argument, words};
use super::axes::several;
use crate::check::decls::{Block, Rule, not_yet};
use crate::check::lower::{R, Reported};
use crate::check::messages;
use crate::check::program::{AxisValue, Bind, OptimizerSpec, StageSpec, SweepSpec};
use crate::diag::{Diagnostic, did_you_mean};
use crate::results::Setting;
use crate::solvers::SOLVERS;
use crate::source::Span;
use crate::syntax::ast::{Arg, Expr, ExprKind, Ident, RuleBody, SweepLine, SweepLineKind};
use crate::syntax::print;
use std::collections::BTreeMap;

impl Sweeps<'_> {
    /// The optimizers of a sweep, each with the points of its own axes.
    pub(super) fn optimizers(&mut self, lines: &[SweepLine], sweep: &Block<SweepLine>) -> R<Vec<(OptimizerSpec, Vec<Point>)>> {
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
    pub(super) fn optimizer(&mut self, e: &Expr) -> R<(OptimizerSpec, Vec<Point>)> {
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
                let known: Vec<&str> = self
                    .decls
                    .rules
                    .keys()
                    .map(String::as_str)
                    .chain(crate::library::LIBRARY.iter().map(|f| f.name))
                    .chain(SOLVERS.iter().map(|s| s.name))
                    .collect();
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
            if self.decls.solvers.contains_key(&name.name) && parts.len() > 1 {
                let message = format!("`{}` is a solver: it stands alone", name.name);
                let d = Diagnostic::error("E0801", part.span, message).here("in a chain of stages");
                return self.fail(d.replace(e.span, print::expr(part), "without the other stages"));
            }
            let mut stage = StageSpec { rule: name.name.clone(), span: part.span, args: BTreeMap::new(), varying: Vec::new() };
            if let Some(diagnostic) = positional(&name, &rule, args) {
                return self.fail(diagnostic);
            }
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

    pub(super) fn argument(
        &mut self,
        arg: &Arg,
        rule: &Rule,
        name: &Ident,
        place: usize,
        stage: &mut StageSpec,
        points: &mut Vec<Point>,
    ) -> R<()> {
        let formals: Vec<&str> = rule.formals.iter().map(|f| f.name.name.as_str()).collect();
        let (given, e, many) = match arg {
            Arg::Positional(_) => return Err(Reported),
            Arg::Named(given, e) => (given, e, false),
            Arg::In(given, e) => (given, e, true),
        };
        if !formals.contains(&given.name.as_str()) {
            return self.fail(no_argument(&name.name, &formals, given, Some(e)));
        }
        if stage.args.contains_key(&given.name)
            || points.first().is_some_and(|p| p.iter().any(|(at, n, _)| *at == place && *n == given.name))
        {
            return self.fail(messages::given_twice(&given.name, given.span));
        }
        let values = self.values(e, many, given, &words(rule, &given.name))?;
        self.in_range(&name.name, &given.name, &values)?;
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

    /// A solver says which numbers an argument may be.
    pub(super) fn in_range(&mut self, rule: &str, argument: &str, values: &[AxisValue]) -> R<()> {
        let Some(argument) = self.decls.solvers.get(rule).and_then(|solver| solver.argument(argument)) else { return Ok(()) };
        for value in values {
            let Setting::Number(x) = value.setting else { continue };
            if !argument.range.has(x) {
                let message = format!("`{}` of `{rule}` cannot be {}", argument.name, crate::expr::print::number(x));
                return self.fail(Diagnostic::error("E0804", value.expr.span, message).here(format!("it is {}", argument.range.text())));
            }
        }
        Ok(())
    }

    /// Every argument of every rule has a value.
    pub(super) fn complete(&mut self, spec: &SweepSpec, optimizers: &[(OptimizerSpec, Vec<Point>)], failed: &[&str]) {
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
                        || bound.contains(&name.as_str())
                        || failed.contains(&name.as_str());
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

/// Arguments without names, all in one message.
fn positional(name: &Ident, rule: &Rule, args: &[Arg]) -> Option<Diagnostic> {
    let values: Vec<&Expr> = args.iter().filter_map(|arg| if let Arg::Positional(e) = arg { Some(e) } else { None }).collect();
    let (first, last) = (values.first()?, values.last()?);
    let given = |formal: &str| args.iter().any(|arg| matches!(arg, Arg::Named(name, _) | Arg::In(name, _) if name.name == formal));
    let formals: Vec<&str> = rule.formals.iter().map(|f| f.name.name.as_str()).collect();
    let free = formals.iter().copied().filter(|formal| !given(formal));
    let edits: Vec<(Span, String)> = values.iter().zip(free).map(|(e, formal)| (e.span.start(), format!("{formal} = "))).collect();
    let d = Diagnostic::error("E0438", first.span.to(last.span), format!("the arguments of `{}` are always named", name.name))
        .here(if values.len() == 1 { "which one is it?" } else { "which ones are they?" });
    Some(d.edits(edits, format!("`{}` has {}", name.name, formals.join(", "))))
}

/// A point of an optimizer's own axes: stage, argument, value.
pub(crate) type Point = Vec<(usize, String, AxisValue)>;

pub(super) fn optimizer_points(optimizer: &OptimizerSpec, points: &[Point]) -> Vec<Vec<Bind>> {
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
