//! `persea locus`.

mod one;
mod scan;

use std::process::ExitCode;

use clap::Subcommand;
use persea::loci::MatchOptions;

use super::Common;

/// Who does the unexpected at a locus: all biosamples there, clustered and scored.
///
/// Each biosample's departure from average activity (the mean of the others) is held against its
/// departures at matched loci: z, p, and the false discovery rate among biosamples. Beside it stands how
/// alike the biosamples are elsewhere. What was not measured is imputed, and marked.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "persea locus [OPTIONS] --assay <ASSAY> <REGION|GENE>\n       persea locus scan [OPTIONS] --assay <ASSAY> <LOCI.bed|--promoters>",
    after_help = "Examples: persea locus VPS72 --assay H3K4me3 --plot VPS72.svg\n          persea locus chr1:151,140,000-151,170,000 --assay H3K36me3 --values region.tsv\n          persea locus scan --promoters --assay H3K4me3 -k 20"
)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    one: one::One,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Rank many loci by who departs from average activity there
    Scan(scan::Scan),
}

/// What loci are compared with.
#[derive(Debug, clap::Args)]
pub struct Matching {
    /// How many loci of the nearest average activity each is matched with
    #[arg(long, value_name = "N", default_value_t = 200)]
    matched: usize,
    /// About how many candidates are read, spread evenly over the covered regions
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    candidates: usize,
    /// Match loci whatever their distance from a transcription start
    #[arg(long)]
    any_tss: bool,
    /// Orders equally active loci
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl Matching {
    pub fn options(&self) -> MatchOptions {
        MatchOptions {
            matched: self.matched,
            candidates: self.candidates,
            tss: !self.any_tss,
            seed: self.seed,
        }
    }
}

/// Where values come from.
#[derive(Debug, clap::Args)]
pub struct Origin {
    /// The model that imputes what was not measured; the default one when not given
    #[arg(long)]
    pub model: Option<String>,
    /// Leave out what was not measured
    #[arg(long, conflicts_with = "model")]
    pub measured_only: bool,
}

/// Runs it.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    match arguments.action {
        Some(Action::Scan(scan)) => scan::run(scan, common),
        None => one::run(arguments.one, common),
    }
}
