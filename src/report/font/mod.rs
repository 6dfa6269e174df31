//! The one font of all figures: how wide a text is, and the outlines of its glyphs.
//!
//! It looks for no fonts on the machine, and shapes no scripts that join letters or run from right to left:
//! letters outside Latin and Greek are drawn as the box of a missing glyph.

use ab_glyph::{Font as _, FontRef, GlyphId, OutlineCurve};

/// Name by which a viewer of an SVG may know the font.
pub(super) const FAMILY: &str = "DejaVu Sans, Verdana, Bitstream Vera Sans, sans-serif";

/// Height of capitals and digits, as a share of the size.
pub(super) const CAP: f64 = 0.729;

/// The embedded font.
pub(super) struct Font {
    font: FontRef<'static>,
    units: f64,
}

/// A piece of an outline, relative to the start of the text on its base line, y down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Piece {
    Move((f64, f64)),
    Line((f64, f64)),
    Curve((f64, f64), (f64, f64)),
}

/// The character that is shown for one: what would break a line, an XML file or the order of letters is not.
pub(super) fn shown(c: char) -> char {
    match c {
        '\n' | '\t' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fff9}'..='\u{ffff}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

impl Font {
    /// The font that is part of the program.
    pub(super) fn embedded() -> Font {
        let font = FontRef::try_from_slice(include_bytes!("DejaVuSans-subset.ttf")).expect("internal: the embedded font is a font");
        let units = f64::from(font.units_per_em().unwrap_or(2048.0));
        Font { font, units }
    }

    /// Glyphs with their places along the line, and the width of all, in units of the font.
    fn line(&self, text: &str) -> (Vec<(GlyphId, f64)>, f64) {
        let mut glyphs: Vec<(GlyphId, f64)> = Vec::new();
        let mut x = 0.0;
        for c in text.chars() {
            let glyph = self.font.glyph_id(shown(c));
            if let Some((before, _)) = glyphs.last() {
                x += f64::from(self.font.kern_unscaled(*before, glyph));
            }
            glyphs.push((glyph, x));
            x += f64::from(self.font.h_advance_unscaled(glyph));
        }
        (glyphs, x)
    }

    /// The width of a text in points.
    pub(super) fn width(&self, text: &str, size: f64) -> f64 {
        self.line(text).1 * size / self.units
    }

    /// The widest of some texts.
    pub(super) fn widest<'t>(&self, texts: impl IntoIterator<Item = &'t str>, size: f64) -> f64 {
        texts.into_iter().map(|t| self.width(t, size)).fold(0.0, f64::max)
    }

    /// The text, or as much of its beginning as fits with an ellipsis.
    pub(super) fn fit(&self, text: &str, size: f64, room: f64) -> String {
        let limit = room * self.units / size;
        let (glyphs, width) = self.line(text);
        if width <= limit {
            return text.to_owned();
        }
        let limit = limit - f64::from(self.font.h_advance_unscaled(self.font.glyph_id('…')));
        let kept = glyphs.iter().skip(1).take_while(|(_, x)| *x <= limit).count();
        let kept: String = text.chars().take(kept).collect();
        format!("{}…", kept.trim_end())
    }

    /// The text in lines that fit, broken at spaces where possible; the last of `most` lines may end in an ellipsis.
    pub(super) fn wrap(&self, text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            let joined = lines.last().map(|line| format!("{line} {word}"));
            match joined {
                Some(joined) if lines.len() == most || self.width(&joined, size) <= room => {
                    *lines.last_mut().expect("internal: there is a line to join") = joined;
                    if lines.len() == most && self.width(&lines[most - 1], size) > room {
                        break;
                    }
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines.into_iter().map(|line| self.fit(&line, size, room)).collect()
    }

    /// The outlines of a text.
    pub(super) fn outlines(&self, text: &str, size: f64) -> Vec<Piece> {
        let scale = size / self.units;
        let mut pieces = Vec::new();
        for (glyph, x) in self.line(text).0 {
            let mut at: Option<ab_glyph::Point> = None;
            let place = |p: ab_glyph::Point| ((x + f64::from(p.x)) * scale, -f64::from(p.y) * scale);
            for curve in self.font.outline(glyph).map(|o| o.curves).unwrap_or_default() {
                let (from, to) = match curve {
                    OutlineCurve::Line(from, to) | OutlineCurve::Quad(from, _, to) | OutlineCurve::Cubic(from, _, _, to) => (from, to),
                };
                if at != Some(from) {
                    pieces.push(Piece::Move(place(from)));
                }
                pieces.push(match curve {
                    OutlineCurve::Quad(_, control, _) => Piece::Curve(place(control), place(to)),
                    OutlineCurve::Line(..) | OutlineCurve::Cubic(..) => Piece::Line(place(to)),
                });
                at = Some(to);
            }
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_what_labels_need() {
        let font = Font::embedded();
        for c in "aZ09⁰¹²³⁴⁵⁶⁷⁸⁹⁻−×…βημσλ∇₀₁→≤≥±éß�".chars() {
            assert_ne!(font.font.glyph_id(c), GlyphId(0), "{c}");
        }
    }

    #[test]
    fn widths_are_those_of_the_font() {
        // hmtx of DejaVu Sans 2.37: digits advance 1303, space 651 of 2048 units.
        let font = Font::embedded();
        assert!((font.width("12 4", 2048.0) - f64::from(3 * 1303 + 651)).abs() < 1e-9);
    }

    #[test]
    fn long_texts_are_cut_or_wrapped() {
        let font = Font::embedded();
        let long = "momentum ".repeat(40);
        assert!(font.width(&font.fit(&long, 10.0, 100.0), 10.0) <= 100.0);
        let lines = font.wrap(&long, 10.0, 200.0, 3);
        assert!(lines.len() == 3 && lines.iter().all(|l| font.width(l, 10.0) <= 200.0), "{lines:?}");
        assert!(lines[2].ends_with('…') && lines[0].starts_with("momentum momentum"));
        assert_eq!(font.fit("x", 10.0, 0.0), "…");
    }
}
