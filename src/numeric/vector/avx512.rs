//! The registers of AVX-512: one of eight numbers.
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

/// One register of eight numbers.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(cpu::__m512d);

/// Its bits.
#[derive(Clone, Copy)]
pub(crate) struct Bits512(cpu::__m512i);

/// Answers about it.
#[derive(Clone, Copy)]
pub(crate) struct Mask512(cpu::__mmask8);

impl Add for Avx512 {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        unsafe { Avx512(cpu::_mm512_add_pd(self.0, other.0)) }
    }
}

impl Add<f64> for Avx512 {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: f64) -> Self {
        Add::add(self, Self::splat(other))
    }
}

impl Sub for Avx512 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        unsafe { Avx512(cpu::_mm512_sub_pd(self.0, other.0)) }
    }
}

impl Sub<f64> for Avx512 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: f64) -> Self {
        Sub::sub(self, Self::splat(other))
    }
}

impl Mul for Avx512 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        unsafe { Avx512(cpu::_mm512_mul_pd(self.0, other.0)) }
    }
}

impl Mul<f64> for Avx512 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: f64) -> Self {
        Mul::mul(self, Self::splat(other))
    }
}

impl Div for Avx512 {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        unsafe { Avx512(cpu::_mm512_div_pd(self.0, other.0)) }
    }
}

impl Div<f64> for Avx512 {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: f64) -> Self {
        Div::div(self, Self::splat(other))
    }
}

impl Neg for Avx512 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        unsafe { Avx512(cpu::_mm512_xor_pd(self.0, cpu::_mm512_set1_pd(-0.0))) }
    }
}

impl Number for Avx512 {
    type Bits = Bits512;
    type Mask = Mask512;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        unsafe { Avx512(cpu::_mm512_set1_pd(x)) }
    }
    #[inline(always)]
    fn fma(self, b: Self, c: Self) -> Self {
        unsafe { Avx512(cpu::_mm512_fmadd_pd(self.0, b.0, c.0)) }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        unsafe { Avx512(cpu::_mm512_andnot_pd(cpu::_mm512_set1_pd(-0.0), self.0)) }
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        unsafe {
            Avx512(cpu::_mm512_or_pd(
                cpu::_mm512_andnot_pd(cpu::_mm512_set1_pd(-0.0), self.0),
                cpu::_mm512_and_pd(cpu::_mm512_set1_pd(-0.0), sign.0),
            ))
        }
    }
    // The instructions give their second operand where one is NaN.
    #[inline(always)]
    fn at_most(self, high: f64) -> Self {
        unsafe { Avx512(cpu::_mm512_min_pd(cpu::_mm512_set1_pd(high), self.0)) }
    }
    #[inline(always)]
    fn at_least(self, low: f64) -> Self {
        unsafe { Avx512(cpu::_mm512_max_pd(cpu::_mm512_set1_pd(low), self.0)) }
    }
    #[inline(always)]
    fn lt(self, other: f64) -> Mask512 {
        unsafe {
            let other = Self::splat(other);
            Mask512(cpu::_mm512_cmp_pd_mask::<{ cpu::_CMP_LT_OQ }>(self.0, other.0))
        }
    }
    #[inline(always)]
    fn gt(self, other: f64) -> Mask512 {
        unsafe {
            let other = Self::splat(other);
            Mask512(cpu::_mm512_cmp_pd_mask::<{ cpu::_CMP_GT_OQ }>(self.0, other.0))
        }
    }
    #[inline(always)]
    fn ge(self, other: f64) -> Mask512 {
        unsafe {
            let other = Self::splat(other);
            Mask512(cpu::_mm512_cmp_pd_mask::<{ cpu::_CMP_GE_OQ }>(self.0, other.0))
        }
    }
    #[inline(always)]
    fn is(self, other: f64) -> Mask512 {
        unsafe {
            let other = Self::splat(other);
            Mask512(cpu::_mm512_cmp_pd_mask::<{ cpu::_CMP_EQ_OQ }>(self.0, other.0))
        }
    }
    #[inline(always)]
    fn equals(self, other: Self) -> Mask512 {
        unsafe { Mask512(cpu::_mm512_cmp_pd_mask::<{ cpu::_CMP_EQ_OQ }>(self.0, other.0)) }
    }
    #[inline(always)]
    fn to_bits(self) -> Bits512 {
        unsafe { Bits512(cpu::_mm512_castpd_si512(self.0)) }
    }
    #[inline(always)]
    fn unless_beyond(self, x: Self, limit: f64, f: fn(f64) -> f64) -> Self {
        if x.abs().lt(limit).all() {
            return self;
        }
        Self::read(&beyond(spill(self), spill(x), limit, f))
    }
}

impl Word for Bits512 {
    type Number = Avx512;

    #[inline(always)]
    fn splat(word: u64) -> Self {
        unsafe { Bits512(cpu::_mm512_set1_epi64(word.cast_signed())) }
    }
    #[inline(always)]
    fn plus(self, c: u64) -> Self {
        unsafe { Bits512(cpu::_mm512_add_epi64(self.0, cpu::_mm512_set1_epi64(c.cast_signed()))) }
    }
    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        unsafe { Bits512(cpu::_mm512_sub_epi64(self.0, other.0)) }
    }
    #[inline(always)]
    fn and(self, c: u64) -> Self {
        unsafe { Bits512(cpu::_mm512_and_si512(self.0, cpu::_mm512_set1_epi64(c.cast_signed()))) }
    }
    #[inline(always)]
    fn or(self, c: u64) -> Self {
        unsafe { Bits512(cpu::_mm512_or_si512(self.0, cpu::_mm512_set1_epi64(c.cast_signed()))) }
    }
    #[inline(always)]
    fn shr(self, by: u32) -> Self {
        unsafe { Bits512(cpu::_mm512_srlv_epi64(self.0, cpu::_mm512_set1_epi64(i64::from(by)))) }
    }
    #[inline(always)]
    fn shl(self, by: u32) -> Self {
        unsafe { Bits512(cpu::_mm512_sllv_epi64(self.0, cpu::_mm512_set1_epi64(i64::from(by)))) }
    }
    #[inline(always)]
    fn has(self, bit: u32) -> Mask512 {
        unsafe {
            let bit = cpu::_mm512_set1_epi64(1 << bit);
            Mask512(cpu::_mm512_test_epi64_mask(self.0, bit))
        }
    }
    #[inline(always)]
    fn to_pack(self) -> Avx512 {
        unsafe { Avx512(cpu::_mm512_castsi512_pd(self.0)) }
    }
}

impl Mask512 {
    /// Whether it holds everywhere.
    #[inline(always)]
    fn all(self) -> bool {
        self.0 == 0xff
    }
}

impl Truth for Mask512 {
    type Number = Avx512;

    #[inline(always)]
    fn select(self, yes: Avx512, no: Avx512) -> Avx512 {
        unsafe { Avx512(cpu::_mm512_mask_blend_pd(self.0, no.0, yes.0)) }
    }
}

impl BitAnd for Mask512 {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Mask512(self.0 & other.0)
    }
}

impl BitOr for Mask512 {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Mask512(self.0 | other.0)
    }
}

impl Not for Mask512 {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Mask512(!self.0)
    }
}

impl Vector for Avx512 {
    const WIDE: usize = 16;

    #[inline(always)]
    fn load(from: &[Cell<f64>; 8]) -> Self {
        unsafe {
            let at = from.as_ptr().cast::<f64>();
            Avx512(cpu::_mm512_loadu_pd(at))
        }
    }
    #[inline(always)]
    fn read(from: &Octet) -> Self {
        unsafe {
            let at = from.as_ptr();
            Avx512(cpu::_mm512_loadu_pd(at))
        }
    }
    #[inline(always)]
    fn widen(from: [u8; 8]) -> Self {
        let word = i64::from_le_bytes(from);
        unsafe { Avx512(cpu::_mm512_cvtepi32_pd(cpu::_mm256_cvtepu8_epi32(cpu::_mm_cvtsi64_si128(word)))) }
    }

    #[inline(always)]
    fn store(self, to: &[Cell<f64>; 8]) {
        unsafe {
            let at = to.as_ptr().cast::<f64>().cast_mut();
            cpu::_mm512_storeu_pd(at, self.0);
        }
    }
    #[inline(always)]
    fn first(self, n: usize, other: Self) -> Self {
        Mask512(((1_u32 << n.min(8)) - 1) as u8).select(self, other)
    }
}
