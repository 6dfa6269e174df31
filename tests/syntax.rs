//! The parser from outside: whole specs, precedence, size, recovery, and text back from trees.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use optrun::diag;
use optrun::source::{FileId, Sources};
use optrun::syntax::{self, ast};

fn specs(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder);
    let entries = std::fs::read_dir(root).expect("the folder is in the repository");
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "opt")).collect();
    found.sort();
    found
}

fn load(text: &str) -> (Sources, FileId) {
    let mut sources = Sources::new();
    let file = sources.add("test.opt", ".", text, false);
    (sources, file)
}

fn parse_clean(name: &str, text: &str) -> ast::File {
    let (sources, file) = load(text);
    let (tree, found) = syntax::parse(&sources, file);
    let shown: Vec<String> = found.list.iter().map(|d| diag::render(&sources, d, false)).collect();
    assert!(shown.is_empty(), "{name}:\n{}", shown.join("\n\n"));
    tree
}

#[test]
fn every_spec_and_example_parses() {
    let mut count = 0;
    for path in ["wanted", "wanted/library", "language"].iter().flat_map(|folder| specs(folder)) {
        let text = syntax::decode(&std::fs::read(&path).unwrap()).unwrap();
        let tree = parse_clean(&path.display().to_string(), &text);
        let again = parse_clean(&format!("{} printed", path.display()), &syntax::file(&tree));
        assert_eq!(syntax::file(&again), syntax::file(&tree));
        assert_eq!(again.items.len(), tree.items.len());
        count += 1;
    }
    assert!(count >= 23 + 8, "only {count} files");
}

fn spaced(e: &ast::Expr) -> String {
    use ast::{Arg, ExprKind as K, IndexItem};
    match &e.kind {
        K::Number(_) | K::Name(_) | K::Text(_) | K::Blank(_) | K::None => syntax::expr(e),
        K::Paren(inner) => spaced(inner),
        K::Unary { op, arg, .. } => format!("({op:?} {})", spaced(arg)),
        K::Chain { first, rest } => rest.iter().fold(spaced(first), |left, (op, _, right)| format!("({op:?} {left} {})", spaced(right))),
        K::Pow { base, exponent, .. } => format!("(Pow {} {})", spaced(base), spaced(exponent)),
        K::Compare { op, left, right, .. } => format!("({op:?} {} {})", spaced(left), spaced(right)),
        K::Range(low, high) => format!("(Range {} {})", spaced(low), spaced(high)),
        K::Pipe(stages) => format!("(Pipe {})", stages.iter().map(spaced).collect::<Vec<_>>().join(" ")),
        K::If { branches, otherwise } => {
            let branches: Vec<String> = branches.iter().map(|(c, v)| format!("{} {}", spaced(c), spaced(v))).collect();
            format!("(If {} {})", branches.join(" "), spaced(otherwise))
        }
        K::Field { base, field } => format!("(Field {} {})", spaced(base), field.name),
        K::On { base, part } => format!("(On {} {})", spaced(base), part.name),
        K::Over { value, axes } => format!("(Over {} {})", spaced(value), axes.len()),
        K::Index { base, items } => {
            let items: Vec<String> = items
                .iter()
                .map(|item| match item {
                    IndexItem::At(e) => spaced(e),
                    IndexItem::NewAxis(_) => "new".to_owned(),
                    IndexItem::Slice { start, stop, step, .. } => {
                        [start, stop, step].map(|part| part.as_ref().map_or("_".to_owned(), |part| spaced(part))).join(":")
                    }
                })
                .collect();
            format!("(Index {} {})", spaced(base), items.join(" "))
        }
        K::Call { name, args, .. } => {
            let args: Vec<String> = args
                .iter()
                .map(|arg| match arg {
                    Arg::Positional(e) => spaced(e),
                    Arg::Named(name, e) => format!("{}={}", name.name, spaced(e)),
                    Arg::In(name, e) => format!("{} in {}", name.name, spaced(e)),
                })
                .collect();
            format!("(Call {} {})", name.name, args.join(" "))
        }
        K::Grad { part, at } => {
            format!(
                "(Grad {} {})",
                part.as_ref().map_or("_", |part| part.name.as_str()),
                at.as_ref().map_or("_".to_owned(), |at| spaced(at))
            )
        }
        K::List(parts) => format!("[{}]", parts.iter().map(spaced).collect::<Vec<_>>().join(" ")),
        K::Tuple(parts) => format!("<{}>", parts.iter().map(spaced).collect::<Vec<_>>().join(" ")),
        K::Scan(scan) => format!("(Scan {} {})", scan.carries.len(), scan.lines.len()),
    }
}

fn expression(text: &str) -> ast::Expr {
    let (sources, file) = load(text);
    syntax::parse_expr(&sources, file).unwrap_or_else(|found| panic!("{text}: {:?}", found.list))
}

#[test]
fn precedence_is_the_language_page_s() {
    // By hand from the table of the language page: |> or and not comparisons .. +- */@ unary- ^ postfix.
    let table = [
        ("-x^2", "(Neg (Pow x 2))"),
        ("2^-1*3", "(Mul (Pow 2 (Neg 1)) 3)"),
        ("2^3^2", "(Pow 2 (Pow 3 2))"),
        ("2^-x^2", "(Pow 2 (Neg (Pow x 2)))"),
        ("2**3", "(Pow 2 3)"),
        ("X.T[0]", "(Index (Field X T) 0)"),
        ("-x.T", "(Neg (Field x T))"),
        ("a @ b * c", "(Mul (MatMul a b) c)"),
        ("a * b @ c / d", "(Div (MatMul (Mul a b) c) d)"),
        ("a - b - c", "(Sub (Sub a b) c)"),
        ("a - b*c", "(Sub a (Mul b c))"),
        ("a + -b", "(Add a (Neg b))"),
        ("2*-3", "(Mul 2 (Neg 3))"),
        ("a--b", "(Sub a (Neg b))"),
        ("1..n + 1", "(Range 1 (Add n 1))"),
        ("-16..2", "(Range (Neg 16) 2)"),
        ("0..35", "(Range 0 35)"),
        ("1...5", "(Range 1 0.5)"),
        ("a < b + 1", "(Lt a (Add b 1))"),
        ("not a == b", "(Not (Eq a b))"),
        ("not a and b", "(And (Not a) b)"),
        ("a and b or c and d", "(Or (And a b) (And c d))"),
        ("a or b or c", "(Or (Or a b) c)"),
        ("a |> b |> c(d)", "(Pipe a b (Call c d))"),
        ("a or b |> c", "(Pipe (Or a b) c)"),
        ("if a then b elif c then d else e + f", "(If a b c d (Add e f))"),
        ("if a then if b then c else d else e", "(If a (If b c d) e)"),
        ("(if a then b else c) + 1", "(Add (If a b c) 1)"),
        ("J on test <= 0.1", "(LtEq)"),
        ("-J on test^2", "(Neg (Pow (On J test) 2))"),
        ("f(x, axis = 1)[:, None, 0:2, ::3, -1]", "(Index (Call f x axis=1) _:_:_ new 0:2:_ _:_:3 (Neg 1))"),
        ("v[1::2]", "(Index v 1:_:2)"),
        ("v[:3]", "(Index v _:3:_)"),
        ("adam(lr in [1, 2], beta = 0.9)", "(Call adam lr in [1 2] beta=0.9)"),
        ("mean(x over optimizer, lr)", "(Call mean (Over x 2))"),
        ("mean(x over all)", "(Call mean (Over x 0))"),
        ("final(J, optimizer == adam)", "(Call final J (Eq optimizer adam))"),
        ("submission.my_adam(lr = 1)", "(Call submission.my_adam lr=1)"),
        ("grad", "grad"),
        ("grad(J, w)", "(Call grad J w)"),
        ("grad at (p - u)", "(Grad _ (Sub p u))"),
        ("grad on train", "(Grad train _)"),
        ("grad on train at (p)*2", "(Mul (Grad train p) 2)"),
        ("10_000 + .5 + 1. + 1e-6 + 2.e3", "(Add (Add (Add (Add 10000 0.5) 1) 1e-6) 2000)"),
        ("(a, b)", "<a b>"),
        ("[a, b,]", "[a b]"),
        ("?gap + 1", "(Add ?gap 1)"),
        ("`odd name`*2", "(Mul `odd name` 2)"),
        ("x <- 1", ""),
    ];
    for (text, wanted) in table {
        if wanted.is_empty() {
            let (sources, file) = load(text);
            assert!(syntax::parse_expr(&sources, file).is_err(), "{text}");
        } else if wanted == "(LtEq)" {
            assert_eq!(spaced(&expression(text)), "(Le (On J test) 0.1)");
        } else {
            assert_eq!(spaced(&expression(text)), wanted, "{text}");
        }
    }
}

#[test]
fn spans_cover_what_was_written() {
    let text = "\u{3b8} + f(b, [1, 2])^2";
    let (sources, file) = load(text);
    let e = syntax::parse_expr(&sources, file).unwrap();
    assert_eq!(sources.text(e.span), text);
    let ast::ExprKind::Chain { first, rest } = &e.kind else { panic!() };
    assert_eq!((sources.text(first.span), sources.text(rest[0].1), sources.text(rest[0].2.span)), ("\u{3b8}", "+", "f(b, [1, 2])^2"));
}

#[test]
fn names_are_normalized_and_backticks_removed() {
    // The Angstrom sign U+212B is NFKC's U+00C5.
    assert_eq!(expression("\u{212b}").kind, ast::ExprKind::Name("\u{c5}".to_owned()));
    assert_eq!(expression("`mean radius`").kind, ast::ExprKind::Name("mean radius".to_owned()));
    assert_eq!(expression(r#""a\"\\\n\t\u{3b8}""#).kind, ast::ExprKind::Text("a\"\\\n\t\u{3b8}".to_owned()));
}

#[test]
fn decoding_accepts_marks_and_refuses_bytes() {
    assert_eq!(syntax::decode("\u{feff}a\r\nb".as_bytes()).unwrap(), "a\nb");
    let error = syntax::decode(b"a\nb\xff").unwrap_err();
    assert_eq!((error.offset, error.line), (3, 2));
}

#[test]
fn a_line_goes_on_where_it_must() {
    let tree = parse_clean(
        "joined",
        "# first\n# second\nlet a = 1 +\n  2\nlet b = f(1,\n\n  # a remark\n  2)\nlet c = 1\n  - 2\nschedule s =\n  if t < 5 then 1\n  elif t < 6\n  then 2\n  else 3\nsweep q\n{\n  minimize J ;\n  optimizer in [a,\n    b]\n\n}\n",
    );
    assert_eq!(tree.items.len(), 5);
    assert_eq!(tree.items[0].doc, [" first", " second"]);
    let text = syntax::file(&tree);
    assert!(text.contains("let c = 1 - 2") && text.contains("let b = f(1, 2)"), "{text}");
}

#[test]
fn keywords_are_names_where_names_stand() {
    let tree = parse_clean(
        "names",
        "param rate = 1\nparam table = rate\nlet best = table + x\nhyper lines = 3\ndataset d {\n  columns = [1]\n  rows = [2]\n  split = columns\n}\n\
         optimizer o(when) {\n  state report = 0\n  report <- when\n  param <- param - report\n}\nsweep s { minimize table; batches = 3; zip in [1]; optimizer = o }\nplot p { lines lines over points }",
    );
    assert_eq!(tree.items.len(), 8);
}

#[test]
fn independent_mistakes_are_all_found() {
    let text = "param w = 0\nlet a = 2x + np.exp(w)\nsweep s {\n  minimise J\n  steps 10\n  lr in 1, 2\n  optimizer = adam(lr = 1 beta = 2)\n  record J w\n}\nlos J = mean(w\nplot p {\n  line J over step\n  tilte \"x\"\n}\nlet last = 1\n";
    let (sources, file) = load(text);
    let (tree, found) = syntax::parse(&sources, file);
    let codes: Vec<&str> = found.list.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["E0110", "E0115", "E0142", "E0141", "E0170", "E0129", "E0129", "E0142", "E0101", "E0142", "E0142"]);
    assert_eq!(tree.items.len(), 6, "what a repair makes readable is returned");
    let mut edits: Vec<_> =
        found.list.iter().filter_map(|d| d.help.iter().find(|help| !help.edits.is_empty())).flat_map(|help| help.edits.clone()).collect();
    edits.sort_by_key(|(span, _)| (span.lo, span.hi));
    let mut fixed = text.to_owned();
    for (span, with) in edits.iter().rev() {
        fixed.replace_range(span.lo as usize..span.hi as usize, with);
    }
    assert_eq!(syntax::file(&parse_clean("all edits at once", &fixed)), syntax::file(&tree));
}

#[test]
fn clauses_that_trail_a_line_are_lines() {
    let tree = parse_clean("clauses", "plot p { lines J over epoch from full, mini for lr == 1; color lr }");
    let ast::ItemKind::Plot { lines, .. } = &tree.items[0].kind else { panic!() };
    assert_eq!(lines.len(), 4);
    assert!(matches!(&lines[1].kind, ast::OutLineKind::From(names) if names.len() == 2));
}

#[test]
fn the_tree_shows_a_node_a_line() {
    let (sources, file) = load("let a = 2*b\n");
    let (tree, _) = syntax::parse(&sources, file);
    assert_eq!(syntax::tree(&sources, &tree), "let a = 2*b  [1:1-12]\n  mul  [1:9-12]\n    number 2  [1:9-10]\n    name b  [1:11-12]\n");
}

/// Time this thread spent on a processor, where the system tells; else the time that passed.
fn spent(since: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|line| line.split_whitespace().next()?.parse().ok());
    nanos.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

fn quickly<T>(what: &str, limit: Duration, run: impl FnOnce() -> T) -> T {
    let epoch = Instant::now();
    let start = spent(epoch);
    let result = run();
    let taken = spent(epoch).saturating_sub(start);
    assert!(taken < limit, "{what}: {taken:?}");
    result
}

#[test]
fn a_long_sum_is_wide_and_not_deep() {
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(|| {
            let tree = quickly("sum", Duration::from_secs(1), || parse_clean("sum", &format!("let s = {}1", "1 + ".repeat(99_999))));
            let ast::ItemKind::Let { value: ast::Start::Value(e), .. } = &tree.items[0].kind else { panic!() };
            assert!(matches!(&e.kind, ast::ExprKind::Chain { rest, .. } if rest.len() == 99_999));
            drop(tree);
            for text in ["a < ", "a.. ", "a or ", "a |> "] {
                let (sources, file) = load(&format!("let s = {}1", text.repeat(20_000)));
                drop(syntax::parse(&sources, file));
            }
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn depth_is_refused_at_once() {
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(|| {
            let deep = |open: &str, close: &str, n: usize| format!("let s = {}1{}\nlet after = 1", open.repeat(n), close.repeat(n));
            for (open, close) in [
                ("(", ")"),
                ("[", "]"),
                ("f(", ")"),
                ("(1 + ", ")"),
                ("x[", "]"),
                ("-", ""),
                ("not ", ""),
                ("2^", ""),
                ("if a then b else ", ""),
                ("1 + (if a then ", " else b)"),
                ("", ".T"),
                ("", "[0]"),
            ] {
                let (sources, file) = load(&deep(open, close, 100_000));
                let (tree, found) = quickly(open, Duration::from_secs(1), || syntax::parse(&sources, file));
                assert_eq!(found.list.iter().map(|d| d.code).collect::<Vec<_>>(), ["E0105"], "{open} {close}");
                assert_eq!(tree.items.len(), 1, "{open}: what follows is read");
                parse_clean(open, &deep(open, close, 100));
            }
            let (sources, file) = load(&deep("(", ")", 100_000));
            quickly("parentheses", Duration::from_millis(100), || syntax::parse(&sources, file));
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn nesting_is_linear() {
    for open in ["(", "[", "f(a, b = ", "x[1:", "(if a then 1 else ", "f(x in ", "(1, "] {
        let close = |open: &str| if open.contains('[') && !open.contains('(') { "]" } else { ")" };
        let text = format!("let s = {}1{}", open.repeat(120), close(open).repeat(120));
        quickly(open, Duration::from_millis(200), || parse_clean(open, &text));
        // Broken at the bottom it must not be slower.
        let (sources, file) = load(&format!("let s = {}1 2{}", open.repeat(120), close(open).repeat(120)));
        quickly(open, Duration::from_millis(400), || syntax::parse(&sources, file));
    }
}

mod anything {
    use super::{Duration, load, quickly, specs, syntax};
    use proptest::prelude::*;

    const PIECES: &[&str] = &[
        "let ",
        "param ",
        "sweep s ",
        "plot p ",
        "optimizer o(lr) ",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ";",
        "\n",
        ",",
        "=",
        "<-",
        "+-",
        "..",
        ".",
        "~",
        ":",
        "a",
        "2",
        "1e5",
        "\"x\"",
        "\"",
        "'",
        "`",
        "#",
        "//",
        "/*",
        "*/",
        "if ",
        " then ",
        " else ",
        "for ",
        "from ",
        "over ",
        "in ",
        "on ",
        "not ",
        "minimize J",
        "lines ",
        "+",
        "-",
        "^",
        "@",
        "|>",
        "<",
        "==",
        "%",
        "?",
        "&&",
        "\u{2212}",
        "\u{201c}",
        "\r",
        "\u{0}",
        "np.",
        ".T",
        "lambda x: ",
        "def f(x): ",
        "scan h = 0 over x in X ",
        "yield ",
        "each epoch ",
        "when ",
        "+=",
        ":=",
        "expect ",
        "claim ",
        "é",
    ];

    fn survives(text: &str) {
        let (sources, file) = load(text);
        let (tree, found) = quickly(text, Duration::from_secs(2), || syntax::parse(&sources, file));
        for diagnostic in &found.list {
            for (span, _) in diagnostic.help.iter().flat_map(|help| &help.edits) {
                assert!(span.lo <= span.hi && text.is_char_boundary(span.lo as usize) && text.is_char_boundary(span.hi as usize));
            }
            assert!(text.get(diagnostic.primary.span.lo as usize..diagnostic.primary.span.hi as usize).is_some());
            assert!(!optrun::diag::render(&sources, diagnostic, false).is_empty());
        }
        assert_eq!(syntax::file(&tree).is_empty(), tree.items.is_empty());
        assert_eq!(syntax::tree(&sources, &tree).is_empty(), tree.items.is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pieces_in_any_order(picks in proptest::collection::vec(0..PIECES.len(), 0..40)) {
            survives(&picks.iter().map(|pick| PIECES[*pick]).collect::<String>());
        }

        #[test]
        fn any_text(text in "\\PC{0,60}") {
            survives(&text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn mutated_specs(which in 0usize..100, at in 0.0..1.0f64, length in 0usize..6, pick in 0..PIECES.len()) {
            let specs = specs("wanted");
            let text = std::fs::read_to_string(&specs[which % specs.len()]).unwrap();
            let boundary = |mut at: usize| {
                at = at.min(text.len());
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let lo = boundary((at * text.len() as f64) as usize);
            let hi = boundary(lo + length).max(lo);
            survives(&format!("{}{}{}", &text[..lo], PIECES[pick], &text[hi..]));
        }
    }
}
