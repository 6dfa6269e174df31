//! One group of cells after another, each going step by step with its cells side by side in lanes: the loop of every run.
//!
//! It compiles nothing and knows no threads. Nothing is allocated between the first and the last step of a job, but the reasons of
//! runs that end early. A lane that has ended keeps its numbers, and no other lane can see them.
//!
//! The order of things at the point after `k` updates: the row of `k` is recorded, `stop when` is tested, then update `k + 1` is
//! computed, judged, and stored; after the last step of an epoch its event follows.
//!
//! Most points ask for nothing but the next step. [`State::go`] stops at those that do, and [`State::advance`] makes the steps from
//! one to the next at a stretch.

use std::cmp::Ordering;
use std::sync::Arc;

use super::batch::Tray;
use super::ending::first_not_finite;
use super::job::Job;
use super::leap::Pad;
use super::machine::{self, Spare, Team};
use super::meter::Watch;
use super::noise::Noise;
use super::program::{Changes, Hand, Part, Program};
use super::record::{Mask, Recorder};
use super::update::{Chosen, judge, store, update};
use super::watch::Watch as Memories;
use crate::compile::buffer::Buffer;
use crate::compile::tape::Lanes;
use crate::expr::eval::Tensor;
use crate::expr::op::InputId;
use crate::numeric::Octet;
use crate::numeric::dispatch::Level;
use crate::plan::unit::{SweepPlan, Unit};
use crate::results::{Ending, Part as Results, Status};

/// How far a lane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// It goes on.
    Running,
    /// Its last update is done; its last row is still to be recorded.
    Ending(Status),
    /// All is recorded, or there is no cell.
    Ended,
}

/// A group under way, and what outlasts it for the next one.
pub(super) struct State<'a> {
    pub(super) sweep: &'a SweepPlan,
    pub(super) unit: &'a Unit,
    pub(super) program: &'a Program,
    pub(super) level: Level,
    pub(super) memory: Buffer,
    /// Who helps with long passes.
    pub(super) team: Team<'a>,
    /// The inputs in memory as the first group of the job has them at its start.
    pub(super) template: Vec<Octet>,
    pub(super) tray: Option<Tray<'a>>,
    pub(super) noise: Option<Noise<'a>>,
    /// What the stop condition remembers.
    pub(super) memory_of_rows: Memories,
    pub(super) recorder: Recorder,
    pub(super) job: &'a Job,
    /// The cells of the group, and the first of them.
    pub(super) cells: usize,
    pub(super) cell: usize,
    pub(super) lives: [Life; 8],
    /// Whether some lane is ending.
    pub(super) closing: bool,
    pub(super) reasons: [Option<Arc<str>>; 8],
    pub(super) stop_text: Arc<str>,
    /// The loss over all rows at the start.
    pub(super) losses: [f64; 8],
    /// Which lanes next values are stored for.
    pub(super) chosen: Chosen,
    /// Updates done; epochs done, and updates done in the one under way.
    pub(super) done: u64,
    pub(super) epochs: u64,
    pub(super) in_epoch: u64,
    /// Updates at the next row by the pace, and from one such row to the next.
    pub(super) next_row: u64,
    pub(super) every: u64,
    /// The next of the steps that folds ask for.
    pub(super) next_asked: usize,
    /// Whether the step tape has been run at this point.
    pub(super) fresh: bool,
    /// Whether the row of this point has been recorded, although the step tape has not been run.
    pub(super) traced: bool,
    /// Room for machine code.
    pub(super) pad: Pad,
    pub(super) endings: [Option<Ending>; 8],
    /// How a solver ends the run at this point, and how many points it has asked about.
    pub(super) verdict: Option<(Status, Arc<str>)>,
    pub(super) spent: Option<u64>,
    pub(super) part: Results,
}

/// Runs the groups of a job.
pub(super) fn run(sweep: &SweepPlan, program: &Program, job: &Job, level: Level, spare: &Spare, mut watch: Watch) -> Results {
    let mut state = State::new(sweep, program, job, level, Team::new(spare));
    for group in 0..job.groups(program.lanes) {
        state.begin(group);
        match &program.solve {
            Some(tapes) => state.solve(&mut watch, tapes),
            None => state.go(&mut watch),
        }
        state.part.endings.extend(state.endings.iter_mut().filter_map(Option::take));
        watch.ended(state.cells);
    }
    spare.ended();
    state.part.block = state.recorder.block;
    state.part
}

impl State<'_> {
    /// From the start of the group to the end of its last lane.
    fn go(&mut self, watch: &mut Watch) {
        let (program, budget) = (self.program, self.unit.budget);
        let asked = &program.recording.asked;
        loop {
            if watch.rest() == 0 && watch.look(|| self.memory.octets()[program.step_loss][0]) {
                self.end_all(Status::Cut);
            } else if self.done >= budget {
                self.end_all(Status::Done);
            }
            let due = program.shared || self.done == self.next_row;
            let wanted = asked.get(self.next_asked) == Some(&self.done);
            if self.closing || self.done == 0 || wanted || (due && self.program.by_rows) {
                self.point(due, wanted);
                if !self.lives.contains(&Life::Running) {
                    return;
                }
                self.next_asked += usize::from(wanted);
            }
            // Up to the next point that asks for something.
            let mut steps = (budget - self.done).min(watch.rest());
            if let Some(step) = asked.get(self.next_asked) {
                steps = steps.min(step - self.done);
            }
            if self.program.by_rows {
                steps = steps.min(if program.shared { 1 } else { self.next_row - self.done });
            }
            let made = self.advance(steps);
            watch.spend(made, self.cells);
        }
    }

    /// Makes up to so many steps, fewer when a lane diverges; says how many. When one tape serves steps and rows, the rows on the way
    /// are recorded, but for the one at the start if the tape has been run there.
    ///
    /// Machine code for a unit ([`State::leap`]) makes all the steps at once, but for those that it leaves to the tape.
    fn advance(&mut self, steps: u64) -> u64 {
        let program = self.program;
        let rows = program.shared && program.recording.rows && !self.program.by_rows;
        if rows && steps > 0 && std::mem::take(&mut self.traced) {
            // It will be recorded again, by the step.
            self.recorder.take_back(&program.recording);
        }
        let mut step = 0;
        while step < steps {
            if let Some(leap) = program.leap.as_ref().filter(|_| !self.fresh) {
                step += self.leap(leap, steps - step);
                if step == steps || self.closing {
                    break;
                }
            }
            step += 1;
            if !std::mem::take(&mut self.fresh) {
                self.show_clock();
                if let Some(tray) = &mut self.tray {
                    tray.seek(self.epochs, self.in_epoch);
                    program.step.tape.run_with(&mut self.memory, &tray.columns, &tray.counts, &mut self.team);
                } else {
                    self.run_part(&program.step);
                }
                if rows {
                    self.recorder.trace(&program.recording, self.memory.numbers());
                }
            }
            self.done += 1;
            self.in_epoch += 1;
            self.change(&program.changes, false);
            if self.in_epoch >= self.unit.steps_per_epoch {
                self.in_epoch = 0;
                self.epochs += 1;
                if let Some(event) = &program.event {
                    self.happen(event);
                }
            }
            if self.closing {
                break;
            }
        }
        if self.closing {
            self.choose();
        }
        step
    }

    /// What happens after the last step of an epoch.
    pub(super) fn happen(&mut self, event: &Part) {
        self.choose();
        self.run_part(event);
        self.change(&self.program.event_changes, true);
    }

    /// Judges next values and puts them in place.
    #[inline]
    fn change(&mut self, changes: &Changes, event: bool) {
        if !update(self.level, self.memory.octets_mut(), changes, &self.chosen) {
            self.diverge(changes, event);
            store(self.level, self.memory.octets_mut(), &changes.moves, &self.chosen);
        }
    }

    /// The lanes that run are those that next values are stored for. Lanes without a cell follow the first.
    fn choose(&mut self) {
        let runs = |lane: usize| self.lives[if lane < self.cells { lane } else { 0 }] == Life::Running;
        let all = self.lives[..self.cells].iter().all(|life| *life == Life::Running);
        self.chosen = (!all).then(|| std::array::from_fn(|lane| f64::from(u8::from(runs(lane)))));
    }

    pub(super) fn end_all(&mut self, status: Status) {
        for life in self.lives.iter_mut().filter(|life| **life == Life::Running) {
            *life = Life::Ending(status);
            self.closing = true;
        }
        if status == Status::Cut {
            self.reasons.fill(Some("a limit was reached".into()));
        }
    }

    /// Writes the numbers of the step that comes next, what is drawn for it, and the numbers of the row before it.
    #[inline]
    pub(super) fn show_clock(&mut self) {
        for &(octet, hand) in &self.program.clock {
            let count = match hand {
                Hand::Step => self.done + 1,
                Hand::Epoch => self.epochs + 1,
                Hand::Done => self.done,
                Hand::EpochsDone => self.epochs,
            };
            self.memory.octets_mut()[octet] = [count as f64; 8];
        }
        if let Some(noise) = &mut self.noise {
            noise.show(self.done + 1, self.memory.numbers_mut());
        }
    }

    /// Runs a tape over all rows.
    pub(super) fn run_part(&mut self, part: &Part) {
        part.tape.run_with(&mut self.memory, &part.columns, &self.unit.rows, &mut self.team);
    }

    /// Runs a tape over all rows, and brings what it measures into place.
    fn measure(&mut self, part: &Part, run: bool) {
        if run {
            self.run_part(part);
        }
        let lanes = self.program.lanes;
        for &(root, first) in &part.spills {
            let root = &part.tape.roots[root];
            for lane in 0..self.cells {
                let mut values = Vec::new();
                machine::each_value(root, lanes, &mut self.memory, &part.columns, &self.unit.rows, lane, |x| values.push(x));
                for (element, &x) in values.iter().enumerate() {
                    self.memory.numbers_mut()[first + lanes.place(element, lane)] = x;
                }
            }
        }
    }

    /// A point that asks for something: records its row where it is due, tests `stop when`, and closes lanes that end here.
    pub(super) fn point(&mut self, due: bool, wanted: bool) {
        let (program, recording) = (self.program, &self.program.recording);
        self.show_clock();
        let by_code = program.shared && !self.fresh && self.measure_by_code();
        if program.shared && !by_code {
            self.measure(&program.step, !self.fresh);
            self.fresh = true;
        }
        if let Some(row) = &program.row {
            self.measure(row, true);
        }
        if due {
            self.next_row = self.next_row.saturating_add(self.every);
            if let Some(watch) = &program.watch {
                self.memory_of_rows.row(&program.watched, self.done, self.memory.numbers_mut());
                self.run_part(watch);
            }
            if let Some(stop) = program.stop {
                self.stop(stop);
            }
        }
        if let Some((status, why)) = self.verdict.take().filter(|_| self.lives[0] == Life::Running) {
            let why = if status == Status::Diverged && why.is_empty() { self.reason(0, false).into() } else { why };
            self.lives[0] = Life::Ending(status);
            self.reasons[0] = Some(why);
            self.closing = true;
        }
        let start = self.done == 0;
        if (start || self.closing)
            && let Some(edge) = &program.edge
        {
            self.measure(edge, true);
        }
        let numbers = self.memory.numbers();
        let live: Mask = self.lives.map(|life| life != Life::Ended);
        let ending: Mask = self.lives.map(|life| matches!(life, Life::Ending(_)));
        if start {
            self.losses.copy_from_slice(&self.memory.octets()[program.loss / 8]);
            self.recorder.start(recording, numbers);
        }
        if due {
            self.recorder.row(recording, numbers, self.done, live);
            self.traced = by_code;
        } else if self.closing {
            self.recorder.last_row(recording, numbers, self.done, ending);
        }
        if wanted {
            self.recorder.at_step(recording, numbers, self.done, live);
        }
        if self.closing {
            self.close(!due);
            self.choose();
        }
    }

    /// Ends lanes whose stop condition holds.
    fn stop(&mut self, stop: usize) {
        for lane in 0..self.cells {
            let holds = self.memory.numbers()[stop + self.program.lanes.place(0, lane)] != 0.0;
            if holds && self.lives[lane] == Life::Running {
                self.lives[lane] = Life::Ending(Status::Stopped);
                self.reasons[lane] = Some(self.stop_text.clone());
                self.closing = true;
            }
        }
    }

    /// Writes down the lanes that end here; their last row is one by the pace, or lies between two.
    fn close(&mut self, between: bool) {
        let (program, recording) = (self.program, &self.program.recording);
        let width = recording.folded;
        let numbers = self.memory.numbers();
        for lane in 0..self.cells {
            let Life::Ending(status) = self.lives[lane] else { continue };
            self.lives[lane] = Life::Ended;
            let loss = numbers[program.loss + lane];
            let rose = status == Status::Done && loss.partial_cmp(&self.losses[lane]).is_none_or(Ordering::is_gt);
            let first = self.part.endings.len() + lane;
            self.recorder.finish(recording, numbers, lane, between, &mut self.part.folded[first * width..(first + 1) * width]);
            self.endings[lane] = Some(Ending {
                status: if rose { Status::Rising } else { status },
                reason: self.reasons[lane].take(),
                steps: self.done,
                evaluations: self.spent,
                first: self.recorder.first() + lane,
            });
        }
        self.closing = false;
    }

    /// Lanes whose loss or next parameters are not finite have had their last update.
    #[cold]
    fn diverge(&mut self, changes: &Changes, event: bool) {
        let bad = judge(self.level, self.memory.octets(), &changes.probes);
        for lane in 0..self.cells {
            let lost = if self.program.lanes == Lanes::One { bad.iter().any(|x| x.is_nan()) } else { bad[lane].is_nan() };
            if lost && self.lives[lane] == Life::Running {
                self.reasons[lane] = Some(self.reason(lane, event).into());
                self.lives[lane] = Life::Ending(Status::Diverged);
                self.closing = true;
            }
        }
    }

    /// Names the first expression of a lane's update that is not finite, from the values before it.
    fn reason(&self, lane: usize, event: bool) -> String {
        let unit = self.unit;
        let slot = |id: InputId| {
            let slots = unit.params.iter().chain(&unit.states).map(|slot| unit.graph.as_input(slot.input));
            let named = slots.chain(unit.lane.iter().map(|&id| Some(id))).zip(&self.program.slots);
            named
                .chain(unit.noise.iter().map(|noise| Some(noise.input)).zip(&self.program.noise))
                .find(|(input, _)| *input == Some(id))
                .map(|(_, &octet)| octet)
        };
        let scalar = |x: u64| Some(Tensor::from_elem(Vec::new(), x as f64));
        let steps_per_epoch = unit.steps_per_epoch.max(1);
        let given = |id: InputId| {
            if Some(id) == unit.step {
                return scalar(self.done);
            }
            if Some(id) == unit.epoch {
                return scalar(self.done.saturating_sub(1) / steps_per_epoch + 1);
            }
            if Some(id) == unit.steps {
                return scalar(unit.budget);
            }
            let octet = slot(id)?;
            let sizes = unit.rows.sizes(&unit.graph.input_info(id).shape);
            let place = |element: usize| self.memory.numbers()[octet * 8 + self.program.lanes.place(element, lane)];
            Tensor::from_shape_vec(sizes.clone(), (0..sizes.iter().product()).map(place).collect()).ok()
        };
        let tray = self.tray.as_ref().filter(|_| !event);
        let rows = tray.map(|tray| (tray.sequence.batches.data, tray.sequence.rows_of((self.done - 1) % steps_per_epoch)));
        first_not_finite(unit, event, rows, &given)
    }
}
