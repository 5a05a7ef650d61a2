//! Sets of bins as ranges: the bins of promoters, genes and enhancers.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::genome::{BIN_BP, Gene, GenomeAxis, Interval, Mask, Strand};

/// How many bins upstream of a transcription start are its promoter (2 kb), as the ENCODE
/// Imputation Challenge scores them.
pub const PROMOTER_BINS: u64 = 80;

/// Whose definitions a measure follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Definitions {
    /// This crate's: the mean over ties, shares, each bin counted once.
    #[default]
    Persea,
    /// The ENCODE Imputation Challenge's: all ties, counts, a bin once for each annotation.
    Challenge,
}

/// Axis bins, none masked, as ranges. [`BinSet::new`] holds each once, in ascending order;
/// [`BinSet::with_repeats`] as often as it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BinSet {
    ranges: Vec<Range<u64>>,
}

impl BinSet {
    /// The unmasked bins among the given ranges, which may overlap and stand in any order.
    pub fn new(mask: &Mask, ranges: impl IntoIterator<Item = Range<u64>>) -> Self {
        let mut given: Vec<Range<u64>> = ranges.into_iter().filter(|r| !r.is_empty()).collect();
        given.sort_by_key(|r| r.start);
        let mut merged: Vec<Range<u64>> = Vec::new();
        for range in given {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        if mask.n_masked() > 0 {
            merged = merged.into_iter().flat_map(|r| unmasked(mask, r)).collect();
        }
        BinSet { ranges: merged }
    }

    /// The unmasked bins of each of the given ranges: a bin of two ranges counts twice.
    pub fn with_repeats(mask: &Mask, ranges: impl IntoIterator<Item = Range<u64>>) -> Self {
        let given = ranges.into_iter().filter(|r| !r.is_empty());
        let ranges = match mask.n_masked() > 0 {
            true => given.flat_map(|r| unmasked(mask, r)).collect(),
            false => given.collect(),
        };
        BinSet { ranges }
    }

    /// The bins as ranges, none empty; of [`BinSet::new`] ascending and apart from each other.
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.ranges
    }

    /// How many bins.
    pub fn n_bins(&self) -> u64 {
        self.ranges.iter().map(|r| r.end - r.start).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// One past the last bin; 0 when there is none.
    pub fn end(&self) -> u64 {
        self.ranges.iter().map(|r| r.end).max().unwrap_or(0)
    }
}

/// The parts of a range between its masked bins.
fn unmasked(mask: &Mask, range: Range<u64>) -> Vec<Range<u64>> {
    let masked = mask.as_slice();
    let mut parts = Vec::new();
    let mut start = None;
    for bin in range.start..range.end.min(masked.len() as u64) {
        match (masked[bin as usize], start) {
            (false, None) => start = Some(bin),
            (true, Some(first)) => {
                parts.push(first..bin);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(first) = start {
        parts.push(first..range.end.min(masked.len() as u64));
    }
    parts
}

/// How many bins of a promoter lie on either side of the bin of the TSS: 1 kb.
const PROMOTER_BINS_BESIDE: u64 = 40;

/// A promoter, for classes, queries and loci: the bin of a TSS, and 1 kb on either side. The published
/// measures have another definition ([`promoter_bins`]), which is theirs alone.
fn promoter_at(chrom: &str, tss: u64) -> Interval {
    let bin = tss / BIN_BP;
    Interval::new(
        chrom,
        bin.saturating_sub(PROMOTER_BINS_BESIDE) * BIN_BP,
        (bin + 1 + PROMOTER_BINS_BESIDE) * BIN_BP,
    )
}

/// The promoters of a gene: one a transcript's TSS.
pub(crate) fn promoter_intervals(gene: &Gene) -> impl Iterator<Item = Interval> + '_ {
    (gene.starts()).map(|tss| promoter_at(&gene.interval.chrom, tss))
}

/// The promoter at the gene's own TSS: what a query by the gene's name is about.
pub(crate) fn promoter_interval(gene: &Gene) -> Interval {
    promoter_at(&gene.interval.chrom, gene.tss())
}

/// The bins of `mseprom`, `msegene` and `mseenh`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnnotationBins {
    /// Promoters.
    pub promoters: BinSet,
    /// Genes.
    pub genes: BinSet,
    /// Enhancers.
    pub enhancers: BinSet,
}

impl AnnotationBins {
    /// By either definition. Persea's are [`promoter_bins`], `gene_bins` and `enhancer_bins`. The
    /// Challenge's: an annotation is the bins `start / 25` to `end / 25`, inclusive, so one more where its
    /// end is a bin's edge; a promoter is the 80 bins before the first (+) or after the last (−), none at
    /// all where fewer than 80 bins lie before the first; and a bin counts once for each annotation that
    /// holds it.
    pub fn new(
        axis: &GenomeAxis,
        mask: &Mask,
        (genes, enhancers): (&[Gene], &[Interval]),
        definitions: Definitions,
    ) -> Self {
        if definitions == Definitions::Persea {
            return AnnotationBins {
                promoters: promoter_bins(axis, mask, genes),
                genes: gene_bins(axis, mask, genes),
                enhancers: enhancer_bins(axis, mask, enhancers),
            };
        }
        let bins_of = |i: &Interval| i.start / BIN_BP..i.end / BIN_BP + 1;
        let on_axis = |chrom: &str, bins: Range<u64>| {
            axis.bins_within(&Interval::new(
                chrom,
                bins.start * BIN_BP,
                bins.end * BIN_BP,
            ))
        };
        let promoter = |gene: &Gene| {
            let body = bins_of(&gene.interval);
            let bins = match gene.strand {
                Strand::Forward if body.start < PROMOTER_BINS => return Vec::new(),
                Strand::Forward => body.start - PROMOTER_BINS..body.start,
                Strand::Reverse => body.end..body.end + PROMOTER_BINS,
            };
            on_axis(&gene.interval.chrom, bins)
        };
        let whole = |i: &Interval| on_axis(&i.chrom, bins_of(i));
        let set = |ranges: Vec<Range<u64>>| BinSet::with_repeats(mask, ranges);
        AnnotationBins {
            promoters: set(genes.iter().flat_map(promoter).collect()),
            genes: set(genes.iter().flat_map(|g| whole(&g.interval)).collect()),
            enhancers: set(enhancers.iter().flat_map(whole).collect()),
        }
    }
}

/// The promoters' bins of the published measures: for each gene the `PROMOTER_BINS` bins upstream of its own
/// TSS ([`Gene::tss`]; its transcripts' do not count), in the direction of transcription, without the bin of the start itself; what the axis
/// does not cover is left out.
pub fn promoter_bins(axis: &GenomeAxis, mask: &Mask, genes: &[Gene]) -> BinSet {
    let ranges = genes.iter().flat_map(|gene| {
        let start_bin = gene.tss() / BIN_BP;
        let bins = match gene.strand {
            Strand::Forward => start_bin.saturating_sub(PROMOTER_BINS)..start_bin,
            Strand::Reverse => start_bin + 1..start_bin + 1 + PROMOTER_BINS,
        };
        let chrom = &gene.interval.chrom;
        axis.bins_within(&Interval::new(
            chrom,
            bins.start * BIN_BP,
            bins.end * BIN_BP,
        ))
    });
    BinSet::new(mask, ranges)
}

/// The bins that a gene touches, from its start to its end, introns included.
pub fn gene_bins(axis: &GenomeAxis, mask: &Mask, genes: &[Gene]) -> BinSet {
    BinSet::new(
        mask,
        genes
            .iter()
            .flat_map(|gene| axis.bins_within(&gene.interval)),
    )
}

/// The bins that an enhancer touches.
pub fn enhancer_bins(axis: &GenomeAxis, mask: &Mask, enhancers: &[Interval]) -> BinSet {
    BinSet::new(
        mask,
        enhancers
            .iter()
            .flat_map(|enhancer| axis.bins_within(enhancer)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, Region};
    use proptest::prelude::*;

    /// chr1 bins 100 to 299 (axis bins 0 to 199), then chr2 bins 0 to 49 (axis bins 200 to 249).
    fn axis() -> GenomeAxis {
        let list = [("chr1".to_string(), 10_000), ("chr2".to_string(), 5_000)];
        let region = |chrom: &str, first_bin, n_bins| Region {
            name: None,
            chrom: chrom.into(),
            first_bin,
            n_bins,
        };
        let assembly = Assembly::from_chromosomes("toy", &list).unwrap();
        GenomeAxis::new(
            assembly,
            vec![region("chr1", 100, 200), region("chr2", 0, 50)],
        )
        .unwrap()
    }

    fn bounds(set: &BinSet) -> Vec<(u64, u64)> {
        set.ranges().iter().map(|r| (r.start, r.end)).collect()
    }

    fn gene(chrom: &str, start: u64, end: u64, strand: Strand) -> Gene {
        Gene {
            id: "g".into(),
            name: "g".into(),
            interval: Interval::new(chrom, start, end),
            strand,
            transcript_starts: Vec::new(),
        }
    }

    #[test]
    fn each_transcript_has_a_promoter_and_the_published_measures_know_the_genes_own_tss_alone() {
        let (axis, mask) = (axis(), Mask::none(&axis()));
        let one = gene("chr1", 5_010, 9_000, Strand::Forward);
        let more = Gene {
            transcript_starts: vec![5_010, 7_000],
            ..one.clone()
        };
        // The bins of 5,010 and 7,000 are 200 and 280: 40 on either side.
        let promoters: Vec<Interval> = promoter_intervals(&more).collect();
        assert_eq!(
            promoters,
            [
                Interval::new("chr1", 4_000, 6_025),
                Interval::new("chr1", 6_000, 8_025)
            ]
        );
        assert_eq!(promoter_intervals(&one).collect::<Vec<_>>(), promoters[..1]);
        assert_eq!(promoter_interval(&more), promoters[0]);
        assert_eq!(
            promoter_bins(&axis, &mask, &[more]),
            promoter_bins(&axis, &mask, &[one])
        );
    }

    #[test]
    fn a_promoter_lies_upstream_and_leaves_out_the_bin_of_the_start() {
        let (axis, mask) = (axis(), Mask::none(&axis()));
        // Starts in chromosome bin 200: bins 120 to 199.
        let forward = gene("chr1", 5_010, 6_000, Strand::Forward);
        assert_eq!(
            bounds(&promoter_bins(&axis, &mask, &[forward])),
            [(20, 100)]
        );
        // Its first base is 4,999, the last of bin 199: bins 200 to 279.
        let reverse = gene("chr1", 4_000, 5_000, Strand::Reverse);
        assert_eq!(
            bounds(&promoter_bins(&axis, &mask, &[reverse])),
            [(100, 180)]
        );
    }

    #[test]
    fn promoters_are_clipped_to_the_axis() {
        let (axis, mask) = (axis(), Mask::none(&axis()));
        let genes = [
            // Starts in chromosome bin 110: only bins 100 to 109 are covered.
            gene("chr1", 2_750, 3_000, Strand::Forward),
            // Starts in bin 10 of chr2: nothing before the chromosome.
            gene("chr2", 250, 900, Strand::Forward),
            // Starts in bin 290: only bins 291 to 299.
            gene("chr1", 7_000, 7_251, Strand::Reverse),
        ];
        let bins = promoter_bins(&axis, &mask, &genes);
        assert_eq!(bounds(&bins), [(0, 10), (191, 210)]);
        assert_eq!((bins.n_bins(), bins.end()), (29, 210));
    }

    #[test]
    fn bins_shared_by_genes_count_once_and_masked_ones_not_at_all() {
        let axis = axis();
        let genes = [
            gene("chr1", 2_500, 2_601, Strand::Forward),
            gene("chr1", 2_575, 2_700, Strand::Reverse),
        ];
        let unmasked = Mask::none(&axis);
        // Chromosome bins 100 to 104 and 103 to 107.
        assert_eq!(bounds(&gene_bins(&axis, &unmasked, &genes)), [(0, 8)]);
        let mask = Mask::new(&axis, &[Interval::new("chr1", 2_560, 2_580)]);
        assert_eq!(bounds(&gene_bins(&axis, &mask, &genes)), [(0, 2), (4, 8)]);
        let all = Mask::new(&axis, &[Interval::new("chr1", 2_500, 2_700)]);
        assert!(gene_bins(&axis, &all, &genes).is_empty());
    }

    #[test]
    fn enhancers_are_the_bins_they_touch_and_unknown_places_none() {
        let (axis, mask) = (axis(), Mask::none(&axis()));
        let enhancers = [
            Interval::new("chr2", 24, 26),
            Interval::new("chr1", 0, 2_500),
            Interval::new("chr9", 0, 100),
        ];
        assert_eq!(
            bounds(&enhancer_bins(&axis, &mask, &enhancers)),
            [(200, 202)]
        );
    }

    proptest! {
        #[test]
        fn a_set_holds_each_unmasked_bin_of_its_ranges_once(
            ranges in proptest::collection::vec((0u64..250, 0u64..30), 0..12),
            masked in proptest::collection::vec((0u64..9_000, 1u64..300), 0..4),
        ) {
            let axis = axis();
            let hidden: Vec<Interval> = masked.iter().map(|(s, l)| Interval::new("chr1", *s, s + l)).collect();
            let mask = Mask::new(&axis, &hidden);
            let ranges: Vec<Range<u64>> = ranges.iter().map(|(s, l)| *s..(s + l).min(250)).collect();
            let set = BinSet::new(&mask, ranges.clone());
            let held: Vec<u64> = set.ranges().iter().cloned().flatten().collect();
            let expected: Vec<u64> = (0..250)
                .filter(|b| !mask.is_masked(*b) && ranges.iter().any(|r| r.contains(b)))
                .collect();
            prop_assert_eq!(held.len() as u64, set.n_bins());
            prop_assert_eq!(held, expected);
        }
    }
}
