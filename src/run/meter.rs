//! The clock of a run: limits on time, and news of how far it is. Read seldom, and never seen in a result that was not cut.
//!
//! It knows no numbers but counts and a recent loss.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::{Moment, Progress};

/// Shared by all groups.
pub(super) struct Meter<'a> {
    start: Instant,
    limit: Option<Duration>,
    progress: &'a dyn Progress,
    total: (usize, u64),
    cells: AtomicUsize,
    steps: AtomicU64,
    /// Milliseconds at which there was news.
    told: AtomicU64,
}

impl<'a> Meter<'a> {
    /// For so many cells and steps of cells.
    pub(super) fn new(limit: Option<Duration>, progress: &'a dyn Progress, cells: usize, steps: u64) -> Self {
        Meter {
            start: Instant::now(),
            limit,
            progress,
            total: (cells, steps),
            cells: AtomicUsize::new(0),
            steps: AtomicU64::new(0),
            told: AtomicU64::new(0),
        }
    }

    /// So many cells have ended.
    pub(super) fn cells(&self, cells: usize) {
        self.cells.fetch_add(cells, Relaxed);
    }

    /// A watch for a group of so many cells.
    pub(super) fn watch(&'a self, cells: usize) -> Watch<'a> {
        Watch { meter: self, cells: cells as u64, rest: 0, every: 1, last: Instant::now() }
    }

    fn tell(&self, loss: f64) {
        let now = self.start.elapsed().as_millis() as u64;
        let told = self.told.load(Relaxed);
        if now >= told + 50 && self.told.compare_exchange(told, now, Relaxed, Relaxed).is_ok() {
            let (cells, steps) = self.total;
            self.progress.report(&Moment {
                cells_done: self.cells.load(Relaxed),
                cells,
                steps_done: self.steps.load(Relaxed),
                steps,
                loss,
            });
        }
    }
}

/// Looks at the clock about every millisecond, however long a step takes.
pub(super) struct Watch<'a> {
    meter: &'a Meter<'a>,
    cells: u64,
    rest: u64,
    every: u64,
    last: Instant,
}

impl Watch<'_> {
    /// Called at every step: whether the run is to end. `loss` is asked for when there is news.
    pub(super) fn cut(&mut self, loss: impl FnOnce() -> f64) -> bool {
        if self.rest > 0 {
            self.rest -= 1;
            return false;
        }
        let took = self.last.elapsed();
        self.meter.steps.fetch_add(self.every * self.cells, Relaxed);
        self.every = if took < Duration::from_millis(1) { (self.every * 2).min(1 << 16) } else { (self.every / 2).max(1) };
        self.rest = self.every - 1;
        self.last = Instant::now();
        self.meter.tell(loss());
        self.meter.progress.cancelled() || self.meter.limit.is_some_and(|limit| self.meter.start.elapsed() >= limit)
    }
}
