//! Which tracks are scored.

use super::{EvaluateOptions, EvaluationError};
use crate::compendium::{Experiment, ManifestTrack, Replicates};
use crate::model::TrainedModel;
use crate::store::{Track, TrackRole};

/// A track to score: stored, or in files.
pub(super) enum Target {
    Stored(Box<Track>),
    File(Box<ManifestTrack>),
}

impl Target {
    pub fn experiment(&self) -> Experiment {
        let (biosample, assay) = match self {
            Target::Stored(t) => (&t.biosample, &t.assay),
            Target::File(t) => (&t.biosample, &t.assay),
        };
        Experiment {
            biosample: biosample.clone(),
            assay: assay.clone(),
        }
    }
}

/// The tracks that are asked for: those of a manifest, or the model's held-out tracks.
///
/// # Errors
/// When there is none, or one that is asked for is not among them.
pub(super) fn targets(
    model: &TrainedModel,
    stored: &[Track],
    options: &EvaluateOptions,
) -> crate::Result<Vec<Target>> {
    let mut targets: Vec<Target> = match &options.truth {
        Some(manifest) => manifest
            .tracks(Replicates::Mean)?
            .0
            .into_iter()
            .map(|t| Target::File(Box::new(t)))
            .collect(),
        None => {
            let held = |t: &&Track| {
                let mut known = model.record().tracks.iter();
                known.any(|m| {
                    m.role == TrackRole::Hold && m.biosample == t.biosample && m.assay == t.assay
                })
            };
            stored
                .iter()
                .filter(held)
                .map(|t| Target::Stored(Box::new(t.clone())))
                .collect()
        }
    };
    if !options.only.is_empty() {
        for wanted in &options.only {
            if !targets.iter().any(|t| t.experiment() == *wanted) {
                return Err(EvaluationError::NotHeldOut {
                    experiment: wanted.clone(),
                }
                .into());
            }
        }
        targets.retain(|t| options.only.contains(&t.experiment()));
    }
    if targets.is_empty() {
        return Err(EvaluationError::NothingHeldOut {
            model: model.record().name.clone(),
        }
        .into());
    }
    Ok(targets)
}
