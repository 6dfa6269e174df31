//! Optima of other libraries and of closed forms, and runs of other programs.

use super::support::{Columns, root, run_in, run_text};

fn assert_near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1.0), "{found} is not {expected}");
}

/// The measurements of 569 tumours, standardized, and a column of ones.
const TUMOURS: &str = r#"
dataset tumours {
  csv "data/breast_cancer_wdbc.csv"
  X = standardize(mean_radius..worst_fractal_dimension)
  Z = hstack(1, X)
  y = target
}
"#;

/// scikit-learn 1.9.1, `LogisticRegression(C = 1/(0.01*569), fit_intercept = False, tol = 1e-14, solver = "newton-cholesky")` on the same
/// matrix: the objective at its coefficients.
const LOGISTIC: f64 = 0.100_446_303_781_205_92;

#[test]
fn logistic_regression_has_the_optimum_of_scikit_learn() {
    let table = Columns::of(
        &run_text(&format!(
            "{TUMOURS}param w: [31] = 0
let z = Z @ w
loss J = mean(softplus(z) - y*z) + 0.01/2*sum(w^2)
sweep fit {{ minimize J; optimizer in [newton(damping in [none, armijo]), lbfgs, backtracking] }}
table t {{ rows optimizer, damping; show J, w[1] as \"w1\", status }}"
        )),
        "t.csv",
    );
    for (row, loss) in table.numbers("J").into_iter().enumerate() {
        assert_near(loss, LOGISTIC, 1e-12);
        assert_near(table.numbers("w1")[row], -0.401_231_252_377_863_17, 1e-7);
        assert_eq!(table.texts("status")[row], "stopped");
    }
    assert_eq!(table.numbers("J").len(), 4);
}

/// `Ridge(alpha = 0.1*569, solver = "svd")`: objective, first coefficient, norm.
const RIDGE: [f64; 3] = [0.031_549_602_152_203_66, -0.042_324_563_942_233_176, 0.214_807_706_689_524_9];

#[test]
fn ridge_regression_has_the_optimum_of_scikit_learn_and_of_the_normal_equations() {
    let table = Columns::of(
        &run_text(&format!(
            "{TUMOURS}param w: [30] = 0
let c = y - mean(y)
loss J = mean((c - X @ w)^2)/2 + 0.1/2*sum(w^2)
let exact = solve(X.T @ X/rows(X) + 0.1*eye(30), X.T @ c/rows(X))
sweep fit {{ minimize J; optimizer in [newton, lbfgs, levenberg_marquardt] }}
table t {{ rows optimizer; show J, w[0] as \"w0\", norm(w) as \"size\", norm(w - exact) as \"away\", steps }}"
        )),
        "t.csv",
    );
    for row in 0..3 {
        assert_near(table.numbers("J")[row], RIDGE[0], 1e-13);
        assert_near(table.numbers("w0")[row], RIDGE[1], 1e-8);
        assert_near(table.numbers("size")[row], RIDGE[2], 1e-8);
        assert!(table.numbers("away")[row] <= 1e-8);
    }
    // A quadratic is one step of Newton's.
    assert_eq!(table.numbers("steps")[0], 1.0);
}

/// `Lasso(alpha = 0.05, tol = 1e-15)`: objective and number of coefficients that are not zero. For the logistic loss with 0.01*sum(abs(w))
/// and a free intercept: FISTA with restarts in NumPy until nothing changed by 1e-15.
const LASSO: (f64, f64) = (0.055_041_164_557_107_856, 6.0);
const L1_LOGISTIC: (f64, f64) = (0.159_307_380_458_000_86, 9.0);

#[test]
fn absolute_values_are_thresholded_to_the_optima_of_scikit_learn() {
    let outcome = run_text(&format!(
        "{TUMOURS}param w: [30] = 0
param b = 0
let c = y - mean(y)
let z = X @ w + b
loss lasso = mean((c - X @ w)^2)/2 + 0.05*sum(abs(w))
loss logistic = mean(softplus(z) - y*z) + 0.01*norm(w, ord = 1)
metric used = sum(w != 0)
let L = norm(X, ord = 2)^2/rows(X)
sweep a {{ minimize lasso; optimizer in [proximal(lr = 1/L, acceleration = fista), proximal(lr = 8, search = backtracking)]; steps = 4000 }}
sweep b {{ minimize logistic; optimizer = proximal(lr = 4/L, acceleration = fista); steps = 8000 }}
table a {{ from a; rows optimizer; show lasso, used }}
table b {{ from b; show logistic, used }}"
    ));
    let (a, b) = (Columns::of(&outcome, "a.csv"), Columns::of(&outcome, "b.csv"));
    for row in 0..2 {
        assert_near(a.numbers("lasso")[row], LASSO.0, 1e-9);
        assert_eq!(a.numbers("used")[row], LASSO.1);
    }
    assert_near(b.numbers("logistic")[0], L1_LOGISTIC.0, 1e-9);
    assert_eq!(b.numbers("used")[0], L1_LOGISTIC.1);
}

#[test]
fn the_splitting_is_that_of_the_rule_written_by_hand() {
    let table = Columns::of(
        &run_text(&format!(
            "{TUMOURS}param w: [30] = 0
param b = 0
let z = X @ w + b
loss fit = mean(softplus(z) - y*z)
hyper lambda = 0.01
loss J = fit + lambda*sum(abs(w))
optimizer by_hand(lr, penalty) {{ param <- soft_threshold(param - lr*grad, lr*penalty) }}
loss fit_w = mean(softplus(X @ w) - y*(X @ w))
loss J_w = fit_w + lambda*sum(abs(w))
sweep library {{ minimize J_w; optimizer = proximal(lr = 0.05); lambda in [0.001, 0.1]; steps = 500 }}
sweep own {{ minimize fit_w; optimizer = by_hand(lr = 0.05, penalty = lambda); lambda in [0.001, 0.1]; steps = 500 }}
table t {{ from own; rows lambda; show max(abs(final(own.w) - final(library.w))) as \"apart\" }}"
        )),
        "t.csv",
    );
    assert!(table.numbers("apart").iter().all(|apart| *apart <= 1e-14), "{:?}", table.numbers("apart"));
}

#[test]
fn counts_are_fitted_as_by_scikit_learn() {
    let table = Columns::of(
        &run_text(
            "dataset counts {
  i = range(24)
  n = [0, 1, 0, 2, 1, 0, 1, 3, 2, 1, 1, 4, 2, 3, 5, 2, 6, 4, 5, 9, 7, 8, 12, 10]
  X = hstack(1, (i - 11.5)/8, sin(i))
}
hyper level = 0
param beta = [level, 0, 0]
let eta = X @ beta
loss nll = mean(exp(eta) - n*eta)
sweep fit { minimize nll; optimizer in [newton, newton(damping = armijo), lbfgs]; level in [0, 3] }
table t { rows optimizer, level; show nll, beta[0] as \"b0\", beta[2] as \"b2\", status }",
        ),
        "t.csv",
    );
    for row in 0..6 {
        // `PoissonRegressor(alpha = 0, tol = 1e-13)`, and Newton's method in NumPy.
        assert_near(table.numbers("nll")[row], -2.379_847_365_378_523_7, 1e-13);
        assert_near(table.numbers("b0")[row], 0.925_120_501_930_433_8, 1e-8);
        assert_near(table.numbers("b2")[row], 0.070_599_939_533_058_13, 1e-8);
    }
}

/// `SciPy` on the function of three variables, 80 iterations with `adaptive = True`.
const ADAPTIVE: [f64; 3] = [0.999_847_391_815_540_6, 0.999_769_199_767_013_3, 0.999_575_951_640_428_3];
const ADAPTIVE_EVALUATIONS: f64 = 148.0;

#[test]
fn the_simplex_is_that_of_scipy() {
    // SciPy 1.17.1, `minimize(.., method = "Nelder-Mead")` on Rosenbrock's function; SciPy counts its iterations from 1, so that 60 are 59 steps.
    let table = Columns::of(
        &run_text(
            "param x = [-1.2, 1]
loss rosenbrock = 100*(x[1] - x[0]^2)^2 + (1 - x[0])^2
sweep some { minimize rosenbrock; optimizer = nelder_mead; steps = 59 }
sweep all = some with { steps = 1000 }
table t { from some, all; rows sweep; show x, rosenbrock, steps, evaluations, status }",
        ),
        "t.csv",
    );
    assert_near(table.vector("x", 0)[0], 0.941_704_970_219_171_8, 1e-14);
    assert_near(table.vector("x", 0)[1], 0.884_325_678_782_19, 1e-14);
    assert_near(table.vector("x", 1)[0], 1.000_022_021_783_569_6, 1e-14);
    assert_near(table.vector("x", 1)[1], 1.000_042_219_751_771_5, 1e-14);
    assert_eq!(table.numbers("steps"), [59.0, 84.0]);
    assert_eq!(table.numbers("evaluations"), [112.0, 159.0]);
    assert_eq!(table.texts("status"), ["done", "stopped"]);
    let table = Columns::of(
        &run_text(
            "param x = [1.3, 0.7, 0.8]
loss rosenbrock = sum(100*(x[1:] - x[:-1]^2)^2 + (1 - x[:-1])^2)
sweep s { minimize rosenbrock; optimizer = nelder_mead(coefficients = adaptive); steps = 79 }
table t { show x, evaluations }",
        ),
        "t.csv",
    );
    for (found, expected) in table.vector("x", 0).into_iter().zip(ADAPTIVE) {
        assert_near(found, expected, 1e-13);
    }
    assert_eq!(table.numbers("evaluations"), [ADAPTIVE_EVALUATIONS]);
}

#[test]
fn newton_contracts_a_fourth_power_by_two_thirds() {
    let table = Columns::of(
        &run_text(
            "param x = 3
loss f = x^4
sweep s { minimize f; optimizer = newton; steps = 20 }
table t { rows step; show x }",
        ),
        "t.csv",
    );
    let mut expected = 3.0;
    for x in table.numbers("x") {
        assert_near(x, expected, 1e-14);
        expected *= 2.0 / 3.0;
    }
    assert_eq!(table.numbers("x").len(), 21);
}

#[test]
fn the_autoencoder_falls_as_far_as_by_scipy() {
    // Seed 003: SciPy's L-BFGS-B, 400 iterations from the stored start.
    const STORED: f64 = 0.147_953_329_908_749_15;
    let folder = root().join("tests/data/autoencoder");
    let theta = std::fs::read_to_string(folder.join("theta.csv")).expect("a file");
    let theta: Vec<&str> = theta.lines().skip(1).collect();
    let table = Columns::of(
        &run_in(
            &folder,
            &format!(
                "dataset digits {{ csv \"digits.csv\"; X = (p00..p77)/16 }}
let theta = [{}]
hyper lambda = 1e-4
param W1: [25, 64] = reshape(theta[0:1600], [25, 64])
param W2: [64, 25] = reshape(theta[1600:3200], [64, 25])
param b1: [25] = theta[3200:3225]
param b2: [64] = theta[3225:3289]
let H = sigmoid(X @ W1.T + b1)
let O = sigmoid(H @ W2.T + b2)
loss J = sum((O - X)^2)/(2*rows(X)) + lambda/2*(sum(W1^2) + sum(W2^2))
sweep fit {{ minimize J; optimizer = lbfgs(memory = 10); steps = 400 }}
table t {{ show start(J) as \"first\", J, steps }}",
                theta.join(", ")
            ),
        ),
        "t.csv",
    );
    assert_near(table.numbers("first")[0], 5.698_161_340_694_365, 1e-12);
    assert_eq!(table.numbers("steps"), [400.0]);
    assert!(table.numbers("J")[0] <= 1.02 * STORED, "{}", table.numbers("J")[0]);
}
