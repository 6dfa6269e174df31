//! Compares optrun with the same work in C, NumPy, Numba and JAX: `benches/compare [--quick] [--json] [--scale] [W1 ..]`; see `benches/README.md`.
//!
//! This file reads the command line and calls the others; what is measured how stands in `measure.rs`.
#![allow(clippy::print_stderr, reason = "this is what a person runs it for")]

mod inputs;
mod measure;
mod optrun;
mod peer;
mod scale;
mod show;
mod whole;
mod workloads;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use measure::{Measured, Pace, Peers};
use optrun::Optrun;
use workloads::{QUICK_ROWS, WORKLOADS, Workload};

const USAGE: &str = "usage: benches/compare [--quick] [--json] [--scale] [WORKLOAD ..]
  --quick   smaller sizes; ends within two minutes
  --json    prints only a list of measurements as JSON
  --scale   prints how the cost grows with rows, cells, recorded points and the graph, and compares nothing
  WORKLOAD  measures only these, such as W1, W11 or W11.1000";

struct Options {
    quick: bool,
    json: bool,
    scale: bool,
    only: Vec<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options { quick: false, json: false, scale: false, only: Vec::new() };
    for word in std::env::args().skip(1) {
        match word.as_str() {
            "--bench" => {} // `cargo bench` says so to every program
            "--quick" => options.quick = true,
            "--json" => options.json = true,
            "--scale" => options.scale = true,
            name if WORKLOADS.iter().any(|w| is_of(w, name)) => options.only.push(word),
            _ => return Err(format!("`{word}` is not known\n{USAGE}")),
        }
    }
    if options.scale && (options.json || options.quick || !options.only.is_empty()) {
        return Err(format!("`--scale` goes alone\n{USAGE}"));
    }
    Ok(options)
}

/// Whether a workload, or the family it is of, has the name.
fn is_of(workload: &Workload, name: &str) -> bool {
    workload.name == name || workload.name.split('.').next() == Some(name)
}

fn main() -> ExitCode {
    if std::env::args().any(|word| word == "--help" || word == "-h") {
        eprintln!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match options().and_then(|options| run(&options)) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<ExitCode, String> {
    let begin = Instant::now();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compare");
    inputs::write(&folder)?;
    let optrun = Optrun::new(&folder);
    if options.scale {
        return scale::tables(&optrun, &folder).map(|()| ExitCode::SUCCESS);
    }

    let pace = if options.quick {
        let until = Some(begin + Duration::from_secs(45));
        Pace { rounds: (2, 9), each: Duration::from_millis(300), slice: Duration::from_millis(10), until }
    } else {
        Pace { rounds: (3, 15), each: Duration::from_secs(5), slice: Duration::from_millis(50), until: None }
    };
    let (mut peers, missing) = Peers::start(&folder);
    let mut measured = Measured { missing, ..Measured::default() };
    let asked = |w: &&Workload| options.only.is_empty() || options.only.iter().any(|name| is_of(w, name));
    let small = |w: &&Workload| !options.quick || w.unit != "rows" || w.full <= QUICK_ROWS;
    for w in WORKLOADS.iter().filter(asked).filter(small) {
        eprint!("{} ", w.name);
        measure::workload(w, options.quick, &optrun, &mut peers, pace, &mut measured);
    }
    eprintln!();
    drop(peers);
    let values = if options.only.is_empty() { whole::all(&optrun, options.quick, pace, &mut measured.missing) } else { Vec::new() };
    if options.json {
        show::as_json(&measured, &values);
        for line in &measured.missing {
            eprintln!("not measured: {line}");
        }
        for pair in show::differing(&measured) {
            eprintln!("results differ: {} and {}", pair.workload, pair.peer);
        }
    } else {
        show::as_tables(&measured, &values, options.quick);
    }
    Ok(if show::differing(&measured).next().is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
