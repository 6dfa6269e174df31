//! Collects the declarations of a file and of what it imports: duplicates, clashes, circles of files.
//!
//! Expressions are not looked into.

use super::{Block, Claim, DataDecl, Decls, Expectation, Function, Name, RUN_NAMES, Rule, Value, ValueKind, not_yet};
use crate::check::messages;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{FileId, PathRefusal, Sources, Span, resolve_below};
use crate::syntax;
use crate::syntax::ast::{FnBody, Formal, Ident, ImportPath, Item, ItemKind};
use std::path::PathBuf;

/// Collects the declarations of a parsed file and of what it imports.
pub(crate) fn collect(sources: &mut Sources, root: FileId, file: syntax::ast::File, diags: &mut Diagnostics) -> Decls {
    let mut decls = Decls::default();
    let mut open = vec![sources.file(root).name.clone()];
    add_file(sources, root, file, "", &mut decls, &mut open, diags);
    decls
}

fn add_file(
    sources: &mut Sources,
    id: FileId,
    file: syntax::ast::File,
    module: &str,
    decls: &mut Decls,
    open: &mut Vec<String>,
    diags: &mut Diagnostics,
) {
    let main = open.len() == 1;
    for Item { doc, span, kind } in file.items {
        match kind {
            ItemKind::Rng { numpy, seed } if main => {
                if let Some((_, _, first)) = &decls.rng {
                    diags.push(messages::declared_twice(span, "the seed is declared twice".to_string(), *first));
                } else {
                    decls.rng = Some((numpy, seed, span));
                }
            }
            ItemKind::Dataset { name, lines } => {
                if let Some(first) = decls.datasets.iter().find(|d| d.name.name == name.name) {
                    diags.push(twice("dataset", &name, first.name.span));
                } else {
                    let folder = sources.file(id).folder.clone();
                    decls.sequence.push(Name::Dataset(name.name.clone()));
                    decls.datasets.push(DataDecl { name, lines, span, folder });
                }
            }
            ItemKind::Param { name, shape, start, within } => {
                add_value(decls, name, module, ValueKind::Param { shape, start, within }, diags);
            }
            ItemKind::Hyper { name, value } => add_value(decls, name, module, ValueKind::Hyper { value }, diags),
            ItemKind::Let { name, shape, value } => add_value(decls, name, module, ValueKind::Let { shape, value }, diags),
            ItemKind::Loss { name, value } => add_value(decls, name, module, ValueKind::Loss { value }, diags),
            ItemKind::Metric { name, value } => add_value(decls, name, module, ValueKind::Metric { value }, diags),
            ItemKind::Fn { name, formals, body } => {
                add_function(decls, Function { name, module: module.to_string(), formals, body, schedule: false }, diags);
            }
            ItemKind::Schedule { name, formals, value } => {
                add_function(
                    decls,
                    Function { name, module: module.to_string(), formals, body: FnBody::Expr(value), schedule: true },
                    diags,
                );
            }
            ItemKind::Optimizer { name, formals, body } => {
                let full = format!("{module}{}", name.name);
                if let Some(first) = decls.rules.get(&full) {
                    diags.push(twice("optimizer", &name, first.name.span));
                } else {
                    formals_once(&formals, diags);
                    decls.rules.insert(full, Rule { name, formals, body, module: module.to_string() });
                }
            }
            ItemKind::Sweep { name, base, lines } if main => {
                add_block(&mut decls.sweeps, "sweep", Block { name, doc, span, base, lines }, diags);
            }
            ItemKind::Plot { name, lines } if main => {
                add_block(&mut decls.plots, "plot", Block { name, doc, span, base: None, lines }, diags);
            }
            ItemKind::Table { name, lines } if main => {
                if matches!(name.name.as_str(), "runs" | "traces") {
                    let message = format!("no table can be called `{}`: every run writes one of that name", name.name);
                    diags.push(Diagnostic::error("E0603", name.span, message).replace(name.span, format!("my_{}", name.name), "call it"));
                }
                add_block(&mut decls.tables, "table", Block { name, doc, span, base: None, lines }, diags);
            }
            ItemKind::Expect { cond, tolerance, filters, grading } if main => {
                decls.expects.push(Expectation { span, cond, tolerance, filters, grading });
            }
            ItemKind::Claim { left, right, grading, allow_open } if main => {
                decls.claims.push(Claim { span, left, right, grading, allow_open });
            }
            ItemKind::CheckGradient { loss } if main => decls.gradients.push((span, loss)),
            ItemKind::Import { path: ImportPath::File(path), alias } => {
                let prefix = alias.map_or_else(|| module.to_string(), |alias| format!("{module}{}.", alias.name));
                if let Some((file_id, parsed)) = load_import(sources, id, &path, open, diags) {
                    open.push(sources.file(file_id).name.clone());
                    add_file(sources, file_id, parsed, &prefix, decls, open, diags);
                    open.pop();
                }
            }
            ItemKind::Import { path: ImportPath::Submission(name), .. } => diags.push(not_yet(name.span, "`import submission`")),
            // An imported file brings declarations only.
            ItemKind::Rng { .. }
            | ItemKind::Sweep { .. }
            | ItemKind::Plot { .. }
            | ItemKind::Table { .. }
            | ItemKind::Expect { .. }
            | ItemKind::Claim { .. }
            | ItemKind::CheckGradient { .. } => {}
        }
    }
}

fn load_import(
    sources: &mut Sources,
    from: FileId,
    path: &syntax::ast::Text,
    open: &[String],
    diags: &mut Diagnostics,
) -> Option<(FileId, syntax::ast::File)> {
    let folder = sources.file(from).folder.clone();
    let full = match resolve_below(&folder, &path.value) {
        Ok(full) => full,
        Err(why) => {
            diags.push(path_refused(path, why));
            return None;
        }
    };
    let name = full.strip_prefix(".").unwrap_or(&full).display().to_string();
    if open.contains(&name) {
        diags.push(Diagnostic::error("E0214", path.span, "files import each other in a circle").here("this file is being read already"));
        return None;
    }
    let bytes = match std::fs::read(&full) {
        Ok(bytes) => bytes,
        Err(error) => {
            diags.push(Diagnostic::error("E0705", path.span, format!("`{}` cannot be read: {error}", path.value)).here("imported here"));
            return None;
        }
    };
    let text = match syntax::decode(&bytes) {
        Ok(text) => text,
        Err(error) => {
            diags.push(Diagnostic::error("E0703", path.span, format!("`{}`: {error}", path.value)).help("save the file as UTF-8"));
            return None;
        }
    };
    let parent = full.parent().map_or_else(PathBuf::new, PathBuf::from);
    let id = sources.add(name, parent, text, false);
    let (file, found) = syntax::parse(sources, id);
    found.list.into_iter().for_each(|d| diags.push(d));
    Some((id, file))
}

/// A path that may not be opened.
pub(crate) fn path_refused(path: &syntax::ast::Text, why: PathRefusal) -> Diagnostic {
    let d = |message: String| Diagnostic::error("E0701", path.span, message);
    match why {
        PathRefusal::Missing => d(format!("no file `{}` beside the spec", path.value)).here("not found"),
        PathRefusal::Leaves => Diagnostic::error("E0702", path.span, "a spec reads only files below its own folder")
            .here("leads out of it")
            .help("copy the file into the spec's folder, or a folder below it"),
        PathRefusal::Link => {
            Diagnostic::error("E0702", path.span, "a spec reads only files below its own folder").here("a link that leads out of it")
        }
        PathRefusal::NotAFile => {
            Diagnostic::error("E0704", path.span, format!("`{}` is no regular file", path.value)).here("a folder or a device")
        }
    }
}

fn twice(keyword: &str, name: &Ident, first: Span) -> Diagnostic {
    messages::declared_twice(name.span, format!("{keyword} `{}` is declared twice", name.name), first)
}

fn add_block<L>(list: &mut Vec<Block<L>>, keyword: &str, block: Block<L>, diags: &mut Diagnostics) {
    if let Some(first) = list.iter().find(|known| known.name.name == block.name.name) {
        diags.push(twice(keyword, &block.name, first.name.span));
    } else {
        list.push(block);
    }
}

fn add_function(decls: &mut Decls, function: Function, diags: &mut Diagnostics) {
    let full = format!("{}{}", function.module, function.name.name);
    formals_once(&function.formals, diags);
    if let Some(first) = decls.functions.get(&full) {
        diags.push(twice(if function.schedule { "schedule" } else { "fn" }, &function.name, first.name.span));
    } else {
        decls.functions.insert(full, function);
    }
}

fn formals_once(formals: &[Formal], diags: &mut Diagnostics) {
    for (i, formal) in formals.iter().enumerate() {
        if let Some(first) = formals[..i].iter().find(|f| f.name.name == formal.name.name) {
            let message = format!("argument `{}` is declared twice", formal.name.name);
            diags.push(Diagnostic::error("E0203", formal.name.span, message).here("second").label(first.name.span, "first"));
        }
    }
}

fn add_value(decls: &mut Decls, name: Ident, module: &str, kind: ValueKind, diags: &mut Diagnostics) {
    if RUN_NAMES.contains(&name.name.as_str()) {
        let message = format!("`{}` means something in every run and cannot name a {}", name.name, kind.keyword());
        diags.push(Diagnostic::error("E0201", name.span, message).here("taken").replace(name.span, format!("{}_", name.name), "call it"));
    }
    let full = format!("{module}{}", name.name);
    if let Some(first) = decls.values.get(&full) {
        let message = if first.kind.keyword() == kind.keyword() {
            format!("{} `{}` is declared twice", kind.keyword(), name.name)
        } else {
            format!("`{}` is a {} and a {}: one name, one meaning", name.name, first.kind.keyword(), kind.keyword())
        };
        diags.push(messages::declared_twice(name.span, message, first.name.span));
        return;
    }
    decls.order.push(full.clone());
    decls.sequence.push(Name::Value(full.clone()));
    decls.values.insert(full, Value { name, module: module.to_string(), kind });
}
