//! Threads that share one pass over rows: each takes some chunks of 1,024 rows after the other, in memory of its own, and whose pass it is
//! combines the results in the order of chunks, whoever computed them.
//!
//! It decides which threads do what, and never a bit: what a chunk is, and the tree over chunks, come from the rows alone. A bundle is a
//! complete subtree of that tree, so that many chunks need few places for their results.
//!
//! Between two passes the members spin for a moment, because a step is often shorter than it takes to wake somebody; then they park. Nobody
//! waits for a member that is not there: bundles are taken one by one, and what a late one finds is an empty table.

use std::cell::Cell;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Linked;
use super::view::{Slot, View, load, store};
use crate::compile::buffer::{Buffer, Window};
use crate::compile::tape::Section;
use crate::numeric::Octet;
use crate::numeric::sums::CHUNK;
use crate::shape::{Dim, RowCounts};

/// The operations on octets from which on it pays to share a pass: 30 microseconds. A handshake takes about one, but the thread that helps must
/// first have started, which runs of few steps do not make up for.
const WORTH: u64 = 64_000;

/// The chunks from which on it pays: of three, one thread has two.
const CHUNKS: usize = 4;

/// How long a member spins before it parks.
const SPIN: Duration = Duration::from_micros(20);

/// Bundles for each thread, so that none waits long for the last.
const SHARES: usize = 8;

/// The number of a pass that tells members to leave.
const LEAVE: u64 = u64::MAX;

/// How many threads there are for the runs that have not ended: runs come first, and who is left over helps.
#[derive(Debug)]
pub(in crate::run) struct Spare {
    threads: usize,
    open: AtomicUsize,
    /// The work from which on passes are shared.
    worth: u64,
    chunks: usize,
}

impl Spare {
    /// So many threads for so many jobs. `worth` is the work from which on a pass of more than one chunk is shared, when it is not to be
    /// chosen.
    #[must_use]
    pub(in crate::run) fn new(threads: usize, jobs: usize, worth: Option<u64>) -> Self {
        let chunks = if worth.is_some() { 2 } else { CHUNKS };
        Spare { threads, open: AtomicUsize::new(jobs), worth: worth.unwrap_or(WORTH), chunks }
    }

    /// A job has ended.
    pub(in crate::run) fn ended(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Threads for each job.
    fn each(&self) -> usize {
        self.threads / self.open.load(Ordering::Relaxed).max(1)
    }

    /// Whether the pass is long enough to be shared.
    fn pays(&self, section: &Section, lanes: usize, rows: usize) -> bool {
        let work = section.shared.as_ref().map_or(0, |shared| shared.work * (rows * lanes / 8) as u64);
        section.shared.is_some() && rows.div_ceil(CHUNK) >= self.chunks && work >= self.worth
    }
}

/// Who helps with the passes of one job.
#[derive(Debug)]
pub(in crate::run) struct Team<'a> {
    spare: &'a Spare,
    board: Arc<Board>,
    members: Vec<JoinHandle<()>>,
    /// The most members that the system gives.
    most: usize,
    /// Whether there is a core for each thread.
    spins: bool,
}

/// What all threads of a team see.
#[derive(Debug, Default)]
struct Board {
    plan: RwLock<Plan>,
    /// The number of the pass; members wait for the next one.
    pass: AtomicU64,
    /// The next bundle that nobody has taken, and how many are done.
    next: AtomicUsize,
    done: AtomicUsize,
    /// Whether a member panicked.
    broken: AtomicBool,
}

/// A pass. It is written while nobody works on it.
#[derive(Debug, Default)]
struct Plan {
    /// The tape, and its section.
    tape: Option<Arc<Linked>>,
    section: usize,
    columns: Vec<Window>,
    counts: RowCounts,
    /// What the body reads, one range after the other.
    inputs: Vec<Octet>,
    rows: usize,
    /// Chunks of a bundle, and bundles.
    chunks: usize,
    bundles: usize,
    /// What each bundle comes to: the accumulators of all totals.
    results: Vec<Mutex<Vec<Octet>>>,
}

impl<'a> Team<'a> {
    /// For one job.
    #[must_use]
    pub(in crate::run) fn new(spare: &'a Spare) -> Self {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Team { spare, board: Arc::default(), members: Vec::new(), most: usize::MAX, spins: spare.threads <= cores }
    }

    /// Carries out a pass with others, if that pays; says whether it did.
    pub(super) fn share(&mut self, tape: &Arc<Linked>, number: usize, view: &View) -> bool {
        let section = &tape.sections[number];
        let rows = section.data.map_or(0, |data| view.counts.of(Dim::Rows(data)));
        let helpers = (self.spare.each().max(1) - 1).min(self.most);
        if helpers == 0 || !self.spare.pays(section, view.lanes.count(), rows) {
            return false;
        }
        self.hire(helpers);
        if self.members.is_empty() {
            return false;
        }
        self.board.write(tape, number, view, rows, self.members.len() + 1);
        self.board.pass.fetch_add(1, Ordering::Release);
        for member in &self.members {
            member.thread().unpark();
        }
        let plan = self.board.plan.read().unwrap_or_else(PoisonError::into_inner);
        while let Some(bundle) = self.board.take(&plan) {
            plan.carry_out(tape, bundle, view);
            self.board.done.fetch_add(1, Ordering::Release);
        }
        self.wait(plan.bundles);
        plan.combine(tape, view);
        drop(plan);
        // Columns may be about to change.
        self.board.plan.write().unwrap_or_else(PoisonError::into_inner).columns.clear();
        true
    }

    /// Makes sure that there are so many members, where the system allows it.
    fn hire(&mut self, helpers: usize) {
        while self.members.len() < helpers {
            let (board, spins) = (self.board.clone(), self.spins);
            match thread::Builder::new().name("rows".into()).spawn(move || board.serve(spins)) {
                Ok(member) => self.members.push(member),
                // A system without threads still computes.
                Err(_) => self.most = self.members.len(),
            }
            if self.members.len() >= self.most {
                break;
            }
        }
    }

    /// Until all bundles are done: those that members still have.
    fn wait(&self, bundles: usize) {
        let begin = Instant::now();
        while self.board.done.load(Ordering::Acquire) < bundles {
            assert!(!self.board.broken.load(Ordering::Relaxed), "internal: a thread that shares a pass ended");
            if self.spins && begin.elapsed() < SPIN {
                spin_loop();
            } else {
                thread::yield_now();
            }
        }
    }
}

impl Drop for Team<'_> {
    fn drop(&mut self) {
        self.board.pass.store(LEAVE, Ordering::Release);
        for member in self.members.drain(..) {
            member.thread().unpark();
            // One that panicked has said so.
            let _ = member.join();
        }
    }
}

impl Board {
    /// What a member does until it is told to leave.
    fn serve(&self, spins: bool) {
        let (mut memory, mut seen) = (Buffer::default(), 0);
        let alarm = Alarm(&self.broken);
        loop {
            seen = self.next_pass(seen, spins);
            if seen == LEAVE {
                break;
            }
            let plan = self.plan.read().unwrap_or_else(PoisonError::into_inner);
            let Some(tape) = &plan.tape else { continue };
            let mut bundle = self.take(&plan);
            if bundle.is_some() {
                if memory.octets().len() < tape.end {
                    memory = Buffer::zeros(tape.end);
                }
                plan.fill(tape, &mut memory);
            }
            let numbers: &[Cell<f64>] = Cell::from_mut(memory.numbers_mut()).as_slice_of_cells();
            let view = View::new(numbers, &plan.columns, tape.lanes, &plan.counts);
            while let Some(number) = bundle {
                plan.carry_out(tape, number, &view);
                self.done.fetch_add(1, Ordering::Release);
                bundle = self.take(&plan);
            }
        }
        std::mem::forget(alarm);
    }

    /// Waits for a pass after one that was seen.
    fn next_pass(&self, seen: u64, spins: bool) -> u64 {
        let begin = Instant::now();
        loop {
            let pass = self.pass.load(Ordering::Acquire);
            if pass != seen {
                return pass;
            }
            if spins && begin.elapsed() < SPIN {
                (0..8).for_each(|_| spin_loop());
            } else {
                thread::park();
            }
        }
    }

    /// Puts a pass on the board.
    fn write(&self, tape: &Arc<Linked>, number: usize, view: &View, rows: usize, threads: usize) {
        let section = &tape.sections[number];
        let mut plan = self.plan.write().unwrap_or_else(PoisonError::into_inner);
        if plan.tape.as_ref().is_none_or(|known| !Arc::ptr_eq(known, tape)) {
            plan.tape = Some(tape.clone());
        }
        (plan.section, plan.rows) = (number, rows);
        plan.columns.extend_from_slice(view.columns);
        plan.counts.0.clone_from(&view.counts.0);
        plan.inputs.clear();
        for &(first, count) in section.shared.iter().flat_map(|shared| &shared.inputs) {
            plan.inputs.extend(view.slots[first as usize..][..count as usize].iter().map(load));
        }
        let chunks = rows.div_ceil(CHUNK);
        plan.chunks = 1 << (chunks / (threads * SHARES)).max(1).ilog2();
        plan.bundles = chunks.div_ceil(plan.chunks);
        while plan.results.len() < plan.bundles {
            plan.results.push(Mutex::default());
        }
        self.next.store(0, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
    }

    /// A bundle that nobody has.
    fn take(&self, plan: &Plan) -> Option<usize> {
        Some(self.next.fetch_add(1, Ordering::Relaxed)).filter(|&bundle| bundle < plan.bundles)
    }
}

impl Plan {
    /// Puts what the body reads into the memory of a member.
    fn fill(&self, tape: &Linked, memory: &mut Buffer) {
        let mut from = &self.inputs[..];
        for &(first, count) in tape.sections[self.section].shared.iter().flat_map(|shared| &shared.inputs) {
            let (now, later) = from.split_at(count as usize);
            memory.octets_mut()[first as usize..][..count as usize].copy_from_slice(now);
            from = later;
        }
    }

    /// Carries out the chunks of a bundle, and puts what they come to into its place.
    fn carry_out(&self, tape: &Linked, bundle: usize, view: &View) {
        let first = bundle * self.chunks * CHUNK;
        tape.chunks(self.section, view, first..self.rows.min(first + self.chunks * CHUNK));
        let mut result = self.results[bundle].lock().unwrap_or_else(PoisonError::into_inner);
        result.clear();
        let section = &tape.sections[self.section];
        result.extend(accumulators(section, view).map(load));
    }

    /// Combines what the bundles come to, by the tree, and ends the pass.
    fn combine(&self, tape: &Linked, view: &View) {
        let section = &tape.sections[self.section];
        let mut view = *view;
        for bundle in 0..self.bundles {
            let result = self.results[bundle].lock().unwrap_or_else(PoisonError::into_inner);
            accumulators(section, &view).zip(result.iter()).for_each(|(to, &x)| store(to, x));
            view.chunk = bundle;
            (tape.carry)(&view, section);
        }
        view.chunk = self.bundles;
        (tape.settle)(&view, section);
        (tape.finish)(&view, section);
    }
}

/// The accumulators of a chunk, those of all totals one after the other.
fn accumulators<'v>(section: &'v Section, view: &View<'v>) -> impl Iterator<Item = &'v Slot> {
    let view = *view;
    section.totals.iter().flat_map(move |total| &view.octets(total.acc)[..total.octets as usize])
}

/// Tells, when a member panics, those that would wait for it.
struct Alarm<'a>(&'a AtomicBool);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::tape::Shared;
    use crate::shape::DataId;

    #[test]
    fn runs_come_first_and_who_is_left_over_helps() {
        let spare = Spare::new(8, 3, None);
        assert_eq!(spare.each(), 2);
        spare.ended();
        assert_eq!(spare.each(), 4);
        spare.ended();
        assert_eq!(spare.each(), 8);
        assert_eq!(Spare::new(2, 100, None).each(), 0);
    }

    #[test]
    fn short_passes_are_not_shared() {
        let spare = Spare::new(2, 1, None);
        let section = |work| Section { data: Some(DataId(0)), shared: Some(Shared { inputs: Vec::new(), work }), ..Section::default() };
        assert!(spare.pays(&section(160), 1, 4096));
        // Little work, few rows, and rows that hang together.
        assert!(!spare.pays(&section(1), 1, 4096));
        assert!(!spare.pays(&section(10_000), 1, 3 * CHUNK));
        assert!(!spare.pays(&Section { shared: None, ..section(40) }, 1, 1 << 20));
        // Eight runs side by side are eight times the work.
        assert!(spare.pays(&section(20), 8, 4096));
    }

    #[test]
    fn a_member_that_ends_is_noticed() {
        let broken = AtomicBool::new(false);
        let caught = std::panic::catch_unwind(|| {
            let _alarm = Alarm(&broken);
            panic!("a test");
        });
        assert!(caught.is_err() && broken.into_inner());
    }
}
