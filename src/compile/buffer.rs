//! Numbers in memory that begin at a cache line, so that an octet never lies across two.
//!
//! It knows no layout beyond octets.

use std::sync::Arc;

use crate::numeric::Octet;

/// A zeroed, aligned array of octets.
#[derive(Debug, Default)]
pub struct Buffer {
    raw: Vec<f64>,
    skip: usize,
    octets: usize,
    /// The same numbers as bytes, if they have been made.
    bytes: Vec<[u8; 8]>,
}

impl Buffer {
    /// So many octets of zeros.
    #[must_use]
    pub fn zeros(octets: usize) -> Self {
        let raw = vec![0.0; octets * 8 + 8];
        // Where alignment cannot be told, the buffer is only slower.
        let skip = raw.as_ptr().align_offset(64).min(8);
        Buffer { raw, skip, octets, bytes: Vec::new() }
    }

    /// All numbers.
    #[must_use]
    pub fn numbers(&self) -> &[f64] {
        self.raw.get(self.skip..self.skip + self.octets * 8).unwrap_or(&[])
    }

    /// All numbers.
    pub fn numbers_mut(&mut self) -> &mut [f64] {
        self.raw.get_mut(self.skip..self.skip + self.octets * 8).unwrap_or(&mut [])
    }

    /// Keeps all numbers as bytes, too, if they are whole and small enough and come back with the same bits.
    pub fn narrow(&mut self) {
        let byte = |x: &f64| Some(*x as u8).filter(|&byte| f64::from(byte).to_bits() == x.to_bits());
        let bytes: Option<Vec<u8>> = self.numbers().iter().map(byte).collect();
        self.bytes = bytes.map(|bytes| bytes.as_chunks::<8>().0.to_vec()).unwrap_or_default();
    }

    /// The octets as bytes, if they are kept.
    #[must_use]
    pub fn bytes(&self) -> &[[u8; 8]] {
        &self.bytes
    }

    /// All octets.
    #[must_use]
    pub fn octets(&self) -> &[Octet] {
        self.numbers().as_chunks::<8>().0
    }

    /// All octets.
    pub fn octets_mut(&mut self) -> &mut [Octet] {
        self.numbers_mut().as_chunks_mut::<8>().0
    }
}

/// A shared buffer from an octet on: a column, or the rows of a batch in it.
#[derive(Debug, Clone)]
pub struct Window {
    /// The whole.
    pub buffer: Arc<Buffer>,
    /// The first octet that is seen.
    pub first: usize,
}

impl Window {
    /// The octets from the first one on.
    #[must_use]
    #[inline]
    pub fn octets(&self) -> &[Octet] {
        self.buffer.octets().get(self.first..).unwrap_or(&[])
    }
}

impl Window {
    /// The octets as bytes, if they are kept, from the first one on.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> &[[u8; 8]] {
        self.buffer.bytes().get(self.first..).unwrap_or(&[])
    }
}

impl From<Arc<Buffer>> for Window {
    fn from(buffer: Arc<Buffer>) -> Self {
        Window { buffer, first: 0 }
    }
}
