//! `persea similar`.

mod genome;
mod print;
mod samples;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use persea::genome::Scale;
use persea::search::{Class, GenePart, Metric};

use super::Common;
use super::figure::FigureArguments;

/// Find what looks like a position, region, gene, biosample or assay.
///
/// Positions are compared by the model's factors, exactly: nothing nearer is missed. Hits within
/// 50 kb of the query are left out, and there is one for each 5 kbp, since neighbours share factors.
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
    /// Positions like one
    #[command(
        override_usage = "persea similar position [OPTIONS] <POSITION|--batch BED>",
        after_help = "Example: persea similar position chr1:151,200,000 -k 20 --outside blacklist.bed"
    )]
    Position {
        /// chr1:151,200,000 (1-based, as a browser shows it)
        #[arg(required_unless_present = "batch", conflicts_with = "batch")]
        position: Option<String>,
        /// A BED of queries: the bin in the middle of each
        #[arg(long, value_name = "BED")]
        batch: Option<PathBuf>,
        #[command(flatten)]
        search: GenomeSearch,
    },
    /// Regions like one
    #[command(
        override_usage = "persea similar region [OPTIONS] <REGION|--batch BED>",
        after_help = "Example: persea similar region chr1:151,150,000-151,160,000 -k 5 --align"
    )]
    Region {
        /// chr1:1,000,000-1,020,000 (1-based, inclusive)
        #[arg(required_unless_present = "batch", conflicts_with = "batch")]
        region: Option<String>,
        /// A BED of queries
        #[arg(long, value_name = "BED")]
        batch: Option<PathBuf>,
        /// Compare bin by bin with windows of the same length, on both strands, by the sum of
        /// distances, instead of by the mean
        #[arg(long)]
        align: bool,
        #[command(flatten)]
        search: GenomeSearch,
    },
    /// Regions like a gene's promoter, body or start
    #[command(after_help = "Example: persea similar gene VPS72 --part promoter")]
    Gene {
        /// Its name or identifier
        gene: String,
        /// Which part of it
        #[arg(long, value_enum, default_value_t = Part::Promoter)]
        part: Part,
        /// As for a region
        #[arg(long)]
        align: bool,
        #[command(flatten)]
        search: GenomeSearch,
    },
    /// Positions like an embedding of your own
    #[command(after_help = "Example: persea similar vector mine.npy -k 5")]
    Vector {
        /// A .npy or a text file of numbers: factors at 25 bp, 250 bp and 5 kbp side by side
        file: PathBuf,
        #[command(flatten)]
        search: GenomeSearch,
    },
    /// Biosamples like one, or like a sum of them
    #[command(after_help = "Example: persea similar biosample 'E003 - E116 + E117' -k 3")]
    Biosample {
        #[command(flatten)]
        search: SampleSearch,
    },
    /// Assays like one, or like a sum of them
    #[command(after_help = "Example: persea similar assay H3K4me3 --profiles imputed")]
    Assay {
        #[command(flatten)]
        search: SampleSearch,
    },
}

/// How the genome is searched.
#[derive(Debug, clap::Args)]
struct GenomeSearch {
    /// How many hits
    #[arg(short, long, default_value_t = 10)]
    k: usize,
    /// The model; the default one when not given
    #[arg(long)]
    model: Option<String>,
    /// What distances are
    #[arg(long, value_enum, default_value_t = MetricArgument::Euclidean)]
    metric: MetricArgument,
    /// No hit within so many bp of the query; `none` lets the query itself be found
    #[arg(long, value_name = "BP", default_value = "50000", value_parser = bp_or_none)]
    exclude: BpOrNone,
    /// One hit at most for each row of this scale
    #[arg(long, value_enum, default_value_t = Spread::Kbp5)]
    spread: Spread,
    /// The scale whose rows are hits; for regions that which fits, otherwise 25bp
    #[arg(long, value_enum)]
    scale: Option<ScaleArgument>,
    /// Only hits on these chromosomes
    #[arg(long, value_name = "CHROM,…", value_delimiter = ',')]
    chromosomes: Vec<String>,
    /// Only hits that touch an interval of this BED
    #[arg(long, value_name = "BED")]
    inside: Option<PathBuf>,
    /// No hit that touches an interval of this BED
    #[arg(long, value_name = "BED")]
    outside: Option<PathBuf>,
    /// Only hits so near a transcription start
    #[arg(long, value_name = "BP")]
    tss_within: Option<u64>,
    /// Only hits of these classes
    #[arg(long, value_enum, value_name = "CLASS,…", value_delimiter = ',')]
    class: Vec<ClassArgument>,
    /// No hit of these classes
    #[arg(long, value_enum, value_name = "CLASS,…", value_delimiter = ',')]
    not_class: Vec<ClassArgument>,
    /// Show the stored signal at query and hits: of these tracks, or of all
    #[arg(long, value_name = "BIOSAMPLE:ASSAY,…", num_args = 0..=1, default_missing_value = "", require_equals = true)]
    signal: Option<String>,
    /// Also write the hits as a BED file, for a genome browser
    #[arg(long, value_name = "FILE")]
    bed: Option<PathBuf>,
    /// Ask a graph (HNSW) instead: fast among millions, and now and then one of the nearest is
    /// missed
    #[arg(long)]
    approximate: bool,
    /// Candidates that the graph keeps: more find more
    #[arg(long, default_value_t = 64, requires = "approximate")]
    ef: usize,
    /// Draw the signal around the hits beside that around the query: .svg, .png or .pdf
    #[arg(long, value_name = "FILE", conflicts_with = "batch")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    figure: FigureArguments,
}

/// How biosamples or assays are searched.
#[derive(Debug, clap::Args)]
struct SampleSearch {
    /// A name, or a sum of names with blanks around the signs: 'E003 - E116 + E117'
    sum: String,
    /// How many hits; all when not given
    #[arg(short, long)]
    k: Option<usize>,
    /// The model; the default one when not given
    #[arg(long)]
    model: Option<String>,
    /// By which distance hits are ordered; both are shown
    #[arg(long, value_enum, default_value_t = MetricArgument::Euclidean)]
    metric: MetricArgument,
    /// Compare factors, or what the model imputes
    #[arg(long, value_enum, default_value_t = ProfileArgument::Factors)]
    profiles: ProfileArgument,
    /// At how many bins profiles are imputed, about
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    bins: u64,
    /// Ask a graph (HNSW) instead: fast among millions, and now and then one of the nearest is
    /// missed
    #[arg(long, conflicts_with_all = ["profiles", "metric"])]
    approximate: bool,
    /// Candidates that the graph keeps: more find more
    #[arg(long, default_value_t = 64, requires = "approximate")]
    ef: usize,
    /// Let those that were asked for be hits as well
    #[arg(long)]
    with_query: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Part {
    /// 2 kb upstream of the transcription start, and its bin
    Promoter,
    /// From start to end
    Body,
    /// The bin of the transcription start
    Tss,
}

impl From<Part> for GenePart {
    fn from(part: Part) -> Self {
        match part {
            Part::Promoter => GenePart::Promoter,
            Part::Body => GenePart::Body,
            Part::Tss => GenePart::Tss,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum MetricArgument {
    /// Between factors as they are
    Euclidean,
    /// As the network's first layer sees them
    Network,
    /// One minus the cosine
    Cosine,
}

impl From<MetricArgument> for Metric {
    fn from(metric: MetricArgument) -> Self {
        match metric {
            MetricArgument::Euclidean => Metric::Euclidean,
            MetricArgument::Network => Metric::Network,
            MetricArgument::Cosine => Metric::Cosine,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScaleArgument {
    /// 25 bp
    #[value(name = "25bp")]
    Bp25,
    /// 250 bp, the mean of its bins
    #[value(name = "250bp")]
    Bp250,
    /// 5 kbp, the mean of its bins
    #[value(name = "5kbp")]
    Kbp5,
}

impl From<ScaleArgument> for Scale {
    fn from(scale: ScaleArgument) -> Self {
        match scale {
            ScaleArgument::Bp25 => Scale::Bp25,
            ScaleArgument::Bp250 => Scale::Bp250,
            ScaleArgument::Kbp5 => Scale::Kbp5,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Spread {
    /// One hit for each 5 kbp
    #[value(name = "5kbp")]
    Kbp5,
    /// One hit for each 250 bp
    #[value(name = "250bp")]
    Bp250,
    /// As many as there are
    None,
}

impl From<Spread> for Option<Scale> {
    fn from(spread: Spread) -> Self {
        match spread {
            Spread::Kbp5 => Some(Scale::Kbp5),
            Spread::Bp250 => Some(Scale::Bp250),
            Spread::None => None,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ClassArgument {
    /// 2 kb upstream of a transcription start
    Promoter,
    /// In a gene, introns included
    Gene,
    /// In an enhancer of the database
    Enhancer,
    /// None of these
    Intergenic,
    /// Masked: the model was not trained there
    Masked,
}

impl From<ClassArgument> for Class {
    fn from(class: ClassArgument) -> Self {
        match class {
            ClassArgument::Promoter => Class::Promoter,
            ClassArgument::Gene => Class::Gene,
            ClassArgument::Enhancer => Class::Enhancer,
            ClassArgument::Intergenic => Class::Intergenic,
            ClassArgument::Masked => Class::Masked,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ProfileArgument {
    /// Factors
    Factors,
    /// What the model imputes
    Imputed,
}

/// A number of bp, or none.
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

/// Runs it.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    match arguments.action {
        Action::Biosample { search } => samples::run(samples::Axis::Biosamples, search, common)?,
        Action::Assay { search } => samples::run(samples::Axis::Assays, search, common)?,
        genome => genome::run(genome, common)?,
    }
    Ok(ExitCode::SUCCESS)
}
