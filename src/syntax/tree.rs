//! The syntax tree as text: a node a line, indented, with lines and columns.
//!
//! It is for looking at, not for reading back; `print_file` writes what can be read again.

use std::fmt::Write as _;

use crate::source::{Sources, Span};

use super::ast::{
    Arg, DataLine, Expr, ExprKind, File, FnBody, IndexItem, Item, ItemKind, OutLineKind, RuleBody, RuleLine, RuleLineKind, Start,
    SweepLineKind,
};
use super::print_file::{data_line, item, out_line, rule_line, sweep_line};
use super::{expr, number};

/// The tree, a node a line.
#[must_use]
pub fn tree(sources: &Sources, file: &File) -> String {
    let mut tree = Drawing { sources, out: String::new() };
    for item in &file.items {
        tree.item(item);
    }
    tree.out
}

/// So many operators of a chain are named.
const SHOWN: usize = 8;

struct Drawing<'a> {
    sources: &'a Sources,
    out: String,
}

impl Drawing<'_> {
    fn line(&mut self, level: usize, span: Span, what: &str) {
        let (line, column) = self.sources.line_column(span);
        let (_, end) = self.sources.line_column(span.end());
        let place = if self.sources.text(span).contains('\n') { format!("{line}:{column}..") } else { format!("{line}:{column}-{end}") };
        let what = what.lines().next().unwrap_or_default();
        let _ = writeln!(self.out, "{:indent$}{what}  [{place}]", "", indent = 2 * level);
    }

    fn item(&mut self, entry: &Item) {
        let head = item(&entry.kind);
        self.line(0, entry.span, head.lines().next().unwrap_or_default());
        match &entry.kind {
            ItemKind::Rng { seed: value, .. }
            | ItemKind::Hyper { value, .. }
            | ItemKind::Loss { value, .. }
            | ItemKind::Metric { value, .. }
            | ItemKind::Schedule { value, .. }
            | ItemKind::CheckGradient { loss: value }
            | ItemKind::Let { value: Start::Value(value) | Start::Draw(value), .. }
            | ItemKind::Fn { body: FnBody::Expr(value), .. }
            | ItemKind::Optimizer { body: RuleBody::Compose(value), .. } => self.expr(1, value),
            ItemKind::Param { shape, start, within, .. } => {
                for size in shape.iter().flatten() {
                    self.expr(1, size);
                }
                if let Start::Value(value) | Start::Draw(value) = start {
                    self.expr(1, value);
                }
                if let Some(set) = within {
                    self.expr(1, set);
                }
            }
            ItemKind::Fn { body: FnBody::Block { lets, value }, .. } => {
                for (name, bound) in lets {
                    self.line(1, name.span, &format!("let {}", name.name));
                    self.expr(2, bound);
                }
                self.expr(1, value);
            }
            ItemKind::Optimizer { body: RuleBody::Lines(lines), .. } => self.rule(1, lines),
            ItemKind::Dataset { lines, .. } => {
                for line in lines {
                    self.line(1, place(line), &data_line(line));
                }
            }
            ItemKind::Sweep { lines, .. } => {
                for line in lines {
                    self.line(1, line.span, &sweep_line(line));
                    match &line.kind {
                        SweepLineKind::Minimize { loss: value, .. } | SweepLineKind::StopWhen(value) | SweepLineKind::SkipWhen(value) => {
                            self.expr(2, value);
                        }
                        SweepLineKind::Axis(axis) => self.expr(2, &axis.values),
                        _ => {}
                    }
                }
            }
            ItemKind::Plot { lines, .. } | ItemKind::Table { lines, .. } => {
                for line in lines {
                    self.line(1, line.span, &out_line(line));
                    if let OutLineKind::For(condition) = &line.kind {
                        self.expr(2, condition);
                    }
                }
            }
            ItemKind::Claim { left, right, .. } => {
                self.expr(1, left);
                self.expr(1, right);
            }
            ItemKind::Expect { cond, tolerance, filters, .. } => {
                self.expr(1, cond);
                if let Some(tolerance) = tolerance {
                    self.expr(1, &tolerance.value);
                }
                for filter in filters {
                    self.line(1, filter.span, &out_line(filter));
                }
            }
            ItemKind::Let { value: Start::Missing, .. } | ItemKind::Import { .. } => {}
        }
    }

    fn rule(&mut self, level: usize, lines: &[RuleLine]) {
        for line in lines {
            self.line(level, line.span, &rule_line(line, 0));
            match &line.kind {
                RuleLineKind::State(list) | RuleLineKind::Shared(list) => {
                    for (_, value) in list {
                        self.expr(level + 1, value);
                    }
                }
                RuleLineKind::Let(_, value)
                | RuleLineKind::Draw(_, value)
                | RuleLineKind::Update(_, value)
                | RuleLineKind::Report(value) => {
                    self.expr(level + 1, value);
                }
                RuleLineKind::When(condition, inner) => {
                    self.expr(level + 1, condition);
                    self.rule(level + 1, inner);
                }
                RuleLineKind::EachEpoch(inner) => self.rule(level + 1, inner),
            }
        }
    }

    fn expr(&mut self, level: usize, e: &Expr) {
        let (what, parts) = node(e);
        self.line(level, e.span, &what);
        for part in parts {
            self.expr(level + 1, part);
        }
    }
}

/// Where a line of a dataset is: at its name, or what it names.
fn place(line: &DataLine) -> Span {
    match line {
        DataLine::Csv { path, .. } | DataLine::TextFile { path, .. } => path.span,
        DataLine::Rows(value) | DataLine::Keep(value) => value.span,
        DataLine::Columns(names) => names[0].span.to(names[names.len() - 1].span),
        DataLine::DropMissing(span) | DataLine::Split { span, .. } => *span,
        DataLine::Column { name, .. } | DataLine::Draw { name, .. } => name.span,
    }
}

/// What an expression is called, and its parts.
fn node(e: &Expr) -> (String, Vec<&Expr>) {
    match &e.kind {
        ExprKind::Number(value) => (format!("number {}", number(*value)), vec![]),
        ExprKind::Text(_) => (format!("text {}", expr(e)), vec![]),
        ExprKind::Name(_) => (format!("name {}", expr(e)), vec![]),
        ExprKind::Blank(_) => (format!("blank {}", expr(e)), vec![]),
        ExprKind::None => ("None".to_owned(), vec![]),
        ExprKind::Paren(inner) => ("( )".to_owned(), vec![inner]),
        ExprKind::Tuple(parts) => ("point".to_owned(), parts.iter().collect()),
        ExprKind::List(parts) => ("list".to_owned(), parts.iter().collect()),
        ExprKind::Unary { op, arg, .. } => (format!("{op:?}").to_lowercase(), vec![arg]),
        ExprKind::Chain { first, rest } => {
            let ops: Vec<String> = rest.iter().take(SHOWN).map(|(op, ..)| format!("{op:?}").to_lowercase()).collect();
            let more = if rest.len() > SHOWN { format!(" and {} more", rest.len() - SHOWN) } else { String::new() };
            (ops.join(" ") + &more, std::iter::once(&**first).chain(rest.iter().map(|(_, _, term)| term)).collect())
        }
        ExprKind::Pow { base, exponent, .. } => ("power".to_owned(), vec![base, exponent]),
        ExprKind::Compare { op, left, right, .. } => (format!("compare {}", format!("{op:?}").to_lowercase()), vec![left, right]),
        ExprKind::Range(low, high) => ("range".to_owned(), vec![low, high]),
        ExprKind::Pipe(stages) => ("pipe".to_owned(), stages.iter().collect()),
        ExprKind::If { branches, otherwise } => {
            ("if".to_owned(), branches.iter().flat_map(|(condition, value)| [condition, value]).chain([&**otherwise]).collect())
        }
        ExprKind::Call { name, args, .. } => (format!("call {}", name.name), args.iter().map(argument).collect()),
        ExprKind::Index { base, items } => ("index".to_owned(), std::iter::once(&**base).chain(items.iter().flat_map(places)).collect()),
        ExprKind::Field { base, field } => (format!("field {}", field.name), vec![base]),
        ExprKind::On { base, part } => (format!("on {}", part.name), vec![base]),
        ExprKind::Grad { at, .. } => (format!("gradient {}", expr(e)), at.iter().map(|at| &**at).collect()),
        ExprKind::Over { value, axes } => {
            let axes: Vec<&str> = axes.iter().map(|axis| axis.name.as_str()).collect();
            (format!("over {}", if axes.is_empty() { "all".to_owned() } else { axes.join(", ") }), vec![value])
        }
        ExprKind::Scan(scan) => {
            let bound = scan.carries.iter().chain(&scan.over).map(|(_, value)| value);
            ("scan".to_owned(), bound.chain(&scan.value).collect())
        }
    }
}

fn argument(arg: &Arg) -> &Expr {
    match arg {
        Arg::Positional(value) | Arg::Named(_, value) | Arg::In(_, value) => value,
    }
}

fn places(item: &IndexItem) -> Vec<&Expr> {
    match item {
        IndexItem::At(index) => vec![index],
        IndexItem::NewAxis(_) => vec![],
        IndexItem::Slice { start, stop, step, .. } => [start, stop, step].into_iter().flatten().map(|part| &**part).collect(),
    }
}
