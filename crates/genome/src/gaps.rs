//! The gaps of the built-in assemblies: bases that nobody has sequenced.
//!
//! No read maps to a gap, so every track is 0 there and any predictor is right. They are 27 % of chr21
//! and 32 % of chr22 in hg19. Both tables are UCSC's gap tables, overlapping rows merged; hg38's
//! centromeres are modelled sequence there and no gaps. Rows on sequences that the built-in assemblies
//! lack are left out.

use super::{Assembly, Interval};

/// The gaps of an assembly, sorted as its chromosomes are and apart from each other. Only chromosomes of
/// the built-in length have some: of another assembly, or a cut one, nothing is known. `None` where no
/// gaps are built in for an assembly of that name.
///
/// ```
/// use persea_genome::{Assembly, assembly_gaps};
/// let gaps = assembly_gaps(&Assembly::by_name("hg19")?).unwrap_or_default();
/// let of_chr22: u64 = gaps.iter().filter(|g| g.chrom == "chr22").map(|g| g.end - g.start).sum();
/// assert_eq!(of_chr22, 16_410_000);
/// # Ok::<(), persea_genome::GenomeError>(())
/// ```
pub fn assembly_gaps(assembly: &Assembly) -> Option<Vec<Interval>> {
    let table = match assembly.name() {
        "hg19" => include_str!("gaps/hg19.bed"),
        "hg38" => include_str!("gaps/hg38.bed"),
        // From telomere to telomere: it has none.
        "hs1" => "",
        _ => return None,
    };
    let built_in = Assembly::by_name(assembly.name()).ok()?;
    let length = |of: &Assembly, chrom: &str| of.chromosome(chrom).ok().map(|c| c.length);
    let row = |line: &str| {
        let mut fields = line.split('\t');
        let chrom = fields.next()?;
        let start = fields.next()?.parse().ok()?;
        let end = fields.next()?.parse().ok()?;
        Some(Interval::new(chrom, start, end))
    };
    let same = |gap: &Interval| length(assembly, &gap.chrom) == length(&built_in, &gap.chrom);
    Some(table.lines().filter_map(row).filter(same).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_gap_is_the_sequence_that_ncbi_counts() {
        // Bases without N of GRCh38's chromosomes, by NCBI's statistics of the assembly; single Ns
        // within a contig are in no table of gaps.
        let hg38 = Assembly::by_name("hg38").unwrap();
        let gaps = assembly_gaps(&hg38).unwrap();
        for (chrom, known) in [
            ("chr14", 90_568_149),
            ("chr19", 58_440_758),
            ("chr22", 39_159_782),
            ("chr1", 230_481_012),
            ("chr21", 40_088_623),
        ] {
            let in_gaps: u64 = (gaps.iter().filter(|g| g.chrom == chrom))
                .map(|g| g.end - g.start)
                .sum();
            let rest = hg38.chromosome(chrom).unwrap().length - in_gaps;
            assert!(rest >= known && rest - known < 6_000, "{chrom}: {rest}");
        }
    }

    #[test]
    fn gaps_are_sorted_apart_and_inside_their_chromosomes() {
        for name in ["hg19", "hg38"] {
            let assembly = Assembly::by_name(name).unwrap();
            let gaps = assembly_gaps(&assembly).unwrap();
            assert!(gaps.len() > 300);
            for gap in &gaps {
                let length = assembly.chromosome(&gap.chrom).unwrap().length;
                assert!(gap.start < gap.end && gap.end <= length, "{gap:?}");
            }
            for pair in gaps.windows(2) {
                let [a, b] = pair else { continue };
                let (rank_a, rank_b) = (assembly.rank(&a.chrom), assembly.rank(&b.chrom));
                assert!(
                    (rank_a, a.end) < (rank_b, b.start) || rank_a < rank_b,
                    "{a:?} {b:?}"
                );
            }
        }
    }

    #[test]
    fn other_assemblies_and_cut_chromosomes_have_none() {
        let list = |name: &str, length| {
            let list = [("chr21".to_string(), length)];
            assembly_gaps(&Assembly::from_chromosomes(name, &list).unwrap())
        };
        assert_eq!(list("mm10", 48_129_895), None);
        assert_eq!(list("hs1", 45_090_682), Some(Vec::new()));
        assert_eq!(list("hg19", 1_000_000), Some(Vec::new()));
        assert!(!list("hg19", 48_129_895).unwrap().is_empty());
    }
}
