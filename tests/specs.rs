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

/// The first numbers of a stream as the reference names it, and what a spec makes of the same draw.
#[test]
fn draws_are_those_of_the_documented_streams() {
    use optrun::numeric::random::Stream;
    let sum = |list: &[f64]| list.iter().sum::<f64>();
    let normals = |name: &str, replicate: u64, count: usize| {
        let purpose = if name.contains('.') { "column" } else { "let" };
        let mut stream = Stream::new(5, purpose, name, &[replicate]);
        (0..count).map(|_| stream.normal()).collect::<Vec<f64>>()
    };
    let order = Stream::new(5, "split", "d", &[0]).permutation(20);
    let trained: f64 = order[..15].iter().map(|&row| row as f64).sum();
    let spec = format!(
        "rng 5
let kept ~ normal(0, 1)
let free ~ normal(0, 1)
dataset d {{ rows 20; x: [2] ~ normal(kept, 2); row = arange(20); split train = 15, test = rest, shuffle = true; y = row }}
dataset e {{ rows 3; x ~ normal(0, 1) }}
param w = 0
loss  J = mean((w - d.y)^2)
loss  K = mean((w - e.x)^2)
sweep same {{ minimize J; optimizer = gd(lr = 0.1); steps = 0; repeat 2 }}
sweep anew {{ minimize K; optimizer = gd(lr = 0.1); steps = 0; repeat 2 redraw e }}
expect start(sum(d.x)) + (start(sum(d.x) on test)) == {} +- 1e-12 from same
expect start(sum(d.row)) == {trained} +- 1e-12 from same
expect start(free) == {} +- 1e-12 from same for replicate == 0
expect start(free) == {} +- 1e-12 from same for replicate == 1
expect start(sum(e.x)) == {} +- 1e-12 from anew for replicate == 0
expect start(sum(e.x)) == {} +- 1e-12 from anew for replicate == 1
",
        2.0 * sum(&normals("d.x", 0, 40)) + 40.0 * normals("kept", 0, 1)[0],
        normals("free", 0, 1)[0],
        normals("free", 1, 1)[0],
        sum(&normals("e.x", 0, 3)),
        sum(&normals("e.x", 1, 3)),
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("draws.opt");
    std::fs::write(&path, spec).unwrap();
    let options = RunOptions { spec: path, data: None, only: Vec::new(), threads: None, limits: optrun::pipeline::Limits::default() };
    let prepared = match prepare(&options) {
        Ok(prepared) => prepared.value,
        Err(Failure::Spec { sources, diagnostics }) => {
            panic!("{}", diagnostics.list.iter().map(|d| optrun::diag::render(&sources, d, false)).collect::<String>())
        }
        Err(failure) => panic!("{failure:?}"),
    };
    let outcome = run(&prepared, &|_| ()).unwrap().value;
    assert_eq!(outcome.ending, Ending::Fine, "{}", outcome.text);
}
