//! Runs a plan: cells in groups of lanes on a pool of threads, recorded as they go.
//!
//! It knows no language and prints nothing.

pub mod machine;
