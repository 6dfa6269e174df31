//! Newton's method: full steps, or halved until the loss falls enough.
//!
//! The Hessian is scaled to a unit diagonal before it is solved, so that units of the parameters do not decide what is singular.

use super::oracle::Oracle;
use super::search::{Line, armijo};
use super::{AT_ROUNDING, End, ROUNDING, Solver, Vector, diverged, dot, failed, flat_enough, largest, stopped};
use crate::numeric::linalg::{cholesky, cholesky_solve, symmetric_eigen};

const SINGULAR: &str = "the Hessian is singular";
const UPHILL: &str = "the Newton direction does not descend: the Hessian is not positive definite";

/// What is known at the point, and how large the gradient was at the one before.
pub(super) struct Newton {
    armijo: bool,
    c1: f64,
    gtol: f64,
    here: Option<(f64, Vector)>,
    before: f64,
}

impl Newton {
    pub(super) fn new(oracle: &Oracle) -> Self {
        let [c1, gtol] = ["c1", "gtol"].map(|name| oracle.number(name));
        Newton { armijo: oracle.is("damping", "armijo"), c1, gtol, here: None, before: f64::INFINITY }
    }
}

impl Solver for Newton {
    fn next(&mut self, oracle: &mut Oracle, x: &mut Vector) -> Result<(), End> {
        let (loss, gradient) = self.here.take().unwrap_or_else(|| oracle.slope(x));
        if !loss.is_finite() {
            return Err(diverged());
        }
        let size = largest(&gradient);
        if size <= self.gtol {
            return Err(flat_enough(size, self.gtol));
        }
        let hessian = oracle.columns(x);
        let d = direction(&hessian, &gradient).ok_or_else(|| failed(SINGULAR))?;
        let slope = dot(&gradient, &d);
        // Where losses cannot tell any more, the gradient can.
        let small = slope.abs() <= ROUNDING * loss.abs();
        if small && size > 0.5 * self.before {
            return Err(stopped(AT_ROUNDING));
        }
        self.before = size;
        if !self.armijo || small {
            let new = oracle.step(x, 1.0, &d);
            if new == *x {
                return Err(stopped("a step changes nothing"));
            }
            *x = new;
            return Ok(());
        }
        if slope >= 0.0 {
            return Err(failed(UPHILL));
        }
        let probe = armijo(oracle, x, &d, 1.0, 0.5, Line { loss, slope, c1: self.c1, c2: 1.0 }).map_err(failed)?;
        self.here = Some((probe.loss, probe.gradient));
        *x = probe.x;
        Ok(())
    }
}

/// `-H^-1 g`; nothing when `H` is singular to working precision.
fn direction(columns: &[Vector], gradient: &[f64]) -> Option<Vector> {
    let n = columns.len();
    // Both halves, so that the matrix is symmetric.
    let entry = |i: usize, j: usize| 0.5 * (columns[i][j] + columns[j][i]);
    let scale: Vector = (0..n)
        .map(|i| {
            let largest = (0..n).fold(0.0, |m: f64, j| m.max(entry(i, j).abs()));
            let diagonal = entry(i, i).abs();
            // A diagonal that says nothing about its row is no scale.
            let size = if diagonal > f64::EPSILON * largest { diagonal } else { largest };
            if size > 0.0 { 1.0 / size.sqrt() } else { 1.0 }
        })
        .collect();
    let scaled: Vector = (0..n * n).map(|at| entry(at / n, at % n) * (scale[at / n] * scale[at % n])).collect();
    let right: Vector = gradient.iter().zip(&scale).map(|(g, s)| -g * s).collect();
    let least = f64::EPSILON * n as f64;
    let solution = match cholesky(&scaled, n) {
        Some(l) if (0..n).all(|i| l[i * n + i] * l[i * n + i] > least) => cholesky_solve(&l, &right, n, 1),
        _ => {
            let eigen = symmetric_eigen(&scaled, n)?;
            let largest = largest(&eigen.values);
            if eigen.values.iter().any(|value| value.abs() <= least * largest) {
                return None;
            }
            let column = |j: usize| (0..n).map(move |i| i * n + j);
            let mut solution = vec![0.0; n];
            for j in 0..n {
                let along = column(j).zip(&right).fold(0.0, |sum: f64, (at, r)| eigen.vectors[at].mul_add(*r, sum)) / eigen.values[j];
                for (s, at) in solution.iter_mut().zip(column(j)) {
                    *s = eigen.vectors[at].mul_add(along, *s);
                }
            }
            solution
        }
    };
    Some(solution.iter().zip(&scale).map(|(d, s)| d * s).collect())
}
