//! Seed 003: three formulas that were asked about, with the gradient in every entry: a loss nobody had derived, one column of a
//! matrix, and squared distances.
//!
//! The specs are the gallery's, with a record of what their tables leave out.

use serde_json::Value;

use super::support::*;

/// Values and analytic gradients are sums of a few hundred terms.
const VALUES: Tolerance = within(1e-10, 1e-12);

fn seed(part: &str) -> Value {
    expected("003_formulas.json")[part].clone()
}

/// The trace of a sweep of a spec of the gallery that also records these quantities.
fn trace(name: &str, sweep: &str, record: &str) -> Columns {
    let text = gallery(name);
    let head = format!("sweep {sweep} {{");
    assert_eq!(text.matches(&head).count(), 1, "{name} has no sweep `{sweep}`");
    Columns::of(&run_text(&text.replace(&head, &format!("{head} record {record} each step;"))), &format!("{sweep}.trace.csv"))
}

#[test]
fn a_loss_without_a_gradient_by_hand() {
    let (seed, at_zero) = (seed("matrix_loss"), seed("matrix_loss_zero_row"));
    let trace = trace("any_loss.opt", "descent", "F, slope, B, G");
    let mut judge = Judge::default();
    judge.all("gradient", &trace.matrix("slope", 0), &numbers(&seed["gradient_wrt_B"]), VALUES);
    judge.all("losses", &trace.numbers("F"), &numbers(&seed["gradient_descent"]["loss"]), VALUES);
    judge.all("B at the end", &trace.matrix("B", 200), &numbers(&seed["gradient_descent"]["B_final"]), VALUES);
    judge.see("with a row of zeros", trace.numbers("G")[0], numbers(&at_zero["value"])[0], VALUES);
    judge.verdict(36 + 201 + 36 + 1);
}

#[test]
fn one_column_of_a_matrix() {
    let seed = seed("tf_column_gradient");
    let trace = trace("columns.opt", "look", "by_slice, by_name, whole, rows_of_f");
    let mut judge = Judge::default();
    judge.all("values", &trace.vector("rows_of_f", 0), &numbers(&seed["f"]), VALUES);
    judge.all("by slice", &trace.vector("by_slice", 0), &numbers(&seed["df_dW"]), VALUES);
    judge.all("by name", &trace.vector("by_name", 0), &numbers(&seed["df_dW"]), VALUES);
    judge.all("whole", &trace.matrix("whole", 0), &numbers(&seed["grad_wrt_X"]), VALUES);
    judge.verdict(3 * 4 + 12);
}

#[test]
fn squared_distances() {
    let seed = seed("euclidean_square");
    let trace = trace("distances.opt", "far", "distance, expanded, slope");
    let mut judge = Judge::default();
    // Relative, so that the distance of two points that are 2e-9 apart is judged, too.
    judge.all("distances", &trace.matrix("distance", 0), &numbers(&seed["sqdist"]), within(1e-14, 0.0));
    judge.all("expanded", &trace.matrix("expanded", 0), &numbers(&seed["expanded_form_x2_plus_y2_minus_2xy"]), within(0.0, 4e-15));
    judge.all("kernel", &trace.matrix("slope", 0), &numbers(&seed["gaussian_kernel_sum_grad_a"]), VALUES);
    judge.verdict(20 + 20 + 15);
}
