//! Reading a track's signal.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::chunk_checksums::{ChunkChecksums, stored_checksum};
use super::division::{ChunkLocation, Division};
use super::recent_chunks::RecentChunks;
use super::zarr::{ChunkValues, METADATA, TrackArray};
use super::{Database, Step, StoreError, Track, ValueType};

/// A track's stored values along the genome axis. May be shared by threads.
///
/// Indices of the shards that have been read stay in memory (2 KB each); of values the chunks that the
/// database's last short reads lay in.
#[derive(Debug)]
pub struct SignalArray {
    array: TrackArray,
    folder: PathBuf,
    /// The track and array, for errors.
    what: String,
    /// Of all chunks; `None` of a track that a Persea before schema version 7 stored.
    checksums: Option<ChunkChecksums>,
    indices: Vec<OnceLock<Vec<ChunkLocation>>>,
    /// What the database keeps of it for short reads, and under which number.
    number: u64,
    recent: Arc<RecentChunks>,
}

/// A read is short if a chunk holds so many of its length.
const SHORT: u64 = 8;

impl Database {
    /// Opens a track's signal.
    ///
    /// # Errors
    /// [`StoreError::Replaced`] when the track has been replaced or removed since it was looked up; when
    /// the array is missing or its metadata is damaged.
    pub fn signal(&self, track: &Track) -> Result<SignalArray, StoreError> {
        let what = format!(
            "track {} {} (signal.zarr/{})",
            track.biosample, track.assay, track.array
        );
        let array = match SignalArray::open(&self.signal_folder().join(&track.array), what) {
            Err(StoreError::Damaged { .. }) if self.has_replaced(track)? => {
                return Err(StoreError::Replaced {
                    what: format!("track {} {}", track.biosample, track.assay),
                });
            }
            opened => opened?,
        };
        if array.n_bins() != self.axis().n_bins() {
            return Err(array.damaged(format!(
                "it has {} bins, the genome axis {}",
                array.n_bins(),
                self.axis().n_bins()
            )));
        }
        if let Err(why) = array.require(track.values) {
            return Err(array.damaged(format!("{why}; {AGAIN}")));
        }
        let array = array.with_recent(&self.recent);
        let Some(digest) = &track.chunks else {
            return Ok(array);
        };
        match ChunkChecksums::read(&array.folder, digest, array.array.division()) {
            Ok(list) => Ok(array.with_checksums(list)),
            Err(why) => Err(array.damaged(format!("{why}; {AGAIN}"))),
        }
    }
}

impl Database {
    /// Whether a track that was looked up has another array by now, or none.
    fn has_replaced(&self, track: &Track) -> Result<bool, StoreError> {
        let now = self.track(&track.biosample, &track.assay)?;
        Ok(now.is_none_or(|now| now.array != track.array))
    }
}

impl SignalArray {
    pub(crate) fn open(folder: &Path, what: String) -> Result<Self, StoreError> {
        let path = folder.join(METADATA);
        let document = match std::fs::read(&path) {
            Ok(document) => document,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::damaged(what, GONE));
            }
            Err(e) => return Err(StoreError::io(&path, e)),
        };
        let array = TrackArray::from_metadata(&document)
            .map_err(|why| StoreError::damaged(format!("{what}, {METADATA}"), why))?;
        let indices = (0..array.division().n_shards())
            .map(|_| OnceLock::new())
            .collect();
        Ok(SignalArray {
            array,
            folder: folder.to_path_buf(),
            what,
            checksums: None,
            indices,
            number: 0,
            recent: Arc::default(),
        })
    }

    /// The array, which from now on shares what is kept for short reads.
    fn with_recent(mut self, recent: &Arc<RecentChunks>) -> Self {
        self.number = recent.new_array();
        self.recent = Arc::clone(recent);
        self
    }

    /// The array, which from now on believes only chunks with these checksums.
    pub(crate) fn with_checksums(mut self, checksums: ChunkChecksums) -> Self {
        self.checksums = Some(checksums);
        self
    }

    /// Refuses an array whose values are not stored as the track's row says.
    pub(crate) fn require(&self, values: ValueType) -> Result<(), String> {
        let shown = |step: Option<Step>| match step {
            Some(step) => ValueType::U16(step),
            None => ValueType::F32,
        };
        let (found, expected) = (self.array.step(), values.step());
        match found == expected {
            true => Ok(()),
            false => Err(format!(
                "its values are {}, and the track's row says {}",
                shown(found),
                shown(expected)
            )),
        }
    }

    pub(crate) fn division(&self) -> Division {
        self.array.division()
    }

    /// How many bins it has: those of the genome axis.
    pub fn n_bins(&self) -> u64 {
        self.array.division().n_bins
    }

    /// Reads the stored (transformed) values of the bins into `out`, which must be as long.
    ///
    /// # Errors
    /// When the bins are beyond the axis, `out` has another length, or a chunk is missing or
    /// damaged; the error names the array and the chunk.
    pub fn read(&self, bins: Range<u64>, out: &mut [f32]) -> Result<(), StoreError> {
        let division = self.array.division();
        if bins.end > division.n_bins || bins.end.checked_sub(bins.start) != Some(out.len() as u64)
        {
            return Err(StoreError::Invalid(format!(
                "bins {}-{} of {} cannot be read into {} values",
                bins.start,
                bins.end,
                division.n_bins,
                out.len()
            )));
        }
        let chunk = bins.start / division.chunk_bins;
        if out.len() as u64 * SHORT <= division.chunk_bins
            && bins.start < bins.end
            && (bins.end - 1) / division.chunk_bins == chunk
        {
            return self.read_within(chunk, bins, out);
        }
        let mut at = bins.start;
        let mut rest = out;
        while !rest.is_empty() {
            let shard = at / division.shard_bins;
            let end = ((shard + 1) * division.shard_bins).min(bins.end);
            let (now, later) = rest.split_at_mut((end - at) as usize);
            self.read_shard(shard, at, now)?;
            rest = later;
            at = end;
        }
        Ok(())
    }

    /// Reads bins of one chunk, which is read as a whole and kept for the next short reads.
    fn read_within(&self, chunk: u64, bins: Range<u64>, out: &mut [f32]) -> Result<(), StoreError> {
        let division = self.array.division();
        let first = chunk * division.chunk_bins;
        let values = match self.recent.get(self.number, chunk) {
            Some(values) => values,
            None => {
                let n = division.chunk_bins.min(division.n_bins - first);
                let mut values = vec![0f32; n as usize];
                self.read_shard(first / division.shard_bins, first, &mut values)?;
                let values: Arc<[f32]> = values.into();
                self.recent.keep(self.number, chunk, Arc::clone(&values));
                values
            }
        };
        let (start, end) = (bins.start - first, bins.end - first);
        out.copy_from_slice(&values[start as usize..end as usize]);
        Ok(())
    }

    /// Reads bins of one shard, from `first_bin` on.
    fn read_shard(&self, shard: u64, first_bin: u64, out: &mut [f32]) -> Result<(), StoreError> {
        let division = self.array.division();
        let mut file = self.open_shard(shard)?;
        let index = self.index(shard, &mut file)?;
        let mut at = first_bin - shard * division.shard_bins;
        let mut rest = out;
        while !rest.is_empty() {
            let chunk = at / division.chunk_bins;
            let skipped = (at % division.chunk_bins) as usize;
            let n = (division.chunk_bins as usize - skipped).min(rest.len());
            let (now, later) = rest.split_at_mut(n);
            let expected = self
                .checksums
                .as_ref()
                .map(|list| list.of(shard * division.chunks_per_shard() + chunk));
            match index.get(chunk as usize).copied().flatten() {
                None if expected.is_none_or(|crc| crc == Some(0)) => now.fill(0.0),
                None => return Err(self.damaged_chunk(shard, chunk, ELSEWHERE.into())),
                Some(place) => {
                    let values = self
                        .read_chunk(&mut file, place, expected)
                        .map_err(|why| self.damaged_chunk(shard, chunk, why))?;
                    values.copy_from(skipped, now).ok_or_else(|| {
                        self.damaged_chunk(shard, chunk, "it is too short".into())
                    })?;
                }
            }
            rest = later;
            at += n as u64;
        }
        Ok(())
    }

    fn open_shard(&self, shard: u64) -> Result<File, StoreError> {
        let path = self.folder.join(self.array.shard_file(shard));
        match File::open(&path) {
            Ok(file) => Ok(file),
            // Every shard is written, an empty one too: a missing one is not a shard of zeros.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let what = format!("{}, shard {}", self.what, self.array.shard_file(shard));
                Err(StoreError::damaged(what, GONE))
            }
            Err(e) => Err(StoreError::io(&path, e)),
        }
    }

    /// The shard's index, from memory or from the end of its file.
    fn index(&self, shard: u64, file: &mut File) -> Result<&[ChunkLocation], StoreError> {
        let slot = &self.indices[shard as usize];
        if let Some(index) = slot.get() {
            return Ok(index);
        }
        let read = |file: &mut File| -> Result<Vec<ChunkLocation>, String> {
            let n_bytes = self.array.index_bytes()?;
            let length = file.metadata().map_err(|e| e.to_string())?.len();
            let start = length
                .checked_sub(n_bytes)
                .ok_or_else(|| "the file is cut short".to_string())?;
            let mut bytes = vec![0; n_bytes as usize];
            file.seek(SeekFrom::Start(start))
                .and_then(|_| file.read_exact(&mut bytes))
                .map_err(|e| e.to_string())?;
            let places = self.array.decode_index(bytes)?;
            // Chunks lie before the index; this also bounds what is allocated to read one.
            let fits =
                |(offset, n): &(u64, u64)| offset.checked_add(*n).is_some_and(|end| end <= start);
            match places.iter().flatten().all(fits) {
                true => Ok(places),
                false => Err("its index points beyond the file".into()),
            }
        };
        let index = read(file).map_err(|why| {
            let what = format!("{}, shard {}", self.what, self.array.shard_file(shard));
            StoreError::damaged(what, format!("{why}; {AGAIN}"))
        })?;
        // Another thread may have been faster: both have read the same.
        Ok(slot.get_or_init(|| index))
    }

    /// Reads a chunk, which must have the expected checksum where one is known.
    fn read_chunk(
        &self,
        file: &mut File,
        (offset, n): (u64, u64),
        expected: Option<Option<u32>>,
    ) -> Result<ChunkValues, String> {
        let mut bytes = vec![0; n as usize];
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|e| e.to_string())?;
        let found = stored_checksum(&bytes);
        // Decoding compares the checksum with the bytes; this is whether it is the right one.
        let values = self.array.decode_chunk(bytes)?;
        match expected.is_none_or(|crc| crc == found) {
            true => Ok(values),
            false => Err(ELSEWHERE.into()),
        }
    }

    fn damaged_chunk(&self, shard: u64, chunk: u64, why: String) -> StoreError {
        let division = self.array.division();
        let first = shard * division.shard_bins + chunk * division.chunk_bins;
        let end = (first + division.chunk_bins).min(division.n_bins);
        let what = format!(
            "{}, shard {}, chunk {chunk} (bins {first}-{end})",
            self.what,
            self.array.shard_file(shard)
        );
        StoreError::damaged(what, format!("{why}; {AGAIN}"))
    }

    fn damaged(&self, why: String) -> StoreError {
        StoreError::damaged(self.what.clone(), why)
    }
}

const GONE: &str = "its file is gone: the track was replaced or removed meanwhile (look it up \
                    again), or the file was deleted (ingest the track again)";

const ELSEWHERE: &str = "its bytes are whole, but not those that were written at this place";

const AGAIN: &str = "remove the track and ingest it again";
