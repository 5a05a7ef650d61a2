//! Which tracks are predicted, and which the signal's representations are made of.

use super::super::EvaluationError;
use super::ProbeOptions;
use crate::compendium::Experiment;
use crate::genome::Mask;
use crate::model::TrainedModel;
use crate::store::{Database, StoreError, Track, TrackRole};

/// The tracks to predict and the tracks that the model has read, both in the database's order. Of a
/// model that has read none of the stored tracks (an imported one), the latter are all others.
///
/// # Errors
/// When a track is unknown or the model has read it, or there is none to predict.
pub(super) fn choose(
    database: &Database,
    model: &TrainedModel,
    options: &ProbeOptions,
) -> crate::Result<(Vec<Track>, Vec<Track>)> {
    let record = model.record();
    let has_role = |track: &Track, is_held: bool| {
        let mut known = record.tracks.iter();
        known.any(|m| {
            m.biosample == track.biosample
                && m.assay == track.assay
                && (m.role == TrackRole::Hold) == is_held
        })
    };
    let stored = database.tracks()?;
    for Experiment { biosample, assay } in &options.tracks {
        let find = |t: &&Track| t.biosample == *biosample && t.assay == *assay;
        let Some(track) = stored.iter().find(find) else {
            let names: Vec<String> = (stored.iter())
                .map(|t| format!("{}:{}", t.biosample, t.assay))
                .collect();
            let name = format!("{biosample}:{assay}");
            let known = names.iter().map(String::as_str);
            return Err(StoreError::unknown("track", &name, known).into());
        };
        if has_role(track, false) {
            return Err(EvaluationError::WasRead {
                model: record.name.clone(),
                biosample: biosample.clone(),
                assay: assay.clone(),
            }
            .into());
        }
    }
    let is_asked_for = |t: &Track| {
        options
            .tracks
            .contains(&Experiment::new(&t.biosample, &t.assay))
    };
    let is_probed = |t: &Track| match options.tracks.is_empty() {
        true => has_role(t, true),
        false => is_asked_for(t),
    };
    let (probed, others): (Vec<Track>, Vec<Track>) = stored.into_iter().partition(is_probed);
    if probed.is_empty() {
        return Err(EvaluationError::NothingToProbe {
            model: record.name.clone(),
        }
        .into());
    }
    let read: Vec<Track> = (others.iter().filter(|t| has_role(t, false)).cloned()).collect();
    let signal = if read.is_empty() { others } else { read };
    Ok((probed, signal))
}

/// # Errors
/// When a model has not the same axis.
pub(super) fn same_axis(
    model: &TrainedModel,
    against: &[&TrainedModel],
) -> Result<(), EvaluationError> {
    match against.iter().find(|other| other.axis() != model.axis()) {
        None => Ok(()),
        Some(other) => Err(EvaluationError::OtherAxis {
            model: model.record().name.clone(),
            other: other.record().name.clone(),
        }),
    }
}

/// # Errors
/// When all bins are masked.
pub(super) fn some_bins(model: &TrainedModel, mask: &Mask) -> Result<(), EvaluationError> {
    match mask.as_slice().iter().all(|masked| *masked) {
        false => Ok(()),
        true => Err(EvaluationError::NoBin {
            model: model.record().name.clone(),
        }),
    }
}
