//! Tables, figures and expectations made of hand-made results: the numbers are worked out here, the pictures are read as text.

#[path = "report/builder.rs"]
mod builder;
#[path = "report/classes.rs"]
mod classes;
#[path = "report/figures.rs"]
mod figures;

use builder::*;
use optrun::expr::graph::{Graph, InputKind};
use optrun::expr::op::{Binary, InputId, Unary};
use optrun::report::build::build;
use optrun::report::export::{
    check_json, check_text, number_json, runs_csv, sweep_json, table_csv, table_json, table_markdown, table_text, trace_csv,
};
use optrun::report::figure::{CellInk, Figure, Ink, Layer, MarkKind, Scale};
use optrun::report::table::{CellValue, Table};
use optrun::report::text::describe;
use optrun::results::view::*;
use optrun::results::*;
use optrun::shape::{RowCounts, Shape};
use std::sync::Arc;

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;
const RATES: [f64; 12] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5];
const J: &[(&str, &[usize])] = &[("J", &[])];

/// Two rules, two rates; `adam` at the high rate diverges.
fn race() -> Results {
    let cells = vec![
        cell("gd", &[0.1, NAN], &[&[8.0, 4.0, 2.0]]),
        cell("gd", &[0.2, NAN], &[&[8.0, 2.0, 0.5]]),
        cell("momentum(beta = 0.5)", &[0.1, 0.5], &[&[8.0, 3.0, 1.0]]),
        cell("momentum(beta = 0.9)", &[0.1, 0.9], &[&[8.0, 9.0, 12.0]]).ended(Status::Rising),
        cell("adam", &[0.1, NAN], &[&[8.0, 5.0, 0.25]]),
        cell("adam", &[0.2, NAN], &[&[8.0, 1e200, INF]]).ended(Status::Diverged),
    ];
    results(vec![sweep("race", &["lr", "beta"], J, cells)])
}

/// One rule at two rates, three replicates each.
fn replicated() -> Results {
    let mut cells = Vec::new();
    for (lr, ends) in [(0.1, [1.0, 2.0, 3.0]), (0.2, [5.0, 5.0, 5.0])] {
        for (replicate, end) in ends.into_iter().enumerate() {
            let met = f64::from(u8::from(end <= 2.0));
            cells.push(cell("sgd", &[lr], &[&[10.0, end * 2.0, end], &[0.0, 0.0, met]]).replicate(replicate));
        }
    }
    results(vec![sweep("runs", &["lr"], &[("J", &[]), ("J <= 2", &[])], cells)])
}

/// The only table of a view.
fn tabulate(results: &Results, view: TableView) -> (Table, Vec<String>) {
    let report = build(&Views { tables: vec![view], ..views() }, results);
    (report.tables.into_iter().next().expect("a table"), report.warnings)
}

fn draw(results: &Results, view: PlotView) -> Figure {
    build(&Views { plots: vec![view], ..views() }, results).figures.into_iter().next().expect("a figure")
}

fn numbers(table: &Table, column: usize) -> Vec<f64> {
    let number = |row: &Vec<CellValue>| match row[column] {
        CellValue::Number { value, .. } => value,
        ref other => panic!("{other:?} is no number"),
    };
    table.rows.iter().map(number).collect()
}

/// The cells that a selection leaves, by number.
fn selected(results: &Results, selection: Selection) -> Vec<f64> {
    numbers(&tabulate(results, table("cells", selection, &[], &[], vec![axis("cell")])).0, 0)
}

fn with(mut selection: Selection, conditions: Vec<Cond>) -> Selection {
    selection.conditions = conditions;
    selection
}

fn best(axes: &[&str], by: Question, maximize: bool) -> BestView {
    BestView { axes: axes.iter().map(|&axis| axis.into()).collect(), maximize, by }
}

fn csv_of(view: TableView, results: &Results) -> String {
    table_csv(&tabulate(results, view).0)
}

#[test]
fn conditions_compare_numbers_closely_and_texts_exactly() {
    let all = race();
    let cells = |conditions| selected(&all, with(from(&["race"]), conditions));
    assert_eq!(cells(vec![equals("lr", Setting::Number(0.2 * (1.0 + 5e-10)))]), [1.0, 5.0]);
    assert!(cells(vec![equals("lr", Setting::Number(0.2 * (1.0 + 5e-9)))]).is_empty());
    assert_eq!(cells(vec![is("optimizer", "momentum")]), [2.0, 3.0]);
    assert_eq!(cells(vec![is("optimizer", "momentum(beta = 0.9)")]), [3.0]);
    assert_eq!(cells(vec![is("status", "diverged")]), [5.0]);
    assert_eq!(cells(vec![Cond::Not(Box::new(is("optimizer", "gd"))), equals("lr", Setting::Number(0.1))]), [2.0, 3.0, 4.0]);
    let below = expression("lr < 0.15", vec![(Leaf::Axis("lr".into()), &[])], |graph, leaves| {
        let limit = graph.number(0.15);
        graph.binary(Binary::Lt, leaves[0], limit)
    });
    let adam = Box::new(is("optimizer", "adam"));
    assert_eq!(cells(vec![Cond::Or(Box::new(Cond::Question(below)), adam)]), [0.0, 2.0, 3.0, 4.0, 5.0]);
}

#[test]
fn best_takes_each_combination_of_the_others_and_no_cell_that_diverged() {
    let all = race();
    let choose = |best| selected(&all, Selection { best: Some(best), ..from(&["race"]) });
    // For each rule and beta; of adam only the rate that did not diverge can win.
    assert_eq!(choose(best(&["lr"], last("J"), false)), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(choose(best(&["lr"], last("J"), true)), [0.0, 2.0, 3.0, 4.0]);
    assert_eq!(choose(best(&["lr", "beta"], last("J"), false)), [1.0, 2.0, 4.0]);
    assert_eq!(choose(best(&[], last("J"), false)), [4.0]);
    // The whole optimizer for each rate: what belongs to it alone goes with it.
    assert_eq!(choose(best(&["optimizer"], last("J"), false)), [1.0, 4.0]);
}

#[test]
fn best_averages_replicates_takes_the_first_of_equals_and_never_nan() {
    let cells = [[3.0, 5.0], [4.0, 4.0], [NAN, 0.0], [9.0, 9.0]];
    let cells = cells.iter().enumerate().flat_map(|(at, ends)| {
        ends.iter().enumerate().map(move |(replicate, &end)| cell("gd", &[at as f64], &[&[end]]).replicate(replicate))
    });
    let all = results(vec![sweep("s", &["lr"], J, cells.collect())]);
    let found = selected(&all, Selection { best: Some(best(&["lr"], last("J"), false)), ..from(&["s"]) });
    assert_eq!(found, [0.0, 1.0]);
}

#[test]
fn questions_reach_other_cells() {
    let all = race();
    let show = |question: Question, conditions| {
        let selection = with(from(&["race"]), conditions);
        numbers(&tabulate(&all, table("t", selection, &[], &[], vec![axis("cell"), Key::Question(question)])).0, 1)
    };
    // The same rate under adam; where rates are equal to one each, one serves all.
    let narrow =
        |conditions| Leaf::Fold { fold: FoldKind::Final, quantity: "J".into(), narrow: Some(Box::new(with(from(&["race"]), conditions))) };
    let ratio = expression(
        "J/final(J, optimizer == gd)",
        vec![(fold(FoldKind::Final, "J"), &[]), (narrow(vec![is("optimizer", "gd")]), &[])],
        |g, l| g.binary(Binary::Div, l[0], l[1]),
    );
    assert_eq!(show(ratio, vec![]), [1.0, 1.0, 0.5, 6.0, 0.125, INF]);
    let one = leaf("x", narrow(vec![is("optimizer", "gd"), equals("lr", Setting::Number(0.1))]));
    assert_eq!(show(one, vec![]), [2.0; 6]);
    // An axis that is aggregated is aggregated whole, whatever is selected on it.
    let over = |over| leaf("m", Leaf::Aggregate { kind: Aggregate::Min, of: Box::new(last("J")), over });
    assert_eq!(show(over(Over::Axes(vec!["lr".into()])), vec![equals("lr", Setting::Number(0.1))]), [0.5, 1.0, 12.0, 0.25]);
    assert_eq!(show(over(Over::All), vec![is("optimizer", "gd")]), [0.5, 0.5]);
    let gap = leaf("gap(J)", Leaf::Gap { of: Box::new(last("J")), within: vec!["lr".into()] });
    assert_eq!(show(gap, vec![is("optimizer", "gd")]), [1.75, 0.0]);
    let so_far = leaf("best_so_far(J)", Leaf::BestSoFar { of: Box::new(last("J")) });
    assert_eq!(show(so_far, vec![]), [2.0, 0.5, 0.5, 0.5, 0.25, 0.25]);
}

#[test]
fn a_match_that_is_missing_or_ambiguous_is_nan_and_said() {
    let all = race();
    let narrow = Leaf::Fold {
        fold: FoldKind::Final,
        quantity: "J".into(),
        narrow: Some(Box::new(with(from(&["race"]), vec![is("optimizer", "momentum")]))),
    };
    let view = table("t", with(from(&["race"]), vec![is("optimizer", "gd")]), &["lr"], &[], vec![Key::Question(leaf("x", narrow))]);
    let (table, warnings) = tabulate(&all, view);
    assert!(numbers(&table, 1).iter().all(|x| x.is_nan()));
    assert!(warnings.iter().any(|text| text == "`x`: several cells elsewhere match cell 0 (gd, lr = 0.1)"), "{warnings:?}");
}

#[test]
fn rows_of_a_run_are_evaluated_alike_in_all_ways() {
    let all = results(vec![sweep(
        "s",
        &[],
        &[("J", &[]), ("w", &[2])],
        vec![cell("gd", &[], &[&[8.0, 4.0, 2.0], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])],
    )]);
    let traced = |question: Question| csv_of(table("t", from(&["s"]), &["step"], &[], vec![Key::Question(question)]), &all);
    // Elementwise: all rows at once. 2^3, 2^2, 2^1.
    let log = expression("log2(J)", vec![(Leaf::Row { quantity: "J".into() }, &[])], |g, l| g.unary(Unary::Log2, l[0]));
    assert_eq!(traced(log), "step,log2(J)\r\n0,3\r\n1,2\r\n2,1\r\n");
    // Reductions: row by row.
    let sum =
        expression("sum(w)*J", vec![(Leaf::Row { quantity: "w".into() }, &[2]), (Leaf::Row { quantity: "J".into() }, &[])], |g, l| {
            let sum = g.sum_all(l[0]);
            g.binary(Binary::Mul, sum, l[1])
        });
    assert_eq!(traced(sum), "step,sum(w)*J\r\n0,24\r\n1,28\r\n2,22\r\n");
    assert_eq!(traced(rows("w", &[2])), "step,w[0],w[1]\r\n0,1,2\r\n1,3,4\r\n2,5,6\r\n");
    let gap = leaf("gap(J)", Leaf::Gap { of: Box::new(row("J")), within: vec![] });
    assert_eq!(traced(gap), "step,gap(J)\r\n0,6\r\n1,2\r\n2,0\r\n");
}

#[test]
fn tables_average_over_replicates_unless_they_name_them() {
    let all = replicated();
    let steps = leaf("steps_to(J <= 2)", fold(FoldKind::StepsTo, "J <= 2"));
    let show = vec![Key::Question(last("J")), Key::Question(steps)];
    let (found, _) = tabulate(&all, table("t", from(&["runs"]), &["lr"], &[], show));
    // Student's quantile for two degrees of freedom over the root of three.
    let CellValue::Estimate { mean, half_width, .. } = found.rows[0][1] else { panic!("{found:?}") };
    assert!((mean - 2.0).abs() < 1e-15 && (half_width - 4.302652729749464 / 3f64.sqrt()).abs() < 1e-14, "{mean} {half_width}");
    assert_eq!(found.rows[1][1], CellValue::Number { value: 5.0, mark: None });
    assert_eq!(found.rows[0][2], CellValue::Never { missed: 1, of: 3 });
    assert_eq!(found.rows[1][2], CellValue::Never { missed: 3, of: 3 });
    insta::assert_snapshot!(table_text(&found, None));
    insta::assert_snapshot!(table_csv(&found));

    let (named, _) = tabulate(&all, table("t", from(&["runs"]), &["lr", "replicate"], &[], vec![Key::Question(last("J"))]));
    assert_eq!(numbers(&named, 2), [1.0, 2.0, 3.0, 5.0, 5.0, 5.0]);
    let mean = leaf(
        "mean(J over replicate)",
        Leaf::Aggregate { kind: Aggregate::Mean, of: Box::new(last("J")), over: Over::Axes(vec!["replicate".into()]) },
    );
    let (whole, _) =
        tabulate(&all, table("t", from(&["runs"]), &["lr"], &[], vec![Key::Question(mean), Key::Question(leaf("cells()", Leaf::Cells))]));
    assert_eq!((numbers(&whole, 1), numbers(&whole, 2)), (vec![2.0, 5.0], vec![3.0, 3.0]));
}

#[test]
fn a_table_of_rules_marks_what_did_not_go_down() {
    let all = race();
    let mut view = table("race", from(&["race"]), &["optimizer", "lr"], &[], vec![Key::Question(last("J"))]);
    view.caption = "How it | ended".into();
    let (found, warnings) = tabulate(&all, view.clone());
    assert!(warnings.is_empty(), "{warnings:?}");
    insta::assert_snapshot!(table_text(&found, None));
    insta::assert_snapshot!(table_markdown(&found));
    view.show.push((axis("status"), None));
    view.sort = Some(last("J"));
    view.format = Some("%.3f".into());
    let (sorted, _) = tabulate(&all, view);
    insta::assert_snapshot!(table_text(&sorted, None));
    assert_eq!(table_json(&sorted)["rows"][5], serde_json::json!(["adam", 0.2, "inf", "diverged at step 2"]));
}

#[test]
fn columns_group_and_wide_tables_stand_below_one_another() {
    let all = race();
    let view = table("trace", from(&["race"]), &["step"], &["optimizer", "lr", "beta"], vec![Key::Question(row("J"))]);
    let (found, _) = tabulate(&all, view);
    assert_eq!(found.columns[3].heading(), "momentum(beta = 0.5), lr = 0.1: J");
    let text = table_text(&found, Some(60));
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    insta::assert_snapshot!(text);
    // A missing axis makes rows rather than a mean nobody asked for.
    let (missing, warnings) = tabulate(&all, table("t", from(&["race"]), &["optimizer"], &[], vec![Key::Question(last("J"))]));
    assert_eq!(missing.rows.len(), 6);
    assert_eq!(warnings, ["table `t`: `lr` varies and is not named; there is a row for each value"]);
}

#[test]
fn long_tables_are_cut_on_the_terminal_only() {
    let losses: Vec<f64> = (0..=1000).map(f64::from).collect();
    let all = results(vec![sweep("s", &[], J, vec![cell("gd", &[], &[&losses])])]);
    let (found, _) = tabulate(&all, table("t", from(&["s"]), &["step"], &[], vec![Key::Question(row("J"))]));
    assert!(table_text(&found, None).contains("961 rows are not shown here"));
    assert_eq!(table_csv(&found).lines().count(), 1002);
}

#[test]
fn names_cannot_inject() {
    let evil = "=cmd()\u{1b}[31m\u{202e}|<b>\"x\",";
    let run = || cell("gd", &[], &[&[1.0, 0.5]]);
    let mut all = results(vec![sweep("s", &["c"], J, vec![Cell { settings: vec![Setting::Text(evil.into())], ..run() }])]);
    all.sweeps[0].parts[0].endings[0].reason = Some("@evil".into());
    let (found, _) = tabulate(&all, table("t", from(&["s"]), &[], &[], vec![axis("c"), axis("reason"), Key::Question(last("J"))]));
    let mut runs = Vec::new();
    runs_csv(&all, &mut runs).unwrap();
    let runs = String::from_utf8(runs).unwrap();
    for text in [
        table_csv(&found),
        table_text(&found, None),
        table_markdown(&found),
        table_json(&found).to_string(),
        sweep_json(&all.sweeps[0]).to_string(),
        runs.clone(),
    ] {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
    let field = r#""'=cmd()\u{1b}[31m\u{202e}|<b>""x"",""#;
    assert_eq!(table_csv(&found), format!("c,reason,J\r\n{field},'@evil,0.5\r\n"));
    assert!(runs.contains(field), "{runs}");
    assert!(table_markdown(&found).contains(r#"\|&lt;b&gt;"x","#));
}

#[test]
fn all_runs_and_rows_are_written_exactly() {
    let all = results(vec![
        sweep("a", &["lr"], &[("J", &[]), ("w", &[2])], vec![cell("gd", &[0.1], &[&[0.1 + 0.2, 1e-300], &[1.0, 2.0, 3.0, NAN]])]),
        sweep("b", &["beta"], J, vec![cell("adam", &[0.9], &[&[2.0, -0.0]]).replicate(1)]),
    ]);
    let mut runs = Vec::new();
    runs_csv(&all, &mut runs).unwrap();
    insta::assert_snapshot!(String::from_utf8(runs).unwrap());
    let mut trace = Vec::new();
    trace_csv(&all.sweeps[0], &mut trace).unwrap();
    assert_eq!(String::from_utf8(trace).unwrap(), "cell,step,epoch,J,w[0],w[1]\r\n0,0,0,0.30000000000000004,1,2\r\n0,1,1,1e-300,3,nan\r\n");
    let json = sweep_json(&all.sweeps[0]);
    assert_eq!(json["cells"][0]["final"], serde_json::json!({ "J": 1e-300, "w": [3, "nan"] }));
    for (x, text) in [(2.0, "2"), (0.1, "0.1"), (-0.0, "-0.0"), (-INF, "\"-inf\""), (1e300, "1e+300"), (1e15, "1000000000000000")] {
        assert_eq!(number_json(x).to_string(), text);
        let back = number_json(x);
        assert!(x.is_infinite() || back.as_f64().unwrap().to_bits() == x.to_bits());
    }
}

fn judged(results: &Results, view: ExpectView) -> optrun::report::expect::CheckResult {
    build(&Views { expects: vec![view], ..views() }, results).checks.into_iter().next().expect("a check")
}

#[test]
fn expectations_hold_in_every_cell_or_name_the_worst() {
    let all = race();
    let near = |value: f64, tolerance: f64, percent: bool, conditions| ExpectView {
        tolerance: Some((number(tolerance), percent)),
        ..expect("J == 1", with(from(&["race"]), conditions), last("J"), Comparison::Eq, number(value))
    };
    let gd = || vec![is("optimizer", "gd")];
    assert!(judged(&all, near(1.25, 0.75, false, gd())).passed);
    assert!(judged(&all, near(1.25, 60.0, true, gd())).passed);
    let failed = judged(&all, near(1.25, 59.9, true, gd()));
    assert_eq!(failed.message, "J is 2 in cell 0 (gd, lr = 0.1), expected 1.25 +- 59.9% (1 more of 2 cells fail)");
    let failed = judged(&all, near(-0.39, 1e-6, false, vec![is("optimizer", "adam")]));
    assert_eq!(
        failed.message,
        "J is inf in cell 5 (adam, lr = 0.2), expected -0.39 +- 1e-6; the run diverged at step 2 (1 more of 2 cells fail)"
    );
    assert_eq!(check_json(&failed)["got"], "inf");
    let none = judged(&all, near(1.0, 1.0, false, vec![is("optimizer", "newton")]));
    assert!(!none.passed && none.message.starts_with("no cell is selected"), "{}", none.message);
    let equal = judged(
        &all,
        expect(
            "J == 0.3",
            with(from(&["race"]), vec![equals("cell", Setting::Number(1.0))]),
            number(0.1 + 0.2),
            Comparison::Eq,
            number(0.3),
        ),
    );
    assert!(equal.message.contains("is 0.30000000000000004 in") && equal.message.contains("expected 0.3"), "{}", equal.message);
    for (op, holds) in [
        (Comparison::Lt, false),
        (Comparison::Le, true),
        (Comparison::Gt, false),
        (Comparison::Ge, true),
        (Comparison::Eq, true),
        (Comparison::Ne, false),
    ] {
        let view = expect("J", with(from(&["race"]), vec![equals("cell", Setting::Number(1.0))]), last("J"), op, number(0.5));
        assert_eq!(judged(&all, view).passed, holds, "{op:?}");
    }
    let cells = expect("cells() == 6", from(&["race"]), leaf("cells()", Leaf::Cells), Comparison::Eq, number(6.0));
    assert!(judged(&all, cells).passed);
}

#[test]
fn nan_never_passes() {
    let all = results(vec![sweep("s", &[], J, vec![cell("gd", &[], &[&[NAN]])])]);
    for op in [Comparison::Lt, Comparison::Le, Comparison::Gt, Comparison::Ge, Comparison::Eq, Comparison::Ne] {
        assert!(!judged(&all, expect("J", from(&["s"]), last("J"), op, number(1.0))).passed, "{op:?}");
    }
}

#[test]
fn statuses_can_be_expected_and_hidden_checks_show_no_number() {
    let all = race();
    let status = |status, negated, conditions| ExpectView {
        status: Some((status, negated)),
        ..expect("status", with(from(&["race"]), conditions), number(0.0), Comparison::Eq, number(0.0))
    };
    assert!(judged(&all, status(Status::Done, false, vec![is("optimizer", "gd")])).passed);
    assert!(judged(&all, status(Status::Done, true, vec![is("optimizer", "momentum(beta = 0.9)")])).passed);
    let failed = judged(&all, status(Status::Done, false, vec![is("optimizer", "adam")]));
    assert_eq!(failed.message, "status is diverged at step 2 (J was inf) in cell 5 (adam, lr = 0.2), expected done");
    let hidden = ExpectView {
        hidden: true,
        hint: Some("try rates over several powers of ten".into()),
        points: Some(2.0),
        ..expect("J <= 0.123", from(&["race"]), last("J"), Comparison::Le, number(0.123))
    };
    let hidden = judged(&all, hidden);
    assert_eq!((hidden.got.clone(), &*hidden.message), (None, "try rates over several powers of ten"));
    insta::assert_snapshot!(format!("{}\n{}", check_text(&hidden), check_json(&hidden)));
}

#[test]
fn what_is_missing_is_said_and_nothing_panics() {
    let all = race();
    let empty = || with(from(&["race"]), vec![is("optimizer", "newton")]);
    let marks = vec![
        lines(vec![row("J"), row("unknown")], Along::Step),
        lines(vec![last("unknown")], Along::Cells(axis("unknown"))),
        MarkView::Heatmap { z: last("J"), x: axis("lr"), y: axis("optimizer") },
        MarkView::Contour { field: figures::bowl() },
        MarkView::Path { x: row("J"), y: row("unknown") },
    ];
    for selection in [empty(), from(&["race"]), from(&["nowhere"]), from(&[])] {
        for mark in &marks {
            for scale in [ScaleKind::Linear, ScaleKind::Log, ScaleKind::Categorical] {
                let scales = vec![(PlotAxis::X, scale), (PlotAxis::Y, scale), (PlotAxis::Color, scale)];
                let figure = draw(&all, PlotView { scales, color: axes(&["lr"]), ..plot("p", selection.clone(), vec![mark.clone()]) });
                assert!(!describe(&figure).is_empty());
            }
        }
        let (found, _) = tabulate(&all, table("t", selection, &["epoch"], &["lr"], vec![Key::Question(row("unknown")), axis("status")]));
        assert!(!table_text(&found, Some(40)).is_empty());
        assert!(table_csv(&found).starts_with("epoch"));
    }
    let (_, warnings) = tabulate(&all, table("t", from(&["nowhere"]), &[], &[], vec![Key::Question(last("J"))]));
    assert_eq!(warnings, ["there are no results of the sweep `nowhere`"]);
}
