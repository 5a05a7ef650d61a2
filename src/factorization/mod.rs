//! Training: the only room that speaks libtorch.
//!
//! Owns sampling, the optimiser, the training loop, checkpoints and extending a trained model.
//! Genome factors and their moments live in plain memory, so that a step touches only the rows of
//! its batch; the dense layers are libtorch's. What a model is and how it predicts belongs to
//! `model`.

mod adam;
mod batch;
mod blocks;
mod error;
mod first_layer;
mod network;
mod train;
mod trainer;
mod validation;
mod window;

pub use adam::{Adam, LazyTable, Schedule};
pub use batch::{Batch, Groups, Sampling};
pub use blocks::{Block, Blocks};
pub use error::FactorizationError;
pub use network::{Gradients, TorchNetwork, Trained};
pub use train::{Course, CurvePoint, Length, Outcome, Stage, Watcher, schedule, train};
pub use trainer::{
    PassEnd, Position, Settings, State, StepReport, Trainer, TrainingSet, TrainingTrack,
};
pub use validation::draw as draw_validation;
pub use window::{TrackSource, Window};
