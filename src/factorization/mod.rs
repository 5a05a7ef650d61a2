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
mod sampling;
mod shown;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
mod timed_checkpoints;
mod train;
mod trainer;
mod training_set;
mod validation;
mod window;

#[cfg(test)]
use batch::Batch;
pub(crate) use blocks::{Block, Blocks};
pub use encoder::EncoderOptions;
pub use error::FactorizationError;
pub use estimate::{EncoderEstimate, Estimate, RefinementEstimate, estimate};
pub use extend::{
    Additions, ExtendOptions, ExtendShardReport, extend, extend_shard, merge_extension,
};
pub use fit::{RunOptions, fit};
#[doc(hidden)]
pub use options::TrackRoles;
pub use options::{Pair, RegionOption, TrainOptions, Validate, default_passes};
use refinement::Advance;
pub use refinement::RefinementOptions;
pub use sampling::Sampling;
pub(crate) use shown::PassFactors;
pub use timed_checkpoints::Listener;
pub use train::{CurvePoint, Stage, TrainingProgress};
pub(crate) use train::{Length, Outcome, Watcher, train};
#[doc(hidden)]
pub use trainer::{AfterStep, State, Trainer};
pub use training_set::StepReport;
#[doc(hidden)]
pub use training_set::{PassEnd, Position, Settings, Trained, TrainingSet, TrainingTrack};
pub(crate) use validation::draw as draw_validation;
pub use validation::draw_held_out;
#[doc(hidden)]
pub use window::TrackSource;
pub(crate) use window::Window;

pub(crate) use crate::nn::{Adam, LazyTable, Schedule};
pub use crate::nn::{Arithmetic, Backend, Device};
