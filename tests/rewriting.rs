//! What the rewriter and the printer of expressions promise.

use std::collections::BTreeMap;

#[path = "rewriting/precise.rs"]
mod precise;
#[path = "rewriting/reader.rs"]
mod reader;

use optrun::expr::diff::gradient;
use optrun::expr::eval::{Tensor, evaluate};
use optrun::expr::graph::{Graph, Id, InputKind};
use optrun::expr::op::{Binary, Op, Reduce, Unary};
use optrun::expr::print::{Names, dump, formula, infix};
use optrun::expr::rewrite::{Options, rewrite};
use optrun::expr::rules::{self, Kind};
use optrun::shape::{DataId, Dim, RowCounts, Shape};
use precise::{Twice, twice};

const ROWS: Dim = Dim::Rows(DataId(0));

/// A graph with the inputs that most tests need.
struct Bench {
    g: Graph,
    x_matrix: Id,
    y: Id,
    w: Id,
    a: Id,
    b: Id,
}

fn bench() -> Bench {
    let mut g = Graph::new();
    let x_matrix = g.input("X", InputKind::Column(DataId(0)), Shape(vec![ROWS, Dim::Size(3)]));
    let y = g.input("y", InputKind::Column(DataId(0)), Shape(vec![ROWS]));
    let w = g.input("w", InputKind::Param, Shape::fixed(&[3]));
    let a = g.input("a", InputKind::Param, Shape::scalar());
    let b = g.input("b", InputKind::Param, Shape::scalar());

    Bench { g, x_matrix, y, w, a, b }
}

impl Bench {
    fn add(&mut self, a: Id, b: Id) -> Id {
        self.g.binary(Binary::Add, a, b)
    }
    fn sub(&mut self, a: Id, b: Id) -> Id {
        self.g.binary(Binary::Sub, a, b)
    }
    fn mul(&mut self, a: Id, b: Id) -> Id {
        self.g.binary(Binary::Mul, a, b)
    }
    fn div(&mut self, a: Id, b: Id) -> Id {
        self.g.binary(Binary::Div, a, b)
    }
    fn pow(&mut self, a: Id, b: Id) -> Id {
        self.g.binary(Binary::Pow, a, b)
    }
    fn un(&mut self, op: Unary, a: Id) -> Id {
        self.g.unary(op, a)
    }
    fn num(&mut self, x: f64) -> Id {
        self.g.number(x)
    }
    fn at(&mut self, a: Id, b: Id) -> Id {
        self.g.add(Op::MatMul, &[a, b])
    }
    fn t(&mut self, a: Id) -> Id {
        self.g.add(Op::Transpose, &[a])
    }
    fn sum(&mut self, a: Id) -> Id {
        self.g.sum_all(a)
    }
    fn mean(&mut self, a: Id) -> Id {
        let sum = self.sum(a);
        let count = match self.g.shape(a).0.first().copied() {
            Some(dim) => self.g.extent(dim),
            None => self.g.number(1.0),
        };
        self.div(sum, count)
    }
}

#[test]
fn precedence_and_parentheses() {
    let mut t = bench();
    let (a, b) = (t.a, t.b);
    let sum = t.add(a, b);
    let difference = t.sub(a, sum);
    assert_eq!(infix(&t.g, difference), "a - (a + b)");
    let product = t.mul(sum, difference);
    assert_eq!(infix(&t.g, product), "(a + b)*(a - (a + b))");
    let quotient = t.div(a, b);
    let right = t.mul(a, quotient);
    let left = t.mul(quotient, a);
    assert_eq!((infix(&t.g, right), infix(&t.g, left)), ("a*(a/b)".to_string(), "a/b*a".to_string()));
    let power = t.pow(a, b);
    let tower = t.pow(a, power);
    let other = t.pow(power, a);
    assert_eq!((infix(&t.g, tower), infix(&t.g, other)), ("a^a^b".to_string(), "(a^b)^a".to_string()));
    let minus = t.un(Unary::Neg, a);
    let square = t.un(Unary::Square, minus);
    let minus_square = {
        let s = t.un(Unary::Square, a);
        t.un(Unary::Neg, s)
    };
    assert_eq!((infix(&t.g, square), infix(&t.g, minus_square)), ("(-a)^2".to_string(), "-a^2".to_string()));
    let plus_minus = t.add(b, minus);
    let minus_plus = t.add(minus, b);
    assert_eq!((infix(&t.g, plus_minus), infix(&t.g, minus_plus)), ("b - a".to_string(), "b - a".to_string()));
    let times_minus = t.mul(b, minus);
    assert_eq!(infix(&t.g, times_minus), "b*(-a)");
    let less = t.g.binary(Binary::Lt, sum, b);
    let not = t.un(Unary::Not, less);
    let both = t.g.binary(Binary::And, not, less);
    let either = t.g.binary(Binary::Or, both, less);
    let nested = t.g.binary(Binary::And, either, less);
    assert_eq!(infix(&t.g, nested), "(not a + b < b and a + b < b or a + b < b) and a + b < b");
    let choice = t.g.add(Op::Select, &[less, a, b]);
    assert_eq!(infix(&t.g, choice), "where(a + b < b, a, b)");
    let step = t.mul(less, a);
    assert_eq!(infix(&t.g, step), "(a + b < b)*a");
}

#[test]
fn numbers_are_the_shortest_that_read_back() {
    let mut t = bench();
    for (x, text) in [
        (1e-6, "1e-6"),
        (0.5, "0.5"),
        (10_000.0, "10000"),
        (-3.0, "-3"),
        (0.1 + 0.2, "0.30000000000000004"),
        (f64::INFINITY, "inf"),
        (f64::NAN, "nan"),
        (std::f64::consts::PI, "pi"),
        (1.0 / 3.0, "1/3"),
        (-2.0 / 3.0, "-2/3"),
        (2.0 * std::f64::consts::PI, "2*pi"),
        (0.15 * std::f64::consts::PI, "0.15*pi"),
        (std::f64::consts::PI / 2.0, "pi/2"),
        (std::f64::consts::E, "e"),
        (1e300, "1e300"),
    ] {
        let id = t.num(x);
        assert_eq!(infix(&t.g, id), text);
    }
    let minus_two = t.num(-2.0);
    let power = t.pow(minus_two, minus_two);
    assert_eq!(infix(&t.g, power), "(-2)^-2");
    let less = t.add(t.a, minus_two);
    assert_eq!(infix(&t.g, less), "a - 2");
}

#[test]
fn arrays_read_as_numpy() {
    let mut t = bench();
    let (x, y, w) = (t.x_matrix, t.y, t.w);
    let z = t.at(x, w);
    let r = t.sub(z, y);
    let xt = t.t(x);
    let g = t.at(xt, r);
    assert_eq!(infix(&t.g, g), "X.T @ (X @ w - y)");
    let mean_square = {
        let s = t.un(Unary::Square, r);
        t.mean(s)
    };
    assert_eq!(infix(&t.g, mean_square), "mean((X @ w - y)^2)");
    let rows = t.g.extent(ROWS);
    let scaled = t.div(g, rows);
    assert_eq!(infix(&t.g, scaled), "X.T @ (X @ w - y)/rows(X)");
    let column = t.g.add(Op::Expand(1), &[y]);
    let wide = t.mul(x, column);
    assert_eq!(infix(&t.g, wide), "X*y[:, None]");
    let tail = t.g.add(Op::Slice { axis: 0, start: 1, step: 1, len: 2 }, &[w]);
    let back = t.g.add(Op::Slice { axis: 0, start: 2, step: -1, len: 3 }, &[w]);
    let first = {
        let s = t.g.add(Op::Slice { axis: 1, start: 0, step: 1, len: 1 }, &[x]);
        t.g.add(Op::Squeeze(1), &[s])
    };
    assert_eq!([tail, back, first].map(|id| infix(&t.g, id)), ["w[1:]", "w[::-1]", "X[:, 0]"]);
    let norm = {
        let s = t.un(Unary::Square, w);
        let s = t.sum(s);
        t.un(Unary::NormRoot, s)
    };
    let rows_norm = {
        let s = t.un(Unary::Square, x);
        let s = t.g.reduce(Reduce::Sum, 1, s);
        t.un(Unary::NormRoot, s)
    };
    assert_eq!([norm, rows_norm].map(|id| infix(&t.g, id)), ["norm(w)", "norm(X, axis = 1)"]);
    let whole = t.sum(x);
    let count = {
        let n = t.num(3.0);
        t.mul(rows, n)
    };
    let mean_whole = t.div(whole, count);
    let column_means = {
        let s = t.g.reduce(Reduce::Sum, 0, x);
        t.div(s, rows)
    };
    assert_eq!([whole, mean_whole, column_means].map(|id| infix(&t.g, id)), ["sum(X)", "mean(X)", "mean(X, axis = 0)"]);
    let gradient_of_slice = t.g.add(Op::Unslice { axis: 0, start: 2, step: 1, size: Dim::Size(10) }, &[w]);
    assert_eq!(infix(&t.g, gradient_of_slice), "concat(zeros(2), w, zeros(5))");
    let shape = t.g.shape(z).clone();
    let repeated = t.g.broadcast_to(t.a, &shape);
    let implicit = t.mul(repeated, z);
    let alone = t.at(xt, repeated);
    assert_eq!([implicit, alone].map(|id| infix(&t.g, id)), ["a*(X @ w)", "X.T @ (a*ones(rows(X)))"]);
    let eye = t.g.literal(&[2, 2], &[1.0, 0.0, 0.0, 1.0]);
    let table = t.g.literal(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    assert_eq!([eye, table].map(|id| infix(&t.g, id)), ["eye(2)", "[[1, 2], [3, 4]]"]);
}

#[test]
fn what_has_a_name_prints_as_it() {
    let mut t = bench();
    let z = t.at(t.x_matrix, t.w);
    let p = t.un(Unary::Sigmoid, z);
    let r = t.sub(p, t.y);
    let xt = t.t(t.x_matrix);
    let g = t.at(xt, r);
    let slope = t.un(Unary::SigmoidSlope, z);
    let names = Names { nodes: BTreeMap::from([(p, "p".to_string())]), ..Names::default() };
    assert_eq!(formula(&t.g, g, &names).text, "X.T @ (p - y)");
    assert_eq!(formula(&t.g, p, &names).text, "sigmoid(X @ w)");
    assert_eq!(formula(&t.g, slope, &names).text, "p*(1 - p)");
    assert_eq!(infix(&t.g, slope), "sigmoid(X @ w)*(1 - sigmoid(X @ w))");
}

#[test]
fn shared_parts_are_written_once() {
    let mut t = bench();
    let mut x = t.a;
    for _ in 0..60 {
        x = t.add(x, x);
    }
    let text = formula(&t.g, x, &Names::default());
    assert!(text.to_string().len() < 1500, "{text}");
    // Replayed with numbers, the definitions give 2^60 a: every line doubles what it names.
    let doublings: u32 = text.wheres.iter().map(|(_, t)| t.matches('+').count() as u32).sum();
    assert!(doublings >= 60 && !text.wheres.is_empty());
    let mut y = t.a;
    for _ in 0..100_000 {
        y = t.un(Unary::Sin, y);
    }
    assert_eq!(infix(&t.g, y).len(), 5 * 100_000 + 1);
}

#[test]
fn a_dump_is_one_node_a_line() {
    let mut t = bench();
    let unused = t.num(7.0);
    let z = t.at(t.x_matrix, t.w);
    let s = t.sum(z);
    assert_ne!(unused, s);
    assert_eq!(
        dump(&t.g, &[s]),
        "%0 = input X : [rows0, 3]\n%1 = input w : [3]\n%2 = matmul %0 %1 : [rows0]\n%3 = sum axis=0 %2 : []\nroots %3\n"
    );
}

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
    let slopes = gradient(&mut g, rewritten[0], &[wrt]).unwrap();
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
        let assuming = rules::table().find(|rule| rule.name == *name).is_none_or(|rule| rule.kind == Kind::Assuming);
        let options = if assuming { Options::ALL } else { Options::default() };
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

/// A rule, an expression in the scalars `a` and `b`, the largest argument (the smallest is 1e-12 of it), whether it may be negative, and the truth.
type Reference = (&'static str, &'static str, f64, bool, fn(Twice, Twice) -> Twice);

/// `log(exp(a) + exp(b))`; nan where the sum is near 1: there both sides of the rules are as far off as the last bit of the sum.
fn log_sum(a: Twice, b: Twice) -> Twice {
    let sum = if a.0 > b.0 { a + (b - a).exp().ln_1p() } else { b + (a - b).exp().ln_1p() };
    if sum.0.abs() < 0.5 || sum.0.abs() * 4.0 < a.0.max(b.0).abs() { twice(f64::NAN) } else { sum }
}

/// `log((exp(a) + exp(b))/2)`, with the same exception.
fn log_mean(a: Twice, b: Twice) -> Twice {
    let mean = log_sum(a, b) - twice(2.0).ln();
    if mean.0.abs() < 0.5 { twice(f64::NAN) } else { mean }
}

/// `log(exp(a)/(exp(a) + exp(b)))`, with the same exception.
fn log_share(a: Twice, b: Twice) -> Twice {
    let log = -(b - a).softplus();
    if log.0.abs() < 0.5 { twice(f64::NAN) } else { log }
}

const REFERENCES: &[Reference] = &[
    ("one minus sigmoid", "1 - sigmoid(a)", 700.0, true, |a, _| (-a).sigmoid()),
    ("one minus sigmoid", "sigmoid(a) - 1", 700.0, true, |a, _| -(-a).sigmoid()),
    ("sigmoid", "1/(1 + exp(-a))", 600.0, true, |a, _| a.sigmoid()),
    ("sigmoid", "exp(a)/(1 + exp(a))", 1200.0, true, |a, _| a.sigmoid()),
    ("sigmoid", "b/(1 + exp(a))", 700.0, true, |a, b| b * (-a).sigmoid()),
    ("tanh", "(exp(a) - exp(-a))/(exp(a) + exp(-a))", 300.0, true, |a, _| a.tanh()),
    ("slope of tanh", "1 - tanh(a)^2", 300.0, true, |a, _| twice(4.0) * (a + a).sigmoid() * (-(a + a)).sigmoid()),
    ("slope of sigmoid", "sigmoid(a)*(1 - sigmoid(a))", 300.0, true, |a, _| a.sigmoid() * (-a).sigmoid()),
    ("log of sigmoid", "log(sigmoid(a))", 600.0, true, |a, _| -(-a).softplus()),
    ("log of sigmoid", "log(1 - sigmoid(a))", 600.0, true, |a, _| -a.softplus()),
    ("log of exp", "log(exp(a))", 1000.0, true, |a, _| a),
    ("log of a sum of exp", "log(sum(exp(stack(a, b))))", 1200.0, true, log_sum),
    ("log of a mean of exp", "log(mean(exp(stack(a, b))))", 1200.0, true, log_mean),
    ("softmax", "(exp(stack(a, b))/sum(exp(stack(a, b))))[0]", 300.0, true, |a, b| (a - b).sigmoid()),
    ("shifted softmax", "softmax(stack(a, b) - max(stack(a, b)))[0]", 300.0, true, |a, b| (a - b).sigmoid()),
    ("log of softmax", "log(softmax(stack(a, b)))[0]", 1000.0, true, log_share),
    ("less its logsumexp", "(stack(a, b) - logsumexp(stack(a, b)))[0]", 600.0, true, log_share),
    ("log of a choice", "log(softmax(stack(a, b))[0])", 600.0, true, log_share),
    ("softplus", "log1p(exp(a))", 1200.0, true, |a, _| a.softplus()),
    ("softplus", "log(1 + exp(a))", 1200.0, true, |a, _| a.softplus()),
    ("softplus less its argument", "softplus(a) - a", 600.0, true, |a, _| (-a).softplus()),
    ("log1p", "log(1 + a)", 1e6, false, |a, _| a.ln_1p()),
    ("log1p", "log(1 - a)", 0.99, true, |a, _| (-a).ln_1p()),
    ("expm1", "exp(a) - 1", 600.0, true, |a, _| a.expm1()),
    ("expm1", "1 - exp(a)", 600.0, true, |a, _| -a.expm1()),
    ("one minus cos", "1 - cos(a)", 3.0, true, |a, _| {
        let sine = (a / twice(2.0)).sin();
        twice(2.0) * sine * sine
    }),
    ("norm squared", "norm(stack(a, b))^2", 1e6, true, |a, b| a * a + b * b),
    ("0 log 0", "a*log(a)", 1e6, false, |a, _| a * a.ln()),
];

#[test]
fn stability_rules_only_improve() {
    let numbers = |tensor: &Tensor| tensor.iter().copied().collect::<Vec<f64>>();
    for &(name, text, largest, negative, truth) in REFERENCES {
        let mut g = inputs();
        let before = reader::read(&mut g, text, &[]);
        let (after, report) = rewrite(&mut g, &[before], &Options::default());
        assert!(report.firings.iter().any(|firing| firing.rule.name == name), "`{name}` leaves {text} alone");
        let (mut state, mut worse, mut worst, mut count) = (1u64, 0.0, 0.0f64, 0);
        let mut uniform = || {
            // Knuth's linear congruential generator; the upper bits.
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut number = || {
            // Half of the points on a logarithmic scale, half on a linear one.
            let size = if uniform() < 0.5 { largest * core_math::exp2(-40.0 * uniform()) } else { largest * uniform() };
            if negative && uniform() < 0.5 { -size } else { size }
        };
        for _ in 0..6000 {
            let (a, b) = (number(), number());
            let exact = truth(twice(a), twice(b));
            if !exact.0.is_finite() || exact.0.abs() < 1e-290 {
                continue;
            }
            let value = |input| {
                let name = &g.input_info(input).name;
                (name == "a" || name == "b").then(|| ndarray::arr0(if name == "a" { a } else { b }).into_dyn())
            };
            // What one unit in the last place of the arguments does to the result is nobody's fault.
            let next = |x: f64| twice(f64::from_bits(x.to_bits() + 1));
            let moved = (truth(next(a), twice(b)) - exact).0.abs() + (truth(twice(a), next(b)) - exact).0.abs();
            let values = evaluate(&g, &[before, after[0]], &value, &RowCounts::default()).expect("all inputs given");
            let [old, new] = [0, 1].map(|at: usize| precise::bits_wrong(numbers(&values[at])[0], exact, moved));
            worse += new - old;
            worst = worst.max(new - old);
            count += 1;
        }
        assert!(count >= 2000, "`{name}`: {count} points");
        let average = worse / f64::from(count);
        assert!(average <= 0.5 && worst <= 3.0, "`{name}` on {text}: {average} bits worse on average, {worst} at worst");
        println!("{name:28} {text:50} {average:8.3} bits on average, {worst:.2} at worst");
    }
    // Which element is picked changes no bits of it.
    let unmeasured: Vec<&str> = rules::table()
        .filter(|rule| rule.kind == Kind::Stable && REFERENCES.iter().all(|(name, ..)| *name != rule.name))
        .map(|rule| rule.name)
        .collect();
    assert_eq!(unmeasured, ["pick"]);
}

#[test]
fn a_residual_is_exact_beside_one() {
    let mut g = inputs();
    let before = reader::read(&mut g, "(1 - y)*sigmoid(x) - y*sigmoid(-x)", &[]);
    let (after, _) = rewrite(&mut g, &[before], &Options::default());
    let xs: Vec<f64> = (-400..400).map(|i| f64::from(i) / 7.0).collect();
    for y in [0.0, 1.0, 0.25] {
        let value = |input| match &g.input_info(input).name[..] {
            "x" => Some(ndarray::arr1(&xs).into_dyn()),
            "y" => Some(ndarray::Array1::from_elem(xs.len(), y).into_dyn()),
            _ => None,
        };
        let values = evaluate(&g, &after, &value, &RowCounts(vec![xs.len()])).expect("all inputs given");
        for (&x, &found) in xs.iter().zip(&values[0]) {
            let truth = twice(x).sigmoid() - twice(y);
            assert!((found - truth.0).abs() <= 3e-16, "{x} {y}: {found}");
        }
    }
}
