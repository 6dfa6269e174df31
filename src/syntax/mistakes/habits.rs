//! Mistakes that are wrong wherever they stand: the table of all, and those of MATLAB, C and of writing by hand.
//!
//! It looks at tokens and does not know the grammar.

use super::super::layout::MOST_FINDINGS;
use super::super::lex::{Kind, lex};
use super::super::scratch::Scratch;
use super::characters::{odd_character, single_quotes};
use super::python::{backward_if, capital_constant, colon_if, def, in_place, lambda, method, module_prefix, operand_if, walrus};
use super::view::View;
use super::{Finding, Known};

/// What a habit sees: the item, the token it may stand on, and the names of the file.
pub(super) struct Sight<'a> {
    pub(super) view: View<'a>,
    pub(super) known: &'a Known,
}

/// Each looks at one token and what is around it.
const HABITS: &[fn(&Sight<'_>, usize) -> Option<Finding>] = &[
    odd_character,
    single_quotes,
    transpose,
    dotted_operator,
    module_prefix,
    method,
    logical_mark,
    capital_constant,
    slashes,
    walrus,
    in_place,
    number_then_name,
    number_then_parenthesis,
    matrix_rows,
    lonely_minus,
    missing_comma,
    comma_in_number,
    def,
    lambda,
    colon_if,
    backward_if,
    operand_if,
    spaced_reduction,
];

/// All habits found in an item.
pub(in crate::syntax) fn habits(scratch: &Scratch, known: &Known) -> Vec<Finding> {
    let tokens = lex(&scratch.text);
    let sight = Sight { view: View::new(&scratch.text, &tokens), known };
    let mut found: Vec<Finding> = Vec::new();
    let mut read_to = 0;
    for (at, token) in tokens.iter().enumerate() {
        if token.lo < read_to {
            continue;
        }
        if let Some(finding) = HABITS.iter().find_map(|habit| habit(&sight, at)) {
            read_to = finding.hi;
            found.push(finding);
            if found.len() == MOST_FINDINGS {
                break;
            }
        }
    }
    found
}

fn transpose(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    let operand = view.word(at) == "'" && view.tight(at) && view.ends_operand(at - 1);
    operand.then(|| Finding::new("E0112", view.lo(at), view.hi(at), "the transpose is `.T`").here("MATLAB's transpose").write(".T"))
}

fn dotted_operator(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    let plain = match view.word(at) {
        ".*" => "*",
        "./" => "/",
        ".^" => "^",
        _ => return None,
    };
    Some(
        Finding::new("E0114", view.lo(at), view.hi(at), format!("`{plain}` is elementwise already, `@` is the matrix product"))
            .here("MATLAB's operator")
            .write(plain),
    )
}

fn logical_mark(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    let word = match view.word(at) {
        "&&" | "&" => "and",
        "||" | "|" => "or",
        "!" => "not",
        _ => return None,
    };
    let before = if at > 0 && view.tight(at) && view.ends_operand(at - 1) { " " } else { "" };
    let after = if view.tight(at + 1) { " " } else { "" };
    Some(
        Finding::new("E0117", view.lo(at), view.hi(at), "the logical words are `and`, `or` and `not`")
            .here(format!("here `{word}`"))
            .write(format!("{before}{word}{after}")),
    )
}

fn slashes(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    if view.word(at) != "//" {
        return None;
    }
    let (lo, hi) = (view.lo(at), view.hi(at));
    let words = view.is_name(at + 1)
        && !view.tight(at + 1)
        && !view.ends_line(at + 2)
        && (view.is_name(at + 2) || view.kind(at + 2) == Some(Kind::Name));
    if at == 0 || view.ends_line(at - 1) || view.word(at - 1) == "{" || words || !(view.starts_operand(at + 1) || view.word(at + 1) == "-")
    {
        let end = view.text[lo..].find('\n').map_or(view.text.len(), |end| lo + end);
        let comment = Finding::new("E0119", lo, end, "a comment starts with `#`").here("a comment of another language");
        return Some(comment.edits("write", vec![(lo, hi, "#".to_owned())]).mend(vec![(lo, end, String::new())]));
    }
    Some(
        Finding::new("E0120", lo, hi, "division is `/` and never drops the fraction")
            .here("no operator")
            .edits("divide; for the whole part write `floor(a/b)`", vec![(lo, hi, "/".to_owned())]),
    )
}

fn number_then_name(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    if at == 0 || !view.tight(at) || !view.is_name(at) {
        return None;
    }
    let number = view.kind(at - 1) == Some(Kind::Number);
    let call = view.word(at - 1) == ")";
    if !number && !call {
        return None;
    }
    let lo = if number { view.lo(at - 1) } else { view.lo(at) };
    let product = format!("{}*{}", view.word(at - 1), view.word(at));
    let message = if number { format!("write the product: `{product}`") } else { "write the product with `*`".to_owned() };
    let here = if number { "a number followed by a name" } else { "follows a parenthesis" };
    Some(Finding::new("E0110", lo, view.hi(at), message).here(here).edits("write", vec![(view.lo(at), view.lo(at), "*".to_owned())]))
}

fn number_then_parenthesis(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    let product = at > 0 && view.word(at) == "(" && view.tight(at) && (view.kind(at - 1) == Some(Kind::Number) || view.word(at - 1) == ")");
    product.then(|| {
        let lo = view.lo(at - 1);
        Finding::new("E0111", lo, view.hi(at), "write the product with `*`")
            .here("two factors without an operator")
            .edits("write", vec![(view.lo(at), view.lo(at), "*".to_owned())])
    })
}

fn matrix_rows(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    if view.word(at) != ";" || view.inside(at) != "[" {
        return None;
    }
    let open = view.opener(at)?;
    let close = view.partner(open)?;
    if (open..at).any(|t| view.word(t) == ";" && view.opener(t) == Some(open)) {
        return None;
    }
    let mut edits = vec![(view.lo(open), view.hi(open), "[[".to_owned()), (view.lo(close), view.hi(close), "]]".to_owned())];
    edits.extend(
        (at..close)
            .filter(|t| view.word(*t) == ";" && view.opener(*t) == Some(open))
            .map(|t| (view.lo(t), view.hi(t), "],  [".replace("  ", " "))),
    );
    Some(
        Finding::new("E0164", view.lo(at), view.hi(at), "the rows of a matrix are lists")
            .here("MATLAB's end of a row")
            .edits("write", edits),
    )
}

fn lonely_minus(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    let minus = at > 0
        && matches!(view.word(at), "-" | "+")
        && view.inside(at) == "["
        && view.kind(at - 1) == Some(Kind::Number)
        && view.kind(at + 1) == Some(Kind::Number)
        && !view.tight(at)
        && view.tight(at + 1);
    minus.then(|| {
        let (lo, hi) = (view.lo(at - 1), view.hi(at + 1));
        Finding::new("E0128", lo, hi, "two numbers, or a difference?")
            .here(format!("read as `{} {} {}`", view.word(at - 1), view.word(at), view.word(at + 1)))
            .edits("two numbers have a comma between them", vec![(view.hi(at - 1), view.hi(at - 1), ",".to_owned())])
            .edits("a difference has blanks on both sides", vec![(view.hi(at), view.hi(at), " ".to_owned())])
    })
}

fn missing_comma(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    let apart = at > 0 && !view.tight(at) && matches!(view.inside(at), "(" | "[") && view.ends_operand(at - 1) && view.starts_operand(at);
    if !apart || view.opener(at) == Some(at - 1) {
        return None;
    }
    // `grad at (..)`, and an index or arguments that stand apart from their name.
    let applied = matches!(view.word(at), "(" | "[") && view.kind(at - 1) == Some(Kind::Name);
    if applied || (view.word(at) == "at" && view.word(at + 1) == "(") {
        return None;
    }
    let (lo, hi) = (view.lo(at - 1), view.hi(at));
    Some(
        Finding::new("E0129", lo, hi, format!("a comma is missing between `{}` and `{}`", view.word(at - 1), view.word(at)))
            .here("two values side by side")
            .edits("write", vec![(view.hi(at - 1), view.hi(at - 1), ",".to_owned())]),
    )
}

fn comma_in_number(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    let plain = |t: usize, most: usize| {
        view.kind(t) == Some(Kind::Number) && view.word(t).len() <= most && view.word(t).bytes().all(|b| b.is_ascii_digit())
    };
    let grouped = at > 1
        && view.word(at) == ","
        && view.tight(at)
        && view.tight(at + 1)
        && plain(at - 1, 3)
        && plain(at + 1, 3)
        && view.word(at + 1).len() == 3;
    let value =
        grouped && matches!(view.inside(at), "" | "{") && matches!(view.word(at - 2), "=" | "," | "of" | "repeat" | "rows" | "sample");
    value.then(|| {
        let whole = format!("{}_{}", view.word(at - 1), view.word(at + 1));
        Finding::new("E0130", view.lo(at), view.hi(at), "digits are grouped with `_`; a comma separates things")
            .here("a comma inside a number")
            .edits(format!("write `{whole}`"), vec![(view.lo(at), view.hi(at), "_".to_owned())])
    })
}

fn spaced_reduction(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    const REDUCTIONS: &[&str] = &["mean", "sum", "norm", "prod", "total"];
    let view = &sight.view;
    if !REDUCTIONS.contains(&view.word(at)) || view.word(at + 1) != "(" || view.tight(at + 1) {
        return None;
    }
    let close = view.partner(at + 1)?;
    if !matches!(view.word(close + 1), "^" | "**") {
        return None;
    }
    let last = view.operand_end(close + 2);
    let name = view.word(at);
    let edits = vec![(view.lo(at + 1), view.lo(at + 1), "(".to_owned()), (view.hi(last), view.hi(last), ")".to_owned())];
    Some(
        Finding::new("E0171", view.lo(at), view.hi(last), format!("this is a power of the {name}, not the {name} of a power"))
            .here("the power applies to the result")
            .edits("to apply it inside, write", edits)
            .harmless(),
    )
}
