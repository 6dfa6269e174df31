//! Expressions to graph nodes: names, operators, calls; shapes are checked on the way.
//!
//! Which names exist is decided by the frames that the caller opened; built-in functions are in `builtins`,
//! indexing in `index`.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use ndarray::ArrayD;

use super::decls::{Decls, RUN_NAMES, not_yet};
use super::{builtins, messages};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::expr::eval;
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::op::{Binary, InputId, Op, Unary};
use crate::shape::{DataId, Dim, RowCounts, Shape};
use crate::source::Span;
use crate::syntax::ast::{Arg, BinaryOp, CompareOp, Expr, ExprKind, FnBody, Ident, UnaryOp};
use crate::syntax::print;

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

/// A column of a dataset.
#[derive(Debug, Clone)]
pub(crate) struct ColumnInfo {
    pub(crate) name: String,
    /// Where it was declared, if in the spec.
    pub(crate) span: Span,
    pub(crate) content: Content,
    /// Its input in the graph, once used.
    pub(crate) input: Option<Id>,
}

/// What a column holds.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// Numbers; the first axis is the rows unless it is the same for all rows.
    Numbers { values: Arc<ArrayD<f64>>, shape: Shape },
    /// Numbers, some of which are missing (row numbers from 0).
    Missing { values: Vec<f64>, missing: Vec<u32> },
    /// Texts; and, when most cells are numbers, the first that is not (row from 0, its text, how many).
    Texts { values: Vec<String>, missing: Vec<u32>, mostly: Option<(usize, String, usize)> },
    /// It could not be made, which has been reported.
    Broken,
}

/// A dataset that has been read.
#[derive(Debug, Clone)]
pub(crate) struct DataInfo {
    pub(crate) name: Ident,
    pub(crate) columns: Vec<ColumnInfo>,
    /// A hash of the bytes read, for the receipt.
    pub(crate) file: Option<(String, String)>,
}

/// The declarations as graph nodes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) graph: Graph,
    pub(crate) rows: RowCounts,
    pub(crate) data: Vec<DataInfo>,
    /// Declared values by full name.
    pub(crate) names: BTreeMap<String, Val>,
    /// Values of inputs that are known before running: columns, and hypers at their defaults.
    pub(crate) known: BTreeMap<InputId, Arc<ArrayD<f64>>>,
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
        let values = |input: InputId| self.known.get(&input).map(|v| (**v).clone());
        eval::evaluate(&self.graph, &[id], &values, &self.rows).ok().and_then(|mut list| list.pop())
    }

    /// Whether a node can be computed from data and numbers alone (hypers excluded).
    pub(crate) fn data_only(&self, id: Id) -> bool {
        self.graph
            .reachable(&[id])
            .iter()
            .all(|&node| self.graph.as_input(node).is_none_or(|input| matches!(self.graph.input_info(input).kind, InputKind::Column(_))))
    }

    /// The text of a shape with its sizes.
    pub(crate) fn show(&self, id: Id) -> String {
        self.rows.show(self.graph.shape(id))
    }

    /// The column's input, made on first use.
    pub(crate) fn column_input(&mut self, data: DataId, column: usize) -> Option<Id> {
        let info = &self.data[data.0 as usize].columns[column];
        let Content::Numbers { values, shape } = &info.content else { return None };
        if let Some(id) = info.input {
            return Some(id);
        }
        let (values, shape, name) = (values.clone(), shape.clone(), info.name.clone());
        let id = self.graph.input(name, InputKind::Column(data), shape);
        if let Some(input) = self.graph.as_input(id) {
            self.known.insert(input, values);
        }
        self.data[data.0 as usize].columns[column].input = Some(id);
        Some(id)
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

/// How deep functions may call each other.
const CALL_DEPTH: usize = 64;

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
            Val::Column(data, column) => {
                let diagnostic = messages::column_not_numeric(&self.model.data[data.0 as usize], column, expr.span);
                self.fail(diagnostic)
            }
        }
    }

    /// A number.
    pub(crate) fn scalar(&mut self, expr: &Expr, what: &str) -> R<Id> {
        let id = self.node(expr)?;
        if self.model.graph.shape(id).is_scalar() {
            return Ok(id);
        }
        let shape = self.show(id);
        self.fail(Diagnostic::error("E0311", expr.span, format!("{what} is one number; this is {shape}")).here(shape))
    }

    /// A number known before running.
    pub(crate) fn constant(&mut self, expr: &Expr, what: &str) -> R<f64> {
        let id = self.scalar(expr, what)?;
        match self.model.constant(id) {
            Some(value) => Ok(value.first().copied().unwrap_or(f64::NAN)),
            None => self.fail(
                Diagnostic::error("E0312", expr.span, format!("{what} must be known before running"))
                    .here("depends on a parameter or on the run"),
            ),
        }
    }

    /// A whole number of at least `least`, known before running.
    pub(crate) fn whole(&mut self, expr: &Expr, what: &str, least: f64) -> R<usize> {
        let x = self.constant(expr, what)?;
        if x.fract() == 0.0 && x >= least && x <= 9.0e15 {
            return Ok(x as usize);
        }
        let found = crate::numeric::format::shortest(x);
        self.fail(
            Diagnostic::error("E0313", expr.span, format!("{what} must be a whole number of at least {least}"))
                .here(format!("this is {found}")),
        )
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
            ExprKind::On { part, .. } => {
                let what = format!("`on {}`", part.name);
                return self.fail(not_yet(expr.span, &what));
            }
            ExprKind::Grad { .. } => {
                return self.fail(
                    Diagnostic::error("E0208", expr.span, "`grad` alone is known only in an optimizer")
                        .here("which gradient?")
                        .help("elsewhere write `grad(total, w)`: of what, and with respect to what"),
                );
            }
            ExprKind::Scan(_) => return self.fail(not_yet(expr.span, "`scan`")),
        };
        if let Val::Node(id) = value {
            self.graph().set_span(id, expr.span);
        }
        Ok(value)
    }

    fn chain(&mut self, first: &Expr, rest: &[(BinaryOp, Span, Expr)]) -> R<Id> {
        let mut left = self.node(first);
        let mut span = first.span;
        for (op, op_span, right) in rest {
            let b = self.node(right);
            left = match (left, b) {
                (Ok(a), Ok(b)) => self.chained(*op, (a, span), (b, right.span), *op_span),
                _ => Err(Reported),
            };
            span = span.to(right.span);
            if let Ok(id) = left {
                self.graph().set_span(id, span);
            }
        }
        left
    }

    fn chained(&mut self, op: BinaryOp, a: (Id, Span), b: (Id, Span), op_span: Span) -> R<Id> {
        let (op, text) = match op {
            BinaryOp::Add => (Binary::Add, "+"),
            BinaryOp::Sub => (Binary::Sub, "-"),
            BinaryOp::Mul => (Binary::Mul, "*"),
            BinaryOp::Div => (Binary::Div, "/"),
            BinaryOp::And => (Binary::And, "and"),
            BinaryOp::Or => (Binary::Or, "or"),
            BinaryOp::MatMul => return self.matmul(a, b, op_span),
        };
        self.binary(op, a, b, op_span, text)
    }

    /// An elementwise operation; shapes that do not fit are reported with both.
    pub(crate) fn binary(&mut self, op: Binary, a: (Id, Span), b: (Id, Span), op_span: Span, text: &str) -> R<Id> {
        match self.model.graph.try_add(Op::Binary(op), &[a.0, b.0]) {
            Ok(id) => Ok(id),
            Err(_) => {
                let diagnostic = messages::shapes_differ(self.model, text, a, b, op_span);
                self.fail(diagnostic)
            }
        }
    }

    /// `a @ b`.
    pub(crate) fn matmul(&mut self, a: (Id, Span), b: (Id, Span), op_span: Span) -> R<Id> {
        let (left, right) = (a.0, b.0);
        // A row vector times a matrix is the transposed matrix times the vector.
        let attempt = if self.model.graph.shape(left).rank() == 1 && self.model.graph.shape(right).rank() == 2 {
            let transposed = self.graph().add(Op::Transpose, &[right]);
            self.model.graph.try_add(Op::MatMul, &[transposed, left])
        } else {
            self.model.graph.try_add(Op::MatMul, &[left, right])
        };
        match attempt {
            Ok(id) => Ok(id),
            Err(_) => {
                let diagnostic = messages::product_differs(self.model, a, b, op_span);
                self.fail(diagnostic)
            }
        }
    }

    fn compare(&mut self, op: CompareOp, op_span: Span, left: &Expr, right: &Expr) -> R<Val> {
        if let Some(known) = self.compare_words(op, left, right)? {
            return Ok(Val::Node(self.graph().number(f64::from(u8::from(known)))));
        }
        if let Some(id) = self.compare_texts(op, op_span, left, right)? {
            return Ok(Val::Node(id));
        }
        let (a, b) = (self.node(left), self.node(right));
        let (a, b) = ((a?, left.span), (b?, right.span));
        let (op, a, b, text) = match op {
            CompareOp::Lt => (Binary::Lt, a, b, "<"),
            CompareOp::Le => (Binary::Le, a, b, "<="),
            CompareOp::Gt => (Binary::Lt, b, a, ">"),
            CompareOp::Ge => (Binary::Le, b, a, ">="),
            CompareOp::Eq => (Binary::Eq, a, b, "=="),
            CompareOp::Ne => (Binary::Ne, a, b, "!="),
        };
        self.binary(op, a, b, op_span, text).map(Val::Node)
    }

    /// A convention against a word (`root == inside`): decided here.
    fn compare_words(&mut self, op: CompareOp, left: &Expr, right: &Expr) -> R<Option<bool>> {
        let bare = |e: &Expr| if let ExprKind::Name(name) = &e.kind { Some(name.clone()) } else { None };
        let (Some(l), Some(r)) = (bare(left), bare(right)) else { return Ok(None) };
        let word = |this: &Self, name: &str| match this.local(name) {
            Some(Val::Word(word)) => Some(word),
            _ => None,
        };
        let (value, other, at) = match (word(self, &l), word(self, &r)) {
            (Some(value), _) => (value, r, right),
            (None, Some(value)) => (value, l, left),
            (None, None) => return Ok(None),
        };
        match op {
            CompareOp::Eq => Ok(Some(value == other)),
            CompareOp::Ne => Ok(Some(value != other)),
            _ => self.fail(Diagnostic::error("E0318", at.span, "a word is compared with `==` or `!=`").here("a word has no size")),
        }
    }

    /// A text column against a text.
    fn compare_texts(&mut self, op: CompareOp, op_span: Span, left: &Expr, right: &Expr) -> R<Option<Id>> {
        let text = |e: &Expr| if let ExprKind::Text(text) = &e.kind { Some(text.clone()) } else { None };
        let (column, wanted) = match (text(left), text(right)) {
            (None, Some(wanted)) => (left, wanted),
            (Some(wanted), None) => (right, wanted),
            _ => return Ok(None),
        };
        let Val::Column(data, index) = self.value(column)? else { return Ok(None) };
        let info = &self.model.data[data.0 as usize].columns[index];
        let Content::Texts { values, missing, .. } = &info.content else { return Ok(None) };
        if let Some(row) = missing.first() {
            let message = format!("`{}` has {} missing entries, the first in row {}", info.name, missing.len(), row + 1);
            return self.fail(
                Diagnostic::error("E0506", column.span, message).here("missing entries").help("`drop missing` leaves those rows out"),
            );
        }
        let equal = match op {
            CompareOp::Eq => true,
            CompareOp::Ne => false,
            _ => return self.fail(Diagnostic::error("E0318", op_span, "texts are compared with `==` or `!=`").here("a text has no size")),
        };
        let flags: Vec<f64> = values.iter().map(|v| f64::from(u8::from((*v == wanted) == equal))).collect();
        let name = format!("({} {} \"{wanted}\")", info.name, if equal { "==" } else { "!=" });
        let shape = Shape(vec![Dim::Rows(data)]);
        let known = Arc::new(ndarray::arr1(&flags).into_dyn());
        let id = self.graph().input(name, InputKind::Column(data), shape);
        if let Some(input) = self.model.graph.as_input(id) {
            self.model.known.insert(input, known);
        }
        Ok(Some(id))
    }

    fn branches(&mut self, branches: &[(Expr, Expr)], otherwise: &Expr) -> R<Val> {
        // A condition that is known chooses its branch here, so that conventions leave no trace in the graph.
        let mut open: Vec<(Id, Id, Span)> = Vec::new();
        let mut last = None;
        for (cond, then) in branches {
            let c = self.scalar(cond, "the condition of an `if`")?;
            match self.model.graph.as_const(c) {
                Some(0.0) => {}
                Some(_) => {
                    last = Some(self.value(then)?);
                    break;
                }
                None => {
                    let value = self.node(then)?;
                    open.push((c, value, then.span));
                }
            }
        }
        let last = match last {
            Some(value) => value,
            None => self.value(otherwise)?,
        };
        if open.is_empty() {
            return Ok(last);
        }
        let mut value = self.as_node(last, otherwise)?;
        for (c, then, span) in open.into_iter().rev() {
            value = match self.model.graph.try_add(Op::Select, &[c, then, value]) {
                Ok(id) => id,
                Err(_) => {
                    let diagnostic = messages::shapes_differ(self.model, "if", (then, span), (value, otherwise.span), otherwise.span);
                    return self.fail(diagnostic);
                }
            };
        }
        Ok(Val::Node(value))
    }

    /// `[a, b]`: a vector of numbers, or a matrix of vectors.
    fn list(&mut self, items: &[Expr], span: Span) -> R<Id> {
        if items.is_empty() {
            return self.fail(Diagnostic::error("E0319", span, "an empty list").here("nothing in it"));
        }
        let numbers: Vec<f64> = items.iter().map_while(literal_number).collect();
        if numbers.len() == items.len() {
            return Ok(self.graph().literal(&[numbers.len()], &numbers));
        }
        let lowered: Vec<R<Id>> = items.iter().map(|item| self.node(item)).collect();
        let nodes = lowered.into_iter().collect::<R<Vec<Id>>>()?;
        let first = self.model.graph.shape(nodes[0]).clone();
        for (item, &id) in items.iter().zip(&nodes) {
            if *self.model.graph.shape(id) != first {
                let (a, b) = (self.model.rows.show(&first), self.show(id));
                return self.fail(
                    Diagnostic::error("E0320", item.span, "the entries of a list have different shapes").here(b).label(items[0].span, a),
                );
            }
        }
        let values: Option<Vec<f64>> = nodes.iter().map(|&id| self.model.graph.as_const(id)).collect();
        if let Some(values) = values {
            return Ok(self.graph().literal(&[values.len()], &values));
        }
        let parts: Vec<Id> = nodes.iter().map(|&id| self.graph().add(Op::Expand(0), &[id])).collect();
        let stacked = self.graph().add(Op::Concat(0), &parts);
        match self.model.constant(stacked) {
            // A nested list of numbers is one array.
            Some(value) if self.model.graph.reachable(&[stacked]).iter().all(|&id| self.model.graph.as_input(id).is_none()) => {
                let sizes = value.shape().to_vec();
                let flat: Vec<f64> = value.iter().copied().collect();
                Ok(self.graph().literal(&sizes, &flat))
            }
            _ => Ok(stacked),
        }
    }

    /// The innermost local with that name.
    pub(crate) fn local(&self, name: &str) -> Option<Val> {
        for frame in self.frames.iter().rev() {
            if let Some(value) = frame.names.get(name) {
                return Some(value.clone());
            }
            if frame.sealed {
                return None;
            }
        }
        None
    }

    fn sealed(&self) -> Option<&'static str> {
        self.frames.iter().rev().find(|frame| frame.sealed).map(|frame| frame.what)
    }

    /// What a name means here.
    pub(crate) fn name(&mut self, name: &str, span: Span) -> R<Val> {
        if let Some(value) = self.local(name) {
            return match value {
                Val::Broken => Err(Reported),
                value => Ok(value),
            };
        }
        // A schedule without arguments is used by its name; it sees what the rule's arguments see.
        if let Some(f) = self.decls.function(&self.module, name).filter(|f| f.schedule)
            && f.formals.iter().all(|formal| formal.default.is_some())
            && self.local("t").is_some()
        {
            let ident = Ident { name: name.to_string(), span };
            return self.inline(&ident, &[], span);
        }
        if self.sealed().is_none() {
            if let Some(data) = self.within_data
                && let Some(column) = self.model.data[data.0 as usize].columns.iter().position(|c| c.name == name)
            {
                return self.column(data, column, span);
            }
            if let Some(value) = self.decls.value(&self.module, name) {
                let full = format!("{}{}", value.module, value.name.name);
                return match self.model.names.get(&full) {
                    Some(Val::Broken) => Err(Reported),
                    Some(value) => Ok(value.clone()),
                    None => {
                        let message = format!("`{name}` is a {} and cannot be used here", value.kind.keyword());
                        let diagnostic =
                            Diagnostic::error("E0207", span, message).here("not known here").label(value.name.span, "declared here");
                        self.fail(diagnostic)
                    }
                };
            }
            let holders: Vec<(DataId, usize)> = self.holders(name);
            match holders[..] {
                [] => {}
                [(data, column)] => return self.column(data, column, span),
                _ => {
                    let names: Vec<String> =
                        holders.iter().map(|(d, _)| format!("{}.{name}", self.model.data[d.0 as usize].name.name)).collect();
                    let message = format!("{} datasets have a column `{name}`", holders.len());
                    let mut diagnostic = Diagnostic::error("E0206", span, message).here("which one?");
                    for full in names {
                        let text = format!("write `{full}`");
                        diagnostic = diagnostic.replace(span, full, text);
                    }
                    return self.fail(diagnostic);
                }
            }
        }
        if let Some(x) = builtins::constant(name) {
            return Ok(Val::Node(self.graph().number(x)));
        }
        let diagnostic = self.unknown_name(name, span);
        self.fail(diagnostic)
    }

    fn holders(&self, name: &str) -> Vec<(DataId, usize)> {
        let mut found = Vec::new();
        for (d, data) in self.model.data.iter().enumerate() {
            if let Some(column) = data.columns.iter().position(|c| c.name == name) {
                found.push((DataId(d as u32), column));
            }
        }
        found
    }

    /// A column as a value: numbers if it can be.
    pub(crate) fn column(&mut self, data: DataId, column: usize, span: Span) -> R<Val> {
        if self.observed
            && let Content::Missing { values, missing } = &self.model.data[data.0 as usize].columns[column].content
        {
            let kept: Vec<f64> = values.iter().enumerate().filter(|(row, _)| !missing.contains(&(*row as u32))).map(|(_, v)| *v).collect();
            let len = kept.len();
            return Ok(Val::Node(self.graph().literal(&[len], &kept)));
        }
        if matches!(self.model.data[data.0 as usize].columns[column].content, Content::Broken) {
            return Err(Reported);
        }
        match self.model.column_input(data, column) {
            Some(id) => {
                self.graph().set_span(id, span);
                Ok(Val::Node(id))
            }
            None => Ok(Val::Column(data, column)),
        }
    }

    /// The diagnostic for a name that means nothing here.
    pub(crate) fn unknown_name(&self, name: &str, span: Span) -> Diagnostic {
        if let Some(what) = self.sealed() {
            if let Some(value) = self.decls.value(&self.module, name) {
                let message = format!("{what} does not see the {} `{name}`", value.kind.keyword());
                return Diagnostic::error("E0209", span, message)
                    .here("not known here")
                    .label(value.name.span, "declared here")
                    .help(format!("pass it as an argument: `(.., {name} = {name})`"));
            }
        } else if matches!(name, "t" | "step" | "epoch" | "steps") {
            return Diagnostic::error(
                "E0210",
                span,
                format!("`{name}` is the number of the step and exists in rules, schedules and outputs"),
            )
            .here("not in a formula of the model")
            .help("make it a `param`, a `hyper`, or the value of a sweep");
        } else if name == "param" {
            return Diagnostic::error("E0211", span, "`param` is the current parameter inside an optimizer; here write its name")
                .here("which parameter?");
        } else if self.decls.rules.contains_key(name) {
            return Diagnostic::error("E0212", span, format!("`{name}` is an optimizer, not a value")).here("not a number");
        } else if RUN_NAMES.contains(&name) {
            return Diagnostic::error("E0210", span, format!("`{name}` belongs to runs: it is known in outputs"))
                .here("not in a formula of the model");
        }
        let mut names: Vec<String> = Vec::new();
        for frame in self.frames.iter().rev() {
            names.extend(frame.names.keys().cloned());
            if frame.sealed {
                break;
            }
        }
        if self.sealed().is_none() {
            names.extend(self.decls.values.keys().cloned());
            names.extend(self.model.data.iter().flat_map(|d| d.columns.iter().map(|c| c.name.clone())));
        }
        names.extend(builtins::CONSTANTS.iter().map(|(n, _)| (*n).to_string()));
        let diagnostic = Diagnostic::error("E0204", span, format!("nothing is called `{name}`")).here("not known here");
        if builtins::is_function(name) || self.decls.function(&self.module, name).is_some() {
            return diagnostic.help(format!("`{name}` is a function: write `{name}(..)`"));
        }
        match did_you_mean(name, names.iter().map(String::as_str)) {
            Some(near) => diagnostic.replace(span, near, format!("did you mean `{near}`?")),
            None => match indexed(name, &names) {
                Some((base, index)) => {
                    diagnostic.replace(span, format!("{base}[{index}]"), format!("did you mean element {index} of `{base}`?"))
                }
                None => diagnostic,
            },
        }
    }

    fn field(&mut self, base: &Expr, field: &Ident, span: Span) -> R<Val> {
        if field.name == "T" {
            let a = self.node(base)?;
            return Ok(Val::Node(if self.model.graph.shape(a).rank() < 2 { a } else { self.graph().add(Op::Transpose, &[a]) }));
        }
        if let ExprKind::Name(name) = &base.kind {
            if let Some(d) = self.model.data.iter().position(|data| data.name.name == *name) {
                let columns = &self.model.data[d].columns;
                if let Some(column) = columns.iter().position(|c| c.name == field.name) {
                    return self.column(DataId(d as u32), column, span);
                }
                let near = did_you_mean(&field.name, columns.iter().map(|c| c.name.as_str())).map(str::to_string);
                let list: Vec<&str> = columns.iter().take(12).map(|c| c.name.as_str()).collect();
                let mut diagnostic = Diagnostic::error("E0205", field.span, format!("dataset `{name}` has no column `{}`", field.name))
                    .here(format!("columns: {}", list.join(", ")))
                    .label(self.model.data[d].name.span, "the dataset");
                if let Some(near) = near {
                    diagnostic = diagnostic.replace(field.span, near.clone(), format!("did you mean `{near}`?"));
                }
                return self.fail(diagnostic);
            }
            let full = format!("{name}.{}", field.name);
            if self.decls.values.contains_key(&full) {
                return match self.model.names.get(&full) {
                    Some(Val::Broken) | None => Err(Reported),
                    Some(value) => Ok(value.clone()),
                };
            }
        }
        let habit = print::expr(base);
        let diagnostic = Diagnostic::error("E0215", field.span, format!("values have no `.{}`", field.name))
            .here("only `.T`, the transpose")
            .help(format!("`{habit}.{0}` is a column if `{habit}` is a dataset; a function is called as `{0}({habit})`", field.name));
        self.fail(diagnostic)
    }

    /// `clump..mitoses`: the columns between two, as a matrix.
    fn column_range(&mut self, lo: &Expr, hi: &Expr, span: Span) -> R<Val> {
        let name = |e: &Expr| if let ExprKind::Name(name) = &e.kind { Some(name.clone()) } else { None };
        let (Some(first), Some(last)) = (name(lo), name(hi)) else {
            return self.fail(
                Diagnostic::error("E0321", span, "an interval has no end of values")
                    .here("an interval")
                    .help("a list is written `[1, 2, 3]`, or `linspace(low, high, n)`"),
            );
        };
        let place = |this: &Self, name: &str| match this.within_data {
            Some(d) => this.model.data[d.0 as usize].columns.iter().position(|c| c.name == name).map(|c| (d, c)),
            None => this.holders(name).first().copied(),
        };
        let (Some((d, a)), Some((d2, b))) = (place(self, &first), place(self, &last)) else {
            let missing = if place(self, &first).is_none() { lo } else { hi };
            let text = name(missing).unwrap_or_default();
            let diagnostic = self.unknown_name(&text, missing.span);
            return self.fail(diagnostic);
        };
        if d != d2 || b < a {
            let message =
                if d == d2 { format!("`{last}` comes before `{first}` in the file") } else { "columns of two datasets".to_string() };
            return self.fail(Diagnostic::error("E0507", span, message).here("a range of columns runs in the order of the file"));
        }
        let mut parts = Vec::new();
        for column in a..=b {
            let value = self.column(d, column, span)?;
            let id = self.as_node(value, &Expr { span, kind: ExprKind::Name(first.clone()) })?;
            parts.push(if self.model.graph.shape(id).rank() == 1 { self.graph().add(Op::Expand(1), &[id]) } else { id });
        }
        match self.model.graph.try_add(Op::Concat(1), &parts) {
            Ok(id) => Ok(Val::Node(id)),
            Err(_) => {
                self.fail(Diagnostic::error("E0322", span, "these columns do not stand side by side").here("one of them has another shape"))
            }
        }
    }

    fn call(&mut self, expr: &Expr, name: &Ident, args: &[Arg]) -> R<Val> {
        if self.decls.function(&self.module, &name.name).is_some() {
            return self.inline(name, args, expr.span);
        }
        builtins::call(self, expr, name, args)
    }

    /// A declared function or schedule, with its body in place of the call.
    fn inline(&mut self, name: &Ident, args: &[Arg], span: Span) -> R<Val> {
        let Some(f) = self.decls.function(&self.module, &name.name).cloned() else { return Err(Reported) };
        let full = format!("{}{}", f.module, f.name.name);
        let keyword = if f.schedule { "schedule" } else { "fn" };
        if self.calls.contains(&full) || self.calls.len() >= CALL_DEPTH {
            let message = format!("{keyword} `{}` calls itself", name.name);
            return self.fail(Diagnostic::error("E0216", name.span, message).here("called here again").label(f.name.span, "declared here"));
        }
        if f.schedule && self.local("t").is_none() {
            let message = format!("`{}` is a schedule: it has a value at each step of a run", name.name);
            return self.fail(
                Diagnostic::error("E0217", span, message)
                    .here("not in a formula of the model")
                    .help("a schedule is the value of an optimizer's argument, such as `lr`"),
            );
        }
        let mut frame = Frame { names: BTreeMap::new(), sealed: false, what: "a function" };
        let mut ok = true;
        let mut place = 0;
        for arg in args {
            let (formal, value) = match arg {
                Arg::Positional(value) => {
                    let formal = f.formals.get(place);
                    place += 1;
                    (formal, value)
                }
                Arg::Named(given, value) => (f.formals.iter().find(|formal| formal.name.name == given.name), value),
                Arg::In(given, value) => {
                    let message = format!("`{} in ..` is an axis of a sweep; an argument is given with `=`", given.name);
                    self.diags.push(Diagnostic::error("E0218", given.span, message).here("here"));
                    ok = false;
                    (None, value)
                }
            };
            let Some(formal) = formal else {
                if ok {
                    let list: Vec<&str> = f.formals.iter().map(|formal| formal.name.name.as_str()).collect();
                    let at = if let Arg::Named(given, _) = arg { given.span } else { value.span };
                    let message = format!(
                        "{keyword} `{}` has {}",
                        name.name,
                        if list.is_empty() { "no arguments".to_string() } else { format!("the arguments {}", list.join(", ")) }
                    );
                    self.diags.push(Diagnostic::error("E0219", at, message).here("no such argument").label(f.name.span, "declared here"));
                    ok = false;
                }
                continue;
            };
            if frame.names.contains_key(&formal.name.name) {
                self.diags
                    .push(Diagnostic::error("E0220", value.span, format!("argument `{}` is given twice", formal.name.name)).here("second"));
                ok = false;
                continue;
            }
            match self.value(value) {
                Ok(value) => {
                    frame.names.insert(formal.name.name.clone(), value);
                }
                Err(Reported) => ok = false,
            }
        }
        // What the body may see besides its arguments: the run's counters stay visible in a schedule.
        let outer = std::mem::take(&mut self.frames);
        let module = std::mem::replace(&mut self.module, f.module.clone());
        if let Some(rule) = outer.iter().find(|frame| frame.sealed) {
            let counters = ["t", "epoch", "steps"];
            let names =
                counters.iter().filter(|_| f.schedule).filter_map(|n| rule.names.get(*n).map(|v| ((*n).to_string(), v.clone()))).collect();
            self.frames.push(Frame { names, sealed: rule.what == "an update rule", what: rule.what });
        } else if f.schedule {
            let counters = ["t", "epoch", "steps"];
            let names = outer
                .iter()
                .flat_map(|frame| frame.names.iter().filter(|(n, _)| counters.contains(&n.as_str())).map(|(n, v)| (n.clone(), v.clone())))
                .collect();
            self.frames.push(Frame { names, sealed: false, what: "a schedule" });
        }
        self.calls.push(full);
        for formal in &f.formals {
            if frame.names.contains_key(&formal.name.name) {
                continue;
            }
            match &formal.default {
                Some(default) => {
                    self.frames.push(frame.clone());
                    let value = self.value(default);
                    self.frames.pop();
                    match value {
                        Ok(value) => {
                            frame.names.insert(formal.name.name.clone(), value);
                        }
                        Err(Reported) => ok = false,
                    }
                }
                None if ok => {
                    let message = format!("{keyword} `{}` needs `{}`", name.name, formal.name.name);
                    self.diags.push(Diagnostic::error("E0221", span, message).here("not given").label(formal.name.span, "has no default"));
                    ok = false;
                }
                None => {}
            }
        }
        let value = if ok { self.body(&f.body, frame) } else { Err(Reported) };
        self.calls.pop();
        self.module = module;
        self.frames = outer;
        value
    }

    fn body(&mut self, body: &FnBody, frame: Frame) -> R<Val> {
        let depth = self.frames.len();
        self.frames.push(frame);
        let value = match body {
            FnBody::Expr(e) => self.value(e),
            FnBody::Block { lets, value } => {
                for (name, e) in lets {
                    let lowered = self.value(e).unwrap_or(Val::Broken);
                    if let Some(frame) = self.frames.last_mut() {
                        frame.names.insert(name.name.clone(), lowered);
                    }
                }
                self.value(value)
            }
        };
        self.frames.truncate(depth);
        value
    }
}

fn literal_number(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Number(x) => Some(*x),
        ExprKind::Unary { op: UnaryOp::Neg, arg, .. } => literal_number(arg).map(|x| -x),
        ExprKind::Paren(inner) => literal_number(inner),
        _ => None,
    }
}

/// `x0` or `x_0` for `x[0]`.
fn indexed(name: &str, names: &[String]) -> Option<(String, String)> {
    let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    if digits == 0 || digits == name.len() {
        return None;
    }
    let base = name[..name.len() - digits].trim_end_matches('_');
    names.iter().any(|n| n == base).then(|| (base.to_string(), name[name.len() - digits..].to_string()))
}
