//! What is not a comparison with a peer: threads, lanes, the start of the process, a plot, and memory.
//!
//! Each is a number of optrun alone, or a ratio of two of its own runs in turn.

use std::time::Instant;

use crate::measure::{Pace, median};
use crate::optrun::Optrun;

/// One number.
#[derive(Debug)]
pub(crate) struct Number {
    /// `threads`, `lanes`, `start`, `png` or `memory`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) value: f64,
    /// What it means, for the table.
    pub(crate) meaning: &'static str,
}

/// Measures them all, as far as possible.
pub(crate) fn all(optrun: &Optrun, quick: bool, pace: Pace, missing: &mut Vec<String>) -> Vec<Number> {
    let mut values = Vec::new();
    let mut push = |kind, name: &str, value: Result<f64, String>, meaning| match value {
        Ok(value) => values.push(Number { kind, name: name.into(), value, meaning }),
        Err(why) => missing.push(format!("{kind} {name}: {why}")),
    };
    let w6 = if quick { "quick" } else { "full" };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut speedup = |name, spec, sweep| {
        let value = if threads < 2 { Err("this machine has one core".into()) } else { ratio(optrun, spec, (sweep, 1), (sweep, 2), pace) };
        push("threads", name, value, "times faster on 2 threads than on 1");
    };
    // Cells of their own, and rows of one cell.
    speedup("W6", "w6", w6);
    speedup("W11.10000", "w11_10000", "full");
    speedup("W11.100000", "w11_100000", "full");
    if !quick {
        speedup("W11.1000000", "w11_1000000", "full");
    }
    for (name, spec) in [("W1", "w1"), ("W3", "w3"), ("W5", "w5"), ("W9", "w9")] {
        push("lanes", name, ratio(optrun, spec, ("lanes", 1), ("one", 1), pace), "times as long for 64 cells as for one");
    }
    for (kind, spec) in [("start", "start"), ("png", "png")] {
        let seconds = wall(optrun, spec, if quick { 20 } else { 200 });
        let (least, middle) = seconds.map_or_else(|why| (Err(why.clone()), Err(why)), |(least, middle)| (Ok(least), Ok(middle)));
        push(kind, "least", least, "seconds, the whole process");
        push(kind, "median", middle, "seconds, the whole process");
    }
    // 10 columns, labels and row numbers of a million rows; two weights
    push(
        "memory",
        "data",
        optrun.peak_memory("w11_1000000", "full").map(|peak| peak / (12.0 * 8e6)),
        "peak memory over data, states and traces",
    );
    // 1,000 cells of 100 weights: 101 rows of them recorded, and three states (weights and two means)
    let bytes = (101.0 + 3.0) * 100.0 * 1_000.0 * 8.0;
    push("memory", "traces", optrun.peak_memory("memory", "full").map(|peak| peak / bytes), "peak memory over data, states and traces");
    values
}

/// The median ratio of two sweeps of a spec (each with its number of threads), in turn.
fn ratio(optrun: &Optrun, spec: &str, above: (&str, usize), below: (&str, usize), pace: Pace) -> Result<f64, String> {
    let (mut ratios, begin) = (Vec::new(), Instant::now());
    while pace.goes_on(ratios.len(), begin) {
        let (top, _) = optrun.least(spec, above.0, above.1, pace.slice)?;
        let (bottom, _) = optrun.least(spec, below.0, below.1, pace.slice)?;
        ratios.push(top / bottom);
    }
    Ok(median(&mut ratios))
}

/// The least and the median wall time of a process, which is started so many times within three seconds.
fn wall(optrun: &Optrun, spec: &str, times: usize) -> Result<(f64, f64), String> {
    let (mut seconds, begin) = (vec![optrun.whole(spec)?], Instant::now());
    while seconds.len() < times && begin.elapsed().as_secs() < 3 {
        seconds.push(optrun.whole(spec)?);
    }
    let least = seconds.iter().copied().fold(f64::INFINITY, f64::min);
    Ok((least, median(&mut seconds)))
}
