//! Cuts text into tokens, for the layout pass and for recognising mistakes.
//!
//! It accepts everything, so that what is wrong can still be looked at; what the tokens mean is the grammar's affair.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, keywords included.
    Name,
    /// A name in backticks.
    Quoted,
    /// A number, as far as it is one.
    Number,
    /// A text in double quotes.
    Text,
    /// A text that does not end on its line.
    OpenText,
    /// One of [`MARKS`].
    Mark,
    /// A line end that separates.
    Newline,
    /// `# ..` to the end of the line.
    Comment,
    /// `/* .. */`.
    CComment,
    /// A character that means nothing here.
    Odd,
}

/// A piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Its first byte.
    pub(super) lo: usize,
    /// One past its last byte.
    pub(super) hi: usize,
}

impl Token {
    /// Its characters.
    pub(super) fn of<'a>(&self, text: &'a str) -> &'a str {
        &text[self.lo..self.hi]
    }

    /// Whether it is this mark, or this word.
    pub(super) fn is(&self, text: &str, what: &str) -> bool {
        matches!(self.kind, Kind::Name | Kind::Mark) && self.of(text) == what
    }
}

/// The marks, the longer before their beginnings. Some belong to other languages and are here to be recognised.
const MARKS: &[&str] = &[
    "|>", "<-", "<=", ">=", "==", "!=", "+-", "**", "..", ":=", "+=", "-=", "*=", "/=", "&&", "||", "//", ".*", "./", ".^", "->", "=>",
    "(", ")", "[", "]", "{", "}", "+", "-", "*", "/", "@", "^", "<", ">", "=", "~", ":", ",", ";", ".", "?", "%", "&", "|", "!", "'",
];

/// The tokens of a text; blanks are left out.
pub(super) fn lex(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = match first {
            ' ' | '\t' => {
                at += 1;
                continue;
            }
            '\n' => (Kind::Newline, 1),
            '#' => (Kind::Comment, rest.find('\n').unwrap_or(rest.len())),
            '"' => text_length(rest),
            '`' => match rest[1..].find(['`', '\n']) {
                Some(end) if end > 0 && rest.as_bytes()[1 + end] == b'`' => (Kind::Quoted, end + 2),
                _ => (Kind::Odd, 1),
            },
            '/' if rest.starts_with("/*") => (Kind::CComment, rest[2..].find("*/").map_or(rest.len(), |end| end + 4)),
            c if starts_name(c) => (Kind::Name, rest.find(|c| !continues_name(c)).unwrap_or(rest.len())),
            c if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) => {
                (Kind::Number, number_length(rest))
            }
            c => match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
                Some(mark) => (Kind::Mark, mark.len()),
                None => (Kind::Odd, c.len_utf8()),
            },
        };
        tokens.push(Token { kind, lo: at, hi: at + length });
        at += length;
    }
    tokens
}

/// Whether a name may begin with this character.
pub(super) fn starts_name(c: char) -> bool {
    c == '_' || unicode_ident::is_xid_start(c)
}

fn continues_name(c: char) -> bool {
    unicode_ident::is_xid_continue(c)
}

fn text_length(rest: &str) -> (Kind, usize) {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' => return (Kind::OpenText, at),
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return (Kind::Text, at + 1),
            _ => {}
        }
    }
    (Kind::OpenText, rest.len())
}

/// The same numbers as the grammar's: `10_000`, `1e-6`, `.5`, `1.`; the point of `1..3` and of `2.x` is not part of them.
fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |mut at: usize| {
        while at < bytes.len()
            && (bytes[at].is_ascii_digit() || (bytes[at] == b'_' && at > 0 && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)))
        {
            at += 1;
        }
        at
    };
    let exponent = |at: usize| {
        let mut end = at;
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            end += 1;
            if matches!(bytes.get(end), Some(b'+' | b'-')) {
                end += 1;
            }
            let stop = digits(end);
            if stop > end {
                return stop;
            }
        }
        at
    };
    let mut at = digits(0);
    if bytes.get(at) == Some(&b'.') {
        let after = rest[at + 1..].chars().next();
        let in_number = match after {
            Some(c) if c.is_ascii_digit() => true,
            Some('.') => false,
            Some(c) if starts_name(c) => exponent(at + 1) > at + 1,
            _ => at > 0,
        };
        if in_number {
            at = digits(at + 1);
        }
    }
    exponent(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        lex(text).iter().map(|token| token.of(text)).collect()
    }

    #[test]
    fn numbers_end_where_the_grammar_s_do() {
        assert_eq!(
            words("10_000 1e-6 .5 1. 1..30 2.x 1.e3 3e"),
            ["10_000", "1e-6", ".5", "1.", "1", "..", "30", "2", ".", "x", "1.e3", "3", "e"]
        );
    }

    #[test]
    fn marks_are_as_long_as_possible() {
        assert_eq!(words("a<-b+-c|>d**e"), ["a", "<-", "b", "+-", "c", "|>", "d", "**", "e"]);
    }

    #[test]
    fn texts_and_comments_hide_what_is_in_them() {
        let text = "\"# no\\\" comment\" # \"yes\n`odd name` \"open";
        let kinds: Vec<Kind> = lex(text).iter().map(|token| token.kind).collect();
        assert_eq!(kinds, [Kind::Text, Kind::Comment, Kind::Newline, Kind::Quoted, Kind::OpenText]);
    }
}
