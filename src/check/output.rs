//! Plots, tables and expectations: their lines become views.
//!
//! Questions are made in `question`; fields of contours and curves in `field`.

use super::decls::{Block, Expectation, not_yet};
use super::field;
use super::lower::{Lower, R, Reported};
use super::question::{Asker, Place};
use crate::diag::{Diagnostic, did_you_mean};
use crate::results::view::{
    Along, Band, BestView, Center, Comparison, Cond, ExpectView, Key, Leaf, MarkView, PlotAxis, PlotView, Question, ScaleKind, Selection,
    SeriesMark, TableView,
};
use crate::results::{Setting, Status};
use crate::source::{Sources, Span};
use crate::syntax::ast::{Best, Channel, CompareOp, Expr, ExprKind, Ident, Mark, OutLine, OutLineKind};
use crate::syntax::print;

impl Asker<'_> {
    fn error(&mut self, diagnostic: Diagnostic) {
        self.diags.push(diagnostic);
    }

    fn sweep_names(&self) -> Vec<String> {
        self.shared.borrow().sweeps.iter().map(|s| s.name.clone()).collect()
    }

    /// The sweeps an output is about, its conditions, its best.
    fn selection(&mut self, lines: &[OutLine], span: Span, needs: bool) -> R<Selection> {
        let names = self.sweep_names();
        let mut sweeps: Vec<String> = Vec::new();
        let mut ok = true;
        for line in lines {
            if let OutLineKind::From(list) = &line.kind {
                for name in list {
                    if names.contains(&name.name) {
                        sweeps.push(name.name.clone());
                    } else if !self.decls.sweeps.iter().any(|s| s.name.name == name.name) {
                        let known: Vec<&str> = names.iter().map(String::as_str).collect();
                        self.error(super::sweep::no_sweep(name, &known));
                        ok = false;
                    } else {
                        ok = false;
                    }
                }
            }
        }
        if !ok {
            return Err(Reported);
        }
        if sweeps.is_empty() && needs {
            match (&names[..], self.decls.sweeps.len()) {
                ([one], 1) => sweeps.push(one.clone()),
                ([], 0) => {
                    self.error(Diagnostic::error("E0600", span, "there is no sweep to show").here("of which runs?"));
                    return Err(Reported);
                }
                (_, 1) => return Err(Reported),
                _ => {
                    let declared: Vec<String> = self.decls.sweeps.iter().map(|s| s.name.name.clone()).collect();
                    let mut d = Diagnostic::error("E0601", span, "from which sweep?").here(format!("there are {}", declared.join(", ")));
                    d = d.help(format!("say `from {}`", declared[0]));
                    self.error(d);
                    return Err(Reported);
                }
            }
        }
        let mut selection = Selection { sweeps: sweeps.clone(), ..Selection::default() };
        for line in lines {
            match &line.kind {
                OutLineKind::For(e) => match self.condition(e, &sweeps) {
                    Ok(cond) => selection.conditions.push(cond),
                    Err(Reported) => ok = false,
                },
                OutLineKind::Best(best) => match self.best(best, &sweeps) {
                    Ok(best) => selection.best = Some(best),
                    Err(Reported) => ok = false,
                },
                _ => {}
            }
        }
        if ok { Ok(selection) } else { Err(Reported) }
    }

    fn best(&mut self, best: &Best, sweeps: &[String]) -> R<BestView> {
        for axis in &best.axes {
            if !self.is_axis(&axis.name, sweeps) {
                let d = self.no_axis(axis, sweeps);
                self.error(d);
                return Err(Reported);
            }
        }
        let by = self.question(&best.by, &Place { sweeps: sweeps.to_vec(), rows: false })?;
        Ok(BestView { axes: best.axes.iter().map(|a| a.name.clone()).collect(), maximize: best.maximize, by })
    }

    fn no_axis(&self, name: &Ident, sweeps: &[String]) -> Diagnostic {
        let mut known = vec!["optimizer".to_string()];
        for s in self.shared.borrow().sweeps.iter().filter(|s| sweeps.contains(&s.name)) {
            known.extend(s.axis_names());
        }
        let d = Diagnostic::error("E0602", name.span, format!("no axis is called `{}`", name.name))
            .here(format!("there are {}", known.join(", ")));
        match did_you_mean(&name.name, known.iter().map(String::as_str)) {
            Some(near) => d.replace(name.span, near, format!("did you mean `{near}`?")),
            None => d,
        }
    }

    fn key(&mut self, e: &Expr, sweeps: &[String]) -> R<Key> {
        if let ExprKind::Name(name) = &e.kind
            && (self.is_axis(name, sweeps) || name == "reason")
        {
            return Ok(Key::Axis(name.clone()));
        }
        Ok(Key::Question(self.question(e, &Place { sweeps: sweeps.to_vec(), rows: false })?))
    }

    fn keys(&mut self, list: &[Expr], sweeps: &[String]) -> R<Vec<Key>> {
        list.iter().map(|e| self.key(e, sweeps)).collect::<Vec<_>>().into_iter().collect()
    }

    /// A number in an output: known before running.
    fn number(&mut self, e: &Expr, what: &str) -> R<f64> {
        let mut shared = self.shared.borrow_mut();
        Lower::new(&mut shared.model, self.decls, self.diags).constant(e, what)
    }

    fn interval(&mut self, e: &Expr) -> R<(f64, f64)> {
        let ExprKind::Range(lo, hi) = &e.kind else {
            self.error(Diagnostic::error("E0611", e.span, "an interval is written `low..high`").here("no interval"));
            return Err(Reported);
        };
        let (a, b) = (self.number(lo, "an end of an interval")?, self.number(hi, "an end of an interval")?);
        if a < b {
            return Ok((a, b));
        }
        let d = Diagnostic::error("E0612", e.span, "the interval runs backwards").here(format!("from {a} to {b}"));
        self.error(d.replace(e.span, format!("{}..{}", print::expr(hi), print::expr(lo)), "write"));
        Err(Reported)
    }

    fn plot_axis(&mut self, name: &Ident) -> R<PlotAxis> {
        match name.name.as_str() {
            "x" => Ok(PlotAxis::X),
            "y" => Ok(PlotAxis::Y),
            "color" => Ok(PlotAxis::Color),
            _ => {
                self.error(Diagnostic::error("E0613", name.span, format!("a plot has no axis `{}`", name.name)).here("x, y or color"));
                Err(Reported)
            }
        }
    }

    fn word<T: Copy>(&mut self, name: &Ident, what: &str, known: &[(&str, T)]) -> R<T> {
        if let Some((_, value)) = known.iter().find(|(n, _)| *n == name.name) {
            return Ok(*value);
        }
        let names: Vec<&str> = known.iter().map(|(n, _)| *n).collect();
        let mut d = Diagnostic::error("E0614", name.span, format!("no {what} is called `{}`", name.name))
            .here(format!("there are {}", names.join(", ")));
        if let Some(near) = did_you_mean(&name.name, names) {
            d = d.replace(name.span, near, format!("did you mean `{near}`?"));
        }
        self.error(d);
        Err(Reported)
    }

    /// A plot.
    pub(crate) fn plot(&mut self, plot: &Block<OutLine>) -> R<PlotView> {
        let only_fields = plot.lines.iter().all(|l| {
            !matches!(
                l.kind,
                OutLineKind::Series { .. }
                    | OutLineKind::Heatmap { .. }
                    | OutLineKind::Path(_)
                    | OutLineKind::From(_)
                    | OutLineKind::For(_)
            )
        });
        let selection = self.selection(&plot.lines, plot.name.span, !only_fields)?;
        let sweeps = selection.sweeps.clone();
        let mut view = PlotView {
            name: plot.name.name.clone(),
            span: plot.name.span,
            title: plot.doc.first().cloned().unwrap_or_default(),
            selection,
            marks: Vec::new(),
            color: Vec::new(),
            dash: Vec::new(),
            marker: Vec::new(),
            facet: Vec::new(),
            scales: Vec::new(),
            smooth: None,
            band: None,
            center: None,
            limits: Vec::new(),
            labels: Vec::new(),
            rulers: Vec::new(),
            notes: Vec::new(),
            size: None,
        };
        let mut ok = true;
        for line in &plot.lines {
            ok &= self.plot_line(line, &sweeps, &mut view).is_ok();
        }
        if view.marks.is_empty() && ok {
            self.error(
                Diagnostic::error("E0615", plot.name.span, format!("plot `{}` draws nothing", plot.name.name))
                    .here("no `lines`, `points`, `heatmap`, `contour` or `curve`"),
            );
            ok = false;
        }
        if !ok {
            return Err(Reported);
        }
        let mut shown: Vec<String> = Vec::new();
        for key in view.color.iter().chain(&view.dash).chain(&view.marker).chain(&view.facet) {
            names_of_key(key, &mut shown);
        }
        for mark in &view.marks {
            match mark {
                MarkView::Series { ys, along, .. } => {
                    ys.iter().for_each(|y| names_of(y, &mut shown));
                    match along {
                        Along::Cells(key) => names_of_key(key, &mut shown),
                        Along::Rows(q) => names_of(q, &mut shown),
                        Along::Step | Along::Epoch => {}
                    }
                }
                MarkView::Heatmap { z, x, y } => {
                    names_of(z, &mut shown);
                    names_of_key(x, &mut shown);
                    names_of_key(y, &mut shown);
                }
                MarkView::Path { .. } | MarkView::Contour { .. } | MarkView::Curve { .. } => {}
            }
        }
        if !only_fields {
            self.accounted(&view.selection, &shown, plot.name.span, "color")?;
        }
        Ok(view)
    }

    #[allow(clippy::cognitive_complexity, reason = "one arm per line of the language")]
    fn plot_line(&mut self, line: &OutLine, sweeps: &[String], view: &mut PlotView) -> R<()> {
        let cells = Place { sweeps: sweeps.to_vec(), rows: false };
        let rows = Place { sweeps: sweeps.to_vec(), rows: true };
        match &line.kind {
            OutLineKind::From(_) | OutLineKind::For(_) | OutLineKind::Best(_) => {}
            OutLineKind::Series { mark, ys, x } => {
                let along = self.along(x, sweeps)?;
                let place = if matches!(along, Along::Cells(_)) { &cells } else { &rows };
                let ys = ys.iter().map(|y| self.question(y, place)).collect::<Vec<_>>().into_iter().collect::<R<Vec<Question>>>()?;
                let mark = match mark {
                    Mark::Lines => SeriesMark::Lines,
                    Mark::Points => SeriesMark::Points,
                    Mark::Bars => SeriesMark::Bars,
                };
                view.marks.push(MarkView::Series { mark, ys, along });
            }
            OutLineKind::Heatmap { z, axes: Some((x, y)) } => {
                let z = self.question(z, &cells)?;
                let (x, y) = (self.key(x, sweeps)?, self.key(y, sweeps)?);
                if !z.sizes.is_empty() {
                    self.error(Diagnostic::error("E0616", z.span, "a heat map shows one number per cell").here("an array"));
                    return Err(Reported);
                }
                view.marks.push(MarkView::Heatmap { z, x, y });
            }
            OutLineKind::Heatmap { z, axes: None } => {
                self.error(not_yet(z.span, "a heat map of a matrix"));
                return Err(Reported);
            }
            OutLineKind::Contour { f, x, y } => {
                let (xr, yr) = (self.interval(&x.1)?, self.interval(&y.1)?);
                let field = field::field(self, f, &[(&x.0, xr), (&y.0, yr)])?;
                view.marks.push(MarkView::Contour { field });
            }
            OutLineKind::Curve { f, var, range } => {
                let range = self.interval(range)?;
                let var = Expr { span: var.span, kind: ExprKind::Name(var.name.clone()) };
                let field = field::field(self, f, &[(&var, range)])?;
                view.marks.push(MarkView::Curve { field });
            }
            OutLineKind::Path(list) => {
                let [x, y] = &list[..] else {
                    self.error(
                        Diagnostic::error("E0617", line.span, "a path needs two quantities, for x and y")
                            .here(format!("{} given", list.len())),
                    );
                    return Err(Reported);
                };
                let (x, y) = (self.question(x, &rows)?, self.question(y, &rows)?);
                view.marks.push(MarkView::Path { x, y });
            }
            OutLineKind::Channel { channel, by } => {
                let keys = self.keys(by, sweeps)?;
                match channel {
                    Channel::Color => view.color.extend(keys),
                    Channel::Dash => view.dash.extend(keys),
                    Channel::Marker => view.marker.extend(keys),
                    Channel::Facet => view.facet.extend(keys),
                }
            }
            OutLineKind::Scale { axis, kind } => {
                let axis = self.plot_axis(axis)?;
                let kind = self.word(
                    kind,
                    "scale",
                    &[("linear", ScaleKind::Linear), ("log", ScaleKind::Log), ("categorical", ScaleKind::Categorical)],
                )?;
                view.scales.push((axis, kind));
            }
            OutLineKind::Smooth(e) => {
                let n = self.number(e, "the width of smoothing")?;
                if n < 1.0 || n.fract() != 0.0 {
                    self.error(
                        Diagnostic::error("E0313", e.span, "the width of smoothing must be a whole number of at least 1")
                            .here(format!("this is {n}")),
                    );
                    return Err(Reported);
                }
                view.smooth = Some(n as usize);
            }
            OutLineKind::Band(name) => {
                let known = [
                    ("ci95", Band::Ci95),
                    ("stderr", Band::StdErr),
                    ("std", Band::Std),
                    ("iqr", Band::Iqr),
                    ("range", Band::Range),
                    ("none", Band::None),
                ];
                view.band = Some(self.word(name, "band", &known)?);
            }
            OutLineKind::Center(name) => {
                view.center = Some(self.word(name, "center", &[("mean", Center::Mean), ("median", Center::Median)])?)
            }
            OutLineKind::Limits { axis, range } => {
                let axis = self.plot_axis(axis)?;
                let (lo, hi) = self.interval(range)?;
                view.limits.push((axis, lo, hi));
            }
            OutLineKind::Label { axis, text } => {
                let axis = self.plot_axis(axis)?;
                view.labels.push((axis, text.value.clone()));
            }
            OutLineKind::Title(text) => view.title.clone_from(&text.value),
            OutLineKind::Ruler { axis, at, text } => {
                let axis = self.plot_axis(axis)?;
                let at = self.number(at, "a ruler")?;
                view.rulers.push((axis, at, text.as_ref().map(|t| t.value.clone()).unwrap_or_default()));
            }
            OutLineKind::Note { text, at } => {
                let at = (self.number(&at.0, "a place")?, self.number(&at.1, "a place")?);
                view.notes.push((text.value.clone(), at.0, at.1));
            }
            OutLineKind::Size { width, height } => {
                let (w, h) = (self.number(width, "a width")?, self.number(height, "a height")?);
                for (x, e) in [(w, width), (h, height)] {
                    if !(50.0..=5000.0).contains(&x) {
                        self.error(
                            Diagnostic::error("E0618", e.span, "a plot is 50 to 5000 points wide and high").here(format!("this is {x}")),
                        );
                        return Err(Reported);
                    }
                }
                view.size = Some((w as u32, h as u32));
            }
            OutLineKind::Histogram(e) => return self.missing(e.span, "`histogram`"),
            OutLineKind::Confusion { .. } => return self.missing(line.span, "`confusion`"),
            OutLineKind::Image { .. } => return self.missing(line.span, "`image`"),
            OutLineKind::Profile { .. } => return self.missing(line.span, "`profile`"),
            OutLineKind::Classification { .. }
            | OutLineKind::Rows(_)
            | OutLineKind::Columns(_)
            | OutLineKind::Show(_)
            | OutLineKind::Format(_)
            | OutLineKind::SortBy(_)
            | OutLineKind::Caption(_) => {
                self.error(Diagnostic::error("E0619", line.span, "this belongs in a table").here("not in a plot"));
                return Err(Reported);
            }
        }
        Ok(())
    }

    fn missing<T>(&mut self, span: Span, what: &str) -> R<T> {
        self.error(not_yet(span, what));
        Err(Reported)
    }

    /// What a series runs over.
    fn along(&mut self, x: &Expr, sweeps: &[String]) -> R<Along> {
        let ExprKind::Name(name) = &x.kind else {
            return Ok(Along::Cells(self.key(x, sweeps)?));
        };
        match name.as_str() {
            "step" => return Ok(Along::Step),
            "epoch" => return Ok(Along::Epoch),
            _ => {}
        }
        if self.is_axis(name, sweeps) {
            let scheduled = {
                let shared = self.shared.borrow();
                let mut selected = shared.sweeps.iter().filter(|s| sweeps.contains(&s.name));
                selected.all(|s| s.values_of(name).iter().all(|v| matches!(v, Setting::Text(_))) && !s.values_of(name).is_empty())
            };
            // A rate that follows a schedule is traced; a constant one tells cells apart.
            if scheduled && !matches!(name.as_str(), "optimizer" | "loss" | "sweep" | "status") {
                return Ok(Along::Rows(self.question(x, &Place { sweeps: sweeps.to_vec(), rows: true })?));
            }
            return Ok(Along::Cells(Key::Axis(name.clone())));
        }
        let recorded =
            self.shared.borrow().sweeps.iter().any(|s| sweeps.contains(&s.name) && s.wants.iter().any(|w| w.text == *name && w.traced));
        if recorded {
            return Ok(Along::Rows(self.question(x, &Place { sweeps: sweeps.to_vec(), rows: true })?));
        }
        Ok(Along::Cells(Key::Question(self.question(x, &Place { sweeps: sweeps.to_vec(), rows: false })?)))
    }

    /// An axis that an output neither shows, aggregates, selects nor filters is an error.
    fn accounted(&mut self, selection: &Selection, shown: &[String], span: Span, channel: &str) -> R<()> {
        let mut known: Vec<String> = shown.to_vec();
        selection.conditions.iter().for_each(|c| names_of_condition(c, &mut known));
        let all = selection.best.as_ref().is_some_and(|b| b.axes.is_empty());
        if let Some(best) = &selection.best {
            known.extend(best.axes.iter().cloned());
        }
        if all || known.iter().any(|n| n == "cell") {
            return Ok(());
        }
        let mut open: Vec<String> = Vec::new();
        {
            let shared = self.shared.borrow();
            for s in shared.sweeps.iter().filter(|s| selection.sweeps.contains(&s.name)) {
                for name in s.varying() {
                    if !known.contains(&name) && !open.contains(&name) && !zipped(s, &name, &known) {
                        open.push(name);
                    }
                }
            }
        }
        if selection.sweeps.len() > 1 && !known.iter().any(|n| n == "sweep") && shown.iter().all(|n| n != "sweep") {
            open.push("sweep".to_string());
        }
        let Some(first) = open.first() else { return Ok(()) };
        let list: Vec<String> = open.iter().map(|n| format!("`{n}`")).collect();
        let message = format!("{} vary, and this shows several cells as one", list.join(", ")).replacen(
            "vary",
            if open.len() == 1 { "varies" } else { "vary" },
            1,
        );
        let d = Diagnostic::error("E0620", span, message).here("which of its values?");
        self.error(
            d.help(format!("show it (`{channel} {first}`), choose one (`for {first} == ..`), or the best (`best {first} minimizing ..`)")),
        );
        Err(Reported)
    }

    /// A table.
    pub(crate) fn table(&mut self, table: &Block<OutLine>) -> R<TableView> {
        let selection = self.selection(&table.lines, table.name.span, true)?;
        let sweeps = selection.sweeps.clone();
        let mut view = TableView {
            name: table.name.name.clone(),
            span: table.name.span,
            caption: table.doc.join(" "),
            selection,
            rows: Vec::new(),
            columns: Vec::new(),
            show: Vec::new(),
            format: None,
            sort: None,
        };
        let by_row = |list: &[Expr]| list.iter().any(|e| matches!(&e.kind, ExprKind::Name(n) if n == "step" || n == "epoch"));
        let traced = table.lines.iter().any(|l| matches!(&l.kind, OutLineKind::Rows(list) if by_row(list)));
        let place = Place { sweeps: sweeps.clone(), rows: traced };
        let mut ok = true;
        for line in &table.lines {
            ok &= self.table_line(line, &place, &mut view).is_ok();
        }
        if ok && view.show.is_empty() && view.rows.is_empty() {
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
                        ExprKind::Name(n) if n == "step" || n == "epoch" => Key::Question(self.question(e, place)?),
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
            OutLineKind::SortBy(e) => view.sort = Some(self.question(e, place)?),
            OutLineKind::Caption(text) => view.caption.clone_from(&text.value),
            OutLineKind::Classification { .. } => return self.missing(line.span, "`classification`"),
            OutLineKind::Confusion { .. } => return self.missing(line.span, "`confusion`"),
            _ => {
                self.error(Diagnostic::error("E0619", line.span, "this belongs in a plot").here("not in a table"));
                return Err(Reported);
            }
        }
        Ok(())
    }

    /// An expectation.
    pub(crate) fn expectation(&mut self, e: &Expectation, sources: &Sources) -> R<ExpectView> {
        let ExprKind::Compare { op, left, right, op_span } = &strip(&e.cond).kind else {
            self.error(
                Diagnostic::error("E0623", e.cond.span, "an expectation compares two values")
                    .here("no comparison")
                    .help("such as `expect final(b) == 30 +- 0.005`"),
            );
            return Err(Reported);
        };
        let selection = self.selection(&e.filters, e.span, true)?;
        let place = Place { sweeps: selection.sweeps.clone(), rows: false };
        let op = match op {
            CompareOp::Lt => Comparison::Lt,
            CompareOp::Le => Comparison::Le,
            CompareOp::Gt => Comparison::Gt,
            CompareOp::Ge => Comparison::Ge,
            CompareOp::Eq => Comparison::Eq,
            CompareOp::Ne => Comparison::Ne,
        };
        let (line, _) = sources.line_column(e.span);
        let points = match &e.grading.points {
            Some(p) => Some(self.number(p, "points")?),
            None => None,
        };
        let tolerance_text =
            e.tolerance.as_ref().map(|t| format!(" +- {}{}", print::expr(&t.value), if t.percent { "%" } else { "" })).unwrap_or_default();
        let zero = Expr { span: e.cond.span, kind: ExprKind::Number(0.0) };
        let mut view = ExpectView {
            text: format!("{}{tolerance_text}", print::expr(&e.cond)),
            span: e.span,
            line,
            selection,
            left: self.question(&zero, &place)?,
            op,
            right: self.question(&zero, &place)?,
            tolerance: None,
            status: None,
            points,
            hint: e.grading.hint.as_ref().map(|t| t.value.clone()),
            hidden: e.grading.hidden.is_some(),
        };
        if matches!(&left.kind, ExprKind::Name(n) if n == "status") {
            let cond = self.condition(strip(&e.cond), &place.sweeps)?;
            let Cond::Equals { value: Setting::Text(name), negated, .. } = cond else {
                self.error(Diagnostic::error("E0624", *op_span, "a status is compared with `==` or `!=`").here("a status has no size"));
                return Err(Reported);
            };
            view.status = Status::ALL.iter().find(|s| s.name() == name).map(|s| (*s, negated));
            return Ok(view);
        }
        view.left = self.question(left, &place)?;
        view.right = self.question(right, &place)?;
        match &e.tolerance {
            Some(t) => {
                if !matches!(op, Comparison::Eq | Comparison::Ne) {
                    let d = Diagnostic::error("E0625", t.span, "a tolerance goes with `==`").here("this is an inequality");
                    self.error(d);
                    return Err(Reported);
                }
                let tolerance = self.question(&t.value, &place)?;
                if let Some(x) = tolerance.graph.as_const(tolerance.root).filter(|x| *x < 0.0) {
                    self.error(Diagnostic::error("E0626", t.value.span, "a tolerance is not negative").here(format!("{x}")));
                    return Err(Reported);
                }
                view.tolerance = Some((tolerance, t.percent));
            }
            None if op == Comparison::Eq && !whole(&view.left) => {
                let d = Diagnostic::warning("W0601", e.cond.span, "computed numbers are rarely equal to the last bit")
                    .here("equality without a tolerance");
                let d = d.replace(e.cond.span.end(), " +- 1e-9", "allow a little");
                self.diags.push(d);
            }
            None => {}
        }
        Ok(view)
    }
}

/// Whether a question only has whole numbers: counts, steps, cells.
fn whole(q: &Question) -> bool {
    q.leaves.iter().all(|leaf| {
        matches!(
            leaf,
            Leaf::Step
                | Leaf::Epoch
                | Leaf::Cell
                | Leaf::Replicate
                | Leaf::Steps
                | Leaf::Epochs
                | Leaf::Evaluations
                | Leaf::HasStatus(_)
                | Leaf::Cells
        ) || matches!(leaf, Leaf::Fold { fold: crate::results::view::FoldKind::StepsTo | crate::results::view::FoldKind::Count, .. })
    })
}

fn strip(e: &Expr) -> &Expr {
    if let ExprKind::Paren(inner) = &e.kind { strip(inner) } else { e }
}

/// Whether an axis is bound point by point to one that is shown (`zip`).
fn zipped(sweep: &super::program::SweepSpec, name: &str, shown: &[String]) -> bool {
    use super::program::Bind;
    sweep.axes.iter().any(|axis| {
        let names: Vec<&str> = axis
            .points
            .first()
            .into_iter()
            .flatten()
            .map(|b| match b {
                Bind::Named { name, .. } => name.as_str(),
                Bind::Optimizer(_) => "optimizer",
                Bind::Loss(_) => "loss",
            })
            .collect();
        names.len() > 1 && names.contains(&name) && names.iter().any(|n| shown.iter().any(|s| s == n))
    })
}

fn names_of_key(key: &Key, into: &mut Vec<String>) {
    match key {
        Key::Axis(name) => into.push(name.clone()),
        Key::Question(q) => names_of(q, into),
    }
}

/// The axes that a question shows or aggregates.
fn names_of(q: &Question, into: &mut Vec<String>) {
    for leaf in &q.leaves {
        match leaf {
            Leaf::Axis(name) => into.push(name.clone()),
            Leaf::Cell | Leaf::BestSoFar { .. } | Leaf::Cells => into.push("cell".to_string()),
            Leaf::Aggregate { over, of, .. } => {
                names_of(of, into);
                match over {
                    crate::results::view::Over::All => into.push("cell".to_string()),
                    crate::results::view::Over::Axes(list) => into.extend(list.iter().cloned()),
                }
            }
            _ => {}
        }
    }
}

fn names_of_condition(cond: &Cond, into: &mut Vec<String>) {
    match cond {
        Cond::And(a, b) | Cond::Or(a, b) => {
            names_of_condition(a, into);
            names_of_condition(b, into);
        }
        Cond::Not(a) => names_of_condition(a, into),
        Cond::Equals { axis, .. } => into.push(axis.clone()),
        Cond::Question(q) => names_of(q, into),
    }
}
