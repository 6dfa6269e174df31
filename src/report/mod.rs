//! Results to tables and figures: values first, drawn last.

pub mod figure;
