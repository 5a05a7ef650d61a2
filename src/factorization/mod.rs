//! Training: the only room that speaks libtorch.
//!
//! Owns sampling, the optimiser, the training loop, checkpoints and extending a trained model.
//! Genome factors and their moments live in plain memory, so that a step touches only the rows of
//! its batch; the dense layers are libtorch's. What a model is and how it predicts belongs to
//! `model`.

mod adam;
mod arithmetic;
mod batch;
mod blocks;
mod checkpoint;
mod deep_layers;
mod error;
mod estimate;
mod extend;
mod first_layer;
mod fit;
mod network;
mod options;
mod refinement;
mod single_layer;
mod tensors;
#[cfg(test)]
mod tests;
mod train;
mod trainer;
mod validation;
mod vectors;
mod window;

pub use adam::{Adam, LazyTable, Schedule};
pub use arithmetic::Arithmetic;
pub use batch::{Batch, Groups, Sampling};
pub use blocks::{Block, Blocks};
pub use error::FactorizationError;
pub use estimate::{Estimate, RefinementEstimate, estimate};
pub use extend::{Additions, ExtendOptions, extend};
pub use fit::{Listener, Means, fit};
pub use network::{Gradients, TorchNetwork, Trained};
pub use options::{Cast, Pair, RegionOption, TrainOptions, Validate, default_passes, device};
pub use refinement::{Advance, Ground, RefinementOptions, RefinementTraining, Trial};
pub use train::{Course, CurvePoint, Length, Outcome, Stage, Watcher, train};
pub use trainer::{
    AfterStep, PassEnd, Position, Settings, State, StepReport, Trainer, TrainingSet, TrainingTrack,
};
pub use validation::{draw as draw_validation, draw_held_out};
pub use window::{TrackSource, Window};

/// How many threads libtorch uses for a step.
pub fn set_threads(threads: usize) {
    tch::set_num_threads(threads as i32);
}
