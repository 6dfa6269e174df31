//! The colours, dashes and symbols of figures: names for eyes that see colours differently, in print and on screens.
//!
//! It never decides which series gets which entry.
//!
//! Series: Okabe and Ito's colours, those that are strong on white first, their pale yellow left out, then two
//! darker ones. Numbers: viridis (Smith and van der Walt, CC0), as 33 entries of the table between which colours are mixed.
//! Numbers with a sign: the map from blue to red of `ColorBrewer` (Brewer and Harrower, Apache 2.0), blue below zero; its blue half for shares.

use super::figure::Ink;

/// A colour as red, green and blue.
pub type Rgb = [u8; 3];

/// Text.
pub const BLACK: Rgb = [0x1a, 0x1a, 0x1a];
/// Frames and ticks.
pub const FRAME: Rgb = [0x4d, 0x4d, 0x4d];
/// What is in the background: rulers, captions.
pub const GRAY: Rgb = [0x6e, 0x6e, 0x6e];
/// Grid lines.
pub const GRID: Rgb = [0xe6, 0xe6, 0xe6];
/// The paper.
pub const WHITE: Rgb = [0xff, 0xff, 0xff];

/// The colours of series, in the order in which they are given out.
pub const SERIES: [Rgb; 8] = [
    [0x00, 0x72, 0xb2], // blue
    [0xd5, 0x5e, 0x00], // vermilion
    [0x00, 0x9e, 0x73], // bluish green
    [0xcc, 0x79, 0xa7], // reddish purple
    [0xe6, 0x9f, 0x00], // orange
    [0x56, 0xb4, 0xe9], // sky blue
    [0x5b, 0x3a, 0x8c], // indigo
    [0x80, 0x55, 0x2b], // brown
];

/// Lengths of dashes and gaps in points, for a line of the usual width; solid first.
pub const DASHES: [&[f64]; 6] = [&[], &[5.5, 2.5], &[1.6, 2.2], &[7.0, 2.2, 1.6, 2.2], &[11.0, 3.0], &[7.0, 2.0, 1.6, 2.0, 1.6, 2.0]];

/// Viridis at 0, 1/32, ..., 1.
const VIRIDIS: [Rgb; 33] = [
    [68, 1, 84],
    [71, 13, 96],
    [72, 24, 106],
    [72, 35, 116],
    [71, 45, 123],
    [69, 55, 129],
    [66, 64, 134],
    [62, 73, 137],
    [59, 82, 139],
    [55, 91, 141],
    [51, 99, 141],
    [47, 107, 142],
    [44, 114, 142],
    [41, 122, 142],
    [38, 130, 142],
    [35, 137, 142],
    [33, 145, 140],
    [31, 152, 139],
    [31, 160, 136],
    [34, 167, 133],
    [40, 174, 128],
    [50, 182, 122],
    [63, 188, 115],
    [78, 195, 107],
    [94, 201, 98],
    [112, 207, 87],
    [132, 212, 75],
    [152, 216, 62],
    [173, 220, 48],
    [194, 223, 35],
    [216, 226, 25],
    [236, 229, 27],
    [253, 231, 37],
];

/// From blue to red, nearly white in the middle.
const SIGNED: [Rgb; 11] = [
    [5, 48, 97],
    [33, 102, 172],
    [67, 147, 195],
    [146, 197, 222],
    [209, 229, 240],
    [247, 247, 247],
    [253, 219, 199],
    [244, 165, 130],
    [214, 96, 77],
    [178, 24, 43],
    [103, 0, 31],
];

/// White, and its blue half without its darkest end.
const TINTS: [Rgb; 5] = [[255, 255, 255], [209, 229, 240], [146, 197, 222], [67, 147, 195], [33, 102, 172]];

/// The share of viridis that is dark enough for thin lines on white.
const DARK_ENOUGH: f64 = 0.82;

/// The colour of an ink that fills an area.
#[must_use]
pub fn fill(ink: Ink) -> Rgb {
    match ink {
        Ink::Series(i) => SERIES[i % SERIES.len()],
        Ink::Map(share) => mixed(&VIRIDIS, share),
        Ink::Signed(share) => mixed(&SIGNED, share),
        Ink::Tint(share) => mixed(&TINTS, share),
        Ink::Black => BLACK,
        Ink::Gray => GRAY,
    }
}

/// The colour of an ink that draws lines and symbols: the light end of the map is left out.
#[must_use]
pub fn line(ink: Ink) -> Rgb {
    match ink {
        Ink::Map(share) => mixed(&VIRIDIS, share * DARK_ENOUGH),
        other => fill(other),
    }
}

/// Whether white texts are read on this colour rather than black ones.
#[must_use]
pub fn is_dark(rgb: Rgb) -> bool {
    // Rec. 601 luma, in which half of the way from black to white is where eyes see it.
    let [r, g, b] = rgb.map(f64::from);
    0.299 * r + 0.587 * g + 0.114 * b < 140.0
}

/// The colour at a share of a map; what is not a number is gray.
fn mixed(map: &[Rgb], share: f64) -> Rgb {
    if share.is_nan() {
        return GRAY;
    }
    let place = share.clamp(0.0, 1.0) * (map.len() - 1) as f64;
    let low = (place as usize).min(map.len() - 2);
    let part = place - low as f64;
    std::array::from_fn(|c| {
        let (a, b) = (f64::from(map[low][c]), f64::from(map[low + 1][c]));
        (a + (b - a) * part).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast against white after WCAG 2, with the sRGB curve squared: near enough to order colours.
    fn contrast(c: Rgb) -> f64 {
        let linear = c.map(|v| (f64::from(v) / 255.0) * (f64::from(v) / 255.0));
        1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
    }

    #[test]
    fn every_line_can_be_seen_on_white() {
        let map = (0..=100).map(|i| line(Ink::Map(f64::from(i) / 100.0)));
        for color in SERIES.into_iter().chain(map) {
            assert!(contrast(color) > 1.7, "{color:?}: {}", contrast(color));
        }
    }

    #[test]
    fn the_map_has_its_ends_and_survives_anything() {
        assert_eq!(fill(Ink::Map(0.0)), [68, 1, 84]);
        assert_eq!(fill(Ink::Map(f64::INFINITY)), [253, 231, 37]);
        assert_eq!(fill(Ink::Map(f64::NAN)), GRAY);
        assert_eq!(fill(Ink::Series(usize::MAX)), SERIES[7]);
    }
}
