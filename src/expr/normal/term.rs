//! What a normal form is made of: indices, atoms, products, sums of products.
//!
//! How they are combined is in `algebra`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::op::{Bits, InputId, Literal, Op};
use super::ratio::Ratio;
use crate::shape::{DataId, Dim};

/// An index of an atom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Idx {
    /// An element.
    At(usize),
    /// An axis of the value that is being described.
    Free(u32),
    /// A summed index: the height of its sum, and its number there.
    Bound(u32, u32),
    /// A summed index of a sum that is being worked on.
    Temp(u32),
}

/// What cannot be taken apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Atom {
    /// A prime number under a root.
    Prime(i128),
    /// A number that is no short fraction.
    Constant(Bits),
    /// The number of rows.
    Rows(DataId),
    /// An element of an input.
    Input(InputId, Vec<Idx>),
    /// An element of an array of numbers.
    Literal(Arc<Literal>, Vec<Idx>),
    /// 1 where the two are equal, else 0.
    Delta(Idx, Idx),
    /// 1 where `big = start + step*small`, else 0; `small` is below `len`.
    Place { start: usize, step: isize, len: usize, big: Idx, small: Idx },
    /// 1 where the number is the index, else 0.
    OneHot(Box<Poly>, Idx),
    /// `exp` of a product with coefficient 1.
    Exp(Product),
    /// The logarithm of the size.
    Log(Box<Poly>),
    /// 1 where positive, else 0.
    Positive(Box<Poly>),
    /// 1 where zero, else 0.
    Zero(Box<Poly>),
    /// A function of values at the same indices.
    Apply(Op, Vec<Poly>),
    /// A sum of terms, under a power that does not take it apart.
    Base(Box<Poly>),
    /// The sum over indices of a product in which they are all connected.
    Sum(Vec<Dim>, Product),
    /// An element of an array that is made of whole arrays, described each by its own axes.
    Opaque(Op, Vec<Poly>, Vec<Idx>),
}

/// Atoms with their exponents, in order.
pub(super) type Product = Vec<(Atom, Ratio)>;

/// A sum of products with coefficients: the normal form of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Poly(pub(super) BTreeMap<Product, Ratio>);

impl Poly {
    pub(super) fn zero() -> Poly {
        Poly::default()
    }

    pub(super) fn number(x: Ratio) -> Poly {
        Poly::term(Vec::new(), x)
    }

    pub(super) fn one() -> Poly {
        Poly::number(Ratio::ONE)
    }

    pub(super) fn term(product: Product, coefficient: Ratio) -> Poly {
        let mut map = BTreeMap::new();
        if !coefficient.is_zero() {
            map.insert(product, coefficient);
        }
        Poly(map)
    }

    pub(super) fn atom(atom: Atom) -> Poly {
        Poly::term(vec![(atom, Ratio::ONE)], Ratio::ONE)
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The number it is, if it is one.
    pub(super) fn as_number(&self) -> Option<Ratio> {
        match self.single() {
            _ if self.is_zero() => Some(Ratio::ZERO),
            Some((product, coefficient)) if product.is_empty() => Some(coefficient),
            _ => None,
        }
    }

    /// Its only term.
    pub(super) fn single(&self) -> Option<(&Product, Ratio)> {
        let mut terms = self.0.iter();
        match (terms.next(), terms.next()) {
            (Some((product, c)), None) => Some((product, *c)),
            _ => None,
        }
    }

    /// Adds a multiple of a product.
    pub(super) fn add(&mut self, product: Product, coefficient: Ratio) -> Option<()> {
        let sum = self.0.get(&product).copied().unwrap_or(Ratio::ZERO).plus(coefficient)?;
        if sum.is_zero() {
            self.0.remove(&product);
        } else {
            self.0.insert(product, sum);
        }
        Some(())
    }

    /// The sum with a multiple of another.
    pub(super) fn plus(mut self, other: &Poly, times: Ratio) -> Option<Poly> {
        for (product, c) in &other.0 {
            self.add(product.clone(), c.times(times)?)?;
        }
        Some(self)
    }

    pub(super) fn scaled(&self, by: Ratio) -> Option<Poly> {
        Poly::zero().plus(self, by)
    }

    pub(super) fn indices(&self, found: &mut Vec<Idx>) {
        for product in self.0.keys() {
            indices(product, found);
        }
    }

    /// How many sums are inside one another.
    pub(super) fn height(&self) -> u32 {
        self.0.keys().map(|product| height(product)).max().unwrap_or(0)
    }
}

/// The indices that products mention, those of sums inside them included.
pub(super) fn indices(product: &[(Atom, Ratio)], found: &mut Vec<Idx>) {
    for (atom, _) in product {
        atom.indices(found);
    }
}

pub(super) fn height(product: &[(Atom, Ratio)]) -> u32 {
    product.iter().map(|(atom, _)| atom.height()).max().unwrap_or(0)
}

impl Atom {
    pub(super) fn indices(&self, found: &mut Vec<Idx>) {
        match self {
            Atom::Prime(_) | Atom::Constant(_) | Atom::Rows(_) => {}
            Atom::Input(_, list) | Atom::Literal(_, list) | Atom::Opaque(_, _, list) => found.extend(list),
            Atom::Delta(a, b) => found.extend([a, b]),
            Atom::Place { big, small, .. } => found.extend([big, small]),
            Atom::OneHot(value, index) => {
                value.indices(found);
                found.push(*index);
            }
            Atom::Exp(product) | Atom::Sum(_, product) => indices(product, found),
            Atom::Log(p) | Atom::Positive(p) | Atom::Zero(p) | Atom::Base(p) => p.indices(found),
            Atom::Apply(_, list) => list.iter().for_each(|p| p.indices(found)),
        }
    }

    pub(super) fn mentions(&self, index: Idx) -> bool {
        let mut found = Vec::new();
        self.indices(&mut found);
        found.contains(&index)
    }

    fn height(&self) -> u32 {
        match self {
            Atom::Sum(_, product) => height(product) + 1,
            Atom::Exp(product) => height(product),
            Atom::OneHot(p, _) | Atom::Log(p) | Atom::Positive(p) | Atom::Zero(p) | Atom::Base(p) => p.height(),
            Atom::Apply(_, list) => list.iter().map(Poly::height).max().unwrap_or(0),
            Atom::Prime(_)
            | Atom::Constant(_)
            | Atom::Rows(_)
            | Atom::Input(..)
            | Atom::Literal(..)
            | Atom::Delta(..)
            | Atom::Place { .. }
            | Atom::Opaque(..) => 0,
        }
    }

    /// Whether it is 0 or 1.
    pub(super) fn is_flag(&self) -> bool {
        matches!(self, Atom::Delta(..) | Atom::Place { .. } | Atom::OneHot(..) | Atom::Positive(_) | Atom::Zero(_))
    }

    /// Whether it is known not to be negative.
    pub(super) fn is_not_negative(&self) -> bool {
        use super::super::op::Unary;
        match self {
            Atom::Prime(_) | Atom::Rows(_) | Atom::Exp(_) => true,
            Atom::Constant(bits) => bits.value() > 0.0,
            Atom::Apply(op, _) => matches!(op, Op::Unary(Unary::Abs | Unary::Sigmoid | Unary::Softplus)),
            Atom::Base(p) => p.is_not_negative(),
            Atom::Sum(_, product) => product_is_not_negative(product),
            _ => self.is_flag(),
        }
    }
}

/// Whether a product with a positive coefficient is known not to be negative.
pub(super) fn product_is_not_negative(product: &[(Atom, Ratio)]) -> bool {
    let even = |e: &Ratio| e.as_whole().is_some_and(|n| n % 2 == 0);
    // A power that is no whole number has a value for bases that are not negative only.
    let root = |e: &Ratio| e.as_whole().is_none();
    product.iter().all(|(atom, e)| even(e) || root(e) || atom.is_not_negative())
}

impl Poly {
    pub(super) fn is_not_negative(&self) -> bool {
        use super::super::op::Unary;
        // The complement of a sigmoid.
        if let [(one, c), (product, d)] = &self.0.iter().collect::<Vec<_>>()[..]
            && one.is_empty()
            && **c == Ratio::ONE
            && **d == Ratio::ONE.minus()
            && matches!(&product[..], [(Atom::Apply(Op::Unary(Unary::Sigmoid), _), e)] if *e == Ratio::ONE)
        {
            return true;
        }
        self.0.iter().all(|(product, c)| !c.is_negative() && product_is_not_negative(product))
    }
}

impl Poly {
    /// The inputs that it mentions.
    #[must_use]
    pub fn inputs(&self) -> Vec<InputId> {
        let mut found = Vec::new();
        let mut products: Vec<&Product> = self.0.keys().collect();
        while let Some(product) = products.pop() {
            for (atom, _) in product {
                match atom {
                    Atom::Input(input, _) => found.push(*input),
                    Atom::Exp(inner) | Atom::Sum(_, inner) => products.push(inner),
                    Atom::Log(p) | Atom::Positive(p) | Atom::Zero(p) | Atom::Base(p) | Atom::OneHot(p, _) => products.extend(p.0.keys()),
                    Atom::Apply(_, list) | Atom::Opaque(_, list, _) => products.extend(list.iter().flat_map(|p| p.0.keys())),
                    Atom::Prime(_) | Atom::Constant(_) | Atom::Rows(_) | Atom::Literal(..) | Atom::Delta(..) | Atom::Place { .. } => {}
                }
            }
        }
        found
    }
}
