//! Work on several threads, with results in the order of the work. The only file that knows rayon.
//!
//! It decides nothing about numbers: which thread does what is never seen in a result.

use rayon::prelude::*;

/// `f` of each item, on so many threads, in the order of the items.
pub(super) fn map<T: Sync, R: Send>(threads: usize, items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if threads <= 1 || items.len() <= 1 {
        return items.iter().map(f).collect();
    }
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(|| items.par_iter().with_max_len(1).map(&f).collect()),
        // A system without threads still computes.
        Err(_) => items.iter().map(f).collect(),
    }
}
