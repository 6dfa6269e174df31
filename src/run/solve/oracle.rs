//! What a solver asks of its problem: the loss and its derivatives at a point, by tapes in a memory of their own.
//!
//! It decides nothing. Every point asked about is counted once, however much is asked there.

use std::sync::Arc;

use super::super::machine::{self, Linked};
use super::super::program::Part;
use super::{End, Vector, moved};
use crate::compile::buffer::Buffer;
use crate::compile::fixed::Fixed;
use crate::compile::tape::Lanes;
use crate::compile::{Request, compile};
use crate::expr::eval::EvalError;
use crate::expr::graph::Id;
use crate::numeric::dispatch::Level;
use crate::plan::unit::{Cell, Solve, Unit};
use crate::results::Status;

/// The tapes of a unit that a solver moves, in one memory.
#[derive(Debug)]
pub(in crate::run) struct Tapes {
    value: Part,
    /// The loss, then the gradient.
    slope: Option<Part>,
    residuals: Option<Part>,
    products: Option<Part>,
    curves: Option<Part>,
    weights: Option<Part>,
    numbers: Part,
    /// What follows from a point by itself: where it lies within the sets of its parameters.
    within: Option<Part>,
    /// Octets of the parameters, of the directions, of the numbers of the cell.
    params: Vec<usize>,
    direction: Vec<usize>,
    lane: Vec<usize>,
    memory: usize,
}

impl Tapes {
    /// Compiles what a solver evaluates.
    ///
    /// # Errors
    /// When fixed values cannot be evaluated.
    pub(in crate::run) fn of(unit: &Unit, solve: &Solve, level: Level, block: Option<usize>) -> Result<Tapes, EvalError> {
        let graph = &unit.graph;
        let lanes = Lanes::One;
        let mut end = 0;
        let mut take = |elements: usize| {
            end += lanes.octets(elements);
            end - lanes.octets(elements)
        };
        let elements = |id: Id| unit.rows.count(graph.shape(id)).unwrap_or(0);
        let mut inputs = Vec::new();
        let mut params = Vec::new();
        for slot in &unit.params {
            params.push(take(elements(slot.input)));
            inputs.extend(graph.as_input(slot.input).map(|input| (input, params[params.len() - 1])));
        }
        let mut direction = Vec::new();
        for (&input, slot) in solve.direction.iter().zip(&unit.params) {
            direction.push(take(elements(slot.input)));
            inputs.push((input, direction[direction.len() - 1]));
        }
        let mut lane = Vec::new();
        for &input in &unit.lane {
            lane.push(take(1));
            inputs.push((input, lane[lane.len() - 1]));
        }
        let loss = solve.smooth.unwrap_or(unit.loss);
        let all: Vec<Id> = [unit.loss, loss].into_iter().chain(solve.roots()).chain(unit.params.iter().map(|slot| slot.next)).collect();
        let fixed = Fixed::of(graph, &all, &unit.rows, &unit.columns, None, None)?;
        let mut part = |roots: &[Id]| {
            let request = Request { graph, roots, rows: &unit.rows, fixed: &fixed, inputs: &inputs, start: end, lanes, block };
            let tape = Linked::new(compile(&request), level);
            end = tape.end;
            let columns = fixed.columns().iter().map(|column| column.buffer.clone().into()).collect();
            Part { tape: Arc::new(tape), columns, spills: Vec::new() }
        };
        let mut some = |roots: &[Id]| (!roots.is_empty()).then(|| part(roots));
        let slope: Vec<Id> = [loss].into_iter().chain(solve.grads.iter().copied()).collect();
        let slope = if solve.grads.is_empty() { None } else { some(&slope) };
        let residuals = some(&solve.residuals);
        let products = some(&solve.products);
        let curves = some(&solve.curves);
        let weights = some(&solve.weights);
        let slots = || unit.params.iter().take(solve.moved);
        let next: Vec<Id> = slots().map(|slot| slot.next).collect();
        let within = if slots().any(|slot| slot.next != slot.input) { some(&next) } else { None };
        let numbers: Vec<Id> = solve.numbers.iter().map(|(_, id)| *id).collect();
        let (value, numbers) = (part(&[loss]), part(&numbers));
        Ok(Tapes { value, slope, residuals, products, curves, weights, numbers, within, params, direction, lane, memory: end })
    }
}

/// The problem of one cell.
pub(in crate::run) struct Oracle<'a> {
    tapes: &'a Tapes,
    unit: &'a Unit,
    solve: &'a Solve,
    memory: Buffer,
    numbers: Vec<f64>,
    /// Elements of each parameter that is moved, and all together.
    sizes: Vec<usize>,
    pub(super) len: usize,
    /// Points asked about so far.
    pub(super) evaluations: u64,
    /// The Jacobian and the residuals were last asked for; of standard errors see the solver.
    pub(super) errors: Option<Vector>,
}

impl<'a> Oracle<'a> {
    /// For a cell.
    pub(super) fn new(tapes: &'a Tapes, unit: &'a Unit, solve: &'a Solve, cell: &Cell) -> Oracle<'a> {
        let sizes: Vec<usize> = cell.starts.iter().take(solve.moved).map(ndarray::ArrayBase::len).collect();
        let mut memory = Buffer::zeros(tapes.memory);
        let parts = [&tapes.slope, &tapes.residuals, &tapes.products, &tapes.curves, &tapes.weights, &tapes.within];
        for part in parts.into_iter().flatten().chain([&tapes.value, &tapes.numbers]) {
            machine::prepare(&part.tape, &mut memory);
        }
        for (&octet, &x) in tapes.lane.iter().zip(&cell.lane) {
            memory.numbers_mut()[octet * 8] = x;
        }
        for (start, &octet) in cell.starts.iter().zip(&tapes.params) {
            for (element, &x) in start.iter().enumerate() {
                memory.numbers_mut()[octet * 8 + Lanes::One.place(element, 0)] = x;
            }
        }
        let len = sizes.iter().sum();
        let mut oracle = Oracle { tapes, unit, solve, memory, numbers: Vec::new(), sizes, len, evaluations: 0, errors: None };
        oracle.numbers = oracle.run(&tapes.numbers);
        oracle
    }

    /// The value of an argument.
    pub(super) fn number(&self, name: &str) -> f64 {
        let at = self.solve.numbers.iter().position(|(known, _)| known == name);
        at.and_then(|at| self.numbers.get(at)).copied().unwrap_or(f64::NAN)
    }

    /// Whether a convention has been chosen.
    pub(super) fn is(&self, name: &str, word: &str) -> bool {
        self.solve.words.iter().any(|(known, chosen)| known == name && chosen == word)
    }

    /// Whether every argument may be what it is.
    pub(super) fn check(&self) -> Result<(), End> {
        for (name, _) in &self.solve.numbers {
            let x = self.number(name);
            if let Some(argument) = self.solve.solver.argument(name)
                && !argument.range.has(x)
            {
                return Err(End(Status::Failed, format!("`{name}` is {x:?}; it must be {}", argument.range.text()).into()));
            }
        }
        Ok(())
    }

    /// The parameters at the start.
    pub(super) fn start(&self) -> Vector {
        self.gather(&self.tapes.params)
    }

    /// The loss.
    pub(super) fn value(&mut self, x: &[f64]) -> f64 {
        self.evaluations += 1;
        self.put(x, false);
        let tapes = self.tapes;
        self.run(&tapes.value)[0]
    }

    /// The loss and its gradient.
    pub(super) fn slope(&mut self, x: &[f64]) -> (f64, Vector) {
        self.evaluations += 1;
        self.put(x, false);
        let tapes = self.tapes;
        let mut values = tapes.slope.as_ref().map(|part| self.run(part)).unwrap_or_default();
        let gradient = values.split_off(1);
        (values[0], gradient)
    }

    /// The residuals.
    pub(super) fn residuals(&mut self, x: &[f64]) -> Vector {
        self.evaluations += 1;
        self.put(x, false);
        let tapes = self.tapes;
        tapes.residuals.as_ref().map(|part| self.run(part)).unwrap_or_default()
    }

    /// The point within the sets of its parameters.
    pub(super) fn within(&mut self, x: Vector) -> Vector {
        let tapes = self.tapes;
        let Some(part) = &tapes.within else { return x };
        self.put(&x, false);
        self.run(part)
    }

    /// `x + rate*d`, within the sets of the parameters.
    pub(super) fn step(&mut self, x: &[f64], rate: f64, d: &[f64]) -> Vector {
        self.within(moved(x, rate, d))
    }

    /// The weights of the absolute values.
    pub(super) fn weights(&mut self) -> Vector {
        let tapes = self.tapes;
        tapes.weights.as_ref().map(|part| self.run(part)).unwrap_or_default()
    }

    /// The products of the Hessian, or of the Jacobian, with each unit vector, one after the other: its columns.
    pub(super) fn columns(&mut self, x: &[f64]) -> Vec<Vector> {
        self.put(x, false);
        let tapes = self.tapes;
        let Some(part) = &tapes.products else { return Vec::new() };
        let mut unit = vec![0.0; self.len];
        let mut columns = Vec::with_capacity(self.len);
        for j in 0..self.len {
            unit[j] = 1.0;
            self.put(&unit, true);
            columns.push(self.run(part));
            unit[j] = 0.0;
        }
        columns
    }

    /// The second derivative of the residuals along a direction.
    pub(super) fn curve(&mut self, x: &[f64], along: &[f64]) -> Vector {
        self.put(x, false);
        self.put(along, true);
        let tapes = self.tapes;
        tapes.curves.as_ref().map(|part| self.run(part)).unwrap_or_default()
    }

    /// The numbers of the roots of a tape, one after the other.
    fn run(&mut self, part: &Part) -> Vector {
        part.tape.run(&mut self.memory, &part.columns, &self.unit.rows);
        let mut values = Vec::new();
        for root in &part.tape.roots {
            machine::each_value(root, Lanes::One, &mut self.memory, &part.columns, &self.unit.rows, 0, |x| values.push(x));
        }
        values
    }

    fn put(&mut self, x: &[f64], direction: bool) {
        let octets = if direction { &self.tapes.direction } else { &self.tapes.params };
        let mut at = 0;
        for (&size, &octet) in self.sizes.iter().zip(octets) {
            for (element, &x) in x[at..at + size].iter().enumerate() {
                self.memory.numbers_mut()[octet * 8 + Lanes::One.place(element, 0)] = x;
            }
            at += size;
        }
    }

    fn gather(&self, octets: &[usize]) -> Vector {
        let numbers = self.memory.numbers();
        let places = self.sizes.iter().zip(octets);
        places.flat_map(|(&size, &octet)| (0..size).map(move |element| numbers[octet * 8 + Lanes::One.place(element, 0)])).collect()
    }
}
