//! Settings of tasks whose features are columns of their own tables.

use std::path::PathBuf;

use persea_vocabulary::vocabulary;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// A table of labelled examples whose columns are known.
    pub enum TablePreset {
        /// Enhancer–gene pairs tested by CRISPR interference, in the format of the ENCODE
        /// CRISPR benchmark
        Crispr = "crispr",
    }
}

/// The tables of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSettings {
    /// Which columns hold what.
    pub preset: TablePreset,
    /// The table that is learned from.
    pub train: PathBuf,
    /// A table that the predictor is tested on.
    pub test: Option<PathBuf>,
}
