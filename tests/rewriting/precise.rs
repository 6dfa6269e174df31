//! Numbers of twice the precision, as sums of two, and the functions that references for the stability rules need.
//!
//! About 30 digits; no care is taken of overflow.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// The unevaluated sum of two numbers, the second below half a unit of the first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Twice(pub(crate) f64, pub(crate) f64);

fn exact_sum(a: f64, b: f64) -> Twice {
    let s = a + b;
    let t = s - a;
    Twice(s, (a - (s - t)) + (b - t))
}

impl Add for Twice {
    type Output = Twice;
    fn add(self, other: Twice) -> Twice {
        let s = exact_sum(self.0, other.0);
        let t = exact_sum(self.1, other.1);
        let s = exact_sum(s.0, s.1 + t.0);
        exact_sum(s.0, s.1 + t.1)
    }
}

impl Neg for Twice {
    type Output = Twice;
    fn neg(self) -> Twice {
        Twice(-self.0, -self.1)
    }
}

impl Sub for Twice {
    type Output = Twice;
    fn sub(self, other: Twice) -> Twice {
        self + -other
    }
}

impl Mul for Twice {
    type Output = Twice;
    fn mul(self, other: Twice) -> Twice {
        let p = self.0 * other.0;
        let low = self.0.mul_add(other.0, -p) + (self.0 * other.1 + self.1 * other.0);
        exact_sum(p, low)
    }
}

impl Div for Twice {
    type Output = Twice;
    fn div(self, other: Twice) -> Twice {
        let mut quotient = Twice(self.0 / other.0, 0.0);
        for _ in 0..2 {
            let rest = self - quotient * other;
            quotient = quotient + Twice(rest.0 / other.0, 0.0);
        }
        quotient
    }
}

/// A number as it is.
pub(crate) fn twice(x: f64) -> Twice {
    Twice(x, 0.0)
}

pub(crate) const ONE: Twice = Twice(1.0, 0.0);
const LN_2: Twice = Twice(std::f64::consts::LN_2, 2.319_046_813_846_3e-17);

impl Twice {
    fn scaled(self, power: i32) -> Twice {
        // In two steps: the range of the exponent is twice that of one factor.
        let half = f64::from_bits(((1023 + i64::from(power / 2)) as u64) << 52);
        let rest = f64::from_bits(((1023 + i64::from(power - power / 2)) as u64) << 52);
        Twice(self.0 * half * rest, self.1 * half * rest)
    }

    /// `exp(x) - 1` of small numbers: a series for `x/1024`, doubled ten times by `p <- p*(2 + p)`.
    fn expm1_small(self) -> Twice {
        let r = self.scaled(-10);
        let mut term = r;
        let mut sum = r;
        for n in 2..16 {
            term = term * r / twice(f64::from(n));
            sum = sum + term;
        }
        (0..10).fold(sum, |p, _| p * (twice(2.0) + p))
    }

    pub(crate) fn exp(self) -> Twice {
        let k = (self.0 / std::f64::consts::LN_2).round();
        let rest = self - twice(k) * LN_2;
        (ONE + rest.expm1_small()).scaled(k as i32)
    }

    pub(crate) fn expm1(self) -> Twice {
        if self.0.abs() < 0.5 { self.expm1_small() } else { self.exp() - ONE }
    }

    /// One step of Newton from the correctly rounded value.
    pub(crate) fn ln(self) -> Twice {
        let start = twice(core_math::log(self.0));
        start + (self * (-start).exp() - ONE)
    }

    pub(crate) fn ln_1p(self) -> Twice {
        if self.0 > 0.5 {
            return (ONE + self).ln();
        }
        let start = twice(core_math::log1p(self.0));
        let grown = start.expm1();
        start + (self - grown) / (ONE + grown)
    }

    /// A series; for moderate numbers.
    pub(crate) fn sin(self) -> Twice {
        let mut term = self;
        let mut sum = self;
        for n in 1..40 {
            let n = f64::from(n);
            term = -(term * self * self) / twice(2.0 * n * (2.0 * n + 1.0));
            sum = sum + term;
        }
        sum
    }

    pub(crate) fn sigmoid(self) -> Twice {
        if self.0 < 0.0 {
            let e = self.exp();
            e / (ONE + e)
        } else {
            ONE / (ONE + (-self).exp())
        }
    }

    pub(crate) fn softplus(self) -> Twice {
        if self.0 > 0.0 { self + (-self).exp().ln_1p() } else { self.exp().ln_1p() }
    }

    pub(crate) fn tanh(self) -> Twice {
        let grown = (self + self).expm1();
        grown / (grown + twice(2.0))
    }
}

/// How many bits of a result are wrong beyond a slack: 0 for the nearest number, 64 where it is not finite.
pub(crate) fn bits_wrong(found: f64, truth: Twice, slack: f64) -> f64 {
    if !found.is_finite() {
        return 64.0;
    }
    let unit = f64::from_bits(truth.0.abs().to_bits() + 1) - truth.0.abs();
    let slack = if slack.is_finite() { slack } else { 0.0 };
    let error = (twice(found) - truth).0.abs() / unit.max(slack);
    core_math::log2(1.0 + (error - 0.5).max(0.0)).min(64.0)
}
