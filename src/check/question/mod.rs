//! Expressions about runs: `final(J)`, `gap(J)`, `mean(J over replicate)`, axes, and quantities of the model.
//!
//! It makes questions and tells the sweeps what they must evaluate; it evaluates nothing.

mod condition;
mod fold;
mod hook;
mod quantity;
mod sweeps;

use crate::check::decls::Decls;
use crate::check::lower::{Lower, Model, R, Reported};
use crate::check::program::SweepSpec;
use crate::diag::{Diagnostic, Diagnostics};
use crate::results::view::{Cond, FoldKind, Leaf, Question};
use crate::syntax::ast::Expr;
use crate::syntax::print;
use hook::RunHook;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

/// What all outputs share while they are checked.
pub(crate) struct Asking {
    pub(crate) model: Model,
    pub(crate) sweeps: Vec<SweepSpec>,
    /// Hypers and their values.
    pub(crate) hypers: BTreeMap<String, f64>,
    /// The quantities that are whole numbers: counts, and what is made of them.
    pub(crate) whole: BTreeSet<String>,
    /// The starts of the parameters, in the first replicate.
    pub(crate) starts: BTreeMap<String, ndarray::ArrayD<f64>>,
}

/// Where a question is asked.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The sweeps it is about.
    pub(crate) sweeps: Vec<String>,
    /// Whether it has a value at each traced row.
    pub(crate) rows: bool,
    /// What the output says of the cells that it shows (`for ..`).
    pub(crate) only: Vec<Cond>,
}

/// Makes questions.
pub(crate) struct Asker<'q> {
    pub(crate) shared: Rc<RefCell<Asking>>,
    pub(crate) decls: &'q Decls,
    pub(crate) diags: &'q mut Diagnostics,
}

impl Asker<'_> {
    fn fail<T>(&mut self, diagnostic: Diagnostic) -> R<T> {
        self.diags.push(diagnostic);
        Err(Reported)
    }

    /// A question out of an expression.
    pub(crate) fn question(&mut self, e: &Expr, place: &Place) -> R<Question> {
        question(&self.shared, self.decls, self.diags, e, place)
    }
}

/// A question out of an expression, lowered into a graph of its own.
fn question(shared: &Rc<RefCell<Asking>>, decls: &Decls, diags: &mut Diagnostics, e: &Expr, place: &Place) -> R<Question> {
    let mut own = Model { rows: shared.borrow().model.rows.clone(), ..Model::default() };
    let hook = Rc::new(RunHook { shared: shared.clone(), place: place.clone(), leaves: RefCell::new(Vec::new()) });
    let root = {
        let mut lower = Lower::new(&mut own, decls, diags);
        lower.hook = Some(hook.clone());
        lower.node(e)?
    };
    let sizes = own.rows.sizes(own.graph.shape(root));
    let leaves = hook.leaves.take();
    let bare = matches!(&leaves[..], [Leaf::Fold { fold: FoldKind::Final, quantity, narrow: None } | Leaf::Row { quantity }] if *quantity == print::expr(e));
    Ok(Question { text: print::expr(e), span: e.span, graph: Arc::new(own.graph), root, leaves, sizes, bare })
}
