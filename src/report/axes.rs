//! A coordinate system on paper: where values lie, its grid, frame, ticks and labels.
//!
//! It draws no data, and chooses no ticks: those stand in the figure; it leaves out labels that would overlap.

use super::figure::{Axis, Scale};
use super::font::{CAP, Font};
use super::palette;
use super::scene::{Anchor, Point, Rect, Scene, Shape, TextLook, UPWARDS};
use super::ticks::{Shares, nice_range};

/// Sizes of the texts of an axis.
pub(super) const TICK_SIZE: f64 = 10.5;
pub(super) const LABEL_SIZE: f64 = 12.0;
/// Lengths of ticks and the room between them and their labels.
const TICK: f64 = 4.0;
const MINOR: f64 = 2.2;
const GAP: f64 = 3.5;
/// Room between tick labels and the label of the axis, and between neighbouring tick labels.
const LABEL_GAP: f64 = 7.0;
const BETWEEN: f64 = 7.0;
/// Widest tick label.
const WIDEST: f64 = 130.0;
/// Labels of categories that do not fit side by side rise like this (by 35 degrees), if there are at most so many.
const RISING: Point = (0.819_152_044_288_992, -0.573_576_436_351_046);
const TURNED: usize = 24;

/// Where the values of two axes lie on the paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub(super) area: Rect,
    x: Shares,
    y: Shares,
}

/// The range of an axis, mended if it is not one.
pub(super) fn sound_range(axis: &Axis) -> (f64, f64) {
    let (low, high) = axis.range;
    let sound = low.is_finite() && high.is_finite() && low < high && (axis.scale != Scale::Log || low > 0.0);
    if sound { (low, high) } else { nice_range(axis.scale, low, high) }
}

impl Frame {
    pub(super) fn new(area: Rect, x: &Axis, y: &Axis) -> Frame {
        Frame { area, x: Shares::new(x.scale, sound_range(x)), y: Shares::new(y.scale, sound_range(y)) }
    }

    /// The horizontal place of a value; one far outside is moved to where it is still far outside.
    pub(super) fn x(&self, value: f64) -> Option<f64> {
        Some(self.area.left + self.x.of(value)?.clamp(-1e5, 1e5) * self.area.width())
    }

    /// The vertical place of a value.
    pub(super) fn y(&self, value: f64) -> Option<f64> {
        Some(self.area.bottom - self.y.of(value)?.clamp(-1e5, 1e5) * self.area.height())
    }

    pub(super) fn at(&self, point: Point) -> Option<Point> {
        Some((self.x(point.0)?, self.y(point.1)?))
    }

    /// The lines of the grid.
    pub(super) fn grid(&self, scene: &mut Scene, x: &Axis, y: &Axis) {
        let area = self.area;
        let inside = |place: &f64, low: f64, high: f64| *place > low + 0.5 && *place < high - 0.5;
        if x.scale != Scale::Categorical {
            for place in x.ticks.iter().filter_map(|t| self.x(t.at)).filter(|p| inside(p, area.left, area.right)) {
                scene.stroke((place, area.top), (place, area.bottom), palette::GRID, 0.75);
            }
        }
        for place in y.ticks.iter().filter_map(|t| self.y(t.at)).filter(|p| inside(p, area.top, area.bottom)) {
            scene.stroke((area.left, place), (area.right, place), palette::GRID, 0.75);
        }
    }

    /// The line around it.
    pub(super) fn outline(&self, scene: &mut Scene) {
        let Rect { left, top, right, bottom } = self.area;
        scene.shapes.push(Shape::Line {
            points: vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top), (right, top)],
            paint: palette::FRAME.into(),
            width: 0.75,
            dash: Vec::new(),
        });
    }
}

/// Which labels are shown so that none overlaps: every one, or every second, and so on, counted from the one at
/// zero if there is one.
fn shown(places: &[Option<f64>], extents: &[f64], zero: usize) -> Vec<bool> {
    let count = places.len();
    let fits = |stride: usize| {
        let kept: Vec<(f64, f64)> =
            (0..count).filter(|i| i % stride == zero % stride).filter_map(|i| Some((places[i]?, extents[i]))).collect();
        kept.windows(2).all(|w| (w[1].0 - w[0].0).abs() >= f64::midpoint(w[0].1, w[1].1) + BETWEEN)
    };
    let stride = (1..count.max(1)).find(|&s| fits(s)).unwrap_or(count.max(1));
    (0..count).map(|i| i % stride == zero % stride).collect()
}

/// The places of ticks, `None` for those outside the range.
fn places(axis: &Axis, place: impl Fn(f64) -> Option<f64>, low: f64, high: f64) -> Vec<Option<f64>> {
    axis.ticks.iter().map(|t| place(t.at).filter(|p| *p >= low - 1e-6 && *p <= high + 1e-6)).collect()
}

fn zero_of(axis: &Axis) -> usize {
    axis.ticks.iter().position(|t| t.at == 0.0 && axis.scale == Scale::Linear).unwrap_or(0)
}

/// The side of a frame on which a vertical axis stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// The room of the ticks and tick labels of a vertical axis.
pub(super) fn side_ticks_depth(font: &Font, axis: &Axis) -> f64 {
    if axis.ticks.is_empty() {
        return 0.0;
    }
    TICK + GAP + font.widest(axis.ticks.iter().map(|t| t.label.as_str()), TICK_SIZE).min(WIDEST)
}

/// The room of a label of an axis.
pub(super) fn label_depth(label: &str) -> f64 {
    if label.is_empty() { 0.0 } else { LABEL_GAP + LABEL_SIZE }
}

/// Draws the ticks and tick labels of a vertical axis.
pub(super) fn draw_side(scene: &mut Scene, font: &Font, frame: &Frame, axis: &Axis, side: Side, labels: bool) {
    let area = frame.area;
    let (edge, outward, anchor) = match side {
        Side::Left => (area.left, -1.0, Anchor::End),
        Side::Right => (area.right, 1.0, Anchor::Start),
    };
    let inside = |p: &f64| *p >= area.top - 1e-6 && *p <= area.bottom + 1e-6;
    for place in axis.minor.iter().filter_map(|v| frame.y(*v)).filter(inside) {
        scene.stroke((edge, place), (edge + outward * MINOR, place), palette::FRAME, 0.6);
    }
    let places = places(axis, |v| frame.y(v), area.top, area.bottom);
    let kept = shown(&places, &vec![CAP * TICK_SIZE - 2.0; places.len()], zero_of(axis));
    for ((tick, place), kept) in axis.ticks.iter().zip(places).zip(kept) {
        let Some(place) = place else { continue };
        scene.stroke((edge, place), (edge + outward * if kept { TICK } else { MINOR }, place), palette::FRAME, 0.75);
        if labels && kept {
            let base = (edge + outward * (TICK + GAP), place + CAP * TICK_SIZE / 2.0);
            scene.text(font, base, &font.fit(&tick.label, TICK_SIZE, WIDEST), TextLook::new(TICK_SIZE, palette::BLACK, anchor));
        }
    }
}

/// The size of the label of an axis: smaller if it is too long for its room, but still to be read.
fn shrunk(font: &Font, label: &str, room: f64) -> f64 {
    let share = room / font.width(label, LABEL_SIZE).max(1.0);
    (LABEL_SIZE * share).clamp(LABEL_SIZE * 0.75, LABEL_SIZE)
}

/// Draws the label of a vertical axis, reading upwards, with its outer edge at `x`.
pub(super) fn draw_side_label(scene: &mut Scene, font: &Font, label: &str, x: f64, area: Rect, room: f64, side: Side) {
    let base = match side {
        Side::Left => x + LABEL_SIZE * 0.82,
        Side::Right => x - LABEL_SIZE * 0.18,
    };
    let size = shrunk(font, label, room);
    let look = TextLook { along: UPWARDS, ..TextLook::new(size, palette::BLACK, Anchor::Middle) };
    scene.text(font, (base, area.middle().1), &font.fit(label, size, room), look);
}

/// The labels of a horizontal axis, as they fit a width.
pub(super) struct Bottom {
    texts: Vec<String>,
    kept: Vec<bool>,
    turned: bool,
    /// Room below the frame.
    pub(super) depth: f64,
    /// How far labels reach beyond the frame on the left and on the right.
    pub(super) beyond: (f64, f64),
}

impl Bottom {
    /// Fits the labels of an axis to a frame of some width.
    pub(super) fn fit(font: &Font, axis: &Axis, width: f64) -> Bottom {
        let frame = Frame::new(Rect::sized(0.0, 0.0, width, 1.0), axis, axis);
        let texts: Vec<String> = axis.ticks.iter().map(|t| font.fit(&t.label, TICK_SIZE, WIDEST)).collect();
        let widths: Vec<f64> = texts.iter().map(|t| font.width(t, TICK_SIZE)).collect();
        let places = places(axis, |v| frame.x(v), 0.0, width);
        let upright = shown(&places, &widths, zero_of(axis));
        let turned = axis.scale == Scale::Categorical && texts.len() <= TURNED && upright.contains(&false);
        let kept = if turned { shown(&places, &vec![TICK_SIZE; texts.len()], 0) } else { upright };
        let mut bottom = Bottom {
            texts,
            kept,
            turned,
            depth: if axis.ticks.is_empty() { 0.0 } else { TICK + GAP + TICK_SIZE * 0.8 },
            beyond: (0.0, 0.0),
        };
        for ((place, wide), _) in places.iter().zip(&widths).zip(&bottom.kept).filter(|(_, kept)| **kept) {
            let Some(place) = place else { continue };
            let (left, right) = if turned { (wide * RISING.0, 0.0) } else { (wide / 2.0, wide / 2.0) };
            bottom.beyond = (bottom.beyond.0.max(left - place), bottom.beyond.1.max(place + right - width));
            if turned {
                bottom.depth = bottom.depth.max(TICK + GAP + wide * -RISING.1 + TICK_SIZE * RISING.0);
            }
        }
        bottom
    }

    /// Draws ticks and, if wanted, their labels.
    pub(super) fn draw(&self, scene: &mut Scene, font: &Font, frame: &Frame, axis: &Axis, labels: bool) {
        let area = frame.area;
        let edge = area.bottom;
        let inside = |p: &f64| *p >= area.left - 1e-6 && *p <= area.right + 1e-6;
        for place in axis.minor.iter().filter_map(|v| frame.x(*v)).filter(inside) {
            scene.stroke((place, edge), (place, edge + MINOR), palette::FRAME, 0.6);
        }
        for (i, place) in places(axis, |v| frame.x(v), area.left, area.right).into_iter().enumerate() {
            let Some(place) = place else { continue };
            scene.stroke((place, edge), (place, edge + if self.kept[i] { TICK } else { MINOR }), palette::FRAME, 0.75);
            if !(labels && self.kept[i]) {
                continue;
            }
            let look = TextLook::new(TICK_SIZE, palette::BLACK, Anchor::Middle);
            let top = edge + TICK + GAP;
            if self.turned {
                let look = TextLook { anchor: Anchor::End, along: RISING, ..look };
                scene.text(font, (place + 2.0, top + CAP * TICK_SIZE * RISING.0), &self.texts[i], look);
            } else {
                scene.text(font, (place, top + CAP * TICK_SIZE), &self.texts[i], look);
            }
        }
    }
}

/// Draws the label of a horizontal axis with its lower edge at `y`.
pub(super) fn draw_bottom_label(scene: &mut Scene, font: &Font, label: &str, y: f64, area: Rect, room: f64) {
    let at = (area.middle().0, y - LABEL_SIZE * 0.22);
    let size = shrunk(font, label, room);
    scene.text(font, at, &font.fit(label, size, room), TextLook::new(size, palette::BLACK, Anchor::Middle));
}
