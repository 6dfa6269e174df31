//! Draws a figure as a PNG: plotters' drawing area, coordinates and elements over a backend of our own on tiny-skia.
//!
//! It decides nothing about the figure: what is where comes from `layout`, and the SVG has the same.
//!
//! Plotters' coordinates are whole numbers, so the backend claims to be eight times as fine as the picture, which
//! makes curves smooth; two pixels stand for a point of the layout. The bytes depend on the figure alone: there is
//! no time stamp, no font of the machine, and no thread.

use std::convert::Infallible;
use std::fmt;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::{DrawingArea, IntoDrawingArea as _};
use plotters::element::{Circle, Drawable, PathElement, PointCollection, Polygon, Rectangle};
use plotters::prelude::Cartesian2d;
use plotters::style::{RGBAColor, ShapeStyle};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, DrawingBackend, DrawingErrorKind};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint as SkiaPaint, PathBuilder, Pixmap, Rect as SkiaRect, Stroke, StrokeDash, Transform,
};

use super::figure::Figure;
use super::font::{Font, Piece};
use super::layout::lay_out;
use super::scene::{Anchor, Paint, Point, Scene, Shape};

/// Pixels for each point of the layout.
const DENSITY: f64 = 2.0;
/// Steps of the backend's coordinates in each pixel.
const FINE: f64 = 8.0;
/// The longest side and the largest area of a picture, in pixels.
const LONGEST: f64 = 16_000.0;
const LARGEST: f64 = 64e6;
/// Strength of the compression, of 1 to 9.
const LIGHT: u8 = 1;

/// Why a figure was not drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum DrawError {
    /// It would have more pixels than anyone can look at, or none.
    Size {
        /// In pixels.
        width: f64,
        /// In pixels.
        height: f64,
    },
    /// The picture could not be encoded.
    Encoding(String),
}

impl fmt::Display for DrawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DrawError::Size { width, height } => write!(
                f,
                "a picture of {width:.0} x {height:.0} pixels is not drawn (a side has 1 to {LONGEST:.0}, the whole at most {:.0} million)",
                LARGEST / 1e6
            ),
            DrawError::Encoding(why) => write!(f, "the picture could not be encoded: {why}"),
        }
    }
}

impl std::error::Error for DrawError {}

/// The figure as the bytes of a PNG file.
///
/// # Errors
/// If the figure is too large for a picture.
pub fn png(figure: &Figure) -> Result<Vec<u8>, DrawError> {
    let scene = lay_out(figure);
    let (width, height) = ((scene.width * DENSITY).round(), (scene.height * DENSITY).round());
    let drawable = (1.0..=LONGEST).contains(&width) && (1.0..=LONGEST).contains(&height) && width * height <= LARGEST;
    let pixmap = if drawable { Pixmap::new(width as u32, height as u32) } else { None };
    let mut pixmap = pixmap.ok_or(DrawError::Size { width, height })?;
    pixmap.fill(Color::WHITE);
    draw(&scene, &mut pixmap);
    encode(&pixmap).map_err(|e| DrawError::Encoding(e.to_string()))
}

/// The picture as a file. Nothing in it is transparent, so it has three channels; a light compression without
/// filters makes it as small as a strong one with filters, and is five times as fast.
fn encode(pixmap: &Pixmap) -> Result<Vec<u8>, png::EncodingError> {
    let pixels: Vec<u8> = pixmap.pixels().iter().flat_map(|p| [p.red(), p.green(), p.blue()]).collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, pixmap.width(), pixmap.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_deflate_compression(png::DeflateCompression::Level(LIGHT));
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(file)
}

/// Draws all shapes.
fn draw(scene: &Scene, pixmap: &mut Pixmap) {
    let fine = |points: f64| (points * DENSITY * FINE).round() as i32;
    let coordinates: Cartesian2d<RangedCoordf64, RangedCoordf64> =
        Cartesian2d::new(0.0..scene.width, 0.0..scene.height, (0..fine(scene.width), 0..fine(scene.height)));
    let area: DrawingArea<Canvas, Shift> = Canvas { pixmap, font: Font::embedded() }.into_drawing_area();
    let area = area.apply_coord_spec(coordinates);
    for shape in &scene.shapes {
        let drawn = match shape {
            Shape::Line { points, paint, width, dash } if dash.is_empty() => {
                area.draw(&PathElement::new(points.as_slice(), style(*paint).stroke_width(fine(*width) as u32)))
            }
            Shape::Area { points, paint } => area.draw(&Polygon::new(points.as_slice(), style(*paint).filled())),
            Shape::Disc { at, radius, paint } => area.draw(&Circle::new(*at, fine(*radius), style(*paint).filled())),
            Shape::Tile { area: tile, paint } => {
                area.draw(&Rectangle::new([(tile.left, tile.top), (tile.right, tile.bottom)], style(*paint).filled()))
            }
            Shape::Line { .. } | Shape::Text { .. } => area.draw(&Own(shape)),
        };
        drawn.expect("internal: drawing into memory does not fail");
    }
}

/// A paint as plotters' style.
fn style(paint: Paint) -> ShapeStyle {
    let [red, green, blue] = paint.rgb;
    RGBAColor(red, green, blue, paint.alpha).into()
}

/// The shapes for which plotters has no element: dashed lines, and text as outlines.
struct Own<'s>(&'s Shape);

impl<'s> PointCollection<'s, Point> for &'s Own<'s> {
    type Point = &'s Point;
    type IntoIter = std::slice::Iter<'s, Point>;

    fn point_iter(self) -> Self::IntoIter {
        match self.0 {
            Shape::Line { points, .. } | Shape::Area { points, .. } => points.iter(),
            Shape::Text { at, .. } | Shape::Disc { at, .. } => std::slice::from_ref(at).iter(),
            Shape::Tile { .. } => [].iter(),
        }
    }
}

impl Drawable<Canvas<'_>> for Own<'_> {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        mut points: I,
        canvas: &mut Canvas<'_>,
        _: (u32, u32),
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        match self.0 {
            Shape::Line { paint, width, dash, .. } => canvas.stroke(points, color(*paint), *width * DENSITY, dash),
            Shape::Text { text, size, paint, anchor, along, width, .. } => {
                if let Some(at) = points.next() {
                    let share = match anchor {
                        Anchor::Start => 0.0,
                        Anchor::Middle => 0.5,
                        Anchor::End => 1.0,
                    };
                    canvas.write(pixels(at), text, *size * DENSITY, -share * width * DENSITY, *along, color(*paint));
                }
            }
            Shape::Area { .. } | Shape::Disc { .. } | Shape::Tile { .. } => {}
        }
        Ok(())
    }
}

/// Plotters' backend: a picture in memory.
struct Canvas<'p> {
    pixmap: &'p mut Pixmap,
    font: Font,
}

/// From the backend's coordinates to pixels.
fn pixels(at: BackendCoord) -> (f32, f32) {
    ((f64::from(at.0) / FINE) as f32, (f64::from(at.1) / FINE) as f32)
}

fn color(paint: Paint) -> Color {
    let [red, green, blue] = paint.rgb;
    Color::from_rgba8(red, green, blue, (paint.alpha.clamp(0.0, 1.0) * 255.0).round() as u8)
}

fn backend_color(color_: BackendColor) -> Color {
    let BackendColor { rgb: (red, green, blue), alpha } = color_;
    color(Paint { rgb: [red, green, blue], alpha })
}

fn solid(color: Color, smooth: bool) -> SkiaPaint<'static> {
    let mut paint = SkiaPaint { anti_alias: smooth, ..SkiaPaint::default() };
    paint.set_color(color);
    paint
}

impl Canvas<'_> {
    /// A line through points.
    fn stroke(&mut self, points: impl Iterator<Item = BackendCoord>, color: Color, width: f64, dash: &[f64]) {
        let mut path = PathBuilder::new();
        for (i, point) in points.enumerate() {
            let (x, y) = pixels(point);
            if i == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        let dash: Vec<f32> = dash.iter().map(|d| (d * DENSITY) as f32).collect();
        let stroke = Stroke {
            width: width as f32,
            line_cap: LineCap::Butt,
            line_join: LineJoin::Round,
            dash: if dash.is_empty() { None } else { StrokeDash::new(dash, 0.0) },
            ..Stroke::default()
        };
        if let Some(path) = path.finish() {
            self.pixmap.stroke_path(&path, &solid(color, true), &stroke, Transform::identity(), None);
        }
    }

    /// A text as filled outlines, moved by `shift` along its line.
    fn write(&mut self, (x, y): (f32, f32), text: &str, size: f64, shift: f64, along: Point, color: Color) {
        let mut path = PathBuilder::new();
        let place = |(px, py): Point| ((px + shift) as f32, py as f32);
        for piece in self.font.outlines(text, size) {
            match piece {
                Piece::Move(to) => {
                    let (x, y) = place(to);
                    path.move_to(x, y);
                }
                Piece::Line(to) => {
                    let (x, y) = place(to);
                    path.line_to(x, y);
                }
                Piece::Curve(control, to) => {
                    let ((cx, cy), (x, y)) = (place(control), place(to));
                    path.quad_to(cx, cy, x, y);
                }
            }
        }
        if let Some(path) = path.finish() {
            let (dx, dy) = (along.0 as f32, along.1 as f32);
            let transform = Transform::from_row(dx, dy, -dy, dx, x, y);
            self.pixmap.fill_path(&path, &solid(color, true), FillRule::Winding, transform, None);
        }
    }
}

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        let fine = FINE as u32;
        (self.pixmap.width() * fine, self.pixmap.height() * fine)
    }

    fn ensure_prepared(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn present(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn draw_pixel(&mut self, at: BackendCoord, color: BackendColor) -> Result<(), DrawingErrorKind<Infallible>> {
        let (x, y) = pixels(at);
        if let Some(pixel) = SkiaRect::from_xywh(x.floor(), y.floor(), 1.0, 1.0) {
            self.pixmap.fill_rect(pixel, &solid(backend_color(color), false), Transform::identity(), None);
        }
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        let ((left, top), (right, bottom)) = (pixels(from), pixels(to));
        if !fill {
            let around = [from, (to.0, from.1), to, (from.0, to.1), from];
            return self.draw_path(around, style);
        }
        // Edges on whole pixels, and no smoothing: neighbouring tiles touch.
        if let Some(tile) = SkiaRect::from_ltrb(left.round(), top.round(), right.round(), bottom.round()) {
            self.pixmap.fill_rect(tile, &solid(backend_color(style.color()), false), Transform::identity(), None);
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        self.stroke(path.into_iter(), backend_color(style.color()), f64::from(style.stroke_width()) / FINE, &[]);
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        let (x, y) = pixels(center);
        if let Some(path) = PathBuilder::from_circle(x, y, (f64::from(radius) / FINE) as f32) {
            let paint = solid(backend_color(style.color()), true);
            if fill {
                self.pixmap.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
            } else {
                let stroke = Stroke { width: (f64::from(style.stroke_width()) / FINE) as f32, ..Stroke::default() };
                self.pixmap.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
            }
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        let mut path = PathBuilder::new();
        for (i, corner) in corners.into_iter().enumerate() {
            let (x, y) = pixels(corner);
            if i == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        path.close();
        if let Some(path) = path.finish() {
            self.pixmap.fill_path(&path, &solid(backend_color(style.color()), true), FillRule::Winding, Transform::identity(), None);
        }
        Ok(())
    }
}
