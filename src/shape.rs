//! Shapes: a list of dimensions, one of which may be the rows of a dataset; the broadcasting rules.
//!
//! It knows no values and no text.

use std::fmt;

/// Which dataset a row dimension belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DataId(pub u32);

/// One dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dim {
    /// A fixed number of elements.
    Size(usize),
    /// The rows of a dataset: as many as the data have, or the size of a minibatch.
    Rows(DataId),
}

/// The dimensions of a value, outermost first. A scalar has none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Shape(pub Vec<Dim>);

/// How many rows each dataset has, so that shapes can be printed and counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowCounts(pub Vec<usize>);

impl RowCounts {
    /// The number of elements along a dimension.
    #[must_use]
    pub fn of(&self, dim: Dim) -> usize {
        match dim {
            Dim::Size(n) => n,
            Dim::Rows(DataId(d)) => self.0.get(d as usize).copied().unwrap_or(0),
        }
    }

    /// The sizes of a shape.
    #[must_use]
    pub fn sizes(&self, shape: &Shape) -> Vec<usize> {
        shape.0.iter().map(|&dim| self.of(dim)).collect()
    }

    /// The number of elements of a shape, or `None` when it does not fit.
    #[must_use]
    pub fn count(&self, shape: &Shape) -> Option<usize> {
        shape.0.iter().try_fold(1usize, |n, &dim| n.checked_mul(self.of(dim)))
    }

    /// A shape as messages show it: `a scalar`, `a vector of 10`, `699 x 10`.
    #[must_use]
    pub fn show(&self, shape: &Shape) -> String {
        if shape.0.is_empty() {
            return "a scalar".to_string();
        }
        if let [dim] = shape.0[..] {
            return format!("a vector of {}", self.of(dim));
        }
        let parts: Vec<String> = shape.0.iter().map(|&dim| self.of(dim).to_string()).collect();
        parts.join(" x ")
    }
}

impl Shape {
    /// The shape of a number.
    #[must_use]
    pub fn scalar() -> Self {
        Shape(Vec::new())
    }

    /// A shape of fixed sizes.
    #[must_use]
    pub fn fixed(sizes: &[usize]) -> Self {
        Shape(sizes.iter().map(|&n| Dim::Size(n)).collect())
    }

    /// The number of dimensions.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Whether it is a number.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any dimension is the rows of a dataset.
    #[must_use]
    pub fn has_rows(&self) -> bool {
        self.0.iter().any(|dim| matches!(dim, Dim::Rows(_)))
    }

    /// The shape without one axis.
    #[must_use]
    pub fn without(&self, axis: usize) -> Shape {
        let mut dims = self.0.clone();
        dims.remove(axis);
        Shape(dims)
    }

    /// The shape of an elementwise operation on two values, by the language's rules: a scalar goes
    /// with anything; a vector with the last axis of a matrix; equal shapes with each other; and
    /// with as many axes on both sides an axis of one element stretches.
    #[must_use]
    pub fn broadcast(&self, other: &Shape) -> Option<Shape> {
        let (a, b) = (self, other);
        if a == b || b.is_scalar() {
            return Some(a.clone());
        }
        if a.is_scalar() {
            return Some(b.clone());
        }
        if a.rank() == b.rank() {
            let dims = a.0.iter().zip(&b.0).map(|(&x, &y)| match (x, y) {
                _ if x == y => Some(x),
                (Dim::Size(1), d) | (d, Dim::Size(1)) => Some(d),
                _ => None,
            });
            return dims.collect::<Option<Vec<Dim>>>().map(Shape);
        }
        let (long, short) = if a.rank() > b.rank() { (a, b) } else { (b, a) };
        (short.rank() == 1 && long.0.last() == short.0.last() && !short.has_rows()).then(|| long.clone())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[")?;
        for (i, dim) in self.0.iter().enumerate() {
            if i > 0 {
                write!(f, ", ")?;
            }
            match dim {
                Dim::Size(n) => write!(f, "{n}")?,
                Dim::Rows(DataId(d)) => write!(f, "rows{d}")?,
            }
        }
        write!(f, "]")
    }
}
