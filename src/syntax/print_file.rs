//! Canonical text of declarations and their lines.
//!
//! Comments inside a declaration are not in the tree and are not printed.

use super::ast::{
    BatchOrder, Best, Channel, DataLine, Expr, File, FnBody, Formal, Grading, ImportPath, ItemKind, Mark, OutLine, OutLineKind, Pace,
    RepeatCount, RuleBody, RuleLine, RuleLineKind, Start, SweepLine, SweepLineKind, Text,
};
use super::print::{expr, name, text, write_bindings, write_expr, write_list, write_names};

/// The file, a line an item and a line a line.
#[must_use]
pub fn file(file: &File) -> String {
    let mut out = String::new();
    for entry in &file.items {
        for line in &entry.doc {
            out.push('#');
            out.push_str(line);
            out.push('\n');
        }
        out.push_str(&item(&entry.kind));
        out.push('\n');
    }
    out
}

/// One declaration.
#[must_use]
pub fn item(kind: &ItemKind) -> String {
    match kind {
        ItemKind::Rng { numpy: true, seed } => format!("rng numpy({})", expr(seed)),
        ItemKind::Rng { numpy: false, seed } => format!("rng {}", expr(seed)),
        ItemKind::Dataset { name: n, lines } => block(&format!("dataset {}", name(&n.name)), lines.iter().map(data_line)),
        ItemKind::Param { name: n, shape, start, within } => {
            let within = within.as_ref().map(|set| format!(" within {}", expr(set))).unwrap_or_default();
            format!("param {}{}{}{within}", name(&n.name), shaped(shape.as_deref()), started(start))
        }
        ItemKind::Hyper { name: n, value } => format!("hyper {} = {}", name(&n.name), expr(value)),
        ItemKind::Let { name: n, shape, value } => format!("let {}{}{}", name(&n.name), shaped(shape.as_deref()), started(value)),
        ItemKind::Fn { name: n, formals: f, body } => match body {
            FnBody::Expr(value) => format!("fn {}({}) = {}", name(&n.name), formals(f), expr(value)),
            FnBody::Block { lets, value } => {
                let lines = lets.iter().map(|(n, v)| format!("let {} = {}", name(&n.name), expr(v)));
                block(&format!("fn {}({})", name(&n.name), formals(f)), lines.chain([format!("return {}", expr(value))]))
            }
        },
        ItemKind::Loss { name: n, value } => format!("loss {} = {}", name(&n.name), expr(value)),
        ItemKind::Metric { name: n, value } => format!("metric {} = {}", name(&n.name), expr(value)),
        ItemKind::Schedule { name: n, formals: f, value } => format!("schedule {}{} = {}", name(&n.name), optional_formals(f), expr(value)),
        ItemKind::Optimizer { name: n, formals: f, body } => {
            let head = format!("optimizer {}{}", name(&n.name), optional_formals(f));
            match body {
                RuleBody::Lines(lines) => block(&head, lines.iter().map(|line| rule_line(line, 1))),
                RuleBody::Compose(value) => format!("{head} = {}", expr(value)),
            }
        }
        ItemKind::Sweep { name: n, base, lines } => {
            let base = base.as_ref().map(|base| format!(" = {} with", name(&base.name))).unwrap_or_default();
            block(&format!("sweep {}{base}", name(&n.name)), lines.iter().map(sweep_line))
        }
        ItemKind::Plot { name: n, lines } => block(&format!("plot {}", name(&n.name)), lines.iter().map(out_line)),
        ItemKind::Table { name: n, lines } => block(&format!("table {}", name(&n.name)), lines.iter().map(out_line)),
        ItemKind::Claim { left, right, grading, allow_open } => {
            format!("claim {} == {}{}{}", expr(left), expr(right), if *allow_open { " allow open" } else { "" }, graded(grading))
        }
        ItemKind::CheckGradient { loss } => format!("check gradient of {}", expr(loss)),
        ItemKind::Expect { cond, tolerance, filters, grading } => {
            let mut out = format!("expect {}", expr(cond));
            if let Some(tolerance) = tolerance {
                out.push_str(" +- ");
                write_expr(&mut out, &tolerance.value);
                out.push_str(if tolerance.percent { "%" } else { "" });
            }
            for filter in filters {
                out.push(' ');
                out.push_str(&out_line(filter));
            }
            out + &graded(grading)
        }
        ItemKind::Import { path, alias } => {
            let path = match path {
                ImportPath::File(path) => text(&path.value),
                ImportPath::Submission(ident) => name(&ident.name),
            };
            let alias = alias.as_ref().map(|alias| format!(" as {}", name(&alias.name))).unwrap_or_default();
            format!("import {path}{alias}")
        }
    }
}

fn block(head: &str, lines: impl Iterator<Item = String>) -> String {
    let mut out = format!("{head} {{\n");
    for line in lines {
        out.push_str("  ");
        out.push_str(&line);
        out.push('\n');
    }
    out.push('}');
    out
}

fn shaped(shape: Option<&[Expr]>) -> String {
    let Some(shape) = shape else { return String::new() };
    let mut out = String::from(": [");
    write_list(&mut out, shape, write_expr);
    out + "]"
}

fn started(start: &Start) -> String {
    match start {
        Start::Missing => String::new(),
        Start::Value(value) => format!(" = {}", expr(value)),
        Start::Draw(draw) => format!(" ~ {}", expr(draw)),
    }
}

fn formals(formals: &[Formal]) -> String {
    let mut out = String::new();
    write_list(&mut out, formals, |out, formal| {
        out.push_str(&name(&formal.name.name));
        if let Some(default) = &formal.default {
            out.push_str(" = ");
            write_expr(out, default);
        }
    });
    out
}

fn optional_formals(list: &[Formal]) -> String {
    if list.is_empty() { String::new() } else { format!("({})", formals(list)) }
}

fn graded(grading: &Grading) -> String {
    let mut out = String::new();
    if let Some(points) = &grading.points {
        out.push_str(" points ");
        write_expr(&mut out, points);
    }
    if let Some(hint) = &grading.hint {
        out.push_str(" hint ");
        out.push_str(&text(&hint.value));
    }
    if grading.hidden.is_some() {
        out.push_str(" hidden");
    }
    out
}

fn exprs(list: &[Expr]) -> String {
    let mut out = String::new();
    write_list(&mut out, list, write_expr);
    out
}

/// One line of a dataset.
#[must_use]
pub fn data_line(line: &DataLine) -> String {
    let with_options = |head: &str, path: &Text, options: &[_]| {
        let mut out = format!("{head} {}", text(&path.value));
        if !options.is_empty() {
            out.push_str(", ");
            write_bindings(&mut out, options, " = ");
        }
        out
    };
    match line {
        DataLine::Csv { path, options } => with_options("csv", path, options),
        DataLine::TextFile { path, options } => with_options("text", path, options),
        DataLine::Rows(count) => format!("rows {}", expr(count)),
        DataLine::Columns(names) => {
            let mut out = String::from("columns ");
            write_names(&mut out, names);
            out
        }
        DataLine::Keep(condition) => format!("keep {}", expr(condition)),
        DataLine::DropMissing(_) => "drop missing".to_owned(),
        DataLine::Split { parts, .. } => {
            let mut out = String::from("split ");
            write_bindings(&mut out, parts, " = ");
            out
        }
        DataLine::Column { name: n, value } => format!("{} = {}", name(&n.name), expr(value)),
        DataLine::Draw { name: n, shape, draw } => format!("{}{} ~ {}", name(&n.name), shaped(shape.as_deref()), expr(draw)),
    }
}

/// One line of an update rule that stands `level` blocks deep.
#[must_use]
pub fn rule_line(line: &RuleLine, level: usize) -> String {
    let bindings = |head: &str, list: &[_]| {
        let mut out = format!("{head} ");
        write_bindings(&mut out, list, " = ");
        out
    };
    let nested = |head: String, lines: &[RuleLine]| {
        let margin = "  ".repeat(level);
        let mut out = head + " {\n";
        for line in lines {
            out.push_str(&margin);
            out.push_str("  ");
            out.push_str(&rule_line(line, level + 1));
            out.push('\n');
        }
        out + &margin + "}"
    };
    match &line.kind {
        RuleLineKind::State(list) => bindings("state", list),
        RuleLineKind::Shared(list) => bindings("shared", list),
        RuleLineKind::Let(n, value) => format!("let {} = {}", name(&n.name), expr(value)),
        RuleLineKind::Draw(n, draw) => format!("let {} ~ {}", name(&n.name), expr(draw)),
        RuleLineKind::Update(n, value) => format!("{} <- {}", name(&n.name), expr(value)),
        RuleLineKind::When(condition, lines) => nested(format!("when {}", expr(condition)), lines),
        RuleLineKind::EachEpoch(lines) => nested("each epoch".to_owned(), lines),
        RuleLineKind::Report(value) => format!("report {}", expr(value)),
    }
}

/// One line of a sweep.
#[must_use]
pub fn sweep_line(line: &SweepLine) -> String {
    match &line.kind {
        SweepLineKind::Minimize { maximize, loss, many, over } => {
            let mut out = String::from(if *maximize { "maximize " } else { "minimize " });
            out.push_str(if *many { "in " } else { "" });
            write_expr(&mut out, loss);
            if !over.is_empty() {
                out.push_str(" over ");
                write_names(&mut out, over);
            }
            out
        }
        SweepLineKind::Axis(a) => axis(&a.name.name, a.many, &a.values),
        SweepLineKind::Batches { size, order, drop_last, .. } => {
            let order = match order {
                BatchOrder::InOrder => " in order".to_owned(),
                BatchOrder::InOrderOf(rows) => format!(" in order of {}", expr(rows)),
                BatchOrder::Shuffled => " shuffled".to_owned(),
                BatchOrder::Cumulatively => " shuffled cumulatively".to_owned(),
                BatchOrder::Drawn => " drawn".to_owned(),
                BatchOrder::Unsaid => String::new(),
            };
            format!("batches of {}{order}{}", expr(size), if *drop_last { ", drop last" } else { "" })
        }
        SweepLineKind::Record { what, pace } => format!("record {}{}", exprs(what), pace.as_ref().map(paced).unwrap_or_default()),
        SweepLineKind::StopWhen(condition) => format!("stop when {}", expr(condition)),
        SweepLineKind::Repeat { count, redraw } => {
            let mut out = match count {
                RepeatCount::Times(times) => format!("repeat {}", expr(times)),
                RepeatCount::Folds(_) => "repeat folds".to_owned(),
            };
            if !redraw.is_empty() {
                out.push_str(" redraw ");
                write_names(&mut out, redraw);
            }
            out
        }
        SweepLineKind::Zip(axes) => braced("zip", axes.iter().map(|a| axis(&a.name.name, a.many, &a.values))),
        SweepLineKind::Sample { count, draws } => {
            braced(&format!("sample {}", expr(count)), draws.iter().map(|(n, draw)| format!("{} ~ {}", name(&n.name), expr(draw))))
        }
        SweepLineKind::SkipWhen(condition) => format!("skip when {}", expr(condition)),
        SweepLineKind::Group { params, values } => {
            let mut head = String::from("group ");
            write_names(&mut head, params);
            braced(&head, values.iter().map(|(n, value)| axis(&n.name, false, value)))
        }
        SweepLineKind::StartFrom { sweep, best: b } => {
            format!("start from {}{}", name(&sweep.name), b.as_ref().map(|b| format!(" {}", best(b))).unwrap_or_default())
        }
    }
}

fn axis(axis: &str, many: bool, values: &Expr) -> String {
    format!("{} {} {}", name(axis), if many { "in" } else { "=" }, expr(values))
}

fn braced(head: &str, lines: impl Iterator<Item = String>) -> String {
    format!("{head} {{ {} }}", lines.collect::<Vec<_>>().join("; "))
}

fn paced(pace: &Pace) -> String {
    match (&pace.every, pace.epochs) {
        (None, false) => " each step".to_owned(),
        (None, true) => " each epoch".to_owned(),
        (Some(every), false) => format!(" each {} steps", expr(every)),
        (Some(every), true) => format!(" each {} epochs", expr(every)),
    }
}

fn best(best: &Best) -> String {
    let mut out = String::from("best ");
    if best.axes.is_empty() {
        out.push_str("all");
    }
    write_names(&mut out, &best.axes);
    out.push_str(if best.maximize { " maximizing " } else { " minimizing " });
    write_expr(&mut out, &best.by);
    out
}

/// One line of a plot or a table, or a clause of an expectation.
#[must_use]
pub fn out_line(line: &OutLine) -> String {
    let against = |head: &str, predicted: &Expr, actual: &Expr, classes: &[Text]| {
        let mut out = format!("{head} {} against {}", expr(predicted), expr(actual));
        if !classes.is_empty() {
            out.push_str(" classes ");
            write_list(&mut out, classes, |out, class| out.push_str(&text(&class.value)));
        }
        out
    };
    match &line.kind {
        OutLineKind::From(sweeps) => {
            let mut out = String::from("from ");
            write_names(&mut out, sweeps);
            out
        }
        OutLineKind::For(condition) => format!("for {}", expr(condition)),
        OutLineKind::Best(b) => best(b),
        OutLineKind::Series { mark, ys, x } => {
            let mark = match mark {
                Mark::Lines => "lines",
                Mark::Points => "points",
                Mark::Bars => "bars",
            };
            format!("{mark} {} over {}", exprs(ys), expr(x))
        }
        OutLineKind::Heatmap { z, axes: None } => format!("heatmap {}", expr(z)),
        OutLineKind::Heatmap { z, axes: Some((a, b)) } => format!("heatmap {} over {}, {}", expr(z), expr(a), expr(b)),
        OutLineKind::Contour { f, x, y } => {
            format!("contour {} over {} in {}, {} in {}", expr(f), expr(&x.0), expr(&x.1), expr(&y.0), expr(&y.1))
        }
        OutLineKind::Curve { f, var, range } => format!("curve {} over {} in {}", expr(f), name(&var.name), expr(range)),
        OutLineKind::Path(list) => format!("path {}", exprs(list)),
        OutLineKind::Histogram(value) => format!("histogram {}", expr(value)),
        OutLineKind::Confusion { predicted, actual, classes } => against("confusion", predicted, actual, classes),
        OutLineKind::Classification { predicted, actual, classes } => against("classification", predicted, actual, classes),
        OutLineKind::Image { value, height, width } => format!("image {} as {} by {}", expr(value), expr(height), expr(width)),
        OutLineKind::Profile { value, axis } => format!("profile {} over {}", expr(value), expr(axis)),
        OutLineKind::Channel { channel, by } => {
            let channel = match channel {
                Channel::Color => "color",
                Channel::Dash => "dash",
                Channel::Marker => "marker",
                Channel::Facet => "facet",
            };
            format!("{channel} {}", exprs(by))
        }
        OutLineKind::Scale { axis, kind } => format!("scale {} {}", name(&axis.name), name(&kind.name)),
        OutLineKind::Smooth(window) => format!("smooth {}", expr(window)),
        OutLineKind::Band(kind) => format!("band {}", name(&kind.name)),
        OutLineKind::Center(kind) => format!("center {}", name(&kind.name)),
        OutLineKind::Limits { axis, range } => format!("limits {} {}", name(&axis.name), expr(range)),
        OutLineKind::Label { axis, text: t } => format!("label {} {}", name(&axis.name), text(&t.value)),
        OutLineKind::Title(t) => format!("title {}", text(&t.value)),
        OutLineKind::Ruler { axis, at, text: t } => {
            format!("ruler {} {}{}", name(&axis.name), expr(at), t.as_ref().map(|t| format!(" {}", text(&t.value))).unwrap_or_default())
        }
        OutLineKind::Note { text: t, at } => format!("note {} at ({}, {})", text(&t.value), expr(&at.0), expr(&at.1)),
        OutLineKind::Size { width, height } => format!("size {} by {}", expr(width), expr(height)),
        OutLineKind::Rows(list) => format!("rows {}", exprs(list)),
        OutLineKind::Columns(list) => format!("columns {}", exprs(list)),
        OutLineKind::Show(list) => {
            let mut out = String::from("show ");
            write_list(&mut out, list, |out, (value, label)| {
                write_expr(out, value);
                if let Some(label) = label {
                    out.push_str(" as ");
                    out.push_str(&text(&label.value));
                }
            });
            out
        }
        OutLineKind::Format(t) => format!("format {}", text(&t.value)),
        OutLineKind::SortBy(value) => format!("sort by {}", expr(value)),
        OutLineKind::Caption(t) => format!("caption {}", text(&t.value)),
    }
}
