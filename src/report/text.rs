//! A figure as text, for tests and for readers who do not look at pictures.
//!
//! It draws nothing. Numbers are rounded to six digits, so that a change of meaning shows and one of the last bit does not.

use std::fmt::Write as _;

use super::figure::{Axis, CellInk, Figure, Ink, Layer, LegendEntry, LegendKind, MarkKind, Panel, Scale, Style};

/// Panels, and layers of one panel, that are told one by one.
const PANELS: usize = 6;
const LAYERS: usize = 40;

/// The figure as text: axes with ranges and ticks, the legend, and each layer with its number of points, its first
/// and its last.
#[must_use]
pub fn describe(figure: &Figure) -> String {
    let mut out = format!("figure {}", quoted(&figure.name));
    if let Some((width, height)) = figure.size {
        let _ = write!(out, ", {width} x {height}");
    }
    out.push('\n');
    for (name, text) in [("title", &figure.title), ("caption", &figure.caption)] {
        if !text.is_empty() {
            let _ = writeln!(out, "{name} {}", quoted(text));
        }
    }
    for group in &figure.legend {
        let entries: Vec<String> = group.entries.iter().map(entry).collect();
        let title = if group.title.is_empty() { String::new() } else { format!(" {}", quoted(&group.title)) };
        let _ = writeln!(out, "legend{title}: {}", entries.join(", "));
    }
    if let Some(bar) = &figure.color_bar {
        axis(&mut out, "colors", &bar.axis);
    }
    if figure.panels.len() > 1 {
        let aspect = figure.aspect.map(|aspect| format!(", {} times as high as wide", number(aspect))).unwrap_or_default();
        let _ = writeln!(out, "{} panels in rows of {}{aspect}", figure.panels.len(), figure.columns);
    }
    for (i, panel) in figure.panels.iter().take(PANELS).enumerate() {
        let before = i.checked_sub(1).map(|b| &figure.panels[b]);
        describe_panel(&mut out, panel, before);
    }
    if figure.panels.len() > PANELS {
        let _ = writeln!(out, "and {} more", count(figure.panels.len() - PANELS, "panel"));
    }
    out
}

fn describe_panel(out: &mut String, panel: &Panel, before: Option<&Panel>) {
    let title = if panel.title.is_empty() { String::new() } else { format!(" {}", quoted(&panel.title)) };
    let _ = writeln!(out, "panel{title}");
    for (name, of) in [("x", (|p: &Panel| &p.x) as fn(&Panel) -> &Axis), ("y", |p: &Panel| &p.y)] {
        if before.is_none_or(|b| of(b) != of(panel)) {
            axis(out, &format!("  {name}"), of(panel));
        }
    }
    for layer in panel.layers.iter().take(LAYERS) {
        let _ = writeln!(out, "  {}", describe_layer(layer));
    }
    if panel.layers.len() > LAYERS {
        let _ = writeln!(out, "  and {} more", count(panel.layers.len() - LAYERS, "layer"));
    }
}

fn axis(out: &mut String, name: &str, axis: &Axis) {
    let scale = match axis.scale {
        Scale::Linear => "linear",
        Scale::Log => "log",
        Scale::Categorical => "categorical",
    };
    let ticks: Vec<&str> = axis.ticks.iter().map(|t| t.label.as_str()).collect();
    let (low, high) = axis.range;
    let _ = writeln!(out, "{name} {} {scale} {}..{}: {}", quoted(&axis.label), number(low), number(high), ticks.join(" | "));
}

fn describe_layer(layer: &Layer) -> String {
    match layer {
        Layer::Line { points, style, width } => format!("line {} wide {}: {}", number(*width), look(*style, false), ends(points, point)),
        Layer::Points { points, style } => format!("points {}: {}", look(*style, true), ends(points, point)),
        Layer::Bars { points, style, width } => format!("bars {} wide {}: {}", number(*width), look(*style, false), ends(points, point)),
        Layer::Band { points, style } => {
            let place = |p: &(f64, f64, f64)| format!("({}, {}..{})", number(p.0), number(p.1), number(p.2));
            format!("band {}: {}", look(*style, false), ends(points, place))
        }
        Layer::Cells { x_edges, y_edges, values } => {
            let hatched = values.iter().filter(|v| **v == CellInk::Hatched).count();
            let blank = values.iter().filter(|v| **v == CellInk::Blank).count();
            let shares: Vec<f64> = values
                .iter()
                .filter_map(
                    |v| if let CellInk::Ink(Ink::Map(share) | Ink::Signed(share) | Ink::Tint(share)) = v { Some(*share) } else { None },
                )
                .collect();
            let edges = |edges: &[f64]| ends(edges, |e| number(*e));
            format!(
                "cells: x {}; y {}; colors {}; {hatched} hatched, {blank} blank",
                edges(x_edges),
                edges(y_edges),
                ends(&shares, |s| number(*s))
            )
        }
        Layer::Labels { texts } => {
            let all: Vec<&str> = texts.iter().map(|(_, text, _)| text.as_str()).collect();
            format!("labels: {}", all.join(" "))
        }
        Layer::Isoline { level, lines, ink } => {
            let points: usize = lines.iter().map(Vec::len).sum();
            format!("isoline at {} {}: {} of {points} points", number(*level), color(*ink), count(lines.len(), "line"))
        }
        Layer::Ruler { vertical, at, text } => {
            format!("ruler {} {} {}", if *vertical { "x" } else { "y" }, number(*at), quoted(text))
        }
        Layer::Note { at, text } => format!("note {} at {}", quoted(text), point(at)),
        Layer::Mark { at, kind, style } => {
            let kind = match kind {
                MarkKind::Start => "start",
                MarkKind::End => "end",
                MarkKind::Diverged => "diverged",
            };
            format!("mark {kind} {} at {}", color(style.color), point(at))
        }
    }
}

fn entry(entry: &LegendEntry) -> String {
    let kind = match entry.kind {
        LegendKind::Line => "line",
        LegendKind::Point => "point",
        LegendKind::LinePoint => "line with point",
        LegendKind::Box => "box",
        LegendKind::Hatched => return format!("{} (hatched)", quoted(&entry.label)),
        LegendKind::Cross => "cross",
    };
    let symbols = matches!(entry.kind, LegendKind::Point | LegendKind::LinePoint);
    format!("{} ({kind} {})", quoted(&entry.label), look(entry.style, symbols))
}

/// Color, dash and, where there are symbols, marker; those that are the first of their list unnamed.
fn look(style: Style, symbols: bool) -> String {
    let mut out = color(style.color);
    if style.dash > 0 {
        let _ = write!(out, " dash {}", style.dash);
    }
    if symbols && style.marker > 0 {
        let _ = write!(out, " marker {}", style.marker);
    }
    out
}

fn color(ink: Ink) -> String {
    match ink {
        Ink::Series(i) => format!("color {i}"),
        Ink::Map(share) => format!("map {}", number(share)),
        Ink::Signed(share) => format!("signed {}", number(share)),
        Ink::Tint(share) => format!("tint {}", number(share)),
        Ink::Black => "black".to_owned(),
        Ink::Gray => "gray".to_owned(),
    }
}

/// How many there are, and the first and the last.
fn ends<T>(all: &[T], say: impl Fn(&T) -> String) -> String {
    match all {
        [] => "none".to_owned(),
        [one] => format!("1, {}", say(one)),
        [first, .., last] => format!("{}, {} .. {}", all.len(), say(first), say(last)),
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn point(at: &(f64, f64)) -> String {
    format!("({}, {})", number(at.0), number(at.1))
}

fn quoted(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_debug().collect() } else { c.to_string() };
    format!("`{}`", text.chars().map(shown).collect::<String>())
}

/// A number rounded to six significant digits.
fn number(x: f64) -> String {
    if !x.is_finite() || x == 0.0 {
        return if x == 0.0 { "0".to_owned() } else { x.to_string() };
    }
    let rounded: f64 = format!("{x:.5e}").parse().unwrap_or(x);
    if (1e-4..1e7).contains(&rounded.abs()) { rounded.to_string() } else { format!("{rounded:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_meaning_and_not_the_last_bit() {
        for (x, expected) in [
            (0.1 + 0.2, "0.3"),
            (0.3_f64.next_up(), "0.3"),
            (20_000.0, "20000"),
            (1.0 / 3.0, "0.333333"),
            (-2.5e-23, "-2.5e-23"),
            (9_999_999.9, "1e7"),
            (0.0, "0"),
            (-0.0, "0"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(number(x), expected);
        }
        assert_ne!(number(1.00001), number(1.00002));
    }
}
