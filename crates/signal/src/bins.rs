//! From intervals to bins: the one rule that every reader shares.

use super::{BinSink, FormatError, Missing, ReadOptions, ReadReport};
use persea_genome::{BIN_BP, GenomeAxis, Interval};

/// The most bins that a piece may have.
pub(super) const PIECE_BINS: usize = 65_536;

/// Turns sorted intervals into the bins of one region after another.
///
/// A stretch of whole bins under one interval costs one step, not one a base.
pub(super) struct Binner<'a, 's> {
    axis: &'a GenomeAxis,
    /// What uncovered bases count as in the regions to come.
    missing: Missing,
    file: &'a str,
    sink: &'a mut BinSink<'s>,
    report: ReadReport,
    open: Option<OpenRegion>,
    /// Bins that are done and not yet delivered.
    piece: Vec<f32>,
    /// The axis bin that `piece` starts with.
    piece_start: u64,
}

/// The region that is being filled, in chromosome coordinates.
struct OpenRegion {
    region: usize,
    /// One past its last base, clipped to the chromosome.
    end: u64,
    /// The chromosome bin that is being filled, and one past the last.
    bin: u64,
    end_bin: u64,
    /// The end of the last interval.
    position: u64,
    sum: f64,
    /// Bases of the bin that have a value.
    n_bases: u64,
    has_nan: bool,
}

impl OpenRegion {
    fn end_of_bin(&self) -> u64 {
        ((self.bin + 1) * BIN_BP).min(self.end)
    }

    fn cover(&mut self, n_bases: u64, value: f32) {
        if value.is_nan() {
            self.has_nan = true;
        } else {
            self.sum += n_bases as f64 * f64::from(value);
            self.n_bases += n_bases;
        }
    }
}

impl<'a, 's> Binner<'a, 's> {
    pub fn new(
        axis: &'a GenomeAxis,
        options: &ReadOptions,
        file: &'a str,
        sink: &'a mut BinSink<'s>,
    ) -> Self {
        Binner {
            axis,
            missing: options.missing,
            file,
            sink,
            report: ReadReport::default(),
            open: None,
            piece: Vec::with_capacity(PIECE_BINS),
            piece_start: 0,
        }
    }

    /// From now on regions lie on sequences that the file does not have at all.
    pub fn on_sequences_that_are_absent(&mut self) {
        if self.missing == Missing::ByFormat {
            self.missing = Missing::Nan;
        }
    }

    /// Starts a region; one that is open is completed first.
    pub fn open(&mut self, region: usize) -> Result<(), FormatError> {
        self.close()?;
        let place = &self.axis.regions()[region];
        let interval = self.axis.region_interval(region);
        self.piece_start = self.axis.region_bins(region).start;
        self.open = Some(OpenRegion {
            region,
            end: interval.end,
            bin: place.first_bin,
            end_bin: place.end_bin(),
            position: interval.start,
            sum: 0.0,
            n_bases: 0,
            has_nan: false,
        });
        Ok(())
    }

    /// Adds an interval that lies in the open region and does not start before the last one's end.
    pub fn add(&mut self, start: u64, end: u64, value: f32) -> Result<(), FormatError> {
        let Some(open) = self.open.as_mut() else {
            return Ok(());
        };
        if start < open.position || start >= end || end > open.end {
            let chrom = self.chrom();
            let message = format!(
                "damaged: the interval {chrom} {start} {end} is empty, unsorted or overlaps another"
            );
            return Err(FormatError::file(self.file, message));
        }
        if value.is_infinite() {
            return Err(FormatError::NotFinite {
                file: self.file.to_string(),
                interval: Interval::new(self.chrom(), start, end),
                value,
            });
        }
        open.position = end;
        self.report.n_records += 1;
        let mut at = start;
        if start >= open.end_of_bin() {
            self.fill_bin()?;
            self.skip_to(start / BIN_BP)?;
        }
        while let Some(open) = self.open.as_mut().filter(|_| at < end) {
            let stop = end.min(open.end_of_bin());
            let whole = at == open.bin * BIN_BP && stop == open.end_of_bin();
            if whole && open.n_bases == 0 && !open.has_nan {
                let bins = if end == open.end {
                    open.end_bin - open.bin
                } else {
                    end / BIN_BP - open.bin
                };
                open.bin += bins;
                at = (open.bin * BIN_BP).min(open.end);
                self.push(value, bins)?;
            } else {
                open.cover(stop - at, value);
                at = stop;
                if stop == open.end_of_bin() {
                    self.fill_bin()?;
                }
            }
        }
        Ok(())
    }

    /// Takes the next bins of the open region as they are; more than it has are refused.
    pub fn add_bins(&mut self, values: &[f32]) -> Result<(), FormatError> {
        for value in values {
            let Some(open) = self.open.as_mut().filter(|o| o.bin < o.end_bin) else {
                let message = "more values than the region has bins";
                return Err(FormatError::file(self.file, message));
            };
            if value.is_infinite() {
                let start = open.bin * BIN_BP;
                let end = open.end_of_bin();
                return Err(FormatError::NotFinite {
                    file: self.file.to_string(),
                    interval: Interval::new(self.chrom(), start, end),
                    value: *value,
                });
            }
            open.bin += 1;
            self.report.n_records += 1;
            self.push(*value, 1)?;
        }
        Ok(())
    }

    /// Completes the open region: bins without an interval are uncovered.
    pub fn close(&mut self) -> Result<(), FormatError> {
        if let Some(open) = &self.open {
            let end_bin = open.end_bin;
            if open.bin < end_bin {
                self.fill_bin()?;
                self.skip_to(end_bin)?;
            }
            self.deliver()?;
            self.open = None;
        }
        Ok(())
    }

    /// Completes the last region and reports.
    pub fn finish(mut self) -> Result<ReadReport, FormatError> {
        self.close()?;
        Ok(self.report)
    }

    fn chrom(&self) -> String {
        let open = self.open.as_ref();
        open.map_or(String::new(), |o| {
            self.axis.regions()[o.region].chrom.clone()
        })
    }

    /// Completes the bin that is being filled.
    fn fill_bin(&mut self) -> Result<(), FormatError> {
        let Some(open) = self.open.as_mut() else {
            return Ok(());
        };
        let width = open.end_of_bin() - open.bin * BIN_BP;
        let divisor = match self.missing {
            Missing::Zero | Missing::ByFormat => width,
            Missing::Nan => open.n_bases,
        };
        let value = match (open.n_bases, open.has_nan, self.missing) {
            (0, true, _) | (0, _, Missing::Nan) => f32::NAN,
            (0, false, _) => 0.0,
            _ => (open.sum / divisor as f64) as f32,
        };
        open.bin += 1;
        open.sum = 0.0;
        open.n_bases = 0;
        open.has_nan = false;
        self.push(value, 1)
    }

    /// Passes over bins that no interval touches.
    fn skip_to(&mut self, bin: u64) -> Result<(), FormatError> {
        let Some(open) = self.open.as_mut() else {
            return Ok(());
        };
        let n = bin.saturating_sub(open.bin);
        open.bin += n;
        match self.missing {
            Missing::Zero | Missing::ByFormat => self.push(0.0, n),
            Missing::Nan => self.push(f32::NAN, n),
        }
    }

    /// Appends bins of one value; those without data, NaN, are counted.
    fn push(&mut self, value: f32, n: u64) -> Result<(), FormatError> {
        if value.is_nan() {
            self.report.n_nan_bins += n;
        }
        if value < 0.0 {
            self.report.n_negative_bins += n;
        }
        if n == 1 {
            self.piece.push(value);
            if self.piece.len() == PIECE_BINS {
                self.deliver()?;
            }
            return Ok(());
        }
        let mut left = n as usize;
        while left > 0 {
            let free = (PIECE_BINS - self.piece.len()).min(left);
            self.piece.resize(self.piece.len() + free, value);
            left -= free;
            if self.piece.len() == PIECE_BINS {
                self.deliver()?;
            }
        }
        Ok(())
    }

    fn deliver(&mut self) -> Result<(), FormatError> {
        if !self.piece.is_empty() {
            (self.sink)(self.piece_start, &self.piece).map_err(|source| FormatError::Sink {
                file: self.file.to_string(),
                source,
            })?;
            self.piece_start += self.piece.len() as u64;
            self.piece.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use persea_genome::Assembly;

    /// One chromosome of 110 bp: four whole bins and one of 10 bp.
    fn axis() -> GenomeAxis {
        let assembly = Assembly::from_chromosomes("toy", &[("chr1".into(), 110)]).unwrap();
        GenomeAxis::whole_chromosomes(assembly, &[]).unwrap()
    }

    fn bins(
        axis: &GenomeAxis,
        missing: Missing,
        intervals: &[(u64, u64, f32)],
    ) -> Result<(Vec<f32>, ReadReport), FormatError> {
        let mut out = vec![f32::NAN; axis.n_bins() as usize];
        let mut sink = |start: u64, values: &[f32]| {
            out[start as usize..start as usize + values.len()].copy_from_slice(values);
            Ok(())
        };
        let mut binner = Binner::new(axis, &ReadOptions { missing }, "toy.bw", &mut sink);
        binner.open(0)?;
        for (start, end, value) in intervals {
            binner.add(*start, *end, *value)?;
        }
        let report = binner.finish()?;
        Ok((out, report))
    }

    #[test]
    fn a_bin_is_the_mean_over_its_width_and_the_last_over_its_own() {
        let intervals = [(0, 5, 2.0), (20, 60, 1.0), (100, 105, 3.0)];
        let (values, report) = bins(&axis(), Missing::Zero, &intervals).unwrap();
        // (5·2 + 5·1) / 25, 25/25, 10/25, nothing, 5·3 / 10.
        assert_eq!(values, [0.6, 1.0, 0.4, 0.0, 1.5]);
        assert_eq!(report.n_nan_bins, 0);
        assert_eq!(report.n_records, 3);
    }

    #[test]
    fn under_missing_nan_uncovered_bases_are_left_out_and_empty_bins_have_no_data() {
        let intervals = [(0, 5, 2.0), (20, 60, 1.0), (100, 105, 3.0)];
        let (values, report) = bins(&axis(), Missing::Nan, &intervals).unwrap();
        assert_eq!(values[..3], [1.5, 1.0, 1.0]);
        assert!(values[3].is_nan() && values[4] == 3.0);
        assert_eq!(report.n_nan_bins, 1);
    }

    #[test]
    fn a_nan_base_is_an_uncovered_base_and_a_bin_of_nothing_else_has_no_data() {
        let intervals = [(0, 5, f32::NAN), (5, 10, 5.0), (25, 75, f32::NAN)];
        let (values, report) = bins(&axis(), Missing::Zero, &intervals).unwrap();
        assert!(values[1].is_nan() && values[2].is_nan());
        assert_eq!((values[0], &values[3..]), (1.0, &[0.0, 0.0][..]));
        assert_eq!(report.n_nan_bins, 2);
        let (values, report) = bins(&axis(), Missing::Nan, &intervals).unwrap();
        assert!(values[0] == 5.0 && values[1..].iter().all(|v| v.is_nan()));
        assert_eq!(report.n_nan_bins, 4);
    }

    #[test]
    fn pieces_have_at_most_65536_bins_and_follow_each_other() {
        let n_bins = 150_000;
        let list = [("chr1".to_string(), n_bins * 25)];
        let assembly = Assembly::from_chromosomes("toy", &list).unwrap();
        let axis = GenomeAxis::whole_chromosomes(assembly, &[]).unwrap();
        let mut pieces = Vec::new();
        let mut sink = |start: u64, values: &[f32]| {
            pieces.push((start, values.len()));
            Ok(())
        };
        let mut binner = Binner::new(&axis, &ReadOptions::default(), "toy.bw", &mut sink);
        binner.open(0).unwrap();
        binner.add(30, n_bins * 25 - 30, 1.0).unwrap();
        binner.finish().unwrap();
        assert_eq!(pieces, [(0, 65_536), (65_536, 65_536), (131_072, 18_928)]);
    }

    #[test]
    fn infinite_and_overlapping_intervals_are_refused_with_their_coordinate() {
        let axis = axis();
        let message = bins(&axis, Missing::Zero, &[(10, 20, f32::INFINITY)])
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "toy.bw: the value at chr1:11-20 is inf: signal must be finite"
        );
        let message = bins(&axis, Missing::Zero, &[(10, 20, 1.0), (15, 25, 1.0)])
            .unwrap_err()
            .to_string();
        assert!(message.contains("chr1 15 25"), "{message}");
    }

    #[test]
    fn a_sink_that_fails_stops_the_reading_with_its_reason() {
        let axis = axis();
        let mut sink = |_: u64, _: &[f32]| Err(std::io::Error::other("disk full"));
        let mut binner = Binner::new(&axis, &ReadOptions::default(), "toy.bw", &mut sink);
        binner.open(0).unwrap();
        let message = binner.finish().unwrap_err().to_string();
        assert_eq!(message, "cannot store the signal of toy.bw: disk full");
    }
}
