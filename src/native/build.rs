//! Makes chains: equal operations are one, constants are folded, and what provably changes no bit is left out.
//!
//! It knows no instructions. Every identity used here holds for all numbers, signs of zeros included; all NaN are one.

use std::cell::{Ref, RefCell};
use std::collections::HashMap;

use super::chain::{Compare, One, Op, Two, Value};

/// The sign of a number.
pub(super) const SIGN: u64 = 1 << 63;

/// A condition of a choice, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition(u32);

#[derive(Debug, Clone, Copy)]
enum Test {
    Compare(Compare, Value, Value),
    Sign(Value),
    And(Condition, Condition),
    Or(Condition, Condition),
    Not(Condition),
}

#[derive(Debug, Default)]
struct State {
    ops: Vec<Op>,
    known: HashMap<Op, Value>,
    /// Values that are never -0.
    no_minus_zero: Vec<bool>,
    tests: Vec<Test>,
    check: Option<Value>,
}

/// A chain under way.
#[derive(Debug, Default)]
pub struct Builder {
    state: RefCell<State>,
}

impl Builder {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many operations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.borrow().ops.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The operations, and the number that must not become NaN.
    #[must_use]
    pub fn finish(self) -> (Vec<Op>, Option<Value>) {
        let state = self.state.into_inner();
        (state.ops, state.check)
    }

    fn op(&self, value: Value) -> Op {
        self.state.borrow().ops[value as usize]
    }

    fn bits(&self, value: Value) -> Option<u64> {
        if let Op::Const(bits) = self.op(value) { Some(bits) } else { None }
    }

    fn constant(&self, value: Value) -> Option<f64> {
        self.bits(value).map(f64::from_bits)
    }

    fn flags(&self) -> Ref<'_, Vec<bool>> {
        Ref::map(self.state.borrow(), |state| &state.no_minus_zero)
    }

    /// Adds an operation, or finds it.
    pub fn push(&self, op: Op) -> Value {
        if let Some(&value) = self.state.borrow().known.get(&op) {
            return value;
        }
        let no_minus_zero = self.is_never_minus_zero(op);
        let mut state = self.state.borrow_mut();
        let value = state.ops.len() as Value;
        state.ops.push(op);
        state.no_minus_zero.push(no_minus_zero);
        state.known.insert(op, value);
        value
    }

    fn is_never_minus_zero(&self, op: Op) -> bool {
        let flags = self.flags();
        let never = |value: Value| flags[value as usize];
        match op {
            Op::Const(bits) => bits != SIGN,
            // A sum of zeros is -0 if both are.
            Op::Two(Two::Add, a, b) => never(a) || never(b),
            Op::Two(Two::Mul, a, b) => a == b,
            Op::Two(Two::Min | Two::Max, a, b) => never(a) && never(b),
            Op::Two(Two::And, a, b) => [a, b].iter().any(|&value| self.bits(value).is_some_and(|bits| bits & SIGN == 0)),
            Op::One(One::Sqrt | One::Copy, a) | Op::Two(Two::Sub, a, _) => never(a),
            Op::Select(_, [_, _, yes, no]) | Op::BySign([_, yes, no]) => never(yes) && never(no),
            Op::Slot(_) | Op::Own(_) | Op::Clock(_) | Op::Row(_) | Op::One(..) | Op::Two(..) | Op::Fma { .. } => false,
        }
    }

    /// A number.
    pub fn number(&self, x: f64) -> Value {
        self.word(x.to_bits())
    }

    /// A word.
    pub fn word(&self, bits: u64) -> Value {
        self.push(Op::Const(bits))
    }

    /// What a value is the negative of.
    fn negated(&self, value: Value) -> Option<Value> {
        let Op::Two(Two::Xor, a, b) = self.op(value) else { return None };
        match (self.bits(a), self.bits(b)) {
            (Some(SIGN), None) => Some(b),
            (None, Some(SIGN)) => Some(a),
            _ => None,
        }
    }

    /// `-a`.
    pub fn neg(&self, a: Value) -> Value {
        let sign = self.word(SIGN);
        self.two(Two::Xor, a, sign)
    }

    /// `|a|`.
    pub fn abs(&self, a: Value) -> Value {
        let mask = self.word(!SIGN);
        self.two(Two::And, a, mask)
    }

    /// An operation of one value.
    pub fn one(&self, op: One, a: Value) -> Value {
        if matches!(op, One::Left(0) | One::Right(0)) {
            return a;
        }
        let folded = self.bits(a).map(|bits| {
            let x = f64::from_bits(bits);
            match op {
                One::Copy => bits,
                One::Sqrt => x.sqrt().to_bits(),
                One::Floor => x.floor().to_bits(),
                One::Ceil => x.ceil().to_bits(),
                One::Round => x.round_ties_even().to_bits(),
                One::Left(by) => bits << by,
                One::Right(by) => bits >> by,
            }
        });
        folded.map_or_else(|| self.push(Op::One(op, a)), |bits| self.word(bits))
    }

    /// An operation of two values.
    pub fn two(&self, op: Two, a: Value, b: Value) -> Value {
        if let (Some(x), Some(y)) = (self.bits(a), self.bits(b)) {
            return self.word(folded(op, x, y));
        }
        let is = |value: Value, x: f64| self.bits(value) == Some(x.to_bits());
        match op {
            Two::Add => {
                for (a, b) in [(a, b), (b, a)] {
                    if is(b, -0.0) || (is(b, 0.0) && self.flags()[a as usize]) {
                        return a;
                    }
                    if let Some(b) = self.negated(b) {
                        return self.two(Two::Sub, a, b);
                    }
                }
            }
            Two::Sub => {
                if is(b, 0.0) {
                    return a;
                }
                if let Some(b) = self.negated(b) {
                    return self.two(Two::Add, a, b);
                }
            }
            Two::Mul | Two::Div if is(b, 1.0) => return a,
            Two::Mul if is(a, 1.0) => return b,
            Two::Xor if self.bits(b) == Some(SIGN) => {
                if let Some(a) = self.negated(a) {
                    return a;
                }
            }
            _ => {}
        }
        let (a, b) = if op.commutes() && b < a { (b, a) } else { (a, b) };
        self.push(Op::Two(op, a, b))
    }

    /// `a + b`.
    pub fn add(&self, a: Value, b: Value) -> Value {
        self.two(Two::Add, a, b)
    }

    /// `a - b`.
    pub fn sub(&self, a: Value, b: Value) -> Value {
        self.two(Two::Sub, a, b)
    }

    /// `a * b`.
    pub fn mul(&self, a: Value, b: Value) -> Value {
        self.two(Two::Mul, a, b)
    }

    /// `a / b`.
    pub fn div(&self, a: Value, b: Value) -> Value {
        self.two(Two::Div, a, b)
    }

    /// `a * b + c`, rounded once.
    pub fn fma(&self, a: Value, b: Value, c: Value) -> Value {
        if let (Some(a), Some(b), Some(c)) = (self.constant(a), self.constant(b), self.constant(c)) {
            return self.number(a.mul_add(b, c));
        }
        if a == b && self.bits(c) == Some(0) {
            // A square is never below +0.
            return self.mul(a, a);
        }
        let (plain_a, plain_b, plain_c) = (self.negated(a), self.negated(b), self.negated(c));
        let product = plain_a.is_some() != plain_b.is_some();
        let (a, b) = (plain_a.unwrap_or(a), plain_b.unwrap_or(b));
        let (a, b) = if b < a { (b, a) } else { (a, b) };
        self.push(Op::Fma { a, b, c: plain_c.unwrap_or(c), product, addend: plain_c.is_some() })
    }

    fn test(&self, test: Test) -> Condition {
        let mut state = self.state.borrow_mut();
        state.tests.push(test);
        Condition((state.tests.len() - 1) as u32)
    }

    /// A comparison.
    pub fn compare(&self, compare: Compare, a: Value, b: Value) -> Condition {
        self.test(Test::Compare(compare, a, b))
    }

    /// Whether the first bit is set.
    pub fn sign(&self, a: Value) -> Condition {
        self.test(Test::Sign(a))
    }

    /// Both.
    pub fn both(&self, a: Condition, b: Condition) -> Condition {
        self.test(Test::And(a, b))
    }

    /// At least one.
    pub fn either(&self, a: Condition, b: Condition) -> Condition {
        self.test(Test::Or(a, b))
    }

    /// The opposite.
    pub fn opposite(&self, a: Condition) -> Condition {
        self.test(Test::Not(a))
    }

    /// `yes` where the condition holds, else `no`.
    pub fn select(&self, condition: Condition, yes: Value, no: Value) -> Value {
        if yes == no {
            return yes;
        }
        let test = self.state.borrow().tests[condition.0 as usize];
        match test {
            Test::And(a, b) => {
                let inner = self.select(b, yes, no);
                self.select(a, inner, no)
            }
            Test::Or(a, b) => {
                let inner = self.select(b, yes, no);
                self.select(a, yes, inner)
            }
            Test::Not(a) => self.select(a, no, yes),
            Test::Sign(s) => match self.bits(s) {
                Some(bits) => {
                    if bits & SIGN == 0 {
                        no
                    } else {
                        yes
                    }
                }
                None => self.push(Op::BySign([s, yes, no])),
            },
            Test::Compare(compare, a, b) => match (self.constant(a), self.constant(b)) {
                (Some(x), Some(y)) => {
                    if holds(compare, x, y) {
                        yes
                    } else {
                        no
                    }
                }
                _ => self.push(Op::Select(compare, [a, b, yes, no])),
            },
        }
    }

    /// The condition that a value is not 0. Where it was chosen from two constants, that choice is seen through.
    pub fn is_true(&self, a: Value) -> Condition {
        if let Op::Select(compare, [x, y, yes, no]) = self.op(a)
            && let (Some(yes), Some(no)) = (self.constant(yes), self.constant(no))
            && (yes == 0.0) != (no == 0.0)
        {
            let condition = self.compare(compare, x, y);
            return if no == 0.0 { condition } else { self.opposite(condition) };
        }
        let zero = self.number(0.0);
        let is_zero = self.compare(Compare::Equal, a, zero);
        self.opposite(is_zero)
    }

    /// The step must not be stored unless this is finite.
    pub fn must_be_finite(&self, value: Value) {
        if self.constant(value).is_some_and(f64::is_finite) {
            return;
        }
        let zero = self.number(0.0);
        let check = self.state.borrow().check;
        // 0 times it is NaN if it is not finite, and a zero otherwise.
        let check = match check {
            None => self.mul(value, zero),
            Some(check) => self.fma(value, zero, check),
        };
        self.state.borrow_mut().check = Some(check);
    }
}

fn folded(op: Two, a: u64, b: u64) -> u64 {
    let (x, y) = (f64::from_bits(a), f64::from_bits(b));
    match op {
        Two::Add => (x + y).to_bits(),
        Two::Sub => (x - y).to_bits(),
        Two::Mul => (x * y).to_bits(),
        Two::Div => (x / y).to_bits(),
        Two::Min => (if x < y { x } else { y }).to_bits(),
        Two::Max => (if x > y { x } else { y }).to_bits(),
        Two::And => a & b,
        Two::Or => a | b,
        Two::Xor => a ^ b,
        Two::Plus => a.wrapping_add(b),
        Two::Minus => a.wrapping_sub(b),
    }
}

fn holds(compare: Compare, a: f64, b: f64) -> bool {
    match compare {
        Compare::Equal => a == b,
        Compare::Differs => a != b,
        Compare::Less => a < b,
        Compare::AtMost => a <= b,
        Compare::Unordered => a.is_nan() || b.is_nan(),
    }
}
