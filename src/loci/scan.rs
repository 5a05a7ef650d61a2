//! Many loci, ranked by who departs from average activity there.
//!
//! This is a ranking and no list of discoveries. The loci of a list are part of the genome that their
//! matches come from, so a rate of false discoveries among them could never be low: p over all loci is
//! uniform by construction, whatever is true.

use std::collections::BTreeMap;
use std::ops::Range;

use super::LociError;
use super::completed::{CompletedCompendium, SourcedExperiment};
use super::locus::{BLOCK_BINS, MatchOptions, check_number};
use super::null::{Background, Candidate, Departure, average_of_counted};
use super::sites::Site;
use super::windows::{
    WindowBins, WindowMeans, interval_of, means, stretches, tss_class, windows_within,
};
use crate::genome::{GenomeAxis, Mask, TssIndex};

/// Lists of at most so many widths are matched to the bin; others by classes.
const EXACT_WIDTHS: usize = 4;

/// How loci are ranked.
#[derive(Debug, Clone, Default)]
pub struct ScanOptions {
    /// What they are compared with.
    pub matching: MatchOptions,
}

/// A locus of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct ScannedLocus {
    /// The line.
    pub site: Site,
    /// Each biosample's departure; `None` where it is not covered or masked.
    pub departures: Vec<Option<Departure>>,
    /// The biosample that surprises most: of the least p, then of the largest z.
    pub most: Option<usize>,
}

/// Loci, the most surprising first.
#[derive(Debug, Clone, PartialEq)]
pub struct Scanned {
    /// The biosamples, in the order of each locus' departures.
    pub experiments: Vec<SourcedExperiment>,
    /// Those that could be compared, ranked; then the others, in the list's order.
    pub loci: Vec<ScannedLocus>,
    /// How many could not: not covered, masked, or of an activity that too few candidates have.
    pub n_left_out: usize,
    /// Candidates that loci were matched among, by width in bins.
    pub n_candidates: BTreeMap<u64, usize>,
    /// What loci were matched in.
    pub matched_in: String,
}

/// Ranks loci by who departs from average activity. `progress` receives how many bins are read of how
/// many.
///
/// ```
/// use persea::loci::{CompletedCompendium, ScanOptions, promoters, scan};
///
/// # let (_folder, database) = persea::search::example_database()?;
/// let compendium = CompletedCompendium::open(&database, None, false)?;
/// let sites = promoters(compendium.axis(), &database.genes()?)?;
/// // This database has no tracks: all that is compared is imputed.
/// let mut options = ScanOptions::default();
/// options.matching.count_imputed = true;
/// let found = scan(&compendium, "A1", &sites, &options, &mut |_, _| {})?;
/// assert_eq!((found.loci.len(), found.experiments.len()), (2, 5));
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When the list is empty, the assay is unknown, fewer than two biosamples have it, no locus is
/// covered, or a blob is damaged.
pub fn scan(
    compendium: &CompletedCompendium<'_>,
    assay: &str,
    sites: &[Site],
    options: &ScanOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> crate::Result<Scanned> {
    options.matching.check()?;
    let experiments = compendium.of_assay(assay)?;
    let counts = options.matching.counts(&experiments);
    check_number(assay, &counts)?;
    let axis = compendium.axis();
    let mask = Mask::new(axis, &compendium.database().mask_intervals()?);
    let genes = match options.matching.tss {
        true => compendium.database().genes()?,
        false => Vec::new(),
    };
    let starts = TssIndex::new(&genes);
    let reader = compendium.reader(&experiments)?;
    let places = WindowBins::of_intervals(axis, sites.iter().map(|s| &s.interval));
    let widths = widths(axis, sites);
    if widths.is_empty() {
        return Err(LociError::too_few(
            "none of the loci is covered by the database's regions".to_string(),
        )
        .into());
    }
    let at_sites = means(&reader, &places, &mask, progress)?;
    let pools = Pools::gather(
        compendium,
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
            let background = pool.background(b, &counts, &options.matching);
            for site in &of_width {
                let values = at_sites.of(*site);
                let Some(average) = average_of_counted(values, &counts).nth(b) else {
                    continue;
                };
                let class = tss_class(&starts, &sites[*site].interval);
                departures[*site][b] = background.departure(class, values[b], average);
            }
        }
    }
    let mut loci: Vec<ScannedLocus> = (sites.iter().zip(departures))
        .map(|(site, departures)| ranked(site, departures))
        .collect();
    let n_left_out = loci.iter().filter(|l| l.most.is_none()).count();
    // Stable: equals stay in the list's order.
    loci.sort_by(|a, b| {
        let key = |l: &ScannedLocus| (l.least_p(), -l.strongest());
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
    /// The least p of its biosamples, among loci of that activity.
    fn least_p(&self) -> f64 {
        let p = self.most.and_then(|b| self.departures[b]?.p);
        p.unwrap_or(f64::INFINITY)
    }

    /// The size of the most surprising biosample's z.
    fn strongest(&self) -> f64 {
        let most = self.most.and_then(|b| self.departures[b]?.z);
        most.map_or(0.0, f64::abs)
    }
}

fn ranked(site: &Site, departures: Vec<Option<Departure>>) -> ScannedLocus {
    let defined = (departures.iter().enumerate())
        .filter_map(|(b, d)| Some((b, d.as_ref()?.p?, d.as_ref()?.z.map_or(0.0, f64::abs))));
    let most = defined.min_by(|x, y| x.1.total_cmp(&y.1).then(y.2.total_cmp(&x.2)));
    ScannedLocus {
        site: site.clone(),
        most: most.map(|m| m.0),
        departures,
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
    pub(super) means: WindowMeans,
    /// Windows that are not masked for the most part.
    pub(super) usable: Vec<usize>,
    /// Of each usable one: its class of distance.
    pub(super) classes: Vec<usize>,
    /// Of each usable one: its block of the genome.
    blocks: Vec<u64>,
}

impl Pool {
    pub(super) fn n_candidates(&self) -> usize {
        self.usable.len()
    }

    fn background(&self, b: usize, counts: &[bool], matching: &MatchOptions) -> Background {
        let candidates = self.usable.iter().enumerate().map(|(k, i)| {
            let values = self.means.of(*i);
            let average = average_of_counted(values, counts).nth(b);
            let average = average.unwrap_or(f64::NAN);
            Candidate {
                class: self.classes[k],
                average,
                departure: values[b] - average,
                block: self.blocks[k],
                number: k,
            }
        });
        let matched = (matching.matched, matching.caliper);
        Background::new(candidates, matched, matching.seed)
    }
}

/// Candidates of each width.
pub(super) struct Pools {
    pub(super) by_width: BTreeMap<u64, Pool>,
}

impl Pools {
    pub(super) fn gather(
        compendium: &CompletedCompendium<'_>,
        reader: &super::completed::Reader<'_>,
        mask: &Mask,
        starts: &TssIndex,
        widths: &Widths,
        matching: &MatchOptions,
        progress: &mut dyn FnMut(u64, u64),
    ) -> crate::Result<Self> {
        let axis = compendium.axis();
        // All widths in one walk: what is imputed is imputed once.
        let distinct = widths.distinct();
        let of_width =
            |width: &u64| windows_within(&stretches(axis, *width, matching.candidates), *width);
        let windows: Vec<Vec<Range<u64>>> = distinct.iter().map(of_width).collect();
        let all = means(
            reader,
            &WindowBins::of_ranges(&windows.concat()),
            mask,
            progress,
        )?;
        let n = all.n_experiments;
        let mut by_width = BTreeMap::new();
        let mut first = 0;
        for (width, windows) in distinct.into_iter().zip(windows) {
            let last = first + windows.len();
            let means = WindowMeans {
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
                blocks: (usable.iter())
                    .map(|i| windows[*i].start / BLOCK_BINS)
                    .collect(),
                classes: usable.iter().map(class).collect(),
                usable,
                means,
            };
            by_width.insert(width, pool);
        }
        Ok(Pools { by_width })
    }
}
