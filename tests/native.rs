//! Machine code gives the bits of the dense evaluator, step by step, for every operation, width, level of the CPU and number of registers.

#![cfg(all(unix, target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use optrun::compile::chain::{Chained, Record, Step, chain};
use optrun::compile::fixed::Fixed;
use optrun::compile::tape::Lanes;
use optrun::expr::eval::{Tensor, evaluate};
use optrun::expr::graph::{Graph, Id, InputKind};
use optrun::expr::op::{Binary, InputId, Op, Reduce, Unary};
use optrun::expr::print::dump;
use optrun::native::{Call, Native, Width};
use optrun::numeric::dispatch::Level;
use optrun::shape::{DataId, Dim, RowCounts, Shape};

const ROWS: Dim = Dim::Rows(DataId(0));
/// Rows of the data; each step sees one.
const COUNT: usize = 3;
const STEPS: usize = 5;

/// The generator `splitmix64` of Steele, Lea and Flood: the test's own randomness.
struct Random(u64);

impl Random {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next_u64() % n as u64) as usize
    }

    fn number(&mut self, special: bool) -> f64 {
        let normal = (0..12).map(|_| (self.next_u64() >> 11) as f64 / 9007199254740992.0).sum::<f64>() - 6.0;
        match self.below(if special { 20 } else { 40 }) {
            0 => 0.0,
            1 => -0.0,
            2 => 1.0,
            3 => -3.0,
            4 => 1e3 * normal,
            5 => 1e-310 * normal,
            6 if special => f64::NAN,
            7 if special => f64::INFINITY,
            8 if special => f64::NEG_INFINITY,
            9 if special => f64::from_bits(self.next_u64()),
            _ => normal,
        }
    }
}

/// Slots, own numbers and columns, and what becomes of them.
struct Program {
    graph: Graph,
    columns: Vec<(InputId, Arc<Tensor>)>,
    /// Inputs that change: first the parameters, which must stay finite.
    slots: Vec<(Id, Id)>,
    params: usize,
    own: Vec<Id>,
    /// The number of the step.
    time: Id,
    records: Vec<Id>,
    loss: Id,
    /// The starts of slots and own numbers in each lane.
    starts: Vec<Vec<Tensor>>,
    /// The row of each step, in a circle.
    rows: Vec<u32>,
}

fn tensor(shape: &Shape, rows: usize, mut number: impl FnMut() -> f64) -> Tensor {
    let sizes = RowCounts(vec![rows]).sizes(shape);
    let count = sizes.iter().product();
    Tensor::from_shape_vec(sizes, (0..count).map(|_| number()).collect()).unwrap()
}

fn grow(graph: &mut Graph, nodes: &mut Vec<Id>, random: &mut Random) {
    let n = nodes.len();
    let [a, b, c] = [0, 1, 2].map(|_| nodes[random.below(n).max(random.below(n))]);
    let shape = graph.shape(a).clone();
    let axis = random.below(shape.rank().max(1));
    let (op, args): (Op, Vec<Id>) = match random.below(26) {
        0..5 => (Op::Unary(Unary::ALL[random.below(Unary::ALL.len())]), vec![a]),
        5..14 => (Op::Binary(Binary::ALL[random.below(Binary::ALL.len())]), vec![a, b]),
        14 => (Op::Select, vec![a, b, c]),
        15..18 => {
            let all = [Reduce::Sum, Reduce::Sum, Reduce::Max, Reduce::Min, Reduce::Prod, Reduce::LogSumExp];
            (Op::Reduce(all[random.below(all.len())], axis), vec![a])
        }
        18 => ([Op::Softmax(axis), Op::LogSoftmax(axis), Op::Cumsum { axis, reverse: true }][random.below(3)].clone(), vec![a]),
        19..22 => {
            let left = if random.below(2) == 0 && shape.rank() > 0 { graph.add(Op::Transpose, &[a]) } else { a };
            (Op::MatMul, vec![left, b])
        }
        22 => (Op::Transpose, vec![a]),
        23 => (Op::Expand(random.below(shape.rank() + 1)), vec![a]),
        24 => (Op::Concat(axis), vec![a, b]),
        _ => match shape.0.get(axis) {
            Some(Dim::Size(n)) if random.below(2) == 0 => (Op::Slice { axis, start: n - 1, step: -1, len: 1 + random.below(*n) }, vec![a]),
            Some(Dim::Size(n)) => (Op::Unslice { axis, start: 1, step: 2, size: Dim::Size(2 * n) }, vec![a]),
            _ => (Op::RowCount(DataId(0)), vec![]),
        },
    };
    let anywhere = matches!(op, Op::Unary(_) | Op::Binary(_) | Op::Select | Op::Expand(_) | Op::RowCount(_));
    if (shape.rank() > 0 || anywhere)
        && let Ok(id) = graph.try_add(op, &args)
        && graph.shape(id).rank() <= 3
        && RowCounts(vec![1]).count(graph.shape(id)).is_some_and(|n| n <= 24)
    {
        nodes.push(id);
    }
}

fn program(seed: u64, size: usize) -> Program {
    let mut random = Random(seed);
    let mut graph = Graph::new();
    let mut nodes = Vec::new();
    let mut columns = Vec::new();
    for dims in [vec![ROWS], vec![ROWS, Dim::Size(2)]] {
        let shape = Shape(dims);
        let id = graph.input("column", InputKind::Column(DataId(0)), shape.clone());
        columns.push((graph.as_input(id).unwrap(), Arc::new(tensor(&shape, COUNT, || random.number(false)))));
        nodes.push(id);
    }
    let time = graph.input("t", InputKind::Step, Shape::scalar());
    let shapes = [Shape::scalar(), Shape::fixed(&[2]), Shape::scalar(), Shape::fixed(&[2]), Shape::fixed(&[2, 3])];
    let mut inputs: Vec<Id> = shapes.iter().map(|shape| graph.input("slot", InputKind::Param, shape.clone())).collect();
    let own = vec![graph.input("own", InputKind::Arg, Shape::scalar())];
    inputs.extend(&own);
    nodes.extend(&inputs);
    nodes.push(time);
    for constant in [0.0, -0.0, 1.0, 0.5] {
        nodes.push(graph.number(constant));
    }
    for _ in 0..size {
        grow(&mut graph, &mut nodes, &mut random);
    }
    // Later nodes more often.
    let mut pick = |graph: &Graph, fits: &dyn Fn(&Shape) -> bool| {
        let fitting: Vec<Id> = nodes.iter().copied().filter(|&id| fits(graph.shape(id))).collect();
        let n = fitting.len();
        fitting[random.below(n).max(random.below(n))]
    };
    let mut slots: Vec<(Id, Id)> = inputs[..5].iter().map(|&input| (input, pick(&graph, &|shape| shape == graph.shape(input)))).collect();
    // Sometimes two change places.
    if seed.is_multiple_of(3) {
        (slots[0].1, slots[2].1) = (inputs[2], inputs[0]);
        (slots[1].1, slots[3].1) = (inputs[3], slots[1].1);
    }
    let loss = pick(&graph, &Shape::is_scalar);
    let records = vec![loss, pick(&graph, &|_| true), inputs[1]];
    let mut starts = Vec::new();
    for _ in 0..8 {
        let mut start = |(at, &id): (usize, &Id)| tensor(graph.shape(id), 1, || random.number(at == 3 || at == 4));
        starts.push(inputs.iter().enumerate().map(&mut start).collect());
    }
    Program { slots, params: 2, own, time, records, loss, starts, rows: vec![2, 0, 0, 1], columns, graph }
}

impl Program {
    fn inputs(&self) -> Vec<Id> {
        self.slots.iter().map(|(input, _)| *input).chain(self.own.iter().copied()).collect()
    }

    fn finite(&self) -> Vec<Id> {
        self.slots[..self.params].iter().map(|(_, next)| *next).chain([self.loss]).collect()
    }

    /// The values of a lane, and what was recorded, for the steps that are fit, at most so many.
    fn by_definition(&self, lane: usize, steps: usize) -> (usize, Vec<Tensor>, Vec<Vec<f64>>) {
        let mut values = self.starts[lane].clone();
        let mut recorded = Vec::new();
        for step in 0..steps {
            let row = self.rows[step % self.rows.len()] as usize;
            let given = |id: InputId| {
                if self.graph.as_input(self.time) == Some(id) {
                    return Some(Tensor::from_elem(vec![], (step + 1) as f64));
                }
                let column = self.columns.iter().find(|(input, _)| *input == id);
                let known = || self.inputs().iter().position(|&input| self.graph.as_input(input) == Some(id)).map(|at| values[at].clone());
                column.map(|(_, column)| column.select(ndarray::Axis(0), &[row])).or_else(known)
            };
            let (next, finite): (Vec<Id>, Vec<Id>) = (self.slots.iter().map(|(_, next)| *next).collect(), self.finite());
            let roots: Vec<Id> = next.iter().chain(&finite).chain(&self.records).copied().collect();
            let all = evaluate(&self.graph, &roots, &given, &RowCounts(vec![1])).unwrap();
            let (next, rest) = all.split_at(next.len());
            let (finite, records) = rest.split_at(finite.len());
            if finite.iter().any(|value| value.iter().any(|x| !x.is_finite())) {
                return (step, values, recorded);
            }
            recorded.push(records.iter().flat_map(|value| value.iter().copied()).collect());
            values[..next.len()].clone_from_slice(next);
        }
        (steps, values, recorded)
    }

    fn chained(&self, lanes: Lanes) -> (Option<Chained>, Fixed, Vec<usize>, usize) {
        let mut places = Vec::new();
        let mut end = 0;
        for input in self.inputs() {
            places.push(end);
            end += lanes.octets(RowCounts(vec![1]).count(self.graph.shape(input)).unwrap());
        }
        let finite = self.finite();
        let roots: Vec<Id> = self.slots.iter().map(|(_, next)| *next).chain(self.records.clone()).chain(finite.clone()).collect();
        let rows = RowCounts(vec![COUNT]);
        let fixed = Fixed::of(&self.graph, &roots, &rows, &self.columns, Some(DataId(0)), None).unwrap();
        let inputs: Vec<(InputId, usize)> =
            self.inputs().iter().zip(&places).map(|(&id, &place)| (self.graph.as_input(id).unwrap(), place)).collect();
        let records: Vec<Record> = self.records.iter().map(|&id| Record::Value(id)).collect();
        let step = Step {
            graph: &self.graph,
            fixed: &fixed,
            batch: Some(DataId(0)),
            inputs: &inputs,
            clock: &[self.graph.as_input(self.time).unwrap()],
            lanes,
            slots: &self.slots,
            kept: &[],
            records: &records,
            finite: &finite,
        };
        (chain(&step), fixed, places, end)
    }
}

/// All NaN are one.
fn bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
}

/// The numbers of the clock, step by step.
fn clock(program: &Program, chained: &Chained) -> Vec<f64> {
    let step = |step: usize| {
        let given = |_| Some(Tensor::from_elem(vec![], (step + 1) as f64));
        evaluate(&program.graph, &chained.clock, &given, &RowCounts(vec![1])).unwrap().iter().flatten().copied().collect::<Vec<f64>>()
    };
    (0..STEPS).flat_map(step).collect()
}

/// The rows one after the other, as the chain wants them.
fn data(fixed: &Fixed, chained: &Chained) -> Vec<f64> {
    let mut data = Vec::new();
    for row in 0..COUNT {
        for &column in &chained.columns {
            let column = &fixed.columns()[column as usize];
            data.extend((0..column.features).map(|feature| column.buffer.numbers()[(row / 8 * column.features + feature) * 8 + row % 8]));
        }
    }
    data
}

fn compare(program: &Program, name: &str) -> bool {
    let mut compared = false;
    for lanes in [Lanes::One, Lanes::Eight] {
        let (chained, fixed, places, end) = program.chained(lanes);
        let Some(chained) = chained else { continue };
        compared = true;
        let (clock, data) = (clock(program, &chained), data(&fixed, &chained));
        let width = chained.chain.records.len();
        for (level, registers) in [(Level::Avx512, None), (Level::Avx2, None), (Level::Avx512, Some(5)), (Level::Avx2, Some(7))] {
            let kind = if lanes == Lanes::One { Width::One } else { Width::Eight };
            let Some(native) = Native::new(&chained.chain, kind, level, registers) else { panic!("{name}: no code") };
            for group in 0..8 / lanes.count() {
                let all: Vec<usize> = (group * lanes.count()..(group + 1) * lanes.count()).collect();
                // Some lanes are over already.
                let live: Vec<usize> = all.iter().copied().filter(|lane| lanes == Lanes::One || (group + lane * 7) % 5 != 1).collect();
                let mask = live.iter().fold(0, |mask, lane| mask | 1u8 << (lane % lanes.count()));
                let mut memory = vec![0.0; end * 8];
                for (lane, at) in all.iter().flat_map(|&lane| (0..places.len()).map(move |at| (lane, at))) {
                    for (element, &x) in program.starts[lane][at].iter().enumerate() {
                        memory[places[at] * 8 + lanes.place(element, lane % lanes.count())] = x;
                    }
                }
                let mut records = vec![0.0; STEPS * width * lanes.count()];
                let mut spare = Vec::new();
                let mut call = Call {
                    memory: &mut memory,
                    records: &mut records,
                    every_step: true,
                    clock: &clock,
                    rows: &program.rows,
                    first: 0,
                    data: &data,
                    steps: STEPS,
                    live: mask,
                    spare: &mut spare,
                };
                let found = native.run(&mut call);
                let expected = live.iter().map(|&lane| program.by_definition(lane, STEPS).0).min().unwrap();
                let case = format!("{name}, {lanes:?}, {level:?}, {registers:?} registers, lanes {live:?}");
                // Far angles are left to the caller, too.
                assert!(found <= expected, "{case}: {found} steps and not {expected}");
                for &lane in &live {
                    let (_, values, recorded) = program.by_definition(lane, found);
                    for (at, value) in values.iter().enumerate() {
                        for (element, &x) in value.iter().enumerate() {
                            let y = memory[places[at] * 8 + lanes.place(element, lane % lanes.count())];
                            assert!(
                                bits(x) == bits(y),
                                "{case}: lane {lane}, slot {at}, element {element} is {y:e} and not {x:e} after {found} steps\n{}",
                                program.slots.get(at).map_or_else(String::new, |(_, next)| dump(&program.graph, &[*next]))
                            );
                        }
                    }
                    for (step, row) in recorded.iter().enumerate() {
                        for (record, &x) in row.iter().enumerate() {
                            let y = records[(step * width + record) * lanes.count() + lane % lanes.count()];
                            assert!(
                                bits(x) == bits(y),
                                "{case}: lane {lane}, step {step}, record {record} is {y:e} and not {x:e}\n{}",
                                dump(&program.graph, &program.records)
                            );
                        }
                    }
                }
            }
        }
    }
    compared
}

#[test]
fn random_chains_have_the_bits_of_the_definition() {
    let count: u64 = std::env::var("OPTRUN_PROGRAMS").ok().and_then(|n| n.parse().ok()).unwrap_or(400);
    let compared = (0..count).filter(|&seed| compare(&program(seed, 10 + seed as usize % 40), &format!("seed {seed}"))).count();
    assert!(compared as u64 > count / 4, "only {compared} of {count} programs were small enough");
}

#[test]
fn every_operation_alone() {
    for op in Unary::ALL.map(Op::Unary).into_iter().chain(Binary::ALL.map(Op::Binary)) {
        for seed in 0..12 {
            let mut program = program(7 * seed + 1, 0);
            let (a, b) = (program.slots[3].0, program.slots[1].0);
            let args = if matches!(op, Op::Unary(_)) { vec![a] } else { vec![a, b] };
            let value = program.graph.add(op.clone(), &args);
            program.slots[1].1 = program.slots[1].0;
            program.slots[3].1 = value;
            program.loss = program.slots[0].0;
            program.slots[0].1 = program.slots[0].0;
            program.records = vec![value];
            let chains = compare(&program, &format!("{op:?}, seed {seed}"));
            let slow = [Unary::Acos, Unary::Asin, Unary::Atan, Unary::Cosh, Unary::Erf, Unary::Sinh, Unary::Tan].map(Op::Unary);
            assert_eq!(chains, !slow.contains(&op) && op != Op::Binary(Binary::Mod), "{op:?}");
        }
    }
}
