//! Writes a figure as an SVG file, with the layout of the PNG.
//!
//! It decides nothing about the figure. Texts stay texts, to be found, read aloud and edited; each says how wide it
//! is, so that the layout holds in a viewer that has another font.

use std::fmt::Write as _;

use super::figure::Figure;
use super::font::FAMILY;
use super::layout::lay_out;
use super::scene::{Anchor, LEVEL, Paint, Point, Shape};

/// The figure as the text of an SVG file.
#[must_use]
pub fn svg(figure: &Figure) -> String {
    let scene = lay_out(figure);
    let (width, height) = (number(scene.width), number(scene.height));
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"{FAMILY}\" fill=\"none\" stroke-linejoin=\"round\">\n"
    );
    if !figure.title.is_empty() {
        let _ = writeln!(out, "<title>{}</title>", escape(&figure.title));
    }
    let _ = writeln!(out, "<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>");
    for shape in &scene.shapes {
        write_shape(&mut out, shape);
    }
    out.push_str("</svg>\n");
    out
}

fn write_shape(out: &mut String, shape: &Shape) {
    let _ = match shape {
        Shape::Line { points, paint, width, dash } => {
            let dash = if dash.is_empty() {
                String::new()
            } else {
                format!(" stroke-dasharray=\"{}\"", dash.iter().map(|d| number(*d)).collect::<Vec<_>>().join(" "))
            };
            writeln!(out, "<path d=\"{}\" {} stroke-width=\"{}\"{dash}/>", path(points), color("stroke", *paint), number(*width))
        }
        Shape::Area { points, paint } => writeln!(out, "<path d=\"{}z\" {}/>", path(points), color("fill", *paint)),
        Shape::Disc { at, radius, paint } => {
            writeln!(out, "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {}/>", number(at.0), number(at.1), number(*radius), color("fill", *paint))
        }
        Shape::Tile { area, paint } => writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {} shape-rendering=\"crispEdges\"/>",
            number(area.left),
            number(area.top),
            number(area.width()),
            number(area.height()),
            color("fill", *paint)
        ),
        Shape::Text { at, text, size, paint, anchor, along, width } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            let (x, y) = (number(at.0), number(at.1));
            let place = if *along == LEVEL {
                format!("x=\"{x}\" y=\"{y}\"")
            } else {
                let (dx, dy) = *along;
                format!("transform=\"matrix({dx:.4} {dy:.4} {:.4} {dx:.4} {x} {y})\"", -dy)
            };
            writeln!(
                out,
                "<text {place} font-size=\"{}\" text-anchor=\"{anchor}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\" \
                 xml:space=\"preserve\" {}>{}</text>",
                number(*size),
                number(*width),
                color("fill", *paint),
                escape(text)
            )
        }
    };
}

/// A number with at most two decimals.
fn number(x: f64) -> String {
    let text = format!("{x:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn path(points: &[Point]) -> String {
    let mut out = String::with_capacity(points.len() * 12);
    for (i, (x, y)) in points.iter().enumerate() {
        let _ = write!(out, "{}{} {}", if i == 0 { "M" } else { "L" }, number(*x), number(*y));
    }
    out
}

fn color(what: &str, paint: Paint) -> String {
    let [red, green, blue] = paint.rgb;
    let opacity = if paint.alpha < 1.0 { format!(" {what}-opacity=\"{}\"", number(paint.alpha)) } else { String::new() };
    format!("{what}=\"#{red:02x}{green:02x}{blue:02x}\"{opacity}")
}

/// A text as it stands in XML; what may not stand there is replaced.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().map(super::font::shown) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
