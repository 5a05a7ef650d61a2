//! An encoder trained on a database's tracks with checkpoints, and the factors that it gives.

use std::sync::Arc;

use ndarray::{Array2, s};
use rayon::prelude::*;

use super::axes::canonical;
use super::pools::pools;
use super::training::EncoderSettings;
use super::{EncoderKept, EncoderOptions, EncoderTraining};
use crate::factorization::timed_checkpoints::TimedCheckpoints;
use crate::factorization::{
    Advance, CurvePoint, Device, FactorizationError, Stage, TrackRoles, TrainOptions,
    TrainingProgress, TrainingSet,
};
use crate::genome::{GenomeAxis, Resolution};
use crate::model::{Encoder, EncoderConfig, GenomeFactors, Stretch, Surroundings, TrackScale};

/// A training at its start.
///
/// # Errors
/// As [`EncoderTraining::new`].
pub(in crate::factorization) fn begin(
    set: &Arc<TrainingSet>,
    track_roles: &TrackRoles,
    options: &TrainOptions,
    encoder_options: &EncoderOptions,
    device: Device,
) -> Result<EncoderTraining, FactorizationError> {
    let scales = track_roles
        .training
        .iter()
        .map(|t| TrackScale::new(t.mean, t.variance));
    let scales: Vec<TrackScale> = scales.collect();
    let assays: Vec<u32> = track_roles.tracks.iter().map(|t| t.assay.1).collect();
    let pools = pools(
        set,
        &scales,
        &assays,
        encoder_options.inputs,
        encoder_options.saturation,
    )?;
    let sizes = &options.sizes;
    let factors =
        [Resolution::Kbp5, Resolution::Bp250, Resolution::Bp25].map(|r| sizes.genome_factors(r));
    let n_inputs = match pools.iter().max() {
        None => scales.len(),
        Some(last) => *last as usize + 1,
    };
    let config = EncoderConfig {
        pools,
        ..encoder_options.config(n_inputs, factors)
    };
    let settings = EncoderSettings {
        seed: options.seed,
        cache_bytes: options.cache_bytes,
        backend: options.backend,
        device,
    };
    EncoderTraining::new(Arc::clone(set), scales, config, encoder_options, settings)
}

/// Trains the encoder, or goes on with what was kept of it.
///
/// # Errors
/// As training; [`FactorizationError::Stopped`], after a checkpoint, where the listener stops it.
pub(in crate::factorization) fn encode(
    set: &Arc<TrainingSet>,
    track_roles: &TrackRoles,
    options: &TrainOptions,
    encoder_options: &EncoderOptions,
    device: Device,
    kept: Option<EncoderKept>,
    checkpoints: &mut TimedCheckpoints<'_>,
) -> Result<(Encoder, EncoderKept), FactorizationError> {
    let mut training = begin(set, track_roles, options, encoder_options, device)?;
    let mut curve = Vec::new();
    if let Some(kept) = kept {
        curve.clone_from(&kept.curve);
        training.restore(&kept)?;
    }
    loop {
        let advance = training.advance()?;
        let report = match advance {
            Advance::Done => break,
            Advance::Step(report) | Advance::Pass(report, ..) => report,
        };
        if let Advance::Pass(report, loss, held_out) = advance {
            let point = CurvePoint {
                stage: Stage::Encode,
                search: 0,
                pass: report.position.pass + 1,
                loss,
                held_out,
            };
            curve.push(point);
            checkpoints.listener.pass(&point);
        }
        let progress = TrainingProgress {
            stage: Stage::Encode,
            search: 0,
            best_pass: Some(encoder_options.passes),
            curve: Vec::new(),
        };
        let stop = checkpoints.listener.step(&progress, &report).is_break();
        if stop || checkpoints.is_due() {
            checkpoints.encoder = Some(EncoderKept {
                curve: curve.clone(),
                ..training.keep()?
            });
            checkpoints.write(&progress, None)?;
        }
        if stop {
            return Err(FactorizationError::Stopped {
                step: report.position.step,
                advice: "go on with option `resume`".into(),
            });
        }
    }
    let assays: Vec<u32> = track_roles.tracks.iter().map(|t| t.assay.1).collect();
    let biosamples: Vec<u32> = track_roles.tracks.iter().map(|t| t.biosample.1).collect();
    let encoder = canonical(&training, &assays, &biosamples)?;
    let kept = EncoderKept {
        curve,
        ..training.keep()?
    };
    Ok((encoder, kept))
}

/// The factors of every row of an axis, from the encoder's tracks as `read` gives them (track, axis
/// bins).
///
/// # Errors
/// When signal cannot be read.
pub(in crate::factorization) fn genome_factors(
    encoder: &Encoder,
    axis: &GenomeAxis,
    read: impl Fn(usize, std::ops::Range<u64>, &mut [f32]) -> Result<(), FactorizationError> + Sync,
) -> Result<GenomeFactors, FactorizationError> {
    factors_without(encoder, axis, read, |_| None)
}

/// The same with each stretch without some tracks: `mask` gives a stretch's weight of each input, 0 of one that
/// is left out; none where all are read.
///
/// # Errors
/// When signal cannot be read.
pub(super) fn factors_without(
    encoder: &Encoder,
    axis: &GenomeAxis,
    read: impl Fn(usize, std::ops::Range<u64>, &mut [f32]) -> Result<(), FactorizationError> + Sync,
    mask: impl Fn(usize) -> Option<Vec<f32>> + Sync,
) -> Result<GenomeFactors, FactorizationError> {
    let mut scales =
        Resolution::ALL.map(|r| Array2::zeros((axis.n_rows(r) as usize, encoder.factors(r))));
    let stretches = Stretch::all(axis);
    encode_stretches(encoder, &stretches, read, mask, |stretch, codes| {
        place_rows(&mut scales, axis, stretch, &codes);
        Ok(())
    })?;
    Ok(GenomeFactors { scales })
}

/// The factors of the rows of some stretches, finest resolution first, which `take` receives in their order. A
/// row's factors do not depend on which stretches are asked for: each reads what lies around it in its region.
/// `mask` is asked for the place in `stretches`.
///
/// # Errors
/// When signal cannot be read; those of `take`.
pub(in crate::factorization) fn encode_stretches(
    encoder: &Encoder,
    stretches: &[Stretch],
    read: impl Fn(usize, std::ops::Range<u64>, &mut [f32]) -> Result<(), FactorizationError> + Sync,
    mask: impl Fn(usize) -> Option<Vec<f32>> + Sync,
    mut take: impl FnMut(&Stretch, [Vec<f32>; 3]) -> Result<(), FactorizationError>,
) -> Result<(), FactorizationError> {
    const AT_ONCE: usize = 16;
    for (first, part) in stretches.chunks(AT_ONCE).enumerate() {
        let encoded = part.par_iter().enumerate().map(|(i, stretch)| {
            let surroundings = Surroundings::describe(
                stretch,
                &stretch.region_bins,
                encoder.read_tracks(),
                &read,
            )?;
            let mask = mask(first * AT_ONCE + i);
            Ok(encoder.encode_without(&surroundings, mask.as_deref()))
        });
        let encoded: Vec<[Vec<f32>; 3]> = encoded.collect::<Result<_, FactorizationError>>()?;
        for (stretch, codes) in part.iter().zip(encoded) {
            take(stretch, codes)?;
        }
    }
    Ok(())
}

/// Puts a stretch's rows, finest resolution first, where they belong in the tables of an axis.
pub(in crate::factorization) fn place_rows(
    tables: &mut [Array2<f32>; 3],
    axis: &GenomeAxis,
    stretch: &Stretch,
    codes: &[Vec<f32>; 3],
) {
    for resolution in Resolution::ALL {
        let table = &mut tables[resolution.index()];
        let codes = &codes[resolution.index()];
        let first = axis.row(resolution, stretch.region, stretch.bins.start) as usize;
        let n_rows = codes.len() / table.ncols().max(1);
        let mut rows = table.slice_mut(s![first..first + n_rows, ..]);
        rows.iter_mut()
            .zip(codes)
            .for_each(|(to, from)| *to = *from);
    }
}
