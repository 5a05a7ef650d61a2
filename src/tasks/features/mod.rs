//! Feature sets: what a learner sees of an example.
//!
//! A feature set is a sum of terms (`embedding+signal`): their columns side by side. Every term is
//! computed once a run and shared by the sums. What a column belongs to (a scale, an assay) is kept
//! with it, for importance by group.

mod density;
mod genome;
mod pool;
mod published;
mod scales;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use density::CpgIslands;
pub(crate) use density::{density, distance, promoter_frequency, promoters_to_count};
pub(crate) use genome::{Maker, Request};
pub use pool::Pooling;
pub use published::{MatrixSource, UserMatrix};

use super::TaskError;
use crate::store::nearest_names;

/// A part of a feature set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Term {
    /// The genome factors of the three scales, pooled over each window.
    Embedding,
    /// The biosample's own factors: the same for all examples of one biosample.
    BiosampleFactors,
    /// The network's activations for the biosample.
    Hidden,
    /// The biosample's own tracks.
    Signal,
    /// All tracks of all biosamples.
    AllSignal,
    /// All tracks, reduced inside the fold to the embedding's width.
    AllSignalPca,
    /// The biosample's own tracks with the embedding's reach: their means over the 25 bp, 250 bp
    /// and 5 kbp rows that the window touches, pooled as the embedding is.
    SignalScales,
    /// All tracks of all biosamples with the embedding's reach.
    AllSignalScales,
    /// The principal components of [`Term::AllSignalScales`], as many as the embedding is wide,
    /// learned in the training rows of each fold.
    SignalComponents,
    /// The model's imputation of all its assays in the biosample.
    Imputed,
    /// Measured where there is a track, else imputed.
    Completed,
    /// Each assay's mean over the other biosamples.
    Average,
    /// Imputed, of the assays that are measured in the biosample.
    Denoised,
    /// A matrix of the user's, row by row; its name where there are several.
    Published(String),
}

impl Term {
    const NAMED: [(&'static str, Term); 13] = [
        ("embedding", Term::Embedding),
        ("biosample-factors", Term::BiosampleFactors),
        ("hidden", Term::Hidden),
        ("signal", Term::Signal),
        ("all-signal", Term::AllSignal),
        ("all-signal-pca", Term::AllSignalPca),
        ("signal-scales", Term::SignalScales),
        ("all-signal-scales", Term::AllSignalScales),
        ("signal-components", Term::SignalComponents),
        ("imputed", Term::Imputed),
        ("completed", Term::Completed),
        ("average", Term::Average),
        ("denoised", Term::Denoised),
    ];

    /// Whether it is made by a model.
    pub const fn needs_model(&self) -> bool {
        matches!(
            self,
            Term::Embedding
                | Term::BiosampleFactors
                | Term::Hidden
                | Term::Imputed
                | Term::Completed
                | Term::Denoised
        )
    }

    /// Whether it is read along the genome.
    pub const fn needs_place(&self) -> bool {
        !matches!(self, Term::Published(_))
    }

    /// Whether it depends on the biosample.
    pub const fn of_biosample(&self) -> bool {
        !matches!(
            self,
            Term::Embedding
                | Term::AllSignal
                | Term::AllSignalPca
                | Term::AllSignalScales
                | Term::SignalComponents
                | Term::Published(_)
        )
    }

    /// Whether a position's value comes from the 250 bp and 5 kbp rows around it, too, so that
    /// it knows of signal beyond the window.
    pub(crate) const fn reaches_beyond(&self) -> bool {
        matches!(self, Term::Embedding | Term::Hidden)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Term::Published(name) = self {
            return match name.is_empty() {
                true => f.write_str("published"),
                false => write!(f, "published:{name}"),
            };
        }
        let named = Term::NAMED.iter().find(|(_, term)| term == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

/// Terms side by side.
///
/// ```
/// use persea::tasks::FeatureSet;
/// let set: FeatureSet = "embedding+signal".parse()?;
/// assert_eq!(set.terms.len(), 2);
/// assert_eq!(set.to_string(), "embedding+signal");
/// # Ok::<(), persea::tasks::TaskError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FeatureSet {
    /// Its terms, in order.
    pub terms: Vec<Term>,
}

impl FromStr for FeatureSet {
    type Err = TaskError;

    fn from_str(text: &str) -> Result<Self, TaskError> {
        let mut terms = Vec::new();
        for part in text.split('+').map(str::trim) {
            let term = match part.split_once(':') {
                Some(("published", name)) => Term::Published(name.to_string()),
                None if part == "published" => Term::Published(String::new()),
                _ => {
                    let found = Term::NAMED.iter().find(|(name, _)| *name == part);
                    let known = Term::NAMED.iter().map(|(n, _)| *n).chain(["published"]);
                    found.map(|(_, term)| term.clone()).ok_or_else(|| {
                        TaskError::Settings(format!(
                            "unknown feature set `{part}`; nearest: {}",
                            nearest_names(part, known, 3).join(", ")
                        ))
                    })?
                }
            };
            if terms.contains(&term) {
                return Err(TaskError::Settings(format!("`{text}` has {term} twice")));
            }
            terms.push(term);
        }
        Ok(FeatureSet { terms })
    }
}

impl fmt::Display for FeatureSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.terms.iter().enumerate() {
            if i > 0 {
                f.write_str("+")?;
            }
            write!(f, "{term}")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for FeatureSet {
    type Error = TaskError;
    fn try_from(text: String) -> Result<Self, TaskError> {
        text.parse()
    }
}

impl From<FeatureSet> for String {
    fn from(set: FeatureSet) -> String {
        set.to_string()
    }
}

/// A column of features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub name: String,
    /// What it belongs to: `embedding 25bp`, `signal H3K4me3`.
    pub group: String,
}

/// Features of the rows of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Features {
    pub columns: Vec<Column>,
    /// `[n_rows, columns.len()]`, row-major; NaN where missing.
    pub values: Vec<f32>,
    /// Into how many components the columns are to be reduced inside the fold.
    pub reduce_to: Option<usize>,
    /// A key for each row: then the last column is how many *other* rows that are trained on have
    /// the same key, which each fold counts for itself.
    pub counted: Option<Vec<usize>>,
}

impl Features {
    pub(crate) fn n_rows(&self) -> usize {
        self.values.len() / self.columns.len().max(1)
    }

    pub(crate) fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.columns.len()..(i + 1) * self.columns.len()]
    }
}

/// A feature set's terms, computed.
#[derive(Debug, Clone)]
pub(crate) struct Computed {
    pub terms: Vec<Arc<Features>>,
}

impl Computed {
    pub(crate) fn n_columns(&self) -> usize {
        self.terms.iter().map(|t| t.columns.len()).sum()
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.terms.first().map_or(0, |t| t.n_rows())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feature_sets_read_back_as_they_are_written_and_typos_are_refused() {
        for text in [
            "embedding",
            "hidden+all-signal-pca",
            "published",
            "published:AvocadoFac+average",
        ] {
            let set: FeatureSet = text.parse().unwrap();
            assert_eq!(set.to_string(), text);
        }
        for (text, why) in [
            ("embeding", "nearest: embedding"),
            ("signal+signal", "twice"),
            ("", "unknown feature set"),
        ] {
            let message = text.parse::<FeatureSet>().unwrap_err().to_string();
            assert!(message.contains(why), "{message}");
        }
    }
}
