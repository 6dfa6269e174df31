//! The stages of a cell's rule with the values of their arguments: numbers of the cell, schedules, words, and what groups of
//! parameters have instead.
//!
//! What the stages do is in `check::rule`.

use std::collections::BTreeMap;

use super::build::{Build, LaneSource};
use super::cells::is_lane;
use crate::check::lower::{Frame, Lower, R, Reported, Val};
use crate::check::program::StageSpec;
use crate::check::rule::{Stage, compose};
use crate::check::sweep::words;
use crate::diag::Diagnostic;
use crate::expr::graph::{Id, InputKind};
use crate::shape::Shape;
use crate::syntax::ast::{Expr, ExprKind};

/// The counters of a run.
type Counters = [(&'static str, Id); 3];

impl Build<'_> {
    /// The stages of the rule for these parameters.
    pub(super) fn stages(&mut self, counters: &Counters, params: &[(String, Id)]) -> R<Vec<Stage>> {
        let mut stages = Vec::new();
        for (place, stage) in self.point.optimizer.stages.iter().enumerate() {
            let rule = self.program.decls.rules[&stage.rule].clone();
            let args = self.of_stage(place, stage, counters)?;
            let decls = &self.program.decls;
            let own = compose::stages(&mut self.model, decls, self.diags, &rule, stage.span, args.clone(), counters)?;
            let first = stages.len();
            stages.extend(own);
            for group in &self.spec.groups {
                let mut other = args.clone();
                for (name, e) in group.values.iter().filter(|(name, _)| args.contains_key(&name.name)) {
                    let value = match &e.kind {
                        ExprKind::Name(word) if !words(&decls.rules, &rule, &name.name).is_empty() => Val::Word(word.clone()),
                        _ => self.argument(e, counters, &args)?,
                    };
                    other.insert(name.name.clone(), value);
                }
                let others = compose::stages(&mut self.model, decls, self.diags, &rule, stage.span, other, counters)?;
                for (stage, other) in stages[first..].iter_mut().zip(others) {
                    for (name, value) in other.args.into_iter().filter(|(name, value)| !same(value, &stage.args[name])) {
                        let base = stage.args[&name].clone();
                        let list = stage.own.entry(name).or_insert_with(|| vec![base; params.len()]);
                        for ((param, _), own) in params.iter().zip(list) {
                            if group.params.iter().any(|(name, _)| name == param) {
                                *own = value.clone();
                            }
                        }
                    }
                }
            }
        }
        self.grouped(params)?;
        Ok(stages)
    }

    /// Groups are of parameters that this sweep updates.
    fn grouped(&mut self, params: &[(String, Id)]) -> R<()> {
        for (name, span) in self.spec.groups.iter().flat_map(|group| &group.params) {
            if !params.iter().any(|(param, _)| param == name) {
                let message = format!("sweep `{}` does not update `{name}`", self.spec.name);
                let known: Vec<&str> = params.iter().map(|(param, _)| param.as_str()).collect();
                return self.fail(Diagnostic::error("E0423", *span, message).here(format!("it updates {}", known.join(", "))));
            }
        }
        Ok(())
    }

    /// The arguments of a stage as the sweep gives them.
    fn of_stage(&mut self, place: usize, stage: &StageSpec, counters: &Counters) -> R<BTreeMap<String, Val>> {
        let rule = self.program.decls.rules[&stage.rule].clone();
        let mut args: BTreeMap<String, Val> = BTreeMap::new();
        for formal in &rule.formals {
            let name = &formal.name.name;
            let is_word = !words(&self.program.decls.rules, &rule, name).is_empty();
            let given = stage.args.get(name);
            let value = match given {
                Some(value) if is_word => Val::Word(crate::syntax::print::expr(&value.expr)),
                Some(value) if is_lane(value) => self.lane_input(place, name, f64::NAN),
                Some(value) => self.argument(&value.expr, counters, &BTreeMap::new())?,
                None => match formal.default.as_ref().map(|e| &e.kind) {
                    Some(ExprKind::Name(word)) if is_word => Val::Word(word.clone()),
                    Some(ExprKind::Number(x)) => self.lane_input(place, name, *x),
                    _ => match &formal.default {
                        Some(e) => self.argument(&e.clone(), counters, &args)?,
                        None => return Err(Reported),
                    },
                },
            };
            args.insert(name.clone(), value);
        }
        Ok(args)
    }

    fn lane_input(&mut self, stage: usize, name: &str, default: f64) -> Val {
        let id = self.model.graph.input(name, InputKind::Arg, Shape::scalar());
        if let Some(input) = self.model.graph.as_input(id) {
            self.lane.push((input, LaneSource::Argument { stage, name: name.to_string(), default }));
        }
        Val::Node(id)
    }

    /// An argument that is an expression: a schedule, a formula of hypers and data, or of earlier arguments.
    fn argument(&mut self, e: &Expr, counters: &Counters, earlier: &BTreeMap<String, Val>) -> R<Val> {
        let mut lower = Lower::new(&mut self.model, &self.program.decls, self.diags);
        let mut names = earlier.clone();
        names.extend(counters.iter().map(|(n, id)| ((*n).to_string(), Val::Node(*id))));
        lower.frames.push(Frame { names, sealed: false, what: "an argument" });
        lower.scalar(e, "an argument of a rule").map(Val::Node)
    }
}

fn same(a: &Val, b: &Val) -> bool {
    match (a, b) {
        (Val::Node(a), Val::Node(b)) => a == b,
        (Val::Word(a), Val::Word(b)) => a == b,
        _ => false,
    }
}
