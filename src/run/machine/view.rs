//! Memory as the instructions see it: cells, because operands and result may be the same place.
//!
//! It computes nothing.

use std::cell::Cell;

use crate::compile::buffer::Window;
use crate::compile::tape::{Address, Lanes, Operand, Read};
use crate::numeric::Octet;
use crate::shape::RowCounts;

/// An octet in memory.
pub(super) type Slot = [Cell<f64>; 8];

/// Memory, columns, and the block of rows that is worked on.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) numbers: &'a [Cell<f64>],
    pub(super) slots: &'a [Slot],
    pub(super) columns: &'a [Window],
    pub(super) lanes: Lanes,
    /// Whether rows are worked on.
    pub(super) in_pass: bool,
    /// Rows of octets in the block.
    pub(super) outer: usize,
    /// The first row of the block.
    pub(super) first: usize,
    /// The rows of the block.
    pub(super) rows: usize,
    /// The chunk of rows that is worked on; after the last row, the number of chunks.
    pub(super) chunk: usize,
    pub(super) counts: &'a RowCounts,
}

#[inline(always)]
pub(super) fn load(slot: &Slot) -> Octet {
    [slot[0].get(), slot[1].get(), slot[2].get(), slot[3].get(), slot[4].get(), slot[5].get(), slot[6].get(), slot[7].get()]
}

#[inline(always)]
pub(super) fn store(slot: &Slot, x: Octet) {
    for p in 0..8 {
        slot[p].set(x[p]);
    }
}

/// Octets one after the other, however they are stored.
#[derive(Clone, Copy)]
pub(super) enum Any<'a> {
    Octets(&'a [Slot]),
    One(Octet),
    Data(&'a [Octet]),
    Each(&'a [f64]),
}

impl Any<'_> {
    #[inline(always)]
    pub(super) fn at(&self, i: usize) -> Octet {
        match self {
            Any::Octets(slots) => load(&slots[i]),
            Any::One(x) => *x,
            Any::Data(octets) => octets[i],
            Any::Each(numbers) => [numbers[i]; 8],
        }
    }
}

/// Octets by row of octets and feature.
pub(super) trait Matrix: Copy {
    fn at(&self, outer: usize, feature: usize) -> Octet;
}

/// A value of a block, or of all rows.
#[derive(Clone, Copy)]
pub(super) struct Block<'a>(pub(super) &'a [Slot], pub(super) usize);

impl Matrix for Block<'_> {
    #[inline(always)]
    fn at(&self, outer: usize, feature: usize) -> Octet {
        load(&self.0[outer * self.1 + feature])
    }
}

/// A column, eight rows at a time.
#[derive(Clone, Copy)]
pub(super) struct Data<'a>(pub(super) &'a [Octet], pub(super) usize);

impl Matrix for Data<'_> {
    #[inline(always)]
    fn at(&self, outer: usize, feature: usize) -> Octet {
        self.0[outer * self.1 + feature]
    }
}

/// A column, one row at a time for eight lanes.
#[derive(Clone, Copy)]
pub(super) struct Splat<'a>(pub(super) &'a [Octet], pub(super) usize);

impl Matrix for Splat<'_> {
    #[inline(always)]
    fn at(&self, outer: usize, feature: usize) -> Octet {
        [self.0[outer / 8 * self.1 + feature][outer % 8]; 8]
    }
}

/// Any of them, or a value without rows, by element.
#[derive(Clone, Copy)]
pub(super) enum AnyMatrix<'a> {
    Block(Block<'a>),
    Data(Data<'a>),
    Splat(Splat<'a>),
    Scalars(&'a [Cell<f64>]),
    Octets(&'a [Slot]),
}

impl Matrix for AnyMatrix<'_> {
    #[inline(always)]
    fn at(&self, outer: usize, feature: usize) -> Octet {
        match self {
            AnyMatrix::Block(m) => m.at(outer, feature),
            AnyMatrix::Data(m) => m.at(outer, feature),
            AnyMatrix::Splat(m) => m.at(outer, feature),
            AnyMatrix::Scalars(numbers) => [numbers[feature].get(); 8],
            AnyMatrix::Octets(slots) => load(&slots[feature]),
        }
    }
}

impl<'a> View<'a> {
    /// Memory and columns, outside of rows.
    pub(super) fn new(numbers: &'a [Cell<f64>], columns: &'a [Window], lanes: Lanes, counts: &'a RowCounts) -> Self {
        View { numbers, slots: numbers.as_chunks::<8>().0, columns, lanes, in_pass: false, outer: 1, first: 0, rows: 1, chunk: 0, counts }
    }

    /// The octet so many after an address.
    #[inline(always)]
    pub(super) fn slot(&self, address: Address, offset: usize) -> &'a Slot {
        &self.slots[address.base as usize + offset]
    }

    /// The numbers of a value, from an element on (one lane).
    #[inline(always)]
    pub(super) fn scalars(&self, address: Address) -> &'a [Cell<f64>] {
        &self.numbers[address.base as usize * 8 + address.element as usize..]
    }

    /// The octets of a value, from an element on. With one lane the element begins an octet.
    #[inline(always)]
    pub(super) fn octets(&self, address: Address) -> &'a [Slot] {
        let element = address.element as usize;
        &self.slots[address.base as usize + if self.lanes == Lanes::Eight { element } else { element / 8 }..]
    }

    /// Rows of octets before the block.
    #[inline(always)]
    pub(super) fn before(&self) -> usize {
        if self.lanes == Lanes::Eight { self.first } else { self.first / 8 }
    }

    /// The octets of a column, from the block on.
    #[inline(always)]
    pub(super) fn column(&self, operand: Operand) -> &'a [Octet] {
        &self.columns[operand.address.base as usize].octets()[self.first / 8 * operand.width as usize..]
    }

    /// The octets of a column that is kept as bytes, from the block on.
    #[inline(always)]
    pub(super) fn bytes(&self, operand: Operand) -> &'a [[u8; 8]] {
        &self.columns[operand.address.base as usize].bytes()[self.first / 8 * operand.width as usize..]
    }

    /// The octets of a value with all rows, from the block on.
    #[inline(always)]
    pub(super) fn stream(&self, operand: Operand) -> &'a [Slot] {
        &self.slots[operand.address.base as usize + self.before() * operand.width as usize..]
    }

    /// `n` octets of an elementwise operand.
    #[inline(always)]
    pub(super) fn any(&self, operand: Operand, n: usize) -> Any<'a> {
        match operand.read {
            Read::Octets => Any::Octets(&self.octets(operand.address)[..n]),
            Read::Stream => Any::Octets(&self.stream(operand)[..n]),
            Read::Scalar => Any::One([self.scalars(operand.address)[0].get(); 8]),
            Read::Uniform => Any::One(load(&self.octets(operand.address)[0])),
            Read::Column => Any::Data(&self.column(operand)[..n]),
            Read::Splat => Any::Each(&self.column(operand).as_flattened()[..n]),
        }
    }

    /// An operand by row of octets and feature. In a section without rows there is one row.
    #[inline(always)]
    pub(super) fn matrix(&self, operand: Operand) -> AnyMatrix<'a> {
        let width = operand.width as usize;
        match (operand.read, self.lanes) {
            (Read::Octets, Lanes::One) if !self.in_pass => AnyMatrix::Scalars(self.scalars(operand.address)),
            (Read::Octets, _) => AnyMatrix::Block(Block(self.octets(operand.address), width)),
            (Read::Stream, _) => AnyMatrix::Block(Block(self.stream(operand), width)),
            (Read::Scalar, _) => AnyMatrix::Scalars(self.scalars(operand.address)),
            (Read::Uniform, _) => AnyMatrix::Octets(self.octets(operand.address)),
            (Read::Column, _) => AnyMatrix::Data(Data(self.column(operand), width)),
            (Read::Splat, _) => AnyMatrix::Splat(Splat(self.column(operand), width)),
        }
    }
}

/// Where results go, by row of octets and feature.
#[derive(Clone, Copy)]
pub(super) enum Sink<'a> {
    Block(&'a [Slot], usize),
    Scalars(&'a [Cell<f64>]),
}

impl<'a> Sink<'a> {
    #[inline(always)]
    pub(super) fn new(view: &View<'a>, out: Address, width: usize) -> Self {
        if view.in_pass || view.lanes == Lanes::Eight { Sink::Block(view.octets(out), width) } else { Sink::Scalars(view.scalars(out)) }
    }

    #[inline(always)]
    pub(super) fn put(&self, outer: usize, feature: usize, x: Octet) {
        match self {
            Sink::Block(slots, width) => store(&slots[outer * width + feature], x),
            Sink::Scalars(numbers) => numbers[feature].set(x[0]),
        }
    }
}
