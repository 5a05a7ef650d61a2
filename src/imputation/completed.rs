//! A completed compendium: every experiment that a model knows, measured where it was measured and
//! imputed elsewhere.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::inversions::Inversions;
use super::{SignalScale, Stream};
use crate::compendium::Experiment;
use crate::error::Bug;
use crate::files::no_formula;
use crate::formats::{CubeWriter, Format, SignalWriter, create_signal, write_text};
use crate::genome::{BIN_BP, GenomeAxis};
use crate::model::TrainedModel;
use crate::store::{Database, Inversion, StoreError, Track};

/// Tracks that are begun at once: more mean more walks along the genome.
const OPEN_TRACKS: usize = 16;

/// Bins that are read of a measured track at once.
const PIECE_BINS: u64 = 1 << 16;

/// Where a track of a completed compendium comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Provenance {
    /// It was measured, and is a track of the database.
    Measured(Box<Track>),
    /// The model imputed it.
    Imputed,
}

impl Provenance {
    /// `measured` or `imputed`.
    pub const fn name(&self) -> &'static str {
        match self {
            Provenance::Measured(_) => "measured",
            Provenance::Imputed => "imputed",
        }
    }
}

/// A track of a completed compendium.
#[derive(Debug, Clone, PartialEq)]
pub struct CompletedTrack {
    /// Which experiment.
    pub experiment: Experiment,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// Every experiment that the model knows, in the order of its biosamples and assays, and where each
/// comes from.
///
/// ```
/// use persea::imputation::completed_tracks;
/// use persea::model::TrainedModel;
///
/// # let (_folder, database) = persea::search::example_database()?;
/// // No track of this database was measured: all experiments of its model are imputed.
/// let model = TrainedModel::open(&database, None)?;
/// let tracks = completed_tracks(&database, &model)?;
/// assert_eq!(tracks.len(), 5 * 3);
/// assert!(tracks.iter().all(|track| track.provenance.name() == "imputed"));
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When the database cannot be read.
pub fn completed_tracks(
    database: &Database,
    model: &TrainedModel,
) -> crate::Result<Vec<CompletedTrack>> {
    let mut measured: HashMap<Experiment, Track> = database
        .tracks()?
        .into_iter()
        .map(|t| (Experiment::new(&t.biosample, &t.assay), t))
        .collect();
    let record = model.record();
    let mut tracks = Vec::new();
    for biosample in &record.biosamples {
        for assay in &record.assays {
            let experiment = Experiment::new(biosample, assay);
            let provenance = match measured.remove(&experiment) {
                Some(track) => Provenance::Measured(Box::new(track)),
                None => Provenance::Imputed,
            };
            tracks.push(CompletedTrack {
                experiment,
                provenance,
            });
        }
    }
    Ok(tracks)
}

/// Writes a completed compendium over spans of the model's axis as one Zarr v3 group: the array
/// `signal`, `[biosample, assay, bin]`, and the array `measured` beside it, `[biosample, assay]`, 1
/// where a track was measured. The group's attributes name biosamples and assays, say which bins the
/// spans are, and where each track comes from. `progress` receives how many bins are done in all.
///
/// # Errors
/// When something of that name exists, a blob or a chunk is damaged, or the disk is full.
pub fn write_completed_zarr(
    database: &Database,
    model: &TrainedModel,
    path: &Path,
    spans: &[Range<u64>],
    scale: SignalScale,
    progress: &mut dyn FnMut(u64),
) -> crate::Result<Vec<CompletedTrack>> {
    let tracks = completed_tracks(database, model)?;
    let walk = Walk::new(database, Some(model), spans, scale)?;
    let record = model.record();
    let (n_biosamples, n_assays) = (record.biosamples.len(), record.assays.len());
    let n_bins: u64 = spans.iter().map(|s| s.end - s.start).sum();
    let mut cube = CubeWriter::create(
        path,
        n_biosamples as u64,
        n_assays as u64,
        n_bins,
        walk.attributes(model, &tracks),
    )?;
    let mut done = 0;
    walk.run(&tracks, &mut |i, _, values| {
        let (biosample, assay) = (i / n_assays, i % n_assays);
        cube.write(biosample as u64, assay as u64, values)?;
        done += values.len() as u64;
        progress(done);
        Ok(())
    })?;
    let is_measured = |t: &CompletedTrack| u8::from(t.provenance != Provenance::Imputed);
    let flags: Vec<u8> = tracks.iter().map(is_measured).collect();
    cube.write_flags("measured", &flags)?;
    cube.finish()?;
    Ok(tracks)
}

/// Writes a completed compendium over spans of the model's axis as a folder of signal files, one a
/// track, and `provenance.tsv`. `name` names a track's file; `progress` receives how many bins are done.
///
/// # Errors
/// When a blob or a chunk is damaged, or a file cannot be written.
#[allow(clippy::too_many_arguments)] // each is a word of the sentence above
pub fn write_completed_files(
    database: &Database,
    model: &TrainedModel,
    folder: &Path,
    format: Format,
    name: &dyn Fn(&Experiment) -> PathBuf,
    spans: &[Range<u64>],
    scale: SignalScale,
    progress: &mut dyn FnMut(u64),
) -> crate::Result<Vec<CompletedTrack>> {
    let tracks = completed_tracks(database, model)?;
    let paths: Vec<PathBuf> = (tracks.iter())
        .map(|track| folder.join(name(&track.experiment)))
        .collect();
    write_tracks(
        database,
        Some(model),
        &tracks,
        &paths,
        format,
        spans,
        scale,
        &mut |_, _, _| {},
        progress,
    )?;
    let walk = Walk::new(database, Some(model), spans, scale)?;
    let mut table = String::from("biosample\tassay\tfile\tsource\tlocation\tchecksum\n");
    for track in &tracks {
        let (location, checksum) = walk.origin(track);
        let line = [
            track.experiment.biosample.clone(),
            track.experiment.assay.clone(),
            name(&track.experiment).display().to_string(),
            track.provenance.name().to_string(),
            location,
            checksum,
        ];
        let line =
            line.map(|field| no_formula(&field.replace(['\t', '\n', '\r'], " ")).into_owned());
        table.push_str(&line.join("\t"));
        table.push('\n');
    }
    write_text(&folder.join("provenance.tsv"), table.as_bytes())?;
    Ok(tracks)
}

/// Writes tracks over spans of the model's axis, or of the database's where there is no model, each to its
/// path. `observer` sees every piece as it is written: the track's place in the list, the axis bin that the
/// piece starts at, its values. `progress` receives how many bins are done.
///
/// # Errors
/// When a track is imputed and there is no model, a blob or a chunk is damaged, or a file cannot be written.
#[allow(clippy::too_many_arguments)] // each is a word of the sentences above
pub fn write_tracks(
    database: &Database,
    model: Option<&TrainedModel>,
    tracks: &[CompletedTrack],
    paths: &[PathBuf],
    format: Format,
    spans: &[Range<u64>],
    scale: SignalScale,
    observer: &mut dyn FnMut(usize, u64, &[f32]),
    progress: &mut dyn FnMut(u64),
) -> crate::Result<()> {
    let walk = Walk::new(database, model, spans, scale)?;
    let n_bins: u64 = spans.iter().map(|s| s.end - s.start).sum();
    // A file is open from the first piece of its track to the last.
    let mut open: HashMap<usize, (u64, Box<dyn SignalWriter>)> = HashMap::new();
    let mut done = 0;
    walk.run(tracks, &mut |i, first, values| {
        let (n_come, mut writer) = match open.remove(&i) {
            Some(begun) => begun,
            None => (0, create_signal(&paths[i], format, walk.axis)?),
        };
        writer.write(first, values)?;
        observer(i, first, values);
        let n_come = n_come + values.len() as u64;
        match n_come == n_bins {
            true => writer.finish()?,
            false => {
                open.insert(i, (n_come, writer));
            }
        }
        done += values.len() as u64;
        progress(done);
        Ok(())
    })
}

/// The unit of an assay's numbers as files hold them on a scale; empty where the manifests gave none.
///
/// # Errors
/// When the database cannot be read.
pub fn signal_unit(
    database: &Database,
    assay: &str,
    scale: SignalScale,
) -> Result<String, StoreError> {
    let (units, transforms) = (
        super::write::units(database)?,
        super::write::transforms(database)?,
    );
    Ok(super::write::unit(&units, &transforms, assay, scale))
}

/// A walk over all tracks: first the measured ones, one after another, then the imputed ones in groups.
struct Walk<'a> {
    database: &'a Database,
    model: Option<&'a TrainedModel>,
    /// The model's, or the database's where there is no model.
    axis: &'a GenomeAxis,
    spans: &'a [Range<u64>],
    scale: SignalScale,
    /// The database's bin that each region of the axis starts at.
    starts: Vec<u64>,
    inversions: Inversions,
}

/// Receives pieces: the track's place in the list, the model's axis bin that a piece starts at, and
/// its values. The pieces of a track come in order.
type Sink<'a> = dyn FnMut(usize, u64, &[f32]) -> crate::Result<()> + 'a;

impl<'a> Walk<'a> {
    fn new(
        database: &'a Database,
        model: Option<&'a TrainedModel>,
        spans: &'a [Range<u64>],
        scale: SignalScale,
    ) -> crate::Result<Self> {
        let axis = model.map_or(database.axis(), TrainedModel::axis);
        Ok(Walk {
            starts: axis.starts_in(database.axis())?,
            axis,
            inversions: Inversions::new(database, model, scale)?,
            database,
            model,
            spans,
            scale,
        })
    }

    fn run(&self, tracks: &[CompletedTrack], sink: &mut Sink<'_>) -> crate::Result<()> {
        let mut values = Vec::new();
        for (i, track) in tracks.iter().enumerate() {
            let Provenance::Measured(measured) = &track.provenance else {
                continue;
            };
            let signal = self.database.signal(measured)?;
            for span in self.spans {
                let mut at = span.start;
                while at < span.end {
                    let end = (at + PIECE_BINS).min(span.end);
                    let region = self.axis.locate(at).region;
                    let within = at - self.axis.region_bins(region).start;
                    let first = self.starts[region] + within;
                    values.resize((end - at) as usize, 0f32);
                    signal.read(first..first + (end - at), &mut values)?;
                    if self.scale == SignalScale::Signal {
                        invert(measured.inversion(), &mut values);
                    }
                    sink(i, at, &values)?;
                    at = end;
                }
            }
        }
        let imputed: Vec<usize> = (0..tracks.len())
            .filter(|i| tracks[*i].provenance == Provenance::Imputed)
            .collect();
        let Some(model) = self.model else {
            return match imputed.is_empty() {
                true => Ok(()),
                false => Err(Bug::new("a track is imputed without a model").into()),
            };
        };
        let stream = Stream::new(self.database, model);
        for group in imputed.chunks(OPEN_TRACKS) {
            let experiments: Vec<Experiment> = group
                .iter()
                .map(|i| tracks[*i].experiment.clone())
                .collect();
            stream.run::<crate::Error>(&experiments, self.spans, &mut |i, first, piece| {
                values.clear();
                values.extend_from_slice(piece);
                invert(self.inversions.of(&experiments[i]), &mut values);
                sink(group[i], first, &values)
            })?;
        }
        Ok(())
    }

    /// Where a track was read from, or the model that imputed it, and the checksum of either.
    fn origin(&self, track: &CompletedTrack) -> (String, String) {
        match &track.provenance {
            Provenance::Measured(track) => (track.location.clone(), track.checksum.clone()),
            Provenance::Imputed => self.model.map_or_else(Default::default, |model| {
                let name = format!("model {}", model.record().name);
                (name, model.stored().checksum.clone())
            }),
        }
    }

    fn attributes(&self, model: &TrainedModel, tracks: &[CompletedTrack]) -> Map<String, Value> {
        let axis = self.axis;
        let record = model.record();
        let mut before = 0;
        let mut regions = Vec::new();
        for span in self.spans {
            let first = axis.bin_interval(span.start);
            let last = axis.bin_interval(span.end - 1);
            regions.push(json!({
                "chrom": first.chrom, "start": first.start, "end": last.end,
                "first_bin": before, "n_bins": span.end - span.start,
            }));
            before += span.end - span.start;
        }
        let provenance: Vec<Value> = tracks
            .iter()
            .map(|track| {
                let (location, checksum) = self.origin(track);
                json!({
                    "biosample": track.experiment.biosample, "assay": track.experiment.assay,
                    "source": track.provenance.name(), "location": location, "checksum": checksum,
                })
            })
            .collect();
        let scale = match self.scale {
            SignalScale::Signal => "signal",
            SignalScale::Transformed => "as stored",
        };
        let attributes = json!({
            "assembly": axis.assembly().name(), "bin_bp": BIN_BP, "scale": scale,
            "model": record.name, "model_checksum": model.stored().checksum,
            "biosamples": record.biosamples, "assays": record.assays,
            "regions": regions, "provenance": provenance,
        });
        // `json!({ … })` is an object.
        attributes.as_object().cloned().unwrap_or_default()
    }
}

fn invert(inversion: Inversion, values: &mut [f32]) {
    for value in values {
        *value = inversion.apply(*value);
    }
}
