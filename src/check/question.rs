//! Expressions about runs: `final(J)`, `gap(J)`, `mean(J over replicate)`, axes, and quantities of the model.
//!
//! It makes questions and tells the sweeps what they must evaluate; it evaluates nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::decls::{Decls, RUN_NAMES, ValueKind, not_yet, parts, walk};
use super::lower::{Hook, Lower, Model, R, Reported, Val};
use super::program::{Bind, SweepSpec, Want, WantExpr};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::expr::graph::InputKind;
use crate::results::view::{Aggregate, Cond, FoldKind, Leaf, Over, Question, Selection};
use crate::results::{Fold, Setting, Status};
use crate::shape::Shape;
use crate::syntax::ast::{Arg, BinaryOp, CompareOp, Expr, ExprKind, UnaryOp};
use crate::syntax::print;

/// What all outputs share while they are checked.
pub(crate) struct Asking {
    pub(crate) model: Model,
    pub(crate) sweeps: Vec<SweepSpec>,
    /// Hypers and their values.
    pub(crate) hypers: BTreeMap<String, f64>,
    /// The starts of the parameters, in the first replicate.
    pub(crate) starts: BTreeMap<String, ndarray::ArrayD<f64>>,
}

/// Where a question is asked.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The sweeps it is about.
    pub(crate) sweeps: Vec<String>,
    /// Whether it has a value at each traced row.
    pub(crate) rows: bool,
}

/// The functions over a run.
const FOLDS: [&str; 12] = [
    "final",
    "start",
    "lowest",
    "highest",
    "average",
    "at",
    "at_lowest",
    "steps_to",
    "count",
    "since_lowest",
    "previous",
    "standard_error",
];

/// The other functions about runs.
const ACROSS: [&str; 3] = ["gap", "best_so_far", "cells"];

const STATISTICS: [(&str, Aggregate); 6] = [
    ("mean", Aggregate::Mean),
    ("median", Aggregate::Median),
    ("std", Aggregate::Std),
    ("min", Aggregate::Min),
    ("max", Aggregate::Max),
    ("sum", Aggregate::Sum),
];

/// The names that are known about every run.
const FACTS: [&str; 7] = ["step", "epoch", "steps", "epochs", "evaluations", "cell", "replicate"];

impl SweepSpec {
    /// The names of all arguments and hypers that the sweep sets anywhere, in the order written.
    pub(crate) fn axis_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut add = |name: &String| {
            if !names.contains(name) {
                names.push(name.clone());
            }
        };
        for bind in self.axes.iter().flat_map(|a| a.points.iter().flatten()) {
            match bind {
                Bind::Named { name, .. } => add(name),
                Bind::Optimizer(o) => o.stages.iter().for_each(|s| s.args.keys().for_each(&mut add)),
                Bind::Loss(_) => {}
            }
        }
        names
    }

    /// The names that an output must account for: those with several values, `optimizer` and `loss` among them.
    pub(crate) fn varying(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for axis in &self.axes {
            if axis.points.len() < 2 {
                continue;
            }
            let mut rules: Vec<String> = Vec::new();
            for bind in axis.points.iter().flatten() {
                match bind {
                    Bind::Named { name, .. } if !names.contains(name) => names.push(name.clone()),
                    Bind::Loss(_) if !names.contains(&"loss".to_string()) => names.push("loss".to_string()),
                    Bind::Optimizer(o) => {
                        let text = o.identity();
                        if !rules.contains(&text) {
                            rules.push(text);
                        }
                        for name in o.stages.iter().flat_map(|s| &s.varying) {
                            if !names.contains(name) {
                                names.push(name.clone());
                            }
                        }
                    }
                    Bind::Named { .. } | Bind::Loss(_) => {}
                }
            }
            if rules.len() > 1 {
                names.insert(0, "optimizer".to_string());
            }
        }
        names
    }

    /// The values that an axis takes.
    pub(crate) fn values_of(&self, name: &str) -> Vec<Setting> {
        let mut found: Vec<Setting> = Vec::new();
        let mut add = |setting: &Setting| {
            if !found.contains(setting) {
                found.push(setting.clone());
            }
        };
        for bind in self.axes.iter().flat_map(|a| a.points.iter().flatten()) {
            match bind {
                Bind::Named { name: n, value, .. } if n == name => add(&value.setting),
                Bind::Optimizer(o) => o.stages.iter().filter_map(|s| s.args.get(name)).for_each(|v| add(&v.setting)),
                Bind::Named { .. } | Bind::Loss(_) => {}
            }
        }
        found
    }

    /// The rules of the optimizers, by name.
    pub(crate) fn rules(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for bind in self.axes.iter().flat_map(|a| a.points.iter().flatten()) {
            if let Bind::Optimizer(o) = bind
                && !names.contains(&o.rule)
            {
                names.push(o.rule.clone());
            }
        }
        names
    }

    /// The losses that are minimized.
    pub(crate) fn losses(&self) -> Vec<String> {
        let binds = self.axes.iter().flat_map(|a| a.points.iter().flatten());
        binds.filter_map(|b| if let Bind::Loss(name) = b { Some(name.clone()) } else { None }).collect()
    }

    /// The place of a quantity among the wants; new ones are added.
    pub(crate) fn want(&mut self, text: &str, expr: &WantExpr, sizes: &[usize]) -> usize {
        if let Some(at) = self.wants.iter().position(|w| w.text == text) {
            return at;
        }
        self.wants.push(Want { text: text.to_string(), expr: expr.clone(), sizes: sizes.to_vec(), traced: false });
        self.wants.len() - 1
    }

    /// Asks for a fold.
    pub(crate) fn fold(&mut self, fold: Fold) {
        if !self.folds.contains(&fold) {
            self.folds.push(fold);
        }
    }
}

impl super::program::OptimizerSpec {
    /// What tells this entry of a list of optimizers from the others, whatever its own axes.
    pub(crate) fn identity(&self) -> String {
        let stage = |s: &super::program::StageSpec| {
            let fixed: Vec<String> =
                s.args.iter().filter(|(n, _)| !s.varying.contains(n)).map(|(n, v)| format!("{n} = {}", print::expr(&v.expr))).collect();
            if fixed.is_empty() { s.rule.clone() } else { format!("{}({})", s.rule, fixed.join(", ")) }
        };
        self.stages.iter().map(stage).collect::<Vec<_>>().join(" |> ")
    }
}

/// Makes questions.
pub(crate) struct Asker<'q> {
    pub(crate) shared: Rc<RefCell<Asking>>,
    pub(crate) decls: &'q Decls,
    pub(crate) diags: &'q mut Diagnostics,
}

impl Asker<'_> {
    fn fail<T>(&mut self, diagnostic: Diagnostic) -> R<T> {
        self.diags.push(diagnostic);
        Err(Reported)
    }

    /// A question out of an expression.
    pub(crate) fn question(&mut self, e: &Expr, place: &Place) -> R<Question> {
        question(&self.shared, self.decls, self.diags, e, place)
    }

    /// A condition on cells.
    pub(crate) fn condition(&mut self, e: &Expr, sweeps: &[String]) -> R<Cond> {
        match &e.kind {
            ExprKind::Paren(inner) => self.condition(inner, sweeps),
            ExprKind::Unary { op: UnaryOp::Not, arg, .. } => Ok(Cond::Not(Box::new(self.condition(arg, sweeps)?))),
            ExprKind::Chain { first, rest } if rest.iter().all(|(op, ..)| matches!(op, BinaryOp::And | BinaryOp::Or)) => {
                let mut cond = self.condition(first, sweeps)?;
                for (op, _, right) in rest {
                    let right = self.condition(right, sweeps)?;
                    cond = if *op == BinaryOp::And {
                        Cond::And(Box::new(cond), Box::new(right))
                    } else {
                        Cond::Or(Box::new(cond), Box::new(right))
                    };
                }
                Ok(cond)
            }
            ExprKind::Compare { op: op @ (CompareOp::Eq | CompareOp::Ne), left, right, .. } => {
                let name = if let ExprKind::Name(name) = &left.kind { Some(name.as_str()) } else { None };
                match name {
                    Some(name) if self.is_axis(name, sweeps) => self.equals(name, right, *op == CompareOp::Ne, sweeps),
                    _ => self.compared(e, sweeps),
                }
            }
            _ => self.compared(e, sweeps),
        }
    }

    fn compared(&mut self, e: &Expr, sweeps: &[String]) -> R<Cond> {
        Ok(Cond::Question(self.question(e, &Place { sweeps: sweeps.to_vec(), rows: false })?))
    }

    /// Whether a name tells cells apart.
    pub(crate) fn is_axis(&self, name: &str, sweeps: &[String]) -> bool {
        matches!(name, "optimizer" | "loss" | "sweep" | "status" | "replicate")
            || self.shared.borrow().sweeps.iter().filter(|s| sweeps.contains(&s.name)).any(|s| s.axis_names().iter().any(|n| n == name))
    }

    fn equals(&mut self, axis: &str, value: &Expr, negated: bool, sweeps: &[String]) -> R<Cond> {
        let text = print::expr(value);
        if axis == "status" {
            let Some(status) = Status::ALL.iter().find(|s| s.name() == text) else {
                let names: Vec<&str> = Status::ALL.iter().map(|s| s.name()).collect();
                let mut d = Diagnostic::error("E0604", value.span, format!("no run ends as `{text}`"))
                    .here(format!("a run ends as {}", names.join(", ")));
                if let Some(near) = did_you_mean(&text, names) {
                    d = d.replace(value.span, near, format!("did you mean `{near}`?"));
                }
                return self.fail(d);
            };
            return Ok(Cond::Equals { axis: axis.to_string(), value: Setting::Text(status.name().to_string()), negated });
        }
        let (known, names): (Vec<Setting>, Vec<String>) = {
            let shared = self.shared.borrow();
            let mut known: Vec<Setting> = Vec::new();
            for s in shared.sweeps.iter().filter(|s| sweeps.contains(&s.name)) {
                match axis {
                    "optimizer" => known.extend(s.rules().into_iter().map(Setting::Text)),
                    "loss" => known.extend(s.losses().into_iter().map(Setting::Text)),
                    "sweep" => known.push(Setting::Text(s.name.clone())),
                    "replicate" => known.extend((0..s.repeat).map(|r| Setting::Number(r as f64))),
                    _ => known.extend(s.values_of(axis)),
                }
            }
            let names = known.iter().map(show).collect();
            (known, names)
        };
        let wanted = match (&value.kind, axis) {
            (ExprKind::Name(_) | ExprKind::Call { .. } | ExprKind::Field { .. }, "optimizer" | "loss" | "sweep") => {
                Setting::Text(text.clone())
            }
            (ExprKind::Pipe(_), "optimizer") => Setting::Text(text.clone()),
            _ if known.iter().any(|k| *k == Setting::Text(text.clone())) => Setting::Text(text.clone()),
            _ => {
                let mut shared = self.shared.borrow_mut();
                let mut lower = Lower::new(&mut shared.model, self.decls, self.diags);
                Setting::Number(lower.constant(value, "what an axis is compared with")?)
            }
        };
        let matches = |k: &Setting| match (k, &wanted) {
            (Setting::Number(a), Setting::Number(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
            (Setting::Text(a), Setting::Text(b)) => a == b || axis == "optimizer" && b.split('(').next() == Some(a),
            _ => false,
        };
        if !known.iter().any(matches) {
            let mut d = Diagnostic::error("E0605", value.span, format!("no cell has `{axis} == {text}`"));
            let list: Vec<String> = names.iter().take(12).cloned().collect();
            let more = if names.len() > 12 { ", .." } else { "" };
            d = d.here(format!("`{axis}` is {}{more}", list.join(", ")));
            if let Some(near) = did_you_mean(&text, names.iter().map(String::as_str)) {
                d = d.replace(value.span, near, format!("did you mean `{near}`?"));
            }
            return self.fail(d);
        }
        Ok(Cond::Equals { axis: axis.to_string(), value: wanted, negated })
    }
}

fn show(setting: &Setting) -> String {
    match setting {
        Setting::Blank => "blank".to_string(),
        Setting::Number(x) => crate::numeric::format::shortest(*x),
        Setting::Text(text) => text.clone(),
    }
}

/// A question out of an expression, lowered into a graph of its own.
fn question(shared: &Rc<RefCell<Asking>>, decls: &Decls, diags: &mut Diagnostics, e: &Expr, place: &Place) -> R<Question> {
    let mut own = Model { rows: shared.borrow().model.rows.clone(), ..Model::default() };
    let hook = Rc::new(RunHook { shared: shared.clone(), place: place.clone(), leaves: RefCell::new(Vec::new()) });
    let root = {
        let mut lower = Lower::new(&mut own, decls, diags);
        lower.hook = Some(hook.clone());
        lower.node(e)?
    };
    let sizes = own.rows.sizes(own.graph.shape(root));
    let leaves = hook.leaves.take();
    let bare = matches!(&leaves[..], [Leaf::Fold { fold: FoldKind::Final, quantity, narrow: None } | Leaf::Row { quantity }] if *quantity == print::expr(e));
    Ok(Question { text: print::expr(e), span: e.span, graph: Arc::new(own.graph), root, leaves, sizes, bare })
}

/// What expressions mean in outputs.
struct RunHook {
    shared: Rc<RefCell<Asking>>,
    place: Place,
    /// In the order of the inputs of the question's graph.
    leaves: RefCell<Vec<Leaf>>,
}

/// What an expression mentions.
#[derive(Default, Clone, Copy)]
struct Mentions {
    /// Parameters, losses, metrics, lets, columns.
    model: bool,
    /// Runs: folds, aggregations, facts of the run, axes.
    run: bool,
    /// The arguments of an inlined function.
    local: bool,
}

impl RunHook {
    fn leaf(&self, lower: &mut Lower<'_>, leaf: Leaf, sizes: &[usize]) -> Val {
        let name = format!("leaf{}", self.leaves.borrow().len());
        self.leaves.borrow_mut().push(leaf);
        Val::Node(lower.model.graph.input(name, InputKind::Result, Shape::fixed(sizes)))
    }

    fn selected(&self, name: &str) -> bool {
        self.place.sweeps.iter().any(|s| s == name)
    }

    fn mentions(&self, lower: &Lower<'_>, e: &Expr) -> Mentions {
        let mut found = Mentions::default();
        self.look(lower, e, &mut found, &mut Vec::new());
        found
    }

    fn look(&self, lower: &Lower<'_>, e: &Expr, found: &mut Mentions, through: &mut Vec<String>) {
        match &e.kind {
            ExprKind::Name(name) => {
                if through.is_empty() && lower.local(name).is_some() {
                    found.local = true;
                } else if FACTS.contains(&name.as_str()) || name == "status" || self.is_argument(name) {
                    found.run = true;
                } else if let Some(value) = lower.decls.value("", name) {
                    if matches!(value.kind, ValueKind::Hyper { .. }) { found.run = true } else { found.model = true }
                } else if self.shared.borrow().model.data.iter().any(|d| d.columns.iter().any(|c| c.name == *name)) {
                    found.model = true;
                }
                return;
            }
            ExprKind::Over { .. } => found.run = true,
            ExprKind::On { .. } => {
                found.model = true;
                return;
            }
            ExprKind::Call { name, args, .. } => {
                let over = args.iter().any(|a| matches!(a, Arg::Positional(Expr { kind: ExprKind::Over { .. }, .. })));
                if over
                    || FOLDS.contains(&name.name.as_str()) && lower.decls.function("", &name.name).is_none()
                    || ACROSS.contains(&name.name.as_str())
                {
                    found.run = true;
                    return;
                }
                if let Some(f) = lower.decls.function("", &name.name)
                    && !through.contains(&name.name)
                {
                    through.push(name.name.clone());
                    let exprs: Vec<&Expr> = match &f.body {
                        crate::syntax::ast::FnBody::Expr(e) => vec![e],
                        crate::syntax::ast::FnBody::Block { lets, value } => lets.iter().map(|(_, e)| e).chain([value]).collect(),
                    };
                    let formals: Vec<&str> = f.formals.iter().map(|f| f.name.name.as_str()).collect();
                    for e in exprs {
                        walk(e, &mut |e| {
                            if let ExprKind::Name(n) = &e.kind
                                && !formals.contains(&n.as_str())
                                && lower.decls.value("", n).is_some()
                            {
                                found.model = true;
                            }
                        });
                    }
                }
            }
            ExprKind::Field { base, .. } => {
                if let ExprKind::Name(name) = &base.kind {
                    let shared = self.shared.borrow();
                    if shared.model.data.iter().any(|d| d.name.name == *name) || lower.decls.rules.contains_key(name) {
                        found.model = true;
                        return;
                    }
                    if shared.sweeps.iter().any(|s| s.name == *name) {
                        found.run = true;
                        return;
                    }
                }
            }
            _ => {}
        }
        for part in parts(e) {
            self.look(lower, part, found, through);
        }
    }

    /// The hypers that the selected sweeps vary: cells that differ in them minimize different functions.
    fn swept_hypers(&self) -> Vec<String> {
        let shared = self.shared.borrow();
        let mut names: Vec<String> = Vec::new();
        for sweep in shared.sweeps.iter().filter(|s| self.selected(&s.name)) {
            for bind in sweep.axes.iter().flat_map(|a| a.points.iter().flatten()) {
                if let Bind::Named { name, hyper: true, .. } = bind
                    && !names.contains(name)
                {
                    names.push(name.clone());
                }
            }
        }
        names
    }

    /// Whether a name is an argument or a hyper that the selected sweeps set.
    fn is_argument(&self, name: &str) -> bool {
        self.shared.borrow().sweeps.iter().filter(|s| self.selected(&s.name)).any(|s| s.axis_names().iter().any(|n| n == name))
    }

    /// Registers a quantity with every selected sweep and gives its leaf.
    fn quantity(&self, lower: &mut Lower<'_>, e: &Expr, fold: Option<FoldKind>, narrow: Option<Selection>) -> R<Val> {
        let (text, want, sizes) = self.evaluated(lower, e)?;
        let sweeps = narrow.as_ref().map_or_else(|| self.place.sweeps.clone(), |n| n.sweeps.clone());
        let rows = self.place.rows && fold.is_none();
        let fold = fold.unwrap_or(FoldKind::Final);
        let mut other = None;
        if let FoldKind::AtLowest(of) = &fold {
            other = Some(of.clone());
        }
        let mut shared = self.shared.borrow_mut();
        for sweep in shared.sweeps.iter_mut().filter(|s| sweeps.contains(&s.name)) {
            let at = sweep.want(&text, &want, &sizes);
            if rows {
                sweep.wants[at].traced = true;
                continue;
            }
            let number = other.as_ref().and_then(|of| sweep.wants.iter().position(|w| w.text == *of));
            sweep.fold(match &fold {
                FoldKind::Final => Fold::Final(at),
                FoldKind::Start => Fold::Start(at),
                FoldKind::Lowest => Fold::Lowest(at),
                FoldKind::Highest => Fold::Highest(at),
                FoldKind::Average(last) => Fold::Average { of: at, last: *last },
                FoldKind::AtStep(step) => Fold::AtStep { of: at, step: *step },
                FoldKind::AtLowest(_) => Fold::AtLowest { what: at, of: number.unwrap_or(at) },
                FoldKind::StepsTo => Fold::StepsTo(at),
                FoldKind::Count => Fold::Count(at),
                FoldKind::SinceLowest => Fold::SinceLowest(at),
                FoldKind::Previous => Fold::Previous(at),
            });
        }
        drop(shared);
        let leaf = if rows { Leaf::Row { quantity: text } } else { Leaf::Fold { fold, quantity: text, narrow: narrow.map(Box::new) } };
        Ok(self.leaf(lower, leaf, &sizes))
    }

    /// What a quantity is: its text, how it is evaluated, its sizes.
    fn evaluated(&self, lower: &mut Lower<'_>, e: &Expr) -> R<(String, WantExpr, Vec<usize>)> {
        match &e.kind {
            ExprKind::Paren(inner) => return self.evaluated(lower, inner),
            ExprKind::Name(name) if self.is_argument(name) && lower.decls.value("", name).is_none() => {
                return Ok((name.clone(), WantExpr::Argument(name.clone()), Vec::new()));
            }
            ExprKind::Field { base, field } => {
                if let ExprKind::Name(rule) = &base.kind
                    && let Some(declared) = lower.decls.rules.get(rule)
                {
                    let is_shared = super::rule::shared_states(declared).contains(&field.name);
                    if is_shared {
                        return Ok((print::expr(e), WantExpr::State { rule: rule.clone(), state: field.name.clone() }, Vec::new()));
                    }
                    let states = super::rule::shared_states(declared);
                    let mut d = Diagnostic::error("E0606", field.span, format!("`{rule}` has no shared state `{}`", field.name))
                        .here("a shared state can be asked for");
                    if let Some(near) = did_you_mean(&field.name, states.iter().map(String::as_str)) {
                        d = d.replace(field.span, near, format!("did you mean `{near}`?"));
                    }
                    return lower.fail(d);
                }
            }
            ExprKind::On { base, part } if part.name == "batch" => {
                let ExprKind::Name(name) = &base.kind else {
                    return lower.fail(
                        Diagnostic::error("E0607", base.span, "`on batch` is the loss that the step itself differentiated")
                            .here("a loss by its name"),
                    );
                };
                return Ok((format!("{name} on batch"), WantExpr::OnBatch(name.clone()), Vec::new()));
            }
            _ => {}
        }
        let mut shared = self.shared.borrow_mut();
        let mut inner = Lower::new(&mut shared.model, lower.decls, lower.diags);
        let id = inner.node(e)?;
        let sizes = inner.model.rows.sizes(inner.model.graph.shape(id));
        if sizes.iter().product::<usize>() > 1 << 20 {
            let text = inner.show(id);
            return inner
                .fail(Diagnostic::error("E0608", e.span, format!("this has {text} entries: too many for an output")).here("reduce it"));
        }
        Ok((print::expr(e), WantExpr::Model(e.clone()), sizes))
    }

    /// `final(x)` and its like.
    fn fold_call(&self, lower: &mut Lower<'_>, e: &Expr, name: &str, args: &[Arg]) -> R<Val> {
        let mut value = None;
        let mut conditions = Vec::new();
        let mut options: BTreeMap<&str, &Expr> = BTreeMap::new();
        for arg in args {
            match arg {
                Arg::Positional(e) if value.is_none() => value = Some(e),
                Arg::Positional(e) => conditions.push(e),
                Arg::Named(ident, e)
                    if matches!((name, ident.name.as_str()), ("average", "last") | ("at", "step") | ("at_lowest", "of")) =>
                {
                    options.insert(ident.name.as_str(), e);
                }
                Arg::Named(ident, _) | Arg::In(ident, _) => {
                    let d = Diagnostic::error("E0222", ident.span, format!("`{name}` has no argument called `{}`", ident.name))
                        .here("no such argument");
                    return lower.fail(d);
                }
            }
        }
        let Some(value) = value else {
            return lower.fail(Diagnostic::error("E0224", e.span, format!("`{name}` of what?")).here("nothing given"));
        };
        let option = |lower: &mut Lower<'_>, key: &str| -> R<usize> {
            match options.get(key) {
                Some(e) => lower.whole(e, &format!("`{key}`"), 0.0),
                None => lower.fail(Diagnostic::error("E0224", e.span, format!("`{name}` needs `{key} = ..`")).here("not given")),
            }
        };
        let fold = match name {
            "final" => FoldKind::Final,
            "start" => FoldKind::Start,
            "lowest" => FoldKind::Lowest,
            "highest" => FoldKind::Highest,
            "average" => FoldKind::Average(option(lower, "last")?.max(1)),
            "at" => FoldKind::AtStep(option(lower, "step")? as u64),
            "steps_to" => FoldKind::StepsTo,
            "count" => FoldKind::Count,
            "since_lowest" => FoldKind::SinceLowest,
            "previous" => FoldKind::Previous,
            "at_lowest" => {
                let Some(of) = options.get("of") else {
                    return lower
                        .fail(Diagnostic::error("E0224", e.span, "`at_lowest` needs `of = ..`: the lowest of what?").here("not given"));
                };
                let (text, want, sizes) = self.evaluated(lower, of)?;
                if !sizes.is_empty() {
                    return lower.fail(Diagnostic::error("E0311", of.span, "the lowest of one number").here("an array"));
                }
                for sweep in self.shared.borrow_mut().sweeps.iter_mut().filter(|s| self.place.sweeps.contains(&s.name)) {
                    sweep.want(&text, &want, &sizes);
                }
                FoldKind::AtLowest(text)
            }
            _ => return lower.fail(not_yet(e.span, &format!("`{name}`"))),
        };
        let (value, sweep) = self.of_sweep(value);
        let mentions = self.mentions(lower, &value);
        if mentions.run && !matches!(&value.kind, ExprKind::Name(_)) {
            if parts(&value).iter().any(|p| matches!(&p.kind, ExprKind::Call { name, .. } if name.name == "gap")) {
                return lower.fail(not_yet(value.span, &format!("`gap` inside `{name}`")));
            }
            // Hypers inside are numbers of the cell: the model knows them.
        }
        let narrow = if sweep.is_some() || !conditions.is_empty() {
            let sweeps = sweep.map_or_else(|| self.place.sweeps.clone(), |s| vec![s]);
            let mut selection = Selection { sweeps: sweeps.clone(), ..Selection::default() };
            for c in conditions {
                let mut asker = Asker { shared: self.shared.clone(), decls: lower.decls, diags: lower.diags };
                selection.conditions.push(asker.condition(c, &sweeps)?);
            }
            Some(selection)
        } else {
            None
        };
        if matches!(fold, FoldKind::Lowest | FoldKind::Highest | FoldKind::SinceLowest | FoldKind::StepsTo | FoldKind::Count) {
            let (_, _, sizes) = self.evaluated(lower, &value)?;
            if !sizes.is_empty() {
                let d = Diagnostic::error("E0311", value.span, format!("`{name}` looks at one number"))
                    .here(format!("{} entries", sizes.iter().product::<usize>()));
                return lower.fail(d);
            }
        }
        self.quantity(lower, &value, Some(fold), narrow)
    }

    /// `own.J`: the value and the sweep it is of.
    fn of_sweep(&self, e: &Expr) -> (Expr, Option<String>) {
        if let ExprKind::Field { base, field } = &e.kind
            && let ExprKind::Name(name) = &base.kind
            && self.shared.borrow().sweeps.iter().any(|s| s.name == *name)
        {
            return (Expr { span: field.span, kind: ExprKind::Name(field.name.clone()) }, Some(name.clone()));
        }
        (e.clone(), None)
    }

    fn inner(&self, lower: &mut Lower<'_>, e: &Expr) -> R<Box<Question>> {
        question(&self.shared, lower.decls, lower.diags, e, &self.place).map(Box::new)
    }
}

impl Hook for RunHook {
    fn ask(&self, lower: &mut Lower<'_>, e: &Expr) -> R<Option<Val>> {
        match &e.kind {
            ExprKind::Call { name, args, .. } if lower.decls.function("", &name.name).is_none() => {
                let text = name.name.as_str();
                if let Some((_, kind)) = STATISTICS.iter().find(|(n, _)| *n == text)
                    && let [Arg::Positional(Expr { kind: ExprKind::Over { value, axes }, .. })] = &args[..]
                {
                    let of = self.inner(lower, value)?;
                    let sizes = of.sizes.clone();
                    for axis in axes {
                        let asker = Asker { shared: self.shared.clone(), decls: lower.decls, diags: lower.diags };
                        if !asker.is_axis(&axis.name, &self.place.sweeps) {
                            let d = Diagnostic::error("E0602", axis.span, format!("no axis is called `{}`", axis.name))
                                .here("not an axis of this sweep");
                            return lower.fail(d);
                        }
                    }
                    let over = if axes.is_empty() { Over::All } else { Over::Axes(axes.iter().map(|a| a.name.clone()).collect()) };
                    return Ok(Some(self.leaf(lower, Leaf::Aggregate { kind: *kind, of, over }, &sizes)));
                }
                if FOLDS.contains(&text) {
                    return self.fold_call(lower, e, text, args).map(Some);
                }
                match (text, &args[..]) {
                    ("gap", [Arg::Positional(inner)]) => {
                        let of = self.inner(lower, inner)?;
                        let within = self.swept_hypers();
                        return Ok(Some(self.leaf(lower, Leaf::Gap { of, within }, &[])));
                    }
                    ("best_so_far", [Arg::Positional(inner)]) => {
                        let place = RunHook {
                            shared: self.shared.clone(),
                            place: Place { rows: false, ..self.place.clone() },
                            leaves: RefCell::default(),
                        };
                        let of = place.inner(lower, inner)?;
                        return Ok(Some(self.leaf(lower, Leaf::BestSoFar { of }, &[])));
                    }
                    ("cells", []) => return Ok(Some(self.leaf(lower, Leaf::Cells, &[]))),
                    _ => {}
                }
            }
            ExprKind::Name(name) if lower.local(name).is_none() => {
                let leaf = match name.as_str() {
                    "step" => Some(Leaf::Step),
                    "epoch" => Some(Leaf::Epoch),
                    "steps" => Some(Leaf::Steps),
                    "epochs" => Some(Leaf::Epochs),
                    "evaluations" => Some(Leaf::Evaluations),
                    "cell" => Some(Leaf::Cell),
                    "replicate" => Some(Leaf::Replicate),
                    _ => None,
                };
                if let Some(leaf) = leaf {
                    return Ok(Some(self.leaf(lower, leaf, &[])));
                }
                if self.is_argument(name) {
                    let scheduled = {
                        let shared = self.shared.borrow();
                        let selected = shared.sweeps.iter().filter(|s| self.selected(&s.name));
                        selected.flat_map(|s| s.values_of(name)).any(|v| matches!(v, Setting::Text(_)))
                    };
                    if scheduled || self.place.rows && lower.decls.value("", name).is_none() {
                        return self.quantity(lower, e, None, None).map(Some);
                    }
                    return Ok(Some(self.leaf(lower, Leaf::Axis(name.clone()), &[])));
                }
                if let Some(&x) = self.shared.borrow().hypers.get(name) {
                    return Ok(Some(Val::Node(lower.model.graph.number(x))));
                }
                if RUN_NAMES.contains(&name.as_str()) && name != "loss" {
                    let d = Diagnostic::error("E0610", e.span, format!("`{name}` is no number here"))
                        .here("compared with `==`, or a column of its own");
                    return lower.fail(d);
                }
            }
            _ => {}
        }
        let mentions = self.mentions(lower, e);
        if mentions.model && !mentions.run && !mentions.local {
            return self.quantity(lower, e, None, None).map(Some);
        }
        if let ExprKind::Field { .. } = &e.kind {
            let (value, sweep) = self.of_sweep(e);
            if let Some(sweep) = sweep {
                return self
                    .quantity(lower, &value, Some(FoldKind::Final), Some(Selection { sweeps: vec![sweep], ..Selection::default() }))
                    .map(Some);
            }
        }
        Ok(None)
    }
}
