//! Which array holds which bins.

use std::fs::File;
use std::io::{BufReader, Read};

use super::npy::Values;
use crate::bins::{Binner, PIECE_BINS};
use crate::source::open_whole;
use crate::{BinSink, Format, FormatError, Location, ReadOptions, ReadReport, SignalReader};
use persea_files::NpzReader;
use persea_genome::GenomeAxis;

/// Reads bins from `.npy` and `.npz`.
///
/// A `.npy`, the key `arr_0` or an archive's only array holds the bins of all regions, one after
/// another in the axis's order. Otherwise there is one array a chromosome, named like it, with the
/// chromosome's bins from its first or just those of the regions on it, in the axis's order.
/// Values are taken as they are, whatever is said of uncovered bases; NaN becomes 0.
pub(crate) struct ArrayReader {
    location: Location,
    format: Format,
}

impl ArrayReader {
    pub fn new(location: Location, format: Format) -> Self {
        ArrayReader { location, format }
    }
}

impl SignalReader for ArrayReader {
    fn read(
        &mut self,
        axis: &GenomeAxis,
        options: &ReadOptions,
        sink: &mut BinSink<'_>,
    ) -> Result<ReadReport, FormatError> {
        let file = self.location.to_string();
        let mut placing = Placing {
            axis,
            file: &file,
            binner: Binner::new(axis, options, &file, sink),
        };
        let whole = open_whole(&self.location)?;
        if self.format == Format::Npy {
            placing.concatenated(whole, "the array")?;
        } else {
            let archive = NpzReader::new(whole).map_err(|e| {
                FormatError::file(&file, format!("is not a whole .npz archive: {e}"))
            })?;
            placing.archive(archive)?;
        }
        placing.binner.finish()
    }
}

struct Placing<'a, 's> {
    axis: &'a GenomeAxis,
    file: &'a str,
    binner: Binner<'a, 's>,
}

impl Placing<'_, '_> {
    fn archive(&mut self, mut archive: NpzReader<BufReader<File>>) -> Result<(), FormatError> {
        let mut keys = archive.names();
        keys.sort();
        let assembly = self.axis.assembly();
        let all = match keys.as_slice() {
            [] => return Err(self.error("has no array in it")),
            keys if keys.iter().any(|key| key == "arr_0") => Some("arr_0"),
            [key] if assembly.resolve(key).is_err() => Some(key.as_str()),
            _ => None,
        };
        if let Some(key) = all {
            let member = self.member(&mut archive, key)?;
            return self.concatenated(member, &format!("the array `{key}`"));
        }
        let mut last = None;
        for region in self.axis.sorted_regions() {
            let chrom = self.axis.regions()[*region].chrom.as_str();
            if last.replace(chrom) != Some(chrom) {
                let is = |key: &&String| assembly.resolve(key).is_ok_and(|c| c.name == chrom);
                let exact = keys.iter().find(|key| *key == chrom);
                let Some(key) = exact.or_else(|| keys.iter().find(is)) else {
                    return Err(self.no_array(chrom, &keys));
                };
                let member = self.member(&mut archive, key)?;
                self.chromosome(member, chrom)?;
            }
        }
        Ok(())
    }

    fn member<'z>(
        &self,
        archive: &'z mut NpzReader<BufReader<File>>,
        key: &str,
    ) -> Result<impl Read + use<'z>, FormatError> {
        archive
            .array(key)
            .map_err(|e| self.error(format!("cannot unpack the array `{key}`: {e}")))
    }

    /// An array with the bins of all regions in the axis's order.
    fn concatenated(&mut self, reader: impl Read, what: &str) -> Result<(), FormatError> {
        let mut values = self.values(reader, what)?;
        let n_bins = self.axis.n_bins();
        if values.n_values() != n_bins {
            return Err(self.error(format!(
                "{what} has {} values: expected {n_bins}, one for each 25 bp bin of the {} covered \
                 regions in their order",
                values.n_values(),
                self.axis.regions().len()
            )));
        }
        for region in 0..self.axis.regions().len() {
            self.region(region, &mut values, what)?;
        }
        values
            .finish()
            .map_err(|e| self.error(format!("{what} {e}")))
    }

    /// An array with the bins of a chromosome, or of the regions on it.
    fn chromosome(&mut self, reader: impl Read, chrom: &str) -> Result<(), FormatError> {
        let what = format!("the array `{chrom}`");
        let mut values = self.values(reader, &what)?;
        let of_chromosome = self.axis.assembly().chromosome(chrom)?.n_bins();
        let mut regions: Vec<usize> = (0..self.axis.regions().len())
            .filter(|i| self.axis.regions()[*i].chrom == chrom)
            .collect();
        let covered: u64 = regions.iter().map(|i| self.axis.regions()[*i].n_bins).sum();
        let whole = values.n_values() == of_chromosome;
        if whole {
            regions.sort_by_key(|i| self.axis.regions()[*i].first_bin);
        } else if values.n_values() != covered {
            return Err(self.error(format!(
                "{what} has {} values: expected {of_chromosome}, one for each 25 bp bin of {chrom}, \
                 or {covered}, one for each bin of the covered regions on it in their order",
                values.n_values()
            )));
        }
        let mut at = 0;
        for region in regions {
            let place = &self.axis.regions()[region];
            if whole {
                let passed = place.first_bin - at;
                values
                    .skip(passed)
                    .map_err(|e| self.error(format!("{what} {e}")))?;
                at = place.end_bin();
            }
            self.region(region, &mut values, &what)?;
        }
        values
            .finish()
            .map_err(|e| self.error(format!("{what} {e}")))
    }

    fn region(
        &mut self,
        region: usize,
        values: &mut Values<impl Read>,
        what: &str,
    ) -> Result<(), FormatError> {
        self.binner.open(region)?;
        let mut left = self.axis.regions()[region].n_bins;
        let mut piece = Vec::new();
        while left > 0 {
            let n = left.min(PIECE_BINS as u64);
            values
                .next(n as usize, &mut piece)
                .map_err(|e| self.error(format!("{what} {e}")))?;
            self.binner.add_bins(&piece)?;
            left -= n;
        }
        Ok(())
    }

    fn values<R: Read>(&self, reader: R, what: &str) -> Result<Values<R>, FormatError> {
        Values::open(reader).map_err(|e| self.error(format!("{what} {e}")))
    }

    fn no_array(&self, chrom: &str, keys: &[String]) -> FormatError {
        let some: Vec<&str> = keys.iter().take(3).map(String::as_str).collect();
        let more = if keys.len() > 3 { " …" } else { "" };
        let hint = format!(
            " (it has {}{more}): expected `arr_0` with all regions, or one array for each \
             chromosome covered",
            some.join(", ")
        );
        self.error(format!("has no array `{chrom}`{hint}"))
    }

    fn error(&self, message: impl Into<String>) -> FormatError {
        FormatError::file(self.file, message)
    }
}
