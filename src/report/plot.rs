//! Plots as figures: which panels there are, what is drawn in each, and what title, axes, legend and caption say.
//!
//! It draws nothing; `png` and `svg` do.

mod axis;
mod canvas;
mod field;
mod heat;
mod histogram;
mod profile;
mod series;
mod sheet;
mod style;
mod tiles;

use std::collections::BTreeSet;

use self::axis::AxisPlan;
use self::canvas::Canvas;
use self::heat::{Colors, Heat};
use self::series::{ReadyAlong, Series, Slots};
use self::sheet::{Drawing, Sheet};
use self::style::Looks;
use super::cells::{Place, Reader, Value};
use super::figure::{Figure, Ink, Layer, LegendGroup, LegendKind, Scale, Style};
use super::keys::{Channel, ReadyKey, absorbs, names, question_names, spread};
use super::label::{listed, value_text};
use crate::results::Quantity;
use crate::results::view::{Along, Key, MarkView, PlotAxis, PlotView, Question, ScaleKind, SeriesMark};

/// The figure of a view.
pub(super) fn figure(reader: &Reader<'_>, view: &PlotView) -> Figure {
    match &view.marks[..] {
        [MarkView::Matrix { z }] => return tiles::matrix(reader, view, z),
        [MarkView::Confusion(judged)] => return tiles::confusion(reader, view, judged),
        [MarkView::Image { value, height, width }] => return tiles::image(reader, view, value, (*height, *width)),
        [MarkView::Histogram { of }] => return histogram::figure(reader, view, of),
        [MarkView::Profile { of, solver }] => return profile::figure(reader, view, of, solver),
        _ => {}
    }
    let heat = view.marks.iter().any(|mark| matches!(mark, MarkView::Heatmap { .. }));
    let mut canvas = Canvas::new(reader, view, heat);
    let (cells, panels, further) = (canvas.cells.clone(), canvas.panels.clone(), canvas.further.clone());
    let looks = looks(reader, view, &further, &cells);
    let Canvas { drawing, facet, .. } = &mut canvas;
    let mut sheets: Vec<Sheet> = panels.iter().map(|_| Sheet::default()).collect();
    let mut extra: (Vec<LegendGroup>, Option<super::figure::ColorBar>) = (Vec::new(), None);
    let mut first = 0;
    for mark in &view.marks {
        match mark {
            MarkView::Series { mark, ys, along } => {
                for y in ys {
                    let series = Series {
                        mark: *mark,
                        y: reader.ask(y, &cells),
                        along: ready_along(reader, along, &cells),
                        first,
                        merged: merged(view),
                        smooth: view.smooth.unwrap_or(1),
                        symbols: looks.has_symbols(),
                    };
                    first += series.strands();
                    if series.smooth > 1 && matches!(along, Along::Step | Along::Epoch | Along::Rows(_)) {
                        drawing.say(format!("Trailing means of {} recorded rows.", series.smooth));
                    }
                    prepare_axes(drawing, view, &series, &cells);
                    for (sheet, own) in sheets.iter_mut().zip(&panels) {
                        draw_series(drawing, sheet, &series, own, &looks);
                    }
                }
            }
            MarkView::Heatmap { z, x, y } => {
                let (x, y) = (ReadyKey::new(reader, x, &cells), ReadyKey::new(reader, y, &cells));
                let asked = reader.ask(z, &cells);
                label(&mut drawing.x, x.name());
                label(&mut drawing.y, y.name());
                let heat = Heat::new(drawing, &cells, |place| asked.number(place, cells.len()), (&x, &y), |place| facet.index(place));
                let mut plan = plan(view, PlotAxis::Color);
                label(&mut plan, &z.text);
                let colors: Colors = heat.colors(plan, said(view, PlotAxis::Color));
                for (at, sheet) in sheets.iter_mut().enumerate() {
                    heat.draw(drawing, sheet, at, &colors);
                }
                extra = heat::legend(drawing, &colors, &z.text);
            }
            MarkView::Contour { field } => {
                field::variable(&mut drawing.x, field, 0);
                field::variable(&mut drawing.y, field, 1);
                let mut known: Option<Vec<Layer>> = None;
                for (sheet, own) in sheets.iter_mut().zip(&panels) {
                    // Without values of the cell it is the same in every panel.
                    let again = known.take().filter(|_| field.leaves.is_empty());
                    let lines = again.unwrap_or_else(|| field::contour(drawing, field, own.first().copied()));
                    sheet.layers.extend_from_slice(&lines);
                    known = Some(lines);
                }
            }
            MarkView::Curve { field } => {
                field::variable(&mut drawing.x, field, 0);
                label(&mut drawing.y, &field.text);
                let alone = view.marks.len() == 1;
                for (sheet, own) in sheets.iter_mut().zip(&panels) {
                    if field.leaves.is_empty() {
                        let style = Style { color: if alone { Ink::Series(0) } else { Ink::Gray }, ..Style::default() };
                        field::curve(drawing, sheet, field, None, style);
                    }
                    for &place in own.iter().filter(|_| !field.leaves.is_empty()) {
                        field::curve(drawing, sheet, field, Some(place), looks.style(place, 0));
                    }
                }
            }
            MarkView::Path { x, y } => {
                label(&mut drawing.x, &x.text);
                label(&mut drawing.y, &y.text);
                let (x, y) = (reader.ask(x, &cells), reader.ask(y, &cells));
                for (sheet, own) in sheets.iter_mut().zip(&panels) {
                    for &place in own {
                        field::path(drawing, sheet, &x, &y, place, looks.style(place, 0));
                    }
                }
                drawing.say("Paths go from the ring to the disc.".to_owned());
            }
            // Drawn above, alone.
            MarkView::Matrix { .. }
            | MarkView::Confusion(_)
            | MarkView::Image { .. }
            | MarkView::Histogram { .. }
            | MarkView::Profile { .. } => {}
        }
    }
    for &(axis, at, _) in &view.rulers {
        match axis {
            PlotAxis::X => drawing.x.show(at),
            PlotAxis::Y | PlotAxis::Color => drawing.y.show(at),
        }
    }
    for (_, x, y) in &view.notes {
        drawing.x.show(*x);
        drawing.y.show(*y);
    }
    let (mut legend, bar) = extra;
    if bar.is_none() && legend.is_empty() {
        legend = looks.legend(legend_kind(view));
        let entry = drawing.cross_entry(LegendKind::Cross);
        legend.extend(entry.map(|entry| LegendGroup { title: String::new(), entries: vec![entry] }));
    }
    let bar = bar.or_else(|| looks.color_bar());
    let panels = canvas.titled(sheets);
    canvas.finish(panels, legend, bar)
}

fn legend_kind(view: &PlotView) -> LegendKind {
    // Curves and paths have the colours, too; points of the data are black.
    if view.marks.iter().any(|mark| matches!(mark, MarkView::Curve { .. } | MarkView::Path { .. })) {
        return LegendKind::Line;
    }
    let first = view.marks.iter().find_map(|mark| if let MarkView::Series { mark, .. } = mark { Some(*mark) } else { None });
    match first {
        Some(SeriesMark::Points) => LegendKind::Point,
        Some(SeriesMark::Bars) => LegendKind::Box,
        Some(SeriesMark::Lines) | None => LegendKind::Line,
    }
}

/// Draws one quantity into one panel, a series for each look.
fn draw_series(drawing: &mut Drawing<'_, '_>, sheet: &mut Sheet, series: &Series<'_, '_>, cells: &[Place], looks: &Looks<'_, '_>) {
    if let ReadyAlong::Elements(x) = &series.along
        && looks.leave_black()
        && series.alike(x, cells, drawing.cells)
    {
        // The data are the same for all runs: they stand there once, and the runs have the colours.
        let style = Style { color: Ink::Black, ..Style::default() };
        return series.over_elements(drawing, sheet, &cells[..cells.len().min(1)], x, style);
    }
    let key = |place: Place| (looks.color.index(place), looks.dash.index(place), looks.marker.index(place));
    let groups = Reader::group(cells, key);
    let mut slots = Slots::new(drawing, series, &groups.iter().map(|(_, own)| &own[..]).collect::<Vec<_>>());
    for (_, own) in groups {
        let styles: Vec<Style> = (0..series.strands()).map(|element| looks.style(own[0], series.first + element)).collect();
        series.draw(drawing, sheet, &own, &styles, &mut slots);
    }
}

/// Labels and scales that follow from what is drawn.
fn prepare_axes(drawing: &mut Drawing<'_, '_>, view: &PlotView, series: &Series<'_, '_>, cells: &[Place]) {
    let ys: BTreeSet<&str> = view
        .marks
        .iter()
        .flat_map(|mark| if let MarkView::Series { ys, .. } = mark { &ys[..] } else { &[] })
        .map(|y| y.text.as_str())
        .collect();
    if ys.len() == 1 {
        label(&mut drawing.y, &series.y.question.text);
    }
    match &series.along {
        ReadyAlong::Step | ReadyAlong::Epoch => {
            label(&mut drawing.x, if matches!(series.along, ReadyAlong::Step) { "step" } else { "epoch" });
            drawing.x.whole = true;
        }
        ReadyAlong::Rows(asked) | ReadyAlong::Elements(asked) => label(&mut drawing.x, &asked.question.text),
        ReadyAlong::Cells(key) => {
            label(&mut drawing.x, key.name());
            drawing.x.whole = matches!(key.name(), "cell" | "replicate" | "fold");
            let values: Vec<Value<'_>> = cells.iter().map(|&place| key.value(drawing.reader, place, cells.len())).collect();
            let words = values.iter().any(|value| matches!(value, Value::Text(_)));
            if words || (series.mark == SeriesMark::Bars && said(view, PlotAxis::X).is_none()) {
                drawing.x.scale = Scale::Categorical;
            }
            if drawing.x.scale == Scale::Categorical {
                for text in values.into_iter().map(value_text) {
                    if !drawing.x.names.contains(&text) {
                        drawing.x.names.push(text);
                    }
                }
            }
        }
    }
}

fn ready_along<'a, 'r>(reader: &'a Reader<'r>, along: &'a Along, cells: &[Place]) -> ReadyAlong<'a, 'r> {
    match along {
        Along::Step => ReadyAlong::Step,
        Along::Epoch => ReadyAlong::Epoch,
        Along::Rows(question) => ReadyAlong::Rows(reader.ask(question, cells)),
        Along::Elements(question) => ReadyAlong::Elements(reader.ask(question, cells)),
        Along::Cells(key) => ReadyAlong::Cells(ReadyKey::new(reader, key, cells)),
    }
}

/// The colours, dashes and symbols of a plot.
fn looks<'a, 'r>(reader: &'a Reader<'r>, view: &'a PlotView, further: &[&'a str], cells: &[Place]) -> Looks<'a, 'r> {
    let mut strands: Vec<String> = Vec::new();
    let mut quantities = 0;
    for mark in &view.marks {
        if let MarkView::Series { ys, along, .. } = mark {
            quantities += ys.len();
            let sizes = |y: &Question| if matches!(along, Along::Elements(_)) { Vec::new() } else { y.sizes.clone() };
            strands.extend(ys.iter().flat_map(|y| Quantity { text: y.text.clone(), sizes: sizes(y) }.element_names()));
        }
    }
    let color = Channel::new(reader, &view.color, further, cells);
    let dash = Channel::new(reader, &view.dash, &[], cells);
    let marker = Channel::new(reader, &view.marker, &[], cells);
    Looks::new(color, dash, marker, strands, quantities == 1, plan(view, PlotAxis::Color), said(view, PlotAxis::Color))
}

/// An axis as far as the view says it.
fn plan(view: &PlotView, axis: PlotAxis) -> AxisPlan {
    let mut plan = AxisPlan::new(said(view, axis).unwrap_or(Scale::Linear));
    plan.limits = view.limits.iter().find(|limits| limits.0 == axis).map(|limits| (limits.1, limits.2));
    plan.label = view.labels.iter().find(|label| label.0 == axis).map(|label| label.1.clone()).unwrap_or_default();
    plan
}

fn said(view: &PlotView, axis: PlotAxis) -> Option<Scale> {
    view.scales.iter().find(|scale| scale.0 == axis).map(|scale| match scale.1 {
        ScaleKind::Linear => Scale::Linear,
        ScaleKind::Log => Scale::Log,
        ScaleKind::Categorical => Scale::Categorical,
    })
}

fn label(plan: &mut AxisPlan, text: &str) {
    if plan.label.is_empty() {
        text.clone_into(&mut plan.label);
    }
}

/// All keys of a plot, and all questions about cells or rows.
fn keys_of(view: &PlotView) -> (Vec<&Key>, Vec<&Question>) {
    let mut keys: Vec<&Key> = view.color.iter().chain(&view.dash).chain(&view.marker).chain(&view.facet).collect();
    let mut questions: Vec<&Question> = Vec::new();
    for mark in &view.marks {
        match mark {
            MarkView::Series { ys, along, .. } => {
                questions.extend(ys);
                match along {
                    Along::Cells(key) => keys.push(key),
                    Along::Rows(question) | Along::Elements(question) => questions.push(question),
                    Along::Step | Along::Epoch => {}
                }
            }
            MarkView::Heatmap { z, x, y } => {
                questions.push(z);
                keys.extend([x, y]);
            }
            MarkView::Path { x, y } => questions.extend([x, y]),
            MarkView::Matrix { z: of } | MarkView::Image { value: of, .. } | MarkView::Histogram { of } | MarkView::Profile { of, .. } => {
                questions.push(of);
            }
            MarkView::Confusion(judged) => questions.extend([&judged.predicted, &judged.actual]),
            MarkView::Contour { .. } | MarkView::Curve { .. } => {}
        }
    }
    (keys, questions)
}

/// Of `replicate` and `fold` those that nothing names: outputs aggregate over them.
fn merged(view: &PlotView) -> Vec<&'static str> {
    let (keys, questions) = keys_of(view);
    let named = |axis: &str| keys.iter().any(|key| names(key, axis)) || questions.iter().any(|question| question_names(question, axis));
    ["replicate", "fold"].into_iter().filter(|axis| !named(axis)).collect()
}

/// Axes on which cells differ although nothing in the plot tells them apart: they get colours (or panels), too.
fn further_axes<'r>(reader: &Reader<'r>, view: &PlotView, cells: &[Place]) -> Vec<&'r str> {
    // Every cell is a problem or a solver; of a number, every cell is a value.
    if view.marks.iter().any(|mark| match mark {
        MarkView::Profile { .. } => true,
        MarkView::Histogram { of } => of.sizes.is_empty(),
        _ => false,
    }) {
        return Vec::new();
    }
    let drawn = |mark: &&MarkView| !matches!(mark, MarkView::Contour { .. } | MarkView::Curve { .. });
    let Some(mark) = view.marks.iter().find(drawn) else { return Vec::new() };
    let channels = [&view.color, &view.dash, &view.marker, &view.facet].map(|keys| Channel::new(reader, keys, &[], cells));
    let apart: Vec<ReadyKey<'_, '_>> = match mark {
        MarkView::Series { along: Along::Cells(key), .. } => vec![ReadyKey::new(reader, key, cells)],
        MarkView::Heatmap { x, y, .. } => vec![ReadyKey::new(reader, x, cells), ReadyKey::new(reader, y, cells)],
        _ => Vec::new(),
    };
    let own: Vec<Vec<Value<'_>>> =
        apart.iter().map(|key| cells.iter().map(|&place| key.value(reader, place, cells.len())).collect()).collect();
    let order: std::collections::BTreeMap<Place, usize> = cells.iter().enumerate().map(|(at, &place)| (place, at)).collect();
    let at = |place: Place| order.get(&place).copied().unwrap_or(0);
    let key = |place: Place| {
        let values = own.iter().map(|values| ("", values[at(place)])).collect();
        (channels.each_ref().map(|channel| channel.index(place)), super::cells::Identity(values))
    };
    let groups: Vec<Vec<Place>> = Reader::group(cells, key).into_iter().map(|(_, group)| group).collect();
    let (_, questions) = keys_of(view);
    let merged = merged(view);
    // Points over a value of the cells are a cloud: every cell is a point of its own.
    let cloud = matches!(mark, MarkView::Series { mark: SeriesMark::Points, .. });
    let counts = |axis: &&str| !(cloud || merged.contains(axis) || questions.iter().all(|question| absorbs(question, axis)));
    let found = spread(reader, groups, reader.axes(cells).into_iter().filter(counts));
    if !found.is_empty() {
        let listing = listed(&found.iter().map(|axis| format!("`{axis}`")).collect::<Vec<_>>());
        let verb = if found.len() == 1 { "varies and is" } else { "vary and are" };
        reader.warn(format!("plot `{}`: {listing} {verb} not named; each value is drawn by itself", view.name));
    }
    found
}
