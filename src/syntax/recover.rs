//! Parses a file item by item and goes on after a mistake: it tries the help out, or else gives up the line, or the item.
//!
//! What a mistake is called is decided in `mistakes`.

use crate::diag::Diagnostics;
use crate::source::{FileId, Sources};

use super::ast::{Expr, File, Item};
use super::build;
use super::layout::{Layout, MOST_FINDINGS, Stretch, lay_out};
use super::lex::{Kind, Token, lex};
use super::mistakes::{self, Finding, Known, Stuck};
use super::parse::{Rule, Tree, parse_rule};
use super::scratch::Scratch;

/// So many mistakes are looked for in one item.
const PATIENCE: usize = 24;

/// Reads a file. All independent mistakes are reported; what could be understood is returned.
#[must_use]
pub fn parse(sources: &Sources, file: FileId) -> (File, Diagnostics) {
    let text = &sources.file(file).text;
    let Layout { text: laid, items, findings } = lay_out(text, file);
    let mut out = Diagnostics::new();
    for finding in findings {
        out.push(finding);
    }
    let known = mistakes::known(&laid);
    let mut tree = File::default();
    for stretch in items.iter().filter(|stretch| !stretch.too_deep) {
        if out.list.len() >= MOST_FINDINGS {
            break;
        }
        let mut scratch = working_copy(&laid, stretch, file);
        let Some(found) = parse_patiently(Rule::items_alone, &mut scratch, &known, &mut out) else { continue };
        let mut doc = doc_above(text, stretch.lo);
        for (span, kind) in build::items(&found, &scratch, &mut out) {
            tree.items.push(Item { doc: std::mem::take(&mut doc), span, kind });
        }
    }
    out.sort();
    (tree, out)
}

/// Reads a file that is one expression, such as a formula that was printed.
///
/// # Errors
/// What is wrong with it.
pub fn parse_expr(sources: &Sources, file: FileId) -> Result<Expr, Diagnostics> {
    parse_expr_after(sources, file, 0)
}

/// Reads the expression that begins after so many bytes of a file.
pub(super) fn parse_expr_after(sources: &Sources, file: FileId, from: usize) -> Result<Expr, Diagnostics> {
    let text = &sources.file(file).text;
    let text = format!("{:from$}{}", "", &text[from..]);
    let Layout { text: laid, items, findings } = lay_out(&text, file);
    let mut out = Diagnostics::new();
    for finding in findings {
        out.push(finding);
    }
    let mut expr = None;
    if items.iter().all(|item| !item.too_deep) {
        let whole = Stretch { lo: 0, hi: laid.len(), repairs: items.into_iter().flat_map(|item| item.repairs).collect(), too_deep: false };
        let mut scratch = working_copy(&laid, &whole, file);
        if let Some(found) = parse_patiently(Rule::expr_alone, &mut scratch, &Known::default(), &mut out) {
            expr = build::expression(&found, &scratch, &mut out);
        }
    }
    out.sort();
    match expr {
        Some(expr) if !out.has_errors() => Ok(expr),
        _ => Err(out),
    }
}

fn working_copy(laid: &str, stretch: &Stretch, file: FileId) -> Scratch {
    let mut scratch = Scratch::new(file, stretch.lo, &laid[stretch.lo..stretch.hi]);
    if !stretch.repairs.is_empty() {
        scratch.edit(stretch.repairs.iter().map(|(at, with)| (at - stretch.lo, at - stretch.lo, with.clone())).collect());
    }
    scratch
}

fn parse_patiently(rule: Rule, scratch: &mut Scratch, known: &Known, out: &mut Diagnostics) -> Option<Tree> {
    let habits = mistakes::habits(scratch, known);
    let mut edits = Vec::new();
    let mut lines = Vec::new();
    let tokens = if habits.is_empty() { Vec::new() } else { lex(&scratch.text) };
    for finding in habits.iter().take(MOST_FINDINGS.saturating_sub(out.list.len())) {
        out.push(finding.diagnostic(scratch));
        match finding.repair() {
            Some(repair) => edits.extend(repair.iter().cloned()),
            None if finding.harmless => {}
            None => lines.push(line_around(&tokens, &scratch.text, finding.lo)),
        }
    }
    for line in lines {
        let (lo, hi) = line?;
        scratch.blank(lo, hi);
        edits.retain(|(at, _, _)| *at < lo || *at >= hi);
    }
    if !edits.is_empty() {
        scratch.edit(edits);
    }
    if rule == Rule::items_alone && scratch.text.trim().is_empty() {
        return None;
    }
    let mut furthest = None;
    for _ in 0..PATIENCE {
        let failure = match parse_rule(rule, &scratch.text) {
            Ok(tree) => return Some(tree),
            Err(failure) => failure,
        };
        let tokens = lex(&scratch.text);
        let stuck = Stuck::new(scratch, &tokens, &failure, rule);
        let line = line_around(&tokens, &scratch.text, failure.at);
        let (lo, hi) = line.unwrap_or((0, head_end(&tokens, &scratch.text, failure.at)));
        let mut finding = mistakes::explain(&stuck);
        if finding.tentative && !helps(scratch, &finding, rule, hi) {
            finding = mistakes::unexpected(&stuck);
        }
        // A mistake in what a repair left behind is no mistake of the writer's.
        if scratch.untouched(lo, finding.lo.max(failure.at)) || out.list.is_empty() {
            out.push(finding.diagnostic(scratch));
        }
        let place = scratch.origin(failure.at);
        let progress = furthest.is_none_or(|furthest| place > furthest);
        furthest = Some(place);
        if !mend(scratch, &finding, line, progress) {
            return None;
        }
    }
    None
}

/// Whether the help makes everything readable up to here.
fn helps(scratch: &Scratch, finding: &Finding, rule: Rule, end: usize) -> bool {
    let Some(repair) = finding.repair() else { return false };
    let mut trial = scratch.clone();
    trial.edit(repair.to_vec());
    parse_rule(rule, &trial.text).map_or_else(|failure| trial.origin(failure.at) > scratch.origin(end), |_| true)
}

/// Where the first line of an item ends: at its brace, or at the end of its line.
fn head_end(tokens: &[Token], text: &str, at: usize) -> usize {
    let rest = tokens.iter().filter(|token| token.lo >= at);
    rest.take_while(|token| token.kind != Kind::Newline && !token.is(text, "{")).last().map_or(text.len().min(at), |token| token.hi)
}

/// Repairs a mistake, or blanks the line it is on; false when neither is possible.
fn mend(scratch: &mut Scratch, finding: &Finding, line: Option<(usize, usize)>, progress: bool) -> bool {
    if let Some(repair) = finding.repair().filter(|_| progress) {
        scratch.edit(repair.to_vec());
        return true;
    }
    match line {
        Some((lo, hi)) => {
            scratch.blank(lo, hi);
            true
        }
        None => false,
    }
}

/// The line of a block that a byte stands on; nothing when it is the head of the item.
fn line_around(tokens: &[Token], text: &str, at: usize) -> Option<(usize, usize)> {
    let split = tokens.partition_point(|token| token.lo < at);
    let ends = |token: &Token| token.kind == Kind::Newline || token.is(text, ";");
    let mut depth = 0;
    let mut first = split;
    loop {
        let token = tokens.get(first.checked_sub(1)?)?;
        if token.is(text, "}") {
            depth += 1;
        } else if token.is(text, "{") {
            if depth == 0 {
                break;
            }
            depth -= 1;
        } else if depth == 0 && ends(token) {
            // Right at the end of a line it is that line which stopped too early.
            if first < split || !tokens.get(split).is_none_or(|next| ends(next) || next.is(text, "}")) {
                break;
            }
        }
        first -= 1;
    }
    let mut last = first;
    depth = 0;
    while let Some(token) = tokens.get(last) {
        if token.is(text, "{") {
            depth += 1;
        } else if token.is(text, "}") {
            if depth == 0 {
                break;
            }
            depth -= 1;
        } else if depth == 0 && ends(token) && last >= split {
            break;
        }
        last += 1;
    }
    (first < last).then(|| (tokens[first].lo, tokens[last - 1].hi))
}

/// The comment lines directly above a byte, without `#`.
fn doc_above(text: &str, at: usize) -> Vec<String> {
    let line_start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let mut doc: Vec<String> = text[..line_start]
        .lines()
        .rev()
        .map_while(|line| line.trim_start().strip_prefix('#'))
        .map(|line| line.trim_end().to_owned())
        .collect();
    doc.reverse();
    doc
}
