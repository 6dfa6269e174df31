//! The declarations of a file and its imports, by name: duplicates, clashes, cycles.
//!
//! It looks at names only, not at what expressions mean.

mod collect;
mod walk;

use crate::diag::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::syntax::ast::{DataLine, Expr, ExprKind, FnBody, Formal, Grading, Ident, OutLine, RuleBody, Start, SweepLine, Tolerance};
pub(crate) use collect::{collect, path_refused};
use std::collections::BTreeMap;
use std::path::PathBuf;
use walk::body_exprs;
pub(crate) use walk::{parts, walk};

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
    pub(crate) functions: BTreeMap<String, Function>,
    pub(crate) rules: BTreeMap<String, Rule>,
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

    /// The values in an order in which each comes after what it needs, and those that need themselves, which are reported.
    pub(crate) fn sorted(&self, diags: &mut Diagnostics) -> (Vec<String>, Vec<String>) {
        let mut circular: Vec<String> = Vec::new();
        let mut needs: BTreeMap<&str, Vec<(String, Span)>> = BTreeMap::new();
        for (full, value) in &self.values {
            let mut found = Vec::new();
            for expr in value.kind.exprs() {
                self.needed(&value.module, expr, &mut found, &mut Vec::new());
            }
            needs.insert(full, found);
        }
        let mut done: BTreeMap<&str, bool> = BTreeMap::new();
        let mut sorted = Vec::new();
        for start in &self.order {
            // Depth first with an explicit stack: (name, next need to look at).
            let mut stack: Vec<(&str, usize)> = vec![(start, 0)];
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
                    match (done.get(need.as_str()), self.values.get_key_value(need)) {
                        (Some(false), Some((need, value))) => {
                            let ring: Vec<&str> = stack.iter().map(|(n, _)| *n).skip_while(|n| n != need).collect();
                            let message = if ring.len() < 2 {
                                format!("`{name}` needs itself")
                            } else {
                                let steps: Vec<String> = ring.windows(2).map(|pair| format!("`{}` needs `{}`", pair[0], pair[1])).collect();
                                format!("{}, which needs `{need}`", steps.join(", "))
                            };
                            circular.extend(ring.iter().map(|n| (*n).to_string()));
                            diags.push(
                                Diagnostic::error("E0213", *span, message).here("needed here").label(value.name.span, "declared here"),
                            );
                        }
                        (None, Some((need, _))) => stack.push((need, 0)),
                        _ => {}
                    }
                } else {
                    done.insert(name, true);
                    sorted.push(name.to_string());
                }
            }
        }
        (sorted, circular)
    }

    /// The declared values that an expression names, through the functions it calls.
    fn needed(&self, module: &str, expr: &Expr, found: &mut Vec<(String, Span)>, through: &mut Vec<String>) {
        walk(expr, &mut |e| match &e.kind {
            ExprKind::Name(name) => {
                if let Some(value) = self.value(module, name) {
                    let full = format!("{}{}", value.module, value.name.name);
                    found.push((full, e.span));
                }
                if let Some(f) = self.function(module, name).filter(|f| f.schedule) {
                    self.needed_of(f, e.span, found, through);
                }
            }
            ExprKind::Field { base, field } => {
                if let ExprKind::Name(m) = &base.kind
                    && let Some(value) = self.values.get(&format!("{m}.{}", field.name))
                {
                    found.push((format!("{}{}", value.module, value.name.name), e.span));
                }
            }
            ExprKind::Call { name, .. } => {
                if let Some(f) = self.function(module, &name.name) {
                    self.needed_of(f, e.span, found, through);
                }
            }
            _ => {}
        });
    }

    fn needed_of(&self, f: &Function, at: Span, found: &mut Vec<(String, Span)>, through: &mut Vec<String>) {
        let full = format!("{}{}", f.module, f.name.name);
        if through.contains(&full) {
            return;
        }
        through.push(full);
        let mut inner = Vec::new();
        for expr in body_exprs(&f.body) {
            self.needed(&f.module, expr, &mut inner, through);
        }
        found.extend(inner.into_iter().map(|(name, _)| (name, at)));
        through.pop();
    }
}

fn lookup<'a, T>(map: &'a BTreeMap<String, T>, module: &str, name: &str) -> Option<&'a T> {
    if module.is_empty() { map.get(name) } else { map.get(&format!("{module}{name}")).or_else(|| map.get(name)) }
}

/// Something the language has and the program does not, yet.
pub(crate) fn not_yet(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error("E0001", span, format!("{what} is part of the language, but this version does not have it yet")).here("not there yet")
}
