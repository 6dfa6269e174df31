//! What a solver evaluates, as graphs: the gradient, products with the Hessian or the Jacobian, the parts of a loss that it was made for.
//!
//! What it does with their values is in `run::solve`.

use super::build::Build;
use super::unit::Solve;
use crate::check::lower::{R, Reported, Val};
use crate::check::messages;
use crate::check::rule::{RuleGraph, Stage, StateSlot};
use crate::diag::Diagnostic;
use crate::expr::diff;
use crate::expr::graph::{Id, InputKind};
use crate::expr::op::{Binary, Op};
use crate::expr::parts::{absolutes, squares};
use crate::expr::print;
use crate::expr::rewrite::{self, Options};
use crate::solvers::{MOST_COLUMNS, Needs, STANDARD_ERROR, Solver};
use crate::source::Span;

/// What is solved.
pub(super) struct Task<'t> {
    pub(super) solver: &'static Solver,
    /// The solver with its arguments.
    pub(super) stage: &'t Stage,
    pub(super) params: &'t [(String, Id)],
    /// The loss as written, where its parts can be seen, and where that is.
    pub(super) written: Id,
    pub(super) span: Span,
    pub(super) grads: &'t [Id],
    /// The number of the step and its like, which no argument may depend on.
    pub(super) counters: &'t [(&'static str, Id); 3],
}

impl Build<'_> {
    /// The graphs of a solver, and the parameters as a rule that leaves them where they are.
    pub(super) fn solve(&mut self, task: &Task<'_>) -> R<(Solve, RuleGraph)> {
        let mut solve = Solve {
            solver: task.solver,
            numbers: Vec::new(),
            words: Vec::new(),
            moved: task.params.len(),
            grads: task.grads.to_vec(),
            direction: Vec::new(),
            residuals: Vec::new(),
            products: Vec::new(),
            curves: Vec::new(),
            smooth: None,
            weights: Vec::new(),
        };
        self.arguments(task, &mut solve)?;
        match task.solver.needs {
            Needs::Value => solve.grads.clear(),
            Needs::Gradient => {}
            Needs::Hessian => self.curvature(task, &mut solve)?,
            Needs::Residuals => self.residuals(task, &mut solve)?,
            Needs::Split => self.split(task, &mut solve)?,
        }
        let mut states = Vec::new();
        let mut state = |this: &mut Self, own: &str, name: &str, of: Id| {
            let shape = this.model.graph.shape(of).clone();
            let input = this.model.graph.input(format!("{own} of {name}"), InputKind::State, shape.clone());
            let nan = this.model.graph.number(f64::NAN);
            let start = this.model.graph.broadcast_to(nan, &shape);
            let own = (own.to_string(), name.to_string());
            states.push(StateSlot { name: format!("{} of {name}", own.0), own, shared: true, input, start, next: input, next_epoch: None });
        };
        for (name, id) in task.params {
            state(self, "last", name, *id);
        }
        if task.solver.needs == Needs::Residuals {
            for (name, id) in task.params {
                state(self, STANDARD_ERROR, name, *id);
            }
        }
        let params: Vec<Id> = task.params.iter().map(|(_, id)| *id).collect();
        Ok((solve, RuleGraph { params_epoch: vec![None; params.len()], report: params.clone(), params, states, evaluations: 0 }))
    }

    fn arguments(&mut self, task: &Task<'_>, solve: &mut Solve) -> R<()> {
        for (name, value) in &task.stage.args {
            match value {
                Val::Word(word) => solve.words.push((name.clone(), word.clone())),
                Val::Node(id) => {
                    if let Some((counter, _)) = task.counters.iter().find(|(_, counter)| diff::depends(&self.model.graph, *id, *counter)) {
                        let message = format!("an argument of `{}` cannot change from step to step", task.solver.name);
                        let d = Diagnostic::error("E0805", task.stage.span, message).here(format!("`{name}` depends on `{counter}`"));
                        return self.fail(d.help("it may use numbers, hypers and data"));
                    }
                    solve.numbers.push((name.clone(), *id));
                }
                _ => return Err(Reported),
            }
        }
        Ok(())
    }

    /// A vector in the shape of each parameter, along which derivatives are taken.
    fn direction(&mut self, task: &Task<'_>, solve: &mut Solve) -> R<Vec<Id>> {
        let count = |this: &Self, id: Id| this.model.rows.count(this.model.graph.shape(id)).unwrap_or(usize::MAX);
        let columns = task.params.iter().map(|(_, id)| count(self, *id)).fold(0, usize::saturating_add);
        if columns > MOST_COLUMNS {
            let message = format!("`{}` would need a matrix with {columns} columns", task.solver.name);
            let d =
                Diagnostic::error("E0806", task.stage.span, message).here(format!("the limit is {MOST_COLUMNS} elements of parameters"));
            return self.fail(d.help("`lbfgs` needs no matrix"));
        }
        let mut inputs = Vec::new();
        for (name, id) in task.params {
            let shape = self.model.graph.shape(*id).clone();
            let input = self.model.graph.input(format!("direction of {name}"), InputKind::State, shape);
            solve.direction.extend(self.model.graph.as_input(input));
            inputs.push(input);
        }
        Ok(inputs)
    }

    /// The sum of the products of arrays of the same shapes.
    fn inner(&mut self, a: &[Id], b: &[Id]) -> Id {
        let graph = &mut self.model.graph;
        let mut sum = None;
        for (&a, &b) in a.iter().zip(b) {
            let product = graph.binary(Binary::Mul, a, b);
            let term = graph.sum_all(product);
            sum = Some(match sum {
                None => term,
                Some(sum) => graph.binary(Binary::Add, sum, term),
            });
        }
        sum.unwrap_or_else(|| graph.number(0.0))
    }

    fn gradient(&mut self, of: Id, wrt: &[Id], span: Span) -> R<Vec<Id>> {
        match diff::gradient(&mut self.model.graph, of, wrt) {
            Ok(list) => Ok(rewrite::rewrite(&mut self.model.graph, &list, &Options::default()).0),
            Err(why) => {
                let d = messages::not_differentiable(&self.model, &why, span);
                self.fail(d)
            }
        }
    }

    /// The Hessian times a direction.
    fn curvature(&mut self, task: &Task<'_>, solve: &mut Solve) -> R<()> {
        let direction = self.direction(task, solve)?;
        let along = self.inner(task.grads, &direction);
        let params: Vec<Id> = task.params.iter().map(|(_, id)| *id).collect();
        solve.products = self.gradient(along, &params, task.span)?;
        Ok(())
    }

    /// The residuals, the Jacobian times a direction (what `u` is multiplied with in the derivative of `u . r` along it), and the second
    /// derivative along it.
    fn residuals(&mut self, task: &Task<'_>, solve: &mut Solve) -> R<()> {
        let params: Vec<Id> = task.params.iter().map(|(_, id)| *id).collect();
        let found = match squares(&mut self.model.graph, task.written, &params) {
            Ok(found) => found,
            Err(part) => {
                let span = self.model.graph.span(part).unwrap_or(task.span);
                let message = format!("`{}` needs a sum or a mean of squares", task.solver.name);
                let text = print::infix(&self.model.graph, part);
                let d = Diagnostic::error("E0802", span, message).here(format!("`{text}` is no square that is added"));
                return self.fail(d.label(task.stage.span, "asked for here").help("`lbfgs` minimizes any smooth loss"));
            }
        };
        let (found, _) = rewrite::rewrite(&mut self.model.graph, &found, &Options::default());
        let direction = self.direction(task, solve)?;
        let mut dual = Vec::new();
        for &residual in &found {
            let shape = self.model.graph.shape(residual).clone();
            dual.push(self.model.graph.input("dual", InputKind::State, shape));
        }
        let weighted = self.inner(&dual, &found);
        let slopes = self.gradient(weighted, &params, task.span)?;
        let along = self.inner(&slopes, &direction);
        let products = self.gradient(along, &dual, task.span)?;
        let slopes = self.gradient(along, &params, task.span)?;
        let along = self.inner(&slopes, &direction);
        let curves = self.gradient(along, &dual, task.span)?;
        // Nothing of them depends on what they are the derivative by, for it stands in `along` as a factor.
        let zero = self.model.graph.number(0.0);
        let mut with = Vec::new();
        for &u in &dual {
            let shape = self.model.graph.shape(u).clone();
            with.push((u, self.model.graph.add(Op::Broadcast(shape.clone()), &[zero])));
            if shape.is_scalar() {
                with.pop();
                with.push((u, zero));
            }
        }
        solve.products = self.model.graph.substitute(&products, &with);
        solve.curves = self.model.graph.substitute(&curves, &with);
        solve.residuals = found;
        Ok(())
    }

    /// The smooth part with its gradient, and the weights of the absolute values.
    fn split(&mut self, task: &Task<'_>, solve: &mut Solve) -> R<()> {
        let params: Vec<Id> = task.params.iter().map(|(_, id)| *id).collect();
        let (smooth, weights) = match absolutes(&mut self.model.graph, task.written, &params) {
            Ok(found) => found,
            Err(part) => {
                let span = part.and_then(|part| self.model.graph.span(part)).unwrap_or(task.span);
                let message = format!("`{}` needs a smooth part plus `c*sum(abs(w))`", task.solver.name);
                let here =
                    if part.is_some() { "not absolute values of a parameter, added" } else { "no absolute values of a parameter in it" };
                let d = Diagnostic::error("E0803", span, message).here(here).label(task.stage.span, "asked for here");
                return self.fail(if part.is_some() { d } else { d.help("`lbfgs` and `gd` minimize a smooth loss") });
            }
        };
        let (list, _) = rewrite::rewrite(&mut self.model.graph, &[smooth], &Options::default());
        solve.grads = self.gradient(list[0], &params, task.span)?;
        solve.smooth = Some(list[0]);
        solve.weights = weights;
        Ok(())
    }
}

impl Solve {
    /// Every expression in it.
    pub(crate) fn roots(&self) -> impl Iterator<Item = Id> + '_ {
        let lists = [&self.grads, &self.residuals, &self.products, &self.curves, &self.weights];
        lists.into_iter().flatten().copied().chain(self.smooth).chain(self.numbers.iter().map(|(_, id)| *id))
    }

    /// With every expression replaced.
    pub(super) fn map(mut self, at: impl Fn(Id) -> Id) -> Solve {
        for list in [&mut self.grads, &mut self.residuals, &mut self.products, &mut self.curves, &mut self.weights] {
            for id in list.iter_mut() {
                *id = at(*id);
            }
        }
        self.smooth = self.smooth.map(&at);
        self.numbers.iter_mut().for_each(|(_, id)| *id = at(*id));
        self
    }
}
