//! Line searches: how far to go along a direction.
//!
//! They know no directions. A point where the loss is not finite is too far.

use super::oracle::Oracle;
use super::{NO_DECREASE, ROUNDING, Vector, dot};

const ENDLESS: &str = "the loss falls without end along a line";

/// A point on a line.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    /// How far along.
    pub(super) rate: f64,
    pub(super) x: Vector,
    pub(super) loss: f64,
    pub(super) gradient: Vector,
    /// The slope along the line.
    slope: f64,
}

impl Probe {
    fn at(oracle: &mut Oracle, x: &[f64], d: &[f64], rate: f64) -> Probe {
        let x = oracle.step(x, rate, d);
        let (loss, gradient) = oracle.slope(&x);
        let slope = dot(&gradient, d);
        Probe { rate, x, loss, gradient, slope }
    }
}

/// What a point on the line must be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// The loss and the slope at its start.
    pub(super) loss: f64,
    pub(super) slope: f64,
    pub(super) c1: f64,
    pub(super) c2: f64,
}

impl Line {
    /// Whether the loss falls enough (Armijo): or, where differences of losses are rounding, whether the slope says that it does (Hager and
    /// Zhang).
    fn falls(&self, probe: &Probe) -> bool {
        probe.loss <= self.loss + self.c1 * probe.rate * self.slope
            || (probe.loss <= self.loss + ROUNDING * self.loss.abs() && probe.slope <= (2.0 * self.c1 - 1.0) * self.slope)
    }

    fn flat(&self, probe: &Probe) -> bool {
        probe.slope.abs() <= -self.c2 * self.slope
    }
}

/// Trials of a search: one that needs more goes nowhere.
const TRIALS: usize = 60;

/// Multiplies the rate until the loss falls enough; or why there is no such rate. Nocedal and Wright, algorithm 3.1.
pub(super) fn armijo(oracle: &mut Oracle, x: &[f64], d: &[f64], rate: f64, shrink: f64, line: Line) -> Result<Probe, &'static str> {
    let mut rate = rate;
    for _ in 0..TRIALS {
        let probe = Probe::at(oracle, x, d, rate);
        if probe.loss.is_finite() && (line.falls(&probe) || probe.x == x) {
            return if probe.x == x { Err(NO_DECREASE) } else { Ok(probe) };
        }
        rate *= shrink;
    }
    Err(NO_DECREASE)
}

/// A point with the strong Wolfe conditions; or why none is found. Nocedal and Wright, algorithms 3.5 and 3.6.
pub(super) fn wolfe(oracle: &mut Oracle, x: &[f64], d: &[f64], rate: f64, line: Line) -> Result<Probe, &'static str> {
    let mut last = Probe { rate: 0.0, x: x.to_vec(), loss: line.loss, gradient: Vec::new(), slope: line.slope };
    let mut rate = rate;
    for trial in 0..TRIALS {
        let probe = Probe::at(oracle, x, d, rate);
        if !probe.loss.is_finite() || !line.falls(&probe) || (trial > 0 && probe.loss > last.loss + ROUNDING * line.loss.abs()) {
            return zoom(oracle, x, d, line, last, probe);
        }
        if line.flat(&probe) {
            return Ok(probe);
        }
        if probe.slope >= 0.0 {
            return zoom(oracle, x, d, line, probe, last);
        }
        rate *= 4.0;
        last = probe;
    }
    Err(ENDLESS)
}

/// Between `low`, which falls enough and has the lowest loss so far, and `high`.
fn zoom(oracle: &mut Oracle, x: &[f64], d: &[f64], line: Line, low: Probe, high: Probe) -> Result<Probe, &'static str> {
    let (mut low, mut high) = (low, high);
    for _ in 0..TRIALS {
        let rate = between(&low, &high);
        if rate == low.rate || rate == high.rate {
            break;
        }
        let probe = Probe::at(oracle, x, d, rate);
        if !probe.loss.is_finite() || !line.falls(&probe) || probe.loss > low.loss + ROUNDING * line.loss.abs() {
            high = probe;
            continue;
        }
        if line.flat(&probe) {
            return Ok(probe);
        }
        if probe.slope * (high.rate - low.rate) >= 0.0 {
            high = low;
        }
        low = probe;
    }
    // A decrease without the second condition is better than nothing.
    if low.rate > 0.0 && low.x != x { Ok(low) } else { Err(NO_DECREASE) }
}

/// The lowest point of the cubic through both (Nocedal and Wright, 3.59), but at least a tenth of the way from each; else the middle.
fn between(low: &Probe, high: &Probe) -> f64 {
    let (a, b) = (low.rate, high.rate);
    let middle = 0.5 * (a + b);
    let (fa, fb) = (low.loss, high.loss);
    if !fb.is_finite() || !high.slope.is_finite() {
        return middle;
    }
    let d1 = low.slope + high.slope - 3.0 * (fa - fb) / (a - b);
    let square = d1 * d1 - low.slope * high.slope;
    if square.is_nan() || square < 0.0 {
        return middle;
    }
    let d2 = if b > a { square.sqrt() } else { -square.sqrt() };
    let rate = b - (b - a) * ((high.slope + d2 - d1) / (high.slope - low.slope + 2.0 * d2));
    let margin = 0.1 * (b - a).abs();
    if rate.is_finite() && rate >= a.min(b) + margin && rate <= a.max(b) - margin { rate } else { middle }
}
