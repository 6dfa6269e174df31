//! Runs the grammar: text to a flat tree of rules, or how far it came and what it waited for there.
//!
//! The only file that names pest. What the rules mean is said in `build`, how they are called in `human`.

use pest::error::{ErrorVariant, InputLocation};
use pest::{Parser, Token};

/// The rules of `grammar/optrun.pest`.
mod grammar {
    #![allow(missing_docs, reason = "generated from the grammar, where the rules are described")]

    /// The generated parser.
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/optrun.pest"]
    pub(in crate::syntax) struct Grammar;
}

pub(super) use grammar::Rule;

/// One match of a rule. Its descendants follow it directly, up to `end`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// The rule.
    pub(super) rule: Rule,
    /// First byte, in the text that was parsed.
    pub(super) lo: usize,
    /// One past the last byte.
    pub(super) hi: usize,
    /// One past the last descendant.
    pub(super) end: usize,
}

/// All matches, parents before children.
#[derive(Debug)]
pub(super) struct Tree {
    /// The nodes.
    pub(super) nodes: Vec<Node>,
}

/// Where the grammar could not go on.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// The furthest byte reached.
    pub(super) at: usize,
    /// The rules that would have been accepted there.
    pub(super) expected: Vec<Rule>,
}

/// Matches a whole text with [`Rule::items_alone`] or [`Rule::expr_alone`].
pub(super) fn parse_rule(rule: Rule, text: &str) -> Result<Tree, Failure> {
    match grammar::Grammar::parse(rule, text) {
        Ok(pairs) => {
            let mut nodes = Vec::new();
            let mut open = Vec::new();
            for token in pairs.tokens() {
                match token {
                    Token::Start { rule, pos } => {
                        open.push(nodes.len());
                        nodes.push(Node { rule, lo: pos.pos(), hi: pos.pos(), end: 0 });
                    }
                    Token::End { pos, .. } => {
                        let at = open.pop().expect("internal: every end has a start");
                        nodes[at].hi = pos.pos();
                        nodes[at].end = nodes.len();
                    }
                }
            }
            Ok(Tree { nodes })
        }
        Err(error) => {
            let at = match error.location {
                InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
            };
            let expected = match error.variant {
                ErrorVariant::ParsingError { positives, .. } => positives,
                ErrorVariant::CustomError { .. } => Vec::new(),
            };
            Err(Failure { at, expected })
        }
    }
}
