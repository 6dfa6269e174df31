"""The workloads in Numba: scalar loops, compiled without fastmath. W7 and W8 are products of matrices, for which Numba calls what NumPy calls."""
import math

import numpy as np
from numba import njit

from peer import converse, doubles, integers, points, seconds_of, wisconsin


def compiled(run):
    """The first call compiles; the second tells how long a run takes."""
    first, _ = seconds_of(run)
    second, _ = seconds_of(run)
    return run, max(0.0, first - second)


@njit
def loss_of(X, y, w):
    total = 0.0
    for i in range(X.shape[0]):
        z = 0.0
        for j in range(10):
            z += X[i, j] * w[j]
        total += max(z, 0.0) + math.log1p(math.exp(-abs(z))) - y[i] * z
    return total / X.shape[0]


@njit
def gradient(X, y, w, g):
    g[:] = 0.0
    for i in range(X.shape[0]):
        z = 0.0
        for j in range(10):
            z += X[i, j] * w[j]
        d = 1 / (1 + math.exp(-z)) - y[i]
        for j in range(10):
            g[j] += d * X[i, j]


@njit
def descend(X, y, lr, steps):
    w, g, losses = np.zeros(10), np.zeros(10), np.zeros(steps)
    for t in range(steps):
        gradient(X, y, w, g)
        for j in range(10):
            w[j] -= lr * g[j]
        losses[t] = loss_of(X, y, w)
    return losses[-1]


def w1(steps):
    X, y = wisconsin()
    return compiled(lambda: descend(X, y, 3e-4, steps))


def w11(rows):
    X, y = wisconsin(rows)
    return compiled(lambda: descend(X, y, 3e-4 * 699 / rows, 20))


@njit
def descend_by_batches(X0, y0, orders):
    w, g, losses, k = np.zeros(10), np.zeros(10), np.zeros(21 * len(orders)), 0
    for e in range(len(orders)):
        X, y = X0[orders[e]], y0[orders[e]]
        for b in range(21):
            gradient(X[b * 32 : b * 32 + 32], y[b * 32 : b * 32 + 32], w, g)
            for j in range(10):
                w[j] -= 1e-3 * g[j]
            losses[k] = loss_of(X, y, w)
            k += 1
    return losses[-1]


def w2(epochs):
    X, y = wisconsin()
    orders = integers("wisconsin_order", 100, 699)[:epochs]
    return compiled(lambda: descend_by_batches(X, y, orders))


@njit
def w3_rule(kind, x, y, epochs):
    b = w = mb = mw = sb = sw = 1.0
    best, beta = 5500.0, 0.95 if kind == 4 else 0.9
    lr = 1e-4 if kind < 2 else 0.02 if kind == 2 else 1.0
    for _ in range(epochs):
        for i in range(len(x)):
            gb = 2 * (b + w * x[i] - y[i])
            gw = gb * x[i]
            if kind == 0:
                b -= lr * gb
                w -= lr * gw
            elif kind == 1:
                mb = 0.9 * mb + (1 - 0.9) * gb
                mw = 0.9 * mw + (1 - 0.9) * gw
                b -= lr * mb
                w -= lr * mw
            elif kind == 2:
                sb = 0.9 * sb + (1 - 0.9) * gb * gb
                sw = 0.9 * sw + (1 - 0.9) * gw * gw
                b -= lr / math.sqrt(sb) * gb
                w -= lr / math.sqrt(sw) * gw
            else:
                mb = 0.9 * mb + (1 - 0.9) * gb
                mw = 0.9 * mw + (1 - 0.9) * gw
                sb = beta * sb + (1 - beta) * gb * gb
                sw = beta * sw + (1 - beta) * gw * gw
                b -= lr / math.sqrt(sb) * mb
                w -= lr / math.sqrt(sw) * mw
        if kind == 4:
            level = math.sqrt(sb) + math.sqrt(sw)
            if level / best > 2:
                lr /= 4
            if level < best:
                best = level
    total = 0.0
    for i in range(len(x)):
        total += (b + w * x[i] - y[i]) ** 2
    return total / len(x)


def w3(epochs):
    x, y = map(np.array, points())
    return compiled(lambda: [w3_rule(kind, x, y, epochs) for kind in range(5)])


@njit
def w4_run(X, y, start, steps):
    w, m, v, g, losses = start.copy(), np.zeros(31), np.zeros(31), np.zeros(31), np.zeros(steps)
    for t in range(steps):
        g[:] = 0.0
        cost = 0.0
        for i in range(569):
            z = w[30]
            for k in range(30):
                z += X[i, k] * w[k]
            p = 1 / (1 + math.exp(-z))
            cost += -y[i] * math.log(p) - (1 - y[i]) * math.log(1 - p)
            d = p - y[i]
            for k in range(30):
                g[k] += d * X[i, k]
            g[30] += d
        losses[t] = cost / 569
        for k in range(31):
            m[k] = 0.9 * m[k] + (1 - 0.9) * g[k]
            v[k] = 0.999 * v[k] + (1 - 0.999) * g[k] * g[k]
            w[k] -= 1e-6 * m[k] / (math.sqrt(v[k]) + 1e-8)
    return losses[-1]


def w4(steps):
    X, y, start = doubles("cancer_X", 569, 30), doubles("cancer_y", 569), doubles("cancer_start", 31)
    return compiled(lambda: w4_run(X, y, start, steps))


@njit
def w5_run(rates, steps):
    trace, final = np.zeros((5, len(rates), steps + 1, 2)), np.zeros((5, len(rates)))
    for rule in range(5):
        for r in range(len(rates)):
            lr, x, y, sx, sy, vx, vy, p, q = rates[r], -5.0, -2.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0
            for t in range(1, steps + 1):
                gx, gy = 0.2 * x, 4 * y
                if rule == 0:
                    x -= lr * gx
                    y -= lr * gy
                elif rule == 1:
                    vx = 0.5 * vx + gx
                    vy = 0.5 * vy + gy
                    x -= lr * vx
                    y -= lr * vy
                elif rule == 2:
                    sx += gx * gx
                    sy += gy * gy
                    x -= lr / math.sqrt(sx + 1e-6) * gx
                    y -= lr / math.sqrt(sy + 1e-6) * gy
                elif rule == 3:
                    sx = 0.9 * sx + (1 - 0.9) * gx * gx
                    sy = 0.9 * sy + (1 - 0.9) * gy * gy
                    x -= lr / math.sqrt(sx + 1e-6) * gx
                    y -= lr / math.sqrt(sy + 1e-6) * gy
                else:
                    p *= 0.9
                    q *= 0.999
                    sx = 0.999 * sx + (1 - 0.999) * gx * gx
                    sy = 0.999 * sy + (1 - 0.999) * gy * gy
                    vx = 0.9 * vx + (1 - 0.9) * gx
                    vy = 0.9 * vy + (1 - 0.9) * gy
                    x -= lr * (vx / (1 - p)) / math.sqrt(sx / (1 - q) + 1e-6)
                    y -= lr * (vy / (1 - p)) / math.sqrt(sy / (1 - q) + 1e-6)
                trace[rule, r, t, 0] = x
                trace[rule, r, t, 1] = y
            final[rule, r] = 0.1 * x * x + 2 * y * y
    return final


def w5(steps):
    rates = doubles("rates_w5", 1000)
    return compiled(lambda: w5_run(rates, steps))


@njit
def w6_run(X, y, rates, epochs):
    losses = np.zeros((3, 64, epochs))
    for rule in range(3):
        for k in range(64):
            lr, w, g, m, v, p, q = rates[k], np.zeros(10), np.zeros(10), np.zeros(10), np.zeros(10), 1.0, 1.0
            for e in range(epochs):
                gradient(X, y, w, g)
                p *= 0.9
                q *= 0.999
                for j in range(10):
                    if rule == 0:
                        w[j] -= lr * g[j]
                    elif rule == 1:
                        v[j] = 0.9 * v[j] + g[j]
                        w[j] -= lr * v[j]
                    else:
                        m[j] = 0.9 * m[j] + (1 - 0.9) * g[j]
                        v[j] = 0.999 * v[j] + (1 - 0.999) * g[j] * g[j]
                        w[j] -= lr * (m[j] / (1 - p)) / (math.sqrt(v[j] / (1 - q)) + 1e-8)
                losses[rule, k, e] = loss_of(X, y, w)
    return losses[:, :, -1].copy()


def w6(epochs):
    X, y = wisconsin()
    rates = doubles("rates_w6", 64)
    first, _ = seconds_of(lambda: w6_run(X, y, rates, 1))
    second, _ = seconds_of(lambda: w6_run(X, y, rates, 1))
    return (lambda: w6_run(X, y, rates, epochs)), max(0.0, first - second)


@njit
def ackley(x, y):
    waves = math.exp(0.5 * (math.cos(2 * math.pi * x) + math.cos(2 * math.pi * y)))
    return -20 * math.exp(-0.2 * math.sqrt(0.5 * (x * x + y * y))) - waves + math.e + 20


@njit
def w9_run(starts, steps):
    values = np.zeros((500, steps + 1))
    for s in range(500):
        x, y, u, v = starts[s, 0], starts[s, 1], 0.0, 0.0
        values[s, 0] = ackley(x, y)
        for t in range(1, steps + 1):
            a, b = x - 0.2 * u, y - 0.2 * v
            r = math.sqrt(0.5 * (a * a + b * b))
            slope = 2 * math.exp(-0.2 * r) / r
            waves = math.pi * math.exp(0.5 * (math.cos(2 * math.pi * a) + math.cos(2 * math.pi * b)))
            lr = 1e-4 if t < 5 else 1e-2 if t < 10 else 0.1
            u = 0.2 * u + lr * (slope * a + math.sin(2 * math.pi * a) * waves)
            v = 0.2 * v + lr * (slope * b + math.sin(2 * math.pi * b) * waves)
            x -= u
            y -= v
            values[s, t] = ackley(x, y)
    return values[:, -1].copy()


def w9(steps):
    starts = doubles("starts", 500, 2)
    return compiled(lambda: w9_run(starts, steps))


converse({"W1": w1, "W2": w2, "W3": w3, "W4": w4, "W5": w5, "W6": w6, "W9": w9, "W11": w11})
