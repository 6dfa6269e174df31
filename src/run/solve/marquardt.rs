//! Levenberg's and Marquardt's method: damped Gauss-Newton steps, each solved by QR, with geodesic acceleration.
//!
//! The residuals were found when the unit was planned.

use super::oracle::Oracle;
use super::{AT_ROUNDING, End, NO_DECREASE, ROUNDING, Solver, Vector, diverged, dot, failed, moved, stopped};
use crate::numeric::linalg::{Qr, norm, qr, transpose};

/// Trials in one step: by then the damping has grown beyond all numbers.
const TRIALS: usize = 100;

/// The least part of the decrease that the model promises for which a step is taken.
const ENOUGH: f64 = 1e-4;

/// A promised decrease below this part of the squares may be one of their rounding, where the residuals are small beside the data.
const FINE: f64 = 1e-6;

/// What an undamped step must take off the gradient where losses cannot tell any more.
const PROGRESS: f64 = 0.9;

/// How large the second-order part of a step may be beside the first: beyond it the model is not to be trusted (Transtrum and Sethna).
const BEND: f64 = 0.75;

/// Damping and scale, and what is known at the point.
pub(super) struct Marquardt {
    xtol: f64,
    mu: f64,
    growth: f64,
    /// The norms of the columns of the Jacobian, falling by no more than half from step to step.
    scale: Vector,
    here: Option<Vector>,
}

/// The model at a point: residuals `r`, and their derivatives as a triangle `R` with `q = Q'r`.
struct Model {
    /// With orthonormal columns.
    basis: Vector,
    triangle: Vector,
    q: Vector,
    norms: Vector,
    square: f64,
    count: usize,
}

impl Model {
    fn of(oracle: &mut Oracle, x: &[f64], residuals: &[f64]) -> Model {
        let n = x.len();
        let columns = oracle.columns(x);
        let rows = residuals.len().max(n);
        // With fewer residuals than parameters, rows of zeros.
        let jacobian: Vector = columns.iter().flat_map(|column| column.iter().copied().chain(std::iter::repeat(0.0)).take(rows)).collect();
        let parts = qr(&transpose(&jacobian, n, rows), rows, n);
        let norms = columns.iter().map(|column| norm(column)).collect();
        let q = project(&parts.q, n, residuals);
        Model { basis: parts.q, triangle: parts.r, q, norms, square: dot(residuals, residuals), count: residuals.len() }
    }

    /// The step with a damping of each element, and the decrease that the model promises; nothing when it cannot be told.
    fn step(&self, damping: &[f64]) -> Option<(Vector, f64)> {
        let n = self.q.len();
        let parts = self.damped(damping);
        let step = against(&parts, &self.q)?;
        let pushed: Vector = (0..n).map(|i| dot(&self.triangle[i * n..(i + 1) * n], &step)).collect();
        let damped: Vector = damping.iter().zip(&step).map(|(d, s)| d * s).collect();
        Some((step, dot(&pushed, &pushed) + 2.0 * dot(&damped, &damped)))
    }

    /// Half of what a step bends by the second derivative of the residuals along it.
    fn bend(&self, damping: &[f64], curve: &[f64]) -> Option<Vector> {
        let n = self.q.len();
        let bend = against(&self.damped(damping), &project(&self.basis, n, curve))?;
        Some(bend.iter().map(|x| 0.5 * x).collect())
    }

    /// `R` over a diagonal, as a triangle again.
    fn damped(&self, damping: &[f64]) -> Qr {
        let n = self.q.len();
        let mut stacked = self.triangle.clone();
        for (i, d) in damping.iter().enumerate() {
            stacked.extend((0..n).map(|j| if i == j { *d } else { 0.0 }));
        }
        qr(&stacked, 2 * n, n)
    }

    /// `sqrt(diag(s^2 (R'R)^-1))`; no numbers where there are not more residuals than parameters, or `R` is singular.
    fn errors(&self) -> Vector {
        let n = self.q.len();
        let free = self.count.checked_sub(n).filter(|free| *free > 0);
        let Some(free) = free else { return vec![f64::NAN; n] };
        let deviation = (self.square / free as f64).sqrt();
        let mut squares = vec![0.0; n];
        for j in 0..n {
            let unit: Vector = (0..n).map(|i| f64::from(u8::from(i == j))).collect();
            let Some(column) = back(&self.triangle, &unit) else { return vec![f64::NAN; n] };
            for (square, x) in squares.iter_mut().zip(&column) {
                *square = x.mul_add(*x, *square);
            }
        }
        squares.iter().map(|square| deviation * square.sqrt()).collect()
    }
}

/// `Q'v`.
fn project(basis: &[f64], n: usize, v: &[f64]) -> Vector {
    (0..n).map(|j| v.iter().enumerate().fold(0.0, |sum: f64, (i, v)| basis[i * n + j].mul_add(*v, sum))).collect()
}

/// The solution of least squares against the first rows of a stack.
fn against(parts: &Qr, q: &[f64]) -> Option<Vector> {
    let right: Vector = project(&parts.q, q.len(), q).iter().map(|x| -x).collect();
    back(&parts.r, &right)
}

/// Solves with an upper triangle; nothing when it is singular.
fn back(triangle: &[f64], right: &[f64]) -> Option<Vector> {
    let n = right.len();
    let mut x = right.to_vec();
    for i in (0..n).rev() {
        let rest = (i + 1..n).fold(x[i], |sum: f64, j| (-triangle[i * n + j]).mul_add(x[j], sum));
        x[i] = rest / triangle[i * n + i];
    }
    x.iter().all(|x| x.is_finite()).then_some(x)
}

impl Marquardt {
    pub(super) fn new(oracle: &Oracle) -> Self {
        Marquardt { xtol: oracle.number("xtol"), mu: oracle.number("mu"), growth: 2.0, scale: vec![0.0; oracle.len], here: None }
    }
}

impl Marquardt {
    /// An undamped step where losses cannot tell any more whether it is one down: the gradient can.
    fn polish(&mut self, oracle: &mut Oracle, x: &mut Vector, model: &Model, step: &[f64]) -> Option<()> {
        let new = oracle.step(x, 1.0, step);
        let residuals = oracle.residuals(&new);
        if !residuals.iter().all(|r| r.is_finite()) || new == *x {
            return None;
        }
        let after = Model::of(oracle, &new, &residuals);
        if norm(&after.q) > PROGRESS * norm(&model.q) {
            return None;
        }
        self.here = Some(residuals);
        *x = new;
        Some(())
    }
}

impl Solver for Marquardt {
    fn next(&mut self, oracle: &mut Oracle, x: &mut Vector) -> Result<(), End> {
        let residuals = self.here.take().unwrap_or_else(|| oracle.residuals(x));
        let model = Model::of(oracle, x, &residuals);
        if !model.square.is_finite() || !model.norms.iter().all(|norm| norm.is_finite()) {
            return Err(diverged());
        }
        oracle.errors = Some(model.errors());
        for (scale, norm) in self.scale.iter_mut().zip(&model.norms) {
            *scale = (0.5 * *scale).max(*norm);
        }
        let undamped = model.step(&vec![0.0; x.len()]);
        if let Some((step, expected)) = &undamped {
            if step.iter().zip(&*x).all(|(d, x)| d.abs() <= self.xtol * x.abs()) {
                return Err(stopped(format!("an undamped step changes no parameter by more than {:e} of it", self.xtol)));
            }
            if *expected <= ROUNDING * model.square {
                return self.polish(oracle, x, &model, step).ok_or_else(|| stopped(AT_ROUNDING));
            }
        }
        let scale: Vector = self.scale.iter().map(|scale| if *scale > 0.0 { *scale } else { 1.0 }).collect();
        for _ in 0..TRIALS {
            let damping: Vector = scale.iter().map(|scale| self.mu.sqrt() * scale).collect();
            let scaled = |v: &[f64]| norm(&v.iter().zip(&scale).map(|(v, scale)| v * scale).collect::<Vector>());
            if let Some((step, expected)) = model.step(&damping)
                && let curve = oracle.curve(x, &step)
                && let Some(bend) = model.bend(&damping, &curve)
                && 2.0 * scaled(&bend) <= BEND * scaled(&step)
            {
                let new = oracle.step(&moved(x, 1.0, &step), 1.0, &bend);
                if new == *x {
                    break;
                }
                let residuals = oracle.residuals(&new);
                let gain = (model.square - dot(&residuals, &residuals)) / expected;
                if gain > ENOUGH {
                    let cube = (2.0 * gain - 1.0) * (2.0 * gain - 1.0) * (2.0 * gain - 1.0);
                    self.mu *= (1.0 - cube).max(1.0 / 3.0);
                    self.growth = 2.0;
                    self.here = Some(residuals);
                    *x = new;
                    return Ok(());
                }
            }
            self.mu *= self.growth;
            self.growth *= 2.0;
        }
        // Residuals that nearly vanish are known less well than their squares.
        match undamped {
            Some((step, expected)) if expected <= FINE * model.square => {
                self.polish(oracle, x, &model, &step).ok_or_else(|| stopped(AT_ROUNDING))
            }
            _ => Err(failed(NO_DECREASE)),
        }
    }
}
