//! A few numbers side by side, with the operations that are exact on every CPU and that the compiler turns into vector instructions.
//!
//! It has no elementary functions. One pack of eight and eight packs of one give the same bits, because every operation works on each lane alone.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use super::number::{Number, Truth, Word};

/// `N` numbers, worked on lane by lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pack<const N: usize>(pub(super) [f64; N]);

/// `N` words of 64 bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits<const N: usize>([u64; N]);

/// `N` answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mask<const N: usize>([bool; N]);

/// An array from its indices, as a loop that the compiler unrolls.
#[inline(always)]
fn each<T: Copy + Default, const N: usize>(f: impl Fn(usize) -> T) -> [T; N] {
    let mut out = [T::default(); N];
    for (i, lane) in out.iter_mut().enumerate() {
        *lane = f(i);
    }
    out
}

impl<const N: usize> Pack<N> {
    #[inline(always)]
    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Pack(each(|i| f(self.0[i])))
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        Pack(each(|i| f(self.0[i], other.0[i])))
    }

    #[inline(always)]
    fn compare(self, other: f64, f: impl Fn(&f64, &f64) -> bool) -> Mask<N> {
        Mask(each(|i| f(&self.0[i], &other)))
    }
}

impl<const N: usize> Number for Pack<N> {
    type Bits = Bits<N>;
    type Mask = Mask<N>;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        Pack([x; N])
    }

    #[inline(always)]
    fn fma(self, b: Self, c: Self) -> Self {
        Pack(each(|i| self.0[i].mul_add(b.0[i], c.0[i])))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.map(f64::abs)
    }

    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        self.zip(sign, f64::copysign)
    }

    #[inline(always)]
    fn at_most(self, high: f64) -> Self {
        self.map(|x| if x > high { high } else { x })
    }

    #[inline(always)]
    fn at_least(self, low: f64) -> Self {
        self.map(|x| if x < low { low } else { x })
    }

    #[inline(always)]
    fn lt(self, other: f64) -> Mask<N> {
        self.compare(other, f64::lt)
    }

    #[inline(always)]
    fn gt(self, other: f64) -> Mask<N> {
        self.compare(other, f64::gt)
    }

    #[inline(always)]
    fn ge(self, other: f64) -> Mask<N> {
        self.compare(other, f64::ge)
    }

    #[inline(always)]
    fn is(self, other: f64) -> Mask<N> {
        self.compare(other, f64::eq)
    }

    #[inline(always)]
    fn equals(self, other: Self) -> Mask<N> {
        Mask(each(|i| self.0[i] == other.0[i]))
    }

    #[inline(always)]
    fn to_bits(self) -> Bits<N> {
        Bits(each(|i| self.0[i].to_bits()))
    }

    /// Lane by lane and by value, so that the fast path keeps its numbers in registers.
    #[inline(always)]
    fn unless_beyond(self, x: Self, limit: f64, f: fn(f64) -> f64) -> Self {
        if x.abs().lt(limit).all() {
            return self;
        }
        let mut out = self;
        for (out, x) in out.0.iter_mut().zip(x.0) {
            *out = beyond(x, *out, limit, f);
        }
        out
    }
}

#[cold]
#[inline(never)]
fn beyond(x: f64, value: f64, limit: f64, f: fn(f64) -> f64) -> f64 {
    if x.abs() < limit { value } else { f(x) }
}

impl<const N: usize> Bits<N> {
    #[inline(always)]
    fn map(self, f: impl Fn(u64) -> u64) -> Self {
        Bits(each(|i| f(self.0[i])))
    }
}

impl<const N: usize> Word for Bits<N> {
    type Number = Pack<N>;

    #[inline(always)]
    fn splat(word: u64) -> Self {
        Bits([word; N])
    }

    #[inline(always)]
    fn plus(self, c: u64) -> Self {
        self.map(|b| b.wrapping_add(c))
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Bits(each(|i| self.0[i].wrapping_sub(other.0[i])))
    }

    #[inline(always)]
    fn and(self, c: u64) -> Self {
        self.map(|b| b & c)
    }

    #[inline(always)]
    fn or(self, c: u64) -> Self {
        self.map(|b| b | c)
    }

    #[inline(always)]
    fn shr(self, by: u32) -> Self {
        self.map(|b| b >> by)
    }

    #[inline(always)]
    fn shl(self, by: u32) -> Self {
        self.map(|b| b << by)
    }

    #[inline(always)]
    fn has(self, bit: u32) -> Mask<N> {
        Mask(each(|i| self.0[i] & (1 << bit) != 0))
    }

    #[inline(always)]
    fn to_pack(self) -> Pack<N> {
        Pack(each(|i| f64::from_bits(self.0[i])))
    }
}

impl<const N: usize> Mask<N> {
    /// Whether it holds in every lane.
    #[inline(always)]
    fn all(self) -> bool {
        let mut out = true;
        for lane in self.0 {
            out &= lane;
        }
        out
    }
}

impl<const N: usize> Truth for Mask<N> {
    type Number = Pack<N>;

    #[inline(always)]
    fn select(self, yes: Pack<N>, no: Pack<N>) -> Pack<N> {
        Pack(each(|i| if self.0[i] { yes.0[i] } else { no.0[i] }))
    }
}

impl<const N: usize> BitAnd for Mask<N> {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Mask(each(|i| self.0[i] & other.0[i]))
    }
}

impl<const N: usize> BitOr for Mask<N> {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Mask(each(|i| self.0[i] | other.0[i]))
    }
}

impl<const N: usize> Not for Mask<N> {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Mask(each(|i| !self.0[i]))
    }
}

macro_rules! lane_operators {
    ($($trait:ident $method:ident $op:tt)+) => {$(
        impl<const N: usize> $trait for Pack<N> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, |a, b| a $op b)
            }
        }
        impl<const N: usize> $trait<f64> for Pack<N> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: f64) -> Self {
                self.map(|a| a $op other)
            }
        }
    )+};
}
lane_operators! { Add add + Sub sub - Mul mul * Div div / }

impl<const N: usize> Neg for Pack<N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|a| -a)
    }
}
