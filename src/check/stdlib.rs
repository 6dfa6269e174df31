//! The library that ships with the program: update rules as `.opt` text, embedded.
//!
//! It knows their names and texts, nothing else; they are checked and run like the user's own.

macro_rules! library {
    ($($name:literal),* $(,)?) => {
        /// Name and text of every file of `specs/std`, by name.
        pub const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../specs/std/", $name, ".opt")))),*];
    };
}

library!("gd", "sgd");

/// The text of a rule.
#[must_use]
pub fn text(name: &str) -> Option<&'static str> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
