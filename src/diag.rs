//! What went wrong in the user's text: a code, a place, what was found and expected, and help.
//!
//! It draws one diagnostic; it does not decide what is wrong.

use crate::source::{Sources, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The spec cannot run.
    Error,
    /// It can, but probably does not mean this.
    Warning,
    /// Something worth knowing.
    Note,
}

/// A place with a remark; the remark may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there.
    pub text: String,
}

/// What to do about it. A replacement, applied literally, makes the mistake go away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Help {
    /// The sentence.
    pub text: String,
    /// Pieces of text to put in place of spans (an empty span inserts).
    pub edits: Vec<(Span, String)>,
}

/// One finding about the user's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, such as `E0304`. One code is used for one mistake.
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// The headline: lower case, names in backticks, the student's words.
    pub message: String,
    /// Where it is.
    pub primary: Label,
    /// Evidence: where a shape, a name or a value came from.
    pub labels: Vec<Label>,
    /// What to type, likeliest first.
    pub help: Vec<Help>,
}

impl Diagnostic {
    /// The digits of the code.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.code.get(1..).and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    /// Whether it is a blank (`?name`) that nobody has filled in yet.
    pub fn is_blank(&self) -> bool {
        self.number() == 10
    }

    /// An error at a place.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, span, message)
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, span, message)
    }

    /// A note at a place.
    pub fn note(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, span, message)
    }

    fn new(code: &'static str, severity: Severity, span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity,
            message: message.into(),
            primary: Label { span, text: String::new() },
            labels: Vec::new(),
            help: Vec::new(),
        }
    }

    /// The remark at the primary place.
    #[must_use]
    pub fn here(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// A remark elsewhere.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Advice without an edit.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(Help { text: text.into(), edits: Vec::new() });
        self
    }

    /// Advice that is an edit: put `with` in place of `span`.
    #[must_use]
    pub fn replace(self, span: Span, with: impl Into<String>, text: impl Into<String>) -> Self {
        self.edits(vec![(span, with.into())], text)
    }

    /// Advice that is several edits at once.
    #[must_use]
    pub fn edits(mut self, edits: Vec<(Span, String)>, text: impl Into<String>) -> Self {
        self.help.push(Help { text: text.into(), edits });
        self
    }
}

/// Diagnostics collected on the way; never printed from inside.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    /// In the order found.
    pub list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, unless the same mistake was reported at the same place before.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let known = self.list.iter().any(|d| d.code == diagnostic.code && d.primary.span == diagnostic.primary.span);
        if !known {
            self.list.push(diagnostic);
        }
    }

    /// Whether any is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// In the order of the text.
    pub fn sort(&mut self) {
        self.list.sort_by_key(|d| (d.primary.span.file, d.primary.span.lo, d.primary.span.hi));
    }
}

/// The name in `candidates` that is most like `name`, if one is near enough to be meant: never another single letter.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .filter(|c| *c != name)
        .map(|c| (strsim::damerau_levenshtein(&lower, &c.to_lowercase()), c))
        .filter(|&(distance, c)| {
            let shorter = name.chars().count().min(c.chars().count());
            distance <= 1 + shorter / 4 && distance < name.chars().count()
        })
        .min_by_key(|&(distance, c)| (distance, c))
        .map(|(_, c)| c)
}

/// The text of a diagnostic as the terminal shows it.
#[must_use]
pub fn render(sources: &Sources, diagnostic: &Diagnostic, colour: bool) -> String {
    use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let file = sources.file(diagnostic.primary.span.file);
    let message = printable(&diagnostic.message);
    let range = |span: Span| {
        let end = file.text.len();
        (span.lo as usize).min(end)..(span.hi as usize).min(end)
    };
    let mut snippet = Snippet::source(file.text.as_str())
        .path(printable(&file.name))
        .annotation(AnnotationKind::Primary.span(range(diagnostic.primary.span)).label(printable(&diagnostic.primary.text)));
    for label in diagnostic.labels.iter().filter(|l| l.span.file == diagnostic.primary.span.file) {
        snippet = snippet.annotation(AnnotationKind::Context.span(range(label.span)).label(printable(&label.text)));
    }
    let mut groups: Vec<Group<'_>> = vec![level.primary_title(message).id(diagnostic.code).element(snippet)];
    for label in diagnostic.labels.iter().filter(|l| l.span.file != diagnostic.primary.span.file) {
        let other = sources.file(label.span.file);
        let snippet = Snippet::source(other.text.as_str())
            .path(printable(&other.name))
            .annotation(AnnotationKind::Context.span(label.span.lo as usize..label.span.hi as usize));
        groups.push(Level::NOTE.secondary_title(printable(&label.text)).element(snippet));
    }
    for help in &diagnostic.help {
        let title = Level::HELP.secondary_title(printable(&help.text));
        groups.push(if help.edits.is_empty() {
            Group::with_title(title)
        } else {
            let target = sources.file(help.edits[0].0.file);
            let mut patch = Snippet::source(target.text.as_str()).path(printable(&target.name));
            for (span, with) in &help.edits {
                patch = patch.patch(Patch::new(span.lo as usize..span.hi as usize, with.clone()));
            }
            title.element(patch)
        });
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&groups)
}

/// Text from a file or a user, safe to print: control characters and direction marks are escaped.
#[must_use]
pub fn printable(text: &str) -> String {
    let dangerous = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if dangerous(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}
