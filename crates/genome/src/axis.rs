//! The genome axis: the covered regions' bins, one region after another.

use std::ops::Range;
use std::path::Path;

use super::{Assembly, BIN_BP, GenomeError, Interval, Resolution, read_bed};

/// A covered stretch of a chromosome, in whole 25 bp bins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// A name, where its file gave one.
    pub name: Option<String>,
    /// The chromosome.
    pub chrom: String,
    /// The chromosome bin (position / 25) it starts with.
    pub first_bin: u64,
    /// How many bins it has.
    pub n_bins: u64,
}

impl Region {
    /// One past its last chromosome bin.
    pub fn end_bin(&self) -> u64 {
        self.first_bin + self.n_bins
    }

    /// The first coarse bin (chromosome bin / bins of the scale) that it touches.
    pub fn first_row(&self, scale: Resolution) -> u64 {
        self.first_bin / scale.bins()
    }

    /// How many rows of factors it has at a scale; those at its edges may be partial.
    pub fn n_rows(&self, scale: Resolution) -> u64 {
        (self.end_bin() - 1) / scale.bins() - self.first_row(scale) + 1
    }
}

/// A bin of the axis and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AxisBin {
    /// Which region, in the axis's order.
    pub region: usize,
    /// The chromosome bin.
    pub chrom_bin: u64,
}

/// The genome axis of a compendium or of a model: regions in their file's order, their bins
/// concatenated.
///
/// A bin of the axis is a number in `0..n_bins()`. Rows of the coarser scales are aligned to the
/// chromosome and never shared by two regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenomeAxis {
    assembly: Assembly,
    regions: Vec<Region>,
    /// For each scale, each region's first row, and the total as the last entry.
    offsets: [Vec<u64>; 3],
    /// Regions by chromosome rank and start, for look-ups.
    sorted: Vec<usize>,
}

impl GenomeAxis {
    /// The axis of the given regions; those that overlap or meet are merged into the first.
    ///
    /// # Errors
    /// When there is no region, one is empty, its chromosome unknown, or it ends beyond it.
    pub fn new(assembly: Assembly, regions: Vec<Region>) -> Result<Self, GenomeError> {
        check_regions(&assembly, &regions)?;
        Self::from_regions(assembly, merge(regions))
    }

    /// The axis of regions as they are, those that meet kept apart (each has coarse rows of its
    /// own): a model's, extended by its neighbourhood.
    ///
    /// # Errors
    /// As [`GenomeAxis::new`]; also when two overlap.
    pub fn with_regions_apart(
        assembly: Assembly,
        regions: Vec<Region>,
    ) -> Result<Self, GenomeError> {
        check_regions(&assembly, &regions)?;
        let axis = Self::from_regions(assembly, regions)?;
        for pair in axis.sorted.windows(2) {
            let (a, b) = (&axis.regions[pair[0]], &axis.regions[pair[1]]);
            if a.chrom == b.chrom && b.first_bin < a.end_bin() {
                return Err(GenomeError::Coordinates(format!(
                    "{} and {} overlap",
                    axis.region_interval(pair[0]),
                    axis.region_interval(pair[1])
                )));
            }
        }
        Ok(axis)
    }

    fn from_regions(assembly: Assembly, regions: Vec<Region>) -> Result<Self, GenomeError> {
        if regions.is_empty() {
            return Err(GenomeError::Coordinates("no region to cover".into()));
        }
        let offsets = Resolution::ALL.map(|scale| {
            let mut total = 0;
            let mut offsets = vec![0];
            for region in &regions {
                total += region.n_rows(scale);
                offsets.push(total);
            }
            offsets
        });
        let mut sorted: Vec<usize> = (0..regions.len()).collect();
        sorted.sort_by_key(|i| (assembly.rank(&regions[*i].chrom), regions[*i].first_bin));
        Ok(GenomeAxis {
            assembly,
            regions,
            offsets,
            sorted,
        })
    }

    /// Whole chromosomes; all of the assembly's when `names` is empty.
    ///
    /// # Errors
    /// When a name is unknown.
    pub fn whole_chromosomes(assembly: Assembly, names: &[&str]) -> Result<Self, GenomeError> {
        let names: Vec<String> = if names.is_empty() {
            assembly
                .chromosomes()
                .iter()
                .map(|c| c.name.clone())
                .collect()
        } else {
            names.iter().map(|n| n.to_string()).collect()
        };
        let mut regions = Vec::new();
        for name in names {
            let chromosome = assembly.resolve(&name)?;
            regions.push(Region {
                name: None,
                chrom: chromosome.name.clone(),
                first_bin: 0,
                n_bins: chromosome.n_bins(),
            });
        }
        Self::new(assembly, regions)
    }

    /// The regions of a BED file (a fourth field is the name), rounded outward to bins, clipped to
    /// the chromosome, merged where they meet, in the file's order.
    ///
    /// # Errors
    /// As [`read_bed`]; also when the file has no region.
    pub fn from_bed(assembly: Assembly, path: &Path) -> Result<Self, GenomeError> {
        let lines = read_bed(path, &assembly)?;
        if lines.is_empty() {
            return Err(GenomeError::file(
                path,
                "no region in it; expected BED lines of chromosome, start and end",
            ));
        }
        let regions = lines
            .into_iter()
            .map(|(interval, rest)| {
                let name = rest.first().filter(|n| !n.is_empty() && *n != ".").cloned();
                Region::covering(&interval, name)
            })
            .collect();
        Self::new(assembly, regions)
    }

    /// The assembly.
    pub fn assembly(&self) -> &Assembly {
        &self.assembly
    }

    /// The regions, in the axis's order.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The regions' places in [`GenomeAxis::regions`], by chromosome (in the assembly's order) and
    /// start: the order in which bigWig wants them.
    pub fn sorted_regions(&self) -> &[usize] {
        &self.sorted
    }

    /// How many 25 bp bins are covered.
    pub fn n_bins(&self) -> u64 {
        self.n_rows(Resolution::Bp25)
    }

    /// How many rows of factors the whole axis has at a scale.
    pub fn n_rows(&self, scale: Resolution) -> u64 {
        self.offsets[scale.index()][self.regions.len()]
    }

    /// The rows of a region at a scale.
    pub fn region_rows(&self, scale: Resolution, region: usize) -> Range<u64> {
        let offsets = &self.offsets[scale.index()];
        offsets[region]..offsets[region + 1]
    }

    /// The axis bins of a region.
    pub fn region_bins(&self, region: usize) -> Range<u64> {
        self.region_rows(Resolution::Bp25, region)
    }

    /// Where a bin of the axis lies. `bin` must be below [`GenomeAxis::n_bins`].
    pub fn locate(&self, bin: u64) -> AxisBin {
        let offsets = &self.offsets[0];
        let region = offsets.partition_point(|o| *o <= bin) - 1;
        AxisBin {
            region,
            chrom_bin: self.regions[region].first_bin + bin - offsets[region],
        }
    }

    /// The base pairs of a bin of the axis, clipped to its chromosome.
    pub fn bin_interval(&self, bin: u64) -> Interval {
        let at = self.locate(bin);
        let region = &self.regions[at.region];
        let length = self.chromosome_length(&region.chrom);
        let start = at.chrom_bin * BIN_BP;
        Interval::new(&region.chrom, start, (start + BIN_BP).min(length))
    }

    /// The base pairs of a region, clipped to its chromosome.
    pub fn region_interval(&self, region: usize) -> Interval {
        let r = &self.regions[region];
        let end = (r.end_bin() * BIN_BP).min(self.chromosome_length(&r.chrom));
        Interval::new(&r.chrom, r.first_bin * BIN_BP, end)
    }

    /// The row of factors that a bin of a region uses at a scale.
    pub fn row(&self, scale: Resolution, region: usize, chrom_bin: u64) -> u64 {
        let r = &self.regions[region];
        self.offsets[scale.index()][region] + chrom_bin / scale.bins() - r.first_row(scale)
    }

    /// The axis bin that holds a base (0-based), if covered.
    pub fn bin_at(&self, chrom: &str, position: u64) -> Option<u64> {
        let rank = self.assembly.rank(chrom)?;
        let chrom_bin = position / BIN_BP;
        let after = self.sorted.partition_point(|i| {
            let region = &self.regions[*i];
            (self.assembly.rank(&region.chrom), region.first_bin) <= (Some(rank), chrom_bin)
        });
        let i = *self.sorted.get(after.checked_sub(1)?)?;
        let region = &self.regions[i];
        (region.chrom == chrom && chrom_bin < region.end_bin())
            .then(|| self.offsets[0][i] + chrom_bin - region.first_bin)
    }

    /// The axis bins that an interval touches, one range a region touched, in genome order.
    pub fn bins_within(&self, interval: &Interval) -> Vec<Range<u64>> {
        let Some(rank) = self.assembly.rank(&interval.chrom) else {
            return Vec::new();
        };
        if interval.is_empty() {
            return Vec::new();
        }
        let (first, end) = (interval.start / BIN_BP, (interval.end - 1) / BIN_BP + 1);
        // Regions of one chromosome never overlap, so their ends are sorted as their starts are.
        let from = self.sorted.partition_point(|i| {
            let region = &self.regions[*i];
            let at = self.assembly.rank(&region.chrom);
            at < Some(rank) || (at == Some(rank) && region.end_bin() <= first)
        });
        let mut ranges = Vec::new();
        for i in &self.sorted[from..] {
            let region = &self.regions[*i];
            if region.chrom != interval.chrom || region.first_bin >= end {
                break;
            }
            let base = self.offsets[0][*i];
            let start = first.max(region.first_bin) - region.first_bin;
            let stop = end.min(region.end_bin()) - region.first_bin;
            ranges.push(base + start..base + stop);
        }
        ranges
    }

    /// For each region of this axis, the bin of `whole` it starts at.
    ///
    /// # Errors
    /// When a region does not lie in one region of `whole`; it is named.
    pub fn starts_in(&self, whole: &GenomeAxis) -> Result<Vec<u64>, GenomeError> {
        let start = |i: usize| {
            let region = &self.regions[i];
            let first = whole.bin_at(&region.chrom, region.first_bin * BIN_BP)?;
            let at = whole.locate(first);
            let fits = region.end_bin() <= whole.regions[at.region].end_bin();
            fits.then_some(first)
        };
        (0..self.regions.len())
            .map(|i| {
                start(i).ok_or_else(|| {
                    let interval = self.region_interval(i);
                    GenomeError::Coordinates(format!("{interval} is not covered by the database"))
                })
            })
            .collect()
    }

    /// The parts of this axis' regions that `other` does not cover, in this axis' order.
    pub fn regions_outside(&self, other: &GenomeAxis) -> Vec<Region> {
        let mut outside = Vec::new();
        for (i, region) in self.regions.iter().enumerate() {
            let mut from = region.first_bin;
            let mut push = |from: u64, to: u64| {
                if from < to {
                    let n_bins = to - from;
                    outside.push(Region {
                        first_bin: from,
                        n_bins,
                        ..region.clone()
                    });
                }
            };
            for bins in other.bins_within(&self.region_interval(i)) {
                let at = other.locate(bins.start);
                push(from, at.chrom_bin);
                from = at.chrom_bin + (bins.end - bins.start);
            }
            push(from, region.end_bin());
        }
        outside
    }

    /// An interval up to the end of its chromosome, if the axis covers some of it.
    ///
    /// # Errors
    /// When the assembly has no such chromosome, the interval lies beyond its end or is empty, or no
    /// region touches it.
    pub fn covered(&self, interval: &Interval) -> Result<Interval, GenomeError> {
        let interval = &self.assembly.resolve_interval(interval)?;
        let length = self.assembly.chromosome(&interval.chrom)?.length;
        if interval.start >= length || interval.is_empty() {
            return Err(GenomeError::Beyond {
                interval: interval.to_string(),
                chrom: interval.chrom.clone(),
                length,
                assembly: self.assembly.name().to_string(),
            });
        }
        let interval = Interval::new(&interval.chrom, interval.start, interval.end.min(length));
        if self.bins_within(&interval).is_empty() {
            return Err(self.not_covered(&interval));
        }
        Ok(interval)
    }

    /// The error for an interval that no region touches.
    pub fn not_covered(&self, interval: &Interval) -> GenomeError {
        let nearest = self.nearest_region(&interval.chrom, interval.start);
        GenomeError::NotCovered {
            interval: interval.to_string(),
            chrom: interval.chrom.clone(),
            nearest: nearest.map(|region| region.to_string()),
        }
    }

    /// The covered region nearest to a base on its chromosome, for error messages.
    pub fn nearest_region(&self, chrom: &str, position: u64) -> Option<Interval> {
        (0..self.regions.len())
            .filter(|i| self.regions[*i].chrom == chrom)
            .map(|i| self.region_interval(i))
            .min_by_key(|r| {
                if position < r.start {
                    r.start - position
                } else {
                    (position + 1).saturating_sub(r.end)
                }
            })
    }

    fn chromosome_length(&self, chrom: &str) -> u64 {
        let rank = self.assembly.rank(chrom);
        rank.map_or(u64::MAX, |r| self.assembly.chromosomes()[r].length)
    }
}

impl Region {
    /// The region of all bins that an interval touches.
    pub fn covering(interval: &Interval, name: Option<String>) -> Self {
        let first_bin = interval.start / BIN_BP;
        Region {
            name,
            chrom: interval.chrom.clone(),
            first_bin,
            n_bins: interval.end.div_ceil(BIN_BP).saturating_sub(first_bin),
        }
    }
}

fn check_regions(assembly: &Assembly, regions: &[Region]) -> Result<(), GenomeError> {
    for region in regions {
        let n_bins = assembly.chromosome(&region.chrom)?.n_bins();
        let end = region.first_bin.checked_add(region.n_bins);
        if region.n_bins == 0 || end.is_none_or(|end| end > n_bins) {
            return Err(GenomeError::Coordinates(format!(
                "a region of {} bins from bin {} is empty or beyond the {n_bins} bins of {}",
                region.n_bins, region.first_bin, region.chrom
            )));
        }
    }
    Ok(())
}

/// Merges regions that overlap or meet; a merged one stands where its first part stood.
fn merge(regions: Vec<Region>) -> Vec<Region> {
    let mut order: Vec<usize> = (0..regions.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&regions[*a], &regions[*b]);
        (&a.chrom, a.first_bin, a.end_bin()).cmp(&(&b.chrom, b.first_bin, b.end_bin()))
    });
    let mut merged: Vec<(usize, Region)> = Vec::new();
    for i in order {
        let region = &regions[i];
        match merged.last_mut() {
            Some((place, last))
                if last.chrom == region.chrom && region.first_bin <= last.end_bin() =>
            {
                let end = last.end_bin().max(region.end_bin());
                last.n_bins = end - last.first_bin;
                if i < *place {
                    last.name = region.name.clone();
                    *place = i;
                }
            }
            _ => merged.push((i, region.clone())),
        }
    }
    merged.sort_by_key(|(place, _)| *place);
    merged.into_iter().map(|(_, region)| region).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toy() -> Assembly {
        let list = [("chr1".to_string(), 10_010), ("chr2".to_string(), 5_000)];
        Assembly::from_chromosomes("toy", &list).unwrap()
    }

    fn region(chrom: &str, first_bin: u64, n_bins: u64) -> Region {
        Region {
            name: None,
            chrom: chrom.into(),
            first_bin,
            n_bins,
        }
    }

    #[test]
    fn the_last_bin_of_a_chromosome_is_partial_and_kept() {
        let axis = GenomeAxis::whole_chromosomes(toy(), &["chr1"]).unwrap();
        assert_eq!(axis.n_bins(), 401);
        assert_eq!(
            axis.bin_interval(400),
            Interval::new("chr1", 10_000, 10_010)
        );
    }

    #[test]
    fn regions_that_overlap_or_meet_are_merged_where_the_first_stood() {
        let parts = vec![
            region("chr2", 10, 10),
            region("chr1", 0, 5),
            region("chr2", 5, 5),
        ];
        let axis = GenomeAxis::new(toy(), parts).unwrap();
        assert_eq!(
            axis.regions(),
            [region("chr2", 5, 15), region("chr1", 0, 5)]
        );
        assert_eq!(
            axis.locate(15),
            AxisBin {
                region: 1,
                chrom_bin: 0
            }
        );
    }

    #[test]
    fn coarse_rows_are_aligned_to_the_chromosome_and_end_with_the_region() {
        // Bins 195..205 touch 250 bp rows 19 and 20, and 5 kbp rows 0 and 1.
        let parts = vec![region("chr1", 195, 10), region("chr2", 0, 3)];
        let axis = GenomeAxis::new(toy(), parts).unwrap();
        assert_eq!(axis.n_rows(Resolution::Bp250), 3);
        assert_eq!(axis.n_rows(Resolution::Kbp5), 3);
        assert_eq!(axis.row(Resolution::Bp250, 0, 199), 0);
        assert_eq!(axis.row(Resolution::Bp250, 0, 200), 1);
        assert_eq!(axis.row(Resolution::Kbp5, 1, 2), 2);
    }

    #[test]
    fn what_another_axis_does_not_cover_is_left_in_parts() {
        let whole =
            GenomeAxis::new(toy(), vec![region("chr1", 0, 100), region("chr2", 0, 10)]).unwrap();
        let inner =
            GenomeAxis::new(toy(), vec![region("chr1", 20, 10), region("chr1", 90, 20)]).unwrap();
        let outside = whole.regions_outside(&inner);
        assert_eq!(
            outside,
            [
                region("chr1", 0, 20),
                region("chr1", 30, 60),
                region("chr2", 0, 10)
            ]
        );
        let both = [inner.regions(), &outside].concat();
        let apart = GenomeAxis::with_regions_apart(toy(), both).unwrap();
        assert_eq!(apart.n_bins(), 10 + 20 + 20 + 60 + 10);
        assert_eq!(apart.bin_at("chr1", 20 * 25), Some(0));
        assert_eq!(apart.bin_at("chr1", 30 * 25), Some(50));
        assert_eq!(
            inner.starts_in(&whole).unwrap_err().to_string(),
            "chr1:2251-2750 is not covered by the database"
        );
        let twice = [inner.regions(), inner.regions()].concat();
        assert!(GenomeAxis::with_regions_apart(toy(), twice).is_err());
    }

    #[test]
    fn positions_are_found_only_where_covered() {
        let parts = vec![
            region("chr2", 4, 2),
            region("chr1", 10, 10),
            region("chr1", 30, 1),
        ];
        let axis = GenomeAxis::new(toy(), parts).unwrap();
        assert_eq!(axis.bin_at("chr1", 250), Some(2));
        assert_eq!(axis.bin_at("chr1", 499), Some(11));
        assert_eq!(axis.bin_at("chr1", 500), None);
        assert_eq!(axis.bin_at("chr2", 125), Some(1));
        assert_eq!(axis.bin_at("chr3", 125), None);
        assert_eq!(
            axis.bins_within(&Interval::new("chr1", 480, 800)),
            [11..12, 12..13]
        );
        assert_eq!(
            axis.nearest_region("chr1", 700),
            Some(Interval::new("chr1", 750, 775))
        );
    }
}
