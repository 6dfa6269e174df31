//! Why a run diverged: its last step is evaluated once more by the slow evaluator, which can name the place.
//!
//! It changes no numbers.

use ndarray::Axis;

use crate::expr::eval::{Tensor, evaluate_all};
use crate::expr::op::InputId;
use crate::expr::print::infix;
use crate::plan::unit::Unit;
use crate::shape::{DataId, Dim};

/// The text of the first expression that was not finite in an update (or in the event after it), from the values before it.
/// `rows` are those of the batch. Empty when everything is finite.
pub(super) fn first_not_finite(
    unit: &Unit,
    event: bool,
    rows: Option<(DataId, &[u32])>,
    given: &dyn Fn(InputId) -> Option<Tensor>,
) -> String {
    let next = unit.params.iter().map(|slot| if event { slot.next_epoch.unwrap_or(slot.input) } else { slot.next });
    let mut roots: Vec<_> = next.collect();
    if !event {
        roots.insert(0, unit.loss);
    }
    let column = |id: InputId| {
        let (_, all) = unit.columns.iter().find(|(input, _)| *input == id)?;
        let mut value = (**all).clone();
        if let Some((data, rows)) = rows {
            let places: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
            for (axis, dim) in unit.graph.input_info(id).shape.0.iter().enumerate() {
                if *dim == Dim::Rows(data) {
                    value = value.select(Axis(axis), &places);
                }
            }
        }
        Some(value)
    };
    let mut counts = unit.rows.clone();
    if let Some((data, rows)) = rows {
        counts.0[data.0 as usize] = rows.len();
    }
    let Ok(values) = evaluate_all(&unit.graph, &roots, &|id| given(id).or_else(|| column(id)), &counts) else {
        return String::new();
    };
    // The loss comes first, then the parameters in their order.
    let first = roots.iter().find_map(|&root| values.first_not_finite(&unit.graph, &[root]));
    first.map_or_else(String::new, |id| infix(&unit.graph, id))
}
