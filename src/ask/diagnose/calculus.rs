//! The loss of a unit as a function of its parameters: values, gradients, products with the Hessian, its largest curvature; and one step of the rule.
//!
//! It computes with the slow evaluator, on all rows, and judges nothing.

use std::collections::BTreeMap;

use ndarray::{ArrayD, IxDyn, arr0};

use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::op::{Binary, InputId};
use crate::expr::rewrite::{self, Options};
use crate::expr::{diff, eval};
use crate::numeric::linalg;
use crate::plan::unit::{Cell, Unit};

/// The values of all parameters.
pub(super) type Point = Vec<ArrayD<f64>>;

/// The steps of the power iteration.
const ITERATIONS: usize = 60;

/// Below this relative change the power iteration ends.
const SETTLED: f64 = 1e-7;

/// What is evaluated of a unit.
#[derive(Debug)]
pub(super) struct Calculus<'u> {
    unit: &'u Unit,
    pub(super) graph: Graph,
    grads: Vec<Id>,
    directions: Vec<InputId>,
    products: Vec<Id>,
    columns: BTreeMap<InputId, ArrayD<f64>>,
}

impl<'u> Calculus<'u> {
    /// Differentiates the loss; `None` where it has no second derivative.
    pub(super) fn of(unit: &'u Unit) -> Option<Self> {
        let mut graph = unit.graph.clone();
        let params: Vec<Id> = unit.params.iter().map(|slot| slot.input).collect();
        let grads = diff::gradient(&mut graph, unit.loss, &params).ok()?;
        let (grads, _) = rewrite::rewrite(&mut graph, &grads, &Options::default());
        let (mut directions, mut along) = (Vec::new(), graph.number(0.0));
        for (slot, &grad) in unit.params.iter().zip(&grads) {
            let shape = graph.shape(slot.input).clone();
            let direction = graph.input(format!("direction of {}", slot.name), InputKind::State, shape);
            directions.extend(graph.as_input(direction));
            let product = graph.binary(Binary::Mul, grad, direction);
            let sum = graph.sum_all(product);
            along = graph.binary(Binary::Add, along, sum);
        }
        let products = diff::gradient(&mut graph, along, &params).ok()?;
        let (products, _) = rewrite::rewrite(&mut graph, &products, &Options::default());
        let columns = unit.columns.iter().map(|(input, values)| (*input, (**values).clone())).collect();
        Some(Calculus { unit, graph, grads, directions, products, columns })
    }

    /// The same with other values in the columns.
    pub(super) fn with_columns(&mut self, columns: BTreeMap<InputId, ArrayD<f64>>) {
        self.columns = columns;
    }

    /// Values at a point; `more` has the inputs beside parameters, columns and the numbers of the cell.
    pub(super) fn values(
        &self,
        roots: &[Id],
        cell: &Cell,
        point: &[ArrayD<f64>],
        more: &dyn Fn(InputId) -> Option<ArrayD<f64>>,
    ) -> Option<Point> {
        let inputs = |input: InputId| {
            if let Some(place) = self.unit.params.iter().position(|slot| self.graph.as_input(slot.input) == Some(input)) {
                return point.get(place).cloned();
            }
            if let Some(place) = self.unit.lane.iter().position(|&lane| lane == input) {
                return cell.lane.get(place).map(|&x| arr0(x).into_dyn());
            }
            self.columns.get(&input).cloned().or_else(|| more(input))
        };
        eval::evaluate(&self.graph, roots, &inputs, &self.unit.rows).ok()
    }

    /// The gradient.
    pub(super) fn gradient(&self, cell: &Cell, point: &[ArrayD<f64>]) -> Option<Point> {
        self.values(&self.grads, cell, &beside_zero(point), &|_| None)
    }

    /// The Hessian times a direction.
    fn product(&self, cell: &Cell, point: &[ArrayD<f64>], direction: &[f64]) -> Option<Vec<f64>> {
        let direction = unflatten(direction, point)?;
        let found = self.values(&self.products, cell, &beside_zero(point), &|input| {
            let place = self.directions.iter().position(|&known| known == input)?;
            direction.get(place).cloned()
        })?;
        Some(flatten(&found))
    }

    /// The largest eigenvalue of the Hessian, by power iteration; after a shift where the largest in size is negative.
    pub(super) fn curvature(&self, cell: &Cell, point: &[ArrayD<f64>]) -> Option<f64> {
        let largest = self.power(cell, point, 0.0)?;
        if largest >= 0.0 { Some(largest) } else { Some(self.power(cell, point, -largest)? + largest) }
    }

    fn power(&self, cell: &Cell, point: &[ArrayD<f64>], shift: f64) -> Option<f64> {
        let n: usize = point.iter().map(ArrayD::len).sum();
        // A start without symmetry, so that it is at a right angle to no eigenvector that matters.
        let mut v: Vec<f64> = (0..n).map(|i| 1.0 + ((i * 7919 + 13) % 101) as f64 / 101.0 - if i % 3 == 1 { 2.0 } else { 0.0 }).collect();
        let mut value = 0.0;
        for _ in 0..ITERATIONS {
            let length = linalg::norm(&v);
            if length == 0.0 || !length.is_finite() {
                return length.is_finite().then_some(0.0);
            }
            for x in &mut v {
                *x /= length;
            }
            let mut next = self.product(cell, point, &v)?;
            next.iter_mut().zip(&v).for_each(|(y, x)| *y += shift * x);
            let found: f64 = next.iter().zip(&v).map(|(y, x)| y * x).sum();
            if !found.is_finite() {
                return None;
            }
            let change = (found - value).abs();
            value = found;
            v = next;
            if change <= SETTLED * found.abs() {
                break;
            }
        }
        Some(value)
    }

    /// The whole Hessian, by its products with the unit vectors, and from it its eigenvalues in rising order.
    pub(super) fn eigenvalues(&self, cell: &Cell, point: &[ArrayD<f64>]) -> Option<Vec<f64>> {
        let n: usize = point.iter().map(ArrayD::len).sum();
        let mut matrix = Vec::with_capacity(n * n);
        for i in 0..n {
            let unit: Vec<f64> = (0..n).map(|j| f64::from(u8::from(i == j))).collect();
            matrix.extend(self.product(cell, point, &unit)?);
        }
        if matrix.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let mut values = linalg::symmetric_eigen(&matrix, n)?.values;
        values.sort_by(f64::total_cmp);
        Some(values)
    }

    /// The states of the rule before its first step.
    pub(super) fn states(&self, cell: &Cell, point: &[ArrayD<f64>]) -> Option<Point> {
        self.values(&self.unit.state_starts, cell, point, &|_| None)
    }

    /// The parameters and states after step `t`, on all rows.
    pub(super) fn step(&self, cell: &Cell, point: &[ArrayD<f64>], states: &[ArrayD<f64>], t: u64) -> Option<(Point, Point)> {
        let unit = self.unit;
        let roots: Vec<Id> = unit.params.iter().chain(&unit.states).map(|slot| slot.next).collect();
        let mut next = self.values(&roots, cell, point, &|input| {
            if let Some(place) = unit.states.iter().position(|slot| self.graph.as_input(slot.input) == Some(input)) {
                return states.get(place).cloned();
            }
            let number = |x: u64| Some(arr0(x as f64).into_dyn());
            match Some(input) {
                known if known == unit.step => number(t),
                known if known == unit.epoch => number(1),
                known if known == unit.steps => number(unit.budget),
                _ => None,
            }
        })?;
        let states = next.split_off(unit.params.len());
        Some((next, states))
    }
}

/// What is added to elements that are 0.
const BESIDE: f64 = 1e-9;

/// A point without elements that are exactly 0: what runs is the stable form of the loss, and `max(z, 0) + log1p(exp(-abs(z)))` has a kink at 0
/// in each of its parts, which `log(1 + exp(z))` does not have. Equal elements stay equal.
fn beside_zero(point: &[ArrayD<f64>]) -> Point {
    point.iter().map(|value| value.mapv(|x| if x == 0.0 { BESIDE } else { x })).collect()
}

/// All elements in one list.
pub(super) fn flatten(point: &[ArrayD<f64>]) -> Vec<f64> {
    point.iter().flat_map(|value| value.iter().copied()).collect()
}

/// A list in the shapes of a point.
pub(super) fn unflatten(list: &[f64], like: &[ArrayD<f64>]) -> Option<Point> {
    let mut rest = list;
    like.iter()
        .map(|value| {
            let (own, others) = rest.split_at_checked(value.len())?;
            rest = others;
            ArrayD::from_shape_vec(IxDyn(value.shape()), own.to_vec()).ok()
        })
        .collect()
}

/// The largest change of an element.
pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}
