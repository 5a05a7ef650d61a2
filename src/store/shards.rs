//! Putting a track's shards together from pieces that come in any order.
//!
//! A shard is written as soon as all of its bins have come, so memory holds a few shards, never a
//! track. Regions may come in an order that leaves many shards begun (chromosomes sorted as text,
//! say); beyond [`RESIDENT_SHARDS`] the one untouched for longest waits in a file.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read, Write};
use std::ops::Range;
use std::path::PathBuf;

use super::StoreError;
use super::chunk_checksums::{ChunkChecksums, ListDigest};
use super::coverage::{CoverageBuilder, TrackCoverage};
use super::durable::{make_folder, sync_folder, write_synced};
use super::statistics::Statistics;
use super::zarr::{METADATA, TrackArray};
use crate::Bug;

/// How many begun shards are kept in memory, 8 MiB each.
const RESIDENT_SHARDS: usize = 3;

/// An array under construction.
#[derive(Debug)]
pub(crate) struct ShardAssembler {
    array: TrackArray,
    folder: PathBuf,
    /// Where begun shards wait that memory has no room for.
    spill_folder: PathBuf,
    n_resident: usize,
    /// Begun shards in memory, the one last touched at the end.
    resident: Vec<BegunShard>,
    /// How many bins have come of each shard that waits in a file.
    spilled: HashMap<u64, u64>,
    come: Stretches,
    /// By shard, so that their sum does not depend on the order of coming.
    statistics: BTreeMap<u64, Statistics>,
    /// Of each shard's chunks.
    checksums: BTreeMap<u64, Vec<u32>>,
    /// Which bins of each shard have data.
    coverage: BTreeMap<u64, TrackCoverage>,
}

/// An array whose bytes are durable, and what is known of it.
#[derive(Debug)]
pub(crate) struct AssembledArray {
    pub(crate) statistics: Statistics,
    pub(crate) chunks: ListDigest,
    pub(crate) coverage: TrackCoverage,
}

#[derive(Debug)]
struct BegunShard {
    shard: u64,
    values: Vec<f32>,
    n_come: u64,
}

impl ShardAssembler {
    /// Begins an array in a new folder; `spill_folder` is used, and removed, when need be.
    pub(crate) fn begin(
        array: TrackArray,
        folder: PathBuf,
        spill_folder: PathBuf,
    ) -> Result<Self, StoreError> {
        make_folder(&folder)?;
        let document = array.metadata().map_err(Bug::new)?;
        write_synced(&folder.join(METADATA), &document)?;
        Ok(ShardAssembler {
            array,
            folder,
            spill_folder,
            n_resident: RESIDENT_SHARDS,
            resident: Vec::new(),
            spilled: HashMap::new(),
            come: Stretches::default(),
            statistics: BTreeMap::new(),
            checksums: BTreeMap::new(),
            coverage: BTreeMap::new(),
        })
    }

    /// Takes the values of consecutive bins of the axis.
    pub(crate) fn write(&mut self, first_bin: u64, values: &[f32]) -> Result<(), StoreError> {
        let division = self.array.division();
        let bins = first_bin..first_bin.saturating_add(values.len() as u64);
        if bins.end > division.n_bins {
            return Err(StoreError::Invalid(format!(
                "bins {}-{} are beyond the axis's {}",
                bins.start, bins.end, division.n_bins
            )));
        }
        self.come
            .add(bins.clone())
            .map_err(|twice| StoreError::Invalid(format!("bin {twice} of the axis came twice")))?;
        let mut rest = values;
        let mut at = bins.start;
        while !rest.is_empty() {
            let shard = at / division.shard_bins;
            let offset = at - shard * division.shard_bins;
            let n = (division.shard_bins - offset).min(rest.len() as u64);
            let (now, later) = rest.split_at(n as usize);
            self.take(shard, offset as usize, now)?;
            rest = later;
            at += n;
        }
        Ok(())
    }

    fn take(&mut self, shard: u64, offset: usize, values: &[f32]) -> Result<(), StoreError> {
        let mut begun = self.resume(shard)?;
        begun.values[offset..offset + values.len()].copy_from_slice(values);
        begun.n_come += values.len() as u64;
        let division = self.array.division();
        let first = shard * division.shard_bins;
        let n_bins = division.shard_bins.min(division.n_bins - first);
        if begun.n_come < n_bins {
            self.resident.push(begun);
            return Ok(());
        }
        let values = &begun.values[..n_bins as usize];
        self.statistics.insert(shard, Statistics::of(values));
        self.coverage
            .insert(shard, TrackCoverage::of_values(values));
        let bytes = self.array.encode_shard(&begun.values).map_err(Bug::new)?;
        let checksums = self.array.chunk_checksums(&bytes).map_err(Bug::new)?;
        self.checksums.insert(shard, checksums);
        let file = self.folder.join(self.array.shard_file(shard));
        if let Some(folder) = file.parent() {
            make_folder(folder)?;
        }
        write_synced(&file, &bytes)
    }

    /// The shard as far as it has come, out of memory, its file, or new.
    fn resume(&mut self, shard: u64) -> Result<BegunShard, StoreError> {
        if let Some(i) = self.resident.iter().position(|b| b.shard == shard) {
            return Ok(self.resident.remove(i));
        }
        // Room for this one first; the oldest stands at the front.
        while self.resident.len() >= self.n_resident.max(1) {
            let oldest = self.resident.remove(0);
            self.spill(oldest)?;
        }
        let mut values = vec![0.0f32; self.array.division().shard_bins as usize];
        let mut n_come = 0;
        if let Some(n) = self.spilled.remove(&shard) {
            let path = self.spill_folder.join(shard.to_string());
            let mut bytes = Vec::with_capacity(values.len() * 4);
            File::open(&path)
                .and_then(|mut f| f.read_to_end(&mut bytes))
                .and_then(|_| std::fs::remove_file(&path))
                .map_err(|e| StoreError::io(&path, e))?;
            for (value, four) in values.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *value = f32::from_ne_bytes(*four);
            }
            n_come = n;
        }
        Ok(BegunShard {
            shard,
            values,
            n_come,
        })
    }

    fn spill(&mut self, begun: BegunShard) -> Result<(), StoreError> {
        make_folder(&self.spill_folder)?;
        let path = self.spill_folder.join(begun.shard.to_string());
        // Not synced: it does not outlive the process.
        File::create(&path)
            .and_then(|mut f| f.write_all(zarrs::array::transmute_to_bytes(&begun.values)))
            .map_err(|e| StoreError::io(&path, e))?;
        self.spilled.insert(begun.shard, begun.n_come);
        Ok(())
    }

    /// Makes the array durable, but for its folder's own entries, which the caller syncs when it has
    /// added its own. All bins must have come.
    pub(crate) fn finish(self) -> Result<AssembledArray, StoreError> {
        let n_bins = self.array.division().n_bins;
        if let Some(missing) = self.come.first_missing(n_bins) {
            return Err(StoreError::Incomplete {
                what: "the track".into(),
                missing: format!("bin {missing} of the axis has not come"),
            });
        }
        super::durable::remove_folder(&self.spill_folder)?;
        let last = self.array.shard_file(self.array.division().n_shards() - 1);
        if let Some(folder) = self.folder.join(last).parent() {
            sync_folder(folder)?;
        }
        let chunks = ChunkChecksums::of_shards(&self.checksums).write(&self.folder)?;
        let mut coverage = CoverageBuilder::default();
        for of_shard in self.coverage.values() {
            coverage.append(of_shard);
        }
        let shards = self.statistics.into_values();
        Ok(AssembledArray {
            statistics: shards.fold(Statistics::default(), Statistics::and),
            chunks,
            coverage: coverage.finish(),
        })
    }
}

/// Which bins have come, as stretches that neither overlap nor meet.
#[derive(Debug, Default)]
struct Stretches {
    end_by_start: BTreeMap<u64, u64>,
}

impl Stretches {
    /// Adds a stretch, or says which of its bins is there already.
    fn add(&mut self, bins: Range<u64>) -> Result<(), u64> {
        if bins.is_empty() {
            return Ok(());
        }
        let before = self.end_by_start.range(..=bins.start).next_back();
        let before = before.map(|(start, end)| (*start, *end));
        let after = self.end_by_start.range(bins.start..).next();
        let after = after.map(|(start, end)| (*start, *end));
        if before.is_some_and(|(_, end)| end > bins.start) {
            return Err(bins.start);
        }
        if let Some((start, _)) = after.filter(|(start, _)| *start < bins.end) {
            return Err(start);
        }
        let mut joined = bins.clone();
        if let Some((start, _)) = before.filter(|(_, end)| *end == bins.start) {
            joined.start = start;
        }
        if let Some((start, end)) = after.filter(|(start, _)| *start == bins.end) {
            self.end_by_start.remove(&start);
            joined.end = end;
        }
        self.end_by_start.insert(joined.start, joined.end);
        Ok(())
    }

    fn first_missing(&self, n_bins: u64) -> Option<u64> {
        let end = self.end_by_start.get(&0).copied().unwrap_or(0);
        (end < n_bins).then_some(end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ValueType;
    use super::super::division::Division;
    use super::super::signal::SignalArray;
    use super::*;

    fn assembler(
        folder: &std::path::Path,
        division: Division,
        values: ValueType,
        n_resident: usize,
    ) -> ShardAssembler {
        let array = TrackArray::new(division, values, Default::default()).unwrap();
        let mut assembler =
            ShardAssembler::begin(array, folder.join("a"), folder.join("spill")).unwrap();
        assembler.n_resident = n_resident;
        assembler
    }

    #[test]
    fn a_bin_that_comes_twice_or_never_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let division = Division {
            n_bins: 10,
            shard_bins: 4,
            chunk_bins: 2,
        };
        let mut it = assembler(folder.path(), division, ValueType::F32, 3);
        it.write(0, &[1.0; 3]).unwrap();
        it.write(5, &[1.0; 5]).unwrap();
        for (first, n, why) in [
            (2, 1, "bin 2 of the axis came twice"),
            (4, 3, "bin 5 of the axis came twice"),
            (9, 2, "bins 9-11 are beyond the axis's 10"),
        ] {
            let error = it.write(first, &vec![1.0; n]).unwrap_err();
            assert_eq!(error.to_string(), why);
        }
        let error = it.finish().unwrap_err().to_string();
        assert!(error.contains("bin 3 of the axis has not come"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn shards_are_the_same_whatever_order_their_pieces_come_in(
            n_bins in 1u64..120,
            chunk_bins in 1u64..9,
            chunks in 1u64..6,
            n_resident in 1usize..4,
            cuts in proptest::collection::vec(0u64..120, 0..20),
            seed in any::<u64>(),
            is_u16 in any::<bool>(),
        ) {
            use rand::{SeedableRng, seq::SliceRandom};
            // Halves are whole numbers of steps.
            let values = match is_u16 {
                true => ValueType::U16(Default::default()),
                false => ValueType::F32,
            };
            let division = Division { n_bins, shard_bins: chunk_bins * chunks, chunk_bins };
            // Every fifth pair of bins has no data.
            let value = |i: u64| if i % 10 < 2 { f32::NAN } else { (i % 7) as f32 - 1.5 };
            let given: Vec<f32> = (0..n_bins).map(value).collect();
            let mut cuts: Vec<u64> = cuts.into_iter().filter(|c| *c < n_bins).collect();
            cuts.extend([0, n_bins]);
            cuts.sort_unstable();
            cuts.dedup();
            let mut pieces: Vec<(u64, u64)> = cuts.windows(2).map(|w| (w[0], w[1])).collect();
            pieces.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(seed));

            let folder = tempfile::tempdir().unwrap();
            let mut it = assembler(folder.path(), division, values, n_resident);
            for (start, end) in pieces {
                it.write(start, &given[start as usize..end as usize]).unwrap();
                prop_assert!(it.resident.len() <= n_resident);
            }
            let AssembledArray { statistics, chunks: digest, coverage } = it.finish().unwrap();
            prop_assert_eq!(&coverage, &TrackCoverage::of_values(&given));
            prop_assert_eq!(statistics.n, coverage.n_covered());
            prop_assert_eq!(statistics.n_negative, given.iter().filter(|v| **v < 0.0).count() as u64);
            prop_assert!(!folder.path().join("spill").exists());

            let array = SignalArray::open(&folder.path().join("a"), "a".into()).unwrap();
            let list = ChunkChecksums::read(&folder.path().join("a"), &digest, division).unwrap();
            let array = array.with_checksums(list);
            for start in 0..n_bins {
                for end in [start, start + 1, n_bins] {
                    let mut out = vec![7.0; (end - start) as usize];
                    array.read(start..end, &mut out).unwrap();
                    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                    prop_assert_eq!(bits(&out), bits(&given[start as usize..end as usize]));
                }
            }
        }
    }
}
