//! Expectations: two sides, a comparison, a tolerance, the cells in which it must hold.
//!
//! Whether it holds is found in `report`.

use crate::check::decls::{Expectation, walk};
use crate::check::lower::{R, Reported};
use crate::check::question::{Asker, Place};
use crate::diag::Diagnostic;
use crate::results::view::{Comparison, Cond, ExpectView, FoldKind, Leaf, Question};
use crate::results::{Setting, Status};
use crate::source::Sources;
use crate::syntax::ast::{CompareOp, Expr, ExprKind, Ident, OutLine, OutLineKind};
use crate::syntax::print;

impl Asker<'_> {
    /// An expectation.
    pub(crate) fn expectation(&mut self, e: &Expectation, sources: &Sources) -> R<ExpectView> {
        let ExprKind::Compare { op, left, right, op_span } = &strip(&e.cond).kind else {
            self.error(
                Diagnostic::error("E0623", e.cond.span, "an expectation compares two values")
                    .here("no comparison")
                    .help("such as `expect final(b) == 30 +- 0.005`"),
            );
            return Err(Reported);
        };
        let named = self.named_sweep(&e.cond);
        let mut filters = e.filters.clone();
        if let Some(sweep) = named.filter(|_| !filters.iter().any(|line| matches!(line.kind, OutLineKind::From(_)))) {
            filters.push(OutLine { span: sweep.span, kind: OutLineKind::From(vec![sweep]) });
        }
        let selection = self.selection(&filters, e.span, true)?;
        let place = Place { sweeps: selection.sweeps.clone(), rows: false, only: selection.conditions.clone() };
        let op = match op {
            CompareOp::Lt => Comparison::Lt,
            CompareOp::Le => Comparison::Le,
            CompareOp::Gt => Comparison::Gt,
            CompareOp::Ge => Comparison::Ge,
            CompareOp::Eq => Comparison::Eq,
            CompareOp::Ne => Comparison::Ne,
        };
        let (line, _) = sources.line_column(e.span);
        let points = match &e.grading.points {
            Some(p) => Some(self.number(p, "points")?),
            None => None,
        };
        let tolerance_text =
            e.tolerance.as_ref().map(|t| format!(" +- {}{}", print::expr(&t.value), if t.percent { "%" } else { "" })).unwrap_or_default();
        let zero = Expr { span: e.cond.span, kind: ExprKind::Number(0.0) };
        let mut view = ExpectView {
            text: format!("{}{tolerance_text}", print::expr(&e.cond)),
            span: e.span,
            line,
            selection,
            left: self.question(&zero, &place)?,
            op,
            right: self.question(&zero, &place)?,
            tolerance: None,
            status: None,
            points,
            hint: e.grading.hint.as_ref().map(|t| t.value.clone()),
            hidden: e.grading.hidden.is_some(),
        };
        if matches!(&left.kind, ExprKind::Name(n) if n == "status") {
            let sizeless = matches!(op, Comparison::Eq | Comparison::Ne);
            let cond = if sizeless { Some(self.condition(strip(&e.cond), &place.sweeps)?) } else { None };
            let Some(Cond::Equals { value: Setting::Text(name), negated, .. }) = cond else {
                self.error(Diagnostic::error("E0624", *op_span, "a status is compared with `==` or `!=`").here("a status has no size"));
                return Err(Reported);
            };
            view.status = Status::ALL.iter().find(|s| s.name() == name).map(|s| (*s, negated));
            return Ok(view);
        }
        view.left = self.question(left, &place)?;
        view.right = self.question(right, &place)?;
        match &e.tolerance {
            Some(t) => {
                if !matches!(op, Comparison::Eq | Comparison::Ne) {
                    let d = Diagnostic::error("E0625", t.span, "a tolerance goes with `==`").here("this is an inequality");
                    let d = d.replace(t.span, "", "remove it, or compare with `==`");
                    self.error(d);
                    return Err(Reported);
                }
                let tolerance = self.question(&t.value, &place)?;
                if let Some(x) = tolerance.graph.as_const(tolerance.root).filter(|x| *x < 0.0) {
                    let d = Diagnostic::error("E0626", t.value.span, "a tolerance is not negative").here(format!("{x}"));
                    let positive = print::expr(&t.value).trim_start_matches('-').to_string();
                    self.error(d.replace(t.value.span, positive, "write"));
                    return Err(Reported);
                }
                view.tolerance = Some((tolerance, t.percent));
            }
            None if op == Comparison::Eq && !self.whole(&view.left) => {
                let d = Diagnostic::warning("W0601", e.cond.span, "computed numbers are rarely equal to the last bit")
                    .here("equality without a tolerance");
                let d = d.replace(e.cond.span.end(), " +- 1e-9", "allow a little");
                self.diags.push(d);
            }
            None => {}
        }
        Ok(view)
    }
}

impl Asker<'_> {
    /// The first sweep that an expression names, as in `final(own.J)`: its cells are the ones compared.
    fn named_sweep(&self, e: &Expr) -> Option<Ident> {
        let mut found: Option<Ident> = None;
        walk(e, &mut |part| {
            if let ExprKind::Field { base, .. } = &part.kind
                && let ExprKind::Name(name) = &base.kind
                && self.decls.sweeps.iter().any(|s| s.name.name == *name)
                && found.as_ref().is_none_or(|first| base.span.lo < first.span.lo)
            {
                found = Some(Ident { name: name.clone(), span: base.span });
            }
        });
        found
    }

    /// Whether a question only has whole numbers: counts, steps, cells.
    fn whole(&self, q: &Question) -> bool {
        let shared = self.shared.borrow();
        q.leaves.iter().all(|leaf| {
        matches!(
            leaf,
            Leaf::Step
                | Leaf::Epoch
                | Leaf::Cell
                | Leaf::Replicate
                | Leaf::Steps
                | Leaf::Epochs
                | Leaf::Evaluations
                | Leaf::HasStatus(_)
                | Leaf::Cells
        ) || matches!(leaf, Leaf::Fold { fold: FoldKind::StepsTo | FoldKind::Count | FoldKind::SinceLowest, .. })
 || matches!(leaf, Leaf::Fold { fold: FoldKind::Final | FoldKind::Start | FoldKind::Lowest | FoldKind::Highest | FoldKind::AtStep(_), quantity, .. } if shared.whole.contains(quantity))
 || matches!(leaf, Leaf::Folded { fold: FoldKind::StepsTo | FoldKind::Count | FoldKind::SinceLowest, .. })
    })
    }
}

fn strip(e: &Expr) -> &Expr {
    if let ExprKind::Paren(inner) = &e.kind { strip(inner) } else { e }
}
