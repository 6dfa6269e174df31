//! The operations of the one intermediate form, and the table of their facts.
//!
//! It knows shapes, not values: values are in `eval`, derivatives in `diff`, text in `print`.

#![allow(missing_docs, reason = "the fields of a variant are described in the comment on the variant")]

use std::sync::Arc;

use crate::shape::{DataId, Dim, Shape};

/// Index of an input in [`super::graph::Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InputId(pub u32);

/// A number compared and hashed by its bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bits(pub u64);

impl Bits {
    /// The bits of a number; all NaN are one.
    pub fn of(x: f64) -> Self {
        Bits(if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() })
    }

    /// The number.
    pub fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl std::fmt::Debug for Bits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.value())
    }
}

/// An array of constants, row by row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Literal {
    /// The sizes, outermost first.
    pub sizes: Vec<usize>,
    /// The numbers.
    pub values: Vec<Bits>,
}

/// Elementwise operations of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unary {
    /// Inverse cosine.
    Acos,
    /// Absolute value; slope 0 at 0.
    Abs,
    /// Inverse sine.
    Asin,
    /// Inverse tangent.
    Atan,
    /// Smallest whole number not below.
    Ceil,
    /// Cosine.
    Cos,
    /// Hyperbolic cosine.
    Cosh,
    /// Error function.
    Erf,
    /// e to the power.
    Exp,
    /// `exp(-|x|)`, what sigmoid and softplus share.
    ExpNegAbs,
    /// `exp(x) - 1` without cancellation.
    Expm1,
    /// Largest whole number not above.
    Floor,
    /// Natural logarithm.
    Log,
    /// Decimal logarithm.
    Log10,
    /// `log(1 + x)` without cancellation.
    Log1p,
    /// Binary logarithm.
    Log2,
    /// Minus.
    Neg,
    /// Square root of a sum of squares: like `Sqrt`, but with slope 0 at 0, the convention of `norm`.
    NormRoot,
    /// 1 where 0, else 0.
    Not,
    /// `maximum(0, x)` with slope 0 at 0.
    Relu,
    /// To the nearest whole number, ties to even.
    Round,
    /// `1/(1 + exp(-x))`.
    Sigmoid,
    /// Slope of the sigmoid, `e/(1 + e)^2` with `e = exp(-|x|)`.
    SigmoidSlope,
    /// -1, 0 or 1; slope 0.
    Sign,
    /// Sine.
    Sin,
    /// Hyperbolic sine.
    Sinh,
    /// `log(1 + exp(x))` without overflow.
    Softplus,
    /// Square root.
    Sqrt,
    /// `x*x`.
    Square,
    /// Tangent.
    Tan,
    /// Hyperbolic tangent.
    Tanh,
    /// Slope of `Tanh`, `4e/(1 + e)^2` with `e = exp(-2|x|)`.
    TanhSlope,
}

/// Elementwise operations of two values. Comparisons and logic give 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Binary {
    /// `a + b`.
    Add,
    /// Both not 0.
    And,
    /// `a / b`.
    Div,
    /// `a == b`.
    Eq,
    /// `a <= b`.
    Le,
    /// `a < b`.
    Lt,
    /// The larger; ties share the slope equally.
    Maximum,
    /// The smaller; ties share the slope equally.
    Minimum,
    /// Remainder with the sign of `b`, as NumPy's `mod`.
    Mod,
    /// `a * b`.
    Mul,
    /// `a != b`.
    Ne,
    /// One of them not 0.
    Or,
    /// `a ^ b`.
    Pow,
    /// `a - b`.
    Sub,
    /// `a*log(b)`, 0 where `a` is 0.
    Xlogy,
}

/// Reductions along one axis, which disappears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reduce {
    /// Index of the largest, the first of equals.
    ArgMax,
    /// Index of the smallest, the first of equals.
    ArgMin,
    /// `log(sum(exp(x)))`, the largest subtracted first.
    LogSumExp,
    /// Largest; ties share the slope equally.
    Max,
    /// Middle value; the mean of the two middle ones of an even number.
    Median,
    /// Smallest; ties share the slope equally.
    Min,
    /// Product.
    Prod,
    /// Sum in the canonical order (`numeric::sums`): axis 0 by eight classes, other axes ascending.
    Sum,
    /// The sum of `log(1 + x)` for `x` between 0 and 1, as the logarithm of a product.
    SumLog1p,
}

/// One operation. Arguments are nodes of the graph; everything static is in the operation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    /// A number. No arguments.
    Const(Bits),
    /// An array of numbers. No arguments.
    Literal(Arc<Literal>),
    /// A value from outside. No arguments.
    Input(InputId),
    /// The number of rows: of the data, or of the batch. No arguments.
    RowCount(DataId),
    /// Elementwise.
    Unary(Unary),
    /// Elementwise, with broadcasting.
    Binary(Binary),
    /// `where(c, a, b)`, elementwise, with broadcasting. What is not selected is not used.
    Select,
    /// Along one axis.
    Reduce(Reduce, usize),
    /// `exp(x)/sum(exp(x))` along one axis; same shape.
    Softmax(usize),
    /// Logarithm of `Softmax`; same shape.
    LogSoftmax(usize),
    /// Running sum along an axis, from the end when `reverse`; same shape.
    Cumsum { axis: usize, reverse: bool },
    /// Sorted ascending along an axis; same shape.
    Sort(usize),
    /// The indices that sort along an axis (stable); same shape.
    ArgSort(usize),
    /// `a @ b`: (n)·(n) gives a number, (m,n)·(n) a vector, (m,n)·(n,p) a matrix.
    MatMul,
    /// The order of the axes is reversed.
    Transpose,
    /// A new axis of one element.
    Expand(usize),
    /// An axis of one element disappears.
    Squeeze(usize),
    /// Repeats a number, the last axis (a vector), or axes of one element, up to a shape.
    Broadcast(Shape),
    /// The same elements, row by row, in another shape of fixed sizes.
    Reshape(Shape),
    /// Elements `start, start + step, ..` (`len` of them) along an axis; `step` may be negative.
    Slice { axis: usize, start: usize, step: isize, len: usize },
    /// The transpose of `Slice`: puts the elements there, zeros elsewhere, `size` along the axis.
    Unslice { axis: usize, start: usize, step: isize, size: Dim },
    /// One after the other along an axis. Any number of arguments.
    Concat(usize),
    /// `a[.., index, ..]` along an axis: arguments `a`, `index` (a vector of whole numbers).
    Gather(usize),
    /// The transpose of `Gather`: arguments `g`, `index`; adds rows of `g` to `size` rows of zeros.
    ScatterAdd { axis: usize, size: Dim },
    /// `A[i, y[i]]` in each row: arguments `A` (n,k), `y` (n).
    Pick,
    /// The transpose of `Pick`: arguments `g` (n), `y` (n); gives (n,k).
    Unpick(usize),
    /// Rows of the identity: argument `y` (n); gives (n,k).
    OneHot(usize),
    /// `x` with `A x = b`: arguments `A` (n,n), `b` (n) or (n,m).
    Solve,
    /// The largest singular value of a matrix.
    SpectralNorm,
    /// The positive semidefinite matrix next to a square one.
    PsdPart,
}

/// Why an operation does not fit its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShapeError {
    /// Shapes that do not broadcast.
    Broadcast(Shape, Shape),
    /// Inner dimensions of a product differ.
    Inner(Shape, Shape),
    /// The argument has not enough axes, or too many.
    Rank(Shape),
    /// No such axis.
    Axis(usize, Shape),
    /// The numbers of elements differ.
    Count(Shape, Shape),
    /// Not a square matrix.
    Square(Shape),
}

impl Unary {
    /// All, in order.
    #[rustfmt::skip]
    pub const ALL: [Unary; 32] = [
        Unary::Abs, Unary::Acos, Unary::Asin, Unary::Atan, Unary::Ceil, Unary::Cos, Unary::Cosh, Unary::Erf, Unary::Exp, Unary::ExpNegAbs, Unary::Expm1, Unary::Floor,
        Unary::Log, Unary::Log10, Unary::Log1p, Unary::Log2, Unary::Neg, Unary::NormRoot, Unary::Not, Unary::Relu, Unary::Round, Unary::Sigmoid,
        Unary::SigmoidSlope, Unary::Sign, Unary::Sin, Unary::Sinh, Unary::Softplus, Unary::Sqrt, Unary::Square, Unary::Tan, Unary::Tanh, Unary::TanhSlope,
    ];

    /// The name as the language writes it, or as `explain` shows what has no name there.
    #[rustfmt::skip]
    pub fn name(self) -> &'static str {
        match self {
            Unary::Abs => "abs", Unary::Acos => "arccos", Unary::Asin => "arcsin", Unary::Atan => "arctan", Unary::Ceil => "ceil",
            Unary::Cos => "cos", Unary::Cosh => "cosh", Unary::Erf => "erf", Unary::Exp => "exp", Unary::ExpNegAbs => "exp_neg_abs", Unary::Expm1 => "expm1",
            Unary::Floor => "floor", Unary::Log => "log", Unary::Log10 => "log10", Unary::Log1p => "log1p", Unary::Log2 => "log2",
            Unary::Neg => "-", Unary::NormRoot => "norm_root", Unary::Not => "not", Unary::Relu => "relu", Unary::Round => "round",
            Unary::Sigmoid => "sigmoid", Unary::SigmoidSlope => "sigmoid_slope", Unary::Sign => "sign", Unary::Sin => "sin",
            Unary::Sinh => "sinh", Unary::Softplus => "softplus", Unary::Sqrt => "sqrt", Unary::Square => "square", Unary::Tan => "tan",
            Unary::Tanh => "tanh", Unary::TanhSlope => "tanh_slope",
        }
    }
}

impl Binary {
    /// All, in order.
    #[rustfmt::skip]
    pub const ALL: [Binary; 15] = [
        Binary::Add, Binary::And, Binary::Div, Binary::Eq, Binary::Le, Binary::Lt, Binary::Maximum, Binary::Minimum, Binary::Mod, Binary::Mul, Binary::Ne,
        Binary::Or, Binary::Pow, Binary::Sub, Binary::Xlogy,
    ];

    /// The operator or function name.
    #[rustfmt::skip]
    pub fn name(self) -> &'static str {
        match self {
            Binary::Add => "+", Binary::And => "and", Binary::Div => "/", Binary::Eq => "==", Binary::Le => "<=", Binary::Lt => "<",
            Binary::Maximum => "maximum", Binary::Minimum => "minimum", Binary::Mod => "mod", Binary::Mul => "*", Binary::Ne => "!=",
            Binary::Or => "or", Binary::Pow => "^", Binary::Sub => "-", Binary::Xlogy => "xlogy",
        }
    }
}

impl Reduce {
    /// The name as the language writes it.
    pub fn name(self) -> &'static str {
        match self {
            Reduce::ArgMax => "argmax",
            Reduce::ArgMin => "argmin",
            Reduce::LogSumExp => "logsumexp",
            Reduce::Max => "max",
            Reduce::Median => "median",
            Reduce::Min => "min",
            Reduce::Prod => "prod",
            Reduce::Sum => "sum",
            Reduce::SumLog1p => "sum_log1p",
        }
    }
}

impl Op {
    /// A number.
    pub fn number(x: f64) -> Op {
        Op::Const(Bits::of(x))
    }

    /// The number of arguments, or `None` when any number will do.
    pub fn arity(&self) -> Option<usize> {
        match self {
            Op::Const(_) | Op::Literal(_) | Op::Input(_) | Op::RowCount(_) => Some(0),
            Op::Unary(_)
            | Op::Reduce(..)
            | Op::Softmax(_)
            | Op::LogSoftmax(_)
            | Op::Cumsum { .. }
            | Op::Sort(_)
            | Op::ArgSort(_)
            | Op::Transpose
            | Op::Expand(_)
            | Op::Squeeze(_)
            | Op::Broadcast(_)
            | Op::Reshape(_)
            | Op::Slice { .. }
            | Op::Unslice { .. }
            | Op::OneHot(_)
            | Op::SpectralNorm
            | Op::PsdPart => Some(1),
            Op::Binary(_) | Op::MatMul | Op::Gather(_) | Op::ScatterAdd { .. } | Op::Pick | Op::Unpick(_) | Op::Solve => Some(2),
            Op::Select => Some(3),
            Op::Concat(_) => None,
        }
    }

    /// The shape of the result, from the shapes of the arguments. Inputs and row counts are the graph's affair.
    ///
    /// # Errors
    /// When the arguments do not fit.
    pub fn shape(&self, args: &[&Shape]) -> Result<Shape, ShapeError> {
        let axis_of = |axis: usize, shape: &Shape| if axis < shape.rank() { Ok(()) } else { Err(ShapeError::Axis(axis, shape.clone())) };
        let with = |shape: &Shape, axis: usize, dim: Dim| {
            let mut dims = shape.0.clone();
            dims[axis] = dim;
            Shape(dims)
        };
        match self {
            Op::Const(_) | Op::Input(_) | Op::RowCount(_) => Ok(Shape::scalar()),
            Op::Literal(literal) => Ok(Shape::fixed(&literal.sizes)),
            Op::Unary(_) => Ok(args[0].clone()),
            Op::Binary(_) => broadcast(args[0], args[1]),
            Op::Select => broadcast(&broadcast(args[0], args[1])?, args[2]),
            Op::Reduce(_, axis) => axis_of(*axis, args[0]).map(|()| args[0].without(*axis)),
            Op::Softmax(axis) | Op::LogSoftmax(axis) | Op::Cumsum { axis, .. } | Op::Sort(axis) | Op::ArgSort(axis) => {
                axis_of(*axis, args[0]).map(|()| args[0].clone())
            }
            Op::MatMul => {
                let (a, b) = (args[0], args[1]);
                let fits = |m: Dim, n: Dim| if m == n { Ok(()) } else { Err(ShapeError::Inner(a.clone(), b.clone())) };
                match (&a.0[..], &b.0[..]) {
                    ([n], [m]) => fits(*n, *m).map(|()| Shape::scalar()),
                    ([r, n], [m]) => fits(*n, *m).map(|()| Shape(vec![*r])),
                    ([r, n], [m, c]) => fits(*n, *m).map(|()| Shape(vec![*r, *c])),
                    _ => Err(ShapeError::Rank(if matches!(a.rank(), 1 | 2) { b.clone() } else { a.clone() })),
                }
            }
            Op::Transpose => Ok(Shape(args[0].0.iter().rev().copied().collect())),
            Op::Expand(axis) => {
                if *axis > args[0].rank() {
                    return Err(ShapeError::Axis(*axis, args[0].clone()));
                }
                let mut dims = args[0].0.clone();
                dims.insert(*axis, Dim::Size(1));
                Ok(Shape(dims))
            }
            Op::Squeeze(axis) => {
                axis_of(*axis, args[0])?;
                if args[0].0[*axis] == Dim::Size(1) { Ok(args[0].without(*axis)) } else { Err(ShapeError::Axis(*axis, args[0].clone())) }
            }
            Op::Broadcast(to) => {
                if args[0].broadcast(to).as_ref() == Some(to) {
                    Ok(to.clone())
                } else {
                    Err(ShapeError::Broadcast(args[0].clone(), to.clone()))
                }
            }
            Op::Reshape(to) => {
                let count =
                    |shape: &Shape| shape.0.iter().try_fold(1usize, |n, dim| if let Dim::Size(k) = dim { n.checked_mul(*k) } else { None });
                if count(args[0]).is_some() && count(args[0]) == count(to) {
                    Ok(to.clone())
                } else {
                    Err(ShapeError::Count(args[0].clone(), to.clone()))
                }
            }
            Op::Slice { axis, len, .. } => axis_of(*axis, args[0]).map(|()| with(args[0], *axis, Dim::Size(*len))),
            Op::Unslice { axis, size, .. } => axis_of(*axis, args[0]).map(|()| with(args[0], *axis, *size)),
            Op::Concat(axis) => {
                let first = args.first().copied().cloned().unwrap_or_default();
                axis_of(*axis, &first)?;
                let mut total = 0usize;
                for arg in args {
                    if arg.rank() != first.rank() || arg.without(*axis) != first.without(*axis) {
                        return Err(ShapeError::Broadcast(first.clone(), (*arg).clone()));
                    }
                    match arg.0[*axis] {
                        Dim::Size(n) => total = total.saturating_add(n),
                        Dim::Rows(_) if args.len() == 1 => return Ok(first.clone()),
                        Dim::Rows(_) => return Err(ShapeError::Axis(*axis, (*arg).clone())),
                    }
                }
                Ok(with(&first, *axis, Dim::Size(total)))
            }
            Op::Gather(axis) => {
                axis_of(*axis, args[0])?;
                if args[1].rank() == 1 { Ok(with(args[0], *axis, args[1].0[0])) } else { Err(ShapeError::Rank(args[1].clone())) }
            }
            Op::ScatterAdd { axis, size } => {
                axis_of(*axis, args[0])?;
                if args[1].rank() == 1 && args[1].0[0] == args[0].0[*axis] {
                    Ok(with(args[0], *axis, *size))
                } else {
                    Err(ShapeError::Broadcast(args[0].clone(), args[1].clone()))
                }
            }
            Op::Pick => match (&args[0].0[..], &args[1].0[..]) {
                ([n, _], [m]) if n == m => Ok(args[1].clone()),
                ([_, _], [_]) => Err(ShapeError::Broadcast(args[0].clone(), args[1].clone())),
                _ => Err(ShapeError::Rank(args[0].clone())),
            },
            Op::Unpick(k) => {
                if args[0].rank() == 1 && args[0] == args[1] {
                    Ok(Shape(vec![args[0].0[0], Dim::Size(*k)]))
                } else {
                    Err(ShapeError::Broadcast(args[0].clone(), args[1].clone()))
                }
            }
            Op::OneHot(k) => {
                if args[0].rank() == 1 {
                    Ok(Shape(vec![args[0].0[0], Dim::Size(*k)]))
                } else {
                    Err(ShapeError::Rank(args[0].clone()))
                }
            }
            Op::Solve => match (&args[0].0[..], &args[1].0[..]) {
                ([n, m], [k, ..]) if n == m && args[1].rank() <= 2 => {
                    if n == k {
                        Ok(args[1].clone())
                    } else {
                        Err(ShapeError::Inner(args[0].clone(), args[1].clone()))
                    }
                }
                _ => Err(ShapeError::Square(args[0].clone())),
            },
            Op::PsdPart => match args[0].0[..] {
                [a, b] if a == b => Ok(args[0].clone()),
                _ => Err(ShapeError::Square(args[0].clone())),
            },
            Op::SpectralNorm => {
                if args[0].rank() == 2 {
                    Ok(Shape::scalar())
                } else {
                    Err(ShapeError::Rank(args[0].clone()))
                }
            }
        }
    }
}

fn broadcast(a: &Shape, b: &Shape) -> Result<Shape, ShapeError> {
    a.broadcast(b).ok_or_else(|| ShapeError::Broadcast(a.clone(), b.clone()))
}
