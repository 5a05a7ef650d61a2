//! What binds a track's chunks to the track and to their places.
//!
//! A chunk's own CRC-32C finds damage, and says nothing of where the chunk belongs: two tracks' shards
//! exchanged would be right bytes in the wrong place. So a list of all chunks' checksums lies beside
//! each array, and the track's row has the list's BLAKE3. Opening a track reads and verifies the list
//! (4 bytes for 16,384 bins); reading a chunk compares one number.

use std::collections::BTreeMap;
use std::path::Path;

use super::StoreError;
use super::division::{ChunkPlace, Division};
use super::durable::write_synced;

/// The name of the list in an array's folder.
pub(crate) const FILE_NAME: &str = "chunks.crc32c";

/// The BLAKE3 of a list.
pub(crate) type ListDigest = [u8; 32];

/// The checksums of all chunks of an array, in the order of the bins; 0 for a chunk that is not
/// stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChunkChecksums(Vec<u32>);

impl ChunkChecksums {
    /// Puts the shards' lists together.
    pub(crate) fn of_shards(shards: &BTreeMap<u64, Vec<u32>>) -> Self {
        ChunkChecksums(shards.values().flatten().copied().collect())
    }

    /// Writes the list into an array's folder and gives its digest.
    pub(crate) fn write(&self, folder: &Path) -> Result<ListDigest, StoreError> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|crc| crc.to_le_bytes()).collect();
        write_synced(&folder.join(FILE_NAME), &bytes)?;
        Ok(*blake3::hash(&bytes).as_bytes())
    }

    /// Reads the list of an array; an error is what is wrong with it.
    pub(crate) fn read(
        folder: &Path,
        digest: &ListDigest,
        division: Division,
    ) -> Result<Self, String> {
        let bytes =
            std::fs::read(folder.join(FILE_NAME)).map_err(|e| format!("{FILE_NAME}: {e}"))?;
        if blake3::hash(&bytes).as_bytes() != digest {
            return Err(format!(
                "{FILE_NAME} is not the list of checksums that belongs to this track"
            ));
        }
        let (numbers, _) = bytes.as_chunks::<4>();
        let list: Vec<u32> = numbers.iter().map(|n| u32::from_le_bytes(*n)).collect();
        let n_chunks = division.n_shards() * division.chunks_per_shard();
        match list.len() as u64 == n_chunks {
            true => Ok(ChunkChecksums(list)),
            false => Err(format!(
                "{FILE_NAME} has {} chunks, the array {n_chunks}",
                list.len()
            )),
        }
    }

    /// The checksum of a chunk of the array.
    pub(crate) fn of(&self, chunk: u64) -> Option<u32> {
        self.0.get(usize::try_from(chunk).ok()?).copied()
    }
}

/// The checksums of a shard's chunks.
pub(crate) fn of_shard(shard: &[u8], places: &[ChunkPlace]) -> Option<Vec<u32>> {
    let one = |place: &ChunkPlace| match place {
        None => Some(0),
        Some((offset, n)) => {
            let start = usize::try_from(*offset).ok()?;
            let end = start.checked_add(usize::try_from(*n).ok()?)?;
            stored_checksum(shard.get(start..end)?)
        }
    };
    places.iter().map(one).collect()
}

/// The CRC-32C at the end of a chunk's bytes, which decoding compares with what stands before it.
pub(crate) fn stored_checksum(chunk: &[u8]) -> Option<u32> {
    chunk.last_chunk::<4>().map(|crc| u32::from_le_bytes(*crc))
}
