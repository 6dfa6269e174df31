//! What is run: units (the graphs that cells share) and cells (the numbers in which they differ). Plain data.
//!
//! One step of a run is one pure function: from parameters, states, the step's number and the batch to the
//! next parameters and states. Rules, schedules, look-ahead gradients and events are already inside the graph.

use std::sync::Arc;

use ndarray::ArrayD;

use crate::expr::graph::{Graph, Id};
use crate::expr::op::InputId;
use crate::numeric::mt19937::RandomState;
use crate::results::{Counting, Design, Fold, Quantity};
use crate::shape::{DataId, RowCounts};
use crate::solvers::Solver;

/// Everything that will be run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// In the order of the file.
    pub sweeps: Vec<SweepPlan>,
}

/// One sweep.
#[derive(Debug, Clone)]
pub struct SweepPlan {
    /// Its name.
    pub name: String,
    /// See [`crate::results::SweepResults`].
    pub axes: Vec<String>,
    /// See [`crate::results::SweepResults`].
    pub varying: Vec<String>,
    /// Replicates.
    pub replicates: usize,
    /// What cells share; every cell names one.
    pub units: Vec<Unit>,
    /// The numbers of each cell, in plan order.
    pub cells: Vec<Cell>,
    /// What each cell is, in the same order; the results share it.
    pub designs: Arc<Vec<Design>>,
    /// What is evaluated; the same list for every unit of the sweep.
    pub quantities: Vec<Quantity>,
    /// What is folded.
    pub folds: Vec<Fold>,
    /// What is traced: indices of quantities.
    pub traced: Vec<usize>,
    /// When rows are recorded.
    pub pace: Pace,
}

impl SweepPlan {
    /// Each cell with its unit and what it is.
    pub fn planned(&self) -> impl Iterator<Item = (&Unit, &Design, &Cell)> {
        self.designs.iter().zip(&self.cells).map(|(design, cell)| (&self.units[design.unit], design, cell))
    }
}

/// When a row is recorded. Row 0 and the last row always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Every so many steps.
    Steps(u64),
    /// At the end of every so many epochs.
    Epochs(u64),
}

impl Pace {
    /// How the steps of a unit are counted.
    #[must_use]
    pub fn counting(self, unit: &Unit) -> Counting {
        let steps_per_epoch = unit.steps_per_epoch.max(1);
        let every = match self {
            Pace::Steps(n) => n.max(1),
            Pace::Epochs(n) => n.max(1).saturating_mul(steps_per_epoch),
        };
        Counting { every, steps_per_epoch, evaluations_per_step: unit.evaluations_per_step }
    }
}

/// A named value that changes from step to step.
#[derive(Debug, Clone)]
pub struct Slot {
    /// `w`, or `m of w` for a state.
    pub name: String,
    /// Its input node in the unit's graph; the shape is the node's, and has fixed sizes.
    pub input: Id,
    /// Its value after the step.
    pub next: Id,
    /// Its value after the event at the end of an epoch, in terms of the same inputs (the values after the
    /// epoch's last step); `None` when the event does not change it.
    pub next_epoch: Option<Id>,
}

/// The graphs that cells share, so that they can run as lanes of one group.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Holds every expression below.
    pub graph: Graph,
    /// The rows of each dataset when all are used.
    pub rows: RowCounts,
    /// The values of the columns that the graph uses; the same for all cells.
    pub columns: Vec<(InputId, Arc<ArrayD<f64>>)>,
    /// The parameters that the sweep updates, in the order declared.
    pub params: Vec<Slot>,
    /// The states of the rule: one per state and parameter, and the shared ones.
    pub states: Vec<Slot>,
    /// The start of each state, an expression in parameters, lane inputs and columns.
    pub state_starts: Vec<Id>,
    /// Scalar inputs that hold a number of the cell (arguments, hypers); [`Cell::lane`] has the values.
    pub lane: Vec<InputId>,
    /// The number of the step (from 1), if used.
    pub step: Option<InputId>,
    /// The number of the epoch (from 1), if used.
    pub epoch: Option<InputId>,
    /// The number of steps planned, if used.
    pub steps: Option<InputId>,
    /// The loss that is differentiated, on the batch, at the parameters before the step.
    pub loss: Id,
    /// The quantities of the sweep, as this unit computes them.
    pub quantities: Vec<Measure>,
    /// `stop when`: a scalar, not 0 when the run is to stop.
    pub stop: Option<Measure>,
    /// The text of the stop condition.
    pub stop_text: String,
    /// Gradients evaluated in one step.
    pub evaluations_per_step: u64,
    /// Minibatches; `None` when every step sees all rows.
    pub batches: Option<Batches>,
    /// Planned updates.
    pub budget: u64,
    /// Updates in an epoch.
    pub steps_per_epoch: u64,
    /// The solver that moves the parameters; `None` when a rule does.
    pub solve: Option<Solve>,
}

/// What a solver evaluates: expressions in the inputs of its unit. The parameters leave a step as they came: the solver writes the next ones.
///
/// The first states of the unit are what the parameters were before the last update; for least squares their standard errors follow.
#[derive(Debug, Clone)]
pub struct Solve {
    /// Which.
    pub solver: &'static Solver,
    /// Its arguments: numbers of the cell or of the data.
    pub numbers: Vec<(String, Id)>,
    /// Its conventions.
    pub words: Vec<(String, String)>,
    /// It moves so many of the first parameters of the unit.
    pub moved: usize,
    /// The gradient by these, of the loss or of its smooth part.
    pub grads: Vec<Id>,
    /// Inputs in the shapes of these parameters, along which `products` are taken.
    pub direction: Vec<InputId>,
    /// The loss is the sum of their squares, up to a constant.
    pub residuals: Vec<Id>,
    /// The Hessian times the direction, in the shapes of the parameters, or the Jacobian times the direction, in those of the residuals.
    pub products: Vec<Id>,
    /// The second derivative of the residuals along the direction, in their shapes.
    pub curves: Vec<Id>,
    /// The loss without absolute values of parameters.
    pub smooth: Option<Id>,
    /// The weights of these absolute values, in the shapes of the parameters.
    pub weights: Vec<Id>,
}

/// How a quantity is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// At the point of the row, on all rows of the data: an expression in parameters, states and lane inputs.
    /// In it the input `step` has the number of updates done.
    Row(Id),
    /// In the step that led to the row, with its batch: an expression in the parameters and states before that
    /// step (`lr`, the loss on the batch, the change). Row 0 has nan.
    Step(Id),
}

/// Minibatches.
#[derive(Debug, Clone)]
pub struct Batches {
    /// The dataset whose rows are chosen.
    pub data: DataId,
    /// Rows in a batch.
    pub size: usize,
    /// Whether an incomplete last batch is left out.
    pub drop_last: bool,
    /// Which rows, in which order.
    pub order: Order,
}

/// The order of rows. Randomness depends on seed, sweep-independent purpose, epoch and replicate only.
#[derive(Debug, Clone)]
pub enum Order {
    /// As in the data.
    InOrder,
    /// Row numbers per epoch; epochs beyond the list are an error found by the checker.
    Given(Arc<Vec<Vec<u32>>>),
    /// A new permutation of the data's order each epoch.
    Shuffled(u64),
    /// A permutation of the order of the epoch before.
    Cumulatively(u64),
    /// Drawn with replacement.
    Drawn(u64),
}

/// The numbers of one run; [`Design`] says what it is and which unit it belongs to.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The numbers of [`Unit::lane`].
    pub lane: Vec<f64>,
    /// The start of each parameter, shared between cells that start alike.
    pub starts: Arc<Vec<ArrayD<f64>>>,
    /// `rng numpy(..)`: the generator as columns, splits and starts left it. The orders of epochs come from it, not from streams.
    pub generator: Option<Arc<RandomState>>,
}
