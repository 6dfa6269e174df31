//! The tokens of an item with their surroundings: brackets, lines, blocks, operands.
//!
//! It looks; it does not judge.

use super::super::layout::RESERVED;
use super::super::lex::{Kind, Token};

/// An item seen token by token.
pub(super) struct View<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    /// For each token the innermost bracket open before it.
    openers: Vec<Option<usize>>,
    /// For each bracket its other half.
    partners: Vec<Option<usize>>,
}

impl<'a> View<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        let mut openers = Vec::with_capacity(tokens.len());
        let mut partners = vec![None; tokens.len()];
        let mut stack: Vec<usize> = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            if token.kind == Kind::Mark
                && matches!(token.of(text), ")" | "]" | "}")
                && let Some(opener) = stack.pop()
            {
                partners[opener] = Some(at);
                partners[at] = Some(opener);
            }
            openers.push(stack.last().copied());
            if token.kind == Kind::Mark && matches!(token.of(text), "(" | "[" | "{") {
                stack.push(at);
            }
        }
        View { text, tokens, openers, partners }
    }

    /// The characters of a token; nothing past the ends.
    pub(super) fn word(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| token.of(self.text))
    }

    pub(super) fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    pub(super) fn is_name(&self, at: usize) -> bool {
        self.kind(at) == Some(Kind::Quoted) || (self.kind(at) == Some(Kind::Name) && !RESERVED.contains(&self.word(at)))
    }

    pub(super) fn lo(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(self.text.len(), |token| token.lo)
    }

    pub(super) fn hi(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(self.text.len(), |token| token.hi)
    }

    /// Whether a token follows the one before it without a blank.
    pub(super) fn tight(&self, at: usize) -> bool {
        at > 0 && at < self.tokens.len() && self.tokens[at - 1].hi == self.tokens[at].lo
    }

    /// The innermost bracket that is open before a token.
    pub(super) fn opener(&self, at: usize) -> Option<usize> {
        self.openers.get(at).copied().flatten()
    }

    /// The mark of that bracket.
    pub(super) fn inside(&self, at: usize) -> &'a str {
        self.opener(at).map_or("", |opener| self.word(opener))
    }

    pub(super) fn partner(&self, at: usize) -> Option<usize> {
        self.partners.get(at).copied().flatten()
    }

    pub(super) fn ends_operand(&self, at: usize) -> bool {
        self.is_name(at) || matches!(self.kind(at), Some(Kind::Number | Kind::Text)) || matches!(self.word(at), ")" | "]")
    }

    pub(super) fn starts_operand(&self, at: usize) -> bool {
        self.is_name(at) || matches!(self.kind(at), Some(Kind::Number | Kind::Text)) || matches!(self.word(at), "(" | "[" | "?")
    }

    pub(super) fn ends_line(&self, at: usize) -> bool {
        at >= self.tokens.len() || self.kind(at) == Some(Kind::Newline) || self.word(at) == ";"
    }

    /// The first token of an operand whose last token is `at`: `f(x)[0].T` from its end.
    pub(super) fn operand_start(&self, at: usize) -> usize {
        let mut at = at;
        loop {
            if matches!(self.word(at), ")" | "]") {
                let Some(opener) = self.partner(at) else { return at };
                at = opener;
                let applied = at > 0 && self.tight(at) && (self.is_name(at - 1) || matches!(self.word(at - 1), ")" | "]"));
                if applied {
                    at -= 1;
                    continue;
                }
                return at;
            }
            if at >= 2 && self.is_name(at) && self.word(at - 1) == "." && self.ends_operand(at - 2) {
                at -= 2;
                continue;
            }
            return at;
        }
    }

    /// The last token of an operand whose first token is `at`.
    pub(super) fn operand_end(&self, at: usize) -> usize {
        let mut at = if matches!(self.word(at), "(" | "[") { self.partner(at).unwrap_or(at) } else { at };
        loop {
            if matches!(self.word(at + 1), "(" | "[") && self.tight(at + 1) {
                match self.partner(at + 1) {
                    Some(end) => at = end,
                    None => return at,
                }
            } else if self.word(at + 1) == "." && self.is_name(at + 2) {
                at += 2;
            } else {
                return at;
            }
        }
    }

    /// Going forward from `at`, the first token at the same bracket level that stops an expression.
    pub(super) fn expression_end(&self, at: usize) -> usize {
        let mut at = at;
        while at < self.tokens.len() {
            match self.word(at) {
                "(" | "[" | "{" => match self.partner(at) {
                    Some(end) => at = end,
                    None => return at,
                },
                ")" | "]" | "}" | "," => return at,
                _ if self.ends_line(at) => return at,
                _ => {}
            }
            at += 1;
        }
        at
    }

    /// The brace that encloses a token, looking through parentheses; a closing brace belongs to its block.
    pub(super) fn brace(&self, at: usize) -> Option<usize> {
        if self.word(at) == "}" {
            return self.partner(at);
        }
        let mut opener = self.opener(at.min(self.tokens.len().saturating_sub(1)));
        if at >= self.tokens.len() {
            opener = None;
        }
        while let Some(inner) = opener {
            if self.word(inner) == "{" {
                return Some(inner);
            }
            opener = self.opener(inner);
        }
        None
    }

    /// The first token of the line that a token stands on. The end of a line belongs to it.
    pub(super) fn line_start(&self, at: usize) -> usize {
        let mut first = at.min(self.tokens.len());
        while first > 0 {
            let before = first - 1;
            match self.word(before) {
                "}" | ")" | "]" => match self.partner(before) {
                    Some(opener) => first = opener,
                    None => return first,
                },
                "{" => return first,
                _ if self.ends_line(before) => return first,
                _ => first = before,
            }
        }
        first
    }

    /// One past the last token of the line that starts at `first`.
    pub(super) fn line_end(&self, first: usize) -> usize {
        let mut at = first;
        while at < self.tokens.len() && !self.ends_line(at) && self.word(at) != "}" {
            at = self.partner(at).filter(|partner| *partner > at).unwrap_or(at) + 1;
        }
        at
    }

    /// The kind of block that a token stands in, by the names of `words::BLOCKS`; nothing at the top.
    pub(super) fn block(&self, at: usize) -> Option<&'static str> {
        let brace = self.brace(at)?;
        let first = self.line_start(brace);
        Some(match self.word(first) {
            "dataset" => "dataset",
            "optimizer" if (first..brace).any(|at| self.word(at) == "scan") => "scan",
            "optimizer" | "when" | "each" => "optimizer",
            "fn" => "fn",
            "sweep" => "sweep",
            "zip" => "zip",
            "sample" => "sample",
            "group" => "group",
            "plot" | "table" => "output",
            _ => "scan",
        })
    }
}
