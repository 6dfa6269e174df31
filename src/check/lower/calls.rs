//! Calls of declared functions and schedules: the body takes the place of the call.
//!
//! Built-in functions are in `builtins`.

use super::{Frame, Lower, R, Reported, Val};
use crate::check::builtins;
use crate::check::messages;
use crate::diag::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{Arg, Expr, FnBody, Ident};
use std::collections::BTreeMap;

/// How deep functions may call each other.
const CALL_DEPTH: usize = 64;

impl Lower<'_> {
    pub(super) fn call(&mut self, expr: &Expr, name: &Ident, args: &[Arg]) -> R<Val> {
        if self.decls.function(&self.module, &name.name).is_some() {
            return self.inline(name, args, expr.span);
        }
        builtins::call(self, expr, name, args)
    }

    /// A declared function or schedule, with its body in place of the call.
    pub(super) fn inline(&mut self, name: &Ident, args: &[Arg], span: Span) -> R<Val> {
        let Some(f) = self.decls.function(&self.module, &name.name).cloned() else { return Err(Reported) };
        let full = format!("{}{}", f.module, f.name.name);
        let keyword = if f.schedule { "schedule" } else { "fn" };
        if self.calls.contains(&full) || self.calls.len() >= CALL_DEPTH {
            let message = format!("{keyword} `{}` calls itself", name.name);
            return self.fail(Diagnostic::error("E0216", name.span, message).here("called here again").label(f.name.span, "declared here"));
        }
        if f.schedule && self.local("t").is_none() {
            return self.fail(messages::schedule_as_value(&name.name, span, f.name.span));
        }
        let mut frame = Frame { names: BTreeMap::new(), sealed: false, what: "a function" };
        let mut ok = true;
        let mut place = 0;
        for arg in args {
            let (formal, value) = match arg {
                Arg::Positional(value) => {
                    let formal = f.formals.get(place);
                    place += 1;
                    (formal, value)
                }
                Arg::Named(given, value) => (f.formals.iter().find(|formal| formal.name.name == given.name), value),
                Arg::In(given, value) => {
                    let message = format!("`{} in ..` is an axis of a sweep; an argument is given with `=`", given.name);
                    self.diags.push(Diagnostic::error("E0218", given.span, message).here("here"));
                    ok = false;
                    (None, value)
                }
            };
            let Some(formal) = formal else {
                if ok {
                    let list: Vec<&str> = f.formals.iter().map(|formal| formal.name.name.as_str()).collect();
                    let at = if let Arg::Named(given, _) = arg { given.span } else { value.span };
                    let message = format!(
                        "{keyword} `{}` has {}",
                        name.name,
                        if list.is_empty() { "no arguments".to_string() } else { format!("the arguments {}", list.join(", ")) }
                    );
                    self.diags.push(Diagnostic::error("E0219", at, message).here("no such argument").label(f.name.span, "declared here"));
                    ok = false;
                }
                continue;
            };
            if frame.names.contains_key(&formal.name.name) {
                self.diags.push(messages::given_twice(&formal.name.name, value.span));
                ok = false;
                continue;
            }
            match self.value(value) {
                Ok(value) => {
                    frame.names.insert(formal.name.name.clone(), value);
                }
                Err(Reported) => ok = false,
            }
        }
        // What the body may see besides its arguments: the run's counters stay visible in a schedule.
        let outer = std::mem::take(&mut self.frames);
        let module = std::mem::replace(&mut self.module, f.module.clone());
        if let Some(rule) = outer.iter().find(|frame| frame.sealed) {
            let counters = ["t", "epoch", "steps"];
            let names =
                counters.iter().filter(|_| f.schedule).filter_map(|n| rule.names.get(*n).map(|v| ((*n).to_string(), v.clone()))).collect();
            self.frames.push(Frame { names, sealed: rule.what == "an update rule", what: rule.what });
        } else if f.schedule {
            let counters = ["t", "epoch", "steps"];
            let names = outer
                .iter()
                .flat_map(|frame| frame.names.iter().filter(|(n, _)| counters.contains(&n.as_str())).map(|(n, v)| (n.clone(), v.clone())))
                .collect();
            self.frames.push(Frame { names, sealed: false, what: "a schedule" });
        }
        self.calls.push(full);
        for formal in &f.formals {
            if frame.names.contains_key(&formal.name.name) {
                continue;
            }
            match &formal.default {
                Some(default) => {
                    self.frames.push(frame.clone());
                    let value = self.value(default);
                    self.frames.pop();
                    match value {
                        Ok(value) => {
                            frame.names.insert(formal.name.name.clone(), value);
                        }
                        Err(Reported) => ok = false,
                    }
                }
                None if ok => {
                    let message = format!("{keyword} `{}` needs `{}`", name.name, formal.name.name);
                    self.diags.push(Diagnostic::error("E0221", span, message).here("not given").label(formal.name.span, "has no default"));
                    ok = false;
                }
                None => {}
            }
        }
        let value = if ok { self.body(&f.body, frame) } else { Err(Reported) };
        self.calls.pop();
        self.module = module;
        self.frames = outer;
        value
    }

    fn body(&mut self, body: &FnBody, frame: Frame) -> R<Val> {
        let depth = self.frames.len();
        self.frames.push(frame);
        let value = match body {
            FnBody::Expr(e) => self.value(e),
            FnBody::Block { lets, value } => {
                for (name, e) in lets {
                    let lowered = self.value(e).unwrap_or(Val::Broken);
                    if let Some(frame) = self.frames.last_mut() {
                        frame.names.insert(name.name.clone(), lowered);
                    }
                }
                self.value(value)
            }
        };
        self.frames.truncate(depth);
        value
    }
}
