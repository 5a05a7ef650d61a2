//! Tracks that disagree with the rest of the compendium, or look like another's.
//!
//! **What a track is held against never saw it.** A model trained on a track is biased to agree with
//! it. So the expectation here is made for each track anew from the others, and nothing is trained: in
//! every window the mean of the assay's tracks in the other biosamples, each weighted by how near its
//! biosample's other tracks are there to those of this one. A model that held the track out may be asked
//! besides.
//!
//! **Swaps.** Does a track of biosample b look like c's? Where b's other tracks are unlike those of a
//! third biosample d, its track of this assay should be unlike d's as well, whatever the assays have to do
//! with each other. So |track − d's| is correlated over windows with |b's − d's| and with |c's − d's| of
//! every other assay that all three have, on ranks, which are blind to scale. The margin is the mean
//! difference of the two correlations: above 0 where the track is b's. c's own track of the assay is not
//! examined.
//!
//! **Scale.** The mean of a track's background, and of its peaks, against the medians of its assay's tracks.
//!
//! Standard errors come from leaving out each of the groups of the genome in turn (jackknife).

mod matrix;
mod scale;

pub use self::matrix::TrackWindows;
use self::matrix::with_error;
pub use self::scale::ScaleShift;
use rayon::prelude::*;

use super::LociError;
use super::completed::{CompletedCompendium, Source, SourcedExperiment};
use crate::compendium::Experiment;
use crate::genome::Mask;
use crate::measures::{CoMoments, median};
use crate::store::TrackRole;

/// Bins of a window: 250 bp.
const WINDOW_BINS: usize = 10;
/// Bins of the stretches that are read where not all is.
const STRETCH_BINS: u64 = 1 << 13;
/// Numbers of all tracks that are kept at most: 1.6 GB of values and ranks.
const MOST_NUMBERS: usize = 200_000_000;
/// Agreements vary by so much (Fisher's z) between good tracks at least.
const LEAST_SPREAD: f64 = 0.05;
/// Third biosamples, and assays, by which two biosamples are distinguished at most.
const THIRDS: usize = 4;
const ASSAYS: usize = 6;
/// How fast a biosample's weight falls with the mean difference of ranks.
const SOFTNESS: f32 = 0.5;

/// What to look at, and when to speak up.
#[derive(Debug, Clone)]
pub struct QualityOptions {
    /// About how many windows of 250 bp are read, spread evenly over the axis; all when there are
    /// not more. Fewer where there are so many tracks that memory would not hold them.
    pub windows: usize,
    /// Parts of the genome that are left out in turn.
    pub groups: usize,
    /// A track is flagged from so many standard errors, or robust standard deviations, on.
    pub limit: f64,
}

impl Default for QualityOptions {
    fn default() -> Self {
        QualityOptions {
            windows: 120_000,
            groups: 20,
            limit: 3.0,
        }
    }
}

/// What is wrong with a track, probably.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flag {
    /// It agrees less with what the others let expect than tracks do, or not at all.
    Disagrees,
    /// It looks like another biosample's.
    LooksLikeBiosample,
    /// It looks like another assay's.
    LooksLikeAssay,
    /// It does not vary.
    Constant,
    /// Its background is on another scale than its assay's.
    Background,
    /// Its peaks are on another scale than its assay's.
    Peaks,
}

impl Flag {
    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Flag::Disagrees => "disagrees",
            Flag::LooksLikeBiosample => "looks like another biosample",
            Flag::LooksLikeAssay => "looks like another assay",
            Flag::Constant => "constant",
            Flag::Background => "background on another scale",
            Flag::Peaks => "peaks on another scale",
        }
    }
}

/// Whom a track looks like, beside its owner.
#[derive(Debug, Clone, PartialEq)]
pub struct Rival {
    /// The other biosample, or the other assay.
    pub name: String,
    /// How much more the track looks like its owner's, in correlation: below 0, it looks more like
    /// the other's.
    pub margin: f64,
    /// The margin in standard errors; `None` where there is one group.
    pub z: Option<f64>,
}

impl Rival {
    fn is_better_by(&self, limit: f64) -> bool {
        self.margin < 0.0 && self.z.is_some_and(|z| z <= -limit)
    }
}

/// A measured track beside the others.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackQuality {
    /// Which.
    pub experiment: Experiment,
    /// Its correlation with what the other tracks let expect; `None` where the assay has no other, or
    /// one does not vary.
    pub agreement: Option<f64>,
    /// The standard error of that.
    pub agreement_error: Option<f64>,
    /// How far the agreement lies from that of the assay's other tracks, in robust standard
    /// deviations over all tracks.
    pub z: Option<f64>,
    /// The biosample that it looks like most, beside its own.
    pub biosample: Option<Rival>,
    /// The assay that it looks like most, beside its own.
    pub assay: Option<Rival>,
    /// How far its background lies from its assay's; `None` where the assay has fewer than three tracks with
    /// enough background and peaks, or no background above 0.
    pub background: Option<ScaleShift>,
    /// The same of its peaks.
    pub peaks: Option<ScaleShift>,
    /// Its correlation with the imputation of a model that held it out.
    pub agreement_with_model: Option<(String, f64)>,
    /// What is wrong, probably.
    pub flags: Vec<Flag>,
    /// The track that it seems swapped with: each looks like the other's.
    pub swapped_with: Option<Experiment>,
}

/// The compendium's tracks, those with the most wrong first.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    /// Each measured track.
    pub tracks: Vec<TrackQuality>,
    /// Windows that they were compared over.
    pub n_windows: u64,
}

/// Holds every measured track against the others; those that one of the models held out also against
/// its imputation. `progress` receives how many bins are read of how many.
///
/// ```
/// use persea::loci::{CompletedCompendium, QualityOptions, quality};
///
/// # let (_folder, database) = persea::compendium::example_compendium()?;
/// let compendium = CompletedCompendium::open(&database, None, true)?;
/// let options = QualityOptions::default();
/// let found = quality(&compendium, &[], &options, &mut |_, _| {})?;
/// assert_eq!(found.tracks.len(), 12);
/// # Ok::<(), persea::Error>(())
/// ```
///
/// # Errors
/// When there are fewer than two tracks, all is masked, a model is unknown, or a chunk is damaged.
pub fn quality(
    compendium: &CompletedCompendium<'_>,
    models: &[CompletedCompendium<'_>],
    options: &QualityOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> crate::Result<Quality> {
    if options.groups < 2 || options.limit.is_nan() || options.limit <= 0.0 {
        return Err(LociError::options(
            "standard errors need two groups at least, and the limit must be above 0",
        )
        .into());
    }
    let database = compendium.database();
    let experiments: Vec<SourcedExperiment> = (database.tracks()?.into_iter())
        .map(|t| SourcedExperiment {
            experiment: Experiment::new(t.biosample, t.assay),
            source: Source::Measured,
        })
        .collect();
    if experiments.len() < 2 {
        return Err(LociError::too_few(format!(
            "the database has {} track{}: there is nothing to hold {} against",
            experiments.len(),
            if experiments.len() == 1 { "" } else { "s" },
            if experiments.len() == 1 { "it" } else { "them" },
        ))
        .into());
    }
    let axis = compendium.axis();
    let mask = Mask::new(axis, &database.mask_intervals()?);
    let wanted = options.windows.min(MOST_NUMBERS / experiments.len());
    let wanted_bins = (wanted * WINDOW_BINS) as u64;
    let spans = match axis.n_bins() <= wanted_bins {
        true => (axis.sorted_regions().iter())
            .map(|r| axis.region_bins(*r))
            .collect(),
        false => super::windows::stretches_of(axis, STRETCH_BINS, wanted_bins),
    };
    let total: u64 = spans.iter().map(|s| s.end - s.start).sum();
    let mut values: Vec<Vec<f32>> = vec![Vec::new(); experiments.len()];
    let mut done = 0;
    let reader = compendium.reader(&experiments)?;
    reader.walk(&spans, &mut |piece, rows| {
        let masked = &mask.as_slice()[piece.start as usize..piece.end as usize];
        for (values, row) in values.iter_mut().zip(in_windows(rows, masked)) {
            values.extend(row);
        }
        done += piece.end - piece.start;
        progress(done, total);
        Ok(())
    })?;
    let windows = TrackWindows::new(values, options.groups);
    if windows.n_windows() < 100 {
        let why = "fewer than 100 unmasked windows of 250 bp are left to compare tracks over";
        return Err(LociError::too_few(why).into());
    }
    let names: Vec<Experiment> = experiments.into_iter().map(|e| e.experiment).collect();
    let mut tracks = assess(&names, &windows, options);
    for model in models {
        beside_model(model, &mut tracks)?;
    }
    tracks.sort_by(|a, b| {
        let wrong = |t: &TrackQuality| (t.flags.is_empty(), t.z.unwrap_or(0.0));
        let (a, b) = (wrong(a), wrong(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    Ok(Quality {
        tracks,
        n_windows: windows.n_windows() as u64,
    })
}

/// Means over windows of 250 bp; those that are masked, or end with the piece, are left out. NaN where a track
/// has data in less than half of a window.
fn in_windows(rows: &[Vec<f32>], masked: &[bool]) -> Vec<Vec<f32>> {
    let whole = masked.len() / WINDOW_BINS;
    let kept: Vec<usize> = (0..whole)
        .filter(|w| !masked[w * WINDOW_BINS..(w + 1) * WINDOW_BINS].contains(&true))
        .collect();
    let mean = |row: &Vec<f32>, w: usize| {
        let bins = &row[w * WINDOW_BINS..(w + 1) * WINDOW_BINS];
        let known = || bins.iter().filter(|v| !v.is_nan());
        let n = known().count();
        match 2 * n >= WINDOW_BINS {
            true => known().sum::<f32>() / n as f32,
            false => f32::NAN,
        }
    };
    let of = |row: &Vec<f32>| kept.iter().map(|w| mean(row, *w)).collect();
    rows.iter().map(of).collect()
}

/// Adds the correlation with the imputation of a model to the tracks that it held out.
fn beside_model(model: &CompletedCompendium<'_>, tracks: &mut [TrackQuality]) -> crate::Result<()> {
    let Some(trained) = model.model() else {
        return Ok(());
    };
    let held = |e: &Experiment| {
        let mut known = trained.record().tracks.iter();
        known.any(|t| t.role == TrackRole::Hold && t.biosample == e.biosample && t.assay == e.assay)
    };
    let which: Vec<usize> = (0..tracks.len())
        .filter(|i| tracks[*i].agreement_with_model.is_none() && held(&tracks[*i].experiment))
        .collect();
    let experiments: Vec<SourcedExperiment> = [Source::Measured, Source::Imputed]
        .into_iter()
        .flat_map(|source| which.iter().map(move |i| (*i, source)))
        .map(|(i, source)| SourcedExperiment {
            experiment: tracks[i].experiment.clone(),
            source,
        })
        .collect();
    let axis = model.axis();
    let mask = Mask::new(axis, &model.database().mask_intervals()?);
    let spans = super::windows::stretches_of(axis, STRETCH_BINS, 64 * STRETCH_BINS);
    let mut together = vec![CoMoments::default(); which.len()];
    model
        .reader(&experiments)?
        .walk(&spans, &mut |piece, rows| {
            let masked = &mask.as_slice()[piece.start as usize..piece.end as usize];
            let windows = in_windows(rows, masked);
            for (i, together) in together.iter_mut().enumerate() {
                let both = windows[i].iter().zip(&windows[which.len() + i]);
                let (x, y): (Vec<f32>, Vec<f32>) = (both.map(|(x, y)| (*x, *y)))
                    .filter(|(x, y)| !x.is_nan() && !y.is_nan())
                    .unzip();
                if let Some(of) = CoMoments::of(&x, &y) {
                    *together = together.merge(of);
                }
            }
            Ok(())
        })?;
    for (i, together) in which.iter().zip(together) {
        let r = together.pearson();
        tracks[*i].agreement_with_model = r.map(|r| (trained.record().name.clone(), r));
    }
    Ok(())
}

/// Judges tracks by their values over windows alone, in their order.
pub fn assess(
    experiments: &[Experiment],
    windows: &TrackWindows,
    options: &QualityOptions,
) -> Vec<TrackQuality> {
    let mut biosamples: Vec<&str> = Vec::new();
    let mut assays: Vec<&str> = Vec::new();
    let pairs: Vec<(usize, usize)> = (experiments.iter())
        .map(|e| {
            let biosample = place_of(&mut biosamples, &e.biosample);
            (biosample, place_of(&mut assays, &e.assay))
        })
        .collect();
    let judge = Judge::new(windows, &pairs, biosamples.len(), assays.len());
    let mut tracks: Vec<TrackQuality> = (0..experiments.len())
        .into_par_iter()
        .map(|t| {
            let agreement = judge.agreement(t).map(|found| with_error(&found));
            TrackQuality {
                experiment: experiments[t].clone(),
                agreement: agreement.map(|a| a.0),
                agreement_error: agreement.and_then(|a| a.1),
                z: None,
                biosample: judge.rival_biosample(t).map(|r| r.named(&biosamples)),
                assay: judge.rival_assay(t).map(|r| r.named(&assays)),
                background: None,
                peaks: None,
                agreement_with_model: None,
                flags: Vec::new(),
                swapped_with: None,
            }
        })
        .collect();
    let z = agreement_z(&tracks);
    let shifts = scale::shifts(experiments, &windows.values);
    for (t, (track, (z, [background, peaks]))) in
        tracks.iter_mut().zip(z.into_iter().zip(shifts)).enumerate()
    {
        track.z = z;
        (track.background, track.peaks) = (background, peaks);
        let mut values = windows.values[t].iter().filter(|v| !v.is_nan());
        if values
            .next()
            .is_some_and(|first| values.all(|v| v == first))
        {
            track.flags.push(Flag::Constant);
            continue;
        }
        let none = (track.agreement.zip(track.agreement_error))
            .is_some_and(|(r, error)| r < options.limit * error);
        if none || z.is_some_and(|z| z <= -options.limit) {
            track.flags.push(Flag::Disagrees);
        }
        let exceeds = |r: &Option<Rival>| r.as_ref().is_some_and(|r| r.is_better_by(options.limit));
        if exceeds(&track.biosample) {
            track.flags.push(Flag::LooksLikeBiosample);
        }
        if exceeds(&track.assay) {
            track.flags.push(Flag::LooksLikeAssay);
        }
        let is_off = |s: &Option<ScaleShift>| s.is_some_and(|s| s.z.abs() >= options.limit);
        if is_off(&track.background) {
            track.flags.push(Flag::Background);
        }
        if is_off(&track.peaks) {
            track.flags.push(Flag::Peaks);
        }
    }
    find_swaps(&mut tracks);
    tracks
}

fn place_of<'a>(names: &mut Vec<&'a str>, name: &'a str) -> usize {
    names.iter().position(|n| *n == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}

/// How far each track's agreement (Fisher's z) lies from the median of its assay's other tracks, in
/// 1.4826 times the median absolute such distance over all tracks.
fn agreement_z(tracks: &[TrackQuality]) -> Vec<Option<f64>> {
    let fisher = |t: &TrackQuality| t.agreement.map(|r| r.clamp(-0.9999, 0.9999).atanh());
    let distance = |i: usize| {
        let others = (tracks.iter().enumerate())
            .filter(|(j, t)| *j != i && t.experiment.assay == tracks[i].experiment.assay);
        let others: Vec<f64> = others.filter_map(|(_, t)| fisher(t)).collect();
        Some(fisher(&tracks[i])? - median(others)?)
    };
    let distances: Vec<Option<f64>> = (0..tracks.len()).map(distance).collect();
    let sizes = distances.iter().flatten().map(|d| d.abs()).collect();
    let spread = (1.4826 * median(sizes).unwrap_or(0.0)).max(LEAST_SPREAD);
    distances
        .into_iter()
        .map(|d| d.map(|d| d / spread))
        .collect()
}

/// Names of two tracks of one assay, each of which resembles the other's biosample.
fn find_swaps(tracks: &mut [TrackQuality]) {
    let looks_like = |t: &TrackQuality| {
        let flagged = t.flags.contains(&Flag::LooksLikeBiosample);
        let rival = t.biosample.as_ref().filter(|_| flagged)?;
        Some(Experiment::new(&rival.name, &t.experiment.assay))
    };
    let claims: Vec<Option<Experiment>> = tracks.iter().map(looks_like).collect();
    let own: Vec<Experiment> = tracks.iter().map(|t| t.experiment.clone()).collect();
    for (i, track) in tracks.iter_mut().enumerate() {
        let Some(other) = &claims[i] else {
            continue;
        };
        let back = own
            .iter()
            .position(|e| e == other)
            .and_then(|j| claims[j].as_ref());
        if back == Some(&track.experiment) {
            track.swapped_with = Some(other.clone());
        }
    }
}

/// A rival by its place.
struct Placed {
    place: usize,
    margin: f64,
    z: Option<f64>,
}

impl Placed {
    fn named(self, names: &[&str]) -> Rival {
        Rival {
            name: names[self.place].to_string(),
            margin: self.margin,
            z: self.z,
        }
    }
}

struct Judge<'a> {
    windows: &'a TrackWindows,
    pairs: &'a [(usize, usize)],
    n_biosamples: usize,
    n_assays: usize,
    /// `[n_biosamples, n_assays]`: the track.
    places: Vec<Option<usize>>,
}

impl<'a> Judge<'a> {
    fn new(
        windows: &'a TrackWindows,
        pairs: &'a [(usize, usize)],
        n_biosamples: usize,
        n_assays: usize,
    ) -> Self {
        let mut places = vec![None; n_biosamples * n_assays];
        for (t, (b, a)) in pairs.iter().enumerate() {
            places[b * n_assays + a] = Some(t);
        }
        Judge {
            windows,
            pairs,
            n_biosamples,
            n_assays,
            places,
        }
    }

    fn track(&self, biosample: usize, assay: usize) -> Option<usize> {
        self.places[biosample * self.n_assays + assay]
    }

    /// The other assays that all of some biosamples have.
    fn shared(&self, biosamples: &[usize], but: usize) -> Vec<usize> {
        let have = |a: &usize| biosamples.iter().all(|b| self.track(*b, *a).is_some());
        (0..self.n_assays)
            .filter(|a| *a != but)
            .filter(have)
            .collect()
    }

    /// The correlation of a track with what the others let expect.
    fn agreement(&self, t: usize) -> Option<Vec<f64>> {
        let (b, a) = self.pairs[t];
        let n = self.windows.n_windows();
        let (mut sums, mut weights) = (vec![0f32; n], vec![0f32; n]);
        let (mut distance, mut n_shared) = (vec![0f32; n], vec![0f32; n]);
        for d in (0..self.n_biosamples).filter(|d| *d != b) {
            let Some(track) = self.track(d, a) else {
                continue;
            };
            let shared = self.shared(&[b, d], a);
            distance.fill(0.0);
            n_shared.fill(0.0);
            for (x, y) in shared
                .iter()
                .filter_map(|s| self.track(b, *s).zip(self.track(d, *s)))
            {
                let ranks = self.windows.ranks[x].iter().zip(&self.windows.ranks[y]);
                let each = distance.iter_mut().zip(&mut n_shared).zip(ranks);
                for ((distance, n), (x, y)) in each {
                    let apart = (x - y).abs();
                    if !apart.is_nan() {
                        *distance += apart;
                        *n += 1.0;
                    }
                }
            }
            // Of one with which nothing is shared, as much as of one a third of the ranks away, as
            // two tracks that have nothing to do with each other are.
            for (i, (distance, share)) in distance.iter().zip(&n_shared).enumerate() {
                let value = self.windows.values[track][i];
                if value.is_nan() {
                    continue;
                }
                let mean = if *share > 0.0 {
                    distance / share
                } else {
                    1.0 / 3.0
                };
                let weight = (-mean / SOFTNESS).exp();
                sums[i] += weight * value;
                weights[i] += weight;
            }
        }
        // 0 / 0, where no other track has data, is NaN: such windows are not compared.
        let expected = sums.iter().zip(&weights).map(|(s, w)| s / w);
        if weights.iter().all(|w| *w <= 0.0) {
            return None;
        }
        let own = self.windows.values[t].iter().copied();
        self.windows.correlations(own, expected)
    }

    /// How much more a track looks like b's than like c's; over all windows, then with each group
    /// left out.
    fn margin(&self, t: usize, c: usize) -> Option<Vec<f64>> {
        let (b, a) = self.pairs[t];
        let ranks = &self.windows.ranks;
        let mut thirds: Vec<(usize, usize, Vec<usize>)> = (0..self.n_biosamples)
            .filter(|d| *d != b && *d != c)
            .filter_map(|d| Some((d, self.track(d, a)?, self.shared(&[b, c, d], a))))
            .filter(|(_, _, shared)| !shared.is_empty())
            .collect();
        // Stable: of those that share equally much, the first.
        thirds.sort_by_key(|(_, _, shared)| std::cmp::Reverse(shared.len()));
        let mut total: Vec<f64> = Vec::new();
        let mut n = 0;
        for (d, of_d, shared) in thirds.iter().take(THIRDS) {
            let unlike =
                |x: usize, y: usize| ranks[x].iter().zip(&ranks[y]).map(|(x, y)| (x - y).abs());
            for assay in shared.iter().take(ASSAYS) {
                let place = |who: usize| self.track(who, *assay);
                let (Some(of_b), Some(of_c), Some(third)) = (place(b), place(c), place(*d)) else {
                    continue;
                };
                let with = |who: usize| {
                    self.windows
                        .correlations(unlike(t, *of_d), unlike(who, third))
                };
                let (Some(own), Some(other)) = (with(of_b), with(of_c)) else {
                    continue;
                };
                total.resize(own.len(), 0.0);
                for (total, (own, other)) in total.iter_mut().zip(own.iter().zip(&other)) {
                    *total += own - other;
                }
                n += 1;
            }
        }
        total.iter_mut().for_each(|m| *m /= f64::from(n));
        (n > 0).then_some(total)
    }

    fn rival_biosample(&self, t: usize) -> Option<Placed> {
        let others = (0..self.n_biosamples).filter(|c| *c != self.pairs[t].0);
        strongest(others.filter_map(|c| Some((c, self.margin(t, c)?))))
    }

    /// The mean of an assay's tracks in the biosamples but one.
    fn average(&self, assay: usize, but: usize) -> Option<Vec<f32>> {
        let others = (0..self.n_biosamples).filter(|d| *d != but);
        let tracks: Vec<usize> = others.filter_map(|d| self.track(d, assay)).collect();
        let value = |track: &usize, i: usize| self.windows.values[*track][i];
        let mean = |i: usize| {
            let known = || tracks.iter().map(|t| value(t, i)).filter(|v| !v.is_nan());
            let n = known().count();
            let share = 1.0 / n as f32;
            match n {
                0 => f32::NAN,
                _ => known().fold(0.0, |mean, v| mean + share * v),
            }
        };
        (!tracks.is_empty()).then(|| (0..self.windows.n_windows()).map(mean).collect())
    }

    fn rival_assay(&self, t: usize) -> Option<Placed> {
        let (b, a) = self.pairs[t];
        let values = || self.windows.values[t].iter().copied();
        let with = |assay: usize| {
            let average = self.average(assay, b)?;
            self.windows.correlations(values(), average.into_iter())
        };
        let own = with(a)?;
        let margin = |assay: usize| -> Option<Vec<f64>> {
            Some(
                own.iter()
                    .zip(with(assay)?)
                    .map(|(own, other)| own - other)
                    .collect(),
            )
        };
        let others = (0..self.n_assays).filter(|o| *o != a);
        strongest(others.filter_map(|o| Some((o, margin(o)?))))
    }
}

/// Of several rivals' margins (over all windows, then with each group left out), that of the least
/// in standard errors.
fn strongest(margins: impl Iterator<Item = (usize, Vec<f64>)>) -> Option<Placed> {
    let placed = margins.map(|(place, found)| {
        let (margin, error) = with_error(&found);
        Placed {
            z: error.map(|e| margin / e),
            place,
            margin,
        }
    });
    placed.min_by(|x, y| {
        let key = |p: &Placed| p.z.unwrap_or(p.margin);
        key(x).total_cmp(&key(y))
    })
}

#[cfg(test)]
mod tests;
