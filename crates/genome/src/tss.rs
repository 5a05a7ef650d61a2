//! The transcription start site nearest to a position.

use std::collections::HashMap;

use super::{Gene, Strand};

/// Transcription start sites of all transcripts, sorted, to find the nearest one to any position.
#[derive(Debug, Clone, Default)]
pub struct TssIndex {
    /// For each chromosome: TSS, place of the gene in the list, strand; by TSS and place.
    by_chrom: HashMap<String, Vec<(u64, usize, Strand)>>,
}

/// The gene whose TSS is nearest to a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NearestTss {
    /// The gene's place in the list that the index was made of.
    pub gene: usize,
    /// From the TSS to the position, in bp, along the gene: negative upstream, positive
    /// downstream of the TSS.
    pub distance: i64,
}

impl TssIndex {
    /// An index of every start of the genes ([`Gene::starts`]).
    pub fn new(genes: &[Gene]) -> Self {
        let mut by_chrom: HashMap<String, Vec<(u64, usize, Strand)>> = HashMap::new();
        for (i, gene) in genes.iter().enumerate() {
            let entries = gene.starts().map(|tss| (tss, i, gene.strand));
            match by_chrom.get_mut(&gene.interval.chrom) {
                Some(list) => list.extend(entries),
                None => {
                    by_chrom.insert(gene.interval.chrom.clone(), entries.collect());
                }
            }
        }
        for list in by_chrom.values_mut() {
            list.sort_unstable_by_key(|(tss, gene, _)| (*tss, *gene));
        }
        TssIndex { by_chrom }
    }

    /// The gene whose TSS is nearest to a position (0-based) on its chromosome, the first of the
    /// list among equals; `None` where the chromosome has no gene.
    ///
    /// ```
    /// use persea_genome::{Gene, Interval, NearestTss, Strand, TssIndex};
    /// let gene = Gene {
    ///     id: "G".into(),
    ///     name: "g".into(),
    ///     interval: Interval::new("chr1", 100, 200),
    ///     strand: Strand::Reverse,
    ///     transcript_starts: vec![149, 199],
    /// };
    /// let index = TssIndex::new(&[gene]);
    /// // It starts at 199 and is read downwards, so that 209 lies 10 bp upstream.
    /// assert_eq!(index.nearest("chr1", 209), Some(NearestTss { gene: 0, distance: -10 }));
    /// // 140 lies 9 bp downstream of the other transcript's start.
    /// assert_eq!(index.nearest("chr1", 140), Some(NearestTss { gene: 0, distance: 9 }));
    /// assert_eq!(index.nearest("chr2", 209), None);
    /// ```
    pub fn nearest(&self, chrom: &str, position: u64) -> Option<NearestTss> {
        let list = self.by_chrom.get(chrom)?;
        let first_at = |tss: u64| list.partition_point(|(t, _, _)| *t < tss);
        let after = first_at(position);
        let right = list.get(after);
        // Of several that start at one base, the first of the list.
        let left = after
            .checked_sub(1)
            .and_then(|i| list.get(first_at(list[i].0)));
        let nearest = match (left, right) {
            (Some(l), Some(r)) => {
                let (to_left, to_right) = (position - l.0, r.0 - position);
                if (to_left, l.1) < (to_right, r.1) {
                    l
                } else {
                    r
                }
            }
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return None,
        };
        let (tss, gene, strand) = *nearest;
        let ahead = position as i64 - tss as i64;
        let distance = match strand {
            Strand::Forward => ahead,
            Strand::Reverse => -ahead,
        };
        Some(NearestTss { gene, distance })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Interval;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_nearest_tss_is_the_one_that_looking_at_all_finds(
            spans in prop::collection::vec(
                (0u64..3, 0u64..60, 1u64..9, any::<bool>(), prop::collection::btree_set(0u64..70, 0..4)),
                0..25,
            ),
            chrom in 0u64..3,
            position in 0u64..90,
        ) {
            let genes: Vec<Gene> = spans.iter().map(|(c, start, length, forward, starts)| Gene {
                id: String::new(),
                name: String::new(),
                interval: Interval::new(format!("chr{c}"), *start, start + length),
                strand: if *forward { Strand::Forward } else { Strand::Reverse },
                transcript_starts: starts.iter().copied().collect(),
            }).collect();
            let chrom = format!("chr{chrom}");
            let expected = genes.iter().enumerate()
                .filter(|(_, g)| g.interval.chrom == chrom)
                .flat_map(|(i, g)| g.starts().map(move |tss| (i, g, tss)))
                .min_by_key(|(i, _, tss)| (tss.abs_diff(position), *i))
                .map(|(i, g, tss)| {
                    let ahead = position as i64 - tss as i64;
                    let distance = if g.strand == Strand::Forward { ahead } else { -ahead };
                    NearestTss { gene: i, distance }
                });
            let found = TssIndex::new(&genes).nearest(&chrom, position);
            // One gene may start at equal distances on both sides.
            prop_assert_eq!(found.map(|f| (f.gene, f.distance.abs())), expected.map(|e| (e.gene, e.distance.abs())));
        }
    }
}
