//! The second stage of a dataset: its columns, for the hypers, the fold and the replicate of a cell.
//!
//! Files have been read before. Rows are chosen first (`drop missing`, draws, `keep`, `split`), then all columns are computed with
//! the rows that are left, so that the order of these lines means nothing.

use std::sync::Arc;

use super::{ColumnInfo, Content, Context, Part, Table, Training};
use crate::check::decls::{DataDecl, Decls, line_exprs, walk};
use crate::check::draw;
use crate::check::lower::{Lower, Model, R, Reported, Val};
use crate::check::messages;
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::expr::graph::Id;
use crate::expr::transplant::mixes_rows;
use crate::numeric::random::Stream;
use crate::shape::{DataId, Dim, Shape};
use crate::source::Span;
use crate::syntax::ast::{DataLine, Expr, ExprKind, Ident};

/// Computes the dataset that is declared at this place.
pub(crate) fn compute(
    place: usize,
    table: &Table,
    (decls, seed): (&Decls, Option<u64>),
    model: &mut Model,
    context: &Context,
    diags: &mut Diagnostics,
) {
    let decl = &decls.datasets[place];
    if model.data[place].unread {
        return;
    }
    let id = DataId(place as u32);
    let own = Own { id, decl, decls, seed, context, table, drawn: Vec::new(), kept: None };
    let Ok((columns, rows, parts, folds)) = own.compute(model, diags) else {
        // Names of columns that could not be made still stand for something.
        model.data[place].unread = true;
        return;
    };
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

/// A dataset under way.
pub(super) struct Own<'o> {
    pub(super) id: DataId,
    pub(super) decl: &'o DataDecl,
    pub(super) decls: &'o Decls,
    pub(super) seed: Option<u64>,
    pub(super) context: &'o Context,
    table: &'o Table,
    /// Columns that have been drawn.
    drawn: Vec<ColumnInfo>,
    /// Which rows `keep` left, of how many.
    kept: Option<(Vec<u32>, usize)>,
}

/// Columns being computed, one after the other, in a model of their own: what is made on the way is not kept.
pub(super) struct Pass<'p, 'o> {
    own: &'p Own<'o>,
    pub(super) model: Model,
    rows: Option<(usize, Span)>,
    diags: &'p mut Diagnostics,
}

impl<'o> Own<'o> {
    #[allow(clippy::type_complexity, reason = "said once, and taken apart at once")]
    fn compute(mut self, model: &Model, diags: &mut Diagnostics) -> R<(Vec<ColumnInfo>, usize, Parts, Option<usize>)> {
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
        if chooses {
            let mut pass = self.pass(model, first.clone(), fixed, diags);
            let (drawn, kept) = pass.first()?;
            let before = pass.rows;
            rows = before;
            let Some((n, span)) = before else { return self.no_rows(diags) };
            let left = kept.as_ref().map_or(n, Vec::len);
            if left == 0 {
                let span = self.decl.lines.iter().find_map(|l| if let DataLine::Keep(e) = l { Some(e.span) } else { None });
                let d = Diagnostic::error("E0529", span.unwrap_or(self.decl.span), "no row is left");
                diags.push(d.here("holds in no row").label(span.unwrap_or(self.decl.span), format!("of {n} rows")));
                return Err(Reported);
            }
            if let Some((span, list)) = split {
                (parts, folds) = pass.split(span, list, left, kept.as_deref())?;
            }
            self.drawn = drawn;
            if let Some(kept) = kept {
                self.drawn.iter_mut().for_each(|column| column.content = column.content.select(&kept));
                rows = Some((kept.len(), span));
                self.kept = Some((kept, n));
            }
        }
        let mut columns = first;
        if let Some((kept, _)) = &self.kept {
            columns.iter_mut().for_each(|column| column.content = column.content.select(kept));
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
        columns.iter_mut().for_each(|column| column.input = None);
        Ok((columns, rows, parts, folds))
    }

    fn no_rows<T>(&self, diags: &mut Diagnostics) -> R<T> {
        if !diags.has_errors() {
            let name = &self.decl.name;
            diags.push(Diagnostic::error("E0511", name.span, format!("dataset `{}` has no rows", name.name)).here("no column, no file"));
        }
        Err(Reported)
    }

    /// The columns of the file without the rows that `drop missing` leaves out, and how many rows there are, if that is said.
    fn sources(&self, model: &Model, diags: &mut Diagnostics) -> R<(Vec<ColumnInfo>, Option<(usize, Span)>)> {
        let mut columns = self.table.columns.clone();
        let mut rows = self.table.rows.zip(self.table.source);
        for line in &self.decl.lines {
            match line {
                DataLine::Rows(e) => {
                    let n = Lower::new(&mut model.clone(), self.decls, diags).whole(e, "a number of rows", 1.0)?;
                    if n > crate::check::builtins::LARGEST {
                        diags.push(messages::too_large(e.span, &[n]));
                        return Err(Reported);
                    }
                    rows = Some((n, e.span));
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
                        let d = Diagnostic::error("E0529", *span, "no row is left").here(format!("each of {n} rows misses an entry"));
                        diags.push(d.label(source, "in this file").help("`fill(c, v)` gives the missing entries of a column a value"));
                        return Err(Reported);
                    }
                    if kept.len() < n {
                        columns.iter_mut().for_each(|column| column.content = column.content.select(&kept));
                        rows = Some((kept.len(), source));
                    }
                }
                _ => {}
            }
        }
        Ok((columns, rows))
    }

    fn pass<'p>(
        &'p self,
        model: &Model,
        columns: Vec<ColumnInfo>,
        rows: Option<(usize, Span)>,
        diags: &'p mut Diagnostics,
    ) -> Pass<'p, 'o> {
        let mut model = model.clone();
        model.data[self.id.0 as usize].columns = columns;
        model.rows.0[self.id.0 as usize] = rows.map_or(0, |(n, _)| n);
        Pass { own: self, model, rows, diags }
    }

    /// The stream of a purpose. Data are the same in every replicate unless it draws them anew.
    pub(super) fn stream(&self, purpose: &str, name: &str) -> Stream {
        let anew = self.context.redraw.contains(&self.decl.name.name);
        Stream::new(self.seed.unwrap_or(0), purpose, name, &[if anew { self.context.replicate } else { 0 }])
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
    fn fail<T>(&mut self, diagnostic: Diagnostic) -> R<T> {
        self.diags.push(diagnostic);
        Err(Reported)
    }

    fn lower(&mut self) -> Lower<'_> {
        let mut lower = Lower::new(&mut self.model, self.own.decls, self.diags);
        lower.within_data = Some(self.own.id);
        lower
    }

    /// What is drawn, and which rows `keep` leaves, from columns over all rows.
    fn first(&mut self) -> R<(Vec<ColumnInfo>, Option<Vec<u32>>)> {
        let before = self.diags.list.len();
        let own = self.own;
        let needed = own.needed();
        let mut kept: Option<Vec<bool>> = None;
        let mut drawn: Vec<ColumnInfo> = Vec::new();
        for line in &own.decl.lines {
            match line {
                DataLine::Column { name, value } => {
                    if needed.contains(&name.name.as_str()) || self.rows.is_none() && own.is_written(value) {
                        self.column(name, value);
                    }
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
            let d = Diagnostic::error("E0511", name.span, format!("how many rows does `{}` have?", name.name)).here("drawn for each row");
            let at = self.own.decl.lines.first().map_or(name.span, |_| name.span);
            return self.fail(d.replace(Span { hi: at.lo, ..at }, "rows 100; ", "say it"));
        };
        let mut lower = self.lower();
        let mut dims = vec![Dim::Rows(own.id)];
        for e in shape.into_iter().flatten() {
            dims.push(Dim::Size(lower.whole(e, "a size", 1.0)?));
        }
        let shape = Shape(dims);
        if lower.model.rows.count(&shape).is_none_or(|count| count > crate::check::builtins::LARGEST) {
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
        let mut stream = own.stream("column", &format!("{}.{}", own.decl.name.name, name.name));
        match draw::drawn(drawing.draw, &args, &sizes, &mut stream) {
            Some(values) => Ok(Content::Numbers { values: Arc::new(values), by_row: true }),
            None => self.fail(Diagnostic::error("E0235", name.span, draw::no_meaning(&name.name)).here("drawn here")),
        }
    }

    fn column(&mut self, name: &Ident, value: &Expr) {
        let content = self.computed(name, value).unwrap_or(Content::Broken);
        self.add(name, content);
    }

    fn add(&mut self, name: &Ident, content: Content) {
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
        self.fail(d.help("compute it before the data are read, or leave out the `split`"))
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

    /// A number that is written in a line.
    pub(super) fn number(&mut self, e: &Expr, what: &str) -> R<f64> {
        self.lower().constant(e, what)
    }

    pub(super) fn refuse<T>(&mut self, diagnostic: Diagnostic) -> R<T> {
        self.fail(diagnostic)
    }

    pub(super) fn own(&self) -> &Own<'_> {
        self.own
    }
}
