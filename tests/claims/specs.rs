//! Models, with claims that are true of them and claims that are not.
//!
//! The first ones are those of the gallery; the mistakes are those that students make.

/// A model, what is true, what is not.
type Model = (&'static str, &'static [&'static str], &'static [&'static str]);

pub(super) const MODELS: &[Model] = &[
    // Logistic regression, as in the documentation.
    (
        r#"dataset d { csv "data/breast-cancer-wisconsin.data", header = false, missing = "?"
  columns id, clump, size, shape, adhesion, epithelial, nuclei, chromatin, nucleoli, mitoses, class
  nuclei = fill(nuclei, median(nuclei))
  X = hstack(1, clump..mitoses)
  y = class/2 - 1 }
param w: [10] = 0
let p = sigmoid(X @ w)
loss total = -sum(y*log(p) + (1 - y)*log(1 - p))"#,
        &[
            "grad(total, w) == X.T @ (p - y)",
            "grad(total, w) == (p - y) @ X",
            "total == sum(softplus(X @ w) - y*(X @ w))",
            "total == -sum(y*log(sigmoid(X @ w)) + (1 - y)*log(sigmoid(-(X @ w))))",
            "hessian(total, w) == X.T @ ((p*(1 - p))[:, None]*X)",
            "grad(total, w) == X.T @ (1/(1 + exp(-(X @ w))) - y)",
        ],
        &[
            "grad(total, w) == X.T @ (y - p)",
            "grad(total, w) == X.T @ (p - y)/rows(X)",
            "grad(total, w) == X.T @ (p + y)",
            "grad(total, w) == X.T @ ((p - y)*p*(1 - p))",
            "hessian(total, w) == X.T @ (p[:, None]*X)",
        ],
    ),
    // Newton's method on logistic regression.
    (
        r#"dataset tumours { csv "data/breast_cancer_wdbc.csv"
  X = hstack(1, standardize(mean_radius..worst_fractal_dimension)); y = target }
hyper lambda = 1e-2
param w: [31] = 0
let  p = sigmoid(X @ w)
loss J = -mean(y*log(p) + (1 - y)*log(1 - p)) + lambda/2*sum(w^2)"#,
        &[
            "grad(J, w) == X.T @ (p - y)/rows(X) + lambda*w",
            "hessian(J, w) == X.T @ ((p*(1 - p))[:, None]*X)/rows(X) + lambda*eye(31)",
            "J == mean(softplus(X @ w) - y*(X @ w)) + lambda/2*(w @ w)",
        ],
        &[
            "grad(J, w) == X.T @ (p - y)/rows(X) + lambda/2*w",
            "grad(J, w) == X.T @ (p - y) + lambda*w",
            "grad(J, w) == X.T @ (p - y)/rows(X) - lambda*w",
            "hessian(J, w) == X.T @ ((p*(1 - p))[:, None]*X)/rows(X)",
            "hessian(J, w) == X.T @ ((p*(1 + p))[:, None]*X)/rows(X) + lambda*eye(31)",
        ],
    ),
    // Softmax regression with a onehot in the data, and by picking.
    (
        r"dataset d { a = [1, 2, 3, 4, 0.5, -1]; b = [0.1, -2, 1, 0.4, 3, 1]; target = [0, 1, 2, 1, 0, 2]
  X = hstack(1, a, b); Y = onehot(target, 3) }
hyper lambda = 0.01
param W: [3, 3] = 0
let P = softmax(X @ W)
loss J = -mean(sum(Y*log(P), axis = 1)) + lambda/2*sum(W^2)
loss K = -mean(pick(log_softmax(X @ W), target)) + lambda/2*sum(W^2)",
        &[
            "sum(Y*log(P), axis = 1) == pick(log_softmax(X @ W), target)",
            "grad(J, W) == X.T @ (P - Y)/rows(X) + lambda*W",
            "grad(K, W) == X.T @ (P - Y)/rows(X) + lambda*W",
            "grad(K, W) == X.T @ (P - onehot(target, 3))/rows(X) + lambda*W",
            "J == K",
            "sum(P, axis = 1) == 1",
            "log(P) == log_softmax(X @ W)",
            "K == mean(logsumexp(X @ W, axis = 1) - pick(X @ W, target)) + lambda/2*sum(W^2)",
        ],
        &[
            "grad(J, W) == X.T @ (P - Y) + lambda*W",
            "grad(J, W) == X.T @ (Y - P)/rows(X) + lambda*W",
            "grad(J, W) == X.T @ (P - Y)/rows(X)",
            "sum(Y*log(P), axis = 1) == -pick(log_softmax(X @ W), target)",
            "sum(P, axis = 0) == 1",
        ],
    ),
    // Poisson regression.
    (
        r"dataset d { a = [1, 2, 3, 4, 0.5, -1]; y = [0, 1, 2, 4, 0, 2]; X = hstack(1, a, a^2) }
param beta: [3] = 0
let eta = X @ beta
loss nll = mean(exp(eta) - y*eta)",
        &["grad(nll, beta) == X.T @ (exp(X @ beta) - y)/rows(X)", "hessian(nll, beta) == X.T @ (exp(eta)[:, None]*X)/rows(X)"],
        &["grad(nll, beta) == X.T @ (exp(X @ beta) - y)", "grad(nll, beta) == X.T @ (X @ beta - y)/rows(X)"],
    ),
    // Ridge regression.
    (
        r"dataset d { a = [1, 2, 3, 4, 0.5, -1]; y = [0, 1, 2, 4, 0, 2]; X = hstack(1, a, a^2) }
hyper lambda = 0.1
param w: [3] = 0
loss ridge = mean((y - X @ w)^2)/2 + lambda/2*sum(w^2)
let r = X @ w - y
loss square = mean(r^2)",
        &[
            "grad(ridge, w) == lambda*w - X.T @ (y - X @ w)/rows(X)",
            "hessian(ridge, w) == X.T @ X/rows(X) + lambda*eye(3)",
            "grad(square, w) == 2*X.T @ r/rows(X)",
            "hessian(square, w) == 2*X.T @ X/rows(X)",
            "sum(w^2) == w @ w",
            "mean(r) == sum(r)/rows(X)",
            "sum(r^2) == r @ r",
            "square == (w @ X.T @ X @ w - 2*(X.T @ y) @ w + y @ y)/rows(X)",
            "norm(r)^2 == sum(r^2)",
            "grad(norm(r), w) == X.T @ r/norm(r)",
            "std(r)^2 == mean(r^2) - mean(r)^2",
        ],
        &[
            "grad(ridge, w) == lambda*w - X.T @ (y - X @ w)",
            "grad(ridge, w) == lambda*w + X.T @ (y - X @ w)/rows(X)",
            "grad(ridge, w) == 2*lambda*w - X.T @ (y - X @ w)/rows(X)",
            "sum(w^2) == sum(w)^2",
            "hessian(ridge, w) == X.T @ X + lambda*eye(3)",
            "grad(norm(r), w) == X.T @ r",
            "std(r) == mean(r^2) - mean(r)^2",
        ],
    ),
    // Matrices that do not commute, and transposes.
    (
        r"param A = [[1, 2, 0.5], [0, 1, -1], [2, 0.3, 1]]; param B = [[0, 1, 1], [2, -1, 0.1], [0.4, 2, 1]]; param v = [1, 2, 3]",
        &[
            "(A @ B).T == B.T @ A.T",
            "trace(A @ B) == trace(B @ A)",
            "trace(A.T @ A) == sum(A^2)",
            "v @ A @ v == v @ A.T @ v",
            "A @ (B @ v) == (A @ B) @ v",
            "grad(v @ A @ v, v) == (A + A.T) @ v",
            "grad(trace(A @ B), A) == B.T",
            "grad(sum((A @ B)^2), A) == 2*(A @ B) @ B.T",
            "outer(v, v) @ v == v*sum(v^2)",
            "A[1:, :] @ v == (A @ v)[1:]",
            "hstack(A, B) @ concat(v, v) == A @ v + B @ v",
            "(v[:, None]*A) @ v == v*(A @ v)",
        ],
        &[
            "A @ B == B @ A",
            "(A @ B).T == A.T @ B.T",
            "grad(v @ A @ v, v) == 2*A @ v",
            "grad(trace(A @ B), A) == B",
            "grad(sum((A @ B)^2), A) == 2*B.T @ (A @ B)",
            "v[:, None]*A == v*A",
            "A @ v == v @ A",
        ],
    ),
    // One hidden layer, the bias as a column of ones and as a vector.
    (
        r"dataset d { a = [1, 2, 3, 4, 0.5, -1]; b = [0.3, 0.1, -2, 1, 0, 2]; t = [0, 1, 1, 0, 0, 1]; X = hstack(a, b); y = t[:, None] }
param W1: [3, 3] = 0.1; param W2: [4, 1] = 0.2; param V1: [2, 3] = 0.3; param b1: [3] = 0; param v2: [3] = 0.1
let a0 = hstack(1, X); let z1 = a0 @ W1; let h = sigmoid(z1); let a1 = hstack(1, h); let p = sigmoid(a1 @ W2)
loss L = -sum(y*log(p) + (1 - y)*log(1 - p))
let g = tanh(X @ V1 + b1)
loss M = mean((g @ v2 - t)^2)/2",
        &[
            "grad(L, W2) == a1.T @ (p - y)",
            "grad(L, W1) == a0.T @ (((p - y) @ W2[1:, :].T)*h*(1 - h))",
            "grad(M, v2) == g.T @ (g @ v2 - t)/rows(X)",
            "grad(M, b1) == sum(outer(g @ v2 - t, v2)*(1 - g^2), axis = 0)/rows(X)",
            "grad(M, V1) == X.T @ (outer(g @ v2 - t, v2)*(1 - g^2))/rows(X)",
        ],
        &[
            "grad(L, W2) == a1.T @ (y - p)",
            "grad(L, W1) == a0.T @ (((p - y) @ W2[1:, :].T)*(1 - h))",
            "grad(L, W1) == a0.T @ (((p - y) @ W2[:3, :].T)*h*(1 - h))",
            "grad(M, V1) == X.T @ (outer(g @ v2 - t, v2)*(1 - g))/rows(X)",
        ],
    ),
    // The matrix loss, elementwise functions.
    (
        r"param B = [[0.5, 1], [2, -1]]; hyper lambda = 0.1; param x = 0.7; param u = [0.3, -0.2, 0.9]
dataset d { a = [1, 2, 3, 1]; b = [2, 0.1, -1, 0]; X = hstack(a, b) }
let R = X @ B - X; let rho = norm(B, axis = 1)
loss L = norm(R) + lambda*sum(rho^0.5)",
        &[
            "grad(L, B) == X.T @ R/norm(R) + lambda*B/(2*rho[:, None]^1.5)",
            "tanh(x) == 2*sigmoid(2*x) - 1",
            "sigmoid(-x) == 1 - sigmoid(x)",
            "sin(x)^2 + cos(x)^2 == 1",
            "1 + tan(x)^2 == 1/cos(x)^2",
            "cosh(x)^2 - sinh(x)^2 == 1",
            "exp(x + 1)*exp(-x) == e",
            "exp(2*x) == exp(x)^2",
            "log(sigmoid(x)) == -softplus(-x)",
            "max(x, 1) + min(x, 1) == x + 1",
            "softplus(x) - softplus(-x) == x",
            "log(x^2 + 1) == log1p(x^2)",
            "log2(1 + x^2) == log(1 + x^2)/log(2)",
            "sqrt(x^2) == abs(x)",
            "abs(x)*sign(x) == x",
            "x/(x + 1) + 1/(x + 1) == 1",
            "1/(x + 1) - 1/(x + 2) == 1/((x + 1)*(x + 2))",
            "relu(x) == maximum(x, 0)",
            "relu(x) - relu(-x) == x",
            "grad(sum(abs(u)), u) == sign(u)",
            "grad(logsumexp(u), u) == softmax(u)",
            "grad(sqrt(sum(u^2) + 1), u) == u/sqrt(sum(u^2) + 1)",
            "grad(x*cos(0.15*pi*x), x) == cos(0.15*pi*x) - 0.15*pi*x*sin(0.15*pi*x)",
            "grad(-20*exp(-0.2*sqrt(mean(u^2))), u) == 4*exp(-0.2*sqrt(mean(u^2)))*u/(3*sqrt(mean(u^2)))",
            "grad(grad(x^4, x), x) == 12*x^2",
            "0.1*3*x == 0.3*x",
            "grad(erf(x), x) == 2/sqrt(pi)*exp(-x^2)",
            "where(x > 0, x, 0) == relu(x)",
            "grad(sum(softplus(u)), u) == sigmoid(u)",
        ],
        &[
            "grad(L, B) == X.T @ R/norm(R) + lambda*B/(2*rho^1.5)",
            "grad(L, B) == X.T @ R/norm(R) + lambda*B/rho[:, None]^1.5",
            "sqrt(x^2) == x",
            "exp(log(x^2)/2) == x",
            "tanh(x) == 2*sigmoid(x) - 1",
            "abs(x) == x",
            "log(1 + x^2) == 2*log(1 + x)",
            "grad(sum(abs(u)), u) == u",
            "exp(x + 1) == exp(x) + exp(1)",
            "(x + 1)^2 == x^2 + 1",
            "0.1*3*x == 0.30000001*x",
            "where(x > 0, x, 0) == x",
            "sigmoid(x)*(1 - sigmoid(x)) == sigmoid(x)^2",
        ],
    ),
    // Update rules.
    (
        r"optimizer sum_velocity(lr, beta = 0.9) { state v = 0; v <- beta*v + grad; param <- param - lr*v }
optimizer mean_velocity(lr, beta = 0.9) { state v = 0; v <- beta*v + (1 - beta)*grad; param <- param - lr/(1 - beta)*v }
optimizer inside(lr, beta = 0.9) { state v = 0; v <- beta*v - lr*grad; param <- param + v }
optimizer average(lr) { state m = 0; m <- m + (grad - m)/t; param <- param - lr*m }
optimizer running(lr) { state s = 0; s <- s + grad; param <- param - lr*s/t }
optimizer my_adam(lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) {
  state m = 0, v = 0
  m <- beta1*m + (1 - beta1)*grad
  v <- beta2*v + (1 - beta2)*grad^2
  let m_hat = m/(1 - beta1^t)
  let v_hat = v/(1 - beta2^t)
  param <- param - lr*m_hat/(sqrt(v_hat) + eps)
}
optimizer other_names(lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) {
  state second = 0, first = 0
  second <- second + (1 - beta2)*(grad^2 - second)
  first <- first + (1 - beta1)*(grad - first)
  param <- param - lr/(1 - beta1^t)*first/(sqrt(second/(1 - beta2^t)) + eps)
}
optimizer eps_inside(lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) {
  state m = 0, v = 0
  m <- beta1*m + (1 - beta1)*grad
  v <- beta2*v + (1 - beta2)*grad^2
  param <- param - lr*m/(1 - beta1^t)/sqrt(v/(1 - beta2^t) + eps)
}
optimizer uncorrected(lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) {
  state m = 0, v = 0
  m <- beta1*m + (1 - beta1)*grad
  v <- beta2*v + (1 - beta2)*grad^2
  param <- param - lr*m/(sqrt(v) + eps)
}
optimizer swapped(lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) {
  state m = 0, v = 0
  m <- beta2*m + (1 - beta2)*grad
  v <- beta1*v + (1 - beta1)*grad^2
  param <- param - lr*m/(1 - beta2^t)/(sqrt(v/(1 - beta1^t)) + eps)
}
optimizer late(lr, beta = 0.9) { state v = 0; param <- param - lr*v; v <- beta*v + grad }",
        &[
            "sum_velocity == mean_velocity",
            "mean_velocity == sum_velocity",
            "sum_velocity == inside",
            "average == running",
            "my_adam == adam",
            "my_adam == other_names",
            "eps_inside == adam(root = inside)",
            "uncorrected == adam(bias_correction = false)",
            "sum_velocity(beta = 0) == gd",
            "momentum == sum_velocity",
        ],
        &[
            "my_adam == eps_inside",
            "my_adam == uncorrected",
            "my_adam == swapped",
            "sum_velocity == late",
            "sum_velocity == gd",
            "my_adam == adam(eps = 1e-6)",
            "average == gd",
            "nag == momentum(beta = 0.9)",
        ],
    ),
];
