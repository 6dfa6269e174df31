//! A figure as shapes on paper: everything has a place in points (y down), nothing has pixels or a file format.
//!
//! It knows no axes and no data; `layout` fills it, `png` and `svg` put it into files.

use super::font;
use super::palette::Rgb;

/// A place on the paper.
pub(super) type Point = (f64, f64);

/// An upright rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Rect {
    /// From its corner and its size.
    pub(super) fn sized(left: f64, top: f64, width: f64, height: f64) -> Rect {
        Rect { left, top, right: left + width, bottom: top + height }
    }

    pub(super) fn width(self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(self) -> f64 {
        self.bottom - self.top
    }

    pub(super) fn middle(self) -> Point {
        (f64::midpoint(self.left, self.right), f64::midpoint(self.top, self.bottom))
    }

    /// Larger by `by` on every side.
    pub(super) fn grown(self, by: f64) -> Rect {
        Rect { left: self.left - by, top: self.top - by, right: self.right + by, bottom: self.bottom + by }
    }

    pub(super) fn contains(self, (x, y): Point) -> bool {
        x >= self.left && x <= self.right && y >= self.top && y <= self.bottom
    }

    pub(super) fn overlaps(self, other: Rect) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    /// Its corners, around.
    pub(super) fn corners(self) -> [Point; 4] {
        [(self.left, self.top), (self.right, self.top), (self.right, self.bottom), (self.left, self.bottom)]
    }
}

/// A colour, more or less transparent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Paint {
    pub(super) rgb: Rgb,
    pub(super) alpha: f64,
}

impl From<Rgb> for Paint {
    fn from(rgb: Rgb) -> Paint {
        Paint { rgb, alpha: 1.0 }
    }
}

/// Which point of a text is put at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// A line with round joins; `dash` is empty for a solid one.
    Line { points: Vec<Point>, paint: Paint, width: f64, dash: Vec<f64> },
    /// A filled polygon.
    Area { points: Vec<Point>, paint: Paint },
    /// A filled circle.
    Disc { at: Point, radius: f64, paint: Paint },
    /// A filled rectangle whose edges fall on pixels, so that neighbours touch without a seam.
    Tile { area: Rect, paint: Paint },
    /// A text on a base line through `at` that goes in the direction `along`, a vector of length 1.
    Text { at: Point, text: String, size: f64, paint: Paint, anchor: Anchor, along: Point, width: f64 },
}

/// The paper with everything on it, in the order of drawing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) shapes: Vec<Shape>,
}

impl Scene {
    /// A thin straight line.
    pub(super) fn stroke(&mut self, from: Point, to: Point, paint: impl Into<Paint>, width: f64) {
        self.shapes.push(Shape::Line { points: vec![from, to], paint: paint.into(), width, dash: Vec::new() });
    }

    /// A text; nothing if it is empty.
    pub(super) fn text(&mut self, font: &font::Font, at: Point, text: &str, look: TextLook) {
        if text.is_empty() {
            return;
        }
        let width = font.width(text, look.size);
        let text = text.chars().map(font::shown).collect();
        let TextLook { size, paint, anchor, along } = look;
        self.shapes.push(Shape::Text { at, text, size, paint: paint.into(), anchor, along, width });
    }
}

/// The directions of base lines: level, and upwards.
pub(super) const LEVEL: Point = (1.0, 0.0);
pub(super) const UPWARDS: Point = (0.0, -1.0);

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TextLook {
    pub(super) size: f64,
    pub(super) paint: Rgb,
    pub(super) anchor: Anchor,
    pub(super) along: Point,
}

impl TextLook {
    /// On a level base line.
    pub(super) fn new(size: f64, paint: Rgb, anchor: Anchor) -> TextLook {
        TextLook { size, paint, anchor, along: LEVEL }
    }
}
