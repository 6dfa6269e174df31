//! What outputs ask of the results: plain data that the checker makes and `report` evaluates.
//!
//! A question is an expression graph whose inputs are leaves: folds, traced values, axes, aggregations.

#![allow(missing_docs, reason = "the fields of a variant are described in the comment on the variant")]

use std::sync::Arc;

use super::Setting;
use crate::source::Span;

/// The outputs and checks of a file, in its order.
#[derive(Debug, Clone, Default)]
pub struct Views {
    /// Plots.
    pub plots: Vec<PlotView>,
    /// Tables.
    pub tables: Vec<TableView>,
    /// Expectations.
    pub expects: Vec<ExpectView>,
}

/// Which cells an output is about.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Sweeps by name; at least one.
    pub sweeps: Vec<String>,
    /// Conditions that all must hold.
    pub conditions: Vec<Cond>,
    /// Keeps the best values of some axes for every combination of the others.
    pub best: Option<BestView>,
}

/// `best lr minimizing X`.
#[derive(Debug, Clone)]
pub struct BestView {
    /// The axes whose best values are kept; empty means all.
    pub axes: Vec<String>,
    /// The largest instead of the smallest.
    pub maximize: bool,
    /// What is compared (replicates averaged first; diverged cells never win).
    pub by: Question,
}

/// A condition on a cell.
#[derive(Debug, Clone)]
pub enum Cond {
    /// Both.
    And(Box<Cond>, Box<Cond>),
    /// One of them.
    Or(Box<Cond>, Box<Cond>),
    /// Not.
    Not(Box<Cond>),
    /// An axis equals (or not) a value: numbers to 1e-9 relative, texts by their canonical text;
    /// `optimizer` by the rule's name or the whole label.
    Equals { axis: String, value: Setting, negated: bool },
    /// A comparison of numbers, 1 or 0, such as `lr > 2*(1 + beta)/kappa`.
    Question(Question),
}

/// An expression over a cell.
#[derive(Debug, Clone)]
pub struct Question {
    /// As it was written, in canonical form: the column's heading.
    pub text: String,
    /// Where.
    pub span: Span,
    /// The expression: its inputs (kind `Result`) are the leaves.
    pub graph: Arc<crate::expr::graph::Graph>,
    /// Its value.
    pub root: crate::expr::graph::Id,
    /// The leaf behind each input of the graph, in the order of the inputs.
    pub leaves: Vec<Leaf>,
    /// The sizes of its value; a number has none.
    pub sizes: Vec<usize>,
    /// Whether it is a bare name without a run function, such as `J`: then headings need no `final`.
    pub bare: bool,
}

/// What an input of a question stands for.
#[derive(Debug, Clone)]
pub enum Leaf {
    /// A fold of a quantity, given by its canonical text, of this cell; or of the matching cell elsewhere.
    Fold { fold: FoldKind, quantity: String, narrow: Option<Box<Selection>> },
    /// The value of a quantity at each traced row (only where the output is over rows).
    Row { quantity: String },
    /// The step of the row.
    Step,
    /// The epoch of the row.
    Epoch,
    /// The number on an axis; nan when blank or no number.
    Axis(String),
    /// The number of the cell.
    Cell,
    /// The number of the replicate.
    Replicate,
    /// Steps done.
    Steps,
    /// Epochs done.
    Epochs,
    /// Gradients evaluated.
    Evaluations,
    /// 1 if the cell ended so, else 0.
    HasStatus(super::Status),
    /// A statistic over cells.
    Aggregate { kind: Aggregate, of: Box<Question>, over: Over },
    /// The value minus its lowest in all cells that minimize the same function (over all rows when it is traced): the same
    /// loss, and the same values of the axes `within`, which are those the loss depends on (hypers, `fold`, and `replicate`
    /// when data are redrawn).
    Gap { of: Box<Question>, within: Vec<String> },
    /// The lowest value of the question in this and all earlier cells of the sweep.
    BestSoFar { of: Box<Question> },
    /// A fold over the recorded rows of a traced question, found after the runs: of what needs other cells (`gap`).
    Folded { fold: FoldKind, of: Box<Question> },
    /// The number of selected cells in the group.
    Cells,
}

/// The fold asked for; the quantities are in the leaf.
#[derive(Debug, Clone, PartialEq)]
pub enum FoldKind {
    /// See [`super::Fold`].
    Final,
    /// See [`super::Fold`].
    Start,
    /// See [`super::Fold`].
    Lowest,
    /// See [`super::Fold`].
    Highest,
    /// See [`super::Fold`].
    Average(usize),
    /// See [`super::Fold`].
    AtStep(u64),
    /// The other quantity's canonical text.
    AtLowest(String),
    /// See [`super::Fold`].
    StepsTo,
    /// See [`super::Fold`].
    Count,
    /// See [`super::Fold`].
    SinceLowest,
    /// See [`super::Fold`].
    Previous,
}

/// A statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// The mean.
    Mean,
    /// The median.
    Median,
    /// The standard deviation (n - 1).
    Std,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The sum.
    Sum,
}

/// The cells a statistic runs over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    /// All selected cells.
    All,
    /// All values of these axes (`replicate`, `optimizer`, ...), the others being equal.
    Axes(Vec<String>),
}

/// What tells cells apart in an output: an axis (also `optimizer`, `loss`, `sweep`, `replicate`, `status`), or a question.
#[derive(Debug, Clone)]
pub enum Key {
    /// An axis by name.
    Axis(String),
    /// A value.
    Question(Question),
}

/// A table.
#[derive(Debug, Clone)]
pub struct TableView {
    /// Its name.
    pub name: String,
    /// Its place, for warnings.
    pub span: Span,
    /// Its documentation, or the caption written.
    pub caption: String,
    /// Which cells.
    pub selection: Selection,
    /// A row per value; `step`/`epoch` make a row per traced row.
    pub rows: Vec<Key>,
    /// A group of columns per value.
    pub columns: Vec<Key>,
    /// The cells of the table: an axis, `optimizer`, `status`, `reason`, or a question, with a heading.
    pub show: Vec<(Key, Option<String>)>,
    /// printf format of numbers.
    pub format: Option<String>,
    /// Sort by.
    pub sort: Option<Question>,
    /// Instead of `show`: how predicted classes and true ones agree.
    pub classes: Option<(ClassTable, Judged)>,
}

/// A table of predicted classes against true ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassTable {
    /// `classification P against y`: precision, recall, F1 and support of each class, and their averages.
    Report,
    /// `confusion P against y`: how many rows of each class were taken for which.
    Confusion,
}

/// What was predicted for rows, and what is true of them.
#[derive(Debug, Clone)]
pub struct Judged {
    /// A class per row.
    pub predicted: Question,
    /// As many.
    pub actual: Question,
    /// The names of the classes 0, 1, ..; may be empty.
    pub classes: Vec<String>,
}

/// A plot.
#[derive(Debug, Clone)]
pub struct PlotView {
    /// Its name: the file name.
    pub name: String,
    /// Its place.
    pub span: Span,
    /// The title written; if none, the first line of its documentation.
    pub title: String,
    /// Which cells.
    pub selection: Selection,
    /// What is drawn, in order.
    pub marks: Vec<MarkView>,
    /// Colours.
    pub color: Vec<Key>,
    /// Dash patterns.
    pub dash: Vec<Key>,
    /// Symbols.
    pub marker: Vec<Key>,
    /// Panels.
    pub facet: Vec<Key>,
    /// Scales said: axis (`x`, `y`, `color`) and kind.
    pub scales: Vec<(PlotAxis, ScaleKind)>,
    /// Moving mean over recorded rows, trailing.
    pub smooth: Option<usize>,
    /// The band drawn around an aggregated line; `None` when not said (then ci95).
    pub band: Option<Band>,
    /// The centre of an aggregated line; `None` when not said (then the mean).
    pub center: Option<Center>,
    /// Limits said.
    pub limits: Vec<(PlotAxis, f64, f64)>,
    /// Labels said.
    pub labels: Vec<(PlotAxis, String)>,
    /// Rulers.
    pub rulers: Vec<(PlotAxis, f64, String)>,
    /// Notes.
    pub notes: Vec<(String, f64, f64)>,
    /// Size in points.
    pub size: Option<(u32, u32)>,
}

/// An axis of a plot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlotAxis {
    /// Horizontal.
    X,
    /// Vertical.
    Y,
    /// The colour scale.
    Color,
}

/// A scale as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleKind {
    /// `linear`.
    Linear,
    /// `log`.
    Log,
    /// `categorical`.
    Categorical,
}

/// A band around an aggregated line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// 95 % t interval of the mean.
    Ci95,
    /// Standard error.
    StdErr,
    /// Standard deviation.
    Std,
    /// Quartiles.
    Iqr,
    /// Smallest to largest.
    Range,
    /// No band.
    None,
}

/// The centre of an aggregated line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Center {
    /// Mean.
    Mean,
    /// Median.
    Median,
}

/// What a series runs over.
#[derive(Debug, Clone)]
pub enum Along {
    /// The traced rows, by step.
    Step,
    /// The traced rows, by epoch.
    Epoch,
    /// The traced rows, by another traced value (a question with `Row` leaves).
    Rows(Question),
    /// The cells, by a value or an axis.
    Cells(Key),
    /// The elements of an array, such as a column of the data; the series has as many.
    Elements(Question),
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesMark {
    /// Lines.
    Lines,
    /// Points.
    Points,
    /// Bars.
    Bars,
}

/// One mark of a plot.
#[derive(Debug, Clone)]
pub enum MarkView {
    /// `lines Y, Z over X`.
    Series { mark: SeriesMark, ys: Vec<Question>, along: Along },
    /// `heatmap Z over A, B`.
    Heatmap { z: Question, x: Key, y: Key },
    /// `contour F over a in .., b in ..`: the function on a grid.
    Contour { field: Field },
    /// `curve F over v in ..`.
    Curve { field: Field },
    /// `path a, b`: traced values drawn as a line with its start and end marked.
    Path { x: Question, y: Question },
    /// `heatmap M`: the entries of a matrix, the first row at the top.
    Matrix { z: Question },
    /// `confusion P against y`.
    Confusion(Judged),
    /// `image W as 8 by 8`: a picture of so many rows and columns for each row of a matrix, or for each column.
    Image { value: Question, height: usize, width: usize },
    /// `histogram X`: of the elements of an array, or of a number over the cells.
    Histogram { of: Question },
    /// `profile X over solver`: for which share of the problems a solver needs at most so many times what the best one needs.
    Profile { of: Question, solver: String },
}

impl MarkView {
    /// Whether the mark has axes of its own, so that nothing else can be drawn with it.
    #[must_use]
    pub fn stands_alone(&self) -> bool {
        matches!(
            self,
            MarkView::Matrix { .. }
                | MarkView::Confusion(_)
                | MarkView::Image { .. }
                | MarkView::Histogram { .. }
                | MarkView::Profile { .. }
        )
    }
}

/// A function of one or two variables, to be evaluated on a grid: an expression graph with two kinds of inputs.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its text: the label of the vertical axis or of the colour scale.
    pub text: String,
    /// The expression.
    pub graph: Arc<crate::expr::graph::Graph>,
    /// Its value, a number.
    pub root: crate::expr::graph::Id,
    /// The variables: input, name, low, high; one for a curve, two for a contour.
    pub vars: Vec<(crate::expr::op::InputId, String, f64, f64)>,
    /// Values of all other inputs (columns, parameters at their start): shared by all cells.
    pub fixed: Vec<(crate::expr::op::InputId, Arc<ndarray::ArrayD<f64>>)>,
    /// Inputs that come from the cell (`final(A[0])`): one curve per cell.
    pub leaves: Vec<(crate::expr::op::InputId, Leaf)>,
    /// How many rows each dataset has.
    pub rows: crate::shape::RowCounts,
}

/// An expectation.
#[derive(Debug, Clone)]
pub struct ExpectView {
    /// As written.
    pub text: String,
    /// Where.
    pub span: Span,
    /// Line number, from 1.
    pub line: usize,
    /// Which cells.
    pub selection: Selection,
    /// The left side.
    pub left: Question,
    /// The comparison: `==`, `<`, ...
    pub op: Comparison,
    /// The right side.
    pub right: Question,
    /// `+-`: the tolerance as written, and whether it is per cent of the right side (then `5%` is the number 5).
    pub tolerance: Option<(Question, bool)>,
    /// A condition on the status instead: `status == stopped`, or (true) `status != stopped`.
    pub status: Option<(super::Status, bool)>,
    /// Points.
    pub points: Option<f64>,
    /// What to say when it fails.
    pub hint: Option<String>,
    /// Whether numbers may be shown.
    pub hidden: bool,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`.
    Lt,
    /// `<=`.
    Le,
    /// `>`.
    Gt,
    /// `>=`.
    Ge,
    /// `==`.
    Eq,
    /// `!=`.
    Ne,
}
