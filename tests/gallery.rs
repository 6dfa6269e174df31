//! The gallery: every spec in `specs/` runs, meets its expectations, and gives the same bytes however it is run.
//!
//! The snapshots hold what its tables and figures say; the numbers are judged by the expectations and by the tests of the seeds.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;

use optrun::pipeline::{Ending, Limits, Outcome, RunOptions, prepare, run};
use optrun::report::text::describe;

fn specs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("specs")
}

fn outcome(spec: &Path, threads: usize) -> Outcome {
    let data = Some(specs());
    let options = RunOptions {
        spec: spec.to_owned(),
        data,
        only: Vec::new(),
        set: Vec::new(),
        threads: NonZeroUsize::new(threads),
        limits: Limits::default(),
    };
    let prepared = prepare(&options).unwrap_or_else(|failure| panic!("{}: {failure:#?}", spec.display())).value;
    run(&prepared, &|_| {}).unwrap_or_else(|failure| panic!("{}: {failure:#?}", spec.display())).value
}

/// The outcome of a text that stands nowhere.
fn outcome_of(text: &str) -> Outcome {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let spec = folder.path().join("spec.opt");
    fs::write(&spec, text).expect("the folder can be written");
    outcome(&spec, 2)
}

fn gallery(name: &str) -> String {
    fs::read_to_string(specs().join(name)).expect("a spec of the gallery")
}

/// The spec without the outputs that begin with these words; each stands on one line.
fn without(text: &str, words: &[&str]) -> String {
    let kept = |line: &&str| !words.iter().any(|word| line.starts_with(word));
    text.lines().filter(kept).flat_map(|line| [line, "\n"]).collect()
}

/// The spec with a part replaced that must be there.
fn with(text: &str, part: &str, replacement: &str) -> String {
    assert!(text.contains(part), "`{part}` is gone from the spec");
    text.replacen(part, replacement, 1)
}

/// Every file that a run gives.
fn files(outcome: &Outcome) -> BTreeMap<&str, Vec<u8>> {
    let files: BTreeMap<&str, Vec<u8>> = outcome.artifacts.iter().map(|file| (file.name.as_str(), file.content.bytes())).collect();
    assert_eq!(files.len(), outcome.artifacts.len(), "two files have one name");
    files
}

/// The spec that is handed out with blanks.
const HOMEWORK: &str = "homework.opt";

#[test]
fn a_homework_passes_with_its_blanks_named_and_does_not_run() {
    let spec = specs().join(HOMEWORK);
    let program = |command: &str| Command::new(env!("CARGO_BIN_EXE_optrun")).arg(command).arg(&spec).output().expect("the program starts");
    let checked = program("check");
    let text = String::from_utf8(checked.stdout).expect("UTF-8");
    assert_eq!(checked.status.code(), Some(0), "{text}");
    let named: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split_whitespace().last()).collect();
    assert_eq!(named, ["?gradient", "?second_moment", "?corrected", "?rate"], "{text}");
    let refused = program("run");
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0));
    // A mistake beside the blanks is a mistake.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let wrong = folder.path().join("wrong.opt");
    fs::write(&wrong, "param w = ?start\nloss J = w^2 + v\n").expect("the folder can be written");
    let output = Command::new(env!("CARGO_BIN_EXE_optrun")).arg("check").arg(&wrong).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn filled_in_the_homework_meets_its_expectations() {
    let blanks = [
        ("?gradient", "X.T @ (p - y)/rows(X)"),
        ("?second_moment", "beta2*v + (1 - beta2)*grad^2"),
        ("?corrected", "v/(1 - beta2^t)"),
        ("?rate", "0.1"),
    ];
    let text = blanks.iter().fold(gallery(HOMEWORK), |text, (blank, answer)| with(&text, blank, answer));
    let one = outcome_of(&text);
    assert_eq!(one.ending, Ending::Fine, "{}", one.text);
    assert!(one.text.contains("proved"), "{}", one.text);
}

#[test]
fn specs_meet_their_expectations_and_show_what_they_showed() {
    insta::glob!("../specs", "*.opt", |path| {
        if path.ends_with(HOMEWORK) {
            return;
        }
        let one = outcome(path, 2);
        let missed: Vec<_> = one.report.checks.iter().filter(|check| !check.passed).collect();
        assert!(missed.is_empty(), "{}: {missed:#?}", path.display());
        assert_eq!(one.ending, Ending::Fine);
        assert!(!one.report.checks.is_empty(), "{} expects nothing", path.display());
        let figures: Vec<String> = one.report.figures.iter().map(describe).collect();
        insta::assert_snapshot!("tables", one.text);
        insta::assert_snapshot!("figures", figures.join("\n"));
    });
}

#[test]
fn the_same_bytes_with_any_number_of_threads() {
    // The long runs are cut to 150 steps, and the expectations, which are about their ends, left out.
    for (name, lengths) in
        [("straight_line.opt", &[][..]), ("adam_vs_rmsprop.opt", &["= 20_000"]), ("wisconsin.opt", &["= 10_000", "= 100_000"])]
    {
        let text = lengths.iter().fold(without(&gallery(name), &["expect"]), |text, length| with(&text, length, "= 150"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let spec = folder.path().join("spec.opt");
        fs::write(&spec, text).expect("the folder can be written");
        let one = outcome(&spec, 1);
        assert!(
            files(&one).keys().any(|name| std::path::Path::new(name).extension().is_some_and(|ending| ending == "png")),
            "{name} draws nothing"
        );
        for threads in [2, 8] {
            let other = outcome(&spec, threads);
            assert_eq!(one.text, other.text, "{name} with {threads} threads");
            assert_eq!(one.json(), other.json(), "{name} with {threads} threads");
            let (one, other) = (files(&one), files(&other));
            assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{name} with {threads} threads");
            for (file, bytes) in &one {
                assert!(other[file] == *bytes, "{name}: {file} differs with {threads} threads");
            }
        }
    }
}

/// The values of one cell of a csv file: by column, without the places of the cell.
fn cell(outcome: &Outcome, name: &str, wanted: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
    let files = files(outcome);
    let mut reader = csv::Reader::from_reader(files[name].as_slice());
    let headings = reader.headers().expect("headings").clone();
    let at = |name: &str| headings.iter().position(|heading| heading == name).unwrap_or_else(|| panic!("no column `{name}`"));
    let wanted: Vec<(usize, &str)> = wanted.iter().map(|&(name, value)| (at(name), value)).collect();
    let mut columns = BTreeMap::new();
    for row in reader.records().map(|row| row.expect("a row")).filter(|row| wanted.iter().all(|&(at, value)| &row[at] == value)) {
        for (heading, value) in headings.iter().zip(&row) {
            columns.entry(heading.to_owned()).or_insert_with(Vec::new).push(value.to_owned());
        }
    }
    assert!(!columns.is_empty(), "no such row in {name}");
    columns
}

/// The run of a sweep and the only run of another have the same bits: in every column that both have.
fn same_bits(many: &Outcome, one: &Outcome, sweep: &str, wanted: &[(&str, &str)], quantities: &[&str]) {
    let in_sweep = cell(many, "runs.csv", wanted);
    let alone = cell(one, "runs.csv", &[("sweep", sweep)]);
    let trace = format!("{sweep}.trace.csv");
    let rows_in_sweep = cell(many, &trace, &[("cell", &in_sweep["cell"][0])]);
    let rows_alone = cell(one, &trace, &[("cell", "0")]);
    assert_eq!(alone["cell"], ["0"]);
    for quantity in quantities {
        assert_eq!(in_sweep[*quantity], alone[*quantity], "{wanted:?} {quantity}");
        assert_eq!(rows_in_sweep[*quantity], rows_alone[*quantity], "{wanted:?} {quantity}");
    }
}

#[test]
fn a_rule_alone_gives_the_bits_it_has_in_the_sweep() {
    let text = without(&gallery("straight_line.opt"), &["plot", "expect"]);
    let text = with(&text, "batches of 1 in order", "batches of 1 in order; record b, w, squared_error each step");
    let many = outcome_of(&text);
    let (before, rest) = text.split_once("optimizer in [").expect("a list of rules");
    let (list, after) = rest.split_once("\n  ]").expect("a list of rules");
    let mut rules = 0;
    for rule in list.lines().map(|line| line.trim().trim_end_matches(',')).filter(|line| !line.is_empty()) {
        let one = outcome_of(&format!("{before}optimizer in [{rule}]{after}"));
        let name = rule.split('(').next().expect("a name");
        same_bits(&many, &one, "fit", &[("optimizer", name)], &["b", "w", "squared_error"]);
        rules += 1;
    }
    assert_eq!(rules, 5);
}

#[test]
fn a_rate_alone_gives_the_bits_it_has_in_the_sweep() {
    let text = gallery("adam_vs_rmsprop.opt");
    let model = text.split_once("\nsweep ").expect("a sweep").0;
    let spec = |rules: &str, rates: &str| {
        let sweep =
            format!("sweep s {{ minimize total; optimizer in [{rules}]; lr in [{rates}]; steps = 100; record cost, W, b each step }}");
        outcome_of(&format!("{model}\n{sweep}\ntable t {{ rows optimizer, lr; show cost, b, W }}\n"))
    };
    let many = spec("gd, adam(bias_correction = false)", "1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000");
    for rate in ["1e-6", "1e-3", "1000"] {
        let one = spec("adam(bias_correction = false)", rate);
        let shown = &cell(&one, "runs.csv", &[("sweep", "s")])["lr"][0];
        same_bits(&many, &one, "s", &[("optimizer", "adam"), ("lr", shown)], &["cost", "b", "W[0]", "W[13]", "W[29]"]);
    }
}

/// Runs a spec with the program itself, and gives the exit code.
fn exit_code(text: &str) -> Option<i32> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let spec = folder.path().join("spec.opt");
    fs::write(&spec, text).expect("the folder can be written");
    let output = Command::new(env!("CARGO_BIN_EXE_optrun")).arg(&spec).arg("--out").arg(folder.path().join("out")).output();
    output.expect("the program starts").status.code()
}

#[test]
fn a_constant_of_a_rule_cannot_change_unnoticed() {
    let text = without(&gallery("straight_line.opt"), &["plot"]);
    assert_eq!(exit_code(&text), Some(0));
    let mut unnoticed = Vec::new();
    for (part, replacement) in [
        ("sgd(lr = 1e-4)", "sgd(lr = 1.01e-4)"),
        ("ema_momentum(lr = 1e-4, beta = 0.9,", "ema_momentum(lr = 1e-4, beta = 0.91,"),
        ("ema_momentum(lr = 1e-4, beta = 0.9, start = 1)", "ema_momentum(lr = 1e-4, beta = 0.9, start = 0)"),
        ("rmsprop(lr = 0.02, beta = 0.9,", "rmsprop(lr = 0.02, beta = 0.91,"),
        ("rmsprop(lr = 0.02, beta = 0.9, start = 1,", "rmsprop(lr = 0.02, beta = 0.9, start = 0,"),
        ("rmsprop(lr = 0.02, beta = 0.9, start = 1, eps = 0", "rmsprop(lr = 0.02, beta = 0.9, start = 1, eps = 1e-8"),
        ("beta1 = 0.9,", "beta1 = 0.91,"),
        ("beta2 = 0.9,", "beta2 = 0.91,"),
        ("beta2 = 0.9, start = 1,", "beta2 = 0.9, start = 0,"),
        ("eps = 0, bias_correction = false", "eps = 1e-6, bias_correction = false"),
        ("bias_correction = false", "bias_correction = true"),
        ("beta_m = 0.9,", "beta_m = 0.91,"),
        ("beta_r = 0.95", "beta_r = 0.94"),
        ("m = 1, r = 1", "m = 0, r = 1"),
        ("m = 1, r = 1", "m = 1, r = 0"),
        ("best = 5500", "best = 500"),
        ("level/best > 2", "level/best > 3"),
        ("rate/4", "rate/5"),
    ] {
        if exit_code(&with(&text, part, replacement)) != Some(1) {
            unnoticed.push(replacement);
        }
    }
    assert!(unnoticed.is_empty(), "the expectations hold all the same: {unnoticed:#?}");
}
