//! Mistakes read off the place where the grammar could not go on.
//!
//! It does not know the meaning of names.

use super::super::human::human;
use super::super::layout::{DECLARATIONS, RESERVED};
use super::super::lex::{Kind, Token};
use super::super::parse::{Failure, Rule};
use super::super::scratch::Scratch;
use super::view::View;
use super::words::{BLOCKS, LISTS, SETTINGS, line_words, meant};
use super::{Edit, Finding};

/// Where the grammar could not go on, with what stands around.
pub(in crate::syntax) struct Stuck<'a> {
    view: View<'a>,
    expected: &'a [Rule],
    /// Whether it is an expression alone.
    alone: bool,
    /// The token there; past the end if there is none.
    at: usize,
    /// The first token of its line.
    first: usize,
    /// The kind of block it stands in; nothing at the top.
    block: Option<&'static str>,
}

impl<'a> Stuck<'a> {
    pub(in crate::syntax) fn new(scratch: &'a Scratch, tokens: &'a [Token], failure: &'a Failure, rule: Rule) -> Self {
        let view = View::new(&scratch.text, tokens);
        let at = tokens.partition_point(|token| token.hi <= failure.at);
        let first = view.line_start(at);
        let block = view.block(at);
        Stuck { view, expected: &failure.expected, alone: rule == Rule::expr_alone, at, first, block }
    }

    fn word(&self) -> &'a str {
        self.view.word(self.at)
    }

    fn before(&self) -> &'a str {
        self.at.checked_sub(1).map_or("", |before| self.view.word(before))
    }

    fn waits_for(&self, rules: &[Rule]) -> bool {
        self.expected.iter().any(|rule| rules.contains(rule))
    }

    fn waits_for_value(&self) -> bool {
        self.waits_for(&[Rule::expr, Rule::operand, Rule::prefix, Rule::arg, Rule::shown, Rule::index_item])
    }

    /// Whether the token ends its line, or the brackets or block around it.
    fn at_end(&self) -> bool {
        self.view.ends_line(self.at) || matches!(self.word(), ")" | "]" | "}" | ",")
    }

    /// Whether the failure is at the token after the first of its line.
    fn second(&self) -> bool {
        !self.alone && self.at == self.first + 1
    }

    fn finding(&self, code: &'static str, message: impl Into<String>) -> Finding {
        Finding::new(code, self.view.lo(self.at), self.view.hi(self.at), message)
    }

    /// A finding about the first word of the line.
    fn of_first(&self, code: &'static str, message: impl Into<String>) -> Finding {
        Finding::new(code, self.view.lo(self.first), self.view.hi(self.first), message)
    }

    /// The end of the token before.
    fn gap(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |before| self.view.hi(before))
    }

    fn insert(&self, what: &str) -> Vec<Edit> {
        vec![(self.gap(), self.gap(), what.to_owned())]
    }

    fn line_words(&self) -> &'static [&'static str] {
        line_words(self.block)
    }

    /// Whether a line could begin at a token.
    fn begins_line(&self, at: usize) -> bool {
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
    loops,
    reserved_name,
    first_word,
    arrow,
    tolerance,
    remainder,
    colon,
    double_equals,
    single_equals,
    equals_after_word,
    equals_before_block,
    function_without_arguments,
    arguments_of_a_value,
    shape_without_colon,
    set_braces,
    double_comma,
    values_without_brackets,
    no_then,
    no_else,
    misspelt_line,
    foreign_line,
    missing_separator,
    missing_comma,
    missing_equals,
    missing_name,
    missing_value,
];

/// The mistake, in its own words if it is a known one.
pub(in crate::syntax) fn explain(stuck: &Stuck<'_>) -> Finding {
    MISTAKES.iter().find_map(|mistake| mistake(stuck)).unwrap_or_else(|| generic(stuck))
}

fn loops(s: &Stuck<'_>) -> Option<Finding> {
    let first = s.view.word(s.first);
    let header = matches!(first, "for" | "while") && s.at <= s.first + 2 && s.block != Some("output") && !s.alone;
    header.then(|| {
        s.of_first("E0147", "there are no loops")
            .here("a loop")
            .help("`sum(..)` or `mean(..)` over an array says what a loop over its elements computes")
            .help("`scan h = start over x in X { .. yield .. }` carries a value from element to element")
            .help("a sweep runs once per value: `lr in [0.1, 0.2]`, or `repeat 5`")
    })
}

fn reserved_name(s: &Stuck<'_>) -> Option<Finding> {
    let word = s.word();
    let names = s.waits_for(&[Rule::name, Rule::path, Rule::formal, Rule::binding]) && !s.waits_for_value();
    (names && RESERVED.contains(&word)).then(|| {
        s.finding("E0144", format!("`{word}` has a meaning of its own and cannot be a name"))
            .here("a reserved word")
            .write(format!("{word}_"))
    })
}

/// The first word of the file's items.
fn first_word(s: &Stuck<'_>) -> Option<Finding> {
    if s.alone || s.block.is_some() || s.at != 0 {
        return None;
    }
    let view = &s.view;
    let word = view.word(0);
    let start = (view.lo(0), view.lo(0));
    let undeclared = |keyword: &str| {
        s.of_first("E0143", "a definition starts with what it is")
            .here(format!("not yet a `{keyword}`"))
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

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

fn misspelt(s: &Stuck<'_>, word: &str, ours: &str) -> Finding {
    s.of_first("E0142", format!("no line starts with `{word}`")).here(format!("did you mean `{ours}`?")).write(ours)
}

fn arrow(s: &Stuck<'_>) -> Option<Finding> {
    if s.word() != "<-" {
        return None;
    }
    if s.second() || (s.at == s.first + 2 && s.waits_for(&[Rule::assign, Rule::value])) {
        return Some(s.finding("E0138", "only the body of an `optimizer` has updates").here("an update outside of one").write("="));
    }
    s.waits_for(&[Rule::less, Rule::infix]).then(|| {
        s.finding("E0137", "`<-` is an update; less than a negative number needs a blank")
            .here("read as one arrow")
            .write(if s.view.tight(s.at) { " < -" } else { "< -" })
    })
}

fn tolerance(s: &Stuck<'_>) -> Option<Finding> {
    (s.word() == "+-").then(|| {
        let blank = if s.view.tight(s.at) { " + -" } else { "+ -" };
        s.finding("E0139", "`+-` is a tolerance, and stands only after the comparison of an `expect`").here("read as one mark").write(blank)
    })
}

fn remainder(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    if s.word() != "%" || s.at == 0 || !view.ends_operand(s.at - 1) || !view.starts_operand(s.at + 1) {
        return None;
    }
    let (from, to) = (view.operand_start(s.at - 1), view.operand_end(s.at + 1));
    let edits = vec![
        (view.lo(from), view.lo(from), "mod(".to_owned()),
        (view.hi(s.at - 1), view.lo(s.at + 1), ", ".to_owned()),
        (view.hi(to), view.hi(to), ")".to_owned()),
    ];
    Some(s.finding("E0149", "the remainder is a function, `mod(a, b)`").here("no operator").edits("write", edits))
}

fn colon(s: &Stuck<'_>) -> Option<Finding> {
    if s.word() != ":" || s.at == 0 {
        return None;
    }
    let word = s.before();
    if s.second() && s.line_words().contains(&word) {
        return Some(
            s.finding("E0140", format!("no colon after `{word}`"))
                .here("not needed")
                .edits("remove it", vec![(s.view.lo(s.at), s.view.hi(s.at), String::new())]),
        );
    }
    let sets = s.view.is_name(s.at - 1) && (s.second() || matches!(s.view.inside(s.at), "(" | "{" | ""));
    sets.then(|| {
        s.finding("E0140", "`=` sets a value; `:` gives a shape").here("a colon").write(if s.view.tight(s.at) { " =" } else { "=" })
    })
}

fn double_equals(s: &Stuck<'_>) -> Option<Finding> {
    let sets = s.waits_for(&[Rule::assign, Rule::value, Rule::base, Rule::kw_in, Rule::sweep_block]) && !s.waits_for(&[Rule::infix]);
    (s.word() == "==" && sets).then(|| s.finding("E0145", "`==` compares; `=` sets").here("sets nothing").write("="))
}

fn single_equals(s: &Stuck<'_>) -> Option<Finding> {
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

fn equals_after_word(s: &Stuck<'_>) -> Option<Finding> {
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

fn equals_before_block(s: &Stuck<'_>) -> Option<Finding> {
    let stray = s.word() == "{" && s.before() == "=" && s.block.is_none() && !s.alone;
    stray.then(|| {
        let (lo, hi) = (s.view.lo(s.at - 1), s.view.hi(s.at - 1));
        Finding::new("E0178", lo, hi, "no `=` before a block").here("not needed").edits("remove it", vec![(lo, hi, String::new())])
    })
}

fn function_without_arguments(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    (s.word() == "=" && s.at == s.first + 2 && view.word(s.first) == "fn")
        .then(|| s.of_first("E0172", "a function has arguments; a value is defined with `let`").here("no arguments follow").write("let"))
}

fn arguments_of_a_value(s: &Stuck<'_>) -> Option<Finding> {
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

fn shape_without_colon(s: &Stuck<'_>) -> Option<Finding> {
    let shape = s.word() == "[" && s.waits_for(&[Rule::shape, Rule::colon]) && s.at == s.first + 2;
    shape.then(|| {
        s.finding("E0167", "a shape stands after a colon: `w: [3]`")
            .here("the shape")
            .edits("write", s.insert(if s.view.tight(s.at) { ": " } else { ":" }))
    })
}

fn set_braces(s: &Stuck<'_>) -> Option<Finding> {
    let close = s.view.partner(s.at)?;
    (s.word() == "{" && s.waits_for_value()).then(|| {
        let edits = vec![(s.view.lo(s.at), s.view.hi(s.at), "[".to_owned()), (s.view.lo(close), s.view.hi(close), "]".to_owned())];
        s.finding("E0168", "a list stands in `[ ]`").here("braces hold the lines of a block").edits("write", edits)
    })
}

fn double_comma(s: &Stuck<'_>) -> Option<Finding> {
    (s.word() == "," && matches!(s.before(), "," | "(" | "[")).then(|| {
        let gap = (s.view.lo(s.at), s.view.hi(s.at), String::new());
        s.finding("E0169", "a value is missing before this comma").here("nothing stands before it").edits("remove it", vec![gap])
    })
}

/// `lr in 1, 2, 3`, `param p = 25, 20`.
fn values_without_brackets(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    if s.word() != "," || view.opener(s.at) != view.opener(s.first) || s.alone {
        return None;
    }
    let end = view.line_end(s.first);
    let from = (s.first + 1..s.at).find(|t| view.opener(*t) == view.opener(s.first) && matches!(view.word(*t), "=" | "in"))?;
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
    Some(Finding::new("E0170", lo, hi, "several values are a list in `[ ]`").here("no brackets").edits("write", edits))
}

fn no_then(s: &Stuck<'_>) -> Option<Finding> {
    (s.waits_for(&[Rule::kw_then]) && s.view.starts_operand(s.at)).then(|| {
        s.finding("E0133", "`if` is an expression: `if .. then .. else ..`")
            .here("`then` is missing before this")
            .edits("write", s.insert(" then"))
    })
}

fn no_else(s: &Stuck<'_>) -> Option<Finding> {
    if !s.waits_for(&[Rule::kw_else]) || !s.at_end() {
        return None;
    }
    let view = &s.view;
    let at = (0..s.at).rev().find(|t| view.word(*t) == "if").unwrap_or(s.first);
    Some(
        Finding::new("E0135", view.lo(at), s.gap(), "this `if` has no value when its condition does not hold")
            .here("no `else`")
            .edits("say which, or leave a blank to fill in", s.insert(" else ?otherwise")),
    )
}

fn misspelt_line(s: &Stuck<'_>) -> Option<Finding> {
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

fn foreign_line(s: &Stuck<'_>) -> Option<Finding> {
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

fn missing_separator(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    let ended = s.at > 0 && (view.ends_operand(s.at - 1) || s.before() == "}" || s.line_words().contains(&s.before()));
    let separates = ended && s.at > s.first && view.opener(s.at) == view.opener(s.first) && !s.alone && s.begins_line(s.at);
    separates.then(|| {
        let what = if s.block.is_some() { "two lines" } else { "two declarations" };
        s.finding("E0148", format!("{what} on one line need `;` between them")).here("a new one starts here").edits("write", s.insert(";"))
    })
}

fn missing_comma(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    let list = s.block.is_some() && LISTS.contains(&view.word(s.first)) && s.at > s.first + 1;
    let beside = list && view.ends_operand(s.at - 1) && view.starts_operand(s.at);
    beside.then(|| {
        Finding::new("E0129", view.lo(s.at - 1), view.hi(s.at), format!("a comma is missing between `{}` and `{}`", s.before(), s.word()))
            .here("two values side by side")
            .edits("write", s.insert(","))
    })
}

fn missing_equals(s: &Stuck<'_>) -> Option<Finding> {
    let waits = s.waits_for(&[Rule::assign, Rule::value]) && s.at > 0 && !s.line_words().contains(&s.view.word(s.first));
    let declares = s.waits_for(&[Rule::assign, Rule::value]) && s.block.is_none() && s.at == s.first + 2 && !s.alone;
    ((waits && s.second() || declares) && (s.view.starts_operand(s.at) || s.word() == "-")).then(|| {
        let name = s.before();
        s.finding("E0141", format!("`=` is missing after `{name}`")).here(format!("the value of `{name}`?")).edits("write", s.insert(" ="))
    })
}

fn missing_name(s: &Stuck<'_>) -> Option<Finding> {
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

fn missing_value(s: &Stuck<'_>) -> Option<Finding> {
    (s.waits_for_value() && s.at_end() && s.at > 0).then(|| {
        let before = s.at - 1;
        let blank = if matches!(s.before(), "(" | "[" | ".." | "^" | "*" | "/") { "?value" } else { " ?value" };
        Finding::new("E0176", s.view.lo(before), s.view.hi(before), format!("`{}` is followed by nothing", s.before()))
            .here("a value belongs after this")
            .edits("complete it, or leave a blank to fill in", s.insert(blank))
    })
}

fn generic(s: &Stuck<'_>) -> Finding {
    let view = &s.view;
    let keyword_line = s.second() && s.line_words().contains(&s.before());
    // After a keyword the grammar has also tried it as a name.
    let mut rules: Vec<Rule> = s
        .expected
        .iter()
        .copied()
        .filter(|rule| {
            !(keyword_line
                && matches!(rule, Rule::assign | Rule::kw_in | Rule::value | Rule::shape | Rule::draw | Rule::arrow | Rule::tilde))
        })
        .collect();
    if rules.contains(&Rule::infix) {
        let trails = |rule: &Rule| {
            matches!(rule, Rule::call | Rule::field | Rule::index | Rule::on | Rule::at)
                || matches!(rule, Rule::lparen | Rule::dot | Rule::lbrack | Rule::kw_on | Rule::kw_at | Rule::kw_in | Rule::assign)
        };
        rules.retain(|rule| !trails(rule));
    }
    let mut words: Vec<&str> = Vec::new();
    for word in rules.iter().map(|rule| human(*rule)) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.sort_by_key(|word| word.starts_with("the end"));
    let wanted = match words.as_slice() {
        [] => "something else".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    };
    let found = match view.kind(s.at) {
        None => "the end".to_owned(),
        Some(Kind::Newline) => "the end of the line".to_owned(),
        Some(_) => format!("`{}`", s.word()),
    };
    let finding = s.finding("E0100", format!("expected {wanted}, found {found}")).here(format!("expected {wanted}"));
    match words.as_slice() {
        [one] if one.starts_with('`') && one.ends_with('`') && !one.contains(' ') => {
            let word = one.trim_matches('`');
            let blank = if word.chars().all(char::is_alphanumeric) || word == "=" { " " } else { "" };
            finding.edits("write", s.insert(&format!("{blank}{word}")))
        }
        _ => finding,
    }
}
