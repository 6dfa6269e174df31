//! The arithmetic of `optrun::numeric` against outside references: correctly rounded functions, certified values, other libraries.

mod numeric {
    mod elementary;
    mod format;
    mod linalg;
    mod mt19937;
    mod random;
    mod tape;
}
