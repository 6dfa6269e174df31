//! Long values without rows, piece by piece: runs of elementwise instructions over the same number of octets become one loop over strips
//! of them, so that what lies between the first and the last instruction stays in the first-level cache.
//!
//! It changes no instruction but where operands are: a strip is to the machine what a block of rows is.

use std::collections::BTreeMap;

use super::lower::{Home, Level, start};
use super::tape::{Instr, Operand, Read, Section};

/// Octets from which on a value is walked in strips.
const LONG: u32 = 128;

/// The level of an instruction, and the octets it walks if it is elementwise and long.
type Turn = (usize, Option<u32>);

/// The octets that an instruction walks, if it may be carried out strip by strip.
fn long(instr: &Instr) -> Option<u32> {
    let n = instr.elementwise().filter(|&n| n >= LONG)?;
    let fits = |operand: &Operand| operand.read != Read::Octets || operand.address.element == 0;
    instr.operands().iter().all(fits).then_some(n)
}

/// The numbers of the values that an instruction writes, and those that it reads.
fn written_and_read(instr: &Instr) -> (Vec<u32>, Vec<u32>) {
    let (mut written, mut read) = (Vec::new(), Vec::new());
    instr.clone().addresses(&mut |address, writes| if writes { written.push(address.base) } else { read.push(address.base) });
    (written, read)
}

/// Moves long elementwise instructions to the last level that can have them: into the company of those that use their results.
pub(super) fn sink(levels: &mut [Level]) {
    let mut first_use: BTreeMap<u32, usize> = BTreeMap::new();
    for number in (0..levels.len()).rev() {
        for instr in levels[number].passes.values().flat_map(|(body, _)| body) {
            for value in written_and_read(instr).1 {
                first_use.insert(value, number);
            }
        }
        let mut moved: BTreeMap<usize, Vec<Instr>> = BTreeMap::new();
        let mut kept = Vec::new();
        for instr in std::mem::take(&mut levels[number].small).into_iter().rev() {
            let (written, read) = written_and_read(&instr);
            let latest = written.iter().filter_map(|value| first_use.get(value)).copied().min();
            let target = latest.filter(|_| long(&instr).is_some()).unwrap_or(number);
            for value in read {
                let known = first_use.entry(value).or_insert(target);
                *known = target.min(*known);
            }
            if target > number { moved.entry(target).or_default().push(instr) } else { kept.push(instr) }
        }
        kept.reverse();
        levels[number].small = kept;
        for (target, mut instrs) in moved {
            instrs.reverse();
            levels[target].small.splice(0..0, instrs);
        }
    }
}

/// When each instruction has its turn: after all it depends on, one later than those of another kind; long ones as late as that allows.
fn turns(small: &[Instr]) -> Vec<Turn> {
    let ends: Vec<(Vec<u32>, Vec<u32>)> = small.iter().map(written_and_read).collect();
    let kinds: Vec<Option<u32>> = small.iter().map(long).collect();
    let mut turns = vec![0; small.len()];
    let mut writers: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); small.len()];
    for (i, (written, read)) in ends.iter().enumerate() {
        for writer in read.iter().chain(written).filter_map(|value| writers.get(value)).flatten().copied() {
            users[writer].push(i);
            turns[i] = turns[i].max(turns[writer] + usize::from(kinds[writer] != kinds[i]));
        }
        for value in written {
            writers.entry(*value).or_default().push(i);
        }
    }
    for i in (0..small.len()).rev().filter(|&i| kinds[i].is_some()) {
        let latest = users[i].iter().map(|&user| turns[user] - usize::from(kinds[user] != kinds[i])).min();
        turns[i] = latest.map_or(turns[i], |latest| latest.max(turns[i]));
    }
    turns.into_iter().zip(kinds).collect()
}

/// Cuts the instructions without rows of a level into sections: in order, or strip by strip. `uses` says how often each value is read in
/// the whole program, the last reading by a root included.
pub(super) fn cut(small: Vec<Instr>, uses: &BTreeMap<u32, usize>, values: &mut Vec<Home>) -> Vec<Section> {
    let mut groups: BTreeMap<Turn, Vec<Instr>> = BTreeMap::new();
    let turns = turns(&small);
    for (turn, instr) in turns.into_iter().zip(small) {
        groups.entry(turn).or_default().push(instr);
    }
    let mut sections = Vec::new();
    for ((_, octets), body) in groups {
        let Some(octets) = octets else {
            sections.push(Section { block: 8, body, ..Section::default() });
            continue;
        };
        for body in connected(body) {
            // Alone, an instruction is better off without copies.
            let section = if body.len() == 1 {
                Section { block: 8, body, ..Section::default() }
            } else {
                Section { octets: octets as usize, body: stripped(body, uses, values), ..Section::default() }
            };
            sections.push(section);
        }
    }
    sections
}

/// The first of the group to which an instruction belongs: each names one of its group that comes no later, and the first itself.
fn first(group: &mut [usize], mut i: usize) -> usize {
    while group[i] != i {
        group[i] = group[group[i]];
        i = group[i];
    }
    i
}

/// The instructions in groups that share no result.
fn connected(body: Vec<Instr>) -> Vec<Vec<Instr>> {
    let mut group: Vec<usize> = (0..body.len()).collect();
    let mut writers: BTreeMap<u32, usize> = BTreeMap::new();
    for (i, instr) in body.iter().enumerate() {
        let (written, read) = written_and_read(instr);
        for &writer in read.iter().filter_map(|value| writers.get(value)) {
            let (a, b) = (first(&mut group, i), first(&mut group, writer));
            group[a.max(b)] = a.min(b);
        }
        writers.extend(written.into_iter().map(|value| (value, i)));
    }
    let mut groups: BTreeMap<usize, Vec<Instr>> = BTreeMap::new();
    for (i, instr) in body.into_iter().enumerate() {
        groups.entry(first(&mut group, i)).or_default().push(instr);
    }
    groups.into_values().collect()
}

/// The instructions over a strip: results lie in the strip, and those that others read are stored.
fn stripped(body: Vec<Instr>, uses: &BTreeMap<u32, usize>, values: &mut Vec<Home>) -> Vec<Instr> {
    let mut here: BTreeMap<u32, usize> = BTreeMap::new();
    for instr in &body {
        for value in written_and_read(instr).1 {
            *here.entry(value).or_default() += 1;
        }
    }
    let mut pieces: BTreeMap<u32, u32> = BTreeMap::new();
    let mut out = Vec::with_capacity(body.len());
    for mut instr in body {
        let (operands, result, n) = instr.elementwise_parts().expect("internal: a strip of elementwise instructions");
        for operand in operands.into_iter().filter(|operand| operand.read == Read::Octets) {
            operand.width = 1;
            match pieces.get(&operand.address.base) {
                Some(&piece) => operand.address.base = piece,
                None => operand.read = Read::Stream,
            }
        }
        values.push(Home::Block(1));
        let (whole, piece) = (result.base, (values.len() - 1) as u32);
        pieces.insert(whole, piece);
        (result.base, *n) = (piece, 1);
        out.push(instr);
        if uses.get(&whole) > here.get(&whole) {
            let operand = |read, base| Operand { read, address: start(base), width: 1 };
            out.push(Instr::Store { out: operand(Read::Stream, whole), a: operand(Read::Octets, piece) });
        }
    }
    out
}

/// How often each value is read: by instructions, and by `others`.
pub(super) fn uses<'a>(instrs: impl Iterator<Item = &'a Instr>, others: impl Iterator<Item = u32>) -> BTreeMap<u32, usize> {
    let mut uses = BTreeMap::new();
    for value in instrs.flat_map(|instr| written_and_read(instr).1).chain(others) {
        *uses.entry(value).or_default() += 1;
    }
    uses
}
