//! Heat maps: one coloured cell for each pair of values of two keys.
//!
//! Cells of runs that diverged or rose are hatched, and do not stretch the colours.

use super::axis::{AxisPlan, share};
use super::sheet::{Drawing, Sheet};
use crate::numeric::elementary::{log10, pow};
use crate::report::cells::{Place, Reader, Value};
use crate::report::figure::{Axis, CellInk, ColorBar, ColorMap, Ink, Layer, LegendEntry, LegendGroup, LegendKind, Scale, Style};
use crate::report::keys::ReadyKey;
use crate::report::label::{significant, value_text};
use crate::report::statistics::{mean, median};
use crate::results::view::Center;

/// What the colours of all panels mean.
pub(super) enum Colors {
    Scale(Axis),
    /// Distinct values.
    Names(Vec<f64>),
}

/// A heat map, ready: the values of the keys and of every cell.
pub(super) struct Heat {
    xs: Places,
    ys: Places,
    /// Panel, column, row, value, whether it is to be hatched.
    tiles: Vec<(usize, usize, usize, f64, bool)>,
}

/// The values along one side.
struct Places {
    numbers: Vec<f64>,
    names: Vec<String>,
}

impl Heat {
    /// Evaluates all tiles; `panel` says in which panel a cell is.
    pub(super) fn new<'r>(
        drawing: &mut Drawing<'_, 'r>,
        cells: &[Place],
        value: impl Fn(Place) -> f64,
        (x, y): (&ReadyKey<'_, 'r>, &ReadyKey<'_, 'r>),
        panel: impl Fn(Place) -> usize,
    ) -> Heat {
        let reader = drawing.reader;
        let of = |key: &ReadyKey<'_, 'r>, place: Place| key.value(reader, place, cells.len());
        let xs = Places::new(&mut drawing.x, cells.iter().map(|&place| of(x, place)).collect());
        let ys = Places::new(&mut drawing.y, cells.iter().map(|&place| of(y, place)).collect());
        let groups = Reader::group(cells, |place| (panel(place), xs.at(of(x, place)), ys.at(of(y, place))));
        let mut tiles = Vec::new();
        for ((panel, column, row), own) in groups {
            let values: Vec<f64> = own.iter().map(|&place| value(place)).collect();
            let center = match values[..] {
                [value] => value,
                _ if drawing.center == Center::Mean => mean(&values),
                _ => median(&values),
            };
            if own.len() > 1 {
                let (least, most) = drawing.aggregated.unwrap_or((own.len(), own.len()));
                drawing.aggregated = Some((least.min(own.len()), most.max(own.len())));
            }
            let bad = own.iter().filter(|&&place| drawing.mark(place)).count() > 0;
            if let (Some(column), Some(row)) = (column, row) {
                tiles.push((panel, column, row, center, bad));
            }
        }
        Heat { xs, ys, tiles }
    }

    /// The colours for the values of all panels.
    pub(super) fn colors(&self, mut plan: AxisPlan, said: Option<Scale>) -> Colors {
        let good = || self.tiles.iter().filter(|tile| !tile.4 && tile.3.is_finite()).map(|tile| tile.3);
        if said == Some(Scale::Categorical) {
            let mut values: Vec<f64> = good().collect();
            values.sort_by(f64::total_cmp);
            values.dedup();
            return Colors::Names(values);
        }
        plan.scale = said.unwrap_or(Scale::Linear);
        let drawn = good().filter(|&x| plan.holds(x));
        let (low, high) = drawn.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let whole = if low < high { (low, high) } else { crate::report::ticks::nice_range(plan.scale, low, high) };
        plan.limits.get_or_insert(whole);
        Colors::Scale(plan.finish("colour").0)
    }

    /// The layer of one panel.
    pub(super) fn draw(&self, drawing: &mut Drawing<'_, '_>, sheet: &mut Sheet, panel: usize, colors: &Colors) {
        let columns = self.xs.numbers.len();
        let mut values = vec![CellInk::Blank; columns * self.ys.numbers.len()];
        for &(_, column, row, value, bad) in self.tiles.iter().filter(|tile| tile.0 == panel) {
            values[row * columns + column] = ink(value, bad, colors);
            if !bad && values[row * columns + column] == CellInk::Hatched {
                drawing.no_number = true;
            }
        }
        let x_edges = self.xs.edges(&drawing.x);
        let y_edges = self.ys.edges(&drawing.y);
        for (plan, edges) in [(&mut drawing.x, &x_edges), (&mut drawing.y, &y_edges)] {
            // The tiles fill the panel.
            if let (Scale::Linear | Scale::Log, [first, .., last]) = (plan.scale, &edges[..]) {
                plan.limits.get_or_insert((*first, *last));
            }
        }
        sheet.layers.push(Layer::Cells { x_edges, y_edges, values });
    }
}

/// The legend of a heat map, and its colour bar.
pub(super) fn legend(drawing: &Drawing<'_, '_>, colors: &Colors, title: &str) -> (Vec<LegendGroup>, Option<ColorBar>) {
    let mut entries: Vec<LegendEntry> = Vec::new();
    let mut bar = None;
    match colors {
        Colors::Scale(axis) => bar = Some(ColorBar { axis: axis.clone(), map: ColorMap::Plain }),
        Colors::Names(values) => entries.extend(values.iter().enumerate().map(|(at, &value)| LegendEntry {
            label: significant(value, 6),
            style: Style { color: Ink::Series(at), ..Style::default() },
            kind: LegendKind::Box,
        })),
    }
    let mut groups = Vec::new();
    if !entries.is_empty() {
        groups.push(LegendGroup { title: title.to_owned(), entries });
    }
    let hatched = drawing.cross_entry(LegendKind::Hatched);
    groups.extend(hatched.map(|entry| LegendGroup { title: String::new(), entries: vec![entry] }));
    (groups, bar)
}

/// How a value is shown. Minus infinity (the logarithm of an exact zero) is the low end.
fn ink(value: f64, bad: bool, colors: &Colors) -> CellInk {
    match colors {
        _ if bad || value.is_nan() || value == f64::INFINITY => CellInk::Hatched,
        Colors::Names(values) => values.iter().position(|known| *known == value).map_or(CellInk::Blank, |at| CellInk::Ink(Ink::Series(at))),
        Colors::Scale(_) if value == f64::NEG_INFINITY => CellInk::Ink(Ink::Map(0.0)),
        Colors::Scale(axis) if axis.scale == Scale::Log && value <= 0.0 => CellInk::Ink(Ink::Map(0.0)),
        Colors::Scale(axis) => CellInk::Ink(Ink::Map(share(axis.scale, axis.range, value))),
    }
}

impl Places {
    fn new(plan: &mut AxisPlan, values: Vec<Value<'_>>) -> Places {
        if values.iter().any(|value| matches!(value, Value::Text(_))) {
            plan.scale = Scale::Categorical;
        }
        let mut distinct: Vec<Value<'_>> = Vec::new();
        if plan.scale == Scale::Categorical {
            for value in values {
                if !distinct.iter().any(|known| known.order(value).is_eq()) {
                    distinct.push(value);
                }
            }
            plan.names = distinct.iter().map(|value| value_text(*value)).collect();
            return Places { numbers: (0..distinct.len()).map(|at| at as f64).collect(), names: plan.names.clone() };
        }
        let mut numbers: Vec<f64> = values.into_iter().map(Value::number).filter(|&x| plan.holds(x)).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        Places { numbers, names: Vec::new() }
    }

    fn at(&self, value: Value<'_>) -> Option<usize> {
        if self.names.is_empty() {
            let x = value.number();
            self.numbers.binary_search_by(|known| known.total_cmp(&(x + 0.0))).ok()
        } else {
            let text = value_text(value);
            self.names.iter().position(|name| *name == text)
        }
    }

    /// Halfway between neighbours, as the axis lays them out.
    fn edges(&self, plan: &AxisPlan) -> Vec<f64> {
        let log = plan.scale == Scale::Log;
        let to = |x: f64| if log { log10(x) } else { x };
        let from = |x: f64| if log { pow(10.0, x) } else { x };
        let places: Vec<f64> = self.numbers.iter().map(|&x| to(x)).collect();
        let [first, .., last] = places[..] else {
            let half = if places.first().is_some_and(|x| *x != 0.0) && plan.scale == Scale::Linear { places[0].abs() / 2.0 } else { 0.5 };
            return places.iter().flat_map(|x| [from(x - half), from(x + half)]).collect();
        };
        let between = places.windows(2).map(|pair| f64::midpoint(pair[0], pair[1]));
        let mut edges = vec![first - (places[1] - first) / 2.0];
        edges.extend(between);
        edges.push(last + (last - places[places.len() - 2]) / 2.0);
        edges.into_iter().map(from).collect()
    }
}
