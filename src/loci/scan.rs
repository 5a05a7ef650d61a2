//! Many loci, ranked by who departs from average activity there.

use std::collections::BTreeMap;
use std::ops::Range;

use super::LociError;
use super::fdr::false_discovery_rates;
use super::ground::{Ground, SourcedExperiment};
use super::locus::{MatchOptions, averages, check_number};
use super::null::{Background, Departure, average_of_others};
use super::sites::Site;
use super::windows::{Means, Places, interval_of, means, stretches, tss_class, windows_within};
use crate::genome::{GenomeAxis, Mask, TssIndex};

/// Lists of at most so many widths are matched to the bin; others by classes.
const EXACT_WIDTHS: usize = 4;

/// How loci are ranked.
#[derive(Debug, Clone)]
pub struct ScanOptions {
    /// What they are compared with.
    pub matching: MatchOptions,
    /// A departure counts as surprising up to this false discovery rate.
    pub fdr: f64,
}

impl Default for ScanOptions {
    fn default() -> Self {
        ScanOptions {
            matching: MatchOptions::default(),
            fdr: 0.1,
        }
    }
}

/// A locus of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct ScannedLocus {
    /// The line.
    pub site: Site,
    /// Each biosample's departure; `None` where it is not covered or masked.
    pub departures: Vec<Option<Departure>>,
    /// The false discovery rate of each departure among all loci and biosamples.
    pub fdr: Vec<Option<f64>>,
    /// The biosample that surprises most: of the least p, then of the largest z.
    pub most: Option<usize>,
    /// The probability that any biosample departs so far: the least p times their number
    /// (Bonferroni).
    pub p: Option<f64>,
    /// The false discovery rate of the locus, over all loci.
    pub locus_fdr: Option<f64>,
    /// How many biosamples surprise.
    pub n_surprising: usize,
}

/// Loci, the most surprising first.
#[derive(Debug, Clone, PartialEq)]
pub struct Scanned {
    /// The biosamples, in the order of each locus' departures.
    pub experiments: Vec<SourcedExperiment>,
    /// Those that could be compared, ranked; then the others, in the list's order.
    pub loci: Vec<ScannedLocus>,
    /// How many could not: not covered, or masked.
    pub n_left_out: usize,
    /// Candidates that loci were matched among, by width in bins.
    pub n_candidates: BTreeMap<u64, usize>,
    /// What loci were matched in.
    pub matched_in: String,
}

/// Ranks loci by who departs from average activity. `progress` hears how many bins are read of how
/// many.
///
/// # Errors
/// When the list is empty, the assay is unknown, fewer than two biosamples have it, no locus is
/// covered, or a blob is damaged.
pub fn scan(
    ground: &Ground<'_>,
    assay: &str,
    sites: &[Site],
    options: &ScanOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> crate::Result<Scanned> {
    options.matching.check()?;
    let experiments = ground.of_assay(assay)?;
    check_number(assay, experiments.len())?;
    let axis = ground.axis();
    let mask = Mask::new(axis, &ground.database().mask_intervals()?);
    let genes = match options.matching.tss {
        true => ground.database().genes()?,
        false => Vec::new(),
    };
    let starts = TssIndex::new(&genes);
    let reader = ground.reader(&experiments)?;
    let places = Places::of_intervals(axis, sites.iter().map(|s| &s.interval));
    let widths = widths(axis, sites);
    if widths.is_empty() {
        return Err(LociError::question(
            "none of the loci is covered by the database's regions".to_string(),
        )
        .into());
    }
    let at_sites = means(&reader, &places, &mask, progress)?;
    let pools = Pools::gather(
        ground,
        &reader,
        &mask,
        &starts,
        &widths,
        &options.matching,
        progress,
    )?;

    let n = experiments.len();
    let mut departures: Vec<Vec<Option<Departure>>> = vec![vec![None; n]; sites.len()];
    for (width, pool) in &pools.by_width {
        let of_width: Vec<usize> = (0..sites.len())
            .filter(|i| widths.class_of(*i) == Some(*width))
            .collect();
        for b in 0..n {
            let background = pool.background(b, &options.matching);
            for site in &of_width {
                let values = at_sites.of(*site);
                let Some(average) = average_of_others(values).nth(b) else {
                    continue;
                };
                let class = tss_class(&starts, &sites[*site].interval);
                departures[*site][b] = background.departure(class, values[b], average);
            }
        }
    }
    let p: Vec<Option<f64>> = (departures.iter().flatten())
        .map(|d| d.and_then(|d| d.p))
        .collect();
    let fdr = false_discovery_rates(&p);
    let mut loci: Vec<ScannedLocus> = (sites.iter().zip(departures).zip(fdr.chunks(n)))
        .map(|((site, departures), fdr)| ranked(site, departures, fdr, options.fdr))
        .collect();
    let of_loci = false_discovery_rates(&loci.iter().map(|l| l.p).collect::<Vec<_>>());
    for (locus, fdr) in loci.iter_mut().zip(of_loci) {
        locus.locus_fdr = fdr;
    }
    let n_left_out = loci.iter().filter(|l| l.most.is_none()).count();
    // Stable: equals stay in the list's order.
    loci.sort_by(|a, b| {
        let key = |l: &ScannedLocus| (l.p.unwrap_or(f64::INFINITY), -l.strongest());
        let (a, b) = (key(a), key(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    Ok(Scanned {
        n_candidates: (pools.by_width.iter())
            .map(|(w, p)| (*w, p.n_candidates()))
            .collect(),
        matched_in: options.matching.description(!genes.is_empty()),
        experiments,
        loci,
        n_left_out,
    })
}

impl ScannedLocus {
    /// The size of the most surprising biosample's z.
    fn strongest(&self) -> f64 {
        let most = self.most.and_then(|b| self.departures[b]?.z);
        most.map_or(0.0, f64::abs)
    }
}

fn ranked(
    site: &Site,
    departures: Vec<Option<Departure>>,
    fdr: &[Option<f64>],
    limit: f64,
) -> ScannedLocus {
    let defined: Vec<(usize, f64, f64)> = (departures.iter().enumerate())
        .filter_map(|(b, d)| Some((b, d.as_ref()?.p?, d.as_ref()?.z.map_or(0.0, f64::abs))))
        .collect();
    let most = (defined.iter()).min_by(|x, y| x.1.total_cmp(&y.1).then(y.2.total_cmp(&x.2)));
    ScannedLocus {
        site: site.clone(),
        most: most.map(|m| m.0),
        p: most.map(|m| (m.1 * defined.len() as f64).min(1.0)),
        locus_fdr: None,
        n_surprising: fdr.iter().filter(|f| f.is_some_and(|f| f <= limit)).count(),
        departures,
        fdr: fdr.to_vec(),
    }
}

/// The widths that a list's loci are matched by, in bins.
pub(super) struct Widths {
    /// Of each locus; `None` where it is not covered.
    of: Vec<Option<u64>>,
}

/// Each locus' width, or where there are many that of its class: the middle one of the widths within
/// about 19 % of each other (steps of √2).
pub(super) fn widths(axis: &GenomeAxis, sites: &[Site]) -> Widths {
    let own = |site: &Site| {
        let bins = axis.bins_within(&site.interval);
        bins.iter().map(|b| b.end - b.start).max()
    };
    let mut of: Vec<Option<u64>> = sites.iter().map(own).collect();
    let mut distinct: Vec<u64> = of.iter().flatten().copied().collect();
    distinct.sort_unstable();
    let all = distinct.clone();
    distinct.dedup();
    if distinct.len() > EXACT_WIDTHS {
        let class = |width: u64| (2.0 * (width as f64).log2()).round() as i64;
        let mut by_class: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
        for width in all {
            by_class.entry(class(width)).or_default().push(width);
        }
        for width in of.iter_mut().flatten() {
            if let Some(members) = by_class.get(&class(*width)) {
                *width = members[members.len() / 2];
            }
        }
    }
    Widths { of }
}

impl Widths {
    pub(super) fn is_empty(&self) -> bool {
        self.of.iter().all(Option::is_none)
    }

    pub(super) fn class_of(&self, site: usize) -> Option<u64> {
        self.of[site]
    }

    fn distinct(&self) -> Vec<u64> {
        let mut widths: Vec<u64> = self.of.iter().flatten().copied().collect();
        widths.sort_unstable();
        widths.dedup();
        widths
    }
}

/// Candidates of one width, read.
pub(super) struct Pool {
    pub(super) means: Means,
    /// Windows that are not masked for the most part.
    pub(super) usable: Vec<usize>,
    /// Of each usable one: its class of distance.
    pub(super) classes: Vec<usize>,
    averages: Vec<f64>,
}

impl Pool {
    pub(super) fn n_candidates(&self) -> usize {
        self.usable.len()
    }

    fn background(&self, b: usize, matching: &MatchOptions) -> Background {
        let n = self.means.n_experiments;
        let candidates = self.usable.iter().enumerate().map(|(k, i)| {
            let average = self.averages[k * n + b];
            (self.classes[k], average, self.means.of(*i)[b] - average)
        });
        Background::new(candidates, matching.matched, matching.seed)
    }
}

/// Candidates of each width.
pub(super) struct Pools {
    pub(super) by_width: BTreeMap<u64, Pool>,
}

impl Pools {
    pub(super) fn gather(
        ground: &Ground<'_>,
        reader: &super::ground::Reader<'_>,
        mask: &Mask,
        starts: &TssIndex,
        widths: &Widths,
        matching: &MatchOptions,
        progress: &mut dyn FnMut(u64, u64),
    ) -> crate::Result<Self> {
        let axis = ground.axis();
        // All widths in one walk: what is imputed is imputed once.
        let distinct = widths.distinct();
        let of_width =
            |width: &u64| windows_within(&stretches(axis, *width, matching.candidates), *width);
        let windows: Vec<Vec<Range<u64>>> = distinct.iter().map(of_width).collect();
        let all = means(
            reader,
            &Places::of_ranges(&windows.concat()),
            mask,
            progress,
        )?;
        let n = all.n_experiments;
        let mut by_width = BTreeMap::new();
        let mut first = 0;
        for (width, windows) in distinct.into_iter().zip(windows) {
            let last = first + windows.len();
            let means = Means {
                values: all.values[first * n..last * n].to_vec(),
                n_bins: all.n_bins[first..last].to_vec(),
                n_experiments: n,
            };
            first = last;
            let usable: Vec<usize> = (0..means.n_windows())
                .filter(|i| u64::from(means.n_bins[*i]) * 2 >= width)
                .collect();
            let class = |i: &usize| tss_class(starts, &interval_of(axis, &windows[*i]));
            let pool = Pool {
                averages: averages(&means, &usable),
                classes: usable.iter().map(class).collect(),
                usable,
                means,
            };
            by_width.insert(width, pool);
        }
        Ok(Pools { by_width })
    }
}
