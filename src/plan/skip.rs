//! `skip when COND`: which points of the product are left out.
//!
//! A condition is an expression of the values on the axes; words and schedules are compared by their text.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::cells::{Point, setting};
use crate::check::Program;
use crate::check::lower::{Frame, Hook, Lower, Model, R, Val};
use crate::check::program::SweepSpec;
use crate::diag::Diagnostics;
use crate::expr::eval;
use crate::expr::graph::{Id, InputKind};
use crate::expr::op::InputId;
use crate::results::Setting;
use crate::shape::Shape;
use crate::syntax::ast::{CompareOp, Expr, ExprKind};
use crate::syntax::print;

/// The conditions of a sweep.
pub(super) struct Skip {
    model: Model,
    conditions: Vec<Id>,
    asked: Vec<(InputId, Asked)>,
}

/// What an input of a condition stands for.
#[derive(Debug, Clone)]
enum Asked {
    /// The number on an axis; nan where there is none.
    Number(String),
    /// Whether the value on an axis has this text.
    Text(String, String),
}

impl Skip {
    /// Nothing when a condition is wrong, which has been said.
    pub(super) fn new(program: &Program, spec: &SweepSpec, diags: &mut Diagnostics) -> Option<Skip> {
        let mut skip = Skip { model: Model::default(), conditions: Vec::new(), asked: Vec::new() };
        if spec.skip.is_empty() {
            return Some(skip);
        }
        skip.model = program.model.clone();
        let names = spec.axis_names();
        let texts: Vec<String> =
            names.iter().filter(|n| spec.values_of(n).iter().any(|v| matches!(v, Setting::Text(_)))).cloned().collect();
        let hook = Rc::new(SkipHook { texts, asked: RefCell::default() });
        let mut frame = Frame { names: BTreeMap::new(), sealed: false, what: "a condition on cells" };
        for name in names {
            let id = skip.model.graph.input(name.clone(), InputKind::Arg, Shape::scalar());
            skip.asked.extend(skip.model.graph.as_input(id).map(|input| (input, Asked::Number(name.clone()))));
            frame.names.insert(name, Val::Node(id));
        }
        for e in &spec.skip {
            let mut lower = Lower::new(&mut skip.model, &program.decls, diags);
            lower.frames.push(frame.clone());
            lower.hook = Some(hook.clone());
            let id = lower.scalar(e, "a condition on cells").ok()?;
            let open = lower.model.graph.reachable(&[id]).into_iter().find_map(|node| {
                let input = lower.model.graph.as_input(node)?;
                let info = lower.model.graph.input_info(input);
                (info.kind == InputKind::Param).then(|| info.name.clone())
            });
            if let Some(param) = open {
                let d =
                    crate::diag::Diagnostic::error("E0471", e.span, format!("a cell is left out before it runs: `{param}` is not known"));
                diags.push(d.here("depends on a parameter").help("to end runs that go wrong, use `stop when`"));
                return None;
            }
            skip.conditions.push(id);
        }
        skip.asked.extend(hook.asked.take());
        Some(skip)
    }

    /// Whether a point is left out.
    pub(super) fn skips(&self, program: &Program, point: &Point) -> bool {
        if self.conditions.is_empty() {
            return false;
        }
        let text = |name: &str| match name {
            "optimizer" => point.optimizer.rule.clone(),
            "loss" => point.loss.clone(),
            _ => match setting(program, point, name) {
                Setting::Text(text) => text,
                _ => String::new(),
            },
        };
        let given = |input: InputId| {
            let asked = self.asked.iter().find(|(known, _)| *known == input).map(|(_, asked)| asked);
            let number = match asked {
                Some(Asked::Number(name)) => match setting(program, point, name) {
                    Setting::Number(x) => x,
                    _ => f64::NAN,
                },
                Some(Asked::Text(name, wanted)) => f64::from(u8::from(text(name) == *wanted)),
                None => return self.model.known.get(&input).map(|value| (**value).clone()),
            };
            Some(ndarray::arr0(number).into_dyn())
        };
        let values = eval::evaluate(&self.model.graph, &self.conditions, &given, &self.model.rows).unwrap_or_default();
        values.iter().any(|value| value.iter().any(|&x| x != 0.0 && !x.is_nan()))
    }
}

/// `optimizer == adam`, `lr == warm`: comparisons by text.
struct SkipHook {
    /// Axes that have texts.
    texts: Vec<String>,
    asked: RefCell<Vec<(InputId, Asked)>>,
}

impl Hook for SkipHook {
    fn ask(&self, lower: &mut Lower<'_>, e: &Expr) -> R<Option<Val>> {
        let ExprKind::Compare { op: op @ (CompareOp::Eq | CompareOp::Ne), left, right, .. } = &e.kind else { return Ok(None) };
        let ExprKind::Name(name) = &left.kind else { return Ok(None) };
        let by_text =
            matches!(name.as_str(), "optimizer" | "loss") || self.texts.contains(name) && !matches!(right.kind, ExprKind::Number(_));
        if !by_text {
            return Ok(None);
        }
        let graph = &mut lower.model.graph;
        let id = graph.input(print::expr(e), InputKind::Arg, Shape::scalar());
        self.asked.borrow_mut().extend(graph.as_input(id).map(|input| (input, Asked::Text(name.clone(), print::expr(right)))));
        Ok(Some(Val::Node(if *op == CompareOp::Eq { id } else { graph.unary(crate::expr::op::Unary::Not, id) })))
    }
}
