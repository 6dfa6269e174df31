//! Exact fractions: the coefficients and exponents of normal forms.
//!
//! What does not fit is `None`, and whoever asked gives up.

/// A fraction in lowest terms with a positive denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio {
    num: i128,
    den: i128,
}

fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.cast_signed()
}

impl Ratio {
    pub(super) const ZERO: Ratio = Ratio { num: 0, den: 1 };
    pub(super) const ONE: Ratio = Ratio { num: 1, den: 1 };
    pub(super) const HALF: Ratio = Ratio { num: 1, den: 2 };

    pub(super) fn whole(n: i128) -> Ratio {
        Ratio { num: n, den: 1 }
    }

    pub(super) fn new(num: i128, den: i128) -> Option<Ratio> {
        if den == 0 || num.unsigned_abs() > 1 << 120 || den.unsigned_abs() > 1 << 120 {
            return None;
        }
        let g = gcd(num, den).max(1) * den.signum();
        Some(Ratio { num: num / g, den: den / g })
    }

    /// The decimal number that a student would write for these bits.
    pub(super) fn of(x: f64) -> Option<Ratio> {
        if !x.is_finite() {
            return None;
        }
        let text = format!("{x:e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let exponent: i32 = exponent.parse().ok()?;
        let decimals = mantissa.split_once('.').map_or(Some(0), |(_, d)| i32::try_from(d.len()).ok())?;
        let digits: i128 = mantissa.replace('.', "").parse().ok()?;
        let power = exponent - decimals;
        let ten = 10i128.checked_pow(power.unsigned_abs())?;
        if power >= 0 { Ratio::new(digits.checked_mul(ten)?, 1) } else { Ratio::new(digits, ten) }
    }

    pub(super) fn plus(self, other: Ratio) -> Option<Ratio> {
        let g = gcd(self.den, other.den).max(1);
        let (left, right) = (self.num.checked_mul(other.den / g)?, other.num.checked_mul(self.den / g)?);
        Ratio::new(left.checked_add(right)?, self.den.checked_mul(other.den / g)?)
    }

    pub(super) fn minus(self) -> Ratio {
        Ratio { num: -self.num, den: self.den }
    }

    pub(super) fn times(self, other: Ratio) -> Option<Ratio> {
        let (a, b) = (gcd(self.num, other.den).max(1), gcd(other.num, self.den).max(1));
        Ratio::new((self.num / a).checked_mul(other.num / b)?, (self.den / b).checked_mul(other.den / a)?)
    }

    pub(super) fn inverse(self) -> Option<Ratio> {
        Ratio::new(self.den, self.num)
    }

    pub(super) fn power(self, n: i128) -> Option<Ratio> {
        let base = if n < 0 { self.inverse()? } else { self };
        let n = u32::try_from(n.unsigned_abs()).ok()?;
        Some(Ratio { num: base.num.checked_pow(n)?, den: base.den.checked_pow(n)? })
    }

    pub(super) fn is_zero(self) -> bool {
        self.num == 0
    }

    pub(super) fn is_negative(self) -> bool {
        self.num < 0
    }

    pub(super) fn abs(self) -> Ratio {
        Ratio { num: self.num.abs(), den: self.den }
    }

    /// The whole number it is, if it is one.
    pub(super) fn as_whole(self) -> Option<i128> {
        (self.den == 1).then_some(self.num)
    }

    /// The largest whole number not above.
    pub(super) fn floor(self) -> i128 {
        self.num.div_euclid(self.den)
    }

    pub(super) fn parts(self) -> (i128, i128) {
        (self.num, self.den)
    }
}
