//! `persea export`.

mod avocado;
mod completed;
mod factors;
mod hub;

use std::process::ExitCode;

use clap::Subcommand;

use super::Common;

/// Write factors, models, completed compendia and hubs for other programs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea export genome --resolution 25bp --region chr1:1,000,000-2,000,000 --output region.parquet\n          persea export biosamples --output biosamples.h5ad\n          persea export completed --output completed.zarr\n          persea export hub hub --assay H3K4me3,H3K27ac\n          persea export avocado --model base --output base"
)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Genome(factors::Genome),
    Embedding(factors::Embedding),
    Biosamples(factors::Biosamples),
    Assays(factors::Assays),
    Completed(completed::Arguments),
    Hub(Box<hub::Arguments>),
    Avocado(avocado::Arguments),
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    match arguments.what {
        What::Genome(a) => factors::genome(a, common),
        What::Embedding(a) => factors::embedding(a, common),
        What::Biosamples(a) => factors::biosamples(a, common),
        What::Assays(a) => factors::assays(a, common),
        What::Completed(a) => completed::run(a, common),
        What::Hub(a) => hub::run(*a, common),
        What::Avocado(a) => avocado::run(a, common),
    }
}
