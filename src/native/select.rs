//! Which instructions carry out an operation.
//!
//! The loop around them is in `emit`.

use super::chain::{Compare, One, Op, Two, Value};
use super::emit::{Emitter, MASK, form};
use super::encode::{Form, Operand, Vectors};

impl Emitter<'_> {
    pub(super) fn compute(&mut self, value: Value) -> Option<()> {
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
            if let Some(index) = memory.filter(|&index| !matches!([a, b, c][index], Operand::Register(_))) {
                self.load_home(to, self.registers.home(operands[index]))?;
                (index, to)
            } else {
                let Operand::Register(from) = c else { return None };
                self.copy(to, from);
                (2, to)
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
}

/// Those operands that are registers.
fn registers(operands: &[Operand]) -> Vec<u8> {
    operands.iter().filter_map(|operand| if let Operand::Register(register) = operand { Some(*register) } else { None }).collect()
}
