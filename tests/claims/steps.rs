//! Derivations: every line that `optrun grad --steps` prints is text of the language, and read back gives the gradient.

use super::claims;
use optrun::ask::Verdict;
use optrun::pipeline::{self, Limits, RunOptions};
use std::fs;
use std::path::Path;

/// What `grad --steps` prints of a loss.
fn derivation(model: &str, loss: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.opt");
    fs::write(&spec, model).unwrap();
    let data = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("specs"));
    let options = RunOptions { spec, data, only: Vec::new(), set: Vec::new(), threads: None, limits: Limits::default() };
    pipeline::grad(&options, Some(loss), None, true).unwrap().value.text
}

/// Formula of a line: after its `=`, before the rule or the shape.
fn formula(line: &str) -> &str {
    let end = line.find("   (").or_else(|| line.find("   [")).unwrap_or(line.len());
    line[..end].trim()
}

/// A spec made of the printed lines, with claims that they are the gradient: of the parameters and of each delta.
fn read_back(model: &str, loss: &str) -> String {
    let mut spec = format!("{model}\n");
    let declared = |name: &str| ["let", "loss", "param"].iter().any(|word| model.contains(&format!("{word} {name} ")));
    for line in derivation(model, loss).lines().take_while(|line| !line.starts_with("check")) {
        if let Some((name, value)) = line.strip_prefix("let    ").and_then(|rest| rest.split_once(" = ")) {
            if !declared(name) {
                spec.push_str(&format!("let {name} = {}\n", formula(value)));
            }
        } else if let Some((target, value)) = line.strip_prefix("so     ").and_then(|rest| rest.split_once(" = ")) {
            let wrt = target.rsplit('/').next().unwrap().strip_prefix('d').unwrap();
            spec.push_str(&format!("claim grad({loss}, {wrt}) == {value}\n"));
        } else if let Some((_, step)) = line.split_once(". ").filter(|(n, _)| n.parse::<u32>().is_ok()) {
            let (head, value) = step.split_once(" = ").unwrap();
            if head.starts_with("delta_") {
                let (_, value) = value.split_once(" = ").unwrap();
                spec.push_str(&format!("let {head} = {}\n", formula(value)));
            } else {
                let wrt = head.rsplit('/').next().unwrap().strip_prefix('d').unwrap();
                spec.push_str(&format!("claim grad({loss}, {wrt}) == {}\n", formula(value)));
            }
        }
    }
    spec
}

const LOGISTIC: &str = r#"dataset wisconsin { csv "data/breast-cancer-wisconsin.data", header = false, missing = "?"
  columns id, clump, size, shape, adhesion, epithelial, nuclei, chromatin, nucleoli, mitoses, class
  nuclei = fill(nuclei, median(nuclei))
  X = hstack(1, clump..mitoses)
  y = class/2 - 1 }
param w: [10] = 0
let p = sigmoid(X @ w)
loss L = -sum(y*log(p) + (1 - y)*log(1 - p))"#;

const LINE: &str =
    "dataset points { x = [14, 86, 28, 51, 28, 29, 72, 62, 84, 15, 42, 62, 47, 35, 9, 38, 44, 99, 13, 21, 28, 20, 8, 64, 99, 70, 27, 17, 8]
  y = 30 + 2*x }
param b = 1; param w = 1
loss L = mean((b + w*x - y)^2)";

const NETWORK: &str =
    "dataset d { a = [1, 2, 3, 4, 0.5, -1]; b = [0.3, 0.1, -2, 1, 0, 2]; t = [0, 1, 1, 0, 0, 1]; X = hstack(a, b); y = t[:, None] }
param W1 = [[0.1, -0.2, 0.3], [0.4, 0.5, -0.6], [0.7, 0.8, 0.9]]; param W2 = [[0.1], [-0.3], [0.5], [0.2]]
let a0 = hstack(1, X); let z1 = a0 @ W1; let h = sigmoid(z1); let a1 = hstack(1, h); let z2 = a1 @ W2; let p = sigmoid(z2)
loss L = -sum(y*log(p) + (1 - y)*log(1 - p))";

const MORE: &[(&str, &str)] = &[
    (LOGISTIC, "L"),
    (LINE, "L"),
    (NETWORK, "L"),
    (
        "param B = [[0.5, 1], [2, -1]]; hyper lambda = 0.1
dataset d { a = [1, 2, 3, 1]; b = [2, 0.1, -1, 0]; X = hstack(a, b) }
let R = X @ B - X; let rho = norm(B, axis = 1)
loss N = norm(R) + lambda*sum(rho^0.5)",
        "N",
    ),
    (
        "dataset d { a = [1, 2, 3, 4, 0.5, -1]; b = [0.3, 0.1, -2, 1, 0, 2]; t = [0, 1, 1, 0, 0, 1]; X = hstack(a, b) }
param V1 = [[0.1, 0.2, -0.3], [0.4, 0.5, 0.6]]; param b1 = [0.1, 0, -0.1]; param v2 = [1, -2, 0.5]
let g = tanh(X @ V1 + b1)
loss M = mean((g @ v2 - t)^2)/2",
        "M",
    ),
    (
        "dataset d { a = [1, 2, 3, 4, 0.5, -1]; b = [0.3, 0.1, -2, 1, 0, 2]; target = [0, 1, 2, 1, 0, 2]; X = hstack(1, a, b) }
param W = [[0.1, 0.2, -0.3], [0.4, 0.5, 0.6], [-1, 0.2, 0]]; param c = [0.1, 0.2, 0.3]; hyper lambda = 0.01
loss K = -mean(pick(log_softmax(X @ W + c), target)) + lambda/2*sum(W^2)",
        "K",
    ),
    (
        "param u = 10
loss wave = u*cos(0.15*pi*u)",
        "wave",
    ),
    (
        "param q = [0.3, -0.4, 2]
loss kinks = sum(relu(q)) + sum(abs(q - 1)) + sum(maximum(q, 0.5)*q) + q[0]^3",
        "kinks",
    ),
    (
        "param p = [25, 20]
loss ackley = -20*exp(-0.2*sqrt(mean(p^2))) - exp(mean(cos(2*pi*p))) + 20 + e",
        "ackley",
    ),
];

#[test]
fn every_derivation_read_back_is_the_gradient() {
    let mut findings = Vec::new();
    for (model, loss) in MORE {
        let spec = read_back(model, loss);
        for claim in claims(&spec) {
            // Open is where it is not proved, but holds in numbers at every point.
            if matches!(claim.verdict, Verdict::Refuted(_)) {
                findings.push(format!("{}: {:?}\n{spec}", claim.text, claim.verdict));
            }
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// The worked examples of textbooks: what they print at the end, and on the way.
#[test]
fn the_worked_examples() {
    let line = derivation(LINE, "L");
    for wanted in [
        "1. delta_r = dL/dr = 2*r/rows(x)",
        "2. dL/db = sum(delta_r)",
        "so     dL/db = 2*mean(r)",
        "3. dL/dw = sum(delta_r*x)",
        "so     dL/dw = 2*mean(r*x)",
    ] {
        assert!(line.contains(wanted), "{wanted}\n{line}");
    }
    assert!(line.contains("5796.586206896552") && line.contains("-142.13793103448276") && line.contains("-7471.172413793103"), "{line}");
    let logistic = derivation(LOGISTIC, "L");
    for wanted in [
        "delta_z = dL/dz = delta_p*(p*(1 - p))",
        "= p - y   (put together)",
        "dL/dw = X.T @ delta_z   (matrix times vector)",
        "so     dL/dw = X.T @ (p - y)",
    ] {
        assert!(logistic.contains(wanted), "{wanted}\n{logistic}");
    }
    assert!(logistic.contains("[108.5, -190, -488.5, -460, -356, -153, -606.5, -239.5, -411, -68.5]"), "{logistic}");
    let network = derivation(NETWORK, "L");
    for wanted in [
        "= p - y   (put together)",
        "dL/dW2 = a1.T @ delta_z2",
        "delta_a1 = dL/da1 = delta_z2 @ W2.T",
        "delta_h*(h*(1 - h))",
        "dL/dW1 = a0.T @ delta_z1",
    ] {
        assert!(network.contains(wanted), "{wanted}\n{network}");
    }
}
