//! `optrun diagnose`: each finding in a spec where it fires, and beside it one where it must not; what it says at any number of threads.
//!
//! The numbers are those of closed forms, and of research on the seeds with other libraries.

use std::path::PathBuf;

use optrun::pipeline::{self, Limits, RunOptions};
use serde_json::Value;

fn diagnosed(name: &str, threads: usize) -> (String, Value) {
    let options = RunOptions {
        spec: PathBuf::from(format!("{}/tests/diagnose/{name}.opt", env!("CARGO_MANIFEST_DIR"))),
        data: None,
        only: Vec::new(),
        set: Vec::new(),
        threads: std::num::NonZeroUsize::new(threads),
        limits: Limits::default(),
    };
    let found = pipeline::diagnose(&options).unwrap_or_else(|failure| panic!("{name}: {failure:?}")).value;
    (found.text, found.json)
}

fn named<'v>(json: &'v Value, name: &str) -> Option<&'v Value> {
    json["findings"].as_array()?.iter().find(|finding| finding["name"] == name)
}

/// The name of a finding, its evidence, and its line.
type Expected = (&'static str, &'static [(&'static str, f64)], u64);

/// A finding, the evidence of it that is known from elsewhere, and its line.
const FINDINGS: [Expected; 17] = [
    // Curvatures 0.2 and 4: the limit is 1/2, and 1 - 0.6*4 = -1.4.
    ("rate_above_limit", &[("curvature", 4.0), ("limit", 0.5), ("factor", -1.4)], 4),
    ("overshoots", &[("curvature", 4.0), ("factor", -0.8)], 4),
    ("rate_far_below", &[("curvature", 2.0), ("steps", 500.0)], 4),
    ("reach", &[("reach", 0.02)], 3),
    ("cycles", &[("lr", 0.4)], 4),
    // 0.1/sqrt(0.001) at first; the largest is known from a simulation in NumPy, 6.57 at step 12.
    ("first_steps", &[("first", 3.162_277), ("longest", 6.57), ("step", 12.0)], 3),
    ("sum_not_mean", &[("ratio", 4.0), ("lr_of_mean", 0.04)], 4),
    // The deviations of 1..6 and of 300, 100, 250, 600, 500, 200.
    ("feature_scales", &[("smallest_scale", 1.707_825), ("largest_scale", 172.602_4)], 5),
    ("dropped_rows", &[("left_out", 1.0), ("rows", 7.0)], 4),
    // log(1 + 2/e) and log 3.
    ("squashed_logits", &[("floor", 0.551_444_7), ("chance", 1.098_612)], 3),
    // The mean of the ends is half of 0.559017^(1/2).
    ("unbounded_slope", &[("mean_of_ends", 0.373_837)], 2),
    ("saturated", &[("share", 0.75)], 6),
    ("dead_units", &[("dead", 4.0), ("units", 4.0)], 6),
    ("symmetric_start", &[("columns", 3.0)], 2),
    ("flat_start", &[], 1),
    ("unfelt_parameter", &[("gradient", 0.0)], 2),
    ("stops_at_once", &[("steps", 1.0), ("end", 148.0)], 4),
];

#[test]
fn each_finding_fires_where_it_should_and_only_there() {
    for (name, evidence, line) in FINDINGS {
        let (text, json) = diagnosed(name, 1);
        let finding = named(&json, name).unwrap_or_else(|| panic!("{name} is not found:\n{text}"));
        for (what, expected) in evidence {
            let got = finding["evidence"][what].as_f64().unwrap_or(f64::NAN);
            assert!((got - expected).abs() <= 1e-3 * expected.abs(), "{name}: {what} is {got}, not {expected}");
        }
        assert_eq!(finding["line"], line, "{name}");
        assert_eq!(diagnosed(name, 2), (text, json), "{name}: two threads say something else");
        let near = diagnosed(&format!("{name}.near"), 1);
        assert_eq!(named(&near.1, name), None, "{name} is found where it is not:\n{}", near.0);
    }
}

#[test]
fn every_suggestion_was_tried_and_went_farther() {
    for name in ["rate_above_limit", "overshoots", "rate_far_below", "reach", "cycles", "feature_scales", "saturated", "dead_units"] {
        let (text, json) = diagnosed(name, 1);
        let tried = &named(&json, name).expect("it is found")["tried"];
        let result = tried["result"].as_str().unwrap_or_default();
        assert!(result.contains("ends at") && result.contains("instead of"), "{name}:\n{text}");
    }
}

#[test]
fn a_seed_has_the_numbers_of_its_research() {
    let options = RunOptions {
        spec: PathBuf::from(format!("{}/specs/wisconsin.opt", env!("CARGO_MANIFEST_DIR"))),
        data: None,
        only: vec!["large".to_string()],
        set: Vec::new(),
        threads: None,
        limits: Limits::default(),
    };
    let json = pipeline::diagnose(&options).expect("it checks").value.json;
    // NumPy and JAX on the same data: the curvature at 0, and the share of rows with p(1 - p) < 1e-6 after 50 steps.
    for (name, what, expected) in [
        ("sum_not_mean", "ratio", 699.0),
        ("rate_above_limit", "curvature", 24_446.0),
        ("rate_above_limit", "limit", 8.18e-5),
        ("saturated", "share", 0.9857),
        ("saturated", "largest", 2341.0),
    ] {
        let got = named(&json, name).and_then(|finding| finding["evidence"][what].as_f64()).unwrap_or(f64::NAN);
        assert!((got - expected).abs() <= 1e-3 * expected, "{name}: {what} is {got}, not {expected}");
    }
}
