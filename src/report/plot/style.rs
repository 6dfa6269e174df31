//! Who gets which colour, dash and symbol, and the legend that says so.
//!
//! It knows no coordinates.

use super::axis::{AxisPlan, share};
use crate::report::cells::Place;
use crate::report::figure::{Axis, ColorBar, ColorMap, Ink, LegendEntry, LegendGroup, LegendKind, Scale, Style};
use crate::report::keys::Channel;

/// Colours that can be told apart.
const COLORS: usize = 8;
/// Numbers that get a colour of their own; more are shown on a scale.
const NUMBERS: usize = 8;
/// Strands of one array that get a legend; more are shown on a scale.
const STRANDS: usize = 16;

/// What the strands of a plot (its quantities, the elements of an array) are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StrandsBy {
    Nothing,
    Color,
    Dash,
    Marker,
}

/// The looks of all series of a figure.
pub(super) struct Looks<'a, 'r> {
    pub(super) color: Channel<'a, 'r>,
    pub(super) dash: Channel<'a, 'r>,
    pub(super) marker: Channel<'a, 'r>,
    strands: Vec<String>,
    by: StrandsBy,
    /// The colour scale, where numbers are shown on one.
    scale: Option<Axis>,
}

impl<'a, 'r> Looks<'a, 'r> {
    /// `plan` is the colour axis as far as it was said; `one_array` whether all strands are elements of one array.
    pub(super) fn new(
        color: Channel<'a, 'r>,
        dash: Channel<'a, 'r>,
        marker: Channel<'a, 'r>,
        strands: Vec<String>,
        one_array: bool,
        plan: AxisPlan,
        said: Option<Scale>,
    ) -> Self {
        let by = match () {
            () if strands.len() < 2 => StrandsBy::Nothing,
            () if color.len() < 2 => StrandsBy::Color,
            () if dash.len() < 2 => StrandsBy::Dash,
            () if marker.len() < 2 => StrandsBy::Marker,
            () => StrandsBy::Dash,
        };
        let mut plan = plan;
        let numbers = match by {
            StrandsBy::Color if strands.len() > STRANDS && one_array => {
                "element".clone_into(&mut plan.label);
                plan.whole = true;
                Some((0..strands.len()).map(|at| at as f64).collect())
            }
            StrandsBy::Color => None,
            _ => color.numbers().filter(|numbers| numbers.len() > NUMBERS && said != Some(Scale::Categorical)).inspect(|_| {
                if plan.label.is_empty() {
                    color.names[0].clone_into(&mut plan.label);
                }
            }),
        };
        let scale = numbers.map(|numbers: Vec<f64>| {
            let low = numbers.iter().copied().filter(|x| x.is_finite()).fold(f64::INFINITY, f64::min);
            let high = numbers.iter().copied().filter(|x| x.is_finite()).fold(f64::NEG_INFINITY, f64::max);
            // Rates and penalties are chosen by factors: equal steps of colour for equal factors.
            plan.scale = said.unwrap_or(if low > 0.0 && high / low >= 100.0 { Scale::Log } else { Scale::Linear });
            let range = plan.limits.unwrap_or(if low < high { (low, high) } else { (low - 0.5, high + 0.5) });
            plan.limits = Some(range);
            plan.finish("colour").0
        });
        Looks { color, dash, marker, strands, by, scale }
    }

    /// Whether symbols tell anything.
    pub(super) fn has_symbols(&self) -> bool {
        self.by == StrandsBy::Marker || self.marker.len() > 1
    }

    /// Whether what all runs have in common is better left black: colours then mean runs.
    pub(super) fn leave_black(&self) -> bool {
        self.color.len() > 1 || self.strands.len() < 2
    }

    /// The look of a strand of a cell.
    pub(super) fn style(&self, place: Place, strand: usize) -> Style {
        self.style_of(self.color.index(place), self.dash.index(place), self.marker.index(place), strand)
    }

    fn style_of(&self, color: usize, dash: usize, marker: usize, strand: usize) -> Style {
        let count = self.strands.len().max(1);
        let (color, dash, marker) = match self.by {
            StrandsBy::Nothing => (color, dash, marker),
            StrandsBy::Color => (strand, dash, marker),
            StrandsBy::Dash => (color, dash * count + strand, marker),
            StrandsBy::Marker => (color, dash, strand),
        };
        if let Some(axis) = &self.scale {
            let number = if self.by == StrandsBy::Color { color as f64 } else { self.color.numbers().map_or(f64::NAN, |all| all[color]) };
            let place = share(axis.scale, axis.range, number);
            return Style { color: if place.is_nan() { Ink::Gray } else { Ink::Map(place) }, dash, marker };
        }
        // When the colours are used up, they come again with another dash, if dashes mean nothing else.
        let free = self.dash.len() < 2 && self.by != StrandsBy::Dash;
        Style { color: Ink::Series(color % COLORS), dash: if free { dash + color / COLORS } else { dash }, marker }
    }

    /// What the looks mean; empty where there is only one.
    pub(super) fn legend(&self, kind: LegendKind) -> Vec<LegendGroup> {
        let mut groups: Vec<LegendGroup> = Vec::new();
        let neutral = |style: Style| Style { color: Ink::Black, ..style };
        let mut told: Vec<&Vec<&str>> = Vec::new();
        let colored = self.by != StrandsBy::Color && self.scale.is_none();
        let with_symbol = if kind == LegendKind::Line { LegendKind::LinePoint } else { LegendKind::Point };
        for (number, channel, shown) in [(0, &self.color, colored), (1, &self.dash, true), (2, &self.marker, true)] {
            if channel.len() < 2 || !shown || told.contains(&&channel.names) {
                continue;
            }
            told.push(&channel.names);
            // Channels with the same keys share one entry.
            let same = |other: &Channel<'_, '_>| other.names == channel.names;
            let entry = |index: usize| {
                let at = |other: &Channel<'_, '_>, own: bool| if own || same(other) { index } else { 0 };
                let style = self.style_of(at(&self.color, number == 0), at(&self.dash, number == 1), at(&self.marker, number == 2), 0);
                let colors = same(&self.color) && colored;
                LegendEntry {
                    label: channel.short_label(index),
                    style: if colors { style } else { neutral(style) },
                    kind: if number == 2 { with_symbol } else { kind },
                }
            };
            groups.push(LegendGroup { title: channel.names.join(", "), entries: (0..channel.len()).map(entry).collect() });
        }
        if self.by != StrandsBy::Nothing && !(self.by == StrandsBy::Color && self.scale.is_some()) {
            let entry = |(strand, label): (usize, &String)| {
                let style = self.style_of(0, 0, 0, strand);
                LegendEntry {
                    label: label.clone(),
                    style: if self.by == StrandsBy::Color { style } else { neutral(style) },
                    kind: if self.by == StrandsBy::Marker { with_symbol } else { kind },
                }
            };
            groups.push(LegendGroup { title: String::new(), entries: self.strands.iter().enumerate().map(entry).collect() });
        }
        groups
    }

    /// The colour scale.
    pub(super) fn color_bar(&self) -> Option<ColorBar> {
        self.scale.clone().map(|axis| ColorBar { axis, map: ColorMap::Plain })
    }
}
