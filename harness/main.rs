//! The program: see `cli/`.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    rehearse::cli::main()
}
