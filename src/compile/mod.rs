//! From a graph to a tape: straight lists of instructions over buffers that are laid out beforehand.
//!
//! It knows nothing of sweeps, rules and recording, and runs nothing but what depends on data alone, once.
//!
//! The layout, which every instruction relies on (`L` lanes, 1 or 8; an octet is eight numbers side by side):
//!
//! - a value without a row axis lies in memory as `[element][lane]`: with eight lanes an octet per element, with one lane eight elements per octet;
//! - a value with a row axis is cut into blocks of rows and exists only inside a block, as `[row/8][feature][8 rows]` with one lane and as
//!   `[row][feature][8 lanes]` with eight; features are the other axes in their order, wherever the row axis stands;
//! - columns, and what depends on columns alone, have one layout for both, `[row/8][feature][8 rows]`, the last octet padded with zeros.
//!
//! Long values without rows are walked in strips where that keeps intermediate results in the cache: see `strips`.
//!
//! The order of every sum is that of [`crate::expr::eval`] and does not depend on lanes, blocks or the CPU.

pub mod buffer;
pub mod chain;
pub mod fixed;
pub mod tape;

mod allocate;
mod fuse;
mod lower;
mod map;
mod scalar;
mod select;
mod strips;

pub use lower::{Request, compile};
