//! Why is a hit near, and why is it no nearer? Each track's share of a squared distance.
//!
//! The factors of a model with an encoder are places along principal axes of what the model predicts of
//! its tracks. The axes are unit vectors, so a squared distance is a sum over tracks of squared
//! differences of predicted signal, as far as the axes see them, each times the track's weight. A
//! track's part of that sum is its share. Factors of other models have no such axes.

use std::ops::Range;

use super::SearchError;
use super::query::Query;
use super::searcher::{Answer, Searcher};
use super::signal::signal_over;
use super::track_axes::TrackAxes;
use super::view::Metric;
use super::weights::Weights;
use crate::genome::Resolution;
use crate::model::TrackScale;
use crate::store::Database;

/// What makes a distance.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The share of each of [`Resolution::ALL`]; they add up to 1.
    pub resolutions: [f64; 3],
    /// Each track's share, in the model's order; they add up to 1.
    pub tracks: Vec<TrackShare>,
    /// Each assay's share, the largest first; they add up to 1.
    pub assays: Vec<GroupShare>,
    /// Each biosample's share, the largest first; they add up to 1.
    pub biosamples: Vec<GroupShare>,
}

/// A track's share of a squared distance.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackShare {
    /// The biosample.
    pub biosample: String,
    /// The assay.
    pub assay: String,
    /// Its share.
    pub share: f64,
    /// Mean stored signal at the query; `None` where there is no data or the track has been removed.
    pub query: Option<f64>,
    /// The same at the hit.
    pub hit: Option<f64>,
}

/// The share of an assay's or a biosample's tracks.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupShare {
    /// Its name.
    pub name: String,
    /// The share of all its tracks.
    pub share: f64,
    /// Mean stored signal at the query over its tracks with data at both places.
    pub query: Option<f64>,
    /// The same at the hit.
    pub hit: Option<f64>,
    /// How far the signal of both lies on the same side of the tracks' means, in standard deviations: of the
    /// two, what is nearer to the mean. `None` where they lie on different sides, or one less than half as far as
    /// the other.
    pub agreement: Option<f64>,
}

/// A track's signal at two places, as stored and in standard deviations from its mean.
#[derive(Debug, Clone, Copy)]
struct Signal {
    query: Option<f64>,
    hit: Option<f64>,
    scale: TrackScale,
}

impl Signal {
    fn deviations(&self, value: f64) -> f64 {
        f64::from(self.scale.standardise(value as f32))
    }
}

/// Explains each hit of an answer, in order; `None` for one that is the same as the query. `weights` are those that
/// the answer was asked with.
///
/// # Errors
/// When shares are not defined ([`SearchError::NoShares`]): the distance is not Euclidean, the hits are aligned
/// windows, or the model's factors have no axes. Also when the index or a track is damaged.
pub fn explain(
    database: &Database,
    searcher: &Searcher,
    query: &Query,
    answer: &Answer,
    weights: &Weights,
) -> crate::Result<Vec<Option<Explanation>>> {
    let none = |why: &str| SearchError::NoShares { why: why.into() };
    if searcher.metric() != Metric::Euclidean {
        return Err(none("use the metric euclidean").into());
    }
    if answer.hits.iter().any(|hit| hit.strand.is_some()) {
        return Err(none("the distance of aligned windows is a sum of roots").into());
    }
    let axes = searcher.track_axes()?;
    let own = searcher.embedding_of(query, &answer.query_bins)?;
    let signal = signal(database, searcher, axes, answer)?;
    let mut explanations = Vec::new();
    for (i, hit) in answer.hits.iter().enumerate() {
        let mut place = Vec::new();
        searcher.row_embedding(answer.resolution, hit.bins.start, &mut place)?;
        let mut left = place.as_slice();
        let parts = Resolution::ALL.map(|resolution| {
            let query = &own[resolution.index()];
            let (of_scale, rest) = left.split_at(query.len());
            left = rest;
            let pairs = query.iter().zip(of_scale);
            let difference: Vec<f64> = pairs.map(|(q, x)| f64::from(q - x)).collect();
            let mut parts = axes.parts(resolution, &difference);
            for (part, track) in parts.iter_mut().zip(&axes.tracks) {
                *part *= weights.of_resolution(resolution) * weights.of_assay(&track.assay);
            }
            parts
        });
        explanations.push(explanation(axes, &parts, &signal[i]));
    }
    Ok(explanations)
}

/// For each hit the signal of each track at the query and there.
fn signal(
    database: &Database,
    searcher: &Searcher,
    axes: &TrackAxes,
    answer: &Answer,
) -> crate::Result<Vec<Vec<Signal>>> {
    let n_query = answer.query_bins.len();
    let of_hits = answer.hits.iter().map(|hit| hit.bins.clone());
    let stretches: Vec<Range<u64>> = answer.query_bins.iter().cloned().chain(of_hits).collect();
    let mut signal: Vec<Vec<Signal>> = vec![Vec::new(); answer.hits.len()];
    for track in &axes.tracks {
        let values = match database.track(&track.biosample, &track.assay)? {
            Some(stored) => signal_over(database, searcher.axis(), &stored, &stretches)?,
            None => vec![Vec::new(); stretches.len()],
        };
        let (at_query, at_hits) = values.split_at(n_query);
        let query = mean_with_data(at_query);
        for (all, values) in signal.iter_mut().zip(at_hits) {
            all.push(Signal {
                query,
                hit: mean_with_data(std::slice::from_ref(values)),
                scale: track.scale,
            });
        }
    }
    Ok(signal)
}

/// The mean over bins with data.
fn mean_with_data(values: &[Vec<f32>]) -> Option<f64> {
    let known = || values.iter().flatten().filter(|v| !v.is_nan());
    let sum: f64 = known().map(|v| f64::from(*v)).sum();
    match known().count() {
        0 => None,
        n => Some(sum / n as f64),
    }
}

fn explanation(axes: &TrackAxes, parts: &[Vec<f64>; 3], signal: &[Signal]) -> Option<Explanation> {
    let of_scales = parts.each_ref().map(|of| of.iter().sum::<f64>());
    let whole: f64 = of_scales.iter().sum();
    if whole <= 0.0 {
        return None;
    }
    let tracks = axes.tracks.iter().zip(signal).enumerate();
    let tracks: Vec<TrackShare> = tracks
        .map(|(t, (track, signal))| TrackShare {
            biosample: track.biosample.clone(),
            assay: track.assay.clone(),
            share: parts.iter().map(|of| of[t]).sum::<f64>() / whole,
            query: signal.query,
            hit: signal.hit,
        })
        .collect();
    Some(Explanation {
        resolutions: of_scales.map(|of| of / whole),
        assays: groups(&tracks, signal, |t| &t.assay),
        biosamples: groups(&tracks, signal, |t| &t.biosample),
        tracks,
    })
}

/// Whether two places lie on the same side of the mean, and one at least half as far as the other.
fn is_alike(query: f64, hit: f64) -> bool {
    let (near, far) = (query.abs().min(hit.abs()), query.abs().max(hit.abs()));
    query * hit > 0.0 && 2.0 * near >= far
}

fn groups(
    tracks: &[TrackShare],
    signal: &[Signal],
    name: impl Fn(&TrackShare) -> &String,
) -> Vec<GroupShare> {
    let mut names: Vec<&String> = tracks.iter().map(&name).collect();
    names.sort_unstable();
    names.dedup();
    let group = |of: &String| {
        let members = || (0..tracks.len()).filter(|t| name(&tracks[*t]) == of);
        let share: f64 = members().map(|t| tracks[t].share).sum();
        let both = |t: usize| Some((signal[t], signal[t].query?, signal[t].hit?));
        let known: Vec<(Signal, f64, f64)> = members().filter_map(both).collect();
        let mean = |value: &dyn Fn(&(Signal, f64, f64)) -> f64| {
            let n = known.len();
            (n > 0).then(|| known.iter().map(value).sum::<f64>() / n as f64)
        };
        let query = mean(&|(s, query, _)| s.deviations(*query));
        let hit = mean(&|(s, _, hit)| s.deviations(*hit));
        let agreement = match (query, hit) {
            (Some(q), Some(h)) if is_alike(q, h) => Some(q.abs().min(h.abs())),
            _ => None,
        };
        GroupShare {
            name: of.clone(),
            share,
            query: mean(&|(_, query, _)| *query),
            hit: mean(&|(_, _, hit)| *hit),
            agreement,
        }
    };
    let mut groups: Vec<GroupShare> = names.into_iter().map(group).collect();
    groups.sort_by(|a, b| b.share.total_cmp(&a.share));
    groups
}

#[cfg(test)]
mod tests {
    use super::super::track_axes::tests::axes;
    use super::*;

    #[test]
    fn shares_add_up_to_1_and_what_has_signal_at_both_agrees() {
        let axes = axes();
        let scale = axes.tracks[0].scale;
        let at = |query, hit| Signal { query, hit, scale };
        // The mean is 1, the deviation 2: S1's A lies 1 and 2 above, S2's A has no data at the hit, B lies
        // 1.5 above and 0.5 below.
        let signal = [
            at(Some(3.0), Some(5.0)),
            at(Some(9.0), None),
            at(Some(4.0), Some(0.0)),
        ];
        let parts = [
            vec![1.0, 0.0, 2.0],
            vec![0.0, 0.0, 3.0],
            vec![0.0, 2.0, 2.0],
        ];
        let found = explanation(&axes, &parts, &signal).unwrap();
        assert_eq!(found.resolutions, [0.3, 0.3, 0.4]);
        let shares: Vec<f64> = found.tracks.iter().map(|t| t.share).collect();
        assert_eq!(shares, [0.1, 0.2, 0.7]);
        assert_eq!(found.tracks[1].hit, None);
        let [b, a] = found.assays.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!((b.name.as_str(), b.share, b.agreement), ("B", 0.7, None));
        assert_eq!((b.query, b.hit), (Some(4.0), Some(0.0)));
        assert_eq!(a.name, "A");
        assert!((a.share - 0.3).abs() < 1e-12);
        // Over the one track with data at both.
        assert_eq!(
            (a.query, a.hit, a.agreement),
            (Some(3.0), Some(5.0), Some(1.0))
        );
        let of: Vec<(&str, f64)> = (found.biosamples.iter())
            .map(|g| (g.name.as_str(), (10.0 * g.share).round()))
            .collect();
        assert_eq!(of, [("S1", 8.0), ("S2", 2.0)]);
        assert!(is_alike(1.0, 2.0) && is_alike(-0.5, -0.25));
        assert!(!is_alike(1.0, 2.1) && !is_alike(0.5, -0.5) && !is_alike(0.0, 0.0));
        let same = [vec![0.0; 3], vec![0.0; 3], vec![0.0; 3]];
        assert_eq!(explanation(&axes, &same, &signal), None);
    }
}
