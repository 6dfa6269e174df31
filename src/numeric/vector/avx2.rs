//! The registers of AVX2: two of four numbers.
//!
//! It computes nothing that [`Number`] does not say.

#![allow(
    unsafe_code,
    reason = "only `kernels!` names these types, in functions compiled for the level and chosen after its features were found"
)]

use std::arch::x86_64 as cpu;
use std::cell::Cell;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use super::{Vector, beyond, spill};
use crate::numeric::Octet;
use crate::numeric::elementary::number::{Number, Truth, Word};

// SAFETY (everywhere in this file): the features are there, see above; a reference to eight cells or numbers is valid for 64 bytes, and a cell
// has the layout of its number.

/// Two registers of four numbers.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(cpu::__m256d, cpu::__m256d);

/// Its bits.
#[derive(Clone, Copy)]
pub(crate) struct Bits256(cpu::__m256i, cpu::__m256i);

/// Answers about it.
#[derive(Clone, Copy)]
pub(crate) struct Mask256(cpu::__m256d, cpu::__m256d);

impl Add for Avx2 {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        unsafe { Avx2(cpu::_mm256_add_pd(self.0, other.0), cpu::_mm256_add_pd(self.1, other.1)) }
    }
}

impl Add<f64> for Avx2 {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: f64) -> Self {
        Add::add(self, Self::splat(other))
    }
}

impl Sub for Avx2 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        unsafe { Avx2(cpu::_mm256_sub_pd(self.0, other.0), cpu::_mm256_sub_pd(self.1, other.1)) }
    }
}

impl Sub<f64> for Avx2 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: f64) -> Self {
        Sub::sub(self, Self::splat(other))
    }
}

impl Mul for Avx2 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        unsafe { Avx2(cpu::_mm256_mul_pd(self.0, other.0), cpu::_mm256_mul_pd(self.1, other.1)) }
    }
}

impl Mul<f64> for Avx2 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: f64) -> Self {
        Mul::mul(self, Self::splat(other))
    }
}

impl Div for Avx2 {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        unsafe { Avx2(cpu::_mm256_div_pd(self.0, other.0), cpu::_mm256_div_pd(self.1, other.1)) }
    }
}

impl Div<f64> for Avx2 {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: f64) -> Self {
        Div::div(self, Self::splat(other))
    }
}

impl Neg for Avx2 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        unsafe { Avx2(cpu::_mm256_xor_pd(self.0, cpu::_mm256_set1_pd(-0.0)), cpu::_mm256_xor_pd(self.1, cpu::_mm256_set1_pd(-0.0))) }
    }
}

impl Number for Avx2 {
    type Bits = Bits256;
    type Mask = Mask256;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        unsafe { Avx2(cpu::_mm256_set1_pd(x), cpu::_mm256_set1_pd(x)) }
    }
    #[inline(always)]
    fn fma(self, b: Self, c: Self) -> Self {
        unsafe { Avx2(cpu::_mm256_fmadd_pd(self.0, b.0, c.0), cpu::_mm256_fmadd_pd(self.1, b.1, c.1)) }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        unsafe { Avx2(cpu::_mm256_andnot_pd(cpu::_mm256_set1_pd(-0.0), self.0), cpu::_mm256_andnot_pd(cpu::_mm256_set1_pd(-0.0), self.1)) }
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        unsafe {
            Avx2(
                cpu::_mm256_or_pd(
                    cpu::_mm256_andnot_pd(cpu::_mm256_set1_pd(-0.0), self.0),
                    cpu::_mm256_and_pd(cpu::_mm256_set1_pd(-0.0), sign.0),
                ),
                cpu::_mm256_or_pd(
                    cpu::_mm256_andnot_pd(cpu::_mm256_set1_pd(-0.0), self.1),
                    cpu::_mm256_and_pd(cpu::_mm256_set1_pd(-0.0), sign.1),
                ),
            )
        }
    }
    // The instructions give their second operand where one is NaN.
    #[inline(always)]
    fn at_most(self, high: f64) -> Self {
        unsafe { Avx2(cpu::_mm256_min_pd(cpu::_mm256_set1_pd(high), self.0), cpu::_mm256_min_pd(cpu::_mm256_set1_pd(high), self.1)) }
    }
    #[inline(always)]
    fn at_least(self, low: f64) -> Self {
        unsafe { Avx2(cpu::_mm256_max_pd(cpu::_mm256_set1_pd(low), self.0), cpu::_mm256_max_pd(cpu::_mm256_set1_pd(low), self.1)) }
    }
    #[inline(always)]
    fn lt(self, other: f64) -> Mask256 {
        unsafe {
            let other = Self::splat(other);
            Mask256(cpu::_mm256_cmp_pd::<{ cpu::_CMP_LT_OQ }>(self.0, other.0), cpu::_mm256_cmp_pd::<{ cpu::_CMP_LT_OQ }>(self.1, other.1))
        }
    }
    #[inline(always)]
    fn gt(self, other: f64) -> Mask256 {
        unsafe {
            let other = Self::splat(other);
            Mask256(cpu::_mm256_cmp_pd::<{ cpu::_CMP_GT_OQ }>(self.0, other.0), cpu::_mm256_cmp_pd::<{ cpu::_CMP_GT_OQ }>(self.1, other.1))
        }
    }
    #[inline(always)]
    fn ge(self, other: f64) -> Mask256 {
        unsafe {
            let other = Self::splat(other);
            Mask256(cpu::_mm256_cmp_pd::<{ cpu::_CMP_GE_OQ }>(self.0, other.0), cpu::_mm256_cmp_pd::<{ cpu::_CMP_GE_OQ }>(self.1, other.1))
        }
    }
    #[inline(always)]
    fn is(self, other: f64) -> Mask256 {
        unsafe {
            let other = Self::splat(other);
            Mask256(cpu::_mm256_cmp_pd::<{ cpu::_CMP_EQ_OQ }>(self.0, other.0), cpu::_mm256_cmp_pd::<{ cpu::_CMP_EQ_OQ }>(self.1, other.1))
        }
    }
    #[inline(always)]
    fn equals(self, other: Self) -> Mask256 {
        unsafe {
            Mask256(cpu::_mm256_cmp_pd::<{ cpu::_CMP_EQ_OQ }>(self.0, other.0), cpu::_mm256_cmp_pd::<{ cpu::_CMP_EQ_OQ }>(self.1, other.1))
        }
    }
    #[inline(always)]
    fn to_bits(self) -> Bits256 {
        unsafe { Bits256(cpu::_mm256_castpd_si256(self.0), cpu::_mm256_castpd_si256(self.1)) }
    }
    #[inline(always)]
    fn unless_beyond(self, x: Self, limit: f64, f: fn(f64) -> f64) -> Self {
        if x.abs().lt(limit).all() {
            return self;
        }
        Self::read(&beyond(spill(self), spill(x), limit, f))
    }
}

impl Word for Bits256 {
    type Number = Avx2;

    #[inline(always)]
    fn splat(word: u64) -> Self {
        unsafe { Bits256(cpu::_mm256_set1_epi64x(word.cast_signed()), cpu::_mm256_set1_epi64x(word.cast_signed())) }
    }
    #[inline(always)]
    fn plus(self, c: u64) -> Self {
        unsafe {
            Bits256(
                cpu::_mm256_add_epi64(self.0, cpu::_mm256_set1_epi64x(c.cast_signed())),
                cpu::_mm256_add_epi64(self.1, cpu::_mm256_set1_epi64x(c.cast_signed())),
            )
        }
    }
    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        unsafe { Bits256(cpu::_mm256_sub_epi64(self.0, other.0), cpu::_mm256_sub_epi64(self.1, other.1)) }
    }
    #[inline(always)]
    fn and(self, c: u64) -> Self {
        unsafe {
            Bits256(
                cpu::_mm256_and_si256(self.0, cpu::_mm256_set1_epi64x(c.cast_signed())),
                cpu::_mm256_and_si256(self.1, cpu::_mm256_set1_epi64x(c.cast_signed())),
            )
        }
    }
    #[inline(always)]
    fn or(self, c: u64) -> Self {
        unsafe {
            Bits256(
                cpu::_mm256_or_si256(self.0, cpu::_mm256_set1_epi64x(c.cast_signed())),
                cpu::_mm256_or_si256(self.1, cpu::_mm256_set1_epi64x(c.cast_signed())),
            )
        }
    }
    #[inline(always)]
    fn shr(self, by: u32) -> Self {
        unsafe {
            Bits256(
                cpu::_mm256_srlv_epi64(self.0, cpu::_mm256_set1_epi64x(i64::from(by))),
                cpu::_mm256_srlv_epi64(self.1, cpu::_mm256_set1_epi64x(i64::from(by))),
            )
        }
    }
    #[inline(always)]
    fn shl(self, by: u32) -> Self {
        unsafe {
            Bits256(
                cpu::_mm256_sllv_epi64(self.0, cpu::_mm256_set1_epi64x(i64::from(by))),
                cpu::_mm256_sllv_epi64(self.1, cpu::_mm256_set1_epi64x(i64::from(by))),
            )
        }
    }
    #[inline(always)]
    fn has(self, bit: u32) -> Mask256 {
        unsafe {
            let bit = cpu::_mm256_set1_epi64x(1 << bit);
            Mask256(
                cpu::_mm256_castsi256_pd(cpu::_mm256_cmpeq_epi64(cpu::_mm256_and_si256(self.0, bit), bit)),
                cpu::_mm256_castsi256_pd(cpu::_mm256_cmpeq_epi64(cpu::_mm256_and_si256(self.1, bit), bit)),
            )
        }
    }
    #[inline(always)]
    fn to_pack(self) -> Avx2 {
        unsafe { Avx2(cpu::_mm256_castsi256_pd(self.0), cpu::_mm256_castsi256_pd(self.1)) }
    }
}

impl Mask256 {
    /// Whether it holds everywhere.
    #[inline(always)]
    fn all(self) -> bool {
        unsafe { cpu::_mm256_movemask_pd(cpu::_mm256_and_pd(self.0, self.1)) == 0xf }
    }
}

impl Truth for Mask256 {
    type Number = Avx2;

    #[inline(always)]
    fn select(self, yes: Avx2, no: Avx2) -> Avx2 {
        unsafe { Avx2(cpu::_mm256_blendv_pd(no.0, yes.0, self.0), cpu::_mm256_blendv_pd(no.1, yes.1, self.1)) }
    }
}

impl BitAnd for Mask256 {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        unsafe { Mask256(cpu::_mm256_and_pd(self.0, other.0), cpu::_mm256_and_pd(self.1, other.1)) }
    }
}

impl BitOr for Mask256 {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        unsafe { Mask256(cpu::_mm256_or_pd(self.0, other.0), cpu::_mm256_or_pd(self.1, other.1)) }
    }
}

impl Not for Mask256 {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        unsafe {
            Mask256(
                cpu::_mm256_xor_pd(self.0, cpu::_mm256_castsi256_pd(cpu::_mm256_set1_epi64x(-1))),
                cpu::_mm256_xor_pd(self.1, cpu::_mm256_castsi256_pd(cpu::_mm256_set1_epi64x(-1))),
            )
        }
    }
}

impl Vector for Avx2 {
    const WIDE: usize = 6;

    #[inline(always)]
    fn load(from: &[Cell<f64>; 8]) -> Self {
        unsafe {
            let at = from.as_ptr().cast::<f64>();
            Avx2(cpu::_mm256_loadu_pd(at), cpu::_mm256_loadu_pd(at.add(4)))
        }
    }
    #[inline(always)]
    fn read(from: &Octet) -> Self {
        unsafe {
            let at = from.as_ptr();
            Avx2(cpu::_mm256_loadu_pd(at), cpu::_mm256_loadu_pd(at.add(4)))
        }
    }
    #[inline(always)]
    fn widen(from: [u8; 8]) -> Self {
        let word = i64::from_le_bytes(from);
        unsafe {
            let all = cpu::_mm256_cvtepu8_epi32(cpu::_mm_cvtsi64_si128(word));
            Avx2(
                cpu::_mm256_cvtepi32_pd(cpu::_mm256_castsi256_si128(all)),
                cpu::_mm256_cvtepi32_pd(cpu::_mm256_extracti128_si256::<1>(all)),
            )
        }
    }

    #[inline(always)]
    fn store(self, to: &[Cell<f64>; 8]) {
        unsafe {
            let at = to.as_ptr().cast::<f64>().cast_mut();
            cpu::_mm256_storeu_pd(at, self.0);
            cpu::_mm256_storeu_pd(at.add(4), self.1);
        }
    }
    #[inline(always)]
    fn first(self, n: usize, other: Self) -> Self {
        unsafe {
            let n = cpu::_mm256_set1_epi64x((n as u64).cast_signed());
            let low = cpu::_mm256_cmpgt_epi64(n, cpu::_mm256_setr_epi64x(0, 1, 2, 3));
            let high = cpu::_mm256_cmpgt_epi64(n, cpu::_mm256_setr_epi64x(4, 5, 6, 7));
            Mask256(cpu::_mm256_castsi256_pd(low), cpu::_mm256_castsi256_pd(high)).select(self, other)
        }
    }
}
