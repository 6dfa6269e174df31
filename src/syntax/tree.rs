//! The syntax tree as text, a node a line, with places.
//!
//! It is for looking at, not for reading back.

use super::ast::File;

/// The tree, a node a line.
#[must_use]
pub fn tree(file: &File) -> String {
    super::print_file::file(file)
}
