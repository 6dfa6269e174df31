//! `stop when`: the condition of a unit, with what it remembers of the run so far.
//!
//! A condition on the last update alone is measured in the step, one on the present point at the row. One on both holds what is of the
//! step until the row; `since_lowest(J)` and its like are folded row by row, and read like a number.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::build::Build;
use super::unit::{Measure, Memo, Memory};
use crate::check::decls::walk;
use crate::check::lower::{Frame, Hook, Lower, R, Val};
use crate::check::messages;
use crate::check::rule::RuleGraph;
use crate::diag::Diagnostic;
use crate::expr::graph::{Id, InputKind};
use crate::expr::op::{Binary, Op};
use crate::shape::Shape;
use crate::syntax::ast::{Arg, Expr, ExprKind};
use crate::syntax::print;

/// The functions over the run so far.
const MEMORIES: [(&str, Memory); 8] = [
    ("start", Memory::Start),
    ("lowest", Memory::Lowest),
    ("highest", Memory::Highest),
    ("since_lowest", Memory::SinceLowest),
    ("previous", Memory::Previous),
    ("count", Memory::Count),
    ("steps_to", Memory::StepsTo),
    ("average", Memory::Average(1)),
];

/// What is known when runs have ended.
const LATER: [&str; 7] = ["final", "at", "at_lowest", "gap", "best_so_far", "cells", "standard_error"];

/// What a stop condition is of.
#[derive(Clone, Copy)]
pub(super) struct StopOf<'s> {
    pub(super) params: &'s [(String, Id)],
    pub(super) rule: &'s RuleGraph,
    pub(super) loss: Id,
    pub(super) grads: &'s [Id],
    pub(super) counters: &'s [(&'static str, Id); 3],
    /// Whether a solver runs.
    pub(super) solved: bool,
}

/// A stop condition.
pub(super) struct Stop {
    pub(super) condition: Measure,
    pub(super) memos: Vec<Memo>,
}

impl Build<'_> {
    /// `stop when`.
    pub(super) fn stop(&mut self, e: &Expr, of: &StopOf<'_>) -> R<Stop> {
        let StopOf { params, rule, loss, grads, counters, solved } = *of;
        let mut of_step = false;
        walk(e, &mut |e| match &e.kind {
            // What a solver did is known at the row.
            ExprKind::Name(n) if n == "change" => of_step |= !solved,
            ExprKind::On { part, .. } if part.name == "batch" => of_step = true,
            _ => {}
        });
        let only_step = of_step && !self.mentions_row(e);
        let moved = params.iter().zip(&rule.params).enumerate().map(|(place, ((_, old), new))| {
            let old = if solved { rule.states[place].input } else { *old };
            self.model.graph.binary(Binary::Sub, *new, old)
        });
        let moved: Vec<Id> = moved.collect();
        let change = self.flat(&moved);
        let gradient = self.flat(grads);
        let mut names: BTreeMap<String, Val> = counters.iter().map(|(n, id)| ((*n).to_string(), Val::Node(*id))).collect();
        names.insert("step".to_string(), Val::Node(counters[0].1));
        names.insert("grad".to_string(), Val::Node(gradient));
        let hook = Rc::new(StopHook { only_step, solved, change, batch: (self.point.loss.clone(), loss), memos: RefCell::default() });
        let mut lower = Lower::new(&mut self.model, &self.program.decls, self.diags);
        lower.frames.push(Frame { names, sealed: false, what: "a stop condition" });
        lower.hook = Some(hook.clone());
        let id = lower.scalar(e, "a stop condition")?;
        if only_step {
            return Ok(Stop { condition: Measure::Step(id), memos: Vec::new() });
        }
        let with: Vec<(Id, Id)> =
            params.iter().zip(&rule.report).filter(|((_, id), at)| id != *at).map(|((_, id), at)| (*id, *at)).collect();
        let mut at_row = |id: Id| self.model.graph.substitute(&[id], &with)[0];
        let condition = Measure::Row(at_row(id));
        let memos = hook.memos.take().into_iter().map(|memo| match memo {
            Memo::Row { input, of, how } => Memo::Row { input, of: at_row(of), how },
            held @ Memo::Step { .. } => held,
        });
        Ok(Stop { condition, memos: memos.collect() })
    }

    /// Whether a condition asks something of the present point, or of the rows before.
    fn mentions_row(&self, e: &Expr) -> bool {
        match &e.kind {
            ExprKind::On { part, .. } => part.name != "batch",
            ExprKind::Name(n) => matches!(n.as_str(), "grad") || self.program.decls.values.contains_key(n) && !self.is_hyper(n),
            ExprKind::Call { name, .. } if MEMORIES.iter().any(|(known, _)| *known == name.name) => true,
            _ => crate::check::decls::parts(e).into_iter().any(|part| self.mentions_row(part)),
        }
    }

    fn is_hyper(&self, name: &str) -> bool {
        self.declared.hypers.iter().any(|hyper| hyper.name == name)
    }

    /// All parameters as one vector.
    fn flat(&mut self, list: &[Id]) -> Id {
        let parts: Vec<Id> = list
            .iter()
            .map(|&id| {
                let n = self.model.rows.count(self.model.graph.shape(id)).unwrap_or(1);
                match self.model.graph.shape(id).rank() {
                    1 => id,
                    _ => self.model.graph.add(Op::Reshape(Shape::fixed(&[n])), &[id]),
                }
            })
            .collect();
        if parts.len() == 1 { parts[0] } else { self.model.graph.add(Op::Concat(0), &parts) }
    }
}

/// What only stop conditions know.
struct StopHook {
    /// Whether the condition is on the last update alone.
    only_step: bool,
    /// Whether a solver runs: then the change is a value of the row.
    solved: bool,
    change: Id,
    /// The loss that is minimized, and its value on the batch.
    batch: (String, Id),
    memos: RefCell<Vec<Memo>>,
}

impl StopHook {
    /// A value of the step, as the condition reads it.
    fn of_step(&self, lower: &mut Lower<'_>, id: Id, name: &str) -> Val {
        if self.only_step {
            return Val::Node(id);
        }
        let known = self.memos.borrow().iter().find_map(|memo| match memo {
            Memo::Step { input, of } if *of == id => Some(*input),
            _ => None,
        });
        Val::Node(known.unwrap_or_else(|| {
            let shape = lower.model.graph.shape(id).clone();
            let input = lower.model.graph.input(name, InputKind::State, shape);
            self.memos.borrow_mut().push(Memo::Step { input, of: id });
            input
        }))
    }
}

impl Hook for StopHook {
    fn ask(&self, lower: &mut Lower<'_>, e: &Expr) -> R<Option<Val>> {
        match &e.kind {
            ExprKind::Name(name) if name == "change" && self.solved => Ok(Some(Val::Node(self.change))),
            ExprKind::Name(name) if name == "change" => Ok(Some(self.of_step(lower, self.change, "change"))),
            ExprKind::On { base, part } if part.name == "batch" => {
                let (loss, id) = &self.batch;
                if !matches!(&base.kind, ExprKind::Name(name) if name == loss) {
                    let d = Diagnostic::error("E0474", base.span, "`on batch` is the loss that the step itself differentiated");
                    return lower.fail(d.here(format!("this sweep minimizes `{loss}`")));
                }
                Ok(Some(self.of_step(lower, *id, &print::expr(e))))
            }
            ExprKind::Call { name, args, .. } if lower.decls.function("", &name.name).is_none() => {
                if LATER.contains(&name.name.as_str()) {
                    let d = Diagnostic::error("E0473", e.span, format!("`{}` is not known while a run goes on", name.name))
                        .here("known at the end");
                    return lower.fail(
                        d.help("there are start, lowest, highest, previous, since_lowest, average(.., last = n), count and steps_to"),
                    );
                }
                let Some((_, how)) = MEMORIES.iter().find(|(known, _)| *known == name.name) else { return Ok(None) };
                self.remembered(lower, e, *how, args).map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl StopHook {
    fn remembered(&self, lower: &mut Lower<'_>, e: &Expr, mut how: Memory, args: &[Arg]) -> R<Val> {
        let mut of = None;
        for arg in args {
            match (arg, how) {
                (Arg::Positional(inner), _) if of.is_none() => of = Some(inner),
                (Arg::Named(key, last), Memory::Average(_)) if key.name == "last" => {
                    how = Memory::Average(lower.whole(last, "`last`", 1.0)?);
                }
                (Arg::Named(key, _) | Arg::In(key, _), _) => return lower.fail(messages::no_such_argument(&print::expr(e), key)),
                (Arg::Positional(_), _) => of = None,
            }
        }
        let Some(of) = of else {
            return lower.fail(messages::wrong_count(e.span, "one value is remembered".to_string()));
        };
        if how == Memory::Average(1) && !args.iter().any(|arg| matches!(arg, Arg::Named(..))) {
            let d = Diagnostic::error("E0475", e.span, "an average of how many rows?").here("no `last = ..`");
            return lower.fail(d.help(format!("write `average({}, last = 10)`", print::expr(of))));
        }
        let of = lower.scalar(of, "what a stop condition remembers")?;
        let input = lower.model.graph.input(print::expr(e), InputKind::Shared, Shape::scalar());
        self.memos.borrow_mut().push(Memo::Row { input, of, how });
        Ok(Val::Node(input))
    }
}
