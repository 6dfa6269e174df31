//! Operators: arithmetic, products, comparisons, branches, lists; shapes must go together.
//!
//! The wording of what does not go together is in `messages`.

use super::{Lower, R, Reported, Val};
use crate::check::data::Content;
use crate::check::decls::ValueKind;
use crate::check::messages;
use crate::diag::Diagnostic;
use crate::expr::graph::Id;
use crate::expr::op::{Binary, Op};
use crate::shape::Dim;
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, CompareOp, Expr, ExprKind, UnaryOp};
use std::sync::Arc;

impl Lower<'_> {
    pub(super) fn chain(&mut self, first: &Expr, rest: &[(BinaryOp, Span, Expr)]) -> R<Id> {
        let mut left = self.node(first);
        let mut span = first.span;
        for (op, op_span, right) in rest {
            let b = self.node(right);
            left = match (left, b) {
                (Ok(a), Ok(b)) => self.chained(*op, (a, span), (b, right.span), *op_span),
                _ => Err(Reported),
            };
            span = span.to(right.span);
            if let Ok(id) = left {
                self.graph().set_span(id, span);
            }
        }
        left
    }

    fn chained(&mut self, op: BinaryOp, a: (Id, Span), b: (Id, Span), op_span: Span) -> R<Id> {
        let (op, text) = match op {
            BinaryOp::Add => (Binary::Add, "+"),
            BinaryOp::Sub => (Binary::Sub, "-"),
            BinaryOp::Mul => (Binary::Mul, "*"),
            BinaryOp::Div => (Binary::Div, "/"),
            BinaryOp::And => (Binary::And, "and"),
            BinaryOp::Or => (Binary::Or, "or"),
            BinaryOp::MatMul => return self.matmul(a, b, op_span),
        };
        self.binary(op, a, b, op_span, text)
    }

    /// An elementwise operation; shapes that do not fit are reported with both.
    pub(crate) fn binary(&mut self, op: Binary, a: (Id, Span), b: (Id, Span), op_span: Span, text: &str) -> R<Id> {
        if let Ok(id) = self.model.graph.try_add(Op::Binary(op), &[a.0, b.0]) {
            Ok(id)
        } else {
            let diagnostic = messages::shapes_differ(self.model, text, a, b, op_span);
            self.fail(diagnostic)
        }
    }

    /// `a @ b`.
    pub(crate) fn matmul(&mut self, a: (Id, Span), b: (Id, Span), op_span: Span) -> R<Id> {
        let (left, right) = (a.0, b.0);
        // A row vector times a matrix is the transposed matrix times the vector.
        let attempt = if self.model.graph.shape(left).rank() == 1 && self.model.graph.shape(right).rank() == 2 {
            let transposed = self.graph().add(Op::Transpose, &[right]);
            self.model.graph.try_add(Op::MatMul, &[transposed, left])
        } else {
            self.model.graph.try_add(Op::MatMul, &[left, right])
        };
        if let Ok(id) = attempt {
            Ok(id)
        } else {
            let diagnostic = messages::product_differs(self.model, a, b, op_span);
            let diagnostic = self.resized(diagnostic, a.0, b);
            self.fail(diagnostic)
        }
    }

    /// Where the weights of a product are a parameter of written size: the size that fits.
    fn resized(&self, diagnostic: Diagnostic, left: Id, weights: (Id, Span)) -> Diagnostic {
        let wanted = match self.model.graph.shape(left).0.last() {
            Some(&Dim::Size(n)) if diagnostic.code == messages::INNER_SIZES && diagnostic.help.is_empty() => n,
            _ => return diagnostic,
        };
        let Some(value) = messages::written(self.model, weights).and_then(|name| self.decls.value(&self.module, &name)) else {
            return diagnostic;
        };
        match &value.kind {
            ValueKind::Param { shape: Some(sizes), .. } if matches!(sizes[..], [Expr { kind: ExprKind::Number(_), .. }, ..]) => {
                let text = format!("`{}` needs {wanted}, one for each column", value.name.name);
                diagnostic.label(sizes[0].span, "declared here").replace(sizes[0].span, wanted.to_string(), text)
            }
            _ => diagnostic,
        }
    }

    pub(super) fn compare(&mut self, op: CompareOp, op_span: Span, left: &Expr, right: &Expr) -> R<Val> {
        if let Some(known) = self.compare_words(op, left, right)? {
            return Ok(Val::Node(self.graph().number(f64::from(u8::from(known)))));
        }
        if let Some(id) = self.compare_texts(op, op_span, left, right)? {
            return Ok(Val::Node(id));
        }
        let (a, b) = (self.node(left), self.node(right));
        let (a, b) = ((a?, left.span), (b?, right.span));
        let (op, a, b, text) = match op {
            CompareOp::Lt => (Binary::Lt, a, b, "<"),
            CompareOp::Le => (Binary::Le, a, b, "<="),
            CompareOp::Gt => (Binary::Lt, b, a, ">"),
            CompareOp::Ge => (Binary::Le, b, a, ">="),
            CompareOp::Eq => (Binary::Eq, a, b, "=="),
            CompareOp::Ne => (Binary::Ne, a, b, "!="),
        };
        self.binary(op, a, b, op_span, text).map(Val::Node)
    }

    /// A convention against a word (`root == inside`): decided here.
    fn compare_words(&mut self, op: CompareOp, left: &Expr, right: &Expr) -> R<Option<bool>> {
        let bare = |e: &Expr| if let ExprKind::Name(name) = &e.kind { Some(name.clone()) } else { None };
        let (Some(l), Some(r)) = (bare(left), bare(right)) else { return Ok(None) };
        let word = |this: &Self, name: &str| match this.local(name) {
            Some(Val::Word(word)) => Some(word),
            _ => None,
        };
        let (value, other, at) = match (word(self, &l), word(self, &r)) {
            (Some(value), _) => (value, r, right),
            (None, Some(value)) => (value, l, left),
            (None, None) => return Ok(None),
        };
        match op {
            CompareOp::Eq => Ok(Some(value == other)),
            CompareOp::Ne => Ok(Some(value != other)),
            _ => self.fail(Diagnostic::error("E0318", at.span, "a word is compared with `==` or `!=`").here("a word has no size")),
        }
    }

    /// A text column against a text.
    fn compare_texts(&mut self, op: CompareOp, op_span: Span, left: &Expr, right: &Expr) -> R<Option<Id>> {
        let text = |e: &Expr| if let ExprKind::Text(text) = &e.kind { Some(text.clone()) } else { None };
        let (column, wanted) = match (text(left), text(right)) {
            (None, Some(wanted)) => (left, wanted),
            (Some(wanted), None) => (right, wanted),
            _ => return Ok(None),
        };
        let Val::Column(data, index) = self.value(column)? else { return Ok(None) };
        let info = &self.model.data[data.0 as usize].columns[index];
        let Content::Texts { values, missing, .. } = &info.content else { return Ok(None) };
        if let Some(row) = missing.first() {
            let diagnostic = messages::labels_missing(&info.name, column.span, missing.len(), *row);
            return self.fail(diagnostic);
        }
        let equal = match op {
            CompareOp::Eq => true,
            CompareOp::Ne => false,
            _ => return self.fail(Diagnostic::error("E0318", op_span, "texts are compared with `==` or `!=`").here("a text has no size")),
        };
        let flags: Vec<f64> = values.iter().map(|v| f64::from(u8::from((*v == wanted) == equal))).collect();
        let name = format!("({} {} \"{wanted}\")", info.name, if equal { "==" } else { "!=" });
        Ok(Some(self.model.by_row(name, data, Arc::new(ndarray::arr1(&flags).into_dyn()))))
    }

    pub(super) fn branches(&mut self, branches: &[(Expr, Expr)], otherwise: &Expr) -> R<Val> {
        // A condition that is known chooses its branch here, so that conventions leave no trace in the graph.
        let mut open: Vec<(Id, Id, Span)> = Vec::new();
        let mut last = None;
        for (cond, then) in branches {
            let c = self.scalar(cond, "the condition of an `if`")?;
            match self.model.graph.as_const(c) {
                Some(0.0) => {}
                Some(_) => {
                    last = Some(self.value(then)?);
                    break;
                }
                None => {
                    let value = self.node(then)?;
                    open.push((c, value, then.span));
                }
            }
        }
        let last = match last {
            Some(value) => value,
            None => self.value(otherwise)?,
        };
        if open.is_empty() {
            return Ok(last);
        }
        let mut value = self.as_node(last, otherwise)?;
        for (c, then, span) in open.into_iter().rev() {
            value = if let Ok(id) = self.model.graph.try_add(Op::Select, &[c, then, value]) {
                id
            } else {
                let diagnostic = messages::shapes_differ(self.model, "if", (then, span), (value, otherwise.span), otherwise.span);
                return self.fail(diagnostic);
            };
        }
        Ok(Val::Node(value))
    }

    /// `[a, b]`: a vector of numbers, or a matrix of vectors.
    pub(super) fn list(&mut self, items: &[Expr], span: Span) -> R<Id> {
        if items.is_empty() {
            return self.fail(Diagnostic::error("E0319", span, "an empty list").here("nothing in it"));
        }
        let numbers: Vec<f64> = items.iter().map_while(literal_number).collect();
        if numbers.len() == items.len() {
            return Ok(self.graph().literal(&[numbers.len()], &numbers));
        }
        let lowered: Vec<R<Id>> = items.iter().map(|item| self.node(item)).collect();
        let nodes = lowered.into_iter().collect::<R<Vec<Id>>>()?;
        let first = self.model.graph.shape(nodes[0]).clone();
        for (item, &id) in items.iter().zip(&nodes) {
            if *self.model.graph.shape(id) != first {
                let (a, b) = (self.model.rows.show(&first), self.show(id));
                return self.fail(
                    Diagnostic::error("E0320", item.span, "the entries of a list have different shapes").here(b).label(items[0].span, a),
                );
            }
        }
        let values: Option<Vec<f64>> = nodes.iter().map(|&id| self.model.graph.as_const(id)).collect();
        if let Some(values) = values {
            return Ok(self.graph().literal(&[values.len()], &values));
        }
        let parts: Vec<Id> = nodes.iter().map(|&id| self.graph().add(Op::Expand(0), &[id])).collect();
        let stacked = self.graph().add(Op::Concat(0), &parts);
        match self.model.constant(stacked) {
            // A nested list of numbers is one array.
            Some(value) if self.model.graph.reachable(&[stacked]).iter().all(|&id| self.model.graph.as_input(id).is_none()) => {
                let sizes = value.shape().to_vec();
                let flat: Vec<f64> = value.iter().copied().collect();
                Ok(self.graph().literal(&sizes, &flat))
            }
            _ => Ok(stacked),
        }
    }
}

fn literal_number(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Number(x) => Some(*x),
        ExprKind::Unary { op: UnaryOp::Neg, arg, .. } => literal_number(arg).map(|x| -x),
        ExprKind::Paren(inner) => literal_number(inner),
        _ => None,
    }
}
