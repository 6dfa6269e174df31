//! Seed 002: descent on curves of one variable, and five rules on bowls of two, after every step; and what the notebook prints,
//! digit for digit, the sign of -0.000000 included.
//!
//! The specs are the gallery's, with a record of every step where a table does not show it.

use super::support::*;

#[test]
fn one_variable_at_every_step() {
    let text = gallery("wave_1d.opt").replace("steps = 100 }", "steps = 100; record w each step }");
    let outcome = run_text(&text);
    let data = expected("002_traces.json");
    let mut judge = Judge::default();
    let mut compared = 0;
    for run in data["one_d"].as_array().expect("a list") {
        let (id, steps) = (run["id"].as_str().expect("a name"), run["epochs"].as_u64().expect("a number"));
        let (sweep, quantity) = match (id.starts_with("xcos"), steps) {
            (true, _) => ("hop", "u"),
            (false, 10) => ("short", "w"),
            (false, _) => ("long", "w"),
        };
        let trace = Columns::of(&outcome, &format!("{sweep}.trace.csv"));
        let cell = cell_of(&outcome, sweep, &[("lr", &run["eta"].to_string())]);
        let want = numbers(&run["w_trace"]);
        let got = trace.numbers(quantity);
        for (step, &want) in want.iter().enumerate() {
            let row = trace.row(&[("cell", &cell), ("step", &step.to_string())]);
            judge.see(format_args!("{id} step {step}"), got[row], want, within(1e-12, 1e-12));
            compared += 1;
        }
    }
    assert_eq!(compared, 2 * 11 + 2 * 101 + 2 * 31);
    judge.verdict(compared);
}

type Run = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);

/// Each run of the notebook: where it is in the spec (sweep, what tells the cell apart), and which table and columns print it.
const RUNS: [Run; 18] = [
    ("gd_2_eta0.1_5", "gentle", &[("lr", "0.1")], "gentle", "lr = 0.1: "),
    ("gd_2_eta0.1_10", "gentle", &[("lr", "0.1")], "gentle", "lr = 0.1: "),
    ("gd_2_eta0.2_10", "gentle", &[("lr", "0.2")], "gentle", "lr = 0.2: "),
    ("gd_2i_eta0.4_20", "race", &[("optimizer", "gd"), ("lr", "0.4")], "descent", "lr = 0.4: "),
    ("gd_2i_eta0.6_20", "race", &[("optimizer", "gd"), ("lr", "0.6")], "descent", "lr = 0.6: "),
    ("momentum_eta0.6_0.5_20", "race", &[("optimizer", "momentum"), ("beta", "0.5")], "momentum", "beta = 0.5: "),
    ("momentum_eta0.6_0.25_20", "race", &[("optimizer", "momentum"), ("beta", "0.25")], "momentum", "beta = 0.25: "),
    ("adagrad_eta0.4_1e-06_20", "race", &[("optimizer", "adagrad"), ("lr", "0.4")], "adagrad", "lr = 0.4: "),
    ("adagrad_eta2_1e-06_20", "race", &[("optimizer", "adagrad"), ("lr", "2")], "adagrad", "lr = 2: "),
    ("rmsprop_eta0.4_0.9_20", "race", &[("lr", "0.4"), ("beta", "0.9")], "rmsprop", "lr = 0.4, beta = 0.9: "),
    ("rmsprop_eta0.1_0.9_20", "race", &[("lr", "0.1"), ("beta", "0.9")], "rmsprop", "lr = 0.1, beta = 0.9: "),
    ("rmsprop_eta1_0.9_20", "race", &[("lr", "1"), ("beta", "0.9")], "rmsprop", "lr = 1, beta = 0.9: "),
    ("rmsprop_eta0.4_0.5_20", "race", &[("lr", "0.4"), ("beta", "0.5")], "rmsprop", "lr = 0.4, beta = 0.5: "),
    ("rmsprop_eta0.4_0.7_20", "race", &[("lr", "0.4"), ("beta", "0.7")], "rmsprop", "lr = 0.4, beta = 0.7: "),
    ("rmsprop_eta0.4_0.7_100", "jumping", &[], "jumping", ""),
    ("adam_eta0.1_20", "race", &[("optimizer", "adam")], "adam", ""),
    ("adam_eta0.1_100", "patient", &[], "patient", ""),
    ("adam_eta0.1_200", "patient", &[], "patient", ""),
];

#[test]
fn two_variables_at_every_step_and_as_printed() {
    let outcome = run_text(&gallery("bowl_traces.opt"));
    let data = expected("002_traces.json");
    let runs = data["two_d"].as_array().expect("a list");
    assert_eq!(runs.len(), RUNS.len());
    let mut judge = Judge::default();
    let (mut compared, mut printed, mut negative_zeros) = (0, 0, 0);
    for (run, (id, sweep, cell, table, group)) in runs.iter().zip(RUNS) {
        assert_eq!(run["id"], id);
        let trace = Columns::of(&outcome, &format!("{sweep}.trace.csv"));
        let cell = cell_of(&outcome, sweep, cell);
        let (w1, w2) = (trace.numbers("w1"), trace.numbers("w2"));
        for (step, want) in lists(&run["w_trace"]).iter().enumerate() {
            let row = trace.row(&[("cell", &cell), ("step", &step.to_string())]);
            judge.all(format_args!("{id} step {step}"), &[w1[row], w2[row]], want, within(1e-12, 1e-12));
            compared += 2;
        }
        // What the notebook prints stands in the table, character by character.
        let rows = markdown(&outcome, table);
        let steps = run["seed_printed_epochs"].as_array().expect("a list");
        for (step, pair) in steps.iter().zip(run["seed_printed"].as_array().expect("a list")) {
            let step = step.to_string();
            let row = rows.iter().find(|row| row["step"] == step).unwrap_or_else(|| panic!("{table}: step {step}"));
            for (name, text) in ["w1", "w2"].into_iter().zip(pair.as_array().expect("a pair")) {
                let shown = row[&format!("{group}{name}")].trim_end_matches(" ↑");
                assert_eq!(shown, text.as_str().expect("a text"), "{id} step {step} {name}");
                printed += 1;
                negative_zeros += usize::from(shown == "-0.000000");
            }
        }
    }
    assert_eq!((printed, negative_zeros), (PRINTED, NEGATIVE_ZEROS));
    judge.verdict(compared);
}

/// The number of the cell of a sweep with these settings.
fn cell_of(outcome: &optrun::pipeline::Outcome, sweep: &str, settings: &[(&str, &str)]) -> String {
    let runs = Columns::of(outcome, "runs.csv");
    let wanted: Vec<(&str, &str)> = std::iter::once(("sweep", sweep)).chain(settings.iter().copied()).collect();
    runs.texts("cell")[runs.row(&wanted)].clone()
}

/// The rows of a table as its Markdown shows them, by heading.
fn markdown(outcome: &optrun::pipeline::Outcome, name: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let file = outcome.artifacts.iter().find(|file| file.name == format!("{name}.md")).unwrap_or_else(|| panic!("no table {name}"));
    let text = String::from_utf8(file.content.bytes()).expect("text");
    let cells = |line: &str| -> Vec<String> { line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect() };
    let mut lines = text.lines().filter(|line| line.starts_with('|'));
    let headings = cells(lines.next().expect("headings"));
    lines.skip(1).map(|line| headings.iter().cloned().zip(cells(line)).collect()).collect()
}

/// Numbers that the notebook prints, and of those the ones that are a negative zero to six digits.
const PRINTED: usize = 750;
const NEGATIVE_ZEROS: usize = 32;
