//! Which rows each step sees, and the gathering of them.
//!
//! Orders depend on seed, replicate and epoch alone, never on the cell, its optimizer, or the thread.
//! Epoch `e`, counted from 0, of replicate `r` takes its order from the stream of purpose `"order"`, no name, indices `[r, e]`:
//! a shuffle of the data's order (`shuffled`) or of the order of the epoch before (`cumulatively`), or as many draws of
//! whole numbers as there are rows (`drawn`).

use std::sync::Arc;

use crate::compile::buffer::Buffer;
use crate::compile::fixed::Column;
use crate::numeric::random::Stream;
use crate::plan::unit::{Batches, Order};

/// The rows of the steps of one replicate.
#[derive(Debug)]
pub(super) struct Sequence<'a> {
    batches: &'a Batches,
    replicate: u64,
    rows: usize,
    steps_per_epoch: u64,
    /// The order of the epoch in which the last step was, and the number of that epoch plus one.
    order: Vec<u32>,
    epochs: u64,
}

impl<'a> Sequence<'a> {
    /// For a dataset of so many rows.
    pub(super) fn new(batches: &'a Batches, replicate: usize, rows: usize, steps_per_epoch: u64) -> Self {
        let order = (0..rows as u32).collect();
        Sequence { batches, replicate: replicate as u64, rows, steps_per_epoch: steps_per_epoch.max(1), order, epochs: 0 }
    }

    /// The rows of a step, counted from 0. Steps must be asked for in ascending order.
    pub(super) fn rows_of(&mut self, step: u64) -> &[u32] {
        let epoch = step / self.steps_per_epoch;
        while self.epochs <= epoch {
            self.begin(self.epochs);
            self.epochs += 1;
        }
        let first = ((step % self.steps_per_epoch) as usize * self.batches.size).min(self.order.len());
        &self.order[first..self.order.len().min(first + self.batches.size)]
    }

    fn begin(&mut self, epoch: u64) {
        let stream = |seed: u64| Stream::new(seed, "order", "", &[self.replicate, epoch]);
        match &self.batches.order {
            Order::InOrder => {}
            Order::Given(orders) => {
                if let Some(order) = orders.get(epoch as usize) {
                    self.order.clear();
                    self.order.extend_from_slice(order);
                }
            }
            Order::Shuffled(seed) => {
                let mut stream = stream(*seed);
                self.order.iter_mut().enumerate().for_each(|(row, place)| *place = row as u32);
                stream.shuffle(&mut self.order);
            }
            Order::Cumulatively(seed) => stream(*seed).shuffle(&mut self.order),
            Order::Drawn(seed) => {
                let mut stream = stream(*seed);
                let last = i64::try_from(self.rows).unwrap_or(i64::MAX) - 1;
                for place in &mut self.order {
                    *place = stream.integers(0, last).map_or(0, |row| row as u32);
                }
            }
        }
    }
}

/// Copies rows of a column into the first rows of another; what is left of its last octet is zero.
pub(super) fn gather(column: &Column, rows: &[u32], to: &mut Arc<Buffer>) {
    let features = column.features;
    let from = column.buffer.numbers();
    let to = Arc::get_mut(to).expect("internal: a batch belongs to one group").numbers_mut();
    for (place, &row) in rows.iter().enumerate() {
        let row = row as usize;
        let source = row / 8 * features * 8 + row % 8;
        let target = place / 8 * features * 8 + place % 8;
        for feature in 0..features {
            to[target + feature * 8] = from[source + feature * 8];
        }
    }
    for place in rows.len()..rows.len().next_multiple_of(8) {
        for feature in 0..features {
            to[(place / 8 * features + feature) * 8 + place % 8] = 0.0;
        }
    }
}
