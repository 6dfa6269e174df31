//! The usual layout of specs, as `optrun fmt` writes it: what it keeps, and what it changes.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::path::{Path, PathBuf};

use optrun::source::{FileId, Sources};
use optrun::syntax;

fn load(text: &str) -> (Sources, FileId) {
    let mut sources = Sources::new();
    let file = sources.add("test.opt", ".", text, false);
    (sources, file)
}

/// All specs of the repository, right and wrong.
fn everything(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the repository").flatten() {
        let path = entry.path();
        if path.is_dir() {
            everything(&path, found);
        } else if path.extension().is_some_and(|e| e == "opt") {
            found.push(path);
        }
    }
}

#[test]
fn the_usual_layout_keeps_the_meaning_and_is_its_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["specs", "tests"] {
        everything(&root.join(folder), &mut paths);
    }
    let mut texts: Vec<(String, String)> = Vec::new();
    for path in paths {
        // Some cases of the corpus are no text.
        texts.extend(syntax::decode(&std::fs::read(&path).unwrap()).ok().map(|text| (path.display().to_string(), text)));
    }
    let page = std::fs::read_to_string(root.join("docs/language.md")).unwrap();
    texts.extend(page.split("\n```").filter(|block| block.starts_with("opt")).enumerate().map(|(number, block)| {
        (format!("block {number} of the reference"), block.split_once('\n').map_or(String::new(), |(_, text)| text.to_owned()))
    }));
    let comments =
        |text: &str| text.lines().filter_map(|line| line.find('#').map(|at| line[at..].trim_end().to_owned())).collect::<Vec<_>>();
    let mut tried = 0;
    for (name, text) in texts {
        let (sources, file) = load(&text);
        let (tree, found) = syntax::parse(&sources, file);
        if found.has_errors() {
            continue;
        }
        tried += 1;
        let formatted = syntax::format(&text);
        let (sources, file) = load(&formatted);
        let (again, found) = syntax::parse(&sources, file);
        assert!(!found.has_errors(), "{name}:\n{formatted}");
        assert_eq!(syntax::file(&again), syntax::file(&tree), "{name}");
        assert_eq!(comments(&formatted), comments(&text), "{name}");
        assert_eq!(syntax::format(&formatted), formatted, "{name}");
    }
    assert!(tried > 300, "{tried}");
}

#[test]
fn the_usual_layout() {
    let text = "\n\nsweep s{minimize J;optimizer=gd;  lr in [ 1,2 ]\n\tsteps=3 # three\n\n\n      # about\n  }\nlet a=1\n  +f( x ,-y )  - 2 +z\nparam w :[3]~normal(0,1)\n\n\n";
    let usual = "sweep s { minimize J; optimizer = gd;  lr in [1, 2]\n  steps = 3  # three\n\n  # about\n}\nlet a = 1\n  + f(x, -y)  - 2 + z\nparam w: [3] ~ normal(0, 1)\n";
    assert_eq!(syntax::format(text), usual);
    let scan = "let s = scan h = 0 over x in X {\nh <- g(h,\n       x)\nyield h\n}\n";
    assert_eq!(syntax::format(scan), "let s = scan h = 0 over x in X {\n  h <- g(h,\n         x)\n  yield h\n}\n");
}
