//! From a chain to machine code: which instructions carry out each operation, and the loop around them.
//!
//! It neither allocates memory nor runs anything. The function it makes has one argument, a pointer to [`super::memory::Argument`], and returns how
//! many steps are left undone. What a step changes is stored only after the step has been found fit, so leaving early needs no repair.

use super::allocate::{END, Evicted, Home, Registers};
use super::chain::{Chain, Op, Value};
use super::encode::general::{R8, R9, R10, R11, RAX, RCX, RDI, RDX, RSI};
use super::encode::{Assembler, Form, Forward, Operand, Place, Vectors};
use super::memory::field;
use super::order::{Action, Parts, parts};

/// The most operations of a chain.
const MOST: usize = 4000;

/// The mask register that comparisons use.
pub(super) const MASK: u8 = 1;

/// Machine code, and the memory it needs beside its arguments.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) code: Vec<u8>,
    /// Values that are put aside.
    pub(super) frame: usize,
}

pub(super) const fn form(map: u8, prefix: u8, opcode: u8, wide: bool) -> Form {
    Form { map, prefix, opcode, wide }
}

pub(super) struct Emitter<'a> {
    pub(super) chain: &'a Chain,
    pub(super) vectors: Vectors,
    pub(super) asm: Assembler,
    pub(super) registers: Registers,
    /// Never given to a value.
    pub(super) scratch: u8,
    frame: usize,
    position: usize,
}

/// Translates a chain; `None` when it is too long.
pub(super) fn emit(chain: &Chain, vectors: Vectors, limit: Option<usize>) -> Option<Program> {
    let Parts { before, actions } = parts(chain);
    if before.len() + actions.len() > MOST {
        return None;
    }
    let scratch = vectors.registers() - 1;
    let count = limit.map_or(scratch, |limit| (limit as u8).clamp(5, scratch));
    let mut emitter = Emitter {
        chain,
        vectors,
        asm: Assembler::new(vectors),
        registers: Registers::new(count, chain.ops.len()),
        scratch,
        frame: 0,
        position: 0,
    };
    emitter.function(&before, &actions, count)?;
    Some(Program { code: emitter.asm.finish(), frame: emitter.frame })
}

impl Emitter<'_> {
    fn function(&mut self, before: &[Value], actions: &[Action], count: u8) -> Option<()> {
        for (to, from) in
            [(RSI, field::MEMORY), (RDX, field::FRAME), (R8, field::RECORDS), (R10, field::CLOCK), (R11, field::ROWS), (RCX, field::STEPS)]
        {
            self.asm.load(to, RDI, from);
        }
        self.homes()?;
        self.before(before)?;
        let carried = self.count_uses(actions, count);
        for (register, &slot) in carried.iter().enumerate() {
            self.load(slot, register as u8)?;
        }
        self.asm.align();
        let top = self.asm.code.len();
        if self.chain.features > 0 {
            self.asm.load_index(R9, R11);
            self.asm.add_number(R11, 4);
            self.asm.multiply(R9, i32::try_from(self.chain.features * 8).ok()?);
            self.asm.add_from(R9, RDI, field::DATA);
        }
        for (position, &action) in actions.iter().enumerate() {
            self.position = position;
            match action {
                Action::Compute(value) => self.compute(value)?,
                Action::Record(value, index) => {
                    let register = self.in_register(value, &[])?;
                    let offset = i32::try_from(index * self.vectors_apart()).ok()?;
                    self.store(register, Place::At { base: R8, offset });
                    self.done(&[value]);
                }
            }
        }
        self.position = END - 1;
        let leave = if let Some(check) = self.chain.check { Some(self.check(check)?) } else { None };
        self.store_slots()?;
        self.carry(&carried)?;
        self.asm.add_number(R10, i32::try_from(self.chain.clock * 8).ok()?);
        self.asm.add_from(R8, RDI, field::STRIDE);
        if self.chain.features > 0 {
            self.asm.wrap(R11, RDI, field::ROWS_END, field::ROWS_BEGIN);
        }
        self.asm.repeat(RCX, top);
        if let Some(leave) = leave {
            self.asm.land(leave);
        }
        self.asm.copy(RAX, RCX);
        self.asm.leave();
        Some(())
    }

    /// Bytes from one element of a value in memory to the next.
    fn vectors_apart(&self) -> usize {
        if self.vectors == Vectors::One { 8 } else { 64 }
    }

    /// Where what is given stands.
    fn homes(&mut self) -> Option<()> {
        for (value, op) in self.chain.ops.iter().enumerate() {
            let at = |base: u8, number: usize| Some(Place::At { base, offset: i32::try_from(number * 8).ok()? });
            let home = match *op {
                Op::Const(bits) => {
                    let place = Place::Constant(self.asm.constant(bits));
                    if self.vectors == Vectors::Eight { Home::Single(place) } else { Home::Full(place) }
                }
                Op::Slot(slot) => Home::Full(at(RSI, self.chain.slots[slot as usize].place)?),
                Op::Own(own) => Home::Full(at(RSI, self.chain.own[own as usize])?),
                Op::Clock(column) => Home::Single(at(R10, column as usize)?),
                Op::Row(feature) => Home::Single(at(R9, feature as usize)?),
                _ => continue,
            };
            self.registers.set_home(value as Value, home);
        }
        Some(())
    }

    /// What is the same in every step: computed into the frame.
    fn before(&mut self, values: &[Value]) -> Option<()> {
        for (position, &value) in values.iter().enumerate().rev() {
            self.chain.ops[value as usize].operands(|operand| self.registers.uses(operand, position));
        }
        for (position, &value) in values.iter().enumerate() {
            self.position = position;
            self.compute(value)?;
            let register = self.registers.register(value)?;
            if self.registers.home(value) == Home::None {
                let home = self.aside()?;
                self.registers.set_home(value, Home::Full(home));
                self.store(register, home);
            }
            if self.registers.is_dead(value) {
                self.registers.free(value);
            }
        }
        for value in 0..self.chain.ops.len() {
            self.registers.past(value as Value, END);
            self.registers.free(value as Value);
        }
        Some(())
    }

    /// Tells the allocator what is used when, and chooses the slots that stay in registers from step to step.
    fn count_uses(&mut self, actions: &[Action], count: u8) -> Vec<Value> {
        for value in self.chain.slots.iter().map(|slot| slot.next).chain(self.chain.check) {
            self.registers.uses(value, END);
        }
        let mut first = vec![END; self.chain.slots.len()];
        for (position, action) in actions.iter().enumerate().rev() {
            let mut uses = |operand: Value| {
                self.registers.uses(operand, position);
                if let Op::Slot(slot) = self.chain.ops[operand as usize] {
                    first[slot as usize] = position;
                }
            };
            match *action {
                Action::Compute(value) => self.chain.ops[value as usize].operands(uses),
                Action::Record(value, _) => uses(value),
            }
        }
        let mut slots: Vec<(usize, Value)> = Vec::new();
        for (value, op) in self.chain.ops.iter().enumerate() {
            if let Op::Slot(slot) = *op
                && first[slot as usize] < END
            {
                slots.push((first[slot as usize], value as Value));
            }
        }
        slots.sort_unstable();
        slots.into_iter().map(|(_, value)| value).take(usize::from(count).saturating_sub(4)).collect()
    }

    /// Room in the frame.
    fn aside(&mut self) -> Option<Place> {
        self.frame += 1;
        Some(Place::At { base: RDX, offset: i32::try_from((self.frame - 1) * self.vectors.bytes()).ok()? })
    }

    fn store(&mut self, register: u8, place: Place) {
        let (prefix, opcode) = if self.vectors == Vectors::One { (3, 0x11) } else { (1, 0x11) };
        self.asm.vector(form(1, prefix, opcode, false), register, 0, Operand::Memory(place), None);
    }

    pub(super) fn copy(&mut self, to: u8, from: u8) {
        if to != from {
            self.asm.vector(form(1, 1, 0x28, false), to, 0, Operand::Register(from), None);
        }
    }

    pub(super) fn load_home(&mut self, to: u8, home: Home) -> Option<()> {
        match home {
            Home::None => return None,
            Home::Single(place) if self.vectors != Vectors::One => self.asm.load_splat(to, place),
            Home::Full(place) | Home::Single(place) => {
                let prefix = if self.vectors == Vectors::One { 3 } else { 1 };
                self.asm.vector(form(1, prefix, 0x10, false), to, 0, Operand::Memory(place), None);
            }
        }
        Some(())
    }

    fn load(&mut self, value: Value, register: u8) -> Option<()> {
        self.load_home(register, self.registers.home(value))?;
        self.registers.put(value, register);
        Some(())
    }

    /// A register for a new value.
    pub(super) fn take(&mut self, locked: &[u8]) -> Option<u8> {
        let (register, evicted) = self.registers.take(locked)?;
        if let Some(Evicted { register, value }) = evicted {
            let place = self.aside()?;
            self.store(register, place);
            self.registers.set_home(value, Home::Full(place));
        }
        Some(register)
    }

    /// The register of a value, which is loaded if need be.
    pub(super) fn in_register(&mut self, value: Value, locked: &[u8]) -> Option<u8> {
        if let Some(register) = self.registers.register(value) {
            return Some(register);
        }
        let register = self.take(locked)?;
        self.load(value, register)?;
        Some(register)
    }

    /// The value as an operand that may be in memory; of an instruction on bits when `bits`.
    pub(super) fn operand(&mut self, value: Value, locked: &[u8], bits: bool) -> Option<Operand> {
        if let Some(register) = self.registers.register(value) {
            return Some(Operand::Register(register));
        }
        let constant = matches!(self.chain.ops[value as usize], Op::Const(_));
        let again = self.used_again(value);
        let direct = match (self.registers.home(value), self.vectors) {
            // Instructions on bits read more than one number.
            (Home::Full(place) | Home::Single(place), Vectors::One) if !bits || constant => Some(Operand::Memory(place)),
            (Home::Full(place), Vectors::Four | Vectors::Eight) => Some(Operand::Memory(place)),
            (Home::Single(place), Vectors::Eight) => Some(Operand::Splat(place)),
            _ => None,
        };
        match direct {
            Some(operand) if constant || !again || !self.registers.has_room() => Some(operand),
            _ => Some(Operand::Register(self.in_register(value, locked)?)),
        }
    }

    pub(super) fn used_again(&mut self, value: Value) -> bool {
        self.registers.past(value, self.position);
        !self.registers.is_dead(value)
    }

    /// Frees the registers of operands that nobody uses any more.
    pub(super) fn done(&mut self, operands: &[Value]) {
        for &value in operands {
            if !self.used_again(value) {
                self.registers.free(value);
            }
        }
    }

    /// A register for the result, after the operands have been freed; `kept` are still read.
    pub(super) fn result(&mut self, value: Value, operands: &[Value], kept: &[u8]) -> Option<u8> {
        self.done(operands);
        let locked: Vec<u8> = kept.iter().copied().chain(operands.iter().filter_map(|&operand| self.registers.register(operand))).collect();
        let register = self.take(&locked)?;
        self.registers.put(value, register);
        Some(register)
    }

    /// Leaves if the number to be checked is NaN in a live lane.
    fn check(&mut self, check: Value) -> Option<Forward> {
        let register = self.in_register(check, &[])?;
        let own = Operand::Register(register);
        let jump = match self.vectors {
            Vectors::One => {
                self.asm.short(form(1, 1, 0x2e, false), register, 0, own);
                self.asm.jump_if(10)
            }
            Vectors::Four => {
                self.asm.vector(form(1, 1, 0xc2, false), self.scratch, register, own, Some(3));
                self.asm.vector(form(1, 1, 0x50, false), RAX, 0, Operand::Register(self.scratch), None);
                self.asm.test(RAX, RDI, field::LIVE);
                self.asm.jump_if(5)
            }
            Vectors::Eight => {
                self.asm.vector(form(1, 1, 0xc2, false), MASK, register, own, Some(3));
                self.asm.short(form(1, 1, 0x93, false), RAX, 0, Operand::Register(MASK));
                self.asm.test(RAX, RDI, field::LIVE);
                self.asm.jump_if(5)
            }
        };
        Some(jump)
    }

    /// Stores what the step changes. Everything that is read from memory for it is no slot: those are copied by the chain.
    fn store_slots(&mut self) -> Option<()> {
        for slot in &self.chain.slots {
            let place = Place::At { base: RSI, offset: i32::try_from(slot.place * 8).ok()? };
            if let Some(register) = self.registers.register(slot.next) {
                self.store(register, place);
            } else {
                self.load_home(self.scratch, self.registers.home(slot.next))?;
                self.store(self.scratch, place);
            }
        }
        Some(())
    }

    /// Puts the new values of carried slots where the next step expects them.
    fn carry(&mut self, carried: &[Value]) -> Option<()> {
        let mut moves: Vec<(u8, u8)> = Vec::new();
        let mut loads: Vec<(u8, Home)> = Vec::new();
        for (register, &value) in carried.iter().enumerate() {
            let Op::Slot(slot) = self.chain.ops[value as usize] else { return None };
            let next = self.chain.slots[slot as usize].next;
            match self.registers.register(next) {
                Some(from) => moves.push((register as u8, from)),
                None => loads.push((register as u8, self.registers.home(value))),
            }
        }
        moves.retain(|(to, from)| to != from);
        while !moves.is_empty() {
            let free = moves.iter().position(|(to, _)| !moves.iter().any(|(_, from)| from == to));
            if let Some(index) = free {
                let (to, from) = moves.swap_remove(index);
                self.copy(to, from);
            } else {
                // A circle: one value waits aside.
                let waiting = moves[0].1;
                self.copy(self.scratch, waiting);
                moves.iter_mut().filter(|(_, from)| *from == waiting).for_each(|(_, from)| *from = self.scratch);
            }
        }
        loads.into_iter().try_for_each(|(register, home)| self.load_home(register, home))
    }
}
