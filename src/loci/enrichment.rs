//! Is there more signal at a set of sites than at matched loci?
//!
//! The statistic is the mean signal over the sites (arcsinh) less what is expected: for each site the
//! mean over candidates of its width, and as asked for of its class of distance from a transcription
//! start and of its average activity (the nearest K in rank). Sites of one stretch of the genome depend
//! on each other, so the genome is cut into blocks, and p and z come from drawing whole blocks of sites
//! ([`blocks`](super::blocks)). The null hypothesis: a block's sites have on average the signal of loci
//! like them; blocks are independent.

use std::collections::HashMap;

use super::LociError;
use super::annotate::assays_of;
use super::blocks::block_test;
use super::completed::{CompletedCompendium, SourcedExperiment};
use super::fdr::false_discovery_rates;
use super::locus::MatchOptions;
use super::scan::{Pools, widths};
use super::sites::Site;
use super::windows::{WindowBins, means, tss_class};
use crate::genome::{Interval, Mask, TssIndex};

/// Fewer candidates than this in a class of distance, and the class is not distinguished.
const FEWEST: usize = 50;

/// How enrichment is tested.
#[derive(Debug, Clone)]
pub struct EnrichmentOptions {
    /// What sites are matched in: `matched` counts only with `activity`.
    pub matching: MatchOptions,
    /// Whether they are matched in average activity (the mean over all biosamples) too: then what is
    /// left is what is specific to a biosample.
    pub activity: bool,
    /// How many times blocks of sites are drawn.
    pub replicates: usize,
    /// The width of blocks in bp: sites whose middles lie in one depend on each other.
    pub block: u64,
}

impl Default for EnrichmentOptions {
    fn default() -> Self {
        EnrichmentOptions {
            matching: MatchOptions::default(),
            activity: false,
            replicates: 1_000,
            block: 1_000_000,
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
    /// What loci like the sites have.
    pub expected: f64,
    /// The standard error of observed − expected; `None` where all sites lie in one block.
    pub deviation: Option<f64>,
    /// (observed − expected) / deviation; `None` where blocks do not vary.
    pub z: Option<f64>,
    /// Two-sided; `None` where sites lie in fewer than ten blocks, which are too few to tell.
    pub p: Option<f64>,
    /// The false discovery rate over the experiments.
    pub fdr: Option<f64>,
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
    /// Blocks that sites lie in: the independent observations.
    pub n_blocks: usize,
}

/// Tests whether experiments have more, or less, signal at sites than at matched loci. `progress` receives
/// how many bins are read of how many.
///
/// # Errors
/// When no site is covered, there are too few candidates, or a chunk is damaged.
pub fn enrichment(
    compendium: &CompletedCompendium<'_>,
    experiments: &[SourcedExperiment],
    sites: &[Site],
    options: &EnrichmentOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> crate::Result<Enrichment> {
    options.matching.check()?;
    if options.replicates < 20 {
        return Err(LociError::options("20 replicates at least are drawn").into());
    }
    if options.block == 0 {
        return Err(LociError::options("blocks of sites are 1 bp wide at least").into());
    }
    let mut distinct: Vec<Site> = sites.to_vec();
    distinct.sort_by(|a, b| a.interval.cmp(&b.interval));
    distinct.dedup_by(|a, b| a.interval == b.interval);
    let axis = compendium.axis();
    let mask = Mask::new(axis, &compendium.database().mask_intervals()?);
    let genes = match options.matching.tss {
        true => compendium.database().genes()?,
        false => Vec::new(),
    };
    let starts = TssIndex::new(&genes);
    let reader = compendium.reader(experiments)?;
    let widths = widths(axis, &distinct);
    let places = WindowBins::of_intervals(axis, distinct.iter().map(|s| &s.interval));
    let at_sites = means(&reader, &places, &mask, progress)?;
    let counted: Vec<usize> = (0..distinct.len())
        .filter(|i| at_sites.n_bins[*i] > 0 && widths.class_of(*i).is_some())
        .collect();
    if counted.is_empty() {
        let why = "none of the sites is covered and unmasked: there is nothing to test";
        return Err(LociError::too_few(why).into());
    }
    let pools = Pools::gather(
        compendium,
        &reader,
        &mask,
        &starts,
        &widths,
        &options.matching,
        progress,
    )?;

    let (block, n_blocks) = blocks_of(
        counted.iter().map(|i| &distinct[*i].interval),
        options.block,
    );
    let mut found: Vec<Enriched> = Vec::with_capacity(experiments.len());
    for group in assays_of(experiments) {
        // Over the experiments that have data.
        let activity = |values: &[f64]| {
            let known = values[group.clone()].iter().filter(|v| !v.is_nan());
            let (sum, n) = known.fold((0.0, 0u32), |(sum, n), v| (sum + v, n + 1));
            sum / f64::from(n)
        };
        // For each width and class (the last: all) its candidates by average activity.
        let mut sorted = HashMap::new();
        let n_classes = super::windows::TSS_CLASSES.len() + 1;
        for (width, pool) in &pools.by_width {
            for class in 0..=n_classes {
                let mut members: Vec<(f64, usize)> = (pool.usable.iter().zip(&pool.classes))
                    .filter(|(_, c)| **c == class || class == n_classes)
                    .map(|(i, _)| (activity(pool.means.of(*i)), *i))
                    .filter(|(activity, _)| !activity.is_nan())
                    .collect();
                members.sort_by(|a, b| a.0.total_cmp(&b.0));
                sorted.insert((*width, class), members);
            }
        }
        // What is expected of each site: `[site, experiment of the group]`.
        let n = group.len();
        let mut expected: Vec<f64> = Vec::with_capacity(counted.len() * n);
        let mut of_class: HashMap<(u64, usize), Vec<f64>> = HashMap::new();
        for site in &counted {
            // `counted` holds only sites that have a width, and `pools` all of their widths.
            let Some((width, pool)) = (widths.class_of(*site))
                .and_then(|width| Some((width, pools.by_width.get(&width)?)))
            else {
                continue;
            };
            let own_class = tss_class(&starts, &distinct[*site].interval);
            let is_enough = |class| {
                let members: Option<&Vec<_>> = sorted.get(&(width, class));
                members.is_some_and(|m| m.len() >= FEWEST)
            };
            let class = if is_enough(own_class) {
                own_class
            } else {
                n_classes
            };
            let members = sorted.get(&(width, class)).map_or(&[][..], Vec::as_slice);
            if members.len() < 20 {
                return Err(LociError::too_few(format!(
                    "only {} loci of {} bp are there to match a site among",
                    members.len(),
                    width * crate::genome::BIN_BP
                ))
                .into());
            }
            let mean = |members: &[(f64, usize)]| -> Vec<f64> {
                let mut sums = vec![(0f64, 0u32); n];
                for (_, candidate) in members {
                    let values = &pool.means.of(*candidate)[group.clone()];
                    let known = sums.iter_mut().zip(values).filter(|(_, v)| !v.is_nan());
                    known.for_each(|(of, v)| *of = (of.0 + v, of.1 + 1));
                }
                sums.iter().map(|(s, n)| s / f64::from(*n)).collect()
            };
            match options.activity {
                false => {
                    let all = of_class
                        .entry((width, class))
                        .or_insert_with(|| mean(members));
                    expected.extend_from_slice(all);
                }
                true => {
                    let own = activity(at_sites.of(*site));
                    let place = members.partition_point(|m| m.0 < own);
                    let n = options.matching.matched.min(members.len());
                    let first = place.saturating_sub(n / 2).min(members.len() - n);
                    expected.extend(mean(&members[first..first + n]));
                }
            }
        }
        for (k, experiment) in experiments[group.clone()].iter().enumerate() {
            // The sites at which the experiment has data, with their blocks.
            let own = counted.iter().map(|i| at_sites.of(*i)[group.start + k]);
            let at_site = own.zip(expected.chunks(n).map(|e| e[k])).zip(&block);
            let known: Vec<((f64, f64), usize)> = at_site
                .filter(|((own, expected), _)| !own.is_nan() && !expected.is_nan())
                .map(|(values, block)| (values, *block))
                .collect();
            let departures: Vec<f64> = known.iter().map(|((own, e), _)| own - e).collect();
            let of_known: Vec<usize> = known.iter().map(|(_, block)| *block).collect();
            let (block, n_blocks) = numbered(&of_known);
            let test = block_test(
                &departures,
                &block,
                n_blocks,
                options.replicates,
                options.matching.seed,
            );
            let n_known = known.len() as f64;
            found.push(Enriched {
                experiment: experiment.clone(),
                observed: known.iter().map(|((own, _), _)| own).sum::<f64>() / n_known,
                expected: known.iter().map(|((_, e), _)| e).sum::<f64>() / n_known,
                deviation: test.deviation,
                z: test.z,
                p: test.p,
                fdr: None,
            });
        }
    }
    let fdr = false_discovery_rates(&found.iter().map(|e| e.p).collect::<Vec<_>>());
    for (enriched, fdr) in found.iter_mut().zip(fdr) {
        enriched.fdr = fdr;
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
        n_blocks,
    })
}

/// Numbers numbered anew from 0 in the order of their first appearance; how many differ.
fn numbered(numbers: &[usize]) -> (Vec<usize>, usize) {
    let mut places: HashMap<usize, usize> = HashMap::new();
    let place = numbers.iter().map(|number| {
        let next = places.len();
        *places.entry(*number).or_insert(next)
    });
    (place.collect(), places.len())
}

/// The block of each interval, by its middle, numbered from 0; how many there are.
fn blocks_of<'i>(intervals: impl Iterator<Item = &'i Interval>, width: u64) -> (Vec<usize>, usize) {
    let mut numbers: HashMap<(&str, u64), usize> = HashMap::new();
    let block = intervals.map(|interval| {
        let middle = interval.start + interval.len() / 2;
        let next = numbers.len();
        *numbers
            .entry((&interval.chrom, middle / width))
            .or_insert(next)
    });
    let block = block.collect();
    (block, numbers.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_of_a_stretch_are_one_block() {
        let at = |chrom: &str, start: u64| Interval::new(chrom, start, start + 200);
        let sites = [
            at("chr1", 100),
            at("chr1", 999_800),
            at("chr1", 999_950),
            at("chr2", 300),
            at("chr1", 500),
        ];
        let (block, n) = blocks_of(sites.iter(), 1_000_000);
        assert_eq!((block, n), (vec![0, 0, 1, 2, 0], 3));
    }
}
