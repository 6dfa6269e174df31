"""The workloads in JAX: float64, `jit` of one `lax.scan` over all steps, gradients by `jax.grad`, `vmap` over runs."""
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from peer import converse, doubles, integers, points, wisconsin

jax.config.update("jax_enable_x64", True)


def compiled(f, *inputs, picked=lambda out: out):
    """Compiles f for these inputs; `picked` takes the results out of what a run computes."""
    inputs = jax.tree.map(jnp.asarray, inputs)
    start = time.perf_counter()
    ready = jax.jit(f).lower(*inputs).compile()
    took = time.perf_counter() - start
    return (lambda: np.asarray(picked(jax.block_until_ready(ready(*inputs))))), took


def total_loss(w, X, y):
    z = X @ w
    return jnp.sum(jax.nn.softplus(z) - y * z)


def descend(X, y, lr, steps):
    def step(w, _):
        w = w - lr * jax.grad(total_loss)(w, X, y)
        return w, total_loss(w, X, y) / X.shape[0]

    return lax.scan(step, jnp.zeros(10), None, length=steps)[1]


def w1(steps):
    return compiled(lambda X, y: descend(X, y, 3e-4, steps), *wisconsin(), picked=lambda losses: losses[-1])


def w11(rows):
    return compiled(lambda X, y: descend(X, y, 3e-4 * 699 / rows, 20), *wisconsin(rows), picked=lambda losses: losses[-1])


def w2(epochs):
    def run(X0, y0, orders):
        def epoch(w, order):
            X, y = X0[order], y0[order]

            def step(w, b):
                xb, yb = lax.dynamic_slice(X, (b * 32, 0), (32, 10)), lax.dynamic_slice(y, (b * 32,), (32,))
                w = w - 1e-3 * jax.grad(total_loss)(w, xb, yb)
                return w, total_loss(w, X, y) / 699

            return lax.scan(step, w, jnp.arange(21))

        return lax.scan(epoch, jnp.zeros(10), orders)[1]

    return compiled(run, *wisconsin(), integers("wisconsin_order", 100, 699)[:epochs], picked=lambda losses: losses[-1, -1])


def w3_rule(kind, epochs):
    beta = 0.95 if kind == 4 else 0.9
    rate = 1e-4 if kind < 2 else 0.02 if kind == 2 else 1.0

    def run(x, y):
        def step(carry, row):
            p, m, s, lr = carry
            g = jax.grad(lambda p: (p[0] + p[1] * row[0] - row[1]) ** 2)(p)
            if kind == 0:
                p = p - lr * g
            elif kind == 1:
                m = 0.9 * m + (1 - 0.9) * g
                p = p - lr * m
            elif kind == 2:
                s = 0.9 * s + (1 - 0.9) * g**2
                p = p - lr / jnp.sqrt(s) * g
            else:
                m, s = 0.9 * m + (1 - 0.9) * g, beta * s + (1 - beta) * g**2
                p = p - lr / jnp.sqrt(s) * m
            return (p, m, s, lr), None

        def epoch(carry, _):
            *inner, best = carry
            (p, m, s, lr), _ = lax.scan(step, tuple(inner), (x, y))
            if kind == 4:
                level = jnp.sqrt(s).sum()
                lr, best = jnp.where(level / best > 2, lr / 4, lr), jnp.minimum(level, best)
            return (p, m, s, lr, best), None

        ones = jnp.ones(2)
        p = lax.scan(epoch, (ones, ones, ones, rate, 5500.0), None, length=epochs)[0][0]
        return jnp.mean((p[0] + p[1] * x - y) ** 2)

    return run


def w3(epochs):
    rules = [w3_rule(kind, epochs) for kind in range(5)]
    return compiled(lambda x, y: jnp.stack([rule(x, y) for rule in rules]), *map(np.array, points()))


def w4(steps):
    def run(X, y, start):
        def loss(w):
            z = X @ w[:30] + w[30]
            return jnp.sum(jax.nn.softplus(z) - y * z)

        def step(carry, _):
            w, m, v = carry
            cost, g = jax.value_and_grad(loss)(w)
            m, v = 0.9 * m + (1 - 0.9) * g, 0.999 * v + (1 - 0.999) * g**2
            return (w - 1e-6 * m / (jnp.sqrt(v) + 1e-8), m, v), cost / 569

        return lax.scan(step, (start, jnp.zeros(31), jnp.zeros(31)), None, length=steps)[1]

    X, y, start = doubles("cancer_X", 569, 30), doubles("cancer_y", 569), doubles("cancer_start", 31)
    return compiled(run, X, y, start, picked=lambda losses: losses[-1])


def w5(steps):
    def bowl(w):
        return 0.1 * w[0] ** 2 + 2 * w[1] ** 2

    def race(rule, lr):
        def step(carry, t):
            w, s, v = carry
            g = jax.grad(bowl)(w)
            if rule == 0:
                w = w - lr * g
            elif rule == 1:
                v = 0.5 * v + g
                w = w - lr * v
            elif rule == 2:
                s = s + g * g
                w = w - lr / jnp.sqrt(s + 1e-6) * g
            elif rule == 3:
                s = 0.9 * s + (1 - 0.9) * g * g
                w = w - lr / jnp.sqrt(s + 1e-6) * g
            else:
                s, v = 0.999 * s + (1 - 0.999) * g * g, 0.9 * v + (1 - 0.9) * g
                w = w - lr * (v / (1 - 0.9**t)) / jnp.sqrt(s / (1 - 0.999**t) + 1e-6)
            return (w, s, v), w

        (w, _, _), trace = lax.scan(step, (jnp.array([-5.0, -2.0]), jnp.zeros(2), jnp.zeros(2)), jnp.arange(1.0, steps + 1.0))
        return bowl(w), trace

    def run(rates):
        return [jax.vmap(lambda lr, rule=rule: race(rule, lr))(rates) for rule in range(5)]

    return compiled(run, doubles("rates_w5", 1000), picked=lambda out: jnp.stack([losses for losses, _ in out]))


def adam(g, m, v, t):
    """Adam's direction, and the new means."""
    m, v = 0.9 * m + (1 - 0.9) * g, 0.999 * v + (1 - 0.999) * g**2
    return (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


def w6(epochs):
    def race(rule, lr, X, y):
        def step(carry, t):
            w, m, v = carry
            g = jax.grad(total_loss)(w, X, y)
            if rule == 0:
                w = w - lr * g
            elif rule == 1:
                v = 0.9 * v + g
                w = w - lr * v
            else:
                direction, m, v = adam(g, m, v, t)
                w = w - lr * direction
            return (w, m, v), total_loss(w, X, y) / 699

        zeros = jnp.zeros(10)
        return lax.scan(step, (zeros, zeros, zeros), jnp.arange(1.0, epochs + 1.0))[1]

    def run(rates, X, y):
        return jnp.stack([jax.vmap(lambda lr, rule=rule: race(rule, lr, X, y))(rates) for rule in range(3)])

    return compiled(run, doubles("rates_w6", 64), *wisconsin(), picked=lambda losses: losses[:, :, -1])


def adam_scan(loss, parameters, batches):
    """Adam over a sequence of batches; the parameters that it ends with, and the loss of each batch."""

    def step(carry, batch):
        parameters, m, v, t = carry
        value, g = jax.value_and_grad(loss)(parameters, batch)
        moved = [(p - 1e-3 * direction, m, v) for p, (direction, m, v) in zip(parameters, [adam(*a, t) for a in zip(g, m, v)])]
        parameters, m, v = ([a[i] for a in moved] for i in range(3))
        return (parameters, m, v, t + 1), value

    zeros = [jnp.zeros_like(p) for p in parameters]
    (parameters, *_), losses = lax.scan(step, (parameters, zeros, zeros, 1.0), batches)
    return parameters, losses


def w7_perceptron(epochs):
    X, y = doubles("digits_X", 1797, 64), integers("digits_y", 1797)
    order = integers("digits_order", 30, 1797)[:epochs, : 28 * 64].reshape(epochs * 28, 64)
    start = [doubles("mlp_first", 64, 32), np.zeros(32), doubles("mlp_second", 32, 10), np.zeros(10)]

    def loss(P, x, y):
        s = jax.nn.sigmoid(x @ P[0] + P[1]) @ P[2] + P[3]
        return jnp.mean(jax.nn.logsumexp(s, axis=1) - jnp.take_along_axis(s, y[:, None], 1)[:, 0])

    def run(start, X, y, order):
        P, losses = adam_scan(lambda P, rows: loss(P, X[rows], y[rows]), start, order)
        return loss(P, X, y), losses

    return compiled(run, start, X, y, order, picked=lambda out: out[0])


def w7_autoencoder(epochs):
    X = doubles("images", 5000, 784)[: 39 * 128].reshape(39, 128, 784)
    start = [doubles("encoder", 784, 100), np.zeros(100), doubles("decoder", 100, 784), np.zeros(784)]

    def loss(P, x):
        out = jax.nn.sigmoid(jax.nn.sigmoid(x @ P[0] + P[1]) @ P[2] + P[3])
        return 0.5 * jnp.sum((x - out) ** 2) / 128 + 0.5e-4 * (jnp.sum(P[0] ** 2) + jnp.sum(P[2] ** 2))

    def run(start, X):
        return adam_scan(lambda P, b: loss(P, X[b % 39]), start, jnp.arange(39 * epochs))[1]

    return compiled(run, start, X, picked=lambda losses: losses[-1])


def w8(steps):
    def loss(B, X):
        return jnp.linalg.norm(X @ B - X) + 0.1 * jnp.sum(jnp.linalg.norm(B, axis=1) ** 0.5)

    def run(B, X):
        def step(B, _):
            value, g = jax.value_and_grad(loss)(B, X)
            return B - 1e-3 * g, value

        B, losses = lax.scan(step, B, None, length=steps)
        return loss(B, X), losses

    return compiled(run, doubles("samples_start", 50, 50), doubles("samples", 200, 50), picked=lambda out: out[0])


def w9(steps):
    def ackley(x):
        waves = jnp.exp(0.5 * (jnp.cos(2 * jnp.pi * x[0]) + jnp.cos(2 * jnp.pi * x[1])))
        return -20 * jnp.exp(-0.2 * jnp.sqrt(0.5 * (x[0] ** 2 + x[1] ** 2))) - waves + jnp.e + 20

    def race(start):
        def step(carry, t):
            x, u = carry
            lr = jnp.where(t < 5, 1e-4, jnp.where(t < 10, 1e-2, 0.1))
            u = 0.2 * u + lr * jax.grad(ackley)(x - 0.2 * u)
            x = x - u
            return (x, u), ackley(x)

        return lax.scan(step, (start, jnp.zeros(2)), jnp.arange(1, steps + 1))[1]

    return compiled(jax.vmap(race), doubles("starts", 500, 2), picked=lambda values: values[:, -1])


converse({
    "W1": w1, "W2": w2, "W3": w3, "W4": w4, "W5": w5, "W6": w6, "W7.mlp": w7_perceptron, "W7.ae": w7_autoencoder, "W8": w8, "W9": w9, "W11": w11,
})
