//! What an annotation is made of, from the database's tables.

use std::ops::Range;

use super::{BinSet, enhancer_bins, gene_bins, promoter_intervals};
use crate::genome::{Gene, GenomeAxis, Mask};
use crate::store::{Database, StoreError};

/// What an annotation is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parts {
    /// The genes, in the database's order.
    pub genes: Vec<Gene>,
    /// The bins of promoters, genes, enhancers and the mask.
    pub sets: [Vec<Range<u64>>; 4],
}

impl Parts {
    /// From the database's tables, verified.
    pub fn read(database: &Database, axis: &GenomeAxis) -> Result<Self, StoreError> {
        let genes = database.genes()?;
        let none = Mask::none(axis);
        let masked = database.mask_intervals()?;
        let masked = masked.iter().flat_map(|i| axis.bins_within(i));
        let promoters = genes.iter().flat_map(promoter_intervals);
        let promoters = promoters.flat_map(|promoter| axis.bins_within(&promoter));
        let sets = [
            BinSet::new(&none, promoters),
            gene_bins(axis, &none, &genes),
            enhancer_bins(axis, &none, &database.enhancers()?),
            BinSet::new(&none, masked),
        ];
        Ok(Parts {
            genes,
            sets: sets.map(|set| set.ranges().to_vec()),
        })
    }
}
