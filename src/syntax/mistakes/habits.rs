//! Mistakes that are wrong wherever they stand.
//!
//! It does not know the grammar.

use std::collections::BTreeSet;

use super::super::scratch::Scratch;
use super::Finding;

/// All habits found in an item.
pub(in crate::syntax) fn habits(_scratch: &Scratch, _declared: &BTreeSet<String>) -> Vec<Finding> {
    Vec::new()
}
