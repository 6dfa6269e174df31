//! The program: hands the arguments to the library and exits with its code.
//!
//! It decides nothing.

fn main() {
    std::process::exit(optrun::cli::main(std::env::args_os()))
}
