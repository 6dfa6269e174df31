//! What depends on data and constants alone, evaluated once by the dense evaluator and shared by all runs.
//!
//! With minibatches only what belongs to single rows stays fixed: a batch picks rows of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::buffer::Buffer;
use super::map::{Map, compose, features, moves};
use crate::expr::eval::{EvalError, Tensor, evaluate};
use crate::expr::graph::{Graph, Id, Node};
use crate::expr::op::{Binary, InputId, Op, Unary};
use crate::shape::{DataId, Dim, RowCounts, Shape};

/// Where the rows of a shape are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Nowhere.
    Small,
    /// Along one axis.
    Rows(DataId, usize),
    /// Along several.
    Wide,
}

/// Where the rows of a shape are.
pub(super) fn form(shape: &Shape) -> Form {
    let mut rows = shape.0.iter().enumerate().filter_map(|(axis, dim)| if let Dim::Rows(data) = dim { Some((*data, axis)) } else { None });
    match (rows.next(), rows.next()) {
        (None, _) => Form::Small,
        (Some((data, axis)), None) => Form::Rows(data, axis),
        _ => Form::Wide,
    }
}

/// A fixed value with rows, as `[row/8][feature][8 rows]`.
#[derive(Debug, Clone)]
pub struct Column {
    /// Whose rows.
    pub data: DataId,
    /// Features of a row.
    pub features: usize,
    /// The numbers; those beyond the last row are zero.
    pub buffer: Arc<Buffer>,
}

/// The fixed values of a graph.
#[derive(Debug, Clone)]
pub struct Fixed {
    is: Vec<bool>,
    arrays: BTreeMap<Id, Tensor>,
    numbers: BTreeMap<Id, u32>,
    columns: Vec<Column>,
    /// Of the nodes that only rearrange: what, and how.
    views: BTreeMap<Id, (Id, Map)>,
    /// Whether columns that are kept as bytes are read as bytes.
    narrow: bool,
}

impl Fixed {
    /// Evaluates what the roots need and what does not change from step to step. The rows of `batch` change;
    /// columns that `other` has are shared with it.
    ///
    /// # Errors
    /// As [`evaluate`].
    pub fn of(
        graph: &Graph,
        roots: &[Id],
        rows: &RowCounts,
        columns: &[(InputId, Arc<Tensor>)],
        batch: Option<DataId>,
        other: Option<&Fixed>,
    ) -> Result<Fixed, EvalError> {
        let given: BTreeMap<InputId, &Arc<Tensor>> = columns.iter().map(|(input, value)| (*input, value)).collect();
        let needed = graph.reachable(roots);
        let mut fixed = Fixed {
            is: vec![false; graph.len()],
            arrays: BTreeMap::new(),
            numbers: BTreeMap::new(),
            columns: Vec::new(),
            views: BTreeMap::new(),
            narrow: false,
        };
        for &id in &needed {
            let node = graph.node(id);
            fixed.is[id.index()] = match node.op {
                Op::Input(input) => given.contains_key(&input),
                Op::RowCount(data) => Some(data) != batch,
                _ => node.args.iter().all(|arg| fixed.is[arg.index()]) && batch.is_none_or(|batch| by_rows(graph, node, batch)),
            };
        }
        for &id in &needed {
            fixed.look(graph, id);
        }
        let used = needed.iter().filter(|id| !fixed.is[id.index()]).flat_map(|id| graph.node(*id).args.iter()).chain(roots);
        let mut frontier: Vec<Id> = used.map(|&id| fixed.view(id).0).filter(|id| fixed.is[id.index()]).collect();
        frontier.sort_unstable();
        frontier.dedup();
        let mut fresh = Vec::new();
        for id in frontier {
            let known = other.and_then(|other| other.numbers.get(&id).map(|&number| other.columns[number as usize].clone()));
            match known {
                Some(column) => fixed.push(id, column),
                None => fresh.push(id),
            }
        }
        let values = evaluate(graph, &fresh, &|input| given.get(&input).map(|value| (***value).clone()), rows)?;
        for (id, value) in fresh.into_iter().zip(values) {
            if let Form::Rows(data, axis) = form(graph.shape(id)) {
                let features = features(graph.shape(id));
                fixed.push(id, Column { data, features, buffer: Arc::new(pack(&value, axis, features)) });
            } else {
                fixed.arrays.insert(id, value);
            }
        }
        Ok(fixed)
    }

    /// Keeps columns of so many bytes and more as bytes, too, where that loses nothing, and lets passes read these: from memory an eighth
    /// comes faster, by more than it takes to make it whole again.
    pub fn narrow(&mut self, from: usize) {
        self.narrow = true;
        for column in &mut self.columns {
            if column.buffer.octets().len() * 64 >= from
                && let Some(buffer) = Arc::get_mut(&mut column.buffer)
            {
                buffer.narrow();
            }
        }
    }

    /// Whether a column is read as bytes.
    pub(super) fn is_narrow(&self, column: u32) -> bool {
        self.narrow && !self.columns[column as usize].buffer.bytes().is_empty()
    }

    /// Whether a column is one less another, or another negated.
    pub(super) fn is_complement(&self, graph: &Graph, column: u32, of: u32) -> [bool; 2] {
        let node = |column: u32| self.numbers.iter().find(|(_, number)| **number == column).map(|(&id, _)| id);
        let (Some(id), Some(of)) = (node(column), node(of)) else { return [false; 2] };
        let args = &graph.node(id).args;
        let one_less = graph.node(id).op == Op::Binary(Binary::Sub) && args[1] == of && graph.as_const(self.view(args[0]).0) == Some(1.0);
        [one_less, graph.node(id).op == Op::Unary(Unary::Neg) && args[0] == of]
    }

    fn push(&mut self, id: Id, column: Column) {
        self.numbers.insert(id, self.columns.len() as u32);
        self.columns.push(column);
    }

    /// All fixed values with rows.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Whether a node is one of them.
    #[must_use]
    pub fn is_fixed(&self, id: Id) -> bool {
        self.is[id.index()]
    }

    pub(super) fn array(&self, id: Id) -> Option<&Tensor> {
        self.arrays.get(&id)
    }

    pub(super) fn column(&self, id: Id) -> Option<u32> {
        self.numbers.get(&id).copied()
    }

    /// The value that a node is a rearrangement of, and how.
    pub(super) fn view(&self, id: Id) -> (Id, Map) {
        self.views.get(&id).cloned().unwrap_or((id, None))
    }

    /// Notes what a node is a rearrangement of; its argument has been noted. Fixed values are rearranged beforehand, unless that would only
    /// repeat them.
    fn look(&mut self, graph: &Graph, id: Id) {
        let node = graph.node(id);
        let Some(&source) = node.args.first() else { return };
        if form(&node.shape) == Form::Wide || form(graph.shape(source)) == Form::Wide {
            return;
        }
        let Some(step) = moves(&node.op, graph.shape(source), &node.shape) else { return };
        if self.is[id.index()] && step.is_some() && !matches!(node.op, Op::Broadcast(_)) {
            return;
        }
        let (base, map) = self.view(source);
        self.views.insert(id, (base, compose(&step, &map)));
    }
}

/// Whether each row of the result needs only the same row of the arguments that have rows of the batch.
fn by_rows(graph: &Graph, node: &Node, batch: DataId) -> bool {
    let place = |shape: &Shape| shape.0.iter().position(|&dim| dim == Dim::Rows(batch));
    let rows: Vec<Option<usize>> = node.args.iter().map(|&arg| place(graph.shape(arg))).collect();
    if rows.iter().all(Option::is_none) {
        return place(&node.shape).is_none();
    }
    if form(&node.shape) == Form::Wide {
        return false;
    }
    match &node.op {
        Op::Unary(_)
        | Op::Binary(_)
        | Op::Select
        | Op::Transpose
        | Op::Expand(_)
        | Op::Squeeze(_)
        | Op::Broadcast(_)
        | Op::Pick
        | Op::Unpick(_)
        | Op::OneHot(_) => true,
        Op::Reduce(_, axis)
        | Op::Sort(axis)
        | Op::ArgSort(axis)
        | Op::Softmax(axis)
        | Op::LogSoftmax(axis)
        | Op::Cumsum { axis, .. }
        | Op::Concat(axis)
        | Op::Slice { axis, .. }
        | Op::Unslice { axis, .. } => rows[0] != Some(*axis),
        Op::MatMul => place(&node.shape).is_some(),
        Op::Gather(axis) => (rows[0].is_none() && rows[1].is_some()) || (rows[0].is_some_and(|row| row != *axis) && rows[1].is_none()),
        Op::Const(_)
        | Op::Literal(_)
        | Op::Input(_)
        | Op::RowCount(_)
        | Op::Reshape(_)
        | Op::ScatterAdd { .. }
        | Op::Solve
        | Op::SpectralNorm
        | Op::PsdPart => false,
    }
}

/// Rows in front, in octets.
fn pack(value: &Tensor, axis: usize, features: usize) -> Buffer {
    let rows = value.shape()[axis];
    let mut buffer = Buffer::zeros(rows.div_ceil(8) * features);
    let numbers = buffer.numbers_mut();
    for (row, part) in value.axis_iter(ndarray::Axis(axis)).enumerate() {
        for (feature, &x) in part.iter().enumerate() {
            numbers[(row / 8 * features + feature) * 8 + row % 8] = x;
        }
    }
    buffer
}
