//! What was measured: a run per cell, in plan order, never in finish order. A value; nothing here runs or prints.
//!
//! Wall time is kept apart: nothing here depends on the clock.

#![allow(missing_docs, reason = "the fields of a variant are described in the comment on the variant")]

mod trace;
pub mod view;

use std::sync::Arc;

pub use trace::{Counting, Trace};

/// The results of a whole file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Results {
    /// In the order of the file.
    pub sweeps: Vec<SweepResults>,
}

impl Results {
    /// The sweep of that name.
    #[must_use]
    pub fn sweep(&self, name: &str) -> Option<&SweepResults> {
        self.sweeps.iter().find(|sweep| sweep.name == name)
    }
}

/// The results of one sweep: tables with an entry per cell, in plan order. [`SweepResults::run`] shows one cell of all of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SweepResults {
    /// Its name.
    pub name: String,
    /// The names of its axes and settings in the order written (arguments of optimizers and hypers; not `optimizer`, `loss`, `replicate`, `fold`).
    pub axes: Vec<String>,
    /// Of `axes`, those with several values, and `optimizer`, `loss` when there are several: what an output must account for.
    pub varying: Vec<String>,
    /// What is minimized in each cell is told by [`Run::loss`]; this is the number of replicates.
    pub replicates: usize,
    /// The quantities that were evaluated.
    pub quantities: Vec<Quantity>,
    /// What was folded over each run; [`Run::folded`] has the values in this order.
    pub folds: Vec<Fold>,
    /// The quantities whose values were kept row by row (indices into `quantities`); the columns of a [`Trace`] are in this order.
    pub traced: Vec<usize>,
    /// How steps are counted; [`Design::unit`] says which of these is a cell's.
    pub units: Vec<Counting>,
    /// What each cell is; shared with the plan.
    pub designs: Arc<Vec<Design>>,
    /// What was measured, in parts as they were run.
    pub parts: Vec<Part>,
    /// Where in the parts each cell is.
    pub places: Arc<Vec<Place>>,
}

/// What was measured of cells that were run one after the other and side by side.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    /// How many cells went side by side.
    pub lanes: usize,
    /// How each run ended.
    pub endings: Vec<Ending>,
    /// The folded numbers of the first run, fold by fold, then those of the second, ...
    pub folded: Vec<f64>,
    /// The recorded rows, as `[row][element][lane]` for each group of cells; [`Ending::first`] says where a run's are.
    pub block: Vec<f64>,
}

/// Where a cell is: a part, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Index into [`SweepResults::parts`].
    pub part: u32,
    /// Index into [`Part::endings`].
    pub run: u32,
}

impl SweepResults {
    /// The quantity with that canonical text.
    #[must_use]
    pub fn quantity(&self, text: &str) -> Option<usize> {
        self.quantities.iter().position(|quantity| quantity.text == text)
    }

    /// The place among [`SweepResults::folds`] of a fold.
    #[must_use]
    pub fn fold(&self, fold: &Fold) -> Option<usize> {
        self.folds.iter().position(|known| known == fold)
    }

    /// The column of a [`Trace`] that has a quantity.
    #[must_use]
    pub fn trace_column(&self, quantity: usize) -> Option<usize> {
        self.traced.iter().position(|&known| known == quantity)
    }

    /// The number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are no cells.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The run of a cell.
    #[must_use]
    pub fn run(&self, cell: usize) -> Run<'_> {
        let (design, place) = (&self.designs[cell], self.places[cell]);
        let part = &self.parts[place.part as usize];
        let ending = &part.endings[place.run as usize];
        let counting = self.units[design.unit];
        Run {
            id: cell,
            optimizer: &design.optimizer,
            rule: &design.rule,
            loss: &design.loss,
            settings: &design.settings,
            replicate: design.replicate,
            fold: design.fold,
            status: ending.status,
            reason: ending.reason.as_deref().unwrap_or(""),
            steps: ending.steps,
            epochs: ending.steps / counting.steps_per_epoch.max(1),
            evaluations: ending.evaluations.unwrap_or(ending.steps * counting.evaluations_per_step),
            sweep: self,
            part,
            ending,
            place: place.run as usize,
        }
    }

    /// All runs, in plan order.
    pub fn runs(&self) -> impl ExactSizeIterator<Item = Run<'_>> {
        (0..self.len()).map(|cell| self.run(cell))
    }
}

/// Something evaluated at the rows of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// Its canonical text, such as `log_loss` or `norm(w - exact)`.
    pub text: String,
    /// The sizes of its value; a number has none.
    pub sizes: Vec<usize>,
}

impl Quantity {
    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sizes.iter().product()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the elements: `b`, `w[0]`, `W[1,2]`.
    #[must_use]
    pub fn element_names(&self) -> Vec<String> {
        (0..self.len())
            .map(|index| {
                let mut rest = index;
                let mut places: Vec<String> = Vec::new();
                for &size in self.sizes.iter().rev() {
                    places.push((rest % size).to_string());
                    rest /= size;
                }
                places.reverse();
                if places.is_empty() { self.text.clone() } else { format!("{}[{}]", self.text, places.join(",")) }
            })
            .collect()
    }
}

/// One number (or array) made of all the rows of a run; indices are into [`SweepResults::quantities`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fold {
    /// The value in the last row.
    Final(usize),
    /// The value in row 0.
    Start(usize),
    /// The lowest value of a number; nan values are passed over.
    Lowest(usize),
    /// The highest.
    Highest(usize),
    /// The mean of the last `last` recorded rows.
    Average { of: usize, last: usize },
    /// The value in the row of a step; nan if the run did not get there.
    AtStep { of: usize, step: u64 },
    /// The value in the first row in which the number `of` is lowest.
    AtLowest { what: usize, of: usize },
    /// The first step whose row makes the condition (a quantity that is 0 or 1) true; inf if none does.
    StepsTo(usize),
    /// The number of recorded rows that make the condition true.
    Count(usize),
    /// The number of recorded rows since the lowest value.
    SinceLowest(usize),
    /// The value one recorded row before the last.
    Previous(usize),
}

impl Fold {
    /// The number of elements of its value.
    #[must_use]
    pub fn len(&self, quantities: &[Quantity]) -> usize {
        match *self {
            Fold::Final(of)
            | Fold::Start(of)
            | Fold::Lowest(of)
            | Fold::Highest(of)
            | Fold::Average { of, .. }
            | Fold::AtStep { of, .. }
            | Fold::AtLowest { what: of, .. }
            | Fold::Previous(of) => quantities.get(of).map_or(0, Quantity::len),
            Fold::StepsTo(_) | Fold::Count(_) | Fold::SinceLowest(_) => 1,
        }
    }
}

/// What a cell is: decided by the plan, and never changed by its run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Design {
    /// The unit of the sweep that it belongs to: cells of one unit share their expressions.
    pub unit: usize,
    /// The optimizer as a label: its name with the arguments that tell it apart in this sweep, such as `gd` or `momentum(beta = 0.5)`.
    pub optimizer: Arc<str>,
    /// The name of its rule.
    pub rule: Arc<str>,
    /// The loss that is minimized.
    pub loss: Arc<str>,
    /// The value on each of [`SweepResults::axes`].
    pub settings: Vec<Setting>,
    /// Replicate number from 0.
    pub replicate: usize,
    /// Fold number from 0, if the sweep repeats folds.
    pub fold: Option<usize>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// How.
    pub status: Status,
    /// Why, in words: the condition that stopped it, the first expression that was not finite.
    pub reason: Option<Arc<str>>,
    /// Updates done.
    pub steps: u64,
    /// Points at which the loss or its derivatives were evaluated, where a solver counts them; a rule evaluates as many in each step.
    pub evaluations: Option<u64>,
    /// The number in [`Part::block`] that is the first element of row 0. When rows are recorded every so many steps, the row of a
    /// last step between two of them stands before it.
    pub first: usize,
}

/// One run: a cell of a sweep.
#[derive(Debug, Clone, Copy)]
pub struct Run<'r> {
    /// Cell number from 0, in plan order.
    pub id: usize,
    /// See [`Design`].
    pub optimizer: &'r str,
    /// See [`Design`].
    pub rule: &'r str,
    /// See [`Design`].
    pub loss: &'r str,
    /// See [`Design`].
    pub settings: &'r [Setting],
    /// See [`Design`].
    pub replicate: usize,
    /// See [`Design`].
    pub fold: Option<usize>,
    /// How it ended.
    pub status: Status,
    /// Why, in words; empty when all steps were done.
    pub reason: &'r str,
    /// Updates done.
    pub steps: u64,
    /// Epochs completed.
    pub epochs: u64,
    /// Gradients evaluated; by a solver, points at which the loss or its derivatives were.
    pub evaluations: u64,
    sweep: &'r SweepResults,
    part: &'r Part,
    ending: &'r Ending,
    place: usize,
}

impl<'r> Run<'r> {
    /// The elements of a fold, given by its place among [`SweepResults::folds`]; one for a number.
    #[must_use]
    pub fn folded(&self, fold: usize) -> Option<&'r [f64]> {
        let len = |fold: &Fold| fold.len(&self.sweep.quantities);
        let all: usize = self.sweep.folds.iter().map(len).sum();
        let before: usize = self.sweep.folds.iter().take(fold).map(len).sum();
        let own = self.sweep.folds.get(fold)?;
        self.part.folded.get(self.place * all + before..)?.get(..len(own))
    }

    /// The recorded rows.
    #[must_use]
    pub fn trace(&self) -> Trace<'r> {
        Trace::of(self.sweep, self.part, self.ending, self.sweep.units[self.sweep.designs[self.id].unit])
    }
}

/// The value of a cell on an axis.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// The cell's optimizer has no such argument.
    Blank,
    /// A number, with its text as written.
    Number(f64),
    /// A schedule, a word, or anything else that is told apart by its text.
    Text(String),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// A limit of the command line ended it.
    Cut,
    /// The loss or a parameter was not finite.
    Diverged,
    /// All steps were done.
    Done,
    /// A solver could not go on.
    Failed,
    /// All steps were done, but the loss ended above its start.
    Rising,
    /// Its stop condition, or a solver's own test.
    Stopped,
}

impl Status {
    /// The word that tables and conditions use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Cut => "cut",
            Status::Diverged => "diverged",
            Status::Done => "done",
            Status::Failed => "failed",
            Status::Rising => "rising",
            Status::Stopped => "stopped",
        }
    }

    /// All, in order.
    pub const ALL: [Status; 6] = [Status::Cut, Status::Diverged, Status::Done, Status::Failed, Status::Rising, Status::Stopped];
}
