//! From a whole file's sorted intervals to the regions of an axis.

use super::bins::Binner;
use super::{FormatError, ReadReport};
use persea_genome::GenomeAxis;

/// Hands intervals that are sorted inside each chromosome to the regions that they touch.
pub(super) struct AxisWalk<'a, 's> {
    binner: Binner<'a, 's>,
    /// For each chromosome of the assembly, its regions by start; emptied when walked.
    regions: Vec<std::vec::IntoIter<(usize, u64, u64)>>,
    rank: Option<usize>,
    /// The open region: index, start and end in bp.
    current: Option<(usize, u64, u64)>,
}

impl<'a, 's> AxisWalk<'a, 's> {
    pub fn new(axis: &'a GenomeAxis, binner: Binner<'a, 's>) -> Self {
        let assembly = axis.assembly();
        let mut regions = vec![Vec::new(); assembly.chromosomes().len()];
        for i in axis.sorted_regions() {
            let interval = axis.region_interval(*i);
            if let Some(rank) = assembly.rank(&interval.chrom) {
                regions[rank].push((*i, interval.start, interval.end));
            }
        }
        AxisWalk {
            binner,
            regions: regions.into_iter().map(Vec::into_iter).collect(),
            rank: None,
            current: None,
        }
    }

    /// Adds an interval of the chromosome with that rank. Each chromosome comes once.
    pub fn add(
        &mut self,
        rank: usize,
        start: u64,
        end: u64,
        value: f32,
    ) -> Result<(), FormatError> {
        if self.rank != Some(rank) {
            self.finish_chromosome()?;
            self.rank = Some(rank);
            self.next_region(rank)?;
        }
        while let Some((_, from, to)) = self.current {
            if end <= from {
                break;
            }
            if start < to {
                self.binner.add(start.max(from), end.min(to), value)?;
            }
            if end < to {
                break;
            }
            self.next_region(rank)?;
        }
        Ok(())
    }

    /// Completes every region, those of chromosomes that never came included.
    pub fn finish(mut self) -> Result<ReadReport, FormatError> {
        self.finish_chromosome()?;
        self.binner.on_sequences_that_are_absent();
        for rank in 0..self.regions.len() {
            self.rank = Some(rank);
            self.next_region(rank)?;
            self.finish_chromosome()?;
        }
        self.binner.finish()
    }

    fn next_region(&mut self, rank: usize) -> Result<(), FormatError> {
        self.current = self.regions[rank].next();
        match self.current {
            Some((region, _, _)) => self.binner.open(region),
            None => self.binner.close(),
        }
    }

    fn finish_chromosome(&mut self) -> Result<(), FormatError> {
        if let Some(rank) = self.rank {
            while self.current.is_some() {
                self.next_region(rank)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Missing, ReadOptions, bins::Binner};
    use super::*;
    use persea_genome::{Assembly, Region};

    /// Bins and reports what intervals (chromosome rank, start, end, value) give.
    fn bins(
        regions: &[(&str, u64, u64)],
        intervals: &[(usize, u64, u64, f32)],
    ) -> (Vec<f32>, ReadReport) {
        bins_with(Missing::Zero, regions, intervals)
    }

    fn bins_with(
        missing: Missing,
        regions: &[(&str, u64, u64)],
        intervals: &[(usize, u64, u64, f32)],
    ) -> (Vec<f32>, ReadReport) {
        // chr1 has 110 bp: four whole bins and one of 10 bp.
        let list = [("chr1".to_string(), 110), ("chr2".to_string(), 50)];
        let assembly = Assembly::from_chromosomes("toy", &list).unwrap();
        let regions = regions
            .iter()
            .map(|(chrom, first_bin, n_bins)| Region {
                name: None,
                chrom: chrom.to_string(),
                first_bin: *first_bin,
                n_bins: *n_bins,
            })
            .collect();
        let axis = GenomeAxis::new(assembly, regions).unwrap();
        let mut out = vec![f32::NAN; axis.n_bins() as usize];
        let mut sink = |start: u64, values: &[f32]| {
            out[start as usize..start as usize + values.len()].copy_from_slice(values);
            Ok(())
        };
        let options = ReadOptions { missing };
        let binner = Binner::new(&axis, &options, "toy.bed", &mut sink);
        let mut walk = AxisWalk::new(&axis, binner);
        for (rank, start, end, value) in intervals {
            walk.add(*rank, *start, *end, *value).unwrap();
        }
        let report = walk.finish().unwrap();
        (out, report)
    }

    #[test]
    fn an_interval_over_several_regions_is_cut_at_their_borders() {
        let regions = [("chr1", 3, 2), ("chr1", 0, 2)];
        let (values, report) = bins(&regions, &[(0, 10, 107, -1.0)]);
        // Bins 3 and 4 come first on the axis; the last has 7 of its 10 bp covered.
        assert_eq!(values, [-1.0, -0.7, -0.6, -1.0]);
        assert_eq!((report.n_negative_bins, report.n_records), (4, 2));
    }

    #[test]
    fn chromosomes_come_in_any_order_and_those_that_never_come_are_uncovered() {
        let regions = [("chr1", 0, 1), ("chr2", 1, 1), ("chr1", 2, 1)];
        let (values, _) = bins(&regions, &[(1, 0, 50, 2.0), (0, 60, 65, 5.0)]);
        assert_eq!(values, [0.0, 2.0, 1.0]);
        let (values, report) = bins(&regions, &[(1, 0, 20, 2.0)]);
        assert_eq!(values, [0.0, 0.0, 0.0]);
        assert_eq!(report.n_records, 0);
        // By format, a chromosome that never comes has no data, and one that does is 0 between intervals.
        let (values, report) = bins_with(Missing::ByFormat, &regions, &[(1, 0, 20, 2.0)]);
        assert!(values[0].is_nan() && values[1] == 0.0 && values[2].is_nan());
        assert_eq!(report.n_nan_bins, 2);
    }
}
