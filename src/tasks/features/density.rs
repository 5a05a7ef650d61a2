//! What lies around an example whatever the biosample: the features of the baselines.

use std::collections::HashMap;
use std::path::Path;

use super::{Column, Features};
use crate::genome::{Assembly, Gene, Interval, read_bed};
use crate::store::Example;
use crate::tasks::import::file_checksum;
use crate::tasks::windows::span;

/// How far around an example genes are counted, in bp.
const AROUND: u64 = 500_000;

/// CpG islands, sorted, with their number of bases up to each.
#[derive(Debug, Clone)]
pub struct CpgIslands {
    by_chrom: HashMap<String, Vec<(u64, u64, u64)>>,
    /// BLAKE3 of the file, in hexadecimal.
    pub checksum: String,
}

impl CpgIslands {
    /// Reads them from a BED file.
    ///
    /// # Errors
    /// As [`read_bed`].
    pub fn read(path: &Path, assembly: &Assembly) -> crate::Result<Self> {
        let mut intervals: Vec<Interval> = read_bed(path, assembly)?
            .into_iter()
            .map(|(i, _)| i)
            .collect();
        intervals.sort();
        let mut by_chrom: HashMap<String, Vec<(u64, u64, u64)>> = HashMap::new();
        for i in intervals {
            let list = by_chrom.entry(i.chrom.clone()).or_default();
            let (end, before) = list.last().map_or((0, 0), |(s, e, b)| (*e, b + (e - s)));
            let start = i.start.max(end);
            if start < i.end {
                list.push((start, i.end, before));
            }
        }
        let checksum = file_checksum(path)?;
        Ok(CpgIslands { by_chrom, checksum })
    }

    /// The share of a stretch's bases that lie in islands.
    fn share(&self, chrom: &str, start: u64, end: u64) -> f64 {
        let Some(list) = self.by_chrom.get(chrom) else {
            return 0.0;
        };
        let up_to = |position: u64| {
            let after = list.partition_point(|(s, _, _)| *s < position);
            let last = after.checked_sub(1).and_then(|i| list.get(i));
            last.map_or(0, |(s, e, before)| before + position.min(*e) - s)
        };
        (up_to(end) - up_to(start)) as f64 / (end - start).max(1) as f64
    }
}

/// The density of genes, and of CpG islands where they are known, in and around each example;
/// `None` where an example has no place.
pub(crate) fn density(
    examples: &[Example],
    genes: &[Gene],
    islands: Option<&CpgIslands>,
) -> Option<Features> {
    let mut starts: HashMap<&str, Vec<u64>> = HashMap::new();
    for gene in genes {
        starts
            .entry(&gene.interval.chrom)
            .or_default()
            .push(gene.tss());
    }
    for list in starts.values_mut() {
        list.sort_unstable();
    }
    let mut names = vec![
        "genes within 500 kb",
        "genes within 50 kb",
        "distance to the next gene",
    ];
    if islands.is_some() {
        names.extend(["CpG within 1 kb", "CpG within", "CpG within 50 kb"]);
    }
    let mut values = Vec::new();
    for example in examples {
        let place = span(example)?;
        let list = starts
            .get(place.chrom.as_str())
            .map_or(&[][..], Vec::as_slice);
        let first_at = |position: u64| list.partition_point(|t| *t < position);
        let around = |bp: u64| (place.start.saturating_sub(bp), place.end + bp);
        for bp in [AROUND, 50_000] {
            let (start, end) = around(bp);
            values.push((first_at(end) - first_at(start)) as f32);
        }
        let middle = place.start + place.len() / 2;
        let after = first_at(middle);
        // The gene itself is not a neighbour.
        let others = list[after.saturating_sub(2)..(after + 2).min(list.len())].iter();
        let own = |t: &&u64| example.strand.is_some() && **t == place.start;
        let nearest = others.filter(|t| !own(t)).map(|t| t.abs_diff(middle)).min();
        values.push(nearest.map_or(f32::NAN, |d| (d as f32).ln_1p()));
        if let Some(islands) = islands {
            for bp in [1_000, 0, 50_000] {
                let (start, end) = around(bp);
                values.push(islands.share(&place.chrom, start, end) as f32);
            }
        }
    }
    Some(named(&names, values))
}

/// The distance between the two windows of each pair; `None` where examples are no pairs.
pub(crate) fn distance(examples: &[Example]) -> Option<Features> {
    let distance = |e: &Example| {
        let (a, b) = (e.place.as_ref()?, e.partner.as_ref()?);
        let apart = (a.start.max(b.start)).saturating_sub(a.end.min(b.end));
        Some((apart as f32).ln_1p())
    };
    let values: Option<Vec<f32>> = examples.iter().map(distance).collect();
    Some(named(&["distance"], values?))
}

/// The promoter of each pair as a number, for counting how many of the pairs that a fold is trained
/// on share it; `None` where examples are no pairs.
pub(crate) fn promoters_to_count(examples: &[Example]) -> Option<Features> {
    let mut numbers: HashMap<&Interval, usize> = HashMap::new();
    if examples
        .iter()
        .any(|e| e.partner.is_none() || e.place.is_none())
    {
        return None;
    }
    let keys = examples.iter().flat_map(|e| &e.place).map(|place| {
        let next = numbers.len();
        *numbers.entry(place).or_insert(next)
    });
    let keys: Vec<usize> = keys.collect();
    Some(Features {
        counted: Some(keys),
        ..named(&["promoter frequency"], vec![0.0; examples.len()])
    })
}

/// How many pairs of the whole task share each pair's promoter, in the biosample of each row;
/// `all` are the task's pairs with whether they are labelled there. It counts pairs that are to be
/// predicted, which no learner may know of: only runs stored earlier are repeated with it.
pub(crate) fn promoter_frequency(
    examples: &[Example],
    all: &[Example],
    labelled: &[bool],
) -> Option<Features> {
    let mut counts: HashMap<&Interval, f32> = HashMap::new();
    for (example, labelled) in all.iter().zip(labelled) {
        if let (Some(place), true) = (&example.place, labelled) {
            *counts.entry(place).or_default() += 1.0;
        }
    }
    let count = |e: &Example| {
        e.partner.as_ref()?;
        counts.get(e.place.as_ref()?).copied()
    };
    let values: Option<Vec<f32>> = examples.iter().map(count).collect();
    Some(named(&["promoter frequency"], values?))
}

fn named(names: &[&str], values: Vec<f32>) -> Features {
    let columns = names.iter().map(|n| Column {
        name: n.to_string(),
        group: n.to_string(),
    });
    Features {
        columns: columns.collect(),
        values,
        reduce_to: None,
        counted: None,
    }
}

impl CpgIslands {
    /// As [`CpgIslands::read`], where a path is given.
    pub(crate) fn maybe(path: Option<&Path>, assembly: &Assembly) -> crate::Result<Option<Self>> {
        path.map(|p| Self::read(p, assembly)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::Strand;

    #[test]
    fn shares_of_islands_and_counts_of_genes_are_exact() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cpg.bed");
        std::fs::write(
            &path,
            "chr21\t1000\t2000\nchr21\t1500\t2500\nchr21\t5000\t5100\n",
        )
        .unwrap();
        let assembly = Assembly::by_name("hg19").unwrap();
        let islands = CpgIslands::read(&path, &assembly).unwrap();
        assert_eq!(islands.share("chr21", 0, 3000), 0.5);
        assert_eq!(islands.share("chr21", 2400, 5050), 150.0 / 2650.0);
        assert_eq!(islands.share("chr20", 0, 3000), 0.0);
        let gene = |start: u64| Gene {
            id: String::new(),
            name: String::new(),
            interval: Interval::new("chr21", start, start + 10),
            strand: Strand::Forward,
            transcript_starts: Vec::new(),
        };
        let genes = [
            gene(1_000_000),
            gene(1_040_000),
            gene(1_400_000),
            gene(3_000_000),
        ];
        let example = Example {
            place: Some(Interval::new("chr21", 1_000_000, 1_000_001)),
            strand: Some(Strand::Forward),
            ..Example::default()
        };
        let features = density(&[example], &genes, None).unwrap();
        assert_eq!(features.row(0), [3.0, 2.0, 40_000f32.ln_1p()]);
    }

    #[test]
    fn pairs_have_a_distance_and_promoters_are_counted_where_they_are_labelled() {
        let pair = |p: u64, e: u64| Example {
            place: Some(Interval::new("chr21", p, p + 100)),
            partner: Some(Interval::new("chr21", e, e + 100)),
            ..Example::default()
        };
        let all = [
            pair(1000, 2000),
            pair(1000, 5000),
            pair(9000, 2000),
            pair(1000, 1050),
        ];
        let distance = distance(&all).unwrap();
        let apart: Vec<f32> = distance.values.iter().map(|v| v.exp_m1().round()).collect();
        assert_eq!(apart, [900.0, 3900.0, 6900.0, 0.0]);
        let labelled = [true, true, true, false];
        let frequency = promoter_frequency(&all[..3], &all, &labelled).unwrap();
        assert_eq!(frequency.values, [2.0, 2.0, 1.0]);
        assert_eq!(
            promoters_to_count(&all).unwrap().counted.unwrap(),
            [0, 0, 1, 0]
        );
        let window = Example {
            place: Some(Interval::new("chr21", 5, 9)),
            ..Example::default()
        };
        assert!(promoters_to_count(std::slice::from_ref(&window)).is_none());
        assert!(super::distance(&[window]).is_none());
    }
}
