//! The end of a step: are the next values finite, and then they take the place of the old ones.
//!
//! It computes nothing else. All loops are compiled for every level of the CPU.

#![allow(clippy::inline_always, reason = "a body must be inlined into a function with target features to be compiled with them")]
#![allow(clippy::needless_range_loop, reason = "several arrays of lanes are walked by one index")]

use super::program::Changes;
use crate::compile::tape::Lanes;
use crate::dispatch;
use crate::numeric::Octet;
use crate::numeric::sums::halve;

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

/// Which lanes something is stored for; zero stands for a lane that keeps what it has. Nothing stands for all.
pub(super) type Chosen = Option<Octet>;

dispatch! {
    /// Puts aside what is held; then, if all that must be finite is, copies the next values. Says whether it is.
    pub(super) fn update(octets: &mut [Octet], changes: &Changes, chosen: &Chosen) -> bool = update_body;
    /// Zero times the sum of what must be finite: NaN where something is not. It has an entry for each lane, or, with one lane, eight for it.
    pub(super) fn judge(octets: &[Octet], probes: &[Probe]) -> Octet = judge_body;
    /// Copies octets in the order given.
    pub(super) fn store(octets: &mut [Octet], moves: &[Move], chosen: &Chosen) = store_body;
}

#[inline(always)]
fn update_body(octets: &mut [Octet], changes: &Changes, chosen: &Chosen) -> bool {
    store_body(octets, &changes.holds, &None);
    let fine = halve(&judge_body(octets, &changes.probes)) == 0.0;
    if fine {
        store_body(octets, &changes.moves, chosen);
    }
    fine
}

#[inline(always)]
fn judge_body(octets: &[Octet], probes: &[Probe]) -> Octet {
    let mut sum = [0.0; 8];
    for probe in probes {
        let own = &octets[probe.octet..];
        let (whole, rest) = (&own[..probe.octets], probe.rest);
        if whole.len() >= 16 {
            sum = plus(sum, many(whole));
        } else {
            for octet in whole {
                sum = plus_zeros(sum, octet);
            }
        }
        if rest > 0 {
            let mut last = own[probe.octets];
            for p in 0..8 {
                last[p] = if p < rest { last[p] } else { 0.0 };
            }
            sum = plus_zeros(sum, &last);
        }
    }
    sum
}

/// Four sums, because one would wait for itself.
#[inline(always)]
fn many(octets: &[Octet]) -> Octet {
    let mut sums = [[0.0; 8]; 4];
    let (fours, few) = octets.as_chunks::<4>();
    for four in fours {
        for (sum, octet) in sums.iter_mut().zip(four) {
            *sum = plus_zeros(*sum, octet);
        }
    }
    for octet in few {
        sums[0] = plus_zeros(sums[0], octet);
    }
    plus(plus(sums[0], sums[1]), plus(sums[2], sums[3]))
}

#[inline(always)]
fn plus(mut a: Octet, b: Octet) -> Octet {
    for p in 0..8 {
        a[p] += b[p];
    }
    a
}

#[inline(always)]
fn plus_zeros(mut sum: Octet, octet: &Octet) -> Octet {
    for p in 0..8 {
        sum[p] += octet[p] * 0.0;
    }
    sum
}

#[inline(always)]
fn store_body(octets: &mut [Octet], moves: &[Move], chosen: &Chosen) {
    for &Move { from, to, octets: count } in moves {
        if let Some(chosen) = chosen {
            for i in 0..count {
                let (new, mut kept) = (octets[from + i], octets[to + i]);
                for p in 0..8 {
                    kept[p] = if chosen[p] == 0.0 { kept[p] } else { new[p] };
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
