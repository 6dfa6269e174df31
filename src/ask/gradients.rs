//! `check gradient of L`: the symbolic gradient beside the complex step and central differences, as a table.
//!
//! It judges nothing but what the numbers say: the V of the differences has its bottom where truncation and rounding meet.

use ndarray::ArrayD;

use super::claims::element;
use super::dense::{Array, Complex, Number, evaluate};
use crate::check::Program;
use crate::check::claim::GradientCheck;
use crate::check::draw;
use crate::check::model::ParamInfo;
use crate::expr::graph::{Graph, Id};
use crate::expr::op::InputId;
use crate::expr::rewrite::{self, Options};
use crate::expr::{diff, eval};
use crate::report::table::{CellValue, Column, Table};

/// One check.
#[derive(Debug, Clone)]
pub struct GradientTable {
    /// A row for the complex step and one for each `h`.
    pub table: Table,
    /// What is worth a remark.
    pub notes: Vec<String>,
}

/// The imaginary step: its square is no number.
const TINY: f64 = 1e-200;

/// About how many numbers may be computed for one check.
const WORK: usize = 40_000_000;

/// The most coordinates that are tried.
const MOST: usize = 400;

/// Above this relative difference the complex step and the gradient do not agree.
const AGREES: f64 = 1e-8;

/// The checks of a program, each at the start of the parameters.
#[must_use]
pub fn gradient_checks(program: &Program) -> Vec<GradientTable> {
    program.asked.gradients.iter().filter_map(|check| compare(program, check, 1..=12)).collect()
}

/// A coordinate of a parameter.
struct Coordinate<'p> {
    param: &'p ParamInfo,
    place: usize,
    at: usize,
    slope: f64,
}

/// The loss as a function of the parameters.
struct Loss<'p> {
    program: &'p Program,
    graph: &'p Graph,
    root: Id,
    starts: Vec<(InputId, ArrayD<f64>)>,
}

impl Loss<'_> {
    /// With one coordinate moved.
    fn moved(&self, at: &Coordinate<'_>, by: f64) -> Option<f64> {
        let inputs = |input: InputId| {
            if let Some(place) = self.starts.iter().position(|(i, _)| *i == input) {
                let mut value = self.starts[place].1.clone();
                if place == at.place
                    && let Some(x) = value.iter_mut().nth(at.at)
                {
                    *x += by;
                }
                return Some(value);
            }
            self.program.asked.model.known.get(&input).map(|v| (**v).clone())
        };
        let values = eval::evaluate(self.graph, &[self.root], &inputs, &self.program.asked.model.rows).ok()?;
        values.first()?.first().copied()
    }

    /// The slope in one coordinate, by a step in the imaginary direction.
    fn complex(&self, at: &Coordinate<'_>) -> Option<f64> {
        let inputs = |input: InputId| {
            let place = self.starts.iter().position(|(i, _)| *i == input);
            let value = match place {
                Some(place) => &self.starts[place].1,
                None => &**self.program.asked.model.known.get(&input)?,
            };
            let mut values: Vec<Complex> = value.iter().map(|&x| Complex::of(x)).collect();
            if place == Some(at.place) {
                values.get_mut(at.at)?.im = TINY;
            }
            Some(Array { sizes: value.shape().to_vec(), values })
        };
        let values = evaluate(self.graph, &[self.root], &inputs, &self.program.asked.model.rows)?;
        values.first()?.values.first().map(|x| x.im / TINY)
    }
}

/// The gradient beside the complex step, and beside central differences with `h = 10^-exponent`.
pub(super) fn compare(program: &Program, check: &GradientCheck, exponents: std::ops::RangeInclusive<i32>) -> Option<GradientTable> {
    let model = &program.asked.model;
    let mut graph = model.graph.clone();
    let (list, _) = rewrite::rewrite(&mut graph, &[check.loss], &Options::default());
    let params: Vec<&ParamInfo> = program.declared.params.iter().filter(|p| diff::depends_differentiably(&graph, list[0], p.id)).collect();
    let wrt: Vec<Id> = params.iter().map(|p| p.id).collect();
    let grads = diff::gradient(&mut graph, list[0], &wrt).ok()?;
    let (grads, _) = rewrite::rewrite(&mut graph, &grads, &Options::default());
    let starts = draw::usual_starts(program, model).ok()?;
    let loss = Loss { program, graph: &graph, root: list[0], starts };
    let inputs = |input: InputId| {
        let start = loss.starts.iter().find(|(i, _)| *i == input).map(|(_, v)| v.clone());
        start.or_else(|| model.known.get(&input).map(|v| (**v).clone()))
    };
    let values = eval::evaluate(&graph, &grads, &inputs, &model.rows).ok()?;
    let mut all: Vec<Coordinate<'_>> = Vec::new();
    for (param, slopes) in params.iter().zip(&values) {
        let place = program.declared.params.iter().position(|p| p.id == param.id)?;
        all.extend(slopes.iter().enumerate().map(|(at, &slope)| Coordinate { param, place, at, slope }));
    }
    let total = all.len();
    let each = super::work(&model.rows, &graph, &[list[0]]);
    let most = (WORK / each.saturating_mul(25).max(1)).clamp(8, MOST);
    let stride = total.div_ceil(most).max(1);
    let tried: Vec<Coordinate<'_>> = all.into_iter().step_by(stride).collect();
    let scale = tried.iter().map(|c| c.slope.abs()).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let worst = |numeric: &dyn Fn(&Coordinate<'_>) -> Option<f64>| -> Option<(f64, String)> {
        let mut worst: Option<(f64, String)> = None;
        for c in &tried {
            let off = (numeric(c)? - c.slope).abs();
            if worst.as_ref().is_none_or(|(w, _)| off > *w || off.is_nan()) {
                let name = format!("{}{}", c.param.name, element(c.at, &c.param.sizes).replace(" at ", ""));
                worst = Some((off, name));
            }
        }
        worst
    };
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    let number = |value: f64| CellValue::Number { value, mark: None };
    let mut row = |method: &str, h: CellValue, (off, name): (f64, String)| {
        rows.push(vec![CellValue::Text(method.to_string()), h, number(off), number(off / scale), CellValue::Text(name)]);
    };
    match worst(&|c| loss.complex(c)) {
        Some(found) => {
            if found.0.is_nan() || found.0 > AGREES * scale {
                notes
                    .push(format!("the gradient of `{}` and the complex step differ at {}: it may have a kink there", check.name, found.1));
            }
            row("complex step", number(TINY), found);
        }
        None => notes.push(format!("the complex step cannot follow `{}`", check.name)),
    }
    let mut best: Option<(f64, String)> = None;
    for exponent in exponents {
        let h: f64 = format!("1e-{exponent}").parse().ok()?;
        let found = worst(&|c| Some((loss.moved(c, h)? - loss.moved(c, -h)?) / (2.0 * h)))?;
        if best.as_ref().is_none_or(|(off, _)| found.0 < *off) {
            best = Some((found.0, format!("1e-{exponent}")));
        }
        row("central difference", number(h), found);
    }
    let mut below = vec!["differences are relative to the largest entry of the gradient; at the start of the parameters".to_string()];
    if let Some((off, h)) = best {
        below.push(format!("central differences come nearest at h = {h}: {:.1e}", off / scale));
    }
    if stride > 1 {
        below.push(format!("{} of {} coordinates were tried", tried.len(), super::grouped(total)));
    }
    let column = |title: &str| Column { group: String::new(), title: title.to_string(), format: None, decades: title == "h" };
    let table = Table {
        name: format!("gradient_of_{}", check.name.replace(|c: char| !c.is_alphanumeric(), "_")),
        caption: format!("The gradient of {}, three ways", check.name),
        notes: below,
        columns: ["method", "h", "largest difference", "relative", "at"].map(column).to_vec(),
        rows,
    };
    Some(GradientTable { table, notes })
}
