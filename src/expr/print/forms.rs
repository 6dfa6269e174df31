//! How each operation reads in the language: a level of precedence, and pieces of text and arguments.
//!
//! It lays nothing out: that is done by the file above it. What the language has no word for (`Xlogy`, `SigmoidSlope`,
//! `Unpick`, ...) reads as an equal expression that it has; only `Unslice` with a step, and `ScatterAdd` along other axes than
//! the first, read as the calls `unslice(..)` and `scatter_add(..)`, which are not in the language.

use std::collections::BTreeMap;

use super::text::{self, index_text, slice_text};
use super::{Names, is_count, number, reduced_whole};
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::op::{Binary, Literal, Op, Reduce, Unary};
use crate::shape::{DataId, Dim, Shape};

/// How tightly a text binds, loosest first, as the language has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Anything, as in parentheses.
    Any,
    Or,
    And,
    Not,
    Compare,
    Sum,
    Product,
    Minus,
    Power,
    Postfix,
}

/// An expression to print, or, with `flip`, the text of its opposite: possible when it begins with a minus sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    id: Id,
    flip: bool,
}

impl Key {
    pub(super) fn plain(id: Id) -> Self {
        Key { id, flip: false }
    }

    fn flipped(id: Id) -> Self {
        Key { id, flip: true }
    }
}

/// A part of a text.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Text(String),
    /// An expression, in parentheses if it binds less tightly.
    Part(Key, Level),
}

/// How an expression reads.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub(super) level: Level,
    pub(super) pieces: Vec<Piece>,
}

/// The forms of everything a root needs.
pub(super) struct Forms<'a> {
    graph: &'a Graph,
    root: Id,
    names: &'a Names,
    /// Sigmoids that have a name, by their argument.
    sigmoids: BTreeMap<Id, &'a str>,
    /// The same of hyperbolic tangents.
    tanhs: BTreeMap<Id, &'a str>,
    /// Whether the text of a node begins with a minus sign that can be taken away.
    minus: Vec<bool>,
    known: BTreeMap<Key, Form>,
}

/// What stands for a `#` of a name inside a template.
const HASH: &str = "\0";

/// A form from a template, in which `#` stands for the arguments in turn.
fn fill(level: Level, template: &str, args: &[(Key, Level)]) -> Form {
    let mut pieces = Vec::new();
    for (index, text) in template.split('#').enumerate() {
        if index > 0 {
            let (key, level) = args[index - 1];
            pieces.push(Piece::Part(key, level));
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.replace(HASH, "#")));
        }
    }
    Form { level, pieces }
}

fn atom(text: impl Into<String>) -> Form {
    Form { level: Level::Postfix, pieces: vec![Piece::Text(text.into().replace(HASH, "#"))] }
}

fn call(name: &str, args: &[Id], rest: &str) -> Form {
    let marks = vec!["#"; args.len()].join(", ");
    let args: Vec<(Key, Level)> = args.iter().map(|&arg| (Key::plain(arg), Level::Any)).collect();
    fill(Level::Postfix, &format!("{name}({marks}{rest})"), &args)
}

fn infix(level: Level, operator: &str, left: Key, right: (Key, Level)) -> Form {
    fill(level, &format!("#{operator}#"), &[(left, level), right])
}

fn postfix(template: &str, arg: Id) -> Form {
    fill(Level::Postfix, template, &[(Key::plain(arg), Level::Postfix)])
}

impl<'a> Forms<'a> {
    /// The forms of a root and of all that its text mentions.
    pub(super) fn of(graph: &'a Graph, root: Id, names: &'a Names) -> Self {
        let named = |op: Unary| {
            let one = names.nodes.iter().filter_map(|(&id, name)| {
                let node = graph.node(id);
                (node.op == Op::Unary(op)).then(|| (node.args[0], name.as_str()))
            });
            one.collect()
        };
        let (sigmoids, tanhs) = (named(Unary::Sigmoid), named(Unary::Tanh));
        let mut forms = Forms { graph, root, names, sigmoids, tanhs, minus: vec![false; root.index() + 1], known: BTreeMap::new() };
        for id in graph.reachable(&[root]) {
            forms.minus[id.index()] = forms.begins_with_minus(id);
        }
        let mut stack = vec![Key::plain(root)];
        while let Some(key) = stack.pop() {
            if forms.known.contains_key(&key) {
                continue;
            }
            let form = if key.flip { forms.flipped(key.id) } else { forms.plain(key.id) };
            stack.extend(form.pieces.iter().filter_map(|piece| if let Piece::Part(part, _) = piece { Some(*part) } else { None }));
            forms.known.insert(key, form);
        }
        forms
    }

    /// Everything that has a form, parts before what uses them.
    pub(super) fn keys(&self) -> Vec<Key> {
        // The opposite of a node comes before the node, and both after everything with a smaller index.
        let mut keys: Vec<Key> = self.known.keys().copied().collect();
        keys.sort_by_key(|key| (key.id, !key.flip));
        keys
    }

    pub(super) fn form(&self, key: Key) -> &Form {
        &self.known[&key]
    }

    fn name(&self, id: Id) -> Option<&str> {
        if id == self.root { None } else { self.names.nodes.get(&id).map(String::as_str) }
    }

    fn begins_with_minus(&self, id: Id) -> bool {
        let node = self.graph.node(id);
        self.name(id).is_none()
            && match node.op {
                Op::Const(bits) => bits.value().is_sign_negative() && !bits.value().is_nan(),
                Op::Unary(Unary::Neg) => true,
                Op::Binary(Binary::Mul | Binary::Div) => self.minus[self.bare(id)[0].index()] && self.mean(id).is_none(),
                _ => false,
            }
    }

    /// The opposite of a node that begins with a minus sign: the same bits with the other sign.
    fn flipped(&self, id: Id) -> Form {
        let node = self.graph.node(id);
        match node.op {
            Op::Const(bits) => self.number(-bits.value()),
            Op::Binary(op) => {
                let args = self.bare(id);
                let sign = if op == Binary::Mul { "*" } else { "/" };
                infix(Level::Product, sign, Key::flipped(args[0]), (Key::plain(args[1]), Level::Power))
            }
            _ => self.plain_or_name(node.args[0]),
        }
    }

    fn plain_or_name(&self, id: Id) -> Form {
        self.name(id).map_or_else(|| self.plain(id), atom)
    }

    /// The arguments of an elementwise operation without the repetition that broadcasting does by itself.
    fn bare(&self, id: Id) -> Vec<Id> {
        let node = self.graph.node(id);
        let mut args = node.args.to_vec();
        let shape_of = |args: &[Id]| args.iter().try_fold(Shape::scalar(), |shape, &arg| shape.broadcast(self.graph.shape(arg)));
        for index in 0..args.len() {
            let inner = self.graph.node(args[index]);
            if matches!(inner.op, Op::Broadcast(_)) && self.name(args[index]).is_none() {
                let repeated = std::mem::replace(&mut args[index], inner.args[0]);
                if shape_of(&args).as_ref() != Some(&node.shape) {
                    args[index] = repeated;
                }
            }
        }
        args
    }

    /// What a node is the mean of, and along which axis unless all.
    fn mean(&self, id: Id) -> Option<(Id, Option<usize>)> {
        let node = self.graph.node(id);
        let [sum, count] = node.args[..] else { return None };
        if node.op != Op::Binary(Binary::Div) || self.name(sum).is_some() {
            return None;
        }
        let whole = reduced_whole(self.graph, sum, Reduce::Sum, |inner| self.name(inner).is_some());
        if let Some(inner) = whole.filter(|&inner| is_count(self.graph, count, &self.graph.shape(inner).0)) {
            return Some((inner, None));
        }
        let Op::Reduce(Reduce::Sum, axis) = self.graph.node(sum).op else { return None };
        let inner = self.graph.node(sum).args[0];
        is_count(self.graph, count, &[self.graph.shape(inner).0[axis]]).then_some((inner, Some(axis)))
    }

    /// How a node reads where it is not the opposite of itself.
    fn plain(&self, id: Id) -> Form {
        if let Some(name) = self.name(id) {
            return atom(name);
        }
        let graph = self.graph;
        let node = graph.node(id);
        let rank = |id: Id| graph.shape(id).rank();
        let axis_of = |axis: usize, arg: Id| if rank(arg) == 1 { String::new() } else { format!(", axis = {axis}") };
        let args = &node.args;
        match &node.op {
            Op::Const(bits) => self.number(bits.value()),
            Op::Literal(literal) => self.literal(literal),
            Op::Input(input) => atom(graph.input_info(*input).name.as_str()),
            Op::RowCount(data) => atom(self.rows(*data)),
            Op::Unary(op) => self.unary(*op, args[0]),
            Op::Binary(op) => self.binary(*op, id),
            Op::Select => call("where", &self.bare(id), ""),
            Op::Reduce(op, axis) => {
                let whole = reduced_whole(graph, id, *op, |inner| self.name(inner).is_some());
                match whole.filter(|_| matches!(op, Reduce::Sum | Reduce::Prod | Reduce::Max | Reduce::Min)) {
                    Some(inner) => call(op.name(), &[inner], ""),
                    None => call(op.name(), args, &axis_of(*axis, args[0])),
                }
            }
            Op::Softmax(axis) | Op::LogSoftmax(axis) => {
                let name = if matches!(node.op, Op::Softmax(_)) { "softmax" } else { "log_softmax" };
                let rest = if axis + 1 == rank(args[0]) { String::new() } else { format!(", axis = {axis}") };
                call(name, args, &rest)
            }
            Op::Cumsum { axis, reverse: false } => call("cumsum", args, &axis_of(*axis, args[0])),
            Op::Cumsum { axis, reverse: true } => {
                let turn = index_text(*axis, rank(args[0]), "::-1");
                fill(Level::Postfix, &format!("cumsum(#{turn}{}){turn}", axis_of(*axis, args[0])), &[(Key::plain(args[0]), Level::Postfix)])
            }
            Op::Sort(axis) => call("sort", args, &axis_of(*axis, args[0])),
            Op::ArgSort(axis) => call("argsort", args, &axis_of(*axis, args[0])),
            Op::MatMul => infix(Level::Product, " @ ", Key::plain(args[0]), (Key::plain(args[1]), Level::Power)),
            Op::Transpose => postfix("#.T", args[0]),
            Op::Expand(axis) => {
                let marks: Vec<&str> = (0..=rank(args[0])).map(|at| if at == *axis { "None" } else { ":" }).collect();
                postfix(&format!("#[{}]", marks.join(", ")), args[0])
            }
            Op::Squeeze(axis) => {
                let inner = graph.node(args[0]);
                match inner.op {
                    Op::Slice { axis: a, start, len: 1, .. } if a == *axis && self.name(args[0]).is_none() => {
                        postfix(&format!("#{}", index_text(a, rank(args[0]), &start.to_string())), inner.args[0])
                    }
                    _ => postfix(&format!("#{}", index_text(*axis, rank(args[0]), "0")), args[0]),
                }
            }
            Op::Broadcast(to) => match graph.as_const(args[0]) {
                Some(1.0) => atom(format!("ones({})", self.sizes(to))),
                Some(x) if x.to_bits() == 0 => atom(format!("zeros({})", self.sizes(to))),
                _ => fill(Level::Product, &format!("#*ones({})", self.sizes(to)), &[(Key::plain(args[0]), Level::Product)]),
            },
            Op::Reshape(to) => call("reshape", args, &format!(", {}", self.sizes(to))),
            Op::Slice { axis, start, step, len } => {
                let text = slice_text(*start, *step, *len, graph.shape(args[0]).0[*axis]);
                postfix(&format!("#{}", index_text(*axis, rank(args[0]), &text)), args[0])
            }
            Op::Unslice { axis, start, step, size } => self.unslice(args[0], *axis, *start, *step, *size),
            Op::Concat(axis) => match (rank(args[0]), axis) {
                (2, 0) => call("vstack", args, ""),
                (2, 1) => call("hstack", args, ""),
                _ => call("concat", args, &axis_of(*axis, args[0])),
            },
            Op::Gather(axis) => {
                let marks: Vec<&str> = (0..=*axis).map(|at| if at == *axis { "#" } else { ":" }).collect();
                let args = [(Key::plain(args[0]), Level::Postfix), (Key::plain(args[1]), Level::Any)];
                fill(Level::Postfix, &format!("#[{}]", marks.join(", ")), &args)
            }
            Op::ScatterAdd { axis: 0, size: Dim::Size(n) } if rank(args[0]) <= 2 => fill(
                Level::Product,
                &format!("onehot(#, {n}).T @ #"),
                &[(Key::plain(args[1]), Level::Any), (Key::plain(args[0]), Level::Power)],
            ),
            Op::ScatterAdd { axis, size } => call("scatter_add", args, &format!(", axis = {axis}, size = {}", self.dim(*size))),
            Op::Pick => call("pick", args, ""),
            Op::Unpick(k) => fill(
                Level::Product,
                &format!("onehot(#, {k})*#[:, None]"),
                &[(Key::plain(args[1]), Level::Any), (Key::plain(args[0]), Level::Postfix)],
            ),
            Op::OneHot(k) => call("onehot", args, &format!(", {k}")),
            Op::Solve => call("solve", args, ""),
            Op::SpectralNorm => call("norm", args, ", ord = 2"),
            Op::PsdPart => call("psd_part", args, ""),
        }
    }

    fn unary(&self, op: Unary, arg: Id) -> Form {
        let key = Key::plain(arg);
        let whole = |level| (key, level);
        match op {
            // A minus in front of a product is a minus in front of its first factor: the same bits.
            Unary::Neg if self.is_product(arg) => fill(Level::Product, "-#", &[whole(Level::Product)]),
            Unary::Neg => fill(Level::Minus, "-#", &[whole(Level::Power)]),
            Unary::Not => fill(Level::Not, "not #", &[whole(Level::Not)]),
            Unary::Square => fill(Level::Power, "#^2", &[whole(Level::Postfix)]),
            Unary::NormRoot => self.norm(arg).unwrap_or_else(|| call("sqrt", &[arg], "")),
            Unary::SigmoidSlope => match self.sigmoids.get(&arg) {
                Some(p) => Form { level: Level::Product, pieces: vec![Piece::Text(format!("{p}*(1 - {p})"))] },
                None => fill(Level::Product, "sigmoid(#)*(1 - sigmoid(#))", &[whole(Level::Any), whole(Level::Any)]),
            },
            Unary::TanhSlope => match self.tanhs.get(&arg) {
                Some(h) => Form { level: Level::Sum, pieces: vec![Piece::Text(format!("1 - {h}^2"))] },
                None => fill(Level::Sum, "1 - tanh(#)^2", &[whole(Level::Any)]),
            },
            _ => call(op.name(), &[arg], ""),
        }
    }

    /// Whether a node prints as a product whose first factor may take a minus sign. Of `a @ b` only all may: what `a` is decides the
    /// order of the additions.
    fn is_product(&self, id: Id) -> bool {
        let elementwise = |id: Id| {
            let product = matches!(self.graph.node(id).op, Op::Binary(Binary::Mul | Binary::Div));
            product && self.name(id).is_none() && self.mean(id).is_none()
        };
        let mut first = id;
        for _ in 0..16 {
            if !elementwise(first) {
                break;
            }
            first = self.bare(first)[0];
        }
        let whole = self.name(first).is_none() && (self.graph.node(first).op == Op::MatMul || elementwise(first));
        elementwise(id) && !whole && !self.minus[id.index()]
    }

    fn norm(&self, sum: Id) -> Option<Form> {
        let square_of = |id: Id| {
            let node = self.graph.node(id);
            (node.op == Op::Unary(Unary::Square) && self.name(id).is_none()).then(|| node.args[0])
        };
        if self.name(sum).is_some() {
            return None;
        }
        let whole = reduced_whole(self.graph, sum, Reduce::Sum, |inner| self.name(inner).is_some());
        if let Some(x) = whole.and_then(square_of) {
            return Some(call("norm", &[x], ""));
        }
        let Op::Reduce(Reduce::Sum, axis) = self.graph.node(sum).op else { return None };
        square_of(self.graph.node(sum).args[0]).map(|x| call("norm", &[x], &format!(", axis = {axis}")))
    }

    fn binary(&self, op: Binary, id: Id) -> Form {
        let args = self.bare(id);
        let (a, b) = (args[0], args[1]);
        let minus = |id: Id| self.minus[id.index()];
        let (left, right) = (Key::plain(a), Key::plain(b));
        match op {
            Binary::Add if minus(b) => infix(Level::Sum, " - ", left, (Key::flipped(b), Level::Product)),
            Binary::Add if minus(a) => infix(Level::Sum, " - ", right, (Key::flipped(a), Level::Product)),
            Binary::Add => infix(Level::Sum, " + ", left, (right, Level::Product)),
            Binary::Sub if minus(b) => infix(Level::Sum, " + ", left, (Key::flipped(b), Level::Product)),
            Binary::Sub => infix(Level::Sum, " - ", left, (right, Level::Product)),
            Binary::Mul => infix(Level::Product, "*", left, (right, Level::Power)),
            Binary::Div => match self.mean(id) {
                Some((x, None)) => call("mean", &[x], ""),
                Some((x, Some(axis))) => call("mean", &[x], &format!(", axis = {axis}")),
                None => infix(Level::Product, "/", left, (right, Level::Power)),
            },
            Binary::Pow => fill(Level::Power, "#^#", &[(left, Level::Postfix), (right, Level::Minus)]),
            Binary::Eq | Binary::Ne | Binary::Le | Binary::Lt => {
                fill(Level::Compare, &format!("# {} #", op.name()), &[(left, Level::Sum), (right, Level::Sum)])
            }
            Binary::And => infix(Level::And, " and ", left, (right, Level::Not)),
            Binary::Or => infix(Level::Or, " or ", left, (right, Level::And)),
            Binary::Xlogy => fill(Level::Product, "#*log(#)", &[(left, Level::Product), (right, Level::Any)]),
            Binary::Maximum | Binary::Minimum | Binary::Mod => call(op.name(), &args, ""),
        }
    }

    /// Zeros around a value: put together from its parts where they are contiguous.
    fn unslice(&self, arg: Id, axis: usize, start: usize, step: isize, size: Dim) -> Form {
        let shape = self.graph.shape(arg);
        let (Dim::Size(len), Dim::Size(total), 1, 1 | 2) = (shape.0[axis], size, step, shape.rank()) else {
            return call("unslice", &[arg], &format!(", axis = {axis}, start = {start}, step = {step}, size = {}", self.dim(size)));
        };
        let zeros = |n: usize| {
            let mut dims = shape.0.clone();
            dims[axis] = Dim::Size(n);
            format!("zeros({})", self.sizes(&Shape(dims)))
        };
        let before = if start > 0 { format!("{}, ", zeros(start)) } else { String::new() };
        let after = if start + len < total { format!(", {}", zeros(total - start - len)) } else { String::new() };
        let name = match (shape.rank(), axis) {
            (1, _) => "concat",
            (_, 0) => "vstack",
            _ => "hstack",
        };
        fill(Level::Postfix, &format!("{name}({before}#{after})"), &[(Key::plain(arg), Level::Any)])
    }

    fn number(&self, x: f64) -> Form {
        let negative = x.is_sign_negative() && !x.is_nan();
        let free = |name: &str| self.graph.inputs().iter().all(|input| input.name != name);
        let (text, is_quotient) = text::number_or_expression(x, free);
        let level = if is_quotient { Level::Product } else { Level::Postfix };
        Form { level: if negative { level.min(Level::Minus) } else { level }, ..atom(text) }
    }

    fn literal(&self, literal: &Literal) -> Form {
        let values: Vec<f64> = literal.values.iter().map(|bits| bits.value()).collect();
        let shape = Shape::fixed(&literal.sizes);
        if let [n, m] = literal.sizes[..]
            && n == m
            && n > 1
            && (0..n * n).all(|i| values[i].to_bits() == if i / n == i % n { 1f64.to_bits() } else { 0 })
        {
            return atom(format!("eye({n})"));
        }
        if values.len() > 3
            && values.iter().all(|x| x.to_bits() == values[0].to_bits())
            && matches!(values[0].to_bits(), 0 | 0x3ff0_0000_0000_0000)
        {
            return atom(format!("{}({})", if values[0] == 0.0 { "zeros" } else { "ones" }, self.sizes(&shape)));
        }
        let mut texts: Vec<String> = values.iter().map(|&x| number(x)).collect();
        for &size in literal.sizes.iter().rev() {
            if size == 0 {
                return atom(format!("zeros({})", self.sizes(&shape)));
            }
            texts = texts.chunks(size).map(|row| format!("[{}]", row.join(", "))).collect();
        }
        atom(texts.concat())
    }

    /// The sizes of a shape as an argument: `10`, or `[3, 4]`.
    fn sizes(&self, shape: &Shape) -> String {
        let dims: Vec<String> = shape.0.iter().map(|&dim| self.dim(dim)).collect();
        if dims.len() == 1 { dims.concat() } else { format!("[{}]", dims.join(", ")) }
    }

    fn dim(&self, dim: Dim) -> String {
        match dim {
            Dim::Size(n) => n.to_string(),
            Dim::Rows(data) => self.rows(data).replace('#', HASH),
        }
    }

    fn rows(&self, data: DataId) -> String {
        let column = || self.graph.inputs().iter().find(|input| input.kind == InputKind::Column(data));
        let given = self.names.rows.get(&data).cloned();
        given.or_else(|| column().map(|input| format!("rows({})", input.name))).unwrap_or_else(|| format!("rows(data{})", data.0))
    }
}
