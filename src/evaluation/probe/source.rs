//! What a probe reads: signal, held-out tracks and embeddings along an axis.

use std::ops::Range;

use super::blocks::Block;
use crate::genome::GenomeAxis;

/// Reads axis bins of one region of a track (its place in the list) into a slice of as many values.
pub(super) type ReadTrack<'a> =
    dyn Fn(usize, Range<u64>, &mut [f32]) -> crate::Result<()> + Sync + 'a;

/// Reads the vectors of a block's bins, `[bins, width]`, row-major.
pub(super) type ReadEmbedding<'a> = dyn Fn(&Block, &mut [f32]) -> crate::Result<()> + Sync + 'a;

/// A vector for each bin.
pub(super) struct Embedding<'a> {
    /// Numbers of a vector.
    pub width: usize,
    /// Reads them.
    pub read: Box<ReadEmbedding<'a>>,
}

/// What a probe reads. A value that is not a number means that the track has no data there.
pub(super) struct Source<'a> {
    /// The axis of the embedding.
    pub axis: &'a GenomeAxis,
    /// Bins that do not count, one entry a bin.
    pub masked: &'a [bool],
    /// How many tracks the embedding may have been learned from.
    pub n_signal: usize,
    /// Reads them.
    pub signal: Box<ReadTrack<'a>>,
    /// How many tracks were kept from it.
    pub n_held: usize,
    /// Reads them.
    pub held: Box<ReadTrack<'a>>,
    /// The embedding probed, then those that its neighbours are compared with.
    pub embeddings: Vec<Embedding<'a>>,
}

impl Source<'_> {
    /// Which bins of a block are masked.
    pub fn masked_in(&self, block: &Block) -> &[bool] {
        &self.masked[block.bins.start as usize..block.bins.end as usize]
    }

    /// How many bins count.
    pub fn n_bins(&self) -> u64 {
        self.masked.iter().filter(|masked| !**masked).count() as u64
    }
}
