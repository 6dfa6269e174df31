//! Whole runs: against the seeds' numbers, against the slow evaluator bit by bit, and against themselves in other arrangements.

mod support;

use std::sync::Arc;
use std::time::Duration;

use optrun::compile::tape::Lanes;
use optrun::expr::graph::InputKind;
use optrun::expr::op::{Binary, Unary};
use optrun::numeric::dispatch::Level;
use optrun::plan::unit::{Measure, Order, Pace, Slot, SweepPlan};
use optrun::results::{Fold, Results, Run, Status};
use optrun::run::{Options, Refusal, Silent, execute};
use optrun::shape::Shape;
use support::{Shorthand, batches, bowl, descend, line, logistic, momentum, plan, slow, sweep};

fn run(sweep: &SweepPlan, options: &Options) -> Vec<Run> {
    let results = execute(&plan(sweep.clone()), options, &Silent).unwrap();
    results.sweeps.into_iter().next().unwrap().runs
}

fn close(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * (1.0 + expected.abs()), "{found} is not {expected}");
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }).collect()
}

/// Everything of a result, NaN made equal.
fn all_bits(runs: &[Run]) -> Vec<(String, Vec<Vec<u64>>)> {
    let one = |run: &Run| {
        let head = format!("{} {:?} {} {} {} {:?}", run.id, run.status, run.reason, run.steps, run.evaluations, run.trace.steps);
        (head, run.folded.iter().chain(&run.trace.columns).map(|values| bits(values)).collect())
    };
    runs.iter().map(one).collect()
}

fn bowl_sweep(lanes: &[&[f64]]) -> SweepPlan {
    let model = bowl();
    let starts = model.starts.clone();
    let (mut unit, gradients, numbers) = model.unit(&["lr", "beta"], 20);
    momentum(&mut unit, &gradients, numbers[0], numbers[1]);
    let quantities =
        [("w1", Measure::Row(unit.params[0].input)), ("w2", Measure::Row(unit.params[1].input)), ("bowl", Measure::Row(unit.loss))];
    sweep(unit, &quantities, &starts, lanes)
}

#[test]
fn the_bowl_of_seed_002() {
    // Momentum with beta = 0 is gradient descent: rates 0.4 and 0.6; then beta = 0.5.
    let runs = run(&bowl_sweep(&[&[0.4, 0.0], &[0.6, 0.0], &[0.6, 0.5]]), &Options::default());
    let expected: [(&[f64], &[f64]); 3] = [
        (
            &[
                -5.0,
                -4.6,
                -4.231999999999999,
                -3.893439999999999,
                -3.5819647999999993,
                -3.2954076159999994,
                -3.0317750067199993,
                -2.7892330061823993,
                -2.5660943656878072,
                -2.3608068164327825,
                -2.17194227111816,
                -1.9981868894287071,
                -1.8383319382744105,
                -1.6912653832124578,
                -1.555964152555461,
                -1.4314870203510242,
                -1.3169680587229422,
                -1.2116106140251068,
                -1.1146817649030982,
                -1.0255072237108505,
                -0.9434666458139824,
            ],
            &[
                -2.0,
                1.2000000000000002,
                -0.7200000000000002,
                0.43200000000000016,
                -0.2592000000000001,
                0.1555200000000001,
                -0.09331200000000006,
                0.05598720000000004,
                -0.03359232000000004,
                0.020155392000000022,
                -0.012093235200000017,
                0.007255941120000012,
                -0.0043535646720000085,
                0.0026121388032000056,
                -0.0015672832819200039,
                0.0009403699691520025,
                -0.0005642219814912016,
                0.00033853318889472107,
                -0.00020311991333683268,
                0.00012187194800209963,
                -7.312316880125978e-05,
            ],
        ),
        (
            &[
                -5.0,
                -4.4,
                -3.8720000000000003,
                -3.40736,
                -2.9984768,
                -2.638659584,
                -2.32202043392,
                -2.0433779818496003,
                -1.7981726240276483,
                -1.5823919091443306,
                -1.392504880047011,
                -1.2254042944413697,
                -1.0783557791084053,
                -0.9489530856153967,
                -0.8350787153415491,
                -0.7348692695005632,
                -0.6466849571604956,
                -0.5690827623012361,
                -0.5007928308250877,
                -0.4406976911260772,
                -0.38781396819094793,
            ],
            &[
                -2.0,
                2.8,
                -3.92,
                5.4879999999999995,
                -7.683199999999999,
                10.75648,
                -15.059072,
                21.082700799999998,
                -29.515781119999993,
                41.32209356799999,
                -57.85093099519998,
                80.99130339327996,
                -113.38782475059193,
                158.7429546508287,
                -222.24013651116016,
                311.13619111562423,
                -435.59066756187394,
                609.8269345866236,
                -853.757708421273,
                1195.2607917897822,
                -1673.365108505695,
            ],
        ),
        (
            &[
                -5.0,
                -4.4,
                -3.572,
                -2.72936,
                -1.9805167999999997,
                -1.3684331839999997,
                -0.8981793939199998,
                -0.5552709716095998,
                -0.3171842438612479,
                -0.16007877072372215,
                -0.06231658166811262,
                -0.0059574973401343365,
                0.022936944504670924,
                0.034631732086513045,
                0.03632331802705254,
                0.03281031283407598,
                0.027116572697498585,
                0.021015713905510054,
                0.015443398840854583,
                0.010804033447624296,
                0.007187866737294238,
            ],
            &[
                -2.0,
                2.8,
                -1.5199999999999996,
                -0.03200000000000047,
                0.7888000000000003,
                -0.69392,
                0.23012799999999978,
                0.1398448000000002,
                -0.24092432000000008,
                0.14690948799999998,
                -0.011756379199999945,
                -0.06287400272000004,
                0.06246479204800001,
                -0.024781311483199994,
                -0.008929215689120012,
                0.020426949861808007,
                -0.013919647031067198,
                0.002314207397056473,
                0.004877036858182773,
                -0.005546436870892733,
                0.0025532747547120736,
            ],
        ),
    ];
    for (run, (w1, w2)) in runs.iter().zip(expected) {
        assert_eq!(run.trace.steps, (0..=20).collect::<Vec<u64>>());
        for (found, expected) in run.trace.columns[0].iter().zip(w1).chain(run.trace.columns[1].iter().zip(w2)) {
            assert!((found - expected).abs() <= 1e-12 + 1e-12 * expected.abs(), "{found} is not {expected}");
        }
    }
    assert_eq!([runs[0].status, runs[1].status, runs[2].status], [Status::Done, Status::Rising, Status::Done]);
    assert_eq!((runs[1].steps, runs[1].evaluations), (20, 20));
}

#[test]
fn the_line_of_seed_001_row_by_row() {
    let model = line();
    let starts = model.starts.clone();
    let (mut unit, gradients, numbers) = model.unit(&["lr"], 50 * 29);
    descend(&mut unit, &gradients, numbers[0]);
    batches(&mut unit, 1, false, Order::InOrder);
    let quantities = [("b", Measure::Row(unit.params[0].input)), ("w", Measure::Row(unit.params[1].input))];
    let run = &run(&sweep(unit, &quantities, &starts, &[&[1e-4]]), &Options::default())[0];
    // After the first epoch and after the last.
    for (row, b, w) in [(29, 1.0715160204418617, 2.613084491952597), (1450, 3.7294586066238287, 2.5567543964080897)] {
        close(run.trace.columns[0][row], b, 1e-11);
        close(run.trace.columns[1][row], w, 1e-11);
    }
    assert_eq!((run.status, run.steps, run.epochs), (Status::Done, 1450, 50));
}

/// The rule of seed 001 with its event: `m` and `r` from 1, `rate` cut when the scale of the gradients has doubled.
fn annealed() -> SweepPlan {
    let model = line();
    let starts = model.starts.clone();
    let (mut unit, gradients, _) = model.unit(&[], 50 * 29);
    let graph = &mut unit.graph;
    let rate = graph.input("rate", InputKind::Shared, Shape::scalar());
    let best = graph.input("best", InputKind::Shared, Shape::scalar());
    let (one, half_life, kept_m, kept_r) = (graph.number(1.0), graph.number(0.05), graph.number(0.9), graph.number(0.95));
    let tenth = graph.number(1.0 - 0.9);
    let mut level = None;
    for (slot, &gradient) in unit.params.iter_mut().zip(&gradients) {
        let m = graph.input("m", InputKind::State, Shape::scalar());
        let r = graph.input("r", InputKind::State, Shape::scalar());
        let (a, b) = (graph.mul_(kept_m, m), graph.mul_(tenth, gradient));
        let next_m = graph.add_(a, b);
        let square = graph.unary(Unary::Square, gradient);
        let _ = half_life;
        let share = graph.number(1.0 - 0.95);
        let (a, b) = (graph.mul_(kept_r, r), graph.mul_(share, square));
        let next_r = graph.add_(a, b);
        let root = graph.unary(Unary::Sqrt, next_r);
        let step = graph.mul_(rate, next_m);
        let step = graph.div_(step, root);
        slot.next = graph.sub_(slot.input, step);
        let scale = graph.unary(Unary::Sqrt, r);
        level = Some(level.map_or(scale, |sum| graph.add_(sum, scale)));
        unit.states.push(Slot { name: "m".into(), input: m, next: next_m, next_epoch: None });
        unit.states.push(Slot { name: "r".into(), input: r, next: next_r, next_epoch: None });
        unit.state_starts.extend([one, one]);
    }
    let level = level.unwrap();
    let (two, four, first_best) = (graph.number(2.0), graph.number(4.0), graph.number(5500.0));
    let ratio = graph.div_(level, best);
    let doubled = graph.binary(Binary::Lt, two, ratio);
    let quarter = graph.div_(rate, four);
    let next_rate = graph.add(optrun::expr::op::Op::Select, &[doubled, quarter, rate]);
    let next_best = graph.binary(Binary::Minimum, best, level);
    unit.states.push(Slot { name: "rate".into(), input: rate, next: rate, next_epoch: Some(next_rate) });
    unit.states.push(Slot { name: "best".into(), input: best, next: best, next_epoch: Some(next_best) });
    unit.state_starts.extend([one, first_best]);
    batches(&mut unit, 1, false, Order::InOrder);
    let quantities = [("b", unit.params[0].input), ("w", unit.params[1].input), ("rate", rate)];
    let quantities = quantities.map(|(text, id)| (text, Measure::Row(id)));
    let mut sweep = sweep(unit, &quantities, &starts, &[&[]]);
    sweep.pace = Pace::Epochs(1);
    sweep
}

#[test]
fn events_after_epochs_as_in_seed_001() {
    let run = &run(&annealed(), &Options::default())[0];
    let rates = [
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        0.25,
        0.0625,
        0.0625,
        0.0625,
        0.0625,
        0.0625,
        0.0625,
        0.0625,
        0.0625,
        0.0625,
        0.0625,
        0.0625,
        0.015625,
        0.00390625,
        0.0009765625,
        0.0009765625,
        0.0009765625,
        0.0009765625,
        0.0009765625,
        0.0009765625,
        0.0009765625,
        0.000244140625,
        0.000244140625,
        0.000244140625,
        0.000244140625,
        0.000244140625,
        0.000244140625,
        0.000244140625,
        0.000244140625,
    ];
    assert_eq!(run.trace.steps, (0..=50).map(|epoch| epoch * 29).collect::<Vec<u64>>());
    assert_eq!(run.trace.columns[2][1..], rates);
    assert!((run.trace.columns[0][50] - 30.00085710752397).abs() < 1e-5);
    assert!((run.trace.columns[1][50] - 2.000207594921793).abs() < 1e-5);
}

/// Logistic regression by gradient descent: the mean loss at each epoch.
fn logistic_sweep(rates: &[f64], epochs: u64) -> SweepPlan {
    let mut model = logistic();
    let mean = model.mean_loss();
    let starts = model.starts.clone();
    let (mut unit, gradients, numbers) = model.unit(&["lr"], epochs);
    descend(&mut unit, &gradients, numbers[0]);
    let rates: Vec<[f64; 1]> = rates.iter().map(|&rate| [rate]).collect();
    let lanes: Vec<&[f64]> = rates.iter().map(|rate| &rate[..]).collect();
    let quantities = [("log_loss", Measure::Row(mean)), ("w", Measure::Row(unit.params[0].input))];
    sweep(unit, &quantities, &starts, &lanes)
}

#[test]
fn the_rates_of_seed_004() {
    let runs = run(&logistic_sweep(&[1e-5, 1e-4, 3e-4], 10_000), &Options::default());
    let expected = [
        (
            0.1334588024378622,
            0.6771330743864548,
            [
                -3.872480423654158,
                0.06862168312897177,
                0.40639961385933426,
                0.19479617681239442,
                0.08014928597187257,
                -0.25375943465829864,
                0.3895636003339173,
                -0.04266676192205308,
                0.19339125095255416,
                0.04710149627037976,
            ],
        ),
        (
            0.08238644761325942,
            0.6736578004757574,
            [
                -8.298819074934965,
                0.42747438423764683,
                0.06740182617119529,
                0.30565053611970566,
                0.19027392706921928,
                0.014405439832602967,
                0.4044376899313106,
                0.3275629373251244,
                0.15269421686314413,
                0.38687604624146965,
            ],
        ),
        (
            0.08092310294807559,
            1.0506282159384561,
            [
                -9.50361218320801,
                0.5189367784946073,
                0.018895653019043814,
                0.3211575258999716,
                0.2305055009915253,
                0.05225183866518592,
                0.4244665357499825,
                0.4001701584231743,
                0.15715092336941766,
                0.5121227601417151,
            ],
        ),
    ];
    for (run, (last, first, w)) in runs.iter().zip(expected) {
        close(run.folded[0][0], last, 1e-9);
        close(run.trace.columns[0][1], first, 1e-9);
        run.folded[1].iter().zip(w).for_each(|(found, expected)| close(*found, expected, 1e-9));
        assert_eq!(run.status, Status::Done);
    }
    // Loss 20.47 where clipped probabilities would give 2.36; the first weights at rate 1e-1 are exact.
    let run = &run(&logistic_sweep(&[0.1], 50), &Options::default())[0];
    close(run.folded[0][0], 20.47107287381787, 1e-6);
    let gradient = [108.5, -190.0, -488.5, -460.0, -356.0, -153.0, -606.5, -239.5, -411.0, -68.5];
    assert_eq!(run.trace.columns[1][10..20], gradient.map(|g| 0.0 - 0.1 * g));
    assert_eq!(run.status, Status::Rising);
}

#[test]
fn minibatches_of_seed_004_by_a_given_order() {
    // The first two batches of the first epoch.
    let rows: [u32; 64] = [
        158, 499, 396, 155, 321, 212, 234, 289, 300, 356, 672, 328, 199, 78, 598, 569, 446, 506, 626, 603, 360, 338, 668, 290, 284, 331,
        477, 54, 248, 223, 133, 640, 136, 109, 181, 432, 554, 482, 516, 132, 176, 72, 254, 577, 649, 595, 666, 352, 76, 148, 346, 90, 681,
        10, 63, 635, 656, 174, 256, 667, 31, 369, 570, 77,
    ];
    let rest = (0..699).filter(|row| !rows.contains(row));
    let order: Vec<u32> = rows.iter().copied().chain(rest).collect();
    let model = logistic();
    let starts = model.starts.clone();
    let (mut unit, gradients, numbers) = model.unit(&["lr"], 2);
    descend(&mut unit, &gradients, numbers[0]);
    batches(&mut unit, 32, true, Order::Given(Arc::new(vec![order])));
    let quantities = [("w", Measure::Row(unit.params[0].input))];
    let run = &run(&sweep(unit, &quantities, &starts, &[&[3e-3]]), &Options::default())[0];
    let expected = [
        [-0.006, 0.066, 0.10350000000000001, 0.1005, 0.0975, 0.057, 0.0975, 0.063, 0.099, 0.03],
        [
            -0.06013500438652157,
            -0.08624894897566826,
            0.02774568336849348,
            0.008461687374701057,
            0.023057278578484663,
            -0.07700777248567353,
            0.03963562106958733,
            -0.06622261953465056,
            0.00353756778017654,
            -0.026335164549648682,
        ],
    ];
    for (found, expected) in run.trace.columns[0][10..].iter().zip(expected.as_flattened()) {
        close(*found, *expected, 1e-12);
    }
}

/// Minibatches of 32 with a short last one, momentum, an event, and what is measured in the step.
fn everything(order: Order, budget: u64, rates: &[f64]) -> SweepPlan {
    let mut model = logistic();
    let mean = model.mean_loss();
    let starts = model.starts.clone();
    let (mut unit, gradients, numbers) = model.unit(&["lr", "beta"], budget);
    momentum(&mut unit, &gradients, numbers[0], numbers[1]);
    let graph = &mut unit.graph;
    let step = graph.input("t", InputKind::Step, Shape::scalar());
    unit.step = graph.as_input(step);
    // The event forgets half of the velocity; the rate is divided by sqrt(t).
    let half = graph.number(0.5);
    unit.states[0].next_epoch = Some(graph.mul_(half, unit.states[0].input));
    let root = graph.unary(Unary::Sqrt, step);
    let rate = graph.div_(numbers[0], root);
    let change = graph.mul_(rate, unit.states[0].next);
    unit.params[0].next = graph.sub_(unit.params[0].input, change);
    let twice = graph.add_(step, step);
    batches(&mut unit, 32, false, order);
    let quantities = [
        ("loss", Measure::Row(mean)),
        ("loss on batch", Measure::Step(unit.loss)),
        ("rate", Measure::Step(rate)),
        ("2t", Measure::Row(twice)),
        ("w", Measure::Row(unit.params[0].input)),
    ];
    let lanes: Vec<[f64; 2]> = rates.iter().enumerate().map(|(i, &rate)| [rate, 0.1 * (i % 7) as f64]).collect();
    let lanes: Vec<&[f64]> = lanes.iter().map(|lane| &lane[..]).collect();
    sweep(unit, &quantities, &starts, &lanes)
}

const RATES: [f64; 11] = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1];

#[test]
fn runs_have_the_bits_of_the_slow_evaluator() {
    let orders: Vec<Vec<u32>> = (0..3).map(|epoch| (0..699).map(|i| (i * [100, 17, 523][epoch] + epoch as u32) % 699).collect()).collect();
    for sweep in [
        everything(Order::Given(Arc::new(orders)), 50, &RATES),
        everything(Order::InOrder, 30, &RATES),
        logistic_sweep(&RATES, 40),
        annealed(),
    ] {
        let runs = run(&sweep, &Options::default());
        for cell in [0, 1, 7, 8, 10].into_iter().filter(|&cell| cell < sweep.cells.len()) {
            let every = if sweep.pace == Pace::Epochs(1) { sweep.units[0].steps_per_epoch as usize } else { 1 };
            let expected = slow(&sweep, cell);
            for (quantity, (found, expected)) in runs[cell].trace.columns.iter().zip(expected).enumerate() {
                let width = sweep.quantities[quantity].len();
                let recorded: Vec<f64> = expected.chunks(width).step_by(every).flatten().copied().collect();
                assert_eq!(bits(found), bits(&recorded), "cell {cell}, {}", sweep.quantities[quantity].text);
            }
        }
    }
}

#[test]
fn nothing_but_the_plan_changes_a_bit() {
    for sweep in [everything(Order::Shuffled(7), 60, &RATES), everything(Order::Drawn(7), 30, &RATES), logistic_sweep(&RATES, 100)] {
        let expected = all_bits(&run(&sweep, &Options::default()));
        for threads in [2, 8] {
            assert_eq!(all_bits(&run(&sweep, &Options { threads, ..Options::default() })), expected, "{threads} threads");
        }
        for lanes in [Lanes::One, Lanes::Eight] {
            for block in [8, 40, 1024] {
                for level in Level::available() {
                    let options = Options { lanes: Some(lanes), block: Some(block), level, ..Options::default() };
                    assert_eq!(all_bits(&run(&sweep, &options)), expected, "{lanes:?}, block {block}, {level:?}");
                }
            }
        }
    }
}

#[test]
fn orders_belong_to_replicates_and_epochs() {
    let mut sweep = everything(Order::Shuffled(7), 66, &[1e-4; 4]);
    for (cell, replicate) in [0, 0, 1, 1].into_iter().enumerate() {
        sweep.cells[cell].replicate = replicate;
        sweep.cells[cell].lane = vec![1e-4, 0.0];
    }
    let runs = run(&sweep, &Options::default());
    let trace = |cell: usize| bits(&runs[cell].trace.columns[4]);
    assert_eq!(trace(0), trace(1));
    assert_eq!(trace(2), trace(3));
    assert_ne!(trace(0), trace(2));
    // Each epoch has every row once: with the last batch short, the batch losses at the start sum up to 699 ln 2.
    let mut sweep = everything(Order::Cumulatively(3), 44, &[0.0]);
    sweep.cells[0].lane = vec![0.0, 0.0];
    let losses = run(&sweep, &Options::default())[0].trace.columns[1].clone();
    assert_eq!(losses.len(), 45);
    for epoch in [&losses[1..23], &losses[23..45]] {
        close(epoch.iter().sum(), 484.50987921140177, 1e-13);
    }
    assert!(losses[0].is_nan());
}

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
            let first = (1..).find(|&k: &usize| !expected[0][k - 1].is_finite() || !expected[1][k].is_finite()).unwrap();
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
    assert_eq!(run.trace, optrun::results::Trace::default());
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
