//! What was measured: a run per cell, in plan order, never in finish order. A value; nothing here runs or prints.
//!
//! Wall time is kept apart: nothing here depends on the clock.

#![allow(missing_docs, reason = "the fields of a variant are described in the comment on the variant")]

pub mod view;

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

/// The results of one sweep.
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
    /// The quantities whose values were kept row by row (indices into `quantities`); [`Trace::columns`] is in this order.
    pub traced: Vec<usize>,
    /// A row per cell.
    pub runs: Vec<Run>,
}

impl SweepResults {
    /// The quantity with that canonical text.
    #[must_use]
    pub fn quantity(&self, text: &str) -> Option<usize> {
        self.quantities.iter().position(|quantity| quantity.text == text)
    }

    /// The place in [`Run::folded`] of a fold.
    #[must_use]
    pub fn fold(&self, fold: &Fold) -> Option<usize> {
        self.folds.iter().position(|known| known == fold)
    }

    /// The place in [`Trace::columns`] of a quantity.
    #[must_use]
    pub fn trace_column(&self, quantity: usize) -> Option<usize> {
        self.traced.iter().position(|&known| known == quantity)
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

/// One run: a cell of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Cell number from 0, in plan order.
    pub id: usize,
    /// The optimizer as a label: its name with the arguments that tell it apart in this sweep, such as `gd` or `momentum(beta = 0.5)`.
    pub optimizer: String,
    /// The name of its rule.
    pub rule: String,
    /// The loss that is minimized.
    pub loss: String,
    /// The value on each of [`SweepResults::axes`].
    pub settings: Vec<Setting>,
    /// Replicate number from 0.
    pub replicate: usize,
    /// Fold number from 0, if the sweep repeats folds.
    pub fold: Option<usize>,
    /// How it ended.
    pub status: Status,
    /// Why, in words: the condition that stopped it, the first expression that was not finite.
    pub reason: String,
    /// Updates done.
    pub steps: u64,
    /// Epochs completed.
    pub epochs: u64,
    /// Gradients evaluated.
    pub evaluations: u64,
    /// A value per [`SweepResults::folds`]: the elements, one for a number.
    pub folded: Vec<Vec<f64>>,
    /// The recorded rows.
    pub trace: Trace,
}

/// The recorded rows of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trace {
    /// The number of updates done at each row.
    pub steps: Vec<u64>,
    /// The number of epochs completed at each row.
    pub epochs: Vec<u64>,
    /// Per traced quantity: the elements of row 0, then of row 1, ...
    pub columns: Vec<Vec<f64>>,
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
