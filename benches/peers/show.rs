//! The measurements as tables for a person, and as JSON.
//!
//! It measures nothing.
#![allow(clippy::print_stdout, reason = "this is what a person runs it for")]

use serde_json::{Value as Json, json};

use crate::measure::{Measured, Pair, TOLERANCE};
use crate::whole::Number;
use crate::workloads::WORKLOADS;

/// A list of all measurements.
pub(crate) fn as_json(measured: &Measured, values: &[Number]) {
    let pairs = measured.pairs.iter().map(|pair| {
        json!({
            "kind": "peer", "workload": pair.workload, "peer": pair.peer,
            "ratio": pair.ratio, "optrun_s": pair.optrun_s, "peer_s": pair.peer_s,
        })
    });
    let values = values.iter().map(|value| json!({"kind": value.kind, "name": value.name, "value": value.value}));
    println!("{}", Json::Array(pairs.chain(values).collect()));
}

/// Tables: times and ratios by workload, compile times, other numbers, and what is missing.
pub(crate) fn as_tables(measured: &Measured, values: &[Number], quick: bool) {
    const PEERS: [&str; 5] = ["c", "best_c", "numpy", "numba", "jax"];
    println!(
        "Seconds of the run phase of optrun on one thread over those of a peer: medians of paired ratios; below 1 optrun is faster.\n"
    );
    print!("{:<12} {:>16} {:>10}", "workload", "size", "optrun");
    for peer in PEERS {
        print!(" {peer:>18}");
    }
    println!();
    for w in WORKLOADS {
        let mine: Vec<&Pair> = measured.pairs.iter().filter(|pair| pair.workload == w.name).collect();
        let Some(first) = mine.first() else { continue };
        let size = format!("{} {}", w.at(quick).1, w.unit);
        print!("{:<12} {size:>16} {:>10}", w.name, seconds(first.optrun_s));
        for peer in PEERS {
            match mine.iter().find(|pair| pair.peer == peer) {
                Some(pair) => print!(" {:>9} {:>8}", seconds(pair.peer_s), format!("{:.3}x", pair.ratio)),
                None => print!(" {:>18}", "-"),
            }
        }
        println!();
    }
    println!("\nRounds, and seconds of compiling before them:");
    for w in WORKLOADS {
        let mine = measured.pairs.iter().filter(|pair| pair.workload == w.name);
        let words = mine.map(|pair| match pair.compile_s {
            0.0 => format!("{} {}", pair.peer, pair.rounds),
            compile_s => format!("{} {} (compiling {})", pair.peer, pair.rounds, seconds(compile_s)),
        });
        let line = words.collect::<Vec<_>>().join(", ");
        if !line.is_empty() {
            println!("  {:<12} {line}", w.name);
        }
    }
    if !values.is_empty() {
        println!();
        for value in values {
            println!("{:<8} {:<8} {:>12.5}  {}", value.kind, value.name, value.value, value.meaning);
        }
    }
    let differing: Vec<&Pair> = differing(measured).collect();
    println!();
    if differing.is_empty() {
        println!("All results that are compared agree to {TOLERANCE:e} relative.");
    }
    for pair in differing {
        println!("RESULTS DIFFER: {} and {}: {:e} relative", pair.workload, pair.peer, pair.difference);
    }
    if !measured.missing.is_empty() {
        println!("\nNot measured:");
        for line in &measured.missing {
            println!("  {line}");
        }
    }
}

/// The pairs whose results do not agree.
pub(crate) fn differing(measured: &Measured) -> impl Iterator<Item = &Pair> {
    measured.pairs.iter().filter(|pair| pair.difference > TOLERANCE)
}

/// Three digits and a unit.
pub(crate) fn seconds(s: f64) -> String {
    let (number, unit) = match s {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s if s >= 1e-6 => (s * 1e6, "us"),
        s => (s * 1e9, "ns"),
    };
    let digits = if number >= 99.95 {
        0
    } else if number >= 9.995 {
        1
    } else {
        2
    };
    format!("{number:.digits$} {unit}")
}
