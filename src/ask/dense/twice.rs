//! Numbers with twice the digits: sums of two, about 30 digits.
//!
//! With each comes a bound of its error, so that two of them can be told apart. What overflows is not a number, and proves nothing.

use super::Number;
use crate::numeric::elementary;

/// The unevaluated sum of two numbers, the second below half a unit of the first.
#[derive(Debug, Clone, Copy)]
pub(in crate::ask) struct Twice(pub(in crate::ask) f64, pub(in crate::ask) f64);

const ONE: Twice = Twice(1.0, 0.0);
const LN_2: Twice = Twice(std::f64::consts::LN_2, 2.319_046_813_846_3e-17);
const PI: Twice = Twice(std::f64::consts::PI, 1.224_646_799_147_353_2e-16);
/// 2/sqrt(pi)
const TWO_OVER_ROOT_PI: Twice = Twice(std::f64::consts::FRAC_2_SQRT_PI, 1.533_545_961_316_588e-17);

/// The decimal number that is written for these bits, with twice the digits.
fn decimal(x: f64) -> Option<Twice> {
    let text = format!("{x:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let decimals = mantissa.split_once('.').map_or(Some(0), |(_, d)| i32::try_from(d.len()).ok())?;
    let digits: i64 = mantissa.replace('.', "").parse().ok()?;
    let power = exponent.parse::<i32>().ok()? - decimals;
    let (high, low) = (digits / 1_000_000, digits % 1_000_000);
    let whole = Twice(high as f64, 0.0).mul(Twice(1e6, 0.0)).add(Twice(low as f64, 0.0));
    // Powers of ten up to 22 are exact.
    let ten = |n: i32| (0..n).fold(1.0, |p, _| p * 10.0);
    match power {
        0..=22 => Some(whole.mul(Twice(ten(power), 0.0))),
        -22..0 => Some(whole.div(Twice(ten(-power), 0.0))),
        _ => None,
    }
}

fn exact_sum(a: f64, b: f64) -> Twice {
    let s = a + b;
    let t = s - a;
    Twice(s, (a - (s - t)) + (b - t))
}

impl Twice {
    fn scaled(self, power: i32) -> Twice {
        // In two steps: the range of the exponent is twice that of one factor.
        let part = |p: i32| f64::from_bits(((1023 + i64::from(p.clamp(-1022, 1023))) as u64) << 52);
        let (half, rest) = (part(power / 2), part(power - power / 2));
        Twice(self.0 * half * rest, self.1 * half * rest)
    }

    /// `exp(x) - 1` of small numbers: a series for `x/1024`, doubled ten times by `p <- p*(2 + p)`.
    fn expm1_small(self) -> Twice {
        let r = self.scaled(-10);
        let (mut term, mut sum) = (r, r);
        for n in 2..16 {
            term = term.mul(r).div(Twice(f64::from(n), 0.0));
            sum = sum.add(term);
        }
        (0..10).fold(sum, |p, _| p.mul(Twice(2.0, 0.0).add(p)))
    }

    /// The angle in a range around 0, by whole turns.
    fn turned(self) -> Twice {
        let turns = (self.0 / (2.0 * std::f64::consts::PI)).round();
        self.sub(PI.mul(Twice(2.0 * turns, 0.0)))
    }

    /// The series of the sine from its first term on.
    fn series(self, first: Twice, from: f64) -> Twice {
        let square = self.mul(self);
        let (mut term, mut sum) = (first, first);
        for n in 0..24 {
            let k = from + 2.0 * f64::from(n);
            term = term.mul(square).div(Twice(k * (k + 1.0), 0.0)).neg();
            sum = sum.add(term);
        }
        sum
    }
}

impl Number for Twice {
    fn of(x: f64) -> Self {
        Twice(x, 0.0)
    }

    fn real(self) -> f64 {
        self.0
    }

    /// The decimal number, or the famous one, that these bits stand for.
    fn constant(x: f64) -> Self {
        use std::f64::consts as known;
        let famous = [
            (known::PI, PI),
            (known::LN_2, LN_2),
            (known::FRAC_2_SQRT_PI, TWO_OVER_ROOT_PI),
            (known::E, Twice(known::E, 1.445_646_891_729_250_2e-16)),
            (known::LN_10, Twice(known::LN_10, -2.170_756_223_382_249_4e-16)),
        ];
        if let Some((_, value)) = famous.iter().find(|(bits, _)| bits.to_bits() == x.to_bits()) {
            return *value;
        }
        decimal(x).unwrap_or(Twice(x, 0.0))
    }

    fn add(self, other: Self) -> Self {
        let s = exact_sum(self.0, other.0);
        let t = exact_sum(self.1, other.1);
        let s = exact_sum(s.0, s.1 + t.0);
        exact_sum(s.0, s.1 + t.1)
    }

    fn neg(self) -> Self {
        Twice(-self.0, -self.1)
    }

    fn mul(self, other: Self) -> Self {
        let p = self.0 * other.0;
        let low = self.0.mul_add(other.0, -p) + (self.0 * other.1 + self.1 * other.0);
        exact_sum(p, low)
    }

    fn div(self, other: Self) -> Self {
        let mut quotient = Twice(self.0 / other.0, 0.0);
        for _ in 0..2 {
            let rest = self.sub(quotient.mul(other));
            quotient = quotient.add(Twice(rest.0 / other.0, 0.0));
        }
        quotient
    }

    fn exp(self) -> Self {
        if self.0 < -740.0 {
            return Twice(0.0, 0.0);
        }
        let k = (self.0 / std::f64::consts::LN_2).round();
        let rest = self.sub(Twice(k, 0.0).mul(LN_2));
        ONE.add(rest.expm1_small()).scaled(k as i32)
    }

    fn expm1(self) -> Self {
        if self.0.abs() < 0.5 { self.expm1_small() } else { self.exp().sub(ONE) }
    }

    /// A step of Newton from the number's logarithm.
    fn ln(self) -> Self {
        let start = Twice(elementary::ln(self.0), 0.0);
        start.add(self.mul(start.neg().exp()).sub(ONE))
    }

    fn ln_1p(self) -> Self {
        if self.0 > 0.5 {
            return ONE.add(self).ln();
        }
        let start = Twice(elementary::log1p(self.0), 0.0);
        let grown = start.expm1();
        start.add(self.sub(grown).div(ONE.add(grown)))
    }

    fn sqrt(self) -> Self {
        if self.0 == 0.0 {
            return self;
        }
        let start = Twice(elementary::sqrt(self.0), 0.0);
        start.add(self.sub(start.mul(start)).div(start.add(start)))
    }

    fn sin(self) -> Self {
        let x = self.turned();
        x.series(x, 2.0)
    }

    fn cos(self) -> Self {
        self.turned().series(ONE, 1.0)
    }

    /// A step of Newton for `tan(y) = x`, twice.
    fn atan(self) -> Self {
        let mut y = Twice(elementary::atan(self.0), 0.0);
        for _ in 0..2 {
            let (sin, cos) = (y.sin(), y.cos());
            y = y.sub(sin.sub(self.mul(cos)).mul(cos.add(self.mul(sin)).div(ONE.add(self.mul(self)))));
        }
        y
    }

    /// `2/sqrt(pi)*exp(-x^2)*sum 2^n x^(2n+1)/(2n+1)!!`, whose terms have one sign.
    fn erf(self) -> Self {
        if self.0.abs() > 9.0 {
            return Twice(self.0.signum(), 0.0);
        }
        let square = self.mul(self);
        let (mut term, mut sum) = (self, self);
        for n in 1..400 {
            term = term.mul(square).scale(2.0).div(Twice(2.0 * f64::from(n) + 1.0, 0.0));
            sum = sum.add(term);
            if term.0.abs() < sum.0.abs() * 1e-34 {
                break;
            }
        }
        TWO_OVER_ROOT_PI.mul(square.neg().exp()).mul(sum)
    }
}

/// A number with a bound of its error.
#[derive(Debug, Clone, Copy)]
pub(in crate::ask) struct Bounded {
    pub(in crate::ask) value: Twice,
    pub(in crate::ask) error: f64,
}

/// The relative error of one operation, with room to spare.
const ROUNDING: f64 = 1e-28;

impl Bounded {
    /// A value whose error is `slope` times that of what it was made of.
    fn from(self, value: Twice, slope: f64) -> Bounded {
        Bounded { value, error: self.error * slope.abs() * 1.01 + value.0.abs() * ROUNDING }
    }
}

impl Number for Bounded {
    fn of(x: f64) -> Self {
        Bounded { value: Twice(x, 0.0), error: 0.0 }
    }

    /// Numbers with many digits were rounded before.
    fn constant(x: f64) -> Self {
        let rounded = x.abs() * if format!("{x:e}").len() > 16 { 4e-16 } else { 0.0 };
        Bounded { value: Twice::constant(x), error: rounded }
    }

    fn real(self) -> f64 {
        self.value.0
    }

    fn add(self, other: Self) -> Self {
        let value = self.value.add(other.value);
        let size = self.value.0.abs().max(other.value.0.abs());
        Bounded { value, error: self.error + other.error + size * ROUNDING }
    }

    fn neg(self) -> Self {
        Bounded { value: self.value.neg(), error: self.error }
    }

    fn mul(self, other: Self) -> Self {
        let value = self.value.mul(other.value);
        let error = self.error * other.value.0.abs() + other.error * self.value.0.abs() + self.error * other.error;
        Bounded { value, error: error + value.0.abs() * ROUNDING }
    }

    fn div(self, other: Self) -> Self {
        let value = self.value.div(other.value);
        // A divisor that may be zero says nothing.
        let size = other.value.0.abs() - other.error;
        let error = if size > 0.0 { (self.error + value.0.abs() * other.error) / size } else { f64::INFINITY };
        Bounded { value, error: error + value.0.abs() * ROUNDING }
    }

    fn exp(self) -> Self {
        let value = self.value.exp();
        // The slope within the bound.
        self.from(value, value.0 * if self.error > 0.5 { f64::INFINITY } else { 2.0 })
    }

    fn ln(self) -> Self {
        let size = self.value.0 - self.error;
        let made = self.from(self.value.ln(), if size > 0.0 { 1.0 / size } else { f64::INFINITY });
        Bounded { error: made.error + ROUNDING, ..made }
    }

    fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        let size = self.value.0 - self.error;
        if size > 0.0 {
            self.from(value, 0.5 / elementary::sqrt(size))
        } else {
            Bounded { value, error: elementary::sqrt(2.0 * self.error) }
        }
    }

    fn sin(self) -> Self {
        let made = self.from(self.value.sin(), 1.0);
        Bounded { error: made.error + (1.0 + self.value.0.abs()) * ROUNDING, ..made }
    }

    fn cos(self) -> Self {
        let made = self.from(self.value.cos(), 1.0);
        Bounded { error: made.error + (1.0 + self.value.0.abs()) * ROUNDING, ..made }
    }

    fn atan(self) -> Self {
        let made = self.from(self.value.atan(), 1.0);
        Bounded { error: made.error + ROUNDING, ..made }
    }

    fn expm1(self) -> Self {
        let value = self.value.expm1();
        self.from(value, (value.0.abs() + 1.0) * if self.error > 0.5 { f64::INFINITY } else { 2.0 })
    }

    fn ln_1p(self) -> Self {
        let size = 1.0 + self.value.0 - self.error;
        self.from(self.value.ln_1p(), if size > 0.0 { 1.0 / size } else { f64::INFINITY })
    }

    fn erf(self) -> Self {
        let made = self.from(self.value.erf(), 1.2);
        Bounded { error: made.error + ROUNDING, ..made }
    }
}
