//! Syntax tree to program: names, shapes, data, sweeps, outputs; every mistake that can be found without running.
//!
//! It sees syntax, expressions and data; it runs nothing.

mod builtins;
pub(crate) mod claim;
pub(crate) mod data;
pub(crate) mod decls;
pub(crate) mod draw;
mod field;
mod index;
pub(crate) mod lower;
pub(crate) mod messages;
pub(crate) mod model;
mod output;
pub(crate) mod program;
mod question;
pub(crate) mod rule;
pub(crate) mod sweep;
pub(crate) mod within;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

pub use builtins::{BUILTINS, Builtin};
pub use program::Program;

use crate::diag::{Diagnostic, Diagnostics};
use crate::results::Fold;
use crate::results::view::Views;
use crate::source::{FileId, Sources};
use crate::syntax::ast::{Expr, ExprKind, File, RuleBody, SweepLineKind, UnaryOp};
use data::Context;
use decls::{Block, Decls};
use draw::Rng;
use lower::{Lower, Model, R};
use program::{Pace, SweepSpec, WantExpr};
use question::{Asker, Asking, Place};
use sweep::Sweeps;

/// Checks a parsed file. The program is there when nothing is wrong with it; warnings may be.
pub fn check(sources: &mut Sources, root: FileId, file: File, data_folder: Option<&Path>, diags: &mut Diagnostics) -> Option<Program> {
    let mut decls = decls::collect(sources, root, file, diags);
    library(sources, &mut decls, diags);
    rule::compose::check(&decls, diags);
    let tables = data::read(&decls, data_folder, diags);
    let rng = rng(&decls, diags);
    let mut model = Model::default();
    let declared = model::declare(&mut model, &decls, (&tables, rng), &Context::default(), diags);
    let mut sweeps: Vec<SweepSpec> = Vec::new();
    for block in &decls.sweeps {
        let mut checker = Sweeps { model: &mut model, decls: &decls, declared: &declared, seed: rng.map(Rng::seed), diags };
        if let Ok(spec) = checker.check(block) {
            sweeps.push(spec);
        }
    }
    let (model, sweeps, views) = outputs(sources, model, sweeps, &decls, &declared, rng, diags);
    let asked = claim::claims(sources, &model, &decls, &declared, diags);
    // Without errors the rules that sweeps use are built for real.
    let planned: Vec<String> =
        if diags.has_errors() { Vec::new() } else { sweeps.iter().flat_map(SweepSpec::stages).map(|stage| stage.rule.clone()).collect() };
    rule::rehearse(sources, &decls, &planned, diags);
    diags.sort();
    if diags.has_errors() {
        return None;
    }
    let fixing = model::fixing_hypers(&decls);
    Some(Program { decls, model, declared, tables, fixing, rng, sweeps, views, asked })
}

/// Whether a mistake is one however the lines that could not be read would have gone on: shapes, data, files, what is
/// there twice. What is missing may stand in those lines.
pub(crate) fn stands_alone(diagnostic: &Diagnostic) -> bool {
    matches!(
        diagnostic.number(),
        201..=203 | 213 | 216 | 218..=220 | 222..=224 | 300..=399 | 403 | 404 | 411..=413 | 415 | 416 | 430 | 431 | 436 | 438 | 447 | 460 | 500..=599 | 700..=799
    )
}

/// Adds the rules of the library, and the solvers, that the file names and does not declare itself.
fn library(sources: &mut Sources, decls: &mut Decls, diags: &mut Diagnostics) {
    let mut names: Vec<String> = Vec::new();
    for line in decls.sweeps.iter().flat_map(|s| &s.lines) {
        let axes = match &line.kind {
            SweepLineKind::Axis(axis) => std::slice::from_ref(axis),
            SweepLineKind::Zip(list) => list,
            _ => &[],
        };
        for axis in axes.iter().filter(|a| a.name.name == "optimizer") {
            decls::walk(&axis.values, &mut |e: &Expr| match &e.kind {
                ExprKind::Name(name) => names.push(name.clone()),
                ExprKind::Call { name, .. } => names.push(name.name.clone()),
                _ => {}
            });
        }
    }
    let chains = |rules: &mut dyn Iterator<Item = &decls::Rule>, names: &mut Vec<String>| {
        for rule in rules {
            if let RuleBody::Compose(body) = &rule.body {
                names.extend(rule::compose::named(body).into_iter().map(|(name, _)| name));
            }
        }
    };
    chains(&mut decls.rules.values(), &mut names);
    names.extend(claim::mentioned(decls).into_iter().filter(|name| decls.value("", name).is_none()));
    while let Some(name) = names.pop() {
        if decls.rules.contains_key(&name) {
            continue;
        }
        let text = if let Some(file) = crate::library::find(&name) {
            file.text.to_string()
        } else if let Some(solver) = crate::solvers::find(&name) {
            decls.solvers.insert(name.clone(), solver);
            solver.declaration()
        } else {
            continue;
        };
        let id = sources.add(format!("std/{name}.opt"), PathBuf::new(), text, true);
        let (file, found) = crate::syntax::parse(sources, id);
        found.list.into_iter().for_each(|d| diags.push(d));
        let library = decls::collect(sources, id, file, diags);
        chains(&mut library.rules.values(), &mut names);
        for (rule, declared) in library.rules {
            decls.rules.entry(rule).or_insert(declared);
        }
    }
}

fn rng(decls: &Decls, diags: &mut Diagnostics) -> Option<Rng> {
    let (numpy, e, _) = decls.rng.as_ref()?;
    let mut model = Model::default();
    let mut lower = Lower::new(&mut model, decls, diags);
    let seed = lower.whole(e, "a seed", 0.0).ok()? as u64;
    if !*numpy {
        return Some(Rng::Keyed(seed));
    }
    let Ok(seed) = u32::try_from(seed) else {
        diags.push(Diagnostic::error("E0239", e.span, "a seed of NumPy's legacy generator is below 2^32").here("too large"));
        return None;
    };
    Some(Rng::Numpy(seed))
}

/// Plots, tables and expectations, and with them what each sweep evaluates.
fn outputs(
    sources: &Sources,
    model: Model,
    sweeps: Vec<SweepSpec>,
    decls: &Decls,
    declared: &model::Declared,
    rng: Option<Rng>,
    diags: &mut Diagnostics,
) -> (Model, Vec<SweepSpec>, Views) {
    let hypers = declared.hypers.iter().map(|h| (h.name.clone(), h.value)).collect();
    let mut generator = model.generator.clone();
    let starts = draw::starts(&model, &declared.params, &|_| true, (rng, 0), &mut generator, &|_| None).unwrap_or_default();
    let starts = starts.into_iter().map(|(param, start)| (param.name.clone(), start)).collect();
    let shared = Rc::new(RefCell::new(Asking { model, sweeps, hypers, whole: BTreeSet::new(), starts }));
    let mut views = Views::default();
    {
        let mut asker = Asker { shared: shared.clone(), decls, diags };
        basics(&shared);
        for block in &decls.sweeps {
            records(&mut asker, block);
        }
        for block in &decls.plots {
            if let Ok(view) = asker.plot(block) {
                views.plots.push(view);
            }
        }
        for block in &decls.tables {
            if let Ok(view) = asker.table(block) {
                views.tables.push(view);
            }
        }
        for e in &decls.expects {
            if let Ok(view) = asker.expectation(e, sources) {
                views.expects.push(view);
            }
        }
    }
    // What is traced is also known at the end, so that the table of runs has it.
    for sweep in &mut shared.borrow_mut().sweeps {
        for at in (0..sweep.wants.len()).filter(|&at| sweep.wants[at].traced).collect::<Vec<_>>() {
            sweep.fold(Fold::Final(at));
        }
    }
    let taken = shared.replace(Asking {
        model: Model::default(),
        sweeps: Vec::new(),
        hypers: BTreeMap::new(),
        whole: BTreeSet::new(),
        starts: BTreeMap::new(),
    });
    (taken.model, taken.sweeps, views)
}

/// Every run knows the loss it minimizes at its start and its end.
fn basics(shared: &Rc<RefCell<Asking>>) {
    for sweep in &mut shared.borrow_mut().sweeps {
        for loss in sweep.losses() {
            let span = sweep.span;
            let mut e = Expr { span, kind: ExprKind::Name(loss.clone()) };
            if sweep.maximize {
                e = Expr { span, kind: ExprKind::Unary { op: UnaryOp::Neg, op_span: span, arg: Box::new(e) } };
            }
            let at = sweep.want(&crate::syntax::print::expr(&e), &WantExpr::Model(e), &[], &[]);
            sweep.fold(Fold::Start(at));
            sweep.fold(Fold::Final(at));
        }
    }
}

/// `record A, B`: the quantities are traced.
fn records(asker: &mut Asker<'_>, block: &Block<crate::syntax::ast::SweepLine>) {
    let mut unheard = Diagnostics::new();
    for line in sweep::extended(asker.decls, block, &mut unheard) {
        if let SweepLineKind::Record { what, .. } = &line.kind {
            let place = Place { sweeps: vec![block.name.name.clone()], rows: true, only: Vec::new() };
            for e in what {
                let _: R<_> = asker.question(e, &place);
            }
        }
    }
}

impl Program {
    /// Whether there is a sweep of that name.
    #[must_use]
    pub fn has_sweep(&self, name: &str) -> bool {
        self.sweeps.iter().any(|s| s.name == name)
    }

    /// The names of the sweeps.
    #[must_use]
    pub fn sweep_names(&self) -> Vec<&str> {
        self.sweeps.iter().map(|s| s.name.as_str()).collect()
    }

    /// The data files that were read, with the hashes of their bytes.
    #[must_use]
    pub fn files(&self) -> Vec<(String, String)> {
        self.tables.iter().filter_map(|t| t.file.clone()).collect()
    }
}

impl SweepSpec {
    /// When rows are recorded: as said, else at each epoch when there are batches, else at each step.
    pub(crate) fn recorded(&self) -> Pace {
        self.pace.unwrap_or(if self.batches.is_some() { Pace::Epochs(1) } else { Pace::Steps(1) })
    }
}
