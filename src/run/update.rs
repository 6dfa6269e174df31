//! The end of a step: are the next values finite, and then they take the place of the old ones.
//!
//! It computes nothing else. Both loops are compiled for every level of the CPU.

use crate::compile::tape::Lanes;
use crate::dispatch;
use crate::numeric::Octet;

/// Numbers that must be finite: octets from a place in memory on, and single numbers after them (one lane).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Probe {
    pub(super) octet: usize,
    pub(super) octets: usize,
    pub(super) rest: usize,
}

impl Probe {
    /// So many elements from an octet on.
    pub(super) fn new(lanes: Lanes, octet: usize, elements: usize) -> Self {
        match lanes {
            Lanes::One => Probe { octet, octets: elements / 8, rest: elements % 8 },
            Lanes::Eight => Probe { octet, octets: elements, rest: 0 },
        }
    }
}

/// Octets that are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) octets: usize,
}

dispatch! {
    /// The sum of zero times each number: zero, or NaN where one of them is not finite. An octet has an entry for each lane, or,
    /// with one lane, eight for it.
    pub(super) fn judge(octets: &[Octet], probes: &[Probe]) -> Octet = judge_body;
    /// Copies octets in the order given, in the lanes of the mask.
    pub(super) fn store(octets: &mut [Octet], moves: &[Move], mask: Octet) = store_body;
}

/// A mask of [`store`] with all lanes; zero stands for a lane that keeps what it has.
pub(super) const ALL: Octet = [1.0; 8];

#[inline(always)]
fn judge_body(octets: &[Octet], probes: &[Probe]) -> Octet {
    // Four sums, because one would wait for itself.
    let mut sums = [[0.0; 8]; 4];
    for probe in probes {
        let own = &octets[probe.octet..];
        let (fours, few) = own[..probe.octets].as_chunks::<4>();
        for four in fours {
            for (sum, octet) in sums.iter_mut().zip(four) {
                for p in 0..8 {
                    sum[p] += octet[p] * 0.0;
                }
            }
        }
        for octet in few {
            for p in 0..8 {
                sums[0][p] += octet[p] * 0.0;
            }
        }
        if probe.rest > 0 {
            let last = own[probe.octets];
            for p in 0..8 {
                sums[0][p] += if p < probe.rest { last[p] } else { 0.0 } * 0.0;
            }
        }
    }
    let mut sum = [0.0; 8];
    for p in 0..8 {
        sum[p] = (sums[0][p] + sums[1][p]) + (sums[2][p] + sums[3][p]);
    }
    sum
}

#[inline(always)]
fn store_body(octets: &mut [Octet], moves: &[Move], mask: Octet) {
    let all = mask == ALL;
    for &Move { from, to, octets: count } in moves {
        if !all {
            for i in 0..count {
                let (new, mut kept) = (octets[from + i], octets[to + i]);
                for p in 0..8 {
                    kept[p] = if mask[p] == 0.0 { kept[p] } else { new[p] };
                }
                octets[to + i] = kept;
            }
        } else if count > 16 {
            octets.copy_within(from..from + count, to);
        } else {
            for i in 0..count {
                octets[to + i] = octets[from + i];
            }
        }
    }
}
