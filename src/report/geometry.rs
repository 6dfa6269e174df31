//! Lines and areas cut at a frame, and lines of many points made shorter without a visible difference.
//!
//! It knows no data and no colours.

use super::scene::{Point, Rect};

/// Width in points of the columns in which a long line is reduced: half a pixel of a picture with two pixels per point.
const COLUMN: f64 = 0.25;
/// A line with fewer points is drawn as it is.
const MANY: usize = 2000;

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
    let sides: [fn(Point, Rect) -> f64; 4] =
        [|p, f| p.0 - f.left, |p, f| f.right - p.0, |p, f| p.1 - f.top, |p, f| f.bottom - p.1];
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

/// A line that looks the same with fewer points: where many points in a row fall into one narrow column of the
/// paper, the first, the lowest, the highest and the last of them are kept, in their order.
pub(super) fn thinned(points: Vec<Point>) -> Vec<Point> {
    if points.len() < MANY {
        return points;
    }
    let column = |p: Point| (p.0 / COLUMN).floor();
    let mut kept = Vec::new();
    for run in points.chunk_by(|a, b| column(*a) == column(*b)) {
        let extreme = |better: fn(f64, f64) -> bool| {
            run.iter().enumerate().fold(0, |best, (i, p)| if better(p.1, run[best].1) { i } else { best })
        };
        let mut places = [0, extreme(|a, b| a < b), extreme(|a, b| a > b), run.len() - 1];
        places.sort_unstable();
        let mut last = None;
        for place in places {
            if last != Some(place) {
                kept.push(run[place]);
            }
            last = Some(place);
        }
    }
    kept
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
        let area: f64 = (0..cut.len()).map(|i| { let (a, b) = (cut[i], cut[(i + 1) % cut.len()]); (a.0 * b.1 - b.0 * a.1) / 2.0 }).sum();
        assert!((area - 25.0).abs() < 1e-12, "{cut:?}");
        assert!(cut_area(vec![(20.0, 0.0), (30.0, 0.0), (30.0, 5.0)], FRAME).is_empty());
    }

    #[test]
    fn a_long_noisy_line_keeps_its_shape() {
        let points: Vec<Point> = (0..100_000u32).map(|i| (f64::from(i) / 100_000.0 * 500.0, f64::from(i.wrapping_mul(2_654_435_761) >> 20))).collect();
        let fewer = thinned(points.clone());
        assert!(fewer.len() <= 8004, "{}", fewer.len());
        for column in 0..2000 {
            let range = |line: &[Point]| line.iter().filter(|p| (p.0 / COLUMN).floor() as i32 == column).fold((f64::MAX, f64::MIN), |r, p| (r.0.min(p.1), r.1.max(p.1)));
            assert_eq!(range(&points), range(&fewer));
        }
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
