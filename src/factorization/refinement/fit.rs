//! A refinement trained on a database's tracks, step by step, with checkpoints.

use std::sync::Arc;

use super::training::{Advance, RefinementSettings, RefinementTraining, Trial};
use super::{RefinementKept, RefinementOptions};
use crate::Bug;
use crate::factorization::options::place_of;
use crate::factorization::timed_checkpoints::TimedCheckpoints;
use crate::factorization::{
    CurvePoint, Device, FactorizationError, Stage, StepReport, TrackRoles, TrainOptions,
    TrainingProgress, TrainingSet,
};
use crate::model::{InputTrack, Inputs, Refinement, SignalBlock, TrackScale};
use crate::store::Track;

/// The tracks that a refinement reads, as it knows them.
///
/// # Errors
/// When a track's biosample or assay is not among the names.
pub(in crate::factorization) fn inputs(
    tracks: &[Track],
    biosamples: &[String],
    assays: &[String],
    added: bool,
) -> Result<Inputs, Bug> {
    let of = |track: &Track| {
        Ok(InputTrack {
            biosample: place_of(biosamples, &track.biosample)?,
            assay: place_of(assays, &track.assay)?,
            scale: TrackScale::new(track.mean, track.variance),
            added,
        })
    };
    Ok(Inputs {
        tracks: tracks.iter().map(of).collect::<Result<_, Bug>>()?,
    })
}

/// A training of the refinement at its start.
///
/// # Errors
/// As [`RefinementTraining::new`].
pub(in crate::factorization) fn begin(
    set: &Arc<TrainingSet>,
    track_roles: &TrackRoles,
    options: &TrainOptions,
    refinement_options: &RefinementOptions,
    device: Device,
) -> Result<RefinementTraining, FactorizationError> {
    let config = refinement_options.config(track_roles.biosamples.len(), track_roles.assays.len());
    let per_bin = SignalBlock::bytes_per_bin(&config, track_roles.training.len());
    let window_bins = (options.cache_bytes / per_bin.max(1)).max(1 << 14);
    RefinementTraining::new(
        Arc::clone(set),
        inputs(
            &track_roles.training,
            &track_roles.biosamples,
            &track_roles.assays,
            false,
        )?,
        config,
        refinement_options,
        Trial {
            // Without validation there is no first search, and nothing is tried.
            targets: track_roles.validate.first().cloned().unwrap_or_default(),
        },
        RefinementSettings {
            seed: options.seed,
            window_bins,
            backend: options.backend,
            device,
        },
    )
}

/// Trains the refinement, or goes on with what was kept of it.
///
/// # Errors
/// As training; [`FactorizationError::Stopped`], after a checkpoint, where the listener stops it.
pub(in crate::factorization) fn refine(
    set: &Arc<TrainingSet>,
    track_roles: &TrackRoles,
    options: &TrainOptions,
    refinement_options: &RefinementOptions,
    device: Device,
    kept: Option<RefinementKept>,
    checkpoints: &mut TimedCheckpoints<'_>,
) -> Result<(Refinement, RefinementKept), FactorizationError> {
    let mut training = begin(set, track_roles, options, refinement_options, device)?;
    let mut curve = Vec::new();
    if let Some(kept) = kept {
        curve.clone_from(&kept.curve);
        training.restore(kept)?;
    }
    loop {
        let (network, _) = training.network();
        let advance = training.advance()?;
        let report = match advance {
            Advance::Done => {
                let kept = training.keep(curve)?;
                return Ok((training.into_refinement(), kept));
            }
            Advance::Step(report) | Advance::Pass(report, ..) => report,
        };
        if let Advance::Pass(report, loss, held_out) = advance {
            let point = CurvePoint {
                stage: Stage::Refine,
                search: network,
                pass: report.position.pass + 1,
                loss,
                held_out,
            };
            curve.push(point);
            checkpoints.listener.pass(&point);
        }
        tell(
            checkpoints,
            &training,
            &curve,
            report,
            refinement_options.passes,
        )?;
    }
}

/// Tells the listener of a step, and keeps a checkpoint where it is time for one.
fn tell(
    checkpoints: &mut TimedCheckpoints<'_>,
    training: &RefinementTraining,
    curve: &[CurvePoint],
    report: StepReport,
    passes: u32,
) -> Result<(), FactorizationError> {
    let progress = TrainingProgress {
        stage: Stage::Refine,
        search: training.network().0,
        best_pass: Some(passes),
        curve: Vec::new(),
    };
    let stop = checkpoints.listener.step(&progress, &report).is_break();
    if stop || checkpoints.is_due() {
        checkpoints.refinement = Some(training.keep(curve.to_vec())?);
        checkpoints.write(&progress, None)?;
    }
    match stop {
        true => Err(FactorizationError::Stopped {
            step: report.position.step,
            advice: "go on with option `resume`".into(),
        }),
        false => Ok(()),
    }
}
