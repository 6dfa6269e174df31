//! Update rules to graph nodes: the body of an optimizer becomes one pure function from parameters and states
//! to their next values.
//!
//! Sequence disappears here: after `m <- e`, the name `m` stands for `e`. Which cells use the rule, and with
//! which numbers, is decided in `sweep` and `plan`.

pub(crate) mod compose;
mod draw;
mod hook;
mod lines;
mod rehearse;

use crate::check::decls::{Decls, Rule};
use crate::check::lower::{Model, R, Reported, Val};
pub(crate) use rehearse::rehearse;

use crate::diag::{Diagnostic, Diagnostics};
use crate::expr::graph::Id;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, RuleBody, RuleLine, RuleLineKind};
use hook::RuleHook;
use lines::{Assigned, Env, Role, Var, Writer};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A rule with the values of its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) rule: Rule,
    /// Where the sweep names it.
    pub(crate) span: Span,
    /// By argument name; each argument of the rule has a value.
    pub(crate) args: BTreeMap<String, Val>,
    /// Those that have a value for each parameter, because a `group` gives others.
    pub(crate) own: BTreeMap<String, Vec<Val>>,
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

/// What a rule draws for each step, for one parameter.
#[derive(Debug, Clone)]
pub(crate) struct NoiseSlot {
    /// `z of w`.
    pub(crate) name: String,
    pub(crate) input: Id,
    /// Standard normal, or else uniform between 0 and 1.
    pub(crate) normal: bool,
}

/// A whole rule applied to the parameters of a loss.
#[derive(Debug, Clone)]
pub(crate) struct RuleGraph {
    /// The next value of each parameter.
    pub(crate) params: Vec<Id>,
    /// The value of each parameter after the event at the end of an epoch, if the event changes it.
    pub(crate) params_epoch: Vec<Option<Id>>,
    pub(crate) states: Vec<StateSlot>,
    pub(crate) noise: Vec<NoiseSlot>,
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
    /// The gradient over all training rows, whatever the batch; that of the step when nobody asks for it.
    pub(crate) full: &'p [Id],
    /// The counters `t`, `epoch`, `steps`.
    pub(crate) counters: [(&'static str, Id); 3],
}

/// Applies a rule, or a chain of stages, to a problem.
pub(crate) fn apply(model: &mut Model, decls: &Decls, diags: &mut Diagnostics, stages: &[Stage], problem: &Problem<'_>) -> R<RuleGraph> {
    let mut writer = Writer {
        model,
        decls,
        diags,
        problem,
        module: String::new(),
        states: Vec::new(),
        noise: Vec::new(),
        in_epoch: false,
        hook: Rc::new(RuleHook {
            frames: RefCell::new(Vec::new()),
            at: Cell::new(0),
            looked: Cell::new(0),
            params: problem.params.to_vec(),
            grads: problem.grads.to_vec(),
            full: problem.full.to_vec(),
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
        writer.module.clone_from(&stage.rule.module);
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
            let own = stage.own.get(name);
            let values = own.cloned().unwrap_or_else(|| vec![value.clone()]);
            env.insert(name.clone(), Var { values, shared: own.is_none(), role: Role::Argument, span });
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
            writer.in_epoch = true;
            for line in lines {
                writer.line(line, &mut after, &mut changed);
            }
            writer.in_epoch = false;
            writer.store(first_state, &after, true);
            if changed.param {
                params_epoch = after["param"].values.iter().map(|v| if let Val::Node(id) = v { Some(*id) } else { None }).collect();
            }
        }
        if assigned.param && moved.is_some() {
            writer.diags.push(
                Diagnostic::error("E0420", stage.span, "two stages assign `param`")
                    .here("the second")
                    .label(span, "assigns `param`")
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
            writer.diags.push(
                Diagnostic::error("E0421", stage.span, message)
                    .here("moves nothing")
                    .label(stage.rule.name.span, "no line `param <- ..`")
                    .help("it is a stage before a rule, such as `.. |> gd(lr = 0.1)`"),
            );
        }
        return Err(Reported);
    };
    if !writer.ok {
        return Err(Reported);
    }
    let nodes =
        |list: Vec<Val>| list.into_iter().map(|v| if let Val::Node(id) = v { Ok(id) } else { Err(Reported) }).collect::<R<Vec<Id>>>();
    let report = report.unwrap_or_else(|| problem.params.iter().map(|(_, id)| *id).collect());
    Ok(RuleGraph { params: nodes(moved)?, params_epoch, states: writer.states, noise: writer.noise, report, evaluations })
}

fn uses_plain_grad(line: &RuleLine) -> bool {
    mentions(line, &|e| matches!(&e.kind, ExprKind::Name(n) if n == "grad"))
}

/// Whether a stage asks for a gradient over all training rows.
pub(crate) fn uses_full_grad(stage: &Stage) -> bool {
    let RuleBody::Lines(lines) = &stage.rule.body else { return false };
    lines.iter().any(|line| mentions(line, &|e| matches!(&e.kind, ExprKind::Grad { part: Some(_), .. })))
}

fn mentions(line: &RuleLine, what: &dyn Fn(&Expr) -> bool) -> bool {
    let in_expr = |e: &Expr| {
        let mut found = false;
        super::decls::walk(e, &mut |e| found |= what(e));
        found
    };
    match &line.kind {
        RuleLineKind::State(list) | RuleLineKind::Shared(list) => list.iter().any(|(_, e)| in_expr(e)),
        RuleLineKind::Let(_, e) | RuleLineKind::Draw(_, e) | RuleLineKind::Update(_, e) | RuleLineKind::Report(e) => in_expr(e),
        RuleLineKind::When(cond, lines) => in_expr(cond) || lines.iter().any(|line| mentions(line, what)),
        RuleLineKind::EachEpoch(lines) => lines.iter().any(|line| mentions(line, what)),
    }
}

/// The names of the states that all parameters share.
pub(crate) fn shared_states(rule: &Rule) -> Vec<String> {
    let RuleBody::Lines(lines) = &rule.body else { return Vec::new() };
    let lists = lines.iter().filter_map(|line| if let RuleLineKind::Shared(list) = &line.kind { Some(list) } else { None });
    lists.flatten().map(|(name, _)| name.name.clone()).collect()
}
