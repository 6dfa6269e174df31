//! Which rows of its source a dataset has: those that `drop missing` and `keep` leave, with what is drawn for them.
//!
//! How they fall into parts is in `split`.

use std::sync::Arc;

use super::compute::{Own, Pass, Rows, select};
use super::{ColumnInfo, Content, text};
use crate::check::builtins::LARGEST;
use crate::check::decls::{line_exprs, walk};
use crate::check::draw;
use crate::check::lower::{Lower, Model, R, Reported, Val};
use crate::check::messages;
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::shape::{Dim, Shape};
use crate::source::Span;
use crate::syntax::ast::{DataLine, Expr, ExprKind, Ident};

/// A dataset of which nothing remains.
pub(super) fn none_left(span: Span, why: String) -> Diagnostic {
    Diagnostic::error("E0529", span, "no row is left").here(why)
}

impl<'o> Own<'o> {
    /// The columns of the file without the rows that `drop missing` leaves out, and how many rows there are, if that is said.
    pub(super) fn sources(&self, model: &Model, diags: &mut Diagnostics) -> R<(Vec<ColumnInfo>, Rows)> {
        let mut columns = self.table.columns.clone();
        let mut rows = self.table.rows.zip(self.table.source);
        for line in &self.decl.lines {
            match line {
                DataLine::Rows(e) => {
                    let n = Lower::new(&mut model.clone(), self.decls, diags).whole(e, "a number of rows", 1.0)?;
                    if n > LARGEST {
                        diags.push(messages::too_large(e.span, &[n]));
                        return Err(Reported);
                    }
                    rows = Some((n, e.span));
                }
                DataLine::TextFile { path, options } => {
                    if let Some(text) = &self.table.text {
                        let mut model = model.clone();
                        let (made, n) = text::columns(&mut Lower::new(&mut model, self.decls, diags), text, path, options)?;
                        columns.extend(made);
                        rows = Some((n, path.span));
                    }
                }
                DataLine::DropMissing(span) => {
                    let Some((n, source)) = rows.filter(|_| self.table.file.is_some()) else {
                        let d = Diagnostic::error("E0527", *span, "`drop missing` leaves out rows of a file").here("no `csv` here");
                        diags.push(d);
                        return Err(Reported);
                    };
                    let gone = |row: u32| columns.iter().any(|c| c.content.missing().binary_search(&row).is_ok());
                    let kept: Vec<u32> = (0..n as u32).filter(|&row| !gone(row)).collect();
                    if kept.is_empty() {
                        let d = none_left(*span, format!("each of {n} rows misses an entry"));
                        diags.push(d.label(source, "in this file").help("`fill(c, v)` gives the missing entries of a column a value"));
                        return Err(Reported);
                    }
                    if kept.len() < n {
                        select(&mut columns, &kept);
                        rows = Some((kept.len(), source));
                    }
                }
                _ => {}
            }
        }
        Ok((columns, rows))
    }

    /// Which columns the choice of rows and the draws need, through the columns that those are made of.
    fn needed(&self) -> Vec<&'o str> {
        let decl = self.decl;
        let names = |e: &'o Expr| {
            let mut found = Vec::new();
            walk(e, &mut |e| {
                if let ExprKind::Name(name) = &e.kind {
                    found.push(name.as_str());
                }
                if let ExprKind::Field { base, field } = &e.kind
                    && matches!(&base.kind, ExprKind::Name(name) if *name == decl.name.name)
                {
                    found.push(field.name.as_str());
                }
            });
            found
        };
        let chooses = |line: &&DataLine| matches!(line, DataLine::Keep(_) | DataLine::Draw { .. } | DataLine::Split { .. });
        let mut needed: Vec<&str> = decl.lines.iter().filter(chooses).flat_map(line_exprs).flat_map(names).collect();
        let mut at = 0;
        while at < needed.len() {
            for line in &decl.lines {
                if let DataLine::Column { name, value } = line
                    && name.name == needed[at]
                {
                    let more: Vec<&str> = names(value).into_iter().filter(|n| !needed.contains(n)).collect();
                    needed.extend(more);
                }
            }
            at += 1;
        }
        needed
    }

    /// Whether a column is made of numbers that stand in the spec.
    fn is_written(&self, value: &Expr) -> bool {
        let own = |name: &str| {
            let declared = self.decl.lines.iter().any(|line| match line {
                DataLine::Column { name: n, .. } | DataLine::Draw { name: n, .. } => n.name == name,
                _ => false,
            });
            declared || self.table.columns.iter().any(|c| c.name == name)
        };
        let mut written = true;
        walk(value, &mut |e| {
            if let ExprKind::Name(name) = &e.kind {
                written &= !own(name);
            }
        });
        written
    }
}

impl Pass<'_, '_> {
    /// What is drawn, and which rows `keep` leaves, from columns over all rows.
    pub(super) fn first(&mut self) -> R<(Vec<ColumnInfo>, Option<Vec<u32>>)> {
        let before = self.diags.list.len();
        let own = self.own;
        let needed = own.needed();
        let mut kept: Option<Vec<bool>> = None;
        let mut drawn: Vec<ColumnInfo> = Vec::new();
        for line in &own.decl.lines {
            match line {
                DataLine::Column { name, value }
                    if needed.contains(&name.name.as_str()) || self.rows.is_none() && own.is_written(value) =>
                {
                    self.column(name, value);
                }
                DataLine::Draw { name, shape, draw } => {
                    let content = self.draw(name, shape.as_deref(), draw).unwrap_or(Content::Broken);
                    self.add(name, content.clone());
                    drawn.push(ColumnInfo { name: name.name.clone(), span: name.span, content, input: None });
                }
                _ => {}
            }
        }
        for line in &own.decl.lines {
            let DataLine::Keep(e) = line else { continue };
            let Ok(holds) = self.condition(e) else { continue };
            match &mut kept {
                Some(kept) => kept.iter_mut().zip(holds).for_each(|(kept, holds)| *kept &= holds),
                None => kept = Some(holds),
            }
        }
        if self.diags.list[before..].iter().any(|d| d.severity == Severity::Error) {
            return Err(Reported);
        }
        let rows = kept.map(|kept| (0..kept.len() as u32).filter(|&row| kept[row as usize]).collect());
        Ok((drawn, rows))
    }

    /// In which rows a condition holds.
    fn condition(&mut self, e: &Expr) -> R<Vec<bool>> {
        let id = self.own.id;
        let mut lower = self.lower();
        let node = lower.node(e)?;
        let shape = lower.model.graph.shape(node).clone();
        match lower.model.constant(node) {
            Some(values) if shape.0 == [Dim::Rows(id)] => Ok(values.iter().map(|&x| x != 0.0).collect()),
            Some(_) => {
                let text = lower.show(node);
                lower.fail(Diagnostic::error("E0528", e.span, "`keep` takes a condition on the rows, such as `x > 0`").here(text))
            }
            None => lower.fail(messages::not_known_before(e.span, "which rows are kept")),
        }
    }

    fn draw(&mut self, name: &Ident, shape: Option<&[Expr]>, e: &Expr) -> R<Content> {
        let (own, Some((n, _))) = (self.own, self.rows) else {
            let d = Diagnostic::error("E0538", name.span, format!("how many rows does `{}` have?", name.name)).here("drawn for each row");
            let at = self.own.decl.lines.first().map_or(name.span, |_| name.span);
            return self.fail(d.replace(Span { hi: at.lo, ..at }, "rows 100; ", "say it"));
        };
        let mut lower = self.lower();
        let mut dims = vec![Dim::Rows(own.id)];
        for e in shape.into_iter().flatten() {
            dims.push(Dim::Size(lower.whole(e, "a size", 1.0)?));
        }
        let shape = Shape(dims);
        if lower.model.rows.count(&shape).is_none_or(|count| count > LARGEST) {
            let sizes = lower.model.rows.sizes(&shape);
            return lower.fail(messages::too_large(name.span, &sizes));
        }
        let drawing = draw::distribution(&mut lower, e, &shape)?;
        let args: Option<Vec<_>> = drawing.args.iter().map(|&id| lower.model.constant(id)).collect();
        let Some(args) = args else {
            return lower.fail(messages::not_known_before(e.span, "the distribution of a column"));
        };
        let sizes = lower.model.rows.sizes(&shape);
        debug_assert_eq!(sizes[0], n, "internal: as many rows as the dataset");
        let mut numbers = self.numbers("column", &format!("{}.{}", own.decl.name.name, name.name));
        match draw::drawn(drawing.draw, &args, &sizes, &mut numbers) {
            Some(values) => Ok(Content::Numbers { values: Arc::new(values), by_row: true }),
            None => self.fail(draw::no_draw(name.span, draw::no_meaning(&name.name))),
        }
    }

    /// The values of a column, as numbers that tell its labels apart.
    pub(super) fn labels(&mut self, e: &Expr, kept: Option<&[u32]>) -> R<Vec<u64>> {
        let id = self.own.id;
        let mut lower = self.lower();
        let content = match lower.value(e)? {
            Val::Column(data, column) if data == id => lower.model.data[data.0 as usize].columns[column].content.clone(),
            other => {
                let node = lower.as_node(other, e)?;
                match lower.model.constant(node) {
                    Some(values) if lower.model.graph.shape(node).0 == [Dim::Rows(id)] => {
                        Content::Numbers { values: Arc::new(values), by_row: true }
                    }
                    _ => {
                        let text = lower.show(node);
                        return lower.fail(Diagnostic::error("E0535", e.span, "`stratify` takes a column of labels").here(text));
                    }
                }
            }
        };
        let content = kept.map_or(content.clone(), |kept| content.select(kept));
        Ok(match content {
            Content::Numbers { values, .. } => values.iter().map(|x| (x + 0.0).to_bits()).collect(),
            Content::Texts { values, .. } => {
                let mut labels: Vec<&String> = values.iter().collect();
                labels.sort();
                labels.dedup();
                values.iter().map(|text| labels.binary_search(&text).unwrap_or(0) as u64).collect()
            }
            Content::Missing { .. } => return self.lower().node(e).map(|_| Vec::new()),
            Content::Broken => return Err(Reported),
        })
    }
}
