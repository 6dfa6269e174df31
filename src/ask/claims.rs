//! Claims: proved by normal forms, refuted by a point at which the sides differ, or open.
//!
//! Refuting comes first: what differs at a point is never called proved.

use std::collections::BTreeMap;

use super::dense::{Array, Bounded, Number, evaluate};
use super::optimizers;
use crate::check::Program;
use crate::check::claim::{ClaimSpec, Claimed};
use crate::check::draw;
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::normal::{Facts, Normal};
use crate::expr::op::InputId;
use crate::expr::print::number;
use crate::numeric::random::Stream;
use crate::shape::RowCounts;
use crate::source::Span;

/// How a claim turned out.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimResult {
    /// As written.
    pub text: String,
    /// Where.
    pub span: Span,
    /// Its line, from 1.
    pub line: usize,
    /// What was found.
    pub verdict: Verdict,
    /// Points it is worth.
    pub points: Option<f64>,
    /// What to say when it is not proved.
    pub hint: Option<String>,
    /// Whether numbers may not be shown.
    pub hidden: bool,
    /// Whether an open claim is no failure.
    pub allow_open: bool,
}

/// What is known of a claim.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Both sides have the same normal form; the facts of the data that were needed, in words.
    Proved(String),
    /// They differ; where and by how much, in words.
    Refuted(String),
    /// Neither; at how many points they were the same.
    Open(String),
}

impl Verdict {
    /// As programs read it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Proved(_) => "proved",
            Verdict::Refuted(_) => "refuted",
            Verdict::Open(_) => "open",
        }
    }
}

impl ClaimResult {
    /// Whether it is worth its points.
    #[must_use]
    pub fn passed(&self) -> bool {
        matches!(self.verdict, Verdict::Proved(_))
    }
}

/// The points at which an open claim has held.
const POINTS: usize = 1000;

/// The most work of the trials, in numbers.
const TRIAL_WORK: usize = 30_000_000;

/// The points that are tried before a proof.
const FIRST: usize = 12;

/// The relative difference that two numbers may have beside their errors: what was put together while the file was checked was rounded.
const DIFFERENT: f64 = 1e-14;

/// Judges all claims of a program.
#[must_use]
pub fn claims(program: &Program) -> Vec<ClaimResult> {
    program.asked.claims.iter().map(|claim| judge(program, claim)).collect()
}

fn judge(program: &Program, claim: &ClaimSpec) -> ClaimResult {
    let verdict = match &claim.what {
        Claimed::Values(left, right) => values(program, *left, *right),
        Claimed::Rules(two) => optimizers::judge(two),
    };
    ClaimResult {
        text: claim.text.clone(),
        span: claim.span,
        line: claim.line,
        verdict,
        points: claim.points,
        hint: claim.hint.clone(),
        hidden: claim.hidden,
        allow_open: claim.allow_open,
    }
}

fn values(program: &Program, left: Id, right: Id) -> Verdict {
    let model = &program.asked.model;
    let graph = &model.graph;
    let facts = facts(program, &[left, right]);
    let trial = Trial::of(program, left, right);
    // A few points, then the proof, and many points only for what is neither.
    let points = TRIAL_WORK / super::work(&model.rows, graph, &[left, right]);
    let few = points.clamp(2, FIRST);
    let first = match trial.search(0..few) {
        Ok(points) => points,
        Err(found) => return Verdict::Refuted(found),
    };
    let mut normal = Normal::new(graph, &facts);
    if normal.same(left, right) {
        let said: Vec<String> = normal.used.iter().map(|input| said_of(graph, &facts, *input)).collect();
        return Verdict::Proved(said.join(", "));
    }
    match trial.search(few..points.clamp(20, POINTS)) {
        Ok(points) if points + first == 0 => Verdict::Open("the two sides have no value at any point that was tried".to_string()),
        Ok(points) => Verdict::Open(format!("holds at {} points, not proved", super::grouped(points + first))),
        Err(found) => Verdict::Refuted(found),
    }
}

fn said_of(graph: &Graph, facts: &Facts, input: InputId) -> String {
    let name = &graph.input_info(input).name;
    match facts.onehots.get(&input).copied().flatten() {
        Some(column) => format!("in the data, `{name}` is `onehot({}, ..)`", graph.input_info(column).name),
        None => format!("in the data, every row of `{name}` has one 1"),
    }
}

/// Which matrices of the data have one 1 in each row, and which column says where.
fn facts(program: &Program, roots: &[Id]) -> Facts {
    let model = &program.asked.model;
    let graph = &model.graph;
    let mut facts = Facts::default();
    // In all rows, whichever of them are for training.
    let all = |input: InputId| model.whole.get(&input).or_else(|| model.known.get(&input));
    let columns: Vec<InputId> = (0..graph.inputs().len() as u32)
        .map(InputId)
        .filter(|&i| matches!(graph.input_info(i).kind, InputKind::Column(_)) && graph.input_info(i).shape.rank() == 1)
        .collect();
    for id in graph.reachable(roots) {
        let Some(input) = graph.as_input(id) else { continue };
        let info = graph.input_info(input);
        let Some(values) = all(input).filter(|v| v.ndim() == 2 && matches!(info.kind, InputKind::Column(_))) else { continue };
        let rows: Option<Vec<usize>> = values
            .outer_iter()
            .map(|row| {
                let ones: Vec<usize> = row.iter().enumerate().filter(|(_, x)| **x == 1.0).map(|(k, _)| k).collect();
                (ones.len() == 1 && row.iter().all(|x| *x == 0.0 || *x == 1.0)).then(|| ones[0])
            })
            .collect();
        let Some(rows) = rows.filter(|r| !r.is_empty() && values.shape()[1] > 1) else { continue };
        let says = |&column: &InputId| {
            graph.input_info(column).kind == info.kind
                && all(column).is_some_and(|c| c.len() == rows.len() && c.iter().zip(&rows).all(|(x, &k)| *x == k as f64))
        };
        facts.onehots.insert(input, columns.iter().copied().find(says));
    }
    facts
}

/// Random points at which both sides are computed with twice the digits.
struct Trial<'p> {
    program: &'p Program,
    roots: [Id; 2],
    /// What is drawn: parameters from their starts, hypers.
    drawn: Vec<(InputId, String, Vec<usize>, Vec<f64>)>,
    fixed: BTreeMap<InputId, Array<Bounded>>,
    rows: RowCounts,
}

impl<'p> Trial<'p> {
    fn of(program: &'p Program, left: Id, right: Id) -> Self {
        let model = &program.asked.model;
        let graph = &model.graph;
        let mut drawn = Vec::new();
        let mut fixed = BTreeMap::new();
        let starts = draw::usual_starts(program, model).unwrap_or_default();
        for id in graph.reachable(&[left, right]) {
            let Some(input) = graph.as_input(id) else { continue };
            let info = graph.input_info(input);
            let known = model.known.get(&input);
            match info.kind {
                InputKind::Param => {
                    let start = starts.iter().find(|(known, _)| *known == input).map(|(_, start)| start);
                    let sizes = model.rows.sizes(&info.shape);
                    let count = sizes.iter().product();
                    let values = start.map_or(vec![0.0; count], |s| s.iter().copied().collect());
                    drawn.push((input, info.name.clone(), sizes, values));
                }
                InputKind::Hyper => {
                    let usual = known.and_then(|v| v.first().copied()).unwrap_or(1.0);
                    drawn.push((input, info.name.clone(), Vec::new(), vec![usual]));
                }
                _ => {
                    if let Some(values) = known {
                        let array = Array { sizes: values.shape().to_vec(), values: values.iter().map(|&x| Bounded::of(x)).collect() };
                        fixed.insert(input, array);
                    }
                }
            }
        }
        Trial { program, roots: [left, right], drawn, fixed, rows: model.rows.clone() }
    }

    /// The numbers drawn at a point; the first is where the parameters start.
    fn point(&self, number: usize) -> BTreeMap<InputId, Vec<f64>> {
        let graph = &self.program.asked.model.graph;
        let mut list = BTreeMap::new();
        for (input, name, _, usual) in &self.drawn {
            let mut stream = Stream::new(0, "claim", name, &[number as u64]);
            let hyper = graph.input_info(*input).kind == InputKind::Hyper;
            // Near and far, of both signs; a hyper keeps its sign, and its value at the first points.
            let spread = [1.0, 0.1, 1.0, 3.0, 0.5][number % 5];
            let value = |x: &f64, stream: &mut Stream| match (hyper, number) {
                (_, 0) | (true, 1..=3) => *x,
                (true, _) if *x == 0.0 => stream.uniform(),
                (true, _) => x * stream.uniform_between(0.5, 1.5),
                (false, _) if number % 3 == 2 => stream.normal_with(0.0, spread).abs(),
                (false, _) => x * f64::from(u8::from(number.is_multiple_of(2))) + stream.normal_with(0.0, spread),
            };
            // Six digits are enough to be a point, and can be read.
            let round = |x: f64| format!("{x:.5e}").parse().unwrap_or(x);
            list.insert(*input, usual.iter().map(|x| round(value(x, &mut stream))).collect());
        }
        list
    }

    /// The number of points at which both sides have values, all of them the same; or where they differ.
    fn search(&self, points: std::ops::Range<usize>) -> Result<usize, String> {
        let mut seen = 0;
        for at in points {
            let point = self.point(at);
            match self.compare(&point) {
                Some(None) => seen += 1,
                Some(Some(found)) => return Err(found),
                None => {}
            }
            if self.drawn.is_empty() {
                break;
            }
        }
        Ok(seen)
    }

    /// `None` when a side has no values there; the difference in words, if there is one.
    #[allow(clippy::option_option, reason = "no value and no difference are different")]
    fn compare(&self, point: &BTreeMap<InputId, Vec<f64>>) -> Option<Option<String>> {
        let graph = &self.program.asked.model.graph;
        let inputs = |input: InputId| {
            if let Some(values) = point.get(&input) {
                let sizes = self.rows.sizes(&graph.input_info(input).shape);
                return Some(Array { sizes, values: values.iter().map(|&x| Bounded::of(x)).collect() });
            }
            self.fixed.get(&input).cloned()
        };
        let [left, right]: [Array<Bounded>; 2] = evaluate(graph, &self.roots, &inputs, &self.rows)?.try_into().ok()?;
        let pairs: Vec<(Bounded, Bounded)> = left.values.iter().copied().zip(right.values.iter().copied()).collect();
        let known = |x: Bounded| x.real().is_finite() && x.error.is_finite();
        let usable: Vec<usize> = (0..pairs.len()).filter(|&i| known(pairs[i].0) && known(pairs[i].1)).collect();
        if usable.is_empty() && !pairs.is_empty() {
            return None;
        }
        let off = |i: usize| pairs[i].0.sub(pairs[i].1).real().abs();
        let bound = |i: usize| 10.0 * (pairs[i].0.error + pairs[i].1.error) + DIFFERENT * pairs[i].0.real().abs();
        let worst = usable.into_iter().filter(|&i| off(i) > bound(i)).max_by(|&a, &b| off(a).total_cmp(&off(b)));
        let Some(worst) = worst else { return Some(None) };
        let (a, b) = (pairs[worst].0.real(), pairs[worst].1.real());
        let place = element(worst, &left.sizes);
        let there = self.shown(point);
        let ratio = if b == 0.0 { String::new() } else { ratio(a / b) };
        Some(Some(format!("{there}: the left side{place} is {}, the right side {}{ratio}", short(a), short(b))))
    }

    /// A point in words: what was drawn, long arrays in part.
    fn shown(&self, point: &BTreeMap<InputId, Vec<f64>>) -> String {
        if self.drawn.is_empty() {
            return "without any parameter".to_string();
        }
        let parts: Vec<String> = self
            .drawn
            .iter()
            .map(|(input, name, sizes, _)| {
                let values = &point[input];
                if sizes.is_empty() {
                    return format!("{name} = {}", number(values[0]));
                }
                if values.iter().all(|x| *x == values[0]) {
                    return format!("all of {name} = {}", number(values[0]));
                }
                let first: Vec<String> = values.iter().take(4).map(|&x| number(x)).collect();
                let more = if values.len() > 4 { ", .." } else { "" };
                format!("{name} = [{}{more}]", first.join(", "))
            })
            .collect();
        format!("at {}", parts.join(", "))
    }
}

/// `[2, 0]` of an element, nothing for a number.
pub(super) fn element(flat: usize, sizes: &[usize]) -> String {
    if sizes.is_empty() {
        return String::new();
    }
    let mut rest = flat;
    let mut place = vec![0; sizes.len()];
    for axis in (0..sizes.len()).rev() {
        place[axis] = rest % sizes[axis];
        rest /= sizes[axis];
    }
    let list: Vec<String> = place.iter().map(ToString::to_string).collect();
    format!(" at [{}]", list.join(", "))
}

/// Twelve digits.
pub(super) fn short(x: f64) -> String {
    number(format!("{x:.11e}").parse().unwrap_or(x))
}

/// A factor between the sides that says what is wrong.
fn ratio(q: f64) -> String {
    let near = |x: f64| (q - x).abs() <= 1e-9 * x.abs();
    if near(-1.0) {
        return ": the sign is wrong".to_string();
    }
    let whole = (2..=100_000).map(f64::from).find(|&n| near(n) || near(1.0 / n) || near(-n) || near(-1.0 / n));
    match whole {
        Some(n) if near(n) || near(-n) => format!(": the left side is {}{} times the right", if q < 0.0 { "-" } else { "" }, number(n)),
        Some(n) => format!(": the right side is {}{} times the left", if q < 0.0 { "-" } else { "" }, number(n)),
        None => String::new(),
    }
}
