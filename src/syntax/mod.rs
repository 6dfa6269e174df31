//! Text to syntax tree and back.
//!
//! It knows how things are written, not what they mean: names, shapes and files are the checker's affair.

pub mod ast;
mod build;
mod format;
mod human;
mod layout;
mod lex;
mod mistakes;
mod parse;
pub mod print;
mod print_file;
mod recover;
mod scratch;
mod set;
mod tree;

pub use format::format;
pub use layout::{DecodeError, decode};
pub use print::{expr, name, number, text};
pub use print_file::{data_line, file, item, out_line, rule_line, sweep_line};
pub use recover::{parse, parse_expr};
pub use set::{NotSet, set};
pub use tree::tree;
