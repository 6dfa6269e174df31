//! Lines, points and bars: over recorded rows, or over cells; centres and bands over replicates.
//!
//! It decides no colours and no ranges.

use std::collections::BTreeMap;

use super::sheet::{Drawing, Sheet};
use crate::report::ask::Asked;
use crate::report::cells::{Place, Reader, Value};
use crate::report::figure::{Ink, Layer, Scale, Style};
use crate::report::keys::ReadyKey;
use crate::report::statistics::{half_width, mean, median, quantile, standard_deviation};
use crate::results::Status;
use crate::results::view::{Band, Center, SeriesMark};

/// Width of a line.
const WIDTH: f64 = 1.6;
/// Width of the lines of bars of error.
const THIN: f64 = 1.0;
/// A line through so few points shows them.
const FEW: usize = 20;
/// The share of its place that a group of bars takes.
const BAR: f64 = 0.8;

/// One `lines Y over X`, ready.
pub(super) struct Series<'a, 'r> {
    pub(super) mark: SeriesMark,
    pub(super) y: Asked<'a, 'r>,
    pub(super) along: ReadyAlong<'a, 'r>,
    /// The strand of its first element.
    pub(super) first: usize,
    /// Axes that the points of one series stand for together.
    pub(super) merged: Vec<&'a str>,
    pub(super) smooth: usize,
    /// Whether symbols tell lines apart.
    pub(super) symbols: bool,
}

/// What a series runs over, ready.
pub(super) enum ReadyAlong<'a, 'r> {
    Step,
    Epoch,
    Rows(Asked<'a, 'r>),
    Cells(ReadyKey<'a, 'r>),
    Elements(Asked<'a, 'r>),
}

/// A point that stands for one or more runs: x, centre, ends of the band.
struct Point {
    x: f64,
    y: f64,
    band: Option<(f64, f64)>,
}

/// Where bars stand: side by side where several have the same x.
pub(super) struct Slots {
    /// The widest place for the bars of one x, in data units.
    place: f64,
    /// The most bars at one x.
    most: usize,
    /// At each x: how many bars there are, and how many are drawn.
    bars: BTreeMap<u64, (usize, usize)>,
}

impl Slots {
    /// For groups of cells that get a bar each where they have one.
    pub(super) fn new(drawing: &Drawing<'_, '_>, series: &Series<'_, '_>, groups: &[&[Place]]) -> Slots {
        let ReadyAlong::Cells(key) = &series.along else { return Slots { place: 1.0, most: 1, bars: BTreeMap::new() } };
        let mut xs: BTreeMap<u64, (f64, usize)> = BTreeMap::new();
        for group in groups {
            let own: BTreeMap<u64, f64> = group.iter().map(|&place| drawing.x_of(key, &[place])).map(|x| (ordered(x), x)).collect();
            for (bits, x) in own {
                xs.entry(bits).or_insert((x, 0)).1 += 1;
            }
        }
        let place = if drawing.x.scale == Scale::Categorical { 1.0 } else { gap(xs.values().map(|x| x.0)) };
        let most = xs.values().map(|x| x.1).max().unwrap_or(1);
        Slots { place, most, bars: xs.into_iter().map(|(bits, (_, count))| (bits, (count, 0))).collect() }
    }

    /// The width of each bar when there are so many strands.
    fn width(&self, strands: usize) -> f64 {
        self.place * BAR / (self.most * strands) as f64
    }

    /// How far from its x the middle of the next bar is, when each has so many strands: that of its first strand.
    fn next(&mut self, x: f64, strands: usize) -> f64 {
        let width = self.width(strands);
        let (count, drawn) = self.bars.entry(ordered(x)).or_insert((1, 0));
        *drawn += 1;
        width * (((*drawn - 1) * strands) as f64 + 0.5 - (*count * strands) as f64 / 2.0)
    }
}

impl Series<'_, '_> {
    /// How many lines it is for one run: one for each element of a value, but one for all that stand over others.
    pub(super) fn strands(&self) -> usize {
        if matches!(self.along, ReadyAlong::Elements(_)) { 1 } else { self.y.len() }
    }

    /// Whether all these runs have the same elements over the same places: those of the data.
    pub(super) fn alike(&self, x: &Asked<'_, '_>, cells: &[Place], count: usize) -> bool {
        let Some((&first, rest)) = cells.split_first() else { return false };
        let bits = |place: Place| -> Vec<u64> { x.at(place, count).into_iter().chain(self.y.at(place, count)).map(f64::to_bits).collect() };
        let own = bits(first);
        rest.iter().all(|&place| bits(place) == own)
    }

    /// Draws the elements of a value over those of another, for each run.
    pub(super) fn over_elements(&self, drawing: &mut Drawing<'_, '_>, sheet: &mut Sheet, cells: &[Place], x: &Asked<'_, '_>, style: Style) {
        for &place in cells {
            let bad = matches!(drawing.reader.run(place).status, Status::Diverged | Status::Rising) && style.color != Ink::Black;
            let points = x.at(place, drawing.cells).into_iter().zip(self.y.at(place, drawing.cells)).collect();
            let mut points = drawing.placed(points);
            if bad {
                // The order of elements is not that of steps, so that no first point is a start.
                for point in &points {
                    drawing.y.show_wild(point.1);
                }
                drawing
                    .say(format!("The values of {}, which diverged or rose, do not stretch the axes.", drawing.reader.cell_label(place)));
            } else {
                drawing.show(&points, false);
            }
            match self.mark {
                SeriesMark::Bars => {
                    let width = gap(points.iter().map(|p| p.0)) * BAR;
                    let points: Vec<Point> = points.into_iter().map(|(x, y)| Point { x, y, band: None }).collect();
                    push_bars(drawing, sheet, &points, style, width);
                }
                SeriesMark::Points => self.push(sheet, points, style, false),
                SeriesMark::Lines => {
                    points.sort_by(|a, b| a.0.total_cmp(&b.0));
                    self.push(sheet, points, style, false);
                }
            }
        }
    }

    /// Draws all strands for the cells of one look.
    pub(super) fn draw(&self, drawing: &mut Drawing<'_, '_>, sheet: &mut Sheet, cells: &[Place], styles: &[Style], slots: &mut Slots) {
        match &self.along {
            ReadyAlong::Cells(key) => self.over_cells(drawing, sheet, cells, styles, key, slots),
            ReadyAlong::Elements(x) => self.over_elements(drawing, sheet, cells, x, styles[0]),
            _ => self.over_rows(drawing, sheet, cells, styles),
        }
    }

    fn over_rows(&self, drawing: &mut Drawing<'_, '_>, sheet: &mut Sheet, cells: &[Place], styles: &[Style]) {
        let tables: Vec<(Place, Vec<f64>, Vec<f64>)> = cells
            .iter()
            .map(|&place| {
                let trace = drawing.reader.run(place).trace();
                let xs = match &self.along {
                    ReadyAlong::Rows(asked) => asked.rows(place, drawing.cells),
                    ReadyAlong::Epoch => trace.epochs().map(|epoch| epoch as f64).collect(),
                    _ => trace.steps().map(|step| step as f64).collect(),
                };
                (place, xs, self.y.rows(place, drawing.cells))
            })
            .collect();
        let apart = matches!(self.along, ReadyAlong::Rows(_)) && !alike(&tables);
        for (element, &style) in styles.iter().enumerate() {
            let runs: Vec<(Place, Vec<(f64, f64)>)> =
                tables.iter().map(|(place, xs, ys)| (*place, self.points_of(xs, ys, element, styles.len()))).collect();
            if let ([_], _) | (_, true) = (&runs[..], apart) {
                for (place, points) in runs {
                    let bad = drawing.mark(place);
                    let points = drawing.placed(points);
                    drawing.show(&points, bad);
                    self.push(sheet, points, style, bad);
                }
                continue;
            }
            // The rows of replicates belong together when their x is the same.
            let mut rows: BTreeMap<u64, (f64, Vec<f64>)> = BTreeMap::new();
            for (place, points) in &runs {
                drawing.mark(*place);
                for &(x, y) in points.iter().filter(|p| p.0.is_finite() && p.1.is_finite()) {
                    rows.entry(ordered(x)).or_insert_with(|| (x, Vec::new())).1.push(y);
                }
            }
            let points: Vec<Point> = rows.into_values().map(|(x, values)| drawing.center(x, &values)).collect();
            drawing.show(&points.iter().map(|point| (point.x, point.y)).collect::<Vec<_>>(), false);
            self.push_centers(drawing, sheet, &points, style, false);
        }
    }

    /// The points of one run: smoothed, and of each epoch only the last.
    fn points_of(&self, xs: &[f64], ys: &[f64], element: usize, width: usize) -> Vec<(f64, f64)> {
        let own: Vec<f64> = ys.iter().skip(element).step_by(width.max(1)).copied().collect();
        let own = if self.smooth > 1 { smoothed(&own, self.smooth) } else { own };
        let mut points: Vec<(f64, f64)> = Vec::with_capacity(own.len());
        for (&x, y) in xs.iter().zip(own) {
            if matches!(self.along, ReadyAlong::Epoch) && points.last().is_some_and(|last| last.0 == x) {
                points.pop();
            }
            points.push((x, y));
        }
        points
    }

    fn over_cells(
        &self,
        drawing: &mut Drawing<'_, '_>,
        sheet: &mut Sheet,
        cells: &[Place],
        styles: &[Style],
        key: &ReadyKey<'_, '_>,
        slots: &mut Slots,
    ) {
        let reader = drawing.reader;
        let units: Vec<Vec<Place>> =
            Reader::group(cells, |place| reader.identity(place, &self.merged)).into_iter().map(|(_, unit)| unit).collect();
        let width = slots.width(styles.len());
        let tables: Vec<(f64, Vec<Place>, Vec<Vec<f64>>)> = units
            .into_iter()
            .map(|unit| {
                let x = drawing.x_of(key, &unit);
                let shift = if self.mark == SeriesMark::Bars { slots.next(x, styles.len()) } else { 0.0 };
                let ys = unit.iter().map(|&place| self.y.at(place, drawing.cells)).collect();
                (x + shift, unit, ys)
            })
            .collect();
        for (element, &style) in styles.iter().enumerate() {
            let mut points: Vec<Point> = Vec::new();
            for (x, unit, ys) in &tables {
                let values: Vec<f64> = ys.iter().filter_map(|y| y.get(element).copied()).collect();
                let bad = unit.iter().filter(|&&place| drawing.mark(place)).count() > 0;
                let x = if self.mark == SeriesMark::Bars { x + width * element as f64 } else { *x };
                // One value that is no number makes the mean none; so it is not hidden behind the others.
                let number = values.iter().all(|y| y.is_finite());
                let point = if number { drawing.center(x, &values) } else { Point { x, y: f64::NAN, band: None } };
                drawing.x.show(x);
                if bad {
                    drawing.y.show_wild(point.y);
                } else {
                    drawing.y.show(point.y);
                    drawing.no_number |= !number;
                }
                if bad || !number {
                    sheet.push_cross((x, point.y), style);
                }
                points.push(point);
            }
            points.sort_by(|a, b| a.x.total_cmp(&b.x));
            points.dedup_by(|b, a| a.x == b.x && a.y == b.y);
            match self.mark {
                SeriesMark::Bars => push_bars(drawing, sheet, &points, style, width),
                _ => self.push_centers(drawing, sheet, &points, style, self.mark == SeriesMark::Points),
            }
        }
    }

    /// A line (or symbols) through centres, with their bands.
    fn push_centers(&self, drawing: &mut Drawing<'_, '_>, sheet: &mut Sheet, points: &[Point], style: Style, errors: bool) {
        let line = drawing.placed(points.iter().map(|point| (point.x, point.y)).collect());
        if errors {
            push_errors(drawing, sheet, points, style);
        } else {
            let least = drawing.y.least();
            let band: Vec<(f64, f64, f64)> =
                points.iter().filter_map(|point| point.band.map(|(low, high)| (point.x, low.max(least), high.max(least)))).collect();
            let band: Vec<(f64, f64, f64)> = band.into_iter().filter(|b| drawing.x.holds(b.0)).collect();
            if drawing.y.scale == Scale::Log && band.iter().any(|b| b.1 == least) {
                drawing.say("Bands that reach below zero end at the lower edge.".to_owned());
            }
            if band.len() > 1 {
                drawing.show(&band.iter().filter(|b| b.2 > least).map(|b| (b.0, b.2)).collect::<Vec<_>>(), false);
                drawing.show(&band.iter().filter(|b| b.1 > least).map(|b| (b.0, b.1)).collect::<Vec<_>>(), false);
                sheet.layers.push(Layer::Band { points: band, style });
            }
        }
        self.push(sheet, line, style, false);
    }

    fn push(&self, sheet: &mut Sheet, mut points: Vec<(f64, f64)>, style: Style, bad: bool) {
        while points.last().is_some_and(|p| !p.1.is_finite()) {
            points.pop();
        }
        let drawn = points.iter().filter(|p| p.1.is_finite()).count();
        if drawn == 0 {
            return;
        }
        if self.mark != SeriesMark::Lines {
            sheet.push_run(Layer::Points { points, style }, bad, false);
            return;
        }
        let few = drawn == 1 || (drawn <= FEW && matches!(self.along, ReadyAlong::Cells(_)));
        // On a long line a symbol now and then tells it from the others.
        let every = if few { Some(1) } else { self.symbols.then(|| points.len().div_ceil(10)) };
        if let Some(every) = every {
            sheet.layers.push(Layer::Points { points: points.iter().step_by(every).copied().collect(), style });
        }
        sheet.push_run(Layer::Line { points, style, width: WIDTH }, bad, false);
    }
}

impl<'r> Drawing<'_, 'r> {
    /// Where on the horizontal axis some replicates stand.
    fn x_of(&self, key: &ReadyKey<'_, 'r>, unit: &[Place]) -> f64 {
        let values: Vec<Value<'_>> = unit.iter().map(|&place| key.value(self.reader, place, self.cells)).collect();
        match self.x.scale {
            Scale::Categorical => place_of(&self.x.names, values[0]),
            _ => mean(&values.iter().map(|value| value.number()).collect::<Vec<f64>>()),
        }
    }

    /// The centre of some values with its band.
    fn center(&mut self, x: f64, values: &[f64]) -> Point {
        if let [y] = values {
            return Point { x, y: *y, band: None };
        }
        let (least, most) = self.aggregated.unwrap_or((values.len(), values.len()));
        self.aggregated = Some((least.min(values.len()), most.max(values.len())));
        let y = if self.center == Center::Mean { mean(values) } else { median(values) };
        let around = |half: f64| Some((mean(values) - half, mean(values) + half));
        let band = match self.band {
            Band::Ci95 => around(half_width(values)),
            Band::StdErr => around(standard_deviation(values) / (values.len() as f64).sqrt()),
            Band::Std => around(standard_deviation(values)),
            Band::Iqr => Some((quantile(values, 0.25), quantile(values, 0.75))),
            Band::Range => Some((quantile(values, 0.0), quantile(values, 1.0))),
            Band::None => None,
        };
        Point { x, y, band: band.filter(|(low, high)| low.is_finite() && high.is_finite()) }
    }
}

fn push_bars(drawing: &mut Drawing<'_, '_>, sheet: &mut Sheet, points: &[Point], style: Style, width: f64) {
    let tops = drawing.placed(points.iter().map(|point| (point.x, point.y)).collect());
    if drawing.y.scale == Scale::Linear {
        drawing.y.show(0.0);
    }
    sheet.layers.push(Layer::Bars { points: tops, style, width });
    push_errors(drawing, sheet, points, Style { color: Ink::Black, ..style });
}

/// Thin lines from the low to the high end of each band.
fn push_errors(drawing: &mut Drawing<'_, '_>, sheet: &mut Sheet, points: &[Point], style: Style) {
    let least = drawing.y.least();
    for point in points {
        if let Some((low, high)) = point.band {
            let ends = vec![(point.x, low.max(least)), (point.x, high.max(least))];
            drawing.show(&ends.iter().copied().filter(|end| end.1 > least).collect::<Vec<_>>(), false);
            sheet.layers.push(Layer::Line { points: ends, style: Style { dash: 0, ..style }, width: THIN });
        }
    }
}

/// The trailing mean of so many recorded rows (fewer at the start); rows without a value stay without.
fn smoothed(values: &[f64], rows: usize) -> Vec<f64> {
    let at = |(row, value): (usize, &f64)| {
        let window: Vec<f64> = values[(row + 1).saturating_sub(rows)..=row].iter().copied().filter(|x| !x.is_nan()).collect();
        if value.is_nan() { f64::NAN } else { mean(&window) }
    };
    values.iter().enumerate().map(at).collect()
}

/// Whether all runs have the same x in the same row, as far as they go.
fn alike(tables: &[(Place, Vec<f64>, Vec<f64>)]) -> bool {
    let same = |a: f64, b: f64| Value::Number(a).agrees(Value::Number(b));
    tables.iter().all(|(_, xs, _)| xs.iter().zip(&tables[0].1).all(|(&a, &b)| same(a, b)))
}

/// A number whose order is that of floats.
fn ordered(x: f64) -> u64 {
    let bits = (x + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// The place of a value on a categorical axis.
fn place_of(names: &[String], value: Value<'_>) -> f64 {
    let text = crate::report::label::value_text(value);
    names.iter().position(|name| *name == text).map_or(f64::NAN, |at| at as f64)
}

/// The narrowest gap between different numbers; 1 if there is none.
fn gap(xs: impl Iterator<Item = f64>) -> f64 {
    let mut xs: Vec<f64> = xs.filter(|x| x.is_finite()).collect();
    xs.sort_by(f64::total_cmp);
    let narrowest = xs.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0.0).fold(f64::INFINITY, f64::min);
    if narrowest.is_finite() { narrowest } else { 1.0 }
}
