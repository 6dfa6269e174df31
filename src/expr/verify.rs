//! The facts that every graph keeps, checked after passes in debug builds and in tests.
//!
//! It does not judge what the user wrote: a graph that fails here is our bug.

use super::graph::{Graph, Input, Node};
use super::op::Op;
use crate::shape::{Dim, Shape};

/// Children precede parents, operations have their arguments, and shapes are what the shape rules say.
///
/// # Errors
/// The first node that breaks this, in words.
pub fn verify(graph: &Graph) -> Result<(), String> {
    verify_nodes(graph.nodes(), graph.inputs())
}

fn verify_nodes(nodes: &[Node], inputs: &[Input]) -> Result<(), String> {
    for (index, node) in nodes.iter().enumerate() {
        verify_node(index, node, nodes, inputs).map_err(|why| format!("node {index}, {:?}: {why}", node.op))?;
    }
    Ok(())
}

fn verify_node(index: usize, node: &Node, nodes: &[Node], inputs: &[Input]) -> Result<(), String> {
    if let Some(late) = node.args.iter().find(|arg| arg.index() >= index) {
        return Err(format!("argument {} does not precede it", late.0));
    }
    match node.op.arity() {
        Some(n) if n != node.args.len() => return Err(format!("{} arguments instead of {n}", node.args.len())),
        None if node.args.is_empty() => return Err("no arguments".to_string()),
        _ => {}
    }
    let args: Vec<&Shape> = node.args.iter().map(|arg| &nodes[arg.index()].shape).collect();
    let shape = match &node.op {
        Op::Input(input) => inputs.get(input.0 as usize).ok_or("no such input")?.shape.clone(),
        op => op.shape(&args).map_err(|error| format!("{error:?}"))?,
    };
    if shape != node.shape {
        return Err(format!("shape {} instead of {shape}", node.shape));
    }
    match &node.op {
        Op::Literal(literal) if literal.sizes.iter().product::<usize>() != literal.values.len() => {
            Err(format!("{} numbers for sizes {:?}", literal.values.len(), literal.sizes))
        }
        Op::Slice { axis, start, step, len } => within(*start, *step, Dim::Size(*len), args[0].0[*axis]),
        Op::Unslice { axis, start, step, size } => within(*start, *step, args[0].0[*axis], *size),
        _ => Ok(()),
    }
}

/// Whether a slice stays on its axis. How long an axis of rows is, only the data say.
fn within(start: usize, step: isize, len: Dim, size: Dim) -> Result<(), String> {
    let (Dim::Size(len), Dim::Size(size)) = (len, size) else { return Ok(()) };
    let last = |steps: usize| start.checked_add_signed(step.checked_mul(isize::try_from(steps).ok()?)?);
    let inside = |place: Option<usize>| place.is_some_and(|at| at < size);
    if len == 0 || (inside(Some(start)) && inside(last(len - 1))) { Ok(()) } else { Err(format!("leaves its axis of {size}")) }
}

#[cfg(test)]
mod tests {
    use super::super::graph::{Id, InputKind};
    use super::super::op::{Binary, Reduce, Unary};
    use super::*;

    type Break = fn(&mut Vec<Node>);

    fn sound() -> Graph {
        let mut graph = Graph::new();
        let x = graph.input("x", InputKind::Param, Shape::fixed(&[3, 2]));
        let y = graph.literal(&[2], &[1.0, 2.0]);
        let sum = graph.binary(Binary::Add, x, y);
        let slice = graph.add(Op::Slice { axis: 0, start: 2, step: -2, len: 2 }, &[sum]);
        graph.reduce(Reduce::Sum, 1, slice);
        graph
    }

    #[test]
    fn a_sound_graph_passes_and_every_break_is_found() {
        let graph = sound();
        assert_eq!(verify(&graph), Ok(()));
        let breaks: [(&str, Break); 7] = [
            ("does not precede", |nodes| nodes[2].args[0] = Id(2)),
            ("does not precede", |nodes| nodes[2].args[1] = Id(4)),
            ("arguments instead of 1", |nodes| nodes[2].op = Op::Unary(Unary::Abs)),
            ("Axis(7", |nodes| nodes[4].op = Op::Reduce(Reduce::Sum, 7)),
            ("shape [3, 2] instead of [2]", |nodes| nodes[4].shape = Shape::fixed(&[3, 2])),
            ("leaves its axis", |nodes| nodes[3].op = Op::Slice { axis: 0, start: 1, step: -2, len: 2 }),
            ("no arguments", |nodes| (nodes[3].op, nodes[3].args) = (Op::Concat(0), Box::new([]))),
        ];
        for (words, break_it) in breaks {
            let mut nodes = graph.nodes().to_vec();
            break_it(&mut nodes);
            let error = verify_nodes(&nodes, graph.inputs()).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        assert!(verify_nodes(graph.nodes(), &[]).unwrap_err().contains("no such input"));
    }
}
