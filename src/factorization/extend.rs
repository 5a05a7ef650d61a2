//! New biosamples, assays and regions under a frozen network, as the paper adds them (Schreiber et
//! al. 2020, "fitting" a new axis entry with everything else frozen).
//!
//! Old numbers are copied, never computed anew: old predictions do not change by a bit.

use std::ops::ControlFlow;
use std::sync::Arc;

use ndarray::{Array2, Axis, concatenate, s};
use serde_json::{Value, json};

mod part;
mod shard;

pub use shard::{ExtendShardReport, extend_shard, merge_extension};

use super::encoder::{Standardised, encode_stretches, place_rows};
use super::fit::{instructions, roles, window_bins};
use super::options::{Pair, no_such_track};
use super::refinement::inputs;
use super::timed_checkpoints::Listener;
use super::{
    Adam, Arithmetic, Backend, CurvePoint, Device, FactorizationError, Length, Outcome, Sampling,
    Schedule, Settings, StepReport, Trained, Trainer, TrainingProgress, TrainingSet, TrainingTrack,
    Watcher, train,
};
use crate::compendium::TracksOnAxis;
use crate::genome::{GenomeAxis, Mask, Region, Resolution};
use crate::model::{
    Encoder, GenomeFactors, Network, Refinement, Stretch, TrackScale, TrainedModel,
    initial_factors, save,
};
use crate::nn::check_backend;
use crate::store::{
    Database, Model, ModelLock, ModelRecord, ModelTrack, StoreError, Track, TrackRole,
};

/// What to add to a model.
#[derive(Debug, Clone, Default)]
pub struct Additions {
    /// Biosamples that it does not know; all that the database has tracks of, when `all` is set.
    pub biosamples: Vec<String>,
    /// Assays likewise.
    pub assays: Vec<String>,
    /// Regions; what it covers already is left out of them.
    pub regions: Vec<Region>,
    /// Every biosample and assay of the database that it does not know.
    pub all: bool,
    /// Tracks to learn from; all suitable ones when empty.
    pub tracks: Vec<Pair>,
    /// Tracks not to learn from.
    pub hold: Vec<Pair>,
}

/// How to fit what is added.
#[derive(Debug, Clone)]
pub struct ExtendOptions {
    /// Passes; for regions the default is as many as the model was trained for.
    pub passes: Option<u32>,
    /// Learning rate of biosamples' and assays' factors.
    pub learning_rate: f64,
    /// The seed.
    pub seed: u64,
    /// Bytes of signal in memory at most.
    pub cache_bytes: u64,
    /// Which code fits.
    pub backend: Backend,
    /// Where.
    pub device: Device,
    /// The extended model's name; the old one is replaced when it is the same.
    pub name: String,
}

impl Default for ExtendOptions {
    /// What `persea extend` does without options. The extended model's name is `extended`.
    fn default() -> Self {
        ExtendOptions {
            passes: None,
            learning_rate: 1e-2,
            seed: 0,
            cache_bytes: 2_000_000_000,
            backend: Backend::default(),
            device: Device::Cpu,
            name: "extended".into(),
        }
    }
}

/// Passes for a biosample's or an assay's factors: a few dozen numbers seen at every bin.
const FEW_PASSES: u32 = 8;

/// Adds to a model and stores the result.
///
/// ```
/// use persea::factorization::{Additions, ExtendOptions, extend};
/// use persea::model::TrainedModel;
/// # use persea::factorization::{RunOptions, TrainOptions, Validate, fit};
/// # use persea::model::{Architecture, Preset, Sizes};
///
/// # let (_folder, database) = persea::compendium::example_compendium()?;
/// # let options = TrainOptions {
/// #     architecture: Architecture::Avocado,
/// #     encoder: None,
/// #     refinement: None,
/// #     sizes: Sizes { batch_size: 1_000, ..Sizes::preset(Preset::Small) },
/// #     validate: Validate::Nothing,
/// #     passes: 1,
/// #     ..TrainOptions::default()
/// # };
/// # let of_s4 = ["H3K4me3", "H3K27ac", "H3K27me3"].map(|assay| ("S4".into(), assay.into()));
/// # let options = TrainOptions { name: "three".into(), hold: of_s4.to_vec(), ..options };
/// # fit(&database, &options, RunOptions::default(), false, &mut ())?;
/// // A model that was trained without the biosample S4 learns it from two of its tracks.
/// let model = TrainedModel::open(&database, Some("three"))?;
/// let additions = Additions {
///     biosamples: vec!["S4".into()],
///     hold: vec![("S4".into(), "H3K4me3".into())],
///     ..Additions::default()
/// };
/// let options = ExtendOptions { name: "four".into(), ..ExtendOptions::default() };
/// let extended = extend(&database, &model, &additions, &options, &mut ())?;
/// assert_eq!(extended.record.biosamples, ["S1", "S2", "S3", "S4"]);
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When there is nothing to add, it is known already, no track shows it, or as training.
pub fn extend(
    database: &Database,
    model: &TrainedModel,
    additions: &Additions,
    options: &ExtendOptions,
    listener: &mut dyn Listener,
) -> crate::Result<Model> {
    check_backend(options.backend, options.device, Arithmetic::F32)
        .map_err(FactorizationError::from)?;
    let lock = database.lock_model(&options.name)?;
    let replaces = options.name == model.record().name;
    if !replaces {
        check_free(database, &options.name)?;
    }
    let all = database.tracks()?;
    for (what, pairs) in [
        ("option `tracks`", &additions.tracks),
        ("option `hold`", &additions.hold),
    ] {
        let is_there = |(b, a): &&Pair| all.iter().any(|t| t.biosample == *b && t.assay == *a);
        if let Some((b, a)) = pairs.iter().find(|pair| !is_there(pair)) {
            return Err(no_such_track(&all, what, b, a).into());
        }
    }
    let mut state = Extended::of(database, model, options)?;
    let biosamples = wanted(
        &additions.biosamples,
        additions.all,
        "biosample",
        &state.record.biosamples,
        &all,
        |t| &t.biosample,
    )?;
    let assays = wanted(
        &additions.assays,
        additions.all,
        "assay",
        &state.record.assays,
        &all,
        |t| &t.assay,
    )?;
    if biosamples.is_empty() && assays.is_empty() && additions.regions.is_empty() {
        return Err(FactorizationError::NothingToAdd {
            why: "nothing to add: the model knows every biosample and assay of the database, and no region was given".into(),
        }
        .into());
    }
    let usable: Vec<Track> = all.into_iter().filter(|t| additions.allow(t)).collect();
    // Biosamples first, so that the tracks of new ones can show new assays.
    if !biosamples.is_empty() {
        state.add_biosamples(&biosamples, &usable, listener)?;
    }
    if !assays.is_empty() {
        state.add_assays(&assays, &usable, listener)?;
    }
    if !additions.regions.is_empty() {
        state.add_regions(&additions.regions, &usable, listener)?;
    }
    state.store(&lock, model, replaces)
}

/// # Errors
/// When there is a model of that name.
fn check_free(database: &Database, name: &str) -> Result<(), StoreError> {
    match database
        .list_models()?
        .iter()
        .any(|m| m.record.name == name)
    {
        true => Err(StoreError::Taken {
            kind: "model",
            name: name.to_string(),
            advice: "choose another name (option `name`)",
        }),
        false => Ok(()),
    }
}

/// The refinement, reading what the model has been extended with as well: its networks stay as they
/// are, and so does what older tracks are standardised by.
fn extended_refinement(
    old: &Refinement,
    before: &ModelRecord,
    after: &ModelRecord,
    database: &Database,
) -> Result<Refinement, FactorizationError> {
    let read = |record: &ModelRecord| -> Vec<Pair> {
        let tracks = record.tracks.iter().filter(|t| t.role != TrackRole::Hold);
        tracks
            .map(|t| (t.biosample.clone(), t.assay.clone()))
            .collect()
    };
    let known = read(before);
    let mut refinement = old.clone();
    refinement.inputs.tracks.clear();
    for (biosample, assay) in read(after) {
        if let Some(place) = known
            .iter()
            .position(|p| *p == (biosample.clone(), assay.clone()))
        {
            refinement.inputs.tracks.push(old.inputs.tracks[place]);
            continue;
        }
        let Some(track) = database.track(&biosample, &assay)? else {
            return Err(no_such_track(
                &database.tracks()?,
                "extend",
                &biosample,
                &assay,
            ));
        };
        // Names that the model lacked were added before.
        let added = inputs(&[track], &after.biosamples, &after.assays, true)?;
        refinement.inputs.tracks.extend(added.tracks);
    }
    Ok(refinement)
}

impl Additions {
    fn allow(&self, track: &Track) -> bool {
        let names = |pairs: &[Pair]| {
            pairs
                .iter()
                .any(|(b, a)| *b == track.biosample && *a == track.assay)
        };
        (self.tracks.is_empty() || names(&self.tracks)) && !names(&self.hold)
    }
}

/// The tracks that a model's encoder reads, in its order, of those that may be used.
///
/// # Errors
/// When one is not among them, or its content has changed.
fn encoder_tracks(
    record: &ModelRecord,
    usable: &[Track],
) -> Result<Vec<Track>, FactorizationError> {
    let read = |t: &&ModelTrack| matches!(t.role, TrackRole::Train | TrackRole::Validate);
    let mut tracks = Vec::new();
    for known in record.tracks.iter().filter(read) {
        let there = usable
            .iter()
            .find(|t| t.biosample == known.biosample && t.assay == known.assay);
        let Some(track) = there.filter(|t| t.checksum == known.checksum) else {
            return Err(FactorizationError::Options(format!(
                "the encoder reads {} {}, which was left out, removed or replaced since training; \
                 allow all training tracks, and ingest this one again as it was",
                known.biosample, known.assay
            )));
        };
        tracks.push(track.clone());
    }
    Ok(tracks)
}

/// The names to add: those asked for, or all that the database has and the model does not know.
fn wanted(
    asked: &[String],
    all: bool,
    what: &'static str,
    known: &[String],
    tracks: &[Track],
    name: fn(&Track) -> &String,
) -> Result<Vec<String>, FactorizationError> {
    let mut names: Vec<String> = match all {
        true => tracks
            .iter()
            .map(|t| name(t).clone())
            .filter(|n| !known.contains(n))
            .collect(),
        false => asked.to_vec(),
    };
    for n in &names {
        if known.contains(n) {
            return Err(FactorizationError::NothingToAdd {
                why: format!("the model knows the {what} {n} already"),
            });
        }
        if !tracks.iter().any(|t| name(t) == n) {
            return Err(
                StoreError::unknown(what, n, tracks.iter().map(|t| name(t).as_str())).into(),
            );
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// One fit under a frozen network.
struct Work<'a> {
    axis: &'a GenomeAxis,
    tracks: &'a [Track],
    genome: GenomeFactors,
    trained: Trained,
    passes: u32,
    learning_rate: f64,
    cosine: bool,
}

/// A model while it is being extended.
struct Extended<'a> {
    database: &'a Database,
    options: &'a ExtendOptions,
    record: ModelRecord,
    network: Network,
    genome: GenomeFactors,
    axis: GenomeAxis,
    encoder: Option<&'a Encoder>,
}

impl<'a> Extended<'a> {
    /// As it is before.
    fn of(
        database: &'a Database,
        model: &'a TrainedModel,
        options: &'a ExtendOptions,
    ) -> crate::Result<Self> {
        Ok(Extended {
            database,
            options,
            record: model.record().clone(),
            network: model.network().clone(),
            genome: model.genome_factors(database)?,
            axis: model.axis().clone(),
            encoder: model.encoder(),
        })
    }

    /// Stores it in one commit.
    fn store(self, lock: &ModelLock, model: &TrainedModel, replaces: bool) -> crate::Result<Model> {
        let mut record = self.record;
        record.name = self.options.name.clone();
        record.regions = self.axis.regions().to_vec();
        let refinement = (model.refinement())
            .map(|old| extended_refinement(old, model.record(), &record, self.database))
            .transpose()?;
        save(
            self.database,
            lock,
            &record,
            &self.network,
            &self.genome,
            (model.encoder(), refinement.as_ref()),
            replaces,
        )
    }

    fn add_biosamples(
        &mut self,
        names: &[String],
        usable: &[Track],
        listener: &mut dyn Listener,
    ) -> crate::Result<()> {
        let tracks: Vec<Track> = (usable.iter())
            .filter(|t| names.contains(&t.biosample) && self.record.assays.contains(&t.assay))
            .cloned()
            .collect();
        every_name_shown("biosample", "assay", names, &tracks, |t| &t.biosample)?;
        let old = self.network.biosamples.nrows();
        let rows = initial_factors(
            self.options.seed,
            1 << 20,
            names.len(),
            self.network.biosamples.ncols(),
        );
        self.network.biosamples = stacked(&self.network.biosamples, &rows);
        self.record.biosamples.extend(names.iter().cloned());
        let trained = Trained {
            biosamples: old..old + names.len(),
            assays: 0..0,
            genome: false,
            layers: false,
        };
        self.fit_names("biosamples", names, &tracks, trained, listener)
    }

    fn add_assays(
        &mut self,
        names: &[String],
        usable: &[Track],
        listener: &mut dyn Listener,
    ) -> crate::Result<()> {
        let tracks: Vec<Track> = (usable.iter())
            .filter(|t| names.contains(&t.assay) && self.record.biosamples.contains(&t.biosample))
            .cloned()
            .collect();
        every_name_shown("assay", "biosample", names, &tracks, |t| &t.assay)?;
        let old = self.network.assays.nrows();
        let rows = initial_factors(
            self.options.seed,
            (1 << 20) + 1,
            names.len(),
            self.network.assays.ncols(),
        );
        self.network.assays = stacked(&self.network.assays, &rows);
        self.record.assays.extend(names.iter().cloned());
        let trained = Trained {
            biosamples: 0..0,
            assays: old..old + names.len(),
            genome: false,
            layers: false,
        };
        self.fit_names("assays", names, &tracks, trained, listener)
    }

    fn fit_names(
        &mut self,
        what: &str,
        names: &[String],
        tracks: &[Track],
        trained: Trained,
        listener: &mut dyn Listener,
    ) -> crate::Result<()> {
        let passes = self.options.passes.unwrap_or(FEW_PASSES);
        let axis = self.axis.clone();
        let outcome = self.fit(
            Work {
                axis: &axis,
                tracks,
                genome: self.genome.clone(),
                trained,
                passes,
                learning_rate: self.options.learning_rate,
                cosine: true,
            },
            listener,
        )?;
        self.network = outcome.network;
        self.remember(what, json!(names), tracks, passes);
        Ok(())
    }

    fn add_regions(
        &mut self,
        regions: &[Region],
        usable: &[Track],
        listener: &mut dyn Listener,
    ) -> crate::Result<()> {
        let assembly = self.axis.assembly().clone();
        let asked = GenomeAxis::new(assembly.clone(), regions.to_vec())
            .map_err(FactorizationError::from)?;
        let outside = asked.regions_outside(&self.axis);
        if outside.is_empty() {
            return Err(FactorizationError::NothingToAdd {
                why: "the model covers these regions already".into(),
            }
            .into());
        }
        let added = GenomeAxis::with_regions_apart(assembly.clone(), outside)?;
        if let Some(encoder) = self.encoder {
            return self.encode_regions(encoder, added, usable);
        }
        // A held-out track stays held out, here too.
        let trained_on = |t: &Track| {
            let mut known = self
                .record
                .tracks
                .iter()
                .filter(|m| m.biosample == t.biosample && m.assay == t.assay);
            known.any(|m| m.role != TrackRole::Hold)
        };
        let tracks: Vec<Track> = usable.iter().filter(|t| trained_on(t)).cloned().collect();
        if tracks.is_empty() {
            return Err(FactorizationError::NothingToTrain {
                why: "none of the model's training tracks may be used",
            }
            .into());
        }
        let own = self
            .record
            .training
            .get("passes")
            .and_then(Value::as_u64)
            .unwrap_or(20) as u32;
        let passes = self.options.passes.unwrap_or(own);
        let own_rate = self
            .record
            .training
            .pointer("/options/learning_rate")
            .and_then(Value::as_f64);
        let sizes = self.sizes()?;
        let start = GenomeFactors::initial(&sizes, &added, self.options.seed);
        let trained = Trained {
            biosamples: 0..0,
            assays: 0..0,
            genome: true,
            layers: false,
        };
        let outcome = self.fit(
            Work {
                axis: &added,
                tracks: &tracks,
                genome: start,
                trained,
                passes,
                learning_rate: own_rate.unwrap_or(1e-3),
                cosine: false,
            },
            listener,
        )?;
        for (old, new) in self.genome.scales.iter_mut().zip(&outcome.genome.scales) {
            *old = stacked(old, new);
        }
        let all = [self.axis.regions(), added.regions()].concat();
        self.axis = GenomeAxis::with_regions_apart(assembly, all)?;
        self.remember("regions", json!(added.regions().len()), &[], passes);
        Ok(())
    }

    /// Regions of a model with an encoder: a forward pass over the tracks that it reads.
    fn encode_regions(
        &mut self,
        encoder: &Encoder,
        added: GenomeAxis,
        usable: &[Track],
    ) -> crate::Result<()> {
        let tracks = encoder_tracks(&self.record, usable)?;
        let source =
            TracksOnAxis::open(self.database, &added, &tracks).map_err(FactorizationError::from)?;
        let read = |track, bins, out: &mut [f32]| Ok(source.read(track, bins, out)?);
        self.add_encoded(&added, instructions(), |place| {
            let stretches = Stretch::all(&added);
            let take = |stretch: &Stretch, codes| {
                place(stretch, &codes);
                Ok(())
            };
            Ok(encode_stretches(encoder, &stretches, read, |_| None, take)?)
        })
    }

    /// Makes room for regions that it does not cover. `fill` is handed what puts the rows of a stretch of the added
    /// axis in their place, finest resolution first, as an encoder gave them with these instructions.
    fn add_encoded(
        &mut self,
        added: &GenomeAxis,
        instructions: Value,
        fill: impl FnOnce(&mut dyn FnMut(&Stretch, &[Vec<f32>; 3])) -> crate::Result<()>,
    ) -> crate::Result<()> {
        let n_before = self.axis.regions().len();
        let all = [self.axis.regions(), added.regions()].concat();
        let axis = GenomeAxis::with_regions_apart(self.axis.assembly().clone(), all)?;
        for resolution in Resolution::ALL {
            let table = &mut self.genome.scales[resolution.index()];
            let n_rows = axis.n_rows(resolution) as usize;
            let mut longer = Array2::zeros((n_rows, table.ncols()));
            longer.slice_mut(s![..table.nrows(), ..]).assign(table);
            *table = longer;
        }
        let tables = &mut self.genome.scales;
        fill(&mut |stretch, codes| {
            let stretch = Stretch {
                region: stretch.region + n_before,
                ..stretch.clone()
            };
            place_rows(tables, &axis, &stretch, codes);
        })?;
        self.axis = axis;
        self.note("regions", json!(added.regions().len()), 0, instructions);
        Ok(())
    }

    fn sizes(&self) -> Result<crate::model::Sizes, FactorizationError> {
        let config: crate::model::ModelConfig = serde_json::from_value(self.record.config.clone())
            .map_err(|e| FactorizationError::Options(e.to_string()))?;
        Ok(config.sizes)
    }

    fn fit(&self, work: Work<'_>, listener: &mut dyn Listener) -> crate::Result<Outcome> {
        let Work {
            axis,
            tracks,
            genome,
            trained,
            passes,
            learning_rate,
            cosine,
        } = work;
        let set = Arc::new(TrainingSet {
            axis: axis.clone(),
            mask: Mask::new(axis, &self.database.mask_intervals()?),
            // Names that the model lacked were added before.
            tracks: tracks
                .iter()
                .map(|t| TrainingTrack::new(t, &self.record.biosamples, &self.record.assays))
                .collect::<Result<_, _>>()
                .map_err(FactorizationError::from)?,
            source: Box::new(TracksOnAxis::open(self.database, axis, tracks)?),
        });
        let set = match self.encoder {
            Some(encoder) if encoder.config.standardised => {
                let scales = tracks.iter().map(|t| TrackScale::new(t.mean, t.variance));
                Standardised::set(&set, scales.collect())
            }
            _ => set,
        };
        let mut settings = Settings {
            sizes: self.sizes()?,
            sampling: Sampling::Permuted,
            adam: Adam {
                learning_rate,
                ..Adam::default()
            },
            seed: self.options.seed,
            clip: None,
            window_bins: window_bins(self.options.cache_bytes, tracks.len()),
            backend: self.options.backend,
            device: self.options.device,
            arithmetic: Arithmetic::F32,
        };
        if cosine {
            let steps = u64::from(passes) * super::trainer::steps_per_pass(&set, &settings);
            settings.adam.schedule = Schedule::Cosine { steps };
        }
        let length = Length {
            passes,
            patience: passes,
            validate: Vec::new(),
            validate_bins: 0,
        };
        let start = || (self.network.clone(), genome.clone());
        let outcome = train(
            &set,
            &settings,
            &length,
            start,
            (&trained, None),
            None,
            &mut Unkept(listener),
        )?;
        Ok(outcome)
    }

    /// Notes what was added and which tracks showed it.
    fn remember(&mut self, what: &str, added: Value, tracks: &[Track], passes: u32) {
        for track in roles(tracks, |_| TrackRole::Extend) {
            let old = self
                .record
                .tracks
                .iter_mut()
                .find(|t| t.biosample == track.biosample && t.assay == track.assay);
            match old {
                Some(old) => *old = track,
                None => self.record.tracks.push(track),
            }
        }
        self.note(what, added, passes, instructions());
    }

    fn note(&mut self, what: &str, added: Value, passes: u32, instructions: Value) {
        let note = json!({
            "added": what, "names": added, "passes": passes, "seed": self.options.seed,
            "instructions": instructions,
        });
        if let Value::Object(training) = &mut self.record.training {
            let extensions = training.entry("extensions").or_insert_with(|| json!([]));
            if let Value::Array(list) = extensions {
                list.push(note);
            }
        }
    }
}

/// Extending is short: it keeps no checkpoint, and a stopped one leaves the old model as it is.
struct Unkept<'a>(&'a mut dyn Listener);

impl Watcher for Unkept<'_> {
    fn step(&mut self, progress: &TrainingProgress, report: &StepReport) -> ControlFlow<()> {
        self.0.step(progress, report)
    }

    fn pass(&mut self, point: &CurvePoint) {
        self.0.pass(point);
    }

    fn due(&mut self) -> bool {
        false
    }

    fn checkpoint(&mut self, _: &TrainingProgress, _: &Trainer) -> Result<(), FactorizationError> {
        Ok(())
    }
}

fn every_name_shown(
    what: &str,
    other: &str,
    names: &[String],
    tracks: &[Track],
    name: fn(&Track) -> &String,
) -> Result<(), FactorizationError> {
    match names.iter().find(|n| !tracks.iter().any(|t| name(t) == *n)) {
        Some(n) => Err(FactorizationError::Options(format!(
            "{what} {n} has no track of an {other} that the model knows, so nothing can be learnt of it"
        ))),
        None => Ok(()),
    }
}

fn stacked(a: &Array2<f32>, b: &Array2<f32>) -> Array2<f32> {
    concatenate(Axis(0), &[a.view(), b.view()]).unwrap_or_else(|_| a.clone())
}
