//! The file of one part: the factors of some of the regions that several jobs embed.
//!
//! A header, what the factors depend on as JSON, the rows of one stretch after another as little-endian f32, and
//! the BLAKE3 of all of it.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Bug;
use crate::compendium::Shard;
use crate::factorization::FactorizationError;
use crate::files::{FileError, OutputFile, open_regular};
use crate::genome::{Assembly, GenomeAxis, Region, Resolution};
use crate::model::Stretch;

const MAGIC: &[u8; 8] = b"PERSEAXT";
const VERSION: u32 = 1;
/// Magic, version, length of the JSON.
const HEADER_BYTES: u64 = 8 + 4 + 8;
const CHECKSUM_BYTES: u64 = 32;

/// What the factors of new regions depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PartSettings {
    /// The version of the program.
    pub persea: String,
    /// The instructions that computed them, and whether they were pinned.
    pub instructions: Value,
    /// The assembly's name.
    pub assembly: String,
    /// Of the encoder's numbers.
    pub encoder: String,
    /// Of the names and the content of the tracks that it reads.
    pub tracks: String,
    /// Factors of a row at each resolution, finest first.
    pub factors: [usize; 3],
    /// The regions that were asked for.
    pub asked: Vec<PartRegion>,
    /// What the model lacked of them.
    pub added: Vec<PartRegion>,
}

/// A region: name, chromosome, first chromosome bin, number of bins.
pub(super) type PartRegion = (Option<String>, String, u64, u64);

/// Regions as a part lists them.
pub(super) fn listed(regions: &[Region]) -> Vec<PartRegion> {
    let listed = regions.iter();
    listed
        .map(|r| (r.name.clone(), r.chrom.clone(), r.first_bin, r.n_bins))
        .collect()
}

impl PartSettings {
    /// Why factors of other settings do not go together with these, if so.
    pub fn differ(&self, other: &PartSettings) -> Option<&'static str> {
        let cases = [
            (
                self.persea != other.persea,
                "was made by another version of Persea",
            ),
            (self.assembly != other.assembly, "is of another assembly"),
            (
                self.encoder != other.encoder || self.factors != other.factors,
                "is of another model, or of an earlier training of it",
            ),
            (
                self.tracks != other.tracks,
                "is of other tracks, or of tracks that were replaced since",
            ),
            (self.asked != other.asked, "is of other regions"),
            (
                self.added != other.added,
                "is of a model that covered other regions",
            ),
            (
                self.instructions != other.instructions,
                "was computed with other vector instructions, whose last bits differ; pin the same on all nodes \
                 (PERSEA_INSTRUCTIONS)",
            ),
        ];
        let first = cases.into_iter().find(|(differs, _)| *differs);
        first.map(|(_, why)| why)
    }

    /// The axis of what the model lacked.
    pub fn axis(&self, assembly: &Assembly) -> Result<GenomeAxis, FactorizationError> {
        let regions = self.added.iter().cloned();
        let regions = regions.map(|(name, chrom, first_bin, n_bins)| Region {
            name,
            chrom,
            first_bin,
            n_bins,
        });
        Ok(GenomeAxis::with_regions_apart(
            assembly.clone(),
            regions.collect(),
        )?)
    }
}

/// The stretches of an axis that one job embeds: parts follow one another and have about as many bins.
pub(super) fn own_stretches(axis: &GenomeAxis, shard: Shard) -> Vec<Stretch> {
    let (count, all) = (shard.count() as u128, u128::from(axis.n_bins().max(1)));
    let of = |stretch: &Stretch| {
        let first = u128::from(stretch.axis_bin(stretch.bins.start));
        (first * count / all) as usize
    };
    let mut stretches = Stretch::all(axis);
    stretches.retain(|stretch| of(stretch) == shard.index());
    stretches
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    shard: String,
    settings: PartSettings,
}

/// Passes bytes on and hashes them.
struct Hashed<T> {
    inner: T,
    hasher: blake3::Hasher,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(bytes)?;
        self.hasher.update(&bytes[..n]);
        Ok(n)
    }
}

/// A part under construction. Without [`PartWriter::finish`] no file is left.
pub(super) struct PartWriter {
    path: PathBuf,
    out: Hashed<BufWriter<OutputFile>>,
}

impl PartWriter {
    pub fn begin(
        path: &Path,
        shard: Shard,
        settings: &PartSettings,
    ) -> Result<Self, FactorizationError> {
        let header = Header {
            shard: shard.to_string(),
            settings: settings.clone(),
        };
        let header = serde_json::to_vec(&header).map_err(|e| Bug::new(format!("a header: {e}")))?;
        let mut writer = PartWriter {
            path: path.to_path_buf(),
            out: Hashed {
                inner: BufWriter::with_capacity(1 << 20, OutputFile::stream(path)?),
                hasher: blake3::Hasher::new(),
            },
        };
        writer.bytes(MAGIC)?;
        writer.bytes(&VERSION.to_le_bytes())?;
        writer.bytes(&(header.len() as u64).to_le_bytes())?;
        writer.bytes(&header)?;
        Ok(writer)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), FactorizationError> {
        let written = self.out.write_all(bytes);
        Ok(written.map_err(|e| FileError::write(self.path.display(), e))?)
    }

    /// The rows of the next stretch, finest resolution first.
    pub fn stretch(&mut self, codes: &[Vec<f32>; 3]) -> Result<(), FactorizationError> {
        for codes in codes {
            let bytes: Vec<u8> = codes.iter().flat_map(|v| v.to_le_bytes()).collect();
            self.bytes(&bytes)?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<(), FactorizationError> {
        let checksum = self.out.hasher.finalize();
        self.bytes(checksum.as_bytes())?;
        let inner = self.out.inner.into_inner();
        let file = inner.map_err(|e| FileError::write(self.path.display(), e.into_error()))?;
        Ok(file.finish()?)
    }
}

/// A part's file, opened; its rows follow.
pub(super) struct Part {
    /// The file's name, for messages.
    pub name: String,
    pub shard: Shard,
    pub settings: PartSettings,
    input: Hashed<BufReader<File>>,
    /// Bytes of rows.
    n_bytes: u64,
}

impl Part {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// When it is no such file, or is cut short.
    pub fn open(path: &Path) -> Result<Self, FactorizationError> {
        let name = path.display().to_string();
        let wrong = |why: &str| FactorizationError::Part {
            file: name.clone(),
            why: why.to_string(),
        };
        let file = open_regular(path)?;
        let failed = |e| FileError::read(&name, e);
        let length = file.metadata().map_err(failed)?.len();
        if length < HEADER_BYTES + CHECKSUM_BYTES {
            return Err(wrong(NOT_A_PART));
        }
        let mut input = Hashed {
            inner: BufReader::with_capacity(1 << 20, file),
            hasher: blake3::Hasher::new(),
        };
        let mut first = [0; HEADER_BYTES as usize];
        input.read_exact(&mut first).map_err(failed)?;
        let (magic, rest) = first.split_at(MAGIC.len());
        let (version, n_json) = rest.split_at(4);
        if magic != MAGIC {
            return Err(wrong(NOT_A_PART));
        }
        if version != VERSION.to_le_bytes() {
            return Err(wrong("was made by another version of Persea"));
        }
        let n_json = n_json
            .iter()
            .rev()
            .fold(0u64, |n, b| n << 8 | u64::from(*b));
        let n_bytes = (length - HEADER_BYTES - CHECKSUM_BYTES).checked_sub(n_json);
        let n_bytes = n_bytes.ok_or_else(|| wrong(DAMAGED))?;
        let mut json = vec![0; n_json as usize];
        input.read_exact(&mut json).map_err(failed)?;
        let header: Header = serde_json::from_slice(&json).map_err(|_| wrong(DAMAGED))?;
        let shard = header.shard.parse().map_err(|_| wrong(DAMAGED))?;
        Ok(Part {
            name,
            shard,
            settings: header.settings,
            input,
            n_bytes,
        })
    }

    /// Reads all rows: `take` receives each stretch with its rows, finest resolution first. What it has received
    /// is only valid when this returns without an error.
    ///
    /// # Errors
    /// When the file is damaged; those of `take`.
    pub fn read(
        mut self,
        axis: &GenomeAxis,
        mut take: impl FnMut(&Stretch, [Vec<f32>; 3]) -> crate::Result<()>,
    ) -> crate::Result<()> {
        let wrong = |why: &str| FactorizationError::Part {
            file: self.name.clone(),
            why: why.to_string(),
        };
        let stretches = own_stretches(axis, self.shard);
        let n_numbers = |stretch: &Stretch, resolution: Resolution| {
            let rows = stretch.rows(resolution);
            let width = self.settings.factors[resolution.index()] as u64;
            (rows.end - rows.start).saturating_mul(width)
        };
        let of_stretch = |s: &Stretch| Resolution::ALL.map(|r| n_numbers(s, r));
        let all = stretches.iter().flat_map(of_stretch);
        let all = all.fold(0u64, |sum, n| sum.saturating_add(n));
        if all.saturating_mul(4) != self.n_bytes {
            return Err(wrong(DAMAGED).into());
        }
        let failed = |e| FileError::read(&self.name, e);
        let mut bytes = Vec::new();
        for stretch in &stretches {
            let mut codes: [Vec<f32>; 3] = Default::default();
            for (codes, n) in codes.iter_mut().zip(of_stretch(stretch)) {
                bytes.resize(n as usize * 4, 0);
                let read = self.input.read_exact(&mut bytes);
                read.map_err(failed).map_err(FactorizationError::from)?;
                let numbers = bytes.as_chunks::<4>().0.iter();
                codes.extend(numbers.map(|b| f32::from_le_bytes(*b)));
            }
            take(stretch, codes)?;
        }
        let found = self.input.hasher.finalize();
        let mut stored = [0; CHECKSUM_BYTES as usize];
        let read = self.input.inner.read_exact(&mut stored);
        read.map_err(failed).map_err(FactorizationError::from)?;
        match found.as_bytes() == &stored {
            true => Ok(()),
            false => Err(wrong(DAMAGED).into()),
        }
    }
}

const NOT_A_PART: &str = "was not written by an extension with option `shard`";
const DAMAGED: &str = "is damaged; remove it and run its job again";

#[cfg(test)]
mod tests {
    use super::*;

    /// Chromosomes of 40,000 and 5,000 bins.
    fn axis() -> GenomeAxis {
        let folder = tempfile::tempdir().unwrap();
        let sizes = folder.path().join("chrom.sizes");
        std::fs::write(&sizes, "chr1\t1000000\nchr2\t125000\n").unwrap();
        let assembly = Assembly::from_chrom_sizes("toy", &sizes).unwrap();
        GenomeAxis::whole_chromosomes(assembly, &[]).unwrap()
    }

    fn shard(text: &str) -> Shard {
        text.parse().unwrap()
    }

    #[test]
    fn parts_hold_each_stretch_once_in_the_order_of_the_axis_and_end_between_5_kbp_rows() {
        let axis = axis();
        for count in 1..=6 {
            let parts = (1..=count).map(|i| own_stretches(&axis, shard(&format!("{i}/{count}"))));
            let all: Vec<Stretch> = parts.flatten().collect();
            assert_eq!(all, Stretch::all(&axis), "{count}");
        }
        // Stretches of 16,000, 16,000, 8,000 and 5,000 bins begin at 0, 16,000, 32,000 and 40,000 of 45,000.
        let bins = |text: &str| -> Vec<u64> {
            let own = own_stretches(&axis, shard(text));
            own.iter().map(|s| s.axis_bin(s.bins.start)).collect()
        };
        assert_eq!(bins("1/2"), [0, 16_000]);
        assert_eq!(bins("2/2"), [32_000, 40_000]);
        assert_eq!(bins("1/3"), [0]);
        assert_eq!(bins("2/3"), [16_000]);
        assert_eq!(bins("2/6"), [0; 0]);
        let ends = Stretch::all(&axis).into_iter();
        assert!(ends.take(2).all(|s| s.bins.end % 200 == 0));
    }

    fn settings(axis: &GenomeAxis) -> PartSettings {
        PartSettings {
            persea: "1".into(),
            instructions: "avx2".into(),
            assembly: "toy".into(),
            encoder: "e".into(),
            tracks: "t".into(),
            factors: [2, 1, 3],
            asked: listed(axis.regions()),
            added: listed(axis.regions()),
        }
    }

    fn numbers(stretch: &Stretch, factors: [usize; 3]) -> [Vec<f32>; 3] {
        let mut of = Resolution::ALL.into_iter().map(|r| {
            let rows = stretch.rows(r);
            let n = (rows.end - rows.start) as usize * factors[r.index()];
            let first = stretch.axis_bin(stretch.bins.start) as f32;
            (0..n).map(|i| first + i as f32 / 7.0).collect()
        });
        [0; 3].map(|_| of.next().unwrap())
    }

    #[test]
    fn a_part_is_read_as_it_was_written_and_any_flipped_bit_or_lost_byte_is_found() {
        let (axis, folder) = (axis(), tempfile::tempdir().unwrap());
        let (settings, second) = (settings(&axis), shard("3/3"));
        let path = folder.path().join("3.factors");
        let mut writer = PartWriter::begin(&path, second, &settings).unwrap();
        for stretch in own_stretches(&axis, second) {
            writer.stretch(&numbers(&stretch, [2, 1, 3])).unwrap();
        }
        writer.finish().unwrap();

        let read = |path: &Path| -> crate::Result<Vec<[Vec<f32>; 3]>> {
            let part = Part::open(path)?;
            assert_eq!(part.settings.axis(axis.assembly())?, axis);
            let mut found = Vec::new();
            part.read(&axis, |_, codes| {
                found.push(codes);
                Ok(())
            })?;
            Ok(found)
        };
        let expected = own_stretches(&axis, second);
        let expected = expected.iter().map(|s| numbers(s, [2, 1, 3]));
        assert_eq!(read(&path).unwrap(), expected.collect::<Vec<_>>());

        let whole = std::fs::read(&path).unwrap();
        let damaged = folder.path().join("damaged");
        for at in [
            0,
            9,
            13,
            60,
            900,
            whole.len() / 2,
            whole.len() - 40,
            whole.len() - 1,
        ] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&damaged, &bytes).unwrap();
            // A flipped bit of the settings may make other settings, which are compared.
            let found = Part::open(&damaged).and_then(|part| match part.settings == settings {
                true => part
                    .read(&axis, |_, _| Ok(()))
                    .map_err(|_| FactorizationError::Options("read".into())),
                false => Err(FactorizationError::Options("other settings".into())),
            });
            assert!(found.is_err(), "{at}");
        }
        for n in [0, 5, 30, whole.len() - 1] {
            std::fs::write(&damaged, &whole[..n]).unwrap();
            assert!(read(&damaged).is_err(), "{n}");
        }
        std::fs::write(&damaged, [&whole[..], &[0]].concat()).unwrap();
        assert!(read(&damaged).is_err());
    }

    #[test]
    fn parts_of_other_settings_are_named_by_what_differs() {
        let one = settings(&axis());
        assert_eq!(one.differ(&one), None);
        let mut other = one.clone();
        other.asked.pop();
        assert_eq!(one.differ(&other), Some("is of other regions"));
        other.tracks = "u".into();
        assert!(
            one.differ(&other)
                .unwrap()
                .starts_with("is of other tracks")
        );
        let mut other = one.clone();
        other.instructions = "avx512".into();
        assert!(one.differ(&other).unwrap().contains("PERSEA_INSTRUCTIONS"));
    }
}
