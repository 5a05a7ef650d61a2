//! How an array is divided into shards and chunks.

/// Where a chunk lies in its shard's file: first byte and length. `None`: not stored, all zeros.
pub(crate) type ChunkPlace = Option<(u64, u64)>;

/// How an array is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Division {
    /// Bins in the array.
    pub(crate) n_bins: u64,
    /// Bins in a shard, which is a file.
    pub(crate) shard_bins: u64,
    /// Bins in a chunk, which is compressed, checked and read as a whole.
    pub(crate) chunk_bins: u64,
}

impl Division {
    /// Shards of 2^21 bins (8 MiB before compression), chunks of 2^14 (64 KiB); a shorter axis is
    /// one shard no longer than it has to be.
    pub(crate) fn of_axis(n_bins: u64) -> Self {
        let chunk_bins = 1 << 14;
        Division {
            n_bins,
            shard_bins: n_bins.next_multiple_of(chunk_bins).min(1 << 21),
            chunk_bins,
        }
    }

    pub(crate) fn n_shards(&self) -> u64 {
        self.n_bins.div_ceil(self.shard_bins)
    }

    pub(crate) fn chunks_per_shard(&self) -> u64 {
        self.shard_bins / self.chunk_bins
    }
}
