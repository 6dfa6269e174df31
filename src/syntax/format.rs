//! The usual layout of a text: indentation, blanks around marks, blank lines. Comments, line ends and alignment stay.
//!
//! It changes blanks only, so it needs no tree; that the meaning stays is seen by whoever parses the result.

use std::fmt::Write as _;

use super::layout::lay_out;
use super::lex::{Kind, Token, lex};
use crate::source::FileId;

/// Blanks per level.
const STEP: usize = 2;

/// Marks with blanks on both sides.
const LOOSE: &[&str] = &["=", "<-", "==", "!=", "<=", ">=", "<", ">", "~", "|>", "+-", "@", "{", "}"];

/// Words after which `-` belongs to what follows.
const BEFORE_OPERAND: &[&str] = &["if", "then", "elif", "else", "and", "or", "not", "in", "for", "from", "over", "yield", "return"];

/// The text in its usual layout; formatting that again changes nothing.
#[must_use]
pub fn format(text: &str) -> String {
    let laid = lay_out(text, FileId(0)).text;
    let tokens = lex(text);
    let mut out = String::new();
    let mut state = State::default();
    let mut blank = false;
    let mut at = 0;
    let mut begin = 0;
    for line in text.split('\n') {
        let end = begin + line.len();
        let first = at;
        while at < tokens.len() && tokens[at].lo < end {
            at += 1;
        }
        let own = &tokens[first..at];
        // The line end is a token, too.
        at += usize::from(tokens.get(at).is_some_and(|token| token.kind == Kind::Newline && token.lo == end));
        let goes_on = laid.as_bytes().get(end).is_some_and(|&byte| byte != b'\n');
        if own.is_empty() {
            blank = !out.is_empty();
        } else {
            if std::mem::take(&mut blank) {
                out.push('\n');
            }
            let old = text[begin..own[0].lo].chars().map(|c| if c == '\t' { STEP } else { 1 }).sum();
            let indent = state.indent(text, own, old);
            let _ = writeln!(out, "{:indent$}{}", "", spaced(text, own, &mut state).trim_end());
            state.line_done(own, goes_on);
        }
        begin = end + 1;
    }
    out
}

/// Where in the text a line stands.
#[derive(Default)]
struct State {
    /// Open brackets: whether a brace, and the indentation of the line that opened it.
    open: Vec<(bool, usize)>,
    /// The line goes on with what the line before began.
    continues: bool,
    /// The indentation of the line where that began, before and after.
    began: (usize, usize),
    /// The indentation of this line.
    now: usize,
    /// The token before, on any line.
    last: Option<Token>,
}

impl State {
    /// The indentation of a line that begins with these tokens and had `old` blanks.
    fn indent(&mut self, text: &str, line: &[Token], old: usize) -> usize {
        let closes = line[0].is(text, "}");
        let brace = self.open.last().copied().filter(|(brace, _)| *brace);
        self.now = match (self.open.last().copied(), brace) {
            (_, Some((_, base))) if closes => base,
            (None, _) | (_, Some(_)) if !self.continues => {
                let indent = brace.map_or(0, |(_, base)| base + STEP);
                self.began = (old, indent);
                indent
            }
            // Alignment with the line above is kept: the whole of it moves.
            _ => {
                let (before, after) = self.began;
                (old + after).saturating_sub(before).max(after)
            }
        };
        self.now
    }

    fn line_done(&mut self, line: &[Token], goes_on: bool) {
        // A comment between two lines says nothing about whether they belong together.
        if line[0].kind != Kind::Comment {
            self.continues = goes_on;
        }
    }
}

/// The tokens of a line with the blanks between them.
fn spaced(text: &str, line: &[Token], state: &mut State) -> String {
    let mut out = String::new();
    let mut unary = false;
    for (place, token) in line.iter().enumerate() {
        let what = token.of(text);
        if place > 0 {
            let before = line[place - 1];
            let gap = text[before.hi..token.lo].chars().count();
            let next = line.get(place + 1);
            let wanted = gap_between(text, (before, *token), next, gap, unary, state);
            out.extend(std::iter::repeat_n(' ', wanted));
        }
        unary = token.kind == Kind::Mark && matches!(what, "-" | "+") && !ends_operand(text, state.last);
        match what {
            "(" | "[" | "{" if token.kind == Kind::Mark => state.open.push((what == "{", state.now)),
            ")" | "]" | "}" if token.kind == Kind::Mark => _ = state.open.pop(),
            _ => {}
        }
        out.push_str(what.trim_end());
        if token.kind != Kind::Comment {
            state.last = Some(*token);
        }
    }
    out
}

/// Whether an operator after this token has it as its left operand.
fn ends_operand(text: &str, token: Option<Token>) -> bool {
    token.is_some_and(|token| match token.kind {
        Kind::Name => !BEFORE_OPERAND.contains(&token.of(text)),
        Kind::Quoted | Kind::Number | Kind::Text => true,
        Kind::Mark => matches!(token.of(text), ")" | "]"),
        _ => false,
    })
}

/// How many blanks stand between two tokens of a line.
fn gap_between(text: &str, (a, b): (Token, Token), next: Option<&Token>, gap: usize, unary: bool, state: &State) -> usize {
    let mark = |token: Token, set: &[&str]| token.kind == Kind::Mark && set.contains(&token.of(text));
    if b.kind == Kind::Comment {
        return gap.max(2);
    }
    if mark(a, &["{"]) && mark(b, &["}"]) {
        return 1;
    }
    if mark(a, &["(", "["]) || mark(b, &[")", "]"]) || mark(b, &[",", ";"]) {
        return 0;
    }
    if mark(a, &[",", ";"]) || mark(a, LOOSE) || mark(b, LOOSE) {
        return gap.max(1);
    }
    // `w: [3]`, but `X[1:3]` as it is written.
    let in_list = state.open.last().is_some_and(|(brace, _)| !brace);
    if !in_list && mark(b, &[":"]) {
        return 0;
    }
    if !in_list && mark(a, &[":"]) {
        return gap.max(1);
    }
    // A sum with a blank on one side only has one on both.
    let sign = |token: Token| mark(token, &["+", "-"]);
    if sign(a) && !unary && state.last.is_some() {
        let left = text[..a.lo].ends_with([' ', '\t']);
        return if left { gap.max(1) } else { gap };
    }
    if sign(b) && ends_operand(text, Some(a)) {
        let right = next.is_some_and(|next| next.lo > b.hi);
        return if right { gap.max(1) } else { gap };
    }
    gap
}
