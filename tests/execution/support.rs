//! Units and plans by hand, and a slow executor of them: one evaluation of the graph per step, cell by cell.

#![allow(clippy::unwrap_used, dead_code, reason = "helpers of tests, not all used by each of them")]

use std::sync::Arc;

use ndarray::Axis;
use optrun::expr::diff::gradient;
use optrun::expr::eval::{Tensor, evaluate};
use optrun::expr::graph::{Graph, Id, InputKind};
use optrun::expr::op::{Binary, InputId, Op, Unary};
use optrun::plan::unit::{Batches, Cell, Measure, Order, Pace, Plan, Slot, SweepPlan, Unit};
use optrun::results::{Design, Fold, Quantity};
use optrun::shape::{DataId, Dim, RowCounts, Shape};

pub(crate) const ROWS: Dim = Dim::Rows(DataId(0));

pub(crate) fn tensor(sizes: &[usize], values: &[f64]) -> Tensor {
    Tensor::from_shape_vec(sizes.to_vec(), values.to_vec()).unwrap()
}

/// Short names for building expressions.
pub(crate) trait Shorthand {
    fn add_(&mut self, a: Id, b: Id) -> Id;
    fn sub_(&mut self, a: Id, b: Id) -> Id;
    fn mul_(&mut self, a: Id, b: Id) -> Id;
    fn div_(&mut self, a: Id, b: Id) -> Id;
}

impl Shorthand for Graph {
    fn add_(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Add, a, b)
    }
    fn sub_(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Sub, a, b)
    }
    fn mul_(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Mul, a, b)
    }
    fn div_(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Div, a, b)
    }
}

/// A model: a loss of parameters and columns, before any rule.
pub(crate) struct Model {
    pub(crate) graph: Graph,
    pub(crate) rows: usize,
    pub(crate) columns: Vec<(InputId, Arc<Tensor>)>,
    pub(crate) params: Vec<(String, Id)>,
    pub(crate) starts: Vec<Tensor>,
    pub(crate) loss: Id,
}

/// `0.1*w1^2 + 2*w2^2` from (-5, -2): seed 002.
pub(crate) fn bowl() -> Model {
    let mut graph = Graph::new();
    let w1 = graph.input("w1", InputKind::Param, Shape::scalar());
    let w2 = graph.input("w2", InputKind::Param, Shape::scalar());
    let (tenth, two) = (graph.number(0.1), graph.number(2.0));
    let (a, b) = (graph.unary(Unary::Square, w1), graph.unary(Unary::Square, w2));
    let (a, b) = (graph.mul_(tenth, a), graph.mul_(two, b));
    let loss = graph.add_(a, b);
    let params = vec![("w1".to_string(), w1), ("w2".to_string(), w2)];
    Model { graph, rows: 0, columns: Vec::new(), params, starts: vec![tensor(&[], &[-5.0]), tensor(&[], &[-2.0])], loss }
}

/// 29 points on a line, mean squared error, from (1, 1): seed 001.
pub(crate) fn line() -> Model {
    let x = [
        14.0, 86.0, 28.0, 51.0, 28.0, 29.0, 72.0, 62.0, 84.0, 15.0, 42.0, 62.0, 47.0, 35.0, 9.0, 38.0, 44.0, 99.0, 13.0, 21.0, 28.0, 20.0,
        8.0, 64.0, 99.0, 70.0, 27.0, 17.0, 8.0,
    ];
    let y: Vec<f64> = x.iter().map(|x| 30.0 + 2.0 * x).collect();
    let mut graph = Graph::new();
    let xs = graph.input("x", InputKind::Column(DataId(0)), Shape(vec![ROWS]));
    let ys = graph.input("y", InputKind::Column(DataId(0)), Shape(vec![ROWS]));
    let b = graph.input("b", InputKind::Param, Shape::scalar());
    let w = graph.input("w", InputKind::Param, Shape::scalar());
    let wx = graph.mul_(w, xs);
    let line = graph.add_(b, wx);
    let residual = graph.sub_(line, ys);
    let square = graph.unary(Unary::Square, residual);
    let total = graph.sum_all(square);
    let count = graph.extent(ROWS);
    let loss = graph.div_(total, count);
    let columns =
        vec![(graph.as_input(xs).unwrap(), Arc::new(tensor(&[29], &x))), (graph.as_input(ys).unwrap(), Arc::new(tensor(&[29], &y)))];
    let params = vec![("b".to_string(), b), ("w".to_string(), w)];
    Model { graph, rows: 29, columns, params, starts: vec![tensor(&[], &[1.0]), tensor(&[], &[1.0])], loss }
}

/// Logistic regression on the 699 rows of the Wisconsin data: the sum of `softplus(z) - y*z` over rows, from zeros. Seed 004.
pub(crate) fn logistic() -> Model {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/specs/data/breast-cancer-wisconsin.data")).unwrap();
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.is_empty()) {
        // The median of the known values in the column with `?` is 1.
        let row: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap_or(1.0)).collect();
        x.push(1.0);
        x.extend_from_slice(&row[1..10]);
        y.push(row[10] / 2.0 - 1.0);
    }
    let rows = y.len();
    let mut graph = Graph::new();
    let xs = graph.input("X", InputKind::Column(DataId(0)), Shape(vec![ROWS, Dim::Size(10)]));
    let ys = graph.input("y", InputKind::Column(DataId(0)), Shape(vec![ROWS]));
    let w = graph.input("w", InputKind::Param, Shape::fixed(&[10]));
    let z = graph.add(Op::MatMul, &[xs, w]);
    let softplus = graph.unary(Unary::Softplus, z);
    let yz = graph.mul_(ys, z);
    let terms = graph.sub_(softplus, yz);
    let loss = graph.sum_all(terms);
    let columns = vec![
        (graph.as_input(xs).unwrap(), Arc::new(tensor(&[rows, 10], &x))),
        (graph.as_input(ys).unwrap(), Arc::new(tensor(&[rows], &y))),
    ];
    Model { graph, rows, columns, params: vec![("w".to_string(), w)], starts: vec![tensor(&[10], &[0.0; 10])], loss }
}

impl Model {
    /// The loss divided by the number of rows of the data.
    pub(crate) fn mean_loss(&mut self) -> Id {
        let count = self.graph.number(self.rows as f64);
        self.graph.div_(self.loss, count)
    }

    /// A unit that nothing updates yet, with a lane input for each of `lane`, and the gradients.
    pub(crate) fn unit(mut self, lane: &[&str], budget: u64) -> (Unit, Vec<Id>, Vec<Id>) {
        let wrt: Vec<Id> = self.params.iter().map(|(_, id)| *id).collect();
        let gradients = gradient(&mut self.graph, self.loss, &wrt).unwrap();
        let numbers: Vec<Id> = lane.iter().map(|name| self.graph.input(*name, InputKind::Arg, Shape::scalar())).collect();
        let lane = numbers.iter().map(|&id| self.graph.as_input(id).unwrap()).collect();
        let params = self.params.iter().map(|(name, id)| Slot { name: name.clone(), input: *id, next: *id, next_epoch: None }).collect();
        let unit = Unit {
            graph: self.graph,
            rows: RowCounts(vec![self.rows]),
            columns: self.columns,
            params,
            states: Vec::new(),
            state_starts: Vec::new(),
            lane,
            step: None,
            epoch: None,
            steps: None,
            loss: self.loss,
            quantities: Vec::new(),
            stop: None,
            stop_text: String::new(),
            evaluations_per_step: 1,
            batches: None,
            budget,
            steps_per_epoch: 1,
            solve: None,
        };
        (unit, gradients, numbers)
    }
}

/// `param - lr*grad`, with `lr` the first number of the lane.
pub(crate) fn descend(unit: &mut Unit, gradients: &[Id], lr: Id) {
    for (slot, &gradient) in unit.params.iter_mut().zip(gradients) {
        let change = unit.graph.mul_(lr, gradient);
        slot.next = unit.graph.sub_(slot.input, change);
    }
}

/// `v <- beta*v + grad; param <- param - lr*v`, `v` from 0.
pub(crate) fn momentum(unit: &mut Unit, gradients: &[Id], lr: Id, beta: Id) {
    for (slot, &gradient) in unit.params.iter_mut().zip(gradients) {
        let graph = &mut unit.graph;
        let shape = graph.shape(slot.input).clone();
        let v = graph.input("v", InputKind::State, shape.clone());
        let kept = graph.mul_(beta, v);
        let next = graph.add_(kept, gradient);
        let change = graph.mul_(lr, next);
        slot.next = graph.sub_(slot.input, change);
        let zero = graph.number(0.0);
        unit.state_starts.push(graph.broadcast_to(zero, &shape));
        unit.states.push(Slot { name: "v".into(), input: v, next, next_epoch: None });
    }
}

pub(crate) fn batches(unit: &mut Unit, size: usize, drop_last: bool, order: Order) {
    let rows = unit.rows.0[0];
    unit.steps_per_epoch = (if drop_last { rows / size } else { rows.div_ceil(size) }) as u64;
    unit.batches = Some(Batches { data: DataId(0), size, drop_last, order });
}

/// A sweep of one unit, everything traced at each step.
pub(crate) fn sweep(mut unit: Unit, quantities: &[(&str, Measure)], starts: &[Tensor], lanes: &[&[f64]]) -> SweepPlan {
    unit.quantities = quantities.iter().map(|(_, measure)| *measure).collect();
    let starts = Arc::new(starts.to_vec());
    let cell = |lane: &&[f64]| Cell { lane: lane.to_vec(), starts: starts.clone(), generator: None };
    let design = Design { optimizer: "rule".into(), rule: "rule".into(), loss: "loss".into(), ..Design::default() };
    let sizes = |measure: &Measure| match measure {
        Measure::Row(id) | Measure::Step(id) => unit.rows.sizes(unit.graph.shape(*id)),
    };
    SweepPlan {
        name: "sweep".into(),
        axes: Vec::new(),
        varying: Vec::new(),
        replicates: 1,
        quantities: quantities.iter().map(|(text, measure)| Quantity { text: (*text).into(), sizes: sizes(measure) }).collect(),
        folds: (0..quantities.len()).map(Fold::Final).collect(),
        traced: (0..quantities.len()).collect(),
        pace: Pace::Steps(1),
        cells: lanes.iter().map(cell).collect(),
        designs: Arc::new(vec![design; lanes.len()]),
        units: vec![unit],
    }
}

pub(crate) fn plan(sweep: SweepPlan) -> Plan {
    Plan { sweeps: vec![sweep] }
}

/// The traces of a cell, column by column, by the slow evaluator alone: no tape, no lanes, no blocks. The orders are given or as in the data.
pub(crate) fn slow(sweep: &SweepPlan, cell: usize) -> Vec<Vec<f64>> {
    let unit = &sweep.units[sweep.designs[cell].unit];
    let cell = &sweep.cells[cell];
    let graph = &unit.graph;
    let slots: Vec<InputId> = unit.params.iter().chain(&unit.states).map(|slot| graph.as_input(slot.input).unwrap()).collect();
    let given = |values: &[Tensor], step: f64, rows: Option<&[usize]>, id: InputId| {
        if let Some(at) = slots.iter().take(values.len()).position(|&slot| slot == id) {
            return Some(values[at].clone());
        }
        if let Some(at) = unit.lane.iter().position(|&lane| lane == id) {
            return Some(tensor(&[], &[cell.lane[at]]));
        }
        if Some(id) == unit.step {
            return Some(tensor(&[], &[step]));
        }
        let column = unit.columns.iter().find(|(input, _)| *input == id)?;
        Some(rows.map_or((*column.1).clone(), |rows| column.1.select(Axis(0), rows)))
    };
    let mut values = (*cell.starts).clone();
    let starts = evaluate(graph, &unit.state_starts, &|id| given(&values, 0.0, None, id), &unit.rows).unwrap();
    values.extend(starts);
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); sweep.quantities.len()];
    let mut in_step: Vec<Vec<f64>> = sweep.quantities.iter().map(|quantity| vec![f64::NAN; quantity.len()]).collect();
    let nexts: Vec<Id> = unit.params.iter().chain(&unit.states).map(|slot| slot.next).collect();
    let events: Vec<Id> = unit.params.iter().chain(&unit.states).map(|slot| slot.next_epoch.unwrap_or(slot.input)).collect();
    for done in 0..=unit.budget {
        for (quantity, measure) in unit.quantities.iter().enumerate() {
            match measure {
                Measure::Step(_) => columns[quantity].extend_from_slice(&in_step[quantity]),
                Measure::Row(id) => {
                    let value = evaluate(graph, &[*id], &|id| given(&values, done as f64, None, id), &unit.rows).unwrap();
                    columns[quantity].extend(value[0].iter());
                }
            }
        }
        if done == unit.budget {
            break;
        }
        let (epoch, place) = ((done / unit.steps_per_epoch) as usize, (done % unit.steps_per_epoch) as usize);
        let rows: Option<Vec<usize>> = unit.batches.as_ref().map(|batches| {
            let order: Vec<usize> = match &batches.order {
                Order::Given(orders) => orders[epoch].iter().map(|&row| row as usize).collect(),
                _ => (0..unit.rows.0[0]).collect(),
            };
            order[place * batches.size..order.len().min((place + 1) * batches.size)].to_vec()
        });
        let counts = rows.as_ref().map_or(unit.rows.clone(), |rows| RowCounts(vec![rows.len()]));
        let step = |id: InputId| given(&values, (done + 1) as f64, rows.as_deref(), id);
        for (quantity, measure) in unit.quantities.iter().enumerate() {
            if let Measure::Step(id) = measure {
                in_step[quantity] = evaluate(graph, &[*id], &step, &counts).unwrap()[0].iter().copied().collect();
            }
        }
        values = evaluate(graph, &nexts, &step, &counts).unwrap();
        if (done + 1) % unit.steps_per_epoch == 0 {
            values = evaluate(graph, &events, &|id| given(&values, (done + 1) as f64, None, id), &unit.rows).unwrap();
        }
    }
    columns
}
