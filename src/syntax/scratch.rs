//! The working copy of one item, on which help is tried out, and the way back from it to the file.
//!
//! It does not know what a repair is for.

use crate::source::{FileId, Span};

/// A text that began as a stretch of a file and may have been edited since.
#[derive(Debug, Clone)]
pub(super) struct Scratch {
    /// The text as it is now.
    pub(super) text: String,
    file: FileId,
    base: usize,
    /// Where each byte (and the end) comes from, once something was edited.
    origin: Option<Vec<usize>>,
}

impl Scratch {
    /// A copy of `text`, which stands at byte `base` of the file.
    pub(super) fn new(file: FileId, base: usize, text: &str) -> Self {
        Scratch { text: text.to_owned(), file, base, origin: None }
    }

    /// The byte of the file that a byte of the working copy comes from.
    pub(super) fn origin(&self, at: usize) -> usize {
        match &self.origin {
            None => self.base + at,
            Some(origin) => origin[at.min(origin.len() - 1)],
        }
    }

    /// A stretch of the working copy as a span of the file.
    pub(super) fn span(&self, lo: usize, hi: usize) -> Span {
        Span::new(self.file, self.origin(lo), self.origin(hi))
    }

    /// Whether this stretch stands in the file exactly so.
    pub(super) fn untouched(&self, lo: usize, hi: usize) -> bool {
        self.origin.is_none() || (lo..hi).all(|at| self.origin(at) + 1 == self.origin(at + 1))
    }

    /// Puts texts in place of stretches of the working copy. Stretches that overlap an earlier one are left out.
    pub(super) fn edit(&mut self, mut edits: Vec<(usize, usize, String)>) {
        edits.sort_by_key(|(lo, hi, _)| (*lo, *hi));
        let mut text = String::with_capacity(self.text.len());
        let mut origin = Vec::with_capacity(self.text.len() + 1);
        let mut done = 0;
        for (lo, hi, with) in edits {
            if lo < done || hi > self.text.len() {
                continue;
            }
            text.push_str(&self.text[done..lo]);
            origin.extend((done..lo).map(|at| self.origin(at)));
            text.push_str(&with);
            origin.extend(std::iter::repeat_n(self.origin(lo), with.len()));
            done = hi;
        }
        text.push_str(&self.text[done..]);
        origin.extend((done..=self.text.len()).map(|at| self.origin(at)));
        self.text = text;
        self.origin = Some(origin);
    }

    /// Blanks a stretch of the working copy.
    pub(super) fn blank(&mut self, lo: usize, hi: usize) {
        self.text = super::layout::blank_out(&self.text, &[(lo, hi)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_keep_the_way_back() {
        let mut scratch = Scratch::new(FileId(0), 10, "ab + cd");
        scratch.edit(vec![(5, 7, "xyz".to_owned()), (0, 0, "(".to_owned()), (2, 2, ")".to_owned())]);
        assert_eq!(scratch.text, "(ab) + xyz");
        assert_eq!(scratch.span(1, 3), Span::new(FileId(0), 10, 12));
        assert_eq!(scratch.span(7, 10), Span::new(FileId(0), 15, 17));
        assert!(scratch.untouched(1, 3) && !scratch.untouched(0, 3));
        scratch.edit(vec![(1, 3, String::new())]);
        assert_eq!((scratch.text.as_str(), scratch.origin(1)), ("() + xyz", 12));
    }
}
