//! Where parameters start: values of expressions, and draws from streams keyed by the parameter's name.
//!
//! Which cells start where is decided in `plan`.

use ndarray::{ArrayD, IxDyn};

use super::lower::Model;
use super::model::{Draw, ParamInfo, ParamStart};
use crate::expr::eval;
use crate::expr::graph::Id;
use crate::expr::op::InputId;
use crate::numeric::format::shortest;
use crate::numeric::random::Stream;

/// Why a parameter has no start, in words.
#[derive(Debug)]
pub(crate) enum NoStart {
    /// Nothing can be drawn, or computed.
    Impossible(String),
    /// It is outside the set in which the parameter stays.
    Outside(String),
}

impl From<String> for NoStart {
    fn from(text: String) -> Self {
        NoStart::Impossible(text)
    }
}

impl From<NoStart> for String {
    fn from(why: NoStart) -> Self {
        match why {
            NoStart::Impossible(text) | NoStart::Outside(text) => text,
        }
    }
}

/// The start of a parameter in a replicate; `hypers` has the values of the cell's hypers.
///
/// # Errors
/// When a distribution has no such draw (`poisson(-1)`), or a start that is not drawn is outside the parameter's set, with the reason.
pub(crate) fn start(
    model: &Model,
    param: &ParamInfo,
    seed: u64,
    replicate: u64,
    hypers: &dyn Fn(InputId) -> Option<f64>,
) -> Result<ArrayD<f64>, NoStart> {
    let inputs = |input: InputId| match hypers(input) {
        Some(x) => Some(ndarray::arr0(x).into_dyn()),
        None => model.known.get(&input).map(|v| (**v).clone()),
    };
    let value = |id: Id| -> Result<ArrayD<f64>, String> {
        let list = eval::evaluate(&model.graph, &[id], &inputs, &model.rows).map_err(|e| e.to_string())?;
        list.into_iter().next().ok_or_else(|| "no value".to_string())
    };
    let shape = IxDyn(&param.sizes);
    let found = match &param.start {
        ParamStart::Value(id) => {
            let found = value(*id)?;
            let wide = found.broadcast(shape).ok_or_else(|| "a start of another shape".to_string())?;
            wide.to_owned()
        }
        ParamStart::Draw { draw, args } => {
            let args = args.iter().map(|&id| value(id)).collect::<Result<Vec<_>, _>>()?;
            let mut stream = Stream::new(seed, "start", &param.name, &[replicate]);
            let values = draws(&mut stream, *draw, &args, param.sizes.iter().product());
            let values =
                values.ok_or_else(|| format!("`{}` cannot be drawn: the arguments of its distribution have no meaning", param.name))?;
            ArrayD::from_shape_vec(shape, values).map_err(|e| e.to_string())?
        }
    };
    let Some(within) = &param.within else { return Ok(found) };
    let own = model.graph.as_input(param.id);
    let given = |input: InputId| if Some(input) == own { Some(found.clone()) } else { inputs(input) };
    let list = eval::evaluate(&model.graph, &[within.projected], &given, &model.rows).map_err(|e| e.to_string())?;
    let projected = list.into_iter().next().ok_or_else(|| "no value".to_string())?;
    if matches!(param.start, ParamStart::Draw { .. }) {
        return Ok(projected);
    }
    // Numbers that were written down are rounded.
    let far = found.iter().zip(&projected).position(|(x, p)| (x - p).abs() > 1e-9 * (1.0 + p.abs()) || x.is_nan());
    match far {
        None => Ok(found),
        Some(at) => {
            let (x, p) = (
                shortest(found.iter().nth(at).copied().unwrap_or(f64::NAN)),
                shortest(projected.iter().nth(at).copied().unwrap_or(f64::NAN)),
            );
            let entry = if found.len() > 1 { format!("entry {at}") } else { format!("`{}`", param.name) };
            Err(NoStart::Outside(format!("`{}` starts outside `{}`: {entry} is {x}, the nearest point has {p}", param.name, within.text)))
        }
    }
}

/// So many draws, one after the other; nothing when the distribution has no meaning.
pub(crate) fn draws(stream: &mut Stream, draw: Draw, args: &[ArrayD<f64>], count: usize) -> Option<Vec<f64>> {
    let number = |place: usize| args.get(place).and_then(|a| a.first().copied()).unwrap_or(f64::NAN);
    let (a, b) = (number(0), number(1));
    let mut one = || match draw {
        Draw::Normal => Some(stream.normal_with(a, b)),
        Draw::Uniform => Some(stream.uniform_between(a, b)),
        Draw::LogUniform => Some(stream.log_uniform(a, b)),
        Draw::Integers => stream.integers(a as i64, b as i64).map(|n| n as f64),
        Draw::Bernoulli => Some(f64::from(u8::from(stream.bernoulli(a)))),
        Draw::Poisson => stream.poisson(a),
        Draw::Choice => stream.choice(args[0].len()).and_then(|at| args[0].iter().nth(at).copied()),
    };
    (0..count).map(|_| one()).collect()
}
