//! `persea export`.

mod avocado;

use std::process::ExitCode;

use clap::Subcommand;

use super::Common;

/// Write factors, models and completed compendia for other programs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea export avocado --model published --output published\n          persea export embedding --region chr1:1,000,000-2,000,000 --output region.parquet"
)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Avocado(avocado::Arguments),
}

/// Runs it.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    match arguments.what {
        What::Avocado(a) => avocado::run(a, common),
    }
}
