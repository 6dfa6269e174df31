//! `optrun grad`: the derivative of each loss with respect to each parameter, as a formula and at the start.
//!
//! The formula is that of the rewritten graph: the one that runs.

use std::fmt::Write as _;

use ndarray::ArrayD;
use serde_json::{Value, json};

use super::names;
use crate::check::Program;
use crate::check::decls::ValueKind;
use crate::check::draw;
use crate::check::lower::Val;
use crate::expr::graph::Id;
use crate::expr::op::InputId;
use crate::expr::print::{formula, number};
use crate::expr::rewrite::{self, Options};
use crate::expr::{diff, eval};

/// The derivatives, for a person and as a document.
#[derive(Debug)]
pub struct Answer {
    /// For a person.
    pub text: String,
    /// As `design` of the command line says: `{ "losses": { "L": { "value", "gradient", "formula" } } }`.
    pub json: Value,
}

/// The derivatives of the losses, or of one, with respect to all parameters, or one; with `steps` how they are derived.
///
/// # Errors
/// When there is no such loss or parameter, or something cannot be differentiated: one line.
pub fn grad(program: &Program, loss: Option<&str>, wrt: Option<&str>, steps: bool) -> Result<Answer, String> {
    let is_loss = |name: &&String| {
        matches!(program.decls.values[*name].kind, ValueKind::Loss { .. } | ValueKind::Metric { .. } | ValueKind::Let { .. })
    };
    let wanted: Vec<&String> = match loss {
        Some(name) => {
            let found = program.decls.order.iter().find(|n| *n == name && is_loss(n));
            vec![found.ok_or_else(|| unknown("loss", name, program.decls.order.iter().filter(is_loss)))?]
        }
        None => program.decls.order.iter().filter(|n| matches!(program.decls.values[*n].kind, ValueKind::Loss { .. })).collect(),
    };
    if let Some(name) = wrt
        && !program.declared.params.iter().any(|p| p.name == name)
    {
        return Err(unknown("parameter", name, program.declared.params.iter().map(|p| &p.name)));
    }
    let names = names(program);
    let mut text = String::new();
    let mut losses = serde_json::Map::new();
    for name in wanted {
        let Some(Val::Node(id)) = program.model.names.get(name) else { continue };
        let mut graph = program.model.graph.clone();
        if !graph.shape(*id).is_scalar() {
            return Err(format!("`{name}` is {}, not one number: it has no gradient", program.model.show(*id)));
        }
        let (list, _) = rewrite::rewrite(&mut graph, &[*id], &Options::default());
        if steps {
            text.push_str(&super::steps::steps(program, name, *id, wrt)?);
        }
        let params: Vec<_> =
            program.declared.params.iter().filter(|p| wrt.is_none_or(|w| w == p.name) && diff::depends(&graph, list[0], p.id)).collect();
        let wrt: Vec<Id> = params.iter().map(|p| p.id).collect();
        let grads = diff::gradient(&mut graph, list[0], &wrt).map_err(|why| format!("`{name}` cannot be differentiated: {why}"))?;
        let (grads, _) = rewrite::rewrite(&mut graph, &grads, &Options::default());
        let starts = draw::usual_starts(program, &program.model)?;
        let inputs = |input: InputId| {
            let known = program.model.known.get(&input).map(|v| (**v).clone());
            known.or_else(|| starts.iter().find(|(i, _)| *i == input).map(|(_, v)| v.clone()))
        };
        let roots: Vec<Id> = list.iter().chain(&grads).copied().collect();
        let values = eval::evaluate(&graph, &roots, &inputs, &program.model.rows).map_err(|e| e.to_string())?;
        let value = values[0].first().copied().unwrap_or(f64::NAN);
        let _ = writeln!(text, "{name} = {}", formula(&graph, list[0], &names));
        let _ = writeln!(text, "  at the start: {}", number(value));
        let mut gradient = serde_json::Map::new();
        let mut formulas = serde_json::Map::new();
        for ((param, grad), value) in params.iter().zip(&grads).zip(&values[1..]) {
            let shown = formula(&graph, *grad, &names).to_string();
            let _ = writeln!(text, "d {name} / d {} = {shown}", param.name);
            let _ = writeln!(text, "  at the start: {}", array_text(value));
            gradient.insert(param.name.clone(), array_json(value));
            formulas.insert(param.name.clone(), Value::String(shown));
        }
        text.push('\n');
        losses.insert(name.clone(), json!({ "value": number_json(value), "gradient": gradient, "formula": formulas }));
    }
    if losses.is_empty() {
        return Err("the file declares no loss".to_string());
    }
    Ok(Answer { text, json: json!({ "losses": losses }) })
}

fn unknown<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n String>) -> String {
    let list: Vec<&str> = known.map(String::as_str).collect();
    match crate::diag::did_you_mean(name, list.iter().copied()) {
        Some(near) => format!("no {what} is called `{name}`; did you mean `{near}`?"),
        None => format!("no {what} is called `{name}`; there are {}", list.join(", ")),
    }
}

/// A non-finite number is a text, for JSON has none.
fn number_json(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { Value::String(crate::numeric::format::shortest(x)) }
}

fn array_json(value: &ArrayD<f64>) -> Value {
    if value.ndim() == 0 {
        return number_json(value.first().copied().unwrap_or(f64::NAN));
    }
    Value::Array(value.outer_iter().map(|part| array_json(&part.to_owned())).collect())
}

/// An array as a person reads it; long ones in part.
fn array_text(value: &ArrayD<f64>) -> String {
    if value.ndim() == 0 {
        return number(value.first().copied().unwrap_or(f64::NAN));
    }
    let most = 12;
    let mut parts: Vec<String> = value.outer_iter().take(most).map(|part| array_text(&part.to_owned())).collect();
    if value.shape()[0] > most {
        parts.push(format!("... ({} in all)", value.shape()[0]));
    }
    format!("[{}]", parts.join(", "))
}
