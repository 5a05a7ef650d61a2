//! The refinement's sizes.

use serde::{Deserialize, Serialize};

use crate::model::ModelError;

/// What a refinement is, apart from its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefinementConfig {
    /// How many bins on either side a neighbourhood reaches, ascending; the first is 0, the bin
    /// itself.
    pub reaches: Vec<usize>,
    /// The biosamples that the model had when it was trained: its first.
    pub biosamples: usize,
    /// The model's first assays, those that have inputs of their own: as many as it had when it was
    /// trained. Assays added later are imputed, but no input for others.
    pub assays: usize,
    /// Hidden layers of each network.
    pub layers: usize,
    /// Units of each hidden layer.
    pub nodes: usize,
    /// Networks whose mean is the prediction.
    pub members: usize,
}

/// Neighbourhoods over which the other biosamples' tracks of the assay are described one by one.
const FINE: usize = 4;

impl RefinementConfig {
    /// The default sizes for a number of biosamples and assays.
    pub fn new(biosamples: usize, assays: usize) -> Self {
        RefinementConfig {
            reaches: vec![0, 1, 5, 20, 100, 800],
            biosamples,
            assays,
            layers: 2,
            nodes: 256,
            members: 3,
        }
    }

    /// How many bins beyond a stretch are needed to describe it.
    pub fn halo(&self) -> usize {
        self.reaches.last().copied().unwrap_or(0)
    }

    /// Neighbourhoods over which the other biosamples' tracks of the assay are described.
    pub(super) fn fine(&self) -> usize {
        self.reaches.len().min(FINE)
    }

    /// Neighbourhoods over which biosamples are compared: all but the bin itself, which is noise.
    pub(super) fn compared(&self) -> usize {
        self.reaches.len() - 1
    }

    /// Width of the network's input.
    pub fn inputs(&self) -> usize {
        let (n, fine) = (self.reaches.len(), self.fine());
        // Averages, differences, whether observed, which assay; then what the assay's tracks show.
        self.assays * (2 * n + 2) + 2 * n + 3 * fine + self.compared() * fine + 1
    }

    /// Inputs and outputs of each layer of a network, the output's last.
    pub fn shapes(&self) -> impl Iterator<Item = (usize, usize)> {
        let (inputs, nodes, last) = (self.inputs(), self.nodes, self.layers);
        (0..=last).map(move |i| {
            let below = if i == 0 { inputs } else { nodes };
            (below, if i == last { 1 } else { nodes })
        })
    }

    /// # Errors
    /// When a size is 0, beyond what memory could hold, or the reaches do not ascend from 0.
    pub fn check(&self) -> Result<(), ModelError> {
        let named = [
            ("members", self.members, 64),
            ("refinement layers", self.layers, 16),
            ("refinement nodes", self.nodes, 1 << 14),
            ("assays", self.assays, 1 << 12),
        ];
        for (name, size, most) in named {
            if size == 0 || size > most {
                return Err(ModelError::Config(format!(
                    "{name} must be between 1 and {most}, not {size}"
                )));
            }
        }
        let ascending = self.reaches.windows(2).all(|w| w[0] < w[1]);
        let bounded = self.reaches.len() >= 2 && self.reaches.len() <= 16 && self.halo() <= 1 << 14;
        if !ascending || !bounded || self.reaches.first() != Some(&0) {
            return Err(ModelError::Config(format!(
                "the refinement's reaches must ascend from 0 to at most 16384 bins, not {:?}",
                self.reaches
            )));
        }
        Ok(())
    }
}
