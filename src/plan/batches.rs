//! The batches of a sweep: of which dataset, how many rows, in which order.
//!
//! The rows of a batch are drawn where it runs.

use std::sync::Arc;

use super::build::Build;
use super::unit::{Batches, Order};
use crate::check::lower::{Lower, R};
use crate::check::messages;
use crate::check::program::BatchSpec;
use crate::diag::Diagnostic;
use crate::expr::graph::Id;
use crate::shape::Dim;
use crate::syntax::ast::{BatchOrder, Expr};

impl Build<'_> {
    /// The batches of an epoch, and the data whose rows they are.
    pub(super) fn batches(&mut self, spec: &BatchSpec, loss: Id) -> R<Batches> {
        let size = Lower::new(&mut self.model, &self.program.decls, self.diags).whole(&spec.size, "the size of a batch", 1.0)?;
        let found = self.model.datasets_of(loss);
        let [data] = found[..] else {
            let what = if found.is_empty() { "no data" } else { "the rows of several datasets" };
            let message = format!("`{}` is over {what}: there are no batches to take", self.point.loss);
            return self.fail(Diagnostic::error("E0456", spec.span, message).here("which rows?"));
        };
        let reached = self.model.graph.reachable(&[loss]);
        if let Some(sequence) = self.model.sequences.iter().find(|s| s.dim == Dim::Rows(data) && reached.contains(&s.id)) {
            let d = Diagnostic::error("E0468", spec.span, "batches would cut the rows that a scan runs over, one after the other")
                .here("not with a scan over rows")
                .label(sequence.span, "in the order of the file");
            return self.fail(d.help("make each sequence a row, and scan over its elements: `over x in X.T`"));
        }
        let n = self.model.rows.of(Dim::Rows(data));
        if size > n {
            let message = format!("a batch of {size} rows, and there are {n}");
            let d = Diagnostic::error("E0457", spec.size.span, message).here("more than all");
            let name = self.model.data.get(data.0 as usize).map(|data| data.name.span);
            let d = name.into_iter().fold(d, |d, span| d.label(span, format!("{n} rows")));
            return self.fail(d.replace(spec.size.span, n.to_string(), "all of them"));
        }
        let seed = |this: &mut Self| match this.program.rng {
            Some(rng) => Ok(rng.seed()),
            None => this.fail(messages::needs_seed(spec.span, "shuffled")),
        };
        let order = match &spec.order {
            BatchOrder::InOrder | BatchOrder::Unsaid => Order::InOrder,
            BatchOrder::Shuffled => Order::Shuffled(seed(self)?),
            BatchOrder::Cumulatively => Order::Cumulatively(seed(self)?),
            BatchOrder::Drawn => Order::Drawn(seed(self)?),
            BatchOrder::InOrderOf(e) => Order::Given(Arc::new(self.given(e, n)?)),
        };
        Ok(Batches { data, size, drop_last: spec.drop_last, order })
    }

    /// The row numbers of `in order of M`.
    fn given(&mut self, e: &Expr, n: usize) -> R<Vec<Vec<u32>>> {
        let mut lower = Lower::new(&mut self.model, &self.program.decls, self.diags);
        let id = lower.node(e)?;
        let rank = lower.model.graph.shape(id).rank();
        let Some(values) = lower.model.constant(id).filter(|_| rank == 2) else {
            let text = lower.show(id);
            return lower.fail(Diagnostic::error("E0458", e.span, "an order is a matrix of row numbers, a row for each epoch").here(text));
        };
        let mut epochs = Vec::new();
        for (epoch, row) in values.outer_iter().enumerate() {
            let mut list = Vec::new();
            for (place, &x) in row.iter().enumerate() {
                if x.fract() != 0.0 || x < 0.0 || x >= n as f64 {
                    let found = crate::numeric::format::shortest(x);
                    let message = format!(
                        "row number {found} in epoch {}, place {}; rows go from 0 to {}",
                        epoch + 1,
                        place + 1,
                        n.saturating_sub(1)
                    );
                    return self.fail(Diagnostic::error("E0459", e.span, message).here("no such row"));
                }
                list.push(x as u32);
            }
            if list.len() != n {
                let message = format!("an epoch has {} row numbers, the dataset {n} rows", list.len());
                return self.fail(Diagnostic::error("E0461", e.span, message).here(format!("{} columns", list.len())));
            }
            epochs.push(list);
        }
        Ok(epochs)
    }
}
