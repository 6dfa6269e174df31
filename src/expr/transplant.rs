//! The same expression over other rows: inputs and row dimensions are replaced.
//!
//! It knows no datasets: who calls it says which rows stand for which, and gives the inputs.

use super::graph::{Graph, Id};
use super::op::{InputId, Op};
use crate::shape::{DataId, Dim, Shape};

/// Gives the input that stands for another; the same one where nothing does.
pub type Inputs<'i> = &'i mut dyn FnMut(&mut Graph, InputId) -> Option<Id>;

/// Copies expressions to other rows. Every input and every row dimension below the roots is replaced.
pub fn transplant(graph: &mut Graph, roots: &[Id], rows: &dyn Fn(DataId) -> DataId, inputs: Inputs<'_>) -> Vec<Id> {
    let mut map: Vec<Option<Id>> = vec![None; graph.len()];
    for id in graph.reachable(roots) {
        map[id.index()] = Some(copied(graph, id, rows, inputs, &|arg| map[arg.index()].unwrap_or(arg)));
    }
    roots.iter().map(|root| map[root.index()].unwrap_or(*root)).collect()
}

/// The expression in which every reduction over the rows `all` runs over the rows `some` of them instead.
///
/// What has a value in each row keeps one in each row; what is chosen by number is chosen among all.
pub fn reduce_over(graph: &mut Graph, root: Id, all: DataId, some: DataId, inputs: Inputs<'_>) -> Id {
    let order = graph.reachable(&[root]);
    let by_row = |graph: &Graph, id: Id| graph.shape(id).0.contains(&Dim::Rows(all));
    let reduces = |graph: &Graph, id: Id| {
        let node = graph.node(id);
        let chooses = matches!(node.op, Op::Slice { .. } | Op::Gather(_) | Op::Squeeze(_));
        !by_row(graph, id) && !chooses && node.args.iter().any(|&arg| by_row(graph, arg))
    };
    let mut wanted = vec![false; graph.len()];
    for &id in order.iter().rev() {
        if reduces(graph, id) || wanted[id.index()] && by_row(graph, id) {
            for &arg in &graph.node(id).args {
                wanted[arg.index()] = true;
            }
        }
    }
    let rows = |data: DataId| if data == all { some } else { data };
    let mut of_all: Vec<Option<Id>> = vec![None; graph.len()];
    let mut of_some = of_all.clone();
    for id in order {
        let (whole, part) = (|arg: Id| of_all[arg.index()].unwrap_or(arg), |arg: Id| of_some[arg.index()].unwrap_or(arg));
        let here = match graph.node(id).op {
            Op::RowCount(data) => graph.add(Op::RowCount(rows(data)), &[]),
            _ if reduces(graph, id) => copied(graph, id, &rows, &mut |_, _| None, &part),
            _ => copied(graph, id, &|data| data, &mut |_, _| None, &whole),
        };
        let apart = wanted[id.index()] && by_row(graph, id);
        let there = if apart { copied(graph, id, &rows, inputs, &part) } else { here };
        of_all[id.index()] = Some(here);
        of_some[id.index()] = Some(there);
    }
    of_all[root.index()].unwrap_or(root)
}

/// Whether an operation mixes the rows of its argument and yet has a value in each of them.
#[must_use]
pub fn mixes_rows(graph: &Graph, id: Id, data: DataId) -> bool {
    let node = graph.node(id);
    let along = |axis: usize| node.args.first().is_some_and(|&arg| graph.shape(arg).0.get(axis) == Some(&Dim::Rows(data)));
    match node.op {
        Op::Cumsum { axis, .. } | Op::Sort(axis) | Op::ArgSort(axis) | Op::Softmax(axis) | Op::LogSoftmax(axis) => along(axis),
        _ => false,
    }
}

fn copied(graph: &mut Graph, id: Id, rows: &dyn Fn(DataId) -> DataId, inputs: Inputs<'_>, args: &dyn Fn(Id) -> Id) -> Id {
    let node = graph.node(id).clone();
    if let Op::Input(input) = node.op {
        return inputs(graph, input).unwrap_or(id);
    }
    let new: Vec<Id> = node.args.iter().map(|&arg| args(arg)).collect();
    let op = moved(node.op, rows);
    if op == graph.node(id).op && new[..] == node.args[..] {
        return id;
    }
    let span = graph.span(id);
    let copy = graph.add(op, &new);
    if let Some(span) = span {
        graph.set_span(copy, span);
    }
    copy
}

/// An operation with the row dimensions that it names replaced.
fn moved(op: Op, rows: &dyn Fn(DataId) -> DataId) -> Op {
    let dim = |dim: Dim| match dim {
        Dim::Rows(data) => Dim::Rows(rows(data)),
        Dim::Size(_) => dim,
    };
    match op {
        Op::RowCount(data) => Op::RowCount(rows(data)),
        Op::Broadcast(shape) => Op::Broadcast(Shape(shape.0.into_iter().map(dim).collect())),
        Op::Reshape(shape) => Op::Reshape(Shape(shape.0.into_iter().map(dim).collect())),
        Op::Unslice { axis, start, step, size } => Op::Unslice { axis, start, step, size: dim(size) },
        Op::ScatterAdd { axis, size } => Op::ScatterAdd { axis, size: dim(size) },
        other => other,
    }
}
