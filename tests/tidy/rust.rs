//! Rust text into what the rules ask about: identifiers, strings, paths into the crate.
//!
//! It is a scanner, not a parser: it knows comments, strings and characters, and nothing else.

/// A piece of Rust text with the line it begins at.
enum Piece<'a> {
    /// Code without comments and literals.
    Code(usize, &'a str),
    /// What stands between the quotes of a string.
    Text(usize, &'a str),
}

/// The part of a file before its tests.
pub(crate) fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

/// All identifiers and keywords of the code, with their lines.
pub(crate) fn identifiers(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut found = Vec::new();
    for piece in pieces(text) {
        let Piece::Code(first, code) = piece else { continue };
        for (index, line) in code.split('\n').enumerate() {
            let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
            found.extend(words.map(|word| (first + index, word.to_owned())));
        }
    }
    found.into_iter()
}

/// All string literals, with their lines.
pub(crate) fn strings(text: &str) -> Vec<(usize, String)> {
    let texts = pieces(text).into_iter();
    texts.filter_map(|piece| if let Piece::Text(line, text) = piece { Some((line, text.to_owned())) } else { None }).collect()
}

/// The names of all functions.
pub(crate) fn functions(text: &str) -> Vec<String> {
    let words: Vec<String> = identifiers(text).map(|(_, word)| word).collect();
    words.windows(2).filter(|pair| pair[0] == "fn").map(|pair| pair[1].clone()).collect()
}

/// The modules that the code names after `crate::`, also in `crate::{a, b::c}`, with their lines.
pub(crate) fn crate_paths(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for piece in pieces(text) {
        let Piece::Code(first, code) = piece else { continue };
        for (at, start) in code.match_indices("crate::") {
            let line = first + code[..at].matches('\n').count();
            let rest = &code[at + start.len()..];
            match rest.strip_prefix('{') {
                None => found.push((line, leading_word(rest))),
                Some(group) => found.extend(heads(group).into_iter().map(|head| (line, head))),
            }
        }
    }
    found
}

/// The first words of the members of a `use` group.
fn heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                heads.push(leading_word(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

fn leading_word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Splits text into code and strings; comments and characters fall away.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let (mut at, mut start) = (0, 0);
    let line_at = |at: usize| text[..at].matches('\n').count() + 1;
    while at < bytes.len() {
        let rest = &text[at..];
        // What follows is passed over: (its length, the string in it).
        let skipped: Option<(usize, Option<(usize, usize)>)> = if rest.starts_with("//") {
            Some((rest.find('\n').unwrap_or(rest.len()), None))
        } else if rest.starts_with("/*") {
            Some((rest.find("*/").map_or(rest.len(), |end| end + 2), None))
        } else if bytes[at] == b'"' {
            let inner = quoted(&rest[1..]);
            Some(((inner + 2).min(rest.len()), Some((1, inner))))
        } else if let Some(hashes) = raw_string(rest).filter(|_| at == 0 || !is_word(bytes[at - 1])) {
            let open = hashes + 2;
            let close = format!("\"{}", "#".repeat(hashes));
            let inner = rest[open..].find(&close).unwrap_or(rest.len() - open);
            Some(((open + inner + close.len()).min(rest.len()), Some((open, inner))))
        } else {
            character(rest).map(|length| (length, None))
        };
        match skipped {
            None => at += rest.chars().next().map_or(1, char::len_utf8),
            Some((length, string)) => {
                pieces.push(Piece::Code(line_at(start), &text[start..at]));
                if let Some((open, inner)) = string {
                    pieces.push(Piece::Text(line_at(at), &text[at + open..at + open + inner]));
                }
                at += length;
                start = at;
            }
        }
    }
    pieces.push(Piece::Code(line_at(start), &text[start..]));
    pieces
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The length of a string's inside, up to its closing quote.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    text.len()
}

/// The number of `#` of a raw string that begins here.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

/// The length of a character literal that begins here; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    if inside.starts_with('\\') {
        return inside[2..].find('\'').map(|end| end + 4);
    }
    let first = inside.chars().next()?;
    inside[first.len_utf8()..].starts_with('\'').then(|| first.len_utf8() + 2)
}

#[test]
fn code_strings_and_comments_are_told_apart() {
    let text = "use crate::{a, b::{c, d},\n  e}; // crate::no\nlet x: &'static str = \"crate::no \\\" fn z\"; let q = '\"'; crate::f::g(r#\"h\"i\"#); fn k() {}";
    assert_eq!(crate_paths(text), [(1, "a".into()), (1, "b".into()), (1, "e".into()), (3, "f".into())]);
    assert_eq!(strings(text), [(3, "crate::no \\\" fn z".into()), (3, "h\"i".into())]);
    assert_eq!(functions(text), ["k"]);
}
