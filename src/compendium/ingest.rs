//! Ingest: the tracks of a manifest into the database, in parallel, as often as one likes.
//!
//! A track that is in already, read from the same files in the same way, is skipped; one that has
//! changed is replaced as a whole. So an interrupted ingest is resumed by repeating it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::normalise::normalise_read;
use super::read::{TrackReading, read_track};
use super::warnings::same_content;
use super::{
    CompendiumError, Experiment, IngestEvent, IngestOptions, IngestReport, Manifest, ManifestRow,
    ManifestTrack, Outcome,
};
use crate::formats::{Format, Missing, checksum, identity};
use crate::store::{Database, NewTrack, SourceOrigin, StoreError, Track, TrackSource, ValueType};

/// Ingests the tracks of a manifest.
///
/// ```
/// use persea::compendium::{ColumnMap, IngestOptions, Manifest, ingest};
/// # use persea::genome::{Assembly, GenomeAxis};
/// # use persea::store::{Database, NewDatabase};
/// # let folder = tempfile::tempdir()?;
/// # let axis = GenomeAxis::whole_chromosomes(Assembly::by_name("hg19")?, &["chrM"])?;
/// # let parts = NewDatabase { axis, mask: vec![], genes: vec![], enhancers: vec![] };
/// # let database = Database::create(&folder.path().join("mine.persea"), &parts)?;
/// # let folder = folder.path();
///
/// std::fs::write(folder.join("x.bedGraph"), "chrM\t0\t50\t3.5\nchrM\t50\t16571\t0\n")?;
/// std::fs::write(folder.join("m.tsv"), "biosample\tassay\tpath\nE003\tDNase\tx.bedGraph\n")?;
/// let manifest = Manifest::read(&folder.join("m.tsv"), &ColumnMap::default())?;
/// let report = ingest(&database, &manifest, &IngestOptions::default())?;
/// assert_eq!(report.ingested.len(), 1);
///
/// let track = database.track("E003", "DNase")?.ok_or("ingested above")?;
/// let mut bins = [0.0; 3];
/// database.signal(&track)?.read(0..3, &mut bins)?;
/// assert_eq!(bins, [3.5f32.asinh(), 3.5f32.asinh(), 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the manifest contradicts itself or the tracks that are in (repeated experiments, units or
/// transforms mixed within an assay), before anything is read. A track that fails is in the report
/// and loses none of the others.
pub fn ingest(
    database: &Database,
    manifest: &Manifest,
    options: &IngestOptions<'_>,
) -> Result<IngestReport, CompendiumError> {
    if options.normalise && options.shard.is_some() {
        let why = "a shard has a part of an assay's tracks, and normalising needs all of them: merge the shards, \
                   then normalise the tracks of the merged database";
        return Err(CompendiumError::Invalid(why.into()));
    }
    let (tracks, warnings) = manifest.tracks(options.replicates)?;
    let existing = database.tracks()?;
    refuse_mixing(&manifest.path, &tracks, &existing)?;
    let tracks = match options.shard {
        Some(shard) => shard.of(tracks),
        None => tracks,
    };
    let existing: BTreeMap<(&str, &str), &Track> = existing
        .iter()
        .map(|t| ((t.biosample.as_str(), t.assay.as_str()), t))
        .collect();
    options.tell(IngestEvent::Total {
        n_tracks: tracks.len(),
    });

    let (next, hopeless) = (AtomicUsize::new(0), AtomicBool::new(false));
    let outcomes: Mutex<BTreeMap<usize, Result<Done, CompendiumError>>> = Mutex::default();
    let work = || {
        while !hopeless.load(Ordering::Relaxed) && !options.is_stopped() {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(track) = tracks.get(i) else {
                return;
            };
            let experiment = track.experiment();
            let old = existing.get(&(track.biosample.as_str(), track.assay.as_str()));
            let done = ingest_track(database, track, old.copied(), options);
            let outcome = done.as_ref().map_or(Outcome::Failed, |d| d.outcome);
            if let Err(CompendiumError::Store(e)) = &done
                && e.is_fatal()
            {
                hopeless.store(true, Ordering::Relaxed);
            }
            options.tell(IngestEvent::Done {
                experiment: &experiment,
                outcome,
            });
            let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            outcomes.insert(i, done);
        }
    };
    // Threads of its own and no pool of rayon's: a track is written under locks, by code that itself
    // works in parallel, and a pool's thread that waits inside would begin another track meanwhile.
    std::thread::scope(|scope| {
        for _ in 1..options.n_threads().min(tracks.len()) {
            scope.spawn(work);
        }
        work();
    });

    let outcomes = outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let mut notes: BTreeMap<String, Vec<Experiment>> = BTreeMap::new();
    let mut report = IngestReport {
        without_file: match options.shard {
            // Said once, by the first.
            Some(shard) if shard.index() > 0 => Vec::new(),
            _ => manifest.skipped.clone(),
        },
        warnings,
        n_left: tracks.len() - outcomes.len(),
        ..IngestReport::default()
    };
    for (i, done) in outcomes {
        let experiment = tracks[i].experiment();
        match done {
            Ok(done) => {
                report.warnings.extend(done.warnings);
                for note in done.notes {
                    notes.entry(note).or_default().push(experiment.clone());
                }
                match done.outcome {
                    Outcome::Replaced => report.replaced.push(experiment),
                    Outcome::Skipped => report.skipped.push(experiment),
                    _ => report.ingested.push(experiment),
                }
            }
            Err(CompendiumError::Stopped) => report.n_left += 1,
            Err(e) => report.failed.push((experiment, e)),
        }
    }
    let noted = notes.into_iter().map(|(note, of)| {
        let others = match of.len() {
            0 | 1 => String::new(),
            n => format!(" and {} other tracks", n - 1),
        };
        format!("{}{others}: {note}", of[0])
    });
    report.warnings.extend(noted);
    if !hopeless.into_inner() && report.n_left == 0 {
        normalise_read(database, &tracks, options, &mut report)?;
    }
    report.warnings.extend(same_content(database, &report)?);
    Ok(report)
}

impl ManifestTrack {
    /// Its biosample and assay.
    pub fn experiment(&self) -> Experiment {
        Experiment {
            biosample: self.biosample.clone(),
            assay: self.assay.clone(),
        }
    }
}

struct Done {
    outcome: Outcome,
    warnings: Vec<String>,
    notes: Vec<String>,
}

impl Done {
    fn skipped() -> Self {
        Done {
            outcome: Outcome::Skipped,
            warnings: Vec::new(),
            notes: Vec::new(),
        }
    }
}

fn ingest_track(
    database: &Database,
    track: &ManifestTrack,
    old: Option<&Track>,
    options: &IngestOptions<'_>,
) -> Result<Done, CompendiumError> {
    let mut sources = Vec::new();
    for row in &track.rows {
        let (location, identity) = (row.location.to_string(), identity(&row.location)?);
        // What is known of a file stays known when another manifest names it, unless it has changed.
        let is_it = |s: &TrackSource| s.location == location && s.identity == identity;
        sources.push(TrackSource {
            origin: (row.origin.clone()).or_else(|| origin_of(old, is_it)),
            location,
            format: row.format.map(Format::name).map(str::to_string),
            identity,
            checksum: String::new(),
            multiplier: row.multiplier,
            missing: row.missing,
        });
    }
    let values = wanted(options.values, old);
    // The files' lengths and times first: to read them through takes as long as to ingest them.
    let like_old = old.filter(|old| {
        is_stored_so(old.values, values)
            && old.transform == track.transform
            && old.unit == track.unit
            && old.sources.len() == sources.len()
            && old
                .sources
                .iter()
                .zip(&sources)
                .all(|(a, b)| read_alike(old, a, b))
    });
    if like_old.is_some_and(|old| {
        let mut pairs = old.sources.iter().zip(&sources);
        pairs.all(|(a, b)| {
            (&a.location, &a.identity, &a.origin) == (&b.location, &b.identity, &b.origin)
        })
    }) {
        return Ok(Done::skipped());
    }
    options.tell(IngestEvent::Began {
        experiment: &track.experiment(),
    });
    for (source, row) in sources.iter_mut().zip(&track.rows) {
        source.checksum = checksum(&row.location)?;
        if source.origin.is_none() {
            source.origin = origin_of(old, |s| s.checksum == source.checksum);
        }
    }
    let mut twice = Vec::new();
    for (i, source) in sources.iter().enumerate() {
        if let Some(first) = sources[..i].iter().find(|s| s.checksum == source.checksum) {
            twice.push(format!(
                "{}: {} and {} have the same content, and count as two replicates",
                track.experiment(),
                first.location,
                source.location
            ));
        }
    }
    if like_old.is_some_and(|old| {
        let mut pairs = old.sources.iter().zip(&sources);
        pairs.all(|(a, b)| a.checksum == b.checksum)
    }) {
        database.update_sources(&track.biosample, &track.assay, &sources)?;
        return Ok(Done::skipped());
    }

    let mut n_shown = 0;
    let mut beyond = None;
    let (stored, reading) = match store(database, track, &sources, values, options, &mut n_shown) {
        Err(CompendiumError::Store(e @ StoreError::Beyond { step, .. })) => {
            beyond = Some(format!("{}: stored as f32: {e}", track.experiment()));
            let values = ValueType::F32Beyond(step);
            store(database, track, &sources, values, options, &mut n_shown)?
        }
        other => other?,
    };
    let mut warnings = reading.warnings;
    warnings.extend(beyond);
    warnings.extend(coverage_warning(database, &stored)?);
    warnings.extend(twice);
    Ok(Done {
        outcome: match old {
            Some(_) => Outcome::Replaced,
            None => Outcome::Ingested,
        },
        warnings,
        notes: reading.notes,
    })
}

/// How a track's values are to be stored.
fn wanted(given: Option<ValueType>, old: Option<&Track>) -> ValueType {
    match (given, old.map(|old| old.values)) {
        (Some(given), _) => given,
        // The file may have changed, and fit now.
        (None, Some(ValueType::F32Beyond(step))) => ValueType::U16(step),
        (None, Some(values)) => values,
        (None, None) => ValueType::F32,
    }
}

/// Whether a track is stored as it would be if it was read again.
fn is_stored_so(values: ValueType, wanted: ValueType) -> bool {
    let beyond = wanted.step().map(ValueType::F32Beyond);
    values == wanted || Some(values) == beyond
}

/// Reads a track's files and stores it. `n_shown` counts the bins of which progress has been
/// reported, by an attempt before this one too.
fn store(
    database: &Database,
    track: &ManifestTrack,
    sources: &[TrackSource],
    values: ValueType,
    options: &IngestOptions<'_>,
    n_shown: &mut u64,
) -> Result<(Track, TrackReading), CompendiumError> {
    let mut writer = database.begin_track(NewTrack {
        biosample: track.biosample.clone(),
        assay: track.assay.clone(),
        transform: track.transform,
        unit: track.unit.clone(),
        sources: sources.to_vec(),
        values,
        normalisation: None,
    })?;
    let mut n_read = 0;
    let reading = read_track(
        track,
        database.axis(),
        database.path(),
        &mut |bin, values| {
            if options.is_stopped() {
                return Err(CompendiumError::Stopped);
            }
            writer.write(bin, values)?;
            n_read += values.len() as u64;
            if n_read > *n_shown {
                options.tell(IngestEvent::Bins {
                    n: n_read - *n_shown,
                });
                *n_shown = n_read;
            }
            Ok(())
        },
    )?;
    for (source, ManifestRow { location, .. }) in sources.iter().zip(&track.rows) {
        if identity(location)? != source.identity {
            return Err(CompendiumError::Changed {
                location: source.location.clone(),
            });
        }
    }
    Ok((writer.commit()?, reading))
}

/// What is known of one of a track's files.
fn origin_of(track: Option<&Track>, is_it: impl Fn(&TrackSource) -> bool) -> Option<SourceOrigin> {
    let mut sources = track?.sources.iter();
    sources.find(|s| is_it(s))?.origin.clone()
}

/// A track that covers less than this share of the regions' bins is warned of.
const LOW_COVERAGE: f64 = 0.5;

/// Says of a track which chromosomes it lacks, and where else it has little data.
fn coverage_warning(database: &Database, track: &Track) -> Result<Option<String>, CompendiumError> {
    let axis = database.axis();
    let share = track.coverage(axis.n_bins());
    if share >= 1.0 {
        return Ok(None);
    }
    let coverage = database.coverage(track)?;
    let mut by_chrom: Vec<(&str, u64)> = Vec::new();
    for (region, place) in axis.regions().iter().enumerate() {
        let n = coverage.n_covered_within(&axis.region_bins(region));
        match by_chrom.iter_mut().find(|(chrom, _)| *chrom == place.chrom) {
            Some((_, sum)) => *sum += n,
            None => by_chrom.push((&place.chrom, n)),
        }
    }
    let lacking: Vec<&str> = (by_chrom.iter())
        .filter(|(_, n)| *n == 0)
        .map(|(chrom, _)| *chrom)
        .collect();
    if lacking.is_empty() && share >= LOW_COVERAGE {
        return Ok(None);
    }
    let mut says = vec![format!(
        "{} {}: {:.1} % of the regions' bins have data; the others are missing",
        track.biosample,
        track.assay,
        // Never 0.0 %, of a track that has data.
        (100.0 * share).max(0.1)
    )];
    if !lacking.is_empty() {
        let more = if lacking.len() > 5 { " …" } else { "" };
        let some = &lacking[..lacking.len().min(5)];
        says.push(format!("there are none on {}{more}", some.join(", ")));
    }
    says.push(
        "if no value means 0 there, give the column `missing` of the manifest as zero".into(),
    );
    Ok(Some(says.join("; ")))
}

/// Whether a track that is in (`old`, read as `a` says) would come out the same if read as `b` says. Tracks
/// from before bins without data were missing stay as they are until a row asks for `nan`.
fn read_alike(old: &Track, a: &TrackSource, b: &TrackSource) -> bool {
    let is_before = old.covered_bins.is_none();
    let missing = match b.missing {
        Missing::ByFormat if is_before => a.missing == Missing::Zero,
        Missing::Nan if is_before && old.n_nan_bins > 0 => false,
        given => a.missing == given,
    };
    (&a.format, a.multiplier) == (&b.format, b.multiplier) && missing
}

/// Refuses what would leave an assay with two units or two transforms.
fn refuse_mixing(
    manifest: &Path,
    tracks: &[ManifestTrack],
    existing: &[Track],
) -> Result<(), CompendiumError> {
    for old in existing {
        let named = |t: &&ManifestTrack| t.biosample == old.biosample && t.assay == old.assay;
        // One that the manifest replaces does not count.
        if tracks.iter().any(|t| named(&t)) {
            continue;
        }
        let of_assay = tracks.iter().find(|t| t.assay == old.assay);
        let Some(new) = of_assay.filter(|t| (t.transform, &t.unit) != (old.transform, &old.unit))
        else {
            continue;
        };
        let describe = |transform, unit: &Option<String>| {
            let unit = unit.as_deref().unwrap_or("(none)");
            format!("transform {transform}, unit {unit}")
        };
        let line = new.rows.first().map_or(0, |row| row.line);
        let message = format!(
            "{} has {}, but the database's track of {} has {}: all tracks of an assay need the \
             same",
            new.assay,
            describe(new.transform, &new.unit),
            old.biosample,
            describe(old.transform, &old.unit)
        );
        return Err(CompendiumError::line(manifest, line, message));
    }
    Ok(())
}
