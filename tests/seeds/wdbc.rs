//! Seed 000: logistic regression on 569 tumours by four rules at the rate of the post and at larger ones, 20,000 iterations.
//!
//! The cost before the update of iteration i is that of row i.

use std::fmt::Write as _;

use serde_json::Value;

use super::support::*;

const MODEL: &str = r#"
rng numpy(42)
dataset cancer { csv "data/breast_cancer_wdbc.csv"; X = standardize(mean_radius..worst_fractal_dimension); y = target }
param W: [30] ~ normal(0, 1)
param b ~ normal(0, 1)
let    p     = sigmoid(X @ W + b)
loss   total = -sum(y*log(p) + (1 - y)*log(1 - p))
metric cost  = total/rows(X)
"#;

/// What the post codes by hand.
fn rule(run: &Value) -> String {
    let corrected = run["bias_correction"].as_bool().expect("a boolean");
    match run["method"].as_str().expect("a method") {
        "gd" => "gd".to_owned(),
        "momentum" => "ema_momentum(beta = 0.9)".to_owned(),
        "rmsprop" => format!("rmsprop(beta = 0.999, eps = 1e-8, bias_correction = {corrected})"),
        "adam" => format!("adam(beta1 = 0.9, beta2 = 0.999, eps = 1e-8, bias_correction = {corrected})"),
        other => panic!("no method `{other}`"),
    }
}

/// How far the cost and the weights may be off. RMSProp at a rate of 1e-3 ends in an oscillation that is sensitive to rounding:
/// a plain C program with its sums in another order ends with costs off by up to 1.3e-7 and weights by up to 1.2e-3.
fn tolerances(name: &str, iteration: u64) -> (Tolerance, Tolerance) {
    let usual = within(1e-10, 1e-11);
    if name == "rmsprop_lr0.001" && iteration >= 10_000 { (within(0.0, 1e-7), within(0.0, 1e-3)) } else { (usual, usual) }
}

#[test]
fn the_gradient_at_the_start() {
    let data = expected("000_wdbc.json");
    let text = format!("{MODEL}sweep one {{ minimize total; optimizer = gd; lr = 1; steps = 1 }}\n");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let answer = optrun::pipeline::grad(&options(folder.path(), &text), Some("total"), None, false).expect("a derivative").value;
    let gradient = &answer.json["losses"]["total"]["gradient"];
    let mut judge = Judge::default();
    judge.all("W", &numbers(&gradient["W"]), &numbers(&data["gradient_W"]), within(1e-12, 1e-10));
    judge.all("b", &numbers(&gradient["b"]), &numbers(&data["gradient_b"]), within(1e-12, 1e-10));
    judge.verdict(31);
}

#[test]
fn costs_and_weights_of_every_run() {
    let data = expected("000_wdbc.json");
    let runs = entries(&data["runs"]);
    let mut text = MODEL.to_owned();
    for (k, (_, run)) in runs.iter().enumerate() {
        let (lr, steps) = (&run["lr"], &run["iterations"]);
        let _ =
            writeln!(text, "sweep s{k} {{ minimize total; optimizer = {}; lr = {lr}; steps = {steps}; record cost each step }}", rule(run));
        let _ = writeln!(text, "table t{k} {{ from s{k}; show W, b }}");
    }
    let outcome = run_text(&text);
    let ends = Columns::of(&outcome, "runs.csv");
    let mut judge = Judge::default();
    for (k, (name, run)) in runs.iter().enumerate() {
        let costs = Columns::of(&outcome, &format!("s{k}.trace.csv")).numbers("cost");
        for (iteration, want) in numbers(&run["cost_at"]).into_iter().zip(numbers(&run["cost_stable"])) {
            let (tolerance, _) = tolerances(name, iteration as u64);
            judge.see(format_args!("{name} cost {iteration}"), costs[iteration as usize], want, tolerance);
        }
        let row = ends.row(&[("sweep", &format!("s{k}"))]);
        let (_, tolerance) = tolerances(name, run["iterations"].as_u64().expect("a count"));
        judge.all(format_args!("{name} W"), &ends.vector("W", row), &numbers(&run["W"]), tolerance);
        judge.see(format_args!("{name} b"), ends.numbers("b")[row], numbers(&run["b"])[0], tolerance);
    }
    judge.verdict(11 * (21 + 30 + 1));
}
