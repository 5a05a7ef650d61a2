//! What a training reports, and its checkpoints: one every so often.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::checkpoint;
use super::encoder::EncoderKept;
use super::options::TrainOptions;
use super::refinement::RefinementKept;
use super::{CurvePoint, FactorizationError, StepReport, Trainer, TrainingProgress, Watcher};
use crate::store::{Database, ModelLock};

/// What a training reports.
pub trait Listener {
    /// After every step; `Break` stops after a checkpoint.
    fn step(&mut self, progress: &TrainingProgress, report: &StepReport) -> ControlFlow<()>;
    /// After every pass.
    fn pass(&mut self, point: &CurvePoint);
    /// When a checkpoint has been written.
    fn checkpoint(&mut self, step: u64);
}

/// Listens to nothing and never stops.
impl Listener for () {
    fn step(&mut self, _: &TrainingProgress, _: &StepReport) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn pass(&mut self, _: &CurvePoint) {}

    fn checkpoint(&mut self, _: u64) {}
}

/// Keeps checkpoints and passes everything else on.
pub(super) struct TimedCheckpoints<'a> {
    pub(super) database: &'a Database,
    pub(super) lock: &'a ModelLock,
    pub(super) options: &'a TrainOptions,
    pub(super) checksums: &'a [String],
    pub(super) validate: &'a [Vec<usize>],
    pub(super) every: Duration,
    pub(super) last: Instant,
    /// What there is of the encoder.
    pub(super) encoder: Option<EncoderKept>,
    /// What there is of the refinement.
    pub(super) refinement: Option<RefinementKept>,
    pub(super) listener: &'a mut dyn Listener,
}

impl TimedCheckpoints<'_> {
    /// Whether it is time for a checkpoint.
    pub(super) fn is_due(&self) -> bool {
        self.last.elapsed() >= self.every
    }

    /// Writes a checkpoint: of the encoder and the refinement alone, before the network's training.
    pub(super) fn write(
        &mut self,
        progress: &TrainingProgress,
        trainer: Option<&Trainer>,
    ) -> Result<(), FactorizationError> {
        checkpoint::write(
            self.database,
            self.lock,
            self.options,
            self.checksums,
            self.validate,
            checkpoint::Progress {
                progress,
                trainer,
                encoder: self.encoder.as_ref(),
                refinement: self.refinement.as_ref(),
            },
        )?;
        self.last = Instant::now();
        let step = match (trainer, &self.refinement, &self.encoder) {
            (Some(trainer), ..) => trainer.position().step,
            (None, Some(kept), _) => kept.position.step,
            (None, None, kept) => kept.as_ref().map_or(0, |k| k.position.step),
        };
        self.listener.checkpoint(step);
        Ok(())
    }
}

impl Watcher for TimedCheckpoints<'_> {
    fn step(&mut self, progress: &TrainingProgress, report: &StepReport) -> ControlFlow<()> {
        self.listener.step(progress, report)
    }

    fn pass(&mut self, point: &CurvePoint) {
        self.listener.pass(point);
    }

    fn due(&mut self) -> bool {
        self.is_due()
    }

    fn checkpoint(
        &mut self,
        progress: &TrainingProgress,
        trainer: &Trainer,
    ) -> Result<(), FactorizationError> {
        self.write(progress, Some(trainer))
    }
}
