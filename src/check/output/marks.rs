//! Marks and tables with axes of their own: matrices, confusions, images, histograms, profiles.
//!
//! Lines, curves and their like are in `plot`.

use crate::check::lower::{Lower, R, Reported};
use crate::check::messages;
use crate::check::question::{Asker, Place};
use crate::diag::Diagnostic;
use crate::results::view::{Judged, MarkView, Question};
use crate::shape::Shape;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Ident, Text};
use crate::syntax::print;

/// Pictures that one `image` may show.
const PICTURES: usize = 400;

impl Asker<'_> {
    /// The sizes of a question in words.
    fn sizes_of(&self, question: &Question) -> String {
        self.shared.borrow().model.rows.show(&Shape::fixed(&question.sizes))
    }

    /// Predicted classes beside the true ones, row by row.
    pub(super) fn judged(&mut self, predicted: &Expr, actual: &Expr, classes: &[Text], place: &Place) -> R<Judged> {
        // What is predicted on some rows is compared with what is true of these rows.
        let part = |e: &Expr| {
            let mut found = None;
            crate::check::decls::walk(e, &mut |e| {
                if let ExprKind::On { part, .. } = &e.kind {
                    found.get_or_insert_with(|| part.clone());
                }
            });
            found
        };
        let actual = match (part(predicted), part(actual)) {
            (Some(part), None) => Expr { span: actual.span, kind: ExprKind::On { base: Box::new(actual.clone()), part } },
            _ => actual.clone(),
        };
        let place = Place { rows: false, ..place.clone() };
        let (p, y) = (self.question(predicted, &place), self.question(&actual, &place));
        let (p, y) = (p?, y?);
        for (question, e) in [(&p, predicted), (&y, &actual)] {
            if question.sizes.len() == 1 {
                continue;
            }
            let shape = self.sizes_of(question);
            let mut d = Diagnostic::error("E0631", e.span, "classes are compared row by row: one class for each").here(shape);
            if question.sizes.len() == 2 {
                d = d.replace(e.span, format!("argmax({}, axis = 1)", print::expr(e)), "the class of the largest entry of each row");
            }
            self.error(d);
            return Err(Reported);
        }
        if p.sizes != y.sizes {
            let d = Diagnostic::error("E0632", actual.span, "there is not one true class for each predicted one")
                .here(format!("{} true classes", y.sizes[0]))
                .label(predicted.span, format!("{} predicted ones", p.sizes[0]));
            self.error(d);
            return Err(Reported);
        }
        for (at, name) in classes.iter().enumerate() {
            if let Some(first) = classes[..at].iter().find(|first| first.value == name.value) {
                let d = Diagnostic::error("E0633", name.span, format!("two classes are called \"{}\"", name.value))
                    .here("here again")
                    .label(first.span, "here first");
                self.error(d);
                return Err(Reported);
            }
        }
        Ok(Judged { predicted: p, actual: y, classes: classes.iter().map(|name| name.value.clone()).collect() })
    }

    /// `heatmap M`.
    pub(super) fn matrix(&mut self, z: &Expr, place: &Place) -> R<MarkView> {
        let question = self.question(z, place)?;
        if question.sizes.len() != 2 {
            let shape = self.sizes_of(&question);
            let d = Diagnostic::error("E0634", z.span, "a heat map without `over` shows a matrix").here(shape);
            let d = if question.sizes.is_empty() { d.help("say over which axes, as `over lr, beta`") } else { d };
            self.error(d);
            return Err(Reported);
        }
        Ok(MarkView::Matrix { z: question })
    }

    /// `image W as 8 by 8`.
    pub(super) fn image(&mut self, value: &Expr, (height, width): (&Expr, &Expr), place: &Place) -> R<MarkView> {
        let question = self.question(value, place)?;
        let (height, width) = {
            let mut shared = self.shared.borrow_mut();
            let mut lower = Lower::new(&mut shared.model, self.decls, self.diags);
            (lower.whole(height, "the height of an image", 1.0)?, lower.whole(width, "the width of an image", 1.0)?)
        };
        let pixels = height.saturating_mul(width);
        let count = match question.sizes[..] {
            [n] if n == pixels => 1,
            [rows, columns] if columns == pixels => rows,
            [rows, columns] if rows == pixels => columns,
            _ => {
                let shape = self.sizes_of(&question);
                let message = format!("an image of {height} by {width} has {pixels} pixels, and no side of this has as many");
                let mut d = Diagnostic::error("E0635", value.span, message).here(shape);
                let square = |n: usize| n.isqrt() * n.isqrt() == n && n > 1;
                if let Some(&side) = question.sizes.iter().find(|&&n| square(n)) {
                    d = d.help(format!("{side} entries make {0} by {0}", side.isqrt()));
                }
                self.error(d);
                return Err(Reported);
            }
        };
        if count > PICTURES {
            let d = Diagnostic::error("E0636", value.span, format!("{count} pictures are too many to be seen"))
                .here(format!("at most {PICTURES}"))
                .help("choose some of them, as `W[:16]`");
            self.error(d);
            return Err(Reported);
        }
        Ok(MarkView::Image { value: question, height, width })
    }

    /// `profile steps_to(..) over optimizer`.
    pub(super) fn profile(&mut self, value: &Expr, axis: &Expr, place: &Place) -> R<MarkView> {
        let of = self.question(value, place)?;
        if !of.sizes.is_empty() {
            let shape = self.sizes_of(&of);
            self.error(messages::not_one_number(value.span, "what a profile compares", &shape));
            return Err(Reported);
        }
        let name = if let ExprKind::Name(name) = &axis.kind { name.clone() } else { print::expr(axis) };
        if !self.is_axis(&name, &place.sweeps) {
            let d = self.no_axis(&Ident { name, span: axis.span }, &place.sweeps);
            self.error(d);
            return Err(Reported);
        }
        Ok(MarkView::Profile { of, solver: name })
    }

    /// A series over an array that has not as many elements.
    pub(super) fn not_as_many(&mut self, (y, y_span): (&Question, Span), (x, x_span): (&Question, Span)) {
        let (shape, over) = (self.sizes_of(y), self.sizes_of(x));
        let d = Diagnostic::error("E0638", y_span, "a series over an array has as many elements").here(shape).label(x_span, over);
        self.error(d);
    }

    /// Marks with axes of their own stand alone in their plot, and so do tables of classes.
    pub(super) fn alone(&mut self, span: Span, what: &str, others: Option<Span>) -> R<()> {
        let Some(other) = others else { return Ok(()) };
        let d = Diagnostic::error("E0637", span, format!("{what} has rows and columns of its own"))
            .here("nothing else fits into them")
            .label(other, "for this, another plot or table");
        self.error(d);
        Err(Reported)
    }
}
