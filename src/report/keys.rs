//! Keys made ready: what tells the rows, columns, panels and colours of an output apart, in the order in which it is shown.
//!
//! It knows no tables and no figures.

use std::collections::BTreeMap;

use super::ask::Asked;
use super::cells::{Place, Reader, Value};
use super::label::{alike, joined_texts, value_text};
use crate::results::view::{Key, Leaf, Over, Question};

/// An axis or a value.
pub(super) enum ReadyKey<'a, 'r> {
    Axis(&'a str),
    Question(Asked<'a, 'r>),
}

impl<'a, 'r> ReadyKey<'a, 'r> {
    pub(super) fn new(reader: &'a Reader<'r>, key: &'a Key, cells: &[Place]) -> Self {
        match key {
            Key::Axis(axis) => ReadyKey::Axis(axis),
            Key::Question(question) => ReadyKey::Question(reader.ask(question, cells)),
        }
    }

    pub(super) fn name(&self) -> &'a str {
        match self {
            ReadyKey::Axis(axis) => axis,
            ReadyKey::Question(asked) => &asked.question.text,
        }
    }

    pub(super) fn value(&self, reader: &Reader<'r>, place: Place, cells: usize) -> Value<'r> {
        match self {
            ReadyKey::Axis(axis) => reader.value(place, axis),
            ReadyKey::Question(asked) => Value::Number(asked.number(place, cells)),
        }
    }
}

/// The combinations of values that several keys take over some cells.
pub(super) struct Channel<'a, 'r> {
    pub(super) names: Vec<&'a str>,
    /// The distinct combinations, in the order shown: axes as they first come, values by size.
    pub(super) tuples: Vec<Vec<Value<'r>>>,
    /// Of each combination, the place of each of its values among the values of that key.
    pub(super) ranks: Vec<Vec<usize>>,
    /// The texts of the values of each key.
    texts: Vec<Vec<String>>,
    of: BTreeMap<Place, usize>,
}

impl<'a, 'r> Channel<'a, 'r> {
    /// Of the keys written, and then of further axes.
    pub(super) fn new(reader: &'a Reader<'r>, keys: &'a [Key], further: &[&'a str], cells: &[Place]) -> Self {
        let ready = keys.iter().map(|key| ReadyKey::new(reader, key, cells));
        let ready: Vec<ReadyKey<'a, 'r>> = ready.chain(further.iter().map(|axis| ReadyKey::Axis(axis))).collect();
        let mut per_cell: Vec<Vec<usize>> = vec![Vec::new(); cells.len()];
        let mut values: Vec<Vec<Value<'r>>> = Vec::new();
        for key in &ready {
            let own: Vec<Value<'r>> = cells.iter().map(|&place| key.value(reader, place, cells.len())).collect();
            let distinct = distinct(&own, matches!(key, ReadyKey::Question(_)));
            for (ranks, value) in per_cell.iter_mut().zip(&own) {
                ranks.push(distinct.iter().position(|known| known.order(*value).is_eq()).unwrap_or(0));
            }
            values.push(distinct);
        }
        let mut ranks = per_cell.clone();
        ranks.sort();
        ranks.dedup();
        let of = cells.iter().zip(&per_cell).filter_map(|(&place, own)| Some((place, ranks.binary_search(own).ok()?))).collect();
        let tuples = ranks.iter().map(|ranks| ranks.iter().zip(&values).map(|(&rank, values)| values[rank]).collect()).collect();
        let texts = values.iter().map(|values| alike(values.iter().copied().map(value_text).collect())).collect();
        Channel { texts, names: ready.iter().map(ReadyKey::name).collect(), tuples, ranks, of }
    }

    pub(super) fn len(&self) -> usize {
        self.tuples.len()
    }

    /// Which combination a cell has.
    pub(super) fn index(&self, place: Place) -> usize {
        self.of.get(&place).copied().unwrap_or(0)
    }

    /// A combination with the names of its axes: `gd, lr = 0.1`.
    pub(super) fn label(&self, index: usize) -> String {
        let pairs: Vec<(&str, Value<'_>)> = self.names.iter().copied().zip(self.tuples[index].iter().copied()).collect();
        joined_texts(&pairs, &self.texts_of(index))
    }

    /// A combination below a heading that has the names: just the value where there is only one.
    pub(super) fn short_label(&self, index: usize) -> String {
        if self.names.len() == 1 { self.texts_of(index).remove(0) } else { self.label(index) }
    }

    fn texts_of(&self, index: usize) -> Vec<String> {
        self.ranks[index].iter().zip(&self.texts).map(|(&rank, texts)| texts[rank].clone()).collect()
    }

    /// Whether the values of a key are numbers by decades, the smallest written with a power of ten.
    pub(super) fn by_decades(&self, key: usize) -> bool {
        self.texts[key].iter().any(|text| text.contains("e-") && text.parse::<f64>().is_ok())
    }

    /// The numbers of a single key whose values are all numbers (blank ones are nan).
    pub(super) fn numbers(&self) -> Option<Vec<f64>> {
        let all = |tuple: &Vec<Value<'_>>| !matches!(tuple[0], Value::Text(_));
        let some = |tuple: &Vec<Value<'_>>| matches!(tuple[0], Value::Number(_));
        (self.names.len() == 1 && self.tuples.iter().all(all) && self.tuples.iter().any(some))
            .then(|| self.tuples.iter().map(|tuple| tuple[0].number()).collect())
    }
}

/// Distinct values, as they first come or by size.
fn distinct<'r>(values: &[Value<'r>], sorted: bool) -> Vec<Value<'r>> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].order(values[b]).then(a.cmp(&b)));
    order.dedup_by(|b, a| values[*a].order(values[*b]).is_eq());
    if !sorted {
        order.sort_unstable();
    }
    order.into_iter().map(|index| values[index]).collect()
}

/// Of these axes those on which cells differ although an output puts them together. Few suffice: once `optimizer`
/// tells two cells apart, its arguments need not.
pub(super) fn spread<'n>(reader: &Reader<'_>, mut groups: Vec<Vec<Place>>, axes: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let mut found = Vec::new();
    for axis in axes {
        if groups.iter().any(|group| reader.differ(group, axis)) {
            found.push(axis);
            groups = groups.iter().flat_map(|group| parts(reader, group, axis)).collect();
        }
    }
    found
}

/// The cells of each value on an axis.
fn parts(reader: &Reader<'_>, group: &[Place], axis: &str) -> Vec<Vec<Place>> {
    let mut parts: Vec<Vec<Place>> = Vec::new();
    for &place in group {
        let value = reader.value(place, axis);
        match parts.iter_mut().find(|part| reader.value(part[0], axis).agrees(value)) {
            Some(part) => part.push(place),
            None => parts.push(vec![place]),
        }
    }
    parts
}

/// Whether a question has one value for all values of an axis.
pub(super) fn absorbs(question: &Question, axis: &str) -> bool {
    question.leaves.iter().all(|leaf| match leaf {
        Leaf::Aggregate { of, over, .. } => {
            let named = match over {
                Over::All => true,
                Over::Axes(axes) => axes.iter().any(|name| name == axis),
            };
            named || absorbs(of, axis)
        }
        Leaf::Cells => true,
        _ => false,
    })
}

/// Whether outputs are to tell the values of `replicate` (or `fold`, `cell`) apart because one of them names it.
pub(super) fn names(key: &Key, axis: &str) -> bool {
    match key {
        Key::Axis(name) => name == axis || name == "cell",
        Key::Question(question) => question_names(question, axis),
    }
}

/// See [`names`].
pub(super) fn question_names(question: &Question, axis: &str) -> bool {
    question.leaves.iter().any(|leaf| match leaf {
        Leaf::Replicate => axis == "replicate",
        Leaf::Cell => true,
        Leaf::Axis(name) => name == axis,
        Leaf::BestSoFar { of } | Leaf::Gap { of, .. } => question_names(of, axis),
        _ => false,
    })
}
