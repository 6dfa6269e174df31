//! The simplex of Nelder and Mead, operation for operation as `SciPy` has it.
//!
//! It asks for losses alone; what is no number counts as infinite.

use super::oracle::Oracle;
use super::{End, Solver, Vector, diverged, stopped};

/// The corners, the best first.
pub(super) struct Simplex {
    adaptive: bool,
    spread: f64,
    xtol: f64,
    ftol: f64,
    corners: Vec<(f64, Vector)>,
}

impl Simplex {
    pub(super) fn new(oracle: &Oracle) -> Self {
        let [spread, xtol, ftol] = ["spread", "xtol", "ftol"].map(|name| oracle.number(name));
        Simplex { adaptive: oracle.is("coefficients", "adaptive"), spread, xtol, ftol, corners: Vec::new() }
    }

    fn begin(&mut self, oracle: &mut Oracle, x: &Vector) {
        self.corners.push((loss(oracle, x), x.clone()));
        for k in 0..x.len() {
            let mut corner = x.clone();
            corner[k] = if corner[k] == 0.0 { 0.00025 } else { (1.0 + self.spread) * corner[k] };
            let corner = oracle.within(corner);
            self.corners.push((loss(oracle, &corner), corner));
        }
        self.sort();
    }

    fn sort(&mut self) {
        self.corners.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
}

fn loss(oracle: &mut Oracle, x: &[f64]) -> f64 {
    let loss = oracle.value(x);
    if loss.is_nan() { f64::INFINITY } else { loss }
}

impl Solver for Simplex {
    fn next(&mut self, oracle: &mut Oracle, x: &mut Vector) -> Result<(), End> {
        if self.corners.is_empty() {
            self.begin(oracle, x);
            if !self.corners[0].0.is_finite() {
                return Err(diverged());
            }
        }
        let n = x.len();
        let (best, others) = (self.corners[0].clone(), &self.corners[1..]);
        let far = others.iter().flat_map(|(_, corner)| corner.iter().zip(&best.1)).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
        let high = others.iter().fold(0.0, |m: f64, (f, _)| m.max((best.0 - f).abs()));
        if far <= self.xtol && high <= self.ftol {
            return Err(stopped(format!("no corner is farther than {:e}, no loss higher by {:e}", self.xtol, self.ftol)));
        }
        let d = n as f64;
        let (rho, chi, psi, sigma) =
            if self.adaptive { (1.0, 1.0 + 2.0 / d, 0.75 - 1.0 / (2.0 * d), 1.0 - 1.0 / d) } else { (1.0, 2.0, 0.5, 0.5) };
        let centre: Vector = (0..n).map(|k| self.corners[..n].iter().fold(0.0, |sum, (_, corner)| sum + corner[k]) / d).collect();
        let worst = self.corners[n].clone();
        let second = self.corners[n - 1].0;
        // `(1 + a)*centre - a*worst`
        let point = |a: f64| -> Vector { centre.iter().zip(&worst.1).map(|(c, w)| (1.0 + a) * c - a * w).collect() };
        let mut trial = |a: f64| {
            let x = oracle.within(point(a));
            (loss(oracle, &x), x)
        };
        let reflected = trial(rho);
        let new = if reflected.0 < best.0 {
            let expanded = trial(rho * chi);
            Some(if expanded.0 < reflected.0 { expanded } else { reflected })
        } else if reflected.0 < second {
            Some(reflected)
        } else if reflected.0 < worst.0 {
            let contracted = trial(psi * rho);
            (contracted.0 <= reflected.0).then_some(contracted)
        } else {
            let contracted = trial(-psi);
            (contracted.0 < worst.0).then_some(contracted)
        };
        if let Some(new) = new {
            self.corners[n] = new;
        } else {
            for (f, corner) in &mut self.corners[1..] {
                for (c, b) in corner.iter_mut().zip(&best.1) {
                    *c = b + sigma * (*c - b);
                }
                *f = loss(oracle, corner);
            }
        }
        self.sort();
        x.clone_from(&self.corners[0].1);
        Ok(())
    }
}
