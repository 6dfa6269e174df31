// Logistic regression by hand with AVX-512, W1, W2, W4, W6 and W11: columns side by side, and loss and gradient in one pass over the rows.
#include "peer.h"
#include "vector.h"

static const char *const why_missing = "no AVX-512, or not written by hand";

#ifdef VECTOR

enum { D = 10, ROWS = 699, PADDED = 704 };
static const double LOG_2 = 0.6931471805599453; // what a row of zeros adds to the loss

static long size;              // steps, epochs or rows: see the table of workloads in benches/README.md
static double *history;        // the loss of each step
static double *X, *columns, *y; // by rows; by columns, padded with rows of zeros; and the labels, padded, too

static void load_wisconsin(long steps) {
  size = steps;
  X = input_doubles("wisconsin_X.f64", ROWS * D);
  columns = doubles(D * PADDED);
  for (int i = 0; i < ROWS; i++)
    for (int j = 0; j < D; j++) columns[j * PADDED + i] = X[i * D + j];
  y = doubles(PADDED);
  memcpy(y, input_doubles("wisconsin_y.f64", ROWS), ROWS * sizeof(double));
  history = doubles(size);
  keep(1);
}

INLINE v8 product10(const v8 *x, const v8 *w) {
  v8 even = x[0] * w[0], odd = x[1] * w[1];
  for (int j = 2; j < D; j += 2) {
    even = x[j] * w[j] + even;
    odd = x[j + 1] * w[j + 1] + odd;
  }
  return even + odd;
}

// The summed loss of n rows (a multiple of 8), and their gradient. `stride` is the distance of two columns.
static double pass(const double *X, const double *y, size_t n, size_t stride, const double *w, double *g) {
  v8 W[D], G[D], linear = all(0);
  double logs = 0;
  for (int j = 0; j < D; j++) W[j] = all(w[j]), G[j] = all(0);
  for (size_t i = 0; i < n;) {
    size_t end = i + 704 < n ? i + 704 : n; // 88 factors of at most 2 in each of eight products
    v8 product = all(1);
    for (; i < end; i += 8) {
      v8 x[D];
      for (int j = 0; j < D; j++) x[j] = at(X + j * stride + i);
      v8 d = logistic8(product10(x, W), at(y + i), &linear, &product);
      for (int j = 0; j < D; j++) G[j] = d * x[j] + G[j];
    }
    logs += log_product(product);
  }
  for (int j = 0; j < D; j++) g[j] = total(G[j]);
  return logs + total(linear);
}

static double loss_only(const double *X, const double *y, size_t n, size_t stride, const double *w) {
  v8 W[D], linear = all(0), product = all(1);
  for (int j = 0; j < D; j++) W[j] = all(w[j]);
  for (size_t i = 0; i < n; i += 8) {
    v8 x[D];
    for (int j = 0; j < D; j++) x[j] = at(X + j * stride + i);
    logistic8(product10(x, W), at(y + i), &linear, &product);
  }
  return log_product(product) + total(linear);
}

static double mean_loss(double sum) { return (sum - (PADDED - ROWS) * LOG_2) / ROWS; }

static void w1(void) {
  double w[D] = {0}, g[D];
  pass(columns, y, PADDED, PADDED, w, g);
  for (long t = 0; t < size; t++) {
    for (int j = 0; j < D; j++) w[j] -= 3e-4 * g[j];
    history[t] = mean_loss(pass(columns, y, PADDED, PADDED, w, g));
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
  static double Xo[D * PADDED] __attribute__((aligned(64))), yo[PADDED] __attribute__((aligned(64)));
  double w[D] = {0}, g[D];
  long step = 0;
  for (long e = 0; e < size; e++) {
    const int32_t *rows = order + e * ROWS;
    for (int j = 0; j < D; j++)
      for (int i = 0; i < ROWS; i++) Xo[j * PADDED + i] = columns[j * PADDED + rows[i]];
    for (int i = 0; i < ROWS; i++) yo[i] = y[rows[i]];
    for (int b = 0; b < BATCHES; b++) {
      pass(Xo + b * BATCH, yo + b * BATCH, BATCH, PADDED, w, g);
      for (int j = 0; j < D; j++) w[j] -= 1e-3 * g[j];
      history[step++] = mean_loss(loss_only(Xo, yo, PADDED, PADDED, w));
    }
  }
  results[0] = history[step - 1];
}

// ---- W6: 64 rates by three rules, eight cells in the eight lanes

enum { RATES = 64, RULES = 3 };
static double *rates;

static void load_w6(long epochs) {
  load_wisconsin(epochs);
  rates = input_doubles("rates_w6.f64", RATES);
  history = doubles(RULES * RATES * size);
  keep(RULES * RATES);
}

static void eight_cells(int first) {
  int rule = first / RATES;
  v8 lr = at(rates + first % RATES), W[D], M[D], V[D], G[D];
  double p1 = 1, p2 = 1;
  for (int j = 0; j < D; j++) W[j] = M[j] = V[j] = all(0);
  for (long e = 0;; e++) {
    v8 product = all(1), linear = all(0);
    for (int j = 0; j < D; j++) G[j] = all(0);
    for (int i = 0; i < ROWS; i++) {
      v8 x[D];
      for (int j = 0; j < D; j++) x[j] = all(X[i * D + j]);
      v8 d = logistic8(product10(x, W), all(y[i]), &linear, &product);
      for (int j = 0; j < D; j++) G[j] = d * x[j] + G[j];
    }
    double products[8], linears[8];
    put(products, product);
    put(linears, linear);
    for (int k = 0; k < 8 && e > 0; k++) history[(first + k) * size + e - 1] = (log(products[k]) + linears[k]) / ROWS;
    if (e == size) break;
    p1 *= .9;
    p2 *= .999;
    for (int j = 0; j < D; j++) {
      if (rule == 0) {
        W[j] = W[j] - lr * G[j];
      } else if (rule == 1) {
        V[j] = V[j] * .9 + G[j];
        W[j] = W[j] - lr * V[j];
      } else {
        M[j] = M[j] * .9 + G[j] * (1 - .9);
        V[j] = V[j] * .999 + G[j] * G[j] * (1 - .999);
        W[j] = W[j] - lr * (M[j] * (1 / (1 - p1))) / (_mm512_sqrt_pd(V[j] * (1 / (1 - p2))) + 1e-8);
      }
    }
  }
  for (int k = 0; k < 8; k++) results[first + k] = history[(first + k + 1) * size - 1];
}

static void w6_lanes(void) {
  for (int first = 0; first < RULES * RATES; first += 8) eight_cells(first);
}

// The same, one cell after another with rows in the lanes.
static void w6_rows(void) {
  for (int cell = 0; cell < RULES * RATES; cell++) {
    double lr = rates[cell % RATES], w[D] = {0}, m[D] = {0}, v[D] = {0}, g[D], p1 = 1, p2 = 1;
    pass(columns, y, PADDED, PADDED, w, g);
    for (long e = 0; e < size; e++) {
      p1 *= .9;
      p2 *= .999;
      for (int j = 0; j < D; j++) {
        if (cell / RATES == 0) {
          w[j] -= lr * g[j];
        } else if (cell / RATES == 1) {
          v[j] = .9 * v[j] + g[j];
          w[j] -= lr * v[j];
        } else {
          m[j] = .9 * m[j] + (1 - .9) * g[j];
          v[j] = .999 * v[j] + (1 - .999) * g[j] * g[j];
          w[j] -= lr * (m[j] / (1 - p1)) / (sqrt(v[j] / (1 - p2)) + 1e-8);
        }
      }
      history[cell * size + e] = mean_loss(pass(columns, y, PADDED, PADDED, w, g));
    }
    results[cell] = history[(cell + 1) * size - 1];
  }
}

// ---- W11: many rows, as doubles and as bytes (the measurements are whole numbers up to 10)

static double *Xn, *yN;
static uint8_t *Xbytes, *ybytes;
static size_t padded;

static void load_w11(long rows) {
  load_wisconsin(20);
  size = rows;
  padded = (rows + 63) / 64 * 64;
  free(Xn), free(yN), free(Xbytes), free(ybytes);
  Xn = doubles(padded * D), yN = doubles(padded);
  Xbytes = room(padded * D), ybytes = room(padded);
  for (long i = 0; i < rows; i++) {
    for (int j = 0; j < D; j++) Xn[j * padded + i] = Xbytes[j * padded + i] = X[i % ROWS * D + j];
    yN[i] = ybytes[i] = y[i % ROWS];
  }
}

INLINE v8 of_bytes(const uint8_t *p) { return _mm512_cvtepi32_pd(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p))); }

static double pass_bytes(const double *w, double *g) {
  v8 W[D], G[D], linear = all(0);
  double logs = 0;
  for (int j = 0; j < D; j++) W[j] = all(w[j]), G[j] = all(0);
  for (size_t i = 0; i < padded;) {
    size_t end = i + 704 < padded ? i + 704 : padded;
    v8 product = all(1);
    for (; i < end; i += 8) {
      v8 x[D];
      for (int j = 0; j < D; j++) x[j] = of_bytes(Xbytes + j * padded + i);
      v8 d = logistic8(product10(x, W), of_bytes(ybytes + i), &linear, &product);
      for (int j = 0; j < D; j++) G[j] = d * x[j] + G[j];
    }
    logs += log_product(product);
  }
  for (int j = 0; j < D; j++) g[j] = total(G[j]);
  return logs + total(linear);
}

INLINE void twenty_epochs(int bytes) {
  double w[D] = {0}, g[D], lr = 3e-4 * ROWS / size;
  for (int t = 0;; t++) {
    double sum = bytes ? pass_bytes(w, g) : pass(Xn, yN, padded, padded, w, g);
    if (t > 0) history[t - 1] = (sum - (padded - size) * LOG_2) / size;
    if (t == 20) break;
    for (int j = 0; j < D; j++) w[j] -= lr * g[j];
  }
  results[0] = history[19];
}

static void w11(void) { twenty_epochs(0); }
static void w11_bytes(void) { twenty_epochs(1); }

// ---- W4: 30 columns and a bias, in blocks of 64 rows that are still in the first cache when the gradient reads them

enum { ROWS4 = 569, PADDED4 = 576, D4 = 31, BLOCK = 64 };
static double *blocks, *y4, *start4;

static void load_w4(long steps) {
  size = steps;
  double *x = input_doubles("cancer_X.f64", ROWS4 * 30);
  blocks = doubles(PADDED4 * 32);
  for (int i = 0; i < ROWS4; i++)
    for (int k = 0; k < D4; k++) blocks[i / BLOCK * BLOCK * 32 + k * BLOCK + i % BLOCK] = k < 30 ? x[i * 30 + k] : 1;
  y4 = doubles(PADDED4);
  memcpy(y4, input_doubles("cancer_y.f64", ROWS4), ROWS4 * sizeof(double));
  start4 = input_doubles("cancer_start.f64", D4);
  history = doubles(steps);
  keep(1);
}

static void w4(void) {
  static v8 G[D4];
  static double w[D4], m[D4], v[D4];
  memcpy(w, start4, sizeof w);
  memset(m, 0, sizeof m);
  memset(v, 0, sizeof v);
  // The padding's rows are wholly zero, their bias, too.
  for (long t = 0; t < size; t++) {
    v8 product = all(1), linear = all(0);
    for (int k = 0; k < D4; k++) G[k] = all(0);
    for (int i = 0; i < PADDED4; i += BLOCK) {
      const double *block = blocks + i * 32;
      v8 z[8];
      for (int u = 0; u < 8; u++) z[u] = all(0);
      for (int k = 0; k < D4; k++)
        for (int u = 0; u < 8; u++) z[u] = at(block + k * BLOCK + 8 * u) * w[k] + z[u];
      for (int u = 0; u < 8; u++) z[u] = logistic8(z[u], at(y4 + i + 8 * u), &linear, &product);
      for (int k = 0; k < D4; k++) {
        const double *column = block + k * BLOCK;
        v8 even = G[k], odd = z[1] * at(column + 8);
        for (int u = 0; u < 8; u += 2) {
          even = z[u] * at(column + 8 * u) + even;
          if (u) odd = z[u + 1] * at(column + 8 * u + 8) + odd;
        }
        G[k] = even + odd;
      }
    }
    history[t] = (log_product(product) + total(linear) - (PADDED4 - ROWS4) * LOG_2) / ROWS4;
    for (int k = 0; k < D4; k++) {
      double g = total(G[k]);
      m[k] = .9 * m[k] + (1 - .9) * g;
      v[k] = .999 * v[k] + (1 - .999) * g * g;
      w[k] -= 1e-6 * m[k] / (sqrt(v[k]) + 1e-8);
    }
  }
  results[0] = history[size - 1];
}

int main(int argc, char **argv) {
  static const struct workload table[] = {
      {"W1", load_wisconsin, w1}, {"W2", load_w2, w2},   {"W4", load_w4, w4},           {"W6", load_w6, w6_lanes}, {"W6.rows", load_w6, w6_rows},
      {"W11", load_w11, w11},     {"W11.bytes", load_w11, w11_bytes}, {0},
  };
  return converse(argc, argv, table, why_missing);
}

#else

int main(int argc, char **argv) {
  static const struct workload table[] = {{0}};
  return converse(argc, argv, table, why_missing);
}

#endif
