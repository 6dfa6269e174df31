//! Gradient descent with backtracking: Nocedal and Wright, algorithm 3.1.
//!
//! The search is in `search`.

use super::oracle::Oracle;
use super::search::{Line, armijo};
use super::{AT_ROUNDING, End, ROUNDING, Solver, Vector, diverged, dot, failed, flat_enough, largest, stopped};

/// The rate that is tried first, and what is known at the point.
pub(super) struct Backtracking {
    lr: f64,
    shrink: f64,
    c1: f64,
    gtol: f64,
    here: Option<(f64, Vector)>,
}

impl Backtracking {
    pub(super) fn new(oracle: &Oracle) -> Self {
        let [lr, shrink, c1, gtol] = ["lr", "shrink", "c1", "gtol"].map(|name| oracle.number(name));
        Backtracking { lr, shrink, c1, gtol, here: None }
    }
}

impl Solver for Backtracking {
    fn next(&mut self, oracle: &mut Oracle, x: &mut Vector) -> Result<(), End> {
        let (loss, gradient) = self.here.take().unwrap_or_else(|| oracle.slope(x));
        if !loss.is_finite() {
            return Err(diverged());
        }
        if largest(&gradient) <= self.gtol {
            return Err(flat_enough(largest(&gradient), self.gtol));
        }
        let d: Vector = gradient.iter().map(|g| -g).collect();
        let line = Line { loss, slope: dot(&gradient, &d), c1: self.c1, c2: 1.0 };
        let fine = self.lr * -line.slope <= ROUNDING * loss.abs();
        let probe =
            armijo(oracle, x, &d, self.lr, self.shrink, line).map_err(|why| if fine { stopped(AT_ROUNDING) } else { failed(why) })?;
        self.here = Some((probe.loss, probe.gradient));
        *x = probe.x;
        Ok(())
    }
}
