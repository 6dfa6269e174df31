//! The tape: what a compiled program is. Plain data.
//!
//! It does not run; `run::machine` does that.

#![allow(missing_docs, reason = "the fields of a variant are described in the comment on the variant")]

use crate::expr::graph::{Graph, Id};
use crate::expr::op::{Binary, InputId, Unary};
use crate::shape::DataId;

/// In the map of [`Instr::Spread`]: an element that is zero.
pub const ZERO: u32 = u32::MAX;
/// In the map of [`Instr::Spread`]: an element that another instruction writes.
pub const KEEP: u32 = u32::MAX - 1;

/// How many runs go side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lanes {
    /// One: an octet holds eight rows, or eight elements.
    One,
    /// Eight: an octet holds one element of eight runs.
    Eight,
}

impl Lanes {
    /// 1 or 8.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Lanes::One => 1,
            Lanes::Eight => 8,
        }
    }

    /// The octets that so many elements without rows take.
    #[must_use]
    pub fn octets(self, elements: usize) -> usize {
        match self {
            Lanes::One => elements.div_ceil(8),
            Lanes::Eight => elements,
        }
    }

    /// Where an element of a lane lies, in numbers from the start of its value.
    #[must_use]
    pub fn place(self, element: usize, lane: usize) -> usize {
        match self {
            Lanes::One => element,
            Lanes::Eight => element * 8 + lane,
        }
    }
}

/// A place in memory: an octet, and an element from there. Before memory is laid out, `base` is the number of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    pub base: u32,
    pub element: u32,
}

/// How an operand is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// Octets in memory, from the address on.
    Octets,
    /// Octets in memory of a value with all its rows: the address is that of row 0.
    Stream,
    /// One number in memory for all (one lane).
    Scalar,
    /// One octet in memory for all (eight lanes).
    Uniform,
    /// Octets of a column (one lane); the base is the number of the column.
    Column,
    /// Single numbers of a column, one for eight lanes.
    Splat,
}

/// Something to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operand {
    pub read: Read,
    pub address: Address,
    /// Features of a row.
    pub width: u32,
}

/// A matrix without rows as an operand of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weights {
    pub address: Address,
    /// Whether its transpose stands there.
    pub turned: bool,
}

/// What is done along an axis of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    ArgMax,
    ArgMin,
    LogSumExp,
    Max,
    Min,
    Prod,
    Sum,
    Softmax,
    LogSoftmax,
    Cumsum,
    CumsumReverse,
}

/// In which order the terms of an entry are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// One accumulator, ascending.
    Ascending,
    /// One accumulator per chunk of 1,024, ascending; chunks by the tree.
    Chunks,
    /// Eight classes per chunk of 1,024; chunks by the tree.
    Classes,
    /// Whatever falls on a place, from +0, ascending.
    Places,
}

impl Order {
    /// Whether one set of accumulators goes through all chunks.
    #[must_use]
    pub fn through(self) -> bool {
        matches!(self, Order::Ascending | Order::Places)
    }
}

/// Whether one operand may be read from a column; for all other elementwise operations, but choices between two columns, columns are copied
/// into the block first.
#[must_use]
pub fn takes_column(op: Binary) -> bool {
    matches!(op, Binary::Add | Binary::Div | Binary::Mul | Binary::Sub)
}

/// One instruction. `n` is the number of octets per row of octets (in a section without rows: in all).
#[derive(Debug, Clone)]
pub enum Instr {
    /// `out = op(a)`.
    Unary { op: Unary, out: Address, a: Operand, n: u32 },
    /// `out = op(a, b)`.
    Binary { op: Binary, out: Address, a: Operand, b: Operand, n: u32 },
    /// `out = if c != 0 { a } else { b }`.
    Select { out: Address, c: Operand, a: Operand, b: Operand, n: u32 },
    /// Element `i` of `out` is element `map[i]` of `a`, or [`ZERO`], or [`KEEP`].
    Spread { out: Address, a: Operand, map: Box<[u32]> },
    /// Along the middle of three axes `(pre, n, post)` of features; `classes` when it is the first axis of the shape.
    Along { along: Along, classes: bool, out: Address, a: Operand, pre: u32, n: u32, post: u32 },
    /// Rows of `a` (k features) times the small matrix `w` (k by m): m features, ascending.
    Times { out: Address, a: Operand, w: Weights, k: u32, m: u32 },
    /// Products of values without rows: `a` (m by n), `b` (n by p).
    Product { out: Address, a: Weights, b: Weights, m: u32, n: u32, p: u32, order: Order },
    /// Sums of the features of `a` over rows, by classes, into accumulators.
    Sum { acc: Address, a: Operand },
    /// `out = sigmoid(z)` where `e = exp(-|z|)` is there already.
    SigmoidOf { out: Address, z: Operand, e: Operand, n: u32 },
    /// The logistic loss and its residual.
    Logistic(Logistic),
    /// Products over rows of one plus each feature of `a`, less one, by classes; a chunk ends with their logarithm.
    Log1p { acc: Address, a: Operand },
    /// Sums over rows of the features of `a` times the single feature of `b`, by classes.
    Dot { acc: Address, a: Operand, b: Operand },
    /// Sums over rows of all products of a feature of `a` and one of `b`, ascending.
    Outer { acc: Address, a: Operand, b: Operand },
    /// The feature of each row that `index` says, of `k`.
    Pick { out: Address, a: Operand, index: Operand, k: u32 },
    /// `k` features, zero but for `a` (one if there is none) where `index` says.
    Unpick { out: Address, a: Option<Operand>, index: Operand, k: u32 },
    /// Row `index` of `a`, a value without rows of `size` rows of `width` elements, for each row.
    Gather { out: Address, a: Address, index: Operand, size: u32, width: u32 },
    /// Adds the features of each row to row `index` of `size` rows of accumulators.
    Scatter { acc: Address, a: Operand, index: Operand, size: u32 },
    /// Copies rows of a column that is kept as bytes into the block.
    Widen { out: Address, a: Operand },
    /// Copies a block into a value with all rows.
    Store { out: Operand, a: Operand },
    /// The number of rows.
    RowCount { out: Address, data: DataId },
    /// Any operation, lane by lane, as the dense evaluator defines it.
    Dense(Box<Dense>),
}

/// What stands for `ExpNegAbs`, `Log1p`, `Lt`, `Select`, `Dot` and perhaps `SigmoidOf` and `Sub` of a value `z` with one feature: with
/// `e = exp(-|z|)`, the product of `1 + e` goes to `logs`, the sum of `z*where(0 < z, right, left)` to `hinges`, and `sigmoid(z) - y` to
/// the place in `residual`. Where no values to choose from are given, they are `1 - y` and `-y`.
#[derive(Debug, Clone, Copy)]
pub struct Logistic {
    pub z: Operand,
    pub slopes: Option<[Operand; 2]>,
    pub hinges: Address,
    pub logs: Address,
    pub residual: Option<(Address, Operand)>,
}

/// An operation that is evaluated densely: a graph of that operation alone.
#[derive(Debug, Clone)]
pub struct Dense {
    pub graph: Graph,
    pub root: Id,
    pub args: Vec<(InputId, Place)>,
    pub out: Place,
}

/// A whole value.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Where.
    pub operand: Operand,
    /// Its shape.
    pub shape: crate::shape::Shape,
}

/// A reduction over rows: accumulators that the body adds to, and where the result goes.
#[derive(Debug, Clone)]
pub struct Total {
    /// Accumulators of the current chunk, then one set per level of the tree over chunks.
    pub acc: Address,
    /// Octets of a set.
    pub octets: u32,
    /// Classes, chunks, or one run through all rows.
    pub order: Order,
    /// Whether each chunk ends with the logarithm of one plus its accumulators.
    pub log1p: bool,
    /// Results: `rows` by `columns`.
    pub rows: u32,
    pub columns: u32,
    /// Where they go.
    pub out: Address,
}

/// Instructions that are carried out once, or for each block of rows.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// Whose rows.
    pub data: Option<DataId>,
    /// Octets of the values that are walked in strips; 0 if none are.
    pub octets: usize,
    /// Rows of a block, a multiple of 8 that divides no chunk boundary; or octets of a strip.
    pub block: usize,
    pub body: Vec<Instr>,
    pub totals: Vec<Total>,
    /// What another thread needs to carry out some chunks of the rows in memory of its own; nothing if it cannot.
    pub shared: Option<Shared>,
}

/// A pass whose chunks of rows depend on each other only through what it reduces them to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shared {
    /// The octets without rows that the body reads: first, and how many.
    pub inputs: Vec<(u32, u32)>,
    /// About how many operations on octets there are for each row of octets.
    pub work: u64,
}

impl Section {
    /// Whether the body is carried out piece by piece.
    #[must_use]
    pub fn loops(&self) -> bool {
        self.data.is_some() || self.octets > 0
    }
}

/// A compiled program.
#[derive(Debug, Clone)]
pub struct Tape {
    /// What it was compiled for.
    pub lanes: Lanes,
    /// In order.
    pub sections: Vec<Section>,
    /// The values asked for.
    pub roots: Vec<Place>,
    /// Numbers that stand in memory before the first run, the same in each lane.
    pub constants: Vec<(Address, Vec<f64>)>,
    /// Octets of memory up to the end of what it uses.
    pub end: usize,
    /// Which columns it reads.
    pub columns: Vec<u32>,
}

impl Instr {
    /// Shows every address that is not a column's to `f`, which may change it; the flag says whether it is written.
    pub fn addresses(&mut self, f: &mut dyn FnMut(&mut Address, bool)) {
        fn read(operand: &mut Operand, f: &mut dyn FnMut(&mut Address, bool)) {
            if !matches!(operand.read, Read::Column | Read::Splat) {
                f(&mut operand.address, false);
            }
        }
        match self {
            Instr::Unary { out, a, .. } | Instr::Spread { out, a, .. } | Instr::Along { out, a, .. } | Instr::Widen { out, a } => {
                read(a, f);
                f(out, true);
            }
            Instr::Binary { out, a, b, .. } | Instr::SigmoidOf { out, z: a, e: b, .. } | Instr::Pick { out, a, index: b, .. } => {
                read(a, f);
                read(b, f);
                f(out, true);
            }
            Instr::Select { out, c, a, b, .. } => {
                read(c, f);
                read(a, f);
                read(b, f);
                f(out, true);
            }
            Instr::Times { out, a, w, .. } => {
                read(a, f);
                f(&mut w.address, false);
                f(out, true);
            }
            Instr::Gather { out, a, index, .. } => {
                f(a, false);
                read(index, f);
                f(out, true);
            }
            Instr::Product { out, a, b, .. } => {
                f(&mut a.address, false);
                f(&mut b.address, false);
                f(out, true);
            }
            Instr::Logistic(Logistic { z, slopes, hinges, logs, residual }) => {
                read(z, f);
                for operand in slopes.iter_mut().flatten() {
                    read(operand, f);
                }
                f(hinges, true);
                f(logs, true);
                if let Some((out, y)) = residual {
                    read(y, f);
                    f(out, true);
                }
            }
            Instr::Sum { acc, a } | Instr::Log1p { acc, a } => {
                read(a, f);
                f(acc, true);
            }
            Instr::Dot { acc, a, b } | Instr::Outer { acc, a, b } | Instr::Scatter { acc, a, index: b, .. } => {
                read(a, f);
                read(b, f);
                f(acc, true);
            }
            Instr::Unpick { out, a, index, .. } => {
                if let Some(a) = a {
                    read(a, f);
                }
                read(index, f);
                f(out, true);
            }
            Instr::Store { out, a } => {
                read(a, f);
                f(&mut out.address, true);
            }
            Instr::RowCount { out, .. } => f(out, true),
            Instr::Dense(dense) => {
                for (_, place) in &mut dense.args {
                    read(&mut place.operand, f);
                }
                f(&mut dense.out.operand.address, true);
            }
        }
    }

    /// What is read through an [`Operand`].
    #[must_use]
    pub fn operands(&self) -> Vec<Operand> {
        match self {
            Instr::Unary { a, .. }
            | Instr::Spread { a, .. }
            | Instr::Along { a, .. }
            | Instr::Times { a, .. }
            | Instr::Sum { a, .. }
            | Instr::Log1p { a, .. }
            | Instr::Widen { a, .. }
            | Instr::Store { a, .. } => vec![*a],
            Instr::Binary { a, b, .. }
            | Instr::SigmoidOf { z: a, e: b, .. }
            | Instr::Dot { a, b, .. }
            | Instr::Outer { a, b, .. }
            | Instr::Scatter { a, index: b, .. }
            | Instr::Pick { a, index: b, .. } => vec![*a, *b],
            Instr::Gather { index, .. } => vec![*index],
            Instr::Select { c, a, b, .. } => vec![*c, *a, *b],
            Instr::Logistic(l) => [l.z].into_iter().chain(l.slopes.into_iter().flatten()).chain(l.residual.map(|(_, y)| y)).collect(),
            Instr::Unpick { a, index, .. } => a.iter().chain([index]).copied().collect(),
            Instr::Product { .. } | Instr::RowCount { .. } => Vec::new(),
            Instr::Dense(dense) => dense.args.iter().map(|(_, place)| place.operand).collect(),
        }
    }

    /// About how many operations on octets it takes for each row of octets: what elementary functions cost against an addition was measured.
    #[must_use]
    pub fn work(&self) -> u64 {
        const FUNCTION: u64 = 10;
        let wide = |a: &Operand| u64::from(a.width);
        match self {
            Instr::Unary { op, n, .. } => {
                let cheap = matches!(op, Unary::Abs | Unary::Neg | Unary::Not | Unary::Relu | Unary::Sign | Unary::Sqrt | Unary::Square);
                u64::from(*n) * if cheap { 1 } else { FUNCTION }
            }
            Instr::Binary { op: Binary::Pow | Binary::Xlogy, n, .. } | Instr::SigmoidOf { n, .. } => u64::from(*n) * FUNCTION,
            Instr::Binary { n, .. } | Instr::Select { n, .. } => u64::from(*n),
            Instr::Spread { map, .. } => map.len() as u64,
            Instr::Along { along, pre, n, post, .. } => {
                let exponential = matches!(along, Along::LogSumExp | Along::Softmax | Along::LogSoftmax);
                u64::from(*pre) * u64::from(*n) * u64::from(*post) * if exponential { FUNCTION } else { 1 }
            }
            Instr::Times { k, m, .. } => u64::from(*k) * u64::from(*m),
            Instr::Logistic(_) => 2 * FUNCTION,
            Instr::Sum { a, .. } | Instr::Dot { a, .. } | Instr::Widen { a, .. } | Instr::Store { a, .. } => wide(a),
            Instr::Log1p { a, .. } => 2 * wide(a),
            Instr::Outer { a, b, .. } => wide(a) * wide(b),
            Instr::Scatter { a, .. } => 8 * wide(a),
            Instr::Gather { width, .. } => 8 * u64::from(*width),
            Instr::Pick { .. } => 8,
            Instr::Unpick { k, .. } => u64::from(*k),
            Instr::Product { m, n, p, .. } => u64::from(*m) * u64::from(*n) * u64::from(*p) / 8,
            Instr::RowCount { .. } | Instr::Dense(_) => 0,
        }
    }

    /// Whether element `i` of the result needs only elements `i` of the operands, so that the result may take the place of one.
    #[must_use]
    pub fn in_place(&self) -> bool {
        self.elementwise().is_some()
    }

    /// The octets that an elementwise instruction walks.
    #[must_use]
    pub fn elementwise(&self) -> Option<u32> {
        match self {
            Instr::Unary { n, .. } | Instr::Binary { n, .. } | Instr::SigmoidOf { n, .. } | Instr::Select { n, .. } => Some(*n),
            _ => None,
        }
    }

    /// The operands, the result and the octets of an elementwise instruction.
    pub fn elementwise_parts(&mut self) -> Option<(Vec<&mut Operand>, &mut Address, &mut u32)> {
        match self {
            Instr::Unary { out, a, n, .. } => Some((vec![a], out, n)),
            Instr::Binary { out, a, b, n, .. } => Some((vec![a, b], out, n)),
            Instr::SigmoidOf { out, z, e, n } => Some((vec![z, e], out, n)),
            Instr::Select { out, c, a, b, n } => Some((vec![c, a, b], out, n)),
            _ => None,
        }
    }
}
