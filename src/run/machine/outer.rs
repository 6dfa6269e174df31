//! Sums over rows of all products of a feature of one value and one of another: a matrix of accumulators.
//!
//! Their clearing, the tree over chunks and the end of a pass are in `rows`.

use super::octet::fma;
use super::view::{Matrix, Slot, View, load, store};
use crate::compile::tape::{Address, Lanes, Operand};
use crate::dispatch;

dispatch! {
    /// Adds all products of a feature of `a` and one of `b`, in ascending order.
    pub(super) fn outer(view: &View, acc: Address, a: Operand, b: Operand) = outer_body;
}

#[inline(always)]
fn outer_body(view: &View, acc: Address, a: Operand, b: Operand) {
    let (k, m) = (a.width as usize, b.width as usize);
    let (acc, x, y) = (view.octets(acc), view.matrix(a), view.matrix(b));
    match view.lanes {
        Lanes::One => outer_rows(view, acc, x, y, k, m),
        Lanes::Eight => outer_lanes(view, acc, x, y, k, m),
    }
}

/// One lane: octets of `b`'s features, turned eight rows at a time.
#[inline(always)]
fn outer_rows(view: &View, acc: &[Slot], a: impl Matrix, b: impl Matrix, k: usize, m: usize) {
    let wide = m.div_ceil(8);
    for group in 0..wide {
        for outer in 0..view.outer {
            let mut turned = [[0.0; 8]; 8];
            for c in 0..8.min(m - group * 8) {
                let column = b.at(outer, group * 8 + c);
                for p in 0..8 {
                    turned[p][c] = column[p];
                }
            }
            let valid = 8.min(view.rows - outer * 8);
            for j in 0..k {
                let (x, slot) = (a.at(outer, j), &acc[j * wide + group]);
                let mut s = load(slot);
                for p in 0..valid {
                    s = fma([x[p]; 8], turned[p], s);
                }
                store(slot, s);
            }
        }
    }
}

/// Eight lanes: four features of `a` by two of `b` at a time.
#[inline(always)]
fn outer_lanes(view: &View, acc: &[Slot], a: impl Matrix, b: impl Matrix, k: usize, m: usize) {
    let mut j = 0;
    while j < k {
        let tall = j + 4 <= k;
        let mut c = 0;
        while c < m {
            if tall && c + 2 <= m {
                outer_tile::<4, 2>(view, acc, a, b, m, j, c);
                c += 2;
            } else {
                for j in j..if tall { j + 4 } else { j + 1 } {
                    outer_tile::<1, 1>(view, acc, a, b, m, j, c);
                }
                c += 1;
            }
        }
        j += if tall { 4 } else { 1 };
    }
}

#[inline(always)]
fn outer_tile<const J: usize, const C: usize>(view: &View, acc: &[Slot], a: impl Matrix, b: impl Matrix, m: usize, j: usize, c: usize) {
    let mut s = [[[0.0; 8]; C]; J];
    for t in 0..J {
        for u in 0..C {
            s[t][u] = load(&acc[(j + t) * m + c + u]);
        }
    }
    for row in 0..view.outer {
        for t in 0..J {
            let x = a.at(row, j + t);
            for u in 0..C {
                s[t][u] = fma(x, b.at(row, c + u), s[t][u]);
            }
        }
    }
    for t in 0..J {
        for u in 0..C {
            store(&acc[(j + t) * m + c + u], s[t][u]);
        }
    }
}
