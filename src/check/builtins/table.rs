//! The table of built-in functions: names, arguments, and what each becomes in the graph.
//!
//! The list in the reference manual is printed from it; how a call is checked is in the parent.

use super::Call;
use super::arrays::{clip, code, cols, concat, differences, filled, hstack, onehot, pick, reshape, rows, select, soft_threshold, vstack};
use super::linear::{dot, eye, grad, hessian, outer, solve, trace, transpose, triangle};
use super::ranges::{arange, geomspace, linspace, logspace};
use super::reductions::{Moment, accuracy, maximum_of, minimum_of, moments, norm};
use crate::check::data;
use crate::check::lower::{Lower, R, Val};
use crate::expr::op::{Binary, Op, Reduce, Unary};

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
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) named: &'static [&'static str],
    pub(super) make: Make,
}

#[derive(Clone, Copy)]
pub(super) enum Make {
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
    other("code", "code(c)", "the labels of a text column as numbers 0, 1, .. in sorted order; `code(\"dog\")`: that of a unit of a `text`", (1, 1), &[], code),
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
pub(super) const FOREIGN: [(&str, &str); 18] = [
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

pub(super) fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|b| b.name == name)
}
