//! `persea locus`.

mod one;
mod scan;

use std::process::ExitCode;

use clap::Subcommand;
use persea::loci::MatchOptions;

use super::Common;

/// Compare all biosamples at a locus: cluster them and score their departures.
///
/// A biosample's departure from the average of the others is compared with its departures at matched
/// loci, which gives z and p. An adjusted p compares all biosamples at once. The similarity of the
/// biosamples elsewhere is shown beside it. Experiments that were not measured are imputed and marked.
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
    /// Rank many loci by the largest departure of a biosample
    Scan(scan::Scan),
}

/// Matched loci.
#[derive(Debug, clap::Args)]
pub struct Matching {
    /// Number of matched loci, nearest in average activity
    #[arg(long, value_name = "N", default_value_t = 200)]
    matched: usize,
    /// Approximate number of candidate loci, spread evenly over the covered regions
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    candidates: usize,
    /// Match loci regardless of their distance to the nearest TSS
    #[arg(long)]
    any_tss: bool,
    /// Largest difference in average activity between a locus and its matches
    #[arg(long, value_name = "ARCSINH", default_value_t = 0.25)]
    caliper: f64,
    /// Include imputed experiments in averages and correlations
    #[arg(long)]
    count_imputed: bool,
    /// Seed of the random order of equally active loci
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl Matching {
    pub fn options(&self) -> MatchOptions {
        MatchOptions {
            matched: self.matched,
            candidates: self.candidates,
            tss: !self.any_tss,
            caliper: self.caliper,
            count_imputed: self.count_imputed,
            seed: self.seed,
        }
    }
}

/// Source of the values.
#[derive(Debug, clap::Args)]
pub struct Origin {
    /// Model that imputes unmeasured experiments; the default model if omitted
    #[arg(long)]
    pub model: Option<String>,
    /// Use measured tracks only
    #[arg(long, conflicts_with = "model")]
    pub measured_only: bool,
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    match arguments.action {
        Some(Action::Scan(scan)) => scan::run(scan, common),
        None => one::run(arguments.one, common),
    }
}
