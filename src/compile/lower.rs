//! The order of a program: which value belongs to which section, and what has to be kept from one section to the next.
//!
//! It selects no instructions (`select`) and gives out no addresses (`allocate`): values have numbers here.
//!
//! Sections alternate: small values of level 0, the passes over rows of level 0 (one per dataset), small values of level 1, ...
//! A reduction over rows ends a level, because its result is known only after the last row.

use std::collections::BTreeMap;

use super::allocate::allocate;
use super::fixed::{Fixed, Form, form};
use super::fuse::fuse;
use super::map::{Map, constant, contiguous, features};
use super::strips;
use super::tape::{Address, Instr, Lanes, Operand, Place, Read, Section, Tape, Total};
use crate::expr::graph::{Graph, Id};
use crate::expr::op::{InputId, Op, Unary};
use crate::shape::{DataId, Dim, RowCounts, Shape};

/// What is to be compiled.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The expressions.
    pub graph: &'a Graph,
    /// The values wanted.
    pub roots: &'a [Id],
    /// The most rows there will be: of the data, or of a batch.
    pub rows: &'a RowCounts,
    /// What depends on data alone.
    pub fixed: &'a Fixed,
    /// The inputs that change, and the octet of memory where each lies.
    pub inputs: &'a [(InputId, usize)],
    /// The first octet of memory that the tape may use.
    pub start: usize,
    /// How many runs go side by side.
    pub lanes: Lanes,
    /// Rows of a block, when it is not to be chosen by shape; rounded to a multiple of 8.
    pub block: Option<usize>,
}

/// Where a value lives. Numbers of values are indices into [`Lowering::values`].
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Home {
    /// At a fixed octet, outside what the tape lays out; so many octets.
    Given(usize, usize),
    /// In memory before the first run.
    Constant(Vec<f64>),
    /// In memory from its section to its last use; so many octets.
    Small(usize),
    /// In a block, so many octets per row of octets.
    Block(usize),
    /// In memory with all rows; so many octets. It keeps its place.
    Full(usize),
}

/// From when on a value can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// In the small section of a level, as a whole.
    Small(usize),
    /// In the pass of a level, row by row; as a whole in the next level.
    Pass(usize),
}

/// A computed value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) read: Read,
    pub(super) base: u32,
    pub(super) when: When,
}

/// A level: what is computed once, then the passes over rows.
#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) small: Vec<Instr>,
    pub(super) passes: BTreeMap<DataId, (Vec<Instr>, Vec<Total>)>,
}

/// The state of lowering.
pub(super) struct Lowering<'a> {
    pub(super) request: Request<'a>,
    pub(super) values: Vec<Home>,
    known: BTreeMap<Id, Known>,
    /// Values with rows that are also kept whole.
    whole: BTreeMap<u32, u32>,
    /// Columns kept as bytes that were made whole in a pass.
    widened: BTreeMap<(u32, usize, DataId), u32>,
    /// Rearrangements that were carried out, by the node and the pass (none for small ones).
    copies: BTreeMap<(Id, Option<(usize, DataId)>), u32>,
    levels: Vec<Level>,
    /// Where `exp(-|z|)` is computed anyway, by `z`: what `sigmoid(z)` is made of.
    pub(super) logistic: BTreeMap<Id, Id>,
}

/// Compiles.
#[must_use]
pub fn compile(request: &Request) -> Tape {
    let mut lowering = Lowering {
        request: *request,
        values: Vec::new(),
        known: BTreeMap::new(),
        whole: BTreeMap::new(),
        widened: BTreeMap::new(),
        copies: BTreeMap::new(),
        levels: Vec::new(),
        logistic: BTreeMap::new(),
    };
    let order = request.graph.reachable(request.roots);
    for &id in order.iter().filter(|&&id| !request.fixed.is_fixed(id)) {
        if request.graph.node(id).op == Op::Unary(Unary::ExpNegAbs) {
            lowering.logistic.insert(request.graph.node(id).args[0], id);
        }
    }
    for id in order {
        if request.fixed.is_fixed(id) || lowering.view(id).0 != id {
            continue;
        }
        lowering.select(id);
    }
    let roots: Vec<Place> = request.roots.iter().map(|&root| lowering.place(root)).collect();
    let (mut levels, mut values) = (lowering.levels, lowering.values);
    strips::sink(&mut levels);
    let instrs = levels.iter().flat_map(|level| level.small.iter().chain(level.passes.values().flat_map(|(body, _)| body)));
    let last = roots.iter().filter(|root| !matches!(root.operand.read, Read::Column | Read::Splat));
    let uses = strips::uses(instrs, last.map(|root| root.operand.address.base));
    let mut sections = Vec::new();
    for level in levels {
        sections.extend(strips::cut(level.small, &uses, &mut values));
        for (data, (mut body, totals)) in level.passes {
            let is_zero = |value: u32| matches!(&values[value as usize], Home::Constant(numbers) if numbers[..] == [0.0]);
            let is_complement = |column: u32, of: u32| request.fixed.is_complement(request.graph, column, of);
            fuse(&mut body, &is_zero, &is_complement);
            sections.push(Section { data: Some(data), body, totals, ..Section::default() });
        }
    }
    allocate(request, &values, sections, roots)
}

impl Lowering<'_> {
    pub(super) fn shape(&self, id: Id) -> &Shape {
        self.request.graph.shape(id)
    }

    pub(super) fn view(&self, id: Id) -> (Id, Map) {
        self.request.fixed.view(id)
    }

    /// A new value.
    pub(super) fn value(&mut self, home: Home) -> u32 {
        self.values.push(home);
        (self.values.len() - 1) as u32
    }

    /// A new value without rows.
    pub(super) fn small(&mut self, elements: usize) -> u32 {
        self.value(Home::Small(self.request.lanes.octets(elements)))
    }

    fn level(&mut self, level: usize) -> &mut Level {
        while self.levels.len() <= level {
            self.levels.push(Level::default());
        }
        &mut self.levels[level]
    }

    /// Appends to the small section of a level.
    pub(super) fn push_small(&mut self, level: usize, instr: Instr) {
        self.level(level).small.push(instr);
    }

    /// Appends to a pass.
    pub(super) fn push_row(&mut self, level: usize, data: DataId, instr: Instr) {
        self.level(level).passes.entry(data).or_default().0.push(instr);
    }

    /// Appends a reduction to a pass.
    pub(super) fn push_total(&mut self, level: usize, data: DataId, instr: Instr, total: Total) {
        let (body, totals) = self.level(level).passes.entry(data).or_default();
        body.push(instr);
        totals.push(total);
    }

    /// Remembers where a node's value is.
    pub(super) fn define(&mut self, id: Id, read: Read, base: u32, when: When) {
        self.known.insert(id, Known { read, base, when });
    }

    /// Whether the node has been computed.
    pub(super) fn is_known(&self, id: Id) -> bool {
        self.known.contains_key(&id)
    }

    /// A base node: computed, an input, or fixed.
    pub(super) fn known(&mut self, id: Id) -> Known {
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        let eight = self.request.lanes == Lanes::Eight;
        let known = if let Some(column) = self.request.fixed.column(id) {
            Known { read: if eight { Read::Splat } else { Read::Column }, base: column, when: When::Small(0) }
        } else {
            let array = self.request.fixed.array(id).expect("internal: a value is used before it is computed");
            let numbers: Vec<f64> = array.iter().copied().collect();
            Known { read: Read::Octets, base: self.value(Home::Constant(numbers)), when: When::Small(0) }
        };
        self.known.insert(id, known);
        known
    }

    /// The first level in whose small section the value is there as a whole.
    pub(super) fn ready_whole(&mut self, id: Id) -> usize {
        let base = self.view(id).0;
        match self.known(base).when {
            When::Small(level) => level,
            When::Pass(level) => level + 1,
        }
    }

    /// The first level in whose pass the value is there row by row.
    pub(super) fn ready_rows(&mut self, id: Id) -> usize {
        let base = self.view(id).0;
        match self.known(base).when {
            When::Small(level) | When::Pass(level) => level,
        }
    }

    /// The value without rows as octets at an address: computed, or copied once if it is a rearrangement.
    pub(super) fn contiguous(&mut self, id: Id) -> Address {
        let (base, map) = self.view(id);
        let known = self.known(base);
        if let Some(start) = contiguous(&map).filter(|&start| map.is_none() || self.aligned(start)) {
            return Address { base: known.base, element: start };
        }
        if let Some(&copy) = self.copies.get(&(id, None)) {
            return Address { base: copy, element: 0 };
        }
        let count = features(self.shape(id));
        let out = self.small(count);
        let level = self.ready_whole(id);
        let a = self.element(known.base, 0);
        let map = table(&map, count);
        self.push_small(level, Instr::Spread { out: start(out), a, map });
        self.copies.insert((id, None), out);
        start(out)
    }

    fn aligned(&self, element: u32) -> bool {
        self.request.lanes == Lanes::Eight || element.is_multiple_of(8)
    }

    /// One element without rows, for all octets.
    fn element(&self, base: u32, element: u32) -> Operand {
        let read = if self.request.lanes == Lanes::Eight { Read::Uniform } else { Read::Scalar };
        Operand { read, address: Address { base, element }, width: 0 }
    }

    /// An operand without rows of an elementwise operation without rows; `map` is from the result to the node.
    pub(super) fn small_operand(&mut self, id: Id, map: &Map, count: usize) -> Operand {
        let (base, inner) = self.view(id);
        let whole = super::map::compose(map, &inner);
        let known = self.known(base);
        if let Some(start) = contiguous(&whole).filter(|&start| whole.is_none() || self.aligned(start)) {
            return Operand { read: Read::Octets, address: Address { base: known.base, element: start }, width: 0 };
        }
        if let Some(one) = constant(&whole, count) {
            return self.element(known.base, one);
        }
        let out = self.small(count);
        let level = self.ready_whole(id);
        let a = self.element(known.base, 0);
        self.push_small(level, Instr::Spread { out: start(out), a, map: table(&whole, count) });
        Operand { read: Read::Octets, address: start(out), width: 0 }
    }

    /// An operand of an operation in a pass, in its own shape: with `width` features a row, or without rows (`width` 0 and one element).
    fn raw(&mut self, known: Known, shape: &Shape, level: usize, data: DataId) -> Operand {
        match (known.read, form(shape)) {
            (Read::Octets, Form::Small) => self.element(known.base, 0),
            (Read::Octets, _) if known.when != When::Pass(level) => {
                let base = self.whole(known, shape, data);
                Operand { read: Read::Stream, address: start(base), width: features(shape) as u32 }
            }
            (Read::Column, _) if self.request.fixed.is_narrow(known.base) => {
                let width = features(shape);
                Operand { read: Read::Octets, address: start(self.widen(known.base, width, level, data)), width: width as u32 }
            }
            (read, _) => Operand { read, address: start(known.base), width: features(shape) as u32 },
        }
    }

    /// The block of a column that is kept as bytes. It is filled first of all.
    fn widen(&mut self, column: u32, width: usize, level: usize, data: DataId) -> u32 {
        if let Some(&out) = self.widened.get(&(column, level, data)) {
            return out;
        }
        let out = self.value(Home::Block(width));
        let a = Operand { read: Read::Column, address: start(column), width: width as u32 };
        self.level(level).passes.entry(data).or_default().0.insert(0, Instr::Widen { out: start(out), a });
        self.widened.insert((column, level, data), out);
        out
    }

    /// Whether the node, as an operand of this shape, can be read from a column as it stands.
    pub(super) fn is_column(&self, id: Id, shape: &Shape) -> bool {
        let (base, map) = self.view(id);
        let narrow = self.request.lanes == Lanes::One || features(shape) == 1;
        map.is_none() && self.shape(id) == shape && self.request.fixed.column(base).is_some() && narrow
    }

    /// An elementwise operand in a pass; `map` is from the features of the result to those of the node. What cannot be read
    /// as it stands is copied into the block, columns unless `column`.
    pub(super) fn row_operand(&mut self, id: Id, map: &Map, count: usize, (level, data): (usize, DataId), column: bool) -> Operand {
        let (base, inner) = self.view(id);
        let whole = super::map::compose(map, &inner);
        let known = self.known(base);
        let shape = self.shape(base).clone();
        if form(&shape) == Form::Small {
            if let Some(one) = constant(&whole, count) {
                return self.element(known.base, one);
            }
        } else {
            let raw = self.raw(known, &shape, level, data);
            let straight = match raw.read {
                Read::Splat => column && raw.width == 1,
                Read::Column => column,
                Read::Octets | Read::Stream | Read::Scalar | Read::Uniform => true,
            };
            if whole.is_none() && straight {
                return raw;
            }
        }
        let copy = (id, Some((level, data)));
        let same = map.is_none();
        if let Some(&out) = self.copies.get(&copy).filter(|_| same) {
            return Operand { read: Read::Octets, address: start(out), width: count as u32 };
        }
        let a = self.raw(known, &shape, level, data);
        let out = self.value(Home::Block(count));
        self.push_row(level, data, Instr::Spread { out: start(out), a, map: table(&whole, count) });
        if same {
            self.copies.insert(copy, out);
        }
        Operand { read: Read::Octets, address: start(out), width: count as u32 }
    }

    /// A matrix operand in a pass: any reading of a value with rows in its own order of features.
    pub(super) fn matrix(&mut self, id: Id, level: usize, data: DataId) -> Operand {
        let (base, map) = self.view(id);
        let shape = self.shape(base).clone();
        if map.is_none() && form(&shape) != Form::Small {
            let known = self.known(base);
            return self.raw(known, &shape, level, data);
        }
        let count = features(self.shape(id));
        let operand = self.row_operand(id, &None, count, (level, data), true);
        if matches!(operand.read, Read::Octets | Read::Stream | Read::Column | Read::Splat) {
            return operand;
        }
        // One number for all rows: written out.
        let out = self.value(Home::Block(count));
        self.push_row(level, data, Instr::Spread { out: start(out), a: operand, map: vec![0; count].into() });
        Operand { read: Read::Octets, address: start(out), width: count as u32 }
    }

    /// The value with all its rows: kept by its pass.
    fn whole(&mut self, known: Known, shape: &Shape, data: DataId) -> u32 {
        let When::Pass(level) = known.when else { return known.base };
        if let Some(&whole) = self.whole.get(&known.base) {
            return whole;
        }
        let width = features(shape);
        let out = self.value(Home::Full(self.full_octets(data, width)));
        let operand = |read, base| Operand { read, address: start(base), width: width as u32 };
        let instr = Instr::Store { out: operand(Read::Stream, out), a: operand(Read::Octets, known.base) };
        self.push_row(level, data, instr);
        self.whole.insert(known.base, out);
        out
    }

    /// Octets of a value with all rows.
    pub(super) fn full_octets(&self, data: DataId, width: usize) -> usize {
        let rows = self.request.rows.of(Dim::Rows(data));
        width * if self.request.lanes == Lanes::Eight { rows } else { rows.div_ceil(8) }
    }

    /// The first level in whose small section [`Lowering::place`] of the node can be read.
    pub(super) fn ready_place(&mut self, id: Id) -> usize {
        let (base, map) = self.view(id);
        let kept = map.is_none() && form(self.shape(base)) != Form::Small;
        if matches!(form(self.shape(id)), Form::Rows(..)) && !kept { self.ready_rows(id) + 1 } else { self.ready_whole(id) }
    }

    /// A whole value, in its own order.
    pub(super) fn place(&mut self, id: Id) -> Place {
        let shape = self.shape(id).clone();
        let width = features(&shape) as u32;
        let operand = match form(&shape) {
            Form::Small | Form::Wide => Operand { read: Read::Octets, address: self.contiguous(id), width },
            Form::Rows(data, _) => {
                let (base, map) = self.view(id);
                let (level, known) = (self.ready_rows(id), self.known(base));
                let operand = if map.is_none() && known.read == Read::Column {
                    Operand { read: Read::Column, address: start(known.base), width }
                } else {
                    self.matrix(id, level, data)
                };
                if operand.read == Read::Octets {
                    let known = Known { read: Read::Octets, base: operand.address.base, when: When::Pass(level) };
                    Operand { read: Read::Stream, address: start(self.whole(known, &shape, data)), width }
                } else {
                    operand
                }
            }
        };
        Place { operand, shape }
    }
}

/// The first element of a value.
pub(super) fn start(base: u32) -> Address {
    Address { base, element: 0 }
}

/// The map written out.
fn table(map: &Map, count: usize) -> Box<[u32]> {
    match map {
        None => (0..count as u32).collect(),
        Some(map) => map.iter().copied().collect(),
    }
}
