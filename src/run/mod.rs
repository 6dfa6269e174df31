//! Runs a plan: cells in groups of lanes on a pool of threads, recorded as they go.
//!
//! It knows no language and prints nothing. Threads, lanes, blocks and the CPU never change a bit of a result.

pub mod machine;

mod batch;
mod ending;
mod group;
mod job;
mod leap;
mod memory;
mod meter;
mod noise;
mod pool;
mod program;
mod record;
mod solve;
mod start;
mod update;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::check::messages::human_bytes;
use crate::compile::tape::Lanes;
use crate::expr::eval::EvalError;
use crate::numeric::dispatch::Level;
use crate::plan::unit::{Plan, SweepPlan};
use crate::results::{Place, Results, SweepResults};
use job::{Job, jobs};
use machine::Spare;
pub use memory::Needs;
use meter::Meter;
use program::Program;

/// How to run. None of it changes a result, except that what a limit cuts is missing.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads; 0 for as many as the machine has.
    pub threads: usize,
    /// After this time runs are cut.
    pub max_time: Option<Duration>,
    /// Bytes that data, traces and states may take; more is refused beforehand, and so is more than the machine has free.
    pub max_memory: Option<u64>,
    /// The CPU's instructions.
    pub level: Level,
    /// Runs side by side, when it is not to be chosen: for tests.
    pub lanes: Option<Lanes>,
    /// Rows of a block, when it is not to be chosen: for tests.
    pub block: Option<usize>,
    /// The work from which on threads share the rows of a pass, when it is not to be chosen: for tests.
    pub share: Option<u64>,
    /// The bytes from which on a column is read as bytes, when it is not to be chosen: for tests.
    pub narrow: Option<usize>,
    /// Whether small steps become machine code.
    pub native: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            threads: 1,
            max_time: None,
            max_memory: None,
            level: Level::current(),
            lanes: None,
            block: None,
            share: None,
            narrow: None,
            native: crate::native::enabled(),
        }
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
    /// It would take more memory than there is.
    Memory {
        /// What takes how many bytes.
        needs: Needs,
        /// Bytes allowed, or available.
        limit: u64,
        /// Whether the limit was given, and is not that of the machine.
        given: bool,
    },
    /// What depends on data alone, or the start of a state, has no value: an index or a slice that the checker should have found.
    Value(EvalError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Memory { needs, limit, given } => {
                let limit = human_bytes(*limit as f64);
                let whose = if *given { format!("`--max-memory` allows {limit}") } else { format!("{limit} of memory is free") };
                write!(f, "the run needs {needs}, and {whose}")
            }
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

/// A plan made ready to run: tapes, and who runs which cells.
#[derive(Debug)]
pub struct Ready<'p> {
    plan: &'p Plan,
    options: Options,
    threads: usize,
    programs: Vec<Program>,
    jobs: Vec<Job>,
    places: Vec<Arc<Vec<Place>>>,
}

/// Runs every cell of the plan. Results are in the order of the plan.
///
/// # Errors
/// As [`ready`].
pub fn execute(plan: &Plan, options: &Options, progress: &dyn Progress) -> Result<Results, Refusal> {
    Ok(ready(plan, options)?.run(progress))
}

/// Compiles a plan.
///
/// # Errors
/// When there is not enough memory, or fixed values cannot be evaluated.
pub fn ready<'p>(plan: &'p Plan, options: &Options) -> Result<Ready<'p>, Refusal> {
    let threads =
        if options.threads == 0 { std::thread::available_parallelism().map_or(1, std::num::NonZero::get) } else { options.threads };
    let needs = Needs::of(plan, threads);
    let given = options.max_memory.map(|limit| (limit, true));
    let limits = given.into_iter().chain(memory::available().map(|limit| (limit, false)));
    if let Some((limit, given)) = limits.min().filter(|(limit, _)| needs.total() > *limit) {
        return Err(Refusal::Memory { needs, limit, given });
    }
    let (programs, jobs) = jobs(plan, options, threads)?;
    let places = places(plan, &jobs);
    Ok(Ready { plan, options: options.clone(), threads, programs, jobs, places })
}

impl Ready<'_> {
    /// Runs every cell.
    #[must_use]
    pub fn run(&self, progress: &dyn Progress) -> Results {
        let sweeps = &self.plan.sweeps;
        let cells = sweeps.iter().map(|sweep| sweep.cells.len()).sum();
        let count = |sweep: &SweepPlan| sweep.designs.iter().map(|design| sweep.units[design.unit].budget).fold(0, u64::saturating_add);
        let steps = sweeps.iter().map(count).fold(0, u64::saturating_add);
        let meter = Meter::new(self.options.max_time, progress, cells, steps);
        let spare = Spare::new(self.threads, self.jobs.len(), self.options.share);
        let done = pool::map(self.threads, &self.jobs, |job| {
            group::run(&sweeps[job.sweep], &self.programs[job.program], job, self.options.level, &spare, meter.watch())
        });
        let mut results: Vec<SweepResults> = sweeps.iter().zip(&self.places).map(|(sweep, places)| empty(sweep, places)).collect();
        for (job, part) in self.jobs.iter().zip(done) {
            results[job.sweep].parts.push(part);
        }
        Results { sweeps: results }
    }
}

/// The results of a sweep before its cells have run.
fn empty(sweep: &SweepPlan, places: &Arc<Vec<Place>>) -> SweepResults {
    SweepResults {
        name: sweep.name.clone(),
        axes: sweep.axes.clone(),
        varying: sweep.varying.clone(),
        replicates: sweep.replicates,
        quantities: sweep.quantities.clone(),
        folds: sweep.folds.clone(),
        traced: sweep.traced.clone(),
        units: sweep.units.iter().map(|unit| sweep.pace.counting(unit)).collect(),
        designs: sweep.designs.clone(),
        parts: Vec::new(),
        places: places.clone(),
    }
}

/// Where each cell of each sweep will be in what comes out of its jobs.
fn places(plan: &Plan, jobs: &[Job]) -> Vec<Arc<Vec<Place>>> {
    let mut places: Vec<Vec<Place>> = plan.sweeps.iter().map(|sweep| vec![Place::default(); sweep.cells.len()]).collect();
    let mut parts = vec![0; plan.sweeps.len()];
    for job in jobs {
        for (run, &cell) in job.cells.iter().enumerate() {
            places[job.sweep][cell] = Place { part: parts[job.sweep], run: run as u32 };
        }
        parts[job.sweep] += 1;
    }
    places.into_iter().map(Arc::new).collect()
}
