//! From the rules that matched to the syntax tree: names, texts and numbers, and the way through a flat tree.
//!
//! Declarations, lines and expressions have a file each; what the tree means is the checker's affair.

mod decl;
mod expr;
mod out;
mod sweep;

use unicode_normalization::UnicodeNormalization;

use crate::diag::{Diagnostic, Diagnostics};
use crate::source::Span;

use super::ast::{Expr, Ident, ItemKind, Text};
use super::layout::{DEPTH_LIMIT, MOST_FINDINGS};
use super::parse::{Rule, Tree};
use super::scratch::Scratch;

/// The declarations in a tree of [`Rule::items_alone`]; nothing when they nest too deeply.
pub(super) fn items(tree: &Tree, scratch: &Scratch, out: &mut Diagnostics) -> Vec<(Span, ItemKind)> {
    let mut builder = Builder { tree, scratch, out, depth: 0, too_deep: false };
    let mut items = Vec::new();
    let all = Kids { tree, at: 0, end: tree.nodes.len() };
    for id in all.filter(|id| tree.nodes[*id].rule == Rule::item) {
        items.push((builder.span(id), builder.item(id)));
    }
    if builder.too_deep { Vec::new() } else { items }
}

/// The expression in a tree of [`Rule::expr_alone`]; nothing when it nests too deeply.
pub(super) fn expression(tree: &Tree, scratch: &Scratch, out: &mut Diagnostics) -> Option<Expr> {
    let mut builder = Builder { tree, scratch, out, depth: 0, too_deep: false };
    let expr = builder.expr(0);
    (!builder.too_deep).then_some(expr)
}

/// Index of a node.
type Id = usize;

struct Builder<'a> {
    tree: &'a Tree,
    scratch: &'a Scratch,
    out: &'a mut Diagnostics,
    depth: usize,
    too_deep: bool,
}

/// The children of a node, one after the other, without marks and keywords.
struct Kids<'a> {
    tree: &'a Tree,
    at: Id,
    end: Id,
}

impl Iterator for Kids<'_> {
    type Item = Id;

    fn next(&mut self) -> Option<Id> {
        while self.at < self.end {
            let id = self.at;
            self.at = self.tree.nodes[id].end;
            if self.tree.nodes[id].rule < Rule::assign {
                return Some(id);
            }
        }
        None
    }
}

impl Kids<'_> {
    /// The next child, if it is of this rule.
    fn accept(&mut self, rule: Rule) -> Option<Id> {
        let before = self.at;
        match self.next() {
            Some(id) if self.tree.nodes[id].rule == rule => Some(id),
            _ => {
                self.at = before;
                None
            }
        }
    }

    /// The next child, which the grammar guarantees.
    fn need(&mut self) -> Id {
        self.next().expect("internal: the grammar guarantees this child")
    }
}

impl<'a> Builder<'a> {
    fn kids(&self, id: Id) -> Kids<'a> {
        Kids { tree: self.tree, at: id + 1, end: self.tree.nodes[id].end }
    }

    fn rule(&self, id: Id) -> Rule {
        self.tree.nodes[id].rule
    }

    fn span(&self, id: Id) -> Span {
        let node = self.tree.nodes[id];
        self.scratch.span(node.lo, node.hi)
    }

    fn text_of(&self, id: Id) -> &'a str {
        let node = self.tree.nodes[id];
        &self.scratch.text[node.lo..node.hi]
    }

    /// Whether a mark or keyword stands directly in a node.
    fn has(&self, id: Id, rule: Rule) -> bool {
        let mut at = id + 1;
        while at < self.tree.nodes[id].end {
            if self.tree.nodes[at].rule == rule {
                return true;
            }
            at = self.tree.nodes[at].end;
        }
        false
    }

    /// A name, or a dotted path of names.
    fn ident(&self, id: Id) -> Ident {
        let plain = |written: &str| written.trim_matches('`').nfkc().collect::<String>();
        let name = match self.rule(id) {
            Rule::path => self.kids(id).map(|part| plain(self.text_of(part))).collect::<Vec<_>>().join("."),
            _ => plain(self.text_of(id)),
        };
        Ident { name, span: self.span(id) }
    }

    fn text(&mut self, id: Id) -> Text {
        let span = self.span(id);
        Text { value: self.unescape(id), span }
    }

    fn unescape(&mut self, id: Id) -> String {
        let written = self.text_of(id);
        let inner = &written[1..written.len() - 1];
        let mut value = String::with_capacity(inner.len());
        let mut at = 0;
        while let Some(c) = inner[at..].chars().next() {
            let start = at;
            at += c.len_utf8();
            if c != '\\' {
                value.push(c);
                continue;
            }
            let after = inner[at..].chars().next().unwrap_or('\\');
            at += after.len_utf8();
            let meant = match after {
                '"' | '\\' => Some(after),
                'n' => Some('\n'),
                't' => Some('\t'),
                'u' => match inner[at..].strip_prefix('{').and_then(|rest| rest.split_once('}')) {
                    Some((code, _)) => {
                        at += code.len() + 2;
                        u32::from_str_radix(code, 16).ok().and_then(char::from_u32)
                    }
                    None => None,
                },
                _ => None,
            };
            if let Some(c) = meant {
                value.push(c);
            } else {
                let lo = self.tree.nodes[id].lo + 1;
                let span = self.scratch.span(lo + start, lo + at);
                self.report(
                    Diagnostic::error("E0151", span, format!("`{}` is not an escape", &inner[start..at]))
                        .here("known are `\\\"`, `\\\\`, `\\n`, `\\t` and `\\u{..}`")
                        .replace(span.start(), "\\", "a backslash itself is written twice"),
                );
                value.push_str(&inner[start..at]);
            }
        }
        value
    }

    /// Keeps a finding, unless there are too many to read.
    fn report(&mut self, diagnostic: Diagnostic) {
        if self.out.list.len() < MOST_FINDINGS {
            self.out.push(diagnostic);
        }
    }

    /// Goes a level deeper, if that is allowed.
    fn deeper(&mut self, by: usize, span: Span) -> bool {
        self.depth += by;
        if self.depth > DEPTH_LIMIT {
            if !self.too_deep {
                self.report(
                    Diagnostic::error("E0105", span, format!("nested more than {DEPTH_LIMIT} deep"))
                        .here("one level too many")
                        .help("name a part of it with `let`"),
                );
            }
            self.too_deep = true;
        }
        !self.too_deep
    }
}
