//! `optrun grad SPEC --steps`: the derivation of a gradient, a line for each application of the chain rule.
//!
//! What is named in the spec is named here; every formula is text of the language. A gradient has the shape of its parameter.

use std::fmt::Write as _;

use super::gradients::compare;
use super::names;
use crate::check::Program;
use crate::check::claim::GradientCheck;
use crate::expr::diff;
use crate::expr::graph::{Graph, Id, InputKind};
use crate::expr::normal::{Facts, Normal};
use crate::expr::op::{Binary, Op, Reduce, Unary};
use crate::expr::print::{Names, formula};
use crate::expr::rewrite::{self, Options};

/// The longest second form of a line that is still read.
const SHORT: usize = 70;

/// A definition on the way to the loss.
struct Line {
    node: Id,
    name: String,
    /// Stands for its value where it is used.
    input: Id,
    /// Stands for the derivative of the loss with respect to it.
    delta: Id,
}

/// The derivation of the gradient of a loss with respect to its parameters, or one of them.
///
/// # Errors
/// When something cannot be differentiated: one line.
pub(super) fn steps(program: &Program, name: &str, loss: Id, wrt: Option<&str>) -> Result<String, String> {
    let mut graph = program.model.graph.clone();
    let known = names(program);
    let params: Vec<(String, Id)> = program
        .declared
        .params
        .iter()
        .filter(|p| wrt.is_none_or(|w| w == p.name) && diff::depends_differentiably(&graph, loss, p.id))
        .map(|p| (p.name.clone(), p.id))
        .collect();
    let ids: Vec<Id> = params.iter().map(|(_, id)| *id).collect();
    let lines = forward(&mut graph, loss, &ids, &known, name);
    let show = |id: Id, graph: &Graph| match program.model.rows.show(graph.shape(id)) {
        text if text == "a scalar" => "number".to_string(),
        text => text.replace("a vector of ", ""),
    };
    let felt = |graph: &Graph, id: Id| ids.iter().any(|&p| diff::depends_differentiably(graph, id, p));
    // What does not change with the parameters keeps its name; so does what a line defines, in the lines that use it.
    let reached = graph.reachable(&[loss]);
    let given: Vec<(Id, String)> =
        known.nodes.iter().filter(|(id, _)| reached.contains(id) && !felt(&graph, **id)).map(|(id, n)| (*id, n.clone())).collect();
    let fixed = Names { nodes: given.iter().cloned().collect(), rows: known.rows.clone() };
    let mut text = format!("d {name} / d {}   (a gradient has the shape of its parameter)\n", list(&params));
    for id in graph.reachable(&[loss]) {
        if let Some(input) = graph.as_input(id) {
            let _ = writeln!(text, "given  {}: {}", graph.input_info(input).name, show(id, &graph));
        }
    }
    for (id, name) in &given {
        let _ = writeln!(text, "let    {name} = {}   [{}]", formula(&graph, *id, &fixed), show(*id, &graph));
    }
    let locals: Vec<Id> = lines.iter().map(|line| local(&mut graph, &lines, line.node)).collect();
    let mut plain = fixed;
    for (line, local) in lines.iter().zip(&locals) {
        plain.nodes.entry(*local).or_insert_with(|| line.name.clone());
    }
    for (line, local) in lines.iter().zip(&locals) {
        let _ = writeln!(text, "let    {} = {}   [{}]", line.name, formula(&graph, *local, &plain), show(line.node, &graph));
    }
    let last = local(&mut graph, &lines, loss);
    let _ = writeln!(text, "let    {name} = {}   [number]", formula(&graph, last, &plain));
    let (stable, report) = rewrite::rewrite(&mut graph, &[loss], &Options::default());
    let mut named = report.follow(&known);
    for line in &lines {
        for id in [Some(line.node), report.image(line.node)].into_iter().flatten() {
            named.nodes.entry(id).or_insert_with(|| line.name.clone());
        }
    }
    let mut number = 0;
    let targets: Vec<(String, Id, Id, bool)> = lines
        .iter()
        .rev()
        .map(|line| (line.name.clone(), line.input, line.node, false))
        .chain(params.iter().map(|(name, id)| (name.clone(), *id, *id, true)))
        .collect();
    for (target, input, node, is_param) in targets {
        let mut shares: Vec<Id> = Vec::new();
        let mut rules: Vec<String> = Vec::new();
        for (line, local) in lines.iter().zip(&locals).rev() {
            if diff::depends_differentiably(&graph, *local, input) {
                let product = graph.binary(Binary::Mul, line.delta, *local);
                let sum = graph.sum_all(product);
                shares.push(slope(&mut graph, sum, input)?);
                collect_rules(&graph, *local, input, &line.name, &mut rules);
            }
        }
        if diff::depends_differentiably(&graph, last, input) {
            shares.push(slope(&mut graph, last, input)?);
            collect_rules(&graph, last, input, name, &mut rules);
        }
        if shares.len() > 1 {
            rules.push("sum over the paths".to_string());
        }
        let Some(total) = shares.into_iter().reduce(|a, b| graph.binary(Binary::Add, a, b)) else { continue };
        let (total, _) = rewrite::rewrite(&mut graph, &[total], &Options::default());
        number += 1;
        let first = formula(&graph, total[0], &plain).to_string();
        let head = if is_param { format!("d{name}/d{target}") } else { format!("delta_{target} = d{name}/d{target}") };
        let _ = writeln!(text, "{number}. {head} = {first}   ({})   [{}]", rules.join(", "), show(node, &graph));
        // The same after everything has been put in: where factors cancel, this is what remains.
        let whole = put_together(&mut graph, (loss, node), (stable[0], report.image(node).unwrap_or(node)), is_param)?;
        let (whole, _) = rewrite::rewrite(&mut graph, &[whole], &Options::default());
        let second = formula(&graph, whole[0], &named).to_string();
        if !is_param && second != first && second.chars().count() <= SHORT {
            let _ = writeln!(text, "   {} = {second}   (put together)", " ".repeat(head.chars().count()));
        }
        if is_param {
            let _ = writeln!(text, "so     d{name}/d{target} = {second}");
        }
    }
    let check = GradientCheck { name: name.to_string(), loss };
    if let Some(found) = compare(program, &check, 5..=5) {
        for row in &found.table.rows {
            if let [
                crate::report::table::CellValue::Text(method),
                _,
                _,
                crate::report::table::CellValue::Number { value, .. },
                crate::report::table::CellValue::Text(at),
            ] = &row[..]
            {
                let _ = writeln!(text, "check  at the start the {method} differs by {value:.1e} of the largest entry, most at {at}");
            }
        }
    }
    Ok(text)
}

fn list(params: &[(String, Id)]) -> String {
    params.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(", ")
}

fn slope(graph: &mut Graph, of: Id, wrt: Id) -> Result<Id, String> {
    diff::gradient(graph, of, &[wrt]).map(|list| list[0]).map_err(|why| why.to_string())
}

/// The derivative of the loss with respect to a line: of the form that runs, where it is proved to be the same.
fn put_together(graph: &mut Graph, written: (Id, Id), stable: (Id, Id), is_param: bool) -> Result<Id, String> {
    let runs = slope(graph, stable.0, stable.1)?;
    if is_param {
        return Ok(runs);
    }
    let plain = slope(graph, written.0, written.1)?;
    let facts = Facts::default();
    let same = Normal::new(graph, &facts).same(plain, runs);
    Ok(if same { runs } else { plain })
}

/// The expression of a line in the names of the lines that it uses.
fn local(graph: &mut Graph, lines: &[Line], node: Id) -> Id {
    let with: Vec<(Id, Id)> = lines.iter().filter(|line| line.node != node).map(|line| (line.node, line.input)).collect();
    graph.substitute(&[node], &with)[0]
}

/// The lines from the parameters to the loss: what has a name in the spec, and what goes into a function that is not linear.
fn forward(graph: &mut Graph, loss: Id, params: &[Id], known: &Names, loss_name: &str) -> Vec<Line> {
    let order = graph.reachable(&[loss]);
    let felt: Vec<Id> = order.iter().copied().filter(|&id| params.iter().any(|&p| diff::depends_differentiably(graph, id, p))).collect();
    let mut into_function: Vec<(Id, bool)> = Vec::new();
    for &id in &felt {
        let node = graph.node(id);
        let residual = match &node.op {
            Op::Unary(Unary::Square | Unary::Abs) => Some(true),
            Op::Binary(Binary::Pow) if graph.as_const(node.args[1]).is_some() => Some(true),
            Op::Unary(
                Unary::Sigmoid
                | Unary::Tanh
                | Unary::Exp
                | Unary::Softplus
                | Unary::Relu
                | Unary::Sin
                | Unary::Cos
                | Unary::Erf
                | Unary::Sqrt,
            )
            | Op::Softmax(_)
            | Op::LogSoftmax(_)
            | Op::Reduce(Reduce::LogSumExp, _) => Some(false),
            _ => None,
        };
        if let Some(residual) = residual
            && felt.contains(&node.args[0])
        {
            into_function.push((node.args[0], residual));
        }
    }
    let mut taken: Vec<String> = graph.inputs().iter().map(|i| i.name.clone()).chain(known.nodes.values().cloned()).collect();
    taken.push(loss_name.to_string());
    let mut lines = Vec::new();
    let mut chosen: Vec<(Id, String)> = Vec::new();
    for &id in felt.iter().filter(|&&id| id != loss && graph.as_input(id).is_none()) {
        if let Some(name) = known.nodes.get(&id) {
            chosen.push((id, name.clone()));
        } else if let Some((_, residual)) = into_function.iter().find(|(arg, _)| *arg == id) {
            let letter = if *residual { "r" } else { "z" };
            let mut name = letter.to_string();
            let mut count = 1;
            while taken.contains(&name) {
                count += 1;
                name = format!("{letter}{count}");
            }
            taken.push(name.clone());
            chosen.push((id, name));
        }
    }
    for (node, name) in chosen {
        let shape = graph.shape(node).clone();
        let input = graph.input(name.clone(), InputKind::Shared, shape.clone());
        let delta = graph.input(format!("delta_{name}"), InputKind::Shared, shape);
        lines.push(Line { node, name, input, delta });
    }
    lines
}

/// The rules that the path from an input to the root of an expression passes, in words, the outermost first.
fn collect_rules(graph: &Graph, root: Id, input: Id, name: &str, rules: &mut Vec<String>) {
    let order = graph.reachable(&[root]);
    for &id in order.iter().rev() {
        let node = graph.node(id);
        for (position, &arg) in node.args.iter().enumerate() {
            if !diff::depends_differentiably(graph, arg, input) {
                continue;
            }
            let Some(rule) = rule_of(graph, id, position, name, id == root) else { continue };
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
    }
}

fn rule_of(graph: &Graph, id: Id, position: usize, name: &str, is_root: bool) -> Option<String> {
    let node = graph.node(id);
    let (own, arg) = (graph.shape(id), graph.shape(node.args[position]));
    let stretched = own != arg;
    let text = match &node.op {
        Op::Binary(Binary::Add | Binary::Sub) if stretched && arg.is_scalar() => "one number meets every element: sum",
        Op::Binary(Binary::Add | Binary::Sub) if stretched => "one row is added to every row: sum over the rows",
        Op::Binary(Binary::Mul) if stretched && arg.is_scalar() => "one number multiplies every element: sum",
        Op::Binary(Binary::Mul) => "product rule",
        Op::Binary(Binary::Div) if position == 0 && matches!(graph.node(node.args[0]).op, Op::Reduce(Reduce::Sum, _)) => "mean",
        Op::Binary(Binary::Div) => "quotient rule",
        Op::Binary(Binary::Pow) | Op::Unary(Unary::Square | Unary::Sqrt) => "power rule",
        Op::Binary(Binary::Maximum | Binary::Minimum) | Op::Unary(Unary::Relu) => "1 where it is the larger, 0 elsewhere",
        Op::Unary(Unary::Sigmoid) if is_root => return Some(format!("chain rule, sigmoid' = {name}*(1 - {name})")),
        Op::Unary(Unary::Tanh) if is_root => return Some(format!("chain rule, tanh' = 1 - {name}^2")),
        Op::Unary(Unary::Exp) if is_root => return Some(format!("chain rule, exp' = {name}")),
        Op::Unary(Unary::Sigmoid) => "chain rule, sigmoid' = sigmoid*(1 - sigmoid)",
        Op::Unary(Unary::Tanh) => "chain rule, tanh' = 1 - tanh^2",
        Op::Unary(Unary::Log) => "log",
        Op::Unary(Unary::NormRoot) => "norm",
        Op::Unary(Unary::Neg) => return None,
        Op::Unary(op) => return Some(format!("chain rule, {}'", op.name())),
        Op::Reduce(Reduce::Sum, _) => "sum",
        Op::Reduce(Reduce::LogSumExp, _) => "logsumexp' = softmax",
        Op::Softmax(_) | Op::LogSoftmax(_) => "softmax",
        Op::MatMul if own.is_scalar() => "product of two vectors",
        Op::MatMul if arg.rank() == 1 => "matrix times vector",
        Op::MatMul if position == 1 => "matrix product, right factor",
        Op::MatMul => "matrix product, left factor",
        Op::Transpose => "transpose",
        Op::Concat(_) => "pieces of a stack; constants get none",
        Op::Slice { .. } => "part of it, 0 elsewhere",
        Op::Pick | Op::Gather(_) => "the chosen entries, 0 elsewhere",
        Op::Select => "where it is selected",
        _ => return None,
    };
    Some(text.to_string())
}
