//! What can go wrong with a search.

use std::path::PathBuf;

/// Errors of the module `search`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// A gene that the database does not know.
    #[error("gene {name} is not found{}", match nearest.as_slice() {
        [] => ": the database has no genes; `persea create` reads them (option `genes`)".to_string(),
        nearest => format!("; nearest: {}", nearest.join(", ")),
    })]
    UnknownGene {
        /// The name asked for.
        name: String,
        /// The nearest names; none where there are no genes at all.
        nearest: Vec<String>,
    },
    /// No hits are asked for, or more than there can be.
    #[error("k is {k}; ask for at least one hit and no more than the {most} {of}")]
    HitCount {
        /// How many were asked for.
        k: usize,
        /// How many there can be.
        most: u64,
        /// Of what.
        of: String,
    },
    /// A filter that leaves nothing to search.
    #[error("the filter allows nothing: {why}")]
    FilteredOut {
        /// How many bins each of its parts allows.
        why: String,
    },
    /// A group of biosamples that cannot be compared with the others.
    #[error("the group `{group}`: {why}")]
    Group {
        /// As it was given.
        group: String,
        /// Why not, and which there are.
        why: String,
    },
    /// A query that has no direction, which a cosine would compare.
    #[error(
        "{what} is all zeros, which has no direction: the cosine is undefined; use the metric euclidean"
    )]
    NoDirection {
        /// The query, or a sum of biosamples or assays.
        what: &'static str,
    },
    /// Tracks' shares of a distance that are not defined.
    #[error("the tracks' shares of this distance are not defined: {why}")]
    NoShares {
        /// Why not.
        why: String,
    },
    /// A query and options that do not go together, or values that cannot be: the message says which.
    #[error("{0}")]
    Query(String),
    /// A file of `index/` is not what was written.
    #[error("{path} is damaged: {why}; `persea index` writes it anew from the database")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of `index/` belongs to other numbers than the model's.
    #[error("{path} is stale: {why}; `persea index` writes it anew from the database")]
    Stale {
        /// The file.
        path: PathBuf,
        /// What it was made of.
        why: String,
    },
    /// A file of `index/` could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A broken invariant of this crate.
    #[error(transparent)]
    Bug(#[from] crate::Bug),
    /// A graph that cannot be built or read.
    #[error("approximate search: {0}")]
    Graph(String),
}

impl SearchError {
    pub(super) fn query(message: impl Into<String>) -> Self {
        SearchError::Query(message.into())
    }

    /// Whether writing the index anew puts it right.
    pub fn is_rebuildable(&self) -> bool {
        match self {
            SearchError::Damaged { .. } | SearchError::Stale { .. } => true,
            SearchError::Io { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        }
    }
}
