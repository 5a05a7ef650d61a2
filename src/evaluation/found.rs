//! What an evaluation finds: each track's measures, their means, paired differences.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::peaks::by_predictor;
use super::{
    Definitions, EvaluationShard, IntervalsByStratum, LearnedChoice, PairedDifference, PeakStratum,
    ScoringScale, TrackMeasures, mean_measures,
};

/// A track's measures and its baselines'.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrackEvaluation {
    /// The biosample.
    pub biosample: String,
    /// The assay.
    pub assay: String,
    /// Bins that it was scored on: not masked, and with data in the observed track.
    pub n_bins: u64,
    /// The model's.
    pub measures: TrackMeasures,
    /// Average activity's; all undefined where the assay has no other biosample in training.
    pub average_activity: TrackMeasures,
    /// Calibrated average activity's.
    pub calibrated_average: TrackMeasures,
    /// The nearest biosample's.
    pub nearest_biosample: TrackMeasures,
    /// The additive model's.
    pub additive: TrackMeasures,
    /// Those of the trained baselines that were asked for, by name.
    #[serde(flatten)]
    #[serde(deserialize_with = "by_predictor")]
    pub learned: BTreeMap<&'static str, TrackMeasures>,
    /// Errors by how many other biosamples have a peak.
    pub peaks: Vec<PeakStratum>,
    /// How much of what was observed lies in the model's intervals, on the arcsinh scale; none of a model
    /// that has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intervals: Option<IntervalsByStratum>,
}

/// The means over tracks, each over those where the measure is defined.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MeanEvaluation {
    /// The model's.
    pub measures: TrackMeasures,
    /// Average activity's.
    pub average_activity: TrackMeasures,
    /// Calibrated average activity's.
    pub calibrated_average: TrackMeasures,
    /// The nearest biosample's.
    pub nearest_biosample: TrackMeasures,
    /// The additive model's.
    pub additive: TrackMeasures,
    /// Those of the trained baselines that were asked for, by name.
    #[serde(flatten)]
    #[serde(deserialize_with = "by_predictor")]
    pub learned: BTreeMap<&'static str, TrackMeasures>,
    /// How much of what was observed lies in the model's intervals; none of a model that has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intervals: Option<IntervalsByStratum>,
}

impl MeanEvaluation {
    /// Of these tracks, for these trained baselines.
    pub(super) fn of(tracks: &[TrackEvaluation], learned: &[&'static str]) -> Self {
        let mean = |of: fn(&TrackEvaluation) -> TrackMeasures| {
            mean_measures(&tracks.iter().map(of).collect::<Vec<TrackMeasures>>())
        };
        let mean_of_learned = |name: &&'static str| {
            let measures: Vec<TrackMeasures> = tracks.iter().map(|t| t.learned(name)).collect();
            (*name, mean_measures(&measures))
        };
        let intervals: Vec<_> = tracks.iter().filter_map(|t| t.intervals).collect();
        MeanEvaluation {
            measures: mean(|t| t.measures),
            average_activity: mean(|t| t.average_activity),
            calibrated_average: mean(|t| t.calibrated_average),
            nearest_biosample: mean(|t| t.nearest_biosample),
            additive: mean(|t| t.additive),
            learned: learned.iter().map(mean_of_learned).collect(),
            intervals: IntervalsByStratum::mean(&intervals),
        }
    }
}

/// What an evaluation found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evaluation {
    /// The model's name.
    pub model: String,
    /// The scale scored on.
    pub scale: ScoringScale,
    /// Whose definitions the measures follow.
    pub definitions: Definitions,
    /// Bins of the model's axis that are not masked; a track is scored on those of them where it has data.
    pub n_bins: u64,
    /// Those of them that are 0 in every track trained on or scored that has data there: any predictor gets
    /// them right.
    pub n_zero_bins: u64,
    /// Each track.
    pub tracks: Vec<TrackEvaluation>,
    /// Their means.
    pub mean: MeanEvaluation,
    /// How the settings of trained baselines were chosen; not read back.
    #[serde(skip_deserializing)]
    pub choices: Vec<LearnedChoice>,
    /// The model against each competitor, measure by measure; computed again from the tracks of what is
    /// read back.
    #[serde(skip_deserializing)]
    pub paired: Vec<PairedDifference>,
    /// Of a part of the tracks: which part of which evaluation it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<EvaluationShard>,
}

impl Evaluation {
    /// With the paired differences of its tracks, which are not read back.
    pub(super) fn with_paired_differences(mut self) -> Self {
        self.paired = paired(&self.tracks);
        self
    }
}

/// The name of a predictor and its measures.
pub(crate) type Predictor = (&'static str, fn(&TrackEvaluation) -> TrackMeasures);

/// Who is scored: the model first.
pub(crate) const PREDICTORS: [Predictor; 9] = [
    ("model", |t| t.measures),
    ("average_activity", |t| t.average_activity),
    ("calibrated_average", |t| t.calibrated_average),
    ("nearest_biosample", |t| t.nearest_biosample),
    ("additive", |t| t.additive),
    ("factors", |t| t.learned("factors")),
    ("scaled_average", |t| t.learned("scaled_average")),
    ("ridge", |t| t.learned("ridge")),
    ("boosted", |t| t.learned("boosted")),
];

impl TrackEvaluation {
    /// A trained baseline's measures; all undefined where it was not asked for.
    fn learned(&self, name: &str) -> TrackMeasures {
        self.learned.get(name).copied().unwrap_or_default()
    }
}

/// The model against each competitor in each measure that both have.
pub(super) fn paired(tracks: &[TrackEvaluation]) -> Vec<PairedDifference> {
    let mut differences = Vec::new();
    for (competitor, of) in &PREDICTORS[1..] {
        for (i, measure) in TrackMeasures::NAMES.iter().enumerate() {
            let values: Vec<_> = (tracks.iter())
                .filter_map(|t| {
                    let model = t.measures.values()[i].1?;
                    let other = of(t).values()[i].1?;
                    Some((t.biosample.as_str(), t.assay.as_str(), model, other))
                })
                .collect();
            differences.extend(PairedDifference::of(competitor, measure, &values));
        }
    }
    differences
}
