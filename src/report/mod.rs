//! Results to tables and figures: values first, drawn last.

pub mod build;
pub mod contour;
pub mod expect;
pub mod export;
pub mod figure;
pub mod palette;
pub mod png;
pub mod svg;
pub mod table;
pub mod text;
pub mod ticks;

mod ask;
mod axes;
mod cells;
mod classes;
mod font;
mod geometry;
mod keys;
mod label;
mod layout;
mod legend;
mod marks;
mod plot;
mod scene;
mod select;
mod statistics;
