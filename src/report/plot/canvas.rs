//! What every plot begins and ends with: the cells in their panels, and panels, legend and caption put together.
//!
//! It draws no mark.

use super::sheet::{Drawing, Sheet};
use super::tiles::Colors;
use super::{further_axes, merged, plan};
use crate::report::cells::{Place, Reader};
use crate::report::figure::{Axis, ColorBar, Figure, Layer, LegendEntry, LegendGroup, LegendKind, Panel, Style};
use crate::report::keys::Channel;
use crate::results::view::{Band, Center, PlotAxis, PlotView};

/// A plot in the making.
pub(super) struct Canvas<'a, 'r> {
    pub(super) view: &'a PlotView,
    pub(super) cells: Vec<Place>,
    /// Axes that nothing in the plot names, to be told apart by colour.
    pub(super) further: Vec<&'r str>,
    pub(super) facet: Channel<'a, 'r>,
    /// The cells of each panel.
    pub(super) panels: Vec<Vec<Place>>,
    pub(super) drawing: Drawing<'a, 'r>,
}

impl<'a, 'r> Canvas<'a, 'r>
where
    'r: 'a,
{
    /// `in_panels`: axes that nothing names get panels rather than colours.
    pub(super) fn new(reader: &'a Reader<'r>, view: &'a PlotView, in_panels: bool) -> Self {
        let cells = reader.select(&view.selection);
        if cells.is_empty() && !view.selection.sweeps.is_empty() {
            reader.warn(format!("plot `{}`: no cell is selected", view.name));
        }
        let further = further_axes(reader, view, &cells);
        let (in_panels, further): (Vec<&'r str>, Vec<&'r str>) = if in_panels { (further, Vec::new()) } else { (Vec::new(), further) };
        let facet = Channel::new(reader, &view.facet, &in_panels, &cells);
        let axes = (plan(view, PlotAxis::X), plan(view, PlotAxis::Y));
        let center = view.center.unwrap_or(Center::Mean);
        let band = view.band.unwrap_or(if center == Center::Mean { Band::Ci95 } else { Band::Iqr });
        let over = merged(view).into_iter().filter(|axis| reader.differ(&cells, axis)).map(|axis| format!("{axis}s")).collect();
        let drawing = Drawing::new(reader, cells.len(), axes, center, band, over);
        let mut panels: Vec<Vec<Place>> = vec![Vec::new(); facet.len().max(1)];
        for &place in &cells {
            panels[facet.index(place)].push(place);
        }
        Canvas { view, cells, further, facet, panels, drawing }
    }

    /// What stands above a panel.
    pub(super) fn title(&self, panel: usize) -> String {
        if self.facet.names.is_empty() || self.facet.len() == 0 { String::new() } else { self.facet.label(panel) }
    }

    /// Sheets with their titles.
    pub(super) fn titled(&self, sheets: Vec<Sheet>) -> Vec<(String, Sheet)> {
        sheets.into_iter().enumerate().map(|(at, sheet)| (self.title(at), sheet)).collect()
    }

    /// The figure of tiles.
    pub(super) fn tiled(self, panels: Vec<(String, Sheet)>, colors: Option<Colors>, aspect: f64) -> Figure {
        let marks = self.drawing.cross_entry(LegendKind::Hatched);
        let legend =
            marks.map(|entry| LegendGroup { title: String::new(), entries: vec![LegendEntry { style: Style::default(), ..entry }] });
        let figure = self.finish(panels, legend.into_iter().collect(), colors.map(Colors::bar));
        Figure { aspect: Some(aspect), ..figure }
    }

    /// Puts the figure together, now that everything is known.
    pub(super) fn finish(mut self, panels: Vec<(String, Sheet)>, legend: Vec<LegendGroup>, color_bar: Option<ColorBar>) -> Figure {
        let (x, cut_x) = self.drawing.x.finish("horizontal");
        let (y, cut_y) = self.drawing.y.finish("vertical");
        let mut left = 0;
        let view = self.view;
        let panel =
            |(title, sheet): (String, Sheet)| Panel { title, x: x.clone(), y: y.clone(), layers: layers(view, sheet, &x, &y, &mut left) };
        let panels: Vec<Panel> = panels.into_iter().map(panel).collect();
        self.drawing.left = left;
        [cut_x, cut_y].into_iter().flatten().for_each(|sentence| self.drawing.say(sentence));
        let count = panels.len();
        Figure {
            name: view.name.clone(),
            title: view.title.clone(),
            caption: self.drawing.caption().join(" "),
            size: view.size,
            columns: match count {
                0..=3 => count.max(1),
                4 => 2,
                5 | 6 | 9 => 3,
                _ => 4,
            },
            panels,
            legend,
            color_bar,
            aspect: None,
        }
    }
}

/// Everything in a panel: what is in the background first.
fn layers(view: &PlotView, sheet: Sheet, x: &Axis, y: &Axis, left: &mut usize) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    let rulers = view.rulers.iter().map(|(axis, at, text)| Layer::Ruler { vertical: *axis == PlotAxis::X, at: *at, text: text.clone() });
    layers.extend(rulers);
    layers.extend(sheet.finish(x, y, left));
    // Areas would cover lines.
    layers.sort_by_key(|layer| match layer {
        Layer::Cells { .. } => 0,
        Layer::Band { .. } => 1,
        _ => 2,
    });
    layers.extend(view.notes.iter().map(|(text, x, y)| Layer::Note { at: (*x, *y), text: text.clone() }));
    layers
}
