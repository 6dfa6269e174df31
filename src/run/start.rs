//! The start of a job and of each of its groups: parameters, states and numbers in their lanes.
//!
//! It makes no step.

use super::batch::Tray;
use super::group::{Life, State};
use super::job::Job;
use super::leap::Pad;
use super::machine::{self, Team};
use super::noise::Noise;
use super::program::Program;
use super::record::{Recorder, most_rows};
use super::update::store;
use super::watch::Watch;
use crate::compile::buffer::Buffer;
use crate::numeric::dispatch::Level;
use crate::plan::unit::SweepPlan;
use crate::results::Part;

impl<'a> State<'a> {
    /// For all groups of a job.
    pub(super) fn new(sweep: &'a SweepPlan, program: &'a Program, job: &'a Job, level: Level, team: Team<'a>) -> Self {
        let unit = &sweep.units[job.unit];
        let counting = sweep.pace.counting(unit);
        let recording = &program.recording;
        let mut state = State {
            sweep,
            unit,
            program,
            level,
            memory: Buffer::zeros(program.memory),
            team,
            template: Vec::new(),
            tray: unit.batches.as_ref().map(|batches| Tray::new(batches, unit, program)),
            noise: Noise::new(unit, program.lanes, &program.noise),
            memory_of_rows: Watch::new(program.lanes, &program.watched),
            recorder: Recorder::new(recording, counting, most_rows(counting, unit.budget), job.groups(program.lanes)),
            job,
            cells: 0,
            cell: 0,
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
            endings: [const { None }; 8],
            verdict: None,
            spent: None,
            part: Part {
                lanes: program.lanes.count(),
                endings: Vec::with_capacity(job.cells.len()),
                folded: Vec::with_capacity(job.cells.len() * recording.folded),
                block: Vec::new(),
            },
        };
        let parts = [
            Some(&program.step),
            program.row.as_ref(),
            program.edge.as_ref(),
            program.event.as_ref(),
            program.start.as_ref(),
            program.watch.as_ref(),
        ];
        for part in parts.into_iter().flatten() {
            machine::prepare(&part.tape, &mut state.memory);
        }
        if let Some(octet) = program.steps {
            state.memory.octets_mut()[octet] = [unit.budget as f64; 8];
        }
        state.params(job.group(program.lanes, 0));
        state.numbers(0);
        state.states();
        state.template = state.memory.octets()[..program.inputs].to_vec();
        state
    }

    /// Puts the start of a group into memory.
    pub(super) fn begin(&mut self, group: usize) {
        let (program, job) = (self.program, self.job);
        let cells = job.group(program.lanes, group);
        (self.cells, self.cell) = (cells.len(), cells[0]);
        self.memory.octets_mut()[..program.inputs].copy_from_slice(&self.template);
        if !job.alike {
            self.params(cells);
        }
        self.numbers(group);
        if job.own_states {
            self.states();
        }
        self.memory.octets_mut()[program.held..].fill([f64::NAN; 8]);
        for &(octet, octets) in &program.memos {
            self.memory.octets_mut()[octet..octet + octets].fill([f64::NAN; 8]);
        }
        self.memory_of_rows.begin();
        if let Some(stop) = program.stop.filter(|&stop| stop / 8 >= program.held) {
            // Before the first step nothing can say stop.
            self.memory.octets_mut()[stop / 8] = [0.0; 8];
        }
        if let Some(tray) = &mut self.tray {
            tray.restart(self.sweep.designs[cells[0]].replicate, self.sweep.cells[cells[0]].generator.as_deref());
        }
        if let Some(noise) = &mut self.noise {
            let replicates: Vec<usize> = cells.iter().map(|&cell| self.sweep.designs[cell].replicate).collect();
            noise.begin(&replicates);
        }
        self.recorder.begin(&program.recording);
        self.part.folded.resize((self.part.endings.len() + cells.len()) * program.recording.folded, f64::NAN);
        self.lives = std::array::from_fn(|lane| if lane < cells.len() { Life::Running } else { Life::Ended });
        (self.done, self.epochs, self.in_epoch) = (0, 0, 0);
        (self.next_row, self.next_asked) = (0, 0);
        (self.fresh, self.traced, self.closing, self.chosen) = (false, false, false, None);
        (self.verdict, self.spent) = (None, None);
    }

    /// The parameters of cells in their lanes. Lanes without a cell are like the first.
    fn params(&mut self, cells: &[usize]) {
        let lanes = self.program.lanes;
        let numbers = self.memory.numbers_mut();
        for lane in 0..lanes.count() {
            let starts = &self.sweep.cells[cells[if lane < cells.len() { lane } else { 0 }]].starts;
            for (value, slot) in starts.iter().zip(&self.program.slots) {
                let mut put = |element: usize, x: f64| numbers[slot * 8 + lanes.place(element, lane)] = x;
                match value.as_slice() {
                    Some(values) => values.iter().enumerate().for_each(|(element, &x)| put(element, x)),
                    None => value.iter().enumerate().for_each(|(element, &x)| put(element, x)),
                }
            }
        }
    }

    /// The numbers of the cells of a group in their lanes.
    fn numbers(&mut self, group: usize) {
        let count = self.unit.lane.len();
        let octets = self.memory.octets_mut();
        let slots = &self.program.slots[self.program.slots.len() - count..];
        for (&slot, octet) in slots.iter().zip(&self.job.numbers[group * count..]) {
            octets[slot] = *octet;
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
