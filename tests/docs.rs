//! The documentation against the program: every spec in it is checked or run, every table of it that the program knows is compared.
//!
//! It judges no wording. `INSTA_UPDATE=always` writes the sections that are generated.

#![allow(clippy::unwrap_used, clippy::format_push_string, reason = "helpers of tests may fail as tests do; short texts")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use optrun::check::BUILTINS;
use optrun::diag::{Diagnostics, render};
use optrun::numeric::format::shortest;
use optrun::numeric::random::Stream;
use optrun::pipeline::{self, Ending, Failure, Limits, RunOptions};
use optrun::solvers::{self, SOLVERS};
use optrun::source::Sources;
use optrun::syntax;

/// The pages that hold specs.
const PAGES: [&str; 2] = ["README.md", "docs/language.md"];

/// A fenced block: the page and its line, what stands after the fence, and the text.
struct Block {
    place: String,
    tag: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All blocks of the pages with that tag.
fn blocks(tag: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    for path in PAGES {
        let text = page(path);
        let mut open: Option<Block> = None;
        for (index, line) in text.lines().enumerate() {
            match (&mut open, line.strip_prefix("```")) {
                (None, Some(after)) => {
                    open = Some(Block { place: format!("{path}:{}", index + 1), tag: after.to_owned(), text: String::new() });
                }
                (Some(_), Some(_)) => found.extend(open.take()),
                (Some(block), None) => block.text.push_str(&format!("{line}\n")),
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{path}: a block is not closed");
    }
    found.retain(|block| block.tag == tag);
    assert!(!found.is_empty(), "no block has the tag `{tag}`");
    found
}

/// What the command line would say about a spec of this text; `data/` is that of the gallery.
fn options(folder: &Path, text: &str) -> RunOptions {
    let spec = folder.join("spec.opt");
    fs::write(&spec, text).expect("a file in a temporary folder");
    RunOptions { spec, data: Some(root().join("specs")), only: Vec::new(), set: Vec::new(), threads: None, limits: Limits::default() }
}

fn shown(sources: &Sources, diagnostics: &Diagnostics) -> String {
    diagnostics.list.iter().map(|diagnostic| render(sources, diagnostic, false) + "\n").collect()
}

fn told(failure: &Failure) -> String {
    match failure {
        Failure::Spec { sources, diagnostics } => shown(sources, diagnostics),
        Failure::Wrong(message) | Failure::Outside(message) => message.clone(),
    }
}

#[test]
fn whole_specs_check_without_a_word_and_their_expectations_hold() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut findings = Vec::new();
    for Block { place, text, .. } in blocks("opt") {
        match pipeline::prepare(&options(folder.path(), &text)) {
            Err(failure) => findings.push(format!("{place}:\n{}", told(&failure))),
            Ok(prepared) if !prepared.diagnostics.list.is_empty() => {
                findings.push(format!("{place}:\n{}", shown(&prepared.sources, &prepared.diagnostics)));
            }
            Ok(prepared) if text.contains("\nexpect ") => match pipeline::run(&prepared.value, &|_| {}) {
                Err(failure) => findings.push(format!("{place}:\n{}", told(&failure))),
                Ok(outcome) if outcome.value.ending != Ending::Fine => findings.push(format!("{place}:\n{}", outcome.value.text)),
                Ok(_) => {}
            },
            Ok(_) => {}
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn fragments_parse() {
    for Block { place, text, .. } in blocks("opt fragment") {
        let mut sources = Sources::new();
        let file = sources.add(place.clone(), PathBuf::new(), text, false);
        let (_, diagnostics) = syntax::parse(&sources, file);
        assert!(diagnostics.list.is_empty(), "{place}:\n{}", shown(&sources, &diagnostics));
    }
}

/// What surrounds each line of a block of refused specs.
const AROUND: &str = "dataset d { x = [1, 2, 3] }
param w = [0, 0]
loss J = sum((w[0] + w[1]*x - 2)^2)
sweep s { minimize J; optimizer = gd; lr = 0.1; steps = 3 }
";

#[test]
fn what_is_not_there_yet_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for Block { place, text, .. } in blocks("opt refused") {
        for line in text.lines() {
            let seed = if line.starts_with("rng") { "" } else { "rng 1\n" };
            let Err(refused) = pipeline::prepare(&options(folder.path(), &format!("{seed}{AROUND}{line}\n"))) else {
                panic!("{place}: this is there by now: {line}")
            };
            let Failure::Spec { diagnostics, .. } = &refused else { panic!("{place}: {line}\n{}", told(&refused)) };
            let codes: BTreeSet<&str> = diagnostics.list.iter().map(|diagnostic| diagnostic.code).collect();
            assert_eq!(codes, BTreeSet::from(["E0001"]), "{place}: {line}\n{}", told(&refused));
        }
    }
}

/// Compares the part of a page between `<!-- name -->` and `<!-- /name -->` with what the program says.
fn generated(path: &str, name: &str, body: &str) {
    let text = page(path);
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&open).unwrap_or_else(|| panic!("{path} has no {open}"));
    let (found, after) = rest.split_once(&close).unwrap_or_else(|| panic!("{path} has no {close}"));
    if found == body {
        return;
    }
    if std::env::var("INSTA_UPDATE").is_ok_and(|mode| mode == "always") {
        fs::write(root().join(path), format!("{before}{open}{body}{close}{after}")).expect("the page can be written");
        return;
    }
    panic!("{path}: the section `{name}` should read (INSTA_UPDATE=always writes it)\n\n{body}");
}

#[test]
fn the_table_of_functions_is_that_of_the_checker() {
    let rows = BUILTINS.iter().map(|function| {
        let usage: Vec<String> = split_usages(function.usage).into_iter().map(|usage| format!("`{usage}`")).collect();
        format!("| `{}` | {} | {} |\n", function.name, usage.join(", "), function.gives)
    });
    let table = format!("| name | written | gives |\n| --- | --- | --- |\n{}", rows.collect::<String>());
    generated("docs/language.md", "builtins", &table);
}

#[test]
fn the_table_of_solvers_is_that_of_the_program() {
    let rows = SOLVERS.iter().map(|solver| format!("| `{}` | {} |\n", solver.head(), solver.summary));
    let mut text = format!("| solver | what it is |\n| --- | --- |\n{}\n", rows.collect::<String>());
    for solver in SOLVERS {
        for argument in solver.arguments {
            let may = match argument.default {
                solvers::Default::Words(words) => format!("`{}`", words.join("`, `")),
                _ => argument.range.text().to_owned(),
            };
            text.push_str(&format!("- `{}` of `{}` ({may}): {}.\n", argument.name, solver.name, argument.says));
        }
    }
    generated("docs/language.md", "solvers", &text);
}

/// `range(n), range(a, b)` as two.
fn split_usages(usage: &str) -> Vec<&str> {
    usage.split_inclusive("), ").map(|part| part.trim_end_matches(", ")).collect()
}

#[test]
fn the_golden_values_are_those_of_the_streams() {
    let mut rows = String::from(
        "| name | bits of the first draw | as `uniform(0, 1)` | as `normal(0, 1)` | as `integers(1, 6)` |\n| --- | --- | --- | --- | --- |\n",
    );
    for name in ["W", "b", "θ"] {
        let stream = || Stream::new(0, "start", name, &[0]);
        let whole = stream().integers(1, 6).expect("1 is below 6");
        rows.push_str(&format!(
            "| `{name}` | {} | {} | {} | {whole} |\n",
            stream().next_u64(),
            shortest(stream().uniform()),
            shortest(stream().normal())
        ));
    }
    generated("docs/language.md", "golden", &rows);
}

#[test]
fn the_readme_lists_the_commands_that_there_are() {
    let output = Command::new(env!("CARGO_BIN_EXE_optrun")).arg("--help").output().expect("the program starts");
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    let (_, after) = help.split_once("Commands:\n").expect("a list of commands");
    let there: Vec<&str> = after.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next()).collect();
    let readme = page("README.md");
    let told = readme.lines().filter_map(|line| line.strip_prefix("| `optrun ")?.split([' ', '`']).next());
    let told: Vec<&str> = told.filter(|word| *word != "SPEC").collect();
    assert_eq!(told, there, "README.md (left) and `optrun --help` (right)");
}

#[test]
fn links_lead_to_files() {
    let mut findings = Vec::new();
    for path in PAGES {
        let folder = root().join(path).parent().expect("a folder").to_owned();
        for link in page(path).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or(link);
            if !file.starts_with("https:") && !file.is_empty() && !folder.join(file).exists() {
                findings.push(format!("{path}: {link}"));
            }
        }
    }
    assert!(findings.is_empty(), "links that lead nowhere: {findings:?}");
}
