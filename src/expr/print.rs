//! Text of expressions: in the language, as a student would write them, or one node a line.
//!
//! How each operation reads is the table in `forms`; this file puts the pieces together. It changes nothing in the graph.

mod forms;
mod text;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::graph::{Graph, Id};
use super::op::{Binary, Op, Reduce, Unary};
use crate::shape::{DataId, Dim, Shape};
use forms::{Forms, Key, Piece};

/// What the text may use beside the names of the inputs.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Expressions that have a name: they print as it, except where they are the root being printed.
    pub nodes: BTreeMap<Id, String>,
    /// The number of rows of a dataset, such as `rows(X)`. Without an entry the first column in the graph is asked.
    pub rows: BTreeMap<DataId, String>,
}

/// An expression as text, with the shared parts that would make it too long written once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formula {
    /// The expression.
    pub text: String,
    /// Names that stand for parts of it, each defined by earlier ones and the inputs.
    pub wheres: Vec<(String, String)>,
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.text)?;
        for (index, (name, text)) in self.wheres.iter().enumerate() {
            write!(f, "{}{name} = {text}", if index == 0 { " where " } else { ", " })?;
        }
        Ok(())
    }
}

/// The length from which shared parts are written apart.
const LONG: usize = 240;

/// The length of a shared part that is worth a name.
const WORTH_A_NAME: usize = 12;

/// The text of an expression in the language, with inputs by their names.
pub fn infix(graph: &Graph, id: Id) -> String {
    formula(graph, id, &Names::default()).to_string()
}

/// The text of an expression in the language. Its length is linear in the size of the graph: a text longer than a
/// few lines has its shared parts factored out.
pub fn formula(graph: &Graph, root: Id, names: &Names) -> Formula {
    let forms = Forms::of(graph, root, names);
    let order = forms.keys();
    let mut apart: BTreeMap<Key, String> = BTreeMap::new();
    if lengths(&forms, &order, &apart).get(&Key::plain(root)).is_some_and(|&n| n > LONG) {
        apart = shared_parts(graph, root, names, &forms, &order);
    }
    let wheres = order.iter().filter_map(|key| Some((apart.get(key)?.clone(), write_out(&forms, *key, &apart)))).collect();
    Formula { text: write_out(&forms, Key::plain(root), &apart), wheres }
}

/// The length of the text of each part, those set apart counting as their name.
fn lengths(forms: &Forms<'_>, order: &[Key], apart: &BTreeMap<Key, String>) -> BTreeMap<Key, usize> {
    let mut lengths = BTreeMap::new();
    for key in order {
        let length = forms.form(*key).pieces.iter().fold(0usize, |sum, piece| {
            sum.saturating_add(match piece {
                Piece::Text(text) => text.chars().count(),
                Piece::Part(part, _) => apart.get(part).map_or_else(|| lengths.get(part).copied().unwrap_or(0), String::len),
            })
        });
        lengths.insert(*key, length);
    }
    lengths
}

/// The parts that stand in more than one place and are long enough, with names that are free.
fn shared_parts(graph: &Graph, root: Id, names: &Names, forms: &Forms<'_>, order: &[Key]) -> BTreeMap<Key, String> {
    let mut uses: BTreeMap<Key, usize> = BTreeMap::new();
    for key in order {
        for piece in &forms.form(*key).pieces {
            if let Piece::Part(part, _) = piece {
                *uses.entry(*part).or_default() += 1;
            }
        }
    }
    let taken = |name: &str| {
        graph.inputs().iter().any(|input| input.name == name) || names.nodes.values().any(|n| n == name) || matches!(name, "e" | "t")
    };
    let letters =
        |round: usize| (b'a'..=b'z').map(move |c| if round == 0 { char::from(c).to_string() } else { format!("{}{round}", char::from(c)) });
    let mut free = (0usize..).flat_map(letters).filter(|name| !taken(name));
    let mut apart = BTreeMap::new();
    let mut lengths: BTreeMap<Key, usize> = BTreeMap::new();
    for key in order {
        let length = forms.form(*key).pieces.iter().fold(0usize, |sum, piece| {
            sum.saturating_add(match piece {
                Piece::Text(text) => text.len(),
                Piece::Part(part, _) => lengths.get(part).copied().unwrap_or(0),
            })
        });
        // A number or a name is no better for another name; a long array is.
        let compound = forms.form(*key).pieces.len() > 1 || length > LONG / 4;
        let own = compound && *key != Key::plain(root) && length >= WORTH_A_NAME && uses.get(key).is_some_and(|&n| n > 1);
        if own {
            apart.extend(free.next().map(|name| (*key, name)));
        }
        lengths.insert(*key, if own { 1 } else { length });
    }
    apart
}

/// The text of one part, with a stack instead of recursion: expressions may be deep.
fn write_out(forms: &Forms<'_>, key: Key, apart: &BTreeMap<Key, String>) -> String {
    let mut text = String::new();
    let mut stack: Vec<&Piece> = forms.form(key).pieces.iter().rev().collect();
    let close = Piece::Text(")".to_string());
    while let Some(piece) = stack.pop() {
        match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Part(part, level) => {
                if let Some(name) = apart.get(part) {
                    text.push_str(name);
                    continue;
                }
                let form = forms.form(*part);
                if form.level < *level {
                    text.push('(');
                    stack.push(&close);
                }
                stack.extend(form.pieces.iter().rev());
            }
        }
    }
    text
}

/// A number as the language writes it, in the fewest digits that read back to the same bits.
pub fn number(x: f64) -> String {
    text::number(x)
}

/// All nodes that the roots need, one a line, numbered densely, then the roots.
pub fn dump(graph: &Graph, roots: &[Id]) -> String {
    let order = graph.reachable(roots);
    let mut place = vec![0usize; graph.len()];
    let mut text = String::new();
    for (index, id) in order.iter().enumerate() {
        place[id.index()] = index;
        let node = graph.node(*id);
        // Writing to a string cannot fail.
        let _ = write!(text, "%{index} = {}", mnemonic(graph, &node.op));
        for arg in &node.args {
            let _ = write!(text, " %{}", place[arg.index()]);
        }
        let _ = writeln!(text, " : {}", node.shape);
    }
    let roots: Vec<String> = roots.iter().map(|root| format!("%{}", place[root.index()])).collect();
    let _ = writeln!(text, "roots {}", roots.join(" "));
    text
}

/// The name of an operation in a dump, with what is static in it.
fn mnemonic(graph: &Graph, op: &Op) -> String {
    let shape_of = |shape: &Shape| shape.to_string();
    match op {
        Op::Const(bits) => format!("const {}", number(bits.value())),
        Op::Literal(literal) => {
            let values: Vec<String> = literal.values.iter().map(|bits| number(bits.value())).collect();
            format!("literal [{}]", values.join(", "))
        }
        Op::Input(input) => format!("input {}", graph.input_info(*input).name),
        Op::RowCount(DataId(data)) => format!("row_count {data}"),
        Op::Unary(Unary::Neg) => "neg".to_string(),
        Op::Unary(op) => op.name().to_string(),
        Op::Binary(op) => match op {
            Binary::Add => "add",
            Binary::Div => "div",
            Binary::Eq => "eq",
            Binary::Le => "le",
            Binary::Lt => "lt",
            Binary::Mul => "mul",
            Binary::Ne => "ne",
            Binary::Pow => "pow",
            Binary::Sub => "sub",
            named => named.name(),
        }
        .to_string(),
        Op::Select => "select".to_string(),
        Op::Reduce(op, axis) => format!("{} axis={axis}", op.name()),
        Op::Softmax(axis) => format!("softmax axis={axis}"),
        Op::LogSoftmax(axis) => format!("log_softmax axis={axis}"),
        Op::Cumsum { axis, reverse } => format!("cumsum axis={axis}{}", if *reverse { " reverse" } else { "" }),
        Op::Sort(axis) => format!("sort axis={axis}"),
        Op::ArgSort(axis) => format!("argsort axis={axis}"),
        Op::MatMul => "matmul".to_string(),
        Op::Transpose => "transpose".to_string(),
        Op::Expand(axis) => format!("expand axis={axis}"),
        Op::Squeeze(axis) => format!("squeeze axis={axis}"),
        Op::Broadcast(to) => format!("broadcast {}", shape_of(to)),
        Op::Reshape(to) => format!("reshape {}", shape_of(to)),
        Op::Slice { axis, start, step, len } => format!("slice axis={axis} start={start} step={step} len={len}"),
        Op::Unslice { axis, start, step, size } => format!("unslice axis={axis} start={start} step={step} size={}", dim(*size)),
        Op::Concat(axis) => format!("concat axis={axis}"),
        Op::Gather(axis) => format!("gather axis={axis}"),
        Op::ScatterAdd { axis, size } => format!("scatter_add axis={axis} size={}", dim(*size)),
        Op::Pick => "pick".to_string(),
        Op::Unpick(k) => format!("unpick {k}"),
        Op::OneHot(k) => format!("onehot {k}"),
        Op::Solve => "solve".to_string(),
        Op::SpectralNorm => "spectral_norm".to_string(),
        Op::PsdPart => "psd_part".to_string(),
    }
}

fn dim(dim: Dim) -> String {
    match dim {
        Dim::Size(n) => n.to_string(),
        Dim::Rows(DataId(data)) => format!("rows{data}"),
    }
}

/// What a whole-array reduction reduces: the argument of a chain that takes the last axis first, down to a number.
pub(super) fn reduced_whole(graph: &Graph, id: Id, op: Reduce, stop: impl Fn(Id) -> bool) -> Option<Id> {
    let mut inner = id;
    let mut rank = 0;
    while graph.shape(inner).rank() == rank && (inner == id || !stop(inner)) {
        match graph.node(inner).op {
            Op::Reduce(o, axis) if o == op && axis == rank => inner = graph.node(inner).args[0],
            _ => break,
        }
        rank += 1;
    }
    (inner != id).then_some(inner)
}

/// Whether a node is the number of elements along these dimensions.
pub(super) fn is_count(graph: &Graph, id: Id, dims: &[Dim]) -> bool {
    let (mut size, mut rows) = (1f64, Vec::new());
    for dim in dims {
        match dim {
            Dim::Size(n) => size *= *n as f64,
            Dim::Rows(data) => rows.push(*data),
        }
    }
    let mut stack = vec![id];
    let mut found = 1f64;
    while let Some(part) = stack.pop() {
        let node = graph.node(part);
        match node.op {
            Op::Const(bits) => found *= bits.value(),
            Op::RowCount(data) => match rows.iter().position(|&d| d == data) {
                Some(at) => drop(rows.swap_remove(at)),
                None => return false,
            },
            Op::Binary(Binary::Mul) if stack.len() < 8 => stack.extend(&node.args),
            _ => return false,
        }
    }
    rows.is_empty() && found == size
}
