//! Columns as inputs of the graph, and expressions over another part of the rows.
//!
//! Which rows a part has is decided in `split`.

use std::sync::Arc;

use ndarray::ArrayD;

use super::{Content, Training, chosen, shape_of};
use crate::check::lower::{Lower, Model, R};
use crate::diag::{Diagnostic, did_you_mean};
use crate::expr::eval;
use crate::expr::graph::{Id, InputKind};
use crate::expr::op::{InputId, Op};
use crate::expr::transplant::{reduce_over, transplant};
use crate::shape::{DataId, Dim};
use crate::syntax::ast::{Expr, Ident};
use crate::syntax::print;
use std::collections::BTreeMap;

/// Values in a part of a dataset, and the rows that they are of where those are not all.
pub(crate) type InPart = (ArrayD<f64>, Option<Arc<Vec<u32>>>);

impl Model {
    /// The column's input, made on first use.
    pub(crate) fn column_input(&mut self, data: DataId, column: usize) -> Option<Id> {
        let info = &self.data[data.0 as usize].columns[column];
        let Content::Numbers { values, by_row } = &info.content else { return None };
        if let Some(id) = info.input {
            return Some(id);
        }
        let (values, by_row, name) = (values.clone(), *by_row, info.name.clone());
        let id = if by_row {
            self.by_row(name, data, values)
        } else {
            let id = self.graph.input(name, InputKind::Column(data), shape_of(&values, false, data));
            self.graph.as_input(id).map(|input| self.known.insert(input, values));
            id
        };
        self.data[data.0 as usize].columns[column].input = Some(id);
        Some(id)
    }

    /// An input with a value for each row of a dataset. All values are given; the input has those of the training rows.
    pub(crate) fn by_row(&mut self, name: String, data: DataId, values: Arc<ArrayD<f64>>) -> Id {
        let id = self.graph.input(name, InputKind::Column(data), shape_of(&values, true, data));
        if let Some(input) = self.graph.as_input(id) {
            let known = match self.data[data.0 as usize].parts.first() {
                Some(train) => {
                    let known = Arc::new(chosen(&values, &train.rows));
                    self.whole.insert(input, values);
                    known
                }
                None => values,
            };
            self.known.insert(input, known);
        }
        id
    }

    /// The rows that train, if they are not all.
    pub(crate) fn training_rows(&self, data: DataId) -> Option<Arc<Vec<u32>>> {
        match &self.training {
            Some(training) if training.data == data => Some(training.rows.clone()),
            _ => self.data[data.0 as usize].parts.first().map(|train| train.rows.clone()),
        }
    }

    /// The values of an expression in every part of its dataset.
    pub(crate) fn in_each_part(&mut self, id: Id) -> Option<Vec<InPart>> {
        let parts = match self.graph.shape(id).0.first() {
            Some(Dim::Rows(data)) => self.data.get(data.0 as usize).map(|d| d.parts.clone()).unwrap_or_default(),
            _ => Vec::new(),
        };
        if parts.is_empty() {
            return Some(vec![(self.constant(id)?, None)]);
        }
        let mut all = Vec::new();
        for part in parts {
            let there = self.on(id, &part.name)?;
            all.push((self.constant(there)?, Some(part.rows)));
        }
        Some(all)
    }

    /// The value of an expression inside a dataset: its reductions run over the training rows.
    pub(crate) fn constant_of(&self, id: Id, training: &Training) -> Option<ArrayD<f64>> {
        let mut graph = self.graph.clone();
        let mut own: BTreeMap<InputId, Arc<ArrayD<f64>>> = BTreeMap::new();
        let root = reduce_over(&mut graph, id, training.data, training.id, &mut |graph, input| {
            let info = graph.input_info(input).clone();
            let values = self.known.get(&input).filter(|_| info.shape.0.first() == Some(&Dim::Rows(training.data)))?;
            let values = Arc::new(chosen(values, &training.rows));
            let new = graph.input(info.name, InputKind::Column(training.id), shape_of(&values, true, training.id));
            graph.as_input(new).map(|input| own.insert(input, values));
            Some(new)
        });
        let values = |input: InputId| own.get(&input).or_else(|| self.known.get(&input)).map(|v| (**v).clone());
        eval::evaluate(&graph, &[root], &values, &self.rows).ok().and_then(|mut list| list.pop())
    }

    /// The name of a dataset, or of a part of one.
    pub(crate) fn name_of(&self, id: DataId) -> String {
        let part = || {
            let of = |data: &super::DataInfo| Some(format!("{} on {}", data.name.name, data.parts.iter().find(|p| p.id == id)?.name));
            self.data.iter().find_map(of)
        };
        self.data.get(id.0 as usize).map(|data| data.name.name.clone()).or_else(part).unwrap_or_default()
    }

    /// The datasets on whose rows an expression depends.
    pub(crate) fn datasets_of(&self, id: Id) -> Vec<DataId> {
        let mut found: Vec<DataId> = Vec::new();
        for node in self.graph.reachable(&[id]) {
            if let Some(input) = self.graph.as_input(node)
                && let InputKind::Column(data) = self.graph.input_info(input).kind
                && self.graph.input_info(input).shape.has_rows()
                && !found.contains(&data)
            {
                found.push(data);
            }
        }
        found
    }

    /// The datasets whose rows, or the number of them, an expression uses.
    fn rows_of(&self, id: Id) -> Vec<DataId> {
        let mut found = self.datasets_of(id);
        for node in self.graph.reachable(&[id]) {
            if let Op::RowCount(data) = self.graph.node(node).op
                && !found.contains(&data)
            {
                found.push(data);
            }
        }
        found
    }

    /// The same expression over the rows of a part of each dataset that has a part of that name. `None` when none has.
    pub(crate) fn on(&mut self, id: Id, part: &str) -> Option<Id> {
        let mut swap: BTreeMap<DataId, (DataId, Arc<Vec<u32>>)> = BTreeMap::new();
        for data in self.rows_of(id) {
            let own = self.data.get(data.0 as usize).and_then(|d| d.parts.iter().find(|p| p.name == part));
            swap.extend(own.map(|own| (data, (own.id, own.rows.clone()))));
        }
        if swap.is_empty() {
            return None;
        }
        let (known, whole, elsewhere) = (&mut self.known, &self.whole, &mut self.elsewhere);
        let rows = |data: DataId| swap.get(&data).map_or(data, |(id, _)| *id);
        let list = transplant(&mut self.graph, &[id], &rows, &mut |graph, input| {
            let info = graph.input_info(input).clone();
            let Some(Dim::Rows(data)) = info.shape.0.first() else { return None };
            let (to, rows) = swap.get(data)?;
            let values = whole.get(&input).filter(|_| to != data)?;
            Some(*elsewhere.entry((input, *to)).or_insert_with(|| {
                let values = Arc::new(chosen(values, rows));
                let new = graph.input(format!("{} on {part}", info.name), InputKind::Column(*to), shape_of(&values, true, *to));
                graph.as_input(new).map(|input| known.insert(input, values));
                new
            }))
        });
        list.first().copied()
    }
}

impl Lower<'_> {
    /// `E on test`.
    pub(crate) fn on(&mut self, base: &Expr, part: &Ident) -> R<Id> {
        let id = self.node(base)?;
        if let Some(there) = self.model.on(id, &part.name) {
            return Ok(there);
        }
        let found = self.model.rows_of(id);
        let names: Vec<String> = found.iter().map(|data| format!("`{}`", self.model.name_of(*data))).collect();
        let parts: Vec<String> = found
            .iter()
            .filter_map(|data| self.model.data.get(data.0 as usize))
            .flat_map(|data| data.parts.iter().map(|p| p.name.clone()))
            .collect();
        if part.name == "train" && !found.is_empty() && parts.is_empty() {
            return Ok(id);
        }
        let text = print::expr(base);
        if found.is_empty() {
            let message = format!("`{text}` does not depend on the rows of a dataset");
            let d = Diagnostic::error("E0532", base.span, message).here("the same on all rows");
            return self.fail(
                d.help(format!("`on` holds as tight as an index: a longer expression stands in parentheses, `(..) on {}`", part.name)),
            );
        }
        let message = if part.name == "batch" {
            "`on batch` is the loss that a step differentiates, in outputs and stop conditions".to_string()
        } else {
            format!("{} has no part called `{}`", names.join(", "), part.name)
        };
        let d = Diagnostic::error("E0531", part.span, message);
        if parts.is_empty() {
            return self
                .fail(d.here("not split").help(format!("in the dataset: `split train = 0.8, {} = rest, shuffle = true`", part.name)));
        }
        let d = d.here(format!("parts: {}", parts.join(", ")));
        match did_you_mean(&part.name, parts.iter().map(String::as_str)) {
            Some(near) => {
                let near = near.to_string();
                self.fail(d.replace(part.span, near.clone(), format!("did you mean `{near}`?")))
            }
            None => self.fail(d),
        }
    }
}
