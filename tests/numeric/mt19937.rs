//! NumPy's legacy generator against values that NumPy 2.4.6 printed.

use optrun::numeric::mt19937::RandomState;

fn stored() -> Vec<Vec<f64>> {
    let text = include_str!("../data/randomstate_42.csv");
    text.lines().skip(1).map(|line| line.split(',').map(|x| x.parse().expect("a number")).collect()).collect()
}

#[test]
fn normals_of_seed_42() {
    let mut state = RandomState::new(42);
    for &want in &stored()[0] {
        assert_eq!(state.normal(), want);
    }
    let mut state = RandomState::new(4294967295);
    for want in [0.6484086742306527, 0.6693235306338161, -1.0805437227474493, 0.2845010447986309] {
        assert_eq!(state.normal(), want);
    }
    // numpy.random.RandomState(123456).randn(100000)[[50000, 99999]]
    let mut state = RandomState::new(123456);
    let many: Vec<f64> = (0..100_000).map(|_| state.normal()).collect();
    assert_eq!((many[50_000], many[99_999]), (-2.453219140934819, -0.14670781522343934));
}

#[test]
fn permutations_of_seed_42() {
    let mut state = RandomState::new(42);
    for want in &stored()[1..] {
        let got: Vec<f64> = state.permutation(want.len()).iter().map(|&i| i as f64).collect();
        assert_eq!(&got, want);
    }
    assert_eq!(RandomState::new(42).choice(10, 10), Some(vec![8, 1, 5, 0, 7, 2, 9, 4, 3, 6]));
    assert_eq!(RandomState::new(7).choice(20, 5), Some(vec![1, 17, 2, 5, 11]));
    assert_eq!(RandomState::new(7).choice(4, 5), None);
}

#[test]
fn whole_numbers() {
    let mut state = RandomState::new(42);
    let got: Vec<i64> = (0..12).map(|_| state.integer(0, 9).unwrap()).collect();
    assert_eq!(got, [6, 3, 7, 4, 6, 9, 2, 6, 7, 4, 3, 7]);
    let mut state = RandomState::new(42);
    let got: Vec<i64> = (0..8).map(|_| state.integer(-5, 999).unwrap()).collect();
    assert_eq!(got, [97, 430, 855, 265, 101, 66, 695, 15]);
    let mut state = RandomState::new(42);
    let got: Vec<i64> = (0..5).map(|_| state.integer(0, (1 << 40) - 1).unwrap()).collect();
    assert_eq!(got, [441507790259, 395924837646, 458615280711, 810017303572, 440001501305]);
    let mut state = RandomState::new(42);
    let got: Vec<i64> = (0..5).map(|_| state.integer(0, (1 << 32) - 1).unwrap()).collect();
    assert_eq!(got, [1608637542, 3421126067, 4083286876, 787846414, 3143890026]);
    assert_eq!(state.integer(3, 2), None);
}

#[test]
fn mixed_draws_keep_the_second_normal() {
    // r = RandomState(0); r.rand(3); r.randn(3); r.permutation(6); r.uniform(2, 5); r.normal(1, 2)
    let mut state = RandomState::new(0);
    assert_eq!([state.uniform(), state.uniform(), state.uniform()], [0.5488135039273248, 0.7151893663724195, 0.6027633760716439]);
    assert_eq!([state.normal(), state.normal(), state.normal()], [-2.268328201180374, 1.3335453816218967, -0.8427240538292873]);
    assert_eq!(state.permutation(6), [3, 1, 2, 4, 5, 0]);
    assert_eq!(state.uniform_between(2.0, 5.0), 4.375175114247994);
    assert_eq!(state.normal_with(1.0, 2.0), 4.9398488957397895);
}

#[test]
fn poisson_counts() {
    let mut state = RandomState::new(1);
    let got: Vec<f64> = (0..20).map(|_| state.poisson(3.5).unwrap()).collect();
    assert_eq!(got, [2, 2, 2, 4, 0, 3, 5, 2, 2, 6, 0, 5, 4, 0, 3, 2, 3, 2, 6, 3].map(f64::from));
    let mut state = RandomState::new(1);
    let got: Vec<f64> = (0..8).map(|_| state.poisson(50.0).unwrap()).collect();
    assert_eq!(got, [48, 41, 43, 48, 48, 48, 41, 46].map(f64::from));
}
