//! The tape gives the bits of the dense evaluator, for every operation, number of lanes, size of blocks and level of the CPU.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use optrun::compile::buffer::{Buffer, Window};
use optrun::compile::fixed::Fixed;
use optrun::compile::tape::Lanes;
use optrun::compile::{Request, compile};
use optrun::expr::eval::{Tensor, evaluate};
use optrun::expr::graph::{Graph, Id, InputKind};
use optrun::expr::op::{Binary, InputId, Op, Reduce, Unary};
use optrun::expr::print::dump;
use optrun::numeric::dispatch::Level;
use optrun::run::machine::{self, Linked};
use optrun::shape::{DataId, Dim, RowCounts, Shape};

const ROWS: Dim = Dim::Rows(DataId(0));
const OTHER_ROWS: Dim = Dim::Rows(DataId(1));
/// Rows of a second dataset.
const OTHER: usize = 5;

/// The generator `splitmix64` of Steele, Lea and Flood: the test's own randomness.
struct Random(u64);

impl Random {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        z ^ (z >> 31)
    }

    /// Between -6 and 6, more often near 0.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| (self.next_u64() >> 11) as f64 / 9007199254740992.0).sum::<f64>() - 6.0
    }
}

/// A program with columns that are fixed and inputs that differ from lane to lane.
struct Program {
    graph: Graph,
    columns: Vec<(InputId, Arc<Tensor>)>,
    inputs: Vec<(InputId, Vec<Tensor>)>,
    roots: Vec<Id>,
    rows: usize,
}

struct Build {
    random: Random,
    program: Program,
    nodes: Vec<Id>,
}

impl Build {
    fn new(seed: u64, rows: usize) -> Self {
        let program = Program { graph: Graph::new(), columns: Vec::new(), inputs: Vec::new(), roots: Vec::new(), rows };
        Build { random: Random(seed), program, nodes: Vec::new() }
    }

    fn below(&mut self, n: usize) -> usize {
        (self.random.next_u64() % n as u64) as usize
    }

    fn number(&mut self) -> f64 {
        match self.below(24) {
            0 => 0.0,
            1 => -0.0,
            2 => 1.0,
            3 => -3.0,
            4 => 1e3 * self.random.normal(),
            _ => self.random.normal(),
        }
    }

    fn tensor(&mut self, shape: &Shape) -> Tensor {
        let sizes = RowCounts(vec![self.program.rows, OTHER]).sizes(shape);
        let count = sizes.iter().product();
        Tensor::from_shape_vec(sizes, (0..count).map(|_| self.number()).collect()).unwrap()
    }

    fn column(&mut self, dims: &[Dim]) {
        let shape = Shape(dims.to_vec());
        let value = Arc::new(self.tensor(&shape));
        let id = self.program.graph.input("column", InputKind::Column(DataId(0)), shape);
        self.program.columns.push((self.program.graph.as_input(id).unwrap(), value));
        self.nodes.push(id);
    }

    fn param(&mut self, sizes: &[usize]) {
        let shape = Shape::fixed(sizes);
        let values = (0..8).map(|_| self.tensor(&shape)).collect();
        let id = self.program.graph.input("param", InputKind::Param, shape);
        self.program.inputs.push((self.program.graph.as_input(id).unwrap(), values));
        self.nodes.push(id);
    }

    fn node(&mut self) -> Id {
        let n = self.nodes.len();
        // Later nodes more often, so that programs get deep.
        let at = self.below(n).max(self.below(n));
        self.nodes[at]
    }

    fn grow(&mut self) {
        let kind = self.below(34);
        let (a, b, c) = (self.node(), self.node(), self.node());
        let shape = self.program.graph.shape(a).clone();
        let axis = self.below(shape.rank().max(1));
        let dim = shape.0.get(axis).copied();
        let size = if let Some(Dim::Size(n)) = dim { n } else { 1 };
        let (op, args): (Op, Vec<Id>) = match kind {
            0..6 => (Op::Unary(Unary::ALL[self.below(Unary::ALL.len())]), vec![a]),
            6..15 => (Op::Binary(Binary::ALL[self.below(Binary::ALL.len())]), vec![a, b]),
            15 => (Op::Select, vec![a, b, c]),
            16..20 => {
                let all = [
                    Reduce::Sum,
                    Reduce::Sum,
                    Reduce::Max,
                    Reduce::Min,
                    Reduce::Prod,
                    Reduce::ArgMax,
                    Reduce::ArgMin,
                    Reduce::LogSumExp,
                    Reduce::Median,
                    Reduce::SumLog1p,
                ];
                (Op::Reduce(all[self.below(all.len())], axis), vec![a])
            }
            20 => (Op::Softmax(axis), vec![a]),
            21 => (Op::LogSoftmax(axis), vec![a]),
            22 => (Op::Cumsum { axis, reverse: self.below(2) == 1 }, vec![a]),
            23 => (if self.below(2) == 0 { Op::Sort(axis) } else { Op::ArgSort(axis) }, vec![a]),
            24..28 => {
                let left = if self.below(2) == 0 { self.program.graph.add(Op::Transpose, &[a]) } else { a };
                (Op::MatMul, vec![left, b])
            }
            28 => (Op::Transpose, vec![a]),
            29 => (Op::Expand(self.below(shape.rank() + 1)), vec![a]),
            30 => {
                let start = self.below(size);
                let (step, most) = if self.below(2) == 0 { (1, size - start) } else { (-1, start + 1) };
                if size < 2 || matches!(dim, Some(ROWS)) {
                    return;
                }
                (Op::Slice { axis, start, step, len: 1 + self.below(most) }, vec![a])
            }
            31 => match dim {
                Some(Dim::Size(n)) => (Op::Unslice { axis, start: 2 * (n - 1) + 1, step: -2, size: Dim::Size(2 * n) }, vec![a]),
                _ => return,
            },
            32 => (Op::Concat(axis), vec![a, b]),
            _ => match self.below(5) {
                0 => (Op::RowCount(DataId(0)), vec![]),
                1 if shape.rank() == 1 && self.program.graph.shape(b) == &shape => (Op::Unpick(3), vec![a, self.index(b, 3)]),
                2 if shape.rank() == 1 => (Op::OneHot(3), vec![self.index(a, 3)]),
                3 if shape.rank() == 2 && matches!(shape.0[1], Dim::Size(_)) => {
                    let first = self.program.graph.reduce(Reduce::Sum, 1, a);
                    let Dim::Size(k) = shape.0[1] else { return };
                    (Op::Pick, vec![a, self.index(first, k)])
                }
                _ => (Op::Broadcast(self.program.graph.shape(b).clone()), vec![a]),
            },
        };
        if shape.rank() == 0
            && !matches!(op, Op::Unary(_) | Op::Binary(_) | Op::Select | Op::Broadcast(_) | Op::Expand(_) | Op::RowCount(_))
        {
            return;
        }
        if let Ok(id) = self.program.graph.try_add(op, &args) {
            let shape = self.program.graph.shape(id);
            if shape.rank() <= 3 && RowCounts(vec![self.program.rows, OTHER]).count(shape).is_some_and(|n| n <= 20_000) {
                self.nodes.push(id);
            }
        }
    }

    /// `x` made into whole numbers below `k`.
    fn index(&mut self, x: Id, k: usize) -> Id {
        let graph = &mut self.program.graph;
        let (size, zero) = (graph.number(k as f64), graph.number(0.0));
        let floor = graph.unary(Unary::Floor, x);
        let index = graph.binary(Binary::Mod, floor, size);
        // What is not finite becomes 0.
        let fine = graph.binary(Binary::Lt, index, size);
        graph.add(Op::Select, &[fine, index, zero])
    }
}

fn program(seed: u64, rows: usize, nodes: usize) -> Program {
    let mut build = Build::new(seed, rows);
    build.column(&[ROWS, Dim::Size(3)]);
    build.column(&[ROWS]);
    build.column(&[ROWS, Dim::Size(9)]);
    build.column(&[OTHER_ROWS, Dim::Size(3)]);
    build.column(&[OTHER_ROWS]);
    build.param(&[]);
    build.param(&[3]);
    build.param(&[9]);
    build.param(&[3, 9]);
    build.param(&[9, 3]);
    build.param(&[1, 9]);
    for _ in 0..nodes {
        build.grow();
    }
    let count = build.nodes.len();
    for _ in 0..4 {
        let root = build.nodes[11 + build.random.next_u64() as usize % (count - 11)];
        build.program.roots.push(root);
    }
    build.program
}

/// All NaN are one.
fn bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
}

/// The roots of each lane.
fn by_tape(program: &Program, lanes: Lanes, block: usize, level: Level, batch: bool) -> Vec<Vec<Vec<u64>>> {
    let rows = RowCounts(vec![program.rows, OTHER]);
    let batch = batch.then_some(DataId(0));
    let fixed = Fixed::of(&program.graph, &program.roots, &rows, &program.columns, batch, None).unwrap();
    let mut inputs = Vec::new();
    let mut start = 0;
    for (input, values) in &program.inputs {
        inputs.push((*input, start));
        start += lanes.octets(values[0].len());
    }
    let request = Request {
        graph: &program.graph,
        roots: &program.roots,
        rows: &rows,
        fixed: &fixed,
        inputs: &inputs,
        start,
        lanes,
        block: Some(block),
    };
    let tape = compile(&request);
    let columns: Vec<Window> = fixed.columns().iter().map(|column| column.buffer.clone().into()).collect();
    let mut results = Vec::new();
    for group in 0..8 / lanes.count() {
        let mut memory = Buffer::zeros(tape.end);
        machine::prepare(&tape, &mut memory);
        for ((_, values), (_, at)) in program.inputs.iter().zip(&inputs) {
            for lane in 0..lanes.count() {
                for (element, &x) in values[group * lanes.count() + lane].iter().enumerate() {
                    memory.numbers_mut()[at * 8 + lanes.place(element, lane)] = x;
                }
            }
        }
        // Twice: nothing of the first run may be left over.
        for _ in 0..2 {
            Linked::new(tape.clone(), level).run(&mut memory, &columns, &rows);
        }
        for lane in 0..lanes.count() {
            let value = |place| {
                let mut values = Vec::new();
                machine::each_value(place, lanes, &mut memory, &columns, &rows, lane, |x| values.push(bits(x)));
                values
            };
            results.push(tape.roots.iter().map(value).collect());
        }
    }
    results
}

fn by_definition(program: &Program) -> Vec<Vec<Vec<u64>>> {
    let rows = RowCounts(vec![program.rows, OTHER]);
    let lane = |lane: usize| {
        let given = |id: InputId| {
            let column = program.columns.iter().find(|(input, _)| *input == id).map(|(_, value)| (**value).clone());
            column.or_else(|| program.inputs.iter().find(|(input, _)| *input == id).map(|(_, values)| values[lane].clone()))
        };
        let values = evaluate(&program.graph, &program.roots, &given, &rows).unwrap();
        values.iter().map(|value| value.iter().map(|&x| bits(x)).collect()).collect()
    };
    (0..8).map(lane).collect()
}

fn check(seed: u64, rows: usize, nodes: usize) {
    compare(&program(seed, rows, nodes), &format!("seed {seed}, {rows} rows"));
}

fn compare(program: &Program, name: &str) {
    let expected = by_definition(program);
    for lanes in [Lanes::One, Lanes::Eight] {
        for (block, level, batch) in
            [(8, Level::Baseline, false), (64, Level::Avx2, true), (192, Level::Avx512, false), (1024, Level::Baseline, true)]
        {
            let found = by_tape(program, lanes, block, level, batch);
            for (lane, (found, expected)) in found.iter().zip(&expected).enumerate() {
                for (root, (found, expected)) in found.iter().zip(expected).enumerate() {
                    if found != expected {
                        let at = found.iter().zip(expected).position(|(a, b)| a != b);
                        let show = |values: &[u64]| at.map(|at| f64::from_bits(values[at]));
                        panic!(
                            "{name}, {lanes:?}, block {block}, {level:?}, batch {batch}, lane {lane}, root {root} ({:?}): element {at:?} is {:?}, not {:?}\n{}",
                            program.roots[root],
                            show(found),
                            show(expected),
                            dump(&program.graph, &[program.roots[root]]),
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn random_programs() {
    let count: u64 = std::env::var("OPTRUN_PROGRAMS").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    for seed in 0..count {
        check(seed, [7, 8, 21, 64, 1, 30][seed as usize % 6], 12 + seed as usize % 30);
    }
}

#[test]
fn random_programs_of_several_chunks() {
    for seed in 0..20 {
        check(1000 + seed, [1024, 1025, 2100, 3080, 5130][seed as usize % 5], 14);
    }
}

#[test]
fn every_contraction_over_several_chunks() {
    for rows in [1024, 2056, 5130] {
        let mut build = Build::new(rows as u64, rows);
        build.column(&[ROWS, Dim::Size(3)]);
        build.column(&[ROWS, Dim::Size(11)]);
        build.column(&[ROWS]);
        build.param(&[3]);
        build.param(&[11]);
        build.param(&[11, 3]);
        let [x, d, y, w, v, m] = build.nodes[..] else { panic!() };
        let graph = &mut build.program.graph;
        let z = graph.add(Op::MatMul, &[x, w]);
        let r = graph.binary(Binary::Sub, z, y);
        let scaled = graph.binary(Binary::Mul, d, v);
        let classes = graph.add(Op::Softmax(1), &[scaled]);
        let label = graph.reduce(Reduce::ArgMax, 1, scaled);
        let picked = graph.add(Op::Pick, &[classes, label]);
        let hot = graph.add(Op::OneHot(11), &[label]);
        let error = graph.binary(Binary::Sub, classes, hot);
        let (xt, dt) = (graph.add(Op::Transpose, &[x]), graph.add(Op::Transpose, &[error]));
        let wide = graph.add(Op::MatMul, &[m, xt]);
        let tall = graph.binary(Binary::Mul, x, w);
        let tall = graph.add(Op::Transpose, &[tall]);
        let cube = graph.unary(Unary::Square, tall);
        let mut roots = vec![graph.sum_all(r), graph.sum_all(picked), graph.reduce(Reduce::Sum, 0, error)];
        for (a, b) in [(xt, r), (r, r), (xt, error), (dt, x), (dt, error), (wide, x), (wide, r), (cube, r), (cube, error)] {
            roots.push(graph.add(Op::MatMul, &[a, b]));
        }
        build.program.roots = roots;
        compare(&build.program, &format!("{rows} rows"));
    }
}

/// Products whose sizes are no multiples of a tile, an octet or a chunk.
#[test]
fn products_of_all_sizes() {
    for (seed, (rows, k, m)) in
        [(5, 1, 1), (8, 0, 3), (33, 2, 17), (70, 19, 5), (129, 9, 8), (64, 16, 20), (1030, 5, 11), (2050, 12, 3), (21, 3, 34)]
            .into_iter()
            .enumerate()
    {
        let mut build = Build::new(500 + seed as u64, rows);
        build.column(&[ROWS, Dim::Size(k)]);
        build.column(&[ROWS, Dim::Size(m)]);
        build.param(&[k, m]);
        build.param(&[m, k]);
        build.param(&[m, m]);
        let [x, y, w, v, q] = build.nodes[..] else { panic!() };
        let graph = &mut build.program.graph;
        let turn = |graph: &mut Graph, a: Id| graph.add(Op::Transpose, &[a]);
        let (wt, vt, qt, xt) = (turn(graph, w), turn(graph, v), turn(graph, q), turn(graph, x));
        // Rows times a matrix, as it stands, turned, and a part of one; data and computed values.
        let z = graph.add(Op::MatMul, &[x, w]);
        let zt = graph.add(Op::MatMul, &[x, vt]);
        let h = graph.unary(Unary::Sin, z);
        let back = graph.add(Op::MatMul, &[h, wt]);
        let from_left = graph.add(Op::MatMul, &[v, xt]);
        let part = graph.add(Op::Slice { axis: 1, start: 0, step: 1, len: m.div_ceil(2) }, &[q]);
        let some = graph.add(Op::MatMul, &[h, part]);
        let mut roots = vec![z, zt, back, from_left, some];
        // Contractions over rows.
        let ht = turn(graph, h);
        for (a, b) in [(xt, h), (ht, x), (ht, y), (xt, y), (ht, back)] {
            roots.push(graph.add(Op::MatMul, &[a, b]));
        }
        // Without rows, in all four readings, and with vectors.
        let left = graph.reduce(Reduce::Sum, 0, h);
        for (a, b) in [(w, v), (w, q), (w, qt), (vt, q), (vt, qt), (q, wt), (qt, q), (q, left), (qt, left), (left, left), (vt, left)] {
            roots.push(graph.add(Op::MatMul, &[a, b]));
        }
        build.program.roots = roots;
        compare(&build.program, &format!("{rows} by {k} by {m}"));
    }
}

/// Contractions of more than a chunk of elements, and reductions of lines that are no multiples of eight, without rows.
#[test]
fn long_and_narrow_values_without_rows() {
    for (seed, (n, m)) in [(1030, 3), (2100, 1), (9, 13), (17, 8), (5, 21), (3, 1)].into_iter().enumerate() {
        let mut build = Build::new(700 + seed as u64, 1);
        build.param(&[n, m]);
        build.param(&[m, n]);
        build.param(&[n]);
        let [a, b, v] = build.nodes[..] else { panic!() };
        let graph = &mut build.program.graph;
        let at = graph.add(Op::Transpose, &[a]);
        let mut roots: Vec<Id> = [(at, a), (b, a), (at, v), (b, v), (v, v)].map(|pair| graph.add(Op::MatMul, &[pair.0, pair.1])).into();
        for axis in 0..2 {
            for x in [a, b] {
                for reduce in [Reduce::Sum, Reduce::Max, Reduce::Min, Reduce::Prod, Reduce::ArgMax, Reduce::ArgMin, Reduce::LogSumExp] {
                    roots.push(graph.reduce(reduce, axis, x));
                }
                for op in [Op::Softmax(axis), Op::LogSoftmax(axis), Op::Cumsum { axis, reverse: false }, Op::Cumsum { axis, reverse: true }]
                {
                    roots.push(graph.add(op, &[x]));
                }
            }
        }
        let squares = graph.unary(Unary::Square, a);
        roots.push(graph.sum_all(squares));
        build.program.roots = roots;
        compare(&build.program, &format!("{n} by {m}"));
    }
}

/// Values that are walked in strips, with reductions, rows and results between them.
#[test]
fn long_values_without_rows() {
    for seed in 0..60 {
        let mut build = Build::new(900 + seed, 9);
        build.param(&[1100]);
        build.param(&[1100]);
        build.param(&[25, 44]);
        build.param(&[]);
        build.column(&[ROWS, Dim::Size(25)]);
        for _ in 0..18 {
            let (a, b, c) = (build.node(), build.node(), build.node());
            let kind = build.below(12);
            let (unary, binary) = (Unary::ALL[build.below(Unary::ALL.len())], Binary::ALL[build.below(Binary::ALL.len())]);
            let graph = &mut build.program.graph;
            let made = match kind {
                0..3 => graph.try_add(Op::Unary(unary), &[a]),
                3..8 => graph.try_add(Op::Binary(binary), &[a, b]),
                8 => graph.try_add(Op::Select, &[a, b, c]),
                9 if graph.shape(a).rank() > 0 => graph.try_add(Op::Reduce(Reduce::Sum, 0), &[a]),
                10 if graph.shape(a).rank() == 2 && graph.shape(b).rank() == 2 => graph.try_add(Op::MatMul, &[a, b]),
                _ if graph.shape(a).0 == [Dim::Size(1100)] => graph.try_add(Op::Slice { axis: 0, start: 16, step: 1, len: 1040 }, &[a]),
                _ => graph.try_add(Op::Unary(unary), &[a]),
            };
            build.nodes.extend(made);
        }
        build.program.roots = (0..3).map(|_| build.node()).collect();
        compare(&build.program, &format!("seed {seed}"));
    }
}

/// Rows chosen by data, and what is added to them.
#[test]
fn rows_chosen_by_data() {
    for (seed, (rows, size, width)) in [(7, 3, 1), (30, 5, 8), (70, 4, 9), (1100, 11, 3), (2049, 2, 17)].into_iter().enumerate() {
        let mut build = Build::new(300 + seed as u64, rows);
        build.column(&[ROWS]);
        build.column(&[ROWS]);
        build.param(&[size, width]);
        build.param(&[size, width]);
        build.param(&[size]);
        let [user, film, u, v, b] = build.nodes[..] else { panic!() };
        let (user, film) = (build.index(user, size), build.index(film, size));
        let graph = &mut build.program.graph;
        let (of_user, of_film, own) =
            (graph.add(Op::Gather(0), &[u, user]), graph.add(Op::Gather(0), &[v, film]), graph.add(Op::Gather(0), &[b, user]));
        let product = graph.binary(Binary::Mul, of_user, of_film);
        let z = graph.reduce(Reduce::Sum, 1, product);
        let z = graph.binary(Binary::Add, z, own);
        let scatter = Op::ScatterAdd { axis: 0, size: Dim::Size(size) };
        let roots = [(of_film, user), (product, film), (z, user)].map(|(g, index)| graph.add(scatter.clone(), &[g, index]));
        build.program.roots = [z, of_user].into_iter().chain(roots).collect();
        compare(&build.program, &format!("{rows} rows, {size} by {width}"));
    }
}
