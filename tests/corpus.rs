//! Wrong specs as students write them: each is checked as `optrun check` does, and what it says stands beside it.
//!
//! It judges neither the words nor the places, which are read in the snapshots, but that the help helps.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use insta::{assert_snapshot, glob};
use optrun::diag::{Diagnostic, Diagnostics, Severity, render};
use optrun::pipeline::{self, Failure, Limits, RunOptions};
use optrun::source::Sources;

/// Cases whose first help does not make the spec check, each with its reason.
const STILL_WRONG: &[(&str, &str)] = &[];

/// The folder of a kind of cases.
fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(kind)
}

/// All cases of a kind: name without ending, path.
fn cases(kind: &str) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder(kind)).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<(String, PathBuf)> = entries
        .filter(|path| path.extension().is_some_and(|ending| ending == "opt"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    cases.sort();
    cases
}

/// What `optrun check` finds.
fn check(path: &Path) -> (Sources, Diagnostics) {
    let options = RunOptions { spec: path.to_path_buf(), data: None, only: Vec::new(), threads: None, limits: Limits::default() };
    match pipeline::prepare(&options) {
        Ok(checked) => (checked.sources, checked.diagnostics),
        Err(Failure::Spec { sources, diagnostics }) => (sources, diagnostics),
        Err(other) => panic!("{}: {other:?}", path.display()),
    }
}

/// The source, and what is said about it.
fn show(path: &Path) -> String {
    let (sources, found) = check(path);
    let below = format!("{}/", path.parent().unwrap().display());
    let said: Vec<String> = found.list.iter().map(|diagnostic| render(&sources, diagnostic, false).replace(&below, "")).collect();
    let lines: Vec<String> = said.join("\n\n").lines().map(|line| line.trim_end().to_owned()).collect();
    format!("{}\n\n{}", fs::read_to_string(path).unwrap().trim_end(), lines.join("\n"))
}

fn snapshots(kind: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder(kind));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.remove_snapshot_suffix();
    settings.remove_input_file();
    settings.bind(|| {
        for (name, path) in cases(kind) {
            assert_snapshot!(name, show(&path));
        }
    });
}
