//! Expressions and their parts.
//!
//! It visits; it decides nothing.

use crate::syntax::ast::{Arg, Expr, ExprKind, IndexItem, RuleLine, RuleLineKind};

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
        ExprKind::Scan(scan) => {
            let bound = scan.carries.iter().chain(&scan.over).map(|(_, e)| e);
            bound.chain(scan.lines.iter().filter_map(expression)).chain(&scan.value).collect()
        }
    }
}

/// The expression of a line of a scan.
pub(crate) fn expression(line: &RuleLine) -> Option<&Expr> {
    match &line.kind {
        RuleLineKind::Let(_, e) | RuleLineKind::Draw(_, e) | RuleLineKind::Update(_, e) => Some(e),
        _ => None,
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

/// As [`walk`], without the names that the expression itself gives a meaning: those of a scan inside it, and `bound` ones.
pub(super) fn walk_free<'e>(expr: &'e Expr, bound: &[&'e str], visit: &mut dyn FnMut(&'e Expr)) {
    // Each with the number of its scope; a scope knows the one around it.
    let mut scopes: Vec<(usize, Vec<&str>)> = vec![(0, bound.to_vec())];
    let mut todo = vec![(expr, 0)];
    while let Some((e, scope)) = todo.pop() {
        match &e.kind {
            ExprKind::Name(name) => {
                let mut at = scope;
                let hidden = loop {
                    if scopes[at].1.contains(&name.as_str()) {
                        break true;
                    }
                    if at == scopes[at].0 {
                        break false;
                    }
                    at = scopes[at].0;
                };
                if !hidden {
                    visit(e);
                }
            }
            ExprKind::Scan(scan) => {
                visit(e);
                let names = scan.carries.iter().chain(&scan.over).map(|(name, _)| name.name.as_str());
                let lets = scan.lines.iter().filter_map(|line| match &line.kind {
                    RuleLineKind::Let(name, _) | RuleLineKind::Draw(name, _) => Some(name.name.as_str()),
                    _ => None,
                });
                scopes.push((scope, names.chain(lets).collect()));
                let inner = scopes.len() - 1;
                todo.extend(scan.carries.iter().chain(&scan.over).map(|(_, e)| (e, scope)));
                todo.extend(scan.lines.iter().filter_map(expression).chain(&scan.value).map(|e| (e, inner)));
            }
            _ => {
                visit(e);
                todo.extend(parts(e).into_iter().map(|e| (e, scope)));
            }
        }
    }
}
