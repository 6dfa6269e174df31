//! Mistakes in the middle of a line whose keyword is right, and in the blocks of rules and functions.
//!
//! It knows the words of lines, not what they mean.

use super::super::lex::Kind;
use super::super::parse::Rule;
use super::stuck::Stuck;
use super::{Edit, Finding};

/// Words that stand for one of ours in the middle of a line.
const INSTEAD: &[(&str, &str)] = &[
    ("x", "by"),
    ("every", "each"),
    ("per", "each"),
    ("vs", "over"),
    ("versus", "over"),
    ("against", "over"),
    ("with", "over"),
    ("if", "when"),
    ("random", "shuffled"),
    ("randomly", "shuffled"),
];

/// Words that the grammar sums up in one rule.
const SUMMED_UP: &[(Rule, &[&str])] = &[
    (Rule::batch_order, &["in order", "shuffled", "drawn"]),
    (Rule::pace, &["each"]),
    (Rule::over_axes, &["over"]),
    (Rule::drop_last, &["drop last"]),
];

/// `record J every 10 steps`, `batches of 32 suffled`, `check gradients of J`.
pub(super) fn misspelt_middle(s: &Stuck<'_>) -> Option<Finding> {
    let word = s.word();
    if s.at == s.first || !matches!(s.view.kind(s.at), Some(Kind::Name)) {
        return None;
    }
    let summed = SUMMED_UP.iter().filter(|(rule, _)| s.waits_for(&[*rule])).flat_map(|(_, words)| words.iter().copied());
    let single = s.words();
    let single = single.iter().filter_map(|word| word.strip_prefix('`')?.strip_suffix('`'));
    let wanted: Vec<&str> = single.filter(|word| word.starts_with(char::is_alphabetic)).chain(summed).collect();
    let instead = INSTEAD.iter().find(|(theirs, ours)| *theirs == word && wanted.contains(ours)).map(|(_, ours)| *ours);
    let ours = instead.or_else(|| crate::diag::did_you_mean(word, wanted.iter().copied()))?;
    Some(s.finding("E0142", format!("`{word}` means nothing here")).here(format!("did you mean `{ours}`?")).write(ours).tentative())
}

/// `csv data.csv`, `title Losses`, `show J as loss`.
pub(super) fn unquoted(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    if !s.waits_for(&[Rule::text]) || s.at == s.first || !(view.is_name(s.at) || view.kind(s.at) == Some(Kind::Number)) {
        return None;
    }
    let mut last = s.at;
    while view.tight(last + 1) && !matches!(view.word(last + 1), ";" | "," | "}" | ")") && !view.ends_line(last + 1) {
        last += 1;
    }
    let (lo, hi) = (view.lo(s.at), view.hi(last));
    let edits: Vec<Edit> = vec![(lo, lo, "\"".to_owned()), (hi, hi, "\"".to_owned())];
    Some(Finding::new("E0181", lo, hi, "a text stands in double quotes").here("no quotes").edits("write", edits).tentative())
}

/// `if c { .. }` in a rule.
pub(super) fn branch(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    if s.word() != "if" || s.at != s.first || s.block != Some("optimizer") {
        return None;
    }
    let finding =
        s.finding("E0185", "a rule branches with `when`; `if` is an expression and has an `else`").here("the beginning of a line");
    let brace = (s.at..view.line_end(s.at)).find(|t| view.word(*t) == "{" && view.opener(*t) == view.opener(s.at));
    Some(match brace {
        Some(brace) => {
            let mut edits = vec![(view.lo(s.at), view.hi(s.at), "when".to_owned())];
            if matches!(view.word(brace - 1), "then" | ":") {
                edits.push((view.lo(brace - 1), view.hi(brace - 1), String::new()));
            }
            finding.edits("write", edits).tentative()
        }
        None => finding.help("write `when CONDITION { .. }`, or `m <- if CONDITION then A else B`"),
    })
}

/// `m[0] <- ..`.
pub(super) fn indexed_update(s: &Stuck<'_>) -> Option<Finding> {
    let indexed = s.word() == "[" && s.second() && matches!(s.block, Some("optimizer" | "scan"));
    indexed.then(|| {
        let name = s.before();
        s.finding("E0187", format!("an update replaces the whole of `{name}`"))
            .here("a part of it")
            .help(format!("`{name} <- where(CONDITION, NEW, {name})` changes some elements"))
    })
}

/// `when t > 5 rate <- 2`.
pub(super) fn rule_without_braces(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    let waits = matches!(view.word(s.first), "when" | "each") && s.waits_for(&[Rule::lbrace, Rule::rule_block]) && view.is_name(s.at);
    let end = view.line_end(s.first);
    (waits && end > s.at).then(|| {
        let edits = vec![(s.gap(), s.gap(), " {".to_owned()), (view.hi(end - 1), view.hi(end - 1), " }".to_owned())];
        s.finding("E0186", format!("the lines of `{}` stand in braces", view.word(s.first)))
            .here("no brace before this")
            .edits("write", edits)
            .tentative()
    })
}

/// `lr in [1], beta in [2]`.
pub(super) fn comma_for_separator(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    let next = view.is_name(s.at + 1) && matches!(view.word(s.at + 2), "=" | "in" | "<-" | "~");
    let between = s.word() == "," && s.block.is_some() && view.opener(s.at) == view.opener(s.first) && (next || s.begins_line(s.at + 1));
    between.then(|| {
        let begins = |t: usize| view.is_name(t + 1) && matches!(view.word(t + 2), "=" | "in" | "<-" | "~") || s.begins_line(t + 1);
        let same = |t: &usize| view.word(*t) == "," && view.opener(*t) == view.opener(s.first) && begins(*t);
        let edits = (s.at..view.line_end(s.first)).filter(same).map(|t| (view.lo(t), view.hi(t), ";".to_owned())).collect();
        s.finding("E0188", "a comma separates values; lines are separated by `;`")
            .here("a new line starts after this")
            .edits("write `;`", edits)
            .tentative()
    })
}

/// `lines J` without `over`.
pub(super) fn no_axis(s: &Stuck<'_>) -> Option<Finding> {
    let word = s.view.word(s.first);
    let missing = s.waits_for(&[Rule::kw_over]) && s.at_end() && s.word() != "," && matches!(word, "lines" | "points" | "bars");
    missing.then(|| {
        s.of_first("E0179", format!("`{word}` does not say over what"))
            .here("no `over`")
            .edits("over the steps, an axis, a column ..", s.insert(" over step"))
    })
}

/// `best lr final(J)`.
pub(super) fn no_goal(s: &Stuck<'_>) -> Option<Finding> {
    let missing = s.waits_for(&[Rule::kw_minimizing]) && s.view.starts_operand(s.at);
    missing.then(|| {
        s.finding("E0182", "`best` does not say what it minimizes")
            .here("`minimizing` or `maximizing` belongs before this")
            .edits("write", s.insert(" minimizing"))
            .tentative()
    })
}

/// `fn f(x) { let a = 1 }`.
pub(super) fn no_return(s: &Stuck<'_>) -> Option<Finding> {
    let missing = s.block == Some("fn") && s.word() == "}";
    missing.then(|| {
        s.finding("E0183", "this function returns nothing")
            .here("no `return` before this")
            .edits("leave a blank to fill in", s.insert("; return ?value"))
            .tentative()
    })
}
