//! Claims: those of the gallery and of the documentation are proved, and each with a mistake in it is refuted.
//!
//! What is proved is compared in numbers by the prover itself; here it is only said which way each claim must go.

#![allow(
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "helpers of tests may fail as tests do; short texts"
)]

use std::fs;
use std::path::{Path, PathBuf};

use optrun::ask::{ClaimResult, Verdict};
use optrun::diag::render;
use optrun::pipeline::{self, Failure, Limits, RunOptions};

mod random;
mod specs;
mod steps;

/// The claims of a spec of this text.
fn claims(text: &str) -> Vec<ClaimResult> {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.opt");
    fs::write(&spec, text).unwrap();
    let data: Option<PathBuf> = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("specs"));
    match pipeline::claims(&RunOptions { spec, data, only: Vec::new(), set: Vec::new(), threads: None, limits: Limits::default() }) {
        Ok(checked) => checked.value,
        Err(Failure::Spec { sources, diagnostics }) => {
            let shown: Vec<String> = diagnostics.list.iter().map(|d| render(&sources, d, false)).collect();
            panic!("{}\n{text}", shown.join("\n"))
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// The claims of a model that do not go the way they should.
fn wrong(model: &str, list: &[&str], proved: bool) -> Vec<String> {
    let text = format!("{model}\n{}", list.iter().map(|c| format!("claim {c}\n")).collect::<String>());
    let results = claims(&text);
    assert_eq!(results.len(), list.len());
    let ok = |r: &ClaimResult| if proved { r.passed() } else { matches!(r.verdict, Verdict::Refuted(_)) };
    results.iter().filter(|r| !ok(r)).map(|r| format!("{}: {:?}", r.text, r.verdict)).collect()
}

#[test]
fn what_is_true_is_proved_and_what_is_wrong_refuted() {
    let mut findings = Vec::new();
    for (model, right, mistaken) in specs::MODELS {
        findings.extend(wrong(model, right, true));
        findings.extend(wrong(model, mistaken, false));
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
