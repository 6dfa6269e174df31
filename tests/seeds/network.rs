//! Seed 004: a network with one hidden layer, its loss, its output and both gradients.

use super::support::*;

#[test]
fn a_hidden_layer_by_the_chain_rule() {
    let seed = expected("004_network.json");
    let text = gallery("backprop.opt").replace("sweep train {", "sweep train { record J, p, slope1, slope2 each step;");
    let trace = Columns::of(&run_text(&text), "train.trace.csv");
    let tolerance = within(1e-10, 1e-12);
    let mut judge = Judge::default();
    judge.see("loss", trace.numbers("J")[0], numbers(&seed["loss"])[0], tolerance);
    judge.all("output", &trace.vector("p", 0), &numbers(&seed["ypred"]), tolerance);
    judge.all("W1", &trace.matrix("slope1", 0), &numbers(&seed["grad_W1"]), tolerance);
    judge.all("W2", &trace.vector("slope2", 0), &numbers(&seed["grad_W2"]), tolerance);
    judge.verdict(1 + 8 + 9 + 4);
}
