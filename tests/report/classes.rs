//! Classes, matrices, images, histograms, profiles, and questions about rows that need other cells, made of hand-made results.

use super::*;

const TRUE: [f64; 30] = [
    3.0, 0.0, 1.0, 2.0, 3.0, 3.0, 3.0, 3.0, 0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0, 2.0, 2.0, 0.0, 3.0, 2.0, 0.0, 0.0, 3.0, 3.0, 0.0, 0.0, 3.0,
    3.0, 2.0, 2.0,
];
const TAKEN: [f64; 30] = [
    1.0, 0.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 0.0, 2.0, 2.0, 2.0, 0.0, 1.0, 2.0, 2.0, 2.0, 0.0, 2.0, 2.0, 4.0, 4.0, 2.0, 2.0, 0.0, 0.0, 2.0,
    2.0, 2.0, 2.0,
];

fn judged(classes: &[&str]) -> Judged {
    let classes = classes.iter().map(|&name| name.into()).collect();
    Judged { predicted: lasts("taken", &[30]), actual: lasts("y", &[30]), classes }
}

fn guesses(cells: Vec<Cell>) -> Results {
    results(vec![sweep("s", &["lr"], &[("taken", &[30]), ("y", &[30])], cells)])
}

fn tabled(all: &Results, kind: ClassTable, judged: Judged, rows: &[&str]) -> (Table, Vec<String>) {
    tabulate(all, TableView { classes: Some((kind, judged)), ..table("t", from(&["s"]), rows, &[], Vec::new()) })
}

#[test]
fn a_report_is_that_of_scikit_learn() {
    let all = guesses(vec![cell("gd", &[0.1], &[&TAKEN, &TRUE])]);
    let (table, warnings) = tabled(&all, ClassTable::Report, judged(&[]), &[]);
    assert!(warnings.is_empty(), "{warnings:?}");
    // scikit-learn 1.9, classification_report(y, p, output_dict = True, zero_division = 0): class 3 is never taken, class 4 never true.
    let expected: [(&str, [f64; 4]); 8] = [
        ("0", [1.0, 0.75, 0.8571428571428571, 8.0]),
        ("1", [0.5, 0.6666666666666666, 0.5714285714285714, 3.0]),
        ("2", [0.3888888888888889, 0.875, 0.5384615384615384, 8.0]),
        ("3", [0.0, 0.0, 0.0, 11.0]),
        ("4", [0.0, 0.0, 0.0, 0.0]),
        ("accuracy", [NAN, NAN, 0.5, 30.0]),
        ("macro avg", [0.37777777777777777, 0.4583333333333333, 0.39340659340659334, 30.0]),
        ("weighted avg", [0.42037037037037034, 0.5, 0.42930402930402933, 30.0]),
    ];
    assert_eq!(table.rows.len(), expected.len());
    for (row, (name, numbers)) in table.rows.iter().zip(expected) {
        assert_eq!(row[0], CellValue::Text(name.into()));
        for (cell, want) in row[1..].iter().zip(numbers) {
            match cell {
                CellValue::Blank => assert!(want.is_nan(), "{name}"),
                CellValue::Number { value, .. } => assert!((value - want).abs() < 1e-15, "{name}: {value} instead of {want}"),
                other => panic!("{other:?}"),
            }
        }
    }
    insta::assert_snapshot!(table_text(&table, None));
}

#[test]
fn classes_have_the_names_that_are_given_where_these_fit() {
    let all = guesses(vec![cell("gd", &[0.1], &[&TAKEN, &TRUE])]);
    let names = |classes: &[&str]| {
        let (table, warnings) = tabled(&all, ClassTable::Confusion, judged(classes), &[]);
        (table.columns[1..].iter().map(|column| column.title.clone()).collect::<Vec<_>>(), warnings)
    };
    assert_eq!(names(&["a", "b", "c", "d", "e"]).0, ["a", "b", "c", "d", "e"]);
    // A class that neither occurs nor is taken has its place.
    assert_eq!(names(&["a", "b", "c", "d", "e", "f"]).0.len(), 6);
    let (few, warnings) = names(&["a", "b"]);
    assert_eq!(few, ["0", "1", "2", "3", "4"]);
    assert_eq!(warnings, ["`y` has 5 classes, and 2 names are given"]);
    // Minus one and one, in their order.
    let sign = |x: &f64| if *x > 1.0 { 1.0 } else { -1.0 };
    let (taken, y): (Vec<f64>, Vec<f64>) = (TAKEN.iter().map(sign).collect(), TRUE.iter().map(sign).collect());
    let signs = guesses(vec![cell("gd", &[0.1], &[&taken, &y])]);
    let (table, _) = tabled(&signs, ClassTable::Confusion, judged(&["below", "above"]), &[]);
    assert_eq!(table.rows[1][0], CellValue::Text("above".into()));
    assert_eq!(table.rows[1][2], CellValue::Number { value: 17.0, mark: None });
}

#[test]
fn replicates_are_averaged_and_rules_have_rows_of_their_own() {
    let mut other = TAKEN;
    (other[0], other[1]) = (3.0, 4.0);
    let cells = vec![
        cell("gd", &[0.1], &[&TAKEN, &TRUE]),
        cell("gd", &[0.1], &[&other, &TRUE]).replicate(1),
        cell("adam", &[0.1], &[&TRUE, &TRUE]),
        cell("adam", &[0.1], &[&TRUE, &TRUE]).replicate(1),
    ];
    let all = guesses(cells);
    let (table, _) = tabled(&all, ClassTable::Confusion, judged(&[]), &["optimizer"]);
    assert_eq!((table.columns.len(), table.rows.len()), (7, 10));
    // Class 0 was found 6 times and 5 times: the half width is t(1, 0.975)/sqrt(2)*sqrt(1/2).
    assert_eq!(table.rows[0][..2], [CellValue::Text("gd".into()), CellValue::Text("0".into())]);
    let CellValue::Estimate { mean, half_width, .. } = table.rows[0][2] else { panic!("{:?}", table.rows[0][2]) };
    assert!(mean == 5.5 && (half_width - 12.706204736174705 / 2.0).abs() < 1e-12);
    assert_eq!(table.notes, ["m ± h: mean over replicates and half its 95 % t interval"]);

    let view =
        PlotView { facet: axes(&["optimizer"]), ..plot("p", from(&["s"]), vec![MarkView::Confusion(judged(&["a", "b", "c", "d", "e"]))]) };
    let figure = draw(&all, view);
    let Layer::Labels { texts } = &figure.panels[0].layers[1] else { panic!("{:?}", figure.panels[0].layers) };
    // The first class stands at the top left.
    let (at, text, ink) = &texts[20];
    assert_eq!((*at, text.as_str(), *ink), ((0.0, 4.0), "5.5", Ink::Tint(5.5 / 8.0)));
    insta::assert_snapshot!(describe(&figure));
}

#[test]
fn the_first_row_of_a_matrix_is_at_the_top_and_zero_is_white() {
    let matrix = [-1.0, 0.0, 0.5, 2.0, 1.0, -2.0];
    let all = results(vec![sweep("s", &[], &[("M", &[2, 3])], vec![cell("gd", &[], &[&matrix])])]);
    let figure = draw(&all, plot("p", from(&["s"]), vec![MarkView::Matrix { z: lasts("M", &[2, 3]) }]));
    let Layer::Cells { values, y_edges, .. } = &figure.panels[0].layers[0] else { panic!("no cells") };
    let inks: Vec<CellInk> = [1.0, 0.75, 0.0, 0.25, 0.5, 0.625].map(|x| CellInk::Ink(Ink::Signed(x))).to_vec();
    assert_eq!((values, y_edges.as_slice()), (&inks, &[-0.5, 0.5, 1.5][..]));
    let ticks: Vec<(f64, &str)> = figure.panels[0].y.ticks.iter().map(|t| (t.at, t.label.as_str())).collect();
    assert_eq!(ticks, [(0.0, "1"), (1.0, "0")]);
    assert_eq!(figure.color_bar.expect("a bar").axis.range, (-2.0, 2.0));
}

#[test]
fn rows_or_columns_of_a_matrix_are_pictures() {
    // Two rows of six, and the same as two columns.
    let rows: Vec<f64> = (0..12).map(f64::from).collect();
    let columns: Vec<f64> = (0..12).map(|i| f64::from(i % 2 * 6 + i / 2)).collect();
    let all = results(vec![sweep("s", &[], &[("R", &[2, 6]), ("C", &[6, 2])], vec![cell("gd", &[], &[&rows, &columns])])]);
    let of = |name: &str, sizes: &[usize]| {
        draw(&all, plot("p", from(&["s"]), vec![MarkView::Image { value: lasts(name, sizes), height: 2, width: 3 }]))
    };
    let (one, two) = (of("R", &[2, 6]), of("C", &[6, 2]));
    assert_eq!(one.panels, two.panels);
    assert_eq!((one.panels.len(), one.columns, one.aspect), (2, 2, Some(2.0 / 3.0)));
    assert_eq!(one.panels[1].title, "1");
    let Layer::Cells { values, .. } = &one.panels[1].layers[0] else { panic!("no cells") };
    // The lower row first: pixels 9, 10, 11 of all from 0 to 11.
    assert_eq!(values[0], CellInk::Ink(Ink::Map(9.0 / 11.0)));
    assert_eq!(values[3], CellInk::Ink(Ink::Map(6.0 / 11.0)));
}

#[test]
fn a_number_over_cells_has_a_histogram_that_says_what_is_left_out() {
    let cells = [1.0, 2.0, 2.0, 3.0, INF].map(|end| cell("gd", &[end], &[&[9.0, end]])).into_iter().collect();
    let all = results(vec![sweep("s", &["lr"], J, cells)]);
    let figure = draw(&all, plot("p", from(&["s"]), vec![MarkView::Histogram { of: last("J") }]));
    assert_eq!(figure.caption, "1 of 5 values are not finite numbers and left out.");
    let Layer::Bars { points, .. } = &figure.panels[0].layers[0] else { panic!("no bars") };
    assert_eq!(points, &[(1.0, 1.0), (2.0, 2.0), (3.0, 1.0)]);
}

#[test]
fn a_profile_compares_solvers_problem_by_problem() {
    // Three problems (lr); the second solver never solves the last.
    let times = [("a", [3.0, 4.0, 8.0]), ("b", [3.0, 2.0, INF])];
    let cells =
        times.iter().flat_map(|(name, times)| times.iter().zip([0.1, 0.2, 0.3]).map(move |(&time, lr)| cell(name, &[lr], &[&[9.0, time]])));
    let all = results(vec![sweep("s", &["lr"], J, cells.collect())]);
    let figure = draw(&all, plot("p", from(&["s"]), vec![MarkView::Profile { of: last("J"), solver: "optimizer".into() }]));
    let lines: Vec<&Vec<(f64, f64)>> = figure.panels[0]
        .layers
        .iter()
        .map(|layer| if let Layer::Line { points, .. } = layer { points } else { panic!("{layer:?}") })
        .collect();
    let (third, two_thirds) = (1.0 / 3.0, 2.0 / 3.0);
    assert_eq!(*lines[0], [(1.0, two_thirds), (2.0, two_thirds), (2.0, 1.0), (2.3, 1.0)]);
    assert_eq!(*lines[1], [(1.0, two_thirds), (2.3, two_thirds)]);
    assert!(third < two_thirds && figure.caption.starts_with("Performance profile over 3 problems"), "{}", figure.caption);
    let labels: Vec<&str> = figure.legend[0].entries.iter().map(|entry| entry.label.as_str()).collect();
    assert_eq!(labels, ["a", "b"]);
}

#[test]
fn rows_that_need_other_cells_are_folded_after_the_runs() {
    let cells = vec![cell("gd", &[0.1], &[&[8.0, 4.0, 2.0, 3.0]]), cell("gd", &[0.2], &[&[8.0, 3.0, 1.0, 1.5]])];
    let all = results(vec![sweep("s", &["lr"], J, cells)]);
    // The lowest of all is 1.
    let gap = || leaf("gap(J)", Leaf::Gap { of: Box::new(row("J")), within: Vec::new() });
    let near = expression("gap(J) <= 2", vec![(Leaf::Gap { of: Box::new(row("J")), within: Vec::new() }, &[])], |graph, inputs| {
        let two = graph.number(2.0);
        graph.binary(Binary::Le, inputs[0], two)
    });
    let folded = |fold: FoldKind, of: Question| Key::Question(leaf("q", Leaf::Folded { fold, of: Box::new(of) }));
    let show = vec![
        folded(FoldKind::StepsTo, near.clone()),
        folded(FoldKind::Count, near),
        folded(FoldKind::Lowest, gap()),
        folded(FoldKind::Highest, gap()),
        folded(FoldKind::SinceLowest, gap()),
        folded(FoldKind::Final, gap()),
        folded(FoldKind::Start, gap()),
        folded(FoldKind::Previous, gap()),
        folded(FoldKind::Average(2), gap()),
        folded(FoldKind::AtStep(1), gap()),
        folded(FoldKind::AtStep(9), gap()),
    ];
    let (table, _) = tabulate(&all, table("t", from(&["s"]), &["lr"], &[], show));
    let numbers = |row: usize| -> Vec<f64> {
        let number = |cell: &CellValue| if let CellValue::Number { value, .. } = cell { *value } else { panic!("{cell:?}") };
        table.rows[row][1..].iter().map(number).collect()
    };
    assert_eq!(numbers(0)[..10], [2.0, 2.0, 1.0, 7.0, 1.0, 2.0, 7.0, 1.0, 1.5, 3.0]);
    assert_eq!(numbers(1)[..10], [1.0, 3.0, 0.0, 7.0, 1.0, 0.5, 7.0, 0.0, 0.25, 2.0]);
    assert!(numbers(0)[10].is_nan());
}

#[test]
fn elements_stand_over_elements_and_data_stand_there_once() {
    let fits = [[1.0, 2.0, 3.0], [1.5, 2.5, 3.5]];
    let cells = fits.iter().zip([0.1, 0.2]).map(|(fit, lr)| cell("gd", &[lr], &[&[3.0, 1.0, 2.0], &[6.0, 2.0, 4.0], fit]));
    let all = results(vec![sweep("s", &["lr"], &[("x", &[3]), ("y", &[3]), ("fit", &[3])], cells.collect())]);
    let over = || Along::Elements(lasts("x", &[3]));
    let points = MarkView::Series { mark: SeriesMark::Points, ys: vec![lasts("y", &[3])], along: over() };
    let figure =
        draw(&all, PlotView { color: axes(&["lr"]), ..plot("p", from(&["s"]), vec![points, lines(vec![lasts("fit", &[3])], over())]) });
    let layers = &figure.panels[0].layers;
    let Layer::Points { points, style } = &layers[0] else { panic!("{layers:?}") };
    assert_eq!((points.as_slice(), style.color), (&[(3.0, 6.0), (1.0, 2.0), (2.0, 4.0)][..], Ink::Black));
    let lines: Vec<(&Vec<(f64, f64)>, Ink)> = layers
        .iter()
        .filter_map(|layer| if let Layer::Line { points, style, .. } = layer { Some((points, style.color)) } else { None })
        .collect();
    // Lines go from left to right.
    assert_eq!(lines[0], (&vec![(1.0, 2.0), (2.0, 3.0), (3.0, 1.0)], Ink::Series(0)));
    assert_eq!((lines.len(), lines[1].1), (2, Ink::Series(1)));
}
