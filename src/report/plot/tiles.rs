//! Matrices as pictures: heat maps of their entries, confusions of classes, images of their rows.
//!
//! Heat maps over two axes of a sweep are in `heat`.

use super::axis::{AxisPlan, share};
use super::canvas::Canvas;
use super::sheet::{Drawing, Sheet};
use super::{label, plan, said};
use crate::report::cells::{Place, Reader};
use crate::report::classes::Judge;
use crate::report::figure::{Axis, CellInk, ColorBar, ColorMap, Figure, Ink, Layer, Scale, Tick};
use crate::report::label::significant;
use crate::report::statistics::mean;
use crate::results::view::{Judged, PlotAxis, PlotView, Question};

/// Labels along a side of a matrix.
const LABELS: usize = 9;
/// So few pictures stand in one row.
const FEW: usize = 5;
/// Pictures of each panel that stand in one row.
const ROW: usize = 12;
/// How much longer one side of a matrix is drawn at most.
const LONG: f64 = 3.0;
/// From so many classes on, the counts in the cells cannot be read, and colours need a scale.
const CLASSES: usize = 26;

/// The entries of a matrix for each cell of the figure.
pub(super) fn matrix(reader: &Reader<'_>, view: &PlotView, z: &Question) -> Figure {
    let [rows, columns] = z.sizes[..] else { return Canvas::new(reader, view, true).finish(Vec::new(), Vec::new(), None) };
    let mut canvas = Canvas::new(reader, view, true);
    canvas.drawing.x.fixed = Some(indexed(columns, false));
    canvas.drawing.y.fixed = Some(indexed(rows, true));
    label(&mut canvas.drawing.x, "column");
    label(&mut canvas.drawing.y, "row");
    let values = canvas.means(z);
    let colors = colors(view, &z.text, values.iter().flatten().copied());
    let sheets = values.iter().map(|values| sheet(values, (rows, columns), &colors)).collect();
    let aspect = (rows as f64 / columns as f64).clamp(1.0 / LONG, LONG);
    let panels = canvas.titled(sheets);
    let columns = columns_for(panels.len(), aspect);
    Figure { columns, ..canvas.tiled(panels, Some(colors), aspect) }
}

/// Each row of a matrix as a picture; or each column, where those have the right length.
pub(super) fn image(reader: &Reader<'_>, view: &PlotView, value: &Question, (height, width): (usize, usize)) -> Figure {
    let mut canvas = Canvas::new(reader, view, true);
    let pixels = height * width;
    let blank = |n: usize| Axis { ticks: Vec::new(), ..indexed(n, false) };
    canvas.drawing.x.fixed = Some(blank(width));
    canvas.drawing.y.fixed = Some(blank(height));
    let all = canvas.means(value);
    let colors = colors(view, &value.text, all.iter().flatten().copied());
    // The entry of a pixel of a picture, and how many pictures there are.
    let (count, step, stride) = match value.sizes[..] {
        [rows, columns] if columns == pixels => (rows, pixels, 1),
        [_, columns] => (columns, 1, columns),
        _ => (1, 0, 1),
    };
    let mut panels = Vec::new();
    for (at, values) in all.iter().enumerate() {
        let name = canvas.title(at);
        for picture in 0..count {
            let entries: Vec<f64> =
                (0..pixels).map(|pixel| values.get(picture * step + pixel * stride).copied().unwrap_or(f64::NAN)).collect();
            let title = match (count, name.is_empty()) {
                (1, _) => name.clone(),
                (_, true) => picture.to_string(),
                (_, false) => format!("{name}: {picture}"),
            };
            panels.push((title, sheet(&entries, (height, width), &colors)));
        }
    }
    let mut figure = canvas.tiled(panels, Some(colors), height as f64 / width as f64);
    figure.columns =
        if count <= ROW && all.len() > 1 && count > 1 { count } else { columns_for(figure.panels.len(), height as f64 / width as f64) };
    figure
}

/// How often each class was taken for which.
pub(super) fn confusion(reader: &Reader<'_>, view: &PlotView, judged: &Judged) -> Figure {
    let mut canvas = Canvas::new(reader, view, true);
    let judge = Judge::new(reader, judged, &canvas.cells);
    let classes = judge.classes(reader, judged, &canvas.cells);
    let count = classes.names.len();
    for plan in [&mut canvas.drawing.x, &mut canvas.drawing.y] {
        plan.scale = Scale::Categorical;
        plan.names.clone_from(&classes.names);
    }
    // The first class stands at the top.
    canvas.drawing.y.names.reverse();
    label(&mut canvas.drawing.x, "predicted class");
    label(&mut canvas.drawing.y, "true class");
    let mut sheets = Vec::new();
    for own in canvas.panels.clone() {
        canvas.drawing.gathered(own.len());
        let runs: Vec<Vec<Vec<f64>>> = own.iter().map(|&place| judge.counts(&classes, place)).collect();
        for &place in &own {
            canvas.drawing.mark(place);
        }
        let mut values = Vec::with_capacity(count * count);
        let mut texts = Vec::new();
        for (row, y) in (0..count).rev().enumerate() {
            let line: Vec<f64> = (0..count).map(|p| mean(&runs.iter().map(|run| run[y][p]).collect::<Vec<_>>())).collect();
            let total: f64 = line.iter().sum();
            for (p, &value) in line.iter().enumerate() {
                let ink = Ink::Tint(if total > 0.0 { value / total } else { 0.0 });
                values.push(CellInk::Ink(ink));
                let text = if value.fract() == 0.0 { significant(value, 6) } else { format!("{value:.1}") };
                texts.push(((p as f64, row as f64), text, ink));
            }
        }
        let edges: Vec<f64> = (0..=count).map(|at| at as f64 - 0.5).collect();
        let mut sheet = Sheet::default();
        sheet.layers.push(Layer::Cells { x_edges: edges.clone(), y_edges: edges, values });
        sheet.layers.push(Layer::Labels { texts });
        sheets.push(sheet);
    }
    canvas.drawing.say("The colour of a count is its share of the rows of the true class.".to_owned());
    let bar = (count >= CLASSES).then(|| {
        let mut axis = AxisPlan::new(Scale::Linear);
        axis.limits = Some((0.0, 1.0));
        "share of the true class".clone_into(&mut axis.label);
        Colors { axis: axis.finish("colour").0, map: ColorMap::Tint }
    });
    let panels = canvas.titled(sheets);
    let columns = columns_for(panels.len(), 1.0);
    Figure { columns, ..canvas.tiled(panels, bar, 1.0) }
}

/// What the colours of all panels mean.
pub(super) struct Colors {
    axis: Axis,
    map: ColorMap,
}

impl Colors {
    pub(super) fn bar(self) -> ColorBar {
        ColorBar { axis: self.axis, map: self.map }
    }

    fn ink(&self, value: f64) -> CellInk {
        if value.is_nan() { CellInk::Hatched } else { CellInk::Ink(self.map.ink(share(self.axis.scale, self.axis.range, value))) }
    }
}

/// One scale for all values: white at zero where there are both signs.
fn colors(view: &PlotView, name: &str, values: impl Iterator<Item = f64>) -> Colors {
    let mut plan = plan(view, PlotAxis::Color);
    plan.scale = said(view, PlotAxis::Color).unwrap_or(Scale::Linear);
    label(&mut plan, name);
    let (low, high) = values.filter(|&x| plan.holds(x)).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    let signed = plan.scale == Scale::Linear && plan.limits.map_or(low < 0.0 && high > 0.0, |(low, high)| low == -high);
    let most = high.max(-low);
    let whole = match () {
        () if signed => (-most, most),
        () if low < high => (low, high),
        () => crate::report::ticks::nice_range(plan.scale, low, high),
    };
    plan.limits.get_or_insert(whole);
    Colors { axis: plan.finish("colour").0, map: if signed { ColorMap::Signed } else { ColorMap::Plain } }
}

/// The entries of a matrix as tiles, the first row at the top.
fn sheet(values: &[f64], (rows, columns): (usize, usize), colors: &Colors) -> Sheet {
    let edges = |n: usize| (0..=n).map(|at| at as f64 - 0.5).collect::<Vec<f64>>();
    let values = (0..rows).rev().flat_map(|row| values[row * columns..][..columns].iter().map(|&x| colors.ink(x))).collect();
    let mut sheet = Sheet::default();
    sheet.layers.push(Layer::Cells { x_edges: edges(columns), y_edges: edges(rows), values });
    sheet
}

/// An axis of the numbers from 0 to n - 1, downwards where `reversed`.
fn indexed(n: usize, reversed: bool) -> Axis {
    let step = [1, 2, 5].into_iter().cycle().zip((0..).flat_map(|k| [10_usize.saturating_pow(k); 3]));
    let step = step.map(|(digit, power)| digit * power).find(|&step| n.div_ceil(step) <= LABELS).unwrap_or(1);
    let place = |at: usize| (if reversed { n - 1 - at } else { at }) as f64;
    let mut ticks: Vec<Tick> = (0..n).step_by(step).map(|at| Tick { at: place(at), label: at.to_string() }).collect();
    ticks.sort_by(|a, b| a.at.total_cmp(&b.at));
    Axis { label: String::new(), scale: Scale::Linear, range: (-0.5, n as f64 - 0.5), ticks, minor: Vec::new() }
}

/// How many of so many pictures stand side by side, so that all together are somewhat wider than high and few places
/// are left empty; `aspect` is how many times as high as wide one is.
fn columns_for(n: usize, aspect: f64) -> usize {
    if n <= FEW {
        return n.max(1);
    }
    let about = ((n as f64 * 1.6 * aspect).sqrt().round() as usize).clamp(1, n);
    let choices = about.saturating_sub(about / 4).max(1)..=(about + about / 3).max(1);
    choices.min_by_key(|&columns| (n.div_ceil(columns) * columns - n, columns.abs_diff(about))).unwrap_or(1).min(n)
}

impl Drawing<'_, '_> {
    /// A panel stands for so many runs.
    pub(super) fn gathered(&mut self, runs: usize) {
        if runs > 1 {
            let (least, most) = self.aggregated.unwrap_or((runs, runs));
            self.aggregated = Some((least.min(runs), most.max(runs)));
            self.band = crate::results::view::Band::None;
        }
    }
}

impl Canvas<'_, '_> {
    /// The elements of a question in each panel: their means over the runs there.
    fn means(&mut self, question: &Question) -> Vec<Vec<f64>> {
        let asked = self.drawing.reader.ask(question, &self.cells);
        let mut all = Vec::new();
        for own in self.panels.clone() {
            self.drawing.gathered(own.len());
            let runs: Vec<Vec<f64>> = own.iter().map(|&place: &Place| asked.at(place, self.cells.len())).collect();
            let element = |at: usize| mean(&runs.iter().map(|run| run[at]).collect::<Vec<_>>());
            all.push((0..asked.len()).map(element).collect());
        }
        all
    }
}
