//! The solvers against numbers from elsewhere: certified regressions, optima of other libraries, closed forms; and how their runs end.
//!
//! The expected numbers are data; nothing here prints its own.

#[path = "seeds/support.rs"]
#[allow(dead_code, reason = "shared with the seeds' tests, which use more of it")]
mod support;

#[path = "solvers/certified.rs"]
mod certified;
#[path = "solvers/endings.rs"]
mod endings;
#[path = "solvers/optima.rs"]
mod optima;
#[path = "solvers/sameness.rs"]
mod sameness;
