//! Which value is in which register: a scan over a straight list of operations, in which the value whose next use is farthest makes room.
//!
//! It writes no instructions; it says which ones are needed to make room.

use super::chain::Value;
use super::encode::Place;

/// The end of the list, where what comes after the step is used.
pub(super) const END: usize = usize::MAX;

/// Where a value stands in memory, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// Nowhere.
    None,
    /// With as many numbers as a register has.
    Full(Place),
    /// Once for all lanes.
    Single(Place),
}

/// Registers and what is in them.
#[derive(Debug)]
pub(super) struct Registers {
    holds: Vec<Option<Value>>,
    place: Vec<Option<u8>>,
    home: Vec<Home>,
    /// Positions at which a value is used, the last one first.
    uses: Vec<Vec<usize>>,
}

/// A value that must be stored because its register is needed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evicted {
    pub(super) register: u8,
    pub(super) value: Value,
}

impl Registers {
    /// So many registers for so many values.
    pub(super) fn new(registers: u8, values: usize) -> Self {
        Registers {
            holds: vec![None; registers.into()],
            place: vec![None; values],
            home: vec![Home::None; values],
            uses: vec![Vec::new(); values],
        }
    }

    /// A use of a value, told from the last one to the first.
    pub(super) fn uses(&mut self, value: Value, position: usize) {
        self.uses[value as usize].push(position);
    }

    /// Uses up to this position are past.
    pub(super) fn past(&mut self, value: Value, position: usize) {
        let uses = &mut self.uses[value as usize];
        while uses.last().is_some_and(|&next| next <= position) {
            uses.pop();
        }
    }

    /// Whether nobody will use the value.
    pub(super) fn is_dead(&self, value: Value) -> bool {
        self.uses[value as usize].is_empty()
    }

    pub(super) fn register(&self, value: Value) -> Option<u8> {
        self.place[value as usize]
    }

    pub(super) fn home(&self, value: Value) -> Home {
        self.home[value as usize]
    }

    pub(super) fn set_home(&mut self, value: Value, home: Home) {
        self.home[value as usize] = home;
    }

    /// Puts a value into a register.
    pub(super) fn put(&mut self, value: Value, register: u8) {
        self.holds[usize::from(register)] = Some(value);
        self.place[value as usize] = Some(register);
    }

    /// Takes a value out of its register.
    pub(super) fn free(&mut self, value: Value) -> Option<u8> {
        let register = self.place[value as usize].take()?;
        self.holds[usize::from(register)] = None;
        Some(register)
    }

    /// Whether some register holds nothing.
    pub(super) fn has_room(&self) -> bool {
        self.holds.iter().any(Option::is_none)
    }

    /// A register that may be written, and what had to leave it for memory. `None` when all are locked.
    pub(super) fn take(&mut self, locked: &[u8]) -> Option<(u8, Option<Evicted>)> {
        if let Some(free) = self.holds.iter().position(Option::is_none) {
            return Some((free as u8, None));
        }
        let next = |value: Value| self.uses[value as usize].last().copied().unwrap_or(END);
        let candidates = self.holds.iter().enumerate().filter(|(register, _)| !locked.contains(&(*register as u8)));
        // Of those used at the same time, rather one that need not be stored.
        let farthest =
            candidates.filter_map(|(register, value)| value.map(|value| (next(value), self.home(value) != Home::None, register, value)));
        let (_, kept, register, value) = farthest.max()?;
        self.free(value);
        Some((register as u8, (!kept).then_some(Evicted { register: register as u8, value })))
    }
}
