//! What a checked file is: the values that planning and reporting need. It has no behaviour.

use std::collections::BTreeMap;

use super::claim::Asked;
use super::data::Table;
use super::decls::Decls;
use super::draw::Rng;
use super::lower::Model;
use super::model::Declared;
use crate::results::view::{Cond, Views};
use crate::results::{Fold, Setting};
use crate::source::Span;
use crate::syntax::ast::{BatchOrder, Expr, Ident};

/// A checked file.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) decls: Decls,
    /// The values with hypers at their defaults.
    pub(crate) model: Model,
    pub(crate) declared: Declared,
    /// The data as they were read, to declare the values anew for cells whose shapes, folds or draws are others.
    pub(crate) tables: Vec<Table>,
    /// The hypers on which shapes and data depend.
    pub(crate) fixing: Vec<String>,
    pub(crate) rng: Option<Rng>,
    pub(crate) sweeps: Vec<SweepSpec>,
    /// What the outputs ask.
    pub views: Views,
    /// Claims, and checks of gradients.
    pub(crate) asked: Asked,
}

/// A checked sweep.
#[derive(Debug, Clone)]
pub(crate) struct SweepSpec {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) maximize: bool,
    /// The axes in the order written, the last fastest.
    pub(crate) axes: Vec<AxisSpec>,
    /// The parameters that are updated, where the sweep says which.
    pub(crate) over: Vec<(String, Span)>,
    pub(crate) groups: Vec<GroupSpec>,
    /// Cells that are left out.
    pub(crate) skip: Vec<Expr>,
    pub(crate) budget: Budget,
    pub(crate) batches: Option<BatchSpec>,
    pub(crate) stop: Option<(Expr, String)>,
    pub(crate) repeat: usize,
    /// The datasets that each replicate draws anew.
    pub(crate) redraw: Vec<String>,
    /// The folds that judge, one after the other; none where the data have no folds.
    pub(crate) judging: Vec<usize>,
    pub(crate) pace: Option<Pace>,
    /// What outputs and `record` want evaluated, in the order first asked.
    pub(crate) wants: Vec<Want>,
    /// Folds over `wants`.
    pub(crate) folds: Vec<Fold>,
}

/// `group b1, b2 { lr = 2*lr }`.
#[derive(Debug, Clone)]
pub(crate) struct GroupSpec {
    pub(crate) params: Vec<(String, Span)>,
    pub(crate) values: Vec<(Ident, Expr)>,
}

/// How long a run is.
#[derive(Debug, Clone)]
pub(crate) enum Budget {
    Steps(u64),
    Epochs(u64),
}

/// When rows are recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    Steps(u64),
    Epochs(u64),
}

/// A quantity that a sweep evaluates.
#[derive(Debug, Clone)]
pub(crate) struct Want {
    /// Canonical text.
    pub(crate) text: String,
    pub(crate) expr: WantExpr,
    pub(crate) sizes: Vec<usize>,
    /// Whether its values are kept row by row.
    pub(crate) traced: bool,
    /// Who shows it, and in which cells: each output's conditions, all of which hold there.
    pub(crate) shown: Vec<Vec<Cond>>,
}

/// What is evaluated.
#[derive(Debug, Clone)]
pub(crate) enum WantExpr {
    /// An expression of the model.
    Model(Expr),
    /// An argument of the rule at the last update, such as `lr`; nan where the rule has none.
    Argument(String),
    /// A shared state of a rule.
    State { rule: String, state: String },
    /// The loss on the batch.
    OnBatch(String),
}

/// One axis: a combination of settings for each of its values.
#[derive(Debug, Clone)]
pub(crate) struct AxisSpec {
    /// The names that it sets; several for `zip`, and for optimizers with axes of their own.
    pub(crate) points: Vec<Vec<Bind>>,
}

/// One setting of a cell.
#[derive(Debug, Clone)]
pub(crate) enum Bind {
    /// The optimizer.
    Optimizer(OptimizerSpec),
    /// The loss.
    Loss(String),
    /// An argument of the rule, or a hyper.
    Named { name: String, hyper: bool, value: AxisValue },
}

/// A value on an axis.
#[derive(Debug, Clone)]
pub(crate) struct AxisValue {
    pub(crate) setting: Setting,
    /// The expression behind it, for schedules.
    pub(crate) expr: Expr,
}

/// An optimizer as a sweep names it.
#[derive(Debug, Clone)]
pub(crate) struct OptimizerSpec {
    /// The rule's name; stages are joined by ` |> `.
    pub(crate) rule: String,
    pub(crate) span: Span,
    pub(crate) stages: Vec<StageSpec>,
}

/// One stage with the arguments that the sweep wrote into it.
#[derive(Debug, Clone)]
pub(crate) struct StageSpec {
    /// Full name of the rule.
    pub(crate) rule: String,
    /// Where the sweep names it.
    pub(crate) span: Span,
    pub(crate) args: BTreeMap<String, AxisValue>,
    /// Which of them vary (`beta in [..]`): they are axes, the others are part of the label.
    pub(crate) varying: Vec<String>,
}

/// Minibatches as written.
#[derive(Debug, Clone)]
pub(crate) struct BatchSpec {
    pub(crate) size: Expr,
    pub(crate) order: BatchOrder,
    pub(crate) drop_last: bool,
    pub(crate) span: Span,
}
