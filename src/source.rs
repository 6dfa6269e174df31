//! Where text comes from: files, spans, and the loader that reads below one folder only.
//!
//! It does not look at what the text means.

use std::fmt;
use std::path::{Component, Path, PathBuf};

/// Index of a file in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A half-open range of bytes in one file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file the bytes are in.
    pub file: FileId,
    /// First byte.
    pub lo: u32,
    /// One past the last byte.
    pub hi: u32,
}

impl Span {
    /// A span from byte offsets.
    #[must_use]
    pub fn new(file: FileId, lo: usize, hi: usize) -> Self {
        Span { file, lo: u32::try_from(lo).unwrap_or(u32::MAX), hi: u32::try_from(hi).unwrap_or(u32::MAX) }
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span { file: self.file, lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }

    /// The empty span at this one's start.
    #[must_use]
    pub fn start(self) -> Span {
        Span { hi: self.lo, ..self }
    }

    /// The empty span at this one's end.
    #[must_use]
    pub fn end(self) -> Span {
        Span { lo: self.hi, ..self }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}..{}", self.file.0, self.lo, self.hi)
    }
}

/// One loaded file.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The name shown in messages: the path as the user wrote it.
    pub name: String,
    /// The folder that relative paths in this file start from.
    pub folder: PathBuf,
    /// The text, without a byte-order mark; line ends are `\n`.
    pub text: String,
    /// Whether it belongs to the library that ships with the program.
    pub std: bool,
}

/// All files of one compilation.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file whose text is already in memory.
    pub fn add(&mut self, name: impl Into<String>, folder: impl Into<PathBuf>, text: impl Into<String>, std: bool) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile { name: name.into(), folder: folder.into(), text: text.into(), std });
        id
    }

    /// The file.
    #[must_use]
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All files in the order they were added.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The text under a span.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).text.get(span.lo as usize..span.hi as usize).unwrap_or("")
    }

    /// Line and column, both from 1, of a span's first character; columns count characters.
    #[must_use]
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let text = &self.file(span.file).text;
        let before = text.get(..span.lo as usize).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// Why a path in a spec may not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathRefusal {
    /// It is absolute, climbs with `..`, or has a control character or a backslash.
    Leaves,
    /// A link leads out of the folder.
    Link,
    /// It is no regular file.
    NotAFile,
    /// There is nothing there.
    Missing,
}

/// Resolves a path that a spec wrote, below `folder`, and refuses what could leave it.
///
/// # Errors
/// The reason, when the path is not a regular file below the folder.
pub fn resolve_below(folder: &Path, written: &str) -> Result<PathBuf, PathRefusal> {
    let path = Path::new(written);
    let plain = !written.is_empty()
        && !written.contains(['\\', '\0'])
        && !written.chars().any(char::is_control)
        && path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !plain {
        return Err(PathRefusal::Leaves);
    }
    let root = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let full = root.join(path);
    let real_root = root.canonicalize().map_err(|_| PathRefusal::Missing)?;
    let real = full.canonicalize().map_err(|_| PathRefusal::Missing)?;
    if !real.starts_with(&real_root) {
        return Err(PathRefusal::Link);
    }
    if !real.is_file() {
        return Err(PathRefusal::NotAFile);
    }
    Ok(full)
}
