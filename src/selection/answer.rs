//! What a selection of named items comes to.

use serde::{Deserialize, Serialize};

use super::choose::CurvePoint;
use super::request::What;
use super::resamples::Stability;

/// One choice of an [`Answer`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// From 1.
    pub rank: usize,
    /// Its name.
    pub name: String,
    /// What it added.
    pub gain: f64,
    /// The objective's value with it.
    pub value: Option<f64>,
    /// That value as a share of what choosing everything would give.
    pub coverage: Option<f64>,
    /// What it costs.
    pub cost: Option<f64>,
    /// Whether it was required.
    pub required: bool,
    /// Whether it has been measured already; `None` where that is not a question.
    pub measured: Option<bool>,
    /// The share of resamples in which it is chosen again; `None` where there are none.
    #[serde(default)]
    pub stability: Option<f64>,
    /// The items that are more like it than like any other that was chosen or given.
    pub represents: Vec<String>,
}

/// One of the starting set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// Its name.
    pub name: String,
    /// As of [`Chosen`].
    pub represents: Vec<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What was chosen.
    pub what: What,
    /// The objective's name.
    pub objective: String,
    /// What items were compared by, in words.
    pub compared_by: String,
    /// The model, where one was asked.
    pub model: Option<String>,
    /// How many items coverage is measured on.
    pub n_items: usize,
    /// How many could be chosen.
    pub n_candidates: usize,
    /// The starting set, in the items' order.
    pub given: Vec<Start>,
    /// The value of the starting set alone.
    pub before: Option<f64>,
    /// The choices, in order.
    pub chosen: Vec<Chosen>,
    /// The value if everything were chosen.
    pub everything: Option<f64>,
    /// What no choice within the limits can pass.
    pub bound: Option<f64>,
    /// Whether that is the value of the best of all choices.
    #[serde(default)]
    pub bound_is_reached: bool,
    /// The least share of the best possible gain that is guaranteed; `None`: none is.
    pub guarantee: Option<f64>,
    /// The same in words.
    pub guarantee_text: String,
    /// Value against number, random choice beside it.
    pub curve: Vec<CurvePoint>,
    /// How many random choices.
    pub n_random: usize,
    /// How stable the choice is; `None` where nothing can be drawn again (factors, a matrix).
    #[serde(default)]
    pub stability: Option<Stability>,
    /// How often a gain was computed.
    pub evaluations: u64,
    /// What the user should know.
    pub notes: Vec<String>,
    /// The checksums of model and file that it rests on.
    pub rests_on: Vec<String>,
}
