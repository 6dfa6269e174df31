//! What a unit is compiled to: tapes over one memory, and which tape has which value.
//!
//! It runs nothing.
//!
//! - The *step* tape computes the loss, the next parameters and states, and what is measured in the step.
//! - What is measured at the point of a row stands on the step tape, too, when every step sees all rows and every row is recorded: the
//!   forward pass of step k + 1 is that of row k. Otherwise it stands on a *row* tape, run at recorded rows only.
//! - What is wanted at the start and the end alone stands on an *edge* tape.
//! - The *event* tape applies what happens after the last step of an epoch.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::machine::Linked;
use crate::compile::buffer::Buffer;
use crate::compile::fixed::Fixed;
use crate::compile::tape::{Lanes, Place, Read};
use crate::compile::{Request, compile};
use crate::expr::eval::EvalError;
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::op::{InputId, Op};
use crate::numeric::dispatch::Level;
use crate::plan::unit::{Measure, Pace, Slot, SweepPlan, Unit};
use crate::results::Fold;
use crate::shape::{Dim, RowCounts, Shape};

/// A tape with the columns it reads.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) tape: Linked,
    pub(super) columns: Vec<Arc<Buffer>>,
    /// The quantities among its roots, with the position of each root.
    pub(super) quantities: Vec<(usize, usize)>,
}

/// Where a value that changes lies, and where its next value does.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// The octet of the slot.
    pub(super) to: usize,
    /// The octet of the next value.
    pub(super) from: usize,
    /// Octets.
    pub(super) octets: usize,
    /// Elements.
    pub(super) elements: usize,
    /// Whether it is a parameter, which must be finite.
    pub(super) param: bool,
}

/// Simultaneous assignments: values that others overwrite are put aside first.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// From, to, octets.
    pub(super) aside: Vec<(usize, usize, usize)>,
    pub(super) list: Vec<Change>,
}

/// Octets of the inputs that are the same in all lanes.
#[derive(Debug, Default)]
pub(super) struct Clock {
    pub(super) step: Option<usize>,
    pub(super) epoch: Option<usize>,
    pub(super) steps: Option<usize>,
    pub(super) done: Option<usize>,
    pub(super) epochs_done: Option<usize>,
}

/// A compiled unit.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) lanes: Lanes,
    /// Whether one tape serves steps and rows.
    pub(super) shared: bool,
    pub(super) step: Part,
    pub(super) row: Option<Part>,
    pub(super) edge: Option<Part>,
    pub(super) event: Option<Part>,
    pub(super) fixed: Fixed,
    pub(super) clock: Clock,
    /// Octets of parameters, then states, then lane inputs.
    pub(super) slots: Vec<usize>,
    pub(super) changes: Changes,
    pub(super) event_changes: Changes,
    /// Positions of roots: the stop condition on the step tape, or on the row tape.
    pub(super) stop: Option<usize>,
    /// Octets of memory.
    pub(super) memory: usize,
}

/// The node of an input.
pub(super) fn node_of(graph: &Graph, input: InputId) -> Option<Id> {
    (0..graph.len()).map(|index| Id(index as u32)).find(|&id| graph.node(id).op == Op::Input(input))
}

/// Which quantities are wanted at every recorded row, and which at the start and the end alone.
fn wanted(sweep: &SweepPlan) -> (Vec<bool>, Vec<bool>) {
    let mut each = vec![false; sweep.quantities.len()];
    let mut edges = each.clone();
    for &quantity in &sweep.traced {
        each[quantity] = true;
    }
    for fold in &sweep.folds {
        match *fold {
            Fold::Final(q) | Fold::Start(q) => edges[q] = true,
            Fold::Lowest(q)
            | Fold::Highest(q)
            | Fold::Average { of: q, .. }
            | Fold::AtStep { of: q, .. }
            | Fold::StepsTo(q)
            | Fold::Count(q)
            | Fold::SinceLowest(q)
            | Fold::Previous(q) => each[q] = true,
            Fold::AtLowest { what, of } => {
                each[what] = true;
                each[of] = true;
            }
        }
    }
    for (edge, each) in edges.iter_mut().zip(&each) {
        *edge &= !each;
    }
    (each, edges)
}

/// Roots with the quantities among them.
#[derive(Default)]
struct Roots {
    ids: Vec<Id>,
    quantities: Vec<(usize, usize)>,
}

impl Roots {
    fn push(&mut self, id: Id) -> usize {
        self.ids.push(id);
        self.ids.len() - 1
    }

    fn quantity(&mut self, quantity: usize, id: Id) {
        let root = self.push(id);
        self.quantities.push((quantity, root));
    }
}

impl Program {
    /// Compiles a unit for so many lanes.
    pub(super) fn of(sweep: &SweepPlan, unit: &Unit, lanes: Lanes, level: Level, block: Option<usize>) -> Result<Program, EvalError> {
        let mut graph = unit.graph.clone();
        // At the point of a row, `step` and `epoch` are what has been done.
        let mut apart = |input: Option<InputId>, name: &str, kind: InputKind| {
            let node = node_of(&graph, input?)?;
            Some((node, graph.input(name, kind, Shape::scalar())))
        };
        let done = apart(unit.step, "step", InputKind::Step);
        let epochs_done = apart(unit.epoch, "epoch", InputKind::Epoch);
        let swap: Vec<(Id, Id)> = done.into_iter().chain(epochs_done).collect();
        let mut at_row = |id: Id| if swap.is_empty() { id } else { graph.substitute(&[id], &swap)[0] };

        let every_row = match sweep.pace {
            Pace::Steps(n) => n <= 1,
            Pace::Epochs(n) => n <= 1 && unit.steps_per_epoch <= 1,
        };
        let shared = unit.batches.is_none() && every_row;
        let (each, edges) = wanted(sweep);
        let (mut step, mut row, mut edge) = (Roots::default(), Roots::default(), Roots::default());
        step.push(unit.loss);
        let slots = || unit.params.iter().chain(&unit.states);
        slots().for_each(|slot| {
            step.push(slot.next);
        });
        for (quantity, measure) in unit.quantities.iter().enumerate() {
            match *measure {
                Measure::Step(id) if each[quantity] || edges[quantity] => step.quantity(quantity, id),
                Measure::Row(id) if each[quantity] => (if shared { &mut step } else { &mut row }).quantity(quantity, at_row(id)),
                Measure::Row(id) if edges[quantity] => edge.quantity(quantity, at_row(id)),
                _ => {}
            }
        }
        let stop = unit.stop.map(|stop| match stop {
            Measure::Step(id) => step.push(id),
            Measure::Row(id) => (if shared { &mut step } else { &mut row }).push(at_row(id)),
        });
        // The loss over all rows at the start and the end, to tell `rising`. A shared step tape has it.
        if !shared {
            edge.ids.insert(0, at_row(unit.loss));
            edge.quantities.iter_mut().for_each(|(_, root)| *root += 1);
        }
        let event: Vec<Id> = slots().map(|slot| slot.next_epoch.unwrap_or(slot.input)).collect();
        let event = if slots().any(|slot| slot.next_epoch.is_some()) { event } else { Vec::new() };

        // Where inputs lie.
        let mut inputs = Vec::new();
        let mut start = 0;
        let mut place = |id: InputId, elements: usize| {
            inputs.push((id, start));
            start += lanes.octets(elements);
            start - lanes.octets(elements)
        };
        let scalar = |id: Option<InputId>, place: &mut dyn FnMut(InputId, usize) -> usize| id.map(|id| place(id, 1));
        let mut places = Vec::new();
        for slot in slots() {
            let input = graph.as_input(slot.input).expect("internal: a slot is an input");
            places.push(place(input, unit.rows.count(graph.shape(slot.input)).unwrap_or(0)));
        }
        for &input in &unit.lane {
            places.push(place(input, 1));
        }
        let clock = Clock {
            step: scalar(unit.step, &mut place),
            epoch: scalar(unit.epoch, &mut place),
            steps: scalar(unit.steps, &mut place),
            done: scalar(done.and_then(|(_, id)| graph.as_input(id)), &mut place),
            epochs_done: scalar(epochs_done.and_then(|(_, id)| graph.as_input(id)), &mut place),
        };

        let all: Vec<Id> = step.ids.iter().chain(&row.ids).chain(&edge.ids).chain(&event).copied().collect();
        let batch = unit.batches.as_ref().map(|batches| batches.data);
        let full = Fixed::of(&graph, &all, &unit.rows, &unit.columns, None, None)?;
        let in_batch =
            if batch.is_some() { Some(Fixed::of(&graph, &step.ids, &unit.rows, &unit.columns, batch, Some(&full))?) } else { None };
        let mut batch_rows = unit.rows.clone();
        if let Some(batches) = &unit.batches {
            batch_rows.0[batches.data.0 as usize] = batches.size.min(unit.rows.of(Dim::Rows(batches.data)));
        }
        let mut end = start;
        let mut part = |roots: Roots, fixed: &Fixed, rows: &RowCounts| {
            let request = Request { graph: &graph, roots: &roots.ids, rows, fixed, inputs: &inputs, start: end, lanes, block };
            let tape = Linked::new(compile(&request), level);
            end = tape.end;
            let columns = fixed.columns().iter().map(|column| column.buffer.clone()).collect();
            Part { tape, columns, quantities: roots.quantities }
        };
        let some = |roots: &Roots| !roots.ids.is_empty();
        let step = part(step, in_batch.as_ref().unwrap_or(&full), &batch_rows);
        let row = some(&row).then(|| part(row, &full, &unit.rows));
        let edge = some(&edge).then(|| part(edge, &full, &unit.rows));
        let event = (!event.is_empty()).then(|| part(Roots { ids: event, quantities: Vec::new() }, &full, &unit.rows));

        let params = unit.params.len();
        let names: Vec<&Slot> = slots().collect();
        let mut changes = |roots: &[Place]| {
            let mut changes = Changes::default();
            for (number, (slot, root)) in names.iter().zip(roots).enumerate() {
                let elements = unit.rows.count(graph.shape(slot.input)).unwrap_or(0);
                let octets = lanes.octets(elements);
                let mut from =
                    root.operand.address.base as usize + root.operand.address.element as usize / if lanes == Lanes::One { 8 } else { 1 };
                if from == places[number] {
                    continue;
                }
                if from < start {
                    changes.aside.push((from, end, octets));
                    from = end;
                    end += octets;
                }
                changes.list.push(Change { to: places[number], from, octets, elements, param: number < params });
            }
            changes
        };
        let step_changes = changes(&step.tape.roots[1..=names.len()]);
        let event_changes = event.as_ref().map(|event| changes(&event.tape.roots)).unwrap_or_default();
        let fixed = in_batch.unwrap_or(full);
        Ok(Program {
            lanes,
            shared,
            step,
            row,
            edge,
            event,
            fixed,
            clock,
            slots: places,
            changes: step_changes,
            event_changes,
            stop,
            memory: end,
        })
    }

    /// Reads a root that is a number.
    pub(super) fn scalar(&self, part: &Part, root: usize, memory: &Buffer, lane: usize) -> f64 {
        let place = &part.tape.roots[root];
        debug_assert!(place.operand.read == Read::Octets, "internal: a number is in memory");
        let address = place.operand.address;
        memory.numbers()[address.base as usize * 8 + self.lanes.place(address.element as usize, lane)]
    }
}

/// Compiled units, each for the numbers of lanes that are needed.
pub(super) type Programs = BTreeMap<(usize, usize, Lanes), Program>;
