//! The arguments of rules: the words that one may be, and what other libraries call them.
//!
//! Their values are checked in `axes`.

use crate::check::decls::{Rule, walk};
use crate::diag::{Diagnostic, did_you_mean};
use std::collections::BTreeMap;

use crate::syntax::ast::{Arg, Expr, ExprKind, Ident, RuleBody, RuleLine, RuleLineKind};

/// The words that a rule compares an argument with; empty when the argument is a number.
pub(crate) fn words(rules: &BTreeMap<String, Rule>, rule: &Rule, name: &str) -> Vec<String> {
    words_within(rules, rule, name, 0)
}

/// A chain hands words on to its stages; chains may be chains of chains, but not without end.
fn words_within(rules: &BTreeMap<String, Rule>, rule: &Rule, name: &str, depth: usize) -> Vec<String> {
    let Some(default) = rule.formals.iter().find(|f| f.name.name == name).and_then(|f| f.default.as_ref()) else { return Vec::new() };
    let ExprKind::Name(word) = &default.kind else { return Vec::new() };
    if crate::check::builtins::constant(word).is_some() || rule.formals.iter().any(|f| f.name.name == *word) {
        return Vec::new();
    }
    let mut found = vec![word.clone()];
    let look = |e: &Expr| {
        walk(e, &mut |e| {
            if let ExprKind::Compare { left, right, .. } = &e.kind
                && let (ExprKind::Name(a), ExprKind::Name(b)) = (&left.kind, &right.kind)
            {
                for (x, y) in [(a, b), (b, a)] {
                    if x == name && !found.contains(y) {
                        found.push(y.clone());
                    }
                }
            }
        });
    };
    match &rule.body {
        RuleBody::Lines(lines) => rule_exprs(lines).into_iter().for_each(look),
        RuleBody::Compose(body) => {
            let parts = if let ExprKind::Pipe(parts) = &body.kind { &parts[..] } else { std::slice::from_ref(body) };
            for part in parts {
                let ExprKind::Call { name: inner, args, .. } = &part.kind else { continue };
                let Some(inner) = rules.get(&format!("{}{}", rule.module, inner.name)).or_else(|| rules.get(&inner.name)) else { continue };
                for arg in args {
                    if let Arg::Named(formal, Expr { kind: ExprKind::Name(handed), .. }) = arg
                        && handed == name
                        && depth < 16
                    {
                        found.extend(words_within(rules, inner, &formal.name, depth + 1));
                    }
                }
            }
            found.dedup();
        }
    }
    found
}

fn rule_exprs(lines: &[RuleLine]) -> Vec<&Expr> {
    lines
        .iter()
        .flat_map(|line| match &line.kind {
            RuleLineKind::State(list) | RuleLineKind::Shared(list) => list.iter().map(|(_, e)| e).collect(),
            RuleLineKind::Let(_, e) | RuleLineKind::Draw(_, e) | RuleLineKind::Update(_, e) | RuleLineKind::Report(e) => vec![e],
            RuleLineKind::When(c, lines) => std::iter::once(c).chain(rule_exprs(lines)).collect(),
            RuleLineKind::EachEpoch(lines) => rule_exprs(lines),
        })
        .collect()
}

/// What other libraries call an argument.
pub(super) fn argument_alias<'f>(name: &str, formals: &[&'f str]) -> Option<&'f str> {
    const ALIASES: [(&str, &[&str]); 9] = [
        ("learning_rate", &["lr"]),
        ("step_size", &["lr"]),
        ("alpha", &["lr"]),
        ("eta", &["lr"]),
        ("rate", &["lr"]),
        ("epsilon", &["eps"]),
        ("momentum", &["beta", "gamma"]),
        ("rho", &["beta"]),
        ("gamma", &["beta"]),
    ];
    let (_, ours) = ALIASES.iter().find(|(theirs, _)| *theirs == name)?;
    formals.iter().copied().find(|f| ours.contains(f))
}

pub(crate) fn no_argument(rule: &str, formals: &[&str], given: &Ident, value: Option<&Expr>) -> Diagnostic {
    let message = format!("`{rule}` has no `{}`", given.name);
    let mut d = Diagnostic::error("E0442", given.span, message).here(if formals.is_empty() {
        "it has no arguments".to_string()
    } else {
        format!("it has {}", formals.join(", "))
    });
    // A tiny number in the place of something else is an epsilon.
    let tiny = value.is_some_and(|e| matches!(e.kind, ExprKind::Number(x) if x > 0.0 && x <= 1e-5)) && formals.contains(&"eps");
    let near = argument_alias(&given.name, formals).or(did_you_mean(&given.name, formals.iter().copied())).or(if tiny {
        Some("eps")
    } else {
        None
    });
    if let Some(near) = near {
        d = d.replace(given.span, near, format!("did you mean `{near}`?"));
    }
    d
}
