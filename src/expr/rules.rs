//! The table of rewriting rules: each with its algebra, and what it may change.
//!
//! Rules look at one node whose arguments are final, and give what shall stand in its place; applying them is `rewrite`'s affair.

mod arrays;
mod fused;
mod identities;
mod pattern;
mod product;
mod residuals;
mod scale;
mod stable;

use super::graph::{Graph, Id};

/// What a rule may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Nothing but the sign of a zero: the same values otherwise, NaN and infinities included.
    Exact,
    /// The order of roundings, and with it the last bits (and what overflows on the way).
    Canonical,
    /// The value, towards the true one: less rounding, overflow and cancellation. On unless switched off.
    Stable,
    /// Values where an assumption fails; the algebra says which. Off unless switched on.
    Assuming,
    /// The order of roundings, in forms that only the executor wants. On when a unit is planned, after derivatives have been taken.
    Fused,
}

/// A rewriting rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name in `explain`.
    pub name: &'static str,
    /// What it does, as an equation, and when.
    pub algebra: &'static str,
    /// What it may change.
    pub kind: Kind,
    /// What shall stand in the place of a node, if the rule applies there. It has the shape of the node.
    pub apply: fn(&mut Graph, Id) -> Option<Id>,
}

/// All rules in the order in which they are tried.
pub fn table() -> impl Iterator<Item = &'static Rule> {
    [identities::RULES, arrays::RULES, stable::RULES, scale::RULES, residuals::RULES, identities::ASSUMING, fused::RULES]
        .into_iter()
        .flatten()
}
