//! Random streams keyed by purpose, and the distributions drawn from them, defined bit for bit.
//!
//! A stream belongs to what is drawn (the start of `W`, the order of epoch 7 of replicate 3), never to a thread or to when it is drawn.
//! NumPy's legacy generator is in [`super::mt19937`].
//!
//! # The definition
//! - **Key**: BLAKE3 in its key derivation mode, context `optrun random stream 1`, over: the seed; the purpose's length and its UTF-8 bytes; the name's
//!   length and bytes; the number of indices and the indices. All numbers are 8 bytes, least significant first.
//! - **Bits**: the keystream of ChaCha with 8 rounds, that 32-byte key, nonce 0, block counter from 0 (64 bits); a draw takes the next 8 bytes, least
//!   significant first: [`Stream::next_u64`].
//! - **Distributions**: at each method below. Every method says how many draws it takes.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::elementary::{exp, ln};
use super::linalg;
use super::poisson::poisson;
use super::quantile::normal_quantile;

/// One stream of random numbers.
#[derive(Debug, Clone)]
pub struct Stream(ChaCha8Rng);

const TWO_53: f64 = 9007199254740992.0;

impl Stream {
    /// The stream of a seed, a purpose (`"start"`, `"order"`), what it is for (`"W"`) and indices (replicate, epoch).
    pub fn new(seed: u64, purpose: &str, name: &str, indices: &[u64]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("optrun random stream 1");
        hasher.update(&seed.to_le_bytes());
        for text in [purpose, name] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.update(&(indices.len() as u64).to_le_bytes());
        for index in indices {
            hasher.update(&index.to_le_bytes());
        }
        Stream(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// 64 uniform bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `[0, 1)`: the upper 53 bits of one draw, times `2^-53`.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / TWO_53
    }

    /// Uniform between two numbers: `low + (high - low) u`.
    pub fn uniform_between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// `exp` of a number uniform between `ln low` and `ln high`; both must be above 0.
    pub fn log_uniform(&mut self, low: f64, high: f64) -> f64 {
        exp(self.uniform_between(ln(low), ln(high)))
    }

    /// The standard normal distribution by inversion of one draw: with `k` its upper 53 bits, the quantile of `(k + 1/2) 2^-53`.
    pub fn normal(&mut self) -> f64 {
        let k = self.next_u64() >> 11;
        let half = 1u64 << 52;
        // The distance from the nearer end is exact, that from the farther one would not be.
        if k < half { normal_quantile((k as f64 + 0.5) / TWO_53) } else { -normal_quantile(((2 * half - 1 - k) as f64 + 0.5) / TWO_53) }
    }

    /// A normal distribution: `mean + deviation z`.
    pub fn normal_with(&mut self, mean: f64, deviation: f64) -> f64 {
        mean + deviation * self.normal()
    }

    /// A whole number from `low` to `high`, both included, each equally likely: with `n = high - low + 1` the upper 64 bits of the product of a draw
    /// and `n`, drawn again while the lower 64 bits are below `2^64 mod n`. `None` when `high < low`.
    pub fn integers(&mut self, low: i64, high: i64) -> Option<i64> {
        let last = u64::try_from(i128::from(high) - i128::from(low)).ok()?;
        Some(low.wrapping_add(self.up_to(last).cast_signed()))
    }

    /// A whole number from 0 to `last`.
    fn up_to(&mut self, last: u64) -> u64 {
        let Some(n) = last.checked_add(1) else { return self.next_u64() };
        let reject = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= reject {
                return (product >> 64) as u64;
            }
        }
    }

    /// Whether `uniform() < p`.
    pub fn bernoulli(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// A Poisson count: below a mean of 10 by products of uniform numbers until one is at most `exp(-mean)`, from there on by Hörmann's
    /// transformed rejection (PTRS, 1993). `None` when the mean is negative, not a number or above `1e15`.
    pub fn poisson(&mut self, mean: f64) -> Option<f64> {
        poisson(mean, || self.uniform())
    }

    /// One of `n` positions, as [`integers`](Self::integers) from 0. `None` when there are none.
    pub fn choice(&mut self, n: usize) -> Option<usize> {
        n.checked_sub(1).map(|last| self.up_to(last as u64) as usize)
    }

    /// Exchanges items from the last down to the second, each with one at or before it (Fisher and Yates); a draw each.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.up_to(i as u64) as usize;
            items.swap(i, j);
        }
    }

    /// The numbers below `n`, shuffled.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }

    /// A matrix of `rows` x `columns`, row by row, with orthonormal columns (rows, where it is wide), uniform among those: the `Q` of the Householder QR
    /// of a tall matrix of normals drawn row by row, where `R` has a positive diagonal, transposed where the matrix is wide.
    pub fn orthogonal(&mut self, rows: usize, columns: usize) -> Vec<f64> {
        orthogonal(rows, columns, || self.normal())
    }
}

/// See [`Stream::orthogonal`]; the normals come from elsewhere.
pub fn orthogonal(rows: usize, columns: usize, mut normal: impl FnMut() -> f64) -> Vec<f64> {
    let (tall, narrow) = (rows.max(columns), rows.min(columns));
    let normals: Vec<f64> = (0..tall * narrow).map(|_| normal()).collect();
    let mut qr = linalg::qr(&normals, tall, narrow);
    for j in 0..narrow {
        if qr.r[j * narrow + j] < 0.0 {
            qr.q.iter_mut().skip(j).step_by(narrow).for_each(|x| *x = -*x);
        }
    }
    if rows >= columns { qr.q } else { linalg::transpose(&qr.q, tall, narrow) }
}
