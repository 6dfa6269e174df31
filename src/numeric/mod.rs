//! Arithmetic with the same bits on every CPU: elementary functions, ordered sums, random streams, dense linear algebra, numbers as text.
//!
//! It knows no graphs, no specs and no files; its unsafe code is the choice of a CPU level in [`dispatch`] and the registers of one in
//! `vector`.

pub mod dispatch;
pub mod elementary;
pub mod format;
pub mod linalg;
pub mod mt19937;
mod poisson;
pub mod quantile;
pub mod random;
pub mod sums;
pub(crate) mod vector;

/// Eight numbers that are worked on together: eight rows, or one row of eight cells.
pub type Octet = [f64; 8];
