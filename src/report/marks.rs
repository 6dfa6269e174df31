//! The layers of a panel as shapes: lines, symbols, bars, bands, cells, rulers, notes.
//!
//! It draws no axes. Nothing it draws leaves the frame, except symbols that sit on it.

use std::collections::{BTreeMap, BTreeSet};

use super::axes::Frame;
use super::figure::{CellInk, Ink, Layer, MarkKind, Panel, Scale, Style};
use super::font::{CAP, Font};
use super::geometry::{Part, cut_area, cut_line, reduced};
use super::palette;
use super::scene::{Anchor, Paint, Point, Rect, Scene, Shape, TextLook};

/// Size of the texts of rulers and notes.
const SIZE: f64 = 10.0;
/// The largest and the smallest size of texts in cells.
const LARGEST: f64 = 11.0;
const LEAST: f64 = 5.0;
/// Distance of the lines of a hatching.
const HATCH: f64 = 4.5;
/// How much of what is below shines through a band.
const BAND: f64 = 0.2;
/// Symbols: usual radius, and the radius of many.
const RADIUS: f64 = 3.3;
const SMALL: f64 = 1.7;
const MANY: usize = 150;

/// What is in a panel that texts should not cover.
struct Crowd {
    texts: Vec<Rect>,
    ink: Vec<Point>,
}

/// Draws the layers of a panel in order; marks come above lines, and texts last, where there is room.
pub(super) fn draw_layers(scene: &mut Scene, font: &Font, frame: &Frame, panel: &Panel) {
    let mut crowd = Crowd { texts: Vec::new(), ink: Vec::new() };
    let is_mark = |layer: &&Layer| matches!(layer, Layer::Mark { .. });
    for layer in panel.layers.iter().filter(|l| !is_mark(l)).chain(panel.layers.iter().filter(is_mark)) {
        draw_layer(scene, frame, panel, layer, &mut crowd);
    }
    for layer in &panel.layers {
        match layer {
            Layer::Ruler { vertical, at, text } => ruler_text(scene, font, frame, *vertical, *at, text, &mut crowd),
            Layer::Note { at, text } => note(scene, font, frame, *at, text, &mut crowd),
            Layer::Labels { texts } => labels(scene, font, frame, texts),
            _ => {}
        }
    }
}

fn draw_layer(scene: &mut Scene, frame: &Frame, panel: &Panel, layer: &Layer, crowd: &mut Crowd) {
    let area = frame.area;
    match layer {
        Layer::Line { points, style, width } => {
            let width = if width.is_finite() { width.clamp(0.25, 20.0) } else { 1.5 };
            let dash: Vec<f64> = palette::DASHES[style.dash % palette::DASHES.len()].iter().map(|d| d * (width / 1.5).max(0.7)).collect();
            for points in cut_line(points.iter().map(|p| frame.at(*p)), area) {
                crowd.add(&line(scene, &points, palette::line(style.color), width, &dash));
            }
        }
        Layer::Isoline { lines, ink, .. } => {
            for piece in lines {
                for points in cut_line(piece.iter().map(|p| frame.at(*p)), area) {
                    line(scene, &points, palette::line(*ink), 0.9, &[]);
                }
            }
        }
        Layer::Points { points, style } => {
            let mut seen = BTreeSet::new();
            let radius = if points.len() > MANY { SMALL } else { RADIUS };
            for at in points.iter().filter_map(|p| frame.at(*p)).filter(|p| area.grown(0.5).contains(*p)) {
                // Of the symbols on the same quarter of a point, one is enough.
                if seen.insert(((at.0 * 4.0).round() as i64, (at.1 * 4.0).round() as i64)) {
                    symbol(scene, at, style.marker, radius, palette::line(style.color).into());
                    crowd.ink.push(at);
                }
            }
        }
        Layer::Bars { points, style, width } => bars(scene, frame, panel, points, *style, *width, crowd),
        Layer::Band { points, style } => band(scene, frame, points, *style),
        Layer::Cells { x_edges, y_edges, values } => cells(scene, frame, x_edges, y_edges, values),
        Layer::Labels { .. } => {}
        Layer::Ruler { vertical, at, .. } => {
            if let Some((from, to)) = ruler_ends(frame, *vertical, *at) {
                crowd.add(&[from, to]);
                let dash = vec![4.0, 3.0];
                scene.shapes.push(Shape::Line { points: vec![from, to], paint: palette::GRAY.into(), width: 1.0, dash });
            }
        }
        Layer::Note { at, .. } => {
            if let Some(at) = frame.at(*at).filter(|p| area.contains(*p)) {
                disc(scene, at, 3.4, palette::WHITE.into());
                disc(scene, at, 2.8, palette::BLACK.into());
                crowd.ink.push(at);
            }
        }
        Layer::Mark { at, kind, style } => {
            if let Some(at) = frame.at(*at).filter(|p| area.grown(0.5).contains(*p)) {
                let paint = palette::line(style.color).into();
                crowd.ink.push(at);
                match kind {
                    MarkKind::Start => {
                        disc(scene, at, 4.6, paint);
                        disc(scene, at, 2.9, palette::WHITE.into());
                    }
                    MarkKind::End => {
                        disc(scene, at, 5.4, palette::WHITE.into());
                        disc(scene, at, 4.4, paint);
                    }
                    MarkKind::Diverged => cross(scene, at, paint),
                }
            }
        }
    }
}

/// A line of any number of points; gives back the points that were drawn.
fn line(scene: &mut Scene, points: &[Point], rgb: palette::Rgb, width: f64, dash: &[f64]) -> Vec<Point> {
    let mut drawn = Vec::new();
    for part in reduced(points) {
        let (points, dash) = match part {
            Part::Line(points) => (points, dash.to_vec()),
            Part::Covered { upper, lower } => {
                let around: Vec<Point> = upper.into_iter().chain(lower.into_iter().rev()).collect();
                scene.shapes.push(Shape::Area { points: around.clone(), paint: rgb.into() });
                (around, Vec::new())
            }
        };
        drawn.extend_from_slice(&points);
        scene.shapes.push(Shape::Line { points, paint: rgb.into(), width, dash });
    }
    drawn
}

fn disc(scene: &mut Scene, at: Point, radius: f64, paint: Paint) {
    scene.shapes.push(Shape::Disc { at, radius, paint });
}

/// The cross of a run that diverged, on a white ground so that it is seen on lines.
pub(super) fn cross(scene: &mut Scene, (x, y): Point, paint: Paint) {
    for (paint, width, arm) in [(palette::WHITE.into(), 3.6, 4.4), (paint, 1.9, 3.9)] {
        for slope in [1.0, -1.0] {
            scene.stroke((x - arm, y - slope * arm), (x + arm, y + slope * arm), paint, width);
        }
    }
}

/// A symbol with a thin white edge.
pub(super) fn symbol(scene: &mut Scene, at: Point, marker: usize, radius: f64, paint: Paint) {
    /// Corners of symbols, for a radius of 1, with the area of a circle in mind; the circle has none.
    const SYMBOLS: [&[Point]; 6] = [
        &[],
        &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
        &[(0.0, -1.3), (1.18, 0.8), (-1.18, 0.8)],
        &[(0.0, -1.32), (1.18, 0.0), (0.0, 1.32), (-1.18, 0.0)],
        &[(0.0, 1.3), (1.18, -0.8), (-1.18, -0.8)],
        &[
            (-0.38, -1.2),
            (0.38, -1.2),
            (0.38, -0.38),
            (1.2, -0.38),
            (1.2, 0.38),
            (0.38, 0.38),
            (0.38, 1.2),
            (-0.38, 1.2),
            (-0.38, 0.38),
            (-1.2, 0.38),
            (-1.2, -0.38),
            (-0.38, -0.38),
        ],
    ];
    let corners = SYMBOLS[marker % SYMBOLS.len()];
    for (paint, radius) in [(palette::WHITE.into(), radius + 0.8), (paint, radius)] {
        if corners.is_empty() {
            disc(scene, at, radius, paint);
        } else {
            let points = corners.iter().map(|(x, y)| (at.0 + x * radius, at.1 + y * radius)).collect();
            scene.shapes.push(Shape::Area { points, paint });
        }
    }
}

fn bars(scene: &mut Scene, frame: &Frame, panel: &Panel, points: &[Point], style: Style, width: f64, crowd: &mut Crowd) {
    let area = frame.area;
    let floor =
        if panel.y.scale == Scale::Linear { frame.y(0.0).map_or(area.bottom, |y| y.clamp(area.top, area.bottom)) } else { area.bottom };
    for &(x, y) in points {
        let (Some(left), Some(right), Some(top)) = (frame.x(x - width / 2.0), frame.x(x + width / 2.0), frame.y(y)) else { continue };
        let (left, right) = (left.min(right).max(area.left), left.max(right).min(area.right));
        let (top, bottom) = (top.min(floor).max(area.top), top.max(floor).min(area.bottom));
        if left < right && top < bottom {
            let bar = Rect { left, top, right: right.max(left + 0.5), bottom };
            scene.shapes.push(Shape::Tile { area: bar, paint: palette::fill(style.color).into() });
            crowd.ink.extend([(left, top), (right, top), (f64::midpoint(left, right), top)]);
        }
    }
    if floor < area.bottom - 0.5 {
        scene.stroke((area.left, floor), (area.right, floor), palette::FRAME, 0.75);
    }
}

fn band(scene: &mut Scene, frame: &Frame, points: &[(f64, f64, f64)], style: Style) {
    let paint = Paint { rgb: palette::line(style.color), alpha: BAND };
    // A lower end that has no place (below zero on a logarithmic axis) is at the bottom.
    let floor = frame.area.bottom + 10.0;
    let ends = |&(x, low, high): &(f64, f64, f64)| {
        let low = if low.is_nan() || low == f64::INFINITY { None } else { Some(frame.y(low).unwrap_or(floor)) };
        Some((frame.x(x)?, low?, frame.y(high)?))
    };
    let places: Vec<Option<(f64, f64, f64)>> = points.iter().map(ends).collect();
    for part in places.split(Option::is_none) {
        let part: Vec<(f64, f64, f64)> = part.iter().copied().flatten().collect();
        // Of many in one column of the paper, the highest and the lowest are seen.
        let columns = part.chunk_by(|a, b| (a.0 * 8.0).floor() == (b.0 * 8.0).floor());
        let ends: Vec<_> = columns.map(|c| c.iter().fold(c[0], |e, p| (e.0, e.1.max(p.1), e.2.min(p.2)))).collect();
        let upper = ends.iter().map(|p| (p.0, p.2));
        let points = cut_area(upper.chain(ends.iter().rev().map(|p| (p.0, p.1))).collect(), frame.area);
        if points.len() > 2 {
            scene.shapes.push(Shape::Area { points, paint });
        }
    }
}

/// Cells, those of one colour that are side by side as one tile.
fn cells(scene: &mut Scene, frame: &Frame, x_edges: &[f64], y_edges: &[f64], values: &[CellInk]) {
    let columns = x_edges.len().saturating_sub(1);
    if columns == 0 {
        return;
    }
    let look = |cell: &CellInk| match cell {
        CellInk::Ink(ink) => Some(palette::fill(*ink)),
        CellInk::Hatched | CellInk::Blank => None,
    };
    let mut hatched = Vec::new();
    for (line, edges) in values.chunks(columns).zip(y_edges.windows(2)) {
        let mut column = 0;
        for run in line.chunk_by(|a, b| look(a) == look(b) && (look(a).is_some() || a == b)) {
            let (from, to) = (x_edges[column], x_edges[column + run.len()]);
            column += run.len();
            let (Some(a), Some(b)) = (frame.at((from, edges[0])), frame.at((to, edges[1]))) else { continue };
            let area = frame.area;
            let tile = Rect {
                left: a.0.min(b.0).max(area.left),
                right: a.0.max(b.0).min(area.right),
                top: a.1.min(b.1).max(area.top),
                bottom: a.1.max(b.1).min(area.bottom),
            };
            if tile.left >= tile.right || tile.top >= tile.bottom {
                continue;
            }
            match run[0] {
                CellInk::Ink(ink) => scene.shapes.push(Shape::Tile { area: tile, paint: palette::fill(ink).into() }),
                CellInk::Hatched => hatched.push(tile),
                CellInk::Blank => {}
            }
        }
    }
    hatching(scene, &hatched);
}

/// Texts in the cells of a categorical map, all of one size; none where they could not be read.
fn labels(scene: &mut Scene, font: &Font, frame: &Frame, texts: &[((f64, f64), String, Ink)]) {
    let (Some(left), Some(right)) = (frame.x(0.0), frame.x(1.0)) else { return };
    let (Some(low), Some(high)) = (frame.y(0.0), frame.y(1.0)) else { return };
    let widest = texts.iter().map(|(_, text, _)| font.width(text, 1.0)).fold(0.3, f64::max);
    let size = (0.86 * (right - left) / widest).min(0.6 * (low - high)).min(LARGEST);
    if size < LEAST {
        return;
    }
    for (at, text, ground) in texts {
        let Some((x, y)) = frame.at(*at) else { continue };
        let ink = if palette::is_dark(palette::fill(*ground)) { palette::WHITE } else { palette::BLACK };
        scene.text(font, (x, y + CAP * size / 2.0), text, TextLook::new(size, ink, Anchor::Middle));
    }
}

/// Pale tiles with slanted lines that go on without a seam from a tile to its neighbour.
pub(super) fn hatching(scene: &mut Scene, tiles: &[Rect]) {
    // The pieces of each slanted line, which are the places where x + y is a multiple of the distance, by x.
    let mut lines: BTreeMap<i64, Vec<(f64, f64)>> = BTreeMap::new();
    for tile in tiles {
        scene.shapes.push(Shape::Tile { area: *tile, paint: [0xf0, 0xf0, 0xf0].into() });
        let first = ((tile.left + tile.top) / HATCH).ceil() as i64;
        let last = ((tile.right + tile.bottom) / HATCH).floor() as i64;
        for line in first..=last.min(first + 10_000) {
            let sum = line as f64 * HATCH;
            let (from, to) = (tile.left.max(sum - tile.bottom), tile.right.min(sum - tile.top));
            if from < to {
                lines.entry(line).or_default().push((from, to));
            }
        }
    }
    for (line, mut pieces) in lines {
        let sum = line as f64 * HATCH;
        pieces.sort_by(|a, b| a.0.total_cmp(&b.0));
        for run in pieces.chunk_by(|a, b| b.0 - a.1 < 1e-6) {
            let (from, to) = (run[0].0, run[run.len() - 1].1);
            scene.stroke((from, sum - from), (to, sum - to), [0x8a, 0x8a, 0x8a], 0.8);
        }
    }
}

fn ruler_ends(frame: &Frame, vertical: bool, at: f64) -> Option<(Point, Point)> {
    let area = frame.area;
    let (from, to) = if vertical {
        let x = frame.x(at)?;
        ((x, area.top), (x, area.bottom))
    } else {
        let y = frame.y(at)?;
        ((area.left, y), (area.right, y))
    };
    (area.contains(from) && area.contains(to)).then_some((from, to))
}

/// The text of a ruler, at whichever end and side it covers least.
fn ruler_text(scene: &mut Scene, font: &Font, frame: &Frame, vertical: bool, at: f64, text: &str, crowd: &mut Crowd) {
    let Some((from, to)) = ruler_ends(frame, vertical, at) else { return };
    let room = frame.area.width() - 12.0;
    let text = font.fit(text, SIZE, room.min(240.0));
    let width = font.width(&text, SIZE);
    let high = CAP * SIZE;
    let corners: Vec<Point> = if vertical {
        let (left, right) = (from.0 - 4.0 - width, from.0 + 4.0);
        [from.1 + 5.0, to.1 - 5.0 - high].into_iter().flat_map(|top| [(right, top), (left, top)]).collect()
    } else {
        let (above, below) = (from.1 - 4.0 - high, from.1 + 4.0);
        [above, below].into_iter().flat_map(|top| [(to.0 - 6.0 - width, top), (from.0 + 6.0, top)]).collect()
    };
    place_text(scene, font, frame, &text, palette::GRAY, corners.into_iter().map(|(x, y)| Rect::sized(x, y, width, high)), crowd);
}

/// The text of a note, beside its dot.
fn note(scene: &mut Scene, font: &Font, frame: &Frame, at: Point, text: &str, crowd: &mut Crowd) {
    let Some((x, y)) = frame.at(at).filter(|p| frame.area.contains(*p)) else { return };
    let text = font.fit(text, SIZE, (frame.area.width() - 24.0).min(260.0));
    let (width, high) = (font.width(&text, SIZE), CAP * SIZE);
    let mut choices = Vec::new();
    for away in [7.0, 16.0, 28.0] {
        for (dx, dy) in [(1.0, -1.0), (-1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (0.0, -1.0), (0.0, 1.0), (1.0, 0.0), (-1.0, 0.0)] {
            let left = x - width / 2.0 + dx * (width / 2.0 + away * 0.8);
            let top = y - high / 2.0 + dy * (high / 2.0 + away * 0.8);
            choices.push(Rect::sized(left, top, width, high));
        }
    }
    place_text(scene, font, frame, &text, palette::BLACK, choices.into_iter(), crowd);
}

/// Puts a text at the first of the places that covers nothing, or the one that covers least.
fn place_text(
    scene: &mut Scene,
    font: &Font,
    frame: &Frame,
    text: &str,
    rgb: palette::Rgb,
    places: impl Iterator<Item = Rect>,
    crowd: &mut Crowd,
) {
    if text.is_empty() {
        return;
    }
    let inside = frame.area.grown(-2.0);
    let cost = |place: Rect| {
        let outside = !(inside.contains((place.left, place.top)) && inside.contains((place.right, place.bottom)));
        let texts = crowd.texts.iter().filter(|t| t.overlaps(place.grown(2.0))).count();
        let ink = crowd.ink.iter().filter(|p| place.grown(2.5).contains(**p)).count();
        (usize::from(outside), texts, ink)
    };
    let Some(place) = places.min_by_key(|p| cost(*p)) else { return };
    crowd.texts.push(place);
    scene.shapes.push(Shape::Area { points: place.grown(1.5).corners().to_vec(), paint: Paint { rgb: palette::WHITE, alpha: 0.75 } });
    scene.text(font, (place.left, place.bottom), text, TextLook::new(SIZE, rgb, Anchor::Start));
}

impl Crowd {
    /// Remembers a line by points that are near enough to one another to notice it under a text.
    fn add(&mut self, line: &[Point]) {
        for pair in line.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let parts = ((x1 - x0).abs().max((y1 - y0).abs()) / 5.0).ceil().max(1.0);
            for i in 0..parts as u32 {
                let t = f64::from(i) / parts;
                self.ink.push((x0 + t * (x1 - x0), y0 + t * (y1 - y0)));
            }
        }
    }
}
