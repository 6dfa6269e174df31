//! The parser from outside: whole specs, precedence, size, recovery, and text back from trees.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use optrun::diag;
use optrun::source::{FileId, Sources};
use optrun::syntax::{self, ast};

fn specs(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder);
    let mut found: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "opt"))
        .collect();
    found.sort();
    found
}

fn load(text: &str) -> (Sources, FileId) {
    let mut sources = Sources::new();
    let file = sources.add("test.opt", ".", text, false);
    (sources, file)
}

fn parse_clean(name: &str, text: &str) -> ast::File {
    let (sources, file) = load(text);
    let (tree, found) = syntax::parse(&sources, file);
    let shown: Vec<String> = found.list.iter().map(|d| diag::render(&sources, d, false)).collect();
    assert!(shown.is_empty(), "{name}:\n{}", shown.join("\n\n"));
    tree
}

#[test]
fn every_spec_and_example_parses() {
    let mut count = 0;
    for path in ["wanted", "wanted/library", "language"].iter().flat_map(|folder| specs(folder)) {
        let text = syntax::decode(&std::fs::read(&path).unwrap()).unwrap();
        let tree = parse_clean(&path.display().to_string(), &text);
        let again = parse_clean(&format!("{} printed", path.display()), &syntax::file(&tree));
        assert_eq!(syntax::file(&again), syntax::file(&tree));
        assert_eq!(again.items.len(), tree.items.len());
        count += 1;
    }
    assert!(count >= 23 + 7, "only {count} files");
}

#[test]
fn timing_sanity() {
    let start = Instant::now();
    parse_clean("sum", &format!("let s = {}1", "1 + ".repeat(99_999)));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}
