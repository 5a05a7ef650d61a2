//! A completed compendium: every experiment that a model knows, measured where it was measured and
//! imputed elsewhere.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::writers::{Stop, write_files};
use super::{Scale, Stream};
use crate::compendium::Experiment;
use crate::formats::{CubeWriter, Format, SignalWriter, create_signal, write_text};
use crate::genome::BIN_BP;
use crate::model::TrainedModel;
use crate::store::{Database, Track, Transform};

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
/// spans are, and where each track comes from. `progress` hears how many bins are done in all.
///
/// # Errors
/// When something of that name exists, a blob or a chunk is damaged, or the disk is full.
pub fn write_completed_zarr(
    database: &Database,
    model: &TrainedModel,
    path: &Path,
    spans: &[Range<u64>],
    scale: Scale,
    progress: &mut dyn FnMut(u64),
) -> crate::Result<Vec<CompletedTrack>> {
    let tracks = completed_tracks(database, model)?;
    let walk = Walk::new(database, model, spans, scale)?;
    let record = model.record();
    let (n_biosamples, n_assays) = (record.biosamples.len(), record.assays.len());
    let n_bins: u64 = spans.iter().map(|s| s.end - s.start).sum();
    let mut cube = CubeWriter::create(
        path,
        n_biosamples as u64,
        n_assays as u64,
        n_bins,
        walk.attributes(&tracks),
    )?;
    let mut done = 0;
    for group in walk.groups(&tracks) {
        walk.run::<crate::Error>(&tracks, &group, &mut |place, _, values| {
            let (biosample, assay) = (group[place] / n_assays, group[place] % n_assays);
            cube.write(biosample as u64, assay as u64, values)?;
            done += values.len() as u64;
            progress(done);
            Ok(())
        })?;
    }
    let is_measured = |t: &CompletedTrack| u8::from(t.provenance != Provenance::Imputed);
    let flags: Vec<u8> = tracks.iter().map(is_measured).collect();
    cube.write_flags("measured", &flags)?;
    cube.finish()?;
    Ok(tracks)
}

/// Writes a completed compendium over spans of the model's axis as a folder of signal files, one a
/// track, and `provenance.tsv`. `name` names a track's file; `progress` hears how many bins are done.
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
    scale: Scale,
    progress: &mut dyn FnMut(u64),
) -> crate::Result<Vec<CompletedTrack>> {
    let tracks = completed_tracks(database, model)?;
    let walk = Walk::new(database, model, spans, scale)?;
    let mut done = 0;
    for group in walk.groups(&tracks) {
        let create = |i: &usize| {
            let path = folder.join(name(&tracks[*i].experiment));
            create_signal(&path, format, model.axis())
        };
        let files: Vec<Box<dyn SignalWriter>> =
            group.iter().map(create).collect::<Result<_, _>>()?;
        write_files(files, |writers| {
            walk.run::<Stop>(&tracks, &group, &mut |place, first, values| {
                writers.write(place, first, values.to_vec())?;
                done += values.len() as u64;
                progress(done);
                Ok(())
            })
        })?;
    }
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
        let line = line.map(|field| field.replace(['\t', '\n', '\r'], " "));
        table.push_str(&line.join("\t"));
        table.push('\n');
    }
    write_text(&folder.join("provenance.tsv"), table.as_bytes())?;
    Ok(tracks)
}

/// A walk over tracks, a group of them at a time.
struct Walk<'a> {
    database: &'a Database,
    model: &'a TrainedModel,
    spans: &'a [Range<u64>],
    scale: Scale,
    /// The database's bin that each region of the model starts at.
    starts: Vec<u64>,
    transforms: HashMap<String, Transform>,
}

/// Receives pieces: the track's place in its group, the model's axis bin that a piece starts at, and
/// its values. The pieces of a track come in order.
type Sink<'a, E> = dyn FnMut(usize, u64, &[f32]) -> Result<(), E> + 'a;

/// Receives one track's pieces.
type PieceSink<'a, E> = dyn FnMut(u64, &[f32]) -> Result<(), E> + 'a;

impl<'a> Walk<'a> {
    fn new(
        database: &'a Database,
        model: &'a TrainedModel,
        spans: &'a [Range<u64>],
        scale: Scale,
    ) -> crate::Result<Self> {
        Ok(Walk {
            starts: model.axis().starts_in(database.axis())?,
            transforms: super::write::transforms(database)?,
            database,
            model,
            spans,
            scale,
        })
    }

    /// The tracks' places in groups: first those that were measured, then those that are imputed.
    fn groups(&self, tracks: &[CompletedTrack]) -> Vec<Vec<usize>> {
        let is_imputed = |i: &usize| tracks[*i].provenance == Provenance::Imputed;
        let (imputed, measured): (Vec<usize>, Vec<usize>) = (0..tracks.len()).partition(is_imputed);
        let groups = (measured.chunks(OPEN_TRACKS)).chain(imputed.chunks(OPEN_TRACKS));
        groups.map(<[usize]>::to_vec).collect()
    }

    /// A group's measured tracks one after another, and its imputed ones side by side.
    fn run<E: From<crate::Error>>(
        &self,
        tracks: &[CompletedTrack],
        group: &[usize],
        sink: &mut Sink<'_, E>,
    ) -> Result<(), E> {
        let mut imputed = Vec::new();
        for (place, i) in group.iter().enumerate() {
            match &tracks[*i].provenance {
                Provenance::Measured(track) => {
                    self.read(track, &mut |first, values| sink(place, first, values))?
                }
                Provenance::Imputed => imputed.push((place, tracks[*i].experiment.clone())),
            }
        }
        if imputed.is_empty() {
            return Ok(());
        }
        let (places, experiments): (Vec<usize>, Vec<Experiment>) = imputed.into_iter().unzip();
        let mut values = Vec::new();
        let stream = Stream::new(self.database, self.model);
        stream.run::<E>(&experiments, self.spans, &mut |i, first, piece| {
            values.clear();
            values.extend_from_slice(piece);
            // An assay without tracks here (of an imported model) was trained on arcsinh.
            let transform = self.transforms.get(&experiments[i].assay).copied();
            self.to_scale(transform.unwrap_or(Transform::Arcsinh), &mut values);
            sink(places[i], first, &values)
        })
    }

    /// A measured track's pieces.
    fn read<E: From<crate::Error>>(
        &self,
        track: &Track,
        sink: &mut PieceSink<'_, E>,
    ) -> Result<(), E> {
        let axis = self.model.axis();
        let signal = self.database.signal(track).map_err(crate::Error::from)?;
        let mut values = Vec::new();
        for span in self.spans {
            let mut at = span.start;
            while at < span.end {
                let end = (at + PIECE_BINS).min(span.end);
                let region = axis.locate(at).region;
                let first = self.starts[region] + at - axis.region_bins(region).start;
                values.resize((end - at) as usize, 0f32);
                (signal.read(first..first + (end - at), &mut values))
                    .map_err(crate::Error::from)?;
                self.to_scale(track.transform, &mut values);
                sink(at, &values)?;
                at = end;
            }
        }
        Ok(())
    }

    fn to_scale(&self, transform: Transform, values: &mut [f32]) {
        if self.scale == Scale::Signal {
            for value in values {
                *value = transform.invert(*value);
            }
        }
    }

    /// Where a track was read from, or the model that imputed it, and the checksum of either.
    fn origin(&self, track: &CompletedTrack) -> (String, String) {
        match &track.provenance {
            Provenance::Measured(track) => (track.location.clone(), track.checksum.clone()),
            Provenance::Imputed => (
                format!("model {}", self.model.record().name),
                self.model.stored().checksum.clone(),
            ),
        }
    }

    fn attributes(&self, tracks: &[CompletedTrack]) -> Map<String, Value> {
        let axis = self.model.axis();
        let record = self.model.record();
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
            Scale::Signal => "signal",
            Scale::Transformed => "as stored",
        };
        let attributes = json!({
            "assembly": axis.assembly().name(), "bin_bp": BIN_BP, "scale": scale,
            "model": record.name, "model_checksum": self.model.stored().checksum,
            "biosamples": record.biosamples, "assays": record.assays,
            "regions": regions, "provenance": provenance,
        });
        attributes.as_object().cloned().unwrap_or_default()
    }
}
