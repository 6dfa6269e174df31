//! Claims and checks of gradients: both sides in a graph of their own, so that what is claimed changes nothing that runs.
//!
//! Whether a claim holds is found in `ask`.

use std::collections::BTreeMap;

use super::decls::{self, Claim, Decls, Rule, walk};
use super::lower::{Frame, Lower, Model, R, Reported, Val};
use super::messages;
use super::model::Declared;
use super::rule::{Problem, RuleGraph, Stage, apply};
use super::sweep::{counters, words};
use crate::diag::{Diagnostic, Diagnostics};
use crate::expr::diff;
use crate::expr::graph::{Id, InputKind};
use crate::expr::op::InputId;
use crate::shape::Shape;
use crate::source::{Sources, Span};
use crate::syntax::ast::{Arg, Expr, ExprKind, RuleBody, RuleLine, RuleLineKind};
use crate::syntax::print;

/// A claim that makes sense.
#[derive(Debug, Clone)]
pub(crate) struct ClaimSpec {
    pub(crate) text: String,
    pub(crate) span: Span,
    pub(crate) line: usize,
    pub(crate) points: Option<f64>,
    pub(crate) hint: Option<String>,
    pub(crate) hidden: bool,
    pub(crate) allow_open: bool,
    pub(crate) what: Claimed,
}

/// What is claimed to be equal.
#[derive(Debug, Clone)]
pub(crate) enum Claimed {
    /// Two values of one shape, in the graph of [`Asked`].
    Values(Id, Id),
    /// Two update rules.
    Rules(Box<TwoRules>),
}

/// Two update rules applied to the same made-up parameters, gradients and arguments.
#[derive(Debug, Clone)]
pub(crate) struct TwoRules {
    pub(crate) model: Model,
    pub(crate) rules: [RuleGraph; 2],
    pub(crate) params: Vec<(String, Id)>,
    /// The counters `t`, `epoch`, `steps`.
    pub(crate) counters: [(&'static str, Id); 3],
    /// Arguments and made-up numbers, with what they usually are.
    pub(crate) args: Vec<(String, InputId, Option<f64>)>,
    /// Whether one of them asks for gradients elsewhere: then a few kinds of gradients prove nothing about all.
    pub(crate) looks: bool,
}

/// What a file asks to be proved or compared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// The model, with both sides of all claims.
    pub(crate) model: Model,
    pub(crate) claims: Vec<ClaimSpec>,
    pub(crate) gradients: Vec<GradientCheck>,
}

/// `check gradient of L`.
#[derive(Debug, Clone)]
pub(crate) struct GradientCheck {
    /// The name, or the text, of what is differentiated.
    pub(crate) name: String,
    pub(crate) loss: Id,
}

/// Checks the claims of a file, and its checks of gradients.
pub(crate) fn claims(sources: &Sources, model: &Model, decls: &Decls, declared: &Declared, diags: &mut Diagnostics) -> Asked {
    let mut asked = Asked { model: model.clone(), ..Asked::default() };
    for claim in &decls.claims {
        let mut checker = Claims { model: &mut asked.model, decls, diags };
        if let Ok(spec) = checker.claim(claim, sources) {
            asked.claims.push(spec);
        }
    }
    for (span, e) in &decls.gradients {
        let mut checker = Claims { model: &mut asked.model, decls, diags };
        if let Ok(loss) = checker.differentiated(*span, e, declared) {
            asked.gradients.push(GradientCheck { name: print::expr(e), loss });
        }
    }
    asked
}

/// The names of rules that claims mention.
pub(crate) fn mentioned(decls: &Decls) -> Vec<String> {
    let sides = decls.claims.iter().flat_map(|claim| [&claim.left, &claim.right]);
    sides.flat_map(|e| stages_of(e)).filter_map(|e| named(e).map(|(name, _)| name)).collect()
}

/// `a |> b` as its parts.
fn stages_of(e: &Expr) -> Vec<&Expr> {
    match &e.kind {
        ExprKind::Pipe(parts) => parts.iter().collect(),
        ExprKind::Paren(inner) => stages_of(inner),
        _ => vec![e],
    }
}

/// A name with arguments, as an optimizer is written.
fn named(e: &Expr) -> Option<(String, &[Arg])> {
    match &e.kind {
        ExprKind::Name(name) => Some((name.clone(), &[])),
        ExprKind::Field { .. } => Some((print::expr(e), &[])),
        ExprKind::Call { name, args, .. } => Some((name.name.clone(), args)),
        _ => None,
    }
}

struct Claims<'c> {
    model: &'c mut Model,
    decls: &'c Decls,
    diags: &'c mut Diagnostics,
}

impl Claims<'_> {
    fn fail<T>(&mut self, diagnostic: Diagnostic) -> R<T> {
        self.diags.push(diagnostic);
        Err(Reported)
    }

    fn claim(&mut self, claim: &Claim, sources: &Sources) -> R<ClaimSpec> {
        let (left, right) = (self.rules(&claim.left), self.rules(&claim.right));
        let what = match (left, right) {
            (Some(left), Some(right)) => Claimed::Rules(Box::new(self.two_rules(&left, &right)?)),
            (None, None) => self.values(claim)?,
            (left, _) => {
                let (rule, value) = if left.is_some() { (&claim.left, &claim.right) } else { (&claim.right, &claim.left) };
                return self.fail(
                    Diagnostic::error("E0641", value.span, "an update rule can only equal another one")
                        .here("a value")
                        .label(rule.span, "an update rule"),
                );
            }
        };
        let points = match &claim.grading.points {
            Some(e) => Some(Lower::new(self.model, self.decls, self.diags).constant(e, "points")?),
            None => None,
        };
        Ok(ClaimSpec {
            text: format!("{} == {}", print::expr(&claim.left), print::expr(&claim.right)),
            span: claim.span,
            line: sources.line_column(claim.span).0,
            points,
            hint: claim.grading.hint.as_ref().map(|t| t.value.clone()),
            hidden: claim.grading.hidden.is_some(),
            allow_open: claim.allow_open,
            what,
        })
    }

    /// The rules that a side names, if it names rules and no value.
    fn rules<'e>(&self, e: &'e Expr) -> Option<Vec<(Rule, &'e Expr, &'e [Arg])>> {
        let one = |part: &'e Expr| {
            let (name, args) = named(part)?;
            if self.decls.value("", &name).is_some() || self.decls.function("", &name).is_some() {
                return None;
            }
            self.decls.rules.get(&name).map(|rule| (rule.clone(), part, args))
        };
        stages_of(e).into_iter().map(one).collect()
    }

    fn values(&mut self, claim: &Claim) -> R<Claimed> {
        let (left, right) = {
            let mut lower = Lower::new(self.model, self.decls, self.diags);
            (lower.node(&claim.left), lower.node(&claim.right))
        };
        let (mut left, mut right) = (left?, right?);
        let (a, b) = (self.model.graph.shape(left).clone(), self.model.graph.shape(right).clone());
        if b.is_scalar() {
            right = self.model.graph.broadcast_to(right, &a);
        } else if a.is_scalar() {
            left = self.model.graph.broadcast_to(left, &b);
        } else if a != b {
            let (x, y) = (self.model.show(left), self.model.show(right));
            let d = Diagnostic::error("E0640", claim.span, "the two sides of a claim have the same shape");
            return self.fail(d.label(claim.left.span, x).label(claim.right.span, y));
        }
        Ok(Claimed::Values(left, right))
    }

    /// A number that depends on a parameter.
    fn differentiated(&mut self, span: Span, e: &Expr, declared: &Declared) -> R<Id> {
        let loss = Lower::new(self.model, self.decls, self.diags).scalar(e, "what is differentiated")?;
        let felt = |p: &super::model::ParamInfo| diff::depends_differentiably(&self.model.graph, loss, p.id);
        let wrt: Vec<Id> = declared.params.iter().filter(|p| felt(p)).map(|p| p.id).collect();
        if wrt.is_empty() {
            let message = format!("`{}` has no slope in any parameter", print::expr(e));
            return self.fail(Diagnostic::error("E0642", e.span, message).here("nothing to differentiate").label(span, "asked here"));
        }
        if let Err(why) = diff::gradient(&mut self.model.graph, loss, &wrt) {
            let diagnostic = messages::not_differentiable(self.model, &why, e.span);
            return self.fail(diagnostic);
        }
        Ok(loss)
    }

    fn two_rules(&mut self, left: &[(Rule, &Expr, &[Arg])], right: &[(Rule, &Expr, &[Arg])]) -> R<TwoRules> {
        let mut model = Model::default();
        let counters = counters(&mut model);
        let shapes = [("a", Shape::scalar()), ("b", Shape::fixed(&[3]))];
        let params: Vec<(String, Id)> =
            shapes.iter().map(|(n, s)| ((*n).to_string(), model.graph.input(*n, InputKind::Param, s.clone()))).collect();
        let loss = model.graph.input("loss", InputKind::Shared, Shape::scalar());
        let looks = left.iter().chain(right).any(|(rule, ..)| looks_elsewhere(rule));
        let mut grads = Vec::new();
        for ((name, shape), (_, param)) in shapes.iter().zip(&params) {
            let g = model.graph.input(format!("gradient of {name}"), InputKind::State, shape.clone());
            // Where gradients elsewhere are asked for, the gradient must depend on the place.
            grads.push(if looks {
                let slope = model.graph.unary(crate::expr::op::Unary::Tanh, *param);
                let product = model.graph.binary(crate::expr::op::Binary::Mul, g, slope);
                model.graph.binary(crate::expr::op::Binary::Add, product, *param)
            } else {
                g
            });
        }
        let mut made = Made { model, args: Vec::new() };
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for (side, others, stages) in [(left, right, &mut first), (right, left, &mut second)] {
            for (place, (rule, e, args)) in side.iter().enumerate() {
                let other = others.get(place).map(|(rule, _, args)| (rule, *args));
                stages.push(self.stage(&mut made, rule, e.span, args, other, &counters)?);
            }
        }
        let Made { mut model, mut args } = made;
        if let Some(input) = model.graph.as_input(loss) {
            args.push(("loss".to_string(), input, None));
        }
        let problem = Problem { params: &params, loss, grads: &grads, full: &grads, counters };
        let rules =
            [apply(&mut model, self.decls, self.diags, &first, &problem)?, apply(&mut model, self.decls, self.diags, &second, &problem)?];
        Ok(TwoRules { model, rules, params, counters, args, looks })
    }

    /// A rule with its arguments: as written, else shared with the other side's argument of the same name, else its default.
    fn stage(
        &mut self,
        made: &mut Made,
        rule: &Rule,
        span: Span,
        args: &[Arg],
        other: Option<(&Rule, &[Arg])>,
        counters: &[(&'static str, Id); 3],
    ) -> R<Stage> {
        let RuleBody::Lines(_) = &rule.body else {
            return self.fail(decls::not_yet(rule.name.span, "an optimizer declared as a chain of stages"));
        };
        let mut values: BTreeMap<String, Val> = BTreeMap::new();
        for arg in args {
            let known = |name: &str| rule.formals.iter().any(|f| f.name.name == name);
            match arg {
                Arg::Named(name, _) if known(&name.name) => {}
                Arg::Named(name, _) => {
                    let formals: Vec<&str> = rule.formals.iter().map(|f| f.name.name.as_str()).collect();
                    return self.fail(super::sweep::no_argument(&rule.name.name, &formals, name, None));
                }
                Arg::Positional(e) | Arg::In(_, e) => {
                    return self.fail(
                        Diagnostic::error("E0643", e.span, "in a claim the arguments of a rule are named, each with one value")
                            .here("such as `adam(eps = 1e-8)`"),
                    );
                }
            }
        }
        let given = |list: &[Arg], name: &str| {
            list.iter().find_map(|arg| if let Arg::Named(n, e) = arg { (n.name == name).then(|| e.clone()) } else { None })
        };
        for formal in &rule.formals {
            let name = &formal.name.name;
            let choices = words(&self.decls.rules, rule, name);
            let theirs = other.and_then(|(rule, args)| {
                let formal = rule.formals.iter().find(|f| f.name.name == *name)?;
                if given(args, name).is_some() { None } else { Some(formal.default.clone()) }
            });
            let agree = match (&theirs, &formal.default) {
                (Some(Some(a)), Some(b)) => print::expr(a) == print::expr(b),
                (Some(_), _) => true,
                (None, default) => default.is_none(),
            };
            let written = given(args, name);
            let value = match (&written, &formal.default) {
                (Some(Expr { kind: ExprKind::Name(word), .. }), _) | (None, Some(Expr { kind: ExprKind::Name(word), .. }))
                    if !choices.is_empty() =>
                {
                    if !choices.contains(word) {
                        let at = written.as_ref().map_or(span, |e| e.span);
                        return self.fail(messages::no_choice(word, &choices, at));
                    }
                    Val::Word(word.clone())
                }
                (Some(e), _) => self.argument(made, e, &values, counters, &rule.module)?,
                (None, Some(Expr { kind: ExprKind::Number(x), .. })) if agree => made.argument(name, Some(*x)),
                (None, None) => {
                    made.argument(name, theirs.flatten().and_then(|e| if let ExprKind::Number(x) = e.kind { Some(x) } else { None }))
                }
                (None, Some(e)) => self.argument(made, &e.clone(), &values, counters, &rule.module)?,
            };
            values.insert(name.clone(), value);
        }
        Ok(Stage { rule: rule.clone(), span, args: values, own: BTreeMap::new() })
    }

    fn argument(
        &mut self,
        made: &mut Made,
        e: &Expr,
        earlier: &BTreeMap<String, Val>,
        counters: &[(&'static str, Id); 3],
        module: &str,
    ) -> R<Val> {
        let mut lower = Lower::new(&mut made.model, self.decls, self.diags);
        lower.module = module.to_string();
        let mut names = earlier.clone();
        names.extend(counters.iter().map(|(n, id)| ((*n).to_string(), Val::Node(*id))));
        lower.frames.push(Frame { names, sealed: false, what: "an argument" });
        lower.scalar(e, "an argument of a rule").map(Val::Node)
    }
}

/// The graph of two rules while it is made, and the arguments that both may use.
struct Made {
    model: Model,
    args: Vec<(String, InputId, Option<f64>)>,
}

impl Made {
    /// The argument of that name and usual value, one for both rules.
    fn argument(&mut self, name: &str, usual: Option<f64>) -> Val {
        let known = self.args.iter_mut().find(|(n, ..)| n == name);
        if let Some((_, input, value)) = known {
            *value = value.or(usual);
            let op = crate::expr::op::Op::Input(*input);
            return Val::Node(self.model.graph.add(op, &[]));
        }
        let id = self.model.graph.input(name, InputKind::Arg, Shape::scalar());
        if let Some(input) = self.model.graph.as_input(id) {
            self.args.push((name.to_string(), input, usual));
        }
        Val::Node(id)
    }
}

/// Whether a rule asks for gradients elsewhere than at the start of its step.
fn looks_elsewhere(rule: &Rule) -> bool {
    matches!(&rule.body, RuleBody::Lines(lines) if lines.iter().any(line_looks_elsewhere))
}

fn line_looks_elsewhere(line: &RuleLine) -> bool {
    let in_expr = |e: &Expr| {
        let mut found = false;
        walk(e, &mut |e| found |= matches!(e.kind, ExprKind::Grad { .. }));
        found
    };
    match &line.kind {
        RuleLineKind::State(list) | RuleLineKind::Shared(list) => list.iter().any(|(_, e)| in_expr(e)),
        RuleLineKind::Let(_, e) | RuleLineKind::Draw(_, e) | RuleLineKind::Update(_, e) | RuleLineKind::Report(e) => in_expr(e),
        RuleLineKind::When(c, lines) => in_expr(c) || lines.iter().any(line_looks_elsewhere),
        RuleLineKind::EachEpoch(lines) => lines.iter().any(line_looks_elsewhere),
    }
}
