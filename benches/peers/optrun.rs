//! Runs optrun as anybody would, from the command line, and reads how long its stages took, its results and its peak memory.
//!
//! It does not know what is compared with what.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program, and the folder with specs and data in which it writes its output, too.
#[derive(Debug, Clone)]
pub(crate) struct Optrun {
    binary: PathBuf,
    folder: PathBuf,
}

/// What one run of the program tells.
#[derive(Debug)]
pub(crate) struct Ran {
    document: Value,
    sweep: String,
}

impl Optrun {
    /// The program that was built with this harness, or the one that the environment variable `OPTRUN` names.
    pub(crate) fn new(folder: &Path) -> Self {
        let binary = std::env::var_os("OPTRUN").map_or_else(|| env!("CARGO_BIN_EXE_optrun").into(), PathBuf::from);
        Optrun { binary, folder: folder.into() }
    }

    fn command(&self, spec: &str, sweep: &str, threads: usize) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.folder).args(["run", &format!("{spec}.opt"), "--only", sweep, "--threads", &threads.to_string()]);
        command.args(["--out", "out", "--format", "json", "--timings"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs one sweep of a spec.
    pub(crate) fn run(&self, spec: &str, sweep: &str, threads: usize) -> Result<Ran, String> {
        let failed = |error: &dyn std::fmt::Display| format!("optrun {spec}.opt --only {sweep}: {error}");
        let output = self.command(spec, sweep, threads).output().map_err(|error| failed(&error))?;
        if !output.status.success() {
            return Err(failed(&first_lines(&output.stderr)));
        }
        let document = serde_json::from_slice(&output.stdout).map_err(|error| failed(&error))?;
        Ok(Ran { document, sweep: sweep.into() })
    }

    /// The least `run` phase of as many runs as fit into a time, at most five, and the last run. Checking and writing take time, too: after a
    /// second no more are begun.
    pub(crate) fn least(&self, spec: &str, sweep: &str, threads: usize, slice: Duration) -> Result<(f64, Ran), String> {
        let (mut least, mut spent, begin) = (f64::INFINITY, 0.0, Instant::now());
        let mut times = 0;
        loop {
            times += 1;
            let ran = self.run(spec, sweep, threads)?;
            let seconds = ran.seconds("run")?;
            least = least.min(seconds);
            spent += seconds;
            if spent >= slice.as_secs_f64() || times == 5 || begin.elapsed().as_secs() >= 1 {
                return Ok((least, ran));
            }
        }
    }

    /// Wall seconds of the whole process.
    pub(crate) fn whole(&self, spec: &str) -> Result<f64, String> {
        let begin = Instant::now();
        self.run(spec, "full", 1)?;
        Ok(begin.elapsed().as_secs_f64())
    }

    /// The most memory, in bytes, that the process had at any time. Linux only: elsewhere it cannot be seen.
    pub(crate) fn peak_memory(&self, spec: &str, sweep: &str) -> Result<f64, String> {
        let mut child = self.command(spec, sweep, 1).spawn().map_err(|error| format!("optrun {spec}.opt: {error}"))?;
        let watched = watch(&mut child);
        match child.wait() {
            Ok(status) if status.success() => watched.ok_or_else(|| "the peak memory of a process is not visible here".into()),
            Ok(status) => Err(format!("optrun {spec}.opt: {status}")),
            Err(error) => Err(format!("optrun {spec}.opt: {error}")),
        }
    }
}

/// Reads the high-water mark of a process until it ends; the mark only rises, so the last one seen counts.
fn watch(child: &mut Child) -> Option<f64> {
    let stdout = child.stdout.take();
    let drain = std::thread::spawn(move || stdout.map(|mut out| out.read_to_end(&mut Vec::new())));
    let path = format!("/proc/{}/status", child.id());
    let mut peak = None;
    while matches!(child.try_wait(), Ok(None)) {
        let status = fs::read_to_string(&path).unwrap_or_default();
        let mark = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
        peak = mark.map(|kib| kib * 1024.0).or(peak);
        std::thread::sleep(Duration::from_micros(500));
    }
    let _ = drain.join();
    peak
}

fn first_lines(stderr: &[u8]) -> String {
    String::from_utf8_lossy(stderr).lines().take(4).collect::<Vec<_>>().join(" | ")
}

impl Ran {
    /// The seconds of a stage: `parse`, `check`, `plan`, `run` or `report`.
    pub(crate) fn seconds(&self, stage: &str) -> Result<f64, String> {
        self.document["timings"][stage].as_f64().ok_or_else(|| format!("optrun does not tell how long `{stage}` took"))
    }

    /// The final value of a quantity in each cell, in the order of the cells.
    pub(crate) fn finals(&self, quantity: &str) -> Vec<f64> {
        let cells = self.document["sweeps"][&self.sweep]["cells"].as_array();
        cells.into_iter().flatten().map(|cell| cell["final"][quantity].as_f64().unwrap_or(f64::NAN)).collect()
    }
}
