//! Builds the lines of plots and tables.
//!
//! It does not know which lines a plot or a table may have.

use super::super::ast::{Channel, Expr, Mark, OutLine, OutLineKind, Text};
use super::super::parse::Rule;
use super::{Builder, Id, Kids};

impl Builder<'_> {
    /// The lines of an `out_block`; a clause that trails a line becomes a line of its own.
    pub(super) fn out_lines(&mut self, id: Id) -> Vec<OutLine> {
        let mut lines = Vec::new();
        for line in self.kids(id) {
            for part in self.kids(line) {
                lines.push(self.out_clause(part));
            }
        }
        lines
    }

    /// One line or clause.
    pub(super) fn out_clause(&mut self, id: Id) -> OutLine {
        OutLine { span: self.span(id), kind: self.out_kind(id) }
    }

    fn next_expr(&mut self, kids: &mut Kids<'_>) -> Expr {
        self.expr(kids.need())
    }

    fn next_text(&mut self, kids: &mut Kids<'_>) -> Text {
        self.text(kids.need())
    }

    fn classes(&mut self, id: Option<Id>) -> Vec<Text> {
        id.map(|id| self.kids(id).map(|text| self.text(text)).collect()).unwrap_or_default()
    }

    fn out_kind(&mut self, id: Id) -> OutLineKind {
        let mut kids = self.kids(id);
        match self.rule(id) {
            Rule::from => OutLineKind::From(kids.map(|name| self.ident(name)).collect()),
            Rule::for_clause => OutLineKind::For(self.next_expr(&mut kids)),
            Rule::best => OutLineKind::Best(self.best(id)),
            Rule::series => {
                let mut ys = self.exprs(id);
                let x = ys.pop().expect("internal: a series is over something");
                let mark = if self.has(id, Rule::kw_lines) {
                    Mark::Lines
                } else if self.has(id, Rule::kw_points) {
                    Mark::Points
                } else {
                    Mark::Bars
                };
                OutLineKind::Series { mark, ys, x }
            }
            Rule::heatmap => {
                let z = self.next_expr(&mut kids);
                let axes = kids.next().map(|first| (self.expr(first), self.next_expr(&mut kids)));
                OutLineKind::Heatmap { z, axes }
            }
            Rule::contour => OutLineKind::Contour {
                f: self.next_expr(&mut kids),
                x: (self.next_expr(&mut kids), self.next_expr(&mut kids)),
                y: (self.next_expr(&mut kids), self.next_expr(&mut kids)),
            },
            Rule::curve => {
                OutLineKind::Curve { f: self.next_expr(&mut kids), var: self.ident(kids.need()), range: self.next_expr(&mut kids) }
            }
            Rule::path_line => OutLineKind::Path(self.exprs(id)),
            Rule::histogram => OutLineKind::Histogram(self.next_expr(&mut kids)),
            rule @ (Rule::confusion | Rule::classification) => {
                let (predicted, actual) = (self.next_expr(&mut kids), self.next_expr(&mut kids));
                let classes = self.classes(kids.next());
                if rule == Rule::confusion {
                    OutLineKind::Confusion { predicted, actual, classes }
                } else {
                    OutLineKind::Classification { predicted, actual, classes }
                }
            }
            Rule::image => {
                OutLineKind::Image { value: self.next_expr(&mut kids), height: self.next_expr(&mut kids), width: self.next_expr(&mut kids) }
            }
            Rule::profile => OutLineKind::Profile { value: self.next_expr(&mut kids), axis: self.next_expr(&mut kids) },
            Rule::channel => OutLineKind::Channel { channel: self.channel(id), by: self.exprs(id) },
            Rule::scale => OutLineKind::Scale { axis: self.ident(kids.need()), kind: self.ident(kids.need()) },
            Rule::smooth => OutLineKind::Smooth(self.next_expr(&mut kids)),
            Rule::band => OutLineKind::Band(self.ident(kids.need())),
            Rule::center => OutLineKind::Center(self.ident(kids.need())),
            Rule::limits => OutLineKind::Limits { axis: self.ident(kids.need()), range: self.next_expr(&mut kids) },
            Rule::label => OutLineKind::Label { axis: self.ident(kids.need()), text: self.next_text(&mut kids) },
            Rule::title => OutLineKind::Title(self.next_text(&mut kids)),
            Rule::ruler => {
                let axis = self.ident(kids.need());
                let at = self.next_expr(&mut kids);
                OutLineKind::Ruler { axis, at, text: kids.next().map(|text| self.text(text)) }
            }
            Rule::note => OutLineKind::Note { text: self.next_text(&mut kids), at: (self.next_expr(&mut kids), self.next_expr(&mut kids)) },
            Rule::size => OutLineKind::Size { width: self.next_expr(&mut kids), height: self.next_expr(&mut kids) },
            Rule::table_rows => OutLineKind::Rows(self.exprs(id)),
            Rule::table_columns => OutLineKind::Columns(self.exprs(id)),
            Rule::show => {
                let mut shown = Vec::new();
                for kid in kids {
                    let mut parts = self.kids(kid);
                    let value = self.next_expr(&mut parts);
                    shown.push((value, parts.next().map(|text| self.text(text))));
                }
                OutLineKind::Show(shown)
            }
            Rule::format => OutLineKind::Format(self.next_text(&mut kids)),
            Rule::sort_by => OutLineKind::SortBy(self.next_expr(&mut kids)),
            _ => OutLineKind::Caption(self.next_text(&mut kids)),
        }
    }

    fn channel(&self, id: Id) -> Channel {
        if self.has(id, Rule::kw_color) {
            Channel::Color
        } else if self.has(id, Rule::kw_dash) {
            Channel::Dash
        } else if self.has(id, Rule::kw_marker) {
            Channel::Marker
        } else {
            Channel::Facet
        }
    }
}
