//! What is kept of the runs of a group while they go on: folds as single values, traces row by row.
//!
//! It evaluates nothing and knows no tapes: a quantity is a place in memory, `[element][lane]`, when a row is recorded.
//! Nothing is allocated after a recorder is made: it reserves room for all rows of all its groups.

use crate::compile::tape::Lanes;
use crate::plan::unit::SweepPlan;
use crate::results::{Counting, Fold, Quantity};

/// What is recorded, and where it lies in memory.
#[derive(Debug, Default)]
pub(super) struct Recording {
    lanes: usize,
    /// Stretches of numbers that make up a row of the trace: first, count.
    traced: Vec<(usize, usize)>,
    /// Elements of a row of the trace.
    width: usize,
    folds: Vec<Folding>,
    /// What folds begin with.
    begin: Vec<f64>,
    /// Folded numbers of a cell.
    pub(super) folded: usize,
    /// Whether a row is worth recording at all between the first and the last, and whether that is nothing but copying its trace.
    pub(super) rows: bool,
    pub(super) plain: bool,
    /// The steps that folds ask for, ascending.
    pub(super) asked: Vec<u64>,
}

/// A fold, and where its parts are.
#[derive(Debug)]
struct Folding {
    fold: Fold,
    /// The first number of the quantity, and of the one that decides.
    of: usize,
    by: usize,
    /// Numbers of the quantity in all lanes.
    numbers: usize,
    /// Its first number in what is kept: the value; before it, where a second number is kept, that.
    keep: usize,
    /// Its first number among the folded ones of a cell.
    out: usize,
    /// Rows of a window.
    window: usize,
}

/// The most rows a run can have.
pub(super) fn most_rows(counting: Counting, budget: u64) -> u64 {
    (budget / counting.every.max(1)).saturating_add(2)
}

impl Recording {
    /// `places` has the first number of each quantity that is wanted.
    pub(super) fn new(sweep: &SweepPlan, lanes: Lanes, places: &[usize], rows: u64) -> Self {
        let lanes = lanes.count();
        let mut recording = Recording { lanes, ..Recording::default() };
        for &quantity in &sweep.traced {
            let count = sweep.quantities[quantity].len();
            recording.width += count;
            match recording.traced.last_mut() {
                Some((first, numbers)) if *first + *numbers == places[quantity] => *numbers += count * lanes,
                _ => recording.traced.push((places[quantity], count * lanes)),
            }
        }
        for fold in &sweep.folds {
            recording.push(*fold, &sweep.quantities, places, rows);
        }
        recording.asked.sort_unstable();
        recording.asked.dedup();
        let by_row = sweep.folds.iter().any(|fold| !matches!(fold, Fold::Final(_) | Fold::Start(_) | Fold::AtStep { .. }));
        recording.rows = by_row || !sweep.traced.is_empty();
        recording.plain = !by_row;
        recording
    }

    fn push(&mut self, fold: Fold, quantities: &[Quantity], places: &[usize], rows: u64) {
        let (of, by) = match fold {
            Fold::Final(of)
            | Fold::Start(of)
            | Fold::Lowest(of)
            | Fold::Highest(of)
            | Fold::Average { of, .. }
            | Fold::AtStep { of, .. }
            | Fold::StepsTo(of)
            | Fold::Count(of)
            | Fold::SinceLowest(of)
            | Fold::Previous(of) => (of, of),
            Fold::AtLowest { what, of } => (what, of),
        };
        let numbers = quantities[of].len() * self.lanes;
        let mut window = 1;
        let mut keep = self.begin.len();
        let value = fold.len(quantities) * self.lanes;
        let end = keep + value;
        match fold {
            Fold::Average { last, .. } => {
                window = (last as u64).clamp(1, rows) as usize;
                self.begin.resize(keep + window * numbers, 0.0);
            }
            Fold::AtLowest { .. } | Fold::SinceLowest(_) => {
                // The lowest number so far, then the value.
                keep += self.lanes;
                self.begin.resize(keep, f64::NAN);
                self.begin.resize(keep + value, if matches!(fold, Fold::SinceLowest(_)) { 0.0 } else { f64::NAN });
            }
            // The value of the last row, then the one before it.
            Fold::Previous(_) => {
                keep += value;
                self.begin.resize(keep + value, f64::NAN);
            }
            Fold::StepsTo(_) => self.begin.resize(end, f64::INFINITY),
            Fold::Count(_) => self.begin.resize(end, 0.0),
            Fold::Final(_) | Fold::Start(_) | Fold::Lowest(_) | Fold::Highest(_) => self.begin.resize(end, f64::NAN),
            Fold::AtStep { step, .. } => {
                self.asked.push(step);
                self.begin.resize(end, f64::NAN);
            }
        }
        self.folds.push(Folding { fold, of: places[of], by: places[by], numbers, keep, out: self.folded, window });
        self.folded += fold.len(quantities);
    }

    /// Numbers that the rows of a group take.
    pub(super) fn block(&self, rows: u64) -> usize {
        usize::try_from(rows).unwrap_or(usize::MAX).saturating_mul(self.width * self.lanes)
    }
}

/// The folds and traces of one group after the other.
#[derive(Debug)]
pub(super) struct Recorder {
    keeps: Vec<f64>,
    /// The rows of the traces, group after group.
    pub(super) block: Vec<f64>,
    /// Whether rows lie so far apart that a last step can lie between them.
    apart: bool,
    /// Where the group's rows begin in the block.
    first: usize,
    /// Rows recorded by the pace.
    rows: u64,
}

/// Which lanes something is done for.
pub(super) type Mask = [bool; 8];

impl Recorder {
    /// With room for so many groups.
    pub(super) fn new(recording: &Recording, counting: Counting, rows: u64, groups: usize) -> Self {
        let block = Vec::with_capacity(recording.block(rows).saturating_mul(groups));
        Recorder { keeps: recording.begin.clone(), block, apart: counting.every > 1, first: 0, rows: 0 }
    }

    /// Another group begins.
    pub(super) fn begin(&mut self, recording: &Recording) {
        self.keeps.copy_from_slice(&recording.begin);
        self.rows = 0;
        if self.apart {
            // For rows of last steps that are no rows by the pace.
            self.block.resize(self.block.len() + recording.block(1), f64::NAN);
        }
        self.first = self.block.len();
    }

    /// Where the rows of the group begin.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// The trace of a row by the pace.
    #[inline]
    pub(super) fn trace(&mut self, recording: &Recording, numbers: &[f64]) {
        for &(first, count) in &recording.traced {
            let (octets, rest) = numbers[first..first + count].as_chunks::<8>();
            for octet in octets {
                self.block.extend_from_slice(octet);
            }
            self.block.extend_from_slice(rest);
        }
        self.rows += 1;
    }

    /// The trace of the last row is recorded anew.
    pub(super) fn take_back(&mut self, recording: &Recording) {
        self.rows -= 1;
        self.block.truncate(self.block.len() - recording.block(1));
    }

    /// So many rows have been written to the block.
    pub(super) fn count(&mut self, rows: u64) {
        self.rows += rows;
    }

    /// The row after `step` updates, by the pace, for the lanes that go on.
    pub(super) fn row(&mut self, recording: &Recording, numbers: &[f64], step: u64, mask: Mask) {
        if !recording.plain {
            self.fold(recording, numbers, step, mask);
        }
        self.trace(recording, numbers);
    }

    /// The row of lanes that end between two rows by the pace.
    pub(super) fn last_row(&mut self, recording: &Recording, numbers: &[f64], step: u64, mask: Mask) {
        self.fold(recording, numbers, step, mask);
        if self.apart {
            let mut to = self.first - recording.block(1);
            for &(first, count) in &recording.traced {
                copy(recording.lanes, &mut self.block[to..to + count], &numbers[first..first + count], mask);
                to += count;
            }
        }
    }

    /// The numbers at the start.
    pub(super) fn start(&mut self, recording: &Recording, numbers: &[f64]) {
        for folding in recording.folds.iter().filter(|folding| matches!(folding.fold, Fold::Start(_))) {
            let own = folding.keep..folding.keep + folding.numbers;
            self.keeps[own].copy_from_slice(&numbers[folding.of..folding.of + folding.numbers]);
        }
    }

    /// The values at a step that folds ask for, recorded or not.
    pub(super) fn at_step(&mut self, recording: &Recording, numbers: &[f64], step: u64, mask: Mask) {
        for folding in recording.folds.iter().filter(|folding| matches!(folding.fold, Fold::AtStep { step: asked, .. } if asked == step)) {
            let kept = &mut self.keeps[folding.keep..folding.keep + folding.numbers];
            copy(recording.lanes, kept, &numbers[folding.of..folding.of + folding.numbers], mask);
        }
    }

    fn fold(&mut self, recording: &Recording, numbers: &[f64], step: u64, mask: Mask) {
        let lanes = recording.lanes;
        for folding in &recording.folds {
            let value = &numbers[folding.of..folding.of + folding.numbers];
            let by = &numbers[folding.by..folding.by + lanes];
            let (keep, count) = (folding.keep, folding.numbers);
            match folding.fold {
                Fold::Final(_) | Fold::Start(_) | Fold::AtStep { .. } => {}
                Fold::Lowest(_) => better(lanes, &mut self.keeps[keep..keep + count], value, mask, |new, old| new < old),
                Fold::Highest(_) => better(lanes, &mut self.keeps[keep..keep + count], value, mask, |new, old| new > old),
                Fold::Average { .. } => {
                    let at = keep + (self.rows % folding.window as u64) as usize * count;
                    copy(lanes, &mut self.keeps[at..at + count], value, mask);
                }
                Fold::AtLowest { .. } | Fold::SinceLowest(_) => {
                    let (lowest, kept) = self.keeps[keep - lanes..].split_at_mut(lanes);
                    let lower: Mask = std::array::from_fn(|lane| lane < lanes && mask[lane] && beats(by[lane], lowest[lane], |a, b| a < b));
                    copy(lanes, lowest, by, lower);
                    if matches!(folding.fold, Fold::AtLowest { .. }) {
                        copy(lanes, &mut kept[..count], value, lower);
                    } else {
                        for lane in (0..lanes).filter(|&lane| mask[lane]) {
                            kept[lane] = if lower[lane] { 0.0 } else { kept[lane] + f64::from(u8::from(self.rows > 0)) };
                        }
                    }
                }
                Fold::StepsTo(_) | Fold::Count(_) => {
                    for lane in (0..lanes).filter(|&lane| mask[lane]) {
                        if value.iter().skip(lane).step_by(lanes).any(|&x| x != 0.0) {
                            let kept = &mut self.keeps[keep + lane];
                            match folding.fold {
                                Fold::Count(_) => *kept += 1.0,
                                _ if kept.is_infinite() => *kept = step as f64,
                                _ => {}
                            }
                        }
                    }
                }
                Fold::Previous(_) => {
                    let (last, before) = self.keeps[keep - count..keep + count].split_at_mut(count);
                    copy(lanes, before, last, mask);
                    copy(lanes, last, value, mask);
                }
            }
        }
    }

    /// The folded numbers of a lane, whose last row has been recorded: by the pace, or between.
    pub(super) fn finish(&self, recording: &Recording, numbers: &[f64], lane: usize, between: bool, to: &mut [f64]) {
        let rows = self.rows + u64::from(between);
        let lanes = recording.lanes;
        for folding in &recording.folds {
            let count = folding.numbers;
            let to = &mut to[folding.out..];
            match folding.fold {
                Fold::Final(_) => pick(lanes, lane, &numbers[folding.of..folding.of + count], to),
                Fold::Average { .. } => {
                    let window = folding.window as u64;
                    let kept = rows.min(window);
                    // The oldest first.
                    let row = |i: u64| (if rows > window { (rows + i) % window } else { i }) as usize;
                    for (element, to) in to.iter_mut().enumerate().take(count / lanes) {
                        let at = |i| self.keeps[folding.keep + row(i) * count + element * lanes + lane];
                        *to = (0..kept).map(at).sum::<f64>() / kept as f64;
                    }
                }
                Fold::SinceLowest(_) | Fold::StepsTo(_) | Fold::Count(_) => to[0] = self.keeps[folding.keep + lane],
                _ => pick(lanes, lane, &self.keeps[folding.keep..folding.keep + count], to),
            }
        }
    }
}

/// The numbers of one lane.
fn pick(lanes: usize, lane: usize, from: &[f64], to: &mut [f64]) {
    for (to, from) in to.iter_mut().zip(from.iter().skip(lane).step_by(lanes)) {
        *to = *from;
    }
}

/// Copies the lanes of the mask.
fn copy(lanes: usize, to: &mut [f64], from: &[f64], mask: Mask) {
    for (to, from) in to.chunks_exact_mut(lanes).zip(from.chunks_exact(lanes)) {
        for ((to, from), _) in to.iter_mut().zip(from).zip(mask).filter(|(_, mask)| *mask) {
            *to = *from;
        }
    }
}

/// Keeps what is better, element by element; NaN is passed over.
fn better(lanes: usize, kept: &mut [f64], new: &[f64], mask: Mask, better: impl Fn(f64, f64) -> bool) {
    for (kept, new) in kept.chunks_exact_mut(lanes).zip(new.chunks_exact(lanes)) {
        for ((kept, &new), _) in kept.iter_mut().zip(new).zip(mask).filter(|(_, mask)| *mask) {
            if beats(new, *kept, &better) {
                *kept = new;
            }
        }
    }
}

fn beats(new: f64, kept: f64, better: impl Fn(f64, f64) -> bool) -> bool {
    better(new, kept) || (kept.is_nan() && !new.is_nan())
}
