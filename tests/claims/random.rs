//! Random expressions: what is proved is the same in numbers, and what was changed in one place is refuted or was no change.

use optrun::expr::eval::evaluate;
use optrun::expr::graph::{Graph, Id, InputKind};
use optrun::expr::normal::{Facts, Normal};
use optrun::expr::op::{Binary, InputId, Op, Reduce, Unary};
use optrun::numeric::random::Stream;
use optrun::shape::{RowCounts, Shape};

/// A random expression of shape [3, 3], over two matrices, a vector and a number.
fn grow(graph: &mut Graph, stream: &mut Stream, inputs: &[Id], depth: u32) -> Id {
    let shape = Shape::fixed(&[3, 3]);
    let pick = |stream: &mut Stream, n: u64| stream.next_u64() % n;
    if depth == 0 {
        let id = inputs[pick(stream, inputs.len() as u64) as usize];
        return match pick(stream, 6) {
            0 => {
                let x = graph.number([2.0, -1.0, 0.5, 3.0][pick(stream, 4) as usize]);
                graph.broadcast_to(x, &shape)
            }
            _ => graph.broadcast_to(id, &shape),
        };
    }
    let a = grow(graph, stream, inputs, depth - 1);
    match pick(stream, 14) {
        0..=2 => {
            let b = grow(graph, stream, inputs, depth - 1);
            graph.binary(Binary::Add, a, b)
        }
        3 => {
            let b = grow(graph, stream, inputs, depth - 1);
            graph.binary(Binary::Sub, a, b)
        }
        4..=5 => {
            let b = grow(graph, stream, inputs, depth - 1);
            graph.binary(Binary::Mul, a, b)
        }
        6..=7 => {
            let b = grow(graph, stream, inputs, depth - 1);
            graph.add(Op::MatMul, &[a, b])
        }
        8 => graph.add(Op::Transpose, &[a]),
        9 => {
            let sum = graph.reduce(Reduce::Sum, (pick(stream, 2)) as usize, a);
            graph.broadcast_to(sum, &shape)
        }
        10 => graph.add(Op::Softmax(1), &[a]),
        11 => graph.unary([Unary::Sigmoid, Unary::Tanh, Unary::Softplus, Unary::Abs, Unary::Relu, Unary::Sin][pick(stream, 6) as usize], a),
        12 => {
            let s = graph.unary(Unary::Square, a);
            graph.unary(Unary::Sqrt, s)
        }
        _ => {
            let slice = graph.add(Op::Slice { axis: 0, start: pick(stream, 3) as usize, step: 1, len: 1 }, &[a]);
            graph.broadcast_to(slice, &shape)
        }
    }
}

/// Another way to write an expression; every other one of them wrong.
fn rewritten(graph: &mut Graph, stream: &mut Stream, id: Id, wrong: &mut bool) -> Id {
    let node = graph.node(id).clone();
    if node.args.is_empty() {
        return id;
    }
    let args: Vec<Id> = node.args.iter().map(|&arg| rewritten(graph, stream, arg, wrong)).collect();
    let new = graph.add(node.op.clone(), &args);
    let chance = stream.next_u64() % 24;
    match (&node.op, chance) {
        (Op::Binary(Binary::Add | Binary::Mul), 0..=5) => graph.add(node.op.clone(), &[args[1], args[0]]),
        (Op::Binary(Binary::Sub), 0..=5) => {
            let minus = graph.unary(Unary::Neg, args[1]);
            graph.binary(Binary::Add, args[0], minus)
        }
        (Op::MatMul, 0..=8) => {
            let (a, b) = (graph.add(Op::Transpose, &[args[0]]), graph.add(Op::Transpose, &[args[1]]));
            let product = graph.add(Op::MatMul, &[b, a]);
            graph.add(Op::Transpose, &[product])
        }
        (Op::Unary(Unary::Sigmoid), 0..=10) => {
            let minus = graph.unary(Unary::Neg, args[0]);
            let e = graph.unary(Unary::Exp, minus);
            let one = graph.number(1.0);
            let below = graph.binary(Binary::Add, one, e);
            graph.binary(Binary::Div, one, below)
        }
        (Op::Binary(Binary::Add), 20) => {
            *wrong = true;
            graph.binary(Binary::Sub, args[0], args[1])
        }
        (Op::MatMul, 20..=21) => {
            *wrong = true;
            graph.add(Op::MatMul, &[args[1], args[0]])
        }
        (_, 23) if node.shape.rank() == 2 && node.shape.0[0] == node.shape.0[1] => {
            *wrong = true;
            graph.add(Op::Transpose, &[new])
        }
        _ => new,
    }
}

#[test]
fn what_is_proved_is_the_same_in_numbers() {
    let (mut proved, mut kept, mut changed) = (0, 0, 0);
    for trial in 0..400u64 {
        let mut stream = Stream::new(trial, "test", "claims", &[]);
        let mut graph = Graph::new();
        let a = graph.input("A", InputKind::Param, Shape::fixed(&[3, 3]));
        let b = graph.input("B", InputKind::Param, Shape::fixed(&[3, 3]));
        let v = graph.input("v", InputKind::Param, Shape::fixed(&[3]));
        let c = graph.input("c", InputKind::Param, Shape::scalar());
        let left = grow(&mut graph, &mut stream, &[a, b, v, c], 3);
        let mut wrong = false;
        let right = rewritten(&mut graph, &mut stream, left, &mut wrong);
        let facts = Facts::default();
        let same = Normal::new(&graph, &facts).same(left, right);
        let mut differs = false;
        for _ in 0..4 {
            let values: Vec<ndarray::ArrayD<f64>> = [vec![3, 3], vec![3, 3], vec![3], vec![]]
                .into_iter()
                .map(|sizes| ndarray::ArrayD::from_shape_fn(sizes, |_| stream.normal_with(0.0, 1.0)))
                .collect();
            let inputs = |input: InputId| values.get(input.0 as usize).cloned();
            let found = evaluate(&graph, &[left, right], &inputs, &RowCounts::default()).unwrap();
            let scale = found[0].iter().chain(&found[1]).fold(1.0f64, |m, x| m.max(x.abs()));
            differs |= found[0].iter().zip(&found[1]).any(|(x, y)| (x - y).abs() > 1e-9 * scale);
        }
        assert!(!(same && differs), "trial {trial} is proved and differs");
        proved += usize::from(same);
        kept += usize::from(!wrong);
        changed += usize::from(differs);
    }
    // A prover that proves nothing is sound, too.
    assert!(proved * 10 >= kept * 8, "{proved} of {kept} are proved");
    assert!(changed >= 40, "{changed} were changed");
}
