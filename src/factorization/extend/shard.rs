//! New regions that several jobs embed, each a part, and the extension that puts all parts together.
//!
//! A model with an encoder embeds a row by a forward pass over the tracks around it. So a job can embed some
//! stretches of the new regions: it reads 20 kb of signal on either side of each, as far as the region goes, and
//! the rows have the bits that one job would give them.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::part::{Part, PartSettings, PartWriter, listed, own_stretches};
use super::{Additions, ExtendOptions, Extended, check_free, encoder_tracks};
use crate::compendium::{Shard, TracksOnAxis};
use crate::factorization::FactorizationError;
use crate::factorization::encoder::encode_stretches;
use crate::factorization::fit::instructions;
use crate::genome::{Assembly, GenomeAxis, Resolution};
use crate::model::{Encoder, TrainedModel};
use crate::store::{Database, Model, ModelRecord, TrackRole};

/// What one job of an extension has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtendShardReport {
    /// 25 bp bins of its part; 0 where the model covers all regions already.
    pub n_bins: u64,
    /// Whether they were embedded, or the file of an earlier run stands.
    pub is_written: bool,
}

/// Embeds one part of the regions in `additions` that the model lacks, and writes it to a file for
/// [`merge_extension`]. Stretches of up to 16,000 bins are divided, in the order of the regions. Where the file is
/// there and whole, and of the same encoder, tracks and regions, nothing is done. The database is only read.
/// `progress` receives the bins that are done.
///
/// # Errors
/// When the model has no encoder, anything but regions is to be added, a track that the encoder reads is missing or
/// may not be used, or the file cannot be written; no file is left then.
pub fn extend_shard(
    database: &Database,
    model: &TrainedModel,
    additions: &Additions,
    shard: Shard,
    path: &Path,
    progress: &mut dyn FnMut(u64),
) -> crate::Result<ExtendShardReport> {
    let work = NewRegions::of(model, additions)?;
    if let Some(n_bins) = work.written_before(shard, path) {
        return Ok(ExtendShardReport {
            n_bins,
            is_written: false,
        });
    }
    let Some(added) = &work.added else {
        return Ok(ExtendShardReport {
            n_bins: 0,
            is_written: false,
        });
    };
    let usable = database.tracks()?;
    let usable: Vec<_> = usable.into_iter().filter(|t| additions.allow(t)).collect();
    let tracks = encoder_tracks(model.record(), &usable)?;
    let source = TracksOnAxis::open(database, added, &tracks).map_err(FactorizationError::from)?;
    let stretches = own_stretches(added, shard);
    let mut writer = PartWriter::begin(path, shard, &work.settings)?;
    let mut done = 0;
    encode_stretches(
        work.encoder,
        &stretches,
        |track, bins, out: &mut [f32]| Ok(source.read(track, bins, out)?),
        |_| None,
        |stretch, codes| {
            writer.stretch(&codes)?;
            done += stretch.n_bins() as u64;
            progress(done);
            Ok(())
        },
    )?;
    writer.finish()?;
    Ok(ExtendShardReport {
        n_bins: done,
        is_written: true,
    })
}

/// Adds regions whose factors jobs have embedded with [`extend_shard`]. The result is the model that [`extend`]
/// makes of the same regions: `parts` must be all of them. Returns the model, and whether it was stored now; a model
/// of that name that has all the parts' factors is left as it is.
///
/// # Errors
/// When a part is missing, damaged, comes twice, or is of another encoder, other tracks or regions; when the name
/// is another model's. Nothing is stored then.
///
/// [`extend`]: super::extend
pub fn merge_extension(
    database: &Database,
    model: &TrainedModel,
    additions: &Additions,
    options: &ExtendOptions,
    parts: &[PathBuf],
) -> crate::Result<(Model, bool)> {
    let work = NewRegions::of(model, additions)?;
    let lock = database.lock_model(&options.name)?;
    let replaces = options.name == model.record().name;
    let Some(added) = &work.added else {
        // The parts were added before, unless they are others; files that were removed since are not missed.
        let parts = parts.iter().filter(|path| path.exists());
        let parts: Vec<Part> = parts.map(|p| Part::open(p)).collect::<Result<_, _>>()?;
        work.check(&parts, false)?;
        let why = match replaces {
            true if parts.is_empty() || has_factors(database, model, parts)? => {
                return Ok((model.stored().clone(), false));
            }
            true => "the model covers these regions already, with other factors than these",
            false => "the model covers these regions already",
        };
        return Err(FactorizationError::NothingToAdd { why: why.into() }.into());
    };
    let parts: Vec<Part> = parts
        .iter()
        .map(|p| Part::open(p))
        .collect::<Result<_, _>>()?;
    work.check(&parts, true)?;
    let models = database.list_models()?;
    if !replaces && models.iter().any(|m| m.record.name == options.name) {
        let other = TrainedModel::open(database, Some(&options.name))?;
        let same_base = NewRegions::of(&other, additions)
            .is_ok_and(|o| o.settings.encoder == work.settings.encoder && o.added.is_none());
        if same_base && has_factors(database, &other, parts)? {
            return Ok((other.stored().clone(), false));
        }
        check_free(database, &options.name)?;
        // It was removed meanwhile, which its lock does not allow.
        return Err(crate::Bug::new("a locked model has gone").into());
    }
    let note = parts.first().map(|p| p.settings.instructions.clone());
    let mut state = Extended::of(database, model, options)?;
    state.add_encoded(added, note.unwrap_or_default(), |place| {
        for part in parts {
            part.read(added, |stretch, codes| {
                place(stretch, &codes);
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok((state.store(&lock, model, replaces)?, true))
}

/// Regions that are to be embedded, and what their factors depend on.
struct NewRegions<'a> {
    encoder: &'a Encoder,
    assembly: &'a Assembly,
    settings: PartSettings,
    /// What the model lacks of the regions, if anything.
    added: Option<GenomeAxis>,
}

impl<'a> NewRegions<'a> {
    fn of(model: &'a TrainedModel, additions: &Additions) -> crate::Result<Self> {
        let record = model.record();
        let refused = |why: String| crate::Error::from(FactorizationError::Options(why));
        if !additions.biosamples.is_empty() || !additions.assays.is_empty() || additions.all {
            return Err(refused(
                "only regions can be added in parts: biosamples and assays are fitted to all bins at once; add them \
                 without option `shard` or option `merge`"
                    .into(),
            ));
        }
        let Some(encoder) = model.encoder() else {
            return Err(refused(format!(
                "model {} has no encoder: factors of new regions are trained over all of them in one job; extend it \
                 without option `shard` or option `merge`, or train a model `persea`",
                record.name
            )));
        };
        if additions.regions.is_empty() {
            return Err(refused(
                "name the regions that the jobs share (option `regions`)".into(),
            ));
        }
        let assembly = model.axis().assembly();
        let asked = GenomeAxis::new(assembly.clone(), additions.regions.clone())
            .map_err(FactorizationError::from)?;
        let outside = asked.regions_outside(model.axis());
        let settings = PartSettings {
            persea: env!("CARGO_PKG_VERSION").into(),
            instructions: instructions(),
            assembly: assembly.name().into(),
            encoder: encoder.checksum(),
            tracks: tracks_checksum(record),
            factors: Resolution::ALL.map(|r| encoder.factors(r)),
            asked: listed(asked.regions()),
            added: listed(&outside),
        };
        let added = match outside.is_empty() {
            true => None,
            false => Some(GenomeAxis::with_regions_apart(assembly.clone(), outside)?),
        };
        Ok(NewRegions {
            encoder,
            assembly,
            settings,
            added,
        })
    }

    /// How many bins an earlier run has embedded, if its file is whole and of the same settings. Where the model
    /// covers the regions by now, it may have lacked some then.
    fn written_before(&self, shard: Shard, path: &Path) -> Option<u64> {
        let part = Part::open(path).ok().filter(|p| p.shard == shard)?;
        let mut expected = self.settings.clone();
        if self.added.is_none() {
            expected.added.clone_from(&part.settings.added);
        }
        if part.settings != expected {
            return None;
        }
        let axis = part.settings.axis(self.assembly).ok()?;
        let mut n_bins = 0;
        let read = part.read(&axis, |stretch, _| {
            n_bins += stretch.n_bins() as u64;
            Ok(())
        });
        read.ok().map(|()| n_bins)
    }

    /// That parts are all parts of this work, where `all`, or some parts of one that was like it.
    fn check(&self, parts: &[Part], all: bool) -> Result<(), FactorizationError> {
        let wrong = |part: &Part, why: &str| FactorizationError::Part {
            file: part.name.clone(),
            why: why.to_string(),
        };
        let Some(first) = parts.first() else {
            return match all {
                true => Err(FactorizationError::Options("there is no part".into())),
                false => Ok(()),
            };
        };
        let mut expected = self.settings.clone();
        // Another node may put together what these have computed.
        expected
            .instructions
            .clone_from(&first.settings.instructions);
        if !all {
            expected.added.clone_from(&first.settings.added);
        }
        let count = first.shard.count();
        let mut files: BTreeMap<usize, &String> = BTreeMap::new();
        for part in parts {
            if let Some(why) = part.settings.differ(&expected) {
                return Err(wrong(part, why));
            }
            if part.shard.count() != count {
                let why = format!(
                    "is one of {} parts, and {} of {count}",
                    part.shard.count(),
                    first.name
                );
                return Err(wrong(part, &why));
            }
            if let Some(other) = files.insert(part.shard.index(), &part.name) {
                return Err(wrong(part, &format!("is the same part as {other}")));
            }
        }
        match (0..count).find(|i| all && !files.contains_key(i)) {
            Some(missing) => {
                let why = format!(
                    "is one of {count} parts, and part {} is missing",
                    missing + 1
                );
                Err(wrong(first, &why))
            }
            None => Ok(()),
        }
    }
}

/// The BLAKE3 of the names and the content of the tracks that a model's encoder reads.
fn tracks_checksum(record: &ModelRecord) -> String {
    let mut hasher = blake3::Hasher::new();
    let read = record.tracks.iter();
    for track in read.filter(|t| matches!(t.role, TrackRole::Train | TrackRole::Validate)) {
        for text in [&track.biosample, &track.assay, &track.checksum] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// Whether a model has the regions and the factors of parts.
fn has_factors(database: &Database, model: &TrainedModel, parts: Vec<Part>) -> crate::Result<bool> {
    let regions = model.axis().regions().iter().enumerate();
    let places: HashMap<(&str, u64, u64), usize> = regions
        .map(|(i, r)| ((r.chrom.as_str(), r.first_bin, r.n_bins), i))
        .collect();
    let precision = model.record().precision;
    let mut same = true;
    let mut stored = Vec::new();
    for part in parts {
        let axis = part.settings.axis(model.axis().assembly())?;
        part.read(&axis, |stretch, codes| {
            let region = &axis.regions()[stretch.region];
            let key = (region.chrom.as_str(), region.first_bin, region.n_bins);
            let Some(place) = places.get(&key) else {
                same = false;
                return Ok(());
            };
            for resolution in Resolution::ALL {
                let codes = &codes[resolution.index()];
                stored.resize(codes.len(), 0.0);
                let rows = stretch.rows(resolution);
                model.read_factors(database, resolution, *place, rows, &mut stored)?;
                let mut pairs = codes.iter().zip(&stored);
                same &= pairs.all(|(a, b)| precision.stored(*a).to_bits() == b.to_bits());
            }
            Ok(())
        })?;
    }
    Ok(same)
}
