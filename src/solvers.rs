//! The solvers: methods that need control flow which update rules do not have (line searches, trust regions, simplexes).
//!
//! One row each: its name, its arguments with their defaults, and its documentation. How each goes about it is in `run/solve`.

use std::fmt::Write as _;

/// Which method a solver is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Newton's method.
    Newton,
    /// Limited-memory BFGS.
    Lbfgs,
    /// Levenberg's and Marquardt's method for sums of squares.
    LevenbergMarquardt,
    /// Proximal gradient descent, accelerated or not.
    Proximal,
    /// The simplex of Nelder and Mead.
    NelderMead,
    /// Gradient descent with backtracking.
    Backtracking,
}

/// What a solver evaluates besides the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Value,
    /// The gradient.
    Gradient,
    /// The gradient and the matrix of second derivatives.
    Hessian,
    /// The residuals whose squares make up the loss, and their derivatives.
    Residuals,
    /// The gradient of the smooth part of the loss, and the weights of the absolute values in it.
    Split,
}

/// The value of an argument that nobody gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Default {
    /// It must be given.
    None,
    /// A number, as the language writes it.
    Number(&'static str),
    /// The first of these words; the argument is one of them.
    Words(&'static [&'static str]),
}

/// Which numbers an argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// At least 0.
    NotNegative,
    /// Above 0.
    Positive,
    /// Between 0 and 1, both excluded.
    Fraction,
    /// 1, 2, ..
    Count,
}

/// An argument of a solver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// What it is when nobody gives it.
    pub default: Default,
    /// What it may be, when it is a number.
    pub range: Range,
    /// What it does.
    pub says: &'static str,
}

/// A row of [`SOLVERS`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solver {
    /// The name in `optimizer = ..`.
    pub name: &'static str,
    /// How it goes about it.
    pub method: Method,
    /// What it evaluates.
    pub needs: Needs,
    /// Its arguments.
    pub arguments: &'static [Argument],
    /// What it is, in a sentence.
    pub summary: &'static str,
    /// The formula, when it stops, the source, and where libraries differ.
    pub text: &'static str,
}

/// Updates of a run of solvers alone, when the sweep does not say.
pub const STEPS: u64 = 2000;

/// The largest Hessian or Jacobian that is built has so many columns.
pub const MOST_COLUMNS: usize = 1000;

/// What counts as the rule whose state the standard error of a parameter is.
pub const STANDARD_ERROR: &str = "standard_error";

const GTOL: Argument = Argument {
    name: "gtol",
    default: Default::Number("1e-10"),
    range: Range::NotNegative,
    says: "it stops where no element of the gradient is larger in absolute value",
};

const C1: Argument = Argument {
    name: "c1",
    default: Default::Number("1e-4"),
    range: Range::Fraction,
    says: "the decrease asked of a step, as a part of what the slope promises (Armijo)",
};

/// All solvers, by name.
pub const SOLVERS: &[Solver] = &[
    Solver {
        name: "backtracking",
        method: Method::Backtracking,
        needs: Needs::Gradient,
        arguments: &[
            Argument { name: "lr", default: Default::Number("1"), range: Range::Positive, says: "the rate that is tried first in each step" },
            Argument { name: "shrink", default: Default::Number("0.5"), range: Range::Fraction, says: "what the rate is multiplied by until the loss falls enough" },
            C1,
            GTOL,
        ],
        summary: "Gradient descent whose rate shrinks in each step until the loss falls enough.",
        text: "\
x <- x - rate*g  with the first rate of lr, lr*shrink, lr*shrink^2, .. for which  J(x - rate*g) <= J(x) - c1*rate*g.g

Nocedal and Wright, Numerical Optimization (2nd ed., 2006), algorithm 3.1. Each step begins anew with lr. Libraries differ in shrink:
argmin 0.9, Optax 0.8, textbooks 0.5.",
    },
    Solver {
        name: "lbfgs",
        method: Method::Lbfgs,
        needs: Needs::Gradient,
        arguments: &[
            Argument { name: "memory", default: Default::Number("10"), range: Range::Count, says: "how many of the last steps the direction is made of" },
            C1,
            Argument { name: "c2", default: Default::Number("0.9"), range: Range::Fraction, says: "the slope along the step at its end, at most this part of that at its start (strong Wolfe)" },
            GTOL,
        ],
        summary: "Limited-memory BFGS with a line search for the strong Wolfe conditions.",
        text: "\
d = -H g  by the two-loop recursion over the last `memory` pairs s = x' - x, y = g' - g, begun with H = (s.y/y.y) I;
x <- x + rate*d  with  J(x + rate*d) <= J(x) + c1*rate*g.d  and  |g'.d| <= c2*|g.d|

Nocedal, Updating quasi-Newton matrices with limited storage (1980); Nocedal and Wright (2006), algorithms 7.4, 7.5, 3.5 and 3.6. The rate 1
is tried first, in the first step min(1, 1/norm(g)). A pair with s.y <= 2e-16*y.y is left out. Where J falls by less than its rounding the first
condition is replaced by Hager's and Zhang's (2005) for the slope. PyTorch has a memory of 100 and no line search unless asked, SciPy 10.",
    },
    Solver {
        name: "levenberg_marquardt",
        method: Method::LevenbergMarquardt,
        needs: Needs::Residuals,
        arguments: &[
            Argument { name: "mu", default: Default::Number("0.1"), range: Range::Positive, says: "the damping at the start" },
            Argument { name: "xtol", default: Default::Number("1e-11"), range: Range::NotNegative, says: "it stops where an undamped step would change no parameter by more than this part of it" },
        ],
        summary: "Least squares: damped Gauss-Newton steps for a loss that is a sum or a mean of squares.",
        text: "\
x <- x + d + a/2  with d from  min |r + R d|^2 + mu*|D d|^2  and a from  min |r'' + R a|^2 + mu*|D a|^2 :
r the residuals that the loss is found to be the squares of, R their derivatives, r'' their second derivative along d,
D the norms of the columns of R, which fall by no more than half in a step; mu falls where the loss falls as the model says, else it rises

Levenberg (1944), Marquardt (1963); mu after Nielsen, Damping parameter in Marquardt's method (1999): a step is taken when the loss falls by
at least 1e-4 of what the model says; a after Transtrum and Sethna, Improvements to the Levenberg-Marquardt algorithm for nonlinear
least-squares minimization (2012): a step is refused when 2|D a/2| > 0.75 |D d|. Steps are solved by QR, never by the normal equations. Where the
loss cannot tell any more, undamped steps go on as long as the gradient falls. `standard_error(A)` is sqrt(diag(s^2 (R'R)^-1)), s^2 the sum of
squares over the number of residuals less that of parameters. SciPy's `lm` (MINPACK) bounds the step instead of damping it.",
    },
    Solver {
        name: "nelder_mead",
        method: Method::NelderMead,
        needs: Needs::Value,
        arguments: &[
            Argument { name: "coefficients", default: Default::Words(&["standard", "adaptive"]), range: Range::Positive, says: "reflect 1, expand 2, contract 1/2, shrink 1/2; or by the number of parameters (Gao and Han)" },
            Argument { name: "spread", default: Default::Number("0.05"), range: Range::Positive, says: "the corners of the first simplex lie this part of a parameter away (0.00025 where it is 0)" },
            Argument { name: "xtol", default: Default::Number("1e-4"), range: Range::NotNegative, says: "it stops where no corner is farther from the best, and no loss by more than ftol" },
            Argument { name: "ftol", default: Default::Number("1e-4"), range: Range::NotNegative, says: "see xtol" },
        ],
        summary: "The simplex of Nelder and Mead: no derivatives at all.",
        text: "\
One step reflects the worst of n + 1 corners through the centre of the others, then expands, contracts or shrinks; the parameters are the best
corner.

Nelder and Mead (1965), as SciPy has it, to the bit; `adaptive` is Gao and Han (2012), the default of Optim.jl. argmin stops by the deviation of
the losses instead.",
    },
    Solver {
        name: "newton",
        method: Method::Newton,
        needs: Needs::Hessian,
        arguments: &[
            Argument { name: "damping", default: Default::Words(&["none", "armijo"]), range: Range::Positive, says: "full steps, or halved until the loss falls enough" },
            C1,
            GTOL,
        ],
        summary: "Newton's method with the symbolic Hessian.",
        text: "\
x <- x + rate*d  with  H d = -g ; rate 1, or with `damping = armijo` the first of 1, 1/2, 1/4, .. for which  J(x + rate*d) <= J(x) + c1*rate*g.d

Nocedal and Wright (2006), section 3.3. A Hessian that is singular to working precision is a failure. Full steps go to the nearest point with a
zero gradient, be it a minimum or not; with `armijo` a direction that does not descend is a failure.",
    },
    Solver {
        name: "proximal",
        method: Method::Proximal,
        needs: Needs::Split,
        arguments: &[
            Argument { name: "lr", default: Default::None, range: Range::Positive, says: "the rate; with `search = backtracking` the one that is tried first" },
            Argument { name: "acceleration", default: Default::Words(&["none", "fista"]), range: Range::Positive, says: "none, or the momentum of Beck and Teboulle" },
            Argument { name: "search", default: Default::Words(&["none", "backtracking"]), range: Range::Positive, says: "a fixed rate, or one that is halved until the smooth part lies below its model" },
            Argument { name: "xtol", default: Default::Number("0"), range: Range::NotNegative, says: "it stops where a step changes no parameter by more" },
        ],
        summary: "Proximal gradient descent for a smooth loss plus c*sum(abs(w)): ISTA, or FISTA.",
        text: "\
x' = soft_threshold(y - lr*grad(smooth at y), lr*c)    with y = x, or with `acceleration = fista`
y' = x' + (s - 1)/s'*(x' - x),  s' = (1 + sqrt(1 + 4 s^2))/2,  s = 1 at first

Daubechies, Defrise and De Mol (2004); Beck and Teboulle, A fast iterative shrinkage-thresholding algorithm (2009). The terms c*sum(abs(w)),
also of parts of a parameter, are found in the loss; everything else counts as smooth. Losses are taken at x.",
    },
];

/// The solver of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Solver> {
    SOLVERS.iter().find(|solver| solver.name == name)
}

impl Range {
    /// Whether a number is in it.
    #[must_use]
    pub fn has(self, x: f64) -> bool {
        match self {
            Range::NotNegative => x >= 0.0,
            Range::Positive => x > 0.0 && x.is_finite(),
            Range::Fraction => x > 0.0 && x < 1.0,
            Range::Count => x >= 1.0 && x.fract() == 0.0 && x <= 1e6,
        }
    }

    /// In words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Range::NotNegative => "at least 0",
            Range::Positive => "above 0",
            Range::Fraction => "between 0 and 1",
            Range::Count => "1, 2, 3, ..",
        }
    }
}

impl Argument {
    /// As the declaration writes it.
    fn formal(&self) -> String {
        match self.default {
            Default::None => self.name.to_string(),
            Default::Number(text) => format!("{} = {text}", self.name),
            Default::Words(words) => format!("{} = {}", self.name, words[0]),
        }
    }
}

impl Solver {
    /// Name and arguments with their defaults, as in `lbfgs(memory = 10)`.
    #[must_use]
    pub fn head(&self) -> String {
        let formals: Vec<String> = self.arguments.iter().map(Argument::formal).collect();
        format!("{}({})", self.name, formals.join(", "))
    }

    /// The argument of that name.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }

    /// A declaration with the same arguments, for those who look up what an optimizer takes: its lines say which words an argument may be,
    /// and move nothing.
    #[must_use]
    pub fn declaration(&self) -> String {
        let mut lines = String::new();
        for argument in self.arguments {
            if let Default::Words(words) = argument.default {
                for (number, word) in words.iter().enumerate() {
                    let _ = writeln!(lines, "  let {}_{number} = if {} == {word} then 1 else 0", argument.name, argument.name);
                }
            }
        }
        format!("# {}\noptimizer {} {{\n{lines}  param <- param\n}}\n", self.summary, self.head())
    }

    /// What there is to know about it.
    #[must_use]
    pub fn manual(&self) -> String {
        let mut text = format!("# {}\n#\n", self.summary);
        for line in self.text.lines() {
            let _ = writeln!(text, "{}", format!("# {line}").trim_end());
        }
        let _ = writeln!(text, "\nsolver {}", self.head());
        let width = self.arguments.iter().map(|argument| argument.name.len()).max().unwrap_or(0);
        for argument in self.arguments {
            let may = match argument.default {
                Default::Words(words) => words.join(" | "),
                _ => argument.range.text().to_string(),
            };
            let _ = writeln!(text, "  {:<width$}  {}: {}", argument.name, may, argument.says);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_and_complete() {
        assert!(SOLVERS.is_sorted_by_key(|solver| solver.name));
        for solver in SOLVERS {
            assert!(solver.summary.ends_with('.') && !solver.text.is_empty(), "{}", solver.name);
            assert!(crate::library::find(solver.name).is_none(), "`{}` is a rule, too", solver.name);
            for argument in solver.arguments {
                if let Default::Number(text) = argument.default {
                    assert!(argument.range.has(text.parse().unwrap()), "{} of {}", argument.name, solver.name);
                }
            }
        }
    }
}
