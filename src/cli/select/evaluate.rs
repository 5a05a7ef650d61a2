//! `persea select evaluate`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::selection::{
    EvaluationOptions, Kernel, KernelChoice, ObjectiveKind, ObjectiveName, Predictor,
    evaluate_compendium, evaluate_expression, read_expression,
};
use serde_json::json;

use super::super::Common;
use super::super::one_of::one_of;
use super::super::output::{Format, Table, measure, print_json};

/// Options of the comparison with random choices.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Table of expression, genes × biosamples; without it, the database's tracks are used
    #[arg(long, value_name = "FILE")]
    expression: Option<PathBuf>,
    /// Numbers of items to choose
    #[arg(
        short,
        long,
        value_name = "K,…",
        value_delimiter = ',',
        default_value = "1,2,3"
    )]
    k: Vec<usize>,
    /// Objective to maximise
    #[arg(long, value_parser = one_of::<ObjectiveName>(), default_value_t = ObjectiveName::FacilityLocation)]
    objective: ObjectiveName,
    /// How vectors are compared
    #[arg(long, value_parser = one_of::<KernelChoice>(), default_value_t = KernelChoice::SquaredCorrelation)]
    kernel: KernelChoice,
    /// With expression: number of random subsets
    #[arg(long, default_value_t = 50)]
    replicates: usize,
    /// Random choices to compare with each choice
    #[arg(long, default_value_t = 50)]
    random: usize,
    /// With tracks: number of bins
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u64).range(100..))]
    bins: u64,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Runs the command.
pub fn run(options: Options, common: &Common) -> anyhow::Result<ExitCode> {
    let asked = EvaluationOptions {
        ks: options.k,
        objective: match options.objective {
            ObjectiveName::FacilityLocation => ObjectiveKind::FacilityLocation,
            ObjectiveName::SaturatedCoverage => ObjectiveKind::SaturatedCoverage { share: 0.2 },
            ObjectiveName::GraphCut => ObjectiveKind::GraphCut { lambda: 2.0 },
            ObjectiveName::SumOfDistances => ObjectiveKind::SumOfDistances,
            ObjectiveName::MinimumDistance => ObjectiveKind::MinimumDistance,
            ObjectiveName::FeatureBased => {
                let why = "select evaluate does not support feature-based, which needs features";
                return Err(super::super::Misuse(why.into()).into());
            }
        },
        kernel: match options.kernel {
            KernelChoice::Cosine => Kernel::Cosine,
            KernelChoice::Rbf => Kernel::Rbf { gamma: None },
            KernelChoice::SquaredCorrelation => Kernel::SquaredCorrelation,
            KernelChoice::Correlation => Kernel::Correlation,
        },
        replicates: options.replicates,
        n_random: options.random,
        bins: options.bins,
        seed: options.seed,
    };
    let rows = match &options.expression {
        Some(path) => evaluate_expression(&read_expression(path)?, &asked)?,
        None => evaluate_compendium(&common.open()?, &asked)?,
    };
    if common.format == Format::Json {
        print_json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&[
        "k",
        "predicted_by",
        "n",
        "mse",
        "random_mse",
        "difference",
        "standard_error",
        "random_better",
    ]);
    for row in rows {
        table.row(vec![
            json!(row.k),
            json!(match row.predictor {
                Predictor::Nearest => "nearest",
                Predictor::Ridge => "ridge",
            }),
            json!(row.n),
            json!(row.chosen),
            json!(row.random),
            json!(row.difference),
            measure(row.standard_error),
            json!(row.random_better),
        ]);
    }
    table.print(common.format)?;
    Ok(ExitCode::SUCCESS)
}
