//! The pipeline behind the command line: what goes in, what comes out, and how it can fail.
//!
//! It prints nothing and writes no files.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::diag::Diagnostics;
use crate::source::Sources;

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
    /// The user stopped it.
    Interrupted,
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
    /// The same as a document, without `files` and `timings`.
    pub json: serde_json::Value,
    /// The files to write.
    pub artifacts: Vec<Artifact>,
    /// How it ended.
    pub ending: Ending,
    /// Wall time per stage, in order.
    pub timings: Vec<(&'static str, Duration)>,
}

/// A file to write: a name that is made safe before it is used, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Such as `paths.png`.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
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

/// A spec that is ready to run.
#[derive(Debug)]
pub struct Prepared {
    options: RunOptions,
}

/// Finds everything that can be found without running.
///
/// # Errors
/// When the spec is wrong.
pub fn check(options: &RunOptions) -> Result<Checked<String>, Failure> {
    Err(unfinished(&options.spec))
}

/// The resolved plan as TOML.
///
/// # Errors
/// When the spec is wrong.
pub fn plan(options: &RunOptions) -> Result<Checked<String>, Failure> {
    Err(unfinished(&options.spec))
}

/// What a stage makes of a spec.
///
/// # Errors
/// When the spec is wrong.
pub fn explain(options: &RunOptions, _stage: Stage) -> Result<Checked<String>, Failure> {
    Err(unfinished(&options.spec))
}

/// The derivatives of the losses (or of one) with respect to the parameters (or one).
///
/// # Errors
/// When the spec is wrong, or has no such loss or parameter.
pub fn grad(options: &RunOptions, _loss: Option<&str>, _wrt: Option<&str>) -> Result<Checked<Gradients>, Failure> {
    Err(unfinished(&options.spec))
}

/// Reads, checks, plans and compiles.
///
/// # Errors
/// When the spec is wrong, or larger than the limits.
pub fn prepare(options: &RunOptions) -> Result<Checked<Prepared>, Failure> {
    Err(unfinished(&options.spec))
}

/// Runs every cell.
///
/// # Errors
/// When the outside world fails.
pub fn run(prepared: &Prepared, _progress: &(dyn Fn(&Progress) + Sync)) -> Result<Checked<Outcome>, Failure> {
    Err(unfinished(&prepared.options.spec))
}

fn unfinished(spec: &Path) -> Failure {
    Failure::Wrong(format!("`{}`: the pipeline is not connected", spec.display()))
}
