//! Builds declarations, and the lines of datasets and update rules.
//!
//! It does not check that names exist or fit.

use crate::diag::Diagnostic;

use super::super::ast::{
    CompareOp, DataLine, Expr, ExprKind, FnBody, Formal, Grading, Ident, ImportPath, ItemKind, OutLine, RuleBody, RuleLine, RuleLineKind,
    Text, Tolerance,
};
use super::super::parse::Rule;
use super::{Builder, Id};

impl Builder<'_> {
    /// A declaration from the node of an `item`.
    pub(super) fn item(&mut self, id: Id) -> ItemKind {
        let id = self.kids(id).need();
        let mut kids = self.kids(id);
        let rule = self.rule(id);
        match rule {
            Rule::rng => self.rng(id),
            Rule::claim => self.claim(id),
            Rule::expect => self.expectation(id),
            Rule::check => ItemKind::CheckGradient { loss: self.expr(kids.need()) },
            Rule::import => {
                let path = kids.need();
                let path = if self.rule(path) == Rule::text {
                    ImportPath::File(self.text(path))
                } else {
                    ImportPath::Submission(self.ident(path))
                };
                ItemKind::Import { path, alias: kids.next().map(|name| self.ident(name)) }
            }
            _ => {
                let name = self.ident(kids.need());
                self.named(rule, name, id)
            }
        }
    }

    /// A declaration that begins with a keyword and a name.
    fn named(&mut self, rule: Rule, name: Ident, id: Id) -> ItemKind {
        let mut kids = self.kids(id);
        kids.need();
        match rule {
            Rule::dataset => ItemKind::Dataset { name, lines: kids.map(|line| self.data_line(line)).collect() },
            Rule::param => {
                let shape = kids.accept(Rule::shape).map(|shape| self.exprs(shape));
                let start = kids.accept(Rule::value).or_else(|| kids.accept(Rule::draw));
                let start = self.start(start);
                let within = kids.next().map(|set| self.only_expr(set));
                ItemKind::Param { name, shape, start, within }
            }
            Rule::let_item => {
                let shape = kids.accept(Rule::shape).map(|shape| self.exprs(shape));
                ItemKind::Let { name, shape, value: self.start(kids.next()) }
            }
            Rule::hyper => ItemKind::Hyper { name, value: self.only_expr(kids.need()) },
            Rule::loss => ItemKind::Loss { name, value: self.only_expr(kids.need()) },
            Rule::metric => ItemKind::Metric { name, value: self.only_expr(kids.need()) },
            Rule::fn_item => {
                let formals = self.formals(kids.accept(Rule::formals));
                let body = kids.need();
                let body = if self.rule(body) == Rule::value { FnBody::Expr(self.only_expr(body)) } else { self.fn_block(body) };
                ItemKind::Fn { name, formals, body }
            }
            Rule::schedule => {
                let formals = self.formals(kids.accept(Rule::formals));
                ItemKind::Schedule { name, formals, value: self.only_expr(kids.need()) }
            }
            Rule::optimizer => {
                let formals = self.formals(kids.accept(Rule::formals));
                let body = kids.need();
                let body = if self.rule(body) == Rule::value {
                    RuleBody::Compose(self.only_expr(body))
                } else {
                    RuleBody::Lines(self.rule_lines(body))
                };
                ItemKind::Optimizer { name, formals, body }
            }
            Rule::sweep => {
                let base = kids.accept(Rule::base).map(|base| self.ident(self.kids(base).need()));
                ItemKind::Sweep { name, base, lines: self.sweep_lines(kids.need()) }
            }
            Rule::plot => ItemKind::Plot { name, lines: self.out_lines(kids.need()) },
            _ => ItemKind::Table { name, lines: self.out_lines(kids.need()) },
        }
    }

    /// The expression that a node is wrapped around.
    pub(super) fn only_expr(&mut self, id: Id) -> Expr {
        self.expr(self.kids(id).need())
    }

    fn rng(&mut self, id: Id) -> ItemKind {
        let seed = self.only_expr(id);
        match seed.kind {
            ExprKind::Call { ref name, ref args, .. } if name.name == "numpy" => match args.as_slice() {
                [super::super::ast::Arg::Positional(seed)] => return ItemKind::Rng { numpy: true, seed: seed.clone() },
                _ => {
                    self.out
                        .push(Diagnostic::error("E0159", seed.span, "`numpy` takes the seed, a whole number").here("such as `numpy(42)`"));
                }
            },
            _ => {}
        }
        ItemKind::Rng { numpy: false, seed }
    }

    fn formals(&mut self, id: Option<Id>) -> Vec<Formal> {
        let Some(id) = id else { return Vec::new() };
        let mut formals = Vec::new();
        for formal in self.kids(id) {
            let mut kids = self.kids(formal);
            let name = self.ident(kids.need());
            formals.push(Formal { name, default: kids.next().map(|value| self.only_expr(value)) });
        }
        formals
    }

    fn fn_block(&mut self, id: Id) -> FnBody {
        let mut lets = Vec::new();
        let mut value = None;
        for kid in self.kids(id) {
            match self.rule(kid) {
                Rule::fn_let => lets.push(self.binding(kid)),
                _ => value = Some(self.expr(kid)),
            }
        }
        FnBody::Block { lets, value: value.expect("internal: a function returns") }
    }

    fn claim(&mut self, id: Id) -> ItemKind {
        let mut kids = self.kids(id);
        let cond = self.expr(kids.need());
        let mut grading = Grading::default();
        let mut allow_open = false;
        for clause in kids {
            match self.rule(clause) {
                Rule::allow_open => allow_open = true,
                _ => self.grading(clause, &mut grading),
            }
        }
        match cond.kind {
            ExprKind::Compare { op: CompareOp::Eq, left, right, .. } => ItemKind::Claim { left: *left, right: *right, grading, allow_open },
            ExprKind::Compare { op_span, .. } => {
                self.report(
                    Diagnostic::error("E0160", op_span, "a claim says that two things are equal")
                        .here("not `==`")
                        .replace(op_span, "==", "write"),
                );
                ItemKind::Claim { left: cond.clone(), right: cond, grading, allow_open }
            }
            _ => {
                self.report(
                    Diagnostic::error("E0160", cond.span, "a claim says that two things are equal").here("equal to what?").replace(
                        cond.span.end(),
                        " == ?answer",
                        "leave a blank until you know",
                    ),
                );
                ItemKind::Claim { left: cond.clone(), right: cond, grading, allow_open }
            }
        }
    }

    fn expectation(&mut self, id: Id) -> ItemKind {
        let mut kids = self.kids(id);
        let cond = self.expr(kids.need());
        let tolerance = kids.accept(Rule::tolerance).map(|tolerance| {
            let value = self.only_expr(tolerance);
            Tolerance { value, percent: self.has(tolerance, Rule::percent), span: self.span(tolerance) }
        });
        let mut grading = Grading::default();
        let mut filters: Vec<OutLine> = Vec::new();
        for clause in kids {
            match self.rule(clause) {
                Rule::from | Rule::for_clause => filters.push(self.out_clause(clause)),
                _ => self.grading(clause, &mut grading),
            }
        }
        ItemKind::Expect { cond, tolerance, filters, grading }
    }

    fn grading(&mut self, id: Id, grading: &mut Grading) {
        let span = self.span(id);
        let twice = match self.rule(id) {
            Rule::points_clause => grading.points.replace(self.only_expr(id)).is_some(),
            Rule::hint => {
                let text: Text = self.text(self.kids(id).need());
                grading.hint.replace(text).is_some()
            }
            _ => grading.hidden.replace(span).is_some(),
        };
        if twice {
            self.report(Diagnostic::error("E0161", span, "this is said twice").here("once is enough").replace(span, "", "remove it"));
        }
    }

    fn data_line(&mut self, id: Id) -> DataLine {
        let line = self.kids(id).need();
        let mut kids = self.kids(line);
        match self.rule(line) {
            Rule::binding => {
                let (name, value) = self.binding(line);
                DataLine::Column { name, value }
            }
            Rule::column_draw => {
                let name = self.ident(kids.need());
                let shape = kids.accept(Rule::shape).map(|shape| self.exprs(shape));
                DataLine::Draw { name, shape, draw: self.only_expr(kids.need()) }
            }
            Rule::csv => DataLine::Csv { path: self.text(kids.need()), options: kids.map(|option| self.binding(option)).collect() },
            Rule::text_file => {
                DataLine::TextFile { path: self.text(kids.need()), options: kids.map(|option| self.binding(option)).collect() }
            }
            Rule::data_rows => DataLine::Rows(self.expr(kids.need())),
            Rule::data_columns => DataLine::Columns(kids.map(|name| self.ident(name)).collect()),
            Rule::keep => DataLine::Keep(self.expr(kids.need())),
            Rule::drop_missing => DataLine::DropMissing(self.span(line)),
            _ => DataLine::Split { span: self.span(line), parts: kids.map(|part| self.binding(part)).collect() },
        }
    }

    fn rule_lines(&mut self, id: Id) -> Vec<RuleLine> {
        self.kids(id).map(|line| RuleLine { span: self.span(line), kind: self.rule_line(line) }).collect()
    }

    fn rule_line(&mut self, id: Id) -> RuleLineKind {
        let line = self.kids(id).need();
        let mut kids = self.kids(line);
        match self.rule(line) {
            Rule::update => {
                let (name, value) = self.binding(line);
                RuleLineKind::Update(name, value)
            }
            Rule::state => RuleLineKind::State(kids.map(|binding| self.binding(binding)).collect()),
            Rule::shared => RuleLineKind::Shared(kids.map(|binding| self.binding(binding)).collect()),
            Rule::rule_let => self.rule_let(line),
            Rule::when => {
                let condition = self.expr(kids.need());
                RuleLineKind::When(condition, self.rule_lines(kids.need()))
            }
            Rule::each_epoch => RuleLineKind::EachEpoch(self.rule_lines(kids.need())),
            _ => RuleLineKind::Report(self.expr(kids.need())),
        }
    }
}
