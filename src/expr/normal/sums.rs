//! Sums over indices: taken apart into connected factors, with indices named canonically.
//!
//! What is summed is in `algebra`.

use std::collections::BTreeMap;

use super::algebra::Work;
use super::ratio::Ratio;
use super::term::{Atom, Idx, Poly, Product, height};
use crate::shape::Dim;

/// The most indices of one sum.
const MOST_INDICES: usize = 7;

/// The most namings of indices that are tried.
const MOST_NAMINGS: usize = 720;

/// A summed index that has no name yet.
type Loose = (Idx, Dim);

impl Work {
    /// The sum over an index.
    pub(super) fn sum(&mut self, p: &Poly, index: Idx, dim: Dim) -> Option<Poly> {
        let mut total = Poly::zero();
        for (product, c) in &p.0 {
            let sum = self.sum_of_product(product.clone(), vec![(index, dim)])?;
            total = total.plus(&sum, *c)?;
        }
        Some(total)
    }

    /// The number of elements along an axis.
    pub(super) fn extent(dim: Dim) -> Poly {
        match dim {
            Dim::Size(n) => Poly::number(Ratio::whole(n as i128)),
            Dim::Rows(data) => Poly::atom(Atom::Rows(data)),
        }
    }

    /// A sum with new names for its indices, moved elsewhere.
    pub(super) fn reopened(&mut self, dims: &[Dim], body: &Product, map: &dyn Fn(Idx) -> Idx) -> Option<Poly> {
        let (body, loose) = self.opened(dims, body)?;
        let names: Vec<Idx> = loose.iter().map(|(i, _)| *i).collect();
        let moved = self.moved_product(&body, &|i| if names.contains(&i) { i } else { map(i) })?;
        let mut total = Poly::zero();
        for (product, c) in moved.0 {
            let sum = self.sum_of_product(product, loose.clone())?;
            total = total.plus(&sum, c)?;
        }
        Some(total)
    }

    /// The body of a sum with fresh indices.
    fn opened(&mut self, dims: &[Dim], body: &Product) -> Option<(Product, Vec<Loose>)> {
        let level = height(body) + 1;
        let loose: Vec<Loose> = dims.iter().map(|&dim| (self.temp(), dim)).collect();
        let names: Vec<Idx> = loose.iter().map(|(i, _)| *i).collect();
        let fresh = move |i: Idx| match i {
            Idx::Bound(l, n) if l == level => names.get(n as usize).copied().unwrap_or(i),
            _ => i,
        };
        let poly = self.moved_product(body, &fresh)?;
        let (product, c) = poly.single()?;
        (c == Ratio::ONE).then(|| (product.clone(), loose))
    }

    /// The sum of a product over indices.
    fn sum_of_product(&mut self, product: Product, mut loose: Vec<Loose>) -> Option<Poly> {
        self.spend(product.len())?;
        // Sums among the factors that depend on a summed index become part of this one.
        let mut factors: Product = Vec::new();
        let mut grown = false;
        for (atom, e) in product {
            let depends = loose.iter().any(|(i, _)| atom.mentions(*i));
            match (&atom, e.as_whole()) {
                (Atom::Sum(dims, body), Some(n)) if depends && n > 0 => {
                    for _ in 0..n {
                        let (body, inner) = self.opened(dims, body)?;
                        factors.extend(body);
                        loose.extend(inner);
                    }
                    grown = true;
                }
                _ => factors.push((atom, e)),
            }
        }
        if loose.len() > MOST_INDICES {
            return None;
        }
        if grown {
            let poly = self.product(factors)?;
            let mut total = Poly::zero();
            for (product, c) in poly.0 {
                let sum = self.sum_of_product(product, loose.clone())?;
                total = total.plus(&sum, c)?;
            }
            return Some(total);
        }
        if let Some(poly) = self.without_one(&factors, &loose)? {
            return Some(poly);
        }
        self.connected(factors, &loose)
    }

    /// The sum over the indices that are left after one that an atom decides is gone.
    #[allow(clippy::option_option, reason = "to give up and to have nothing to do are different")]
    fn without_one(&mut self, factors: &Product, loose: &[Loose]) -> Option<Option<Poly>> {
        for (at, &(index, dim)) in loose.iter().enumerate() {
            let rest: Vec<Loose> = loose.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, l)| *l).collect();
            let with: Vec<usize> = (0..factors.len()).filter(|&f| factors[f].0.mentions(index)).collect();
            if with.is_empty() {
                let sum = if rest.is_empty() { self.product(factors.clone())? } else { self.sum_of_product(factors.clone(), rest)? };
                return self.mul(&sum, &Work::extent(dim)).map(Some);
            }
            let mut becomes = None;
            let mut gone: Vec<usize> = Vec::new();
            for &f in &with {
                match &factors[f] {
                    (Atom::Delta(a, b), e) if *e == Ratio::ONE => {
                        becomes = Some(Some(if *a == index { *b } else { *a }));
                        gone = vec![f];
                    }
                    // One row of a onehot, or of places, adds to 1.
                    (Atom::OneHot(value, k), e) if *e == Ratio::ONE && *k == index && with.len() == 1 => {
                        let mut inside = Vec::new();
                        value.indices(&mut inside);
                        if !inside.contains(&index) {
                            becomes = Some(None);
                            gone = vec![f];
                        }
                    }
                    (Atom::Place { big, small, .. }, e) if *e == Ratio::ONE && *big == index && *small != index && with.len() == 1 => {
                        becomes = Some(None);
                        gone = vec![f];
                    }
                    _ => {}
                }
            }
            // Two places of one large index: the same, or nowhere the same.
            let places: Vec<usize> =
                with.iter().copied().filter(|&f| matches!(factors[f].0, Atom::Place { big, .. } if big == index)).collect();
            if let [f, g, ..] = places[..]
                && becomes.is_none()
                && let (Atom::Place { start, step, len, small, .. }, Atom::Place { start: s, step: t, len: l, small: other, .. }) =
                    (&factors[f].0, &factors[g].0)
            {
                if (start, step, len) == (s, t, l) {
                    let mut without: Product = factors.clone();
                    without.remove(g);
                    let same = Work::delta(*small, *other);
                    let kept = self.product(without)?;
                    let both = self.mul(&kept, &same)?;
                    return self.sum_again(both, loose).map(Some);
                }
                let reach = |start: usize, step: isize, len: usize| -> Option<(i128, i128)> {
                    let last = start as i128 + step as i128 * (len as i128 - 1);
                    Some((last.min(start as i128), last.max(start as i128)))
                };
                let ((a, b), (c, d)) = (reach(*start, *step, *len)?, reach(*s, *t, *l)?);
                if b < c || d < a {
                    return Some(Some(Poly::zero()));
                }
            }
            if let Some(to) = becomes {
                let left: Product = factors.iter().enumerate().filter(|(f, _)| !gone.contains(f)).map(|(_, x)| x.clone()).collect();
                let moved = match to {
                    Some(to) => self.moved_product(&left, &|i| if i == index { to } else { i })?,
                    None => self.product(left)?,
                };
                return self.sum_again(moved, &rest).map(Some);
            }
        }
        Some(None)
    }

    fn sum_again(&mut self, p: Poly, loose: &[Loose]) -> Option<Poly> {
        if loose.is_empty() {
            return Some(p);
        }
        let mut total = Poly::zero();
        for (product, c) in p.0 {
            let sum = self.sum_of_product(product, loose.to_vec())?;
            total = total.plus(&sum, c)?;
        }
        Some(total)
    }

    /// The factors in groups that share summed indices, each group as a sum of its own.
    fn connected(&mut self, factors: Product, loose: &[Loose]) -> Option<Poly> {
        if let Some(poly) = self.cancelled(&factors, loose)? {
            return Some(poly);
        }
        let mut outside: Product = Vec::new();
        let mut groups: Vec<(Product, Vec<Loose>)> = Vec::new();
        for (atom, e) in factors {
            let mine: Vec<Loose> = loose.iter().filter(|(i, _)| atom.mentions(*i)).copied().collect();
            if mine.is_empty() {
                outside.push((atom, e));
                continue;
            }
            let (mut group, mut indices) = (vec![(atom, e)], mine);
            let mut apart = Vec::new();
            for (others, theirs) in groups {
                if theirs.iter().any(|l| indices.contains(l)) {
                    group.extend(others);
                    indices.extend(theirs);
                } else {
                    apart.push((others, theirs));
                }
            }
            indices.sort_unstable();
            indices.dedup();
            apart.push((group, indices));
            groups = apart;
        }
        for (group, indices) in groups {
            outside.push((self.named(&group, &indices)?, Ratio::ONE));
        }
        self.product(outside)
    }

    /// A factor `1/T` beside the terms of the sum `T` that depend on nothing else that is summed: both go.
    #[allow(clippy::option_option, reason = "to give up and to have nothing to do are different")]
    fn cancelled(&mut self, factors: &Product, loose: &[Loose]) -> Option<Option<Poly>> {
        for (atom, e) in factors {
            let Atom::Sum(dims, _) = atom else { continue };
            if !e.is_negative() || dims.len() >= loose.len() {
                continue;
            }
            for choice in subsets(loose, dims.len()) {
                let touches = |a: &Atom| choice.iter().any(|(i, _)| a.mentions(*i));
                if touches(atom) {
                    continue;
                }
                let (inside, left): (Product, Product) = factors.iter().cloned().partition(|(a, _)| touches(a));
                if inside.is_empty() {
                    continue;
                }
                let sum = self.connected(inside, &choice)?;
                let same =
                    sum.single().is_some_and(|(p, c)| c == Ratio::ONE && matches!(&p[..], [(a, n)] if a == atom && *n == Ratio::ONE));
                if same {
                    let left = self.product(left)?;
                    let both = self.mul(&left, &sum)?;
                    let rest: Vec<Loose> = loose.iter().filter(|l| !choice.contains(l)).copied().collect();
                    return self.sum_again(both, &rest).map(Some);
                }
            }
        }
        Some(None)
    }

    /// A connected sum with canonical names: those of the smallest form.
    fn named(&mut self, factors: &Product, loose: &[Loose]) -> Option<Atom> {
        let level = height(factors) + 1;
        // What each index looks like when the others cannot be told apart; only those that look the same are tried in every order.
        let mut looks: BTreeMap<(Dim, Vec<Poly>), Vec<Idx>> = BTreeMap::new();
        if loose.len() == 1 {
            looks.insert((loose[0].1, Vec::new()), vec![loose[0].0]);
        } else {
            for &(index, dim) in loose {
                let others: Vec<Idx> = loose.iter().map(|(i, _)| *i).filter(|i| *i != index).collect();
                let mark = |i: Idx| {
                    if i == index {
                        Idx::Temp(u32::MAX)
                    } else if others.contains(&i) {
                        Idx::Temp(u32::MAX - 1)
                    } else {
                        i
                    }
                };
                let mut look = Vec::new();
                for factor in factors.iter().filter(|(a, _)| a.mentions(index)) {
                    look.push(self.moved_product(&vec![factor.clone()], &mark)?);
                }
                look.sort();
                looks.entry((dim, look)).or_default().push(index);
            }
        }
        let dims: Vec<Dim> = looks.iter().flat_map(|((dim, _), list)| vec![*dim; list.len()]).collect();
        let groups: Vec<Vec<Idx>> = looks.into_values().collect();
        let mut best: Option<Product> = None;
        for order in orders(&groups)? {
            let name = |i: Idx| order.iter().position(|o| *o == i).map_or(i, |n| Idx::Bound(level, n as u32));
            let poly = self.moved_product(factors, &name)?;
            let (product, c) = poly.single()?;
            if c != Ratio::ONE {
                return None;
            }
            if best.as_ref().is_none_or(|b| product < b) {
                best = Some(product.clone());
            }
        }
        best.map(|body| Atom::Sum(dims, body))
    }
}

/// All choices of some of the indices.
fn subsets(list: &[Loose], size: usize) -> Vec<Vec<Loose>> {
    match (size, list.split_first()) {
        (0, _) => vec![Vec::new()],
        (_, None) => Vec::new(),
        (_, Some((first, rest))) => {
            let mut with = subsets(rest, size - 1);
            for choice in &mut with {
                choice.insert(0, *first);
            }
            with.extend(subsets(rest, size));
            with
        }
    }
}

/// The indices in every order that keeps the groups; `None` when there are too many.
fn orders(groups: &[Vec<Idx>]) -> Option<Vec<Vec<Idx>>> {
    let mut list: Vec<Vec<Idx>> = vec![Vec::new()];
    for group in groups {
        let own = permutations(group);
        if list.len() * own.len() > MOST_NAMINGS {
            return None;
        }
        list = list.iter().flat_map(|before| own.iter().map(|after| before.iter().chain(after).copied().collect())).collect();
    }
    Some(list)
}

fn permutations(list: &[Idx]) -> Vec<Vec<Idx>> {
    if list.len() <= 1 {
        return vec![list.to_vec()];
    }
    let mut all = Vec::new();
    for at in 0..list.len() {
        let mut rest = list.to_vec();
        let first = rest.remove(at);
        for mut order in permutations(&rest) {
            order.insert(0, first);
            all.push(order);
        }
    }
    all
}
