//! Expressions and their parts.
//!
//! It visits; it decides nothing.

use crate::syntax::ast::{Arg, Expr, ExprKind, FnBody, IndexItem};

pub(super) fn body_exprs(body: &FnBody) -> Vec<&Expr> {
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
