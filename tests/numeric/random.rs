//! Random streams: the published keystream, distributions by their moments and by Kolmogorov's distance, the format frozen by golden values.

use optrun::numeric::quantile::normal_quantile;
use optrun::numeric::random::Stream;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

fn stream(name: &str) -> Stream {
    Stream::new(42, "test", name, &[])
}

#[test]
fn the_bits_are_those_of_chacha8() {
    // ChaCha8, 256-bit key of zeros, nonce zero: draft-strombergson-chacha-test-vectors-01, TC1.
    let mut zero = ChaCha8Rng::from_seed([0; 32]);
    let mut bytes = [0; 32];
    zero.fill_bytes(&mut bytes);
    let want = [
        0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6, 0x7f, 0x5b, 0xb8, 0xe8, 0x1f, 0x09, 0xa5, 0xa1, 0x2c, 0x84, 0x0e, 0xc3, 0xce, 0x9a,
        0x7f, 0x3b, 0x18, 0x1b, 0xe1, 0x88, 0xef, 0x71, 0x1a, 0x1e,
    ];
    assert_eq!(bytes, want);
    assert_eq!(ChaCha8Rng::from_seed([0; 32]).next_u64(), 0xd640_5f89_2fef_003e);

    // The key as the documentation defines it.
    let mut message = Vec::new();
    message.extend(7u64.to_le_bytes());
    message.extend(5u64.to_le_bytes());
    message.extend(b"order");
    message.extend(1u64.to_le_bytes());
    message.extend(b"W");
    message.extend(2u64.to_le_bytes());
    message.extend(3u64.to_le_bytes());
    message.extend(9u64.to_le_bytes());
    let mut reference = ChaCha8Rng::from_seed(blake3::derive_key("optrun random stream 1", &message));
    let mut ours = Stream::new(7, "order", "W", &[3, 9]);
    for _ in 0..1000 {
        assert_eq!(ours.next_u64(), reference.next_u64());
    }
}

#[test]
fn streams_differ_in_every_part_of_their_key() {
    let mut first: Vec<u64> = [
        Stream::new(1, "start", "W", &[0]),
        Stream::new(2, "start", "W", &[0]),
        Stream::new(1, "order", "W", &[0]),
        Stream::new(1, "start", "b", &[0]),
        Stream::new(1, "start", "W", &[1]),
        Stream::new(1, "start", "W", &[]),
        Stream::new(1, "start", "W", &[0, 0]),
        Stream::new(1, "startW", "", &[0]),
        Stream::new(1, "star", "tW", &[0]),
    ]
    .iter_mut()
    .map(Stream::next_u64)
    .collect();
    first.sort_unstable();
    first.dedup();
    assert_eq!(first.len(), 9);
}

const N: usize = 200_000;

/// Kolmogorov's distance times the root of the number of samples: above 2.3 once in 20,000 times for the right distribution.
fn kolmogorov(mut samples: Vec<f64>, distribution: impl Fn(f64) -> f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let n = samples.len() as f64;
    let distance = samples.iter().enumerate().map(|(i, &x)| {
        let p = distribution(x);
        (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs())
    });
    distance.fold(0.0, f64::max) * n.sqrt()
}

fn mean_and_variance(samples: &[f64]) -> (f64, f64) {
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / n;
    (mean, samples.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n)
}

#[test]
fn continuous_distributions_have_their_shapes() {
    let mut s = stream("uniform");
    let uniform: Vec<f64> = (0..N).map(|_| s.uniform()).collect();
    assert!(uniform.iter().all(|u| (0.0..1.0).contains(u) && (u * 9007199254740992.0).fract() == 0.0));
    assert!(kolmogorov(uniform, |u| u) < 2.3);

    let mut s = stream("normal");
    let normal: Vec<f64> = (0..N).map(|_| s.normal()).collect();
    let (mean, variance) = mean_and_variance(&normal);
    let bound = 4.5 / (N as f64).sqrt();
    assert!(mean.abs() < bound && (variance - 1.0).abs() < 1.5 * bound, "{mean} {variance}");
    assert!(kolmogorov(normal, |x| 0.5 * core_math::erfc(-x / std::f64::consts::SQRT_2)) < 2.3);

    let mut s = stream("log");
    let log: Vec<f64> = (0..N).map(|_| s.log_uniform(1e-4, 10.0)).collect();
    assert!(kolmogorov(log, |x| (core_math::log10(x) + 4.0) / 5.0) < 2.3);

    let mut s = stream("between");
    let between: Vec<f64> = (0..N).map(|_| s.uniform_between(-3.0, 5.0)).collect();
    assert!(kolmogorov(between, |x| (x + 3.0) / 8.0) < 2.3);
}

#[test]
fn normal_quantiles_meet_high_precision_values() {
    // mpmath 1.4.1, 60 digits.
    let known = [
        (1e-300, -37.0470962993612),
        (1e-100, -21.273453560965326),
        (1e-17, -8.493793224109599),
        (5.551115123125783e-17, -8.292361075813595),
        (1e-10, -6.361340902404057),
        (1e-5, -4.264890793922825),
        (0.001, -3.0902323061678136),
        (0.02425, -1.972961051311885),
        (0.05, -1.6448536269514726),
        (0.074, -1.4466320671589785),
        (0.0749, -1.4402382675279637),
        (0.0751, -1.43882539275254),
        (0.076, -1.4325027208258116),
        (0.1, -1.2815515655446004),
        (0.2, -0.8416212335729142),
        (0.25, -0.6744897501960817),
        (0.3, -0.5244005127080408),
        (0.4, -0.2533471031357997),
        (0.45, -0.12566134685507402),
        (0.499, -0.002506630899571766),
        (0.4999999, -2.5066282747031063e-07),
    ];
    for (p, want) in known {
        let error = (normal_quantile(p) / want - 1.0).abs();
        assert!(error < 1.5e-15, "quantile({p}) is off by {error:e}");
    }
    assert_eq!(normal_quantile(0.5), 0.0);
}

/// Pearson's statistic against equal or given expectations.
fn chi_square(counts: &[usize], expected: impl Fn(usize) -> f64) -> f64 {
    counts
        .iter()
        .enumerate()
        .map(|(i, &c)| {
            let difference = c as f64 - expected(i);
            difference * difference / expected(i)
        })
        .sum()
}

#[test]
fn whole_numbers_are_equally_likely_at_both_ends() {
    let mut s = stream("integers");
    let mut counts = [0; 7];
    for _ in 0..N {
        let k = s.integers(-3, 3).unwrap();
        counts[usize::try_from(k + 3).unwrap()] += 1;
    }
    // 6 degrees of freedom: above 33 once in 100,000 times.
    assert!(chi_square(&counts, |_| N as f64 / 7.0) < 33.0, "{counts:?}");
    assert_eq!(s.integers(5, 5), Some(5));
    assert_eq!(s.integers(5, 4), None);
    assert!(s.integers(i64::MIN, i64::MAX).is_some());
    // Just above 2^63: almost half of all draws must be refused.
    let mean = (0..1000).map(|_| s.integers(i64::MIN, 1).unwrap() as f64).sum::<f64>() / 1000.0;
    assert!((mean / -4.611686018427388e18 - 1.0).abs() < 0.1);
    assert_eq!(s.choice(0), None);
    assert_eq!(s.choice(1), Some(0));
}

#[test]
fn counts_follow_poisson() {
    for mean in [0.3, 3.5, 9.9, 10.0, 47.0] {
        let mut s = Stream::new(42, "test", "poisson", &[f64::to_bits(mean)]);
        let mut counts = vec![0; 120];
        for _ in 0..N {
            counts[s.poisson(mean).unwrap() as usize] += 1;
        }
        let mut p = core_math::exp(-mean);
        let expected: Vec<f64> = (0..120)
            .map(|k| {
                let now = p * N as f64;
                p *= mean / f64::from(k + 1);
                now
            })
            .collect();
        let kept: Vec<usize> = (0..120).filter(|&k| expected[k] > 20.0).collect();
        let (counts, expected): (Vec<usize>, Vec<f64>) = kept.iter().map(|&k| (counts[k], expected[k])).unzip();
        let freedom = counts.len() as f64;
        let statistic = chi_square(&counts, |k| expected[k]);
        assert!(statistic < freedom + 4.5 * (2.0 * freedom).sqrt() + 8.0, "mean {mean}: {statistic} with {freedom}");
    }
    let mut s = stream("large");
    let samples: Vec<f64> = (0..N).map(|_| s.poisson(1e9).unwrap()).collect();
    let (mean, variance) = mean_and_variance(&samples);
    assert!((mean - 1e9).abs() < 4.5 * (1e9 / N as f64).sqrt() && (variance / 1e9 - 1.0).abs() < 0.02);
    assert_eq!(s.poisson(0.0), Some(0.0));
    for wrong in [-1.0, f64::NAN, f64::INFINITY, 1e16] {
        assert_eq!(s.poisson(wrong), None);
    }
}

#[test]
fn permutations_are_equally_likely() {
    let mut s = stream("permutation");
    let mut counts = [0; 24];
    for _ in 0..N {
        let p = s.permutation(4);
        let rank = p.iter().enumerate().fold(0, |rank, (i, x)| rank * (4 - i) + p[i + 1..].iter().filter(|y| *y < x).count());
        counts[rank] += 1;
    }
    // 23 degrees of freedom: above 63 once in 100,000 times.
    assert!(chi_square(&counts, |_| N as f64 / 24.0) < 63.0, "{counts:?}");
    let heads = (0..N).filter(|_| s.bernoulli(0.3)).count() as f64;
    assert!((heads / N as f64 - 0.3).abs() < 4.5 * (0.21 / N as f64).sqrt());
    assert!(s.permutation(0).is_empty());
}

#[test]
fn the_format_is_frozen() {
    // Printed by this program once, for stability only: the tests above say that they are right.
    let mut s = Stream::new(0, "start", "W", &[0]);
    let bits: Vec<u64> = (0..3).map(|_| s.next_u64()).collect();
    assert_eq!(bits, GOLDEN_BITS);
    let draws = [s.uniform(), s.normal(), s.log_uniform(1e-4, 1.0), s.poisson(4.0).unwrap(), s.poisson(40.0).unwrap()];
    assert_eq!(draws, GOLDEN_DRAWS);
    assert_eq!((s.integers(1, 6), s.choice(100), s.permutation(8)), (Some(GOLDEN_WHOLE.0), Some(GOLDEN_WHOLE.1), GOLDEN_WHOLE.2.to_vec()));
}

const GOLDEN_BITS: [u64; 3] = [3492492647947482111, 12415770376461760322, 13646443136927811973];
const GOLDEN_DRAWS: [f64; 5] = [0.9193198844756756, 0.761399906764159, 0.000474140111000585, 6.0, 41.0];
const GOLDEN_WHOLE: (i64, usize, [usize; 8]) = (1, 54, [1, 4, 6, 2, 0, 3, 5, 7]);
