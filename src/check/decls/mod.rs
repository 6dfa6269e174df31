//! The declarations of a file and its imports, by name: duplicates, clashes, cycles.
//!
//! It looks at names only, not at what expressions mean.

mod collect;
mod walk;

use crate::diag::{Diagnostic, Diagnostics};
use crate::solvers::Solver;
use crate::source::Span;
use crate::syntax::ast::{DataLine, Expr, ExprKind, FnBody, Formal, Grading, Ident, OutLine, RuleBody, Start, SweepLine, Tolerance};
pub(crate) use collect::{collect, path_refused};
use std::collections::BTreeMap;
use std::path::PathBuf;
use walk::walk_free;
pub(crate) use walk::{expression, parts, walk};

/// What a name in the namespace of values stands for.
#[derive(Debug, Clone)]
pub(crate) enum ValueKind {
    /// A parameter.
    Param { shape: Option<Vec<Expr>>, start: Start, within: Option<Expr> },
    /// A `hyper`.
    Hyper { value: Expr },
    /// A `let`.
    Let { shape: Option<Vec<Expr>>, value: Start },
    /// A loss.
    Loss { value: Expr },
    /// A metric.
    Metric { value: Expr },
}

impl ValueKind {
    /// The keyword.
    pub(crate) fn keyword(&self) -> &'static str {
        match self {
            ValueKind::Param { .. } => "param",
            ValueKind::Hyper { .. } => "hyper",
            ValueKind::Let { .. } => "let",
            ValueKind::Loss { .. } => "loss",
            ValueKind::Metric { .. } => "metric",
        }
    }

    /// The expressions it is made of.
    pub(crate) fn exprs(&self) -> Vec<&Expr> {
        let mut list: Vec<&Expr> = Vec::new();
        match self {
            ValueKind::Param { shape, start: Start::Value(e) | Start::Draw(e), within } => {
                list.extend(shape.iter().flatten());
                list.push(e);
                list.extend(within);
            }
            ValueKind::Param { shape, start: Start::Missing, within } => {
                list.extend(shape.iter().flatten());
                list.extend(within);
            }
            ValueKind::Let { shape, value: Start::Value(e) | Start::Draw(e) } => {
                list.extend(shape.iter().flatten());
                list.push(e);
            }
            ValueKind::Let { shape, value: Start::Missing } => list.extend(shape.iter().flatten()),
            ValueKind::Hyper { value } | ValueKind::Loss { value } | ValueKind::Metric { value } => list.push(value),
        }
        list
    }
}

/// A declared value.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    /// Its name and place.
    pub(crate) name: Ident,
    /// The module prefix (`m.`) of the file it is in; empty for the main file.
    pub(crate) module: String,
    /// What it is.
    pub(crate) kind: ValueKind,
}

/// The name of something declared that has values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    /// A value by its full name.
    Value(String),
    /// A dataset.
    Dataset(String),
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Name::Value(name) => write!(f, "`{name}`"),
            Name::Dataset(name) => write!(f, "dataset `{name}`"),
        }
    }
}

/// A declared function or schedule.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) name: Ident,
    pub(crate) module: String,
    pub(crate) formals: Vec<Formal>,
    pub(crate) body: FnBody,
    /// A schedule may use `t`, `epoch` and `steps`.
    pub(crate) schedule: bool,
}

/// A declared update rule.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) name: Ident,
    pub(crate) formals: Vec<Formal>,
    pub(crate) body: RuleBody,
    pub(crate) module: String,
}

/// A declared dataset.
#[derive(Debug, Clone)]
pub(crate) struct DataDecl {
    pub(crate) name: Ident,
    pub(crate) lines: Vec<DataLine>,
    pub(crate) span: Span,
    /// Paths are relative to this folder.
    pub(crate) folder: PathBuf,
}

/// A sweep, a plot or a table.
#[derive(Debug, Clone)]
pub(crate) struct Block<L> {
    pub(crate) name: Ident,
    pub(crate) doc: Vec<String>,
    pub(crate) span: Span,
    pub(crate) base: Option<Ident>,
    pub(crate) lines: Vec<L>,
}

/// An expectation as written.
#[derive(Debug, Clone)]
pub(crate) struct Expectation {
    pub(crate) span: Span,
    pub(crate) cond: Expr,
    pub(crate) tolerance: Option<Tolerance>,
    pub(crate) filters: Vec<OutLine>,
    pub(crate) grading: Grading,
}

/// A claim as written.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) span: Span,
    pub(crate) left: Expr,
    pub(crate) right: Expr,
    pub(crate) grading: Grading,
    pub(crate) allow_open: bool,
}

/// Everything a file declares.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decls {
    pub(crate) rng: Option<(bool, Expr, Span)>,
    pub(crate) values: BTreeMap<String, Value>,
    /// The names of `values` in the order declared.
    pub(crate) order: Vec<String>,
    /// Values and datasets in the order declared.
    pub(crate) sequence: Vec<Name>,
    pub(crate) functions: BTreeMap<String, Function>,
    pub(crate) rules: BTreeMap<String, Rule>,
    /// Which of the rules are solvers: their lines say nothing but which words an argument may be.
    pub(crate) solvers: BTreeMap<String, &'static Solver>,
    pub(crate) datasets: Vec<DataDecl>,
    pub(crate) sweeps: Vec<Block<SweepLine>>,
    pub(crate) plots: Vec<Block<OutLine>>,
    pub(crate) tables: Vec<Block<OutLine>>,
    pub(crate) expects: Vec<Expectation>,
    pub(crate) claims: Vec<Claim>,
    /// `check gradient of L`.
    pub(crate) gradients: Vec<(Span, Expr)>,
}

/// The names that every run has and nothing may take.
pub(crate) const RUN_NAMES: [&str; 16] = [
    "t",
    "step",
    "steps",
    "epoch",
    "epochs",
    "cell",
    "replicate",
    "fold",
    "sample",
    "sweep",
    "optimizer",
    "loss",
    "status",
    "evaluations",
    "grad",
    "change",
];

impl Decls {
    /// The value that a name means in a module.
    pub(crate) fn value(&self, module: &str, name: &str) -> Option<&Value> {
        lookup(&self.values, module, name)
    }

    /// The function or schedule that a name means in a module.
    pub(crate) fn function(&self, module: &str, name: &str) -> Option<&Function> {
        lookup(&self.functions, module, name)
    }

    /// Values and datasets in an order in which each comes after what it needs, and those that need themselves, which are reported.
    /// `holders` tells which datasets have a column of a name.
    pub(crate) fn sorted(&self, holders: &BTreeMap<String, Vec<String>>, diags: &mut Diagnostics) -> (Vec<Name>, Vec<Name>) {
        let mut circular: Vec<Name> = Vec::new();
        let mut needs: BTreeMap<Name, Vec<(Name, Span)>> = BTreeMap::new();
        for (full, value) in &self.values {
            let mut look = Look { decls: self, holders, own: None, found: Vec::new(), through: Vec::new() };
            for expr in value.kind.exprs() {
                look.at(&value.module, expr, &[]);
            }
            needs.insert(Name::Value(full.clone()), look.found);
        }
        for data in &self.datasets {
            let mut look = Look { decls: self, holders, own: Some(&data.name.name), found: Vec::new(), through: Vec::new() };
            for expr in data.lines.iter().flat_map(line_exprs) {
                look.at("", expr, &[]);
            }
            needs.insert(Name::Dataset(data.name.name.clone()), look.found);
        }
        let mut done: BTreeMap<&Name, bool> = BTreeMap::new();
        let mut sorted = Vec::new();
        for start in &self.sequence {
            // Depth first with an explicit stack: (name, next need to look at).
            let mut stack: Vec<(&Name, usize)> = vec![(start, 0)];
            while let Some((name, at)) = stack.pop() {
                if at == 0 {
                    if done.contains_key(name) {
                        continue;
                    }
                    done.insert(name, false);
                }
                let list = needs.get(name).map_or(&[][..], Vec::as_slice);
                if let Some((need, span)) = list.get(at) {
                    stack.push((name, at + 1));
                    match (done.get(need), needs.get_key_value(need)) {
                        (Some(false), Some((need, _))) => {
                            let ring: Vec<&Name> = stack.iter().map(|(n, _)| *n).skip_while(|n| *n != need).collect();
                            let message = if ring.len() < 2 {
                                format!("{name} needs itself")
                            } else {
                                let steps: Vec<String> = ring.windows(2).map(|pair| format!("{} needs {}", pair[0], pair[1])).collect();
                                format!("{}, which needs {need}", steps.join(", "))
                            };
                            circular.extend(ring.into_iter().cloned());
                            let d = Diagnostic::error("E0213", *span, message).here("needed here");
                            diags.push(self.place(need).into_iter().fold(d, |d, place| d.label(place, "declared here")));
                        }
                        (None, Some((need, _))) => stack.push((need, 0)),
                        _ => {}
                    }
                } else {
                    done.insert(name, true);
                    sorted.push(name.clone());
                }
            }
        }
        (sorted, circular)
    }

    /// Where something is declared.
    fn place(&self, name: &Name) -> Option<Span> {
        match name {
            Name::Value(full) => self.values.get(full).map(|value| value.name.span),
            Name::Dataset(name) => self.datasets.iter().find(|d| d.name.name == *name).map(|d| d.name.span),
        }
    }

    /// The values on which an expression depends, through the `let`s and functions that it uses.
    pub(crate) fn uses(&self, module: &str, expr: &Expr) -> Vec<String> {
        let none = BTreeMap::new();
        let mut found: Vec<String> = Vec::new();
        let mut todo: Vec<(&str, &Expr)> = vec![(module, expr)];
        while let Some((module, expr)) = todo.pop() {
            let mut look = Look { decls: self, holders: &none, own: None, found: Vec::new(), through: Vec::new() };
            look.at(module, expr, &[]);
            for (name, _) in look.found {
                let Name::Value(full) = name else { continue };
                if !found.contains(&full) {
                    let value = &self.values[&full];
                    todo.extend(value.kind.exprs().into_iter().map(|e| (value.module.as_str(), e)));
                    found.push(full);
                }
            }
        }
        found
    }
}

impl DataDecl {
    /// Whether columns are drawn, or rows shuffled.
    pub(crate) fn draws(&self) -> bool {
        let shuffles = |(name, value): &(Ident, Expr)| name.name == "shuffle" && !matches!(&value.kind, ExprKind::Name(n) if n == "false");
        self.lines.iter().any(|line| match line {
            DataLine::Draw { .. } => true,
            DataLine::Split { parts, .. } => parts.iter().any(shuffles),
            _ => false,
        })
    }
}

impl Decls {
    /// Whether data or `let`s are drawn.
    pub(crate) fn draws(&self) -> bool {
        let drawn = |value: &Value| matches!(value.kind, ValueKind::Let { value: Start::Draw(_), .. });
        self.datasets.iter().any(DataDecl::draws) || self.values.values().any(drawn)
    }
}

/// The expressions of a line of a dataset.
pub(crate) fn line_exprs(line: &DataLine) -> Vec<&Expr> {
    match line {
        DataLine::Csv { .. } | DataLine::Columns(_) | DataLine::DropMissing(_) => Vec::new(),
        DataLine::TextFile { options, .. } => options.iter().map(|(_, e)| e).collect(),
        DataLine::Rows(e) | DataLine::Keep(e) | DataLine::Column { value: e, .. } => vec![e],
        DataLine::Split { parts, .. } => parts.iter().map(|(_, e)| e).collect(),
        DataLine::Draw { shape, draw, .. } => shape.iter().flatten().chain([draw]).collect(),
    }
}

/// The values that some datasets need.
pub(crate) fn needed_lets(decls: &Decls, only: impl Fn(&DataDecl) -> bool) -> Vec<String> {
    let lines = decls.datasets.iter().filter(|d| only(d)).flat_map(|d| &d.lines);
    lines.flat_map(line_exprs).flat_map(|e| decls.uses("", e)).collect()
}

/// What an expression needs.
struct Look<'l> {
    decls: &'l Decls,
    holders: &'l BTreeMap<String, Vec<String>>,
    /// The dataset whose lines these are: its own columns come first.
    own: Option<&'l str>,
    found: Vec<(Name, Span)>,
    /// Functions that have been looked into.
    through: Vec<String>,
}

impl Look<'_> {
    /// Values and columns named in an expression; `hidden` are the names of arguments and of lines of a function.
    fn at(&mut self, module: &str, expr: &Expr, hidden: &[&str]) {
        let (decls, holders) = (self.decls, self.holders);
        walk_free(expr, hidden, &mut |e| match &e.kind {
            ExprKind::Name(name) => {
                let of = holders.get(name).map_or(&[][..], Vec::as_slice);
                if self.own.is_some_and(|own| of.iter().any(|data| data == own)) {
                    return;
                }
                if let Some(value) = decls.value(module, name) {
                    self.found.push((Name::Value(format!("{}{}", value.module, value.name.name)), e.span));
                } else {
                    self.found.extend(of.iter().map(|data| (Name::Dataset(data.clone()), e.span)));
                }
                if let Some(f) = decls.function(module, name).filter(|f| f.schedule) {
                    self.inside(f, e.span);
                }
            }
            ExprKind::Field { base, field } => {
                let ExprKind::Name(m) = &base.kind else { return };
                if let Some(value) = decls.values.get(&format!("{m}.{}", field.name)) {
                    self.found.push((Name::Value(format!("{}{}", value.module, value.name.name)), e.span));
                } else if self.own != Some(m) && decls.datasets.iter().any(|d| d.name.name == *m) {
                    self.found.push((Name::Dataset(m.clone()), e.span));
                }
            }
            ExprKind::Call { name, .. } => {
                if let Some(f) = decls.function(module, &name.name) {
                    self.inside(f, e.span);
                }
            }
            _ => {}
        });
    }

    fn inside(&mut self, f: &Function, at: Span) {
        let full = format!("{}{}", f.module, f.name.name);
        if self.through.contains(&full) {
            return;
        }
        self.through.push(full);
        let before = self.found.len();
        for default in f.formals.iter().filter_map(|formal| formal.default.as_ref()) {
            self.at(&f.module, default, &[]);
        }
        let mut hidden: Vec<&str> = f.formals.iter().map(|formal| formal.name.name.as_str()).collect();
        let (lets, value) = match &f.body {
            FnBody::Expr(e) => (&[][..], e),
            FnBody::Block { lets, value } => (&lets[..], value),
        };
        for (name, expr) in lets {
            self.at(&f.module, expr, &hidden);
            hidden.push(&name.name);
        }
        self.at(&f.module, value, &hidden);
        self.found[before..].iter_mut().for_each(|(_, span)| *span = at);
        self.through.pop();
    }
}

fn lookup<'a, T>(map: &'a BTreeMap<String, T>, module: &str, name: &str) -> Option<&'a T> {
    if module.is_empty() { map.get(name) } else { map.get(&format!("{module}{name}")).or_else(|| map.get(name)) }
}

/// Something the language has and the program does not, yet.
pub(crate) fn not_yet(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error("E0001", span, format!("{what} is part of the language, but this version does not have it yet")).here("not there yet")
}
