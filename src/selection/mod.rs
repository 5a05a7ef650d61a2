//! Which to choose: diverse biosamples, assays, experiments and positions.
//!
//! Objectives and algorithms are pure: numbers in, a choice out ([`Problem`], [`Choice`]). What is alike
//! comes from a model's factors, its imputations, the stored tracks, or a file ([`Source`]);
//! [`select`] puts the two together for a database, and stores what it did.

mod answer;
mod choose;
mod coverage;
mod dispersion;
mod error;
mod evaluate;
mod features;
mod graph_cut;
mod greedy;
mod guarantee;
mod multiscale;
mod objective;
mod objective_kind;
mod pair_means;
mod position_request;
mod positions;
mod probes;
mod product;
mod profiles;
mod references;
mod request;
mod resamples;
mod select;
mod similarity;
mod sources;
mod tables;
#[cfg(test)]
mod tests;
mod vectors;

pub use answer::{Answer, Chosen, Start};
pub use choose::{Choice, CurvePoint, Problem};
pub use error::SelectionError;
pub use evaluate::{
    Chooser, Compared, Evaluation, EvaluationOptions, EvaluationProgress, EvaluationRow, LeftOut,
    Predictor, Repetition, evaluate_compendium, evaluate_expression,
};
pub use features::{Concave, Features};
pub use greedy::{Limits, Method, MethodName, Run, Step, greedy};
pub use guarantee::{Conditions, Guarantee, guarantee};
pub use multiscale::{AxisPosition, Parts, PositionRun, PositionStep, Row};
pub use objective::Objective;
pub use objective_kind::{ObjectiveKind, ObjectiveName};
pub use position_request::PositionRequest;
pub use positions::{
    ChosenPosition, PositionAnswer, PositionCurvePoint, select_positions, store_positions,
};
pub use product::{Combination, Experiments};
pub use request::{Given, KernelChoice, Request, Source, What};
pub use resamples::Stability;
pub use select::{select, store, stored};
pub use similarity::{Similarity, SimilarityMatrix};
pub use tables::{NamedMatrix, NamedProfiles, read_costs, read_expression};
pub use vectors::{Kernel, Vectors};
