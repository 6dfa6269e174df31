//! Where each element of a value lies in the value it was made from: the index maps of operations that only move elements.
//!
//! An axis of rows counts as one element: what remains are the features of a row, and maps are between features.

use std::sync::Arc;

use super::tape::{KEEP, ZERO};
use crate::expr::op::Op;
use crate::shape::{Dim, Shape};

/// For each feature of the result, the feature of the source. `None` when they are the same.
pub(super) type Map = Option<Arc<[u32]>>;

/// The sizes with rows counted as one.
pub(super) fn sizes(shape: &Shape) -> Vec<usize> {
    shape.0.iter().map(|dim| if let Dim::Size(n) = dim { *n } else { 1 }).collect()
}

/// The number of features: of elements, where there are no rows.
pub(super) fn features(shape: &Shape) -> usize {
    sizes(shape).iter().product()
}

/// The features before, along and after an axis.
pub(super) fn around(shape: &Shape, axis: usize) -> (usize, usize, usize) {
    let sizes = sizes(shape);
    (sizes[..axis].iter().product(), sizes[axis], sizes[axis + 1..].iter().product())
}

fn strides(sizes: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; sizes.len()];
    for axis in (1..sizes.len()).rev() {
        strides[axis - 1] = strides[axis] * sizes[axis];
    }
    strides
}

/// The map with `index` of each multi-index of the result, from a source of so many features.
fn tabulate(sizes: &[usize], source: usize, mut index: impl FnMut(&[usize]) -> u32) -> Map {
    let count: usize = sizes.iter().product();
    let mut at = vec![0; sizes.len()];
    let mut table = Vec::with_capacity(count);
    for _ in 0..count {
        table.push(index(&at));
        for axis in (0..sizes.len()).rev() {
            at[axis] += 1;
            if at[axis] < sizes[axis] {
                break;
            }
            at[axis] = 0;
        }
    }
    simplified(table, source)
}

fn simplified(table: Vec<u32>, source: usize) -> Map {
    let same = table.len() == source && table.iter().enumerate().all(|(i, &from)| i == from as usize);
    (!same).then(|| table.into())
}

/// From the features of a broadcast result to those of an operand.
pub(super) fn broadcast(from: &Shape, to: &Shape) -> Map {
    let (small, large) = (sizes(from), sizes(to));
    if small == large {
        return None;
    }
    let steps = strides(&small);
    let shift = large.len() - small.len();
    tabulate(&large, features(from), |at| {
        let step = |axis: usize| if small[axis] == 1 { 0 } else { at[axis + shift] * steps[axis] };
        (0..small.len()).map(step).sum::<usize>() as u32
    })
}

/// `outer` maps a result to a value, `inner` that value to its source.
pub(super) fn compose(outer: &Map, inner: &Map) -> Map {
    match (outer, inner) {
        (None, map) | (map, None) => map.clone(),
        (Some(outer), Some(inner)) => Some(outer.iter().map(|&i| inner[i as usize]).collect()),
    }
}

/// The one source that all elements have.
pub(super) fn constant(map: &Map, features: usize) -> Option<u32> {
    match map {
        None => (features == 1).then_some(0),
        Some(map) => map.first().copied().filter(|first| map.iter().all(|from| from == first)),
    }
}

/// The first source, if the map counts upwards from it.
pub(super) fn contiguous(map: &Map) -> Option<u32> {
    match map {
        None => Some(0),
        Some(map) => map.first().copied().filter(|first| map.iter().enumerate().all(|(i, &from)| from == first + i as u32)),
    }
}

/// The first source of a matrix of so many rows and columns, if its transpose stands there.
pub(super) fn transposed(map: &Map, rows: usize, columns: usize) -> Option<u32> {
    let map = map.as_ref()?;
    let first = *map.first()?;
    let from = |i: usize| first + (i % columns * rows + i / columns) as u32;
    (map.len() == rows * columns && map.iter().enumerate().all(|(i, &source)| source == from(i))).then_some(first)
}

/// Where the elements of an operation's result come from, if it only moves elements of one argument and leaves rows alone.
pub(super) fn moves(op: &Op, from: &Shape, to: &Shape) -> Option<Map> {
    match op {
        Op::Expand(_) | Op::Squeeze(_) | Op::Reshape(_) => Some(None),
        Op::Broadcast(_) => Some(broadcast(from, to)),
        Op::Transpose => {
            let steps = strides(&sizes(from));
            Some(tabulate(&sizes(to), features(from), |at| at.iter().rev().zip(&steps).map(|(i, step)| i * step).sum::<usize>() as u32))
        }
        Op::Slice { axis, start, step, .. } if !matches!(from.0[*axis], Dim::Rows(_)) => {
            let steps = strides(&sizes(from));
            Some(tabulate(&sizes(to), features(from), |at| {
                let place = |k: usize| if k == *axis { start.wrapping_add_signed(at[k].cast_signed() * step) } else { at[k] };
                (0..at.len()).map(|k| place(k) * steps[k]).sum::<usize>() as u32
            }))
        }
        _ => None,
    }
}

/// For each element of an unsliced result, its source or [`ZERO`].
pub(super) fn unslice(from: &Shape, to: &Shape, axis: usize, start: usize, step: isize) -> Map {
    let (small, steps) = (sizes(from), strides(&sizes(from)));
    let mut table = vec![ZERO; features(to)];
    let out = strides(&sizes(to));
    for flat in 0..features(from) {
        let at = |k: usize| flat / steps[k] % small[k];
        let place = |k: usize| if k == axis { start.wrapping_add_signed(at(k).cast_signed() * step) } else { at(k) };
        let to: usize = (0..small.len()).map(|k| place(k) * out[k]).sum();
        table[to] = flat as u32;
    }
    simplified(table, features(from))
}

/// For each element of a concatenation, its source in one part that begins at `start` along the axis, or [`KEEP`].
pub(super) fn part(from: &Shape, to: &Shape, axis: usize, start: usize) -> Map {
    let (small, steps) = (sizes(from), strides(&sizes(from)));
    tabulate(&sizes(to), features(from), |at| {
        let inside = at[axis] >= start && at[axis] < start + small[axis];
        let index = |k: usize| if k == axis { at[k].wrapping_sub(start) } else { at[k] };
        if inside { (0..at.len()).map(|k| index(k) * steps[k]).sum::<usize>() as u32 } else { KEEP }
    })
}
