//! The lines of a rule, one after the other: states, definitions, updates, `when`.
//!
//! Stages and endings are put together in the parent.

use super::hook::RuleHook;
use super::{NoiseSlot, Problem, Stage, StateSlot};
use crate::check::decls::{Decls, parts};
use crate::check::lower::{Frame, Lower, Model, R, Reported, Val};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::expr::graph::{Id, InputKind};
use crate::expr::op::Op;
use crate::shape::Shape;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Ident, RuleLine, RuleLineKind};
use std::collections::BTreeMap;
use std::rc::Rc;

#[derive(Debug, Clone)]
pub(super) struct Var {
    /// One value, or one per parameter.
    pub(super) values: Vec<Val>,
    pub(super) shared: bool,
    pub(super) role: Role,
    pub(super) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Role {
    Argument,
    State,
    Shared,
    Let,
    Param,
    Grad,
    Counter,
}

pub(super) type Env = BTreeMap<String, Var>;

#[derive(Debug, Default)]
pub(super) struct Assigned {
    pub(super) param: bool,
}

pub(super) struct Writer<'w> {
    pub(super) model: &'w mut Model,
    pub(super) decls: &'w Decls,
    pub(super) diags: &'w mut Diagnostics,
    pub(super) problem: &'w Problem<'w>,
    /// The module of the stage whose lines are written.
    pub(super) module: String,
    pub(super) states: Vec<StateSlot>,
    pub(super) noise: Vec<NoiseSlot>,
    /// Whether these are the lines of `each epoch`.
    pub(super) in_epoch: bool,
    pub(super) hook: Rc<RuleHook>,
    pub(super) ok: bool,
}

impl Writer<'_> {
    pub(super) fn fail(&mut self, diagnostic: Diagnostic) {
        self.diags.push(diagnostic);
        self.ok = false;
    }

    pub(super) fn shape(&self, place: usize) -> Shape {
        self.model.graph.shape(self.problem.params[place].1).clone()
    }

    /// `state` and `shared` lines: inputs for the values before the step, and their starts.
    pub(super) fn declare_states(&mut self, stage: &Stage, lines: &[RuleLine], env: &mut Env) {
        let rule = &stage.rule.name.name;
        for line in lines {
            let (list, shared) = match &line.kind {
                RuleLineKind::State(list) => (list, false),
                RuleLineKind::Shared(list) => (list, true),
                _ => continue,
            };
            for (name, start) in list {
                if let Some(known) = env.get(&name.name) {
                    let what = if known.role == Role::Argument { "an argument" } else { "something else" };
                    let message = format!("`{}` is already {what} of `{rule}`", name.name);
                    self.fail(Diagnostic::error("E0411", name.span, message).here("second meaning").label(known.span, "first"));
                    let values = vec![Val::Broken; self.problem.params.len()];
                    env.insert(name.name.clone(), Var { values, shared, role: Role::State, span: name.span });
                    continue;
                }
                let start_is_shared = is_shared(start, env);
                if shared && !start_is_shared {
                    let message = format!("`shared {}` is one number for all parameters", name.name);
                    self.fail(Diagnostic::error("E0412", start.span, message).here("this has a value per parameter"));
                    continue;
                }
                let Ok(starts) = self.each(start, env) else { continue };
                let count = if shared { 1 } else { self.problem.params.len() };
                let mut values = Vec::new();
                for (place, &first) in starts.iter().enumerate().take(count) {
                    let shape = if shared { Shape::scalar() } else { self.shape(place) };
                    let label = if shared { name.name.clone() } else { format!("{} of {}", name.name, self.problem.params[place].0) };
                    let Some(start) = self.fitted(first, &shape, start.span) else { continue };
                    let kind = if shared { InputKind::Shared } else { InputKind::State };
                    let input = self.model.graph.input(label.clone(), kind, shape);
                    self.states.push(StateSlot {
                        name: label,
                        own: (rule.clone(), name.name.clone()),
                        shared,
                        input,
                        start,
                        next: input,
                        next_epoch: None,
                    });
                    values.push(Val::Node(input));
                }
                let role = if shared { Role::Shared } else { Role::State };
                env.insert(name.name.clone(), Var { values, shared, role, span: name.span });
            }
        }
    }

    /// Takes what the lines made of the states of a stage.
    pub(super) fn store(&mut self, first: usize, env: &Env, epoch: bool) {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for slot in &mut self.states[first..] {
            let place = seen.entry(slot.own.1.clone()).or_insert(0);
            if let Some(Val::Node(id)) = env.get(&slot.own.1).and_then(|var| var.values.get(*place)) {
                if epoch {
                    slot.next_epoch = (*id != slot.input).then_some(*id);
                } else {
                    slot.next = *id;
                }
            }
            *place += 1;
        }
    }

    pub(super) fn line(&mut self, line: &RuleLine, env: &mut Env, assigned: &mut Assigned) {
        match &line.kind {
            RuleLineKind::State(_) | RuleLineKind::Shared(_) => {}
            RuleLineKind::Let(name, e) => self.define(name, e, env),
            RuleLineKind::Update(name, e) => self.update(name, e, line.span, env, assigned),
            RuleLineKind::When(cond, lines) => self.when(cond, lines, env, assigned),
            RuleLineKind::Draw(name, e) => self.draw(name, e, line.span, env),
            RuleLineKind::EachEpoch(_) => {
                self.fail(Diagnostic::error("E0413", line.span, "`each epoch` cannot stand inside another block").here("move it out"));
            }
            RuleLineKind::Report(_) => {
                self.fail(Diagnostic::error("E0413", line.span, "`report` cannot stand inside another block").here("move it out"));
            }
        }
    }

    /// Whether a name is free for a `let`; says so when it is not.
    pub(super) fn is_free(&mut self, name: &Ident, env: &Env) -> bool {
        if let Some(known) = env.get(&name.name).filter(|v| v.role != Role::Let) {
            let message = format!("`{}` already means something in this rule", name.name);
            let mut d = Diagnostic::error("E0411", name.span, message).here("second meaning");
            if matches!(known.role, Role::State | Role::Shared) {
                d = d.label(known.span, "declared here").help(format!("a state is updated with `{} <- ..`", name.name));
            }
            self.fail(d);
            return false;
        }
        true
    }

    fn define(&mut self, name: &Ident, e: &Expr, env: &mut Env) {
        if !self.is_free(name, env) {
            return;
        }
        let shared = is_shared(e, env);
        let values = if let Ok(list) = self.each(e, env) {
            list.into_iter().take(if shared { 1 } else { usize::MAX }).map(Val::Node).collect()
        } else {
            self.ok = false;
            vec![Val::Broken; self.problem.params.len()]
        };
        env.insert(name.name.clone(), Var { values, shared, role: Role::Let, span: name.span });
    }

    fn update(&mut self, name: &Ident, e: &Expr, span: Span, env: &mut Env, assigned: &mut Assigned) {
        let Some(var) = env.get(&name.name).cloned() else {
            let names: Vec<&str> =
                env.iter().filter(|(_, v)| matches!(v.role, Role::State | Role::Shared | Role::Param)).map(|(n, _)| n.as_str()).collect();
            let mut d = Diagnostic::error("E0414", name.span, format!("no state is called `{}`", name.name))
                .here("`<-` updates a state, `param` or `grad`");
            if let Some(near) = did_you_mean(&name.name, names) {
                d = d.replace(name.span, near, format!("did you mean `{near}`?"));
            } else if self.problem.params.iter().any(|(param, _)| *param == name.name) {
                d = Diagnostic::error("E0414", name.span, format!("a rule does not see the parameter `{}`", name.name))
                    .here("a rule is carried out for each parameter, called `param`")
                    .help("write one line for all: `param <- param - lr*grad`");
            } else {
                d = d.replace(span.start(), format!("state {} = 0\n  ", name.name), "declare it first");
            }
            self.fail(d);
            return;
        };
        match var.role {
            Role::State | Role::Shared | Role::Param | Role::Grad => {}
            Role::Argument => {
                let message = format!("`{}` is an argument; it stays as it is", name.name);
                self.fail(
                    Diagnostic::error("E0415", name.span, message)
                        .here("cannot be updated")
                        .help(format!("keep the changing value in a state: `shared {0}_now = {0}`, and `{0}_now <- ..`", name.name)),
                );
                return;
            }
            Role::Let | Role::Counter => {
                let message = format!("`{}` is no state", name.name);
                self.fail(
                    Diagnostic::error("E0419", name.span, message)
                        .here("cannot be updated")
                        .help("`let` defines a value once; declare it with `state` instead"),
                );
                return;
            }
        }
        if var.shared && !is_shared(e, env) {
            let message = format!("`{}` is one number for all parameters; this has a value per parameter", name.name);
            let mut d = Diagnostic::error("E0412", e.span, message).here("a value per parameter").label(var.span, "declared `shared`");
            d = d.help(format!("declare it `state {0} = ..`, or reduce with `total(..)`", name.name));
            self.fail(d);
            return;
        }
        let Ok(list) = self.each(e, env) else {
            self.ok = false;
            return;
        };
        let mut values = Vec::new();
        for place in 0..var.values.len() {
            let shape = if var.shared { Shape::scalar() } else { self.shape(place) };
            match self.fitted(list[place.min(list.len() - 1)], &shape, e.span) {
                Some(id) => values.push(Val::Node(id)),
                None => return,
            }
        }
        assigned.param |= var.role == Role::Param;
        env.insert(name.name.clone(), Var { values, ..var });
    }

    fn when(&mut self, cond: &Expr, lines: &[RuleLine], env: &mut Env, assigned: &mut Assigned) {
        if !is_shared(cond, env) {
            let d = Diagnostic::error("E0416", cond.span, "the condition of `when` is one for all parameters")
                .here("this has a value per parameter");
            self.fail(d.help("reduce it with `total(..)` or `largest(..)`"));
            return;
        }
        let Ok(conditions) = self.each(cond, env) else {
            self.ok = false;
            return;
        };
        let Some(condition) = self.fitted(conditions[0], &Shape::scalar(), cond.span) else { return };
        let before = env.clone();
        for line in lines {
            self.line(line, env, assigned);
        }
        // What the block did happens only when the condition holds; its lets end with it.
        let names: Vec<String> = env.keys().cloned().collect();
        for name in names {
            let Some(old) = before.get(&name) else {
                env.remove(&name);
                continue;
            };
            let new = env[&name].clone();
            let values = new.values.iter().zip(&old.values).map(|pair| match pair {
                (Val::Node(new), Val::Node(old)) if new != old => Val::Node(self.model.graph.add(Op::Select, &[condition, *new, *old])),
                (new, _) => new.clone(),
            });
            let values = values.collect();
            env.insert(name, Var { values, ..new });
        }
    }

    /// A value repeated to a shape, or a diagnostic.
    pub(super) fn fitted(&mut self, id: Id, shape: &Shape, span: Span) -> Option<Id> {
        match self.model.graph.try_add(Op::Broadcast(shape.clone()), &[id]) {
            _ if self.model.graph.shape(id) == shape => Some(id),
            Ok(id) => Some(id),
            Err(_) => {
                let (found, wanted) = (self.model.show(id), self.model.rows.show(shape));
                self.fail(Diagnostic::error("E0417", span, format!("this is {found}, and what it updates is {wanted}")).here(found));
                None
            }
        }
    }

    pub(super) fn shaped(&mut self, list: &[Id], span: Span) -> Option<Vec<Id>> {
        (0..self.problem.params.len()).map(|place| self.fitted(list[place.min(list.len() - 1)], &self.shape(place), span)).collect()
    }

    /// The value of an expression for each parameter; one entry each, equal for shared expressions.
    pub(super) fn each(&mut self, e: &Expr, env: &Env) -> R<Vec<Id>> {
        let shared = is_shared(e, env);
        self.lowered(env, shared, |lower, _| lower.node(e))
    }

    /// What is lowered for each parameter, or once for all.
    pub(super) fn lowered<T: Clone>(&mut self, env: &Env, shared: bool, mut one: impl FnMut(&mut Lower<'_>, usize) -> R<T>) -> R<Vec<T>> {
        let count = self.problem.params.len();
        let frames: Vec<Frame> = (0..count)
            .map(|place| {
                let value = |var: &Var| var.values.get(place).or(var.values.first()).cloned().unwrap_or(Val::Broken);
                Frame { names: env.iter().map(|(name, var)| (name.clone(), value(var))).collect(), sealed: true, what: "an update rule" }
            })
            .collect();
        self.hook.frames.replace(frames.clone());
        let mut list: Vec<T> = Vec::new();
        for (place, frame) in frames.into_iter().enumerate() {
            if shared && place > 0 {
                list.push(list[0].clone());
                continue;
            }
            self.hook.at.set(place);
            let mut lower = Lower::new(self.model, self.decls, self.diags);
            lower.module.clone_from(&self.module);
            lower.hook = Some(self.hook.clone());
            lower.frames.push(frame);
            if let Ok(value) = one(&mut lower, place) {
                list.push(value);
            } else {
                self.ok = false;
                return Err(Reported);
            }
        }
        Ok(list)
    }
}

/// Whether an expression has one value for all parameters.
fn is_shared(e: &Expr, env: &Env) -> bool {
    match &e.kind {
        ExprKind::Grad { .. } => false,
        ExprKind::Name(name) => env.get(name).is_none_or(|var| var.shared),
        ExprKind::Call { name, .. } if matches!(name.name.as_str(), "total" | "largest") => true,
        _ => parts(e).into_iter().all(|part| is_shared(part, env)),
    }
}
