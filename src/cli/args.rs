//! The arguments: what can be typed, and what it becomes.
//!
//! It does nothing with them.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::diag::did_you_mean;
use crate::pipeline::{Limits, RunOptions, Stage};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "optrun",
    version,
    about = "Runs experiments in optimization that are written down as specs",
    override_usage = "optrun <SPEC> [OPTIONS]\n       optrun <COMMAND> [OPTIONS]",
    after_help = "`optrun SPEC` is `optrun run SPEC`; its options are shown by `optrun run --help`.\n\n\
                  Exit codes: 0 fine; 1 an expectation failed; 2 the command line, the spec or its data are wrong;\n\
                  3 it failed while running; 130 interrupted.",
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(super) struct CommandLine {
    #[command(subcommand)]
    pub(super) command: Command,
}

impl CommandLine {
    /// Understands the arguments, the program's name first. What begins with no command (nor with what looks like one) is a spec to run.
    pub(super) fn read(args: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut args: Vec<OsString> = args.collect();
        let first = args.get(1).map(|first| first.to_string_lossy().into_owned());
        if first.is_some_and(|first| !is_own(&first)) {
            args.insert(1, "run".into());
        }
        Self::try_parse_from(args)
    }
}

/// Whether the first argument is for the program itself: a command, perhaps mistyped, or a question such as `--help`.
fn is_own(first: &str) -> bool {
    let definition = CommandLine::command();
    let commands: Vec<&str> = definition.get_subcommands().map(clap::Command::get_name).collect();
    let mistyped = || {
        let word = first.chars().all(char::is_alphabetic) && !Path::new(first).exists();
        word && did_you_mean(first, commands.iter().copied()).is_some()
    };
    ["-h", "--help", "-V", "--version"].contains(&first) || commands.contains(&first) || mistyped()
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run every sweep of a spec; write its tables and plots
    Run(RunArgs),
    /// Find everything that can be found without running
    Check(SpecArgs),
    /// Print the resolved plan as TOML: every default, every cell, every convention
    Plan(SpecArgs),
    /// Print what one stage makes of a spec
    Explain {
        #[command(flatten)]
        spec: SpecArgs,
        /// The stage
        #[arg(long, value_enum)]
        stage: StageName,
    },
    /// Print the derivatives of the losses, and their values at the start
    Grad {
        #[command(flatten)]
        spec: SpecArgs,
        /// Only this loss
        #[arg(long, value_name = "L")]
        loss: Option<String>,
        /// Only the derivative with respect to this parameter, slice or `let`
        #[arg(long, value_name = "P")]
        wrt: Option<String>,
        /// Show how they are derived: the chain rule, a numbered line for each step
        #[arg(long = "steps", id = "derivation")]
        steps: bool,
        /// Text, or one JSON document
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Say why the loss does not go down: findings with their numbers, and suggestions that were tried
    Diagnose {
        #[command(flatten)]
        spec: SpecArgs,
        /// The findings as one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Write a spec in its usual layout: indentation and blanks; comments and alignment stay
    Fmt {
        /// The spec: a file that ends in `.opt`
        #[arg(value_name = "SPEC")]
        spec: PathBuf,
        /// Change nothing; exit with 1 if the layout differs
        #[arg(long)]
        check: bool,
    },
    /// List the library of update rules, or print one of them
    Std {
        /// The rule
        name: Option<String>,
    },
}

/// A spec, and where its data may be.
#[derive(Debug, Args)]
pub(super) struct SpecArgs {
    /// The spec: a file that ends in `.opt`
    #[arg(value_name = "SPEC")]
    pub(super) spec: PathBuf,
    /// A folder in which data files are looked for, too; a spec reads nothing else outside its own folder
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Consider only this sweep; may be given several times
    #[arg(long, value_name = "SWEEP")]
    pub(super) only: Vec<String>,
    /// Another value for a `hyper`, for `rng`, or for a line of a sweep: `lambda=0.1`, `fit.steps=100`; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) set: Vec<String>,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
}

/// The arguments of a run.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) spec: SpecArgs,
    /// Where to write; by default `results/<spec name>`
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Threads to use; by default one per core. The numbers do not depend on it
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<NonZeroUsize>,
    /// Tables for people, or one JSON document
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Tell how long each stage took
    #[arg(long)]
    pub(super) timings: bool,
}

/// What is refused or cut.
#[derive(Debug, Args)]
pub(super) struct LimitArgs {
    /// Stop after so many seconds
    #[arg(long = "max-time", value_name = "S", value_parser = parse_seconds)]
    time: Option<Duration>,
    /// Refuse to use more memory; `500M` and `2G` are understood
    #[arg(long = "max-memory", value_name = "BYTES", value_parser = parse_bytes)]
    memory: Option<u64>,
    /// Refuse more updates, in all cells together
    #[arg(long = "max-steps", value_name = "N", value_parser = parse_count)]
    steps: Option<u64>,
    /// Refuse more cells
    #[arg(long = "max-cells", value_name = "N", value_parser = parse_count)]
    cells: Option<u64>,
}

/// The forms of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Format {
    /// Text for people.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

/// The stages by the names that are typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum StageName {
    /// The syntax tree.
    Ast,
    /// Names, shapes and places resolved.
    Program,
    /// The expressions.
    Graph,
    /// Their derivatives.
    Gradient,
    /// Both after rewriting, with the rules applied.
    Rewritten,
    /// The cells.
    Plan,
}

impl From<StageName> for Stage {
    fn from(name: StageName) -> Self {
        match name {
            StageName::Ast => Stage::Ast,
            StageName::Program => Stage::Program,
            StageName::Graph => Stage::Graph,
            StageName::Gradient => Stage::Gradient,
            StageName::Rewritten => Stage::Rewritten,
            StageName::Plan => Stage::Plan,
        }
    }
}

impl SpecArgs {
    /// As the pipeline wants them.
    pub(super) fn options(self, threads: Option<NonZeroUsize>) -> RunOptions {
        let LimitArgs { time, memory, steps, cells } = self.limits;
        let limits = Limits { time, memory, steps, cells };
        RunOptions { spec: self.spec, data: self.data, only: self.only, threads, limits, set: self.set }
    }
}

/// `2.5` seconds.
fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|&seconds| seconds > 0.0);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| "a number of seconds above 0 is wanted".to_owned())
}

/// `1000`, `10_000`, `1e6`.
fn parse_count(text: &str) -> Result<u64, String> {
    let plain = text.replace('_', "");
    let count = plain.parse::<u64>().ok().or_else(|| {
        let value = plain.parse::<f64>().ok()?;
        (value.fract() == 0.0 && (0.0..=9e15).contains(&value)).then_some(value as u64)
    });
    count.filter(|&count| count > 0).ok_or_else(|| "a whole number above 0 is wanted".to_owned())
}

/// `1000000`, `500M`, `2GiB`: powers of 1024.
fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err("a number of bytes such as `500M` or `2G` is wanted".to_owned()),
    };
    let count = parse_count(digits)?;
    count.checked_mul(1 << shift).ok_or_else(|| "that is more than any machine has".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        CommandLine::read(line.split_whitespace().map(OsString::from)).map(|parsed| parsed.command)
    }

    #[test]
    fn the_definition_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_spec_alone_is_run() {
        for line in [
            "optrun a.opt --out o --threads 2 --only fit --only race --timings",
            "optrun run --timings --only fit --only race --threads 2 --out o a.opt",
        ] {
            let Command::Run(run) = parse(line).unwrap() else { panic!("{line}") };
            assert_eq!((run.out, run.timings, run.format), (Some("o".into()), true, Format::Human));
            let options = run.spec.options(run.threads);
            assert_eq!((options.spec, options.only), ("a.opt".into(), vec!["fit".to_owned(), "race".to_owned()]));
            assert_eq!(options.threads.map(NonZeroUsize::get), Some(2));
        }
    }

    #[test]
    fn every_command_is_understood() {
        assert!(matches!(parse("optrun check a.opt"), Ok(Command::Check(_))));
        assert!(matches!(parse("optrun plan a.opt --max-cells 1e6"), Ok(Command::Plan(_))));
        assert!(matches!(parse("optrun explain a.opt --stage rewritten"), Ok(Command::Explain { .. })));
        assert!(matches!(parse("optrun grad a.opt --loss J --wrt w --format json"), Ok(Command::Grad { .. })));
        assert!(matches!(parse("optrun fmt a.opt --check"), Ok(Command::Fmt { check: true, .. })));
        assert!(matches!(parse("optrun std"), Ok(Command::Std { name: None })));
    }

    #[test]
    fn what_cannot_be_meant_is_a_usage_error() {
        for line in [
            "optrun",
            "optrun run",
            "optrun a.opt b.opt",
            "optrun a.opt --threads 0",
            "optrun a.opt --threads -1",
            "optrun a.opt --format yaml",
            "optrun a.opt --max-time 0",
            "optrun a.opt --max-time nan",
            "optrun a.opt --max-cells 1.5",
            "optrun a.opt --max-memory 5Q",
            "optrun a.opt --max-memory 99999999T",
            "optrun explain a.opt",
            "optrun explain a.opt --stage tokens",
            "optrun check a.opt --out o",
            "optrun chek a.opt",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn amounts() {
        assert_eq!(parse_bytes("500M"), Ok(500 << 20));
        assert_eq!(parse_bytes("2GiB"), Ok(2 << 30));
        assert_eq!(parse_bytes("4096"), Ok(4096));
        assert_eq!((parse_count("10_000"), parse_count("1e6")), (Ok(10_000), Ok(1_000_000)));
        assert_eq!(parse_seconds("0.5"), Ok(Duration::from_millis(500)));
    }
}
