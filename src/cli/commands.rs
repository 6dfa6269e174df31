//! What each command does: one call into the pipeline, then its output.
//!
//! It computes nothing, and only it decides what goes to stdout and with which exit code.

use std::io::{self, ErrorKind, Write as _};
use std::path::PathBuf;

use super::args::{Command, Format, RunArgs};
use super::progress::Bar;
use super::write::{OutFolder, default_folder, replace};
use crate::diag::{Diagnostics, printable, render};
use crate::library;
use crate::numeric::dispatch::Level;
use crate::pipeline::{self, Checked, Ending, Failure, Limits, RunOptions};
use crate::solvers::SOLVERS;
use crate::source::Sources;

/// Everything was done, and every expectation holds.
const FINE: i32 = 0;
/// An expectation failed.
const UNMET: i32 = 1;
/// The command line, the spec or its data are wrong.
const WRONG: i32 = 2;
/// It failed while running.
const FAILED: i32 = 3;

/// Does it; gives the exit code.
pub(super) fn perform(command: Command) -> i32 {
    let done = match command {
        Command::Run(args) => run(args),
        Command::Check(args) => pipeline::check(&args.options(None)).and_then(|checked| print(&warned(checked))),
        Command::Plan(args) => pipeline::plan(&args.options(None)).and_then(|checked| print(&warned(checked))),
        Command::Explain { spec, stage } => {
            pipeline::explain(&spec.options(None), stage.into()).and_then(|checked| print(&warned(checked)))
        }
        Command::Grad { spec, loss, wrt, steps, format } => pipeline::grad(&spec.options(None), loss.as_deref(), wrt.as_deref(), steps)
            .and_then(|checked| {
                let gradients = warned(checked);
                print(&if format == Format::Json { document(&gradients.json) } else { gradients.text })
            }),
        Command::Diagnose { spec, json } => pipeline::diagnose(&spec.options(None)).and_then(|checked| {
            let diagnosis = warned(checked);
            print(&if json { document(&diagnosis.json) } else { diagnosis.text })
        }),
        Command::Fmt { spec, check } => fmt(spec, check),
        Command::Std { name } => std(name.as_deref()),
    };
    done.unwrap_or_else(|failure| report(&failure))
}

/// `optrun run`.
fn run(args: RunArgs) -> Result<i32, Failure> {
    let RunArgs { spec, out, threads, format, timings } = args;
    let out = out.unwrap_or_else(|| default_folder(&spec.spec));
    let prepared = warned(pipeline::prepare(&spec.options(threads))?);
    // Before the work, so that an hour of it is not lost to a folder that cannot be written.
    let folder = OutFolder::open(&out).map_err(Failure::Outside)?;
    if Level::current().is_slow() {
        say("note: without fused multiply-add (FMA, or `OPTRUN_CPU` leaves it out) runs are many times slower; the numbers are the same");
    }
    let bar = Bar::start();
    let outcome = pipeline::run(&prepared, &|progress| bar.show(progress));
    bar.clear();
    let outcome = warned(outcome?);
    let files = folder.write(&outcome.artifacts).map_err(Failure::Outside)?;
    let mut text = match format {
        Format::Human => format!("{}\n{} files in {}\n", outcome.text.trim_end(), files.len(), printable(&folder.path().to_string_lossy())),
        Format::Json => {
            let mut json = outcome.json();
            json["files"] = files.into();
            if timings {
                let seconds = outcome.timings.iter().map(|(stage, time)| ((*stage).to_owned(), time.as_secs_f64().into()));
                json["timings"] = serde_json::Value::Object(seconds.collect());
            }
            document(&json)
        }
    };
    if timings && format == Format::Human {
        let lines = outcome.timings.iter().map(|(stage, time)| format!("{stage:<8} {:>10.6} s", time.as_secs_f64()));
        text.push_str(&(lines.collect::<Vec<_>>().join("\n") + "\n"));
    }
    print(&text)?;
    match outcome.ending {
        Ending::Fine => Ok(FINE),
        Ending::Unmet => Ok(UNMET),
        Ending::Cut(limit) => Err(Failure::Outside(limit)),
    }
}

/// `optrun fmt`.
fn fmt(spec: PathBuf, check: bool) -> Result<i32, Failure> {
    let options = RunOptions { spec, data: None, only: Vec::new(), set: Vec::new(), threads: None, limits: Limits::default() };
    let formatted = warned(pipeline::format(&options)?);
    if !formatted.changed {
        return Ok(FINE);
    }
    let shown = printable(&options.spec.to_string_lossy());
    if check {
        say(&format!("{shown}: not in the usual layout; `optrun fmt` writes it"));
        return Ok(UNMET);
    }
    replace(&options.spec, formatted.text).map_err(Failure::Outside)?;
    say(&format!("{shown}: written in the usual layout"));
    Ok(FINE)
}

/// `optrun std`.
fn std(name: Option<&str>) -> Result<i32, Failure> {
    let Some(name) = name else {
        let rules: Vec<(&str, &str)> = library::LIBRARY.iter().map(|file| (file.name, file.summary())).collect();
        let solvers: Vec<(&str, &str)> = SOLVERS.iter().map(|solver| (solver.name, solver.summary)).collect();
        let width = rules.iter().chain(&solvers).map(|(name, _)| name.len()).max().unwrap_or(0);
        let list =
            |rows: &[(&str, &str)]| -> Vec<String> { rows.iter().map(|(name, summary)| format!("{name:<width$}  {summary}")).collect() };
        return print(&format!(
            "{}\n\nSolvers, which are part of the program:\n\n{}\n",
            list(&rules).join("\n"),
            list(&solvers).join("\n")
        ));
    };
    if let Some(solver) = crate::solvers::find(name) {
        return print(&solver.manual());
    }
    let file = library::find(name).ok_or_else(|| {
        let names = library::LIBRARY.iter().map(|file| file.name).chain(SOLVERS.iter().map(|solver| solver.name));
        let meant = crate::diag::did_you_mean(name, names);
        let help = meant.map_or("`optrun std` lists them".to_owned(), |meant| format!("did you mean `{meant}`?"));
        Failure::Wrong(format!("the library has no rule `{name}`; {help}"))
    })?;
    print(file.text)
}

/// Prints the warnings, and hands on the rest.
fn warned<T>(checked: Checked<T>) -> T {
    print_diagnostics(&checked.sources, &checked.diagnostics);
    checked.value
}

/// Prints a failure; gives its exit code.
fn report(failure: &Failure) -> i32 {
    match failure {
        Failure::Spec { sources, diagnostics } => {
            print_diagnostics(sources, diagnostics);
            WRONG
        }
        Failure::Wrong(message) => {
            say(&format!("error: {}", printable(message)));
            WRONG
        }
        Failure::Outside(message) => {
            say(&format!("error: {}", printable(message)));
            FAILED
        }
    }
}

fn print_diagnostics(sources: &Sources, diagnostics: &Diagnostics) {
    for diagnostic in &diagnostics.list {
        say(&render(sources, diagnostic, true));
        say("");
    }
}

/// One line, or several, to stderr; colours go where a terminal shows them and `NO_COLOR` is not set.
fn say(text: &str) {
    // When even stderr is gone there is nobody left to tell.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Text to stdout. A reader that has seen enough (`| head`) is no failure.
fn print(text: &str) -> Result<i32, Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| io::Write::flush(&mut stdout)) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Outside(format!("cannot write to standard output: {error}"))),
        _ => Ok(FINE),
    }
}

fn document(json: &serde_json::Value) -> String {
    format!("{json:#}\n")
}
