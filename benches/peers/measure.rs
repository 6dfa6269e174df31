//! Measures each workload: optrun and a peer in turn, round by round, and whether their results agree.
//!
//! A measurement is the least time of as many runs as fit into a short slice; a ratio is that of two neighbours in time, and the median of all
//! rounds is given, so that what else the machine does falls on both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::optrun::Optrun;
use crate::peer::{self, Peer};
use crate::workloads::{Agree, Workload};

/// How long to measure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Rounds, at least and at most.
    pub(crate) rounds: (usize, usize),
    /// Further rounds are begun only within this time for each pair.
    pub(crate) each: Duration,
    /// The slice of one measurement.
    pub(crate) slice: Duration,
    /// After this one round has to do.
    pub(crate) until: Option<Instant>,
}

impl Pace {
    /// Whether to begin another round after so many, the first of which began at `begin`.
    pub(crate) fn goes_on(self, done: usize, begin: Instant) -> bool {
        let late = self.until.is_some_and(|until| Instant::now() > until);
        done == 0 || (!late && (done < self.rounds.0 || (done < self.rounds.1 && begin.elapsed() < self.each)))
    }
}

/// One peer beside optrun.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) workload: &'static str,
    /// `c`, `best_c`, `numpy`, `numba` or `jax`.
    pub(crate) peer: &'static str,
    pub(crate) ratio: f64,
    pub(crate) optrun_s: f64,
    pub(crate) peer_s: f64,
    pub(crate) compile_s: f64,
    pub(crate) rounds: usize,
    /// The largest relative difference of the results that must agree.
    pub(crate) difference: f64,
}

/// What was measured, and what could not be, and why.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) pairs: Vec<Pair>,
    pub(crate) missing: Vec<String>,
}

/// Results that must agree may differ by so much, relatively.
pub(crate) const TOLERANCE: f64 = 1e-9;

/// The peers that are there.
pub(crate) struct Peers {
    folder: PathBuf,
    python: BTreeMap<&'static str, Result<Peer, String>>,
}

/// The peers in Python.
const PYTHON: [&str; 3] = ["numpy", "numba", "jax"];

impl Peers {
    /// Builds and starts what can be; says what cannot.
    pub(crate) fn start(folder: &Path) -> (Self, Vec<String>) {
        let mut missing = peer::build(folder);
        let python: BTreeMap<_, _> = PYTHON.into_iter().map(|name| (name, peer::in_python(folder, name))).collect();
        missing.extend(python.iter().filter_map(|(name, peer)| Some(format!("{name}: {}", peer.as_ref().err()?))));
        (Peers { folder: folder.into(), python }, missing)
    }
}

/// Measures a workload against every peer.
pub(crate) fn workload(w: &Workload, quick: bool, optrun: &Optrun, peers: &mut Peers, pace: Pace, out: &mut Measured) {
    let bench = Bench { w, quick, optrun, pace };
    let mut note = |peer: &str, why: String| out.missing.push(format!("{} {peer}: {why}", w.name));

    let plain = in_c(&peers.folder, w.plain_c.0).and_then(|mut peer| bench.pair("c", w.plain_c.1, &mut peer));
    match plain {
        Ok(pair) => out.pairs.push(pair),
        Err(why) => note("c", why),
    }
    let mut best: Option<Pair> = None;
    for &(program, name) in w.best_c {
        match in_c(&peers.folder, program).and_then(|mut peer| bench.pair("best_c", name, &mut peer)) {
            Ok(pair) if best.as_ref().is_none_or(|best| pair.peer_s < best.peer_s) => best = Some(pair),
            Ok(_) => {}
            Err(why) => note("best_c", format!("{program} {name}: {why}")),
        }
    }
    out.pairs.extend(best);
    for (name, peer) in &mut peers.python {
        let Ok(peer) = peer else { continue };
        match bench.pair(name, w.in_python(), peer) {
            Ok(pair) => out.pairs.push(pair),
            Err(why) => note(name, why),
        }
    }
}

fn in_c(folder: &Path, program: &str) -> Result<Peer, String> {
    peer::in_c(folder, program)
}

struct Bench<'a> {
    w: &'a Workload,
    quick: bool,
    optrun: &'a Optrun,
    pace: Pace,
}

impl Bench<'_> {
    fn pair(&self, peer: &'static str, known_as: &str, process: &mut Peer) -> Result<Pair, String> {
        let (sweep, size) = self.w.at(self.quick);
        let mut difference = 0.0;
        if let Agree::Early(steps) = self.w.agree {
            process.load(known_as, steps)?;
            difference = self.difference(&self.optrun.run(self.w.spec, "early", 1)?.finals(self.w.quantity), &process.results()?)?;
        }
        let compile_s = process.load(known_as, size)?;
        let (mut ratios, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        let begin = Instant::now();
        while self.pace.goes_on(ratios.len(), begin) {
            let (optrun_s, ran) = self.optrun.least(self.w.spec, sweep, 1, self.pace.slice)?;
            let peer_s = process.run(self.pace.slice)?;
            if ratios.is_empty() && !matches!(self.w.agree, Agree::Early(_)) {
                difference = self.difference(&ran.finals(self.w.quantity), &process.results()?)?;
            }
            ratios.push(optrun_s / peer_s);
            ours.push(optrun_s);
            theirs.push(peer_s);
        }
        Ok(Pair {
            workload: self.w.name,
            peer,
            rounds: ratios.len(),
            ratio: median(&mut ratios),
            optrun_s: median(&mut ours),
            peer_s: median(&mut theirs),
            compile_s,
            difference,
        })
    }

    /// The largest relative difference of the results that are compared.
    fn difference(&self, ours: &[f64], theirs: &[f64]) -> Result<f64, String> {
        if ours.len() != theirs.len() {
            return Err(format!("optrun has {} results, the peer {}", ours.len(), theirs.len()));
        }
        let covered = ours.iter().zip(theirs).enumerate().filter(|(i, _)| self.w.agree.covers(*i)).map(|(_, pair)| pair);
        Ok(covered.map(|(a, b)| relative(*a, *b)).fold(0.0, f64::max))
    }
}

/// Relative to the larger; two that are not finite differ infinitely.
fn relative(a: f64, b: f64) -> f64 {
    let scale = a.abs().max(b.abs());
    match (a - b).abs() / scale {
        _ if a == b => 0.0,
        difference if difference.is_finite() => difference,
        _ => f64::INFINITY,
    }
}

/// The middle, or the mean of the two in the middle.
pub(crate) fn median(x: &mut [f64]) -> f64 {
    x.sort_by(f64::total_cmp);
    match x.len() {
        0 => f64::NAN,
        n => x[(n - 1) / 2].midpoint(x[n / 2]),
    }
}
