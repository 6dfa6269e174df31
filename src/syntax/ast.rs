//! The syntax tree: what was written, with places. It has no behaviour.
//!
//! Left-associative operators are flat chains, so a sum of 100,000 terms is wide and not deep;
//! everything else is bounded by the nesting limit, so walks may recurse.

#![allow(missing_docs, reason = "the fields of a variant are described in the comment on the variant")]

use crate::source::Span;

/// A name and where it stands. The text is NFKC-normalized; backticks are removed.
#[derive(Debug, Clone, PartialEq)]
pub struct Ident {
    /// The name.
    pub name: String,
    /// Where.
    pub span: Span,
}

/// A quoted text with its escapes resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// The characters.
    pub value: String,
    /// Where, quotes included.
    pub span: Span,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct File {
    /// The declarations in the order written.
    pub items: Vec<Item>,
}

/// One declaration.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The comment lines directly above, without `#`.
    pub doc: Vec<String>,
    /// The whole declaration.
    pub span: Span,
    /// What it declares.
    pub kind: ItemKind,
}

/// The declarations.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemKind {
    /// `rng 42`, `rng numpy(42)`.
    Rng { numpy: bool, seed: Expr },
    /// `dataset NAME { .. }`.
    Dataset { name: Ident, lines: Vec<DataLine> },
    /// `param NAME [: shape] [= value | ~ draw] [within set]`.
    Param { name: Ident, shape: Option<Vec<Expr>>, start: Start, within: Option<Expr> },
    /// `hyper NAME = value`.
    Hyper { name: Ident, value: Expr },
    /// `let NAME = value`, `let NAME: [3] ~ draw`.
    Let { name: Ident, shape: Option<Vec<Expr>>, value: Start },
    /// `fn NAME(a, b = 1) = expr`, or with a body.
    Fn { name: Ident, formals: Vec<Formal>, body: FnBody },
    /// `loss NAME = expr`.
    Loss { name: Ident, value: Expr },
    /// `metric NAME = expr`.
    Metric { name: Ident, value: Expr },
    /// `schedule NAME(a, b = 1) = expr`.
    Schedule { name: Ident, formals: Vec<Formal>, value: Expr },
    /// `optimizer NAME(lr, beta = 0.9) { .. }`, or `= stage |> stage`.
    Optimizer { name: Ident, formals: Vec<Formal>, body: RuleBody },
    /// `sweep NAME { .. }`, `sweep NAME = BASE with { .. }`.
    Sweep { name: Ident, base: Option<Ident>, lines: Vec<SweepLine> },
    /// `plot NAME { .. }`.
    Plot { name: Ident, lines: Vec<OutLine> },
    /// `table NAME { .. }`.
    Table { name: Ident, lines: Vec<OutLine> },
    /// `claim A == B`.
    Claim { left: Expr, right: Expr, grading: Grading, allow_open: bool },
    /// `check gradient of L`.
    CheckGradient { loss: Expr },
    /// `expect A CMP B [+- tol[%]] ..`.
    Expect { cond: Expr, tolerance: Option<Tolerance>, filters: Vec<OutLine>, grading: Grading },
    /// `import "f.opt" [as m]`, `import submission`.
    Import { path: ImportPath, alias: Option<Ident> },
}

/// What is imported.
#[derive(Debug, Clone, PartialEq)]
pub enum ImportPath {
    /// A file.
    File(Text),
    /// The graded file.
    Submission(Ident),
}

/// How a value is given.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// Not at all.
    Missing,
    /// `= expr`.
    Value(Expr),
    /// `~ draw`.
    Draw(Expr),
}

/// A formal argument; without a default it must be given.
#[derive(Debug, Clone, PartialEq)]
pub struct Formal {
    /// Its name.
    pub name: Ident,
    /// Its default.
    pub default: Option<Expr>,
}

/// The body of a function.
#[derive(Debug, Clone, PartialEq)]
pub enum FnBody {
    /// `= expr`.
    Expr(Expr),
    /// `{ let a = ..; return .. }`.
    Block { lets: Vec<(Ident, Expr)>, value: Expr },
}

/// A line of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub enum DataLine {
    /// `csv "f.csv", header = false, missing = "?"`.
    Csv { path: Text, options: Vec<(Ident, Expr)> },
    /// `text "f.txt", unit = char, length = 10, stride = 1`.
    TextFile { path: Text, options: Vec<(Ident, Expr)> },
    /// `rows 500`.
    Rows(Expr),
    /// `columns a, b, c`.
    Columns(Vec<Ident>),
    /// `keep COND`.
    Keep(Expr),
    /// `drop missing`.
    DropMissing(Span),
    /// `split train = 0.8, test = rest, shuffle = true`.
    Split { span: Span, parts: Vec<(Ident, Expr)> },
    /// `x = expr`.
    Column { name: Ident, value: Expr },
    /// `x: [3] ~ normal(0, 1)`.
    Draw { name: Ident, shape: Option<Vec<Expr>>, draw: Expr },
}

/// The body of an optimizer.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleBody {
    /// `{ .. }`.
    Lines(Vec<RuleLine>),
    /// `= clip_norm(limit = 1) |> adam(lr = lr)`.
    Compose(Expr),
}

/// A line of an update rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleLine {
    /// The whole line.
    pub span: Span,
    /// What it does.
    pub kind: RuleLineKind,
}

/// The lines of an update rule.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleLineKind {
    /// `state m = 0, v = 0`.
    State(Vec<(Ident, Expr)>),
    /// `shared rate = lr`.
    Shared(Vec<(Ident, Expr)>),
    /// `let a = expr`.
    Let(Ident, Expr),
    /// `let z ~ normal(0, 1)`.
    Draw(Ident, Expr),
    /// `m <- expr`.
    Update(Ident, Expr),
    /// `when COND { .. }`.
    When(Expr, Vec<RuleLine>),
    /// `each epoch { .. }`.
    EachEpoch(Vec<RuleLine>),
    /// `report expr`.
    Report(Expr),
}

/// One axis of a sweep, or one setting (an axis of one value).
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What varies: `optimizer`, an argument of it, a `hyper`, `batch`.
    pub name: Ident,
    /// Its values: a list or anything that evaluates to one (`in`), or a single value (`=`).
    pub values: Expr,
    /// Whether it was written with `in`.
    pub many: bool,
}

/// How minibatches are ordered.
#[derive(Debug, Clone, PartialEq)]
pub enum BatchOrder {
    /// `in order`.
    InOrder,
    /// `in order of M`.
    InOrderOf(Expr),
    /// `shuffled`.
    Shuffled,
    /// `shuffled cumulatively`.
    Cumulatively,
    /// `drawn`.
    Drawn,
    /// Not said.
    Unsaid,
}

/// The pace of recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// Every how many; one when not said.
    pub every: Option<Expr>,
    /// Steps, or epochs.
    pub epochs: bool,
    /// Where it was said.
    pub span: Span,
}

/// A line of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepLine {
    /// The whole line.
    pub span: Span,
    /// What it says.
    pub kind: SweepLineKind,
}

/// The lines of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub enum SweepLineKind {
    /// `minimize J [over W, b]`, `minimize in [f, g]`, `maximize F`.
    Minimize { maximize: bool, loss: Expr, many: bool, over: Vec<Ident> },
    /// `optimizer in [..]`, `lr = 0.1`, `steps = 20`, `epochs = 50`.
    Axis(Axis),
    /// `batches of 32 shuffled, drop last`.
    Batches { size: Expr, order: BatchOrder, order_span: Span, drop_last: bool },
    /// `record A, B each 10 steps`.
    Record { what: Vec<Expr>, pace: Option<Pace> },
    /// `stop when COND`.
    StopWhen(Expr),
    /// `repeat 5`, `repeat folds`, `repeat 5 redraw points`.
    Repeat { count: RepeatCount, redraw: Vec<Ident> },
    /// `zip { a in ..; b in .. }`.
    Zip(Vec<Axis>),
    /// `sample 36 { lr ~ log_uniform(1e-4, 1) }`.
    Sample { count: Expr, draws: Vec<(Ident, Expr)> },
    /// `skip when COND`.
    SkipWhen(Expr),
    /// `group b1, b2 { lr = 2*lr }`.
    Group { params: Vec<Ident>, values: Vec<(Ident, Expr)> },
    /// `start from SWEEP [best lr minimizing ..]`.
    StartFrom { sweep: Ident, best: Option<Best> },
}

/// How often a cell is repeated.
#[derive(Debug, Clone, PartialEq)]
pub enum RepeatCount {
    /// A number of replicates.
    Times(Expr),
    /// Once per fold.
    Folds(Span),
}

/// `best lr, beta minimizing X`.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// The axes; empty means `all`.
    pub axes: Vec<Ident>,
    /// Or the largest.
    pub maximize: bool,
    /// What is compared.
    pub by: Expr,
    /// The whole clause.
    pub span: Span,
}

/// A line of a plot, a table, or a clause of an expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct OutLine {
    /// The whole line.
    pub span: Span,
    /// What it says.
    pub kind: OutLineKind,
}

/// The lines of outputs. Which of them a plot, a table or an expectation may have is the checker's affair.
#[derive(Debug, Clone, PartialEq)]
pub enum OutLineKind {
    /// `from fit, other`.
    From(Vec<Ident>),
    /// `for COND`.
    For(Expr),
    /// `best lr minimizing X`.
    Best(Best),
    /// `lines Y, Z over X`, `points ..`, `bars ..` (also inside `lines Y over X from S`: the `from` is a line of its own).
    Series { mark: Mark, ys: Vec<Expr>, x: Expr },
    /// `heatmap Z over A, B`, or `heatmap M` of a matrix.
    Heatmap { z: Expr, axes: Option<(Expr, Expr)> },
    /// `contour L over a in 0..1, b in 0..1`.
    Contour { f: Expr, x: (Expr, Expr), y: (Expr, Expr) },
    /// `curve F over v in a..b`.
    Curve { f: Expr, var: Ident, range: Expr },
    /// `path a, b`.
    Path(Vec<Expr>),
    /// `histogram X`.
    Histogram(Expr),
    /// `confusion P against y [classes "a", "b"]`.
    Confusion { predicted: Expr, actual: Expr, classes: Vec<Text> },
    /// `classification P against y [classes ..]`.
    Classification { predicted: Expr, actual: Expr, classes: Vec<Text> },
    /// `image W as 8 by 8`.
    Image { value: Expr, height: Expr, width: Expr },
    /// `profile X over optimizer`.
    Profile { value: Expr, axis: Expr },
    /// `color A, B`, `dash ..`, `marker ..`, `facet ..`.
    Channel { channel: Channel, by: Vec<Expr> },
    /// `scale x log`.
    Scale { axis: Ident, kind: Ident },
    /// `smooth 100`.
    Smooth(Expr),
    /// `band ci95`.
    Band(Ident),
    /// `center median`.
    Center(Ident),
    /// `limits y 0..1`.
    Limits { axis: Ident, range: Expr },
    /// `label y "mean squared error"`.
    Label { axis: Ident, text: Text },
    /// `title ".."`.
    Title(Text),
    /// `ruler y 0.1 ["target"]`.
    Ruler { axis: Ident, at: Expr, text: Option<Text> },
    /// `note ".." at (x, y)`.
    Note { text: Text, at: (Expr, Expr) },
    /// `size 800 by 500`.
    Size { width: Expr, height: Expr },
    /// `rows A, B`.
    Rows(Vec<Expr>),
    /// `columns A`.
    Columns(Vec<Expr>),
    /// `show X as "..", Y`.
    Show(Vec<(Expr, Option<Text>)>),
    /// `format "%.2f"`.
    Format(Text),
    /// `sort by X`.
    SortBy(Expr),
    /// `caption ".."`.
    Caption(Text),
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A line.
    Lines,
    /// A symbol a point.
    Points,
    /// A bar a point.
    Bars,
}

/// What tells series apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Colour.
    Color,
    /// Dash pattern.
    Dash,
    /// Symbol.
    Marker,
    /// A panel each.
    Facet,
}

/// `+- 0.005`, `+- 5%`.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerance {
    /// The number.
    pub value: Expr,
    /// Per cent of the expected value.
    pub percent: bool,
    /// Where.
    pub span: Span,
}

/// `points 3 hint ".." hidden`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grading {
    /// Points.
    pub points: Option<Expr>,
    /// What to say when it fails.
    pub hint: Option<Text>,
    /// Whether numbers may be shown.
    pub hidden: Option<Span>,
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// Where.
    pub span: Span,
    /// What.
    pub kind: ExprKind,
}

/// The expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `10_000`, `1e-6`, `.5`.
    Number(f64),
    /// `"text"`.
    Text(String),
    /// A name.
    Name(String),
    /// `?name`.
    Blank(String),
    /// `None`.
    None,
    /// `( e )`.
    Paren(Box<Expr>),
    /// `(a, b)`: only where a point is wanted.
    Tuple(Vec<Expr>),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `-e`, `not e`.
    Unary { op: UnaryOp, op_span: Span, arg: Box<Expr> },
    /// `a + b - c`, `a * b / c @ d`, `a or b`, `a and b`: one precedence level, from the left.
    Chain { first: Box<Expr>, rest: Vec<(BinaryOp, Span, Expr)> },
    /// `a ^ b` (from the right).
    Pow { base: Box<Expr>, op_span: Span, exponent: Box<Expr> },
    /// `a < b` (never chained).
    Compare { op: CompareOp, op_span: Span, left: Box<Expr>, right: Box<Expr> },
    /// `a..b`.
    Range(Box<Expr>, Box<Expr>),
    /// `a |> b |> c`.
    Pipe(Vec<Expr>),
    /// `if c then a elif d then b else e`: the branches and the last value.
    If { branches: Vec<(Expr, Expr)>, otherwise: Box<Expr> },
    /// `f(a, axis = 1)`; the name may be dotted (`submission.my_adam`).
    Call { name: Ident, args: Vec<Arg>, args_span: Span },
    /// `A[i, :, None, 0:2]`.
    Index { base: Box<Expr>, items: Vec<IndexItem> },
    /// `X.T`, `points.x`.
    Field { base: Box<Expr>, field: Ident },
    /// `J on test`.
    On { base: Box<Expr>, part: Ident },
    /// `grad at (e)`, `grad on train`, `grad on train at (e)`.
    Grad { part: Option<Ident>, at: Option<Box<Expr>> },
    /// `x over optimizer, lr`; `x over all` has no axes. Only as an argument of an aggregation.
    Over { value: Box<Expr>, axes: Vec<Ident> },
    /// `scan h = .., c = .. over x in X { .. }`.
    Scan(Box<Scan>),
}

/// A loop with a state.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// The carried values and their starts.
    pub carries: Vec<(Ident, Expr)>,
    /// The elements: a name each and what they run over.
    pub over: Vec<(Ident, Expr)>,
    /// The lines: `let`, `<-`.
    pub lines: Vec<RuleLine>,
    /// `yield e`.
    pub value: Option<Expr>,
}

/// Prefix operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`.
    Neg,
    /// `+`.
    Plus,
    /// `not`.
    Not,
}

/// Chained operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`.
    Add,
    /// `-`.
    Sub,
    /// `*`.
    Mul,
    /// `/`.
    Div,
    /// `@`.
    MatMul,
    /// `and`.
    And,
    /// `or`.
    Or,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
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

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    /// `e`.
    Positional(Expr),
    /// `axis = 1`.
    Named(Ident, Expr),
    /// `lr in [0.1, 0.2]`: an axis, in the arguments of an optimizer.
    In(Ident, Expr),
}

/// One place of an index.
#[derive(Debug, Clone, PartialEq)]
pub enum IndexItem {
    /// `i`, `[0, 2]`, `word`.
    At(Expr),
    /// `start:stop:step`.
    Slice { span: Span, start: Option<Box<Expr>>, stop: Option<Box<Expr>>, step: Option<Box<Expr>> },
    /// `None`: a new axis of one element.
    NewAxis(Span),
}
