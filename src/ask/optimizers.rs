//! Claims about update rules: do two of them move alike for every sequence of gradients?
//!
//! Proved by a correspondence of their states that every step keeps; refuted by a sequence at which they part.

use std::collections::BTreeMap;

use ndarray::ArrayD;

use super::claims::{Verdict, element, short};
use crate::check::claim::TwoRules;
use crate::check::rule::{RuleGraph, StateSlot};
use crate::expr::eval;
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::normal::{Facts, Normal};
use crate::expr::op::{Binary, InputId};
use crate::expr::print::number;
use crate::numeric::random::Stream;
use crate::shape::RowCounts;

/// The sequences of gradients that are tried, and their length.
const TRIALS: u64 = 60;
const STEPS: usize = 25;
/// Steps in an epoch of the trials.
const EPOCH: usize = 5;

/// The most correspondences of states that are tried.
const MOST_PAIRINGS: usize = 200;

pub(super) fn judge(two: &TwoRules) -> Verdict {
    let mut tried = 0;
    for trial in 0..TRIALS {
        match follow(two, trial) {
            Some(Some(found)) => return Verdict::Refuted(found),
            Some(None) => tried += 1,
            None => {}
        }
    }
    if !two.looks && correspond(two) {
        return Verdict::Proved(String::new());
    }
    Verdict::Open(format!("they move alike in {tried} sequences of {STEPS} gradients, not proved"))
}

/// One rule along a sequence of gradients.
struct Walk<'t> {
    two: &'t TwoRules,
    rule: &'t RuleGraph,
    params: Vec<ArrayD<f64>>,
    states: Vec<ArrayD<f64>>,
}

impl Walk<'_> {
    fn values(&self, roots: &[Id], others: &BTreeMap<InputId, f64>, grads: &[ArrayD<f64>]) -> Option<Vec<ArrayD<f64>>> {
        let graph = &self.two.model.graph;
        let inputs = |input: InputId| {
            if let Some(x) = others.get(&input) {
                return Some(ndarray::arr0(*x).into_dyn());
            }
            for (place, (_, param)) in self.two.params.iter().enumerate() {
                if graph.as_input(*param) == Some(input) {
                    return self.params.get(place).cloned();
                }
            }
            for (place, slot) in self.rule.states.iter().enumerate() {
                if graph.as_input(slot.input) == Some(input) {
                    return self.states.get(place).cloned();
                }
            }
            let name = &graph.input_info(input).name;
            let place = self.two.params.iter().position(|(p, _)| *name == format!("gradient of {p}"))?;
            grads.get(place).cloned()
        };
        eval::evaluate(graph, roots, &inputs, &RowCounts::default()).ok()
    }
}

/// Both rules along one sequence: `None` when it has no finite values, else where they part.
#[allow(clippy::option_option, reason = "no value and no difference are different")]
fn follow(two: &TwoRules, trial: u64) -> Option<Option<String>> {
    let graph = &two.model.graph;
    let mut stream = Stream::new(0, "claim", "gradients", &[trial]);
    let mut others: BTreeMap<InputId, f64> = BTreeMap::new();
    for (_, input, usual) in &two.args {
        let value = match usual {
            Some(x) if trial < 10 => *x,
            Some(x) => x * stream.uniform_between(0.8, 1.0),
            None => stream.uniform_between(0.05, 0.95),
        };
        others.insert(*input, round(value));
    }
    let draw = |stream: &mut Stream, size: f64| -> Vec<ArrayD<f64>> {
        let one = |(_, id): &(String, Id)| {
            let sizes = RowCounts::default().sizes(graph.shape(*id));
            ArrayD::from_shape_fn(sizes, |_| round(stream.normal_with(0.0, size)))
        };
        two.params.iter().map(one).collect()
    };
    let start = draw(&mut stream, 2.0);
    let gradients: Vec<Vec<ArrayD<f64>>> = (0..STEPS).map(|_| draw(&mut stream, [1.0, 10.0, 0.01][trial as usize % 3])).collect();
    let mut walks: Vec<Walk<'_>> = two.rules.iter().map(|rule| Walk { two, rule, params: start.clone(), states: Vec::new() }).collect();
    let counter = |others: &mut BTreeMap<InputId, f64>, at: usize| {
        let numbers = [at as f64 + 1.0, (at / EPOCH) as f64 + 1.0, STEPS as f64];
        for ((_, id), x) in two.counters.iter().zip(numbers) {
            others.extend(graph.as_input(*id).map(|input| (input, x)));
        }
    };
    counter(&mut others, 0);
    for walk in &mut walks {
        let starts: Vec<Id> = walk.rule.states.iter().map(|s| s.start).collect();
        walk.states = walk.values(&starts, &others, &gradients[0])?;
    }
    for (at, grads) in gradients.iter().enumerate() {
        counter(&mut others, at);
        for walk in &mut walks {
            let states = walk.rule.states.len();
            let roots: Vec<Id> = walk.rule.states.iter().map(|s| s.next).chain(walk.rule.params.iter().copied()).collect();
            let mut values = walk.values(&roots, &others, grads)?;
            let params = values.split_off(states);
            (walk.states, walk.params) = (values, params);
            if (at + 1) % EPOCH == 0 {
                let states = walk.rule.states.len();
                let of_params = walk.rule.params_epoch.iter().zip(&two.params).map(|(after, (_, id))| after.unwrap_or(*id));
                let roots: Vec<Id> = walk.rule.states.iter().map(|s| s.next_epoch.unwrap_or(s.input)).chain(of_params).collect();
                let mut values = walk.values(&roots, &others, grads)?;
                let params = values.split_off(states);
                (walk.states, walk.params) = (values, params);
            }
        }
        for (place, _) in two.params.iter().enumerate() {
            let (a, b) = (&walks[0].params[place], &walks[1].params[place]);
            if !a.iter().chain(b.iter()).all(|x| x.is_finite()) {
                return if at == 0 { None } else { Some(None) };
            }
            let worst =
                (0..a.len()).map(|i| (i, at_flat(a, i), at_flat(b, i))).max_by(|x, y| (x.1 - x.2).abs().total_cmp(&(y.1 - y.2).abs()));
            let Some((element_at, x, y)) = worst else { continue };
            // What has been walked so far is the scale of rounding.
            let scale = x.abs().max(y.abs()).max(at_flat(&start[place], element_at).abs()).max(1e-6);
            if (x - y).abs() > 1e-9 * scale {
                let shape = a.shape();
                let slot = if shape.is_empty() { String::new() } else { element(element_at, shape).replace(" at ", "") };
                let numbers: Vec<String> = two
                    .args
                    .iter()
                    .filter(|(n, ..)| n != "loss")
                    .filter_map(|(n, i, _)| Some(format!("{n} = {}", short(*others.get(i)?))))
                    .collect();
                let with = if numbers.is_empty() { String::new() } else { format!(" with {}", numbers.join(", ")) };
                let seen: Vec<String> = gradients[..=at.min(2)].iter().map(|g| number(at_flat(&g[place], element_at))).collect();
                let dots = if at > 2 { ", .." } else { "" };
                let from = number(at_flat(&start[place], element_at));
                return Some(Some(format!(
                    "after {} of the gradients {}{dots} a parameter{slot} that started at {from} is {} by the first rule and {} by the second{with}",
                    at + 1,
                    seen.join(", "),
                    short(x),
                    short(y)
                )));
            }
        }
    }
    Some(None)
}

fn at_flat(a: &ArrayD<f64>, i: usize) -> f64 {
    a.iter().nth(i).copied().unwrap_or(f64::NAN)
}

fn round(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

/// What a state of the second rule is, in terms of one of the first: its name there, and whether it is scaled as after the first step.
type Pair = Option<(String, bool)>;

/// Whether there is a correspondence of states that every step keeps.
fn correspond(two: &TwoRules) -> bool {
    let mut graph = two.model.graph.clone();
    let names = |rule: &RuleGraph| {
        let mut list: Vec<(String, bool)> = Vec::new();
        for slot in &rule.states {
            let one = (key(slot), slot.shared);
            if !list.contains(&one) {
                list.push(one);
            }
        }
        list
    };
    let (first, second) = (names(&two.rules[0]), names(&two.rules[1]));
    let mut pairings: Vec<BTreeMap<String, Pair>> = vec![BTreeMap::new()];
    for (name, shared) in &second {
        let mut options: Vec<Pair> = Vec::new();
        // The same name first: most rules differ little.
        let mut candidates: Vec<&(String, bool)> = first.iter().filter(|(_, s)| s == shared).collect();
        candidates.sort_by_key(|(n, _)| n != name);
        for (candidate, _) in candidates {
            options.extend([Some((candidate.clone(), false)), Some((candidate.clone(), true))]);
        }
        options.push(None);
        pairings = pairings
            .iter()
            .flat_map(|before| {
                options.iter().map(|option| {
                    let mut one = before.clone();
                    one.insert(name.clone(), option.clone());
                    one
                })
            })
            .take(MOST_PAIRINGS)
            .collect();
    }
    pairings.iter().any(|pairing| keeps(two, &mut graph, pairing))
}

fn key(slot: &StateSlot) -> String {
    slot.own.1.clone()
}

/// Whether equal starts and corresponding states give the same moves and corresponding states again.
fn keeps(two: &TwoRules, graph: &mut Graph, pairing: &BTreeMap<String, Pair>) -> bool {
    let [first, second] = &two.rules;
    // Counted within each name, for there is one state per parameter.
    let nth = |rule: &RuleGraph, name: &str, n: usize| rule.states.iter().filter(|s| key(s) == name).nth(n).cloned();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut with: Vec<(Id, Id)> = Vec::new();
    let mut goals: Vec<(Id, Id)> = Vec::new();
    let mut after: Vec<(StateSlot, StateSlot, Option<Id>)> = Vec::new();
    for slot in &second.states {
        let n = *seen.entry(key(slot)).and_modify(|n| *n += 1).or_insert(0);
        let Some(Some((name, scaled))) = pairing.get(&key(slot)) else { continue };
        let Some(theirs) = nth(first, name, n) else { return false };
        if graph.shape(theirs.input) != graph.shape(slot.input) {
            return false;
        }
        let factor = if *scaled { first_ratio(graph, first, &theirs, second, slot) } else { None };
        if *scaled && factor.is_none() {
            return false;
        }
        let before = factor.map(|f| a_step_earlier(two, graph, f));
        let corresponding = scaled_by(graph, theirs.input, before);
        with.push((slot.input, corresponding));
        let start = scaled_by(graph, theirs.start, before);
        goals.push((slot.start, start));
        after.push((theirs, slot.clone(), factor));
    }
    for (theirs, slot, factor) in &after {
        let step = scaled_by(graph, theirs.next, *factor);
        let image = graph.substitute(&[slot.next], &with)[0];
        goals.push((image, step));
        // At the end of an epoch, states are those after its last step.
        let event = theirs.next_epoch.unwrap_or(theirs.input);
        let event = scaled_by(graph, event, *factor);
        let own: Vec<(Id, Id)> = after.iter().map(|(t, s, f)| (s.input, scaled_by(graph, t.input, *f))).collect();
        let image = graph.substitute(&[slot.next_epoch.unwrap_or(slot.input)], &own)[0];
        goals.push((image, event));
    }
    let own: Vec<(Id, Id)> = after.iter().map(|(t, s, f)| (s.input, scaled_by(graph, t.input, *f))).collect();
    for (place, (_, param)) in two.params.iter().enumerate() {
        goals.push((graph.substitute(&[second.params[place]], &with)[0], first.params[place]));
        let (a, b) = (first.params_epoch[place].unwrap_or(*param), second.params_epoch[place].unwrap_or(*param));
        goals.push((graph.substitute(&[b], &own)[0], a));
        goals.push((graph.substitute(&[second.report[place]], &own)[0], first.report[place]));
    }
    let facts = Facts::default();
    let mut normal = Normal::new(graph, &facts);
    goals.iter().all(|(a, b)| a == b || normal.same(*a, *b))
}

fn scaled_by(graph: &mut Graph, value: Id, factor: Option<Id>) -> Id {
    factor.map_or(value, |f| graph.binary(Binary::Mul, f, value))
}

/// How the state of the second rule is to that of the first after one step from the start, when that is the same for every gradient.
fn first_ratio(graph: &mut Graph, first: &RuleGraph, theirs: &StateSlot, second: &RuleGraph, slot: &StateSlot) -> Option<Id> {
    let starts = |rule: &RuleGraph| rule.states.iter().map(|s| (s.input, s.start)).collect::<Vec<_>>();
    let a = graph.substitute(&[theirs.next], &starts(first))[0];
    let b = graph.substitute(&[slot.next], &starts(second))[0];
    let ratio = graph.binary(Binary::Div, b, a);
    let facts = Facts::default();
    let free = {
        let mut normal = Normal::new(graph, &facts);
        let form = normal.form(ratio)?;
        let changing = |input: InputId| matches!(graph.input_info(input).kind, InputKind::State | InputKind::Param | InputKind::Shared);
        !form.inputs().into_iter().any(changing)
    };
    free.then_some(ratio)
}

/// A factor as it was a step before.
fn a_step_earlier(two: &TwoRules, graph: &mut Graph, factor: Id) -> Id {
    let t = two.counters[0].1;
    let one = graph.number(1.0);
    let before = graph.binary(Binary::Sub, t, one);
    graph.substitute(&[factor], &[(t, before)])[0]
}
