//! Builds expressions: folds the flat list of operands and operators by precedence.
//!
//! It does not look names up.

use crate::diag::Diagnostic;
use crate::source::Span;

use super::super::ast::{Arg, BinaryOp, CompareOp, Expr, ExprKind, Ident, IndexItem, RuleLine, RuleLineKind, Scan, Start, UnaryOp};
use super::super::parse::Rule;
use super::super::print;
use super::{Builder, Id};

/// One element of the flat list.
#[derive(Clone, Copy)]
struct Piece {
    /// An operator's rule, or `operand`.
    rule: Rule,
    id: Id,
}

/// The flat list and how far it is folded.
struct Flat {
    pieces: Vec<Piece>,
    at: usize,
}

impl Flat {
    fn peek(&self) -> Option<Rule> {
        self.pieces.get(self.at).map(|piece| piece.rule)
    }

    /// The next piece, if `wanted` knows it.
    fn take<T>(&mut self, wanted: impl Fn(Rule) -> Option<T>) -> Option<(T, Id)> {
        let piece = self.pieces.get(self.at)?;
        let found = wanted(piece.rule)?;
        self.at += 1;
        Some((found, piece.id))
    }
}

/// A level of left-associative operators.
type Level = fn(Rule) -> Option<BinaryOp>;
/// The builder of the next tighter level.
type Tighter<'b> = fn(&mut Builder<'b>, &mut Flat) -> Expr;

fn or_level(rule: Rule) -> Option<BinaryOp> {
    (rule == Rule::or).then_some(BinaryOp::Or)
}

fn and_level(rule: Rule) -> Option<BinaryOp> {
    (rule == Rule::and).then_some(BinaryOp::And)
}

fn sum_level(rule: Rule) -> Option<BinaryOp> {
    match rule {
        Rule::plus => Some(BinaryOp::Add),
        Rule::minus => Some(BinaryOp::Sub),
        _ => None,
    }
}

fn product_level(rule: Rule) -> Option<BinaryOp> {
    match rule {
        Rule::times => Some(BinaryOp::Mul),
        Rule::divide => Some(BinaryOp::Div),
        Rule::matmul => Some(BinaryOp::MatMul),
        _ => None,
    }
}

fn comparison(rule: Rule) -> Option<CompareOp> {
    match rule {
        Rule::less => Some(CompareOp::Lt),
        Rule::less_equal => Some(CompareOp::Le),
        Rule::greater => Some(CompareOp::Gt),
        Rule::greater_equal => Some(CompareOp::Ge),
        Rule::equal => Some(CompareOp::Eq),
        Rule::not_equal => Some(CompareOp::Ne),
        _ => None,
    }
}

impl<'b> Builder<'b> {
    /// An expression from its node.
    pub(super) fn expr(&mut self, id: Id) -> Expr {
        let first = self.kids(id).need();
        match self.rule(first) {
            Rule::if_expr => self.if_expr(first),
            Rule::scan => self.scan(first),
            _ => {
                let piece = |kid: Id| match self.rule(kid) {
                    Rule::operand => Piece { rule: Rule::operand, id: kid },
                    _ => Piece { rule: self.rule(kid + 1), id: kid },
                };
                let mut flat = Flat { pieces: self.kids(id).map(piece).collect(), at: 0 };
                self.pipe(&mut flat)
            }
        }
    }

    fn pipe(&mut self, flat: &mut Flat) -> Expr {
        let first = self.either(flat);
        if flat.peek() != Some(Rule::pipe) {
            return first;
        }
        let mut stages = vec![first];
        while flat.take(|rule| (rule == Rule::pipe).then_some(())).is_some() {
            stages.push(self.either(flat));
        }
        let span = stages[0].span.to(stages[stages.len() - 1].span);
        Expr { span, kind: ExprKind::Pipe(stages) }
    }

    fn chain(&mut self, flat: &mut Flat, level: Level, tighter: Tighter<'b>) -> Expr {
        let first = tighter(self, flat);
        let mut rest = Vec::new();
        while let Some((op, id)) = flat.take(level) {
            let span = self.span(id);
            rest.push((op, span, tighter(self, flat)));
        }
        match rest.last() {
            None => first,
            Some((_, _, last)) => Expr { span: first.span.to(last.span), kind: ExprKind::Chain { first: Box::new(first), rest } },
        }
    }

    fn either(&mut self, flat: &mut Flat) -> Expr {
        self.chain(flat, or_level, |builder, flat| builder.chain(flat, and_level, Builder::negation))
    }

    fn negation(&mut self, flat: &mut Flat) -> Expr {
        match flat.take(|rule| (rule == Rule::not).then_some(UnaryOp::Not)) {
            Some((op, id)) => self.unary_of(flat, op, id, Builder::negation),
            None => self.comparison(flat),
        }
    }

    fn unary_of(&mut self, flat: &mut Flat, op: UnaryOp, id: Id, operand: Tighter<'b>) -> Expr {
        let op_span = self.span(id);
        let before = self.depth;
        let arg = if self.deeper(1, op_span) { operand(self, flat) } else { skip(flat, op_span) };
        self.depth = before;
        Expr { span: op_span.to(arg.span), kind: ExprKind::Unary { op, op_span, arg: Box::new(arg) } }
    }

    fn comparison(&mut self, flat: &mut Flat) -> Expr {
        let first = self.range(flat);
        let Some((op, id)) = flat.take(comparison) else { return first };
        let op_span = self.span(id);
        let right = self.range(flat);
        let mut second = None;
        let mut edits = Vec::new();
        let mut middle = print::expr(&right);
        while let Some((_, id)) = flat.take(comparison) {
            let place = self.span(id);
            second = second.or(Some(place));
            edits.push((place.start(), format!("and {middle} ")));
            middle = print::expr(&self.range(flat));
        }
        let span = first.span.to(right.span);
        if let Some(second) = second {
            self.report(
                Diagnostic::error("E0152", second, "comparisons are not chained")
                    .here("a second comparison")
                    .label(span, "this is already a comparison, and gives 0 or 1")
                    .edits(edits, "say both"),
            );
        }
        Expr { span, kind: ExprKind::Compare { op, op_span, left: Box::new(first), right: Box::new(right) } }
    }

    fn range(&mut self, flat: &mut Flat) -> Expr {
        let range = |rule| (rule == Rule::range).then_some(());
        let low = self.sum(flat);
        if flat.take(range).is_none() {
            return low;
        }
        let high = self.sum(flat);
        while let Some(((), id)) = flat.take(range) {
            self.report(
                Diagnostic::error("E0153", self.span(id), "a range has two ends")
                    .here("a second `..`")
                    .help("`linspace(a, b, n)` gives n values between two ends"),
            );
            self.sum(flat);
        }
        Expr { span: low.span.to(high.span), kind: ExprKind::Range(Box::new(low), Box::new(high)) }
    }

    fn sum(&mut self, flat: &mut Flat) -> Expr {
        self.chain(flat, sum_level, |builder, flat| builder.chain(flat, product_level, Builder::unary))
    }

    fn unary(&mut self, flat: &mut Flat) -> Expr {
        let sign = |rule| match rule {
            Rule::minus => Some(UnaryOp::Neg),
            Rule::plus => Some(UnaryOp::Plus),
            _ => None,
        };
        if let Some((op, id)) = flat.take(sign) {
            return self.unary_of(flat, op, id, Builder::unary);
        }
        if let Some((op, id)) = flat.take(|rule| (rule == Rule::not).then_some(UnaryOp::Not)) {
            let expr = self.unary_of(flat, op, id, Builder::negation);
            let edits = vec![(expr.span.start(), "(".to_owned()), (expr.span.end(), ")".to_owned())];
            self.report(
                Diagnostic::error("E0154", self.span(id), "`not` binds looser than the operator before it")
                    .here("needs parentheses here")
                    .edits(edits, "put it in parentheses"),
            );
            return expr;
        }
        self.power(flat)
    }

    fn power(&mut self, flat: &mut Flat) -> Expr {
        let base = match flat.take(|rule| (rule == Rule::operand).then_some(())) {
            Some(((), id)) => self.operand(id),
            None => unreachable!("internal: the grammar puts an operand here"),
        };
        match flat.take(|rule| (rule == Rule::power).then_some(())) {
            None => base,
            Some(((), id)) => {
                let op_span = self.span(id);
                let before = self.depth;
                let exponent = if self.deeper(1, op_span) { self.unary(flat) } else { skip(flat, op_span) };
                self.depth = before;
                Expr {
                    span: base.span.to(exponent.span),
                    kind: ExprKind::Pow { base: Box::new(base), op_span, exponent: Box::new(exponent) },
                }
            }
        }
    }

    fn operand(&mut self, id: Id) -> Expr {
        let mut kids = self.kids(id);
        let first = kids.need();
        let trailers: Vec<Id> = kids.collect();
        let before = self.depth;
        if !self.deeper(trailers.len().saturating_sub(1), self.span(id)) {
            self.depth = before;
            return placeholder(self.span(id));
        }
        let mut expr = self.primary(first);
        for trailer in trailers {
            expr = self.trailer(expr, trailer);
        }
        self.depth = before;
        expr
    }

    fn primary(&mut self, id: Id) -> Expr {
        let span = self.span(id);
        let kind = match self.rule(id) {
            Rule::number => ExprKind::Number(self.number(id)),
            Rule::text => ExprKind::Text(self.unescape(id)),
            Rule::blank => ExprKind::Blank(self.ident(self.kids(id).need()).name),
            Rule::none => ExprKind::None,
            Rule::list => ExprKind::List(self.exprs(id)),
            Rule::paren => {
                let mut parts = self.exprs(id);
                if parts.len() == 1 && !self.has(id, Rule::comma) {
                    ExprKind::Paren(Box::new(parts.remove(0)))
                } else {
                    ExprKind::Tuple(parts)
                }
            }
            _ => ExprKind::Name(self.ident(id).name),
        };
        Expr { span, kind }
    }

    /// All expressions directly in a node.
    pub(super) fn exprs(&mut self, id: Id) -> Vec<Expr> {
        self.kids(id)
            .filter(|kid| self.tree.nodes[*kid].rule == Rule::expr)
            .collect::<Vec<_>>()
            .into_iter()
            .map(|kid| self.expr(kid))
            .collect()
    }

    fn number(&mut self, id: Id) -> f64 {
        let written = self.text_of(id);
        let value: f64 = written.replace('_', "").parse().expect("internal: the grammar's numbers are Rust's");
        if value.is_infinite() {
            self.report(Diagnostic::error("E0155", self.span(id), "this number is too large").here("the largest is 1.8e308").replace(
                self.span(id),
                "inf",
                "infinity is `inf`",
            ));
        }
        value
    }

    fn trailer(&mut self, base: Expr, id: Id) -> Expr {
        let span = base.span.to(self.span(id));
        let kind = match self.rule(id) {
            Rule::field => ExprKind::Field { base: Box::new(base), field: self.ident(self.kids(id).need()) },
            Rule::index => {
                let items = self.kids(id).map(|item| self.index_item(item)).collect();
                ExprKind::Index { base: Box::new(base), items }
            }
            Rule::on => {
                let part = self.ident(self.kids(id).need());
                match &base.kind {
                    ExprKind::Name(name) if name == "grad" => ExprKind::Grad { part: Some(part), at: None },
                    _ => ExprKind::On { base: Box::new(base), part },
                }
            }
            Rule::at => {
                let place = self.expr(self.kids(id).need());
                match base.kind {
                    ExprKind::Name(name) if name == "grad" => ExprKind::Grad { part: None, at: Some(Box::new(place)) },
                    ExprKind::Grad { part, at: None } => ExprKind::Grad { part, at: Some(Box::new(place)) },
                    _ => {
                        self.report(
                            Diagnostic::error("E0156", self.span(id), "only `grad` can be taken `at (..)` a point")
                                .here("belongs to `grad`")
                                .help("at a given step a quantity is `at(x, step = k)`"),
                        );
                        base.kind
                    }
                }
            }
            _ => {
                let args = self.kids(id).map(|arg| self.arg(arg)).collect();
                if let Some(name) = dotted(&base) {
                    ExprKind::Call { name, args, args_span: self.span(id) }
                } else {
                    self.report(
                        Diagnostic::error("E0157", self.span(id), "only a function's name can be called")
                            .here("these arguments belong to no function"),
                    );
                    base.kind
                }
            }
        };
        Expr { span, kind }
    }

    fn arg(&mut self, id: Id) -> Arg {
        let mut kids = self.kids(id);
        let first = kids.need();
        match self.rule(first) {
            Rule::setting => {
                let (name, value) = self.binding(first);
                Arg::Named(name, value)
            }
            Rule::axis => {
                let (name, value) = self.binding(first);
                Arg::In(name, value)
            }
            _ => {
                let value = self.expr(first);
                Arg::Positional(match kids.next() {
                    None => value,
                    Some(over) => {
                        let mut axes: Vec<Ident> = self.kids(over).map(|name| self.ident(name)).collect();
                        if axes.len() == 1 && axes[0].name == "all" {
                            axes.clear();
                        }
                        Expr { span: value.span.to(self.span(over)), kind: ExprKind::Over { value: Box::new(value), axes } }
                    }
                })
            }
        }
    }

    /// A name and an expression: `name = e`, `name in e`, `name <- e`, `name ~ e`.
    pub(super) fn binding(&mut self, id: Id) -> (Ident, Expr) {
        let mut kids = self.kids(id);
        let name = self.ident(kids.need());
        (name, self.expr(kids.need()))
    }

    fn index_item(&mut self, id: Id) -> IndexItem {
        let span = self.span(id);
        let mut places: [Option<Expr>; 3] = [None, None, None];
        let mut colons = 0;
        self.slice_parts(id, &mut places, &mut colons);
        let [start, stop, step] = places;
        match start {
            Some(Expr { kind: ExprKind::None, .. }) if colons == 0 => IndexItem::NewAxis(span),
            Some(expr) if colons == 0 => IndexItem::At(expr),
            start => IndexItem::Slice { span, start: start.map(Box::new), stop: stop.map(Box::new), step: step.map(Box::new) },
        }
    }

    fn slice_parts(&mut self, id: Id, places: &mut [Option<Expr>; 3], colons: &mut usize) {
        let mut at = id + 1;
        while at < self.tree.nodes[id].end {
            match self.rule(at) {
                Rule::colon => *colons += 1,
                Rule::slice_rest => self.slice_parts(at, places, colons),
                _ => places[*colons] = Some(self.expr(at)),
            }
            at = self.tree.nodes[at].end;
        }
    }

    fn if_expr(&mut self, id: Id) -> Expr {
        let mut parts = self.exprs(id);
        let otherwise = Box::new(parts.pop().expect("internal: an `if` has an `else`"));
        let mut branches = Vec::with_capacity(parts.len() / 2);
        let mut parts = parts.into_iter();
        while let (Some(condition), Some(value)) = (parts.next(), parts.next()) {
            branches.push((condition, value));
        }
        Expr { span: self.span(id), kind: ExprKind::If { branches, otherwise } }
    }

    fn scan(&mut self, id: Id) -> Expr {
        let mut scan = Scan { carries: Vec::new(), over: Vec::new(), lines: Vec::new(), value: None };
        for kid in self.kids(id) {
            match self.rule(kid) {
                Rule::binding => scan.carries.push(self.binding(kid)),
                Rule::element => scan.over.push(self.binding(kid)),
                _ => self.scan_lines(kid, &mut scan),
            }
        }
        Expr { span: self.span(id), kind: ExprKind::Scan(Box::new(scan)) }
    }

    fn scan_lines(&mut self, id: Id, scan: &mut Scan) {
        for line in self.kids(id) {
            let inner = self.kids(line).need();
            let span = self.span(line);
            let kind = match self.rule(inner) {
                Rule::yield_line => {
                    let value = self.expr(self.kids(inner).need());
                    if scan.value.is_some() {
                        self.report(Diagnostic::error("E0158", span, "a scan yields once").here("a second `yield`"));
                    }
                    scan.value = Some(value);
                    continue;
                }
                Rule::update => {
                    let (name, value) = self.binding(inner);
                    RuleLineKind::Update(name, value)
                }
                _ => self.rule_let(inner),
            };
            scan.lines.push(RuleLine { span, kind });
        }
    }

    /// `let a = e` or `let z ~ e` in a rule or scan.
    pub(super) fn rule_let(&mut self, id: Id) -> RuleLineKind {
        let mut kids = self.kids(id);
        let name = self.ident(kids.need());
        match self.start(kids.next()) {
            Start::Draw(draw) => RuleLineKind::Draw(name, draw),
            Start::Value(value) => RuleLineKind::Let(name, value),
            Start::Missing => unreachable!("internal: the grammar puts a value here"),
        }
    }

    /// What a `value` or `draw` node gives.
    pub(super) fn start(&mut self, id: Option<Id>) -> Start {
        match id {
            None => Start::Missing,
            Some(id) => {
                let expr = self.expr(self.kids(id).need());
                if self.rule(id) == Rule::draw { Start::Draw(expr) } else { Start::Value(expr) }
            }
        }
    }
}

/// The dotted name that an expression is, if it is one.
fn dotted(expr: &Expr) -> Option<Ident> {
    match &expr.kind {
        ExprKind::Name(name) => Some(Ident { name: name.clone(), span: expr.span }),
        ExprKind::Field { base, field } => {
            dotted(base).map(|base| Ident { name: format!("{}.{}", base.name, field.name), span: expr.span })
        }
        _ => None,
    }
}

/// Stands where something was too deep; the item is given up.
fn placeholder(span: Span) -> Expr {
    Expr { span, kind: ExprKind::None }
}

/// Gives up the rest of a flat list.
fn skip(flat: &mut Flat, span: Span) -> Expr {
    flat.at = flat.pieces.len();
    placeholder(span)
}
