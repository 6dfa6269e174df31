//! Plans the axes of a figure: what they must show, what may be cut off so that the rest can be seen, and their ticks.
//!
//! All panels share their axes, so that they can be compared.

use crate::numeric::elementary::{log10, pow};
use crate::report::figure::{Axis, Scale, Tick};
use crate::report::label::{alike, significant};
use crate::report::ticks::{nice_range, ticks};

/// How many times as long an axis may become by runs that diverged or rose.
const STRETCH: f64 = 30.0;
/// How many times the size of its values an axis may be long where all runs diverged or rose.
const ALL_WILD: f64 = 10.0;
/// Decades that such runs may add to a logarithmic axis at least.
const WILD_DECADES: f64 = 3.0;
/// Labels wanted.
const LABELS: usize = 6;

/// From the lowest to the highest of some numbers.
#[derive(Debug, Clone, Copy)]
struct Span {
    low: f64,
    high: f64,
}

impl Span {
    const NONE: Span = Span { low: f64::INFINITY, high: f64::NEG_INFINITY };

    fn add(&mut self, x: f64) {
        self.low = self.low.min(x);
        self.high = self.high.max(x);
    }

    fn is_some(self) -> bool {
        self.low <= self.high
    }

    fn join(self, other: Span) -> Span {
        Span { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
}

/// An axis in the making.
#[derive(Debug, Clone)]
pub(super) struct AxisPlan {
    pub(super) label: String,
    pub(super) scale: Scale,
    /// The ends, if they are said.
    pub(super) limits: Option<(f64, f64)>,
    /// The places of a categorical axis.
    pub(super) names: Vec<String>,
    /// Whether ticks between whole numbers mean nothing.
    pub(super) whole: bool,
    /// The whole axis, where the data say what it is; only its label is not.
    pub(super) fixed: Option<Axis>,
    calm: Span,
    /// Of runs that diverged or rose.
    wild: Span,
    starts: Span,
}

impl AxisPlan {
    pub(super) fn new(scale: Scale) -> AxisPlan {
        AxisPlan {
            label: String::new(),
            scale,
            limits: None,
            names: Vec::new(),
            whole: false,
            fixed: None,
            calm: Span::NONE,
            wild: Span::NONE,
            starts: Span::NONE,
        }
    }

    /// Whether a value has a place on the axis.
    pub(super) fn holds(&self, x: f64) -> bool {
        x.is_finite() && (self.scale != Scale::Log || x > 0.0)
    }

    /// A value below everything that can be shown: where the lower end of a band goes that has no place.
    pub(super) fn least(&self) -> f64 {
        if self.scale == Scale::Log { f64::MIN_POSITIVE } else { f64::MIN }
    }

    /// The axis should show this value.
    pub(super) fn show(&mut self, x: f64) {
        if self.holds(x) {
            self.calm.add(x);
        }
    }

    /// The axis should show these values in turn; of a run that diverged or rose at least the first.
    pub(super) fn show_run(&mut self, values: impl Iterator<Item = f64>, wild: bool) {
        let mut values = values.filter(|&x| self.holds(x)).collect::<Vec<f64>>().into_iter();
        if !wild {
            values.for_each(|x| self.calm.add(x));
        } else if let Some(first) = values.next() {
            self.starts.add(first);
            self.wild.add(first);
            values.for_each(|x| self.wild.add(x));
        }
    }

    /// The axis need not show this value, but may.
    pub(super) fn show_wild(&mut self, x: f64) {
        if self.holds(x) {
            self.wild.add(x);
        }
    }

    /// The interval shown, and whether something was cut off.
    fn range(&self) -> ((f64, f64), bool) {
        if let Some((low, high)) = self.limits {
            return (if low <= high { (low, high) } else { (high, low) }, false);
        }
        if self.scale == Scale::Categorical {
            return (nice_range(Scale::Categorical, 0.0, self.names.len().max(1) as f64 - 1.0), false);
        }
        let calm = self.calm.join(self.starts);
        let all = calm.join(self.wild);
        if !all.is_some() {
            return (nice_range(self.scale, f64::NAN, f64::NAN), false);
        }
        let (low, high) = if self.scale == Scale::Log { Self::tame_log(calm, all) } else { self.tame_linear(calm, all) };
        (nice_range(self.scale, low, high), low > all.low || high < all.high)
    }

    /// Ends that leave the calm runs visible.
    fn tame_linear(&self, calm: Span, all: Span) -> (f64, f64) {
        if !calm.is_some() {
            return (all.low, all.high);
        }
        // Halves, so that the difference of two huge numbers is finite.
        let length = calm.high / 2.0 - calm.low / 2.0;
        let size = calm.high.abs().max(calm.low.abs()) / 2.0;
        let (reference, room) = if self.calm.is_some() && length > 0.0 { (length, STRETCH) } else { (size.max(0.5), ALL_WILD) };
        if all.high / 2.0 - all.low / 2.0 <= reference * room {
            return (all.low, all.high);
        }
        let room = 2.0 * reference * if self.calm.is_some() { 0.5 } else { room };
        (all.low.max(calm.low - room), all.high.min(calm.high + room))
    }

    /// The same for a logarithmic axis.
    fn tame_log(calm: Span, all: Span) -> (f64, f64) {
        let decades = |span: Span| log10(span.high) - log10(span.low);
        if !calm.is_some() {
            return (all.low, all.high);
        }
        let room = (decades(calm) / 4.0).max(WILD_DECADES);
        if decades(all) <= decades(calm) + 2.0 * room {
            return (all.low, all.high);
        }
        let factor = pow(10.0, room);
        (all.low.max(calm.low / factor), all.high.min(calm.high * factor))
    }

    /// The axis, and a sentence about what was cut off.
    pub(super) fn finish(&self, name: &str) -> (Axis, Option<String>) {
        if let Some(axis) = &self.fixed {
            return (Axis { label: self.label.clone(), ..axis.clone() }, None);
        }
        let (range, cut) = self.range();
        let (major, mut minor) = if self.scale == Scale::Categorical {
            let name = |(at, label): (usize, String)| Tick { at: at as f64, label };
            (alike(self.names.clone()).into_iter().enumerate().map(name).collect(), Vec::new())
        } else {
            // Fewer labels until they are whole numbers, where others mean nothing.
            let whole = |(major, _): &(Vec<Tick>, Vec<f64>)| !self.whole || major.iter().all(|tick| tick.at.fract() == 0.0);
            let some = (2..=LABELS).rev().map(|wanted| ticks(self.scale, range, wanted)).find(whole);
            some.unwrap_or_else(|| ticks(self.scale, range, LABELS))
        };
        if self.whole {
            minor.retain(|at| at.fract() == 0.0);
        }
        let wild = self.wild;
        let note = cut.then(|| {
            let far = if wild.high.abs() >= wild.low.abs() { wild.high } else { wild.low };
            format!("The {name} axis is cut so that the other runs can be seen; runs that diverged or rose reach {}.", significant(far, 3))
        });
        (Axis { label: self.label.clone(), scale: self.scale, range, ticks: major, minor }, note)
    }
}

/// The place of a value in 0..1 on a scale.
pub(super) fn share(scale: Scale, (low, high): (f64, f64), value: f64) -> f64 {
    crate::report::ticks::Shares::new(scale, (low, high)).of(value).unwrap_or(f64::NAN).clamp(0.0, 1.0)
}
