//! An evaluation that several jobs share: each scores some of the tracks, and the results are put together.
//!
//! Each job reads the same training tracks and fits its own tracks' baselines to them, so that a track's scores
//! do not depend on the job. The results of all jobs become the evaluation that one job would have made.

use std::collections::BTreeMap;

use serde_json::Value;

use super::options::imputation_settings;
use super::{EvaluateOptions, Evaluation, EvaluationError, MeanEvaluation, ScoringScale};
use crate::compendium::Shard;
use crate::model::TrainedModel;

/// Puts the parts of an evaluation together. They must be all parts of an evaluation of this model with these
/// options; each has the name of its file, for messages.
///
/// # Errors
/// When a part is missing or comes twice, or is of another model or other options.
pub fn merge_evaluations(
    model: &TrainedModel,
    scale: ScoringScale,
    options: &EvaluateOptions,
    parts: Vec<(String, Evaluation)>,
) -> Result<Evaluation, EvaluationError> {
    let wrong = |file: &str, why: &str| EvaluationError::Part {
        file: file.to_string(),
        why: why.to_string(),
    };
    let Some((first_file, first)) = parts.first() else {
        return Err(wrong("", "there is no part"));
    };
    let Some(whole) = first.shard.clone() else {
        return Err(wrong(first_file, NOT_A_PART));
    };
    let (n_bins, n_zero_bins) = (first.n_bins, first.n_zero_bins);
    let names = all_tracks(&whole.settings).ok_or_else(|| wrong(first_file, NOT_A_PART))?;
    if whole.settings != imputation_settings(scale, options, &names) {
        return Err(wrong(
            first_file,
            "is of other options than were given here",
        ));
    }
    let mut files: BTreeMap<usize, &String> = BTreeMap::new();
    let of_first: Shard = (whole.shard.parse()).map_err(|_| wrong(first_file, NOT_A_PART))?;
    let count = of_first.count();
    let mut placed = Vec::new();
    for (file, part) in &parts {
        let Some(of) = &part.shard else {
            return Err(wrong(file, NOT_A_PART));
        };
        let shard: Shard = of.shard.parse().map_err(|_| wrong(file, NOT_A_PART))?;
        if of.model_checksum != model.stored().checksum {
            return Err(wrong(
                file,
                "is of another model, or of an earlier state of it",
            ));
        }
        let same = of.settings == whole.settings
            && (part.n_bins, part.n_zero_bins) == (n_bins, n_zero_bins)
            && shard.count() == count;
        if !same || of.places.len() != part.tracks.len() {
            return Err(wrong(
                file,
                &format!("is not a part of the evaluation of {first_file}"),
            ));
        }
        if let Some(other) = files.insert(shard.index(), file) {
            return Err(wrong(file, &format!("is the same part as {other}")));
        }
        placed.extend(of.places.iter().copied().zip(part.tracks.iter().cloned()));
    }
    if let Some(missing) = (0..count).find(|i| !files.contains_key(i)) {
        let why = format!(
            "is one of {count} parts, and part {} is missing",
            missing + 1
        );
        return Err(wrong(first_file, &why));
    }
    placed.sort_by_key(|(place, _)| *place);
    let tracks: Vec<_> = placed.into_iter().map(|(_, track)| track).collect();
    let learned: Vec<&'static str> = options.learned.iter().map(|l| l.name()).collect();
    let merged = Evaluation {
        model: model.record().name.clone(),
        scale,
        definitions: options.definitions,
        n_bins,
        n_zero_bins,
        mean: MeanEvaluation::of(&tracks, &learned),
        tracks,
        choices: Vec::new(),
        paired: Vec::new(),
        shard: None,
    };
    Ok(merged.with_paired_differences())
}

const NOT_A_PART: &str = "is not what an evaluation with the option `shard` prints as JSON";

/// The tracks that an evaluation's settings list.
fn all_tracks(settings: &Value) -> Option<Vec<[&str; 2]>> {
    settings["tracks"].as_array()?.iter().map(pair).collect()
}

fn pair(track: &Value) -> Option<[&str; 2]> {
    Some([track.get(0)?.as_str()?, track.get(1)?.as_str()?])
}
