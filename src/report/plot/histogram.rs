//! Histograms: how often values lie where, in bins that all panels and colours share.
//!
//! It decides no colours.

use super::canvas::Canvas;
use super::sheet::Sheet;
use super::{label, looks};
use crate::numeric::elementary::{log2, log10, pow};
use crate::report::cells::{Place, Reader};
use crate::report::figure::{Figure, Layer, LegendKind, Scale};
use crate::report::statistics::quantile;
use crate::results::view::{PlotView, Question};

/// The most bins.
const BINS: f64 = 200.0;
/// Whole numbers from so narrow a range have a bin each.
const WHOLE: f64 = 40.0;
/// The share of its bin that a bar fills.
const BAR: f64 = 0.94;
/// Width of the outlines where several lie over one another.
const WIDTH: f64 = 1.6;

/// The histogram of a question: of its elements, or of a number over the cells.
pub(super) fn figure(reader: &Reader<'_>, view: &PlotView, of: &Question) -> Figure {
    let mut canvas = Canvas::new(reader, view, false);
    let cells = canvas.cells.clone();
    let further = canvas.further.clone();
    let looks = looks(reader, view, &further, &cells);
    let asked = reader.ask(of, &cells);
    let log = canvas.drawing.x.scale == Scale::Log;
    let values = |own: &[Place]| own.iter().flat_map(|&place| asked.at(place, cells.len())).collect::<Vec<f64>>();
    let holds = |x: &f64| x.is_finite() && (!log || *x > 0.0);
    let all = values(&cells);
    let good: Vec<f64> = all.iter().copied().filter(holds).collect();
    let left_out = all.len() - good.len();
    if left_out > 0 {
        let why = if log { "not positive numbers" } else { "not finite numbers" };
        canvas.drawing.say(format!("{left_out} of {} values are {why} and left out.", all.len()));
    }
    let edges = if log { edges(&good.iter().map(|&x| log10(x)).collect::<Vec<_>>()) } else { edges(&good) };
    let place = |x: f64| if log { log10(x) } else { x };
    let bins: Vec<f64> = edges.iter().map(|&edge| if log { pow(10.0, edge) } else { edge }).collect();
    label(&mut canvas.drawing.x, &of.text);
    label(&mut canvas.drawing.y, "count");
    canvas.drawing.y.whole = true;
    canvas.drawing.y.show(0.0);
    for &edge in &bins {
        canvas.drawing.x.show(edge);
    }
    let mut sheets = Vec::new();
    for own in &canvas.panels {
        let mut sheet = Sheet::default();
        let groups = Reader::group(own, |place| looks.color.index(place));
        let alone = looks.color.len() < 2;
        for (_, members) in groups {
            let own: Vec<f64> = values(&members).into_iter().filter(holds).map(place).collect();
            let counts = counts(&edges, &own);
            for &count in &counts {
                canvas.drawing.y.show(count);
            }
            let style = looks.style(members[0], 0);
            if alone && !log {
                let bars = counts.iter().zip(edges.windows(2)).map(|(&count, bin)| (f64::midpoint(bin[0], bin[1]), count));
                let width = (edges[1] - edges[0]) * BAR;
                sheet.layers.push(Layer::Bars { points: bars.filter(|bar| bar.1 > 0.0).collect(), style, width });
                continue;
            }
            let steps = counts.iter().zip(bins.windows(2)).flat_map(|(&count, bin)| [(bin[0], count), (bin[1], count)]);
            let first = bins.first().map(|&x| (x, 0.0));
            let points = first.into_iter().chain(steps).chain(bins.last().map(|&x| (x, 0.0))).collect();
            sheet.layers.push(Layer::Line { points, style, width: WIDTH });
        }
        sheets.push(sheet);
    }
    let legend = looks.legend(LegendKind::Line);
    let bar = looks.color_bar();
    let panels = canvas.titled(sheets);
    canvas.finish(panels, legend, bar)
}

/// The edges of bins for these values: NumPy's `auto` (the narrower of Sturges' and Freedman and Diaconis'); whole
/// numbers from a narrow range lie in the middle of bins of their own.
fn edges(values: &[f64]) -> Vec<f64> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.is_empty() {
        return vec![0.0, 1.0];
    }
    if low == high {
        return vec![low - 0.5, low + 0.5];
    }
    let whole = values.iter().all(|x| x.fract() == 0.0) && high - low < WHOLE;
    let (from, to, count) = if whole {
        (low - 0.5, high + 0.5, high - low + 1.0)
    } else {
        let length = high - low;
        let n = values.len() as f64;
        let sturges = length / (log2(n) + 1.0);
        let quartiles = quantile(values, 0.75) - quantile(values, 0.25);
        let freedman = 2.0 * quartiles / pow(n, 1.0 / 3.0);
        let width = if freedman > 0.0 { freedman.min(sturges) } else { sturges };
        let count = (length / width).ceil();
        (low, high, if count.is_finite() { count.clamp(1.0, BINS) } else { BINS })
    };
    (0..=count as usize).map(|at| from + (to - from) * (at as f64 / count)).collect()
}

/// How many values lie in each bin; the last one has both its ends.
fn counts(edges: &[f64], values: &[f64]) -> Vec<f64> {
    let bins = edges.len().saturating_sub(1);
    let mut counts = vec![0.0; bins];
    for &x in values {
        let bin = edges.partition_point(|&edge| edge <= x).clamp(1, bins.max(1)) - 1;
        if let Some(count) = counts.get_mut(bin) {
            *count += 1.0;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_numpys() {
        // numpy.histogram(numpy.exp(numpy.arange(1, 31)/10), bins = "auto"), numpy 2.4
        let values: Vec<f64> = (1..=30).map(|i| crate::numeric::elementary::exp(f64::from(i) / 10.0)).collect();
        let edges = edges(&values);
        assert_eq!(counts(&edges, &values), [14.0, 6.0, 3.0, 3.0, 2.0, 2.0]);
        let numpy = [1.10517092, 4.26856525, 7.43195959, 10.59535392, 13.75874825, 16.92214259, 20.08553692];
        assert!(edges.len() == 7 && edges.iter().zip(numpy).all(|(edge, numpy)| (edge - numpy).abs() < 1e-8), "{edges:?}");
    }

    #[test]
    fn whole_numbers_have_bins_of_their_own_and_nothing_has_one() {
        assert_eq!(edges(&[3.0, 1.0, 2.0, 1.0]), [0.5, 1.5, 2.5, 3.5]);
        assert_eq!(counts(&[0.5, 1.5, 2.5, 3.5], &[3.0, 1.0, 2.0, 1.0]), [2.0, 1.0, 1.0]);
        assert_eq!(edges(&[2.5, 2.5]), [2.0, 3.0]);
        assert_eq!(edges(&[]), [0.0, 1.0]);
        assert_eq!(edges(&[-1e308, 1e308, 0.5]).len(), BINS as usize + 1);
    }
}
