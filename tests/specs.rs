//! Specs that use what the gallery does not: each must run and pass its own expectations.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

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
        let options =
            RunOptions { spec, data, only: Vec::new(), set: Vec::new(), threads: None, limits: optrun::pipeline::Limits::default() };
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
    let options = RunOptions {
        spec: path,
        data: None,
        only: Vec::new(),
        set: Vec::new(),
        threads: None,
        limits: optrun::pipeline::Limits::default(),
    };
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

const SETTABLE: &str = "rng 3
hyper lambda = 0
dataset d { x = [1, 2, 3] }
param w ~ normal(0, 1)
loss J = mean((d.x - w)^2) + lambda*w^2
sweep fit { minimize J; optimizer = gd; lr = 0.1; steps = 200 }
table t { rows lr; show start(w), w, J }
";

fn settable(text: &str, set: &[&str]) -> Result<optrun::pipeline::Outcome, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.opt");
    std::fs::write(&spec, text).unwrap();
    let set = set.iter().map(|&argument| argument.to_owned()).collect();
    let options = RunOptions { spec, data: None, only: Vec::new(), set, threads: None, limits: optrun::pipeline::Limits::default() };
    run(&prepare(&options)?.value, &|_| {}).map(|outcome| outcome.value)
}

#[test]
fn what_is_set_is_what_would_be_written() {
    for (set, from, to) in [
        (&["lambda=0.5"][..], "lambda = 0\n", "lambda = 1/2\n"),
        (&["rng = 7"], "rng 3", "rng 7"),
        (&["fit.lr=[0.1, 0.2]"], "lr = 0.1", "lr in [0.1, 0.2]"),
        (&["fit.epochs=20"], "steps = 200", "epochs = 20"),
        (&["fit.steps=3", "fit.optimizer=adam"], "= gd; lr = 0.1; steps = 200", "= adam; lr = 0.1; steps = 3"),
    ] {
        assert!(SETTABLE.contains(from));
        let (found, written) = (settable(SETTABLE, set).unwrap(), settable(&SETTABLE.replace(from, to), &[]).unwrap());
        assert_eq!(found.text, written.text, "{set:?}");
        let bytes = |file: &optrun::pipeline::Artifact| match &file.content {
            optrun::pipeline::Content::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        };
        let receipt = found.artifacts.iter().find(|file| file.name == "receipt.toml").map(bytes).unwrap();
        assert!(set.iter().all(|argument| receipt.contains(&format!("\"{argument}\""))), "{receipt}");
    }
}

#[test]
fn what_cannot_be_set_is_refused_where_it_stands() {
    for (argument, code, place) in [
        ("fit.steps=abc", "E0204", 10..13),
        ("fit.stepz=20", "E0449", 4..9),
        ("lambda=(1", "E0101", 7..8),
        ("fit.steps=2.5", "E0313", 10..13),
    ] {
        let Err(Failure::Spec { sources, diagnostics }) = settable(SETTABLE, &[argument]) else { panic!("{argument}") };
        let first = &diagnostics.list[0];
        let span = first.primary.span;
        assert_eq!((first.code, span.lo as usize..span.hi as usize), (code, place), "{argument}");
        assert_eq!(sources.file(span.file).name, format!("--set {argument}"));
    }
    for (argument, said) in [
        ("fitt.lr=1", "did you mean `fit`?"),
        ("w=1", "is no `hyper`"),
        ("lamda=2", "did you mean `lambda`?"),
        ("lambda", "says no value"),
        ("=3", "says no value"),
    ] {
        let Err(Failure::Wrong(words)) = settable(SETTABLE, &[argument]) else { panic!("{argument}") };
        assert!(words.contains(said), "{words}");
    }
}
