//! Nanoseconds per element of the elementary functions, of sums and products in their fixed order, and of choosing a CPU level.
//!
//! `cargo bench --bench micro`. Beside each stands the platform's own function, or the loop one would write first, which promise no bits.
#![allow(clippy::print_stdout, reason = "this is what a person runs it for")]
#![allow(clippy::disallowed_methods, reason = "the platform's functions are what is compared with")]
#![allow(clippy::inline_always, reason = "a body must be inlined into a function with target features to be compiled with them")]

use std::hint::black_box;
use std::time::Instant;

use optrun::numeric::dispatch::Level;
use optrun::numeric::elementary as own;
use optrun::numeric::{Octet, sums};

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

macro_rules! functions {
    ($($name:literal $eight:ident $one:ident ($low:expr, $high:expr) $reference:expr;)+) => {$({
        #[inline(always)]
        fn body(x: &[Octet], y: &mut [Octet]) {
            for (y, x) in y.iter_mut().zip(x) {
                *y = own::$eight(*x);
            }
        }
        optrun::dispatch! { fn all(x: &[Octet], y: &mut [Octet]) = body; }
        let x: Vec<f64> = (0..COUNT).map(|i| $low + ($high - $low) * (i as f64 + 0.5) / COUNT as f64).collect();
        let octets: Vec<Octet> = x.as_chunks().0.to_vec();
        let mut out = octets.clone();
        let mut times: Vec<f64> = Level::available().into_iter().map(|level| {
            least(COUNT, || { all(level, black_box(&octets), &mut out); black_box(&out); })
        }).collect();
        let mut scalars = x.clone();
        times.push(least(COUNT, || {
            scalars.iter_mut().zip(&x).for_each(|(y, x)| *y = own::$one(*x));
            black_box(&scalars);
        }));
        let reference: fn(f64) -> f64 = $reference;
        let platform = least(COUNT, || {
            scalars.iter_mut().zip(&x).for_each(|(y, x)| *y = reference(*x));
            black_box(&scalars);
        });
        line($name, &times, platform, "");
    })+};
}

fn elementary() {
    print!("{:<28}", "function");
    for level in Level::available() {
        print!(" {:>9}", level.name());
    }
    println!(" {:>9} {:>10}", "one call", "platform");
    functions! {
        "exp" exp8 exp (-20.0, 20.0) f64::exp;
        "expm1" expm1_8 expm1 (-2.0, 2.0) f64::exp_m1;
        "log" ln8 ln (0.01, 100.0) f64::ln;
        "log1p" log1p_8 log1p (0.0, 1.0) f64::ln_1p;
        "log2" log2_8 log2 (0.01, 100.0) f64::log2;
        "sigmoid" sigmoid8 sigmoid (-20.0, 20.0) |x| 1.0 / (1.0 + (-x).exp());
        "softplus" softplus8 softplus (-20.0, 20.0) |x| x.max(0.0) + (-x.abs()).exp().ln_1p();
        "tanh" tanh8 tanh (-5.0, 5.0) f64::tanh;
        "sin" sin8 sin (-10.0, 10.0) f64::sin;
        "cos" cos8 cos (-10.0, 10.0) f64::cos;
        "sqrt" sqrt8 sqrt (0.0, 100.0) f64::sqrt;
    }
    let x: Vec<f64> = (0..COUNT).map(|i| 0.01 + i as f64 / 100.0).collect();
    let mut y = x.clone();
    let ours = least(COUNT, || {
        y.iter_mut().zip(&x).for_each(|(y, x)| *y = own::pow(*x, 1.7));
        black_box(&y);
    });
    let platform = least(COUNT, || {
        y.iter_mut().zip(&x).for_each(|(y, x)| *y = x.powf(1.7));
        black_box(&y);
    });
    println!("\n{:<28} {:>9} {:>10}", "", "one call", "platform");
    line("pow, exponent 1.7", &[ours], platform, "");
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
