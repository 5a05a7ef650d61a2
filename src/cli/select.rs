//! `persea select`.

mod evaluate;
mod items;
mod list;
mod positions;
mod print;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use persea::selection::{
    Combination, Compared, Concave, KernelChoice, MethodName, ObjectiveName, What,
};

use super::Common;
use super::one_of::one_of;

/// Choose what to measure next: a few items that represent all.
///
/// Greedily chooses the items that add most to an objective. The default objective is facility
/// location: the sum over all items of their similarity to the nearest chosen or measured item. The
/// result shows how close the choice is to the best one, what each item represents, and random choices
/// of the same size. It is stored and can be repeated.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea select biosamples -k 3 --for-assay H3K36me3\n          persea select experiments -k 20 --method lazy --plot curve.svg\n          persea select biosamples --cost costs.tsv --budget 1000 --for-assay H3K27ac"
)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Choose biosamples, for one assay or in general
    #[command(
        after_help = "Example: persea select biosamples -k 3 --for-assay H3K36me3 --plot curve.svg"
    )]
    Biosamples {
        /// Assay to measure; biosamples that already have it form the starting set
        #[arg(long, value_name = "ASSAY")]
        for_assay: Option<String>,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Choose assays, for one biosample or in general
    #[command(
        after_help = "Example: persea select assays -k 4 --for-biosample E003 --given measured"
    )]
    Assays {
        /// Biosample to measure; assays that it already has form the starting set
        #[arg(long, value_name = "BIOSAMPLE")]
        for_biosample: Option<String>,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Choose experiments: pairs of a biosample and an assay; measured ones form the starting set
    #[command(after_help = "Example: persea select experiments -k 20 --exclude E003:H3K9me3")]
    Experiments {
        /// How the similarities of biosamples and of assays are combined
        #[arg(long, value_parser = one_of::<Combination>(), default_value_t = Combination::Product)]
        combine: Combination,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Choose positions of the genome: probes that represent the rest
    ///
    /// Uses facility location over all possible probes, by the model's factors: the similarity of a probe
    /// and a position is exp(−γ d²). Coverage is measured on a sample of positions, and once more on a
    /// second sample that took no part in the choice.
    #[command(
        after_help = "Example: persea select positions -k 1000 --probe-width 50 --spacing 1000 --outside unmappable.bed --bed probes.bed"
    )]
    Positions {
        #[command(flatten)]
        options: Box<positions::Options>,
    },
    /// Compare choices with random choices by predicting what was not chosen
    ///
    /// With expression, one half of the genes makes the choice and the other half is predicted, for random
    /// subsets of two thirds of the biosamples. With the database's tracks, each assay is predicted in
    /// turn, and the other assays make the choice at other blocks of the genome. Greedy choices stand beside
    /// the medoids of k clusters, those of the k branches of a tree, and random choices.
    #[command(
        after_help = "Example: persea select evaluate --expression 57epigenomes.RPKM.pc.gz -k 3,5,10"
    )]
    Evaluate {
        #[command(flatten)]
        options: evaluate::Options,
    },
    /// List stored selections
    #[command(after_help = "Example: persea select list --format json")]
    List,
    /// Show a stored selection
    #[command(after_help = "Example: persea select show 1 --plot curve.svg")]
    Show {
        /// Number of the selection
        id: i64,
        /// Plot coverage against the number chosen (.svg, .png or .pdf)
        #[arg(long, value_name = "FILE")]
        plot: Option<PathBuf>,
    },
    /// Repeat a stored selection and compare the results
    #[command(after_help = "Example: persea select repeat 1")]
    Repeat {
        /// Number of the selection
        id: i64,
    },
    /// Remove a stored selection
    #[command(after_help = "Example: persea select remove 1")]
    Remove {
        /// Number of the selection
        id: i64,
    },
}

/// Options of a choice among named items.
#[derive(Debug, clap::Args)]
struct Options {
    /// Number of items to choose; with a budget, at most this many
    #[arg(short, long, required_unless_present = "budget")]
    k: Option<usize>,
    /// Objective to maximise
    #[arg(long, value_parser = one_of::<ObjectiveName>(), default_value_t = ObjectiveName::FacilityLocation)]
    objective: ObjectiveName,
    /// Source of similarities
    #[arg(long, value_parser = one_of::<Compared>(), default_value_t = Compared::Factors)]
    similarity: Compared,
    /// Similarity matrix of your own: a table with names as header and first column, or .npy, .npz, .parquet
    #[arg(long, value_name = "FILE", conflicts_with_all = ["similarity", "expression"])]
    matrix: Option<PathBuf>,
    /// Expression to compare by: a table of genes × biosamples
    #[arg(long, value_name = "FILE", conflicts_with = "similarity")]
    expression: Option<PathBuf>,
    /// How vectors are compared [default: cosine for factors, otherwise squared-correlation]
    #[arg(long, value_parser = one_of::<KernelChoice>())]
    kernel: Option<KernelChoice>,
    /// γ of the kernel rbf, exp(−γ d²) [default: 1 / median of d²]
    #[arg(long, allow_negative_numbers = true)]
    gamma: Option<f64>,
    /// Number of bins at which signal is compared: one drawn from each of so many equal parts of the genome
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    bins: u64,
    /// Model to use; the default model if omitted
    #[arg(long)]
    model: Option<String>,
    /// Starting set: `measured`, `none`, names, or a file with one name per line [default: measured, with --for-assay,
    /// --for-biosample and for experiments]
    #[arg(long, value_name = "measured|none|NAME,…|FILE")]
    given: Option<String>,
    /// Items that must be chosen
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    require: Vec<String>,
    /// Items that must not be chosen
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Table of costs, with the column `cost`
    #[arg(long, value_name = "FILE", requires = "budget")]
    cost: Option<PathBuf>,
    /// Largest total cost
    #[arg(long, requires = "cost", allow_negative_numbers = true)]
    budget: Option<f64>,
    /// Algorithm; lazy and plain give the same choice
    #[arg(long, value_parser = one_of::<MethodName>(), default_value_t = MethodName::Lazy)]
    method: MethodName,
    /// Share of the guarantee that the stochastic method gives up
    #[arg(long, default_value_t = 0.1, value_parser = share)]
    epsilon: f64,
    /// For saturated-coverage: share of its total similarity at which an item counts as covered
    #[arg(long, default_value_t = 0.2, value_parser = share)]
    share: f64,
    /// For graph-cut: weight of similarity to all items relative to similarity within the choice
    #[arg(long, default_value_t = 2.0, allow_negative_numbers = true)]
    lambda: f64,
    /// For feature-based: concave function
    #[arg(long, value_parser = concave, default_value = "sqrt", value_name = "sqrt|log|sigmoid")]
    concave: Concave,
    /// Number of random choices to compare with
    #[arg(long, default_value_t = 200)]
    random: usize,
    /// Number of resamples of the genome (of genes, with --expression) on which the choice is made again; 0 for none
    #[arg(long, default_value_t = 100)]
    resamples: usize,
    /// Seed of all random choices: the bins that are compared, random choices and resamples
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Plot coverage against the number chosen (.svg, .png or .pdf)
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Do not store the result
    #[arg(long)]
    no_store: bool,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value < 1.0 => Ok(value),
        _ => Err("it must lie between 0 and 1".into()),
    }
}

fn concave(text: &str) -> Result<Concave, String> {
    text.parse()
}

/// Runs the command.
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    match arguments.action {
        Action::Biosamples { for_assay, options } => items::run(
            What::Biosamples,
            for_assay,
            Combination::Product,
            *options,
            common,
        ),
        Action::Assays {
            for_biosample,
            options,
        } => items::run(
            What::Assays,
            for_biosample,
            Combination::Product,
            *options,
            common,
        ),
        Action::Experiments { combine, options } => {
            items::run(What::Experiments, None, combine, *options, common)
        }
        Action::Positions { options } => positions::run(*options, common),
        Action::Evaluate { options } => evaluate::run(options, common),
        Action::List => list::list(common),
        Action::Show { id, plot } => list::show(id, plot.as_deref(), common),
        Action::Repeat { id } => list::repeat(id, common),
        Action::Remove { id } => list::remove(id, common),
    }
}
