//! Functions as pictures: lines of equal value over two variables, curves over one, and the paths that runs take there.
//!
//! How finely a function is looked at follows from its size, never from the clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::IxDyn;

use super::axis::AxisPlan;
use super::sheet::{Drawing, Sheet};
use crate::expr::eval::{Tensor, evaluate};
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::op::{InputId, Op};
use crate::report::ask::Asked;
use crate::report::cells::{Place, Reader};
use crate::report::contour::{isolines, levels};
use crate::report::figure::{Ink, Layer, MarkKind, Style};
use crate::report::label::significant;
use crate::results::view::{Field, Question};
use crate::shape::{DataId, Dim, RowCounts, Shape};
use crate::source::{FileId, Span};

/// Numbers that may be computed for one picture of a function.
const WORK: usize = 50_000_000;
/// What a node costs whatever its size.
const NODE: usize = 40;
/// The fewest and the most points along each side of a grid.
const SIDE: (usize, usize) = (31, 121);
/// Points of a curve.
const CURVE: usize = 601;
/// Digits of the values in the caption.
const LEVEL_DIGITS: usize = 4;
/// Lines of equal value.
const LEVELS: usize = 16;
/// A path of so few points shows them.
const FEW: usize = 51;
/// Widths of lines.
const CURVE_WIDTH: f64 = 1.6;
const PATH_WIDTH: f64 = 1.5;

/// Lines of equal value; what they range over goes into the caption.
pub(super) fn contour(drawing: &mut Drawing<'_, '_>, field: &Field, place: Option<Place>) -> Vec<Layer> {
    let [(_, _, x_low, x_high), (_, _, y_low, y_high)] = &field.vars[..] else { return Vec::new() };
    let side = side_of(field);
    let (xs, ys) = (spaced(*x_low, *x_high, side), spaced(*y_low, *y_high, side));
    let points = ys.iter().flat_map(|&y| xs.iter().map(move |&x| vec![x, y])).collect::<Vec<_>>();
    let values = values(drawing.reader, field, place, &points, drawing.cells);
    let levels = levels(&values, LEVELS);
    let line = |(at, &level): (usize, &f64)| {
        let ink = Ink::Map(if levels.len() > 1 { at as f64 / (levels.len() - 1) as f64 } else { 0.5 });
        Layer::Isoline { level, lines: isolines(&xs, &ys, &values, level), ink }
    };
    let layers = levels.iter().enumerate().map(line).collect();
    let sentence = match levels[..] {
        [] => format!("{} is the same everywhere here.", field.text),
        [first, ..] => {
            let last = levels[levels.len() - 1];
            format!(
                "Lines of equal {}: {} (dark) to {} (light).",
                field.text,
                significant(first, LEVEL_DIGITS),
                significant(last, LEVEL_DIGITS)
            )
        }
    };
    drawing.say(sentence);
    layers
}

/// A curve; the axes show all of it.
pub(super) fn curve(drawing: &mut Drawing<'_, '_>, sheet: &mut Sheet, field: &Field, place: Option<Place>, style: Style) {
    let [(_, _, low, high)] = &field.vars[..] else { return };
    let xs = spaced(*low, *high, CURVE);
    let points: Vec<Vec<f64>> = xs.iter().map(|&x| vec![x]).collect();
    let values = values(drawing.reader, field, place, &points, drawing.cells);
    let line = drawing.placed(xs.into_iter().zip(values).collect());
    drawing.show(&line, false);
    sheet.layers.push(Layer::Line { points: line, style, width: CURVE_WIDTH });
}

/// The way of one run from its start to its end.
pub(super) fn path(drawing: &mut Drawing<'_, '_>, sheet: &mut Sheet, x: &Asked<'_, '_>, y: &Asked<'_, '_>, place: Place, style: Style) {
    let bad = drawing.mark(place);
    let points: Vec<(f64, f64)> = x.rows(place, drawing.cells).into_iter().zip(y.rows(place, drawing.cells)).collect();
    let points = drawing.placed(points);
    drawing.show(&points, bad);
    let Some(&start) = points.iter().find(|p| p.0.is_finite() && p.1.is_finite()) else { return };
    if points.len() <= FEW {
        sheet.layers.push(Layer::Points { points: points.clone(), style });
    }
    sheet.push_run(Layer::Line { points, style, width: PATH_WIDTH }, bad, true);
    sheet.layers.push(Layer::Mark { at: start, kind: MarkKind::Start, style });
}

/// An axis that is the variable of a function.
pub(super) fn variable(plan: &mut AxisPlan, field: &Field, at: usize) {
    if let Some((_, name, low, high)) = field.vars.get(at) {
        plan.limits.get_or_insert((*low, *high));
        if plan.label.is_empty() {
            plan.label.clone_from(name);
        }
    }
}

fn spaced(low: f64, high: f64, count: usize) -> Vec<f64> {
    let last = (count - 1) as f64;
    (0..count).map(|at| low * ((last - at as f64) / last) + high * (at as f64 / last)).collect()
}

/// Points along each side of the grid: as many as the size of the expression allows.
fn side_of(field: &Field) -> usize {
    let nodes = field.graph.reachable(&[field.root]);
    let cost: usize = nodes.iter().map(|&id| NODE.saturating_add(field.rows.count(field.graph.shape(id)).unwrap_or(WORK))).sum();
    let points = (WORK / cost.max(1)) as f64;
    (points.sqrt() as usize).clamp(SIDE.0, SIDE.1)
}

/// The values of the function at points.
fn values(reader: &Reader<'_>, field: &Field, place: Option<Place>, points: &[Vec<f64>], cells: usize) -> Vec<f64> {
    let mut fixed: Vec<(InputId, Arc<Tensor>)> = field.fixed.clone();
    for (input, leaf) in &field.leaves {
        let Some(place) = place else { return vec![f64::NAN; points.len()] };
        let question = Question {
            text: field.text.clone(),
            span: Span::new(FileId(0), 0, 0),
            graph: Arc::clone(&field.graph),
            root: field.root,
            leaves: vec![leaf.clone()],
            sizes: Vec::new(),
            bare: false,
        };
        let elements = reader.ask(&question, &[place]).leaf(0, place, cells);
        let sizes = field.rows.sizes(&field.graph.input_info(*input).shape);
        fixed.extend(Tensor::from_shape_vec(IxDyn(&sizes), elements).ok().map(|value| (*input, Arc::new(value))));
    }
    if let Some(values) = at_once(field, &fixed, points) {
        return values;
    }
    let mut failed = None;
    let at = |point: &Vec<f64>| {
        let input = |input: InputId| {
            if let Some(at) = field.vars.iter().position(|var| var.0 == input) {
                return Some(Tensor::from_elem(IxDyn(&[]), point[at]));
            }
            fixed.iter().find(|known| known.0 == input).map(|known| (*known.1).clone())
        };
        match evaluate(&field.graph, &[field.root], &input, &field.rows) {
            Ok(values) => values.first().and_then(|value| value.first()).copied().unwrap_or(f64::NAN),
            Err(error) => {
                failed = Some(error);
                f64::NAN
            }
        }
    };
    let values = points.iter().map(at).collect();
    if let Some(error) = failed {
        reader.warn(format!("`{}` has no value: {error}", field.text));
    }
    values
}

/// All values in one evaluation, where the function is elementwise: then points are rows.
fn at_once(field: &Field, fixed: &[(InputId, Arc<Tensor>)], points: &[Vec<f64>]) -> Option<Vec<f64>> {
    let mut graph = Graph::new();
    let rows = Shape(vec![Dim::Rows(DataId(0))]);
    let vars: Vec<Id> = field.vars.iter().map(|var| graph.input(var.1.clone(), InputKind::Result, rows.clone())).collect();
    let mut map: BTreeMap<Id, Id> = BTreeMap::new();
    for id in field.graph.reachable(&[field.root]) {
        let node = field.graph.node(id);
        let args: Vec<Id> = node.args.iter().map(|arg| map.get(arg).copied()).collect::<Option<_>>()?;
        let new = match &node.op {
            Op::Input(input) => {
                if let Some(at) = field.vars.iter().position(|var| var.0 == *input) {
                    vars[at]
                } else {
                    let value = &fixed.iter().find(|known| known.0 == *input)?.1;
                    graph.number(if value.ndim() == 0 { value.first().copied() } else { None }?)
                }
            }
            op @ (Op::Const(_) | Op::Unary(_) | Op::Binary(_) | Op::Select) => graph.try_add(op.clone(), &args).ok()?,
            _ => return None,
        };
        map.insert(id, new);
    }
    let root = *map.get(&field.root)?;
    let column = |input: InputId| {
        let at = graph_position(&graph, &vars, input)?;
        Tensor::from_shape_vec(IxDyn(&[points.len()]), points.iter().map(|point| point[at]).collect()).ok()
    };
    let values = evaluate(&graph, &[root], &column, &RowCounts(vec![points.len()])).ok()?;
    let values: Vec<f64> = values.into_iter().flatten().collect();
    // A function that does not depend on its variables has one value.
    (values.len() == points.len()).then_some(values)
}

/// Which variable an input is.
fn graph_position(graph: &Graph, vars: &[Id], input: InputId) -> Option<usize> {
    vars.iter().position(|&var| graph.as_input(var) == Some(input))
}
