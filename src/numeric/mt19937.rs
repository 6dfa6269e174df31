//! NumPy's legacy generator `numpy.random.RandomState`, so that a notebook's draws can be replayed bit for bit.
//!
//! It is the Mersenne Twister MT19937 with the distributions as NumPy froze them in version 1.16. It is not for new specs: those use [`super::random`].

use super::elementary::ln_rounded;
use super::poisson::poisson;

const N: usize = 624;
const M: usize = 397;

/// The state of one generator.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomState {
    words: [u32; N],
    next: usize,
    /// The second normal of a pair, kept for the next call.
    spare: Option<f64>,
}

impl RandomState {
    /// `numpy.random.RandomState(seed)`, or `numpy.random.seed(seed)`: a single seed of 32 bits.
    pub fn new(seed: u32) -> Self {
        let mut words = [0; N];
        let mut word = seed;
        for (i, slot) in words.iter_mut().enumerate() {
            *slot = word;
            word = (word ^ (word >> 30)).wrapping_mul(1812433253).wrapping_add(i as u32 + 1);
        }
        RandomState { words, next: N, spare: None }
    }

    fn refill(&mut self) {
        for i in 0..N {
            let mixed = (self.words[i] & 0x8000_0000) | (self.words[(i + 1) % N] & 0x7fff_ffff);
            let odd = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
            self.words[i] = self.words[(i + M) % N] ^ (mixed >> 1) ^ odd;
        }
        self.next = 0;
    }

    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.next == N {
            self.refill();
        }
        let mut y = self.words[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// `random_sample()`, `rand()`: uniform in `[0, 1)` with 53 bits, from two words.
    pub fn uniform(&mut self) -> f64 {
        let a = self.next_u32() >> 5;
        let b = self.next_u32() >> 6;
        (f64::from(a) * 67108864.0 + f64::from(b)) / 9007199254740992.0
    }

    /// `standard_normal()`, `randn()`: Marsaglia's polar method, the second of each pair kept.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let x1 = 2.0 * self.uniform() - 1.0;
            let x2 = 2.0 * self.uniform() - 1.0;
            let r2 = x1 * x1 + x2 * x2;
            if r2 < 1.0 && r2 != 0.0 {
                let f = (-2.0 * ln_rounded(r2) / r2).sqrt();
                self.spare = Some(f * x1);
                return f * x2;
            }
        }
    }

    /// `uniform(low, high)`.
    pub fn uniform_between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// `normal(mean, deviation)`.
    pub fn normal_with(&mut self, mean: f64, deviation: f64) -> f64 {
        mean + deviation * self.normal()
    }

    /// A whole number from 0 to `max` inclusive as `shuffle` and `choice` draw it: words (two when `max` needs more than 32 bits) cut to the
    /// bits of `max`, until one is not above it.
    fn interval(&mut self, max: u64) -> u64 {
        if max == 0 {
            return 0;
        }
        let mask = u64::MAX >> max.leading_zeros();
        loop {
            let word = if u32::try_from(max).is_ok() {
                u64::from(self.next_u32())
            } else {
                // NumPy puts the first word high.
                let high = u64::from(self.next_u32());
                high << 32 | u64::from(self.next_u32())
            };
            if word & mask <= max {
                return word & mask;
            }
        }
    }

    /// `randint(low, high + 1)`: a whole number, both ends included. `None` when `high < low`.
    pub fn integer(&mut self, low: i64, high: i64) -> Option<i64> {
        let range = u64::try_from(i128::from(high) - i128::from(low)).ok()?;
        Some(low.wrapping_add(self.interval(range).cast_signed()))
    }

    /// `poisson(mean)`. `None` when the mean is negative, not a number or above `1e15`.
    pub fn poisson(&mut self, mean: f64) -> Option<f64> {
        poisson(mean, || self.uniform())
    }

    /// `rand() < p`, as a notebook draws it.
    pub fn bernoulli(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// `shuffle(x)`: from the last element down, each exchanged with one at or before it.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.interval(i as u64) as usize;
            items.swap(i, j);
        }
    }

    /// `permutation(n)`.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }

    /// `choice(n, size, replace=False)`: the beginning of a permutation. `None` when `size > n`.
    pub fn choice(&mut self, n: usize, size: usize) -> Option<Vec<usize>> {
        let mut order = self.permutation(n);
        (size <= n).then(|| {
            order.truncate(size);
            order
        })
    }
}
