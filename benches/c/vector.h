// Eight doubles at a time with AVX-512: exponential, logistic pieces, sine and cosine of full turns.
//
// Written with GCC's vector types: `a * b + c` is fused where the compiler may (its default, -ffp-contract=fast), and a double stands for eight
// equal ones. Without AVX-512 nothing of this exists, and the workloads that need it are reported as not measured.
#ifndef VECTOR_H
#define VECTOR_H

#ifdef __AVX512F__
#include <immintrin.h>
#define VECTOR 1
#define INLINE static inline __attribute__((always_inline))

typedef __m512d v8;

INLINE v8 all(double x) { return _mm512_set1_pd(x); }
INLINE v8 at(const double *p) { return _mm512_loadu_pd(p); }
INLINE void put(double *p, v8 x) { _mm512_storeu_pd(p, x); }
INLINE double total(v8 x) { return _mm512_reduce_add_pd(x); }

// e^x for |x| up to 708, about 1 ulp: x = (n/8) ln 2 + r, with 2^(n mod 8 / 8) from a table in a register and e^r as a polynomial.
INLINE v8 exp8(v8 x) {
  const v8 table = {1, 0x1.172b83c7d517bp0, 0x1.306fe0a31b715p0, 0x1.4bfdad5362a27p0,
                    0x1.6a09e667f3bcdp0, 0x1.8ace5422aa0dbp0, 0x1.ae89f995ad3adp0, 0x1.d5818dcfba487p0};
  const double whole = 6755399441055744.0; // 1.5 * 2^52: adding it rounds to a whole number, kept in the low bits
  v8 t = x * 11.541560327111707 + whole, n = t - whole;
  v8 r = x - n * 0.08664339756978734;      // ln 2 / 8 in two parts
  r = r - n * 2.0582436978621353e-13;
  v8 r2 = r * r;
  v8 p = (r * (1. / 5040) + 1. / 720) * r2 + (r * (1. / 120) + 1. / 24);
  p = p * r2 + (r * (1. / 6) + 1. / 2);
  p = p * r2 + (r + 1);
  return _mm512_scalef_pd(p * _mm512_permutexvar_pd(_mm512_castpd_si512(t), table), n * 0.125);
}

// One row of a logistic loss: given z and y, returns sigmoid(z) - y, adds the part of the loss that is linear, and multiplies the part under the
// logarithm: loss = max(z, 0) - y z + log(1 + e^-|z|).
INLINE v8 logistic8(v8 z, v8 y, v8 *linear, v8 *product) {
  const v8 zero = all(0);
  v8 e = exp8(zero - _mm512_min_pd(_mm512_abs_pd(z), all(700)));
  v8 one_e = e + 1;
  *product = *product * one_e;
  *linear = *linear + (_mm512_max_pd(z, zero) - y * z);
  v8 q = _mm512_div_pd(all(1), one_e);
  return _mm512_mask_mul_pd(q, _mm512_cmp_pd_mask(z, zero, _CMP_LT_OQ), q, e) - y;
}

// The logarithm of the product of eight numbers, each at most 2^255.
INLINE double log_product(v8 p) {
  double v[8];
  put(v, p);
  return log(v[0] * v[1] * v[2] * v[3]) + log(v[4] * v[5] * v[6] * v[7]);
}

INLINE v8 sigmoid8(v8 z) {
  z = _mm512_max_pd(_mm512_min_pd(z, all(700)), all(-700));
  return _mm512_div_pd(all(1), exp8(all(0) - z) + 1);
}

// sin(2 pi a) and cos(2 pi a): the quarter of the turn is taken away exactly, the rest is a polynomial.
INLINE void turn8(v8 a, v8 *sine, v8 *cosine) {
  const double whole = 6755399441055744.0;
  v8 t = a * 4 + whole, quarters = t - whole;
  __m512i k = _mm512_castpd_si512(t), one = _mm512_set1_epi64(1), two = _mm512_set1_epi64(2);
  v8 h = (a - quarters * 0.25) * (2 * M_PI), u = h * h;
  v8 s = u * (-1. / 1307674368000) + 1. / 6227020800;
  s = s * u + -1. / 39916800;
  s = s * u + 1. / 362880;
  s = s * u + -1. / 5040;
  s = s * u + 1. / 120;
  s = s * u + -1. / 6;
  s = s * u * h + h;
  v8 c = u * (1. / 20922789888000) + -1. / 87178291200;
  c = c * u + 1. / 479001600;
  c = c * u + -1. / 3628800;
  c = c * u + 1. / 40320;
  c = c * u + -1. / 720;
  c = c * u + 1. / 24;
  c = c * u + -.5;
  c = c * u + 1;
  __mmask8 odd = _mm512_test_epi64_mask(k, one);
  v8 S = _mm512_mask_blend_pd(odd, s, c), C = _mm512_mask_blend_pd(odd, c, s);
  *sine = _mm512_mask_sub_pd(S, _mm512_test_epi64_mask(k, two), all(0), S);
  *cosine = _mm512_mask_sub_pd(C, _mm512_test_epi64_mask(_mm512_add_epi64(k, one), two), all(0), C);
}

#endif
#endif
