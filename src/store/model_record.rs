//! What is recorded of a model beside its numbers.

use serde_json::Value;

use crate::genome::Region;

/// Which network a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// Avocado's.
    Avocado,
    /// Persea's own.
    Persea,
}

impl ModelKind {
    /// The name in the database and in the program's output.
    pub const fn name(self) -> &'static str {
        match self {
            ModelKind::Avocado => "avocado",
            ModelKind::Persea => "persea",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [ModelKind::Avocado, ModelKind::Persea]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// What a track was to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackRole {
    /// Trained on.
    Train,
    /// Decided when to stop, and was trained on afterwards.
    Validate,
    /// Kept from training altogether.
    Hold,
    /// Trained on with the network frozen, after the rest.
    Extend,
}

impl TrackRole {
    const ALL: [TrackRole; 4] = [
        TrackRole::Train,
        TrackRole::Validate,
        TrackRole::Hold,
        TrackRole::Extend,
    ];

    /// The name in the database and in the program's output.
    pub const fn name(self) -> &'static str {
        match self {
            TrackRole::Train => "train",
            TrackRole::Validate => "validate",
            TrackRole::Hold => "hold",
            TrackRole::Extend => "extend",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// How the genome factors are stored. Everything else is stored as [`Precision::F32`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// IEEE 754 single precision: what training computes in.
    #[default]
    F32,
    /// IEEE 754 half precision: half the disk, three digits.
    F16,
}

impl Precision {
    /// The name in the database and on the command line: `f32`, `f16`.
    pub const fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::F16 => "f16",
        }
    }

    /// The precision of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Precision::F32, Precision::F16]
            .into_iter()
            .find(|precision| precision.name() == name)
    }

    /// A number as it is read after it was stored.
    pub fn stored(self, value: f32) -> f32 {
        match self {
            Precision::F32 => value,
            Precision::F16 => half::f16::from_f32(value).to_f32(),
        }
    }

    /// Bytes a number takes.
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Precision::F32 => 4,
            Precision::F16 => 2,
        }
    }
}

/// A track as a model has seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelTrack {
    /// The biosample.
    pub biosample: String,
    /// The assay.
    pub assay: String,
    /// What it was to the model.
    pub role: TrackRole,
    /// [`Track::checksum`](super::Track::checksum) at that time.
    pub checksum: String,
}

/// What is recorded of a model beside its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRecord {
    /// The name it is asked for by.
    pub name: String,
    /// Which network it is.
    pub kind: ModelKind,
    /// The network's configuration.
    pub config: Value,
    /// What all its randomness derives from.
    pub seed: u64,
    /// How training went: passes, losses, times, versions.
    pub training: Value,
    /// How its genome factors are stored.
    pub precision: Precision,
    /// The biosamples, in the order of their factors.
    pub biosamples: Vec<String>,
    /// The assays, in the order of their factors.
    pub assays: Vec<String>,
    /// The tracks, and what each was to the model.
    pub tracks: Vec<ModelTrack>,
    /// The genome axis, in order.
    pub regions: Vec<Region>,
}

impl ModelRecord {
    /// The kind's name as users know it: an imported embedding is stored as a model persea whose
    /// configuration says so.
    pub fn kind_name(&self) -> &str {
        match self.config["architecture"].as_str() {
            Some("embedding") => "embedding",
            _ => self.kind.name(),
        }
    }
}
