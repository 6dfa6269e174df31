//! Which instructions compute a node.
//!
//! It gives out no addresses. What has no instruction of its own goes to the dense evaluator, so that nothing is unsupported.

use super::fixed::{Form, form};
use super::lower::{Home, Lowering, When, start};
use super::map::{self, around, features};
use super::tape::{Along, Dense, Instr, Lanes, Operand, Order, Place, Read, Total, Weights, takes_column};
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::op::{Op, Reduce, Unary};
use crate::numeric::sums::CHUNK;
use crate::shape::{DataId, Dim};

/// Where an operation is carried out.
#[derive(Debug, Clone, Copy)]
enum At {
    Small(usize),
    Pass(usize, DataId),
}

impl Lowering<'_> {
    /// Appends the instructions that compute a node, and remembers where its value is.
    pub(super) fn select(&mut self, id: Id) {
        let graph = self.request.graph;
        let node = graph.node(id);
        let args: &[Id] = &node.args;
        let axis_of_rows = |id: Id| if let Form::Rows(_, axis) = form(graph.shape(id)) { Some(axis) } else { None };
        let wide = |id: &Id| form(graph.shape(*id)) == Form::Wide;
        if wide(&id) || args.iter().any(wide) {
            return self.dense(id);
        }
        match &node.op {
            Op::Input(input) => {
                let octet = self.request.inputs.iter().find(|(known, _)| known == input).map(|(_, octet)| *octet);
                let octets = self.request.lanes.octets(features(graph.shape(id)));
                let base = self.value(Home::Given(octet.expect("internal: an input has no place"), octets));
                self.define(id, Read::Octets, base, When::Small(0));
            }
            Op::RowCount(data) => {
                let out = self.small(1);
                self.push_small(0, Instr::RowCount { out: start(out), data: *data });
                self.define(id, Read::Octets, out, When::Small(0));
            }
            Op::Unary(Unary::Sigmoid) if self.logistic.contains_key(&args[0]) => {
                let e = self.logistic[&args[0]];
                if !self.is_known(e) {
                    self.select(e);
                }
                self.elementwise_of(id, &[args[0], e], |out, n, a| Instr::SigmoidOf { out, z: a[0], e: a[1], n });
            }
            Op::Unary(Unary::ExpNegAbs) if self.is_known(id) => {}
            Op::Unary(op) => self.elementwise(id, |out, n, a| Instr::Unary { op: *op, out, a: a[0], n }),
            Op::Binary(op) => self.elementwise(id, |out, n, a| Instr::Binary { op: *op, out, a: a[0], b: a[1], n }),
            Op::Select => self.elementwise(id, |out, n, a| Instr::Select { out, c: a[0], a: a[1], b: a[2], n }),
            Op::Reduce(Reduce::Sum | Reduce::SumLog1p, 0) if axis_of_rows(args[0]) == Some(0) => self.sum_rows(id),
            Op::Reduce(Reduce::Median | Reduce::SumLog1p, _) => self.dense(id),
            Op::Reduce(reduce, axis) if axis_of_rows(args[0]) != Some(*axis) => {
                let along = match reduce {
                    Reduce::ArgMax => Along::ArgMax,
                    Reduce::ArgMin => Along::ArgMin,
                    Reduce::LogSumExp => Along::LogSumExp,
                    Reduce::Max => Along::Max,
                    Reduce::Min => Along::Min,
                    Reduce::Prod => Along::Prod,
                    Reduce::Median | Reduce::Sum | Reduce::SumLog1p => Along::Sum,
                };
                self.along(id, along, *axis);
            }
            Op::Softmax(axis) if axis_of_rows(id) != Some(*axis) => self.along(id, Along::Softmax, *axis),
            Op::LogSoftmax(axis) if axis_of_rows(id) != Some(*axis) => self.along(id, Along::LogSoftmax, *axis),
            Op::Cumsum { axis, reverse } if axis_of_rows(id) != Some(*axis) => {
                self.along(id, if *reverse { Along::CumsumReverse } else { Along::Cumsum }, *axis);
            }
            Op::MatMul => self.matmul(id),
            Op::Unslice { axis, start: first, step, .. } if axis_of_rows(id) != Some(*axis) && axis_of_rows(args[0]) != Some(*axis) => {
                let map = map::unslice(graph.shape(args[0]), graph.shape(id), *axis, *first, *step);
                self.assemble(id, &[map]);
            }
            Op::Concat(axis) if axis_of_rows(id) != Some(*axis) => {
                let mut maps = Vec::with_capacity(args.len());
                let mut first = 0;
                for &arg in args {
                    maps.push(map::part(graph.shape(arg), graph.shape(id), *axis, first));
                    first += map::sizes(graph.shape(arg))[*axis];
                }
                self.assemble(id, &maps);
            }
            Op::Pick if axis_of_rows(args[0]) == Some(0) => {
                let k = features(graph.shape(args[0])) as u32;
                self.by_index(id, k, args[1], Some(args[0]), true);
            }
            Op::Unpick(k) if axis_of_rows(id) == Some(0) => self.by_index(id, *k as u32, args[1], Some(args[0]), false),
            Op::OneHot(k) if axis_of_rows(id) == Some(0) => self.by_index(id, *k as u32, args[0], None, false),
            Op::Gather(0) if axis_of_rows(args[0]).is_none() && axis_of_rows(args[1]) == Some(0) => self.gather(id),
            Op::ScatterAdd { axis: 0, .. } if axis_of_rows(args[0]) == Some(0) && axis_of_rows(id).is_none() => self.scatter(id),
            Op::Const(_)
            | Op::Literal(_)
            | Op::Reduce(..)
            | Op::Softmax(_)
            | Op::LogSoftmax(_)
            | Op::Cumsum { .. }
            | Op::Sort(_)
            | Op::ArgSort(_)
            | Op::Transpose
            | Op::Expand(_)
            | Op::Squeeze(_)
            | Op::Broadcast(_)
            | Op::Reshape(_)
            | Op::Slice { .. }
            | Op::Unslice { .. }
            | Op::Concat(_)
            | Op::Gather(_)
            | Op::ScatterAdd { .. }
            | Op::Pick
            | Op::Unpick(_)
            | Op::OneHot(_)
            | Op::Solve
            | Op::SpectralNorm
            | Op::PsdPart => self.dense(id),
        }
    }

    /// The section in which an operation can be carried out whose result has the form of `id`.
    fn at(&mut self, id: Id, args: &[Id]) -> At {
        if let Form::Rows(data, _) = form(self.shape(id)) {
            At::Pass(self.level_of_rows(args), data)
        } else {
            At::Small(args.iter().map(|&arg| self.ready_whole(arg)).max().unwrap_or(0))
        }
    }

    /// The first level in whose pass all arguments are there, those with rows row by row.
    fn level_of_rows(&mut self, args: &[Id]) -> usize {
        args.iter().map(|&arg| self.ready_rows(arg)).max().unwrap_or(0)
    }

    /// A new value of `count` features for the section, and where it is known.
    fn result(&mut self, id: Id, at: At, count: usize) -> u32 {
        let (out, when) = match at {
            At::Small(level) => (self.small(count), When::Small(level)),
            At::Pass(level, _) => (self.value(Home::Block(count)), When::Pass(level)),
        };
        self.define(id, Read::Octets, out, when);
        out
    }

    fn push(&mut self, at: At, instr: Instr) {
        match at {
            At::Small(level) => self.push_small(level, instr),
            At::Pass(level, data) => self.push_row(level, data, instr),
        }
    }

    /// Octets per row of octets, or in all.
    fn octets(&self, at: At, count: usize) -> u32 {
        (if let At::Small(_) = at { self.request.lanes.octets(count) } else { count }) as u32
    }

    fn elementwise(&mut self, id: Id, instr: impl Fn(super::tape::Address, u32, &[Operand]) -> Instr) {
        self.elementwise_of(id, &self.request.graph.node(id).args, instr);
    }

    /// An elementwise instruction whose operands are not quite those of its node.
    fn elementwise_of(&mut self, id: Id, args: &[Id], instr: impl Fn(super::tape::Address, u32, &[Operand]) -> Instr) {
        let graph = self.request.graph;
        let shape = graph.shape(id);
        let count = features(shape);
        let at = self.at(id, args);
        let mut operands = Vec::with_capacity(args.len());
        // How many operands may be read from columns: one of the usual arithmetic, or both values of a choice together.
        let mut columns = match graph.node(id).op {
            Op::Binary(op) if takes_column(op) => 1,
            Op::Select if args[1..].iter().all(|&arg| self.is_column(arg, shape)) => 2,
            _ => 0,
        };
        for &arg in args {
            let map = map::broadcast(graph.shape(arg), shape);
            operands.push(match at {
                At::Small(_) => self.small_operand(arg, &map, count),
                At::Pass(level, data) => {
                    let choosing = args.len() == 3 && operands.is_empty();
                    let operand = self.row_operand(arg, &map, count, (level, data), columns > 0 && !choosing);
                    columns -= usize::from(matches!(operand.read, Read::Column | Read::Splat));
                    operand
                }
            });
        }
        let out = self.result(id, at, count);
        let n = self.octets(at, count);
        self.push(at, instr(start(out), n, &operands));
    }

    /// A whole operand of a section: a matrix of features.
    fn operand(&mut self, id: Id, at: At) -> Operand {
        match at {
            At::Small(_) => Operand { read: Read::Octets, address: self.contiguous(id), width: features(self.shape(id)) as u32 },
            At::Pass(level, data) => self.matrix(id, level, data),
        }
    }

    fn along(&mut self, id: Id, along: Along, axis: usize) {
        let arg = self.request.graph.node(id).args[0];
        let (pre, n, post) = around(self.request.graph.shape(arg), axis);
        let at = self.at(id, &[arg]);
        let a = self.operand(arg, at);
        let count = features(self.shape(id));
        let out = start(self.result(id, at, count));
        self.push(at, Instr::Along { along, classes: axis == 0, out, a, pre: pre as u32, n: n as u32, post: post as u32 });
    }

    /// Puts arguments at the places that the maps say.
    fn assemble(&mut self, id: Id, maps: &[map::Map]) {
        let args = &self.request.graph.node(id).args;
        let at = self.at(id, args);
        let count = features(self.shape(id));
        let operands: Vec<Operand> = args
            .iter()
            .map(|&arg| {
                let operand = self.operand(arg, at);
                match at {
                    At::Small(_) => self.element_of(operand),
                    At::Pass(..) => operand,
                }
            })
            .collect();
        let out = start(self.result(id, at, count));
        for (a, map) in operands.into_iter().zip(maps) {
            let map = map.as_ref().map_or_else(|| (0..count as u32).collect(), |map| map.iter().copied().collect());
            self.push(at, Instr::Spread { out, a, map });
        }
    }

    fn element_of(&self, operand: Operand) -> Operand {
        Operand { read: if self.request.lanes == Lanes::Eight { Read::Uniform } else { Read::Scalar }, ..operand }
    }

    fn by_index(&mut self, id: Id, k: u32, index: Id, a: Option<Id>, pick: bool) {
        let args = &self.request.graph.node(id).args;
        let at = self.at(id, args);
        let index = self.operand(index, at);
        let a = a.map(|a| self.operand(a, at));
        let count = features(self.shape(id));
        let out = start(self.result(id, at, count));
        let instr = match (pick, a) {
            (true, Some(a)) => Instr::Pick { out, a, index, k },
            (_, a) => Instr::Unpick { out, a, index, k },
        };
        self.push(at, instr);
    }

    /// Rows of a value without rows, chosen by data.
    fn gather(&mut self, id: Id) {
        let args = &self.request.graph.node(id).args;
        let at = self.at(id, args);
        let size = map::sizes(self.shape(args[0]))[0];
        let width = features(self.shape(id));
        let (a, index) = (self.contiguous(args[0]), self.operand(args[1], at));
        let out = start(self.result(id, at, width));
        self.push(at, Instr::Gather { out, a, index, size: size as u32, width: width as u32 });
    }

    /// The transpose of [`gather`](Self::gather).
    fn scatter(&mut self, id: Id) {
        let args = &self.request.graph.node(id).args;
        let level = self.level_of_rows(args);
        let Form::Rows(data, _) = form(self.shape(args[0])) else { unreachable!("internal: rows are added up that are none") };
        let (a, index) = (self.matrix(args[0], level, data), self.matrix(args[1], level, data));
        let (size, width) = (map::sizes(self.shape(id))[0], a.width as usize);
        self.total(id, level, data, Order::Places, (size, width), |acc| Instr::Scatter { acc, a, index, size: size as u32 });
    }

    fn sum_rows(&mut self, id: Id) {
        let arg = self.request.graph.node(id).args[0];
        let level = self.level_of_rows(&[arg]);
        let Form::Rows(data, _) = form(self.shape(arg)) else { unreachable!("internal: a sum over rows of no rows") };
        let a = self.matrix(arg, level, data);
        let log1p = matches!(self.request.graph.node(id).op, Op::Reduce(Reduce::SumLog1p, _));
        let instr = |acc| if log1p { Instr::Log1p { acc, a } } else { Instr::Sum { acc, a } };
        self.total(id, level, data, Order::Classes, (features(self.shape(arg)), 1), instr);
    }

    /// A reduction over rows to `rows` by `columns` numbers.
    fn total(
        &mut self,
        id: Id,
        level: usize,
        data: DataId,
        order: Order,
        (rows, columns): (usize, usize),
        instr: impl Fn(super::tape::Address) -> Instr,
    ) {
        let octets = match (order, self.request.lanes) {
            (Order::Classes, Lanes::One) => rows * columns,
            (Order::Classes, Lanes::Eight) => 8 * rows * columns,
            (_, Lanes::One) => rows * columns.div_ceil(8),
            (_, Lanes::Eight) => rows * columns,
        };
        let chunks = self.request.rows.of(Dim::Rows(data)).div_ceil(CHUNK);
        let sets = if order.through() || chunks <= 1 { 1 } else { 2 + chunks.ilog2() as usize };
        let acc = self.value(Home::Full(octets * sets));
        // The result takes their place if it is laid out as they are.
        let same = order != Order::Classes && (self.request.lanes == Lanes::Eight || columns.is_multiple_of(8) || rows == 1);
        let out = if same { acc } else { self.small(rows * columns) };
        let acc = start(acc);
        let log1p = matches!(instr(acc), Instr::Log1p { .. });
        let total = Total { acc, octets: octets as u32, order, log1p, rows: rows as u32, columns: columns as u32, out: start(out) };
        self.push_total(level, data, instr(acc), total);
        self.define(id, Read::Octets, out, When::Small(level + 1));
    }

    fn matmul(&mut self, id: Id) {
        let graph = self.request.graph;
        let [a, b] = graph.node(id).args[..] else { unreachable!("internal: a product has two arguments") };
        let transposed = graph.node(a).op == Op::Transpose;
        let (left, right) = (graph.shape(a).clone(), graph.shape(b).clone());
        // Behind a transpose a vector product has classes and a matrix product chunks, of the inner axis.
        let order = match (left.rank(), right.rank(), transposed) {
            (1, ..) | (2, 1, true) => Order::Classes,
            (_, _, true) => Order::Chunks,
            _ => Order::Ascending,
        };
        let short = |inner: usize| order == Order::Ascending || (order == Order::Chunks && inner <= CHUNK);
        match (form(&left), form(&right)) {
            (Form::Rows(data, _), Form::Rows(_, 0)) if left.0.last() == right.0.first() => {
                let level = self.level_of_rows(&[a, b]);
                let (x, y) = (self.matrix(a, level, data), self.matrix(b, level, data));
                let size = (features(&left), features(&right));
                if order == Order::Classes {
                    self.total(id, level, data, order, (size.0, 1), |acc| Instr::Dot { acc, a: x, b: y });
                } else {
                    self.total(id, level, data, order, size, |acc| Instr::Outer { acc, a: x, b: y });
                }
            }
            (Form::Rows(data, 0), Form::Small) if short(map::sizes(&right)[0]) => {
                let (k, m) = (features(&left), features(&right) / features(&left).max(1));
                let level = self.level_of_rows(&[a, b]);
                let (x, w) = (self.matrix(a, level, data), self.weights(b, k, m));
                let out = start(self.result(id, At::Pass(level, data), m));
                self.push_row(level, data, Instr::Times { out, a: x, w, k: k as u32, m: m as u32 });
            }
            // W @ X.T is the transpose of X @ W.T, product by product.
            (Form::Small, Form::Rows(data, 1)) if short(map::sizes(&left)[1]) => {
                let [m, k] = map::sizes(&left)[..] else { unreachable!("internal: a matrix") };
                let level = self.level_of_rows(&[a, b]);
                let x = self.matrix(b, level, data);
                let w = self.weights(a, m, k);
                let w = Weights { turned: !w.turned, ..w };
                let out = start(self.result(id, At::Pass(level, data), m));
                self.push_row(level, data, Instr::Times { out, a: x, w, k: k as u32, m: m as u32 });
            }
            (Form::Small, Form::Small) => {
                let (m, n) = if left.rank() == 1 { (1, features(&left)) } else { (map::sizes(&left)[0], map::sizes(&left)[1]) };
                let p = if right.rank() == 1 { 1 } else { map::sizes(&right)[1] };
                let at = self.at(id, &[a, b]);
                let (x, y) = (self.weights(a, m, n), self.weights(b, n, p));
                let out = start(self.result(id, at, m * p));
                self.push(at, Instr::Product { out, a: x, b: y, m: m as u32, n: n as u32, p: p as u32, order });
            }
            _ => self.dense(id),
        }
    }

    /// A matrix without rows, read where it stands if that is in either order.
    fn weights(&mut self, id: Id, rows: usize, columns: usize) -> Weights {
        let (base, map) = self.view(id);
        let known = self.known(base);
        let at = |element: u32| super::tape::Address { base: known.base, element };
        if let Some(element) = map::contiguous(&map) {
            return Weights { address: at(element), turned: false };
        }
        if let Some(element) = map::transposed(&map, rows, columns) {
            return Weights { address: at(element), turned: true };
        }
        Weights { address: self.contiguous(id), turned: false }
    }

    fn dense(&mut self, id: Id) {
        let graph = self.request.graph;
        let node = graph.node(id);
        let mut own = Graph::new();
        let mut args: Vec<(Id, Id)> = Vec::new();
        let mut inputs = Vec::new();
        for (position, &arg) in node.args.iter().enumerate() {
            // The order of a product depends on whether its left side is written as a transpose.
            let turned = position == 0 && node.op == Op::MatMul && graph.node(arg).op == Op::Transpose;
            let source = if turned { graph.node(arg).args[0] } else { arg };
            let input = own.input("", InputKind::Hyper, graph.shape(source).clone());
            inputs.push((source, own.as_input(input).expect("internal: an input")));
            args.push((source, if turned { own.add(Op::Transpose, &[input]) } else { input }));
        }
        let operands: Vec<Id> = args.iter().map(|(_, operand)| *operand).collect();
        let root = own.add(node.op.clone(), &operands);
        let level = inputs.iter().map(|(source, _)| self.ready_place(*source)).max().unwrap_or(0);
        let args = inputs.into_iter().map(|(source, input)| (input, self.place(source))).collect();
        let shape = node.shape.clone();
        let width = features(&shape);
        let (read, base) = match form(&shape) {
            Form::Small => (Read::Octets, self.small(width)),
            Form::Rows(data, _) => (Read::Stream, self.value(Home::Full(self.full_octets(data, width)))),
            Form::Wide => {
                let count = self.request.rows.sizes(&shape).iter().product();
                (Read::Octets, self.value(Home::Full(self.request.lanes.octets(count))))
            }
        };
        let out = Place { operand: Operand { read, address: start(base), width: width as u32 }, shape };
        self.push_small(level, Instr::Dense(Box::new(Dense { graph: own, root, args, out })));
        self.define(id, Read::Octets, base, When::Small(level));
    }
}
