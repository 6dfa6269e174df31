//! A figure in the making: panels that are being filled, what their axes must show, and what the caption must say.
//!
//! Marks that depend on the ends of the axes (where a line leaves the picture) are placed last.

use super::axis::AxisPlan;
use crate::numeric::elementary::{log10, pow};
use crate::report::cells::{Place, Reader};
use crate::report::figure::{Axis, Ink, Layer, LegendEntry, LegendKind, MarkKind, Scale, Style};
use crate::report::label::listed;
use crate::results::Status;
use crate::results::view::{Band, Center};

/// What all panels share.
pub(super) struct Drawing<'a, 'r> {
    pub(super) reader: &'a Reader<'r>,
    /// The number of selected cells.
    pub(super) cells: usize,
    pub(super) x: AxisPlan,
    pub(super) y: AxisPlan,
    pub(super) center: Center,
    pub(super) band: Band,
    /// The fewest and the most runs behind a point that stands for several.
    pub(super) aggregated: Option<(usize, usize)>,
    /// What such a point stands for: `replicates`, `folds`.
    over: Vec<String>,
    /// Points without a place on a logarithmic axis: not positive in x, in y.
    dropped: (usize, usize),
    /// Runs that are marked because they diverged, or rose.
    marked: Vec<(Place, Status)>,
    /// Paths that end outside the picture.
    pub(super) left: usize,
    /// Whether a value that is not finite is marked though its run is well.
    pub(super) no_number: bool,
    /// Sentences for the caption.
    said: Vec<String>,
}

/// A panel being filled.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) layers: Vec<Layer>,
    endings: Vec<Ending>,
}

/// A mark that is placed when the axes are known.
enum Ending {
    /// At the end of a line, or where it leaves the picture for good.
    Line { layer: usize, kind: MarkKind, path: bool },
    /// At a point, or at the edge where its value lies beyond; at the upper edge if it is no number.
    Cross { at: (f64, f64), style: Style },
}

impl<'a, 'r> Drawing<'a, 'r> {
    pub(super) fn new(
        reader: &'a Reader<'r>,
        cells: usize,
        (x, y): (AxisPlan, AxisPlan),
        center: Center,
        band: Band,
        over: Vec<String>,
    ) -> Self {
        Drawing {
            reader,
            cells,
            x,
            y,
            center,
            band,
            aggregated: None,
            over,
            dropped: (0, 0),
            marked: Vec::new(),
            left: 0,
            no_number: false,
            said: Vec::new(),
        }
    }

    /// Adds a sentence to the caption, once.
    pub(super) fn say(&mut self, sentence: String) {
        if !self.said.contains(&sentence) {
            self.said.push(sentence);
        }
    }

    /// Whether a run is to be marked; remembers that it is.
    pub(super) fn mark(&mut self, place: Place) -> bool {
        let status = self.reader.run(place).status;
        let bad = matches!(status, Status::Diverged | Status::Rising);
        if bad && !self.marked.contains(&(place, status)) {
            self.marked.push((place, status));
        }
        bad
    }

    /// Points with those that have no place on the axes replaced by gaps.
    pub(super) fn placed(&mut self, points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
        let log = |axis: &AxisPlan| axis.scale == Scale::Log;
        let (log_x, log_y) = (log(&self.x), log(&self.y));
        let mut place = |(x, y): (f64, f64)| {
            if log_x && x <= 0.0 {
                self.dropped.0 += 1;
            } else if log_y && y <= 0.0 {
                self.dropped.1 += 1;
            }
            if self.x.holds(x) && self.y.holds(y) { (x, y) } else { (x, f64::NAN) }
        };
        points.into_iter().map(&mut place).collect()
    }

    /// Makes the axes show some points.
    pub(super) fn show(&mut self, points: &[(f64, f64)], wild: bool) {
        let drawn = || points.iter().filter(|(_, y)| y.is_finite());
        self.x.show_run(drawn().map(|p| p.0), wild);
        self.y.show_run(drawn().map(|p| p.1), wild);
    }

    /// The legend entry of the crosses.
    pub(super) fn cross_entry(&self, kind: LegendKind) -> Option<LegendEntry> {
        let seen = |status: Status| self.marked.iter().any(|(_, known)| *known == status);
        let reasons = [(seen(Status::Diverged), "diverged"), (seen(Status::Rising), "rising"), (self.no_number, "not finite")];
        let reasons: Vec<&str> = reasons.into_iter().filter(|reason| reason.0).map(|reason| reason.1).collect();
        let label = reasons.join(" or ");
        if label.is_empty() {
            return None;
        }
        Some(LegendEntry { label, style: Style { color: Ink::Black, ..Style::default() }, kind })
    }

    /// What the caption must say.
    pub(super) fn caption(&self) -> Vec<String> {
        let mut said = Vec::new();
        if let Some((least, most)) = self.aggregated {
            let center = if self.center == Center::Mean { "Mean" } else { "Median" };
            let over = if self.over.is_empty() { "runs".to_owned() } else { listed(&self.over) };
            let count = if least == most { most.to_string() } else { format!("{least} to {most}") };
            let band = match self.band {
                Band::Ci95 => ", with its 95 % t interval",
                Band::StdErr => ", with its standard error",
                Band::Std => ", with the standard deviation",
                Band::Iqr => ", with the quartiles",
                Band::Range => ", with the smallest and the largest",
                Band::None => "",
            };
            let ended = if least == most { "" } else { " (where some have ended, of the others)" };
            said.push(format!("{center} over {count} {over}{ended}{band}."));
            let diverged = self.marked.iter().filter(|(_, status)| *status == Status::Diverged).count();
            if diverged > 0 {
                said.push(format!("{diverged} of {} runs diverged; they count up to there.", self.cells));
            }
        }
        said.extend(self.said.iter().cloned());
        let (x, y) = self.dropped;
        let points = |n: usize, axis: &AxisPlan| {
            let verb = if n == 1 { "1 point is" } else { &format!("{n} points are") };
            let name = if axis.label.is_empty() { "the quantity".to_owned() } else { axis.label.clone() };
            format!("{verb} not drawn because {name} is not positive there.")
        };
        if x > 0 {
            said.push(points(x, &self.x));
        }
        if y > 0 {
            said.push(points(y, &self.y));
        }
        match self.left {
            0 => {}
            1 => said.push("1 path leaves the picture.".to_owned()),
            n => said.push(format!("{n} paths leave the picture.")),
        }
        said
    }
}

impl Sheet {
    /// Adds a line whose end is marked: with a cross if the run is bad, with a disc if it is a path.
    pub(super) fn push_run(&mut self, layer: Layer, bad: bool, path: bool) {
        if bad || path {
            let kind = if bad { MarkKind::Diverged } else { MarkKind::End };
            self.endings.push(Ending::Line { layer: self.layers.len(), kind, path });
        }
        self.layers.push(layer);
    }

    /// Adds a cross at a point, which may be beyond the picture.
    pub(super) fn push_cross(&mut self, at: (f64, f64), style: Style) {
        self.endings.push(Ending::Cross { at, style });
    }

    /// All layers, now that the axes are known.
    pub(super) fn finish(mut self, x: &Axis, y: &Axis, left: &mut usize) -> Vec<Layer> {
        for ending in std::mem::take(&mut self.endings) {
            match ending {
                Ending::Cross { at, style } => {
                    let height = if at.1.is_nan() { y.range.1 } else { at.1.clamp(y.range.0, y.range.1) };
                    self.layers.push(Layer::Mark { at: (at.0, height), kind: MarkKind::Diverged, style });
                }
                Ending::Line { layer, kind, path } => {
                    let (Layer::Line { points, style, .. } | Layer::Points { points, style }) = &mut self.layers[layer] else { continue };
                    let style = *style;
                    if let Some(end) = last_seen(points, x, y) {
                        if path && !end.inside {
                            *left += 1;
                            // What comes after would cross the picture from end to end.
                            points.truncate(end.index + 1);
                            points.push(end.at);
                        }
                        self.layers.push(Layer::Mark { at: end.at, kind, style });
                    }
                }
            }
        }
        self.layers
    }
}

/// Where a line is seen last: the index of its last point in the picture, and that point or where the line leaves.
struct End {
    index: usize,
    at: (f64, f64),
    inside: bool,
}

/// Where a line is seen last; `None` if no point of it is in the picture.
fn last_seen(points: &[(f64, f64)], x: &Axis, y: &Axis) -> Option<End> {
    let finite = |p: &(f64, f64)| p.0.is_finite() && p.1.is_finite();
    let inside = |p: &(f64, f64)| p.0 >= x.range.0 && p.0 <= x.range.1 && p.1 >= y.range.0 && p.1 <= y.range.1;
    let index = points.iter().rposition(inside)?;
    let from = points[index];
    let Some(to) = points[index + 1..].iter().copied().find(finite) else { return Some(End { index, at: from, inside: true }) };
    // The share of the step at which the first side is reached, measured as the axes lay it out.
    let share = |axis: &Axis, from: f64, to: f64| {
        let (low, high) = (along(axis, axis.range.0), along(axis, axis.range.1));
        let (from, to) = (along(axis, from), along(axis, to));
        if to >= low && to <= high {
            return 1.0;
        }
        let end = if to > high { high } else { low };
        (end / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0)
    };
    let t = share(x, from.0, to.0).min(share(y, from.1, to.1)).clamp(0.0, 1.0);
    let between = |axis: &Axis, from: f64, to: f64| {
        let place = along(axis, from) * (1.0 - t) + along(axis, to) * t;
        if axis.scale == Scale::Log { pow(10.0, place) } else { place }.clamp(axis.range.0, axis.range.1)
    };
    Some(End { index, at: (between(x, from.0, to.0), between(y, from.1, to.1)), inside: false })
}

/// A value as its axis lays it out.
fn along(axis: &Axis, value: f64) -> f64 {
    if axis.scale == Scale::Log { log10(value) } else { value }
}
