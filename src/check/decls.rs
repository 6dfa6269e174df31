//! The declarations of a file and its imports, by name: duplicates, clashes, cycles.
//!
//! It looks at names only, not at what expressions mean.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{FileId, PathRefusal, Sources, Span, resolve_below};
use crate::syntax;
use crate::syntax::ast::{
    Arg, DataLine, Expr, ExprKind, FnBody, Formal, Grading, Ident, ImportPath, IndexItem, Item, ItemKind, OutLine, RuleBody, Start,
    SweepLine, Tolerance,
};

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

    /// The values in an order in which each comes after what it needs; cycles are reported.
    pub(crate) fn sorted(&self, diags: &mut Diagnostics) -> Vec<String> {
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
        sorted
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

fn body_exprs(body: &FnBody) -> Vec<&Expr> {
    match body {
        FnBody::Expr(e) => vec![e],
        FnBody::Block { lets, value } => lets.iter().map(|(_, e)| e).chain([value]).collect(),
    }
}

/// The direct parts of an expression.
pub(crate) fn parts(e: &Expr) -> Vec<&Expr> {
    match &e.kind {
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Name(_) | ExprKind::Blank(_) | ExprKind::None => Vec::new(),
        ExprKind::Paren(a) | ExprKind::Unary { arg: a, .. } | ExprKind::Field { base: a, .. } | ExprKind::On { base: a, .. } => vec![a],
        ExprKind::Over { value, .. } => vec![value],
        ExprKind::Tuple(list) | ExprKind::List(list) | ExprKind::Pipe(list) => list.iter().collect(),
        ExprKind::Chain { first, rest } => std::iter::once(&**first).chain(rest.iter().map(|(_, _, e)| e)).collect(),
        ExprKind::Pow { base, exponent, .. } => vec![base, exponent],
        ExprKind::Compare { left, right, .. } => vec![left, right],
        ExprKind::Range(lo, hi) => vec![lo, hi],
        ExprKind::If { branches, otherwise } => branches.iter().flat_map(|(c, v)| [c, v]).chain([&**otherwise]).collect(),
        ExprKind::Call { args, .. } => args
            .iter()
            .map(|arg| match arg {
                Arg::Positional(e) | Arg::Named(_, e) | Arg::In(_, e) => e,
            })
            .collect(),
        ExprKind::Index { base, items } => {
            let mut list: Vec<&Expr> = vec![base];
            for item in items {
                match item {
                    IndexItem::At(e) => list.push(e),
                    IndexItem::Slice { start, stop, step, .. } => list.extend([start, stop, step].into_iter().flatten().map(|e| &**e)),
                    IndexItem::NewAxis(_) => {}
                }
            }
            list
        }
        ExprKind::Grad { at, .. } => at.as_deref().into_iter().collect(),
        ExprKind::Scan(scan) => scan.carries.iter().chain(&scan.over).map(|(_, e)| e).chain(&scan.value).collect(),
    }
}

/// Visits an expression and all its parts.
pub(crate) fn walk<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e Expr)) {
    let mut todo = vec![expr];
    while let Some(e) = todo.pop() {
        visit(e);
        todo.extend(parts(e));
    }
}

/// Collects the declarations of a parsed file and of what it imports.
pub(crate) fn collect(sources: &mut Sources, root: FileId, file: syntax::ast::File, diags: &mut Diagnostics) -> Decls {
    let mut decls = Decls::default();
    let mut open = vec![sources.file(root).name.clone()];
    add_file(sources, root, file, "", &mut decls, &mut open, diags);
    decls
}

fn add_file(
    sources: &mut Sources,
    id: FileId,
    file: syntax::ast::File,
    module: &str,
    decls: &mut Decls,
    open: &mut Vec<String>,
    diags: &mut Diagnostics,
) {
    let main = open.len() == 1;
    for Item { doc, span, kind } in file.items {
        match kind {
            ItemKind::Rng { numpy, seed } if main => {
                if let Some((_, _, first)) = &decls.rng {
                    diags.push(Diagnostic::error("E0202", span, "two seeds").here("second").label(*first, "first"));
                } else {
                    decls.rng = Some((numpy, seed, span));
                }
            }
            ItemKind::Dataset { name, lines } => {
                if let Some(first) = decls.datasets.iter().find(|d| d.name.name == name.name) {
                    diags.push(twice("dataset", &name, first.name.span));
                } else {
                    let folder = sources.file(id).folder.clone();
                    decls.datasets.push(DataDecl { name, lines, span, folder });
                }
            }
            ItemKind::Param { name, shape, start, within } => {
                add_value(decls, name, module, ValueKind::Param { shape, start, within }, diags)
            }
            ItemKind::Hyper { name, value } => add_value(decls, name, module, ValueKind::Hyper { value }, diags),
            ItemKind::Let { name, shape, value } => add_value(decls, name, module, ValueKind::Let { shape, value }, diags),
            ItemKind::Loss { name, value } => add_value(decls, name, module, ValueKind::Loss { value }, diags),
            ItemKind::Metric { name, value } => add_value(decls, name, module, ValueKind::Metric { value }, diags),
            ItemKind::Fn { name, formals, body } => {
                add_function(decls, Function { name, module: module.to_string(), formals, body, schedule: false }, diags);
            }
            ItemKind::Schedule { name, formals, value } => {
                add_function(
                    decls,
                    Function { name, module: module.to_string(), formals, body: FnBody::Expr(value), schedule: true },
                    diags,
                );
            }
            ItemKind::Optimizer { name, formals, body } => {
                let full = format!("{module}{}", name.name);
                if let Some(first) = decls.rules.get(&full) {
                    diags.push(twice("optimizer", &name, first.name.span));
                } else {
                    formals_once(&formals, diags);
                    decls.rules.insert(full, Rule { name, formals, body, module: module.to_string() });
                }
            }
            ItemKind::Sweep { name, base, lines } if main => {
                add_block(&mut decls.sweeps, "sweep", Block { name, doc, span, base, lines }, diags);
            }
            ItemKind::Plot { name, lines } if main => {
                add_block(&mut decls.plots, "plot", Block { name, doc, span, base: None, lines }, diags);
            }
            ItemKind::Table { name, lines } if main => {
                if matches!(name.name.as_str(), "runs" | "traces") {
                    let message = format!("no table can be called `{}`: every run writes one of that name", name.name);
                    diags.push(Diagnostic::error("E0603", name.span, message).replace(name.span, format!("my_{}", name.name), "call it"));
                }
                add_block(&mut decls.tables, "table", Block { name, doc, span, base: None, lines }, diags);
            }
            ItemKind::Expect { cond, tolerance, filters, grading } if main => {
                decls.expects.push(Expectation { span, cond, tolerance, filters, grading });
            }
            ItemKind::Claim { .. } if main => diags.push(not_yet(span, "`claim`")),
            ItemKind::CheckGradient { .. } if main => diags.push(not_yet(span, "`check gradient`")),
            ItemKind::Import { path: ImportPath::File(path), alias } => {
                let prefix = alias.map_or_else(|| module.to_string(), |alias| format!("{module}{}.", alias.name));
                if let Some((file_id, parsed)) = load_import(sources, id, &path, open, diags) {
                    open.push(sources.file(file_id).name.clone());
                    add_file(sources, file_id, parsed, &prefix, decls, open, diags);
                    open.pop();
                }
            }
            ItemKind::Import { path: ImportPath::Submission(name), .. } => diags.push(not_yet(name.span, "`import submission`")),
            // An imported file brings declarations only.
            ItemKind::Rng { .. }
            | ItemKind::Sweep { .. }
            | ItemKind::Plot { .. }
            | ItemKind::Table { .. }
            | ItemKind::Expect { .. }
            | ItemKind::Claim { .. }
            | ItemKind::CheckGradient { .. } => {}
        }
    }
}

fn load_import(
    sources: &mut Sources,
    from: FileId,
    path: &syntax::ast::Text,
    open: &[String],
    diags: &mut Diagnostics,
) -> Option<(FileId, syntax::ast::File)> {
    let folder = sources.file(from).folder.clone();
    let full = match resolve_below(&folder, &path.value) {
        Ok(full) => full,
        Err(why) => {
            diags.push(path_refused(path, why));
            return None;
        }
    };
    let name = full.display().to_string();
    if open.iter().any(|o| std::path::Path::new(o) == full) {
        diags.push(Diagnostic::error("E0214", path.span, "files import each other in a circle").here("this file is being read already"));
        return None;
    }
    let bytes = std::fs::read(&full).ok()?;
    let text = match syntax::decode(&bytes) {
        Ok(text) => text,
        Err(error) => {
            diags.push(Diagnostic::error("E0703", path.span, format!("`{}` is no UTF-8 text: {error}", path.value)));
            return None;
        }
    };
    let parent = full.parent().map_or_else(PathBuf::new, PathBuf::from);
    let id = sources.add(name, parent, text, false);
    let (file, found) = syntax::parse(sources, id);
    found.list.into_iter().for_each(|d| diags.push(d));
    Some((id, file))
}

/// A path that may not be opened.
pub(crate) fn path_refused(path: &syntax::ast::Text, why: PathRefusal) -> Diagnostic {
    let d = |message: String| Diagnostic::error("E0701", path.span, message);
    match why {
        PathRefusal::Missing => d(format!("no file `{}` beside the spec", path.value)).here("not found"),
        PathRefusal::Leaves => Diagnostic::error("E0702", path.span, "a spec reads only files below its own folder")
            .here("leads out of it")
            .help("copy the file into the spec's folder, or a folder below it"),
        PathRefusal::Link => {
            Diagnostic::error("E0702", path.span, "a spec reads only files below its own folder").here("a link that leads out of it")
        }
        PathRefusal::NotAFile => {
            Diagnostic::error("E0704", path.span, format!("`{}` is no regular file", path.value)).here("a folder or a device")
        }
    }
}

/// Something the language has and the program does not, yet.
pub(crate) fn not_yet(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error("E0001", span, format!("{what} is part of the language, but this version does not have it yet")).here("not there yet")
}

fn twice(keyword: &str, name: &Ident, first: Span) -> Diagnostic {
    Diagnostic::error("E0202", name.span, format!("{keyword} `{}` is declared twice", name.name)).here("second").label(first, "first")
}

fn add_block<L>(list: &mut Vec<Block<L>>, keyword: &str, block: Block<L>, diags: &mut Diagnostics) {
    if let Some(first) = list.iter().find(|known| known.name.name == block.name.name) {
        diags.push(twice(keyword, &block.name, first.name.span));
    } else {
        list.push(block);
    }
}

fn add_function(decls: &mut Decls, function: Function, diags: &mut Diagnostics) {
    let full = format!("{}{}", function.module, function.name.name);
    formals_once(&function.formals, diags);
    if let Some(first) = decls.functions.get(&full) {
        diags.push(twice(if function.schedule { "schedule" } else { "fn" }, &function.name, first.name.span));
    } else {
        decls.functions.insert(full, function);
    }
}

fn formals_once(formals: &[Formal], diags: &mut Diagnostics) {
    for (i, formal) in formals.iter().enumerate() {
        if let Some(first) = formals[..i].iter().find(|f| f.name.name == formal.name.name) {
            let message = format!("argument `{}` is declared twice", formal.name.name);
            diags.push(Diagnostic::error("E0203", formal.name.span, message).here("second").label(first.name.span, "first"));
        }
    }
}

fn add_value(decls: &mut Decls, name: Ident, module: &str, kind: ValueKind, diags: &mut Diagnostics) {
    if RUN_NAMES.contains(&name.name.as_str()) {
        let message = format!("`{}` means something in every run and cannot name a {}", name.name, kind.keyword());
        diags.push(Diagnostic::error("E0201", name.span, message).here("taken").replace(name.span, format!("{}_", name.name), "call it"));
    }
    let full = format!("{module}{}", name.name);
    if let Some(first) = decls.values.get(&full) {
        let message = if first.kind.keyword() == kind.keyword() {
            format!("{} `{}` is declared twice", kind.keyword(), name.name)
        } else {
            format!("`{}` is a {} and a {}: one name, one meaning", name.name, first.kind.keyword(), kind.keyword())
        };
        diags.push(Diagnostic::error("E0202", name.span, message).here("second").label(first.name.span, "first"));
        return;
    }
    decls.order.push(full.clone());
    decls.values.insert(full, Value { name, module: module.to_string(), kind });
}
