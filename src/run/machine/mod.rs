//! Runs a tape: a loop over instructions, each a loop over octets that is compiled for every level of the CPU.
//!
//! It allocates nothing, except where an instruction falls back to the dense evaluator. The level, the number of lanes and the size of
//! blocks never change a bit.
//!
//! The levels meet at the instructions and not at the loop over them: one function with all loops in it takes minutes to compile.

#![allow(clippy::inline_always, reason = "a body must be inlined into a function with target features to be compiled with them")]
#![allow(clippy::needless_range_loop, reason = "several arrays of lanes are walked by one index")]

mod along;
mod dense;
mod each;
mod index;
mod octet;
mod outer;
mod product;
mod rows;
mod small;
mod view;

use std::cell::Cell;
use std::sync::Arc;

use crate::compile::buffer::Buffer;
use crate::compile::tape::{Instr, Lanes, Order, Section, Tape};
use crate::numeric::dispatch::Level;
use crate::numeric::sums::CHUNK;
use crate::shape::{DataId, Dim, RowCounts};
use view::{Slot, View};

pub use dense::each_value;

/// Puts the constants of a tape into memory.
pub fn prepare(tape: &Tape, memory: &mut Buffer) {
    for (address, values) in &tape.constants {
        let at = address.base as usize * 8;
        for (element, &x) in values.iter().enumerate() {
            for lane in 0..tape.lanes.count() {
                memory.numbers_mut()[at + tape.lanes.place(element, lane)] = x;
            }
        }
    }
}

/// Runs a tape once over the memory it was laid out in. `columns` are those of its fixed values, with the rows of this run.
pub fn run(level: Level, tape: &Tape, memory: &mut Buffer, columns: &[Arc<Buffer>], rows: &RowCounts) {
    let numbers: &[Cell<f64>] = Cell::from_mut(memory.numbers_mut()).as_slice_of_cells();
    let slots: &[Slot] = numbers.as_chunks::<8>().0;
    let mut view = View { numbers, slots, columns, lanes: tape.lanes, in_pass: false, outer: 1, first: 0, rows: 1, counts: rows };
    for section in &tape.sections {
        if section.octets > 0 {
            strips(level, &view, section);
            continue;
        }
        let all = section.data.map_or(1, |data: DataId| rows.of(Dim::Rows(data)));
        rows::clear(&view, section, true);
        view.in_pass = section.data.is_some();
        let (mut first, mut chunk) = (0, 0);
        while first < all {
            let end = all.min(first + CHUNK);
            rows::clear(&view, section, false);
            while first < end {
                view.first = first;
                view.rows = section.block.min(end - first);
                view.outer = match (section.data, tape.lanes) {
                    (None, _) => 1,
                    (Some(_), Lanes::One) => view.rows.div_ceil(8),
                    (Some(_), Lanes::Eight) => view.rows,
                };
                for instr in &section.body {
                    execute(level, &view, instr);
                }
                first += view.rows;
            }
            if all > CHUNK {
                rows::carry(&view, section, chunk);
            }
            chunk += 1;
        }
        rows::finish(&view, section, chunk);
    }
}

/// Carries out a section strip by strip: as though each octet of the values were a row of octets.
fn strips(level: Level, view: &View, section: &Section) {
    let rows = 8 / view.lanes.count();
    for start in (0..section.octets).step_by(section.block) {
        let outer = section.block.min(section.octets - start);
        let strip = View { in_pass: true, outer, first: start * rows, rows: outer * rows, ..*view };
        for instr in &section.body {
            execute(level, &strip, instr);
        }
    }
}

#[inline]
fn execute(level: Level, view: &View, instr: &Instr) {
    match instr {
        Instr::Unary { op, out, a, n } => each::unary(level, view, *op, *out, *a, *n as usize),
        Instr::Binary { op, out, a, b, n } => each::binary(level, view, *op, *out, *a, *b, *n as usize),
        Instr::Select { out, c, a, b, n } => each::select(level, view, *out, [*c, *a, *b], *n as usize),
        Instr::Spread { out, a, map } => index::spread(level, view, *out, *a, map),
        Instr::Along { along, classes, out, a, pre, n, post } => {
            along::along(level, view, *along, *classes, *out, *a, [*pre, *n, *post].map(|n| n as usize));
        }
        Instr::Times { out, a, w, k, m } => product::times(level, view, *out, *a, *w, *k as usize, *m as usize),
        Instr::Product { out, a, b, m, n, p, order } => {
            small::product(level, view, *out, *a, *b, [*m, *n, *p].map(|n| n as usize), *order);
        }
        Instr::Sum { acc, a } => rows::sum(level, view, *acc, *a),
        Instr::Dot { acc, a, b } => rows::dot(level, view, *acc, *a, *b),
        Instr::Outer { acc, a, b } => outer::outer(level, view, *acc, *a, *b),
        Instr::Pick { out, a, index, k } => index::pick(view, *out, *a, *index, *k as usize),
        Instr::Unpick { out, a, index, k } => index::unpick(view, *out, *a, *index, *k as usize),
        Instr::Gather { out, a, index, size, width } => index::gather(view, *out, *a, *index, [*size, *width].map(|n| n as usize)),
        Instr::Scatter { acc, a, index, size } => index::scatter(view, *acc, *a, *index, *size as usize),
        Instr::Store { out, a } => index::store(level, view, *out, *a),
        Instr::RowCount { out, data } => view.slot(*out, 0).iter().for_each(|x| x.set(view.counts.of(Dim::Rows(*data)) as f64)),
        Instr::Dense(dense) => dense::evaluate(view, dense),
    }
}

/// The start of a chunk's accumulator, so that the first addition is exact and keeps the sign of a zero.
#[inline(always)]
fn start_of(order: Order) -> f64 {
    match order {
        Order::Classes | Order::Places => 0.0,
        Order::Ascending | Order::Chunks => -0.0,
    }
}
