//! Lines and areas cut at a frame, and lines of many points made shorter without a visible difference.
//!
//! It knows no data and no colours.

use super::scene::{Point, Rect};

/// Width in points of the columns in which a long line is reduced: a pixel of a picture with two pixels per point.
const COLUMN: f64 = 0.5;
/// A line with fewer points keeps its columns.
const MANY: usize = 2000;
/// In a column higher than this through which the line goes more than so many times, it covers all.
const ROUGH: f64 = 1.0;
const TIMES: f64 = 4.0;
/// How far a point may be beside the line that is drawn without it, and how many in a row may be left out.
const BESIDE: f64 = 0.04;
const AHEAD: usize = 24;

/// The parts of a line inside a frame; `None` interrupts it. A part of one point is left out.
pub(super) fn cut_line(points: impl IntoIterator<Item = Option<Point>>, frame: Rect) -> Vec<Vec<Point>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    let mut part: Vec<Point> = Vec::new();
    let mut before: Option<Point> = None;
    for point in points {
        if let (Some(from), Some(to)) = (before, point)
            && let Some((start, end)) = cut_segment(from, to, frame)
        {
            if part.last() != Some(&start) {
                parts.push(std::mem::take(&mut part));
                part.push(start);
            }
            part.push(end);
        }
        before = point;
    }
    parts.push(part);
    parts.retain(|p| p.len() > 1);
    parts
}

/// The part of a segment inside a frame (Liang and Barsky).
fn cut_segment(from: Point, to: Point, frame: Rect) -> Option<(Point, Point)> {
    let inside = |p: Point| p.0 >= frame.left && p.0 <= frame.right && p.1 >= frame.top && p.1 <= frame.bottom;
    // Most segments of most lines; no division is needed to see it.
    if inside(from) && inside(to) {
        return Some((from, to));
    }
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (slope, room) in [(-dx, from.0 - frame.left), (dx, frame.right - from.0), (-dy, from.1 - frame.top), (dy, frame.bottom - from.1)] {
        if slope == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if slope < 0.0 {
            enter = enter.max(room / slope);
        } else {
            leave = leave.min(room / slope);
        }
    }
    let at = |t: f64| (from.0 + t * dx, from.1 + t * dy);
    // Ends that are inside stay exactly what they are, so that the parts of a line join.
    (enter <= leave).then(|| (if enter == 0.0 { from } else { at(enter) }, if leave == 1.0 { to } else { at(leave) }))
}

/// The part of a polygon inside a frame (Sutherland and Hodgman).
pub(super) fn cut_area(points: Vec<Point>, frame: Rect) -> Vec<Point> {
    let sides: [fn(Point, Rect) -> f64; 4] = [|p, f| p.0 - f.left, |p, f| f.right - p.0, |p, f| p.1 - f.top, |p, f| f.bottom - p.1];
    sides.into_iter().fold(points, |points, inside| {
        let mut kept = Vec::with_capacity(points.len() + 4);
        for (i, &to) in points.iter().enumerate() {
            let from = points[(i + points.len() - 1) % points.len()];
            let (a, b) = (inside(from, frame), inside(to, frame));
            if (a < 0.0) != (b < 0.0) {
                let t = a / (a - b);
                kept.push((from.0 + t * (to.0 - from.0), from.1 + t * (to.1 - from.1)));
            }
            if b >= 0.0 {
                kept.push(to);
            }
        }
        kept
    })
}

/// What a long line is drawn as.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// A line.
    Line(Vec<Point>),
    /// Where it runs up and down so often that it covers all between an upper and a lower line.
    Covered { upper: Vec<Point>, lower: Vec<Point> },
}

/// A line as few points that look the same.
///
/// Where many points in a row fall into one narrow column of the paper, the first, the lowest, the highest and the
/// last of them are enough; where the line runs up and down in a column several times, it covers the column from the
/// lowest to the highest. Then points that lie on the way from one to the next are left out.
pub(super) fn reduced(points: &[Point]) -> Vec<Part> {
    if points.len() < MANY {
        return vec![Part::Line(straightened(points))];
    }
    let mut parts: Vec<Part> = Vec::new();
    let mut line: Vec<Point> = Vec::new();
    let column = |p: Point| (p.0 / COLUMN).floor();
    for run in points.chunk_by(|a, b| column(*a) == column(*b)) {
        let extreme =
            |better: fn(f64, f64) -> bool| run.iter().enumerate().fold(0, |best, (i, p)| if better(p.1, run[best].1) { i } else { best });
        let (top, bottom) = (extreme(|a, b| a < b), extreme(|a, b| a > b));
        let travelled: f64 = run.windows(2).map(|w| (w[1].1 - w[0].1).abs()).sum();
        let height = run[bottom].1 - run[top].1;
        if height > ROUGH && travelled > TIMES * height {
            if let Some(Part::Covered { upper, lower }) = parts.last_mut().filter(|_| line.len() <= 1) {
                upper.push(run[top]);
                lower.push(run[bottom]);
            } else {
                line.push(run[0]);
                parts.push(Part::Line(straightened(&line)));
                parts.push(Part::Covered { upper: vec![run[top]], lower: vec![run[bottom]] });
            }
            line = vec![run[run.len() - 1]];
        } else {
            let mut places = [0, top, bottom, run.len() - 1];
            places.sort_unstable();
            line.extend(places.iter().enumerate().filter(|(i, p)| *i == 0 || places[i - 1] != **p).map(|(_, p)| run[*p]));
        }
    }
    parts.push(Part::Line(straightened(&line)));
    parts.retain(|p| !matches!(p, Part::Line(line) if line.len() < 2));
    parts
}

/// The line without the points that are hardly beside the way from an earlier one that is kept to a later one.
fn straightened(points: &[Point]) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    let mut from = 0;
    while from < points.len() {
        kept.push(points[from]);
        let reach = |to: &usize| points[from + 1..*to].iter().all(|p| beside(*p, points[from], points[*to]) < BESIDE);
        let next = (from + 2..points.len().min(from + AHEAD)).take_while(reach).last().unwrap_or(from + 1);
        from = next;
    }
    kept
}

/// How far a point is beside a segment.
fn beside(at: Point, from: Point, to: Point) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let square = dx * dx + dy * dy;
    let t = if square > 0.0 { (((at.0 - from.0) * dx + (at.1 - from.1) * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
    let (x, y) = (at.0 - from.0 - t * dx, at.1 - from.1 - t * dy);
    (x * x + y * y).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRAME: Rect = Rect { left: 0.0, top: 0.0, right: 10.0, bottom: 10.0 };

    #[test]
    fn a_line_is_cut_where_it_leaves() {
        let line = [(-5.0, 5.0), (5.0, 5.0), (5.0, 25.0), (8.0, 5.0)].map(Some);
        let parts = cut_line(line, FRAME);
        assert_eq!(parts[0], [(0.0, 5.0), (5.0, 5.0), (5.0, 10.0)]);
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[1], [(7.25, 10.0), (8.0, 5.0)]);
        assert_eq!(cut_line([Some((1.0, 1.0)), None, Some((2.0, 2.0)), Some((3.0, 3.0))], FRAME), [[(2.0, 2.0), (3.0, 3.0)]]);
    }

    #[test]
    fn an_area_is_cut_at_the_frame() {
        let cut = cut_area(vec![(-5.0, -5.0), (5.0, -5.0), (5.0, 5.0), (-5.0, 5.0)], FRAME);
        let area: f64 = (0..cut.len())
            .map(|i| {
                let (a, b) = (cut[i], cut[(i + 1) % cut.len()]);
                (a.0 * b.1 - b.0 * a.1) / 2.0
            })
            .sum();
        assert!((area - 25.0).abs() < 1e-12, "{cut:?}");
        assert!(cut_area(vec![(20.0, 0.0), (30.0, 0.0), (30.0, 5.0)], FRAME).is_empty());
    }

    #[test]
    fn a_long_noisy_line_covers_what_it_covered() {
        let noise = |i: u32| f64::from(i.wrapping_mul(2_654_435_761) >> 20) / 10.0;
        let points: Vec<Point> = (0..100_000u32).map(|i| (f64::from(i) / 200.0, noise(i))).collect();
        let parts = reduced(&points);
        let [Part::Covered { upper, lower }] = &parts[..] else { panic!("{} parts", parts.len()) };
        assert!(upper.len() == 1000 && lower.len() == 1000, "{}", upper.len());
        for (column, (top, bottom)) in upper.iter().zip(lower).enumerate() {
            let inside = points.iter().filter(|p| (p.0 / COLUMN).floor() as usize == column);
            assert_eq!((top.1, bottom.1), inside.fold((f64::MAX, f64::MIN), |r, p| (r.0.min(p.1), r.1.max(p.1))));
        }
    }

    #[test]
    fn a_long_smooth_line_stays_a_line_and_keeps_its_spike() {
        let curve = |x: f64| 100.0 + x * x / 500.0;
        let mut points: Vec<Point> = (0..100_000u32).map(|i| (f64::from(i) / 200.0, curve(f64::from(i) / 200.0))).collect();
        points[50_000].1 = 0.0;
        let parts = reduced(&points);
        let [Part::Line(line)] = &parts[..] else { panic!("{} parts", parts.len()) };
        assert!(line.len() < 2000 && line.contains(&points[50_000]), "{}", line.len());
        assert!(line.windows(2).filter(|w| w[0].1 > 0.0 && w[1].1 > 0.0).all(|w| {
            let middle = f64::midpoint(w[0].0, w[1].0);
            (f64::midpoint(w[0].1, w[1].1) - curve(middle)).abs() < 2.0 * BESIDE
        }));
        assert_eq!((line[0], line[line.len() - 1]), (points[0], points[99_999]));
    }

    #[test]
    fn corners_stay() {
        let zigzag: Vec<Point> = (0..50).map(|i| (f64::from(i), f64::from(i % 2))).collect();
        assert_eq!(straightened(&zigzag), zigzag);
        let straight: Vec<Point> = (0..20).map(|i| (f64::from(i), f64::from(i) * 3.0)).collect();
        assert_eq!(straightened(&straight), [straight[0], straight[19]]);
        assert_eq!(straightened(&[(0.0, 0.0), (5.0, 0.0), (1.0, 0.0)]), [(0.0, 0.0), (5.0, 0.0), (1.0, 0.0)]);
    }

    proptest! {
        #[test]
        fn nothing_leaves_the_frame(points in prop::collection::vec((-1e6f64..1e6, -30.0f64..30.0), 0..30)) {
            let around = FRAME.grown(1e-6);
            prop_assert!(cut_line(points.iter().copied().map(Some), FRAME).iter().flatten().all(|p| around.contains(*p)));
            prop_assert!(cut_area(points, FRAME).iter().all(|p| around.contains(*p)));
        }
    }
}
