//! optrun: a declarative experiment-spec language and runner for optimization in machine learning.
//!
//! The pipeline, on one page:
//!
//! ```no_run
//! use optrun::{check, diag, plan, run, source, syntax};
//!
//! let mut sources = source::Sources::new();
//! let mut diagnostics = diag::Diagnostics::new();
//! let root = sources.add("race.opt", ".", std::fs::read_to_string("race.opt").expect("a spec"), false);
//! let (file, _) = syntax::parse(&sources, root);
//! let program = check::check(&mut sources, root, file, None, &mut diagnostics).expect("a spec without mistakes");
//! let plan = plan::plan(&program, &[], &plan::Limits::default(), &mut diagnostics).expect("a plan within the limits");
//! let results = run::execute(&plan, &run::Options::default(), &run::Silent).expect("memory enough");
//! ```
//!
//! [`pipeline`] is the same with files, limits and clocks; [`report`] makes tables and figures of the results.
//!
#![doc = include_str!("ARCHITECTURE.md")]

pub mod ask;
pub mod check;
pub mod cli;
pub mod compile;
pub mod data;
pub mod diag;
pub mod expr;
pub mod library;
pub mod native;
pub mod numeric;
pub mod pipeline;
pub mod plan;
mod publish;
pub mod report;
pub mod results;
pub mod run;
pub mod shape;
pub mod solvers;
pub mod source;
pub mod syntax;
