//! (room: report)
pub mod contour;
pub mod figure;
pub mod palette;
pub mod png;
pub mod svg;
pub mod text;
pub mod ticks;

mod axes;
mod font;
mod geometry;
mod layout;
mod legend;
mod marks;
mod scene;
