//! The `persea` program: arguments in, a library call, output out.

mod cli;

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(cli::run_process(std::env::args_os().collect()))
}
