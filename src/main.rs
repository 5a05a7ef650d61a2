//! The `persea` program: arguments in, a library call, output out.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
