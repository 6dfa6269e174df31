// Products of matrices, W7 and W8, with a BLAS; W8 in plain loops, too; and W6 with its 64 rates as one product.
#include "peer.h"
#include "vector.h"

#ifdef BLAS
#include <cblas.h>
#endif

static long size;       // steps or epochs: see the table of workloads in benches/README.md
static double *history; // the loss of each step

// ---- W8: norm(X B - X) and a penalty on the rows of B

enum { R8 = 200, D8 = 50 };
static double *X8, *start8;

static void load_w8(long steps) {
  size = steps;
  X8 = input_doubles("samples.f64", R8 * D8);
  start8 = input_doubles("samples_start.f64", D8 * D8);
  history = doubles(steps + 1);
  keep(1);
}

// Adds the penalty's gradient to g.
static double penalty(const double *B, double *g) {
  double sum = 0;
  for (int i = 0; i < D8; i++) {
    double squares = 0;
    for (int j = 0; j < D8; j++) squares += B[i * D8 + j] * B[i * D8 + j];
    double norm = sqrt(squares), slope = .1 * .5 / (norm * sqrt(norm));
    sum += sqrt(norm);
    for (int j = 0; j < D8; j++) g[i * D8 + j] += slope * B[i * D8 + j];
  }
  return .1 * sum;
}

static void w8_plain(void) {
  static double B[D8 * D8], R[R8 * D8], g[D8 * D8];
  memcpy(B, start8, sizeof B);
  for (long t = 0;; t++) {
    double squares = 0;
    for (int i = 0; i < R8; i++) {
      double *r = R + i * D8;
      for (int j = 0; j < D8; j++) r[j] = -X8[i * D8 + j];
      for (int k = 0; k < D8; k++) {
        double x = X8[i * D8 + k];
        for (int j = 0; j < D8; j++) r[j] += x * B[k * D8 + j];
      }
      for (int j = 0; j < D8; j++) squares += r[j] * r[j];
    }
    memset(g, 0, sizeof g);
    for (int i = 0; i < R8; i++)
      for (int k = 0; k < D8; k++) {
        double x = X8[i * D8 + k];
        for (int j = 0; j < D8; j++) g[k * D8 + j] += x * R[i * D8 + j];
      }
    double norm = sqrt(squares);
    for (int i = 0; i < D8 * D8; i++) g[i] /= norm;
    history[t] = norm + penalty(B, g);
    if (t == size) break;
    for (int i = 0; i < D8 * D8; i++) B[i] -= 1e-3 * g[i];
  }
  results[0] = history[size];
}

#ifdef BLAS

// C = A B for matrices by rows, A or B transposed where said.
static void product(int m, int n, int k, const double *A, int a_transposed, const double *B, int b_transposed, double *C) {
  cblas_dgemm(CblasRowMajor, a_transposed ? CblasTrans : CblasNoTrans, b_transposed ? CblasTrans : CblasNoTrans, m, n, k, 1, A,
              a_transposed ? m : k, B, b_transposed ? k : n, 0, C, n);
}

static void w8_blas(void) {
  static double B[D8 * D8], R[R8 * D8], g[D8 * D8];
  memcpy(B, start8, sizeof B);
  for (long t = 0;; t++) {
    double squares = 0;
    product(R8, D8, D8, X8, 0, B, 0, R);
    for (int i = 0; i < R8 * D8; i++) {
      R[i] -= X8[i];
      squares += R[i] * R[i];
    }
    double norm = sqrt(squares);
    product(D8, D8, R8, X8, 1, R, 0, g);
    for (int i = 0; i < D8 * D8; i++) g[i] /= norm;
    history[t] = norm + penalty(B, g);
    if (t == size) break;
    for (int i = 0; i < D8 * D8; i++) B[i] -= 1e-3 * g[i];
  }
  results[0] = history[size];
}

// ---- W7: two networks, by Adam

static void sigmoids(double *z, int n) {
  int i = 0;
#if defined VECTOR && !defined __FAST_MATH__ // with -ffast-math the compiler has vectors of its own
  for (; i + 8 <= n; i += 8) put(z + i, sigmoid8(at(z + i)));
#endif
  for (; i < n; i++) z[i] = 1 / (1 + exp(-z[i]));
}

static void adam(int n, double *w, double *m, double *v, const double *g, double c1, double c2) {
  for (int i = 0; i < n; i++) {
    m[i] = .9 * m[i] + (1 - .9) * g[i];
    v[i] = .999 * v[i] + (1 - .999) * g[i] * g[i];
    w[i] -= 1e-3 * (m[i] * c1) / (sqrt(v[i] * c2) + 1e-8);
  }
}

static void add_row(double *A, const double *row, int rows, int columns) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) A[i * columns + j] += row[j];
}

static void sum_rows(const double *A, double *sum, int rows, int columns) {
  memset(sum, 0, columns * sizeof(double));
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) sum[j] += A[i * columns + j];
}

static void through_sigmoid(double *d, const double *a, int n) {
  for (int i = 0; i < n; i++) d[i] *= a[i] * (1 - a[i]);
}

// The perceptron 64-32-10; its parameters in one array
enum { IMAGES = 1797, IN = 64, HIDDEN = 32, OUT = 10, BATCH = 64, BATCHES = IMAGES / BATCH };
enum { W1 = 0, B1 = IN * HIDDEN, W2 = B1 + HIDDEN, B2 = W2 + HIDDEN * OUT, ALL = B2 + OUT };
static double *digits, *first, *second;
static int32_t *labels, *order;

static void load_perceptron(long epochs) {
  size = epochs;
  digits = input_doubles("digits_X.f64", IMAGES * IN);
  labels = input_integers("digits_y.i32", IMAGES);
  order = input_integers("digits_order.i32", 30 * IMAGES);
  first = input_doubles("mlp_first.f64", IN * HIDDEN);
  second = input_doubles("mlp_second.f64", HIDDEN * OUT);
  history = doubles(epochs * BATCHES);
  keep(1);
}

// The mean loss of n images; leaves the hidden layer in A and the probabilities in S.
static double forward(const double *x, const int32_t *y, int n, const double *P, double *A, double *S) {
  double loss = 0;
  product(n, HIDDEN, IN, x, 0, P + W1, 0, A);
  add_row(A, P + B1, n, HIDDEN);
  sigmoids(A, n * HIDDEN);
  product(n, OUT, HIDDEN, A, 0, P + W2, 0, S);
  for (int i = 0; i < n; i++) {
    double *s = S + i * OUT, most = -1e300, sum = 0;
    for (int j = 0; j < OUT; j++) {
      s[j] += P[B2 + j];
      most = fmax(most, s[j]);
    }
    double own = s[y[i]] - most;
    for (int j = 0; j < OUT; j++) {
      s[j] = exp(s[j] - most);
      sum += s[j];
    }
    for (int j = 0; j < OUT; j++) s[j] /= sum;
    loss += log(sum) - own;
  }
  return loss / n;
}

static void perceptron(void) {
  static double P[ALL], M[ALL], V[ALL], G[ALL], x[BATCH * IN], A[IMAGES * HIDDEN], S[IMAGES * OUT], dA[BATCH * HIDDEN];
  int32_t y[BATCH];
  double p1 = 1, p2 = 1;
  long step = 0;
  memset(P, 0, sizeof P);
  memset(M, 0, sizeof M);
  memset(V, 0, sizeof V);
  memcpy(P + W1, first, IN * HIDDEN * sizeof(double));
  memcpy(P + W2, second, HIDDEN * OUT * sizeof(double));
  for (long e = 0; e < size; e++)
    for (int b = 0; b < BATCHES; b++) {
      for (int i = 0; i < BATCH; i++) {
        int row = order[e * IMAGES + b * BATCH + i];
        memcpy(x + i * IN, digits + row * IN, IN * sizeof(double));
        y[i] = labels[row];
      }
      history[step++] = forward(x, y, BATCH, P, A, S);
      for (int i = 0; i < BATCH; i++) {
        S[i * OUT + y[i]] -= 1;
        for (int j = 0; j < OUT; j++) S[i * OUT + j] /= BATCH;
      }
      product(HIDDEN, OUT, BATCH, A, 1, S, 0, G + W2);
      sum_rows(S, G + B2, BATCH, OUT);
      product(BATCH, HIDDEN, OUT, S, 0, P + W2, 1, dA);
      through_sigmoid(dA, A, BATCH * HIDDEN);
      product(IN, HIDDEN, BATCH, x, 1, dA, 0, G + W1);
      sum_rows(dA, G + B1, BATCH, HIDDEN);
      p1 *= .9;
      p2 *= .999;
      adam(ALL, P, M, V, G, 1 / (1 - p1), 1 / (1 - p2));
    }
  results[0] = forward(digits, labels, IMAGES, P, A, S);
}

// The autoencoder 784-100-784
enum { PIXELS = 784, CODE = 100, PICTURES = 5000, BATCH_A = 128, BATCHES_A = PICTURES / BATCH_A };
enum { E1 = 0, E2 = PIXELS * CODE, C1 = 2 * PIXELS * CODE, C2 = C1 + CODE, ALL_A = C2 + PIXELS };
static double *pictures, *encoder, *decoder, *Pa, *Ma, *Va, *Ga, *code, *out, *dcode;

static void load_autoencoder(long epochs) {
  size = epochs;
  pictures = input_doubles("images.f64", PICTURES * PIXELS);
  encoder = input_doubles("encoder.f64", PIXELS * CODE);
  decoder = input_doubles("decoder.f64", CODE * PIXELS);
  Pa = doubles(ALL_A), Ma = doubles(ALL_A), Va = doubles(ALL_A), Ga = doubles(ALL_A);
  code = doubles(BATCH_A * CODE), out = doubles(BATCH_A * PIXELS), dcode = doubles(BATCH_A * CODE);
  history = doubles(epochs * BATCHES_A);
  keep(1);
}

static void autoencoder(void) {
  const double decay = 1e-4;
  double p1 = 1, p2 = 1;
  long step = 0;
  memset(Pa, 0, ALL_A * sizeof(double));
  memset(Ma, 0, ALL_A * sizeof(double));
  memset(Va, 0, ALL_A * sizeof(double));
  memcpy(Pa + E1, encoder, PIXELS * CODE * sizeof(double));
  memcpy(Pa + E2, decoder, CODE * PIXELS * sizeof(double));
  for (long e = 0; e < size; e++)
    for (int b = 0; b < BATCHES_A; b++) {
      const double *x = pictures + (size_t)b * BATCH_A * PIXELS;
      product(BATCH_A, CODE, PIXELS, x, 0, Pa + E1, 0, code);
      add_row(code, Pa + C1, BATCH_A, CODE);
      sigmoids(code, BATCH_A * CODE);
      product(BATCH_A, PIXELS, CODE, code, 0, Pa + E2, 0, out);
      add_row(out, Pa + C2, BATCH_A, PIXELS);
      sigmoids(out, BATCH_A * PIXELS);
      double error = 0, weights = 0;
      for (int i = 0; i < BATCH_A * PIXELS; i++) {
        double r = out[i] - x[i];
        error += r * r;
        out[i] = r * out[i] * (1 - out[i]) / BATCH_A;
      }
      for (int i = 0; i < 2 * PIXELS * CODE; i++) weights += Pa[i] * Pa[i];
      history[step++] = error * .5 / BATCH_A + .5 * decay * weights;
      product(CODE, PIXELS, BATCH_A, code, 1, out, 0, Ga + E2);
      sum_rows(out, Ga + C2, BATCH_A, PIXELS);
      product(BATCH_A, CODE, PIXELS, out, 0, Pa + E2, 1, dcode);
      through_sigmoid(dcode, code, BATCH_A * CODE);
      product(PIXELS, CODE, BATCH_A, x, 1, dcode, 0, Ga + E1);
      sum_rows(dcode, Ga + C1, BATCH_A, CODE);
      for (int i = 0; i < 2 * PIXELS * CODE; i++) Ga[i] += decay * Pa[i];
      p1 *= .9;
      p2 *= .999;
      adam(ALL_A, Pa, Ma, Va, Ga, 1 / (1 - p1), 1 / (1 - p2));
    }
  results[0] = history[step - 1];
}

// ---- W6: 64 rates side by side, Z = X W and G = X^T D as products

#if defined VECTOR && !defined __FAST_MATH__
enum { D6 = 10, ROWS6 = 699, RATES6 = 64, RULES6 = 3 };
static double *X6, *y6, *rates6, *Z6;

static void load_w6(long epochs) {
  size = epochs;
  X6 = input_doubles("wisconsin_X.f64", ROWS6 * D6);
  y6 = input_doubles("wisconsin_y.f64", ROWS6);
  rates6 = input_doubles("rates_w6.f64", RATES6);
  Z6 = doubles(ROWS6 * RATES6);
  history = doubles(RULES6 * RATES6 * size);
  keep(RULES6 * RATES6);
}

static void w6_products(void) {
  static double W[D6 * RATES6], M[D6 * RATES6], V[D6 * RATES6], G[D6 * RATES6];
  for (int rule = 0; rule < RULES6; rule++) {
    double p1 = 1, p2 = 1;
    memset(W, 0, sizeof W);
    memset(M, 0, sizeof M);
    memset(V, 0, sizeof V);
    for (long e = 0;; e++) {
      product(ROWS6, RATES6, D6, X6, 0, W, 0, Z6);
      for (int k = 0; k < RATES6; k += 8) {
        v8 factors = all(1), linear = all(0);
        for (int i = 0; i < ROWS6; i++) {
          double *z = Z6 + i * RATES6 + k;
          put(z, logistic8(at(z), all(y6[i]), &linear, &factors));
        }
        double *to = history + (size_t)(rule * RATES6 + k) * size + e - 1;
        for (int lane = 0; lane < 8 && e > 0; lane++) to[lane * size] = (log(factors[lane]) + linear[lane]) / ROWS6;
      }
      if (e == size) break;
      product(D6, RATES6, ROWS6, X6, 1, Z6, 0, G);
      p1 *= .9;
      p2 *= .999;
      double c1 = 1 / (1 - p1), c2 = 1 / (1 - p2);
      for (int j = 0; j < D6; j++)
        for (int k = 0; k < RATES6; k++) {
          int i = j * RATES6 + k;
          if (rule == 0) {
            W[i] -= rates6[k] * G[i];
          } else if (rule == 1) {
            V[i] = .9 * V[i] + G[i];
            W[i] -= rates6[k] * V[i];
          } else {
            M[i] = .9 * M[i] + (1 - .9) * G[i];
            V[i] = .999 * V[i] + (1 - .999) * G[i] * G[i];
            W[i] -= rates6[k] * (M[i] * c1) / (sqrt(V[i] * c2) + 1e-8);
          }
        }
    }
  }
  for (int cell = 0; cell < RULES6 * RATES6; cell++) results[cell] = history[(cell + 1) * size - 1];
}
#endif
#endif

int main(int argc, char **argv) {
  static const struct workload table[] = {
      {"W8.plain", load_w8, w8_plain},
#ifdef BLAS
      {"W8", load_w8, w8_blas},
      {"W7.mlp", load_perceptron, perceptron},
      {"W7.ae", load_autoencoder, autoencoder},
#if defined VECTOR && !defined __FAST_MATH__
      {"W6.products", load_w6, w6_products},
#endif
#endif
      {0},
  };
  return converse(argc, argv, table, "no BLAS, or no AVX-512");
}
