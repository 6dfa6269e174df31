//! Figures made of hand-made results; the tables and expectations are in the file above.

use super::*;

fn lines_of(figure: &Figure) -> Vec<&[(f64, f64)]> {
    let lines =
        figure.panels[0].layers.iter().filter_map(|layer| if let Layer::Line { points, .. } = layer { Some(&points[..]) } else { None });
    lines.collect()
}

#[test]
fn a_run_that_diverged_neither_hides_nor_flattens_the_others() {
    let view = PlotView { color: axes(&["optimizer", "lr"]), ..plot("losses", from(&["race"]), vec![lines(vec![row("J")], Along::Step)]) };
    let figure = draw(&race(), view);
    let lines = lines_of(&figure);
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[5], [(0.0, 8.0), (1.0, 1e200)]);
    let (low, high) = figure.panels[0].y.range;
    assert!(low >= 0.0 && high < 30.0, "{low} {high}");
    let crosses: Vec<(f64, f64)> = figure.panels[0]
        .layers
        .iter()
        .filter_map(|layer| if let Layer::Mark { at, kind: MarkKind::Diverged, .. } = layer { Some(*at) } else { None })
        .collect();
    // The rising run ends in the picture, the other one leaves it.
    assert!(crosses.contains(&(2.0, 12.0)) && crosses.iter().any(|at| at.1 == high), "{crosses:?}");
    assert!(figure.caption.contains("reach 1e200"), "{}", figure.caption);
    insta::assert_snapshot!(describe(&figure));
}

#[test]
fn logarithmic_axes_leave_out_what_has_no_place_and_say_so() {
    let all = results(vec![sweep("s", &[], J, vec![cell("gd", &[], &[&[1.0, 0.1, 0.0, -1.0, 0.01]])])]);
    let log = |axis| (axis, ScaleKind::Log);
    let view = plot("p", from(&["s"]), vec![lines(vec![row("J")], Along::Step)]);
    let figure = draw(&all, PlotView { scales: vec![log(PlotAxis::Y)], ..view.clone() });
    assert_eq!(figure.caption, "2 points are not drawn because J is not positive there.");
    assert_eq!(figure.panels[0].y.scale, Scale::Log);
    let drawn: Vec<bool> = lines_of(&figure)[0].iter().map(|p| p.1.is_finite()).collect();
    assert_eq!(drawn, [true, true, false, false, true]);
    let both = draw(&all, PlotView { scales: vec![log(PlotAxis::X), log(PlotAxis::Y)], ..view });
    assert!(both.caption.starts_with("1 point is not drawn because step is not positive there."), "{}", both.caption);
}

#[test]
fn smoothing_is_a_trailing_mean_over_recorded_rows() {
    let all = results(vec![sweep("s", &[], J, vec![cell("gd", &[], &[&[NAN, 2.0, 4.0, 9.0]])])]);
    let figure = draw(&all, PlotView { smooth: Some(2), ..plot("p", from(&["s"]), vec![lines(vec![row("J")], Along::Step)]) });
    assert_eq!(lines_of(&figure)[0][1..], [(1.0, 2.0), (2.0, 3.0), (3.0, 6.5)]);
}

#[test]
fn lines_stand_for_replicates_with_the_band_that_the_caption_names() {
    let all = replicated();
    let view = PlotView { color: axes(&["lr"]), ..plot("p", from(&["runs"]), vec![lines(vec![row("J")], Along::Step)]) };
    let band = |figure: &Figure| {
        let bands =
            figure.panels[0].layers.iter().filter_map(|layer| if let Layer::Band { points, .. } = layer { Some(points[2]) } else { None });
        bands.collect::<Vec<_>>()[0]
    };
    let mean = draw(&all, view.clone());
    assert_eq!(lines_of(&mean)[0], [(0.0, 10.0), (1.0, 4.0), (2.0, 2.0)]);
    let (x, low, high) = band(&mean);
    let half = 4.302652729749464 / 3f64.sqrt();
    assert!(x == 2.0 && (low - (2.0 - half)).abs() < 1e-14 && (high - (2.0 + half)).abs() < 1e-14);
    assert_eq!(mean.caption, "Mean over 3 replicates, with its 95 % t interval.");
    let log = draw(&all, PlotView { scales: vec![(PlotAxis::Y, ScaleKind::Log)], ..view.clone() });
    assert!(log.caption.ends_with("Bands that reach below zero end at the lower edge."), "{}", log.caption);
    assert!(log.panels[0].y.range.0 > 0.1, "{:?}", log.panels[0].y.range);
    let quartiles = draw(&all, PlotView { center: Some(Center::Median), ..view.clone() });
    assert_eq!(band(&quartiles), (2.0, 1.5, 2.5));
    assert_eq!(quartiles.caption, "Median over 3 replicates, with the quartiles.");
    let single = draw(&all, PlotView { dash: axes(&["replicate"]), ..view });
    assert_eq!((lines_of(&single).len(), &*single.caption), (6, ""));
}

#[test]
fn looks_tell_series_apart() {
    let cells = RATES.iter().map(|&lr| cell("gd", &[lr], &[&[1.0, 0.5]]));
    let all = results(vec![sweep("s", &["lr"], J, cells.collect())]);
    let view = plot("p", from(&["s"]), vec![lines(vec![row("J")], Along::Step)]);
    let many = draw(&all, PlotView { color: axes(&["lr"]), ..view.clone() });
    let bar = many.color_bar.as_ref().unwrap();
    assert_eq!((bar.axis.scale, bar.axis.range, &*bar.axis.label), (Scale::Log, (1e-6, 1e5), "lr"));
    assert!(many.legend.is_empty());
    let few = Selection { conditions: vec![equals("lr", Setting::Number(0.1))], ..from(&["s"]) };
    assert!(draw(&all, PlotView { color: axes(&["lr"]), selection: few, ..view }).legend.is_empty());

    // The colours of eight elements are used again with another dash.
    let all =
        results(vec![sweep("s", &["lambda"], &[("w", &[10])], vec![cell("gd", &[1.0], &[&[1.0; 10]]), cell("gd", &[2.0], &[&[0.5; 10]])])]);
    let path = draw(&all, plot("p", from(&["s"]), vec![lines(vec![lasts("w", &[10])], Along::Cells(axis("lambda")))]));
    let entries = &path.legend[0].entries;
    assert_eq!((entries.len(), &*entries[9].label), (10, "w[9]"));
    assert_eq!((entries[9].style.color, entries[9].style.dash), (Ink::Series(1), 1));
    assert_eq!(lines_of(&path)[0], [(1.0, 1.0), (2.0, 0.5)]);
}

#[test]
fn bars_and_points_over_names_mark_what_is_no_number() {
    let view = PlotView { color: axes(&["lr", "beta"]), ..plot("p", from(&["race"]), Vec::new()) };
    let mark = |mark| MarkView::Series { mark, ys: vec![last("J")], along: Along::Cells(axis("optimizer")) };
    let bars = draw(&race(), PlotView { marks: vec![mark(SeriesMark::Bars)], ..view.clone() });
    insta::assert_snapshot!(describe(&bars));
    let points = draw(&race(), PlotView { marks: vec![mark(SeriesMark::Points)], ..view });
    assert_eq!(points.panels[0].x.scale, Scale::Categorical);
    let top = points.panels[0].y.range.1;
    assert!(
        points.panels[0]
            .layers
            .iter()
            .any(|layer| matches!(layer, Layer::Mark { at: (3.0, y), kind: MarkKind::Diverged, .. } if *y == top))
    );
}

#[test]
fn heat_maps_hatch_what_diverged_and_keep_its_value_out_of_the_colours() {
    let mut cells = Vec::new();
    for (at, lr) in [0.01, 0.1, 1.0].into_iter().enumerate() {
        for (row, beta) in [0.0, 0.5].into_iter().enumerate() {
            let end = if at == 2 && row == 1 { 1e9 } else { (at + row) as f64 };
            let status = if end > 8.0 { Status::Rising } else { Status::Done };
            cells.push(cell("momentum", &[lr, beta], &[&[8.0, end]]).ended(status));
        }
    }
    cells.remove(1);
    let all = results(vec![sweep("s", &["lr", "beta"], J, cells)]);
    let heat = MarkView::Heatmap { z: last("J"), x: axis("lr"), y: axis("beta") };
    let figure = draw(&all, PlotView { scales: vec![(PlotAxis::X, ScaleKind::Log)], ..plot("p", from(&["s"]), vec![heat]) });
    let Layer::Cells { x_edges, y_edges, values } = &figure.panels[0].layers[0] else { panic!("{figure:?}") };
    let close = |a: f64, b: f64| (a - b).abs() < 1e-11 * b.abs().max(1.0);
    assert!(close(x_edges[1], 0.031622776601683) && close(x_edges[3], 3.162277660168), "{x_edges:?}");
    assert_eq!(*y_edges, [-0.25, 0.25, 0.75]);
    let map = |x| CellInk::Ink(Ink::Map(x));
    assert_eq!(*values, [map(0.0), map(0.5), map(1.0), CellInk::Blank, map(1.0), CellInk::Hatched]);
    assert_eq!(figure.color_bar.as_ref().unwrap().axis.range, (0.0, 2.0));
    insta::assert_snapshot!(describe(&figure));
}

/// `w1^2 + w2^2` over a square.
pub(super) fn bowl() -> Field {
    let mut graph = Graph::new();
    let squares: Vec<_> = ["w1", "w2"]
        .map(|name| graph.input(name, InputKind::Param, Shape::scalar()))
        .into_iter()
        .map(|input| graph.unary(Unary::Square, input))
        .collect();
    let root = graph.binary(Binary::Add, squares[0], squares[1]);
    let vars = vec![(InputId(0), "w1".into(), -2.0, 2.0), (InputId(1), "w2".into(), -2.0, 2.0)];
    Field { text: "bowl".into(), graph: Arc::new(graph), root, vars, fixed: vec![], leaves: vec![], rows: RowCounts::default() }
}

#[test]
fn paths_on_a_contour_are_marked_where_they_leave_it() {
    let path = |w1: &[f64], w2: &[f64]| {
        let losses: Vec<f64> = w1.iter().zip(w2).map(|(a, b)| a * a + b * b).collect();
        cell("gd", &[w1[1]], &[&losses, w1, w2])
    };
    let out = path(&[1.0, 5.0, -9.0], &[0.0, 2.0, 1.0]).ended(Status::Rising);
    let all =
        results(vec![sweep("s", &["lr"], &[("J", &[]), ("w1", &[]), ("w2", &[])], vec![path(&[1.0, 0.5, 0.25], &[1.0, 0.5, 0.25]), out])]);
    let marks = vec![MarkView::Contour { field: bowl() }, MarkView::Path { x: row("w1"), y: row("w2") }];
    let figure = draw(&all, PlotView { color: axes(&["lr"]), ..plot("p", from(&["s"]), marks) });
    let panel = &figure.panels[0];
    assert_eq!((panel.x.range, panel.y.range), ((-2.0, 2.0), (-2.0, 2.0)));
    let marked = |wanted: MarkKind, place: (f64, f64)| {
        panel.layers.iter().any(|l| matches!(l, Layer::Mark { at, kind, .. } if *kind == wanted && *at == place))
    };
    assert!(marked(MarkKind::Start, (1.0, 1.0)) && marked(MarkKind::End, (0.25, 0.25)));
    // From (1, 0) to (5, 2) the right side, x = 2, is reached after a quarter of the way.
    assert!(marked(MarkKind::Diverged, (2.0, 0.5)), "{panel:?}");
    assert!(figure.caption.ends_with("1 path leaves the picture."), "{}", figure.caption);
    // Lines of equal value are circles.
    let mut seen = 0;
    for layer in &panel.layers {
        if let Layer::Isoline { level, lines, .. } = layer {
            for (x, y) in lines.iter().flatten() {
                seen += 1;
                assert!((x * x + y * y - level).abs() < 2e-3 * level.max(0.5), "{level}: {x} {y}");
            }
        }
    }
    assert!(seen > 500);
}

#[test]
fn facets_are_panels_with_the_same_axes() {
    let view = PlotView {
        facet: axes(&["optimizer", "beta"]),
        color: axes(&["lr"]),
        ..plot("p", from(&["race"]), vec![lines(vec![row("J")], Along::Epoch)])
    };
    let figure = draw(&race(), view);
    let titles: Vec<&str> = figure.panels.iter().map(|panel| &*panel.title).collect();
    assert_eq!(titles, ["gd", "momentum(beta = 0.5)", "momentum(beta = 0.9)", "adam"]);
    assert_eq!(figure.columns, 2);
    assert!(figure.panels.iter().all(|panel| panel.x == figure.panels[0].x && panel.y == figure.panels[0].y));
    assert_eq!(figure.legend[0].entries.len(), 2);
}
