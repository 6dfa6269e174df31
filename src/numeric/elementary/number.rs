//! What the elementary functions are written in: numbers with the operations that IEEE 754 defines exactly, and the words and answers beside them.
//!
//! It computes nothing. `pack` carries the operations out; a code generator writes them down. Both have the bits of the same text.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// A number, or several side by side.
pub trait Number:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
    + Neg<Output = Self>
{
    /// The same as words of 64 bits.
    type Bits: Word<Number = Self>;
    /// Answers about it.
    type Mask: Truth<Number = Self>;

    /// A constant.
    fn splat(x: f64) -> Self;

    /// `self * b + c`, rounded once.
    #[must_use]
    fn fma(self, b: Self, c: Self) -> Self;

    /// The magnitude.
    #[must_use]
    fn abs(self) -> Self;

    /// The magnitude of `self` with the sign of `sign`.
    #[must_use]
    fn copysign(self, sign: Self) -> Self;

    /// The smaller of the two; NaN stays NaN.
    #[must_use]
    fn at_most(self, high: f64) -> Self;

    /// The greater of the two; NaN stays NaN.
    #[must_use]
    fn at_least(self, low: f64) -> Self;

    /// `self < other`.
    fn lt(self, other: f64) -> Self::Mask;

    /// `self > other`.
    fn gt(self, other: f64) -> Self::Mask;

    /// `self >= other`.
    fn ge(self, other: f64) -> Self::Mask;

    /// `self == other`.
    fn is(self, other: f64) -> Self::Mask;

    /// Where the two numbers are equal.
    fn equals(self, other: Self) -> Self::Mask;

    /// The words.
    fn to_bits(self) -> Self::Bits;

    /// `self` where `|x| < limit`, elsewhere `f(x)`, which is slow and seldom needed.
    #[must_use]
    fn unless_beyond(self, x: Self, limit: f64, f: fn(f64) -> f64) -> Self;

    /// `self * b + c` with a constant factor.
    #[inline(always)]
    #[must_use]
    fn fma_by(self, b: f64, c: Self) -> Self {
        self.fma(Self::splat(b), c)
    }

    /// The polynomial with these coefficients, the highest power first, by Horner's rule.
    #[inline(always)]
    #[must_use]
    fn horner<const K: usize>(self, coefficients: [f64; K]) -> Self {
        let mut value = Self::splat(coefficients[0]);
        for &c in &coefficients[1..] {
            value = value.fma(self, Self::splat(c));
        }
        value
    }

    /// The same as [`horner`](Self::horner) where `square = self * self` is there already: as an even and an odd half, which is as many operations in a
    /// chain half as long. The vectoriser gives up on chains that are too long.
    #[inline(always)]
    #[must_use]
    fn horner_halves<const E: usize, const O: usize>(self, square: Self, even: [f64; E], odd: [f64; O]) -> Self {
        square.horner(odd).fma(self, square.horner(even))
    }
}

/// Words of 64 bits.
pub trait Word: Copy {
    /// What they are the bits of.
    type Number: Number<Bits = Self>;

    /// A constant.
    fn splat(word: u64) -> Self;

    /// The sum modulo `2^64`.
    #[must_use]
    fn plus(self, c: u64) -> Self;

    /// The difference modulo `2^64`.
    #[must_use]
    fn minus(self, other: Self) -> Self;

    /// The bits that both have.
    #[must_use]
    fn and(self, c: u64) -> Self;

    /// The bits that one has.
    #[must_use]
    fn or(self, c: u64) -> Self;

    /// Moved to the right; zeros come in.
    #[must_use]
    fn shr(self, by: u32) -> Self;

    /// Moved to the left.
    #[must_use]
    fn shl(self, by: u32) -> Self;

    /// Where this bit, counted from the lowest, is set.
    fn has(self, bit: u32) -> <Self::Number as Number>::Mask;

    /// The numbers.
    fn to_pack(self) -> Self::Number;
}

/// Answers.
pub trait Truth: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self> {
    /// What is chosen by them.
    type Number: Number<Mask = Self>;

    /// `yes` where it holds, `no` elsewhere; both are computed.
    fn select(self, yes: Self::Number, no: Self::Number) -> Self::Number;

    /// [`select`](Self::select) of two constants.
    #[inline(always)]
    fn choose(self, yes: f64, no: f64) -> Self::Number {
        self.select(Self::Number::splat(yes), Self::Number::splat(no))
    }
}
