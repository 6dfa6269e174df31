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

    /// A watch for a thread.
    pub(super) fn watch(&'a self) -> Watch<'a> {
        Watch { meter: self, rest: 0, every: 1, spent: 0, last: Instant::now() }
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
    /// Steps before the next look, and from the last look to it.
    rest: u64,
    every: u64,
    /// Steps of cells since the last look.
    spent: u64,
    last: Instant,
}

impl Watch<'_> {
    /// Steps that may be made before the next look.
    #[inline]
    pub(super) fn rest(&self) -> u64 {
        self.rest
    }

    /// So many steps of so many cells were made, at most the rest.
    #[inline]
    pub(super) fn spend(&mut self, steps: u64, cells: usize) {
        self.rest -= steps;
        self.spent += steps * cells as u64;
    }

    /// So many cells have ended.
    #[inline]
    pub(super) fn ended(&self, cells: usize) {
        self.meter.cells.fetch_add(cells, Relaxed);
    }

    /// Looks at the clock: whether the run is to end. `loss` is asked for when there is news.
    #[cold]
    pub(super) fn look(&mut self, loss: impl FnOnce() -> f64) -> bool {
        let now = Instant::now();
        let took = now - self.last;
        self.last = now;
        self.meter.steps.fetch_add(self.spent, Relaxed);
        self.spent = 0;
        self.every = if took < Duration::from_millis(1) { (self.every * 2).min(1 << 20) } else { (self.every / 2).max(1) };
        self.meter.tell(loss());
        let over = self.meter.progress.cancelled() || self.meter.limit.is_some_and(|limit| self.meter.start.elapsed() >= limit);
        // Those that come after it end at once, too.
        self.rest = if over { 0 } else { self.every };
        over
    }
}
