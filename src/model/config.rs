//! Sizes and presets of the network.

use persea_vocabulary::vocabulary;
use serde::{Deserialize, Serialize};

use super::{EncoderConfig, ModelError, RefinementConfig};
use crate::genome::Resolution;

vocabulary! {
    /// Which network a model is.
    pub enum Architecture {
        /// Avocado's published network (Schreiber et al. 2020), unchanged
        Avocado = "avocado",
        /// Factors from an encoder of the observed tracks, plus a refinement that imputes from them
        Persea = "persea",
        /// Another program's embedding of genome windows, which imputes nothing
        Embedding = "embedding",
    }
}

vocabulary! {
    /// A named set of sizes.
    pub enum Preset {
        /// The published default: 32 + 256 + 25 + 40 + 45 factors, two layers of 2048, batches of 40,000.
        Paper = "paper",
        /// The default model's: 32 + 24 + 16 + 24 + 24, one layer of 256, batches of 10,000.
        Persea = "persea",
        /// The original's own example for a CPU: 32 + 24 + 5 + 20 + 30, one layer of 64, batches of 10,000.
        Small = "small",
    }
}

/// How wide each part of the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Factors of a biosample.
    pub biosample_factors: usize,
    /// Factors of an assay.
    pub assay_factors: usize,
    /// Factors of the genome at 25 bp.
    pub factors_25bp: usize,
    /// Factors of the genome at 250 bp.
    pub factors_250bp: usize,
    /// Factors of the genome at 5 kbp.
    pub factors_5kbp: usize,
    /// Hidden layers.
    pub layers: usize,
    /// Units of each hidden layer.
    pub nodes: usize,
    /// Samples of one training step.
    pub batch_size: usize,
}

impl Sizes {
    /// The sizes of a preset.
    pub const fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Paper => Sizes {
                biosample_factors: 32,
                assay_factors: 256,
                factors_25bp: 25,
                factors_250bp: 40,
                factors_5kbp: 45,
                layers: 2,
                nodes: 2048,
                batch_size: 40_000,
            },
            Preset::Persea => Sizes {
                biosample_factors: 4,
                assay_factors: 8,
                factors_25bp: 16,
                factors_250bp: 24,
                factors_5kbp: 24,
                layers: 1,
                nodes: 256,
                batch_size: 10_000,
            },
            Preset::Small => Sizes {
                biosample_factors: 32,
                assay_factors: 24,
                factors_25bp: 5,
                factors_250bp: 20,
                factors_5kbp: 30,
                layers: 1,
                nodes: 64,
                batch_size: 10_000,
            },
        }
    }

    /// The sizes of a kind of model. The genome factors of a model persea come from its encoder, whatever
    /// the preset, and its network for a CPU is the preset `persea`.
    pub const fn of_model(model: Architecture, preset: Preset) -> Self {
        let default = Self::preset(Preset::Persea);
        match (model, preset) {
            (Architecture::Persea, Preset::Small) => default,
            (Architecture::Persea, _) => Sizes {
                factors_25bp: default.factors_25bp,
                factors_250bp: default.factors_250bp,
                factors_5kbp: default.factors_5kbp,
                ..Self::preset(preset)
            },
            _ => Self::preset(preset),
        }
    }

    /// Factors of the genome at a scale.
    pub const fn genome_factors(&self, scale: Resolution) -> usize {
        match scale {
            Resolution::Bp25 => self.factors_25bp,
            Resolution::Bp250 => self.factors_250bp,
            Resolution::Kbp5 => self.factors_5kbp,
        }
    }

    /// Width of a position's embedding: its factors at the three scales side by side.
    pub const fn embedding(&self) -> usize {
        self.factors_25bp + self.factors_250bp + self.factors_5kbp
    }

    /// Width of the network's input: biosample, assay, then the three genome scales, finest first.
    pub const fn inputs(&self) -> usize {
        self.biosample_factors + self.assay_factors + self.embedding()
    }

    /// # Errors
    /// When a size is 0 or beyond what memory could hold.
    pub fn check(&self) -> Result<(), ModelError> {
        let named = [
            ("biosample factors", self.biosample_factors),
            ("assay factors", self.assay_factors),
            ("25 bp factors", self.factors_25bp),
            ("250 bp factors", self.factors_250bp),
            ("5 kbp factors", self.factors_5kbp),
            ("layers", self.layers),
            ("nodes", self.nodes),
            ("batch size", self.batch_size),
        ];
        for (name, size) in named {
            let most = if name == "batch size" {
                1 << 24
            } else {
                1 << 16
            };
            if size == 0 || size > most {
                return Err(ModelError::Config(format!(
                    "{name} must be between 1 and {most}, not {size}"
                )));
            }
        }
        Ok(())
    }
}

/// What a model is, apart from its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// Which network.
    pub architecture: Architecture,
    /// Its sizes.
    pub sizes: Sizes,
    /// The encoder's, of architecture `persea`; models of before there was one have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<EncoderConfig>,
    /// The refinement's, of architecture `persea`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refinement: Option<RefinementConfig>,
}
