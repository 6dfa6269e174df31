//! Results to tables and figures: values first, drawn last.

pub mod figure;

mod ask;
mod cells;
pub mod expect;
pub mod export;
mod keys;
mod label;
mod select;
mod statistics;
pub mod table;
