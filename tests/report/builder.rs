//! Hand-made results and views, so that what is asked and what was measured can be read in the test.
//!
//! It runs nothing but a few lines of arithmetic.
#![allow(dead_code, reason = "shared by tests that need different parts")]

use std::sync::Arc;

use optrun::expr::graph::{Graph, Id, InputKind};
use optrun::results::view::*;
use optrun::results::*;
use optrun::shape::Shape;
use optrun::source::{FileId, Span};

/// A run: its label, settings, ending, and per quantity its recorded rows (elements one after the other).
pub(crate) struct Cell {
    pub(crate) optimizer: &'static str,
    pub(crate) settings: Vec<Setting>,
    pub(crate) replicate: usize,
    pub(crate) fold: Option<usize>,
    pub(crate) status: Status,
    pub(crate) rows: Vec<Vec<f64>>,
}

pub(crate) fn cell(optimizer: &'static str, settings: &[f64], rows: &[&[f64]]) -> Cell {
    let settings = settings.iter().map(|&x| if x.is_nan() { Setting::Blank } else { Setting::Number(x) }).collect();
    Cell { optimizer, settings, replicate: 0, fold: None, status: Status::Done, rows: rows.iter().map(|r| r.to_vec()).collect() }
}

impl Cell {
    pub(crate) fn replicate(mut self, replicate: usize) -> Cell {
        self.replicate = replicate;
        self
    }

    pub(crate) fn ended(mut self, status: Status) -> Cell {
        self.status = status;
        self
    }
}

/// A sweep that records every step; the first and last rows, the lowest values, and the steps to a condition (a
/// quantity whose text has `<=`) are folded.
pub(crate) fn sweep(name: &str, axes: &[&str], quantities: &[(&str, &[usize])], cells: Vec<Cell>) -> SweepResults {
    let quantities: Vec<Quantity> =
        quantities.iter().map(|(text, sizes)| Quantity { text: (*text).into(), sizes: sizes.to_vec() }).collect();
    let mut folds = Vec::new();
    for (at, quantity) in quantities.iter().enumerate() {
        folds.extend([Fold::Final(at), Fold::Start(at), Fold::Lowest(at)]);
        if quantity.text.contains("<=") {
            folds.push(Fold::StepsTo(at));
        }
    }
    let (mut designs, mut part) = (Vec::new(), Part { lanes: 1, ..Part::default() });
    for cell in cells {
        let count = cell.rows.first().map_or(1, |rows| rows.len() / quantities[0].len());
        let last = |at: usize| cell.rows[at].chunks(quantities[at].len()).next_back().expect("a row").to_vec();
        part.folded.extend(folds.iter().flat_map(|fold| match *fold {
            Fold::Final(at) => last(at),
            Fold::Start(at) => cell.rows[at][..quantities[at].len()].to_vec(),
            Fold::Lowest(at) => vec![cell.rows[at].iter().copied().fold(f64::NAN, f64::min); quantities[at].len()],
            Fold::StepsTo(at) => vec![cell.rows[at].iter().position(|&x| x != 0.0).map_or(f64::INFINITY, |step| step as f64)],
            _ => unreachable!(),
        }));
        let row = |row: usize| quantities.iter().zip(&cell.rows).flat_map(move |(q, all)| all[row * q.len()..][..q.len()].to_vec());
        let first = part.block.len();
        part.block.extend((0..if cell.rows.is_empty() { 0 } else { count }).flat_map(row));
        part.endings.push(Ending {
            evaluations: None,
            status: cell.status,
            reason: Some(if cell.status == Status::Diverged { "J was inf" } else { "steps" }.into()),
            steps: count as u64 - 1,
            first,
        });
        designs.push(Design {
            unit: 0,
            optimizer: cell.optimizer.into(),
            rule: cell.optimizer.split('(').next().expect("a name").into(),
            loss: "J".into(),
            settings: cell.settings,
            replicate: cell.replicate,
            fold: cell.fold,
        });
    }
    let mut varying: Vec<String> = Vec::new();
    for (at, axis) in axes.iter().enumerate() {
        if designs.iter().any(|cell: &Design| cell.settings[at] != designs[0].settings[at]) {
            varying.push((*axis).into());
        }
    }
    if designs.iter().any(|cell| cell.optimizer != designs[0].optimizer) {
        varying.insert(0, "optimizer".into());
    }
    let replicates = designs.iter().map(|cell| cell.replicate + 1).max().unwrap_or(1);
    let traced = (0..quantities.len()).collect();
    let axes = axes.iter().map(|&axis| axis.into()).collect();
    let units = vec![Counting { every: 1, steps_per_epoch: 1, evaluations_per_step: 1 }];
    let places = Arc::new((0..designs.len()).map(|run| Place { part: 0, run: run as u32 }).collect());
    let (name, designs, parts) = (name.into(), Arc::new(designs), vec![part]);
    SweepResults { name, axes, varying, replicates, quantities, folds, traced, units, designs, parts, places }
}

pub(crate) fn span() -> Span {
    Span::new(FileId(0), 0, 0)
}

/// An expression of leaves.
pub(crate) fn expression(text: &str, leaves: Vec<(Leaf, &[usize])>, build: impl FnOnce(&mut Graph, &[Id]) -> Id) -> Question {
    let mut graph = Graph::new();
    let inputs: Vec<Id> = leaves.iter().map(|(_, sizes)| graph.input("leaf", InputKind::Result, Shape::fixed(sizes))).collect();
    let root = build(&mut graph, &inputs);
    let sizes = optrun::shape::RowCounts::default().sizes(graph.shape(root));
    Question {
        text: text.into(),
        span: span(),
        graph: Arc::new(graph),
        root,
        leaves: leaves.into_iter().map(|leaf| leaf.0).collect(),
        sizes,
        bare: false,
    }
}

pub(crate) fn leaf(text: &str, leaf: Leaf) -> Question {
    expression(text, vec![(leaf, &[])], |_, inputs| inputs[0])
}

pub(crate) fn fold(kind: FoldKind, quantity: &str) -> Leaf {
    Leaf::Fold { fold: kind, quantity: quantity.into(), narrow: None }
}

/// `J`, that is `final(J)`.
pub(crate) fn last(quantity: &str) -> Question {
    leaf(quantity, fold(FoldKind::Final, quantity))
}

pub(crate) fn lasts(quantity: &str, sizes: &[usize]) -> Question {
    expression(quantity, vec![(fold(FoldKind::Final, quantity), sizes)], |_, inputs| inputs[0])
}

pub(crate) fn row(quantity: &str) -> Question {
    leaf(quantity, Leaf::Row { quantity: quantity.into() })
}

pub(crate) fn rows(quantity: &str, sizes: &[usize]) -> Question {
    expression(quantity, vec![(Leaf::Row { quantity: quantity.into() }, sizes)], |_, inputs| inputs[0])
}

pub(crate) fn number(x: f64) -> Question {
    expression(&x.to_string(), Vec::new(), |graph, _| graph.number(x))
}

pub(crate) fn axis(name: &str) -> Key {
    Key::Axis(name.into())
}

pub(crate) fn axes(names: &[&str]) -> Vec<Key> {
    names.iter().map(|name| axis(name)).collect()
}

pub(crate) fn from(sweeps: &[&str]) -> Selection {
    Selection { sweeps: sweeps.iter().map(|&name| name.into()).collect(), conditions: Vec::new(), best: None }
}

pub(crate) fn equals(axis: &str, value: Setting) -> Cond {
    Cond::Equals { axis: axis.into(), value, negated: false }
}

pub(crate) fn is(axis: &str, value: &str) -> Cond {
    equals(axis, Setting::Text(value.into()))
}

pub(crate) fn table(name: &str, selection: Selection, rows: &[&str], columns: &[&str], show: Vec<Key>) -> TableView {
    TableView {
        name: name.into(),
        span: span(),
        caption: String::new(),
        selection,
        rows: axes(rows),
        columns: axes(columns),
        show: show.into_iter().map(|key| (key, None)).collect(),
        format: None,
        sort: None,
        classes: None,
    }
}

pub(crate) fn plot(name: &str, selection: Selection, marks: Vec<MarkView>) -> PlotView {
    PlotView {
        name: name.into(),
        span: span(),
        title: String::new(),
        selection,
        marks,
        color: Vec::new(),
        dash: Vec::new(),
        marker: Vec::new(),
        facet: Vec::new(),
        scales: Vec::new(),
        smooth: None,
        band: None,
        center: None,
        limits: Vec::new(),
        labels: Vec::new(),
        rulers: Vec::new(),
        notes: Vec::new(),
        size: None,
    }
}

pub(crate) fn lines(ys: Vec<Question>, along: Along) -> MarkView {
    MarkView::Series { mark: SeriesMark::Lines, ys, along }
}

pub(crate) fn expect(text: &str, selection: Selection, left: Question, op: Comparison, right: Question) -> ExpectView {
    ExpectView {
        text: text.into(),
        span: span(),
        line: 7,
        selection,
        left,
        op,
        right,
        tolerance: None,
        status: None,
        points: None,
        hint: None,
        hidden: false,
    }
}

pub(crate) fn views() -> Views {
    Views::default()
}

pub(crate) fn results(sweeps: Vec<SweepResults>) -> Results {
    Results { sweeps }
}
