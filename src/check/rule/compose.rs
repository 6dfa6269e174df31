//! Optimizers declared as chains: `optimizer x(lr) = clip_norm(limit = 1) |> adam(lr = lr)`.
//!
//! A chain becomes the stages it stands for, with the values of their arguments; what stages do is in `lines`.

use std::collections::BTreeMap;

use super::Stage;
use crate::check::decls::{Decls, Rule};
use crate::check::lower::{Frame, Lower, Model, R, Reported, Val};
use crate::check::sweep::{chain_entry, words};
use crate::diag::{Diagnostic, Diagnostics};
use crate::expr::graph::Id;
use crate::source::Span;
use crate::syntax::ast::{Arg, Expr, ExprKind, Ident, RuleBody};

/// One stage as the chain names it.
pub(crate) struct Link {
    /// Full name of the rule.
    pub(crate) rule: String,
    pub(crate) span: Span,
    pub(crate) args: Vec<(Ident, Expr)>,
}

/// Finds the mistakes in the chains of a file, used or not.
pub(crate) fn check(decls: &Decls, diags: &mut Diagnostics) {
    for (name, rule) in &decls.rules {
        if let Ok(()) = circle(decls, name, &mut Vec::new(), diags) {
            // What is wrong has been said; nothing is made of it here.
            let _: R<Vec<Link>> = links(decls, rule, diags);
        }
    }
}

/// Whether a chain contains itself.
fn circle(decls: &Decls, name: &str, through: &mut Vec<String>, diags: &mut Diagnostics) -> R<()> {
    let Some(rule) = decls.rules.get(name) else { return Ok(()) };
    let RuleBody::Compose(body) = &rule.body else { return Ok(()) };
    through.push(name.to_string());
    for (inner, span) in named(body) {
        let full = full_name(decls, rule, &inner);
        if through.contains(&full) {
            if full == through[0] {
                let d = Diagnostic::error("E0492", span, format!("the optimizer `{full}` is made of itself")).here("named here");
                diags.push(d.label(rule.name.span, "declared here"));
            }
            return Err(Reported);
        }
        circle(decls, &full, through, diags)?;
    }
    through.pop();
    Ok(())
}

/// The names of rules in a chain.
pub(crate) fn named(body: &Expr) -> Vec<(String, Span)> {
    let parts = if let ExprKind::Pipe(parts) = &body.kind { &parts[..] } else { std::slice::from_ref(body) };
    let name = |e: &Expr| match &e.kind {
        ExprKind::Call { name, .. } => (name.name.clone(), name.span),
        _ => (crate::syntax::print::expr(e), e.span),
    };
    parts.iter().map(name).collect()
}

/// The rule that a name means in the file of another.
fn full_name(decls: &Decls, rule: &Rule, name: &str) -> String {
    let full = format!("{}{name}", rule.module);
    if decls.rules.contains_key(&full) { full } else { name.to_string() }
}

/// The stages that a chain names; none for a rule that is no chain.
fn links(decls: &Decls, rule: &Rule, diags: &mut Diagnostics) -> R<Vec<Link>> {
    let RuleBody::Compose(body) = &rule.body else { return Ok(Vec::new()) };
    let parts = if let ExprKind::Pipe(parts) = &body.kind { &parts[..] } else { std::slice::from_ref(body) };
    let mut links = Vec::new();
    let mut ok = true;
    for part in parts {
        match link(decls, rule, part) {
            Ok(link) => links.push(link),
            Err(diagnostic) => {
                diags.push(*diagnostic);
                ok = false;
            }
        }
    }
    if ok { Ok(links) } else { Err(Reported) }
}

fn link(decls: &Decls, rule: &Rule, part: &Expr) -> Result<Link, Box<Diagnostic>> {
    let (name, args, inner) = chain_entry(decls, &rule.module, part)?;
    if decls.solvers.contains_key(&name.name) {
        let d = Diagnostic::error("E0497", part.span, format!("`{}` is a solver, not a stage", name.name)).here("in a declared chain");
        return Err(Box::new(d.help("name it in the sweep")));
    }
    let mut given: Vec<(Ident, Expr)> = Vec::new();
    for arg in args {
        match arg {
            Arg::Named(ident, e) => {
                let allowed = words(&decls.rules, inner, &ident.name);
                if !allowed.is_empty()
                    && !matches!(&e.kind, ExprKind::Name(word) if allowed.contains(word) || rule.formals.iter().any(|f| f.name.name == *word))
                {
                    return Err(Box::new(crate::check::sweep::no_choice(e, &allowed)));
                }
                given.push((ident.clone(), e.clone()));
            }
            Arg::In(ident, _) => {
                let d = Diagnostic::error("E0493", ident.span, "a declared chain has no axis of its own").here("varies");
                return Err(Box::new(d.help(format!(
                    "make it an argument, `optimizer {}({1}) = ..`, and vary it in the sweep",
                    rule.name.name, ident.name
                ))));
            }
            Arg::Positional(_) => {}
        }
    }
    for formal in &inner.formals {
        if formal.default.is_none() && !given.iter().any(|(name, _)| name.name == formal.name.name) {
            let (name, formal) = (&name.name, &formal.name.name);
            let d = Diagnostic::error(
                "E0494",
                part.span,
                format!("`{name}` needs `{formal}`, and the chain `{}` does not give it", rule.name.name),
            )
            .here("not given");
            return Err(Box::new(d.help(format!(
                "write `{name}({formal} = {formal})`, and make `{formal}` an argument: `optimizer {}({formal}) = ..`",
                rule.name.name
            ))));
        }
    }
    Ok(Link { rule: full_name(decls, rule, &name.name), span: part.span, args: given })
}

/// How deep chains may stand in chains.
const DEPTH: usize = 16;

/// The stages of a rule whose arguments have values: itself, or those of its chain.
pub(crate) fn stages(
    model: &mut Model,
    decls: &Decls,
    diags: &mut Diagnostics,
    rule: &Rule,
    span: Span,
    args: BTreeMap<String, Val>,
    counters: &[(&'static str, Id); 3],
) -> R<Vec<Stage>> {
    let mut expand = Expand { model, decls, diags, counters, depth: 0 };
    expand.stages(rule, span, args)
}

struct Expand<'x> {
    model: &'x mut Model,
    decls: &'x Decls,
    diags: &'x mut Diagnostics,
    counters: &'x [(&'static str, Id); 3],
    depth: usize,
}

impl Expand<'_> {
    fn stages(&mut self, rule: &Rule, span: Span, args: BTreeMap<String, Val>) -> R<Vec<Stage>> {
        if matches!(rule.body, RuleBody::Lines(_)) {
            return Ok(vec![Stage { rule: rule.clone(), span, args, own: BTreeMap::new() }]);
        }
        let mut list = Vec::new();
        if self.depth > DEPTH {
            // It contains itself, which has been said.
            return Err(Reported);
        }
        self.depth += 1;
        let counted: BTreeMap<String, Val> = self.counters.iter().map(|(n, id)| ((*n).to_string(), Val::Node(*id))).collect();
        for link in links(self.decls, rule, self.diags)? {
            let inner = self.decls.rules[&link.rule].clone();
            let mut values: BTreeMap<String, Val> = BTreeMap::new();
            for formal in &inner.formals {
                let name = &formal.name.name;
                let given = link.args.iter().find(|(ident, _)| ident.name == *name).map(|(_, e)| e);
                let Some(e) = given.or(formal.default.as_ref()) else { return Err(Reported) };
                // An argument sees those of the chain, a default those before it.
                let seen = if given.is_some() { &args } else { &values };
                let value = match &e.kind {
                    ExprKind::Name(word) if !words(&self.decls.rules, &inner, name).is_empty() => {
                        seen.get(word).cloned().unwrap_or_else(|| Val::Word(word.clone()))
                    }
                    _ => {
                        let mut lower = Lower::new(self.model, self.decls, self.diags);
                        lower.module.clone_from(if given.is_some() { &rule.module } else { &inner.module });
                        let names = seen.iter().chain(&counted).map(|(n, v)| (n.clone(), v.clone())).collect();
                        lower.frames.push(Frame { names, sealed: true, what: "an update rule" });
                        Val::Node(lower.scalar(e, "an argument of a rule")?)
                    }
                };
                values.insert(name.clone(), value);
            }
            list.extend(self.stages(&inner, link.span, values)?);
        }
        self.depth -= 1;
        Ok(list)
    }
}
