//! Where an example's features come from: its windows, in bins of an axis.

use std::ops::Range;

use crate::genome::{BIN_BP, GenomeAxis, Interval, Strand};
use crate::store::Example;

/// How far the window of a gene reaches from the bin of its transcription start, along the gene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Bins upstream of that bin.
    pub upstream: u64,
    /// Bins downstream of it.
    pub downstream: u64,
}

/// The windows of examples on an axis; those that it does not wholly cover have none.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    /// The names of the windows of one example: one without a name, or promoter, enhancer and
    /// what lies between.
    pub parts: &'static [&'static str],
    /// For each example covered, its windows in the order of `parts`.
    pub of: Vec<Option<Vec<Range<u64>>>>,
    /// Whether an example is read downwards: bin by bin, its last bin is its first.
    pub reversed: Vec<bool>,
}

const ONE: &[&str] = &[""];
const PAIR: &[&str] = &["promoter", "enhancer", "window"];

impl Windows {
    /// The windows of examples. The window of a gene is the bin that transcription starts in and
    /// as many bins on either side as `reach` says.
    pub(crate) fn new(axis: &GenomeAxis, examples: &[Example], reach: Reach) -> Self {
        let pairs = examples.iter().any(|e| e.partner.is_some());
        let of = examples.iter().map(|e| {
            intervals(e, reach)?
                .into_iter()
                .map(|(chrom, bins)| on_axis(axis, &chrom, bins))
                .collect()
        });
        Windows {
            parts: if pairs { PAIR } else { ONE },
            of: of.collect(),
            reversed: (examples.iter())
                .map(|e| e.strand == Some(Strand::Reverse))
                .collect(),
        }
    }
}

/// The bins of a chromosome that an interval touches.
fn bins(interval: &Interval) -> Range<u64> {
    interval.start / BIN_BP..interval.end.div_ceil(BIN_BP)
}

/// An example's windows in bins of its chromosome.
fn intervals(example: &Example, reach: Reach) -> Option<Vec<(String, Range<u64>)>> {
    let place = example.place.as_ref()?;
    let chrom = place.chrom.clone();
    if let Some(partner) = &example.partner {
        return Some(vec![
            (chrom.clone(), bins(place)),
            (chrom.clone(), bins(partner)),
            (chrom, bins(&between(place, partner))),
        ]);
    }
    let at = bins(place);
    Some(vec![(
        chrom,
        match example.strand {
            None => at,
            Some(Strand::Forward) => {
                at.start.checked_sub(reach.upstream)?..at.start + reach.downstream + 1
            }
            Some(Strand::Reverse) => {
                at.start.checked_sub(reach.downstream)?..at.start + reach.upstream + 1
            }
        },
    )])
}

/// What lies between two windows; of windows that meet or overlap, both.
pub(crate) fn between(a: &Interval, b: &Interval) -> Interval {
    let (start, end) = (a.end.min(b.end), a.start.max(b.start));
    if start < end {
        Interval::new(&a.chrom, start, end)
    } else {
        Interval::new(&a.chrom, a.start.min(b.start), a.end.max(b.end))
    }
}

/// The whole stretch that an example spans, both windows of a pair included.
pub(crate) fn span(example: &Example) -> Option<Interval> {
    let place = example.place.as_ref()?;
    Some(match &example.partner {
        None => place.clone(),
        Some(partner) => Interval::new(
            &place.chrom,
            place.start.min(partner.start),
            place.end.max(partner.end),
        ),
    })
}

/// Bins of a chromosome as bins of the axis, if one region covers them all.
fn on_axis(axis: &GenomeAxis, chrom: &str, bins: Range<u64>) -> Option<Range<u64>> {
    let first = axis.bin_at(chrom, bins.start * BIN_BP)?;
    let region = &axis.regions()[axis.locate(first).region];
    let n = bins.end - bins.start;
    (bins.end <= region.end_bin()).then(|| first..first + n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, Region};

    const PAPER: Reach = Reach {
        upstream: 80,
        downstream: 0,
    };

    fn axis() -> GenomeAxis {
        let region = |first_bin, n_bins| Region {
            name: None,
            chrom: "chr21".into(),
            first_bin,
            n_bins,
        };
        let assembly = Assembly::by_name("hg19").unwrap();
        GenomeAxis::new(assembly, vec![region(1000, 200), region(5000, 300)]).unwrap()
    }

    fn gene(bin: u64, strand: Strand) -> Example {
        Example {
            place: Some(Interval::new("chr21", bin * 25 + 7, bin * 25 + 8)),
            strand: Some(strand),
            ..Example::default()
        }
    }

    #[test]
    fn a_promoter_is_81_bins_up_to_the_start_along_the_gene() {
        let examples = [
            gene(5100, Strand::Forward),
            gene(5100, Strand::Reverse),
            gene(5079, Strand::Forward),
            gene(5080, Strand::Forward),
            gene(5219, Strand::Reverse),
            gene(5220, Strand::Reverse),
        ];
        let windows = Windows::new(&axis(), &examples, PAPER);
        // Bin 5000 is the axis' 200th.
        let bins = |i: usize| windows.of[i].as_deref().map(|w| (w.len(), w[0].clone()));
        assert_eq!(bins(0), Some((1, 220..301)));
        assert_eq!(bins(1), Some((1, 300..381)));
        assert_eq!((windows.reversed[0], windows.reversed[1]), (false, true));
        let covered: Vec<bool> = windows.of[2..].iter().map(Option::is_some).collect();
        assert_eq!(covered, [false, true, true, false]);
    }

    #[test]
    fn a_window_reaches_downstream_along_the_gene() {
        let examples = [
            gene(5100, Strand::Forward),
            gene(5100, Strand::Reverse),
            gene(5298, Strand::Forward),
            gene(5001, Strand::Reverse),
        ];
        let reach = Reach {
            upstream: 3,
            downstream: 2,
        };
        let windows = Windows::new(&axis(), &examples, reach);
        // Bin 5000 is the axis' 200th, 5299 its last.
        let bins = |i: usize| windows.of[i].as_deref().map(|w| w[0].clone());
        assert_eq!(bins(0), Some(297..303));
        assert_eq!(bins(1), Some(298..304));
        assert_eq!((bins(2), bins(3)), (None, None));
    }

    #[test]
    fn a_pair_has_three_windows_that_one_region_must_cover() {
        let pair = |a: Range<u64>, b: Range<u64>| Example {
            place: Some(Interval::new("chr21", a.start, a.end)),
            partner: Some(Interval::new("chr21", b.start, b.end)),
            ..Example::default()
        };
        let far = pair(126_000..126_400, 125_010..125_090);
        let meeting = pair(125_100..125_200, 125_150..125_300);
        let apart = pair(25_000..25_100, 125_000..125_100);
        let windows = Windows::new(&axis(), &[far, meeting, apart], PAPER);
        assert_eq!(windows.parts, ["promoter", "enhancer", "window"]);
        assert_eq!(windows.of[0], Some(vec![240..256, 200..204, 203..240]));
        assert_eq!(windows.of[1], Some(vec![204..208, 206..212, 204..212]));
        assert_eq!(windows.of[2], None);
    }
}
