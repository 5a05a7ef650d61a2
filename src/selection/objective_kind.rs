//! The objectives by name, and how each is made.

use persea_vocabulary::vocabulary;
use std::fmt;

use super::coverage::Coverage;
use super::dispersion::{MinimumDistance, SumOfDistances};
use super::features::{Concave, FeatureBased, Features};
use super::graph_cut::GraphCut;
use super::objective::Objective;
use super::similarity::Similarity;

vocabulary! {
    /// The objectives by name; [`ObjectiveKind`] has their parameters.
    pub enum ObjectiveName {
        /// Sum of each item's similarity to the nearest chosen item
        FacilityLocation = "facility-location",
        /// Sum of each item's similarity to all chosen items, up to a limit
        SaturatedCoverage = "saturated-coverage",
        /// Sum of a concave function of each feature's total
        FeatureBased = "feature-based",
        /// Similarity to all items minus similarity within the choice
        GraphCut = "graph-cut",
        /// Sum of distances within the choice
        SumOfDistances = "sum-of-distances",
        /// Smallest distance within the choice
        MinimumDistance = "minimum-distance",
    }
}

/// The objectives with their parameters.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "name")]
#[non_exhaustive]
pub enum ObjectiveKind {
    /// Σ over targets of the highest similarity to what is chosen.
    FacilityLocation,
    /// Σ over targets of the sum of similarities to what is chosen, but at most a share α of the
    /// target's sum over all.
    SaturatedCoverage {
        /// α.
        share: f64,
    },
    /// Σ over features of a concave function of the sum over what is chosen.
    FeatureBased {
        /// The function.
        concave: Concave,
    },
    /// λ times the similarity of what is chosen to all, less that among what is chosen.
    GraphCut {
        /// λ.
        lambda: f64,
    },
    /// The sum of distances between all pairs that are chosen.
    SumOfDistances,
    /// The least distance between two that are chosen.
    MinimumDistance,
}

impl ObjectiveKind {
    /// The objective's name.
    pub const fn name(self) -> ObjectiveName {
        match self {
            ObjectiveKind::FacilityLocation => ObjectiveName::FacilityLocation,
            ObjectiveKind::SaturatedCoverage { .. } => ObjectiveName::SaturatedCoverage,
            ObjectiveKind::FeatureBased { .. } => ObjectiveName::FeatureBased,
            ObjectiveKind::GraphCut { .. } => ObjectiveName::GraphCut,
            ObjectiveKind::SumOfDistances => ObjectiveName::SumOfDistances,
            ObjectiveKind::MinimumDistance => ObjectiveName::MinimumDistance,
        }
    }

    /// Whether it needs features instead of similarities.
    pub const fn needs_features(self) -> bool {
        matches!(self, ObjectiveKind::FeatureBased { .. })
    }

    /// The objective with nothing chosen; `None` where it needs features and there are none.
    pub fn build<'a>(
        self,
        similarity: &'a dyn Similarity,
        features: Option<&'a Features>,
    ) -> Option<Box<dyn Objective + 'a>> {
        Some(match self {
            ObjectiveKind::FacilityLocation => Box::new(Coverage::facility_location(similarity)),
            ObjectiveKind::SaturatedCoverage { share } => {
                Box::new(Coverage::saturated(similarity, share))
            }
            ObjectiveKind::FeatureBased { concave } => {
                Box::new(FeatureBased::new(features?, concave))
            }
            ObjectiveKind::GraphCut { lambda } => Box::new(GraphCut::new(similarity, lambda)),
            ObjectiveKind::SumOfDistances => Box::new(SumOfDistances::new(similarity)),
            ObjectiveKind::MinimumDistance => Box::new(MinimumDistance::new(similarity)),
        })
    }
}

impl fmt::Display for ObjectiveKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().name())
    }
}
