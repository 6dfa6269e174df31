//! Conditions on cells: `optimizer == adam and lr < 0.1`.
//!
//! They select in the tables of results; nothing is selected here.

use super::{Asker, Place};
use crate::check::lower::{Lower, R};
use crate::diag::{Diagnostic, did_you_mean};
use crate::results::view::Cond;
use crate::results::{Setting, Status};
use crate::syntax::ast::{BinaryOp, CompareOp, Expr, ExprKind, UnaryOp};
use crate::syntax::print;

impl Asker<'_> {
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

    pub(super) fn compared(&mut self, e: &Expr, sweeps: &[String]) -> R<Cond> {
        Ok(Cond::Question(self.question(e, &Place { sweeps: sweeps.to_vec(), rows: false, only: Vec::new() })?))
    }

    /// Whether a name tells cells apart.
    pub(crate) fn is_axis(&self, name: &str, sweeps: &[String]) -> bool {
        matches!(name, "optimizer" | "loss" | "sweep" | "status" | "replicate" | "fold")
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
                    "fold" => known.extend(s.judging.iter().map(|&fold| Setting::Number(fold as f64))),
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

pub(super) fn show(setting: &Setting) -> String {
    match setting {
        Setting::Blank => "blank".to_string(),
        Setting::Number(x) => crate::numeric::format::shortest(*x),
        Setting::Text(text) => text.clone(),
    }
}
