//! `persea select`.

mod evaluate;
mod items;
mod list;
mod positions;
mod print;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use persea::selection::{Combination, Concave, KernelChoice, What};

use super::Common;

/// Choose what to measure next: few that represent all.
///
/// Greedily chooses the items that add most to an objective, by default facility location: the sum over all items
/// of their similarity to the nearest that is chosen or measured. Prints how near to the best the choice is, whom each represents, and random
/// choices of the same size beside it. What was chosen is stored with all that repeats it.
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
    /// Biosamples, for a new assay or for any
    #[command(
        after_help = "Example: persea select biosamples -k 3 --for-assay H3K36me3 --plot curve.svg"
    )]
    Biosamples {
        /// The assay they are wanted for: those that have it are the starting set
        #[arg(long, value_name = "ASSAY")]
        for_assay: Option<String>,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Assays, for a new biosample or for any
    #[command(
        after_help = "Example: persea select assays -k 4 --for-biosample E003 --given measured"
    )]
    Assays {
        /// The biosample they are wanted for: those that it has are the starting set
        #[arg(long, value_name = "BIOSAMPLE")]
        for_biosample: Option<String>,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Experiments: pairs of a biosample and an assay, what is measured being the starting set
    #[command(after_help = "Example: persea select experiments -k 20 --exclude E003:H3K9me3")]
    Experiments {
        /// How the similarity of two is made of their biosamples' and their assays'
        #[arg(long, value_enum, default_value_t = CombinationArgument::Product)]
        combine: CombinationArgument,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Positions of the genome: probes that represent the rest
    ///
    /// Facility location over all probes that fit, by the model's factors: the similarity of a probe and a position
    /// is exp(−γ d²). Coverage is measured on positions drawn evenly from the genome, whose number is printed, and once more on others
    /// that had no part in the choice.
    #[command(
        after_help = "Example: persea select positions -k 1000 --probe-width 50 --spacing 1000 --outside unmappable.bed --bed probes.bed"
    )]
    Positions {
        #[command(flatten)]
        options: Box<positions::Options>,
    },
    /// Put choices to the proof: predict what was not chosen, beside random choices
    ///
    /// Of expression one half of the genes is chosen by and the other predicted, for draws of two thirds of the biosamples. Of the
    /// database's tracks each assay is predicted in turn, and the choice made by the others, at other bins.
    #[command(
        after_help = "Example: persea select evaluate --expression 57epigenomes.RPKM.pc.gz -k 3,5,10"
    )]
    Evaluate {
        #[command(flatten)]
        options: evaluate::Options,
    },
    /// What has been chosen before
    #[command(after_help = "Example: persea select list --format json")]
    List,
    /// A stored selection once more
    #[command(after_help = "Example: persea select show 1 --plot curve.svg")]
    Show {
        /// Its number
        id: i64,
        /// Draw coverage against number (.svg, .png or .pdf)
        #[arg(long, value_name = "FILE")]
        plot: Option<PathBuf>,
    },
    /// Choose again as a stored selection was chosen, and say whether the same comes out
    #[command(after_help = "Example: persea select repeat 1")]
    Repeat {
        /// Its number
        id: i64,
    },
    /// Remove a stored selection
    #[command(after_help = "Example: persea select remove 1")]
    Remove {
        /// Its number
        id: i64,
    },
}

/// How named items are chosen.
#[derive(Debug, clap::Args)]
struct Options {
    /// How many; with a budget, at most
    #[arg(short, long, required_unless_present = "budget")]
    k: Option<usize>,
    /// What a good choice is
    #[arg(long, value_enum, default_value_t = ObjectiveArgument::FacilityLocation)]
    objective: ObjectiveArgument,
    /// What items are compared by
    #[arg(long, value_enum, default_value_t = SimilarityArgument::Factors)]
    similarity: SimilarityArgument,
    /// Compare by a matrix of your own: names as header and first column, or .npy, .npz, .parquet
    #[arg(long, value_name = "FILE", conflicts_with_all = ["similarity", "expression"])]
    matrix: Option<PathBuf>,
    /// Compare by expression: a table of genes × biosamples
    #[arg(long, value_name = "FILE", conflicts_with = "similarity")]
    expression: Option<PathBuf>,
    /// How numbers are compared [default: cosine of factors, else squared-correlation]
    #[arg(long, value_enum)]
    kernel: Option<KernelArgument>,
    /// Of the kernel rbf: exp(−γ d²) [default: 1 / the median of d²]
    #[arg(long, allow_negative_numbers = true)]
    gamma: Option<f64>,
    /// At how many bins signal is compared, about
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    bins: u64,
    /// The model; the default one when not given
    #[arg(long)]
    model: Option<String>,
    /// The starting set: `measured`, `none`, names, or a file with a name a line [default: what is
    /// measured, where that leaves as many as are wanted]
    #[arg(long, value_name = "measured|none|NAME,…|FILE")]
    given: Option<String>,
    /// What must be chosen
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    require: Vec<String>,
    /// What must not be
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    exclude: Vec<String>,
    /// What each costs: a table with the column `cost`
    #[arg(long, value_name = "FILE", requires = "budget")]
    cost: Option<PathBuf>,
    /// What all may cost together
    #[arg(long, requires = "cost", allow_negative_numbers = true)]
    budget: Option<f64>,
    /// How the choice is made: lazy and plain give the same
    #[arg(long, value_enum, default_value_t = MethodArgument::Lazy)]
    method: MethodArgument,
    /// Of stochastic: the share of the guarantee that is given up
    #[arg(long, default_value_t = 0.1, value_parser = share)]
    epsilon: f64,
    /// Of saturated-coverage: the share of its sum at which an item is covered
    #[arg(long, default_value_t = 0.2, value_parser = share)]
    share: f64,
    /// Of graph-cut: what likeness to all counts against likeness among the chosen
    #[arg(long, default_value_t = 2.0, allow_negative_numbers = true)]
    lambda: f64,
    /// Of feature-based: the concave function
    #[arg(long, value_parser = concave, default_value = "sqrt", value_name = "sqrt|log|sigmoid")]
    concave: Concave,
    /// How many random choices stand beside it
    #[arg(long, default_value_t = 200)]
    random: usize,
    /// What chance derives from
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Draw coverage against number (.svg, .png or .pdf)
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Do not store it
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

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CombinationArgument {
    /// Alike if both are
    Product,
    /// Half alike if one of both is
    Mean,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ObjectiveArgument {
    /// Every item like one of the chosen
    FacilityLocation,
    /// Every item like several, up to a share
    SaturatedCoverage,
    /// Of every feature much
    FeatureBased,
    /// Like all, unlike each other
    GraphCut,
    /// Far from each other, in sum
    SumOfDistances,
    /// The nearest two far from each other
    MinimumDistance,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SimilarityArgument {
    /// The model's factors
    Factors,
    /// What the model imputes; with --for-assay of that assay alone
    Imputed,
    /// The stored tracks; with --for-assay without that assay
    Observed,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KernelArgument {
    /// Negative ones count as 0
    Cosine,
    /// exp(−γ d²)
    Rbf,
    /// Of Pearson
    SquaredCorrelation,
    /// Of Pearson; negative ones count as 0
    Correlation,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum MethodArgument {
    /// Looks only at what may be best
    Lazy,
    /// Looks at all, each time
    Plain,
    /// Looks at some, drawn at random
    Stochastic,
}

impl From<CombinationArgument> for Combination {
    fn from(combination: CombinationArgument) -> Self {
        match combination {
            CombinationArgument::Product => Combination::Product,
            CombinationArgument::Mean => Combination::Mean,
        }
    }
}

impl From<KernelArgument> for KernelChoice {
    fn from(kernel: KernelArgument) -> Self {
        match kernel {
            KernelArgument::Cosine => KernelChoice::Cosine,
            KernelArgument::Rbf => KernelChoice::Rbf,
            KernelArgument::SquaredCorrelation => KernelChoice::SquaredCorrelation,
            KernelArgument::Correlation => KernelChoice::Correlation,
        }
    }
}

/// Runs it.
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
            items::run(What::Experiments, None, combine.into(), *options, common)
        }
        Action::Positions { options } => positions::run(*options, common),
        Action::Evaluate { options } => evaluate::run(options, common),
        Action::List => list::list(common),
        Action::Show { id, plot } => list::show(id, plot.as_deref(), common),
        Action::Repeat { id } => list::repeat(id, common),
        Action::Remove { id } => list::remove(id, common),
    }
}
