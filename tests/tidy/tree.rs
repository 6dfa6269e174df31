//! The files of the repository, by folder and ending.
//!
//! It does not look into them.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file: its path from the root, with `/`, and its text.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The folder of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// One file, if it is there.
pub(crate) fn file(path: &str) -> Option<File> {
    let text = fs::read_to_string(root().join(path)).ok()?;
    Some(File { path: path.to_owned(), text })
}

/// All text files below a folder that end in `.ending` (empty: in anything), in order. Files that are no UTF-8 are no text.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<File> {
    let mut found = Vec::new();
    collect(&root().join(folder), ending, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<File>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() {
            // What the program writes beside its specs is not ours to judge.
            if !path.ends_with("results") || path.join("mod.rs").exists() {
                collect(&path, ending, found);
            }
            continue;
        }
        let fits = ending.is_empty() || path.extension().is_some_and(|extension| extension == ending);
        if let (true, Ok(text)) = (fits, fs::read_to_string(&path)) {
            let shown = path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
            found.push(File { path: shown, text });
        }
    }
}
