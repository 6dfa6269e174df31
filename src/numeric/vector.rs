//! An octet in the registers of a CPU level: what contractions over rows are written in, where eight separate numbers would be left to chance.
//!
//! It has the few operations that sums need, each exact by IEEE 754 on each of the eight numbers alone, so that all three types give the same bits.
//! Elementary functions are written over arrays ([`elementary`](super::elementary)), because loops over them become vector code by themselves.

#![allow(clippy::inline_always, reason = "a body must be inlined into a function with target features to be compiled with them")]

use std::cell::Cell;

use super::Octet;

/// Eight numbers in registers. Bodies that are generic over it are made by [`kernels!`](crate::kernels), which pairs each type with its level.
pub(crate) trait Vector: Copy {
    /// Accumulators that fit into the registers beside their operands.
    const WIDE: usize;
    /// The same number eight times.
    fn splat(x: f64) -> Self;
    /// From memory.
    fn load(from: &[Cell<f64>; 8]) -> Self;
    /// From data, which nobody writes.
    fn read(from: &Octet) -> Self;
    /// To memory.
    fn store(self, to: &[Cell<f64>; 8]);
    /// `self + other`.
    fn plus(self, other: Self) -> Self;
    /// `self * b + c`, rounded once.
    fn fma(self, b: Self, c: Self) -> Self;
    /// `self` in the first `n` places, `other` in the rest.
    fn first(self, n: usize, other: Self) -> Self;
}

/// For any CPU: eight numbers, and a fused product that may be a call.
#[derive(Clone, Copy)]
pub(crate) struct Portable(Octet);

impl Vector for Portable {
    const WIDE: usize = 4;
    #[inline(always)]
    fn splat(x: f64) -> Self {
        Portable([x; 8])
    }
    #[inline(always)]
    fn load(from: &[Cell<f64>; 8]) -> Self {
        Portable(std::array::from_fn(|p| from[p].get()))
    }
    #[inline(always)]
    fn read(from: &Octet) -> Self {
        Portable(*from)
    }
    #[inline(always)]
    fn store(self, to: &[Cell<f64>; 8]) {
        to.iter().zip(self.0).for_each(|(to, x)| to.set(x));
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Portable(std::array::from_fn(|p| self.0[p] + other.0[p]))
    }
    #[inline(always)]
    fn fma(self, b: Self, c: Self) -> Self {
        Portable(std::array::from_fn(|p| self.0[p].mul_add(b.0[p], c.0[p])))
    }
    #[inline(always)]
    fn first(self, n: usize, other: Self) -> Self {
        Portable(std::array::from_fn(|p| if p < n { self.0[p] } else { other.0[p] }))
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
#[allow(
    unsafe_code,
    reason = "only `kernels!` names these types, in functions compiled for the level and chosen after its features were found"
)]
mod x86 {
    use std::arch::x86_64 as cpu;
    use std::cell::Cell;

    use super::Vector;
    use crate::numeric::Octet;

    /// Two registers of four numbers.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(cpu::__m256d, cpu::__m256d);

    // SAFETY (all of these): the features are there, see the module; a reference to eight cells or numbers is valid for 64 bytes, and a cell has
    // the layout of its number.
    impl Vector for Avx2 {
        const WIDE: usize = 6;
        #[inline(always)]
        fn splat(x: f64) -> Self {
            unsafe { Avx2(cpu::_mm256_set1_pd(x), cpu::_mm256_set1_pd(x)) }
        }
        #[inline(always)]
        fn load(from: &[Cell<f64>; 8]) -> Self {
            let at = from.as_ptr().cast::<f64>();
            unsafe { Avx2(cpu::_mm256_loadu_pd(at), cpu::_mm256_loadu_pd(at.add(4))) }
        }
        #[inline(always)]
        fn read(from: &Octet) -> Self {
            let at = from.as_ptr();
            unsafe { Avx2(cpu::_mm256_loadu_pd(at), cpu::_mm256_loadu_pd(at.add(4))) }
        }
        #[inline(always)]
        fn store(self, to: &[Cell<f64>; 8]) {
            let at = to.as_ptr().cast::<f64>().cast_mut();
            unsafe {
                cpu::_mm256_storeu_pd(at, self.0);
                cpu::_mm256_storeu_pd(at.add(4), self.1);
            }
        }
        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            unsafe { Avx2(cpu::_mm256_add_pd(self.0, other.0), cpu::_mm256_add_pd(self.1, other.1)) }
        }
        #[inline(always)]
        fn fma(self, b: Self, c: Self) -> Self {
            unsafe { Avx2(cpu::_mm256_fmadd_pd(self.0, b.0, c.0), cpu::_mm256_fmadd_pd(self.1, b.1, c.1)) }
        }
        #[inline(always)]
        fn first(self, n: usize, other: Self) -> Self {
            unsafe {
                let n = cpu::_mm256_set1_epi64x(n as i64);
                let low = cpu::_mm256_cmpgt_epi64(n, cpu::_mm256_setr_epi64x(0, 1, 2, 3));
                let high = cpu::_mm256_cmpgt_epi64(n, cpu::_mm256_setr_epi64x(4, 5, 6, 7));
                Avx2(
                    cpu::_mm256_blendv_pd(other.0, self.0, cpu::_mm256_castsi256_pd(low)),
                    cpu::_mm256_blendv_pd(other.1, self.1, cpu::_mm256_castsi256_pd(high)),
                )
            }
        }
    }

    /// One register of eight numbers.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512(cpu::__m512d);

    impl Vector for Avx512 {
        const WIDE: usize = 16;
        #[inline(always)]
        fn splat(x: f64) -> Self {
            unsafe { Avx512(cpu::_mm512_set1_pd(x)) }
        }
        #[inline(always)]
        fn load(from: &[Cell<f64>; 8]) -> Self {
            unsafe { Avx512(cpu::_mm512_loadu_pd(from.as_ptr().cast())) }
        }
        #[inline(always)]
        fn read(from: &Octet) -> Self {
            unsafe { Avx512(cpu::_mm512_loadu_pd(from.as_ptr())) }
        }
        #[inline(always)]
        fn store(self, to: &[Cell<f64>; 8]) {
            unsafe { cpu::_mm512_storeu_pd(to.as_ptr().cast::<f64>().cast_mut(), self.0) }
        }
        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            unsafe { Avx512(cpu::_mm512_add_pd(self.0, other.0)) }
        }
        #[inline(always)]
        fn fma(self, b: Self, c: Self) -> Self {
            unsafe { Avx512(cpu::_mm512_fmadd_pd(self.0, b.0, c.0)) }
        }
        #[inline(always)]
        fn first(self, n: usize, other: Self) -> Self {
            unsafe { Avx512(cpu::_mm512_mask_blend_pd(((1_u32 << n.min(8)) - 1) as u8, other.0, self.0)) }
        }
    }
}
