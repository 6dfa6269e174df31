// Few parameters and many steps by hand with AVX-512, W5 and W9: sixteen runs in two vectors, whose chains overlap.
#include "peer.h"
#include "vector.h"

static const char *const why_missing = "no AVX-512, or not written by hand";

#ifdef VECTOR

static long size; // steps

// ---- W5: a bowl, five rules at 1,000 rates

enum { RATES = 1000, PADDED = 1008 };
static double *rates, *trace;

static void load_w5(long steps) {
  size = steps;
  rates = doubles(PADDED);
  memcpy(rates, input_doubles("rates_w5.f64", RATES), RATES * sizeof(double));
  trace = doubles(5 * PADDED * 2 * (steps + 1));
  keep(5 * RATES);
}

struct state {
  v8 lr, x, y, sx, sy, vx, vy;
};

INLINE void rule_gd(struct state *s, v8 gx, v8 gy, double c1, double c2) {
  (void)c1, (void)c2;
  s->x = s->x - s->lr * gx;
  s->y = s->y - s->lr * gy;
}

INLINE void rule_momentum(struct state *s, v8 gx, v8 gy, double c1, double c2) {
  (void)c1, (void)c2;
  s->vx = s->vx * .5 + gx;
  s->vy = s->vy * .5 + gy;
  s->x = s->x - s->lr * s->vx;
  s->y = s->y - s->lr * s->vy;
}

INLINE void scaled_step(struct state *s, v8 gx, v8 gy) {
  s->x = s->x - s->lr * gx / _mm512_sqrt_pd(s->sx + 1e-6);
  s->y = s->y - s->lr * gy / _mm512_sqrt_pd(s->sy + 1e-6);
}

INLINE void rule_adagrad(struct state *s, v8 gx, v8 gy, double c1, double c2) {
  (void)c1, (void)c2;
  s->sx = s->sx + gx * gx;
  s->sy = s->sy + gy * gy;
  scaled_step(s, gx, gy);
}

INLINE void rule_rmsprop(struct state *s, v8 gx, v8 gy, double c1, double c2) {
  (void)c1, (void)c2;
  s->sx = s->sx * .9 + gx * (1 - .9) * gx;
  s->sy = s->sy * .9 + gy * (1 - .9) * gy;
  scaled_step(s, gx, gy);
}

INLINE void rule_adam(struct state *s, v8 gx, v8 gy, double c1, double c2) {
  s->sx = s->sx * .999 + gx * (1 - .999) * gx;
  s->sy = s->sy * .999 + gy * (1 - .999) * gy;
  s->vx = s->vx * .9 + gx * (1 - .9);
  s->vy = s->vy * .9 + gy * (1 - .9);
  s->x = s->x - s->lr * (s->vx * c1) / _mm512_sqrt_pd(s->sx * c2 + 1e-6);
  s->y = s->y - s->lr * (s->vy * c1) / _mm512_sqrt_pd(s->sy * c2 + 1e-6);
}

// The trace of sixteen runs lies step by step: sixteen x, then sixteen y.
INLINE void race(int index, void (*rule)(struct state *, v8, v8, double, double)) {
  for (int first = 0; first < PADDED; first += 16) {
    struct state s[2];
    double *to = trace + (size_t)(index * PADDED + first) * 2 * (size + 1), p1 = 1, p2 = 1;
    for (int k = 0; k < 2; k++) {
      s[k] = (struct state){.lr = at(rates + first + 8 * k), .x = all(-5), .y = all(-2)};
      put(to + 8 * k, s[k].x);
      put(to + 16 + 8 * k, s[k].y);
    }
    for (long t = 1; t <= size; t++) {
      to += 32;
      p1 *= .9;
      p2 *= .999;
      double c1 = 1 / (1 - p1), c2 = 1 / (1 - p2);
#pragma GCC unroll 2
      for (int k = 0; k < 2; k++) {
        rule(&s[k], s[k].x * .2, s[k].y * 4, c1, c2);
        put(to + 8 * k, s[k].x);
        put(to + 16 + 8 * k, s[k].y);
      }
    }
    for (int k = 0; k < 2 && first + 8 * k < RATES; k++)
      put(results + index * RATES + first + 8 * k, s[k].x * .1 * s[k].x + s[k].y * 2 * s[k].y);
  }
}

static void w5(void) {
  race(0, rule_gd);
  race(1, rule_momentum);
  race(2, rule_adagrad);
  race(3, rule_rmsprop);
  race(4, rule_adam);
}

// ---- W9: Nesterov's rule on Ackley's function from 500 starts

enum { STARTS = 500, LANES = 16 };
static double *starts;

static void load_w9(long steps) {
  size = steps;
  starts = input_doubles("starts.f64", 2 * STARTS);
  trace = doubles(LANES * (steps + 1)); // of sixteen runs, whose room the next sixteen use again
  keep(STARTS);
}

INLINE v8 bowl8(v8 x, v8 y) { return _mm512_sqrt_pd((x * x + y * y) * .5); }

static void w9(void) {
  for (int first = 0; first < STARTS; first += LANES) {
    v8 x[2], y[2], ux[2], uy[2];
    for (int k = 0; k < 2; k++) {
      double xs[8], ys[8];
      for (int i = 0; i < 8; i++) {
        int start = first + 8 * k + i < STARTS ? first + 8 * k + i : STARTS - 1;
        xs[i] = starts[2 * start], ys[i] = starts[2 * start + 1];
      }
      x[k] = at(xs), y[k] = at(ys);
      ux[k] = uy[k] = all(0);
    }
    for (long t = 1; t <= size; t++) {
      double lr = t < 5 ? 1e-4 : t < 10 ? 1e-2 : .1;
      for (int k = 0; k < 2; k++) {
        v8 a = x[k] - ux[k] * .2, b = y[k] - uy[k] * .2, sine_a, cosine_a, sine_b, cosine_b;
        turn8(a, &sine_a, &cosine_a);
        turn8(b, &sine_b, &cosine_b);
        v8 r = bowl8(a, b), e = exp8(r * -.2), slope = (e + e) / r, waves = exp8((cosine_a + cosine_b) * .5) * M_PI;
        ux[k] = (slope * a + sine_a * waves) * lr + ux[k] * .2;
        uy[k] = (slope * b + sine_b * waves) * lr + uy[k] * .2;
        x[k] = x[k] - ux[k];
        y[k] = y[k] - uy[k];
        turn8(x[k], &sine_a, &cosine_a);
        turn8(y[k], &sine_b, &cosine_b);
        put(trace + t * LANES + 8 * k, all(20 + M_E) - exp8(bowl8(x[k], y[k]) * -.2) * 20 - exp8((cosine_a + cosine_b) * .5));
      }
    }
    for (int i = 0; i < LANES && first + i < STARTS; i++) results[first + i] = trace[size * LANES + i];
  }
}

int main(int argc, char **argv) {
  static const struct workload table[] = {{"W5", load_w5, w5}, {"W9", load_w9, w9}, {0}};
  return converse(argc, argv, table, why_missing);
}

#else

int main(int argc, char **argv) {
  static const struct workload table[] = {{0}};
  return converse(argc, argv, table, why_missing);
}

#endif
