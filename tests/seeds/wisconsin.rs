//! Seed 004: logistic regression on 699 biopsies by gradient descent at six rates, and by minibatches of 32 in the order that NumPy draws.
//!
//! Some of these runs are chaotic; they are compared as far as a change of the start by 1e-15 does not show.

use serde_json::Value;

use super::support::*;

const MODEL: &str = r#"
rng numpy(42)
dataset wisconsin {
  csv     "data/breast-cancer-wisconsin.data", header = false, missing = "?"
  columns id, clump, size, shape, adhesion, epithelial, nuclei, chromatin, nucleoli, mitoses, class
  nuclei = fill(nuclei, median(nuclei))
  X      = hstack(1, clump..mitoses)
  y      = class/2 - 1
}
param  w: [10] = 0
let    p = sigmoid(X @ w)
loss   total    = -sum(y*log(p) + (1 - y)*log(1 - p))
metric log_loss = total/rows(X)
"#;

/// The rates whose runs contract.
const CONTRACTING: Tolerance = within(1e-9, 1e-10);

fn data() -> Value {
    expected("004_wisconsin.json")
}

/// The columns of the only run of a sweep.
fn trace(text: &str) -> Columns {
    Columns::of(&run_text(&format!("{MODEL}{text}")), "s.trace.csv")
}

/// Compares the losses at the stored epochs that were recorded and that `keep` names, and says how many there were.
fn losses(judge: &mut Judge, trace: &Columns, fit: &Value, tolerance: Tolerance, keep: impl Fn(u64) -> bool) -> usize {
    let (steps, losses) = (trace.numbers("step"), trace.numbers("log_loss"));
    let stored = numbers(&fit["loss_epochs"]).into_iter().zip(numbers(&fit["loss_stable"]));
    let mut seen = 0;
    for (epoch, want) in stored.filter(|(epoch, _)| keep(*epoch as u64)) {
        let row = steps.iter().position(|step| *step == epoch).unwrap_or_else(|| panic!("no row {epoch}"));
        judge.see(format_args!("rate {} loss {epoch}", fit["lr"]), losses[row], want, tolerance);
        seen += 1;
    }
    seen
}

/// Compares the weights after each of the first 20 epochs.
fn first_weights(judge: &mut Judge, trace: &Columns, fit: &Value, tolerance: Tolerance) -> usize {
    let stored = lists(&fit["w_epochs_1_to_20"]);
    for (k, want) in stored.iter().enumerate() {
        judge.all(format_args!("rate {} weights {}", fit["lr"], k + 1), &trace.vector("w", k + 1), want, tolerance);
    }
    10 * stored.len()
}

/// Compares the weights of the last row.
fn last_weights(judge: &mut Judge, trace: &Columns, fit: &Value, tolerance: Tolerance) -> usize {
    let last = trace.numbers("step").len() - 1;
    judge.all(format_args!("rate {} last weights", fit["lr"]), &trace.vector("w", last), &numbers(&fit["w"]), tolerance);
    10
}

/// Epochs 1 to 20 of a fit.
fn beginning(fit: &Value) -> Columns {
    trace(&format!("sweep s {{ minimize total; optimizer = gd; lr = {}; epochs = 20; record log_loss, w each step }}\n", fit["lr"]))
}

/// A whole fit, thinned.
fn whole(fit: &Value, pace: u64) -> Columns {
    let (lr, epochs) = (&fit["lr"], &fit["epochs"]);
    trace(&format!("sweep s {{ minimize total; optimizer = gd; lr = {lr}; epochs = {epochs}; record log_loss, w each {pace} steps }}\n"))
}

#[test]
fn the_gradient_at_zero_is_exact() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = format!("{MODEL}sweep s {{ minimize total; optimizer = gd; lr = 1; steps = 1; record w each step }}\n");
    let answer = optrun::pipeline::grad(&options(folder.path(), &text), Some("total"), None, false).expect("a derivative").value;
    let data = data();
    let want = numbers(&data["gradient_at_zero"]);
    let mut judge = Judge::default();
    judge.all("asked for", &numbers(&answer.json["losses"]["total"]["gradient"]["w"]), &want, EXACT);
    judge.see("sum at zero", numbers(&answer.json["losses"]["total"]["value"])[0], numbers(&data["sum_at_zero"])[0], within(1e-13, 0.0));
    // A step of 1 from zero ends at minus the gradient.
    let stepped: Vec<f64> = Columns::of(&run_text(&text), "s.trace.csv").vector("w", 1).iter().map(|w| -w).collect();
    judge.all("stepped", &stepped, &want, EXACT);
    judge.verdict(21);
}

#[test]
fn the_loss_beside_zero() {
    let data = data();
    let (h, index) = (numbers(&data["h"])[0], data["index"].as_u64().expect("an index"));
    let start: Vec<String> = (0..10).map(|k| if k == index { h.to_string() } else { "0".to_owned() }).collect();
    let model = MODEL.replace("w: [10] = 0", &format!("w = [{}]", start.join(", ")));
    assert_ne!(model, MODEL);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let answer = optrun::pipeline::grad(&options(folder.path(), &model), Some("total"), None, false).expect("a derivative").value;
    let mut judge = Judge::default();
    judge.see("sum at h", numbers(&answer.json["losses"]["total"]["value"])[0], numbers(&data["sum_at_h"])[0], within(1e-13, 0.0));
    judge.verdict(1);
}

#[test]
fn rates_that_contract() {
    let data = data();
    let mut judge = Judge::default();
    let mut compared = 0;
    for name in ["lr1e-05_epochs10000", "lr0.0001_epochs10000", "lr0.0003_epochs10000"] {
        let fit = &data["full"][name];
        let start = beginning(fit);
        compared += first_weights(&mut judge, &start, fit, CONTRACTING);
        compared += losses(&mut judge, &start, fit, CONTRACTING, |epoch| epoch <= 20);
        let all = whole(fit, 100);
        compared += losses(&mut judge, &all, fit, CONTRACTING, |epoch| epoch > 20);
        compared += last_weights(&mut judge, &all, fit, CONTRACTING);
    }
    assert_eq!(compared, 3 * (200 + 120 + 10));
    judge.verdict(compared);
}

#[test]
fn a_hundred_thousand_epochs() {
    let data = data();
    let fit = &data["full"]["lr0.0003_epochs100000"];
    let all = whole(fit, 1000);
    let mut judge = Judge::default();
    let mut compared = losses(&mut judge, &all, fit, CONTRACTING, |epoch| epoch > 20);
    compared += last_weights(&mut judge, &all, fit, CONTRACTING);
    // The notebook prints eight decimals.
    let last = all.numbers("step").len() - 1;
    judge.all("as printed", &all.vector("w", last), &numbers(&data["notebook_w"]), within(0.0, 5.1e-9));
    assert_eq!(compared, 100 + 10);
    judge.verdict(compared + 10);
}

#[test]
fn a_rate_that_wanders_and_comes_back() {
    let data = data();
    let fit = &data["full"]["lr0.001_epochs10000"];
    let before_chaos = within(1e-9, 1e-9);
    let (start, all) = (beginning(fit), whole(fit, 100));
    let mut judge = Judge::default();
    let mut compared = first_weights(&mut judge, &start, fit, before_chaos);
    compared += losses(&mut judge, &start, fit, before_chaos, |epoch| epoch <= 20);
    compared += losses(&mut judge, &all, fit, before_chaos, |epoch| epoch > 20 && epoch < 180);
    compared += losses(&mut judge, &all, fit, within(0.0, 1e-8), |epoch| epoch == 10_000);
    compared += last_weights(&mut judge, &all, fit, within(0.0, 1e-5));
    assert_eq!(compared, 200 + 20 + 1 + 1 + 10);
    judge.verdict(compared);
}

#[test]
fn rates_that_are_chaotic_or_saturate() {
    let data = data();
    let mut judge = Judge::default();
    let chaotic = &data["full"]["lr0.01_epochs10000"];
    let start = beginning(chaotic);
    let mut compared = first_weights(&mut judge, &start, chaotic, within(1e-6, 0.0));
    compared += losses(&mut judge, &start, chaotic, within(1e-6, 0.0), |epoch| epoch <= 20);
    let saturated = &data["full"]["lr0.1_epochs50"];
    let all = whole(saturated, 1);
    let tolerance = within(1e-6, 1e-6);
    compared += first_weights(&mut judge, &all, saturated, tolerance);
    compared += losses(&mut judge, &all, saturated, tolerance, |_| true);
    compared += last_weights(&mut judge, &all, saturated, tolerance);
    assert_eq!(compared, 2 * 200 + 20 + 50 + 10);
    judge.verdict(compared);
}

#[test]
fn minibatches_in_the_stored_order() {
    const BATCHES: usize = 21;
    let data = data();
    let mut judge = Judge::default();
    for name in ["lr0.003", "lr0.001", "lr0.1"] {
        let run = &data["mini"][name];
        // The largest rate saturates at once: its losses are stored clipped, and its weights are chaotic after the first epoch.
        let (epochs, tolerance) = if name == "lr0.1" { (1, within(1e-6, 0.0)) } else { (100, CONTRACTING) };
        let trace = trace(&format!(
            "sweep s {{ minimize total; optimizer = sgd; lr = {}; epochs = {epochs}; batches of 32 shuffled cumulatively, drop last; record log_loss, w each step }}\n",
            run["lr"]
        ));
        let loss = trace.numbers("log_loss");
        assert_eq!(loss.len(), epochs * BATCHES + 1, "rows");
        for (k, want) in lists(&run["w_after_each_batch_of_epoch_1"]).iter().enumerate() {
            judge.all(format_args!("{name} batch {}", k + 1), &trace.vector("w", k + 1), want, tolerance);
        }
        if epochs == 1 {
            continue;
        }
        for (k, want) in lists(&run["w_after_epochs_1_to_5"]).iter().enumerate() {
            judge.all(format_args!("{name} epoch {}", k + 1), &trace.vector("w", (k + 1) * BATCHES), want, tolerance);
        }
        judge.all(format_args!("{name} batches"), &loss[1..=BATCHES], &numbers(&run["loss_after_each_batch_of_epoch_1"]), tolerance);
        let ends: Vec<f64> = (1..=epochs).map(|epoch| loss[epoch * BATCHES]).collect();
        judge.all(format_args!("{name} epochs"), &ends, &numbers(&run["loss_after_each_epoch"]), tolerance);
        judge.all(format_args!("{name} end"), &trace.vector("w", epochs * BATCHES), &numbers(&run["w_final"]), tolerance);
    }
    judge.verdict(3 * 210 + 2 * (50 + 21 + 100 + 10));
}
