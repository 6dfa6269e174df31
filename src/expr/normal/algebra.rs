//! Sums, products and powers of normal forms, and what stands for what in a product.
//!
//! Functions are in `functions`, summed indices in `sums`.

use std::collections::BTreeMap;

use super::super::op::{Op, Unary};
use super::ratio::Ratio;
use super::term::{Atom, Idx, Poly, Product, product_is_not_negative};

/// The most factors of a power that is written out.
const LARGEST_POWER: i128 = 8;

/// How many products may wait for one another.
const DEEPEST: u32 = 60;

/// The largest prime that is looked for in a number under a root.
const LARGEST_PRIME: i128 = 10_000;

/// The work on normal forms: how much more may be done, and which indices are taken. `None` everywhere means: given up.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) fuel: u64,
    /// How many products are being worked on, one for the other.
    pub(super) depth: u32,
    pub(super) temps: u32,
}

/// `sigmoid(z)` as an atom, if it is one.
fn sigmoid_of(atom: &Atom) -> Option<&Poly> {
    if let Atom::Apply(Op::Unary(Unary::Sigmoid), args) = atom { args.first() } else { None }
}

impl Work {
    pub(super) fn spend(&mut self, amount: usize) -> Option<()> {
        self.fuel = self.fuel.checked_sub(amount as u64 + 1)?;
        Some(())
    }

    pub(super) fn temp(&mut self) -> Idx {
        self.temps += 1;
        Idx::Temp(self.temps)
    }

    pub(super) fn mul(&mut self, a: &Poly, b: &Poly) -> Option<Poly> {
        let mut sum = Poly::zero();
        for (left, c) in &a.0 {
            for (right, d) in &b.0 {
                let factors = left.iter().chain(right).cloned().collect();
                let product = self.product(factors)?;
                sum = sum.plus(&product, c.times(*d)?)?;
            }
        }
        Some(sum)
    }

    pub(super) fn mul_all(&mut self, list: &[Poly]) -> Option<Poly> {
        let mut product = Poly::one();
        for factor in list {
            product = self.mul(&product, factor)?;
        }
        Some(product)
    }

    /// The product of atoms, with everything replaced that stands for something else.
    pub(super) fn product(&mut self, factors: Product) -> Option<Poly> {
        if self.depth > DEEPEST {
            return None;
        }
        self.depth += 1;
        let product = self.reduced(factors);
        self.depth -= 1;
        product
    }

    fn reduced(&mut self, factors: Product) -> Option<Poly> {
        self.spend(factors.len())?;
        let mut map: BTreeMap<Atom, Ratio> = BTreeMap::new();
        for (atom, e) in factors {
            let sum = map.get(&atom).copied().unwrap_or(Ratio::ZERO).plus(e)?;
            map.insert(atom, sum);
        }
        let mut coefficient = Ratio::ONE;
        for (atom, e) in &mut map {
            if atom.is_flag() && e.as_whole().is_some_and(|n| n > 1) {
                *e = Ratio::ONE;
            }
            if let Atom::Prime(p) = atom {
                coefficient = coefficient.times(Ratio::whole(*p).power(e.floor())?)?;
                *e = e.plus(Ratio::whole(-e.floor()))?;
            }
        }
        map.retain(|_, e| !e.is_zero());
        let keys: Vec<Atom> = map.keys().cloned().collect();
        for atom in &keys {
            if let Some(poly) = self.replace(&map, atom)? {
                return poly.scaled(coefficient);
            }
        }
        Some(Poly::term(map.into_iter().collect(), coefficient))
    }

    /// What stands for a product because of one of its atoms; the outer `None` means given up.
    #[allow(clippy::option_option, reason = "to give up and to have nothing to replace are different")]
    fn replace(&mut self, map: &BTreeMap<Atom, Ratio>, atom: &Atom) -> Option<Option<Poly>> {
        let e = map[atom];
        let whole = e.as_whole();
        let two = Ratio::whole(2);
        match atom {
            Atom::Base(p) if !e.is_negative() && e.floor() >= 1 => {
                let rest = self.changed(map, &[(atom, e.plus(Ratio::whole(-e.floor()))?)])?;
                let power = self.pow(p, Ratio::whole(e.floor()))?;
                return self.mul(&rest, &power).map(Some);
            }
            Atom::Base(p) if whole.is_some_and(|n| n < 0) => return self.divide(map, atom, p, e),
            Atom::Zero(p) => {
                if map.contains_key(&Atom::Positive(p.clone())) {
                    return Some(Some(Poly::zero()));
                }
                return self.where_zero(map, p);
            }
            Atom::Apply(Op::Unary(Unary::Abs), args) if whole.is_some_and(|n| n >= 2) => {
                let rest = self.changed(map, &[(atom, e.plus(two.minus())?)])?;
                let square = self.pow(&args[0], two)?;
                return self.mul(&rest, &square).map(Some);
            }
            Atom::Apply(Op::Unary(Unary::Sign), args) if whole.is_some_and(|n| n >= 1) => {
                let size = Atom::Apply(Op::Unary(Unary::Abs), args.clone());
                if let Some(f) = map.get(&size).filter(|f| f.as_whole().is_some_and(|n| n >= 1)) {
                    let one = Ratio::ONE.minus();
                    let rest = self.changed(map, &[(atom, e.plus(one)?), (&size, f.plus(one)?)])?;
                    return self.mul(&rest, &args[0]).map(Some);
                }
            }
            Atom::Apply(Op::Unary(Unary::Cos), args) if whole.is_some_and(|n| !(0..2).contains(&n)) => {
                // cos^2 = 1 - sin^2; above a power of cos the other way round.
                let sin = Atom::Apply(Op::Unary(Unary::Sin), args.clone());
                let f = map.get(&sin).copied().unwrap_or(Ratio::ZERO);
                if !e.is_negative() {
                    let rest = self.changed(map, &[(atom, e.plus(two.minus())?)])?;
                    let other = self.changed(map, &[(atom, e.plus(two.minus())?), (&sin, f.plus(two)?)])?;
                    return rest.plus(&other, Ratio::ONE.minus()).map(Some);
                }
                if f.as_whole().is_some_and(|n| n >= 2) {
                    let rest = self.changed(map, &[(&sin, f.plus(two.minus())?)])?;
                    let other = self.changed(map, &[(&sin, f.plus(two.minus())?), (atom, e.plus(two)?)])?;
                    return rest.plus(&other, Ratio::ONE.minus()).map(Some);
                }
            }
            Atom::Apply(Op::Unary(Unary::Sigmoid), args) if whole.is_some_and(|n| n >= 1) => {
                return self.sigmoid_with_exp(map, atom, &args[0], e);
            }
            _ => {}
        }
        Some(None)
    }

    /// `E*s = E - s` and `s/E = 1 - s` for `s = sigmoid(z)`, `E = exp(z)`.
    #[allow(clippy::option_option, reason = "to give up and to have nothing to replace are different")]
    fn sigmoid_with_exp(&mut self, map: &BTreeMap<Atom, Ratio>, atom: &Atom, z: &Poly, e: Ratio) -> Option<Option<Poly>> {
        if !map.keys().any(|a| matches!(a, Atom::Exp(_))) {
            return Some(None);
        }
        let exp = self.exp(z)?;
        let Some((needed, one)) = exp.single() else { return Some(None) };
        if one != Ratio::ONE || !needed.iter().all(|(a, _)| matches!(a, Atom::Exp(_))) {
            return Some(None);
        }
        for sign in [Ratio::ONE, Ratio::ONE.minus()] {
            let covers = |(a, n): &(Atom, Ratio)| {
                let have = map.get(a).copied().unwrap_or(Ratio::ZERO);
                let quotient = n.times(sign).and_then(Ratio::inverse).and_then(|i| have.times(i));
                quotient.is_some_and(|q| q >= Ratio::ONE && q.floor() >= 1)
            };
            if !needed.iter().all(covers) {
                continue;
            }
            let mut new: Vec<(&Atom, Ratio)> = vec![(atom, e.plus(Ratio::ONE.minus())?)];
            for (a, n) in needed {
                new.push((a, map[a].plus(n.times(sign)?.minus())?));
            }
            let rest = self.changed(map, &new)?;
            let first = if sign == Ratio::ONE { exp.clone() } else { Poly::one() };
            let with = first.plus(&Poly::atom(atom.clone()), Ratio::ONE.minus())?;
            return self.mul(&rest, &with).map(Some);
        }
        Some(None)
    }

    /// One step of the division by a sum of terms that stands below a fraction bar, when its leading term divides the product.
    #[allow(clippy::option_option, reason = "to give up and to have nothing to replace are different")]
    fn divide(&mut self, map: &BTreeMap<Atom, Ratio>, base: &Atom, p: &Poly, e: Ratio) -> Option<Option<Poly>> {
        let Some((lead, c)) = leading(p) else { return Some(None) };
        let divides = |(a, n): &(Atom, Ratio)| !n.is_negative() && map.get(a).is_some_and(|have| have >= n && have.floor() >= n.floor());
        if lead.is_empty()
            || !lead.iter().all(divides)
            || !lead.iter().all(|(a, n)| map[a].plus(n.minus()).is_some_and(|d| !d.is_negative()))
        {
            return Some(None);
        }
        let mut new: Vec<(&Atom, Ratio)> = Vec::new();
        for (a, n) in lead {
            new.push((a, map[a].plus(n.minus())?));
        }
        let below = self.changed(map, &new)?;
        new.push((base, e.plus(Ratio::ONE)?));
        let cancelled = self.changed(map, &new)?;
        let rest = p.clone().plus(&Poly::term(lead.clone(), c), Ratio::ONE.minus())?;
        let remainder = self.mul(&below, &rest)?;
        cancelled.plus(&remainder, Ratio::ONE.minus())?.scaled(c.inverse()?).map(Some)
    }

    /// A product where `p = 0`, without the leading term of `p`.
    #[allow(clippy::option_option, reason = "to give up and to have nothing to replace are different")]
    fn where_zero(&mut self, map: &BTreeMap<Atom, Ratio>, p: &Poly) -> Option<Option<Poly>> {
        let Some((lead, c)) = leading(p) else { return Some(None) };
        let left = |(a, n): &(Atom, Ratio)| map.get(a).and_then(|have| have.plus(n.minus()));
        if lead.is_empty() || lead.iter().any(|x| x.1.is_negative() || left(x).is_none_or(Ratio::is_negative)) {
            return Some(None);
        }
        let mut new: Vec<(&Atom, Ratio)> = Vec::new();
        for x in lead {
            new.push((&x.0, left(x)?));
        }
        let below = self.changed(map, &new)?;
        let rest = p.clone().plus(&Poly::term(lead.clone(), c), Ratio::ONE.minus())?;
        self.mul(&below, &rest)?.scaled(c.inverse()?.minus()).map(Some)
    }

    /// The product with other exponents of some atoms.
    fn changed(&mut self, map: &BTreeMap<Atom, Ratio>, new: &[(&Atom, Ratio)]) -> Option<Poly> {
        let mut changed = map.clone();
        for (atom, e) in new {
            changed.insert((*atom).clone(), *e);
        }
        self.product(changed.into_iter().collect())
    }

    /// A power with a constant exponent.
    pub(super) fn pow(&mut self, p: &Poly, r: Ratio) -> Option<Poly> {
        self.spend(p.0.len())?;
        if r.is_zero() {
            return Some(Poly::one());
        }
        if r == Ratio::ONE {
            return Some(p.clone());
        }
        if p.is_zero() {
            return if r.is_negative() { None } else { Some(Poly::zero()) };
        }
        if let Some((product, c)) = p.single() {
            return self.pow_of_product(&product.clone(), c, r);
        }
        match r.as_whole() {
            Some(n) if n > LARGEST_POWER => return None,
            Some(n) if n > 0 => {
                let mut power = p.clone();
                for _ in 1..n {
                    power = self.mul(&power, p)?;
                }
                return Some(power);
            }
            Some(n) => {
                if let Some(inverse) = self.inverse_of_sigmoids(p)? {
                    return self.pow(&inverse, Ratio::whole(-n));
                }
            }
            None => {}
        }
        self.pow_of_sum(p, r)
    }

    /// `1/(1 - sigmoid(z)) = 1 + exp(z)`, and back.
    #[allow(clippy::option_option, reason = "to give up and to have nothing to replace are different")]
    fn inverse_of_sigmoids(&mut self, p: &Poly) -> Option<Option<Poly>> {
        let terms: Vec<(&Product, &Ratio)> = p.0.iter().collect();
        let [(a, c), (b, d)] = terms[..] else { return Some(None) };
        if let ([], [(s, e)]) = (&a[..], &b[..])
            && *e == Ratio::ONE
            && *d == c.minus()
            && let Some(z) = sigmoid_of(s)
        {
            let exp = self.exp(&z.clone())?;
            return Poly::one().plus(&exp, Ratio::ONE)?.scaled(c.inverse()?).map(Some);
        }
        // 1 - sin(x)^2 = cos(x)^2
        if let ([], [(Atom::Apply(Op::Unary(Unary::Sin), args), e)]) = (&a[..], &b[..])
            && *e == Ratio::whole(2)
            && *d == c.minus()
        {
            let cos = Atom::Apply(Op::Unary(Unary::Cos), args.clone());
            return self.product(vec![(cos, Ratio::whole(-2))])?.scaled(c.inverse()?).map(Some);
        }
        // exp(u) + exp(v) = exp(u)*(1 + exp(v - u))
        let exponent = |product: &Product| -> Option<Poly> {
            let mut sum = Poly::zero();
            for (atom, e) in product {
                let Atom::Exp(inner) = atom else { return None };
                sum.add(inner.clone(), *e)?;
            }
            Some(sum)
        };
        if c == d
            && let (Some(u), Some(v)) = (exponent(a), exponent(b))
        {
            let difference = v.plus(&u, Ratio::ONE.minus())?;
            let s = Work::sigmoid(&difference.scaled(Ratio::ONE.minus())?)?;
            let below = self.exp(&u.scaled(Ratio::ONE.minus())?)?;
            return self.mul(&s, &below)?.scaled(c.inverse()?).map(Some);
        }
        Some(None)
    }

    fn pow_of_product(&mut self, product: &Product, c: Ratio, r: Ratio) -> Option<Poly> {
        if let Some(n) = r.as_whole() {
            let mut factors = vec![Poly::number(c.power(n)?)];
            let mut plain: Product = Vec::new();
            for (atom, e) in product {
                let power = e.times(r)?;
                match sigmoid_of(atom) {
                    // 1/sigmoid(z) = 1 + exp(-z)
                    Some(z) if power.as_whole().is_some_and(|n| n < 0) => {
                        let exp = self.exp(&z.scaled(Ratio::ONE.minus())?)?;
                        let inverse = Poly::one().plus(&exp, Ratio::ONE)?;
                        factors.push(self.pow(&inverse, power.minus())?);
                    }
                    _ => plain.push((atom.clone(), power)),
                }
            }
            factors.push(self.product(plain)?);
            return self.mul_all(&factors);
        }
        let mut outside: Vec<Poly> = vec![self.root_of_number(c.abs(), r)?];
        let mut plain: Product = Vec::new();
        let mut inside: Product = Vec::new();
        for (atom, e) in product {
            let power = e.times(r)?;
            if e.as_whole().is_none() || atom.is_not_negative() {
                plain.push((atom.clone(), power));
            } else if e.as_whole().is_some_and(|n| n % 2 == 0) {
                let size = self.abs(&Poly::atom(atom.clone()))?;
                outside.push(self.pow(&size, power)?);
            } else {
                inside.push((atom.clone(), *e));
            }
        }
        let sign = if c.is_negative() { Ratio::ONE.minus() } else { Ratio::ONE };
        match &inside[..] {
            [] if c.is_negative() => return None,
            [] => {}
            [(atom, e)] if !c.is_negative() => plain.push((atom.clone(), e.times(r)?)),
            _ => plain.push((Atom::Base(Box::new(Poly::term(inside, sign))), r)),
        }
        outside.push(self.product(plain)?);
        self.mul_all(&outside)
    }

    fn pow_of_sum(&mut self, p: &Poly, r: Ratio) -> Option<Poly> {
        let whole = r.as_whole();
        let (content, common, mut rest) = self.primitive(p, whole.is_some())?;
        let mut factors = vec![match whole {
            Some(n) => Poly::number(content.power(n)?),
            None => self.root_of_number(content, r)?,
        }];
        factors.push(self.pow_of_product(&common, Ratio::ONE, r)?);
        if let Some(n) = whole
            && rest.0.values().next().is_some_and(|c| c.is_negative())
        {
            rest = rest.scaled(Ratio::ONE.minus())?;
            factors.push(Poly::number(Ratio::whole(if n % 2 == 0 { 1 } else { -1 })));
        }
        factors.push(self.product(vec![(Atom::Base(Box::new(rest)), r)])?);
        self.mul_all(&factors)
    }

    /// A sum of terms as a positive number, a product that all terms share, and what remains. When it is for a root, only factors that are
    /// known not to be negative are taken out.
    pub(super) fn primitive(&mut self, p: &Poly, any_sign: bool) -> Option<(Ratio, Product, Poly)> {
        let mut shared: Option<BTreeMap<Atom, Ratio>> = None;
        let mut content: Option<(i128, i128)> = None;
        for (product, c) in &p.0 {
            let (num, den) = c.abs().parts();
            content = Some(content.map_or((num, den), |(n, d)| (gcd(n, num), lcm(d, den))));
            let here: BTreeMap<Atom, Ratio> = product.iter().cloned().collect();
            shared = Some(match shared {
                None => here,
                Some(before) => {
                    // An atom that is missing has the exponent 0.
                    let atoms: std::collections::BTreeSet<Atom> = before.keys().chain(here.keys()).cloned().collect();
                    let least = |a: &Atom| {
                        let of = |m: &BTreeMap<Atom, Ratio>| m.get(a).copied().unwrap_or(Ratio::ZERO);
                        let (x, y) = (of(&before), of(&here));
                        let difference = x.plus(y.minus());
                        if difference.is_some_and(Ratio::is_negative) { x } else { y }
                    };
                    atoms.iter().map(|a| (a.clone(), least(a))).filter(|(_, e)| !e.is_zero()).collect()
                }
            });
        }
        let (num, den) = content.unwrap_or((1, 1));
        let content = Ratio::new(num.max(1), den.max(1))?;
        let usable = |atom: &Atom, e: &Ratio| {
            let clean = !matches!(atom, Atom::Apply(Op::Unary(Unary::Sigmoid), _)) && !atom.is_flag();
            clean && (any_sign || product_is_not_negative(&[(atom.clone(), *e)]))
        };
        let common: Product = shared.unwrap_or_default().into_iter().filter(|(a, e)| usable(a, e)).collect();
        let inverse: Product = common.iter().map(|(a, e)| (a.clone(), e.minus())).collect();
        let by = Poly::term(inverse, content.inverse()?);
        let rest = self.mul(p, &by)?;
        Some((content, common, rest))
    }

    /// A power of a positive fraction, as a fraction and roots of primes.
    fn root_of_number(&mut self, c: Ratio, r: Ratio) -> Option<Poly> {
        let mut product: Product = Vec::new();
        let (num, den) = c.parts();
        for (n, sign) in [(num, Ratio::ONE), (den, Ratio::ONE.minus())] {
            for (prime, times) in primes(n)? {
                product.push((Atom::Prime(prime), Ratio::whole(times).times(r)?.times(sign)?));
            }
        }
        self.product(product)
    }

    /// The logarithm of a positive fraction, by primes.
    pub(super) fn log_of_number(c: Ratio) -> Option<Poly> {
        let mut sum = Poly::zero();
        let (num, den) = c.parts();
        for (n, sign) in [(num, 1), (den, -1)] {
            for (prime, times) in primes(n)? {
                let log = Atom::Log(Box::new(Poly::number(Ratio::whole(prime))));
                sum.add(vec![(log, Ratio::ONE)], Ratio::whole(times * sign))?;
            }
        }
        Some(sum)
    }
}

/// The term of the highest degree, and its coefficient.
fn leading(p: &Poly) -> Option<(&Product, Ratio)> {
    let degree = |product: &Product| product.iter().map(|(_, e)| e.as_whole().unwrap_or(1)).sum::<i128>();
    p.0.iter().max_by_key(|(product, _)| (degree(product), (*product).clone())).map(|(product, c)| (product, *c))
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn lcm(a: i128, b: i128) -> i128 {
    (a / gcd(a, b).max(1)).checked_mul(b).unwrap_or(1)
}

/// The primes of a whole number; what is left above the largest counts as one.
fn primes(n: i128) -> Option<Vec<(i128, i128)>> {
    if n <= 0 {
        return None;
    }
    let mut rest = n;
    let mut list = Vec::new();
    let mut p = 2;
    while p * p <= rest && p <= LARGEST_PRIME {
        let mut times = 0;
        while rest % p == 0 {
            rest /= p;
            times += 1;
        }
        if times > 0 {
            list.push((p, times));
        }
        p += 1;
    }
    if rest > 1 {
        list.push((rest, 1));
    }
    Some(list)
}
