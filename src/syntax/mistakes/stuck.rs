//! Mistakes read off the place where the grammar could not go on.
//!
//! It does not know the meaning of names.

use super::super::human::human;
use super::super::lex::Token;
use super::super::parse::{Failure, Rule};
use super::super::scratch::Scratch;
use super::Finding;

/// Where the grammar could not go on, with what stands around.
pub(in crate::syntax) struct Stuck<'a> {
    text: &'a str,
    tokens: &'a [Token],
    failure: &'a Failure,
    /// Whether it is an expression alone.
    alone: bool,
    /// The token at the failure; past the end if there is none.
    found: usize,
}

impl<'a> Stuck<'a> {
    pub(in crate::syntax) fn new(scratch: &'a Scratch, tokens: &'a [Token], failure: &'a Failure, rule: Rule) -> Self {
        let found = tokens.partition_point(|token| token.hi <= failure.at);
        Stuck { text: &scratch.text, tokens, failure, alone: rule == Rule::expr_alone, found }
    }
}

/// The mistake, in its own words if it is a known one.
pub(in crate::syntax) fn explain(stuck: &Stuck<'_>) -> Finding {
    generic(stuck)
}

fn generic(stuck: &Stuck<'_>) -> Finding {
    let mut words: Vec<&str> = stuck.failure.expected.iter().map(|rule| human(*rule)).collect();
    words.sort_unstable();
    words.dedup();
    let (lo, hi) = stuck.tokens.get(stuck.found).map_or((stuck.failure.at, stuck.failure.at), |t| (t.lo, t.hi));
    Finding::new("E0100", lo, hi, format!("expected {}", words.join(", ")))
}
