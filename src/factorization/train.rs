//! A whole training: how long is best by validation tracks, then all training tracks for as long.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::trainer::{State, Trainer};
use super::training_set::{PassEnd, Position, Settings, StepReport, Trained, TrainingSet};
use super::{FactorizationError, PassFactors};
use crate::model::{GenomeFactors, Network};

/// How long to train.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Length {
    /// Passes at most; exactly as many where nothing validates.
    pub passes: u32,
    /// Passes without a better held-out error before the search for the best length ends.
    pub patience: u32,
    /// The tracks that validate in each search, by their place in the training set; no search to
    /// train `passes` passes.
    pub validate: Vec<Vec<usize>>,
    /// Bins at most that a look at the held-out tracks reads.
    pub validate_bins: u64,
}

/// Which training is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Without some validation tracks, to learn how many passes are best.
    Search,
    /// With all training tracks, for as many.
    Final,
    /// The encoder that gives the genome's factors.
    Encode,
    /// The refinement's networks.
    Refine,
}

/// One pass on the loss curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Which training.
    pub stage: Stage,
    /// Which search, or which of the refinement's networks, counted from 0; 0 in the final training.
    pub search: usize,
    /// Passes done.
    pub pass: u32,
    /// Mean squared error over the pass' samples, each before its step.
    pub loss: f64,
    /// Mean over the validation tracks of their mean squared error.
    pub held_out: Option<f64>,
}

/// The progress of a training; stored in checkpoints and with the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingProgress {
    /// Which training is under way.
    pub stage: Stage,
    /// Which search, counted from 0.
    pub search: usize,
    /// The pass with the least held-out error, once known.
    pub best_pass: Option<u32>,
    /// Every pass so far.
    pub curve: Vec<CurvePoint>,
}

/// What the caller receives and decides while training runs.
pub trait Watcher {
    /// After every step. `Break` stops training after a checkpoint.
    fn step(&mut self, progress: &TrainingProgress, report: &StepReport) -> ControlFlow<()>;
    /// After every pass.
    fn pass(&mut self, point: &CurvePoint);
    /// Whether it is time for a checkpoint.
    fn due(&mut self) -> bool;
    /// Writes a checkpoint.
    ///
    /// # Errors
    /// When it cannot be written.
    fn checkpoint(
        &mut self,
        progress: &TrainingProgress,
        trainer: &Trainer,
    ) -> Result<(), FactorizationError>;
}

/// A trained model's numbers and how they came about.
#[derive(Debug)]
pub struct Outcome {
    /// The dense part.
    pub network: Network,
    /// The genome's factors.
    pub genome: GenomeFactors,
    /// The loss curves.
    pub progress: TrainingProgress,
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
    (trained, pass_factors): (&Trained, Option<Arc<dyn PassFactors>>),
    resume: Option<(TrainingProgress, State)>,
    watcher: &mut dyn Watcher,
) -> Result<Outcome, FactorizationError> {
    if length.passes == 0 {
        return Err(FactorizationError::Options(
            "train at least one pass".into(),
        ));
    }
    let all: Vec<usize> = (0..set.tracks.len()).collect();
    let n_searches = length.validate.len();
    let (mut progress, mut state) = match resume {
        Some((progress, state)) => (progress, Some(state)),
        None => {
            let stage = if n_searches > 0 {
                Stage::Search
            } else {
                Stage::Final
            };
            let progress = TrainingProgress {
                stage,
                search: 0,
                best_pass: None,
                curve: Vec::new(),
            };
            (progress, None)
        }
    };
    loop {
        // Of few tracks two searches may draw the same ones to validate: all else is equal as well, so that the
        // second would have the first's curve.
        if progress.stage == Stage::Search
            && state.is_none()
            && let Some(same) = same_search(&length.validate, progress.search)
        {
            repeat_curve(&mut progress.curve, same, progress.search);
            end_search(&mut progress, n_searches);
            continue;
        }
        let active: Vec<usize> = match progress.stage {
            Stage::Search => all
                .iter()
                .copied()
                .filter(|t| !length.validate[progress.search].contains(t))
                .collect(),
            Stage::Final | Stage::Encode | Stage::Refine => all.clone(),
        };
        let passes = match progress.stage {
            Stage::Search => length.passes,
            Stage::Final | Stage::Encode | Stage::Refine => {
                progress.best_pass.unwrap_or(length.passes)
            }
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
        if let Some(pass_factors) = &pass_factors {
            trainer.set_pass_factors(Arc::clone(pass_factors));
        }
        if let Some(state) = state.take() {
            trainer.restore(state)?;
        }
        while trainer.position().pass < passes {
            if progress.stage == Stage::Search && patience_is_over(&progress, length.patience) {
                break;
            }
            let end = trainer.run_pass(&mut |trainer, report| {
                let stop = watcher.step(&progress, &report).is_break();
                if stop || watcher.due() {
                    watcher.checkpoint(&progress, trainer)?;
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
                    advice: "go on with option `resume`".into(),
                });
            };
            let held_out = match progress.stage {
                Stage::Search => {
                    let errors: Vec<f64> = trainer
                        .held_out_error(&length.validate[progress.search], length.validate_bins)?
                        .into_iter()
                        .flatten()
                        .collect();
                    Some(errors.iter().sum::<f64>() / errors.len() as f64)
                }
                Stage::Final | Stage::Encode | Stage::Refine => None,
            };
            let point = CurvePoint {
                stage: progress.stage,
                search: progress.search,
                pass: trainer.position().pass,
                loss,
                held_out,
            };
            progress.curve.push(point);
            watcher.pass(&point);
        }
        if progress.stage == Stage::Search {
            end_search(&mut progress, n_searches);
            continue;
        }
        let position = trainer.position();
        let (network, genome) = trainer.into_model()?;
        return Ok(Outcome {
            network,
            genome,
            progress,
            position,
        });
    }
}

/// The earlier search that has the same validation tracks.
fn same_search(validate: &[Vec<usize>], search: usize) -> Option<usize> {
    (0..search).find(|earlier| validate[*earlier] == validate[search])
}

/// Gives a search the curve of another.
fn repeat_curve(curve: &mut Vec<CurvePoint>, from: usize, to: usize) {
    let again: Vec<CurvePoint> = (curve.iter())
        .filter(|p| p.stage == Stage::Search && p.search == from)
        .map(|p| CurvePoint { search: to, ..*p })
        .collect();
    curve.extend(again);
}

/// Goes on to the next search, or to the final training after the last.
fn end_search(progress: &mut TrainingProgress, n_searches: usize) {
    progress.search += 1;
    if progress.search == n_searches {
        progress.best_pass = best(&progress.curve, n_searches);
        progress.stage = Stage::Final;
        progress.search = 0;
    }
}

/// The pass at which the held-out error, in the mean over the searches, is least.
///
/// One draw of validation tracks may well mislead; passes that not every search has come to do not
/// count.
fn best(curve: &[CurvePoint], n_searches: usize) -> Option<u32> {
    let searched = || curve.iter().filter(|p| p.stage == Stage::Search);
    let last = searched().map(|p| p.pass).max()?;
    let mean = |pass: u32| {
        let errors: Vec<f64> = searched()
            .filter(|p| p.pass == pass)
            .filter_map(|p| p.held_out)
            .collect();
        (errors.len() == n_searches).then(|| errors.iter().sum::<f64>() / n_searches as f64)
    };
    let run_options = (1..=last).filter_map(|pass| mean(pass).map(|error| (pass, error)));
    run_options
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(pass, _)| pass)
}

/// Whether the search under way has gone so many passes without a better error.
fn patience_is_over(progress: &TrainingProgress, patience: u32) -> bool {
    let of_this = |p: &&CurvePoint| p.stage == Stage::Search && p.search == progress.search;
    let points: Vec<CurvePoint> = progress.curve.iter().filter(of_this).copied().collect();
    match (best(&points, 1), points.last()) {
        (Some(best), Some(last)) => last.pass >= best + patience,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(search: usize, pass: u32, held_out: f64) -> CurvePoint {
        CurvePoint {
            stage: Stage::Search,
            search,
            pass,
            loss: 0.0,
            held_out: Some(held_out),
        }
    }

    #[test]
    fn the_best_length_is_that_of_the_mean_over_searches_where_all_have_been() {
        let curve = [
            point(0, 1, 0.5),
            point(0, 2, 0.3),
            point(0, 3, 0.4),
            point(1, 1, 0.1),
            point(1, 2, 0.4),
            point(1, 3, 0.2),
            point(1, 4, 0.0),
        ];
        // Means 0.30, 0.35, 0.30; the first of equals; pass 4 was not searched twice.
        assert_eq!(best(&curve, 2), Some(1));
        assert_eq!(best(&curve[..3], 1), Some(2));
        assert_eq!(best(&[], 1), None);
    }

    #[test]
    fn a_search_with_the_validation_tracks_of_another_has_its_curve() {
        let validate = [vec![0, 3], vec![1, 2], vec![0, 3]];
        assert_eq!(same_search(&validate, 1), None);
        assert_eq!(same_search(&validate, 2), Some(0));
        let mut curve = vec![point(0, 1, 0.5), point(0, 2, 0.3), point(1, 1, 0.4)];
        repeat_curve(&mut curve, 0, 2);
        assert_eq!(curve[3..], [point(2, 1, 0.5), point(2, 2, 0.3)]);
        let mut progress = TrainingProgress {
            stage: Stage::Search,
            search: 2,
            best_pass: None,
            curve,
        };
        end_search(&mut progress, 3);
        assert_eq!(
            (progress.stage, progress.best_pass),
            (Stage::Final, Some(1))
        );
    }

    #[test]
    fn patience_looks_at_the_search_under_way_only() {
        let mut progress = TrainingProgress {
            stage: Stage::Search,
            search: 1,
            best_pass: None,
            curve: vec![
                point(0, 1, 0.1),
                point(0, 2, 0.2),
                point(0, 3, 0.3),
                point(1, 1, 0.5),
            ],
        };
        assert!(!patience_is_over(&progress, 2));
        progress.curve.extend([point(1, 2, 0.6), point(1, 3, 0.7)]);
        assert!(patience_is_over(&progress, 2));
    }
}
