// Few parameters and many steps in plain C, W3, W5 and W9: the loops one would write first.
#include "peer.h"

static long size;       // steps, epochs or rows: see the table of workloads in benches/README.md
static double *history; // the loss, or the point, of each step

// ---- W3: a line through 29 points, single rows

enum { POINTS = 29 };
static double px[POINTS], py[POINTS];

static void load_w3(long epochs) {
  static const int x[POINTS] = {14, 86, 28, 51, 28, 29, 72, 62, 84, 15, 42, 62, 47, 35, 9, 38, 44, 99, 13, 21, 28, 20, 8, 64, 99, 70, 27, 17, 8};
  size = epochs;
  for (int i = 0; i < POINTS; i++) px[i] = x[i], py[i] = 30 + 2 * px[i];
  keep(5);
}

static double squared_error(double b, double w) {
  double sum = 0;
  for (int i = 0; i < POINTS; i++) {
    double r = b + w * px[i] - py[i];
    sum += r * r;
  }
  return sum / POINTS;
}

static double w3_sgd(void) {
  double b = 1, w = 1;
  for (long e = 0; e < size; e++)
    for (int i = 0; i < POINTS; i++) {
      double r = 2 * (b + w * px[i] - py[i]);
      b -= 1e-4 * r;
      w -= 1e-4 * (r * px[i]);
    }
  return squared_error(b, w);
}

static double w3_momentum(void) {
  double b = 1, w = 1, mb = 1, mw = 1;
  for (long e = 0; e < size; e++)
    for (int i = 0; i < POINTS; i++) {
      double r = 2 * (b + w * px[i] - py[i]);
      mb = .9 * mb + (1 - .9) * r;
      mw = .9 * mw + (1 - .9) * (r * px[i]);
      b -= 1e-4 * mb;
      w -= 1e-4 * mw;
    }
  return squared_error(b, w);
}

static double w3_rmsprop(void) {
  double b = 1, w = 1, sb = 1, sw = 1;
  for (long e = 0; e < size; e++)
    for (int i = 0; i < POINTS; i++) {
      double r = 2 * (b + w * px[i] - py[i]), g = r * px[i];
      sb = .9 * sb + (1 - .9) * r * r;
      sw = .9 * sw + (1 - .9) * g * g;
      b -= .02 / sqrt(sb) * r;
      w -= .02 / sqrt(sw) * g;
    }
  return squared_error(b, w);
}

static double w3_adam(int annealed, double beta) {
  double b = 1, w = 1, mb = 1, mw = 1, sb = 1, sw = 1, lr = 1, best = 5500;
  for (long e = 0; e < size; e++) {
    for (int i = 0; i < POINTS; i++) {
      double r = 2 * (b + w * px[i] - py[i]), g = r * px[i];
      mb = .9 * mb + (1 - .9) * r;
      mw = .9 * mw + (1 - .9) * g;
      sb = beta * sb + (1 - beta) * r * r;
      sw = beta * sw + (1 - beta) * g * g;
      b -= lr / sqrt(sb) * mb;
      w -= lr / sqrt(sw) * mw;
    }
    if (annealed) {
      double level = sqrt(sb) + sqrt(sw);
      if (level / best > 2) lr /= 4;
      if (level < best) best = level;
    }
  }
  return squared_error(b, w);
}

static void w3(void) {
  results[0] = w3_sgd();
  results[1] = w3_momentum();
  results[2] = w3_rmsprop();
  results[3] = w3_adam(0, .9);
  results[4] = w3_adam(1, .95);
}

// The five recurrences in one loop: their chains are independent, so that the CPU works on all of them at once.
static void w3_interleaved(void) {
  double b0 = 1, w0 = 1, b1 = 1, w1 = 1, b2 = 1, w2 = 1, b3 = 1, w3 = 1, b4 = 1, w4 = 1;
  double mb1 = 1, mw1 = 1, mb3 = 1, mw3 = 1, mb4 = 1, mw4 = 1;
  double sb2 = 1, sw2 = 1, sb3 = 1, sw3 = 1, sb4 = 1, sw4 = 1, lr = 1, best = 5500;
  for (long e = 0; e < size; e++) {
    for (int i = 0; i < POINTS; i++) {
      double x = px[i], y = py[i], r, g;
      r = 2 * (b0 + w0 * x - y);
      b0 -= 1e-4 * r;
      w0 -= 1e-4 * (r * x);

      r = 2 * (b1 + w1 * x - y);
      mb1 = .9 * mb1 + (1 - .9) * r;
      mw1 = .9 * mw1 + (1 - .9) * (r * x);
      b1 -= 1e-4 * mb1;
      w1 -= 1e-4 * mw1;

      r = 2 * (b2 + w2 * x - y), g = r * x;
      sb2 = .9 * sb2 + (1 - .9) * r * r;
      sw2 = .9 * sw2 + (1 - .9) * g * g;
      b2 -= .02 / sqrt(sb2) * r;
      w2 -= .02 / sqrt(sw2) * g;

      r = 2 * (b3 + w3 * x - y), g = r * x;
      mb3 = .9 * mb3 + (1 - .9) * r;
      mw3 = .9 * mw3 + (1 - .9) * g;
      sb3 = .9 * sb3 + (1 - .9) * r * r;
      sw3 = .9 * sw3 + (1 - .9) * g * g;
      b3 -= 1 / sqrt(sb3) * mb3;
      w3 -= 1 / sqrt(sw3) * mw3;

      r = 2 * (b4 + w4 * x - y), g = r * x;
      mb4 = .9 * mb4 + (1 - .9) * r;
      mw4 = .9 * mw4 + (1 - .9) * g;
      sb4 = .95 * sb4 + (1 - .95) * r * r;
      sw4 = .95 * sw4 + (1 - .95) * g * g;
      b4 -= lr / sqrt(sb4) * mb4;
      w4 -= lr / sqrt(sw4) * mw4;
    }
    double level = sqrt(sb4) + sqrt(sw4);
    if (level / best > 2) lr /= 4;
    if (level < best) best = level;
  }
  results[0] = squared_error(b0, w0);
  results[1] = squared_error(b1, w1);
  results[2] = squared_error(b2, w2);
  results[3] = squared_error(b3, w3);
  results[4] = squared_error(b4, w4);
}

// ---- W5: a bowl, five rules at 1,000 rates

enum { RATES5 = 1000 };

static double *rates;

static void load_w5(long steps) {
  size = steps;
  rates = input_doubles("rates_w5.f64", RATES5);
  history = doubles(5 * RATES5 * 2 * (steps + 1));
  keep(5 * RATES5);
}

static void w5(void) {
  for (int rule = 0; rule < 5; rule++)
    for (int k = 0; k < RATES5; k++) {
      double lr = rates[k], x = -5, y = -2, sx = 0, sy = 0, vx = 0, vy = 0, p1 = 1, p2 = 1;
      double *trace = history + (size_t)(rule * RATES5 + k) * 2 * (size + 1);
      trace[0] = x, trace[1] = y;
      for (long t = 1; t <= size; t++) {
        double gx = .2 * x, gy = 4 * y;
        switch (rule) {
        case 0: // gradient descent
          x -= lr * gx;
          y -= lr * gy;
          break;
        case 1: // momentum
          vx = .5 * vx + gx;
          vy = .5 * vy + gy;
          x -= lr * vx;
          y -= lr * vy;
          break;
        case 2: // Adagrad
          sx += gx * gx;
          sy += gy * gy;
          x -= lr / sqrt(sx + 1e-6) * gx;
          y -= lr / sqrt(sy + 1e-6) * gy;
          break;
        case 3: // RMSProp
          sx = .9 * sx + (1 - .9) * gx * gx;
          sy = .9 * sy + (1 - .9) * gy * gy;
          x -= lr / sqrt(sx + 1e-6) * gx;
          y -= lr / sqrt(sy + 1e-6) * gy;
          break;
        case 4: // Adam
          p1 *= .9;
          p2 *= .999;
          sx = .999 * sx + (1 - .999) * gx * gx;
          sy = .999 * sy + (1 - .999) * gy * gy;
          vx = .9 * vx + (1 - .9) * gx;
          vy = .9 * vy + (1 - .9) * gy;
          x -= lr * (vx / (1 - p1)) / sqrt(sx / (1 - p2) + 1e-6);
          y -= lr * (vy / (1 - p1)) / sqrt(sy / (1 - p2) + 1e-6);
          break;
        }
        trace[2 * t] = x, trace[2 * t + 1] = y;
      }
      results[rule * RATES5 + k] = .1 * x * x + 2 * y * y;
    }
}

// ---- W9: Nesterov's rule on Ackley's function from 500 starts

enum { STARTS = 500 };
static double *starts;

static void load_w9(long steps) {
  size = steps;
  starts = input_doubles("starts.f64", 2 * STARTS);
  history = doubles(STARTS * (steps + 1));
  keep(STARTS);
}

static inline double ackley(double x, double y) {
  return -20 * exp(-.2 * sqrt(.5 * (x * x + y * y))) - exp(.5 * (cos(2 * M_PI * x) + cos(2 * M_PI * y))) + M_E + 20;
}

static void w9(void) {
  for (int s = 0; s < STARTS; s++) {
    double x = starts[2 * s], y = starts[2 * s + 1], ux = 0, uy = 0, *trace = history + (size_t)s * (size + 1);
    trace[0] = ackley(x, y);
    for (long t = 1; t <= size; t++) {
      double a = x - .2 * ux, b = y - .2 * uy, r = sqrt(.5 * (a * a + b * b));
      double slope = 2 * exp(-.2 * r) / r, waves = M_PI * exp(.5 * (cos(2 * M_PI * a) + cos(2 * M_PI * b)));
      double lr = t < 5 ? 1e-4 : t < 10 ? 1e-2 : .1;
      ux = .2 * ux + lr * (slope * a + sin(2 * M_PI * a) * waves);
      uy = .2 * uy + lr * (slope * b + sin(2 * M_PI * b) * waves);
      x -= ux;
      y -= uy;
      trace[t] = ackley(x, y);
    }
    results[s] = trace[size];
  }
}

int main(int argc, char **argv) {
  static const struct workload table[] = {
      {"W3", load_w3, w3}, {"W3.interleaved", load_w3, w3_interleaved}, {"W5", load_w5, w5}, {"W9", load_w9, w9},
      {0},
  };
  return converse(argc, argv, table, "not among chains.c's");
}
