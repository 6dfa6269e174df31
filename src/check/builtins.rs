//! The built-in functions: one table of names, arguments and what they become in the graph.
//!
//! The list in the reference manual is printed from this table.

use crate::diag::{Diagnostic, did_you_mean};
use crate::expr::diff;
use crate::expr::graph::Id;
use crate::expr::op::{Binary, Op, Reduce, Unary};
use crate::numeric::elementary;
use crate::shape::{Dim, Shape};
use crate::source::Span;
use crate::syntax::ast::{Arg, Expr, ExprKind, Ident, UnaryOp};
use crate::syntax::print;

use super::data;
use super::lower::{Content, Lower, R, Reported, Val};
use super::messages;

/// The constants that every file knows.
pub(crate) const CONSTANTS: [(&str, f64); 6] =
    [("pi", std::f64::consts::PI), ("e", std::f64::consts::E), ("inf", f64::INFINITY), ("nan", f64::NAN), ("true", 1.0), ("false", 0.0)];

/// The value of a built-in constant.
pub(crate) fn constant(name: &str) -> Option<f64> {
    CONSTANTS.iter().find(|(known, _)| *known == name).map(|(_, x)| *x)
}

/// One function of the table.
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// How it is called.
    pub usage: &'static str,
    /// What it gives.
    pub gives: &'static str,
    least: usize,
    most: usize,
    named: &'static [&'static str],
    make: Make,
}

#[derive(Clone, Copy)]
enum Make {
    Elementwise(Unary),
    Pair(Binary),
    Reduction(Reduce),
    Along(fn(usize) -> Op),
    Other(fn(&mut Lower<'_>, &Call<'_>) -> R<Val>),
}

const fn elementwise(name: &'static str, usage: &'static str, gives: &'static str, op: Unary) -> Builtin {
    Builtin { name, usage, gives, least: 1, most: 1, named: &[], make: Make::Elementwise(op) }
}

const fn reduction(name: &'static str, usage: &'static str, gives: &'static str, op: Reduce) -> Builtin {
    Builtin { name, usage, gives, least: 1, most: 1, named: &["axis"], make: Make::Reduction(op) }
}

type Maker = fn(&mut Lower<'_>, &Call<'_>) -> R<Val>;

const fn other(
    name: &'static str,
    usage: &'static str,
    gives: &'static str,
    args: (usize, usize),
    named: &'static [&'static str],
    make: Maker,
) -> Builtin {
    Builtin { name, usage, gives, least: args.0, most: args.1, named, make: Make::Other(make) }
}

const MANY: usize = usize::MAX;

/// All built-in functions, by name.
#[rustfmt::skip]
pub static BUILTINS: &[Builtin] = &[
    elementwise("abs", "abs(x)", "absolute value; slope 0 at 0", Unary::Abs),
    other("accuracy", "accuracy(predicted, actual)", "the share of rows in which the two are equal", (2, 2), &[], accuracy),
    other("arange", "arange(start, stop, step)", "NumPy's: start, start + step, .. below stop", (1, 3), &[], arange),
    elementwise("arccos", "arccos(x)", "inverse cosine, in radians", Unary::Acos),
    elementwise("arcsin", "arcsin(x)", "inverse sine, in radians", Unary::Asin),
    elementwise("arctan", "arctan(x)", "inverse tangent, in radians", Unary::Atan),
    reduction("argmax", "argmax(x, axis = 1)", "the index of the largest entry, the first of equals", Reduce::ArgMax),
    reduction("argmin", "argmin(x, axis = 1)", "the index of the smallest entry, the first of equals", Reduce::ArgMin),
    Builtin { name: "argsort", usage: "argsort(x, axis = 0)", gives: "the indices that sort, equals in their order", least: 1, most: 1, named: &["axis"], make: Make::Along(Op::ArgSort) },
    elementwise("ceil", "ceil(x)", "the smallest whole number not below", Unary::Ceil),
    other("clip", "clip(x, low, high)", "x, but not below low nor above high", (3, 3), &[], clip),
    other("code", "code(c)", "the labels of a text column as numbers 0, 1, .. in sorted order", (1, 1), &[], code),
    other("cols", "cols(X)", "the number of columns of a matrix", (1, 1), &[], cols),
    other("concat", "concat(a, b, .., axis = 0)", "one after the other along an axis", (1, MANY), &["axis"], concat),
    elementwise("cos", "cos(x)", "cosine of radians", Unary::Cos),
    elementwise("cosh", "cosh(x)", "hyperbolic cosine", Unary::Cosh),
    Builtin { name: "cumsum", usage: "cumsum(x, axis = 0)", gives: "running sums", least: 1, most: 1, named: &["axis"], make: Make::Along(|axis| Op::Cumsum { axis, reverse: false }) },
    other("diff", "diff(x, axis = 0)", "differences of neighbours: one entry less", (1, 1), &["axis"], differences),
    other("dot", "dot(a, b)", "a @ b", (2, 2), &[], dot),
    elementwise("erf", "erf(x)", "the error function", Unary::Erf),
    elementwise("exp", "exp(x)", "e to the power x", Unary::Exp),
    elementwise("expm1", "expm1(x)", "exp(x) - 1 without cancellation", Unary::Expm1),
    other("eye", "eye(n)", "the n x n identity", (1, 1), &[], eye),
    other("fill", "fill(c, v)", "the column with v in place of missing entries", (2, 2), &[], data::fill),
    elementwise("floor", "floor(x)", "the largest whole number not above", Unary::Floor),
    other("geomspace", "geomspace(low, high, n)", "n values from low to high with equal ratios", (3, 3), &[], geomspace),
    other("grad", "grad(f, w)", "the gradient of the number f with respect to w, in the shape of w", (2, 2), &[], grad),
    other("hessian", "hessian(f, w)", "the matrix of second derivatives of f with respect to the vector w", (2, 2), &[], hessian),
    other("hstack", "hstack(1, a, X, ..)", "columns side by side; a number fills a column", (1, MANY), &[], hstack),
    other("linspace", "linspace(low, high, n)", "n values from low to high at equal distances", (3, 3), &[], linspace),
    elementwise("log", "log(x)", "natural logarithm", Unary::Log),
    elementwise("log10", "log10(x)", "decimal logarithm", Unary::Log10),
    elementwise("log1p", "log1p(x)", "log(1 + x) without cancellation", Unary::Log1p),
    elementwise("log2", "log2(x)", "binary logarithm", Unary::Log2),
    Builtin { name: "log_softmax", usage: "log_softmax(Z, axis = -1)", gives: "log(softmax(Z)), stable", least: 1, most: 1, named: &["axis"], make: Make::Along(Op::LogSoftmax) },
    other("logspace", "logspace(a, b, n)", "n values from 10^a to 10^b with equal ratios, as NumPy's", (3, 3), &[], logspace),
    reduction("logsumexp", "logsumexp(x, axis = 1)", "log(sum(exp(x))), stable", Reduce::LogSumExp),
    other("max", "max(x, axis = 0), max(a, b)", "the largest entry; with several arguments, of numbers", (1, MANY), &["axis"], maximum_of),
    Builtin { name: "maximum", usage: "maximum(a, b)", gives: "the larger, elementwise; ties share the slope", least: 2, most: 2, named: &[], make: Make::Pair(Binary::Maximum) },
    other("mean", "mean(x, axis = 0)", "the mean", (1, 1), &["axis"], |l, c| moments(l, c, Moment::Mean)),
    reduction("median", "median(x, axis = 0)", "the middle value", Reduce::Median),
    other("min", "min(x, axis = 0), min(a, b)", "the smallest entry; with several arguments, of numbers", (1, MANY), &["axis"], minimum_of),
    Builtin { name: "minimum", usage: "minimum(a, b)", gives: "the smaller, elementwise; ties share the slope", least: 2, most: 2, named: &[], make: Make::Pair(Binary::Minimum) },
    Builtin { name: "mod", usage: "mod(a, b)", gives: "remainder with the sign of b", least: 2, most: 2, named: &[], make: Make::Pair(Binary::Mod) },
    other("norm", "norm(x, axis = 1)", "Euclidean (of a matrix: Frobenius) length; ord = 1, 2 or inf; slope 0 at 0", (1, 1), &["axis", "ord"], norm),
    other("observed", "observed(c)", "the entries of a column that are not missing", (1, 1), &[], data::observed),
    other("onehot", "onehot(y, k)", "rows of the k x k identity", (1, 2), &[], onehot),
    other("ones", "ones(n), ones(n, m)", "an array of ones", (1, MANY), &[], |l, c| filled(l, c, 1.0)),
    other("outer", "outer(a, b)", "a[:, None]*b[None, :]", (2, 2), &[], outer),
    other("pick", "pick(A, y)", "A[i, y[i]] in each row i", (2, 2), &[], pick),
    reduction("prod", "prod(x, axis = 0)", "the product", Reduce::Prod),
    other("range", "range(n), range(a, b)", "0, 1, .., n - 1; or a, .., b - 1", (1, 2), &[], arange),
    elementwise("relu", "relu(x)", "maximum(0, x) with slope 0 at 0", Unary::Relu),
    other("reshape", "reshape(x, [n, m])", "the same entries, row by row, in another shape", (2, 2), &[], reshape),
    elementwise("round", "round(x)", "to the nearest whole number, ties to even", Unary::Round),
    other("rows", "rows(X)", "the number of rows; of the batch, in a minibatch", (1, 1), &[], rows),
    elementwise("sigmoid", "sigmoid(x)", "1/(1 + exp(-x))", Unary::Sigmoid),
    elementwise("sign", "sign(x)", "-1, 0 or 1; slope 0", Unary::Sign),
    elementwise("sin", "sin(x)", "sine of radians", Unary::Sin),
    elementwise("sinh", "sinh(x)", "hyperbolic sine", Unary::Sinh),
    other("soft_threshold", "soft_threshold(x, t)", "sign(x)*maximum(0, abs(x) - t)", (2, 2), &[], soft_threshold),
    Builtin { name: "softmax", usage: "softmax(Z, axis = -1)", gives: "exp(Z)/sum(exp(Z)), stable; over the last axis unless said", least: 1, most: 1, named: &["axis"], make: Make::Along(Op::Softmax) },
    elementwise("softplus", "softplus(x)", "log(1 + exp(x)) without overflow", Unary::Softplus),
    other("solve", "solve(A, b)", "x with A @ x == b", (2, 2), &[], solve),
    Builtin { name: "sort", usage: "sort(x, axis = 0)", gives: "sorted ascending", least: 1, most: 1, named: &["axis"], make: Make::Along(Op::Sort) },
    elementwise("sqrt", "sqrt(x)", "square root; slope inf at 0", Unary::Sqrt),
    other("standardize", "standardize(X)", "each column less its mean, divided by its standard deviation (ddof 0)", (1, 1), &[], data::standardize),
    other("std", "std(x, axis = 0)", "standard deviation (ddof 0)", (1, 1), &["axis"], |l, c| moments(l, c, Moment::Std)),
    reduction("sum", "sum(x, axis = 0)", "the sum", Reduce::Sum),
    elementwise("tan", "tan(x)", "tangent of radians", Unary::Tan),
    elementwise("tanh", "tanh(x)", "hyperbolic tangent", Unary::Tanh),
    other("trace", "trace(A)", "the sum of the diagonal", (1, 1), &[], trace),
    other("transpose", "transpose(A)", "A.T", (1, 1), &[], transpose),
    other("tril", "tril(A)", "the lower triangle, zeros above", (1, 1), &[], |l, c| triangle(l, c, true)),
    other("triu", "triu(A)", "the upper triangle, zeros below", (1, 1), &[], |l, c| triangle(l, c, false)),
    other("var", "var(x, axis = 0)", "variance (ddof 0)", (1, 1), &["axis"], |l, c| moments(l, c, Moment::Var)),
    other("vstack", "vstack(a, X, ..)", "rows one below the other", (1, MANY), &[], vstack),
    other("where", "where(c, a, b)", "a where c is not 0, else b, elementwise", (3, 3), &[], select),
    other("zeros", "zeros(n), zeros(n, m)", "an array of zeros", (1, MANY), &[], |l, c| filled(l, c, 0.0)),
];

/// Functions that other programs have, and what the language calls them.
const FOREIGN: [(&str, &str); 18] = [
    ("ln", "log"),
    ("matmul", "dot"),
    ("average", "mean"),
    ("power", "^"),
    ("pow", "^"),
    ("square", "^2"),
    ("asin", "arcsin"),
    ("acos", "arccos"),
    ("atan", "arctan"),
    ("amax", "max"),
    ("amin", "min"),
    ("concatenate", "concat"),
    ("arcsinh", "log"),
    ("logistic", "sigmoid"),
    ("expit", "sigmoid"),
    ("one_hot", "onehot"),
    ("len", "rows"),
    ("absolute", "abs"),
];

/// Whether a name is a built-in function.
pub(crate) fn is_function(name: &str) -> bool {
    find(name).is_some()
}

fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|b| b.name == name)
}

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
                    return lower
                        .fail(Diagnostic::error("E0220", ident.span, format!("argument `{}` is given twice", ident.name)).here("second"));
                }
                call.named.push((ident, e));
            }
            Arg::Named(ident, _) | Arg::In(ident, _) => {
                let message = format!("`{}` has no argument called `{}`", name.name, ident.name);
                let mut diagnostic = Diagnostic::error("E0222", ident.span, message)
                    .here("no such argument")
                    .help(format!("it is called as `{}`", builtin.usage));
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
        return lower
            .fail(Diagnostic::error("E0224", expr.span, message).here("here").help(format!("it is called as `{}`", builtin.usage)));
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
                    let diagnostic = Diagnostic::error("E0323", expr.span, format!("`{}` of {shape}: along which axis?", name.name))
                        .here(shape)
                        .help(format!("write `{}`", builtin.usage));
                    return lower.fail(diagnostic);
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

fn reduced(lower: &mut Lower<'_>, call: &Call<'_>, op: Reduce, a: Id) -> R<Id> {
    if let Some(axis) = axis(lower, call, a)? {
        return Ok(lower.model.graph.reduce(op, axis, a));
    }
    let rank = lower.model.graph.shape(a).rank();
    match (op, rank) {
        (Reduce::ArgMax | Reduce::ArgMin, 0) => Ok(lower.model.graph.number(0.0)),
        (_, 0) => Ok(a),
        (_, 1) => Ok(lower.model.graph.reduce(op, 0, a)),
        (Reduce::Sum | Reduce::Prod | Reduce::Max | Reduce::Min | Reduce::LogSumExp, _) => {
            Ok((0..rank).rev().fold(a, |value, axis| lower.model.graph.reduce(op, axis, value)))
        }
        _ => {
            let shape = lower.show(a);
            let diagnostic =
                Diagnostic::error("E0323", call.span, format!("`{}` of {shape}: along which axis?", call.name.name)).here(shape);
            let end = call.args.last().map_or(call.span.end(), |e| e.span.end());
            lower.fail(diagnostic.replace(end, ", axis = 1", "of each row"))
        }
    }
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
    lower.fail(Diagnostic::error("E0325", call.args[0].span, format!("`{}` needs a matrix", call.name.name)).here(text))
}

fn accuracy(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (a, b) = two(lower, call)?;
    let equal = lower.binary(Binary::Eq, (a, call.args[0].span), (b, call.args[1].span), call.span, "accuracy")?;
    Ok(Val::Node(mean_of(lower, equal, None)))
}

fn clip(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (x, low) = two(lower, call)?;
    let high = lower.node(call.args[2])?;
    let raised = lower.binary(Binary::Maximum, (x, call.args[0].span), (low, call.args[1].span), call.span, "clip")?;
    lower.binary(Binary::Minimum, (raised, call.args[0].span), (high, call.args[2].span), call.span, "clip").map(Val::Node)
}

fn code(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    data::codes(lower, call.args[0]).map(|(id, _)| Val::Node(id))
}

fn rows(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let a = one(lower, call)?;
    match lower.model.graph.shape(a).0.first().copied() {
        Some(dim) => Ok(Val::Node(lower.model.graph.extent(dim))),
        None => lower.fail(Diagnostic::error("E0326", call.args[0].span, "a number has no rows").here("a scalar")),
    }
}

fn cols(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (_, shape) = matrix(lower, call)?;
    Ok(Val::Node(lower.model.graph.extent(shape.0[1])))
}

fn concat(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let nodes = call.args.iter().map(|e| lower.node(e)).collect::<Vec<_>>().into_iter().collect::<R<Vec<Id>>>()?;
    let at = axis(lower, call, nodes[0])?.unwrap_or(0);
    let parts: Vec<Id> = nodes
        .iter()
        .map(|&id| if lower.model.graph.shape(id).is_scalar() { lower.model.graph.add(Op::Expand(0), &[id]) } else { id })
        .collect();
    joined(lower, call, at, &parts)
}

fn joined(lower: &mut Lower<'_>, call: &Call<'_>, axis: usize, parts: &[Id]) -> R<Val> {
    match lower.model.graph.try_add(Op::Concat(axis), parts) {
        Ok(id) => Ok(Val::Node(id)),
        Err(_) => {
            let mut diagnostic = Diagnostic::error("E0327", call.span, format!("`{}`: these do not fit together", call.name.name));
            for (e, &id) in call.args.iter().zip(parts) {
                diagnostic = diagnostic.label(e.span, lower.show(id));
            }
            lower.fail(diagnostic)
        }
    }
}

fn hstack(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let nodes = call.args.iter().map(|e| lower.node(e)).collect::<Vec<_>>().into_iter().collect::<R<Vec<Id>>>()?;
    let height = nodes.iter().find_map(|&id| lower.model.graph.shape(id).0.first().copied());
    let Some(height) = height else {
        return lower.fail(Diagnostic::error("E0328", call.span, "`hstack` of numbers only: how many rows?").here("no column among them"));
    };
    let graph = &mut lower.model.graph;
    let parts: Vec<Id> = nodes
        .iter()
        .map(|&id| match graph.shape(id).rank() {
            0 => graph.broadcast_to(id, &Shape(vec![height, Dim::Size(1)])),
            1 => graph.add(Op::Expand(1), &[id]),
            _ => id,
        })
        .collect();
    joined(lower, call, 1, &parts)
}

fn vstack(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let nodes = call.args.iter().map(|e| lower.node(e)).collect::<Vec<_>>().into_iter().collect::<R<Vec<Id>>>()?;
    let graph = &mut lower.model.graph;
    let parts: Vec<Id> = nodes.iter().map(|&id| if graph.shape(id).rank() == 1 { graph.add(Op::Expand(0), &[id]) } else { id }).collect();
    joined(lower, call, 0, &parts)
}

fn differences(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let a = one(lower, call)?;
    let at = axis(lower, call, a)?.unwrap_or(0);
    let dim = lower.model.graph.shape(a).0.get(at).copied();
    match dim {
        Some(Dim::Size(n)) if n >= 1 => {
            let graph = &mut lower.model.graph;
            let late = graph.add(Op::Slice { axis: at, start: 1, step: 1, len: n - 1 }, &[a]);
            let early = graph.add(Op::Slice { axis: at, start: 0, step: 1, len: n - 1 }, &[a]);
            Ok(Val::Node(graph.binary(Binary::Sub, late, early)))
        }
        _ => {
            let shape = lower.show(a);
            lower.fail(Diagnostic::error("E0329", call.args[0].span, "`diff` needs an axis of fixed length").here(shape))
        }
    }
}

fn dot(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (a, b) = two(lower, call)?;
    lower.matmul((a, call.args[0].span), (b, call.args[1].span), call.span).map(Val::Node)
}

fn eye(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let n = lower.whole(call.args[0], "the size", 1.0)?;
    limited(lower, call, &[n, n])?;
    let values: Vec<f64> = (0..n * n).map(|i| f64::from(u8::from(i / n == i % n))).collect();
    Ok(Val::Node(lower.model.graph.literal(&[n, n], &values)))
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

fn filled(lower: &mut Lower<'_>, call: &Call<'_>, value: f64) -> R<Val> {
    let mut sizes = Vec::new();
    for arg in &call.args {
        match &arg.kind {
            ExprKind::List(items) => {
                for item in items {
                    sizes.push(lower.whole(item, "a size", 0.0)?);
                }
            }
            _ => sizes.push(lower.whole(arg, "a size", 0.0)?),
        }
    }
    limited(lower, call, &sizes)?;
    let number = lower.model.graph.number(value);
    Ok(Val::Node(lower.model.graph.broadcast_to(number, &Shape::fixed(&sizes))))
}

fn grad(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (f, w) = two(lower, call)?;
    number_of(lower, f, call.args[0].span, "`grad`")?;
    match diff::gradient(&mut lower.model.graph, f, &[w]) {
        Ok(mut list) => list.pop().map(Val::Node).ok_or(Reported),
        Err(why) => {
            let diagnostic = messages::not_differentiable(lower.model, &why, call.span);
            lower.fail(diagnostic)
        }
    }
}

fn hessian(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (f, w) = two(lower, call)?;
    number_of(lower, f, call.args[0].span, "`hessian`")?;
    if lower.model.graph.shape(w).rank() != 1 {
        let shape = lower.show(w);
        return lower.fail(Diagnostic::error("E0330", call.args[1].span, "`hessian` is taken with respect to a vector").here(shape));
    }
    match diff::hessian(&mut lower.model.graph, f, w) {
        Ok(id) => Ok(Val::Node(id)),
        Err(why) => {
            let diagnostic = messages::not_differentiable(lower.model, &why, call.span);
            lower.fail(diagnostic)
        }
    }
}

fn number_of(lower: &mut Lower<'_>, id: Id, span: Span, what: &str) -> R<()> {
    if lower.model.graph.shape(id).is_scalar() {
        return Ok(());
    }
    let shape = lower.show(id);
    lower.fail(Diagnostic::error("E0311", span, format!("{what} is taken of one number; this is {shape}")).here(shape))
}

fn spaced(lower: &mut Lower<'_>, call: &Call<'_>) -> R<(f64, f64, usize)> {
    let low = lower.constant(call.args[0], "the first value")?;
    let high = lower.constant(call.args[1], "the last value")?;
    let n = lower.whole(call.args[2], "the number of values", 1.0)?;
    limited(lower, call, &[n])?;
    Ok((low, high, n))
}

fn vector(lower: &mut Lower<'_>, values: &[f64]) -> R<Val> {
    Ok(Val::Node(lower.model.graph.literal(&[values.len()], values)))
}

/// NumPy's `linspace`: `low + i*step`, the last value exactly `high`.
fn steps(low: f64, high: f64, n: usize) -> Vec<f64> {
    let step = (high - low) / (n.max(2) - 1) as f64;
    (0..n).map(|i| if i + 1 == n && n > 1 { high } else { low + i as f64 * step }).collect()
}

fn linspace(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (low, high, n) = spaced(lower, call)?;
    vector(lower, &steps(low, high, n))
}

fn logspace(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (low, high, n) = spaced(lower, call)?;
    let values: Vec<f64> = steps(low, high, n).iter().map(|&x| elementary::pow(10.0, x)).collect();
    vector(lower, &values)
}

fn geomspace(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (low, high, n) = spaced(lower, call)?;
    if low * high <= 0.0 {
        let at = if low == 0.0 || (low < 0.0) != (high < 0.0) { call.args[0] } else { call.args[1] };
        let diagnostic = Diagnostic::error("E0331", at.span, "`geomspace` takes the values themselves, both positive")
            .here(format!("from {low} to {high}"));
        return lower.fail(diagnostic.help(format!(
            "for exponents write `logspace({}, {}, {n})`",
            print::expr(call.args[0]),
            print::expr(call.args[1])
        )));
    }
    let sign = if low < 0.0 { -1.0 } else { 1.0 };
    let (a, b) = (elementary::log10(low.abs()), elementary::log10(high.abs()));
    let mut values: Vec<f64> = steps(a, b, n).iter().map(|&x| sign * elementary::pow(10.0, x)).collect();
    values[0] = low;
    if n > 1 {
        values[n - 1] = high;
    }
    vector(lower, &values)
}

fn arange(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let numbers = call.args.iter().map(|e| lower.constant(e, "a bound")).collect::<Vec<_>>().into_iter().collect::<R<Vec<f64>>>()?;
    let (start, stop, step) = match numbers[..] {
        [stop] => (0.0, stop, 1.0),
        [start, stop] => (start, stop, 1.0),
        [start, stop, step, ..] => (start, stop, step),
        [] => return Err(Reported),
    };
    let n = ((stop - start) / step).ceil();
    if step == 0.0 || !n.is_finite() || n < 1.0 {
        return lower.fail(Diagnostic::error("E0332", call.span, "this range is empty").here(format!("from {start} to {stop} by {step}")));
    }
    limited(lower, call, &[n as usize])?;
    let values: Vec<f64> = (0..n as usize).map(|i| start + i as f64 * step).collect();
    vector(lower, &values)
}

fn extreme(lower: &mut Lower<'_>, call: &Call<'_>, over: Reduce, pair: Binary) -> R<Val> {
    if call.args.len() == 1 {
        let a = one(lower, call)?;
        return reduced(lower, call, over, a).map(Val::Node);
    }
    let mut best: Option<(Id, Span)> = None;
    for e in &call.args {
        let id = lower.node(e)?;
        if !lower.model.graph.shape(id).is_scalar() {
            let shape = lower.show(id);
            let array = if over == Reduce::Max { "maximum" } else { "minimum" };
            let message = format!("`{}(a, b)` compares numbers; `{array}(A, B)` compares arrays entry by entry", call.name.name);
            let diagnostic = Diagnostic::error("E0333", e.span, message).here(shape).replace(call.name.span, array, "write");
            return lower.fail(diagnostic);
        }
        best = Some(match best {
            None => (id, e.span),
            Some((a, span)) => (lower.model.graph.binary(pair, a, id), span.to(e.span)),
        });
    }
    best.map(|(id, _)| Val::Node(id)).ok_or(Reported)
}

fn maximum_of(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    extreme(lower, call, Reduce::Max, Binary::Maximum)
}

fn minimum_of(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    extreme(lower, call, Reduce::Min, Binary::Minimum)
}

#[derive(Clone, Copy, PartialEq)]
enum Moment {
    Mean,
    Var,
    Std,
}

/// The mean along an axis, or of everything.
pub(crate) fn mean_of(lower: &mut Lower<'_>, a: Id, axis: Option<usize>) -> Id {
    let graph = &mut lower.model.graph;
    let shape = graph.shape(a).clone();
    match axis {
        Some(axis) => {
            let sum = graph.reduce(Reduce::Sum, axis, a);
            let n = graph.extent(shape.0[axis]);
            graph.binary(Binary::Div, sum, n)
        }
        None if shape.is_scalar() => a,
        None => {
            let sum = graph.sum_all(a);
            let extents: Vec<Id> = shape.0.iter().map(|&dim| graph.extent(dim)).collect();
            let n = extents[1..].iter().fold(extents[0], |n, &k| match (graph.as_const(n), graph.as_const(k)) {
                (Some(x), Some(y)) => graph.number(x * y),
                _ => graph.binary(Binary::Mul, n, k),
            });
            graph.binary(Binary::Div, sum, n)
        }
    }
}

/// A reduced value with its axis back, of one element, so that it goes with what it was reduced from.
fn kept(lower: &mut Lower<'_>, value: Id, axis: Option<usize>) -> Id {
    match axis {
        Some(axis) => lower.model.graph.add(Op::Expand(axis), &[value]),
        None => value,
    }
}

/// The variance along an axis, or of everything, with denominator n.
pub(crate) fn variance_of(lower: &mut Lower<'_>, a: Id, axis: Option<usize>) -> Id {
    let mean = mean_of(lower, a, axis);
    let axis_kept = axis.filter(|_| lower.model.graph.shape(a).rank() > 1);
    let mean = kept(lower, mean, axis_kept);
    let deviation = lower.model.graph.binary(Binary::Sub, a, mean);
    let square = lower.model.graph.unary(Unary::Square, deviation);
    mean_of(lower, square, axis)
}

fn moments(lower: &mut Lower<'_>, call: &Call<'_>, moment: Moment) -> R<Val> {
    let a = one(lower, call)?;
    let axis = axis(lower, call, a)?;
    let id = match moment {
        Moment::Mean => mean_of(lower, a, axis),
        Moment::Var => variance_of(lower, a, axis),
        Moment::Std => {
            let variance = variance_of(lower, a, axis);
            lower.model.graph.unary(Unary::Sqrt, variance)
        }
    };
    Ok(Val::Node(id))
}

fn norm(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let a = one(lower, call)?;
    let axis = axis(lower, call, a)?;
    let order = match call.option("ord") {
        Some(e) => Some((lower.constant(e, "the order of a norm")?, e.span)),
        None => None,
    };
    let rank = lower.model.graph.shape(a).rank();
    match order {
        Some((2.0, _)) if rank == 2 && axis.is_none() => Ok(Val::Node(lower.model.graph.add(Op::SpectralNorm, &[a]))),
        None | Some((2.0, _)) => {
            let square = lower.model.graph.unary(Unary::Square, a);
            let sum = match axis {
                Some(axis) => lower.model.graph.reduce(Reduce::Sum, axis, square),
                None => lower.model.graph.sum_all(square),
            };
            Ok(Val::Node(lower.model.graph.unary(Unary::NormRoot, sum)))
        }
        Some((1.0 | f64::INFINITY, _)) if rank == 1 || axis.is_some() => {
            let op = if order.is_some_and(|(p, _)| p == 1.0) { Reduce::Sum } else { Reduce::Max };
            let size = lower.model.graph.unary(Unary::Abs, a);
            Ok(Val::Node(lower.model.graph.reduce(op, axis.unwrap_or(0), size)))
        }
        Some((_, span)) => lower.fail(
            Diagnostic::error("E0334", span, "norms of this order are not there")
                .here("1, 2 or inf of a vector; 2 of a matrix (its largest singular value)"),
        ),
    }
}

fn onehot(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let value = lower.value(call.args[0])?;
    let (y, labels) = if let Val::Column(..) = value {
        let (id, labels) = data::codes(lower, call.args[0])?;
        (id, Some(labels))
    } else {
        (lower.as_node(value, call.args[0])?, None)
    };
    let k = match (call.args.get(1), labels) {
        (Some(e), _) => lower.whole(e, "the number of classes", 1.0)?,
        (None, Some(labels)) => labels,
        (None, None) => {
            return lower.fail(Diagnostic::error("E0335", call.span, "`onehot` needs the number of classes").here("how many?").replace(
                call.args[0].span.end(),
                ", 2",
                "say it",
            ));
        }
    };
    indices(lower, y, call.args[0].span, k, "class")?;
    match lower.model.graph.try_add(Op::OneHot(k), &[y]) {
        Ok(id) => Ok(Val::Node(id)),
        Err(_) => {
            let shape = lower.show(y);
            lower.fail(Diagnostic::error("E0336", call.args[0].span, "`onehot` needs one class number per row").here(shape))
        }
    }
}

/// Indices by data are whole numbers in 0..n, or an error that names the row.
pub(crate) fn indices(lower: &mut Lower<'_>, index: Id, span: Span, n: usize, what: &str) -> R<()> {
    let Some(values) = lower.model.constant(index) else {
        let diagnostic = Diagnostic::error("E0337", span, format!("a {what} number must come from the data"))
            .here("depends on a parameter or on the run");
        return lower.fail(diagnostic);
    };
    for (row, &x) in values.iter().enumerate() {
        if x.fract() != 0.0 || x < 0.0 || x >= n as f64 {
            let found = crate::numeric::format::shortest(x);
            let message = format!("{what} {found} in row {}; the {n} there are go from 0 to {}", row + 1, n.saturating_sub(1));
            return lower.fail(Diagnostic::error("E0338", span, message).here(format!("row {} has {found}", row + 1)));
        }
    }
    Ok(())
}

fn outer(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (a, b) = two(lower, call)?;
    for (id, e) in [(a, call.args[0]), (b, call.args[1])] {
        if lower.model.graph.shape(id).rank() != 1 {
            let shape = lower.show(id);
            return lower.fail(Diagnostic::error("E0339", e.span, "`outer` multiplies two vectors").here(shape));
        }
    }
    let column = lower.model.graph.add(Op::Expand(1), &[a]);
    let row = lower.model.graph.add(Op::Expand(0), &[b]);
    Ok(Val::Node(lower.model.graph.binary(Binary::Mul, column, row)))
}

fn pick(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (a, y) = two(lower, call)?;
    let Some(Dim::Size(k)) = lower.model.graph.shape(a).0.get(1).copied() else {
        let shape = lower.show(a);
        return lower.fail(Diagnostic::error("E0325", call.args[0].span, "`pick` needs a matrix").here(shape));
    };
    match lower.model.graph.try_add(Op::Pick, &[a, y]) {
        Ok(id) => {
            indices(lower, y, call.args[1].span, k, "column")?;
            Ok(Val::Node(id))
        }
        Err(_) => {
            let diagnostic = messages::shapes_differ(lower.model, "pick", (a, call.args[0].span), (y, call.args[1].span), call.span);
            lower.fail(diagnostic)
        }
    }
}

fn reshape(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let a = one(lower, call)?;
    let sizes: Vec<&Expr> = if let ExprKind::List(items) = &call.args[1].kind { items.iter().collect() } else { vec![call.args[1]] };
    let sizes =
        sizes.into_iter().map(|e| if is_rest(e) { Ok(usize::MAX) } else { lower.whole(e, "a size", 1.0) }).collect::<R<Vec<usize>>>()?;
    let have = lower.model.rows.count(lower.model.graph.shape(a)).unwrap_or(usize::MAX);
    let known: usize = sizes.iter().filter(|&&n| n != usize::MAX).product();
    let sizes: Vec<usize> = sizes.into_iter().map(|n| if n == usize::MAX { have / known.max(1) } else { n }).collect();
    match lower.model.graph.try_add(Op::Reshape(Shape::fixed(&sizes)), &[a]) {
        Ok(id) => Ok(Val::Node(id)),
        Err(_) => {
            let shape = lower.show(a);
            let want: usize = sizes.iter().product();
            let message = if lower.model.graph.shape(a).has_rows() {
                "the row axis cannot be reshaped: a batch has another number of rows".to_string()
            } else {
                format!("{have} entries do not fill {want} places")
            };
            lower
                .fail(Diagnostic::error("E0340", call.args[1].span, message).here(format!("{want} places")).label(call.args[0].span, shape))
        }
    }
}

/// `-1`: what is left.
fn is_rest(e: &Expr) -> bool {
    matches!(&e.kind, ExprKind::Unary { op: UnaryOp::Neg, arg, .. } if matches!(arg.kind, ExprKind::Number(x) if x == 1.0))
}

fn select(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (c, a) = two(lower, call)?;
    let b = lower.node(call.args[2])?;
    match lower.model.graph.try_add(Op::Select, &[c, a, b]) {
        Ok(id) => Ok(Val::Node(id)),
        Err(_) => {
            let first = lower.model.graph.shape(c).broadcast(lower.model.graph.shape(a));
            let (x, y) = if first.is_none() {
                ((c, call.args[0].span), (a, call.args[1].span))
            } else {
                ((a, call.args[1].span), (b, call.args[2].span))
            };
            let diagnostic = messages::shapes_differ(lower.model, "where", x, y, call.span);
            lower.fail(diagnostic)
        }
    }
}

fn soft_threshold(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (x, t) = two(lower, call)?;
    let size = lower.model.graph.unary(Unary::Abs, x);
    let rest = lower.binary(Binary::Sub, (size, call.args[0].span), (t, call.args[1].span), call.span, "soft_threshold")?;
    let rest = lower.model.graph.unary(Unary::Relu, rest);
    let sign = lower.model.graph.unary(Unary::Sign, x);
    Ok(Val::Node(lower.model.graph.binary(Binary::Mul, sign, rest)))
}

fn solve(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (a, b) = two(lower, call)?;
    match lower.model.graph.try_add(Op::Solve, &[a, b]) {
        Ok(id) => Ok(Val::Node(id)),
        Err(_) => {
            let (left, right) = (lower.show(a), lower.show(b));
            let diagnostic = Diagnostic::error("E0341", call.span, "`solve(A, b)` needs a square matrix and as many rows in `b`");
            lower.fail(diagnostic.label(call.args[0].span, left).label(call.args[1].span, right))
        }
    }
}

fn trace(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let (a, shape) = matrix(lower, call)?;
    match shape.0[..] {
        [Dim::Size(n), Dim::Size(m)] if n == m => {
            let values: Vec<f64> = (0..n * n).map(|i| f64::from(u8::from(i / n == i % n))).collect();
            let mask = lower.model.graph.literal(&[n, n], &values);
            let zero = lower.model.graph.number(0.0);
            let diagonal = lower.model.graph.add(Op::Select, &[mask, a, zero]);
            Ok(Val::Node(lower.model.graph.sum_all(diagonal)))
        }
        _ => {
            let text = lower.show(a);
            lower.fail(Diagnostic::error("E0342", call.args[0].span, "`trace` needs a square matrix").here(text))
        }
    }
}

fn transpose(lower: &mut Lower<'_>, call: &Call<'_>) -> R<Val> {
    let a = one(lower, call)?;
    Ok(Val::Node(if lower.model.graph.shape(a).rank() < 2 { a } else { lower.model.graph.add(Op::Transpose, &[a]) }))
}

fn triangle(lower: &mut Lower<'_>, call: &Call<'_>, low: bool) -> R<Val> {
    let (a, shape) = matrix(lower, call)?;
    match shape.0[..] {
        [Dim::Size(n), Dim::Size(m)] => {
            let values: Vec<f64> = (0..n * m).map(|i| f64::from(u8::from(if low { i % m <= i / m } else { i % m >= i / m }))).collect();
            let mask = lower.model.graph.literal(&[n, m], &values);
            let zero = lower.model.graph.number(0.0);
            Ok(Val::Node(lower.model.graph.add(Op::Select, &[mask, a, zero])))
        }
        _ => {
            let text = lower.show(a);
            lower.fail(
                Diagnostic::error("E0325", call.args[0].span, format!("`{}` needs a matrix of fixed size", call.name.name)).here(text),
            )
        }
    }
}

/// The texts of a column, or the diagnostic that it is none.
pub(crate) fn text_column<'m>(lower: &'m Lower<'_>, value: &Val) -> Option<&'m [String]> {
    let Val::Column(data, column) = value else { return None };
    match &lower.model.data[data.0 as usize].columns[*column].content {
        Content::Texts { values, .. } => Some(values),
        Content::Numbers { .. } | Content::Missing { .. } | Content::Broken => None,
    }
}
