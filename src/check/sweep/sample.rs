//! `sample 36 { lr ~ log_uniform(1e-4, 1) }`: one axis whose points are drawn.
//!
//! Each name has a stream of its own, so that more draws keep those there were, and sweeps that sample the same name see the same ones.

use super::Sweeps;
use super::optimizers::Point;
use crate::check::draw::{Drawing, Numbers, distribution, drawn};
use crate::check::lower::{Lower, R, Reported};
use crate::check::messages;
use crate::check::program::{AxisSpec, Bind, OptimizerSpec};
use crate::diag::Diagnostic;
use crate::numeric::random::Stream;
use crate::shape::Shape;
use crate::syntax::ast::{Axis, Expr, ExprKind, Ident};

impl Sweeps<'_> {
    pub(super) fn sample(&mut self, count: &Expr, list: &[(Ident, Expr)], optimizers: &R<Vec<(OptimizerSpec, Vec<Point>)>>) -> R<AxisSpec> {
        let count = Lower::new(self.model, self.decls, self.diags).whole(count, "the number of samples", 1.0)?;
        let mut columns: Vec<Vec<Bind>> = Vec::new();
        for (name, e) in list {
            if matches!(name.name.as_str(), "optimizer" | "steps" | "epochs") {
                let d = Diagnostic::error("E0428", name.span, format!("`{}` cannot be sampled", name.name)).here("no number of a cell");
                return self.fail(d.help("sample arguments of the optimizers, and hypers"));
            }
            let mut lower = Lower::new(self.model, self.decls, self.diags);
            let Drawing { draw, args } = distribution(&mut lower, e, &Shape::scalar())?;
            let mut values = Vec::new();
            for arg in args {
                let Some(value) = lower.model.constant(arg) else {
                    return lower.fail(messages::not_known_before(e.span, "the distribution of a sample"));
                };
                values.push(value);
            }
            // Without a seed the file has been refused.
            let mut stream = Numbers::Stream(Box::new(Stream::new(self.seed.ok_or(Reported)?, "sample", &name.name, &[])));
            let Some(numbers) = drawn(draw, &values, &[count], &mut stream) else {
                let d = Diagnostic::error("E0429", e.span, format!("`{}` cannot be drawn", name.name));
                return self.fail(d.here("the arguments of the distribution have no meaning"));
            };
            let items = numbers.into_iter().map(|x| Expr { span: e.span, kind: ExprKind::Number(x) }).collect();
            let values = Expr { span: e.span, kind: ExprKind::List(items) };
            columns.push(self.axis(&Axis { name: name.clone(), values, many: true }, optimizers)?);
        }
        Ok(AxisSpec { points: (0..count).map(|i| columns.iter().map(|column| column[i].clone()).collect()).collect() })
    }
}
