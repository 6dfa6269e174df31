//! Where values lie in memory, and how many rows a block has.
//!
//! It changes no instruction but its addresses.

use std::collections::BTreeMap;

use super::lower::{Home, Request};
use super::tape::{Address, Instr, Lanes, Operand, Place, Read, Section, Shared, Tape};
use crate::shape::Dim;

/// Bytes of the first-level cache that a block may fill with its columns and registers.
const CACHE: usize = 20 << 10;

/// Free places in a stretch of memory, in octets.
struct Pool {
    free: BTreeMap<usize, usize>,
    end: usize,
}

impl Pool {
    fn from(start: usize) -> Self {
        Pool { free: BTreeMap::new(), end: start }
    }

    /// The first hole that is large enough, or new memory.
    fn take(&mut self, octets: usize) -> usize {
        if let Some((&at, &size)) = self.free.iter().find(|(_, size)| **size >= octets).filter(|_| octets > 0) {
            self.free.remove(&at);
            if size > octets {
                self.free.insert(at + octets, size - octets);
            }
            return at;
        }
        let at = self.end;
        self.end += octets;
        at
    }

    fn give(&mut self, at: usize, octets: usize) {
        if octets == 0 {
            return;
        }
        let (mut at, mut octets) = (at, octets);
        if let Some((&before, &size)) = self.free.range(..at).next_back().filter(|(before, size)| **before + **size == at) {
            self.free.remove(&before);
            (at, octets) = (before, octets + size);
        }
        if let Some(size) = self.free.remove(&(at + octets)) {
            octets += size;
        }
        self.free.insert(at, octets);
    }
}

/// Section and instruction of the last use; what is used at the end is never free.
type Last = (usize, usize);

/// Lays out memory.
pub(super) fn allocate(request: &Request, values: &[Home], mut sections: Vec<Section>, mut roots: Vec<Place>) -> Tape {
    let mut pool = Pool::from(request.start);
    let mut places: Vec<usize> = vec![usize::MAX; values.len()];
    let mut constants = Vec::new();
    for (place, home) in places.iter_mut().zip(values) {
        match home {
            Home::Given(octet, _) => *place = *octet,
            Home::Constant(numbers) => {
                *place = pool.take(request.lanes.octets(numbers.len()));
                constants.push((Address { base: *place as u32, element: 0 }, numbers.clone()));
            }
            Home::Full(octets) => *place = pool.take(*octets),
            Home::Small(_) | Home::Block(_) => {}
        }
    }
    let last = last_uses(&mut sections, &roots, values.len());
    let mut registers = 0;
    for (number, section) in sections.iter_mut().enumerate() {
        place_small(number, section, values, &last, &mut pool, &mut places);
        if section.loops() {
            registers = registers.max(place_blocks(request, number, section, values, &last, &mut places));
        }
    }
    // Never a hole: what is free at the end was in use beside a block.
    let end = pool.end + registers;
    let registers = pool.end;
    for (place, home) in places.iter_mut().zip(values) {
        if matches!(home, Home::Block(_)) {
            *place = place.wrapping_add(registers);
        }
    }
    let mut resolve = |address: &mut Address, _: bool| address.base = places[address.base as usize] as u32;
    let mut columns = Vec::new();
    let column = |operand: &Operand| matches!(operand.read, Read::Column | Read::Splat);
    for section in &mut sections {
        section.shared = shared(section, request.lanes, values, &places);
        for instr in &mut section.body {
            columns.extend(instr.operands().iter().filter(|operand| column(operand)).map(|operand| operand.address.base));
            instr.addresses(&mut resolve);
        }
        for total in &mut section.totals {
            resolve(&mut total.acc, true);
            resolve(&mut total.out, true);
        }
    }
    for Place { operand, .. } in &mut roots {
        if column(operand) {
            columns.push(operand.address.base);
        } else {
            resolve(&mut operand.address, false);
        }
    }
    columns.sort_unstable();
    columns.dedup();
    Tape { lanes: request.lanes, sections, roots, constants, end, columns }
}

/// What threads need that share a pass. Values that are kept or read with all their rows tie its chunks to one memory, and sums that
/// run through all rows to one order.
fn shared(section: &mut Section, lanes: Lanes, values: &[Home], places: &[usize]) -> Option<Shared> {
    section.data?;
    let stream = |operand: &Operand| operand.read == Read::Stream;
    let tied = |instr: &Instr| matches!(instr, Instr::Store { .. } | Instr::Dense(_)) || instr.operands().iter().any(stream);
    if section.body.iter().any(tied) || section.totals.iter().any(|total| total.order.through()) {
        return None;
    }
    let mut read = Vec::new();
    for instr in &mut section.body {
        instr.addresses(&mut |address, writes| read.extend((!writes).then_some(address.base as usize)));
    }
    read.sort_unstable();
    read.dedup();
    let octets = |value: &usize| match &values[*value] {
        Home::Given(_, octets) | Home::Small(octets) | Home::Full(octets) => Some((places[*value] as u32, *octets as u32)),
        Home::Constant(numbers) => Some((places[*value] as u32, lanes.octets(numbers.len()) as u32)),
        Home::Block(_) => None,
    };
    Some(Shared { inputs: read.iter().filter_map(octets).collect(), work: section.body.iter().map(Instr::work).sum() })
}

fn last_uses(sections: &mut [Section], roots: &[Place], values: usize) -> Vec<Last> {
    let mut last = vec![(0, 0); values];
    for (number, section) in sections.iter_mut().enumerate() {
        for (index, instr) in section.body.iter_mut().enumerate() {
            instr.addresses(&mut |address, _| last[address.base as usize] = (number, index));
        }
        for total in &section.totals {
            last[total.out.base as usize] = (number, usize::MAX);
        }
    }
    for root in roots.iter().filter(|root| !matches!(root.operand.read, Read::Column | Read::Splat)) {
        last[root.operand.address.base as usize] = (usize::MAX, usize::MAX);
    }
    last
}

/// What an instruction writes and reads, by the numbers of values.
fn written_and_read(instr: &mut Instr) -> (Vec<usize>, Vec<usize>) {
    let (mut written, mut read) = (Vec::new(), Vec::new());
    instr.addresses(&mut |address, writes| if writes { written.push(address.base as usize) } else { read.push(address.base as usize) });
    read.sort_unstable();
    read.dedup();
    (written, read)
}

/// Gives values without rows their places; those last used by this section lose theirs, in a pass at its end.
fn place_small(number: usize, section: &mut Section, values: &[Home], last: &[Last], pool: &mut Pool, places: &mut [usize]) {
    let size = |value: usize| if let Home::Small(octets) = values[value] { Some(octets) } else { None };
    let free = |pool: &mut Pool, places: &[usize], dying: &[usize]| {
        for &value in dying {
            pool.give(places[value], size(value).unwrap_or(0));
        }
    };
    for total in &section.totals {
        let value = total.out.base as usize;
        if let Some(octets) = size(value) {
            places[value] = pool.take(octets);
        }
    }
    let pass = section.loops();
    let mut ending = Vec::new();
    for (index, instr) in section.body.iter_mut().enumerate() {
        let (written, read) = written_and_read(instr);
        let dies = |value: usize| last[value] == (number, index) || (pass && last[value].0 == number);
        let dying: Vec<usize> = read.into_iter().filter(|&value| size(value).is_some() && dies(value)).collect();
        let early = !pass && instr.in_place();
        if early {
            free(pool, places, &dying);
        }
        for value in written {
            if let Some(octets) = size(value).filter(|_| places[value] == usize::MAX) {
                places[value] = pool.take(octets);
                if last[value] == (number, index) {
                    ending.push(value);
                }
            }
        }
        if pass {
            ending.extend(dying);
        } else if !early {
            free(pool, places, &dying);
        }
    }
    ending.sort_unstable();
    ending.dedup();
    for value in ending {
        pool.give(places[value], size(value).unwrap_or(0));
    }
}

/// Gives values with rows their registers and chooses the rows of a block; says how many octets of registers that takes.
fn place_blocks(request: &Request, number: usize, section: &mut Section, values: &[Home], last: &[Last], places: &mut [usize]) -> usize {
    let size = |value: usize| if let Home::Block(octets) = values[value] { Some(octets) } else { None };
    let free = |pool: &mut Pool, places: &[usize], dying: &[usize]| {
        for &value in dying {
            pool.give(places[value], size(value).unwrap_or(0));
        }
    };
    let mut pool = Pool::from(0);
    let mut mine = Vec::new();
    let mut columns = 0;
    for (index, instr) in section.body.iter_mut().enumerate() {
        let widths = instr.operands().into_iter().filter(|operand| matches!(operand.read, Read::Column | Read::Splat | Read::Stream));
        columns = columns.max(widths.map(|operand| operand.width as usize).sum());
        let (written, read) = written_and_read(instr);
        let dying: Vec<usize> = read.into_iter().filter(|&value| size(value).is_some() && last[value] == (number, index)).collect();
        let early = instr.in_place();
        if early {
            free(&mut pool, places, &dying);
        }
        for &value in &written {
            if let Some(octets) = size(value).filter(|_| places[value] == usize::MAX) {
                places[value] = pool.take(octets);
                mine.push(value);
            }
        }
        if !early {
            free(&mut pool, places, &dying);
        }
        // A result that nobody reads.
        for value in written.into_iter().filter(|&value| size(value).is_some() && last[value] == (number, index)) {
            pool.give(places[value], size(value).unwrap_or(0));
        }
    }
    let lanes = request.lanes.count();
    let outer = if let Some(data) = section.data {
        let rows = request.rows.of(Dim::Rows(data)).max(1).next_multiple_of(8);
        let chosen = (CACHE / (8 * (columns + pool.end * lanes).max(1)) / 8 * 8).clamp(32, 192);
        section.block = request.block.map_or(chosen, |block| block.max(1).next_multiple_of(8)).min(rows).min(1024);
        section.block * lanes / 8
    } else {
        section.block = (CACHE / (64 * (pool.end + 1))).clamp(32, 192).min(section.octets);
        section.block
    };
    for value in mine {
        places[value] *= outer;
    }
    pool.end * outer
}
