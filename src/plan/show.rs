//! A plan as text: every default, every cell, every convention.
//!
//! It decides nothing.

use serde::Serialize;

use super::unit::{Measure, Order, Pace, Plan, Solve, Unit};
use crate::expr::graph::Id;
use crate::expr::print;
use crate::results::Setting;

#[derive(Serialize)]
struct Shown<'s> {
    optrun: &'static str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    set: &'s [String],
    sweep: Vec<ShownSweep>,
}

#[derive(Serialize)]
struct ShownSweep {
    name: String,
    replicates: usize,
    recorded: String,
    traced: Vec<String>,
    unit: Vec<ShownUnit>,
    cell: Vec<ShownCell>,
}

#[derive(Serialize)]
struct ShownUnit {
    steps: u64,
    steps_per_epoch: u64,
    gradients_per_step: u64,
    batches: String,
    loss: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    solver: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conventions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evaluates: Vec<String>,
    update: Vec<String>,
    states: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    drawn_each_step: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    stop_when: String,
    quantities: Vec<String>,
}

#[derive(Serialize)]
struct ShownCell {
    cell: usize,
    unit: usize,
    optimizer: String,
    loss: String,
    replicate: usize,
    settings: toml::Table,
    numbers: toml::Table,
}

/// What a solver evaluates besides the loss, and its arguments.
fn evaluates(unit: &Unit, solve: &Solve) -> Vec<String> {
    let text = |id: Id| print::infix(&unit.graph, id);
    let by_param = |what: &'static str, list: &[Id]| -> Vec<String> {
        unit.params.iter().zip(list).map(|(slot, &id)| format!("{what} {} = {}", slot.name, text(id))).collect()
    };
    let named = |what: &str, list: &[Id]| -> Vec<String> { list.iter().map(|&id| format!("{what} = {}", text(id))).collect() };
    let products = if solve.residuals.is_empty() { by_param("Hessian times direction, part of", &solve.products) } else { Vec::new() };
    let smooth: Vec<Id> = solve.smooth.into_iter().collect();
    let arguments = solve.numbers.iter().map(|(name, id)| format!("argument {name} = {}", text(*id))).collect();
    let derivative = if smooth.is_empty() { "derivative by" } else { "derivative of the smooth part by" };
    let lists = [
        named("smooth part", &smooth),
        by_param("weight of the absolute values of", &solve.weights),
        by_param(derivative, &solve.grads),
        products,
        named("residuals", &solve.residuals),
        named("residuals, derivative along direction", if solve.residuals.is_empty() { &[] } else { &solve.products }),
        named("residuals, second derivative along direction", &solve.curves),
        arguments,
    ];
    lists.into_iter().flatten().collect()
}

/// The plan as TOML; `set` is what the command line put in place of what the spec says.
#[must_use]
pub fn toml(plan: &Plan, set: &[String]) -> String {
    let sweeps = plan.sweeps.iter().map(|sweep| {
        let unit = sweep.units.iter().map(|unit| {
            let text = |id| print::infix(&unit.graph, id);
            let slot = |s: &super::unit::Slot| {
                let event = s.next_epoch.map(|id| format!("; at the end of an epoch {}", text(id))).unwrap_or_default();
                format!("{} <- {}{event}", s.name, text(s.next))
            };
            ShownUnit {
                steps: unit.budget,
                steps_per_epoch: unit.steps_per_epoch,
                gradients_per_step: unit.evaluations_per_step,
                batches: match &unit.batches {
                    None => "all rows in every step".to_string(),
                    Some(b) => {
                        let legacy = sweep.cells.iter().any(|cell| cell.generator.is_some());
                        let whose = if legacy { "NumPy's generator, seed" } else { "seed" };
                        let order = match &b.order {
                            Order::InOrder => "in order".to_string(),
                            Order::Given(list) => format!("in a given order of {} epochs", list.len()),
                            Order::Shuffled(seed) => format!("shuffled, {whose} {seed}"),
                            Order::Cumulatively(seed) => format!("shuffled cumulatively, {whose} {seed}"),
                            Order::Drawn(seed) => format!("drawn with replacement, {whose} {seed}"),
                        };
                        format!(
                            "{} rows {order}, {}",
                            b.size,
                            if b.drop_last { "the incomplete last batch dropped" } else { "the last batch is what remains" }
                        )
                    }
                },
                loss: text(unit.loss),
                solver: unit.solve.as_ref().map(|solve| solve.solver.name.to_string()).unwrap_or_default(),
                conventions: unit.solve.iter().flat_map(|solve| &solve.words).map(|(name, word)| format!("{name} = {word}")).collect(),
                evaluates: unit.solve.as_ref().map(|solve| evaluates(unit, solve)).unwrap_or_default(),
                update: match &unit.solve {
                    Some(solve) => unit.params.iter().take(solve.moved).map(|s| format!("{} is moved by the solver", s.name)).collect(),
                    None => unit.params.iter().map(slot).collect(),
                },
                states: unit
                    .states
                    .iter()
                    .filter(|_| unit.solve.is_none())
                    .zip(&unit.state_starts)
                    .map(|(s, start)| format!("{}; starts at {}", slot(s), text(*start)))
                    .collect(),
                drawn_each_step: unit
                    .noise
                    .iter()
                    .map(|n| format!("{} ~ {}, seed {}", n.name, if n.normal { "normal(0, 1)" } else { "uniform(0, 1)" }, n.seed))
                    .collect(),
                stop_when: unit.stop_text.clone(),
                quantities: sweep
                    .quantities
                    .iter()
                    .zip(&unit.quantities)
                    .map(|(q, m)| match m {
                        Measure::Row(id) => format!("{} = {}", q.text, text(*id)),
                        Measure::Step(id) => format!("{} = {} (of the step)", q.text, text(*id)),
                    })
                    .collect(),
            }
        });
        let cell = sweep.planned().enumerate().map(|(id, (unit, design, cell))| {
            let settings = sweep.axes.iter().zip(&design.settings).filter_map(|(name, value)| {
                let value = match value {
                    Setting::Blank => return None,
                    Setting::Number(x) => toml::Value::Float(*x),
                    Setting::Text(text) => toml::Value::String(text.clone()),
                };
                Some((name.clone(), value))
            });
            let numbers =
                unit.lane.iter().zip(&cell.lane).map(|(input, x)| (unit.graph.input_info(*input).name.clone(), toml::Value::Float(*x)));
            ShownCell {
                cell: id,
                unit: design.unit,
                optimizer: design.optimizer.to_string(),
                loss: design.loss.to_string(),
                replicate: design.replicate,
                settings: settings.collect(),
                numbers: numbers.collect(),
            }
        });
        ShownSweep {
            name: sweep.name.clone(),
            replicates: sweep.replicates,
            recorded: match sweep.pace {
                Pace::Steps(1) => "each step".to_string(),
                Pace::Steps(n) => format!("each {n} steps"),
                Pace::Epochs(1) => "each epoch".to_string(),
                Pace::Epochs(n) => format!("each {n} epochs"),
            },
            traced: sweep.traced.iter().map(|&at| sweep.quantities[at].text.clone()).collect(),
            unit: unit.collect(),
            cell: cell.collect(),
        }
    });
    let shown = Shown { optrun: env!("CARGO_PKG_VERSION"), set, sweep: sweeps.collect() };
    toml::to_string_pretty(&shown).unwrap_or_else(|error| format!("# internal: {error}\n"))
}
