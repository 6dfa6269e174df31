//! One group of cells that go step by step side by side, each in its lane: the loop of every run.
//!
//! It compiles nothing and knows no threads. Nothing is allocated between the second and the last step. A lane that has ended is
//! masked: its numbers are no longer stored, and no other lane can see them.
//!
//! The order of things at the point after `k` updates: the row of `k` is recorded, `stop when` is tested, then update `k + 1` is
//! computed, judged, and stored; after the last step of an epoch its event follows.

use std::cmp::Ordering;
use std::sync::Arc;

use super::batch::{Sequence, gather};
use super::ending::first_not_finite;
use super::machine;
use super::meter::Meter;
use super::program::{Changes, Part, Program};
use super::record::{Columns, Recorder, every, most_rows};
use crate::compile::buffer::Buffer;
use crate::compile::fixed::Column;
use crate::compile::tape::{Lanes, Read};
use crate::expr::eval::{EvalError, Tensor, evaluate};
use crate::expr::op::InputId;
use crate::plan::unit::{Batches, Measure, SweepPlan, Unit};
use crate::results::{Fold, Run, Status};
use crate::shape::{Dim, RowCounts};

/// The cells of a group, as indices into the sweep's; with eight lanes there are at most eight.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) sweep: usize,
    pub(super) unit: usize,
    pub(super) cells: Vec<usize>,
    pub(super) lanes: Lanes,
}

/// How far a lane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// It goes on.
    Running,
    /// Its last update is done; its last row is still to be recorded.
    Ending(Status),
    /// All is recorded.
    Ended(Status),
}

struct Lane {
    cell: usize,
    life: Life,
    reason: String,
    steps: u64,
    /// The loss over all rows at the start, and at the end.
    losses: [f64; 2],
    recorder: Recorder,
    /// The elements of all quantities: those of a row when it is recorded, those of a step from the step that led there.
    values: Vec<f64>,
    /// The stop condition, when it is measured in the step.
    stop: f64,
}

/// How far the group is.
#[derive(Debug, Default)]
struct Count {
    /// Updates done.
    done: u64,
    /// Epochs completed.
    epochs: u64,
    /// Updates done in the epoch under way.
    in_epoch: u64,
    /// Updates at the next row by the pace, and from one such row to the next.
    next_row: u64,
    every: u64,
}

struct State<'a> {
    sweep: &'a SweepPlan,
    unit: &'a Unit,
    program: &'a Program,
    memory: Buffer,
    columns: Columns,
    lanes: Vec<Lane>,
    batch: Option<Batch<'a>>,
    /// Which lanes the next changes are stored for.
    mask: [bool; 8],
}

/// The minibatch of a step.
struct Batch<'a> {
    batches: &'a Batches,
    sequence: Sequence<'a>,
    columns: Vec<Arc<Buffer>>,
    counts: RowCounts,
    rows: Vec<u32>,
}

/// Runs a group; the results are in the order of its cells.
pub(super) fn run(sweep: &SweepPlan, program: &Program, group: &Group, meter: &Meter) -> Result<Vec<Run>, EvalError> {
    let unit = &sweep.units[group.unit];
    let mut state = State::new(sweep, unit, program, group)?;
    state.go(meter);
    meter.cells(group.cells.len());
    Ok(state.lanes.into_iter().map(|lane| finished(sweep, unit, lane)).collect())
}

fn finished(sweep: &SweepPlan, unit: &Unit, lane: Lane) -> Run {
    let cell = &sweep.cells[lane.cell];
    let (folded, trace) = lane.recorder.finish();
    let Life::Ended(status) = lane.life else { unreachable!("internal: a lane was left running") };
    Run {
        id: lane.cell,
        optimizer: cell.optimizer.clone(),
        rule: cell.rule.clone(),
        loss: cell.loss.clone(),
        settings: cell.settings.clone(),
        replicate: cell.replicate,
        fold: None,
        status,
        reason: lane.reason,
        steps: lane.steps,
        epochs: lane.steps / unit.steps_per_epoch.max(1),
        evaluations: lane.steps * unit.evaluations_per_step,
        folded,
        trace,
    }
}

impl<'a> State<'a> {
    fn new(sweep: &'a SweepPlan, unit: &'a Unit, program: &'a Program, group: &Group) -> Result<Self, EvalError> {
        let columns = Columns::of(sweep);
        let rows = most_rows(sweep.pace, unit.steps_per_epoch, unit.budget);
        let lane = |&cell: &usize| Lane {
            cell,
            life: Life::Running,
            reason: String::new(),
            steps: 0,
            losses: [f64::NAN; 2],
            recorder: Recorder::new(sweep, rows),
            values: vec![f64::NAN; columns.width()],
            stop: 0.0,
        };
        let replicate = group.cells.first().map_or(0, |&cell| sweep.cells[cell].replicate);
        let batch = unit.batches.as_ref().map(|batches| Batch::new(batches, unit, program, replicate));
        let lanes: Vec<Lane> = group.cells.iter().map(lane).collect();
        let memory = Buffer::zeros(program.memory);
        let mut state = State { sweep, unit, program, memory, columns, lanes, batch, mask: [false; 8] };
        for part in [Some(&program.step), program.row.as_ref(), program.edge.as_ref(), program.event.as_ref()].into_iter().flatten() {
            machine::prepare(&part.tape, &mut state.memory);
        }
        for lane in 0..program.lanes.count() {
            // Lanes without a cell stay at the start of the first one.
            state.start(lane, group.cells[if lane < group.cells.len() { lane } else { 0 }])?;
        }
        Ok(state)
    }

    /// Puts the start of a cell into a lane.
    fn start(&mut self, lane: usize, cell: usize) -> Result<(), EvalError> {
        let (unit, cell) = (self.unit, &self.sweep.cells[cell]);
        let graph = &unit.graph;
        let number = |x: f64| Tensor::from_elem(Vec::new(), x);
        let given = |id: InputId| {
            let param = || unit.params.iter().position(|slot| graph.as_input(slot.input) == Some(id)).map(|at| cell.starts[at].clone());
            let own = || unit.lane.iter().position(|&input| input == id).map(|at| number(cell.lane[at]));
            let column = || unit.columns.iter().find(|(input, _)| *input == id).map(|(_, column)| (**column).clone());
            let steps = || (unit.steps == Some(id)).then(|| number(unit.budget as f64));
            param().or_else(own).or_else(column).or_else(steps)
        };
        let states = evaluate(graph, &unit.state_starts, &given, &unit.rows)?;
        let numbers = cell.lane.iter().map(|&x| number(x)).collect::<Vec<_>>();
        let values = cell.starts.iter().chain(&states).chain(&numbers);
        for (value, &slot) in values.zip(&self.program.slots) {
            for (element, &x) in value.iter().enumerate() {
                self.memory.numbers_mut()[slot * 8 + self.program.lanes.place(element, lane)] = x;
            }
        }
        Ok(())
    }

    fn go(&mut self, meter: &Meter) {
        let (unit, program) = (self.unit, self.program);
        let mut watch = meter.watch(self.lanes.len());
        let mut count = Count { next_row: 0, every: every(self.sweep.pace, unit.steps_per_epoch), ..Count::default() };
        loop {
            if watch.cut(|| program.scalar(&program.step, 0, &self.memory, 0)) {
                self.each_running(|lane| {
                    lane.life = Life::Ending(Status::Cut);
                    lane.reason = "a limit was reached".to_string();
                });
            } else if count.done >= unit.budget {
                self.each_running(|lane| lane.life = Life::Ending(Status::Done));
            }
            self.set_clock(&count);
            if program.shared {
                self.run_part(&program.step, false);
            }
            self.rows(&mut count);
            if !self.lanes.iter().any(|lane| lane.life == Life::Running) {
                return;
            }
            if !program.shared {
                self.gather(count.done);
                self.run_part(&program.step, true);
            }
            count.done += 1;
            count.in_epoch += 1;
            self.update(&count);
            if count.in_epoch >= unit.steps_per_epoch {
                count.in_epoch = 0;
                count.epochs += 1;
                if let Some(event) = &program.event {
                    self.run_part(event, false);
                    self.judge(&program.event_changes, None, &count);
                    self.store(&program.event_changes);
                }
            }
        }
    }

    fn each_running(&mut self, f: impl Fn(&mut Lane)) {
        self.lanes.iter_mut().filter(|lane| lane.life == Life::Running).for_each(f);
    }

    /// Writes the numbers of the step that comes after `done` updates, and of the row of these.
    fn set_clock(&mut self, count: &Count) {
        let clock = &self.program.clock;
        let values = [
            (clock.step, count.done + 1),
            (clock.epoch, count.epochs + 1),
            (clock.steps, self.unit.budget),
            (clock.done, count.done),
            (clock.epochs_done, count.epochs),
        ];
        for (slot, value) in values {
            if let Some(slot) = slot {
                self.memory.numbers_mut()[slot * 8..slot * 8 + 8].fill(value as f64);
            }
        }
    }

    fn run_part(&mut self, part: &Part, in_batch: bool) {
        match &self.batch {
            Some(batch) if in_batch => part.tape.run(&mut self.memory, &batch.columns, &batch.counts),
            _ => part.tape.run(&mut self.memory, &part.columns, &self.unit.rows),
        }
    }

    /// Records the row after `done` updates where it is due, tests `stop when`, and closes lanes that end here.
    fn rows(&mut self, count: &mut Count) {
        let (program, done) = (self.program, count.done);
        let due = done == count.next_row;
        if due {
            count.next_row += count.every;
        }
        let asked = self.sweep.folds.iter().any(|fold| matches!(fold, Fold::AtStep { step, .. } if *step == done));
        let mut closing = self.lanes.iter().any(|lane| matches!(lane.life, Life::Ending(_)));
        if !(due || asked || closing) {
            return;
        }
        if let Some(row) = &program.row {
            self.run_part(row, false);
            self.read(row, |measure| matches!(measure, Measure::Row(_)));
        } else if program.shared {
            self.read(&program.step, |measure| matches!(measure, Measure::Row(_)));
        }
        if due && let (Some(root), Some(stop)) = (program.stop, self.unit.stop) {
            for lane in 0..self.lanes.len() {
                if self.lanes[lane].life == Life::Running && self.stops(stop, root, lane) {
                    self.lanes[lane].life = Life::Ending(Status::Stopped);
                    self.lanes[lane].reason.clone_from(&self.unit.stop_text);
                    closing = true;
                }
            }
        }
        let start = done == 0;
        if start || closing {
            if let Some(edge) = &program.edge {
                self.run_part(edge, false);
                self.read(edge, |_| true);
            }
            // The loss is the first root of the tape that has it: a shared step tape, else the one of the edges.
            let part = program.edge.as_ref().filter(|_| !program.shared).unwrap_or(&program.step);
            for lane in 0..self.lanes.len() {
                let loss = program.scalar(part, 0, &self.memory, lane);
                if start {
                    self.lanes[lane].losses[0] = loss;
                }
                if matches!(self.lanes[lane].life, Life::Ending(_)) {
                    self.lanes[lane].losses[1] = loss;
                }
            }
        }
        let (sweep, columns) = (self.sweep, &self.columns);
        for lane in &mut self.lanes {
            if matches!(lane.life, Life::Ended(_)) {
                continue;
            }
            if due || matches!(lane.life, Life::Ending(_)) {
                lane.recorder.row(sweep, columns, done, count.epochs, &lane.values);
            }
            if asked {
                lane.recorder.at_step(sweep, columns, done, &lane.values);
            }
            if let Life::Ending(status) = lane.life {
                lane.steps = done;
                let rose = status == Status::Done && lane.losses[1].partial_cmp(&lane.losses[0]).is_none_or(Ordering::is_gt);
                lane.life = Life::Ended(if rose { Status::Rising } else { status });
            }
        }
    }

    fn stops(&self, stop: Measure, root: usize, lane: usize) -> bool {
        let value = match stop {
            Measure::Row(_) => {
                let part = self.program.row.as_ref().unwrap_or(&self.program.step);
                self.program.scalar(part, root, &self.memory, lane)
            }
            Measure::Step(_) => self.lanes[lane].stop,
        };
        value != 0.0
    }

    /// Reads quantities of all lanes from a tape.
    fn read(&mut self, part: &Part, which: impl Fn(Measure) -> bool) {
        for &(quantity, root) in part.quantities.iter().filter(|(quantity, _)| which(self.unit.quantities[*quantity])) {
            let place = &part.tape.roots[root];
            let range = self.columns.range(quantity);
            for (number, lane) in self.lanes.iter_mut().enumerate().filter(|(_, lane)| !matches!(lane.life, Life::Ended(_))) {
                let values = &mut lane.values[range.clone()];
                if place.operand.read == Read::Octets {
                    let (address, lanes) = (place.operand.address, self.program.lanes);
                    let numbers = &self.memory.numbers()[address.base as usize * 8..];
                    for (element, x) in values.iter_mut().enumerate() {
                        *x = numbers[lanes.place(address.element as usize + element, number)];
                    }
                } else {
                    let mut to = values.iter_mut();
                    let put = |x| to.next().into_iter().for_each(|to| *to = x);
                    machine::each_value(place, self.program.lanes, &mut self.memory, &part.columns, &self.unit.rows, number, put);
                }
            }
        }
    }

    /// Chooses the rows of the step after `done` updates, and copies them together.
    fn gather(&mut self, done: u64) {
        if let Some(batch) = &mut self.batch {
            let rows = batch.sequence.rows_of(done);
            batch.rows.clear();
            batch.rows.extend_from_slice(rows);
            batch.counts.0[batch.batches.data.0 as usize] = rows.len();
            for &number in &self.program.step.tape.columns {
                let column = &self.program.fixed.columns()[number as usize];
                if column.data == batch.batches.data {
                    gather(column, &batch.rows, &mut batch.columns[number as usize]);
                }
            }
        }
    }

    /// Judges and stores the update that the step tape has computed.
    fn update(&mut self, count: &Count) {
        let program = self.program;
        for lane in 0..self.lanes.len() {
            if let (Some(root), Some(Measure::Step(_))) = (program.stop, self.unit.stop) {
                self.lanes[lane].stop = program.scalar(&program.step, root, &self.memory, lane);
            }
        }
        self.read(&program.step, |measure| matches!(measure, Measure::Step(_)));
        self.judge(&program.changes, Some(&program.step), count);
        self.store(&program.changes);
    }

    /// Finds lanes whose loss or next parameters are not finite: this is their last update.
    fn judge(&mut self, changes: &Changes, loss: Option<&Part>, count: &Count) {
        let lanes = self.program.lanes;
        let mut bad = [false; 8];
        let numbers = self.memory.numbers();
        for change in changes.list.iter().filter(|change| change.param) {
            match lanes {
                Lanes::One => bad[0] |= numbers[change.from * 8..][..change.elements].iter().any(|x| !x.is_finite()),
                Lanes::Eight => {
                    for octet in numbers[change.from * 8..][..change.elements * 8].as_chunks::<8>().0 {
                        for p in 0..8 {
                            bad[p] |= !octet[p].is_finite();
                        }
                    }
                }
            }
        }
        for (lane, bad) in bad.into_iter().enumerate().take(self.lanes.len()) {
            let running = self.lanes[lane].life == Life::Running;
            self.mask[lane] = running;
            let lost = loss.is_some_and(|part| !self.program.scalar(part, 0, &self.memory, lane).is_finite());
            if running && (bad || lost) {
                self.lanes[lane].reason = self.reason(lane, loss.is_none(), count);
                self.lanes[lane].life = Life::Ending(Status::Diverged);
            }
        }
    }

    /// Names the first expression of a lane's update that is not finite, from the values before it.
    fn reason(&self, lane: usize, event: bool, count: &Count) -> String {
        let unit = self.unit;
        let slot = |id: InputId| {
            let named = unit
                .params
                .iter()
                .chain(&unit.states)
                .map(|slot| unit.graph.as_input(slot.input))
                .chain(unit.lane.iter().map(|&id| Some(id)));
            named.zip(&self.program.slots).find(|(input, _)| *input == Some(id)).map(|(_, &octet)| octet)
        };
        let scalar = |x: u64| Some(Tensor::from_elem(Vec::new(), x as f64));
        let given = |id: InputId| {
            if Some(id) == unit.step {
                return scalar(count.done);
            }
            if Some(id) == unit.epoch {
                return scalar((count.done - 1) / unit.steps_per_epoch.max(1) + 1);
            }
            if Some(id) == unit.steps {
                return scalar(unit.budget);
            }
            let octet = slot(id)?;
            let sizes = unit.rows.sizes(&unit.graph.input_info(id).shape);
            let place = |element: usize| self.memory.numbers()[octet * 8 + self.program.lanes.place(element, lane)];
            Tensor::from_shape_vec(sizes.clone(), (0..sizes.iter().product()).map(place).collect()).ok()
        };
        let rows = self.batch.as_ref().filter(|_| !event).map(|batch| (batch.batches.data, &batch.rows[..]));
        first_not_finite(unit, event, rows, &given)
    }

    /// Stores next values in the lanes of the mask.
    fn store(&mut self, changes: &Changes) {
        let (eight, mask) = (self.program.lanes == Lanes::Eight, self.mask);
        let numbers = self.memory.numbers_mut();
        for &(from, to, octets) in &changes.aside {
            numbers.copy_within(from * 8..(from + octets) * 8, to * 8);
        }
        for change in &changes.list {
            let range = change.from * 8..(change.from + change.octets) * 8;
            if !eight || mask == [true; 8] {
                numbers.copy_within(range, change.to * 8);
            } else {
                for (offset, at) in range.enumerate() {
                    if mask[offset % 8] {
                        numbers[change.to * 8 + offset] = numbers[at];
                    }
                }
            }
        }
    }
}

impl<'a> Batch<'a> {
    fn new(batches: &'a Batches, unit: &Unit, program: &Program, replicate: usize) -> Self {
        let rows = unit.rows.of(Dim::Rows(batches.data));
        let size = batches.size.min(rows);
        let room = |(number, column): (usize, &Column)| {
            let used = program.step.tape.columns.contains(&(number as u32));
            if column.data == batches.data {
                Arc::new(Buffer::zeros(if used { size.div_ceil(8) * column.features } else { 0 }))
            } else {
                column.buffer.clone()
            }
        };
        Batch {
            batches,
            sequence: Sequence::new(batches, replicate, rows, unit.steps_per_epoch),
            columns: program.fixed.columns().iter().enumerate().map(room).collect(),
            counts: unit.rows.clone(),
            rows: Vec::with_capacity(size),
        }
    }
}
