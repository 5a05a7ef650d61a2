//! Evaluations kept in the database: stored when they are made, and used again where nothing that they rest
//! on has changed.
//!
//! A result rests on the model's numbers and on the tracks that were scored or read for baselines. Each is
//! recorded with its checksum. A result of another version of Persea is shown, and not used in place of
//! a new one.

use serde_json::{Value, json};

use super::options::{imputation_settings, intervals};
use super::probe::{Probe, ProbeOptions};
use super::{EvaluateOptions, Evaluation, ScoringScale, evaluate};
use crate::model::TrainedModel;
use crate::store::{
    Database, EvaluationKind, Model, NewEvaluation, StoreError, StoredEvaluation, Track, TrackRole,
};

/// Scores a model as [`evaluate`] does. A stored result of the same model, tracks and settings is used in
/// place of a new one; a new one is stored.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_once(
    database: &Database,
    model: &TrainedModel,
    scale: ScoringScale,
    options: &EvaluateOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> crate::Result<Evaluation> {
    if let Some(found) = kept_imputation(database, model, scale, options)? {
        return Ok(found);
    }
    let evaluation = evaluate(database, model, scale, options, progress)?;
    keep_imputation(database, model, scale, options, &evaluation);
    Ok(evaluation)
}

/// Stores the scores of a model's imputations. Where that fails, as in a database that can only be read, a
/// warning is logged: the scores are no worse for it. A part of an evaluation is not stored.
pub fn keep_imputation(
    database: &Database,
    model: &TrainedModel,
    scale: ScoringScale,
    options: &EvaluateOptions,
    evaluation: &Evaluation,
) {
    if evaluation.shard.is_some() {
        return;
    }
    let scored = evaluation.tracks.iter();
    let scored: Vec<[&str; 2]> = scored.map(|t| [&*t.biosample, &*t.assay]).collect();
    let made = || {
        Ok(NewEvaluation {
            kind: EvaluationKind::Imputation,
            settings: imputation_settings(scale, options, &scored),
            basis: imputation_basis(database, model.stored(), &scored)?,
            result: to_json(evaluation)?,
        })
    };
    keep(database, model, made());
}

/// Stores what a probe of a model found; as [`keep_imputation`].
pub fn keep_probe(
    database: &Database,
    model: &TrainedModel,
    against: &[&TrainedModel],
    options: &ProbeOptions,
    found: &Probe,
) {
    let probed = found.representations.first().map_or(&[][..], |r| &r.tracks);
    let probed: Vec<[&str; 2]> = probed.iter().map(|t| [&*t.biosample, &*t.assay]).collect();
    let made = || {
        let tracks = database.tracks()?;
        let read = |track: &Track| has_been_read(model.stored(), track);
        // The signal of a model that has read none of the tracks is that of all others.
        let none_read = !tracks.iter().any(read);
        let is_used =
            |t: &&Track| none_read || read(t) || probed.contains(&[&t.biosample, &t.assay]);
        let mut basis = basis(model.stored(), tracks.iter().filter(is_used));
        let others = against.iter().map(|other| other.stored());
        basis["against"] = others.map(|m| json!([m.record.name, m.checksum])).collect();
        Ok(NewEvaluation {
            kind: EvaluationKind::Probe,
            settings: json!({
                "tracks": probed,
                "queries": options.queries,
                "seed": options.seed,
                "baselines": options.baselines,
                "within": intervals(&options.within),
                "leave_out_biosamples": options.leave_out_biosamples,
                "against": against.iter().map(|m| &m.record().name).collect::<Vec<_>>(),
            }),
            basis,
            result: to_json(found)?,
        })
    };
    keep(database, model, made());
}

fn keep(database: &Database, model: &TrainedModel, made: Result<NewEvaluation, StoreError>) {
    let kept = made.and_then(|new| database.save_evaluation(model.stored(), &new));
    if let Err(why) = kept {
        tracing::warn!("the result is not stored: {why}");
    }
}

fn to_json(result: &impl serde::Serialize) -> Result<Value, StoreError> {
    let bug = |e| crate::Bug::new(format!("a result is no JSON ({e})"));
    Ok(serde_json::to_value(result).map_err(bug)?)
}

/// The stored scores of the same model, tracks and settings, by the same version of Persea.
fn kept_imputation(
    database: &Database,
    model: &TrainedModel,
    scale: ScoringScale,
    options: &EvaluateOptions,
) -> crate::Result<Option<Evaluation>> {
    // Files outside the database may have changed, and how the settings of trained baselines were chosen is
    // not read back.
    let reads_files = options.truth.is_some() || options.peaks.is_some();
    if reads_files || !options.learned.is_empty() || options.shard.is_some() {
        return Ok(None);
    }
    let stored = database.tracks()?;
    let is_held = |t: &&Track| {
        let mut known = model.record().tracks.iter();
        known.any(|m| m.role == TrackRole::Hold && m.biosample == t.biosample && m.assay == t.assay)
    };
    let is_asked_for = |t: &&Track| {
        options.only.is_empty()
            || (options.only.iter()).any(|e| e.biosample == t.biosample && e.assay == t.assay)
    };
    let scored: Vec<[&str; 2]> = (stored.iter().filter(is_held).filter(is_asked_for))
        .map(|t| [&*t.biosample, &*t.assay])
        .collect();
    let settings = imputation_settings(scale, options, &scored);
    let basis = imputation_basis(database, model.stored(), &scored)?;
    let is_same = |found: &&StoredEvaluation| {
        found.kind == EvaluationKind::Imputation
            && found.made_by == env!("CARGO_PKG_VERSION")
            && found.settings == settings
            && found.basis == basis
    };
    let all = stored_evaluations(database, model.stored());
    let Some(found) = all.iter().find(is_same) else {
        return Ok(None);
    };
    // One that another build wrote in another form is made again.
    let evaluation = serde_json::from_value::<Evaluation>(found.result.clone()).ok();
    Ok(evaluation.map(Evaluation::with_paired_differences))
}

/// The newest probe of a model that still holds, and when it was stored.
pub fn kept_probe(
    database: &Database,
    model: &Model,
) -> Result<Option<(String, Probe)>, StoreError> {
    for stored in stored_evaluations(database, model) {
        if stored.kind == EvaluationKind::Probe
            && is_current(database, model, &stored)?
            && let Ok(probe) = serde_json::from_value(stored.result)
        {
            return Ok(Some((stored.created, probe)));
        }
    }
    Ok(None)
}

/// A model's evaluations, the newest first; none, with a warning, where they are damaged.
pub fn stored_evaluations(database: &Database, model: &Model) -> Vec<StoredEvaluation> {
    database.evaluations(model).unwrap_or_else(|why| {
        tracing::warn!("stored evaluations are not used: {why}");
        Vec::new()
    })
}

/// Whether a result is still of the model and the tracks that the database has.
///
/// # Errors
/// When the database cannot be read.
pub fn is_current(
    database: &Database,
    model: &Model,
    stored: &StoredEvaluation,
) -> Result<bool, StoreError> {
    if stored.basis["model"] != json!(model.checksum) {
        return Ok(false);
    }
    let tracks: Vec<Value> = database.tracks()?.iter().map(of_track).collect();
    let Some(read) = stored.basis["tracks"].as_array() else {
        return Err(crate::Bug::new("a stored evaluation does not list its tracks").into());
    };
    if !read.iter().all(|track| tracks.contains(track)) {
        return Ok(false);
    }
    let models = database.list_models()?;
    let same =
        |other: &Value| (models.iter()).any(|m| *other == json!([m.record.name, m.checksum]));
    // Only a probe that compares models names others.
    Ok((stored.basis["against"].as_array()).is_none_or(|others| others.iter().all(same)))
}

/// What scores rest on: the model, the tracks that it has read, and those scored.
fn imputation_basis(
    database: &Database,
    model: &Model,
    scored: &[[&str; 2]],
) -> Result<Value, StoreError> {
    let tracks = database.tracks()?;
    let is_used =
        |t: &&Track| has_been_read(model, t) || scored.contains(&[&t.biosample, &t.assay]);
    Ok(basis(model, tracks.iter().filter(is_used)))
}

fn has_been_read(model: &Model, track: &Track) -> bool {
    let mut known = model.record.tracks.iter();
    known.any(|m| {
        m.role != TrackRole::Hold && m.biosample == track.biosample && m.assay == track.assay
    })
}

fn basis<'a>(model: &Model, tracks: impl Iterator<Item = &'a Track>) -> Value {
    json!({ "model": model.checksum, "tracks": tracks.map(of_track).collect::<Vec<_>>() })
}

/// A track by what changes with its content: a replacement is a new array.
fn of_track(track: &Track) -> Value {
    json!([track.biosample, track.assay, track.checksum, track.array])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::compendium::Experiment;
    use crate::evaluation::probe;
    use crate::genome::Region;
    use crate::search::example_database_of;
    use crate::store::{NewTrack, Transform};

    fn store(database: &Database, biosample: &str, values: impl Fn(u64) -> f32) {
        let mut writer = database
            .begin_track(NewTrack {
                biosample: biosample.into(),
                assay: "A1".into(),
                transform: Transform::None,
                unit: None,
                sources: vec![],
                values: Default::default(),
                normalisation: None,
            })
            .unwrap();
        let values: Vec<f32> = (0..database.axis().n_bins()).map(values).collect();
        writer.write(0, &values).unwrap();
        writer.commit().unwrap();
    }

    /// A database with an untrained model and two tracks.
    fn made(folder: &Path) -> Database {
        let region = |chrom: &str, first_bin, n_bins| Region {
            name: None,
            chrom: chrom.into(),
            first_bin,
            n_bins,
        };
        let regions = vec![region("chr1", 37, 5_003), region("chr2", 1_000, 4_000)];
        let database = example_database_of(folder, regions, 3, &mut |_| {}).unwrap();
        store(&database, "S1", |bin| (bin % 7) as f32);
        store(&database, "S2", |bin| (bin % 11) as f32);
        database
    }

    fn probed(database: &Database) -> (TrainedModel, Probe) {
        let model = TrainedModel::open(database, None).unwrap();
        let options = ProbeOptions {
            tracks: vec![Experiment::new("S1", "A1")],
            queries: 20,
            ..ProbeOptions::default()
        };
        let against = [&model];
        let found = probe(database, &model, &against, &options, &mut |_| {}).unwrap();
        keep_probe(database, &model, &against, &options, &found);
        (model, found)
    }

    #[test]
    fn a_probe_is_kept_until_a_track_that_it_read_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let database = made(folder.path());
        let model = TrainedModel::open(&database, None).unwrap();
        assert_eq!(kept_probe(&database, model.stored()).unwrap(), None);
        let (model, found) = probed(&database);
        let kept = |database: &Database| kept_probe(database, model.stored()).unwrap();
        let (_, read) = kept(&database).unwrap();
        assert_eq!((&read.model, read.agreement.len()), (&found.model, 1));
        assert_eq!(read.representations.len(), found.representations.len());
        // A track that it did not read.
        store(&database, "S3", |bin| (bin % 13) as f32);
        assert!(kept(&database).is_some());
        // The same values, but nothing says so.
        store(&database, "S2", |bin| (bin % 11) as f32);
        assert!(kept(&database).is_none());
        assert_eq!(stored_evaluations(&database, model.stored()).len(), 1);
    }

    #[test]
    fn what_cannot_be_stored_is_found_all_the_same() {
        let Some(disk) = crate::store::test_support::SmallDisk::mount(40_000) else {
            return;
        };
        let database = made(disk.path());
        drop(database);
        disk.remount_read_only();
        let database = Database::open(&disk.path().join("example.persea")).unwrap();
        assert!(database.is_read_only());
        let (model, found) = probed(&database);
        assert_eq!(found.representations.len(), 4);
        assert!(stored_evaluations(&database, model.stored()).is_empty());
    }
}
