//! The way out: an operation without instructions of its own is given to the dense evaluator, lane by lane.
//!
//! It is slow and allocates; what it computes is the definition itself.

use std::cell::Cell;

use super::view::{Matrix, View};
use crate::compile::buffer::{Buffer, Window};
use crate::compile::tape::{Instr, Lanes, Place, Read};
use crate::expr::eval::{self, Tensor};
use crate::shape::{Dim, RowCounts, Shape};

/// Where the rows of a shape are: the axis, its length, and the sizes before and after it.
fn around_rows(shape: &Shape, sizes: &[usize]) -> Option<(usize, usize, usize)> {
    let axis = shape.0.iter().position(|dim| matches!(dim, Dim::Rows(_)))?;
    Some((sizes[..axis].iter().product(), sizes[axis], sizes[axis + 1..].iter().product()))
}

/// The row and the feature of each element, in the order of the shape.
fn elements(shape: &Shape, sizes: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    let (before, rows, after) = around_rows(shape, sizes).unwrap_or((1, 1, sizes.iter().product()));
    (0..before).flat_map(move |b| (0..rows).flat_map(move |row| (0..after).map(move |a| (row, b * after + a))))
}

/// Hands the numbers of one lane of a whole value to `f`, in the order of its shape.
fn each_element(view: &View, place: &Place, lane: usize, mut f: impl FnMut(f64)) {
    let with_rows = !matches!(place.operand.read, Read::Octets | Read::Scalar | Read::Uniform);
    let whole = View { first: 0, in_pass: with_rows, ..*view };
    let one = view.lanes == Lanes::One;
    let sizes = view.counts.sizes(&place.shape);
    let matrix = whole.matrix(place.operand);
    if with_rows {
        for (row, feature) in elements(&place.shape, &sizes) {
            f(if one { matrix.at(row / 8, feature)[row % 8] } else { matrix.at(row, feature)[lane] });
        }
    } else {
        for element in 0..sizes.iter().product() {
            f(matrix.at(0, element)[lane]);
        }
    }
}

#[inline(never)]
pub(super) fn evaluate(view: &View, instr: &Instr) {
    let Instr::Dense(dense) = instr else { unreachable!("internal: an operation of the dense evaluator") };
    for lane in 0..view.lanes.count() {
        let args: Vec<Tensor> = dense
            .args
            .iter()
            .map(|(_, place)| {
                let mut values = Vec::new();
                each_element(view, place, lane, |x| values.push(x));
                let sizes = view.counts.sizes(&place.shape);
                Tensor::from_shape_vec(sizes, values).expect("internal: as many values as the shape says")
            })
            .collect();
        let input = |id| dense.args.iter().position(|(input, _)| *input == id).map(|position| args[position].clone());
        let sizes = view.counts.sizes(&dense.out.shape);
        // An index that is none makes the result useless, not the program.
        let value = eval::evaluate(&dense.graph, &[dense.root], &input, view.counts);
        let value = value.map_or_else(|_| Tensor::from_elem(sizes.clone(), f64::NAN), |mut values| values.remove(0));
        let one = view.lanes == Lanes::One;
        let numbers = view.scalars(dense.out.operand.address);
        let width = dense.out.operand.width as usize;
        if dense.out.operand.read == Read::Stream {
            for ((row, feature), &x) in elements(&dense.out.shape, &sizes).zip(value.iter()) {
                let at = if one { (row / 8 * width + feature) * 8 + row % 8 } else { (row * width + feature) * 8 + lane };
                numbers[at].set(x);
            }
        } else {
            for (element, &x) in value.iter().enumerate() {
                numbers[view.lanes.place(element, lane)].set(x);
            }
        }
    }
}

/// Hands the numbers of one lane of a value of a tape to `f`, in the order of its shape.
pub fn each_value(place: &Place, lanes: Lanes, memory: &mut Buffer, columns: &[Window], rows: &RowCounts, lane: usize, f: impl FnMut(f64)) {
    let numbers = Cell::from_mut(memory.numbers_mut()).as_slice_of_cells();
    let slots = numbers.as_chunks::<8>().0;
    let view = View { numbers, slots, columns, lanes, in_pass: false, outer: 1, first: 0, rows: 1, chunk: 0, counts: rows };
    each_element(&view, place, lane, f);
}
