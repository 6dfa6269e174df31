//! Seed 003: Nesterov's rule on the Ackley function, up to the step at which rounding has grown to the tolerance.

use super::support::*;

#[test]
fn the_trajectory_up_to_the_horizon() {
    let seed = expected("003_ackley.json");
    let exact = lists(&seed["trajectory_120_digit_run_rounded_0_to_200"]);
    let trace = Columns::of(&run_text(&gallery("ackley_nesterov.opt")), "asked.trace.csv");
    let mut judge = Judge::default();
    let mut compared = 0;
    for (tolerance, horizon) in entries(&seed["horizon_iterations_where_float64_departs_from_120_digit_run"]) {
        let tolerance: f64 = tolerance.parse().expect("a number");
        // At 1e-12 the start itself, 25, leaves too few digits for another order of operations.
        if tolerance < 1e-9 {
            continue;
        }
        let horizon = usize::try_from(horizon.as_u64().expect("a step")).expect("a step");
        for (step, want) in exact.iter().enumerate().take(horizon) {
            judge.all(format_args!("{tolerance:e} step {step}"), &trace.vector("p", step), want, within(tolerance, tolerance));
            compared += 2;
        }
    }
    assert_eq!(compared, 2 * (17 + 24 + 35));
    judge.verdict(compared);
}
