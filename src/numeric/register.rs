//! Eight numbers in the registers of a CPU level, for the few loops whose speed depends on what stays in registers: matrix products.
//!
//! It has loads, stores and the fused multiply-add, which is exact on every level; everything else is left to the compiler.
//!
//! A level is a value of a type here. Such a value can be made only where the instructions of the level may be used, so that having one is the
//! proof that its methods are sound.

#![allow(clippy::inline_always, reason = "a body must be inlined into a function with target features to be compiled with them")]

use std::cell::Cell;

use super::Octet;

/// An octet in memory that others may see.
type Slot = [Cell<f64>; 8];

/// The registers of a level.
pub trait Registers: Copy {
    /// Whether there are thirty-two registers of eight numbers, and not sixteen of four.
    const MANY: bool;
    /// Eight numbers.
    type Eight: Copy;
    /// The same number eight times.
    fn splat(self, x: f64) -> Self::Eight;
    /// Eight numbers.
    fn octet(self, x: &Octet) -> Self::Eight;
    /// Eight numbers from memory.
    fn load(self, from: &Slot) -> Self::Eight;
    /// The numbers themselves.
    fn numbers(self, x: Self::Eight) -> Octet;
    /// Eight numbers into memory.
    fn store(self, to: &Slot, x: Self::Eight);
    /// `a*b + c`, rounded once.
    fn fma(self, a: Self::Eight, b: Self::Eight, c: Self::Eight) -> Self::Eight;
}

/// What every CPU has: left to the compiler.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl Registers for Plain {
    const MANY: bool = false;
    type Eight = Octet;

    #[inline(always)]
    fn splat(self, x: f64) -> Octet {
        [x; 8]
    }

    #[inline(always)]
    fn octet(self, x: &Octet) -> Octet {
        *x
    }

    #[inline(always)]
    fn load(self, from: &Slot) -> Octet {
        let mut out = [0.0; 8];
        for (out, from) in out.iter_mut().zip(from) {
            *out = from.get();
        }
        out
    }

    #[inline(always)]
    fn numbers(self, x: Octet) -> Octet {
        x
    }

    #[inline(always)]
    fn store(self, to: &Slot, x: Octet) {
        for (to, x) in to.iter().zip(x) {
            to.set(x);
        }
    }

    #[inline(always)]
    fn fma(self, a: Octet, b: Octet, c: Octet) -> Octet {
        let mut out = [0.0; 8];
        for p in 0..8 {
            out[p] = a[p].mul_add(b[p], c[p]);
        }
        out
    }
}

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "vector instructions of levels whose presence the receiver proves, on memory that the argument lends")]
mod x86 {
    use std::arch::x86_64::{
        __m256d, __m512d, _mm256_fmadd_pd, _mm256_loadu_pd, _mm256_set1_pd, _mm256_storeu_pd, _mm512_fmadd_pd, _mm512_loadu_pd,
        _mm512_set1_pd, _mm512_storeu_pd,
    };

    use super::{Octet, Registers, Slot};

    /// AVX2 and fused multiply-add.
    #[derive(Debug, Clone, Copy)]
    pub struct Avx2(());

    /// AVX-512.
    #[derive(Debug, Clone, Copy)]
    pub struct Avx512(());

    impl Avx2 {
        /// The level, where it may be used.
        #[must_use]
        #[inline]
        #[allow(clippy::missing_safety_doc, reason = "it is safe where its features are")]
        #[target_feature(enable = "avx2,fma")]
        pub fn new() -> Self {
            Avx2(())
        }
    }

    impl Avx512 {
        /// The level, where it may be used.
        #[must_use]
        #[inline]
        #[allow(clippy::missing_safety_doc, reason = "it is safe where its features are")]
        #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512cd,avx512dq,avx512vl")]
        pub fn new() -> Self {
            Avx512(())
        }
    }

    // SAFETY of all calls below: `self` exists only where its instructions may be used. Pointers come from references to eight numbers;
    // cells are as their contents in memory, and are never shared with another thread.

    impl Registers for Avx2 {
        const MANY: bool = false;
        type Eight = [__m256d; 2];

        #[inline(always)]
        fn splat(self, x: f64) -> [__m256d; 2] {
            [unsafe { _mm256_set1_pd(x) }; 2]
        }

        #[inline(always)]
        fn octet(self, x: &Octet) -> [__m256d; 2] {
            unsafe { [_mm256_loadu_pd(x.as_ptr()), _mm256_loadu_pd(x.as_ptr().add(4))] }
        }

        #[inline(always)]
        fn load(self, from: &Slot) -> [__m256d; 2] {
            let from = from.as_ptr().cast::<f64>();
            unsafe { [_mm256_loadu_pd(from), _mm256_loadu_pd(from.add(4))] }
        }

        #[inline(always)]
        fn numbers(self, x: [__m256d; 2]) -> Octet {
            let mut out = [0.0; 8];
            unsafe {
                _mm256_storeu_pd(out.as_mut_ptr(), x[0]);
                _mm256_storeu_pd(out.as_mut_ptr().add(4), x[1]);
            }
            out
        }

        #[inline(always)]
        fn store(self, to: &Slot, x: [__m256d; 2]) {
            let to = to.as_ptr().cast::<f64>().cast_mut();
            unsafe {
                _mm256_storeu_pd(to, x[0]);
                _mm256_storeu_pd(to.add(4), x[1]);
            }
        }

        #[inline(always)]
        fn fma(self, a: [__m256d; 2], b: [__m256d; 2], c: [__m256d; 2]) -> [__m256d; 2] {
            unsafe { [_mm256_fmadd_pd(a[0], b[0], c[0]), _mm256_fmadd_pd(a[1], b[1], c[1])] }
        }
    }

    impl Registers for Avx512 {
        const MANY: bool = true;
        type Eight = __m512d;

        #[inline(always)]
        fn splat(self, x: f64) -> __m512d {
            unsafe { _mm512_set1_pd(x) }
        }

        #[inline(always)]
        fn octet(self, x: &Octet) -> __m512d {
            unsafe { _mm512_loadu_pd(x.as_ptr()) }
        }

        #[inline(always)]
        fn load(self, from: &Slot) -> __m512d {
            unsafe { _mm512_loadu_pd(from.as_ptr().cast::<f64>()) }
        }

        #[inline(always)]
        fn numbers(self, x: __m512d) -> Octet {
            let mut out = [0.0; 8];
            unsafe { _mm512_storeu_pd(out.as_mut_ptr(), x) }
            out
        }

        #[inline(always)]
        fn store(self, to: &Slot, x: __m512d) {
            unsafe { _mm512_storeu_pd(to.as_ptr().cast::<f64>().cast_mut(), x) }
        }

        #[inline(always)]
        fn fma(self, a: __m512d, b: __m512d, c: __m512d) -> __m512d {
            unsafe { _mm512_fmadd_pd(a, b, c) }
        }
    }
}

/// As [`dispatch!`](crate::dispatch), for bodies whose first argument is the level's [`Registers`].
#[macro_export]
macro_rules! dispatch_registers {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) = $body:path;)+) => {$(
        $(#[$meta])*
        $vis fn $name(level: $crate::numeric::dispatch::Level, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[allow(clippy::missing_safety_doc, reason = "it is safe where its features are")]
        #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) {
                    $body($crate::numeric::register::Avx2::new(), $($arg),*)
                }
                #[allow(clippy::missing_safety_doc, reason = "it is safe where its features are")]
        #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512cd,avx512dq,avx512vl")]
                fn avx512($($arg: $ty),*) {
                    $body($crate::numeric::register::Avx512::new(), $($arg),*)
                }
                #[allow(unsafe_code, reason = "`usable` returns only levels whose features were detected on this CPU")]
                match level.usable() {
                    $crate::numeric::dispatch::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    $crate::numeric::dispatch::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::numeric::dispatch::Level::Baseline => {}
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            let _ = level;
            $body($crate::numeric::register::Plain, $($arg),*)
        }
    )+};
}
