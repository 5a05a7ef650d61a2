//! A database's annotation over an axis as a file of `index/`, read instead of the tables.
//!
//! Verifying the tables and cutting 160,000 intervals along the axis takes ten times as long as a
//! search. So the outcome is kept. The file names what it was made of: the digests that the tables were
//! recorded with, and the axis. A checksum covers every byte and is verified at each reading. A file
//! that is missing, stale or damaged is made anew from the verified tables.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::parts::Parts;
use crate::genome::{Gene, GenomeAxis, Interval, Strand};
use crate::store::{Database, StoreError};

const MAGIC: &[u8; 8] = b"PERSEAAN";
/// Changes with the format, and with what promoters, genes and enhancers are.
const VERSION: u32 = 3;
/// The tables that it is made of.
const TABLES: [&str; 4] = ["genes", "transcript_starts", "enhancers", "mask_intervals"];
const CHECKSUM_BYTES: usize = 32;

/// What a database's annotation over an axis is made of, as a digest; `None` where the database has
/// recorded no digest of a table.
///
/// # Errors
/// When SQLite fails.
pub(super) fn origin(
    database: &Database,
    axis: &GenomeAxis,
) -> Result<Option<[u8; 32]>, StoreError> {
    let Some(digests) = database.recorded_digests(&TABLES)? else {
        return Ok(None);
    };
    let mut hasher = blake3::Hasher::new();
    hasher.update(&VERSION.to_le_bytes());
    for digest in digests {
        hasher.update(&digest.to_le_bytes());
    }
    for region in axis.regions() {
        hasher.update(&(region.chrom.len() as u64).to_le_bytes());
        hasher.update(region.chrom.as_bytes());
        hasher.update(&region.first_bin.to_le_bytes());
        hasher.update(&region.n_bins.to_le_bytes());
    }
    Ok(Some(*hasher.finalize().as_bytes()))
}

/// Where the file of an origin lies: one for each axis that models of the database have.
pub(super) fn path(database: &Database, origin: &[u8; 32]) -> PathBuf {
    let name: String = origin[..8].iter().map(|b| format!("{b:02x}")).collect();
    database.index_folder().join(format!("annotation.{name}"))
}

/// Reads a file; `None` where it is missing, stale or damaged.
pub(super) fn read(path: &Path, origin: &[u8; 32]) -> Option<Parts> {
    let bytes = std::fs::read(path).ok()?;
    let (content, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
    if blake3::hash(content).as_bytes() != checksum {
        tracing::warn!(
            "{}: its checksum does not match; it is made anew",
            path.display()
        );
        return None;
    }
    let mut reader = Reader(content);
    if reader.take(MAGIC.len())? != MAGIC || reader.take(origin.len())? != origin {
        return None;
    }
    let n_chroms = reader.number()? as usize;
    let chroms = (0..n_chroms)
        .map(|_| reader.text())
        .collect::<Option<Vec<String>>>()?;
    let n_genes = reader.number()? as usize;
    let mut genes = Vec::with_capacity(n_genes.min(content.len()));
    for _ in 0..n_genes {
        let chrom = chroms.get(reader.number()? as usize)?;
        let (start, end) = (reader.number()?, reader.number()?);
        let strand = match reader.take(1)? {
            [0] => Strand::Forward,
            _ => Strand::Reverse,
        };
        genes.push(Gene {
            interval: Interval::new(chrom.clone(), start, end),
            strand,
            id: reader.text()?,
            name: reader.text()?,
            transcript_starts: reader.numbers()?,
        });
    }
    let mut sets: [Vec<Range<u64>>; 4] = Default::default();
    for set in &mut sets {
        let n = reader.number()? as usize;
        for _ in 0..n {
            set.push(reader.number()?..reader.number()?);
        }
    }
    Some(Parts { genes, sets })
}

/// Writes a file: as a whole or not at all.
///
/// # Errors
/// When the disk cannot be written.
pub(super) fn write(path: &Path, origin: &[u8; 32], parts: &Parts) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    bytes.extend(MAGIC);
    bytes.extend(origin);
    let mut chroms: Vec<&str> = Vec::new();
    let mut places = Vec::with_capacity(parts.genes.len());
    for gene in &parts.genes {
        let chrom = gene.interval.chrom.as_str();
        // Genes stand by chromosome, so that the last one is mostly it.
        let place = match chroms.iter().rposition(|c| *c == chrom) {
            Some(place) => place,
            None => {
                chroms.push(chrom);
                chroms.len() - 1
            }
        };
        places.push(place as u64);
    }
    let number = |bytes: &mut Vec<u8>, n: u64| bytes.extend(n.to_le_bytes());
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    };
    number(&mut bytes, chroms.len() as u64);
    for chrom in chroms {
        text(&mut bytes, chrom);
    }
    number(&mut bytes, parts.genes.len() as u64);
    for (gene, place) in parts.genes.iter().zip(places) {
        number(&mut bytes, place);
        number(&mut bytes, gene.interval.start);
        number(&mut bytes, gene.interval.end);
        bytes.push(u8::from(gene.strand == Strand::Reverse));
        text(&mut bytes, &gene.id);
        text(&mut bytes, &gene.name);
        number(&mut bytes, gene.transcript_starts.len() as u64);
        for start in &gene.transcript_starts {
            number(&mut bytes, *start);
        }
    }
    for set in &parts.sets {
        number(&mut bytes, set.len() as u64);
        for range in set {
            number(&mut bytes, range.start);
            number(&mut bytes, range.end);
        }
    }
    let checksum = blake3::hash(&bytes);
    bytes.extend(checksum.as_bytes());
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".new-{}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // The reason is worth more than whether the remains could be removed.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn numbers(&mut self) -> Option<Vec<u64>> {
        (0..self.number()?).map(|_| self.number()).collect()
    }

    fn text(&mut self) -> Option<String> {
        let n = self.number()? as usize;
        String::from_utf8(self.take(n)?.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Parts {
        let gene = |chrom: &str, start, strand, name: &str| Gene {
            id: format!("ENSG{start}"),
            name: name.into(),
            interval: Interval::new(chrom, start, start + 100),
            strand,
            transcript_starts: (start..start + start % 3).collect(),
        };
        Parts {
            genes: vec![
                gene("chr1", 5, Strand::Forward, "A"),
                gene("chr2", 7, Strand::Reverse, ""),
                gene("chr1", 9, Strand::Reverse, "β"),
            ],
            sets: [
                vec![0..3, 9..10],
                Vec::new(),
                vec![2..4, 5..6],
                vec![7..8, 9..10],
            ],
        }
    }

    #[test]
    fn what_was_written_is_read_unless_it_is_of_another_origin() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("annotation.x");
        assert_eq!(read(&path, &[1; 32]), None);
        write(&path, &[1; 32], &parts()).unwrap();
        assert_eq!(read(&path, &[1; 32]), Some(parts()));
        assert_eq!(read(&path, &[2; 32]), None);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_flipped_bit_anywhere_is_found_and_so_is_a_file_cut_short() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("annotation.x");
        write(&path, &[1; 32], &parts()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 4;
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(read(&path, &[1; 32]), None, "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(read(&path, &[1; 32]), None, "{at} bytes");
        }
    }
}
