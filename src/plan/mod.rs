//! Program to plan: every cell, and what cells share.

pub mod unit;
