//! From a chain to machine code: which instructions carry out each operation, and the loop around them.
//!
//! It neither allocates memory nor runs anything. The function it makes has one argument, a pointer to [`super::memory::Frame`], and returns how
//! many steps are left undone. What a step changes is stored only after the step has been found fit, so leaving early needs no repair.

use super::allocate::{END, Evicted, Home, Registers};
use super::chain::{Chain, Compare, One, Op, Two, Value};
use super::encode::general::{R8, R9, R10, R11, RAX, RCX, RDI, RDX, RSI};
use super::encode::{Assembler, Form, Operand, Place, Vectors};
use super::memory::field;

/// The most operations of a chain.
const MOST: usize = 4000;

/// The mask register that comparisons use.
const MASK: u8 = 1;

/// Machine code, and the memory it needs beside its arguments.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) code: Vec<u8>,
    /// Values that are put aside.
    pub(super) frame: usize,
}

const fn form(map: u8, prefix: u8, opcode: u8, wide: bool) -> Form {
    Form { map, prefix, opcode, wide }
}

/// What is done at a position of the loop.
#[derive(Debug, Clone, Copy)]
enum Action {
    Compute(Value),
    Record(Value, usize),
}

struct Emitter<'a> {
    chain: &'a Chain,
    vectors: Vectors,
    asm: Assembler,
    registers: Registers,
    /// Never given to a value.
    scratch: u8,
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

struct Parts {
    /// Operations that are the same in every step.
    before: Vec<Value>,
    actions: Vec<Action>,
}

/// What is needed, split into what is done once and what each step does.
fn parts(chain: &Chain) -> Parts {
    let mut needed = vec![false; chain.ops.len()];
    let mut varies = vec![false; chain.ops.len()];
    for value in chain.slots.iter().map(|slot| slot.next).chain(chain.records.iter().copied()).chain(chain.check) {
        needed[value as usize] = true;
    }
    for (value, op) in chain.ops.iter().enumerate().rev() {
        if needed[value] {
            op.operands(|operand| needed[operand as usize] = true);
        }
    }
    let mut parts = Parts { before: Vec::new(), actions: Vec::new() };
    for (value, op) in chain.ops.iter().enumerate() {
        varies[value] = matches!(op, Op::Slot(_) | Op::Clock(_) | Op::Row(_));
        op.operands(|operand| varies[value] |= varies[operand as usize]);
        let computed = needed[value] && !op.is_given();
        if computed && varies[value] {
            parts.actions.push(Action::Compute(value as Value));
        } else if computed {
            parts.before.push(value as Value);
        }
        let recorded = chain.records.iter().enumerate().filter(|(_, record)| **record as usize == value);
        parts.actions.extend(recorded.map(|(index, _)| Action::Record(value as Value, index)));
    }
    parts
}

impl Emitter<'_> {
    fn function(&mut self, before: &[Value], actions: &[Action], count: u8) -> Option<()> {
        for (to, from) in
            [(RSI, field::MEMORY), (RDX, field::FRAME), (R8, field::RECORDS), (R10, field::CLOCK), (R11, field::ROWS), (RCX, field::STEPS)]
        {
            self.asm.load(to, RDI, from);
        }
        self.homes();
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
        let leave = self.check()?;
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
    fn homes(&mut self) {
        for (value, op) in self.chain.ops.iter().enumerate() {
            let at = |base: u8, number: usize| Place::At { base, offset: (number * 8) as i32 };
            let home = match *op {
                Op::Const(bits) => {
                    let place = Place::Constant(self.asm.constant(bits));
                    if self.vectors == Vectors::Eight { Home::Single(place) } else { Home::Full(place) }
                }
                Op::Slot(slot) => Home::Full(at(RSI, self.chain.slots[slot as usize].place)),
                Op::Own(own) => Home::Full(at(RSI, self.chain.own[own as usize])),
                Op::Clock(column) => Home::Single(at(R10, column as usize)),
                Op::Row(feature) => Home::Single(at(R9, feature as usize)),
                _ => continue,
            };
            self.registers.set_home(value as Value, home);
        }
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

    fn copy(&mut self, to: u8, from: u8) {
        if to != from {
            self.asm.vector(form(1, 1, 0x28, false), to, 0, Operand::Register(from), None);
        }
    }

    fn load_home(&mut self, to: u8, home: Home) -> Option<()> {
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
    fn take(&mut self, locked: &[u8]) -> Option<u8> {
        let (register, evicted) = self.registers.take(locked)?;
        if let Some(Evicted { register, value }) = evicted {
            let place = self.aside()?;
            self.store(register, place);
            self.registers.set_home(value, Home::Full(place));
        }
        Some(register)
    }

    /// The register of a value, which is loaded if need be.
    fn in_register(&mut self, value: Value, locked: &[u8]) -> Option<u8> {
        if let Some(register) = self.registers.register(value) {
            return Some(register);
        }
        let register = self.take(locked)?;
        self.load(value, register)?;
        Some(register)
    }

    /// The value as an operand that may be in memory; of an instruction on bits when `bits`.
    fn operand(&mut self, value: Value, locked: &[u8], bits: bool) -> Option<Operand> {
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

    fn used_again(&mut self, value: Value) -> bool {
        self.registers.past(value, self.position);
        !self.registers.is_dead(value)
    }

    /// Frees the registers of operands that nobody uses any more.
    fn done(&mut self, operands: &[Value]) {
        for &value in operands {
            if !self.used_again(value) {
                self.registers.free(value);
            }
        }
    }

    /// A register for the result, after the operands have been freed; `kept` are still read.
    fn result(&mut self, value: Value, operands: &[Value], kept: &[u8]) -> Option<u8> {
        self.done(operands);
        let locked: Vec<u8> = kept.iter().copied().chain(operands.iter().filter_map(|&operand| self.registers.register(operand))).collect();
        let register = self.take(&locked)?;
        self.registers.put(value, register);
        Some(register)
    }

    fn compute(&mut self, value: Value) -> Option<()> {
        match self.chain.ops[value as usize] {
            Op::Const(_) | Op::Slot(_) | Op::Own(_) | Op::Clock(_) | Op::Row(_) => None,
            Op::One(One::Copy, a) => {
                let from = self.in_register(a, &[])?;
                let to = self.result(value, &[a], &[from])?;
                self.copy(to, from);
                Some(())
            }
            Op::One(One::Left(by), a) => self.shift(value, 6, a, by),
            Op::One(One::Right(by), a) => self.shift(value, 2, a, by),
            Op::One(One::Sqrt, a) => {
                let prefix = if self.vectors == Vectors::One { 3 } else { 1 };
                self.unary(value, a, form(1, prefix, 0x51, false), None)
            }
            Op::One(One::Floor, a) => self.round(value, a, 9),
            Op::One(One::Ceil, a) => self.round(value, a, 10),
            Op::One(One::Round, a) => self.round(value, a, 8),
            Op::Two(op, a, b) => self.two(value, op, a, b),
            Op::Fma { a, b, c, product, addend } => self.fma(value, [a, b, c], product, addend),
            Op::Select(compare, operands) => self.select(value, compare, operands),
            Op::BySign([s, yes, no]) => {
                let sign = self.in_register(s, &[])?;
                if self.vectors == Vectors::Eight {
                    self.asm.vector(form(2, 2, 0x39, true), MASK, 0, Operand::Register(sign), None);
                }
                self.blend(value, &[s, yes, no], yes, no, sign)
            }
        }
    }

    fn round(&mut self, value: Value, a: Value, mode: u8) -> Option<()> {
        let opcode = if self.vectors == Vectors::One { 0x0b } else { 0x09 };
        self.unary(value, a, form(3, 1, opcode, false), Some(mode))
    }

    fn unary(&mut self, value: Value, a: Value, form: Form, immediate: Option<u8>) -> Option<()> {
        if self.vectors == Vectors::One {
            // The upper half of the result comes from the second operand: the same register, so that nothing else is waited for.
            let from = self.in_register(a, &[])?;
            let to = self.result(value, &[a], &[from])?;
            self.asm.vector(form, to, from, Operand::Register(from), immediate);
        } else {
            let from = self.operand(a, &[], false)?;
            let to = self.result(value, &[a], &registers(&[from]))?;
            self.asm.vector(form, to, 0, from, immediate);
        }
        Some(())
    }

    fn shift(&mut self, value: Value, extension: u8, a: Value, by: u8) -> Option<()> {
        let from = self.in_register(a, &[])?;
        let to = self.result(value, &[a], &[from])?;
        self.asm.vector(form(1, 1, 0x73, false), extension, to, Operand::Register(from), Some(by));
        Some(())
    }

    fn two(&mut self, value: Value, op: Two, a: Value, b: Value) -> Option<()> {
        let number = if self.vectors == Vectors::One { 3 } else { 1 };
        let form = match op {
            Two::Add => form(1, number, 0x58, false),
            Two::Sub => form(1, number, 0x5c, false),
            Two::Mul => form(1, number, 0x59, false),
            Two::Div => form(1, number, 0x5e, false),
            Two::Min => form(1, number, 0x5d, false),
            Two::Max => form(1, number, 0x5f, false),
            Two::And => form(1, 1, 0x54, false),
            Two::Or => form(1, 1, 0x56, false),
            Two::Xor => form(1, 1, 0x57, false),
            Two::Plus => form(1, 1, 0xd4, false),
            Two::Minus => form(1, 1, 0xfb, false),
        };
        let swap = op.commutes() && self.registers.register(a).is_none() && self.in_register_or_not_constant(b, a);
        let (a, b) = if swap { (b, a) } else { (a, b) };
        let first = self.in_register(a, &registers(&self.present(b)))?;
        let second = self.operand(b, &[first], op.on_bits())?;
        let to = self.result(value, &[a, b], &[])?;
        self.asm.vector(form, to, first, second, None);
        Some(())
    }

    /// Whether `b` is better in a register than `a`, which is in none.
    fn in_register_or_not_constant(&self, b: Value, a: Value) -> bool {
        let constant = |value: Value| matches!(self.chain.ops[value as usize], Op::Const(_));
        self.registers.register(b).is_some() || (constant(a) && !constant(b))
    }

    fn present(&self, value: Value) -> Vec<Operand> {
        self.registers.register(value).map(Operand::Register).into_iter().collect()
    }

    /// `factors[0] * factors[1] + factors[2]`. The result takes the place of one operand.
    fn fma(&mut self, value: Value, operands: [Value; 3], product: bool, addend: bool) -> Option<()> {
        let held = |emitter: &Self| registers(&operands.iter().flat_map(|&operand| emitter.present(operand)).collect::<Vec<_>>());
        // One operand may stay in memory: the last that is not in a register and is not used twice here.
        let mut sources: [Option<Operand>; 3] = [None; 3];
        let twice = |index: usize| operands.iter().filter(|&&operand| operand == operands[index]).count() > 1;
        let memory = (0..3).rev().find(|&index| self.registers.register(operands[index]).is_none() && !twice(index));
        for index in (0..3).filter(|&index| Some(index) != memory) {
            let locked = held(self);
            sources[index] = Some(Operand::Register(self.in_register(operands[index], &locked)?));
        }
        if let Some(index) = memory {
            let locked = held(self);
            sources[index] = Some(self.operand(operands[index], &locked, false)?);
        }
        let [a, b, c] = sources.map(|source| source.expect("internal: an operand of a fused operation"));
        let locked = registers(&[a, b, c]);
        let dying =
            |emitter: &mut Self, index: usize| matches!([a, b, c][index], Operand::Register(_)) && !emitter.used_again(operands[index]);
        let role = [2, 0, 1].into_iter().find(|&index| dying(self, index));
        let (role, to) = if let Some(role) = role {
            let to = self.registers.register(operands[role])?;
            self.done(&operands);
            (role, to)
        } else {
            // None dies: what is in memory is loaded into the result, or the addend copied.
            self.done(&operands);
            let to = self.take(&locked)?;
            match memory.filter(|&index| !matches!([a, b, c][index], Operand::Register(_))) {
                Some(index) => {
                    self.load_home(to, self.registers.home(operands[index]))?;
                    (index, to)
                }
                None => {
                    let Operand::Register(from) = c else { return None };
                    self.copy(to, from);
                    (2, to)
                }
            }
        };
        self.registers.put(value, to);
        // Base opcodes of the order 132; 213 and 231 are 16 and 32 more. 132: to*third + second; 213: second*to + third; 231: second*third + to.
        let base = match (product, addend) {
            (false, false) => 0x98,
            (false, true) => 0x9a,
            (true, false) => 0x9c,
            (true, true) => 0x9e,
        } + u8::from(self.vectors == Vectors::One);
        let in_register = |operand: Operand| if let Operand::Register(register) = operand { Some(register) } else { None };
        let (order, second, third) = match role {
            2 => match in_register(a) {
                Some(a) => (0x20, a, b),
                None => (0x20, in_register(b)?, a),
            },
            role => {
                let other = if role == 0 { b } else { a };
                match in_register(other) {
                    Some(other) => (0x10, other, c),
                    None => (0x00, in_register(c)?, other),
                }
            }
        };
        self.asm.vector(form(2, 1, base + order, true), to, second, third, None);
        Some(())
    }

    fn select(&mut self, value: Value, compare: Compare, [a, b, yes, no]: [Value; 4]) -> Option<()> {
        let symmetric = matches!(compare, Compare::Equal | Compare::Differs | Compare::Unordered);
        let swap = symmetric && self.registers.register(a).is_none() && self.in_register_or_not_constant(b, a);
        let (a, b) = if swap { (b, a) } else { (a, b) };
        let first = self.in_register(a, &registers(&self.present(b)))?;
        let second = self.operand(b, &[first], false)?;
        // Quiet forms: 0 is "equal", 4 "not equal or unordered", 17 "less", 18 "at most", 3 "unordered".
        let predicate = match compare {
            Compare::Equal => 0,
            Compare::Differs => 4,
            Compare::Less => 17,
            Compare::AtMost => 18,
            Compare::Unordered => 3,
        };
        let prefix = if self.vectors == Vectors::One { 3 } else { 1 };
        let to = if self.vectors == Vectors::Eight { MASK } else { self.scratch };
        self.asm.vector(form(1, prefix, 0xc2, false), to, first, second, Some(predicate));
        self.blend(value, &[a, b, yes, no], yes, no, self.scratch)
    }

    /// Chooses by the mask register, or by the signs in a register.
    fn blend(&mut self, value: Value, operands: &[Value], yes: Value, no: Value, signs: u8) -> Option<()> {
        let held = registers(&self.present(yes)).into_iter().chain([signs]).collect::<Vec<_>>();
        let no = self.in_register(no, &held)?;
        let yes = self.operand(yes, &[no, signs], true)?;
        let kept: Vec<u8> = registers(&[yes]).into_iter().chain([no, signs]).collect();
        let to = self.result(value, operands, &kept)?;
        if self.vectors == Vectors::Eight {
            self.asm.masked(form(2, 1, 0x65, true), to, no, yes, None, MASK);
        } else {
            self.asm.vector(form(3, 1, 0x4b, false), to, no, yes, Some(signs << 4));
        }
        Some(())
    }

    /// Leaves if the number to be checked is NaN in a live lane.
    fn check(&mut self) -> Option<Option<super::encode::Forward>> {
        let Some(check) = self.chain.check else { return Some(None) };
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
        Some(Some(jump))
    }

    /// Stores what the step changes. Everything that is read from memory for it is no slot: those are copied by the chain.
    fn store_slots(&mut self) -> Option<()> {
        for slot in &self.chain.slots {
            let place = Place::At { base: RSI, offset: i32::try_from(slot.place * 8).ok()? };
            match self.registers.register(slot.next) {
                Some(register) => self.store(register, place),
                None => {
                    self.load_home(self.scratch, self.registers.home(slot.next))?;
                    self.store(self.scratch, place);
                }
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

/// Those operands that are registers.
fn registers(operands: &[Operand]) -> Vec<u8> {
    operands.iter().filter_map(|operand| if let Operand::Register(register) = operand { Some(*register) } else { None }).collect()
}
