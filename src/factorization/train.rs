//! A whole training: how long is best by validation tracks, then all training tracks for as long.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::FactorizationError;
use super::network::Trained;
use super::trainer::{PassEnd, Position, Settings, State, StepReport, Trainer, TrainingSet};
use crate::model::{GenomeFactors, Network};

/// How long to train.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Length {
    /// Passes at most; exactly as many where nothing validates.
    pub passes: u32,
    /// Passes without a better held-out error before the search for the best length ends.
    pub patience: u32,
    /// Tracks that validate, by their place in the training set; none to train `passes` passes.
    pub validate: Vec<usize>,
    /// Bins at most that a look at the held-out tracks reads.
    pub validate_bins: u64,
}

/// Which of the two trainings is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Without the validation tracks, to learn how many passes are best.
    Search,
    /// With all training tracks, for as many.
    Final,
}

/// One pass on the loss curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Which training.
    pub stage: Stage,
    /// Passes done.
    pub pass: u32,
    /// Mean squared error over the pass' samples, each before its step.
    pub loss: f64,
    /// Mean over the validation tracks of their mean squared error.
    pub held_out: Option<f64>,
}

/// What training has learnt of its own course; stored in checkpoints and with the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// Which training is under way.
    pub stage: Stage,
    /// The pass with the least held-out error, once known.
    pub best_pass: Option<u32>,
    /// Every pass so far.
    pub curve: Vec<CurvePoint>,
}

/// What the caller hears and decides while training runs.
pub trait Watcher {
    /// After every step. `Break` stops training after a checkpoint.
    fn step(&mut self, course: &Course, report: &StepReport) -> ControlFlow<()>;
    /// After every pass.
    fn pass(&mut self, point: &CurvePoint);
    /// Whether it is time for a checkpoint.
    fn due(&mut self) -> bool;
    /// Writes a checkpoint.
    ///
    /// # Errors
    /// When it cannot be written.
    fn checkpoint(&mut self, course: &Course, trainer: &Trainer) -> Result<(), FactorizationError>;
}

/// A trained model's numbers and how they came about.
#[derive(Debug)]
pub struct Outcome {
    /// The dense part.
    pub network: Network,
    /// The genome's factors.
    pub genome: GenomeFactors,
    /// The loss curves.
    pub course: Course,
    /// Steps and passes of the final training.
    pub position: Position,
}

/// Trains from first values that the seed gives, or goes on from `resume`.
///
/// # Errors
/// When nothing can be trained, signal cannot be read, the loss is not finite, or the watcher stops
/// it (after a checkpoint).
pub fn train(
    set: &Arc<TrainingSet>,
    settings: &Settings,
    length: &Length,
    start: impl Fn() -> (Network, GenomeFactors),
    trained: &Trained,
    resume: Option<(Course, State)>,
    watcher: &mut dyn Watcher,
) -> Result<Outcome, FactorizationError> {
    if length.passes == 0 {
        return Err(FactorizationError::Options(
            "train at least one pass".into(),
        ));
    }
    let all: Vec<usize> = (0..set.tracks.len()).collect();
    let searching = !length.validate.is_empty();
    let (mut course, mut state) = match resume {
        Some((course, state)) => (course, Some(state)),
        None => {
            let stage = if searching {
                Stage::Search
            } else {
                Stage::Final
            };
            let course = Course {
                stage,
                best_pass: None,
                curve: Vec::new(),
            };
            (course, None)
        }
    };
    loop {
        let active: Vec<usize> = match course.stage {
            Stage::Search => all
                .iter()
                .copied()
                .filter(|t| !length.validate.contains(t))
                .collect(),
            Stage::Final => all.clone(),
        };
        let passes = match course.stage {
            Stage::Search => length.passes,
            Stage::Final => course.best_pass.unwrap_or(length.passes),
        };
        let (network, genome) = start();
        let mut trainer = Trainer::new(
            Arc::clone(set),
            settings.clone(),
            active,
            trained.clone(),
            &network,
            genome,
        )?;
        if let Some(state) = state.take() {
            trainer.restore(state)?;
        }
        while trainer.position().pass < passes {
            if course.stage == Stage::Search && patience_is_over(&course, length.patience) {
                break;
            }
            let end = trainer.run_pass(&mut |trainer, report| {
                let stop = watcher.step(&course, &report).is_break();
                if stop || watcher.due() {
                    watcher.checkpoint(&course, trainer)?;
                }
                Ok(if stop {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            })?;
            let PassEnd::Done(loss) = end else {
                return Err(FactorizationError::Stopped {
                    step: trainer.position().step,
                    advice: "go on with --resume".into(),
                });
            };
            let held_out = match course.stage {
                Stage::Search => {
                    let errors = trainer.held_out_error(&length.validate, length.validate_bins)?;
                    Some(errors.iter().sum::<f64>() / errors.len() as f64)
                }
                Stage::Final => None,
            };
            let point = CurvePoint {
                stage: course.stage,
                pass: trainer.position().pass,
                loss,
                held_out,
            };
            course.curve.push(point);
            watcher.pass(&point);
        }
        if course.stage == Stage::Search {
            course.best_pass = best(&course).map(|p| p.pass);
            course.stage = Stage::Final;
            continue;
        }
        let position = trainer.position();
        let (network, genome) = trainer.into_model()?;
        return Ok(Outcome {
            network,
            genome,
            course,
            position,
        });
    }
}

/// The pass of the search with the least held-out error.
fn best(course: &Course) -> Option<CurvePoint> {
    let searched = course.curve.iter().filter(|p| p.stage == Stage::Search);
    searched.copied().min_by(|a, b| {
        a.held_out
            .unwrap_or(f64::INFINITY)
            .total_cmp(&b.held_out.unwrap_or(f64::INFINITY))
    })
}

fn patience_is_over(course: &Course, patience: u32) -> bool {
    let last = course.curve.iter().rfind(|p| p.stage == Stage::Search);
    match (best(course), last) {
        (Some(best), Some(last)) => last.pass >= best.pass + patience,
        _ => false,
    }
}
