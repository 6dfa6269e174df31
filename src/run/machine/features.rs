//! Features of a row of octets in the registers of a CPU level, however they are stored: the operands of contractions.
//!
//! It computes nothing.

use super::view::{AnyMatrix, Block, Data, Slot, Splat};
use crate::numeric::Octet;
use crate::numeric::vector::Vector;

/// An array of vectors by a loop: in a closure an instruction of the CPU level would stay a call.
macro_rules! each {
    ($v:ty, $n:expr, $t:ident, $value:expr) => {{
        let mut out = [<$v>::splat(0.0); $n];
        for $t in 0..$n {
            out[$t] = $value;
        }
        out
    }};
}
pub(super) use each;

/// A matrix of octets by row of octets and feature, `T` features at a time.
pub(super) trait Features: Copy {
    fn take<V: Vector, const T: usize>(self, outer: usize, feature: usize) -> [V; T];
}

/// `T` neighbours of a slice, with one check of bounds.
#[inline(always)]
fn part<X, const T: usize>(from: &[X], start: usize) -> &[X; T] {
    from[start..].first_chunk().expect("internal: a feature beyond its matrix")
}

impl Features for Block<'_> {
    #[inline(always)]
    fn take<V: Vector, const T: usize>(self, outer: usize, feature: usize) -> [V; T] {
        let slots: &[Slot; T] = part(self.0, outer * self.1 + feature);
        each!(V, T, t, V::load(&slots[t]))
    }
}

impl Features for Data<'_> {
    #[inline(always)]
    fn take<V: Vector, const T: usize>(self, outer: usize, feature: usize) -> [V; T] {
        let octets: &[Octet; T] = part(self.0, outer * self.1 + feature);
        each!(V, T, t, V::read(&octets[t]))
    }
}

impl Features for Splat<'_> {
    #[inline(always)]
    fn take<V: Vector, const T: usize>(self, outer: usize, feature: usize) -> [V; T] {
        let octets: &[Octet; T] = part(self.0, outer / 8 * self.1 + feature);
        each!(V, T, t, V::splat(octets[t][outer % 8]))
    }
}

impl Features for AnyMatrix<'_> {
    #[inline(always)]
    fn take<V: Vector, const T: usize>(self, outer: usize, feature: usize) -> [V; T] {
        match self {
            AnyMatrix::Block(m) => m.take(outer, feature),
            AnyMatrix::Data(m) => m.take(outer, feature),
            AnyMatrix::Splat(m) => m.take(outer, feature),
            AnyMatrix::Scalars(numbers) => each!(V, T, t, V::splat(numbers[feature + t].get())),
            AnyMatrix::Octets(slots) => each!(V, T, t, V::load(&slots[feature + t])),
        }
    }
}
