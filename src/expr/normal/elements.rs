//! Elements of arrays, and whole forms at other indices.
//!
//! Functions of them are in `functions`.

use super::super::op::Op;
use super::algebra::Work;
use super::ratio::Ratio;
use super::term::{Atom, Idx, Poly, Product};

impl Work {
    /// 1 where two indices are equal.
    pub(super) fn delta(a: Idx, b: Idx) -> Poly {
        match (a, b) {
            _ if a == b => Poly::one(),
            (Idx::At(_), Idx::At(_)) => Poly::zero(),
            _ => Poly::atom(Atom::Delta(a.min(b), a.max(b))),
        }
    }

    /// 1 where `big = start + step*small`.
    pub(super) fn place(start: usize, step: isize, len: usize, big: Idx, small: Idx) -> Option<Poly> {
        if let Idx::At(k) = small {
            return Some(Work::delta(big, Idx::At(start.checked_add_signed(step.checked_mul(isize::try_from(k).ok()?)?)?)));
        }
        if let Idx::At(k) = big {
            let distance = isize::try_from(k).ok()? - isize::try_from(start).ok()?;
            let inside = step != 0 && distance % step == 0 && usize::try_from(distance / step).is_ok_and(|s| s < len);
            return Some(if inside { Work::delta(small, Idx::At(usize::try_from(distance / step).ok()?)) } else { Poly::zero() });
        }
        Some(Poly::atom(Atom::Place { start, step, len, big, small }))
    }

    /// 1 where a value is an index.
    pub(super) fn onehot(value: &Poly, index: Idx) -> Option<Poly> {
        if let Some(c) = value.as_number() {
            return Some(Work::delta(index, Idx::At(usize::try_from(c.as_whole()?).ok()?)));
        }
        Some(Poly::atom(Atom::OneHot(Box::new(value.clone()), index)))
    }

    /// The same value at other indices.
    pub(super) fn moved(&mut self, p: &Poly, map: &dyn Fn(Idx) -> Idx) -> Option<Poly> {
        let mut used = Vec::new();
        p.indices(&mut used);
        if used.iter().all(|&i| map(i) == i) {
            return Some(p.clone());
        }
        let mut sum = Poly::zero();
        for (product, c) in &p.0 {
            let moved = self.moved_product(product, map)?;
            sum = sum.plus(&moved, *c)?;
        }
        Some(sum)
    }

    pub(super) fn moved_product(&mut self, product: &Product, map: &dyn Fn(Idx) -> Idx) -> Option<Poly> {
        self.spend(product.len())?;
        let mut factors = Vec::new();
        let mut plain: Product = Vec::new();
        for (atom, e) in product {
            match atom {
                Atom::Base(p) => {
                    let p = self.moved(p, map)?;
                    factors.push(self.pow(&p, *e)?);
                }
                Atom::Input(..) => {
                    if let Atom::Input(input, list) = atom {
                        plain.push((Atom::Input(*input, list.iter().map(|&i| map(i)).collect()), *e));
                    }
                }
                _ => {
                    let moved = self.moved_atom(atom, map)?;
                    factors.push(if *e == Ratio::ONE { moved } else { self.pow(&moved, *e)? });
                }
            }
        }
        factors.push(self.product(plain)?);
        self.mul_all(&factors)
    }

    fn moved_atom(&mut self, atom: &Atom, map: &dyn Fn(Idx) -> Idx) -> Option<Poly> {
        let all = |list: &[Idx]| list.iter().map(|&i| map(i)).collect::<Vec<Idx>>();
        Some(match atom {
            Atom::Literal(literal, list) => Work::literal(literal, all(list)),
            Atom::Opaque(op, args, list) => Poly::atom(Atom::Opaque(op.clone(), args.clone(), all(list))),
            Atom::Delta(a, b) => Work::delta(map(*a), map(*b)),
            Atom::Place { start, step, len, big, small } => Work::place(*start, *step, *len, map(*big), map(*small))?,
            Atom::OneHot(value, index) => {
                let value = self.moved(value, map)?;
                Work::onehot(&value, map(*index))?
            }
            Atom::Exp(product) => {
                let inside = self.moved_product(product, map)?;
                self.exp(&inside)?
            }
            Atom::Log(p) => {
                let p = self.moved(p, map)?;
                self.log(&p)?
            }
            Atom::Positive(p) => {
                let p = self.moved(p, map)?;
                Work::positive(&p)?
            }
            Atom::Zero(p) => {
                let p = self.moved(p, map)?;
                Work::zero(&p)?
            }
            Atom::Apply(op, list) => {
                let mut args = Vec::new();
                for p in list {
                    args.push(self.moved(p, map)?);
                }
                match op {
                    Op::Unary(op) => self.unary(*op, &args[0])?,
                    Op::Binary(op) => self.binary(*op, &args[0], &args[1])?,
                    _ => return None,
                }
            }
            Atom::Sum(dims, body) => self.reopened(dims, body, map)?,
            Atom::Prime(_) | Atom::Constant(_) | Atom::Rows(_) | Atom::Input(..) | Atom::Base(_) => Poly::atom(atom.clone()),
        })
    }

    /// An element of an array of numbers.
    pub(super) fn literal(literal: &std::sync::Arc<super::super::op::Literal>, list: Vec<Idx>) -> Poly {
        if let Some(first) = literal.values.first()
            && literal.values.iter().all(|x| x == first)
        {
            return Work::constant(first.value());
        }
        if let [n, m] = literal.sizes[..]
            && n == m
            && literal.values.iter().enumerate().all(|(at, x)| x.value().to_bits() == (if at / n == at % n { 1f64 } else { 0.0 }).to_bits())
        {
            return Work::delta(list[0], list[1]);
        }
        let mut at = Some(0);
        for (index, size) in list.iter().zip(&literal.sizes) {
            at = match (at, index) {
                (Some(at), Idx::At(k)) if k < size => Some(at * size + k),
                _ => None,
            };
        }
        if let Some(x) = at.and_then(|at| literal.values.get(at)) {
            return Work::constant(x.value());
        }
        Poly::atom(Atom::Literal(literal.clone(), list))
    }

    /// A number: a fraction, or a constant with a meaning of its own.
    pub(super) fn constant(x: f64) -> Poly {
        use std::f64::consts::{E, FRAC_2_SQRT_PI, LN_2, LN_10, PI};
        let bits = super::super::op::Bits::of;
        let is = |value: f64| value.to_bits() == x.to_bits();
        if is(E) {
            return Poly::atom(Atom::Exp(Vec::new()));
        }
        if is(FRAC_2_SQRT_PI) {
            return Poly::term(vec![(Atom::Constant(bits(PI)), Ratio::HALF.minus())], Ratio::whole(2));
        }
        for (value, number) in [(LN_2, 2), (LN_10, 10)] {
            if is(value)
                && let Some(log) = Work::log_of_number(Ratio::whole(number))
            {
                return log;
            }
        }
        match Ratio::of(x) {
            Some(ratio) if !is(PI) => Poly::number(ratio),
            _ => Poly::atom(Atom::Constant(bits(x))),
        }
    }
}
