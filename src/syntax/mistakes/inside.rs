//! Mistakes inside expressions and declarations, read off the place where the grammar could not go on.
//!
//! It does not look at how lines begin and end.

use super::super::layout::RESERVED;
use super::super::parse::Rule;
use super::Finding;
use super::stuck::Stuck;

pub(super) fn reserved_name(s: &Stuck<'_>) -> Option<Finding> {
    let word = s.word();
    let names = s.waits_for(&[Rule::name, Rule::path, Rule::formal, Rule::binding]) && !s.waits_for_value();
    (names && RESERVED.contains(&word)).then(|| {
        s.finding("E0144", format!("`{word}` has a meaning of its own and cannot be a name"))
            .here("a reserved word")
            .write(format!("{word}_"))
    })
}

pub(super) fn arrow(s: &Stuck<'_>) -> Option<Finding> {
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

pub(super) fn tolerance(s: &Stuck<'_>) -> Option<Finding> {
    (s.word() == "+-").then(|| {
        let blank = if s.view.tight(s.at) { " + -" } else { "+ -" };
        s.finding("E0139", "`+-` is a tolerance, and stands only after the comparison of an `expect`").here("read as one mark").write(blank)
    })
}

pub(super) fn remainder(s: &Stuck<'_>) -> Option<Finding> {
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

pub(super) fn colon(s: &Stuck<'_>) -> Option<Finding> {
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

pub(super) fn double_equals(s: &Stuck<'_>) -> Option<Finding> {
    let sets = s.waits_for(&[Rule::assign, Rule::value, Rule::base, Rule::kw_in, Rule::sweep_block]) && !s.waits_for(&[Rule::infix]);
    (s.word() == "==" && sets).then(|| s.finding("E0145", "`==` compares; `=` sets").here("sets nothing").write("="))
}

pub(super) fn shape_without_colon(s: &Stuck<'_>) -> Option<Finding> {
    let view = &s.view;
    let shape = s.word() == "[" && s.waits_for(&[Rule::shape, Rule::colon]) && s.at == s.first + 2;
    if shape {
        let colon = s.insert(if view.tight(s.at) { ": " } else { ":" });
        return Some(
            s.finding("E0167", format!("a shape stands after a colon: `{}: [..]`", s.before())).here("the shape").edits("write", colon),
        );
    }
    let bare = s.before() == ":" && s.waits_for(&[Rule::lbrack]) && view.starts_operand(s.at);
    bare.then(|| {
        let end = view.hi(view.operand_end(s.at));
        let edits = vec![(view.lo(s.at), view.lo(s.at), "[".to_owned()), (end, end, "]".to_owned())];
        s.finding("E0180", "a shape is a list in `[ ]`").here("the shape").edits("write", edits)
    })
}

pub(super) fn set_braces(s: &Stuck<'_>) -> Option<Finding> {
    let close = s.view.partner(s.at)?;
    (s.word() == "{" && s.waits_for_value()).then(|| {
        let edits = vec![(s.view.lo(s.at), s.view.hi(s.at), "[".to_owned()), (s.view.lo(close), s.view.hi(close), "]".to_owned())];
        s.finding("E0168", "a list stands in `[ ]`").here("braces hold the lines of a block").edits("write", edits).tentative()
    })
}

pub(super) fn double_comma(s: &Stuck<'_>) -> Option<Finding> {
    (s.word() == "," && matches!(s.before(), "," | "(" | "[")).then(|| {
        let gap = (s.view.lo(s.at), s.view.hi(s.at), String::new());
        s.finding("E0169", "a value is missing before this comma").here("nothing stands before it").edits("remove it", vec![gap])
    })
}

pub(super) fn no_then(s: &Stuck<'_>) -> Option<Finding> {
    (s.waits_for(&[Rule::kw_then]) && s.view.starts_operand(s.at)).then(|| {
        s.finding("E0133", "`if` is an expression: `if .. then .. else ..`")
            .here("`then` is missing before this")
            .edits("write", s.insert(" then"))
    })
}

pub(super) fn no_else(s: &Stuck<'_>) -> Option<Finding> {
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

pub(super) fn missing_value(s: &Stuck<'_>) -> Option<Finding> {
    (s.waits_for_value() && s.at_end() && s.at > 0).then(|| {
        let before = s.at - 1;
        let blank = if matches!(s.before(), "(" | "[" | ".." | "^" | "*" | "/") { "?value" } else { " ?value" };
        Finding::new("E0176", s.view.lo(before), s.view.hi(before), format!("`{}` is followed by nothing", s.before()))
            .here("a value belongs after this")
            .edits("complete it, or leave a blank to fill in", s.insert(blank))
    })
}
