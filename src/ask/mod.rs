//! Questions about a program: what its stages make of it, what its derivatives are.
//!
//! Nothing here runs a sweep: `diagnose` is handed what does.

mod claims;
mod dense;
mod diagnose;
mod explain;
mod grad;
mod gradients;
mod optimizers;
mod steps;

pub use claims::{ClaimResult, Verdict, claims};
pub use diagnose::{Diagnosis, diagnose};
pub use explain::{gradient, graph, program, rewritten};
pub use grad::{Answer, grad};
pub use gradients::{GradientTable, gradient_checks};

use std::collections::BTreeMap;

use crate::check::Program;
use crate::check::lower::Val;
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::op::Op;
use crate::expr::print::Names;
use crate::shape::{DataId, RowCounts};

/// The names that formulas of a program may use: its `let`s, losses and metrics.
fn names(program: &Program) -> Names {
    let graph = &program.model.graph;
    let mut nodes: BTreeMap<Id, String> = BTreeMap::new();
    for (name, value) in &program.model.names {
        if let Val::Node(id) = value
            && !matches!(graph.node(*id).op, Op::Input(_) | Op::Const(_) | Op::Literal(_))
        {
            nodes.entry(*id).or_insert_with(|| name.clone());
        }
    }
    let mut rows: BTreeMap<DataId, String> = BTreeMap::new();
    for input in graph.inputs() {
        if let InputKind::Column(data) = input.kind
            && input.shape.has_rows()
        {
            // The widest column is the one that a course would write.
            let text = format!("rows({})", input.name);
            if input.shape.rank() == 2 || !rows.contains_key(&data) {
                rows.insert(data, text);
            }
        }
    }
    Names { nodes, rows }
}

/// A count with its thousands apart: `1,000`.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// About how many operations a value takes.
fn work(rows: &RowCounts, graph: &Graph, roots: &[Id]) -> usize {
    let count = |id: Id| rows.count(graph.shape(id)).unwrap_or(usize::MAX);
    let one = |id: Id| match (&graph.node(id).op, &graph.node(id).args[..]) {
        (Op::MatMul, [a, _]) => count(id).saturating_mul(graph.shape(*a).0.last().map_or(1, |&dim| rows.of(dim))),
        _ => count(id),
    };
    graph.reachable(roots).into_iter().fold(1, |sum, id| sum.saturating_add(one(id)))
}
