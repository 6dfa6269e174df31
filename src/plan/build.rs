//! The graphs of a unit: loss, gradient, rule, quantities and stop condition, rewritten, in one graph.
//!
//! Which cells share a unit is decided in `cells`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Limits;
use super::cells::Point;
use super::solve::Task;
use super::stop::{Stop, StopOf};
use super::unit::{Batches, Measure, Memo, Noise, Order, Slot, Solve, Unit};
use crate::check::Program;
use crate::check::data::Context;
use crate::check::lower::{Lower, Model, R, Reported, Val};
use crate::check::messages;
use crate::check::model::{self, Declared};
use crate::check::program::{Budget, SweepSpec, Want, WantExpr};
use crate::check::rule::{self, Problem, RuleGraph, Stage};
use crate::check::sweep::counters;
use crate::diag::{Diagnostic, Diagnostics};
use crate::expr::diff;
use crate::expr::graph::{Id, InputKind};
use crate::expr::op::{InputId, Unary};
use crate::expr::rewrite::{self, Options};
use crate::results::Setting;
use crate::results::view::Cond;
use crate::shape::{Dim, Shape};
use crate::solvers::Needs;
use crate::syntax::ast::{Expr, ExprKind};

/// Where a lane input's value comes from.
pub(super) enum LaneSource {
    /// An argument of a stage.
    Argument { stage: usize, name: String, default: f64 },
    /// A hyper.
    Hyper { name: String, default: f64 },
}

impl LaneSource {
    /// The value in a cell.
    pub(super) fn value(&self, point: &Point) -> f64 {
        match self {
            LaneSource::Argument { stage, name, default } => match point.optimizer.stages[*stage].args.get(name).map(|v| &v.setting) {
                Some(crate::results::Setting::Number(x)) => *x,
                _ => *default,
            },
            LaneSource::Hyper { name, default } => point.hypers.get(name).copied().unwrap_or(*default),
        }
    }
}

/// A unit, and what planning its cells needs.
pub(super) struct Built {
    pub(super) unit: Unit,
    pub(super) lane: Vec<LaneSource>,
    pub(super) model: Model,
    pub(super) declared: Declared,
    /// The parameters of the unit by name: those that are updated, then those that only outputs look at.
    pub(super) held: Vec<String>,
}

/// The building of one unit.
pub(super) struct Build<'b> {
    pub(super) program: &'b Program,
    pub(super) spec: &'b SweepSpec,
    pub(super) point: &'b Point,
    pub(super) limits: &'b Limits,
    pub(super) diags: &'b mut Diagnostics,
    pub(super) model: Model,
    pub(super) declared: Declared,
    pub(super) lane: Vec<(InputId, LaneSource)>,
    /// The values of the hypers that all cells of the unit share.
    fixed: BTreeMap<String, f64>,
    /// What the solver evaluates, if one moves the parameters.
    solved: Option<Solve>,
}

impl<'b> Build<'b> {
    pub(super) fn new(
        program: &'b Program,
        spec: &'b SweepSpec,
        point: &'b Point,
        context: &Context,
        limits: &'b Limits,
        diags: &'b mut Diagnostics,
    ) -> Self {
        let (model, declared) = if context.is_usual() {
            (program.model.clone(), program.declared.clone())
        } else {
            let mut model = Model::default();
            let declared = model::declare(&mut model, &program.decls, (&program.tables, program.rng), context, diags);
            (model, declared)
        };
        Build { program, spec, point, limits, diags, model, declared, lane: Vec::new(), fixed: context.hypers.clone(), solved: None }
    }

    pub(super) fn fail<T>(&mut self, diagnostic: Diagnostic) -> R<T> {
        self.diags.push(diagnostic);
        Err(Reported)
    }

    /// The unit; nothing when something does not fit, which has been said.
    pub(super) fn unit(mut self) -> Option<Built> {
        self.build().ok()
    }

    fn build(&mut self) -> R<Built> {
        let counters = counters(&mut self.model);
        let mut loss = match self.model.names.get(&self.point.loss) {
            Some(Val::Node(id)) => *id,
            _ => return Err(Reported),
        };
        let loss_span = self.model.graph.span(loss).unwrap_or(self.spec.span);
        if self.spec.maximize {
            loss = self.model.graph.unary(Unary::Neg, loss);
        }
        let params: Vec<(String, Id)> = self
            .declared
            .params
            .iter()
            .filter(|p| self.spec.over.is_empty() || self.spec.over.iter().any(|(name, _)| *name == p.name))
            .filter(|p| diff::depends(&self.model.graph, loss, p.id))
            .map(|p| (p.name.clone(), p.id))
            .collect();
        if let Some((name, span)) = self.spec.over.iter().find(|(name, _)| !params.iter().any(|(param, _)| param == name)) {
            let message = format!("`{}` does not depend on `{name}`", self.point.loss);
            return self.fail(Diagnostic::error("E0424", *span, message).here("would never move").label(loss_span, "the loss"));
        }
        if params.is_empty() {
            let message = format!("`{}` does not depend on any parameter", self.point.loss);
            return self
                .fail(Diagnostic::error("E0451", loss_span, message).here("nothing to minimize").label(self.spec.span, "minimized here"));
        }
        let solver = self.point.optimizer.stages.first().and_then(|stage| self.program.decls.solvers.get(&stage.rule).copied());
        let sloped = solver.is_none_or(|solver| solver.needs != Needs::Value);
        for (name, id) in params.iter().filter(|_| sloped) {
            if !diff::depends_differentiably(&self.model.graph, loss, *id) {
                let cut = diff::cuts(&self.model.graph, loss, &[*id]).into_iter().find_map(|c| self.model.graph.span(c));
                let message = format!("`{}` does not feel `{name}`: its derivative is zero everywhere", self.point.loss);
                let d = Diagnostic::error("E0452", cut.unwrap_or(loss_span), message)
                    .here("constant between jumps")
                    .label(self.spec.span, "minimized here");
                return self.fail(d.help("keep it as a `metric`, and minimize something smooth"));
            }
        }
        let options = Options::default();
        let written = loss;
        let (list, _) = rewrite::rewrite(&mut self.model.graph, &[loss], &options);
        let loss = list[0];
        let wrt: Vec<Id> = params.iter().map(|(_, id)| *id).collect();
        let grads = match diff::gradient(&mut self.model.graph, loss, &wrt) {
            Ok(list) => list,
            Err(_) if !sloped && !self.spec.stop.iter().any(|(e, _)| names(e, "grad")) => wrt.clone(),
            Err(why) => {
                let d = messages::not_differentiable(&self.model, &why, loss_span);
                return self.fail(d);
            }
        };
        let (grads, _) = rewrite::rewrite(&mut self.model.graph, &grads, &options);
        let stages = self.stages(&counters, &params)?;
        let rule = if let Some(solver) = solver {
            let stage = &stages[0];
            let task = Task { solver, stage, params: &params, written, span: loss_span, grads: &grads, counters: &counters };
            let (solve, mut rule) = self.solve(&task)?;
            if !solver.keeps_sets() {
                self.unbounded(&params)?;
            }
            self.project(&params, &mut rule);
            self.solved = Some(solve);
            rule
        } else {
            // With minibatches what is over all rows is over rows of its own.
            let apart = self.spec.batches.is_some() && stages.iter().any(rule::uses_full_grad);
            let full = if apart { self.model.apart(&grads) } else { grads.clone() };
            let problem = Problem { params: &params, loss, grads: &grads, full: &full, counters };
            let mut rule = rule::apply(&mut self.model, &self.program.decls, self.diags, &stages, &problem)?;
            self.project(&params, &mut rule);
            rule
        };
        let mut quantities = Vec::new();
        for want in &self.spec.wants {
            quantities.push(self.measure(want, &stages, &params, &rule, loss)?);
        }
        let stop = match &self.spec.stop {
            Some((e, _)) => {
                let of = StopOf { params: &params, rule: &rule, loss, grads: &grads, counters: &counters, solved: self.solved.is_some() };
                Some(self.stop(e, &of)?)
            }
            None => None,
        };
        let hypers: Vec<(InputId, LaneSource)> = self
            .declared
            .hypers
            .iter()
            .filter_map(|h| Some((self.model.graph.as_input(h.id)?, LaneSource::Hyper { name: h.name.clone(), default: h.value })))
            .collect();
        self.lane.extend(hypers);
        self.assemble(&params, &rule, loss, &quantities, stop.as_ref(), &counters)
    }

    /// Some solvers keep no sets.
    fn unbounded(&mut self, params: &[(String, Id)]) -> R<()> {
        let kept = |name: &str| self.declared.params.iter().find(|p| p.name == name).and_then(|p| p.within.clone());
        let Some((name, within)) = params.iter().find_map(|(name, _)| Some((name.clone(), kept(name)?))) else { return Ok(()) };
        let rule = self.point.optimizer.rule.clone();
        let d = Diagnostic::error("E0496", self.point.optimizer.span, format!("`{rule}` cannot keep `{name}` within `{}`", within.text));
        self.fail(d.here("a solver").label(within.span, "the set").help("update rules keep it, and so does `lbfgs`"))
    }

    /// Every update ends within the parameter's set.
    fn project(&mut self, params: &[(String, Id)], rule: &mut RuleGraph) {
        for (place, (name, id)) in params.iter().enumerate() {
            let Some(within) = self.declared.params.iter().find(|p| p.name == *name).and_then(|p| p.within.as_ref()) else { continue };
            for next in std::iter::once(&mut rule.params[place]).chain(&mut rule.params_epoch[place]) {
                *next = self.model.graph.substitute(&[within.projected], &[(*id, *next)])[0];
            }
        }
    }

    /// Whether a condition holds in none of the cells of this unit, by the hypers that it was built for.
    fn excluded(&self, condition: &Cond) -> bool {
        match condition {
            Cond::And(a, b) => self.excluded(a) || self.excluded(b),
            Cond::Or(a, b) => self.excluded(a) && self.excluded(b),
            Cond::Equals { axis, value: Setting::Number(wanted), negated: false } => {
                self.fixed.get(axis).is_some_and(|x| (x - wanted).abs() > 1e-9 * x.abs().max(wanted.abs()))
            }
            Cond::Equals { .. } | Cond::Not(_) | Cond::Question(_) => false,
        }
    }

    /// How a quantity is evaluated in this unit.
    fn measure(&mut self, want: &Want, stages: &[Stage], params: &[(String, Id)], rule: &RuleGraph, loss: Id) -> R<Measure> {
        let nan = |this: &mut Self| {
            let nan = this.model.graph.number(f64::NAN);
            let shape = Shape::fixed(&want.sizes);
            Measure::Row(this.model.graph.broadcast_to(nan, &shape))
        };
        match &want.expr {
            WantExpr::Model(e) => {
                let mut lower = Lower::new(&mut self.model, &self.program.decls, self.diags);
                let id = lower.node(e)?;
                let sizes = self.model.rows.sizes(self.model.graph.shape(id));
                if sizes != want.sizes && want.shown.iter().all(|conditions| conditions.iter().any(|c| self.excluded(c))) {
                    // No output shows it here.
                    return Ok(nan(self));
                }
                if sizes != want.sizes {
                    let d = Diagnostic::error(
                        "E0453",
                        e.span,
                        format!("`{}` has another shape in other cells of sweep `{}`", want.text, self.spec.name),
                    );
                    return self.fail(d.here("changes with a hyper").help("reduce it to one number, such as `norm(..)`"));
                }
                let with: Vec<(Id, Id)> =
                    params.iter().zip(&rule.report).filter(|((_, id), at)| id != *at).map(|((_, id), at)| (*id, *at)).collect();
                Ok(Measure::Row(self.model.graph.substitute(&[id], &with)[0]))
            }
            WantExpr::Argument(name) => match stages.iter().find_map(|s| s.args.get(name)) {
                Some(Val::Node(id)) => Ok(Measure::Step(*id)),
                _ => Ok(nan(self)),
            },
            WantExpr::State { rule: of, state } => match rule.states.iter().find(|s| s.shared && s.own == (of.clone(), state.clone())) {
                Some(slot) => Ok(Measure::Row(slot.input)),
                None => Ok(nan(self)),
            },
            WantExpr::OnBatch(name) if *name == self.point.loss => Ok(Measure::Step(loss)),
            WantExpr::OnBatch(_) => Ok(nan(self)),
        }
    }

    fn assemble(
        &mut self,
        params: &[(String, Id)],
        rule: &RuleGraph,
        loss: Id,
        quantities: &[Measure],
        stop: Option<&Stop>,
        counters: &[(&'static str, Id); 3],
    ) -> R<Built> {
        let solve = self.solved.take();
        // All expressions at once, so that what they share is rewritten once.
        let id_of = |m: &Measure| match m {
            Measure::Row(id) | Measure::Step(id) => *id,
        };
        let mut roots: Vec<Id> = vec![loss];
        roots.extend(&rule.params);
        roots.extend(rule.params_epoch.iter().flatten());
        roots.extend(rule.states.iter().flat_map(|s| [s.start, s.next]));
        roots.extend(rule.states.iter().filter_map(|s| s.next_epoch));
        roots.extend(quantities.iter().map(id_of));
        let memos: Vec<Memo> = stop.iter().flat_map(|stop| stop.memos.clone()).collect();
        roots.extend(stop.iter().map(|stop| id_of(&stop.condition)));
        roots.extend(memos.iter().map(Memo::of));
        roots.extend(solve.iter().flat_map(Solve::roots));
        let (new, _) = rewrite::rewrite(&mut self.model.graph, &roots, &Options::FUSED);
        let image: BTreeMap<Id, Id> = roots.iter().copied().zip(new).collect();
        let at = |id: Id| image[&id];
        let measured = |m: &Measure| match m {
            Measure::Row(id) => Measure::Row(at(*id)),
            Measure::Step(id) => Measure::Step(at(*id)),
        };
        let batches = match &self.spec.batches {
            Some(batches) => Some(self.batches(batches, at(loss))?),
            None => None,
        };
        let steps_per_epoch = match &batches {
            None => 1,
            Some(b) => {
                let n = self.model.rows.of(Dim::Rows(b.data));
                if b.drop_last { (n / b.size) as u64 } else { n.div_ceil(b.size) as u64 }
            }
        };
        let budget = match self.spec.budget {
            Budget::Steps(n) => n,
            Budget::Epochs(n) => n.saturating_mul(steps_per_epoch),
        };
        if budget > self.limits.steps {
            let message = format!("{budget} steps a run");
            return self.fail(
                Diagnostic::error("E0454", self.spec.span, message)
                    .here(format!("the limit is {}", self.limits.steps))
                    .help("raise `--max-steps`"),
            );
        }
        if let (Some(Batches { order: Order::Given(list), .. }), Some(spec)) = (&batches, &self.spec.batches) {
            let epochs = budget.div_ceil(steps_per_epoch.max(1));
            if (list.len() as u64) < epochs {
                let message = format!("the order has {} epochs, the run {epochs}", list.len());
                return self.fail(Diagnostic::error("E0455", spec.span, message).here("not enough rows of row numbers"));
            }
        }
        // Parameters that outputs look at and the loss does not feel stay at their start.
        let looked = self.model.graph.reachable(&image.values().copied().collect::<Vec<Id>>());
        let frozen: Vec<(String, Id)> = self
            .declared
            .params
            .iter()
            .filter(|p| looked.contains(&p.id) && !params.iter().any(|(_, id)| *id == p.id))
            .map(|p| (p.name.clone(), p.id))
            .collect();
        let held: Vec<String> = params.iter().chain(&frozen).map(|(name, _)| name.clone()).collect();
        let graph = self.model.graph.clone();
        let columns = graph
            .inputs()
            .iter()
            .enumerate()
            .filter(|(_, input)| matches!(input.kind, InputKind::Column(_) | InputKind::Drawn))
            .filter_map(|(i, _)| self.model.known.get(&InputId(i as u32)).map(|v| (InputId(i as u32), Arc::clone(v))))
            .collect();
        let input = |place: usize| graph.as_input(counters[place].1);
        let unit = Unit {
            rows: self.model.rows.clone(),
            columns,
            params: params
                .iter()
                .enumerate()
                .map(|(place, (name, id))| Slot {
                    name: name.clone(),
                    input: *id,
                    next: at(rule.params[place]),
                    next_epoch: rule.params_epoch[place].map(at),
                })
                .chain(frozen.iter().map(|(name, id)| Slot { name: name.clone(), input: *id, next: *id, next_epoch: None }))
                .collect(),
            states: rule
                .states
                .iter()
                .map(|s| Slot { name: s.name.clone(), input: s.input, next: at(s.next), next_epoch: s.next_epoch.map(at) })
                .collect(),
            state_starts: rule.states.iter().map(|s| at(s.start)).collect(),
            lane: self.lane.iter().map(|(input, _)| *input).collect(),
            noise: rule
                .noise
                .iter()
                .filter_map(|slot| {
                    let (input, seed) = (graph.as_input(slot.input)?, self.program.rng?.seed());
                    Some(Noise { name: slot.name.clone(), input, normal: slot.normal, seed })
                })
                .collect(),
            step: input(0),
            epoch: input(1),
            steps: input(2),
            loss: at(loss),
            quantities: quantities.iter().map(measured).collect(),
            stop: stop.map(|stop| measured(&stop.condition)),
            memos: memos.iter().map(|memo| memo.with(at(memo.of()))).collect(),
            stop_text: self.spec.stop.as_ref().map(|(_, text)| text.clone()).unwrap_or_default(),
            evaluations_per_step: rule.evaluations,
            batches,
            budget,
            steps_per_epoch,
            solve: solve.map(|solve| solve.map(at)),
            graph,
        };
        Ok(Built {
            unit,
            lane: std::mem::take(&mut self.lane).into_iter().map(|(_, source)| source).collect(),
            model: std::mem::take(&mut self.model),
            declared: std::mem::take(&mut self.declared),
            held,
        })
    }
}

/// Whether an expression mentions a name.
fn names(e: &Expr, name: &str) -> bool {
    let mut found = false;
    crate::check::decls::walk(e, &mut |e| found |= matches!(&e.kind, ExprKind::Name(n) if n == name));
    found
}
