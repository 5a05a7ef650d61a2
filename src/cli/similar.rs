//! `persea similar`.

mod genome;
mod print;
mod samples;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use persea::genome::Resolution;
use persea::search::{Class, GenePart, Metric};

use super::Common;
use super::figure::FigureArguments;
use super::one_of::one_of;

/// Find what resembles a position, region, gene, biosample or assay.
///
/// Positions are compared by the model's factors. The search is exact: it never misses a nearer
/// position. Neighbours share factors, so hits within 50 kb of the query are left out and each 5 kbp
/// row gives at most one hit. Masked places are left out.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea similar position chr1:151,200,000 -k 20\n          persea similar gene VPS72 --class promoter --signal --plot hits.svg\n          persea similar region chr1:151,150,000-151,160,000 --align\n          persea similar biosample 'E003 - E116 + E117'"
)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Find positions like a given position
    #[command(
        override_usage = "persea similar position [OPTIONS] <POSITION|--batch BED>",
        after_help = "Example: persea similar position chr1:151,200,000 -k 20 --outside blacklist.bed"
    )]
    Position {
        /// Position to compare with: chr1:151,200,000 (1-based, as in a genome browser)
        #[arg(required_unless_present = "batch", conflicts_with = "batch")]
        position: Option<String>,
        /// BED file of queries; the bin in the middle of each interval is used
        #[arg(long, value_name = "BED", conflicts_with = "plot")]
        batch: Option<PathBuf>,
        #[command(flatten)]
        search: GenomeSearch,
    },
    /// Find regions like a given region
    #[command(
        override_usage = "persea similar region [OPTIONS] <REGION|--batch BED>",
        after_help = "Example: persea similar region chr1:151,150,000-151,160,000 -k 5 --align"
    )]
    Region {
        /// Region to compare with: chr1:1,000,000-1,020,000 (1-based, inclusive)
        #[arg(required_unless_present = "batch", conflicts_with = "batch")]
        region: Option<String>,
        /// BED file of queries
        #[arg(long, value_name = "BED", conflicts_with = "plot")]
        batch: Option<PathBuf>,
        /// Compare bin by bin with windows of the same length on both strands, by the sum of
        /// distances, instead of comparing means; no two hits overlap
        #[arg(long)]
        align: bool,
        #[command(flatten)]
        search: GenomeSearch,
    },
    /// Find regions like a gene's promoter, body or TSS
    #[command(after_help = "Example: persea similar gene VPS72 --part promoter")]
    Gene {
        /// Name or identifier of the gene
        gene: String,
        /// Part of the gene to compare
        #[arg(long, value_parser = one_of::<GenePart>(), default_value_t = GenePart::Promoter)]
        part: GenePart,
        /// Compare bin by bin, as for a region
        #[arg(long)]
        align: bool,
        #[command(flatten)]
        search: GenomeSearch,
    },
    /// Find positions like an embedding of your own
    #[command(after_help = "Example: persea similar vector mine.npy -k 5")]
    Vector {
        /// A .npy or text file of numbers: factors at 25 bp, 250 bp and 5 kbp, side by side
        file: PathBuf,
        #[command(flatten)]
        search: GenomeSearch,
    },
    /// Find biosamples like a given one, or like a sum
    #[command(after_help = "Example: persea similar biosample 'E003 - E116 + E117' -k 3")]
    Biosample {
        #[command(flatten)]
        search: SampleSearch,
    },
    /// Find assays like a given one, or like a sum
    #[command(after_help = "Example: persea similar assay H3K4me3 --profiles imputed")]
    Assay {
        #[command(flatten)]
        search: SampleSearch,
    },
}

/// Options of a search over the genome.
#[derive(Debug, clap::Args)]
struct GenomeSearch {
    /// Number of hits
    #[arg(short, long, default_value_t = 10)]
    k: usize,
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Distance between positions
    #[arg(long, value_parser = one_of::<Metric>(), default_value_t = Metric::Euclidean)]
    metric: Metric,
    /// How much resolutions (5kbp, 250bp, 25bp) and assays count in the squared distance; 1 for those
    /// that are not named
    #[arg(long, value_name = "NAME=WEIGHT,…", value_delimiter = ',', conflicts_with_all = ["approximate"])]
    weights: Vec<String>,
    /// Leave out hits within this many bp of the query; `none` allows the query itself
    #[arg(long, value_name = "BP", default_value = "50000", value_parser = bp_or_none)]
    exclude: BpOrNone,
    /// Keep at most one hit per row of this width
    #[arg(long, value_enum, default_value_t = Spread::Kbp5)]
    spread: Spread,
    /// Width of a hit; for regions chosen by their length, otherwise 25bp
    #[arg(long, alias = "scale", value_parser = one_of::<Resolution>())]
    resolution: Option<Resolution>,
    /// Allow only hits on these chromosomes
    #[arg(long, value_name = "CHROM,…", value_delimiter = ',')]
    chromosomes: Vec<String>,
    /// Allow only hits that overlap an interval of this BED file
    #[arg(long, value_name = "BED")]
    inside: Option<PathBuf>,
    /// Leave out hits that overlap an interval of this BED file
    #[arg(long, value_name = "BED")]
    outside: Option<PathBuf>,
    /// Allow only hits that overlap an interval of a BED file with one of these labels (column 4);
    /// of several such options all must hold
    #[arg(long, value_name = "BED=LABEL,…")]
    label: Vec<String>,
    /// Leave out hits that overlap an interval of a BED file with one of these labels (column 4)
    #[arg(long, value_name = "BED=LABEL,…")]
    not_label: Vec<String>,
    /// Allow only hits within this many bp of a TSS
    #[arg(long, value_name = "BP")]
    tss_within: Option<u64>,
    /// Allow only hits of these classes
    #[arg(long, value_parser = one_of::<Class>(), value_name = "CLASS,…", value_delimiter = ',')]
    class: Vec<Class>,
    /// Leave out hits of these classes
    #[arg(long, value_parser = one_of::<Class>(), value_name = "CLASS,…", value_delimiter = ',')]
    not_class: Vec<Class>,
    /// Allow hits in the mask, where the model was not trained
    #[arg(long)]
    include_masked: bool,
    /// Keep hits at which measured signal is higher in the biosamples with this value of metadata than in the others, in
    /// the mean over assays; five times as many hits are searched, so that fewer may be left
    #[arg(long, value_name = "KEY=VALUE")]
    higher_in: Option<String>,
    /// Show the stored signal at the query and the hits: of these tracks, or of all
    #[arg(long, value_name = "BIOSAMPLE:ASSAY,…", num_args = 0..=1, default_missing_value = "", require_equals = true)]
    signal: Option<String>,
    /// Show which assays and biosamples make the distance and which agree, as shares of the squared
    /// distance that add up to 1, with the signal at the query and at the hit
    #[arg(long)]
    explain: bool,
    /// Also write the hits to a BED file, or with all columns to a bigBed (.bb)
    #[arg(long, value_name = "FILE")]
    bed: Option<PathBuf>,
    /// Search an HNSW graph instead: fast among many millions, but it may miss some of the
    /// nearest
    #[arg(long)]
    approximate: bool,
    /// Number of candidates kept while the graph is searched; more give a higher recall
    #[arg(long, default_value_t = 64, requires = "approximate")]
    ef: usize,
    /// Plot the signal around the query and the hits: .svg, .png or .pdf
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    figure: FigureArguments,
}

/// Options of a search over biosamples or assays.
#[derive(Debug, clap::Args)]
struct SampleSearch {
    /// A name, or a sum of names with spaces around the signs: 'E003 - E116 + E117'
    sum: String,
    /// Number of hits; all if omitted
    #[arg(short, long)]
    k: Option<usize>,
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Distance by which hits are ordered; both are shown
    #[arg(long, value_parser = one_of::<Metric>(), default_value_t = Metric::Euclidean)]
    metric: Metric,
    /// Compare factors, or imputed signal
    #[arg(long, value_enum, default_value_t = ProfileKind::Factors)]
    profiles: ProfileKind,
    /// Approximate number of bins at which signal is imputed
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    bins: u64,
    /// Search an HNSW graph instead: fast among many millions, but it may miss some of the
    /// nearest
    #[arg(long, conflicts_with_all = ["profiles", "metric"])]
    approximate: bool,
    /// Number of candidates kept while the graph is searched; more give a higher recall
    #[arg(long, default_value_t = 64, requires = "approximate")]
    ef: usize,
    /// Include the queried names among the hits
    #[arg(long)]
    with_query: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Spread {
    /// One hit per 5 kbp
    #[value(name = "5kbp")]
    Kbp5,
    /// One hit per 250 bp
    #[value(name = "250bp")]
    Bp250,
    /// No limit
    None,
}

impl From<Spread> for Option<Resolution> {
    fn from(spread: Spread) -> Self {
        match spread {
            Spread::Kbp5 => Some(Resolution::Kbp5),
            Spread::Bp250 => Some(Resolution::Bp250),
            Spread::None => None,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ProfileKind {
    /// Factors
    Factors,
    /// Imputed signal
    Imputed,
}

/// A number of bp, or `none`.
#[derive(Debug, Clone, Copy)]
struct BpOrNone(Option<u64>);

fn bp_or_none(text: &str) -> Result<BpOrNone, String> {
    match text {
        "none" => Ok(BpOrNone(None)),
        number => match number.replace([',', '_'], "").parse() {
            Ok(bp) => Ok(BpOrNone(Some(bp))),
            Err(_) => Err("write a number of bp, or none".into()),
        },
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    match arguments.action {
        Action::Biosample { search } => samples::run(samples::Axis::Biosamples, search, common)?,
        Action::Assay { search } => samples::run(samples::Axis::Assays, search, common)?,
        genome => genome::run(genome, common)?,
    }
    Ok(ExitCode::SUCCESS)
}
