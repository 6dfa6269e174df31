//! What each stage makes of a file, as text; the same text serves the user, the developer and the snapshots.
//!
//! It changes nothing.

use std::fmt::Write as _;

use super::names;
use crate::check::Program;
use crate::check::data::{Content, shape_of};
use crate::check::decls::ValueKind;
use crate::check::lower::Val;
use crate::check::program::{Bind, Budget, Pace};
use crate::expr::diff;
use crate::expr::graph::Id;
use crate::expr::print::{dump, formula};
use crate::expr::rewrite::{self, Options};
use crate::results::Setting;
use crate::source::Sources;

/// Names and shapes, data, sweeps.
#[must_use]
pub fn program(program: &Program) -> String {
    let mut text = String::new();
    let model = &program.model;
    for (d, data) in model.data.iter().enumerate() {
        let parts: Vec<String> = data.parts.iter().map(|part| format!("{} {}", part.name, part.rows.len())).collect();
        let folds = data.folds.map(|folds| format!(" in fold 0 of {folds}")).unwrap_or_default();
        let rows = if parts.is_empty() { model.rows.0[d].to_string() } else { format!("{}{folds}", parts.join(", ")) };
        let _ = writeln!(text, "dataset {}: {rows} rows", data.name.name);
        let mut run: Vec<&str> = Vec::new();
        let mut kind = String::new();
        let flush = |text: &mut String, run: &mut Vec<&str>, kind: &str| {
            if let (Some(first), Some(last)) = (run.first(), run.last()) {
                let names = if run.len() > 2 { format!("{first}..{last}") } else { run.join(", ") };
                let _ = writeln!(text, "  {names}: {kind}");
            }
            run.clear();
        };
        for column in &data.columns {
            let what = match &column.content {
                Content::Numbers { values, by_row } => model.rows.show(&shape_of(values, *by_row, crate::shape::DataId(d as u32))),
                Content::Missing { missing, .. } => format!("{} missing", missing.len()),
                Content::Texts { .. } => "text".to_string(),
                Content::Broken => "broken".to_string(),
            };
            if what != kind {
                flush(&mut text, &mut run, &kind);
                kind = what;
            }
            run.push(&column.name);
        }
        flush(&mut text, &mut run, &kind);
    }
    for name in &program.decls.order {
        let value = &program.decls.values[name];
        let shape = match model.names.get(name) {
            Some(Val::Node(id)) => model.show(*id),
            _ => "no numbers".to_string(),
        };
        let default =
            program.declared.hypers.iter().find(|h| h.name == *name).map(|h| format!(" = {}", crate::expr::print::number(h.value)));
        let _ = writeln!(text, "{} {name}: {shape}{}", value.kind.keyword(), default.unwrap_or_default());
    }
    for sweep in &program.sweeps {
        let cells: usize = sweep.axes.iter().map(|a| a.points.len()).product::<usize>() * sweep.repeat;
        let length = match sweep.budget {
            Budget::Steps(n) => format!("{n} steps"),
            Budget::Epochs(n) => format!("{n} epochs"),
        };
        let pace = match sweep.recorded() {
            Pace::Steps(1) => "each step".to_string(),
            Pace::Steps(n) => format!("each {n} steps"),
            Pace::Epochs(1) => "each epoch".to_string(),
            Pace::Epochs(n) => format!("each {n} epochs"),
        };
        let _ = writeln!(text, "sweep {}: {cells} cells of {length}, recorded {pace}", sweep.name);
        for axis in &sweep.axes {
            let shown: Vec<String> = axis.points.iter().map(|point| point.iter().map(bind).collect::<Vec<_>>().join(", ")).collect();
            let _ = writeln!(text, "  {}", shown.join(" | "));
        }
        for want in &sweep.wants {
            let _ = writeln!(text, "  {} {}", if want.traced { "records" } else { "folds" }, want.text);
        }
    }
    text
}

fn bind(bind: &Bind) -> String {
    match bind {
        Bind::Optimizer(o) => o.stages.iter().map(stage).collect::<Vec<_>>().join(" |> "),
        Bind::Loss(name) => format!("minimize {name}"),
        Bind::Named { name, value, .. } => format!("{name} = {}", setting(&value.setting)),
    }
}

fn stage(stage: &crate::check::program::StageSpec) -> String {
    let args: Vec<String> = stage.args.iter().map(|(n, v)| format!("{n} = {}", setting(&v.setting))).collect();
    if args.is_empty() { stage.rule.clone() } else { format!("{}({})", stage.rule, args.join(", ")) }
}

fn setting(setting: &Setting) -> String {
    match setting {
        Setting::Blank => "-".to_string(),
        Setting::Number(x) => crate::expr::print::number(*x),
        Setting::Text(text) => text.clone(),
    }
}

/// The losses and metrics by name.
fn losses(program: &Program) -> Vec<(String, Id)> {
    let is_loss = |name: &&String| matches!(program.decls.values[*name].kind, ValueKind::Loss { .. });
    let node = |name: &String| if let Some(Val::Node(id)) = program.model.names.get(name) { Some((name.clone(), *id)) } else { None };
    program.decls.order.iter().filter(is_loss).filter_map(node).collect()
}

/// The graph of the losses, a node a line.
#[must_use]
pub fn graph(program: &Program) -> String {
    let mut text = String::new();
    let names = names(program);
    for (name, id) in losses(program) {
        let graph = &program.model.graph;
        let _ = writeln!(text, "{name} = {}\n{}", formula(graph, id, &names), dump(graph, &[id]));
    }
    text
}

/// The gradients as differentiation leaves them, before rewriting.
#[must_use]
pub fn gradient(program: &Program) -> String {
    let mut graph = program.model.graph.clone();
    let mut text = String::new();
    let names = names(program);
    for (name, id) in losses(program) {
        for param in &program.declared.params {
            if !diff::depends(&graph, id, param.id) {
                continue;
            }
            match diff::gradient(&mut graph, id, &[param.id]) {
                Ok(list) => {
                    let shown = formula(&graph, list[0], &names);
                    let _ = writeln!(text, "d {name} / d {} = {shown}\n{}", param.name, dump(&graph, &list));
                }
                Err(why) => {
                    let _ = writeln!(text, "d {name} / d {}: `{}` cannot be differentiated", param.name, why.op);
                }
            }
        }
    }
    text
}

/// The losses and gradients after rewriting, and the rules that were applied, each at its place.
#[must_use]
pub fn rewritten(program: &Program, sources: &Sources) -> String {
    let mut text = String::new();
    let names = names(program);
    for (name, id) in losses(program) {
        let mut graph = program.model.graph.clone();
        let (list, report) = rewrite::rewrite(&mut graph, &[id], &Options::default());
        let _ = writeln!(text, "{name} = {}", formula(&graph, list[0], &names));
        applied(&mut text, &graph, &report, &names, sources);
        let params: Vec<_> = program.declared.params.iter().filter(|p| diff::depends(&graph, list[0], p.id)).collect();
        let wrt: Vec<Id> = params.iter().map(|p| p.id).collect();
        let Ok(grads) = diff::gradient(&mut graph, list[0], &wrt) else { continue };
        let (grads, report) = rewrite::rewrite(&mut graph, &grads, &Options::default());
        for (param, grad) in params.iter().zip(grads) {
            let _ = writeln!(text, "d {name} / d {} = {}", param.name, formula(&graph, grad, &names));
        }
        applied(&mut text, &graph, &report, &names, sources);
    }
    text
}

fn applied(
    text: &mut String,
    graph: &crate::expr::graph::Graph,
    report: &rewrite::Report,
    names: &crate::expr::print::Names,
    sources: &Sources,
) {
    for firing in report.of_kind(crate::expr::rules::Kind::Stable) {
        let (before, after) = firing.text(graph, names);
        let place = firing.span.map(|span| {
            let (line, column) = sources.line_column(span);
            format!("  at {}:{line}:{column}", sources.file(span.file).name)
        });
        let _ = writeln!(text, "  {before}  is evaluated as  {after}   ({}){}", firing.rule.name, place.unwrap_or_default());
    }
}
