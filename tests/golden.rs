//! Every rule of the library against the trajectories of PyTorch, Optax and Keras, as expectations of one spec.
//!
//! The numbers are those libraries'; they stand in the spec.

use std::path::Path;

use optrun::pipeline::{Ending, Limits, RunOptions, prepare, run};

#[test]
fn every_rule_moves_as_in_the_other_libraries() {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/optimizers.opt");
    let text = std::fs::read_to_string(&spec).expect("the golden spec");
    let options = RunOptions { spec, data: None, only: Vec::new(), set: Vec::new(), threads: None, limits: Limits::default() };
    let prepared = prepare(&options).expect("the golden spec is right").value;
    let outcome = run(&prepared, &|_| {}).expect("it runs").value;
    let missed: Vec<_> = outcome.report.checks.iter().filter(|check| !check.passed).collect();
    assert!(missed.is_empty(), "{missed:#?}");
    assert_eq!(outcome.ending, Ending::Fine);
    let written = text.lines().filter(|line| line.starts_with("expect ")).count();
    assert_eq!((outcome.report.checks.len(), written > 100), (written, true), "an expectation was lost");
}
