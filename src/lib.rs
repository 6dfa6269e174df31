//! optrun: a declarative experiment-spec language and runner for optimization in machine learning.

pub mod ask;
pub mod check;
pub mod cli;
pub mod compile;
pub mod data;
pub mod diag;
pub mod expr;
pub mod library;
pub mod numeric;
pub mod pipeline;
pub mod plan;
mod publish;
pub mod report;
pub mod results;
pub mod run;
pub mod shape;
pub mod source;
pub mod syntax;
