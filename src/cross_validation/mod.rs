//! A whole cross-validation: every fold trained without its tracks, for every seed, and scored.
//!
//! Owns the order of the folds, and the means and errors over tracks and seeds. Training belongs to
//! `factorization`, scoring a model to [`evaluation`](crate::evaluation).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::evaluation::{
    EvaluateOptions, Evaluation, Intervals, LearnedBaseline, PREDICTORS, PairedDifference,
    Predictor, ScoringScale, TrackEvaluation, TrackMeasures, evaluate, keep_imputation,
    mean_measures,
};
use crate::factorization::{Listener, Pair, RunOptions, TrainOptions, fit};
use crate::model::TrainedModel;
use crate::store::{Database, Model, StoreError};

/// One fold: its name and the tracks held out in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Its name.
    pub name: String,
    /// The tracks that are not trained on.
    pub held: Vec<Pair>,
}

/// What to cross-validate.
#[derive(Debug, Clone)]
pub struct CrossValidation {
    /// The folds.
    pub folds: Vec<Fold>,
    /// The seeds that each is trained with.
    pub seeds: Vec<u64>,
    /// How to train; `hold` and `seed` are the fold's, `name` is what the models' names begin with.
    pub options: TrainOptions,
    /// The scale to score on.
    pub scale: ScoringScale,
    /// Baselines that are trained; once a fold, since no seed changes them.
    pub learned: Vec<LearnedBaseline>,
}

/// What one training scored.
#[derive(Debug, Clone, Serialize)]
pub struct FoldEvaluation {
    /// The fold.
    pub fold: String,
    /// The seed.
    pub seed: u64,
    /// Seconds that its training took.
    pub seconds: Option<f64>,
    /// Its scores.
    pub evaluation: Evaluation,
}

/// A mean over tracks and how far it may be off.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimated {
    /// The mean over tracks, of each the mean over seeds.
    pub mean: f64,
    /// The standard error of that mean over tracks; none of one track.
    pub standard_error: Option<f64>,
    /// The standard deviation of the means of single seeds; none of one seed.
    pub between_seeds: Option<f64>,
    /// Tracks on which it is defined.
    pub tracks: usize,
}

/// What a predictor scored, by measure.
pub type Scores = BTreeMap<&'static str, Estimated>;

/// What a cross-validation found.
#[derive(Debug, Clone, Serialize)]
pub struct CrossValidated {
    /// Every training.
    pub runs: Vec<FoldEvaluation>,
    /// Each predictor's scores over all tracks.
    pub overall: BTreeMap<&'static str, Scores>,
    /// The same for the tracks of each assay.
    pub by_assay: BTreeMap<String, BTreeMap<&'static str, Scores>>,
    /// Mean squared errors by how many other biosamples have a peak.
    pub by_peaks: Vec<PeakScores>,
    /// How much of what was observed lies in the model's intervals, by stratum (`all`,
    /// `highest`, `high`, `rest`) and measure (`coverage_50`, `coverage_90`, `crps`).
    pub intervals: BTreeMap<&'static str, Scores>,
    /// The model against each competitor, of each track the mean over seeds.
    pub paired: Vec<PairedDifference>,
    /// Tracks whose mean squared error, in the mean over seeds, is below average activity's.
    pub better_than_average: usize,
    /// Tracks scored.
    pub tracks: usize,
}

/// Mean squared errors where a number of other biosamples have a peak.
#[derive(Debug, Clone, Serialize)]
pub struct PeakScores {
    /// How many have.
    pub others: usize,
    /// Whether the target's own peaks are meant, and not all bins.
    pub peaks_only: bool,
    /// Bins of all tracks together.
    pub n_bins: usize,
    /// Each predictor's mean over the tracks that have such bins.
    pub mse: Scores,
}

/// Trains and scores every fold with every seed. A model that is there already, of the same options,
/// is scored as it is; a training that was stopped is gone on with. So the same call again finishes
/// what was begun.
///
/// ```
/// use persea::cross_validation::{CrossValidation, Fold, cross_validate};
/// use persea::evaluation::ScoringScale;
/// use persea::factorization::RunOptions;
/// # use persea::factorization::{TrainOptions, Validate};
/// # use persea::model::{Architecture, Preset, Sizes};
///
/// # let (_folder, database) = persea::compendium::example_compendium()?;
/// # let options = TrainOptions {
/// #     architecture: Architecture::Avocado,
/// #     encoder: None,
/// #     refinement: None,
/// #     sizes: Sizes { batch_size: 1_000, ..Sizes::preset(Preset::Small) },
/// #     validate: Validate::Nothing,
/// #     passes: 1,
/// #     ..TrainOptions::default()
/// # };
/// let fold = |name: &str, biosample: &str, assay: &str| Fold {
///     name: name.into(),
///     held: vec![(biosample.into(), assay.into())],
/// };
/// let settings = CrossValidation {
///     folds: vec![fold("a", "S1", "H3K4me3"), fold("b", "S2", "H3K27ac")],
///     seeds: vec![0],
///     options, // of the training; each fold sets what it holds out
///     scale: ScoringScale::Arcsinh,
///     learned: Vec::new(),
/// };
/// let run = RunOptions::default();
/// let found = cross_validate(&database, &settings, run, &mut (), &mut |_, _| {})?;
/// assert_eq!((found.runs.len(), found.tracks), (2, 2));
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// As training and scoring; when a model of a name to be used was trained otherwise.
pub fn cross_validate(
    database: &Database,
    settings: &CrossValidation,
    run_options: RunOptions,
    listener: &mut dyn Listener,
    begin: &mut dyn FnMut(&str, u64),
) -> crate::Result<CrossValidated> {
    let mut runs = Vec::with_capacity(settings.folds.len() * settings.seeds.len());
    for seed in &settings.seeds {
        for fold in &settings.folds {
            begin(&fold.name, *seed);
            runs.push(run(database, settings, fold, *seed, run_options, listener)?);
        }
    }
    Ok(summary(runs))
}

fn run(
    database: &Database,
    settings: &CrossValidation,
    fold: &Fold,
    seed: u64,
    run_options: RunOptions,
    listener: &mut dyn Listener,
) -> crate::Result<FoldEvaluation> {
    let options = TrainOptions {
        name: format!("{}.{}.{seed}", settings.options.name, fold.name),
        hold: fold.held.clone(),
        seed,
        ..settings.options.clone()
    };
    let there = (database.list_models()?.into_iter()).find(|m| m.record.name == options.name);
    match there {
        Some(model) => {
            if !is_of(&model, &options) {
                return Err(StoreError::Taken {
                    kind: "model",
                    name: options.name,
                    advice: "it was trained with other options: delete it, or choose another prefix (option `prefix`)",
                }
                .into());
            }
        }
        None => {
            let resume = database.latest_checkpoint(&options.name)?.is_some();
            fit(database, &options, run_options, resume, listener)?;
        }
    }
    let model = TrainedModel::open(database, Some(&options.name))?;
    let learned = match settings.seeds.first() == Some(&seed) {
        true => settings.learned.clone(),
        false => Vec::new(),
    };
    let seconds = model
        .record()
        .training
        .get("seconds")
        .and_then(|s| s.as_f64());
    let options = EvaluateOptions {
        learned,
        ..EvaluateOptions::default()
    };
    let evaluation = evaluate(database, &model, settings.scale, &options, &mut |_, _| {})?;
    keep_imputation(database, &model, settings.scale, &options, &evaluation);
    Ok(FoldEvaluation {
        fold: fold.name.clone(),
        seed,
        seconds,
        evaluation,
    })
}

/// Whether a model was trained so, in whichever arithmetic the machine was faster at.
fn is_of(model: &Model, options: &TrainOptions) -> bool {
    // A model that keeps no options, such as an imported one, was not trained so.
    let settings = model
        .record
        .training
        .get("options")
        .cloned()
        .unwrap_or_default();
    let Ok(settings) = serde_json::from_value::<TrainOptions>(settings) else {
        return false;
    };
    let settings = TrainOptions {
        arithmetic: options.arithmetic,
        ..settings
    };
    settings == *options
}

/// The scores of all runs.
pub fn summary(runs: Vec<FoldEvaluation>) -> CrossValidated {
    let mut assays: Vec<String> = tracks_of(&runs).map(|(_, t)| t.assay.clone()).collect();
    assays.sort();
    assays.dedup();
    let scores = |assay: Option<&str>| {
        let of = |(name, measures): Predictor| (name, scores(&runs, assay, measures));
        let scored = PREDICTORS.into_iter().map(of);
        scored.filter(|(_, s)| !s.is_empty()).collect()
    };
    let by_assay = assays
        .iter()
        .map(|a| (a.clone(), scores(Some(a))))
        .collect();
    let overall = scores(None);
    let mse = |measures| means_by_track(&runs, None, measures, "mse");
    let (model, average) = (mse(PREDICTORS[0].1), mse(PREDICTORS[1].1));
    let better = |track: &Track| matches!((model.get(track), average.get(track)), (Some(m), Some(a)) if m < a);
    CrossValidated {
        better_than_average: model.keys().filter(|t| better(t)).count(),
        tracks: model.len(),
        overall,
        by_assay,
        by_peaks: by_peaks(&runs),
        intervals: intervals(&runs),
        paired: paired(&runs),
        runs,
    }
}

/// The model against each competitor in each measure that both have.
fn paired(runs: &[FoldEvaluation]) -> Vec<PairedDifference> {
    let mut differences = Vec::new();
    for (competitor, of) in &PREDICTORS[1..] {
        for name in TrackMeasures::NAMES {
            let model = means_by_track(runs, None, PREDICTORS[0].1, name);
            let other = means_by_track(runs, None, *of, name);
            let values: Vec<_> = (model.iter())
                .filter_map(|(track, value)| {
                    let (_, biosample, assay) = track;
                    Some((
                        biosample.as_str(),
                        assay.as_str(),
                        *value,
                        *other.get(track)?,
                    ))
                })
                .collect();
            differences.extend(PairedDifference::of(competitor, name, &values));
        }
    }
    differences
}

/// Fold, biosample and assay.
type Track = (String, String, String);

fn tracks_of(runs: &[FoldEvaluation]) -> impl Iterator<Item = (&FoldEvaluation, &TrackEvaluation)> {
    runs.iter()
        .flat_map(|r| r.evaluation.tracks.iter().map(move |t| (r, t)))
}

/// One value of a run.
type OfRun = (u64, Track, f64);

/// The mean over tracks, of each the mean over seeds; `None` of none.
fn estimated(values: &[OfRun]) -> Option<Estimated> {
    let mut by_track: BTreeMap<&Track, (f64, f64)> = BTreeMap::new();
    let mut by_seed: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for (seed, track, value) in values {
        for sum in [
            by_track.entry(track).or_default(),
            by_seed.entry(*seed).or_default(),
        ] {
            sum.0 += value;
            sum.1 += 1.0;
        }
    }
    let tracks: Vec<f64> = by_track.into_values().map(|(sum, n)| sum / n).collect();
    let seeds: Vec<f64> = by_seed.into_values().map(|(sum, n)| sum / n).collect();
    let (mean, deviation) = mean_and_deviation(&tracks)?;
    Some(Estimated {
        mean,
        standard_error: deviation.map(|d| d / (tracks.len() as f64).sqrt()),
        between_seeds: mean_and_deviation(&seeds).and_then(|(_, d)| d),
        tracks: tracks.len(),
    })
}

fn key(run: &FoldEvaluation, track: &TrackEvaluation) -> Track {
    (
        run.fold.clone(),
        track.biosample.clone(),
        track.assay.clone(),
    )
}

fn by_peaks(runs: &[FoldEvaluation]) -> Vec<PeakScores> {
    type Stratum = (BTreeMap<&'static str, Vec<OfRun>>, BTreeMap<Track, usize>);
    let mut strata: BTreeMap<(bool, usize), Stratum> = BTreeMap::new();
    for (run, track) in tracks_of(runs) {
        for stratum in &track.peaks {
            let place = strata.entry((stratum.peaks_only, stratum.others));
            let (scores, bins) = place.or_default();
            bins.insert(key(run, track), stratum.n_bins);
            for (name, mse) in &stratum.mse {
                let of_run = (run.seed, key(run, track), *mse);
                scores.entry(name).or_default().push(of_run);
            }
        }
    }
    let scored = |((peaks_only, others), (scores, bins)): (_, Stratum)| PeakScores {
        others,
        peaks_only,
        n_bins: bins.values().sum(),
        mse: (scores.into_iter())
            .filter_map(|(name, values)| Some((name, estimated(&values)?)))
            .collect(),
    };
    strata.into_iter().map(scored).collect()
}

fn intervals(runs: &[FoldEvaluation]) -> BTreeMap<&'static str, Scores> {
    let mut values: BTreeMap<(&'static str, &'static str), Vec<OfRun>> = BTreeMap::new();
    for (run, track) in tracks_of(runs) {
        let Some(found) = &track.intervals else {
            continue;
        };
        let strata: [(&'static str, Option<Intervals>); 4] = [
            ("all", Some(found.all)),
            ("highest", found.highest),
            ("high", found.high),
            ("rest", found.rest),
        ];
        for (stratum, intervals) in strata {
            let Some(i) = intervals else { continue };
            for (name, value) in [
                ("coverage_50", i.coverage_50),
                ("coverage_90", i.coverage_90),
                ("crps", i.crps),
            ] {
                let of_run = (run.seed, key(run, track), value);
                values.entry((stratum, name)).or_default().push(of_run);
            }
        }
    }
    let mut scores: BTreeMap<&'static str, Scores> = BTreeMap::new();
    for ((stratum, name), values) in values {
        if let Some(found) = estimated(&values) {
            scores.entry(stratum).or_default().insert(name, found);
        }
    }
    scores
}

/// A measure of each track, in the mean over seeds.
fn means_by_track(
    runs: &[FoldEvaluation],
    assay: Option<&str>,
    measures: fn(&TrackEvaluation) -> TrackMeasures,
    name: &str,
) -> BTreeMap<Track, f64> {
    let mut sums: BTreeMap<Track, (f64, f64)> = BTreeMap::new();
    for (run, track) in tracks_of(runs).filter(|(_, t)| assay.is_none_or(|a| a == t.assay)) {
        if let Some(value) = value(&measures(track), name) {
            let key = (
                run.fold.clone(),
                track.biosample.clone(),
                track.assay.clone(),
            );
            let sum = sums.entry(key).or_default();
            sum.0 += value;
            sum.1 += 1.0;
        }
    }
    sums.into_iter().map(|(k, (sum, n))| (k, sum / n)).collect()
}

fn value(measures: &TrackMeasures, name: &str) -> Option<f64> {
    let values = measures.values();
    values.into_iter().find(|(n, _)| *n == name)?.1
}

fn scores(
    runs: &[FoldEvaluation],
    assay: Option<&str>,
    measures: fn(&TrackEvaluation) -> TrackMeasures,
) -> Scores {
    let mut seeds: Vec<u64> = runs.iter().map(|r| r.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let of_seed = |seed: u64| -> TrackMeasures {
        let tracks: Vec<TrackMeasures> = tracks_of(runs)
            .filter(|(r, t)| r.seed == seed && assay.is_none_or(|a| a == t.assay))
            .map(|(_, t)| measures(t))
            .collect();
        mean_measures(&tracks)
    };
    let by_seed: Vec<TrackMeasures> = seeds.iter().map(|s| of_seed(*s)).collect();
    let mut scores = Scores::new();
    for name in TrackMeasures::NAMES {
        let tracks: Vec<f64> = means_by_track(runs, assay, measures, name)
            .into_values()
            .collect();
        let Some((mean, deviation)) = mean_and_deviation(&tracks) else {
            continue;
        };
        let seeds: Vec<f64> = by_seed.iter().filter_map(|m| value(m, name)).collect();
        scores.insert(
            name,
            Estimated {
                mean,
                standard_error: deviation.map(|d| d / (tracks.len() as f64).sqrt()),
                between_seeds: mean_and_deviation(&seeds).and_then(|(_, d)| d),
                tracks: tracks.len(),
            },
        );
    }
    scores
}

/// The mean, and the standard deviation (n − 1) of more than one.
fn mean_and_deviation(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let n = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    Some((
        mean,
        (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::{MeanEvaluation, PeakStratum};

    fn measures(mse: f64) -> TrackMeasures {
        TrackMeasures {
            mse: Some(mse),
            ..TrackMeasures::default()
        }
    }

    fn run(fold: &str, seed: u64, tracks: &[(&str, &str, f64)]) -> FoldEvaluation {
        let nothing = TrackMeasures::default();
        let track = |(b, a, mse): &(&str, &str, f64)| TrackEvaluation {
            n_bins: 0,
            biosample: b.to_string(),
            assay: a.to_string(),
            measures: measures(*mse),
            average_activity: measures(2.5),
            calibrated_average: nothing,
            nearest_biosample: nothing,
            additive: nothing,
            learned: BTreeMap::new(),
            peaks: vec![PeakStratum {
                others: 1,
                peaks_only: true,
                n_bins: 10,
                mse: BTreeMap::from([("model", *mse)]),
            }],
            intervals: None,
        };
        FoldEvaluation {
            fold: fold.into(),
            seed,
            seconds: None,
            evaluation: Evaluation {
                model: "m".into(),
                scale: ScoringScale::Arcsinh,
                definitions: Default::default(),
                n_bins: 1,
                n_zero_bins: 0,
                choices: Vec::new(),
                paired: Vec::new(),
                shard: None,
                tracks: tracks.iter().map(track).collect(),
                mean: MeanEvaluation {
                    measures: nothing,
                    average_activity: nothing,
                    calibrated_average: nothing,
                    nearest_biosample: nothing,
                    additive: nothing,
                    learned: BTreeMap::new(),
                    intervals: None,
                },
            },
        }
    }

    #[test]
    fn errors_are_over_tracks_and_spread_is_over_seeds() {
        let found = summary(vec![
            run("0", 0, &[("x", "P", 1.0)]),
            run("1", 0, &[("y", "P", 2.0), ("y", "Q", 6.0)]),
            run("0", 1, &[("x", "P", 1.0)]),
            run("1", 1, &[("y", "P", 4.0), ("y", "Q", 4.0)]),
        ]);
        // Tracks 1, 3 and 5, of either seed 3 in the mean.
        let mse = found.overall["model"]["mse"];
        assert_eq!(
            (mse.mean, mse.tracks, mse.between_seeds),
            (3.0, 3, Some(0.0))
        );
        assert!((mse.standard_error.unwrap() - 2.0 / 3f64.sqrt()).abs() < 1e-12);
        assert_eq!((found.better_than_average, found.tracks), (1, 3));
        // Of P tracks 1 and 3; seeds 1.5 and 2.5.
        let mse = found.by_assay["P"]["model"]["mse"];
        assert_eq!((mse.mean, mse.tracks), (2.0, 2));
        assert!((mse.between_seeds.unwrap() - 0.5f64.sqrt()).abs() < 1e-12);
        assert_eq!(found.by_assay["Q"]["model"]["mse"].standard_error, None);
        assert!(!found.overall.contains_key("additive"));
        // Strata likewise: three tracks of ten bins each, whatever the seeds.
        assert_eq!(found.by_peaks.len(), 1);
        let peaks = &found.by_peaks[0];
        assert_eq!(
            (peaks.others, peaks.peaks_only, peaks.n_bins),
            (1, true, 30)
        );
        assert_eq!(
            (peaks.mse["model"].mean, peaks.mse["model"].tracks),
            (3.0, 3)
        );
        assert!(found.intervals.is_empty());
        // Against average activity's 2.5: tracks 1, 3 and 5 in the mean over seeds, one of them below.
        let paired = (found.paired.iter()).find(|p| p.competitor == "average_activity");
        let paired = paired.unwrap();
        assert_eq!((paired.measure, paired.tracks, paired.wins), ("mse", 3, 1));
        assert!((paired.difference - 0.5).abs() < 1e-12);
    }
}
