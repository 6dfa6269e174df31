//! A chain: one step as a list of operations on single numbers, each named by its position. Plain data.
//!
//! It says nothing about registers or instructions.

/// The number of an operation in [`Chain::ops`], and of its value.
pub type Value = u32;

/// Operations of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum One {
    /// The same value in another place.
    Copy,
    /// Square root.
    Sqrt,
    /// Largest whole number not above.
    Floor,
    /// Smallest whole number not below.
    Ceil,
    /// The nearest whole number, ties to even.
    Round,
    /// The bits moved to the left.
    Left(u8),
    /// The bits moved to the right; zeros come in.
    Right(u8),
}

/// Operations of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Two {
    /// `a + b`.
    Add,
    /// `a - b`.
    Sub,
    /// `a * b`.
    Mul,
    /// `a / b`.
    Div,
    /// `if a < b { a } else { b }`.
    Min,
    /// `if a > b { a } else { b }`.
    Max,
    /// The bits that both have.
    And,
    /// The bits that one has.
    Or,
    /// The bits that one alone has.
    Xor,
    /// The sum of the words modulo 2^64.
    Plus,
    /// The difference of the words modulo 2^64.
    Minus,
}

impl Two {
    /// Whether the order of the operands does not matter.
    #[must_use]
    pub fn commutes(self) -> bool {
        matches!(self, Two::Add | Two::Mul | Two::And | Two::Or | Two::Xor | Two::Plus)
    }

    /// Whether it is about bits and not about numbers.
    #[must_use]
    pub fn on_bits(self) -> bool {
        matches!(self, Two::And | Two::Or | Two::Xor | Two::Plus | Two::Minus)
    }
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compare {
    /// Equal; false with NaN.
    Equal,
    /// Not equal; true with NaN.
    Differs,
    /// `<`; false with NaN.
    Less,
    /// `<=`; false with NaN.
    AtMost,
    /// One of them is NaN.
    Unordered,
}

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// A constant, by its bits.
    Const(u64),
    /// The value of a slot before the step.
    Slot(u32),
    /// A number of the lane that no step changes: an index into [`Chain::own`].
    Own(u32),
    /// A number of the step: a column of the clock.
    Clock(u32),
    /// A number of the row of the step.
    Row(u32),
    /// An operation of one value.
    One(One, Value),
    /// An operation of two values.
    Two(Two, Value, Value),
    /// `a * b + c`, rounded once, with the product or the addend negated.
    Fma {
        /// The factors.
        a: Value,
        /// The factors.
        b: Value,
        /// The addend.
        c: Value,
        /// Whether the product is negated.
        product: bool,
        /// Whether the addend is negated.
        addend: bool,
    },
    /// `if a ? b { yes } else { no }`: operands `a, b, yes, no`.
    Select(Compare, [Value; 4]),
    /// `if the first bit of s is set { yes } else { no }`: operands `s, yes, no`.
    BySign([Value; 3]),
}

impl Op {
    /// Shows its operands.
    pub fn operands(&self, mut f: impl FnMut(Value)) {
        match *self {
            Op::Const(_) | Op::Slot(_) | Op::Own(_) | Op::Clock(_) | Op::Row(_) => {}
            Op::One(_, a) => f(a),
            Op::Two(_, a, b) => [a, b].into_iter().for_each(f),
            Op::Fma { a, b, c, .. } | Op::BySign([a, b, c]) => [a, b, c].into_iter().for_each(f),
            Op::Select(_, all) => all.into_iter().for_each(f),
        }
    }

    /// Whether it stands for a number in memory.
    #[must_use]
    pub fn is_given(&self) -> bool {
        matches!(self, Op::Const(_) | Op::Slot(_) | Op::Own(_) | Op::Clock(_) | Op::Row(_))
    }
}

/// A number that each step changes.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    /// Where it lies in memory: the number of the first of its lanes.
    pub place: usize,
    /// Its value after the step.
    pub next: Value,
}

/// One step.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// The operations; operands come before what uses them.
    pub ops: Vec<Op>,
    /// What the step changes.
    pub slots: Vec<Slot>,
    /// Where the numbers of the lane lie in memory.
    pub own: Vec<usize>,
    /// What is recorded of each step.
    pub records: Vec<Value>,
    /// A number that is NaN when the step must not be stored.
    pub check: Option<Value>,
    /// Numbers of the clock for a step.
    pub clock: usize,
    /// Numbers of a row; 0 when steps have no rows.
    pub features: usize,
}
