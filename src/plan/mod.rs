//! Program to plan: every cell, and what cells share.
//!
//! It runs nothing; a plan is a value that can be printed.

mod batches;
mod build;
mod cells;
pub mod show;
mod solve;
pub mod unit;

use crate::check::Program;
use crate::diag::Diagnostics;
use unit::Plan;

/// Sizes that are refused before anything is allocated.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Cells of one sweep, replicates included.
    pub cells: u64,
    /// Updates of one run.
    pub steps: u64,
    /// Bytes of all traces.
    pub trace_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { cells: 100_000, steps: 1_000_000_000, trace_bytes: 256 << 20 }
    }
}

impl Limits {
    /// The defaults, with what the command line says in their place.
    #[must_use]
    pub fn new(cells: Option<u64>, steps: Option<u64>, trace_bytes: Option<u64>) -> Self {
        let usual = Limits::default();
        Limits {
            cells: cells.unwrap_or(usual.cells),
            steps: steps.unwrap_or(usual.steps),
            trace_bytes: trace_bytes.unwrap_or(usual.trace_bytes),
        }
    }
}

/// Plans the sweeps of a program, or those that are named.
///
/// Nothing when there are errors, which are among the diagnostics.
pub fn plan(program: &Program, only: &[String], limits: &Limits, diags: &mut Diagnostics) -> Option<Plan> {
    let mut sweeps = Vec::new();
    let mut trace_bytes = 0u64;
    for spec in program.sweeps.iter().filter(|s| only.is_empty() || only.contains(&s.name)) {
        if let Some(sweep) = cells::sweep(program, spec, limits, &mut trace_bytes, diags) {
            sweeps.push(sweep);
        }
    }
    diags.sort();
    (!diags.has_errors()).then_some(Plan { sweeps })
}
