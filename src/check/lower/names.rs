//! What a name means where it stands: locals, declarations, columns, constants, in this order.
//!
//! It opens no frames; whoever lowers a rule, a function or an output does.

use super::{Lower, R, Reported, Val};
use crate::check::builtins;
use crate::check::data::Content;
use crate::check::decls::{RUN_NAMES, ValueKind};
use crate::check::messages;
use crate::diag::{Diagnostic, did_you_mean};
use crate::expr::op::Op;
use crate::shape::DataId;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Ident};
use crate::syntax::print;
use std::sync::Arc;

impl Lower<'_> {
    /// The innermost local with that name.
    pub(crate) fn local(&self, name: &str) -> Option<Val> {
        for frame in self.frames.iter().rev() {
            if let Some(value) = frame.names.get(name) {
                return Some(value.clone());
            }
            if frame.sealed {
                return None;
            }
        }
        None
    }

    pub(super) fn sealed(&self) -> Option<&'static str> {
        self.frames.iter().rev().find(|frame| frame.sealed).map(|frame| frame.what)
    }

    /// What a name means here.
    pub(crate) fn name(&mut self, name: &str, span: Span) -> R<Val> {
        if let Some(value) = self.local(name) {
            return match value {
                Val::Broken => Err(Reported),
                value => Ok(value),
            };
        }
        // A schedule without arguments is used by its name; it sees what the rule's arguments see.
        if let Some(f) = self.decls.function(&self.module, name).filter(|f| f.schedule)
            && f.formals.iter().all(|formal| formal.default.is_some())
            && self.local("t").is_some()
        {
            let ident = Ident { name: name.to_string(), span };
            return self.inline(&ident, &[], span);
        }
        if self.sealed().is_none() {
            if let Some(data) = self.within_data
                && let Some(column) = self.model.data[data.0 as usize].columns.iter().position(|c| c.name == name)
            {
                return self.column(data, column, span);
            }
            if let Some(value) = self.decls.value(&self.module, name) {
                let full = format!("{}{}", value.module, value.name.name);
                let seen = self.within_data.is_none() || !matches!(value.kind, ValueKind::Param { .. });
                return match self.model.names.get(&full).filter(|_| seen) {
                    Some(Val::Broken) => Err(Reported),
                    Some(value) => Ok(value.clone()),
                    None => {
                        let message = format!("`{name}` is a {} and cannot be used here", value.kind.keyword());
                        let diagnostic =
                            Diagnostic::error("E0207", span, message).here("not known here").label(value.name.span, "declared here");
                        self.fail(diagnostic)
                    }
                };
            }
            let holders: Vec<(DataId, usize)> = self.holders(name);
            match holders[..] {
                [] => {}
                [(data, column)] => return self.column(data, column, span),
                _ => {
                    let names: Vec<String> =
                        holders.iter().map(|(d, _)| format!("{}.{name}", self.model.data[d.0 as usize].name.name)).collect();
                    let message = format!("{} datasets have a column `{name}`", holders.len());
                    let mut diagnostic = Diagnostic::error("E0206", span, message).here("which one?");
                    for full in names {
                        let text = format!("write `{full}`");
                        diagnostic = diagnostic.replace(span, full, text);
                    }
                    return self.fail(diagnostic);
                }
            }
        }
        if let Some(x) = builtins::constant(name) {
            return Ok(Val::Node(self.graph().number(x)));
        }
        if self.sealed().is_none() && self.model.data.iter().any(|data| data.unread) {
            return Err(Reported);
        }
        let diagnostic = self.unknown_name(name, span);
        self.fail(diagnostic)
    }

    fn holders(&self, name: &str) -> Vec<(DataId, usize)> {
        let mut found = Vec::new();
        for (d, data) in self.model.data.iter().enumerate() {
            if let Some(column) = data.columns.iter().position(|c| c.name == name) {
                found.push((DataId(d as u32), column));
            }
        }
        found
    }

    /// A column as a value: numbers if it can be.
    pub(crate) fn column(&mut self, data: DataId, column: usize, span: Span) -> R<Val> {
        if self.observed
            && let Content::Missing { values, missing } = &self.model.data[data.0 as usize].columns[column].content
        {
            let (values, missing) = (values.clone(), missing.clone());
            let rows = self.model.training_rows(data).unwrap_or_else(|| Arc::new((0..values.len() as u32).collect()));
            let kept: Vec<f64> = rows.iter().filter(|row| missing.binary_search(row).is_err()).map(|&row| values[row as usize]).collect();
            let len = kept.len();
            return Ok(Val::Node(self.graph().literal(&[len], &kept)));
        }
        if matches!(self.model.data[data.0 as usize].columns[column].content, Content::Broken) {
            return Err(Reported);
        }
        match self.model.column_input(data, column) {
            Some(id) => {
                self.graph().set_span(id, span);
                Ok(Val::Node(id))
            }
            None => Ok(Val::Column(data, column)),
        }
    }

    /// The diagnostic for a name that means nothing here.
    pub(crate) fn unknown_name(&self, name: &str, span: Span) -> Diagnostic {
        if let Some(what) = self.sealed() {
            if let Some(value) = self.decls.value(&self.module, name) {
                let message = format!("{what} does not see the {} `{name}`", value.kind.keyword());
                return Diagnostic::error("E0209", span, message)
                    .here("not known here")
                    .label(value.name.span, "declared here")
                    .help(format!("pass it as an argument: `(.., {name} = {name})`"));
            }
            if let [(data, _), ..] = self.holders(name)[..] {
                return Diagnostic::error("E0209", span, format!("{what} does not see the column `{name}`"))
                    .here("not known here")
                    .label(self.model.data[data.0 as usize].name.span, "its dataset")
                    .help("pass what it needs of the data as an argument, such as `scale = mean(x^2)`");
            }
        } else if matches!(name, "t" | "step" | "epoch" | "steps") {
            return Diagnostic::error(
                "E0210",
                span,
                format!("`{name}` is the number of the step and exists in rules, schedules and outputs"),
            )
            .here("not in a formula of the model")
            .help("make it a `param`, a `hyper`, or the value of a sweep");
        } else if name == "param" {
            return Diagnostic::error("E0211", span, "`param` is the current parameter inside an optimizer; here write its name")
                .here("which parameter?");
        } else if name == "grad" {
            return messages::bare_gradient(span);
        } else if let Some(f) = self.decls.function(&self.module, name).filter(|f| f.schedule) {
            return messages::schedule_as_value(name, span, f.name.span);
        } else if self.decls.rules.contains_key(name) || crate::library::find(name).is_some() || crate::solvers::find(name).is_some() {
            return Diagnostic::error("E0212", span, format!("`{name}` is an optimizer, not a value")).here("not a number");
        } else if RUN_NAMES.contains(&name) {
            return Diagnostic::error("E0210", span, format!("`{name}` belongs to runs: it is known in outputs"))
                .here("not in a formula of the model");
        }
        let mut names: Vec<String> = Vec::new();
        for frame in self.frames.iter().rev() {
            names.extend(frame.names.keys().cloned());
            if frame.sealed {
                break;
            }
        }
        if self.sealed().is_none() {
            names.extend(self.decls.values.keys().cloned());
            names.extend(self.model.data.iter().flat_map(|d| d.columns.iter().map(|c| c.name.clone())));
        }
        names.extend(builtins::CONSTANTS.iter().map(|(n, _)| (*n).to_string()));
        let diagnostic = Diagnostic::error("E0204", span, format!("nothing is called `{name}`")).here("not known here");
        if builtins::is_function(name) || self.decls.function(&self.module, name).is_some() {
            return diagnostic.help(format!("`{name}` is a function: write `{name}(..)`"));
        }
        match did_you_mean(name, names.iter().map(String::as_str)) {
            Some(near) => diagnostic.replace(span, near, format!("did you mean `{near}`?")),
            None => match indexed(name, &names) {
                Some((base, index)) => {
                    diagnostic.replace(span, format!("{base}[{index}]"), format!("did you mean element {index} of `{base}`?"))
                }
                None => diagnostic,
            },
        }
    }

    pub(super) fn field(&mut self, base: &Expr, field: &Ident, span: Span) -> R<Val> {
        if field.name == "T" {
            let a = self.node(base)?;
            return Ok(Val::Node(if self.model.graph.shape(a).rank() < 2 { a } else { self.graph().add(Op::Transpose, &[a]) }));
        }
        if let ExprKind::Name(name) = &base.kind {
            if let Some(d) = self.model.data.iter().position(|data| data.name.name == *name) {
                let columns = &self.model.data[d].columns;
                if let Some(column) = columns.iter().position(|c| c.name == field.name) {
                    return self.column(DataId(d as u32), column, span);
                }
                if self.model.data[d].unread {
                    return Err(Reported);
                }
                let near = did_you_mean(&field.name, columns.iter().map(|c| c.name.as_str())).map(str::to_string);
                let list: Vec<&str> = columns.iter().take(12).map(|c| c.name.as_str()).collect();
                let mut diagnostic = Diagnostic::error("E0205", field.span, format!("dataset `{name}` has no column `{}`", field.name))
                    .here(format!("columns: {}", list.join(", ")))
                    .label(self.model.data[d].name.span, "the dataset");
                if let Some(near) = near {
                    diagnostic = diagnostic.replace(field.span, near.clone(), format!("did you mean `{near}`?"));
                }
                return self.fail(diagnostic);
            }
            let full = format!("{name}.{}", field.name);
            if self.decls.values.contains_key(&full) {
                return match self.model.names.get(&full) {
                    Some(Val::Broken) | None => Err(Reported),
                    Some(value) => Ok(value.clone()),
                };
            }
        }
        let habit = print::expr(base);
        let diagnostic = Diagnostic::error("E0215", field.span, format!("values have no `.{}`", field.name))
            .here("only `.T`, the transpose")
            .help(format!("`{habit}.{0}` is a column if `{habit}` is a dataset; a function is called as `{0}({habit})`", field.name));
        self.fail(diagnostic)
    }

    /// `clump..mitoses`: the columns between two, as a matrix.
    pub(super) fn column_range(&mut self, lo: &Expr, hi: &Expr, span: Span) -> R<Val> {
        let name = |e: &Expr| if let ExprKind::Name(name) = &e.kind { Some(name.clone()) } else { None };
        let (Some(first), Some(last)) = (name(lo), name(hi)) else {
            return self.fail(messages::interval_not_list(span).help("a list is written `[1, 2, 3]`, or `linspace(low, high, n)`"));
        };
        let place = |this: &Self, name: &str| match this.within_data {
            Some(d) => this.model.data[d.0 as usize].columns.iter().position(|c| c.name == name).map(|c| (d, c)),
            None => this.holders(name).first().copied(),
        };
        let (Some((d, a)), Some((d2, b))) = (place(self, &first), place(self, &last)) else {
            if self.model.data.iter().any(|data| data.unread) {
                return Err(Reported);
            }
            let missing = if place(self, &first).is_none() { lo } else { hi };
            let text = name(missing).unwrap_or_default();
            let diagnostic = self.unknown_name(&text, missing.span);
            return self.fail(diagnostic);
        };
        if d != d2 || b < a {
            let message =
                if d == d2 { format!("`{last}` comes before `{first}` in the file") } else { "columns of two datasets".to_string() };
            return self.fail(Diagnostic::error("E0507", span, message).here("a range of columns runs in the order of the file"));
        }
        let mut parts = Vec::new();
        for column in a..=b {
            let value = self.column(d, column, span)?;
            let id = self.as_node(value, &Expr { span, kind: ExprKind::Name(first.clone()) })?;
            parts.push(if self.model.graph.shape(id).rank() == 1 { self.graph().add(Op::Expand(1), &[id]) } else { id });
        }
        match self.model.graph.try_add(Op::Concat(1), &parts) {
            Ok(id) => Ok(Val::Node(id)),
            Err(_) => {
                self.fail(Diagnostic::error("E0322", span, "these columns do not stand side by side").here("one of them has another shape"))
            }
        }
    }
}

/// `x0` or `x_0` for `x[0]`.
fn indexed(name: &str, names: &[String]) -> Option<(String, String)> {
    let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    if digits == 0 || digits == name.len() {
        return None;
    }
    let base = name[..name.len() - digits].trim_end_matches('_');
    names.iter().any(|n| n == base).then(|| (base.to_string(), name[name.len() - digits..].to_string()))
}
