//! Normalised tracks: the background and the peaks of each track of an assay brought to the assay's reference.
//!
//! The power law of [`ComponentValues::law_to`] is made on the scale that tracks are stored on (arcsinh, where
//! signal is transformed): there they are trained on and scored, and there an assay's tracks are alike
//! whether or not their files were transformed before. The first normalisation of an assay chooses the common
//! bins and records the medians over its tracks; tracks that come later meet that reference.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::reference::Sample;
use super::{CompendiumError, Experiment, IngestEvent, IngestOptions, IngestReport, ManifestTrack};
use crate::measures::{NoPowerLaw, PowerLaw};
use crate::store::{AssayReference, Database, NewTrack, SignalArray, StoreError, Track, ValueType};

/// Bins that are normalised at a time.
const BLOCK_BINS: u64 = 1 << 16;

/// What a normalisation did.
#[derive(Debug, Default)]
pub struct NormaliseReport {
    /// Tracks that are normalised now and were not before.
    pub normalised: Vec<Experiment>,
    /// Tracks that could not be stored, and why; they are as they were.
    pub failed: Vec<(Experiment, CompendiumError)>,
    /// Tracks and assays that are left as they were read, and why.
    pub warnings: Vec<String>,
    /// Tracks that were not reached, because of a stop.
    pub n_left: usize,
}

/// Normalises all tracks of the database that are not normalised yet.
///
/// ```
/// use persea::compendium::{IngestOptions, normalise};
///
/// # let (_folder, database) = persea::compendium::example_compendium()?;
/// let report = normalise(&database, &IngestOptions::default())?;
/// assert!(!report.normalised.is_empty());
/// let tracks = database.tracks()?;
/// let n_normalised = tracks.iter().filter(|t| t.normalisation.is_some()).count();
/// assert_eq!(n_normalised, report.normalised.len());
/// // Repeated, it has nothing to do.
/// assert!(normalise(&database, &IngestOptions::default())?.normalised.is_empty());
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When the database cannot be read or written. A track that cannot be stored is in the report.
pub fn normalise(
    database: &Database,
    options: &IngestOptions<'_>,
) -> Result<NormaliseReport, CompendiumError> {
    let assays: Vec<String> = database.assays()?.into_iter().map(|a| a.name).collect();
    normalise_assays(database, &assays, options)
}

/// Normalises the assays that were read, as far as they are to be.
pub(super) fn normalise_read(
    database: &Database,
    tracks: &[ManifestTrack],
    options: &IngestOptions<'_>,
    report: &mut IngestReport,
) -> Result<(), CompendiumError> {
    let known = database.normalised_assays()?;
    let mut assays: Vec<String> = tracks.iter().map(|t| t.assay.clone()).collect();
    assays.sort_unstable();
    assays.dedup();
    assays.retain(|assay| {
        if known.contains(assay) {
            return true;
        }
        // Its reference would be made without them, for good.
        let failed = report.failed.iter().filter(|(e, _)| e.assay == *assay);
        let n_failed = failed.count();
        if options.normalise && n_failed > 0 {
            report.warnings.push(format!(
                "{assay}: not normalised, because {n_failed} of its tracks could not be read; ingest again"
            ));
        }
        options.normalise && n_failed == 0
    });
    if assays.is_empty() {
        return Ok(());
    }
    let done = normalise_assays(database, &assays, options)?;
    report.normalised = done.normalised;
    report.warnings.extend(done.warnings);
    report.failed.extend(done.failed);
    report.n_left = done.n_left;
    Ok(())
}

/// Normalises the tracks of assays that are not normalised yet.
fn normalise_assays(
    database: &Database,
    assays: &[String],
    options: &IngestOptions<'_>,
) -> Result<NormaliseReport, CompendiumError> {
    let mut report = NormaliseReport::default();
    let mut references = database.references()?;
    let tracks = database.tracks()?;
    let sample = Sample::of(database)?;
    let mut found: Vec<AssayReference> = Vec::new();
    let mut planned: Vec<(&Track, usize)> = Vec::new();
    for assay in assays {
        let of_assay: Vec<&Track> = tracks.iter().filter(|t| t.assay == *assay).collect();
        let todo: Vec<&Track> = (of_assay.iter().copied())
            .filter(|t| t.normalisation.is_none())
            .collect();
        if todo.is_empty() {
            continue;
        }
        let reference = match references.remove(assay) {
            Some(known) => known,
            None => match sample.reference(database, &of_assay)? {
                Ok(reference) => database.record_reference(assay, &reference)?,
                Err(why) => {
                    (report.warnings).push(format!("{assay}: {why}; its tracks stay as read"));
                    continue;
                }
            },
        };
        planned.extend(todo.into_iter().map(|t| (t, found.len())));
        found.push(reference);
    }
    let n_tracks = planned.len();
    options.tell(IngestEvent::Normalising { n_tracks });
    let next = AtomicUsize::new(0);
    type Done = (usize, Result<Result<(), NoLaw>, CompendiumError>);
    let outcomes: Mutex<Vec<Done>> = Mutex::default();
    let work = || {
        while !options.is_stopped() {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some((track, reference)) = planned.get(i) else {
                return;
            };
            let experiment = &Experiment::new(&track.biosample, &track.assay);
            options.tell(IngestEvent::Began { experiment });
            let done = normalise_track(database, &sample, track, &found[*reference], options);
            let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            outcomes.push((i, done));
        }
    };
    // Threads of its own, for the reason that `ingest` gives.
    std::thread::scope(|scope| {
        for _ in 1..options.n_threads().min(n_tracks) {
            scope.spawn(work);
        }
        work();
    });
    let mut outcomes = outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(i, _)| *i);
    report.n_left = n_tracks - outcomes.len();
    for (i, done) in outcomes {
        let track = planned[i].0;
        let experiment = Experiment::new(&track.biosample, &track.assay);
        match done {
            Ok(Ok(())) => report.normalised.push(experiment),
            Ok(Err(why)) => {
                (report.warnings).push(format!("{experiment}: {why}; it stays as read"))
            }
            Err(CompendiumError::Stopped) => report.n_left += 1,
            Err(e) => report.failed.push((experiment, e)),
        }
    }
    Ok(report)
}

/// Why a track has no power law.
#[derive(Debug, thiserror::Error)]
enum NoLaw {
    #[error("{n} bins are negative, and a power law is of signal from 0 on")]
    Negative { n: u64 },
    #[error("not normalised: {0}")]
    Components(#[from] NoPowerLaw),
}

/// Stores a track anew, normalised.
fn normalise_track(
    database: &Database,
    sample: &Sample,
    track: &Track,
    reference: &AssayReference,
    options: &IngestOptions<'_>,
) -> Result<Result<(), NoLaw>, CompendiumError> {
    if track.n_negative_bins > 0 {
        let n = track.n_negative_bins;
        return Ok(Err(NoLaw::Negative { n }));
    }
    let signal = database.signal(track)?;
    let law = match sample.law(&signal, reference)? {
        Ok(law) => law,
        Err(why) => return Ok(Err(why.into())),
    };
    match rewrite(database, track, &signal, law, track.values, options) {
        Err(CompendiumError::Store(StoreError::Beyond { step, .. })) => {
            let values = ValueType::F32Beyond(step);
            rewrite(database, track, &signal, law, values, options)?;
        }
        other => other?,
    }
    Ok(Ok(()))
}

fn rewrite(
    database: &Database,
    track: &Track,
    signal: &SignalArray,
    law: PowerLaw,
    values: ValueType,
    options: &IngestOptions<'_>,
) -> Result<(), CompendiumError> {
    let mut writer = database.begin_track(NewTrack {
        biosample: track.biosample.clone(),
        assay: track.assay.clone(),
        transform: track.transform,
        unit: track.unit.clone(),
        sources: track.sources.clone(),
        values,
        normalisation: Some(law),
    })?;
    let mut block = Vec::new();
    let (mut before, mut after) = (0f32, 0f32);
    for start in (0..signal.n_bins()).step_by(BLOCK_BINS as usize) {
        if options.is_stopped() {
            return Err(CompendiumError::Stopped);
        }
        let bins = start..(start + BLOCK_BINS).min(signal.n_bins());
        block.resize((bins.end - bins.start) as usize, 0f32);
        signal.read(bins, &mut block)?;
        for value in &mut block {
            // Signal comes in runs of one value.
            if *value != before {
                (before, after) = (*value, law.apply(*value));
            }
            *value = after;
        }
        writer.write(start, &block)?;
        let n = block.len() as u64;
        options.tell(IngestEvent::Bins { n });
    }
    writer.commit()?;
    Ok(())
}
