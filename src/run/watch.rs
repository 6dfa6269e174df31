//! What a stop condition remembers: lowest values, averages, values of the row before, of each lane, put where the condition reads them.
//!
//! It counts recorded rows, and evaluates nothing.

use crate::compile::tape::Lanes;
use crate::plan::unit::Memory;

/// A number that is remembered.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub(super) how: Memory,
    /// The first number of what is measured at a row, and of what the condition reads.
    pub(super) from: usize,
    pub(super) to: usize,
}

/// The memories of the lanes of one group after the other.
#[derive(Debug)]
pub(super) struct Watch {
    lanes: Lanes,
    memories: Vec<Vec<Kept>>,
    rows: u64,
}

/// What is kept of one number of one lane.
#[derive(Debug, Clone)]
struct Kept {
    /// The start, the lowest or highest value, the value of the last row, a count.
    value: f64,
    since: f64,
    /// The last values, the oldest where the next is written.
    window: Vec<f64>,
}

impl Watch {
    pub(super) fn new(lanes: Lanes, watched: &[Watched]) -> Self {
        let kept = |watched: &Watched| {
            let window = if let Memory::Average(last) = watched.how { last } else { 0 };
            vec![Kept { value: f64::NAN, since: 0.0, window: Vec::with_capacity(window) }; lanes.count()]
        };
        Watch { lanes, memories: watched.iter().map(kept).collect(), rows: 0 }
    }

    /// Another group begins.
    pub(super) fn begin(&mut self) {
        self.rows = 0;
        for kept in self.memories.iter_mut().flatten() {
            (kept.value, kept.since) = (f64::NAN, 0.0);
            kept.window.clear();
        }
    }

    /// A row is recorded, after so many updates.
    pub(super) fn row(&mut self, watched: &[Watched], step: u64, numbers: &mut [f64]) {
        for (watched, kept) in watched.iter().zip(&mut self.memories) {
            for (lane, kept) in kept.iter_mut().enumerate() {
                let place = self.lanes.place(0, lane);
                numbers[watched.to + place] = kept.with(watched.how, numbers[watched.from + place], step, self.rows);
            }
        }
        self.rows += 1;
    }
}

impl Kept {
    /// What is known with the value of another row.
    fn with(&mut self, how: Memory, x: f64, step: u64, rows: u64) -> f64 {
        match how {
            Memory::Start => {
                if rows == 0 {
                    self.value = x;
                }
                self.value
            }
            Memory::Lowest | Memory::Highest => {
                let better = if how == Memory::Lowest { x < self.value } else { x > self.value };
                if better || self.value.is_nan() {
                    self.value = x;
                }
                self.value
            }
            Memory::SinceLowest => {
                if x < self.value || (self.value.is_nan() && !x.is_nan()) {
                    (self.value, self.since) = (x, 0.0);
                } else if rows > 0 {
                    self.since += 1.0;
                }
                self.since
            }
            Memory::Average(last) => {
                let at = (rows % last.max(1) as u64) as usize;
                match self.window.get_mut(at) {
                    Some(old) => *old = x,
                    None => self.window.push(x),
                }
                // The oldest first.
                let next = if self.window.len() < last { 0 } else { at + 1 };
                let sum: f64 = self.window[next..].iter().chain(&self.window[..next]).sum();
                sum / self.window.len() as f64
            }
            Memory::Previous => std::mem::replace(&mut self.value, x),
            Memory::Count => {
                self.since += f64::from(u8::from(x != 0.0));
                self.since
            }
            Memory::StepsTo => {
                if rows == 0 {
                    self.value = f64::INFINITY;
                }
                if self.value.is_infinite() && x != 0.0 {
                    self.value = step as f64;
                }
                self.value
            }
        }
    }
}
