//! Canonical text of expressions: `a*b + c`, `x^2`, `f(a, axis = 1)`.
//!
//! Declarations and lines are in `print_file`; parentheses are kept as written, never added.

use super::ast::{Arg, BinaryOp, CompareOp, Expr, ExprKind, Ident, IndexItem, Scan, UnaryOp};
use super::layout::RESERVED;
use super::lex;

/// The expression on one line.
#[must_use]
pub fn expr(expr: &Expr) -> String {
    let mut out = String::new();
    write_expr(&mut out, expr);
    out
}

/// A number as a person would write it: `0.001`, `1e-4`, `20000`, `1e6`.
#[must_use]
pub fn number(value: f64) -> String {
    if value.is_infinite() {
        return "inf".to_owned();
    }
    let (plain, short) = (format!("{value}"), format!("{value:e}"));
    let size = value.abs();
    if size == 0.0 || (1e-3..1e6).contains(&size) || plain.len() <= short.len() { plain } else { short }
}

/// A name, in backticks where it needs them.
#[must_use]
pub fn name(name: &str) -> String {
    let plain = name.split('.').all(|part| {
        part.chars().next().is_some_and(lex::starts_name) && part.chars().all(unicode_ident::is_xid_continue) && !RESERVED.contains(&part)
    });
    if plain { name.to_owned() } else { format!("`{name}`") }
}

/// A text in quotes.
#[must_use]
pub fn text(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

pub(super) fn write_list<T>(out: &mut String, items: &[T], mut one: impl FnMut(&mut String, &T)) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        one(out, item);
    }
}

pub(super) fn write_names(out: &mut String, names: &[Ident]) {
    write_list(out, names, |out, ident| out.push_str(&name(&ident.name)));
}

pub(super) fn write_bindings(out: &mut String, bindings: &[(Ident, Expr)], between: &str) {
    write_list(out, bindings, |out, (ident, value)| {
        out.push_str(&name(&ident.name));
        out.push_str(between);
        write_expr(out, value);
    });
}

pub(super) fn write_expr(out: &mut String, e: &Expr) {
    match &e.kind {
        ExprKind::Number(value) => out.push_str(&number(*value)),
        ExprKind::Text(value) => out.push_str(&text(value)),
        ExprKind::Name(value) => out.push_str(&name(value)),
        ExprKind::Blank(value) => {
            out.push('?');
            out.push_str(&name(value));
        }
        ExprKind::None => out.push_str("None"),
        ExprKind::Paren(inner) => {
            out.push('(');
            write_expr(out, inner);
            out.push(')');
        }
        ExprKind::Tuple(parts) => {
            out.push('(');
            write_list(out, parts, write_expr);
            out.push_str(if parts.len() == 1 { ",)" } else { ")" });
        }
        ExprKind::List(parts) => {
            out.push('[');
            write_list(out, parts, write_expr);
            out.push(']');
        }
        ExprKind::Unary { op, arg, .. } => {
            out.push_str(match op {
                UnaryOp::Neg => "-",
                UnaryOp::Plus => "+",
                UnaryOp::Not => "not ",
            });
            write_expr(out, arg);
        }
        ExprKind::Chain { first, rest } => {
            write_expr(out, first);
            for (op, _, term) in rest {
                out.push_str(binary(*op));
                write_expr(out, term);
            }
        }
        ExprKind::Pow { base, exponent, .. } => {
            write_expr(out, base);
            out.push('^');
            write_expr(out, exponent);
        }
        ExprKind::Compare { op, left, right, .. } => {
            write_expr(out, left);
            out.push_str(comparison(*op));
            write_expr(out, right);
        }
        ExprKind::Range(low, high) => {
            write_expr(out, low);
            out.push_str("..");
            write_expr(out, high);
        }
        ExprKind::Pipe(stages) => {
            for (at, stage) in stages.iter().enumerate() {
                if at > 0 {
                    out.push_str(" |> ");
                }
                write_expr(out, stage);
            }
        }
        ExprKind::If { branches, otherwise } => {
            for (at, (condition, value)) in branches.iter().enumerate() {
                out.push_str(if at == 0 { "if " } else { " elif " });
                write_expr(out, condition);
                out.push_str(" then ");
                write_expr(out, value);
            }
            out.push_str(" else ");
            write_expr(out, otherwise);
        }
        ExprKind::Call { name: callee, args, .. } => {
            out.push_str(&name(&callee.name));
            out.push('(');
            write_list(out, args, write_arg);
            out.push(')');
        }
        ExprKind::Index { base, items } => {
            write_expr(out, base);
            out.push('[');
            write_list(out, items, write_index);
            out.push(']');
        }
        ExprKind::Field { base, field } => {
            write_expr(out, base);
            out.push('.');
            out.push_str(&name(&field.name));
        }
        ExprKind::On { base, part } => {
            write_expr(out, base);
            out.push_str(" on ");
            out.push_str(&name(&part.name));
        }
        ExprKind::Grad { part, at } => {
            out.push_str("grad");
            if let Some(part) = part {
                out.push_str(" on ");
                out.push_str(&name(&part.name));
            }
            if let Some(at) = at {
                out.push_str(" at (");
                write_expr(out, at);
                out.push(')');
            }
        }
        ExprKind::Over { value, axes } => {
            write_expr(out, value);
            out.push_str(" over ");
            if axes.is_empty() {
                out.push_str("all");
            }
            write_names(out, axes);
        }
        ExprKind::Scan(scan) => write_scan(out, scan),
    }
}

fn binary(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => " + ",
        BinaryOp::Sub => " - ",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::MatMul => " @ ",
        BinaryOp::And => " and ",
        BinaryOp::Or => " or ",
    }
}

fn comparison(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Lt => " < ",
        CompareOp::Le => " <= ",
        CompareOp::Gt => " > ",
        CompareOp::Ge => " >= ",
        CompareOp::Eq => " == ",
        CompareOp::Ne => " != ",
    }
}

fn write_arg(out: &mut String, arg: &Arg) {
    let (ident, between, value) = match arg {
        Arg::Positional(value) => return write_expr(out, value),
        Arg::Named(ident, value) => (ident, " = ", value),
        Arg::In(ident, value) => (ident, " in ", value),
    };
    out.push_str(&name(&ident.name));
    out.push_str(between);
    write_expr(out, value);
}

fn write_index(out: &mut String, item: &IndexItem) {
    match item {
        IndexItem::At(index) => write_expr(out, index),
        IndexItem::NewAxis(_) => out.push_str("None"),
        IndexItem::Slice { start, stop, step, .. } => {
            for (at, part) in [start, stop, step].into_iter().enumerate() {
                if at == 1 || (at == 2 && part.is_some()) {
                    out.push(':');
                }
                if let Some(part) = part {
                    write_expr(out, part);
                }
            }
        }
    }
}

fn write_scan(out: &mut String, scan: &Scan) {
    out.push_str("scan ");
    write_bindings(out, &scan.carries, " = ");
    out.push_str(" over ");
    write_bindings(out, &scan.over, " in ");
    out.push_str(" { ");
    for line in &scan.lines {
        out.push_str(&super::print_file::rule_line(line, 0));
        out.push_str("; ");
    }
    if let Some(value) = &scan.value {
        out.push_str("yield ");
        write_expr(out, value);
    }
    out.push_str(" }");
}
