//! The rewriter: applies the rule table to a fixed point, children first, always in the same order.
//!
//! It knows no rule; it has no time limits and no chance in it. The result depends on the graph below the roots alone.

use super::graph::{Graph, Id};
use super::print::{Formula, Names, formula};
use super::rules::{self, Kind, Rule};
use crate::source::Span;

/// Which rules apply beside the exact ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "one for each kind of rule")]
pub struct Options {
    /// Rules that change the order of roundings only.
    pub canonical: bool,
    /// Rules that give more accurate values.
    pub stable: bool,
    /// Rules that are wrong where a value is not finite, not positive, and so on.
    pub assuming: bool,
    /// Rules that prepare for execution: after derivatives have been taken.
    pub fused: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { canonical: true, stable: true, assuming: false, fused: false }
    }
}

impl Options {
    /// Nothing but the exact rules.
    pub const EXACT: Options = Options { canonical: false, stable: false, assuming: false, fused: false };

    /// Everything, as a proof of a `claim` may use.
    pub const ALL: Options = Options { canonical: true, stable: true, assuming: true, fused: false };

    /// The default, and the forms in which the executor computes.
    pub const FUSED: Options = Options { canonical: true, stable: true, assuming: false, fused: true };

    fn allows(self, kind: Kind) -> bool {
        match kind {
            Kind::Exact => true,
            Kind::Canonical => self.canonical,
            Kind::Stable => self.stable,
            Kind::Assuming => self.assuming,
            Kind::Fused => self.fused,
        }
    }
}

/// One application of a rule. Both nodes stay in the graph.
#[derive(Debug, Clone)]
pub struct Firing {
    /// The rule.
    pub rule: &'static Rule,
    /// What was found.
    pub before: Id,
    /// What stands in its place; it may have been rewritten further.
    pub after: Id,
    /// Where in the text what was found comes from.
    pub span: Option<Span>,
}

impl Firing {
    /// Both sides as text.
    pub fn text(&self, graph: &Graph, names: &Names) -> (Formula, Formula) {
        (formula(graph, self.before, names), formula(graph, self.after, names))
    }
}

/// What the rewriter did.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// In the order in which they happened.
    pub firings: Vec<Firing>,
    /// Whether it stopped before the fixed point, which only a pair of rules that undo each other can make happen.
    pub cut: bool,
    normal: Vec<Option<Id>>,
}

impl Report {
    /// What a node of the original expressions has become.
    pub fn image(&self, id: Id) -> Option<Id> {
        self.normal.get(id.index()).copied().flatten()
    }

    /// The names of what the named expressions have become, added to the names there are.
    #[must_use]
    pub fn follow(&self, names: &Names) -> Names {
        let mut followed = names.clone();
        for (id, name) in &names.nodes {
            if let Some(image) = self.image(*id) {
                followed.nodes.entry(image).or_insert_with(|| name.clone());
            }
        }
        followed
    }

    /// What rules of one kind did.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Firing> {
        self.firings.iter().filter(move |firing| firing.rule.kind == kind)
    }
}

/// Rewrites expressions to a fixed point of the rules; the new roots are in the order of the old ones.
///
/// Every node is seen after its arguments are final, and is offered to the rules in the order of the table. What a rule
/// makes is treated the same way. New nodes inherit the span of the node they replace.
pub fn rewrite(graph: &mut Graph, roots: &[Id], options: &Options) -> (Vec<Id>, Report) {
    let rules: Vec<&'static Rule> = rules::table().filter(|rule| options.allows(rule.kind)).collect();
    let order = graph.reachable(roots);
    let mut pass = Pass { budget: 200 * order.len() + 1000, rules, goes: Vec::new(), open: Vec::new(), report: Report::default() };
    for id in order {
        pass.normalize(graph, id);
    }
    let roots = roots.iter().map(|&root| pass.normal(root).unwrap_or(root)).collect();
    (roots, pass.report)
}

struct Pass {
    rules: Vec<&'static Rule>,
    /// What a node was replaced by, in one step.
    goes: Vec<Option<Id>>,
    /// Nodes being worked on.
    open: Vec<bool>,
    /// How many more rules may fire.
    budget: usize,
    report: Report,
}

impl Pass {
    fn normal(&self, id: Id) -> Option<Id> {
        self.report.image(id)
    }

    fn normalize(&mut self, graph: &mut Graph, id: Id) {
        let mut stack = vec![id];
        while let Some(&top) = stack.last() {
            self.goes.resize(graph.len(), None);
            self.open.resize(graph.len(), false);
            self.report.normal.resize(graph.len(), None);
            if self.normal(top).is_some() {
                stack.pop();
                continue;
            }
            if let Some(next) = self.goes[top.index()] {
                match self.normal(next) {
                    Some(end) => self.close(top, end),
                    None if self.open[next.index()] => self.circle(next),
                    None => stack.push(next),
                }
                continue;
            }
            self.open[top.index()] = true;
            let unknown: Vec<Id> = graph.node(top).args.iter().copied().filter(|&arg| self.normal(arg).is_none()).collect();
            if !unknown.is_empty() {
                for arg in unknown {
                    if self.open[arg.index()] {
                        self.circle(arg);
                    } else {
                        stack.push(arg);
                    }
                }
                continue;
            }
            match self.step(graph, top) {
                Some(next) => self.goes[top.index()] = Some(next),
                None => self.close(top, top),
            }
        }
    }

    fn close(&mut self, id: Id, normal: Id) {
        self.report.normal[id.index()] = Some(normal);
        self.open[id.index()] = false;
    }

    /// Rules that undo each other are a bug of ours; the values are right all the same.
    fn circle(&mut self, id: Id) {
        debug_assert!(
            false,
            "internal: rules go in a circle: {:?}",
            self.report.firings.iter().rev().take(6).map(|f| f.rule.name).collect::<Vec<_>>()
        );
        self.report.cut = true;
        self.close(id, id);
    }

    /// One step for a node whose arguments are final: final arguments in their places, or the first rule that applies.
    fn step(&mut self, graph: &mut Graph, id: Id) -> Option<Id> {
        let old = graph.len();
        let args: Vec<Id> = graph.node(id).args.iter().map(|&arg| self.normal(arg).unwrap_or(arg)).collect();
        let span = graph.span(id);
        let next = if args[..] == graph.node(id).args[..] {
            if self.budget == 0 {
                self.report.cut = true;
                return None;
            }
            let (rule, after) =
                self.rules.iter().find_map(|&rule| (rule.apply)(graph, id).filter(|&after| after != id).map(|after| (rule, after)))?;
            assert_eq!(graph.shape(after), graph.shape(id), "internal: rule `{}` changes a shape", rule.name);
            self.budget -= 1;
            self.report.firings.push(Firing { rule, before: id, after, span });
            after
        } else {
            let op = graph.node(id).op.clone();
            graph.add(op, &args)
        };
        if let Some(span) = span {
            for new in (old..graph.len()).map(|index| Id(index as u32)).chain([next]) {
                graph.set_span(new, span);
            }
        }
        Some(next)
    }
}
