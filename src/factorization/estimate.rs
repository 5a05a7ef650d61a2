//! What a training would take, before it is begun.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use super::encoder::begin as begin_encoder;
use super::fit::{training_set, window_bins};
use super::options::{TrackRoles, TrainOptions};
use super::refinement::begin;
use super::{
    Advance, Device, EncoderOptions, FactorizationError, RefinementOptions, Settings, Trained,
    Trainer,
};
use crate::genome::{GenomeAxis, Resolution};
use crate::model::{GenomeFactors, Network, SignalBlock};
use crate::nn::check_backend;
use crate::store::Database;

/// Seconds that the speed is measured for.
const TRIAL_SECONDS: f64 = 3.0;
/// Bins that the speed is measured on.
const TRIAL_BINS: u64 = 1 << 18;

/// What a training would take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Tracks trained on.
    pub n_tracks: usize,
    /// Bins of the model's axis.
    pub n_bins: u64,
    /// Genome factors, both their moments and the steps of their rows, in bytes of memory.
    pub factor_bytes: u64,
    /// The signal cache, in bytes of memory.
    pub cache_bytes: u64,
    /// Activations and gradients of a step, in bytes of memory.
    pub activation_bytes: u64,
    /// The stored model, in bytes of disk.
    pub model_bytes: u64,
    /// Two checkpoints, in bytes of disk.
    pub checkpoint_bytes: u64,
    /// Speed of some steps on this machine.
    pub samples_per_second: f64,
    /// Passes of the search and the final training together, at most.
    pub passes_at_most: u64,
    /// Passes of the encoder, and their speed; none of a model without one.
    pub encoder: Option<EncoderEstimate>,
    /// Passes of the refinement's networks together, and their speed; none of a model without one.
    pub refinement: Option<RefinementEstimate>,
}

/// What the training of an encoder would take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EncoderEstimate {
    /// Passes.
    pub passes: u64,
    /// Speed of some steps on this machine.
    pub samples_per_second: f64,
}

/// What the training of a refinement would take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RefinementEstimate {
    /// Passes of all its networks.
    pub passes: u64,
    /// Speed of some steps on this machine.
    pub samples_per_second: f64,
    /// The signal that is described at once, in bytes of memory; not held beside the signal cache.
    pub described_bytes: u64,
}

/// Says what a training would take, measuring its speed on a part of the axis for some seconds.
///
/// ```
/// use persea::factorization::{Device, TrainOptions, estimate};
///
/// # let (_folder, database) = persea::compendium::example_compendium()?;
/// let needed = estimate(&database, &TrainOptions::default(), Device::Cpu)?;
/// assert_eq!((needed.n_tracks, needed.n_bins), (12, 8_000));
/// assert!(needed.samples_per_second > 0.0);
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// As training would.
pub fn estimate(
    database: &Database,
    options: &TrainOptions,
    device: Device,
) -> crate::Result<Estimate> {
    options.check()?;
    check_backend(options.backend, device, options.arithmetic).map_err(FactorizationError::from)?;
    let axis = options.axis(database.axis())?;
    let track_roles = TrackRoles::new(database.tracks()?, options)?;
    let sizes = options.sizes_for(track_roles.training.len());
    let factors = |axis: &GenomeAxis| {
        Resolution::ALL
            .map(|s| axis.n_rows(s) * sizes.genome_factors(s) as u64)
            .iter()
            .sum::<u64>()
    };
    let rows: u64 = Resolution::ALL.iter().map(|s| axis.n_rows(*s)).sum();
    let (nodes, batch) = (sizes.nodes as u64, sizes.batch_size as u64);
    let dense = (sizes.inputs() as u64 + (sizes.layers as u64 - 1) * nodes) * nodes;
    let factor_bytes = 12 * factors(&axis) + 4 * rows;
    let held = window_bins(options.cache_bytes, track_roles.training.len()).min(axis.n_bins());
    // Two windows where one is read while the other is trained on.
    let windows = if held < axis.n_bins() { 2 } else { 1 };
    // Those of the same validation tracks run once.
    let mut validate: Vec<&Vec<usize>> = track_roles.validate.iter().collect();
    validate.sort();
    validate.dedup();
    let searches = validate.len() as u64;
    Ok(Estimate {
        n_tracks: track_roles.training.len(),
        n_bins: axis.n_bins(),
        factor_bytes,
        cache_bytes: windows * held * track_roles.training.len() as u64 * 4,
        activation_bytes: 4 * batch * nodes * (3 * sizes.layers as u64 + 1),
        model_bytes: options.precision_bytes() * factors(&axis) + 4 * dense,
        checkpoint_bytes: 2 * (factor_bytes + 12 * dense),
        samples_per_second: speed(database, options, &track_roles, &axis, device)?,
        passes_at_most: match &options.encoder {
            Some(encoder) => u64::from(encoder.decoder_passes),
            None => u64::from(options.passes) * (1 + searches),
        },
        encoder: (options.encoder.as_ref())
            .map(|of| encoder(database, options, of, &track_roles, &axis, device))
            .transpose()?,
        refinement: (options.refinement.as_ref())
            .map(|refinement_options| {
                refinement(
                    database,
                    options,
                    refinement_options,
                    &track_roles,
                    &axis,
                    device,
                )
            })
            .transpose()?,
    })
}

fn encoder(
    database: &Database,
    options: &TrainOptions,
    encoder_options: &EncoderOptions,
    track_roles: &TrackRoles,
    axis: &GenomeAxis,
    device: Device,
) -> crate::Result<EncoderEstimate> {
    let set = training_set(database, &start_of(axis)?, track_roles)?;
    let mut training = begin_encoder(&set, track_roles, options, encoder_options, device)?;
    // The first step reads the signal; it is not measured.
    training.advance()?;
    let (began, mut samples) = (Instant::now(), 0);
    while began.elapsed().as_secs_f64() < TRIAL_SECONDS {
        match training.advance()? {
            Advance::Step(report) | Advance::Pass(report, ..) => samples += report.samples,
            Advance::Done => break,
        }
    }
    Ok(EncoderEstimate {
        passes: u64::from(encoder_options.passes),
        samples_per_second: samples as f64 / began.elapsed().as_secs_f64(),
    })
}

fn refinement(
    database: &Database,
    options: &TrainOptions,
    refinement_options: &RefinementOptions,
    track_roles: &TrackRoles,
    axis: &GenomeAxis,
    device: Device,
) -> crate::Result<RefinementEstimate> {
    let set = training_set(database, &start_of(axis)?, track_roles)?;
    let mut training = begin(&set, track_roles, options, refinement_options, device)?;
    let networks = training.network().1 as u64;
    // The first step reads the signal; it is not measured.
    training.advance()?;
    let (began, mut samples) = (Instant::now(), 0);
    while began.elapsed().as_secs_f64() < TRIAL_SECONDS {
        match training.advance()? {
            Advance::Step(report) | Advance::Pass(report, ..) => samples += report.samples,
            Advance::Done => break,
        }
    }
    Ok(RefinementEstimate {
        passes: networks * u64::from(refinement_options.passes),
        samples_per_second: samples as f64 / began.elapsed().as_secs_f64(),
        described_bytes: described_bytes(options, refinement_options, track_roles, axis),
    })
}

/// What a window of the refinement takes, at most.
fn described_bytes(
    options: &TrainOptions,
    refinement_options: &RefinementOptions,
    track_roles: &TrackRoles,
    axis: &GenomeAxis,
) -> u64 {
    let config = refinement_options.config(track_roles.biosamples.len(), track_roles.assays.len());
    let per_bin = SignalBlock::bytes_per_bin(&config, track_roles.training.len());
    let all = axis.n_bins() * per_bin;
    all.min(options.cache_bytes.max(per_bin << 14))
}

/// The start of the axis is as good as any: a step's cost does not depend on the genome's size.
fn start_of(axis: &GenomeAxis) -> Result<GenomeAxis, FactorizationError> {
    let mut left = TRIAL_BINS;
    let mut regions = Vec::new();
    for region in axis.regions() {
        let n_bins = region.n_bins.min(left);
        if n_bins > 0 {
            regions.push(crate::genome::Region {
                n_bins,
                ..region.clone()
            });
        }
        left -= n_bins;
    }
    Ok(GenomeAxis::with_regions_apart(
        axis.assembly().clone(),
        regions,
    )?)
}

fn speed(
    database: &Database,
    options: &TrainOptions,
    track_roles: &TrackRoles,
    axis: &GenomeAxis,
    device: Device,
) -> crate::Result<f64> {
    let part = start_of(axis)?;
    let set = training_set(database, &part, track_roles)?;
    let settings = Settings {
        sizes: options.sizes_for(track_roles.training.len()),
        sampling: options.sampling,
        adam: options.adam(1),
        seed: options.seed,
        clip: options.clip,
        window_bins: TRIAL_BINS,
        backend: options.backend,
        device,
        arithmetic: options.arithmetic,
    };
    let (b, a) = (track_roles.biosamples.len(), track_roles.assays.len());
    let trained = Trained {
        biosamples: 0..b,
        assays: 0..a,
        genome: options.encoder.is_none(),
        layers: true,
    };
    let network = Network::initial(&settings.sizes, b, a, options.seed);
    let genome = GenomeFactors::initial(&settings.sizes, &part, options.seed);
    let active = (0..track_roles.training.len()).collect();
    let mut trainer = Trainer::new(
        Arc::clone(&set),
        settings,
        active,
        trained,
        &network,
        genome,
    )?;
    let (mut began, mut samples) = (None::<Instant>, 0);
    loop {
        trainer.run_pass(&mut |_, report| {
            // The first step allocates; it is not measured.
            match began {
                None => began = Some(Instant::now()),
                Some(_) => samples += report.samples,
            }
            let over =
                began.is_some_and(|b| b.elapsed().as_secs_f64() > TRIAL_SECONDS) && samples > 0;
            Ok::<_, FactorizationError>(if over {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })?;
        let seconds = began.map_or(0.0, |b| b.elapsed().as_secs_f64());
        if samples > 0 && seconds > TRIAL_SECONDS {
            return Ok(samples as f64 / seconds);
        }
    }
}
