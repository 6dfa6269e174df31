//! The recorded rows of a run, read where they were written: side by side with those of the cells of the same group.
//!
//! Nothing is copied or put in order before somebody asks.

use super::{Ending, Part, Quantity, SweepResults};

/// How the steps of a unit are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counting {
    /// Steps from one recorded row to the next; the last step has a row, too.
    pub every: u64,
    /// Updates in an epoch.
    pub steps_per_epoch: u64,
    /// Gradients evaluated in one step.
    pub evaluations_per_step: u64,
}

/// The recorded rows of a run.
#[derive(Debug, Clone, Copy)]
pub struct Trace<'r> {
    block: &'r [f64],
    /// The first element of row 0.
    first: usize,
    /// Numbers from one element to the next.
    lanes: usize,
    counting: Counting,
    /// Elements of a row.
    width: usize,
    steps: u64,
    sweep: &'r SweepResults,
}

impl<'r> Trace<'r> {
    pub(super) fn of(sweep: &'r SweepResults, part: &'r Part, ending: &'r Ending, counting: Counting) -> Self {
        let width = sweep.traced.iter().filter_map(|&quantity| sweep.quantities.get(quantity)).map(Quantity::len).sum();
        Trace { block: &part.block, first: ending.first, lanes: part.lanes, counting, width, steps: ending.steps, sweep }
    }

    fn every(&self) -> u64 {
        self.counting.every.max(1)
    }

    /// The number of recorded rows; none when nothing is traced.
    #[must_use]
    pub fn rows(&self) -> usize {
        if self.sweep.traced.is_empty() { 0 } else { self.steps.div_ceil(self.every()) as usize + 1 }
    }

    /// The number of updates done at a row.
    #[must_use]
    pub fn step(&self, row: usize) -> u64 {
        (row as u64).saturating_mul(self.every()).min(self.steps)
    }

    /// The number of epochs completed at a row.
    #[must_use]
    pub fn epoch(&self, row: usize) -> u64 {
        self.step(row) / self.counting.steps_per_epoch.max(1)
    }

    /// The row that was recorded after so many updates.
    #[must_use]
    pub fn row_of(&self, step: u64) -> Option<usize> {
        let row = step.div_ceil(self.every()) as usize;
        (row < self.rows() && self.step(row) == step).then_some(row)
    }

    /// The number of updates done at each row.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = u64> + use<'r> {
        let trace = *self;
        (0..self.rows()).map(move |row| trace.step(row))
    }

    /// The number of epochs completed at each row.
    pub fn epochs(&self) -> impl ExactSizeIterator<Item = u64> + use<'r> {
        let trace = *self;
        (0..self.rows()).map(move |row| trace.epoch(row))
    }

    /// The elements of all traced quantities in a row, one after the other.
    pub fn row(&self, row: usize) -> impl ExactSizeIterator<Item = f64> + use<'r> {
        let trace = *self;
        let start = self.start(row);
        (0..self.width).map(move |element| trace.at(start, element))
    }

    /// The elements of a traced quantity in the first row, in the second, ...
    #[must_use]
    pub fn column(&self, column: usize) -> Vec<f64> {
        let len = |quantity: &usize| self.sweep.quantities.get(*quantity).map_or(0, Quantity::len);
        let first: usize = self.sweep.traced.iter().take(column).map(len).sum();
        let own = self.sweep.traced.get(column).map_or(0, len);
        let mut values = Vec::with_capacity(self.rows() * own);
        for row in 0..self.rows() {
            let start = self.start(row);
            values.extend((first..first + own).map(|element| self.at(start, element)));
        }
        values
    }

    /// Where a row begins in the block.
    fn start(&self, row: usize) -> usize {
        let octets = self.width * self.lanes;
        let between = !self.step(row).is_multiple_of(self.every());
        if between { self.first.wrapping_sub(octets) } else { self.first + row * octets }
    }

    fn at(&self, start: usize, element: usize) -> f64 {
        self.block.get(start + element * self.lanes).copied().unwrap_or(f64::NAN)
    }
}
