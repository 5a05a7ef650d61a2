//! Folds: which examples are predicted by a model that never saw their neighbours.
//!
//! Examples that are not independent form a unit, and a unit lies in one fold: chromosomes, regions,
//! connected pairs. Intervals are drawn over units too. Shuffled folds ignore all this; they are
//! here because papers report them.

mod components;
mod mersenne;

use persea_vocabulary::vocabulary;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::TaskError;
use super::windows::span;
use rand_chacha::rand_core::RngCore;

use crate::genome::GenomeAxis;
use crate::random::{Purpose, generator};
use crate::store::Example;
use components::Union;
use mersenne::numpy_shuffled;

/// Regions closer than this are one unit: beyond it lies the reach of enhancers and of domains.
const JOIN_BP: u64 = 2_000_000;

vocabulary! {
    /// How examples are divided.
    pub enum FoldKind = Auto {
        /// Regions if the database covers scattered regions, otherwise chromosomes
        Auto = "auto",
        /// Whole chromosomes
        Chromosomes = "chromosomes",
        /// Regions of the database; those closer than 2 Mb stay together
        Regions = "regions",
        /// Connected components: pairs that share a promoter, an enhancer or a window stay together
        Components = "components",
        /// At random, as often published; neighbouring examples leak information
        Shuffled = "shuffled",
        /// Contiguous blocks in the order of the file
        Blocks = "blocks",
        /// The file's own column of folds
        Column = "column",
    }
}

/// How many folds there are, of which kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct FoldSettings {
    /// The kind.
    pub kind: FoldKind,
    /// How many; by default 20 for shuffled folds and blocks, otherwise 5, or as many as there are
    /// units. Of a column there are as many as it has values.
    pub n: Option<usize>,
    /// Of shuffled folds: the seed of NumPy's `RandomState`.
    pub seed: u32,
}

/// Examples in folds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folds {
    pub kind: FoldKind,
    pub n_folds: usize,
    /// Each example's fold.
    pub fold: Vec<usize>,
    /// Each example's unit.
    pub unit: Vec<usize>,
}

impl Folds {
    /// Divides examples; `positive` (of classification) is spread over the folds as evenly as
    /// whole units allow.
    pub(crate) fn new(
        settings: &FoldSettings,
        axis: &GenomeAxis,
        examples: &[Example],
        positive: Option<&[bool]>,
    ) -> Result<Self, TaskError> {
        let kind = match settings.kind {
            FoldKind::Auto => automatic(axis, examples),
            kind => kind,
        };
        let n = examples.len();
        let wanted = |default: usize| settings.n.unwrap_or(default);
        if let Some(folds) = settings.n
            && (folds < 2 || folds > n)
        {
            return Err(TaskError::Folds(format!(
                "{n} examples cannot be divided into {folds} folds; choose between 2 and {n}"
            )));
        }
        if n < 4 {
            return Err(TaskError::Folds(format!(
                "{n} examples are too few to learn from and be tested on"
            )));
        }
        match kind {
            FoldKind::Shuffled => {
                let k = wanted(20.min(n));
                let mut fold = vec![0; n];
                for (place, example) in numpy_shuffled(n, settings.seed).into_iter().enumerate() {
                    fold[example] = place % k;
                }
                return Ok(Folds {
                    kind,
                    n_folds: k,
                    fold,
                    unit: (0..n).collect(),
                });
            }
            FoldKind::Blocks => {
                let k = wanted(20.min(n));
                let fold: Vec<usize> = (0..n).map(|i| i * k / n).collect();
                return Ok(Folds {
                    kind,
                    n_folds: k,
                    unit: fold.clone(),
                    fold,
                });
            }
            _ => {}
        }
        let unit = units(kind, axis, examples)?;
        Self::of_units(kind, unit, settings.n, positive)
    }

    /// Whole units in folds, as many as `wanted` or else 5; of the file's own column one a unit.
    ///
    /// # Errors
    /// When there are fewer units than folds.
    pub(crate) fn of_units(
        kind: FoldKind,
        unit: Vec<usize>,
        wanted: Option<usize>,
        positive: Option<&[bool]>,
    ) -> Result<Self, TaskError> {
        let n_units = unit.iter().max().map_or(0, |m| m + 1);
        if n_units < 2 {
            return Err(TaskError::Folds(format!(
                "all examples belong to one unit of `{}`: nothing is left to test on. Cover more \
                 of the genome, or choose option `folds` blocks, whose neighbours are not independent",
                kind.name()
            )));
        }
        let k = match kind {
            FoldKind::Column => n_units,
            _ => wanted.unwrap_or(5.min(n_units)),
        };
        if k > n_units {
            return Err(TaskError::Folds(format!(
                "{n_units} units of `{}` cannot be divided into {k} folds",
                kind.name()
            )));
        }
        let of_unit = match kind {
            FoldKind::Column => (0..n_units).collect(),
            _ => spread(&unit, n_units, k, positive, None),
        };
        Ok(Folds {
            kind,
            n_folds: k,
            fold: unit.iter().map(|u| of_unit[*u]).collect(),
            unit,
        })
    }
}

impl Folds {
    /// The fold of each example in another division of the same units; 0 is these folds. Blocks
    /// and the file's own column are as they are, and so are as many folds as there are units.
    pub(crate) fn divided_anew(
        &self,
        settings: &FoldSettings,
        positive: Option<&[bool]>,
        partition: u64,
    ) -> Vec<usize> {
        if partition == 0 || !self.can_be_divided_anew() {
            return self.fold.clone();
        }
        if self.kind == FoldKind::Shuffled {
            let seed = settings.seed.wrapping_add(partition as u32);
            let mut fold = vec![0; self.fold.len()];
            let order = numpy_shuffled(self.fold.len(), seed);
            for (place, example) in order.into_iter().enumerate() {
                fold[example] = place % self.n_folds;
            }
            return fold;
        }
        let n_units = self.n_units();
        let mut rng = generator(u64::from(settings.seed), Purpose::Partition, partition);
        // Largest first keeps folds even, but only roughly: then divisions differ.
        let jitter: Vec<f64> = (0..n_units)
            .map(|_| 0.25 + 1.75 * f64::from(rng.next_u32()) / f64::from(u32::MAX))
            .collect();
        let of_unit = spread(&self.unit, n_units, self.n_folds, positive, Some(&jitter));
        self.unit.iter().map(|u| of_unit[*u]).collect()
    }

    /// Whether there is another division of the units.
    pub(crate) fn can_be_divided_anew(&self) -> bool {
        match self.kind {
            FoldKind::Blocks | FoldKind::Column => false,
            FoldKind::Shuffled => true,
            _ => self.n_folds < self.n_units(),
        }
    }

    fn n_units(&self) -> usize {
        self.unit.iter().max().map_or(0, |m| m + 1)
    }
}

fn automatic(axis: &GenomeAxis, examples: &[Example]) -> FoldKind {
    if examples.iter().any(|e| e.place.is_none()) {
        return FoldKind::Shuffled;
    }
    let lengths: HashMap<&str, u64> = (axis.assembly().chromosomes().iter())
        .map(|c| (c.name.as_str(), c.n_bins()))
        .collect();
    let patchwork = axis.regions().iter().any(|r| {
        // The axis has made sure that the assembly has its chromosomes.
        let whole = lengths.get(r.chrom.as_str()).copied().unwrap_or(0);
        r.n_bins * 10 < whole * 9
    });
    match patchwork {
        true => FoldKind::Regions,
        false => FoldKind::Chromosomes,
    }
}

/// Each example's unit, numbered in the order in which they are met.
fn units(kind: FoldKind, axis: &GenomeAxis, examples: &[Example]) -> Result<Vec<usize>, TaskError> {
    let needs = |what: &str| {
        TaskError::Folds(format!(
            "folds by {} need examples with {what}; choose option `folds` shuffled or blocks",
            kind.name()
        ))
    };
    let keys: Vec<String> = match kind {
        FoldKind::Column => examples
            .iter()
            .map(|e| e.fold.clone().ok_or_else(|| needs("a column of folds")))
            .collect::<Result<_, _>>()?,
        FoldKind::Regions => {
            let region = joined_regions(axis);
            let of = |e: &Example| {
                let place = e.place.as_ref().ok_or_else(|| needs("a place"))?;
                Ok(match axis.bin_at(&place.chrom, place.start) {
                    Some(bin) => format!("region {}", region[axis.locate(bin).region]),
                    // Beyond the axis (a matrix may cover it): by chromosome.
                    None => place.chrom.clone(),
                })
            };
            examples.iter().map(of).collect::<Result<_, TaskError>>()?
        }
        FoldKind::Components => {
            if examples.iter().any(|e| e.partner.is_none()) {
                return Err(needs("two windows"));
            }
            let mut union = Union::new(examples.len());
            union.join_overlapping(examples.iter().map(|e| e.place.as_ref()));
            union.join_overlapping(examples.iter().map(|e| e.partner.as_ref()));
            let spans: Vec<_> = examples.iter().map(span).collect();
            union.join_overlapping(spans.iter().map(Option::as_ref));
            (0..examples.len())
                .map(|i| union.root(i).to_string())
                .collect()
        }
        _ => examples
            .iter()
            .map(|e| {
                let place = e.place.as_ref().ok_or_else(|| needs("a place"))?;
                Ok(place.chrom.clone())
            })
            .collect::<Result<_, TaskError>>()?,
    };
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let number = keys.into_iter().map(|key| {
        let next = numbers.len();
        *numbers.entry(key).or_insert(next)
    });
    Ok(number.collect())
}

/// The cluster that each region of an axis belongs to: those closer than 2 Mb together.
fn joined_regions(axis: &GenomeAxis) -> Vec<usize> {
    let mut cluster = vec![0; axis.regions().len()];
    let mut before: Option<crate::genome::Interval> = None;
    let mut current = 0;
    for region in axis.sorted_regions() {
        let here = axis.region_interval(*region);
        if let Some(last) = &before
            && (last.chrom != here.chrom || here.start >= last.end + JOIN_BP)
        {
            current += 1;
        }
        cluster[*region] = current;
        before = Some(here);
    }
    cluster
}

/// Puts whole units into folds: the largest first, each into the fold that has least so far, of
/// examples and of positives alike. With `jitter`, a factor a unit, the largest are those that are
/// largest times their factor.
fn spread(
    unit: &[usize],
    n_units: usize,
    k: usize,
    positive: Option<&[bool]>,
    jitter: Option<&[f64]>,
) -> Vec<usize> {
    let n_positive = positive.map_or(0, |p| p.iter().filter(|p| **p).count());
    let mut weight = vec![0.0; n_units];
    for (i, u) in unit.iter().enumerate() {
        weight[*u] += 1.0 / unit.len() as f64;
        if let Some(positive) = positive
            && positive[i]
        {
            weight[*u] += 1.0 / n_positive as f64;
        }
    }
    let mut order: Vec<usize> = (0..n_units).collect();
    let key = |u: usize| weight[u] * jitter.map_or(1.0, |j| j[u]);
    order.sort_by(|a, b| key(*b).total_cmp(&key(*a)).then(a.cmp(b)));
    let mut load = vec![0.0; k];
    let mut fold = vec![0; n_units];
    for (place, u) in order.into_iter().enumerate() {
        // The first k units each begin a fold, so that none is empty.
        let least = match place < k {
            true => place,
            false => (0..k).fold(0, |a, b| if load[b] < load[a] { b } else { a }),
        };
        fold[u] = least;
        load[least] += weight[u];
    }
    fold
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Assembly, Interval, Region};

    fn axis(regions: &[(&str, u64, u64)]) -> GenomeAxis {
        let regions = regions.iter().map(|(chrom, start, end)| {
            Region::covering(&Interval::new(*chrom, *start, *end), None)
        });
        let assembly = Assembly::by_name("hg19").unwrap();
        GenomeAxis::new(assembly, regions.collect()).unwrap()
    }

    fn at(chrom: &str, start: u64) -> Example {
        Example {
            name: format!("{chrom}:{start}"),
            place: Some(Interval::new(chrom, start, start + 1)),
            ..Example::default()
        }
    }

    fn settings(kind: FoldKind, n: Option<usize>) -> FoldSettings {
        FoldSettings { kind, n, seed: 0 }
    }

    #[test]
    fn regions_closer_than_2_mb_are_one_unit() {
        let axis = axis(&[
            ("chr2", 50_000_000, 50_500_000),
            ("chr1", 1_000_000, 1_500_000),
            ("chr1", 3_400_000, 3_900_000),
            ("chr1", 6_000_000, 6_500_000),
        ]);
        let examples = [
            at("chr1", 1_100_000),
            at("chr1", 3_500_000),
            at("chr1", 6_100_000),
            at("chr2", 50_100_000),
        ];
        let folds = Folds::new(&FoldSettings::default(), &axis, &examples, None).unwrap();
        assert_eq!(folds.kind, FoldKind::Regions);
        assert_eq!(folds.unit, [0, 0, 1, 2]);
        assert_eq!(folds.n_folds, 3);
        let too_many = Folds::new(
            &settings(FoldKind::Regions, Some(4)),
            &axis,
            &examples,
            None,
        );
        assert!(too_many.unwrap_err().to_string().contains("3 units"));
    }

    #[test]
    fn whole_chromosomes_are_divided_by_chromosome_and_positives_are_spread() {
        let axis = GenomeAxis::whole_chromosomes(
            Assembly::by_name("hg19").unwrap(),
            &["chr20", "chr21", "chr22"],
        )
        .unwrap();
        let mut examples = Vec::new();
        for (chrom, n) in [("chr20", 6), ("chr21", 3), ("chr22", 3)] {
            examples.extend((0..n).map(|i| at(chrom, 20_000_000 + i * 1000)));
        }
        // All positives lie on two chromosomes.
        let positive: Vec<bool> = (0..12).map(|i| i >= 6).collect();
        let folds = Folds::new(
            &settings(FoldKind::Auto, Some(2)),
            &axis,
            &examples,
            Some(&positive),
        )
        .unwrap();
        assert_eq!(
            (folds.kind, folds.unit.iter().max()),
            (FoldKind::Chromosomes, Some(&2))
        );
        assert_ne!(folds.fold[6], folds.fold[9]);
        let message = Folds::new(&settings(FoldKind::Auto, Some(13)), &axis, &examples, None);
        assert!(message.unwrap_err().to_string().contains("12 examples"));
    }

    #[test]
    fn connected_pairs_are_one_unit() {
        let pair = |p: (u64, u64), e: (u64, u64)| Example {
            name: String::new(),
            place: Some(Interval::new("chr21", p.0, p.1)),
            partner: Some(Interval::new("chr21", e.0, e.1)),
            ..Example::default()
        };
        let examples = [
            pair((1_000, 2_000), (9_000, 9_500)),
            // Shares the promoter.
            pair((1_500, 1_600), (20_000, 20_100)),
            // Its window overlaps the second's.
            pair((19_000, 19_100), (30_000, 30_200)),
            pair((90_000, 90_100), (95_000, 95_100)),
            pair((97_000, 98_100), (96_000, 96_100)),
        ];
        let axis = axis(&[("chr21", 0, 100_000)]);
        let folds = Folds::new(
            &settings(FoldKind::Components, None),
            &axis,
            &examples,
            None,
        );
        assert_eq!(folds.unwrap().unit, [0, 0, 0, 1, 2]);
        let single = [
            at("chr21", 1),
            at("chr21", 2),
            at("chr21", 3),
            at("chr21", 4),
        ];
        let refused = Folds::new(&settings(FoldKind::Components, None), &axis, &single, None);
        assert!(refused.unwrap_err().to_string().contains("two windows"));
    }

    #[test]
    fn units_are_divided_anew_and_stay_whole() {
        let regions: Vec<(&str, u64, u64)> = (0..20)
            .map(|i| ("chr1", i * 10_000_000, i * 10_000_000 + 500_000))
            .collect();
        let axis = axis(&regions);
        let sizes = |i: u64| 3 + i % 7;
        let examples: Vec<Example> = (0..20u64)
            .flat_map(|i| (0..sizes(i)).map(move |j| at("chr1", i * 10_000_000 + 1_000 * j)))
            .collect();
        let settings = FoldSettings::default();
        let folds = Folds::new(&settings, &axis, &examples, None).unwrap();
        let divided: Vec<Vec<usize>> = (0..10)
            .map(|p| folds.divided_anew(&settings, None, p))
            .collect();
        assert_eq!(divided[0], folds.fold);
        for (p, fold) in divided.iter().enumerate() {
            let mut of_unit = [usize::MAX; 20];
            let mut size = [0; 5];
            for (f, u) in fold.iter().zip(&folds.unit) {
                assert!(of_unit[*u] == usize::MAX || of_unit[*u] == *f);
                of_unit[*u] = *f;
                size[*f] += 1;
            }
            // 120 examples.
            assert!(size.iter().all(|n| (12..=36).contains(n)), "{size:?}");
            // Folds have no order: divisions differ where different units share a fold.
            let together = |fold: &[usize]| -> Vec<bool> {
                let first = |u: usize| folds.unit.iter().position(|v| *v == u).unwrap();
                let pairs = (0..20).flat_map(|a| (0..a).map(move |b| (a, b)));
                pairs
                    .map(|(a, b)| fold[first(a)] == fold[first(b)])
                    .collect()
            };
            assert!(divided[..p].iter().all(|q| together(q) != together(fold)));
        }
        let each = settings_of_blocks();
        let blocks = Folds::new(&each, &axis, &examples, None).unwrap();
        assert_eq!(blocks.divided_anew(&each, None, 3), blocks.fold);
        assert!(!blocks.can_be_divided_anew());
    }

    fn settings_of_blocks() -> FoldSettings {
        settings(FoldKind::Blocks, Some(4))
    }

    #[test]
    fn shuffled_folds_are_the_peers_and_blocks_are_contiguous() {
        let axis = axis(&[("chr21", 0, 100_000)]);
        let examples: Vec<Example> = (0..10).map(|i| at("chr21", i * 100)).collect();
        let folds = Folds::new(
            &settings(FoldKind::Shuffled, Some(3)),
            &axis,
            &examples,
            None,
        );
        let folds = folds.unwrap();
        // order = 2 8 4 9 1 6 7 3 0 5; the first fold is order[0::3] = 2, 9, 7, 5.
        let first: Vec<usize> = (0..10).filter(|i| folds.fold[*i] == 0).collect();
        assert_eq!(first, [2, 5, 7, 9]);
        let blocks = Folds::new(&settings(FoldKind::Blocks, Some(3)), &axis, &examples, None);
        assert_eq!(blocks.unwrap().fold, [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]);
        let one = Folds::new(
            &settings(FoldKind::Chromosomes, None),
            &axis,
            &examples,
            None,
        );
        assert!(one.unwrap_err().to_string().contains("one unit"));
        let column = Folds::new(&settings(FoldKind::Column, None), &axis, &examples, None);
        assert!(column.unwrap_err().to_string().contains("column of folds"));
    }
}
