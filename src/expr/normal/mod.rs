//! A canonical form of expressions, in which equal ones look alike: sums of products of indexed atoms with summed indices.
//!
//! It proves equality and never the opposite: what does not become the same may be equal all the same. Two sides are compared where both have a
//! value; `log(x)` is read as the logarithm of the size of `x`, which it is wherever it has a value.
//!
//! Every node becomes a polynomial over atoms with indices, as in `sum_i X[i, a]*p[i]`; a product of matrices, a sum, a transpose or a slice
//! differ only in their indices. Sums over an index are taken apart into factors that do not share it, and their indices are named
//! canonically. Elementwise functions are atoms over normal forms, related by a few identities (`1 - sigmoid(z) = sigmoid(-z)`,
//! `exp(a + b) = exp(a)*exp(b)`, a row of `onehot` adds to 1).

mod algebra;
mod elements;
mod functions;
mod lower;
mod ratio;
mod sums;
mod term;

pub use lower::{Facts, Normal};
pub use ratio::Ratio;
pub use term::Poly;
