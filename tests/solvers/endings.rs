//! How runs of solvers end, and what they obey.

use super::support::{Columns, run_text};

/// The only run of a sweep: status, reason, steps, evaluations.
fn ended(spec: &str) -> (String, String, f64, f64) {
    let runs = Columns::of(&run_text(&format!("{spec}\ntable t {{ show steps }}")), "runs.csv");
    (runs.texts("status")[0].clone(), runs.texts("reason")[0].clone(), runs.numbers("steps")[0], runs.numbers("evaluations")[0])
}

#[test]
fn each_says_why_it_ended() {
    for (spec, status, reason, steps) in [
        (
            "param a = 1; param b = 2\nloss f = (a + b)^2\nsweep s { minimize f; optimizer = newton }",
            "failed",
            "the Hessian is singular",
            0.0,
        ),
        (
            "param a = 0.1\nloss f = cos(a)\nsweep s { minimize f; optimizer = newton(damping = armijo) }",
            "failed",
            "the Newton direction does not descend: the Hessian is not positive definite",
            0.0,
        ),
        ("param a = 1\nloss f = -a\nsweep s { minimize f; optimizer = lbfgs }", "failed", "the loss falls without end along a line", 0.0),
        ("param a = -1\nloss f = log(a)\nsweep s { minimize f; optimizer = lbfgs }", "diverged", "log(a)", 0.0),
        ("param a = -1\nloss f = log(a)^2\nsweep s { minimize f; optimizer = levenberg_marquardt }", "diverged", "log(a)", 0.0),
        ("param a = 1\nloss f = (a - 2)^2\nsweep s { minimize f; optimizer = newton; steps = 0 }", "done", "", 0.0),
        ("param a = 1\nloss f = (a - 2)^4\nsweep s { minimize f; optimizer = newton; steps = 3 }", "done", "", 3.0),
        (
            "param a = 3\nhyper c = -1\nloss f = a^2 + c*abs(a)\nsweep s { minimize f; optimizer = proximal(lr = 0.1) }",
            "failed",
            "the weight of an absolute value is negative",
            0.0,
        ),
        (
            "param a = 3\nhyper c = -1\nloss f = a^2 + abs(a)\nsweep s { minimize f; optimizer = proximal(lr = 0.1*c) }",
            "failed",
            "`lr` is -0.1; it must be above 0",
            0.0,
        ),
        ("param a = 3\nloss f = a^2\nsweep s { minimize f; optimizer = lbfgs; stop when f < 5 }", "stopped", "f < 5", 1.0),
    ] {
        let found = ended(spec);
        assert_eq!((found.0.as_str(), found.1.as_str(), found.2), (status, reason, steps), "{spec}");
    }
}

#[test]
fn evaluations_are_counted() {
    // 2*w^2 from 1: the rates 1, 1/2 and 1/4 are tried, the last one reaches the minimum.
    let found = ended("param w = 1\nloss f = 2*w^2\nsweep s { minimize f; optimizer = backtracking }");
    assert_eq!((found.0.as_str(), found.2, found.3), ("stopped", 1.0, 4.0));
    // A quadratic is one step of Newton's; then the gradient is 0.
    let found = ended("param w = [1, 5]\nloss f = sum((w - 3)^2)\nsweep s { minimize f; optimizer = newton }");
    assert_eq!((found.0.as_str(), found.2, found.3), ("stopped", 1.0, 2.0));
}

#[test]
fn rows_are_recorded_and_conditions_tested_as_for_rules() {
    // On (x^2 + 10*y^2)/2 with the exact inverse Hessian unknown, L-BFGS needs a few steps; all of them are rows, the start is row 0.
    let outcome = run_text(
        "param x = [4, 1]
loss f = (x[0]^2 + 10*x[1]^2)/2
sweep s { minimize f; optimizer in [lbfgs, newton, nelder_mead]; steps = 50; record f, x each 2 steps; stop when norm(change) <= 1e-9 }
sweep up { maximize g; optimizer = lbfgs; record g each step }
loss g = 1 - sum((x - 1)^2)
table t { from s; rows optimizer; show start(f), lowest(f), steps, status, at(f, step = 2) as \"second\", f as \"final\" }
table u { from up; show start(g), g, status, x }
plot p { lines f over step from s; color optimizer }",
    );
    let (t, u) = (Columns::of(&outcome, "t.csv"), Columns::of(&outcome, "u.csv"));
    assert_eq!(t.numbers("start(f)"), [13.0, 13.0, 13.0]);
    assert_eq!(t.texts("status")[1], "stopped");
    let run = outcome.results.sweeps[0].runs().next().expect("a run");
    let (steps, f): (Vec<u64>, Vec<f64>) = (run.trace().steps().collect(), run.trace().column(0));
    assert_eq!(steps[..3], [0, 2, 4]);
    assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
    assert_eq!(steps.last().copied(), Some(run.steps));
    assert_eq!((f[1], f[f.len() - 1]), (t.numbers("second")[0], t.numbers("final")[0]));
    assert_eq!((u.numbers("g")[0], u.texts("status")[0].as_str()), (1.0, "stopped"));
}

#[test]
fn a_solver_needs_no_number_of_steps_and_a_rule_of_its_name_comes_first() {
    let outcome = run_text(
        "param w = 4
loss f = w^2
optimizer newton(lr) { param <- param - lr*grad }
sweep s { minimize f; optimizer = newton(lr = 0.25); steps = 1 }
table t { show w }",
    );
    assert_eq!(Columns::of(&outcome, "t.csv").numbers("w"), [2.0]);
}
