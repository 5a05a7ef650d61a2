//! A training on a database: its tracks assigned, checkpoints written, the model stored.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::checkpoint;
use super::encoder::{self, LeftOut, Standardised, encode, genome_factors};
use super::options::{TrackRoles, TrainOptions};
use super::refinement::{self, refine};
use super::timed_checkpoints::{Listener, TimedCheckpoints};
use super::{
    CurvePoint, Device, FactorizationError, Length, Outcome, PassFactors, Sampling, Settings,
    State, TrackSource, Trained, TrainingProgress, TrainingSet, train,
};
use crate::Bug;
use crate::compendium::TracksOnAxis;
use crate::genome::{GenomeAxis, Mask};
use crate::instructions::Instructions;
use crate::model::{Architecture, GenomeFactors, ModelConfig, Network, save};
use crate::nn::check_backend;
use crate::store::{
    Database, Model, ModelKind, ModelRecord, ModelTrack, StoreError, Track, TrackRole,
};

/// Bins at most that a look at the held-out tracks reads, where the network is small or large.
const VALIDATE_BINS: [u64; 2] = [1 << 22, 1 << 17];
/// Units from which a network counts as large.
const LARGE: usize = 512;

/// Where and how long to work: what is not part of the model.
#[derive(Debug, Clone, Copy)]
pub struct RunOptions {
    /// Where the dense layers are computed.
    pub device: Device,
    /// Time between checkpoints.
    pub checkpoint_every: Duration,
    /// Whether a model of that name may be replaced.
    pub replace: bool,
}

impl Default for RunOptions {
    /// On the processor, with a checkpoint every ten minutes; no model is replaced.
    fn default() -> Self {
        RunOptions {
            device: Device::Cpu,
            checkpoint_every: Duration::from_secs(600),
            replace: false,
        }
    }
}

impl TrackSource for TracksOnAxis {
    fn read(
        &self,
        track: usize,
        bins: Range<u64>,
        out: &mut [f32],
    ) -> Result<(), FactorizationError> {
        Ok(TracksOnAxis::read(self, track, bins, out)?)
    }
}

/// The tracks of a database as training reads them.
pub(super) fn training_set(
    database: &Database,
    axis: &GenomeAxis,
    track_roles: &TrackRoles,
) -> Result<Arc<TrainingSet>, FactorizationError> {
    Ok(Arc::new(TrainingSet {
        mask: Mask::new(axis, &database.mask_intervals()?),
        axis: axis.clone(),
        tracks: track_roles.tracks.clone(),
        source: Box::new(TracksOnAxis::open(database, axis, &track_roles.training)?),
    }))
}

/// Bins of every training track that fit into so many bytes, at least one block of each.
pub(super) fn window_bins(cache_bytes: u64, n_tracks: usize) -> u64 {
    (cache_bytes / 4 / n_tracks.max(1) as u64).max(super::blocks::BLOCK_BINS)
}

/// Trains a model by its options and stores it; continues from the last checkpoint of that name when
/// `resume` is set.
///
/// ```
/// use persea::factorization::{RunOptions, TrainOptions, Validate, fit};
/// use persea::model::{Architecture, Preset, Sizes};
///
/// # let (_folder, database) = persea::compendium::example_compendium()?;
/// // Simulated tracks of four biosamples and three assays. One is held out, to be imputed.
/// let options = TrainOptions {
///     name: "small".into(),
///     architecture: Architecture::Avocado,
///     encoder: None,
///     refinement: None,
///     sizes: Sizes { batch_size: 1_000, ..Sizes::preset(Preset::Small) },
///     hold: vec![("S1".into(), "H3K4me3".into())],
///     validate: Validate::Nothing,
///     passes: 2,
///     ..TrainOptions::default()
/// };
/// // `()` listens to nothing, and never stops.
/// let model = fit(&database, &options, RunOptions::default(), false, &mut ())?;
/// assert_eq!(model.record.tracks.len(), 12);
/// assert_eq!(model.record.training["passes"], 2);
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When the options cannot be, another process trains that model, signal is damaged, the loss is
/// not finite, the disk is full, or the listener stops it ([`FactorizationError::Stopped`], after a
/// checkpoint).
pub fn fit(
    database: &Database,
    options: &TrainOptions,
    run_options: RunOptions,
    resume: bool,
    listener: &mut dyn Listener,
) -> crate::Result<Model> {
    let lock = database.lock_model(&options.name)?;
    let checkpoint = match resume {
        true => Some(database.latest_checkpoint(&options.name)?.ok_or_else(|| {
            FactorizationError::NoCheckpoint {
                name: options.name.clone(),
            }
        })?),
        false => None,
    };
    let header = checkpoint.as_ref().map(checkpoint::header).transpose()?;
    let options = header.as_ref().map_or(options, |h| &h.options);
    options.check()?;
    check_backend(options.backend, run_options.device, options.arithmetic)
        .map_err(FactorizationError::from)?;
    if !run_options.replace
        && !resume
        && database
            .list_models()?
            .iter()
            .any(|m| m.record.name == options.name)
    {
        return Err(StoreError::Taken {
            kind: "model",
            name: options.name.clone(),
            advice: "choose another name (option `name`), or replace it (option `replace`)",
        }
        .into());
    }
    let axis = options.axis(database.axis())?;
    let mut track_roles = TrackRoles::new(database.tracks()?, options)?;
    let checksums: Vec<String> = track_roles
        .training
        .iter()
        .map(|t| t.checksum.clone())
        .collect();
    if let Some(header) = &header {
        if header.tracks != checksums {
            return Err(FactorizationError::TracksChanged.into());
        }
        track_roles.validate = header.validate.clone();
    }
    let set = training_set(database, &axis, &track_roles)?;
    let mut settings = Settings {
        sizes: options.sizes_for(track_roles.training.len()),
        // Bins next to each other have nearly the same factors from an encoder.
        sampling: match options.encoder {
            Some(_) => Sampling::Permuted,
            None => options.sampling,
        },
        adam: options.adam(1),
        seed: options.seed,
        clip: options.clip,
        window_bins: window_bins(options.cache_bytes, track_roles.training.len()),
        backend: options.backend,
        device: run_options.device,
        arithmetic: options.arithmetic,
    };
    let trained = Trained {
        biosamples: 0..track_roles.biosamples.len(),
        assays: 0..track_roles.assays.len(),
        genome: options.encoder.is_none(),
        layers: true,
    };
    settings.adam = options.adam(super::trainer::steps_per_pass(&set, &settings));
    let length = Length {
        passes: options.network_passes(),
        patience: options.patience,
        // An encoder's factors are made from the validation tracks too: they cannot say how long is best.
        validate: match options.encoder {
            Some(_) => Vec::new(),
            None => track_roles.validate.clone(),
        },
        validate_bins: VALIDATE_BINS[usize::from(options.sizes.nodes >= LARGE)],
    };
    let resumed: Option<(TrainingProgress, State)> = match (&checkpoint, &header) {
        (Some(checkpoint), Some(header)) if header.factors_begun() => {
            for warning in checkpoint.warnings() {
                tracing::warn!("{warning}");
            }
            Some((
                header.progress.clone(),
                checkpoint::state(checkpoint, header)?,
            ))
        }
        (Some(_), _) => None,
        (None, _) => {
            if !run_options.replace
                && let Some(left) = database.latest_checkpoint(&options.name)?
            {
                return Err(FactorizationError::Unfinished {
                    name: options.name.clone(),
                    step: left.step(),
                }
                .into());
            }
            database.discard_checkpoints(&lock)?;
            None
        }
    };
    let began = Instant::now();
    let mut checkpoints = TimedCheckpoints {
        database,
        lock: &lock,
        options,
        checksums: &checksums,
        validate: &track_roles.validate,
        every: run_options.checkpoint_every,
        last: Instant::now(),
        encoder: None,
        refinement: None,
        listener,
    };
    let encoded = match &options.encoder {
        Some(encoder_options) => {
            let kept = match (
                &checkpoint,
                header.as_ref().and_then(|h| h.encoder.as_ref()),
            ) {
                (Some(checkpoint), Some(header)) => Some(encoder::read(checkpoint, header)?),
                _ => None,
            };
            let (encoder, kept) = encode(
                &set,
                &track_roles,
                options,
                encoder_options,
                run_options.device,
                kept,
                &mut checkpoints,
            )?;
            checkpoints.encoder = Some(kept);
            let read = |track, bins, out: &mut [f32]| set.source.read(track, bins, out);
            let factors = genome_factors(&encoder, &axis, read)?;
            Some((encoder, factors))
        }
        None => None,
    };
    let refined = match &options.refinement {
        Some(refinement_options) => {
            let kept = match (
                &checkpoint,
                header.as_ref().and_then(|h| h.refinement.as_ref()),
            ) {
                (Some(checkpoint), Some(header)) => {
                    let config = refinement_options
                        .config(track_roles.biosamples.len(), track_roles.assays.len());
                    Some(refinement::read(checkpoint, header, &config)?)
                }
                _ => None,
            };
            let (refined, kept) = refine(
                &set,
                &track_roles,
                options,
                refinement_options,
                run_options.device,
                kept,
                &mut checkpoints,
            )?;
            checkpoints.refinement = Some(kept);
            Some(refined)
        }
        None => None,
    };
    let start = || {
        let (b, a) = (track_roles.biosamples.len(), track_roles.assays.len());
        let network = Network::initial(&settings.sizes, b, a, options.seed);
        let genome = match &encoded {
            Some((_, factors)) => factors.clone(),
            None => GenomeFactors::initial(&settings.sizes, &axis, options.seed),
        };
        (network, genome)
    };
    // A network on an encoder's factors is trained on tracks that these leave out, standardised, since it is
    // asked for tracks that no factors know.
    let (shown, left_out) = match &encoded {
        Some((encoder, _)) => (
            Standardised::set(&set, encoder.scales.clone()),
            Some(Arc::new(LeftOut::new(encoder, &set)) as Arc<dyn PassFactors>),
        ),
        None => (Arc::clone(&set), None),
    };
    let mut outcome = train(
        &shown,
        &settings,
        &length,
        start,
        (&trained, left_out),
        resumed,
        &mut checkpoints,
    )?;
    if let Some((_, factors)) = &encoded {
        outcome.genome = factors.clone();
    }
    let of_encoder = checkpoints.encoder.map(|kept| kept.curve);
    let of_refinement = checkpoints.refinement.map(|kept| kept.curve);
    // A model without an encoder or a refinement has no curve of it.
    let curve = of_encoder
        .into_iter()
        .chain(of_refinement)
        .flatten()
        .collect();
    let encoder = encoded.as_ref().map(|e| &e.0);
    let config = ModelConfig {
        architecture: options.architecture,
        sizes: settings.sizes,
        encoder: encoder.map(|e| e.config.clone()),
        refinement: refined.as_ref().map(|r| r.config.clone()),
    };
    let record = record(
        options,
        config,
        curve,
        &track_roles,
        &axis,
        &outcome,
        began.elapsed(),
    )?;
    let model = save(
        database,
        &lock,
        &record,
        &outcome.network,
        &outcome.genome,
        (encoder, refined.as_ref()),
        run_options.replace || resume,
    )?;
    database.discard_checkpoints(&lock)?;
    Ok(model)
}

/// A model's tracks and what each was to it.
pub(super) fn roles(tracks: &[Track], role: impl Fn(usize) -> TrackRole) -> Vec<ModelTrack> {
    let of = |(i, t): (usize, &Track)| ModelTrack {
        biosample: t.biosample.clone(),
        assay: t.assay.clone(),
        role: role(i),
        checksum: t.checksum.clone(),
    };
    tracks.iter().enumerate().map(of).collect()
}

/// Which vector instructions computed something, for its record.
pub(super) fn instructions() -> serde_json::Value {
    json!({
        "name": Instructions::in_use().name(),
        "pinned": Instructions::pinned().is_some(),
    })
}

fn record(
    options: &TrainOptions,
    config: ModelConfig,
    mut curve: Vec<CurvePoint>,
    track_roles: &TrackRoles,
    axis: &GenomeAxis,
    outcome: &Outcome,
    took: Duration,
) -> Result<ModelRecord, FactorizationError> {
    curve.extend(&outcome.progress.curve);
    let config =
        serde_json::to_value(config).map_err(|e| Bug::new(format!("a configuration: {e}")))?;
    let validated = |i: usize| match track_roles.validate.iter().any(|v| v.contains(&i)) {
        true => TrackRole::Validate,
        false => TrackRole::Train,
    };
    let mut tracks = roles(&track_roles.training, validated);
    tracks.extend(roles(&track_roles.held, |_| TrackRole::Hold));
    Ok(ModelRecord {
        name: options.name.clone(),
        kind: match options.architecture {
            Architecture::Avocado => ModelKind::Avocado,
            Architecture::Persea | Architecture::Embedding => ModelKind::Persea,
        },
        config,
        seed: options.seed,
        training: json!({
            "persea": env!("CARGO_PKG_VERSION"),
            "options": options,
            "instructions": instructions(),
            "passes": outcome.position.pass,
            "steps": outcome.position.step,
            "curve": curve,
            "seconds": took.as_secs_f64(),
        }),
        precision: options.precision(),
        biosamples: track_roles.biosamples.clone(),
        assays: track_roles.assays.clone(),
        tracks,
        regions: axis.regions().to_vec(),
    })
}
