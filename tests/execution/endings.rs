//! How runs end, what is folded over them, and limits.

use std::time::Duration;

use optrun::compile::tape::Lanes;
use optrun::expr::op::{Binary, Unary};
use optrun::plan::unit::{Measure, Pace, SweepPlan};
use optrun::results::{Fold, Results, Status};
use optrun::run::{Options, Refusal, Silent, execute};

use crate::support::{Shorthand, bowl, descend, plan, slow, sweep};
use crate::{all_bits, bits, bowl_sweep, close, logistic_sweep, run};

/// `w <- w - lr*w^3` on `w^4/4`, with a logarithm of the parameter recorded: rates from harmless to diverging.
fn quartic(budget: u64) -> SweepPlan {
    let mut model = bowl();
    let graph = &mut model.graph;
    let (w1, w2) = (model.params[0].1, model.params[1].1);
    let (a, b) = (graph.unary(Unary::Square, w1), graph.unary(Unary::Square, w2));
    let (a, b) = (graph.unary(Unary::Square, a), graph.unary(Unary::Square, b));
    model.loss = graph.add_(a, b);
    let starts = model.starts.clone();
    let (mut unit, gradients, numbers) = model.unit(&["lr"], budget);
    descend(&mut unit, &gradients, numbers[0]);
    let quantities = [("loss", Measure::Row(unit.loss)), ("w1", Measure::Row(unit.params[0].input))];
    let rates: Vec<[f64; 1]> = [1e-3, 1.0, 2e-3, 3e-3, 10.0, 4e-3, 5e-3].iter().map(|&rate| [rate]).collect();
    let lanes: Vec<&[f64]> = rates.iter().map(|rate| &rate[..]).collect();
    sweep(unit, &quantities, &starts, &lanes)
}

#[test]
fn a_diverging_cell_ends_with_its_row_and_disturbs_nobody() {
    let sweep = quartic(30);
    let together = run(&sweep, &Options::default());
    let alone = run(&sweep, &Options { lanes: Some(Lanes::One), ..Options::default() });
    assert_eq!(all_bits(&together), all_bits(&alone));
    for (cell, run) in together.iter().enumerate() {
        let expected = slow(&sweep, cell);
        let rows = run.trace.steps.len();
        assert_eq!(bits(&run.trace.columns[0]), bits(&expected[0][..rows]), "cell {cell}");
        if [1, 4].contains(&cell) {
            assert_eq!(run.status, Status::Diverged);
            // The step: the first whose loss, or whose next parameter, is not finite.
            let first = (1..=30).find(|&k: &usize| !expected[0][k - 1].is_finite() || !expected[1][k].is_finite()).unwrap();
            assert_eq!((run.steps as usize, rows), (first, first + 1));
            assert!(run.reason.contains("w1"), "{}", run.reason);
        } else {
            assert_eq!((run.status, run.steps, run.reason.as_str()), (Status::Done, 30, ""));
        }
    }
}

#[test]
fn a_run_stops_at_the_first_row_that_says_so() {
    // gd at rate 0.4 halves w2 and more each step: the bowl falls below 0.5 somewhere; tested each step and every third.
    for (pace, every) in [(Pace::Steps(1), 1), (Pace::Steps(3), 3)] {
        let mut sweep = bowl_sweep(&[&[0.4, 0.0], &[0.6, 0.5]]);
        let unit = &mut sweep.units[0];
        let half = unit.graph.number(0.5);
        unit.stop = Some(Measure::Row(unit.graph.binary(Binary::Lt, unit.loss, half)));
        unit.stop_text = "bowl < 0.5".into();
        sweep.pace = pace;
        sweep.folds = vec![Fold::Final(2), Fold::Start(2), Fold::Count(2), Fold::Previous(2)];
        for (cell, run) in run(&sweep, &Options::default()).iter().enumerate() {
            let bowl = &slow(&sweep, cell)[2];
            let first = (0..=20).step_by(every).find(|&k| bowl[k] < 0.5).unwrap();
            assert_eq!((run.status, run.reason.as_str(), run.steps as usize), (Status::Stopped, "bowl < 0.5", first));
            assert_eq!(run.folded, [vec![bowl[first]], vec![bowl[0]], vec![(first / every + 1) as f64], vec![bowl[first - every]]]);
        }
    }
}

#[test]
fn folds_say_what_the_trace_shows() {
    let mut sweep = bowl_sweep(&[&[0.4, 0.0], &[0.6, 0.5], &[0.6, 0.0]]);
    let unit = &mut sweep.units[0];
    let limit = unit.graph.number(3.0);
    let below = unit.graph.binary(Binary::Lt, unit.loss, limit);
    unit.quantities.push(Measure::Row(below));
    sweep.quantities.push(optrun::results::Quantity { text: "bowl < 3".into(), sizes: vec![] });
    sweep.traced.push(3);
    sweep.folds = vec![
        Fold::Lowest(2),
        Fold::Highest(1),
        Fold::Average { of: 2, last: 4 },
        Fold::AtStep { of: 0, step: 7 },
        Fold::AtStep { of: 0, step: 21 },
        Fold::AtLowest { what: 0, of: 2 },
        Fold::StepsTo(3),
        Fold::Count(3),
        Fold::SinceLowest(2),
    ];
    for run in run(&sweep, &Options::default()) {
        let [w1, w2, bowl, below] = &run.trace.columns[..] else { panic!() };
        let lowest = (0..21).fold(0, |best, k| if bowl[k] < bowl[best] { k } else { best });
        let highest = w2.iter().copied().fold(f64::MIN, f64::max);
        let first = below.iter().position(|&x| x == 1.0).map_or(f64::INFINITY, |k| k as f64);
        let count = below.iter().sum::<f64>();
        let found: Vec<f64> = run.folded.iter().map(|value| value[0]).collect();
        assert_eq!(found[..2], [bowl[lowest], highest]);
        close(found[2], bowl[17..].iter().sum::<f64>() / 4.0, 1e-15);
        assert_eq!(found[3], w1[7]);
        assert!(found[4].is_nan());
        assert_eq!(found[5..], [w1[lowest], first, count, (20 - lowest) as f64]);
    }
    // A value at a step that the pace passes over, and at the start and end without any trace.
    sweep.pace = Pace::Steps(5);
    sweep.traced.clear();
    sweep.folds = vec![Fold::AtStep { of: 0, step: 7 }, Fold::Start(2), Fold::Final(2)];
    let run = &run(&sweep, &Options::default())[0];
    let expected = slow(&sweep, 0);
    assert_eq!(run.folded, [vec![expected[0][7]], vec![expected[2][0]], vec![expected[2][20]]]);
    assert_eq!(run.trace, crate::Rows::default());
}

#[test]
fn limits_cut_or_refuse() {
    let endless = logistic_sweep(&[1e-5; 3], 1 << 40);
    let mut endless = SweepPlan { traced: Vec::new(), ..endless };
    endless.folds = vec![Fold::Final(0)];
    let options = Options { max_time: Some(Duration::from_millis(60)), threads: 2, ..Options::default() };
    let begun = std::time::Instant::now();
    for run in run(&endless, &options) {
        assert_eq!(run.status, Status::Cut);
        assert!(run.folded[0][0].is_finite());
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    let large = logistic_sweep(&[1e-5; 3], 1_000_000);
    let refused = execute(&plan(large), &Options { max_memory: Some(1 << 20), ..Options::default() }, &Silent);
    // Three cells, a million rows of 11 numbers and two counts.
    let Err(Refusal::Memory { needed, limit }) = refused else { panic!("it ran") };
    assert!(needed > 3 * 1_000_000 * 11 * 8 && limit == 1 << 20);
    assert_eq!(execute(&optrun::plan::unit::Plan { sweeps: Vec::new() }, &Options::default(), &Silent), Ok(Results::default()));
}
