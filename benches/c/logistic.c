// Logistic regression in plain C, W1, W2, W4, W6 and W11: the loops one would write first.
#include "peer.h"

static long size;       // steps, epochs or rows: see the table of workloads in benches/README.md
static double *history; // the loss of each step

// ---- 10 columns: W1, W2, W6 and W11

enum { D = 10, ROWS = 699 };
static double *X, *y;

static inline double softplus(double z) { return fmax(z, 0) + log1p(exp(-fabs(z))); }

static double mean_loss(const double *X, const double *y, long n, const double *w) {
  double sum = 0;
  for (long i = 0; i < n; i++) {
    double z = 0;
    for (int j = 0; j < D; j++) z += X[i * D + j] * w[j];
    sum += softplus(z) - y[i] * z;
  }
  return sum / n;
}

static void gradient(const double *X, const double *y, long n, const double *w, double *g) {
  for (int j = 0; j < D; j++) g[j] = 0;
  for (long i = 0; i < n; i++) {
    double z = 0;
    for (int j = 0; j < D; j++) z += X[i * D + j] * w[j];
    double d = 1 / (1 + exp(-z)) - y[i];
    for (int j = 0; j < D; j++) g[j] += d * X[i * D + j];
  }
}

static void load_wisconsin(long steps) {
  size = steps;
  X = input_doubles("wisconsin_X.f64", ROWS * D);
  y = input_doubles("wisconsin_y.f64", ROWS);
  history = doubles(size);
  keep(1);
}

static void w1(void) {
  double w[D] = {0}, g[D];
  for (long t = 0; t < size; t++) {
    gradient(X, y, ROWS, w, g);
    for (int j = 0; j < D; j++) w[j] -= 3e-4 * g[j];
    history[t] = mean_loss(X, y, ROWS, w);
  }
  results[0] = history[size - 1];
}

enum { BATCH = 32, BATCHES = ROWS / BATCH };
static int32_t *order;

static void load_w2(long epochs) {
  load_wisconsin(epochs);
  order = input_integers("wisconsin_order.i32", 100 * ROWS);
  history = doubles(size * BATCHES);
}

static void w2(void) {
  static double Xo[ROWS * D], yo[ROWS];
  double w[D] = {0}, g[D];
  long step = 0;
  for (long e = 0; e < size; e++) {
    for (int i = 0; i < ROWS; i++) {
      int row = order[e * ROWS + i];
      memcpy(Xo + i * D, X + row * D, D * sizeof(double));
      yo[i] = y[row];
    }
    for (int b = 0; b < BATCHES; b++) {
      gradient(Xo + b * BATCH * D, yo + b * BATCH, BATCH, w, g);
      for (int j = 0; j < D; j++) w[j] -= 1e-3 * g[j];
      history[step++] = mean_loss(Xo, yo, ROWS, w);
    }
  }
  results[0] = history[step - 1];
}

enum { RATES = 64, RULES = 3 };
static double *rates;

static void load_w6(long epochs) {
  load_wisconsin(epochs);
  rates = input_doubles("rates_w6.f64", RATES);
  history = doubles(RULES * RATES * size);
  keep(RULES * RATES);
}

static void w6_update(int rule, double lr, double *w, double *m, double *v, const double *g, double c1, double c2) {
  for (int j = 0; j < D; j++) {
    if (rule == 0) {
      w[j] -= lr * g[j];
    } else if (rule == 1) {
      v[j] = .9 * v[j] + g[j];
      w[j] -= lr * v[j];
    } else {
      m[j] = .9 * m[j] + (1 - .9) * g[j];
      v[j] = .999 * v[j] + (1 - .999) * g[j] * g[j];
      w[j] -= lr * (m[j] * c1) / (sqrt(v[j] * c2) + 1e-8);
    }
  }
}

static void w6(void) {
  for (int cell = 0; cell < RULES * RATES; cell++) {
    double w[D] = {0}, m[D] = {0}, v[D] = {0}, g[D], p1 = 1, p2 = 1;
    for (long e = 0; e < size; e++) {
      p1 *= .9;
      p2 *= .999;
      gradient(X, y, ROWS, w, g);
      w6_update(cell / RATES, rates[cell % RATES], w, m, v, g, 1 / (1 - p1), 1 / (1 - p2));
      history[cell * size + e] = mean_loss(X, y, ROWS, w);
    }
    results[cell] = history[(cell + 1) * size - 1];
  }
}

static double *XN, *yN;

static void load_w11(long rows) {
  load_wisconsin(20);
  size = rows;
  free(XN), free(yN);
  XN = doubles(rows * D);
  yN = doubles(rows);
  for (long i = 0; i < rows; i++) {
    memcpy(XN + i * D, X + i % ROWS * D, D * sizeof(double));
    yN[i] = y[i % ROWS];
  }
}

static void w11(void) {
  double w[D] = {0}, g[D], lr = 3e-4 * ROWS / size;
  for (int t = 0; t < 20; t++) {
    gradient(XN, yN, size, w, g);
    for (int j = 0; j < D; j++) w[j] -= lr * g[j];
    history[t] = mean_loss(XN, yN, size, w);
  }
  results[0] = history[19];
}

// ---- W4: 30 columns and a bias, Adam without bias correction

enum { ROWS4 = 569, D4 = 30 };
static double *X4, *y4, *start4;

static void load_w4(long steps) {
  size = steps;
  X4 = input_doubles("cancer_X.f64", ROWS4 * D4);
  y4 = input_doubles("cancer_y.f64", ROWS4);
  start4 = input_doubles("cancer_start.f64", D4 + 1);
  history = doubles(steps);
  keep(1);
}

static void w4(void) {
  static double w[D4 + 1], m[D4 + 1], v[D4 + 1], g[D4 + 1];
  memcpy(w, start4, sizeof w);
  memset(m, 0, sizeof m);
  memset(v, 0, sizeof v);
  for (long t = 0; t < size; t++) {
    double cost = 0;
    memset(g, 0, sizeof g);
    for (int i = 0; i < ROWS4; i++) {
      const double *x = X4 + i * D4;
      double z = w[D4];
      for (int k = 0; k < D4; k++) z += x[k] * w[k];
      double p = 1 / (1 + exp(-z)), d = p - y4[i];
      cost += -y4[i] * log(p) - (1 - y4[i]) * log(1 - p);
      for (int k = 0; k < D4; k++) g[k] += d * x[k];
      g[D4] += d;
    }
    history[t] = cost / ROWS4;
    for (int k = 0; k <= D4; k++) {
      m[k] = .9 * m[k] + (1 - .9) * g[k];
      v[k] = .999 * v[k] + (1 - .999) * g[k] * g[k];
      w[k] -= 1e-6 * m[k] / (sqrt(v[k]) + 1e-8);
    }
  }
  results[0] = history[size - 1];
}

int main(int argc, char **argv) {
  static const struct workload table[] = {
      {"W1", load_wisconsin, w1}, {"W2", load_w2, w2}, {"W4", load_w4, w4}, {"W6", load_w6, w6}, {"W11", load_w11, w11},
      {0},
  };
  return converse(argc, argv, table, "not among logistic.c's");
}
