//! Refusing features that have seen what they are to predict.

use super::{FeatureSet, TaskError, TaskKind, Term};
use crate::store::{ModelRecord, Track, TrackRole};

/// Refuses a model that was trained on an assay of the label's kind, in whatever biosample: factors
/// of the genome are shared by all.
pub(crate) fn check_model(kind: TaskKind, record: &ModelRecord) -> Result<(), TaskError> {
    let seen = |role: TrackRole| role != TrackRole::Hold;
    let mut tracks = record.tracks.iter();
    match tracks.find(|t| seen(t.role) && kind.is_given_away_by(&t.assay)) {
        None => Ok(()),
        Some(track) => Err(TaskError::Leakage(format!(
            "model {} was trained on {} of {}, which measures what {} is about: its factors know \
             the answer, in every biosample. Train a model without such assays",
            record.name,
            track.assay,
            track.biosample,
            kind.name()
        ))),
    }
}

/// Refuses tracks that measure the label.
pub(crate) fn check_tracks(
    kind: TaskKind,
    features: &[FeatureSet],
    assays: &[String],
    tracks: &[Track],
) -> Result<(), TaskError> {
    let reads_tracks = |t: &Term| {
        matches!(
            t,
            Term::Signal
                | Term::SignalScales
                | Term::AllSignal
                | Term::AllSignalPca
                | Term::AllSignalScales
                | Term::SignalComponents
                | Term::Average
                | Term::Completed
        )
    };
    let Some(term) = features
        .iter()
        .flat_map(|f| &f.terms)
        .find(|t| reads_tracks(t))
    else {
        return Ok(());
    };
    let used = |t: &&Track| assays.is_empty() || assays.contains(&t.assay);
    match tracks
        .iter()
        .filter(used)
        .find(|t| kind.is_given_away_by(&t.assay))
    {
        None => Ok(()),
        Some(track) => Err(TaskError::Leakage(format!(
            "feature set `{term}` would hold {}, which measures what {} is about; name the assays \
             to use by --assays",
            track.assay,
            kind.name()
        ))),
    }
}
