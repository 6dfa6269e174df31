//! The axes of a sweep and their values: numbers, words of a convention, schedules.
//!
//! The product of the axes is taken in `plan`.

use super::Sweeps;
use super::arguments::{argument_alias, words};
use super::optimizers::{Point, optimizer_points};
use crate::check::decls::ValueKind;
use crate::check::lower::{Frame, Lower, Model, R, Reported, Val};
use crate::check::messages;
use crate::check::program::{AxisSpec, AxisValue, Bind, OptimizerSpec};
use crate::diag::{Diagnostic, did_you_mean};
use crate::expr::graph::InputKind;
use crate::results::Setting;
use crate::shape::Shape;
use crate::source::Span;
use crate::syntax::ast::{Axis, Expr, ExprKind, Ident};
use crate::syntax::print;

impl Sweeps<'_> {
    /// An axis that is no optimizer: an argument of every optimizer listed, or a hyper.
    pub(super) fn axis(&mut self, axis: &Axis, optimizers: &R<Vec<(OptimizerSpec, Vec<Point>)>>) -> R<Vec<Bind>> {
        let name = &axis.name.name;
        if matches!(name.as_str(), "seed" | "random_state") {
            let d = Diagnostic::error("E0439", axis.name.span, "seeds are replications, not settings").here("no axis");
            return self.fail(d.help("`repeat 5` runs every cell with five draws"));
        }
        let hyper = self.declared.hypers.iter().find(|h| h.name == *name);
        let hyper_span = hyper.map(|h| h.span);
        let list = optimizers.as_ref().map_err(|_| Reported)?;
        let mut takers = Vec::new();
        let mut without = Vec::new();
        let mut allowed: Vec<String> = Vec::new();
        for (optimizer, _) in list {
            let mut takes = false;
            for stage in &optimizer.stages {
                let rule = &self.decls.rules[&stage.rule];
                if rule.formals.iter().any(|f| f.name.name == *name) {
                    takes = true;
                    allowed.extend(words(rule, name));
                    if stage.args.contains_key(name) || stage.varying.contains(name) {
                        let d = Diagnostic::error("E0440", axis.name.span, format!("`{}` already fixes `{name}`", stage.rule))
                            .here("given again");
                        return self.fail(d.label(optimizer.span, "fixed here"));
                    }
                }
            }
            if takes { takers.push(optimizer) } else { without.push(optimizer) }
        }
        match (hyper_span, takers.is_empty()) {
            (Some(span), false) => {
                let d = Diagnostic::error("E0441", axis.name.span, format!("`{name}` is a hyper and an argument of `{}`", takers[0].rule))
                    .here("which one?");
                return self.fail(d.label(span, "the hyper"));
            }
            (None, true) => {
                let formals: Vec<&str> = list
                    .iter()
                    .flat_map(|(o, _)| &o.stages)
                    .flat_map(|s| self.decls.rules[&s.rule].formals.iter().map(|f| f.name.name.as_str()))
                    .collect();
                let known: Vec<&str> = formals
                    .iter()
                    .copied()
                    .chain(self.declared.hypers.iter().map(|h| h.name.as_str()))
                    .chain(["steps", "epochs", "optimizer"])
                    .collect();
                let mut d =
                    Diagnostic::error("E0449", axis.name.span, format!("`{name}` is no argument of these optimizers and no `hyper`"))
                        .here("what varies here?");
                if let Some(value) = self.decls.value("", name) {
                    d = d.label(value.name.span, format!("a {}: only a `hyper` may vary", value.kind.keyword()));
                    if matches!(value.kind, ValueKind::Let { .. }) {
                        d = d.help(format!("declare it as `hyper {name} = ..`"));
                    }
                } else if let Some(near) = argument_alias(name, &formals).or_else(|| did_you_mean(name, known.iter().copied())) {
                    d = d.replace(axis.name.span, near, format!("did you mean `{near}`?"));
                }
                return self.fail(d);
            }
            (None, false) => {
                if let Some(optimizer) = without.first() {
                    let d = Diagnostic::error("E0443", axis.name.span, format!("`{}` has no `{name}`", optimizer.rule))
                        .here("every optimizer listed must take it");
                    return self.fail(
                        d.label(optimizer.span, format!("no `{name}`"))
                            .help(format!("give it to the others alone: `{}({name} in [..])`", takers[0].rule)),
                    );
                }
            }
            (Some(_), true) => {}
        }
        let values = self.values(&axis.values, axis.many, &axis.name, &allowed)?;
        if hyper_span.is_some()
            && let Some(bad) = values.iter().find(|v| !matches!(v.setting, Setting::Number(_)))
        {
            let d = Diagnostic::error("E0444", bad.expr.span, format!("a value of the hyper `{name}` is a number"))
                .here("changes during the run");
            return self.fail(d);
        }
        for rule in takers.iter().flat_map(|optimizer| &optimizer.stages).map(|stage| stage.rule.clone()).collect::<Vec<_>>() {
            self.in_range(&rule, name, &values)?;
        }
        Ok(values.into_iter().map(|value| Bind::Named { name: name.clone(), hyper: hyper_span.is_some(), value }).collect())
    }

    pub(super) fn zip(&mut self, list: &[Axis], optimizers: &R<Vec<(OptimizerSpec, Vec<Point>)>>, span: Span) -> R<AxisSpec> {
        let mut columns: Vec<Vec<Vec<Bind>>> = Vec::new();
        for axis in list {
            columns.push(if axis.name.name == "optimizer" {
                let all = optimizers.as_ref().map_err(|_| Reported)?;
                all.iter().flat_map(|(o, points)| optimizer_points(o, points)).collect()
            } else {
                self.axis(axis, optimizers)?.into_iter().map(|bind| vec![bind]).collect()
            });
        }
        let Some(length) = columns.first().map(Vec::len) else {
            return self.fail(Diagnostic::error("E0445", span, "an empty `zip`").here("no axis in it"));
        };
        for (axis, column) in list.iter().zip(&columns) {
            if column.len() != length {
                let message = format!(
                    "`zip` pairs lists of one length: `{}` has {length}, `{}` has {}",
                    list[0].name.name,
                    axis.name.name,
                    column.len()
                );
                let d = Diagnostic::error("E0406", axis.values.span, message).here(format!("{} values", column.len()));
                return self.fail(d.label(list[0].values.span, format!("{length} values")));
            }
        }
        let points = (0..length).map(|i| columns.iter().flat_map(|column| column[i].clone()).collect()).collect();
        Ok(AxisSpec { points })
    }

    /// The values on an axis.
    pub(super) fn values(&mut self, e: &Expr, many: bool, name: &Ident, words: &[String]) -> R<Vec<AxisValue>> {
        if !many {
            if let ExprKind::List(_) = &e.kind {
                return self.fail(several(&Axis { name: name.clone(), values: e.clone(), many }));
            }
            return Ok(vec![self.axis_value(e, words)?]);
        }
        match &e.kind {
            ExprKind::List(items) => items.iter().map(|item| self.axis_value(item, words)).collect::<Vec<_>>().into_iter().collect(),
            ExprKind::Range(lo, hi) => {
                let d = messages::interval_not_list(e.span);
                self.fail(d.replace(e.span, format!("geomspace({}, {}, 5)", print::expr(lo), print::expr(hi)), "a list of values"))
            }
            _ => {
                let mut lower = Lower::new(self.model, self.decls, self.diags);
                let id = lower.node(e)?;
                let rank = lower.model.graph.shape(id).rank();
                let Some(values) = lower.model.constant(id) else {
                    return lower.fail(messages::not_known_before(e.span, "the values of an axis"));
                };
                if rank != 1 {
                    let text = lower.show(id);
                    return lower.fail(Diagnostic::error("E0446", e.span, "the values of an axis are a list").here(text).replace(
                        e.span,
                        format!("[{}]", print::expr(e)),
                        "write",
                    ));
                }
                Ok(values
                    .iter()
                    .map(|&x| AxisValue { setting: Setting::Number(x), expr: Expr { span: e.span, kind: ExprKind::Number(x) } })
                    .collect())
            }
        }
    }

    /// One value: a number, a word of a convention, or a schedule.
    fn axis_value(&mut self, e: &Expr, words: &[String]) -> R<AxisValue> {
        if !words.is_empty() {
            if let ExprKind::Name(word) = &e.kind {
                if words.contains(word) {
                    return Ok(AxisValue { setting: Setting::Text(word.clone()), expr: e.clone() });
                }
                return self.fail(messages::no_choice(word, words, e.span));
            }
            let d = Diagnostic::error("E0460", e.span, "this argument is a choice between words")
                .here(format!("choices: {}", words.join(", ")));
            return self.fail(d);
        }
        let counters = counters(self.model);
        let mut lower = Lower::new(self.model, self.decls, self.diags);
        lower.frames.push(Frame {
            names: counters.iter().map(|(n, id)| ((*n).to_string(), Val::Node(*id))).collect(),
            sealed: false,
            what: "an argument",
        });
        let id = lower.scalar(e, "an argument of a rule")?;
        if lower.model.data_only(id)
            && let Some(value) = lower.model.constant(id).and_then(|v| v.first().copied())
        {
            return Ok(AxisValue { setting: Setting::Number(value), expr: e.clone() });
        }
        let depends = lower.model.graph.reachable(&[id]).into_iter().find_map(|node| {
            let input = lower.model.graph.as_input(node)?;
            let info = lower.model.graph.input_info(input);
            (info.kind == InputKind::Param).then(|| info.name.clone())
        });
        if let Some(param) = depends {
            let d = Diagnostic::error("E0448", e.span, format!("an argument of a rule cannot depend on the parameter `{param}`"))
                .here("changes with it");
            return lower.fail(d.help("it may use numbers, data, hypers, schedules, `t`, `epoch` and `steps`"));
        }
        Ok(AxisValue { setting: Setting::Text(print::expr(e)), expr: e.clone() })
    }
}

pub(super) fn several(axis: &Axis) -> Diagnostic {
    let d = Diagnostic::error("E0431", axis.values.span, "several values are given with `in`")
        .here("a list")
        .label(axis.name.span, "given with `=`");
    let between = Span { lo: axis.name.span.hi, hi: axis.values.span.lo, ..axis.name.span };
    d.replace(between, " in ", "write")
}

/// The counters of a run as inputs of a graph, made once per model.
pub(crate) fn counters(model: &mut Model) -> [(&'static str, crate::expr::graph::Id); 3] {
    let mut find = |name: &'static str, kind: InputKind| {
        let known = (0..model.graph.inputs().len()).find(|&i| model.graph.inputs()[i].kind == kind);
        match known {
            Some(i) => model.graph.add(crate::expr::op::Op::Input(crate::expr::op::InputId(i as u32)), &[]),
            None => model.graph.input(name, kind, Shape::scalar()),
        }
    };
    [("t", find("t", InputKind::Step)), ("epoch", find("epoch", InputKind::Epoch)), ("steps", find("steps", InputKind::Steps))]
}
