//! The pipeline behind the command line: what goes in, what comes out, and how it can fail.
//!
//! It prints nothing and writes no files.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::ask;
use crate::check::Program;
use crate::diag::{Diagnostic, Diagnostics};
use crate::plan::unit::Plan;
use crate::publish::publish;
use crate::report::build::Report;
use crate::results::Results;
use crate::source::{FileId, Sources};
use crate::syntax::{self, ast::File};

/// What the command line says about a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOptions {
    /// The spec.
    pub spec: PathBuf,
    /// A folder in which data files are looked for, too.
    pub data: Option<PathBuf>,
    /// Sweeps by name; empty means all.
    pub only: Vec<String>,
    /// Threads; one per core when not said.
    pub threads: Option<NonZeroUsize>,
    /// What is refused or cut.
    pub limits: Limits,
    /// `NAME=VALUE`: what stands in place of what the spec says.
    pub set: Vec<String>,
}

/// The most a run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Wall time.
    pub time: Option<Duration>,
    /// Bytes.
    pub memory: Option<u64>,
    /// Updates, in all cells together.
    pub steps: Option<u64>,
    /// Cells.
    pub cells: Option<u64>,
}

/// A stage whose product can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The syntax tree.
    Ast,
    /// Names, shapes and places resolved.
    Program,
    /// The expressions.
    Graph,
    /// Their derivatives.
    Gradient,
    /// Both after rewriting, with the rules applied.
    Rewritten,
    /// The cells.
    Plan,
}

/// A result, with the warnings on the way to it.
#[derive(Debug)]
pub struct Checked<T> {
    /// The result.
    pub value: T,
    /// The texts that the warnings point into.
    pub sources: Sources,
    /// Warnings and notes.
    pub diagnostics: Diagnostics,
}

/// Why there is no result.
#[derive(Debug)]
pub enum Failure {
    /// The user's text is wrong: at least one error.
    Spec {
        /// The texts that the errors point into.
        sources: Sources,
        /// Errors, warnings and notes.
        diagnostics: Diagnostics,
    },
    /// The command line, or a file that it names, is wrong: one line.
    Wrong(String),
    /// The outside world failed while running, or a limit was reached: one line.
    Outside(String),
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Updates done in all cells.
    pub done: u64,
    /// Updates planned.
    pub total: u64,
    /// The loss of the cell that was looked at last.
    pub loss: Option<f64>,
}

/// What a run produced.
#[derive(Debug)]
pub struct Outcome {
    /// The tables and checks for a person.
    pub text: String,
    /// The spec, and the hash of its text.
    pub spec: (String, String),
    /// What was measured.
    pub results: Arc<Results>,
    /// The tables, figures and checks as values.
    pub report: Report,
    /// The files to write.
    pub artifacts: Vec<Artifact>,
    /// How it ended.
    pub ending: Ending,
    /// Wall time per stage, in order.
    pub timings: Vec<(&'static str, Duration)>,
}

/// A file to write.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Such as `paths.png`; it is made safe before it is used.
    pub name: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a file. What may be many times as large as the results is made while it is written.
#[derive(Debug, Clone)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A row per cell.
    Runs(Arc<Results>),
    /// A row per recorded row of the sweep with that number.
    Trace(Arc<Results>, usize),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Every expectation holds.
    Fine,
    /// One does not.
    Unmet,
    /// A limit was reached; what was finished is in the outcome.
    Cut(String),
}

/// Derivatives.
#[derive(Debug)]
pub struct Gradients {
    /// For a person.
    pub text: String,
    /// As a document.
    pub json: serde_json::Value,
}

/// A text in its usual layout.
#[derive(Debug)]
pub struct Formatted {
    /// The text.
    pub text: String,
    /// Whether the file reads otherwise.
    pub changed: bool,
}

/// A spec that is ready to run.
#[derive(Debug)]
pub struct Prepared {
    options: RunOptions,
    sources: Sources,
    program: Program,
    plan: Plan,
    timings: Vec<(&'static str, Duration)>,
}

/// A file that has been read and parsed.
struct Read {
    sources: Sources,
    root: FileId,
    file: File,
    diagnostics: Diagnostics,
}

/// Finds everything that can be found without running. Blanks are no mistake here: they are listed.
///
/// # Errors
/// When the spec is wrong.
pub fn check(options: &RunOptions) -> Result<Checked<String>, Failure> {
    let prepared = match prepare(options) {
        Err(Failure::Spec { sources, mut diagnostics }) => {
            let (blanks, others): (Vec<Diagnostic>, Vec<Diagnostic>) = diagnostics.list.into_iter().partition(Diagnostic::is_blank);
            diagnostics = Diagnostics { list: others };
            if blanks.is_empty() || diagnostics.has_errors() {
                diagnostics.list.extend(blanks);
                diagnostics.sort();
                return Err(Failure::Spec { sources, diagnostics });
            }
            return Ok(Checked { value: to_fill_in(options, &sources, &blanks), sources, diagnostics });
        }
        prepared => prepared?,
    };
    let Prepared { program, plan, .. } = &prepared.value;
    let cells: usize = plan.sweeps.iter().map(|s| s.cells.len()).sum();
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let views = &program.views;
    let claims = program.asked.claims.len();
    let text = format!(
        "{}: {} with {}, {}, {}, {}{}\n",
        options.spec.display(),
        count(plan.sweeps.len(), "sweep"),
        count(cells, "cell"),
        count(views.plots.len(), "plot"),
        count(views.tables.len(), "table"),
        count(views.expects.len(), "expectation"),
        if claims > 0 { format!(", {}", count(claims, "claim")) } else { String::new() },
    );
    Ok(Checked { value: text, sources: prepared.sources, diagnostics: prepared.diagnostics })
}

/// The blanks of a spec that is right otherwise.
fn to_fill_in(options: &RunOptions, sources: &Sources, blanks: &[Diagnostic]) -> String {
    let places = blanks.iter().map(|blank| {
        let span = blank.primary.span;
        (sources.line_column(span), sources.text(span))
    });
    let lines: Vec<String> = places.map(|((line, column), text)| format!("  {line}:{column}  {text}\n")).collect();
    let (count, s) = (lines.len(), if lines.len() == 1 { "" } else { "s" });
    format!("{}: {count} blank{s} to fill in, and no mistake\n{}", options.spec.display(), lines.concat())
}

/// The resolved plan as TOML.
///
/// # Errors
/// When the spec is wrong.
pub fn plan(options: &RunOptions) -> Result<Checked<String>, Failure> {
    let prepared = prepare(options)?;
    Ok(Checked {
        value: crate::plan::show::toml(&prepared.value.plan, &options.set),
        sources: prepared.sources,
        diagnostics: prepared.diagnostics,
    })
}

/// What a stage makes of a spec.
///
/// # Errors
/// When the spec is wrong.
pub fn explain(options: &RunOptions, stage: Stage) -> Result<Checked<String>, Failure> {
    match stage {
        Stage::Ast => {
            let Read { sources, file, diagnostics, .. } = read(options)?;
            if diagnostics.has_errors() {
                return Err(Failure::Spec { sources, diagnostics });
            }
            Ok(Checked { value: crate::syntax::tree(&sources, &file), sources, diagnostics })
        }
        Stage::Plan => plan(options),
        Stage::Program | Stage::Graph | Stage::Gradient | Stage::Rewritten => {
            let (program, sources, diagnostics) = checked(options, &mut Clock::start())?;
            let value = match stage {
                Stage::Graph => ask::graph(&program),
                Stage::Gradient => ask::gradient(&program),
                Stage::Rewritten => ask::rewritten(&program, &sources),
                Stage::Ast | Stage::Plan | Stage::Program => ask::program(&program),
            };
            Ok(Checked { value, sources, diagnostics })
        }
    }
}

/// The derivatives of the losses (or of one) with respect to the parameters (or one).
///
/// # Errors
/// When the spec is wrong, or has no such loss or parameter.
pub fn grad(options: &RunOptions, loss: Option<&str>, wrt: Option<&str>, steps: bool) -> Result<Checked<Gradients>, Failure> {
    let (program, sources, diagnostics) = checked(options, &mut Clock::start())?;
    let answer = ask::grad(&program, loss, wrt, steps).map_err(Failure::Wrong)?;
    Ok(Checked { value: Gradients { text: answer.text, json: answer.json }, sources, diagnostics })
}

/// The text of a spec in its usual layout, and whether that differs from what is there.
///
/// # Errors
/// When the spec cannot be read or parsed.
pub fn format(options: &RunOptions) -> Result<Checked<Formatted>, Failure> {
    let Read { sources, root, file, diagnostics } = read(options)?;
    if diagnostics.has_errors() {
        return Err(Failure::Spec { sources, diagnostics });
    }
    let text = syntax::format(&sources.file(root).text);
    let mut again = Sources::new();
    let root = again.add("formatted", PathBuf::new(), text.clone(), false);
    let (tree, found) = syntax::parse(&again, root);
    if found.has_errors() || syntax::file(&tree) != syntax::file(&file) {
        return Err(Failure::Outside(format!("internal: the usual layout of `{}` would mean something else", options.spec.display())));
    }
    let before = std::fs::read(&options.spec).unwrap_or_default();
    let changed = before != text.as_bytes();
    Ok(Checked { value: Formatted { text, changed }, sources, diagnostics })
}

/// The claims of a spec, proved, refuted or open.
///
/// # Errors
/// When the spec is wrong.
pub fn claims(options: &RunOptions) -> Result<Checked<Vec<ask::ClaimResult>>, Failure> {
    let (program, sources, diagnostics) = checked(options, &mut Clock::start())?;
    Ok(Checked { value: ask::claims(&program), sources, diagnostics })
}

/// What keeps the loss from going down, computed, with suggestions that were tried.
///
/// # Errors
/// When the spec is wrong.
pub fn diagnose(options: &RunOptions) -> Result<Checked<ask::Diagnosis>, Failure> {
    let Checked { value: prepared, sources, diagnostics } = prepare(options)?;
    let settings = crate::run::Options {
        threads: options.threads.map_or(0, NonZeroUsize::get),
        max_memory: options.limits.memory,
        ..crate::run::Options::default()
    };
    let runner = |plan: &Plan| crate::run::ready(plan, &settings).ok().map(|ready| ready.run(&crate::run::Silent));
    let value = ask::diagnose(&prepared.program, &prepared.plan, &sources, &runner);
    Ok(Checked { value, sources, diagnostics })
}

/// Reads and parses the spec.
fn read(options: &RunOptions) -> Result<Read, Failure> {
    let path = &options.spec;
    let shown = path.display();
    let wrong = |message: String| Failure::Wrong(message);
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(wrong(format!("there is no file `{shown}`"))),
        Err(error) => return Err(wrong(format!("`{shown}` cannot be read: {error}"))),
        Ok(meta) if meta.is_dir() => return Err(wrong(format!("`{shown}` is a folder, not a spec"))),
        Ok(meta) if !meta.is_file() => return Err(wrong(format!("`{shown}` is no regular file"))),
        Ok(meta) if meta.len() > LARGEST_SPEC => {
            return Err(wrong(format!("`{shown}` has {} bytes; a spec has at most {LARGEST_SPEC}", meta.len())));
        }
        Ok(_) => {}
    }
    let bytes = std::fs::read(path).map_err(|error| wrong(format!("`{shown}` cannot be read: {error}")))?;
    let text = syntax::decode(&bytes).map_err(|error| wrong(format!("`{shown}` is no UTF-8 text: {error}")))?;
    if let Some(at) = text.find('\0') {
        return Err(wrong(format!("`{shown}` is no text: byte {at} is zero")));
    }
    if text.trim().is_empty() {
        return Err(wrong(format!("`{shown}` is empty")));
    }
    let mut sources = Sources::new();
    let folder = path.parent().map_or_else(PathBuf::new, PathBuf::from);
    let root = sources.add(shown.to_string(), folder, text, false);
    let (mut file, mut diagnostics) = syntax::parse(&sources, root);
    for argument in &options.set {
        match syntax::set(&mut sources, &mut file, argument) {
            Ok(()) => {}
            Err(syntax::NotSet::Value(found)) => found.list.into_iter().for_each(|d| diagnostics.push(d)),
            // What the spec does not say because it cannot be read is no mistake of the command line.
            Err(syntax::NotSet::Words(_)) if diagnostics.has_errors() => {}
            Err(syntax::NotSet::Words(words)) => return Err(Failure::Wrong(words)),
        }
    }
    Ok(Read { sources, root, file, diagnostics })
}

/// The most bytes of a spec.
const LARGEST_SPEC: u64 = 1 << 20;

/// Reads, parses and checks. Where the text itself is wrong, what could be read is checked all the same.
fn checked(options: &RunOptions, clock: &mut Clock) -> Result<(Program, Sources, Diagnostics), Failure> {
    let Read { mut sources, root, file, mut diagnostics } = read(options)?;
    clock.lap("parse");
    let incomplete = diagnostics.has_errors();
    let mut found = Diagnostics::new();
    let program = crate::check::check(&mut sources, root, file, options.data.as_deref(), &mut found);
    clock.lap("check");
    found.list.retain(|d| !incomplete || crate::check::stands_alone(d));
    found.list.into_iter().for_each(|d| diagnostics.push(d));
    diagnostics.sort();
    match program {
        Some(program) if !incomplete => Ok((program, sources, diagnostics)),
        _ => Err(Failure::Spec { sources, diagnostics }),
    }
}

/// Reads, checks and plans.
///
/// # Errors
/// When the spec is wrong, or larger than the limits.
pub fn prepare(options: &RunOptions) -> Result<Checked<Prepared>, Failure> {
    let mut clock = Clock::start();
    let (program, sources, mut diagnostics) = checked(options, &mut clock)?;
    for name in &options.only {
        if !program.has_sweep(name) {
            let known = program.sweep_names();
            let near = crate::diag::did_you_mean(name, known.iter().copied())
                .map_or(format!("there are {}", known.join(", ")), |n| format!("did you mean `{n}`?"));
            return Err(Failure::Wrong(format!("no sweep is called `{name}`; {near}")));
        }
    }
    let limits = crate::plan::Limits::new(options.limits.cells, options.limits.steps, options.limits.memory);
    let Some(plan) = crate::plan::plan(&program, &options.only, &limits, &mut diagnostics) else {
        return Err(Failure::Spec { sources, diagnostics });
    };
    clock.lap("plan");
    let prepared = Prepared { options: options.clone(), sources: sources.clone(), program, plan, timings: clock.laps };
    Ok(Checked { value: prepared, sources, diagnostics })
}

/// Runs every cell.
///
/// # Errors
/// When the outside world fails.
pub fn run(prepared: &Prepared, progress: &(dyn Fn(&Progress) + Sync)) -> Result<Checked<Outcome>, Failure> {
    let Prepared { options, sources, program, plan, timings } = prepared;
    let mut clock = Clock { at: Instant::now(), laps: timings.clone() };
    let settings = crate::run::Options {
        threads: options.threads.map_or(0, NonZeroUsize::get),
        max_time: options.limits.time,
        max_memory: options.limits.memory,
        ..crate::run::Options::default()
    };
    let ready = crate::run::ready(plan, &settings).map_err(|refusal| Failure::Wrong(refusal.to_string()))?;
    clock.lap("compile");
    let results = Arc::new(ready.run(&Teller(progress)));
    clock.lap("run");
    let mut outcome = publish(options, sources, program, plan, results);
    clock.lap("report");
    outcome.timings = clock.laps;
    Ok(Checked { value: outcome, sources: sources.clone(), diagnostics: Diagnostics::new() })
}

/// Tells the command line how far a run is.
struct Teller<'t>(&'t (dyn Fn(&Progress) + Sync));

impl crate::run::Progress for Teller<'_> {
    fn report(&self, moment: &crate::run::Moment) {
        let loss = moment.loss.is_finite().then_some(moment.loss);
        (self.0)(&Progress { done: moment.steps_done, total: moment.steps, loss });
    }
}

/// Wall time per stage.
struct Clock {
    at: Instant,
    laps: Vec<(&'static str, Duration)>,
}

impl Clock {
    fn start() -> Self {
        Clock { at: Instant::now(), laps: Vec::new() }
    }

    fn lap(&mut self, stage: &'static str) {
        let now = Instant::now();
        self.laps.push((stage, now - self.at));
        self.at = now;
    }
}
