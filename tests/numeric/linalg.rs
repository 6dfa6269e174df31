//! Dense linear algebra by residuals, in units of rounding, and by matrices whose answers are known.

use optrun::numeric::linalg::{
    cholesky, cholesky_solve, norm, psd_part, qr, singular_values, solve, spectral_norm, symmetric_eigen, transpose,
};
use optrun::numeric::random::Stream;

fn normals(n: usize, index: u64) -> Vec<f64> {
    let mut stream = Stream::new(1, "test", "linalg", &[index]);
    (0..n).map(|_| stream.normal()).collect()
}

fn product(a: &[f64], b: &[f64], n: usize, k: usize, m: usize) -> Vec<f64> {
    let mut c = vec![0.0; n * m];
    for i in 0..n {
        for j in 0..m {
            c[i * m + j] = (0..k).map(|l| a[i * k + l] * b[l * m + j]).sum();
        }
    }
    c
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    norm(&a.iter().zip(b).map(|(x, y)| x - y).collect::<Vec<f64>>())
}

fn identity(n: usize) -> Vec<f64> {
    (0..n * n).map(|i| if i % (n + 1) == 0 { 1.0 } else { 0.0 }).collect()
}

const EPS: f64 = f64::EPSILON;

#[test]
fn solutions_have_small_residuals() {
    for n in [1, 2, 5, 30, 120] {
        let (a, b) = (normals(n * n, 1), normals(n * 3, 2));
        let x = solve(&a, &b, n, 3).unwrap();
        let residual = difference(&product(&a, &x, n, n, 3), &b);
        assert!(residual <= 10.0 * n as f64 * EPS * norm(&a) * norm(&x), "{n}: {residual:e}");
    }
    // A pivot of zero in place, but not in fact.
    assert_eq!(solve(&[0.0, 2.0, 3.0, 1.0], &[4.0, 5.0], 2, 1), Some(vec![1.0, 2.0]));
    assert_eq!(solve(&[1.0, 2.0, 2.0, 4.0], &[1.0, 1.0], 2, 1), None);
    assert_eq!(solve(&[f64::NAN], &[1.0], 1, 1), None);
    assert_eq!(solve(&[], &[], 0, 1), Some(vec![]));
}

#[test]
fn the_inverse_of_a_hilbert_matrix_is_whole() {
    let hilbert: Vec<f64> = (0..16).map(|i| 1.0 / f64::from(i / 4 + i % 4 + 1)).collect();
    let inverse = solve(&hilbert, &identity(4), 4, 4).unwrap();
    let known = [16, -120, 240, -140, -120, 1200, -2700, 1680, 240, -2700, 6480, -4200, -140, 1680, -4200, 2800];
    for (got, want) in inverse.iter().zip(known) {
        assert!((got - f64::from(want)).abs() < 1e-9, "{got} {want}");
    }
}

#[test]
fn cholesky_factors_and_solves() {
    for n in [1, 3, 20, 80] {
        let g = normals(n * (n + 5), 3);
        let a = product(&g, &transpose(&g, n, n + 5), n, n + 5, n);
        let l = cholesky(&a, n).unwrap();
        assert!(difference(&product(&l, &transpose(&l, n, n), n, n, n), &a) <= 2.0 * n as f64 * EPS * norm(&a));
        let b = normals(n * 2, 4);
        let x = cholesky_solve(&l, &b, n, 2);
        assert!(difference(&product(&a, &x, n, n, 2), &b) <= 10.0 * n as f64 * EPS * norm(&a) * norm(&x));
    }
    assert_eq!(cholesky(&[4.0, 0.0, 2.0, 5.0], 2), Some(vec![2.0, 0.0, 1.0, 2.0]));
    assert_eq!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2), None);
    assert_eq!(cholesky(&[f64::NAN], 1), None);
}

#[test]
fn qr_is_orthonormal_times_triangular() {
    for (rows, columns) in [(1, 1), (5, 5), (30, 7), (90, 60)] {
        let a = normals(rows * columns, 5);
        let qr = qr(&a, rows, columns);
        let gram = product(&transpose(&qr.q, rows, columns), &qr.q, columns, rows, columns);
        assert!(difference(&gram, &identity(columns)) <= 10.0 * rows as f64 * EPS);
        assert!(difference(&product(&qr.q, &qr.r, rows, columns, columns), &a) <= 10.0 * rows as f64 * EPS * norm(&a));
        for i in 0..columns {
            for j in 0..i {
                assert!(qr.r[i * columns + j].abs() <= 10.0 * EPS * norm(&a));
            }
        }
    }
}

#[test]
fn eigenvalues_of_known_matrices() {
    // The second difference matrix has the eigenvalues 4 sin^2(j pi / (2 n + 2)).
    for n in [1usize, 2, 10, 40] {
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            a[i * n + i] = 2.0;
            if i + 1 < n {
                (a[i * n + i + 1], a[(i + 1) * n + i]) = (-1.0, -1.0);
            }
        }
        let eigen = symmetric_eigen(&a, n).unwrap();
        for (j, value) in eigen.values.iter().enumerate() {
            let sine = core_math::sin((j + 1) as f64 * std::f64::consts::PI / (2 * n + 2) as f64);
            assert!((value - 4.0 * sine * sine).abs() <= n as f64 * EPS * 4.0, "{n}: {:e}", value - 4.0 * sine * sine);
        }
        let scaled: Vec<f64> = eigen.vectors.iter().enumerate().map(|(i, v)| v * eigen.values[i % n]).collect();
        assert!(difference(&product(&a, &eigen.vectors, n, n, n), &scaled) <= 10.0 * n as f64 * EPS * norm(&a));
        let gram = product(&transpose(&eigen.vectors, n, n), &eigen.vectors, n, n, n);
        assert!(difference(&gram, &identity(n)) <= 10.0 * n as f64 * EPS);
    }
    assert!(symmetric_eigen(&[f64::INFINITY], 1).is_none());
}

#[test]
fn singular_values_of_known_matrices() {
    // [[3, 0], [4, 5]] has sqrt(45) and sqrt(5).
    let values = singular_values(&[3.0, 0.0, 4.0, 5.0], 2, 2).unwrap();
    assert!((values[0] - 45f64.sqrt()).abs() <= 4.0 * EPS * 7.0 && (values[1] - 5f64.sqrt()).abs() <= 4.0 * EPS * 7.0);
    for (rows, columns) in [(40, 6), (6, 40)] {
        let mut stream = Stream::new(2, "test", "orthogonal", &[]);
        let mut a = stream.orthogonal(rows, columns);
        assert!((spectral_norm(&a, rows, columns) - 1.0).abs() < 1e-14);
        // Columns (or rows) of lengths 1 to 6 that stay orthogonal.
        for (i, x) in a.iter_mut().enumerate() {
            *x *= if rows > columns { (i % columns + 1) as f64 } else { (i / columns + 1) as f64 };
        }
        let values = singular_values(&a, rows, columns).unwrap();
        for (got, want) in values.iter().zip([6.0, 5.0, 4.0, 3.0, 2.0, 1.0]) {
            assert!((got - want).abs() < 1e-13, "{values:?}");
        }
    }
    assert_eq!(spectral_norm(&[-3e200], 1, 1), 3e200);
    assert_eq!(spectral_norm(&[0.0; 6], 2, 3), 0.0);
    assert_eq!(spectral_norm(&[], 0, 3), 0.0);
    assert!(spectral_norm(&[1.0, f64::NAN], 1, 2).is_nan());
    // Hilbert 5 x 5: the largest eigenvalue, from MATLAB's gallery of test matrices and mpmath.
    let hilbert: Vec<f64> = (0..25).map(|i| 1.0 / f64::from(i / 5 + i % 5 + 1)).collect();
    assert!((spectral_norm(&hilbert, 5, 5) - 1.5670506910982307).abs() < 1e-14);
}

#[test]
fn lengths_do_not_overflow() {
    for exponent in [-1070, -1000, -300, 0, 300, 1000] {
        let p = optrun::numeric::elementary::pow(2.0, f64::from(exponent));
        assert_eq!(norm(&[3.0 * p, 4.0 * p]), 5.0 * p);
    }
    assert_eq!(norm(&[]), 0.0);
    assert!(norm(&[1.0, f64::NAN, 2.0]).is_nan());
    assert_eq!(norm(&[1.0, f64::NEG_INFINITY]), f64::INFINITY);
}

#[test]
fn the_psd_part_is_the_nearest_psd_matrix() {
    // Eigenvalues 3 and -1 along (1, 1) and (1, -1).
    let part = psd_part(&[1.0, 2.0, 2.0, 1.0], 2);
    assert!(part.iter().all(|x| (x - 1.5).abs() < 1e-15), "{part:?}");
    // What is antisymmetric goes, what is psd stays.
    let part = psd_part(&[2.0, 1.0, -1.0, 3.0], 2);
    assert!(part.iter().zip([2.0, 0.0, 0.0, 3.0]).all(|(x, y)| (x - y).abs() < 1e-15), "{part:?}");
    // numpy.linalg.eigh of ((1, 2, 0), (2, -1, 1), (0, 1, 0.5)).
    let part = psd_part(&[1.0, 2.0, 0.0, 2.0, -1.0, 1.0, 0.0, 1.0, 0.5], 3);
    let expected = [
        1.5677206428351267,
        1.0111829596492288,
        0.3314326029183383,
        1.0111829596492288,
        0.7222539846450686,
        0.42273332909502986,
        0.3314326029183383,
        0.4227333290950298,
        0.6934887724509357,
    ];
    assert!(part.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-14), "{part:?}");
    assert!((0..9).all(|at| part[at].to_bits() == part[at % 3 * 3 + at / 3].to_bits()));
    assert!(psd_part(&[f64::NAN, 0.0, 0.0, 1.0], 2).iter().all(|x| x.is_nan()));
}
