//! A figure as a value: panels, axes with their ticks, series, legend. Everything is decided, nothing is drawn.
//!
//! It knows no pixels, no fonts and no files; `png` and `svg` draw it, tests read it as text.

/// A whole picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The file name without its ending.
    pub name: String,
    /// Above everything; may be empty.
    pub title: String,
    /// Below everything: what was aggregated, what was left out.
    pub caption: String,
    /// Width and height in pixels at scale 1; `None` leaves it to the layout.
    pub size: Option<(u32, u32)>,
    /// The panels, row by row.
    pub panels: Vec<Panel>,
    /// Panels in one row of the picture.
    pub columns: usize,
    /// What the colours, dashes and markers mean; one legend for all panels. Empty: none is drawn.
    pub legend: Vec<LegendGroup>,
    /// The scale of values shown as colour (heat map, contour).
    pub color_bar: Option<ColorBar>,
    /// The height of each panel as a share of its width, where the data say so (the pixels of an image); `None` leaves it to
    /// the layout.
    pub aspect: Option<f64>,
}

/// One coordinate system.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Above it: the values of the facet; may be empty.
    pub title: String,
    /// Horizontal.
    pub x: Axis,
    /// Vertical.
    pub y: Axis,
    /// Drawn in order; marks, and the texts of rulers and notes, come above all.
    pub layers: Vec<Layer>,
}

/// One axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The quantity; may be empty.
    pub label: String,
    /// How values are laid out.
    pub scale: Scale,
    /// The interval shown, low before high, already padded; on a categorical axis `-0.5..n-0.5`.
    pub range: (f64, f64),
    /// Labelled ticks inside the range.
    pub ticks: Vec<Tick>,
    /// Small ticks without label.
    pub minor: Vec<f64>,
}

/// How an axis lays out its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Evenly.
    Linear,
    /// By the logarithm; the range is positive.
    Log,
    /// One place for each of a list of values, whose names are the tick labels.
    Categorical,
}

/// A labelled tick. Labels may hold superscript characters (10⁻¹²) and the minus sign U+2212.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where.
    pub at: f64,
    /// What it says.
    pub label: String,
}

/// How a series looks; indices into the palettes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Style {
    /// The colour.
    pub color: Ink,
    /// Dash pattern number; 0 is solid.
    pub dash: usize,
    /// Symbol number; 0 is a filled circle.
    pub marker: usize,
}

/// A colour: of the palette for names, or of a map for numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ink {
    /// Entry of the palette of distinguishable colours (wraps around).
    Series(usize),
    /// Position in 0..1 of the continuous map.
    Map(f64),
    /// Position in 0..1 of the map that is white in the middle: below it blue, above it red.
    Signed(f64),
    /// Position in 0..1 between white and blue.
    Tint(f64),
    /// Text colour.
    Black,
    /// For what is in the background.
    Gray,
}

impl Default for Ink {
    fn default() -> Self {
        Ink::Series(0)
    }
}

/// What is drawn in a panel. Points are in data coordinates; a point that is not finite interrupts a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// A line through points.
    Line {
        /// In order.
        points: Vec<(f64, f64)>,
        /// Its look.
        style: Style,
        /// In points of 1/72 inch; 1.5 is usual.
        width: f64,
    },
    /// A symbol at each point.
    Points {
        /// In any order.
        points: Vec<(f64, f64)>,
        /// Their look.
        style: Style,
    },
    /// Bars from the bottom of the panel (or 0 on a linear axis that shows 0).
    Bars {
        /// The middle of each bar, and its height.
        points: Vec<(f64, f64)>,
        /// Their look.
        style: Style,
        /// One for all, in data units of x.
        width: f64,
    },
    /// A shaded band.
    Band {
        /// x, low, high.
        points: Vec<(f64, f64, f64)>,
        /// Its look.
        style: Style,
    },
    /// Coloured cells.
    Cells {
        /// One more than columns.
        x_edges: Vec<f64>,
        /// One more than rows.
        y_edges: Vec<f64>,
        /// Row by row from low y: what each cell is.
        values: Vec<CellInk>,
    },
    /// Texts in cells, as large as the cells allow, or none.
    Labels {
        /// The middle of each cell, what it says, and the colour on which it stands.
        texts: Vec<((f64, f64), String, Ink)>,
    },
    /// A line of equal value, coloured by it.
    Isoline {
        /// The value.
        level: f64,
        /// Where.
        lines: Vec<Vec<(f64, f64)>>,
        /// Its colour.
        ink: Ink,
    },
    /// A horizontal or vertical line over the whole panel.
    Ruler {
        /// Vertical at an x, or horizontal at a y.
        vertical: bool,
        /// The x or y.
        at: f64,
        /// At its end; may be empty.
        text: String,
    },
    /// A text with a dot at a point.
    Note {
        /// The point.
        at: (f64, f64),
        /// What it says.
        text: String,
    },
    /// A mark at one point: where a path starts, ends, or leaves the picture.
    Mark {
        /// The point.
        at: (f64, f64),
        /// What happened there.
        kind: MarkKind,
        /// The look of the path.
        style: Style,
    },
}

/// What a cell of a heat map shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CellInk {
    /// A colour.
    Ink(Ink),
    /// Hatched: the run diverged or rose.
    Hatched,
    /// Nothing was run there.
    Blank,
}

/// A special point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// Where a run starts: a hollow circle.
    Start,
    /// Where it ends: a filled circle.
    End,
    /// Where it left the real numbers or rose above its start: a cross.
    Diverged,
}

/// Legend entries that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct LegendGroup {
    /// What varies, such as `optimizer`; may be empty.
    pub title: String,
    /// The entries.
    pub entries: Vec<LegendEntry>,
}

/// One legend entry.
#[derive(Debug, Clone, PartialEq)]
pub struct LegendEntry {
    /// Its name.
    pub label: String,
    /// How it looks.
    pub style: Style,
    /// Whether it is a line, a symbol, or a filled box.
    pub kind: LegendKind,
}

/// The sample beside a legend entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegendKind {
    /// A short line.
    Line,
    /// A symbol.
    Point,
    /// A line with a symbol.
    LinePoint,
    /// A filled box.
    Box,
    /// A hatched box.
    Hatched,
    /// The cross of a run that diverged.
    Cross,
}

/// A colour scale.
#[derive(Debug, Clone, PartialEq)]
pub struct ColorBar {
    /// The quantity, scale, range and ticks.
    pub axis: Axis,
    /// Its colours.
    pub map: ColorMap,
}

/// A continuous map of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorMap {
    /// From dark to light.
    Plain,
    /// White at zero.
    Signed,
    /// From white.
    Tint,
}

impl ColorMap {
    /// The ink at a share of the map.
    #[must_use]
    pub fn ink(self, share: f64) -> Ink {
        match self {
            ColorMap::Plain => Ink::Map(share),
            ColorMap::Signed => Ink::Signed(share),
            ColorMap::Tint => Ink::Tint(share),
        }
    }
}

/// Labelled ticks and minor ticks for a range: at steps of 1, 2 or 5 times a power of ten on a linear
/// scale, at powers of ten on a logarithmic one (thinned to fit), with about `wanted` labels.
#[must_use]
pub fn ticks(scale: Scale, range: (f64, f64), wanted: usize) -> (Vec<Tick>, Vec<f64>) {
    super::ticks::ticks(scale, range, wanted)
}
