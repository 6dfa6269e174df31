//! Builds and starts the peers, and talks with them: `load`, `run`, `results` (the words are in `benches/c/peer.h` and `benches/python/peer.py`).
//!
//! It does not know what is compared with what.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::inputs::ROOT;

/// A running peer.
#[derive(Debug)]
pub(crate) struct Peer {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

/// One thread, as for optrun.
const ONE_THREAD: &[(&str, &str)] = &[
    ("OPENBLAS_NUM_THREADS", "1"),
    ("OMP_NUM_THREADS", "1"),
    ("MKL_NUM_THREADS", "1"),
    ("NUMBA_NUM_THREADS", "1"),
    ("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"),
    ("JAX_PLATFORMS", "cpu"),
    // Nothing is left in the repository.
    ("PYTHONDONTWRITEBYTECODE", "1"),
];

impl Peer {
    fn start(program: &mut Command) -> Result<Self, String> {
        program.envs(ONE_THREAD.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = program.spawn().map_err(|error| error.to_string())?;
        match (process.stdin.take(), process.stdout.take()) {
            (Some(to), Some(from)) => Ok(Peer { process, to, from: BufReader::new(from) }),
            _ => Err("it has no pipes".into()),
        }
    }

    fn ask(&mut self, words: &str) -> Result<String, String> {
        let mut answer = String::new();
        let sent = writeln!(self.to, "{words}").and_then(|()| self.to.flush());
        match sent.and_then(|()| self.from.read_line(&mut answer)) {
            Ok(0) => Err(format!("it ended at `{words}`")),
            Ok(_) => Ok(answer.trim().to_owned()),
            Err(error) => Err(format!("{error} at `{words}`")),
        }
    }

    /// Prepares a workload; the seconds that compiling took.
    pub(crate) fn load(&mut self, workload: &str, size: usize) -> Result<f64, String> {
        let answer = self.ask(&format!("load {workload} {size}"))?;
        match answer.split_once(' ') {
            Some(("ready", seconds)) => seconds.parse().map_err(|_| answer.clone()),
            Some(("missing", why)) => Err(why.into()),
            _ => Err(answer),
        }
    }

    /// The least seconds of as many runs as fit into a time, one at least.
    pub(crate) fn run(&mut self, slice: Duration) -> Result<f64, String> {
        let answer = self.ask(&format!("run {}", slice.as_secs_f64()))?;
        answer.parse().map_err(|_| answer)
    }

    pub(crate) fn results(&mut self) -> Result<Vec<f64>, String> {
        let answer = self.ask("results")?;
        answer.split_whitespace().map(|x| x.parse().map_err(|_| format!("`{x}` is no number"))).collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Only this process, which was started here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The programs in C: name, source, and what is added to `-O3 -march=native`.
const PROGRAMS: &[(&str, &str, &[&str])] = &[
    ("logistic", "logistic.c", &[]),
    ("chains", "chains.c", &[]),
    ("chains_fast", "chains.c", &["-ffast-math"]),
    ("logistic_vector", "logistic_vector.c", &[]),
    ("chains_vector", "chains_vector.c", &[]),
    ("dense", "dense.c", &[]),
    ("dense_fast", "dense.c", &["-ffast-math"]),
];

/// Builds the programs in C into a folder. What could not be built, and why.
pub(crate) fn build(folder: &Path) -> Vec<String> {
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let compile = |name: &str, source: &str, flags: &[&str], libraries: &[&str]| {
        let mut command = Command::new(&compiler);
        command.args(["-O3", "-march=native", "-w"]).args(flags).arg("-o").arg(folder.join(name));
        command.arg(Path::new(ROOT).join("benches/c").join(source)).args(libraries).arg("-lm");
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().map_err(|error| error.to_string()).map(|status| status.success())
    };
    let mut missing = Vec::new();
    for &(name, source, flags) in PROGRAMS {
        let with_blas = [flags, &["-DBLAS"]].concat();
        let built = match source {
            "dense.c" => {
                [&["-lopenblas"][..], &["-lcblas"], &["-lblas"]].into_iter().any(|blas| compile(name, source, &with_blas, blas) == Ok(true))
            }
            _ => false,
        };
        if built {
            continue;
        }
        match compile(name, source, flags, &[]) {
            Ok(true) if source == "dense.c" => missing.push(format!("{name}: no BLAS to link with")),
            Ok(true) => {}
            Ok(false) => missing.push(format!("{name}: the C compiler does not compile {source}")),
            Err(error) => missing.push(format!("{name}: no C compiler ({error})")),
        }
    }
    missing
}

/// Starts a program in C.
pub(crate) fn in_c(folder: &Path, name: &str) -> Result<Peer, String> {
    let program: PathBuf = folder.join(name);
    if !program.exists() {
        return Err("not built".into());
    }
    Peer::start(Command::new(program).arg(folder))
}

/// Starts a Python peer (`numpy`, `numba` or `jax`) with the Python of the environment variable `PYTHON`, `python3` by default, if that can import
/// the library. An answer to a workload that does not exist shows that all imports are done.
pub(crate) fn in_python(folder: &Path, name: &str) -> Result<Peer, String> {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let script = Path::new(ROOT).join("benches/python").join(format!("{name}_peer.py"));
    let mut peer = Peer::start(Command::new(python).arg(script).arg(folder))?;
    peer.ask("load none 0").map_err(|_| format!("Python cannot import {name}"))?;
    Ok(peer)
}
