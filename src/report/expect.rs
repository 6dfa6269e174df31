//! Judges expectations: each must hold in every selected cell.
//!
//! It prints nothing; a hidden check shows its hint and never a number.

use super::cells::{Place, Reader};
use super::label::{DIGITS, significant};
use super::table::status_text;
use crate::numeric::format::shortest;
use crate::results::Status;
use crate::results::view::{Comparison, ExpectView};
use crate::source::Span;

/// How an expectation turned out.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckResult {
    /// What kind of check it is.
    pub kind: Kind,
    /// As written.
    pub text: String,
    /// Where.
    pub span: Span,
    /// Line number, from 1.
    pub line: usize,
    /// Whether it holds in every selected cell, and there is one.
    pub passed: bool,
    /// What the left side is in the cell that is furthest off (or nearest to failing); nothing when hidden.
    pub got: Option<Got>,
    /// The sweep and the number of that cell.
    pub cell: Option<(String, usize)>,
    /// Why it failed, in words; empty when it passed.
    pub message: String,
    /// Points it is worth.
    pub points: Option<f64>,
    /// What to say when it fails.
    pub hint: Option<String>,
    /// Whether numbers may not be shown.
    pub hidden: bool,
}

/// The kinds of checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A comparison in every selected cell.
    Expect,
    /// An equality that is proved, refuted or open: which one.
    Claim(&'static str),
}

impl Kind {
    /// The keyword.
    #[must_use]
    pub fn keyword(&self) -> &'static str {
        match self {
            Kind::Expect => "expect",
            Kind::Claim(_) => "claim",
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Got {
    /// A number.
    Number(f64),
    /// A status.
    Text(String),
}

/// The verdict on one cell.
struct Verdict {
    holds: bool,
    /// By how much; less is worse, nan is worst.
    margin: f64,
    got: Got,
    /// Both sides in words.
    said: String,
}

/// Judges one expectation.
pub(super) fn judge(reader: &Reader<'_>, view: &ExpectView) -> CheckResult {
    let cells = reader.select(&view.selection);
    let verdicts: Vec<Verdict> = match view.status {
        Some((status, negated)) => cells.iter().map(|&place| judge_status(reader, view, place, status, negated)).collect(),
        None => judge_numbers(reader, view, &cells),
    };
    let worst = verdicts
        .iter()
        .enumerate()
        .min_by(|(_, a), (_, b)| a.holds.cmp(&b.holds).then(b.margin.is_nan().cmp(&a.margin.is_nan())).then(a.margin.total_cmp(&b.margin)));
    let passed = worst.is_some_and(|(_, verdict)| verdict.holds);
    let message = match worst {
        _ if passed => String::new(),
        _ if view.hidden => view.hint.clone().unwrap_or_else(|| "a hidden check failed".to_owned()),
        None => format!("no cell is selected, so there is nothing to hold ({})", selected_from(view)),
        Some((at, verdict)) => {
            let place = cells[at];
            let run = reader.run(place);
            let ended = match run.status {
                Status::Done | Status::Stopped => String::new(),
                _ if view.status.is_some() => String::new(),
                Status::Failed | Status::Cut if !run.reason.is_empty() => {
                    format!("; the run ended as {}: {}", run.status.name(), run.reason)
                }
                Status::Diverged => format!("; the run {}", status_text(run)),
                status => format!("; the run ended as {}", status.name()),
            };
            let others = verdicts.iter().filter(|verdict| !verdict.holds).count() - 1;
            let also = if others > 0 { format!(" ({others} more of {} cells fail)", cells.len()) } else { String::new() };
            let (got, expected) = verdict.said.split_once('\n').unwrap_or((&verdict.said, ""));
            format!("{got} in {}, expected {expected}{ended}{also}", reader.cell_label(place))
        }
    };
    CheckResult {
        kind: Kind::Expect,
        text: view.text.clone(),
        span: view.span,
        line: view.line,
        passed,
        got: worst.filter(|_| !view.hidden).map(|(_, verdict)| verdict.got.clone()),
        cell: worst.map(|(at, _)| (reader.sweep(cells[at]).name.clone(), reader.run(cells[at]).id)),
        message,
        points: view.points,
        hint: view.hint.clone(),
        hidden: view.hidden,
    }
}

fn selected_from(view: &ExpectView) -> String {
    let conditions = if view.selection.conditions.is_empty() { "" } else { ", with its conditions" };
    format!("from {}{conditions}", view.selection.sweeps.join(", "))
}

fn judge_status(reader: &Reader<'_>, view: &ExpectView, place: Place, status: Status, negated: bool) -> Verdict {
    let run = reader.run(place);
    let holds = (run.status == status) != negated;
    let not = if negated { "not " } else { "" };
    let why = if run.reason.is_empty() { String::new() } else { format!(" ({})", run.reason) };
    let said = if view.hidden { String::new() } else { format!("status is {}{why}\n{not}{}", status_text(run), status.name()) };
    Verdict { holds, margin: f64::from(u8::from(holds)), got: Got::Text(run.status.name().to_owned()), said }
}

fn judge_numbers(reader: &Reader<'_>, view: &ExpectView, cells: &[Place]) -> Vec<Verdict> {
    let (left, right) = (reader.ask(&view.left, cells), reader.ask(&view.right, cells));
    let tolerance = view.tolerance.as_ref().map(|(question, percent)| (reader.ask(question, cells), *percent));
    let element = |values: &[f64], at: usize| values.get(if values.len() == 1 { 0 } else { at }).copied().unwrap_or(f64::NAN);
    let judge = |&place: &Place| {
        let (l, r) = (left.at(place, cells.len()), right.at(place, cells.len()));
        let t = tolerance.as_ref().map(|(asked, percent)| (asked.at(place, cells.len()), *percent));
        let one = |at: usize| {
            let (l, r) = (element(&l, at), element(&r, at));
            let slack = t.as_ref().map_or(0.0, |(t, percent)| if *percent { element(t, at) / 100.0 * r.abs() } else { element(t, at) });
            (at, l, r, compare(view.op, l, r, slack))
        };
        let worst = (0..l.len().max(r.len()))
            .map(one)
            .min_by(|(.., a), (.., b)| a.0.cmp(&b.0).then(b.1.is_nan().cmp(&a.1.is_nan())).then(a.1.total_cmp(&b.1)));
        let (at, l_value, r_value, (holds, margin)) = worst.unwrap_or((0, f64::NAN, f64::NAN, (false, f64::NAN)));
        let name = if l.len() > 1 { format!("{}[{at}]", view.left.text) } else { view.left.text.clone() };
        let (mut got, mut expected) = (significant(l_value, DIGITS), significant(r_value, DIGITS));
        if got == expected && !holds {
            (got, expected) = (shortest(l_value), shortest(r_value));
        }
        let sign = if view.op == Comparison::Eq { String::new() } else { format!("{} ", symbol(view.op)) };
        let slack = t.map(|(t, percent)| format!(" +- {}{}", significant(element(&t, at), DIGITS), if percent { "%" } else { "" }));
        let said = format!("{name} is {got}\n{sign}{expected}{}", slack.unwrap_or_default());
        Verdict { holds, margin, got: Got::Number(l_value), said }
    };
    cells.iter().map(judge).collect()
}

/// Whether a comparison holds up to a slack, and by how much.
fn compare(op: Comparison, l: f64, r: f64, slack: f64) -> (bool, f64) {
    // Equal infinities have no difference.
    let apart = if l == r { 0.0 } else { (l - r).abs() };
    match op {
        Comparison::Eq => (apart <= slack, slack - apart),
        Comparison::Ne => (apart > slack, apart - slack),
        Comparison::Lt => (l < r + slack, r + slack - l),
        Comparison::Le => (l <= r + slack, r + slack - l),
        Comparison::Gt => (l > r - slack, l - r + slack),
        Comparison::Ge => (l >= r - slack, l - r + slack),
    }
}

fn symbol(op: Comparison) -> &'static str {
    match op {
        Comparison::Lt => "<",
        Comparison::Le => "<=",
        Comparison::Gt => ">",
        Comparison::Ge => ">=",
        Comparison::Eq => "==",
        Comparison::Ne => "!=",
    }
}
