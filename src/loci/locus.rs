//! One locus, all biosamples.

use std::rc::Rc;

use super::LociError;
use super::cluster::{Tree, cluster};
use super::completed::{CompletedCompendium, Source, SourcedExperiment};
use super::joint::{Candidates, JointBackground, JointMatch, Part, step_down};
use super::null::Departure;
use super::windows::{
    WindowBins, WindowMeans, interval_of, means, stretches, tss_class, windows_within,
};
use crate::genome::{GenomeAxis, Interval, Mask, TssIndex};
use crate::measures::pearson;

/// Columns of a locus' profiles at most; where it has more bins, a column is the mean of several.
const MOST_COLUMNS: u64 = 2_000;
/// Bins of a block of the genome (100 kb): candidates of one may depend on each other.
pub(super) const BLOCK_BINS: u64 = 4_000;
/// Candidates that matched loci are sought among, at least.
const FEWEST_CANDIDATES: usize = 20;

/// What loci are matched in, besides their width.
#[derive(Debug, Clone)]
pub struct MatchOptions {
    /// How many loci of the nearest average activity are matched.
    pub matched: usize,
    /// About how many candidates are read, spread evenly over the axis.
    pub candidates: usize,
    /// Whether they must be of the same class of distance from a transcription start (up to 1, 10,
    /// 100 kb, or more).
    pub tss: bool,
    /// Their average activity lies within so much of the locus' own (arcsinh).
    pub caliper: f64,
    /// Whether imputed experiments are part of averages and correlations. What is imputed is made from
    /// the measured tracks, and pulls every average towards them.
    pub count_imputed: bool,
    /// Orders equally active loci.
    pub seed: u64,
}

impl Default for MatchOptions {
    fn default() -> Self {
        MatchOptions {
            matched: 200,
            candidates: 10_000,
            tss: true,
            caliper: 0.25,
            count_imputed: false,
            seed: 0,
        }
    }
}

impl MatchOptions {
    pub(super) fn check(&self) -> Result<(), LociError> {
        if self.matched < 10 || self.candidates < self.matched {
            return Err(LociError::options(format!(
                "{} matched loci of {} candidates are too few to tell what is usual: match 10 or \
                 more, of at least as many",
                self.matched, self.candidates
            )));
        }
        if !(self.caliper > 0.0 && self.caliper.is_finite()) {
            let why = "the caliper of matched loci must be above 0";
            return Err(LociError::options(why.to_string()));
        }
        Ok(())
    }

    /// Which experiments averages and correlations are made of.
    pub(super) fn counts(&self, experiments: &[SourcedExperiment]) -> Vec<bool> {
        let counts = |e: &SourcedExperiment| self.count_imputed || e.source == Source::Measured;
        experiments.iter().map(counts).collect()
    }

    /// In words, for results.
    pub fn description(&self, has_genes: bool) -> String {
        match self.tss && has_genes {
            true => "width, average activity, distance to the nearest TSS".into(),
            false => "width, average activity".into(),
        }
    }
}

/// What to tell of a locus.
#[derive(Debug, Clone)]
pub struct LocusOptions {
    /// What it is compared with.
    pub matching: MatchOptions,
    /// No candidate within so many bp of it.
    pub exclude: u64,
    /// So many bp on either side are shown as well; they do not count.
    pub flank: u64,
    /// How many clusters; as many as stand out when not given.
    pub clusters: Option<usize>,
}

impl Default for LocusOptions {
    fn default() -> Self {
        LocusOptions {
            matching: MatchOptions::default(),
            exclude: 50_000,
            flank: 0,
            clusters: None,
        }
    }
}

/// A column of the profiles.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Where it lies.
    pub interval: Interval,
    /// Whether it belongs to the locus, not to its flanks.
    pub is_inside: bool,
}

/// A biosample at the locus.
#[derive(Debug, Clone, PartialEq)]
pub struct LocusRow {
    /// The biosample.
    pub biosample: String,
    /// Whether its values were measured.
    pub source: Source,
    /// A value a column (arcsinh); NaN where the whole column is masked, or has no data for the most part.
    pub values: Vec<f32>,
    /// Its departure from average activity; `None` where the locus is masked, or the biosample has no data
    /// there for the most part.
    pub departure: Option<Departure>,
    /// p, adjusted for the number of biosamples and for the dependence of their departures: up to α in any
    /// biosample that does not depart with a chance of at most α. `None` where too few loci match.
    pub p_adjusted: Option<f64>,
    /// The departure where the most extreme biosample is left out of the average, here and at the
    /// matched loci; `None` of that biosample itself, and among fewer than four.
    pub without_strongest: Option<Departure>,
    /// Its cluster, from 0.
    pub cluster: usize,
    /// The biosample whose profile here is nearest (root mean square over columns), and how far.
    pub nearest_here: Option<(String, f64)>,
    /// The correlation of the two over the candidates: how alike they are elsewhere.
    pub similarity_to_nearest_here: Option<f64>,
    /// The biosample that correlates best over the candidates, and how well.
    pub nearest_elsewhere: Option<(String, f64)>,
    /// The mean correlation with the others over the candidates: global similarity.
    pub global_similarity: Option<f64>,
}

/// A cluster of biosamples at the locus.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterAtLocus {
    /// Its biosamples.
    pub biosamples: Vec<String>,
    /// The mean departure of its members.
    pub departure: Option<f64>,
    /// The mean z of its members.
    pub z: Option<f64>,
    /// The mean correlation between its members over the candidates; `None` of one alone.
    pub global_similarity: Option<f64>,
}

/// A locus and what the biosamples do there.
#[derive(Debug, Clone, PartialEq)]
pub struct Locus {
    /// Where it is, in whole bins.
    pub interval: Interval,
    /// The assay.
    pub assay: String,
    /// How many of its bins count: covered, and not masked.
    pub n_bins: u64,
    /// The columns of the profiles.
    pub columns: Vec<Column>,
    /// Every biosample, in the order of the tree.
    pub rows: Vec<LocusRow>,
    /// How they cluster; items are rows before they were ordered, so that `order` is `0..n`.
    pub tree: Tree,
    /// The clusters.
    pub clusters: Vec<ClusterAtLocus>,
    /// The mean correlation between all pairs of biosamples over the candidates.
    pub global_similarity: Option<f64>,
    /// The most extreme biosample, whose departure moves the average of all others.
    pub strongest: Option<String>,
    /// How the loci match that all biosamples are compared with at once, for adjusted p.
    pub joint: Option<JointMatch>,
    /// Candidates that loci were matched among.
    pub n_candidates: usize,
    /// What loci were matched in.
    pub matched_in: String,
}

/// What all biosamples do at a locus. `progress` receives how many bins are read of how many.
///
/// ```
/// use persea::genome::Interval;
/// use persea::loci::{CompletedCompendium, LocusOptions, at_locus};
///
/// # let (_folder, database) = persea::search::example_database()?;
/// let compendium = CompletedCompendium::open(&database, None, false)?;
/// let interval = Interval::new("chr1", 60_000, 62_000);
/// // This database has no tracks: all that is compared is imputed.
/// let mut options = LocusOptions::default();
/// options.matching.count_imputed = true;
/// let locus = at_locus(&compendium, "A1", &interval, &options, &mut |_, _| {})?;
/// assert_eq!((locus.n_bins, locus.rows.len()), (80, 5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the assay is unknown, fewer than two biosamples have it, the locus is not covered or wholly
/// masked, too little of the axis is left to match it, or a blob is damaged.
pub fn at_locus(
    compendium: &CompletedCompendium<'_>,
    assay: &str,
    interval: &Interval,
    options: &LocusOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> crate::Result<Locus> {
    options.matching.check()?;
    let axis = compendium.axis();
    let experiments = compendium.of_assay(assay)?;
    let counts = options.matching.counts(&experiments);
    check_number(assay, &counts)?;
    let bins = axis.bins_within(interval);
    let Some(width) = bins.iter().map(|b| b.end - b.start).max() else {
        return Err(axis.not_covered(interval).into());
    };
    let whole = match (bins.first(), bins.last()) {
        (Some(first), Some(last)) => {
            let (first, last) = (interval_of(axis, first), interval_of(axis, last));
            Interval::new(
                first.chrom,
                first.start.min(last.start),
                last.end.max(first.end),
            )
        }
        _ => interval.clone(),
    };
    let mask = Mask::new(axis, &compendium.database().mask_intervals()?);
    let starts = TssIndex::new(&match options.matching.tss {
        true => compendium.database().genes()?,
        false => Vec::new(),
    });

    // Candidates first, then the locus itself, then its columns: read in one walk.
    let near = Interval::new(
        &whole.chrom,
        whole.start.saturating_sub(options.exclude),
        whole.end.saturating_add(options.exclude),
    );
    let near = axis.bins_within(&near);
    let stretches = stretches(axis, width, options.matching.candidates);
    let mut windows = windows_within(&stretches, width);
    windows.retain(|w| !near.iter().any(|n| n.start < w.end && w.start < n.end));
    let n_candidates = windows.len();
    let columns = columns(axis, &whole, options.flank);
    let mut places: Vec<_> = windows.iter().cloned().enumerate().collect();
    places.extend(bins.iter().map(|b| (n_candidates, b.clone())));
    for (i, (_, bins)) in columns.iter().enumerate() {
        places.push((n_candidates + 1 + i, bins.clone()));
    }
    let places = WindowBins::new(n_candidates + 1 + columns.len(), places);
    let reader = compendium.reader(&experiments)?;
    let means = means(&reader, &places, &mask, progress)?;
    let at_locus = means.of(n_candidates);
    let n_bins = u64::from(means.n_bins[n_candidates]);
    if n_bins == 0 {
        return Err(LociError::Masked { interval: whole }.into());
    }

    // Candidates that are masked for the most part stand for nothing.
    let usable: Vec<usize> = (0..n_candidates)
        .filter(|i| u64::from(means.n_bins[*i]) * 2 >= width)
        .collect();
    if usable.len() < FEWEST_CANDIDATES {
        return Err(LociError::too_few(format!(
            "only {} loci of {} bp are left to match {whole} among: ask for a shorter one, or for \
             less distance (option `exclude`)",
            usable.len(),
            width * crate::genome::BIN_BP
        ))
        .into());
    }
    let class_of = |bins| tss_class(&starts, &interval_of(axis, bins));
    let classes: Vec<usize> = usable.iter().map(|i| class_of(&windows[*i])).collect();
    let class = tss_class(&starts, &whole);
    let n = experiments.len();
    let blocks: Vec<u64> = (usable.iter())
        .map(|i| windows[*i].start / BLOCK_BINS)
        .collect();
    let candidates = Candidates {
        values: usable.iter().map(|i| means.of(*i)).collect(),
        classes,
        blocks,
        matching: (options.matching.matched, options.matching.caliper),
        seed: options.matching.seed,
    };
    let all = Part {
        counts: counts.clone(),
        compared: vec![true; n],
    };
    let steps = step_down(&all, class, at_locus, &mut |part| {
        Rc::new(JointBackground::new(&candidates, part.clone()))
    });
    let departures = &steps.first.departures;

    let similarity = similarities(&means, &usable);
    let profiles: Vec<Vec<f32>> = (0..n)
        .map(|b| {
            let column = |c: usize| means.of(n_candidates + 1 + c)[b] as f32;
            (0..columns.len()).map(column).collect()
        })
        .collect();
    let inside: Vec<usize> = (0..columns.len())
        .filter(|c| columns[*c].0.is_inside && means.n_bins[n_candidates + 1 + *c] > 0)
        .collect();
    let distances = distances(&profiles, &inside);
    // One without data at the locus is drawn among those of middling signal.
    let middle = mean(at_locus.iter().copied().filter(|v| v.is_finite())).unwrap_or(0.0);
    let weight = |v: &f64| if v.is_finite() { *v } else { middle };
    let weights: Vec<f64> = at_locus.iter().map(weight).collect();
    let tree = cluster(&distances, &weights, options.clusters)?;

    let name = |b: usize| experiments[b].experiment.biosample.clone();
    let row = |b: usize| {
        let others = || (0..n).filter(move |o| *o != b);
        let has_data = |o: &usize| at_locus[*o].is_finite();
        let comparable = others().filter(|o| has_data(o) && has_data(&b));
        let nearest =
            comparable.min_by(|x, y| distances[b * n + x].total_cmp(&distances[b * n + y]));
        let alike = |o: usize| similarity[b * n + o];
        let elsewhere = others()
            .filter(|o| counts[*o])
            .filter_map(|o| Some((o, alike(o)?)))
            .max_by(|x, y| x.1.total_cmp(&y.1));
        LocusRow {
            biosample: name(b),
            source: experiments[b].source,
            values: profiles[b].clone(),
            departure: departures[b],
            p_adjusted: steps.adjusted[b],
            without_strongest: steps.without[b],
            cluster: tree.clusters[b],
            nearest_here: nearest.map(|o| (name(o), distances[b * n + o])),
            similarity_to_nearest_here: nearest.and_then(alike),
            nearest_elsewhere: elsewhere.map(|(o, r)| (name(o), r)),
            global_similarity: mean(others().filter(|o| counts[*o]).filter_map(alike)),
        }
    };
    let rows: Vec<LocusRow> = tree.order.iter().map(|b| row(*b)).collect();
    let n_clusters = tree.clusters.iter().max().map_or(0, |c| c + 1);
    let of_cluster = |c: usize| {
        let members: Vec<usize> = (0..n).filter(|b| tree.clusters[*b] == c).collect();
        let of = |value: &dyn Fn(&Departure) -> Option<f64>| {
            mean(
                members
                    .iter()
                    .filter_map(|b| value(departures[*b].as_ref()?)),
            )
        };
        let pairs = members.iter().flat_map(|a| {
            let later = members.iter().filter(move |b| *b > a);
            let counted = later.filter(|b| counts[*a] && counts[**b]);
            counted.filter_map(|b| similarity[*a * n + *b])
        });
        ClusterAtLocus {
            departure: of(&|d| Some(d.departure())),
            z: of(&|d| d.z),
            global_similarity: mean(pairs),
            biosamples: (tree.order.iter())
                .filter(|b| members.contains(b))
                .map(|b| name(*b))
                .collect(),
        }
    };
    let pairs = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
    let pairs = pairs.filter(|(a, b)| counts[*a] && counts[*b]);
    Ok(Locus {
        interval: whole,
        assay: assay.to_string(),
        n_bins,
        columns: columns.into_iter().map(|(column, _)| column).collect(),
        clusters: (0..n_clusters).map(of_cluster).collect(),
        global_similarity: mean(pairs.filter_map(|(a, b)| similarity[a * n + b])),
        strongest: steps.strongest.map(name),
        joint: steps.matched,
        rows,
        tree: in_order(tree),
        n_candidates: usable.len(),
        matched_in: (options.matching).description(starts.nearest(&interval.chrom, 0).is_some()),
    })
}

/// Renumbers a tree's items by their place in its order.
fn in_order(tree: Tree) -> Tree {
    let n = tree.order.len();
    let mut place = vec![0; n];
    for (to, from) in tree.order.iter().enumerate() {
        place[*from] = to;
    }
    let mut joins = tree.joins;
    for join in &mut joins {
        for branch in &mut join.branches {
            if *branch < n {
                *branch = place[*branch];
            }
        }
    }
    Tree {
        joins,
        clusters: tree.order.iter().map(|b| tree.clusters[*b]).collect(),
        order: (0..n).collect(),
        silhouette: tree.silhouette,
    }
}

pub(super) fn check_number(assay: &str, counts: &[bool]) -> Result<(), LociError> {
    let (n, all) = (counts.iter().filter(|c| **c).count(), counts.len());
    if n < 2 {
        return Err(LociError::too_few(format!(
            "{assay} is measured in {n} biosample{}: departures from average activity need at least \
             two, better many{}",
            if n == 1 { "" } else { "s" },
            match all > n && all > 1 {
                true => "; the option `count-imputed` puts what is imputed into the averages",
                false => "",
            }
        )));
    }
    Ok(())
}

/// Correlations between experiments over the candidates at which both have data, `[n, n]`.
fn similarities(means: &WindowMeans, usable: &[usize]) -> Vec<Option<f64>> {
    let n = means.n_experiments;
    let column = |b: usize| -> Vec<f64> { usable.iter().map(|i| means.of(*i)[b]).collect() };
    let columns: Vec<Vec<f64>> = (0..n).map(column).collect();
    let mut similarities = vec![None; n * n];
    for a in 0..n {
        for b in a + 1..n {
            let both = columns[a].iter().zip(&columns[b]);
            let known = both.filter(|(x, y)| x.is_finite() && y.is_finite());
            let (x, y): (Vec<f64>, Vec<f64>) = known.map(|(x, y)| (*x, *y)).unzip();
            let r = pearson(&x, &y);
            similarities[a * n + b] = r;
            similarities[b * n + a] = r;
        }
    }
    similarities
}

/// Root mean squared differences over those of some columns at which both have data, `[n, n]`. Two that have none
/// in common are as far apart as two are in the mean.
fn distances(profiles: &[Vec<f32>], inside: &[usize]) -> Vec<f64> {
    let n = profiles.len();
    let mut distances = vec![0f64; n * n];
    for a in 0..n {
        for b in a + 1..n {
            let square = |c: &usize| {
                let d = f64::from(profiles[a][*c]) - f64::from(profiles[b][*c]);
                (!d.is_nan()).then_some(d * d)
            };
            let known = inside.iter().filter_map(square);
            let (sum, n_known) = known.fold((0.0, 0u32), |(sum, n), d| (sum + d, n + 1));
            // 0 / 0 of none is NaN, for now.
            let distance = (sum / f64::from(n_known)).sqrt();
            distances[a * n + b] = distance;
            distances[b * n + a] = distance;
        }
    }
    let pairs = (0..n * n).filter(|p| p / n < p % n);
    let middle = mean(pairs.map(|p| distances[p]).filter(|d| !d.is_nan())).unwrap_or(0.0);
    for distance in distances.iter_mut().filter(|d| d.is_nan()) {
        *distance = middle;
    }
    distances
}

/// The columns of a locus and its flanks: each lies in one region, inside the locus or outside.
fn columns(axis: &GenomeAxis, locus: &Interval, flank: u64) -> Vec<(Column, std::ops::Range<u64>)> {
    let shown = Interval::new(
        &locus.chrom,
        locus.start.saturating_sub(flank),
        locus.end.saturating_add(flank),
    );
    let shown = axis.bins_within(&shown);
    let inside = axis.bins_within(locus);
    let n_bins: u64 = shown.iter().map(|r| r.end - r.start).sum();
    let step = n_bins.div_ceil(MOST_COLUMNS).max(1);
    let mut columns = Vec::new();
    for range in shown {
        let mut first = range.start;
        while first < range.end {
            // A column ends where the locus begins or ends.
            let edges = inside.iter().flat_map(|i| [i.start, i.end]);
            let edge = edges.filter(|e| *e > first).min().unwrap_or(u64::MAX);
            let end = range.end.min(first + step).min(edge);
            let column = Column {
                interval: interval_of(axis, &(first..end)),
                is_inside: inside.iter().any(|i| i.contains(&first)),
            };
            columns.push((column, first..end));
            first = end;
        }
    }
    columns.sort_by_key(|(column, _)| column.interval.start);
    columns
}

pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (n, sum) = values.fold((0u64, 0.0), |(n, sum), v| (n + 1, sum + v));
    (n > 0).then(|| sum / n as f64)
}
