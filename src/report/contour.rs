//! Lines of equal value of a function on a grid (marching squares), and which values are worth a line.
//!
//! It draws nothing, and no line of it runs along the edge of the grid.

/// The lines on which a function, given at the points of a grid, has the value `level`: each as the points where
/// it crosses the edges of the grid, joined as far as they go; a closed line ends where it starts.
///
/// `values` go row by row, that of `(xs[i], ys[j])` at `j * xs.len() + i`. Cells with a value that is not finite
/// are left out. Where two lines meet in one cell, the mean of its corners decides which way they turn.
#[must_use]
pub fn isolines(xs: &[f64], ys: &[f64], values: &[f64], level: f64) -> Vec<Vec<(f64, f64)>> {
    let grid = Grid { xs, ys, values, level };
    let (columns, rows) = (xs.len(), ys.len());
    if columns < 2 || rows < 2 || values.len() != columns * rows || !level.is_finite() {
        return Vec::new();
    }
    let mut links = vec![[NONE; 2]; 2 * columns * rows];
    for row in 0..rows - 1 {
        for column in 0..columns - 1 {
            for (a, b) in grid.crossings(column, row).into_iter().flatten() {
                if !grid.on_one_side(a, b) {
                    join(&mut links, a, b);
                    join(&mut links, b, a);
                }
            }
        }
    }
    // Lines that begin at an end first, then what is left: closed ones.
    let ends: Vec<usize> = (0..links.len()).filter(|&e| links[e][0] != NONE && links[e][1] == NONE).collect();
    let mut lines: Vec<Vec<(f64, f64)>> = ends.into_iter().filter_map(|e| follow(&mut links, e)).map(|l| grid.places(&l)).collect();
    for edge in 0..links.len() {
        lines.extend(follow(&mut links, edge).map(|l| grid.places(&l)));
    }
    lines.retain(|l| l.len() > 1);
    lines
}

/// No edge.
const NONE: usize = usize::MAX;

/// Remembers that a line goes from one edge of the grid to another.
fn join(links: &mut [[usize; 2]], from: usize, to: usize) {
    let link = &mut links[from];
    let place = usize::from(link[0] != NONE);
    link[place] = to;
}

/// The edges along a line from one of them on, which are taken out.
fn follow(links: &mut [[usize; 2]], start: usize) -> Option<Vec<usize>> {
    let mut line = vec![start];
    let mut at = start;
    loop {
        let next = links[at].iter().copied().find(|&n| n != NONE);
        let Some(next) = next else { break };
        for (from, to) in [(at, next), (next, at)] {
            let place = usize::from(links[from][0] != to);
            links[from][place] = NONE;
        }
        line.push(next);
        at = next;
    }
    (line.len() > 1).then_some(line)
}

/// The function, and the value looked for. Edges are numbered by the point at their left or lower end, twice:
/// even numbers go to the right, odd ones up.
struct Grid<'g> {
    xs: &'g [f64],
    ys: &'g [f64],
    values: &'g [f64],
    level: f64,
}

impl Grid<'_> {
    fn point(&self, column: usize, row: usize) -> usize {
        row * self.xs.len() + column
    }

    /// The pieces of lines in a cell, each from edge to edge.
    fn crossings(&self, column: usize, row: usize) -> [Option<(usize, usize)>; 2] {
        let corners = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(dx, dy)| self.values[self.point(column + dx, row + dy)]);
        if !corners.iter().all(|v| v.is_finite()) {
            return [None, None];
        }
        let here = self.point(column, row);
        // Below, right, above, left: between each corner and the next.
        let edges = [2 * here, 2 * self.point(column + 1, row) + 1, 2 * self.point(column, row + 1), 2 * here + 1];
        let high = corners.map(|v| v >= self.level);
        let crossed: Vec<usize> = (0..4).filter(|&i| high[i] != high[(i + 1) % 4]).map(|i| edges[i]).collect();
        match crossed[..] {
            [a, b] => [Some((a, b)), None],
            [below, right, above, left] => {
                let mean = corners.iter().map(|v| v / 4.0).sum::<f64>();
                // The corners that agree with the middle are joined through it.
                if (mean >= self.level) == high[0] {
                    [Some((below, right)), Some((above, left))]
                } else {
                    [Some((below, left)), Some((right, above))]
                }
            }
            _ => [None, None],
        }
    }

    /// Where the line crosses an edge.
    fn place(&self, edge: usize) -> (f64, f64) {
        let (column, row) = ((edge / 2) % self.xs.len(), (edge / 2) / self.xs.len());
        let (to_column, to_row) = if edge.is_multiple_of(2) { (column + 1, row) } else { (column, row + 1) };
        let (a, b) = (self.values[self.point(column, row)], self.values[self.point(to_column, to_row)]);
        // Halves, so that the difference of two huge values is finite.
        let share = ((self.level / 2.0 - a / 2.0) / (b / 2.0 - a / 2.0)).clamp(0.0, 1.0);
        let between = |from: f64, to: f64| from + share * (to - from);
        (between(self.xs[column], self.xs[to_column]), between(self.ys[row], self.ys[to_row]))
    }

    fn places(&self, edges: &[usize]) -> Vec<(f64, f64)> {
        let mut places: Vec<(f64, f64)> = edges.iter().map(|&e| self.place(e)).collect();
        places.dedup();
        places
    }

    /// Whether a piece lies in one side of the frame.
    fn on_one_side(&self, a: usize, b: usize) -> bool {
        let (a, b) = (self.place(a), self.place(b));
        let edge = |v: f64, all: &[f64]| v == all[0] || v == all[all.len() - 1];
        (a.0 == b.0 && edge(a.0, self.xs)) || (a.1 == b.1 && edge(a.1, self.ys))
    }
}

/// About `n` values for lines of equal value, rising.
///
/// They are even in the square root of the share of the plane that lies below them. So the lines of a bowl are
/// evenly spaced whatever its steepness and its floor, and the lines of any landscape are denser in its valleys,
/// where paths end. Values that are not finite are ignored.
#[must_use]
pub fn levels(values: &[f64], n: usize) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let mut levels: Vec<f64> = Vec::new();
    for i in 0..n {
        let root = (i + 1) as f64 / (n + 1) as f64;
        let rank = (root * root * sorted.len() as f64) as usize;
        let level = sorted[rank.min(sorted.len() - 1)];
        if level > low && level < high && levels.last().is_none_or(|l| *l < level) {
            levels.push(level);
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(n: usize, low: f64, high: f64) -> Vec<f64> {
        (0..n).map(|i| low + (high - low) * i as f64 / (n - 1) as f64).collect()
    }

    fn sampled(xs: &[f64], ys: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        ys.iter().flat_map(|y| xs.iter().map(|x| f(*x, *y)).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn a_circle_is_one_closed_line_of_its_radius() {
        let (xs, ys) = (axis(61, -2.0, 2.0), axis(51, -2.0, 2.0));
        let lines = isolines(&xs, &ys, &sampled(&xs, &ys, |x, y| x * x + y * y), 1.0);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        // Linear interpolation of r^2 between points h apart is off by at most h^2/4 in r^2 and h^2/8 in r.
        for (x, y) in &lines[0] {
            assert!(((x * x + y * y).sqrt() - 1.0).abs() <= 0.08 * 0.08 / 8.0 * 1.01, "{x} {y}");
        }
        let length: f64 =
            lines[0].windows(2).map(|w| ((w[1].0 - w[0].0) * (w[1].0 - w[0].0) + (w[1].1 - w[0].1) * (w[1].1 - w[0].1)).sqrt()).sum();
        assert!((length - std::f64::consts::TAU).abs() < 0.01, "{length}");
    }

    #[test]
    fn a_circle_cut_by_the_frame_is_open() {
        let (xs, ys) = (axis(41, 0.0, 2.0), axis(41, -2.0, 2.0));
        let lines = isolines(&xs, &ys, &sampled(&xs, &ys, |x, y| x * x + y * y), 1.0);
        assert_eq!(lines.len(), 1);
        let ends = [lines[0][0], lines[0][lines[0].len() - 1]];
        assert!(ends.iter().all(|e| e.0 == 0.0 && (e.1.abs() - 1.0).abs() < 1e-9), "{ends:?}");
    }

    #[test]
    fn a_saddle_turns_by_the_mean_of_its_corners() {
        let line = |corners: [f64; 4]| isolines(&[0.0, 1.0], &[0.0, 1.0], &corners, 0.5);
        // High at (0,0) and (1,1). A low middle cuts those two corners off, a high middle the other two.
        let low_middle = line([1.0, -1.0, -1.0, 1.0]);
        assert_eq!(low_middle.len(), 2);
        assert!(low_middle.iter().any(|l| l.iter().all(|p| p.0 + p.1 < 0.5)), "{low_middle:?}");
        let high_middle = line([2.0, 0.3, 0.3, 2.0]);
        assert_eq!(high_middle.len(), 2);
        assert!(high_middle.iter().any(|l| l.iter().all(|p| p.0 > p.1 + 0.5)), "{high_middle:?}");
        // Far lines of the saddle x*y bend without touching the middle.
        let xs = axis(30, -1.0, 1.0);
        let lines = isolines(&xs, &xs, &sampled(&xs, &xs, |x, y| x * y), 0.25);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().flatten().all(|(x, y)| (x * y - 0.25).abs() < 0.002));
    }

    #[test]
    fn nothing_runs_along_the_frame() {
        let xs = axis(11, 0.0, 1.0);
        let flat = vec![1.0; 121];
        assert!(isolines(&xs, &xs, &flat, 1.0).is_empty());
        let slope = sampled(&xs, &xs, |x, _| x);
        assert!(isolines(&xs, &xs, &slope, 1.0).is_empty());
        assert_eq!(isolines(&xs, &xs, &slope, 0.55).len(), 1);
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let xs = axis(21, -1.0, 1.0);
        let holes = sampled(&xs, &xs, |x, y| if x > 0.5 { f64::NAN } else { x * x + y * y });
        assert!(isolines(&xs, &xs, &holes, 0.64).iter().flatten().all(|p| p.0 <= 0.51 && p.1.is_finite()));
        assert!(isolines(&xs, &xs, &holes[1..], 0.64).is_empty());
        let huge = isolines(&[0.0, 1.0], &[0.0, 1.0], &[-1e308, 1e308, -1e308, 1e308], 0.0);
        assert_eq!(huge, [[(0.5, 0.0), (0.5, 1.0)]]);
    }

    #[test]
    fn levels_of_a_bowl_are_evenly_spaced() {
        let xs = axis(201, -1.0, 1.0);
        // Even in the radius inside the disc, although values grow with its fourth power.
        let bowl = sampled(&xs, &xs, |x, y| {
            let r = x * x + y * y;
            if r > 1.0 { f64::INFINITY } else { 1e-6 * r * r }
        });
        let radii: Vec<f64> = levels(&bowl, 10).iter().map(|l| (l / 1e-6).sqrt().sqrt()).collect();
        assert_eq!(radii.len(), 10);
        assert!(radii.windows(2).all(|w| (w[1] - w[0] - 1.0 / 11.0).abs() < 0.01), "{radii:?}");
        assert!(levels(&[3.0; 50], 8).is_empty() && levels(&[f64::NAN], 8).is_empty() && levels(&[], 8).is_empty());
    }
}
