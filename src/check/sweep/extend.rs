//! `sweep b = a with { .. }`: the lines of a sweep with those of the sweeps that it extends.
//!
//! What the lines mean is in the parent.

use crate::check::decls::{Block, Decls};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::syntax::ast::{Axis, Ident, RepeatCount, SweepLine, SweepLineKind};

/// The lines of a sweep with those of the sweeps that it extends: it replaces the items it names and adds the rest.
pub(crate) fn extended(decls: &Decls, sweep: &Block<SweepLine>, diags: &mut Diagnostics) -> Vec<SweepLine> {
    let mut chain = vec![sweep];
    while let Some(base) = &chain[chain.len() - 1].base {
        let Some(next) = decls.sweeps.iter().find(|s| s.name.name == base.name) else {
            let names: Vec<&str> = decls.sweeps.iter().map(|s| s.name.name.as_str()).collect();
            diags.push(no_sweep(base, &names));
            break;
        };
        if chain.iter().any(|s| s.name.name == next.name.name) {
            diags.push(Diagnostic::error("E0402", base.span, "sweeps extend each other in a circle").here("extends itself"));
            break;
        }
        chain.push(next);
    }
    let mut lines: Vec<SweepLine> = Vec::new();
    for sweep in chain.into_iter().rev() {
        let named: Vec<String> = sweep.lines.iter().flat_map(keys).collect();
        // What is replaced keeps its place, so that the order of the axes stays.
        let mut added: Vec<SweepLine> = Vec::new();
        for line in &sweep.lines {
            let mine = keys(line);
            match lines.iter().position(|old| !mine.is_empty() && keys(old).iter().any(|k| mine.contains(k))) {
                Some(at) if !added.contains(line) => lines[at] = line.clone(),
                _ => added.push(line.clone()),
            }
        }
        lines.retain(|old| sweep.lines.contains(old) || !keys(old).iter().any(|k| named.contains(k)));
        lines.extend(added);
    }
    lines
}

/// What a line settles.
pub(super) fn keys(line: &SweepLine) -> Vec<String> {
    let axis = |axis: &Axis| match axis.name.name.as_str() {
        "epochs" => "steps".to_string(),
        "fold" => "folds".to_string(),
        name => name.to_string(),
    };
    match &line.kind {
        SweepLineKind::Minimize { .. } => vec!["minimize".to_string()],
        SweepLineKind::Axis(a) => vec![axis(a)],
        SweepLineKind::Zip(list) => list.iter().map(axis).collect(),
        SweepLineKind::Sample { draws, .. } => draws.iter().map(|(n, _)| n.name.clone()).collect(),
        SweepLineKind::Batches { .. } => vec!["batches".to_string()],
        SweepLineKind::Record { .. } => vec!["record".to_string()],
        SweepLineKind::StopWhen(_) => vec!["stop".to_string()],
        SweepLineKind::Repeat { count: RepeatCount::Folds(_), .. } => vec!["folds".to_string()],
        SweepLineKind::Repeat { .. } => vec!["repeat".to_string()],
        SweepLineKind::StartFrom { .. } => vec!["start".to_string()],
        SweepLineKind::SkipWhen(_) | SweepLineKind::Group { .. } => Vec::new(),
    }
}

/// A name that is no sweep.
pub(crate) fn no_sweep(name: &Ident, names: &[&str]) -> Diagnostic {
    let d = Diagnostic::error("E0401", name.span, format!("no sweep is called `{}`", name.name)).here(if names.is_empty() {
        "there are no sweeps".to_string()
    } else {
        format!("sweeps: {}", names.join(", "))
    });
    match did_you_mean(&name.name, names.iter().copied()) {
        Some(near) => d.replace(name.span, near, format!("did you mean `{near}`?")),
        None => d,
    }
}
