//! `let z ~ normal(0, sigma)` in a rule: numbers drawn afresh for each step and element.
//!
//! What is drawn is standard (normal, or uniform between 0 and 1), so that cells can share it; the arguments of the distribution are
//! expressions of the step like all others. The drawing itself is done where the step runs.

use super::NoiseSlot;
use super::lines::{Env, Role, Var, Writer};
use crate::check::decls::not_yet;
use crate::check::draw::{Draw, Drawing, distribution};
use crate::check::lower::Val;
use crate::diag::Diagnostic;
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::op::{Binary, Op, Unary};
use crate::shape::{Dim, Shape};
use crate::source::Span;
use crate::syntax::ast::{Expr, Ident};

impl Writer<'_> {
    pub(super) fn draw(&mut self, name: &Ident, e: &Expr, line: Span, env: &mut Env) {
        if self.in_epoch {
            let message = "`each epoch` draws nothing: a draw belongs to a step";
            let d = Diagnostic::error("E0490", line, message).here("at the end of an epoch");
            self.fail(d.help("draw in the body, and keep what is needed in a `state`"));
            let values = vec![Val::Broken; self.problem.params.len()];
            env.insert(name.name.clone(), Var { values, shared: false, role: Role::Let, span: name.span });
            return;
        }
        if !self.is_free(name, env) {
            return;
        }
        // Notebooks draw noise in as many ways as there are notebooks.
        if self.decls.rng.as_ref().is_some_and(|(numpy, ..)| *numpy) {
            self.fail(not_yet(e.span, "a draw in a rule under `rng numpy(..)`"));
            env.insert(
                name.name.clone(),
                Var { values: vec![Val::Broken; self.problem.params.len()], shared: false, role: Role::Let, span: name.span },
            );
            return;
        }
        let count = self.problem.params.len();
        let mut values = vec![Val::Broken; count];
        let shapes: Vec<Shape> = (0..count).map(|place| self.shape(place)).collect();
        if let Ok(list) = self.lowered(env, false, |lower, place| distribution(lower, e, &shapes[place])) {
            for (place, Drawing { draw, args }) in list.into_iter().enumerate() {
                if let Some(id) = self.noise(place, name, e, draw, &args) {
                    values[place] = Val::Node(id);
                } else {
                    self.ok = false;
                    break;
                }
            }
        }
        env.insert(name.name.clone(), Var { values, shared: false, role: Role::Let, span: name.span });
    }

    fn noise(&mut self, place: usize, name: &Ident, e: &Expr, draw: Draw, args: &[Id]) -> Option<Id> {
        if matches!(draw, Draw::Poisson | Draw::Orthogonal) {
            let name = if draw == Draw::Poisson { "poisson" } else { "orthogonal" };
            let message = format!("`{name}` cannot be drawn inside a rule");
            let d = Diagnostic::error("E0491", e.span, message).here("takes more than one draw for an entry");
            self.fail(d.help("there are normal, uniform, log_uniform, integers, bernoulli and choice"));
            return None;
        }
        let shape = self.shape(place);
        let mut fitted = Vec::new();
        for &arg in args {
            fitted.push(if draw == Draw::Choice { arg } else { self.fitted(arg, &shape, e.span)? });
        }
        let stem = format!("{} of {}", name.name, self.problem.params[place].0);
        // A later stage of a chain may use the name again, for other numbers.
        let twins = self.noise.iter().filter(|slot| slot.name == stem || slot.name.starts_with(&format!("{stem} "))).count();
        let label = if twins == 0 { stem } else { format!("{stem} {}", twins + 1) };
        let graph = &mut self.model.graph;
        let standard = graph.input(label.clone(), InputKind::Noise, shape.clone());
        let value = transformed(graph, draw, &fitted, standard, &shape);
        self.noise.push(NoiseSlot { name: label, input: standard, normal: draw == Draw::Normal });
        Some(value)
    }
}

/// The distribution's number out of a standard one, element by element.
fn transformed(graph: &mut Graph, draw: Draw, args: &[Id], z: Id, shape: &Shape) -> Id {
    match draw {
        Draw::Normal => line(graph, args[0], args[1], z),
        Draw::Uniform => {
            let width = graph.binary(Binary::Sub, args[1], args[0]);
            line(graph, args[0], width, z)
        }
        Draw::LogUniform => {
            let (low, high) = (graph.unary(Unary::Log, args[0]), graph.unary(Unary::Log, args[1]));
            let width = graph.binary(Binary::Sub, high, low);
            let exponent = line(graph, low, width, z);
            graph.unary(Unary::Exp, exponent)
        }
        Draw::Integers => {
            let width = graph.binary(Binary::Sub, args[1], args[0]);
            let one = graph.number(1.0);
            let count = graph.binary(Binary::Add, width, one);
            let scaled = graph.binary(Binary::Mul, count, z);
            let steps = graph.unary(Unary::Floor, scaled);
            let value = graph.binary(Binary::Add, args[0], steps);
            // The product may be rounded up to the count itself.
            graph.binary(Binary::Minimum, value, args[1])
        }
        Draw::Bernoulli | Draw::Poisson | Draw::Orthogonal => graph.binary(Binary::Lt, z, args[0]),
        Draw::Choice => {
            let count = if let [Dim::Size(n)] = graph.shape(args[0]).0[..] { n } else { 1 };
            let all = graph.number(count as f64);
            let scaled = graph.binary(Binary::Mul, all, z);
            let item = |graph: &mut Graph, at: usize| {
                let one = graph.add(Op::Slice { axis: 0, start: at, step: 1, len: 1 }, &[args[0]]);
                let number = graph.add(Op::Squeeze(0), &[one]);
                graph.broadcast_to(number, shape)
            };
            let last = item(graph, count - 1);
            (0..count - 1).rev().fold(last, |rest, at| {
                let (own, end) = (item(graph, at), graph.number((at + 1) as f64));
                let below = graph.binary(Binary::Lt, scaled, end);
                graph.add(Op::Select, &[below, own, rest])
            })
        }
    }
}

fn line(graph: &mut Graph, from: Id, slope: Id, z: Id) -> Id {
    let scaled = graph.binary(Binary::Mul, slope, z);
    graph.binary(Binary::Add, from, scaled)
}
