//! Which columns of a preset hold what, and what has to be beaten.

use crate::tasks::TablePreset;

/// How a column becomes a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transform {
    /// log10 of the distance in bp, at least 1.
    LogDistance,
    /// ln(1 + x) of a signal in reads per million; 0 where it is missing.
    LogSignal,
    /// 0 or 1; 0 where it is missing.
    Flag,
}

/// A column that becomes a feature.
pub(super) struct FeatureColumn {
    pub name: &'static str,
    pub transform: Transform,
}

/// The columns of a preset.
pub(super) struct Layout {
    pub label: &'static str,
    pub unit: &'static str,
    /// Rows that have another value than TRUE here are left out.
    pub valid: &'static str,
    pub cell_type: &'static str,
    pub name: &'static str,
    /// The element, and the gene's start: chromosome, start, end.
    pub element: [&'static str; 3],
    pub gene_start: [&'static str; 3],
    pub distance: &'static str,
    pub features: &'static [FeatureColumn],
    /// The activity of an element is the root of the product of these.
    pub activity: [&'static str; 2],
    /// What a user of embeddings should know.
    pub note: &'static str,
}

/// Distances below this count as this in activity by distance, in bp (Fulco et al. 2019).
pub(super) const LEAST_DISTANCE: f64 = 5_000.0;

const fn signal(name: &'static str) -> FeatureColumn {
    FeatureColumn {
        name,
        transform: Transform::LogSignal,
    }
}

const CRISPR: Layout = Layout {
    label: "Regulated",
    unit: "regulated",
    valid: "ValidConnection",
    cell_type: "CellType",
    name: "name",
    element: ["chrom", "chromStart", "chromEnd"],
    gene_start: ["chrTSS", "startTSS", "endTSS"],
    distance: "distanceToTSS",
    features: &[
        FeatureColumn {
            name: "distanceToTSS",
            transform: Transform::LogDistance,
        },
        signal("DHS.RPM"),
        signal("H3K27ac.RPM"),
        signal("H3K27ac.RPM.expandedRegion"),
        signal("CTCF.RPM"),
        signal("H3K4me1.RPM"),
        signal("H3K27me3.RPM"),
        FeatureColumn {
            name: "measuredGeneUbiquitousExpressed",
            transform: Transform::Flag,
        },
    ],
    activity: ["DHS.RPM", "H3K27ac.RPM.expandedRegion"],
    note: "the features are columns of the file, measured in its cell type: no embedding covers \
           these pairs, and none is used",
};

/// The columns of a preset.
pub(super) const fn layout(preset: TablePreset) -> &'static Layout {
    match preset {
        TablePreset::Crispr => &CRISPR,
    }
}
