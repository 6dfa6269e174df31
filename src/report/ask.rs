//! Evaluates questions: the value of an expression over a finished run, or at each of its recorded rows.
//!
//! It chooses no cells and shows nothing. What is missing is nan, with a warning.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ndarray::IxDyn;

use super::cells::{Identity, Place, Reader, Value};
use super::statistics;
use crate::expr::eval::{Tensor, evaluate};
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::op::{InputId, Op};
use crate::results::view::{Aggregate, Cond, FoldKind, Leaf, Over, Question, Selection};
use crate::results::{Fold, Status, SweepResults, Trace};
use crate::shape::{DataId, Dim, RowCounts, Shape};

/// A question made ready for the cells of an output.
pub(super) struct Asked<'a, 'r> {
    pub(super) question: &'a Question,
    reader: &'a Reader<'r>,
    leaves: Vec<Ready<'a, 'r>>,
    /// The same expression over all rows of a run at once, where it is elementwise.
    over_rows: OnceCell<Option<(Graph, Id)>>,
}

/// A leaf with what it needs from other cells.
enum Ready<'a, 'r> {
    Own(&'a Leaf),
    /// The cells that are left by narrowing, and the axes on which they must agree with the one that asks.
    Elsewhere {
        leaf: &'a Leaf,
        cells: Vec<Place>,
        axes: Vec<&'r str>,
    },
    Over {
        kind: Aggregate,
        of: Box<Asked<'a, 'r>>,
        groups: BTreeMap<Place, Rc<Group>>,
    },
    /// The lowest values of the cells that minimize the same function.
    Above {
        of: Box<Asked<'a, 'r>>,
        within: Vec<&'a str>,
        lowest: BTreeMap<Identity<'r>, Vec<f64>>,
    },
    SoFar {
        of: Box<Asked<'a, 'r>>,
        lowest: BTreeMap<Place, Vec<f64>>,
    },
    Folded {
        fold: &'a FoldKind,
        of: Box<Asked<'a, 'r>>,
    },
}

/// Cells that a statistic runs over, and its value where it has one for whole runs.
struct Group {
    members: Vec<Place>,
    value: Vec<f64>,
}

impl<'r> Reader<'r> {
    /// Makes a question ready; `scope` are the cells selected.
    pub(super) fn ask<'a>(&'a self, question: &'a Question, scope: &[Place]) -> Asked<'a, 'r> {
        let leaves = question.leaves.iter().map(|leaf| self.ready(leaf, scope)).collect();
        Asked { question, reader: self, leaves, over_rows: OnceCell::new() }
    }

    fn ready<'a>(&'a self, leaf: &'a Leaf, scope: &[Place]) -> Ready<'a, 'r> {
        let whole_sweeps = || Self::sweeps_of(scope).into_iter().flat_map(|sweep| self.all(sweep)).collect::<Vec<Place>>();
        match leaf {
            Leaf::Fold { narrow: Some(selection), .. } => {
                let cells = self.select(selection);
                let fixed = fixed_axes(selection);
                let axes = self.axes(&cells).into_iter().filter(|axis| !fixed.contains(axis) && self.differ(&cells, axis)).collect();
                Ready::Elsewhere { leaf, cells, axes }
            }
            Leaf::Aggregate { kind, of, over } => {
                // The values of an axis are all there are, also where only one of them is selected.
                let cells = if *over == Over::All { scope.to_vec() } else { whole_sweeps() };
                let of = Box::new(self.ask(of, &cells));
                let except: Vec<&str> = match over {
                    Over::All => Vec::new(),
                    Over::Axes(axes) => axes.iter().map(String::as_str).collect(),
                };
                let key = |place| if *over == Over::All { Identity(Vec::new()) } else { self.identity(place, &except) };
                let mut groups = BTreeMap::new();
                for (_, members) in Reader::group(&cells, key) {
                    let value = if of.is_traced() {
                        Vec::new()
                    } else {
                        let values: Vec<Vec<f64>> = members.iter().map(|&member| of.at(member, scope.len())).collect();
                        elementwise(*kind, &values, of.len())
                    };
                    let group = Rc::new(Group { members, value });
                    groups.extend(group.members.iter().map(|&place| (place, Rc::clone(&group))));
                }
                Ready::Over { kind: *kind, of, groups }
            }
            Leaf::Gap { of, within } => {
                let cells = whole_sweeps();
                let of = Box::new(self.ask(of, &cells));
                let within: Vec<&str> = within.iter().map(String::as_str).collect();
                let mut lowest: BTreeMap<Identity<'r>, Vec<f64>> = BTreeMap::new();
                for place in cells {
                    let values = if of.is_traced() { of.rows(place, scope.len()) } else { of.at(place, scope.len()) };
                    let low = lowest.entry(self.function(place, &within)).or_insert_with(|| vec![f64::NAN; of.len()]);
                    for row in values.chunks(of.len().max(1)) {
                        lower(low, row);
                    }
                }
                Ready::Above { of, within, lowest }
            }
            Leaf::BestSoFar { of } => {
                let of = Box::new(self.ask(of, scope));
                let mut lowest = BTreeMap::new();
                if !of.is_traced() {
                    for (_, cells) in Reader::group(scope, |place| place.sweep) {
                        let mut low = vec![f64::NAN; of.len()];
                        for place in cells {
                            if self.run(place).status != Status::Diverged {
                                lower(&mut low, &of.at(place, scope.len()));
                            }
                            lowest.insert(place, low.clone());
                        }
                    }
                }
                Ready::SoFar { of, lowest }
            }
            Leaf::Folded { fold, of } => Ready::Folded { fold, of: Box::new(self.ask(of, scope)) },
            own => Ready::Own(own),
        }
    }

    /// Which function a cell minimizes: its loss, and the values of what the loss depends on.
    fn function(&self, place: Place, within: &[&str]) -> Identity<'r> {
        let axes = self.axes(&[place]).into_iter().filter(|axis| *axis == "loss" || within.contains(axis));
        Identity(axes.map(|axis| (axis, self.value(place, axis))).collect())
    }
}

impl Asked<'_, '_> {
    /// The number of elements of the value.
    pub(super) fn len(&self) -> usize {
        self.question.sizes.iter().product()
    }

    /// Whether it has a value for each recorded row rather than one for the run.
    pub(super) fn is_traced(&self) -> bool {
        self.leaves.iter().any(|leaf| match leaf {
            Ready::Own(leaf) => matches!(leaf, Leaf::Row { .. } | Leaf::Step | Leaf::Epoch),
            Ready::Elsewhere { .. } | Ready::Folded { .. } => false,
            Ready::Over { of, .. } | Ready::Above { of, .. } | Ready::SoFar { of, .. } => of.is_traced(),
        })
    }

    /// The elements of the value for a run; `cells` is what `cells()` says.
    pub(super) fn at(&self, place: Place, cells: usize) -> Vec<f64> {
        let values = self.leaves.iter().map(|leaf| self.whole(leaf, place, cells)).collect();
        self.compute(&self.question.graph, self.question.root, values, &RowCounts::default())
    }

    /// The value for a run as one number.
    pub(super) fn number(&self, place: Place, cells: usize) -> f64 {
        self.at(place, cells).first().copied().unwrap_or(f64::NAN)
    }

    /// The elements of one of its leaves for a run.
    pub(super) fn leaf(&self, leaf: usize, place: Place, cells: usize) -> Vec<f64> {
        self.leaves.get(leaf).map(|leaf| self.whole(leaf, place, cells)).unwrap_or_default()
    }

    /// The elements of the value in the first recorded row, in the second, ...
    pub(super) fn rows(&self, place: Place, cells: usize) -> Vec<f64> {
        let count = self.reader.run(place).trace().rows();
        if !self.is_traced() {
            return self.at(place, cells).repeat(count);
        }
        let columns: Vec<Vec<f64>> = self.leaves.iter().map(|leaf| self.column(leaf, place, cells)).collect();
        if let Some(input) = self.question.graph.as_input(self.question.root) {
            return columns.into_iter().nth(input.0 as usize).unwrap_or_default();
        }
        if let Some((graph, root)) = self.over_rows.get_or_init(|| self.lift()) {
            return self.compute(graph, *root, columns, &RowCounts(vec![count]));
        }
        let mut values = Vec::with_capacity(count * self.len());
        for row in 0..count {
            let width = |column: &Vec<f64>| column.len() / count;
            let inputs = columns.iter().map(|column| column[row * width(column)..(row + 1) * width(column)].to_vec()).collect();
            values.extend(self.compute(&self.question.graph, self.question.root, inputs, &RowCounts::default()));
        }
        values
    }

    /// The elements of a leaf for a whole run.
    fn whole(&self, leaf: &Ready<'_, '_>, place: Place, cells: usize) -> Vec<f64> {
        match leaf {
            Ready::Own(leaf) => self.own(leaf, place, cells),
            Ready::Elsewhere { leaf, cells: candidates, axes } => {
                let agrees = |other: Place| {
                    axes.iter().all(|axis| {
                        let value = self.reader.value(place, axis);
                        value == Value::Blank || value.agrees(self.reader.value(other, axis))
                    })
                };
                let mut found = candidates.iter().copied().filter(|&other| agrees(other));
                match (found.next(), found.next()) {
                    (Some(other), None) => self.own(leaf, other, cells),
                    (first, _) => {
                        let count = if first.is_some() { "several cells elsewhere match" } else { "no cell elsewhere matches" };
                        let label = self.reader.cell_label(place);
                        self.reader.warn(format!("`{}`: {count} {label}", self.question.text));
                        self.missing(leaf)
                    }
                }
            }
            Ready::Over { of, groups, .. } => groups.get(&place).map_or_else(|| vec![f64::NAN; of.len()], |group| group.value.clone()),
            Ready::Above { of, within, lowest } => {
                let low = lowest.get(&self.reader.function(place, within));
                let own = of.at(place, cells);
                own.iter().enumerate().map(|(i, x)| x - low.map_or(f64::NAN, |low| low[i])).collect()
            }
            Ready::SoFar { of, lowest } => lowest.get(&place).cloned().unwrap_or_else(|| vec![f64::NAN; of.len()]),
            Ready::Folded { fold, of } => folded(fold, &self.reader.run(place).trace(), &of.rows(place, cells), of.len()),
        }
    }

    /// The elements of a leaf at each recorded row.
    fn column(&self, leaf: &Ready<'_, '_>, place: Place, cells: usize) -> Vec<f64> {
        let trace = self.reader.run(place).trace();
        let count = trace.rows();
        match leaf {
            Ready::Own(Leaf::Row { quantity }) => {
                let sweep = self.reader.sweep(place);
                let column = sweep.quantity(quantity).and_then(|quantity| sweep.trace_column(quantity));
                column.map_or_else(
                    || {
                        self.reader.warn(format!("`{quantity}` was not recorded in sweep `{}`", sweep.name));
                        vec![f64::NAN; count]
                    },
                    |column| trace.column(column),
                )
            }
            Ready::Own(Leaf::Step) => trace.steps().map(|step| step as f64).collect(),
            Ready::Own(Leaf::Epoch) => trace.epochs().map(|epoch| epoch as f64).collect(),
            Ready::Over { kind, of, groups } if of.is_traced() => {
                let Some(group) = groups.get(&place) else { return vec![f64::NAN; count * of.len()] };
                let width = of.len();
                let tables: Vec<(Trace<'_>, Vec<f64>)> =
                    group.members.iter().map(|&member| (self.reader.run(member).trace(), of.rows(member, cells))).collect();
                let at = |step: u64| {
                    let rows = tables.iter().filter_map(|(trace, values)| Some(&values[trace.row_of(step)? * width..][..width]));
                    elementwise(*kind, &rows.collect::<Vec<_>>(), width)
                };
                trace.steps().flat_map(at).collect()
            }
            Ready::Above { of, within, lowest } if of.is_traced() => {
                let low = lowest.get(&self.reader.function(place, within));
                let own = of.rows(place, cells);
                own.iter().enumerate().map(|(i, x)| x - low.map_or(f64::NAN, |low| low[i % low.len()])).collect()
            }
            Ready::SoFar { of, .. } if of.is_traced() => {
                let mut low = vec![f64::NAN; of.len()];
                let rows = of.rows(place, cells);
                let so_far = |row: &[f64]| {
                    lower(&mut low, row);
                    low.clone()
                };
                rows.chunks(of.len().max(1)).flat_map(so_far).collect()
            }
            other => self.whole(other, place, cells).repeat(count),
        }
    }

    /// The elements of a leaf that asks for nothing but the run itself.
    fn own(&self, leaf: &Leaf, place: Place, cells: usize) -> Vec<f64> {
        let run = self.reader.run(place);
        let one = |x: f64| vec![x];
        match leaf {
            Leaf::Fold { fold, quantity, .. } => {
                let sweep = self.reader.sweep(place);
                let index = fold_of(sweep, fold, quantity).and_then(|fold| sweep.fold(&fold));
                index.and_then(|index| run.folded(index)).map_or_else(
                    || {
                        self.reader.warn(format!("`{}`: `{quantity}` was not measured in sweep `{}`", self.question.text, sweep.name));
                        self.missing(leaf)
                    },
                    <[f64]>::to_vec,
                )
            }
            Leaf::Axis(axis) => one(self.reader.value(place, axis).number()),
            Leaf::Cell => one(run.id as f64),
            Leaf::Replicate => one(run.replicate as f64),
            Leaf::Steps | Leaf::Step => one(run.steps as f64),
            Leaf::Epochs | Leaf::Epoch => one(run.epochs as f64),
            Leaf::Evaluations => one(run.evaluations as f64),
            Leaf::HasStatus(status) => one(f64::from(u8::from(run.status == *status))),
            Leaf::Cells => one(cells as f64),
            Leaf::Row { .. } | Leaf::Aggregate { .. } | Leaf::Gap { .. } | Leaf::BestSoFar { .. } | Leaf::Folded { .. } => {
                self.missing(leaf)
            }
        }
    }

    /// As many nan as the leaf has elements.
    fn missing(&self, leaf: &Leaf) -> Vec<f64> {
        let input = self.question.leaves.iter().position(|known| std::ptr::eq(known, leaf));
        let shape = input.and_then(|input| self.question.graph.inputs().get(input)).map(|input| &input.shape);
        vec![f64::NAN; shape.and_then(|shape| RowCounts::default().count(shape)).unwrap_or(1)]
    }

    /// The value of an expression from the elements of its inputs.
    fn compute(&self, graph: &Graph, root: Id, mut inputs: Vec<Vec<f64>>, rows: &RowCounts) -> Vec<f64> {
        if let Some(input) = graph.as_input(root) {
            return inputs.get_mut(input.0 as usize).map(std::mem::take).unwrap_or_default();
        }
        let value = |input: InputId| {
            let sizes = rows.sizes(&graph.input_info(input).shape);
            Tensor::from_shape_vec(IxDyn(&sizes), inputs.get(input.0 as usize)?.clone()).ok()
        };
        match evaluate(graph, &[root], &value, rows) {
            Ok(values) => values.into_iter().flatten().collect(),
            Err(error) => {
                self.reader.warn(format!("`{}` has no value: {error}", self.question.text));
                vec![f64::NAN; rows.count(graph.shape(root)).unwrap_or(1)]
            }
        }
    }

    /// The expression with its inputs stretched along the rows; `None` where it is not elementwise.
    fn lift(&self) -> Option<(Graph, Id)> {
        let from = &self.question.graph;
        let mut graph = Graph::new();
        for input in from.inputs() {
            if !input.shape.is_scalar() {
                return None;
            }
            graph.input(input.name.clone(), InputKind::Result, Shape(vec![Dim::Rows(DataId(0))]));
        }
        let mut map: BTreeMap<Id, Id> = BTreeMap::new();
        for id in from.reachable(&[self.question.root]) {
            let node = from.node(id);
            let args: Vec<Id> = node.args.iter().map(|arg| map.get(arg).copied()).collect::<Option<_>>()?;
            let new = match &node.op {
                // Inputs were made first, in their order.
                Op::Input(input) => Id(input.0),
                op @ (Op::Const(_) | Op::Unary(_) | Op::Binary(_) | Op::Select) => graph.try_add(op.clone(), &args).ok()?,
                _ => return None,
            };
            map.insert(id, new);
        }
        let root = *map.get(&self.question.root)?;
        (!graph.shape(root).is_scalar()).then_some((graph, root))
    }
}

/// The fold with its quantities as the sweep knows them.
fn fold_of(sweep: &SweepResults, kind: &FoldKind, quantity: &str) -> Option<Fold> {
    let of = sweep.quantity(quantity)?;
    Some(match kind {
        FoldKind::Final => Fold::Final(of),
        FoldKind::Start => Fold::Start(of),
        FoldKind::Lowest => Fold::Lowest(of),
        FoldKind::Highest => Fold::Highest(of),
        FoldKind::Average(last) => Fold::Average { of, last: *last },
        FoldKind::AtStep(step) => Fold::AtStep { of, step: *step },
        FoldKind::AtLowest(other) => Fold::AtLowest { what: of, of: sweep.quantity(other)? },
        FoldKind::StepsTo => Fold::StepsTo(of),
        FoldKind::Count => Fold::Count(of),
        FoldKind::SinceLowest => Fold::SinceLowest(of),
        FoldKind::Previous => Fold::Previous(of),
    })
}

/// One value made of the recorded rows of a run, as the run itself makes it of what it knows alone.
fn folded(fold: &FoldKind, trace: &Trace<'_>, values: &[f64], width: usize) -> Vec<f64> {
    let rows: Vec<&[f64]> = values.chunks(width.max(1)).collect();
    let row = |at: Option<usize>| at.and_then(|at| rows.get(at)).map_or_else(|| vec![f64::NAN; width], |row| row.to_vec());
    let met = |row: &[f64]| row.iter().all(|&x| x != 0.0 && !x.is_nan());
    let best = |better: fn(f64, f64) -> bool| {
        let numbers = rows.iter().enumerate().map(|(at, row)| (at, row[0])).filter(|(_, x)| !x.is_nan());
        numbers.fold(None, |best: Option<(usize, f64)>, x| if best.is_none_or(|best| better(x.1, best.1)) { Some(x) } else { best })
    };
    let number = |best: Option<(usize, f64)>| vec![best.map_or(f64::NAN, |best| best.1)];
    match fold {
        FoldKind::Final | FoldKind::AtLowest(_) => row(rows.len().checked_sub(1)),
        FoldKind::Start => row(Some(0)),
        FoldKind::Previous => row(rows.len().checked_sub(2)),
        FoldKind::Lowest => number(best(|x, best| x < best)),
        FoldKind::Highest => number(best(|x, best| x > best)),
        FoldKind::SinceLowest => {
            vec![best(|x, best| x < best).map_or(f64::NAN, |(at, _)| (rows.len() - 1 - at) as f64)]
        }
        FoldKind::Average(last) => elementwise(Aggregate::Mean, &rows[rows.len().saturating_sub(*last)..], width),
        FoldKind::AtStep(step) => row(trace.row_of(*step)),
        FoldKind::StepsTo => {
            vec![rows.iter().zip(trace.steps()).find(|(row, _)| met(row)).map_or(f64::INFINITY, |(_, step)| step as f64)]
        }
        FoldKind::Count => vec![rows.iter().filter(|row| met(row)).count() as f64],
    }
}

/// The axes that a narrowed fold says itself.
fn fixed_axes(selection: &Selection) -> Vec<&str> {
    fn collect<'a>(condition: &'a Cond, axes: &mut Vec<&'a str>) {
        match condition {
            Cond::And(a, b) | Cond::Or(a, b) => {
                collect(a, axes);
                collect(b, axes);
            }
            Cond::Not(a) => collect(a, axes),
            Cond::Equals { axis, .. } => axes.push(axis),
            Cond::Question(question) => {
                axes.extend(question.leaves.iter().filter_map(|leaf| if let Leaf::Axis(axis) = leaf { Some(axis.as_str()) } else { None }));
            }
        }
    }
    let mut axes = Vec::new();
    for condition in &selection.conditions {
        collect(condition, &mut axes);
    }
    axes.extend(selection.best.iter().flat_map(|best| best.axes.iter().map(String::as_str)));
    axes
}

/// The lower of each element; nan is passed over.
fn lower(low: &mut [f64], values: &[f64]) {
    for (low, &x) in low.iter_mut().zip(values) {
        if low.is_nan() || x < *low {
            *low = x;
        }
    }
}

/// A statistic of each element.
fn elementwise<V: AsRef<[f64]>>(kind: Aggregate, values: &[V], width: usize) -> Vec<f64> {
    let of = |i: usize| statistics::aggregate(kind, &values.iter().filter_map(|v| v.as_ref().get(i).copied()).collect::<Vec<f64>>());
    (0..width).map(of).collect()
}
