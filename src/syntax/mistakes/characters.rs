//! Characters that come from a word processor, a PDF or a printed formula, and quotes of other kinds.
//!
//! It looks at tokens and does not know the grammar.

use super::super::lex::Kind;
use super::habits::Sight;
use super::view::View;
use super::{Edit, Finding};

/// Characters that look like something else.
const CHARACTERS: &[(&str, &str, &str, &str)] = &[
    ("“”„‟«»＂", "\"", "E0121", "curly quotes"),
    ("‘’‚‛´", "\"", "E0121", "curly quotes"),
    ("−–—‐‑", "-", "E0122", "a typographic minus"),
    ("×·∗⋅•", "*", "E0122", "a typographic product"),
    ("÷∕", "/", "E0122", "a typographic division"),
    ("≤", "<=", "E0122", "a typographic comparison"),
    ("≥", ">=", "E0122", "a typographic comparison"),
    ("≠", "!=", "E0122", "a typographic comparison"),
    ("←", "<-", "E0122", "a typographic arrow"),
    ("±", "+-", "E0122", "a typographic tolerance"),
    ("…", "..", "E0122", "a typographic ellipsis"),
    ("∞", "inf", "E0122", "a typographic infinity"),
    ("√", "sqrt", "E0122", "a typographic root"),
    ("∑", "sum", "E0122", "a typographic sum"),
    ("¬", "not ", "E0122", "a typographic negation"),
    ("²", "^2", "E0123", "a raised 2"),
    ("³", "^3", "E0123", "a raised 3"),
    ("\u{a0}\u{2002}\u{2003}\u{2009}\u{202f}\u{3000}\u{c}\u{b}", " ", "E0124", "a blank that is not a plain one"),
    ("\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{200e}\u{200f}\u{0}", "", "E0124", "an invisible character"),
];

pub(super) fn odd_character(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    let word = view.word(at);
    if view.kind(at)? != Kind::Odd {
        return None;
    }
    let (lo, hi) = (view.lo(at), view.hi(at));
    let c = word.chars().next()?;
    if c == '\r' {
        return Some(Finding::new("E0104", lo, hi, "a lone carriage return").here("lines end in `\\n` or `\\r\\n`").write("\n"));
    }
    if c == '`' {
        let message = "this backtick is never closed";
        return Some(
            Finding::new("E0107", lo, hi, message)
                .here("an odd name stands between two on one line")
                .edits("remove it", vec![(lo, hi, String::new())]),
        );
    }
    let shown = format!("U+{:04X}", u32::from(c));
    let Some((_, with, code, what)) = CHARACTERS.iter().find(|(chars, ..)| chars.contains(c)) else {
        let message = format!("the character `{c}` means nothing here");
        return Some(Finding::new("E0125", lo, hi, message).here(shown).edits("remove it", vec![(lo, hi, String::new())]));
    };
    let message = if what.ends_with("quotes") { format!("these are {what}") } else { format!("this is {what}") };
    let finding = Finding::new(code, lo, hi, message).here(shown);
    if *with == "\"" {
        let end = (at + 1..view.line_end(at))
            .find(|end| view.kind(*end) == Some(Kind::Odd) && CHARACTERS[..2].iter().any(|(chars, ..)| chars.contains(view.word(*end))));
        if let Some(end) = end {
            let finding = Finding { hi: view.hi(end), ..finding };
            return Some(finding.here("U+201C and the like, from a PDF or a word processor").edits("write", quotes(view, at, end)));
        }
    }
    Some(finding.edits("write", vec![(lo, hi, (*with).to_owned())]))
}

/// Plain quotes in place of two tokens; plain quotes and backslashes between them are escaped.
fn quotes(view: &View<'_>, from: usize, to: usize) -> Vec<Edit> {
    let mut edits = vec![(view.lo(from), view.hi(from), "\"".to_owned()), (view.lo(to), view.hi(to), "\"".to_owned())];
    let between = &view.text[view.hi(from)..view.lo(to)];
    edits.extend(between.match_indices(['"', '\\']).map(|(at, c)| (view.hi(from) + at, view.hi(from) + at + 1, format!("\\{c}"))));
    edits
}

pub(super) fn single_quotes(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    if view.word(at) != "'" || (view.tight(at) && view.ends_operand(at - 1)) {
        return None;
    }
    let end = (at + 1..view.tokens.len()).take_while(|end| view.kind(*end) != Some(Kind::Newline)).find(|end| view.word(*end) == "'")?;
    Some(
        Finding::new("E0113", view.lo(at), view.hi(end), "a text stands in double quotes")
            .here("single quotes")
            .edits("write", quotes(view, at, end)),
    )
}
