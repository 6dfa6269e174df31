//! The symbolic core: one hash-consed graph of tensor operations, its derivatives, its rewriting, its text, its values.
//!
//! It knows no syntax, no files and no threads.

pub mod diff;
pub mod eval;
pub mod graph;
pub mod normal;
pub mod op;
pub mod parts;
pub mod print;
pub mod rewrite;
pub mod rules;
pub mod transplant;
pub mod verify;
