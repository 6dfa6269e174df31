//! Runs a plan: cells in groups of lanes on a pool of threads, recorded as they go.
//!
//! It knows no language and prints nothing.

// pub mod machine;

use std::sync::Arc;
use std::time::Duration;

use ndarray::ArrayD;

use crate::expr::eval::evaluate;
use crate::expr::op::InputId;
use crate::plan::unit::{Cell, Measure, Pace, Plan, SweepPlan, Unit};
use crate::results::{Fold, Results, Run, Status, SweepResults, Trace};

/// Options.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Threads.
    pub threads: Option<usize>,
    /// Time.
    pub time: Option<Duration>,
}

/// Slow reference.
pub fn execute<P>(plan: &Plan, _options: &Options, _progress: P) -> Results {
    Results { sweeps: plan.sweeps.iter().map(sweep).collect() }
}

fn sweep(plan: &SweepPlan) -> SweepResults {
    let runs = plan.cells.iter().enumerate().map(|(id, cell)| one(plan, id, cell)).collect();
    SweepResults {
        name: plan.name.clone(),
        axes: plan.axes.clone(),
        varying: plan.varying.clone(),
        replicates: plan.replicates,
        quantities: plan.quantities.clone(),
        folds: plan.folds.clone(),
        traced: plan.traced.clone(),
        runs,
    }
}

type T = ArrayD<f64>;

fn one(plan: &SweepPlan, id: usize, cell: &Cell) -> Run {
    let unit: &Unit = &plan.units[cell.unit];
    let mut values: Vec<Option<Arc<T>>> = vec![None; unit.graph.inputs().len()];
    for (i, v) in &unit.columns {
        values[i.0 as usize] = Some(v.clone());
    }
    let scalar = |x: f64| Some(Arc::new(ndarray::arr0(x).into_dyn()));
    for (i, x) in unit.lane.iter().zip(&cell.lane) {
        values[i.0 as usize] = scalar(*x);
    }
    if let Some(i) = unit.steps {
        values[i.0 as usize] = scalar(unit.budget as f64);
    }
    let input = |id| unit.graph.as_input(id).expect("input").0 as usize;
    for (p, s) in unit.params.iter().zip(cell.starts.iter()) {
        values[input(p.input)] = Some(Arc::new(s.clone()));
    }
    let ev = |values: &Vec<Option<Arc<T>>>, roots: &[crate::expr::graph::Id]| -> Vec<T> {
        evaluate(&unit.graph, roots, &|i: InputId| values[i.0 as usize].as_ref().map(|v| (**v).clone()), &unit.rows).expect("eval")
    };
    if let Some(i) = unit.step {
        values[i.0 as usize] = scalar(0.0);
    }
    if let Some(i) = unit.epoch {
        values[i.0 as usize] = scalar(0.0);
    }
    let starts = ev(&values, &unit.state_starts);
    for (s, v) in unit.states.iter().zip(starts) {
        values[input(s.input)] = Some(Arc::new(v));
    }
    let mut rows: Vec<(u64, Vec<T>)> = Vec::new();
    let measure = |values: &Vec<Option<Arc<T>>>, stepped: Option<&Vec<Option<Arc<T>>>>| -> Vec<T> {
        unit.quantities
            .iter()
            .zip(&plan.quantities)
            .map(|(m, q)| match (m, stepped) {
                (Measure::Row(id), _) => ev(values, &[*id]).remove(0),
                (Measure::Step(id), Some(before)) => ev(before, &[*id]).remove(0),
                (Measure::Step(_), None) => T::from_elem(ndarray::IxDyn(&q.sizes), f64::NAN),
            })
            .collect()
    };
    rows.push((0, measure(&values, None)));
    let mut status = Status::Done;
    let mut reason = String::new();
    let mut t = 0;
    let every = match plan.pace {
        Pace::Steps(n) => n,
        Pace::Epochs(n) => n * unit.steps_per_epoch,
    };
    while t < unit.budget {
        t += 1;
        if let Some(i) = unit.step {
            values[i.0 as usize] = scalar(t as f64);
        }
        if let Some(i) = unit.epoch {
            values[i.0 as usize] = scalar(((t - 1) / unit.steps_per_epoch + 1) as f64);
        }
        let mut at = values.clone();
        if let Some(b) = &unit.batches {
            let n = unit.rows.0[b.data.0 as usize];
            let k = ((t - 1) % unit.steps_per_epoch) as usize;
            let range = k * b.size..((k + 1) * b.size).min(n);
            for (i, v) in &unit.columns {
                if unit.graph.input_info(*i).shape.0.first() == Some(&crate::shape::Dim::Rows(b.data)) {
                    at[i.0 as usize] = Some(Arc::new(v.select(ndarray::Axis(0), &range.clone().collect::<Vec<_>>())));
                }
            }
            let mut rc = unit.rows.clone();
            rc.0[b.data.0 as usize] = range.len();
            let roots: Vec<_> = unit.params.iter().chain(&unit.states).map(|s| s.next).collect();
            let next = evaluate(&unit.graph, &roots, &|i: InputId| at[i.0 as usize].as_ref().map(|v| (**v).clone()), &rc).expect("eval");
            for (s, v) in unit.params.iter().chain(&unit.states).zip(next) {
                values[input(s.input)] = Some(Arc::new(v));
            }
        } else {
            let roots: Vec<_> = unit.params.iter().chain(&unit.states).map(|s| s.next).collect();
            for (s, v) in unit.params.iter().chain(&unit.states).zip(ev(&at, &roots)) {
                values[input(s.input)] = Some(Arc::new(v));
            }
        }
        if t % unit.steps_per_epoch == 0 {
            let list: Vec<_> = unit.params.iter().chain(&unit.states).filter_map(|s| s.next_epoch.map(|e| (s.input, e))).collect();
            let new = ev(&values, &list.iter().map(|x| x.1).collect::<Vec<_>>());
            for ((s, _), v) in list.iter().zip(new) {
                values[input(*s)] = Some(Arc::new(v));
            }
        }
        let finite = unit.params.iter().all(|p| values[input(p.input)].as_ref().expect("p").iter().all(|x| x.is_finite()));
        if !finite {
            status = Status::Diverged;
            reason = format!("diverged at step {t}");
        }
        if t % every == 0 || t == unit.budget || !finite {
            rows.push((t, measure(&values, Some(&at))));
            if let Some(stop) = &unit.stop {
                let v = match stop {
                    Measure::Row(id) => ev(&values, &[*id]),
                    Measure::Step(id) => ev(&at, &[*id]),
                };
                if v[0].first().is_some_and(|x| *x != 0.0 && !x.is_nan()) && finite {
                    status = Status::Stopped;
                    reason.clone_from(&unit.stop_text);
                    break;
                }
            }
        }
        if !finite {
            break;
        }
    }
    let get = |row: usize, q: usize| rows[row].1[q].iter().copied().collect::<Vec<f64>>();
    let last = rows.len() - 1;
    let series = |q: usize| rows.iter().map(|r| r.1[q].first().copied().unwrap_or(f64::NAN)).collect::<Vec<f64>>();
    let folded = plan
        .folds
        .iter()
        .map(|f| match *f {
            Fold::Final(q) => get(last, q),
            Fold::Start(q) => get(0, q),
            Fold::Lowest(q) => vec![series(q).into_iter().fold(f64::NAN, f64::min)],
            Fold::Highest(q) => vec![series(q).into_iter().fold(f64::NAN, f64::max)],
            Fold::StepsTo(q) => vec![rows.iter().find(|r| r.1[q].first().is_some_and(|x| *x == 1.0)).map_or(f64::INFINITY, |r| r.0 as f64)],
            Fold::AtStep { of, step } => rows.iter().position(|r| r.0 == step).map_or(vec![f64::NAN], |r| get(r, of)),
            _ => vec![f64::NAN],
        })
        .collect();
    Run {
        id,
        optimizer: cell.optimizer.clone(),
        rule: cell.rule.clone(),
        loss: cell.loss.clone(),
        settings: cell.settings.clone(),
        replicate: cell.replicate,
        fold: None,
        status,
        reason,
        steps: t,
        epochs: t / unit.steps_per_epoch.max(1),
        evaluations: t * unit.evaluations_per_step,
        folded,
        trace: Trace {
            steps: rows.iter().map(|r| r.0).collect(),
            epochs: rows.iter().map(|r| r.0 / unit.steps_per_epoch.max(1)).collect(),
            columns: plan.traced.iter().map(|&q| (0..rows.len()).flat_map(|r| get(r, q)).collect()).collect(),
        },
    }
}
