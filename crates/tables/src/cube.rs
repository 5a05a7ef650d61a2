//! Tracks of many experiments as one Zarr v3 array, `[biosample, assay, bin]`, for Python's zarr and
//! xarray.
//!
//! Tracks are written one at a time, each from its first bin to its last; memory holds one shard (up
//! to 2 million bins) of each track that is begun. No shard spans two tracks.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
use zarrs::array::codec::{Crc32cCodec, ZstdCodec};
use zarrs::array::{Array, ArrayBuilder, data_type};
use zarrs::filesystem::FilesystemStore;
use zarrs::group::GroupBuilder;

use persea_files::{FileError, UnfinishedFolder};

/// Bins of a chunk.
const CHUNK_BINS: u64 = 1 << 14;
/// Bins of a shard at most, 8 MiB.
const SHARD_BINS: u64 = 1 << 21;

/// An array under construction; dropped before [`CubeWriter::finish`], it leaves nothing.
pub struct CubeWriter {
    path: PathBuf,
    output: UnfinishedFolder,
    store: Arc<FilesystemStore>,
    signal: Array<FilesystemStore>,
    n_bins: u64,
    shard_bins: u64,
    /// By biosample and assay: how many bins have come, and those of the shard that is begun.
    begun: HashMap<(u64, u64), (u64, Vec<f32>)>,
}

impl CubeWriter {
    /// Begins a Zarr group with the array `signal`; `attributes` are the group's.
    ///
    /// # Errors
    /// When something of that name exists or the folder cannot be written to.
    pub fn create(
        path: &Path,
        n_biosamples: u64,
        n_assays: u64,
        n_bins: u64,
        attributes: Map<String, Value>,
    ) -> Result<Self, FileError> {
        if path.exists() {
            return Err(FileError::file(
                path.display(),
                "is there already; remove it or choose another name",
            ));
        }
        let failed = |e: io::Error| FileError::write(path.display(), e);
        let folder = persea_files::folder(path);
        let output = UnfinishedFolder::begin_in(folder).map_err(failed)?;
        let store = FilesystemStore::new(output.path()).map_err(|e| failed(io::Error::other(e)))?;
        let store = Arc::new(store);
        GroupBuilder::new()
            .attributes(attributes)
            .build(store.clone(), "/")
            .map_err(|e| failed(io::Error::other(e)))?
            .store_metadata()
            .map_err(|e| failed(io::Error::other(e)))?;
        let shard_bins = n_bins.next_multiple_of(CHUNK_BINS).min(SHARD_BINS);
        let signal = ArrayBuilder::new(
            vec![n_biosamples, n_assays, n_bins],
            vec![1, 1, shard_bins],
            data_type::float32(),
            f32::NAN,
        )
        .subchunk_shape(vec![1, 1, CHUNK_BINS])
        .bytes_to_bytes_codecs(vec![
            Arc::new(ZstdCodec::new(2, false)),
            Arc::new(Crc32cCodec::new()),
        ])
        .dimension_names(["biosample", "assay", "bin"].into())
        .build(store.clone(), "/signal")
        .map_err(|e| failed(io::Error::other(e)))?;
        signal
            .store_metadata()
            .map_err(|e| failed(io::Error::other(e)))?;
        Ok(CubeWriter {
            path: path.to_path_buf(),
            output,
            store,
            signal,
            n_bins,
            shard_bins,
            begun: HashMap::new(),
        })
    }

    /// Writes the next bins of a track.
    ///
    /// # Errors
    /// When there are more than the array has, or the disk is full.
    pub fn write(
        &mut self,
        biosample: u64,
        assay: u64,
        mut values: &[f32],
    ) -> Result<(), FileError> {
        // Of a track whose first values these are, nothing has come before.
        let (n_come, mut shard) = self.begun.remove(&(biosample, assay)).unwrap_or_default();
        let mut n_come = n_come;
        if n_come + values.len() as u64 > self.n_bins {
            return Err(FileError::file(
                self.path.display(),
                "a track has more bins than the array",
            ));
        }
        while !values.is_empty() {
            let free = self.shard_bins as usize - shard.len();
            let (now, later) = values.split_at(free.min(values.len()));
            shard.extend_from_slice(now);
            n_come += now.len() as u64;
            values = later;
            if shard.len() as u64 == self.shard_bins || n_come == self.n_bins {
                shard.resize(self.shard_bins as usize, f32::NAN);
                let place = [biosample, assay, (n_come - 1) / self.shard_bins];
                self.signal
                    .store_chunk(&place, shard.as_slice())
                    .map_err(|e| FileError::write(self.path.display(), io::Error::other(e)))?;
                shard.clear();
            }
        }
        if n_come < self.n_bins {
            self.begun.insert((biosample, assay), (n_come, shard));
        }
        Ok(())
    }

    /// Writes a small array `[biosample, assay]` of 0 and 1 beside the signal.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write_flags(&self, name: &str, flags: &[u8]) -> Result<(), FileError> {
        let failed = |e: String| FileError::write(self.path.display(), io::Error::other(e));
        let shape = self.signal.shape()[..2].to_vec();
        let array = ArrayBuilder::new(shape.clone(), shape, data_type::uint8(), 0u8)
            .dimension_names(["biosample", "assay"].into())
            .build(self.store.clone(), &format!("/{name}"))
            .map_err(|e| failed(e.to_string()))?;
        array.store_metadata().map_err(|e| failed(e.to_string()))?;
        array
            .store_chunk(&[0, 0], flags)
            .map_err(|e| failed(e.to_string()))
    }

    /// Makes everything durable and gives the array its name.
    ///
    /// # Errors
    /// When a track is not complete, or the disk is full.
    pub fn finish(self) -> Result<(), FileError> {
        let failed = |e: io::Error| FileError::write(self.path.display(), e);
        if !self.begun.is_empty() {
            return Err(FileError::file(
                self.path.display(),
                "a track is not complete",
            ));
        }
        sync_below(self.output.path()).map_err(failed)?;
        self.output
            .rename(&self.path)
            .map_err(|e| FileError::write(self.path.display(), e))?;
        Ok(())
    }
}

pub(crate) fn sync_below(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => sync_below(&path)?,
            false => std::fs::File::open(&path)?.sync_all()?,
        }
    }
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cube(path: &Path, n_bins: u64) -> CubeWriter {
        CubeWriter::create(path, 2, 1, n_bins, Map::new()).unwrap()
    }

    fn read(path: &Path, biosample: u64) -> Vec<f32> {
        let store = Arc::new(FilesystemStore::new(path).unwrap());
        let array = Array::open(store, "/signal").unwrap();
        let n_bins = array.shape()[2];
        let part = [biosample..biosample + 1, 0..1, 0..n_bins];
        array.retrieve_array_subset(&part).unwrap()
    }

    #[test]
    fn tracks_that_come_by_turns_and_over_several_shards_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.zarr");
        let n_bins = SHARD_BINS + 12_345;
        let track =
            |b: u64| -> Vec<f32> { (0..n_bins).map(|i| (i * (b + 2) % 1_009) as f32).collect() };
        let tracks = [track(0), track(1)];
        let mut writer = cube(&path, n_bins);
        for first in (0..n_bins as usize).step_by(1_000_003) {
            for (b, track) in tracks.iter().enumerate() {
                let end = (first + 1_000_003).min(track.len());
                writer.write(b as u64, 0, &track[first..end]).unwrap();
            }
        }
        writer.write_flags("measured", &[1, 0]).unwrap();
        writer.finish().unwrap();
        for (b, track) in tracks.iter().enumerate() {
            assert!(read(&path, b as u64) == *track);
        }
        assert!(CubeWriter::create(&path, 1, 1, 1, Map::new()).is_err());
    }

    #[test]
    fn an_incomplete_track_and_one_too_long_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.zarr");
        let mut writer = cube(&path, 10);
        writer.write(0, 0, &[1.0; 9]).unwrap();
        let message = writer.finish().unwrap_err().to_string();
        assert!(message.contains("not complete"), "{message}");
        let mut writer = cube(&path, 10);
        assert!(writer.write(0, 0, &[1.0; 11]).is_err());
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
