//! Machine code for small programs: a step that is a straight line of operations on single numbers, repeated.
//!
//! It knows no graphs, rules or recording, and decides nothing about numbers: a chain names operations that IEEE 754 defines exactly, and the
//! code carries them out in that order. Where there is no code (another CPU, a system that forbids it, a chain that is too long) [`Native::new`]
//! says so, and the caller has a tape with the same bits.
//!
//! `chain` is what is translated, `build` and `symbol` make chains, `order` puts a step into a line, `allocate` gives registers,
//! `select` and `emit` choose instructions, `encode` writes their bytes, and `memory` is where they are executed.

pub mod build;
pub mod chain;

mod allocate;
mod emit;
mod encode;
mod memory;
mod order;
mod select;
mod symbol;

use std::sync::OnceLock;

use crate::numeric::dispatch::Level;
use chain::Chain;

/// How many runs go side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// One.
    One,
    /// Eight; in memory eight numbers stand where one stands otherwise.
    Eight,
}

/// A chain as machine code.
#[derive(Debug)]
pub struct Native {
    code: memory::Code,
    passes: usize,
}

/// What a run of steps reads and writes.
#[derive(Debug)]
pub struct Call<'a> {
    /// Where slots and own numbers lie.
    pub memory: &'a mut [f64],
    /// What is recorded: for each step, all records one after the other; or room for one step, which each step overwrites.
    pub records: &'a mut [f64],
    /// Whether each step has room of its own.
    pub every_step: bool,
    /// The numbers of the clock: for each step, one after the other.
    pub clock: &'a [f64],
    /// The rows of the steps; after the last one it begins anew.
    pub rows: &'a [u32],
    /// The first of them.
    pub first: usize,
    /// The numbers of all rows, row by row.
    pub data: &'a [f64],
    /// How many steps.
    pub steps: usize,
    /// Which lanes must stay finite: bit by bit.
    pub live: u8,
    /// Room that the code may need; it grows in the first call.
    pub spare: &'a mut Vec<f64>,
}

/// Whether `OPTRUN_NATIVE` is anything but `0`. It can only change the speed.
#[must_use]
pub fn enabled() -> bool {
    static ENABLED: OnceLock<bool> = OnceLock::new();
    *ENABLED.get_or_init(|| std::env::var("OPTRUN_NATIVE").map_or(true, |text| text != "0"))
}

impl Native {
    /// Translates a chain, if this system can run it. `registers` limits how many are used, for tests.
    #[must_use]
    pub fn new(chain: &Chain, width: Width, level: Level, registers: Option<usize>) -> Option<Native> {
        let vectors = match (width, level.usable()) {
            (_, Level::Baseline) => return None,
            (Width::One, _) => encode::Vectors::One,
            (Width::Eight, Level::Avx2) => encode::Vectors::Four,
            (Width::Eight, Level::Avx512) => encode::Vectors::Eight,
        };
        let passes = if vectors == encode::Vectors::Four { 2 } else { 1 };
        let program = emit::emit(chain, vectors, registers)?;
        Some(Native { code: memory::Code::new(&program, chain, vectors)?, passes })
    }

    /// Bytes of machine code and constants.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.code.bytes()
    }

    /// The bytes themselves, for tests.
    #[must_use]
    pub fn listing(&self) -> &[u8] {
        self.code.listing()
    }

    /// Runs steps until one is not fit to be stored: one whose checked numbers are not finite in a live lane. That one is left to the caller, with
    /// memory as it was before it. Returns how many steps were done.
    ///
    /// # Panics
    /// When something is too short for the steps.
    pub fn run(&self, call: &mut Call) -> usize {
        self.code.make_room(call.spare);
        if self.passes == 1 {
            return self.code.run(call, 0, call.steps, u32::from(call.live));
        }
        let halves = [u32::from(call.live & 15), u32::from(call.live >> 4)];
        let mut done = call.steps;
        self.code.keep(call);
        for (half, live) in halves.into_iter().enumerate().filter(|(_, live)| *live != 0) {
            let reached = self.code.run(call, half, done, live);
            if reached < done && half == 1 && halves[0] != 0 {
                // The other half went too far: once more, up to here.
                self.code.restore(call);
                self.code.run(call, 0, reached, halves[0]);
            }
            done = reached;
        }
        done
    }
}
