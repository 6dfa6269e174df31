//! The legend and the colour bar: how much room they need, and their shapes.
//!
//! It never decides what stands in them.

use super::axes::{Frame, Side, draw_side, draw_side_label, label_depth, side_ticks_depth};
use super::figure::{ColorBar, LegendEntry, LegendGroup, LegendKind, Style};
use super::font::{CAP, Font};
use super::marks::{cross, hatching, symbol};
use super::palette;
use super::scene::{Anchor, Paint, Point, Rect, Scene, Shape, TextLook};

/// Size of the text.
const SIZE: f64 = 10.5;
/// From entry to entry.
const LINE: f64 = 16.5;
/// Extra room between groups.
const BETWEEN: f64 = 7.0;
/// Width of the sample of a line, and the room between it and the text.
const SAMPLE: f64 = 24.0;
const GAP: f64 = 7.0;
/// Widest text.
const WIDEST: f64 = 210.0;
/// Between columns of entries.
const COLUMNS: f64 = 16.0;
/// Width of the colour bar.
const BAR: f64 = 13.0;

/// A line of the legend with its place relative to the corner.
enum Row<'f> {
    Title(&'f str),
    Entry(&'f LegendEntry),
}

/// A legend with the places of its lines.
pub(super) struct Legend<'f> {
    rows: Vec<(Point, Row<'f>)>,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl<'f> Legend<'f> {
    /// Puts the entries below one another, in as many columns as it takes to keep within `height`, about equally long.
    pub(super) fn arrange(font: &Font, groups: &'f [LegendGroup], height: f64) -> Legend<'f> {
        let lines: usize = groups.iter().map(|g| g.entries.len() + usize::from(!g.title.is_empty())).sum();
        let all = lines as f64 * LINE + groups.len().saturating_sub(1) as f64 * BETWEEN;
        let columns = (all / height).ceil().max(1.0);
        let height = if columns > 1.0 { all / columns + LINE } else { height };
        let mut legend = Legend { rows: Vec::new(), width: 0.0, height: 0.0 };
        let (mut x, mut y, mut column) = (0.0, 0.0, 0.0_f64);
        for group in groups.iter().filter(|g| !g.entries.is_empty()) {
            let title = (!group.title.is_empty()).then_some(Row::Title(&group.title));
            if y > 0.0 {
                y += BETWEEN;
            }
            // A title never stands alone at the foot of a column.
            let first = if title.is_some() { 2.0 * LINE } else { LINE };
            for (i, row) in title.into_iter().chain(group.entries.iter().map(Row::Entry)).enumerate() {
                if y > 0.0 && y + if i == 0 { first } else { LINE } > height {
                    (x, y) = (x + column + COLUMNS, 0.0);
                    column = 0.0;
                }
                let wide = match row {
                    Row::Title(title) => font.width(title, SIZE).min(WIDEST),
                    Row::Entry(entry) => SAMPLE + GAP + font.width(&entry.label, SIZE).min(WIDEST),
                };
                legend.rows.push(((x, y), row));
                column = column.max(wide);
                y += LINE;
                legend.width = legend.width.max(x + column);
                legend.height = legend.height.max(y);
            }
        }
        legend
    }

    /// Draws it with its upper left corner at a place.
    pub(super) fn draw(&self, scene: &mut Scene, font: &Font, (left, top): Point) {
        for ((x, y), row) in &self.rows {
            let (x, middle) = (left + x, top + y + LINE / 2.0);
            let base = middle + CAP * SIZE / 2.0;
            match row {
                Row::Title(title) => {
                    let look = TextLook::new(SIZE, palette::GRAY, Anchor::Start);
                    scene.text(font, (x, base), &font.fit(title, SIZE, WIDEST), look);
                }
                Row::Entry(entry) => {
                    sample(scene, entry, (x, middle));
                    let look = TextLook::new(SIZE, palette::BLACK, Anchor::Start);
                    scene.text(font, (x + SAMPLE + GAP, base), &font.fit(&entry.label, SIZE, WIDEST), look);
                }
            }
        }
    }
}

/// The picture beside an entry, from a place on its left to the right.
fn sample(scene: &mut Scene, entry: &LegendEntry, (x, y): Point) {
    let Style { color, dash, marker } = entry.style;
    let middle = (x + SAMPLE / 2.0, y);
    let swatch = Rect::sized(x + 4.0, y - 5.0, SAMPLE - 8.0, 10.0);
    if matches!(entry.kind, LegendKind::Line | LegendKind::LinePoint) {
        let points = vec![(x, y), (x + SAMPLE, y)];
        let dash = palette::DASHES[dash % palette::DASHES.len()].to_vec();
        scene.shapes.push(Shape::Line { points, paint: palette::line(color).into(), width: 1.8, dash });
    }
    match entry.kind {
        LegendKind::Line => {}
        LegendKind::Point | LegendKind::LinePoint => symbol(scene, middle, marker, 3.4, palette::line(color).into()),
        LegendKind::Box => scene.shapes.push(Shape::Tile { area: swatch, paint: palette::fill(color).into() }),
        LegendKind::Hatched => hatching(scene, &[swatch]),
        LegendKind::Cross => cross(scene, middle, palette::line(color).into()),
    }
}

/// The width of a colour bar with its ticks and label.
pub(super) fn bar_width(font: &Font, bar: &ColorBar) -> f64 {
    BAR + side_ticks_depth(font, &bar.axis) + label_depth(&bar.axis.label)
}

/// Draws a colour bar along the right of the panels; `lines` if the colours are those of lines and not of cells.
pub(super) fn draw_bar(scene: &mut Scene, font: &Font, bar: &ColorBar, area: Rect, lines: bool) {
    let area = Rect { right: area.left + BAR, ..area };
    let strips = area.height().clamp(2.0, 256.0).floor();
    for i in 0..strips as u32 {
        let (from, to) = (f64::from(i) / strips, f64::from(i + 1) / strips);
        let ink = bar.map.ink(f64::midpoint(from, to));
        let rgb = if lines { palette::line(ink) } else { palette::fill(ink) };
        let tile = Rect { top: area.bottom - to * area.height(), bottom: area.bottom - from * area.height(), ..area };
        scene.shapes.push(Shape::Tile { area: tile, paint: Paint::from(rgb) });
    }
    let frame = Frame::new(area, &bar.axis, &bar.axis);
    frame.outline(scene);
    draw_side(scene, font, &frame, &bar.axis, Side::Right, true);
    let edge = area.left + bar_width(font, bar);
    draw_side_label(scene, font, &bar.axis.label, edge, area, area.height() + 30.0, Side::Right);
}
