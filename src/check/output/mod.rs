//! Plots, tables and expectations: their lines become views.
//!
//! Questions are made in `question`; fields of contours and curves in `field`.

mod expect;
mod marks;
mod plot;
mod shown;
mod table;

use crate::check::lower::{Lower, R, Reported};
use crate::check::messages;
use crate::check::question::{Asker, Place};
use crate::diag::Diagnostic;
use crate::results::view::{BestView, Key, Question, Selection};
use crate::shape::Shape;
use crate::source::Span;
use crate::syntax::ast::{Best, Expr, ExprKind, Ident, OutLine, OutLineKind};

impl Asker<'_> {
    fn error(&mut self, diagnostic: Diagnostic) {
        self.diags.push(diagnostic);
    }

    fn sweep_names(&self) -> Vec<String> {
        self.shared.borrow().sweeps.iter().map(|s| s.name.clone()).collect()
    }

    /// The sweeps an output is about, its conditions, its best.
    fn selection(&mut self, lines: &[OutLine], span: Span, needs: bool) -> R<Selection> {
        let names = self.sweep_names();
        let mut sweeps: Vec<String> = Vec::new();
        let mut ok = true;
        for line in lines {
            if let OutLineKind::From(list) = &line.kind {
                for name in list {
                    if names.contains(&name.name) {
                        sweeps.push(name.name.clone());
                    } else if !self.decls.sweeps.iter().any(|s| s.name.name == name.name) {
                        let known: Vec<&str> = names.iter().map(String::as_str).collect();
                        self.error(crate::check::sweep::no_sweep(name, &known));
                        ok = false;
                    } else {
                        ok = false;
                    }
                }
            }
        }
        if !ok {
            return Err(Reported);
        }
        if sweeps.is_empty() && needs {
            match (&names[..], self.decls.sweeps.len()) {
                ([one], 1) => sweeps.push(one.clone()),
                ([], 0) => {
                    self.error(Diagnostic::error("E0600", span, "there is no sweep to show").here("of which runs?"));
                    return Err(Reported);
                }
                (_, 1) => return Err(Reported),
                _ => {
                    let declared: Vec<String> = self.decls.sweeps.iter().map(|s| s.name.name.clone()).collect();
                    let mut d = Diagnostic::error("E0601", span, "from which sweep?").here(format!("there are {}", declared.join(", ")));
                    d = d.help(format!("say `from {}`", declared[0]));
                    self.error(d);
                    return Err(Reported);
                }
            }
        }
        let mut selection = Selection { sweeps: sweeps.clone(), ..Selection::default() };
        for line in lines {
            match &line.kind {
                OutLineKind::For(e) => match self.condition(e, &sweeps) {
                    Ok(cond) => selection.conditions.push(cond),
                    Err(Reported) => ok = false,
                },
                OutLineKind::Best(best) => match self.best(best, &sweeps) {
                    Ok(best) => selection.best = Some(best),
                    Err(Reported) => ok = false,
                },
                _ => {}
            }
        }
        if ok { Ok(selection) } else { Err(Reported) }
    }

    fn best(&mut self, best: &Best, sweeps: &[String]) -> R<BestView> {
        for axis in &best.axes {
            if !self.is_axis(&axis.name, sweeps) {
                let d = self.no_axis(axis, sweeps);
                self.error(d);
                return Err(Reported);
            }
        }
        let by = self.one_number(&best.by, &Place { sweeps: sweeps.to_vec(), rows: false, only: Vec::new() }, "what is best")?;
        Ok(BestView { axes: best.axes.iter().map(|a| a.name.clone()).collect(), maximize: best.maximize, by })
    }

    /// A name that tells none of these sweeps' cells apart.
    pub(crate) fn no_axis(&self, name: &Ident, sweeps: &[String]) -> Diagnostic {
        let mut known = vec!["optimizer".to_string()];
        for s in self.shared.borrow().sweeps.iter().filter(|s| sweeps.contains(&s.name)) {
            known.extend(s.axis_names());
        }
        messages::no_axis(name, &known)
    }

    fn key(&mut self, e: &Expr, sweeps: &[String]) -> R<Key> {
        if let ExprKind::Name(name) = &e.kind
            && (self.is_axis(name, sweeps) || name == "reason")
        {
            return Ok(Key::Axis(name.clone()));
        }
        if let ExprKind::Name(name) = &e.kind
            && self.decls.value("", name).is_none()
        {
            let d = self.no_axis(&Ident { name: name.clone(), span: e.span }, sweeps);
            if !d.help.is_empty() {
                self.error(d);
                return Err(Reported);
            }
        }
        Ok(Key::Question(self.one_number(
            e,
            &Place { sweeps: sweeps.to_vec(), rows: false, only: Vec::new() },
            "what tells cells apart",
        )?))
    }

    /// A question whose value is one number.
    fn one_number(&mut self, e: &Expr, place: &Place, what: &str) -> R<Question> {
        let question = self.question(e, place)?;
        if !question.sizes.is_empty() {
            let shape = self.shared.borrow().model.rows.show(&Shape::fixed(&question.sizes));
            self.error(messages::not_one_number(e.span, what, &shape));
            return Err(Reported);
        }
        Ok(question)
    }

    fn keys(&mut self, list: &[Expr], sweeps: &[String]) -> R<Vec<Key>> {
        list.iter().map(|e| self.key(e, sweeps)).collect::<Vec<_>>().into_iter().collect()
    }

    /// A number in an output: known before running.
    fn number(&mut self, e: &Expr, what: &str) -> R<f64> {
        let mut shared = self.shared.borrow_mut();
        Lower::new(&mut shared.model, self.decls, self.diags).constant(e, what)
    }
}
