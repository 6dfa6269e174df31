//! Tables: what stands in the rows, the columns and the cells.
//!
//! Numbers are formatted in `report`.

use super::shown::names_of_key;
use crate::check::decls::Block;
use crate::check::lower::{R, Reported};
use crate::check::messages;
use crate::check::question::{Asker, Place};
use crate::diag::Diagnostic;
use crate::results::view::{ClassTable, Key, TableView};
use crate::syntax::ast::{Expr, ExprKind, OutLine, OutLineKind};

impl Asker<'_> {
    /// A table.
    pub(crate) fn table(&mut self, table: &Block<OutLine>) -> R<TableView> {
        let selection = self.selection(&table.lines, table.name.span, true)?;
        let sweeps = selection.sweeps.clone();
        let mut view = TableView {
            name: table.name.name.clone(),
            span: table.name.span,
            caption: table.doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "),
            selection,
            rows: Vec::new(),
            columns: Vec::new(),
            show: Vec::new(),
            format: None,
            sort: None,
            classes: None,
        };
        let by_row = |list: &[Expr]| list.iter().any(|e| matches!(&e.kind, ExprKind::Name(n) if n == "step" || n == "epoch"));
        let traced = table.lines.iter().any(|l| matches!(&l.kind, OutLineKind::Rows(list) if by_row(list)));
        let place = Place { sweeps: sweeps.clone(), rows: traced, only: view.selection.conditions.clone() };
        let mut ok = true;
        for line in &table.lines {
            ok &= self.table_line(line, &place, &mut view).is_ok();
        }
        let of_classes = |l: &&OutLine| matches!(l.kind, OutLineKind::Classification { .. } | OutLineKind::Confusion { .. });
        if let Some(first) = table.lines.iter().find(of_classes) {
            let fits = |l: &&OutLine| {
                let cells = matches!(l.kind, OutLineKind::From(_) | OutLineKind::For(_) | OutLineKind::Best(_));
                cells || matches!(l.kind, OutLineKind::Rows(_) | OutLineKind::Format(_) | OutLineKind::Caption(_))
            };
            let other = table.lines.iter().find(|l| l.span != first.span && !fits(l)).map(|l| l.span);
            ok &= self.alone(first.span, "a table of classes", other).is_ok();
        }
        if ok && view.show.is_empty() && view.rows.is_empty() && view.classes.is_none() {
            self.error(
                Diagnostic::error("E0621", table.name.span, format!("table `{}` shows nothing", table.name.name)).here("no line `show ..`"),
            );
            ok = false;
        }
        if !ok {
            return Err(Reported);
        }
        let mut shown = Vec::new();
        for key in view.rows.iter().chain(&view.columns).chain(view.show.iter().map(|(k, _)| k)) {
            names_of_key(key, &mut shown);
        }
        self.accounted(&view.selection, &shown, table.name.span, "rows")?;
        Ok(view)
    }

    fn table_line(&mut self, line: &OutLine, place: &Place, view: &mut TableView) -> R<()> {
        match &line.kind {
            OutLineKind::From(_) | OutLineKind::For(_) | OutLineKind::Best(_) => {}
            OutLineKind::Rows(list) => {
                for e in list {
                    let key = match &e.kind {
                        ExprKind::Name(n) if n == "step" || n == "epoch" => Key::Axis(n.clone()),
                        _ => self.key(e, &place.sweeps)?,
                    };
                    view.rows.push(key);
                }
            }
            OutLineKind::Columns(list) => view.columns.extend(self.keys(list, &place.sweeps)?),
            OutLineKind::Show(list) => {
                for (e, heading) in list {
                    let key = match &e.kind {
                        ExprKind::Name(n) if (self.is_axis(n, &place.sweeps) && n != "replicate") || n == "reason" => Key::Axis(n.clone()),
                        _ => Key::Question(self.question(e, place)?),
                    };
                    view.show.push((key, heading.as_ref().map(|t| t.value.clone())));
                }
            }
            OutLineKind::Format(text) => {
                if let Err(error) = crate::numeric::format::printf(&text.value, 1.0) {
                    self.error(
                        Diagnostic::error("E0622", text.span, format!("this is no number format: {error}"))
                            .here("such as \"%.3f\" or \"%.4g\""),
                    );
                    return Err(Reported);
                }
                view.format = Some(text.value.clone());
            }
            OutLineKind::SortBy(e) => view.sort = Some(self.one_number(e, place, "what rows are sorted by")?),
            OutLineKind::Caption(text) => view.caption.clone_from(&text.value),
            OutLineKind::Classification { predicted, actual, classes } => {
                view.classes = Some((ClassTable::Report, self.judged(predicted, actual, classes, place)?));
            }
            OutLineKind::Confusion { predicted, actual, classes } => {
                view.classes = Some((ClassTable::Confusion, self.judged(predicted, actual, classes, place)?));
            }
            _ => {
                self.error(messages::belongs_in(line.span, "plot", "table"));
                return Err(Reported);
            }
        }
        Ok(())
    }
}
