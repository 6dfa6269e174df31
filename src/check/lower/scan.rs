//! `scan`: a loop over the elements of arrays, written out element by element.
//!
//! What is written out is ordinary graph: derivatives, rewriting and running know no loops.

use super::{Frame, Lower, Model, R, Reported, Val};
use crate::check::builtins::LARGEST;
use crate::check::decls::{expression, walk};
use crate::check::messages;
use crate::diag::{Diagnostic, did_you_mean};
use crate::expr::graph::{Id, InputKind};
use crate::expr::op::Op;
use crate::shape::{Dim, Shape};
use crate::source::Span;
use crate::syntax::ast::{Expr, Ident, RuleLine, RuleLineKind, Scan};
use std::sync::Arc;

/// The most operations that a scan may be written out to.
const MOST: usize = 1 << 20;

/// Arrays are taken apart and put together so many parts at a time, so that the work grows with the elements and not with their square.
const FEW: usize = 64;

/// A sequence that a scan runs over in the order of the file: batches must not cut it.
#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    /// Its input.
    pub(crate) id: Id,
    /// The dataset with these rows.
    pub(crate) dim: Dim,
    pub(crate) span: Span,
}

impl Lower<'_> {
    /// The yielded values of all elements, along a new first axis.
    pub(super) fn scan(&mut self, scan: &Scan, span: Span) -> R<Id> {
        let Some(value) = &scan.value else {
            let d = Diagnostic::error("E0356", span, "this scan yields nothing").here("no `yield`");
            let help = scan.carries.first().map_or_else(String::new, |(name, _)| format!("end it with `yield {}`", name.name));
            return self.fail(d.help(help));
        };
        let starts = scan.carries.iter().map(|(_, e)| self.node(e)).collect::<Vec<_>>().into_iter().collect::<R<Vec<Id>>>()?;
        let (over, count) = self.elements(&scan.over)?;
        let mut frame = Frame { what: "a scan", ..Frame::default() };
        frame.names.extend(scan.carries.iter().zip(&starts).map(|((name, _), &id)| (name.name.clone(), Val::Node(id))));
        self.frames.push(frame);
        let yielded = self.unroll(scan, value, &starts, &over, count, span);
        self.frames.pop();
        let mut parts: Vec<Id> = yielded?.into_iter().map(|id| self.graph().add(Op::Expand(0), &[id])).collect();
        while parts.len() > 1 {
            parts = parts.chunks(FEW).map(|few| if few.len() == 1 { few[0] } else { self.graph().add(Op::Concat(0), few) }).collect();
        }
        Ok(parts[0])
    }

    /// Each element of an array along its first axis.
    fn taken_apart(&mut self, array: Id, count: usize) -> Vec<Id> {
        let slice = |this: &mut Self, start, len| this.graph().add(Op::Slice { axis: 0, start, step: 1, len }, &[array]);
        if count <= FEW {
            let ones: Vec<Id> = (0..count).map(|i| slice(self, i, 1)).collect();
            return ones.into_iter().map(|one| self.graph().add(Op::Squeeze(0), &[one])).collect();
        }
        // The largest power of `FEW` below the count.
        let piece = std::iter::successors(Some(FEW), |n| n.checked_mul(FEW)).take_while(|&n| n < count).last().unwrap_or(FEW);
        let pieces = (0..count).step_by(piece).map(|start| (start, piece.min(count - start)));
        pieces
            .flat_map(|(start, len)| {
                let part = slice(self, start, len);
                self.taken_apart(part, len)
            })
            .collect()
    }

    /// What the elements run over, and how many there are.
    fn elements(&mut self, over: &[(Ident, Expr)]) -> R<(Vec<Id>, usize)> {
        let mut nodes: Vec<(Id, usize, Span)> = Vec::new();
        for (_, e) in over {
            let node = self.node(e)?;
            match self.model.graph.shape(node).0.first().copied() {
                Some(Dim::Size(n)) => nodes.push((node, n, e.span)),
                Some(dim) if self.within_data.is_some() => nodes.push((node, self.model.rows.of(dim), e.span)),
                Some(dim) => {
                    let Some(id) = self.model.sequence(node, dim, e.span) else {
                        let shape = self.show(node);
                        let d = Diagnostic::error("E0357", e.span, "a scan over rows that are computed from parameters").here(shape);
                        return self.fail(d.help("let it run over the columns, and compute with their elements inside the scan"));
                    };
                    nodes.push((id, self.model.rows.of(dim), e.span));
                }
                None => {
                    let d = Diagnostic::error("E0358", e.span, "a scan runs over the first axis of an array").here("one number");
                    let text = crate::syntax::print::expr(e);
                    return self.fail(d.replace(e.span, format!("range({text})"), "so many times"));
                }
            }
        }
        let (_, count, first) = nodes[0];
        if let Some((_, n, at)) = nodes.iter().find(|(_, n, _)| *n != count) {
            let message = format!("one runs over {count} elements, the other over {n}");
            return self
                .fail(Diagnostic::error("E0359", *at, message).here(format!("{n} elements")).label(first, format!("{count} elements")));
        }
        if count == 0 {
            return self.fail(Diagnostic::error("E0360", first, "a scan over no elements").here("empty"));
        }
        Ok((nodes.into_iter().map(|(id, ..)| id).collect(), count))
    }

    /// The lines of the scan for each element.
    fn unroll(&mut self, scan: &Scan, value: &Expr, starts: &[Id], over: &[Id], count: usize, span: Span) -> R<Vec<Id>> {
        // What is written bounds what is made, until functions are written out: the second element tells.
        let mut written = 0;
        scan.lines.iter().filter_map(expression).chain([value]).for_each(|e| walk(e, &mut |_| written += 1));
        self.bounded(count, written, span)?;
        let mut yielded = Vec::with_capacity(count);
        let elements: Vec<Vec<Id>> = over.iter().map(|&array| self.taken_apart(array, count)).collect();
        let mut before = 0;
        for i in 0..count {
            match i {
                1 => before = self.model.graph.len(),
                2 => self.bounded(count, self.model.graph.len() - before, span)?,
                _ => {}
            }
            for ((name, _), elements) in scan.over.iter().zip(&elements) {
                self.bind(&name.name, Val::Node(elements[i]));
            }
            for line in &scan.lines {
                self.scan_line(scan, line, starts)?;
            }
            let value = self.node(value)?;
            let elements = self.model.rows.count(self.model.graph.shape(value)).unwrap_or(usize::MAX);
            if elements.saturating_mul(count) > LARGEST {
                let mut sizes = self.model.rows.sizes(self.model.graph.shape(value));
                sizes.insert(0, count);
                let d = messages::too_large(span, &sizes);
                return self.fail(d);
            }
            yielded.push(value);
        }
        Ok(yielded)
    }

    /// Refuses a scan of too many operations, `each` for an element.
    fn bounded(&mut self, count: usize, each: usize, span: Span) -> R<()> {
        if each.saturating_mul(count) <= MOST {
            return Ok(());
        }
        let message = format!("this scan has {count} elements of {each} operations");
        let d = Diagnostic::error("E0361", span, message).here(format!("the limit is {MOST} operations"));
        self.fail(d.help("a shorter sequence, or several of them as rows"))
    }

    fn bind(&mut self, name: &str, value: Val) {
        self.frames.last_mut().expect("internal: a scan has a frame").names.insert(name.to_string(), value);
    }

    fn scan_line(&mut self, scan: &Scan, line: &RuleLine, starts: &[Id]) -> R<()> {
        match &line.kind {
            RuleLineKind::Let(name, e) => {
                if let Some((carried, _)) = scan.carries.iter().find(|(carried, _)| carried.name == name.name) {
                    let d = Diagnostic::error("E0362", name.span, format!("`{}` is carried from element to element", name.name))
                        .here("a new definition of it")
                        .label(carried.span, "carried");
                    let at = Span { lo: line.span.lo, hi: e.span.lo, ..line.span };
                    return self.fail(d.replace(at, format!("{} <- ", name.name), "update it"));
                }
                let value = self.value(e)?;
                self.bind(&name.name, value);
                Ok(())
            }
            RuleLineKind::Update(name, e) => {
                let Some(place) = scan.carries.iter().position(|(carried, _)| carried.name == name.name) else {
                    let carried: Vec<&str> = scan.carries.iter().map(|(carried, _)| carried.name.as_str()).collect();
                    let mut d = Diagnostic::error("E0363", name.span, format!("`{}` is not carried by this scan", name.name))
                        .here(format!("carried: {}", carried.join(", ")));
                    if let Some(near) = did_you_mean(&name.name, carried) {
                        d = d.replace(name.span, near, format!("did you mean `{near}`?"));
                    }
                    let at = Span { lo: line.span.lo, hi: e.span.lo, ..line.span };
                    return self.fail(d.replace(at, format!("let {} = ", name.name), "define it for this element"));
                };
                let next = self.node(e)?;
                let (found, wanted) = (self.model.graph.shape(next).clone(), self.model.graph.shape(starts[place]).clone());
                if found != wanted {
                    let (f, w) = (self.show(next), self.model.rows.show(&wanted));
                    let mut d = Diagnostic::error("E0364", e.span, format!("`{}` starts as {w}, and this is {f}", name.name))
                        .here(f)
                        .label(scan.carries[place].1.span, w);
                    if wanted.is_scalar() && !found.0.iter().any(|dim| matches!(dim, Dim::Rows(_))) {
                        let sizes: Vec<String> = self.model.rows.sizes(&found).iter().map(ToString::to_string).collect();
                        d = d.replace(scan.carries[place].1.span, format!("zeros({})", sizes.join(", ")), "start it in that shape");
                    }
                    return self.fail(d);
                }
                self.bind(&name.name, Val::Node(next));
                Ok(())
            }
            RuleLineKind::Draw(name, e) => {
                let d = Diagnostic::error("E0365", e.span, "a scan draws nothing").here("a draw");
                self.fail(d.help(format!("draw it before, as a column or a top-level `let {} ~ ..`", name.name)))
            }
            _ => Err(Reported),
        }
    }
}

impl Model {
    /// Values with rows as an array of fixed size, in the order of the file; nothing when they depend on more than data.
    fn sequence(&mut self, node: Id, dim: Dim, span: Span) -> Option<Id> {
        if !self.data_only(node) {
            return None;
        }
        let values = self.constant(node)?;
        let Dim::Rows(data) = dim else { return None };
        let id = self.graph.input("sequence", InputKind::Column(data), Shape::fixed(values.shape()));
        let input = self.graph.as_input(id)?;
        self.known.insert(input, Arc::new(values));
        self.sequences.push(Sequence { id, dim, span });
        Some(id)
    }
}
