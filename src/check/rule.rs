//! Update rules to graph nodes: the body of an optimizer becomes one pure function from parameters and states
//! to their next values.
//!
//! Sequence disappears here: after `m <- e`, the name `m` stands for `e`. Which cells use the rule, and with
//! which numbers, is decided in `sweep` and `plan`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::decls::{Decls, Rule, not_yet, parts};
use super::lower::{Frame, Hook, Lower, Model, R, Reported, Val};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::expr::graph::{Id, InputKind};
use crate::expr::op::{Binary, Op, Reduce};
use crate::shape::Shape;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Ident, RuleBody, RuleLine, RuleLineKind};

/// A rule with the values of its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) rule: Rule,
    /// By argument name; each argument of the rule has a value. One per parameter when a `group` gives others.
    pub(crate) args: BTreeMap<String, Val>,
}

/// A state of the rule, for one parameter or for all.
#[derive(Debug, Clone)]
pub(crate) struct StateSlot {
    /// `m of w`, or `rate`.
    pub(crate) name: String,
    /// The rule's own name of it, and the rule.
    pub(crate) own: (String, String),
    pub(crate) shared: bool,
    pub(crate) input: Id,
    pub(crate) start: Id,
    pub(crate) next: Id,
    pub(crate) next_epoch: Option<Id>,
}

/// A whole rule applied to the parameters of a loss.
#[derive(Debug, Clone)]
pub(crate) struct RuleGraph {
    /// The next value of each parameter.
    pub(crate) params: Vec<Id>,
    /// The value of each parameter after the event at the end of an epoch, if the event changes it.
    pub(crate) params_epoch: Vec<Option<Id>>,
    pub(crate) states: Vec<StateSlot>,
    /// Where losses, metrics and recorded parameters are taken, in terms of the values at a row; the parameters
    /// themselves when the rule does not say.
    pub(crate) report: Vec<Id>,
    /// Gradients evaluated in one step.
    pub(crate) evaluations: u64,
}

/// What a rule is applied to.
pub(crate) struct Problem<'p> {
    /// Names and inputs of the parameters that are updated.
    pub(crate) params: &'p [(String, Id)],
    /// The loss and its gradient, in the parameters' inputs.
    pub(crate) loss: Id,
    pub(crate) grads: &'p [Id],
    /// The counters `t`, `epoch`, `steps`.
    pub(crate) counters: [(&'static str, Id); 3],
}

#[derive(Debug, Clone)]
struct Var {
    /// One value, or one per parameter.
    values: Vec<Val>,
    shared: bool,
    role: Role,
    span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    Argument,
    State,
    Shared,
    Let,
    Param,
    Grad,
    Counter,
}

type Env = BTreeMap<String, Var>;

/// Applies a rule, or a chain of stages, to a problem.
pub(crate) fn apply(model: &mut Model, decls: &Decls, diags: &mut Diagnostics, stages: &[Stage], problem: &Problem<'_>) -> R<RuleGraph> {
    let mut writer = Writer {
        model,
        decls,
        diags,
        problem,
        states: Vec::new(),
        hook: Rc::new(RuleHook {
            frames: RefCell::new(Vec::new()),
            at: Cell::new(0),
            looked: Cell::new(0),
            params: problem.params.to_vec(),
            grads: problem.grads.to_vec(),
        }),
        ok: true,
    };
    let inputs: Vec<Val> = problem.params.iter().map(|(_, id)| Val::Node(*id)).collect();
    let mut grads: Vec<Val> = problem.grads.iter().map(|&id| Val::Node(id)).collect();
    let mut moved: Option<Vec<Val>> = None;
    let mut report: Option<Vec<Id>> = None;
    let mut params_epoch = vec![None; inputs.len()];
    let mut uses_grad = false;
    for stage in stages {
        let span = stage.rule.name.span;
        let RuleBody::Lines(lines) = &stage.rule.body else { return Err(Reported) };
        let mut env = Env::new();
        for (name, id) in problem.counters {
            env.insert(name.to_string(), Var { values: vec![Val::Node(id)], shared: true, role: Role::Counter, span });
        }
        env.insert("loss".to_string(), Var { values: vec![Val::Node(problem.loss)], shared: true, role: Role::Counter, span });
        let current = moved.clone().unwrap_or_else(|| inputs.clone());
        env.insert("param".to_string(), Var { values: current, shared: false, role: Role::Param, span });
        env.insert("grad".to_string(), Var { values: grads.clone(), shared: false, role: Role::Grad, span });
        for (name, value) in &stage.args {
            env.insert(name.clone(), Var { values: vec![value.clone()], shared: true, role: Role::Argument, span });
        }
        uses_grad |= lines.iter().any(uses_plain_grad);
        let first_state = writer.states.len();
        writer.declare_states(stage, lines, &mut env);
        let at_row = env.clone();
        let mut assigned = Assigned::default();
        let mut epoch: Option<&[RuleLine]> = None;
        for line in lines {
            match &line.kind {
                RuleLineKind::EachEpoch(inner) => epoch = Some(inner),
                RuleLineKind::Report(e) => {
                    if let Ok(list) = writer.each(e, &at_row) {
                        report = writer.shaped(&list, e.span);
                    }
                }
                _ => writer.line(line, &mut env, &mut assigned),
            }
        }
        writer.store(first_state, &env, false);
        if let Some(lines) = epoch {
            let mut after = at_row.clone();
            after.remove("grad");
            let mut changed = Assigned::default();
            for line in lines {
                writer.line(line, &mut after, &mut changed);
            }
            writer.store(first_state, &after, true);
            if changed.param {
                params_epoch = after["param"].values.iter().map(|v| if let Val::Node(id) = v { Some(*id) } else { None }).collect();
            }
        }
        if assigned.param && moved.is_some() {
            writer.diags.push(
                Diagnostic::error("E0420", span, "two stages assign `param`")
                    .here("exactly one does")
                    .help("a stage before it assigns `grad`, one after it may `report`"),
            );
            writer.ok = false;
        }
        if assigned.param {
            moved = Some(env["param"].values.clone());
        }
        grads.clone_from(&env["grad"].values);
    }
    let evaluations = u64::from(uses_grad) + writer.hook.looked.get();
    let Some(moved) = moved else {
        if let Some(stage) = stages.last().filter(|_| writer.ok) {
            let message = format!("`{}` never assigns `param`: it moves nothing", stage.rule.name.name);
            writer.diags.push(Diagnostic::error("E0421", stage.rule.name.span, message).here("no line `param <- ..`"));
        }
        return Err(Reported);
    };
    if !writer.ok {
        return Err(Reported);
    }
    let nodes =
        |list: Vec<Val>| list.into_iter().map(|v| if let Val::Node(id) = v { Ok(id) } else { Err(Reported) }).collect::<R<Vec<Id>>>();
    let report = report.unwrap_or_else(|| problem.params.iter().map(|(_, id)| *id).collect());
    Ok(RuleGraph { params: nodes(moved)?, params_epoch, states: writer.states, report, evaluations })
}

fn uses_plain_grad(line: &RuleLine) -> bool {
    let in_expr = |e: &Expr| {
        let mut found = false;
        super::decls::walk(e, &mut |e| found |= matches!(&e.kind, ExprKind::Name(n) if n == "grad"));
        found
    };
    match &line.kind {
        RuleLineKind::State(list) | RuleLineKind::Shared(list) => list.iter().any(|(_, e)| in_expr(e)),
        RuleLineKind::Let(_, e) | RuleLineKind::Draw(_, e) | RuleLineKind::Update(_, e) | RuleLineKind::Report(e) => in_expr(e),
        RuleLineKind::When(cond, lines) => in_expr(cond) || lines.iter().any(uses_plain_grad),
        RuleLineKind::EachEpoch(lines) => lines.iter().any(uses_plain_grad),
    }
}

/// The names of the states that all parameters share.
pub(crate) fn shared_states(rule: &Rule) -> Vec<String> {
    let RuleBody::Lines(lines) = &rule.body else { return Vec::new() };
    let lists = lines.iter().filter_map(|line| if let RuleLineKind::Shared(list) = &line.kind { Some(list) } else { None });
    lists.flatten().map(|(name, _)| name.name.clone()).collect()
}

#[derive(Debug, Default)]
struct Assigned {
    param: bool,
}

struct Writer<'w> {
    model: &'w mut Model,
    decls: &'w Decls,
    diags: &'w mut Diagnostics,
    problem: &'w Problem<'w>,
    states: Vec<StateSlot>,
    hook: Rc<RuleHook>,
    ok: bool,
}

impl Writer<'_> {
    fn fail(&mut self, diagnostic: Diagnostic) {
        self.diags.push(diagnostic);
        self.ok = false;
    }

    fn shape(&self, place: usize) -> Shape {
        self.model.graph.shape(self.problem.params[place].1).clone()
    }

    /// `state` and `shared` lines: inputs for the values before the step, and their starts.
    fn declare_states(&mut self, stage: &Stage, lines: &[RuleLine], env: &mut Env) {
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
                    continue;
                }
                let start_is_shared = self.is_shared(start, env);
                if shared && !start_is_shared {
                    let message = format!("`shared {}` is one number for all parameters", name.name);
                    self.fail(Diagnostic::error("E0412", start.span, message).here("this has a value per parameter"));
                    continue;
                }
                let Ok(starts) = self.each(start, env) else { continue };
                let count = if shared { 1 } else { self.problem.params.len() };
                let mut values = Vec::new();
                for place in 0..count {
                    let shape = if shared { Shape::scalar() } else { self.shape(place) };
                    let label = if shared { name.name.clone() } else { format!("{} of {}", name.name, self.problem.params[place].0) };
                    let Some(start) = self.fitted(starts[place], &shape, start.span) else { continue };
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
    fn store(&mut self, first: usize, env: &Env, epoch: bool) {
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

    fn line(&mut self, line: &RuleLine, env: &mut Env, assigned: &mut Assigned) {
        match &line.kind {
            RuleLineKind::State(_) | RuleLineKind::Shared(_) => {}
            RuleLineKind::Let(name, e) => self.define(name, e, env),
            RuleLineKind::Update(name, e) => self.update(name, e, line.span, env, assigned),
            RuleLineKind::When(cond, lines) => self.when(cond, lines, env, assigned),
            RuleLineKind::Draw(_, e) => self.fail(not_yet(e.span, "a draw inside a rule")),
            RuleLineKind::EachEpoch(_) => {
                self.fail(Diagnostic::error("E0413", line.span, "`each epoch` cannot stand inside another block").here("move it out"))
            }
            RuleLineKind::Report(_) => {
                self.fail(Diagnostic::error("E0413", line.span, "`report` cannot stand inside another block").here("move it out"))
            }
        }
    }

    fn define(&mut self, name: &Ident, e: &Expr, env: &mut Env) {
        if let Some(known) = env.get(&name.name).filter(|v| v.role != Role::Let) {
            let message = format!("`{}` already means something in this rule", name.name);
            let mut d = Diagnostic::error("E0411", name.span, message).here("second meaning");
            if matches!(known.role, Role::State | Role::Shared) {
                d = d.label(known.span, "declared here").help(format!("a state is updated with `{} <- ..`", name.name));
            }
            self.fail(d);
            return;
        }
        let shared = self.is_shared(e, env);
        let values = match self.each(e, env) {
            Ok(list) => list.into_iter().take(if shared { 1 } else { usize::MAX }).map(Val::Node).collect(),
            Err(Reported) => {
                self.ok = false;
                vec![Val::Broken; self.problem.params.len()]
            }
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
                    Diagnostic::error("E0414", name.span, message)
                        .here("cannot be updated")
                        .help("`let` defines a value once; declare it with `state` instead"),
                );
                return;
            }
        }
        if var.shared && !self.is_shared(e, env) {
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
        if !self.is_shared(cond, env) {
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
    fn fitted(&mut self, id: Id, shape: &Shape, span: Span) -> Option<Id> {
        match self.model.graph.try_add(Op::Broadcast(shape.clone()), &[id]) {
            _ if self.model.graph.shape(id) == shape => Some(id),
            Ok(id) => Some(id),
            Err(_) => {
                let (found, wanted) = (self.model.show(id), self.model.rows.show(shape));
                self.fail(Diagnostic::error("E0417", span, format!("a value of {found} cannot become one of {wanted}")).here(found));
                None
            }
        }
    }

    fn shaped(&mut self, list: &[Id], span: Span) -> Option<Vec<Id>> {
        (0..self.problem.params.len()).map(|place| self.fitted(list[place.min(list.len() - 1)], &self.shape(place), span)).collect()
    }

    /// Whether an expression has one value for all parameters.
    fn is_shared(&self, e: &Expr, env: &Env) -> bool {
        match &e.kind {
            ExprKind::Grad { .. } => false,
            ExprKind::Name(name) => env.get(name).is_none_or(|var| var.shared),
            ExprKind::Call { name, .. } if matches!(name.name.as_str(), "total" | "largest") => true,
            _ => parts(e).into_iter().all(|part| self.is_shared(part, env)),
        }
    }

    /// The value of an expression for each parameter; one entry each, equal for shared expressions.
    fn each(&mut self, e: &Expr, env: &Env) -> R<Vec<Id>> {
        let count = self.problem.params.len();
        let frames: Vec<Frame> = (0..count)
            .map(|place| {
                let value = |var: &Var| var.values.get(place).or(var.values.first()).cloned().unwrap_or(Val::Broken);
                Frame { names: env.iter().map(|(name, var)| (name.clone(), value(var))).collect(), sealed: true, what: "an update rule" }
            })
            .collect();
        self.hook.frames.replace(frames.clone());
        let shared = self.is_shared(e, env);
        let mut list = Vec::new();
        for (place, frame) in frames.into_iter().enumerate() {
            if shared && place > 0 {
                list.push(list[0]);
                continue;
            }
            self.hook.at.set(place);
            let mut lower = Lower::new(self.model, self.decls, self.diags);
            lower.hook = Some(self.hook.clone());
            lower.frames.push(frame);
            match lower.node(e) {
                Ok(id) => list.push(id),
                Err(Reported) => {
                    self.ok = false;
                    return Err(Reported);
                }
            }
        }
        Ok(list)
    }
}

/// What only rules know: reductions over all parameters, and gradients elsewhere.
struct RuleHook {
    /// The names as each parameter sees them.
    frames: RefCell<Vec<Frame>>,
    /// The parameter whose value is being computed.
    at: Cell<usize>,
    /// Gradients evaluated elsewhere than at the start of the step.
    looked: Cell<u64>,
    params: Vec<(String, Id)>,
    grads: Vec<Id>,
}

impl RuleHook {
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
                    return lower.fail(Diagnostic::error("E0224", e.span, format!("`{}` takes one value", name.name)).here("here"));
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
            ExprKind::Grad { part: Some(part), .. } => lower.fail(not_yet(part.span, "`grad on ..`")),
            ExprKind::Grad { part: None, at: Some(point) } => {
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
                            Diagnostic::error("E0417", point.span, "the look-ahead point must have the parameter's shape").here(found),
                        );
                    };
                    with.push((*param, id));
                }
                if self.at.get() == 0 {
                    self.looked.set(self.looked.get() + 1);
                }
                let moved = lower.model.graph.substitute(&self.grads, &with);
                Ok(Some(Val::Node(moved[self.at.get()])))
            }
            ExprKind::Name(name) if name == "grad" && !self.frames.borrow().iter().any(|f| f.names.contains_key("grad")) => {
                let message = "at the end of an epoch there is no batch: `grad` belongs to a step";
                lower.fail(Diagnostic::error("E0418", e.span, message).here("not known here"))
            }
            _ => Ok(None),
        }
    }
}
