//! Elementary functions: accuracy against correctly rounded values, special values, and the same bits as programs compute at every CPU level.

#![allow(clippy::approx_constant, reason = "the neighbourhoods of constants are the arguments to test")]

use optrun::compile::tape::Lanes;
use optrun::expr::graph::{Graph, Id};
use optrun::expr::op::{Binary, Unary};
use optrun::numeric::dispatch::Level;
use optrun::numeric::elementary as e;

use super::tape::Tape;

/// One function, with what to compare it to.
struct Function {
    name: &'static str,
    own: fn(f64) -> f64,
    unary: Unary,
    exact: Option<fn(f64) -> f64>,
    max_ulp: u64,
    /// Uniform between these bounds.
    ranges: &'static [(f64, f64)],
}

macro_rules! functions {
    ($($name:ident $unary:ident $exact:expr, $ulp:literal, $ranges:expr;)+) => {
        [$(Function { name: stringify!($name), own: e::$name, unary: Unary::$unary, exact: $exact, max_ulp: $ulp, ranges: &$ranges }),+]
    };
}

#[rustfmt::skip]
fn functions() -> [Function; 12] {
    functions! {
        exp Exp Some(core_math::exp), 1, [(-750.0, 712.0), (-1.0, 1.0), (-40.0, 40.0), (-745.2, -707.0)];
        expm1 Expm1 Some(core_math::expm1), 2, [(-750.0, 712.0), (-1.0, 1.0), (-40.0, 2.0), (-0.01, 0.01)];
        ln Log Some(core_math::log), 1, [(0.0, 1e300), (0.0, 10.0), (0.5, 2.0), (0.99, 1.01), (0.0, 1e-307)];
        log1p Log1p Some(core_math::log1p), 2, [(-1.0, 1.0), (-1.0, 1e300), (-0.01, 0.01), (0.0, 10.0), (0.0, 1e17)];
        log2 Log2 Some(core_math::log2), 1, [(0.0, 1e300), (0.0, 10.0), (0.99, 1.01), (0.0, 1e-307)];
        log10 Log10 Some(core_math::log10), 1, [(0.0, 1e300), (0.0, 10.0), (0.99, 1.01), (0.0, 1e-307)];
        tanh Tanh Some(core_math::tanh), 2, [(-1.0, 1.0), (-25.0, 25.0), (-0.01, 0.01), (0.2, 0.6)];
        sin Sin Some(core_math::sin), 2, [(-1.0, 1.0), (-100.0, 100.0), (-1e9, 1e9), (-1e22, 1e22), (3.1415, 3.1416)];
        cos Cos Some(core_math::cos), 2, [(-1.0, 1.0), (-100.0, 100.0), (-1e9, 1e9), (-1e22, 1e22), (1.5707, 1.5708)];
        exp_neg_abs ExpNegAbs Some(|x| core_math::exp(-x.abs())), 1, [(-750.0, 750.0), (-1.0, 1.0)];
        sigmoid Sigmoid None, 2, [(-750.0, 750.0), (-40.0, 40.0), (-1.0, 1.0)];
        softplus Softplus None, 2, [(-750.0, 750.0), (-40.0, 40.0), (-1.0, 1.0)];
    }
}

/// A stream of arguments that depends on nothing but its seed (`SplitMix64`).
struct Arguments(u64);

impl Arguments {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        z ^ (z >> 31)
    }

    fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * ((self.bits() >> 11) as f64 / 9007199254740992.0)
    }
}

/// Some of each range, of any bits and of ordinary exponents, and the edges: 10^5, or as many as `OPTRUN_ARGUMENTS` says.
fn arguments(f: &Function) -> Vec<f64> {
    let mut draw = Arguments(7);
    let mut xs = Vec::new();
    let count: usize = std::env::var("OPTRUN_ARGUMENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let each = count.div_ceil(f.ranges.len() + 2);
    for &(low, high) in f.ranges {
        xs.extend((0..each).map(|_| draw.uniform(low, high)));
    }
    xs.extend((0..each).map(|_| f64::from_bits(draw.bits())));
    xs.extend((0..each).map(|_| f64::from_bits(draw.bits() >> 3 | 0x3800_0000_0000_0000)));
    for x in EDGES {
        xs.extend([x, -x, x.next_up(), x.next_down(), -x.next_up(), -x.next_down()]);
    }
    xs.resize(xs.len().next_multiple_of(8), 1.0);
    xs
}

const EDGES: [f64; 30] = [
    0.0,
    f64::INFINITY,
    f64::NAN,
    f64::MIN_POSITIVE,
    f64::MAX,
    5e-324,
    1e-310,
    1e-300,
    1e-17,
    1e-16,
    1e-8,
    0.5,
    1.0,
    2.0,
    10.0,
    20.0,
    22.0,
    36.7,
    0.34657359027997264,
    0.6931471805599453,
    std::f64::consts::SQRT_2,
    std::f64::consts::FRAC_1_SQRT_2,
    std::f64::consts::FRAC_PI_2,
    std::f64::consts::PI,
    708.3964185322641,
    709.782712893384,
    745.1332191019412,
    1073741824.0,
    9007199254740992.0,
    1.8014398509481984e19,
];

/// How many doubles apart, zero signs apart by one; NaN is at NaN.
fn ulps(a: f64, b: f64) -> u64 {
    if a.is_nan() || b.is_nan() {
        return if a.is_nan() && b.is_nan() { 0 } else { u64::MAX };
    }
    let order = |x: f64| if x.is_sign_negative() { -1 - (x.to_bits() & !(1 << 63)).cast_signed() } else { x.to_bits().cast_signed() };
    order(a).abs_diff(order(b))
}

/// The bits, with one NaN.
fn bits(x: f64) -> u64 {
    if x.is_nan() { 0x7ff8_0000_0000_0000 } else { x.to_bits() }
}

fn worst(xs: &[f64], got: impl Fn(f64) -> f64, exact: impl Fn(f64) -> f64) -> (u64, f64, usize) {
    let mut worst = (0, 0.0, 0);
    for &x in xs {
        let distance = ulps(got(x), exact(x));
        if distance > worst.0 {
            (worst.0, worst.1) = (distance, x);
        }
        worst.2 += usize::from(distance != 0);
    }
    worst
}

#[test]
fn functions_are_as_accurate_as_promised() {
    for f in functions() {
        let Some(exact) = f.exact else { continue };
        let xs = arguments(&f);
        let (distance, at, differing) = worst(&xs, f.own, exact);
        println!("{}: {distance} ulp at {at:e}, {:.2} % not correctly rounded", f.name, 100.0 * differing as f64 / xs.len() as f64);
        assert!(distance <= f.max_ulp, "{}({at:e}) = {:e}, not {:e}: {distance} ulp", f.name, (f.own)(at), exact(at));
    }
}

/// Asserts that programs compute these values, at every level and in one lane or eight.
fn programs_compute(name: &str, args: &[&[f64]], want: &[&[f64]], make: impl Fn(&mut Graph, &[Id]) -> Vec<Id>) {
    for level in Level::available() {
        for lanes in [Lanes::One, Lanes::Eight] {
            let mut tape = Tape::new(args, lanes, level, &make);
            tape.run();
            for (root, want) in want.iter().enumerate() {
                for (i, (got, &want)) in tape.values(root).into_iter().zip(*want).enumerate() {
                    let at: Vec<f64> = args.iter().map(|xs| xs[i]).collect();
                    assert_eq!(bits(got), bits(want), "{name} of {at:?} is {got:e}, not {want:e}, on {} in {lanes:?} lanes", level.name());
                }
            }
        }
    }
}

#[test]
fn programs_have_the_same_bits_at_every_cpu_level() {
    for f in functions() {
        let xs = arguments(&f);
        let want: Vec<f64> = xs.iter().map(|&x| (f.own)(x)).collect();
        programs_compute(f.name, &[&xs], &[&want], |graph, x| vec![graph.unary(f.unary, x[0])]);
    }
}

#[test]
fn the_logistic_family_meets_high_precision_values() {
    let mut worst = [0u64; 2];
    for line in include_str!("../data/logistic.csv").lines().skip(1) {
        let numbers: Vec<f64> = line.split(',').map(|s| f64::from_bits(u64::from_str_radix(s, 16).unwrap())).collect();
        let [x, sigmoid, softplus] = numbers[..] else { panic!("{line}") };
        let distances = [ulps(e::sigmoid(x), sigmoid), ulps(e::softplus(x), softplus)];
        for (worst, distance) in worst.iter_mut().zip(distances) {
            assert!(distance <= 2, "{x:e}: sigmoid, softplus off by {distances:?} ulp");
            *worst = distance.max(*worst);
        }
    }
    println!("sigmoid, softplus: {worst:?} ulp");
}

/// A program that needs several of the family computes one exponential: the same bits as each alone.
#[test]
fn shared_exponentials_give_the_same_bits() {
    let family = functions();
    let xs = arguments(family.last().unwrap());
    let all = |f: fn(f64) -> f64| -> Vec<f64> { xs.iter().map(|&x| f(x)).collect() };
    let (shared, sigmoid, softplus) = (all(e::exp_neg_abs), all(e::sigmoid), all(e::softplus));
    programs_compute("the logistic family", &[&xs], &[&shared, &sigmoid, &softplus], |graph, x| {
        [Unary::ExpNegAbs, Unary::Sigmoid, Unary::Softplus].map(|f| graph.unary(f, x[0])).into()
    });
    for (&x, softplus) in xs.iter().zip(softplus) {
        assert_eq!(bits(softplus), bits(x.max(0.0) + e::log1p(e::exp(-x.abs()))), "softplus({x:e}) as its definition");
    }
}

/// Pairs of ordinary numbers, of any bits, of bases near one with large exponents, and of every two edges.
fn power_arguments() -> (Vec<f64>, Vec<f64>) {
    let mut draw = Arguments(13);
    let mut pairs = Vec::new();
    for _ in 0..30_000 {
        pairs.push((draw.uniform(0.0, 10.0), draw.uniform(-20.0, 20.0)));
        pairs.push((draw.uniform(-10.0, 10.0), draw.uniform(-20.0, 20.0).round()));
        pairs.push((f64::from_bits(draw.bits()), f64::from_bits(draw.bits())));
        pairs.push((1.0 + draw.uniform(-1e-6, 1e-6), draw.uniform(-1e9, 1e9)));
        let x = f64::from_bits(draw.bits() >> 1).min(f64::MAX);
        pairs.push((x, draw.uniform(-1100.0, 1100.0) / core_math::log2(x)));
    }
    for x in EDGES {
        for y in EDGES.into_iter().chain([3.0, 1.5, 4503599627370495.5, 4503599627370497.0, 9007199254740991.0]) {
            pairs.extend([(x, y), (-x, y), (x, -y), (-x, -y)]);
        }
    }
    pairs.resize(pairs.len().next_multiple_of(8), (1.0, 1.0));
    pairs.into_iter().unzip()
}

#[test]
fn pow_is_accurate_and_has_the_special_values_of_c99() {
    let (xs, ys) = power_arguments();
    let mut worst = 0;
    let mut differing = 0;
    for (&x, &y) in xs.iter().zip(&ys) {
        let (got, want) = (e::pow(x, y), core_math::pow(x, y));
        let distance = ulps(got, want);
        assert!(distance <= 2, "pow({x:e}, {y:e}) = {got:e}, not {want:e}: {distance} ulp");
        worst = distance.max(worst);
        differing += usize::from(distance != 0);
    }
    println!("pow: {worst} ulp, {:.2} % not correctly rounded", 100.0 * differing as f64 / xs.len() as f64);
}

#[test]
fn pow_gives_exact_results_exactly() {
    for base in -30..=30i64 {
        let mut want = 1i64;
        for exponent in 0..=40 {
            assert_eq!(e::pow(base as f64, f64::from(exponent)), want as f64, "{base}^{exponent}");
            let Some(next) = want.checked_mul(base).filter(|p| p.abs() <= 1 << 53) else { break };
            want = next;
        }
    }
    for power in -1074..=1023 {
        assert_eq!(e::log2(e::pow(2.0, f64::from(power))), f64::from(power));
    }
    for power in 0..=22 {
        assert_eq!(e::log10(e::pow(10.0, f64::from(power))), f64::from(power));
    }
}

#[test]
fn programs_have_the_same_powers_at_every_cpu_level() {
    let (xs, ys) = power_arguments();
    let want: Vec<f64> = xs.iter().zip(&ys).map(|(&x, &y)| e::pow(x, y)).collect();
    programs_compute("pow", &[&xs, &ys], &[&want], |graph, args| vec![graph.binary(Binary::Pow, args[0], args[1])]);
}

#[test]
fn rare_functions_are_within_an_ulp_or_two() {
    type Rare = (&'static str, fn(f64) -> f64, fn(f64) -> f64, f64, f64);
    let rare: [Rare; 7] = [
        ("tan", e::tan, core_math::tan, -100.0, 100.0),
        ("asin", e::asin, core_math::asin, -1.0, 1.0),
        ("acos", e::acos, core_math::acos, -1.0, 1.0),
        ("atan", e::atan, core_math::atan, -100.0, 100.0),
        ("sinh", e::sinh, core_math::sinh, -20.0, 20.0),
        ("cosh", e::cosh, core_math::cosh, -20.0, 20.0),
        ("erf", e::erf, core_math::erf, -6.0, 6.0),
    ];
    for (name, f, exact, low, high) in rare {
        let mut draw = Arguments(17);
        let xs: Vec<f64> = (0..100_000).map(|_| draw.uniform(low, high)).collect();
        let (distance, at, _) = worst(&xs, f, exact);
        assert!(distance <= 2, "{name}({at:e}): {distance} ulp");
    }
    let mut draw = Arguments(19);
    for _ in 0..100_000 {
        let (y, x) = (draw.uniform(-3.0, 3.0), draw.uniform(-3.0, 3.0));
        assert!(ulps(e::atan2(y, x), core_math::atan2(y, x)) <= 2, "atan2({y:e}, {x:e})");
    }
}
