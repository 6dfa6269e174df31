//! The words that begin lines, and what people write instead of them.
//!
//! The grammar says what follows a word.

pub(super) use super::super::layout::DECLARATIONS;

/// A kind of block and the words that begin its lines.
pub(super) const BLOCKS: &[(&str, &[&str])] = &[
    ("dataset", &["csv", "text", "rows", "columns", "keep", "drop", "split"]),
    ("optimizer", &["state", "shared", "let", "when", "each", "report"]),
    ("scan", &["let", "yield"]),
    ("fn", &["let", "return"]),
    ("sweep", &["minimize", "maximize", "batches", "record", "stop", "repeat", "zip", "sample", "skip", "group", "start"]),
    ("output", OUTPUT),
];

const OUTPUT: &[&str] = &[
    "from",
    "for",
    "best",
    "lines",
    "points",
    "bars",
    "heatmap",
    "contour",
    "curve",
    "path",
    "histogram",
    "confusion",
    "classification",
    "image",
    "profile",
    "color",
    "dash",
    "marker",
    "facet",
    "scale",
    "smooth",
    "band",
    "center",
    "limits",
    "label",
    "title",
    "ruler",
    "note",
    "size",
    "rows",
    "columns",
    "show",
    "format",
    "sort",
    "caption",
];

/// What every sweep may set, besides the arguments of its optimizers.
pub(super) const SETTINGS: &[&str] = &["optimizer", "steps", "epochs", "lr", "batch", "fold", "beta", "beta1", "beta2", "eps"];

/// Lines that hold a list, in which a comma may have been forgotten.
pub(super) const LISTS: &[&str] = &[
    "record", "columns", "rows", "show", "path", "color", "dash", "marker", "facet", "lines", "points", "bars", "from", "state", "shared",
    "split", "csv", "text", "group", "minimize",
];

/// Words of other languages, and of British English.
const SYNONYMS: &[(&str, &str)] = &[
    ("parameter", "param"),
    ("parameters", "param"),
    ("hyperparameter", "hyper"),
    ("hyperparam", "hyper"),
    ("function", "fn"),
    ("func", "fn"),
    ("var", "let"),
    ("const", "let"),
    ("data", "dataset"),
    ("figure", "plot"),
    ("graph", "plot"),
    ("cost", "loss"),
    ("objective", "loss"),
    ("assert", "expect"),
    ("seed", "rng"),
    ("random", "rng"),
    ("experiment", "sweep"),
    ("grid", "sweep"),
    ("include", "import"),
    ("colour", "color"),
    ("scatter", "points"),
    ("print", "show"),
    ("display", "show"),
    ("where", "for"),
    ("filter", "for"),
    ("until", "stop when"),
    ("log", "record"),
    ("xlabel", "label x"),
    ("ylabel", "label y"),
    ("xscale", "scale x"),
    ("yscale", "scale y"),
    ("xlim", "limits x"),
    ("ylim", "limits y"),
    ("replicates", "repeat"),
    ("initial", "state"),
    ("buffer", "state"),
    ("static", "shared"),
];

/// The words that begin the lines of a block; of the top of the file if there is none.
pub(super) fn line_words(block: Option<&str>) -> &'static [&'static str] {
    match block {
        None => DECLARATIONS,
        Some(block) => BLOCKS.iter().find(|(name, _)| *name == block).map_or(&[], |(_, words)| words),
    }
}

/// What was meant by a word at the beginning of a line.
pub(super) fn meant(word: &str, block: Option<&str>) -> Option<&'static str> {
    let words = line_words(block);
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == word).map(|(_, ours)| *ours);
    synonym
        .filter(|ours| ours.split(' ').next().is_some_and(|first| words.contains(&first)))
        .or_else(|| crate::diag::did_you_mean(word, words.iter().copied()))
}
