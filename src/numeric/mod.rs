//! Arithmetic with the same bits on every CPU: elementary functions, ordered sums, random streams, dense linear algebra, numbers as text.
//!
//! It knows no graphs, no specs and no files; it is the only room with unsafe code, and that is the choice of a CPU level in [`dispatch`]
//! and the vector registers of matrix products in [`register`].

pub mod dispatch;
pub mod elementary;
pub mod format;
pub mod linalg;
pub mod mt19937;
mod poisson;
pub mod quantile;
pub mod random;
pub mod register;
pub mod sums;

/// Eight numbers that are worked on together: eight rows, or one row of eight cells.
pub type Octet = [f64; 8];
