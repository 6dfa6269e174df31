//! A few numbers side by side, with the operations that are exact on every CPU and that the compiler turns into vector instructions.
//!
//! It has no elementary functions. One pack of eight and eight packs of one give the same bits, because every operation works on each lane alone.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// `N` numbers, worked on lane by lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pack<const N: usize>(pub(super) [f64; N]);

/// `N` words of 64 bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits<const N: usize>(pub(super) [u64; N]);

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
    /// The same number in every lane.
    #[inline(always)]
    pub(super) fn splat(x: f64) -> Self {
        Pack([x; N])
    }

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

    /// `self * b + c`, rounded once.
    #[inline(always)]
    pub(super) fn fma(self, b: Self, c: Self) -> Self {
        Pack(each(|i| self.0[i].mul_add(b.0[i], c.0[i])))
    }

    /// `self * b + c` with a constant factor.
    #[inline(always)]
    pub(super) fn fma_by(self, b: f64, c: Self) -> Self {
        self.fma(Pack::splat(b), c)
    }

    /// The polynomial with these coefficients, the highest power first, by Horner's rule.
    #[inline(always)]
    pub(super) fn horner<const K: usize>(self, coefficients: [f64; K]) -> Self {
        let mut value = Pack::splat(coefficients[0]);
        for &c in &coefficients[1..] {
            value = value.fma(self, Pack::splat(c));
        }
        value
    }

    /// The same as [`horner`](Self::horner) where `square = self * self` is there already: as an even and an odd half, which is as many operations in a
    /// chain half as long. The vectoriser gives up on chains that are too long.
    #[inline(always)]
    pub(super) fn horner_halves<const E: usize, const O: usize>(self, square: Self, even: [f64; E], odd: [f64; O]) -> Self {
        square.horner(odd).fma(self, square.horner(even))
    }

    #[inline(always)]
    pub(super) fn abs(self) -> Self {
        self.map(f64::abs)
    }

    /// The magnitude of `self` with the sign of `sign`.
    #[inline(always)]
    pub(super) fn copysign(self, sign: Self) -> Self {
        self.zip(sign, f64::copysign)
    }

    /// The smaller of the two; NaN stays NaN.
    #[inline(always)]
    pub(super) fn at_most(self, high: f64) -> Self {
        self.map(|x| if x > high { high } else { x })
    }

    /// The greater of the two; NaN stays NaN.
    #[inline(always)]
    pub(super) fn at_least(self, low: f64) -> Self {
        self.map(|x| if x < low { low } else { x })
    }

    #[inline(always)]
    pub(super) fn lt(self, other: f64) -> Mask<N> {
        self.compare(other, f64::lt)
    }

    #[inline(always)]
    pub(super) fn gt(self, other: f64) -> Mask<N> {
        self.compare(other, f64::gt)
    }

    #[inline(always)]
    pub(super) fn ge(self, other: f64) -> Mask<N> {
        self.compare(other, f64::ge)
    }

    #[inline(always)]
    pub(super) fn is(self, other: f64) -> Mask<N> {
        self.compare(other, f64::eq)
    }

    /// Where the two numbers are equal.
    #[inline(always)]
    pub(super) fn equals(self, other: Self) -> Mask<N> {
        Mask(each(|i| self.0[i] == other.0[i]))
    }

    #[inline(always)]
    pub(super) fn to_bits(self) -> Bits<N> {
        Bits(each(|i| self.0[i].to_bits()))
    }
}

impl<const N: usize> Bits<N> {
    #[inline(always)]
    fn map(self, f: impl Fn(u64) -> u64) -> Self {
        Bits(each(|i| f(self.0[i])))
    }

    #[inline(always)]
    pub(super) fn plus(self, c: u64) -> Self {
        self.map(|b| b.wrapping_add(c))
    }

    #[inline(always)]
    pub(super) fn minus(self, other: Self) -> Self {
        Bits(each(|i| self.0[i].wrapping_sub(other.0[i])))
    }

    #[inline(always)]
    pub(super) fn and(self, c: u64) -> Self {
        self.map(|b| b & c)
    }

    #[inline(always)]
    pub(super) fn or(self, c: u64) -> Self {
        self.map(|b| b | c)
    }

    #[inline(always)]
    pub(super) fn shr(self, by: u32) -> Self {
        self.map(|b| b >> by)
    }

    #[inline(always)]
    pub(super) fn shl(self, by: u32) -> Self {
        self.map(|b| b << by)
    }

    /// Where some bit of `c` is set.
    #[inline(always)]
    pub(super) fn any(self, c: u64) -> Mask<N> {
        Mask(each(|i| self.0[i] & c != 0))
    }

    #[inline(always)]
    pub(super) fn to_pack(self) -> Pack<N> {
        Pack(each(|i| f64::from_bits(self.0[i])))
    }
}

impl<const N: usize> Mask<N> {
    /// `yes` where the mask holds, `no` elsewhere; both are computed.
    #[inline(always)]
    pub(super) fn select(self, yes: Pack<N>, no: Pack<N>) -> Pack<N> {
        Pack(each(|i| if self.0[i] { yes.0[i] } else { no.0[i] }))
    }

    /// Whether it holds in every lane.
    #[inline(always)]
    pub(super) fn all(self) -> bool {
        let mut out = true;
        for lane in self.0 {
            out &= lane;
        }
        out
    }

    /// [`select`](Self::select) of two constants.
    #[inline(always)]
    pub(super) fn choose(self, yes: f64, no: f64) -> Pack<N> {
        self.select(Pack::splat(yes), Pack::splat(no))
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
