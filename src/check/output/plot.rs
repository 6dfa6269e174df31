//! Plots: marks, channels, scales, what is drawn over what.
//!
//! Nothing is drawn here; a plot is a view until `report` has results.

use super::shown::{names_of, names_of_key};
use crate::check::decls::Block;
use crate::check::field;
use crate::check::lower::Lower;
use crate::check::lower::{R, Reported};
use crate::check::messages;
use crate::check::question::{Asker, Place};
use crate::diag::{Diagnostic, did_you_mean};
use crate::results::Setting;
use crate::results::view::{Along, Band, Center, Key, MarkView, PlotAxis, PlotView, Question, ScaleKind, SeriesMark};
use crate::syntax::ast::{Channel, Expr, ExprKind, Ident, Mark, OutLine, OutLineKind};
use crate::syntax::print;

impl Asker<'_> {
    fn interval(&mut self, e: &Expr) -> R<(f64, f64)> {
        let ExprKind::Range(lo, hi) = &e.kind else {
            let mut d = Diagnostic::error("E0611", e.span, "an interval is written `low..high`").here("no interval");
            if let ExprKind::List(items) | ExprKind::Tuple(items) = &e.kind
                && let [lo, hi] = &items[..]
            {
                d = d.replace(e.span, format!("{}..{}", print::expr(lo), print::expr(hi)), "write");
            }
            self.error(d);
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
        let begins = names.iter().copied().find(|known| name.name.starts_with(known));
        if let Some(near) = begins.or_else(|| did_you_mean(&name.name, names)) {
            d = d.replace(name.span, near, format!("did you mean `{near}`?"));
        }
        self.error(d);
        Err(Reported)
    }

    /// A plot.
    pub(crate) fn plot(&mut self, plot: &Block<OutLine>) -> R<PlotView> {
        // Functions alone are drawn without any run.
        let field = |kind: &OutLineKind| matches!(kind, OutLineKind::Contour { .. } | OutLineKind::Curve { .. });
        let asks = |kind: &OutLineKind| matches!(kind, OutLineKind::From(_) | OutLineKind::For(_)) || draws(kind) && !field(kind);
        let of_runs =
            |kind: &OutLineKind| matches!(kind, OutLineKind::Curve { f, .. } | OutLineKind::Contour { f, .. } if field::asks_runs(f));
        let only_fields = !plot.lines.iter().any(|l| asks(&l.kind) || of_runs(&l.kind));
        let marks: Vec<&OutLine> = plot.lines.iter().filter(|l| draws(&l.kind)).collect();
        if marks.is_empty() {
            self.error(
                Diagnostic::error("E0615", plot.name.span, format!("plot `{}` draws nothing", plot.name.name))
                    .here("no `lines`, `points`, `heatmap`, `contour` or `curve`"),
            );
            return Err(Reported);
        }
        let selection = self.selection(&plot.lines, plot.name.span, !only_fields)?;
        let sweeps = selection.sweeps.clone();
        let mut view = PlotView {
            name: plot.name.name.clone(),
            span: plot.name.span,
            title: plot.doc.first().map(|line| line.trim().to_string()).unwrap_or_default(),
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
        if !ok {
            return Err(Reported);
        }
        if let Some(at) = view.marks.iter().position(MarkView::stands_alone) {
            let other = marks.iter().enumerate().find(|(other, _)| *other != at).map(|(_, line)| line.span);
            self.alone(marks[at].span, "this mark", other)?;
        }
        let mut shown: Vec<String> = Vec::new();
        for key in view.color.iter().chain(&view.dash).chain(&view.marker).chain(&view.facet) {
            names_of_key(key, &mut shown);
        }
        for mark in &view.marks {
            match mark {
                MarkView::Series { ys, along, .. } => {
                    for y in ys {
                        names_of(y, &mut shown);
                    }
                    match along {
                        Along::Cells(key) => names_of_key(key, &mut shown),
                        Along::Rows(q) | Along::Elements(q) => names_of(q, &mut shown),
                        Along::Step | Along::Epoch => {}
                    }
                }
                MarkView::Heatmap { z, x, y } => {
                    names_of(z, &mut shown);
                    names_of_key(x, &mut shown);
                    names_of_key(y, &mut shown);
                }
                // All cells are problems or solvers; of a number, all are values.
                MarkView::Profile { .. } => shown.push("cell".to_string()),
                MarkView::Histogram { of } if of.sizes.is_empty() => shown.push("cell".to_string()),
                _ => {}
            }
        }
        if !only_fields {
            self.accounted(&view.selection, &shown, plot.name.span, "color")?;
        }
        Ok(view)
    }

    #[allow(clippy::cognitive_complexity, reason = "one arm per line of the language")]
    fn plot_line(&mut self, line: &OutLine, sweeps: &[String], view: &mut PlotView) -> R<()> {
        let cells = Place { sweeps: sweeps.to_vec(), rows: false, only: view.selection.conditions.clone() };
        let rows = Place { rows: true, ..cells.clone() };
        match &line.kind {
            OutLineKind::From(_) | OutLineKind::For(_) | OutLineKind::Best(_) => {}
            OutLineKind::Series { mark, ys, x } => {
                let along = self.along(x, sweeps)?;
                let place = if matches!(along, Along::Cells(_) | Along::Elements(_)) { &cells } else { &rows };
                let exprs = ys;
                let ys = ys.iter().map(|y| self.question(y, place)).collect::<Vec<_>>().into_iter().collect::<R<Vec<Question>>>()?;
                if let Along::Elements(over) = &along
                    && let Some((y, e)) = ys.iter().zip(exprs).find(|(y, _)| y.sizes != over.sizes)
                {
                    self.not_as_many((y, e.span), (over, x.span));
                    return Err(Reported);
                }
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
            OutLineKind::Heatmap { z, axes: None } => view.marks.push(self.matrix(z, &cells)?),
            OutLineKind::Histogram(e) => view.marks.push(MarkView::Histogram { of: self.question(e, &cells)? }),
            OutLineKind::Confusion { predicted, actual, classes } => {
                view.marks.push(MarkView::Confusion(self.judged(predicted, actual, classes, &cells)?));
            }
            OutLineKind::Image { value, height, width } => view.marks.push(self.image(value, (height, width), &cells)?),
            OutLineKind::Profile { value, axis } => view.marks.push(self.profile(value, axis, &cells)?),
            OutLineKind::Contour { f, x, y } => {
                let (xr, yr) = (self.interval(&x.1)?, self.interval(&y.1)?);
                let field = field::field(self, f, &[(&x.0, xr), (&y.0, yr)], sweeps)?;
                view.marks.push(MarkView::Contour { field });
            }
            OutLineKind::Curve { f, var, range } => {
                let range = self.interval(range)?;
                let var = Expr { span: var.span, kind: ExprKind::Name(var.name.clone()) };
                let field = field::field(self, f, &[(&var, range)], sweeps)?;
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
                let mut shared = self.shared.borrow_mut();
                view.smooth = Some(Lower::new(&mut shared.model, self.decls, self.diags).whole(e, "the width of smoothing", 1.0)?);
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
                view.center = Some(self.word(name, "center", &[("mean", Center::Mean), ("median", Center::Median)])?);
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
            OutLineKind::Classification { .. }
            | OutLineKind::Rows(_)
            | OutLineKind::Columns(_)
            | OutLineKind::Show(_)
            | OutLineKind::Format(_)
            | OutLineKind::SortBy(_)
            | OutLineKind::Caption(_) => {
                self.error(messages::belongs_in(line.span, "table", "plot"));
                return Err(Reported);
            }
        }
        Ok(())
    }

    /// What a series runs over.
    fn along(&mut self, x: &Expr, sweeps: &[String]) -> R<Along> {
        let ExprKind::Name(name) = &x.kind else {
            return self.along_value(x, sweeps);
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
                return Ok(Along::Rows(self.question(x, &Place { sweeps: sweeps.to_vec(), rows: true, only: Vec::new() })?));
            }
            return Ok(Along::Cells(Key::Axis(name.clone())));
        }
        let recorded =
            self.shared.borrow().sweeps.iter().any(|s| sweeps.contains(&s.name) && s.wants.iter().any(|w| w.text == *name && w.traced));
        if recorded {
            return Ok(Along::Rows(self.question(x, &Place { sweeps: sweeps.to_vec(), rows: true, only: Vec::new() })?));
        }
        self.along_value(x, sweeps)
    }

    /// A series over a value: one of the cell, or the elements of an array.
    fn along_value(&mut self, x: &Expr, sweeps: &[String]) -> R<Along> {
        let question = self.question(x, &Place { sweeps: sweeps.to_vec(), rows: false, only: Vec::new() })?;
        Ok(if question.sizes.is_empty() { Along::Cells(Key::Question(question)) } else { Along::Elements(question) })
    }
}

/// Whether a line draws something.
fn draws(kind: &OutLineKind) -> bool {
    matches!(
        kind,
        OutLineKind::Series { .. }
            | OutLineKind::Heatmap { .. }
            | OutLineKind::Contour { .. }
            | OutLineKind::Curve { .. }
            | OutLineKind::Path(_)
            | OutLineKind::Histogram(_)
            | OutLineKind::Confusion { .. }
            | OutLineKind::Image { .. }
            | OutLineKind::Profile { .. }
    )
}
