//! Bits of error before and after each stability rule, against twice the precision.
//!
//! What the rules look for is tested with the examples.

use optrun::expr::eval::{Tensor, evaluate};
use optrun::expr::rewrite::{Options, rewrite};
use optrun::expr::rules::{self, Kind};
use optrun::shape::RowCounts;

use super::precise::{self, Twice, twice};
use super::{inputs, reader};

/// A rule, an expression in the scalars `a` and `b`, the largest argument (the smallest is 1e-12 of it), whether it may be negative, and the truth.
type Reference = (&'static str, &'static str, f64, bool, fn(Twice, Twice) -> Twice);

/// `log(exp(a) + exp(b))`; nan where the sum is near 1: there both sides of the rules are as far off as the last bit of the sum.
fn log_sum(a: Twice, b: Twice) -> Twice {
    let sum = if a.0 > b.0 { a + (b - a).exp().ln_1p() } else { b + (a - b).exp().ln_1p() };
    if sum.0.abs() < 0.5 || sum.0.abs() * 4.0 < a.0.max(b.0).abs() { twice(f64::NAN) } else { sum }
}

/// `log((exp(a) + exp(b))/2)`, with the same exception.
fn log_mean(a: Twice, b: Twice) -> Twice {
    let mean = log_sum(a, b) - twice(2.0).ln();
    if mean.0.abs() < 0.5 { twice(f64::NAN) } else { mean }
}

/// `log(exp(a)/(exp(a) + exp(b)))`, with the same exception.
fn log_share(a: Twice, b: Twice) -> Twice {
    let log = -(b - a).softplus();
    if log.0.abs() < 0.5 { twice(f64::NAN) } else { log }
}

const REFERENCES: &[Reference] = &[
    ("one minus sigmoid", "1 - sigmoid(a)", 700.0, true, |a, _| (-a).sigmoid()),
    ("one minus sigmoid", "sigmoid(a) - 1", 700.0, true, |a, _| -(-a).sigmoid()),
    ("sigmoid", "1/(1 + exp(-a))", 600.0, true, |a, _| a.sigmoid()),
    ("sigmoid", "exp(a)/(1 + exp(a))", 1200.0, true, |a, _| a.sigmoid()),
    ("sigmoid", "b/(1 + exp(a))", 700.0, true, |a, b| b * (-a).sigmoid()),
    ("tanh", "(exp(a) - exp(-a))/(exp(a) + exp(-a))", 300.0, true, |a, _| a.tanh()),
    ("slope of tanh", "1 - tanh(a)^2", 300.0, true, |a, _| twice(4.0) * (a + a).sigmoid() * (-(a + a)).sigmoid()),
    ("slope of sigmoid", "sigmoid(a)*(1 - sigmoid(a))", 300.0, true, |a, _| a.sigmoid() * (-a).sigmoid()),
    ("log of sigmoid", "log(sigmoid(a))", 600.0, true, |a, _| -(-a).softplus()),
    ("log of sigmoid", "log(1 - sigmoid(a))", 600.0, true, |a, _| -a.softplus()),
    ("log of exp", "log(exp(a))", 1000.0, true, |a, _| a),
    ("log of a sum of exp", "log(sum(exp(stack(a, b))))", 1200.0, true, log_sum),
    ("log of a mean of exp", "log(mean(exp(stack(a, b))))", 1200.0, true, log_mean),
    ("softmax", "(exp(stack(a, b))/sum(exp(stack(a, b))))[0]", 300.0, true, |a, b| (a - b).sigmoid()),
    ("shifted softmax", "softmax(stack(a, b) - max(stack(a, b)))[0]", 300.0, true, |a, b| (a - b).sigmoid()),
    ("log of softmax", "log(softmax(stack(a, b)))[0]", 1000.0, true, log_share),
    ("less its logsumexp", "(stack(a, b) - logsumexp(stack(a, b)))[0]", 600.0, true, log_share),
    ("log of a choice", "log(softmax(stack(a, b))[0])", 600.0, true, log_share),
    ("softplus", "log1p(exp(a))", 1200.0, true, |a, _| a.softplus()),
    ("softplus", "log(1 + exp(a))", 1200.0, true, |a, _| a.softplus()),
    ("softplus less its argument", "softplus(a) - a", 600.0, true, |a, _| (-a).softplus()),
    ("log1p", "log(1 + a)", 1e6, false, |a, _| a.ln_1p()),
    ("log1p", "log(1 - a)", 0.99, true, |a, _| (-a).ln_1p()),
    ("expm1", "exp(a) - 1", 600.0, true, |a, _| a.expm1()),
    ("expm1", "1 - exp(a)", 600.0, true, |a, _| -a.expm1()),
    ("one minus cos", "1 - cos(a)", 3.0, true, |a, _| {
        let sine = (a / twice(2.0)).sin();
        twice(2.0) * sine * sine
    }),
    ("norm squared", "norm(stack(a, b))^2", 1e6, true, |a, b| a * a + b * b),
    ("0 log 0", "a*log(a)", 1e6, false, |a, _| a * a.ln()),
];

#[test]
fn stability_rules_only_improve() {
    let numbers = |tensor: &Tensor| tensor.iter().copied().collect::<Vec<f64>>();
    for &(name, text, largest, negative, truth) in REFERENCES {
        let mut g = inputs();
        let before = reader::read(&mut g, text, &[]);
        let (after, report) = rewrite(&mut g, &[before], &Options::default());
        assert!(report.firings.iter().any(|firing| firing.rule.name == name), "`{name}` leaves {text} alone");
        let (mut state, mut worse, mut worst, mut count) = (1u64, 0.0, 0.0f64, 0);
        let mut uniform = || {
            // Knuth's linear congruential generator; the upper bits.
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut number = || {
            // Half of the points on a logarithmic scale, half on a linear one.
            let size = if uniform() < 0.5 { largest * core_math::exp2(-40.0 * uniform()) } else { largest * uniform() };
            if negative && uniform() < 0.5 { -size } else { size }
        };
        for _ in 0..6000 {
            let (a, b) = (number(), number());
            let exact = truth(twice(a), twice(b));
            if !exact.0.is_finite() || exact.0.abs() < 1e-290 {
                continue;
            }
            let value = |input| {
                let name = &g.input_info(input).name;
                (name == "a" || name == "b").then(|| ndarray::arr0(if name == "a" { a } else { b }).into_dyn())
            };
            // What one unit in the last place of the arguments does to the result is nobody's fault.
            let next = |x: f64| twice(f64::from_bits(x.to_bits() + 1));
            let moved = (truth(next(a), twice(b)) - exact).0.abs() + (truth(twice(a), next(b)) - exact).0.abs();
            let values = evaluate(&g, &[before, after[0]], &value, &RowCounts::default()).expect("all inputs given");
            let [old, new] = [0, 1].map(|at: usize| precise::bits_wrong(numbers(&values[at])[0], exact, moved));
            worse += new - old;
            worst = worst.max(new - old);
            count += 1;
        }
        assert!(count >= 2000, "`{name}`: {count} points");
        let average = worse / f64::from(count);
        assert!(average <= 0.5 && worst <= 3.0, "`{name}` on {text}: {average} bits worse on average, {worst} at worst");
        println!("{name:28} {text:50} {average:8.3} bits on average, {worst:.2} at worst");
    }
    // Which element is picked changes no bits of it.
    let unmeasured: Vec<&str> = rules::table()
        .filter(|rule| rule.kind == Kind::Stable && REFERENCES.iter().all(|(name, ..)| *name != rule.name))
        .map(|rule| rule.name)
        .collect();
    assert_eq!(unmeasured, ["pick"]);
}

#[test]
fn a_residual_is_exact_beside_one() {
    let mut g = inputs();
    let before = reader::read(&mut g, "(1 - y)*sigmoid(x) - y*sigmoid(-x)", &[]);
    let (after, _) = rewrite(&mut g, &[before], &Options::default());
    let xs: Vec<f64> = (-400..400).map(|i| f64::from(i) / 7.0).collect();
    for y in [0.0, 1.0, 0.25] {
        let value = |input| match &g.input_info(input).name[..] {
            "x" => Some(ndarray::arr1(&xs).into_dyn()),
            "y" => Some(ndarray::Array1::from_elem(xs.len(), y).into_dyn()),
            _ => None,
        };
        let values = evaluate(&g, &after, &value, &RowCounts(vec![xs.len()])).expect("all inputs given");
        for (&x, &found) in xs.iter().zip(&values[0]) {
            let truth = twice(x).sigmoid() - twice(y);
            assert!((found - truth.0).abs() <= 3e-16, "{x} {y}: {found}");
        }
    }
}
