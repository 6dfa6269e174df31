//! Mistakes that are Python or NumPy.
//!
//! It looks at tokens and does not know the grammar.

use super::super::lex::Kind;
use super::habits::Sight;
use super::view::View;
use super::words::DECLARATIONS;
use super::{Edit, Finding};

pub(super) fn module_prefix(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    const MODULES: &[&str] = &["np", "numpy", "jnp", "math", "torch", "tf", "scipy"];
    const PARTS: &[&str] = &["linalg", "random", "nn", "functional", "special", "stats"];
    let view = &sight.view;
    let word = view.word(at);
    let is_prefix = MODULES.contains(&word) && view.word(at + 1) == "." && view.is_name(at + 2) && (at == 0 || view.word(at - 1) != ".");
    if !is_prefix || (sight.known.declared.contains(word) || sight.known.imported.contains(word)) {
        return None;
    }
    let mut last = at + 1;
    while PARTS.contains(&view.word(last + 1)) && view.word(last + 2) == "." {
        last += 2;
    }
    let (lo, hi) = (view.lo(at), view.hi(last));
    Some(Finding::new("E0115", lo, hi, "functions have no prefix").here("not needed").edits("remove it", vec![(lo, hi, String::new())]))
}

pub(super) fn method(sight: &Sight<'_>, at: usize) -> Option<Finding> {
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
    if sight.known.imported.contains(view.word(base)) && base == at - 1 {
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

pub(super) fn capital_constant(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    let word = view.word(at);
    let plain = match word {
        "True" => "true",
        "False" => "false",
        _ => return None,
    };
    if sight.known.declared.contains(word) || view.word(at.wrapping_sub(1)) == "." {
        return None;
    }
    Some(Finding::new("E0118", view.lo(at), view.hi(at), "`true` and `false` are lower case").here("Python's").write(plain))
}

pub(super) fn walrus(sight: &Sight<'_>, at: usize) -> Option<Finding> {
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

pub(super) fn in_place(sight: &Sight<'_>, at: usize) -> Option<Finding> {
    let view = &sight.view;
    let mark = view.word(at);
    let (lo, hi) = (view.lo(at), view.hi(at));
    if !matches!(mark, "+=" | "-=" | "*=" | "/=") || at == 0 || !view.is_name(at - 1) {
        return None;
    }
    let name = view.word(at - 1);
    let finding = Finding::new("E0127", lo, hi, format!("there is no `{mark}`; `=` defines, and `<-` updates a state"));
    let sets = matches!(view.block(at), Some("group" | "dataset" | "sweep"));
    if !(sets || view.block(at) == Some("optimizer")) || view.line_start(at) + 1 != at {
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
    let arrow = if sets { "=" } else { "<-" };
    let head = if matches!(operator, "+" | "-") { format!("{arrow} {name} {operator} ") } else { format!("{arrow} {name}{operator}") };
    let edits = if loose {
        vec![(lo, view.lo(at + 1), head + "("), (view.hi(end - 1), view.hi(end - 1), ")".to_owned())]
    } else {
        vec![(lo, view.lo(at + 1), head)]
    };
    Some(finding.here(format!("changes `{name}`")).edits("write", edits))
}

pub(super) fn def(sight: &Sight<'_>, at: usize) -> Option<Finding> {
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

pub(super) fn lambda(sight: &Sight<'_>, at: usize) -> Option<Finding> {
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

pub(super) fn colon_if(sight: &Sight<'_>, at: usize) -> Option<Finding> {
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

pub(super) fn backward_if(sight: &Sight<'_>, at: usize) -> Option<Finding> {
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
    if start == view.line_start(at) && DECLARATIONS.contains(&view.word(start)) {
        return None;
    }
    let condition = view.text[hi..view.lo(other)].trim();
    let edits = vec![(view.lo(start), view.lo(start), format!("if {condition} then ")), (view.hi(at - 1), view.lo(other), " ".to_owned())];
    Some(finding.edits("write", edits))
}

pub(super) fn operand_if(sight: &Sight<'_>, at: usize) -> Option<Finding> {
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
