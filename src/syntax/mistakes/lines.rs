//! Mistakes in the way a line begins, ends, or is put together.
//!
//! It does not look inside expressions.

use super::super::layout::DECLARATIONS;
use super::super::lex::Kind;
use super::super::parse::Rule;
use super::Finding;
use super::stuck::Stuck;
use super::words::{BLOCKS, LISTS, SETTINGS, meant};

pub(super) fn loops(s: &Stuck<'_>) -> Option<Finding> {
    let first = s.view.word(s.first);
    let header = matches!(first, "for" | "while") && s.at <= s.first + 2 && s.block != Some("output") && !s.alone;
    let comprehension = s.word() == "for" && matches!(s.view.inside(s.at), "(" | "[");
    (header || comprehension).then(|| {
        let finding = if header { s.of_first("E0147", "there are no loops") } else { s.finding("E0147", "there are no loops") };
        finding
            .here("a loop")
            .help("`sum(..)` or `mean(..)` over an array says what a loop over its elements computes")
            .help("`scan h = start over x in X { .. yield .. }` carries a value from element to element")
            .help("a sweep runs once per value: `lr in [0.1, 0.2]`, or `repeat 5`")
    })
}

/// The first word of the file's items.
pub(super) fn first_word(s: &Stuck<'_>) -> Option<Finding> {
    if s.alone || s.block.is_some() || s.at != 0 {
        return None;
    }
    let view = &s.view;
    let word = view.word(0);
    let start = (view.lo(0), view.lo(0));
    let undeclared = |keyword: &str| {
        s.of_first("E0143", "a definition starts with what it is")
            .here(format!("no `{keyword}` before it"))
            .edits("write", vec![(start.0, start.1, format!("{keyword} "))])
    };
    match view.word(1) {
        _ if !view.is_name(0) => return None,
        "<-" => {
            let finding = Finding::new("E0138", view.lo(1), view.hi(1), "only the body of an `optimizer` has updates")
                .here("an update outside of one");
            let name = view.word(0);
            return Some(finding.help(format!(
                "say how the parameter starts, `param {name} = 0`, and how it moves in `optimizer NAME(lr) {{ param <- .. }}`"
            )));
        }
        "=" | "~" => return Some(undeclared("let")),
        ":" if view.word(2) == "[" => return Some(undeclared("param")),
        "(" if view.partner(1).is_some_and(|close| view.word(close + 1) == "=") => return Some(undeclared("fn")),
        _ => {}
    }
    if let Some(ours) = meant(word, None) {
        return Some(misspelt(s, word, ours));
    }
    if let Some((block, _)) = BLOCKS.iter().rev().find(|(_, words)| words.contains(&word)) {
        let owner = if *block == "output" { "a `plot` or a `table`".to_owned() } else { format!("{} `{block}`", article(block)) };
        return Some(
            s.of_first("E0175", format!("`{word}` is a line of {owner}"))
                .here("stands outside")
                .help(format!("move it between the braces of {owner}")),
        );
    }
    let known = DECLARATIONS.join(", ");
    Some(
        s.of_first("E0143", "a definition starts with what it is")
            .here("not the beginning of a declaration")
            .help(format!("one of {known}")),
    )
}

fn misspelt(s: &Stuck<'_>, word: &str, ours: &str) -> Finding {
    s.of_first("E0142", format!("no line starts with `{word}`")).here(format!("did you mean `{ours}`?")).write(ours)
}

pub(super) fn equals_after_word(s: &Stuck<'_>) -> Option<Finding> {
    let word = s.before();
    let stray = s.word() == "=" && s.second() && s.block == Some("output") && s.line_words().contains(&word);
    stray.then(|| {
        let end = if s.view.tight(s.at + 1) { s.view.hi(s.at) } else { s.view.lo(s.at + 1) };
        let with = if s.view.tight(s.at) { " " } else { "" };
        s.finding("E0173", format!("no `=` after `{word}`"))
            .here("not needed")
            .edits("remove it", vec![(s.view.lo(s.at), end, with.to_owned())])
    })
}

pub(super) fn equals_before_block(s: &Stuck<'_>) -> Option<Finding> {
    let takes_block = matches!(s.view.word(s.first), "dataset" | "optimizer" | "sweep" | "plot" | "table" | "fn");
    let stray = s.word() == "{" && s.before() == "=" && s.block.is_none() && takes_block;
    stray.then(|| {
        let (lo, hi) = (s.view.lo(s.at - 1), s.view.hi(s.at - 1));
        Finding::new("E0178", lo, hi, "no `=` before a block").here("not needed").edits("remove it", vec![(lo, hi, String::new())])
    })
}

pub(super) fn function_without_arguments(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    (s.word() == "=" && s.at == s.first + 2 && view.word(s.first) == "fn")
        .then(|| s.of_first("E0172", "a function has arguments; a value is defined with `let`").here("no arguments follow").write("let"))
}

pub(super) fn arguments_of_a_value(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    let keyword = view.word(s.first);
    if s.word() != "(" || s.at != s.first + 2 || s.block.is_some() || !matches!(keyword, "loss" | "metric" | "let" | "hyper") {
        return None;
    }
    let close = view.partner(s.at)?;
    let (lo, hi) = (view.lo(s.at), view.hi(close));
    let finding = Finding::new("E0165", lo, hi, format!("{} `{keyword}` has no arguments", article(keyword)))
        .here("it sees all parameters and data by name");
    Some(if keyword == "let" {
        finding.edits("a function is declared with `fn`", vec![(view.lo(s.first), view.hi(s.first), "fn".to_owned())])
    } else {
        finding.edits("remove them", vec![(lo, hi, String::new())])
    })
}

/// `lr in 1, 2, 3`, `param p = 25, 20`.
pub(super) fn values_without_brackets(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    if s.word() != "," || view.opener(s.at) != view.opener(s.first) || s.alone {
        return None;
    }
    let end = view.line_end(s.first);
    let from = (s.first + 1..s.at).find(|t| view.opener(*t) == view.opener(s.first) && matches!(view.word(*t), "=" | "in"));
    if matches!(view.word(s.first), "minimize" | "maximize") && s.block == Some("sweep") {
        let (lo, hi) = (view.lo(s.first + 1), view.hi(end - 1));
        let edits = vec![(lo, lo, "in [".to_owned()), (hi, hi, "]".to_owned())];
        return Some(
            Finding::new("E0170", lo, hi, "several values are a list in `[ ]`")
                .here("several losses")
                .edits("an axis of losses is", edits)
                .tentative(),
        );
    }
    let from = from?;
    let axis = s.block == Some("sweep") || s.block == Some("zip");
    let sets = axis && from == s.first + 1;
    let whole_list =
        s.block.is_none() && matches!(view.word(s.first), "param" | "let" | "hyper") || s.block == Some("dataset") && from == s.first + 1;
    if !(sets || whole_list) || (s.at..end).any(|t| view.word(t) == "=" && view.opener(t) == view.opener(s.first)) {
        return None;
    }
    let (lo, hi) = (view.lo(from + 1), view.hi(end - 1));
    let mut edits = vec![(lo, lo, "[".to_owned()), (hi, hi, "]".to_owned())];
    if sets && view.word(from) == "=" {
        edits.push((view.lo(from), view.hi(from), "in".to_owned()));
    }
    Some(Finding::new("E0170", lo, hi, "several values are a list in `[ ]`").here("no brackets").edits("write", edits).tentative())
}

pub(super) fn misspelt_line(s: &Stuck<'_>) -> Option<Finding> {
    let block = s.block?;
    let word = s.view.word(s.first);
    let unknown = !(s.line_words().contains(&word) || matches!(block, "sweep" | "zip" | "group") && SETTINGS.contains(&word));
    // Two words in a row cannot be anything else than a keyword and what belongs to it.
    if s.at > s.first + 1
        || !unknown
        || !(s.view.is_name(s.first) || s.view.kind(s.first) == Some(Kind::Name))
        || matches!(s.word(), "=" | "<-" | "==" | "~" | ":")
    {
        return None;
    }
    meant(word, Some(block)).map(|ours| misspelt(s, word, ours))
}

pub(super) fn foreign_line(s: &Stuck<'_>) -> Option<Finding> {
    let block = s.block?;
    let word = s.view.word(s.first);
    if s.at > s.first + 1 || matches!(s.word(), "=" | "<-" | "==" | "~" | ":" | "in") || s.line_words().contains(&word) {
        return None;
    }
    let here = if block == "output" { "a plot or table".to_owned() } else { format!("{} {block}", article(block)) };
    if DECLARATIONS.contains(&word) && s.at <= s.first + 1 {
        let finding = s.of_first("E0174", format!("a `{word}` is declared at the top of the file, not inside {here}"));
        return Some(finding.here("a declaration inside a block").help("move the line out of the braces"));
    }
    let (owner, _) = BLOCKS.iter().find(|(name, words)| *name != block && words.contains(&word))?;
    let owner = if *owner == "output" { "a `plot` or a `table`".to_owned() } else { format!("{} `{owner}`", article(owner)) };
    Some(
        s.of_first("E0175", format!("`{word}` is a line of {owner}, not of {here}"))
            .here("does not belong here")
            .help(format!("move it to {owner}")),
    )
}

pub(super) fn missing_separator(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    let ended = s.at > 0 && (view.ends_operand(s.at - 1) || s.before() == "}" || s.line_words().contains(&s.before()));
    let option = matches!(view.word(s.first), "csv" | "text" | "split" | "state" | "shared") && view.word(s.at + 1) == "=";
    let separates = ended && !option && s.at > s.first && view.opener(s.at) == view.opener(s.first) && !s.alone && s.begins_line(s.at);
    separates.then(|| {
        let what = if s.block.is_some() { "two lines" } else { "two declarations" };
        s.finding("E0148", format!("{what} on one line need `;` between them"))
            .here("a new one starts here")
            .edits("write", s.insert(";"))
            .tentative()
    })
}

pub(super) fn missing_comma(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    let list = s.block.is_some() && LISTS.contains(&view.word(s.first)) && s.at > s.first + 1;
    let beside = list && view.ends_operand(s.at - 1) && view.starts_operand(s.at);
    beside.then(|| {
        let side_by_side = |t: usize| {
            view.opener(t) == view.opener(s.first)
                && view.ends_operand(t - 1)
                && view.starts_operand(t)
                && !(view.word(t) == "(" || view.word(t) == "[")
        };
        let all = (s.at..view.line_end(s.first)).filter(|t| *t == s.at || side_by_side(*t) && !s.begins_line(*t));
        let edits = all.map(|t| (view.hi(t - 1), view.hi(t - 1), ",".to_owned())).collect();
        Finding::new("E0129", view.lo(s.at - 1), view.hi(s.at), format!("a comma is missing between `{}` and `{}`", s.before(), s.word()))
            .here("two values side by side")
            .edits("write", edits)
            .tentative()
    })
}

pub(super) fn missing_equals(s: &Stuck<'_>) -> Option<Finding> {
    let waits = s.waits_for(&[Rule::assign, Rule::value]) && s.at > 0 && !s.line_words().contains(&s.view.word(s.first));
    let declares = s.waits_for(&[Rule::assign, Rule::value]) && s.block.is_none() && s.at == s.first + 2 && !s.alone;
    let value = s.view.starts_operand(s.at) || matches!(s.word(), "-" | "if");
    let declares =
        declares || (s.block.is_none() && s.before() == ")" && s.waits_for(&[Rule::assign, Rule::value]) && s.view.opener(s.at).is_none());
    let sweep = s.view.word(s.first) == "sweep" && s.block.is_none();
    ((waits && s.second() || declares) && value && !sweep).then(|| {
        let name = s.before();
        s.finding("E0141", format!("`=` is missing after `{name}`")).here(format!("the value of `{name}`?")).edits("write", s.insert(" ="))
    })
}

pub(super) fn missing_name(s: &Stuck<'_>) -> Option<Finding> {
    let word = s.view.word(s.first);
    let names = s.at == s.first + 1
        && s.block.is_none()
        && DECLARATIONS.contains(&word)
        && s.waits_for(&[Rule::name])
        && matches!(s.word(), "=" | "{" | "(" | ":" | "~");
    names.then(|| {
        s.finding("E0177", format!("this `{word}` has no name"))
            .here("a name stands before this")
            .edits("give it one", s.insert(&format!(" my_{word}")))
    })
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// `m = ...` in a rule: an update of a state, or a definition without `let`.
fn definition_in_rule(s: &Stuck<'_>) -> Finding {
    let view = &s.view;
    let name = view.word(s.first);
    let declared = (0..view.tokens.len()).find(|t| {
        let line = view.word(view.line_start(*t));
        matches!(line, "state" | "shared") && view.word(*t) == name && view.word(*t + 1) == "=" && view.inside(*t) == "{"
    });
    if name == "param" || name == "grad" || declared.is_some() {
        let finding = s.finding("E0163", format!("`=` defines a value once; `{name}` is updated with `<-`")).here("a definition");
        let finding = match declared {
            Some(at) => finding.label(view.lo(at), view.hi(at), "declared here"),
            None => finding,
        };
        return finding.write("<-");
    }
    let start = view.lo(s.first);
    s.finding("E0163", "a value of this step is defined with `let`")
        .here("neither an update nor a definition")
        .edits("write", vec![(start, start, "let ".to_owned())])
}

pub(super) fn single_equals(s: &Stuck<'_>) -> Option<Finding> {
    if s.word() != "=" || s.at == 0 {
        return None;
    }
    let first = s.view.word(s.first);
    if s.second() && s.block == Some("optimizer") {
        return Some(definition_in_rule(s));
    }
    let clause = (s.first..s.at).any(|t| matches!(s.view.word(t), "for" | "when" | "if" | "elif"));
    let compares = matches!(first, "expect" | "claim" | "keep") || clause;
    (compares && !s.second() && s.view.ends_operand(s.at - 1))
        .then(|| s.finding("E0146", "`=` sets; `==` compares").here("compares nothing").write("=="))
}
