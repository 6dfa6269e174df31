//! Proximal gradient descent for a smooth part plus weighted absolute values, plain or with the momentum of Beck and Teboulle.
//!
//! The parts were found when the unit was planned.

use super::oracle::Oracle;
use super::{End, ROUNDING, Solver, Vector, diverged, dot, failed, largest, stopped};

/// Halvings of the rate in one step.
const HALVINGS: usize = 60;

/// The rate, and the point where the gradient is taken next.
pub(super) struct Proximal {
    rate: f64,
    accelerated: bool,
    search: bool,
    xtol: f64,
    weights: Option<Vector>,
    ahead: Option<Vector>,
    s: f64,
}

impl Proximal {
    pub(super) fn new(oracle: &Oracle) -> Self {
        let (accelerated, search) = (oracle.is("acceleration", "fista"), oracle.is("search", "backtracking"));
        Proximal { rate: oracle.number("lr"), accelerated, search, xtol: oracle.number("xtol"), weights: None, ahead: None, s: 1.0 }
    }
}

impl Solver for Proximal {
    fn next(&mut self, oracle: &mut Oracle, x: &mut Vector) -> Result<(), End> {
        if self.weights.is_none() {
            let weights = oracle.weights();
            if weights.iter().any(|c| c.is_nan() || *c < 0.0) {
                return Err(failed("the weight of an absolute value is negative"));
            }
            self.weights = Some(weights);
        }
        let weights = self.weights.as_deref().unwrap_or_default();
        let ahead = self.ahead.take().unwrap_or_else(|| x.clone());
        let (loss, gradient) = oracle.slope(&ahead);
        if !loss.is_finite() {
            return Err(diverged());
        }
        let mut new = oracle.within(threshold(&ahead, &gradient, weights, self.rate));
        if self.search {
            let mut tried = 0;
            loop {
                let change: Vector = new.iter().zip(&ahead).map(|(new, old)| new - old).collect();
                let model = loss + dot(&gradient, &change) + dot(&change, &change) / (2.0 * self.rate);
                if oracle.value(&new) <= model + ROUNDING * loss.abs() {
                    break;
                }
                tried += 1;
                if tried > HALVINGS {
                    return Err(failed("no rate is small enough"));
                }
                self.rate *= 0.5;
                new = oracle.within(threshold(&ahead, &gradient, weights, self.rate));
            }
        }
        let change: Vector = new.iter().zip(&*x).map(|(new, old)| new - old).collect();
        if largest(&change) <= self.xtol && ahead == *x {
            return Err(stopped(if self.xtol == 0.0 {
                "a step changes nothing".to_string()
            } else {
                format!("a step changes no parameter by more than {:e}", self.xtol)
            }));
        }
        if self.accelerated {
            let next = 0.5 * (1.0 + (4.0 * self.s).mul_add(self.s, 1.0).sqrt());
            let factor = (self.s - 1.0) / next;
            self.ahead = Some(new.iter().zip(&change).map(|(new, change)| factor.mul_add(*change, *new)).collect());
            self.s = next;
        }
        *x = new;
        Ok(())
    }
}

/// `soft_threshold(x - rate*g, rate*c)`.
fn threshold(x: &[f64], gradient: &[f64], weights: &[f64], rate: f64) -> Vector {
    let soft = |v: f64, t: f64| {
        if v > t {
            v - t
        } else if v < -t {
            v + t
        } else {
            0.0
        }
    };
    x.iter().zip(gradient).zip(weights).map(|((x, g), c)| soft(x - rate * g, rate * c)).collect()
}
