//! Mistakes that are wrong wherever they stand: the notation of Python, NumPy, MATLAB, C and of printed formulas.
//!
//! It looks at tokens and does not know the grammar.

use std::collections::BTreeSet;

use super::super::layout::MOST_FINDINGS;
use super::super::lex::{Kind, lex};
use super::super::scratch::Scratch;
use super::view::View;
use super::{Edit, Finding};

/// What a habit sees: the item, the token it may stand on, and the names of the file.
struct Sight<'a> {
    view: View<'a>,
    declared: &'a BTreeSet<String>,
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
pub(in crate::syntax) fn habits(scratch: &Scratch, declared: &BTreeSet<String>) -> Vec<Finding> {
    let tokens = lex(&scratch.text);
    let sight = Sight { view: View::new(&scratch.text, &tokens), declared };
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

/// Characters that look like something else.
const CHARACTERS: &[(&str, &str, &str, &str)] = &[
    ("“”„‟«»＂", "\"", "E0121", "curly quotes"),
    ("‘’‚‛`´", "\"", "E0121", "curly quotes"),
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
    ("∑Σ", "sum", "E0122", "a typographic sum"),
    ("¬", "not ", "E0122", "a typographic negation"),
    ("²", "^2", "E0123", "a raised 2"),
    ("³", "^3", "E0123", "a raised 3"),
    ("\u{a0}\u{2002}\u{2003}\u{2009}\u{202f}\u{3000}\u{c}\u{b}", " ", "E0124", "a blank that is not a plain one"),
    ("\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{200e}\u{200f}\u{0}", "", "E0124", "an invisible character"),
];

fn odd_character(sight: &Sight<'_>, at: usize) -> Option<Finding> {
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
    let shown = format!("U+{:04X}", u32::from(c));
    let Some((_, with, code, what)) = CHARACTERS.iter().find(|(chars, ..)| chars.contains(c)) else {
        let message = format!("the character `{c}` means nothing here");
        return Some(Finding::new("E0125", lo, hi, message).here(shown).edits("remove it", vec![(lo, hi, String::new())]));
    };
    let finding = Finding::new(code, lo, hi, format!("this is {what}")).here(shown);
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

fn single_quotes(sight: &Sight<'_>, at: usize) -> Option<Finding> {
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

fn module_prefix(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    const MODULES: &[&str] = &["np", "numpy", "jnp", "math", "torch", "tf", "scipy"];
    const PARTS: &[&str] = &["linalg", "random", "nn", "functional", "special", "stats"];
    let view = &sight.view;
    let word = view.word(at);
    let is_prefix = MODULES.contains(&word) && view.word(at + 1) == "." && view.is_name(at + 2) && (at == 0 || view.word(at - 1) != ".");
    if !is_prefix || sight.declared.contains(word) {
        return None;
    }
    let mut last = at + 1;
    while PARTS.contains(&view.word(last + 1)) && view.word(last + 2) == "." {
        last += 2;
    }
    let (lo, hi) = (view.lo(at), view.hi(last));
    Some(Finding::new("E0115", lo, hi, "functions have no prefix").here("not needed").edits("remove it", vec![(lo, hi, String::new())]))
}

fn method(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    const REDUCTIONS: &[&str] = &[
        "sum", "mean", "std", "var", "max", "min", "prod", "median", "argmax", "argmin", "reshape", "cumsum", "round", "clip", "abs",
        "exp", "log",
    ];
    const NOTHING: &[&str] = &["copy", "detach", "numpy", "item", "clone", "backward"];
    let view = &sight.view;
    let name = view.word(at + 1);
    if view.word(at) != "." || view.word(at + 2) != "(" || at == 0 || !view.ends_operand(at - 1) {
        return None;
    }
    let base = view.operand_start(at - 1);
    if sight.declared.contains(view.word(base)) && base == at - 1 && !REDUCTIONS.contains(&name) && name != "dot" {
        return None;
    }
    let close = view.partner(at + 2)?;
    let (lo, hi) = (view.lo(at), view.hi(at + 1));
    let empty = close == at + 3;
    let edits: Vec<Edit> = if name == "dot" || name == "matmul" {
        let parentheses = close != at + 4;
        let mut edits = vec![(lo, view.hi(at + 2), if parentheses { " @ (" } else { " @ " }.to_owned())];
        if !parentheses {
            edits.push((view.lo(close), view.hi(close), String::new()));
        }
        edits
    } else if matches!(name, "transpose" | "T" | "t") && empty {
        vec![(lo, view.hi(close), ".T".to_owned())]
    } else if NOTHING.contains(&name) && empty {
        vec![(lo, view.hi(close), String::new())]
    } else if REDUCTIONS.contains(&name) {
        let between = if empty { "" } else { ", " };
        vec![(view.lo(base), view.lo(base), format!("{name}(")), (lo, view.hi(at + 2), between.to_owned())]
    } else {
        return None;
    };
    Some(Finding::new("E0116", lo, hi, "values have no methods, except `.T`").here("a method").edits("write", edits))
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

fn capital_constant(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    let word = view.word(at);
    let plain = match word {
        "True" => "true",
        "False" => "false",
        _ => return None,
    };
    if sight.declared.contains(word) || view.word(at.wrapping_sub(1)) == "." {
        return None;
    }
    Some(Finding::new("E0118", view.lo(at), view.hi(at), "`true` and `false` are lower case").here("Python's").write(plain))
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

fn walrus(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    if view.word(at) != ":=" {
        return None;
    }
    let with = if view.block(at) == Some("optimizer") && view.line_start(at) + 1 == at { "<-" } else { "=" };
    let finding = Finding::new("E0126", view.lo(at), view.hi(at), "`:=` is not used in a spec");
    Some(if with == "=" {
        finding.here("a definition is written `=`").write("=")
    } else {
        finding.here("a state is updated with `<-`").write("<-")
    })
}

fn in_place(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    let mark = view.word(at);
    let (lo, hi) = (view.lo(at), view.hi(at));
    if !matches!(mark, "+=" | "-=" | "*=" | "/=") || at == 0 || !view.is_name(at - 1) {
        return None;
    }
    let name = view.word(at - 1);
    let finding = Finding::new("E0127", lo, hi, format!("there is no `{mark}`; a state is updated with `<-`"));
    if view.block(at) != Some("optimizer") || view.line_start(at) + 1 != at {
        return Some(
            finding
                .here("nothing is changed in place")
                .help("only the body of an `optimizer` has updates, such as `param <- param - lr*grad`"),
        );
    }
    let end = view.line_end(at);
    if at + 1 >= end {
        return Some(finding.here("changed by nothing"));
    }
    let operator = &mark[..1];
    let loose = (at + 1..end).any(|t| {
        view.opener(t) == view.opener(at)
            && (view.kind(t) == Some(Kind::Mark) && !matches!(view.word(t), "*" | "^" | "." | "(" | ")" | "[" | "]")
                || matches!(view.word(t), "if" | "and" | "or" | "not"))
    });
    let head = if matches!(operator, "+" | "-") { format!("<- {name} {operator} ") } else { format!("<- {name}{operator}") };
    let edits = if loose {
        vec![(lo, view.lo(at + 1), head + "("), (view.hi(end - 1), view.hi(end - 1), ")".to_owned())]
    } else {
        vec![(lo, view.lo(at + 1), head)]
    };
    Some(finding.here(format!("changes `{name}`")).edits("write", edits))
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

fn def(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    if view.word(at) != "def" || !view.is_name(at + 1) || view.word(at + 2) != "(" || view.line_start(at) != at {
        return None;
    }
    let (lo, hi) = (view.lo(at), view.hi(at));
    let mut edits = vec![(lo, hi, "fn".to_owned())];
    if let Some(close) = view.partner(at + 2)
        && view.word(close + 1) == ":"
    {
        let last = if view.word(close + 2) == "return" { close + 2 } else { close + 1 };
        edits.push((view.lo(close + 1), view.hi(last), " =".to_owned()));
    }
    Some(Finding::new("E0131", lo, hi, "a function is one line that starts with `fn`").here("Python's").edits("write", edits))
}

fn lambda(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    if view.word(at) != "lambda" || !view.is_name(at + 1) {
        return None;
    }
    let colon = (at + 2..view.tokens.len()).find(|t| !(view.word(*t) == "," || view.is_name(*t)))?;
    if view.word(colon) != ":" {
        return None;
    }
    let finding = Finding::new("E0132", view.lo(at), view.hi(colon), "functions have names").here("a function without one");
    let formals = &view.text[view.lo(at + 1)..view.hi(colon - 1)];
    let first = view.line_start(at);
    let named = view.word(at.wrapping_sub(1)) == "="
        && view.is_name(at.wrapping_sub(2))
        && view.opener(at) == view.opener(first)
        && view.block(at).is_none();
    if named && (first + 2 == at || (first + 3 == at && matches!(view.word(first), "let" | "fn" | "loss"))) {
        let name = view.word(at - 2);
        return Some(finding.edits("write", vec![(view.lo(first), view.hi(colon), format!("fn {name}({formals}) ="))]));
    }
    Some(finding.help(format!("declare it, `fn f({formals}) = ..`, and write its name here")))
}

fn colon_if(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    let word = view.word(at);
    if word != ":" || at == 0 {
        return None;
    }
    if view.word(at - 1) == "else" {
        return Some(finish_colon(view, at, "`else` has no colon", ""));
    }
    let mut before = at;
    while before > 0 {
        before -= 1;
        match view.word(before) {
            ")" | "]" | "}" => before = view.partner(before)?,
            "if" | "elif" => return Some(finish_colon(view, at, "`if` is an expression: `if .. then .. else ..`", " then")),
            "then" | "(" | "[" | "{" | "," => return None,
            _ if view.ends_line(before) => return None,
            _ => {}
        }
    }
    None
}

fn finish_colon(view: &View<'_>, at: usize, message: &str, with: &str) -> Finding {
    Finding::new("E0133", view.lo(at), view.hi(at), message).here("Python's colon").write(with)
}

fn backward_if(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    if view.word(at) != "if" || at == 0 || !view.ends_operand(at - 1) {
        return None;
    }
    let (lo, hi) = (view.lo(at), view.hi(at));
    let finding = Finding::new("E0134", lo, hi, "the condition comes first: `if .. then .. else ..`").here("after the value");
    let end = view.expression_end(at + 1);
    let Some(other) = (at + 1..end).find(|t| view.word(*t) == "else" && view.opener(*t) == view.opener(at)) else {
        return Some(finding.help("write `if CONDITION then VALUE else OTHER`"));
    };
    let mut start = at;
    while start > 0 {
        let before = start - 1;
        match view.word(before) {
            ")" | "]" => start = view.partner(before)?,
            "=" | "<-" | "," | "(" | "[" | "{" | "else" | "then" | "in" | "~" | "return" | "yield" | "report" => break,
            _ if view.ends_line(before) => break,
            _ => start = before,
        }
    }
    let condition = view.text[hi..view.lo(other)].trim();
    let edits = vec![(view.lo(start), view.lo(start), format!("if {condition} then ")), (view.hi(at - 1), view.lo(other), " ".to_owned())];
    Some(finding.edits("write", edits))
}

fn operand_if(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    const BEFORE: &[&str] = &["+", "-", "*", "/", "@", "^", "**", "|>", "==", "!=", "<", "<=", ">", ">=", "..", "and", "or", "not"];
    let view = &sight.view;
    if view.word(at) != "if" || at == 0 || !BEFORE.contains(&view.word(at - 1)) {
        return None;
    }
    let end = view.expression_end(at);
    let edits = vec![(view.lo(at), view.lo(at), "(".to_owned()), (view.hi(end - 1), view.hi(end - 1), ")".to_owned())];
    Some(
        Finding::new("E0136", view.lo(at), view.hi(at), "an `if` inside an expression stands in parentheses")
            .here("reaches as far right as it can")
            .edits("write", edits),
    )
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
