//! How expressions print.
//!
//! That the text means the same is tested on random expressions.

use std::collections::BTreeMap;

use optrun::expr::graph::{Graph, Id, InputKind};
use optrun::expr::op::{Binary, Op, Reduce, Unary};
use optrun::expr::print::{Names, dump, formula, infix};
use optrun::shape::{DataId, Dim, Shape};

use super::ROWS;

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
