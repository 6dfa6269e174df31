//! Limited-memory BFGS: Nocedal and Wright, algorithms 7.4 and 7.5, with a search for the strong Wolfe conditions.
//!
//! The search is in `search`.

use std::collections::VecDeque;

use super::oracle::Oracle;
use super::search::{Line, Probe, wolfe};
use super::{AT_ROUNDING, End, NO_DECREASE, ROUNDING, Solver, Vector, diverged, dot, failed, flat_enough, largest, stopped};

/// A step and what it did to the gradient.
struct Pair {
    s: Vector,
    y: Vector,
    rho: f64,
}

/// The last steps, and what is known at the point.
pub(super) struct Lbfgs {
    memory: usize,
    c1: f64,
    c2: f64,
    gtol: f64,
    pairs: VecDeque<Pair>,
    here: Option<(f64, Vector)>,
}

impl Lbfgs {
    pub(super) fn new(oracle: &Oracle) -> Self {
        let [memory, c1, c2, gtol] = ["memory", "c1", "c2", "gtol"].map(|name| oracle.number(name));
        Lbfgs { memory: memory as usize, c1, c2, gtol, pairs: VecDeque::new(), here: None }
    }

    /// `-H g` by the two loops.
    fn direction(&self, gradient: &[f64]) -> Vector {
        let mut d: Vector = gradient.iter().map(|g| -g).collect();
        let mut parts = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let part = pair.rho * dot(&pair.s, &d);
            add(&mut d, -part, &pair.y);
            parts.push(part);
        }
        if let Some(last) = self.pairs.back() {
            let scale = 1.0 / (last.rho * dot(&last.y, &last.y));
            for d in &mut d {
                *d *= scale;
            }
        }
        for (pair, part) in self.pairs.iter().zip(parts.into_iter().rev()) {
            let other = pair.rho * dot(&pair.y, &d);
            add(&mut d, part - other, &pair.s);
        }
        d
    }

    fn search(&self, oracle: &mut Oracle, x: &[f64], loss: f64, gradient: &[f64], d: &[f64]) -> Result<Probe, &'static str> {
        let slope = dot(gradient, d);
        if slope.is_nan() || slope >= 0.0 {
            return Err(NO_DECREASE);
        }
        let rate = if self.pairs.is_empty() { (1.0 / dot(gradient, gradient).sqrt()).min(1.0) } else { 1.0 };
        wolfe(oracle, x, d, rate, Line { loss, slope, c1: self.c1, c2: self.c2 })
    }
}

impl Solver for Lbfgs {
    fn next(&mut self, oracle: &mut Oracle, x: &mut Vector) -> Result<(), End> {
        let (loss, gradient) = self.here.take().unwrap_or_else(|| oracle.slope(x));
        if !loss.is_finite() {
            return Err(diverged());
        }
        if largest(&gradient) <= self.gtol {
            return Err(flat_enough(largest(&gradient), self.gtol));
        }
        let d = self.direction(&gradient);
        let expected = dot(&gradient, &d).abs();
        let mut found = self.search(oracle, x, loss, &gradient, &d);
        if found.is_err() && !self.pairs.is_empty() {
            // What is remembered may be of no use here.
            self.pairs.clear();
            found = self.search(oracle, x, loss, &gradient, &self.direction(&gradient));
        }
        let probe = found.map_err(|why| if expected <= ROUNDING * loss.abs() { stopped(AT_ROUNDING) } else { failed(why) })?;
        let s: Vector = probe.x.iter().zip(&*x).map(|(new, old)| new - old).collect();
        let y: Vector = probe.gradient.iter().zip(&gradient).map(|(new, old)| new - old).collect();
        let along = dot(&s, &y);
        if along > f64::EPSILON * dot(&y, &y) {
            if self.pairs.len() == self.memory {
                self.pairs.pop_front();
            }
            self.pairs.push_back(Pair { s, y, rho: 1.0 / along });
        }
        self.here = Some((probe.loss, probe.gradient));
        *x = probe.x;
        Ok(())
    }
}

/// `to += factor*v`.
fn add(to: &mut [f64], factor: f64, v: &[f64]) {
    for (to, v) in to.iter_mut().zip(v) {
        *to = factor.mul_add(*v, *to);
    }
}
