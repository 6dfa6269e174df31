//! What a unit is compiled to: tapes over one memory, and which tape has which value.
//!
//! It runs nothing.
//!
//! - The *step* tape computes the loss, the next parameters and states, and what is measured in the step.
//! - What is measured at the point of a row stands on the step tape, too, when every step sees all rows and every row is recorded: the
//!   forward pass of step k + 1 is that of row k. Otherwise it stands on a *row* tape, run at recorded rows only.
//! - What is wanted at the start and the end alone stands on an *edge* tape.
//! - The *event* tape applies what happens after the last step of an epoch.
//! - The *start* tape computes the states that a run begins with.

use std::sync::Arc;

use super::Options;
use super::leap::{Ask, Leap};
use super::machine::Linked;
use super::record::{Recording, most_rows};
use super::solve::Tapes;
use super::update::{Move, Probe};
use super::watch::Watched;
use crate::compile::buffer::Window;
use crate::compile::chain::Record;
use crate::compile::fixed::Fixed;
use crate::compile::tape::{Lanes, Place, Read};
use crate::compile::{Request, compile};
use crate::expr::eval::EvalError;
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::op::{InputId, Op};
use crate::plan::unit::{Measure, Memo, Pace, Slot, SweepPlan, Unit};
use crate::results::{Fold, Quantity};
use crate::shape::{Dim, RowCounts, Shape};

/// Bytes of a column from which on it is read as bytes, if it can be: it has left the last cache. In nearer ones that gains nothing.
const NARROW: usize = 1 << 25;

/// A tape with the columns it reads.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) tape: Arc<Linked>,
    pub(super) columns: Vec<Window>,
    /// Roots that are no octets in memory, and where their numbers are brought before they are recorded.
    pub(super) spills: Vec<(usize, usize)>,
}

/// Simultaneous assignments.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// What is measured in the step is put aside for the row that follows.
    pub(super) holds: Vec<Move>,
    /// What must be finite: next parameters, and the loss.
    pub(super) probes: Vec<Probe>,
    /// Copies of next values; values that others overwrite are put aside first.
    pub(super) moves: Vec<Move>,
}

/// What the clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hand {
    /// The step and the epoch under way, from 1.
    Step,
    Epoch,
    /// Steps and epochs done.
    Done,
    EpochsDone,
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
    pub(super) start: Option<Part>,
    pub(super) fixed: Fixed,
    /// Octets of the inputs that are the same in all lanes and change.
    pub(super) clock: Vec<(usize, Hand)>,
    /// The octet of the number of steps planned.
    pub(super) steps: Option<usize>,
    /// Octets of parameters, then states, then lane inputs; and the end of them and of the clock.
    pub(super) slots: Vec<usize>,
    /// Octets of what is drawn for each step.
    pub(super) noise: Vec<usize>,
    pub(super) inputs: usize,
    pub(super) changes: Changes,
    pub(super) event_changes: Changes,
    /// Moves of states to their starts.
    pub(super) starts: Vec<Move>,
    /// What the starts of states depend on: parameters, and which of [`Unit::lane`].
    pub(super) starts_of_params: bool,
    pub(super) starts_of_lanes: Vec<usize>,
    /// Where what is measured in the step is kept, up to the end of memory.
    pub(super) held: usize,
    /// The octet of the loss on the rows of the step.
    pub(super) step_loss: usize,
    /// First numbers: the loss at a row, the stop condition.
    pub(super) loss: usize,
    pub(super) stop: Option<usize>,
    /// The tape of a stop condition that remembers, and what it remembers.
    pub(super) watch: Option<Part>,
    pub(super) watched: Vec<Watched>,
    /// Octets of what is remembered, with how many.
    pub(super) memos: Vec<(usize, usize)>,
    pub(super) recording: Recording,
    /// Whether the points of rows by the pace ask for more than that their trace be copied.
    pub(super) by_rows: bool,
    /// Machine code for many steps.
    pub(super) leap: Option<Leap>,
    /// What the solver evaluates, if one moves the parameters.
    pub(super) solve: Option<Tapes>,
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

/// The expressions of a tape, with what its roots are.
#[derive(Default)]
struct Roots {
    ids: Vec<Id>,
    /// Quantities, and the root of each.
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

/// Hands out octets.
struct Layout {
    lanes: Lanes,
    end: usize,
}

impl Layout {
    fn take(&mut self, elements: usize) -> usize {
        let first = self.end;
        self.end += self.lanes.octets(elements);
        first
    }
}

/// The first number of a root that lies in memory.
fn first_number(lanes: Lanes, root: &Place) -> usize {
    let address = root.operand.address;
    address.base as usize * 8 + lanes.place(address.element as usize, 0)
}

/// Copies that lie side by side become one.
fn join(moves: &mut Vec<Move>, new: Move) {
    match moves.last_mut() {
        Some(last) if last.from + last.octets == new.from && last.to + last.octets == new.to => last.octets += new.octets,
        _ => moves.push(new),
    }
}

impl Program {
    /// Compiles a unit for so many lanes.
    #[allow(clippy::too_many_lines, reason = "one list after the other, each made of those before it")]
    pub(super) fn of(sweep: &SweepPlan, unit: &Unit, lanes: Lanes, groups: usize, options: &Options) -> Result<Program, EvalError> {
        let (level, block) = (options.level, options.block);
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
        let mut watch = Roots::default();
        let stop = unit.stop.map(|stop| match stop {
            Measure::Step(id) => step.push(id),
            Measure::Row(id) if !unit.memos.is_empty() => watch.push(at_row(id)),
            Measure::Row(id) => (if shared { &mut step } else { &mut row }).push(at_row(id)),
        });
        // What is remembered counts as a quantity behind those of the sweep.
        let mut kept_roots = Vec::new();
        for (number, memo) in unit.memos.iter().enumerate() {
            match *memo {
                Memo::Step { of, .. } => kept_roots.push((number, step.push(of))),
                Memo::Row { of, .. } => (if shared { &mut step } else { &mut row }).quantity(sweep.quantities.len() + number, at_row(of)),
            }
        }
        // The loss over all rows at the start and the end, to tell `rising`. A shared step tape has it.
        let loss = if shared { 0 } else { edge.push(at_row(unit.loss)) };
        let event: Vec<Id> = slots().map(|slot| slot.next_epoch.unwrap_or(slot.input)).collect();
        let event = if slots().any(|slot| slot.next_epoch.is_some()) { event } else { Vec::new() };

        // Where inputs lie.
        let mut layout = Layout { lanes, end: 0 };
        let mut inputs = Vec::new();
        let mut places = Vec::new();
        let elements = |slot: &Slot| unit.rows.count(unit.graph.shape(slot.input)).unwrap_or(0);
        for slot in slots() {
            places.push(layout.take(elements(slot)));
            inputs.push((graph.as_input(slot.input).expect("internal: a slot is an input"), places[places.len() - 1]));
        }
        for &input in &unit.lane {
            places.push(layout.take(1));
            inputs.push((input, places[places.len() - 1]));
        }
        let mut noise = Vec::new();
        for drawn in &unit.noise {
            let octet = layout.take(unit.rows.count(&unit.graph.input_info(drawn.input).shape).unwrap_or(0));
            inputs.push((drawn.input, octet));
            noise.push(octet);
        }
        let mut memos = Vec::new();
        for memo in &unit.memos {
            let octets = lanes.octets(unit.rows.count(unit.graph.shape(memo.input())).unwrap_or(1));
            let octet = layout.end;
            layout.end += octets;
            inputs.push((graph.as_input(memo.input()).expect("internal: what is remembered is an input"), octet));
            memos.push((octet, octets));
        }
        let mut scalar = |input: Option<InputId>| {
            let octet = layout.take(usize::from(input.is_some()));
            inputs.extend(input.map(|input| (input, octet)));
            input.map(|_| octet)
        };
        let steps = scalar(unit.steps);
        let of_row = |pair: Option<(Id, Id)>| pair.and_then(|(_, id)| graph.as_input(id));
        let hands =
            [(unit.step, Hand::Step), (unit.epoch, Hand::Epoch), (of_row(done), Hand::Done), (of_row(epochs_done), Hand::EpochsDone)];
        let clock: Vec<(usize, Hand)> = hands.into_iter().filter_map(|(input, hand)| scalar(input).map(|octet| (octet, hand))).collect();
        let end_of_inputs = layout.end;

        let starts = &unit.state_starts;
        let all: Vec<Id> = [&step.ids, &row.ids, &edge.ids, &watch.ids, &event, starts].into_iter().flatten().copied().collect();
        let batch = unit.batches.as_ref().map(|batches| batches.data);
        let mut full = Fixed::of(&graph, &all, &unit.rows, &unit.columns, None, None)?;
        if lanes == Lanes::One {
            full.narrow(options.narrow.unwrap_or(NARROW));
        }
        let in_batch =
            if batch.is_some() { Some(Fixed::of(&graph, &step.ids, &unit.rows, &unit.columns, batch, Some(&full))?) } else { None };
        let mut batch_rows = unit.rows.clone();
        if let Some(batches) = &unit.batches {
            batch_rows.0[batches.data.0 as usize] = batches.size.min(unit.rows.of(Dim::Rows(batches.data)));
        }
        // Where each quantity is when it is recorded.
        let mut found = vec![usize::MAX; sweep.quantities.len() + unit.memos.len()];
        let mut part = |roots: &Roots, fixed: &Fixed, rows: &RowCounts| {
            if roots.ids.is_empty() {
                return None;
            }
            let request = Request { graph: &graph, roots: &roots.ids, rows, fixed, inputs: &inputs, start: layout.end, lanes, block };
            let tape = Arc::new(Linked::new(compile(&request), level));
            layout.end = tape.end;
            let columns = fixed.columns().iter().map(|column| column.buffer.clone().into()).collect();
            let mut spills = Vec::new();
            for &(quantity, root) in &roots.quantities {
                found[quantity] = if tape.roots[root].operand.read == Read::Octets {
                    first_number(lanes, &tape.roots[root])
                } else {
                    let octet = layout.take(sweep.quantities.get(quantity).map_or(1, Quantity::len));
                    spills.push((root, octet * 8));
                    octet * 8
                };
            }
            Some(Part { tape, columns, spills })
        };
        let only = |ids: &[Id]| Roots { ids: ids.to_vec(), quantities: Vec::new() };
        let step_part = part(&step, in_batch.as_ref().unwrap_or(&full), &batch_rows).expect("internal: a step has roots");
        let row_part = part(&row, &full, &unit.rows);
        let edge_part = part(&edge, &full, &unit.rows);
        let watch_part = part(&watch, &full, &unit.rows);
        let event_part = part(&only(&event), &full, &unit.rows);
        let start_part = part(&only(starts), &full, &unit.rows);

        let octet_of = |root: &Place| first_number(lanes, root) / 8;
        let mut changes = |roots: &[Place]| {
            let mut changes = Changes::default();
            let mut moves = Vec::new();
            for (number, (slot, root)) in slots().zip(roots).enumerate() {
                let (to, mut from, octets) = (places[number], octet_of(root), lanes.octets(elements(slot)));
                if from == to {
                    continue;
                }
                if number < unit.params.len() {
                    changes.probes.push(Probe::new(lanes, from, elements(slot)));
                }
                if from < end_of_inputs {
                    let aside = layout.end;
                    layout.end += octets;
                    join(&mut changes.moves, Move { from, to: aside, octets });
                    from = aside;
                }
                moves.push(Move { from, to, octets });
            }
            for new in moves {
                join(&mut changes.moves, new);
            }
            changes
        };
        let mut step_changes = changes(&step_part.tape.roots[1..=slots().count()]);
        let step_loss = octet_of(&step_part.tape.roots[0]);
        step_changes.probes.push(Probe::new(lanes, step_loss, 1));
        let event_changes = event_part.as_ref().map(|event| changes(&event.tape.roots)).unwrap_or_default();
        let mut start_moves = Vec::new();
        for ((root, &to), slot) in start_part.iter().flat_map(|part| &part.tape.roots).zip(&places[unit.params.len()..]).zip(&unit.states) {
            join(&mut start_moves, Move { from: octet_of(root), to, octets: lanes.octets(elements(slot)) });
        }

        // What is measured in the step stays for the row after it.
        let held = layout.end;
        let mut hold = |first: usize, elements: usize| {
            let to = layout.take(elements);
            step_changes.holds.push(Move { from: first / 8, to, octets: lanes.octets(elements) });
            to * 8
        };
        let mut kept = Vec::new();
        for &(quantity, root) in &step.quantities {
            if matches!(unit.quantities.get(quantity), Some(Measure::Step(_))) {
                found[quantity] = hold(found[quantity], sweep.quantities[quantity].len());
                kept.push((step.ids[root], found[quantity] / 8));
            }
        }
        let stop_root = stop;
        let stop = stop.map(|root| {
            if let Some(Measure::Step(_)) = unit.stop {
                let held = hold(first_number(lanes, &step_part.tape.roots[root]), 1);
                kept.push((step.ids[root], held / 8));
                return held;
            }
            let part = watch_part.as_ref().or(row_part.as_ref()).unwrap_or(&step_part);
            first_number(lanes, &part.tape.roots[root])
        });
        for &(number, root) in &kept_roots {
            let (to, octets) = memos[number];
            step_changes.holds.push(Move { from: octet_of(&step_part.tape.roots[root]), to, octets });
        }
        let watched = unit.memos.iter().enumerate().filter_map(|(number, memo)| {
            let Memo::Row { how, .. } = *memo else { return None };
            Some(Watched { how, from: found[sweep.quantities.len() + number], to: memos[number].0 * 8 })
        });
        let watched: Vec<Watched> = watched.collect();
        let loss = first_number(lanes, &edge_part.as_ref().filter(|_| !shared).unwrap_or(&step_part).tape.roots[loss]);
        let rows = most_rows(sweep.pace.counting(unit), unit.budget);
        let recording = Recording::new(sweep, lanes, &found, rows);
        let by_rows = stop.is_some() || (recording.rows && !(shared && recording.plain && step_part.spills.is_empty()));
        let fixed = in_batch.unwrap_or_else(|| full.clone());
        // What a stretch of steps records: what was kept from the step before, or is measured at its start.
        let record = |quantity: usize| {
            let at = kept.iter().position(|(_, octet)| *octet == found[quantity] / 8);
            let root = step.quantities.iter().find(|(known, _)| *known == quantity).map(|(_, root)| *root);
            at.map(Record::Kept).or(root.map(|root| Record::Value(step.ids[root])))
        };
        let records: Vec<Record> = if shared && !by_rows && recording.rows {
            sweep.traced.iter().filter_map(|&quantity| record(quantity)).collect()
        } else {
            Vec::new()
        };
        let clock_inputs: Vec<(InputId, Option<Hand>)> =
            hands.into_iter().filter_map(|(input, hand)| Some((input?, Some(hand)))).chain(unit.steps.map(|input| (input, None))).collect();
        if step_loss >= end_of_inputs {
            // For news of how far it is.
            kept.push((unit.loss, step_loss));
        }
        let mut points: Vec<(Id, usize)> = Vec::new();
        if shared && step_part.spills.is_empty() {
            let measured = step.quantities.iter().filter(|(quantity, _)| matches!(unit.quantities.get(*quantity), Some(Measure::Row(_))));
            points.extend(measured.map(|&(quantity, root)| (step.ids[root], found[quantity] / 8)));
            points.push((unit.loss, step_loss));
            if let (Some(root), Some(stop), Some(Measure::Row(_))) = (stop_root, stop, unit.stop) {
                points.push((step.ids[root], stop / 8));
            }
            points.retain(|(_, octet)| *octet >= end_of_inputs);
        }
        let leap = (options.native && unit.memos.is_empty() && unit.solve.is_none()).then(|| {
            let (graph, fixed, inputs, clock) = (&graph, &fixed, &inputs[..], &clock_inputs[..]);
            let (kept, records, points) = (&kept[..], &records[..], &points[..]);
            Leap::of(&Ask { graph, unit, fixed, whole: &full, inputs, clock, lanes, level, kept, records, points, groups })
        });
        let used: Vec<InputId> = graph.reachable(starts).iter().filter_map(|&id| graph.as_input(id)).collect();
        let starts_of_params = unit.params.iter().any(|slot| graph.as_input(slot.input).is_some_and(|input| used.contains(&input)));
        let starts_of_lanes = (0..unit.lane.len()).filter(|&input| used.contains(&unit.lane[input])).collect();
        Ok(Program {
            lanes,
            shared,
            step: step_part,
            row: row_part,
            edge: edge_part,
            event: event_part,
            start: start_part,
            fixed,
            clock,
            steps,
            slots: places,
            noise,
            inputs: end_of_inputs,
            changes: step_changes,
            event_changes,
            starts: start_moves,
            starts_of_params,
            starts_of_lanes,
            held,
            step_loss,
            loss,
            stop,
            watch: watch_part,
            watched,
            memos,
            recording,
            by_rows,
            leap: leap.flatten(),
            solve: unit.solve.as_ref().map(|solve| Tapes::of(unit, solve, level, block)).transpose()?,
            memory: layout.end,
        })
    }
}
