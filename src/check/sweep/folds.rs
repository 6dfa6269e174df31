//! Which folds of the data judge in a sweep, and which data its replicates draw anew.
//!
//! The rows of a fold are chosen in `data`.

use super::Sweeps;
use crate::check::decls::{Block, ValueKind, needed_lets};
use crate::check::lower::{Lower, R, Val};
use crate::diag::{Diagnostic, did_you_mean};
use crate::source::Span;
use crate::syntax::ast::{Axis, Expr, ExprKind, Ident, Start, SweepLine};

impl Sweeps<'_> {
    /// `fold = 1`, `fold in [0, 1]`.
    pub(super) fn folds_said(&mut self, axis: &Axis) -> R<Vec<(usize, Span)>> {
        let list: Vec<&Expr> = match &axis.values.kind {
            ExprKind::List(items) if axis.many => items.iter().collect(),
            _ => vec![&axis.values],
        };
        let mut lower = Lower::new(self.model, self.decls, self.diags);
        list.into_iter().map(|e| Ok((lower.whole(e, "a fold", 0.0)?, e.span))).collect()
    }

    /// The datasets of `redraw`.
    pub(super) fn redrawn(&mut self, names: &[Ident]) -> Vec<String> {
        let mut found = Vec::new();
        for name in names {
            let known: Vec<&str> = self.decls.datasets.iter().map(|d| d.name.name.as_str()).collect();
            let Some(decl) = self.decls.datasets.iter().find(|d| d.name.name == name.name) else {
                let mut d = Diagnostic::error("E0465", name.span, format!("no dataset is called `{}`", name.name))
                    .here("what is drawn anew is a dataset");
                if let Some(near) = did_you_mean(&name.name, known.iter().copied()).or(known.first().copied()) {
                    d = d.replace(name.span, near, format!("did you mean `{near}`?"));
                }
                self.diags.push(d);
                continue;
            };
            let lets = needed_lets(self.decls, |d| d.name.name == name.name);
            let drawn = |full: &String| matches!(self.decls.values[full].kind, ValueKind::Let { value: Start::Draw(_), .. });
            if decl.draws() || lets.iter().any(drawn) {
                found.push(name.name.clone());
            } else {
                let d =
                    Diagnostic::error("E0466", name.span, format!("nothing in dataset `{}` is drawn", name.name)).here("always the same");
                self.diags.push(
                    d.label(decl.name.span, "no draw, no shuffle")
                        .help("in the dataset: a column `x ~ normal(0, 1)`, or `split .., shuffle = true`"),
                );
            }
        }
        found
    }

    /// The folds that judge; a sweep over data with folds must say which.
    pub(super) fn judging(
        &mut self,
        sweep: &Block<SweepLine>,
        losses: &[String],
        said: Option<Span>,
        folds: Option<Vec<(usize, Span)>>,
    ) -> Vec<usize> {
        let mut found: Vec<(Span, usize)> = Vec::new();
        for loss in losses {
            let Some(Val::Node(id)) = self.model.names.get(loss) else { continue };
            for data in self.model.datasets_of(*id) {
                let info = self.model.data.get(data.0 as usize);
                found.extend(info.and_then(|info| Some((info.name.span, info.folds?))));
            }
        }
        let Some(&(place, count)) = found.first() else {
            if let Some(span) = said
                && !losses.is_empty()
                && !self.model.data.iter().any(|d| d.unread)
            {
                let d = Diagnostic::error("E0463", span, "the data of this sweep have no folds").here("which folds?");
                self.diags.push(d.help("in the dataset: `split folds = 10, shuffle = true`"));
            }
            return Vec::new();
        };
        if let Some((other, _)) = found.iter().find(|(_, n)| *n != count) {
            let d = Diagnostic::error("E0467", sweep.name.span, "its datasets have different numbers of folds").here("which folds?");
            self.diags.push(d.label(place, format!("{count} folds")).label(*other, "another number"));
            return Vec::new();
        }
        if said.is_none() {
            let message = format!("what trains depends on the fold: which of the {count} does sweep `{}` use?", sweep.name.name);
            let end = Span { lo: sweep.span.hi.saturating_sub(1), hi: sweep.span.hi.saturating_sub(1), ..sweep.span };
            let d = Diagnostic::error("E0462", sweep.name.span, message).here("no `repeat folds`, no `fold = ..`");
            self.diags.push(d.label(place, format!("{count} folds")).replace(end, "; repeat folds ", "each of them judges once"));
            return Vec::new();
        }
        let Some(folds) = folds else { return (0..count).collect() };
        if let Some((fold, span)) = folds.iter().find(|(fold, _)| *fold >= count) {
            let d = Diagnostic::error("E0464", *span, format!("there is no fold {fold}")).here(format!("folds 0 to {}", count - 1));
            self.diags.push(d.label(place, format!("{count} folds")));
        }
        folds.into_iter().map(|(fold, _)| fold).collect()
    }
}
