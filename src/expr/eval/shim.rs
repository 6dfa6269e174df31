//! Stand-ins for `crate::numeric` until that branch is merged.

pub(super) mod elementary {
    pub(in super::super) use libm::{
        acos, asin, atan, cos, cosh, erf, exp, expm1, log as ln, log1p, log2, log10, pow, sin, sinh, tan, tanh,
    };
    pub(in super::super) fn exp_neg_abs(x: f64) -> f64 {
        libm::exp(-x.abs())
    }
    pub(in super::super) fn sigmoid(x: f64) -> f64 {
        let e = exp_neg_abs(x);
        if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
    }
    pub(in super::super) fn softplus(x: f64) -> f64 {
        if x.is_nan() { x } else { x.max(0.0) + libm::log1p(exp_neg_abs(x)) }
    }
}
