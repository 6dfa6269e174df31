//! Every mistake that has its own words: its code, the characters it points at, and that its edit, applied, parses.

use std::collections::BTreeSet;

use optrun::diag::{self, Diagnostic, Severity};
use optrun::source::{FileId, Sources};
use optrun::syntax;

fn parse(text: &str) -> (Sources, FileId, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let file = sources.add("test.opt", ".", text, false);
    let found = syntax::parse(&sources, file).1.list;
    (sources, file, found)
}

fn apply(text: &str, diagnostic: &Diagnostic) -> Option<String> {
    let help = diagnostic.help.iter().find(|help| !help.edits.is_empty())?;
    let mut edits = help.edits.clone();
    edits.sort_by_key(|(span, _)| (span.lo, span.hi));
    let mut fixed = text.to_owned();
    for (span, with) in edits.iter().rev() {
        fixed.replace_range(span.lo as usize..span.hi as usize, with);
    }
    Some(fixed)
}

/// Code, text, the characters pointed at, and the text after the edit (empty: there is no edit).
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("E0100", "check gradient J", "J", "check gradient of J"),
    (
        "E0101",
        "sweep fit {\n  minimize J\n  steps = 3\nplot p { lines J over step }",
        "{",
        "sweep fit {\n  minimize J\n  steps = 3\n}\nplot p { lines J over step }",
    ),
    ("E0101", "let p = sigmoid(X @ w\nloss J = mean(p)", "(", "let p = sigmoid(X @ w)\nloss J = mean(p)"),
    (
        "E0101",
        "optimizer o(lr) {\n  let a = (lr + 1\n  param <- param - a\n}",
        "(",
        "optimizer o(lr) {\n  let a = (lr + 1)\n  param <- param - a\n}",
    ),
    ("E0101", "table t { show f(a; rows b }", "(", ""),
    ("E0102", "loss J = mean(x))", ")", "loss J = mean(x)"),
    ("E0103", "dataset d { csv \"a.csv\n x = 1 }", "\"a.csv", "dataset d { csv \"a.csv\"\n x = 1 }"),
    ("E0104", "param a = 1\rparam b = 2", "\r", "param a = 1\nparam b = 2"),
    ("E0106", "param a = 1 /* the slope */\nparam b = 2", "/* the slope */", "param a = 1 # the slope\nparam b = 2"),
    ("E0106", "/* the slope\n   and more */ param a = 1", "/* the slope\n   and more */", "# the slope\n#   and more\n param a = 1"),
    ("E0110", "let y = 30 + 2x", "2x", "let y = 30 + 2*x"),
    ("E0110", "let y = (a + b)x", "x", "let y = (a + b)*x"),
    ("E0111", "let y = 2(x + 1)", "2(", "let y = 2*(x + 1)"),
    ("E0111", "let y = (a)(b)", ")(", "let y = (a)*(b)"),
    ("E0112", "let G = X' @ X", "'", "let G = X.T @ X"),
    ("E0113", "dataset d { csv 'a b.csv', missing = '?' }", "'a b.csv'", "dataset d { csv \"a b.csv\", missing = '?' }"),
    ("E0114", "let C = A .* B", ".*", "let C = A * B"),
    ("E0115", "let s = 1/(1 + np.exp(-z))", "np.", "let s = 1/(1 + exp(-z))"),
    ("E0115", "let s = np.linalg.norm(z)", "np.linalg.", "let s = norm(z)"),
    ("E0116", "let z = X.dot(w)", ".dot", "let z = X @ w"),
    ("E0116", "let z = X.dot(w + 1)", ".dot", "let z = X @ (w + 1)"),
    ("E0116", "let z = (X*w).sum(axis = 1)", ".sum", "let z = sum((X*w), axis = 1)"),
    ("E0116", "let z = f(x)[0].mean()", ".mean", "let z = mean(f(x)[0])"),
    ("E0117", "let z = (a > 0) && (b < 1)", "&&", "let z = (a > 0) and (b < 1)"),
    ("E0117", "let z = !a", "!", "let z = not a"),
    ("E0118", "dataset d { csv \"a.csv\", header = False }", "False", "dataset d { csv \"a.csv\", header = false }"),
    ("E0119", "param a = 1 // the slope of it\nparam b = 2", "// the slope of it", "param a = 1 # the slope of it\nparam b = 2"),
    ("E0119", "// the slope\nparam b = 2", "// the slope", "# the slope\nparam b = 2"),
    ("E0120", "let y = class // 2 - 1", "//", "let y = class / 2 - 1"),
    ("E0121", "dataset d { csv “my data.csv” }", "“my data.csv”", "dataset d { csv \"my data.csv\" }"),
    ("E0122", "let y = w − lr", "−", "let y = w - lr"),
    ("E0122", "let y = w × lr", "×", "let y = w * lr"),
    ("E0123", "let y = w²", "²", "let y = w^2"),
    ("E0124", "let y\u{a0}= w", "\u{a0}", "let y = w"),
    ("E0125", "let y = $w", "$", "let y = w"),
    ("E0126", "param w := 0", ":=", "param w = 0"),
    ("E0127", "optimizer o(lr) { param -= lr*grad }", "-=", "optimizer o(lr) { param <- param - lr*grad }"),
    ("E0127", "optimizer o(lr) { param -= lr*grad + 1 }", "-=", "optimizer o(lr) { param <- param - (lr*grad + 1) }"),
    ("E0127", "optimizer o(lr) { state m = 0; m *= 2 }", "*=", "optimizer o(lr) { state m = 0; m <- m*2 }"),
    ("E0127", "w -= 0.1", "-=", ""),
    ("E0128", "let v = [1 -2]", "1 -2", "let v = [1, -2]"),
    ("E0129", "let v = [1, 2 3]", "2 3", "let v = [1, 2, 3]"),
    (
        "E0129",
        "sweep s { minimize J; optimizer = adam(lr = 0.1 beta1 = 0.9) }",
        "0.1 beta1",
        "sweep s { minimize J; optimizer = adam(lr = 0.1, beta1 = 0.9) }",
    ),
    ("E0129", "table t { show a b }", "a b", "table t { show a, b }"),
    ("E0130", "sweep s { minimize J; epochs = 10,000 }", ",", "sweep s { minimize J; epochs = 10_000 }"),
    ("E0131", "def f(x): return x**2", "def", "fn f(x) = x**2"),
    ("E0131", "def f(x):\n  return x**2", "def", "fn f(x) = x**2"),
    ("E0132", "let f = lambda x: x^2", "lambda x:", "fn f(x) = x^2"),
    ("E0132", "let y = apply(lambda x: x^2, z)", "lambda x:", ""),
    ("E0133", "schedule s = if t < 5: 1e-4 else 0.1", ":", "schedule s = if t < 5 then 1e-4 else 0.1"),
    ("E0133", "schedule s = if t < 5 1e-4 else 0.1", "1e-4", "schedule s = if t < 5 then 1e-4 else 0.1"),
    ("E0134", "schedule s = 0.1 if t < 5 else 0.2", "if", "schedule s = if t < 5 then 0.1 else 0.2"),
    ("E0134", "let y = f(a, 2*(b + 1) if c > 0 else d)", "if", "let y = f(a, if c > 0 then 2*(b + 1) else d)"),
    ("E0135", "schedule s = if t < 5 then 1e-4", "if t < 5 then 1e-4", "schedule s = if t < 5 then 1e-4 else ?otherwise"),
    ("E0136", "let y = 1 + if a then b else c", "if", "let y = 1 + (if a then b else c)"),
    ("E0137", "let y = x <-1", "<-", "let y = x < -1"),
    ("E0138", "w <- w - 0.1*g", "<-", ""),
    ("E0138", "let w <- 0.1*g", "<-", "let w = 0.1*g"),
    ("E0138", "sweep s { minimize J; lr <- 0.1 }", "<-", "sweep s { minimize J; lr = 0.1 }"),
    ("E0139", "let y = a +-b", "+-", "let y = a + -b"),
    ("E0140", "sweep s { minimize: J }", ":", "sweep s { minimize J }"),
    ("E0140", "sweep s { minimize J; lr: 0.1 }", ":", "sweep s { minimize J; lr = 0.1 }"),
    ("E0140", "sweep s { minimize J; optimizer = adam(lr: 0.1) }", ":", "sweep s { minimize J; optimizer = adam(lr = 0.1) }"),
    ("E0141", "sweep s { minimize J; steps 10 }", "10", "sweep s { minimize J; steps = 10 }"),
    ("E0141", "hyper lambda 0.1", "0.1", "hyper lambda = 0.1"),
    ("E0142", "sweep s { minimise J }", "minimise", "sweep s { minimize J }"),
    ("E0142", "plot p { line J over step }", "line", "plot p { lines J over step }"),
    ("E0142", "plot p { lines J over step; colour lr }", "colour", "plot p { lines J over step; color lr }"),
    ("E0142", "pram w = 0", "pram", "param w = 0"),
    ("E0142", "function f(x) = x^2", "function", "fn f(x) = x^2"),
    ("E0143", "p = sigmoid(X @ w)", "p", "let p = sigmoid(X @ w)"),
    ("E0143", "f(x) = x^2", "f", "fn f(x) = x^2"),
    ("E0143", "hello world", "hello", ""),
    ("E0144", "param from = 1", "from", "param from_ = 1"),
    ("E0145", "sweep s { minimize J; lr == 0.1 }", "==", "sweep s { minimize J; lr = 0.1 }"),
    ("E0145", "let a == 3", "==", "let a = 3"),
    ("E0146", "expect final(b) = 30", "=", "expect final(b) == 30"),
    ("E0146", "table t { show a; for optimizer = adam }", "=", "table t { show a; for optimizer == adam }"),
    ("E0147", "for i in range(10) { x }", "for", ""),
    ("E0148", "sweep s { lr = 0.1 beta = 0.9 }", "beta", "sweep s { lr = 0.1; beta = 0.9 }"),
    ("E0148", "sweep s { minimize J steps = 10 }", "steps", "sweep s { minimize J; steps = 10 }"),
    ("E0148", "param a = 1 param b = 2", "param", "param a = 1; param b = 2"),
    ("E0149", "let y = (i + 1) % f(2)", "%", "let y = mod((i + 1), f(2))"),
    ("E0151", "plot p { title \"a\\d\" }", "\\d", "plot p { title \"a\\\\d\" }"),
    ("E0152", "let y = a < b + 1 < c", "<", "let y = a < b + 1 and b + 1 < c"),
    ("E0152", "let y = a < b <= c != d", "<=", "let y = a < b and b <= c and c != d"),
    ("E0153", "let y = a..b..c", "..", ""),
    ("E0154", "let y = a == not b", "not", "let y = a == (not b)"),
    ("E0155", "let y = 1e999", "1e999", "let y = inf"),
    ("E0156", "let y = J at (3)", "at (3)", ""),
    ("E0157", "let y = x[0](3)", "(3)", ""),
    ("E0160", "claim grad(J, w) < 0", "<", "claim grad(J, w) == 0"),
    ("E0160", "claim grad(J, w)", "grad(J, w)", "claim grad(J, w) == ?answer"),
    ("E0161", "expect a == 1 hidden hidden", "hidden", "expect a == 1 hidden "),
    ("E0162", "sweep s { minimize = J }", " = ", "sweep s { minimize J }"),
    ("E0163", "optimizer o(lr) { state m = 0; m = lr*grad }", "=", "optimizer o(lr) { state m = 0; m <- lr*grad }"),
    ("E0163", "optimizer o(lr) { g = lr*grad }", "=", "optimizer o(lr) { let g = lr*grad }"),
    ("E0164", "let A = [1, 2; 3, 4]", ";", "let A = [[1, 2], [ 3, 4]]"),
    ("E0165", "loss J(w) = mean(w)", "(w)", "loss J = mean(w)"),
    ("E0165", "let f(x) = x^2", "(x)", "fn f(x) = x^2"),
    ("E0167", "param w[10] = 0", "[", "param w: [10] = 0"),
    ("E0168", "sweep s { minimize J; lr in {1, 2} }", "{", "sweep s { minimize J; lr in [1, 2] }"),
    ("E0169", "let v = [1,, 2]", ",", "let v = [1, 2]"),
    ("E0170", "sweep s { minimize J; lr in 1, 2, 3 }", "1, 2, 3", "sweep s { minimize J; lr in [1, 2, 3] }"),
    ("E0170", "sweep s { minimize J; lr = 1, 2 }", "1, 2", "sweep s { minimize J; lr in [1, 2] }"),
    ("E0170", "param p = 25, 20", "25, 20", "param p = [25, 20]"),
    ("E0171", "loss J = mean (y - p)^2", "mean (y - p)^2", "loss J = mean ((y - p)^2)"),
    ("E0172", "fn f = 3", "fn", "let f = 3"),
    ("E0173", "plot p { lines J over step; title = \"a\" }", "=", "plot p { lines J over step; title \"a\" }"),
    ("E0174", "sweep s { param w = 0; minimize J }", "param", ""),
    ("E0175", "sweep s { minimize J; lines J over step }", "lines", ""),
    ("E0175", "minimize J", "minimize", ""),
    ("E0176", "loss J =", "=", "loss J = ?value"),
    ("E0176", "let y = 2*", "*", "let y = 2*?value"),
    ("E0177", "sweep { minimize J }", "{", "sweep my_sweep { minimize J }"),
    ("E0178", "sweep s = { minimize J }", "=", "sweep s  { minimize J }"),
    ("E0101", "optimizer o(lr {\n  param <- param - lr*grad\n}", "(", "optimizer o(lr) {\n  param <- param - lr*grad\n}"),
    ("E0107", "let a = x.`b", "`", ""),
    ("E0120", "let y = (a + b) // 2", "//", "let y = (a + b) / 2"),
    ("E0127", "sweep s { minimize J; group b { lr *= 2 } }", "*=", "sweep s { minimize J; group b { lr = lr*2 } }"),
    ("E0127", "dataset d { x = [1]; x -= mean(x) }", "-=", "dataset d { x = [1]; x = x - mean(x) }"),
    ("E0129", "dataset d { csv \"a.csv\" header = false }", "\"a.csv\" header", "dataset d { csv \"a.csv\", header = false }"),
    ("E0129", "dataset d { columns a b c }", "a b", "dataset d { columns a, b, c }"),
    ("E0141", "schedule s(t) if t then 1 else 2", "if", "schedule s(t) = if t then 1 else 2"),
    ("E0142", "sweep s { minimize J; batches of 32 suffled }", "suffled", "sweep s { minimize J; batches of 32 shuffled }"),
    ("E0142", "check gradients of J", "gradients", "check gradient of J"),
    ("E0142", "plot p { lines J over step; size 800 x 500 }", "x", "plot p { lines J over step; size 800 by 500 }"),
    ("E0142", "sweep s { minimize J; record J every 10 steps }", "every", "sweep s { minimize J; record J each 10 steps }"),
    ("E0147", "loss J = sum(x for x in X)", "for", ""),
    ("E0168", "let a = {1, 2}", "{", "let a = [1, 2]"),
    ("E0170", "sweep s { minimize J, K }", "J, K", "sweep s { minimize in [J, K] }"),
    ("E0179", "plot p { lines J }", "lines", "plot p { lines J over step }"),
    ("E0180", "param w: 3 = 0", "3", "param w: [3] = 0"),
    ("E0181", "dataset d { csv data/a.csv }", "data/a.csv", "dataset d { csv \"data/a.csv\" }"),
    ("E0181", "plot p { lines J over step; title Losses }", "Losses", "plot p { lines J over step; title \"Losses\" }"),
    ("E0181", "table t { show J as loss }", "loss", "table t { show J as \"loss\" }"),
    ("E0182", "table t { best lr final(J) }", "final", "table t { best lr minimizing final(J) }"),
    ("E0183", "fn f(x) { let a = 1 }", "}", "fn f(x) { let a = 1; return ?value }"),
    ("E0185", "optimizer o(lr) { if t > 5 then { rate <- 2 } }", "if", "optimizer o(lr) { when t > 5  { rate <- 2 } }"),
    ("E0186", "optimizer o(lr) { when t > 5 rate <- 2 }", "rate", "optimizer o(lr) { when t > 5 { rate <- 2 } }"),
    ("E0187", "optimizer o(lr) { m[0] <- 3 }", "[", ""),
    ("E0188", "sweep s { minimize J; zip { lr in [1], beta in [2] } }", ",", "sweep s { minimize J; zip { lr in [1]; beta in [2] } }"),
];

#[test]
fn every_mistake_has_its_words_and_its_edit_parses() {
    let mut wrong = Vec::new();
    for (code, text, at, fixed) in MISTAKES {
        let (sources, _, found) = parse(text);
        let shown = || found.iter().map(|d| diag::render(&sources, d, false)).collect::<Vec<_>>().join("\n");
        let Some(first) = found.first().filter(|d| d.code == *code) else {
            wrong.push(format!("{code} {text:?}: not found, but\n{}", shown()));
            continue;
        };
        let pointed = sources.text(first.primary.span);
        if pointed != *at {
            wrong.push(format!("{code} {text:?}: points at {pointed:?}"));
        }
        match apply(text, first) {
            None if fixed.is_empty() => {}
            None => wrong.push(format!("{code} {text:?}: no edit")),
            Some(applied) if fixed.is_empty() => {
                let (_, _, left) = parse(&applied);
                if left.iter().any(|d| d.severity == Severity::Error) {
                    wrong.push(format!("{code} {text:?}: became {applied:?}, which is wrong: {:?}", left[0]));
                }
            }
            Some(applied) => {
                if applied != *fixed {
                    wrong.push(format!("{code} {text:?}: became {applied:?}"));
                }
                let (_, _, left) = parse(&applied);
                // One text may have the same mistake twice; each edit removes one.
                if left.iter().filter(|d| d.severity == Severity::Error).count() + 1 > found.len().max(1) {
                    wrong.push(format!("{code} {text:?}: became {applied:?}, which is wrong: {}", left[0].message));
                }
            }
        }
        if found.len() > 1 && !found.iter().all(|d| d.code == *code) {
            wrong.push(format!("{code} {text:?}: more than one finding\n{}", shown()));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), MISTAKES.len(), wrong.join("\n\n"));
}

#[test]
fn codes_are_many() {
    let codes: BTreeSet<&str> = MISTAKES.iter().map(|(code, ..)| *code).collect();
    assert!(codes.len() >= 60, "{}", codes.len());
}
