//! What is drawn at random: distributions in the text, and their draws from streams keyed by purpose and name.
//!
//! What is drawn when, and for which cells, is decided in `data`, `model` and `plan`.

use ndarray::{ArrayD, IxDyn};

use super::lower::{Lower, Model, R};
use super::messages;
use super::model::{ParamInfo, ParamStart};
use super::program::Program;
use crate::diag::{Diagnostic, did_you_mean};
use crate::expr::eval;
use crate::expr::graph::Id;
use crate::expr::op::InputId;
use crate::numeric::elementary::{exp, ln};
use crate::numeric::mt19937::RandomState;
use crate::numeric::random::{self, Stream};
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

/// Where random numbers come from: the line `rng`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rng {
    /// `rng 7`: streams keyed by purpose and name.
    Keyed(u64),
    /// `rng numpy(42)`: one generator for each replicate, from which everything is drawn in turn.
    Numpy(u32),
}

impl Rng {
    /// The generator of a replicate, where there is one.
    pub(crate) fn generator(self, replicate: u64) -> Option<RandomState> {
        match self {
            Rng::Keyed(_) => None,
            Rng::Numpy(seed) => Some(RandomState::new(seed.wrapping_add(replicate as u32))),
        }
    }
}

/// Random numbers for one purpose.
pub(crate) enum Numbers<'g> {
    Stream(Box<Stream>),
    State(&'g mut RandomState),
}

impl<'g> Numbers<'g> {
    /// From the generator, if there is one; else from the stream of a purpose, a name and a replicate.
    pub(crate) fn of(rng: Option<Rng>, generator: &'g mut Option<RandomState>, purpose: &str, name: &str, replicate: u64) -> Self {
        match (generator, rng) {
            (Some(state), _) => Numbers::State(state),
            (None, Some(Rng::Keyed(seed))) => Numbers::Stream(Box::new(Stream::new(seed, purpose, name, &[replicate]))),
            // Nothing is drawn without an `rng`: that is an error.
            (None, _) => Numbers::Stream(Box::new(Stream::new(0, purpose, name, &[replicate]))),
        }
    }

    /// Exchanges items from the last down.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        match self {
            Numbers::Stream(stream) => stream.shuffle(items),
            Numbers::State(state) => state.shuffle(items),
        }
    }

    fn one(&mut self, draw: Draw, a: f64, b: f64) -> Option<f64> {
        let whole = |n: i64| n as f64;
        match self {
            Numbers::Stream(stream) => match draw {
                Draw::Normal => Some(stream.normal_with(a, b)),
                Draw::Uniform => Some(stream.uniform_between(a, b)),
                Draw::LogUniform => Some(stream.log_uniform(a, b)),
                Draw::Integers => stream.integers(a as i64, b as i64).map(whole),
                Draw::Bernoulli => Some(f64::from(u8::from(stream.bernoulli(a)))),
                Draw::Poisson => stream.poisson(a),
                Draw::Choice | Draw::Orthogonal => None,
            },
            Numbers::State(state) => match draw {
                Draw::Normal => Some(state.normal_with(a, b)),
                Draw::Uniform => Some(state.uniform_between(a, b)),
                Draw::LogUniform => Some(exp(state.uniform_between(ln(a), ln(b)))),
                Draw::Integers => state.integer(a as i64, b as i64).map(whole),
                Draw::Bernoulli => Some(f64::from(u8::from(state.bernoulli(a)))),
                Draw::Poisson => state.poisson(a),
                Draw::Choice | Draw::Orthogonal => None,
            },
        }
    }

    fn index(&mut self, n: usize) -> Option<usize> {
        match self {
            Numbers::Stream(stream) => stream.choice(n),
            Numbers::State(state) => state.integer(0, i64::try_from(n).ok()? - 1).map(|index| index as usize),
        }
    }
}

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
pub(crate) fn drawn(draw: Draw, args: &[ArrayD<f64>], sizes: &[usize], numbers: &mut Numbers<'_>) -> Option<ArrayD<f64>> {
    let shape = IxDyn(sizes);
    if draw == Draw::Orthogonal {
        let (&gain, [rows, columns]) = (args.first()?.first()?, sizes) else { return None };
        let normal = || numbers.one(Draw::Normal, 0.0, 1.0).unwrap_or(f64::NAN);
        let values = random::orthogonal(*rows, *columns, normal).into_iter().map(|x| gain * x).collect();
        return ArrayD::from_shape_vec(shape, values).ok();
    }
    if draw == Draw::Choice {
        let list: Vec<f64> = args.first()?.iter().copied().collect();
        let count: usize = sizes.iter().product();
        let values: Option<Vec<f64>> = (0..count).map(|_| numbers.index(list.len()).map(|at| list[at])).collect();
        return ArrayD::from_shape_vec(shape, values?).ok();
    }
    let first = args.first()?.broadcast(shape.clone())?;
    let second = args.get(1).unwrap_or(args.first()?).broadcast(shape.clone())?;
    let values: Option<Vec<f64>> = first.iter().zip(second.iter()).map(|(&a, &b)| numbers.one(draw, a, b)).collect();
    ArrayD::from_shape_vec(shape, values?).ok()
}

/// A parameter with its start.
pub(crate) type Started<'m> = (&'m ParamInfo, ArrayD<f64>);

/// The starts of all parameters, in the order declared: with one generator each draw moves it on.
/// Those that nobody asks for are drawn all the same.
///
/// # Errors
/// As [`start`], with the parameter.
pub(crate) fn starts<'m>(
    model: &'m Model,
    params: &'m [ParamInfo],
    wanted: &dyn Fn(&ParamInfo) -> bool,
    (rng, replicate): (Option<Rng>, u64),
    generator: &mut Option<RandomState>,
    hypers: &dyn Fn(InputId) -> Option<f64>,
) -> Result<Vec<Started<'m>>, (&'m ParamInfo, String)> {
    let mut found = Vec::new();
    for param in params {
        if wanted(param) || generator.is_some() && matches!(param.start, ParamStart::Draw(_)) {
            let mut numbers = Numbers::of(rng, generator, "start", &param.name, replicate);
            let start = start(model, param, &mut numbers, hypers).map_err(|why| (param, why))?;
            found.push((param, start));
        }
    }
    found.retain(|(param, _)| wanted(param));
    Ok(found)
}

/// Where the parameters of a file start in its first replicate, with the hypers at their defaults.
///
/// # Errors
/// As [`start`].
pub(crate) fn usual_starts(program: &Program, model: &Model) -> Result<Vec<(InputId, ArrayD<f64>)>, String> {
    let mut generator = model.generator.clone();
    let drawn = starts(model, &program.declared.params, &|_| true, (program.rng, 0), &mut generator, &|_| None);
    let inputs = drawn.map_err(|(_, why)| why)?.into_iter().filter_map(|(param, value)| Some((model.graph.as_input(param.id)?, value)));
    Ok(inputs.collect())
}

/// The start of a parameter; `hypers` has the values of the cell's hypers.
///
/// # Errors
/// When a distribution has no such draw (`poisson(-1)`), with the reason.
fn start(
    model: &Model,
    param: &ParamInfo,
    numbers: &mut Numbers<'_>,
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
            drawn(*draw, &args, &param.sizes, numbers).ok_or_else(|| no_meaning(&param.name))
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
