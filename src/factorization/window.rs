//! The signal that is in memory: some blocks of every training track.

use std::ops::Range;

use rayon::prelude::*;

use super::{Block, FactorizationError};
use crate::genome::{GenomeAxis, Mask};

/// Where training reads signal: the store, or memory in tests.
pub trait TrackSource: Send + Sync {
    /// Reads one track's stored values at consecutive bins of one region of the model's axis; NaN is a bin
    /// without data.
    ///
    /// # Errors
    /// When the store cannot give them.
    fn read(
        &self,
        track: usize,
        bins: Range<u64>,
        out: &mut [f32],
    ) -> Result<(), FactorizationError>;
}

/// A block inside a window.
#[derive(Debug, Clone)]
pub struct Segment {
    /// The window's bin it starts with.
    pub start: usize,
    /// The block.
    pub block: Block,
}

/// Some blocks of every training track, in memory.
#[derive(Debug)]
pub struct Window {
    /// The blocks, by ascending start.
    pub segments: Vec<Segment>,
    /// Bins of the window that are not masked, ascending.
    pub kept: Vec<u32>,
    n_bins: usize,
    /// Track after track.
    values: Vec<f32>,
}

impl Window {
    /// Reads the blocks of the given tracks, in parallel.
    ///
    /// # Errors
    /// When the store cannot give them.
    pub fn load(
        source: &dyn TrackSource,
        tracks: &[usize],
        mut blocks: Vec<Block>,
        mask: &Mask,
    ) -> Result<Self, FactorizationError> {
        // In the axis's order whatever the window's: neighbours that share a coarse row then meet.
        blocks.sort_by_key(|b| b.first_bin);
        let mut segments = Vec::with_capacity(blocks.len());
        let mut kept = Vec::new();
        let mut n_bins = 0;
        for block in blocks {
            for i in 0..block.n_bins {
                if !mask.is_masked(block.first_bin + i as u64) {
                    kept.push((n_bins + i) as u32);
                }
            }
            let start = n_bins;
            n_bins += block.n_bins;
            segments.push(Segment { start, block });
        }
        let mut values = vec![0f32; n_bins * tracks.len()];
        if n_bins > 0 {
            values
                .par_chunks_mut(n_bins)
                .zip(tracks)
                .try_for_each(|(values, track)| {
                    for segment in &segments {
                        let block = &segment.block;
                        let bins = block.first_bin..block.first_bin + block.n_bins as u64;
                        source.read(
                            *track,
                            bins,
                            &mut values[segment.start..segment.start + block.n_bins],
                        )?;
                    }
                    Ok::<(), FactorizationError>(())
                })?;
        }
        Ok(Window {
            segments,
            kept,
            n_bins,
            values,
        })
    }

    /// The value of a track (its place in the list loaded) at a bin of the window; NaN where it has no data.
    pub fn value(&self, track: usize, bin: u32) -> f32 {
        self.values[track * self.n_bins + bin as usize]
    }

    /// All values of a track, over the window's bins.
    pub fn track(&self, track: usize) -> &[f32] {
        &self.values[track * self.n_bins..(track + 1) * self.n_bins]
    }

    /// The segment that holds a bin of the window.
    pub fn segment_of(&self, bin: u32) -> usize {
        self.segments.partition_point(|s| s.start <= bin as usize) - 1
    }

    /// The axis bin of a bin of the window.
    pub fn axis_bin(&self, bin: u32) -> u64 {
        let Segment { start, block } = &self.segments[self.segment_of(bin)];
        block.first_bin + (bin as usize - start) as u64
    }

    /// The region and chromosome bin of a bin of a segment.
    pub fn chrom_bin(&self, axis: &GenomeAxis, segment: usize, bin: u32) -> (usize, u64) {
        let Segment { start, block } = &self.segments[segment];
        let region = &axis.regions()[block.region];
        let in_region = block.first_bin - axis.region_bins(block.region).start;
        (
            block.region,
            region.first_bin + in_region + (bin as usize - start) as u64,
        )
    }
}
