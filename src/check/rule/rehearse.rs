//! Rules tried on made-up parameters, so that the mistakes in one that no sweep uses are found, too.
//!
//! Rules that run are built for the parameters they move, in `plan`.

use std::collections::BTreeMap;

use super::{Problem, Stage, apply, compose};
use crate::check::decls::{Decls, Rule};
use crate::check::lower::{Frame, Lower, Model, R, Val};
use crate::check::sweep::{counters, words};
use crate::diag::Diagnostics;
use crate::expr::graph::{Id, InputKind};
use crate::shape::Shape;
use crate::source::Sources;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Ident, RuleBody, RuleLine, RuleLineKind};

/// Tries the declared rules that `planned` does not name. What depends on the shapes of the parameters is not held
/// against them, for the made-up ones may be of other shapes than the rule is for.
pub(crate) fn rehearse(sources: &Sources, decls: &Decls, planned: &[String], diags: &mut Diagnostics) {
    for (name, rule) in &decls.rules {
        if planned.contains(name) || sources.file(rule.name.span.file).std {
            continue;
        }
        let lines = if let RuleBody::Lines(lines) = &rule.body { &lines[..] } else { &[] };
        let mut found = Diagnostics::new();
        // A reported mistake is all that is wanted of it.
        let _: R<()> = perform(decls, rule, lines, &mut found);
        // Shapes, and what this version does not have yet.
        let of_the_rule = |code: u32| !matches!(code, 1 | 300..=399 | 417 | 422);
        found.list.into_iter().filter(|d| of_the_rule(d.number())).for_each(|d| diags.push(d));
    }
}

fn perform(decls: &Decls, rule: &Rule, lines: &[RuleLine], diags: &mut Diagnostics) -> R<()> {
    let mut model = Model::default();
    let counters = counters(&mut model);
    let shapes = [("a", Shape::scalar()), ("b", Shape::fixed(&[3]))];
    let params: Vec<(String, Id)> =
        shapes.iter().map(|(n, s)| ((*n).to_string(), model.graph.input(*n, InputKind::Param, s.clone()))).collect();
    let grads: Vec<Id> = shapes.iter().map(|(n, s)| model.graph.input(format!("grad of {n}"), InputKind::State, s.clone())).collect();
    let loss = model.graph.input("loss", InputKind::Shared, Shape::scalar());
    let mut args: BTreeMap<String, Val> = BTreeMap::new();
    for formal in &rule.formals {
        let name = &formal.name.name;
        let value = match &formal.default {
            Some(Expr { kind: ExprKind::Name(word), .. }) if !words(&decls.rules, rule, name).is_empty() => Val::Word(word.clone()),
            Some(e) if !matches!(e.kind, ExprKind::Number(_)) => {
                let mut lower = Lower::new(&mut model, decls, diags);
                lower.module.clone_from(&rule.module);
                let mut names = args.clone();
                names.extend(counters.iter().map(|(n, id)| ((*n).to_string(), Val::Node(*id))));
                // A default may use the model's names, of which there are none here: it is no mistake of the rule.
                lower.frames.push(Frame { names, sealed: false, what: "an argument" });
                if decls_only(e, decls) { Val::Node(lower.scalar(e, "an argument of a rule")?) } else { argument(&mut model, name) }
            }
            _ => argument(&mut model, name),
        };
        args.insert(name.clone(), value);
    }
    if let RuleBody::Compose(_) = &rule.body {
        let stages = compose::stages(&mut model, decls, diags, rule, rule.name.span, args, &counters)?;
        return apply(&mut model, decls, diags, &stages, &Problem { params: &params, loss, grads: &grads, full: &grads, counters })
            .map(|_| ());
    }
    let stage = Stage { rule: rule.clone(), span: rule.name.span, args, own: BTreeMap::new() };
    let assigns = |what: &str| lines.iter().any(|line| assigns(line, what));
    let reports = lines.iter().any(|line| matches!(line.kind, RuleLineKind::Report(_)));
    // A stage needs another one that moves the parameters.
    let stages = match (assigns("param"), assigns("grad"), reports) {
        (false, true, _) => vec![stage, descent(rule)],
        (false, false, true) => vec![descent(rule), stage],
        _ => vec![stage],
    };
    apply(&mut model, decls, diags, &stages, &Problem { params: &params, loss, grads: &grads, full: &grads, counters }).map(|_| ())
}

fn argument(model: &mut Model, name: &str) -> Val {
    Val::Node(model.graph.input(name, InputKind::Arg, Shape::scalar()))
}

/// Whether an expression names no value and no column of the file.
fn decls_only(e: &Expr, decls: &Decls) -> bool {
    let mut free = true;
    crate::check::decls::walk(e, &mut |e| {
        if let ExprKind::Name(name) = &e.kind {
            free &= decls.value("", name).is_none() && decls.datasets.is_empty();
        }
    });
    free
}

fn assigns(line: &RuleLine, what: &str) -> bool {
    match &line.kind {
        RuleLineKind::Update(name, _) => name.name == what,
        RuleLineKind::When(_, lines) | RuleLineKind::EachEpoch(lines) => lines.iter().any(|line| assigns(line, what)),
        _ => false,
    }
}

/// `param <- param - grad`.
fn descent(like: &Rule) -> Stage {
    let span = like.name.span;
    let name = |name: &str| Expr { span, kind: ExprKind::Name(name.to_string()) };
    let value = ExprKind::Chain { first: Box::new(name("param")), rest: vec![(BinaryOp::Sub, span, name("grad"))] };
    let line = RuleLineKind::Update(Ident { name: "param".to_string(), span }, Expr { span, kind: value });
    let body = RuleBody::Lines(vec![RuleLine { span, kind: line }]);
    let ident = Ident { name: "descent".to_string(), span };
    Stage {
        rule: Rule { name: ident, formals: Vec::new(), body, module: String::new() },
        span,
        args: BTreeMap::new(),
        own: BTreeMap::new(),
    }
}
