//! The start of a job and of each of its groups: parameters, states and numbers in their lanes.
//!
//! It makes no step.

use std::sync::Arc;

use super::batch::Tray;
use super::group::{Done, Life, State};
use super::job::Job;
use super::leap::Pad;
use super::machine;
use super::program::Program;
use super::record::{Recorder, most_rows};
use super::update::store;
use crate::compile::buffer::Buffer;
use crate::numeric::dispatch::Level;
use crate::plan::unit::SweepPlan;
use crate::results::{Ending, Status, Strand};

impl<'a> State<'a> {
    /// For all groups of a job.
    pub(super) fn new(sweep: &'a SweepPlan, program: &'a Program, job: &'a Job, level: Level) -> Self {
        let unit = &sweep.units[job.unit];
        let counting = sweep.pace.counting(unit);
        let groups = job.cells.len().div_ceil(program.lanes.count());
        let recording = &program.recording;
        let none = Ending { status: Status::Cut, reason: None, steps: 0, strand: Strand::default() };
        let mut state = State {
            sweep,
            unit,
            program,
            level,
            memory: Buffer::zeros(program.memory),
            template: Vec::new(),
            tray: unit.batches.as_ref().map(|batches| Tray::new(batches, unit, program)),
            recorder: Recorder::new(recording, counting, most_rows(counting, unit.budget), groups),
            cells: &[],
            first: 0,
            lives: [Life::Ended; 8],
            closing: false,
            reasons: [const { None }; 8],
            stop_text: unit.stop_text.as_str().into(),
            losses: [f64::NAN; 8],
            chosen: None,
            done: 0,
            epochs: 0,
            in_epoch: 0,
            next_row: 0,
            every: counting.every,
            next_asked: 0,
            fresh: false,
            traced: false,
            pad: Pad::default(),
            out: Done {
                endings: vec![none; job.cells.len()],
                folded: vec![f64::NAN; job.cells.len() * recording.folded],
                block: Vec::new(),
            },
        };
        let parts = [Some(&program.step), program.row.as_ref(), program.edge.as_ref(), program.event.as_ref(), program.start.as_ref()];
        for part in parts.into_iter().flatten() {
            machine::prepare(&part.tape, &mut state.memory);
        }
        if let Some(octet) = program.steps {
            state.memory.octets_mut()[octet] = [unit.budget as f64; 8];
        }
        state.fill(&job.cells[..program.lanes.count().min(job.cells.len())], None);
        state.states();
        state.template = state.memory.octets()[..program.inputs].to_vec();
        state
    }

    /// Puts the start of a group into memory; `first` is where its cells are among those of the job.
    pub(super) fn begin(&mut self, first: usize, cells: &'a [usize], like: usize) {
        let program = self.program;
        (self.cells, self.first) = (cells, first);
        self.memory.octets_mut()[..program.inputs].copy_from_slice(&self.template);
        self.fill(cells, Some(like));
        if program.own_starts {
            self.states();
        }
        self.memory.octets_mut()[program.held..].fill([f64::NAN; 8]);
        if let Some(stop) = program.stop.filter(|&stop| stop / 8 >= program.held) {
            // Before the first step nothing can say stop.
            self.memory.octets_mut()[stop / 8] = [0.0; 8];
        }
        if let Some(tray) = &mut self.tray {
            tray.restart(self.sweep.designs[cells[0]].replicate);
        }
        self.recorder.begin(&program.recording);
        self.lives = std::array::from_fn(|lane| if lane < cells.len() { Life::Running } else { Life::Ended });
        (self.done, self.epochs, self.in_epoch) = (0, 0, 0);
        (self.next_row, self.next_asked) = (0, 0);
        (self.fresh, self.traced, self.closing, self.chosen) = (false, false, false, None);
    }

    /// Parameters and numbers of cells in their lanes. Lanes that start like the cell `like` have their parameters already.
    /// Lanes without a cell are like the first.
    fn fill(&mut self, cells: &[usize], like: Option<usize>) {
        let (sweep, lanes) = (self.sweep, self.program.lanes);
        let numbers = self.memory.numbers_mut();
        let like = like.map(|cell| &sweep.cells[cell].starts);
        let slots = &self.program.slots;
        let first_number = slots.len() - self.unit.lane.len();
        for lane in 0..lanes.count() {
            let cell = &sweep.cells[cells[if lane < cells.len() { lane } else { 0 }]];
            if like.is_none_or(|like| !Arc::ptr_eq(like, &cell.starts)) {
                for (value, slot) in cell.starts.iter().zip(slots) {
                    let mut put = |element: usize, x: f64| numbers[slot * 8 + lanes.place(element, lane)] = x;
                    match value.as_slice() {
                        Some(values) => values.iter().enumerate().for_each(|(element, &x)| put(element, x)),
                        None => value.iter().enumerate().for_each(|(element, &x)| put(element, x)),
                    }
                }
            }
            for (&x, slot) in cell.lane.iter().zip(&slots[first_number..]) {
                numbers[slot * 8 + lane] = x;
            }
        }
    }

    /// The states that runs begin with.
    fn states(&mut self) {
        let program = self.program;
        if let Some(start) = &program.start {
            self.run_part(start);
            store(self.level, self.memory.octets_mut(), &program.starts, &None);
        }
    }
}
