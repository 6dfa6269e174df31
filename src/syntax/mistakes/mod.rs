//! Recognises what people type who know another notation, and says what to type instead.
//!
//! Two tables: `habits` are wrong wherever they stand and are looked for before the grammar; `stuck` are read off the place
//! where the grammar could not go on. It decides nothing about meaning.

mod characters;
mod habits;
mod inside;
mod lines;
mod middle;
mod python;
mod stuck;
mod view;
mod words;

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, Severity};

use super::scratch::Scratch;

pub(super) use habits::habits;
pub(super) use stuck::{Stuck, explain, unexpected};

/// An edit of the working copy: from, to, and what to put there.
pub(super) type Edit = (usize, usize, String);

/// A mistake, in bytes of the working copy.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    code: &'static str,
    pub(super) lo: usize,
    hi: usize,
    message: String,
    here: String,
    labels: Vec<(usize, usize, String)>,
    help: Vec<(String, Vec<Edit>)>,
    /// What to do to the working copy, where that is not the first help.
    mend: Option<Vec<Edit>>,
    /// Whether the help is a guess, to be given only if the line can be read with it.
    pub(super) tentative: bool,
    /// Whether the text can be read all the same.
    pub(super) harmless: bool,
}

impl Finding {
    fn new(code: &'static str, lo: usize, hi: usize, message: impl Into<String>) -> Self {
        Finding {
            code,
            lo,
            hi,
            message: message.into(),
            here: String::new(),
            labels: Vec::new(),
            help: Vec::new(),
            mend: None,
            tentative: false,
            harmless: false,
        }
    }

    fn here(mut self, text: impl Into<String>) -> Self {
        self.here = text.into();
        self
    }

    fn label(mut self, lo: usize, hi: usize, text: impl Into<String>) -> Self {
        self.labels.push((lo, hi, text.into()));
        self
    }

    fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push((text.into(), Vec::new()));
        self
    }

    /// Help that is an edit of the mistaken characters themselves.
    fn write(self, with: impl Into<String>) -> Self {
        let with = with.into();
        let text = format!("write `{}`", with.trim());
        let edit = (self.lo, self.hi, with);
        self.edits(text, vec![edit])
    }

    fn edits(mut self, text: impl Into<String>, edits: Vec<Edit>) -> Self {
        self.help.push((text.into(), edits));
        self
    }

    fn mend(mut self, edits: Vec<Edit>) -> Self {
        self.mend = Some(edits);
        self
    }

    fn tentative(mut self) -> Self {
        self.tentative = true;
        self
    }

    fn harmless(mut self) -> Self {
        self.harmless = true;
        self
    }

    /// The likeliest help, if it is an edit and the text cannot be read without it.
    pub(super) fn repair(&self) -> Option<&[Edit]> {
        if self.mend.is_some() {
            return self.mend.as_deref();
        }
        self.help.iter().map(|(_, edits)| edits.as_slice()).find(|edits| !edits.is_empty()).filter(|_| !self.harmless)
    }

    /// The finding in the file.
    pub(super) fn diagnostic(&self, scratch: &Scratch) -> Diagnostic {
        let span = scratch.span(self.lo, self.hi);
        let mut diagnostic = Diagnostic::error(self.code, span, self.message.clone()).here(self.here.clone());
        if self.harmless {
            diagnostic.severity = Severity::Warning;
        }
        for (lo, hi, text) in &self.labels {
            diagnostic = diagnostic.label(scratch.span(*lo, *hi), text.clone());
        }
        for (text, edits) in &self.help {
            diagnostic =
                diagnostic.edits(edits.iter().map(|(lo, hi, with)| (scratch.span(*lo, *hi), with.clone())).collect(), text.clone());
        }
        diagnostic
    }
}

/// The names of a file.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What it declares.
    declared: BTreeSet<String>,
    /// What it gives to imports.
    imported: BTreeSet<String>,
}

/// All names that a file declares or gives to an import.
pub(super) fn known(text: &str) -> Known {
    let tokens = super::lex::lex(text);
    let mut known = Known::default();
    for pair in tokens.windows(2) {
        let (word, name) = (pair[0].of(text), pair[1].of(text));
        if word == "as" || word == "import" {
            known.imported.insert(name.to_owned());
        } else if super::layout::DECLARATIONS.contains(&word) {
            known.declared.insert(name.to_owned());
        }
    }
    known
}
