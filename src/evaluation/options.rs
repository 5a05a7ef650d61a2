//! What to score, and how: the settings that repeat an evaluation.

use persea_vocabulary::vocabulary;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Definitions, LearnedBaseline};
use crate::compendium::{Experiment, Manifest, Shard};
use crate::genome::Interval;

vocabulary! {
    /// On which scale to score.
    pub enum ScoringScale {
        /// arcsinh, as tracks are stored
        Arcsinh = "arcsinh",
        /// Signal, with negative values clipped to 0
        Signal = "signal",
    }
}

/// What to score.
#[derive(Debug, Clone, Default)]
pub struct EvaluateOptions {
    /// Tracks that were never ingested; the model's held-out tracks when there is none.
    pub truth: Option<Manifest>,
    /// Called peaks of the tracks scored.
    pub peaks: Option<Manifest>,
    /// Which tracks to score, of those there are; all when empty.
    pub only: Vec<Experiment>,
    /// Scores bins in these intervals alone; all of the model's where empty. Baselines are fitted
    /// to the same bins.
    pub within: Vec<Interval>,
    /// Baselines that are trained, with settings chosen on training tracks.
    pub learned: Vec<LearnedBaseline>,
    /// Whose definitions the measures follow.
    pub definitions: Definitions,
    /// Which of the tracks to score, by their order; all where there is none.
    pub shard: Option<Shard>,
}

/// Which part of which evaluation a result is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationShard {
    /// The part, as `2/4`.
    pub shard: String,
    /// The checksum of the model's numbers.
    pub model_checksum: String,
    /// Everything that repeats the whole evaluation, all of its tracks among it.
    pub settings: Value,
    /// The place of each scored track among all.
    pub places: Vec<usize>,
}

/// Everything that repeats the scores, in one form for equal questions.
pub(super) fn imputation_settings(
    scale: ScoringScale,
    options: &EvaluateOptions,
    scored: &[[&str; 2]],
) -> Value {
    let mut learned: Vec<&str> = options.learned.iter().map(|l| l.name()).collect();
    learned.sort_unstable();
    json!({
        "scale": scale,
        "definitions": options.definitions,
        "tracks": scored,
        "learned": learned,
        "within": intervals(&options.within),
        "files": options.truth.is_some(),
        "peaks": options.peaks.is_some(),
    })
}

pub(super) fn intervals(within: &[Interval]) -> Vec<String> {
    within.iter().map(ToString::to_string).collect()
}
