//! Memory that is executed: written first, then made executable, never both. The only file of this room with unsafe code.
//!
//! It knows no instructions. What code may touch follows from its chain, and is checked against the lengths given before every call.

use std::ffi::c_void;
use std::ptr::NonNull;

use super::Call;
use super::chain::Chain;
use super::emit::Program;
use super::encode::Vectors;

/// The argument of a function. The offsets of its fields are in [`field`].
#[repr(C)]
#[derive(Debug)]
struct Argument {
    memory: *mut f64,
    frame: *mut f64,
    records: *mut f64,
    /// Bytes from the records of one step to those of the next.
    stride: u64,
    clock: *const f64,
    rows: *const u32,
    rows_end: *const u32,
    rows_begin: *const u32,
    data: *const f64,
    steps: u64,
    live: u64,
}

/// Offsets in [`Argument`].
pub(super) mod field {
    pub(in crate::native) const MEMORY: i32 = 0;
    pub(in crate::native) const FRAME: i32 = 8;
    pub(in crate::native) const RECORDS: i32 = 16;
    pub(in crate::native) const STRIDE: i32 = 24;
    pub(in crate::native) const CLOCK: i32 = 32;
    pub(in crate::native) const ROWS: i32 = 40;
    pub(in crate::native) const ROWS_END: i32 = 48;
    pub(in crate::native) const ROWS_BEGIN: i32 = 56;
    pub(in crate::native) const DATA: i32 = 64;
    pub(in crate::native) const STEPS: i32 = 72;
    pub(in crate::native) const LIVE: i32 = 80;
}

/// Pages with code.
#[derive(Debug)]
struct Pages {
    start: NonNull<c_void>,
    bytes: usize,
}

/// A function, and what it may touch.
#[derive(Debug)]
pub(super) struct Code {
    pages: Pages,
    length: usize,
    /// Numbers of memory that are needed, records of a step, numbers of the clock and of a row.
    memory: usize,
    records: usize,
    clock: usize,
    features: usize,
    /// Numbers that are put aside.
    frame: usize,
    slots: Vec<usize>,
}

#[allow(unsafe_code, reason = "pages are written before they are shared, and nothing can change them afterwards")]
// SAFETY: `start` is only read after `Pages::with` has returned, and only unmapped by `drop`, which has the pages alone.
unsafe impl Send for Pages {}
#[allow(unsafe_code, reason = "see above")]
// SAFETY: see above.
unsafe impl Sync for Pages {}

#[cfg(all(unix, target_arch = "x86_64"))]
impl Pages {
    /// Pages with these bytes that can be executed and no longer written; `None` where the system forbids it.
    #[allow(unsafe_code, reason = "memory that can be executed comes from the system")]
    fn with(code: &[u8]) -> Option<Pages> {
        let bytes = code.len().max(1);
        // SAFETY: a new private mapping, at a place that the system chooses, touches no memory in use.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
        };
        if start == libc::MAP_FAILED {
            return None;
        }
        let pages = Pages { start: NonNull::new(start)?, bytes };
        // SAFETY: the mapping has `bytes` bytes, is writable, and nobody else knows it.
        unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), start.cast::<u8>(), code.len()) };
        // SAFETY: it is our own mapping; there are no references into it.
        let protected = unsafe { libc::mprotect(start, bytes, libc::PROT_READ | libc::PROT_EXEC) };
        (protected == 0).then_some(pages)
    }

    #[allow(unsafe_code, reason = "this is what code is for")]
    fn call(&self, frame: &mut Argument) -> u64 {
        // SAFETY: the pages begin with a function of this type, written by `emit`, and stay mapped while `self` lives. It follows the convention
        // named here: it changes only registers that belong to the callee, and no stack. `Code::run` has checked what it touches.
        let function: extern "sysv64" fn(*mut Argument) -> u64 = unsafe { std::mem::transmute(self.start.as_ptr()) };
        function(frame)
    }

    fn bytes(&self, length: usize) -> &[u8] {
        #[allow(unsafe_code, reason = "the bytes of our own pages")]
        // SAFETY: the mapping is readable, at least this long, initialized, and never written again.
        unsafe {
            std::slice::from_raw_parts(self.start.as_ptr().cast::<u8>(), length.min(self.bytes))
        }
    }
}

#[cfg(all(unix, target_arch = "x86_64"))]
impl Drop for Pages {
    #[allow(unsafe_code, reason = "given back to the system")]
    fn drop(&mut self) {
        // SAFETY: our own mapping, and nobody can call it any more.
        unsafe { libc::munmap(self.start.as_ptr(), self.bytes) };
    }
}

#[cfg(not(all(unix, target_arch = "x86_64")))]
impl Pages {
    fn with(_: &[u8]) -> Option<Pages> {
        None
    }

    fn call(&self, frame: &mut Argument) -> u64 {
        frame.steps
    }

    fn bytes(&self, _: usize) -> &[u8] {
        &[]
    }
}

impl Code {
    pub(super) fn new(program: &Program, chain: &Chain, vectors: Vectors) -> Option<Code> {
        let lanes = if vectors == Vectors::One { 1 } else { 8 };
        let slots: Vec<usize> = chain.slots.iter().map(|slot| slot.place).collect();
        Some(Code {
            pages: Pages::with(&program.code)?,
            length: program.code.len(),
            memory: slots.iter().chain(&chain.own).map(|place| place + lanes).max().unwrap_or(0),
            records: chain.records.len() * lanes,
            clock: chain.clock,
            features: chain.features,
            frame: program.frame * vectors.bytes() / 8,
            slots,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.length
    }

    pub(super) fn listing(&self) -> &[u8] {
        self.pages.bytes(self.length)
    }

    /// Runs up to so many steps, the lanes from `4 half` on when it works on four; says how many were done.
    pub(super) fn run(&self, call: &mut Call, half: usize, steps: usize, live: u32) -> usize {
        if steps == 0 {
            return 0;
        }
        let enough = |steps: usize, each: usize, length: usize| steps.checked_mul(each).is_some_and(|needed| needed <= length);
        assert!(self.memory <= call.memory.len(), "internal: memory is too short");
        assert!(enough(if call.every_step { steps } else { 1 }, self.records, call.records.len()), "internal: no room for records");
        assert!(enough(steps, self.clock, call.clock.len()), "internal: the clock is too short");
        if let Some(rows) = call.data.len().checked_div(self.features) {
            assert!(call.first < call.rows.len(), "internal: no such place among the rows");
            let seen = &call.rows[if call.first + steps <= call.rows.len() { call.first..call.first + steps } else { 0..call.rows.len() }];
            assert!(seen.iter().all(|&row| (row as usize) < rows), "internal: no such row");
        }
        let skip = half * 4;
        let rows = call.rows.as_ptr_range();
        let mut argument = Argument {
            memory: call.memory.as_mut_ptr().wrapping_add(skip),
            frame: self.frame_of(call.spare).as_mut_ptr(),
            records: call.records.as_mut_ptr().wrapping_add(skip),
            stride: if call.every_step { self.records as u64 * 8 } else { 0 },
            clock: call.clock.as_ptr(),
            rows: rows.start.wrapping_add(call.first),
            rows_end: rows.end,
            rows_begin: rows.start,
            data: call.data.as_ptr(),
            steps: steps as u64,
            live: live.into(),
        };
        steps - self.pages.call(&mut argument) as usize
    }

    /// Sees to room for what is put aside, and for the slots of four lanes behind it.
    pub(super) fn make_room(&self, spare: &mut Vec<f64>) {
        let needed = self.frame + 4 * self.slots.len() + 8;
        if spare.len() < needed {
            spare.resize(needed, 0.0);
        }
    }

    /// Room from the next cache line on.
    fn frame_of<'a>(&self, spare: &'a mut [f64]) -> &'a mut [f64] {
        let skip = spare.as_ptr().align_offset(64).min(8);
        &mut spare[skip..skip + self.frame]
    }

    /// Keeps the slots of the first four lanes.
    pub(super) fn keep(&self, call: &mut Call) {
        let (kept, _) = call.spare[self.frame + 8..].as_chunks_mut::<4>();
        for (&place, kept) in self.slots.iter().zip(kept) {
            kept.copy_from_slice(&call.memory[place..place + 4]);
        }
    }

    /// Puts them back.
    pub(super) fn restore(&self, call: &mut Call) {
        let (kept, _) = call.spare[self.frame + 8..].as_chunks::<4>();
        for (&place, kept) in self.slots.iter().zip(kept) {
            call.memory[place..place + 4].copy_from_slice(kept);
        }
    }
}
