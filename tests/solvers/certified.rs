//! NIST's certified nonlinear regressions, with default settings from both starts.

use std::fmt::Write as _;

use super::support::{Columns, entries, numbers, root, run_in};
use optrun::numeric::elementary;
use serde_json::Value;

/// Correct digits, at most those that are certified.
fn digits(found: f64, certified: f64) -> f64 {
    -elementary::log10((found - certified).abs() / certified.abs())
}

fn text(entry: &Value, name: &str) -> String {
    entry[name].as_str().expect("a text").to_owned()
}

#[test]
fn regressions_are_those_that_nist_certifies() {
    let folder = root().join("tests/data/nist");
    let problems: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("problems.json")).expect("a file")).expect("JSON");
    let mut findings = Vec::new();
    let mut fits = 0;
    for problem in problems["problems"].as_array().expect("a list") {
        let (name, certified, errors) = (text(problem, "name"), numbers(&problem["parameters"]), numbers(&problem["standard_errors"]));
        let least = if text(problem, "difficulty") == "higher" { 6.0 } else { 8.0 };
        assert!(entries(problem).len() == 7 && certified.len() == errors.len());
        for (number, start) in problem["starts"].as_array().expect("a list").iter().enumerate() {
            let mut spec = format!("dataset d {{ csv \"{name}.csv\" }}\n");
            let names: Vec<String> = (1..=certified.len()).map(|k| format!("b{k}")).collect();
            for (name, x) in names.iter().zip(numbers(start)) {
                writeln!(spec, "param {name} = {x:?}").expect("a text");
            }
            writeln!(spec, "loss rss = sum((y - ({}))^2)", text(problem, "model")).expect("a text");
            spec += "sweep fit { minimize rss; optimizer = levenberg_marquardt }\n";
            let errors_of: Vec<String> = names.iter().map(|name| format!("standard_error({name})")).collect();
            writeln!(spec, "table t {{ show {}, {}, rss, status }}", names.join(", "), errors_of.join(", ")).expect("a text");
            let table = Columns::of(&run_in(&folder, &spec), "t.csv");
            let worst = |names: &[String], values: &[f64]| {
                names.iter().zip(values).map(|(name, x)| digits(table.numbers(name)[0], *x)).fold(f64::INFINITY, f64::min)
            };
            let rss = digits(table.numbers("rss")[0], problem["rss"].as_f64().expect("a number"));
            let found = [worst(&names, &certified), worst(&errors_of, &errors), rss];
            if found[0] < least || found[1] < 8.0 || found[2] < 8.0 || table.texts("status")[0] != "stopped" {
                findings.push(format!("{name}, start {}: digits of parameters, errors, squares {found:.1?}", number + 1));
            }
            fits += 1;
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    assert_eq!(fits, 16);
}
