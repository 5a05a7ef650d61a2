//! A training on a database: its tracks cast, checkpoints kept, the model stored.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::checkpoint;
use super::options::{Cast, TrainOptions};
use super::refinement::{self, RefinementKept, refine};
use super::{
    Course, CurvePoint, Device, FactorizationError, Length, Outcome, Settings, State, StepReport,
    TrackSource, Trained, Trainer, TrainingSet, Watcher, train,
};
use crate::compendium::TracksOnAxis;
use crate::genome::{GenomeAxis, Mask};
use crate::model::{Architecture, GenomeFactors, ModelConfig, Network, save};
use crate::nn::check_backend;
use crate::store::{
    Database, Model, ModelKind, ModelLock, ModelRecord, ModelTrack, Track, TrackRole,
};

/// Bins at most that a look at the held-out tracks reads, where the network is small or large.
const VALIDATE_BINS: [u64; 2] = [1 << 22, 1 << 17];
/// Units from which a network counts as large.
const LARGE: usize = 512;

/// Where and how long to work: what is not part of the model.
#[derive(Debug, Clone, Copy)]
pub struct Means {
    /// Where the dense layers are computed.
    pub device: Device,
    /// Time between checkpoints.
    pub checkpoint_every: Duration,
    /// Whether a model of that name may be replaced.
    pub replace: bool,
}

/// What the program hears of a training.
pub trait Listener {
    /// After every step; `Break` stops after a checkpoint.
    fn step(&mut self, course: &Course, report: &StepReport) -> ControlFlow<()>;
    /// After every pass.
    fn pass(&mut self, point: &CurvePoint);
    /// When a checkpoint has been written.
    fn checkpoint(&mut self, step: u64);
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
    cast: &Cast,
) -> Result<Arc<TrainingSet>, FactorizationError> {
    Ok(Arc::new(TrainingSet {
        mask: Mask::new(axis, &database.mask_intervals()?),
        axis: axis.clone(),
        tracks: cast.tracks.clone(),
        source: Box::new(TracksOnAxis::open(database, axis, &cast.training)?),
    }))
}

/// Bins of every training track that fit into so many bytes, at least one block of each.
pub(super) fn window_bins(cache_bytes: u64, n_tracks: usize) -> u64 {
    (cache_bytes / 4 / n_tracks.max(1) as u64).max(super::blocks::BLOCK_BINS)
}

/// Trains a model as told and stores it; goes on from the last checkpoint of that name when
/// `resume` is set.
///
/// # Errors
/// When the options cannot be, another process trains that model, signal is damaged, the loss is
/// not finite, the disk is full, or the listener stops it ([`FactorizationError::Stopped`], after a
/// checkpoint).
pub fn fit(
    database: &Database,
    options: &TrainOptions,
    means: Means,
    resume: bool,
    listener: &mut dyn Listener,
) -> crate::Result<Model> {
    let lock = database.lock_model(&options.name)?;
    let checkpoint = match resume {
        true => Some(database.latest_checkpoint(&options.name)?.ok_or_else(|| {
            FactorizationError::Checkpoint(format!(
                "there is no checkpoint of model {} to go on from",
                options.name
            ))
        })?),
        false => None,
    };
    let header = checkpoint.as_ref().map(checkpoint::header).transpose()?;
    let options = header.as_ref().map_or(options, |h| &h.options);
    options.check()?;
    check_backend(options.backend, means.device, options.arithmetic)
        .map_err(FactorizationError::from)?;
    if !means.replace
        && !resume
        && database
            .list_models()?
            .iter()
            .any(|m| m.record.name == options.name)
    {
        return Err(FactorizationError::Options(format!(
            "there is a model {} already; choose another name (option `name`), or replace it (option `replace`)",
            options.name
        ))
        .into());
    }
    let axis = options.axis(database.axis())?;
    let mut cast = Cast::new(database.tracks()?, options)?;
    let checksums: Vec<String> = cast.training.iter().map(|t| t.checksum.clone()).collect();
    if let Some(header) = &header {
        if header.tracks != checksums {
            return Err(FactorizationError::Checkpoint(
                "the training tracks have changed since the checkpoint was written; train anew without option `resume`".into(),
            )
            .into());
        }
        cast.validate = header.validate.clone();
    }
    let set = training_set(database, &axis, &cast)?;
    let mut settings = Settings {
        sizes: options.sizes,
        sampling: options.sampling,
        adam: options.adam(1),
        seed: options.seed,
        clip: options.clip,
        window_bins: window_bins(options.cache_bytes, cast.training.len()),
        backend: options.backend,
        device: means.device,
        arithmetic: options.arithmetic,
    };
    let start = || {
        let (b, a) = (cast.biosamples.len(), cast.assays.len());
        let network = Network::initial(&options.sizes, b, a, options.seed);
        (
            network,
            GenomeFactors::initial(&options.sizes, &axis, options.seed),
        )
    };
    let trained = Trained {
        biosamples: 0..cast.biosamples.len(),
        assays: 0..cast.assays.len(),
        genome: true,
        layers: true,
    };
    settings.adam = options.adam(super::trainer::steps_per_pass(&set, &settings));
    let length = Length {
        passes: options.passes,
        patience: options.patience,
        validate: cast.validate.clone(),
        validate_bins: VALIDATE_BINS[usize::from(options.sizes.nodes >= LARGE)],
    };
    let resumed: Option<(Course, State)> = match (&checkpoint, &header) {
        (Some(checkpoint), Some(header)) if header.factors_begun() => {
            for warning in checkpoint.warnings() {
                tracing::warn!("{warning}");
            }
            Some((
                header.course.clone(),
                checkpoint::state(checkpoint, header)?,
            ))
        }
        (Some(_), _) => None,
        (None, _) => {
            if !means.replace
                && let Some(left) = database.latest_checkpoint(&options.name)?
            {
                return Err(FactorizationError::Options(format!(
                    "an earlier training of {} stopped at step {}: go on with option `resume`, or begin anew with option `replace`",
                    options.name,
                    left.step()
                ))
                .into());
            }
            database.discard_checkpoints(&lock)?;
            None
        }
    };
    let began = Instant::now();
    let mut keeper = Keeper {
        database,
        lock: &lock,
        options,
        checksums: &checksums,
        validate: &cast.validate,
        every: means.checkpoint_every,
        last: Instant::now(),
        refinement: None,
        listener,
    };
    let refined = match &options.refinement {
        Some(told) => {
            let kept = match (
                &checkpoint,
                header.as_ref().and_then(|h| h.refinement.as_ref()),
            ) {
                (Some(checkpoint), Some(header)) => {
                    let config = told.config(cast.biosamples.len(), cast.assays.len());
                    Some(refinement::read(checkpoint, header, &config)?)
                }
                _ => None,
            };
            let (refined, kept) =
                refine(&set, &cast, options, told, means.device, kept, &mut keeper)?;
            keeper.refinement = Some(kept);
            Some(refined)
        }
        None => None,
    };
    let outcome = train(
        &set,
        &settings,
        &length,
        start,
        &trained,
        resumed,
        &mut keeper,
    )?;
    let curve = keeper.refinement.map(|kept| kept.curve).unwrap_or_default();
    let config = ModelConfig {
        architecture: options.architecture,
        sizes: options.sizes,
        refinement: refined.as_ref().map(|r| r.config.clone()),
    };
    let record = record(
        options,
        config,
        curve,
        &cast,
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
        refined.as_ref(),
        means.replace || resume,
    )?;
    database.discard_checkpoints(&lock)?;
    Ok(model)
}

/// Keeps checkpoints and passes everything else on.
pub(super) struct Keeper<'a> {
    database: &'a Database,
    lock: &'a ModelLock,
    options: &'a TrainOptions,
    checksums: &'a [String],
    validate: &'a [Vec<usize>],
    every: Duration,
    last: Instant,
    /// What there is of the refinement.
    pub(super) refinement: Option<RefinementKept>,
    pub(super) listener: &'a mut dyn Listener,
}

impl Keeper<'_> {
    /// Whether it is time for a checkpoint.
    pub(super) fn is_due(&self) -> bool {
        self.last.elapsed() >= self.every
    }

    /// Writes a checkpoint: of the refinement alone, before the factors' training.
    pub(super) fn write(
        &mut self,
        course: &Course,
        trainer: Option<&Trainer>,
    ) -> Result<(), FactorizationError> {
        checkpoint::write(
            self.database,
            self.lock,
            self.options,
            self.checksums,
            self.validate,
            checkpoint::Progress {
                course,
                trainer,
                refinement: self.refinement.as_ref(),
            },
        )?;
        self.last = Instant::now();
        let step = match (trainer, &self.refinement) {
            (Some(trainer), _) => trainer.position().step,
            (None, kept) => kept.as_ref().map_or(0, |k| k.position.step),
        };
        self.listener.checkpoint(step);
        Ok(())
    }
}

impl Watcher for Keeper<'_> {
    fn step(&mut self, course: &Course, report: &StepReport) -> ControlFlow<()> {
        self.listener.step(course, report)
    }

    fn pass(&mut self, point: &CurvePoint) {
        self.listener.pass(point);
    }

    fn due(&mut self) -> bool {
        self.is_due()
    }

    fn checkpoint(&mut self, course: &Course, trainer: &Trainer) -> Result<(), FactorizationError> {
        self.write(course, Some(trainer))
    }
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

fn record(
    options: &TrainOptions,
    config: ModelConfig,
    mut curve: Vec<CurvePoint>,
    cast: &Cast,
    axis: &GenomeAxis,
    outcome: &Outcome,
    took: Duration,
) -> Result<ModelRecord, FactorizationError> {
    curve.extend(&outcome.course.curve);
    let config =
        serde_json::to_value(config).map_err(|e| FactorizationError::Options(e.to_string()))?;
    let validated = |i: usize| match cast.validate.iter().any(|v| v.contains(&i)) {
        true => TrackRole::Validate,
        false => TrackRole::Train,
    };
    let mut tracks = roles(&cast.training, validated);
    tracks.extend(roles(&cast.held, |_| TrackRole::Hold));
    Ok(ModelRecord {
        name: options.name.clone(),
        kind: match options.architecture {
            Architecture::Avocado => ModelKind::Avocado,
            Architecture::Persea => ModelKind::Persea,
        },
        config,
        seed: options.seed,
        training: json!({
            "persea": env!("CARGO_PKG_VERSION"),
            "options": options,
            "passes": outcome.position.pass,
            "steps": outcome.position.step,
            "curve": curve,
            "seconds": took.as_secs_f64(),
        }),
        precision: options.precision(),
        biosamples: cast.biosamples.clone(),
        assays: cast.assays.clone(),
        tracks,
        regions: axis.regions().to_vec(),
    })
}
