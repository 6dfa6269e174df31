//! Operations on numbers side by side, as programs carry them out: as one tape at a level of the CPU.

use optrun::compile::buffer::{Buffer, Window};
use optrun::compile::fixed::Fixed;
use optrun::compile::tape::Lanes;
use optrun::compile::{Request, compile};
use optrun::expr::graph::{Graph, Id, InputKind};
use optrun::numeric::dispatch::Level;
use optrun::run::machine::{self, Linked};
use optrun::shape::{RowCounts, Shape};

/// A tape that computes some expressions of arrays of one length.
pub(crate) struct Tape {
    linked: Linked,
    memory: Buffer,
    columns: Vec<Window>,
    rows: RowCounts,
}

impl Tape {
    /// The expressions that `make` writes down, with the arguments in the lanes of so many runs: the length must be a multiple of their number.
    pub(crate) fn new(args: &[&[f64]], lanes: Lanes, level: Level, make: impl Fn(&mut Graph, &[Id]) -> Vec<Id>) -> Self {
        let (mut graph, rows) = (Graph::new(), RowCounts(Vec::new()));
        let each = args[0].len() / lanes.count();
        let names = ["x", "y"];
        let nodes: Vec<Id> = args.iter().zip(names).map(|(_, name)| graph.input(name, InputKind::Param, Shape::fixed(&[each]))).collect();
        let roots = make(&mut graph, &nodes);
        let fixed = Fixed::of(&graph, &roots, &rows, &[], None, None).expect("no data, so nothing is refused");
        let width = lanes.octets(each);
        let inputs: Vec<_> = nodes.iter().enumerate().map(|(i, &id)| (graph.as_input(id).expect("an input"), i * width)).collect();
        let start = args.len() * width;
        let request = Request { graph: &graph, roots: &roots, rows: &rows, fixed: &fixed, inputs: &inputs, start, lanes, block: None };
        let tape = compile(&request);
        let mut memory = Buffer::zeros(tape.end);
        machine::prepare(&tape, &mut memory);
        for (values, (_, at)) in args.iter().zip(&inputs) {
            for (place, &x) in values.iter().enumerate() {
                let (lane, element) = (place / each, place % each);
                memory.numbers_mut()[at * 8 + lanes.place(element, lane)] = x;
            }
        }
        let columns = fixed.columns().iter().map(|column| column.buffer.clone().into()).collect();
        Tape { linked: Linked::new(tape, level), memory, columns, rows }
    }

    /// Computes.
    pub(crate) fn run(&mut self) {
        self.linked.run(&mut self.memory, &self.columns, &self.rows);
    }

    /// The values of an expression.
    pub(crate) fn values(&mut self, root: usize) -> Vec<f64> {
        let mut values = Vec::new();
        for lane in 0..self.linked.lanes.count() {
            machine::each_value(&self.linked.roots[root], self.linked.lanes, &mut self.memory, &self.columns, &self.rows, lane, |x| {
                values.push(x);
            });
        }
        values
    }
}
