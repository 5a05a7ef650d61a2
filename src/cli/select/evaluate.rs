//! `persea select evaluate`.

use std::path::PathBuf;
use std::process::ExitCode;

use persea::selection::{
    Compared, Evaluation, EvaluationOptions, KernelChoice, ObjectiveKind, ObjectiveName,
    evaluate_compendium, evaluate_expression, read_expression,
};
use serde_json::json;

use super::super::Common;
use super::super::one_of::one_of;
use super::super::output::{Format, Table, measure, print_json};
use super::super::progress::Phases;

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
    /// With tracks: sources of similarities to compare [default: observed; with --models all]
    #[arg(long, value_parser = one_of::<Compared>(), value_delimiter = ',', conflicts_with = "expression")]
    similarity: Vec<Compared>,
    /// With tracks: models for `factors` and `imputed`. An assay is scored by the first of them that was trained on no
    /// track of it; choices see the tracks that this model was trained on
    #[arg(
        long,
        value_name = "MODEL,…",
        value_delimiter = ',',
        conflicts_with = "expression"
    )]
    models: Vec<String>,
    /// How vectors are compared [default: cosine for factors, otherwise squared-correlation]
    #[arg(long, value_parser = one_of::<KernelChoice>(), value_delimiter = ',')]
    kernel: Vec<KernelChoice>,
    /// With expression: number of random subsets
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    replicates: u32,
    /// Random choices to compare with each choice
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    random: u32,
    /// With tracks: number of bins
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u64).range(100..))]
    bins: u64,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Runs the command.
pub fn run(options: Options, common: &Common) -> anyhow::Result<ExitCode> {
    let compared = match (options.similarity.is_empty(), options.models.is_empty()) {
        (false, _) => options.similarity,
        (true, true) => vec![Compared::Observed],
        (true, false) => Compared::ALL.to_vec(),
    };
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
        compared,
        kernels: options.kernel,
        models: options.models,
        replicates: options.replicates as usize,
        n_random: options.random as usize,
        bins: options.bins,
        seed: options.seed,
    };
    let phases = Phases::new();
    let report = |p: persea::selection::EvaluationProgress| {
        phases.report(p.what, (p.phase, p.n_phases), (p.done, p.total));
    };
    let found = match &options.expression {
        Some(path) => evaluate_expression(&read_expression(path)?, &asked, &report)?,
        None => evaluate_compendium(&common.open()?, &asked, &report)?,
    };
    phases.finish();
    for left_out in &found.left_out {
        eprintln!("note: {} is left out: {}", left_out.what, left_out.why);
    }
    if common.format == Format::Json {
        print_json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    table(&found).print(common.format)?;
    if common.format == Format::Table {
        eprintln!("{}", best(&found));
    }
    Ok(ExitCode::SUCCESS)
}

fn table(found: &Evaluation) -> Table {
    let mut table = Table::new(&[
        "similarity",
        "k",
        "predicted_by",
        "chosen_by",
        "n",
        "mse",
        "random_mse",
        "ratio",
        "ratio_se",
        "difference",
        "standard_error",
        "random_better",
    ]);
    for row in &found.rows {
        table.row(vec![
            json!(row.similarity),
            json!(row.k),
            json!(row.predictor),
            json!(row.chooser),
            json!(row.n),
            json!(row.chosen),
            json!(row.random),
            json!(row.ratio),
            measure(row.ratio_standard_error),
            json!(row.difference),
            measure(row.standard_error),
            json!(row.random_better),
        ]);
    }
    table
}

/// What came out, in a sentence.
fn best(found: &Evaluation) -> String {
    let Some(best) = (found.rows.iter()).min_by(|a, b| a.ratio.total_cmp(&b.ratio)) else {
        return "nothing was compared".into();
    };
    let error = match best.ratio_standard_error {
        Some(error) => format!(" ± {error:.3}"),
        None => String::new(),
    };
    let tied = (found.rows.iter())
        .filter(|r| r.k == best.k && r.predictor == best.predictor)
        .filter(|r| r.ratio - best.ratio <= best.ratio_standard_error.unwrap_or(0.0))
        .count();
    format!(
        "least error beside chance: {} chosen by {} ({}), the rest predicted by {}: {:.3}{error} of the error of random \
         choices; {tied} of the rows with that k and prediction lie within one standard error of it. The least of many \
         is too low: choose a similarity by other data than those it is judged on",
        best.k, best.chooser, best.similarity, best.predictor, best.ratio
    )
}
