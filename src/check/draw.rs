//! What is drawn at random: distributions in the text, and their draws from streams keyed by purpose and name.
//!
//! What is drawn when, and for which cells, is decided in `data`, `model` and `plan`.

use ndarray::{ArrayD, IxDyn};

use super::lower::{Lower, Model, R};
use super::messages;
use super::model::{ParamInfo, ParamStart};
use crate::diag::{Diagnostic, did_you_mean};
use crate::expr::eval;
use crate::expr::graph::Id;
use crate::expr::op::InputId;
use crate::numeric::random::Stream;
use crate::shape::Shape;
use crate::source::Span;
use crate::syntax::ast::{Arg, Expr, ExprKind};

/// The distributions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Draw {
    Normal,
    Uniform,
    LogUniform,
    Integers,
    Bernoulli,
    Poisson,
    Choice,
    Orthogonal,
}

/// Name, number of arguments.
const DRAWS: [(&str, Draw, usize); 8] = [
    ("normal", Draw::Normal, 2),
    ("uniform", Draw::Uniform, 2),
    ("log_uniform", Draw::LogUniform, 2),
    ("integers", Draw::Integers, 2),
    ("bernoulli", Draw::Bernoulli, 1),
    ("poisson", Draw::Poisson, 1),
    ("choice", Draw::Choice, 1),
    ("orthogonal", Draw::Orthogonal, 1),
];

/// What other libraries call a distribution.
const ALIASES: [(&str, &str); 7] = [
    ("gaussian", "normal"),
    ("gauss", "normal"),
    ("randn", "normal"),
    ("rand", "uniform"),
    ("random", "uniform"),
    ("randint", "integers"),
    ("loguniform", "log_uniform"),
];

/// A distribution with its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Drawing {
    pub(crate) draw: Draw,
    pub(crate) args: Vec<Id>,
}

/// `normal(0, 1)` and the like, for a value of that shape.
pub(crate) fn distribution(lower: &mut Lower<'_>, e: &Expr, shape: &Shape) -> R<Drawing> {
    let ExprKind::Call { name, args, .. } = &e.kind else {
        return lower.fail(
            Diagnostic::error("E0232", e.span, "`~` draws from a distribution").here("no distribution").help("such as `~ normal(0, 1)`"),
        );
    };
    let Some(&(_, draw, count)) = DRAWS.iter().find(|(known, ..)| *known == name.name) else {
        let known: Vec<&str> = DRAWS.iter().map(|(n, ..)| *n).collect();
        let mut d = Diagnostic::error("E0236", name.span, format!("no distribution is called `{}`", name.name))
            .here(format!("there are {}", known.join(", ")));
        let alias = ALIASES.iter().find(|(theirs, _)| *theirs == name.name).map(|(_, ours)| *ours);
        if let Some(near) = alias.or_else(|| did_you_mean(&name.name, known)) {
            d = d.replace(name.span, near, format!("did you mean `{near}`?"));
        }
        return lower.fail(d);
    };
    if lower.decls.rng.is_none() {
        return lower.fail(messages::needs_seed(e.span, "drawn"));
    }
    if draw == Draw::Orthogonal && shape.rank() != 2 {
        let text = lower.model.rows.show(shape);
        let d = Diagnostic::error("E0238", e.span, "`orthogonal` draws a matrix").here(text);
        return lower.fail(d.help("with a shape of two sizes, such as `: [64, 10]`"));
    }
    let mut nodes = Vec::new();
    for arg in args {
        let Arg::Positional(e) = arg else {
            return lower.fail(
                Diagnostic::error("E0237", e.span, format!("the arguments of `{}` have no names", name.name))
                    .here("named, as in NumPy")
                    .help("they stand in order, such as `normal(0, 1)`: mean, standard deviation; `uniform(low, high)`"),
            );
        };
        let id = lower.node(e)?;
        let own = lower.model.graph.shape(id).clone();
        let fits = match draw {
            Draw::Choice => own.rank() == 1,
            Draw::Orthogonal => own.is_scalar(),
            _ => shape.broadcast(&own).as_ref() == Some(shape),
        };
        if !fits {
            let (text, whole) = (lower.show(id), lower.model.rows.show(shape));
            let d =
                Diagnostic::error("E0234", e.span, format!("`{}` takes numbers, or arrays that fit what is drawn", name.name)).here(text);
            return lower.fail(if shape.is_scalar() { d } else { d.label(name.span, format!("draws {whole}")) });
        }
        nodes.push(id);
    }
    if nodes.len() != count {
        let message = format!("`{}` takes {count} arguments, {} given", name.name, nodes.len());
        return lower.fail(Diagnostic::error("E0233", e.span, message).here("here"));
    }
    Ok(Drawing { draw, args: nodes })
}

/// So many draws in an array of these sizes, row by row. `None` when the arguments of the distribution have no meaning.
pub(crate) fn drawn(draw: Draw, args: &[ArrayD<f64>], sizes: &[usize], stream: &mut Stream) -> Option<ArrayD<f64>> {
    let shape = IxDyn(sizes);
    if draw == Draw::Orthogonal {
        let (&gain, [rows, columns]) = (args.first()?.first()?, sizes) else { return None };
        let values = stream.orthogonal(*rows, *columns).into_iter().map(|x| gain * x).collect();
        return ArrayD::from_shape_vec(shape, values).ok();
    }
    if draw == Draw::Choice {
        let list: Vec<f64> = args.first()?.iter().copied().collect();
        let count: usize = sizes.iter().product();
        let values: Option<Vec<f64>> = (0..count).map(|_| stream.choice(list.len()).map(|at| list[at])).collect();
        return ArrayD::from_shape_vec(shape, values?).ok();
    }
    let first = args.first()?.broadcast(shape.clone())?;
    let second = args.get(1).unwrap_or(args.first()?).broadcast(shape.clone())?;
    let mut one = |a: f64, b: f64| -> Option<f64> {
        match draw {
            Draw::Normal => Some(stream.normal_with(a, b)),
            Draw::Uniform => Some(stream.uniform_between(a, b)),
            Draw::LogUniform => Some(stream.log_uniform(a, b)),
            Draw::Integers => stream.integers(a as i64, b as i64).map(|n| n as f64),
            Draw::Bernoulli => Some(f64::from(u8::from(stream.bernoulli(a)))),
            Draw::Poisson => stream.poisson(a),
            Draw::Choice | Draw::Orthogonal => None,
        }
    };
    let values: Option<Vec<f64>> = first.iter().zip(second.iter()).map(|(&a, &b)| one(a, b)).collect();
    ArrayD::from_shape_vec(shape, values?).ok()
}

/// The start of a parameter in a replicate; `hypers` has the values of the cell's hypers.
///
/// # Errors
/// When a distribution has no such draw (`poisson(-1)`), with the reason.
pub(crate) fn start(
    model: &Model,
    param: &ParamInfo,
    seed: u64,
    replicate: u64,
    hypers: &dyn Fn(InputId) -> Option<f64>,
) -> Result<ArrayD<f64>, String> {
    let inputs = |input: InputId| match hypers(input) {
        Some(x) => Some(ndarray::arr0(x).into_dyn()),
        None => model.known.get(&input).map(|v| (**v).clone()),
    };
    let value = |id: Id| -> Result<ArrayD<f64>, String> {
        let list = eval::evaluate(&model.graph, &[id], &inputs, &model.rows).map_err(|e| e.to_string())?;
        list.into_iter().next().ok_or_else(|| "no value".to_string())
    };
    match &param.start {
        ParamStart::Value(id) => {
            let found = value(*id)?;
            let wide = found.broadcast(IxDyn(&param.sizes)).ok_or_else(|| "a start of another shape".to_string())?;
            Ok(wide.to_owned())
        }
        ParamStart::Draw(Drawing { draw, args }) => {
            let args = args.iter().map(|&id| value(id)).collect::<Result<Vec<_>, _>>()?;
            let mut stream = Stream::new(seed, "start", &param.name, &[replicate]);
            drawn(*draw, &args, &param.sizes, &mut stream).ok_or_else(|| no_meaning(&param.name))
        }
    }
}

/// Why something cannot be drawn.
pub(crate) fn no_meaning(name: &str) -> String {
    format!("`{name}` cannot be drawn: the arguments of its distribution have no meaning")
}

/// Something has no value, for a reason that the numbers of a cell give.
pub(crate) fn no_draw(span: Span, why: String) -> Diagnostic {
    Diagnostic::error("E0235", span, why).here("starts here")
}
