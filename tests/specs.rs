//! Specs that use what the gallery does not: each must run and pass its own expectations.

use std::path::{Path, PathBuf};

use optrun::pipeline::{Ending, Failure, RunOptions, prepare, run};

#[test]
fn specs_pass_their_own_expectations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/specs");
    let mut specs: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    specs.retain(|path| path.extension().is_some_and(|ending| ending == "opt"));
    specs.sort();
    assert!(specs.len() >= 4);
    for spec in specs {
        let name = spec.display().to_string();
        let data = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("specs"));
        let options = RunOptions { spec, data, only: Vec::new(), threads: None, limits: optrun::pipeline::Limits::default() };
        let prepared = match prepare(&options) {
            Ok(prepared) => prepared.value,
            Err(Failure::Spec { sources, diagnostics }) => {
                let all: Vec<String> = diagnostics.list.iter().map(|d| optrun::diag::render(&sources, d, false)).collect();
                panic!("{name}:\n{}", all.join("\n"));
            }
            Err(failure) => panic!("{name}: {failure:?}"),
        };
        let outcome = run(&prepared, &|_| ()).unwrap().value;
        assert_eq!(outcome.ending, Ending::Fine, "{name}:\n{}", outcome.text);
        assert!(outcome.json()["checks"].as_array().is_some_and(|checks| !checks.is_empty()), "{name} expects nothing");
    }
}
