//! The built-in functions: one table of names, arguments and what they become in the graph.
//!
//! The list in the reference manual is printed from this table.

mod arrays;
mod linear;
mod ranges;
mod reductions;
mod table;

use crate::check::data::Content;
use crate::check::lower::{Lower, R, Val};
use crate::check::messages;
use crate::diag::{Diagnostic, did_you_mean};
use crate::expr::graph::Id;
use crate::shape::Shape;
use crate::source::Span;
use crate::syntax::ast::{Arg, Expr, Ident};
use crate::syntax::print;
pub(crate) use arrays::indices;
use reductions::reduced;
pub(crate) use reductions::{mean_of, variance_of};
pub use table::{BUILTINS, Builtin};
pub(crate) use table::{CONSTANTS, constant, is_function};
use table::{FOREIGN, Make, find};

/// The arguments of a call, not yet lowered.
pub(crate) struct Call<'e> {
    pub(crate) name: &'e Ident,
    pub(crate) span: Span,
    pub(crate) args: Vec<&'e Expr>,
    pub(crate) named: Vec<(&'e Ident, &'e Expr)>,
}

impl Call<'_> {
    fn option(&self, name: &str) -> Option<&Expr> {
        self.named.iter().find(|(ident, _)| ident.name == name).map(|(_, e)| *e)
    }
}

/// A call of a built-in function.
pub(crate) fn call(lower: &mut Lower<'_>, expr: &Expr, name: &Ident, args: &[Arg]) -> R<Val> {
    let Some(builtin) = find(&name.name) else {
        let diagnostic = unknown(lower, name, args);
        return lower.fail(diagnostic);
    };
    let mut call = Call { name, span: expr.span, args: Vec::new(), named: Vec::new() };
    for arg in args {
        match arg {
            Arg::Positional(e) => call.args.push(e),
            Arg::Named(ident, e) if builtin.named.contains(&ident.name.as_str()) => {
                if call.named.iter().any(|(known, _)| known.name == ident.name) {
                    return lower.fail(messages::given_twice(&ident.name, ident.span));
                }
                call.named.push((ident, e));
            }
            Arg::Named(ident, _) | Arg::In(ident, _) => {
                let mut diagnostic = messages::no_such_argument(&name.name, ident).help(format!("it is called as `{}`", builtin.usage));
                if let Some(near) = did_you_mean(&ident.name, builtin.named.iter().copied()) {
                    diagnostic = diagnostic.replace(ident.span, near, format!("did you mean `{near}`?"));
                }
                return lower.fail(diagnostic);
            }
        }
    }
    let n = call.args.len();
    if n < builtin.least || n > builtin.most {
        // The commonest slip: the axis without its name.
        if builtin.named.contains(&"axis") && n == builtin.most + 1 && builtin.most == 1 {
            let axis = call.args[1];
            let text = format!("axis = {}", print::expr(axis));
            return lower.fail(
                Diagnostic::error("E0223", axis.span, "`axis =` is always named")
                    .here("NumPy's second argument")
                    .replace(axis.span, text, "write"),
            );
        }
        let message = match (builtin.least, n) {
            (least, n) if n < least => format!("`{}` needs {}, {n} given", name.name, count(least, "argument")),
            _ => format!("`{}` takes {}, {n} given", name.name, count(builtin.most, "argument")),
        };
        return lower.fail(messages::wrong_count(expr.span, message).help(format!("it is called as `{}`", builtin.usage)));
    }
    match builtin.make {
        Make::Elementwise(op) => {
            let a = lower.node(call.args[0])?;
            Ok(Val::Node(lower.model.graph.unary(op, a)))
        }
        Make::Pair(op) => {
            let (a, b) = (lower.node(call.args[0]), lower.node(call.args[1]));
            lower.binary(op, (a?, call.args[0].span), (b?, call.args[1].span), expr.span, builtin.name).map(Val::Node)
        }
        Make::Reduction(op) => {
            let a = lower.node(call.args[0])?;
            reduced(lower, &call, op, a).map(Val::Node)
        }
        Make::Along(make) => {
            let a = lower.node(call.args[0])?;
            let rank = lower.model.graph.shape(a).rank();
            let axis = match axis(lower, &call, a)? {
                Some(axis) => axis,
                None if rank == 1 || (rank > 1 && matches!(builtin.name, "softmax" | "log_softmax")) => rank - 1,
                None => {
                    let shape = lower.show(a);
                    let diagnostic = messages::which_axis(&name.name, expr.span, &shape);
                    return lower.fail(diagnostic.help(format!("write `{}`", builtin.usage)));
                }
            };
            Ok(Val::Node(lower.model.graph.add(make(axis), &[a])))
        }
        Make::Other(make) => make(lower, &call),
    }
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn unknown(lower: &Lower<'_>, name: &Ident, args: &[Arg]) -> Diagnostic {
    let known: Vec<&str> = BUILTINS.iter().map(|b| b.name).chain(lower.decls.functions.keys().map(String::as_str)).collect();
    let diagnostic = Diagnostic::error("E0225", name.span, format!("no function is called `{}`", name.name)).here("not known");
    if let Some((_, ours)) = FOREIGN.iter().find(|(theirs, _)| *theirs == name.name) {
        if let Some(power) = ours.strip_prefix('^') {
            let base = if let Some(Arg::Positional(e)) = args.first() { print::expr(e) } else { "x".to_string() };
            let exponent = match args.get(1) {
                Some(Arg::Positional(e)) => print::expr(e),
                _ => power.to_string(),
            };
            return diagnostic.help(format!("a power is written `({base})^{exponent}`"));
        }
        return diagnostic.replace(name.span, *ours, format!("it is called `{ours}` here"));
    }
    if lower.decls.value(&lower.module, &name.name).is_some() || lower.local(&name.name).is_some() {
        return diagnostic.help(format!("`{0}` is a value, not a function; a product is written `{0}*(..)`", name.name));
    }
    match did_you_mean(&name.name, known) {
        Some(near) => {
            let near = near.to_string();
            diagnostic.replace(name.span, near.clone(), format!("did you mean `{near}`?"))
        }
        None => diagnostic,
    }
}

/// The axis that is named in a call, if one is.
fn axis(lower: &mut Lower<'_>, call: &Call<'_>, a: Id) -> R<Option<usize>> {
    let Some(expr) = call.option("axis") else { return Ok(None) };
    let rank = lower.model.graph.shape(a).rank();
    let x = lower.constant(expr, "an axis")?;
    let from_end = x < 0.0;
    let place = if from_end { x + rank as f64 } else { x };
    if x.fract() == 0.0 && place >= 0.0 && (place as usize) < rank {
        return Ok(Some(place as usize));
    }
    let shape = lower.show(a);
    let axes = match rank {
        0 => "a number has no axes".to_string(),
        1 => "a vector has axis 0 only".to_string(),
        2 => "a matrix has axes 0 and 1".to_string(),
        _ => format!("it has axes 0 to {}", rank - 1),
    };
    let found = call.args.first().map_or(call.span, |e| e.span);
    lower.fail(
        Diagnostic::error("E0324", expr.span, format!("no axis {}: {axes}", print::expr(expr))).here("no such axis").label(found, shape),
    )
}

fn one(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Id> {
    lower.node(call.args[0])
}

fn two(lower: &mut Lower<'_>, call: &Call<'_>) -> R<(Id, Id)> {
    let (a, b) = (lower.node(call.args[0]), lower.node(call.args[1]));
    Ok((a?, b?))
}

fn matrix(lower: &mut Lower<'_>, call: &Call<'_>) -> R<(Id, Shape)> {
    let a = one(lower, call)?;
    let shape = lower.model.graph.shape(a).clone();
    if shape.rank() == 2 {
        return Ok((a, shape));
    }
    let text = lower.show(a);
    lower.fail(messages::needs_matrix(&call.name.name, call.args[0].span, &text))
}

/// The largest array that a spec may write down, in elements.
pub(crate) const LARGEST: usize = 1 << 27;

fn limited(lower: &mut Lower<'_>, call: &Call<'_>, sizes: &[usize]) -> R<()> {
    let count = sizes.iter().try_fold(1usize, |n, &k| n.checked_mul(k));
    if count.is_some_and(|n| n <= LARGEST) {
        return Ok(());
    }
    let diagnostic = messages::too_large(call.span, sizes);
    lower.fail(diagnostic)
}

/// The texts of a column, or the diagnostic that it is none.
pub(crate) fn text_column<'m>(lower: &'m Lower<'_>, value: &Val) -> Option<&'m [String]> {
    let Val::Column(data, column) = value else { return None };
    match &lower.model.data[data.0 as usize].columns[*column].content {
        Content::Texts { values, .. } => Some(values),
        Content::Numbers { .. } | Content::Missing { .. } | Content::Broken => None,
    }
}
