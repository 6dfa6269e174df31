//! The program as a process: usage, the library, exit codes, colours.
//!
//! It runs no spec.

use std::process::{Command, Output};

fn optrun(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_optrun")).args(args).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn help_and_version_go_to_stdout() {
    for args in [&["--help"][..], &["run", "--help"], &["--version"]] {
        let output = optrun(args);
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{args:?}");
        assert!(text(&output.stdout).contains("optrun"), "{args:?}");
    }
}

#[test]
fn mistakes_on_the_command_line_are_told_on_stderr_with_code_2() {
    for (args, said) in [
        (&[][..], "Usage"),
        (&["chek", "a.opt"], "'check'"),
        (&["run"], "<SPEC>"),
        (&["a.opt", "--treads", "2"], "'--threads'"),
        (&["a.opt", "--threads", "0"], "--threads"),
        (&["explain", "a.opt", "--stage", "tokens"], "rewritten"),
        (&["std", "rmsprp"], "did you mean `rmsprop`?"),
    ] {
        let output = optrun(args);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
        assert!(text(&output.stderr).contains(said), "{args:?}: {}", text(&output.stderr));
        assert!(!output.stderr.contains(&0x1b), "{args:?}: colours where there is no terminal");
    }
}

#[test]
fn the_library_is_printed_as_it_is() {
    let listed = optrun(&["std"]);
    assert_eq!(listed.status.code(), Some(0));
    // Rules first, then a line about solvers, and these.
    let listed = text(&listed.stdout);
    let lists: Vec<Vec<&str>> =
        listed.split("\n\n").map(|list| list.lines().filter_map(|line| line.split_whitespace().next()).collect()).collect();
    let names = &lists[0];
    assert!(names.is_sorted() && names.contains(&"adamw"), "{names:?}");
    assert!(listed.contains("\nSolvers") && listed.contains("lbfgs"), "{listed}");
    for name in names {
        let there = std::fs::read(format!("{}/specs/std/{name}.opt", env!("CARGO_MANIFEST_DIR"))).expect("its file");
        assert_eq!(optrun(&["std", name]).stdout, there, "{name}");
    }
}
