//! `persea evaluate --folds`: a whole cross-validation.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use persea::cross_validation::{CrossValidated, CrossValidation, Fold, Scores, cross_validate};
use persea::evaluation::{LearnedBaseline, ScoringScale};
use persea::factorization::FactorizationError;
use serde_json::json;

use super::measures::{SHOWN, print_choices, print_intervals, print_paired};
use super::output::{Format, Table, measure, print_json, print_line};
use super::train::{self, Shown};
use super::{Common, Misuse, names, progress};

/// Options of `persea train`, given after `--`.
#[derive(Debug, Parser)]
#[command(name = "persea evaluate --folds FILE --", disable_version_flag = true)]
struct Training {
    #[command(flatten)]
    arguments: train::Arguments,
}

/// Runs the command.
pub fn run(
    path: &Path,
    prefix: &str,
    seeds: &[u64],
    training: &[String],
    (scale, learned): (ScoringScale, Vec<LearnedBaseline>),
    common: &Common,
) -> anyhow::Result<ExitCode> {
    let given = ["train".to_string()]
        .into_iter()
        .chain(training.iter().cloned());
    let training = Training::try_parse_from(given).map_err(|e| Misuse(e.to_string()))?;
    training.arguments.refuse_what_folds_decide()?;
    let database = common.open()?;
    let folds: Vec<Fold> = (names::folds(path)?.into_iter())
        .map(|(name, held)| Fold { name, held })
        .collect();
    let Some(first) = folds.first() else {
        anyhow::bail!("{}: it has no fold below its header", path.display());
    };
    let held = first.held.clone();
    let (mut options, run_options) = train::train_options(&training.arguments, &database, held)?;
    options.name = prefix.to_string();
    let settings = CrossValidation {
        folds,
        seeds: seeds.to_vec(),
        options,
        scale,
        learned,
    };
    let stop = progress::stop_on_interrupt(
        "stopping after this step with a checkpoint; press Ctrl-C again to quit at once",
    )?;
    let mut shown = Shown::new(stop);
    shown.tell = false;
    let bar = shown.bar.clone();
    let mut begin = |fold: &str, seed: u64| {
        bar.suspend(|| eprintln!("fold {fold}, seed {seed}"));
        bar.set_message(format!("fold {fold}, seed {seed}"));
    };
    let found = cross_validate(&database, &settings, run_options, &mut shown, &mut begin);
    shown.bar.finish_and_clear();
    match found {
        Err(persea::Error::Factorization(FactorizationError::Stopped { step, .. })) => {
            eprintln!("stopped at step {step}; run the same command again to continue");
            Ok(ExitCode::FAILURE)
        }
        found => {
            print(&found?, common.format)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Prints a cross-validation: as JSON in full, as TSV or CSV with one row per predictor, assay and
/// measure, or as a table of the main measures.
fn print(found: &CrossValidated, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return Ok(print_json(found)?);
    }
    let all = [("all", &found.overall)].into_iter();
    let groups = all.chain(found.by_assay.iter().map(|(a, s)| (a.as_str(), s)));
    let mut table = match format {
        Format::Table => Table::new(&["assay", "predictor", "measure", "mean", "±"]),
        _ => Table::new(&[
            "assay",
            "predictor",
            "measure",
            "mean",
            "standard_error",
            "between_seeds",
            "tracks",
        ]),
    };
    for (assay, predictors) in groups {
        for (predictor, scores) in predictors {
            let scores: &Scores = scores;
            for (name, score) in scores {
                let mut row = vec![
                    json!(assay),
                    json!(predictor),
                    json!(name),
                    measure(Some(score.mean)),
                ];
                row.push(measure(score.standard_error));
                if format != Format::Table {
                    row.extend([measure(score.between_seeds), json!(score.tracks)]);
                } else if !SHOWN.contains(name) || (assay != "all" && *name != "mse") {
                    continue;
                }
                table.row(row);
            }
        }
    }
    table.print(format)?;
    if format == Format::Table {
        print_strata(found)?;
        let first = found.runs.first().map(|r| r.seed);
        for run in found.runs.iter().filter(|r| Some(r.seed) == first) {
            if !run.evaluation.choices.is_empty() {
                print_line(format_args!("\nfold {}", run.fold))?;
                print_choices(&run.evaluation.choices)?;
            }
        }
        print_paired(&found.paired)?;
        print_line(format_args!(
            "\n{} trainings; ± is the standard error over tracks taken as independent. Mean squared error below average activity on {} of {} tracks",
            found.runs.len(),
            found.better_than_average,
            found.tracks
        ))?;
    }
    Ok(())
}

/// The tables of errors by peak strata and of the calibration of uncertainty.
fn print_strata(found: &CrossValidated) -> anyhow::Result<()> {
    let mut table = Table::new(&[
        "bins",
        "other biosamples with a peak",
        "n",
        "predictor",
        "mse",
    ]);
    for stratum in &found.by_peaks {
        let bins = if stratum.peaks_only {
            "own peaks"
        } else {
            "all"
        };
        for (predictor, mse) in &stratum.mse {
            table.row(vec![
                json!(bins),
                json!(stratum.others),
                json!(stratum.n_bins),
                json!(predictor),
                measure(Some(mse.mean)),
            ]);
        }
    }
    print_line("")?;
    table.print(Format::Table)?;
    if found.intervals.is_empty() {
        return Ok(());
    }
    let strata = ["all", "highest", "high", "rest"].map(|stratum| {
        let scores = found.intervals.get(stratum)?;
        let mean = |of: &str| scores.get(of).map(|s| s.mean);
        Some([mean("coverage_50")?, mean("coverage_90")?, mean("crps")?])
    });
    print_intervals(strata)
}
