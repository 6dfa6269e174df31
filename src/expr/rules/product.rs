//! A product taken apart: numbers, factors and divisors, and how it is written again.
//!
//! It decides nothing: which products are worth rewriting is in `scale` and `residuals`.

use super::identities::shaped;
use super::pattern::is_mean;
use crate::expr::graph::{Graph, Id};
use crate::expr::op::{Binary, Op, Reduce, Unary};
use crate::expr::print::reduced_whole;
use crate::shape::{DataId, Dim};

/// How many factors are looked at; longer products stay as they are.
pub(super) const MOST: usize = 12;

/// `factor/divisor * over[0]*over[1].. / under[0]/under[1]..`
#[derive(Debug, Clone)]
pub(super) struct Product {
    pub(super) factor: f64,
    pub(super) divisor: f64,
    pub(super) over: Vec<Id>,
    pub(super) under: Vec<Id>,
    /// How many numbers, signs and factors it was written with.
    pub(super) written: usize,
}

impl Product {
    pub(super) fn one() -> Self {
        Product { factor: 1.0, divisor: 1.0, over: Vec::new(), under: Vec::new(), written: 0 }
    }

    /// The factors of a node. A mean is one factor.
    pub(super) fn of(g: &Graph, id: Id) -> Self {
        let mut product = Product::one();
        product.times(g, id, false);
        product
    }

    pub(super) fn times(&mut self, g: &Graph, id: Id, inverted: bool) {
        let mut stack = vec![(id, inverted)];
        while let Some((id, inverted)) = stack.pop() {
            let room = self.over.len() + self.under.len() + stack.len() < MOST;
            let node = g.node(id);
            match node.op {
                Op::Unary(Unary::Neg) => {
                    self.written += 1;
                    self.factor = -self.factor;
                    stack.push((node.args[0], inverted));
                    continue;
                }
                Op::Binary(Binary::Mul) if room => {
                    stack.extend([(node.args[1], inverted), (node.args[0], inverted)]);
                    continue;
                }
                Op::Binary(Binary::Div) if room && !is_mean(g, id) => {
                    stack.extend([(node.args[1], !inverted), (node.args[0], inverted)]);
                    continue;
                }
                _ => {}
            }
            self.written += 1;
            match g.as_const(id).filter(|x| x.is_normal()) {
                Some(x) if inverted => self.divisor *= x,
                Some(x) => self.factor *= x,
                None if inverted => self.under.push(id),
                None => self.over.push(id),
            }
        }
    }

    pub(super) fn is_one(&self) -> bool {
        self.factor == 1.0 && self.divisor == 1.0 && self.over.is_empty() && self.under.is_empty()
    }

    /// The numbers in lowest terms, as far as that is exact.
    pub(super) fn reduce_numbers(&mut self) {
        if self.divisor < 0.0 {
            (self.factor, self.divisor) = (-self.factor, -self.divisor);
        }
        let (a, b) = (self.factor.abs(), self.divisor);
        let exact = |p: f64, q: f64| (p / q).is_normal() && (p / q).mul_add(q, -p) == 0.0;
        if b == 1.0 || a == 1.0 {
        } else if exact(b, a) && (b / a).fract() == 0.0 {
            (self.factor, self.divisor) = (1f64.copysign(self.factor), b / a);
        } else if exact(a, b) {
            (self.factor, self.divisor) = (self.factor / b, 1.0);
        }
    }

    pub(super) fn is_representable(&self) -> bool {
        self.factor.is_normal() && self.divisor.is_normal()
    }

    /// How many numbers and factors it takes to write it.
    pub(super) fn length(&self) -> usize {
        let sign_only = self.over.is_empty() && self.factor.abs() == 1.0;
        usize::from(self.factor != 1.0) + usize::from(self.divisor != 1.0) + usize::from(sign_only) + self.over.len() + self.under.len()
    }

    /// Writes it: numbers first, then scalars, then arrays; scalar divisors last, so that `sum(x)/n` stays a mean.
    pub(super) fn build(mut self, g: &mut Graph) -> Id {
        self.reduce_numbers_beside_means(g);
        let scalar = |g: &Graph, id: &Id| g.shape(*id).is_scalar();
        let (mut factors, arrays): (Vec<Id>, Vec<Id>) = self.over.iter().partition(|id| scalar(g, id));
        let (under_scalars, under_arrays): (Vec<Id>, Vec<Id>) = self.under.iter().partition(|id| scalar(g, id));
        factors.extend(arrays);
        let negative = self.factor == -1.0 && !factors.is_empty();
        if (self.factor != 1.0 && !negative) || factors.is_empty() {
            factors.insert(0, g.number(self.factor));
        }
        let mut result = factors[0];
        for &factor in &factors[1..] {
            result = g.binary(Binary::Mul, result, factor);
        }
        for divisor in under_arrays.into_iter().chain(under_scalars) {
            result = g.binary(Binary::Div, result, divisor);
        }
        if self.divisor != 1.0 {
            let divisor = g.number(self.divisor);
            result = g.binary(Binary::Div, result, divisor);
        }
        if negative { g.unary(Unary::Neg, result) } else { result }
    }

    /// Puts each sum together with its count, where that is among the divisors; what is left of the numbers is reduced.
    fn reduce_numbers_beside_means(&mut self, g: &mut Graph) {
        for at in 0..self.over.len() {
            if let Some((size, rows)) = self.mean_of(g, self.over[at]) {
                self.divisor /= size;
                for data in &rows {
                    let count = g.add(Op::RowCount(*data), &[]);
                    if let Some(place) = self.under.iter().position(|&id| id == count) {
                        self.under.remove(place);
                    }
                }
                let mut count = None;
                for data in rows {
                    let n = g.add(Op::RowCount(data), &[]);
                    count = Some(count.map_or(n, |c| g.binary(Binary::Mul, c, n)));
                }
                let count = match count {
                    None => g.number(size),
                    Some(count) if size == 1.0 => count,
                    Some(count) => {
                        let size = g.number(size);
                        g.binary(Binary::Mul, count, size)
                    }
                };
                self.over[at] = g.binary(Binary::Div, self.over[at], count);
            }
        }
        self.reduce_numbers();
    }

    /// The count of a sum, fixed sizes and row dimensions, if the divisors contain it.
    pub(super) fn mean_of(&self, g: &Graph, sum: Id) -> Option<(f64, Vec<DataId>)> {
        let Op::Reduce(Reduce::Sum, axis) = g.node(sum).op else { return None };
        let inner = g.node(sum).args[0];
        let along = vec![g.shape(inner).0[axis]];
        let whole = reduced_whole(g, sum, Reduce::Sum, |_| false).map(|x| g.shape(x).0.clone());
        whole.into_iter().chain([along]).find_map(|dims| {
            let mut size = 1f64;
            let mut rows = Vec::new();
            for dim in dims {
                match dim {
                    Dim::Size(n) => size *= n as f64,
                    Dim::Rows(data) => rows.push(data),
                }
            }
            let mut left = self.under.clone();
            for data in &rows {
                let place = left.iter().position(|&id| g.node(id).op == Op::RowCount(*data))?;
                left.remove(place);
            }
            // A divisor that happens to be a multiple of a fixed size says nothing.
            let divides = self.divisor == size || (!rows.is_empty() && self.divisor % size == 0.0);
            (size > 0.0 && divides && (size > 1.0 || !rows.is_empty())).then_some((size, rows))
        })
    }
}

/// Rebuilds a product after a change, in the shape of the node it comes from.
pub(super) fn rebuilt(g: &mut Graph, product: Product, id: Id) -> Option<Id> {
    if !product.is_representable() {
        return None;
    }
    let new = product.build(g);
    shaped(g, new, id).filter(|&new| new != id)
}
