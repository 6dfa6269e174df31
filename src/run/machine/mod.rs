//! Runs a tape: a loop over instructions, each a loop over octets that is compiled for every level of the CPU.
//!
//! It allocates nothing, except where an instruction falls back to the dense evaluator. The level, the number of lanes and the size of
//! blocks never change a bit.
//!
//! Each instruction is linked once to its code at the CPU's level, and the loop over them calls pointers: one function with all loops in it,
//! compiled for each level, takes minutes to build and is no faster.

#![allow(clippy::inline_always, reason = "a body must be inlined into a function with target features to be compiled with them")]
#![allow(clippy::needless_range_loop, reason = "several arrays of lanes are walked by one index")]

mod along;
mod dense;
mod each;
mod features;
mod index;
mod logistic;
mod octet;
mod outer;
mod product;
mod rows;
mod small;
mod team;
mod view;

use std::cell::Cell;
use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::compile::buffer::{Buffer, Window};
use crate::compile::tape::{Instr, Lanes, Order, Section, Tape};
use crate::numeric::dispatch::Level;
use crate::numeric::sums::CHUNK;
use crate::shape::{Dim, RowCounts};
use view::View;

pub use dense::each_value;
pub(super) use team::{Spare, Team};

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

/// An instruction at a level of the CPU.
type Run = fn(&View, &Instr);
/// What surrounds the instructions of a pass, at a level of the CPU.
type Around = fn(&View, &Section);

/// A tape with the machine code of each instruction: what has to be decided once and not in each step.
#[derive(Debug)]
pub struct Linked {
    tape: Tape,
    code: Vec<Vec<Run>>,
    clear: Around,
    close: Around,
    carry: Around,
    settle: Around,
    finish: Around,
}

impl Linked {
    /// Chooses the code.
    #[must_use]
    pub fn new(tape: Tape, level: Level) -> Self {
        let code = tape.sections.iter().map(|section| section.body.iter().map(|instr| link(instr, level)).collect()).collect();
        Linked {
            tape,
            code,
            clear: rows::clear(level),
            close: rows::close(level),
            carry: rows::carry(level),
            settle: rows::settle(level),
            finish: rows::finish(level),
        }
    }

    /// Runs the tape once over the memory it was laid out in. `columns` are those of its fixed values, with the rows of this run.
    pub fn run(&self, memory: &mut Buffer, columns: &[Window], rows: &RowCounts) {
        self.walk(memory, columns, rows, |_, _| false);
    }

    /// The same, with others where that pays.
    pub(super) fn run_with(self: &Arc<Self>, memory: &mut Buffer, columns: &[Window], rows: &RowCounts, team: &mut Team) {
        self.walk(memory, columns, rows, |number, view| team.share(self, number, view));
    }

    /// Section by section; `shared` carries out a pass, or says that it did not.
    #[inline]
    fn walk(&self, memory: &mut Buffer, columns: &[Window], rows: &RowCounts, mut shared: impl FnMut(usize, &View) -> bool) {
        let numbers: &[Cell<f64>] = Cell::from_mut(memory.numbers_mut()).as_slice_of_cells();
        let lanes = self.tape.lanes;
        let view = View::new(numbers, columns, lanes, rows);
        for (number, (section, runs)) in self.tape.sections.iter().zip(&self.code).enumerate() {
            let code = || section.body.iter().zip(runs);
            // Strip by strip: as though each octet of the values were a row of octets.
            if section.octets > 0 {
                let rows = 8 / lanes.count();
                for start in (0..section.octets).step_by(section.block) {
                    let outer = section.block.min(section.octets - start);
                    let strip = View { in_pass: true, outer, first: start * rows, rows: outer * rows, ..view };
                    code().for_each(|(instr, run)| run(&strip, instr));
                }
                continue;
            }
            let Some(data) = section.data else {
                code().for_each(|(instr, run)| run(&view, instr));
                continue;
            };
            if !shared(number, &view) {
                let chunk = self.chunks(number, &view, 0..rows.of(Dim::Rows(data)));
                (self.finish)(&View { chunk, ..view }, section);
            }
        }
    }

    /// Carries out a pass for some rows, which begin at a chunk, and combines their chunks by the tree; says how many there are.
    fn chunks(&self, number: usize, view: &View, rows: Range<usize>) -> usize {
        let (section, runs) = (&self.tape.sections[number], &self.code[number]);
        let mut view = View { in_pass: true, ..*view };
        if rows.is_empty() {
            (self.clear)(&view, section);
        }
        let (mut first, many) = (rows.start, rows.len() > CHUNK);
        while first < rows.end {
            let end = rows.end.min(first + CHUNK);
            (self.clear)(&view, section);
            while first < end {
                view.first = first;
                view.rows = section.block.min(end - first);
                view.outer = if view.lanes == Lanes::One { view.rows.div_ceil(8) } else { view.rows };
                section.body.iter().zip(runs).for_each(|(instr, run)| run(&view, instr));
                first += view.rows;
            }
            (self.close)(&view, section);
            if many {
                (self.carry)(&view, section);
            }
            view.chunk += 1;
        }
        if many {
            (self.settle)(&view, section);
        }
        view.chunk
    }
}

impl Deref for Linked {
    type Target = Tape;

    fn deref(&self) -> &Tape {
        &self.tape
    }
}

/// The code of an instruction.
fn link(instr: &Instr, level: Level) -> Run {
    match instr {
        Instr::Unary { op, .. } => each::unary(*op, level),
        Instr::Binary { op, .. } => each::binary(*op, level),
        Instr::Select { .. } => each::select(level),
        Instr::SigmoidOf { .. } => each::sigmoid_of(level),
        Instr::Logistic(_) => logistic::logistic(level),
        Instr::Sum { .. } => rows::sum(level),
        Instr::Log1p { .. } => rows::log1p(level),
        Instr::Dot { .. } => rows::dot(level),
        Instr::Times { .. } => product::times(level),
        Instr::Product { .. } => small::product(level),
        Instr::Outer { .. } => outer::outer(level),
        Instr::Spread { .. } => index::spread(level),
        Instr::Widen { .. } => index::widen(level),
        Instr::Store { .. } => index::store(level),
        Instr::Along { along, .. } => along::along(*along, level),
        Instr::Pick { .. } => index::pick,
        Instr::Unpick { .. } => index::unpick,
        Instr::Gather { .. } => index::gather,
        Instr::Scatter { .. } => index::scatter,
        Instr::RowCount { .. } => count_rows,
        Instr::Dense(_) => dense::evaluate,
    }
}

fn count_rows(view: &View, instr: &Instr) {
    let Instr::RowCount { out, data } = *instr else { unreachable!("internal: a number of rows") };
    view.slot(out, 0).iter().for_each(|x| x.set(view.counts.of(Dim::Rows(data)) as f64));
}

/// The start of a chunk's accumulator, so that the first addition is exact and keeps the sign of a zero.
#[inline(always)]
fn start_of(order: Order) -> f64 {
    match order {
        Order::Classes | Order::Places => 0.0,
        Order::Ascending | Order::Chunks => -0.0,
    }
}
