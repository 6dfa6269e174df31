//! Seed 003: a sparse autoencoder of 3289 numbers: its cost, every entry of its gradient, differences, descent, and where L-BFGS ends.

use super::support::*;

fn stored(column: &str) -> Vec<f64> {
    let path = root().join("tests/data/seeds/003_autoencoder_gradient.csv");
    let mut reader = csv::Reader::from_path(path).expect("the stored gradient");
    let at = reader.headers().expect("headings").iter().position(|heading| heading == column).expect("the column");
    reader.records().map(|row| row.expect("a row")[at].parse().expect("a number")).collect()
}

#[test]
fn cost_gradient_and_descent() {
    let seed = expected("003_autoencoder.json");
    let text = gallery("autoencoder.opt");
    let model = text.split_once("\nsweep ").expect("a sweep").0;
    let outcome = run_text(&format!(
        "{model}\nsweep s {{ minimize cost; optimizer = gd(lr = 0.5); steps = 200; record cost each step }}\n\
         sweep g {{ minimize cost; optimizer = gd; lr = 0; steps = 0; record slope each step }}\n\
         table t {{ from s; show cost }}\n"
    ));
    let slope = Columns::of(&outcome, "g.trace.csv").vector("slope", 0);
    let mut judge = Judge::default();
    judge.all("gradient", &slope, &stored("gradient"), within(1e-10, 1e-12));
    // The stored differences are cut off and rounded themselves.
    judge.all("differences", &slope, &stored("numerical"), within(0.0, 1e-7));
    let costs = Columns::of(&outcome, "s.trace.csv").numbers("cost");
    judge.all("descent", &costs, &numbers(&seed["gd_lr_0_5_cost_steps_0_to_200"]), within(1e-10, 1e-12));
    judge.verdict(2 * 3289 + 201);
}
