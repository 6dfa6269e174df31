//! Seed 003: a cell of long short-term memory, its values at every character, its losses, and the gradients of all ten arrays with and
//! without the sigmoid before the softmax.

use serde_json::Value;

use super::support::*;

const VALUES: Tolerance = within(1e-10, 1e-12);

/// The arrays as the spec calls them, and as the seed does.
const ARRAYS: [(&str, &str); 10] = [
    ("Wf", "W_f"),
    ("Wi", "W_i"),
    ("Wo", "W_o"),
    ("Wc", "W_C"),
    ("Wv", "W_v"),
    ("bf", "b_f"),
    ("bi", "b_i"),
    ("bo", "b_o"),
    ("bc", "b_C"),
    ("bv", "b_v"),
];

/// The first row of these formulas, each named, in the model of the gallery's spec.
fn at_the_start(asked: &[(&str, String)]) -> Columns {
    let text = gallery("lstm.opt");
    let model = text.split_once("\nsweep ").expect("a sweep after the model").0;
    let metrics: Vec<String> = asked.iter().map(|(name, formula)| format!("metric asked_{name} = {formula}")).collect();
    let names: Vec<String> = asked.iter().map(|(name, _)| format!("asked_{name}")).collect();
    let sweep = format!("sweep s {{ minimize J; optimizer = gd(lr = 0.1); steps = 0; record {} each step }}\n", names.join(", "));
    Columns::of(&run_text(&format!("{model}\n{}\n{sweep}table t {{ show J }}\n", metrics.join("\n"))), "s.trace.csv")
}

fn gradients(loss: &str, seed: &Value) {
    let mut asked = vec![("loss", loss.to_owned())];
    asked.extend(ARRAYS.iter().map(|(name, _)| (*name, format!("grad({loss}, {name})"))));
    let trace = at_the_start(&asked);
    let mut judge = Judge::default();
    judge.see(loss, trace.numbers("asked_loss")[0], numbers(&seed["loss"])[0], VALUES);
    let mut compared = 1;
    for (name, stored) in ARRAYS {
        let want = numbers(&seed["grad"][stored]);
        let column = format!("asked_{name}");
        let got = if name.starts_with('W') { trace.matrix(&column, 0) } else { trace.vector(&column, 0) };
        judge.all(name, &got, &want, VALUES);
        compared += want.len();
    }
    assert_eq!(compared, 1 + 4 * 36 + 20 + 4 * 4 + 5);
    judge.verdict(compared);
}

#[test]
fn gradients_with_the_sigmoid_before_the_softmax() {
    gradients("squashed", &expected("003_lstm.json"));
}

#[test]
fn gradients_without_it() {
    gradients("J", &expected("003_lstm.json")["without_sigmoid_before_softmax"]);
}

#[test]
fn values_at_every_character() {
    let seed = expected("003_lstm.json");
    let formulas = [
        ("h", "H"),
        ("v", "sigmoid(scores)"),
        ("squashed", "softmax(sigmoid(scores))"),
        ("y", "softmax(scores)"),
        ("floor", "floor_per_character"),
    ];
    let trace = at_the_start(&formulas.map(|(name, formula)| (name, formula.to_owned())));
    let cells = seed["cells"].as_array().expect("cells");
    let stored = |name: &str| -> Vec<f64> { cells.iter().flat_map(|cell| numbers(&cell[name])).collect() };
    let mut judge = Judge::default();
    judge.all("h", &trace.matrix("asked_h", 0), &stored("h"), VALUES);
    judge.all("v", &trace.matrix("asked_v", 0), &stored("v"), VALUES);
    judge.all("y", &trace.matrix("asked_squashed", 0), &stored("y"), VALUES);
    judge.all("y", &trace.matrix("asked_y", 0), &numbers(&seed["without_sigmoid_before_softmax"]["cells_y"]), VALUES);
    judge.see("floor", trace.numbers("asked_floor")[0], numbers(&seed["loss_floor_per_character_with_sigmoid"])[0], VALUES);
    judge.verdict(24 + 30 + 30 + 30 + 1);
}
