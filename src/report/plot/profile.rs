//! Performance profiles (Dolan and Moré 2002): for which share of the problems a solver needs at most so many times
//! what the best one needs.
//!
//! What a problem is follows from the cells: everything but the solver.

use super::canvas::Canvas;
use super::sheet::Sheet;
use super::style::Looks;
use super::{label, plan, said};
use crate::report::cells::{Place, Reader};
use crate::report::figure::{Figure, Layer, LegendKind, Scale};
use crate::report::keys::Channel;
use crate::results::view::{Key, PlotAxis, PlotView, Question};

/// Width of a line.
const WIDTH: f64 = 1.8;
/// How far beyond the last step lines go, as a factor.
const BEYOND: f64 = 1.15;

/// A cell of a solver, and on each problem how many times what the best one needs; `None` if it has no cell.
type Solver = Option<(Place, Vec<f64>)>;

/// The profile of a question over an axis.
pub(super) fn figure(reader: &Reader<'_>, view: &PlotView, of: &Question, solver: &str) -> Figure {
    let mut canvas = Canvas::new(reader, view, false);
    let cells = canvas.cells.clone();
    let keys = if view.color.is_empty() { vec![Key::Axis(solver.to_owned())] } else { view.color.clone() };
    let color = Channel::new(reader, &keys, &[], &cells);
    let dash = Channel::new(reader, &view.dash, &[], &cells);
    let marker = Channel::new(reader, &view.marker, &[], &cells);
    let solvers_keys = [Key::Axis(solver.to_owned())];
    let solvers = Channel::new(reader, &solvers_keys, &[], &cells);
    let looks = Looks::new(color, dash, marker, Vec::new(), false, plan(view, PlotAxis::Color), Some(Scale::Categorical));
    let asked = reader.ask(of, &cells);

    let mut ratios: Vec<Vec<Solver>> = Vec::new();
    let mut problems = Vec::new();
    for own in &canvas.panels {
        let groups = Reader::group(own, |place| reader.identity(place, &[solver]));
        problems.push(groups.len());
        let mut of_solvers: Vec<Solver> = vec![None; solvers.len()];
        for (_, rivals) in groups {
            let values: Vec<(Place, f64)> = rivals.iter().map(|&place| (place, asked.number(place, cells.len()))).collect();
            let best = values.iter().map(|value| value.1).filter(|x| !x.is_nan()).fold(f64::INFINITY, f64::min);
            for (place, value) in values {
                of_solvers[solvers.index(place)].get_or_insert_with(|| (place, Vec::new())).1.push(ratio(value, best));
            }
        }
        ratios.push(of_solvers);
    }
    let worst = ratios.iter().flatten().flatten().flat_map(|(_, all)| all).copied().filter(|x| x.is_finite()).fold(1.0, f64::max);
    let end = if worst > 1.0 { worst * BEYOND } else { 2.0 };

    let drawing = &mut canvas.drawing;
    drawing.x.scale = said(view, PlotAxis::X).unwrap_or(Scale::Log);
    drawing.x.limits.get_or_insert((1.0, end));
    drawing.y.limits.get_or_insert((0.0, 1.02));
    label(&mut drawing.x, &format!("{} as a multiple of the lowest", of.text));
    label(&mut drawing.y, "share of problems");
    let count = match (problems.iter().min(), problems.iter().max()) {
        (Some(least), Some(most)) if least != most => format!("{least} to {most}"),
        (_, most) => most.copied().unwrap_or(0).to_string(),
    };
    let panels = if problems.len() > 1 { " per panel" } else { "" };
    drawing.say(format!("Performance profile over {count} problems{panels}; what never happens counts as no solution."));
    let sheets = ratios.into_iter().zip(problems).map(|(of_solvers, problems)| {
        let mut sheet = Sheet::default();
        for (place, all) in of_solvers.into_iter().flatten() {
            sheet.layers.push(Layer::Line { points: steps(all, problems, end), style: looks.style(place, 0), width: WIDTH });
        }
        sheet
    });
    let sheets = sheets.collect();
    let legend = looks.legend(LegendKind::Line);
    let panels = canvas.titled(sheets);
    canvas.finish(panels, legend, None)
}

/// How many times the best one needs; infinite for what is never done.
fn ratio(value: f64, best: f64) -> f64 {
    match () {
        () if value.is_nan() || value == f64::INFINITY => f64::INFINITY,
        () if value == best => 1.0,
        () if best > 0.0 => value / best,
        () => f64::INFINITY,
    }
}

/// The share of problems solved within each multiple, from 1 to `end`, as a line with steps.
fn steps(mut ratios: Vec<f64>, problems: usize, end: f64) -> Vec<(f64, f64)> {
    ratios.retain(|x| x.is_finite());
    ratios.sort_by(f64::total_cmp);
    let share = |solved: usize| solved as f64 / problems.max(1) as f64;
    let first = ratios.partition_point(|&x| x <= 1.0);
    let mut points = vec![(1.0, share(first))];
    for (at, &x) in ratios.iter().enumerate().skip(first) {
        points.extend([(x, share(at)), (x, share(at + 1))]);
    }
    points.push((end, share(ratios.len())));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_that_of_the_paper() {
        // Times of one solver on five problems against the best of all: 1, 1, 2, 5, and one never solved.
        let ratios = [(3.0, 3.0), (7.0, 7.0), (4.0, 2.0), (10.0, 2.0), (f64::INFINITY, 9.0)].map(|(t, best)| ratio(t, best));
        assert_eq!(ratios, [1.0, 1.0, 2.0, 5.0, f64::INFINITY]);
        assert_eq!(steps(ratios.to_vec(), 5, 6.0), [(1.0, 0.4), (2.0, 0.4), (2.0, 0.6), (5.0, 0.6), (5.0, 0.8), (6.0, 0.8)]);
        assert_eq!((ratio(0.0, 0.0), ratio(2.0, 0.0), ratio(f64::NAN, 1.0)), (1.0, f64::INFINITY, f64::INFINITY));
        assert_eq!(steps(vec![f64::INFINITY], 3, 2.0), [(1.0, 0.0), (2.0, 0.0)]);
    }
}
