//! Which parameters a sweep is about: `minimize J over W2, b2`, and `group b1, b2 { lr = 2*lr }`.
//!
//! What rules do with it is decided in `plan`, where the parameters of a loss are known.

use super::Sweeps;
use super::arguments::no_argument;
use super::optimizers::Point;
use crate::check::decls::ValueKind;
use crate::check::lower::{R, Reported};
use crate::check::program::{GroupSpec, OptimizerSpec};
use crate::diag::{Diagnostic, did_you_mean};
use crate::source::Span;
use crate::syntax::ast::{Expr, Ident};

impl Sweeps<'_> {
    /// Names of parameters; what is none is said.
    pub(super) fn params(&mut self, names: &[Ident]) -> Vec<(String, Span)> {
        let mut found: Vec<(String, Span)> = Vec::new();
        for ident in names {
            if self.declared.params.iter().any(|p| p.name == ident.name) {
                if let Some((_, first)) = found.iter().find(|(name, _)| *name == ident.name) {
                    let d = Diagnostic::error("E0425", ident.span, format!("`{}` is named twice", ident.name)).here("second");
                    self.diags.push(d.label(*first, "first"));
                } else {
                    found.push((ident.name.clone(), ident.span));
                }
                continue;
            }
            // A parameter whose declaration is wrong has been spoken of.
            let value = self.decls.value("", &ident.name);
            if value.is_some_and(|v| matches!(v.kind, ValueKind::Param { .. })) {
                continue;
            }
            let known: Vec<&str> = self.declared.params.iter().map(|p| p.name.as_str()).collect();
            let mut d = Diagnostic::error("E0426", ident.span, format!("no parameter is called `{}`", ident.name))
                .here(format!("parameters: {}", known.join(", ")));
            if let Some(value) = value {
                d = d.label(value.name.span, format!("a {}", value.kind.keyword()));
            } else if let Some(near) = did_you_mean(&ident.name, known) {
                d = d.replace(ident.span, near, format!("did you mean `{near}`?"));
            }
            self.diags.push(d);
        }
        found
    }

    /// A group of parameters with values of their own.
    pub(super) fn group(
        &mut self,
        params: &[Ident],
        values: &[(Ident, Expr)],
        optimizers: &R<Vec<(OptimizerSpec, Vec<Point>)>>,
        others: &[GroupSpec],
    ) -> R<GroupSpec> {
        let params = self.params(params);
        let list = optimizers.as_ref().map_err(|_| Reported)?;
        for (name, _) in values {
            for (optimizer, _) in list {
                let formals = || optimizer.stages.iter().flat_map(|s| &self.decls.rules[&s.rule].formals).map(|f| f.name.name.as_str());
                if !formals().any(|formal| formal == name.name) {
                    let formals: Vec<&str> = formals().collect();
                    let d = no_argument(&optimizer.rule, &formals, name, None).label(optimizer.span, "listed here");
                    return self.fail(d);
                }
            }
            for (param, span) in &params {
                let twin =
                    others.iter().find(|g| g.params.iter().any(|(p, _)| p == param) && g.values.iter().any(|(n, _)| n.name == name.name));
                let first = twin.and_then(|group| group.params.iter().find(|(p, _)| p == param)).map(|(_, first)| *first);
                if let Some(first) = first {
                    let message = format!("two groups say what `{}` is for `{param}`", name.name);
                    return self.fail(Diagnostic::error("E0427", *span, message).here("second").label(first, "first"));
                }
            }
        }
        Ok(GroupSpec { params, values: values.to_vec() })
    }
}
