//! A small reader of expressions for tests: the part of the language that the printer writes most.
//!
//! It checks nothing; what it cannot read is a panic.

use optrun::expr::graph::{Graph, Id};
use optrun::expr::op::{Binary, Op, Reduce, Unary};
use optrun::shape::{DataId, Dim, Shape};

/// Reads an expression; names are inputs of the graph, or the extra ones given.
pub(crate) fn read(g: &mut Graph, text: &str, names: &[(&str, Id)]) -> Id {
    let mut reader = Reader { g, names, rest: text };
    let id = reader.level(0);
    assert!(reader.rest.trim().is_empty(), "not read: `{}` of `{text}`", reader.rest);
    id
}

struct Reader<'a> {
    g: &'a mut Graph,
    names: &'a [(&'a str, Id)],
    rest: &'a str,
}

/// Infix operators by level, loosest first.
const LEVELS: [&[(&str, Binary)]; 5] = [
    &[("or", Binary::Or)],
    &[("and", Binary::And)],
    &[("==", Binary::Eq), ("!=", Binary::Ne), ("<=", Binary::Le), ("<", Binary::Lt)],
    &[("+", Binary::Add), ("-", Binary::Sub)],
    &[("*", Binary::Mul), ("/", Binary::Div)],
];

impl Reader<'_> {
    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(token) {
            Some(after) if !(token.chars().all(char::is_alphabetic) && after.starts_with(|c: char| c.is_alphanumeric() || c == '_')) => {
                self.rest = after;
                true
            }
            _ => false,
        }
    }

    fn need(&mut self, token: &str) {
        assert!(self.eat(token), "`{token}` expected at `{}`", self.rest);
    }

    fn level(&mut self, level: usize) -> Id {
        if level == LEVELS.len() {
            return self.minus();
        }
        if level == 2 && self.eat("not") {
            let x = self.level(2);
            return self.g.unary(Unary::Not, x);
        }
        let mut left = self.level(level + 1);
        'more: loop {
            if level == 4 && self.eat("@") {
                let right = self.minus();
                left = self.g.add(Op::MatMul, &[left, right]);
                continue;
            }
            for (token, op) in LEVELS[level] {
                if self.eat(token) {
                    let right = self.level(level + 1);
                    left = self.g.binary(*op, left, right);
                    continue 'more;
                }
            }
            return left;
        }
    }

    fn minus(&mut self) -> Id {
        if self.eat("-") {
            let x = self.minus();
            return match self.g.as_const(x) {
                Some(number) => self.g.number(-number),
                None => self.g.unary(Unary::Neg, x),
            };
        }
        let base = self.postfix();
        if self.eat("^") {
            let power = self.minus();
            return if self.g.as_const(power) == Some(2.0) {
                self.g.unary(Unary::Square, base)
            } else {
                self.g.binary(Binary::Pow, base, power)
            };
        }
        base
    }

    fn postfix(&mut self) -> Id {
        let mut x = self.atom();
        loop {
            if self.eat(".T") {
                x = self.g.add(Op::Transpose, &[x]);
            } else if self.eat("[:, None]") {
                x = self.g.add(Op::Expand(1), &[x]);
            } else if self.eat("[None, :]") {
                x = self.g.add(Op::Expand(0), &[x]);
            } else if self.eat("[0]") {
                x = self.g.add(Op::Slice { axis: 0, start: 0, step: 1, len: 1 }, &[x]);
                x = self.g.add(Op::Squeeze(0), &[x]);
            } else {
                return x;
            }
        }
    }

    fn atom(&mut self) -> Id {
        if self.eat("(") {
            let x = self.level(0);
            self.need(")");
            return x;
        }
        self.rest = self.rest.trim_start();
        let number = |c: char, before: &str| c.is_ascii_digit() || c == '.' || c == 'e' || (c == '-' && before.ends_with('e'));
        let word = |c: char| c.is_alphanumeric() || c == '_';
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            let mut end = 1;
            while self.rest[end..].starts_with(|c| number(c, &self.rest[..end])) {
                end += 1;
            }
            let (text, rest) = self.rest.split_at(end);
            self.rest = rest;
            return self.g.number(text.parse().expect("a number"));
        }
        let end = self.rest.find(|c| !word(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        assert!(!name.is_empty(), "a value expected at `{rest}`");
        if self.eat("(") { self.call(name) } else { self.name(name) }
    }

    fn name(&mut self, name: &str) -> Id {
        if let Some(&(_, id)) = self.names.iter().find(|(n, _)| *n == name) {
            return id;
        }
        match name {
            "pi" => return self.g.number(std::f64::consts::PI),
            "e" => return self.g.number(std::f64::consts::E),
            _ => {}
        }
        let node = |g: &Graph, index: usize| g.as_input(Id(index as u32)).is_some_and(|input| g.input_info(input).name == name);
        let index = (0..self.g.len()).find(|&index| node(self.g, index));
        Id(index.unwrap_or_else(|| panic!("no input `{name}`")) as u32)
    }

    fn call(&mut self, name: &str) -> Id {
        if name == "rows" {
            let x = self.level(0);
            self.need(")");
            let dim = self.g.shape(x).0[0];
            return self.g.extent(dim);
        }
        if name == "ones" || name == "zeros" {
            let mut dims = Vec::new();
            self.eat("[");
            while !self.eat(")") {
                let dim = self.level(0);
                dims.push(self.g.as_const(dim).map_or(Dim::Rows(DataId(0)), |n| Dim::Size(n as usize)));
                let _separator = self.eat(",") || self.eat("]");
            }
            let number = self.g.number(if name == "ones" { 1.0 } else { 0.0 });
            return self.g.broadcast_to(number, &Shape(dims));
        }
        let mut args = Vec::new();
        let mut axis = None;
        let mut counts = Vec::new();
        while !self.eat(")") {
            if self.eat("axis") {
                self.need("=");
                axis = Some(self.rest.trim_start()[..1].parse::<usize>().expect("an axis"));
                self.rest = &self.rest.trim_start()[1..];
            } else {
                let x = self.level(0);
                counts.extend(self.g.as_const(x).map(|n| n as usize));
                args.push(x);
            }
            self.eat(",");
        }
        let last = |g: &Graph, x: Id| axis.unwrap_or(g.shape(x).rank().saturating_sub(1));
        let x = args[0];
        let reduced = |g: &mut Graph, op: Reduce| match axis {
            Some(axis) => g.reduce(op, axis, x),
            None => (0..g.shape(x).rank()).rev().fold(x, |x, axis| g.reduce(op, axis, x)),
        };
        match name {
            "sum" => reduced(self.g, Reduce::Sum),
            "max" => reduced(self.g, Reduce::Max),
            "logsumexp" => reduced(self.g, Reduce::LogSumExp),
            "mean" => {
                let sum = reduced(self.g, Reduce::Sum);
                let dims = axis.map_or_else(|| self.g.shape(x).0.clone(), |axis| vec![self.g.shape(x).0[axis]]);
                let counts: Vec<Id> = dims.into_iter().map(|dim| self.g.extent(dim)).collect();
                let count = counts.into_iter().reduce(|a, b| self.g.binary(Binary::Mul, a, b)).expect("an array");
                self.g.binary(Binary::Div, sum, count)
            }
            "norm" => {
                let square = self.g.unary(Unary::Square, x);
                let sum = self.g.sum_all(square);
                self.g.unary(Unary::NormRoot, sum)
            }
            "softmax" => self.g.add(Op::Softmax(last(self.g, x)), &args),
            "log_softmax" => self.g.add(Op::LogSoftmax(last(self.g, x)), &args),
            "pick" => self.g.add(Op::Pick, &args),
            "onehot" => self.g.add(Op::OneHot(counts[0]), &args[..1]),
            "where" => self.g.add(Op::Select, &args),
            "solve" => self.g.add(Op::Solve, &args),
            "maximum" => self.g.binary(Binary::Maximum, x, args[1]),
            "minimum" => self.g.binary(Binary::Minimum, x, args[1]),
            "xlogy" => self.g.binary(Binary::Xlogy, x, args[1]),
            "sigmoid_slope" => self.g.unary(Unary::SigmoidSlope, x),
            "tanh_slope" => self.g.unary(Unary::TanhSlope, x),
            "squeeze1" => self.g.add(Op::Squeeze(1), &args),
            "stack" => {
                let args: Vec<Id> = args.iter().map(|&x| self.g.add(Op::Expand(0), &[x])).collect();
                self.g.add(Op::Concat(0), &args)
            }
            "whole" => self.g.add(Op::Slice { axis: 0, start: 0, step: 1, len: 3 }, &args),
            "unpick" => self.g.add(Op::Unpick(10), &args),
            // Not in the language: all elements one number, in the shape of the rows or of three elements.
            "repeat_rows" => self.g.broadcast_to(x, &Shape(vec![Dim::Rows(DataId(0))])),
            "repeat3" => self.g.broadcast_to(x, &Shape::fixed(&[3])),
            "repeat33" => self.g.broadcast_to(x, &Shape::fixed(&[3, 3])),
            _ => {
                let op = Unary::ALL.into_iter().find(|op| op.name() == name);
                self.g.unary(op.unwrap_or_else(|| panic!("no function `{name}`")), x)
            }
        }
    }
}
