//! Complex numbers and their elementary functions, written so that the imaginary part keeps its relative accuracy when it is 1e-30.
//!
//! They use the platform's functions and none of the program's: the derivatives are to be checked independently.

#![allow(clippy::disallowed_methods, reason = "a reference must not use what it checks")]

use std::f64::consts::FRAC_2_SQRT_PI;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// `re + i*im`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Complex {
    pub(crate) re: f64,
    pub(crate) im: f64,
}

pub(crate) const fn real(re: f64) -> Complex {
    Complex { re, im: 0.0 }
}

impl Add for Complex {
    type Output = Complex;
    fn add(self, b: Complex) -> Complex {
        Complex { re: self.re + b.re, im: self.im + b.im }
    }
}

impl Sub for Complex {
    type Output = Complex;
    fn sub(self, b: Complex) -> Complex {
        Complex { re: self.re - b.re, im: self.im - b.im }
    }
}

impl Mul for Complex {
    type Output = Complex;
    fn mul(self, b: Complex) -> Complex {
        Complex { re: self.re * b.re - self.im * b.im, im: self.re * b.im + self.im * b.re }
    }
}

impl Div for Complex {
    type Output = Complex;
    fn div(self, b: Complex) -> Complex {
        let size = b.re * b.re + b.im * b.im;
        Complex { re: (self.re * b.re + self.im * b.im) / size, im: (self.im * b.re - self.re * b.im) / size }
    }
}

impl Neg for Complex {
    type Output = Complex;
    fn neg(self) -> Complex {
        Complex { re: -self.re, im: -self.im }
    }
}

impl Complex {
    pub(crate) fn exp(self) -> Complex {
        let size = self.re.exp();
        Complex { re: size * self.im.cos(), im: size * self.im.sin() }
    }

    pub(crate) fn expm1(self) -> Complex {
        Complex { re: self.re.exp_m1(), im: self.re.exp() * self.im.sin() }
    }

    /// Of a number with a positive real part; NaN otherwise, as for real numbers.
    pub(crate) fn ln(self) -> Complex {
        if self.re < 0.0 { real(f64::NAN) } else { Complex { re: self.re.hypot(self.im).ln(), im: self.im.atan2(self.re) } }
    }

    pub(crate) fn log1p(self) -> Complex {
        Complex { re: self.re.ln_1p(), im: self.im.atan2(1.0 + self.re) }
    }

    /// Of a number with a positive real part.
    pub(crate) fn sqrt(self) -> Complex {
        let root = self.re.sqrt();
        Complex { re: root, im: if self.im == 0.0 { 0.0 } else { self.im / (2.0 * root) } }
    }

    pub(crate) fn sin(self) -> Complex {
        Complex { re: self.re.sin() * self.im.cosh(), im: self.re.cos() * self.im.sinh() }
    }

    pub(crate) fn cos(self) -> Complex {
        Complex { re: self.re.cos() * self.im.cosh(), im: -self.re.sin() * self.im.sinh() }
    }

    pub(crate) fn sinh(self) -> Complex {
        Complex { re: self.re.sinh() * self.im.cos(), im: self.re.cosh() * self.im.sin() }
    }

    pub(crate) fn cosh(self) -> Complex {
        Complex { re: self.re.cosh() * self.im.cos(), im: self.re.sinh() * self.im.sin() }
    }

    /// `z` or `-z`, whichever has a real part that is not negative.
    pub(crate) fn abs(self) -> Complex {
        if self.re < 0.0 { -self } else { self }
    }

    pub(crate) fn tanh(self) -> Complex {
        let e = (real(-2.0) * self.abs()).exp();
        let size = (real(1.0) - e) / (real(1.0) + e);
        if self.re < 0.0 { -size } else { size }
    }

    pub(crate) fn sigmoid(self) -> Complex {
        let e = (-self.abs()).exp();
        (if self.re < 0.0 { e } else { real(1.0) }) / (real(1.0) + e)
    }

    pub(crate) fn softplus(self) -> Complex {
        let rest = (-self.abs()).exp().log1p();
        if self.re < 0.0 { rest } else { self + rest }
    }

    /// Three halvings of the angle, then the series.
    pub(crate) fn atan(self) -> Complex {
        let mut z = self;
        for _ in 0..3 {
            z = z / (real(1.0) + (real(1.0) + z * z).sqrt());
        }
        let (mut sum, mut power) = (z, z);
        for n in 1..30 {
            power = -(power * z * z);
            sum = sum + power / real(f64::from(2 * n + 1));
        }
        real(8.0) * sum
    }

    pub(crate) fn asin(self) -> Complex {
        (self / ((real(1.0) - self) * (real(1.0) + self)).sqrt()).atan()
    }

    /// `2/sqrt(pi) exp(-z^2) sum(2^n z^(2n+1)/(2n+1)!!)`, whose terms have one sign; for moderate `z`.
    pub(crate) fn erf(self) -> Complex {
        let (mut sum, mut term) = (self, self);
        for n in 1..80 {
            term = term * self * self * real(2.0 / f64::from(2 * n + 1));
            sum = sum + term;
        }
        real(FRAC_2_SQRT_PI) * (-(self * self)).exp() * sum
    }

    /// By multiplication for a whole exponent, so that the base may be negative; otherwise by the logarithm.
    pub(crate) fn pow(self, b: Complex) -> Complex {
        if b.im == 0.0 && b.re.fract() == 0.0 && b.re.abs() < 64.0 {
            let product = (0..b.re.abs() as u32).fold(real(1.0), |product, _| product * self);
            if b.re < 0.0 { real(1.0) / product } else { product }
        } else {
            (b * self.ln()).exp()
        }
    }
}
