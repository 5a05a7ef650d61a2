//! Is there more signal at a set of sites than at matched loci?
//!
//! The statistic is the mean signal over the sites (arcsinh). Each site is matched among candidates of
//! its width, and as asked for of its class of distance from a transcription start and of its average
//! activity (the nearest K in rank). A replicate draws one of its matched loci for each site. p is two-sided: the share of replicates
//! as extreme, times two, the sites counted among them. The null hypothesis: sites are loci drawn at random among
//! those matched, independently of each other. Sites that lie in clumps are not, and then p is too small.

use rand_chacha::rand_core::RngCore;
use rayon::prelude::*;

use super::LociError;
use super::annotate::assays_of;
use super::fdr::false_discovery_rates;
use super::ground::{Ground, SourcedExperiment};
use super::locus::MatchOptions;
use super::scan::{Pools, widths};
use super::sites::Site;
use super::windows::{Places, means, tss_class};
use crate::genome::{Mask, TssIndex};
use crate::random::{Purpose, generator};

/// Fewer candidates than this in a class of distance, and the class is not told apart.
const FEWEST: usize = 50;

/// How enrichment is tested.
#[derive(Debug, Clone)]
pub struct EnrichmentOptions {
    /// What sites are matched in: `matched` counts only with `activity`.
    pub matching: MatchOptions,
    /// Whether they are matched in average activity (the mean over all biosamples) too: then what is
    /// left is what is specific to a biosample.
    pub activity: bool,
    /// How many replicates are drawn.
    pub replicates: usize,
}

impl Default for EnrichmentOptions {
    fn default() -> Self {
        EnrichmentOptions {
            matching: MatchOptions::default(),
            activity: false,
            replicates: 1_000,
        }
    }
}

/// An experiment at the sites, beside matched loci.
#[derive(Debug, Clone, PartialEq)]
pub struct Enriched {
    /// Which, and whether it was measured.
    pub experiment: SourcedExperiment,
    /// The mean signal over the sites.
    pub observed: f64,
    /// The mean over replicates.
    pub expected: f64,
    /// The standard deviation of replicates.
    pub deviation: f64,
    /// (observed − expected) / deviation; `None` where replicates do not vary.
    pub z: Option<f64>,
    /// Two-sided.
    pub p: f64,
    /// The false discovery rate over the experiments.
    pub fdr: f64,
}

/// A set of sites beside matched loci.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrichment {
    /// Every experiment.
    pub experiments: Vec<Enriched>,
    /// Sites that count: covered and not masked; equal ones once.
    pub n_sites: usize,
    /// Sites that do not.
    pub n_left_out: usize,
    /// What they were matched in.
    pub matched_in: String,
    /// Replicates drawn.
    pub replicates: usize,
}

/// Tests whether experiments have more, or less, signal at sites than at matched loci. `progress` hears
/// how many bins are read of how many.
///
/// # Errors
/// When no site is covered, there are too few candidates, or a chunk is damaged.
pub fn enrichment(
    ground: &Ground<'_>,
    experiments: &[SourcedExperiment],
    sites: &[Site],
    options: &EnrichmentOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> crate::Result<Enrichment> {
    options.matching.check()?;
    if options.replicates < 20 {
        return Err(LociError::question("20 replicates at least are drawn").into());
    }
    let mut distinct: Vec<Site> = sites.to_vec();
    distinct.sort_by(|a, b| a.interval.cmp(&b.interval));
    distinct.dedup_by(|a, b| a.interval == b.interval);
    let axis = ground.axis();
    let mask = Mask::new(axis, &ground.database().mask_intervals()?);
    let genes = match options.matching.tss {
        true => ground.database().genes()?,
        false => Vec::new(),
    };
    let starts = TssIndex::new(&genes);
    let reader = ground.reader(experiments)?;
    let widths = widths(axis, &distinct);
    let places = Places::of_intervals(axis, distinct.iter().map(|s| &s.interval));
    let at_sites = means(&reader, &places, &mask, progress)?;
    let counted: Vec<usize> = (0..distinct.len())
        .filter(|i| at_sites.n_bins[*i] > 0 && widths.class_of(*i).is_some())
        .collect();
    if counted.is_empty() {
        let why = "none of the sites is covered and unmasked: there is nothing to test";
        return Err(LociError::question(why).into());
    }
    let pools = Pools::gather(
        ground,
        &reader,
        &mask,
        &starts,
        &widths,
        &options.matching,
        progress,
    )?;

    let n_counted = counted.len() as f64;
    let mut found: Vec<Enriched> = Vec::with_capacity(experiments.len());
    for group in assays_of(experiments) {
        let activity =
            |values: &[f64]| values[group.clone()].iter().sum::<f64>() / group.len() as f64;
        // For each width and class (the last: all) its candidates by average activity.
        let mut sorted = std::collections::HashMap::new();
        for (width, pool) in &pools.by_width {
            let n_classes = super::windows::TSS_CLASSES.len() + 1;
            for class in 0..=n_classes {
                let mut members: Vec<(f64, usize)> = (pool.usable.iter().zip(&pool.classes))
                    .filter(|(_, c)| **c == class || class == n_classes)
                    .map(|(i, _)| (activity(pool.means.of(*i)), *i))
                    .collect();
                members.sort_by(|a, b| a.0.total_cmp(&b.0));
                sorted.insert((*width, class), members);
            }
        }
        // For each site where its candidates are: those of the pool, from one place to another.
        let mut matched: Vec<(u64, &[(f64, usize)])> = Vec::with_capacity(counted.len());
        for site in &counted {
            let Some(width) = widths.class_of(*site) else {
                continue;
            };
            let class = tss_class(&starts, &distinct[*site].interval);
            let all = super::windows::TSS_CLASSES.len() + 1;
            let told = sorted.get(&(width, class)).filter(|m| m.len() >= FEWEST);
            let Some(members) = told.or_else(|| sorted.get(&(width, all))) else {
                continue;
            };
            if members.len() < 20 {
                return Err(LociError::question(format!(
                    "only {} loci of {} bp are there to match a site among",
                    members.len(),
                    width * crate::genome::BIN_BP
                ))
                .into());
            }
            let range = match options.activity {
                false => &members[..],
                true => {
                    let own = activity(at_sites.of(*site));
                    let place = members.partition_point(|m| m.0 < own);
                    let n = options.matching.matched.min(members.len());
                    let first = place.saturating_sub(n / 2).min(members.len() - n);
                    &members[first..first + n]
                }
            };
            matched.push((width, range));
        }
        let n = group.len();
        let replicate = |r: usize| {
            let mut random = generator(options.matching.seed, Purpose::MatchedLoci, 1 + r as u64);
            let mut sums = vec![0f64; n];
            for (width, range) in &matched {
                let drawn = (random.next_u64() % range.len() as u64) as usize;
                if let Some(pool) = pools.by_width.get(width) {
                    let values = &pool.means.of(range[drawn].1)[group.clone()];
                    sums.iter_mut().zip(values).for_each(|(s, v)| *s += v);
                }
            }
            sums.iter().map(|s| s / n_counted).collect::<Vec<f64>>()
        };
        let replicates: Vec<Vec<f64>> = (0..options.replicates)
            .into_par_iter()
            .map(replicate)
            .collect();
        for (k, experiment) in experiments[group.clone()].iter().enumerate() {
            let own = counted.iter().map(|i| at_sites.of(*i)[group.start + k]);
            let observed = own.sum::<f64>() / n_counted;
            found.push(beside(
                experiment,
                observed,
                replicates.iter().map(|r| r[k]),
            ));
        }
    }
    let fdr = false_discovery_rates(&found.iter().map(|e| Some(e.p)).collect::<Vec<_>>());
    for (enriched, fdr) in found.iter_mut().zip(fdr) {
        enriched.fdr = fdr.unwrap_or(1.0);
    }
    let mut matched_in = String::from("width");
    if options.matching.tss && !genes.is_empty() {
        matched_in.push_str(", distance to the nearest TSS");
    }
    if options.activity {
        matched_in.push_str(", average activity");
    }
    Ok(Enrichment {
        experiments: found,
        n_sites: counted.len(),
        n_left_out: distinct.len() - counted.len(),
        matched_in,
        replicates: options.replicates,
    })
}

fn beside(
    experiment: &SourcedExperiment,
    observed: f64,
    replicates: impl ExactSizeIterator<Item = f64> + Clone,
) -> Enriched {
    let n = replicates.len() as f64;
    let expected = replicates.clone().sum::<f64>() / n;
    let squares = replicates.clone().map(|r| (r - expected) * (r - expected));
    let deviation = (squares.sum::<f64>() / (n - 1.0)).sqrt();
    // Sums in another order may differ in their last digits.
    let tolerance = 1e-9 * observed.abs().max(1e-9);
    let high = replicates
        .clone()
        .filter(|r| *r >= observed - tolerance)
        .count();
    let low = replicates.filter(|r| *r <= observed + tolerance).count();
    Enriched {
        experiment: experiment.clone(),
        observed,
        expected,
        deviation,
        z: (deviation > tolerance).then(|| (observed - expected) / deviation),
        p: (2.0 * (1 + high.min(low)) as f64 / (1.0 + n)).min(1.0),
        fdr: 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compendium::Experiment;
    use crate::loci::Source;

    #[test]
    fn replicates_that_are_as_extreme_count_ties_among_them() {
        let experiment = SourcedExperiment {
            experiment: Experiment::new("b", "a"),
            source: Source::Measured,
        };
        let replicates = [1.0, 2.0, 3.0, 4.0];
        let of = |observed| beside(&experiment, observed, replicates.into_iter());
        let high = of(4.0);
        assert_eq!((high.expected, high.p), (2.5, 2.0 * 2.0 / 5.0));
        assert!((high.z.unwrap() - 1.5 / (5.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(of(9.0).p, 2.0 / 5.0);
        assert_eq!(of(2.5).p, 1.0);
        let same = beside(&experiment, 1.0, [1.0; 30].into_iter());
        assert_eq!((same.z, same.p), (None, 1.0));
    }
}
