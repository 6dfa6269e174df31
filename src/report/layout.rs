//! Where everything of a figure goes on the paper: margins are measured from the texts that stand in them.
//!
//! It is the same for every file format, and never fails: what does not fit is cut with an ellipsis, and a figure
//! without a size becomes as large as it needs.

use super::axes::{Bottom, Frame, Side, TICK_SIZE, draw_bottom_label, draw_side, draw_side_label, label_depth, side_ticks_depth};
use super::figure::{Axis, Figure, Layer, Panel, Scale};
use super::font::{CAP, Font};
use super::legend::{Legend, bar_width, draw_bar};
use super::marks::draw_layers;
use super::palette;
use super::scene::{Anchor, Point, Rect, Scene, TextLook};

/// Sizes of texts and the lines they stand in.
const TITLE: f64 = 14.0;
const PANEL_TITLE: f64 = 11.0;
const CAPTION: f64 = 9.5;
const LEADING: f64 = 1.35;
/// Free edge of the paper.
const EDGE: f64 = 10.0;
/// Between panels, and between the panels and what stands on their right.
const GUTTER: f64 = 12.0;
const ASIDE: f64 = 16.0;
/// Widths of figures of one, two, ... columns, and what each further column adds.
const WIDTHS: [f64; 3] = [620.0, 740.0, 900.0];
const FURTHER: f64 = 240.0;
/// The narrowest panel of a figure that may grow, and of one that may not.
const NARROW: f64 = 150.0;
const LEAST: f64 = 8.0;
/// The most room of a single panel whose form the data say; of several: all side by side, and the longer side of one.
const ALONE: (f64, f64) = (380.0, 380.0);
const TOGETHER: f64 = 560.0;
const SIDE: f64 = 230.0;
const TITLED: f64 = 84.0;
/// The side of a category in a field by itself.
const CATEGORY: f64 = 46.0;
/// The narrowest figure of such panels: its title and caption need room, too.
const SLIM: f64 = 380.0;
/// Highest legend that stands above a colour bar, as a share of the height of the panels, and the room between them.
const STACKED: f64 = 0.5;
const UNDER: f64 = 12.0;
/// Widest place of a legend in a figure of given width.
const SHARE: f64 = 0.45;

/// The margins around the panels of each column and row.
struct Margins {
    left: Vec<f64>,
    right: Vec<f64>,
    above: Vec<f64>,
    below: Vec<f64>,
}

/// What the layout knows of a figure before anything has a place.
struct Plan<'f> {
    figure: &'f Figure,
    font: Font,
    columns: usize,
    rows: usize,
    /// Whether all panels have the same axis, and need ticks only at the outer edge.
    same: (bool, bool),
    /// The labels common to all panels.
    labels: (&'f str, &'f str),
}

/// Lays out a figure.
pub(super) fn lay_out(figure: &Figure) -> Scene {
    let plan = Plan::new(figure);
    let font = &plan.font;
    let given = figure.size.map(|(w, h)| (f64::from(w), f64::from(h)));
    let base = WIDTHS.get(plan.columns - 1).copied().unwrap_or(WIDTHS[2] + FURTHER * (plan.columns as f64 - 3.0));
    let mut width = given.map_or(base, |(w, _)| w);

    // What stands beside the panels.
    let bar = figure.color_bar.as_ref();
    let bar_room = bar.map_or(0.0, |b| ASIDE + bar_width(font, b));
    let rough = given.map_or(plan.rows as f64 * if plan.rows * plan.columns == 1 { 320.0 } else { 170.0 }, |(_, h)| h * 0.8);
    let legend = Legend::arrange(font, &figure.legend, rough.max(120.0));
    let legend_room = match (legend.width > 0.0, given) {
        (false, _) => 0.0,
        (true, Some((w, _))) => (ASIDE + legend.width).min(w * SHARE),
        (true, None) => ASIDE + legend.width,
    };
    // A short legend stands above the colour bar, a long one beside it.
    let stacked = bar.is_some() && legend.height > 0.0 && legend.height < rough * STACKED;
    let aside = if stacked { bar_room.max(legend_room) } else { bar_room + legend_room };

    // Widths, twice: how far turned labels reach to the left depends on the width.
    let label_left = label_depth(plan.labels.1);
    let mut margins = plan.margins(0.0);
    let mut panel_width = 0.0;
    for _ in 0..2 {
        let taken: f64 = margins.left.iter().chain(&margins.right).sum::<f64>() + label_left + aside + 2.0 * EDGE;
        panel_width = (width - taken) / plan.columns as f64;
        if let (Some(aspect), None) = (figure.aspect, given) {
            panel_width = plan.fitted(aspect);
            width = (taken + panel_width * plan.columns as f64).max(SLIM);
            margins = plan.margins(panel_width);
            continue;
        }
        if given.is_none() && panel_width < NARROW {
            panel_width = NARROW;
            width = taken + NARROW * plan.columns as f64;
        }
        panel_width = panel_width.max(LEAST);
        margins = plan.margins(panel_width);
    }
    let left = EDGE + label_left;
    let right = left + margins.left.iter().chain(&margins.right).sum::<f64>() + panel_width * plan.columns as f64;
    let first = left + margins.left[0];

    // Heights.
    let title = font.wrap(&figure.title, TITLE, (width - first - EDGE).max(60.0), 3);
    let caption = font.wrap(&figure.caption, CAPTION, (width - 2.0 * EDGE).max(60.0), 8);
    let top = EDGE + if title.is_empty() { 0.0 } else { title.len() as f64 * TITLE * LEADING + 4.0 };
    let foot = label_depth(plan.labels.0) + EDGE + if caption.is_empty() { 0.0 } else { caption.len() as f64 * CAPTION * LEADING + 8.0 };
    let between: f64 = margins.above.iter().chain(&margins.below).sum();
    let (height, panel_height) = if let Some((_, height)) = given {
        let room = ((height - top - foot - between) / plan.rows as f64).max(LEAST);
        (height, figure.aspect.map_or(room, |aspect| room.min((panel_width * aspect).max(LEAST))))
    } else if let Some(aspect) = figure.aspect {
        let panel_height = (panel_width * aspect).max(LEAST);
        (top + (panel_height * plan.rows as f64 + between).max(legend.height + 8.0) + foot, panel_height)
    } else {
        let wanted = plan.panel_height(panel_width);
        let needed = (legend.height + 8.0 - between) / plan.rows as f64;
        let panel_height = wanted.max(needed.min(wanted * 1.6));
        let height = top + (panel_height * plan.rows as f64 + between).max(legend.height + 8.0) + foot;
        (height, panel_height)
    };

    // Places.
    let mut scene = Scene { width, height, shapes: Vec::new() };
    for (i, line) in title.iter().enumerate() {
        let at = (first, EDGE + TITLE * (CAP + LEADING * i as f64));
        scene.text(font, at, line, TextLook::new(TITLE, palette::BLACK, Anchor::Start));
    }
    let mut grid = Rect { left: first, top, right, bottom: top };
    let mut y = top;
    for row in 0..plan.rows {
        y += margins.above[row];
        if row == 0 {
            grid.top = y;
        }
        let mut x = left;
        for column in 0..plan.columns {
            x += margins.left[column];
            if let Some(panel) = figure.panels.get(row * plan.columns + column) {
                plan.draw_panel(&mut scene, panel, row * plan.columns + column, Rect::sized(x, y, panel_width, panel_height));
            }
            x += panel_width;
            if column + 1 == plan.columns {
                grid.right = x;
            }
            x += margins.right[column];
        }
        y += panel_height;
        grid.bottom = y;
        y += margins.below[row];
    }
    let last_row = y;
    let ticks =
        (0..plan.rows).filter_map(|row| figure.panels.get(row * plan.columns)).map(|p| side_ticks_depth(font, &p.y)).fold(0.0, f64::max);
    draw_side_label(&mut scene, font, plan.labels.1, first - ticks - label_left, grid, grid.height() + 24.0, Side::Left);
    draw_bottom_label(&mut scene, font, plan.labels.0, last_row + label_depth(plan.labels.0), grid, grid.width() + 40.0);
    if let Some(bar) = bar {
        let top = grid.top + if stacked { legend.height + UNDER } else { 0.0 };
        let area = Rect { left: right + ASIDE, right: right + bar_room, top, bottom: grid.bottom };
        let tall = area.height().min(340.0);
        draw_bar(&mut scene, font, bar, Rect { bottom: area.top + tall, ..area }, !plan.has_cells());
    }
    let beside = if stacked { 0.0 } else { bar_room };
    legend.draw(&mut scene, font, (right + beside + ASIDE, grid.top));
    let mut base = height - EDGE - (caption.len() as f64 - 1.0) * CAPTION * LEADING - CAPTION * 0.24;
    for line in &caption {
        scene.text(font, (EDGE, base), line, TextLook::new(CAPTION, palette::GRAY, Anchor::Start));
        base += CAPTION * LEADING;
    }
    scene
}

impl<'f> Plan<'f> {
    fn new(figure: &'f Figure) -> Plan<'f> {
        let panels = &figure.panels;
        let columns = figure.columns.clamp(1, panels.len().max(1));
        let same = |axis: fn(&Panel) -> &Axis| panels.windows(2).all(|w| same_axis(axis(&w[0]), axis(&w[1])));
        let label = |axis: fn(&Panel) -> &Axis| {
            let first = panels.first().map_or("", |p| axis(p).label.as_str());
            if panels.iter().all(|p| axis(p).label == first) { first } else { "" }
        };
        Plan {
            figure,
            font: Font::embedded(),
            columns,
            rows: panels.len().div_ceil(columns).max(1),
            same: (same(|p| &p.x), same(|p| &p.y)),
            labels: (label(|p| &p.x), label(|p| &p.y)),
        }
    }

    fn has_cells(&self) -> bool {
        self.figure.panels.iter().flat_map(|p| &p.layers).any(|l| matches!(l, Layer::Cells { .. }))
    }

    /// The height of a panel that may choose it.
    fn panel_height(&self, width: f64) -> f64 {
        let map = self.figure.panels.iter().flat_map(|p| &p.layers).any(|l| matches!(l, Layer::Cells { .. } | Layer::Isoline { .. }));
        if self.figure.panels.len() <= 1 {
            (width * if map { 0.78 } else { 0.64 }).clamp(200.0, 360.0)
        } else {
            (width * if map { 0.9 } else { 0.74 }).clamp(110.0, 300.0)
        }
    }

    /// The width of a panel whose form the data say.
    fn fitted(&self, aspect: f64) -> f64 {
        let (wide, high) = match &self.figure.panels[..] {
            // A few categories need no large field.
            [alone] if alone.x.scale == Scale::Categorical => {
                let side = (alone.x.ticks.len() as f64 * CATEGORY).clamp(SIDE, ALONE.0);
                (side, side)
            }
            [] | [_] => ALONE,
            _ => (TOGETHER / self.columns as f64, SIDE),
        };
        let aspect = aspect.clamp(0.02, 50.0);
        // A title needs some width, whatever the form.
        let least = if self.figure.panels.iter().any(|panel| panel.title.len() > 4) { TITLED } else { LEAST };
        wide.min(SIDE.max(high)).min(high / aspect).max(least)
    }

    /// Whether the panel has tick labels below it: always if axes differ, else only where no panel follows below.
    fn labelled_below(&self, panel: usize) -> bool {
        !self.same.0 || panel + self.columns >= self.figure.panels.len()
    }

    fn labelled_left(&self, panel: usize) -> bool {
        !self.same.1 || panel.is_multiple_of(self.columns)
    }

    /// The label of a panel's own axis, where it is not common to all.
    fn own<'a>(common: &str, label: &'a str) -> &'a str {
        if common.is_empty() { label } else { "" }
    }

    /// The margins for panels of some width; of a usual width if it is not known yet.
    fn margins(&self, width: f64) -> Margins {
        let width = if width > 0.0 { width } else { NARROW };
        let mut margins = Margins {
            left: vec![0.0; self.columns],
            right: vec![0.0; self.columns],
            above: vec![0.0; self.rows],
            below: vec![0.0; self.rows],
        };
        let raise = |to: &mut f64, value: f64| *to = to.max(value);
        // Pictures without ticks stand close together.
        let bare = self.figure.panels.iter().all(|panel| panel.x.ticks.is_empty() && panel.y.ticks.is_empty());
        let gutter = if bare { GUTTER / 2.0 } else { GUTTER };
        for (i, panel) in self.figure.panels.iter().enumerate() {
            let (row, column) = (i / self.columns, i % self.columns);
            let bottom = Bottom::fit(&self.font, &panel.x, width);
            let mut side = label_depth(Self::own(self.labels.1, &panel.y.label));
            if self.labelled_left(i) {
                side += side_ticks_depth(&self.font, &panel.y);
            }
            // Between neighbours, the labels that reach beyond both frames need a space between them.
            let space = if column > 0 { gutter / 2.0 } else { 0.0 };
            raise(&mut margins.left[column], side.max(bottom.beyond.0) + space);
            raise(&mut margins.right[column], bottom.beyond.1.max(2.0) + if column + 1 < self.columns { gutter / 2.0 } else { 0.0 });
            let mut foot = label_depth(Self::own(self.labels.0, &panel.x.label));
            if self.labelled_below(i) {
                foot += bottom.depth;
            }
            raise(&mut margins.below[row], foot + if row + 1 < self.rows { gutter } else { 0.0 });
            let title = self.font.wrap(&panel.title, PANEL_TITLE, width, 2).len() as f64;
            let half_label = if self.labelled_left(i) { TICK_SIZE * 0.4 } else { 0.0 };
            raise(&mut margins.above[row], (title * PANEL_TITLE * LEADING + if title > 0.0 { 3.0 } else { 0.0 }).max(half_label));
        }
        margins
    }

    /// Draws a panel with its axes.
    fn draw_panel(&self, scene: &mut Scene, panel: &Panel, index: usize, area: Rect) {
        let font = &self.font;
        let frame = Frame::new(area, &panel.x, &panel.y);
        if !panel.layers.iter().any(|l| matches!(l, Layer::Cells { .. } | Layer::Isoline { .. })) {
            frame.grid(scene, &panel.x, &panel.y);
        }
        draw_layers(scene, font, &frame, panel);
        frame.outline(scene);
        let bottom = Bottom::fit(font, &panel.x, area.width());
        bottom.draw(scene, font, &frame, &panel.x, self.labelled_below(index));
        draw_side(scene, font, &frame, &panel.y, Side::Left, self.labelled_left(index));

        let own = (Self::own(self.labels.0, &panel.x.label), Self::own(self.labels.1, &panel.y.label));
        let depth = if self.labelled_below(index) { bottom.depth } else { 0.0 };
        draw_bottom_label(scene, font, own.0, area.bottom + depth + label_depth(own.0), area, area.width());
        let depth = if self.labelled_left(index) { side_ticks_depth(font, &panel.y) } else { 0.0 };
        draw_side_label(scene, font, own.1, area.left - depth - label_depth(own.1), area, area.height(), Side::Left);

        let lines = font.wrap(&panel.title, PANEL_TITLE, area.width(), 2);
        let first: Point = (area.middle().0, area.top - 5.0 - (lines.len() as f64 - 1.0) * PANEL_TITLE * LEADING);
        for (i, line) in lines.iter().enumerate() {
            let at = (first.0, first.1 + i as f64 * PANEL_TITLE * LEADING);
            scene.text(font, at, line, TextLook::new(PANEL_TITLE, palette::BLACK, Anchor::Middle));
        }
    }
}

/// Whether two axes put the same values at the same places under the same names.
fn same_axis(a: &Axis, b: &Axis) -> bool {
    a.scale == b.scale && a.range == b.range && a.ticks == b.ticks && a.label == b.label
}
