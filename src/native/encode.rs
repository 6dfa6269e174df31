//! The bytes of the instructions that chains need: VEX forms for one and four numbers, EVEX forms for eight, and a few for pointers and jumps.
//!
//! It knows neither values nor registers in use.
//!
//! References: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, sections 2.3 (VEX) and 2.7 (EVEX).

use std::collections::BTreeMap;

/// Numbers in a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vectors {
    /// One, by the scalar instructions.
    One,
    /// Four (AVX2).
    Four,
    /// Eight (AVX-512).
    Eight,
}

impl Vectors {
    /// Registers there are.
    pub(super) fn registers(self) -> u8 {
        if self == Vectors::Eight { 32 } else { 16 }
    }

    /// Bytes of a value that stands in memory for itself.
    pub(super) fn bytes(self) -> usize {
        match self {
            Vectors::One => 8,
            Vectors::Four => 32,
            Vectors::Eight => 64,
        }
    }
}

/// General registers that a function may use without keeping them.
pub(super) mod general {
    pub(in crate::native) const RAX: u8 = 0;
    pub(in crate::native) const RCX: u8 = 1;
    pub(in crate::native) const RDX: u8 = 2;
    pub(in crate::native) const RSI: u8 = 6;
    pub(in crate::native) const RDI: u8 = 7;
    pub(in crate::native) const R8: u8 = 8;
    pub(in crate::native) const R9: u8 = 9;
    pub(in crate::native) const R10: u8 = 10;
    pub(in crate::native) const R11: u8 = 11;
}

/// A place in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// So many bytes from where a general register points. Not `rsp`, `rbp`, `r12`, `r13`, whose forms are others.
    At { base: u8, offset: i32 },
    /// A constant behind the code, by its number.
    Constant(u32),
}

/// Where an operand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// In a vector register.
    Register(u8),
    /// In memory, as many numbers as a register has.
    Memory(Place),
    /// In memory, one number for all (eight numbers only).
    Splat(Place),
}

/// An instruction apart from its operands: the opcode, its map (1: `0F`, 2: `0F38`, 3: `0F3A`) and prefix (0: none, 1: `66`, 2: `F3`, 3: `F2`).
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) map: u8,
    pub(super) prefix: u8,
    pub(super) opcode: u8,
    /// The W bit of its VEX form; EVEX forms of 64-bit numbers all have it.
    pub(super) wide: bool,
}

/// Machine code under way.
#[derive(Debug)]
pub(super) struct Assembler {
    pub(super) vectors: Vectors,
    pub(super) code: Vec<u8>,
    constants: Vec<u64>,
    known: BTreeMap<u64, u32>,
    /// Displacements to fill in: where they stand, the end of their instruction, the constant.
    fixups: Vec<(usize, usize, u32)>,
}

/// A jump forward whose end is not known yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forward(usize);

impl Assembler {
    pub(super) fn new(vectors: Vectors) -> Self {
        Assembler { vectors, code: Vec::new(), constants: Vec::new(), known: BTreeMap::new(), fixups: Vec::new() }
    }

    fn byte(&mut self, byte: u8) {
        self.code.push(byte);
    }

    fn word(&mut self, word: i32) {
        self.code.extend_from_slice(&word.to_le_bytes());
    }

    /// The number of a constant.
    pub(super) fn constant(&mut self, bits: u64) -> u32 {
        let new = self.constants.len() as u32;
        let number = *self.known.entry(bits).or_insert(new);
        if number == new {
            self.constants.push(bits);
        }
        number
    }

    /// An instruction on vectors: `first` is the register of the field `reg`, `second` that of `vvvv` (0 where there is none).
    pub(super) fn vector(&mut self, form: Form, first: u8, second: u8, third: Operand, immediate: Option<u8>) {
        self.masked(form, first, second, third, immediate, 0);
    }

    /// The same under a mask register (EVEX).
    pub(super) fn masked(&mut self, form: Form, first: u8, second: u8, third: Operand, immediate: Option<u8>, mask: u8) {
        if self.vectors == Vectors::Eight {
            self.evex(form, first, second, third, mask);
        } else {
            self.vex(form, first, second, third, self.vectors == Vectors::Four);
        }
        let scale = match third {
            Operand::Memory(_) if self.vectors == Vectors::Eight => 64,
            Operand::Splat(_) => 8,
            _ => 1,
        };
        self.operand(first, third, scale, immediate);
    }

    /// Load of one number into all lanes.
    pub(super) fn load_splat(&mut self, to: u8, place: Place) {
        let form = Form { map: 2, prefix: 1, opcode: 0x19, wide: false };
        let operand = Operand::Memory(place);
        if self.vectors == Vectors::Eight {
            self.evex(form, to, 0, operand, 0);
        } else {
            self.vex(form, to, 0, operand, true);
        }
        self.operand(to, operand, if self.vectors == Vectors::Eight { 8 } else { 1 }, None);
    }

    /// A VEX instruction on 128 bits, whatever the width.
    pub(super) fn short(&mut self, form: Form, first: u8, second: u8, third: Operand) {
        self.vex(form, first, second, third, false);
        self.operand(first, third, 1, None);
    }

    fn vex(&mut self, form: Form, first: u8, second: u8, third: Operand, long: bool) {
        let far = match third {
            Operand::Register(register) => register & 8 != 0,
            Operand::Memory(place) | Operand::Splat(place) => matches!(place, Place::At { base, .. } if base & 8 != 0),
        };
        let (near_first, last) = (u8::from(first & 8 == 0) << 7, (!second & 15) << 3 | u8::from(long) << 2 | form.prefix);
        if far || form.wide || form.map != 1 {
            self.byte(0xc4);
            self.byte(near_first | 0x40 | u8::from(!far) << 5 | form.map);
            self.byte(u8::from(form.wide) << 7 | last);
        } else {
            self.byte(0xc5);
            self.byte(near_first | last);
        }
        self.byte(form.opcode);
    }

    fn evex(&mut self, form: Form, first: u8, second: u8, third: Operand, mask: u8) {
        // The bits that extend the operand: bit 3, and for a register bit 4.
        let (bit3, bit4, splat) = match third {
            Operand::Register(register) => (register & 8 != 0, register & 16 != 0, false),
            Operand::Memory(place) | Operand::Splat(place) => {
                (matches!(place, Place::At { base, .. } if base & 8 != 0), false, matches!(third, Operand::Splat(_)))
            }
        };
        self.byte(0x62);
        self.byte(u8::from(first & 8 == 0) << 7 | u8::from(!bit4) << 6 | u8::from(!bit3) << 5 | u8::from(first & 16 == 0) << 4 | form.map);
        self.byte(0x80 | (!second & 15) << 3 | 4 | form.prefix);
        self.byte(2 << 5 | u8::from(splat) << 4 | u8::from(second & 16 == 0) << 3 | mask);
        self.byte(form.opcode);
    }

    /// ModRM with what follows. Short displacements count in units of `scale`.
    fn operand(&mut self, first: u8, operand: Operand, scale: i32, immediate: Option<u8>) {
        let reg = (first & 7) << 3;
        match operand {
            Operand::Register(register) => self.byte(0xc0 | reg | register & 7),
            Operand::Memory(Place::At { base, offset }) | Operand::Splat(Place::At { base, offset }) => {
                let short = i8::try_from(offset / scale).ok().filter(|_| offset % scale == 0);
                match short {
                    Some(0) => self.byte(reg | base & 7),
                    Some(short) => {
                        self.byte(0x40 | reg | base & 7);
                        self.byte(short.cast_unsigned());
                    }
                    None => {
                        self.byte(0x80 | reg | base & 7);
                        self.word(offset);
                    }
                }
            }
            Operand::Memory(Place::Constant(number)) | Operand::Splat(Place::Constant(number)) => {
                self.byte(reg | 5);
                let at = self.code.len();
                self.fixups.push((at, at + 4 + usize::from(immediate.is_some()), number));
                self.word(0);
            }
        }
        self.code.extend(immediate);
    }

    /// An instruction on 64-bit general registers: `opcode reg, rm`, the second operand a register or in memory.
    fn general(&mut self, opcode: &[u8], reg: u8, rm: Result<u8, (u8, i32)>) {
        let base = rm.unwrap_or_else(|(base, _)| base);
        self.byte(0x48 | (reg & 8) >> 1 | (base & 8) >> 3);
        self.code.extend_from_slice(opcode);
        match rm {
            Ok(register) => self.byte(0xc0 | (reg & 7) << 3 | register & 7),
            Err((base, offset)) => {
                self.byte(0x80 | (reg & 7) << 3 | base & 7);
                self.word(offset);
            }
        }
    }

    /// `to = [base + offset]`.
    pub(super) fn load(&mut self, to: u8, base: u8, offset: i32) {
        self.general(&[0x8b], to, Err((base, offset)));
    }

    /// `to = [base]`, 32 bits.
    pub(super) fn load_index(&mut self, to: u8, base: u8) {
        self.byte(0x40 | (to & 8) >> 1 | (base & 8) >> 3);
        self.byte(0x8b);
        self.byte((to & 7) << 3 | base & 7);
    }

    /// `to = from`.
    pub(super) fn copy(&mut self, to: u8, from: u8) {
        self.general(&[0x8b], to, Ok(from));
    }

    /// `to += [base + offset]`.
    pub(super) fn add_from(&mut self, to: u8, base: u8, offset: i32) {
        self.general(&[0x03], to, Err((base, offset)));
    }

    /// `to += number`.
    pub(super) fn add_number(&mut self, to: u8, number: i32) {
        self.general(&[0x81], 0, Ok(to));
        self.word(number);
    }

    /// `to *= number`.
    pub(super) fn multiply(&mut self, to: u8, number: i32) {
        self.general(&[0x69], to, Ok(to));
        self.word(number);
    }

    /// `if a == [base + offset] { to = [base + other] }`.
    pub(super) fn wrap(&mut self, a: u8, base: u8, offset: i32, other: i32) {
        self.general(&[0x3b], a, Err((base, offset)));
        self.general(&[0x0f, 0x44], a, Err((base, other)));
    }

    /// Sets the flags of `a & [base + offset]`, 32 bits.
    pub(super) fn test(&mut self, a: u8, base: u8, offset: i32) {
        self.byte(0x85);
        self.byte(0x80 | a << 3 | base);
        self.word(offset);
    }

    /// A jump forward if the condition holds: 5 for "not zero", 10 for "parity".
    pub(super) fn jump_if(&mut self, condition: u8) -> Forward {
        self.byte(0x0f);
        self.byte(0x80 | condition);
        self.word(0);
        Forward(self.code.len())
    }

    /// The jump ends here.
    pub(super) fn land(&mut self, jump: Forward) {
        let distance = (self.code.len() - jump.0) as i32;
        self.code[jump.0 - 4..jump.0].copy_from_slice(&distance.to_le_bytes());
    }

    /// `a -= 1`, and back to `top` unless it is 0.
    pub(super) fn repeat(&mut self, a: u8, top: usize) {
        self.general(&[0xff], 1, Ok(a));
        self.byte(0x0f);
        self.byte(0x85);
        let distance = top as i64 - (self.code.len() as i64 + 4);
        self.word(distance as i32);
    }

    /// Room up to the next multiple of 32 bytes, filled with one-byte instructions that do nothing.
    pub(super) fn align(&mut self) {
        self.code.resize(self.code.len().next_multiple_of(32), 0x90);
    }

    /// Clears what slows down the code after it, and returns.
    pub(super) fn leave(&mut self) {
        self.code.extend_from_slice(&[0xc5, 0xf8, 0x77, 0xc3]);
    }

    /// The code with its constants behind it.
    pub(super) fn finish(mut self) -> Vec<u8> {
        // Instructions on bits read 16 bytes of a single number.
        let times = match self.vectors {
            Vectors::One => 2,
            Vectors::Four => 4,
            Vectors::Eight => 1,
        };
        let start = self.code.len().next_multiple_of(64);
        self.code.resize(start, 0x90);
        for bits in std::mem::take(&mut self.constants) {
            for _ in 0..times {
                self.code.extend_from_slice(&bits.to_le_bytes());
            }
        }
        for (at, end, number) in std::mem::take(&mut self.fixups) {
            let distance = (start + number as usize * times * 8 - end) as i32;
            self.code[at..at + 4].copy_from_slice(&distance.to_le_bytes());
        }
        self.code
    }
}
