//! Wrong specs as students write them: each is checked as `optrun check` does, and what it says stands beside it.
//!
//! It judges neither the words nor the places, which are read in the snapshots, but that the help helps.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use insta::{assert_snapshot, glob};
use optrun::diag::{Diagnostic, Diagnostics, Severity, render};
use optrun::pipeline::{self, Failure, Limits, RunOptions};
use optrun::source::Sources;

/// Cases whose first help does not make the spec check, each with its reason.
const STILL_WRONG: &[(&str, &str)] = &[
    ("E0107-backtick-never-closed", "which characters belong to the name cannot be known"),
    ("E0114-elementwise-of-matlab", "the same mistake twice"),
    ("E0119-comment-of-c", "the same mistake twice"),
    ("E0122-minus-of-a-pdf", "the same mistake twice"),
    ("E0122-raised-dot", "the same mistake twice"),
    ("E0123-raised-two", "the same mistake twice"),
    ("E0135-no-else", "the value is the student's: a blank stands for it"),
    ("E0142-line-for-lines", "two words of two kinds"),
    ("E0176-nothing-after-equals", "the value is the student's: a blank stands for it"),
    ("E0183-function-without-return", "the value is the student's: a blank stands for it"),
    ("E0201-name-that-every-run-has", "the name stands in other lines, too, where it may mean the run's"),
    ("E0204-three-mistakes-at-once", "three independent mistakes"),
    ("E0204-underscore-for-an-index", "the same mistake twice"),
    ("E0206-column-of-two-datasets", "the same mistake twice"),
    ("E0517-file-with-a-header-only", "the file holds no data"),
];

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
    let options =
        RunOptions { spec: path.to_path_buf(), data: None, only: Vec::new(), set: Vec::new(), threads: None, limits: Limits::default() };
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

/// One snapshot beside each case.
fn snapshots(pattern: &str) {
    glob!(pattern, |path| {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(path.parent().unwrap());
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.remove_snapshot_suffix();
        settings.remove_input_file();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        settings.bind(|| assert_snapshot!(name, show(path)));
    });
}

#[test]
fn what_is_said_about_each_mistake() {
    snapshots("corpus/error/*.opt");
}

#[test]
fn what_is_said_poorly() {
    snapshots("corpus/error-poor/*.opt");
}

/// The text after an edit.
fn edited(text: &str, edits: &[(optrun::source::Span, String)]) -> String {
    let mut edits = edits.to_vec();
    edits.sort_by_key(|(span, _)| (span.lo, span.hi));
    let mut text = text.to_owned();
    for (span, with) in edits.iter().rev() {
        text.replace_range(span.lo as usize..span.hi as usize, with);
    }
    text
}

/// A folder with the data of the cases, in which texts can be checked.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        for entry in fs::read_dir(crate::folder("error/data")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.path().join("data").join(path.file_name().unwrap())).unwrap();
        }
        Bench { folder }
    }

    fn check(&self, text: &str) -> (Sources, Diagnostics) {
        let path = self.folder.path().join("spec.opt");
        fs::write(&path, text).unwrap();
        check(&path)
    }
}

fn errors(found: &Diagnostics) -> Vec<&Diagnostic> {
    found.list.iter().filter(|d| d.severity == Severity::Error).collect()
}

/// The text that was checked: without the mark at its beginning.
fn source(path: &Path) -> String {
    fs::read_to_string(path).unwrap().trim_start_matches('\u{feff}').to_owned()
}

#[test]
fn every_help_that_is_an_edit_helps() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for (name, path) in cases("error") {
        let text = source(&path);
        let (_, before) = check(&path);
        for diagnostic in &before.list {
            for help in diagnostic.help.iter().filter(|help| !help.edits.is_empty()) {
                tried += 1;
                let after = edited(&text, &help.edits);
                let (_, found) = bench.check(&after);
                let at = diagnostic.primary.span.lo;
                if found.list.iter().any(|d| d.code == diagnostic.code && d.primary.span.lo == at && d.message == diagnostic.message) {
                    wrong.push(format!("{name}: `{}` does not remove {}:\n{after}", help.text, diagnostic.code));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(tried >= 120, "{tried} edits were tried");
}

#[test]
fn the_first_help_makes_the_spec_check() {
    let bench = Bench::new();
    let (mut wrong, mut right) = (Vec::new(), BTreeSet::new());
    for (name, path) in cases("error") {
        let (_, before) = check(&path);
        let Some(help) = before.list.first().and_then(|d| d.help.iter().find(|help| !help.edits.is_empty())) else {
            continue;
        };
        let after = edited(&source(&path), &help.edits);
        let (sources, found) = bench.check(&after);
        match errors(&found).first() {
            None => _ = right.insert(name),
            Some(left) if !STILL_WRONG.iter().any(|(case, _)| *case == name) => {
                wrong.push(format!("{name}: {}\n{}", help.text, render(&sources, left, false)));
            }
            Some(_) => {}
        }
    }
    for (case, reason) in STILL_WRONG {
        assert!(!right.contains(*case), "{case} is listed as an exception ({reason}), but checks");
    }
    assert!(wrong.is_empty(), "{} wrong, {} right:\n{}", wrong.len(), right.len(), wrong.join("\n\n"));
}

#[test]
fn every_message_has_a_place_and_a_label_or_a_help() {
    let mut wrong = Vec::new();
    for (name, path) in cases("error").into_iter().chain(cases("error-poor")) {
        let (sources, found) = check(&path);
        if found.list.is_empty() {
            wrong.push(format!("{name}: nothing is said"));
        }
        for d in &found.list {
            let text = &sources.file(d.primary.span.file).text;
            let inside = d.primary.span.lo <= d.primary.span.hi && d.primary.span.hi as usize <= text.len();
            if !inside || !text.is_char_boundary(d.primary.span.lo as usize) || !text.is_char_boundary(d.primary.span.hi as usize) {
                wrong.push(format!("{name}: {} lies outside of the text", d.code));
            }
            if d.primary.text.is_empty() && d.labels.is_empty() && d.help.is_empty() {
                wrong.push(format!("{name}: {} has neither label nor help", d.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_case_is_named_after_its_code_and_is_short() {
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, path) in cases("error") {
        let code = name.split('-').next().unwrap().to_owned();
        let (_, found) = check(&path);
        if !found.list.iter().all(|d| d.code == code) && name != "E0204-three-mistakes-at-once" {
            wrong.push(format!("{name}: {:?}", found.list.iter().map(|d| d.code).collect::<Vec<_>>()));
        }
        if show(&path).lines().count() >= 80 {
            wrong.push(format!("{name}: its snapshot has more than 80 lines"));
        }
        *codes.entry(code).or_default() += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let cases: usize = codes.values().sum();
    assert!(cases >= 200 && codes.len() >= 150, "{cases} cases with {} codes", codes.len());
}
