//! Output files: all of them or none, by atomic rename, and never outside the output folder.
//!
//! It does not know what is in them.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, IntoInnerError};
use std::path::{Path, PathBuf};

use crate::pipeline::{Artifact, Content};

/// The file that marks a folder as ours.
const RECEIPT: &str = "receipt.toml";
/// The longest name, in bytes, that is made; file systems allow 255.
const LONGEST: usize = 120;

/// The folder that a run writes to.
#[derive(Debug)]
pub(super) struct OutFolder {
    path: PathBuf,
    /// Whether an earlier run wrote here, so that its files may be replaced.
    ours: bool,
}

/// `results/<spec name>`, below the current folder.
pub(super) fn default_folder(spec: &Path) -> PathBuf {
    let name = spec.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Path::new("results").join(safe_name(&name))
}

impl OutFolder {
    /// Makes the folder if need be, and makes sure that files can be written to it.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let failed = |error: &io::Error| format!("cannot write to the folder `{}`: {}", path.display(), cause(error));
        fs::create_dir_all(path).map_err(|error| match blocked_by(path) {
            Some(file) => format!("cannot write to the folder `{}`: `{}` is a file", path.display(), file.display()),
            None => failed(&error),
        })?;
        let probe = part_path(path, "probe");
        File::create(&probe).and_then(|_| fs::remove_file(&probe)).map_err(|error| failed(&error))?;
        Ok(OutFolder { path: path.to_path_buf(), ours: path.join(RECEIPT).is_file() })
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all files under safe names, which are returned in the same order. On failure the files that were there before are as they were.
    pub(super) fn write(&self, artifacts: &[Artifact]) -> Result<Vec<String>, String> {
        let names = file_names(artifacts.iter().map(|artifact| artifact.name.as_str()));
        if let Some(name) = names.iter().find(|name| !self.ours && self.path.join(name).exists()) {
            let shown = self.path.join(name);
            return Err(format!("`{}` is there already and no earlier run wrote it: choose another folder with --out", shown.display()));
        }
        let part = |name: &String| part_path(&self.path, name);
        let each = || artifacts.iter().zip(&names);
        let written = each()
            .try_for_each(|(artifact, name)| write_durably(&part(name), &artifact.content).map_err(|error| (name, error)))
            .and_then(|()| each().try_for_each(|(_, name)| fs::rename(part(name), self.path.join(name)).map_err(|error| (name, error))));
        if let Err((name, error)) = written {
            let message = format!("cannot write `{}`: {}", self.path.join(name).display(), cause(&error));
            for name in &names {
                // It may never have been made, or be in its place already.
                let _ = fs::remove_file(part(name));
            }
            return Err(message);
        }
        // Some file systems cannot synchronize a folder; the files in it are on the disk all the same.
        let _ = File::open(&self.path).and_then(|folder| folder.sync_all());
        Ok(names)
    }
}

/// Puts another text into a file, whole or not at all; its permissions stay.
pub(super) fn replace(path: &Path, text: String) -> Result<(), String> {
    // Through a link to the file itself, so that the link stays one.
    let write = || {
        let path = path.canonicalize()?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let part = part_path(path.parent().unwrap_or(Path::new("")), &name);
        let permissions = path.metadata()?.permissions();
        let written = write_durably(&part, &Content::Bytes(text.into_bytes()))
            .and_then(|()| fs::set_permissions(&part, permissions))
            .and_then(|()| fs::rename(&part, &path));
        if written.is_err() {
            // It may never have been made.
            let _ = fs::remove_file(&part);
        }
        written
    };
    write().map_err(|error| format!("cannot write `{}`: {}", path.display(), cause(&error)))
}

/// Where a file is written before it is renamed.
fn part_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!(".{name}.{}.part", std::process::id()))
}

/// Writes a new file and waits until it is on the disk.
fn write_durably(path: &Path, content: &Content) -> io::Result<()> {
    // A part that a killed run with the same process number left behind; never through a link.
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = BufWriter::new(OpenOptions::new().write(true).create_new(true).open(path)?);
    content.write(&mut file)?;
    file.into_inner().map_err(IntoInnerError::into_error)?.sync_all()
}

/// The nearest thing above that is no folder.
fn blocked_by(path: &Path) -> Option<&Path> {
    path.ancestors().find(|part| part.symlink_metadata().is_ok_and(|_| !part.is_dir()))
}

/// The system's words, without its numbers.
fn cause(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        ErrorKind::StorageFull => "no space is left on the disk".to_owned(),
        ErrorKind::QuotaExceeded => "the disk quota is used up".to_owned(),
        ErrorKind::IsADirectory => "a folder of that name is there".to_owned(),
        _ => error.to_string(),
    }
}

/// Safe names, all different also where letter case does not count.
fn file_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let distinct = |name: &str| {
        let safe = safe_name(name);
        let (stem, suffix) = safe.find('.').map_or((safe.as_str(), ""), |dot| safe.split_at(dot));
        let numbered = (2..).map(|number| format!("{stem}_{number}{suffix}"));
        let mut candidates = std::iter::once(safe.clone()).chain(numbered);
        candidates.find(|candidate| taken.insert(candidate.to_lowercase())).expect("internal: numbers do not end")
    };
    names.map(distinct).collect()
}

/// A name that is one plain file name on every system: letters, digits, `_`, `-`, and points inside.
pub(super) fn safe_name(name: &str) -> String {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com1", "lpt1"];
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' };
    let mut safe: String = name.trim_start_matches('.').chars().map(plain).collect();
    if safe.len() > LONGEST {
        // The suffix tells what the file is, so it stays.
        let suffix = safe.rfind('.').map_or(String::new(), |dot| safe[dot..].to_owned());
        let suffix = if suffix.len() > 20 { String::new() } else { suffix };
        let mut end = LONGEST - suffix.len();
        while !safe.is_char_boundary(end) {
            end -= 1;
        }
        safe.truncate(end);
        safe.push_str(&suffix);
    }
    let stem = safe.split('.').next().unwrap_or("").to_lowercase();
    if stem.is_empty() || DEVICES.contains(&stem.as_str()) { format!("_{safe}") } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(name: &str, text: &str) -> Artifact {
        Artifact { name: name.to_owned(), content: Content::Bytes(text.as_bytes().to_vec()) }
    }

    fn listing(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn hostile_names_stay_in_the_folder() {
        for (name, safe) in [
            ("paths.png", "paths.png"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("/etc/passwd", "_etc_passwd"),
            ("a\0b\x1b[31m.csv", "a_b__31m.csv"),
            ("..", "_"),
            ("", "_"),
            ("nul.csv", "_nul.csv"),
            ("C:\\x", "C__x"),
            ("verlust_über_η.svg", "verlust_über_η.svg"),
            ("\u{202e}gnp.exe", "_gnp.exe"),
        ] {
            assert_eq!(safe_name(name), safe, "{name:?}");
        }
        let long = safe_name(&format!("{}.trace.csv", "ü".repeat(300)));
        assert_eq!((long.len() <= LONGEST, long.rsplit_once('.').unwrap().1), (true, "csv"), "{long}");
        assert_eq!(file_names(["a.csv", "A.csv", "a.csv", "b.csv"].into_iter()), ["a.csv", "A_2.csv", "a_3.csv", "b.csv"]);
    }

    #[test]
    fn files_are_written_and_replaced_whole() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("results/a");
        let folder = OutFolder::open(&path).unwrap();
        let names = folder.write(&[artifact("t.csv", "one"), artifact(RECEIPT, "r")]).unwrap();
        assert_eq!(names, ["t.csv", RECEIPT]);
        let again = OutFolder::open(&path).unwrap();
        again.write(&[artifact("t.csv", "two"), artifact(RECEIPT, "r")]).unwrap();
        assert_eq!(fs::read_to_string(path.join("t.csv")).unwrap(), "two");
        assert_eq!(listing(&path), [RECEIPT, "t.csv"]);
    }

    #[test]
    fn a_file_of_somebody_else_is_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("data.csv"), "mine").unwrap();
        let folder = OutFolder::open(root.path()).unwrap();
        let refusal = folder.write(&[artifact("new.csv", "x"), artifact("data.csv", "x")]).unwrap_err();
        assert!(refusal.contains("data.csv` is there already"), "{refusal}");
        assert_eq!(listing(root.path()), ["data.csv"]);
        assert_eq!(fs::read_to_string(root.path().join("data.csv")).unwrap(), "mine");
    }

    #[test]
    fn a_folder_below_a_file_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        for below in ["file", "file/out", "file/a/b"] {
            let refusal = OutFolder::open(&root.path().join(below)).unwrap_err();
            assert!(refusal.ends_with("file` is a file") && !refusal.contains('\n'), "{refusal}");
        }
    }

    #[test]
    fn a_failure_leaves_what_was_there() {
        let root = tempfile::tempdir().unwrap();
        let folder = OutFolder::open(root.path()).unwrap();
        folder.write(&[artifact("a.csv", "old"), artifact(RECEIPT, "r")]).unwrap();
        let folder = OutFolder::open(root.path()).unwrap();
        // The partial file of the second cannot be written, because a folder has its name.
        fs::create_dir(part_path(root.path(), "b.csv")).unwrap();
        let failure = folder.write(&[artifact("a.csv", "new"), artifact("b.csv", "new")]).unwrap_err();
        assert!(failure.contains("b.csv`: ") && !failure.contains(".part"), "{failure}");
        assert_eq!(fs::read_to_string(root.path().join("a.csv")).unwrap(), "old");
        assert!(!part_path(root.path(), "a.csv").exists());
    }
}
