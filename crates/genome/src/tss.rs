//! The transcription start site nearest to a position.

use std::collections::HashMap;

use super::{Gene, Strand};

/// Transcription start sites, sorted, to find the nearest one to any position.
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
    /// An index of the genes' starts.
    pub fn new(genes: &[Gene]) -> Self {
        let mut by_chrom: HashMap<String, Vec<(u64, usize, Strand)>> = HashMap::new();
        for (i, gene) in genes.iter().enumerate() {
            let entry = (gene.tss(), i, gene.strand);
            match by_chrom.get_mut(&gene.interval.chrom) {
                Some(list) => list.push(entry),
                None => {
                    by_chrom.insert(gene.interval.chrom.clone(), vec![entry]);
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
    /// let interval = Interval::new("chr1", 100, 200);
    /// let gene = Gene { id: "G".into(), name: "g".into(), interval, strand: Strand::Reverse };
    /// let index = TssIndex::new(&[gene]);
    /// // It starts at 199 and is read downwards, so that 209 lies 10 bp upstream.
    /// assert_eq!(index.nearest("chr1", 209), Some(NearestTss { gene: 0, distance: -10 }));
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
            spans in prop::collection::vec((0u64..3, 0u64..60, 1u64..9, any::<bool>()), 0..25),
            chrom in 0u64..3,
            position in 0u64..90,
        ) {
            let genes: Vec<Gene> = spans.iter().map(|(c, start, length, forward)| Gene {
                id: String::new(),
                name: String::new(),
                interval: Interval::new(format!("chr{c}"), *start, start + length),
                strand: if *forward { Strand::Forward } else { Strand::Reverse },
            }).collect();
            let chrom = format!("chr{chrom}");
            let expected = genes.iter().enumerate()
                .filter(|(_, g)| g.interval.chrom == chrom)
                .min_by_key(|(i, g)| (g.tss().abs_diff(position), *i))
                .map(|(i, g)| {
                    let ahead = position as i64 - g.tss() as i64;
                    let distance = if g.strand == Strand::Forward { ahead } else { -ahead };
                    NearestTss { gene: i, distance }
                });
            prop_assert_eq!(TssIndex::new(&genes).nearest(&chrom, position), expected);
        }
    }
}
