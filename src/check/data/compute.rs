//! The second stage of a dataset: its columns, for the hypers, the fold and the replicate of a cell.
//!
//! Files have been read before. Rows are chosen first (`drop missing`, draws, `keep`, `split`), then all columns are computed with
//! the rows that are left, so that the order of these lines means nothing.

use std::sync::Arc;

use super::rows::none_left;
use super::{ColumnInfo, Content, Context, Part, Table, Training};
use crate::check::decls::{DataDecl, Decls};
use crate::check::draw::{Numbers, Rng};
use crate::check::lower::{Lower, Model, R, Reported, Val};
use crate::check::messages;
use crate::diag::{Diagnostic, Diagnostics};
use crate::expr::graph::Id;
use crate::expr::transplant::mixes_rows;
use crate::numeric::mt19937::RandomState;
use crate::shape::{DataId, Dim};
use crate::source::Span;
use crate::syntax::ast::{DataLine, Expr, ExprKind, Ident};

/// Computes the dataset that is declared at this place.
pub(crate) fn compute(
    place: usize,
    table: &Table,
    (decls, rng): (&Decls, Option<Rng>),
    model: &mut Model,
    context: &Context,
    diags: &mut Diagnostics,
) {
    let decl = &decls.datasets[place];
    if model.data[place].unread {
        return;
    }
    let id = DataId(place as u32);
    let own = Own { id, decl, decls, rng, context, table, drawn: Vec::new(), kept: None };
    let Ok(Made { columns, rows, parts, folds, generator }) = own.compute(model, diags) else {
        // Names of columns that could not be made still stand for something.
        model.data[place].unread = true;
        return;
    };
    model.generator = generator;
    model.rows.0[place] = parts.first().map_or(rows, |(_, rows)| rows.len());
    let info = &mut model.data[place];
    (info.columns, info.folds) = (columns, folds);
    for (number, (name, rows)) in parts.into_iter().enumerate() {
        let id = if number == 0 { id } else { DataId(model.rows.0.len() as u32) };
        if number > 0 {
            model.rows.0.push(rows.len());
        }
        info.parts.push(Part { name, id, rows: Arc::new(rows) });
    }
}

/// Parts by name with their rows, the training rows first.
pub(super) type Parts = Vec<(String, Vec<u32>)>;

/// A dataset that has been computed.
struct Made {
    columns: Vec<ColumnInfo>,
    rows: usize,
    parts: Parts,
    folds: Option<usize>,
    /// As the draws left it.
    generator: Option<RandomState>,
}

/// How many rows there are, and what says so.
pub(super) type Rows = Option<(usize, Span)>;

/// Leaves these rows.
pub(super) fn select(columns: &mut [ColumnInfo], rows: &[u32]) {
    for column in columns {
        column.content = column.content.select(rows);
    }
}

/// A dataset under way.
pub(super) struct Own<'o> {
    pub(super) id: DataId,
    pub(super) decl: &'o DataDecl,
    pub(super) decls: &'o Decls,
    pub(super) rng: Option<Rng>,
    pub(super) context: &'o Context,
    pub(super) table: &'o Table,
    /// Columns that have been drawn.
    drawn: Vec<ColumnInfo>,
    /// Which rows `keep` left, of how many.
    kept: Option<(Vec<u32>, usize)>,
}

/// Columns being computed, one after the other, in a model of their own: what is made on the way is not kept.
pub(super) struct Pass<'p, 'o> {
    pub(super) own: &'p Own<'o>,
    pub(super) model: Model,
    pub(super) rows: Rows,
    pub(super) diags: &'p mut Diagnostics,
}

impl<'o> Own<'o> {
    fn compute(mut self, model: &Model, diags: &mut Diagnostics) -> R<Made> {
        let (first, fixed) = self.sources(model, diags)?;
        let mut rows = fixed;
        let mut split = None;
        let mut chooses = false;
        for line in &self.decl.lines {
            match line {
                DataLine::Keep(_) | DataLine::Draw { .. } => chooses = true,
                DataLine::Split { span, parts } => {
                    if let Some((first, _)) = split {
                        diags.push(Diagnostic::error("E0526", *span, "a dataset is split once").here("second").label(first, "first"));
                    }
                    chooses = true;
                    split = Some((*span, parts));
                }
                _ => {}
            }
        }
        let mut parts = Vec::new();
        let mut folds = None;
        let mut generator = model.generator.clone();
        if chooses {
            let mut pass = self.pass(model, first.clone(), fixed, diags);
            let (drawn, kept) = pass.first()?;
            let before = pass.rows;
            rows = before;
            let Some((n, span)) = before else { return self.no_rows(diags) };
            let left = kept.as_ref().map_or(n, Vec::len);
            if left == 0 {
                let span = self.decl.lines.iter().find_map(|l| if let DataLine::Keep(e) = l { Some(e.span) } else { None });
                diags.push(none_left(span.unwrap_or(self.decl.span), format!("holds in none of {n} rows")));
                return Err(Reported);
            }
            if let Some((span, list)) = split {
                (parts, folds) = pass.split(span, list, left, kept.as_deref())?;
            }
            generator = pass.model.generator.take();
            self.drawn = drawn;
            if let Some(kept) = kept {
                select(&mut self.drawn, &kept);
                rows = Some((kept.len(), span));
                self.kept = Some((kept, n));
            }
        }
        let mut columns = first;
        if let Some((kept, _)) = &self.kept {
            select(&mut columns, kept);
        }
        let mut pass = self.pass(model, columns, rows, diags);
        if let Some((_, rows)) = parts.first() {
            let id = DataId(pass.model.rows.0.len() as u32);
            pass.model.rows.0.push(rows.len());
            pass.model.training = Some(Training { data: self.id, id, rows: Arc::new(rows.clone()) });
        }
        for line in &self.decl.lines {
            match line {
                DataLine::Column { name, value } => pass.column(name, value),
                DataLine::Draw { name, .. } => {
                    let column = self.drawn.iter().find(|c| c.name == name.name).map_or(Content::Broken, |c| c.content.clone());
                    pass.add(name, column);
                }
                _ => {}
            }
        }
        let (rows, mut columns) = (pass.rows, std::mem::take(&mut pass.model.data[self.id.0 as usize].columns));
        let Some((rows, _)) = rows else { return self.no_rows(diags) };
        for column in &mut columns {
            column.input = None;
        }
        Ok(Made { columns, rows, parts, folds, generator })
    }

    fn no_rows<T>(&self, diags: &mut Diagnostics) -> R<T> {
        if !diags.has_errors() {
            let name = &self.decl.name;
            diags.push(Diagnostic::error("E0511", name.span, format!("dataset `{}` has no rows", name.name)).here("no column, no file"));
        }
        Err(Reported)
    }

    fn pass<'p>(&'p self, model: &Model, columns: Vec<ColumnInfo>, rows: Rows, diags: &'p mut Diagnostics) -> Pass<'p, 'o> {
        let mut model = model.clone();
        model.data[self.id.0 as usize].columns = columns;
        model.rows.0[self.id.0 as usize] = rows.map_or(0, |(n, _)| n);
        Pass { own: self, model, rows, diags }
    }

    /// The replicate for which it draws. Data are the same in all of them unless each draws them anew.
    fn replicate(&self) -> u64 {
        if self.context.redraw.contains(&self.decl.name.name) { self.context.replicate } else { 0 }
    }
}

impl Pass<'_, '_> {
    pub(super) fn fail<T>(&mut self, diagnostic: Diagnostic) -> R<T> {
        self.diags.push(diagnostic);
        Err(Reported)
    }

    pub(super) fn lower(&mut self) -> Lower<'_> {
        let mut lower = Lower::new(&mut self.model, self.own.decls, self.diags);
        lower.within_data = Some(self.own.id);
        lower
    }

    pub(super) fn column(&mut self, name: &Ident, value: &Expr) {
        let content = self.computed(name, value).unwrap_or(Content::Broken);
        self.add(name, content);
    }

    pub(super) fn add(&mut self, name: &Ident, content: Content) {
        let info = ColumnInfo { name: name.name.clone(), span: name.span, content, input: None };
        let source = self.own.table.source;
        let columns = &mut self.model.data[self.own.id.0 as usize].columns;
        match columns.iter_mut().find(|c| c.name == name.name) {
            // It replaces the file's column; on the right the name meant the file's.
            Some(old) if source == Some(old.span) => *old = info,
            Some(old) => {
                let first = old.span;
                self.diags.push(messages::declared_twice(name.span, format!("column `{}` is declared twice", name.name), first));
            }
            None => columns.push(info),
        }
    }

    fn computed(&mut self, name: &Ident, value: &Expr) -> R<Content> {
        if let ExprKind::List(items) = &value.kind
            && let Some(texts) =
                items.iter().map(|i| if let ExprKind::Text(t) = &i.kind { Some(t.clone()) } else { None }).collect::<Option<Vec<String>>>()
            && !texts.is_empty()
        {
            let count = texts.len();
            let content = Content::Texts { values: Arc::new(texts), missing: Vec::new(), mostly: None };
            return self.written(name, count, value.span, content);
        }
        let mut lower = self.lower();
        let node = match lower.value(value)? {
            Val::Column(data, column) => return Ok(lower.model.data[data.0 as usize].columns[column].content.clone()),
            other => lower.as_node(other, value)?,
        };
        self.unmixed(node, value)?;
        let shape = self.model.graph.shape(node).clone();
        let Some(array) = self.model.constant(node) else {
            return self.fail(
                Diagnostic::error("E0514", value.span, format!("column `{}` must be known before any run", name.name))
                    .here("depends on a parameter or on the run"),
            );
        };
        let by_row = shape.0.first() == Some(&Dim::Rows(self.own.id));
        let content = Content::Numbers { values: Arc::new(array), by_row };
        // Of an inline list the first axis is the rows.
        match shape.0.first().copied() {
            Some(Dim::Size(n)) if self.source_rows().is_none_or(|have| have == n || shape.rank() == 1) => {
                self.written(name, n, value.span, content)
            }
            _ => Ok(content),
        }
    }

    /// How many rows what is written in the spec has: before `keep`.
    fn source_rows(&self) -> Option<usize> {
        self.own.kept.as_ref().map(|(_, n)| *n).or(self.rows.map(|(n, _)| n))
    }

    /// A column that is written in the spec, with so many rows.
    fn written(&mut self, name: &Ident, n: usize, span: Span, content: Content) -> R<Content> {
        if let (Some(have), Some((_, first))) = (self.source_rows(), self.rows)
            && have != n
        {
            return self.fail(
                Diagnostic::error("E0504", span, format!("`{}` has {n} values, the dataset has {have} rows", name.name))
                    .here(format!("{n} values"))
                    .label(first, format!("{have} rows")),
            );
        }
        if self.rows.is_none() {
            self.rows = Some((n, span));
            self.model.rows.0[self.own.id.0 as usize] = n;
        }
        let content = match content {
            Content::Numbers { values, .. } => Content::Numbers { values, by_row: true },
            other => other,
        };
        Ok(match &self.own.kept {
            Some((kept, _)) => content.select(kept),
            None => content,
        })
    }

    /// Where rows judge, no column may carry anything from them to the rows that train.
    fn unmixed(&mut self, node: Id, value: &Expr) -> R<()> {
        let Some(training) = &self.model.training else { return Ok(()) };
        let mixes = self.model.graph.reachable(&[node]).into_iter().find(|&id| mixes_rows(&self.model.graph, id, training.data));
        let Some(mixes) = mixes else { return Ok(()) };
        let span = self.model.graph.span(mixes).unwrap_or(value.span);
        let d = Diagnostic::error("E0530", span, "this mixes the rows that train with those that judge").here("runs along the rows");
        self.fail(d.help("beside a `split`, columns are computed row by row, and from reductions such as `mean(x)`"))
    }

    /// The random numbers of a purpose.
    pub(super) fn numbers(&mut self, purpose: &str, name: &str) -> Numbers<'_> {
        Numbers::of(self.own.rng, &mut self.model.generator, purpose, name, self.own.replicate())
    }

    /// A number that is written in a line.
    pub(super) fn number(&mut self, e: &Expr, what: &str) -> R<f64> {
        self.lower().constant(e, what)
    }
}
