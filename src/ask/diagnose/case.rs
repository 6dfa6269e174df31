//! One cell as the findings see it: what was measured when it ran, the loss as a function, and trials with other numbers.
//!
//! It judges nothing.

use std::sync::Arc;

use ndarray::ArrayD;

use super::calculus::{Calculus, Point, flatten, unflatten};
use crate::check::Program;
use crate::check::program::{Bind, SweepSpec};
use crate::plan::unit::{Cell, Measure, Pace, Plan, SweepPlan, Unit};
use crate::results::{Design, Fold, Quantity, Results, Setting, Status};
use crate::source::Span;

/// Runs a plan; `None` when it is refused.
pub(crate) type Runner<'r> = &'r dyn Fn(&Plan) -> Option<Results>;

/// What a run left behind.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub(super) status: Status,
    pub(super) steps: u64,
    /// The loss on all rows: before the first step, after the last, and the highest.
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) highest: f64,
    /// The parameters after the last step, and one step before.
    pub(super) point: Vec<f64>,
    pub(super) before: Vec<f64>,
}

/// How the first step of a rule answers the gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// The step is the gradient times a number.
    Proportional(f64),
    /// All elements move equally far, however large their gradients are.
    Equal(f64),
    /// Neither.
    Other,
}

/// A cell that is looked at.
pub(super) struct Case<'c> {
    pub(super) program: &'c Program,
    pub(super) spec: &'c SweepSpec,
    pub(super) sweep: &'c SweepPlan,
    pub(super) unit: &'c Unit,
    pub(super) design: &'c Design,
    pub(super) cell: &'c Cell,
    pub(super) calculus: &'c Calculus<'c>,
    pub(super) run: Measured,
    /// The steps that trials make.
    pub(super) budget: u64,
    pub(super) kind: Kind,
    /// The rate, where it is one number, and its place among the numbers of the cell.
    pub(super) rate: Option<(usize, f64)>,
    pub(super) runner: Runner<'c>,
}

/// Runs cells of a unit for so many steps, measuring the loss and the parameters only.
pub(super) fn measure(
    sweep: &SweepPlan,
    unit: &Unit,
    cells: Vec<Cell>,
    design: &Design,
    budget: u64,
    runner: Runner<'_>,
) -> Option<Vec<Measured>> {
    let mut unit = unit.clone();
    unit.budget = budget;
    let mut quantities = vec![Quantity { text: "loss".to_string(), sizes: Vec::new() }];
    unit.quantities = vec![Measure::Row(unit.loss)];
    for slot in &unit.params {
        quantities.push(Quantity { text: slot.name.clone(), sizes: unit.rows.sizes(unit.graph.shape(slot.input)) });
        unit.quantities.push(Measure::Row(slot.input));
    }
    let params = 1..quantities.len();
    let mut folds = vec![Fold::Start(0), Fold::Final(0), Fold::Highest(0)];
    folds.extend(params.clone().map(Fold::Final));
    folds.extend(params.clone().map(Fold::Previous));
    let designs = vec![Design { unit: 0, ..design.clone() }; cells.len()];
    let plan = SweepPlan {
        name: sweep.name.clone(),
        axes: sweep.axes.clone(),
        varying: Vec::new(),
        replicates: 1,
        units: vec![unit],
        designs: Arc::new(designs),
        cells,
        quantities,
        folds,
        traced: Vec::new(),
        pace: Pace::Steps(1),
    };
    let results = runner(&Plan { sweeps: vec![plan] })?;
    let sweep = results.sweeps.first()?;
    sweep
        .runs()
        .map(|run| {
            let number = |fold: usize| run.folded(fold).and_then(|list| list.first()).copied().unwrap_or(f64::NAN);
            let list = |first: usize| -> Vec<f64> {
                (first..first + params.len()).flat_map(|fold| run.folded(fold).unwrap_or_default().to_vec()).collect()
            };
            Some(Measured {
                status: run.status,
                steps: run.steps,
                start: number(0),
                end: number(1),
                highest: number(2),
                point: list(3),
                before: list(3 + params.len()),
            })
        })
        .collect()
}

impl Case<'_> {
    /// The parameters before the first step.
    pub(super) fn start(&self) -> &Point {
        &self.cell.starts
    }

    /// The parameters after the last step, where they are finite.
    pub(super) fn end(&self) -> Option<Point> {
        if self.run.point.iter().any(|x| !x.is_finite()) {
            return None;
        }
        unflatten(&self.run.point, self.start())
    }

    /// Where the rate is written.
    pub(super) fn rate_span(&self) -> Span {
        let wanted = self.rate.map(|(_, rate)| rate);
        let matches = |setting: &Setting| matches!((setting, wanted), (Setting::Number(x), Some(rate)) if *x == rate);
        for bind in self.spec.axes.iter().flat_map(|axis| &axis.points).flatten() {
            match bind {
                Bind::Named { name, value, .. } if name == "lr" && matches(&value.setting) => return value.expr.span,
                Bind::Optimizer(o) if *o.rule == *self.design.rule => {
                    for stage in &o.stages {
                        if let Some(value) = stage.args.get("lr").filter(|value| matches(&value.setting)) {
                            return value.expr.span;
                        }
                    }
                }
                _ => {}
            }
        }
        self.rule_span()
    }

    /// Where the rule is named.
    pub(super) fn rule_span(&self) -> Span {
        let mut binds = self.spec.axes.iter().flat_map(|axis| &axis.points).flatten();
        binds
            .find_map(|bind| match bind {
                Bind::Optimizer(o) if *o.rule == *self.design.rule => Some(o.span),
                _ => None,
            })
            .unwrap_or(self.spec.span)
    }

    /// The name of the loss, as minimized.
    pub(super) fn loss_name(&self) -> &str {
        &self.design.loss
    }

    /// The same cell at other rates.
    pub(super) fn at_rates(&self, rates: &[f64]) -> Option<Vec<Measured>> {
        let (place, _) = self.rate?;
        let cells = rates
            .iter()
            .map(|&rate| {
                let mut cell = self.cell.clone();
                if let Some(x) = cell.lane.get_mut(place) {
                    *x = rate;
                }
                cell
            })
            .collect();
        measure(self.sweep, self.unit, cells, self.design, self.budget, self.runner)
    }

    /// The same cell in another unit.
    pub(super) fn in_unit(&self, unit: &Unit) -> Option<Measured> {
        measure(self.sweep, unit, vec![self.cell.clone()], self.design, self.budget, self.runner)?.pop()
    }

    /// The rate of a rule that subtracts it times the gradient and remembers nothing.
    pub(super) fn plain(&self) -> Option<f64> {
        let (_, rate) = self.rate?;
        match self.kind {
            Kind::Proportional(factor) if self.unit.states.is_empty() && (factor - rate).abs() <= 1e-6 * rate => Some(rate),
            _ => None,
        }
    }
}

/// How the rule answers the gradient: its first step from the start, and from another point, where gradients are different.
pub(super) fn kind(unit: &Unit, calculus: &Calculus<'_>, cell: &Cell) -> Kind {
    if !unit.noise.is_empty() || unit.solve.is_some() {
        return Kind::Other;
    }
    let moved: Point = cell.starts.iter().map(|value| value.mapv(|x| x + 0.37 * (1.0 + x.abs()))).collect();
    let mut pairs: Vec<(f64, f64)> = Vec::new();
    for point in [&*cell.starts, &moved] {
        let found = pairs_at(calculus, cell, point).unwrap_or_default();
        let largest = found.iter().map(|(g, _)| g.abs()).fold(0.0, f64::max);
        pairs.extend(found.into_iter().filter(|(g, _)| g.abs() > 1e-4 * largest));
    }
    if pairs.len() < 2 || pairs.iter().any(|(g, step)| !g.is_finite() || !step.is_finite()) {
        return Kind::Other;
    }
    let spread = |values: &dyn Fn(&(f64, f64)) -> f64| {
        let list = || pairs.iter().map(values);
        (list().fold(f64::INFINITY, f64::min), list().fold(f64::NEG_INFINITY, f64::max))
    };
    let ratio = spread(&|(g, step)| step / g);
    if ratio.0 > 0.0 && ratio.1 <= ratio.0 * (1.0 + 1e-6) {
        return Kind::Proportional(ratio.0);
    }
    let (length, slope) = (spread(&|(_, step)| step.abs()), spread(&|(g, _)| g.abs()));
    // A gradient that is half as large again must not change a step by a twentieth.
    if length.0 > 0.0 && length.1 <= 1.05 * length.0 && slope.1 >= 1.5 * slope.0 && ratio.0 > 0.0 {
        return Kind::Equal(length.1);
    }
    Kind::Other
}

/// Each element of the gradient with how far the first step goes against it.
fn pairs_at(calculus: &Calculus<'_>, cell: &Cell, point: &Point) -> Option<Vec<(f64, f64)>> {
    let grads = flatten(&calculus.gradient(cell, point)?);
    let states = calculus.states(cell, point)?;
    let (next, _) = calculus.step(cell, point, &states, 1)?;
    let steps = flatten(point).into_iter().zip(flatten(&next)).map(|(from, to)| from - to);
    Some(grads.into_iter().zip(steps).collect())
}

/// One number as an array, for formulas that want one.
pub(super) fn largest_of(values: &ArrayD<f64>) -> f64 {
    values.iter().map(|x| x.abs()).fold(0.0, f64::max)
}
