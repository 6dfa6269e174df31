//! The library that ships with the program: the update rules of `specs/std`, as the text they are.
//!
//! It does not read them: they go through the same parser and checker as any other file.

/// One file of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LibraryFile {
    /// The name of the rule, and of the file without `.opt`.
    pub name: &'static str,
    /// The text.
    pub text: &'static str,
}

impl LibraryFile {
    /// The first line of its documentation.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.text.lines().next().unwrap_or("").trim_start_matches(['#', ' '])
    }
}

/// One file; the name is that of the path.
macro_rules! file {
    ($path:literal) => {
        LibraryFile { name: stem($path), text: include_str!($path) }
    };
}

/// All files, by name.
pub const LIBRARY: &[LibraryFile] = &[
    file!("../specs/std/adabelief.opt"),
    file!("../specs/std/adadelta.opt"),
    file!("../specs/std/adagrad.opt"),
    file!("../specs/std/adam.opt"),
    file!("../specs/std/adamax.opt"),
    file!("../specs/std/adamw.opt"),
    file!("../specs/std/adan.opt"),
    file!("../specs/std/amsgrad.opt"),
    file!("../specs/std/centered_rmsprop.opt"),
    file!("../specs/std/clip_norm.opt"),
    file!("../specs/std/clip_value.opt"),
    file!("../specs/std/ema_momentum.opt"),
    file!("../specs/std/gd.opt"),
    file!("../specs/std/lion.opt"),
    file!("../specs/std/momentum.opt"),
    file!("../specs/std/nadam.opt"),
    file!("../specs/std/nag.opt"),
    file!("../specs/std/nesterov.opt"),
    file!("../specs/std/radam.opt"),
    file!("../specs/std/rmsprop.opt"),
    file!("../specs/std/rprop.opt"),
    file!("../specs/std/sgd.opt"),
    file!("../specs/std/weight_decay.opt"),
    file!("../specs/std/yogi.opt"),
];

/// The file of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static LibraryFile> {
    LIBRARY.iter().find(|file| file.name == name)
}

/// `adam` of `../specs/std/adam.opt`.
const fn stem(path: &'static str) -> &'static str {
    let (_, file) = path.split_at("../specs/std/".len());
    let (name, _) = file.split_at(file.len() - ".opt".len());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_declares_the_rule_of_its_name_and_starts_with_its_documentation() {
        for file in LIBRARY {
            assert!(file.text.contains(&format!("\noptimizer {}(", file.name)), "{}", file.name);
            assert!(file.text.starts_with("# ") && file.summary().ends_with('.'), "{}: {}", file.name, file.summary());
            for needed in ["# Source: ", "# Where libraries differ: "] {
                assert!(file.text.contains(needed), "{} has no `{needed}`", file.name);
            }
            assert_eq!(find(file.name), Some(file));
        }
    }
}
