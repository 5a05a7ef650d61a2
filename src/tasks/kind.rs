//! The kinds of tasks, what is asked of each, and which assays give it away.

use serde::{Deserialize, Serialize};

/// A kind of task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    /// Is a gene expressed, or how much, from the bins upstream of its start?
    Expression,
    /// Does an enhancer touch a promoter, from both and what lies between them?
    Interaction,
    /// When is a stretch of 40 to 50 kb replicated?
    Replication,
    /// Is a stretch of 40 kb a frequently interacting region (Schmitt et al. 2016)?
    Fire,
    /// Whatever else intervals, pairs or rows of a matrix are labelled with.
    Custom,
}

/// What is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// One of two classes.
    Classification,
    /// A number.
    Regression,
}

impl Target {
    /// The measure by which feature sets are compared.
    pub const fn primary(self) -> &'static str {
        match self {
            Target::Classification => "average_precision",
            Target::Regression => "r_squared",
        }
    }
}

impl TaskKind {
    /// Every kind.
    pub const ALL: [TaskKind; 5] = [
        TaskKind::Expression,
        TaskKind::Interaction,
        TaskKind::Replication,
        TaskKind::Fire,
        TaskKind::Custom,
    ];

    /// The name in the database and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            TaskKind::Expression => "expression",
            TaskKind::Interaction => "interaction",
            TaskKind::Replication => "replication",
            TaskKind::Fire => "fire",
            TaskKind::Custom => "custom",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What is learned unless the user says otherwise; `None`: what the labels look like.
    pub const fn default_target(self) -> Option<Target> {
        match self {
            TaskKind::Expression | TaskKind::Interaction | TaskKind::Fire => {
                Some(Target::Classification)
            }
            TaskKind::Replication => Some(Target::Regression),
            TaskKind::Custom => None,
        }
    }

    /// Whether an assay measures what this kind of task asks for: features that have seen it would
    /// know the answer. Told by the assay's name, letters and digits alone.
    ///
    /// ```
    /// use persea::tasks::TaskKind;
    /// assert!(TaskKind::Expression.is_given_away_by("polyA RNA-seq"));
    /// assert!(TaskKind::Fire.is_given_away_by("in situ Hi-C"));
    /// assert!(!TaskKind::Expression.is_given_away_by("H3K36me3"));
    /// ```
    pub fn is_given_away_by(self, assay: &str) -> bool {
        let name: String = assay
            .chars()
            .filter(|c| c.is_ascii_alphanumeric())
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let kinds: &[&str] = match self {
            TaskKind::Expression => &[
                "rnaseq", "mrna", "cage", "rampage", "groseq", "proseq", "polya", "netseq",
                "startseq", "totalrna", "smallrna",
            ],
            TaskKind::Replication => &["repliseq", "replication", "reptiming", "replitiming"],
            TaskKind::Interaction | TaskKind::Fire => &[
                "hic", "chiapet", "capturec", "microc", "plac", "4cseq", "5cseq", "fire",
            ],
            TaskKind::Custom => &[],
        };
        kinds.iter().any(|k| name.contains(k))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assays_that_measure_the_label_are_known_by_their_names() {
        for (kind, assay) in [
            (TaskKind::Expression, "RNA-seq"),
            (TaskKind::Expression, "CAGE"),
            (TaskKind::Expression, "total RNA-seq"),
            (TaskKind::Replication, "Repli-seq"),
            (TaskKind::Interaction, "ChIA-PET"),
            (TaskKind::Fire, "Hi-C"),
            (TaskKind::Interaction, "HiChIP"),
        ] {
            assert!(kind.is_given_away_by(assay), "{assay}");
        }
        for assay in [
            "H3K4me3",
            "DNase-seq",
            "POLR2A",
            "CTCF",
            "H2A.Z",
            "ATAC-seq",
        ] {
            for kind in TaskKind::ALL {
                assert!(!kind.is_given_away_by(assay), "{kind:?} {assay}");
            }
        }
        // Measures one thing, gives nothing else away.
        assert!(!TaskKind::Fire.is_given_away_by("RNA-seq"));
    }
}
