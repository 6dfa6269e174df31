//! Mistakes read off the place where the grammar could not go on.
//!
//! It does not know the meaning of names.

use super::super::human::human;
use super::super::lex::{Kind, Token};
use super::super::parse::{Failure, Rule};
use super::super::scratch::Scratch;
use super::view::View;
use super::words::line_words;
use super::{Edit, Finding, inside, lines, middle};

/// Where the grammar could not go on, with what stands around.
pub(in crate::syntax) struct Stuck<'a> {
    pub(super) view: View<'a>,
    pub(super) expected: &'a [Rule],
    /// Whether it is an expression alone.
    pub(super) alone: bool,
    /// The token there; past the end if there is none.
    pub(super) at: usize,
    /// The first token of its line.
    pub(super) first: usize,
    /// The kind of block it stands in; nothing at the top.
    pub(super) block: Option<&'static str>,
}

impl<'a> Stuck<'a> {
    pub(in crate::syntax) fn new(scratch: &'a Scratch, tokens: &'a [Token], failure: &'a Failure, rule: Rule) -> Self {
        let view = View::new(&scratch.text, tokens);
        let at = tokens.partition_point(|token| token.hi <= failure.at);
        let first = view.line_start(at);
        let block = view.block(at);
        Stuck { view, expected: &failure.expected, alone: rule == Rule::expr_alone, at, first, block }
    }

    pub(super) fn word(&self) -> &'a str {
        self.view.word(self.at)
    }

    pub(super) fn before(&self) -> &'a str {
        self.at.checked_sub(1).map_or("", |before| self.view.word(before))
    }

    pub(super) fn waits_for(&self, rules: &[Rule]) -> bool {
        self.expected.iter().any(|rule| rules.contains(rule))
    }

    pub(super) fn waits_for_value(&self) -> bool {
        self.waits_for(&[Rule::expr, Rule::operand, Rule::prefix, Rule::arg, Rule::shown, Rule::index_item])
    }

    /// Whether the token ends its line, or the brackets or block around it.
    pub(super) fn at_end(&self) -> bool {
        self.view.ends_line(self.at) || matches!(self.word(), ")" | "]" | "}" | ",")
    }

    /// Whether the failure is at the token after the first of its line.
    pub(super) fn second(&self) -> bool {
        !self.alone && self.at == self.first + 1
    }

    pub(super) fn finding(&self, code: &'static str, message: impl Into<String>) -> Finding {
        Finding::new(code, self.view.lo(self.at), self.view.hi(self.at), message)
    }

    /// A finding about the first word of the line.
    pub(super) fn of_first(&self, code: &'static str, message: impl Into<String>) -> Finding {
        Finding::new(code, self.view.lo(self.first), self.view.hi(self.first), message)
    }

    /// The end of the token before.
    pub(super) fn gap(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |before| self.view.hi(before))
    }

    pub(super) fn insert(&self, what: &str) -> Vec<Edit> {
        vec![(self.gap(), self.gap(), what.to_owned())]
    }

    /// What would have been accepted, in words, without what is always possible.
    pub(super) fn words(&self) -> Vec<&'static str> {
        let keyword_line = self.second() && self.line_words().contains(&self.before());
        let operator = self.waits_for(&[Rule::infix]);
        let top = self.waits_for(&[Rule::item]);
        let noise = |rule: Rule| match rule {
            // After a keyword the grammar has also tried it as a name.
            Rule::assign | Rule::value | Rule::shape | Rule::draw | Rule::arrow | Rule::tilde | Rule::colon => {
                keyword_line || (operator && rule == Rule::assign)
            }
            Rule::kw_in => keyword_line || operator,
            // What may follow any value.
            Rule::call
            | Rule::field
            | Rule::index
            | Rule::on
            | Rule::at
            | Rule::lparen
            | Rule::dot
            | Rule::lbrack
            | Rule::kw_on
            | Rule::kw_at => operator,
            Rule::sep | Rule::EOI => top,
            _ => false,
        };
        let mut words: Vec<&'static str> = Vec::new();
        for word in self.expected.iter().filter(|rule| !noise(**rule)).map(|rule| human(*rule)) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words.sort_by_key(|word| word.starts_with("the end"));
        words
    }

    pub(super) fn line_words(&self) -> &'static [&'static str] {
        line_words(self.block)
    }

    /// Whether a line could begin at a token.
    pub(super) fn begins_line(&self, at: usize) -> bool {
        let view = &self.view;
        let word = view.word(at);
        let next = view.word(at + 1);
        if !view.is_name(at) && view.kind(at) != Some(Kind::Name) {
            return false;
        }
        if self.line_words().contains(&word) {
            return !matches!(next, "" | "," | ")" | "]" | "." | "+" | "-" | "*" | "/");
        }
        self.block.is_some() && (matches!(next, "=" | "<-" | "~") || (next == "in" && self.block == Some("sweep")))
    }
}

/// Each knows one mistake; the first that does speaks.
const MISTAKES: &[fn(&Stuck<'_>) -> Option<Finding>] = &[
    lines::loops,
    inside::reserved_name,
    lines::first_word,
    middle::branch,
    inside::arrow,
    inside::tolerance,
    inside::remainder,
    inside::colon,
    inside::double_equals,
    lines::single_equals,
    lines::equals_after_word,
    lines::equals_before_block,
    lines::function_without_arguments,
    lines::arguments_of_a_value,
    inside::shape_without_colon,
    inside::set_braces,
    inside::double_comma,
    middle::comma_for_separator,
    lines::values_without_brackets,
    inside::no_then,
    inside::no_else,
    middle::unquoted,
    middle::misspelt_middle,
    lines::misspelt_line,
    lines::foreign_line,
    middle::indexed_update,
    middle::rule_without_braces,
    middle::no_axis,
    middle::no_goal,
    middle::no_return,
    lines::missing_separator,
    lines::missing_comma,
    lines::missing_equals,
    lines::missing_name,
    inside::missing_value,
];

/// The mistake, in its own words if it is a known one.
pub(in crate::syntax) fn explain(stuck: &Stuck<'_>) -> Finding {
    MISTAKES.iter().find_map(|mistake| mistake(stuck)).unwrap_or_else(|| {
        let finding = unexpected(stuck);
        match stuck.words().as_slice() {
            [one] if one.starts_with('`') && !one.contains(' ') => {
                let word = one.trim_matches('`');
                let blank = if word.chars().all(char::is_alphanumeric) || word == "=" { " " } else { "" };
                finding.edits("write", stuck.insert(&format!("{blank}{word}"))).tentative()
            }
            _ => finding,
        }
    })
}

/// What was expected and what was found, without an idea why.
pub(in crate::syntax) fn unexpected(s: &Stuck<'_>) -> Finding {
    let words = s.words();
    let wanted = match words.as_slice() {
        [] => "something else".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    };
    let found = match s.view.kind(s.at) {
        None => "the end".to_owned(),
        Some(Kind::Newline) => "the end of the line".to_owned(),
        Some(_) => format!("`{}`", s.word()),
    };
    s.finding("E0100", format!("expected {wanted}, found {found}")).here("cannot stand here")
}
