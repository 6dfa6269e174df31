//! Elementwise functions of normal forms, and elements of arrays: each has one way to be written.
//!
//! Products are in `algebra`.

use super::super::op::{Binary, Op, Unary};
use super::algebra::Work;
use super::ratio::Ratio;
use super::term::{Atom, Poly, Product, product_is_not_negative};

impl Poly {
    /// Whether the sign is turned in the canonical form.
    fn begins_with_minus(&self) -> bool {
        self.0.values().next().is_some_and(|c| c.is_negative())
    }
}

impl Work {
    /// `exp`: a product with a factor for each term.
    pub(super) fn exp(&mut self, p: &Poly) -> Option<Poly> {
        let mut factors = Vec::new();
        for (product, &c) in &p.0 {
            let minus = Ratio::ONE.minus();
            factors.push(match &product[..] {
                [(Atom::Log(inner), e)] if *e == Ratio::ONE && (inner.is_not_negative() || c.as_whole().is_some_and(|n| n % 2 == 0)) => {
                    self.pow(inner, c)?
                }
                [(Atom::Apply(Op::Unary(Unary::Softplus), args), e)] if *e == Ratio::ONE && c.as_whole().is_some() => {
                    let above = if c.is_negative() { args[0].scaled(minus)? } else { args[0].clone() };
                    if c.is_negative() {
                        // exp(-softplus(z)) = sigmoid(-z)
                        let s = Work::sigmoid(&above)?;
                        self.pow(&s, c.minus())?
                    } else {
                        let exp = self.exp(&above)?;
                        let sum = Poly::one().plus(&exp, Ratio::ONE)?;
                        self.pow(&sum, c)?
                    }
                }
                _ => self.product(vec![(Atom::Exp(product.clone()), c)])?,
            });
        }
        self.mul_all(&factors)
    }

    /// The logarithm of the size.
    pub(super) fn log(&mut self, p: &Poly) -> Option<Poly> {
        if p.is_zero() {
            return None;
        }
        if let Some((product, c)) = p.single() {
            let mut sum = Work::log_of_number(c.abs())?;
            for (atom, e) in product.clone() {
                let log = self.log_of_atom(atom)?;
                sum = sum.plus(&log, e)?;
            }
            return Some(sum);
        }
        let (content, common, rest) = self.primitive(p, true)?;
        let mut sum = Work::log_of_number(content)?;
        for (atom, e) in common {
            let log = self.log_of_atom(atom)?;
            sum = sum.plus(&log, e)?;
        }
        let log = Work::log_of_sum(&rest)?;
        sum.plus(&log, Ratio::ONE)
    }

    fn log_of_atom(&mut self, atom: Atom) -> Option<Poly> {
        match atom {
            Atom::Exp(product) => Some(Poly::term(product, Ratio::ONE)),
            Atom::Base(p) => Work::log_of_sum(&p),
            Atom::Apply(Op::Unary(Unary::Sigmoid), args) => {
                let log = Work::softplus(&args[0].scaled(Ratio::ONE.minus())?)?;
                log.scaled(Ratio::ONE.minus())
            }
            Atom::Apply(Op::Unary(Unary::Abs), args) => self.log(&args[0]),
            Atom::Apply(Op::Binary(Binary::Pow), args) => {
                let log = self.log(&args[0])?;
                self.mul(&log, &args[1])
            }
            Atom::Prime(p) => Work::log_of_number(Ratio::whole(p)),
            atom => Some(Poly::atom(Atom::Log(Box::new(Poly::atom(atom))))),
        }
    }

    fn log_of_sum(p: &Poly) -> Option<Poly> {
        let p = if p.begins_with_minus() { p.scaled(Ratio::ONE.minus())? } else { p.clone() };
        let terms: Vec<(&Product, &Ratio)> = p.0.iter().collect();
        if let [(one, c), (product, d)] = terms[..]
            && one.is_empty()
            && *c == Ratio::ONE
        {
            if *d == Ratio::ONE.minus()
                && let [(Atom::Apply(Op::Unary(Unary::Sigmoid), args), e)] = &product[..]
                && *e == Ratio::ONE
            {
                let z = args[0].clone();
                return Work::softplus(&z)?.scaled(Ratio::ONE.minus());
            }
            if *d == Ratio::ONE && product.iter().all(|(a, _)| matches!(a, Atom::Exp(_))) {
                let mut z = Poly::zero();
                for (atom, e) in product {
                    if let Atom::Exp(inner) = atom {
                        z.add(inner.clone(), *e)?;
                    }
                }
                return Work::softplus(&z);
            }
        }
        Some(Poly::atom(Atom::Log(Box::new(p))))
    }

    pub(super) fn sigmoid(z: &Poly) -> Option<Poly> {
        if z.is_zero() {
            return Some(Poly::number(Ratio::HALF));
        }
        if z.begins_with_minus() {
            let other = Poly::atom(Atom::Apply(Op::Unary(Unary::Sigmoid), vec![z.scaled(Ratio::ONE.minus())?]));
            return Poly::one().plus(&other, Ratio::ONE.minus());
        }
        Some(Poly::atom(Atom::Apply(Op::Unary(Unary::Sigmoid), vec![z.clone()])))
    }

    pub(super) fn softplus(z: &Poly) -> Option<Poly> {
        if z.is_zero() {
            return Work::log_of_number(Ratio::whole(2));
        }
        if z.begins_with_minus() {
            // softplus(-z) = softplus(z) - z
            let other = Poly::atom(Atom::Apply(Op::Unary(Unary::Softplus), vec![z.scaled(Ratio::ONE.minus())?]));
            return other.plus(z, Ratio::ONE);
        }
        Some(Poly::atom(Atom::Apply(Op::Unary(Unary::Softplus), vec![z.clone()])))
    }

    pub(super) fn abs(&mut self, p: &Poly) -> Option<Poly> {
        if p.is_not_negative() {
            return Some(p.clone());
        }
        if let Some((product, c)) = p.single() {
            let mut factors = vec![Poly::number(c.abs())];
            for (atom, e) in product.clone() {
                if product_is_not_negative(&[(atom.clone(), e)]) {
                    factors.push(self.product(vec![(atom, e)])?);
                } else {
                    let size = Poly::atom(Atom::Apply(Op::Unary(Unary::Abs), vec![Poly::atom(atom)]));
                    factors.push(self.pow(&size, e)?);
                }
            }
            return self.mul_all(&factors);
        }
        let (content, common, rest) = self.primitive(p, true)?;
        let rest = if rest.begins_with_minus() { rest.scaled(Ratio::ONE.minus())? } else { rest };
        let outside = self.abs(&Poly::term(common, content))?;
        let inside = if rest.is_not_negative() { rest } else { Poly::atom(Atom::Apply(Op::Unary(Unary::Abs), vec![rest])) };
        self.mul(&outside, &inside)
    }

    fn sign(p: &Poly) -> Option<Poly> {
        if let Some(c) = p.as_number() {
            return Some(Poly::number(Ratio::whole(if c.is_zero() {
                0
            } else if c.is_negative() {
                -1
            } else {
                1
            })));
        }
        let positive = Work::by_content(p)?;
        let minus = positive.begins_with_minus();
        let arg = if minus { positive.scaled(Ratio::ONE.minus())? } else { positive };
        let atom = Poly::atom(Atom::Apply(Op::Unary(Unary::Sign), vec![arg]));
        atom.scaled(if minus { Ratio::ONE.minus() } else { Ratio::ONE })
    }

    /// A sum of terms divided by the positive number that all its coefficients share.
    fn by_content(p: &Poly) -> Option<Poly> {
        p.scaled(p.0.values().next()?.abs().inverse()?)
    }

    /// 1 where positive.
    pub(super) fn positive(p: &Poly) -> Option<Poly> {
        if let Some(c) = p.as_number() {
            return Some(if c.is_zero() || c.is_negative() { Poly::zero() } else { Poly::one() });
        }
        let p = Work::by_content(p)?;
        if p.begins_with_minus() {
            // Below zero is neither above nor at zero.
            let turned = p.scaled(Ratio::ONE.minus())?;
            let zero = Work::zero(&turned)?;
            let above = Poly::atom(Atom::Positive(Box::new(turned)));
            return Poly::one().plus(&above, Ratio::ONE.minus())?.plus(&zero, Ratio::ONE.minus());
        }
        Some(Poly::atom(Atom::Positive(Box::new(p))))
    }

    /// 1 where zero.
    pub(super) fn zero(p: &Poly) -> Option<Poly> {
        if let Some(c) = p.as_number() {
            return Some(if c.is_zero() { Poly::one() } else { Poly::zero() });
        }
        let p = Work::by_content(p)?;
        let p = if p.begins_with_minus() { p.scaled(Ratio::ONE.minus())? } else { p };
        Some(Poly::atom(Atom::Zero(Box::new(p))))
    }

    /// 1 where not zero: what a condition means.
    pub(super) fn flag(&mut self, p: &Poly) -> Option<Poly> {
        if self.mul(p, p)? == *p {
            return Some(p.clone());
        }
        let zero = Work::zero(p)?;
        Poly::one().plus(&zero, Ratio::ONE.minus())
    }

    /// An elementwise function of one value.
    pub(super) fn unary(&mut self, op: Unary, x: &Poly) -> Option<Poly> {
        let minus = Ratio::ONE.minus();
        let two = Ratio::whole(2);
        match op {
            Unary::Neg => x.scaled(minus),
            Unary::Square => self.pow(x, two),
            Unary::Sqrt | Unary::NormRoot => self.pow(x, Ratio::HALF),
            Unary::Exp => self.exp(x),
            Unary::Expm1 => self.exp(x)?.plus(&Poly::one(), minus),
            Unary::ExpNegAbs => {
                let size = self.abs(x)?;
                self.exp(&size.scaled(minus)?)
            }
            Unary::Log => self.log(x),
            Unary::Log1p => self.log(&Poly::one().plus(x, Ratio::ONE)?),
            Unary::Log2 | Unary::Log10 => {
                let log = self.log(x)?;
                let base = Work::log_of_number(Ratio::whole(if op == Unary::Log2 { 2 } else { 10 }))?;
                let below = self.pow(&base, minus)?;
                self.mul(&log, &below)
            }
            Unary::Sigmoid => Work::sigmoid(x),
            Unary::SigmoidSlope => {
                let s = Work::sigmoid(x)?;
                let square = self.mul(&s, &s)?;
                s.plus(&square, minus)
            }
            Unary::Softplus => Work::softplus(x),
            // tanh(x) = 2*sigmoid(2*x) - 1
            Unary::Tanh => Work::sigmoid(&x.scaled(two)?)?.scaled(two)?.plus(&Poly::one(), minus),
            Unary::TanhSlope => {
                let tanh = self.unary(Unary::Tanh, x)?;
                let square = self.mul(&tanh, &tanh)?;
                Poly::one().plus(&square, minus)
            }
            Unary::Sinh | Unary::Cosh => {
                let (up, down) = (self.exp(x)?, self.exp(&x.scaled(minus)?)?);
                up.plus(&down, if op == Unary::Sinh { minus } else { Ratio::ONE })?.scaled(Ratio::HALF)
            }
            Unary::Tan => {
                let (sin, cos) = (self.unary(Unary::Sin, x)?, self.unary(Unary::Cos, x)?);
                let below = self.pow(&cos, minus)?;
                self.mul(&sin, &below)
            }
            Unary::Relu => {
                let on = Work::positive(x)?;
                self.mul(x, &on)
            }
            Unary::Abs => self.abs(x),
            Unary::Sign => Work::sign(x),
            Unary::Not => {
                let flag = self.flag(x)?;
                Poly::one().plus(&flag, minus)
            }
            Unary::Sin | Unary::Asin | Unary::Atan | Unary::Erf if x.begins_with_minus() => {
                Poly::atom(Atom::Apply(Op::Unary(op), vec![x.scaled(minus)?])).scaled(minus)
            }
            Unary::Cos if x.begins_with_minus() => Some(Poly::atom(Atom::Apply(Op::Unary(op), vec![x.scaled(minus)?]))),
            Unary::Sin | Unary::Asin | Unary::Atan | Unary::Erf if x.is_zero() => Some(Poly::zero()),
            Unary::Cos if x.is_zero() => Some(Poly::one()),
            Unary::Sin | Unary::Cos | Unary::Asin | Unary::Acos | Unary::Atan | Unary::Erf | Unary::Ceil | Unary::Floor | Unary::Round => {
                Some(Poly::atom(Atom::Apply(Op::Unary(op), vec![x.clone()])))
            }
        }
    }

    /// An elementwise function of two values.
    pub(super) fn binary(&mut self, op: Binary, x: &Poly, y: &Poly) -> Option<Poly> {
        let minus = Ratio::ONE.minus();
        match op {
            Binary::Add => x.clone().plus(y, Ratio::ONE),
            Binary::Sub => x.clone().plus(y, minus),
            Binary::Mul => self.mul(x, y),
            Binary::Div => {
                let below = self.pow(y, minus)?;
                self.mul(x, &below)
            }
            Binary::Pow => self.power(x, y),
            Binary::Xlogy => {
                let log = self.log(y)?;
                self.mul(x, &log)
            }
            Binary::And => {
                let (a, b) = (self.flag(x)?, self.flag(y)?);
                self.mul(&a, &b)
            }
            Binary::Or => {
                let (a, b) = (self.flag(x)?, self.flag(y)?);
                let both = self.mul(&a, &b)?;
                a.plus(&b, Ratio::ONE)?.plus(&both, minus)
            }
            Binary::Lt => Work::positive(&y.clone().plus(x, minus)?),
            Binary::Le => {
                let above = Work::positive(&x.clone().plus(y, minus)?)?;
                Poly::one().plus(&above, minus)
            }
            Binary::Eq => Work::zero(&x.clone().plus(y, minus)?),
            Binary::Ne => {
                let same = Work::zero(&x.clone().plus(y, minus)?)?;
                Poly::one().plus(&same, minus)
            }
            Binary::Maximum | Binary::Minimum => {
                let (low, high) = if op == Binary::Maximum { (y, x) } else { (x, y) };
                // y + (x - y)*[x > y]; for the smaller of two y + (x - y)*[y > x]
                let on = Work::positive(&high.clone().plus(low, minus)?)?;
                let difference = x.clone().plus(y, minus)?;
                let moved = self.mul(&difference, &on)?;
                moved.plus(y, Ratio::ONE)
            }
            Binary::Mod => Some(Poly::atom(Atom::Apply(Op::Binary(op), vec![x.clone(), y.clone()]))),
        }
    }

    /// A power with any exponent.
    fn power(&mut self, x: &Poly, y: &Poly) -> Option<Poly> {
        if let Some(r) = y.as_number() {
            return self.pow(x, r);
        }
        if let Some((product, c)) = x.single()
            && c == Ratio::ONE
            && !product.is_empty()
            && product.iter().all(|(a, _)| matches!(a, Atom::Exp(_)))
        {
            let log = self.log(x)?;
            let exponent = self.mul(&log, y)?;
            return self.exp(&exponent);
        }
        if x.as_number() == Some(Ratio::ONE) {
            return Some(Poly::one());
        }
        // x^(n + y) = x^n*x^y for whole n
        let constant = y.0.get(&Vec::new()).copied().unwrap_or(Ratio::ZERO);
        let whole = Ratio::whole(constant.floor());
        let rest = y.clone().plus(&Poly::one(), whole.minus())?;
        let outside = self.pow(x, whole)?;
        let atom = Poly::atom(Atom::Apply(Op::Binary(Binary::Pow), vec![x.clone(), rest]));
        self.mul(&outside, &atom)
    }

    /// `where(c, a, b)`.
    pub(super) fn select(&mut self, condition: &Poly, yes: &Poly, no: &Poly) -> Option<Poly> {
        let flag = self.flag(condition)?;
        // where(r == 0, 0, a/r): the convention of a norm at 0, where a/r has no value.
        if yes.is_zero()
            && let Some((product, c)) = flag.single()
            && c == Ratio::ONE
            && let [(Atom::Zero(r), _)] = &product[..]
            && let Some((below, _)) = r.single()
        {
            let divides = |term: &Product| {
                below.iter().all(|(a, e)| !e.is_negative() && term.iter().any(|(b, f)| a == b && f.is_negative())) && !below.is_empty()
            };
            if no.0.keys().all(divides) {
                return Some(no.clone());
            }
        }
        let (first, other) = (self.mul(&flag, yes)?, Poly::one().plus(&flag, Ratio::ONE.minus())?);
        let second = self.mul(&other, no)?;
        first.plus(&second, Ratio::ONE)
    }
}
