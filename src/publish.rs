//! Results to what the user gets: text for the terminal, the document, and the files.
//!
//! It writes nothing; names and bytes are handed to the command line.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::ask::{self, ClaimResult, Verdict};
use crate::check::Program;
use crate::pipeline::{Artifact, Content, Ending, Outcome, RunOptions};
use crate::plan::unit::Plan;
use crate::report::build::{Report, build};
use crate::report::expect::{CheckResult, Kind};
use crate::report::export;
use crate::report::{png, svg};
use crate::results::{Results, Status, SweepResults};
use crate::source::Sources;

/// Everything that a run gives.
pub(crate) fn publish(options: &RunOptions, sources: &Sources, program: &Program, plan: &Plan, results: Arc<Results>) -> Outcome {
    // Outputs of sweeps that were left out by `--only` have nothing to show.
    let ran = |sweeps: &[String]| sweeps.iter().all(|name| results.sweep(name).is_some());
    let mut views = program.views.clone();
    views.tables.retain(|v| ran(&v.selection.sweeps));
    views.plots.retain(|v| ran(&v.selection.sweeps));
    views.expects.retain(|v| ran(&v.selection.sweeps));
    let mut report = build(&views, &results);
    report.checks.splice(0..0, ask::claims(program).iter().map(claimed));
    report.checks.sort_by_key(|check| check.line);
    let gradients = ask::gradient_checks(program);
    report.tables.extend(gradients.iter().map(|check| check.table.clone()));
    report.warnings.extend(gradients.iter().flat_map(|check| check.notes.clone()));
    let receipt = receipt((sources, &options.set), program, plan, &report);
    let mut artifacts = tables(&report);
    let mut warnings = report.warnings.clone();
    figures(&report, &mut artifacts, &mut warnings);
    artifacts.push(Artifact { name: "runs.csv".to_string(), content: Content::Runs(results.clone()) });
    for (number, sweep) in results.sweeps.iter().enumerate().filter(|(_, sweep)| !sweep.traced.is_empty()) {
        artifacts.push(Artifact { name: format!("{}.trace.csv", sweep.name), content: Content::Trace(results.clone(), number) });
    }
    artifacts.push(Artifact { name: "receipt.toml".to_string(), content: Content::Bytes(receipt.into_bytes()) });
    Outcome {
        text: text(&report, &results, &warnings),
        spec: (options.spec.display().to_string(), spec_hash(sources)),
        artifacts,
        ending: ending(&report, &results),
        report,
        results,
        timings: Vec::new(),
    }
}

fn ending(report: &Report, results: &Results) -> Ending {
    let cut = results.sweeps.iter().flat_map(SweepResults::runs).filter(|r| r.status == Status::Cut).count();
    if cut > 0 {
        let reason = results.sweeps.iter().flat_map(SweepResults::runs).find(|r| r.status == Status::Cut).map_or("", |r| r.reason);
        return Ending::Cut(format!("{cut} runs were cut: {reason}"));
    }
    if report.checks.iter().all(|c| c.passed) { Ending::Fine } else { Ending::Unmet }
}

fn tables(report: &Report) -> Vec<Artifact> {
    let mut list = Vec::new();
    for table in &report.tables {
        let file = |ending: &str, bytes: String| Artifact {
            name: format!("{}.{ending}", table.name),
            content: Content::Bytes(bytes.into_bytes()),
        };
        list.push(file("csv", export::table_csv(table)));
        list.push(file("md", export::table_markdown(table)));
        list.push(file("json", format!("{:#}\n", export::table_json(table))));
    }
    list
}

fn figures(report: &Report, artifacts: &mut Vec<Artifact>, warnings: &mut Vec<String>) {
    for figure in &report.figures {
        match png::png(figure) {
            Ok(bytes) => artifacts.push(Artifact { name: format!("{}.png", figure.name), content: Content::Bytes(bytes) }),
            Err(error) => warnings.push(format!("plot `{}` cannot be drawn: {error}", figure.name)),
        }
        artifacts.push(Artifact { name: format!("{}.svg", figure.name), content: Content::Bytes(svg::svg(figure).into_bytes()) });
    }
}

/// Tables, warnings and checks for the terminal.
fn text(report: &Report, results: &Results, warnings: &[String]) -> String {
    let mut text = String::new();
    for table in &report.tables {
        let _ = writeln!(text, "{}\n", export::table_text(table, None).trim_end());
    }
    let unusual = |status: Status| results.sweeps.iter().flat_map(SweepResults::runs).filter(|r| r.status == status).count();
    for (status, words) in
        [(Status::Diverged, "diverged"), (Status::Rising, "ended above their start"), (Status::Failed, "failed"), (Status::Cut, "were cut")]
    {
        let n = unusual(status);
        if n > 0 {
            let total: usize = results.sweeps.iter().map(SweepResults::len).sum();
            let _ = writeln!(text, "{n} of {total} runs {words}");
        }
    }
    for warning in warnings {
        let _ = writeln!(text, "note: {warning}");
    }
    for check in &report.checks {
        let _ = writeln!(text, "{}", export::check_text(check).trim_end());
    }
    text
}

impl Outcome {
    /// Everything as a document, without `files` and `timings`.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut sweeps = serde_json::Map::new();
        for sweep in &self.results.sweeps {
            sweeps.insert(sweep.name.clone(), export::sweep_json(sweep));
        }
        let mut tables = serde_json::Map::new();
        for table in &self.report.tables {
            tables.insert(table.name.clone(), export::table_json(table));
        }
        let checks: Vec<Value> = self.report.checks.iter().map(export::check_json).collect();
        json!({
            "optrun": env!("CARGO_PKG_VERSION"),
            "spec": self.spec.0,
            "hash": self.spec.1,
            "sweeps": sweeps,
            "tables": tables,
            "checks": checks,
        })
    }
}

impl Content {
    /// Writes all of it.
    ///
    /// # Errors
    /// What the writer reports.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        match self {
            Content::Bytes(bytes) => out.write_all(bytes),
            Content::Runs(results) => export::runs_csv(results, out),
            Content::Trace(results, sweep) => export::trace_csv(&results.sweeps[*sweep], out),
        }
    }

    /// All of it in memory.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Memory does not fail.
        let _ = self.write(&mut bytes);
        bytes
    }
}

fn spec_hash(sources: &Sources) -> String {
    blake3::hash(sources.files().first().map_or(&[][..], |f| f.text.as_bytes())).to_hex().to_string()
}

/// A claim among the checks.
fn claimed(claim: &ClaimResult) -> CheckResult {
    let passed = claim.passed() || (claim.allow_open && matches!(claim.verdict, Verdict::Open(_)));
    let message = match &claim.verdict {
        Verdict::Proved(_) => String::new(),
        _ if claim.hidden => claim.hint.clone().unwrap_or_else(|| "a hidden check failed".to_owned()),
        Verdict::Refuted(found) | Verdict::Open(found) => found.clone(),
    };
    CheckResult {
        kind: Kind::Claim(claim.verdict.name()),
        text: claim.text.clone(),
        span: claim.span,
        line: claim.line,
        passed,
        got: None,
        cell: None,
        message,
        points: claim.points,
        hint: claim.hint.clone(),
        hidden: claim.hidden,
    }
}

/// What the numbers came from: hashes of spec and data, the program's version, the resolved plan.
fn receipt((sources, set): (&Sources, &[String]), program: &Program, plan: &Plan, report: &Report) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "optrun = \"{}\"", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(text, "spec_blake3 = \"{}\"", spec_hash(sources));
    if !set.is_empty() {
        let _ = writeln!(text, "set = {}", toml::Value::from(set.to_vec()));
    }
    text.push('\n');
    // What the command line sets follows the spec among the sources.
    for file in sources.files().iter().skip(1 + set.len()) {
        let _ = writeln!(
            text,
            "[[imported]]\nfile = {}\nblake3 = \"{}\"\n",
            toml::Value::String(file.name.clone()),
            blake3::hash(file.text.as_bytes()).to_hex()
        );
    }
    for (name, hash) in program.files() {
        let _ = writeln!(text, "[[data]]\nfile = {}\nblake3 = \"{hash}\"\n", toml::Value::String(name));
    }
    for check in report.checks.iter().filter(|check| !check.hidden) {
        if let Kind::Claim(verdict) = check.kind {
            let _ = writeln!(text, "[[claim]]\ntext = {}\nverdict = \"{verdict}\"\n", toml::Value::String(check.text.clone()));
        }
    }
    let resolved = crate::plan::show::toml(plan, &[]);
    // The plan says the version again; in the receipt it stands once.
    let plan = resolved.split_once('\n').map_or(resolved.as_str(), |(_, rest)| rest).replace("[[sweep", "[[plan.sweep");
    text.push_str(plan.trim_start());
    text
}
