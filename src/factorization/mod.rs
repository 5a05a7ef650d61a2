//! Training.
//!
//! Owns sampling, the optimiser, the training loop, checkpoints and extending a trained model.
//! Genome factors and their moments live in plain memory, so that a step touches only the rows of
//! its batch; the dense layers are networks of `nn`, on one backend or the other. What a model is and
//! how it predicts belongs to `model`.

mod batch;
mod blocks;
mod checkpoint;
mod encoder;
mod error;
mod estimate;
mod extend;
mod fit;
mod options;
mod refinement;
#[cfg(test)]
mod tests;
mod train;
mod trainer;
mod validation;
mod window;

pub use batch::{Batch, Groups, Sampling};
pub use blocks::{Block, Blocks};
pub use encoder::EncoderOptions;
pub use error::FactorizationError;
pub use estimate::{Estimate, RefinementEstimate, estimate};
pub use extend::{Additions, ExtendOptions, extend};
pub use fit::{Listener, RunOptions, fit};
pub use options::{Pair, RegionOption, TrackRoles, TrainOptions, Validate, default_passes};
pub use refinement::{Advance, RefinementOptions, RefinementSettings, RefinementTraining, Trial};
pub use train::{CurvePoint, Length, Outcome, Stage, TrainingProgress, Watcher, train};
pub use trainer::{
    AfterStep, PassEnd, Position, Settings, State, StepReport, Trained, Trainer, TrainingSet,
    TrainingTrack,
};
pub use validation::{draw as draw_validation, draw_held_out};
pub use window::{TrackSource, Window};

pub use crate::nn::{Adam, Arithmetic, Backend, Device, LazyTable, Schedule};
