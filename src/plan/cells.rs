//! The product of a sweep's axes: which cells there are, in plan order, and which of them share their graphs.
//!
//! The graphs themselves are built in `build`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;
use std::sync::Arc;

use super::Limits;
use super::build::{Build, Built};
use super::unit::{Cell, Pace, SweepPlan};
use crate::check::Program;
use crate::check::data::Context;
use crate::check::decls::{Value, ValueKind, needed_lets};
use crate::check::draw;
use crate::check::draw::Rng;
use crate::check::messages::human_bytes;
use crate::check::model::{ParamInfo, ParamStart};
use crate::check::program::{self as spec, AxisValue, Bind, OptimizerSpec, SweepSpec};
use crate::diag::{Diagnostic, Diagnostics};
use crate::expr::graph::InputKind;
use crate::numeric::mt19937::RandomState;
use crate::results::{Design, Quantity, Setting};
use crate::syntax::ast::{ExprKind, Start};

/// The starts of parameters by replicate and by the bits of the hypers.
type Starts = BTreeMap<(u64, Vec<u64>), Begun>;

/// The starts of parameters, and with `rng numpy(..)` the generator after them.
type Begun = (Arc<Vec<ndarray::ArrayD<f64>>>, Option<Arc<RandomState>>);

/// One point of the product.
pub(super) struct Point {
    pub(super) loss: String,
    pub(super) optimizer: OptimizerSpec,
    /// Values of hypers that the sweep sets.
    pub(super) hypers: BTreeMap<String, f64>,
}

/// Plans one sweep.
pub(super) fn sweep(
    program: &Program,
    spec: &SweepSpec,
    limits: &Limits,
    trace_bytes: &mut u64,
    diags: &mut Diagnostics,
) -> Option<SweepPlan> {
    let judging: Vec<Option<usize>> =
        if spec.judging.is_empty() { vec![None] } else { spec.judging.iter().map(|&fold| Some(fold)).collect() };
    let factors: Vec<u64> = spec.axes.iter().map(|a| a.points.len() as u64).chain([judging.len() as u64, spec.repeat as u64]).collect();
    let count = factors.iter().try_fold(1u64, |n, &k| n.checked_mul(k));
    if count.is_none_or(|n| n > limits.cells) {
        let product: Vec<String> = factors.iter().filter(|&&k| k > 1).map(u64::to_string).collect();
        let total = factors.iter().map(|&k| k as f64).product::<f64>();
        let message = format!("sweep `{}` has {} = {total:.0} cells", spec.name, product.join(" x "));
        let d = Diagnostic::error("E0407", spec.span, message).here(format!("the limit is {}", limits.cells));
        diags.push(d.help("fewer values on an axis, or a higher `--max-cells`"));
        return None;
    }
    let mut units: Vec<Built> = Vec::new();
    let mut known: BTreeMap<(String, usize, u64), usize> = BTreeMap::new();
    let anew = draws_anew(program, spec);
    let mut starts: Starts = BTreeMap::new();
    let (mut cells, mut designs) = (Vec::new(), Vec::new());
    let axes = spec.axis_names();
    let fixing = fixing_hypers(program, spec);
    let label = labels(spec);
    let mut words = Words::default();
    for point in points(spec) {
        let key = signature(program, &point, &fixing);
        let design = Design {
            unit: 0,
            optimizer: words.of(label(&point.optimizer)),
            rule: words.of(point.optimizer.rule.clone()),
            loss: words.of(if spec.maximize { format!("-{}", point.loss) } else { point.loss.clone() }),
            settings: axes.iter().map(|name| setting(program, &point, name)).collect(),
            replicate: 0,
            fold: None,
        };
        for (fold, replicate) in judging.iter().flat_map(|&fold| (0..spec.repeat).map(move |replicate| (fold, replicate))) {
            let context = Context {
                hypers: point.hypers.iter().filter(|(name, _)| fixing.contains(name)).map(|(n, x)| (n.clone(), *x)).collect(),
                fold: fold.unwrap_or(0),
                replicate: if anew { replicate as u64 } else { 0 },
                redraw: spec.redraw.clone(),
            };
            let unit = match known.entry((key.clone(), context.fold, context.replicate)) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(place) => {
                    units.push(Build::new(program, spec, &point, &context, limits, diags).unit()?);
                    *place.insert(units.len() - 1)
                }
            };
            let built = &units[unit];
            let lane: Vec<f64> = built.lane.iter().map(|source| source.value(&point)).collect();
            let (starts, generator) = starting(program, built, &point, (replicate as u64, anew, &context), &mut starts, diags)?;
            cells.push(Cell { lane, starts, generator });
            designs.push(Design { unit, replicate, fold, ..design.clone() });
        }
    }
    let quantities: Vec<Quantity> = spec.wants.iter().map(|w| Quantity { text: w.text.clone(), sizes: w.sizes.clone() }).collect();
    let traced: Vec<usize> = (0..spec.wants.len()).filter(|&at| spec.wants[at].traced).collect();
    let pace = match spec.recorded() {
        spec::Pace::Steps(n) => Pace::Steps(n),
        spec::Pace::Epochs(n) => Pace::Epochs(n),
    };
    let units: Vec<_> = units.into_iter().map(|b| b.unit).collect();
    let numbers: u64 = traced.iter().map(|&at| quantities[at].len() as u64).sum::<u64>();
    if numbers > 0 {
        for design in &designs {
            let unit = &units[design.unit];
            let rows = (unit.budget / pace.counting(unit).every).saturating_add(2);
            *trace_bytes = trace_bytes.saturating_add(rows.saturating_mul(numbers.saturating_mul(8)));
        }
        if *trace_bytes > limits.trace_bytes {
            let message = format!("the traces would take {}", human_bytes(*trace_bytes as f64));
            let d = Diagnostic::error("E0450", spec.span, message).here(format!("the limit is {}", human_bytes(limits.trace_bytes as f64)));
            diags.push(d.help("record less often (`record J each 10 steps`), or raise `--max-memory`"));
            return None;
        }
    }
    Some(SweepPlan {
        name: spec.name.clone(),
        axes,
        varying: spec.varying(),
        replicates: spec.repeat,
        units,
        cells,
        designs: Arc::new(designs),
        quantities,
        folds: spec.folds.clone(),
        traced,
        pace,
    })
}

/// Texts that many cells have in common.
#[derive(Default)]
struct Words(BTreeMap<String, Arc<str>>);

impl Words {
    fn of(&mut self, text: String) -> Arc<str> {
        self.0.entry(text).or_insert_with_key(|text| text.as_str().into()).clone()
    }
}

/// The points of the product, the last axis fastest.
fn points(spec: &SweepSpec) -> impl Iterator<Item = Point> + '_ {
    let count: usize = spec.axes.iter().map(|a| a.points.len()).product();
    (0..count).map(move |index| {
        let mut rest = index;
        let mut chosen: Vec<&Vec<Bind>> = Vec::new();
        for axis in spec.axes.iter().rev() {
            chosen.push(&axis.points[rest % axis.points.len()]);
            rest /= axis.points.len();
        }
        chosen.reverse();
        let mut point = Point {
            loss: String::new(),
            optimizer: OptimizerSpec { rule: String::new(), span: spec.span, stages: Vec::new() },
            hypers: BTreeMap::new(),
        };
        for bind in chosen.iter().copied().flatten() {
            match bind {
                Bind::Loss(name) => point.loss.clone_from(name),
                Bind::Optimizer(o) => point.optimizer = o.clone(),
                Bind::Named { .. } => {}
            }
        }
        for bind in chosen.into_iter().flatten() {
            let Bind::Named { name, hyper, value } = bind else { continue };
            if *hyper {
                if let Setting::Number(x) = value.setting {
                    point.hypers.insert(name.clone(), x);
                }
                continue;
            }
            // Every stage that takes it: the checker has seen that the rule has such an argument.
            for stage in &mut point.optimizer.stages {
                stage.args.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        point
    })
}

/// The hypers that decide shapes or counts in this sweep: cells that differ in them are compiled apart.
fn fixing_hypers(program: &Program, spec: &SweepSpec) -> Vec<String> {
    let mut names = program.fixing.clone();
    if let Some(batches) = &spec.batches {
        crate::check::decls::walk(&batches.size, &mut |e| {
            if let ExprKind::Name(name) = &e.kind {
                names.push(name.clone());
            }
        });
    }
    names
}

/// Whether the replicates of a sweep have data or drawn values of their own.
fn draws_anew(program: &Program, spec: &SweepSpec) -> bool {
    let stays = needed_lets(&program.decls, |_| true);
    let drawn =
        |(name, value): (&String, &Value)| matches!(value.kind, ValueKind::Let { value: Start::Draw(_), .. }) && !stays.contains(name);
    match program.rng {
        // As when the notebook is run again with another seed.
        Some(Rng::Numpy(_)) => program.decls.draws(),
        _ => !spec.redraw.is_empty() || program.decls.values.iter().any(drawn),
    }
}

/// What cells must have in common to share their graphs.
fn signature(program: &Program, point: &Point, fixing: &[String]) -> String {
    let mut text = format!("{}|", point.loss);
    for stage in &point.optimizer.stages {
        text.push_str(&stage.rule);
        for formal in &program.decls.rules[&stage.rule].formals {
            match stage.args.get(&formal.name.name) {
                Some(value) if is_lane(value) => text.push('#'),
                Some(AxisValue { expr, .. }) => {
                    let _ = write!(text, "[{}]", crate::syntax::print::expr(expr));
                }
                None => text.push('-'),
            }
        }
        text.push('|');
    }
    for name in fixing {
        let default = program.declared.hypers.iter().find(|h| h.name == *name).map(|h| h.value);
        let value = point.hypers.get(name).copied().or(default).unwrap_or(f64::NAN);
        let _ = write!(text, "{name}={:x}|", value.to_bits());
    }
    text
}

/// Whether a value is a number of the cell: not a word, a schedule, or a choice of true and false.
pub(super) fn is_lane(value: &AxisValue) -> bool {
    matches!(value.setting, Setting::Number(_)) && !matches!(&value.expr.kind, ExprKind::Name(n) if n == "true" || n == "false")
}

/// The value of a cell on an axis; what its rule takes and nobody sets has its default.
fn setting(program: &Program, point: &Point, name: &str) -> Setting {
    if let Some(&x) = point.hypers.get(name) {
        return Setting::Number(x);
    }
    for stage in &point.optimizer.stages {
        let rule = &program.decls.rules[&stage.rule];
        let Some(formal) = rule.formals.iter().find(|f| f.name.name == name) else { continue };
        if let Some(value) = stage.args.get(name) {
            return value.setting.clone();
        }
        if let Some(default) = &formal.default {
            return match &default.kind {
                ExprKind::Number(x) => Setting::Number(*x),
                _ => Setting::Text(crate::syntax::print::expr(default)),
            };
        }
    }
    Setting::Blank
}

/// Labels of optimizers: the rule's name, with the arguments that tell it apart from others of that name.
fn labels(spec: &SweepSpec) -> impl Fn(&OptimizerSpec) -> String {
    let mut entries: Vec<OptimizerSpec> = Vec::new();
    for bind in spec.axes.iter().flat_map(|a| a.points.iter().flatten()) {
        if let Bind::Optimizer(o) = bind
            && !entries.iter().any(|e| e.identity() == o.identity())
        {
            entries.push(o.clone());
        }
    }
    move |o: &OptimizerSpec| {
        let twins: Vec<&OptimizerSpec> = entries.iter().filter(|e| e.rule == o.rule).collect();
        if twins.len() < 2 {
            return o.rule.clone();
        }
        let stages = o.stages.iter().enumerate().map(|(place, stage)| {
            let apart = stage.args.iter().filter(|(name, value)| {
                let fixed =
                    entries.iter().any(|e| e.rule == o.rule && e.stages[place].args.contains_key(*name)) && !stage.varying.contains(name);
                let text = crate::syntax::print::expr(&value.expr);
                fixed && twins.iter().any(|t| t.stages[place].args.get(*name).is_none_or(|v| crate::syntax::print::expr(&v.expr) != text))
            });
            let shown: Vec<String> = apart.map(|(name, value)| format!("{name} = {}", crate::syntax::print::expr(&value.expr))).collect();
            if shown.is_empty() { stage.rule.clone() } else { format!("{}({})", stage.rule, shown.join(", ")) }
        });
        stages.collect::<Vec<_>>().join(" |> ")
    }
}

/// The starts of a cell's parameters; cells that start alike share them.
fn starting(
    program: &Program,
    built: &Built,
    point: &Point,
    (replicate, anew, context): (u64, bool, &Context),
    cache: &mut Starts,
    diags: &mut Diagnostics,
) -> Option<Begun> {
    let params: Vec<_> = built.held.iter().filter_map(|name| built.declared.params.iter().find(|p| p.name == *name)).collect();
    let one_by_one = matches!(program.rng, Some(Rng::Numpy(_)));
    let drawn = one_by_one || params.iter().any(|p| matches!(p.start, ParamStart::Draw(_)));
    let hypers: Vec<u64> = built
        .declared
        .hypers
        .iter()
        .map(|h| {
            let used = params.iter().any(|p| {
                let roots = match &p.start {
                    ParamStart::Value(id) => vec![*id],
                    ParamStart::Draw(drawing) => drawing.args.clone(),
                };
                built.model.graph.reachable(&roots).contains(&h.id)
            });
            if used || one_by_one { point.hypers.get(&h.name).copied().unwrap_or(h.value).to_bits() } else { 0 }
        })
        .collect();
    let shapes: Vec<u64> = params.iter().flat_map(|p| p.sizes.iter().map(|&n| n as u64).chain([u64::MAX])).collect();
    let made_for = [context.fold as u64, context.replicate];
    let key = (
        if drawn { replicate } else { 0 },
        hypers.into_iter().chain(shapes).chain(params.iter().map(|p| u64::from(p.id.0))).chain(made_for).collect(),
    );
    if let Some(known) = cache.get(&key) {
        return Some(known.clone());
    }
    let value = |input: crate::expr::op::InputId| {
        let info = built.model.graph.input_info(input);
        (info.kind == InputKind::Hyper).then(|| point.hypers.get(&info.name).copied()).flatten()
    };
    // Where data are not drawn anew, nothing has been drawn before the starts.
    let mut generator = if anew { built.model.generator.clone() } else { program.rng.and_then(|rng| rng.generator(replicate)) };
    let wanted = |param: &ParamInfo| params.iter().any(|p| p.id == param.id);
    let found = draw::starts(&built.model, &built.declared.params, &wanted, (program.rng, replicate), &mut generator, &value);
    let mut found = match found {
        Ok(found) => found,
        Err((param, why)) => {
            diags.push(draw::no_draw(param.span, why));
            return None;
        }
    };
    // In the order in which the unit holds them.
    found.sort_by_key(|(param, _)| params.iter().position(|p| p.id == param.id));
    // Equal generators are one, so that cells with the same batches go side by side.
    let generator = generator.map(|state| {
        let known = cache.values().find_map(|(_, known)| known.as_ref().filter(|known| ***known == state).cloned());
        known.unwrap_or_else(|| Arc::new(state))
    });
    let start = (Arc::new(found.into_iter().map(|(_, start)| start).collect()), generator);
    cache.insert(key, start.clone());
    Some(start)
}
