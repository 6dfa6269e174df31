//! An octet in the registers of a CPU level: what inner loops are written in, where eight separate numbers would be left to the vectoriser's luck.
//!
//! It is a [`Number`], so that the elementary functions can be computed in it, and moves to and from memory. All three types give the same bits,
//! because every operation is exact by IEEE 754 on each of the eight numbers alone.

#![allow(clippy::inline_always, reason = "a body must be inlined into a function with target features to be compiled with them")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use std::cell::Cell;

use super::Octet;
use super::elementary::number::Number;
use super::elementary::pack::Pack;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;

/// Eight numbers. Bodies that are generic over it are made by [`kernels!`](crate::kernels), which pairs each type with its level.
pub(crate) trait Vector: Number {
    /// Accumulators that fit into the registers beside their operands.
    const WIDE: usize;
    /// Whether there are thirty-two registers of eight numbers, and not sixteen of four.
    const MANY: bool = Self::WIDE > 8;

    /// From memory.
    fn load(from: &[Cell<f64>; 8]) -> Self;
    /// From data, which nobody writes.
    fn read(from: &Octet) -> Self;
    /// From whole numbers below 256.
    fn widen(from: [u8; 8]) -> Self;
    /// To memory.
    fn store(self, to: &[Cell<f64>; 8]);
    /// `self` in the first `n` places, `other` in the rest.
    fn first(self, n: usize, other: Self) -> Self;
}

/// For any CPU: eight numbers, and a fused product that may be a call.
pub(crate) type Portable = Pack<8>;

impl Vector for Portable {
    const WIDE: usize = 4;

    #[inline(always)]
    fn load(from: &[Cell<f64>; 8]) -> Self {
        Pack(std::array::from_fn(|p| from[p].get()))
    }

    #[inline(always)]
    fn read(from: &Octet) -> Self {
        Pack(*from)
    }

    #[inline(always)]
    fn widen(from: [u8; 8]) -> Self {
        Pack(std::array::from_fn(|p| f64::from(from[p])))
    }

    #[inline(always)]
    fn store(self, to: &[Cell<f64>; 8]) {
        to.iter().zip(self.0).for_each(|(to, x)| to.set(x));
    }

    #[inline(always)]
    fn first(self, n: usize, other: Self) -> Self {
        Pack(std::array::from_fn(|p| if p < n { self.0[p] } else { other.0[p] }))
    }
}

/// Asks for an octet of data that will be read soon. Whatever the address, it is only a hint.
#[inline(always)]
pub(crate) fn prefetch(data: &[Octet], at: usize) {
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code, reason = "a prefetch reads nothing and cannot fault, and every CPU of the architecture has it")]
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(data.as_ptr().wrapping_add(at).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (data, at);
}

/// Eight numbers, from what stands in registers.
#[inline(always)]
pub(crate) fn spill<V: Vector>(x: V) -> Octet {
    let cells = Octet::default().map(Cell::new);
    x.store(&cells);
    cells.map(Cell::into_inner)
}

/// The seldom case of [`Number::unless_beyond`].
#[cfg(target_arch = "x86_64")]
#[cold]
#[inline(never)]
fn beyond(value: Octet, x: Octet, limit: f64, f: fn(f64) -> f64) -> Octet {
    std::array::from_fn(|p| if x[p].abs() < limit { value[p] } else { f(x[p]) })
}
