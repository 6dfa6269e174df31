//! Complex numbers, for the complex step: a derivative without cancellation.
//!
//! Imaginary parts are tiny (1e-100 and the like): terms of their square are below every rounding, and are left out.

use super::Number;
use crate::numeric::elementary;

/// `re + i*im` with a tiny `im`.
#[derive(Debug, Clone, Copy)]
pub(in crate::ask) struct Complex {
    pub(in crate::ask) re: f64,
    pub(in crate::ask) im: f64,
}

impl Complex {
    fn with(self, re: f64, slope: f64) -> Complex {
        Complex { re, im: if self.im == 0.0 { 0.0 } else { self.im * slope } }
    }
}

impl Number for Complex {
    fn of(x: f64) -> Self {
        Complex { re: x, im: 0.0 }
    }

    fn real(self) -> f64 {
        self.re
    }

    fn add(self, other: Self) -> Self {
        Complex { re: self.re + other.re, im: self.im + other.im }
    }

    fn neg(self) -> Self {
        Complex { re: -self.re, im: -self.im }
    }

    fn mul(self, other: Self) -> Self {
        Complex { re: self.re * other.re, im: self.re * other.im + self.im * other.re }
    }

    fn div(self, other: Self) -> Self {
        let re = self.re / other.re;
        Complex { re, im: (self.im - re * other.im) / other.re }
    }

    fn exp(self) -> Self {
        let e = elementary::exp(self.re);
        self.with(e, e)
    }

    fn expm1(self) -> Self {
        self.with(elementary::expm1(self.re), elementary::exp(self.re))
    }

    fn ln(self) -> Self {
        self.with(elementary::ln(self.re), 1.0 / self.re)
    }

    fn ln_1p(self) -> Self {
        self.with(elementary::log1p(self.re), 1.0 / (1.0 + self.re))
    }

    fn sqrt(self) -> Self {
        let root = elementary::sqrt(self.re);
        self.with(root, 0.5 / root)
    }

    fn sin(self) -> Self {
        self.with(elementary::sin(self.re), elementary::cos(self.re))
    }

    fn cos(self) -> Self {
        self.with(elementary::cos(self.re), -elementary::sin(self.re))
    }

    fn atan(self) -> Self {
        self.with(elementary::atan(self.re), 1.0 / (1.0 + self.re * self.re))
    }

    fn erf(self) -> Self {
        let slope = std::f64::consts::FRAC_2_SQRT_PI * elementary::exp(-self.re * self.re);
        self.with(elementary::erf(self.re), slope)
    }
}
