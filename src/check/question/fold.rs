//! `final(x)`, `lowest(x)`, `steps_to(COND)` and their like.
//!
//! They are folded while the run goes on; here they are only asked for.

use super::hook::{ACROSS, RunHook};
use super::{Asker, Place};
use crate::check::decls::{ValueKind, not_yet, walk};
use crate::check::lower::{Lower, R, Val};
use crate::check::messages;
use crate::check::program::SweepSpec;
use crate::diag::Diagnostic;
use crate::results::view::{FoldKind, Leaf, Selection};
use crate::shape::Shape;
use crate::solvers::{Needs, STANDARD_ERROR};
use crate::syntax::ast::{Arg, Expr, ExprKind};
use std::collections::BTreeMap;

/// The functions over a run.
pub(super) const FOLDS: [&str; 12] =
    ["final", "start", "lowest", "highest", "average", "at", "at_lowest", "steps_to", "count", "since_lowest", "previous", STANDARD_ERROR];

impl RunHook {
    /// `final(x)` and its like.
    pub(super) fn fold_call(&self, lower: &mut Lower<'_>, e: &Expr, name: &str, args: &[Arg]) -> R<Val> {
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
                    return lower.fail(messages::no_such_argument(name, ident));
                }
            }
        }
        let Some(value) = value else {
            return lower.fail(messages::wrong_count(e.span, format!("`{name}` of what?")));
        };
        let needs = |key: &str| Diagnostic::error("E0630", e.span, format!("`{name}` needs `{key} = ..`")).here("not given");
        let option = |lower: &mut Lower<'_>, key: &str| -> R<usize> {
            match options.get(key) {
                Some(e) => lower.whole(e, &format!("`{key}`"), 0.0),
                None => lower.fail(needs(key)),
            }
        };
        if name == STANDARD_ERROR {
            return self.standard_error(lower, e, value);
        }
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
                    return lower.fail(needs("of").help("the lowest of what?"));
                };
                let (text, want, sizes) = self.evaluated(lower, of)?;
                if !sizes.is_empty() {
                    return lower.fail(messages::not_one_number(
                        of.span,
                        "what is lowest",
                        &self.shared.borrow().model.rows.show(&Shape::fixed(&sizes)),
                    ));
                }
                for sweep in self.shared.borrow_mut().sweeps.iter_mut().filter(|s| self.place.sweeps.contains(&s.name)) {
                    sweep.want(&text, &want, &sizes, &[]);
                }
                FoldKind::AtLowest(text)
            }
            _ => return lower.fail(not_yet(e.span, &format!("`{name}`"))),
        };
        let (value, sweep) = self.of_sweep(value);
        // Hypers inside are numbers of the cell: the model knows them.
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
        if asks_of_cells(lower, &value) {
            if narrow.is_some() || matches!(fold, FoldKind::AtLowest(_)) {
                return lower.fail(not_yet(value.span, &format!("a question about other cells or rows inside this `{name}`")));
            }
            return self.folded_afterwards(lower, &value, name, fold);
        }
        if matches!(fold, FoldKind::Lowest | FoldKind::Highest | FoldKind::SinceLowest | FoldKind::StepsTo | FoldKind::Count) {
            let (_, _, sizes) = self.evaluated(lower, &value)?;
            if !sizes.is_empty() {
                let what = format!("what `{name}` looks at");
                return lower.fail(messages::not_one_number(
                    value.span,
                    &what,
                    &self.shared.borrow().model.rows.show(&Shape::fixed(&sizes)),
                ));
            }
        }
        self.quantity(lower, &value, Some(fold), narrow)
    }

    /// `standard_error(A)` of a parameter; blank where the optimizer gives none.
    fn standard_error(&self, lower: &mut Lower<'_>, e: &Expr, value: &Expr) -> R<Val> {
        let is_param = |name: &str| lower.decls.value("", name).is_some_and(|v| matches!(v.kind, ValueKind::Param { .. }));
        if !matches!(&value.kind, ExprKind::Name(name) if is_param(name)) {
            let d = Diagnostic::error("E0651", value.span, "a standard error is that of a parameter").here("not the name of a parameter");
            return lower.fail(d);
        }
        let fits = |rule: String| lower.decls.solvers.get(&rule).is_some_and(|solver| solver.needs == Needs::Residuals);
        let rules: Vec<String> =
            self.shared.borrow().sweeps.iter().filter(|s| self.place.sweeps.contains(&s.name)).flat_map(SweepSpec::rules).collect();
        if !rules.into_iter().any(fits) {
            let d = Diagnostic::error("E0652", e.span, "no optimizer here gives standard errors").here("asked for");
            return lower.fail(d.help("`levenberg_marquardt` does, where the loss is a sum or a mean of squares"));
        }
        self.quantity(lower, e, Some(FoldKind::Final), None)
    }

    /// A fold over rows that are known only after the runs.
    fn folded_afterwards(&self, lower: &mut Lower<'_>, value: &Expr, name: &str, fold: FoldKind) -> R<Val> {
        let rows = RunHook {
            shared: self.shared.clone(),
            place: Place { rows: true, ..self.place.clone() },
            leaves: std::cell::RefCell::default(),
        };
        let of = rows.inner(lower, value)?;
        let of_arrays = matches!(fold, FoldKind::Final | FoldKind::Start | FoldKind::Previous | FoldKind::Average(_) | FoldKind::AtStep(_));
        if !of.sizes.is_empty() && !of_arrays {
            let shape = self.shared.borrow().model.rows.show(&Shape::fixed(&of.sizes));
            return lower.fail(messages::not_one_number(value.span, &format!("what `{name}` looks at"), &shape));
        }
        let sizes = if of_arrays { of.sizes.clone() } else { Vec::new() };
        Ok(self.leaf(lower, Leaf::Folded { fold, of }, &sizes))
    }
}

/// Whether an expression asks what a run does not know while it goes on: other cells, or its own later rows.
fn asks_of_cells(lower: &Lower<'_>, e: &Expr) -> bool {
    let mut found = false;
    walk(e, &mut |part| match &part.kind {
        ExprKind::Over { .. } => found = true,
        ExprKind::Call { name, .. } if lower.decls.function("", &name.name).is_none() => {
            found |= FOLDS.contains(&name.name.as_str()) || ACROSS.contains(&name.name.as_str());
        }
        _ => {}
    });
    found
}
