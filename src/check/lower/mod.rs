//! Expressions to graph nodes: names, operators, calls; shapes are checked on the way.
//!
//! Which names exist is decided by the frames that the caller opened; built-in functions are in `builtins`,
//! indexing in `index`.

mod calls;
mod names;
mod operators;
mod scan;

use crate::check::data::{DataInfo, Training};
use crate::check::decls::Decls;
use crate::check::messages;
use crate::diag::{Diagnostic, Diagnostics};
use crate::expr::eval;
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::op::{Binary, InputId, Unary};
use crate::numeric::mt19937::RandomState;
use crate::shape::{DataId, RowCounts};
use crate::syntax::ast::{Expr, ExprKind, UnaryOp};
use crate::syntax::print;
use ndarray::ArrayD;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use scan::Sequence;

/// A diagnostic has been pushed; there is no value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reported;

/// A value, or the fact that why there is none has been said.
pub(crate) type R<T> = Result<T, Reported>;

/// What an expression can be.
#[derive(Debug, Clone)]
pub(crate) enum Val {
    /// A number or an array.
    Node(Id),
    /// A bare word: the value of a convention (`root = inside`).
    Word(String),
    /// A quoted text.
    Text(String),
    /// A column that cannot be used as numbers yet.
    Column(DataId, usize),
    /// Its declaration is wrong, which has been reported.
    Broken,
}

/// The declarations as graph nodes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) graph: Graph,
    /// Rows of the datasets, then of those parts that are not for training.
    pub(crate) rows: RowCounts,
    pub(crate) data: Vec<DataInfo>,
    /// Declared values by full name.
    pub(crate) names: BTreeMap<String, Val>,
    /// Values of inputs that are known before running: columns, draws, and hypers at their defaults.
    pub(crate) known: BTreeMap<InputId, Arc<ArrayD<f64>>>,
    /// What scans run over row by row.
    pub(crate) sequences: Vec<Sequence>,
    /// Of inputs by rows of a dataset with parts: the values in all of its rows.
    pub(crate) whole: BTreeMap<InputId, Arc<ArrayD<f64>>>,
    /// The inputs that stand for others in a part.
    pub(crate) elsewhere: BTreeMap<(InputId, DataId), Id>,
    /// While a dataset is computed: the rows over which reductions run.
    pub(crate) training: Option<Training>,
    /// The one generator of `rng numpy(..)`, as what has been drawn so far left it.
    pub(crate) generator: Option<RandomState>,
    /// Whether data differ from cell to cell, so that what depends on them is no number yet.
    pub(crate) varies: bool,
}

impl Model {
    /// The value of a node that depends on columns, hypers (at their defaults) and numbers only.
    pub(crate) fn constant(&self, id: Id) -> Option<ArrayD<f64>> {
        if let Some(x) = self.graph.as_const(id) {
            return Some(ndarray::arr0(x).into_dyn());
        }
        let reachable = self.graph.reachable(&[id]);
        let known = |node: Id| self.graph.as_input(node).is_none_or(|input| self.known.contains_key(&input));
        if !reachable.iter().all(|&node| known(node)) {
            return None;
        }
        if let Some(training) = &self.training {
            return self.constant_of(id, training);
        }
        let values = |input: InputId| self.known.get(&input).map(|v| (**v).clone());
        eval::evaluate(&self.graph, &[id], &values, &self.rows).ok().and_then(|mut list| list.pop())
    }

    /// Whether a node can be computed from data and numbers alone (hypers excluded), and once for all cells.
    pub(crate) fn data_only(&self, id: Id) -> bool {
        let fixed = |kind| matches!(kind, InputKind::Column(_) | InputKind::Drawn) && !self.varies;
        self.graph
            .reachable(&[id])
            .iter()
            .all(|&node| self.graph.as_input(node).is_none_or(|input| fixed(self.graph.input_info(input).kind)))
    }

    /// The text of a shape with its sizes.
    pub(crate) fn show(&self, id: Id) -> String {
        self.rows.show(self.graph.shape(id))
    }
}

/// Names of one level of scope.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    pub(crate) names: BTreeMap<String, Val>,
    /// Names further out, and the file's, cannot be seen.
    pub(crate) sealed: bool,
    /// What the frame belongs to, for messages: "an update rule", "a schedule".
    pub(crate) what: &'static str,
}

/// The lowering of expressions in one place of the file.
pub(crate) struct Lower<'a> {
    pub(crate) model: &'a mut Model,
    pub(crate) decls: &'a Decls,
    pub(crate) diags: &'a mut Diagnostics,
    pub(crate) frames: Vec<Frame>,
    /// The module prefix of the text being lowered.
    pub(crate) module: String,
    /// Functions being inlined.
    pub(crate) calls: Vec<String>,
    /// The dataset whose columns are being computed: they come first, and those with missing entries as they are.
    pub(crate) within_data: Option<DataId>,
    /// Set while the second argument of `fill` is lowered: columns mean their observed entries.
    pub(crate) observed: bool,
    /// What means something special here: `total(..)` in rules, `final(..)` in outputs.
    pub(crate) hook: Option<Rc<dyn Hook>>,
}

/// Expressions that mean something special in one place of the file.
pub(crate) trait Hook {
    /// The value of this expression if it is special, `None` if it is to be lowered as usual.
    fn ask(&self, lower: &mut Lower<'_>, expr: &Expr) -> R<Option<Val>>;
}

impl<'a> Lower<'a> {
    /// A lowering that sees the file's declarations.
    pub(crate) fn new(model: &'a mut Model, decls: &'a Decls, diags: &'a mut Diagnostics) -> Self {
        Lower {
            model,
            decls,
            diags,
            frames: Vec::new(),
            module: String::new(),
            calls: Vec::new(),
            within_data: None,
            observed: false,
            hook: None,
        }
    }

    /// Reports and gives no value.
    pub(crate) fn fail<T>(&mut self, diagnostic: Diagnostic) -> R<T> {
        self.diags.push(diagnostic);
        Err(Reported)
    }

    /// The shape of a node as text.
    pub(crate) fn show(&self, id: Id) -> String {
        self.model.show(id)
    }

    fn graph(&mut self) -> &mut Graph {
        &mut self.model.graph
    }

    /// An expression as numbers.
    pub(crate) fn node(&mut self, expr: &Expr) -> R<Id> {
        let value = self.value(expr)?;
        self.as_node(value, expr)
    }

    /// A number or array out of a value.
    pub(crate) fn as_node(&mut self, value: Val, expr: &Expr) -> R<Id> {
        match value {
            Val::Node(id) => Ok(id),
            Val::Broken => Err(Reported),
            Val::Word(word) => {
                let diagnostic = self.unknown_name(&word, expr.span);
                self.fail(diagnostic)
            }
            Val::Text(text) => self.fail(
                Diagnostic::error("E0310", expr.span, "a text where a number is needed")
                    .here(format!("the text \"{text}\""))
                    .help("texts are compared with text columns, and name files and labels"),
            ),
            Val::Column(data, column) => match messages::column_not_numeric(&self.model.data[data.0 as usize], column, expr.span) {
                Some(diagnostic) => self.fail(diagnostic),
                None => Err(Reported),
            },
        }
    }

    /// A number.
    pub(crate) fn scalar(&mut self, expr: &Expr, what: &str) -> R<Id> {
        let id = self.node(expr)?;
        if self.model.graph.shape(id).is_scalar() {
            return Ok(id);
        }
        let shape = self.show(id);
        self.fail(messages::not_one_number(expr.span, what, &shape))
    }

    /// A number known before running.
    pub(crate) fn constant(&mut self, expr: &Expr, what: &str) -> R<f64> {
        let id = self.scalar(expr, what)?;
        match self.model.constant(id) {
            Some(value) => Ok(value.first().copied().unwrap_or(f64::NAN)),
            None => self.fail(messages::not_known_before(expr.span, what)),
        }
    }

    /// A whole number of at least `least`, known before running.
    pub(crate) fn whole(&mut self, expr: &Expr, what: &str, least: f64) -> R<usize> {
        let x = self.constant(expr, what)?;
        if x.fract() == 0.0 && x >= least && x <= 9.0e15 {
            return Ok(x as usize);
        }
        self.fail(messages::not_whole(expr.span, what, Some(least), x))
    }

    /// Any value.
    pub(crate) fn value(&mut self, expr: &Expr) -> R<Val> {
        if let Some(hook) = self.hook.clone()
            && let Some(value) = hook.ask(self, expr)?
        {
            return Ok(value);
        }
        let value = match &expr.kind {
            ExprKind::Number(x) => Val::Node(self.graph().number(*x)),
            ExprKind::Text(text) => Val::Text(text.clone()),
            ExprKind::Name(name) => self.name(name, expr.span)?,
            ExprKind::Paren(inner) => self.value(inner)?,
            ExprKind::Unary { op, arg, .. } => {
                let a = self.node(arg)?;
                Val::Node(match op {
                    UnaryOp::Neg => match self.model.graph.as_const(a) {
                        Some(x) => self.graph().number(-x),
                        None => self.graph().unary(Unary::Neg, a),
                    },
                    UnaryOp::Plus => a,
                    UnaryOp::Not => self.graph().unary(Unary::Not, a),
                })
            }
            ExprKind::Chain { first, rest } => Val::Node(self.chain(first, rest)?),
            ExprKind::Pow { base, op_span, exponent } => {
                let (a, b) = (self.node(base), self.node(exponent));
                Val::Node(self.binary(Binary::Pow, (a?, base.span), (b?, exponent.span), *op_span, "^")?)
            }
            ExprKind::Compare { op, op_span, left, right } => self.compare(*op, *op_span, left, right)?,
            ExprKind::List(items) => Val::Node(self.list(items, expr.span)?),
            ExprKind::If { branches, otherwise } => self.branches(branches, otherwise)?,
            ExprKind::Call { name, args, .. } => self.call(expr, name, args)?,
            ExprKind::Index { base, items } => Val::Node(self.index(base, items, expr.span)?),
            ExprKind::Field { base, field } => self.field(base, field, expr.span)?,
            ExprKind::Range(lo, hi) => self.column_range(lo, hi, expr.span)?,
            ExprKind::Blank(name) => {
                return self.fail(
                    Diagnostic::error("E0010", expr.span, format!("the blank `?{name}` is not filled in")).here("write an expression here"),
                );
            }
            ExprKind::None => {
                return self.fail(
                    Diagnostic::error("E0314", expr.span, "`None` only makes a new axis, inside an index")
                        .here("not a value")
                        .help("write `v[:, None]` for a column"),
                );
            }
            ExprKind::Tuple(_) => {
                return self.fail(
                    Diagnostic::error("E0315", expr.span, "a list of values is written with brackets")
                        .here("parentheses only group")
                        .replace(expr.span, format!("[{}]", print::expr(expr).trim_start_matches('(').trim_end_matches(')')), "write"),
                );
            }
            ExprKind::Pipe(_) => {
                return self.fail(
                    Diagnostic::error("E0316", expr.span, "`|>` composes update rules; it is no operation on numbers")
                        .here("here a number is needed"),
                );
            }
            ExprKind::Over { .. } => {
                return self.fail(
                    Diagnostic::error("E0317", expr.span, "`over` aggregates runs, in tables, plots and expectations").here("not here"),
                );
            }
            ExprKind::On { base, part } => Val::Node(self.on(base, part)?),
            ExprKind::Grad { .. } => {
                return self.fail(messages::bare_gradient(expr.span));
            }
            ExprKind::Scan(scan) => Val::Node(self.scan(scan, expr.span)?),
        };
        if let Val::Node(id) = value {
            self.graph().set_span(id, expr.span);
        }
        Ok(value)
    }
}
