//! Runs a plan: cells in groups of lanes on a pool of threads, recorded as they go.
//!
//! It knows no language and prints nothing. Threads, lanes, blocks and the CPU never change a bit of a result.

pub mod machine;

mod batch;
mod ending;
mod group;
mod meter;
mod pool;
mod program;
mod record;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::time::Duration;

use crate::compile::tape::Lanes;
use crate::expr::eval::EvalError;
use crate::numeric::dispatch::Level;
use crate::plan::unit::{Plan, SweepPlan};
use crate::results::{Results, Run, SweepResults};
use group::Group;
use meter::Meter;
use program::{Program, Programs};

/// How to run. None of it changes a result, except that what a limit cuts is missing.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads; 0 for as many as the machine has.
    pub threads: usize,
    /// After this time runs are cut.
    pub max_time: Option<Duration>,
    /// Bytes that traces and states may take; more is refused beforehand.
    pub max_memory: Option<u64>,
    /// The CPU's instructions.
    pub level: Level,
    /// Runs side by side, when it is not to be chosen: for tests.
    pub lanes: Option<Lanes>,
    /// Rows of a block, when it is not to be chosen: for tests.
    pub block: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Options { threads: 1, max_time: None, max_memory: None, level: Level::current(), lanes: None, block: None }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Cells that have ended.
    pub cells_done: usize,
    /// All cells.
    pub cells: usize,
    /// Updates done, of all cells together.
    pub steps_done: u64,
    /// Updates planned.
    pub steps: u64,
    /// The loss of some cell.
    pub loss: f64,
}

/// Who wants to know how far a run is, and may end it. Asked about every millisecond, told about every 50, from any thread.
pub trait Progress: Sync {
    /// There is news.
    fn report(&self, moment: &Moment);

    /// Whether all runs are to end now, as `cut`.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Nobody wants to know.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _: &Moment) {}
}

/// Why nothing was run.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// It would take this many bytes, more than the limit.
    Memory {
        /// Bytes needed.
        needed: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// What depends on data alone, or the start of a state, has no value: an index or a slice that the checker should have found.
    Value(EvalError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Memory { needed, limit } => write!(f, "the traces and states need {needed} bytes, and the limit is {limit}"),
            Refusal::Value(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<EvalError> for Refusal {
    fn from(error: EvalError) -> Self {
        Refusal::Value(error)
    }
}

/// Runs every cell of the plan. Results are in the order of the plan.
///
/// # Errors
/// When the memory limit is too low, or fixed values cannot be evaluated.
pub fn execute(plan: &Plan, options: &Options, progress: &dyn Progress) -> Result<Results, Refusal> {
    if let Some(limit) = options.max_memory {
        let needed = plan.sweeps.iter().map(bytes).fold(0, u64::saturating_add);
        if needed > limit {
            return Err(Refusal::Memory { needed, limit });
        }
    }
    let groups: Vec<Group> = plan.sweeps.iter().enumerate().flat_map(|(number, sweep)| groups(number, sweep, options.lanes)).collect();
    let mut programs = Programs::new();
    for group in &groups {
        let key = (group.sweep, group.unit, group.lanes);
        if let Entry::Vacant(entry) = programs.entry(key) {
            let sweep = &plan.sweeps[group.sweep];
            entry.insert(Program::of(sweep, &sweep.units[group.unit], group.lanes, options.level, options.block)?);
        }
    }
    let cells = plan.sweeps.iter().map(|sweep| sweep.cells.len()).sum();
    let steps =
        plan.sweeps.iter().flat_map(|sweep| sweep.cells.iter().map(|cell| sweep.units[cell.unit].budget)).fold(0, u64::saturating_add);
    let meter = Meter::new(options.max_time, progress, cells, steps);
    let threads =
        if options.threads == 0 { std::thread::available_parallelism().map_or(1, std::num::NonZero::get) } else { options.threads };
    let done = pool::map(threads, &groups, |group| {
        let program = &programs[&(group.sweep, group.unit, group.lanes)];
        group::run(&plan.sweeps[group.sweep], program, group, &meter)
    });
    let mut runs: Vec<BTreeMap<usize, Run>> = vec![BTreeMap::new(); plan.sweeps.len()];
    for (group, done) in groups.iter().zip(done) {
        runs[group.sweep].extend(done?.into_iter().map(|run| (run.id, run)));
    }
    let sweeps = plan.sweeps.iter().zip(runs).map(|(sweep, runs)| SweepResults {
        name: sweep.name.clone(),
        axes: sweep.axes.clone(),
        varying: sweep.varying.clone(),
        replicates: sweep.replicates,
        quantities: sweep.quantities.clone(),
        folds: sweep.folds.clone(),
        traced: sweep.traced.clone(),
        runs: runs.into_values().collect(),
    });
    Ok(Results { sweeps: sweeps.collect() })
}

/// Cells that can go side by side, in groups of eight; what is left over goes alone, unless it is six or seven.
///
/// Lanes share the graph, and the rows of each step: with minibatches cells of different replicates are kept apart.
fn groups(number: usize, sweep: &SweepPlan, forced: Option<Lanes>) -> Vec<Group> {
    let mut alike: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (cell, plan) in sweep.cells.iter().enumerate() {
        let apart = if sweep.units[plan.unit].batches.is_some() { plan.replicate } else { 0 };
        alike.entry((plan.unit, apart)).or_default().push(cell);
    }
    let mut groups = Vec::new();
    for ((unit, _), cells) in alike {
        for eight in cells.chunks(8) {
            let lanes = forced.unwrap_or(if eight.len() >= 6 { Lanes::Eight } else { Lanes::One });
            for cells in eight.chunks(lanes.count()) {
                groups.push(Group { sweep: number, unit, cells: cells.to_vec(), lanes });
            }
        }
    }
    groups
}

/// Bytes of traces, and of parameters and states, of all cells of a sweep.
fn bytes(sweep: &SweepPlan) -> u64 {
    let traced: usize = sweep.traced.iter().map(|&quantity| sweep.quantities[quantity].len()).sum();
    let cell = |cell: &crate::plan::unit::Cell| {
        let unit = &sweep.units[cell.unit];
        let rows = if sweep.traced.is_empty() { 0 } else { record::most_rows(sweep.pace, unit.steps_per_epoch, unit.budget) as u64 };
        let slots = unit.params.iter().chain(&unit.states);
        let state: usize =
            slots.map(|slot| unit.rows.count(unit.graph.shape(slot.input)).unwrap_or(usize::MAX)).fold(0, usize::saturating_add);
        (traced as u64 + 2).saturating_mul(rows).saturating_add(2 * state as u64).saturating_mul(8)
    };
    sweep.cells.iter().map(cell).fold(0, u64::saturating_add)
}
