//! Whether an output accounts for every axis that varies: shows, aggregates, selects or filters it.
//!
//! It changes no view.

use crate::check::lower::{R, Reported};
use crate::check::program::OptimizerSpec;
use crate::check::question::Asker;
use crate::diag::Diagnostic;
use crate::results::Setting;
use crate::results::view::{Cond, Key, Leaf, Question, Selection};
use crate::source::Span;

impl Asker<'_> {
    /// An axis that an output neither shows, aggregates, selects nor filters is an error.
    pub(super) fn accounted(&mut self, selection: &Selection, shown: &[String], span: Span, channel: &str) -> R<()> {
        let mut known: Vec<String> = shown.to_vec();
        selection.conditions.iter().for_each(|c| names_of_condition(c, &mut known));
        let all = selection.best.as_ref().is_some_and(|b| b.axes.is_empty());
        if let Some(best) = &selection.best {
            known.extend(best.axes.iter().cloned());
        }
        if all || known.iter().any(|n| n == "cell") {
            return Ok(());
        }
        let mut open: Vec<String> = Vec::new();
        {
            let shared = self.shared.borrow();
            for s in shared.sweeps.iter().filter(|s| selection.sweeps.contains(&s.name)) {
                let chosen = |o: &OptimizerSpec| selection.conditions.iter().all(|c| admits(c, &o.rule));
                for name in s.varying_among(&chosen) {
                    if !known.contains(&name) && !open.contains(&name) && !zipped(s, &name, &known) {
                        open.push(name);
                    }
                }
            }
        }
        if selection.sweeps.len() > 1 && !known.iter().any(|n| n == "sweep") && shown.iter().all(|n| n != "sweep") {
            open.push("sweep".to_string());
        }
        let Some(first) = open.first() else { return Ok(()) };
        let list: Vec<String> = open.iter().map(|n| format!("`{n}`")).collect();
        let message = format!("{} vary, and this shows several cells as one", list.join(", ")).replacen(
            "vary",
            if open.len() == 1 { "varies" } else { "vary" },
            1,
        );
        let d = Diagnostic::error("E0620", span, message).here("which of its values?");
        self.error(
            d.help(format!("show it (`{channel} {first}`), choose one (`for {first} == ..`), or the best (`best {first} minimizing ..`)")),
        );
        Err(Reported)
    }
}

/// Whether an axis is bound point by point to one that is shown (`zip`).
fn zipped(sweep: &crate::check::program::SweepSpec, name: &str, shown: &[String]) -> bool {
    use crate::check::program::Bind;
    sweep.axes.iter().any(|axis| {
        let names: Vec<&str> = axis
            .points
            .first()
            .into_iter()
            .flatten()
            .map(|b| match b {
                Bind::Named { name, .. } => name.as_str(),
                Bind::Optimizer(_) => "optimizer",
                Bind::Loss(_) => "loss",
            })
            .collect();
        names.len() > 1 && names.contains(&name) && names.iter().any(|n| shown.iter().any(|s| s == n))
    })
}

pub(super) fn names_of_key(key: &Key, into: &mut Vec<String>) {
    match key {
        Key::Axis(name) => into.push(name.clone()),
        Key::Question(q) => names_of(q, into),
    }
}

/// The axes that a question shows or aggregates.
pub(super) fn names_of(q: &Question, into: &mut Vec<String>) {
    for leaf in &q.leaves {
        match leaf {
            Leaf::Axis(name) => into.push(name.clone()),
            Leaf::Cell | Leaf::BestSoFar { .. } | Leaf::Cells => into.push("cell".to_string()),
            Leaf::Aggregate { over, of, .. } => {
                names_of(of, into);
                match over {
                    crate::results::view::Over::All => into.push("cell".to_string()),
                    crate::results::view::Over::Axes(list) => into.extend(list.iter().cloned()),
                }
            }
            _ => {}
        }
    }
}

/// Whether a condition leaves cells of a rule, as far as it speaks of optimizers.
fn admits(cond: &Cond, rule: &str) -> bool {
    match cond {
        Cond::And(a, b) => admits(a, rule) && admits(b, rule),
        Cond::Or(a, b) => admits(a, rule) || admits(b, rule),
        Cond::Equals { axis, value: Setting::Text(text), negated } if axis == "optimizer" => {
            let same_rule = text.split('(').next() == Some(rule);
            // Without arguments the rule is meant, with them one of its entries.
            if *negated { !(same_rule && text == rule) } else { same_rule }
        }
        _ => true,
    }
}

fn names_of_condition(cond: &Cond, into: &mut Vec<String>) {
    match cond {
        Cond::And(a, b) | Cond::Or(a, b) => {
            names_of_condition(a, into);
            names_of_condition(b, into);
        }
        Cond::Not(a) => names_of_condition(a, into),
        Cond::Equals { axis, .. } => into.push(axis.clone()),
        Cond::Question(q) => names_of(q, into),
    }
}
