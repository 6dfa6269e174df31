//! What is done to a text before the grammar sees it, at the same length: encoding, brackets, depth, comments, line ends.
//!
//! It cuts the text into top-level items and says what is unclosed; it does not know what an item means.

use std::fmt;

use crate::diag::Diagnostic;
use crate::source::{FileId, Span};

use super::lex::{Kind, Token, lex};

/// How deep brackets, and `if`s within `if`s, may nest.
pub(super) const DEPTH_LIMIT: usize = 256;

/// So many of several brackets that are left open are pointed at.
const MOST_LABELS: usize = 4;

/// So many findings in one file are enough.
pub(super) const MOST_FINDINGS: usize = 100;

/// Words that start a declaration.
pub(super) const DECLARATIONS: &[&str] = &[
    "rng",
    "dataset",
    "param",
    "hyper",
    "let",
    "fn",
    "loss",
    "metric",
    "schedule",
    "optimizer",
    "sweep",
    "plot",
    "table",
    "claim",
    "check",
    "expect",
    "import",
];

/// Words that cannot be names.
pub(super) const RESERVED: &[&str] =
    &["if", "then", "elif", "else", "and", "or", "not", "in", "for", "from", "on", "over", "scan", "yield", "None"];

/// Bytes that are not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError {
    /// The first byte that is not UTF-8.
    pub offset: usize,
    /// The line it stands on, from 1.
    pub line: usize,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not UTF-8 text: byte {} (line {}) belongs to no character", self.offset, self.line)
    }
}

/// The text in the bytes of a file, without a byte-order mark and with `\n` as the line end.
///
/// # Errors
/// Where the first byte is that is not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<String, DecodeError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n")),
        Err(error) => {
            let offset = error.valid_up_to();
            let line = bytes[..offset].split(|&byte| byte == b'\n').count();
            Err(DecodeError { offset, line })
        }
    }
}

/// A top-level item: a stretch of the text, and what must be inserted where so that its brackets and texts are closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    /// First byte.
    pub(super) lo: usize,
    /// One past the last byte.
    pub(super) hi: usize,
    /// Insertions that close what was left open, in the order of the text.
    pub(super) repairs: Vec<(usize, String)>,
    /// Whether it nests too deeply to be looked at.
    pub(super) too_deep: bool,
}

/// A text made ready for the grammar.
#[derive(Debug)]
pub(super) struct Layout {
    /// As long as the original; comments and joined line ends are blanks.
    pub(super) text: String,
    /// The items in order.
    pub(super) items: Vec<Stretch>,
    /// What was found on the way.
    pub(super) findings: Vec<Diagnostic>,
}

/// Prepares a text.
pub(super) fn lay_out(text: &str, file: FileId) -> Layout {
    let returns: Vec<usize> = text.match_indices('\r').map(|(at, _)| at).collect();
    if returns.is_empty() {
        return lay_out_lines(text, file);
    }
    let mut layout = lay_out_lines(&text.replace('\r', "\n"), file);
    let spans = returns.iter().map(|at| Span::new(file, *at, at + 1));
    let edits = spans.clone().map(|span| (span, "\n".to_owned())).collect();
    let first = spans.clone().next().expect("internal: there is one");
    layout.findings.push(
        Diagnostic::error("E0104", first, "a lone carriage return").here("lines end in `\\n` or `\\r\\n`").edits(edits, "end the line"),
    );
    layout
}

fn lay_out_lines(text: &str, file: FileId) -> Layout {
    let tokens = lex(text);
    let plain = Pass::new(text, file, &tokens, false).run();
    if plain.open_left {
        // Only a text whose brackets do not match is read with the suspicion that a declaration inside a block means that
        // the block was to end before it.
        return Pass::new(text, file, &tokens, true).run().layout;
    }
    plain.layout
}

struct Open {
    token: Token,
    ifs: usize,
}

struct Pass<'a> {
    text: &'a str,
    file: FileId,
    tokens: &'a [Token],
    suspicious: bool,
    stack: Vec<Open>,
    outer_ifs: usize,
    /// Brackets and `if`s open at this point.
    depth: usize,
    blanks: Vec<(usize, usize)>,
    item: Option<Stretch>,
    last: Option<Token>,
    layout: Layout,
    open_left: bool,
}

struct Passed {
    layout: Layout,
    open_left: bool,
}

impl<'a> Pass<'a> {
    fn new(text: &'a str, file: FileId, tokens: &'a [Token], suspicious: bool) -> Self {
        let layout = Layout { text: String::new(), items: Vec::new(), findings: Vec::new() };
        Pass {
            text,
            file,
            tokens,
            suspicious,
            stack: Vec::new(),
            outer_ifs: 0,
            depth: 0,
            blanks: Vec::new(),
            item: None,
            last: None,
            layout,
            open_left: false,
        }
    }

    fn run(mut self) -> Passed {
        for at in 0..self.tokens.len() {
            let token = self.tokens[at];
            match token.kind {
                Kind::Comment => self.blanks.push((token.lo, token.hi)),
                Kind::CComment => self.block_comment(token),
                Kind::Newline => self.line_end(at, token),
                _ => self.significant(token),
            }
        }
        self.open_left |= !self.stack.is_empty();
        self.close(0, None);
        self.end_item();
        self.layout.text = blank_out(self.text, &self.blanks);
        Passed { layout: self.layout, open_left: self.open_left }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.layout.findings.len() < MOST_FINDINGS {
            self.layout.findings.push(diagnostic);
        }
    }

    fn span(&self, token: Token) -> Span {
        Span::new(self.file, token.lo, token.hi)
    }

    fn significant(&mut self, token: Token) {
        let text = self.text;
        if token.is(text, ";") {
            if self.suspicious && self.stack.last().is_some_and(|open| open.token.is(text, "(")) {
                self.close(self.innermost_block(), Some(token));
            }
            self.forget_ifs();
            if self.stack.is_empty() {
                self.end_item();
                return;
            }
        }
        if token.is(text, ",") {
            self.forget_ifs();
        }
        let item = self.item.get_or_insert_with(|| Stretch { lo: token.lo, hi: token.hi, repairs: Vec::new(), too_deep: false });
        item.hi = token.hi;
        match token.of(text) {
            "(" | "[" | "{" if token.kind == Kind::Mark => {
                if self.suspicious && token.is(text, "{") && self.heads_a_block() {
                    self.close(0, Some(token));
                }
                self.stack.push(Open { token, ifs: 0 });
                self.depth += 1;
                self.check_depth(token);
            }
            ")" | "]" | "}" if token.kind == Kind::Mark => self.closer(token),
            "if" if token.kind == Kind::Name => {
                *self.stack.last_mut().map_or(&mut self.outer_ifs, |open| &mut open.ifs) += 1;
                self.depth += 1;
                self.check_depth(token);
            }
            _ if token.kind == Kind::OpenText => {
                let end = token.lo + token.of(text).trim_end().len();
                let span = Span::new(self.file, token.lo, end);
                let quote = if token.of(text).trim_end().ends_with('\\') { "\\\"" } else { "\"" };
                self.report(
                    Diagnostic::error("E0103", span, "this text has no closing quote")
                        .here("a text ends on the line it begins on")
                        .replace(span.end(), quote, "close it"),
                );
                self.repair(end, quote.to_owned());
            }
            _ => {}
        }
        self.last = Some(token);
    }

    fn repair(&mut self, at: usize, insert: String) {
        if let Some(item) = &mut self.item {
            item.repairs.push((at, insert));
        }
    }

    fn check_depth(&mut self, token: Token) {
        let item = self.item.as_mut().expect("internal: a bracket belongs to an item");
        if self.depth > DEPTH_LIMIT && !item.too_deep {
            item.too_deep = true;
            let span = self.span(token);
            let diagnostic = Diagnostic::error("E0105", span, format!("nested more than {DEPTH_LIMIT} deep"));
            let advice = if token.is(self.text, "if") { "write `elif` instead of `else if`" } else { "name a part of it with `let`" };
            self.report(diagnostic.here("one level too many").help(advice));
        }
    }

    fn forget_ifs(&mut self) {
        let ifs = self.stack.last_mut().map_or(&mut self.outer_ifs, |open| &mut open.ifs);
        self.depth -= std::mem::take(ifs);
    }

    fn pop(&mut self) {
        if let Some(open) = self.stack.pop() {
            self.depth -= 1 + open.ifs;
        }
    }

    fn closer(&mut self, token: Token) {
        let wanted = match token.of(self.text) {
            ")" => "(",
            "]" => "[",
            _ => "{",
        };
        let Some(level) = self.stack.iter().rposition(|open| open.token.of(self.text) == wanted) else {
            self.open_left = true;
            let mark = token.of(self.text);
            self.report(
                Diagnostic::error("E0102", self.span(token), format!("this `{mark}` closes nothing"))
                    .here(format!("no `{wanted}` is open here"))
                    .replace(self.span(token), "", "remove it"),
            );
            self.blanks.push((token.lo, token.hi));
            return;
        };
        if level + 1 < self.stack.len() {
            self.open_left = true;
            self.close(level + 1, Some(token));
        }
        self.pop();
    }

    /// Reports what is open from `level` on, as one finding, and closes it after the last token.
    fn close(&mut self, level: usize, reason: Option<Token>) {
        let Some(after) = self.last.filter(|_| level < self.stack.len()) else { return };
        let at = after.hi;
        let opener = self.stack.last().expect("internal: something is open").token;
        let mut inserted = String::new();
        let mut diagnostic =
            Diagnostic::error("E0101", self.span(opener), format!("this `{}` is never closed", opener.of(self.text))).here("opened here");
        for open in self.stack[level..].iter().rev() {
            inserted.push_str(match open.token.of(self.text) {
                "(" => ")",
                "[" => "]",
                _ if self.text[open.token.hi..at].contains('\n') => "\n}",
                _ => " }",
            });
            if open.token != opener && diagnostic.labels.len() < MOST_LABELS {
                diagnostic = diagnostic.label(self.span(open.token), "and so is this");
            }
        }
        if let Some(reason) = reason {
            let what = reason.of(self.text);
            let what = match what {
                ")" | "]" | "}" => format!("`{what}` closes what was opened before"),
                ";" => "the line ends here".to_owned(),
                "{" => "the block starts here".to_owned(),
                word if DECLARATIONS.contains(&word) => "the next declaration starts here".to_owned(),
                _ => "the next line starts here".to_owned(),
            };
            diagnostic = diagnostic.label(self.span(reason), what);
        }
        let place = Span::new(self.file, at, at);
        // What is nested too deep is not read, and has been reported.
        if self.item.as_ref().is_none_or(|item| !item.too_deep) {
            self.report(diagnostic.replace(place, inserted.clone(), format!("insert `{}`", inserted.trim())));
        }
        self.repair(at, inserted);
        while self.stack.len() > level {
            self.pop();
        }
    }

    /// Whether a brace here, inside parentheses, can only be the block of a declaration.
    fn heads_a_block(&self) -> bool {
        let Some(item) = self.item.as_ref().filter(|_| self.innermost_block() == 0 && !self.stack.is_empty()) else { return false };
        let head = &self.text[item.lo..item.hi];
        head.starts_with("optimizer") || (head.starts_with("fn ") && !head.contains('='))
    }

    /// The level of the first bracket inside the innermost block.
    fn innermost_block(&self) -> usize {
        self.stack.iter().rposition(|open| open.token.is(self.text, "{")).map_or(0, |level| level + 1)
    }

    fn line_end(&mut self, at: usize, token: Token) {
        let mut following =
            self.tokens[at + 1..].iter().filter(|next| !matches!(next.kind, Kind::Newline | Kind::Comment | Kind::CComment));
        let (next, second) = (following.next().copied(), following.next().copied());
        let declaration = next.filter(|next| self.declares(*next, second));
        if self.suspicious
            && let Some(next) = next
        {
            let update = second.is_some_and(|second| second.is(self.text, "<-"));
            if declaration.is_some() && !next.is(self.text, "let") {
                self.close(0, Some(next));
            } else if declaration.is_some() || update {
                self.close(self.innermost_block(), Some(next));
            }
        }
        let returns = self.last.is_some_and(|last| last.is(self.text, ":")) && next.is_some_and(|next| next.is(self.text, "return"));
        let inside = self.stack.last().is_some_and(|open| !open.token.is(self.text, "{"));
        let joins = declaration.is_none() && self.joins(next);
        if inside || joins || returns {
            self.blanks.push((token.lo, token.hi));
            return;
        }
        self.forget_ifs();
        if self.stack.is_empty() {
            self.end_item();
        }
    }

    /// Whether a line that starts with these two tokens can only be a declaration.
    fn declares(&self, first: Token, second: Option<Token>) -> bool {
        let Some(second) = second else { return false };
        if first.kind != Kind::Name || !DECLARATIONS.contains(&first.of(self.text)) {
            return false;
        }
        match second.kind {
            Kind::Name => !RESERVED.contains(&second.of(self.text)),
            Kind::Quoted => true,
            Kind::Number => first.is(self.text, "rng"),
            Kind::Text => first.is(self.text, "import"),
            _ => false,
        }
    }

    fn joins(&self, next: Option<Token>) -> bool {
        const ENDS: &[&str] = &[
            "|>", "<-", "<=", ">=", "==", "!=", "+-", "**", "..", "+", "-", "*", "/", "@", "^", "<", ">", "=", "~", ",", "+=", "-=", "*=",
            "/=", ":=", "&&", "||", "and", "or", "not", "then", "elif", "else", "if",
        ];
        const BEGINS: &[&str] = &[
            "|>", "<-", "<=", ">=", "==", "!=", "+-", "**", "..", "+", "-", "*", "/", "@", "^", "<", ">", "=", "~", ",", "&&", "||", "and",
            "or", "then", "elif", "else", "{",
        ];
        let one_of = |token: Option<Token>, set: &[&str]| token.is_some_and(|token| set.iter().any(|what| token.is(self.text, what)));
        self.item.is_some() && next.is_some() && (one_of(self.last, ENDS) || one_of(next, BEGINS))
    }

    fn block_comment(&mut self, token: Token) {
        self.blanks.push((token.lo, token.hi));
        let span = self.span(token);
        let inner = token.of(self.text);
        let inner = inner.strip_prefix("/*").unwrap_or(inner);
        let inner = inner.strip_suffix("*/").unwrap_or(inner).trim_end();
        let goes_on = self.text[token.hi..].chars().take_while(|c| *c != '\n').any(|c| !c.is_whitespace());
        let lines: Vec<String> = inner
            .lines()
            .map(|line| format!("#{}{line}", if line.starts_with([' ', '\t']) || line.is_empty() { "" } else { " " }))
            .collect();
        let comment = lines.join("\n") + if goes_on { "\n" } else { "" };
        self.report(
            Diagnostic::error("E0106", span, "a comment starts with `#` and ends with the line")
                .here("a comment of another language")
                .replace(span, comment, "write"),
        );
    }

    fn end_item(&mut self) {
        self.depth -= std::mem::take(&mut self.outer_ifs);
        if let Some(mut item) = self.item.take() {
            item.repairs.sort_by_key(|(at, _)| *at);
            self.layout.items.push(item);
        }
        self.last = None;
    }
}

/// The text with blanks in place of these stretches, byte for byte.
pub(super) fn blank_out(text: &str, stretches: &[(usize, usize)]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for &(lo, hi) in stretches {
        bytes[lo..hi].fill(b' ');
    }
    String::from_utf8(bytes).expect("internal: whole characters are blanked")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(text: &str) -> Layout {
        let layout = lay_out(text, FileId(0));
        assert_eq!(layout.text.len(), text.len());
        layout
    }

    fn items(text: &str) -> Vec<String> {
        let layout = laid(text);
        layout.items.iter().map(|item| layout.text[item.lo..item.hi].to_owned()).collect()
    }

    #[test]
    fn comments_and_joined_line_ends_become_blanks() {
        assert_eq!(items("let a = 1 + # one\n 2\nlet b = f(\n3)"), ["let a = 1 +        2", "let b = f( 3)"]);
        assert_eq!(items("sweep s {\n  a = 1; b = 2\n}\n"), ["sweep s {\n  a = 1; b = 2\n}"]);
    }

    #[test]
    fn a_declaration_is_never_joined_on() {
        assert_eq!(items("let a = 1 +\nlet b = 2"), ["let a = 1 +", "let b = 2"]);
        assert_eq!(items("let a = loss\n  + metric"), ["let a = loss   + metric"]);
    }

    #[test]
    fn what_is_unclosed_ends_before_the_next_declaration() {
        let text = "sweep s {\n  a = f(1\n\n# about p\nplot p { x }";
        let layout = laid(text);
        assert_eq!(layout.items.len(), 2);
        assert_eq!(layout.items[0].repairs, [(text.find("1\n").unwrap() + 1, ")\n}".to_owned())]);
        assert_eq!(layout.findings.len(), 1);
    }

    #[test]
    fn a_block_that_is_closed_is_not_suspected() {
        let layout = laid("sweep s {\n  param w = 1\n}\n");
        assert!(layout.findings.is_empty() && layout.items.len() == 1);
    }
}
