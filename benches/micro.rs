//! Nanoseconds per element of the elementary functions, of sums and products in their fixed order, and of choosing a CPU level.
//!
//! `cargo bench --bench micro`. Beside each stands the platform's own function, or the loop one would write first, which promise no bits.
#![allow(clippy::print_stdout, reason = "this is what a person runs it for")]
#![allow(clippy::disallowed_methods, reason = "the platform's functions are what is compared with")]
#![allow(clippy::inline_always, reason = "a body must be inlined into a function with target features to be compiled with them")]
#![allow(clippy::expect_used, reason = "a measurement that cannot be set up says so")]

#[path = "../tests/numeric/tape.rs"]
mod tape;

use std::hint::black_box;
use std::time::Instant;

use optrun::compile::tape::Lanes;
use optrun::expr::op::{Binary, Unary};
use optrun::numeric::dispatch::Level;
use optrun::numeric::elementary as own;
use optrun::numeric::sums;
use tape::Tape;

/// Numbers in an array that stays in the first cache.
const COUNT: usize = 1024;

/// Keeps the compiler from leaving out what computes a value.
fn consume<T>(value: T) {
    black_box(value);
}

/// The least time of many passes, per element.
fn least(elements: usize, mut pass: impl FnMut()) -> f64 {
    let mut least = f64::INFINITY;
    let begin = Instant::now();
    while begin.elapsed().as_millis() < 40 {
        let start = Instant::now();
        pass();
        least = least.min(start.elapsed().as_secs_f64());
    }
    least * 1e9 / elements as f64
}

fn line(name: &str, ours: &[f64], reference: f64, note: &str) {
    print!("{name:<28}");
    for ns in ours {
        print!(" {ns:>9.3}");
    }
    println!(" {reference:>10.3}  {note}");
}

/// A function of programs, as a program of 1024 numbers computes it; the same one called number by number; the platform's.
type Function = (&'static str, Unary, fn(f64) -> f64, [f64; 2], fn(f64) -> f64);

const FUNCTIONS: [Function; 11] = [
    ("exp", Unary::Exp, own::exp, [-20.0, 20.0], f64::exp),
    ("expm1", Unary::Expm1, own::expm1, [-2.0, 2.0], f64::exp_m1),
    ("log", Unary::Log, own::ln, [0.01, 100.0], f64::ln),
    ("log1p", Unary::Log1p, own::log1p, [0.0, 1.0], f64::ln_1p),
    ("log2", Unary::Log2, own::log2, [0.01, 100.0], f64::log2),
    ("sigmoid", Unary::Sigmoid, own::sigmoid, [-20.0, 20.0], |x| 1.0 / (1.0 + (-x).exp())),
    ("softplus", Unary::Softplus, own::softplus, [-20.0, 20.0], |x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
    ("tanh", Unary::Tanh, own::tanh, [-5.0, 5.0], f64::tanh),
    ("sin", Unary::Sin, own::sin, [-10.0, 10.0], f64::sin),
    ("cos", Unary::Cos, own::cos, [-10.0, 10.0], f64::cos),
    ("sqrt", Unary::Sqrt, own::sqrt, [0.0, 100.0], f64::sqrt),
];

/// All numbers by a function, per number.
fn mapped(x: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let mut y = x.to_vec();
    least(x.len(), || {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = f(*x));
        black_box(&y);
    })
}

fn elementary() {
    print!("{:<28}", "function");
    for level in Level::available() {
        print!(" {:>9}", level.name());
    }
    println!(" {:>9} {:>10}", "one call", "platform");
    // Results before times.
    let by_program = |mut tape: Tape, want: &[f64]| {
        tape.run();
        assert_eq!(tape.values(0), want);
        least(COUNT, || tape.run())
    };
    for (name, unary, one, [low, high], platform) in FUNCTIONS {
        let x: Vec<f64> = (0..COUNT).map(|i| low + (high - low) * (i as f64 + 0.5) / COUNT as f64).collect();
        let want: Vec<f64> = x.iter().map(|&x| one(x)).collect();
        let mut times: Vec<f64> = Level::available()
            .into_iter()
            .map(|level| by_program(Tape::new(&[&x], Lanes::One, level, |graph, x| vec![graph.unary(unary, x[0])]), &want))
            .collect();
        times.push(mapped(&x, one));
        line(name, &times, mapped(&x, platform), "");
    }
    let x: Vec<f64> = (0..COUNT).map(|i| 0.01 + i as f64 / 100.0).collect();
    let y = vec![1.7; COUNT];
    let want: Vec<f64> = x.iter().map(|&x| own::pow(x, 1.7)).collect();
    let mut times: Vec<f64> = Level::available()
        .into_iter()
        .map(|level| by_program(Tape::new(&[&x, &y], Lanes::One, level, |graph, x| vec![graph.binary(Binary::Pow, x[0], x[1])]), &want))
        .collect();
    times.push(mapped(&x, |x| own::pow(x, 1.7)));
    line("pow, exponent 1.7", &times, mapped(&x, |x| x.powf(1.7)), "");
}

/// The definitions in plain code, which the tape's instructions must equal; not those instructions.
fn orders() {
    println!("\n{:<28} {:>9} {:>10}", "definition of the order", "in order", "first loop");
    for n in [1_000, 100_000] {
        let x: Vec<f64> = (0..n).map(|i| 1.0 / (1.0 + f64::from(i))).collect();
        let ours = least(x.len(), || consume(sums::sum(black_box(&x))));
        let first = least(x.len(), || consume(black_box(&x).iter().sum::<f64>()));
        line(&format!("sum of {n}"), &[ours], first, "per element");
        let ours = least(x.len(), || consume(sums::dot(black_box(&x), &x)));
        let first = least(x.len(), || consume(black_box(&x).iter().zip(&x).map(|(a, b)| a * b).sum::<f64>()));
        line(&format!("dot product of {n}"), &[ours], first, "per element");
    }
    let (rows, columns) = (1_000, 10);
    let a: Vec<f64> = (0..rows * columns).map(|i| 1.0 / (1.0 + i as f64)).collect();
    let w: Vec<f64> = (0..columns).map(|i| i as f64).collect();
    let ours = least(rows * columns, || consume(sums::matvec(black_box(&a), &w)));
    let first = least(rows * columns, || {
        consume(black_box(&a).chunks(columns).map(|row| row.iter().zip(&w).map(|(a, b)| a * b).sum()).collect::<Vec<f64>>());
    });
    line("1,000 x 10 by 10", &[ours], first, "per multiplication");
}

/// What it costs to choose the level of the CPU: a call of a function that does nothing.
fn dispatch() {
    #[inline(always)]
    fn body(x: f64) -> f64 {
        x
    }
    optrun::dispatch! { fn nothing(x: f64) -> f64 = body; }
    let level = Level::current();
    let times = |f: &dyn Fn() -> f64| least(COUNT, || (0..COUNT).for_each(|_| consume(f())));
    println!("\n{:<28} {:>9}", "dispatch", "");
    println!("{:<28} {:>9.3}  a call", "through a known level", times(&|| nothing(black_box(level), black_box(1.0))));
    println!("{:<28} {:>9.3}  a call", "asking for the level", times(&|| nothing(Level::current(), black_box(1.0))));
    println!("{:<28} {:>9.3}  a call", "an empty function", times(&|| black_box(1.0)));
}

fn main() {
    elementary();
    orders();
    dispatch();
}
