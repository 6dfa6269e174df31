//! Indexing: `X[:, 0]`, `v[-1]`, `v[1::2]`, lists, new axes, and rows chosen by data.
//!
//! Everything is from 0 and static, except indices that are columns of a dataset.

use super::builtins;
use super::lower::{Lower, R};
use crate::check::messages;
use crate::diag::Diagnostic;
use crate::expr::graph::Id;
use crate::expr::op::Op;
use crate::shape::Dim;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, IndexItem};

impl Lower<'_> {
    /// `base[items]`.
    pub(crate) fn index(&mut self, base: &Expr, items: &[IndexItem], span: Span) -> R<Id> {
        let mut value = self.node(base)?;
        let wanted = items.iter().filter(|item| !matches!(item, IndexItem::NewAxis(_))).count();
        let rank = self.model.graph.shape(value).rank();
        if wanted > rank {
            let shape = self.show(value);
            let message = format!("{wanted} indices for {shape}");
            let axes = if rank == 1 { "one axis".to_string() } else { format!("{rank} axes") };
            return self.fail(Diagnostic::error("E0344", span, message).here(format!("has {axes}")).label(base.span, shape));
        }
        let mut axis = 0;
        for item in items {
            match item {
                IndexItem::NewAxis(_) => {
                    value = self.model.graph.add(Op::Expand(axis), &[value]);
                    axis += 1;
                }
                IndexItem::Slice { span, start, stop, step } => {
                    value = self.slice(value, axis, *span, [start.as_deref(), stop.as_deref(), step.as_deref()], base)?;
                    axis += 1;
                }
                IndexItem::At(e) => {
                    let (next, gone) = self.at(value, axis, e, base)?;
                    value = next;
                    axis += usize::from(!gone);
                }
            }
            self.model.graph.set_span(value, span);
        }
        Ok(value)
    }

    /// The fixed length of an axis; a row axis has one only where no batch can change it.
    fn length(&mut self, value: Id, axis: usize, span: Span, base: &Expr) -> R<usize> {
        match self.model.graph.shape(value).0[axis] {
            Dim::Size(n) => Ok(n),
            dim @ Dim::Rows(_) if self.within_data.is_some() => Ok(self.model.rows.of(dim)),
            Dim::Rows(_) => {
                let shape = self.show(value);
                let message = "the rows of a dataset cannot be chosen by number: a batch has other rows";
                self.fail(
                    Diagnostic::error("E0345", span, message)
                        .here("the row axis")
                        .label(base.span, shape)
                        .help("choose rows in the dataset, with `keep`"),
                )
            }
        }
    }

    fn slice(&mut self, value: Id, axis: usize, span: Span, parts: [Option<&Expr>; 3], base: &Expr) -> R<Id> {
        if parts.iter().all(Option::is_none) {
            return Ok(value);
        }
        let n = self.length(value, axis, span, base)? as i64;
        let mut bounds = [None; 3];
        for (place, part) in parts.iter().enumerate() {
            if let Some(e) = part {
                let x = self.constant(e, "a bound of a slice")?;
                if x.fract() != 0.0 || x.abs() > 9.0e15 {
                    return self.fail(messages::not_whole(e.span, "a bound of a slice", None, x));
                }
                bounds[place] = Some(x as i64);
            }
        }
        let step = bounds[2].unwrap_or(1);
        if step == 0 {
            return self.fail(Diagnostic::error("E0346", span, "a slice with step 0 goes nowhere").here("step 0"));
        }
        // Python's rules: negative bounds count from the end, and what lies outside is cut off.
        let clamp = |x: i64, lo: i64, hi: i64| if x < 0 { (x + n).clamp(lo, hi) } else { x.clamp(lo, hi) };
        let (start, stop) = if step > 0 {
            (clamp(bounds[0].unwrap_or(0), 0, n), clamp(bounds[1].unwrap_or(n), 0, n))
        } else {
            let start = bounds[0].map_or(n - 1, |x| clamp(x, -1, n - 1));
            let stop = bounds[1].map_or(-1, |x| clamp(x, -1, n - 1));
            (start, stop)
        };
        let len = if step > 0 { (stop - start + step - 1).max(0) / step } else { (start - stop - step - 1).max(0) / -step };
        if len == 0 {
            return self.fail(Diagnostic::error("E0347", span, "this slice is empty").here(format!("of {n} entries")));
        }
        let op = Op::Slice { axis, start: start as usize, step: step as isize, len: len as usize };
        Ok(self.model.graph.add(op, &[value]))
    }

    /// One index: a number removes the axis; a list or a column keeps it.
    fn at(&mut self, value: Id, axis: usize, e: &Expr, base: &Expr) -> R<(Id, bool)> {
        let index = self.node(e)?;
        let shape = self.model.graph.shape(index).clone();
        if shape.is_scalar() {
            let n = self.length(value, axis, e.span, base)?;
            let x = self.constant(e, "an index")?;
            let place = if x < 0.0 { x + n as f64 } else { x };
            if x.fract() != 0.0 || place < 0.0 || place >= n as f64 {
                let what = self.show(value);
                let message = format!("no entry {}: there are entries 0 to {}", crate::numeric::format::shortest(x), n.saturating_sub(1));
                return self.fail(Diagnostic::error("E0348", e.span, message).here("outside").label(base.span, what));
            }
            let slice = self.model.graph.add(Op::Slice { axis, start: place as usize, step: 1, len: 1 }, &[value]);
            return Ok((self.model.graph.add(Op::Squeeze(axis), &[slice]), true));
        }
        if shape.rank() != 1 {
            let text = self.show(index);
            return self.fail(Diagnostic::error("E0349", e.span, "an index is a number, a list, or a column").here(text));
        }
        if matches!(&e.kind, ExprKind::Compare { .. }) {
            let message = "a mask that changes the shape cannot be an index";
            return self.fail(
                Diagnostic::error("E0351", e.span, message)
                    .here("0 or 1 for each entry")
                    .help("`where(c, a, b)` chooses values; `keep` in the dataset chooses rows"),
            );
        }
        let n = self.length(value, axis, e.span, base)?;
        builtins::indices(self, index, e.span, n, "entry")?;
        Ok((self.model.graph.add(Op::Gather(axis), &[value, index]), false))
    }
}
