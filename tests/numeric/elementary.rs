//! Elementary functions: accuracy against correctly rounded values, special values, and the same bits in every form and at every CPU level.

#![allow(clippy::inline_always, reason = "a body must be inlined to be compiled for a CPU level")]
#![allow(clippy::approx_constant, reason = "the neighbourhoods of constants are the arguments to test")]

use optrun::numeric::Octet;
use optrun::numeric::dispatch::Level;
use optrun::numeric::elementary as e;

/// One function in all its forms, with what to compare it to.
struct Function {
    name: &'static str,
    scalar: fn(f64) -> f64,
    inlined: fn(f64) -> f64,
    octets: fn(Level, &mut [Octet]),
    exact: Option<fn(f64) -> f64>,
    max_ulp: u64,
    /// Uniform between these bounds.
    ranges: &'static [(f64, f64)],
}

macro_rules! functions {
    ($($name:ident $one:ident $eight:ident $exact:expr, $ulp:literal, $ranges:expr;)+) => {
        vec![$({
            #[inline(always)]
            fn body(xs: &mut [Octet]) {
                for x in xs {
                    *x = e::$eight(*x);
                }
            }
            optrun::dispatch! { fn octets(xs: &mut [Octet]) = body; }
            Function { name: stringify!($name), scalar: e::$name, inlined: e::$one, octets, exact: $exact, max_ulp: $ulp, ranges: &$ranges }
        }),+]
    };
}

fn functions() -> Vec<Function> {
    functions! {
        exp exp1 exp8 Some(core_math::exp), 1, [(-750.0, 712.0), (-1.0, 1.0), (-40.0, 40.0), (-745.2, -707.0)];
        expm1 expm1_1 expm1_8 Some(core_math::expm1), 2, [(-750.0, 712.0), (-1.0, 1.0), (-40.0, 2.0), (-0.01, 0.01)];
        ln ln1 ln8 Some(core_math::log), 1, [(0.0, 1e300), (0.0, 10.0), (0.5, 2.0), (0.99, 1.01), (0.0, 1e-307)];
        log1p log1p_1 log1p_8 Some(core_math::log1p), 2, [(-1.0, 1.0), (-1.0, 1e300), (-0.01, 0.01), (0.0, 10.0), (0.0, 1e17)];
        log2 log2_1 log2_8 Some(core_math::log2), 1, [(0.0, 1e300), (0.0, 10.0), (0.99, 1.01), (0.0, 1e-307)];
        log10 log10_1 log10_8 Some(core_math::log10), 1, [(0.0, 1e300), (0.0, 10.0), (0.99, 1.01), (0.0, 1e-307)];
        tanh tanh1 tanh8 Some(core_math::tanh), 2, [(-1.0, 1.0), (-25.0, 25.0), (-0.01, 0.01), (0.2, 0.6)];
        sin sin1 sin8 Some(core_math::sin), 2, [(-1.0, 1.0), (-100.0, 100.0), (-1e9, 1e9), (-1e22, 1e22), (3.1415, 3.1416)];
        cos cos1 cos8 Some(core_math::cos), 2, [(-1.0, 1.0), (-100.0, 100.0), (-1e9, 1e9), (-1e22, 1e22), (1.5707, 1.5708)];
        exp_neg_abs exp_neg_abs1 exp_neg_abs8 Some(|x| core_math::exp(-x.abs())), 1, [(-750.0, 750.0), (-1.0, 1.0)];
        sigmoid sigmoid1 sigmoid8 None, 2, [(-750.0, 750.0), (-40.0, 40.0), (-1.0, 1.0)];
        softplus softplus1 softplus8 None, 2, [(-750.0, 750.0), (-40.0, 40.0), (-1.0, 1.0)];
        log_sigmoid log_sigmoid1 log_sigmoid8 None, 2, [(-750.0, 750.0), (-40.0, 40.0), (-1.0, 1.0)];
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
        let (distance, at, differing) = worst(&xs, f.scalar, exact);
        println!("{}: {distance} ulp at {at:e}, {:.2} % not correctly rounded", f.name, 100.0 * differing as f64 / xs.len() as f64);
        assert!(distance <= f.max_ulp, "{}({at:e}) = {:e}, not {:e}: {distance} ulp", f.name, (f.scalar)(at), exact(at));
    }
}

#[test]
fn every_form_and_cpu_level_gives_the_same_bits() {
    for f in functions() {
        let xs = arguments(&f);
        let want: Vec<u64> = xs.iter().map(|&x| bits((f.scalar)(x))).collect();
        for (&x, &want) in xs.iter().zip(&want) {
            assert_eq!(bits((f.inlined)(x)), want, "{} inlined at {x:e}", f.name);
        }
        for level in Level::available() {
            let mut octets: Vec<Octet> = xs.chunks(8).map(|c| c.try_into().unwrap()).collect();
            (f.octets)(level, &mut octets);
            for ((&got, &want), &x) in octets.as_flattened().iter().zip(&want).zip(&xs) {
                assert_eq!(bits(got), want, "{} at {x:e} on {}", f.name, level.name());
            }
        }
    }
}

#[test]
fn the_logistic_family_meets_high_precision_values() {
    let mut worst = [0u64; 3];
    for line in include_str!("../data/logistic.csv").lines().skip(1) {
        let numbers: Vec<f64> = line.split(',').map(|s| f64::from_bits(u64::from_str_radix(s, 16).unwrap())).collect();
        let [x, sigmoid, softplus] = numbers[..] else { panic!("{line}") };
        let distances = [ulps(e::sigmoid(x), sigmoid), ulps(e::softplus(x), softplus), ulps(e::log_sigmoid(-x), -softplus)];
        for (worst, distance) in worst.iter_mut().zip(distances) {
            assert!(distance <= 2, "{x:e}: sigmoid, softplus, log_sigmoid off by {distances:?} ulp");
            *worst = distance.max(*worst);
        }
    }
    println!("sigmoid, softplus, log_sigmoid: {worst:?} ulp");
}

#[test]
fn shared_exponentials_give_the_same_bits() {
    let mut draw = Arguments(11);
    for _ in 0..20_000 {
        let x: Octet = std::array::from_fn(|_| draw.uniform(-50.0, 50.0));
        let shared = e::exp_neg_abs8(x);
        let pair = e::sigmoid_and_softplus8(x);
        assert_eq!(pair, (e::sigmoid8(x), e::softplus8(x)));
        assert_eq!(pair, (e::sigmoid_of8(x, shared), e::softplus_of8(x, shared)));
        for (i, &x) in x.iter().enumerate() {
            assert_eq!(pair.1[i], x.max(0.0) + e::log1p(e::exp(-x.abs())), "softplus({x:e}) as its definition");
        }
    }
}

#[inline(always)]
fn pow_body(xs: &mut [Octet], ys: &[Octet]) {
    for (x, y) in xs.iter_mut().zip(ys) {
        *x = e::pow8(*x, *y);
    }
}
optrun::dispatch! { fn pow_octets(xs: &mut [Octet], ys: &[Octet]) = pow_body; }

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
fn pow_has_the_same_bits_in_every_form_and_at_every_cpu_level() {
    let (xs, ys) = power_arguments();
    let want: Vec<u64> = xs.iter().zip(&ys).map(|(&x, &y)| bits(e::pow(x, y))).collect();
    for ((&x, &y), &want) in xs.iter().zip(&ys).zip(&want) {
        assert_eq!(bits(e::pow1(x, y)), want, "pow({x:e}, {y:e}) inlined");
    }
    let octets = |xs: &[f64]| -> Vec<Octet> { xs.chunks(8).map(|c| c.try_into().unwrap()).collect() };
    for level in Level::available() {
        let mut got = octets(&xs);
        pow_octets(level, &mut got, &octets(&ys));
        for (i, (&got, &want)) in got.as_flattened().iter().zip(&want).enumerate() {
            assert_eq!(bits(got), want, "pow({:e}, {:e}) on {}", xs[i], ys[i], level.name());
        }
    }
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

/// Prints ns per number of the octet forms; run with `OPTRUN_BENCH=1 cargo test --release --test numeric speed -- --nocapture`.
#[test]
fn speed() {
    if std::env::var_os("OPTRUN_BENCH").is_none() {
        return;
    }
    for f in functions() {
        print!("{:12}", f.name);
        for level in Level::available() {
            let input: Vec<Octet> = (0..64).map(|i| std::array::from_fn(|j| 0.01 + 0.003 * (i * 8 + j) as f64)).collect();
            print!(" {} {:6.3}", level.name(), best_of(|| (f.octets)(level, std::hint::black_box(&mut input.clone()))));
        }
        println!();
    }
    for level in Level::available() {
        let input: Vec<Octet> = (0..64).map(|i| std::array::from_fn(|j| 0.01 + 0.003 * (i * 8 + j) as f64)).collect();
        let ys = vec![[1.7; 8]; 64];
        println!("pow {} {:6.3}", level.name(), best_of(|| pow_octets(level, std::hint::black_box(&mut input.clone()), &ys)));
    }
}

/// The least time of a call over 512 numbers, in ns per number.
fn best_of(mut f: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let start = std::time::Instant::now();
        for _ in 0..50 {
            f();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / 50.0 / 512.0);
    }
    best
}
