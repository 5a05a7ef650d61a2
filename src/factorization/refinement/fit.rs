//! A refinement trained on a database's tracks, step by step under the eye of the keeper.

use std::sync::Arc;

use super::training::{Advance, Ground, RefinementTraining, Trial};
use super::{RefinementKept, RefinementOptions};
use crate::factorization::fit::Keeper;
use crate::factorization::{
    Cast, Course, CurvePoint, Device, FactorizationError, Stage, StepReport, TrainOptions,
    TrainingSet,
};
use crate::model::{InputTrack, Inputs, Refinement, SignalBlock, TrackScale};
use crate::store::Track;

/// The tracks that a refinement reads, as it knows them.
pub(in crate::factorization) fn inputs(
    tracks: &[Track],
    places: impl Fn(&Track) -> (u32, u32),
    added: bool,
) -> Inputs {
    let of = |track: &Track| {
        let (biosample, assay) = places(track);
        InputTrack {
            biosample,
            assay,
            scale: TrackScale::new(track.mean, track.variance),
            added,
        }
    };
    Inputs {
        tracks: tracks.iter().map(of).collect(),
    }
}

/// A training of the refinement at its start.
///
/// # Errors
/// As [`RefinementTraining::new`].
pub(in crate::factorization) fn begin(
    set: &Arc<TrainingSet>,
    cast: &Cast,
    options: &TrainOptions,
    told: &RefinementOptions,
    device: Device,
) -> Result<RefinementTraining, FactorizationError> {
    // The names are those of these tracks, so that each is found.
    let places = |track: &Track| {
        let place =
            |names: &[String], name: &String| names.binary_search(name).unwrap_or_default() as u32;
        (
            place(&cast.biosamples, &track.biosample),
            place(&cast.assays, &track.assay),
        )
    };
    let config = told.config(cast.biosamples.len(), cast.assays.len());
    let per_bin = SignalBlock::bytes_per_bin(&config, cast.training.len());
    let window_bins = (options.cache_bytes / per_bin.max(1)).max(1 << 14);
    RefinementTraining::new(
        Arc::clone(set),
        inputs(&cast.training, places, false),
        config,
        told,
        Trial {
            targets: cast.validate.first().cloned().unwrap_or_default(),
        },
        Ground {
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
    cast: &Cast,
    options: &TrainOptions,
    told: &RefinementOptions,
    device: Device,
    kept: Option<RefinementKept>,
    keeper: &mut Keeper<'_>,
) -> Result<(Refinement, RefinementKept), FactorizationError> {
    let mut training = begin(set, cast, options, told, device)?;
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
            keeper.listener.pass(&point);
        }
        tell(keeper, &training, &curve, report, told.passes)?;
    }
}

/// Tells the listener of a step, and keeps a checkpoint where it is time for one.
fn tell(
    keeper: &mut Keeper<'_>,
    training: &RefinementTraining,
    curve: &[CurvePoint],
    report: StepReport,
    passes: u32,
) -> Result<(), FactorizationError> {
    let course = Course {
        stage: Stage::Refine,
        search: training.network().0,
        best_pass: Some(passes),
        curve: Vec::new(),
    };
    let stop = keeper.listener.step(&course, &report).is_break();
    if stop || keeper.is_due() {
        keeper.refinement = Some(training.keep(curve.to_vec())?);
        keeper.write(&course, None)?;
    }
    match stop {
        true => Err(FactorizationError::Stopped {
            step: report.position.step,
            advice: "go on with option `resume`".into(),
        }),
        false => Ok(()),
    }
}
