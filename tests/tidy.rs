//! The rules of the house, read off the files themselves.
//!
//! It runs none of the program's code; each rule is a test of its own and names the file and line that break it.

#[path = "tidy/rust.rs"]
mod rust;
#[path = "tidy/tree.rs"]
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rust::{crate_paths, identifiers, without_tests};
use tree::{File, file, files, root};

/// The rooms by row; a room sees only the rows below its own.
const ROWS: [&[&str]; 6] = [
    &["source", "diag", "shape", "numeric", "library", "solvers"],
    &["syntax", "expr", "data", "results", "native"],
    &["check", "compile", "report"],
    &["plan"],
    &["solve", "run", "ask"],
    &["cli", "lib", "main", "pipeline", "publish"],
];

/// Arrows along a row, each with its reason.
const SIDEWAYS: [(&str, &str, &str); 1] = [("results", "expr", "a question to the results is an expression graph")];

/// Where a heavy dependency may be used.
const HOMES: [(&str, &[&str]); 10] = [
    ("pest", &["src/syntax/parse.rs"]),
    ("pest_derive", &["src/syntax/parse.rs"]),
    ("rayon", &["src/run/pool.rs"]),
    ("plotters", &["src/report/png.rs", "src/report/svg.rs"]),
    ("libc", &["src/native/memory.rs"]),
    ("clap", &["src/cli/"]),
    ("indicatif", &["src/cli/"]),
    ("anstream", &["src/cli/"]),
    ("annotate_snippets", &["src/diag.rs"]),
    ("comfy_table", &["src/report/"]),
];

/// Names of rules that are words of another kind somewhere: file, word, reason.
const OTHER_WORDS: [(&str, &str, &str); 1] =
    [("src/check/sweep/arguments.rs", "momentum", "what other libraries call the argument `beta`")];

/// The longest a file may be, in lines.
const LONGEST: usize = 500;

/// Codes that no small file in the tree can show, and why.
const UNSHOWN: [(&str, &str); 4] = [
    ("E0514", "columns are computed before parameters exist: their names are refused first, as E0207"),
    ("E0522", "a file over a limit: the smallest has a gigabyte"),
    ("E0523", "a file that may not be read, or changes meanwhile"),
    ("E0705", "an import that may not be read"),
];

/// Codes of mistakes that show at two stages of reading, and where.
const TWICE: [(&str, &str); 6] = [
    ("E0104", "a lone carriage return: in the layout, and where it stopped the grammar"),
    ("E0105", "nesting: brackets in the layout, powers and signs in the tree"),
    ("E0129", "a missing comma: as a habit, and where it stopped the grammar"),
    ("E0133", "Python's `if`: on a line of its own, and inside an expression"),
    ("E0138", "an update outside a rule: at the start of a line, and inside one"),
    ("E0142", "a misspelt word: at the start of a line, and in its middle"),
];

/// Files that are longer, each with its reason.
const LONG: [(&str, &str); 1] = [("src/syntax/ast.rs", "the whole tree on one page, types without behaviour")];

/// Fails with one line per finding.
fn none(findings: &[String], rule: &str) {
    assert!(findings.is_empty(), "{rule}:\n  {}", findings.join("\n  "));
}

fn row(room: &str) -> Option<usize> {
    ROWS.iter().position(|rooms| rooms.contains(&room))
}

/// `data` of `src/data/csv.rs`, `diag` of `src/diag.rs`.
fn room(path: &str) -> &str {
    let below = path.strip_prefix("src/").unwrap_or(path);
    below.split('/').next().unwrap_or(below).trim_end_matches(".rs")
}

#[test]
fn arrows_point_down() {
    let mut findings = Vec::new();
    for File { path, text } in files("src", "rs") {
        let from = room(&path);
        let Some(here) = row(from) else {
            findings.push(format!("{path}: the room `{from}` stands in no row of this test"));
            continue;
        };
        for (line, to) in crate_paths(&text) {
            let down = row(&to).is_none_or(|there| there < here || (there == here && (here == 0 || here == ROWS.len() - 1)));
            let allowed = to == from || down || SIDEWAYS.iter().any(|&(a, b, _)| (a, b) == (from, to.as_str()));
            if !allowed {
                findings.push(format!("{path}:{line}: `{from}` must not see `{to}`"));
            }
        }
    }
    none(&findings, "arrows point down only");
}

#[test]
fn heavy_dependencies_stay_at_home() {
    let mut findings = Vec::new();
    for File { path, text } in files("src", "rs") {
        for (line, word) in identifiers(&text) {
            if let Some((name, homes)) = HOMES.iter().find(|(name, _)| *name == word)
                && !homes.iter().any(|home| path.starts_with(home))
            {
                findings.push(format!("{path}:{line}: `{name}` belongs into {}", homes.join(" or ")));
            }
        }
    }
    none(&findings, "each heavy dependency has one home");
}

#[test]
fn only_the_command_line_prints() {
    // The macros that print are denied by clippy; this is about the streams themselves.
    let mut findings = Vec::new();
    for File { path, text } in files("src", "rs").into_iter().filter(|file| room(&file.path) != "cli") {
        for (line, word) in identifiers(without_tests(&text)) {
            if ["stdout", "stderr"].contains(&word.as_str()) {
                findings.push(format!("{path}:{line}: `{word}`"));
            }
        }
    }
    none(&findings, "only src/cli prints");
}

#[test]
fn unsafe_code_stays_at_home() {
    let unsafe_at = |File { path, text }: File| {
        let lines: Vec<String> =
            identifiers(&text).filter(|(_, word)| word == "unsafe").map(|(line, _)| format!("{path}:{line}")).collect();
        lines
    };
    let home = |file: &File| room(&file.path) == "numeric" || file.path == "src/native/memory.rs";
    let elsewhere = files("src", "rs").into_iter().filter(|file| !home(file));
    none(&elsewhere.flat_map(unsafe_at).collect::<Vec<_>>(), "unsafe code is in src/numeric and src/native/memory.rs alone");
}

#[test]
fn files_are_short_and_say_what_they_do() {
    let mut findings = Vec::new();
    for File { path, text } in files("src", "rs").into_iter().chain(files("tests", "rs")) {
        let lines = text.lines().count();
        match (lines > LONGEST, LONG.iter().find(|(long, _)| *long == path)) {
            (true, None) => findings.push(format!("{path}: {lines} lines; more than {LONGEST} ask to be split")),
            (false, Some(_)) => findings.push(format!("{path}: is short by now; take it out of the list of long files")),
            _ => {}
        }
        if !text.starts_with("//! ") {
            findings.push(format!("{path}: does not start with `//!` and a sentence"));
        } else if text.starts_with("//! (") {
            findings.push(format!("{path}: its first line is a placeholder"));
        }
    }
    none(&findings, "files are short and begin with what they do");
}

#[test]
fn nothing_is_left_for_later() {
    let marks = ["TODO", "FIXME", "XXX", "HACK", "todo!", "dbg!", "unimplemented!"];
    let mut findings = Vec::new();
    for folder in ["src", "tests", "grammar", "specs", "docs", ".ci", "benches"] {
        for File { path, text } in files(folder, "").into_iter().filter(|file| !file.path.starts_with("tests/tidy")) {
            for (index, line) in text.lines().enumerate() {
                findings.extend(marks.iter().filter(|mark| line.contains(**mark)).map(|mark| format!("{path}:{}: {mark}", index + 1)));
            }
        }
    }
    none(&findings, "nothing is left for later");
}

#[test]
fn no_path_of_a_developers_machine() {
    let marks = ["/home/", "/root/", "/Users/", "C:\\Users"];
    let mut findings = Vec::new();
    let all = ["src", "tests", "grammar", "specs", "docs", ".ci", "benches"].into_iter().flat_map(|folder| files(folder, ""));
    let top = ["README.md", "Cargo.toml", ".gitignore"].into_iter().filter_map(file);
    for File { path, text } in all.chain(top).filter(|file| file.path != "tests/tidy.rs") {
        for (index, line) in text.lines().enumerate() {
            findings.extend(marks.iter().filter(|mark| line.contains(**mark)).map(|mark| format!("{path}:{}: {mark}", index + 1)));
        }
    }
    none(&findings, "paths of one machine");
}

/// The names of the files in `specs/std`.
fn std_rules() -> BTreeSet<String> {
    let names = files("specs/std", "opt").into_iter();
    let names: BTreeSet<String> =
        names.filter_map(|file| Some(file.path.rsplit_once('/')?.1.trim_end_matches(".opt").to_owned())).collect();
    assert!(!names.is_empty(), "specs/std is empty");
    names
}

#[test]
fn the_library_has_every_file_of_specs_std() {
    let library = file("src/library.rs").expect("src/library.rs");
    let listed = library.text.split('"').filter_map(|text| text.strip_prefix("../specs/std/")?.strip_suffix(".opt"));
    let listed: Vec<&str> = listed.filter(|name| !name.is_empty()).collect();
    let there: Vec<String> = std_rules().into_iter().collect();
    assert_eq!(listed, there, "src/library.rs (left) and specs/std (right) differ, or are not in order");
}

#[test]
fn no_rule_of_the_library_is_named_in_rust() {
    let rules = std_rules();
    let plain = |word: &str| word.replace('_', "").to_lowercase();
    let plain_rules: BTreeSet<String> = rules.iter().map(|rule| plain(rule)).collect();
    let mut findings = Vec::new();
    for File { path, text } in files("src", "rs") {
        let text = without_tests(&text);
        for (line, word) in identifiers(text) {
            if plain_rules.contains(&plain(&word)) {
                findings.push(format!("{path}:{line}: the identifier `{word}`"));
            }
        }
        for (line, literal) in rust::strings(text) {
            let other = OTHER_WORDS.iter().any(|&(file, word, _)| (file, word) == (path.as_str(), literal.as_str()));
            if rules.contains(&literal) && !other {
                findings.push(format!("{path}:{line}: the text \"{literal}\""));
            }
        }
    }
    none(&findings, "an update rule is .opt text, and Rust knows none by name");
}

/// Where each diagnostic code stands in the program.
fn codes() -> BTreeMap<String, BTreeSet<String>> {
    let mut codes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for File { path, text } in files("src", "rs").into_iter().filter(|file| !file.path.ends_with("tests.rs")) {
        for (_, literal) in rust::strings(without_tests(&text)) {
            if is_code(&literal) {
                codes.entry(literal).or_default().insert(path.clone());
            }
        }
    }
    codes
}

/// `E0304`, `W0012`, `N0001`.
fn is_code(text: &str) -> bool {
    text.len() == 5 && text.starts_with(['E', 'W', 'N']) && text[1..].bytes().all(|byte| byte.is_ascii_digit())
}

/// The wrong specs of the corpus: the code in the name, and the path.
fn wrong_specs() -> Vec<(String, String)> {
    let specs = files("tests/corpus", "opt").into_iter();
    specs.filter_map(|file| Some((file.path.rsplit_once('/')?.1.get(..5).filter(|code| is_code(code))?.to_owned(), file.path))).collect()
}

#[test]
fn one_code_is_used_for_one_mistake() {
    let codes = codes();
    assert!(!codes.is_empty(), "there are no diagnostic codes in src");
    for (code, _) in TWICE {
        assert_eq!(codes.get(code).map_or(0, BTreeSet::len), 2, "{code} need not be excepted any more");
    }
    let several = codes.iter().filter(|(code, paths)| paths.len() > 1 && !TWICE.iter().any(|(twice, _)| twice == code));
    none(&several.map(|(code, paths)| format!("{code} in {paths:?}")).collect::<Vec<_>>(), "a code belongs to one file");
}

#[test]
fn every_code_has_a_case_and_every_case_a_code() {
    let codes = codes();
    let specs = wrong_specs();
    let shown: BTreeSet<&str> = specs.iter().map(|(code, _)| code.as_str()).collect();
    let mut findings: Vec<String> = Vec::new();
    let unshown = |code: &str| UNSHOWN.iter().any(|(known, _)| *known == code);
    for (code, paths) in codes.iter().filter(|(code, _)| !shown.contains(code.as_str()) && !unshown(code)) {
        findings.push(format!("{code} of {paths:?} has no case tests/corpus/error/{code}-*.opt"));
    }
    findings.extend(UNSHOWN.iter().filter(|(code, _)| shown.contains(code)).map(|(code, _)| format!("{code} has a case now")));
    findings.extend(specs.iter().filter(|(code, _)| !codes.contains_key(code)).map(|(code, path)| format!("{path}: no source has {code}")));
    none(&findings, "codes and cases belong together");
}

#[test]
fn the_corpus_is_broad() {
    let specs = wrong_specs();
    let distinct: BTreeSet<&str> = specs.iter().map(|(code, _)| code.as_str()).collect();
    assert!(specs.len() >= 100, "tests/corpus has {} wrong specs; at least 100 are wanted", specs.len());
    assert!(distinct.len() >= 60, "tests/corpus shows {} diagnostic codes; at least 60 are wanted", distinct.len());
}

#[test]
fn every_invariant_names_a_test() {
    let Some(File { text, .. }) = file("src/ARCHITECTURE.md") else { panic!("src/ARCHITECTURE.md is missing") };
    let sources = files("src", "rs").into_iter().chain(files("tests", "rs"));
    let tests: BTreeSet<String> = sources.flat_map(|file| rust::functions(&file.text)).collect();
    let invariants: Vec<(usize, &str)> = text.lines().enumerate().filter(|(_, line)| line.contains("Invariant")).collect();
    assert!(!invariants.is_empty(), "src/ARCHITECTURE.md has no line with an Invariant");
    // The test's name is in backticks: `name`, or `module::name`.
    let holds = |line: &str| line.split('`').skip(1).step_by(2).any(|name| tests.contains(name.rsplit("::").next().unwrap_or(name)));
    let without = invariants.iter().filter(|(_, line)| !holds(line));
    none(
        &without.map(|(index, line)| format!("src/ARCHITECTURE.md:{}: {line}", index + 1)).collect::<Vec<_>>(),
        "an invariant names its test",
    );
}

#[test]
fn every_data_file_has_a_source_and_is_what_it_was() {
    let sources = file("specs/data/SOURCES.toml").expect("specs/data/SOURCES.toml");
    let sources: toml::Table = sources.text.parse().expect("SOURCES.toml is TOML");
    let entries = sources["file"].as_array().expect("a list of files");
    let named: BTreeSet<&str> = entries.iter().map(|entry| entry["name"].as_str().expect("a name")).collect();
    for entry in entries {
        let name = entry["name"].as_str().expect("a name");
        for key in ["dataset", "source", "licence", "sha256"] {
            assert!(entry.get(key).and_then(toml::Value::as_str).is_some_and(|text| !text.is_empty()), "{name} has no `{key}`");
        }
        let bytes = fs::read(root().join("specs/data").join(name)).unwrap_or_else(|error| panic!("specs/data/{name}: {error}"));
        assert_eq!(entry["bytes"].as_integer(), i64::try_from(bytes.len()).ok(), "{name}: size");
        assert_eq!(entry["blake3"].as_str(), Some(blake3::hash(&bytes).to_hex().as_str()), "{name}: hash");
    }
    let there = fs::read_dir(root().join("specs/data")).expect("specs/data").map(|entry| entry.expect("an entry").file_name());
    let unnamed: Vec<String> = there.map(|name| name.into_string().expect("UTF-8")).filter(|name| !named.contains(name.as_str())).collect();
    assert_eq!(unnamed, ["SOURCES.toml"], "files of specs/data without a source");
}
