//! The bytes of a file, in pieces of valid UTF-8, counted and hashed on the way.
//!
//! It does not know what a line of a table is.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::error::{CsvErrorKind, Size};

/// Bytes read at once.
const PIECE: usize = 1 << 16;

/// A file that is being read.
pub(super) struct Input {
    file: File,
    buffer: Vec<u8>,
    /// Bytes at the start of the buffer that were handed out last time.
    used: usize,
    /// Bytes of the buffer that were read.
    filled: usize,
    /// The place in the file of the buffer's first byte.
    offset: u64,
    /// Line ends before the buffer's first byte.
    lines: u64,
    limit: u64,
    hasher: blake3::Hasher,
}

impl Input {
    /// Opens a regular file; anything else is refused before it could block.
    pub(super) fn open(path: &Path, limit: u64) -> Result<Self, CsvErrorKind> {
        let before = path.metadata().map_err(|error| refusal(&error))?;
        if before.is_dir() {
            return Err(CsvErrorKind::Directory);
        }
        if !before.is_file() {
            return Err(CsvErrorKind::NotAFile);
        }
        if before.len() > limit {
            return Err(CsvErrorKind::TooLarge { what: Size::Bytes, limit, line: None });
        }
        let file = File::open(path).map_err(|error| refusal(&error))?;
        let hasher = blake3::Hasher::new();
        Ok(Input { file, buffer: vec![0; PIECE], used: 0, filled: 0, offset: 0, lines: 0, limit, hasher })
    }

    /// The next piece of text without a byte-order mark; `None` at the end of the file.
    pub(super) fn next_piece(&mut self) -> Result<Option<&str>, CsvErrorKind> {
        let first = self.offset == 0 && self.used == 0;
        self.lines += line_ends(&self.buffer[..self.used]);
        self.buffer.copy_within(self.used..self.filled, 0);
        self.filled -= self.used;
        self.offset += self.used as u64;
        self.used = 0;
        let ended = self.fill()?;
        if first && let Some(kind) = foreign(&self.buffer[..self.filled]) {
            return Err(CsvErrorKind::NotUtf8 { byte: 0, line: 1, looks_like: Some(kind) });
        }
        if self.filled == 0 {
            return Ok(None);
        }
        self.used = match std::str::from_utf8(&self.buffer[..self.filled]) {
            Ok(_) => self.filled,
            // A character may be cut in two where the piece ends, but not where the file does.
            Err(error) if error.error_len().is_none() && !ended => error.valid_up_to(),
            Err(error) => return Err(self.not_utf8(error.valid_up_to())),
        };
        let text = std::str::from_utf8(&self.buffer[..self.used]).expect("internal: checked above");
        Ok(Some(if first { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text }))
    }

    /// The hash of all bytes read.
    pub(super) fn hash(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }

    /// Fills the buffer; true at the end of the file.
    fn fill(&mut self) -> Result<bool, CsvErrorKind> {
        while self.filled < self.buffer.len() {
            match self.file.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Ok(true),
                Ok(count) => {
                    self.hasher.update(&self.buffer[self.filled..self.filled + count]);
                    self.filled += count;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(refusal(&error)),
            }
            // The file may have grown since its size was looked at.
            if self.offset + self.filled as u64 > self.limit {
                return Err(CsvErrorKind::TooLarge { what: Size::Bytes, limit: self.limit, line: None });
            }
        }
        Ok(false)
    }

    fn not_utf8(&self, at: usize) -> CsvErrorKind {
        let looks_like = Some("text in an older encoding such as Latin-1").filter(|_| !self.buffer[..self.filled].contains(&0));
        CsvErrorKind::NotUtf8 { byte: self.offset + at as u64, line: 1 + self.lines + line_ends(&self.buffer[..at]), looks_like }
    }
}

/// What the first bytes say about a file that is no plain text.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    const SIGNS: [(&[u8], &str); 6] = [
        (b"\xff\xfe", "text in UTF-16"),
        (b"\xfe\xff", "text in UTF-16"),
        (b"PK\x03\x04", "an Excel workbook or a zip archive"),
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"PAR1", "a Parquet file"),
    ];
    SIGNS.iter().find(|(sign, _)| bytes.starts_with(sign)).map(|&(_, kind)| kind)
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.split(|&byte| byte == b'\n').count() as u64 - 1
}

fn refusal(error: &std::io::Error) -> CsvErrorKind {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => CsvErrorKind::Missing,
        ErrorKind::IsADirectory => CsvErrorKind::Directory,
        ErrorKind::PermissionDenied => CsvErrorKind::Unreadable("permission denied".to_owned()),
        _ => CsvErrorKind::Unreadable(error.to_string()),
    }
}
