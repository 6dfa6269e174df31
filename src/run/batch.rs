//! Which rows each step sees, and the columns with these rows in front.
//!
//! Orders depend on seed, replicate and epoch alone, never on the cell, its optimizer, or the thread.
//! Epoch `e`, counted from 0, of replicate `r` takes its order from the stream of purpose `"order"`, no name, indices `[r, e]`:
//! a shuffle of the data's order (`shuffled`) or of the order of the epoch before (`cumulatively`), or as many draws of
//! whole numbers as there are rows (`drawn`). With `rng numpy(..)` they come from the generator of the replicate, in turn.
//!
//! Batches in the order of the data whose size is a multiple of eight are seen where they lie. Others are copied to a tray, as many
//! at once as fit into the nearer caches, each beginning with an octet.

use std::sync::Arc;

use crate::compile::buffer::{Buffer, Window};
use crate::numeric::mt19937::RandomState;
use crate::numeric::random::Stream;
use crate::plan::unit::{Batches, Order, Unit};
use crate::shape::{Dim, RowCounts};

use super::program::Program;

/// The most bytes that a tray has, when a single batch does not need more.
const TRAY: usize = 64 << 10;

/// The minibatches of one run after the other.
#[derive(Debug)]
pub(super) struct Tray<'a> {
    pub(super) sequence: Sequence<'a>,
    /// The columns of the step tape, with the rows of the batch in front.
    pub(super) columns: Vec<Window>,
    /// The rows of the batch.
    pub(super) counts: RowCounts,
    /// The columns that batches choose rows of: number, octets of eight rows, the whole.
    chosen: Vec<(usize, usize, Arc<Buffer>)>,
    /// Whether batches are seen where they lie.
    in_place: bool,
    /// Octets of rows that a batch takes.
    stride: usize,
    /// The batches on the tray, of the epoch whose number is one less.
    held: std::ops::Range<u64>,
    epoch: u64,
    /// The most batches on the tray.
    room: u64,
}

impl<'a> Tray<'a> {
    pub(super) fn new(batches: &'a Batches, unit: &Unit, program: &Program) -> Self {
        let rows = unit.rows.of(Dim::Rows(batches.data));
        let size = batches.size.min(rows).max(1);
        let stride = size.div_ceil(8);
        let mut columns: Vec<Window> = program.step.columns.clone();
        let mut chosen = Vec::new();
        for &number in &program.step.tape.columns {
            let column = &program.fixed.columns()[number as usize];
            if column.data == batches.data {
                chosen.push((number as usize, column.features, column.buffer.clone()));
            }
        }
        let in_place = matches!(batches.order, Order::InOrder) && size.is_multiple_of(8);
        let octets: usize = chosen.iter().map(|(_, features, _)| stride * features).sum();
        let room = (TRAY / (octets * 64).max(1)).clamp(1, unit.steps_per_epoch.max(1) as usize);
        if !in_place {
            for (number, features, _) in &chosen {
                columns[*number] = Arc::new(Buffer::zeros(room * stride * features)).into();
            }
        }
        let sequence = Sequence::new(batches, rows, unit.steps_per_epoch);
        Tray { sequence, columns, counts: unit.rows.clone(), chosen, in_place, stride, held: 0..0, epoch: 0, room: room as u64 }
    }

    /// A run of a replicate begins.
    pub(super) fn restart(&mut self, replicate: usize, generator: Option<&RandomState>) {
        self.sequence.restart(replicate, generator);
        if !matches!(self.sequence.batches.order, Order::InOrder) {
            self.held = 0..0;
        }
    }

    /// Puts the rows of a step, counted from 0 in its epoch, in front. Epochs are counted from 0 and ascend.
    pub(super) fn seek(&mut self, epoch: u64, step: u64) {
        self.sequence.seek(epoch);
        self.counts.0[self.sequence.batches.data.0 as usize] = self.sequence.range(step).len();
        let place = if self.in_place {
            step
        } else {
            let stale = self.epoch != epoch && !matches!(self.sequence.batches.order, Order::InOrder);
            if stale || !self.held.contains(&step) {
                self.fill(step);
                self.epoch = epoch;
            }
            step - self.held.start
        };
        for (number, features, _) in &self.chosen {
            self.columns[*number].first = place as usize * self.stride * features;
        }
    }

    /// The order of an epoch, for those that look rows up themselves.
    pub(super) fn order(&mut self, epoch: u64) -> &[u32] {
        self.sequence.seek(epoch);
        &self.sequence.order
    }

    fn fill(&mut self, step: u64) {
        let end = (step + self.room).min(self.sequence.steps_per_epoch);
        for (number, features, from) in &self.chosen {
            let to = Arc::get_mut(&mut self.columns[*number].buffer).expect("internal: a tray belongs to one group").numbers_mut();
            let parts = to.chunks_exact_mut(self.stride * features * 8);
            for (step, to) in (step..end).zip(parts) {
                gather(from.numbers(), *features, self.sequence.rows_of(step), to);
            }
        }
        self.held = step..end;
    }
}

/// The rows of the steps of one replicate after the other.
#[derive(Debug)]
pub(super) struct Sequence<'a> {
    pub(super) batches: &'a Batches,
    replicate: u64,
    /// With `rng numpy(..)`: what all orders are drawn from, one after the other.
    generator: Option<RandomState>,
    rows: usize,
    steps_per_epoch: u64,
    /// The order of the epoch in which the last step was, and the number of that epoch plus one.
    order: Vec<u32>,
    epochs: u64,
}

impl<'a> Sequence<'a> {
    /// For a dataset of so many rows.
    fn new(batches: &'a Batches, rows: usize, steps_per_epoch: u64) -> Self {
        let order = (0..rows as u32).collect();
        Sequence { batches, replicate: 0, generator: None, rows, steps_per_epoch: steps_per_epoch.max(1), order, epochs: 0 }
    }

    fn restart(&mut self, replicate: usize, generator: Option<&RandomState>) {
        self.replicate = replicate as u64;
        self.generator = generator.cloned();
        self.epochs = 0;
        if matches!(self.batches.order, Order::Cumulatively(_)) {
            self.order.iter_mut().enumerate().for_each(|(row, place)| *place = row as u32);
        }
    }

    /// Makes the order of an epoch. Epochs must be asked for in ascending order.
    #[inline]
    fn seek(&mut self, epoch: u64) {
        while self.epochs <= epoch {
            self.begin(self.epochs);
            self.epochs += 1;
        }
    }

    /// Which places of the order a step of the epoch has.
    #[inline]
    fn range(&self, step: u64) -> std::ops::Range<usize> {
        let first = (step as usize).saturating_mul(self.batches.size).min(self.order.len());
        first..self.order.len().min(first.saturating_add(self.batches.size))
    }

    /// The rows of a step of the epoch.
    pub(super) fn rows_of(&self, step: u64) -> &[u32] {
        &self.order[self.range(step)]
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
            Order::Shuffled(seed) | Order::Cumulatively(seed) => {
                if matches!(self.batches.order, Order::Shuffled(_)) {
                    self.order.iter_mut().enumerate().for_each(|(row, place)| *place = row as u32);
                }
                match &mut self.generator {
                    Some(state) => state.shuffle(&mut self.order),
                    None => stream(*seed).shuffle(&mut self.order),
                }
            }
            Order::Drawn(seed) => {
                let last = i64::try_from(self.rows).unwrap_or(i64::MAX) - 1;
                let mut stream = stream(*seed);
                for place in &mut self.order {
                    let row = match &mut self.generator {
                        Some(state) => state.integer(0, last),
                        None => stream.integers(0, last),
                    };
                    *place = row.map_or(0, |row| row as u32);
                }
            }
        }
    }
}

/// Copies rows of a column to the front of another; what is left of its last octet is zero.
fn gather(from: &[f64], features: usize, rows: &[u32], to: &mut [f64]) {
    for (eight, to) in rows.chunks(8).zip(to.chunks_exact_mut(features * 8)) {
        let mut places = [0; 8];
        for (place, &row) in places.iter_mut().zip(eight) {
            *place = row as usize / 8 * features * 8 + row as usize % 8;
        }
        for (feature, octet) in to.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let mut x = [0.0; 8];
            for (x, place) in x.iter_mut().zip(places).take(eight.len()) {
                *x = from[place + feature * 8];
            }
            *octet = x;
        }
    }
}
