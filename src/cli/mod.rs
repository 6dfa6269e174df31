//! The command line: arguments in, exit code out. The only code that prints.
//!
//! It computes nothing: every command is one call into the pipeline.

mod args;
mod commands;
mod progress;
mod write;

use std::ffi::OsString;

/// Does what the arguments (the program's name first) say; gives the exit code.
pub fn main(args: impl Iterator<Item = OsString>) -> i32 {
    match args::CommandLine::read(args) {
        Ok(line) => commands::perform(line.command),
        Err(error) => {
            // Help and version go to stdout with code 0, mistakes to stderr with code 2; when those are closed there is nobody to tell.
            let _ = error.print();
            error.exit_code()
        }
    }
}
