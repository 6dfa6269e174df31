//! What is drawn afresh for each step, put into memory before the step.
//!
//! The numbers of step `t` (from 1) of replicate `r` are those of the stream of purpose `"noise"`, the name of the draw and indices
//! `[r, t]`: they depend on no cell, lane or thread. Cells share them, so they are made once per replicate and step as long as a
//! run's numbers are few; else only those of one step are kept.

use crate::compile::tape::Lanes;
use crate::numeric::random::Stream;
use crate::plan::unit::Unit;

/// The most numbers of a run that are kept for the next group of cells.
const KEPT: u64 = 1 << 17;

/// The noise of one group after the other.
#[derive(Debug)]
pub(super) struct Noise<'a> {
    unit: &'a Unit,
    lanes: Lanes,
    /// The octet of each draw, and its elements.
    places: Vec<(usize, usize)>,
    /// Numbers of a step.
    width: usize,
    /// Whether the numbers of all steps are kept.
    whole: bool,
    tables: Vec<Table>,
    /// The table of each lane.
    of: [usize; 8],
}

/// The numbers of a replicate.
#[derive(Debug, Default)]
struct Table {
    replicate: u64,
    /// Of the steps up to this one, or of this one alone.
    step: u64,
    numbers: Vec<f64>,
}

impl<'a> Noise<'a> {
    /// Nothing when a unit draws nothing.
    pub(super) fn new(unit: &'a Unit, lanes: Lanes, octets: &[usize]) -> Option<Self> {
        if unit.noise.is_empty() {
            return None;
        }
        let count = |noise: &crate::plan::unit::Noise| unit.rows.count(&unit.graph.input_info(noise.input).shape).unwrap_or(0);
        let places: Vec<(usize, usize)> = octets.iter().copied().zip(unit.noise.iter().map(count)).collect();
        let width: usize = places.iter().map(|(_, elements)| elements).sum();
        let whole = (width as u64).saturating_mul(unit.budget) <= KEPT;
        Some(Noise { unit, lanes, places, width, whole, tables: Vec::new(), of: [0; 8] })
    }

    /// A group begins whose lanes have these replicates.
    pub(super) fn begin(&mut self, replicates: &[usize]) {
        let wanted = |replicate: u64| replicates.iter().any(|&r| r as u64 == replicate);
        for (lane, &replicate) in replicates.iter().enumerate() {
            let replicate = replicate as u64;
            let known = self.tables.iter().position(|table| table.replicate == replicate);
            let at = known.unwrap_or_else(|| {
                let room = if self.whole { self.width * self.unit.budget as usize } else { self.width };
                let free = self.tables.iter().position(|table| !wanted(table.replicate)).unwrap_or_else(|| {
                    self.tables.push(Table { numbers: Vec::with_capacity(room), ..Table::default() });
                    self.tables.len() - 1
                });
                let table = &mut self.tables[free];
                table.numbers.clear();
                (table.replicate, table.step) = (replicate, 0);
                free
            });
            self.of[lane] = at;
        }
        // Lanes without a cell follow the first.
        let first = self.of[0];
        self.of[replicates.len()..].fill(first);
    }

    /// Puts the numbers of a step, counted from 1, where the step looks for them.
    pub(super) fn show(&mut self, step: u64, numbers: &mut [f64]) {
        if step > self.unit.budget {
            return;
        }
        let lanes = self.lanes.count();
        for lane in 0..lanes {
            self.reach(self.of[lane], step);
        }
        let mut first = if self.whole { (step as usize - 1) * self.width } else { 0 };
        for &(octet, elements) in &self.places {
            let to = &mut numbers[octet * 8..];
            if self.lanes == Lanes::One {
                to[..elements].copy_from_slice(&self.tables[self.of[0]].numbers[first..first + elements]);
            } else {
                for lane in 0..lanes {
                    let from = &self.tables[self.of[lane]].numbers[first..first + elements];
                    for (element, &x) in from.iter().enumerate() {
                        to[element * 8 + lane] = x;
                    }
                }
            }
            first += elements;
        }
    }

    /// Draws what a table does not have yet.
    fn reach(&mut self, table: usize, step: u64) {
        let table = &mut self.tables[table];
        while if self.whole { table.step < step } else { table.step != step } {
            if self.whole {
                table.step += 1;
            } else {
                table.step = step;
                table.numbers.clear();
            }
            for (noise, &(_, elements)) in self.unit.noise.iter().zip(&self.places) {
                let mut stream = Stream::new(noise.seed, "noise", &noise.name, &[table.replicate, table.step]);
                table.numbers.extend((0..elements).map(|_| if noise.normal { stream.normal() } else { stream.uniform() }));
            }
        }
    }
}
