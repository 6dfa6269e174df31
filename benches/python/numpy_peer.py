"""The workloads in NumPy, as a student writes them (W3, whose steps are scalar, in Python's own floats)."""
import math

import numpy as np

from peer import converse, doubles, integers, points, wisconsin

np.seterr(all="ignore")


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def log_loss(p, y):
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def descend(X, y, lr, steps):
    w, losses = np.zeros(10), []
    for _ in range(steps):
        w = w - lr * (X.T @ (sigmoid(X @ w) - y))
        losses.append(log_loss(sigmoid(X @ w), y))
    return losses[-1]


def w1(steps):
    X, y = wisconsin()
    return (lambda: descend(X, y, 3e-4, steps)), 0


def w11(rows):
    X, y = wisconsin(rows)
    return (lambda: descend(X, y, 3e-4 * 699 / rows, 20)), 0


def w2(epochs):
    X, y = wisconsin()
    orders = integers("wisconsin_order", 100, 699)

    def run():
        w, losses = np.zeros(10), []
        for order in orders[:epochs]:
            Xo, yo = X[order], y[order]
            for b in range(699 // 32):
                xb, yb = Xo[b * 32 : b * 32 + 32], yo[b * 32 : b * 32 + 32]
                w = w - 1e-3 * (xb.T @ (sigmoid(xb @ w) - yb))
                losses.append(log_loss(sigmoid(Xo @ w), yo))
        return losses[-1]

    return run, 0


def w3_rule(kind, x, y, epochs):
    b = w = mb = mw = sb = sw = 1.0
    lr = {"sgd": 1e-4, "momentum": 1e-4, "rmsprop": 0.02, "adam": 1.0, "annealed": 1.0}[kind]
    beta, best = 0.95 if kind == "annealed" else 0.9, 5500
    for _ in range(epochs):
        for xi, yi in zip(x, y):
            gb = 2 * (b + w * xi - yi)
            gw = gb * xi
            if kind == "sgd":
                b -= lr * gb
                w -= lr * gw
            elif kind == "momentum":
                mb = 0.9 * mb + (1 - 0.9) * gb
                mw = 0.9 * mw + (1 - 0.9) * gw
                b -= lr * mb
                w -= lr * mw
            elif kind == "rmsprop":
                sb = 0.9 * sb + (1 - 0.9) * gb**2
                sw = 0.9 * sw + (1 - 0.9) * gw**2
                b -= lr / sb**0.5 * gb
                w -= lr / sw**0.5 * gw
            else:
                mb = 0.9 * mb + (1 - 0.9) * gb
                mw = 0.9 * mw + (1 - 0.9) * gw
                sb = beta * sb + (1 - beta) * gb**2
                sw = beta * sw + (1 - beta) * gw**2
                b -= lr / sb**0.5 * mb
                w -= lr / sw**0.5 * mw
        if kind == "annealed":
            level = math.sqrt(sb) + math.sqrt(sw)
            if level / best > 2:
                lr /= 4
            best = min(best, level)
    return sum((b + w * xi - yi) ** 2 for xi, yi in zip(x, y)) / len(x)


def w3(epochs):
    x, y = points()
    return (lambda: [w3_rule(kind, x, y, epochs) for kind in ("sgd", "momentum", "rmsprop", "adam", "annealed")]), 0


def w4(steps):
    X, y, start = doubles("cancer_X", 569, 30), doubles("cancer_y", 569), doubles("cancer_start", 31)

    def run():
        W, b, losses = start[:30].copy(), start[30], []
        mW, vW, mb, vb = np.zeros(30), np.zeros(30), 0.0, 0.0
        for _ in range(steps):
            p = sigmoid(X @ W + b)
            losses.append(log_loss(p, y))
            d = p - y
            gW, gb = X.T @ d, d.sum()
            mW, mb = 0.9 * mW + (1 - 0.9) * gW, 0.9 * mb + (1 - 0.9) * gb
            vW, vb = 0.999 * vW + (1 - 0.999) * gW**2, 0.999 * vb + (1 - 0.999) * gb**2
            W = W - 1e-6 * mW / (np.sqrt(vW) + 1e-8)
            b = b - 1e-6 * mb / (np.sqrt(vb) + 1e-8)
        return losses[-1]

    return run, 0


def w5(steps):
    lr = doubles("rates_w5", 1000)

    def race(rule):
        x, y, state, trace = np.full(1000, -5.0), np.full(1000, -2.0), (0, 0, 0, 0), []
        for t in range(1, steps + 1):
            gx, gy = 0.2 * x, 4 * y
            sx, sy, vx, vy = state
            if rule == "gd":
                x, y = x - lr * gx, y - lr * gy
            elif rule == "momentum":
                vx, vy = 0.5 * vx + gx, 0.5 * vy + gy
                x, y = x - lr * vx, y - lr * vy
            elif rule == "adam":
                sx, sy = 0.999 * sx + (1 - 0.999) * gx**2, 0.999 * sy + (1 - 0.999) * gy**2
                vx, vy = 0.9 * vx + (1 - 0.9) * gx, 0.9 * vy + (1 - 0.9) * gy
                c1, c2 = 1 - 0.9**t, 1 - 0.999**t
                x, y = x - lr * (vx / c1) / np.sqrt(sx / c2 + 1e-6), y - lr * (vy / c1) / np.sqrt(sy / c2 + 1e-6)
            else:
                if rule == "adagrad":
                    sx, sy = sx + gx**2, sy + gy**2
                else:
                    sx, sy = 0.9 * sx + (1 - 0.9) * gx**2, 0.9 * sy + (1 - 0.9) * gy**2
                x, y = x - lr / np.sqrt(sx + 1e-6) * gx, y - lr / np.sqrt(sy + 1e-6) * gy
            state = sx, sy, vx, vy
            trace.append((x, y))
        return 0.1 * x**2 + 2 * y**2

    return (lambda: np.array([race(rule) for rule in ("gd", "momentum", "adagrad", "rmsprop", "adam")])), 0


def w6(epochs):
    X, y = wisconsin()
    lr = doubles("rates_w6", 64)

    def race(rule):
        W, m, v, losses = np.zeros((10, 64)), np.zeros((10, 64)), np.zeros((10, 64)), []
        for t in range(1, epochs + 1):
            G = X.T @ (sigmoid(X @ W) - y[:, None])
            if rule == "gd":
                W = W - lr * G
            elif rule == "momentum":
                v = 0.9 * v + G
                W = W - lr * v
            else:
                m, v = 0.9 * m + (1 - 0.9) * G, 0.999 * v + (1 - 0.999) * G * G
                W = W - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            Z = X @ W
            losses.append(np.mean(np.maximum(Z, 0) + np.log1p(np.exp(-np.abs(Z))) - y[:, None] * Z, axis=0))
        return losses[-1]

    return (lambda: np.array([race(rule) for rule in ("gd", "momentum", "adam")])), 0


class Adam:
    def __init__(self, parameters):
        self.parameters, self.t = parameters, 0
        self.m = [np.zeros_like(p) for p in parameters]
        self.v = [np.zeros_like(p) for p in parameters]

    def step(self, gradients, lr=1e-3):
        self.t += 1
        for i, g in enumerate(gradients):
            self.m[i] = 0.9 * self.m[i] + (1 - 0.9) * g
            self.v[i] = 0.999 * self.v[i] + (1 - 0.999) * g * g
            m, v = self.m[i] / (1 - 0.9**self.t), self.v[i] / (1 - 0.999**self.t)
            self.parameters[i] -= lr * m / (np.sqrt(v) + 1e-8)


def w7_perceptron(epochs):
    X, y, orders = doubles("digits_X", 1797, 64), integers("digits_y", 1797), integers("digits_order", 30, 1797)
    first, second = doubles("mlp_first", 64, 32), doubles("mlp_second", 32, 10)

    def run():
        W1, b1, W2, b2 = first.copy(), np.zeros(32), second.copy(), np.zeros(10)
        adam, losses = Adam([W1, b1, W2, b2]), []

        def forward(x, y):
            a = sigmoid(x @ W1 + b1)
            s = a @ W2 + b2
            s = s - s.max(axis=1, keepdims=True)
            logs = np.log(np.exp(s).sum(axis=1))
            return a, s, logs, np.mean(logs - s[np.arange(len(y)), y])

        for order in orders[:epochs]:
            for b in range(28):
                rows = order[b * 64 : b * 64 + 64]
                xb, yb = X[rows], y[rows]
                a, s, logs, loss = forward(xb, yb)
                losses.append(loss)
                d = np.exp(s - logs[:, None])
                d[np.arange(64), yb] -= 1
                d /= 64
                da = (d @ W2.T) * a * (1 - a)
                adam.step([xb.T @ da, da.sum(axis=0), a.T @ d, d.sum(axis=0)])
        return forward(X, y)[3]

    return run, 0


def w7_autoencoder(epochs):
    X, encoder, decoder = doubles("images", 5000, 784), doubles("encoder", 784, 100), doubles("decoder", 100, 784)

    def run():
        W1, b1, W2, b2 = encoder.copy(), np.zeros(100), decoder.copy(), np.zeros(784)
        adam, losses, decay = Adam([W1, b1, W2, b2]), [], 1e-4
        for _ in range(epochs):
            for b in range(39):
                x = X[b * 128 : b * 128 + 128]
                code = sigmoid(x @ W1 + b1)
                out = sigmoid(code @ W2 + b2)
                losses.append(0.5 * ((x - out) ** 2).sum() / 128 + 0.5 * decay * ((W1**2).sum() + (W2**2).sum()))
                d = (out - x) * out * (1 - out) / 128
                dc = (d @ W2.T) * code * (1 - code)
                adam.step([x.T @ dc + decay * W1, dc.sum(axis=0), code.T @ d + decay * W2, d.sum(axis=0)])
        return losses[-1]

    return run, 0


def w8(steps):
    X, start = doubles("samples", 200, 50), doubles("samples_start", 50, 50)

    def loss(B):
        return np.linalg.norm(X @ B - X) + 0.1 * (np.linalg.norm(B, axis=1) ** 0.5).sum()

    def run():
        B = start.copy()
        losses = [loss(B)]
        for _ in range(steps):
            R, n = X @ B - X, np.linalg.norm(B, axis=1, keepdims=True)
            B = B - 1e-3 * (X.T @ R / np.linalg.norm(R) + 0.1 * 0.5 * n**-1.5 * B)
            losses.append(loss(B))
        return losses[-1]

    return run, 0


def w9(steps):
    starts = doubles("starts", 500, 2).T.copy()

    def ackley(x):
        waves = np.exp(0.5 * (np.cos(2 * np.pi * x[0]) + np.cos(2 * np.pi * x[1])))
        return -20 * np.exp(-0.2 * np.sqrt(0.5 * (x[0] ** 2 + x[1] ** 2))) - waves + np.e + 20

    def slope(x):
        r = np.sqrt(0.5 * (x[0] ** 2 + x[1] ** 2))
        waves = np.exp(0.5 * (np.cos(2 * np.pi * x[0]) + np.cos(2 * np.pi * x[1])))
        return 2 * np.exp(-0.2 * r) * x / r + np.pi * np.sin(2 * np.pi * x) * waves

    def run():
        x, u, values = starts, np.zeros_like(starts), [ackley(starts)]
        for t in range(1, steps + 1):
            lr = 1e-4 if t < 5 else 1e-2 if t < 10 else 0.1
            u = 0.2 * u + lr * slope(x - 0.2 * u)
            x = x - u
            values.append(ackley(x))
        return values[-1]

    return run, 0


converse({
    "W1": w1, "W2": w2, "W3": w3, "W4": w4, "W5": w5, "W6": w6, "W7.mlp": w7_perceptron, "W7.ae": w7_autoencoder, "W8": w8, "W9": w9, "W11": w11,
})
