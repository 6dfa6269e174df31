//! Which cells go side by side, and which groups of them a thread takes at once.
//!
//! It runs nothing; none of it changes a bit of a result.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Options;
use super::program::Program;
use crate::compile::tape::Lanes;
use crate::expr::eval::EvalError;
use crate::numeric::Octet;
use crate::plan::unit::{Plan, SweepPlan, Unit};
use crate::shape::RowCounts;

/// Groups of one unit, one after the other: the first cells are the first group, and so on.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) sweep: usize,
    pub(super) unit: usize,
    /// Index into the programs.
    pub(super) program: usize,
    pub(super) cells: Vec<usize>,
    /// The numbers of [`Unit::lane`] of each group, an octet for each. Lanes without a cell are like the first of their group.
    pub(super) numbers: Vec<Octet>,
    /// Whether all cells have the same parameters at their start.
    pub(super) alike: bool,
    /// Whether the states that cells begin with have to be computed for each group.
    pub(super) own_states: bool,
}

impl Job {
    fn new(number: usize, sweep: &SweepPlan, unit: usize, (index, program): (usize, &Program), cells: Vec<usize>) -> Job {
        let mut job = Job { sweep: number, unit, program: index, cells, numbers: Vec::new(), alike: true, own_states: false };
        let octet = |cells: &[usize], input: usize| {
            std::array::from_fn(|lane| sweep.cells[cells[if lane < cells.len() { lane } else { 0 }]].lane[input])
        };
        for cells in job.cells.chunks(program.lanes.count()) {
            job.numbers.extend((0..sweep.units[unit].lane.len()).map(|input| octet(cells, input)));
        }
        let first = &sweep.cells[job.cells[0]];
        let others = || job.cells.iter().map(|&cell| &sweep.cells[cell]);
        job.alike = others().all(|cell| Arc::ptr_eq(&cell.starts, &first.starts));
        let same = |input: usize| others().all(|cell| cell.lane[input].to_bits() == first.lane[input].to_bits());
        job.own_states = (program.starts_of_params && !job.alike) || !program.starts_of_lanes.iter().all(|&input| same(input));
        job
    }

    /// How many groups there are.
    pub(super) fn groups(&self, lanes: Lanes) -> usize {
        self.cells.len().div_ceil(lanes.count())
    }

    /// The cells of a group.
    pub(super) fn group(&self, lanes: Lanes, group: usize) -> &[usize] {
        let first = group * lanes.count();
        &self.cells[first..self.cells.len().min(first + lanes.count())]
    }
}

/// Jobs for each thread, so that none waits long for the last.
const SHARES: usize = 8;

/// Compiles every unit for the numbers of lanes that its cells need, and parts the work among so many threads.
pub(super) fn jobs(plan: &Plan, options: &Options, threads: usize) -> Result<(Vec<Program>, Vec<Job>), EvalError> {
    let (mut programs, mut jobs) = (Vec::new(), Vec::new());
    for (number, sweep) in plan.sweeps.iter().enumerate() {
        for (unit, alike) in alike(sweep).into_iter().enumerate() {
            let mut compiled = [None; 2];
            for cells in alike {
                for (lanes, cells) in by_lanes(&sweep.units[unit], cells, options.lanes) {
                    let groups = cells.len().div_ceil(lanes.count());
                    let known = &mut compiled[usize::from(lanes == Lanes::Eight)];
                    let program = if let Some(program) = *known {
                        program
                    } else {
                        programs.push(Program::of(sweep, &sweep.units[unit], lanes, groups, options)?);
                        *known.insert(programs.len() - 1)
                    };
                    let share = if threads > 1 { (groups / (threads * SHARES)).max(1) } else { groups.max(1) };
                    for cells in cells.chunks(share * lanes.count()) {
                        jobs.push(Job::new(number, sweep, unit, (program, &programs[program]), cells.to_vec()));
                    }
                }
            }
        }
    }
    Ok((programs, jobs))
}

/// The cells of each unit that can go side by side: they see the same rows in each step, so that with minibatches replicates are kept apart,
/// and generators.
fn alike(sweep: &SweepPlan) -> Vec<Vec<Vec<usize>>> {
    let mut alike: Vec<Vec<Vec<usize>>> = vec![Vec::new(); sweep.units.len()];
    let mut places = BTreeMap::new();
    for (cell, design) in sweep.designs.iter().enumerate() {
        let generator = sweep.cells[cell].generator.as_ref().map(Arc::as_ptr);
        let apart = sweep.units[design.unit].batches.as_ref().map(|_| (design.replicate, generator));
        let lists = &mut alike[design.unit];
        let place = *places.entry((design.unit, apart)).or_insert(lists.len());
        if place == lists.len() {
            lists.push(Vec::new());
        }
        lists[place].push(cell);
    }
    alike
}

/// Full octets, and what is left over one by one, unless that would take longer than an octet that is not full.
fn by_lanes(unit: &Unit, cells: Vec<usize>, forced: Option<Lanes>) -> Vec<(Lanes, Vec<usize>)> {
    if unit.solve.is_some() {
        // Each goes its own way.
        return vec![(Lanes::One, cells)];
    }
    if let Some(lanes) = forced {
        return vec![(lanes, cells)];
    }
    let left = cells.len() % 8;
    let alone = if left >= worth_an_octet(unit) { 0 } else { left };
    let (eight, one) = cells.split_at(cells.len() - alone);
    [(Lanes::Eight, eight), (Lanes::One, one)].into_iter().filter(|part| !part.1.is_empty()).map(|(l, c)| (l, c.to_vec())).collect()
}

/// From how many cells on an octet of lanes is faster than one run after the other.
///
/// One run alone fills octets with its rows or with the elements of its parameters. What has few of both leaves them nearly empty.
fn worth_an_octet(unit: &Unit) -> usize {
    const WITH_ROWS: usize = 6;
    let none = RowCounts(vec![0; unit.rows.0.len()]);
    let size = |count: &RowCounts| unit.params.iter().map(|slot| count.count(unit.graph.shape(slot.input)).unwrap_or(0)).max().unwrap_or(0);
    let single = unit.batches.as_ref().is_some_and(|batches| batches.size == 1);
    if !single && !unit.columns.is_empty() {
        return WITH_ROWS;
    }
    let elements = size(&none).max(1);
    (elements / elements.div_ceil(8)).clamp(2, WITH_ROWS)
}
