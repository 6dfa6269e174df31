//! Numbers that are names of values in a chain: an elementary function computed with them is written down instead.
//!
//! It has no functions of its own.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use super::build::{Builder, Condition};
use super::chain::{Compare, One, Two, Value};
use crate::numeric::elementary::generic;
use crate::numeric::elementary::number::{Number, Truth, Word};

/// A constant, or a value of a chain.
#[derive(Debug, Clone, Copy)]
enum Symbol<'a> {
    Constant(f64),
    Value(&'a Builder, Value),
}

#[derive(Debug, Clone, Copy)]
enum Bits<'a> {
    Constant(u64),
    Value(&'a Builder, Value),
}

#[derive(Debug, Clone, Copy)]
struct Mask<'a>(&'a Builder, Condition);

/// The elementary functions of values.
macro_rules! functions {
    ($($(#[$meta:meta])* $name:ident($($x:ident),+);)+) => {
        impl Builder {
            $(
                $(#[$meta])*
                pub fn $name(&self, $($x: Value),+) -> Value {
                    generic::$name($(Symbol::Value(self, $x)),+).value(self)
                }
            )+
        }
    };
}

functions! {
    /// As [`crate::numeric::elementary::exp`].
    exp(x);
    /// As [`crate::numeric::elementary::expm1`].
    expm1(x);
    /// As [`crate::numeric::elementary::ln`].
    ln(x);
    /// As [`crate::numeric::elementary::log1p`].
    log1p(x);
    /// As [`crate::numeric::elementary::log2`].
    log2(x);
    /// As [`crate::numeric::elementary::log10`].
    log10(x);
    /// As [`crate::numeric::elementary::exp_neg_abs`].
    exp_neg_abs(x);
    /// As [`crate::numeric::elementary::sigmoid`].
    sigmoid(x);
    /// As [`crate::numeric::elementary::softplus`].
    softplus(x);
    /// As [`crate::numeric::elementary::tanh`].
    tanh(x);
    /// As [`crate::numeric::elementary::sin`], where the argument is near enough; elsewhere the step is left to the caller.
    sin(x);
    /// As [`crate::numeric::elementary::cos`], with the same limit.
    cos(x);
    /// As [`crate::numeric::elementary::pow`].
    pow(x, y);
}

impl<'a> Symbol<'a> {
    fn value(self, builder: &Builder) -> Value {
        match self {
            Symbol::Constant(x) => builder.number(x),
            Symbol::Value(_, value) => value,
        }
    }

    /// An operation with something else; with two constants it is carried out.
    fn with(self, other: Self, f: impl Fn(&'a Builder, Value, Value) -> Value, constants: impl Fn(f64, f64) -> f64) -> Self {
        match (self, other) {
            (Symbol::Constant(a), Symbol::Constant(b)) => Symbol::Constant(constants(a, b)),
            (Symbol::Value(builder, _), _) | (_, Symbol::Value(builder, _)) => {
                Symbol::Value(builder, f(builder, self.value(builder), other.value(builder)))
            }
        }
    }

    /// The builder and the value; functions never ask that of a constant.
    fn known(self) -> (&'a Builder, Value) {
        let Symbol::Value(builder, value) = self else { unreachable!("internal: a function asks about a constant") };
        (builder, value)
    }

    fn test(self, compare: Compare, other: f64, swapped: bool) -> Mask<'a> {
        let (builder, value) = self.known();
        let other = builder.number(other);
        let (a, b) = if swapped { (other, value) } else { (value, other) };
        Mask(builder, builder.compare(compare, a, b))
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $op:tt)+) => {$(
        impl $trait for Symbol<'_> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.with(other, |builder, a, b| builder.$method(a, b), |a, b| a $op b)
            }
        }
        impl $trait<f64> for Symbol<'_> {
            type Output = Self;
            fn $method(self, other: f64) -> Self {
                $trait::$method(self, Symbol::Constant(other))
            }
        }
    )+};
}
operators! { Add add + Sub sub - Mul mul * Div div / }

impl Neg for Symbol<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        match self {
            Symbol::Constant(x) => Symbol::Constant(-x),
            Symbol::Value(builder, a) => Symbol::Value(builder, builder.neg(a)),
        }
    }
}

impl<'a> Number for Symbol<'a> {
    type Bits = Bits<'a>;
    type Mask = Mask<'a>;

    fn splat(x: f64) -> Self {
        Symbol::Constant(x)
    }

    fn fma(self, b: Self, c: Self) -> Self {
        match (self, b, c) {
            (Symbol::Constant(a), Symbol::Constant(b), Symbol::Constant(c)) => Symbol::Constant(a.mul_add(b, c)),
            (Symbol::Value(builder, _), _, _) | (_, Symbol::Value(builder, _), _) | (_, _, Symbol::Value(builder, _)) => {
                Symbol::Value(builder, builder.fma(self.value(builder), b.value(builder), c.value(builder)))
            }
        }
    }

    fn abs(self) -> Self {
        let (builder, value) = self.known();
        Symbol::Value(builder, builder.abs(value))
    }

    fn copysign(self, sign: Self) -> Self {
        let (builder, sign) = sign.known();
        let size = builder.abs(self.value(builder));
        let mask = builder.word(super::build::SIGN);
        let sign = builder.two(Two::And, sign, mask);
        Symbol::Value(builder, builder.two(Two::Or, size, sign))
    }

    fn at_most(self, high: f64) -> Self {
        let (builder, value) = self.known();
        Symbol::Value(builder, builder.two(Two::Min, builder.number(high), value))
    }

    fn at_least(self, low: f64) -> Self {
        let (builder, value) = self.known();
        Symbol::Value(builder, builder.two(Two::Max, builder.number(low), value))
    }

    fn lt(self, other: f64) -> Mask<'a> {
        self.test(Compare::Less, other, false)
    }

    fn gt(self, other: f64) -> Mask<'a> {
        self.test(Compare::Less, other, true)
    }

    fn ge(self, other: f64) -> Mask<'a> {
        self.test(Compare::AtMost, other, true)
    }

    fn is(self, other: f64) -> Mask<'a> {
        self.test(Compare::Equal, other, false)
    }

    fn equals(self, other: Self) -> Mask<'a> {
        let (builder, value) = self.known();
        Mask(builder, builder.compare(Compare::Equal, value, other.value(builder)))
    }

    fn to_bits(self) -> Bits<'a> {
        match self {
            Symbol::Constant(x) => Bits::Constant(x.to_bits()),
            Symbol::Value(builder, value) => Bits::Value(builder, value),
        }
    }

    /// The step is left to the caller where the slow function is needed.
    fn unless_beyond(self, x: Self, limit: f64, _: fn(f64) -> f64) -> Self {
        let (builder, _) = x.known();
        let near = x.abs().lt(limit).choose(0.0, f64::NAN);
        builder.must_be_finite(near.value(builder));
        self
    }
}

impl<'a> Bits<'a> {
    fn map(self, value: impl Fn(&'a Builder, Value) -> Value, word: impl Fn(u64) -> u64) -> Self {
        match self {
            Bits::Constant(bits) => Bits::Constant(word(bits)),
            Bits::Value(builder, a) => Bits::Value(builder, value(builder, a)),
        }
    }

    fn with(self, op: Two, c: u64, word: impl Fn(u64, u64) -> u64) -> Self {
        self.map(|builder, a| builder.two(op, a, builder.word(c)), |bits| word(bits, c))
    }
}

impl<'a> Word for Bits<'a> {
    type Number = Symbol<'a>;

    fn splat(word: u64) -> Self {
        Bits::Constant(word)
    }

    fn plus(self, c: u64) -> Self {
        self.with(Two::Plus, c, u64::wrapping_add)
    }

    fn minus(self, other: Self) -> Self {
        match (self, other) {
            (Bits::Constant(a), Bits::Constant(b)) => Bits::Constant(a.wrapping_sub(b)),
            (Bits::Value(builder, _), _) | (_, Bits::Value(builder, _)) => {
                let value = |bits: Self| match bits {
                    Bits::Constant(bits) => builder.word(bits),
                    Bits::Value(_, value) => value,
                };
                Bits::Value(builder, builder.two(Two::Minus, value(self), value(other)))
            }
        }
    }

    fn and(self, c: u64) -> Self {
        self.with(Two::And, c, |a, b| a & b)
    }

    fn or(self, c: u64) -> Self {
        self.with(Two::Or, c, |a, b| a | b)
    }

    fn shr(self, by: u32) -> Self {
        self.map(|builder, a| builder.one(One::Right(by as u8), a), |bits| bits >> by)
    }

    fn shl(self, by: u32) -> Self {
        self.map(|builder, a| builder.one(One::Left(by as u8), a), |bits| bits << by)
    }

    fn has(self, bit: u32) -> Mask<'a> {
        let Bits::Value(builder, value) = self.shl(63 - bit) else { unreachable!("internal: a function asks about a constant") };
        Mask(builder, builder.sign(value))
    }

    fn to_pack(self) -> Symbol<'a> {
        match self {
            Bits::Constant(bits) => Symbol::Constant(f64::from_bits(bits)),
            Bits::Value(builder, value) => Symbol::Value(builder, value),
        }
    }
}

impl<'a> Truth for Mask<'a> {
    type Number = Symbol<'a>;

    fn select(self, yes: Symbol<'a>, no: Symbol<'a>) -> Symbol<'a> {
        let Mask(builder, condition) = self;
        Symbol::Value(builder, builder.select(condition, yes.value(builder), no.value(builder)))
    }
}

impl BitAnd for Mask<'_> {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Mask(self.0, self.0.both(self.1, other.1))
    }
}

impl BitOr for Mask<'_> {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Mask(self.0, self.0.either(self.1, other.1))
    }
}

impl Not for Mask<'_> {
    type Output = Self;
    fn not(self) -> Self {
        Mask(self.0, self.0.opposite(self.1))
    }
}
