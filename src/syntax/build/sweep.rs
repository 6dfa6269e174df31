//! Builds the lines of sweeps.
//!
//! It does not know which names can vary.

use crate::diag::Diagnostic;

use super::super::ast::{Axis, BatchOrder, Best, Pace, RepeatCount, SweepLine, SweepLineKind};
use super::super::parse::Rule;
use super::{Builder, Id};

impl Builder<'_> {
    /// The lines of a `sweep_block`.
    pub(super) fn sweep_lines(&mut self, id: Id) -> Vec<SweepLine> {
        self.kids(id).map(|line| SweepLine { span: self.span(line), kind: self.sweep_line(line) }).collect()
    }

    fn sweep_line(&mut self, id: Id) -> SweepLineKind {
        let line = self.kids(id).need();
        let mut kids = self.kids(line);
        match self.rule(line) {
            Rule::setting | Rule::axis => self.axis_line(line),
            rule @ (Rule::minimize | Rule::maximize) => {
                let loss = self.expr(kids.need());
                let over = kids.map(|name| self.ident(name)).collect();
                SweepLineKind::Minimize { maximize: rule == Rule::maximize, loss, many: false, over }
            }
            Rule::batches => self.batches(line),
            Rule::record => {
                let pace = self.kids(line).find(|kid| self.rule(*kid) == Rule::pace);
                SweepLineKind::Record { what: self.exprs(line), pace: pace.map(|pace| self.pace(pace)) }
            }
            Rule::stop => SweepLineKind::StopWhen(self.expr(kids.need())),
            Rule::repeat => {
                let count = kids.need();
                let count = if self.rule(count) == Rule::folds {
                    RepeatCount::Folds(self.span(count))
                } else {
                    RepeatCount::Times(self.expr(count))
                };
                let redraw = kids.next().map(|redraw| self.kids(redraw).map(|name| self.ident(name)).collect());
                SweepLineKind::Repeat { count, redraw: redraw.unwrap_or_default() }
            }
            Rule::zip => SweepLineKind::Zip(kids.map(|axis| self.axis(axis)).collect()),
            Rule::sample => {
                let count = self.expr(kids.need());
                SweepLineKind::Sample { count, draws: kids.map(|draw| self.binding(draw)).collect() }
            }
            Rule::skip => SweepLineKind::SkipWhen(self.expr(kids.need())),
            Rule::group => {
                let (names, settings): (Vec<Id>, Vec<Id>) = kids.partition(|kid| self.rule(*kid) == Rule::name);
                let params = names.into_iter().map(|name| self.ident(name)).collect();
                SweepLineKind::Group { params, values: settings.into_iter().map(|setting| self.binding(setting)).collect() }
            }
            _ => {
                let sweep = self.ident(kids.need());
                SweepLineKind::StartFrom { sweep, best: kids.next().map(|best| self.best(best)) }
            }
        }
    }

    fn axis(&mut self, id: Id) -> Axis {
        let many = self.rule(id) == Rule::axis;
        let (name, values) = self.binding(id);
        Axis { name, values, many }
    }

    /// `lr in [..]`, but also `minimize in [f, g]`, which reads the same.
    fn axis_line(&mut self, id: Id) -> SweepLineKind {
        let axis = self.axis(id);
        let maximize = axis.name.name == "maximize";
        if !maximize && axis.name.name != "minimize" {
            return SweepLineKind::Axis(axis);
        }
        if !axis.many {
            let gap = axis.name.span.end().to(axis.values.span.start());
            self.report(
                Diagnostic::error("E0162", gap, format!("`{}` is followed by a loss, without `=`", axis.name.name))
                    .here("nothing belongs here")
                    .replace(gap, " ", "write"),
            );
        }
        SweepLineKind::Minimize { maximize, loss: axis.values, many: axis.many, over: Vec::new() }
    }

    fn batches(&mut self, id: Id) -> SweepLineKind {
        let mut kids = self.kids(id);
        let size = self.expr(kids.need());
        let mut order_span = size.span.end();
        let order = match kids.accept(Rule::batch_order) {
            None => BatchOrder::Unsaid,
            Some(order) => {
                order_span = self.span(order);
                let order = self.kids(order).need();
                match self.rule(order) {
                    Rule::in_order => BatchOrder::InOrder,
                    Rule::in_order_of => BatchOrder::InOrderOf(self.only_expr(order)),
                    Rule::shuffled => BatchOrder::Shuffled,
                    Rule::cumulatively => BatchOrder::Cumulatively,
                    _ => BatchOrder::Drawn,
                }
            }
        };
        SweepLineKind::Batches { size, order, order_span, drop_last: kids.accept(Rule::drop_last).is_some() }
    }

    fn pace(&mut self, id: Id) -> Pace {
        let every = self.kids(id).next().map(|every| self.expr(every));
        let epochs = self.has(id, Rule::kw_epoch) || self.has(id, Rule::kw_epochs);
        Pace { every, epochs, span: self.span(id) }
    }

    /// `best lr, beta minimizing X`.
    pub(super) fn best(&mut self, id: Id) -> Best {
        let (names, by): (Vec<Id>, Vec<Id>) = self.kids(id).partition(|kid| self.rule(*kid) == Rule::name);
        let mut axes: Vec<_> = names.into_iter().map(|name| self.ident(name)).collect();
        if axes.len() == 1 && axes[0].name == "all" {
            axes.clear();
        }
        Best { axes, maximize: self.has(id, Rule::kw_maximizing), by: self.expr(by[0]), span: self.span(id) }
    }
}
