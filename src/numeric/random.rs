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

use super::elementary::{exp, ln, sqrt};
use super::linalg;
use super::poisson::poisson;

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
        let (tall, narrow) = (rows.max(columns), rows.min(columns));
        let normals: Vec<f64> = (0..tall * narrow).map(|_| self.normal()).collect();
        let mut qr = linalg::qr(&normals, tall, narrow);
        for j in 0..narrow {
            if qr.r[j * narrow + j] < 0.0 {
                qr.q.iter_mut().skip(j).step_by(narrow).for_each(|x| *x = -*x);
            }
        }
        if rows >= columns { qr.q } else { linalg::transpose(&qr.q, tall, narrow) }
    }
}

/// The quantile of the standard normal distribution for `0 < p <= 1/2`, to about `1e-15` of its value: M. J. Wichura's algorithm AS 241 (PPND16, 1988),
/// three quotients of polynomials of degree 7.
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q >= -0.425 {
        let r = 0.180625 - q * q;
        return q * polynomial(r, &NEAR.0) / polynomial(r, &NEAR.1);
    }
    let r = sqrt(-ln(p));
    let (r, (above, below)) = if r <= 5.0 { (r - 1.6, &MIDDLE) } else { (r - 5.0, &FAR) };
    -polynomial(r, above) / polynomial(r, below)
}

fn polynomial(x: f64, coefficients: &[f64; 8]) -> f64 {
    coefficients.iter().rev().fold(0.0, |value, c| value * x + c)
}

type Quotient = ([f64; 8], [f64; 8]);

const NEAR: Quotient = (
    [
        3.3871328727963666080e0,
        1.3314166789178437745e2,
        1.9715909503065514427e3,
        1.3731693765509461125e4,
        4.5921953931549871457e4,
        6.7265770927008700853e4,
        3.3430575583588128105e4,
        2.5090809287301226727e3,
    ],
    [
        1.0,
        4.2313330701600911252e1,
        6.8718700749205790830e2,
        5.3941960214247511077e3,
        2.1213794301586595867e4,
        3.9307895800092710610e4,
        2.8729085735721942674e4,
        5.2264952788528545610e3,
    ],
);
const MIDDLE: Quotient = (
    [
        1.42343711074968357734e0,
        4.63033784615654529590e0,
        5.76949722146069140550e0,
        3.64784832476320460504e0,
        1.27045825245236838258e0,
        2.41780725177450611770e-1,
        2.27238449892691845833e-2,
        7.74545014278341407640e-4,
    ],
    [
        1.0,
        2.05319162663775882187e0,
        1.67638483018380384940e0,
        6.89767334985100004550e-1,
        1.48103976427480074590e-1,
        1.51986665636164571966e-2,
        5.47593808499534494600e-4,
        1.05075007164441684324e-9,
    ],
);
const FAR: Quotient = (
    [
        6.65790464350110377720e0,
        5.46378491116411436990e0,
        1.78482653991729133580e0,
        2.96560571828504891230e-1,
        2.65321895265761230930e-2,
        1.24266094738807843860e-3,
        2.71155556874348757815e-5,
        2.01033439929228813265e-7,
    ],
    [
        1.0,
        5.99832206555887937690e-1,
        1.36929880922735805310e-1,
        1.48753612908506148525e-2,
        7.86869131145613259100e-4,
        1.84631831751005468180e-5,
        1.42151175831644588870e-7,
        2.04426310338993978564e-15,
    ],
);
