//! What the rewriter and the printer of expressions promise: each rule by example, the gradients of the usual losses as text.

#[path = "rewriting/accuracy.rs"]
mod accuracy;
#[path = "rewriting/precise.rs"]
mod precise;
#[path = "rewriting/printing.rs"]
mod printing;
#[path = "rewriting/random.rs"]
mod random;
#[path = "rewriting/reader.rs"]
mod reader;

use optrun::expr::diff::gradient;
use optrun::expr::eval::evaluate;
use optrun::expr::graph::{Graph, Id, InputKind};
use optrun::expr::op::{Binary, Op, Unary};
use optrun::expr::print::{Names, formula, infix};
use optrun::expr::rewrite::{Options, rewrite};
use optrun::expr::rules::{self, Kind};
use optrun::shape::{DataId, Dim, RowCounts, Shape};
use optrun::source::{FileId, Span};
use std::time::Instant;

const ROWS: Dim = Dim::Rows(DataId(0));

/// The inputs of the examples below.
fn inputs() -> Graph {
    let mut g = Graph::new();
    let rows = |rest: &[usize]| Shape([ROWS].into_iter().chain(rest.iter().map(|&n| Dim::Size(n))).collect());
    for (name, shape) in [("X", rows(&[3])), ("x", rows(&[])), ("y", rows(&[])), ("k", rows(&[])), ("Y", rows(&[10]))] {
        g.input(name, InputKind::Column(DataId(0)), shape);
    }
    for (name, sizes) in [("w", &[3][..]), ("u", &[3]), ("W", &[3, 10]), ("a", &[]), ("b", &[]), ("c", &[]), ("w1", &[]), ("A", &[3, 3])] {
        g.input(name, InputKind::Param, Shape::fixed(sizes));
    }
    g.input("lambda", InputKind::Hyper, Shape::scalar());
    g
}

/// The gradient of a loss as it prints after loss and gradient are rewritten, with `let`s by name.
fn derived(loss: &str, wrt: &str, lets: &[(&'static str, &str)]) -> String {
    let mut g = inputs();
    let mut names: Vec<(&str, Id)> = Vec::new();
    for (name, text) in lets {
        let id = reader::read(&mut g, text, &names);
        names.push((name, id));
    }
    let loss = reader::read(&mut g, loss, &names);
    let wrt = reader::read(&mut g, wrt, &names);
    let mut roots = vec![loss];
    roots.extend(names.iter().map(|&(_, id)| id));
    let (rewritten, report) = rewrite(&mut g, &roots, &Options::default());
    let slopes = gradient(&mut g, rewritten[0], &[wrt]).expect("differentiable");
    let names = Names { nodes: names.iter().map(|&(name, id)| (id, name.to_string())).collect(), ..Names::default() };
    let names = report.follow(&names);
    let (slopes, report) = rewrite(&mut g, &slopes, &Options::default());
    assert!(!report.cut);
    let names = report.follow(&names);
    formula(&g, slopes[0], &names).to_string()
}

#[test]
fn gradients_read_as_on_paper() {
    let p = [("p", "sigmoid(X @ w)")];
    let written_out = [("p", "1/(1 + exp(-(X @ w)))")];
    for (loss, wrt, lets, expected) in [
        ("-sum(y*log(p) + (1 - y)*log(1 - p))", "w", &p[..], "X.T @ (p - y)"),
        ("-sum(y*log(p) + (1 - y)*log(1 - p))", "w", &written_out, "X.T @ (p - y)"),
        ("-mean(y*log(p) + (1 - y)*log(1 - p))", "w", &p, "X.T @ (p - y)/rows(X)"),
        ("sum(-y*log(p) - (1 - y)*log(1 - p))/rows(X)", "w", &p, "X.T @ (p - y)/rows(X)"),
        ("mean(log(1 + exp(X @ w)) - y*(X @ w))", "w", &p, "X.T @ (p - y)/rows(X)"),
        ("mean((b + a*x - y)^2)", "b", &[], "2*mean(b + a*x - y)"),
        ("mean((b + a*x - y)^2)", "a", &[], "2*mean((b + a*x - y)*x)"),
        ("0.1*w1^2", "w1", &[], "0.2*w1"),
        ("sum(w^2)*lambda/2", "w", &[], "lambda*w"),
        ("lambda/2*sum(w^2)", "w", &[], "lambda*w"),
        ("mean((y - X @ w)^2)/2 + lambda/2*sum(w^2)", "w", &[], "lambda*w - X.T @ (y - X @ w)/rows(X)"),
        ("sum((X @ w - y)^2)", "w", &[], "2*(X.T @ (X @ w - y))"),
        ("-mean(pick(log_softmax(X @ W), k))", "W", &[], "X.T @ (softmax(X @ W) - onehot(k, 10))/rows(X)"),
        ("-mean(log(pick(softmax(X @ W), k)))", "W", &[], "X.T @ (softmax(X @ W) - onehot(k, 10))/rows(X)"),
        ("norm(w)", "w", &[], "where(norm(w) == 0, 0, 1/norm(w))*w"),
        ("mean(maximum(0, 1 - y*(X @ w))) + lambda/2*sum(w^2)", "w", &[], "lambda*w - X.T @ (where(0 < 1 - y*(X @ w), 1, 0)*y)/rows(X)"),
        ("-mean(sum(onehot(k, 10)*log(softmax(X @ W)), axis = 1))", "W", &[], "X.T @ (softmax(X @ W) - onehot(k, 10))/rows(X)"),
        ("mean(log(1 + exp(-y*(X @ w)))) + lambda*sum(abs(w))", "w", &[], "lambda*sign(w) - X.T @ (sigmoid(-y*(X @ w))*y)/rows(X)"),
        ("mean(exp(X @ w) - y*(X @ w))", "w", &[], "X.T @ (exp(X @ w) - y)/rows(X)"),
        ("mean((p - y)^2)", "w", &p, "2*(X.T @ ((p - y)*(p*(1 - p))))/rows(X)"),
        ("a*cos(0.15*pi*a)", "a", &[], "cos(0.15*pi*a) - 0.15*pi*a*sin(0.15*pi*a)"),
        ("(1 - a)^2 + 100*(b - a^2)^2", "a", &[], "-400*(b - a^2)*a - 2*(1 - a)"),
        ("sum(sqrt(w))", "w", &[], "0.5/sqrt(w)"),
        ("a^3 - 3*a", "a", &[], "3*a^2 - 3"),
    ] {
        assert_eq!(derived(loss, wrt, lets), expected, "d/d{wrt} {loss}");
    }
}

/// What a rule does: its name, an expression, and what becomes of it.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("constant", "1 + 2*3", "7"),
    ("add zero", "w + 0", "w"),
    ("from zero", "0 - w", "-w"),
    ("times one", "1*w", "w"),
    ("simple power", "w^1", "w"),
    ("square", "w^(1 + 1)", "w^2"),
    ("number first", "w*2", "2*w"),
    ("double minus", "-(-w)", "w"),
    ("minus difference", "-(a - b)", "b - a"),
    ("add minus", "-a + -b", "-(a + b)"),
    ("add minus", "w + -a*u", "w - a*u"),
    ("add minus", "w + -2*u", "w - 2*u"),
    ("subtract minus", "w - -3", "w + 3"),
    ("subtract minus", "a - -b", "a + b"),
    ("minus in a product", "a*(-b)", "-a*b"),
    ("even", "cos(-a)", "cos(a)"),
    ("same branches", "where(a < b, c, c)", "c"),
    ("reciprocal", "w^-1", "1/w"),
    ("half power", "w^0.5", "sqrt(w)"),
    ("double transpose", "A.T.T @ w", "A @ w"),
    ("transposed product", "(A.T @ W).T", "W.T @ A"),
    ("expand and squeeze", "squeeze1(w[:, None])", "w"),
    ("whole slice", "whole(w)", "w"),
    ("reduce one", "sum(w[None, :], axis = 0)", "w"),
    ("repeat twice", "A @ repeat33(repeat3(a))", "A @ (a*ones([3, 3]))"),
    ("repetition outward", "exp(repeat3(a))*w", "exp(a)*w"),
    ("rearranged repetition", "repeat3(a)[:, None]*A", "a*A"),
    ("transposed repetition", "repeat33(a).T*A", "a*A"),
    ("sum of a repetition", "sum(repeat_rows(a))", "rows(X)*a"),
    ("product with ones", "X.T @ repeat_rows(1)", "sum(X, axis = 0)"),
    ("sum of a transpose", "sum(A.T, axis = 0)", "sum(A, axis = 1)"),
    ("rows of the identity", "x + sum(onehot(k, 10), axis = 1)", "x + 1"),
    ("scattered constant", "unpick(repeat_rows(a), k)", "a*onehot(k, 10)"),
    ("pick", "sum(onehot(k, 10)*log_softmax(Y), axis = 1)", "pick(log_softmax(Y), k)"),
    ("one minus sigmoid", "1 - sigmoid(a)", "sigmoid(-a)"),
    ("sigmoid", "1/(1 + exp(-a))", "sigmoid(a)"),
    ("sigmoid", "1/(1 + exp(a))", "sigmoid(-a)"),
    ("sigmoid", "exp(a)/(1 + exp(a))", "sigmoid(a)"),
    ("tanh", "(exp(a) - exp(-a))/(exp(a) + exp(-a))", "tanh(a)"),
    ("slope of tanh", "1 - tanh(a)^2", "1 - tanh(a)^2"),
    ("log of sigmoid", "log(sigmoid(a))", "-softplus(-a)"),
    ("log of sigmoid", "log(1 - sigmoid(a))", "-softplus(a)"),
    ("log of exp", "log(exp(a))", "a"),
    ("log of a sum of exp", "log(sum(exp(A), axis = 1))", "logsumexp(A, axis = 1)"),
    ("log of a mean of exp", "log(mean(exp(x)))", "logsumexp(x) - log(rows(X))"),
    ("softmax", "exp(A)/sum(exp(A), axis = 1)[:, None]", "softmax(A)"),
    ("softmax", "exp(w)/sum(exp(w))", "softmax(w)"),
    ("shifted softmax", "softmax(A - max(A, axis = 1)[:, None])", "softmax(A)"),
    ("log of softmax", "log(softmax(A))", "log_softmax(A)"),
    ("less its logsumexp", "A - logsumexp(A, axis = 1)[:, None]", "log_softmax(A)"),
    ("log of a choice", "log(pick(softmax(Y), k))", "pick(log_softmax(Y), k)"),
    ("softplus", "log(1 + exp(a))", "softplus(a)"),
    ("softplus less its argument", "softplus(a) - a", "softplus(-a)"),
    ("log1p", "log(1 + a)", "log1p(a)"),
    ("log1p", "log(1 - a)", "log1p(-a)"),
    ("expm1", "exp(a) - 1", "expm1(a)"),
    ("expm1", "1 - exp(a)", "-expm1(a)"),
    ("one minus cos", "1 - cos(a)", "2*sin(a/2)^2"),
    ("norm squared", "norm(w)^2", "sum(w^2)"),
    ("0 log 0", "w*log(u)", "w*log(u)"),
    ("0 log 0", "a*log(a)", "a*log(a)"),
    ("slope of sigmoid", "sigmoid(a)*(1 - sigmoid(a))", "sigmoid(a)*(1 - sigmoid(a))"),
    ("self product", "a*a", "a^2"),
    ("equal factors", "a*b*b", "a*b^2"),
    ("numbers of a product", "2*(3*a)", "6*a"),
    ("numbers of a product", "lambda/2*(2*w)", "lambda*w"),
    ("numbers of a product", "a*(1/b)", "a/b"),
    ("number into where", "2*where(a < b, 0, c/2)", "where(a < b, 0, c)"),
    ("factors of a mean", "2*sum(x)/rows(X)", "2*mean(x)"),
    ("factor out of a sum", "sum(a*x)", "a*sum(x)"),
    ("factor out of a product", "X.T @ (x/b)", "X.T @ x/b"),
    ("factors of both", "a*x*(y/b)", "a*(x*y)/b"),
    ("common factor", "a*x + a*y", "a*(x + y)"),
    ("common factor", "x/a - y/a", "(x - y)/a"),
    ("like terms", "2*x + 3*x", "5*x"),
    ("residual", "(1 - y)*sigmoid(x) - y*sigmoid(-x)", "sigmoid(x) - y"),
    ("residual", "k*y*(1 - sigmoid(x)) - k*(1 - y)*sigmoid(x)", "k*(y - sigmoid(x))"),
    ("sum of softplus", "sum(softplus(x))", "x @ where(0 < x, 1, 0) + sum_log1p(exp_neg_abs(x))"),
    ("sum of softplus", "sum(y*softplus(-x) + (1 - y)*softplus(x))", "x @ where(0 < x, 1 - y, -y) + sum_log1p(exp_neg_abs(x))"),
    ("sum of softplus", "sum(softplus(x) - y*x) + a", "x @ where(0 < x, 1 - y, -y) + sum_log1p(exp_neg_abs(x)) + a"),
    ("sum of softplus", "sum(k + softplus(x) - y*x)", "x @ where(0 < x, 1 - y, -y) + sum_log1p(exp_neg_abs(x)) + sum(k)"),
    ("times zero", "0*a", "0"),
    ("minus itself", "a - a", "0"),
    ("over itself", "a/a", "1"),
    ("exp of log", "exp(log(a))", "a"),
    ("square of root", "sqrt(a)^2", "a"),
    ("root of square", "sqrt(a^2)", "abs(a)"),
];

#[test]
fn every_rule_does_what_it_says() {
    let mut wrong = Vec::new();
    for (name, before, after) in EXAMPLES {
        let mut g = inputs();
        let root = reader::read(&mut g, before, &[]);
        let options = match rules::table().find(|rule| rule.name == *name).map(|rule| rule.kind) {
            None | Some(Kind::Assuming) => Options::ALL,
            Some(Kind::Fused) => Options::FUSED,
            Some(_) => Options::default(),
        };
        let (rewritten, report) = rewrite(&mut g, &[root], &options);
        let text = infix(&g, rewritten[0]);
        let fired: Vec<&str> = report.firings.iter().map(|firing| firing.rule.name).collect();
        if text != *after || !fired.contains(name) {
            wrong.push(format!("{name}: {before} became {text}, not {after}, by {fired:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for rule in rules::table() {
        assert!(EXAMPLES.iter().any(|(name, ..)| *name == rule.name), "no example of `{}`", rule.name);
    }
}

#[test]
fn a_report_says_what_is_evaluated_instead() {
    let mut g = inputs();
    let z = reader::read(&mut g, "X @ w", &[]);
    let p = g.unary(Unary::Sigmoid, z);
    let loss = reader::read(&mut g, "-sum(y*log(p))", &[("p", p)]);
    let span = Span::new(FileId(0), 3, 9);
    let log = (0..g.len()).map(|index| Id(index as u32)).find(|&id| g.node(id).op == Op::Unary(Unary::Log)).expect("a logarithm");
    g.set_span(log, span);
    let (roots, report) = rewrite(&mut g, &[loss, p], &Options::default());
    let names = Names { nodes: [(p, "p".to_string())].into(), ..Names::default() };
    let firing = report.of_kind(Kind::Stable).next().expect("a stability rule");
    let (before, after) = firing.text(&g, &names);
    assert_eq!((firing.rule.name, firing.span), ("log of sigmoid", Some(span)));
    assert_eq!((before.text, after.text), ("log(p)".to_string(), "-softplus(-(X @ w))".to_string()));
    assert_eq!(infix(&g, roots[0]), "sum(y*softplus(-(X @ w)))");
    assert_eq!(report.image(p), Some(p));
}

#[test]
fn large_graphs_are_no_trouble() {
    let mut g = inputs();
    let (mut chain, one, y) = (reader::read(&mut g, "a", &[]), g.number(1.0), reader::read(&mut g, "x", &[]));
    for round in 0..25_000 {
        // A product, a sign, a neutral element and a sum each time, so that rules have work everywhere.
        chain = g.binary(Binary::Mul, chain, one);
        chain = g.unary(Unary::Neg, chain);
        chain = if round % 2 == 0 { g.unary(Unary::Sin, chain) } else { g.binary(Binary::Add, chain, y) };
        if round == 0 {
            chain = g.binary(Binary::Add, chain, y);
        }
    }
    let start = Instant::now();
    let (roots, report) = rewrite(&mut g, &[chain], &Options::default());
    assert!(!report.cut && report.firings.len() >= 49_000, "{}", report.firings.len());
    assert!(infix(&g, roots[0]).len() < 1_000_000);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn the_gradient_at_zero_is_exact() {
    // `X.T @ (p - y)` with p = 1/2: sums of halves of whole numbers, which no order of additions changes.
    let rows = [([1.0, 5.0, 1.0], 0.0), ([1.0, 10.0, 4.0], 1.0), ([1.0, 3.0, 1.0], 0.0), ([1.0, 8.0, 10.0], 1.0), ([1.0, 1.0, 7.0], 0.0)];
    let mut g = inputs();
    let loss = reader::read(&mut g, "-sum(y*log(sigmoid(X @ w)) + (1 - y)*log(1 - sigmoid(X @ w)))", &[]);
    let w = reader::read(&mut g, "w", &[]);
    let (loss, _) = rewrite(&mut g, &[loss], &Options::default());
    let slope = gradient(&mut g, loss[0], &[w]).expect("differentiable");
    let (slope, _) = rewrite(&mut g, &slope, &Options::default());
    let value = |input| match &g.input_info(input).name[..] {
        "X" => ndarray::Array2::from_shape_fn((5, 3), |(i, j)| rows[i].0[j]).into_dyn().into(),
        "y" => ndarray::Array1::from_shape_fn(5, |i| rows[i].1).into_dyn().into(),
        "w" => ndarray::Array1::zeros(3).into_dyn().into(),
        _ => None,
    };
    let found = evaluate(&g, &slope, &value, &RowCounts(vec![5])).expect("all inputs given");
    // By hand: half the sum of a column, less the sum of its rows with y = 1.
    assert_eq!(found[0].iter().copied().collect::<Vec<f64>>(), [2.5 - 2.0, 13.5 - 18.0, 11.5 - 14.0]);
}
